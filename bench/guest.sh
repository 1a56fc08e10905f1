# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Native `btrfs send` and the module in turn, in a guest (make bench-vm): large files and small
# files, cold and warm. Guests are emulated, so only the ratios mean something.

set -euo pipefail
source /guest/lib.sh
MIB=256
FILES=2
SMALL=4000
ROUNDS=5

modprobe sendcp
mkfs.btrfs -q "$(disk_devices scratch)" >/dev/null
disk_mount scratch rw
cd /mnt/scratch
for name in large small; do
	btrfs -q subvolume create "$name"
done
/guest/populate large large $MIB $FILES
/guest/populate small small $SMALL
for name in large small; do
	btrfs -q subvolume snapshot -r "$name" "$name.ro"
done
sync

# seconds CACHE COMMAND...: the duration of one run, its output read from a pipe and discarded.
seconds()
{
	local cache=$1 line

	shift
	[ "$cache" = warm ] || echo 3 >/proc/sys/vm/drop_caches
	line=$(/guest/measure "$@" 2>/tmp/stderr)
	[ "${line##* }" = 0 ] || { cat /tmp/stderr; return 1; }
	echo "${line%% *}"
}

echo "kernel $(uname -r): seconds of native, of the module, ratio"
for name in large small; do
	for cache in cold warm; do
		for ((round = 1; round <= ROUNDS; round++)); do
			native=$(seconds $cache btrfs send -q "$name.ro")
			module=$(seconds $cache sendcp send -q --backend module "$name.ro")
			awk -v what="$name $cache" -v n="$native" -v m="$module" \
				'BEGIN { printf "%-12s %8.3f %8.3f %6.2f\n", what, n, m, m / n }'
		done
	done
done
