#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the candidates of bash's completion at the end of each LINE, sorted, on one line.
#
# usage: bash.sh LINE...
set -uo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
# bash-completion is not written for strict mode.
set +u
source /usr/share/bash-completion/bash_completion
source "$root/completions/sendcp.bash"

COMP_TYPE=9
COMP_KEY=9
# compopt only works in a completion that readline started.
compopt() { :; }

offers()
{
	local broken
	COMP_LINE=$1
	COMP_POINT=${#COMP_LINE}
	COMPREPLY=()
	# readline splits words at these too, and keeps them as words.
	broken=${COMP_LINE//=/ = }
	read -ra COMP_WORDS <<<"${broken//:/ : }"
	[[ $COMP_LINE != *[\ =] ]] || COMP_WORDS+=("")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	"$function" sendcp "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
	printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort -u | xargs
}

function=$(complete -p sendcp | sed -n 's/.*-F \([^ ]*\) .*/\1/p')
for line; do
	offers "$line"
done
