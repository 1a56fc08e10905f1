# SPDX-License-Identifier: GPL-2.0-or-later
# The test tools: programs that share no code with the engine. Included by the Makefile.

TEST_TOOLS := streamcmp streamcut treecmp
TEST_TOOL_DIR := $(BUILD)/test
TEST_TOOL_FLAGS := -std=gnu11 -O2 -g $(WARNINGS) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64

.PHONY: test-tools
test-tools: $(TEST_TOOLS:%=$(TEST_TOOL_DIR)/%) $(TEST_TOOL_DIR)/writegate.so \
	$(TEST_TOOL_DIR)/failcall.so $(BUILD)/examples/send-image

$(TEST_TOOL_DIR)/streamcmp: $(addprefix test/tools/,streamcmp.c deviation.c stream.c describe.c crc32c.c \
	deviation.h stream.h)
$(TEST_TOOL_DIR)/streamcut: test/tools/streamcut.c
$(TEST_TOOL_DIR)/treecmp: $(addprefix test/tools/,treecmp.c inodemap.c inodemap.h)

$(TEST_TOOLS:%=$(TEST_TOOL_DIR)/%):
	@mkdir -p $(@D)
	$(CC) $(TEST_TOOL_FLAGS) -o $@ $(filter %.c,$^)

# Preloaded into a program that must stop at a byte of its output.
$(TEST_TOOL_DIR)/writegate.so: test/tools/writegate.c
	@mkdir -p $(@D)
	$(CC) $(TEST_TOOL_FLAGS) -shared -fPIC -o $@ $< -ldl

# Preloaded into a program one of whose calls is to fail.
$(TEST_TOOL_DIR)/failcall.so: $(addprefix test/tools/,failcall.c failcall_calls.c failcall.h)
	@mkdir -p $(@D)
	$(CC) $(TEST_TOOL_FLAGS) -shared -fPIC -fno-builtin -o $@ $(filter %.c,$^) -ldl
