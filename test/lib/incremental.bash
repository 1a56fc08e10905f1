# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Hand-made cases of incremental sends: a subvolume, a snapshot, changes, another snapshot, and the
# streams of all senders for the pair.
#
# All cases of a suite share one filesystem, each in a directory of its own, its working directory:
#   s  the subvolume     a, b, ...  its snapshots     r  received subvolumes
# Streams are kept, and sent again from the images at the end (images_agree).

export PYTHONDONTWRITEBYTECODE=1

# incremental_begin [MKFS-OPTIONS...]; INCREMENTAL_MOUNT: mount options. Called by setup_file.
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

# For cases that touch the root directory only by orphan names, which are made and removed in it: no
# sender restores its times.
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

# Mounts again: inode numbers above the highest in use are reused.
remount()
{
	cd / || return
	fixture_umount
	fixture_mount "${INCREMENTAL_MOUNT:-}"
	cd "$CASE" || return
}

# Runs Python from standard input with fileops.py imported, in the subvolume s.
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

# identical OURS NATIVE: byte for byte; if not, prints the first command that differs.
identical()
{
	cmp -s "$1" "$2" && return
	streamcmp --exact "$1" "$2" || true
	echo "$1 is not $2"
	return 1
}

# check_streams PARENT SNAPSHOT [OPTIONS]: native, direct, and direct re-armed at every command (not
# with NO_STEPS). The stream is left in $STREAM and recorded for images_agree. In OPTIONS an @
# precedes a snapshot's name.
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

# receive_all PARENT SNAPSHOT: receives a full native send of the parent, then $STREAM; compares the
# result with SNAPSHOT.
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

# check_pair [PARENT SNAPSHOT [OPTIONS]]: in both protocols, received too; a and b by default.
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

# check_sharing SNAPSHOT...: the received subvolumes share the same extents.
check_sharing()
{
	local snapshot arguments=()

	for snapshot; do
		arguments+=("$snapshot" "r/$snapshot")
	done
	python3 "$ROOT/test/lib/sharing.py" "${arguments[@]}"
}

# commands: those of the last stream, one a line.
commands()
{
	streamcmp --list "$STREAM"
}

# Sends every stream of the suite again, from the unmounted images.
images_agree()
{
	local stream directory parent snapshot options count=0

	cd / || return
	fixture_umount
	while read -r stream directory parent snapshot options; do
		# A case that failed may have no stream.
		[ -s "$stream" ] || continue
		# shellcheck disable=SC2086
		send_image "$FIX/image" ${options//@/$directory/} \
			-p "$directory/$parent" "$directory/$snapshot"
		identical "$FIX/image" "$stream"
		count=$((count + 1))
	done <"$FIX/cases"
	[ "$count" -gt 0 ] && echo "$count streams"
}
