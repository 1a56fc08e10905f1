#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The same send again continues; another one is refused. The state directory and sendcp list.

load ../lib/suite

setup_file()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 300M
	fixture_mount
	local s=$FIX_MOUNT/s

	btrfs -q subvolume create "$s"
	python3 -c 'import random, sys
r = random.Random(3)
for n in range(8):
    open("%s/f%d" % (sys.argv[1], n), "wb").write(r.randbytes(700000))' "$s"
	btrfs -q subvolume snapshot -r "$s" "$FIX_MOUNT/old"
	python3 -c 'import random, sys
open(sys.argv[1] + "/f9", "wb").write(random.Random(4).randbytes(3000000))' "$s"
	btrfs -q subvolume snapshot -r "$s" "$FIX_MOUNT/one"
	btrfs -q subvolume snapshot -r "$s" "$FIX_MOUNT/two"
	sync -f "$FIX_MOUNT"
	native_send "$FIX/one" "$FIX_MOUNT/one"
	native_send "$FIX/increment" -p "$FIX_MOUNT/old" "$FIX_MOUNT/one"
	export SNAP=$FIX_MOUNT/one OLD=$FIX_MOUNT/old
}

teardown_file()
{
	# Skipped before anything was made.
	[ -n "${FIX:-}" ] || return 0
	fixture_end
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	export SENDCP_STATE_DIR=$BATS_TEST_TMPDIR/state
}

# cut_send FILE BYTE OPTION...: a send that is killed when FILE has BYTE bytes. On a busy machine that is
# seen late: without a limit the send might be complete by then.
cut_send()
{
	local file=$1 byte=$2

	shift 2
	run streamcut --signal KILL --watch "$file" "$byte" -- \
		"$SENDCP" send -q --bwlimit 16M --buffer-size 160K --checkpoint-interval 600K "$@"
	assert_equal "$status" 137
}

# other TEXT OPTION...: is refused with TEXT, names the way on in the last line, changes nothing.
other()
{
	local text=$1

	shift
	cp out before
	cp cp before.cp
	run "$SENDCP" send -q "$@"
	assert_failure 1
	assert_line --partial "$text"
	assert_line --partial "add --restart"
	[[ ${lines[-1]} == *"resume with: sendcp resume --checkpoint $PWD/cp"* ]] || fail "${lines[-1]}"
	cmp out before
	cmp cp before.cp
}

@test "again: -f: an interrupted stream is continued where it was, and the message says where" {
	cut_send out 4000000 -f out "$SNAP"
	run "$SENDCP" send -f out "$SNAP"
	assert_success
	assert_line --regexp "^$PWD/out: continuing at byte [1-9][0-9]*$"
	cmp out "$FIX/one"
	assert_file_not_exists out.cp
}

@test "again: options that make no other stream may differ" {
	cut_send out 1500000 --checkpoint cp -f out -p "$OLD" "$SNAP"
	cd /
	"$SENDCP" send -q --buffer-size 1M --checkpoint-interval 8M --checkpoint "$OLDPWD/cp" \
		-f "$OLDPWD/out" -p "$FIX_MOUNT/./old" "$FIX_MOUNT/../mnt/one"
	cd - >/dev/null
	cmp out "$FIX/increment"
	[ "$("$SENDCP" show --json cp | python3 -c 'import json, sys; print(json.load(sys.stdin)["complete"])')" = True ]
}

@test "again: another request is refused, and the message says what differs" {
	cut_send out 1500000 --checkpoint cp -f out -p "$OLD" "$SNAP"
	other "$SNAP was sent with the parent $OLD" --checkpoint cp -f out "$SNAP"
	other "is not the subvolume that it was sent with" --checkpoint cp -f out -p "$OLD" "$FIX_MOUNT/two"
	other "$SNAP was sent with the parent $OLD" --checkpoint cp -f out -p "$FIX_MOUNT/two" "$SNAP"
	other "2 clone source(s) were named, but it was sent with 1" --checkpoint cp -f out \
		-c "$FIX_MOUNT/two" -p "$OLD" "$SNAP"
	other "it was sent with --proto 1" --checkpoint cp -f out --proto 2 -p "$OLD" "$SNAP"
	other "it was sent without --no-data" --checkpoint cp -f out --no-data -p "$OLD" "$SNAP"
	other "it was sent without -e" --checkpoint cp -f out -e -p "$OLD" "$SNAP"
	other "it was sent without --compress" --checkpoint cp -f out --compress -p "$OLD" "$SNAP"
	other "it was sent without --archive" --checkpoint cp -f out --archive -p "$OLD" "$SNAP"
	other "its output is $PWD/out" --checkpoint cp -f other -p "$OLD" "$SNAP"
	assert_file_not_exists other
	run bash -c '"$SENDCP" send -q --checkpoint cp -p "$OLD" "$SNAP" | cat >piped'
	assert_line --partial "its output is $PWD/out"
	"$SENDCP" send -q --restart --checkpoint cp -f other "$SNAP"
	cmp other "$FIX/one"
}

@test "again: a changed snapshot under the same name is another request" {
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/daily"
	cut_send out 4000000 -f out "$FIX_MOUNT/daily"
	# The kernel holds it a little longer than the killed process lives.
	until btrfs -q subvolume delete "$FIX_MOUNT/daily"; do sleep 0.1; done
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/daily"
	cp out before
	run "$SENDCP" send -q -f out "$FIX_MOUNT/daily"
	btrfs -q subvolume delete "$FIX_MOUNT/daily"
	assert_failure 1
	assert_line --partial "the subvolume $FIX_MOUNT/daily was changed or replaced since"
	cmp out before
}

@test "again: interrupted before the first checkpoint, another request is refused, with a way out" {
	run bash -c 'ulimit -f 200; exec "$SENDCP" send -q -f out "$SNAP"'
	assert_failure 75
	assert_equal "$(wc -l <out.cp)" 1
	run "$SENDCP" send -q -f out --no-data "$SNAP"
	assert_failure 1
	assert_line --partial "it was sent without --no-data"
	assert_line --partial "add --restart"
	"$SENDCP" send -q -f out "$SNAP"
	cmp out "$FIX/one"
}

@test "again: a damaged archive, or another one, is not overwritten" {
	local offset

	run bash -c 'ulimit -f 5000; exec "$SENDCP" send -q --buffer-size 160K --checkpoint-interval 600K --archive -f out "$SNAP"'
	assert_failure 75
	cp out kept
	"$SENDCP" send -q --archive -f other -p "$OLD" "$FIX_MOUNT/two"
	for offset in 200 600 1536; do
		for file in kept other; do
			cp $file out
			printf XXXX | dd of=out bs=1 seek=$offset conv=notrunc status=none
			cp out before
			run "$SENDCP" send -q --archive -f out "$SNAP"
			if [ "$status" = 0 ]; then
				# Something of it was proven.
				bsdtar -xOf out 'stream.*' | cmp - "$FIX/one"
				assert_equal "$file" kept
				cp kept.cp out.cp
			else
				cmp out before
			fi
			[ -e kept.cp ] || cp out.cp kept.cp
		done
	done
}

@test "again: an archive whose manifest is damaged is not called complete" {
	local offset

	"$SENDCP" send -q --archive=cpio --checkpoint cp -f out "$SNAP"
	for offset in 115 130 200; do
		cp out damaged
		printf XXXX | dd of=damaged bs=1 seek=$offset conv=notrunc status=none
		run "$SENDCP" verify damaged
		assert_failure 1
		run "$SENDCP" resume -q --checkpoint cp -f damaged
		assert_failure 1
		cp damaged out.was
		cp out whole
		cp damaged out
		run "$SENDCP" send -q --continue --archive=cpio --checkpoint cp -f out "$SNAP"
		assert_failure 1
		refute_output --partial "are there"
		cmp out out.was
		cp whole out
	done
}

@test "again: more than the interrupted run can have written is not discarded" {
	cut_send out 4000000 -f out "$SNAP"
	seq 1000000 >>out
	cp out before
	cp out.cp before.cp
	run "$SENDCP" send -f out "$SNAP"
	assert_failure 1
	assert_line --partial "something else follows the stream; left as it is"
	cmp out before
	cmp out.cp before.cp
	[[ ${lines[-1]} == "sendcp: to discard what follows: sendcp resume --checkpoint $PWD/out.cp --at "* ]]
	PATH=$(dirname "$SENDCP"):$PATH bash -c "${lines[-1]#*follows: }"
	cmp out "$FIX/one"
	# Less of it is named.
	rm out
	cut_send out 4000000 -f out "$SNAP"
	seq 1000 >>out
	run "$SENDCP" send -f out "$SNAP"
	assert_success
	assert_line --regexp "out: correct up to byte [0-9]+; the [0-9]+ bytes after it are regenerated"
	cmp out "$FIX/one"
}

@test "again: a complete stream in a container, with a checkpoint file that was kept" {
	"$SENDCP" send -q --compress --checkpoint cp -f out "$SNAP"
	"$SENDCP" send -q --compress --checkpoint cp -f out -p "$OLD" "$SNAP"
	zstd -dcq out | cmp - "$FIX/increment"
	run "$SENDCP" send --continue --compress --checkpoint cp -f out -p "$OLD" "$SNAP"
	assert_success
	assert_output --partial "all $(zstd -dcq out | wc -c) bytes are there"
	# Something else is there now.
	seq 1000 >out
	run "$SENDCP" send -q --compress --checkpoint cp -f out "$SNAP"
	assert_failure 1
	seq 1000 | cmp - out
}

@test "again: without a checkpoint file the output is compared with the stream" {
	cut_send out 4000000 -f out "$SNAP"
	rm out.cp
	cp out part
	run "$SENDCP" send -f out "$SNAP"
	assert_success
	assert_line --partial "out: continuing at byte"
	cmp out "$FIX/one"
	assert_file_not_exists out.cp
	# The new one is where --checkpoint says, and stays.
	cp part out
	"$SENDCP" send -q -f out --checkpoint cp "$SNAP"
	cmp out "$FIX/one"
	assert_file_exists cp
	assert_file_not_exists out.cp
	# One that is asked for stays, though it was there by default.
	rm out
	cut_send out 4000000 -f out "$SNAP"
	"$SENDCP" send -q -f out --checkpoint out.cp "$SNAP"
	cmp out "$FIX/one"
	assert_file_exists out.cp
	rm out.cp
	# What btrfs send left.
	head -c 2000000 "$FIX/increment" >out
	"$SENDCP" send -q -f out -p "$OLD" "$SNAP"
	cmp out "$FIX/increment"
	zstd -q <part >out
	"$SENDCP" send -q --compress -f out "$SNAP"
	zstd -dcq out | cmp - "$FIX/one"
}

@test "again: without a checkpoint file another stream is refused" {
	local arguments

	head -c 2000000 "$FIX/increment" >out
	cp out before
	for arguments in "$SNAP" "-p $OLD $FIX_MOUNT/two" "--proto 2 -p $OLD $SNAP" \
		"--no-data -p $OLD $SNAP"; do
		# shellcheck disable=SC2086
		run "$SENDCP" send -q -f out $arguments
		assert_failure 1
		[[ ${lines[-1]} == "sendcp: to discard $PWD/out and start over, add --restart" ]] ||
			fail "$arguments: $output"
		cmp out before
		assert_file_not_exists out.cp
	done
	# Of another container, it is not even looked at.
	run "$SENDCP" send -q -f out --compress -p "$OLD" "$SNAP"
	assert_failure 1
	assert_line --partial "not overwriting it"
	cmp out before
}

@test "again: an archive without its checkpoint file" {
	cut_send out 3000000 --archive -f out "$SNAP"
	cp out part
	rm -f out.cp
	"$SENDCP" send -q --archive -f out "$SNAP"
	bsdtar -xOf out 'stream.*' | cmp - "$FIX/one"
	cp part out
	rm -f out.cp
	run "$SENDCP" send -q --archive --no-data -f out "$SNAP"
	assert_failure 1
	assert_line --partial "it was sent without --no-data"
	cmp out part
	assert_file_not_exists out.cp
}

@test "again: a complete stream is made again; with --continue it stays" {
	"$SENDCP" send -q --checkpoint cp -f out "$SNAP"
	touch -d 2001-01-01 out
	run "$SENDCP" send --continue --checkpoint cp -f out "$SNAP"
	assert_success
	assert_output --partial "the stream is complete, all $(file_size out) bytes are there"
	assert_equal "$(stat -c %Y out)" "$(date -d 2001-01-01 +%s)"
	# Of another request it does not.
	"$SENDCP" send -q --continue --checkpoint cp -f out -p "$OLD" "$SNAP"
	cmp out "$FIX/increment"
	"$SENDCP" send -q --checkpoint cp -f out "$SNAP"
	cmp out "$FIX/one"
	rm cp
	touch -d 2001-01-01 out
	run "$SENDCP" send --continue -f out "$SNAP"
	assert_success
	assert_output --partial "complete"
	assert_equal "$(stat -c %Y out)" "$(date -d 2001-01-01 +%s)"
	assert_file_not_exists out.cp
	# Damaged, it is not taken for complete.
	"$SENDCP" send -q --checkpoint cp -f out "$SNAP"
	truncate -s 3000000 out
	"$SENDCP" send -q --continue --checkpoint cp -f out "$SNAP"
	cmp out "$FIX/one"
}

@test "again: --continue does not take for complete what the checkpoint file no longer proves" {
	"$SENDCP" send -q --buffer-size 160K --checkpoint cp -f out "$SNAP"
	# As of a stream of some GiB: the lines of its beginning were dropped.
	awk '!(/"type":"batch"/ && batches++ < 9)' cp >thin
	assert [ "$(wc -l <"cp")" -eq $(($(wc -l <thin) + 9)) ]
	cat thin >"cp"
	run "$SENDCP" send --continue --checkpoint cp -f out "$SNAP"
	assert_success
	assert_output --partial "the stream is complete, all $(file_size out) bytes are there"
	cmp out "$FIX/one"
	printf XXXX | dd of=out bs=1 seek=500000 conv=notrunc status=none
	run "$SENDCP" send --continue --checkpoint cp -f out "$SNAP"
	assert_success
	cmp out "$FIX/one"
}

@test "again: while the first one runs" {
	cut_send out 4000000 --checkpoint cp -f out "$SNAP"
	cp out before
	(
		flock 8
		run "$SENDCP" send -q --checkpoint cp -f out "$SNAP"
		assert_failure 75
		assert_output "sendcp: cp is in use by another sendcp"
		run "$SENDCP" list
		assert_output --partial "$PWD/cp: running after"
		refute_output --partial "resume with"
	) 8<>"cp"
	cmp out before
	"$SENDCP" send -q --checkpoint cp -f out "$SNAP"
	cmp out "$FIX/one"
}

@test "again: -f /dev/stdout is standard output, whose checkpoint file is beside the file" {
	run streamcut --signal KILL --watch out 4000000 -- bash -c \
		'exec "$SENDCP" send -q --bwlimit 16M --buffer-size 160K -f /dev/stdout "$SNAP" >out'
	assert_equal "$status" 137
	assert [ -e out.cp ]
	refute [ -e /dev/stdout.cp ]
	run --separate-stderr bash -c '"$SENDCP" send -f /dev/stdout "$SNAP" >>out'
	assert_success
	assert_regex "$stderr" "$PWD/out: continuing at byte"
	cmp out "$FIX/one"
	for name in /dev/fd/1 /proc/self/fd/1; do
		rm out
		"$SENDCP" send -q -f $name "$SNAP" >out
		cmp out "$FIX/one"
	done
}

@test "again: nothing is appended to an interrupted stream" {
	cat "$FIX/one" >out
	run bash -c 'ulimit -f $(($(stat -c %s out) / 1024 + 3000)); "$SENDCP" send "$OLD" >>out'
	assert_failure 75
	cp out before
	run bash -c '"$SENDCP" send "$OLD" >>out'
	assert_failure 1
	assert_output --partial "ends with an incomplete stream"
	cmp out before
	# After a complete one, as btrfs send.
	cat "$FIX/one" >out
	"$SENDCP" send -q "$OLD" >>out
	"$SENDCP" verify out
}

@test "again: --restart and --continue exclude each other, as do --checkpoint and --no-checkpoint" {
	run "$SENDCP" send --restart --continue -f out "$SNAP"
	assert_failure 2
	run "$SENDCP" send --checkpoint cp --no-checkpoint -f out "$SNAP"
	assert_failure 2
	assert_file_not_exists out
}

@test "state: a pipe has a checkpoint file in the state directory, until it is complete" {
	local line

	"$SENDCP" send -q "$SNAP" | cmp - "$FIX/one"
	assert_dir_exists state
	assert_equal "$(stat -c %a state)" 700
	assert_equal "$(ls state)" ""
	run bash -c '"$SENDCP" send -q --buffer-size 160K "$SNAP" 2>err | head -c 3000000 >part'
	assert_equal "$(ls state | wc -l)" 1
	[[ $(ls state) == one-*.cp ]]
	# The last line names it; so does the list.
	line=$(tail -n 1 err)
	[[ $line == *"resume with: sendcp resume --checkpoint $PWD/state/one-"*" --append "* ]] || fail "$line"
	run "$SENDCP" list
	assert_line --regexp "^$PWD/state/one-.*: interrupted after "
	assert_line "  subvolume:   $SNAP"
	assert_line "  output:      a pipe"
	"$SENDCP" resume -q --checkpoint state/one-* --append part
	cmp part "$FIX/one"
	assert_equal "$(ls state)" ""
	run "$SENDCP" list
	assert_output "nothing to resume"
}

@test "state: a new send into a pipe is not kept from its work by an earlier one" {
	for _ in 1 2; do
		"$SENDCP" send -q --buffer-size 160K "$SNAP" 2>/dev/null | head -c 3000000 >part || true
	done
	"$SENDCP" send -q "$SNAP" | cmp - "$FIX/one"
	"$SENDCP" send -q --no-checkpoint "$SNAP" 2>err | head -c 3000000 >part || true
	assert_equal "$(ls state | wc -l)" 2
	[[ $(tail -n 1 err) == *"sendcp resume --append $PWD/part $SNAP" ]]
}

@test "state: no checkpoint file stays of what btrfs receive was to get" {
	mkdir "$FIX_MOUNT/target"
	run bash -c '"$SENDCP" send "$SNAP" 2>err | bash -c "ulimit -f 2000; exec btrfs receive $FIX_MOUNT/target"'
	rm -rf "$FIX_MOUNT/target" || btrfs subvolume delete "$FIX_MOUNT/target/"*
	assert_file_contains err "btrfs receive cannot resume"
	assert_equal "$(ls state)" ""
}

@test "state: --no-checkpoint with a file" {
	run bash -c 'ulimit -f 4000; exec "$SENDCP" send -q --no-checkpoint -f out "$SNAP"'
	assert_failure 75
	assert_file_not_exists out.cp
	[[ ${lines[-1]} == *"resume with: sendcp resume --append $PWD/out $SNAP" ]]
	"$SENDCP" send -q --no-checkpoint -f out "$SNAP"
	cmp out "$FIX/one"
	assert_file_not_exists out.cp
}

@test "list: knows of checkpoint files at other places, and of missing disks" {
	mkdir disk
	mount -t tmpfs none disk
	cut_send "disk/it's" 4000000 -f "disk/it's" "$SNAP"
	run "$SENDCP" list
	assert_line --regexp "^$PWD/disk/it's.cp: interrupted after .*, last changed 20"
	assert_line "  output:      $PWD/disk/it's"
	assert_line "  resume with: sendcp resume --checkpoint '$PWD/disk/it'\\''s.cp'"
	run "$SENDCP" list --json
	python3 - <<-'END' "$output"
	import json, sys
	o = json.loads(sys.argv[1])
	assert o["state"] == "interrupted" and o["bytes"] > 3000000, o
	assert o["output"].endswith("disk/it's") and len(o["subvolumes"]) == 1, o
	assert o["resume"].startswith("sendcp resume --checkpoint "), o
	END
	cp disk/it* .
	umount disk
	run "$SENDCP" list
	assert_success
	assert_line "$PWD/disk/it's.cp: unreadable: No such file or directory; is its disk mounted?"
	assert_line --regexp "^  forget with: rm $PWD/state/.*cp$"
	# resume alone shows the same, and resumes nothing.
	run "$SENDCP" resume
	assert_failure 2
	assert_line --partial "$PWD/disk/it's.cp: unreadable"
	# Resumed from a copy, it is complete; the other entry stays.
	"$SENDCP" resume -q --checkpoint "it's.cp" -f "it's"
	cmp "it's" "$FIX/one"
	assert_equal "$(ls state | wc -l)" 1
}

@test "list: damaged, complete and foreign entries" {
	cut_send out 4000000 -f out "$SNAP"
	sed -i '1s/"protocol":1/"protocol":2/' out.cp
	echo hello >state/a.cp
	mkfifo state/b.cp
	mkdir state/c.cp
	"$SENDCP" send -q --checkpoint kept -f other "$SNAP"
	run timeout 20 "$SENDCP" list
	assert_success
	assert_line "$PWD/out.cp: damaged"
	assert_line "$PWD/state/a.cp: damaged"
	assert_line --partial "$PWD/state/b.cp: unreadable: Invalid argument"
	refute_output --partial "Invalid argument; is its"
	assert_line --partial "$PWD/state/c.cp: unreadable: Invalid argument"
	refute_output --partial kept
	run bash -c '"$SENDCP" list 2>/dev/full >/dev/full'
	assert_failure 1
}

@test "state: entries that were not changed for 30 days go with the next send into a pipe" {
	"$SENDCP" send -q --buffer-size 160K "$SNAP" 2>/dev/null | head -c 3000000 >part || true
	cut_send out 4000000 -f out "$SNAP"
	assert_equal "$(ls state | wc -l)" 2
	touch -h -d '29 days ago' state/*
	touch -d '29 days ago' out.cp
	"$SENDCP" send -q "$SNAP" >/dev/null
	assert_equal "$(ls state | wc -l)" 2
	touch -h -d '31 days ago' state/*
	"$SENDCP" send -q "$SNAP" | cat >/dev/null
	# The link's file was changed later.
	assert_equal "$(ls state)" "$(basename "$(find state -type l)")"
	touch -d '31 days ago' out.cp
	"$SENDCP" send -q "$SNAP" | cat >/dev/null
	assert_equal "$(ls state)" ""
	# Only the link went.
	"$SENDCP" resume -q --checkpoint out.cp
	cmp out "$FIX/one"
}

@test "state: files of other names are not removed, however old" {
	mkdir -m 700 state
	echo notes >state/notes.cp
	cut_send out 4000000 -f out --checkpoint state/mine.cp "$SNAP"
	touch -d '31 days ago' state/*.cp
	"$SENDCP" send -q "$SNAP" | cat >/dev/null
	assert_equal "$(ls state)" "mine.cp"$'\n'"notes.cp"
	"$SENDCP" resume -q --checkpoint state/mine.cp
	cmp out "$FIX/one"
}

@test "state: an entry has one name, however the directory is named" {
	mkdir -m 700 real
	ln -s real link
	for name in real "$PWD/real/" "$PWD/link"; do
		SENDCP_STATE_DIR=$name "$SENDCP" send -q "$SNAP" 2>/dev/null | head -c 3000000 >part || true
		assert_equal "$(ls real | wc -l)" 1
		assert_equal "$(SENDCP_STATE_DIR=$name "$SENDCP" list | grep -c interrupted)" 1
		rm real/*
	done
}

@test "state: a directory that others may write to is not used, and the send goes on" {
	mkdir -m 777 open
	run bash -c 'SENDCP_STATE_DIR=open "$SENDCP" send "$SNAP" 2>err | cmp - "$FIX/one"'
	assert_success
	assert_file_contains err "warning: no checkpoint file is kept: open: it belongs to another user, or others may write"
	assert_equal "$(ls open)" ""
	touch file
	run bash -c 'SENDCP_STATE_DIR=file "$SENDCP" send "$SNAP" 2>err | cmp - "$FIX/one"'
	assert_success
	assert_file_contains err "file: Not a directory"
	SENDCP_STATE_DIR="file" "$SENDCP" send -q -f out "$SNAP"
	cmp out "$FIX/one"
	SENDCP_STATE_DIR="open" run "$SENDCP" list
	assert_failure 1
}

@test "state: a full state directory does not end a stream" {
	mkdir small
	mount -t tmpfs -o size=16k,mode=700 none small
	run bash -c 'SENDCP_STATE_DIR=$PWD/small "$SENDCP" send --buffer-size 160K --checkpoint-interval 200K "$SNAP" 2>err | cmp - "$FIX/one"'
	umount small
	assert_success
	assert_file_contains err "No space left on device"
	assert_file_contains err "is given up: the stream goes on without a checkpoint file"
	mount -t tmpfs -o nr_inodes=1,mode=700 none small
	run bash -c 'SENDCP_STATE_DIR=$PWD/small "$SENDCP" send "$SNAP" 2>err | cmp - "$FIX/one"'
	umount small
	assert_success
	assert_file_contains err "warning: the stream is sent without a checkpoint file"
	mount -t tmpfs -o size=4k,mode=700 none small
	head -c 4096 /dev/zero >small/full
	run bash -c 'SENDCP_STATE_DIR=$PWD/small "$SENDCP" send "$SNAP" 2>err | cmp - "$FIX/one"'
	umount small
	assert_success
	assert_file_contains err "warning: the stream is sent without a checkpoint file"
}
