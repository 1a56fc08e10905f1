#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the guests' disks of the installation test: a minimal Debian with the last but one kernel
# and its headers, and in /repository, for apt, the dependencies of the packages and the current
# kernel to upgrade to. Kept in the cache as install-SUITE/{disk.img,vmlinuz,initrd,old,new}, and
# next to it packages-SUITE/root, to build the packages in.
#
# usage: root.sh SUITE...          SUITE: bookworm, trixie
set -euo pipefail
source "$(dirname "$0")/../common.sh"
source "$VM/apt.sh"

# No network, no logins.
MINIMAL="systemd-sysv udev kmod initramfs-tools zstd"
# Dependencies of the packages, from the guest's own repository.
WANTED="dkms btrfs-progs libaio1 libarchive13 libblkid1 libbtrfsutil1 libgcrypt20 libisal2 libjson-c5
	liblzo2-2 libxxhash0 libzstd1 zlib1g"
# autopkgtest and the dependencies of the packages' own tests.
TESTING="autopkgtest autodep8 dctrl-tools openssl linux-doc linux-headers-amd64"
# Needed to build the packages in a root of the suite.
BUILDING="build-essential fakeroot"
# The modules needed to mount the root; with a list, an initrd is made in seconds.
INITRD_MODULES="virtio_pci virtio_blk ext4 crc32c_generic"
SMALL_INITRD='mkdir -p "$1/etc/initramfs-tools/conf.d" &&
	printf "MODULES=list\nCOMPRESS=zstd\n" >"$1/etc/initramfs-tools/conf.d/guest"'
# No documentation is needed, and a broken disk is made again.
DPKG_OPTIONS=(--dpkgopt={force-unsafe-io,path-exclude=/usr/share/{man,locale}/'*',path-exclude=/usr/share/doc/linux-doc'*'})

# The two newest of the suite's own kernels, the older one first.
releases()
{
	local suite=$1 series

	series=$(apt "$suite" --print-uris install linux-headers-amd64 |
		sed -nE "s|^'.*' linux-headers-([0-9]+\.[0-9]+)\..*-amd64_.*|\1|p" | head -1)
	APT_CONFIG=$CACHE/apt-$suite/apt.conf apt-cache pkgnames linux-headers- |
		sed -nE "s/^linux-headers-(${series//./\\.}\.[0-9+.a-z-]*[0-9])-amd64$/\1-amd64/p" |
		grep -E "$(suite_mark "$suite")" | sort -V | tail -2
}

# Only the suite's own kernels: those from backports have another release's mark.
suite_mark()
{
	case $1 in
	bookworm) echo '^[0-9]+\.[0-9]+\.0-[0-9]+-amd64$' ;;
	*) echo '\+deb13(\.[0-9]+)?-amd64$' ;;
	esac
}

# The names of packages in the suite: some libraries were renamed for 64-bit time_t.
named()
{
	local suite=$1 package name

	shift
	for package; do
		for name in "$package" "${package}t64"; do
			! APT_CONFIG=$CACHE/apt-$suite/apt.conf apt-cache show "$name" >/dev/null 2>&1 ||
				{ echo "$name"; break; }
		done
	done
}

# An apt repository of the packages, and their dependencies, that are missing in the new root.
fill_repository()
{
	local suite=$1 dir=$2 new=$3 list

	mkdir "$dir/root/repository"
	# shellcheck disable=SC2046,SC2086
	list=$(APT_CONFIG=$CACHE/apt-$suite/apt.conf apt-get -qq -y --print-uris \
		-o Dir::State::status="$dir/root/var/lib/dpkg/status" install $(named "$suite" $WANTED $TESTING) \
		"linux-image-$new" "linux-headers-$new" | sed -nE "s|^'.*' ([^_ ]+)_.*|\1|p")
	# shellcheck disable=SC2086
	download "$suite" "$dir/root/repository" $list
	(cd "$dir/root/repository" && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)
	echo 'deb [trusted=yes] file:/repository ./' >"$dir/root/etc/apt/sources.list"
}

# Two serial lines: the console, and the test's own.
configure()
{
	local root=$1

	printf '%s\n' $INITRD_MODULES >"$root/etc/initramfs-tools/modules"
	echo guest >"$root/etc/hostname"
	cat >"$root/etc/systemd/system/check.service" <<-UNIT
		[Unit]
		Description=Installation test
		[Service]
		Type=idle
		StandardOutput=null
		StandardError=null
		ExecStart=/bin/sh -c 'mkdir -p /check && tar -xf /dev/vdb -C /check && exec bash /check/main.sh'
		ExecStopPost=/usr/bin/systemctl --no-block --force poweroff
	UNIT
	ln -s /etc/systemd/system/check.service "$root/etc/systemd/system/multi-user.target.wants/check.service"
	ln -sf /dev/null "$root/etc/systemd/system/serial-getty@ttyS0.service"
}

make_disk()
{
	local suite=$1 dir=$2 old new kernels

	kernels=$(releases "$suite")
	{ read -r old && read -r new; } <<<"$kernels" || die "$suite has no two kernels: $kernels"
	say "$suite: minimal system with kernel $old"
	# shellcheck disable=SC2046
	mmdebstrap --quiet --variant=minbase --include="${MINIMAL// /,},linux-image-$old,linux-headers-$old" \
		"${DPKG_OPTIONS[@]}" --setup-hook="$SMALL_INITRD" --customize-hook='rm -f "$1/boot/initrd.img"*' \
		"$suite" "$dir/root" - < <(write_sources "$suite") >&2
	configure "$dir/root"
	chroot "$dir/root" update-initramfs -c -k "$old" >&2
	fill_repository "$suite" "$dir" "$new"
	cp "$dir/root/boot/vmlinuz-$old" "$dir/vmlinuz"
	cp "$dir/root/boot/initrd.img-$old" "$dir/initrd"
	mke2fs -q -t ext4 -d "$dir/root" "$dir/disk.img" 4G
	rm -rf --one-file-system "$dir/root"
	echo "$old" >"$dir/old"
	echo "$new" >"$dir/new"
}

# A root with the build dependencies of the packages.
make_build_root()
{
	local suite=$1 dir=$2 packages

	say "$suite: root to build packages in"
	# shellcheck disable=SC2046
	packages=$(printf '%s,' $BUILDING $(build_dependencies))
	mmdebstrap --quiet --variant=minbase --include="${packages%,}" \
		"${DPKG_OPTIONS[@]}" \
		"$suite" "$dir/root" - < <(write_sources "$suite") >&2
}

# The names in debian/control; of alternatives the last, older one.
build_dependencies()
{
	awk '/^[A-Z]/ { wanted = /^Build-Depends:/ } wanted' "$ROOT/debian/control" |
		sed -nE 's/^ (.* \| )?([a-z0-9.+-]+).*/\2/p'
}

for suite; do
	make_dir "$CACHE/apt-$suite" apt_lists "$suite"
	make_dir "$CACHE/install-$suite" make_disk "$suite"
	make_dir "$CACHE/packages-$suite" make_build_root "$suite"
done
