# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A 32-bit program: the same structs, through the compat ioctls.

# If such programs cannot run here, all other tests of the suite fail too.
runs_here()
{
	ioctltest32 >/dev/null 2>/tmp/stderr
	[ $? = 2 ] && return
	echo "this kernel does not run 32-bit programs (CONFIG_IA32_EMULATION, ia32_emulation=on)"
	return 1
}

compat_case()
{
	lacks_parent "$@" || program "32 bits: ${*:3}" ioctltest32 case send,small,file,pipe "$@"
}

modprobe sendcp
check "compat: 32-bit programs run" runs_here
disk_mount plain
disk_mount zstd
program "arguments, 32 bits" ioctltest32 arguments /mnt/plain/s.ro /mnt/plain/a /mnt/plain/work /mnt/zstd/b
program "checkpoints, 32 bits" ioctltest32 checkpoints /mnt/plain/a /mnt/plain/b
read -r LENGTH DIGEST < <(case_digest plain "--proto 1 s.ro")
program "memory, 32 bits" ioctltest32 memory "$LENGTH" "$DIGEST" /mnt/plain/s.ro /tmp
read -r LENGTH DIGEST < <(case_digest plain "--proto 1 -p a b")
program "room, 32 bits" ioctltest32 room "$LENGTH" "$DIGEST" -p /mnt/plain/a /mnt/plain/b
disk_umount zstd
each_case plain compat_case
disk_umount plain
