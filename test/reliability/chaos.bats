#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make check-chaos` runs first: a few streams, until each operation on the filesystem has happened
# once; and that a stream with one wrong byte would be found. Not a part of make check: kernels have
# crashed under it (docs/reliability.md).
# A filesystem that the kernel finds damaged proves nothing about sendcp: then another one is made, for
# a minute, and then the test is skipped.
# CHAOS_SEED: a seed to run again.

load ../lib/suite

setup()
{
	require_mount
	export CHAOS_LOG=$BATS_TEST_TMPDIR/log
}

# chaos LAYOUT STREAMS: on failure what happened is shown.
chaos()
{
	CHAOS_LAYOUTS=$1 run "$ROOT/test/reliability/chaos.sh" 60 "$2"
	tail -n 200 "$CHAOS_LOG"
}

skip_if_given_up()
{
	if [[ $output =~ "the kernel gave the filesystem up" ]]; then
		skip "the kernel damaged its filesystem"
	fi
}

@test "chaos: sends from a filesystem that is balanced, replaced, frozen, remounted, written to" {
	chaos raid1 8
	assert_success
	assert_output --regexp "[0-9]+ passed, 0 failed$"
	skip_if_given_up
	assert_line --regexp "^chaos: ([89]|[1-9][0-9]+) streams, [0-9]+ kinds of operations$"
}

@test "chaos: a stream with one wrong byte is found" {
	CHAOS_DAMAGE=1 chaos single 1
	assert_line --partial "chaos: 0 streams"
	[[ $output =~ "FAILED: send " ]] || skip_if_given_up
	assert_failure 1
	assert_line --regexp "FAILED: send [0-9]+ .*(another stream|another command|without the command|receive)"
	[ -n "$(ls "$CHAOS_LOG.failed")" ]
}
