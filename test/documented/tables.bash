# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Commands in tables and in text: docs/recipes.md for users of zfs, formats, exit statuses.

page=docs/recipes.md
table="For users of zfs"
put A "$FIX_MOUNT/old"
put B "$FIX_MOUNT/snap"
put FILE file
put CP f.cp
documented "$page" "$table" "sendcp send -p A B"
documented "$page" "$table" "sendcp send --compressed-data A"
documented -o "$page" "$table" "sendcp send --dry-run A"
assert_equal "$(cat "$WORLD/output")" "$("$SENDCP" send -q "$FIX_MOUNT/old" | wc -c)"
interrupt 20000000
run_text "sendcp send --checkpoint f.cp '$FIX_MOUNT/snap' | cat >file"
documented -o "$page" "$table" "sendcp verify --position FILE"
put POSITION "$(cat "$WORLD/output")"
kept=$(cut -d : -f 1 "$WORLD/output")
documented -o "$page" "$table" "sendcp resume --checkpoint CP --have POSITION"
assert_ends_stream "$kept"
truncate -s "$kept" "$HERE/file"
cat "$WORLD/output" >>"$HERE/file"
documented "$page" "$table" "sendcp dump FILE"
documented "$page" "$table" "rm FILE CP"
assert_not_exist "$HERE/file"

new_story
put DIR "$FIX_MOUNT/received"
"$SENDCP" send -q --archive -f "$HERE/f.tar" "$FIX_MOUNT/snap"
documented docs/formats.md Archives "bsdtar"
assert_received "$FIX_MOUNT/received/snap"
bsdtar -C "$HERE" -xf "$HERE/f.tar"
put N 0000000001
documented -o docs/formats.md Writing "xxhsum"
jq -r .xxh3_128 "$HERE/checkpoint.0000000001" | grep -qF "$(cut -d ' ' -f 1 "$WORLD/output")"

new_story
put FILE file
interrupt 20000000
run_text "sendcp send -f file '$FIX_MOUNT/snap'"
documented docs/exit-status.md "Writing the output and the checkpoint file, reading a device" "sendcp resume"
assert_stream "$HERE/file"
