#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks which parts of the tree include headers of which other parts; only these may:
#	src, module, user	include/
#	cli			include/, user/
#	bench, docs		include/
# A quoted include is looked up next to the including file first, then below each part. Also checks
# that user/, a library, neither prints nor exits nor handles signals. Prints an arrow a line; a
# forbidden one is followed by its files, and the check fails.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
declare -A may=([src]=include [module]=include [user]=include [cli]="include user" [bench]=include [docs]=include)
declare -A arrows
failed=0

# The part of the tree that file $1 includes from with $2 in quotes.
part_of() {
	local part

	[ ! -e "$(dirname "$1")/$2" ] || { echo "${1%%/*}"; return; }
	for part in include "${!may[@]}"; do
		[ ! -e "$part/$2" ] || { echo "$part"; return; }
	done
	echo nowhere
}

while IFS=: read -r file line; do
	from=${file%%/*} name=${line#*[\"<]} name=${name%[\">]*}
	case $line in
	*'<sendcp/'* | *'<uapi/'*) to=include ;;
	*'<'*) continue ;;
	*) to=$(part_of "$file" "$name") ;;
	esac
	[ "$to" != "$from" ] || continue
	case " ${may[$from]} " in
	*" $to "*) arrows["$from -> $to"]=$((${arrows["$from -> $to"]:-0} + 1)) ;;
	*) echo "$file: may not include $name of $to"; failed=1 ;;
	esac
done < <(git ls-files '*.[ch]' | grep -E "^($(IFS='|'; echo "${!may[*]}"))/" | xargs grep -H '^#include')

for arrow in "${!arrows[@]}"; do
	echo "$arrow (${arrows[$arrow]})"
done | LC_ALL=C sort

if grep -nE '\b(stderr|stdout|printf|fprintf|perror|puts|exit|abort|signal|sigaction)\b *[(;,]' \
	user/*.[ch] user/*/*.[ch] | grep -v __attribute__; then
	echo "user/ may not print, exit or handle signals"
	failed=1
fi
exit $failed
