#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The cost of an incremental send depends on the changes, not on the size of the tree. Tree blocks
# are counted, nothing is timed.
#
# COST_FILES: number of files in the larger tree.

load ../lib/suite

FILES=${COST_FILES:-60000}

setup_file()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 3G -n 16384
	fixture_mount
	# At most half as many files, but enough for a tree of the same height: one level more would
	# make every search longer.
	make_tree small 30000
	make_tree large "$FILES"
}

teardown_file()
{
	fixture_end
}

# make_tree NAME FILES: that many empty files, 1000 in a directory, and the snapshot NAME.ro.
make_tree()
{
	btrfs -q subvolume create "$FIX_MOUNT/$1"
	python3 - "$FIX_MOUNT/$1" "$2" <<-'END'
	import os, sys
	for n in range(int(sys.argv[2])):
	    if n % 1000 == 0:
	        os.mkdir("%s/d%d" % (sys.argv[1], n // 1000))
	    os.close(os.open("%s/d%d/f%d" % (sys.argv[1], n // 1000, n), os.O_CREAT | os.O_WRONLY))
	END
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/$1" "$FIX_MOUNT/$1.ro"
}

# changed NAME COUNT: the snapshot NAME.COUNT, with COUNT files changed, each in a leaf of its own.
changed()
{
	btrfs -q subvolume snapshot "$FIX_MOUNT/$1.ro" "$FIX_MOUNT/rw"
	python3 - "$FIX_MOUNT/rw" "$2" <<-'END'
	import os, sys
	paths = sorted(os.path.join(d, f) for d, _, fs in os.walk(sys.argv[1]) for f in fs)
	count = int(sys.argv[2])
	for i in range(count):
	    path = paths[(2 * i + 1) * len(paths) // (2 * count)]
	    if i % 2:
	        os.chmod(path, 0o640)
	    else:
	        with open(path, "w") as f:
	            f.write("changed")
	END
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/rw" "$FIX_MOUNT/$1.$2"
	btrfs -q subvolume delete "$FIX_MOUNT/rw"
}

# blocks [OPTIONS] SUBVOL: sets LOOKED_UP and READ to the numbers of tree blocks of that send.
blocks()
{
	"$SENDCP" send -v "$@" 2>"$FIX/err" >"$FIX/stream"
	read -r LOOKED_UP READ < <(sed -n \
		's/.*tree blocks: \([0-9]*\) looked up, \([0-9]*\) read.*/\1 \2/p' "$FIX/err")
	echo "$*: $LOOKED_UP looked up, $READ read"
}

# A change makes one leaf differ between the trees, and may split it; with its share of the nodes
# above, and the directory's leaf, that is less than 8 blocks. A leaf of 16 KiB has less than 75
# inodes, for which directories are looked up in both trees, at most 4 blocks deep.
@test "cost: 20 changes in a large tree, and 40 cost twice that" {
	local whole twenty twenty_looked_up

	changed large 20
	changed large 40
	blocks "$FIX_MOUNT/large.20"
	whole=$READ
	blocks -p "$FIX_MOUNT/large.ro" "$FIX_MOUNT/large.20"
	twenty=$READ twenty_looked_up=$LOOKED_UP
	native_send "$FIX/native" -p "$FIX_MOUNT/large.ro" "$FIX_MOUNT/large.20"
	same_as_native "$FIX/stream" "$FIX/native"
	blocks -p "$FIX_MOUNT/large.ro" "$FIX_MOUNT/large.40"
	assert [ "$twenty" -le $((20 * 8 + 40)) ]
	assert [ "$twenty_looked_up" -le $((20 * 75 * 9)) ]
	assert [ "$twenty" -lt $((whole / 5)) ]
	assert [ "$READ" -le $((twenty * 5 / 2)) ]
	assert [ "$LOOKED_UP" -le $((twenty_looked_up * 5 / 2)) ]
	assert [ "$READ" -ge $((twenty * 3 / 2)) ]
}

@test "cost: the same number of changes costs the same in a smaller tree" {
	local large large_looked_up

	blocks -p "$FIX_MOUNT/large.ro" "$FIX_MOUNT/large.20"
	large=$READ large_looked_up=$LOOKED_UP
	changed small 20
	blocks -p "$FIX_MOUNT/small.ro" "$FIX_MOUNT/small.20"
	assert [ "$large" -le $((READ * 3 / 2)) ]
	assert [ "$large_looked_up" -le $((LOOKED_UP * 3 / 2)) ]
}

@test "cost: no changes" {
	blocks -p "$FIX_MOUNT/large.ro" "$FIX_MOUNT/large.ro"
	assert [ "$LOOKED_UP" -le 20 ]
}
