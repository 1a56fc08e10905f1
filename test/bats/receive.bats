#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Our streams, received by `btrfs receive`, equal the source: names, contents, metadata, xattrs.

load ../lib/suite

setup()
{
	require_mount
	fixture_begin
}

teardown()
{
	fixture_end
}

# received_equals SUBVOL STREAM: receives into the same filesystem and compares.
received_equals()
{
	rm -rf "$FIX_MOUNT/received"
	mkdir "$FIX_MOUNT/received"
	btrfs -q receive -f "$2" "$FIX_MOUNT/received"
	treecmp "$FIX_MOUNT/$1" "$FIX_MOUNT/received/${1##*/}"
	assert [ "$(btrfs property get "$FIX_MOUNT/received/${1##*/}" ro)" = ro=true ]
	btrfs -q subvolume delete "$FIX_MOUNT/received/${1##*/}" >/dev/null
}

@test "received: every kind of item, in both protocols" {
	local options

	fixture_mkfs 1 3G
	fixture_mount
	fixture_everything --receivable
	for options in "" "--proto 2" "--proto 2 --compressed-data"; do
		# shellcheck disable=SC2086
		send_direct "$FIX/stream" $options "$FIX_MOUNT/s.ro"
		received_equals s.ro "$FIX/stream"
	done
}

@test "received: random trees from an image, compressed, in both protocols" {
	local seed options

	for seed in 201 202 203; do
		fixture_mkfs 1 1G -n 4096
		fixture_mount compress=zstd
		fixture_random $seed
		for options in "" "--compressed-data"; do
			fixture_umount
			# shellcheck disable=SC2086
			send_image "$FIX/stream" $options b
			fixture_mount
			received_equals b "$FIX/stream"
		done
	done
}

@test "received: a stream interrupted and resumed twice, into one running receive" {
	local size

	fixture_mkfs 1 2G
	fixture_mount
	fixture_random 204 1500
	size=$("$SENDCP" send -q --dry-run "$FIX_MOUNT/b")
	mkdir "$FIX_MOUNT/received"
	{
		killed "$((size / 3))" send --checkpoint-interval 256K "$FIX_MOUNT/b"
		killed "$((size / 3))" resume --at "$((size / 3))"
		"$SENDCP" resume -q --checkpoint "$FIX/cp" --at "$((size / 3 * 2))"
	} | btrfs -q receive "$FIX_MOUNT/received"
	treecmp --any-root-times "$FIX_MOUNT/b" "$FIX_MOUNT/received/b"
}

# killed BYTES SUBCOMMAND...: SIGKILL when BYTES of output were read.
killed()
{
	local bytes=$1 command=$2

	shift 2
	streamcut --signal KILL "$bytes" -- "$SENDCP" "$command" -q --checkpoint "$FIX/cp" "$@" ||
		true
}
