# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Wrapped streams: breaking them off, and getting the plain stream back with standard tools.
#
# Suites set TOOL, the words that unwrap standard input.

# Sizes that make many frames and segments of a small stream.
SMALL="--buffer-size 160K --checkpoint-interval 600K"

# wrap_begin: two snapshots a and b, their incremental stream in $FIX/whole, and something large.
wrap_begin()
{
	require_mount
	require_program bsdtar
	require_program zstd
	fixture_begin
	fixture_mkfs 1 2G
	fixture_mount compress=zstd
	fixture_random 431 500
	send_direct "$FIX/whole" -p "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	btrfs -q subvolume create "$FIX_MOUNT/large"
	head -c 60M /dev/urandom >"$FIX_MOUNT/large/noise"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/large" "$FIX_MOUNT/large.ro"
	send_direct "$FIX/large" "$FIX_MOUNT/large.ro"
}

# unwrapped FILE WHOLE: standard tools get WHOLE out of FILE, and verify finds nothing missing.
unwrapped()
{
	"${TOOL[@]}" <"$1" | cmp - "$2" || return
	"$SENDCP" verify -q "$1"
}

# sender OPTIONS...: the usual one, from a to b.
sender()
{
	# shellcheck disable=SC2086
	"$SENDCP" send -q $SMALL "$@" -p "$FIX_MOUNT/a" "$FIX_MOUNT/b"
}

# marks SIDECAR: the places in the file at which it can be gone on with.
marks()
{
	jq -r 'select(.type == "mark") | .file_offset' "$1"
}

# A crash: `crash FILE SIDECAR SEED` cuts both at places that can have been left behind. Lines of
# batches come before their bytes, a mark when what it tells of is in the file.
crash()
{
	python3 - "$@" <<-'END'
	import json, os, random, sys
	name, sidecar, seed = sys.argv[1:]
	r = random.Random(seed)
	with open(sidecar, "rb") as f:
	    lines = f.readlines()
	keep = r.randrange(1, len(lines))
	marks = [(i, json.loads(l)["file_offset"]) for i, l in enumerate(lines)
	         if json.loads(l).get("type") == "mark"]
	before = max([m for i, m in marks if i < keep], default=0)
	behind = min([m for i, m in marks if i >= keep], default=os.path.getsize(name))
	os.truncate(name, r.randint(before, behind))
	with open(sidecar, "wb") as f:
	    f.writelines(lines[:keep])
	    f.write(lines[keep][:r.randrange(len(lines[keep]))])
	END
}
