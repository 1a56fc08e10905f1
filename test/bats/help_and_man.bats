#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages: no warnings from the tools that read them, and consistent with the help.

load ../lib/suite

COMMANDS="send resume list show verify dump cat info"

setup()
{
	cd "$ROOT" || return 1
	require_program mandoc
}

help_options()
{
	"$SENDCP" "$1" --help | test/lib/options.py help "$1"
}

man_options()
{
	test/lib/options.py man "$1" <man/sendcp.8
}

@test "every option of the help is in sendcp(8), with its names and its argument, and no other is" {
	local command

	for command in $COMMANDS; do
		diff <(help_options "$command") <(man_options "$command") ||
			fail "$command: the help (<) and the manual page (>) do not agree"
	done
}

@test "every command of the help is in the synopsis and has a section of its own" {
	local commands

	commands=$("$SENDCP" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | sort -u)
	assert_equal "$(xargs <<<"$commands")" "$(tr ' ' '\n' <<<"$COMMANDS help version" | sort | xargs)"
	for command in $commands; do
		sed -n '/^.Sh SYNOPSIS/,/^.Sh DESCRIPTION/p' man/sendcp.8 | grep -q "^\.Cm $command\$" ||
			fail "$command is not in the synopsis"
		[[ $command == @(help|version) ]] || grep -q "^\.Ss $command\$" man/sendcp.8 || fail "$command has no section"
	done
}

@test "mandoc gives no warnings for the pages" {
	run mandoc -T lint -W warning man/*.[1-9]
	assert_success
	assert_output ""
}

@test "man gives no warnings for the pages" {
	local page

	for page in man/*.[1-9]; do
		run env LC_ALL=C.UTF-8 MANROFFSEQ= MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page"
		assert_success
		# groff writes its warnings to stderr, next to its output.
		run bash -c "LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z '$page' 2>&1 >/dev/null"
		assert_output ""
	done
}

@test "every page of ours that is referred to exists" {
	local page section

	while read -r page section; do
		assert_file_exists "man/$page.$section"
	done < <(grep -hE '^\.Xr sendcp' man/*.[1-9] | awk '{print $2, $3}' | sort -u)
}

# links_lead DIRECTORY FILE...: relative links in the files there lead to files.
links_lead()
{
	local file link links=0

	cd "$1" || return
	while IFS=: read -r file link; do
		links=$((links + 1))
		assert_file_exists "$(dirname "$file")/$link"
	done < <(grep -oE '\]\([a-zA-Z/._-]+(#[a-z-]+)?\)' "${@:2}" /dev/null | sed -E 's/\]\(([^#]*).*\)/\1/')
	[ $links -gt 10 ] || fail "only $links links"
}

@test "links in README and the documents lead to files" {
	links_lead . README.md docs/*.md
}

@test "and where they are installed, in one directory" {
	env -u MAKEFLAGS -u MAKELEVEL make -s install-documents BUILD="$BUILD" DESTDIR="$BATS_TEST_TMPDIR" PREFIX=/usr
	cd "$BATS_TEST_TMPDIR/usr/share/doc/sendcp"
	links_lead . *.md
}
