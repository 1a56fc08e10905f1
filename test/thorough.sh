#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Tests too long for make check: large trees, many seeds, interruptions at every command.
#
# usage: thorough.sh [PART...]       parts: usr random step kill append crash endings resume
#   memory cost; default: all
#   SOURCE=/usr                      source of the copy of `usr`
#   FIRST_SEED=1000 SEEDS=20         random trees of `random`
#   KILLS=200                        byte positions of `kill`
#   APPEND_PLACES=50                 positions of each kind of `append`, in each format
#   CRASH_STATES=3000                power cuts of `crash`, in each format and size
#   ENDINGS_ROUNDS=20                random positions of each of `endings`
#   RESUME_SIZE=2G                   stream of `resume`
#   FILES=1000000                    files of `memory`
#   COST_FILES=300000                files of `cost`
# Figures are printed as "figure: NAME VALUE".
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib/fixture.bash
source "$here/lib/fixture.bash"
SOURCE=${SOURCE:-/usr}
FIRST_SEED=${FIRST_SEED:-1000}
SEEDS=${SEEDS:-20}
KILLS=${KILLS:-200}
APPEND_PLACES=${APPEND_PLACES:-50}
CRASH_STATES=${CRASH_STATES:-3000}
ENDINGS_ROUNDS=${ENDINGS_ROUNDS:-20}
RESUME_SIZE=${RESUME_SIZE:-2G}
FILES=${FILES:-1000000}
COST_FILES=${COST_FILES:-300000}
# Figures are about the program itself: its page cache and output are in memory or discarded.
MISSING=$(fixture_missing)
[ -z "$MISSING" ] || { echo "thorough: needs $MISSING" >&2; exit 1; }
fixture_trap

say()
{
	printf '%s %s\n' "$(date +%T)" "$*"
}

figure()
{
	printf 'figure: %s\n' "$*"
}

# compare SUBVOL [OPTIONS]: native, direct and image; leaves the image backend's stream in
# $FIX/image.
compare()
{
	local subvolume=$1

	shift
	mountpoint -q "$FIX_MOUNT" || fixture_mount
	native_send "$FIX/native" "$@" "$FIX_MOUNT/$subvolume"
	send_direct "$FIX/direct" "$@" "$FIX_MOUNT/$subvolume"
	same_as_native "$FIX/direct" "$FIX/native"
	fixture_umount
	send_image "$FIX/image" "$@" "$subvolume"
	streamcmp --exact "$FIX/image" "$FIX/direct" >/dev/null
}

part_usr()
{
	say "a copy of $SOURCE"
	fixture_begin
	fixture_mkfs 1 30G
	fixture_mount compress=zstd
	btrfs -q subvolume create "$FIX_MOUNT/usr"
	cp -a "$SOURCE/." "$FIX_MOUNT/usr/"
	figure "files in $SOURCE: $(find "$FIX_MOUNT/usr" | wc -l)"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/usr" "$FIX_MOUNT/usr.ro"
	compare usr.ro
	compare usr.ro --proto 2
	compare usr.ro --compressed-data
	fixture_end
}

# Parameters of the Nth random filesystem: devices, mkfs options, mount options.
random_parameters()
{
	python3 - "$1" <<-'END'
	import random, sys
	r = random.Random("parameters %s" % sys.argv[1])
	profile, devices = r.choice([("single", 1), ("dup", 1), ("raid0", 2), ("raid1", 2),
	                             ("raid1c3", 3), ("raid1c4", 4), ("raid10", 4), ("raid5", 3),
	                             ("raid6", 4)])
	options = ["-d", profile, "-m", profile, "--csum",
	           r.choice(["crc32c", "xxhash", "sha256", "blake2"]),
	           "-n", r.choice(["4096", "16384", "65536"])]
	off = [f for f in ("^no-holes", "^skinny-metadata") if r.random() < 0.3]
	if off:
	    options += ["-O", ",".join(off)]
	mount = [r.choice(["compress=no", "compress-force=zlib", "compress-force=lzo",
	                   "compress-force=zstd", "compress=zstd"]),
	         "max_inline=%d" % r.choice([0, 2048, 4095])]
	print("%d|%s|%s|%d" % (devices, " ".join(options), ",".join(mount),
	                       r.choice([300, 800, 2000])))
	END
}

part_random()
{
	local seed devices options mount operations variant

	for ((seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++)); do
		IFS='|' read -r devices options mount operations <<<"$(random_parameters "$seed")"
		say "random tree $seed: $devices devices, $options, $mount, $operations operations"
		fixture_begin
		# shellcheck disable=SC2086
		fixture_mkfs "$devices" 3G $options
		fixture_mount "$mount"
		fixture_random "$seed" "$operations" >/dev/null
		for variant in "" "--proto 2" "--compressed-data" "--no-data"; do
			# shellcheck disable=SC2086
			compare b $variant
		done
		fixture_end
	done
}

# Three filesystems to interrupt at every command.
three_trees()
{
	case $1 in
	1)	fixture_mkfs 1 2G
		fixture_mount
		fixture_everything --light
		SNAPSHOT=s.ro ;;
	2)	fixture_mkfs 1 2G -n 4096
		fixture_mount compress-force=zstd
		fixture_random 2001 1500
		SNAPSHOT=b ;;
	3)	fixture_mkfs 3 2G -m raid1 -d raid5 -O ^no-holes
		fixture_mount
		fixture_random 2002 1500
		SNAPSHOT=b ;;
	esac
}

part_step()
{
	local tree options

	for tree in 1 2 3; do
		fixture_begin
		three_trees $tree
		for options in "" "--compressed-data"; do
			say "every command of tree $tree $options"
			# shellcheck disable=SC2086
			compare "$SNAPSHOT" $options
			# shellcheck disable=SC2086
			send_image "$FIX/step" --step $options "$SNAPSHOT"
			cmp "$FIX/step" "$FIX/image"
			fixture_mount
			# shellcheck disable=SC2086
			send_direct "$FIX/step" --step $options "$FIX_MOUNT/$SNAPSHOT"
			cmp "$FIX/step" "$FIX/image"
		done
		fixture_end
	done
}

# A random number from 1 to LIMIT that depends on SEED alone.
pick()
{
	python3 -c 'import random, sys
print(random.Random(sys.argv[2]).randint(1, int(sys.argv[1])))' "$1" "$2"
}

part_kill()
{
	local tree i at size

	for tree in 1 2 3; do
		fixture_begin
		three_trees $tree
		compare "$SNAPSHOT"
		fixture_mount
		size=$(stat -c %s "$FIX/image")
		say "SIGKILL at $KILLS bytes of tree $tree ($size bytes)"
		for ((i = 0; i < KILLS; i++)); do
			at=$(pick "$((size - 1))" "kill $tree $i")
			rm -f "$FIX/cp"
			streamcut --signal KILL "$at" -- "$SENDCP" send -q --backend direct \
				--checkpoint "$FIX/cp" --checkpoint-interval 256K \
				"$FIX_MOUNT/$SNAPSHOT" >"$FIX/part" || true
			"$SENDCP" resume -q --checkpoint "$FIX/cp" --at "$at" >>"$FIX/part"
			cmp "$FIX/part" "$FIX/image" || { say "killed at byte $at: different"; exit 1; }
		done
		fixture_end
	done
}

# The suite of make check, at more positions, with another seed.
part_append()
{
	say "files broken in every way at $APPEND_PLACES places each, and gone on with"
	APPEND_PLACES=$APPEND_PLACES APPEND_SEED=${APPEND_SEED:-thorough} BATS_TEST_TIMEOUT=3000 \
		"${BATS:-bats}" --tap "$here/bats/append_matrix.bats"
}

# The suite of make check, with more moments, and sizes that make many syncs.
part_crash()
{
	local sizes

	for sizes in "262144 1048576" "163840 600000"; do
		say "power cuts with buffers and intervals of $sizes bytes"
		CRASH_STATES=$CRASH_STATES CRASH_SEED=$FIRST_SEED CRASH_BUFFER=${sizes% *} \
			CRASH_INTERVAL=${sizes#* } "${BATS:-bats}" --tap "$here/bats/crash.bats"
	done
}

# The suite of make check, and every pipeline also ended at random moments while all of it runs.
part_endings()
{
	say "every ending of every output at $ENDINGS_ROUNDS random places"
	ENDINGS_ROUNDS=$ENDINGS_ROUNDS ENDINGS_SEED=$FIRST_SEED BATS_TEST_TIMEOUT=3000 \
		"${BATS:-bats}" --tap "$here/bats/endings.bats"
}

# Milliseconds to the first byte of a command's output.
first_byte_ms()
{
	python3 - "$@" <<-'END'
	import os, subprocess, sys, time
	start = time.monotonic()
	p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
	assert os.read(p.stdout.fileno(), 1)
	print("%.1f" % ((time.monotonic() - start) * 1000))
	p.kill()
	p.wait()
	END
}

part_resume()
{
	local percent at size i

	say "first byte of a resume in a stream of $RESUME_SIZE"
	fixture_begin
	fixture_mkfs 1 12G
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	python3 - "$FIX_MOUNT/s" "$(numfmt --from=iec "$RESUME_SIZE")" <<-'END'
	import os, sys
	block, left, n = os.urandom(1 << 20), int(sys.argv[2]), 0
	while left > 0:
	    d = os.path.join(sys.argv[1], "d%d" % (n // 100))
	    os.makedirs(d, exist_ok=True)
	    size = [3000, 20000, 200000, 1 << 20][n % 4]
	    with open(os.path.join(d, "f%d" % n), "wb") as f:
	        f.write(block[n % 997:][:size])
	    left -= size
	    n += 1
	END
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/ro"
	send_direct "$FIX/whole" --checkpoint "$FIX/cp" "$FIX_MOUNT/ro"
	size=$(stat -c %s "$FIX/whole")
	for percent in 1 50 99; do
		at=$((size / 100 * percent))
		rm -f "$FIX/cp"
		streamcut --signal KILL "$at" -- "$SENDCP" send -q --backend direct --checkpoint \
			"$FIX/cp" "$FIX_MOUNT/ro" >"$FIX/part" || true
		cp "$FIX/cp" "$FIX/cp.kept"
		for i in 1 2 3 4 5; do
			cp "$FIX/cp.kept" "$FIX/cp"
			first_byte_ms "$SENDCP" resume -q --checkpoint "$FIX/cp" --at "$at"
		done | sort -n >"$FIX/times"
		figure "first byte of resume at $percent%: $(sed -n 3p "$FIX/times") ms (median of 5)"
		cp "$FIX/cp.kept" "$FIX/cp"
		"$SENDCP" resume -q --checkpoint "$FIX/cp" --at "$at" >>"$FIX/part"
		cmp "$FIX/part" "$FIX/whole"
	done
	fixture_end
}

# peak NAME COMMAND...: peak memory in KiB, and seconds.
peak()
{
	local name=$1

	shift
	/usr/bin/time -f '%M KiB, %e s, %U+%S CPU s' -o "$FIX/time" "$@" >/dev/null
	figure "$name: $(tail -n 1 "$FIX/time")"
}

part_memory()
{
	say "a snapshot of $FILES files"
	fixture_begin
	fixture_mkfs 1 20G
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	python3 - "$FIX_MOUNT/s" "$FILES" <<-'END'
	import os, sys
	for n in range(int(sys.argv[2])):
	    d = os.path.join(sys.argv[1], "d%d" % (n // 1000))
	    if n % 1000 == 0:
	        os.mkdir(d)
	    fd = os.open(os.path.join(d, "f%d" % n), os.O_CREAT | os.O_WRONLY)
	    if n % 10 == 0:
	        os.write(fd, b"%d" % n)
	    os.close(fd)
	END
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/ro"
	sync -f "$FIX_MOUNT"
	peak "direct, peak memory" "$SENDCP" send -q --backend direct "$FIX_MOUNT/ro"
	peak "native, peak memory" btrfs send -q "$FIX_MOUNT/ro"
	compare ro
	# shellcheck disable=SC2046
	peak "image, peak memory" "$SENDCP" send -q $(image_options) ro
	# shellcheck disable=SC2046
	peak "dry run, peak memory" "$SENDCP" send -q --dry-run $(image_options) ro
	fixture_end
}

# The suite of make check with a larger tree: the limits are the same.
part_cost()
{
	say "incremental sends of a snapshot of $COST_FILES files"
	COST_FILES=$COST_FILES "${BATS:-bats}" --tap "$here/bats/cost.bats"
}

for part in "${@:-usr random step kill append crash endings resume memory cost}"; do
	for name in $part; do
		"part_$name"
	done
done
say "thorough: all passed"
