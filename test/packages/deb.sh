#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the Debian packages, binary and source, from what `make dist` makes, in a directory of its own.
# SOURCE.tar.gz is the source package's orig tarball, as it is; debian/ is from debian-SOURCE.tar.gz beside it.
#
# usage: deb.sh SOURCE.tar.gz OUTPUT-DIRECTORY [DPKG-BUILDPACKAGE-OPTION...]
set -euo pipefail
# shellcheck source=stages.sh
source "$(dirname "$0")/stages.sh"

archive=$(realpath "$1")
mkdir -p "$2"
output=$(realpath "$2")
shift 2
# The archive has no entries for directories; those in the source package get their modes from the
# umask.
umask 022
# Paths of the environment must not get into the packages.
unset MAKEFLAGS MFLAGS MAKELEVEL BUILD
scratch=$(mktemp -d "${TMPDIR:-/tmp}/sendcp-deb.XXXXXX")
trap 'rm -rf --one-file-system "$scratch"' EXIT
tar -xzf "$archive" -C "$scratch"
cd "$scratch"/sendcp-*
debian=${archive%/*}/debian-${archive##*/}
if [ ! -e "$debian" ]; then
	echo "deb.sh: no $debian: debian/ is not in a release's archive, but in one of its own" >&2
	exit 1
fi
tar -xzf "$debian"
version=$(dpkg-parsechangelog -SVersion)
cp "$archive" "$scratch/sendcp_${version%-*}.orig.tar.gz"
# What was built by hand of the same version is not to be mixed with what is built now.
if ! DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS-parallel=$(nproc)}" dpkg-buildpackage -us -uc -sa "$@" 2>&1 |
	show_stages deb "$output/deb.log" "*dpkg-source -b *" "source package" "*override_dh_auto_build" compiling \
		"*make unit *" "compiling unit tests" "*test/run.sh unit" "unit tests" \
		"*override_dh_auto_install" packages; then
	tail -n 30 "$output/deb.log" | cut -c 1-300 >&2
	echo "deb.sh: building failed; all of it is in $output/deb.log" >&2
	exit 1
fi
find "$scratch" -maxdepth 1 -name 'sendcp*_*' -exec cp -t "$output" {} +
for package in "$scratch"/*.d{sc,eb}; do
	echo "  DEB  $output/${package##*/}"
done
