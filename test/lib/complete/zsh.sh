#!/usr/bin/env zsh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the candidates of zsh's completion at the end of each LINE, sorted, on one line: a shell on
# a pseudo-terminal gets the line and the tab key, and prints the arguments of compadd.
#
# usage: zsh.sh LINE...
emulate zsh
zmodload zsh/zpty
root=${0:A:h:h:h:h}
scratch=$(mktemp -d)

cat >$scratch/init <<'INIT'
fpath=($SENDCP_COMPLETIONS $fpath)
autoload -Uz compinit
compinit -u -D
# Show lists of any length: zsh would ask first, and take the next line for the answer.
LINES=1000 LISTMAX=1000
compadd()
{
	local -a hits
	# Calls that only store or test add no candidates.
	if [[ ${@[1,(i)(-|--)]} == *-[a-zA-Z]#[OAD]\ * ]]; then
		builtin compadd "$@"
		return
	fi
	builtin compadd -A hits "$@"
	(( ! $#hits )) || print -rl -- $hits >>$SENDCP_SCRATCH/hits
	builtin compadd "$@"
}
capture()
{
	_main_complete
}
zle -C complete-captured complete-word capture
complete-and-clear()
{
	zle complete-captured
	BUFFER=
	: >$SENDCP_SCRATCH/done
}
zle -N complete-and-clear
bindkey '^I' complete-and-clear
zle-line-init()
{
	: >$SENDCP_SCRATCH/ready
}
zle -N zle-line-init
INIT

await()
{
	local -i i

	for (( i = 0; i < 400; i++ )); do
		[[ ! -e $scratch/$1 ]] || return 0
		# Unread output would block the shell at some point.
		zpty -r -t shell REPLY 2>/dev/null
		sleep 0.02
	done
	print -u2 "zsh.sh: the shell did not get $1"
	return 1
}

# Not a trap: the shell on the pseudo-terminal would inherit it.
{
	export SENDCP_SCRATCH=$scratch SENDCP_COMPLETIONS=$root/completions TERM=dumb
	zpty -b shell zsh -f -i
	zpty -w shell "setopt extendedglob; source $scratch/init"
	await ready || exit 1
	for line; do
		zpty -w -n shell $line$'\t'
		await done || exit 1
		: >>$scratch/hits
		LC_ALL=C sort -u $scratch/hits | xargs
		rm $scratch/{hits,done}
	done
	zpty -d shell
} always {
	rm -rf $scratch
}
