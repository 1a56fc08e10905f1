# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What every bats suite loads.

bats_require_minimum_version 1.5.0
# shellcheck source=fixture.bash
source "$BATS_TEST_DIRNAME/../lib/fixture.bash"
for library in bats-support bats-assert bats-file; do
	load "/usr/lib/bats/$library/load.bash"
done

# A number from 1 to LIMIT that depends on SEED alone: tests are random, but not by chance.
pick()
{
	local limit=$1 seed=$2

	python3 -c 'import random, sys
print(random.Random(sys.argv[2]).randint(1, int(sys.argv[1])))' "$limit" "$seed"
}

file_size()
{
	stat -c %s "$1"
}
