#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the guests' initramfs, in two parts to concatenate: programs (the same for all kernels) and
# a kernel's modules.
#
# usage: initramfs.sh programs OUT
#        initramfs.sh modules KERNEL OUT
set -euo pipefail
source "$(dirname "$0")/common.sh"

# Installed with their shared libraries; busybox has the rest.
PROGRAMS="bash btrfs mkfs.btrfs kmod xxhsum dmsetup"
OWN_PROGRAMS="$BUILD/sendcp $BUILD/test/streamcmp $BUILD/test/treecmp $OUT/ioctltest
	$OUT/ioctltest32"
# Installed with their dependencies; names that a kernel does not know are built in, or not
# available.
MODULES="virtio_pci virtio_blk virtio_net btrfs loop brd dm_mod dm_flakey dm_delay
	crc32c_generic crc32c-cryptoapi crc32c_intel libcrc32c blake2b_generic xxhash_generic
	sha256_generic"

# Copies a program and its libraries to the same paths as here.
add_program()
{
	local root=$1 program=$2 to=$3 library

	install -D "$program" "$root$to/${program##*/}"
	strip "$root$to/${program##*/}" 2>/dev/null || true
	for library in $(ldd "$program" 2>/dev/null | grep -oE '/[^ ]+' || true); do
		[ -e "$root$library" ] || install -D "$library" "$root$library"
	done
}

programs()
{
	local root=$1 program path

	mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,lib,lib64,proc,sys,dev,tmp,run,mnt,etc,guest}
	cp "$(command -v busybox)" "$root/bin/busybox"
	for program in $PROGRAMS; do
		path=$(command -v "$program") || die "needs the program $program"
		add_program "$root" "$(realpath "$path")" /bin
		[ -e "$root/bin/$program" ] || ln -s "$(basename "$(realpath "$path")")" "$root/bin/$program"
	done
	for program in modprobe insmod rmmod lsmod modinfo; do
		ln -sf /bin/kmod "$root/sbin/$program"
	done
	for program in $OWN_PROGRAMS; do
		[ ! -x "$program" ] || add_program "$root" "$program" /bin
	done
	ln -s xxhsum "$root/bin/xxh128sum"
	cp "$VM"/guest/*.sh "$root/guest/"
	install "$VM/guest/init" "$root/init"
}

# Prints the files to load for a module, dependencies first.
module_files()
{
	modprobe -d "$1" -S "$2" --show-depends "$3" 2>/dev/null | awk '$1 == "insmod" { print $2 }' || true
}

modules()
{
	local root=$1 kernel=$CACHE/kernel-$2 module=$OUT/$2/sendcp.ko release name file to

	[ -d "$kernel" ] || die "kernel $2 has not been fetched"
	release=$(cat "$kernel/release")
	for name in $MODULES; do
		for file in $(module_files "$kernel/modules" "$release" "$name"); do
			to=$root${file#"$kernel/modules"}
			case $file in
			*.xz) mkdir -p "${to%/*}" && xz -dc "$file" >"${to%.xz}" ;;
			*.zst) mkdir -p "${to%/*}" && zstd -qdc "$file" >"${to%.zst}" ;;
			*) install -D -m 644 "$file" "$to" ;;
			esac
		done
	done
	mkdir -p "$root/lib/modules/$release/extra"
	cp "$kernel/modules/lib/modules/$release"/modules.{builtin,order}* "$root/lib/modules/$release/"
	[ -z "${WITH_MODULE-1}" ] || [ ! -f "$module" ] || 
		strip --strip-debug "$module" -o "$root/lib/modules/$release/extra/sendcp.ko"
	depmod -b "$root" "$release"
}

pack()
{
	local out=$1 root

	shift
	root=$(mktemp -d)
	# shellcheck disable=SC2064
	trap "rm -rf --one-file-system '$root'" EXIT
	"$1" "$root" "${@:2}"
	mkdir -p "${out%/*}"
	(cd "$root" && find . -print0 | cpio -0 -o -H newc --quiet) >"$out.partial.$$"
	mv "$out.partial.$$" "$out"
}

case ${1:-} in
programs) pack "$2" programs ;;
modules) pack "$3" modules "$2" ;;
*) die "usage: initramfs.sh programs OUT | modules KERNEL OUT" ;;
esac
