#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A send protects its subvolumes: until it ends, btrfs refuses to delete the snapshot, its parent
# and its clone sources, or to make them writable, as during a native send.

load ../lib/suite

setup_file()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 2G
	fixture_mount
	cd "$FIX_MOUNT" || return 1
	btrfs -q subvolume create s
	head -c 3000000 /dev/urandom >s/f
	btrfs -q subvolume snapshot -r s a
	cp s/f s/g
	btrfs -q subvolume snapshot -r s c
	head -c 9000000 /dev/urandom >s/h
	btrfs -q subvolume snapshot -r s b
	btrfs -q subvolume snapshot -r s other
	cd / || return 1
}

teardown_file()
{
	fixture_end
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	mkfifo pipe
	CHILD=
}

# A failed test may have left a process.
teardown()
{
	[ -z "$CHILD" ] || { kill -CONT "$CHILD"; kill -KILL "$CHILD"; wait "$CHILD"; } 2>/dev/null || true
}

# begun COMMAND...: starts COMMAND in its own session with output into a pipe, and reads the first
# bytes from file descriptor 7: it is in the middle of its stream and waits. Sets CHILD and HOLDER.
begun()
{
	setsid "$@" >pipe 2>err 3>&- &
	CHILD=$!
	exec 7<pipe
	head -c 17 <&7 >got
	assert_equal "$(file_size got)" 17
	HOLDER=$(pgrep -P "$CHILD" -x sendcp-hold) || true
}

# whole OUT: the complete stream of these tests.
whole()
{
	native_send "$1" -p "$FIX_MOUNT/a" -c "$FIX_MOUNT/c" "$FIX_MOUNT/b"
}

send_begun()
{
	begun "$SENDCP" send --backend direct -p "$FIX_MOUNT/a" -c "$FIX_MOUNT/c" "$@" "$FIX_MOUNT/b"
	assert [ -n "$HOLDER" ]
}

# ends_with STATUS: reads the rest of the stream, and checks the exit status.
ends_with()
{
	local status=0

	cat <&7 >>got
	exec 7<&-
	wait "$CHILD" || status=$?
	CHILD=
	assert_equal "$status" "$1"
}

stops()
{
	kill -STOP "$1"
	until [ "$(ps -o state= -p "$1")" = T ]; do sleep 0.01; done
}

is_held()
{
	local name

	for name; do
		run btrfs subvolume delete "$FIX_MOUNT/$name"
		assert_failure
		assert_output --partial "Operation not permitted"
		run rmdir "$FIX_MOUNT/$name"
		assert_failure
		run btrfs property set "$FIX_MOUNT/$name" ro false
		assert_failure
		assert_output --partial "Operation not permitted"
		assert_equal "$(btrfs property get "$FIX_MOUNT/$name" ro)" ro=true
	done
}

# Each is replaced by a snapshot of it at the end, for the next test.
is_free()
{
	local name

	for name; do
		btrfs property set "$FIX_MOUNT/$name" ro false
		btrfs property set "$FIX_MOUNT/$name" ro true
		btrfs -q subvolume snapshot -r "$FIX_MOUNT/$name" "$FIX_MOUNT/$name.new"
		btrfs -q subvolume delete "$FIX_MOUNT/$name"
		mv "$FIX_MOUNT/$name.new" "$FIX_MOUNT/$name"
	done
}

# A sendcp killed with SIGKILL cannot wait for its holder process.
soon_gone()
{
	while kill -0 "$1" 2>/dev/null; do sleep 0.01; done
}

@test "hold: snapshot, parent and clone source cannot be deleted or changed until the end" {
	whole native
	send_begun
	is_held b a c
	ends_with 0
	same_as_native got native
	refute kill -0 "$HOLDER" 2>/dev/null
	is_free b a c
}

@test "hold: also while the send is stopped" {
	send_begun
	stops "$CHILD"
	is_held b a c
	kill -CONT "$CHILD"
	is_held b
	ends_with 0
	is_free b a c
}

@test "hold: several subvolumes, all until the last is sent" {
	begun "$SENDCP" send --backend direct "$FIX_MOUNT/other" "$FIX_MOUNT/b" "$FIX_MOUNT/a"
	is_held other b a
	is_free c
	ends_with 0
	is_free other b a
}

@test "hold: released when the reader has exited" {
	send_begun --checkpoint cp
	exec 7<&-
	wait "$CHILD" || status=$?
	CHILD=
	assert_equal "$status" 75
	refute kill -0 "$HOLDER" 2>/dev/null
	is_free b a c
}

@test "hold: released after SIGTERM to all of its processes" {
	send_begun --checkpoint cp
	kill -TERM "$HOLDER"
	is_held b a c
	kill -TERM -- "-$CHILD" "$HOLDER"
	ends_with 75
	refute kill -0 "$HOLDER" 2>/dev/null
	is_free b a c
}

@test "hold: released after kill -9, stopped or not, the holder stopped or not" {
	for stopped in "" "CHILD" "HOLDER" "CHILD HOLDER"; do
		send_begun
		for which in $stopped; do stops "${!which}"; done
		kill -KILL "$CHILD"
		ends_with 137
		soon_gone "$HOLDER"
		is_free b a c
	done
}

@test "hold: released after a failure" {
	"$SENDCP" send -q --backend direct "$FIX_MOUNT/b" >/dev/full 2>err && fail "no failure"
	is_free b
	run bash -c 'ulimit -f 1000; "$SENDCP" send -q --backend direct -f out "$FIX_MOUNT/b"'
	assert_failure 75
	is_free b
	run "$SENDCP" send -q --backend direct --checkpoint nowhere/cp "$FIX_MOUNT/b"
	assert_failure 1
	is_free b
}

@test "hold: resume" {
	whole native
	"$SENDCP" send -q --checkpoint cp -p "$FIX_MOUNT/a" -c "$FIX_MOUNT/c" "$FIX_MOUNT/b" |
		head -c 1000000 >part || true
	begun "$SENDCP" resume --backend direct --checkpoint cp --at 1000000
	is_held b a c
	ends_with 0
	cat got >>part
	same_as_native part native
	is_free b a c
}

# Its output is a file, at which it never waits: so it is stopped when it truncates that.
@test "hold: resume --append, with and without a sidecar" {
	local sidecar append

	require_strace
	native_send native "$FIX_MOUNT/b"
	for sidecar in "" "--checkpoint cp"; do
		# shellcheck disable=SC2086
		"$SENDCP" send -q $sidecar "$FIX_MOUNT/b" | head -c 1000000 >part || true
		# shellcheck disable=SC2086
		set -- "$SENDCP" resume -q --backend direct --append part $sidecar
		[ -n "$sidecar" ] || set -- "$@" "$FIX_MOUNT/b"
		rm -f calls
		setsid strace -o calls -e trace=ftruncate -e inject=ftruncate:signal=STOP:when=1 -- "$@" 3>&- &
		CHILD=$!
		until grep -qs "stopped by SIGSTOP" calls; do
			kill -0 "$CHILD" || fail "it ended first"
			sleep 0.01
		done
		append=$(pgrep -P "$CHILD" -x sendcp)
		assert pgrep -P "$append" -x sendcp-hold
		is_held b
		kill -CONT "$append"
		wait "$CHILD"
		CHILD=
		same_as_native part native
		rm -f part part.cp cp
	done
	is_free b
}

@test "hold: other operations on the filesystem work" {
	send_begun
	btrfs -q subvolume snapshot "$FIX_MOUNT/b" "$FIX_MOUNT/copy"
	echo new >"$FIX_MOUNT/copy/new"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/copy" "$FIX_MOUNT/copy.ro"
	btrfs filesystem sync "$FIX_MOUNT"
	native_send native -p "$FIX_MOUNT/b" "$FIX_MOUNT/copy.ro"
	send_direct ours -p "$FIX_MOUNT/b" "$FIX_MOUNT/copy.ro"
	same_as_native ours native
	btrfs -q balance start --full-balance "$FIX_MOUNT"
	fsfreeze -f "$FIX_MOUNT"
	fsfreeze -u "$FIX_MOUNT"
	mount -o remount,ro "$FIX_MOUNT"
	mount -o remount,rw "$FIX_MOUNT"
	btrfs -q subvolume delete "$FIX_MOUNT/copy" "$FIX_MOUNT/copy.ro"
	# Both sends hold it.
	is_held a
	run umount "$FIX_MOUNT"
	assert_failure
	assert_output --partial "busy"
	ends_with 0
	# After a balance, other clones may be found.
	mkdir "$FIX_MOUNT/r"
	btrfs send -q "$FIX_MOUNT/a" | btrfs -q receive "$FIX_MOUNT/r"
	btrfs send -q "$FIX_MOUNT/c" | btrfs -q receive "$FIX_MOUNT/r"
	btrfs -q receive -f got "$FIX_MOUNT/r"
	treecmp --any-root-times "$FIX_MOUNT/b" "$FIX_MOUNT/r/b"
	btrfs -q subvolume delete "$FIX_MOUNT"/r/*
	rmdir "$FIX_MOUNT/r"
}

@test "hold: another send of a subvolume holds it after the first one ended" {
	mkfifo second
	send_begun
	"$SENDCP" send -q --backend direct "$FIX_MOUNT/b" >second 3>&- 7<&- &
	exec 8<second
	head -c 17 <&8 >/dev/null
	ends_with 0
	is_held b
	is_free a c
	cat <&8 >/dev/null
	exec 8<&-
	wait $!
	is_free b
}

@test "hold: none with SENDCP_NO_HOLD=1, and -v reports it" {
	export SENDCP_NO_HOLD=1
	begun "$SENDCP" send -v --backend direct "$FIX_MOUNT/other"
	assert_equal "$HOLDER" ""
	btrfs property set "$FIX_MOUNT/other" ro false
	btrfs property set "$FIX_MOUNT/other" ro true
	cat <&7 >/dev/null
	exec 7<&-
	wait "$CHILD" || true
	CHILD=
	assert_equal "$(grep -c "^the subvolumes are not protected (SENDCP_NO_HOLD is set)" err)" 1
}

@test "hold: if it is not possible, -v prints the reason, and the send works without" {
	require_strace
	strace -f -o /dev/null -e trace=clone -e inject=clone:error=ENOMEM -- "$SENDCP" send -v --backend direct \
		-p "$FIX_MOUNT/a" -c "$FIX_MOUNT/c" "$FIX_MOUNT/b" >got 2>err
	assert_equal "$(grep -c "^the subvolumes are not protected (Cannot allocate memory)" err)" 1
	"$SENDCP" send -v -p "$FIX_MOUNT/a" -c "$FIX_MOUNT/c" "$FIX_MOUNT/b" >again 2>err
	refute grep "not protected" err
	cmp got again
}

@test "hold: started with SIGCHLD ignored" {
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execv(sys.argv[1], sys.argv[1:])' "$SENDCP" send -v --backend direct "$FIX_MOUNT/b" >got 2>err
	refute grep "not protected" err
	native_send native "$FIX_MOUNT/b"
	same_as_native got native
}

@test "hold: none for a dry run" {
	require_strace
	strace -f -o calls -e trace=clone,clone3 -- "$SENDCP" send --dry-run "$FIX_MOUNT/b"
	# Progress has a thread.
	refute grep -E "clone3?\(" <(grep -v CLONE_THREAD calls)
	assert [ -s calls ]
}
