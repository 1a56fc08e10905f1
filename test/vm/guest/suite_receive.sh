# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A stream made in pieces: btrfs receive accepts it, and the result is equal to the source.

# With many signals, so that the ioctl is called again hundreds of times.
send_in_pieces()
{
	ioctltest pieces "$@"
}

fresh_scratch()
{
	local device

	device=$(disk_devices scratch)
	mkfs.btrfs -q -f "$device" && disk_mount scratch rw
}

arrives()
{
	local name=$1

	shift
	send_in_pieces "$@" >/tmp/stream || return
	btrfs -q receive -f /tmp/stream /mnt/scratch || return
	treecmp "/mnt/plain/$name" "/mnt/scratch/$name"
}

# Checks that treecmp reports a difference.
difference_is_seen()
{
	btrfs property set -f "/mnt/scratch/$1" ro false
	touch "/mnt/scratch/$1/new"
	! treecmp "/mnt/plain/$1" "/mnt/scratch/$1"
}

modprobe sendcp
disk_mount plain
check "an empty filesystem to receive on" fresh_scratch
check "received: everything" arrives s.ro /mnt/plain/s.ro
check "received: a random tree" arrives a /mnt/plain/a
check "received: its successor, incrementally" arrives b -p /mnt/plain/a /mnt/plain/b
check "the comparison sees a difference" difference_is_seen s.ro
rm -f /tmp/stream
disk_umount scratch
disk_umount plain
