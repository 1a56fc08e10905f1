#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The cost of a send against the size of what is sent: a table of CPU time at 1, 2, 4 and 8 times a
# size, of native send and of both backends, and the slope of each: how the time grows per doubling,
# as a power of two. 1 is linear, 2 quadratic. A backend fails a row if its slope is above 1.2 and
# native's is not, or if its stream is another one.
#
# usage: cost.sh [all | ROW...]     ROW: files, renamed-links, ...
# COST_RUNS is the number of runs of which the least is taken (3), COST_SCALE the percentage of the
# sizes (100).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../lib/fixture.bash
source "$here/../lib/fixture.bash"
RUNS=${COST_RUNS:-3}
SCALE=${COST_SCALE:-100}
MOST=1.2

# Row, first size, and which sends: full, incremental, or against an unlike parent.
rows()
{
	cat <<-'ROWS'
	files 5000 full
	extents 5000 full
	reflinks 2500 full
	links 8000 full
	renamed-links 8000 incremental
	links-in-deep-directories 2000 full
	depth 125 full
	renamed-directories 4000 incremental
	deleted-directories 5000 incremental
	deleted-files 5000 incremental
	xattrs 5000 full
	waiting-moves 2500 incremental
	numbers-used-again 5000 unlike
	links-and-deleted-directories 4000 incremental
	ROWS
}

tree()
{
	python3 "$here/cost_tree.py" "$@"
}

# make ROW SIZE HOW: the snapshots SIZE and, to be its parent, SIZE.parent, if it has one.
make()
{
	local row=$1 size=$2 top=$FIX_MOUNT/rw

	btrfs -q subvolume create "$top"
	[ "$3" != unlike ] || tree "$row" "$size" before "$top"
	[ "$3" != unlike ] || btrfs -q subvolume snapshot -r "$top" "$FIX_MOUNT/$size.parent"
	[ "$3" != unlike ] || btrfs -q subvolume delete "$top"
	[ "$3" != unlike ] || btrfs -q subvolume create "$top"
	tree "$row" "$size" before "$top"
	if [ "$3" = incremental ]; then
		btrfs -q subvolume snapshot -r "$top" "$FIX_MOUNT/$size.parent"
		tree "$row" "$size" after "$top"
	fi
	btrfs -q subvolume snapshot -r "$top" "$FIX_MOUNT/$size"
	btrfs -q subvolume delete "$top"
}

# arguments PREFIX SIZE: the options and operand of one send, in ARGUMENTS.
arguments()
{
	ARGUMENTS=("$1$2")
	[ "$HOW" = full ] || ARGUMENTS=(-p "$1$2.parent" "$1$2")
}

# measure SIZE COMMAND...: adds to CPU and MEMORY.
measure()
{
	local cpu memory

	shift
	read -r cpu memory < <(python3 "$here/cost_measure.py" "$RUNS" "$@")
	[ -n "${memory:-}" ] || { echo "cost: $* failed" >&2; exit 1; }
	CPU+=("$cpu")
	MEMORY=$memory
}

# measure_all PREFIX COMMAND...: of all sizes; the memory is that of the last.
measure_all()
{
	local prefix=$1 size

	shift
	CPU=()
	for size in $SIZES; do
		arguments "$prefix" "$size"
		measure "$size" "$@" "${ARGUMENTS[@]}"
	done
}

# line WHO PEAK: prints a line of the table, and sets SLOPE.
line()
{
	SLOPE=$(python3 -c 'import math, sys
first, last = (max(1, int(n)) for n in sys.argv[1:])
print("%.2f" % (math.log2(last / first) / 3))' "${CPU[0]}" "${CPU[3]}")
	printf '%-30s %-18s %-7s %7.2f %7.2f %7.2f %7.2f %6s %9s\n' "$ROW" "${SIZES%% *} to ${SIZES##* }" "$1" \
		"$(seconds "${CPU[0]}")" "$(seconds "${CPU[1]}")" "$(seconds "${CPU[2]}")" \
		"$(seconds "${CPU[3]}")" "$SLOPE" "$2"
}

seconds()
{
	printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000))
}

# judge SLOPE_OF_NATIVE: a backend's slope, in SLOPE, and its stream, in $FIX/ours.
judge()
{
	if awk -v ours="$SLOPE" -v native="$1" -v most=$MOST \
		'BEGIN { exit !(ours > most && native <= most) }'; then
		echo "  FAILED: $ROW: slope $SLOPE"
	elif ! same_as_native "$FIX/ours" "$FIX/native" >"$FIX/differs"; then
		echo "  FAILED: $ROW: another stream than native's"
		head -n 5 "$FIX/differs"
	else
		PASSED=$((PASSED + 1))
		return
	fi
	FAILED=$((FAILED + 1))
}

run_row()
{
	local first=$(($2 * SCALE / 100)) native n

	ROW=$1 HOW=$3 SIZES="$first $((first * 2)) $((first * 4)) $((first * 8))"
	fixture_mkfs 1 6G
	fixture_mount
	for n in $SIZES; do
		make "$ROW" "$n" "$HOW"
	done
	btrfs filesystem sync "$FIX_MOUNT"
	measure_all "$FIX_MOUNT/" btrfs send -q
	line native -
	native=$SLOPE
	native_send "$FIX/native" "${ARGUMENTS[@]}"
	measure_all "$FIX_MOUNT/" "$SENDCP" send -q --backend direct
	send_direct "$FIX/ours" "${ARGUMENTS[@]}"
	line direct "$((MEMORY / 1024)) MiB"
	judge "$native"
	fixture_umount
	# shellcheck disable=SC2046
	measure_all / "$SENDCP" send -q $(image_options)
	send_image "$FIX/ours" "${ARGUMENTS[@]}"
	line image "$((MEMORY / 1024)) MiB"
	judge "$native"
}

# chosen ROW WANTED...: is it among them?
chosen()
{
	local row=$1

	shift
	[ $# -eq 0 ] || [ "$1" = all ] || [[ " $* " = *" $row "* ]]
}

main()
{
	local row first how missing

	missing=$(fixture_missing)
	[ -z "$missing" ] || { echo "cost: needs $missing" >&2; exit 1; }
	PASSED=0 FAILED=0
	fixture_begin
	fixture_trap
	export SENDCP_STATE_DIR=$FIX/state
	printf '%-30s %-18s %-7s %7s %7s %7s %7s %6s %9s\n' row sizes "" "1x, s" 2x 4x 8x slope peak
	while read -r row first how; do
		if chosen "$row" "$@"; then
			run_row "$row" "$first" "$how"
		fi
	done < <(rows)
	echo "$PASSED passed, $FAILED failed"
	[ $FAILED -eq 0 ] && [ $PASSED -gt 0 ]
}

main "$@"
