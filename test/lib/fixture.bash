# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Filesystems to send from, on loop devices in a directory of their own; always removed at the end.
#
# State is in exported strings, not arrays, so that bats' setup_file can pass it to the tests:
#   FIX          scratch directory     FIX_MOUNT    mount point
#   FIX_IMAGES   image files           FIX_DEVICES  their loop devices

ROOT=${ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BUILD=${BUILD:-$ROOT/build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
SENDCP=${SENDCP:-$BUILD/sendcp}
TOOLS=${TOOLS:-$BUILD/test}
export ROOT BUILD SENDCP TOOLS
PATH=$TOOLS:$PATH:/usr/sbin:/sbin

# Prints the requirements missing to mount a filesystem here; nothing if there are none.
fixture_missing()
{
	local program device

	[ "$(id -u)" = 0 ] || { echo "root"; return; }
	for program in mkfs.btrfs btrfs losetup python3 setcap; do
		command -v $program >/dev/null || { echo "the program $program"; return; }
	done
	grep -qw btrfs /proc/filesystems || modprobe -q btrfs 2>/dev/null ||
		{ echo "btrfs in the kernel"; return; }
	device=$(losetup -f 2>/dev/null) && [ -n "$device" ] || echo "loop devices"
}

# In a bats test or setup: skip if nothing can be mounted, or fail where skipping is not allowed.
require_mount()
{
	local missing

	missing=$(fixture_missing)
	[ -z "$missing" ] || require_failed "needs $missing"
}

require_program()
{
	command -v "$1" >/dev/null || require_failed "needs the program $1"
}

# For tests that count system calls, limit memory, or look at names.
require_no_sanitizer()
{
	[ -z "${SENDCP_SANITIZED:-}" ] || skip "a sanitizer has calls, memory and names of its own"
}

# Leaks cannot be looked for while a program is traced.
require_strace()
{
	require_program strace
	[ -z "${SENDCP_SANITIZED:-}" ] || export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
}

require_failed()
{
	if [ "${CI:-}" = true ] || [ "${SENDCP_REQUIRE_ALL:-}" = 1 ]; then
		echo "must not be skipped here: $1" >&2
		return 1
	fi
	skip "$1"
}

# A scratch directory; in /var/tmp if /tmp is in memory, since images get large.
fixture_begin()
{
	FIX=$(mktemp -d "${TMPDIR:-/tmp}/sendcp-test.XXXXXX")
	FIX_MOUNT=$FIX/mnt
	FIX_IMAGES=
	FIX_DEVICES=
	mkdir "$FIX_MOUNT"
	export FIX FIX_MOUNT FIX_IMAGES FIX_DEVICES
}

# fixture_mkfs COUNT SIZE [MKFS-OPTIONS...]: a new filesystem on COUNT loop devices.
fixture_mkfs()
{
	local count=$1 size=$2 i image

	shift 2
	fixture_umount
	fixture_detach
	for ((i = 0; i < count; i++)); do
		image=$FIX/disk$i.img
		rm -f "$image"
		truncate -s "$size" "$image"
		FIX_IMAGES+=" $image"
		FIX_DEVICES+=" $(losetup -f --show "$image")"
	done
	# shellcheck disable=SC2086
	mkfs.btrfs -q -f "$@" $FIX_DEVICES >/dev/null 2>"$FIX/mkfs.log" ||
		{ cat "$FIX/mkfs.log" >&2; return 1; }
}

# fixture_mount [OPTIONS]: no access times, and short commits, so that deletions soon take effect.
fixture_mount()
{
	local device first=${FIX_DEVICES# }

	mountpoint -q "$FIX_MOUNT" && return
	for device in $FIX_DEVICES; do
		btrfs device scan "$device" >/dev/null 2>&1 || true
	done
	mount -t btrfs -o "noatime,commit=1${1:+,$1}" "${first%% *}" "$FIX_MOUNT"
}

# A subvolume held by a sendcp that was killed with SIGKILL is released a moment later: its holder
# (user/backend/hold.c) first has to notice that it was orphaned.
fixture_unheld()
{
	local pid

	for pid in $(pgrep -x sendcp-hold || true); do
		while find "/proc/$pid/fd" -lname "$FIX_MOUNT*" 2>/dev/null | grep -q . &&
			[[ "$(ps -o comm= -p "$(ps -o ppid= -p "$pid")")" != sendcp* ]]; do
			sleep 0.01
		done
	done
}

fixture_umount()
{
	fixture_unheld
	while mountpoint -q "$FIX_MOUNT"; do
		umount "$FIX_MOUNT" || return
	done
}

# By backing file, not FIX_DEVICES: a test's changes to that do not reach later tests and
# teardown_file.
fixture_loops()
{
	losetup -l -n -O NAME,BACK-FILE | awk -v images="$FIX/" 'index($2, images) == 1 { print $1 }'
}

fixture_detach()
{
	local device

	for device in $(fixture_loops); do
		# The kernel remembers members of filesystems; a reused loop device must not be one.
		btrfs device scan --forget "$device" >/dev/null 2>&1 || true
		losetup -d "$device" 2>/dev/null || true
	done
	FIX_DEVICES=
	FIX_IMAGES=
}

fixture_end()
{
	[ -n "${FIX:-}" ] || return 0
	fixture_umount || umount -l "$FIX_MOUNT" || true
	fixture_detach
	rm -rf --one-file-system "$FIX"
	FIX=
}

# For scripts that are not bats suites.
fixture_trap()
{
	trap fixture_end EXIT
	trap 'exit 130' INT TERM HUP
}

# fixture_everything [OPTIONS]: the subvolume s with every kind of item, and its read-only snapshot
# s.ro.
fixture_everything()
{
	btrfs -q subvolume create "$FIX_MOUNT/s"
	python3 "$ROOT/test/lib/everything.py" "$FIX_MOUNT/s" "$@"
}

# fixture_random SEED [OPERATIONS]: a random subvolume with snapshots a and b; prints the seed.
fixture_random()
{
	python3 "$ROOT/test/lib/random_tree.py" "$1" "$FIX_MOUNT" "${2:-400}"
}

# Prints --device options for all images.
image_options()
{
	local image

	for image in $FIX_IMAGES; do
		printf -- '--device %s ' "$image"
	done
}

# native_send OUT [OPTIONS] SUBVOL...
native_send()
{
	local out=$1

	shift
	btrfs send -q "$@" >"$out"
}

# send_direct OUT [OPTIONS] SUBVOL...: from the mounted filesystem, without the module.
send_direct()
{
	local out=$1

	shift
	"$SENDCP" send -q --backend direct "$@" >"$out"
}

# send_image OUT [OPTIONS] SUBVOL...: from the unmounted images.
send_image()
{
	local out=$1

	shift
	# shellcheck disable=SC2046
	"$SENDCP" send -q $(image_options) "$@" >"$out"
}

# same_as_native OURS NATIVE: equal commands, except where native drops or truncates something.
same_as_native()
{
	streamcmp --allow-deviation cap-prefix --allow-deviation update-extent-32bit "$1" "$2"
}
