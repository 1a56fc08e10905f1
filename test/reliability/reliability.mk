# SPDX-License-Identifier: GPL-2.0-or-later
# What docs/reliability.md has a row for, and make check only the quick part of. Included by the
# Makefile.

# Only these values, and no others, reach the scripts; each script documents its own.
FAULTS ?= all
CORRUPTION ?= all
COST ?= all
CHAOS_SECONDS ?= 3600
THOROUGH ?=

RELIABILITY_ENV = BUILD=$(abspath $(BUILD)) SENDCP=$(abspath $(BUILD))/sendcp \
	TOOLS=$(abspath $(BUILD))/test

.PHONY: check-faults check-corruption check-cost check-chaos check-thorough analyze

# Leaks and wrong accesses are found in the same runs: everything is built with the sanitizers.
check-faults: test-deps
	@$(MAKE) --no-print-directory SANITIZE=address,undefined BUILD=$(BUILD)-address-undefined \
		all test-tools
	@BUILD=$(abspath $(BUILD))-address-undefined test/reliability/faults.sh $(FAULTS)

check-corruption: test-deps
	@$(MAKE) --no-print-directory SANITIZE=address,undefined BUILD=$(BUILD)-address-undefined \
		all test-tools corruption-tools
	@BUILD=$(abspath $(BUILD))-address-undefined test/reliability/corruption.sh $(CORRUPTION)

check-cost: test-deps
	@$(MAKE) --no-print-directory all test-tools
	@$(RELIABILITY_ENV) test/reliability/cost.sh $(COST)

check-chaos: test-deps
	@$(MAKE) --no-print-directory all test-tools
	@$(RELIABILITY_ENV) $(BATS) test/reliability/chaos.bats
	@$(RELIABILITY_ENV) test/reliability/chaos.sh $(CHAOS_SECONDS)

check-thorough: test-deps
	@$(MAKE) --no-print-directory all test-tools
	@$(RELIABILITY_ENV) BATS=$(BATS) test/thorough.sh $(THOROUGH)

# TOOLS="gcc shellcheck": some of them only.
analyze:
	@test/install-deps.sh build test analyze
	@MAKE="$(MAKE) --no-print-directory" BUILD=$(BUILD) test/reliability/analyze.sh $(TOOLS)

include test/reliability/corruption.mk
include test/reliability/analyze.mk
