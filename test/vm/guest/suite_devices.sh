# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Filesystems on several devices: passed by the caller, removed by btrfs, unplugged.

stream_digest()
{
	ioctltest stream "$@" | xxh128sum | cut -d ' ' -f 1
}

same_digest()
{
	[ "$(stream_digest /mnt/unshared/b)" = "$DIGEST" ]
}

# Midway, the data is moved to a device that was not part of the filesystem when the stream began.
moves_away()
{
	local first spare

	first=$(disk_devices unshared | head -1)
	spare=$(disk_devices scratch)
	ioctltest stream /mnt/unshared/b | {
		dd bs=64k count=3 iflag=fullblock 2>/dev/null
		btrfs -q device add -f "$spare" /mnt/unshared >&2 &&
			btrfs device remove "$first" /mnt/unshared >&2 || echo failed
		cat
	} | xxh128sum | cut -d ' ' -f 1 >/tmp/digest
	echo "$(cat /tmp/digest), expected $DIGEST"
	[ "$(cat /tmp/digest)" = "$DIGEST" ]
}

# Unplugs a device from the running system.
pull_out()
{
	local name

	name=$(basename "$1")
	echo 1 >"$(readlink -f "/sys/block/$name/device/..")/remove"
	[ ! -e "/sys/block/$name" ]
}

modprobe sendcp
read -r LENGTH DIGEST < <(case_digest unshared "--proto 1 b")
disk_mount unshared
program "devices" ioctltest devices "$LENGTH" "$DIGEST" /mnt/unshared/b
disk_umount unshared
disk_mount unshared rw
check "devices: the data moves to another device in mid-stream" moves_away
# Where a block was before the move, the device that stays may hold something else already; the one
# that was removed still has it.
log_expect '^sendcp: block [0-9]+: tree block checksum does not match; another copy is good'
check "devices: the same bytes from the new device" same_digest
log_expect '^BTRFS (error|warning)|^Buffer I/O error|^I/O error|lost page write|^blk_update_request'
log_expect 'attempt to access beyond end of device'
# A slow kernel suppresses some of these.
log_expect '^(bio_check_eod|btrfs_dev_stat_(inc|print)[a-z_]*): [0-9]+ callbacks suppressed'
check "devices: one of the two is pulled out" pull_out "$(disk_devices unshared | tail -1)"
echo 3 >/proc/sys/vm/drop_caches
check "devices: the same bytes from the one that is left" same_digest
check "devices: unmount" disk_umount unshared
