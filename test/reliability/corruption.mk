# SPDX-License-Identifier: GPL-2.0-or-later
# The programs that change every byte of every input. Included by reliability.mk.

CORRUPTION_TOOLS := $(addprefix $(BUILD)/test/corrupt_,metadata checkpoint files)
CORRUPTION_DIR := $(BUILD)/test/reliability/corruption

# make check runs a sample.
test-tools: corruption-tools

.PHONY: corruption-tools
corruption-tools: $(CORRUPTION_TOOLS)

$(CORRUPTION_DIR)/%.o: ALL_CPPFLAGS += -Itest/unit

# The command line as a function.
$(CORRUPTION_DIR)/main.o: cli/commands/main.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CPPFLAGS) -Icli -Dmain=sendcp_main $(ALL_CFLAGS) \
		-Wno-missing-prototypes -MMD -MP -c -o $@ $<

$(BUILD)/test/corrupt_metadata $(BUILD)/test/corrupt_checkpoint: $(CORRUPTION_DIR)/stream.o
$(BUILD)/test/corrupt_files: $(addprefix $(CORRUPTION_DIR)/,command.o journal_lines.o main.o)

$(BUILD)/test/corrupt_%: $(CORRUPTION_DIR)/%.o $(CORRUPTION_DIR)/cases.o
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/libtest.a -lcmocka $(LIBS)

$(CORRUPTION_TOOLS): $(BUILD)/libtest.a
