#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs missing Debian packages: to build (build), test (test) or fuzz (fuzz) sendcp, to check
# its source (source, analyze), to test its module in guests (vm) or its packages in them (install), or to
# run an ssh server as another host (ssh).
#
# usage: install-deps.sh GROUP...
# Does nothing, and needs no privileges, if everything is installed.
set -euo pipefail

GROUP_NAMES="build, test, packages, fuzz, source, analyze, vm, install, ssh"

BUILD_PACKAGES="gcc make libc6-dev pkg-config libisal-dev libzstd-dev libarchive-dev zlib1g-dev liblzo2-dev
	libgcrypt20-dev libxxhash-dev libjson-c-dev libblkid-dev libbtrfsutil-dev libaio-dev"
TEST_PACKAGES="libarchive-tools cpio strace bats bats-assert bats-support bats-file libcmocka-dev btrfs-progs python3 zstd
	xxhash jq attr acl libcap2-bin mount util-linux bsdutils procps time openssh-client age gnupg git mbuffer
	pv rclone snapper"
# A group of its own: a workstation should not get a listening server. Tests that need one skip
# without it.
SSH_PACKAGES="openssh-server"
PACKAGES_PACKAGES="build-essential debhelper dh-dkms lintian fakeroot rpm rpmlint man-db mandoc bash-completion zsh
	fish systemd btrbk dkms devscripts
	apt-utils gnupg createrepo-c"
FUZZ_PACKAGES="clang"
SOURCE_PACKAGES="sparse perl python3 linux-headers-amd64"
ANALYZE_PACKAGES="clang-tidy cppcheck shellcheck sparse"
INSTALL_PACKAGES="mmdebstrap dpkg-dev e2fsprogs"
VM_PACKAGES="qemu-system-x86 busybox-static cpio kmod xz-utils zstd dmsetup debian-archive-keyring
	gcc-multilib"

die()
{
	echo "install-deps: $1" >&2
	exit 1
}

# Prints the packages that are not installed.
missing()
{
	local package

	for package; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
			echo "$package"
	done
}

wanted()
{
	local group

	for group; do
		case $group in
		build) echo "$BUILD_PACKAGES" ;;
		test) echo "$TEST_PACKAGES $PACKAGES_PACKAGES" ;;
		packages) echo "$PACKAGES_PACKAGES" ;;
		fuzz) echo "$FUZZ_PACKAGES" ;;
		source) echo "$SOURCE_PACKAGES" ;;
		analyze) echo "$ANALYZE_PACKAGES" ;;
		vm) echo "$VM_PACKAGES" ;;
		ssh) echo "$SSH_PACKAGES" ;;
		install) echo "$INSTALL_PACKAGES" ;;
		*) die "no such group: $group ($GROUP_NAMES)" ;;
		esac
	done
}

[ $# -gt 0 ] || die "which groups? ($GROUP_NAMES)"
packages=$(wanted "$@")
if ! command -v dpkg-query >/dev/null; then
	echo "install-deps: not a Debian system; please see to the equivalents of:" $packages >&2
	exit 0
fi
# shellcheck disable=SC2086
needed=$(missing $packages)
[ -n "$needed" ] || exit 0
command -v apt-get >/dev/null || die "apt-get is missing; these packages are needed: ${needed//$'\n'/ }"
[ "$(id -u)" = 0 ] || die "run as root: apt-get install ${needed//$'\n'/ }"
export DEBIAN_FRONTEND=noninteractive
echo "install-deps: installing ${needed//$'\n'/ }" >&2
# shellcheck disable=SC2086
apt-get install -y --no-install-recommends $needed >/dev/null 2>&1 || {
	# The package lists may be missing or old on a fresh machine.
	apt-get update >/dev/null || die "apt-get update failed"
	apt-get install -y --no-install-recommends $needed >/dev/null || die "apt-get install failed"
}
