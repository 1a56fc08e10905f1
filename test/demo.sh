#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sendcp in two minutes: an image of real files, a send that is killed midway, and a resumed one
# with the same bytes.
#
# As root the image contains a snapshot of real files, made on a loop device. Only root can make a
# snapshot, so otherwise mkfs.btrfs puts the files into the top-level subvolume.
#
# usage: demo.sh [SENDCP]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
if [ $# -gt 0 ]; then
	SENDCP=$(realpath "$1")
	BUILD=$(dirname "$SENDCP")
fi
# shellcheck source=lib/fixture.bash
source "$here/lib/fixture.bash"
fixture_trap
fixture_begin
# Nothing is left in the state directory.
export SENDCP_STATE_DIR=$FIX/state
cd "$FIX"

say()
{
	printf '\n\033[1m%s\033[0m\n' "$*"
}

# Prints a command and runs it.
show()
{
	printf '  $ %s\n' "$*"
	PATH=$(dirname "$SENDCP"):$PATH bash -c "$*"
}

human()
{
	numfmt --to=iec --suffix=B "$1"
}

real_files()
{
	cp -a --reflink=never /usr/share/doc "$1" 2>/dev/null || true
	find /usr/bin -type f -size -4M -exec cp -a -t "$1" {} + 2>/dev/null || true
	head -c 100M /dev/urandom >"$1/noise"
}

image_with_snapshot()
{
	say "1. An image with a snapshot of real files"
	fixture_mkfs 1 2G
	fixture_mount compress=zstd
	btrfs -q subvolume create "$FIX_MOUNT/files"
	real_files "$FIX_MOUNT/files"
	cp --reflink=always "$FIX_MOUNT/files/noise" "$FIX_MOUNT/files/reflinked"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/files" "$FIX_MOUNT/snapshot"
	echo "  $(find "$FIX_MOUNT/snapshot" | wc -l) files, $(du -sh "$FIX_MOUNT/snapshot" | cut -f 1)"
	btrfs send -q "$FIX_MOUNT/snapshot" >native
	fixture_umount
	IMAGE=${FIX_IMAGES# }
	SNAPSHOT=snapshot
}

image_without_root()
{
	say "1. An image with real files (no snapshot: that needs $(fixture_missing))"
	mkdir files
	real_files files
	truncate -s 2G image
	show "mkfs.btrfs -q --rootdir files image"
	echo "  $(find files | wc -l) files, $(du -sh files | cut -f 1)"
	IMAGE=$FIX/image
	SNAPSHOT=id:5
}

[ -x "$SENDCP" ] || { echo "demo: $SENDCP is not built; run make first" >&2; exit 1; }
[ -x "$TOOLS/streamcut" ] || make -s -C "$ROOT" BUILD="$BUILD" test-tools
if [ -z "$(fixture_missing)" ]; then
	image_with_snapshot
else
	image_without_root
fi
ln -s "$IMAGE" disk.img

say "2. The stream in one uninterrupted run"
show "sendcp send --device disk.img $SNAPSHOT >whole"
size=$(stat -c %s whole)
echo "  $(human "$size")"
if [ -e native ]; then
	say "   The same, command by command, as btrfs send's:"
	show "streamcmp whole native"
fi

say "3. The same, into a pipe, and the sender is killed (SIGKILL) after two fifths of it"
cut=$((size * 2 / 5 + 12345))
echo "  $ sendcp send --checkpoint cp --device disk.img $SNAPSHOT | ..."
streamcut --signal KILL $cut -- "$SENDCP" send --checkpoint cp --checkpoint-interval 4M \
	--device disk.img "$SNAPSHOT" >first.part || echo "  exit status $? (killed)"
echo "  the receiver has $(stat -c %s first.part) bytes; the sender left its checkpoint:"
show "tail -n 1 cp | cut -c 1-200"

say "4. Another process resumes where the receiver stopped"
show "time sendcp resume --checkpoint cp --at $cut >second.part"
echo "  $(stat -c %s second.part) bytes"

say "5. Both parts together are the uninterrupted stream"
show "cat first.part second.part | cmp - whole && echo identical: \$(sha256sum <whole)"

if command -v btrfs >/dev/null; then
	say "6. btrfs receive reads it"
	show "cat first.part second.part | btrfs receive --dump | tail -n 4"
fi

if [ -z "$(fixture_missing)" ]; then
	say "7. And makes the snapshot of it, file by file the same"
	fixture_mount
	mkdir "$FIX_MOUNT/received"
	show "cat first.part second.part | btrfs -q receive $FIX_MOUNT/received"
	treecmp --any-root-times "$FIX_MOUNT/$SNAPSHOT" "$FIX_MOUNT/received/$SNAPSHOT" | sed 's/^/  /'
fi
say "Done."
