#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the module for a kernel, with that kernel's compiler and headers, from a copy of the source
# tree; leaves $BUILD/vm/KERNEL/sendcp.ko.
#
# usage: build.sh KERNEL [COMMAND...]
#
# COMMAND runs instead of `make module` in the copy, in the root with the compiler, with KDIR set;
# e.g. build.sh 6.1 make module V=1, or build.sh 6.1 bash. MODULE_FLAGS='NAME=VALUE...' are passed
# to make as arguments, e.g. EXTRA_CFLAGS.
set -euo pipefail
source "$(dirname "$0")/common.sh"

# The module's sources, and the makefiles.
SOURCES="Makefile packaging.mk dkms.conf Kbuild module src include test/*/*.mk bench/*.mk"

copy_sources()
(
	to=$1
	cd "$ROOT"
	# shellcheck disable=SC2086
	list=$(ls -d $SOURCES 2>/dev/null) || true
	# shellcheck disable=SC2086
	tar --exclude='*.o' --exclude='*.ko' --exclude='*.cmd' --exclude='*.mod*' -c $list | tar -x -C "$to"
)

# A digest of the sources, so that the same ones are not built twice.
fingerprint()
{
	(cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
}

# Runs in a mount namespace of its own, so that nothing remains mounted.
enter()
{
	local kernel=$1 root=$2 source=$3 kbuild

	shift 3
	mount --bind "$kernel/headers/usr/src" "$root/usr/src"
	for kbuild in "$kernel"/headers/usr/lib/linux-kbuild-*; do
		[ -d "$kbuild" ] || continue
		mkdir -p "$root/usr/lib/${kbuild##*/}"
		mount --bind "$kbuild" "$root/usr/lib/${kbuild##*/}"
	done
	mount --bind "$source" "$root/src"
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmpfs "$root/tmp"
	mount --bind /dev "$root/dev"
	exec chroot "$root" /usr/bin/env -i HOME=/tmp PATH=/usr/bin:/usr/sbin LC_ALL=C \
		KDIR="/usr/src/linux-headers-$(cat "$kernel/release")" \
		bash -c 'cd /src && exec "$@"' bash "$@"
}

# This script runs itself again in a mount namespace.
if [ "${1:-}" = --enter ]; then
	shift
	enter "$@"
fi

[ "$(id -u)" = 0 ] || die "changing root needs root"
name=$(kernel_names "${1:?usage: build.sh KERNEL [COMMAND...]}")
shift
kernel=$CACHE/kernel-$name
[ -d "$kernel" ] || "$VM/fetch.sh" "$name"
suite=$(cat "$kernel/suite")
release=$(cat "$kernel/release")
dir=$OUT/$name
mkdir -p "$dir"
exec {lock}>"$dir/lock"
flock "$lock"
rm -rf "$dir/src.new"
mkdir "$dir/src.new"
copy_sources "$dir/src.new"
state="$(fingerprint "$dir/src.new") $release ${MODULE_FLAGS:-}"
if [ $# -eq 0 ] && [ -f "$dir/sendcp.ko" ] && [ "$state" = "$(cat "$dir/state" 2>/dev/null)" ]; then
	exit 0
fi
rm -rf "$dir/src" "$dir/state"
mv "$dir/src.new" "$dir/src"
command=("$@")
# shellcheck disable=SC2206
[ $# -gt 0 ] || command=(make -j"$(nproc)" module KDIR="/usr/src/linux-headers-$release" ${MODULE_FLAGS:-})
unshare --mount --propagation private "$VM/build.sh" --enter "$kernel" "$CACHE/root-${suite%-backports}" \
	"$dir/src" "${command[@]}"
[ $# -eq 0 ] || exit 0
module=$(find "$dir/src" -name sendcp.ko | head -1)
[ -n "$module" ] || die "make module made no sendcp.ko"
cp "$module" "$dir/sendcp.ko"
echo "$state" >"$dir/state"
