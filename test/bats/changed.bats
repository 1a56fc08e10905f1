#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots that change while they are sent: made writable, written to, deleted, and their devices
# replaced. Data of a changed snapshot is never part of a complete stream, however the change is
# hidden, and resume refuses.
#
# The reader of the pipe decides when a change is made: it reads some bytes, makes the change, and
# reads on. The sender can be ahead of it by no more than two small buffers and the pipe.

load ../lib/suite

# A hold would make the kernel refuse the changes; this tests sends without one.
export SENDCP_NO_HOLD=1

KNOWN="was (changed|deleted|replaced by another subvolume) while it was sent, after"

setup()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 1G
	# Unsynced data must not get to the disk by chance.
	fixture_mount commit=300
	cd "$FIX_MOUNT" || return 1
	btrfs -q subvolume create s
	random early 2 >s/early
	random later 8 >s/later
	mkdir s/d
	random last 1 >s/d/last
	btrfs -q subvolume snapshot -r s p0
	random more 3 >s/more
	btrfs -q subvolume snapshot -r s c0
	random most 3 >s/most
	btrfs -q subvolume snapshot -r s r0
	btrfs -q subvolume delete -c s
	VICTIM=r
	CHILD=
}

teardown()
{
	[ -z "$CHILD" ] || kill -KILL -- "-$CHILD" || true
	cd / || return 1
	fixture_end
}

# random SEED MEGABYTES
random()
{
	python3 -c 'import random, sys
sys.stdout.buffer.write(random.Random(sys.argv[1]).randbytes(int(sys.argv[2]) << 20))' "$@"
}

writable()
{
	btrfs property set -f "$VICTIM" ro false
}

read_only()
{
	btrfs property set "$VICTIM" ro true
}

# Changes of $VICTIM that leave it writable.
overwrite()
{
	writable
	printf changed | dd of="$VICTIM/later" bs=1 seek=8388000 conv=notrunc status=none
}

overwrite_directly()
{
	writable
	head -c 4096 /dev/zero | dd of="$VICTIM/later" bs=4096 seek=2047 oflag=direct conv=notrunc status=none
}

overwrite_sent()
{
	writable
	printf changed | dd of="$VICTIM/early" bs=1 seek=1000 conv=notrunc status=none
}

append()
{
	writable
	echo more >>"$VICTIM/d/last"
}

cut_short()
{
	writable
	truncate -s 5M "$VICTIM/later"
}

remove()
{
	writable
	rm "$VICTIM/later"
}

change_mode()
{
	writable
	chmod 640 "$VICTIM/d/last"
}

add_file()
{
	writable
	echo new >"$VICTIM/d/new"
}

# The kernel allows root to do this in a read-only snapshot.
dedupe()
{
	cp --reflink=never "$VICTIM/later" copy
	btrfs filesystem sync .
	python3 - "$ROOT/test/lib" copy "$VICTIM/later" <<-'END'
	import fcntl, os, struct, sys
	sys.path.insert(0, sys.argv[1])
	sys.dont_write_bytecode = True
	from btrfsops import FIDEDUPERANGE
	source, target = (os.open(path, os.O_RDONLY) for path in sys.argv[2:])
	request = bytearray(struct.pack("<QQHHIqQQiI", 0, 131072, 1, 0, 0, target, 0, 0, 0, 0))
	fcntl.ioctl(source, FIDEDUPERANGE, request)
	done, status = struct.unpack_from("<Qi", request, 40)
	assert done == 131072 and status == 0, (done, status)
	END
}

delete()
{
	btrfs -q subvolume delete "$VICTIM"
}

delete_committed()
{
	btrfs -q subvolume delete -c "$VICTIM"
}

replace()
{
	btrfs -q subvolume delete "$VICTIM"
	btrfs -q subvolume snapshot -r p0 "$VICTIM"
}

and_back()
{
	"$@"
	read_only
}

and_synced()
{
	"$@"
	btrfs filesystem sync "$FIX_MOUNT"
}

# renew NAME...: restores each to its original state.
renew()
{
	local name

	for name; do
		[ ! -e "$name" ] || btrfs -q subvolume delete "$name"
		btrfs -q subvolume snapshot -r "${name}0" "$name"
	done
	rm -f copy
	btrfs filesystem sync .
}

# sent_while BYTES CHANGE SENDCP-ARGUMENTS...: makes CHANGE when the reader has BYTES.
sent_while()
{
	local bytes=$1 change=$2

	shift 2
	rm -f "$FIX/cp" "$FIX/changed"
	{
		local code=0
		"$SENDCP" "$@" 2>"$FIX/stderr" || code=$?
		echo $code >"$FIX/status"
	} | {
		head -c "$bytes"
		$change >&2 && touch "$FIX/changed"
		cat
	} >"$FIX/stream"
	[ -e "$FIX/changed" ]
	STATUS=$(cat "$FIX/status")
}

full()
{
	sent_while "$1" "$2" send --backend direct --buffer-size 144K --buffers 2 \
		--checkpoint "$FIX/cp" "${@:3}" r
}

incremental()
{
	full "$1" "$2" -p p -c c "${@:3}"
}

# An END command is the last one, and contains only its header.
has_end()
{
	[ "$(tail -c 10 "$FIX/stream" | head -c 6 | od -An -tx1 | tr -d ' ')" = 000000001500 ]
}

# show NAME: a member of the output of sendcp show.
show()
{
	"$SENDCP" show --json "$FIX/cp" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

# The stream is nowhere called complete, cannot be completed, and is refused by a receiver.
assert_refused()
{
	[ "$STATUS" = 1 ]
	grep -qE "^sendcp: .*: the (snapshot|parent .*|clone source .*) $KNOWN" "$FIX/stderr"
	run -1 has_end
	[ "$(show complete)" = False ]
	run -1 "$SENDCP" resume --checkpoint "$FIX/cp" --at "$(file_size "$FIX/stream")"
	assert_output --regexp 'was changed|was replaced|is gone'
	run -1 "$SENDCP" resume --checkpoint "$FIX/cp" --append "$FIX/stream"
	assert_output --regexp 'was changed|was replaced|is gone'
	mkdir got
	[ ! -e "${1:-}" ] || "$SENDCP" send -q "$1" | btrfs receive -q got
	run btrfs receive -q got <"$FIX/stream"
	assert_failure
	btrfs -q subvolume delete got/*
	rmdir got
}

# each_change BYTES CHANGE...: full sends of r, which changes when the reader has BYTES.
each_change()
{
	local bytes=$1 change

	shift
	for change; do
		echo "after $bytes bytes: $change"
		renew r
		full "$bytes" "$change"
		cat "$FIX/stderr"
		assert_refused
	done
}

# The same with a parent and a clone source.
each_source()
{
	local change

	for change; do
		for VICTIM in p c r; do
			echo "$VICTIM: $change"
			renew p c r
			incremental 400000 "$change"
			cat "$FIX/stderr"
			assert_refused p0
		done
	done
}

@test "changed: without a change, the streams are complete" {
	renew p c r
	full 1000000 true
	[ "$STATUS" = 0 ]
	has_end
	incremental 400000 true
	[ "$STATUS" = 0 ]
	has_end
}

@test "changed: made writable and read-only again without a write is no change" {
	renew r
	full 1000000 "and_back writable"
	[ "$STATUS" = 0 ]
	has_end
	mkdir got
	btrfs receive -q got <"$FIX/stream"
	diff -r r got/r
}

@test "changed: made writable, early and late in the stream" {
	each_change 1 writable "and_synced writable"
	each_change 1000000 writable "and_synced writable"
	each_change 13000000 writable "and_synced writable"
}

@test "changed: a file that is not sent yet is overwritten" {
	each_change 1000000 overwrite "and_synced overwrite" overwrite_directly
	each_change 9000000 overwrite
}

@test "changed: a file that is not sent yet is overwritten, and the snapshot is read-only again" {
	each_change 1000000 "and_back overwrite" "and_synced and_back overwrite" "and_back overwrite_directly"
	each_change 9000000 "and_back overwrite"
}

@test "changed: a file that was sent is overwritten, and the snapshot is read-only again" {
	each_change 6000000 "and_back overwrite_sent" "and_synced and_back overwrite_sent"
}

@test "changed: files are truncated, extended, removed, added, and change their mode" {
	each_change 1000000 cut_short append remove add_file change_mode
}

@test "changed: files are truncated, and so on, and the snapshot is read-only again" {
	each_change 1000000 "and_back cut_short" "and_back append" "and_back remove" "and_back add_file" \
		"and_back change_mode"
}

@test "changed: a range is deduplicated" {
	each_change 1000000 dedupe "and_synced dedupe"
}

@test "changed: deleted, and replaced by another" {
	each_change 1000000 delete "and_synced delete" delete_committed replace
	each_change 9000000 delete
}

@test "changed: parent, clone source or subvolume is made writable, written to, deleted" {
	each_source writable overwrite "and_back overwrite" change_mode
	each_source delete "and_synced replace"
}

@test "changed: parent, clone source or subvolume is deduplicated" {
	each_source dedupe
}

# Extents are read as stored, not through the filesystem, which must be asked nevertheless.
@test "changed: compressed data" {
	mount -o remount,compress-force=zstd .
	btrfs -q subvolume snapshot p0 s
	seq 1 3000000 >s/text
	seq 2 3000000 >s/later
	btrfs -q subvolume delete -c r0
	btrfs -q subvolume snapshot -r s r0
	renew r
	full 1000000 true --compressed-data
	[ "$STATUS" = 0 ]
	has_end
	full 1000000 "and_back overwrite" --compressed-data
	assert_refused
}

@test "changed: with a new engine for each command" {
	renew p c r
	incremental 400000 "and_back overwrite" --step
	assert_refused p0
}

# The stream before the change is covered by durable lines; after it no line becomes durable.
@test "changed: a checkpoint is only durable if the snapshot was seen unchanged after it" {
	local before

	renew r
	full 6000000 "and_synced writable" --checkpoint-interval 144K
	assert_refused
	before=$(show bytes_made)
	echo "$before"
	# The capacity of the pipe, the reader and two buffers.
	[ "$before" -le $((6000000 + 65536 + 3 * 147456)) ]
}

# spare: adds a device that is not used yet. Sets SPARE.
spare()
{
	local image=$FIX/spare.img

	truncate -s 1G "$image"
	SPARE=$(losetup -f --show "$image")
	FIX_IMAGES+=" $image"
	FIX_DEVICES+=" $SPARE"
}

replace_device()
{
	btrfs replace start -B -f 1 "$SPARE" .
}

# shellcheck disable=SC2086
move_device()
{
	local first

	first=$(echo $FIX_DEVICES | cut -d ' ' -f 1)
	btrfs device add -f "$SPARE" . && btrfs device remove "$first" .
}

# Interrupted, not failed: the command of the last line completes the stream.
assert_goes_on()
{
	cat "$FIX/stderr"
	[ "$STATUS" = 75 ]
	grep -q "a device was removed or replaced" "$FIX/stderr"
	tail -n 1 "$FIX/stderr" | grep -oE 'sendcp resume .*' >"$FIX/command"
	run -1 has_end
	PATH=$(dirname "$SENDCP"):$PATH bash "$FIX/command" >>"$FIX/stream"
	has_end
	"$SENDCP" send -q r | cmp - "$FIX/stream"
}

@test "changed: the device is replaced by another one" {
	spare
	renew r
	full 1000000 replace_device
	assert_goes_on
}

@test "changed: a device is added, and the first one removed" {
	spare
	renew r
	full 1000000 move_device
	assert_goes_on
}

# opened_meanwhile COMMAND...: sendcp is stopped when it opens the first device, whose name it has
# from the kernel, and continued after the command.
opened_meanwhile()
{
	local first opener

	require_strace
	spare
	renew r
	first=$(echo $FIX_DEVICES | cut -d ' ' -f 1)
	setsid strace -o "$FIX/calls" -P "$first" -e trace=openat -e inject=openat:signal=STOP:when=1 -- \
		"$SENDCP" send -q --backend direct -f "$FIX/stream" r 3>&- &
	CHILD=$!
	until grep -qs "stopped by SIGSTOP" "$FIX/calls"; do
		kill -0 "$CHILD" || fail "it ended first"
		sleep 0.01
	done
	opener=$(pgrep -P "$CHILD" -x sendcp)
	"$@"
	kill -CONT "$opener"
	wait "$CHILD"
	CHILD=
	"$SENDCP" send -q r | cmp - "$FIX/stream"
}

@test "changed: the device is replaced while the filesystem is opened" {
	opened_meanwhile replace_device
}

@test "changed: a device is added, and the first one removed, while the filesystem is opened" {
	opened_meanwhile move_device
}
