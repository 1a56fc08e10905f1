#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The tests that docs/security.md and docs/reliability.md name, for what they say, exist.

load ../lib/suite

setup_file()
{
	require_program python3
	export PYTHONDONTWRITEBYTECODE=1
}

@test "named tests: all that the documents name exist" {
	run python3 "$ROOT/test/lib/named_tests.py" "$ROOT/docs/security.md" "$ROOT/docs/reliability.md"
	assert_success
}

@test "named tests: one that does not exist is found, and so is a document without any" {
	cd "$BATS_TEST_TMPDIR" || return 1
	# shellcheck disable=SC2016
	echo '`show.bats` "several files", `show.bats` "several flies", `no_such.bats`, `src/no.c`' >document.md
	run python3 "$ROOT/test/lib/named_tests.py" document.md
	assert_failure
	assert_output "document.md: show.bats several flies
document.md: no_such.bats
document.md: 3 tests named"
	echo nothing >document.md
	run python3 "$ROOT/test/lib/named_tests.py" document.md
	assert_failure
}
