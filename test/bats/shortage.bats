#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A call that fails for want of descriptors or memory says nothing of what it asked for: it is the
# error, and not taken for "not there". And what is said of another run, with -q, of a subvolume that
# was deleted.

load ../lib/suite

setup_file()
{
	require_mount
	require_strace
	fixture_begin
	fixture_mkfs 2 200M -m raid1 -d raid1
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	head -c 3M /dev/urandom >"$FIX_MOUNT/s/file"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	export SNAP=$FIX_MOUNT/snap SECOND=${FIX_DEVICES##* }
	send_direct "$FIX/whole" "$SNAP"
}

teardown_file()
{
	fixture_end
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	require_no_sanitizer
}

# failing ERRNO PATH CALL ARGUMENT...: sendcp, whose CALL of PATH fails.
failing()
{
	strace -f -o trace -P "$2" -e "trace=$3" -e "inject=$3:error=$1" "$SENDCP" "${@:4}"
}

@test "shortage: a device that cannot be opened is missing only if it is not there" {
	local err

	for err in ENOENT ENXIO ENODEV ENOMEDIUM EIO; do
		failing "$err" "$SECOND" openat send --backend direct "$SNAP" 2>said | cmp - "$FIX/whole"
		assert grep -q "^sendcp: warning: cannot open device $SECOND: " said
	done
	for err in EMFILE ENFILE ENOMEM EINTR EBUSY EINVAL; do
		run failing "$err" "$SECOND" openat send --backend direct -f out "$SNAP"
		assert_failure 1
		assert_output --regexp "^sendcp: snapshot: cannot open device $SECOND: [A-Z]"
		assert [ ! -e out ]
	done
	run failing EACCES "$SECOND" openat send --backend direct -f out "$SNAP"
	assert_failure 1
	assert_output --partial "needs root"
}

@test "shortage: with any number of descriptors a send is whole, or says that they are too few" {
	local count seen=0

	for count in {6..16}; do
		run --separate-stderr bash -c 'ulimit -n $1; exec "$SENDCP" send -q --backend direct -f out "$SNAP"' - $count
		refute_regex "$stderr" "warning"
		if [ "$status" -eq 0 ]; then
			cmp out "$FIX/whole"
			break
		fi
		[[ $stderr != *"Too many open files"* ]] || seen=$((seen + 1))
		rm -f out out.cp
	done
	assert_equal "$status" 0
	assert [ "$seen" -gt 0 ]
}

@test "shortage: whether a device is mounted is not guessed" {
	local err

	for err in EMFILE ENFILE ENOMEM; do
		run failing "$err" /sys/fs/btrfs openat send --device "$FIX/disk0.img" --device "$FIX/disk1.img" -f out snap
		assert_failure 1
		assert_output --partial "cannot find out whether $FIX/disk0.img is mounted: "
		assert [ ! -e out ]
	done
}

@test "shortage: a sidecar that cannot be looked at is not taken for none" {
	(ulimit -f 1000; exec "$SENDCP" send -q --buffer-size 160K -f out "$SNAP") || true
	cp out before; cp out.cp cp.before
	for err in EMFILE ENFILE ENOMEM EACCES; do
		run failing "$err" out.cp openat send -f out "$SNAP"
		assert_failure 1
		assert_output --partial "cannot open out.cp: "
		# The usual one, when another is named.
		run failing "$err" out.cp openat send --checkpoint other -f out "$SNAP"
		assert_failure 1
		assert_output --partial "cannot open out.cp: "
		run failing "$err" out.cp openat resume --append out
		assert_failure 1
	done
	cmp out before
	cmp out.cp cp.before
}

# Whoever runs the same line again after a failure would append a second stream.
@test "shortage: a sidecar that cannot be removed after the end makes a complete stream no failure" {
	# shellcheck disable=SC2016
	run strace -f -o trace -P "$PWD/out.cp" -e trace=unlink -e inject=unlink:error=EIO \
		bash -c '"$SENDCP" send --backend direct "$SNAP" >>out'
	assert_success
	assert_output --partial "cannot remove $PWD/out.cp, which is of no more use: Input/output error"
	assert_output --partial "checkpoint file $PWD/out.cp kept"
	assert cmp out "$FIX/whole"
	run "$SENDCP" show out.cp
	assert_line --regexp "^state: *complete"

	rm out out.cp
	: >out
	run streamcut --signal KILL --watch out 1000000 -- "$SENDCP" send -q --buffer-size 256K \
		--bwlimit 4M --backend direct -f out "$SNAP"
	assert_equal "$status" 137
	run failing EIO "$PWD/out.cp" unlink resume --checkpoint "$PWD/out.cp"
	assert_success
	assert_output --partial "cannot remove"
	assert cmp out "$FIX/whole"
}

@test "shortage: an old sidecar in the state directory that cannot be opened stays" {
	local old

	mkdir state
	export SENDCP_STATE_DIR=$PWD/state
	old=$PWD/state/s-20200101T000000Z-1.cp
	touch -d "2020-01-01" "$old"
	failing EMFILE "$old" openat send "$SNAP" 2>said | cmp - "$FIX/whole"
	assert [ -e "$old" ]
	"$SENDCP" send -q "$SNAP" | cmp - "$FIX/whole"
	assert [ ! -e "$old" ]
}

@test "shortage: -q prints errors only" {
	failing ENOENT "$SECOND" openat send -q --backend direct "$SNAP" 2>said | cmp - "$FIX/whole"
	assert [ ! -s said ]
	run failing EMFILE "$SECOND" openat send -q --backend direct -f out "$SNAP"
	assert_failure 1
	assert_output --partial "cannot open device"
	# That a stream goes on without its sidecar was an error before it was a warning.
	run bash -c 'SENDCP_STATE_DIR=/dev/null/no "$SENDCP" send -q "$SNAP" 2>&1 >/dev/null'
	assert_success
	assert_output ""
}

# Slowed down by its reader, and without a hold, so that it can be deleted. deleted SUBVOLUME
# OPTIONS...
deleted()
{
	SENDCP_NO_HOLD=1 "$SENDCP" send --buffer-size 144K --buffers 1 "${@:2}" 2>said |
		{ head -c 100000 >/dev/null; btrfs -q subvolume delete -c "$1"; btrfs filesystem sync "$FIX_MOUNT"; cat >/dev/null; } ||
		true
}

@test "shortage: what was deleted while it was sent is named with its role" {
	set -o pipefail
	local where=$FIX_MOUNT

	btrfs -q subvolume snapshot -r "$where/s" "$where/base"
	btrfs -q subvolume snapshot -r "$where/s" "$where/next"
	head -c 20M /dev/urandom >"$where/s/more"
	btrfs -q subvolume snapshot -r "$where/s" "$where/first"
	deleted "$where/base" -p "$where/base" "$where/first"
	assert grep -qE "^sendcp: $where/first: the parent $where/base was deleted while it was sent, after [0-9]+ bytes" said
	deleted "$where/next" -p "$where/snap" -c "$where/next" "$where/first"
	assert grep -qE "^sendcp: $where/first: the clone source $where/next was deleted while it was sent, after" said
	deleted "$where/first" "$where/first"
	assert grep -qE "^sendcp: $where/first: the snapshot was deleted while it was sent, after [0-9]+ bytes" said
	refute grep -q checkpoint\'s said
}

@test "shortage: a sidecar or an output that another run has ends with 75" {
	(ulimit -f 1000; exec "$SENDCP" send -q --buffer-size 160K -f out "$SNAP") || true
	cp out before
	(
		flock 8
		for command in "send -f out $SNAP" "send --restart -f out $SNAP" "resume out.cp" \
			"resume --append out"; do
			# shellcheck disable=SC2086
			run "$SENDCP" $command
			assert_failure 75
			assert_output --partial "out.cp is in use by another sendcp"
		done
	) 8<>out.cp
	(
		flock 8
		for command in "send --restart -f out $SNAP" "resume out.cp" "resume --append out"; do
			# shellcheck disable=SC2086
			run "$SENDCP" $command
			assert_failure 75
			assert_output --partial "out is in use by another sendcp"
		done
	) 8<>out
	cmp out before
	"$SENDCP" send -q -f out "$SNAP"
	cmp out "$FIX/whole"
}
