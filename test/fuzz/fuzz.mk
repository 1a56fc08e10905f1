# SPDX-License-Identifier: GPL-2.0-or-later
# Fuzz targets: the engine and all other parsers of untrusted bytes, built with clang's fuzzer.
# Included by the Makefile.
#
# Everything is compiled separately, with coverage and sanitizers. Findings are kept in
# $(FUZZ_DIR)/findings, libFuzzer's corpus in $(FUZZ_DIR)/corpus.

FUZZ_TARGETS := fuzz_tree fuzz_incremental fuzz_superblock fuzz_checkpoint fuzz_sidecar \
	fuzz_stream
FUZZ_DIR := $(BUILD)/fuzz
FUZZ_FLAGS = -std=gnu11 -O2 -g $(WARNINGS) -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-coverage=trace-cmp -fno-sanitize=null,object-size \
	-fno-sanitize-recover=all -fno-omit-frame-pointer -Itest/unit
FUZZ_SOURCES = $(ENGINE_SOURCES) user/platform.c user/cancel.c user/idtext.c user/backend/decompress.c test/unit/image.c \
	$(addprefix cli/util/,activity.c alloc.c base64.c fileio.c hash.c json_line.c memory.c mount_place.c \
		printable.c signals.c terminal.c text.c) \
	$(addprefix cli/container/,archive.c foreign.c input.c segments.c unwrap.c zstd.c) \
	cli/journal/header.c cli/journal/read.c cli/journal/container_spec.c $(wildcard cli/parse/*.c)
# Large zstd windows are refused earlier here, so that the memory limit catches other allocations.
$(FUZZ_DIR)/fuzz_stream: LDFLAGS += -Wl,--wrap=ZSTD_createDStream
FUZZ_HELPERS := drive.c patches.c mutate.c quiet.c target.c
FUZZ_OBJECTS = $(FUZZ_SOURCES:%.c=$(FUZZ_DIR)/%.o)
FUZZ_HELPER_OBJECTS := $(FUZZ_HELPERS:%.c=$(FUZZ_DIR)/test/fuzz/%.o)

.PHONY: fuzz fuzz-build
fuzz: fuzz-build
	@FUZZ_DIR=$(FUZZ_DIR) test/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZ_TARGETS)

fuzz-build: $(FUZZ_TARGETS:%=$(FUZZ_DIR)/%)

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
