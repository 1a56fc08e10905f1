# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Streams while the filesystem is written to and balanced, and snapshots are made and deleted.
# Without shared extents the bytes stay the same; otherwise clones depend on the changes, but the
# stream must be received correctly.

# Makes, syncs and removes files as fast as it can, until /tmp/stop exists.
write_beside()
{
	local i

	for ((i = 0; ; i++)); do
		[ ! -e /tmp/stop ] || break
		dd if=/dev/urandom of="/mnt/$DISK/beside$((i % 20))" bs=64k count=4 conv=fsync 2>/dev/null
		rm -f "/mnt/$DISK/beside$(((i + 7) % 20))"
	done
	echo "$i" >/tmp/written
}

# Counts the balances that succeed; one may fail for lack of space.
balance_beside()
{
	local i=0

	while [ ! -e /tmp/stop ]; do
		btrfs balance start -m "/mnt/$DISK" >/dev/null && i=$((i + 1)) || sleep 0.1
	done
	echo "$i" >/tmp/balanced
}

snapshots_beside()
{
	local i=0

	while [ ! -e /tmp/stop ]; do
		btrfs -q subvolume snapshot "/mnt/$DISK/b" "/mnt/$DISK/beside.snapshot" &&
			btrfs -q subvolume delete "/mnt/$DISK/beside.snapshot" && i=$((i + 1)) || {
			btrfs -q subvolume delete "/mnt/$DISK/beside.snapshot"
			sleep 0.1
		}
		sync -f "/mnt/$DISK"
	done
	echo "$i" >/tmp/snapshots
}

more_than()
{
	[ "$(cat "$1")" -gt "$2" ] || { cat "$1"; return 1; }
}

begin_busy()
{
	DISK=$1
	rm -f /tmp/stop /tmp/written /tmp/balanced /tmp/snapshots
	disk_mount "$DISK" rw
	write_beside &
	balance_beside &
	snapshots_beside &
}

end_busy()
{
	touch /tmp/stop
	# shellcheck disable=SC2046
	wait $(jobs -p | grep -vx "$LOG_READER")
	check "busy, $DISK: it was written to" more_than /tmp/written 5
	check "busy, $DISK: it was balanced" more_than /tmp/balanced 1
	check "busy, $DISK: snapshots came and went" more_than /tmp/snapshots 3
	check "busy, $DISK: unmount" disk_umount "$DISK"
}

arrives()
{
	local name=$1

	shift
	ioctltest pieces "$@" >/tmp/stream && btrfs -q receive -f /tmp/stream /mnt/scratch &&
		treecmp "/mnt/$DISK/$name" "/mnt/scratch/$name"
}

# same_bytes WAY OPTIONS [-p PARENT] SNAPSHOT: as named in the manifest
same_bytes()
{
	local way=$1 options=$2

	shift 2
	read -r LENGTH DIGEST < <(case_digest unshared "$options $*")
	# shellcheck disable=SC2046,SC2086
	program "busy, $way: $options $*" ioctltest case "$way" "$LENGTH" "$DIGEST" $options \
		$(for word; do case $word in -*) echo "$word" ;; *) echo "/mnt/unshared/$word" ;; esac; done)
}

modprobe sendcp
begin_busy unshared
same_bytes small "--proto 1" b
same_bytes pipe "--proto 1" -p a b
same_bytes small "--proto 2" -p a b
same_bytes commands "--no-data" -p a b
end_busy
mkfs.btrfs -q -f "$(disk_devices scratch)"
disk_mount scratch rw
begin_busy plain
check "busy: everything arrives" arrives s.ro /mnt/plain/s.ro
check "busy: a random tree arrives" arrives a /mnt/plain/a
check "busy: its successor arrives" arrives b -p /mnt/plain/a /mnt/plain/b
end_busy
rm -f /tmp/stream
disk_umount scratch
