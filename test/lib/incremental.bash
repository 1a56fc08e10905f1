# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Hand-made cases of incremental sends: a subvolume, a snapshot, changes, a snapshot, and what all
# senders make of the two.
#
# All cases of a suite share one filesystem, each in a directory of its own, which it stands in:
#   s  the subvolume     a, b, ...  its snapshots     r  what was received
# Streams are kept, and the images are asked for all of them at the end (images_agree).

export PYTHONDONTWRITEBYTECODE=1

# incremental_begin [MKFS-OPTIONS...]; INCREMENTAL_MOUNT: mount options. For setup_file.
incremental_begin()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 4G "$@"
	fixture_mount "${INCREMENTAL_MOUNT:-}"
	: >"$FIX/cases"
}

# begin [SUFFIX]: a new case, in its directory.
begin()
{
	CASE=$FIX_MOUNT/c$BATS_TEST_NUMBER${1:-}
	mkdir "$CASE"
	cd "$CASE" || return
	btrfs -q subvolume create s
	ROOT_TIMES=
}

# For cases that leave the root directory alone but for orphan names, which are made and removed in
# it: no sender puts its times right afterwards.
orphans_touch_the_root()
{
	ROOT_TIMES=--any-root-times
}

# snapshot NAME...
snapshot()
{
	local name

	for name; do
		btrfs -q subvolume snapshot -r s "$name"
	done
}

# Mounts anew: inode numbers above the highest in use are given out again.
remount()
{
	cd / || return
	fixture_umount
	fixture_mount "${INCREMENTAL_MOUNT:-}"
	cd "$CASE" || return
}

# Python with the words of fileops.py, from standard input, in the subvolume s.
ops()
{
	{
		echo "from fileops import *"
		cat
	} | (cd s && PYTHONPATH=$ROOT/test/lib python3 -)
}

# exchange ONE OTHER, in s
exchange()
{
	ops <<<"exchange('$1', '$2')"
}

# identical OURS NATIVE: byte for byte; if not, the first command that differs is shown.
identical()
{
	cmp -s "$1" "$2" && return
	streamcmp --exact "$1" "$2" || true
	echo "$1 is not $2"
	return 1
}

# check_streams PARENT SNAPSHOT [OPTIONS]: native, direct, and direct re-armed at every command (not
# with NO_STEPS). The stream is left in $STREAM, and noted for images_agree. In OPTIONS an @ stands
# in front of a snapshot's name.
check_streams()
{
	local parent=$1 snapshot=$2

	shift 2
	STREAM=$FIX/$(wc -l <"$FIX/cases").stream
	echo "$STREAM ${CASE##*/} $parent $snapshot $*" >>"$FIX/cases"
	set -- "${@#@}"
	native_send "$STREAM.native" "$@" -p "$parent" "$snapshot"
	send_direct "$STREAM" "$@" -p "$parent" "$snapshot"
	identical "$STREAM" "$STREAM.native"
	if [ -z "${NO_STEPS:-}" ]; then
		send_direct "$STREAM.steps" --step "$@" -p "$parent" "$snapshot"
		identical "$STREAM.steps" "$STREAM"
	fi
	rm -f "$STREAM.native" "$STREAM.steps"
}

# receive_all PARENT SNAPSHOT: the parent in full from native, then $STREAM; compared with SNAPSHOT.
receive_all()
{
	if [ ! -e "r/$1" ]; then
		mkdir -p r
		btrfs send -q "$1" | btrfs -q receive r
	fi
	btrfs -q receive -f "$STREAM" r
	# shellcheck disable=SC2086
	treecmp $ROOT_TIMES "$2" "r/$2"
}

# check_pair [PARENT SNAPSHOT [OPTIONS]]: in both protocols, and received; a and b if not told.
check_pair()
{
	local parent=${1:-a} snapshot=${2:-b} protocol

	[ $# -lt 2 ] || shift 2
	for protocol in 1 2; do
		check_streams "$parent" "$snapshot" --proto $protocol "$@"
		[ ! -e "r/$snapshot" ] || btrfs -q subvolume delete "r/$snapshot" >/dev/null
		receive_all "$parent" "$snapshot"
	done
}

# check_sharing SNAPSHOT...: what was received shares what they share.
check_sharing()
{
	local snapshot arguments=()

	for snapshot; do
		arguments+=("$snapshot" "r/$snapshot")
	done
	python3 "$ROOT/test/lib/sharing.py" "${arguments[@]}"
}

# commands: the last stream's, one a line.
commands()
{
	streamcmp --list "$STREAM"
}

# Every stream of the suite once more, from the unmounted images.
images_agree()
{
	local stream directory parent snapshot options count=0

	cd / || return
	fixture_umount
	while read -r stream directory parent snapshot options; do
		# Of a case that failed there may be none; that case has said so.
		[ -s "$stream" ] || continue
		# shellcheck disable=SC2086
		send_image "$FIX/image" ${options//@/$directory/} \
			-p "$directory/$parent" "$directory/$snapshot"
		identical "$FIX/image" "$stream"
		count=$((count + 1))
	done <"$FIX/cases"
	[ "$count" -gt 0 ] && echo "$count streams"
}
