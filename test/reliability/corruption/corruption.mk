# SPDX-License-Identifier: GPL-2.0-or-later
# The programs that change every byte of every input. Included by reliability.mk.

CORRUPTION_TOOLS := $(BUILD)/test/corrupt_metadata

.PHONY: corruption-tools
corruption-tools: $(CORRUPTION_TOOLS)

$(BUILD)/test/reliability/%.o: ALL_CPPFLAGS += -Itest/unit

$(BUILD)/test/corrupt_%: $(BUILD)/test/reliability/corruption/%.o \
	$(BUILD)/test/reliability/corruption/cases.o $(BUILD)/libtest.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)
