# SPDX-License-Identifier: GPL-2.0-or-later
# What single unit tests need beyond the common rule. Included by the Makefile.

# Memory that runs out at a chosen place.
$(BUILD)/unit/test_send_faults $(BUILD)/unit/test_tree_faults: LDFLAGS += \
	$(foreach f,alloc zalloc realloc alloc_aligned,-Wl,--wrap=scp_$(f))
