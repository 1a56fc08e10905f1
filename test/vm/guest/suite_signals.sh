# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Signals, kill -9, several users at once, unmounting.

modprobe sendcp
disk_mount plain
read -r LENGTH DIGEST < <(case_digest plain "--proto 1 s.ro")
program "signals" ioctltest signals "$LENGTH" "$DIGEST" /mnt/plain/s.ro
program "sharing" ioctltest sharing "$LENGTH" "$DIGEST" /mnt/plain/s.ro
read -r LENGTH DIGEST < <(case_digest plain "--proto 1 -p a b")
program "signals, incremental" ioctltest signals "$LENGTH" "$DIGEST" -p /mnt/plain/a /mnt/plain/b
disk_umount plain
disk_mount slow
check "signals: room for output" mkfs.btrfs -q -f "$(disk_devices scratch)"
check "signals: mount it" disk_mount scratch rw
program "kill" ioctltest kill /mnt/slow/s.ro /mnt/scratch
disk_umount scratch
disk_umount slow
program "unmount" ioctltest unmount "$(disk_devices slow)" s.ro
