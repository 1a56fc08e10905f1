# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# One stream in all wrappings, made once for a suite; loaded after suite.bash.

STORED_KINDS="plain zstd tar cpio tar.zstd cpio.zstd external"

# stored_make: makes the image, and $BATS_FILE_TMPDIR/stream.KIND for each kind, with small segments
# and frames.
stored_make()
{
	local kind options

	require_program zstd
	cd "$BATS_FILE_TMPDIR" || return 1
	zstd -q -d --sparse -o image "$BATS_TEST_DIRNAME/../images/small-nodes.0.img.zst"
	for kind in $STORED_KINDS; do
		case $kind in
		plain | external) options= ;;
		zstd) options=--compress ;;
		tar | cpio) options=--archive=$kind ;;
		*) options="--compress --archive=${kind%.zstd}" ;;
		esac
		# shellcheck disable=SC2086
		stored_send $options >"stream.$kind" || return 1
	done
	zstd -q <stream.plain >stream.external
}

# Sends the snapshot with options for a small stream of many units.
stored_send()
{
	"$SENDCP" send -q --proto 2 --compressed-data --buffer-size 160K --checkpoint-interval 320K \
		"$@" --device "$BATS_FILE_TMPDIR/image" s.ro
}
