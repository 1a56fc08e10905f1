#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Incremental sends from the command line: parents, clone sources, sizes, interrupting and resuming.

load ../lib/suite

setup()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 2G
	fixture_mount
	cd "$FIX_MOUNT" || return 1
}

teardown()
{
	cd / || return 1
	fixture_end
}

# s with three snapshots in a row, and "side", a snapshot of the second one, changed.
make_snapshots()
{
	btrfs -q subvolume create s
	mkdir s/d s/e
	for file in one two three; do
		head -c 300000 /dev/urandom >s/d/$file
	done
	btrfs -q subvolume snapshot -r s 1
	cp --reflink=always s/d/one s/d/copy
	mv s/d/two s/e/moved
	btrfs -q subvolume snapshot -r s 2
	head -c 400000 /dev/urandom >s/e/new
	rm s/d/three
	chmod 700 s/e
	btrfs -q subvolume snapshot -r s 3
	btrfs -q subvolume snapshot 2 side.rw
	cp --reflink=always s/e/new side.rw/again
	head -c 900000 /dev/urandom >side.rw/d/one
	btrfs -q subvolume snapshot -r side.rw side
	sync -f "$FIX_MOUNT"
}

# as_native ARGUMENTS...: the stream must be the native one, and --dry-run must print its size.
as_native()
{
	local arguments=("$@")

	btrfs send -q "$@" >"$FIX/native"
	send_direct "$FIX/ours" "$@"
	same_as_native "$FIX/ours" "$FIX/native" || fail "different: $*"
	assert_equal "$("$SENDCP" send -q --dry-run "$@"): $*" "$(file_size "$FIX/ours"): $*"
}

# counted STREAM COMMAND: the number of such commands.
counted()
{
	btrfs receive --dump -f "$1" | grep -c "^$2 "
}

@test "incremental: -p, with both protocols and every option" {
	local options

	make_snapshots
	while read -r options; do
		# shellcheck disable=SC2086
		as_native $options -p 1 3
		# shellcheck disable=SC2086
		as_native $options -p 3 1
		# shellcheck disable=SC2086
		as_native $options -p side 3
	done <<-END

	--proto 2
	--proto 2 --compressed-data
	--no-data
	--proto 2 --no-data
	END
	as_native -p 1 2 3
	as_native -e -p 1 2 3
	as_native -p 2 2
}

@test "incremental: -c, alone and several, with -p" {
	make_snapshots
	as_native -p 2 side
	assert_equal "$(counted "$FIX/ours" clone || true)" 0
	as_native -p 2 -c 3 side
	assert_equal "$(counted "$FIX/ours" clone)" 1
	as_native -p 2 -c 1 -c 3 -c 3 -c 2 side
	as_native -c 1 -c 3 -p 2 side
	send_direct "$FIX/long" --clone-src 3 --parent 2 side
	send_direct "$FIX/short" -c 3 -p 2 side
	cmp "$FIX/long" "$FIX/short"
	as_native -p 2 -c side side
}

@test "incremental: -c without -p finds the parent as native does" {
	make_snapshots
	# Snapshots of one subvolume: the nearest in time, of equals the first.
	as_native -c 1 3
	as_native -c 1 -c 2 3
	as_native -c 3 -c 1 2
	as_native -c 1 -c 3 2
	# The snapshot's own source is preferred to all others.
	btrfs property set s ro true
	as_native -c s -c 2 3
	as_native -c 2 -c s 3
	btrfs property set s ro false
	btrfs property set side.rw ro true
	as_native -c side.rw -c 3 side
}

@test "incremental: -c without -p, several subvolumes: each joins the clone sources" {
	make_snapshots
	as_native -c 1 2 3
	as_native -e -c 1 3 2
	assert_equal "$(counted "$FIX/ours" snapshot)" 2
	as_native -c 1 -c 2 3 2 1
	btrfs property set side.rw ro true
	as_native -c 1 -c side.rw 2 3 side
}

@test "incremental: no parent can be found" {
	make_snapshots
	btrfs -q subvolume create other
	btrfs property set other ro true
	# Not a snapshot; unrelated; a snapshot of a deleted subvolume.
	while read -r arguments; do
		# shellcheck disable=SC2086
		run btrfs send -q $arguments -f "$FIX/native"
		assert_failure 1
		# shellcheck disable=SC2086
		run --separate-stderr "$SENDCP" send $arguments
		assert_failure 1
		assert_equal "$output" ""
		assert_equal "${#stderr_lines[@]}" 1
		[[ $stderr == "sendcp: "*"parent determination failed"* ]] || fail "$stderr"
	done <<-END
	-c 1 other
	-c other 3
	-c 1 side
	END
	btrfs -q subvolume delete -c s
	btrfs filesystem sync .
	run btrfs send -q -c 1 3 -f "$FIX/native"
	assert_failure 1
	run --separate-stderr "$SENDCP" send -c 1 3
	assert_failure 1
	[[ $stderr == *"parent determination failed"* ]] || fail "$stderr"
}

@test "incremental: unusable parents and clone sources, a second -p" {
	make_snapshots
	while IFS='|' read -r arguments code message; do
		# shellcheck disable=SC2086
		run --separate-stderr "$SENDCP" send $arguments
		assert_equal "$status: $arguments" "$code: $arguments"
		assert_equal "$output" ""
		assert_equal "${#stderr_lines[@]}" 1
		[[ $stderr == "sendcp: "*"$message"* ]] || fail "$stderr"
	done <<-END
	-p 1 -p 2 3|2|only one parent
	-p s 3|1|s is not read-only
	-c s 3|1|s is not read-only
	-p 1 -c s 3|1|s is not read-only
	-p missing 3|1|missing
	-p 1 -c missing 3|1|missing
	-p 1/d 3|1|not a subvolume
	-p /proc 3|1|/proc
	-p|2|SUBVOL is missing
	END
}

@test "incremental: from images, by path, id and uuid" {
	local uuid id

	make_snapshots
	send_direct "$FIX/ours" -p 2 -c 3 side
	send_direct "$FIX/grow" -c 1 2 3
	uuid=$(btrfs subvolume show 2 | awk '$1 == "UUID:" { print $2 }')
	id=$(btrfs inspect-internal rootid 3)
	cd /
	fixture_umount
	send_image "$FIX/image" -p 2 -c 3 side
	cmp "$FIX/image" "$FIX/ours"
	send_image "$FIX/image" "-puuid:$uuid" "-cid:$id" side
	cmp "$FIX/image" "$FIX/ours"
	send_image "$FIX/image" -c 1 2 3
	cmp "$FIX/image" "$FIX/grow"
}

@test "incremental: progress has the exact total of the stream" {
	make_snapshots
	# The size is computed in parallel, so the send must not end first.
	"$SENDCP" send --progress=json -p 2 -c 3 side 2>"$FIX/progress" |
		{ sleep 1; cat; } >"$FIX/ours"
	python3 - "$FIX/progress" "$(file_size "$FIX/ours")" <<-'END'
	import json, sys
	lines = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
	assert lines[-1]["bytes"] == lines[-1]["total"] == int(sys.argv[2]), lines
	END
}

# killed_and_resumed ARGUMENTS...: at 6 bytes of the stream; the sidecar suffices to resume.
killed_and_resumed()
{
	local i at size

	send_direct "$FIX/whole" "$@"
	size=$(file_size "$FIX/whole")
	for ((i = 0; i < 6; i++)); do
		at=$(pick "$((size - 1))" "incremental $i $*")
		rm -f "$FIX/cp"
		streamcut --signal KILL "$at" -- "$SENDCP" send -q --checkpoint "$FIX/cp" \
			--checkpoint-interval 150K "$@" >"$FIX/part" || true
		(cd / && "$SENDCP" resume -q --checkpoint "$FIX/cp" --at "$at") >>"$FIX/part"
		cmp "$FIX/part" "$FIX/whole" || fail "killed at byte $at: $*"
	done
	send_direct "$FIX/part" --step "$@"
	cmp "$FIX/part" "$FIX/whole"
}

@test "incremental: killed and resumed with -p, -c, and -c without -p" {
	make_snapshots
	killed_and_resumed -p 1 3
	killed_and_resumed -p 2 -c 3 side
	killed_and_resumed -c 1 2 3
	killed_and_resumed -e --proto 2 -c 1 2 3
	python3 - "$FIX/cp" <<-'END'
	import json, sys
	head = json.loads(open(sys.argv[1]).readline())
	names = lambda key: [pin["path"].rsplit("/", 1)[1] for pin in head[key]]
	assert names("subvolumes") == ["2", "3"] and names("clone_sources") == ["1"], head
	assert head["sources_grow"] and all(pin["parent"] for pin in head["subvolumes"]), head
	END
}

@test "incremental: interrupted on a mount, resumed there and from the image, renamed meanwhile" {
	make_snapshots
	send_direct "$FIX/whole" -p 2 -c 3 side
	streamcut --signal KILL 70000 -- "$SENDCP" send -q --checkpoint "$FIX/cp" \
		--checkpoint-interval 150K -p 2 -c 3 side >"$FIX/part" || true
	cp "$FIX/cp" "$FIX/cp2"
	cp "$FIX/part" "$FIX/part2"
	mv 2 e2
	mv 3 e3
	"$SENDCP" resume -q --checkpoint "$FIX/cp" --at 70000 >>"$FIX/part"
	cmp "$FIX/part" "$FIX/whole"
	cd /
	fixture_umount
	# shellcheck disable=SC2046
	"$SENDCP" resume -q $(image_options) --checkpoint "$FIX/cp2" --at 70000 >>"$FIX/part2"
	cmp "$FIX/part2" "$FIX/whole"
}

# refused COMMANDS PATTERN: runs COMMANDS between the two runs; resume refuses with PATTERN.
refused()
{
	streamcut --signal KILL 70000 -- "$SENDCP" send -q --checkpoint "$FIX/cp" \
		--checkpoint-interval 150K -p 2 -c 3 side >"$FIX/part" || true
	fixture_unheld
	eval "$1"
	btrfs filesystem sync .
	run --separate-stderr bash -c '"$SENDCP" resume --checkpoint "$FIX/cp" --at 70000 >"$FIX/more"'
	assert_failure 1
	assert_equal "$(file_size "$FIX/more")" 0
	assert_equal "${#stderr_lines[@]}" 1
	[[ $stderr == "sendcp: "*"$2"* ]] || fail "$stderr"
	run --separate-stderr "$SENDCP" resume --checkpoint "$FIX/cp" -f "$FIX/never" --at 0
	assert_failure 1
	assert_not_exist "$FIX/never"
	rm "$FIX/cp"
}

# Snapshot, parent and clone source in turn.
@test "incremental: snapshot, parent or clone source deleted before resume" {
	for which in side 2 3; do
		make_snapshots
		refused "btrfs -q subvolume delete -c $which" "/$which is gone"
		btrfs -q subvolume delete s side.rw ./[123s]* 2>/dev/null || true
	done
}

@test "incremental: snapshot, parent or clone source replaced before resume" {
	for which in side 2 3; do
		make_snapshots
		refused "btrfs -q subvolume delete -c $which; btrfs -q subvolume snapshot -r s $which" \
			"/$which was replaced"
		btrfs -q subvolume delete s side.rw ./[123s]* 2>/dev/null || true
	done
}

@test "incremental: snapshot, parent or clone source changed before resume" {
	make_snapshots
	for which in side 2 3; do
		refused "btrfs property set $which ro false; touch $which/d" "/$which was changed"
		btrfs property set $which ro true
		refused "btrfs property set $which ro false" "/$which was changed"
		btrfs property set $which ro true
		refused "btrfs property set $which ro false; touch $which/d
			 btrfs property set $which ro true" "/$which was changed"
	done
}

# Only a flag was changed, and changed back: the contents are those that were sent.
@test "incremental: made writable and read-only again without a write before resume" {
	make_snapshots
	send_direct "$FIX/whole" -p 2 -c 3 side
	streamcut --signal KILL 70000 -- "$SENDCP" send -q --checkpoint "$FIX/cp" \
		--checkpoint-interval 150K -p 2 -c 3 side >"$FIX/part" || true
	fixture_unheld
	for which in side 2 3; do
		btrfs property set $which ro false
		btrfs filesystem sync .
		btrfs property set $which ro true
	done
	"$SENDCP" resume -q --checkpoint "$FIX/cp" --at 70000 >>"$FIX/part"
	cmp "$FIX/part" "$FIX/whole"
}

# Deduplication may write to read-only snapshots: a file's contents stay the same, its extents do
# not.
dedupe_into()
{
	python3 - "$ROOT/test/lib" "$1" "$2" <<-'END'
	import fcntl, os, struct, sys
	sys.path.insert(0, sys.argv[1])
	from btrfsops import FIDEDUPERANGE
	source, target = (os.open(path, os.O_RDONLY) for path in sys.argv[2:])
	request = bytearray(struct.pack("<QQHHIqQQiI", 0, 131072, 1, 0, 0, target, 0, 0, 0, 0))
	fcntl.ioctl(source, FIDEDUPERANGE, request)
	done, status = struct.unpack_from("<Qi", request, 40)
	assert done == 131072 and status == 0, (done, status)
	END
}

@test "incremental: snapshot, parent or clone source deduplicated before resume" {
	local files="e/moved"

	make_snapshots
	for which in side 2 3; do
		rm -f s/twin
		cp --reflink=never $which/$files s/twin
		sync -f "$FIX_MOUNT"
		refused "dedupe_into s/twin $which/$files" "/$which was changed"
	done
}
