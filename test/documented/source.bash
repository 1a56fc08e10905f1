# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What is done in a checkout: building, installing, packages.

# shellcheck disable=SC2034 # Read by documented.bash.
HERE=$ROOT
unset MAKEFLAGS MAKELEVEL
export DESTDIR=$WORLD/root
documented README.md Install "make deps && make install"
assert_file_executable "$WORLD/root/usr/local/bin/sendcp"
rm -r "$WORLD/root"
documented docs/from-btrfs-send.md Installing "make install PREFIX=/usr/local"
assert_file_executable "$WORLD/root/usr/local/bin/sendcp"
documented README.md Tests "make help"
documented docs/examples/send-image.c "" "make build/examples/send-image"
if git -C "$ROOT" rev-parse >/dev/null 2>&1; then
	documented docs/packages.md "The project's address" "git grep"
fi
