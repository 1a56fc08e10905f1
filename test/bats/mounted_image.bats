#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# --device of a mounted filesystem, under any name: a warning, and never complete if it changed.

load ../lib/suite

setup()
{
	require_mount
	require_program fsfreeze
	cd "$BATS_TEST_TMPDIR" || return 1
	fixture_begin
	fixture_mkfs 1 160M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	head -c 6M /dev/urandom >"$FIX_MOUNT/s/file"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	btrfs filesystem sync "$FIX_MOUNT"
	send_direct whole "$FIX_MOUNT/snap"
	SECOND=
	FROZEN=
}

teardown()
{
	thaw
	[ -z "$SECOND" ] || losetup -d "$SECOND"
	fixture_end
}

# Mounted writable, but without commits of its own: btrfs removes empty block groups, and so on.
freeze()
{
	fsfreeze -f "$FIX_MOUNT"
	FROZEN=1
}

thaw()
{
	[ -z "$FROZEN" ] || fsfreeze -u "$FIX_MOUNT"
	FROZEN=
}

warned="is mounted through a loop device and may change while it is read"

@test "mounted image: unchanged, and the stream is complete" {
	freeze
	run --separate-stderr "$SENDCP" send --device "$FIX/disk0.img" -f out snap
	assert_success
	# shellcheck disable=SC2154
	[[ $stderr == *"sendcp: warning: $FIX/disk0.img $warned"* ]]
	assert cmp out whole
}

@test "mounted image: a second loop device, a hard link, a deleted name" {
	local name

	SECOND=$(losetup -f --show "$FIX/disk0.img")
	run "$SENDCP" send --device "$SECOND" -f out snap
	assert_failure 1
	assert_output "sendcp: $SECOND is mounted: name the subvolume's path in the mounted filesystem instead"
	ln "$FIX/disk0.img" "$FIX/hard"
	rm "$FIX/disk0.img"
	run "$SENDCP" send --device "$SECOND" -f out snap
	assert_failure 1
	freeze
	run "$SENDCP" send --device "$FIX/hard" -f out snap
	assert_success
	assert_line "sendcp: warning: $FIX/hard $warned"
	assert cmp out whole
	thaw
	fixture_umount
	for name in "$FIX/hard" "$SECOND"; do
		run "$SENDCP" send --device "$name" -f out snap
		assert_success
		assert_line --index 0 "At subvol snap"
		assert_line --index 1 --partial "sendcp: complete: "
		assert_equal "${#lines[@]}" 2
		assert cmp out whole
	done
}

@test "mounted image: a block device cannot be mounted while it is read, and two may read it" {
	local device=${FIX_DEVICES# }

	fixture_umount
	{
		dd bs=1000 count=100 iflag=fullblock of=out status=none
		run mount "$device" "$FIX_MOUNT"
		echo "$status" >mounted
		"$SENDCP" send --device "$device" -f other snap 2>second
		cat >>out
	} < <("$SENDCP" send -q --buffer-size 160K --device "$device" snap)
	assert_not_equal "$(<mounted)" 0
	assert cmp out whole
	assert cmp other whole
	assert grep -qx "sendcp: warning: $device is in use and may change while it is read" second
	# Mounted read-only, it may be read.
	mount -o ro "$device" "$FIX_MOUNT"
	run "$SENDCP" send --device "$device" -f out snap
	assert_success
	assert_line --index 0 "At subvol snap"
	assert_line --index 1 --partial "sendcp: complete: "
	assert_equal "${#lines[@]}" 2
}

# changed_meanwhile SUBVOL COMMAND...: runs COMMAND while SUBVOL of the image is read; the first
# part of the stream is in `out`.
changed_meanwhile()
{
	local subvol=$1 reader

	shift
	mkfifo pipe
	{
		dd bs=1000 count=100 iflag=fullblock of=out status=none
		"$@" >/dev/null
		cat >>out
	} <pipe 3>&- &
	reader=$!
	"$SENDCP" send --device "${SECOND:-$FIX/disk0.img}" --buffer-size 160K --checkpoint cp "$subvol" \
		2>errors >pipe || status=$?
	wait $reader
	rm pipe
}

@test "mounted image: changed while it is read, never complete" {
	local status=0

	changed_meanwhile snap eval 'echo x >"$FIX_MOUNT/x" && btrfs filesystem sync "$FIX_MOUNT"'
	assert_equal "$status" 1
	assert grep -q "^sendcp: snap: filesystem was changed while it was read as an image: unmount it" errors
	assert_equal "$(jq -r 'select(.type == "complete")' cp)" ""
	# The data delivered before the change is correct, and is resumed after the unmount.
	assert cmp -n "$(file_size out)" out whole
	assert [ "$(file_size out)" -lt "$(file_size whole)" ]
	fixture_umount
	"$SENDCP" resume -q --checkpoint cp --append out
	assert cmp out whole
}

@test "mounted image: mounted while it is read, through another loop device" {
	local status=0

	fixture_umount
	SECOND=$(losetup -f --show "$FIX/disk0.img")
	changed_meanwhile snap eval 'mount "${FIX_DEVICES# }" "$FIX_MOUNT" && echo x >"$FIX_MOUNT/x" &&
		btrfs filesystem sync "$FIX_MOUNT"'
	assert_equal "$status" 1
	assert grep -q "filesystem was changed" errors
	assert cmp -n "$(file_size out)" out whole
}

@test "mounted image: balance moves the blocks that are read" {
	local status=0

	changed_meanwhile snap btrfs balance start --full-balance "$FIX_MOUNT"
	assert_equal "$status" 1
	assert grep -q "filesystem was changed" errors
	assert cmp -n "$(file_size out)" out whole
}

@test "mounted image: fsync without a commit" {
	local status=0

	fixture_umount
	fixture_mount commit=300
	changed_meanwhile s python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
os.pwrite(fd, b"x" * 5000, 5000000)
os.fsync(fd)' "$FIX_MOUNT/s/file"
	assert_equal "$status" 1
	assert grep -q "filesystem was changed" errors
}
