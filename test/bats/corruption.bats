#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A sample of `make check-corruption`: bytes of every input are changed, one at a time. Never a crash,
# never a wrong stream that is called complete. The seed is printed; SEED= gives another sample.

load ../lib/suite

# samples CASES ROW...
samples()
{
	require_program zstd
	run env SAMPLE="$1" JOBS=1 "$ROOT/test/reliability/corruption.sh" "${@:2}"
	assert_success
	assert_output --partial "seed"
	assert_line --regexp '^[1-9][0-9]* passed, 0 failed$'
}

@test "corruption: tree blocks and superblocks, single and mixed" { samples 1500 single mixed; }
@test "corruption: tree blocks and superblocks with a mirror" { samples 1500 dup raid1; }
@test "corruption: checkpoints" { samples 1500 checkpoints; }
@test "corruption: stored streams" { samples 40 stored; }
@test "corruption: files that are resumed" { samples 25 append; }
@test "corruption: checkpoint files and positions" { samples 25 journal position; }

@test "corruption: no such row" {
	run "$ROOT/test/reliability/corruption.sh" nonsense
	assert_failure
	assert_output --partial "0 passed, 1 failed"
}
