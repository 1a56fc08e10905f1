#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the shell scripts of the project by their first line or their name, also those without a
# suffix. Completions for zsh and fish, and a fish script, are no language of shellcheck's.
cd "$(dirname "$0")/../.." || exit 1
grep -rIlE --exclude-dir='build*' --exclude-dir=.git -m1 \
	'^#!/(usr/)?bin/(env )?(ba|da)?(sh|ts)$|^# shellcheck shell=' . |
	sed 's#^\./##' | grep -vE '\.fish$|/fish\.sh$|/defects/' | sort
