#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Options, messages and exit codes that scripts rely on, with a committed image.

load ../lib/suite

setup_file()
{
	require_program zstd
	zstd -q -d --sparse -o "$BATS_FILE_TMPDIR/plain" \
		"$BATS_TEST_DIRNAME/../images/plain.0.img.zst"
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	IMG=$BATS_FILE_TMPDIR/plain
}

teardown()
{
	fixture_end
}

@test "cli: --help and --version go to stdout, with 0" {
	local command

	for command in "" send resume; do
		# shellcheck disable=SC2086
		run --separate-stderr "$SENDCP" $command --help
		assert_success
		assert_output --partial "sendcp"
		assert_equal "$stderr" ""
	done
	run "$SENDCP" --version
	assert_success
	assert_output --regexp "[0-9]+\.[0-9]+"
}

@test "cli: usage errors are 2, name the error, and open nothing" {
	local arguments

	while read -r arguments; do
		# shellcheck disable=SC2086
		run --separate-stderr "$SENDCP" $arguments
		assert_equal "$status: $arguments" "2: $arguments"
		assert_equal "$output" ""
		[[ $stderr == *"sendcp: "* ]] || [[ $stderr == *sage* ]] || fail "$arguments: $stderr"
	done <<-END

	frobnicate
	send
	send --no-such-option x
	send --proto 3 x
	send -p a -p b x
	send --proto 99999999999 x
	send --proto x x
	send --proto -1 x
	send --buffers 0 x
	send --buffer-size 1 x
	send --buffer-size 99999999999999999999 x
	send --checkpoint-interval 1 x
	send --backend nonsense x
	send --progress=perhaps x
	send --proto 1 --compressed-data x
	send --device $BATS_FILE_TMPDIR/plain --backend direct x
	send -f
	resume
	resume --checkpoint
	resume --checkpoint x y
	resume --checkpoint x --at -1
	resume --checkpoint x --at 1x
	END
}

# The native send fails with the kernel's EPROTO.
@test "cli: protocol 3 is refused, and the message names the supported ones" {
	run --separate-stderr "$SENDCP" send --proto 3 --device "$IMG" s.ro
	assert_failure 2
	assert_equal "$output" ""
	assert_equal "$stderr" "sendcp: protocol 3 is not supported, the highest is 2; see sendcp send --help"
}

@test "cli: stderr of a send is the native one and a closing line, and nothing else" {
	local complete="sendcp: complete: 67517394 bytes in N, N/s"

	run --separate-stderr bash -c '"$SENDCP" send --device "$0" s.ro >out' "$IMG"
	assert_success
	assert_equal "$(without_times <<<"$stderr")" $'At subvol s.ro\n'"$complete; $PWD/out.cp removed"
	run --separate-stderr bash -c '"$SENDCP" send --device "$0" s.ro | cat >out' "$IMG"
	assert_success
	assert_equal "${stderr_lines[0]}" "At subvol s.ro"
	assert_equal "${#stderr_lines[@]}" 2
	[[ $(without_times <<<"${stderr_lines[1]}") == "$complete"* ]] || fail "$stderr"
	rm -f cp
	run --separate-stderr bash -c '"$SENDCP" send --checkpoint cp --device "$0" s.ro | cat >out' "$IMG"
	assert_success
	assert_equal "$(without_times <<<"$stderr")" \
		$'At subvol s.ro\n'"$complete; checkpoint file $PWD/cp kept"
	run --separate-stderr bash -c '"$SENDCP" send -q --device "$0" s.ro >out' "$IMG"
	assert_success
	assert_equal "$stderr" ""
	run --separate-stderr bash -c '"$SENDCP" send --device "$0" -f file s.ro' "$IMG"
	assert_success
	assert_equal "$(without_times <<<"$stderr")" $'At subvol s.ro\n'"$complete; $PWD/file.cp removed"
	assert_equal "$output" ""
	assert cmp out file
}

@test "cli: --compressed-data alone is protocol 2; --proto 0 the highest" {
	"$SENDCP" send -q --device "$IMG" --compressed-data s.ro >a
	"$SENDCP" send -q --device "$IMG" --compressed-data --proto 2 s.ro >b
	assert cmp a b
	"$SENDCP" send -q --device "$IMG" --proto 0 s.ro >a
	"$SENDCP" send -q --device "$IMG" --proto 2 s.ro >b
	assert cmp a b
}

@test "cli: -f makes a file of mode 0600, and truncates an existing one only with --restart" {
	umask 000
	"$SENDCP" send -q --device "$IMG" --no-data -f new s.ro
	assert_equal "$(stat -c %a new)" 600
	head -c 9000000 /dev/zero >old
	chmod 644 old
	run "$SENDCP" send -q --device "$IMG" --no-data -f old s.ro
	assert_failure 1
	assert_equal "$(file_size old)" 9000000
	"$SENDCP" send -q --device "$IMG" --no-data --restart -f old s.ro
	assert cmp new old
	assert_equal "$(stat -c %a old)" 644
	assert_file_not_exists new.cp
}

@test "cli: options may come after the subvolume" {
	"$SENDCP" send s.ro -q --device "$IMG" --no-data >a
	"$SENDCP" send -q --no-data --device "$IMG" s.ro >b
	assert cmp a b
}

@test "cli: a terminal is refused as output, before anything is opened" {
	require_program script
	run script -qec "'$SENDCP' send --device /nonexistent s.ro" /dev/null
	assert_failure
	assert_output --partial "not dumping send stream into a terminal"
}

@test "cli: --dry-run prints the exact size and makes no stream" {
	local options size

	for options in "" "--proto 2" "--compressed-data" "--no-data"; do
		# shellcheck disable=SC2086
		"$SENDCP" send -q $options --device "$IMG" s.ro >stream
		size=$(file_size stream)
		# shellcheck disable=SC2086
		run --separate-stderr "$SENDCP" send -q $options --dry-run --device "$IMG" s.ro
		assert_success
		assert_equal "$output" "$size"
	done
}

@test "cli: --progress=json prints the progress and the exact total, one object a line" {
	local line

	require_program jq
	"$SENDCP" send --progress=json --device "$IMG" s.ro 2>err >stream
	grep '^{' err >json
	assert [ -s json ]
	while read -r line; do
		jq -e . >/dev/null <<<"$line"
	done <json
	assert grep -q "$(file_size stream)" json
}

@test "cli: progress is only shown on a terminal" {
	require_program script
	local said="sendcp: complete: 67517394 bytes in N, N/s"

	"$SENDCP" send --device "$IMG" s.ro >/dev/null 2>err
	assert_equal "$(head -n 1 err)" "At subvol s.ro"
	assert_equal "$(wc -l <err)" 2
	[[ $(tail -n 1 err | without_times) == "$said"* ]] || fail "$(cat err)"
	run script -qec "'$SENDCP' send --device '$IMG' s.ro >stream" /dev/null
	assert_success
	assert_output --partial "At subvol s.ro"
	assert_output --regexp '100 ?%'
	"$SENDCP" send --progress=never --device "$IMG" s.ro >/dev/null 2>err
	assert_equal "$(head -n 1 err)" "At subvol s.ro"
	assert_equal "$(wc -l <err)" 2
	[[ $(tail -n 1 err | without_times) == "$said"* ]] || fail "$(cat err)"
}

@test "cli: a pipe, a file and -f get the same bytes" {
	"$SENDCP" send -q --device "$IMG" s.ro >file
	"$SENDCP" send -q --device "$IMG" s.ro | cmp - file
	"$SENDCP" send -q --device "$IMG" -f named s.ro
	assert cmp named file
}

@test "cli: writing to a fifo with -f" {
	mkfifo pipe
	timeout 60 cat pipe >got 3>&- &
	timeout 60 "$SENDCP" send -q --device "$IMG" --no-data -f pipe s.ro
	wait $!
	"$SENDCP" send -q --device "$IMG" --no-data s.ro | cmp - got
}

@test "cli: closed stdout is an error, not a crash" {
	run bash -c '"$SENDCP" send --device "$0" s.ro >&-' "$IMG"
	assert_failure 1
	assert_output --partial "sendcp: "
}

@test "cli: SIGSTOP and SIGCONT at any time change no byte" {
	"$SENDCP" send -q --device "$IMG" s.ro >want
	streamcut --pause 5000000 -- "$SENDCP" send -q --device "$IMG" s.ro >got
	assert cmp got want
}

@test "cli: the last line of an interrupted send says how to resume, and its exit code is 75" {
	run --separate-stderr bash -c '"$SENDCP" send --checkpoint cp --device "$0" s.ro | head -c 4000000 >part
		exit ${PIPESTATUS[0]}' "$IMG"
	assert_equal "$status" 75
	[[ ${stderr_lines[-1]} == *"sendcp resume --checkpoint"* ]] || fail "${stderr_lines[-1]}"
}

@test "cli: names of subvolumes with unusual characters, and the path as given" {
	require_mount
	fixture_begin
	fixture_mkfs 1 512M
	fixture_mount
	local name=$'odd \xff name\n%s'
	btrfs -q subvolume create "$FIX_MOUNT/s"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/$name"
	native_send native "$FIX_MOUNT/$name"
	send_direct direct "$FIX_MOUNT/$name"
	same_as_native direct native
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/ro"
	cd "$FIX_MOUNT"
	run --separate-stderr bash -c '"$SENDCP" send --backend direct ./ro | cat >/dev/null'
	assert_equal "${stderr_lines[0]}" "At subvol ./ro"
	assert_equal "${#stderr_lines[@]}" 2
	cd /
}

@test "cli: sending needs no more privileges than documented" {
	require_mount
	require_program setpriv
	fixture_begin
	fixture_mkfs 1 512M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/ro"
	chmod 755 "$FIX"
	run --separate-stderr bash -c 'setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$SENDCP" send "$FIX_MOUNT/ro" | cat'
	[[ $stderr == *"root"* ]] || fail "$stderr"
}
