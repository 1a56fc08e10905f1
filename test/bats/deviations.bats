#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Where the native stream fails or loses something and ours must not: the rows of
# docs/deviations.md.

load ../lib/suite

setup()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 1G
	fixture_mount
	cd "$FIX_MOUNT" || return 1
	btrfs -q subvolume create s
}

teardown()
{
	cd / || return 1
	fixture_end
}

snapshot()
{
	btrfs -q subvolume snapshot -r s "$1"
}

# streams [OPTIONS] SUBVOL: makes the native stream and ours; ours is the same from every
# checkpoint.
streams()
{
	btrfs send -q "$@" >"$FIX/native"
	send_direct "$FIX/ours" "$@"
	send_direct "$FIX/step" --step "$@"
	cmp "$FIX/step" "$FIX/ours"
}

# receive STREAM DIRECTORY [PARENT]: receives the parent first, if there is one.
receive()
{
	mkdir "$2"
	[ -z "${3:-}" ] || btrfs send -q "$3" | btrfs -q receive "$2"
	btrfs -q receive -f "$1" "$2"
}

# only_deviation NAME: the streams differ, but only by the deviation of that name.
only_deviation()
{
	run streamcmp "$FIX/ours" "$FIX/native"
	assert_failure
	run streamcmp --allow-deviation "$1" "$FIX/ours" "$FIX/native"
	assert_success
	assert_output --partial "allowed deviations"
}

@test "deviation: cap-prefix: native drops security.cap" {
	touch s/f
	setfattr -n security.cap -v kept s/f
	snapshot a
	streams a
	receive "$FIX/native" native
	run treecmp a native/a
	assert_failure 1
	receive "$FIX/ours" ours
	treecmp a ours/a
	only_deviation cap-prefix
	# Changed, and removed again: the receiver never got it, so only our stream can be checked.
	setfattr -n security.cap -v changed s/f
	snapshot b
	streams -p a b
	btrfs -q receive -f "$FIX/ours" ours
	treecmp b ours/b
	only_deviation cap-prefix
}

@test "deviation: update-extent-32bit: native truncates the size of a hole to 32 bits" {
	local offset

	truncate -s 6G s/f
	for offset in 0 3221225472 5905580032; do
		python3 -c 'import os, sys
os.pwrite(os.open("s/f", os.O_WRONLY), bytes([1]) * 4096, int(sys.argv[1]))' $offset
	done
	snapshot a
	fallocate -p -o 3221225472 -l 4096 s/f
	snapshot b
	streams --no-data -p a b
	run streamcmp --list "$FIX/native"
	assert_output --partial "offset=4096 size=1610608640"
	run streamcmp --list "$FIX/ours"
	assert_output --partial "offset=4096 size=5905575936"
	only_deviation update-extent-32bit
}

@test "deviation: stale-name: native uses the path of a directory that it has just renamed" {
	mkdir s/ab s/xx
	touch s/b0 s/c0
	mkdir s/xx/yold
	mv s/ab s/xx/yold/ab
	snapshot a
	chmod 700 s/xx/yold/ab
	mv s/xx/yold s/ynew
	ln s/c0 s/ynew/ab/c1
	mv s/c0 s/xx/yold
	mv s/b0 s/c0
	snapshot b
	streams -p a b
	run receive "$FIX/native" native a
	assert_failure
	assert_output --partial "xx/yold/ab/c1 failed: No such file or directory"
	receive "$FIX/ours" ours a
	treecmp b ours/b
	only_deviation stale-name
}

@test "deviation: nested-subvolume: native keeps a deleted directory" {
	local i

	# Native confuses ids of subvolumes with inode numbers, so they must be higher.
	for ((i = 0; i < 20; i++)); do
		btrfs -q subvolume create "other$i"
	done
	mkdir -p s/dir s/up/below s/empty
	btrfs -q subvolume create s/dir/nest
	btrfs -q subvolume create s/empty/nest
	btrfs -q subvolume create s/up/below/nest
	touch s/dir/file s/up/file s/stays
	snapshot a
	btrfs -q subvolume delete s/dir/nest s/empty/nest s/up/below/nest
	rm -r s/dir s/empty s/up
	snapshot b
	streams -p a b
	receive "$FIX/native" native a
	run treecmp b native/b
	assert_failure 1
	assert [ "$(find native/b -name 'o*-*-0' | wc -l)" -eq 3 ]
	receive "$FIX/ours" ours a
	treecmp --any-root-times b ours/b
	only_deviation nested-subvolume
}

# Moves found by shuffling directories at random, then reduced while native fails: a directory must
# wait whose new parent does not exist in the parent snapshot.
shuffle()
{
	cd s || return
	mkdir a
	mkdir a/f
	mkdir b
	mv a/f b/d
	mv a b/e
	mkdir d
	mkdir a
	mv a b/d/b
	mv b/d d/d
	mv d b/e/d
	mkdir b/c
	mkdir b/e/d/d/b/e
	mkdir b/e/d/d/b/e/h
	mkdir b/c/e
	mv b/c e
	mv b/e e/e/g
	cd ..
	snapshot a
	cd s || return
	mv b e/e/e
	mv e/e/e e/e/g/e
	mv e/e/g/d e/e/d
	mv e/e/d/d e/e/g/e/f
	mv e/e/g/e/f/b/e/h e/e/g/e/f/a
	mv e/e/g/e e/e/g/g
	mv e/e/g/g/f/a e/e/d/d
	mv e/e/d g
	mv e/e/g/g g/d/d
	rmdir e/e/g
	mv e/e f
	cd ..
	snapshot b
}

# ioctl_send PARENT SUBVOL OUT: without the pipe in which btrfs send loses the data before a
# failure.
ioctl_send()
{
	python3 - "$(btrfs inspect-internal rootid "$1")" "$2" "$3" <<-'END'
	import ctypes, fcntl, os, struct, sys
	parent = int(sys.argv[1])
	sources = ctypes.create_string_buffer(struct.pack("<Q", parent))
	out = os.open(sys.argv[3], os.O_WRONLY | os.O_CREAT, 0o600)
	fcntl.ioctl(os.open(sys.argv[2], os.O_RDONLY), 0x40489426,
	            struct.pack("<qQQQQI28x", out, 1, ctypes.addressof(sources), parent, 0, 0))
	END
}

@test "deviation: loop-test: native fails midway" {
	shuffle
	run btrfs send -q -p b a -f "$FIX/lost"
	assert_failure
	assert_output --partial "No such file or directory"
	run ioctl_send b a "$FIX/native"
	assert_failure
	assert_output --partial "No such file or directory"
	send_direct "$FIX/ours" -p b a
	send_direct "$FIX/step" --step -p b a
	cmp "$FIX/step" "$FIX/ours"
	receive "$FIX/ours" ours b
	treecmp a ours/a
	only_deviation loop-test
}

# siblings WHAT...: the snapshots l and r of two containers from one image, changed in one
# transaction. INODE_ITEMs of inodes made within one tick of the clock are equal too.
siblings()
{
	cd / || return
	fixture_umount
	fixture_mount commit=300
	cd "$FIX_MOUNT" || return
	mkdir s/old s/other
	PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/test/lib/siblings.py" s left right "$@"
	btrfs filesystem sync .
	btrfs -q subvolume snapshot -r left l
	btrfs -q subvolume snapshot -r right r
	cd / || return
	fixture_umount
	python3 "$ROOT/test/lib/patch.py" "${FIX_IMAGES# }" same-inode-items
	fixture_mount commit=300
	cd "$FIX_MOUNT" || return
}

@test "deviation: sibling-inode: native writes through a symlink of the parent" {
	echo untouched >victim
	siblings through "$FIX_MOUNT/victim"
	streams -p l r
	receive "$FIX/ours" ours l
	treecmp r ours/r
	assert_equal "$(cat victim)" untouched
	receive "$FIX/native" native l
	run treecmp r native/r
	assert_failure 1
	assert_equal "$(cat victim)" "contents of the file"
}

@test "deviation: sibling-inode: native keeps the parent's contents under equal INODE_ITEMs" {
	local name

	siblings contents
	streams -p l r
	receive "$FIX/ours" ours l
	treecmp r ours/r
	# There is no error, but the contents are the parent's.
	receive "$FIX/native" native l
	cmp l/small native/r/small
	cmp l/large native/r/large
	assert_equal "$(readlink native/r/link)" "$(readlink l/link)"
	for name in small large; do
		run cmp r/$name native/r/$name
		assert_failure
	done
}

@test "deviation: sibling-inode: native fails on other names under equal INODE_ITEMs" {
	siblings twins
	run btrfs send -q -p l r -f "$FIX/native"
	assert_failure
	assert_output --partial "Input/output error"
	send_direct "$FIX/ours" -p l r
	receive "$FIX/ours" ours l
	treecmp r ours/r
}

@test "deviation: no-uuid-source: native's clone source is another subvolume for the receiver" {
	local ids

	btrfs -q subvolume create t
	head -c 1M /dev/urandom >t/g
	head -c 1M /dev/urandom >s/g
	btrfs -q subvolume snapshot -r t c
	snapshot a
	cp --reflink=always t/g s/z
	snapshot b
	ids="$(btrfs inspect-internal rootid b) $(btrfs inspect-internal rootid c)"
	cd / || return
	fixture_umount
	# shellcheck disable=SC2086
	python3 "$ROOT/test/lib/patch.py" "${FIX_IMAGES# }" no-uuid $ids
	fixture_mount
	cd "$FIX_MOUNT" || return
	streams -p a -c c b
	receive "$FIX/ours" ours a
	treecmp b ours/b
	receive "$FIX/native" native a
	# It cloned from b/g instead of c/g.
	cmp native/b/z b/g
	run cmp native/b/z b/z
	assert_failure
}
