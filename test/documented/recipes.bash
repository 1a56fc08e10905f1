# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# docs/recipes.md: ssh, buffers, pieces, rclone.

page=docs/recipes.md
words()
{
	put SNAP "$FIX_MOUNT/snap"
	put HOST backup
	put SIZE 5M
	put REMOTE :local
}

words
break_ssh 20000000
documented -s 75 "$page" "Over ssh" 1
assert_equal "$(stat -c %a "$WORLD/far/backup/f")" 600
documented "$page" "Over ssh" 2.1
cp "$HERE/f.cp" "$WORLD/kept.cp"
cp "$WORLD/far/backup/f" "$WORLD/kept"
documented "$page" "Over ssh" 2.2
assert_stream "$WORLD/far/backup/f"
# Once more, as if the first time had not been noticed.
cp "$WORLD/kept.cp" "$HERE/f.cp"
documented "$page" "Over ssh" 2.2
assert_stream "$WORLD/far/backup/f"

new_story
words
interrupt 20000000
documented -s 75 "$page" "mbuffer and pv" 1.1
run_text "$(documented_text "$page" "Over ssh" 2)"
assert_stream "$WORLD/far/backup/f"
new_story
words
interrupt 20000000
documented -s 75 "$page" "mbuffer and pv" 1.2
documented "$page" "mbuffer and pv" 2
assert_stream "$HERE/f"
new_story
words
documented "$page" "mbuffer and pv" 1.3
assert_stream "$HERE/f"

new_story
words
documented "$page" "In pieces" 1
new_story
words
interrupt 20000000
run_text "$(documented_text "$page" "In pieces" 1.1)"
documented "$page" "In pieces" 2
cat "$HERE"/f-* "$HERE"/g-* >"$HERE/joined"
assert_stream "$HERE/joined"

new_story
words
documented "$page" rclone 1
assert_stream "$HERE/backup/f"
# The sender is killed: what rclone has then counts as complete for rclone, and not for sendcp.
new_story
words
interrupt 20000000 KILL
documented -s 137 "$page" rclone 1.1
assert_equal "$STATUSES" "137 0"
run_text "$(documented_text "$page" rclone 1.2)"
assert_equal "$STATUSES" "0 1"
new_story
words
interrupt 20000000
documented -s 75 "$page" rclone 2.1
documented "$page" rclone 2.2
documented "$page" rclone 2.3
documented "$page" rclone 2.4
