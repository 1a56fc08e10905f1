#!/usr/bin/env zsh
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints what zsh's completion offers at the end of each LINE, sorted and on one line: a shell on a
# pseudo-terminal is given the line and the tab key, and writes down what is handed to compadd.
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
# No list is too long to be shown: zsh would ask, and take the next line for the answer.
LINES=1000 LISTMAX=1000
compadd()
{
	local -a hits
	# Calls that store or try, and add nothing.
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
		# What is not read would stop the shell one day.
		zpty -r -t shell REPLY 2>/dev/null
		sleep 0.02
	done
	print -u2 "zsh.sh: the shell did not get $1"
	return 1
}

# No trap does this: the shell on the pseudo-terminal would have it, too.
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
