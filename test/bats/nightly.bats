#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The units for a nightly backup, and the program that they start.

load ../lib/suite

setup_file()
{
	require_mount
	require_program systemd-analyze
	fixture_begin
	env -u MAKEFLAGS -u MAKELEVEL make -C "$ROOT" -s install BUILD="$BUILD" DESTDIR= PREFIX="$FIX/install" >/dev/null
}

teardown_file()
{
	fixture_end
}

setup()
{
	fixture_mkfs 1 1G
	fixture_mount
	export SUBVOLUME=$FIX_MOUNT/data SNAPSHOTS=$FIX_MOUNT/snapshots TARGET=$FIX/target KEEP=0 OPTIONS=--quiet
	rm -rf "$TARGET"
	mkdir "$SNAPSHOTS" "$TARGET"
	btrfs -q subvolume create "$SUBVOLUME"
	head -c 30M /dev/urandom >"$SUBVOLUME/random"
	rm -f "$FIX_MOUNT/full"
}

nightly()
{
	# Snapshots are told apart by the second.
	sleep 1.1
	"$FIX/install/libexec/sendcp/nightly" "$@"
}

# All streams, received in turn, make the newest snapshot.
assert_restored()
{
	local stream last

	mkdir "$FIX_MOUNT/restored"
	for stream in "$TARGET"/data.*.stream; do
		btrfs -q receive -f "$stream" "$FIX_MOUNT/restored"
	done
	last=$(ls "$SNAPSHOTS" | tail -n 1)
	diff -r "$SNAPSHOTS/$last" "$FIX_MOUNT/restored/$last"
}

streams()
{
	find "$TARGET" -name 'data.*.stream' | wc -l
}

@test "systemd-analyze finds nothing wrong with the units" {
	mkdir "$FIX/units"
	cp "$FIX/install/lib/systemd/system/sendcp-send@.service" "$FIX/units/sendcp-send@home.service"
	cp "$FIX/install/lib/systemd/system/sendcp-send@.timer" "$FIX/units/sendcp-send@home.timer"
	# Manual pages are looked for where they are installed.
	run env MANPATH="$FIX/install/share/man" SYSTEMD_UNIT_PATH="$FIX/units:" \
		systemd-analyze verify "$FIX/units/sendcp-send@home.service" "$FIX/units/sendcp-send@home.timer"
	assert_success
	refute_output --partial "sendcp"
}

@test "the example of a configuration sets what the program wants, in the way systemd reads it" {
	local variable

	for variable in SUBVOLUME SNAPSHOTS TARGET KEEP OPTIONS; do
		grep -qE "^$variable=[^ \"']*\$" "$ROOT/docs/examples/systemd/home.conf"
	done
}

@test "a full send, then what changed; the snapshot that is needed stays" {
	nightly data
	rm "$SUBVOLUME/random"
	echo new >"$SUBVOLUME/new"
	nightly data
	assert_equal "$(streams)" 2
	[ "$(stat -c %s "$(ls "$TARGET"/*.stream | tail -n 1)")" -lt 10000 ]
	assert_equal "$(ls "$SNAPSHOTS" | wc -l)" 1
	assert_restored
}

@test "KEEP keeps more" {
	export KEEP=1
	nightly data
	nightly data
	nightly data
	assert_equal "$(ls "$SNAPSHOTS" | wc -l)" 2
}

@test "what was broken off is gone on with in the next run, and that makes no snapshot" {
	local before

	# A disk that is full: a small one.
	truncate -s 16M "$FIX/small"
	mkfs.ext4 -q -m 0 "$FIX/small"
	mount -o loop "$FIX/small" "$TARGET"
	run nightly data
	assert_failure 75
	assert_output --partial "resume with: sendcp resume --checkpoint"
	before=$(ls "$SNAPSHOTS")
	mkdir "$FIX/kept"
	cp -a "$TARGET"/data.* "$FIX/kept/"
	umount "$TARGET"
	cp -a "$FIX/kept"/. "$TARGET"
	run nightly data
	assert_success
	assert_equal "$(ls "$SNAPSHOTS")" "$before"
	assert_equal "$(streams)" 1
	assert_restored
}

@test "another one, whose name begins with the same, is left alone" {
	local before

	nightly data.old
	nightly data.old
	before=$(ls "$SNAPSHOTS" "$TARGET")
	nightly data
	rm "$SUBVOLUME/random"
	nightly data
	assert_equal "$(ls "$SNAPSHOTS" "$TARGET" | grep -F data.old)" "$(grep -F data.old <<<"$before")"
	rm "$TARGET"/data.old.*
	btrfs -q subvolume delete "$SNAPSHOTS"/data.old.* >/dev/null
	assert_equal "$(streams)" 2
	assert_restored
}

# Systemd's way of stopping: a signal to all of the unit's processes, when it would not wait for those that
# are left once the first one has gone.
@test "stopped, it waits for sendcp, which has a sidecar to finish" {
	local i

	sed "s|^sendcp=.*|sendcp=$FIX/slow|" "$FIX/install/libexec/sendcp/nightly" >"$FIX/stopped"
	cat >"$FIX/slow" <<-SLOW
		#!/bin/bash
		trap 'sleep 1; touch $FIX/finished; exit 75' TERM
		touch $FIX/started
		for ((i = 0; i < 600; i++)); do sleep 0.1; done
	SLOW
	chmod +x "$FIX/stopped" "$FIX/slow"
	setsid "$FIX/stopped" data 3>&- &
	for ((i = 0; i < 600; i++)); do
		[ ! -e "$FIX/started" ] || break
		sleep 0.1
	done
	kill -TERM -- "-$!"
	i=0
	wait $! || i=$?
	assert_equal $i 75
	assert_file_exists "$FIX/finished"
}

@test "a directory that is not there is named" {
	export TARGET=$FIX/none
	run nightly data
	assert_failure 2
	assert_output --partial "TARGET is not a directory: $FIX/none"
}
