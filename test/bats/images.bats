#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Committed images, compared with the digests of the native streams: no root, no mount, no btrfs
# needed.

load ../lib/suite

IMAGES=$BATS_TEST_DIRNAME/../images

setup()
{
	require_program zstd
	cd "$BATS_TEST_TMPDIR" || return 1
}

# unpack NAME COUNT: sets DEVICES, the options for the images.
unpack()
{
	local i

	DEVICES=()
	for ((i = 0; i < $2; i++)); do
		zstd -q -d --sparse -o "$1.$i" "$IMAGES/$1.$i.img.zst"
		DEVICES+=(--device "$1.$i")
	done
}

# check_image NAME: checks every variant in the list of digests; at least one.
check_image()
{
	local name count options digest size checked=0

	while IFS='|' read -r name count options digest size; do
		[ "$name" = "$1" ] || continue
		[ -e "$name.0" ] || unpack "$name" "$count"
		# shellcheck disable=SC2086
		"$SENDCP" send -q $options "${DEVICES[@]}" s.ro >stream
		assert_equal "$(file_size stream) $options" "$size $options"
		assert_equal "$(sha256sum <stream) $options" "$digest  - $options"
		checked=$((checked + 1))
	done <"$IMAGES/digests"
	assert [ "$checked" -ge 4 ]
}

@test "images: single device" {
	check_image plain
}

@test "images: 4K nodes, no-holes off, zstd, xxhash" {
	check_image small-nodes
}

@test "images: RAID5, lzo, blake2" {
	check_image raid5
}

@test "images: RAID1, 64K nodes, zlib, sha256" {
	check_image raid1
}

@test "images: RAID5 and RAID1 without any one of their devices" {
	local name count i j want

	for name in raid5:3 raid1:2; do
		count=${name#*:}
		name=${name%:*}
		unpack "$name" "$count"
		want=$(awk -F '|' -v n="$name" '$1 == n && $3 == "--proto 1" { print $4 }' \
			"$IMAGES/digests")
		for ((i = 0; i < count; i++)); do
			DEVICES=()
			for ((j = 0; j < count; j++)); do
				[ $i -eq $j ] || DEVICES+=(--device "$name.$j")
			done
			run bash -c '"$SENDCP" send -q "$@" s.ro 2>err | sha256sum' - "${DEVICES[@]}"
			assert_output "$want  -"
		done
		rm "$name".*
	done
}

@test "images: the order of the devices does not matter, and read-only files suffice" {
	local want

	unpack raid5 3
	chmod 400 raid5.*
	want=$(awk -F '|' '$1 == "raid5" && $3 == "--proto 1" { print $4 }' "$IMAGES/digests")
	run bash -c '"$SENDCP" send -q --device raid5.2 --device raid5.0 --device raid5.1 s.ro | sha256sum'
	assert_output "$want  -"
}

@test "images: sent by an ordinary user" {
	local want

	[ "$(id -u)" = 0 ] || skip "is one anyway"
	require_program setpriv
	unpack plain 1
	chmod 644 plain.0
	chmod 755 . .. ../.. "$BATS_RUN_TMPDIR"
	want=$(awk -F '|' '$1 == "plain" && $3 == "--proto 1" { print $4 }' "$IMAGES/digests")
	mkdir home
	chown 65534:65534 home
	run bash -c 'setpriv --reuid 65534 --regid 65534 --clear-groups env -u SENDCP_STATE_DIR HOME=$PWD/home \
		"$SENDCP" send -q --device plain.0 s.ro | sha256sum'
	assert_output "$want  -"
	assert_dir_exists home/.local/state/sendcp
}

@test "images: interrupted and resumed, with --step, without root" {
	local at want

	unpack small-nodes 1
	"$SENDCP" send -q "${DEVICES[@]}" s.ro >whole
	"$SENDCP" send -q --step --no-data "${DEVICES[@]}" s.ro >step
	"$SENDCP" send -q --no-data "${DEVICES[@]}" s.ro >plain
	assert cmp step plain
	for at in 17 5000 1234567 "$(($(file_size whole) - 1))"; do
		rm -f cp
		streamcut --signal KILL "$at" -- "$SENDCP" send -q --checkpoint cp \
			--checkpoint-interval 256K "${DEVICES[@]}" s.ro >part || true
		resume_rest cp part >rest
		cat part rest | cmp - whole
	done
}

@test "images: the top-level subvolume of a filesystem made by mkfs --rootdir" {
	require_program mkfs.btrfs
	mkdir -p files/dir
	echo content >files/dir/file
	ln files/dir/file files/link
	ln -s target files/symlink
	head -c 3000001 /dev/urandom >files/noise
	truncate -s 200M img
	mkfs.btrfs -q --rootdir files img >/dev/null 2>&1
	"$SENDCP" send -q --device img id:5 >stream
	# Its symlink's target has a NUL at its end.
	"$SENDCP" verify -q stream
	run streamcmp --list stream
	assert_success
	assert_line --regexp 'MKDIR'
	assert_line --regexp 'LINK path="(link|dir/file)" link="(link|dir/file)"'
	assert_line --regexp 'WRITE path="(link|dir/file)" offset=0 data=\[8\]"content'
	assert_line --regexp 'RENAME .* to="symlink"'
	# Resumable like any other: the image cannot have changed meanwhile.
	streamcut --signal KILL 1234567 -- "$SENDCP" send -q --checkpoint cp \
		--checkpoint-interval 256K --device img id:5 >part || true
	"$SENDCP" resume -q --checkpoint cp --at 1234567 >rest
	cat part rest | cmp - stream
}
