# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# docs/recipes.md: snapper, below a root of its own, whose cleanup deletes all that it may.

root=$FIX_MOUNT/root
btrfs -q subvolume create "$root"
story_files "$root"
btrfs -q subvolume create "$root/.snapshots"
mkdir -p "$root/etc/snapper/configs" "$root/etc/default" "$WORLD/backup"
echo 'SNAPPER_CONFIGS="root"' >"$root/etc/default/snapper"
sed 's|^SUBVOLUME=.*|SUBVOLUME=/|; s|^NUMBER_MIN_AGE=.*|NUMBER_MIN_AGE=0|; s|^NUMBER_LIMIT=.*|NUMBER_LIMIT=0|' \
	/usr/share/snapper/config-templates/default >"$root/etc/snapper/configs/root"
program snapper <<-END
	#!/bin/bash
	exec $(command -v snapper) --no-dbus --root "$root" "\$@"
END
"$WORLD/bin/snapper" create -c number
snapshot=$root/.snapshots/1/snapshot
native_send "$WORLD/whole" "$snapshot"
put /backup "$WORLD/backup"
put /.snapshots "$root/.snapshots"
put NUMBER 1

documented docs/recipes.md snapper 1.1
interrupt 20000000
documented -s 75 docs/recipes.md snapper 1.2
"$WORLD/bin/snapper" cleanup number
assert_dir_exists "$snapshot"
documented docs/recipes.md snapper 1.3
assert_stream "$WORLD/backup/home.stream"
documented docs/recipes.md snapper 1.4
"$WORLD/bin/snapper" cleanup number
assert_not_exist "$snapshot"
