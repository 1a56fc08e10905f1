#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Which part of the tree includes headers of which other part, and none but these:
#	include			none
#	src, module, user	include/
#	cli			include/, user/
#	bench, docs		include/
# A header is looked for beside the including file first, if it is in quotes, then below each part;
# one in angle brackets that is in none is the system's. Also that user/, a library, neither prints
# nor exits nor handles signals. Prints an arrow a line; includes that may not be are printed with
# their files and make it fail.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
declare -A may=([include]="" [src]=include [module]=include [user]=include [cli]="include user"
	[bench]=include [docs]=include)
declare -A arrows
failed=0

# The part of the tree that file $1 gets when it includes $2; $3 is the opening delimiter.
part_of() {
	local beside part

	if [ "$3" = '"' ]; then
		beside=$(dirname "$1")/$2
		[[ $2 != *..* ]] || beside=$(realpath -m --relative-to=. "$beside")
		[ ! -e "$beside" ] || { echo "${beside%%/*}"; return; }
	fi
	for part in "${!may[@]}"; do
		[ ! -e "$part/$2" ] || { echo "$part"; return; }
	done
	[ "$3" = '<' ] && echo system || echo nowhere
}

while IFS=: read -r file line; do
	from=${file%%/*} name=${line#*[\"<]} name=${name%%[\">]*}
	delimiter=${line%%"$name"*}
	to=$(part_of "$file" "$name" "${delimiter: -1}")
	[ "$to" != system ] || continue
	[ "$to" != "$from" ] || continue
	case " ${may[$from]} " in
	*" $to "*) arrows["$from -> $to"]=$((${arrows["$from -> $to"]:-0} + 1)) ;;
	*) echo "$file: may not include $name of $to"; failed=1 ;;
	esac
done < <(git ls-files '*.[ch]' | grep -E "^($(IFS='|'; echo "${!may[*]}"))/" |
	xargs grep -HE '^[[:space:]]*#[[:space:]]*include')

[ ${#arrows[@]} -gt 0 ] || { echo "no include was found: is this a git repository?"; failed=1; }
for arrow in "${!arrows[@]}"; do
	echo "$arrow (${arrows[$arrow]})"
done | LC_ALL=C sort

prints='v?[df]?printf|perror|f?puts|f?putc|putchar|fwrite|exit|abort|signal|sigaction'
if grep -nE "\b(stderr|stdout)\b|\b($prints)\b *\(" user/*.[ch] user/*/*.[ch]; then
	echo "user/ may not print, exit or handle signals"
	failed=1
fi
exit $failed
