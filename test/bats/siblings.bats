#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots of two containers of one image, which were changed in one transaction, as each other's
# parent: inode numbers and generations are equal, what stands under them is not.
#
# SIBLINGS_SEEDS: for how many seeds trees are shuffled.

load ../lib/suite

setup()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 1G
	# What is to be one transaction must not be committed in between.
	fixture_mount commit=300
	cd "$FIX_MOUNT" || return 1
}

teardown()
{
	cd / || return 1
	fixture_end
}

# siblings WHAT...: subvolumes left and right, and their snapshots l and r.
siblings()
{
	btrfs -q subvolume create image
	mkdir -p image/old/deep/deeper image/other
	touch image/old/f image/old/deep/g image/h
	PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/test/lib/siblings.py" image left right "$@"
	# A snapshot commits: the contents of both are to be written in one transaction too.
	btrfs filesystem sync .
	btrfs -q subvolume snapshot -r left l
	btrfs -q subvolume snapshot -r right r
}

# The same INODE_ITEMs wherever only times, sizes, owners and modes tell.
same_inode_items()
{
	cd / || return
	fixture_umount
	python3 "$ROOT/test/lib/patch.py" "${FIX_IMAGES# }" same-inode-items
	fixture_mount commit=300
	cd "$FIX_MOUNT" || return
}

# arrives PARENT SNAPSHOT: whole and stopped at every command, in both protocols, and received.
arrives()
{
	local protocol

	[ -e received ] || mkdir received
	[ -e "received/$1" ] || btrfs send -q "$1" | btrfs -q receive received
	for protocol in 1 2; do
		send_direct "$FIX/ours" --proto $protocol -p "$1" "$2"
		send_direct "$FIX/step" --proto $protocol --step -p "$1" "$2"
		cmp "$FIX/step" "$FIX/ours"
		mkdir again
		btrfs -q receive -f "$FIX/ours" again
		treecmp --any-root-times "$2" "again/$2"
		btrfs -q subvolume delete "again/$2" >/dev/null
		rmdir again
	done
}

@test "siblings: every kind of thing in place of every other one" {
	siblings pairs
	arrives l r
	arrives r l
}

@test "siblings: things that differ in nothing that their INODE_ITEM says" {
	siblings twins
	same_inode_items
	arrives l r
	arrives r l
}

@test "siblings: moved, linked and removed at random" {
	local seed

	for ((seed = 1; seed <= ${SIBLINGS_SEEDS:-8}; seed++)); do
		echo "seed $seed"
		siblings random $seed
		((seed % 2)) || same_inode_items
		arrives l r
		arrives r l
		btrfs -q subvolume delete image left right l r received/* >/dev/null
	done
}
