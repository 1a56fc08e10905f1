#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# No space for the output or for the sidecar: exit status 75, and resumed when there is space.

load ../lib/suite
load ../lib/wrap

setup_file()
{
	wrap_begin
}

teardown_file()
{
	fixture_end
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir small
	mount -t tmpfs -o size=1M tmpfs small
}

teardown()
{
	umount "$BATS_TEST_TMPDIR/small" || true
}

roomy()
{
	mount -o remount,size=200M "$BATS_TEST_TMPDIR/small"
}

# full OPTION...: a send is interrupted for lack of space, and its last line says how to resume.
full()
{
	# shellcheck disable=SC2086
	run "$SENDCP" send $SMALL "$@" "$FIX_MOUNT/large.ro"
	assert_failure 75
	assert_output --partial "No space left on device"
	[[ ${lines[-1]} == *"interrupted; resume with: sendcp resume --checkpoint"* ]] ||
		fail "${lines[-1]}"
}

@test "no space: for the output" {
	local kind

	TOOL=("$SENDCP" cat -)
	for kind in "" --compress --archive "--archive=cpio --compress"; do
		rm -f cp small/f
		mount -o remount,size=1M small
		# shellcheck disable=SC2086
		full $kind -f small/f --checkpoint cp
		# Still no space: the attempt loses nothing.
		run "$SENDCP" resume -q --checkpoint cp
		assert_failure 75
		roomy
		"$SENDCP" resume -q --checkpoint cp
		unwrapped small/f "$FIX/large" || fail "$kind"
	done
}

@test "no space: for the output and the sidecar next to it" {
	full -f small/f
	run "$SENDCP" resume -q --checkpoint small/f.cp
	assert_failure 75
	roomy
	"$SENDCP" resume -q --checkpoint small/f.cp
	assert cmp small/f "$FIX/large"
}

@test "no space: for the sidecar, the output is a file" {
	local kind

	TOOL=("$SENDCP" cat -)
	for kind in "" --compress --archive; do
		rm -f f small/*
		mount -o remount,size=16K small
		# shellcheck disable=SC2086
		full $kind -f f --checkpoint small/cp
		roomy
		"$SENDCP" resume -q --checkpoint small/cp
		unwrapped f "$FIX/large" || fail "$kind"
	done
}

@test "no space: for the sidecar, the output is a pipe" {
	mount -o remount,size=16K small
	run --separate-stderr bash -c '"$SENDCP" send --buffer-size 160K --checkpoint small/cp \
		"$FIX_MOUNT/large.ro" >part'
	assert_failure 75
	roomy
	"$SENDCP" resume -q --checkpoint small/cp --at "$(file_size part)" >>part
	assert cmp part "$FIX/large"
}

@test "no space: for a sidecar made by --append" {
	head -c 900000 "$FIX/large" >small/f
	dd if=/dev/zero of=small/rest bs=4k 2>/dev/null || true
	run "$SENDCP" resume --append small/f "$FIX_MOUNT/large.ro"
	assert_failure 75
	assert_line --partial "small/f.cp: No space left on device"
	assert_equal "${lines[-1]}" \
		"sendcp: interrupted; run the same command again: $PWD/small/f was not changed"
	cmp small/f <(head -c 900000 "$FIX/large")
	roomy
	"$SENDCP" resume -q --append small/f "$FIX_MOUNT/large.ro"
	cmp small/f "$FIX/large"
}

@test "no space: for the data appended by --append" {
	"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/large.ro" | zstd -q | head -c 900000 >small/f
	run "$SENDCP" resume --checkpoint cp --append small/f
	assert_failure 75
	roomy
	"$SENDCP" resume -q --checkpoint cp
	# shellcheck disable=SC2034 # Read by stored.bash.
	TOOL=(zstd -dc)
	unwrapped small/f "$FIX/large"
}
