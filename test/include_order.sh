#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test/include_order.sh DIRECTORY LAYER...: checks that no folder of DIRECTORY includes a header of
# a higher layer.
#
# LAYERs are DIRECTORY's folders from the lowest to the highest; those joined by a comma are of one
# height and must not include each other. Prints an arrow a line, with the number of includes; those
# that go up, or sideways, have their files after them and make it fail, as does a folder that is in
# no layer. Includes are written as seen from DIRECTORY: one with ".." in it fails. "." is the files
# in DIRECTORY itself, which are left out if it is no layer.
set -u -o pipefail

if [ $# -lt 2 ] || [ ! -d "$1" ]; then
	echo "usage: ${0##*/} DIRECTORY LAYER..." >&2
	exit 2
fi
top=${1%/}
shift

find "$top" -name '*.[ch]' | LC_ALL=C sort | xargs grep -HE '^[[:space:]]*#[[:space:]]*include' |
	awk -v top="$top" -v layers="$*" '
	BEGIN {
		count = split(layers, layer, " ")
		for (i = 1; i <= count; i++) {
			members = split(layer[i], member, ",")
			for (j = 1; j <= members; j++)
				height[member[j]] = i
		}
	}
	{
		file = substr($0, 1, index($0, ":") - 1)
		split($0, quoted, /["<>]/)
		from = substr(file, length(top) + 2)
		to = quoted[2]
		# Next to the file, or in the top directory itself.
		from = from ~ /\// ? substr(from, 1, index(from, "/") - 1) : "."
		if (to ~ /\.\./) {
			up[from " -> .."] = up[from " -> .."] "\n\t" file ": " to
			next
		}
		to = to ~ /\// ? substr(to, 1, index(to, "/") - 1) : ""
		if (from == "." && !(from in height))
			next
		known[from] = 1
		if (to == "" || to == from || !is_folder(to))
			next
		known[to] = 1
		arrows[from " -> " to]++
		if (height[to] >= height[from])
			up[from " -> " to] = up[from " -> " to] "\n\t" file ": " quoted[2]
	}
	function is_folder(name) {
		if (!(name in folder))
			folder[name] = !system("test -d \"" top "/" name "\"")
		return folder[name]
	}
	END {
		sort = "LC_ALL=C sort"
		for (arrow in arrows)
			if (!(arrow in up))
				print arrow, "(" arrows[arrow] ")" | sort
		close(sort)
		for (arrow in up) {
			print "up: " arrow up[arrow]
			failed = 1
		}
		for (name in known)
			if (!(name in height)) {
				print "no layer: " name
				failed = 1
			}
		exit failed
	}'
