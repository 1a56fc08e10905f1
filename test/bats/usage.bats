#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Usage: errors name what is possible and where the help is; the help itself; words that other
# programs take.

load ../lib/suite
load ../lib/stored

setup_file()
{
	stored_make
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	IMG=$BATS_FILE_TMPDIR/image
}

# usage PATTERN ARGUMENT...: a usage error of one line with PATTERN, which names the help.
usage()
{
	local pattern=$1

	shift
	run --separate-stderr "$SENDCP" "$@"
	assert_equal "$status: $*" "2: $*"
	assert_equal "$output" ""
	assert_equal "$(wc -l <<<"$stderr")" 1
	[[ $stderr == "sendcp: "*"$pattern"*"; see sendcp "* ]] || fail "$*: $stderr"
}

# The options with a value of a command: its name, and the value's name, one a line.
valued_options()
{
	"$SENDCP" help "$1" | sed -nE 's/^.*(--[a-z-]+)\[?[= ]([A-Z]+)\]?( .*)?$/\1 \2/p'
}

@test "usage: an absurd value of any option is answered with the possible ones" {
	local command option argument value tried=0

	for command in $("$SENDCP" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
		while read -r option argument; do
			case $argument in
			SUBVOL | COMMAND) continue ;;
			FILE) [ "$option" != --device ] || continue; value= ;;
			*) value=absurd ;;
			esac
			usage "$option: invalid value: " "$command" "$option=$value" x
			[[ $stderr == *" (possible: "?*"); see sendcp $command --help" ]] ||
				fail "$command $option: $stderr"
			tried=$((tried + 1))
		done < <(valued_options "$command")
	done
	[ $tried -ge 17 ] || fail "only $tried options"
}

@test "usage: what is possible" {
	usage "--compress: invalid value: 99 (possible: 1 to 22)" send --compress=99 x
	usage "(possible: tar or cpio)" send --archive=zip x
	usage "(possible: auto, module or direct)" send --backend foo x
	usage "(possible: auto, always, never or json)" resume --progress=foo x.cp
	usage "(possible: a number with K, M, G or T; at least 144K)" send --checkpoint-interval 1K x
	usage "(possible: a number with K, M, G or T; at least 144K)" send --checkpoint-interval 64MB x
	usage "--buffers: N is missing (possible: 1 to 64)" send --buffers
	usage "-p: SUBVOL is missing" send -p
}

@test "usage: the command comes first, and an option that took the snapshot" {
	run --separate-stderr "$SENDCP" -p A send B
	assert_equal "$status" 2
	assert_equal "$stderr" "sendcp: the command comes first: sendcp send -p ..."
	usage "send: no SUBVOL given (did -p take it?)" send -p A
	usage "send: no SUBVOL given (did --output take it?)" send --output A
	usage "send: no SUBVOL given" send --proto 2
	run --separate-stderr "$SENDCP" -x
	assert_equal "$status: $stderr" "2: sendcp: no command before -x; see sendcp help"
	run --separate-stderr "$SENDCP" frob
	assert_equal "$status: $stderr" "2: sendcp: no such command: frob; see sendcp help"
}

@test "usage: --compress 9 and --archive cpio are values, if they can be nothing else" {
	"$SENDCP" send -q --compress=9 --no-data --device "$IMG" s.ro >want
	"$SENDCP" send -q --device "$IMG" --no-data s.ro --compress 9 --checkpoint cp -f got || true
	# With --device a subvolume may have that name.
	assert_file_not_exists got
	usage "give --compress=VALUE (1 to 22)" send --compress 9 --device "$IMG" s.ro
	usage "99: there is no such file, and --compress does not take it (possible: 1 to 22)" send --compress 99 /s
	usage "zip: there is no such file, and --archive does not take it" send --archive zip /s
	# It was the value, so that only the subvolume is lacking.
	usage "no SUBVOL given" send --compress 9
	usage "no SUBVOL given" send --archive cpio
	mkdir 9
	usage "give --compress=9, or ./9 for the file" send --compress 9 /s
	run --separate-stderr "$SENDCP" send --compress ./9
	assert_equal "$status" 1
}

@test "usage: -f - is standard output, and no file of that name is made" {
	"$SENDCP" send -q --device "$IMG" s.ro >want
	"$SENDCP" send -q --device "$IMG" -f - s.ro | cmp - want
	"$SENDCP" send -q --device "$IMG" -f ./- s.ro
	cmp ./- want
	rm ./-
	usage "--checkpoint: invalid value: - (possible: the name of a file, not -)" send --checkpoint - x
	usage "--checkpoint: invalid value: -" resume --checkpoint -
	usage "--append: invalid value: -" resume --append -
	(ulimit -f 1000; "$SENDCP" send -q --buffer-size 160K --device "$IMG" -f file s.ro) || true
	"$SENDCP" resume -q --checkpoint file.cp -f - --at 500000 | cmp - <(tail -c +500001 want)
	assert_file_not_exists ./-
}

# part: an interrupted send of s.ro to the file part, with part.cp.
part()
{
	"$SENDCP" send -q --buffer-size 160K --checkpoint part.cp --device "$IMG" s.ro | head -c 1000000 >part
	! "$SENDCP" verify -q part 2>/dev/null
}

@test "usage: resume FILE.cp, and --append FILE with FILE.cp next to it" {
	"$SENDCP" send -q --device "$IMG" s.ro >want
	part
	"$SENDCP" resume -q part.cp --at 1000000 >>part
	cmp part want
	rm part part.cp
	part
	run --separate-stderr "$SENDCP" resume part
	assert_equal "$status: $stderr" "1: sendcp: part: not a checkpoint file; is part.cp meant?"
	"$SENDCP" resume -q --append part
	cmp part want
	rm part.cp
	usage "resume: there is no part.cp: give --checkpoint FILE.cp, or SUBVOL" resume --append part
	usage "the checkpoint file is missing: sendcp resume FILE.cp" resume -f part
	usage "the checkpoint file has them" resume part.cp -p x
}

@test "usage: help has a line on each command, and of help and version, too" {
	local command

	run "$SENDCP" help
	assert_success
	assert_line --partial "sendcp help COMMAND"
	assert_line --partial "man 8 sendcp"
	for command in send resume show verify dump cat info help version; do
		assert_line --regexp "^  $command +[a-z].{10,}"
		run "$SENDCP" help "$command"
		assert_success
		assert_line --regexp "^usage: sendcp $command"
		run "$SENDCP" help
	done
	for command in -V --version version; do
		run "$SENDCP" "$command"
		assert_success
		assert_output --regexp "^sendcp [0-9]"
	done
	run "$SENDCP" help frob
	assert_failure 2
	for command in help --version "help send" "send --help"; do
		# shellcheck disable=SC2086
		run --separate-stderr "$SENDCP" $command
		assert_success
		run bash -c "'$SENDCP' $command >/dev/full"
		assert_failure 1
		assert_output "sendcp: cannot write to standard output: No space left on device"
	done
}
