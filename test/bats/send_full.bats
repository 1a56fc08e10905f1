#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Full sends equal native ones, command by command, with all profiles, checksums, node sizes and
# compressions, in both protocols; and both backends make the same bytes.

load ../lib/suite

VARIANTS=("--proto 1" "--proto 2" "--proto 2 --compressed-data" "--no-data"
	  "--proto 2 --no-data")

setup()
{
	require_mount
	fixture_begin
}

teardown()
{
	fixture_end
}

# mounted_sends SUBVOL...: compares native streams with the direct backend's, in every variant.
mounted_sends()
{
	local i paths=("${@/#/$FIX_MOUNT/}")

	for i in "${!VARIANTS[@]}"; do
		# shellcheck disable=SC2086
		native_send "$FIX/native.$i" ${VARIANTS[i]} "${paths[@]}"
		# shellcheck disable=SC2086
		send_direct "$FIX/direct.$i" ${VARIANTS[i]} "${paths[@]}"
		same_as_native "$FIX/direct.$i" "$FIX/native.$i"
	done
}

# image_sends SUBVOL...: from the unmounted images, byte for byte the direct backend's streams.
image_sends()
{
	local i

	fixture_umount
	for i in "${!VARIANTS[@]}"; do
		# shellcheck disable=SC2086
		send_image "$FIX/image.$i" ${VARIANTS[i]} "$@"
		streamcmp --exact "$FIX/image.$i" "$FIX/direct.$i"
	done
}

# random_on SEED COUNT MOUNT-OPTIONS [MKFS-OPTIONS...]: a random tree on COUNT devices, sent in
# every way.
random_on()
{
	local seed=$1 count=$2 options=$3

	shift 3
	fixture_mkfs "$count" 1G "$@"
	fixture_mount "$options"
	fixture_random "$seed"
	mounted_sends b
	image_sends b
}

@test "full send: every kind of item, default filesystem" {
	fixture_mkfs 1 2G
	fixture_mount
	fixture_everything
	mounted_sends s.ro
	image_sends s.ro
}

@test "full send: every kind of item, 4K nodes, no-holes off, everything compressed" {
	fixture_mkfs 1 2G -n 4096 -O ^no-holes
	fixture_mount compress-force=zstd
	fixture_everything
	mounted_sends s.ro
	image_sends s.ro
}

@test "full send: every kind of item, 64K nodes, xxhash, RAID1C3" {
	fixture_mkfs 3 2G -n 65536 --csum xxhash -m raid1c3 -d raid1c3
	fixture_mount compress-force=lzo
	fixture_everything --light
	mounted_sends s.ro
	image_sends s.ro
}

@test "full send: random tree, single, crc32c, zlib" {
	random_on 101 1 compress-force=zlib -m single -d single
}

@test "full send: random tree, DUP, xxhash, 4K nodes" {
	random_on 102 1 "" -m dup -d dup --csum xxhash -n 4096
}

@test "full send: random tree, RAID0, sha256" {
	random_on 103 3 "" -m raid0 -d raid0 --csum sha256
}

@test "full send: random tree, RAID1, blake2, 64K nodes" {
	random_on 104 2 compress=zstd -m raid1 -d raid1 --csum blake2 -n 65536
}

@test "full send: random tree, RAID1C3, lzo" {
	random_on 105 3 compress-force=lzo -m raid1c3 -d raid1c3
}

@test "full send: random tree, RAID1C4, 32K nodes" {
	random_on 106 4 "" -m raid1c4 -d raid1c4 -n 32768
}

@test "full send: random tree, RAID10, zstd" {
	random_on 107 4 compress-force=zstd:9 -m raid10 -d raid10
}

@test "full send: random tree, RAID5" {
	random_on 108 3 "" -m raid5 -d raid5
}

@test "full send: random tree, RAID6, zlib" {
	random_on 109 5 compress=zlib -m raid6 -d raid6 --csum xxhash
}

@test "full send: random tree, mixed block groups, no-holes off" {
	random_on 110 1 "" --mixed -n 4096 -O ^no-holes
}

@test "full send: random tree, extended refs, skinny metadata and no-holes off" {
	random_on 111 1 "" -O ^extref,^skinny-metadata,^no-holes
}

@test "full send: random tree, no inline files" {
	random_on 112 1 max_inline=0
}

@test "full send: random tree, inline up to the largest size, compressed" {
	random_on 113 1 max_inline=4095,compress-force=zlib
}

@test "full send: random tree, no data checksums" {
	random_on 114 1 nodatasum
}

@test "full send: a larger random tree, 4K nodes" {
	fixture_mkfs 1 3G -n 4096
	fixture_mount
	fixture_random 115 3000
	mounted_sends b
	image_sends b
}

@test "full send: changed fsid (metadata_uuid)" {
	fixture_mkfs 1 1G
	fixture_mount
	fixture_random 116
	fixture_umount
	btrfstune -m "${FIX_DEVICES# }" >/dev/null
	fixture_mount
	mounted_sends b
	image_sends b
}

@test "full send: seed device with a sprout" {
	local seed sprout

	fixture_mkfs 2 1G -d single -m single
	read -r seed sprout <<<"$FIX_DEVICES"
	mkfs.btrfs -q -f "$seed" >/dev/null 2>&1
	wipefs -q -a "$sprout"
	FIX_DEVICES=" $seed"
	fixture_mount
	fixture_random 117
	fixture_umount
	btrfstune -S 1 "$seed" >/dev/null
	fixture_mount
	btrfs -q device add -f "$sprout" "$FIX_MOUNT"
	mount -o remount,rw "$FIX_MOUNT"
	fixture_everything --light
	btrfs filesystem sync "$FIX_MOUNT"
	mounted_sends b s.ro
	fixture_umount
	FIX_DEVICES=" $seed $sprout"
	image_sends b s.ro
}

@test "full send: a missing device of RAID1, RAID10, RAID5 and RAID6 changes nothing in an image" {
	local profile count

	for profile in raid1:2 raid10:4 raid5:3 raid6:4; do
		count=${profile#*:}
		fixture_mkfs "$count" 1G -m raid1 -d "${profile%:*}"
		fixture_mount
		fixture_random 118 150
		mounted_sends b
		# shellcheck disable=SC2086
		set -- $FIX_IMAGES
		shift
		FIX_IMAGES="$*" image_sends b
		rm -rf "$FIX"/*.img
	done
}

@test "full send: two missing devices of RAID6 and RAID1C3" {
	local profile

	for profile in raid6:4 raid1c3:3; do
		fixture_mkfs "${profile#*:}" 1G -m raid1c3 -d "${profile%:*}"
		fixture_mount
		fixture_random 119 150
		mounted_sends b
		# shellcheck disable=SC2086
		set -- $FIX_IMAGES
		shift 2
		FIX_IMAGES="$*" image_sends b
		rm -rf "$FIX"/*.img
	done
}

@test "full send: an empty subvolume" {
	fixture_mkfs 1 512M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/empty"
	mounted_sends empty
	image_sends empty
}

@test "full send: several subvolumes, as several streams and with -e as one" {
	VARIANTS=("" "-e" "-e --proto 2" "--proto 2 --compressed-data")
	fixture_mkfs 1 1G
	fixture_mount compress=lzo
	fixture_random 120
	mounted_sends a b
	image_sends a b
}

@test "full send: a received subvolume is named by its received uuid" {
	fixture_mkfs 1 1G
	fixture_mount
	fixture_random 121
	mkdir "$FIX_MOUNT/received"
	btrfs send -q "$FIX_MOUNT/b" | btrfs -q receive "$FIX_MOUNT/received"
	mounted_sends received/b
	image_sends received/b
}

@test "full send: snapshots in directories and in subvolumes, named by path, id and uuid" {
	local id uuid

	VARIANTS=("")
	fixture_mkfs 1 1G
	fixture_mount
	fixture_random 122 100
	mkdir -p "$FIX_MOUNT/dir/inner"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/work" "$FIX_MOUNT/dir/inner/snap"
	btrfs -q subvolume create "$FIX_MOUNT/dir/sub"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/work" "$FIX_MOUNT/dir/sub/other"
	mounted_sends dir/sub/other
	mounted_sends dir/inner/snap
	id=$(btrfs inspect-internal rootid "$FIX_MOUNT/dir/inner/snap")
	uuid=$(btrfs subvolume show "$FIX_MOUNT/dir/inner/snap" |
	       awk '$1 == "UUID:" { print $2 }')
	image_sends dir/inner/snap
	image_sends /dir/inner/snap
	image_sends "id:$id"
	image_sends "uuid:$uuid"
}

@test "full send: a writable subvolume of an image is sent as it is" {
	fixture_mkfs 1 1G
	fixture_mount
	fixture_random 123
	fixture_umount
	send_image "$FIX/writable" work
	# The snapshot differs only in name, uuid and ctransid, which are in the first command.
	send_image "$FIX/snapshot" b
	streamcmp --list "$FIX/writable" | tail -n +3 | cut -f 2- >"$FIX/w"
	streamcmp --list "$FIX/snapshot" | tail -n +3 | cut -f 2- >"$FIX/s"
	# clone_uuid and clone_ctransid are those of the subvolume itself.
	sed -E -i 's/clone_uuid=[^ ]*|clone_ctransid=[^ ]*//g' "$FIX/w" "$FIX/s"
	assert [ -s "$FIX/w" ]
	run diff "$FIX/w" "$FIX/s"
	assert_success
}

@test "full send: a path that is too long fails as in native, at the same command" {
	fixture_mkfs 1 512M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	python3 - "$FIX_MOUNT/s" <<-'END'
	import os, sys
	fd = os.open(sys.argv[1], os.O_RDONLY)
	for _ in range(17):
	    os.mkdir("d" * 250, dir_fd=fd)
	    fd = os.open("d" * 250, os.O_RDONLY, dir_fd=fd)
	END
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/long"
	run send_direct "$FIX/direct" "$FIX_MOUNT/long"
	assert_failure 1
	assert_output --partial "path is longer than 4095 bytes"
	# When native fails, it may lose the data in its pipe: retry until it does not.
	for _ in $(seq 50); do
		run ! native_send "$FIX/native" "$FIX_MOUNT/long"
		[ "$(file_size "$FIX/native")" -lt "$(file_size "$FIX/direct")" ] || break
	done
	assert cmp "$FIX/direct" "$FIX/native"
	fixture_umount
	run send_image "$FIX/image" long
	assert_failure 1
	assert cmp "$FIX/image" "$FIX/direct"
}

@test "full send: while another subvolume is written, balanced and snapshotted" {
	local writer

	fixture_mkfs 1 2G
	fixture_mount
	fixture_random 124 2000
	native_send "$FIX/before" "$FIX_MOUNT/b"
	btrfs -q subvolume create "$FIX_MOUNT/busy"
	(
		for i in $(seq 1000); do
			head -c 300000 /dev/urandom >"$FIX_MOUNT/busy/$((i % 20))"
			[ $((i % 10)) -ne 0 ] || btrfs -q balance start -f -mlimit=1 "$FIX_MOUNT" || true
		done
	) >/dev/null 2>&1 3>&- &
	writer=$!
	for i in 1 2 3 4 5; do
		send_direct "$FIX/during.$i" "$FIX_MOUNT/b" || break
	done
	kill "$writer" 2>/dev/null
	wait "$writer" || true
	for i in 1 2 3 4 5; do
		# During a relocation clones may be found or not; only the contents are compared.
		mkdir -p "$FIX_MOUNT/r$i"
		btrfs -q receive -f "$FIX/during.$i" "$FIX_MOUNT/r$i"
		treecmp --any-root-times "$FIX_MOUNT/b" "$FIX_MOUNT/r$i/b"
	done
}
