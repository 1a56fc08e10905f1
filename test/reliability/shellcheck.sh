#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Checks one file with shellcheck, with what it cannot know of bats: `run --separate-stderr` sets variables.
# They are declared in place of the second line, which is a comment, so that line numbers stay.
#
# usage: shellcheck.sh FILE
case $1 in
*.bats)
	sed '2s/.*/export stderr stderr_lines/' "$1" |
		shellcheck -S warning -x -f gcc --source-path="$(dirname "$1")" -s bats - |
		sed "s#^-:#$1:#"
	exit "${PIPESTATUS[1]}" ;;
*)	exec shellcheck -S warning -x -f gcc --source-path=SCRIPTDIR "$1" ;;
esac
