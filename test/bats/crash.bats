#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Power cuts at every moment of sends and resumes (docs/checkpoint-file.md, "Power cuts"): whatever
# unsynced data the disk has kept, resume continues and loses nothing that was durable.
# CRASH_STATES: number of states of each format, 0 for all (test/thorough.sh uses more); CRASH_SEED:
# their seed.

load ../lib/suite

setup_file()
{
	local program

	require_strace
	for program in python3 zstd; do
		require_program $program
	done
	export PYTHONDONTWRITEBYTECODE=1
	fixture_begin
	mkdir "$FIX/work"
	# Syncs are free on tmpfs, and the simulator emulates their effect.
	[ "$(id -u)" != 0 ] || mount -t tmpfs -o size=1G tmpfs "$FIX/work"
	zstd -dqf --sparse "$ROOT/test/images/small-nodes.0.img.zst" -o "$FIX/work/image"
	strace -f -o /dev/null true 2>/dev/null || require_failed "needs to be allowed to trace programs"
}

teardown_file()
{
	umount "$FIX/work" || true
	fixture_end
}

# cuts FORMAT [STATES [--thinned]]
cuts()
{
	local states=${CRASH_STATES:-${2:-60}}

	cd "$FIX/work" || return
	# shellcheck disable=SC2086
	python3 "$ROOT/test/lib/crash.py" record ${3:-} "$1" recording "$FIX/work/files" \
		--device "$FIX/work/image" --proto 2 --compressed-data s.ro
	python3 "$ROOT/test/lib/crash.py" replay --states "$states" --seed "${CRASH_SEED:-1}" \
		${CRASH_KEEP:+--keep "$CRASH_KEEP"} recording
}

@test "power cuts: plain file" { cuts plain 80; }
@test "power cuts: zstd" { cuts zstd; }
@test "power cuts: tar" { cuts tar 50; }
@test "power cuts: cpio" { cuts cpio 20; }
@test "power cuts: tar in zstd" { cuts tar+zstd 30; }
@test "power cuts: pipe" { cuts pipe; }
@test "power cuts: zstd into a pipe" { cuts zstd-pipe 40; }
@test "power cuts: --append to the output of an external zstd" { cuts zstd-external 40; }

# thinned FORMAT STATES: with a program that thins its sidecar as early as possible.
thinned()
{
	[ -x "$BUILD/unit/sendcp-thin" ] || fail "make unit builds what is needed here"
	SENDCP=$BUILD/unit/sendcp-thin CRASH_BUFFER=196608 CRASH_INTERVAL=262144 cuts "$@" --thinned
}

@test "power cuts: while the sidecar is thinned, plain file" { thinned plain 30; }
@test "power cuts: while the sidecar is thinned, tar in zstd" { thinned tar+zstd 20; }
@test "power cuts: while the sidecar is thinned, pipe" { thinned pipe 20; }

# A check of the simulator: it must report an output without any sync.
@test "power cuts: the simulator detects missing syncs" {
	cd "$FIX/work" || return
	python3 "$ROOT/test/lib/crash.py" record plain recording "$FIX/work/files" \
		--device "$FIX/work/image" --proto 2 --compressed-data s.ro
	run -1 python3 "$ROOT/test/lib/crash.py" replay --states 200 --without-syncs recording
	assert_output --regexp "were durable|is empty; the output had|nothing in it is proven"
}
