#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes the source archive NAME.tar.gz, of what git has, as it is in the working tree: a change need not be
# committed to be tried. What Debian adds to it, debian/, is in debian-NAME.tar.gz. In a tree that such an
# archive was unpacked to (no git), everything is taken.
#
# usage: dist.sh NAME OUTPUT-DIRECTORY ADDRESS, in the source's directory, with SOURCE_DATE_EPOCH set
# The project's address, PROJECT_URL in packaging.mk, becomes ADDRESS in all files.
set -euo pipefail

name=$1
mkdir -p "$2"
output=$(realpath "$2")
address=$3
export LC_ALL=C

die()
{
	echo "dist.sh: $1" >&2
	exit 1
}

list_files()
{
	local file

	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files
	else
		find . -type f ! -path './build*' | sed 's|^\./||'
	fi | while read -r file; do
		[ ! -e "$file" ] || echo "$file"
	done | sort
}

# set_address LIST: in the copies.
set_address()
{
	local written

	written=$(sed -n 's/^PROJECT_URL ?= //p' packaging.mk)
	[ "$address" != "$written" ] || return 0
	[[ $address =~ ^https?://[A-Za-z0-9./:_~-]*[A-Za-z0-9]$ ]] || die "PROJECT_URL is not an address: $address"
	(cd "$scratch" && xargs -d '\n' grep -lIF -- "$written") <"$1" |
		(cd "$scratch" && xargs -d '\n' sed -i "s|${written//./\\.}|$address|g")
}

# pack ARCHIVE PREFIX: the files that are listed on standard input.
pack()
{
	tar -C "$scratch" --transform="s|^|$2|" --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
		--mode='u+rw,go=rX' --no-recursion --verbatim-files-from -T - -c | gzip -9n >"$output/$1"
	echo "  DIST $output/$1"
}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/sendcp-dist.XXXXXX")
trap 'rm -rf --one-file-system "$scratch"' EXIT
list=$scratch/.list
list_files >"$list"
xargs -d '\n' cp -p --parents -t "$scratch" <"$list"
set_address "$list"
grep -v '^debian/' "$list" | pack "$name.tar.gz" "$name/"
! grep -q '^debian/' "$list" || grep '^debian/' "$list" | pack "debian-$name.tar.gz" ""
