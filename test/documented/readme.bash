# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# README.md.

mkdir "$WORLD/backup"
put /backup "$WORLD/backup"
put /mnt/snap "$FIX_MOUNT/snap"
put /mnt/pool "$FIX_MOUNT/received"

btrfs send -q "$FIX_MOUNT/snap" | head -c 15000000 >"$WORLD/backup/old.stream"
documented README.md sendcp 1
assert_stream "$WORLD/backup/old.stream"

interrupt 20000000
documented -s 75 README.md Use 1.1
documented README.md Use 1.2
documented README.md Use 1.3
assert_stream "$WORLD/backup/snap.stream"
assert_received "$FIX_MOUNT/received/snap"

break_ssh 20000000
documented -s 75 README.md Use 2.1
documented README.md Use 2.2
documented README.md Use 2.3
assert_stream "$WORLD/far/backup/f"
assert_equal "$(stat -c %a "$WORLD/far/backup/f")" 600

rm "$WORLD/far/backup/f" "$HERE/f.cp"
break_ssh 20000000
documented README.md Use 3.1
assert_stream "$WORLD/far/backup/f"
documented README.md Use 3.1
assert_stream "$WORLD/far/backup/f"

new_story
put /backup "$HERE"
put /mnt/snap "$FIX_MOUNT/snap"
interrupt 20000000
documented -s 75 README.md Example 1.1
documented README.md Example 1.2
documented README.md Example 1.3
documented README.md Example 1.4
assert_stream "$HERE/snap.stream"

# The overview: what each is run after is not in it.
new_story
put SNAP "$FIX_MOUNT/snap"
put FILE file
put CP f.cp
put F f
put N 20000000
documented README.md Commands "send SNAP"
interrupt 20000000
documented -s 75 README.md Commands "send -f FILE SNAP"
documented README.md Commands "show FILE.cp"
documented README.md Commands "sendcp list"
documented README.md Commands "resume --checkpoint FILE.cp"
documented README.md Commands "verify FILE"
documented README.md Commands "dump FILE"
documented -o README.md Commands "cat FILE"
assert_stream "$WORLD/output"
truncate -s 20000000 "$HERE/file"
documented README.md Commands "resume --append FILE SNAP"
assert_stream "$HERE/file"
documented README.md Commands "sendcp info"
"$SENDCP" send -q --checkpoint "$HERE/f.cp" "$FIX_MOUNT/snap" | head -c 20000000 >"$HERE/f" || true
put P "$("$SENDCP" verify --position "$HERE/f")"
cp "$HERE/f.cp" "$HERE/kept.cp"
documented -o README.md Commands "CP --at N"
assert_ends_stream 20000000
cp "$HERE/kept.cp" "$HERE/f.cp"
documented README.md Commands "CP --have P"
cp "$HERE/kept.cp" "$HERE/f.cp"
documented README.md Commands "CP --append F"
assert_stream "$HERE/f"

new_story
put SNAP "$FIX_MOUNT/snap"
put DIR "$FIX_MOUNT/received"
interrupt 20000000 INT f.zst 1000000
documented -s 75 README.md Containers 1.1
documented README.md Containers 1.2
documented README.md Containers 1.3
assert_received "$FIX_MOUNT/received/snap"
