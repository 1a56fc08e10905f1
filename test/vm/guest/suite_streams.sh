# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Streams by ioctl, with every kind of output, are the bytes of the other backends.

stream_case()
{
	local length=$1 ways=$WAYS

	lacks_parent "$@" && return
	# A new open file and engine for each command take long.
	[ "$length" -gt 200000 ] || ways+=,commands
	program "$DISK: ${*:3}" ioctltest case "$ways" "$@"
}

modprobe sendcp
for DISK in $(disk_names); do
	case $DISK in
	plain) WAYS=send,small,unaligned,file,pipe,socket,nonblocking ;;
	history*) WAYS=send,nonblocking ;;
	*) WAYS=send,file,pipe ;;
	esac
	check "mount $DISK" disk_mount "$DISK"
	each_case "$DISK" stream_case
	check "unmount $DISK" disk_umount "$DISK"
done
disk_mount plain
program "split, protocol 1" ioctltest split /mnt/plain/s.ro
program "split, protocol 2" ioctltest split --proto 2 /mnt/plain/s.ro
check "room for output" mkfs.btrfs -q -f "$(disk_devices scratch)"
check "mount it" disk_mount scratch rw
read -r LENGTH DIGEST < <(case_digest plain "--proto 1 -p a b")
program "outputs" ioctltest outputs "$LENGTH" "$DIGEST" /mnt/scratch -p /mnt/plain/a /mnt/plain/b
check "unmount it" disk_umount scratch
disk_umount plain
