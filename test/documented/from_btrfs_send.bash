# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# docs/from-btrfs-send.md, without nightly sends and btrbk.

page=docs/from-btrfs-send.md
table="From btrfs send to sendcp"
put SNAP "$FIX_MOUNT/snap"
put OLD "$FIX_MOUNT/old"
put A "$FIX_MOUNT/old"
put B "$FIX_MOUNT/between"
put DIR "$FIX_MOUNT/received"
put FILE file
btrfs -q subvolume snapshot -r "$FIX_MOUNT/data" "$FIX_MOUNT/between"

# Each replacement makes what its left column makes.
in_both()
{
	documented -o "$page" "$table" "btrfs send $1"
	mv "$WORLD/output" "$WORLD/native"
	documented -o "$page" "$table" "sendcp send $2"
	streamcmp "$WORLD/native" "$WORLD/output"
}

in_both "-p OLD SNAP" "-p OLD SNAP"
in_both "-c A -c B SNAP" "-c A -c B SNAP"
documented "$page" "$table" "btrfs send -e A B"
documented "$page" "$table" "btrfs send SNAP | btrfs receive DIR"
forget_received
documented "$page" "$table" "sendcp send SNAP | btrfs receive DIR"
assert_received "$FIX_MOUNT/received/snap"
documented "$page" "$table" "btrfs send -f FILE SNAP"
documented -o "$page" "$table" "btrfs receive --dump -f FILE"
mv "$WORLD/output" "$WORLD/native"
documented -o "$page" "$table" "sendcp dump FILE"
diff "$WORLD/native" "$WORLD/output"
documented "$page" "$table" "sendcp verify FILE"
rm "$HERE/file"
interrupt 20000000
documented -s 75 "$page" "$table" "sendcp send -f FILE SNAP"
documented "$page" "$table" "sendcp send -f FILE SNAP"
assert_stream "$HERE/file"
rm "$HERE/file"
# Nothing is damaged here; test/bats/data_error.bats has what is.
documented "$page" "$table" "sendcp send --on-data-error=zero -f FILE SNAP"
assert_stream "$HERE/file"
documented "$page" "$table" "btrfs send SNAP | zstd >FILE"
rm "$HERE/file"
documented "$page" "$table" "sendcp send --compress -f FILE SNAP"
zstd -q -dc <"$HERE/file" >"$HERE/plain"
assert_stream "$HERE/plain"
truncate -s 9000000 "$HERE/file"
documented "$page" "A file of btrfs send, or of any other program" 'sendcp resume --append FILE SNAP'
zstd -q -dc <"$HERE/file" | cmp - "$HERE/plain"

new_story
mkdir -p "$WORLD/backup" "$WORLD/far/host"
put /backup/pool "$FIX_MOUNT/received"
put /backup "$WORLD/backup"
put /snap/home "$FIX_MOUNT/snap"
interrupt 20000000
documented -s 75 "$page" "To a file" 1.1
documented "$page" "To a file" "sendcp list"
documented "$page" "To a file" 1.2
documented "$page" "To a file" 1.3
assert_received "$FIX_MOUNT/received/snap"
rm "$WORLD/backup/home.stream"
interrupt 20000000
documented -s 75 "$page" "To a file" "sendcp send /snap/home >/backup/home.stream"
run_last_line
assert_stream "$WORLD/backup/home.stream"

forget_received
break_ssh 20000000
documented -s 75 "$page" "Over the network" 1.1
assert_equal "$(stat -c %a "$WORLD/far/host/home.stream")" 600
documented "$page" "Over the network" 'have=$(ssh host'
documented "$page" "Over the network" 1.2
documented "$page" "Over the network" 1.3
documented "$page" "Over the network" 1.4
assert_received "$FIX_MOUNT/received/snap"

new_story
put /snap/home "$FIX_MOUNT/snap"
break_ssh 20000000
documented "$page" "In one line" 1.1
grep -q "exit status 255" "$WORLD/messages"
assert_stream "$WORLD/far/host/home.stream"
documented -o "$page" "In one line" 'ssh host "stat'
assert_equal "$(cat "$WORLD/output")" "$(file_size "$WORLD/far/host/home.stream")"
