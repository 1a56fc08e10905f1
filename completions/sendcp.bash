# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of sendcp's command line in bash. Loaded by bash-completion, whose functions it uses.

# Prints the options of a command.
_sendcp_options()
{
	local stream="-p --parent -c --clone-src -e -f --output --checkpoint --device --ignore-log \
		--backend --to-command --position-command --retry --bwlimit --buffer-size --buffers --progress \
		--title -q --quiet -v --verbose"

	case $1 in
	send)
		echo "$stream --no-data --proto --compressed-data --on-data-error --checkpoint-interval --compress --archive \
			--step --dry-run --restart --continue --no-checkpoint"
		;;
	resume) echo "$stream --at --have --restart --append --no-data --compressed-data --on-data-error" ;;
	verify) echo "--checkpoint --position --json --progress --title -q --quiet" ;;
	show | info | list) echo "--json" ;;
	dump) echo "--json --progress" ;;
	cat) echo "--progress --bwlimit" ;;
	*) return ;;
	esac
	echo "-h --help"
}

# Words from which one is chosen.
_sendcp_words()
{
	# shellcheck disable=SC2207
	COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

# The value of an option; fails if it needs none.
_sendcp_value()
{
	local command=$1 option=$2 joined=$3

	case $option in
	-p | --parent | -c | --clone-src) _filedir -d ;;
	-f | --output | --device | --append) _filedir ;;
	--checkpoint) if [[ $command == send ]]; then _filedir; else _filedir cp; fi ;;
	--proto) _sendcp_words "0 1 2" ;;
	--backend) _sendcp_words "auto module direct" ;;
	--on-data-error) _sendcp_words "fail zero skip" ;;
	--checkpoint-interval | --buffer-size) _sendcp_words "1M 4M 16M 64M 256M 1G" ;;
	--buffers) _sendcp_words "2 4 8 16" ;;
	--retry) _sendcp_words "30s 10m 2h 1d" ;;
	--bwlimit) _sendcp_words "1M 10M 100M" ;;
	--at | --have | --to-command | --position-command) ;;
	*)
		# Optional values follow an equals sign.
		[[ $joined == true ]] || return
		case $option in
		--compress) _sendcp_words "{1..22}" ;;
		--archive) _sendcp_words "tar cpio" ;;
		--progress) _sendcp_words "auto always never json" ;;
		esac
		;;
	esac
}

_sendcp_argument()
{
	case $1 in
	send | resume)
		# In an unmounted filesystem there are no paths to be looked up.
		if [[ " ${words[*]} " == *" --device"[\ =]* ]]; then
			_sendcp_words "id: uuid:"
			compopt -o nospace
			__ltrim_colon_completions "$cur"
		elif [[ $1 == resume && " ${words[*]} " != *" --append"* ]]; then
			_filedir cp
		else
			_filedir -d
		fi
		;;
	show) _filedir cp ;;
	verify | dump | cat) _filedir ;;
	help) _sendcp_words "send resume list show verify dump cat info help version" ;;
	esac
}

_sendcp()
{
	local cur prev words cword split

	_init_completion -s -n : || return
	if [[ $cword -eq 1 ]]; then
		_sendcp_words "send resume list show verify dump cat info help version --version --help"
		return
	fi
	_sendcp_value "${words[1]}" "$prev" "$split" && return
	[[ $split == false ]] || return
	if [[ $cur == -?* || $cur == - ]]; then
		_sendcp_words "$(_sendcp_options "${words[1]}")"
	else
		_sendcp_argument "${words[1]}"
	fi
} &&
	complete -F _sendcp sendcp
