# SPDX-License-Identifier: GPL-2.0-or-later
# Every task of the project is a target here; `make help` lists them.

VERSION := 0.1.0
# SANITIZE=address,undefined builds the same with sanitizers, into a directory of its own.
SANITIZE ?=
comma := ,
BUILD ?= build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
# One form of the path, however it is given: dependencies refer to it.
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
CC ?= cc
CLANG ?= clang
PKG_CONFIG ?= pkg-config
PREFIX ?= /usr/local
DESTDIR ?=
BATS ?= bats
FUZZ_SECONDS ?= 60

PKGS := libisal libzstd libarchive zlib lzo2 libgcrypt libxxhash json-c blkid libbtrfsutil
# WERROR= allows warnings, for compilers other than those the code was tested with.
WERROR ?= -Werror
WARNINGS := -Wall -Wextra $(WERROR) -Wstrict-prototypes -Wmissing-prototypes -Wshadow \
	-Wpointer-arith -Wvla -Wno-unused-parameter
CFLAGS ?= -O2 -g
SANITIZE_FLAGS = $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARNINGS) $(SANITIZE_FLAGS)
ALL_CPPFLAGS = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DSENDCP_VERSION='"$(VERSION)"' \
	-Iinclude -Iuser $(CPPFLAGS) $(PKG_CFLAGS)
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null) -laio -lpthread

# V=1 shows the commands.
Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %-4s %s\n' $(1) $@)

ENGINE_SOURCES := $(sort $(wildcard src/*.c src/*/*.c))
USER_SOURCES := $(sort $(wildcard user/*.c user/*/*.c))
CLI_SOURCES := $(sort $(wildcard cli/*/*.c cli/*/*/*.c))
UNIT_SOURCES := $(sort $(wildcard test/unit/test_*.c))
UNIT_HELPERS := $(filter-out $(UNIT_SOURCES),$(sort $(wildcard test/unit/*.c)))

objects = $(patsubst %.c,$(BUILD)/%.o,$(1))
LIBRARY_OBJECTS := $(call objects,$(ENGINE_SOURCES) $(USER_SOURCES))
CLI_OBJECTS := $(call objects,$(CLI_SOURCES))
SHARED_OBJECTS := $(LIBRARY_OBJECTS) $(filter-out $(BUILD)/cli/commands/main.o,$(CLI_OBJECTS))
UNIT_PROGRAMS := $(patsubst test/unit/%.c,$(BUILD)/unit/%,$(UNIT_SOURCES))

.PHONY: all help clean deps test-deps unit check check-tsan demo bench bench-vm fuzz lint install
.SECONDARY:

all: $(BUILD)/sendcp

help:
	@echo 'make                  build $(BUILD)/sendcp (SANITIZE=address,undefined: with sanitizers)'
	@echo 'make deps             install the packages that building needs (Debian)'
	@echo 'make demo             install what it needs, build, show a send that is killed and resumed'
	@echo 'make check            install what it needs, build, run every test'
	@echo 'make check-tsan       run the tests that have threads under ThreadSanitizer (root)'
	@echo 'make check-vm         test the module in guests (KERNELS="5.10 6.1 6.12 7.x"; root)'
	@echo 'make check-vm-debug   the same in a kernel with KASAN, lockdep, kmemleak (builds it first)'
	@echo 'make check-install    install the packages in guests (SUITES="bookworm trixie"; root)'
	@echo 'make bench            time sendcp and btrfs send in turn on the same snapshots (root)'
	@echo 'make bench-vm         time the module and btrfs send in turn, in a guest (KERNELS=6.1; root)'
	@echo 'make fuzz             build the fuzz targets, run each for FUZZ_SECONDS seconds'
	@echo 'make fuzz-corpora     pack what they found, minimised, into test/fuzz/corpus'
	@echo 'make lint             check the code with sparse, and its shape'
	@echo 'make analyze          check it with gcc -fanalyzer, clang-tidy, cppcheck and shellcheck'
	@echo 'make check-faults     fail every allocation and system call once, at each place (root)'
	@echo 'make check-corruption change every byte of images, checkpoints and archives'
	@echo 'make check-cost       cost against size, with btrfs send beside it (root)'
	@echo 'make check-chaos      send for CHAOS_SECONDS while the filesystem is changed and moved (root)'
	@echo 'make check-thorough   test/thorough.sh: many seeds and positions (THOROUGH="kill crash"; root)'
	@echo 'make module           build sendcp.ko (KVER=RELEASE or KDIR=DIRECTORY: for another kernel)'
	@echo 'make modules_install  install it under DESTDIR'
	@echo 'make module-check     check the module with sparse and checkpatch'
	@echo 'make install          install under DESTDIR and PREFIX (and bindir, mandir, ...)'
	@echo 'make uninstall        remove what was installed there'
	@echo 'make dist             make the source archive, in $(PACKAGES_DIR)'
	@echo 'make deb, make rpm    make packages, in $(PACKAGES_DIR)'
	@echo 'make apt-repo         make a signed repository of the Debian packages (KEY=KEYID), there, too'
	@echo 'make rpm-repo         the same of the RPM packages'
	@echo 'make clean            remove all build directories'

# The engine and its userspace backends; include/sendcp/ is how they are used.
$(BUILD)/libsendcp.a: $(LIBRARY_OBJECTS)
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $^

$(BUILD)/sendcp: $(CLI_OBJECTS) $(BUILD)/libsendcp.a
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# Example programs; they see the public headers only.
$(BUILD)/examples/%: docs/examples/%.c $(BUILD)/libsendcp.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) -std=gnu11 $(CFLAGS) $(WARNINGS) $(SANITIZE_FLAGS) -Iinclude $(LDFLAGS) -o $@ $^ $(LIBS)

# Each part sees only the headers that it may use; tests see all.
$(BUILD)/src/%.o: ALL_CPPFLAGS += -Isrc
$(BUILD)/cli/%.o: ALL_CPPFLAGS += -Icli
$(BUILD)/test/%.o: ALL_CPPFLAGS += -Isrc -Icli

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libtest.a: $(SHARED_OBJECTS) $(call objects,$(UNIT_HELPERS))
	@rm -f $@
	$(call say,AR)
	$(Q)$(AR) rcs $@ $^

$(BUILD)/unit/%: $(BUILD)/test/unit/%.o $(BUILD)/libtest.a
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LIBS)

unit: $(UNIT_PROGRAMS)

deps:
	@test/install-deps.sh build

test-deps:
	@test/install-deps.sh test

# The packages must be installed before the build starts, so the build is a make of its own.
demo: deps test-deps
	@$(MAKE) --no-print-directory all
	@test/demo.sh $(BUILD)/sendcp

check: test-deps
	@$(MAKE) --no-print-directory all unit test-tools
	@BUILD=$(BUILD) BATS=$(BATS) SENDCP_SANITIZED=$(SANITIZE) test/run.sh

# In a build of its own, whatever this one is.
check-tsan: test-deps
	@$(MAKE) --no-print-directory SANITIZE=thread BUILD=$(BUILD)-thread all unit test-tools
	@BUILD=$(BUILD)-thread BATS=$(BATS) test/tsan.sh $(SUITES)

lint:
	@test/lint.sh

clean:
	rm -rf build build-*

include packaging.mk
include test/unit/unit.mk
include test/tools/tools.mk
include bench/bench.mk
include module/module.mk
include test/fuzz/fuzz.mk
include test/reliability/reliability.mk
include test/vm/vm.mk
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
