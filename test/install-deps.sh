#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what is missing of Debian's packages to build (build), test (test) or fuzz (fuzz) sendcp.
#
# usage: install-deps.sh GROUP...
# Does nothing, and needs no rights, when all is there.
set -euo pipefail

BUILD_PACKAGES="gcc make libc6-dev pkg-config libisal-dev libzstd-dev zlib1g-dev liblzo2-dev
	libgcrypt20-dev libxxhash-dev libjson-c-dev libblkid-dev libbtrfsutil-dev libaio-dev"
TEST_PACKAGES="bats bats-assert bats-support bats-file libcmocka-dev btrfs-progs python3 zstd
	xxhash jq attr acl libcap2-bin mount util-linux bsdutils time"
FUZZ_PACKAGES="clang"

die()
{
	echo "install-deps: $1" >&2
	exit 1
}

# Prints those of the packages that are not installed.
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
		test) echo "$TEST_PACKAGES" ;;
		fuzz) echo "$FUZZ_PACKAGES" ;;
		*) die "no such group: $group (build, test, fuzz)" ;;
		esac
	done
}

[ $# -gt 0 ] || die "which groups? (build, test, fuzz)"
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
