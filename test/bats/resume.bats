#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A send that is interrupted at any byte is resumed there, with each backend, from each backend's
# checkpoints.

load ../lib/suite

setup_file()
{
	require_mount
	require_program python3
	fixture_begin
	fixture_mkfs 2 2G -m raid1 -d raid0
	fixture_mount compress=zstd
	fixture_random 301 1200
	fixture_everything --light
	# Large enough to be interrupted.
	btrfs -q subvolume create "$FIX_MOUNT/large"
	head -c 150M /dev/urandom >"$FIX_MOUNT/large/noise"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/large" "$FIX_MOUNT/large.ro"
	send_direct "$FIX/b.1" "$FIX_MOUNT/b"
	send_direct "$FIX/b.2" --proto 2 --compressed-data "$FIX_MOUNT/b"
	send_direct "$FIX/s.1" "$FIX_MOUNT/s.ro"
	send_direct "$FIX/all.1" -e "$FIX_MOUNT/a" "$FIX_MOUNT/b" "$FIX_MOUNT/s.ro"
	send_direct "$FIX/all.2" --proto 2 "$FIX_MOUNT/a" "$FIX_MOUNT/b" "$FIX_MOUNT/s.ro"
	send_direct "$FIX/large.1" "$FIX_MOUNT/large.ro"
}

teardown_file()
{
	fixture_end
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
}

# kill_and_resume WHOLE AT [OPTIONS] SUBVOL...
kill_and_resume()
{
	local whole=$1 at=$2

	shift 2
	rm -f cp
	streamcut --signal KILL "$at" -- "$SENDCP" send -q --checkpoint cp \
		--checkpoint-interval 256K "$@" >part || true
	assert_equal "$(file_size part)" "$at"
	resume_rest cp part >rest
	cat part rest | cmp - "$whole" || fail "killed at byte $at"
}

@test "resume: SIGKILL at random bytes, mounted" {
	local i

	for i in $(seq 12); do
		kill_and_resume "$FIX/b.1" "$(pick "$(file_size "$FIX/b.1")" "b$i")" "$FIX_MOUNT/b"
		kill_and_resume "$FIX/s.1" "$(pick "$(file_size "$FIX/s.1")" "s$i")" "$FIX_MOUNT/s.ro"
	done
}

@test "resume: SIGKILL at random bytes, protocol 2, compressed data" {
	local i

	for i in $(seq 8); do
		kill_and_resume "$FIX/b.2" "$(pick "$(file_size "$FIX/b.2")" "c$i")" \
			--proto 2 --compressed-data "$FIX_MOUNT/b"
	done
}

@test "resume: SIGKILL at random bytes, several subvolumes" {
	local i

	for i in $(seq 8); do
		kill_and_resume "$FIX/all.1" "$(pick "$(file_size "$FIX/all.1")" "d$i")" \
			-e "$FIX_MOUNT/a" "$FIX_MOUNT/b" "$FIX_MOUNT/s.ro"
		kill_and_resume "$FIX/all.2" "$(pick "$(file_size "$FIX/all.2")" "e$i")" \
			--proto 2 "$FIX_MOUNT/a" "$FIX_MOUNT/b" "$FIX_MOUNT/s.ro"
	done
}

@test "resume: at the first and the last bytes" {
	local at size

	size=$(file_size "$FIX/b.1")
	for at in 1 16 17 18 "$((size - 11))" "$((size - 10))" "$((size - 1))"; do
		kill_and_resume "$FIX/b.1" "$at" "$FIX_MOUNT/b"
	done
}

@test "resume: before the contents of a file whose path has one byte" {
	local protocol

	btrfs -q subvolume create "$FIX_MOUNT/short"
	head -c 1500000 /dev/urandom >"$FIX_MOUNT/short/f"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/short" "$FIX_MOUNT/short.ro"
	for protocol in 1 2; do
		send_direct "$FIX/short" --proto $protocol "$FIX_MOUNT/short.ro"
		kill_and_resume "$FIX/short" 250 --proto $protocol "$FIX_MOUNT/short.ro"
		kill_and_resume "$FIX/short" 700000 --proto $protocol "$FIX_MOUNT/short.ro"
	done
}

@test "resume: at byte 0, if nothing arrived" {
	"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/b" | head -c 1 >/dev/null || true
	"$SENDCP" resume -q --checkpoint cp --at 0 >all
	assert cmp all "$FIX/b.1"
}

@test "resume: killed repeatedly, with some progress each time" {
	local at=0 step=700001 size

	size=$(file_size "$FIX/s.1")
	streamcut --signal KILL $step -- "$SENDCP" send -q --checkpoint cp \
		--checkpoint-interval 200K "$FIX_MOUNT/s.ro" >all || true
	at=$(file_size all)
	while [ "$at" -lt "$((size - step))" ]; do
		streamcut --signal KILL $step -- "$SENDCP" resume -q --checkpoint cp --at "$at" \
			>>all || true
		at=$((at + step))
		assert_equal "$(file_size all)" "$at"
	done
	resume_rest cp all >rest
	cat all rest | cmp - "$FIX/s.1"
}

@test "resume: --at any byte that was read, not only the last" {
	local at i size

	size=$(file_size "$FIX/b.1")
	streamcut --signal KILL "$((size * 9 / 10))" -- "$SENDCP" send -q --checkpoint cp \
		--checkpoint-interval 256K "$FIX_MOUNT/b" >part || true
	cp cp cp.kept
	for i in $(seq 6); do
		at=$(pick "$((size * 9 / 10))" "f$i")
		cp cp.kept cp
		"$SENDCP" resume -q --checkpoint cp --at "$at" >rest
		head -c "$at" part | cat - rest | cmp - "$FIX/b.1"
	done
}

@test "resume: SIGINT and SIGTERM end with 75 and a last line that works" {
	local signal line

	for signal in INT TERM HUP; do
		rm -f cp
		run --separate-stderr bash -c \
			'streamcut --signal '$signal' --drain 20000000 -- "$SENDCP" send --checkpoint cp \
				"$FIX_MOUNT/large.ro" >part'
		assert_equal "$status" 75
		line=${stderr_lines[-1]}
		[[ $line == *"sendcp resume"*cp* ]] || fail "last line: $line"
		assert [ "$(file_size part)" -lt "$(file_size "$FIX/large.1")" ]
		# As a user would: the command exactly as printed.
		line="sendcp resume${line#*sendcp resume}"
		line=${line/#sendcp/$SENDCP}
		bash -c "${line%.} >rest"
		cat part rest | cmp - "$FIX/large.1"
	done
}

# bytes_in FD: what the pipe FD holds.
bytes_in()
{
	python3 -c 'import fcntl, struct, sys, termios
print(struct.unpack("i", fcntl.ioctl(int(sys.argv[1]), termios.FIONREAD, bytes(4)))[0])' "$1"
}

@test "resume: a signal ends a send into a FIFO that nobody reads" {
	local status=0

	mkfifo pipe
	exec 7<>pipe
	"$SENDCP" send -q --checkpoint cp -f pipe "$FIX_MOUNT/large.ro" 2>err 3>&- 7>&- &
	until [ "$(bytes_in 7)" -ge 60000 ]; do sleep 0.1; done
	kill -TERM $!
	wait $! || status=$?
	assert_equal "$status" 75
	grep -qxE "sendcp: stopped by SIGTERM after [0-9]+ bytes in [0-9.]+ s" err
	head -c 60000 <&7 | cmp -n 60000 - "$FIX/large.1"
	exec 7<&-
	timeout 60 cat pipe >rest 3>&- &
	timeout 60 "$SENDCP" resume -q --checkpoint cp --at 60000
	wait $!
	head -c 60000 "$FIX/large.1" | cat - rest | cmp - "$FIX/large.1"
}

@test "resume: without memory for its buffers a send ends with 75 and a last line that works" {
	local line

	require_no_sanitizer
	run --separate-stderr prlimit --as=800000000 "$SENDCP" send -f out --buffer-size 256M --buffers 8 \
		--checkpoint-interval 256M "$FIX_MOUNT/b"
	assert_equal "$status" 75
	assert_equal "${stderr_lines[-2]}" "sendcp: out of memory"
	[[ ${stderr_lines[-1]} == "sendcp: interrupted; resume with: "* ]]
	line=${stderr_lines[-1]#*with: }
	bash -c "${line/#sendcp/$SENDCP} -q --buffer-size 1M --buffers 2"
	cmp out "$FIX/b.1"
}

@test "resume: a reader that exits ends it with 75, not with a signal" {
	local codes

	set +e
	"$SENDCP" send --checkpoint cp "$FIX_MOUNT/large.ro" 2>err | head -c 3000000 >part
	codes=("${PIPESTATUS[@]}")
	set -e
	assert_equal "${codes[0]}" 75
	assert grep -q "sendcp resume" err
	"$SENDCP" resume -q --checkpoint cp --at 3000000 >rest
	cat part rest | cmp - "$FIX/large.1"
}

@test "resume: without a checkpoint file, the output file suffices" {
	local line

	set +e
	"$SENDCP" send --no-checkpoint "$FIX_MOUNT/large.ro" 2>err | head -c 3000000 >part
	local codes=("${PIPESTATUS[@]}")
	set -e
	assert_equal "${codes[0]}" 75
	line=$(tail -n 1 err)
	assert_equal "${line%% --append*}" "sendcp: interrupted; resume with: sendcp resume"
	assert_equal "${line##*--append }" "$PWD/part $FIX_MOUNT/large.ro"
	sh -c "PATH=$(dirname "$SENDCP"):\$PATH; ${line#*with: }"
	assert cmp part "$FIX/large.1"
}

@test "resume: -f FILE, killed, resumed in the same file; the sidecar is removed at the end" {
	local i size

	size=$(file_size "$FIX/large.1")
	for i in 1 2 3 4; do
		rm -f out out.cp
		run streamcut --signal KILL --watch out "$(pick "$((size * 8 / 10))" "g$i")" -- \
			"$SENDCP" send -q -f out --checkpoint-interval 1M "$FIX_MOUNT/large.ro"
		assert_equal "$status" 137
		assert_file_exists out.cp
		run "$SENDCP" resume -q --checkpoint out.cp
		assert_success
		assert cmp out "$FIX/large.1"
		assert_file_not_exists out.cp
	done
}

@test "resume: -f FILE truncated or damaged at its end by a crash" {
	local cut

	for cut in 1 1000 1200000 5000000; do
		rm -f out out.cp
		run streamcut --signal KILL --watch out 40000000 -- \
			"$SENDCP" send -q -f out --checkpoint-interval 1M "$FIX_MOUNT/large.ro"
		truncate -s -$cut out
		"$SENDCP" resume -q --checkpoint out.cp
		assert cmp out "$FIX/large.1"
	done
	rm -f out out.cp
	run streamcut --signal KILL --watch out 40000000 -- \
		"$SENDCP" send -q -f out --checkpoint-interval 1M "$FIX_MOUNT/large.ro"
	head -c 70000 /dev/urandom >>out
	"$SENDCP" resume -q --checkpoint out.cp
	assert cmp out "$FIX/large.1"
}

@test "resume: a sidecar named by --checkpoint is kept, and says that the stream is complete" {
	"$SENDCP" send -q --checkpoint kept -f out "$FIX_MOUNT/b"
	assert_file_exists kept
	assert_equal "$(stat -c %a kept)" 600
	assert cmp out "$FIX/b.1"
	run "$SENDCP" resume --checkpoint kept
	assert_output --partial "complete"
	assert cmp out "$FIX/b.1"
}

@test "resume: a truncated last line of the sidecar is ignored" {
	streamcut --signal KILL 3000000 -- "$SENDCP" send -q --checkpoint cp \
		--checkpoint-interval 256K "$FIX_MOUNT/b" >part || true
	truncate -s -7 cp
	# The last line may cover bytes that were read: then an older offset is used.
	"$SENDCP" resume -q --checkpoint cp --at 3000000 >rest || {
		truncate -s 1000000 part
		"$SENDCP" resume -q --checkpoint cp --at 1000000 >rest
	}
	cat part rest | cmp - "$FIX/b.1"
}

@test "resume: --step, a new engine for every command, makes the same bytes" {
	"$SENDCP" send -q --step "$FIX_MOUNT/b" >b
	assert cmp b "$FIX/b.1"
	"$SENDCP" send -q --step --proto 2 --compressed-data "$FIX_MOUNT/b" >b
	assert cmp b "$FIX/b.2"
	"$SENDCP" send -q --step "$FIX_MOUNT/s.ro" >s
	assert cmp s "$FIX/s.1"
}

@test "resume: buffers of any size and number make the same bytes" {
	local options

	for options in "--buffer-size 144K" "--buffer-size 144K --buffers 1" "--buffers 16" \
		"--buffer-size 5000001 --buffers 2"; do
		# shellcheck disable=SC2086
		"$SENDCP" send -q $options "$FIX_MOUNT/s.ro" >s
		assert cmp s "$FIX/s.1"
	done
}

@test "resume: SIGSTOP and SIGCONT at any time change no byte" {
	streamcut --pause 9000000 -- "$SENDCP" send -q "$FIX_MOUNT/large.ro" >all
	assert cmp all "$FIX/large.1"
	streamcut --pause 300000 -- "$SENDCP" send -q "$FIX_MOUNT/b" >all
	assert cmp all "$FIX/b.1"
}

@test "resume: two concurrent sends of one snapshot share nothing" {
	"$SENDCP" send -q --checkpoint one "$FIX_MOUNT/large.ro" >first &
	"$SENDCP" send -q --checkpoint two "$FIX_MOUNT/large.ro" >second
	wait $!
	assert cmp first "$FIX/large.1"
	assert cmp second "$FIX/large.1"
}

@test "resume: a second run on a sidecar in use is refused" {
	mkfifo pipe
	"$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/large.ro" >pipe 3>&- &
	exec 7<pipe
	until [ -s cp ] && ! flock -n cp true; do sleep 0.1; done
	run "$SENDCP" resume --checkpoint cp --at 0
	assert_failure 75
	assert_output --partial "in use by another sendcp"
	exec 7<&-
	wait $! || true
}

# With any contents: neither run gains from a file with parts of both.
@test "resume: a second run on an output in use is refused, and changes nothing" {
	"$SENDCP" send -q --checkpoint other -f out "$FIX_MOUNT/b" && cp out before
	flock --no-fork out sleep 30 3>&- &
	until ! flock -n out true; do sleep 0.1; done
	run "$SENDCP" send --checkpoint another -f out "$FIX_MOUNT/large.ro"
	assert_failure 75
	assert_output "sendcp: out is in use by another sendcp"
	assert [ ! -e another ]
	run "$SENDCP" resume --append out "$FIX_MOUNT/b"
	assert_failure 75
	assert_output --partial "/out is in use by another sendcp"
	kill $!
	wait $! || true
	assert cmp out before
}

# Last: these unmount the filesystem.

@test "resume: a checkpoint of the direct backend is resumed by the image backend, and vice versa" {
	local at i images

	# shellcheck disable=SC2046
	read -r -a images <<<"$(image_options)"
	for i in 1 2 3; do
		at=$(pick "$(file_size "$FIX/b.1")" "h$i")
		streamcut --signal KILL "$at" -- "$SENDCP" send -q --checkpoint cp \
			--checkpoint-interval 256K "$FIX_MOUNT/b" >part || true
		fixture_umount
		resume_rest cp part "${images[@]}" >rest
		cat part rest | cmp - "$FIX/b.1"

		rm cp
		streamcut --signal KILL "$at" -- "$SENDCP" send -q "${images[@]}" --checkpoint cp \
			--checkpoint-interval 256K b >part || true
		fixture_mount
		resume_rest cp part >rest || (
			cd "$FIX_MOUNT" && resume_rest "$OLDPWD/cp" "$OLDPWD/part"
		) >rest
		cat part rest | cmp - "$FIX/b.1"
		rm cp
	done
}

@test "resume: SIGKILL at random bytes, image" {
	local i images

	fixture_umount
	read -r -a images <<<"$(image_options)"
	for i in $(seq 8); do
		kill_and_resume "$FIX/b.1" "$(pick "$(file_size "$FIX/b.1")" "i$i")" "${images[@]}" b
		kill_and_resume "$FIX/b.2" "$(pick "$(file_size "$FIX/b.2")" "j$i")" \
			--compressed-data "${images[@]}" b
	done
	"$SENDCP" send -q --step "${images[@]}" b >b
	assert cmp b "$FIX/b.1"
}

# A balance rewrites back references, and with them native's choice of clone sources.

@test "resume: a balance between the runs" {
	local at

	fixture_mount
	streamcut --signal KILL 20000000 -- "$SENDCP" send -q --checkpoint cp "$FIX_MOUNT/large.ro" \
		>large || true
	streamcut --signal KILL 4000000 -- "$SENDCP" send -q --checkpoint cp2 \
		--checkpoint-interval 256K "$FIX_MOUNT/b" >part || true
	btrfs -q balance start --full-balance "$FIX_MOUNT"
	btrfs filesystem sync "$FIX_MOUNT"
	"$SENDCP" resume -q --checkpoint cp --at 20000000 >>large
	assert cmp large "$FIX/large.1"

	native_send native "$FIX_MOUNT/b"
	send_direct again "$FIX_MOUNT/b"
	same_as_native again native
	# If the batch would differ now, resume says so and names an offset that is correct.
	at=4000000
	if ! "$SENDCP" resume -q --checkpoint cp2 --at $at >rest 2>err; then
		at=$(grep -oE 'at [0-9]+' err | tail -n 1 | tr -dc 0-9)
		assert [ "$at" -lt 4000000 ]
		"$SENDCP" resume -q --checkpoint cp2 --at "$at" >rest
	fi
	mkdir "$FIX_MOUNT/received"
	{ head -c "$at" part; cat rest; } | btrfs -q receive "$FIX_MOUNT/received"
	treecmp --any-root-times "$FIX_MOUNT/b" "$FIX_MOUNT/received/b"
}
