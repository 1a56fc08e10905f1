# SPDX-License-Identifier: GPL-2.0-or-later
# Special rules for single unit tests. Included by the Makefile.

# These inject allocation failures.
$(BUILD)/unit/test_send_faults $(BUILD)/unit/test_tree_faults: LDFLAGS += \
	$(foreach f,alloc zalloc realloc alloc_aligned,-Wl,--wrap=sendcp_$(f))

# This counts what the engine does.
$(BUILD)/unit/test_send_cost: LDFLAGS += \
	$(foreach f,alloc zalloc realloc free ref_iter_next dirent_iter_next inode_get \
	crc32c,-Wl,--wrap=sendcp_$(f))

# sendcp that thins its sidecar much earlier: no test can wait for gigabytes of stream.
THIN_SOURCES := cli/journal/write.c cli/resume/append/match_batches.c
THIN_OBJECTS := $(THIN_SOURCES:%.c=$(BUILD)/thin/%.o)

unit: $(BUILD)/unit/sendcp-thin

$(BUILD)/unit/sendcp-thin: $(THIN_OBJECTS) \
	$(filter-out $(call objects,$(THIN_SOURCES)),$(CLI_OBJECTS)) $(BUILD)/libsendcp.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/thin/%.o: ALL_CPPFLAGS += -Icli
$(BUILD)/thin/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CPPFLAGS) -DJOURNAL_KEEP=1024ULL $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
