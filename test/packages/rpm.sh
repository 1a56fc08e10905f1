#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Builds the RPM packages from a source archive; rpm need not know the system's packages.
#
# usage: rpm.sh SOURCE.tar.gz OUTPUT-DIRECTORY
set -euo pipefail
# shellcheck source=stages.sh
source "$(dirname "$0")/stages.sh"

archive=$(realpath "$1")
mkdir -p "$2"
output=$(realpath "$2")
unset MAKEFLAGS MFLAGS MAKELEVEL BUILD
scratch=$(mktemp -d "${TMPDIR:-/tmp}/sendcp-rpm.XXXXXX")
trap 'rm -rf --one-file-system "$scratch"' EXIT
mkdir "$scratch/SOURCES"
cp "$archive" "$scratch/SOURCES/"
tar -xzf "$archive" -C "$scratch" --wildcards --strip-components=2 '*/rpm/sendcp.spec'
if ! rpmbuild -ba --nodeps --define "_topdir $scratch" --define "_smp_mflags -j$(nproc)" \
	--define "_buildhost localhost" --define "use_source_date_epoch_as_buildtime 1" \
	--define "clamp_mtime_to_source_date_epoch 1" \
	"$scratch/sendcp.spec" 2>&1 |
	show_stages rpm "$output/rpm.log" "Executing(%build)*" compiling "Processing files: *" packages; then
	tail -n 30 "$output/rpm.log" | cut -c 1-300 >&2
	echo "rpm.sh: building failed; all of it is in $output/rpm.log" >&2
	exit 1
fi
for package in "$scratch"/RPMS/*/*.rpm "$scratch"/SRPMS/*.rpm; do
	cp "$package" "$output/"
	echo "  RPM  $output/${package##*/}"
done
