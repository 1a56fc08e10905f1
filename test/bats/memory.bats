#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# With little memory: a run takes less, or says before its first byte what it needs. And what a
# checkpoint file says never drives memory, time or opened files.

load ../lib/suite

setup_file()
{
	require_mount
	require_program xxhsum
	fixture_begin
	fixture_mkfs 1 200M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	head -c 3M /dev/urandom >"$FIX_MOUNT/s/noise"
	seq 300000 >"$FIX_MOUNT/s/text"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	sync "$FIX_MOUNT"
	send_direct "$FIX/whole" "$FIX_MOUNT/snap"
	cp --sparse=always "$FIX/disk0.img" "$FIX/image"
}

teardown_file()
{
	fixture_end
}

setup()
{
	require_no_sanitizer
	cd "$BATS_TEST_TMPDIR" || return 1
	GROUP=
}

teardown()
{
	[ -z "$GROUP" ] || rmdir "$GROUP"
}

# limited MIB ARGUMENT...: sendcp that may have so many addresses.
limited()
{
	prlimit --as=$(($1 << 20)) "$SENDCP" "${@:2}"
}

# In a memory cgroup of so many MiB, of either version; skips where there is none.
grouped()
{
	local base name=sendcp-test.$$

	if [ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]; then
		base=/sys/fs/cgroup/memory/$name
		mkdir "$base" && GROUP=$base
		echo "$1M" >"$base/memory.limit_in_bytes"
	elif grep -qw memory /sys/fs/cgroup/cgroup.subtree_control 2>/dev/null; then
		base=/sys/fs/cgroup/$name
		mkdir "$base" && GROUP=$base
		echo "$1M" >"$base/memory.max"
		echo 0 >"$base/memory.swap.max" || true
	else
		require_failed "needs memory cgroups that can be made"
	fi
}

in_group()
{
	bash -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$GROUP" "$SENDCP" "$@"
}

# interrupted OPTIONS...: a run that was interrupted after 1.5 MB, with the sidecar out.cp.
interrupted()
{
	rm -f out out.cp
	(ulimit -f 1500; exec "$SENDCP" send -q --buffer-size 160K --checkpoint-interval 600K --device "$FIX/image" "$@" -f out snap) ||
		true
	assert_file_not_empty out.cp
}

# forged STATEMENT: the sidecar of an interrupted run, after that Python statement on its first line.
forged()
{
	interrupted
	edit_sidecar out.cp "if 'sendcp_journal' in o: $1"
}

# peak ARGUMENT...: the KiB that the program had in memory at most.
peak()
{
	/usr/bin/time -o peak -f %M "$SENDCP" "$@" >/dev/null 2>said || true
	tail -n 1 peak
}

@test "memory: 64 MiB of addresses are enough to send, to compress, to resume and to verify" {
	local options

	for options in "" "--compress" "--archive --compress"; do
		# shellcheck disable=SC2086
		limited 64 send -q $options --device "$FIX/image" -f out snap
		limited 64 verify -q out
		limited 64 cat out | cmp - "$FIX/whole"
		rm out
	done
	interrupted --compress
	limited 64 resume -q out.cp
	"$SENDCP" cat out | cmp - "$FIX/whole"
}

@test "memory: what a level needs is said before the first byte" {
	run limited 96 send -q --compress=19 --device "$FIX/image" -f out snap
	assert_failure 1
	assert_output --regexp "^sendcp: --compress=19 needs [0-9]+ MiB of memory, and [0-9]+ MiB are available; --compress=[0-9]+ needs [0-9]+ MiB$"
	assert [ ! -e out ]
	assert [ ! -e out.cp ]
	# The one that it names will do.
	[[ $output =~ \;\ (--compress=[0-9]+) ]]
	limited 96 send -q "${BASH_REMATCH[1]}" --device "$FIX/image" -f out snap
	"$SENDCP" cat out | cmp - "$FIX/whole"
}

@test "memory: what there is no way to do without is said, too" {
	run limited 48 send -q --device "$FIX/image" -f out snap
	# If not even the libraries can be loaded, that is the loader's line.
	[[ $status = 127 || $status = 1 && $output =~ ^"sendcp: "[0-9]+" MiB of memory are needed, and "[0-9]+" MiB are available"$ ]]
	assert [ ! -e out ]
}

@test "memory: resumed, the level gives way" {
	interrupted --compress=19
	run limited 96 resume out.cp
	assert_success
	assert_output --regexp "compressing with level [0-9]+: 19 needs [0-9]+ MiB of memory, and [0-9]+ MiB are available"
	"$SENDCP" cat out | cmp - "$FIX/whole"
}

@test "memory: a cgroup's limit is seen before it kills" {
	local options

	grouped 64
	for options in "" "--compress" "--compress=9"; do
		# shellcheck disable=SC2086
		in_group send -q $options --device "$FIX/image" -f out snap
		in_group cat out | cmp - "$FIX/whole"
		rm out
	done
	run in_group send -q --compress=19 --device "$FIX/image" -f out snap
	assert_failure 1
	assert_output --partial "--compress=19 needs"
	run in_group send -q --buffers 8 --buffer-size 64M --checkpoint-interval 64M \
		--device "$FIX/image" -f out snap
	assert_failure 75
	assert_line --regexp "8 buffers of 67108864 bytes need 512 MiB of memory, and [0-9]+ MiB are available"
}

@test "memory: a frame that needs more than there is is named, not met" {
	require_program zstd
	zstd -q -1 --long=27 <"$FIX/whole" >large.zst
	local command

	for command in "verify large.zst" "cat large.zst" "dump large.zst" \
		"resume --device $FIX/image --append large.zst snap"; do
		# shellcheck disable=SC2016
		run bash -c 'prlimit --as=$((96 << 20)) "$SENDCP" $0 >/dev/null' "$command"
		assert_failure
		assert_output --partial "out of memory"
		assert_output --partial "zstd frame at byte 0 of the file"
		refute_output --partial "damaged"
	done
}

@test "memory: a sidecar's buffers are bounded" {
	local before after

	interrupted
	cp out out.kept; cp out.cp cp.kept
	before=$(peak resume -q out.cp)
	cmp out "$FIX/whole"
	cp out.kept out; cp cp.kept out.cp
	edit_sidecar out.cp "if 'sendcp_journal' in o: o['buffer_size'], o['buffers'], o['checkpoint_interval'] = 2**62, 2**32 - 1, 2**62"
	# Addresses for the bound, and not for more.
	prlimit --as=$((180 << 20)) "$SENDCP" resume -v out.cp 2>said
	assert grep -qE "^the buffers are [0-9]+ of [0-9]+ bytes" said
	cmp out "$FIX/whole"
	cp out.kept out; cp cp.kept out.cp
	edit_sidecar out.cp "if 'sendcp_journal' in o: o['buffer_size'], o['buffers'], o['checkpoint_interval'] = 2**62, 2**32 - 1, 2**62"
	after=$(peak resume -q out.cp)
	cmp out "$FIX/whole"
	assert [ "$after" -lt $((before + (64 << 10))) ]
}

@test "memory: a sidecar's batch of 1 GiB takes no more than there is" {
	"$SENDCP" send -q --checkpoint cp --buffer-size 256K --device "$FIX/image" snap >whole
	edit_sidecar cp "if o.get('type') == 'batch' and not o['output_offset']: o['length'] = 1 << 30"
	sed -i '3,$d' cp
	run prlimit --as=$((400 << 20)) "$SENDCP" resume -q --checkpoint cp --at 1000
	assert_failure
	assert_output --regexp "out of memory for the batch to be proven: 1025 MiB are needed, [0-9]+ MiB are available"
}

@test "memory: 60,000 devices in a sidecar are refused before any is opened" {
	require_strace
	forged "o['devices'] *= 60000"
	strace -f -o trace -e trace=openat "$SENDCP" resume out.cp >said 2>&1 && return 1
	assert grep -q "60000 devices are named, and no filesystem of more than 1024 can be read" said
	assert [ "$(grep -c "$FIX/image" trace)" -eq 0 ]
	# shellcheck disable=SC2046 # each --device and each path is a word
	run "$SENDCP" send $(printf -- "--device $FIX/image %.0s" {1..1025}) -f other snap
	assert_failure 1
	assert_output --partial "1025 devices are named"
}

@test "memory: 60,000 clone sources in a sidecar are each looked up once" {
	require_strace
	forged "o['clone_sources'] = o['subvolumes'] * 60000"
	strace -f -o trace -e trace=openat "$SENDCP" resume -q out.cp
	cmp out "$FIX/whole"
	# Nothing is opened for one of an image.
	assert [ "$(wc -l <trace)" -lt 200 ]
}

@test "memory: a line of twenty million values is damage" {
	local kib

	interrupted
	python3 - <<-'END' >line
	import sys
	sys.stdout.write('{"type":"batch","x":[' + ",".join(["{}"] * 20000000) + "]")
	END
	printf ',"sum":"%s"}\n' "$(xxhsum -H3 <line | sed 's/.*= *//; s/XXH3_//; s/ .*//')" >>line
	cat line >>out.cp
	kib=$(peak show out.cp)
	assert [ "$kib" -lt 300000 ]
}
