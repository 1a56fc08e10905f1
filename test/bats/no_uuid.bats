#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Subvolumes without a UUID, as made by very old kernels and conversions: sent, interrupted and
# resumed, as parents and as clone sources.

load ../lib/suite

setup()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 1G
	fixture_mount
	cd "$FIX_MOUNT" || return 1
}

teardown()
{
	cd / || return 1
	fixture_end
}

# old_subvolumes FORM: a, b after it, and c, which shares extents with b; none has a UUID.
old_subvolumes()
{
	local ids

	btrfs -q subvolume create s
	btrfs -q subvolume create t
	head -c 3M /dev/urandom >s/f
	head -c 1M /dev/urandom >t/g
	btrfs -q subvolume snapshot -r s a
	btrfs -q subvolume snapshot -r t c
	head -c 2M /dev/urandom >s/new
	cp --reflink=always t/g s/g
	mkdir s/d
	mv s/f s/d
	btrfs -q subvolume snapshot -r s b
	ids=$(for name in a b c; do btrfs inspect-internal rootid $name; done)
	cd / || return
	fixture_umount
	# shellcheck disable=SC2086
	python3 "$ROOT/test/lib/patch.py" "${FIX_IMAGES# }" "$1" $ids
	fixture_mount
	cd "$FIX_MOUNT" || return
}

# killed AT [OPTIONS]: leaves the sidecar $FIX/cp and $FIX/part of AT bytes.
killed()
{
	local at=$1

	shift
	rm -f "$FIX/cp"
	streamcut --signal KILL "$at" -- "$SENDCP" send -q --checkpoint "$FIX/cp" \
		--checkpoint-interval 256K "$@" >"$FIX/part" || true
	assert_equal "$(file_size "$FIX/part")" "$at"
}

# goes_on WHOLE [OPTIONS]: killed at several bytes, and resumed from a mount and from the image.
goes_on()
{
	local whole=$1 at size

	shift
	size=$(file_size "$whole")
	for at in 1 100 $((size / 3)) $((size * 2 / 3)) $((size - 5)); do
		killed "$at" --backend direct "$@"
		resume_rest "$FIX/cp" "$FIX/part" >"$FIX/rest"
		cat "$FIX/part" "$FIX/rest" | cmp - "$whole"
	done
	killed 700000 --backend direct "$@"
	cd / || return
	fixture_umount
	# shellcheck disable=SC2046
	"$SENDCP" resume -q $(image_options) --checkpoint "$FIX/cp" --at 700000 >"$FIX/rest"
	fixture_mount
	cd "$FIX_MOUNT" || return
	cat "$FIX/part" "$FIX/rest" | cmp - "$whole"
}

# all_sends FORM
all_sends()
{
	old_subvolumes "$1"
	send_direct "$FIX/full" a
	send_direct "$FIX/incremental" -p a b
	send_direct "$FIX/cloning" -p a -c c b
	send_direct "$FIX/several" a b
	goes_on "$FIX/full" a
	goes_on "$FIX/incremental" -p a b
	goes_on "$FIX/cloning" -p a -c c b
	goes_on "$FIX/several" a b
	mkdir received
	btrfs -q receive -f "$FIX/full" received
	treecmp a received/a
}

@test "no uuid: zeros in the ROOT_ITEM" {
	all_sends no-uuid
	# Without a UUID the kernel sends zeros, and so does sendcp.
	native_send "$FIX/native" a
	cmp "$FIX/full" "$FIX/native"
	native_send "$FIX/native" -p a b
	cmp "$FIX/incremental" "$FIX/native"
}

@test "no uuid: a ROOT_ITEM of a kernel before 3.6" {
	all_sends old-root-item
}

@test "no uuid: deleted, replaced and changed" {
	old_subvolumes no-uuid
	killed 700000 a
	mv a elsewhere
	cp "$FIX/cp" "$FIX/cp.kept"
	"$SENDCP" resume -q --checkpoint "$FIX/cp" --at 700000 >"$FIX/rest"
	mv c a
	cp "$FIX/cp.kept" "$FIX/cp"
	"$SENDCP" resume -q --checkpoint "$FIX/cp" --at 700000 >"$FIX/again"
	cmp "$FIX/again" "$FIX/rest"
	cp "$FIX/cp.kept" "$FIX/cp"
	btrfs -q property set elsewhere ro false
	run -1 "$SENDCP" resume -q --checkpoint "$FIX/cp" --at 700000
	assert_output --partial "was changed: it is writable now"
	touch elsewhere/f
	btrfs -q property set elsewhere ro true
	run -1 "$SENDCP" resume -q --checkpoint "$FIX/cp" --at 700000
	assert_output --partial "was changed"
	btrfs -q subvolume delete elsewhere
	run -1 "$SENDCP" resume -q --checkpoint "$FIX/cp" --at 700000
	assert_output --partial "was replaced: the subvolume id:"
	mv a c
	run -1 "$SENDCP" resume -q --checkpoint "$FIX/cp" --at 700000
	assert_output --partial "is gone: there is no subvolume id:"
}

@test "no uuid: a subvolume without a UUID is not taken for the parent of another" {
	old_subvolumes no-uuid
	btrfs -q subvolume create plain
	btrfs -q property set plain ro true
	run -1 "$SENDCP" send -q -c a plain
	assert_output --partial "parent determination failed for plain"
	assert_output --partial "name the parent with -p"
}
