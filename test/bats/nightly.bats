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
	touch "$TARGET/.sendcp-target"
	btrfs -q subvolume create "$SUBVOLUME"
	head -c 30M /dev/urandom >"$SUBVOLUME/random"
	rm -rf "$FIX"/{kept,elsewhere,small}
}

teardown()
{
	! mountpoint -q "$TARGET" || umount "$TARGET"
}

nightly()
{
	# Snapshot names differ by the second.
	sleep 1.1
	"$FIX/install/libexec/sendcp/nightly" "$@"
}

# All streams, received in order, give the newest snapshot.
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

@test "systemd-analyze gives no warnings for the units" {
	mkdir "$FIX/units"
	cp "$FIX/install/lib/systemd/system/sendcp-send@.service" "$FIX/units/sendcp-send@home.service"
	cp "$FIX/install/lib/systemd/system/sendcp-send@.timer" "$FIX/units/sendcp-send@home.timer"
	# Manual pages are looked up where they were installed.
	run env MANPATH="$FIX/install/share/man" SYSTEMD_UNIT_PATH="$FIX/units:" \
		systemd-analyze verify "$FIX/units/sendcp-send@home.service" "$FIX/units/sendcp-send@home.timer"
	assert_success
	refute_output --partial "sendcp"
}

unit()
{
	sed -n "s/^$1=//p" "$FIX/install/lib/systemd/system/sendcp-send@.service"
}

@test "the unit runs in a sandbox: an exposure of at most 2.0" {
	cp "$FIX/install/lib/systemd/system/sendcp-send@.service" "$FIX/sendcp-send@home.service"
	run systemd-analyze security --offline=yes --no-pager --threshold=20 "$FIX/sendcp-send@home.service"
	assert_success
	assert_output --regexp "Overall exposure level for sendcp-send@home.service: [01]\.[0-9]"
	# It does count.
	sed -i /^SystemCallFilter=/d "$FIX/sendcp-send@home.service"
	run systemd-analyze security --offline=yes --no-pager --threshold=20 "$FIX/sendcp-send@home.service"
	assert_failure
}

# calls SET...: the system calls of systemd's sets, one a line, those of a set in a set too.
calls()
{
	local name

	for name; do
		case $name in
		@*)
			# shellcheck disable=SC2046
			calls $(systemd-analyze syscall-filter "$name" 2>/dev/null | sed -n 's/^ \+\([^# ]\+\)$/\1/p')
			;;
		*) echo "$name" ;;
		esac
	done
}

# As systemd reads the lines: the first one allows, the others take away and add.
allowed_calls()
{
	local line

	: >"$FIX/allowed"
	while read -r line; do
		# shellcheck disable=SC2086
		calls ${line#\~} | sort -u >"$FIX/set"
		case $line in
		\~*) comm -23 "$FIX/allowed" "$FIX/set" ;;
		*) sort -u "$FIX/allowed" "$FIX/set" ;;
		esac >"$FIX/result"
		mv "$FIX/result" "$FIX/allowed"
	done < <(unit SystemCallFilter)
}

# nightly in a sandbox of the unit, as far as it can be had without systemd: with its rights, and with no
# system calls that it would refuse.
sandboxed()
{
	local bounding status=0

	# Snapshot names differ by the second.
	sleep 1.1
	bounding=$(unit CapabilityBoundingSet | tr A-Z a-z | sed 's/cap_/+/g; s/ /,/g')
	setpriv --bounding-set="-all,$bounding" --no-new-privs \
		strace -f -qq -o "$FIX/strace" -e signal=none "$FIX/install/libexec/sendcp/nightly" "$@" || status=$?
	sed -nE 's/^[0-9]+ +([a-z0-9_]+)\(.*/\1/p' "$FIX/strace" | sort -u >"$FIX/made"
	grep -qx open_by_handle_at "$FIX/made" && ! comm -23 "$FIX/made" "$FIX/allowed" | grep . || return 99
	return $status
}

# Files of other users, that nobody else can read.
foreign_files()
{
	mkdir -m 700 "$SUBVOLUME/private"
	echo secret >"$SUBVOLUME/private/file"
	chown -R 1234:1234 "$SUBVOLUME/private" "$SNAPSHOTS" "$TARGET"
}

@test "in the sandbox, a backup has the rights it needs, and makes no other system calls" {
	local call options

	require_no_sanitizer
	require_strace
	allowed_calls
	for call in mount ptrace init_module setuid chown bpf; do
		! grep -qx $call "$FIX/allowed"
	done
	for call in open_by_handle_at io_submit openat ioctl; do
		grep -qx $call "$FIX/allowed"
	done
	foreign_files
	for options in "--backend direct" "--backend auto" --compress; do
		OPTIONS="-v $options" sandboxed data
	done
	assert_equal "$(streams)" 3
	assert_equal "$(ls "$SNAPSHOTS" | wc -l)" 1
	"$SENDCP" cat "$(ls "$TARGET"/*.stream | tail -n 1)" >"$FIX/plain"
	mv "$FIX/plain" "$(ls "$TARGET"/*.stream | tail -n 1)"
	assert_restored
	assert_equal "$(stat -c %u "$FIX_MOUNT"/restored/*/private/file | sort -u)" 1234
}

@test "in the sandbox, an interrupted backup is resumed" {
	require_no_sanitizer
	require_strace
	allowed_calls
	small_target 16M
	foreign_files
	run sandboxed data
	assert_failure 75
	mkdir "$FIX/kept"
	cp -a "$TARGET"/. "$FIX/kept/"
	umount "$TARGET"
	cp -a "$FIX/kept"/. "$TARGET"
	sandboxed data
	assert_equal "$(streams)" 2
	assert_restored
}

@test "the example configuration sets all variables of the program, in systemd's syntax" {
	local variable

	for variable in SUBVOLUME SNAPSHOTS TARGET KEEP OPTIONS; do
		grep -qE "^$variable=[^ \"']*\$" "$ROOT/docs/examples/systemd/home.conf"
	done
}

@test "a full send, then the changes; the snapshot that is needed is kept" {
	nightly data
	rm "$SUBVOLUME/random"
	echo new >"$SUBVOLUME/new"
	nightly data
	assert_equal "$(streams)" 2
	[ "$(stat -c %s "$(ls "$TARGET"/*.stream | tail -n 1)")" -lt 10000 ]
	assert_equal "$(ls "$SNAPSHOTS" | wc -l)" 1
	assert_restored
}

@test "KEEP keeps more snapshots" {
	export KEEP=1
	nightly data
	nightly data
	nightly data
	assert_equal "$(ls "$SNAPSHOTS" | wc -l)" 2
}

# small_target SIZE: mounts a disk of that size at TARGET.
small_target()
{
	truncate -s "$1" "$FIX/small"
	mkfs.ext4 -q -m 0 "$FIX/small"
	mount -o loop "$FIX/small" "$TARGET"
	touch "$TARGET/.sendcp-target"
}

@test "an interrupted send is resumed by the next run, which then sends the changes since" {
	local first

	small_target 16M
	run nightly data
	assert_failure 75
	first=$(ls "$SNAPSHOTS")
	mkdir "$FIX/kept"
	cp -a "$TARGET"/data.* "$FIX/kept/"
	umount "$TARGET"
	cp -a "$FIX/kept"/. "$TARGET"
	echo new >"$SUBVOLUME/new"
	run nightly data
	assert_success
	assert_equal "$(streams)" 2
	assert_exists "$TARGET/$first.stream"
	run find "$TARGET" -name '*.cp'
	assert_output ""
	[ "$(stat -c %s "$(ls "$TARGET"/*.stream | tail -n 1)")" -lt 10000 ]
	assert_equal "$(ls "$SNAPSHOTS" | wc -l)" 1
	assert_restored
	assert_file_exists "$FIX_MOUNT/restored/$(ls "$SNAPSHOTS")/new"
}

@test "a send that is interrupted repeatedly deletes no snapshot that it needs" {
	local before

	nightly data
	before=$(ls "$SNAPSHOTS")
	small_target 16M
	truncate -s 100 "$TARGET/$before.stream"
	head -c 30M /dev/urandom >"$SUBVOLUME/random"
	run nightly data
	assert_failure 75
	assert_exists "$SNAPSHOTS/$before"
	run nightly data
	assert_failure 75
	assert_exists "$SNAPSHOTS/$before"
	assert_equal "$(ls "$SNAPSHOTS" | wc -l)" 2
	umount "$TARGET"
}

# An empty directory may be a mount point.
@test "TARGET not mounted: nothing is sent, written or deleted, and the chain continues when it is" {
	local before

	rm "$TARGET/.sendcp-target"
	small_target 100M
	nightly data
	before=$(ls "$SNAPSHOTS")
	umount "$TARGET"
	run nightly data
	assert_failure 1
	assert_output --partial "nightly: no .sendcp-target in $TARGET: mount its disk"
	run find "$TARGET" -mindepth 1
	assert_output ""
	assert_equal "$(ls "$SNAPSHOTS")" "$before"
	mount -o loop "$FIX/small" "$TARGET"
	echo new >"$SUBVOLUME/new"
	nightly data
	assert_equal "$(streams)" 2
	[ "$(stat -c %s "$(ls "$TARGET"/*.stream | tail -n 1)")" -lt 10000 ]
	assert_restored
	umount "$TARGET"
}

@test "the command in the message marks a new TARGET, spaces or not" {
	export TARGET="$FIX/new target's"
	mkdir -p "$TARGET"
	run nightly data
	assert_failure 1
	sh -c "${output##*if this is a new target: }"
	nightly data
	assert_equal "$(streams)" 1
}

@test "a TARGET without any of the streams: a full send, and no snapshot is deleted in that run" {
	local before

	nightly data
	before=$(ls "$SNAPSHOTS")
	mkdir "$FIX/elsewhere"
	mv "$TARGET"/data.* "$FIX/elsewhere/"
	nightly data
	assert_exists "$SNAPSHOTS/$before"
	assert_equal "$(ls "$SNAPSHOTS" | wc -l)" 2
	assert_restored
}

@test "with any umask, only root can read the files" {
	umask 022
	nightly data
	nightly data
	run find "$TARGET" -type f -perm /077 ! -name .sendcp-target
	assert_output ""
	grep -q '^umask 077$' "$FIX/install/libexec/sendcp/nightly"
	grep -q '^UMask=0077$' "$FIX/install/lib/systemd/system/sendcp-send@.service"
}

@test "files of another name with the same prefix are left unchanged" {
	local before

	nightly data.old
	nightly data.old
	before=$(ls "$SNAPSHOTS" "$TARGET")
	nightly data
	rm "$SUBVOLUME/random"
	nightly data
	now=$(ls "$SNAPSHOTS" "$TARGET")
	assert_equal "$(grep -F data.old <<<"$now")" "$(grep -F data.old <<<"$before")"
	rm "$TARGET"/data.old.*
	btrfs -q subvolume delete "$SNAPSHOTS"/data.old.* >/dev/null
	assert_equal "$(streams)" 2
	assert_restored
}

# systemd stops a unit with a signal to all of its processes, and does not wait for those left after
# the main process has exited.
@test "stopped by systemd, it waits for sendcp to complete the sidecar" {
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

@test "a missing directory is named in the message" {
	export TARGET=$FIX/none
	run nightly data
	assert_failure 2
	assert_output --partial "TARGET is not a directory: $FIX/none"
}

@test "data that cannot be read: status 3, the next night goes on, and nothing is deleted before" {
	local address

	OPTIONS="--quiet --on-data-error=zero"
	fixture_mkfs 1 1G -d single
	fixture_mount
	mkdir "$SNAPSHOTS"
	btrfs -q subvolume create "$SUBVOLUME"
	head -c 30M /dev/urandom >"$SUBVOLUME/random"
	nightly data
	head -c 1M /dev/urandom >"$SUBVOLUME/more"
	sync -f "$FIX_MOUNT"
	address=$(python3 "$ROOT/test/lib/rot.py" where "$SUBVOLUME" more:8192)
	fixture_umount
	python3 "$ROOT/test/lib/rot.py" damage "$FIX/disk0.img" "$address"
	fixture_mount
	run nightly data
	assert_failure 3
	assert_line --partial "/more: 4096 bytes at offset 8192 cannot be read: zeros are sent instead"
	assert_equal "$(streams)" 2
	assert_equal "$(find "$SNAPSHOTS" -mindepth 1 -maxdepth 1 | wc -l)" 2
	run nightly data
	assert_success
	assert_equal "$(streams)" 3
	assert_equal "$(find "$SNAPSHOTS" -mindepth 1 -maxdepth 1 | wc -l)" 1
}
