#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# send --archive: segments and checkpoints as members, which standard tools unpack; interrupted
# archives are resumed after the last complete segment.

load ../lib/suite
load ../lib/wrap

setup_file()
{
	wrap_begin
}

teardown_file()
{
	fixture_end
}

setup()
{
	TOOL=(bsdtar -xOf - 'stream.*')
	cd "$BATS_TEST_TMPDIR" || return 1
}

kinds()
{
	printf '%s\n' "--archive" "--archive=cpio" "--archive=tar --compress=1" \
		"--archive=cpio --compress"
}

@test "archive: the manifest's command extracts the stream" {
	local kind command

	while read -r kind; do
		# shellcheck disable=SC2086
		sender $kind >f
		unwrapped f "$FIX/whole"
		bsdtar -xOf f manifest.json >manifest
		command=$(jq -r .extract manifest)
		[[ $command == *"| btrfs receive DIR" ]] || fail "$command"
		command=${command%| btrfs receive DIR}
		bash -c "${command//FILE/f}" | cmp - "$FIX/whole" || fail "$command"
	done < <(kinds)
}

@test "archive: GNU tar and cpio give no warnings" {
	sender --archive >f.tar
	tar -tvf f.tar >list 2>err
	assert_equal "$(cat err)" ""
	sender --archive=cpio >f.cpio
	cpio -tv --quiet <f.cpio >list 2>err
	assert_equal "$(cat err)" ""
	# Different inode numbers: no program takes two members for hard links.
	mkdir x && (cd x && cpio -i --quiet <../f.cpio)
	assert_equal "$(find x -type f -links 1 | wc -l)" "$(wc -l <list)"
}

@test "archive: unknown formats" {
	run "$SENDCP" send --archive=zip "$FIX_MOUNT/b"
	assert_failure 2
	assert_output --partial "--archive: invalid value: zip"
}

@test "archive: members, their order, digests and lines" {
	local n=1 name

	sender --archive --checkpoint cp >f
	mkdir x && bsdtar -xf f -C x
	bsdtar -tf f >names
	jq -c 'del(.sum, .synced, .time)' cp >lines
	assert_equal "$(head -n 1 names)" manifest.json
	assert_equal "$(tail -n 1 names)" complete.json
	for name in $(sed '1d;$d' names | paste -sd' '); do
		case $name in
		stream.*) assert_equal "$name" "$(printf 'stream.%010d' $n)" ;;
		*) assert_equal "$name" "$(printf 'checkpoint.%010d' $n)"
		   assert_equal "$(jq -r .xxh3_128 "x/$name")" \
			"$(xxhsum -q -H2 "x/stream.${name#*.}" | cut -d' ' -f1)"
		   # Equal to the sidecar's line without that line's sum.
		   grep -qxF "$(jq -c 'del(.sum)' "x/$name")" lines
		   n=$((n + 1)) ;;
		esac
	done
	assert [ $n -gt 10 ]
	assert_equal "$(jq -r .output_offset x/complete.json)" "$(file_size "$FIX/whole")"
}

@test "archive: received" {
	"$SENDCP" send -q "$FIX_MOUNT/a" >a
	mkdir "$FIX_MOUNT/r"
	btrfs -q receive -f a "$FIX_MOUNT/r"
	sender --archive >f.tar
	bsdtar -xOf f.tar 'stream*' | btrfs -q receive "$FIX_MOUNT/r"
	treecmp "$FIX_MOUNT/b" "$FIX_MOUNT/r/b"
}

@test "archive: files, resumed after possible crashes" {
	local i kind

	while read -r kind; do
		rm -f f cp
		# shellcheck disable=SC2086
		sender $kind -f f --checkpoint cp
		cp f whole
		cp cp whole.cp
		bsdtar -tf whole >names
		for i in $(seq 5); do
			cp whole f
			cp whole.cp cp
			crash f cp "$kind$i"
			"$SENDCP" resume -q --checkpoint cp 2>err || fail "$kind $i: $(cat err)"
			unwrapped f "$FIX/whole" || fail "$kind, crash $i"
			bsdtar -tf f | cmp - names || fail "$kind, crash $i: other members"
		done
	done < <(kinds)
}

@test "archive: pipes, killed at random bytes" {
	local i at usable kind

	while read -r kind; do
		for i in 1 2 3; do
			rm -f cp
			at=$(pick 5000000 "$kind$i")
			# shellcheck disable=SC2086
			streamcut --signal KILL "$at" -- "$SENDCP" send -q $SMALL $kind \
				--checkpoint cp "$FIX_MOUNT/large.ro" >part || true
			run "$SENDCP" resume -q --checkpoint cp --at "$(file_size part)"
			assert_failure
			usable=${output##* --at }
			truncate -s "$usable" part
			"$SENDCP" resume -q --checkpoint cp --at "$usable" >>part
			unwrapped part "$FIX/large" || fail "$kind at $at"
		done
	done < <(kinds)
}

@test "archive: interrupted between the last segment and the end" {
	local kind last

	while read -r kind; do
		rm -f f cp
		# shellcheck disable=SC2086
		sender $kind -f f --checkpoint cp
		last=$(marks cp | tail -n 1)
		head -n -1 cp >cp.short && cp cp.short cp
		truncate -s $((last + 10)) f
		"$SENDCP" resume -q --checkpoint cp
		unwrapped f "$FIX/whole" || fail "$kind"
	done < <(kinds)
}

@test "archive: a signal leaves complete segments and no end" {
	local kind status

	while read -r kind; do
		rm -f cp f f.cp
		status=0
		# shellcheck disable=SC2086
		streamcut --signal TERM --watch f 5000000 -- "$SENDCP" send -q $kind -f f \
			--buffer-size 1M --checkpoint-interval 4M "$FIX_MOUNT/large.ro" || status=$?
		assert_equal "$status" 75
		assert_equal "$(file_size f)" "$(marks f.cp | tail -n 1)"
		"$SENDCP" resume -q --checkpoint f.cp
		unwrapped f "$FIX/large" || fail "$kind"
	done < <(kinds)
}

@test "archive: truncated in its first member, before any of the stream" {
	local kind size name

	# shellcheck disable=SC2034 # Read by stored.bash.
	TOOL=(bsdtar -xOf - 'stream.*')
	for kind in tar cpio; do
		rm -f cp
		sender --archive=$kind --checkpoint cp >all
		sed -i '$d' cp && cp cp lines
		for size in 100 511 600 1000; do
			cp lines cp
			head -c "$size" all >file
			"$SENDCP" resume -q --checkpoint cp --append file || fail "$kind, $size"
			unwrapped file "$FIX/whole"
		done
	done
	# Other archives are not overwritten.
	for name in other manifest.json; do
		echo "precious, and longer than a moment" >$name
		tar -cf file $name && cp lines cp
		run "$SENDCP" resume --checkpoint cp --append file
		assert_failure 1
		assert cmp <(tar -xOf file) $name
	done
}

@test "archive: several subvolumes" {
	local kind

	"$SENDCP" send -q "$FIX_MOUNT/a" "$FIX_MOUNT/b" "$FIX_MOUNT/large.ro" >all
	while read -r kind; do
		# shellcheck disable=SC2086
		"$SENDCP" send -q $kind "$FIX_MOUNT/a" "$FIX_MOUNT/b" "$FIX_MOUNT/large.ro" >f
		unwrapped f all || fail "$kind"
	done < <(kinds)
}

@test "archive: memory is not taken for the size in a member's header, but for what is there" {
	require_no_sanitizer
	python3 - "$FIX/large" <<-'END'
	import sys, tarfile
	member = tarfile.TarInfo("manifest.json")
	member.size = 85 << 20
	with open(sys.argv[1], "wb") as f:
	    f.write(member.tobuf(tarfile.USTAR_FORMAT) + b'{"sendcp_journal":2' + bytes(2000))
	END
	(ulimit -v 100000; "$SENDCP" verify "$FIX/large") 2>"$FIX/said" || status=$?
	assert_equal "$status" 1
	assert grep "truncated" "$FIX/said"
}
