#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the guests' disks of the installation test: a minimal Debian with the last but one kernel,
# without headers, and two repositories for apt. /repository/then is Debian as it was when that
# kernel was current: what the packages depend on and recommend, down to that kernel's headers.
# /repository/now has the current kernel, to upgrade to. Kept in the cache as
# guest-SUITE/{disk.img,vmlinuz,initrd,old,new}, and next to it packages-SUITE/root, to build the
# packages in.
#
# usage: root.sh SUITE...          SUITE: bookworm, trixie
set -euo pipefail
source "$(dirname "$0")/../common.sh"
source "$VM/apt.sh"

# No network, no logins.
MINIMAL="systemd-sysv udev kmod initramfs-tools zstd"
# Dependencies of the packages, from the guest's own repository, with all that they recommend.
WANTED="dkms btrfs-progs libaio1 libarchive13 libblkid1 libbtrfsutil1 libgcrypt20 libisal2 libjson-c5
	liblzo2-2 libxxhash0 libzstd1 zlib1g"
# autopkgtest and the dependencies of the packages' own tests.
TESTING="autopkgtest autodep8 dctrl-tools openssl linux-doc linux-headers-amd64"
# The packages that mean the current kernel.
CURRENT="linux-image-amd64 linux-headers-amd64"
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

# missing SUITE ROOT RECOMMENDS PACKAGE...: the packages, and their dependencies, that are not in the root.
missing()
{
	APT_CONFIG=$CACHE/apt-$1/apt.conf apt-get -qq -y --print-uris -o "APT::Install-Recommends=$3" \
		-o Dir::State::status="$2/var/lib/dpkg/status" install "${@:4}" | sed -nE "s|^'.*' ([^_ ]+)_.*|\1|p"
}

# as_it_was DEB OLD VERSION DIRECTORY: DEB, of CURRENT, as it was when the kernel OLD, of that version,
# was current. Mirrors have the newest one only.
as_it_was()
{
	local deb=$1 old=$2 version=$3 unpacked

	unpacked=$(mktemp -d)
	dpkg-deb -R "$deb" "$unpacked/package"
	sed -i -E "s/^Version: .*/Version: $version/; s/^Depends: (linux-[a-z]+-).*/Depends: \1$old (= $version)/" \
		"$unpacked/package/DEBIAN/control"
	dpkg-deb -b "$unpacked/package" "$4" >&2
	rm -rf --one-file-system "$unpacked"
}

fill_repositories()
{
	local suite=$1 root=$2 old=$3 new=$4 former=$2/repository/then now=$2/repository/now name version

	mkdir -p "$now"
	# shellcheck disable=SC2046,SC2086
	download "$suite" "$former" $({
		missing "$suite" "$root" true $(named "$suite" $WANTED) "linux-headers-$old"
		missing "$suite" "$root" false $(named "$suite" $TESTING) $CURRENT
	} | sort -u)
	mv "$former"/linux-*-"${new%-amd64}"* "$now/"
	version=$(APT_CONFIG=$CACHE/apt-$suite/apt.conf apt-cache show "linux-headers-$old" | sed -n 's/^Version: //p' | head -1)
	for name in $CURRENT; do
		mv "$former/${name}_"*.deb "$now/"
		as_it_was "$now/${name}_"*.deb "$old" "$version" "$former"
	done
	for name in "then" now; do
		(cd "$root/repository/$name" && dpkg-scanpackages --multiversion . >Packages 2>/dev/null)
	done
	echo 'deb [trusted=yes] file:/repository/then ./' >"$root/etc/apt/sources.list"
	cp "$former"/linux-image-amd64_*.deb "$root/tmp/image.deb"
	chroot "$root" dpkg -i /tmp/image.deb >&2
	rm "$root/tmp/image.deb"
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
	mmdebstrap --quiet --variant=minbase --include="${MINIMAL// /,},linux-image-$old" \
		"${DPKG_OPTIONS[@]}" --setup-hook="$SMALL_INITRD" --customize-hook='rm -f "$1/boot/initrd.img"*' \
		"$suite" "$dir/root" - < <(write_sources "$suite") >&2
	configure "$dir/root"
	chroot "$dir/root" update-initramfs -c -k "$old" >&2
	fill_repositories "$suite" "$dir/root" "$old" "$new"
	cp "$dir/root/boot/vmlinuz-$old" "$dir/vmlinuz"
	cp "$dir/root/boot/initrd.img-$old" "$dir/initrd"
	mke2fs -q -t ext4 -d "$dir/root" "$dir/disk.img" 6G
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
	make_dir "$CACHE/guest-$suite" make_disk "$suite"
	make_dir "$CACHE/packages-$suite" make_build_root "$suite"
done
