# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Wrapped streams: interrupting them, and unwrapping them with standard tools.
#
# Suites set TOOL, the command that unwraps standard input.

# Sizes for many frames and segments in a small stream.
SMALL="--buffer-size 160K --checkpoint-interval 600K"

# wrap_begin: two snapshots a and b, their incremental stream in $FIX/whole, and a large snapshot.
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

# unwrapped FILE WHOLE: standard tools unwrap FILE to WHOLE, and verify finds it complete.
unwrapped()
{
	"${TOOL[@]}" <"$1" | cmp - "$2" || return
	"$SENDCP" verify -q "$1"
}

# sender OPTIONS...: sends b with the parent a.
sender()
{
	# shellcheck disable=SC2086
	"$SENDCP" send -q $SMALL "$@" -p "$FIX_MOUNT/a" "$FIX_MOUNT/b"
}

# marks SIDECAR: the offsets in the file at which it can be truncated and resumed.
marks()
{
	jq -r 'select(.type == "mark") | .file_offset' "$1"
}

# crash FILE SIDECAR SEED: truncates both as a crash may have left them. A batch's line is written
# before its bytes, a mark after the file has the bytes it covers.
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
