#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the guests' disks in $BUILD/vm/disks, with the generators of the userspace tests, and the
# manifest: the cases to send from them, with the digests that every backend must produce.
#
# usage: disks.sh
#
# Disks are NAME.N.img, N counting the devices of one filesystem. A line of the manifest is
#   NAME|OPTIONS AND SUBVOLUMES, relative to the top of the filesystem|LENGTH|XXH128
# The digests are those of the image backend, whose streams are compared with native ones here
# first. Disks are only made again when a generator changed, digests when sendcp changed.
set -euo pipefail
source "$(dirname "$0")/common.sh"
source "$ROOT/test/lib/fixture.bash"

DISKS=$OUT/disks
VARIANTS=("--proto 1" "--proto 2" "--proto 2 --compressed-data" "--no-data")

# new NAME COUNT SIZE MOUNT-OPTIONS [MKFS-OPTIONS...]: begins a disk, mounted at $FIX_MOUNT.
new()
{
	local name=$1 count=$2 size=$3 options=$4

	shift 4
	fixture_mkfs "$count" "$size" "$@"
	fixture_mount "$options"
	NAME=$name
	say "disk $name"
}

# send_cases ARGUMENTS...: a case for every variant.
send_cases()
{
	local variant

	for variant in "${VARIANTS[@]}"; do
		echo "$NAME|$variant $*" >>"$FIX/cases"
	done
}

# Unmounts the disk and keeps its images.
done_with_it()
{
	local image i=0

	cd /
	btrfs filesystem sync "$FIX_MOUNT"
	fixture_umount
	for image in $FIX_IMAGES; do
		mv "$image" "$FIX/done/$NAME.$i.img"
		i=$((i + 1))
	done
	fixture_detach
}

history_disk()
{
	local name=$1 seed=$2 mkfs mount

	shift 2
	{ read -r mkfs; read -r mount; } < <(python3 "$ROOT/test/lib/history.py" --options "$seed")
	# shellcheck disable=SC2086
	new "$name" 1 512M "$mount" $mkfs "$@"
	python3 "$ROOT/test/lib/history.py" "$seed" "$FIX_MOUNT" 40 2>/dev/null |
		sed -E "s/^[a-z]+ /$name|/" | grep -v -- --step | awk '!seen[$0]++' >>"$FIX/cases"
	done_with_it
}

# Full and incremental, a clone source, two subvolumes at once; the pair that most tests use.
plain_disk()
{
	new plain 1 768M ""
	fixture_everything --light --receivable
	fixture_random 301 200 >/dev/null
	send_cases s.ro
	send_cases -p a b
	echo "$NAME|--proto 2 -c a b" >>"$FIX/cases"
	echo "$NAME|-e a b" >>"$FIX/cases"
	echo "$NAME|-e -p a b" >>"$FIX/cases"
	done_with_it
}

compressed_disk()
{
	new zstd 1 512M compress-force=zstd --csum xxhash -n 4096 -O ^no-holes
	fixture_random 302 200 >/dev/null
	send_cases b
	send_cases -p a b
	done_with_it
}

mirrored_disk()
{
	new raid1 2 512M compress-force=lzo -m raid1 -d raid1 --csum sha256
	fixture_random 303 200 >/dev/null
	send_cases b
	done_with_it
}

blake_disk()
{
	new blake2 1 512M compress-force=zlib -n 65536 --csum blake2
	fixture_random 304 150 >/dev/null
	send_cases b
	send_cases -p a b
	done_with_it
}

# A pair without shared extents: its streams are the same whatever happens to other subvolumes, and
# wherever it is moved. On two devices, one of which can fail.
unshared_disk()
{
	new unshared 2 3G "" -n 4096 -m raid1 -d raid1
	cd "$FIX_MOUNT"
	btrfs -q subvolume create s
	python3 "$VM/unshared.py" s first
	btrfs -q subvolume snapshot -r s a
	python3 "$VM/unshared.py" s second
	btrfs -q subvolume snapshot -r s b
	btrfs -q subvolume delete -c s
	echo "$NAME|--proto 1 b" >>"$FIX/cases"
	send_cases -p a b
	done_with_it
}

# A file that takes long to read, for interrupted sends, and a smaller one for sends that must
# complete. Without checksums: btrfs looks them up during readahead, which no signal interrupts.
slow_disk()
{
	local name

	new slow 1 256M nodatasum
	for name in s few; do
		btrfs -q subvolume create "$FIX_MOUNT/$name"
	done
	python3 -c 'import random, sys
with open(sys.argv[1] + "/s/noise", "wb") as noise:
	noise.write(random.Random(7).randbytes(48 << 20))
with open(sys.argv[1] + "/few/noise", "wb") as noise:
	noise.write(random.Random(8).randbytes(8 << 20))' "$FIX_MOUNT"
	for name in s few; do
		btrfs -q subvolume snapshot -r "$FIX_MOUNT/$name" "$FIX_MOUNT/$name.ro"
	done
	echo "$NAME|--no-data s.ro" >>"$FIX/cases"
	done_with_it
}

make_disks()
{
	fixture_trap
	fixture_begin
	mkdir "$FIX/done"
	: >"$FIX/cases"
	plain_disk
	compressed_disk
	mirrored_disk
	blake_disk
	unshared_disk
	slow_disk
	history_disk history 5
	history_disk history2 11 --csum xxhash
	# Empty, for received and damaged data.
	truncate -s 3G "$FIX/done/scratch.0.img"
	mv "$FIX/cases" "$FIX/done/"
	rm -rf "$DISKS"
	mkdir -p "$DISKS"
	for image in "$FIX"/done/*; do
		cp --sparse=always "$image" "$DISKS/"
	done
	fixture_end
}

# The image backend's stream of a case, in $FIX/ours.
image_stream()
{
	local name=$1 options=() image

	shift
	for image in "$DISKS/$name".*.img; do
		options+=(--device "$image")
	done
	"$SENDCP" send -q "${options[@]}" "$@" >"$FIX/ours"
}

# If the native send of the same disk succeeds, our stream must be the same but for known
# deviations.
compare_with_native()
{
	local name=$1 argument paths=()

	shift
	for argument; do
		case $argument in
		-* | [0-9]) paths+=("$argument") ;;
		*) paths+=("$FIX_MOUNT/$argument") ;;
		esac
	done
	if native_send "$FIX/native" "${paths[@]}" 2>/dev/null; then
		same_as_native "$FIX/ours" "$FIX/native" >"$FIX/compared" ||
			{ cat "$FIX/compared" >&2; die "not as native: $name $*"; }
	fi
}

attach()
{
	local image

	FIX_DEVICES=
	for image in "$DISKS/$1".*.img; do
		FIX_DEVICES+=" $(losetup -r -f --show "$image")"
	done
	fixture_mount ro
}

# The fixture does not know these loop devices, so it does not detach them.
detach()
{
	local device

	fixture_umount
	for device in $FIX_DEVICES; do
		btrfs device scan --forget "$device" >/dev/null 2>&1 || true
		losetup -d "$device"
	done
	FIX_DEVICES=
}

make_manifest()
{
	local name arguments mounted=

	fixture_trap
	fixture_begin
	while IFS='|' read -r name arguments; do
		if [ "$name" != "$mounted" ]; then
			detach
			attach "$name"
			mounted=$name
		fi
		# shellcheck disable=SC2086
		image_stream "$name" $arguments
		# shellcheck disable=SC2086
		compare_with_native "$name" $arguments
		echo "$name|$arguments|$(stat -c %s "$FIX/ours")|$(xxh128sum <"$FIX/ours" | cut -d ' ' -f 1)"
	done <"$DISKS/cases" >"$FIX/manifest"
	cp "$FIX/manifest" "$DISKS/manifest"
	detach
	fixture_end
}

sum_of()
{
	cat "$@" | sha256sum
}

MISSING=$(fixture_missing)
[ -z "$MISSING" ] || die "needs $MISSING"
mkdir -p "$OUT"
exec {lock}>"$OUT/disks.lock"
flock "$lock"
state=$(sum_of "$ROOT"/test/lib/{btrfsops,everything,history,random_tree}.py "$VM/disks.sh" "$VM/unshared.py")
if [ "$state" != "$(cat "$DISKS/state" 2>/dev/null)" ]; then
	make_disks
	echo "$state" >"$DISKS/state"
fi
state=$(sum_of "$SENDCP" "$DISKS/state")
if [ "$state" != "$(cat "$DISKS/manifest-state" 2>/dev/null)" ]; then
	say "digests of the streams"
	make_manifest
	echo "$state" >"$DISKS/manifest-state"
fi
