# SPDX-License-Identifier: GPL-2.0-or-later
# The benchmark and its helpers. Included by the Makefile.

BENCH_PROGRAMS := $(BUILD)/bench/populate $(BUILD)/bench/measure

$(BENCH_PROGRAMS): $(BUILD)/bench/%: bench/%.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) -std=gnu11 -O2 -g $(WARNINGS) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -o $@ $<

bench: $(BUILD)/sendcp $(BENCH_PROGRAMS)
	@BUILD=$(BUILD) bench/bench.sh

# Through the module, in a guest.
bench-vm: vm-deps
	@$(MAKE) --no-print-directory all test-tools vm-tools $(BENCH_PROGRAMS)
	@BUILD=$(BUILD) test/vm/run.sh --time 1800 $(BENCH_PROGRAMS:%=--add %) \
		--shell-script bench/guest.sh $(or $(KERNELS),6.1)
