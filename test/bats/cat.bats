#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# sendcp cat: the plain stream from every wrapping, for btrfs receive.

load ../lib/suite
load ../lib/stored

setup_file()
{
	stored_make
}

setup()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	OUT=$BATS_TEST_TMPDIR
}

teardown()
{
	fixture_end
}

@test "cat: the plain stream from every wrapping, from files and pipes" {
	local kind

	for kind in $STORED_KINDS; do
		"$SENDCP" cat "stream.$kind" | cmp - stream.plain
		cat "stream.$kind" | "$SENDCP" cat - | cmp - stream.plain
	done
}

@test "cat: several frames, several streams, skippable frames" {
	(zstd -q <stream.plain; printf '\x50\x2a\x4d\x18\4\0\0\0skip'; cat stream.zstd) >"$OUT/f"
	"$SENDCP" cat "$OUT/f" | cmp - <(cat stream.plain stream.plain)
}

@test "cat: incomplete files end with 1, after a complete command" {
	local kind size

	for kind in $STORED_KINDS; do
		size=$(file_size "stream.$kind")
		head -c $((size * 2 / 3)) "stream.$kind" >"$OUT/cut"
		run --separate-stderr bash -c "'$SENDCP' cat '$OUT/cut' >'$OUT/plain'"
		assert_equal "$status" 1
		[[ $stderr == *"whole up to byte $(file_size "$OUT/plain")"* ]]
		cmp -n "$(file_size "$OUT/plain")" "$OUT/plain" stream.plain
	done
}

@test "cat: received from every wrapping" {
	local options

	require_mount
	fixture_begin
	fixture_mkfs 1 512M
	fixture_mount
	fixture_random 7 400 >/dev/null
	cd "$FIX_MOUNT"
	for options in "" --compress --archive=tar --archive=cpio "--compress --archive=tar"; do
		rm -rf received && mkdir received
		# shellcheck disable=SC2086
		send_direct "$OUT/f" $options --buffer-size 160K b
		"$SENDCP" cat "$OUT/f" | btrfs -q receive received
		treecmp --any-root-times b received/b
		btrfs -q subvolume delete received/b
	done
}

@test "cat: not to a terminal" {
	require_program script
	run script -qec "'$SENDCP' cat stream.plain" /dev/null
	assert_equal "$status" 1
	assert_output --partial "not dumping send stream into a terminal"
}

@test "cat: a full disk, and a reader that exits" {
	run bash -c "'$SENDCP' cat stream.zstd >/dev/full"
	assert_equal "$status" 1
	assert_output --partial "cannot write to standard output: No space left on device"
	run bash -c "set -o pipefail; '$SENDCP' cat stream.zstd | head -c 10 >/dev/null"
	assert_equal "$status" 1
	assert_output --partial "the reader is gone"
}

@test "cat: a signal ends it" {
	mkfifo "$OUT/fifo"
	# Opened for reading and writing: a writer that writes nothing.
	run bash -c "timeout --foreground -s TERM 3 '$SENDCP' cat - <>'$OUT/fifo' >'$OUT/plain'"
	assert_equal "$status" 124
	assert_output "sendcp: stopped by SIGTERM"
	# And so that nobody reads what is written.
	assert [ "$(file_size stream.plain)" -gt 400000 ]
	run bash -c "timeout --foreground -k 30 -s TERM 3 '$SENDCP' cat stream.plain 1<>'$OUT/fifo'"
	assert_equal "$status" 124
	assert_output "sendcp: stopped by SIGTERM"
}
