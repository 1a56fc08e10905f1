# SPDX-License-Identifier: GPL-2.0-or-later
# The programs that change every byte of every input. Included by reliability.mk.

CORRUPTION_TOOLS := $(addprefix $(BUILD)/test/corrupt_,metadata checkpoint)
CORRUPTION_HELPERS := $(addprefix $(BUILD)/test/reliability/corruption/,cases.o stream.o)

.PHONY: corruption-tools
corruption-tools: $(CORRUPTION_TOOLS)

$(BUILD)/test/reliability/%.o: ALL_CPPFLAGS += -Itest/unit

$(BUILD)/test/corrupt_%: $(BUILD)/test/reliability/corruption/%.o $(CORRUPTION_HELPERS) \
	$(BUILD)/libtest.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)
