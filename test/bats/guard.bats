#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What others may have put in the place of a file that will be written: links, FIFOs, files of
# theirs.

load ../lib/suite

setup_file()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 160M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	head -c 3M /dev/urandom >"$FIX_MOUNT/s/file"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	export SNAP=$FIX_MOUNT/snap
	send_direct "$FIX/whole" "$SNAP"
}

teardown_file()
{
	fixture_end
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir tmp own
	chmod 1777 tmp
}

# refused PATTERN ARGUMENT...: a send that says why, and writes to nothing.
refused()
{
	local pattern=$1

	shift
	run timeout 60 "$SENDCP" send "$@" "$SNAP"
	assert_failure 1
	assert_output --regexp "$pattern"
}

# interrupted OPTIONS...: an interrupted run.
interrupted()
{
	(ulimit -f 1000; exec "$SENDCP" send -q --buffer-size 160K --checkpoint-interval 600K "$@" "$SNAP") ||
		true
}

# theirs LINK TARGET: a symbolic link of another user.
theirs()
{
	ln -s "$2" "$1"
	chown -h nobody "$1"
}

@test "guard: a sidecar is not created through a link" {
	ln -s gone own/out.cp
	refused "cannot open own/out.cp: it is a symbolic link to a file that is not there" -f own/out
	assert [ ! -e own/gone ]
	assert [ ! -e own/out ]
	ln -s "$PWD/gone" cp
	refused "cannot open cp: it is a symbolic link to a file that is not there" --checkpoint cp -f out
	assert [ ! -e gone ]
	# Nor is one that a resumed run makes.
	interrupted --no-checkpoint -f out
	ln -s gone out.cp
	run "$SENDCP" resume --append out "$SNAP"
	assert_failure
	assert [ ! -e gone ]
}

@test "guard: one's own link to a sidecar is its name" {
	interrupted --checkpoint own/cp -f out
	ln -s own/cp link
	"$SENDCP" resume -q --checkpoint link
	cmp out "$FIX/whole"
	# The link is there, and the file: neither took the other's place.
	assert [ -L link ]
	assert [ ! -L own/cp ]
	"$SENDCP" show own/cp | grep -q "^state: *complete"
}

@test "guard: a link to a sidecar goes with it, and the same send can be made again" {
	: >own/cp
	ln -s "$PWD/own/cp" out.cp
	"$SENDCP" send -q -f out "$SNAP"
	cmp out "$FIX/whole"
	assert [ ! -e own/cp ]
	assert [ ! -L out.cp ]
	"$SENDCP" send -q -f out --restart "$SNAP"
	cmp out "$FIX/whole"
}

@test "guard: links of other users lead to no sidecar, in any directory" {
	interrupted --checkpoint own/cp -f out
	cp own/cp before
	theirs link own/cp
	run "$SENDCP" resume --checkpoint link
	assert_failure 1
	assert_output "sendcp: cannot open link: it is a symbolic link of another user"
	theirs tmp/cp "$PWD/own/cp"
	refused "cannot open tmp/cp: it is a symbolic link of another user" --restart --checkpoint tmp/cp -f other
	cmp own/cp before
}

@test "guard: an output may be one's own link, there or not" {
	ln -s own/file link
	"$SENDCP" send -q -f link "$SNAP"
	cmp own/file "$FIX/whole"
	"$SENDCP" send -q -f link "$SNAP"
	cmp own/file "$FIX/whole"
	ln -s "$PWD/own/other" tmp/link
	"$SENDCP" send -q -f tmp/link "$SNAP"
	cmp own/other "$FIX/whole"
	# A name that is an open file's.
	"$SENDCP" send -q -f >(cat >through) "$SNAP"
	wait $! || true
	until cmp -s through "$FIX/whole"; do sleep 0.05; done
}

@test "guard: in a directory for everyone, others' links, files and FIFOs are no output" {
	theirs tmp/link "$PWD/own/victim"
	refused "cannot open tmp/link: it is a symbolic link of another user" -f tmp/link
	assert [ ! -e own/victim ]
	# Through a link of one's own, too.
	ln -s tmp/link mine
	refused "cannot open mine: it is a symbolic link of another user" -f mine
	assert [ ! -e own/victim ]
	touch tmp/file
	chown nobody tmp/file
	refused "cannot open tmp/file: it belongs to another user, in a directory that everyone may write to" \
		-f tmp/file
	assert [ ! -s tmp/file ]
	mkfifo tmp/fifo
	chown nobody tmp/fifo
	# shellcheck disable=SC2094
	exec 7<>tmp/fifo
	refused "cannot open tmp/fifo: it belongs to another user" --no-checkpoint -f tmp/fifo
	exec 7<&-
	# What is one's own is none of that.
	"$SENDCP" send -q -f tmp/new "$SNAP"
	cmp tmp/new "$FIX/whole"
}

@test "guard: in another directory, whose users trust each other, an output may be theirs" {
	theirs own/link target
	"$SENDCP" send -q -f own/link "$SNAP"
	cmp own/target "$FIX/whole"
}

@test "guard: a FIFO or a device in a sidecar's place is refused, and not waited for" {
	mkfifo out.cp
	refused "out.cp is not a regular file" -f out
	refused "out.cp is not a regular file" --checkpoint out.cp -f other
	run timeout 60 "$SENDCP" resume --checkpoint out.cp
	assert_failure 1
	run timeout 60 "$SENDCP" show out.cp
	assert_failure 1
	mkfifo other.cp.thin
	"$SENDCP" send -q -f other "$SNAP" || true
	assert [ -p other.cp.thin ]
	refused "/dev/null is not a regular file" --checkpoint /dev/null -f new
}

@test "guard: a link in the place of a sidecar's temporary file is not followed" {
	ln -s "$PWD/own/victim" out.cp.thin
	run "$SENDCP" send -f out "$SNAP"
	assert [ ! -e own/victim ]
	touch own/victim
	run "$SENDCP" send --restart -f out "$SNAP"
	assert [ ! -s own/victim ]
}

@test "guard: a hard link in a sidecar's place costs no file" {
	echo precious >own/victim
	ln own/victim out.cp
	refused "out.cp exists and is not a checkpoint file" -f out
	assert_equal "$(cat own/victim)" precious
}

@test "guard: the state directory is not a link's of others, nor a file in it" {
	mkdir state
	theirs state/x.cp "$PWD/own/x"
	SENDCP_STATE_DIR=$PWD/state "$SENDCP" send "$SNAP" 2>err | cmp - "$FIX/whole"
	assert [ ! -e own/x ]
	chmod 1777 state
	SENDCP_STATE_DIR=$PWD/state "$SENDCP" send "$SNAP" 2>err | cmp - "$FIX/whole"
	assert grep -q "others may write to it" err
}

@test "guard: a name with a slash at its end is a directory's, and makes or empties no file" {
	refused "cannot open new/: Is a directory" -f new/
	refused "cannot open new/: Is a directory" --no-checkpoint -f new/
	refused "cannot open new/: Is a directory" --checkpoint new/ -f out
	assert [ ! -e new ]
	echo precious >file
	ln -s file/ link
	refused "cannot open file/: Is a directory" --restart --checkpoint cp -f file/
	refused "cannot open link: Is a directory" --restart --checkpoint cp -f link
	assert_equal "$(cat file)" precious
}

@test "guard: one file as output and sidecar, by whatever name, is named" {
	local name

	"$SENDCP" send -q --no-checkpoint -f x "$SNAP"
	truncate -s 1M x
	cp x before
	ln x hard
	ln -s x soft
	for name in x ./x hard soft "$PWD/x"; do
		refused "^sendcp: the checkpoint file x is the output $name: nothing was written" -f "$name" --checkpoint x
		refused "^sendcp: the checkpoint file $name is the output x: nothing was written" -f x --checkpoint "$name"
	done
	ln x x.cp
	refused "^sendcp: the checkpoint file x.cp is the output x: nothing was written" -f x
	rm x.cp
	run bash -c '"$SENDCP" send --checkpoint x "$SNAP" 2>&1 >>x'
	assert_failure 1
	assert_output "sendcp: the checkpoint file x is standard output: nothing was written, name another file"
	cmp x before
}
