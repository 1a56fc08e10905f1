#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The last line of an interrupted send, and what resume and send refuse: nothing unproven is
# trusted, truncated, overwritten or called complete.

load ../lib/suite

setup_file()
{
	require_mount
	require_program zstd
	fixture_begin
	fixture_mkfs 1 2G
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	head -c 60M /dev/urandom >"$FIX_MOUNT/s/noise"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/one"
	head -c 1M /dev/urandom >"$FIX_MOUNT/s/more"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/two"
	native_send "$FIX/one" "$FIX_MOUNT/one"
	native_send "$FIX/two" -p "$FIX_MOUNT/one" "$FIX_MOUNT/two"
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

teardown()
{
	local point

	for point in "$BATS_TEST_TMPDIR"/disk* "$BATS_TEST_TMPDIR"/elsewhere; do
		while mountpoint -q "$point"; do umount "$point"; done
	done
}

# interrupted [OPTIONS]: a send of `one` into a file, killed after about 30 MB.
interrupted()
{
	run streamcut --signal KILL --watch out 30000000 -- \
		"$SENDCP" send -q -f out --checkpoint-interval 4M "$@" "$FIX_MOUNT/one"
	assert_equal "$status" 137
}

# refused TEXT COMMAND...: COMMAND ends with 1 and a message with TEXT.
refused()
{
	local text=$1

	shift
	run "$@"
	assert_failure 1
	assert_output --partial "$text"
}

# run_last_line FILE: runs the command of the last line as a user would.
run_last_line()
{
	local line

	line=$(tail -n 1 "$1")
	[[ $line == "sendcp: interrupted; resume with: "* ]] || fail "last line: $line"
	sh -c "${line#*resume with: }"
}

@test "last line: names the file that the reader of the pipe writes" {
	local reader

	for reader in "cat >f" "zstd -q >f" "cat | zstd -q >f" "zstd -q -o f" "dd of=f bs=64k status=none"; do
		rm -f cp f
		mkfifo pipe
		# The reader exits early.
		(head -c 20000000 | bash -c "$reader") <pipe 3>&- &
		"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/one" >pipe 2>err && fail "not interrupted"
		wait $!
		rm pipe
		[[ $(tail -n 1 err) == *"resume --checkpoint $PWD/cp --append $PWD/f" ]] ||
			fail "$reader: $(cat err)"
		run_last_line err
		"$SENDCP" cat f | cmp - "$FIX/one" || fail "$reader"
		"$SENDCP" show cp | grep -q "^state: *complete"
	done
}

@test "last line: names with special characters of the shell" {
	local dir

	dir=$PWD/$'a b\'c\n$(d)\\%s'
	mkdir "$dir"
	streamcut --signal INT --watch "$dir/f" 20000000 -- \
		"$SENDCP" send -q -f "$dir/f" "$FIX_MOUNT/one" 2>err || true
	run_last_line err
	cmp "$dir/f" "$FIX/one"
}

@test "last line: a snapshot and files with control characters and bytes that are not UTF-8" {
	local name snapshot shell

	for name in $'e\e[31m n\nl \'"$(d)\\%s\xff\xc2\x9b' $'ends with newlines\n\n'; do
		snapshot=$FIX_MOUNT/$name
		btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$snapshot"
		"$SENDCP" send -q "$snapshot" >whole
		for shell in bash zsh sh; do
			# dash does not know $'...', which only a newline at the end needs.
			[ $shell != sh ] || [[ $name != *$'\n' ]] || continue
			command -v $shell >/dev/null || continue
			rm -f -- "$name" "$name.cp"
			(ulimit -f 2000; "$SENDCP" send -q -f "$name" "$snapshot") 2>err || true
			run env LC_ALL=C grep -ac $'[\x01-\x08\x0b-\x1f\x7f-\xff]' err
			assert_output 0
			$shell -c "$(sed -n '$s/.*resume with: //p' err)"
			cmp -- "$name" whole
			# Without a checkpoint file, the line names the snapshot.
			rm -f -- "$name"
			(ulimit -f 2000; "$SENDCP" send --no-checkpoint -q -f "$name" "$snapshot") 2>err || true
			$shell -c "$(sed -n '$s/.*resume with: //p' err)"
			cmp -- "$name" whole
			rm -f -- "$name.cp"
		done
		btrfs -q subvolume delete "$snapshot"
	done
}

@test "last line: a pipe into btrfs receive cannot be resumed, and the message says so" {
	mkdir "$FIX_MOUNT/received"
	mkfifo pipe
	(head -c 20000000 | btrfs -q receive "$FIX_MOUNT/received") <pipe 2>/dev/null 3>&- &
	run --separate-stderr bash -c 'exec "$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/one" >pipe'
	wait $! || true
	assert_equal "$status" 1
	[[ $stderr == *"btrfs receive cannot resume a stream"*"--restart" ]] || fail "$stderr"
	for name in "$FIX_MOUNT"/received/*; do btrfs -q subvolume delete "$name" >/dev/null; done
}

@test "last line: a file as standard output is treated as a file" {
	streamcut --signal KILL --watch f 20000000 -- \
		bash -c 'exec "$SENDCP" send -q "$FIX_MOUNT/one" >f' || true
	assert_file_exists f.cp
	"$SENDCP" resume -q --checkpoint f.cp
	cmp f "$FIX/one"
	assert_file_not_exists f.cp
	# Two streams in one file: only the first can have a sidecar, and none remains.
	{ "$SENDCP" send -q "$FIX_MOUNT/one"; "$SENDCP" send -q -p "$FIX_MOUNT/one" "$FIX_MOUNT/two"; } >f
	cat "$FIX/one" "$FIX/two" | cmp - f
	assert_file_not_exists f.cp
}

@test "last line: a compressed stream into a pipe; only offsets that were written are named" {
	"$SENDCP" send -q --compress --checkpoint cp --checkpoint-interval 8M "$FIX_MOUNT/one" 2>err |
		head -c 20000000 >f || true
	run_last_line err
	"$SENDCP" cat f | cmp - "$FIX/one"
	# With a reader whose file cannot be found.
	rm cp
	"$SENDCP" send -q --compress --checkpoint cp --checkpoint-interval 8M "$FIX_MOUNT/one" 2>err |
		head -c 20000000 | (head -c 10000000 >g; cat >/dev/null) || true
	refused "only" "$SENDCP" resume --checkpoint cp --at 30000000
	refused "truncate the receiver's file" "$SENDCP" resume --checkpoint cp --at 10000000
	local at
	at=$("$SENDCP" resume --checkpoint cp --at 10000000 2>&1 | grep -oE -- "--at [0-9]+" | tr -dc 0-9)
	truncate -s "$at" g
	"$SENDCP" resume -q --checkpoint cp --at "$at" | dd of=g bs=1M oflag=seek_bytes seek="$at" \
		conv=notrunc status=none
	"$SENDCP" cat g | cmp - "$FIX/one"
}

@test "pipe: it is never assumed how much the reader kept" {
	"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/one" 2>/dev/null | head -c 20000000 >part || true
	refused "sendcp cannot know how many of its" "$SENDCP" resume --checkpoint cp
	refused "were ever written" "$SENDCP" resume --checkpoint cp --at 50000000
	# Doing it twice is harmless.
	for _ in 1 2; do
		cp cp cp.kept
		"$SENDCP" resume -q --checkpoint cp --at 20000000 |
			dd of=part bs=1M oflag=seek_bytes seek=20000000 conv=notrunc status=none
		cp cp.kept cp
	done
	cmp part "$FIX/one"
	"$SENDCP" resume -q --checkpoint cp --at 20000000 >/dev/null
	refused "the stream is complete" "$SENDCP" resume --checkpoint cp --at 20000000
}

@test "pipe: the receiver proves a part that is unpacked into a pipe" {
	local size

	# Less and more than the hash is of, and than what is kept of a pipe; whole commands or not.
	for size in 0 10 17 100000 20000000 40000001; do
		head -c $size "$FIX/one" >part
		assert_equal "$("$SENDCP" verify --position - <part)" "$("$SENDCP" verify --position part)"
		assert_equal "$(cat part | "$SENDCP" verify --position -)" "$("$SENDCP" verify --position part)"
		assert_equal "$("$SENDCP" verify --position <(cat part))" "$("$SENDCP" verify --position part)"
	done
	zstd -q -f part -o part.zst
	assert_equal "$(zstd -dc part.zst | "$SENDCP" verify --position -)" "$("$SENDCP" verify --position part)"
	refused "unpack it before the pipe" bash -c 'cat part.zst | "$SENDCP" verify --position -'
	refused "cannot be read" bash -c '"$SENDCP" verify --position - </'
}

@test "pipe: the receiver proves its part" {
	local have

	"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/one" 2>/dev/null | head -c 40000001 >part || true
	have=$("$SENDCP" verify --position part)
	[[ $have =~ ^[0-9]+:[0-9a-f]{32}$ ]]
	assert [ "${have%%:*}" -le 40000001 ]
	refused "is not this stream" "$SENDCP" resume --checkpoint cp --have "${have%%:*}:$(printf %032d 0)"
	run "$SENDCP" resume --checkpoint cp --have 5
	assert_failure 2
	assert_output --partial "--have: invalid value: 5"
	head -c 30000000 "$FIX/one" >other
	printf x | dd of=other bs=1 seek=29000000 conv=notrunc status=none
	refused "is not this stream" "$SENDCP" resume --checkpoint cp --have \
		"$("$SENDCP" verify --position part | cut -d: -f1):$("$SENDCP" verify --position other | cut -d: -f2)"
	"$SENDCP" resume -q --checkpoint cp --have "$have" |
		dd of=part bs=1M oflag=seek_bytes seek="${have%%:*}" conv=notrunc status=none
	cmp part "$FIX/one"
	# Also if the sender considers the stream complete.
	truncate -s 45000000 part
	have=$("$SENDCP" verify --position part)
	"$SENDCP" resume -q --checkpoint cp --have "$have" |
		dd of=part bs=1M oflag=seek_bytes seek="${have%%:*}" conv=notrunc status=none
	cmp part "$FIX/one"
	run "$SENDCP" resume --checkpoint cp --have "$("$SENDCP" verify --position part)"
	assert_success
	assert_output --partial "the stream is complete"
	refused "was sent compressed" bash -c '"$SENDCP" send -q --compress --checkpoint z.cp "$FIX_MOUNT/one" |
		head -c 1000 >z; "$SENDCP" resume --checkpoint z.cp --have '"$have"
}

@test "pipe: a proof that is interrupted, or a device that fails during it, can be tried again" {
	local have inject code

	require_strace
	"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/one" 2>/dev/null | head -c 40000001 >part || true
	have=$("$SENDCP" verify --position part)
	for inject in signal=HUP:when=20 error=ENXIO:when=20+; do
		code=0
		strace -f -o /dev/null -e trace=pread64 -e "inject=pread64:$inject" \
			"$SENDCP" resume -q --checkpoint cp --have "$have" >nothing 2>err || code=$?
		assert_equal "$code" 75
		assert_equal "$(wc -l <err)" 2
		assert grep -qxF "sendcp: interrupted; resume with: sendcp resume --checkpoint $PWD/cp --have $have" err
		assert_equal "$(file_size nothing)" 0
	done
	truncate -s "${have%%:*}" part
	"$SENDCP" resume -q --checkpoint cp --have "$have" >>part
	assert cmp part "$FIX/one"
}

@test "pipe: the receiver of a compressed stream proves its part" {
	local have

	"$SENDCP" send -q --compress --checkpoint cp --checkpoint-interval 4M "$FIX_MOUNT/one" 2>/dev/null |
		head -c 40000001 >part || true
	have=$("$SENDCP" verify --position part)
	[[ $have =~ ^[0-9]+:[0-9]+:[0-9a-f]{32}$ ]]
	assert [ "${have%%:*}" -gt 20000000 ]
	truncate -s "${have%%:*}" part
	cp cp kept
	"$SENDCP" resume -q --checkpoint cp --have "$have" >>part
	"$SENDCP" cat part | cmp - "$FIX/one"
	# Nothing has arrived.
	: >part
	cp kept cp
	"$SENDCP" resume -q --checkpoint cp --have "$("$SENDCP" verify --position part)" >>part
	"$SENDCP" cat part | cmp - "$FIX/one"
}

@test "send again: an interrupted stream is not overwritten" {
	interrupted
	cp out kept
	# Another snapshot.
	run "$SENDCP" send -f out "$FIX_MOUNT/two"
	assert_failure 1
	assert_line --partial "out.cp is of another send: $FIX_MOUNT/two is not the subvolume that it was sent with ($FIX_MOUNT/one)"
	assert_line --partial "was interrupted after"
	assert_line --partial "add --restart"
	[[ ${lines[-1]} == *"resume with: sendcp resume --checkpoint $PWD/out.cp" ]]
	cmp out kept
	# Another sidecar for the same file.
	refused "out.cp: the send of $FIX_MOUNT/one was interrupted after" "$SENDCP" send -q -f out --checkpoint other "$FIX_MOUNT/one"
	assert_file_not_exists other
	cmp out kept
	"$SENDCP" resume -q --checkpoint out.cp
	cmp out "$FIX/one"
	# A complete stream is overwritten, as by btrfs send -f; with --restart anything is.
	"$SENDCP" send -q -f out -p "$FIX_MOUNT/one" "$FIX_MOUNT/two"
	cmp out "$FIX/two"
	rm out
	interrupted
	"$SENDCP" send -q --restart -f out -p "$FIX_MOUNT/one" "$FIX_MOUNT/two"
	cmp out "$FIX/two"
	seq 1000 >out
	refused "is not known to be a complete stream" "$SENDCP" send -q -f out "$FIX_MOUNT/two"
	seq 1000 | cmp - out
	assert_file_not_exists out.cp
}

@test "send again: into a pipe" {
	"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/one" 2>/dev/null | head -c 20000000 >part || true
	cp cp kept
	refused "was interrupted after" "$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/two"
	cmp cp kept
	"$SENDCP" resume -q --checkpoint cp --append part
	"$SENDCP" send -q --checkpoint cp -p "$FIX_MOUNT/one" "$FIX_MOUNT/two" | cmp - "$FIX/two"
}

@test "resume: a missing file is not created" {
	mkdir a b
	cd a
	interrupted
	mv out ../b
	refused "$PWD/out does not exist" "$SENDCP" resume --checkpoint out.cp
	assert_file_not_exists out
	refused "does not exist" "$SENDCP" resume --checkpoint out.cp -f new
	assert_file_not_exists new
	[[ $output == *"start over: sendcp resume --checkpoint $PWD/out.cp -f $PWD/new --restart" ]]
	: >out
	refused "is empty; the output had" "$SENDCP" resume --checkpoint out.cp
	"$SENDCP" resume -q --checkpoint out.cp -f ../b/out
	cmp ../b/out "$FIX/one"
}

@test "resume: a target that is not mounted" {
	mkdir disk
	mount -t tmpfs none disk
	run streamcut --signal KILL --watch disk/out 30000000 -- \
		"$SENDCP" send -q -f disk/out --checkpoint cp "$FIX_MOUNT/one"
	mkdir disk2
	mount --move disk disk2 2>/dev/null || { mount --bind disk disk2; umount disk; }
	refused "was on the filesystem mounted at $PWD/disk, which is not mounted there now" \
		"$SENDCP" resume --checkpoint cp
	refused "which is not mounted there now" "$SENDCP" resume --checkpoint cp --restart
	assert_file_not_exists disk/out
	cp cp disk2/copy.cp
	"$SENDCP" resume -q --checkpoint cp -f disk2/out
	cmp disk2/out "$FIX/one"
	run "$SENDCP" resume --checkpoint disk2/copy.cp -f disk2/out
	assert_line --partial "is on another one now: is it the latest copy?"
}

@test "resume: the source is found at its filesystem's current mount point" {
	interrupted
	mkdir elsewhere
	mount --bind "$FIX_MOUNT" elsewhere
	fixture_umount
	"$SENDCP" resume -q --checkpoint out.cp
	umount elsewhere
	fixture_mount
	cmp out "$FIX/one"
}

@test "resume: another file under the output's name is left unchanged" {
	interrupted
	cp "$FIX/two" out
	refused "nothing in it is proven to be this stream: left as it is" "$SENDCP" resume --checkpoint out.cp
	cmp out "$FIX/two"
	refused "nothing in it is proven" "$SENDCP" resume --checkpoint out.cp --at 0
	cmp out "$FIX/two"
	refused "left as it is" "$SENDCP" resume --checkpoint out.cp --append out
	cmp out "$FIX/two"
	# The sidecar has no batch yet: the beginning of the file is compared.
	sed -i 1q out.cp
	refused "nothing in it is proven" "$SENDCP" resume --checkpoint out.cp
	refused "left as it is" "$SENDCP" resume --checkpoint out.cp --append out
	seq 1000 >out
	refused "nothing in it is proven" "$SENDCP" resume --checkpoint out.cp
	seq 1000 | cmp - out
	# A part of this stream that a crash left is overwritten.
	{ head -c 699904 "$FIX/one"; head -c 40000 /dev/zero; } >out
	"$SENDCP" resume -q --checkpoint out.cp
	cmp out "$FIX/one"
}

@test "resume: compressed, another file under the output's name is left unchanged" {
	interrupted --compress
	zstd -q <"$FIX/two" >out
	cp out kept
	refused "left as it is" "$SENDCP" resume --checkpoint out.cp
	cmp out kept
	sed -i 1q out.cp
	refused "left as it is" "$SENDCP" resume --checkpoint out.cp
	cmp out kept
	head -c 700000 "$FIX/one" | zstd -q >out
	"$SENDCP" resume -q --checkpoint out.cp
	"$SENDCP" cat out | cmp - "$FIX/one"
}

@test "resume: a complete file with other data after it" {
	cat "$FIX/one" "$FIX/two" >both
	"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/one" | cat >file
	cp both file
	refused "follow that are not part of it" "$SENDCP" resume --checkpoint cp --append file
	cmp both file
	rm cp
	"$SENDCP" send -q --checkpoint cp -f file "$FIX_MOUNT/one"
	"$SENDCP" resume -q --checkpoint cp
	cp both file
	refused "follow that are not part of it" "$SENDCP" resume --checkpoint cp
	cmp both file
	{ zstd -q <"$FIX/one"; zstd -q <"$FIX/two"; } >file
	cp file both
	refused "something else follows" "$SENDCP" resume --checkpoint cp --append file
	cmp both file
	# Equal size does not make it the same file.
	{ head -c 59000000 "$FIX/one"; head -c $(($(file_size "$FIX/one") - 59000000)) /dev/urandom; } >file
	run "$SENDCP" resume -q --checkpoint cp
	assert_success
	cmp file "$FIX/one"
	seq 10000000 | head -c "$(file_size "$FIX/one")" >file
	refused "nothing in it is proven" "$SENDCP" resume --checkpoint cp
}

@test "resume: a sidecar that others may write is not trusted" {
	interrupted
	seq 1000 >precious
	cp precious kept
	edit_sidecar out.cp "if 'output' in o: o['output'] = '$PWD/precious'"
	refused "nothing in it is proven" "$SENDCP" resume --checkpoint out.cp
	cmp precious kept
	chmod g+w out.cp
	refused "others may write to it" "$SENDCP" resume --checkpoint out.cp
	refused "others may write to it" "$SENDCP" resume --checkpoint out.cp --append out
	chmod g-w out.cp
	chown 1234 out.cp
	refused "belongs to another user" "$SENDCP" resume --checkpoint out.cp --append out
	refused "belongs to another user" "$SENDCP" resume --checkpoint out.cp
	cmp precious kept
	chown 0 out.cp
	"$SENDCP" resume -q --checkpoint out.cp -f out
	cmp out "$FIX/one"
}

@test "closed standard descriptors: messages and streams are not written to files opened later" {
	head -c 20000000 "$FIX/one" >part
	"$SENDCP" resume --append part "$FIX_MOUNT/one" 2>&-
	cmp part "$FIX/one"
	assert_file_not_exists part.cp
	# A refusal changes nothing either.
	head -c 3000000 /dev/urandom >other
	cp other kept
	run bash -c '"$SENDCP" resume --append other "$1" 2>&-' - "$FIX_MOUNT/one"
	assert_failure 1
	cmp other kept
	interrupted
	mv out away
	cp out.cp kept
	run bash -c '"$SENDCP" resume --checkpoint out.cp 2>&-'
	assert_failure 1
	cmp out.cp kept
	mv away out
	"$SENDCP" resume -vv --checkpoint out.cp <&- >&- 2>&-
	cmp out "$FIX/one"
	# A stream without an output is not complete.
	run bash -c '"$SENDCP" send --checkpoint cp "$1" >&-' - "$FIX_MOUNT/one"
	assert_failure
}

@test "last line: resume into a file that the sidecar does not name yet" {
	interrupted
	cp out new
	cp out kept
	# The sidecar cannot grow any more; the new file is not the cause.
	run --separate-stderr bash -c 'ulimit -f $(($(stat -c %s out.cp) / 1024)); trap "" XFSZ
		exec "$SENDCP" resume -q --checkpoint out.cp -f new'
	assert_failure
	[[ ${stderr##*$'\n'} == *"resume --checkpoint $PWD/out.cp -f $PWD/new" ]] || fail "$stderr"
	sh -c "${stderr##*resume with: }"
	cmp new "$FIX/one"
	cmp out kept
}

@test "resume: a file changed long before its end is not called complete" {
	local wrapping

	for wrapping in "" --compress --archive "--archive --compress"; do
		rm -f out out.cp cp
		# shellcheck disable=SC2086
		"$SENDCP" send -q --checkpoint cp -f out --checkpoint-interval 4M $wrapping "$FIX_MOUNT/one"
		cp cp kept
		printf changed | dd of=out bs=1 seek=20000000 conv=notrunc status=none
		"$SENDCP" resume -q --checkpoint cp
		"$SENDCP" cat out | cmp - "$FIX/one" || fail "complete: $wrapping"
		grep -v '"type":"complete"' kept >"cp"
		truncate -s 50000000 out
		printf changed | dd of=out bs=1 seek=20000000 conv=notrunc status=none
		"$SENDCP" resume -q --checkpoint cp
		"$SENDCP" cat out | cmp - "$FIX/one" || fail "interrupted: $wrapping"
	done
}

@test "last line: a subvolume of an image whose name begins with a dash" {
	truncate -s 200M image
	mkfs.btrfs -q image
	mkdir disk
	mount -o loop image disk
	btrfs -q subvolume create disk/-e
	head -c 20M /dev/urandom >disk/-e/file
	umount disk
	"$SENDCP" send -q --device image -- -e >whole
	"$SENDCP" send -q --device image -- -e 2>err | head -c 10000000 >part || true
	run_last_line err
	cmp part whole
}

@test "last line: a moved image is named in every way to resume a pipe" {
	local line have

	zstd -q -d --sparse -o image "$BATS_TEST_DIRNAME/../images/small-nodes.0.img.zst"
	"$SENDCP" send -q --device image s.ro >whole
	"$SENDCP" send -q --device image --checkpoint cp s.ro 2>/dev/null | head -c 300000 >part || true
	mv image moved
	"$SENDCP" resume -q --checkpoint cp --device moved 2>err >out && fail "resumed"
	[ "$(grep -c 'sendcp resume' err)" -ge 3 ] || fail "$(cat err)"
	while read -r line; do
		[[ $line == *" --device $PWD/moved "* ]] || fail "$line"
	done < <(grep -o 'sendcp resume .*' err)
	have=$("$SENDCP" verify --position part)
	truncate -s "${have%%:*}" part
	"$SENDCP" resume -q --checkpoint cp --device moved --have "$have" >>part
	cmp part whole
}

@test "send again: interrupted before the sidecar had its first batch" {
	interrupted
	sed -i 1q out.cp
	truncate -s 100000 out
	"$SENDCP" send -q -f out "$FIX_MOUNT/one"
	cmp out "$FIX/one"
	assert_file_not_exists out.cp
}
