# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For the scripts that build packages: what is being done, and how long it took, a line for each stage; the
# programs' own output goes to a log.

# show_stages NAME LOG [PATTERN STAGE]...: copies standard input to LOG. The first line that matches a PATTERN,
# as the shell does, begins that STAGE.
show_stages()
{
	local name=$1 log=$2 line shown=" " began=

	shift 2
	while IFS= read -r line; do
		printf '%s\n' "$line"
		for ((i = 1; i < $#; i += 2)); do
			# shellcheck disable=SC2053
			[[ $shown != *" $i "* && $line == ${!i} ]] || continue
			shown+="$i "
			end_stage
			i=$((i + 1))
			printf '  %s: %s ... ' "$name" "${!i}" >&3
			began=$SECONDS
			break
		done
	done 3>&1 >"$log"
	end_stage 3>&1
}

end_stage()
{
	[ -z "$began" ] || echo "$((SECONDS - began)) s" >&3
	began=
}
