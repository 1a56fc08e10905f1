#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Images of filesystems that were not unmounted: data synced since the last commit is in the log
# alone. A writable subvolume is refused because it is incomplete; snapshots are sent.

load ../lib/suite

setup()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 1G
	fixture_mount commit=300
	cd "$FIX_MOUNT" || return 1
}

teardown()
{
	cd / || return 1
	fixture_end
}

# log_root IMAGE
log_root()
{
	btrfs inspect-internal dump-super "$1" | sed -n 's/^log_root\t*//p'
}

# crashed: makes the image $FIX/crashed, with w/synced in its log, and w/f committed before.
crashed()
{
	btrfs -q subvolume create w
	head -c 1M /dev/urandom >w/f
	btrfs -q subvolume snapshot -r w snap
	btrfs filesystem sync .
	cp w/f "$FIX/f"
	while true; do
		head -c 2M /dev/urandom >w/synced
		sync w/synced
		# The crash.
		cp --sparse=always "${FIX_IMAGES# }" "$FIX/crashed"
		[ "$(log_root "$FIX/crashed")" = 0 ] || break
		# A sync(2) of another program has committed.
		rm w/synced
		btrfs filesystem sync .
	done
	cp w/synced "$FIX/synced"
	cd / || return
	fixture_umount
}

# refused OPTIONS...
refused()
{
	run -1 --separate-stderr "$SENDCP" "$@"
	assert_equal "$output" ""
	assert_equal "$(wc -l <<<"$stderr")" 1
	[[ $stderr == *"w: the filesystem was not unmounted"*"mount it once read-write"*"--ignore-log"* ]]
}

# received STREAM: receives it in $FIX/mnt/r.
received()
{
	fixture_mount
	mkdir "$FIX_MOUNT/r"
	btrfs -q receive -f "$1" "$FIX_MOUNT/r"
}

@test "log: a writable subvolume is refused, and sent as it is with --ignore-log" {
	crashed
	refused send --device "$FIX/crashed" w
	refused send --dry-run --device "$FIX/crashed" w
	refused send --device "$FIX/crashed" -f "$FIX/file" w
	assert_not_exist "$FIX/file"
	"$SENDCP" send -q --device "$FIX/crashed" --ignore-log w >"$FIX/stream"
	received "$FIX/stream"
	cmp "$FIX_MOUNT/r/w/f" "$FIX/f"
	# Its data was not committed, and maybe not even its name.
	run cmp "$FIX_MOUNT/r/w/synced" "$FIX/synced"
	assert_failure
}

@test "log: a read-only snapshot next to it is complete, and is sent without a message" {
	crashed
	run -0 --separate-stderr bash -c '"$@" >"$FIX/stream"' - "$SENDCP" send --device "$FIX/crashed" snap
	assert_equal "${stderr_lines[0]}" "At subvol snap"
	[[ ${stderr_lines[1]} == "sendcp: complete: "* ]]
	assert_equal "${#stderr_lines[@]}" 2
	send_image "$FIX/clean" snap
	cmp "$FIX/stream" "$FIX/clean"
}

@test "log: a writable parent or clone source is refused too" {
	crashed
	refused send --device "$FIX/crashed" -p w snap
	refused send --device "$FIX/crashed" -p snap -c w snap
	"$SENDCP" send -q --device "$FIX/crashed" --ignore-log -p w snap >"$FIX/stream"
}

@test "log: complete after it was mounted read-write once" {
	local loop

	crashed
	loop=$(losetup -f --show "$FIX/crashed")
	FIX_DEVICES+=" $loop"
	mkdir "$FIX/other"
	mount "$loop" "$FIX/other"
	umount "$FIX/other"
	"$SENDCP" send -q --device "$FIX/crashed" w >"$FIX/stream"
	losetup -d "$loop"
	received "$FIX/stream"
	cmp "$FIX_MOUNT/r/w/synced" "$FIX/synced"
}

# interrupted OPTIONS...: leaves $FIX/cp and 700000 bytes in $FIX/part.
interrupted()
{
	rm -f "$FIX/cp"
	streamcut --signal KILL 700000 -- "$SENDCP" send -q --checkpoint "$FIX/cp" \
		--checkpoint-interval 256K "$@" >"$FIX/part" || true
	assert_equal "$(file_size "$FIX/part")" 700000
}

@test "log: a send with --ignore-log is resumed with it" {
	crashed
	"$SENDCP" send -q --device "$FIX/crashed" --ignore-log w >"$FIX/whole"
	interrupted --device "$FIX/crashed" --ignore-log w
	"$SENDCP" resume -q --checkpoint "$FIX/cp" --at 700000 >"$FIX/rest"
	cat "$FIX/part" "$FIX/rest" | cmp - "$FIX/whole"
}

@test "log: a send from before the log existed is refused with one" {
	btrfs -q subvolume create before
	head -c 3M /dev/urandom >before/f
	btrfs filesystem sync .
	cd / || return
	fixture_umount
	interrupted --device "${FIX_IMAGES# }" before
	"$SENDCP" send -q --device "${FIX_IMAGES# }" before >"$FIX/whole"
	fixture_mount commit=300
	cd "$FIX_MOUNT" || return
	crashed
	run -1 --separate-stderr "$SENDCP" resume --device "$FIX/crashed" --checkpoint "$FIX/cp" --at 700000
	[[ $stderr == *"before: the filesystem was not unmounted"* ]]
	"$SENDCP" resume -q --device "$FIX/crashed" --ignore-log --checkpoint "$FIX/cp" --at 700000 \
		>"$FIX/rest"
	cat "$FIX/part" "$FIX/rest" | cmp - "$FIX/whole"
}
@test "log: interrupted a second time, the last line still has --ignore-log" {
	crashed
	interrupted --device "$FIX/crashed" --ignore-log w
	edit_sidecar "$FIX/cp" 'o.pop("ignore_log", None)'
	"$SENDCP" send -q --device "$FIX/crashed" --ignore-log w >"$FIX/whole"
	run streamcut --signal TERM 100000 -- "$SENDCP" resume --device "$FIX/crashed" --ignore-log \
		--checkpoint "$FIX/cp" --at 700000
	assert_output --partial "--device $FIX/crashed --ignore-log"
}
