#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# send --compress: frames that any zstd reads, in a file or pipe that is interrupted and resumed.

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
	# shellcheck disable=SC2034 # Read by stored.bash.
	TOOL=(zstd -dc)
	cd "$BATS_TEST_TMPDIR" || return 1
}

@test "compress: any level, a frame per interval, readable by zstd -d" {
	local level frames

	for level in "" =1 =19; do
		sender --compress$level >f.zst
		unwrapped f.zst "$FIX/whole"
		frames=$(zstd -lv f.zst 2>/dev/null | sed -n 's/^# Zstandard Frames: //p')
		assert [ "$frames" -ge "$(($(file_size "$FIX/whole") / 614400))" ]
		assert [ "$(file_size f.zst)" -lt "$(file_size "$FIX/whole")" ]
	done
	zstd -lv f.zst 2>/dev/null | grep -q 'Check: XXH64'
	# Without a sidecar there are no durable checkpoints, but there are frames.
	"$SENDCP" send -q --compress -f g.zst "$FIX_MOUNT/large.ro"
	unwrapped g.zst "$FIX/large"
	assert_file_not_exist g.zst.cp
}

@test "compress: unknown levels" {
	local level

	for level in 0 23 -1 x ""; do
		run "$SENDCP" send --compress="$level" "$FIX_MOUNT/b"
		assert_failure 2
		assert_output --partial "--compress: invalid value"
	done
}

@test "compress: received" {
	sender --compress >f.zst
	"$SENDCP" send -q "$FIX_MOUNT/a" >a
	mkdir "$FIX_MOUNT/r"
	btrfs -q receive -f a "$FIX_MOUNT/r"
	zstd -dc f.zst | btrfs -q receive "$FIX_MOUNT/r"
	treecmp "$FIX_MOUNT/b" "$FIX_MOUNT/r/b"
}

@test "compress: sidecars of wrapped streams are version 2, of plain ones 1" {
	sender --checkpoint plain.cp >/dev/null
	assert_equal "$(head -n 1 plain.cp | jq .sendcp_journal)" 1
	sender --checkpoint z.cp --compress=5 >/dev/null
	assert_equal "$(head -n 1 z.cp | jq -c '[.sendcp_journal, .compress]')" '[2,5]'
	assert [ "$(marks z.cp | wc -l)" -gt 5 ]
	assert_equal "$(marks plain.cp | wc -l)" 0
}

@test "compress: a file, resumed after possible crashes" {
	local i

	sender --compress -f f.zst --checkpoint cp
	cp f.zst whole.zst
	cp cp whole.cp
	for i in $(seq 15); do
		cp whole.zst f.zst
		cp whole.cp cp
		crash f.zst cp "z$i"
		"$SENDCP" resume -q --checkpoint cp 2>err || fail "crash $i: $(cat err)"
		unwrapped f.zst "$FIX/whole"
	done
}

@test "compress: a file, killed with SIGKILL repeatedly" {
	local i at=0

	streamcut --signal KILL --watch f.zst 2000000 -- "$SENDCP" send -q --compress \
		--checkpoint-interval 4M --buffer-size 1M -f f.zst "$FIX_MOUNT/large.ro" || true
	assert_file_exist f.zst.cp
	for i in 1 2 3; do
		at=$(file_size f.zst)
		streamcut --signal KILL --watch f.zst $((at + 9000000)) -- \
			"$SENDCP" resume -q --checkpoint f.zst.cp || true
	done
	"$SENDCP" resume -q --checkpoint f.zst.cp
	unwrapped f.zst "$FIX/large"
	assert_file_not_exist f.zst.cp
}

@test "compress: damage in the last frames is found, and truncated" {
	local at

	sender --compress -f f.zst --checkpoint cp
	head -n -1 cp >cp.short && cp cp.short cp
	at=$(($(file_size f.zst) - 1000))
	printf '\377' | dd of=f.zst bs=1 seek=$at conv=notrunc status=none
	run "$SENDCP" resume -v --checkpoint cp
	assert_success
	assert_output --partial "bytes are proven"
	unwrapped f.zst "$FIX/whole"
}

@test "compress: other contents in valid frames are found too" {
	local from to

	sender --compress=1 -f f.zst --checkpoint cp
	head -n -1 cp >cp.short && cp cp.short cp
	from=$(marks cp | tail -n 2 | head -n 1)
	to=$(marks cp | tail -n 1)
	tail -c +$((from + 1)) f.zst | zstd -dq >plain
	printf 'X' | dd of=plain bs=1 seek=100 conv=notrunc status=none
	# Padded to the size of the frame with a skippable one.
	zstd -19 -q <plain >frame
	assert [ "$(file_size frame)" -lt $((to - from - 8)) ]
	python3 -c 'import struct, sys
n = int(sys.argv[1]) - 8
sys.stdout.buffer.write(struct.pack("<II", 0x184d2a50, n) + bytes(n))' \
		$((to - from - $(file_size frame))) >>frame
	{ head -c "$from" f.zst; cat frame; } >forged
	cp forged f.zst
	zstd -tq f.zst
	run "$SENDCP" resume -v --checkpoint cp
	assert_success
	assert_output --partial "f.zst: $from of $to bytes are proven"
	unwrapped f.zst "$FIX/whole"
}

@test "compress: a pipe, killed at random bytes: --at names the size to truncate the copy to" {
	local i at usable size

	sender --compress --checkpoint whole.cp >whole.zst
	for i in $(seq 8); do
		rm -f cp
		at=$(pick "$(file_size whole.zst)" "p$i")
		# shellcheck disable=SC2086
		streamcut --signal KILL "$at" -- "$SENDCP" send -q $SMALL --compress --checkpoint cp \
			-p "$FIX_MOUNT/a" "$FIX_MOUNT/b" >part || true
		size=$(file_size part)
		run "$SENDCP" resume -q --checkpoint cp --at "$size"
		if [ "$status" -eq 0 ]; then
			assert_equal "$(marks cp | grep -cx "$size")" 1
			continue
		fi
		assert_output --regexp "truncate the receiver's file to [0-9]+ bytes, then resume with --at [0-9]+"
		usable=${output##* --at }
		# Every complete frame in the output has a mark.
		assert_equal "$usable" "$(marks whole.cp | awk -v size="$size" \
			'$1 <= size { last = $1 } END { print last + 0 }')"
		truncate -s "$usable" part
		resume_rest cp part >rest
		cat rest >>part
		unwrapped part "$FIX/whole"
	done
}

@test "compress: the mark is in the sidecar before the reader has the frame's end" {
	sender --compress --checkpoint whole.cp >whole.zst
	python3 - "$(marks whole.cp | sed -n 2p)" "$SENDCP" send -q --compress --buffer-size 160K \
		--checkpoint-interval 600K --checkpoint cp -p "$FIX_MOUNT/a" "$FIX_MOUNT/b" <<-'END'
	import fcntl, json, os, subprocess, sys, time
	mark = int(sys.argv[1])
	end, start = os.pipe()
	fcntl.fcntl(start, 1031, 4096)
	sender = subprocess.Popen(sys.argv[2:], stdout=start)
	os.close(start)
	left = mark - 20000
	while left > 0:
	    left -= len(os.read(end, min(left, 4096)))
	# The sender waits for the reader.
	time.sleep(1)
	with open("cp") as f:
	    marks = [json.loads(l)["file_offset"] for l in f if '"mark"' in l]
	sender.kill()
	sys.exit(mark not in marks)
	END
}

@test "compress: a signal ends the frame, and the pipe is resumed after its reader's last byte" {
	local status=0

	"$SENDCP" send --compress=1 --checkpoint cp --checkpoint-interval 8M --buffer-size 1M \
		"$FIX_MOUNT/large.ro" > >(until [ -e stopped ]; do sleep 0.1; done; cat >part; touch ended) 2>err &
	until grep -qs '"batch"' cp; do sleep 0.1; done
	kill -TERM $!
	touch stopped
	wait $! || status=$?
	assert_equal "$status" 75
	until [ -e ended ]; do sleep 0.1; done
	grep -q "^sendcp: interrupted; resume with: sendcp resume --checkpoint $PWD/cp --append $PWD/part$" err
	zstd -tq part
	"$SENDCP" resume -q --checkpoint cp --at "$(file_size part)" >>part
	unwrapped part "$FIX/large"
}

@test "compress: a reader that exits early" {
	local status=0

	run --separate-stderr bash -c '"$SENDCP" send --compress --checkpoint cp \
		"$FIX_MOUNT/large.ro" | head -c 100000 >part; exit ${PIPESTATUS[0]}'
	assert_equal "$status" 75
	[[ ${stderr_lines[-1]} == *"--checkpoint $PWD/cp --append "* ]] || fail "${stderr_lines[-1]}"
	"$SENDCP" resume -q --checkpoint cp --append part
	unwrapped part "$FIX/large"
}

@test "compress: resume of a complete stream" {
	sender --compress -f f.zst --checkpoint cp
	run "$SENDCP" resume --checkpoint cp
	assert_success
	assert_output --partial "the stream is complete"
	unwrapped f.zst "$FIX/whole"
	sender --compress --checkpoint cp >g.zst
	run "$SENDCP" resume --checkpoint cp --at "$(file_size g.zst)"
	assert_success
	assert_output --partial "the stream is complete"
}

@test "compress: another stream's file is left unchanged" {
	sender --compress -f f.zst --checkpoint cp
	head -c 300000 "$FIX/large" | zstd -q >other.zst
	cp other.zst kept.zst
	run "$SENDCP" resume --checkpoint cp -f other.zst
	assert_failure 1
	assert_output --partial "nothing in it is proven by the checkpoint file"
	assert cmp other.zst kept.zst
}
