# SPDX-License-Identifier: GPL-2.0-or-later
# What single unit tests need beyond the common rule. Included by the Makefile.

# Memory that runs out at a chosen place.
$(BUILD)/unit/test_send_faults $(BUILD)/unit/test_tree_faults: LDFLAGS += \
	$(foreach f,alloc zalloc realloc alloc_aligned,-Wl,--wrap=sendcp_$(f))

# sendcp itself, but that it thins its sidecar far earlier: no test can wait for gigabytes of stream.
THIN_SOURCES := cli/journal/write.c cli/resume/append/walk_batches.c
THIN_OBJECTS := $(THIN_SOURCES:%.c=$(BUILD)/thin/%.o)

unit: $(BUILD)/unit/sendcp-thin

$(BUILD)/unit/sendcp-thin: $(THIN_OBJECTS) \
	$(filter-out $(call objects,$(THIN_SOURCES)),$(CLI_OBJECTS)) $(LIBRARY_OBJECTS)
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/thin/%.o: ALL_CPPFLAGS += -Icli
$(BUILD)/thin/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CPPFLAGS) -DJOURNAL_KEEP=1024ULL $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
