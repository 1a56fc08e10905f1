#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sparse (with endianness) and checkpatch --strict over the module and the engine, and the names of the
# symbols in sendcp.ko.
#
# usage: check.sh KDIR BUILD-DIRECTORY
# CHECKPATCH names checkpatch.pl; otherwise it is taken from the kernel's sources that Debian packages
# (Debian's header packages do not have it), and kept in ${XDG_CACHE_HOME:-~/.cache}.
set -u
kdir=$(realpath "$1")
build=$(realpath "$2")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sendcp-checkpatch
found=0

# On purpose: types and macros of an engine that is built without the kernel too (BIT_MACRO, PREFER_*,
# CAMELCASE: _Static_assert); lists that are macros (COMPLEX_MACRO, MACRO_ARG_REUSE, BRACKET_SPACE); and
# a header that asks for versions.
ignored=BIT_MACRO,PREFER_KERNEL_TYPES,PREFER_DEFINED_ATTRIBUTE_MACRO,CAMELCASE,COMPLEX_MACRO
ignored+=,MACRO_ARG_REUSE,BRACKET_SPACE,LINUX_VERSION_CODE,CONSTANT_COMPARISON

die()
{
	echo "module-check: $1" >&2
	exit 1
}

fetch_checkpatch()
{
	local package work

	package=$(apt-cache depends linux-source 2>/dev/null | awk '/Depends: linux-source-/ { print $2 }')
	[ -n "$package" ] || die "no package linux-source: name checkpatch.pl with CHECKPATCH="
	mkdir -p "$cache" && work=$(mktemp -d "$cache/partial.XXXXXX") || exit 1
	echo "module-check: fetching checkpatch from $package" >&2
	(cd "$work" && apt-get download "$package" >/dev/null 2>&1 &&
		dpkg --fsys-tarfile ./*.deb | tar -xO "./usr/src/$package.tar.xz" |
		tar -xJ --strip-components=2 --wildcards '*/scripts/checkpatch.pl' \
			'*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch') &&
		mv "$work"/checkpatch.pl "$work"/spelling.txt "$work"/const_structs.checkpatch "$cache"
	rm -rf "$work"
	[ -e "$cache/checkpatch.pl" ] || die "cannot fetch $package"
}

# Prints global names without a prefix, since a later kernel may have them, and names that the kernel
# exports, local ones as well: they are ambiguous in a backtrace, and an error when a header declares
# them.
check_symbols()
{
	[ -s "$kdir/Module.symvers" ] || die "$kdir/Module.symvers is missing"
	[ -s "$build/sendcp.ko" ] || die "$build/sendcp.ko is missing"
	nm --defined-only "$build/sendcp.ko" | awk '
	NR == FNR {
		exported[$2]
		next
	}
	{
		name = $3
		# The compiler makes several of one function, and entries in front of it.
		sub(/\..*/, "", name)
		sub(/^__(pfx|cfi)_/, "", name)
	}
	name in exported {
		print "sendcp.ko: " $3 ": the kernel exports this name"
	}
	$2 ~ /[A-Z]/ && name !~ /^sendcp_/ &&
	name !~ /^(init_module|cleanup_module|__this_module|__(crc|ksymtab|kstrtab|kcrctab).*)$/ {
		print "sendcp.ko: " $3 ": a global name has to begin with sendcp_"
	}' "$kdir/Module.symvers" -
}

command -v sparse >/dev/null || die "sparse is missing (apt install sparse)"
if [ -z "${CHECKPATCH:-}" ]; then
	CHECKPATCH=$cache/checkpatch.pl
	[ -e "$CHECKPATCH" ] || fetch_checkpatch
fi

# Warnings in the kernel's own headers do not count.
out=$(make -C "$kdir" M="$build" C=2 CF=-D__CHECK_ENDIAN__ modules 2>&1) || die "$out"
grep -q 'CHECK .*module/main.c' <<<"$out" || die "sparse did not run"
out=$(grep -E '^(\./)?(module|src|include/(sendcp|uapi/sendcp))[/.].*(warning|error):' \
	<<<"${out//"$build/"/}")
[ -z "$out" ] || { echo "$out"; found=1; }

out=$(check_symbols) || exit 1
[ -z "$out" ] || { echo "$out"; found=1; }

# In the copy: in a git repository checkpatch writes a file of its own.
cd "$build" || exit 1
out=$(perl "$CHECKPATCH" --no-tree --root="$build" --strict --terse --no-summary --max-line-length=100 \
	--show-types --ignore="$ignored" \
	-f module/[a-z]*.[ch] include/uapi/*.h include/sendcp/*.h src/*.[ch] src/*/*.[ch])
status=$?
[ -z "$out" ] || { echo "$out"; found=1; }
[ $status -eq 0 ] || [ -n "$out" ] || die "$CHECKPATCH did not run"
[ $found -eq 0 ] && echo "module-check: clean"
exit $found
