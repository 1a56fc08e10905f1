#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the images in this folder again: make.sh tiny|links|changes|moves FILE.img.zst (root, loop
# devices).
#
# An image contains the subvolume base, its read-only snapshot "snap", and the read-only snapshot
# "older", made before the last files were changed, as a clone source.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
kind=$1
output=$2
work=$(mktemp -d)
device=

clear_away()
{
	mountpoint -q "$work/mnt" && umount "$work/mnt"
	[ -z "$device" ] || losetup -d "$device"
	rm -rf --one-file-system "$work"
}
trap clear_away EXIT

truncate -s 128M "$work/img"
mkfs.btrfs -q -n 4096 -d single -m single "$work/img" 2>/dev/null
device=$(losetup -f --show "$work/img")
mkdir "$work/mnt"
mount -t btrfs -o noatime,max_inline=2048 "$device" "$work/mnt"
btrfs -q subvolume create "$work/mnt/base"
python3 "$here/make.py" "$kind" "$work/mnt/base"
btrfs -q subvolume snapshot -r "$work/mnt/base" "$work/mnt/older"
case $kind in changes | moves) python3 "$here/make.py" "$kind-later" "$work/mnt/base" ;; esac
echo changed > "$work/mnt/base/changed"
btrfs -q subvolume create "$work/mnt/base/nested"
btrfs -q subvolume snapshot -r "$work/mnt/base" "$work/mnt/snap"
sync -f "$work/mnt"
umount "$work/mnt"
# Old copies of tree blocks would only make the file larger.
mount -t btrfs "$device" "$work/mnt"
fstrim "$work/mnt"
umount "$work/mnt"
losetup -d "$device"
device=
zstd -q -19 -f "$work/img" -o "$output"
