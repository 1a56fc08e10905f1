# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The manual pages' examples.

put /snap/home "$FIX_MOUNT/snap"
break_ssh 20000000
documented -s 75 man/sendcp.8 EXAMPLES 1.1
documented man/sendcp.8 EXAMPLES 1.2
cp "$HERE/home.cp" "$WORLD/kept.cp"
documented man/sendcp.8 EXAMPLES 1.3
assert_stream "$WORLD/far/host/home.stream"

cp "$WORLD/kept.cp" "$HERE/home.cp"
truncate -s 20000000 "$WORLD/far/host/home.stream"
documented man/sendcp.8 EXAMPLES 2
assert_stream "$WORLD/far/host/home.stream"

# A disk that is full, and has room later.
new_story
put /snap/home "$FIX_MOUNT/snap"
put /backup "$WORLD/backup"
mkdir "$WORLD/backup"
mount -t tmpfs -o size=20M tmpfs "$WORLD/backup"
documented -s 75 man/sendcp.8 EXAMPLES 3.1
documented man/sendcp.8 EXAMPLES 4
mount -o remount,size=100M "$WORLD/backup"
documented man/sendcp.8 EXAMPLES 3.2
assert_stream "$WORLD/backup/home.stream"
umount "$WORLD/backup"

new_story
put /snap/home "$FIX_MOUNT/snap"
interrupt 20000000 INT f.zst 1000000
documented -s 75 man/sendcp.8 EXAMPLES 5.1
documented man/sendcp.8 EXAMPLES 5.2
zstd -q -d "$HERE/f.zst"
assert_stream "$HERE/f"

break_btrfs 15000000
documented -s 153 man/sendcp.8 EXAMPLES 6.1
assert_equal "$(file_size "$HERE/home.stream")" 15000000
documented man/sendcp.8 EXAMPLES 6.2
assert_stream "$HERE/home.stream"

put /snap "$FIX_MOUNT/received"
zstd -q "$HERE/home.stream" -o "$HERE/home.zst"
documented man/sendcp.8 EXAMPLES 7
assert_received "$FIX_MOUNT/received/snap"

rm "$HERE/home.stream"
interrupt 20000000
run_text "sendcp send -f home.stream '$FIX_MOUNT/snap'"
documented man/sendcp-checkpoint.5 EXAMPLES 1

new_story
put /snap/home "$FIX_MOUNT/snap"
break_ssh 20000000
documented man/sendcp.8 EXAMPLES "sendcp send --continue"
assert_stream "$WORLD/far/host/home.stream"
