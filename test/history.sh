#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Random histories: compares sendcp's streams with native ones, byte for byte, and receives them.
#
# usage: history.sh FIRST LAST [OPERATIONS]
#   KEEP=DIR       keep streams that differ in DIR
#   VERBOSE=1      print a line for every deviation too
#   RECEIVE=N      receive the incremental streams of every Nth history too (default 4; 0: none)
# Prints a line for every problem, then a summary. Exit status 1 if there was a difference.
#
# Where the native send fails midway, or its stream cannot be received or is received wrongly, ours
# must be received correctly: these are counted as deviations, by kind.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=lib/fixture.bash
source "$here/lib/fixture.bash"
FIRST=$1 LAST=$2 OPERATIONS=${3:-60}
RECEIVE=${RECEIVE:-4}
MISSING=$(fixture_missing)
[ -z "$MISSING" ] || { echo "history: needs $MISSING" >&2; exit 1; }
fixture_begin
fixture_trap
declare -A deviations
differences=0 streams=0 received=0 refused=0

difference()
{
	differences=$((differences + 1))
	echo "history $seed: $*"
	[ -z "${KEEP:-}" ] || { mkdir -p "$KEEP" && cp "$FIX/ours" "$FIX/native" "$KEEP/"; }
}

deviation()
{
	local kind=$1

	shift
	deviations[$kind]=$((${deviations[$kind]:-0} + 1))
	[ -z "${VERBOSE:-}" ] || echo "history $seed: deviation $kind: $*"
}

# make_history: makes a filesystem with a random history; its plan is in $FIX/plan.
make_history()
{
	local mkfs mount

	{ read -r mkfs; read -r mount; } < <(python3 "$here/lib/history.py" --options "$seed")
	# shellcheck disable=SC2086
	fixture_mkfs 1 1G $mkfs && fixture_mount "$mount" &&
		python3 "$here/lib/history.py" "$seed" "$FIX_MOUNT" "$OPERATIONS" >"$FIX/plan" \
			2>"$FIX/history.log" && [ -s "$FIX/plan" ] && return
	cat "$FIX/history.log"
	difference "could not be made"
	return 1
}

# ours HOW OPTIONS...: sendcp's stream, in $FIX/ours.
ours()
{
	local how=$1

	shift
	# shellcheck disable=SC2046 # An option and a name for each image.
	case $how in
	direct) "$SENDCP" send -q --backend direct "$@" ;;
	step) "$SENDCP" send -q --backend direct --step "$@" ;;
	image) "$SENDCP" send -q $(image_options) "$@" ;;
	esac >"$FIX/ours" 2>"$FIX/ours.err"
}

native()
{
	btrfs send -q "$@" >"$FIX/native" 2>"$FIX/native.err"
}

# arrives STREAM [-p|-c SNAPSHOT | OPTION]... SNAPSHOT: is the received subvolume equal to its
# source?
arrives()
{
	local stream=$1 argument sent=${*: -1} status

	shift
	for argument; do
		[ -d "$FIX_MOUNT/$argument" ] && [ "$argument" != "$sent" ] || continue
		[ -d "$FIX_MOUNT/full/$argument" ] && continue
		mkdir -p "$FIX_MOUNT/full"
		"$SENDCP" send -q --backend direct "$argument" |
			btrfs -q receive "$FIX_MOUNT/full" 2>"$FIX/receive.err" || return 1
	done
	mkdir -p "$FIX_MOUNT/received"
	btrfs -q receive -f "$stream" "$FIX_MOUNT/received" 2>"$FIX/receive.err" &&
		treecmp --any-root-times "$sent" "$FIX_MOUNT/received/$sent" >"$FIX/receive.err" 2>&1
	status=$?
	[ ! -d "$FIX_MOUNT/received/$sent" ] ||
		btrfs -q subvolume delete "$FIX_MOUNT/received/$sent" >/dev/null
	return $status
}

# A stream without data cannot be received: sends the same two snapshots again, with data.
with_data()
{
	local argument arguments=()

	for argument; do
		[ "$argument" = --no-data ] || arguments+=("$argument")
	done
	native "${arguments[@]}"
	status=$?
	ours direct "${arguments[@]}" || difference "$*: with data: $(cat "$FIX/ours.err")"
}

# Why native's stream was not received correctly.
kind_of_deviation()
{
	if grep -q "ERROR: utimes o.*No such file" "$FIX/receive.err"; then
		echo gone-utimes
	elif grep -q "ERROR" "$FIX/receive.err"; then
		echo not-receivable
	elif grep -qE "o[0-9]+-[0-9]+-[0-9]+" "$FIX/receive.err"; then
		echo orphan-left-behind
	elif grep -q ": contents" "$FIX/receive.err"; then
		echo wrong-contents
	else
		echo wrong-tree
	fi
}

# Native's stream is received correctly too: the bytes it omits after a file's old end were zeros.
harmless()
{
	streamcmp --allow-deviation file-end --allow-deviation inline-end --allow-deviation gone-utimes \
		"$FIX/ours" "$FIX/native" >/dev/null 2>&1 && deviation file-end-of-zeros "$*"
}

# unequal STATUS OPTIONS...: the two streams differ; is that a bug of native send?
unequal()
{
	local status=$1 first

	shift
	first=$(streamcmp "$FIX/ours" "$FIX/native" 2>&1 | head -n 3 | tr '\n' ' ')
	[[ "$*" != *--no-data* ]] || with_data "$@"
	if ! arrives "$FIX/ours" "$@"; then
		difference "$*: ours does not arrive: $(head -c 300 "$FIX/receive.err"); $first"
	elif [ "$status" != 0 ] && grep -q "No such file" "$FIX/native.err"; then
		deviation loop-test "$*"
	elif [ "$status" != 0 ]; then
		difference "$*: native fails: $(head -c 300 "$FIX/native.err")"
	elif arrives "$FIX/native" "$@"; then
		harmless "$@" || difference "$*: $first"
	else
		deviation "$(kind_of_deviation)" "$*: $(head -c 200 "$FIX/receive.err" | tr '\n' ' ')"
	fi
}

# Keeps streams to receive after all comparisons: receiving changes back references.
put_off()
{
	local name=$FIX/later/$streams

	mkdir -p "$FIX/later"
	cp "$FIX/ours" "$name.ours"
	cp "$FIX/native" "$name.native"
	cp "$FIX/native.err" "$name.err"
	echo "$*" >"$name.what"
}

# compare HOW OPTIONS...
compare()
{
	local how=$1 status=0 own=0

	shift
	native "$@" || status=$?
	[ "$how" != image ] || { cd / && fixture_umount; }
	ours "$how" "$@" || own=$?
	[ "$how" != image ] || { fixture_mount "$(mount_options)" && cd "$FIX_MOUNT" || return; }
	streams=$((streams + 1))
	if [ "$own" != 0 ] && [ "$status" = 0 ]; then
		difference "$how $*: ours fails: $(head -c 300 "$FIX/ours.err")"
	elif [ "$own" != 0 ] && [ -s "$FIX/native" ]; then
		difference "$how $*: both fail: $(head -c 300 "$FIX/ours.err")"
	elif [ "$own" != 0 ]; then
		refused=$((refused + 1))
	elif [ "$status" != 0 ] || ! cmp -s "$FIX/ours" "$FIX/native"; then
		put_off "different $status $*"
	elif [ "$RECEIVE" != 0 ] && [ $((seed % RECEIVE)) = 0 ] && [[ "$*" != *--no-data* ]]; then
		put_off "same 0 $*"
	fi
}

mount_options()
{
	python3 "$here/lib/history.py" --options "$seed" | tail -n 1
}

# Receives the streams kept by put_off().
receive_all()
{
	local what name kind status arguments

	for what in "$FIX"/later/*.what; do
		[ -e "$what" ] || continue
		name=${what%.what}
		cp "$name.ours" "$FIX/ours"
		cp "$name.native" "$FIX/native"
		cp "$name.err" "$FIX/native.err"
		read -r kind status arguments <"$what"
		received=$((received + 1))
		# shellcheck disable=SC2086
		if [ "$kind" = different ]; then
			unequal "$status" $arguments
		elif ! arrives "$FIX/ours" $arguments; then
			difference "$arguments: native's, but does not arrive: $(head -c 300 "$FIX/receive.err")"
		fi
	done
	rm -rf "$FIX/later"
}

for ((seed = FIRST; seed <= LAST; seed++)); do
	make_history || continue
	cd "$FIX_MOUNT" || exit 1
	while read -r line; do
		# shellcheck disable=SC2086
		compare $line
	done <"$FIX/plan"
	receive_all
	cd / || exit 1
done

kinds=
for kind in "${!deviations[@]}"; do
	kinds+=", $kind ${deviations[$kind]}"
done
echo "histories $((LAST - FIRST + 1)), streams $streams (refused by both $refused, received $received)," \
	"differences $differences, deviations${kinds:- none}"
[ "$differences" = 0 ]
