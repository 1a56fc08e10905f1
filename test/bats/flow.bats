#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A stream into a command that sendcp starts: --to-command, --position-command, --retry, --bwlimit.
# FLOW_SEED: the seed of the places where sendcp is killed. FLOW_CONTINUE: see below.

load ../lib/suite

# Variables in single quotes are for the shell that sendcp starts.
# shellcheck disable=SC2016

# For many checkpoints in a small stream.
SMALL="--buffer-size 160K --checkpoint-interval 600K"
# The receiver's file is f. A receiver that is left of a killed run does no harm: it writes the same
# bytes in the same places.
STORE='truncate -s $SENDCP_OFFSET f && dd of=f bs=64K oflag=seek_bytes seek=$SENDCP_OFFSET conv=notrunc status=none'
SIZE='stat -c %s f 2>/dev/null || echo 0'
PROVE='touch f && sendcp verify --position f'
# What continues an unfinished send: its own line again, or resume.
CONTINUE=${FLOW_CONTINUE:-send}

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
	nothing_left
}

# send_line COMMAND OPTIONS...: sets WORDS to a send of the snapshot into COMMAND.
send_line()
{
	local command=$1

	shift
	# shellcheck disable=SC2206
	WORDS=(sendcp send -q $SMALL --checkpoint cp --to-command "$command" "$@" "$FIX_MOUNT/snap")
}

# continue_line COMMAND OPTIONS...: to what continues that.
continue_line()
{
	send_line "$@"
	[ "$CONTINUE" = send ] || WORDS=(sendcp resume -q --checkpoint cp --to-command "$@")
}

# The same, run. The file that bats reads is not for the commands.
flow()
{
	send_line "$@"
	"${WORDS[@]}" 3>&-
}

again()
{
	continue_line "$@"
	"${WORDS[@]}" 3>&-
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

# began PID CONDITION: waits until CONDITION is true; PID must not have ended before.
began()
{
	local pid=$1

	shift
	until "$@"; do
		kill -0 "$pid" 2>/dev/null || fail "ended too early: $(cat err)"
		sleep 0.01
	done
}

# signalled SIGNAL COMMAND...: sends SIGNAL to the line in WORDS when COMMAND succeeds; sets GOT.
# A shell makes its background jobs ignore SIGINT; whoever runs the tests may ignore SIGHUP.
signalled()
{
	GOT=0
	: >err
	env --default-signal=HUP,INT "${WORDS[@]}" 2>err 3>&- &
	began $! "${@:2}"
	kill -s "$1" $!
	wait $! || GOT=$?
}

# nothing_left: no process of this test.
nothing_left()
{
	local process left=

	for process in /proc/[0-9]*; do
		[ "$(readlink "$process/cwd")" != "$PWD" ] || [ "${process#/proc/}" = $$ ] ||
			[ "${process#/proc/}" = "$BASHPID" ] || left+=" $(tr '\0' ' ' <"$process/cmdline")"
	done
	[ -z "$left" ] || fail "left: $left"
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
	local there

	there='{ for fd in /proc/self/fd/*; do [ ! -e $fd ] || echo ${fd##*/}; done | sort -n
		grep -E "^(Sig(Blk|Ign|Cgt)|NSpgid)" /proc/self/status; } >seen; cat >/dev/null'
	flow "$there"
	cp seen first
	(exec 3>&-; cat "$FIX/whole" | sh -c "$there")
	# The C library ignores two signals of its own in all that it spawns.
	sed -i '/^NSpgid/d; s/^SigIgn.*\(.......\)$/SigIgn \1/' first seen
	diff first seen
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

@test "flow: dd alone, into a file of its own" {
	local store='dd of=f bs=1M oflag=seek_bytes seek=$SENDCP_OFFSET conv=notrunc status=none'

	fails 75 flow "head -c 3000001 | $store; exit 255" --position-command "$SIZE"
	again "$store" --position-command "$SIZE"
	arrived
	cmp f "$FIX/whole"
}

@test "flow: a connection that vanishes three times: one line" {
	vanishes 3
	flow '. ./far # $SENDCP_OFFSET' --position-command "$SIZE" --retry 1h 2>err
	arrived
	cmp f "$FIX/whole"
	says "exit status 255"
	says "killed by SIGKILL"
	says "killed by SIGTERM"
	[ "$(wc -l <err)" = 3 ] || fail "$(cat err)"
	assert_equal "$(paste -sd ' ' offsets)" "0 700001 2050002 4050003"
}

@test "flow: bytes of an earlier connection arrive after a later one got less" {
	cat >far <<-END
	n=\$(cat count 2>/dev/null || echo 0)
	echo \$((n + 1)) >count
	case \$n in
	0) head -c 2000000 >late; head -c 500000 late >f; exit 255 ;;
	1) mv late f; exit 255 ;;
	esac
	$STORE
	END
	flow '. ./far # $SENDCP_OFFSET' --position-command "$SIZE" --retry 1h 2>err || fail "$(cat err)"
	arrived
	cmp f "$FIX/whole"
	assert_equal "$(cat count)" 3
}

@test "flow: the same, proven, compressed or in an archive" {
	local times position options

	while read -r times position options; do
		rm -f f cp
		vanishes "$times"
		# shellcheck disable=SC2086
		flow ". ./far # \$SENDCP_OFFSET" --position-command "${!position}" --retry 1h $options 2>err ||
			fail "$position $options: $(cat err)"
		arrived
		assert_equal "$(cat count)" $((times + 1))
	done <<-END
	2 PROVE
	1 SIZE --compress
	1 PROVE --compress
	1 SIZE --archive
	1 PROVE --archive=cpio --compress
	1 PROVE --archive
	END
}

@test "flow: sendcp is killed at random bytes until the same line is done" {
	local seed=${FLOW_SEED:-$RANDOM} position options line signal at rounds status

	while read -r position options; do
		rm -f f cp
		touch f
		line=send_line rounds=0 status=1
		while [ $status != 0 ]; do
			rounds=$((rounds + 1)) status=0
			[ $rounds -lt 50 ] || fail "seed $seed"
			signal=$(echo KILL INT TERM | cut -d ' ' -f "$(pick 3 "$seed $rounds signal")")
			at=$(($(file_size f) + $(pick 5000000 "$seed $rounds")))
			# shellcheck disable=SC2086
			$line "$STORE" --position-command "${!position}" --retry 1h $options
			streamcut --signal "$signal" --watch f "$at" -- "${WORDS[@]}" 2>err 3>&- || status=$?
			case $status in
			0 | 75 | 137) ;;
			*) fail "seed $seed: $status after SIG$signal at $at: $(cat err)" ;;
			esac
			[ ! -s cp ] || line=continue_line
		done
		echo "seed $seed: $rounds rounds"
		arrived || fail "seed $seed"
		[ -n "$options" ] || cmp f "$FIX/whole" || fail "seed $seed"
	done <<-END
	SIZE
	PROVE
	SIZE --compress
	PROVE --compress
	END
}

@test "flow: without --checkpoint the checkpoint file is in the state directory" {
	export SENDCP_STATE_DIR=$PWD/state
	fails 75 sendcp send -q --to-command "$(dies_after 1000000)" --position-command "$SIZE" "$FIX_MOUNT/snap" 3>&-
	[ "$(ls "$SENDCP_STATE_DIR")" ]
	sed 's/head -c 1000000/cat/; s/; kill -9[^'"'"']*//' err >line
	run_last_line line
	cmp f "$FIX/whole"
	[ ! "$(ls "$SENDCP_STATE_DIR")" ]
	sendcp send -q --to-command "$STORE" --position-command "$SIZE" "$FIX_MOUNT/snap" 3>&-
	cmp f "$FIX/whole"
	[ ! "$(ls "$SENDCP_STATE_DIR")" ]
	SENDCP_STATE_DIR=/dev/null/x fails 1 sendcp send -q --to-command 'touch never' "$FIX_MOUNT/snap" 3>&-
	says "--to-command needs --checkpoint"
	assert_file_not_exists never
}

@test "flow: commands that are too long for the last line" {
	fails 2 flow "cat >f # $(printf '%5000s' x)"
	says "the commands are too long"
	assert_file_not_exists f
}

@test "flow: an older file of the receiver is no position" {
	head -c 3000000 "$FIX/tiny" >f
	fails 75 flow 'exit 255' --position-command "$SIZE"
	cp f kept
	fails 1 again "$STORE" --position-command "$SIZE"
	says "no receiver has"
	says "remove it there"
	fails 1 again "$STORE" --position-command "$PROVE"
	says "remove it there"
	cmp f kept
	rm f
	again "$STORE" --position-command "$PROVE"
	arrived
}

@test "flow: an older file is no position, though as much was written: nobody read it" {
	head -c 30000 "$FIX/tiny" >f
	cp f kept
	# When the pipe is full, sendcp waits.
	fails 75 flow 'until grep -q pipe_write /proc/$PPID/task/*/wchan; do sleep 0.01; done; exit 255' --position-command "$SIZE"
	fails 1 again "$STORE" --position-command "$SIZE"
	says "only 0 bytes were ever written"
	cmp f kept
}

@test "flow: an older file is no position, though the whole stream fits into the pipe" {
	local increment size

	btrfs -q subvolume snapshot "$FIX_MOUNT/tiny" "$FIX_MOUNT/t2"
	seq 2000 >"$FIX_MOUNT/t2/more"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/t2" "$FIX_MOUNT/tiny2"
	sendcp send -q --no-checkpoint -p "$FIX_MOUNT/tiny" "$FIX_MOUNT/tiny2" | cat >increment
	size=$(file_size increment)
	[ "$size" -lt 60000 ]
	increment=(sendcp send -q --checkpoint cp --position-command "$SIZE" -p "$FIX_MOUNT/tiny" "$FIX_MOUNT/tiny2")
	head -c 3000 "$FIX/tiny" >f
	cp f kept
	# It fails when all of the stream is in the pipe.
	fails 75 "${increment[@]}" --to-command "python3 -c 'import array, fcntl, termios, time
n = array.array(\"i\", [0])
while n[0] < $size:
    fcntl.ioctl(0, termios.FIONREAD, n)
    time.sleep(0.01)'; exit 255" 3>&-
	fails 1 "${increment[@]}" --to-command "$STORE" 3>&-
	says "only 0 bytes were ever written"
	cmp f kept
	rm f
	"${increment[@]}" --to-command "$STORE" 3>&-
	cmp f increment
	btrfs -q subvolume delete "$FIX_MOUNT/tiny2" "$FIX_MOUNT/t2"
}

@test "flow: complete means that the command ended with 0, also with --at" {
	local total

	total=$(file_size "$FIX/whole")
	fails 75 flow "$STORE; exit 3" --position-command 'echo 0'
	cmp f "$FIX/whole"
	fails 75 sendcp resume -q --checkpoint cp --at "$total" --to-command "$STORE; exit 3" 3>&-
	is_complete && fail "complete"
	sendcp resume -q --checkpoint cp --at "$total" --to-command "$STORE; touch ran" 3>&-
	is_complete
	assert_file_exists ran
	cmp f "$FIX/whole"
}

@test "flow: a signal during the wait, the position command, the end of the command" {
	send_line 'exit 255' --position-command "touch asked; $SIZE" --retry 1h
	signalled TERM grep -q "exit status 255" err
	assert_equal "$GOT" 75
	says "stopped by SIGTERM"
	rm cp

	# Into a command that reads nothing and does not end.
	send_line 'touch started; sleep 1000 <&-; echo' --position-command "$SIZE" --retry 1h
	signalled HUP test -e started
	assert_equal "$GOT" 75
	says "stopped by SIGHUP"
	nothing_left
	mv err before

	# What takes the last bytes does not end.
	rm started
	continue_line 'cat >f; touch started; sleep 1000; echo' --position-command "$SIZE" --retry 1h
	signalled HUP test -e started
	assert_equal "$GOT" 75
	says "stopped by SIGHUP"
	nothing_left
	is_complete && fail "complete"

	continue_line 'touch never' --position-command 'touch ask; sleep 1000; echo 0' --retry 1h
	signalled TERM test -e ask
	assert_equal "$GOT" 75
	says "stopped by SIGTERM"
	assert_file_not_exists never
	nothing_left
	# All of the group, as when a terminal is closed: the command is killed too.
	continue_line "$STORE; touch ended" --position-command 'echo 0' --bwlimit 100K --retry 1h
	WORDS=(env --default-signal=HUP setsid "${WORDS[@]}")
	rm f
	"${WORDS[@]}" 2>err 3>&- &
	began $! test -s f
	kill -s HUP -- -$!
	GOT=0
	wait $! || GOT=$?
	assert_equal "$GOT" 75
	assert_file_not_exists ended
	again "$STORE" --position-command "$SIZE"
	arrived
}

@test "flow: the wait between two tries ends with a signal" {
	local pid got=0

	sendcp send --checkpoint cp --to-command 'exit 255' --position-command "$SIZE" --retry 1d \
		"$FIX_MOUNT/tiny" 2>err 3>&- &
	pid=$!
	began $pid grep -q "trying again in 4 s" err
	# What is sent cannot be deleted, and nobody else gets the checkpoint file.
	btrfs -q subvolume delete "$FIX_MOUNT/tiny" 2>/dev/null && fail "deleted"
	sendcp resume --checkpoint cp --at 0 >other 2>/dev/null && fail "not locked"
	kill -s TERM $pid
	wait $pid || got=$?
	assert_equal $got 75
	assert_equal "$(grep -c "trying again" err)" 3
	says "stopped by SIGTERM"
	line=$(tail -n 1 err)
	[[ $line == *" --position-command '$SIZE' --retry 86400" ]] || fail "$line"
}

@test "flow: without progress it ends when time is up" {
	# Bytes are taken again and again, and none is kept.
	fails 75 flow 'head -c 100000 >/dev/null; exit 1' --position-command 'echo 0' --retry 3s
	says "3 s without progress: not trying again"
	fails 75 again "$STORE" --position-command 'exit 7' --retry 1s
	says "exit status 7"
	says "1 s without progress: not trying again"
	# Without --retry there is one try.
	fails 75 again 'exit 1' --position-command 'echo x >>count; echo 0'
	assert_equal "$(cat count)" x
	again "$STORE" --position-command "$SIZE"
	arrived
}

@test "flow: answers that are no position" {
	local command

	fails 75 flow "$(dies_after 1000000)" --position-command "$SIZE"
	while read -r command; do
		fails 75 again 'touch never' --position-command "$command"
		says "--position-command: $command: "
		[[ $(tail -n 1 err) == "sendcp: interrupted; resume with: sendcp resume --checkpoint $PWD/cp --to-command 'touch never' --position-command "* ]] ||
			fail "$(cat err)"
	done <<-'END'
		true
		echo
		echo -5
		echo 5 6
		echo 5; echo 6
		echo 5M
		printf '5\0'
		echo 5:0123
		echo 99999999999999999999999
		echo 5; exit 255
		kill -9 $$
		yes
		yes 1 | tr -d '\n'
	END
	# More than was written, and what is not this stream.
	fails 1 again 'touch never' --position-command 'echo 99999999'
	says "no receiver has 99999999"
	fails 1 again 'touch never; : $SENDCP_OFFSET' --position-command "echo 1000000:$(printf %032d 0)"
	says "is not this stream"
	# A command that begins at the end of the file would not overwrite what follows.
	fails 1 again 'touch never' --position-command "$PROVE"
	says "does not name it"
	fails 1 sendcp resume -q --checkpoint cp --to-command 'touch never' --have "$(sendcp verify --position f)" 3>&-
	says "does not name it"
	assert_file_not_exists never
	again "$STORE" --position-command "$SIZE"
	arrived
}

@test "flow: a command that does not name the offset is not resumed: it would empty the file" {
	local command

	for command in 'cat >f' 'cat >>f'; do
		rm -f f cp
		fails 75 flow "$(dies_after 1000000)" --position-command "$SIZE"
		cp f kept
		fails 1 again "$command" --position-command "$SIZE" --retry 1h
		says "would be resumed at byte 1000000"
		says "does not name it"
		fails 1 sendcp resume -q --checkpoint cp --to-command "$command" --at 1000000 3>&-
		says "does not name it"
		cmp f kept
	done
	# All is there, and none would be sent.
	rm -f f cp
	fails 75 flow 'cat >f; exit 3' --position-command "$SIZE"
	fails 1 again 'cat >f' --position-command "$SIZE"
	cmp f "$FIX/whole"
	# Nothing is there.
	rm f
	again 'cat >f' --position-command "$SIZE"
	arrived
}

@test "flow: a command that cannot be run is not tried again" {
	fails 1 flow 'no-such-program >>f' --position-command "echo asked >>asked; $SIZE" --retry 1h
	says "exit status 127"
	says "once that is fixed, resume with: sendcp resume"
	fails 1 again "$STORE" --position-command no-such-program --retry 1h
	says "exit status 127"
	assert_file_not_exists asked
	again "$STORE" --position-command "$SIZE"
	arrived
}

@test "flow: a command that exits early, and SIGPIPE" {
	fails 75 flow 'head -c 500000 >f' --position-command "$SIZE"
	says "ended before it had all of the stream: exit status 0"
	fails 75 again 'cat | head -c 1000 >/dev/null; kill -PIPE $$; : $SENDCP_OFFSET' --position-command "$SIZE"
	says "killed by SIGPIPE"
	fails 75 again 'exec <&-; sleep 0.1; exit 9; : $SENDCP_OFFSET' --position-command "$SIZE"
	says "exit status 9"
	again "$STORE" --position-command "$SIZE"
	arrived
}

@test "flow: without a position command the last line names the ways" {
	fails 75 flow "$(dies_after 1000000)" --bwlimit 1G
	says "--to-command 'head -c 1000000"
	says '--have $(ssh HOST sendcp verify --position FILE)'
	says '--at $(ssh HOST stat -c %s FILE)'
	[[ $(tail -n 1 err) == *"--bwlimit 1073741824 --position-command COMMAND" ]] || fail "$(cat err)"
	# As it is printed, it is refused.
	mv err before
	fails 1 run_last_line before
	# A file of this host is found.
	rm cp f
	fails 75 flow "$(dies_after 3000000) # \$SENDCP_OFFSET"
	[[ $(tail -n 1 err) == *"--position-command 'sendcp verify --position $PWD/f'" ]] || fail "$(cat err)"
	# A command that would overwrite it is not.
	rm cp
	mkfifo pipe
	head -c 3000000 <pipe >part 3>&- &
	fails 75 flow 'exec tee pipe >f'
	wait $! || true
	[[ $(tail -n 1 err) == *" --append $PWD/f" ]] || fail "$(cat err)"
	run_last_line err
	arrived
}

@test "flow: the last line repeats all of it, quoted; the checkpoint file has none of it" {
	local name=$'a \'b" $(c)'

	mkdir "$name"
	cd "$name"
	fails 75 flow "$(dies_after 4000000)" --position-command "stat -c %s 'f'" --retry 1s --bwlimit 2G
	[[ $(tail -n 1 err) == *" --retry 1 --bwlimit 2147483648" ]] || fail "$(cat err)"
	sed 's/head -c 4000000/cat/; s/; kill -9[^'"'"']*//' err >line
	cd ..
	mv "$name/f" .
	run_last_line "$name/line"
	mv "$name/cp" .
	arrived
	grep -E "seek_bytes|stat -c|retry|bwlimit" cp && fail "stored"
	true
}

@test "flow: an image" {
	cp "$BATS_TEST_DIRNAME/../images/small-nodes.0.img.zst" image.zst
	zstd -q -d --sparse -o image image.zst
	sendcp send -q --device image s.ro >whole
	vanishes 0
	cat >far <<-END
	[ -e once ] || { touch once; head -c 300000 >f; exit 255; }
	$STORE
	END
	sendcp send -q --device image --checkpoint cp --to-command '. ./far # $SENDCP_OFFSET' \
		--position-command "$SIZE" --retry 1h s.ro 2>err 3>&-
	cmp f whole
	is_complete
}

@test "flow: a snapshot that changes is fatal" {
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/gone"
	SENDCP_NO_HOLD=1 fails 1 sendcp send -q --checkpoint cp --to-command \
		"head -c 1000000 >f; btrfs -q subvolume delete '$FIX_MOUNT/gone'; exit 255" \
		--position-command "$SIZE" --retry 1h "$FIX_MOUNT/gone" 3>&-
	says "exit status 255"
}

@test "bwlimit: never faster than that" {
	local before after size

	size=$(file_size "$FIX/tiny")
	before=$(date +%s%N)
	sendcp send -q --bwlimit 500K -f out "$FIX_MOUNT/tiny"
	cmp out "$FIX/tiny"
	sendcp cat --bwlimit 500K out | cmp - "$FIX/tiny"
	sendcp send -q --checkpoint cp "$FIX_MOUNT/tiny" 2>/dev/null | head -c 10 >part || true
	sendcp resume -q --checkpoint cp --append part --bwlimit 500K
	cmp part "$FIX/tiny"
	after=$(date +%s%N)
	[ $((after - before)) -ge $((3 * (size - 100) * 1000000000 / 512000)) ] || fail "$((after - before)) ns"
}

@test "bwlimit: bytes that leave: after compression" {
	btrfs -q subvolume create "$FIX_MOUNT/z"
	head -c 4M /dev/zero | tr '\0' x >"$FIX_MOUNT/z/f"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/z" "$FIX_MOUNT/z.ro"
	# Uncompressed, that would take an hour.
	timeout 250 "$SENDCP" send -q --compress --bwlimit 1K -f out "$FIX_MOUNT/z.ro"
	sendcp verify -q out
}

@test "bwlimit: a signal does not wait" {
	local got=0

	send_line 'touch started; cat >f' --bwlimit 1
	signalled TERM test -e started
	assert_equal "$GOT" 75
	assert [ "$(file_size f)" -lt 1000 ]
	# A file gets what is in memory, without a limit.
	sendcp send -q --bwlimit 10 -f out "$FIX_MOUNT/snap" 2>err 3>&- &
	began $! test -s out
	kill -s TERM $!
	wait $! || got=$?
	assert_equal $got 75
	run_last_line <(sed 's/ --bwlimit 10$//' err)
	cmp out "$FIX/whole"
}
