#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Sends from a mounted filesystem under load: balance, deduplication, snapshots made and deleted,
# heavy writing.
#
# Which clones are found depends on all that, for native as well, so the test is that the stream is
# received and then equals the source. If no extents are shared, nothing depends on the load, and
# the stream must be the native one made without load.

load ../lib/suite

setup()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 3G -n 4096
	fixture_mount
	cd "$FIX_MOUNT" || return 1
	BUSY=
}

teardown()
{
	quiet
	cd / || return 1
	fixture_end
}

# a and b, the first two snapshots of a random tree with many shared extents and references.
shared_pair()
{
	fixture_random "$1" 800
	mkdir "$FIX/streams"
	btrfs send -q a >"$FIX/streams/a"
}

# a and b without shared extents: the subvolume itself is deleted.
unshared_pair()
{
	btrfs -q subvolume create s
	python3 - <<-'END'
	import os, random
	r = random.Random("busy")
	for n in range(1500):
	    d = "s/d%d" % (n % 40)
	    os.makedirs(d, exist_ok=True)
	    with open("%s/f%d" % (d, n), "wb") as f:
	        f.write(r.randbytes(r.choice([0, 100, 3000, 9000, 40000])))
	END
	btrfs -q subvolume snapshot -r s a
	python3 - <<-'END'
	import os, random
	r = random.Random("busier")
	for n in range(1500):
	    path = "s/d%d/f%d" % (n % 40, n)
	    if n % 3 == 0:
	        os.unlink(path)
	    elif n % 3 == 1:
	        with open(path, "wb") as f:
	            f.write(r.randbytes(20000))
	for n in range(0, 40, 2):
	    os.rename("s/d%d" % n, "s/d%d/moved" % (n + 1))
	END
	btrfs -q subvolume snapshot -r s b
	btrfs -q subvolume delete -c s
	btrfs filesystem sync .
}

write_much()
{
	local i

	for ((i = 0; ; i++)); do
		head -c 300000 /dev/urandom >"busy/w$((i % 20))"
		cp --reflink=always "busy/w$((i % 20))" "busy/l$((i % 50))"
		mkdir "busy/d$i" && touch "busy/d$i/"{1..20}
		[ $((i % 8)) -ne 0 ] || rm -rf busy/d*
		[ $((i % 5)) -ne 0 ] || sync -f .
	done
}

balance()
{
	while :; do
		btrfs -q balance start -f -mlimit=2 -dlimit=1 .
		sleep 0.05
	done
}

# While data moves, an extent has its new address in one tree before it has it in another, and an
# incremental stream, also native's, may have contents that did not change.
balance_metadata()
{
	while :; do
		btrfs -q balance start -f -mlimit=2 .
		sleep 0.05
	done
}

snapshots()
{
	local i

	for ((i = 0; ; i++)); do
		btrfs -q subvolume snapshot b "more$i"
		btrfs -q subvolume snapshot -r a "other$i"
		echo "$i" >"more$i/new"
		btrfs -q subvolume delete -c "more$((i - 1))" "other$((i - 1))"
	done
}

# Deduplicates copies of our extents in other subvolumes.
deduplicate()
{
	python3 - "$ROOT/test/lib" <<-'END'
	import os, sys
	sys.path.insert(0, sys.argv[1])
	sys.dont_write_bytecode = True
	import btrfsops
	n = 0
	while True:
	    files = [os.path.join(d, f) for d, _, fs in os.walk("b") for f in fs]
	    files = [f for f in files if os.path.isfile(f) and not os.path.islink(f) and
	             os.path.getsize(f) >= 4096][:200]
	    for path in files:
	        size = os.path.getsize(path) // 4096 * 4096
	        copy = "busy/dup%d" % (n % 30)
	        n += 1
	        try:
	            with open(path, "rb") as source, open(copy, "wb") as target:
	                target.write(source.read(size))
	            btrfsops.sync_file(copy)
	            btrfsops.dedupe(path, 0, size, copy, 0)
	        except OSError:
	            pass
	END
}

# busy WHAT...: runs each in the background until `quiet`.
busy()
{
	local what

	[ -e busy ] || btrfs -q subvolume create busy
	for what; do
		$what >/dev/null 2>&1 3>&- &
		BUSY+=" $!"
	done
}

quiet()
{
	local pid

	for pid in $BUSY; do
		# The loop first, then the command that it waits for.
		kill -STOP "$pid" || true
		pkill -TERM -P "$pid" || true
		kill -KILL "$pid" || true
		wait "$pid" || true
	done 2>/dev/null
	[ -z "$BUSY" ] || btrfs -q balance cancel "$FIX_MOUNT" 2>/dev/null || true
	BUSY=
}

# all_sends PREFIX: full and incremental, with and without compressed data, each once.
all_sends()
{
	send_direct "$1.full" b
	send_direct "$1.compressed" --compressed-data b
	send_direct "$1.incremental" -p a b
	send_direct "$1.both" --compressed-data -p a b
	send_direct "$1.clones" -p a -c b -c a b
	send_direct "$1.step" --step -p a b
}

all_arrive()
{
	local stream

	for stream in "$1".*; do
		mkdir r
		btrfs -q receive -f "$FIX/streams/a" r
		btrfs -q receive -f "$stream" r || fail "cannot be received: $stream"
		treecmp --any-root-times b r/b || fail "differs: $stream"
		btrfs -q subvolume delete r/a r/b
		rmdir r
	done
}

@test "busy: writing, snapshots made and deleted" {
	shared_pair 301
	busy write_much snapshots
	all_sends "$FIX/streams/x"
	quiet
	all_arrive "$FIX/streams/x"
}

@test "busy: balance and writing" {
	shared_pair 302
	busy balance write_much
	all_sends "$FIX/streams/x"
	quiet
	all_arrive "$FIX/streams/x"
}

@test "busy: deduplication against the snapshot's own extents" {
	shared_pair 303
	busy deduplicate
	all_sends "$FIX/streams/x"
	quiet
	all_arrive "$FIX/streams/x"
}

@test "busy: all at once" {
	shared_pair 304
	busy balance write_much snapshots deduplicate
	all_sends "$FIX/streams/x"
	quiet
	all_arrive "$FIX/streams/x"
}

@test "busy: without shared extents the stream is the native one without load, resumed or not" {
	unshared_pair
	native_send "$FIX/native.full" b
	native_send "$FIX/native.incremental" -p a b
	native_send "$FIX/native.compressed" --compressed-data -p a b
	busy balance_metadata write_much
	for at in 100000 3000000; do
		rm -f "$FIX/cp"
		streamcut --signal KILL $at -- "$SENDCP" send -q --checkpoint "$FIX/cp" \
			--checkpoint-interval 150K -p a b >"$FIX/part" || true
		"$SENDCP" resume -q --checkpoint "$FIX/cp" --at $at >>"$FIX/part"
		same_as_native "$FIX/part" "$FIX/native.incremental"
	done
	for i in 1 2; do
		send_direct "$FIX/incremental" -p a b
		send_direct "$FIX/compressed" --compressed-data -p a b
		same_as_native "$FIX/incremental" "$FIX/native.incremental"
		same_as_native "$FIX/compressed" "$FIX/native.compressed"
	done
	quiet
	busy balance write_much
	for i in 1 2; do
		send_direct "$FIX/full" b
		same_as_native "$FIX/full" "$FIX/native.full"
	done
}

# Slowed down by its reader, to be in the middle for certain, and without a hold.
deleted_during()
{
	local stream=$FIX/broken status=0

	SENDCP_NO_HOLD=1 "$SENDCP" send --buffer-size 144K --buffers 1 "${@:2}" 2>"$FIX/err" |
		{ head -c 100000; btrfs -q subvolume delete -c "$1"; btrfs filesystem sync .; sleep 1; cat; } \
		>"$stream" || status=$?
	if [ "$status" -eq 0 ]; then
		cmp "$stream" "$FIX/whole"
		return
	fi
	assert_equal "$(head -c "$(file_size "$stream")" "$FIX/whole" | cksum)" "$(cksum <"$stream")"
	assert grep -q "^sendcp: .*\(gone\|deleted\)" "$FIX/err"
}

@test "busy: the subvolume or its parent deleted midway: the whole stream, or the right error" {
	set -o pipefail
	unshared_pair
	btrfs -q subvolume snapshot b x
	send_direct "$FIX/whole" -p a b
	deleted_during b -p a b
	btrfs -q subvolume snapshot -r x b
	btrfs -q subvolume delete -c x
	send_direct "$FIX/whole" -p a b
	# Its blocks are soon used again.
	busy write_much
	deleted_during a -p a b
}
