#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# resume --append: completes the file of an interrupted run, whichever program wrote it.

load ../lib/suite
load ../lib/wrap

setup_file()
{
	wrap_begin
	# Longer than the part that is proven by making it again.
	btrfs -q subvolume create "$FIX_MOUNT/long"
	head -c 200M /dev/urandom >"$FIX_MOUNT/long/x"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/long" "$FIX_MOUNT/long.ro"
	native_send "$FIX/long" "$FIX_MOUNT/long.ro"
	native_send "$FIX/several" "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	native_send "$FIX/several.e" -e "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	native_send "$FIX/full" "$FIX_MOUNT/b"
	native_send "$FIX/p2" --proto 2 -p "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	native_send "$FIX/compressed" --compressed-data -p "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	native_send "$FIX/nodata" --no-data -p "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/b" "$FIX_MOUNT/b2"
}

teardown_file()
{
	fixture_end
}

setup()
{
	TOOL=(zstd -dc)
	PATH=$(dirname "$SENDCP"):$PATH
	cd "$BATS_TEST_TMPDIR" || return 1
}

# cut_copy FILE SIZE: copies the first SIZE bytes of FILE to `file`, without a sidecar.
cut_copy()
{
	rm -f file file.cp
	head -c "$2" "$1" >file
}

# refused TEXT ARGUMENT...: resume --append fails with TEXT (and $STATUS, else 1) and does not change
# `file`.
refused()
{
	local text=$1

	shift
	cp file kept
	run "$SENDCP" resume --append file "$@"
	assert_failure "${STATUS:-1}"
	assert_output --partial "$text"
	assert cmp file kept
	assert_file_not_exist file.cp
}

@test "append: the three one-line commands, exactly as documented" {
	local SNAP=$FIX_MOUNT/large.ro DIR=$FIX_MOUNT/one

	mkdir "$DIR" gate
	mkfifo reached go
	cat >gate/sendcp <<-END
	#!/bin/bash
	exec env LD_PRELOAD="$TOOLS/writegate.so" WRITEGATE_AT=20000000 WRITEGATE_REACHED=reached WRITEGATE_GO=go \
		"$SENDCP" "\$@"
	END
	chmod +x gate/sendcp
	# Both are killed midway: the zstd program leaves an incomplete frame.
	cat >first <<-END
	sendcp send --checkpoint f.cp $SNAP | zstd > f.zst
	END
	PATH=$PWD/gate:$PATH setsid bash first 2>/dev/null &
	# The sender waits at that byte.
	assert_equal "$(head -c 1 reached | wc -c)" 1
	kill -KILL -- -$!
	wait $! || true
	# Waits until the sender is dead, too.
	flock f.cp true
	run zstd -tq f.zst
	assert_failure
	sendcp resume --checkpoint f.cp --append f.zst
	unwrapped f.zst "$FIX/large"
	sendcp cat f.zst | btrfs -q receive "$DIR"
	treecmp "$FIX_MOUNT/large.ro" "$DIR/large.ro"
}

@test "append: the complete part of a frame is kept" {
	local at

	sender --checkpoint cp | zstd -q >all.zst
	at=$(($(file_size all.zst) * 3 / 4))
	head -c $at all.zst >file
	head -n -1 cp >cp.short && cp cp.short cp
	run "$SENDCP" resume -v --checkpoint cp --append file
	assert_success
	unwrapped file "$FIX/whole"
	# All but the last block and batch.
	assert cmp -n $((at - 400000)) all.zst file
	assert [ "$(zstd -lv file 2>/dev/null | sed -n 's/^# Zstandard Frames: //p')" -ge 2 ]
}

@test "append: killed while resuming, repeatedly" {
	local i

	"$SENDCP" send -q --checkpoint cp --buffer-size 1M "$FIX_MOUNT/large.ro" |
		zstd -q >all.zst
	head -c 10000000 all.zst >file
	for i in 1 2 3; do
		streamcut --signal KILL --watch file $((10000000 + i * 9000000)) -- "$SENDCP" resume \
			-q --checkpoint cp --append file || true
		# By now the sidecar has the compression.
		assert_equal "$(head -n 1 cp | jq .compress)" 3
	done
	cp cp cp.kept && cp file file.kept
	"$SENDCP" resume -q --checkpoint cp --append file
	unwrapped file "$FIX/large"
	# It can also be resumed like any compressed file.
	cp cp.kept cp && cp file.kept file
	"$SENDCP" resume -q --checkpoint cp
	unwrapped file "$FIX/large"
}

# stopped CALL ARGUMENT...: a signal at the 30th such call, during the examination of `file`, ends
# it soon; nothing is changed, and the run can be repeated.
stopped()
{
	local call=$1

	shift
	cp file kept
	run strace -f -o calls -e "trace=$call" -e "inject=$call:signal=TERM:when=30" \
		"$SENDCP" resume --append file "$@"
	assert_failure 75
	assert_line "sendcp: stopped by SIGTERM"
	assert cmp file kept
	assert [ "$(grep -c "$call(" calls)" -lt 40 ]
}

@test "append: stopped during the examination of the file" {
	require_strace
	require_no_sanitizer
	"$SENDCP" send -q --checkpoint cp --buffer-size 1M "$FIX_MOUNT/large.ro" >plain
	zstd -q <plain | head -c 55000000 >file
	stopped pread64 --checkpoint cp
	assert_equal "${lines[-1]}" \
		"sendcp: interrupted; resume with: sendcp resume --checkpoint $PWD/cp --append $PWD/file"
	head -c 55000000 plain >file
	stopped pread64 --checkpoint cp
	stopped read "$FIX_MOUNT/large.ro"
	assert_equal "${lines[-1]}" \
		"sendcp: interrupted; run the same command again: $PWD/file was not changed"
	assert_file_not_exist file.cp
	"$SENDCP" send -q --archive --checkpoint cp --buffer-size 1M "$FIX_MOUNT/large.ro" |
		head -c 55000000 >file
	stopped read --checkpoint cp
	stopped read "$FIX_MOUNT/large.ro"
	assert_file_not_exist file.cp
}

# A shell may have created it, below a mount point whose disk is not mounted.
@test "append: an empty file is only filled on request" {
	local line

	sender --checkpoint cp | head -c 1000 >/dev/null || true
	: >file
	refused "holds none of the" --checkpoint cp
	line=${lines[-1]}
	zstd -q <file >file.zst
	run "$SENDCP" resume --append file.zst --checkpoint cp
	assert_failure 1
	assert_output --partial "holds none of the"
	sh -c "${line#*start over: }"
	assert cmp file "$FIX/whole"
}

@test "append: a file truncated in its first bytes is completed in its own format" {
	local program size

	for program in "zstd -q" "pzstd -q -p 2"; do
		for size in 1 2 3 4 5 9; do
			sender --checkpoint cp | head -c 1000 >/dev/null || true
			$program <"$FIX/whole" | head -c $size >file
			assert "$SENDCP" resume -q --checkpoint cp --append file
			unwrapped file "$FIX/whole"
		done
	done
	sender --checkpoint cp | head -c 1000 >/dev/null || true
	printf '\x28\xb5x' >file
	refused "nothing in it is proven by the checkpoint file" --checkpoint cp
}

@test "append: files of other streams are left unchanged" {
	sender --checkpoint cp | head -c 3000000 >/dev/null || true
	cut_copy "$FIX/large" 1000000
	refused "nothing in it is proven by the checkpoint file" --checkpoint cp
	zstd -q <"$FIX/large" | head -c 1000000 >file
	refused "nothing in it is proven by the checkpoint file" --checkpoint cp
	seq 100000 >file
	refused "nothing in it is proven by the checkpoint file" --checkpoint cp
	seq 100000 | bsdtar -cf file cp
	refused "nothing in it is proven by the checkpoint file" --checkpoint cp
	rm file
	run "$SENDCP" resume --checkpoint cp --append file
	assert_failure 1
	assert_output --partial "cannot stat file"
	assert_file_not_exist file
}

@test "append: complete, and the snapshot is deleted" {
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/b" "$FIX_MOUNT/gone"
	"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/gone" | zstd -q >file
	zstd -dcq file >whole
	btrfs -q subvolume delete "$FIX_MOUNT/gone" >/dev/null
	# Zeros that a crash left may be truncated.
	head -c 5000 /dev/zero >>file
	run "$SENDCP" resume --checkpoint cp --append file
	assert_success
	assert_output --partial "the stream is complete"
	unwrapped file whole
	# Anything else may be data of the user.
	printf junk >>file
	cp file kept
	run "$SENDCP" resume --checkpoint cp --append file
	assert_failure 1
	assert_output --partial "4 bytes follow that are not part of it"
	assert cmp file kept
	truncate -s -4 file
	# If bytes are missing, the snapshot is needed.
	truncate -s -1000 file
	run "$SENDCP" resume --checkpoint cp --append file
	assert_failure 1
	assert_output --partial "is gone"
}

@test "append: thinned lines prove the end of the file; without proof it is refused" {
	# As if the lines of the first half had been dropped.
	sender --checkpoint cp >all
	{ head -n 1 cp; sed -n '20,$p' cp | head -n -1; } >thin
	cp thin cp
	head -c 5000000 all >file
	"$SENDCP" resume -q --checkpoint cp --append file
	assert cmp file "$FIX/whole"
	cp thin cp
	zstd -qc all | head -c 1500000 >file
	"$SENDCP" resume -q --checkpoint cp --append file
	unwrapped file "$FIX/whole"
	cp thin cp
	head -c 1000000 all >file
	refused "the checkpoint file goes back only to byte" --checkpoint cp
}

@test "append: no sidecar, all kinds of streams" {
	local name arguments at size

	while read -r name arguments; do
		size=$(file_size "$FIX/$name")
		for at in $((size / 3)) $((size - 20)) "$size"; do
			cut_copy "$FIX/$name" "$at"
			# shellcheck disable=SC2086
			(cd "$FIX_MOUNT" && "$SENDCP" resume -q --append "$BATS_TEST_TMPDIR/file" \
				$arguments) || fail "$name cut at $at"
			cmp file "$FIX/$name" || fail "$name cut at $at"
			assert_file_not_exist file.cp
		done
	done <<-END
	full b
	whole -p a b
	p2 -p a b
	compressed -p a b --compressed-data
	nodata -p a b --no-data
	several a b
	several.e -e a b
	long long.ro
	END
}

@test "append: no sidecar, existing contents are not read again" {
	local read

	cut_copy "$FIX/long" 190000000
	fixture_umount
	fixture_mount compress=zstd
	cat file >/dev/null
	read=$(python3 - "$SENDCP" resume -q --append file "$FIX_MOUNT/long.ro" <<-'END'
	import resource, subprocess, sys
	subprocess.run(sys.argv[1:], check=True)
	print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_inblock * 512)
	END
	)
	assert cmp file "$FIX/long"
	# The last 64 MiB of 190 MB, the missing part, metadata, and readahead; not all 210 MB.
	assert [ "$read" -lt 150000000 ]
	assert [ "$read" -gt 60000000 ]
}

@test "append: no sidecar, killed while resuming: then there is one" {
	cut_copy "$FIX/large" 20000000
	streamcut --signal KILL --watch file 40000000 -- "$SENDCP" resume -q --append file \
		"$FIX_MOUNT/large.ro" || true
	assert_file_exist file.cp
	run "$SENDCP" resume --append file "$FIX_MOUNT/large.ro"
	assert_failure 1
	assert_output --partial "file.cp exists: resume with --checkpoint file.cp"
	"$SENDCP" resume -q --checkpoint file.cp
	assert cmp file "$FIX/large"
	assert_file_not_exist file.cp
}

# An archive's manifest cannot be trusted, so the user must name the subvolumes to send.
@test "append: archives need no sidecar, they contain its lines" {
	local kind

	# shellcheck disable=SC2034 # Read by stored.bash.
	TOOL=(bsdtar -xOf - 'stream.*')
	for kind in --archive "--archive=cpio --compress"; do
		# shellcheck disable=SC2086
		sender $kind >all
		cut_copy all $(($(file_size all) * 2 / 3))
		STATUS=2 refused "give --checkpoint FILE.cp, or SUBVOL"
		refused "is not the subvolume that it was sent with" -p "$FIX_MOUNT/a" "$FIX_MOUNT/b2"
		refused "is of another send" "$FIX_MOUNT/b"
		"$SENDCP" resume -q --append file -p "$FIX_MOUNT/a" "$FIX_MOUNT/b"
		unwrapped file "$FIX/whole"
		assert_file_not_exist file.cp
	done
	cut_copy all 100000
	: >file.cp
	run "$SENDCP" resume --append file "$FIX_MOUNT/b"
	assert_failure 1
	assert_output --partial "file.cp exists"
}

@test "append: no sidecar, refused with the reason where it is impossible" {
	cut_copy "$FIX/full" 1000000
	refused "is of another subvolume" "$FIX_MOUNT/a"
	refused "is of another subvolume" "$FIX_MOUNT/b2"
	refused "is a full stream" -p "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	refused "differs" --no-data "$FIX_MOUNT/b"
	cut_copy "$FIX/whole" 1000000
	refused "name its parent with -p" "$FIX_MOUNT/b"
	refused "is of another parent" -p "$FIX_MOUNT/large.ro" "$FIX_MOUNT/b"
	cut_copy "$FIX/several" "$(file_size "$FIX/several")"
	refused "has another stream after byte" "$FIX_MOUNT/a"
	refused "made without -e" -e "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	cut_copy "$FIX/several.e" "$(file_size "$FIX/several.e")"
	refused "in one stream: it was made with -e" "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	cut_copy "$FIX/full" 10
	refused "holds no send stream" "$FIX_MOUNT/b"
	seq 1000 >file
	refused "holds no send stream" "$FIX_MOUNT/b"
	STATUS=2 refused "give --checkpoint FILE.cp, or SUBVOL"
	"$SENDCP" send -q --archive "$FIX_MOUNT/b" | head -c 3000000 >file
	refused "is of another send" "$FIX_MOUNT/a"
	refused "was sent without a parent" -p "$FIX_MOUNT/a" "$FIX_MOUNT/b"
	"$SENDCP" send -q --archive "$FIX_MOUNT/b" | head -c 700 >file
	refused "the archive is truncated in its manifest" "$FIX_MOUNT/b"
}

# `file` is resumed with little memory, and is complete then.
bounded()
{
	run prlimit --as=800000000 "$SENDCP" resume --checkpoint cp --append file
	assert_success
	unwrapped file "$FIX/large"
}

@test "append: zeros after the complete part take no memory" {
	require_no_sanitizer
	"$SENDCP" send -q --checkpoint kept --buffer-size 1M "$FIX_MOUNT/large.ro" | zstd -q >all.zst
	sed -i '$d' kept
	# In the middle of a block, which continues with zeros.
	cp kept cp
	head -c 20000000 all.zst >file
	truncate -s 170M file
	bounded
	# At the end of a block, so that the header of the next one is zeros.
	cp kept cp
	python3 - all.zst file <<-'END'
	import sys
	data = open(sys.argv[1], "rb").read()
	at = 5 + (0 if data[4] & 0x20 else 1) + [0, 2, 4, 8][data[4] >> 6] + (
	    1 if data[4] & 0x20 and not data[4] >> 6 else 0)
	while at < 20000000:
	    header = int.from_bytes(data[at:at + 3], "little")
	    at += 3 + (1 if header >> 1 & 3 == 1 else header >> 3)
	with open(sys.argv[2], "wb") as f:
	    f.write(data[:at])
	    f.truncate(at + 150000000)
	END
	bounded
}

@test "append: blocks of one byte take no memory" {
	require_no_sanitizer
	"$SENDCP" send -q --checkpoint cp --buffer-size 16M "$FIX_MOUNT/large.ro" >plain
	sed -i '$d' cp
	# The first batch and a part of the second: all of the first waits for its proof.
	python3 - plain file <<-'END'
	import sys
	data = open(sys.argv[1], "rb").read(17000000)
	blocks = bytearray(4 * len(data))
	blocks[0::4] = b"\x08" * len(data)
	blocks[3::4] = data
	with open(sys.argv[2], "wb") as f:
	    f.write(bytes.fromhex("28b52ffd0038") + blocks)
	END
	bounded
}

# The refused contents are correct, so they must not be truncated as damaged.
@test "append: frames that need too much memory are left unchanged" {
	"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/b" >plain
	zstd -q --long=28 <plain >long
	sed -i '$d' cp
	for arguments in "--checkpoint cp" "$FIX_MOUNT/b"; do
		mv long file
		# shellcheck disable=SC2086
		refused "needs more than 128 MiB of memory: unpack it with zstd -dc --long=31" $arguments
		mv file long
	done
	head -c 1000000 plain | zstd -q >file
	tail -c +1000001 plain | zstd -q --long=28 | head -c 2000000 >>file
	refused "needs more than 128 MiB of memory" --checkpoint cp
}

@test "append: no sidecar, renamed and changed snapshots" {
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/b" "$FIX_MOUNT/was"
	native_send was "$FIX_MOUNT/was"
	cut_copy was 1000000
	mv "$FIX_MOUNT/was" "$FIX_MOUNT/is"
	refused "rename the subvolume to that again" "$FIX_MOUNT/is"
	mv "$FIX_MOUNT/is" "$FIX_MOUNT/was"
	btrfs property set -f "$FIX_MOUNT/was" ro false
	touch "$FIX_MOUNT/was/new"
	btrfs property set "$FIX_MOUNT/was" ro true
	refused "was changed since" "$FIX_MOUNT/was"
}

@test "append: no sidecar, contents that differ from the snapshot's" {
	# One byte of the last file differs under a valid checksum: not damage of the storage.
	python3 "$ROOT/test/lib/forge.py" "$FIX/long" file 150000000 contents
	refused "other file contents than would be sent" "$FIX_MOUNT/long.ro"
	# A WRITE with another offset, which is found without reading data.
	python3 "$ROOT/test/lib/forge.py" "$FIX/long" file 150000000 offset
	refused "differs from what would be sent at byte" "$FIX_MOUNT/long.ro"
}

@test "append: options that exclude each other" {
	: >file
	for arguments in "--append file --at 5 --checkpoint cp" \
		"--append file -f x --checkpoint cp" "--append file --checkpoint cp b" \
		"--append file --checkpoint cp -p a" "b c"; do
		# shellcheck disable=SC2086
		run "$SENDCP" resume $arguments
		assert_failure 2
	done
}

@test "append: from an image" {
	fixture_umount
	cut_copy "$FIX/full" 2000000
	# shellcheck disable=SC2046
	"$SENDCP" resume -q --append file $(image_options) b
	assert cmp file "$FIX/full"
}
