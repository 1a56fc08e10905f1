#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshot, parent and clone source: messages say which of them is meant, and what to do.

load ../lib/suite

setup_file()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 512M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	head -c 1M /dev/urandom >"$FIX_MOUNT/s/a"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/one"
	head -c 3M /dev/urandom >"$FIX_MOUNT/s/b"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/two"
}

teardown_file()
{
	fixture_end
}

setup()
{
	cd "$FIX_MOUNT" || return 1
	OUT=$BATS_TEST_TMPDIR
}

# refused STATUS LINE COMMAND...: one line of error, and nothing is made.
refused()
{
	local code=$1 line=$2

	shift 2
	run --separate-stderr "$@"
	assert_equal "$status" "$code"
	assert_equal "$stderr" "sendcp: $line"
}

@test "roles: what is missing, or no subvolume" {
	local no="No such file or directory"

	refused 1 "snapshot: cannot open nowhere: $no" "$SENDCP" send -f "$OUT/x" nowhere
	refused 1 "snapshot: cannot open nowhere: $no" "$SENDCP" send -f "$OUT/x" two nowhere
	refused 1 "parent: cannot open nowhere: $no" "$SENDCP" send -f "$OUT/x" -p nowhere two
	refused 1 "clone source: cannot open nowhere: $no" "$SENDCP" send -f "$OUT/x" -c nowhere -p one two
	run "$SENDCP" send -f "$OUT/x" -p one/a two
	assert_output --regexp "^sendcp: parent: one/a: "
	assert_file_not_exists "$OUT/x"
}

@test "roles: what is not read-only, and the commands that make it so" {
	local snapshot=$FIX_MOUNT/"w r"

	btrfs -q subvolume snapshot one "$snapshot"
	refused 1 "parent $snapshot is not read-only: name the snapshot that the receiver has, or, if nothing \
was changed in this one: btrfs property set -ts '$snapshot' ro true" "$SENDCP" send -f "$OUT/x" -p "$snapshot" two
	refused 1 "clone source s is not read-only: name the snapshot that the receiver has, or, if nothing \
was changed in this one: btrfs property set -ts s ro true" "$SENDCP" send -f "$OUT/x" -c s -p one two
	run "$SENDCP" send -f "$OUT/x" "$snapshot"
	assert_failure 1
	[[ $output =~ and\ send\ that:\ (.*)\ NEW\;\ or:\ (.*)$ ]]
	bash -c "${BASH_REMATCH[1]} new"
	"$SENDCP" send -q -f "$OUT/x" new
	bash -c "${BASH_REMATCH[2]}"
	"$SENDCP" send -q -f "$OUT/x" "$snapshot"
	btrfs -q subvolume delete new "$snapshot"
}

@test "roles: an image without --device" {
	local image=${FIX_IMAGES# }

	refused 1 "snapshot: $image is an image or device of a btrfs filesystem: give --device $image, and SUBVOL as a path in it" \
		"$SENDCP" send -f "$OUT/x" "$image"
	refused 1 "parent: $image is an image or device of a btrfs filesystem: give --device $image, and SUBVOL as a path in it" \
		"$SENDCP" send -f "$OUT/x" -p "$image" two
	refused 1 "snapshot: ${FIX_DEVICES# } is an image or device of a btrfs filesystem: give --device ${FIX_DEVICES# }, and SUBVOL as a path in it" \
		"$SENDCP" send -f "$OUT/x" "${FIX_DEVICES# }"
}

# lost ROLE WHICH ADVICE: WHICH, the ROLE of an interrupted send, is changed, replaced and deleted.
lost()
{
	local role=$1 which=$2 advice=$3 change uuid

	uuid=$(btrfs subvolume show "$which" | awk '$1 == "UUID:" { print $2 }')
	for change in "btrfs property set -ts $which ro false" \
		"btrfs -q subvolume delete -c $which; btrfs -q subvolume snapshot -r s $which" \
		"btrfs -q subvolume delete -c $which"; do
		if [[ $change == btrfs\ property* ]]; then
			refused 1 "the $role $FIX_MOUNT/$which was changed: it is writable now, so the rest would not fit what was sent: $advice" \
				bash -c "$change && '$SENDCP' resume --checkpoint '$OUT/cp' --at 500000 >/dev/null"
		elif [[ $change == *";"* ]]; then
			[ "$role" != snapshot ] || advice="start a new send of that one"
			refused 1 "the $role $FIX_MOUNT/$which was replaced: the subvolume $uuid is gone, and another has its path: $advice" \
				bash -c "$change && '$SENDCP' resume --checkpoint '$OUT/cp' --at 500000 >/dev/null"
		else
			[ "$role" != snapshot ] || advice="start a new send of another snapshot"
			refused 1 "the $role $FIX_MOUNT/$which is gone: there is no subvolume $uuid any more, so this stream cannot be completed: $advice" \
				bash -c "$change && '$SENDCP' resume --checkpoint '$OUT/cp' --at 500000 >/dev/null"
		fi
	done
}

@test "roles: resuming when one of them was changed, replaced or deleted" {
	local role which advice

	while IFS='|' read -r role which advice; do
		btrfs -q subvolume snapshot -r one p
		btrfs -q subvolume snapshot -r one c
		btrfs -q subvolume snapshot -r two t
		rm -f "$OUT/cp"
		"$SENDCP" send -q --buffer-size 160K --checkpoint "$OUT/cp" -p p -c c t 2>/dev/null |
			head -c 1000000 >/dev/null || true
		lost "$role" "$which" "$advice"
		btrfs -q subvolume delete p c t 2>/dev/null || true
	done <<-END
	parent|p|start a new send, full or with another parent
	clone source|c|start a new send without this clone source
	snapshot|t|start a new send
	END
}
