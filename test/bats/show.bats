#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# sendcp show: the subvolume, times, progress, container, sizes of checkpoints.

load ../lib/suite
load ../lib/stored

setup_file()
{
	require_program jq
	require_program zstd
	cd "$BATS_FILE_TMPDIR" || return 1
	zstd -q -d --sparse -o image "$BATS_TEST_DIRNAME/../images/small-nodes.0.img.zst"
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
}

# told FILTER...: all filters hold for show --json of the sidecar cp.
told()
{
	local filter

	"$SENDCP" show --json cp >json
	for filter in "$@"; do
		jq -e "$filter" json >/dev/null || fail "$filter: $(cat json)"
	done
}

# last_of TYPE MEMBER: a member of the last line of that type in the sidecar cp.
last_of()
{
	jq -s "map(select(.type == \"$1\")) | last | .$2" cp
}

@test "show: a plain stream" {
	local before after

	before=$(date +%s)
	stored_send --checkpoint cp | cat >stream
	after=$(date +%s)
	run "$SENDCP" show cp
	assert_success
	assert_line --regexp "^begun: +$(date +%Y)-[0-9-]+ [0-9:]+ [+-][0-9]+$"
	assert_line --regexp "^last changed: +$(date +%Y)-"
	assert_line --regexp '^output: +standard output$'
	assert_line --regexp '^protocol: +2, compressed data$'
	assert_line --regexp '^interval: +327680 bytes$'
	assert_line --regexp '^state: +complete$'
	refute_output --partial "container"
	refute_output --partial "whole up to"
	told "$before <= .begun and .begun <= .changed and .changed <= $after" \
		'.compress_level == null and .archive == null and .mark == null' \
		".bytes_made == $(file_size stream) and .subvolume_bytes_made == .bytes_made" \
		'.subvolume == 0 and .complete and (.one_end | not)'
}

@test "show: the sizes of checkpoints" {
	local sizes

	stored_send --checkpoint cp >stream
	sizes=$(jq -r 'select(.type == "batch") | .checkpoint' cp | while read -r text; do
		base64 -d <<<"$text" | wc -c
	done)
	told ".checkpoint_size == $(tail -n 1 <<<"$sizes")" \
		".checkpoint_size_max == $(sort -n <<<"$sizes" | tail -n 1)" \
		".checkpoints == $(wc -l <<<"$sizes")"
	run "$SENDCP" show cp
	assert_line --regexp \
		"^checkpoint: +$(tail -n 1 <<<"$sizes") bytes, at most $(sort -n <<<"$sizes" | tail -n 1)$"
}

@test "show: the container, and the offset in the file that corresponds to the stream's" {
	local kind

	stored_send >plain
	for kind in --compress=7 --archive "--archive=cpio --compress"; do
		rm -f cp stream
		# shellcheck disable=SC2086
		stored_send --checkpoint cp -f stream $kind
		told ".mark.file_offset == $(last_of mark file_offset)" \
			".mark.output_offset == .bytes_made and .bytes_made == $(file_size plain)"
		run "$SENDCP" show cp
		assert_line --regexp "^whole up to: +byte $(last_of mark file_offset) of the output, byte $(file_size plain) of the stream"
		case $kind in
		--compress=7)
			told '.compress_level == 7 and .archive == null and .mark.segments == 0'
			assert_line --regexp '^container: +zstd, level 7$' ;;
		--archive)
			told '.compress_level == null and .archive == "tar" and .mark.segments > 10'
			assert_line --regexp '^container: +tar$'
			assert_line --regexp "^whole up to: .*, $(last_of mark segments) segments$" ;;
		*)
			told '.compress_level == 3 and .archive == "cpio"'
			assert_line --regexp '^container: +cpio, zstd, level 3$' ;;
		esac
		# The file contains that much of the stream before that offset.
		head -n 20 cp >few && mv few cp
		told '.mark.file_offset > 0'
		head -c "$(jq .mark.file_offset json)" stream >"cut"
		("$SENDCP" cat cut 2>/dev/null || true) >out
		head -c "$(jq .mark.output_offset json)" plain | cmp - out
	done
}

@test "show: interrupted in the second of several subvolumes" {
	local at

	stored_send s.ro >stream
	at=$(($(file_size stream) * 3 / 4))
	streamcut --signal INT "$at" -- "$SENDCP" send -q --proto 2 --compressed-data \
		--buffer-size 160K --checkpoint cp --device "$BATS_FILE_TMPDIR/image" s.ro s.ro \
		>part || true
	told '.subvolume == 1 and (.complete | not)' \
		'.subvolume_bytes_made < .bytes_made and (.subvolumes | length) == 2'
	run "$SENDCP" show cp
	assert_line --regexp '^made: +[0-9]+ bytes of the stream; subvolume 2 of 2, byte [0-9]+ of its stream$'
	assert_line --regexp '^state: +interrupted$'
}

# has_come PATTERN FILE: waits until FILE has PATTERN.
has_come()
{
	local i

	for ((i = 0; i < 6000; i++)); do
		! grep -q "$1" "$2" 2>/dev/null || return 0
		sleep 0.01
	done
	return 1
}

@test "show: running, interrupted, complete; how much of the whole there is" {
	local size total run

	stored_send >stream
	size=$(file_size stream)
	# Its reader stops, so that it stays where it is until it is read on.
	mkfifo pipe
	stored_send --progress=always --checkpoint cp -f pipe 2>err 3>&- &
	run=$!
	exec 4<pipe
	head -c 100000 <&4 >/dev/null
	# The total was measured: it is noted with the next batch.
	has_come % err
	head -c 400000 <&4 >/dev/null
	has_come '"type":"total"' cp
	total=$("$SENDCP" show --json cp | jq .bytes_total)
	assert_equal "$total" "$size"
	run "$SENDCP" show cp
	assert_line --index 0 --regexp '^state: +running$'
	assert_line --regexp "^made: +[0-9]+ bytes of the stream, of $size \([0-9]+%\)$"
	assert_line --regexp '^written: +into a pipe: how many bytes is not known$'
	told '.state == "running" and .percent < 100 and .bytes_durable == null' \
		'.bytes_made < .bytes_total and (.complete | not)'
	exec 4<&-
	wait $run || true
	run "$SENDCP" show cp
	assert_line --index 0 --regexp '^state: +interrupted$'
	assert_line --regexp '^written: +[0-9]+ bytes, into a pipe: its reader has these or fewer$'
	told '.state == "interrupted"' ".bytes_total == $size"
	# What is not known is not shown, and what was measured stays.
	"$SENDCP" resume -q --checkpoint cp -f - --at 90000 >rest
	told '.state == "complete" and .percent == 100' ".bytes_total == $size"
	run "$SENDCP" show cp
	assert_line --regexp "^written: +$size bytes, into a pipe: all of them$"
}

@test "show: what of a file is known to be on the disk" {
	local durable

	(ulimit -f 1500; stored_send -f file) || true
	cp file.cp cp
	told '.state == "interrupted" and .bytes_total == null and .percent == null' \
		'.bytes_durable > 0 and .bytes_durable <= .bytes_made'
	durable=$(jq .bytes_durable json)
	run "$SENDCP" show cp
	assert_line --regexp "^written: +into a file; at least the first $durable bytes of the stream are safely on its disk$"
	# At least all that was before the last line that says so.
	assert_equal "$durable" "$(last_of 'batch" and .synced and "x" != "' output_offset)"
	refute_output --partial "%"
}

@test "show: waits for nothing, and takes no run's lock away" {
	local i

	mkfifo pipe
	run timeout 20 "$SENDCP" show pipe
	assert_equal "$status: $output" "1: sendcp: pipe is not a regular file"
	run timeout 20 "$SENDCP" verify --checkpoint pipe x
	assert_equal "$status: $output" "1: sendcp: pipe is not a regular file"
	run "$SENDCP" show /dev/null
	assert_equal "$status: $output" "1: sendcp: /dev/null is not a regular file"
	stored_send --checkpoint cp >stream
	# A look at the moment when a run begins does not make it fail.
	(while [ ! -e stop ]; do "$SENDCP" show cp >/dev/null || exit; done) 3>&- &
	for ((i = 0; i < 40; i++)); do
		"$SENDCP" resume -q --checkpoint cp
	done
	: >stop
	wait $!
}

@test "show: several files" {
	stored_send --checkpoint cp >stream
	cp cp other
	run --separate-stderr "$SENDCP" show cp nowhere other
	assert_failure 1
	assert_line --index 0 "cp:"
	assert_line "other:"
	assert_equal "$stderr" "sendcp: cannot open nowhere: No such file or directory"
	assert_equal "$("$SENDCP" show --json cp other | jq -r .checkpoint_file | xargs)" "cp other"
}

@test "show: a stream or an archive is named, with the command that shows what is in it" {
	local kind command

	while read -r kind; do
		# shellcheck disable=SC2086
		stored_send ${kind#plain} >"a b"
		run "$SENDCP" show "a b"
		assert_failure 1
		case $kind in
		*archive*)
			assert_output --partial " is an archive of a stream ("
			command=${output#*What is in it: }
			bash -c "${command%%; is it complete*}" >manifest
			jq -e .sendcp_journal manifest ;;
		*) assert_output --partial "What is in it: sendcp dump 'a b'; is it complete: sendcp verify 'a b'" ;;
		esac
	done <<-END
	plain
	--compress
	--archive
	--archive=cpio
	--archive --compress
	--archive=cpio --compress
	END
}

# Sidecars without times, and with members of later versions, are read.
@test "show: sidecars of other versions" {
	require_program xxhsum
	stored_send --checkpoint cp >stream
	edit_sidecar cp 'o.pop("time", 0); o.update({"later": {"what": ["ever"]}})'
	told '.begun == null and .changed == null and .complete'
	run "$SENDCP" show cp
	assert_success
	refute_output --partial "begun"
	refute_output --partial "last changed"
	truncate -s -100 cp
	"$SENDCP" resume -q --checkpoint cp --at 100000 >rest
	cmp <(tail -c +100001 stream) rest
}

@test "show, -v: names cannot break a line or control a terminal" {
	local image=$'im\nage\e[31m' file=$'out\nput\e[31m\xc2\x9b31m\u00e9'

	cp --reflink=auto "$BATS_FILE_TMPDIR/image" "$image"
	"$SENDCP" send -v --device "$image" --checkpoint cp -f "$file" s.ro 2>said
	grep -q '^filesystem ' said
	assert_file_exists "$file"
	"$SENDCP" show --json cp >shown
	jq -e --arg file "$file" '.output | endswith($file)' shown
	run env LC_ALL=C grep -acP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' shown
	assert_output 0
	"$SENDCP" show cp >shown
	grep -q $'^output: .*out?put?\[31m??31m\u00e9$' shown
	grep -q '^device: .*im?age?\[31m$' shown
	"$SENDCP" verify -v --checkpoint cp "$file" 2>>said || true
	run grep -ac $'[\x01-\x08\x0b-\x1f\x7f]' said shown
	assert_output $'said:0\nshown:0'
}
