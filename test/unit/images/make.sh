#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the images in this folder again: make.sh tiny|links|changes|moves|small|few
# FILE.img.zst [PROFILE] (root, loop devices).
#
# An image contains the subvolume base, its read-only snapshot "snap", and the read-only snapshot
# "older", made before the last files were changed, as a clone source. PROFILE is single (default),
# dup, mixed (mixed block groups), or raid1: of two devices, the second in FILE.1.img.zst.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
kind=$1
output=$2
profile=${3:-single}
work=$(mktemp -d)
devices=()

clear_away()
{
	mountpoint -q "$work/mnt" && umount "$work/mnt"
	[ ${#devices[@]} -eq 0 ] || losetup -d "${devices[@]}"
	rm -rf --one-file-system "$work"
}
trap clear_away EXIT

size=128M
options=(-d single -m "$profile")
images=("$work/img")
case $profile in
mixed) options=(--mixed) size=32M ;;
raid1) options=(-d raid1 -m raid1) images+=("$work/img.1") ;;
esac
truncate -s $size "${images[@]}"
mkfs.btrfs -q -n 4096 "${options[@]}" "${images[@]}" 2>/dev/null
for image in "${images[@]}"; do
	devices+=("$(losetup -f --show "$image")")
done
btrfs -q device scan "${devices[@]}"
mkdir "$work/mnt"
mount -t btrfs -o noatime,max_inline=2048 "${devices[0]}" "$work/mnt"
btrfs -q subvolume create "$work/mnt/base"
python3 "$here/make.py" "$kind" "$work/mnt/base"
btrfs -q subvolume snapshot -r "$work/mnt/base" "$work/mnt/older"
case $kind in changes | moves | small | few) python3 "$here/make.py" "$kind-later" "$work/mnt/base" ;; esac
echo changed > "$work/mnt/base/changed"
btrfs -q subvolume create "$work/mnt/base/nested"
btrfs -q subvolume snapshot -r "$work/mnt/base" "$work/mnt/snap"
sync -f "$work/mnt"
umount "$work/mnt"
# Old copies of tree blocks would only make the file larger.
mount -t btrfs "${devices[0]}" "$work/mnt"
fstrim "$work/mnt"
umount "$work/mnt"
losetup -d "${devices[@]}"
devices=()
zstd -q -19 -f "$work/img" -o "$output"
[ "$profile" != raid1 ] || zstd -q -19 -f "$work/img.1" -o "${output%.img.zst}.1.img.zst"
