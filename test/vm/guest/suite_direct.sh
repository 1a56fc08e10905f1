# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The direct backend, without the module: every case must have the digest of the image backend on
# the host.

stream_is()
{
	local length=$1 digest=$2

	shift 2
	sendcp send -q --backend direct "$@" >/tmp/stream || return
	[ "$(stat -c %s /tmp/stream)" = "$length" ] || { echo "$(stat -c %s /tmp/stream) bytes"; return 1; }
	[ "$(xxh128sum </tmp/stream | cut -d ' ' -f 1)" = "$digest" ]
}

direct_case()
{
	check "direct host, $DISK: ${*:3}" stream_is "$@"
}

for DISK in $(disk_names); do
	check "mount $DISK" disk_mount "$DISK"
	each_case "$DISK" direct_case
	check "unmount $DISK" disk_umount "$DISK"
done
rm -f /tmp/stream
