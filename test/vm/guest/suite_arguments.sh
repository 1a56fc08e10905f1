# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Errors of callers: every argument, memory of every type, checkpoints, permissions.

modprobe sendcp
disk_mount plain
disk_mount zstd
program "arguments" ioctltest arguments /mnt/plain/s.ro /mnt/plain/a /mnt/plain/work /mnt/zstd/b
read -r LENGTH DIGEST < <(case_digest plain "--proto 1 s.ro")
program "memory" ioctltest memory "$LENGTH" "$DIGEST" /mnt/plain/s.ro /tmp
program "checkpoints" ioctltest checkpoints /mnt/plain/a /mnt/plain/b
read -r LENGTH DIGEST < <(case_digest plain "--no-data -p a b")
program "room" ioctltest room "$LENGTH" "$DIGEST" --no-data -p /mnt/plain/a /mnt/plain/b
read -r LENGTH DIGEST < <(case_digest plain "--proto 1 -p a b")
program "room, with data" ioctltest room "$LENGTH" "$DIGEST" -p /mnt/plain/a /mnt/plain/b
program "privilege" ioctltest privilege /mnt/plain/s.ro
disk_umount zstd
disk_umount plain
