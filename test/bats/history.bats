#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Random histories, compared with native streams byte for byte; and hand-made cases of their
# findings.

load ../lib/suite

setup()
{
	require_mount
	require_program python3
}

teardown()
{
	fixture_end
}

# histories FIRST LAST: with all profiles; see test/history.sh.
histories()
{
	run "$ROOT/test/history.sh" "$1" "$2" 30
	echo "$output"
	assert_success
}

make_subvolume()
{
	fixture_begin
	fixture_mkfs 1 512M
	fixture_mount "$@"
	cd "$FIX_MOUNT" || return 1
	btrfs -q subvolume create s
	cd s || return 1
}

snapshot()
{
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/$1"
}

# send_both [OPTIONS] -p PARENT SNAPSHOT: makes $FIX/ours and $FIX/native, which may fail.
send_both()
{
	cd "$FIX_MOUNT" || return 1
	btrfs filesystem sync .
	native_send "$FIX/native" "$@" || true
	send_direct "$FIX/ours" "$@"
	"$SENDCP" send -q --step "$@" | cmp - "$FIX/ours"
}

# arrives STREAM PARENT SNAPSHOT
arrives()
{
	rm -rf received
	mkdir received
	send_direct "$FIX/full" "$2"
	btrfs -q receive -f "$FIX/full" received && btrfs -q receive -f "$1" received &&
		treecmp "$3" "received/$3"
}

# ours_arrives [OPTIONS] -p PARENT SNAPSHOT: our stream is received correctly, the native one is
# not.
ours_arrives()
{
	send_both "$@"
	arrives "$FIX/ours" "${@: -2}"
	btrfs -q subvolume delete received/* >/dev/null
	run arrives "$FIX/native" "${@: -2}"
	assert_failure
	run streamcmp "$FIX/ours" "$FIX/native"
	assert_failure 1
}

@test "history: seeds 1 to 12" {
	histories 1 12
}

@test "history: seeds 13 to 24" {
	histories 13 24
}

@test "history: seeds 25 to 36" {
	histories 25 36
}

@test "history: seeds 37 to 48" {
	histories 37 48
}

# A directory's name is taken by a file, and an earlier file's name in it, too.
take_both_names()
{
	touch g f
	mkdir D
	touch D/d
	mkdir top
	mv D top/i
	"$@"
	snapshot a
	mv top/i/d away
	mv top/i i2
	ln f i2/d
	ln f top/i
	chmod 600 g i2/g 2>/dev/null || true
	snapshot b
}

@test "history: a directory keeps its name until it is moved, path in the cache" {
	make_subvolume
	take_both_names mv g top/i/g
	send_both -p a b
	assert cmp "$FIX/ours" "$FIX/native"
	arrives "$FIX/ours" a b
}

@test "history: a directory keeps its name until it is moved, path not in the cache" {
	make_subvolume
	take_both_names true
	ours_arrives -p a b
}

@test "history: a delayed move out of a directory whose inode number is used again" {
	make_subvolume
	mkdir p m y d
	mv m d/m
	snapshot a
	mv y p/y
	mv d/m p/y/m
	rmdir d
	cd /
	fixture_umount
	fixture_mount
	cd "$FIX_MOUNT/s"
	mkdir d2
	touch d2/f
	snapshot b
	assert_equal "$(stat -c %i ../a/d)" "$(stat -c %i ../b/d2)"
	ours_arrives -p a b
}

@test "history: from a truncated file to the older, longer one" {
	make_subvolume
	head -c 4096 /dev/urandom >c
	head -c 50000 /dev/urandom >d
	snapshot a
	truncate -s 3255 c
	truncate -s 49300 d
	snapshot b
	ours_arrives -p b a
	btrfs -q subvolume delete received/* >/dev/null
	ours_arrives --proto 2 --compressed-data -p b a
}

@test "history: an inline extent before others, encoded, where the parent had data" {
	make_subvolume compress-force=zstd,max_inline=3900
	head -c 122880 /dev/urandom >r
	head -c 130000 /dev/urandom >e
	snapshot a
	truncate -s 0 e
	head -c 3367 /dev/zero | tr '\0' a >e
	sync -f e
	python3 -c 'import sys
sys.path.insert(0, sys.argv[1])
import btrfsops
btrfsops.reflink("r", 0, 122880, "e", 4096)' "$ROOT/test/lib"
	snapshot b
	ours_arrives --proto 2 --compressed-data -p a b
}
