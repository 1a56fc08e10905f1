# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Nightly sends, by systemd and by cron: docs/from-btrfs-send.md, docs/recipes.md, home.conf.
# test/bats/nightly.bats and make check-install test the program and the units themselves.

page=docs/from-btrfs-send.md
env -u MAKEFLAGS -u MAKELEVEL make -C "$ROOT" -s install BUILD="$BUILD" DESTDIR= PREFIX="$WORLD/usr" >/dev/null
mkdir -p "$WORLD/backup" "$FIX_MOUNT/snapshots" "$WORLD/etc/systemd/system"
cp -a "$WORLD/usr/lib/systemd/system/." "$WORLD/etc/systemd/system/"
put /usr/share/doc/sendcp "$WORLD/usr/share/doc/sendcp"
put /usr/libexec/sendcp "$WORLD/usr/libexec/sendcp"
put /etc/sendcp "$WORLD/etc/sendcp"
put /mnt/backup "$WORLD/backup"
echo "tmpfs $WORLD/backup tmpfs size=100M 0 0" >"$WORLD/fstab"
# systemd itself does not run here: the unit is enabled, below another root, and not started.
program systemctl <<-END
	#!/bin/bash
	[ "\$1 \$2" = "enable --now" ] || exit
	exec $(command -v systemctl) --root="$WORLD" enable "\${@:3}"
END
export LIBMOUNT_FSTAB=$WORLD/fstab
documented "$page" "Every night" 1.1
documented "$page" "Every night" 1.2
mountpoint "$WORLD/backup"
documented "$page" "Every night" 1.3
assert_link_exists "$WORLD/etc/systemd/system/timers.target.wants/sendcp-send@home.timer"

# Edited, as the page says.
sed -i "s|^SUBVOLUME=.*|SUBVOLUME=$FIX_MOUNT/data|; s|^SNAPSHOTS=.*|SNAPSHOTS=$FIX_MOUNT/snapshots|
	s|^TARGET=.*|TARGET=$WORLD/backup|" "$WORLD/etc/sendcp/home.conf"
documented docs/recipes.md "From cron" 1
# No mail.
assert_equal "$(cat "$WORLD/output")" ""
assert_equal "$(ls "$WORLD"/backup/*.stream | wc -l)" 1
put STREAM "$(ls "$WORLD"/backup/*.stream)"
put DIR "$FIX_MOUNT/received"
documented "$page" Failures 'sendcp cat STREAM | btrfs receive DIR'
diff -r "$FIX_MOUNT/data" "$FIX_MOUNT"/received/*

put /backup "$WORLD/backup"
documented docs/recipes.md "From cron" 2
interrupt 20000000
run_text "sendcp send -f '$WORLD/backup/home.stream' '$FIX_MOUNT/snap'"
documented docs/recipes.md "From cron" 2
assert_stream "$WORLD/backup/home.stream"
umount "$WORLD/backup"
