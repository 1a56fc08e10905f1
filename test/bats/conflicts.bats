#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The output is never an input, under any name, and no two output files are the same.

load ../lib/suite

setup_file()
{
	require_mount
	require_program xxhsum
	fixture_begin
	fixture_mkfs 1 160M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	head -c 3M /dev/urandom >"$FIX_MOUNT/s/file"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	sync "$FIX_MOUNT"
	send_direct "$FIX/whole" "$FIX_MOUNT/snap"
	# An unmounted filesystem with the same contents, and other names of it.
	cp --sparse=always "$FIX/disk0.img" "$FIX/image"
	ln "$FIX/image" "$FIX/hard"
	ln -s image "$FIX/soft"
}

teardown_file()
{
	fixture_end
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	MINE=
}

teardown()
{
	local device part

	mountpoint -q mounted && umount mounted
	for device in $MINE; do
		# If another program has a partition open, it would remain for the device's next
		# user.
		for part in "/sys/block/${device##*/}/${device##*/}"p*; do
			while [ -e "$part" ] && ! delpart "$device" "${part##*p}" 2>/dev/null; do sleep 0.05; done
		done
		losetup -d "$device"
	done
}

# attach NAME ARGUMENT...: attaches a loop device, and sets the variable NAME to it.
attach()
{
	local -n made=$1

	made=$(losetup -f --show "${@:2}")
	MINE+=" $made"
}

# untouched FILE PATTERN ARGUMENT...: the program fails with a line of that pattern and leaves FILE
# unchanged.
untouched()
{
	local file=$1 pattern=$2 before

	shift 2
	before=$(xxhsum -q -H3 "$file")
	run "$SENDCP" "$@"
	assert_failure 1
	assert_line --regexp "^sendcp: $pattern"
	assert_equal "$(xxhsum -q -H3 "$file")" "$before"
}

@test "conflicts: the output is the image that is read, under all of its names" {
	local loop name

	attach loop "$FIX/image"
	for name in image hard soft ../"$(basename "$FIX")"/image; do
		untouched "$FIX/image" "the output $FIX/$name is the device that is read, $FIX/image: " \
			send --device "$FIX/image" -f "$FIX/$name" snap
	done
	untouched "$FIX/image" "the output $loop is the device that is read, $FIX/image: " \
		send --device "$FIX/image" -f "$loop" snap
	untouched "$FIX/image" "the output $FIX/hard is the device that is read, $loop: " \
		send --device "$loop" -f "$FIX/hard" snap
	assert_file_not_exist "$FIX/image.cp"
	assert_file_not_exist "$FIX/hard.cp"
}

@test "conflicts: a loop device on a deleted file" {
	local first second

	cp --sparse=always "$FIX/image" gone
	attach first gone
	attach second gone
	ln gone other
	rm gone
	untouched other "the output $second is the device that is read, $first: " \
		send --device "$first" -f "$second" snap
	untouched other "the output other is the device that is read, $first: " \
		send --device "$first" -f other snap
}

@test "conflicts: standard output is the image" {
	local before

	before=$(xxhsum -q -H3 "$FIX/image")
	run bash -c '"$SENDCP" send --device "$FIX/image" snap 2>errors 1<>"$FIX/hard"'
	assert_failure 1
	assert grep -q "^sendcp: standard output is the device that is read, $FIX/image: " errors
	assert_equal "$(xxhsum -q -H3 "$FIX/image")" "$before"
}

@test "conflicts: the output is the mounted filesystem's device, or its file" {
	local device=${FIX_DEVICES# } loop

	sync "$FIX_MOUNT"
	attach loop "$FIX/disk0.img"
	for name in "$device" "$FIX/disk0.img" "$loop"; do
		run "$SENDCP" send -f "$name" "$FIX_MOUNT/snap"
		assert_failure 1
		assert_line --partial "the output $name is a device of the filesystem that is read, $device: "
	done
	run "$SENDCP" send --checkpoint "$device" "$FIX_MOUNT/snap"
	assert_failure 1
	assert_line --partial "the checkpoint file $device is a device of the filesystem that is read"
	# What is read below is on the disk.
	fixture_umount
	fixture_mount
	btrfs scrub start -Bq "$FIX_MOUNT"
	assert cmp "$FIX_MOUNT/s/file" "$FIX_MOUNT/snap/file"
}

@test "conflicts: a block device that is in use is not written" {
	local other mounted=$BATS_TEST_TMPDIR/mounted

	truncate -s 128M disk
	attach other disk
	mkfs.btrfs -q "$other"
	mkdir "$mounted"
	mount "$other" "$mounted"
	untouched disk "the output $other is a block device that is in use \(mounted\?\): " \
		send -f "$other" "$FIX_MOUNT/snap"
	run bash -c '"$SENDCP" send "$FIX_MOUNT/snap" 2>errors >"$0"' "$other"
	umount "$mounted"
	assert_failure 1
	assert grep -q "^sendcp: standard output is a block device that is in use" errors
	"$SENDCP" send -q -f "$other" "$FIX_MOUNT/snap"
	assert cmp -n "$(file_size "$FIX/whole")" "$other" "$FIX/whole"
}

@test "conflicts: the sidecar is the output" {
	run "$SENDCP" send -f x --checkpoint x "$FIX_MOUNT/snap"
	assert_failure 1
	assert_line "sendcp: the checkpoint file x is the output x: nothing was written, name another file"
	assert_file_not_exist x
	# The shell has created it as standard output.
	run bash -c '"$SENDCP" send --checkpoint x "$FIX_MOUNT/snap" 2>&1 >x'
	assert_failure 1
	assert_line --partial "the checkpoint file x is standard output"
	assert [ ! -s x ]
	rm x
	# A symlink whose target does not exist yet.
	ln -s x link
	run "$SENDCP" send -f link --checkpoint x "$FIX_MOUNT/snap"
	assert_failure 1
	assert_line --partial "the checkpoint file x is the output link"
	assert_file_not_exist x
	# This name is removed whenever the sidecar is thinned.
	run "$SENDCP" send -f x.thin --checkpoint x "$FIX_MOUNT/snap"
	assert_failure 1
	assert_line --partial "the checkpoint file's temporary file x.thin is the output x.thin"
	untouched "$FIX/image" "the checkpoint file $FIX/hard is the device that is read, $FIX/image: " \
		send --device "$FIX/image" --checkpoint "$FIX/hard" snap
}

# interrupted OUTPUT-OPTIONS...: makes an interrupted run, with the sidecar `cp`.
interrupted()
{
	rm -f cp out
	streamcut 1000000 -- "$SENDCP" send -q --buffer-size 160K --checkpoint cp "$@" >out || true
	assert_file_not_empty cp
}

@test "conflicts: resume" {
	interrupted --device "$FIX/image" snap
	untouched "$FIX/image" "the output $FIX/hard is the device that is read, $FIX/image: " \
		resume --checkpoint cp --at 0 -f "$FIX/hard"
	untouched cp "the checkpoint file cp is the output .*cp: " resume --checkpoint cp --at 0 -f cp
	cp cp kept
	run bash -c '"$SENDCP" resume --checkpoint cp --at 0 2>errors >>cp'
	assert_failure 1
	assert grep -q "^sendcp: the checkpoint file cp is standard output" errors
	assert cmp cp kept
	untouched cp "the checkpoint file cp is the output .*cp: " resume --checkpoint cp --append cp
	untouched "$FIX/image" "the output $FIX/image is the device that is read, $FIX/image: " \
		resume --append "$FIX/image" --device "$FIX/image" snap
	# The refused runs changed nothing: it can be resumed.
	"$SENDCP" resume -q --checkpoint cp --append out
	assert cmp out "$FIX/whole"
}

@test "conflicts: partitions of one disk do not conflict, the disk does" {
	local disk first second

	truncate -s 440M disk.img
	attach disk -P disk.img
	# Adds two partitions, as a program that reads a partition table does.
	python3 - "$disk" <<-'END'
	import ctypes, fcntl, os, sys
	BLKPG, ADD = 0x1269, 1
	class Partition(ctypes.Structure):
	    _fields_ = [("start", ctypes.c_longlong), ("length", ctypes.c_longlong),
	                ("number", ctypes.c_int), ("name", ctypes.c_char * 128)]
	class Argument(ctypes.Structure):
	    _fields_ = [("op", ctypes.c_int), ("flags", ctypes.c_int), ("length", ctypes.c_int),
	                ("data", ctypes.c_void_p)]
	fd = os.open(sys.argv[1], os.O_RDWR)
	for number in 1, 2:
	    part = Partition((number - 1) * 210 << 20 | 1 << 20, 200 << 20, number, b"")
	    fcntl.ioctl(fd, BLKPG, Argument(ADD, 0, ctypes.sizeof(part), ctypes.addressof(part)))
	END
	first=${disk}p1 second=${disk}p2
	for part in $first $second; do
		assert_block_exist "$part"
	done
	dd if="$FIX/image" of="$first" bs=1M conv=fsync status=none
	untouched disk.img "the output $disk holds the device that is read, $first: " \
		send --device "$first" -f "$disk" snap
	untouched disk.img "the output disk.img holds the device that is read, $first: " \
		send --device "$first" -f disk.img snap
	"$SENDCP" send -q --device "$first" -f "$second" snap
	assert cmp -n "$(file_size "$FIX/whole")" "$second" "$FIX/whole"
}

@test "conflicts: a warning if the output is in the subvolume that is sent" {
	interrupted "$FIX_MOUNT/snap"
	run "$SENDCP" send --checkpoint new -f "$FIX_MOUNT/s/out" --device "$FIX/disk0.img" s
	assert_line "sendcp: warning: the output $FIX_MOUNT/s/out is in s, which is being sent and so changes"
	rm -f "$FIX_MOUNT/s/out"
	run "$SENDCP" send --checkpoint new -f "$FIX_MOUNT/out" "$FIX_MOUNT/snap"
	assert_success
	refute_line --partial "is being sent"
	rm -f "$FIX_MOUNT/out"
}

@test "conflicts: cat and dump into the stream that they read" {
	local command

	for command in cat dump; do
		cp "$FIX/whole" stream
		run bash -c '"$SENDCP" '$command' stream 2>errors >>stream'
		assert_failure 1
		assert grep -q "^sendcp: standard output is the stream that is read, stream: " errors
		run bash -c '"$SENDCP" '$command' - 2>errors <stream 1<>stream'
		assert_failure 1
		assert grep -q "^sendcp: standard output is the stream that is read, standard input: " errors
		assert cmp stream "$FIX/whole"
	done
}
