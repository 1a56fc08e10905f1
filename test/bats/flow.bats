#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A stream into a command that sendcp starts: --to-command, --position-command, --retry, --bwlimit.
# FLOW_SEED: the seed of the places where sendcp is killed.

load ../lib/suite

# For many checkpoints in a small stream.
SMALL="--buffer-size 160K --checkpoint-interval 600K"
# The receiver's file is f. It is truncated where the stream is resumed.
STORE='truncate -s $SENDCP_OFFSET f && cat >>f'
SIZE='stat -c %s f 2>/dev/null || echo 0'
PROVE='touch f && sendcp verify --position f'
# What continues an unfinished send: its own line again, or resume.
CONTINUE=resume

setup_file()
{
	require_mount
	require_program zstd
	fixture_begin
	fixture_mkfs 1 500M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	head -c 8M /dev/urandom >"$FIX_MOUNT/s/noise"
	seq 100000 >"$FIX_MOUNT/s/text"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	native_send "$FIX/whole" "$FIX_MOUNT/snap"
	btrfs -q subvolume create "$FIX_MOUNT/t"
	head -c 300K /dev/urandom >"$FIX_MOUNT/t/noise"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/t" "$FIX_MOUNT/tiny"
	native_send "$FIX/tiny" "$FIX_MOUNT/tiny"
}

teardown_file()
{
	fixture_end
}

setup()
{
	PATH=$(dirname "$SENDCP"):$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
}

# No command outlives its test.
teardown()
{
	local process

	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/cwd")" != "$BATS_TEST_TMPDIR" ] || [ "${process##*/}" = $$ ] ||
			[ "${process##*/}" = "$BASHPID" ] || echo "left: $process $(tr '\0' ' ' <"$process/cmdline")"
	done
}

# flow COMMAND OPTIONS...: sends the snapshot into COMMAND.
flow()
{
	local command=$1

	shift
	# shellcheck disable=SC2086
	sendcp send -q $SMALL --checkpoint cp --to-command "$command" "$@" "$FIX_MOUNT/snap" 3>&-
}

# again COMMAND OPTIONS...: continues that.
again()
{
	local command=$1

	shift
	if [ $CONTINUE = send ]; then
		flow "$command" "$@"
	else
		sendcp resume -q --checkpoint cp --to-command "$command" "$@" 3>&-
	fi
}

# A command that stores so many bytes and is killed.
dies_after()
{
	echo "head -c $1 | { $STORE; }; kill -9 \$\$"
}

# A command that vanishes in different ways each time, and works after the number of times $1.
vanishes()
{
	cat >far <<-END
	n=\$(cat count 2>/dev/null || echo 0)
	echo \$((n + 1)) >count
	echo "\$SENDCP_OFFSET" >>offsets
	store() { $STORE; }
	[ \$n -lt $1 ] || { store; exit; }
	head -c \$((700001 + n * 650000)) | store
	case \$((n % 3)) in
	0) exit 255 ;;
	1) kill -9 \$\$ ;;
	2) kill -TERM \$\$ ;;
	esac
	END
	rm -f count offsets
}

run_last_line()
{
	local line

	line=$(tail -n 1 "$1")
	[[ $line == "sendcp: interrupted; resume with: "* ]] || fail "last line: $(cat "$1")"
	sh -c "${line#*resume with: }" 3>&-
}

is_complete()
{
	sendcp show cp | grep -q '^state: *complete'
}

arrived()
{
	sendcp cat f | cmp - "$FIX/whole" &&
		sendcp verify -q f &&
		is_complete
}

# fails STATUS COMMAND...: standard error goes to err.
fails()
{
	local expected=$1 got=0

	shift
	"$@" 2>err || got=$?
	[ "$got" = "$expected" ] || fail "$got instead of $expected: $* $(cat err)"
}

says()
{
	grep -qF -- "$1" err || fail "no '$1' in: $(cat err)"
}

@test "flow: a command gets the stream, and its output is sendcp's" {
	flow 'cat >f; echo "$SENDCP_OFFSET" done' >out
	assert_equal "$(cat out)" "0 done"
	cmp f "$FIX/whole"
	is_complete
	sendcp resume -q --checkpoint cp --to-command 'touch started' 2>err
	assert_file_not_exists started
}

@test "flow: a command has the files, signals and process group of a pipeline's part" {
	local here there

	# shellcheck disable=SC2016
	there='{ for fd in /proc/self/fd/*; do [ ! -e $fd ] || echo ${fd##*/}; done | sort -n
		grep -E "^(Sig(Blk|Ign|Cgt)|NSpgid)" /proc/self/status; } >seen; cat >/dev/null'
	flow "$there"
	cp seen first
	(exec 3>&-; cat "$FIX/whole" | sh -c "$there")
	# The C library ignores two signals of its own in all that it spawns.
	sed -i '/^NSpgid/d; s/^SigIgn.*\(.......\)$/SigIgn \1/' first seen
	diff first seen
	# shellcheck disable=SC2016
	flow 'ps -o pgid= -p $PPID >parent; ps -o pgid= -p $$ >own; cat >/dev/null' --restart
	cmp parent own
}

@test "flow: complete only if the command ended with 0" {
	fails 75 flow 'cat >f; exit 3'
	says "exit status 3"
	cmp f "$FIX/whole"
	is_complete && fail "complete"
	# All is there, and so nothing is sent, but the command has to say so.
	fails 75 again 'wc -c >count; echo "$SENDCP_OFFSET" >>count; exit 4' --position-command "$SIZE"
	assert_equal "$(cat count)" "$(echo 0; file_size "$FIX/whole")"
	is_complete && fail "complete"
	again 'cat >count' --position-command "$PROVE; exit 0; : $SENDCP_OFFSET" 2>/dev/null && fail "unproven"
	again "$STORE" --position-command "$PROVE"
	arrived
}

@test "flow: the command is killed at several bytes, and the last line is run" {
	local at position

	for position in "$SIZE" "$PROVE"; do
		for at in 1 100000 1000000 4000001; do
			rm -f f cp
			fails 75 flow "$(dies_after $at)" --position-command "$position"
			says "killed by SIGKILL"
			assert_equal "$(file_size f)" $at
			# The same command stores at most so many bytes more.
			mv err before
			fails 75 run_last_line before
			mv err before
			fails 75 run_last_line before
			again "$STORE" --position-command "$position" 2>err
			arrived || fail "$at $position $(cat err)"
			cmp f "$FIX/whole"
		done
	done
}

@test "flow: a connection that vanishes three times: one line" {
	local position options

	for position in "$SIZE" "$PROVE"; do
		for options in "" --compress --archive; do
			rm -f f cp
			vanishes 3
			# shellcheck disable=SC2086
			flow ". ./far # \$SENDCP_OFFSET" --position-command "$position" --retry 1m $options 2>err ||
				fail "$position $options $(cat err offsets; jq -c "del(.checkpoint)" cp)"
			arrived
			[ -n "$options" ] || cmp f "$FIX/whole"
			assert_equal "$(cat count)" 4
			says "exit status 255"
			says "killed by SIGKILL"
			says "killed by SIGTERM"
			[ "$(wc -l <err)" = 3 ] || fail "$(cat err)"
		done
	done
	assert_equal "$(sed -n 1p offsets)" 0
}
