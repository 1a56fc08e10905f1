#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sends while the filesystem is changed and moved: balance, defragment, dedupe, scrub, replace,
# devices added and removed, quota, freeze, remount, writes, snapshots, dropped caches; and the sends
# are stopped, continued, killed, and resumed by the command that their last line names. Every
# finished stream is compared with the one made before all that, by sendcp and by btrfs send
# (test/lib/chaos.py). Ends with "N passed, N failed".
#
# usage: chaos.sh SECONDS [STREAMS]     (root)
# Ends after that time, or after STREAMS streams, but then not before everything has happened once.
# A filesystem that the kernel itself finds damaged (see test/lib/chaos_fs.py) ends its round only.
#   CHAOS_SEED=N             of all choices; which of them meet depends on the machine
#   CHAOS_LAYOUTS="single raid1 compress"    in turn, CHAOS_ROUND=180 seconds each
#   CHAOS_LOG=BUILD/chaos.log    every operation; streams that differ are kept in CHAOS_LOG.failed
#   CHAOS_WITHOUT="quota drop_caches"    operations (OPERATIONS in chaos_fs.py) that are left out
#   CHAOS_DAMAGE=1           changes a byte of each stream, to show that it would be found
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=../lib/fixture.bash
source "$here/../lib/fixture.bash"
[ $# -ge 1 ] || { echo "usage: chaos.sh SECONDS [STREAMS]" >&2; exit 2; }
END=$((SECONDS + $1))
STREAMS=${2:-0}
SEED=${CHAOS_SEED:-$RANDOM$RANDOM}
read -ra LAYOUTS <<<"${CHAOS_LAYOUTS:-single raid1 compress}"
ROUND=${CHAOS_ROUND:-180}
export CHAOS_LOG=${CHAOS_LOG:-$BUILD/chaos.log}
export PYTHONDONTWRITEBYTECODE=1
MISSING=$(fixture_missing)
[ -z "$MISSING" ] || { echo "chaos: needs $MISSING" >&2; exit 1; }
GIVEN_UP_STATUS=3
FAILED=0
WORKER=

# Thaws first: nothing else can be done with a frozen filesystem.
clean_up()
{
	trap '' INT TERM HUP
	[ -n "${FIX:-}" ] || return 0
	fsfreeze -u "$FIX_MOUNT" 2>/dev/null || true
	if [ -n "$WORKER" ]; then
		kill -TERM "$WORKER" 2>/dev/null || true
		wait "$WORKER" || true
		fsfreeze -u "$FIX_MOUNT" 2>/dev/null || true
	fi
	while mountpoint -q "$FIX/receiver"; do
		umount "$FIX/receiver" || umount -l "$FIX/receiver" || break
	done
	fixture_end
}

# The devices of the filesystem, and one more.
make_filesystem()
{
	local devices=1 options=(-n 4096) mount=

	case $1 in
	single) ;;
	raid1) devices=3 options=(-d raid1 -m raid1) ;;
	compress) mount=compress-force=zstd ;;
	*) echo "chaos: no such layout: $1" >&2; exit 2 ;;
	esac
	fixture_mkfs "$devices" 2G "${options[@]}"
	fixture_mount "$mount"
	truncate -s 2G "$FIX/spare.img"
	losetup -f "$FIX/spare.img"
}

make_receiver()
{
	mkdir "$FIX/receiver"
	truncate -s 4G "$FIX/receiver.img"
	mkfs.btrfs -q -f "$FIX/receiver.img" >/dev/null
	mount -o loop,noatime "$FIX/receiver.img" "$FIX/receiver"
}

# round NUMBER: one filesystem.
round()
{
	local layout=${LAYOUTS[$(($1 % ${#LAYOUTS[@]}))]} left=$((END - SECONDS)) ret=0

	[ "$left" -lt "$ROUND" ] || left=$ROUND
	fixture_begin
	# Not the one of the user who runs this.
	export SENDCP_STATE_DIR=$FIX/state
	make_filesystem "$layout"
	make_receiver
	echo "chaos: seed $SEED round $1: $layout, for $left s; log: $CHAOS_LOG"
	python3 "$here/../lib/chaos.py" "$SEED-$1" "$layout" "$left" "$STREAMS" &
	WORKER=$!
	wait "$WORKER" || ret=$?
	WORKER=
	GIVEN_UP=$((ret == GIVEN_UP_STATUS))
	# A round that did not even come to its end has no counts.
	[ "$ret" -eq 0 ] || [ "$GIVEN_UP" -eq 1 ] || FAILED=1
	clean_up
	trap 'exit 130' INT TERM HUP
}

: >"$CHAOS_LOG"
rm -f "$CHAOS_LOG.counts"
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
for ((number = 0; ; number++)); do
	round "$number"
	[ $SECONDS -lt "$END" ] || break
	[ "$STREAMS" -eq 0 ] || [ "$GIVEN_UP" -eq 1 ] || break
done
# fixture_end has forgotten them.
FIX=/nonexistent FIX_MOUNT=/nonexistent python3 "$here/../lib/chaos.py" || FAILED=1
[ "$FAILED" -eq 0 ]
