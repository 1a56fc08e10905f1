#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Times sendcp and native `btrfs send` in turn on the same snapshots: bench.sh (root, loop devices).
#
#   BENCH_MIB=2048 BENCH_FILES=4      large files: total size, number
#   BENCH_SMALL=50000                 number of small files
#   BENCH_ROUNDS=5                    rounds; the medians are printed
#   BENCH_DIR=/var/tmp                directory of images and streams
#   BUILD=build                       build directory of sendcp, populate and measure
#
# Caches are warm: each command runs once before the rounds. The reader of a pipe discards the data.
# CPU seconds are the sender's own, user and system; those of native's kernel code are in its
# process's system time. The image backend reads the same image, unmounted.
set -euo pipefail

mib=${BENCH_MIB:-2048}
files=${BENCH_FILES:-4}
small=${BENCH_SMALL:-50000}
rounds=${BENCH_ROUNDS:-5}
build=${BUILD:-build}
sendcp=$build/sendcp
measure=$build/bench/measure
PATH=$PATH:/usr/sbin:/sbin

[ "$(id -u)" = 0 ] || { echo "bench: needs root" >&2; exit 1; }
work=$(mktemp -d "${BENCH_DIR:-/var/tmp}/sendcp-bench.XXXXXX")
mnt=$work/mnt
device=
export SENDCP_STATE_DIR=$work/state

clear_away()
{
	! mountpoint -q "$mnt" || umount "$mnt"
	[ -z "$device" ] || losetup -d "$device"
	rm -rf --one-file-system "$work"
}
trap clear_away EXIT
trap 'exit 130' INT TERM

make_snapshots()
{
	truncate -s $((mib * 2 + small / 16 + 2048))M "$work/img"
	mkfs.btrfs -q "$work/img" >/dev/null 2>&1
	device=$(losetup -f --show "$work/img")
	mkdir "$mnt"
	mount -t btrfs -o noatime "$device" "$mnt"
	btrfs -q subvolume create "$mnt/l"
	btrfs -q subvolume create "$mnt/s"
	"$build/bench/populate" large "$mnt/l" "$mib" "$files"
	"$build/bench/populate" small "$mnt/s" "$small"
	btrfs -q subvolume snapshot -r "$mnt/l" "$mnt/large"
	btrfs -q subvolume snapshot -r "$mnt/s" "$mnt/small"
	sync -f "$mnt"
}

# run WHO WHERE SNAPSHOT: one measurement, appended to the results of that name. If a sender fails,
# the benchmark ends: figures of incomplete streams mean nothing.
run()
{
	local who=$1 where=$2 snapshot=$3 line
	local -a command options=()

	case $who in
	native)	command=(btrfs send -q "$mnt/$snapshot") ;;
	sendcp)	command=("$sendcp" send -q --no-checkpoint --backend direct "$mnt/$snapshot") ;;
	module)	command=("$sendcp" send -q --no-checkpoint --backend module "$mnt/$snapshot") ;;
	journal)
		rm -f "$work/cp"
		command=("$sendcp" send -q --backend direct --checkpoint "$work/cp" "$mnt/$snapshot") ;;
	image)	command=("$sendcp" send -q --no-checkpoint --device "$work/img" "$snapshot") ;;
	esac
	if [ "$where" = file ]; then
		options=(-o "$work/stream")
		# Dirty pages of the last run would be written during this one.
		sync -f "$work"
	fi
	line=$("$measure" "${options[@]}" "${command[@]}" 2>"$work/stderr")
	[ "${line##* }" = 0 ] || { echo "failed: ${command[*]}" >&2; cat "$work/stderr" >&2; exit 1; }
	rm -f "$work/stream"
	echo "$line" >>"$work/$snapshot.$where.$who"
}

# median FILE COLUMN
median()
{
	awk -v c="$2" '{ print $c }' "$1" | sort -g |
		awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# in_turn SNAPSHOT WHERE WHO...: a warm-up round that does not count, then the rounds.
in_turn()
{
	local snapshot=$1 where=$2 round who

	shift 2
	for ((round = 0; round <= rounds; round++)); do
		for who; do
			run "$who" "$where" "$snapshot"
			[ $round -gt 0 ] || rm -f "$work/$snapshot.$where.$who"
		done
	done
}

report()
{
	local snapshot=$1 where=$2 who wall cpu memory native file

	shift 2
	native=$(median "$work/$snapshot.$where.native" 1 2>/dev/null || true)
	for who; do
		file=$work/$snapshot.$where.$who
		wall=$(median "$file" 1)
		cpu=$(median "$file" 2)
		memory=$(median "$file" 3)
		awk -v s="$snapshot" -v p="$where" -v w="$who" -v t="$wall" -v c="$cpu" \
			-v m="$memory" -v n="$native" 'BEGIN {
			printf "%-6s %-5s %-8s %8.3f %8.3f %9.1f", s, p, w, t, c, m / 1024
			if (n > 0)
				printf " %7.2f", t / n
			printf "\n"
		}'
	done
}

# Seconds from the start of `sendcp resume` at so many percent of the stream to its first byte.
resume_at()
{
	local percent=$1 total=$2 at round line

	at=$((total / 100 * percent))
	rm -f "$work/cp" "$work/resume"
	"$measure" -n $at "$sendcp" send -q --checkpoint "$work/cp" "$mnt/large" \
		>/dev/null 2>"$work/stderr" || true
	for ((round = 0; round <= rounds; round++)); do
		cp "$work/cp" "$work/cp.again"
		line=$("$measure" -n 1 "$sendcp" resume -q --at $at --checkpoint "$work/cp.again" \
			2>"$work/stderr")
		[ "$(echo "$line" | cut -d' ' -f4)" = 1 ] ||
			{ echo "resume at $at failed:" >&2; cat "$work/stderr" >&2; exit 1; }
		[ $round -eq 0 ] || echo "$line" >>"$work/resume"
	done
	printf 'resume --at %2d %% (%d): first byte after %.1f ms (median of %d; worst %.1f ms)\n' \
		"$percent" "$at" "$(median "$work/resume" 5 | awk '{ print $1 * 1000 }')" "$rounds" \
		"$(awk '{ print $5 * 1000 }' "$work/resume" | sort -g | tail -n 1)"
}

printf 'sendcp %s, %s, kernel %s, %s CPUs\n' "$("$sendcp" --version | awk '{ print $NF }')" \
	"$(btrfs --version | head -n 1)" "$(uname -r)" "$(nproc)"
printf '%s MiB in %s files (large), %s files (small), medians of %s rounds\n\n' \
	"$mib" "$files" "$small" "$rounds"
make_snapshots

printf '%-6s %-5s %-8s %8s %8s %9s %7s\n' what to who seconds CPU 'peak MiB' ratio
module=
[ ! -c /dev/sendcp ] || module=module
for snapshot in large small; do
	in_turn $snapshot pipe native sendcp $module journal
	report $snapshot pipe native sendcp $module journal
	in_turn $snapshot file native sendcp $module
	report $snapshot file native sendcp $module
done
total=$(awk 'NR == 1 { print $4 }' "$work/large.pipe.sendcp")
for percent in 1 50 99; do
	resume_at $percent "$total"
done

umount "$mnt"
losetup -d "$device"
device=
cat "$work/img" >/dev/null
for snapshot in large small; do
	in_turn $snapshot pipe image
	report $snapshot pipe image
done
