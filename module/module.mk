# SPDX-License-Identifier: GPL-2.0-or-later
# Building sendcp.ko against a kernel's headers: by default the running kernel's, else KVER=RELEASE
# (if they are in /lib/modules) or KDIR=DIRECTORY. Kbuild writes next to its sources, so those are
# copied.

ifdef KDIR
KVER ?= $(shell cat '$(KDIR)/include/config/kernel.release' 2>/dev/null || basename '$(KDIR)')
else
KVER ?= $(shell uname -r)
KDIR := /lib/modules/$(KVER)/build
endif
MODULE_BUILD ?= $(abspath $(BUILD))/module-$(KVER)
MODULE_SOURCES := Kbuild Makefile $(wildcard module/*.[ch] src/*.[ch] src/*/*.[ch] \
	include/sendcp/*.h include/uapi/*.h)

.PHONY: module modules_install module-sources module-check check-source

module: module-sources
	+$(Q)$(MAKE) -C $(KDIR) M=$(MODULE_BUILD) SENDCP_WERROR=y modules
	@echo '  KO   $(MODULE_BUILD)/sendcp.ko'

# Removed files must not be built any more; unchanged ones keep their times.
module-sources:
	@[ -d '$(KDIR)' ] || { echo 'module: no headers of kernel $(KVER): $(KDIR) is missing' \
		'(apt install linux-headers-$(KVER), or KDIR=DIRECTORY)' >&2; exit 1; }
	@mkdir -p $(MODULE_BUILD)
	@find $(MODULE_BUILD) -name '*.[ch]' ! -name '*.mod.c' -delete
	@cp -p --parents $(MODULE_SOURCES) $(MODULE_BUILD)

modules_install: module
	+$(Q)$(MAKE) -C $(KDIR) M=$(MODULE_BUILD) INSTALL_MOD_PATH=$(DESTDIR) modules_install

# Sparse with endianness over every file, checkpatch, and the names of the module's symbols. Some
# kernels' headers give warnings of their own; only those about our files count.
module-check: module-sources
	@module/check.sh '$(KDIR)' '$(MODULE_BUILD)'

# Uses the newest kernel whose headers are installed: any will do.
check-source:
	@test/install-deps.sh source
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory module-check KVER=$$(ls -d /lib/modules/*/build | sort -V | \
		tail -n 1 | cut -d / -f 4)
