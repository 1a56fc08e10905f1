#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Fetches Debian's current kernels into the cache: image, modules, headers, and for each suite a
# chroot directory with the kernel's compiler. Existing ones are kept.
#
# usage: fetch.sh [--update] [KERNEL...]     --update: look for newer kernels, replace older ones
#
# `debug` is the debugging kernel, which is built instead: see debug/kernel.sh.
set -euo pipefail
source "$(dirname "$0")/common.sh"

source "$VM/apt.sh"

# Unpacks only the directories with modules that a guest may need.
unpack_image()
{
	local dir=$1 deb=$2

	unpack "$dir" "$deb" --wildcards-match-slash --exclude='*/kernel/net/*' \
		--exclude='*/kernel/sound/*' --exclude='*/kernel/fs/[!bl]*' --exclude='*/kernel/drivers/[!bmv]*' \
		--exclude='*/kernel/drivers/m[!d]*' --exclude='./usr/share/*'
}

make_kernel()
{
	local name=$1 suite=$2 dir=$3 packages deb release

	packages=$(kernel_packages "$suite")
	release=$(sed -nE 's/^linux-headers-([0-9].*-amd64)$/\1/p' <<<"$packages")
	[ -n "$release" ] || die "no headers of kernel $name in $suite"
	say "kernel $name: $release from $suite"
	# shellcheck disable=SC2046
	download "$suite" "$dir/debs" $(grep -E '^linux-(image|binary|modules|base|headers|kbuild)-[0-9]' <<<"$packages")
	mkdir "$dir/headers" "$dir/image"
	for deb in "$dir"/debs/*.deb; do
		case ${deb##*/} in
		linux-headers-* | linux-kbuild-*) unpack "$dir/headers" "$deb" --exclude='./usr/share/*' ;;
		*) unpack_image "$dir/image" "$deb" ;;
		esac
	done
	finish_kernel "$dir" "$release"
	echo "$suite" >"$dir/suite"
}

# Moves the parts to the paths that the other scripts expect.
finish_kernel()
{
	local dir=$1 release=$2 lib=$1/image/lib/modules image=$1/image/boot/vmlinuz-$2

	[ -d "$lib" ] || lib=$dir/image/usr/lib/modules
	[ -f "$image" ] || image=$lib/$release/vmlinuz
	mv "$image" "$dir/vmlinuz"
	mkdir -p "$dir/modules/lib"
	mv "$lib" "$dir/modules/lib/"
	rm -rf "$dir/debs" "$dir/image"
	depmod -b "$dir/modules" "$release"
	echo "$release" >"$dir/release"
}

fetch_kernel()
{
	local name=$1 suite base

	if [ "$name" = debug ]; then
		make_dir "$CACHE/kernel-debug" "$VM/debug/kernel.sh"
		return
	fi
	suite=$(kernel_suite "$name")
	base=${suite%-backports}
	make_dir "$CACHE/apt-$base" apt_lists "$base"
	make_dir "$CACHE/root-$base" make_root "$base"
	make_dir "$CACHE/kernel-$name" make_kernel "$name" "$suite"
}

# Whether the debugging kernel was built with the current debug/config.
debug_is_current()
{
	[ -d "$CACHE/kernel-debug" ] && cmp -s "$VM/debug/config" "$CACHE"/kernel-debug/headers/usr/src/*/sendcp.config
}

# Updates the lists, and removes a kernel that is no longer current.
forget()
{
	local name=$1 suite

	for suite in $(kernel_suites "$name"); do
		rm -rf --one-file-system "$CACHE/apt-$suite" "$CACHE/apt-${suite%-backports}"
	done
	[ -d "$CACHE/kernel-$name" ] || return 0
	suite=$(kernel_suite "$name")
	kernel_packages "$suite" | grep -qxF "linux-headers-$(cat "$CACHE/kernel-$name/release")" ||
		rm -rf --one-file-system "$CACHE/kernel-$name"
}

update=
[ "${1:-}" != --update ] || { update=1; shift; }
names=$(kernel_names "$@")
status=0
jobs=()
for name in $names; do
	[ -z "$update" ] || forget "$name"
	[ "$name" != debug ] || debug_is_current || rm -rf --one-file-system "$CACHE/kernel-debug"
	[ -d "$CACHE/kernel-$name" ] || { fetch_kernel "$name" & jobs+=($!); }
done
for job in "${jobs[@]}"; do
	wait "$job" || status=1
done
exit $status
