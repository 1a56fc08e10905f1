# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# btrbk: docs/from-btrfs-send.md and the example configuration. test/bats/btrbk.bats tests more.

page=docs/from-btrfs-send.md
env -u MAKEFLAGS -u MAKELEVEL make -C "$ROOT" -s install-btrbk BUILD="$BUILD" DESTDIR= PREFIX="$WORLD/usr" >/dev/null
mkdir -p "$FIX_MOUNT/snapshots" "$FIX_MOUNT/backup" "$WORLD/local"
mv "$FIX_MOUNT/data" "$FIX_MOUNT/home"
put /usr/libexec/sendcp "$WORLD/usr/libexec/sendcp"
put /usr/local/bin "$WORLD/local"
export SENDCP_BTRBK_STATE=$WORLD/state SENDCP_BTRBK_MARGIN=1000000
program btrbk <<-END
	#!/bin/bash
	exec $(command -v btrbk) -c "$WORLD/btrbk.conf" "\$@"
END
documented "$page" btrbk "ln -s"
assert_link_exists "$WORLD/local/btrfs-receive"

conf=docs/examples/btrbk/btrbk.conf
{
	echo "lockfile $WORLD/lock"
	sed "s|/mnt/pool|$FIX_MOUNT|; s|/mnt/backup|$FIX_MOUNT/backup|" "$ROOT/$conf"
} >"$WORLD/btrbk.conf"
interrupt 20000000
documented -s 1 "$conf" "" 1.1
documented "$conf" "" 1.2
diff -r "$FIX_MOUNT/home" "$FIX_MOUNT"/backup/home.*
