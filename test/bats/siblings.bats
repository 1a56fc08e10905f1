#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots of two containers from one image, changed in one transaction, as each other's parent:
# equal inode numbers and generations, different inodes.
#
# SIBLINGS_SEEDS: number of seeds for random trees.

load ../lib/suite

setup()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 1G
	# No commit may split the changes into two transactions.
	fixture_mount commit=300
	cd "$FIX_MOUNT" || return 1
}

teardown()
{
	cd / || return 1
	fixture_end
}

# siblings WHAT...: makes the subvolumes left and right, and their snapshots l and r.
siblings()
{
	btrfs -q subvolume create image
	mkdir -p image/old/deep/deeper image/other
	touch image/old/f image/old/deep/g image/h
	PYTHONDONTWRITEBYTECODE=1 python3 "$ROOT/test/lib/siblings.py" image left right "$@"
	# A snapshot commits: the contents of both must be written in one transaction too.
	btrfs filesystem sync .
	btrfs -q subvolume snapshot -r left l
	btrfs -q subvolume snapshot -r right r
}

# Makes INODE_ITEMs equal, except for times, sizes, owners and modes.
same_inode_items()
{
	cd / || return
	fixture_umount
	python3 "$ROOT/test/lib/patch.py" "${FIX_IMAGES# }" same-inode-items
	fixture_mount commit=300
	cd "$FIX_MOUNT" || return
}

# arrives PARENT SNAPSHOT: whole and re-armed at every command, in both protocols, and received.
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

@test "siblings: every type of inode in place of every other" {
	siblings pairs
	arrives l r
	arrives r l
}

@test "siblings: inodes with equal INODE_ITEMs" {
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
