# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets: the engine and all other parsers of untrusted bytes, built with clang's fuzzer.
# Included by the Makefile.
#
# Everything is compiled separately, with coverage and sanitizers. Findings are kept in
# $(FUZZ_DIR)/findings, libFuzzer's corpus in $(FUZZ_DIR)/corpus.

FUZZ_TARGETS := fuzz_tree fuzz_incremental fuzz_superblock fuzz_checkpoint fuzz_sidecar \
	fuzz_stream fuzz_frames fuzz_archive fuzz_append fuzz_match fuzz_lines fuzz_chunks fuzz_options \
	fuzz_extents
FUZZ_DIR := $(BUILD)/fuzz
FUZZ_FLAGS = -std=gnu11 -O2 -g $(WARNINGS) -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-coverage=trace-cmp -fno-sanitize=null,object-size \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -Itest/unit
# All but main() and the messages, which quiet.c has.
FUZZ_SOURCES = $(ENGINE_SOURCES) $(USER_SOURCES) test/unit/image.c \
	$(filter-out cli/commands/main.c cli/util/message.c,$(CLI_SOURCES))
# Not of those that load an image, which has a large window.
FUZZ_WINDOWED := $(addprefix $(FUZZ_DIR)/,fuzz_stream fuzz_frames fuzz_archive fuzz_append)
$(FUZZ_WINDOWED): $(FUZZ_DIR)/test/fuzz/windows.o
$(FUZZ_WINDOWED): LDFLAGS += $(foreach f,ZSTD_createDStream ZSTD_createDCtx,-Wl,--wrap=$(f))
# These end where the send itself would begin: no filesystem is needed.
FUZZ_APPEND_WRAPS := $(foreach f,resume_go_on resume_open_job resume_prefix_hash,-Wl,--wrap=$(f))
$(FUZZ_DIR)/fuzz_append $(FUZZ_DIR)/fuzz_match: LDFLAGS += $(FUZZ_APPEND_WRAPS)
FUZZ_HELPERS := paths.c drive.c patches.c mutate.c quiet.c target.c sums.c sample.c
FUZZ_OBJECTS = $(FUZZ_SOURCES:%.c=$(FUZZ_DIR)/%.o)
FUZZ_HELPER_OBJECTS := $(FUZZ_HELPERS:%.c=$(FUZZ_DIR)/test/fuzz/%.o)

.PHONY: fuzz fuzz-build fuzz-seeds fuzz-corpora
fuzz: fuzz-build fuzz-seeds
	@FUZZ_DIR=$(FUZZ_DIR) test/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz-build: $(FUZZ_TARGETS:%=$(FUZZ_DIR)/%)

fuzz-seeds: $(BUILD)/sendcp
	@SENDCP=$(BUILD)/sendcp test/fuzz/seeds.sh $(FUZZ_DIR)/seeds

# What there is to be committed, from all runs so far.
fuzz-corpora: fuzz-build fuzz-seeds
	@FUZZ_DIR=$(FUZZ_DIR) test/fuzz/corpora.sh $(FUZZ_TARGETS)

$(FUZZ_DIR)/%.o: ALL_CPPFLAGS += -Isrc -Icli
$(FUZZ_DIR)/%.o: %.c Makefile test/fuzz/fuzz.mk
	@mkdir -p $(@D)
	$(call say,FUZZ)
	$(Q)$(CLANG) $(ALL_CPPFLAGS) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

$(FUZZ_DIR)/libsendcp.a: $(FUZZ_OBJECTS)
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $^

$(FUZZ_DIR)/fuzz_%: $(FUZZ_DIR)/test/fuzz/fuzz_%.o $(FUZZ_HELPER_OBJECTS) $(FUZZ_DIR)/libsendcp.a
	$(call say,LD)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
		$(LDFLAGS) -o $@ $^ $(LIBS)

# The same targets in the normal build, with a main() that runs files: for the corpora in make check.
REPLAY_DIR := $(BUILD)/fuzz-replay
REPLAY_HELPERS := $(call objects,$(FUZZ_HELPERS:%=test/fuzz/%) test/fuzz/replay.c)
REPLAY_PARTS = $(filter-out $(BUILD)/cli/util/message.o,$(SHARED_OBJECTS)) $(BUILD)/test/unit/image.o

.PHONY: fuzz-replay
fuzz-replay: $(FUZZ_TARGETS:%=$(REPLAY_DIR)/%)
test-tools: fuzz-replay

$(REPLAY_DIR)/fuzz_append $(REPLAY_DIR)/fuzz_match: LDFLAGS += $(FUZZ_APPEND_WRAPS)
$(BUILD)/test/fuzz/%.o: ALL_CPPFLAGS += -Itest/unit

$(REPLAY_DIR)/libsendcp.a: $(REPLAY_PARTS)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $^

$(REPLAY_DIR)/fuzz_%: $(BUILD)/test/fuzz/fuzz_%.o $(REPLAY_HELPERS) $(REPLAY_DIR)/libsendcp.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
