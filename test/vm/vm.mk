# SPDX-License-Identifier: GPL-2.0-or-later
# The module's tests, in guests. Included by the Makefile; docs/testing-module.md explains them.

KERNELS ?=

# The guests' test program shares only the ABI's header with the engine.
IOCTLTEST := $(BUILD)/vm/ioctltest
# The same for a 32-bit caller: static, with the only library it needs compiled in.
IOCTLTEST32 := $(BUILD)/vm/ioctltest32

.PHONY: check-vm check-vm-debug vm-deps vm-tools

vm-deps:
	@test/install-deps.sh build test vm

check-vm: vm-deps
	@$(MAKE) --no-print-directory all test-tools vm-tools
	@BUILD=$(BUILD) test/vm/run.sh $(KERNELS)

check-vm-debug: vm-deps
	@$(MAKE) --no-print-directory all test-tools vm-tools
	@BUILD=$(BUILD) test/vm/run.sh debug

vm-tools: $(IOCTLTEST) $(IOCTLTEST32)

$(IOCTLTEST) $(IOCTLTEST32): $(wildcard test/vm/guest/*.[ch]) include/uapi/sendcp.h
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -std=gnu11 -O2 -g $(WARNINGS) -D_GNU_SOURCE -o $@ $(filter %.c,$^) $(IOCTLTEST_FLAGS)

$(IOCTLTEST): IOCTLTEST_FLAGS = -lxxhash -lpthread
$(IOCTLTEST32): IOCTLTEST_FLAGS = -m32 -static -D_FILE_OFFSET_BITS=64 -DXXH_INLINE_ALL
