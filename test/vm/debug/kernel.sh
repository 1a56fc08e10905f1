#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the debugging kernel from Debian's linux-source-6.1: tinyconfig and the options in `config`
# next to this file (KASAN, UBSAN, lockdep, kmemleak, fault injection).
#
# usage: kernel.sh DIRECTORY       called by fetch.sh, which keeps the result in the cache
#
# Takes 7 to 20 minutes. DIRECTORY then has the layout of a fetched kernel; the build tree serves as
# its headers.
set -euo pipefail
source "$(dirname "$0")/../common.sh"
source "$VM/apt.sh"

SUITE=bookworm
SOURCE=linux-source-6.1
MORE_TOOLS="flex bison bc libelf-dev libssl-dev perl-base xz-utils bzip2 tar cpio kmod"

get_source()
{
	local dir=$1

	say "$SOURCE"
	download "$SUITE" "$dir/debs" "$SOURCE"
	unpack "$dir" "$dir"/debs/*.deb
	mkdir "$dir/tree"
	tar -xJf "$dir/usr/src/$SOURCE.tar.xz" -C "$dir/tree" --strip-components=1
	rm -r "${dir:?}/debs" "${dir:?}/usr"
}

# Options of the fragment missing from the configuration: make silently drops those with unmet
# dependencies.
missing_options()
{
	grep '^CONFIG_' "$VM/debug/config" | grep -vxFf "$1/.config" || true
}

# Runs in the root with the compiler, in a mount namespace of its own.
build_inside()
{
	local root=$1 tree=$2

	mount --bind "$tree" "$root/src"
	mount -t proc proc "$root/proc"
	mount -t tmpfs tmpfs "$root/tmp"
	mount --bind /dev "$root/dev"
	exec chroot "$root" /usr/bin/env -i HOME=/tmp PATH=/usr/bin:/usr/sbin LC_ALL=C bash -ec '
		cd /src
		make -s tinyconfig
		bash scripts/kconfig/merge_config.sh -m .config /src/sendcp.config >/dev/null
		make -s olddefconfig
		make -s -j"$(nproc)" bzImage modules'
}

if [ "${1:-}" = --inside ]; then
	build_inside "$2" "$3"
fi

dir=${1:?usage: kernel.sh DIRECTORY}
make_dir "$CACHE/apt-$SUITE" apt_lists "$SUITE"
make_dir "$CACHE/root-$SUITE" make_root "$SUITE"
# shellcheck disable=SC2086
make_dir "$CACHE/root-debug" make_root "$SUITE" $MORE_TOOLS
get_source "$dir"
cp "$VM/debug/config" "$dir/tree/sendcp.config"
say "building the debugging kernel; this takes a while"
unshare --mount --propagation private "$VM/debug/kernel.sh" --inside "$CACHE/root-debug" "$dir/tree"
lacking=$(missing_options "$dir/tree")
[ -z "$lacking" ] || die "the configuration has not become: $lacking"
release=$(cat "$dir/tree/include/config/kernel.release")
mkdir -p "$dir/headers/usr/src" "$dir/modules/lib/modules/$release"
cp "$dir/tree/arch/x86/boot/bzImage" "$dir/vmlinuz"
cp "$dir/tree"/modules.{builtin,order}* "$dir/modules/lib/modules/$release/"
mv "$dir/tree" "$dir/headers/usr/src/linux-headers-$release"
depmod -b "$dir/modules" "$release"
echo "$SUITE" >"$dir/suite"
echo "$release" >"$dir/release"
