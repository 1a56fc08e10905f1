#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the committed images again, with the digests of the native streams of their snapshots. Needs
# root, loop devices, and a kernel whose send is that of 6.18.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source "$here/../lib/fixture.bash"
fixture_trap
fixture_begin

# image NAME COUNT SIZE MOUNT-OPTIONS [MKFS-OPTIONS...]
image()
{
	local name=$1 count=$2 size=$3 options=$4 i variant

	shift 4
	fixture_mkfs "$count" "$size" "$@"
	fixture_mount "$options"
	fixture_everything --light --image
	btrfs -q subvolume delete -c "$FIX_MOUNT/s/nested/sub" "$FIX_MOUNT/s/nested/dir/sub"
	for variant in "--proto 1" "--proto 2" "--proto 2 --compressed-data" "--no-data"; do
		# shellcheck disable=SC2086
		native_send "$FIX/native" $variant "$FIX_MOUNT/s.ro"
		printf '%s|%d|%s|%s|%s\n' "$name" "$count" "$variant" \
			"$(sha256sum <"$FIX/native" | cut -d ' ' -f 1)" "$(stat -c %s "$FIX/native")" \
			>>"$here/digests"
	done
	fixture_umount
	i=0
	for file in $FIX_IMAGES; do
		zstd -q -f --ultra -22 --long=27 "$file" -o "$here/$name.$i.img.zst"
		i=$((i + 1))
	done
	fixture_detach
}

rm -f "$here"/*.img.zst
echo "# image|devices|options|sha256 of the native stream of s.ro|its size (Linux $(uname -r | cut -d - -f 1))" \
	>"$here/digests"
image plain 1 160M ""
image small-nodes 1 256M compress-force=zstd -n 4096 -O ^no-holes --csum xxhash -m single
image raid5 3 160M compress=lzo -m raid5 -d raid5 --csum blake2
image raid1 2 192M compress-force=zlib -m raid1 -d raid1 -n 65536 --csum sha256
ls -l "$here"
