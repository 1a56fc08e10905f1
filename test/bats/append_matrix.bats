#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Every format, damaged in every way at random positions: resume --append completes the
# uninterrupted stream. APPEND_PLACES: number of positions (test/thorough.sh uses more);
# APPEND_SEED: their seed.

load ../lib/suite

setup_file()
{
	require_mount
	require_program zstd
	require_program pzstd
	require_program bsdtar
	export PYTHONDONTWRITEBYTECODE=1
	fixture_begin
	fixture_mkfs 1 1G
	fixture_mount compress=zstd
	fixture_random "${APPEND_TREE:-411}" "${APPEND_OPERATIONS:-350}"
	native_send "$FIX/a.native" "$FIX_MOUNT/a"
	native_send "$FIX/whole" -p "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	native_send "$FIX/full" "$FIX_MOUNT/b"
	fixture_umount
	mkdir "$FIX/work" "$FIX/kept"
	# Syncs are tested elsewhere, and are free on tmpfs.
	mount -t tmpfs -o size=1G tmpfs "$FIX/work"
}

teardown_file()
{
	umount "$FIX/work" || true
	fixture_end
}

setup()
{
	mkdir -p "$FIX/work/$BATS_TEST_NUMBER"
	cd "$FIX/work/$BATS_TEST_NUMBER" || return 1
}

teardown()
{
	cd / && rm -rf "$FIX/work/$BATS_TEST_NUMBER"
}

# matrix FORMAT [KEPT WHOLE ARGUMENT...]: incremental by default.
matrix()
{
	local format=$1 kept=${2:-$1} whole=${3:-$FIX/whole}

	shift $(($# > 3 ? 3 : $#))
	[ $# -gt 0 ] || set -- -p a b
	# shellcheck disable=SC2046
	python3 "$ROOT/test/lib/append_matrix.py" --places "${APPEND_PLACES:-6}" \
		--seed "${APPEND_SEED:-1}" --keep "$FIX/kept/$kept" "$format" "$whole" \
		$(image_options) "$@"
}

@test "append matrix: plain" { matrix plain; }
@test "append matrix: zstd" { matrix zstd; }
@test "append matrix: tar" { matrix tar; }
@test "append matrix: cpio" { matrix cpio; }
@test "append matrix: tar in zstd" { matrix tar+zstd; }
@test "append matrix: the zstd program, from a pipe" { matrix zstd-pipe; }
@test "append matrix: the zstd program, knowing the size" { matrix zstd-size; }
@test "append matrix: frames of all kinds" { matrix zstd-mixed; }
@test "append matrix: btrfs send, no sidecar" { matrix native; }
@test "append matrix: btrfs send, full" { matrix native full "$FIX/full" b; }
@test "append matrix: btrfs send in zstd, no sidecar" { matrix native-zstd; }

@test "append matrix: the completed file is received" {
	local kept plain

	fixture_mount compress=zstd
	for kept in "$FIX"/kept/*; do
		plain=$FIX/work/plain
		"$SENDCP" cat "$kept" >"$plain"
		mkdir "$FIX_MOUNT/r"
		if [ "${kept##*/}" != full ]; then
			btrfs -q receive -f "$FIX/a.native" "$FIX_MOUNT/r"
		fi
		btrfs -q receive -f "$plain" "$FIX_MOUNT/r"
		treecmp "$FIX_MOUNT/b" "$FIX_MOUNT/r/b"
		btrfs -q subvolume delete "$FIX_MOUNT/r/"* >/dev/null
		rmdir "$FIX_MOUNT/r"
	done
	assert_equal "$(find "$FIX/kept" -type f | wc -l)" 11
}
