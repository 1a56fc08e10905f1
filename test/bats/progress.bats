#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Progress: the bar of a terminal, SIGUSR1, --progress=json, the process title.

load ../lib/suite

setup_file()
{
	require_program zstd
	zstd -q -d --sparse -o "$BATS_FILE_TMPDIR/plain" \
		"$BATS_TEST_DIRNAME/../images/plain.0.img.zst"
	"$SENDCP" send -q --device "$BATS_FILE_TMPDIR/plain" -f "$BATS_FILE_TMPDIR/stream" s.ro
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	IMG=$BATS_FILE_TMPDIR/plain
	STREAM=$BATS_FILE_TMPDIR/stream
	SIZE=$(file_size "$STREAM")
}

# Waits until the extended regular expression $1 is in the file $2, as long as process $3 runs.
await()
{
	until grep -qE -- "$1" "$2"; do
		kill -0 "$3" 2>/dev/null || fail "it ended without $1: $(cat "$2")"
		sleep 0.02
	done
}

# begin COMMAND...: as process $PID, its messages in `err`. Its reader, which writes to `got`, is slow
# until end.
begin()
{
	rm -f out go
	mkfifo out
	# One process, so that it can be found at any time (pipe_reader.c).
	python3 -c 'if True:
		import os, time
		data = True
		while data and not os.path.exists("go"):
		    data = os.read(0, 1000)
		    os.write(1, data)
		    time.sleep(0.02)
		while data:
		    data = os.read(0, 1 << 16)
		    os.write(1, data)' <out >got 3>&- &
	READER=$!
	"$@" >out 2>err 3>&- &
	PID=$!
	await_main $PID
}

# Waits until $PID and its reader have ended: the status of the former is then $STATUS.
end()
{
	touch go
	STATUS=0
	wait $PID || STATUS=$?
	wait $READER
}

# Waits until sendcp has begun in process $1, or in the child of it that strace has: it blocks SIGUSR1.
# $SENDCP_PID is then that process.
await_main()
{
	local blocked

	until SENDCP_PID=$(pgrep -x -P $1 sendcp || echo $1) &&
		[ "$(cat /proc/$SENDCP_PID/comm)" = sendcp ] &&
		blocked=$(awk '/^SigBlk:/ { print $2 }' /proc/$SENDCP_PID/status) &&
		(( 0x$blocked & 0x200 )); do
		kill -0 $1
		sleep 0.01
	done
}

@test "progress: the bar fits a terminal of any width, and follows a resize" {
	run "$ROOT/test/lib/terminal.py" 200,80,41,20,10,1,132 \
		"$SENDCP" send --device "$IMG" s.ro
	assert_success
	assert_line --regexp '^200: .* of 64\.4 MiB  \[#*-*\]  +[0-9]+%  .*/s  avg .*/s  0:00:[0-9]+'
	assert_line --regexp '^80: .* of 64\.4 MiB  \[#*-*\]  +[0-9]+%  .*/s'
	assert_line --regexp '^20: [0-9.]+ [KM]?i?B of 64\.4 MiB?$'
	assert_line --regexp '^10: [0-9.]+ [KM]?i?B'
	# The last bar stays, with the average.
	assert_line --regexp '^left: 64\.4 MiB of 64\.4 MiB  \[#+\]  100%  [0-9.]+ [KMG]iB/s  0:00:[0-9]+$'
	assert_line --partial "left: sendcp: complete: "
}

@test "progress: verify, cat and dump show a bar, which is gone in the end" {
	local command

	for command in verify cat "dump --progress"; do
		# shellcheck disable=SC2086
		run "$ROOT/test/lib/terminal.py" --feed "$STREAM" 80,12 "$SENDCP" $command -
		assert_success
		assert_line --regexp '^80: read [0-9.]+ KiB  .*/s'
		refute_line --partial "left: "
	done
	# Of a regular file the size is known.
	run "$ROOT/test/lib/terminal.py" 80,12 "$SENDCP" cat "$STREAM"
	assert_success
	assert_line --regexp '^80: read .* of 64\.4 MiB  \[#*-*\]  +[0-9]+%'
}

@test "progress: no bar mixes with what dump prints to the same terminal, or to a pager" {
	local to

	require_program script
	for to in "" "| cat"; do
		rm -f in
		mkfifo in
		script -qec "'$SENDCP' dump - <in $to" screen </dev/null >/dev/null 3>&- &
		exec 7>in
		head -c 60000 "$STREAM" >&7
		# In the meantime it is seen that a bar would have been shown.
		"$ROOT/test/lib/terminal.py" --feed "$STREAM" 80 "$SENDCP" dump --progress - 7>&-
		exec 7>&-
		wait $! || true
		grep -q '^subvol' screen
		refute grep -q 'read [0-9]' screen
	done
}

@test "progress: SIGUSR1 prints a line, interrupts nothing, and changes no byte" {
	begin "$SENDCP" send -q --device "$IMG" s.ro
	for _ in {1..50}; do
		kill -USR1 $PID
		sleep 0.02
	done
	await '^sendcp: sending s\.ro: [0-9]+ (of [0-9]+ )?bytes[ ,].*/s, .*elapsed 0:00:[0-9]+$' err $PID
	end
	assert_equal "$STATUS" 0
	assert cmp got "$STREAM"
	refute grep -vE '^sendcp: (preparing|sending s\.ro: )' err
	# Somebody who asks more than once gets the total.
	begin "$SENDCP" send -q --device "$IMG" s.ro
	until grep -q " of $SIZE bytes ([0-9]*%)" err; do
		kill -USR1 $PID
		sleep 0.05
	done
	end
	assert_equal "$STATUS" 0
	assert cmp got "$STREAM"
}

@test "progress: SIGUSR1 does not kill in the first moment, nor a command that shows nothing" {
	require_strace
	# Its first call here comes before anything is parsed or opened.
	run -0 strace -f -o calls -e trace=fcntl -e inject=fcntl:signal=USR1:when=1 \
		"$SENDCP" send -q --device "$IMG" -f out s.ro
	assert grep -q 'fcntl(0, F_GETFD)' <(head -n 1 calls)
	assert cmp out "$STREAM"
	run -0 strace -f -o calls -e trace=fcntl -e inject=fcntl:signal=USR1:when=1+ "$SENDCP" info
}

@test "progress: SIGUSR1 while verify, cat and dump read" {
	local command

	mkfifo in
	for command in "verify -q" cat dump; do
		# shellcheck disable=SC2086
		"$SENDCP" $command - <in >got 2>err 3>&- &
		PID=$!
		exec 7>in
		head -c 60000 "$STREAM" >&7
		await_main $PID
		until grep -qE '^sendcp: reading standard input: [1-9][0-9]* bytes, ' err; do
			kill -USR1 $PID
			sleep 0.02
		done
		tail -c +60001 "$STREAM" >&7
		exec 7>&-
		wait $PID
		refute grep -vE '^sendcp: (preparing|reading standard input: )' err
		[ "$command" != cat ] || cmp got "$STREAM"
	done
}

@test "progress: SIGUSR1 while resume --append reads" {
	local container

	require_strace
	head -c 8000000 "$STREAM" >plain
	head -c 8000000 "$STREAM" | zstd -q >zstd
	for container in plain zstd; do
		strace -f -o /dev/null -e trace=pread64,read -e inject=pread64,read:delay_enter=20000:when=1..40 \
			"$SENDCP" resume -q --append $container --device "$IMG" s.ro 2>err 3>&- &
		PID=$!
		await_main $PID
		until grep -qE "^sendcp: reading $PWD/$container: [1-9][0-9]* of [0-9]+ bytes" err; do
			kill -0 $PID || fail "it has ended: $(cat err)"
			kill -USR1 $SENDCP_PID || true
			sleep 0.05
		done
		wait $PID
		"$SENDCP" cat $container | cmp - "$STREAM"
	done
}

@test "progress: SIGUSR1 when all is sent, and is made durable" {
	require_strace
	strace -f -o /dev/null -e trace=fdatasync -e inject=fdatasync:delay_enter=300000 \
		"$SENDCP" send -q --device "$IMG" -f out s.ro 2>err 3>&- &
	PID=$!
	await_main $PID
	until grep -qE "^sendcp: finishing s\.ro: $SIZE (of $SIZE )?bytes" err; do
		kill -0 $PID || fail "it has ended: $(cat err)"
		kill -USR1 $SENDCP_PID || true
		sleep 0.02
	done
	wait $PID
	assert cmp out "$STREAM"
}

# summary FILE: see progress_json.py
summary()
{
	"$ROOT/test/lib/progress_json.py" "$1"
}

@test "progress: json of a send that is complete" {
	"$SENDCP" send --progress=json --device "$IMG" -f out s.ro 2>err
	run -0 summary err
	assert_line "result=complete"
	assert_line "exit_status=0"
	assert_line "bytes=$SIZE"
	assert_line "total=$SIZE"
	assert_line "first_byte=0"
	assert_line "output=$PWD/out"
	assert_line "checkpoint=None"
	assert_line "resume=None"
	assert_line "info: At subvol s.ro"
	assert_line "subvolumes: s.ro"
	"$SENDCP" send -q --progress=json --device "$IMG" --checkpoint cp s.ro 2>err | cmp - "$STREAM"
	run -0 summary err
	assert_line "output=None"
	assert_line "checkpoint=$PWD/cp"
	refute_line --partial "info: "
}

@test "progress: json of an interrupted send names the command that resumes" {
	local line

	begin "$SENDCP" send --progress=json --device "$IMG" --checkpoint cp s.ro
	await '"doing":"sending"' err $PID
	kill -TERM $PID
	end
	assert_equal "$STATUS" 75
	run -0 summary err
	assert_line "result=interrupted"
	assert_line "exit_status=75"
	assert_line "checkpoint=$PWD/cp"
	assert_line --regexp '^error: stopped by SIGTERM after [0-9]+ bytes in [0-9.]+ s$'
	assert_line "resume=sendcp resume --checkpoint $PWD/cp --append $PWD/got"
	line=$(sed -n 's/^resume=//p' <<<"$output")
	eval "${line/#sendcp/\"\$SENDCP\"} --progress=json" 2>err
	assert cmp got "$STREAM"
	run -0 summary err
	assert_line "result=complete"
	assert_line "bytes=$SIZE"
	assert_line "output=$PWD/got"
}

@test "progress: json of a failure, of usage errors none" {
	run -1 "$SENDCP" send --progress=json --device "$IMG" $'no such\xff"\\snapshot'
	echo "$output" >err
	run -0 summary err
	assert_line "result=failed"
	assert_line "exit_status=1"
	assert_line "bytes=0"
	assert_line "total=None"
	assert_line --regexp "^error: snapshot: no such."
	run -2 "$SENDCP" send --progress=json --device "$IMG" --proto 9 s.ro
	assert_line "sendcp: protocol 9 is not supported, the highest is 2; see sendcp send --help"
	# A stream that is cut.
	head -c 1000000 "$STREAM" >"cut"
	run -1 --separate-stderr "$SENDCP" verify --progress=json cut
	echo "$stderr" >err
	run -0 summary err
	assert_line "result=failed"
	assert_line "bytes=1000000"
	assert_line "total=1000000"
	assert_line --regexp "^error: cut: .* whole up to byte [0-9]+$"
	# All is there already.
	cp "$STREAM" again
	"$SENDCP" resume --progress=json --append again --device "$IMG" s.ro 2>err
	run -0 summary err
	assert_line "result=complete"
	assert_line "bytes=$SIZE"
	assert_line "first_byte=$SIZE"
}

@test "progress: json of resume without a checkpoint file has no list for people in it" {
	run --separate-stderr "$SENDCP" resume --progress=json
	assert_failure 2
	assert_equal "$(jq -r 'select(.message_type == "error").text' <<<"$stderr")" \
		"resume: --checkpoint FILE is missing; see sendcp list --json"
}

@test "progress: json of a send of two subvolumes" {
	local size

	size=$("$SENDCP" send --dry-run --device "$IMG" s.ro s.ro)
	"$SENDCP" send --progress=json --device "$IMG" s.ro s.ro 2>err | cat "$STREAM" "$STREAM" - >all
	cmp <(tail -c "$size" all) <(cat "$STREAM" "$STREAM")
	run -0 summary err
	assert_line "bytes=$size"
	assert_line "total=$size"
	assert_equal "$(grep -c "info: At subvol s.ro" <<<"$output")" 2
}

@test "progress: a signal to stop ends verify and dump with a line and 75" {
	local command

	mkfifo in
	for command in verify dump; do
		"$SENDCP" $command --progress=json - <in >got 2>err 3>&- &
		PID=$!
		exec 7>in
		head -c 60000 "$STREAM" >&7
		await '"bytes":60000,' err $PID
		kill -TERM $PID
		STATUS=0
		wait $PID || STATUS=$?
		exec 7>&-
		assert_equal "$STATUS" 75
		run -0 summary err
		assert_line "result=interrupted"
		assert_line "error: stopped by SIGTERM"
	done
}

@test "progress: a resumed run says from where" {
	head -c 20000000 "$STREAM" >part
	run -0 --separate-stderr "$SENDCP" resume --append part --device "$IMG" s.ro
	assert cmp part "$STREAM"
	[[ ${stderr_lines[-1]} =~ ^sendcp:\ complete:\ ([0-9]+)\ bytes\ in\ [0-9.]+\ s,\ from\ byte\ ([0-9]+),\ .*/s\;\ $PWD/part.cp\ removed$ ]] ||
		fail "${stderr_lines[-1]}"
	assert_equal "$((BASH_REMATCH[1] + BASH_REMATCH[2]))" "$SIZE"
	# At a byte in the middle of a batch.
	"$SENDCP" send -q --device "$IMG" --checkpoint cp s.ro | head -c 30000000 >part || true
	run -0 --separate-stderr bash -c '"$SENDCP" resume --checkpoint cp --at 1234567 | cat >rest'
	[[ $stderr == *"sendcp: complete: $((SIZE - 1234567)) bytes in "*", from byte 1234567, "* ]] || fail "$stderr"
	assert_equal "$(file_size rest)" "$((SIZE - 1234567))"
}

@test "progress: --title shows it in /proc/PID/cmdline, and changes no option" {
	local title

	begin env -i SENDCP_STATE_DIR="$SENDCP_STATE_DIR" A="$(head -c 300 /dev/zero | tr '\0' a)" "$SENDCP" send --title --device "$IMG" --checkpoint cp s.ro
	until title=$(tr '\0' '\n' </proc/$PID/cmdline | head -n 1) &&
		[[ $title =~ ^sendcp\ send\ s\.ro:\ [0-9]+%\ [0-9.]+\ [KM]?i?B\ of\ 64\.4\ MiB$ ]]; do
		kill -0 $PID || fail "$title"
		sleep 0.05
	done
	kill -TERM $PID
	end
	assert_equal "$STATUS" 75
	run -0 tail -n 1 err
	assert_output "sendcp: interrupted; resume with: sendcp resume --checkpoint $PWD/cp --append $PWD/got"
	# Without an environment there is less room.
	begin env -i "$SENDCP" send --no-checkpoint --title --device "$IMG" s.ro
	until [[ $(tr '\0' '\n' </proc/$PID/cmdline | head -n 1) == "sendcp send s.ro: "* ]]; do
		kill -0 $PID
		sleep 0.05
	done
	end
	assert cmp got "$STREAM"
	# verify has it too.
	mkfifo in
	"$SENDCP" verify --title - <in 3>&- &
	PID=$!
	exec 7>in
	head -c 60000 "$STREAM" >&7
	until [[ $(tr '\0' '\n' </proc/$PID/cmdline | head -n 1) == "sendcp verify standard input: 58.6 KiB" ]]; do
		kill -0 $PID
		sleep 0.05
	done
	tail -c +60001 "$STREAM" >&7
	exec 7>&-
	wait $PID
}
