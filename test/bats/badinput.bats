#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Damaged, foreign and missing input: one clear line of error, the right exit code, and nothing
# incomplete is ever called complete.

load ../lib/suite

IMAGES=$BATS_TEST_DIRNAME/../images

setup_file()
{
	require_program zstd
	require_program python3
	zstd -q -d --sparse -o "$BATS_FILE_TMPDIR/plain" "$IMAGES/plain.0.img.zst"
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	FIX=
}

teardown()
{
	fixture_end
}

fresh()
{
	cp --sparse=always "$BATS_FILE_TMPDIR/plain" img
}

corrupt()
{
	python3 "$ROOT/test/lib/corrupt.py" "$@"
}

# fails_with CODE PATTERN COMMAND...: exit code, one line of error with PATTERN, no crash.
fails_with()
{
	local code=$1 pattern=$2

	shift 2
	rm -f out out.cp
	run --separate-stderr bash -c '"$@" >out' - "$@"
	assert_equal "$status" "$code"
	[[ $stderr =~ $pattern ]] || fail "no \"$pattern\" in: $stderr"
	assert_equal "$(grep -c '^sendcp: ' <<<"$stderr")" 1
}

# The output is not a complete stream.
incomplete()
{
	run streamcmp --list out
	assert_failure
}

# physical IMAGE LOGICAL: the physical addresses of the first copy, and of the second if there is
# one.
physical()
{
	btrfs-map-logical -l "$2" "$1" 2>/dev/null |
		sed -nE "s/^mirror ([0-9]+) logical $2 physical ([0-9]+).*/\2/p"
}

# leaf IMAGE ROOT: the logical address of a tree's first leaf.
leaf()
{
	btrfs inspect-internal dump-tree -t "$2" "$1" | sed -nE '/^leaf/{s/^leaf ([0-9]+).*/\1/p;q}'
}

subvolume_id()
{
	btrfs inspect-internal dump-tree -t 1 "$1" |
		awk -v name="$2" '/ROOT_BACKREF/ { id = $4; sub(/\(/, "", id) }
			$0 ~ " name " name "$" && id { print id; exit }'
}

@test "bad input: not btrfs" {
	truncate -s 200M zero
	fails_with 1 "not a btrfs filesystem" "$SENDCP" send --device zero s.ro
	head -c 5M /dev/urandom >noise
	fails_with 1 "not a btrfs filesystem" "$SENDCP" send --device noise s.ro
	: >empty
	fails_with 1 "empty" "$SENDCP" send --device empty s.ro
	fresh
	corrupt img no-magic
	fails_with 1 "not a btrfs filesystem" "$SENDCP" send --device img s.ro
}

@test "bad input: no such file, a directory" {
	fails_with 1 "No such file" "$SENDCP" send --device absent s.ro
	fails_with 1 "neither a block device nor a regular file" "$SENDCP" send --device . s.ro
}

@test "bad input: a path that is not on btrfs" {
	[ "$(stat -f -c %T .)" != btrfs ] || skip "the test directory is on btrfs"
	fails_with 1 "not on a btrfs filesystem" "$SENDCP" send .
	fails_with 1 "No such file" "$SENDCP" send absent
}

@test "bad input: all superblocks damaged" {
	fresh
	corrupt img supers
	fails_with 1 "superblock" "$SENDCP" send --device img s.ro
	incomplete
}

@test "bad input: impossible superblock values" {
	local bytes

	# Node size, sector size, system chunk array size, root level, tree roots.
	for bytes in "148 00000000" "148 01000080" "144 00000000" "144 ffffffff" "160 ffffffff" \
		"198 ff" "80 ffffffffffffffff" "88 0100000000000000"; do
		fresh
		# shellcheck disable=SC2086
		corrupt img super $bytes
		run "$SENDCP" send --device img s.ro
		assert_equal "$status ($bytes)" "1 ($bytes)"
		assert_output --partial "sendcp: "
	done
}

@test "bad input: one damaged superblock copy is tolerated" {
	fresh
	corrupt img flip 65836
	"$SENDCP" send -q --device img s.ro >out
	"$SENDCP" send -q --device "$BATS_FILE_TMPDIR/plain" s.ro | cmp - out
}

@test "bad input: truncated image" {
	fresh
	truncate -s 40M img
	run --separate-stderr bash -c '"$SENDCP" send --device img s.ro >out'
	assert_equal "$status" 1
	[[ $stderr == *"sendcp: "* ]]
	incomplete
	truncate -s 66000 img
	run "$SENDCP" send --device img s.ro
	assert_failure 1
}

@test "bad input: unknown and unsupported features are refused by name" {
	fresh
	corrupt img feature 13
	fails_with 1 "extent-tree-v2" "$SENDCP" send --device img s.ro
	fresh
	corrupt img feature 14
	fails_with 1 "raid-stripe-tree" "$SENDCP" send --device img s.ro
	fresh
	corrupt img feature 60
	fails_with 1 "incompatible feature" "$SENDCP" send --device img s.ro
}

@test "bad input: subvolume not found" {
	fails_with 1 "absent" "$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" absent
	fails_with 1 "9999" "$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" id:9999
	fails_with 1 "uuid" "$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" \
		uuid:00000000-1111-2222-3333-444444444444
	fails_with 1 "" "$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" s.ro/sizes
	fails_with 1 "" "$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" uuid:nonsense
	fails_with 1 "" "$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" id:
}

@test "bad input: a foreign device, the same device twice, a missing device without redundancy" {
	zstd -q -d --sparse -o other "$IMAGES/small-nodes.0.img.zst"
	fails_with 1 "another filesystem" "$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" \
		--device other s.ro
	cp --sparse=always "$BATS_FILE_TMPDIR/plain" copy
	fails_with 1 "twice" "$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" --device copy s.ro
	zstd -q -d --sparse -o five "$IMAGES/raid5.1.img.zst"
	fails_with 1 "missing" "$SENDCP" send --device five s.ro
}

@test "bad input: a tree block without a good copy is named; with one, that is used" {
	local logical first second

	require_program btrfs-map-logical
	zstd -q -d --sparse -o single "$IMAGES/small-nodes.0.img.zst"
	logical=$(leaf single "$(subvolume_id single s.ro)")
	read -r first <<<"$(physical single "$logical")"
	corrupt single flip "$((first + 200))"
	fails_with 1 "$logical" "$SENDCP" send --device single s.ro
	[[ $stderr == *"checksum"* ]]
	incomplete

	fresh
	logical=$(leaf img "$(subvolume_id img s.ro)")
	{ read -r first; read -r second; } <<<"$(physical img "$logical")"
	assert [ -n "$second" ]
	"$SENDCP" send -q --device img s.ro >want
	corrupt img flip "$((first + 200))"
	run --separate-stderr bash -c '"$SENDCP" send --device img s.ro >got'
	assert_success
	assert cmp got want
	assert_equal "$(grep -c "$logical" <<<"$stderr")" 1
	corrupt img flip "$((second + 200))"
	fails_with 1 "$logical" "$SENDCP" send --device img s.ro
}

# large_extent IMAGE: inode and logical address of the last large extent; it belongs to the file
# "large", as no other file is that large.
large_extent()
{
	btrfs inspect-internal dump-tree -t "$(subvolume_id "$1" s.ro)" "$1" |
		awk '/EXTENT_DATA/ { ino = substr($4, 2) }
		     /extent data disk byte/ && $5 > 0 && $7 > 4000000 { last = ino " " $5 }
		     END { print last }'
}

@test "bad input: damaged file data is reported with inode, path and offset; another copy is used" {
	local logical first inode

	require_program btrfs-map-logical
	fresh
	read -r inode logical <<<"$(large_extent img)"
	assert [ -n "$logical" ]
	read -r first <<<"$(physical img "$logical")"
	corrupt img flip "$((first + 8192 + 100))"
	fails_with 1 "checksum" "$SENDCP" send --device img s.ro
	[[ $stderr == *"$inode"* ]] || fail "inode $inode is not in: $stderr"
	[[ $stderr == *"large"* ]] || fail "path is not in: $stderr"
	[[ $stderr =~ offset|byte ]] || fail "offset is not in: $stderr"
	incomplete

	# The other mirror.
	zstd -q -d --sparse -o one "$IMAGES/raid1.0.img.zst"
	zstd -q -d --sparse -o two "$IMAGES/raid1.1.img.zst"
	"$SENDCP" send -q --device one --device two s.ro >want
	python3 - one <<-'END'
	import os, sys
	f = os.open(sys.argv[1], os.O_RDWR)
	size = os.fstat(f).st_size
	# All of the device but the superblocks is damaged; the other device has everything.
	for at in range(1 << 20, size, 1 << 20):
	    if at != 64 << 20:
	        os.pwrite(f, os.urandom(1 << 20), at)
	END
	run --separate-stderr bash -c '"$SENDCP" send --device one --device two s.ro >got'
	assert_success
	assert cmp got want
}

@test "bad input: damaged file data of a mounted filesystem" {
	local logical first inode

	require_mount
	require_program btrfs-map-logical
	fixture_begin
	fresh
	read -r inode logical <<<"$(large_extent img)"
	read -r first <<<"$(physical img "$logical")"
	corrupt img flip "$((first + 8192 + 100))"
	mv img "$FIX/disk0.img"
	# shellcheck disable=SC2034 # Read by fixture.bash.
	FIX_IMAGES=" $FIX/disk0.img"
	# shellcheck disable=SC2034 # Read by fixture.bash.
	FIX_DEVICES=" $(losetup -f --show "$FIX/disk0.img")"
	fixture_mount
	fails_with 1 "data checksum does not match and no copy is good" "$SENDCP" send --backend direct "$FIX_MOUNT/s.ro"
	[[ $stderr == *"$inode"* && $stderr == *large* && $stderr == *offset* ]] || fail "$stderr"
	incomplete
}

@test "bad input: random damage never crashes or hangs, and is never called complete" {
	local i code

	"$SENDCP" send -q --device "$BATS_FILE_TMPDIR/plain" s.ro >want
	for i in $(seq 25); do
		fresh
		corrupt img random $i
		code=0
		timeout 60 "$SENDCP" send --device img s.ro >got 2>err || code=$?
		case $code in
		0) assert cmp got want ;;
		1) assert grep -q '^sendcp: ' err ;;
		*) fail "round $i: exit code $code: $(cat err)" ;;
		esac
	done
}

@test "bad input: a writable subvolume on a mount, a path inside a subvolume, another filesystem" {
	require_mount
	fixture_begin
	fixture_mkfs 1 512M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	mkdir "$FIX_MOUNT/s/dir"
	fails_with 1 "not read-only" "$SENDCP" send --backend direct "$FIX_MOUNT/s"
	fails_with 1 "not a subvolume" "$SENDCP" send --backend direct "$FIX_MOUNT/s/dir"
	fails_with 1 "" "$SENDCP" send --backend direct "$FIX_MOUNT/absent"
}

# The sidecar of an interrupted send of img, and the first bytes of its stream.
broken_off()
{
	[ -e img ] || fresh
	rm -f cp
	"$SENDCP" send -q --checkpoint cp --checkpoint-interval 256K --device img s.ro |
		head -c 5000000 >part || true
}

@test "bad input: files that are not sidecars" {
	fails_with 1 "No such file" "$SENDCP" resume --checkpoint absent
	: >empty
	fails_with 1 "not a checkpoint file" "$SENDCP" resume --checkpoint empty
	head -c 100000 /dev/urandom >noise
	fails_with 1 "not a checkpoint file" "$SENDCP" resume --checkpoint noise
	echo '{"some":"json"}' >json
	fails_with 1 "not a checkpoint file" "$SENDCP" resume --checkpoint json
}

@test "bad input: an existing file that is not a sidecar is not overwritten" {
	echo "my thesis" >thesis
	fails_with 1 "not overwriting" "$SENDCP" send --checkpoint thesis \
		--device "$BATS_FILE_TMPDIR/plain" s.ro
	assert_equal "$(cat thesis)" "my thesis"
}

@test "bad input: a sidecar of a newer version, and one damaged in the middle" {
	broken_off
	sed '1s/"sendcp_journal":1/"sendcp_journal":99/' cp >future
	fails_with 1 "newer" "$SENDCP" resume --checkpoint future --at 5000000
	sed '3s/[0-9]/x/' cp >damaged
	fails_with 1 "damaged" "$SENDCP" resume --checkpoint damaged --at 5000000
	sed '1s/s.ro/t.ro/' cp >first
	fails_with 1 "damaged" "$SENDCP" resume --checkpoint first --at 5000000
}

@test "bad input: every truncated sidecar is accepted or refused, never misread" {
	local size cut i

	fresh
	"$SENDCP" send -q --device img s.ro >want
	broken_off
	size=$(file_size cp)
	for i in $(seq 15); do
		cut=$(pick "$((size - 1))" "torn $i")
		head -c "$cut" cp >torn
		if timeout 60 "$SENDCP" resume -q --checkpoint torn --at 3000000 >rest 2>err; then
			cat <(head -c 3000000 part) rest | cmp - want
		else
			assert_equal "$?" 1
			assert grep -q '^sendcp: ' err
		fi
	done
}

@test "bad input: malformed checkpoints with valid sums" {
	local what

	broken_off
	cp cp good
	for what in \
		'o.get("type") == "batch" and o.__setitem__("checkpoint", "AAAA")' \
		'o.get("type") == "batch" and o.__setitem__("checkpoint", "")' \
		'o.get("type") == "batch" and o.__setitem__("checkpoint", o["checkpoint"][:-8])' \
		'o.get("type") == "batch" and o.__setitem__("checkpoint", "!!!!")' \
		'o.get("type") == "batch" and o.__setitem__("checkpoint", o["checkpoint"][:40] + "BBBB" + o["checkpoint"][44:])'; do
		cp good cp
		edit_sidecar cp "$what"
		run --separate-stderr bash -c '"$SENDCP" resume --checkpoint cp --at 3000000 >rest'
		assert_equal "$status: $what" "1: $what"
		[[ $stderr == *"sendcp: "* ]]
	done
}

@test "bad input: a first line with valid sums, of another send than its checkpoints" {
	local what

	broken_off
	cp cp good
	for what in '"protocol", 2' '"protocol", 3' '"flags", 1' '"flags", 4096' \
		'"fsid", "00000000-0000-0000-0000-000000000001"'; do
		cp good cp
		edit_sidecar cp "\"sendcp_journal\" in o and o.__setitem__($what)"
		fails_with 1 "of another send" "$SENDCP" resume --checkpoint cp --at 3000000
	done
}

@test "bad input: --at after the last byte that was made" {
	broken_off
	fails_with 1 "" "$SENDCP" resume --checkpoint cp --at 999999999999
}

# changed_source COMMANDS PATTERN: runs COMMANDS on the mounted snapshot between the two runs.
changed_source()
{
	require_mount
	fixture_begin
	fixture_mkfs 1 1G
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/s"
	head -c 30M /dev/urandom >"$FIX_MOUNT/s/f"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/ro"
	"$SENDCP" send -q --checkpoint cp --checkpoint-interval 1M "$FIX_MOUNT/ro" |
		head -c 9000000 >part || true
	(cd "$FIX_MOUNT" && eval "$1")
	fails_with 1 "$2" "$SENDCP" resume --checkpoint cp --at 9000000
}

@test "bad input: resume after the snapshot was deleted" {
	changed_source "btrfs -q subvolume delete -c ro" "gone|deleted"
}

@test "bad input: resume after the snapshot was changed" {
	changed_source "btrfs property set -f ro ro false; echo x >ro/new; sync -f .; btrfs property set ro ro true" \
		"changed"
}

@test "bad input: resume after the snapshot was replaced" {
	changed_source "btrfs -q subvolume delete -c ro; btrfs -q subvolume snapshot -r s ro" \
		"replaced|another|deleted"
}

@test "bad input: resume from an image of another filesystem" {
	broken_off
	zstd -q -d --sparse -o other "$IMAGES/small-nodes.0.img.zst"
	fails_with 1 "was on the filesystem" "$SENDCP" resume --checkpoint cp --device other --at 5000000
	rm img
	fails_with 1 "img" "$SENDCP" resume --checkpoint cp --at 5000000
}

@test "bad input: output full" {
	run --separate-stderr "$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" -f /dev/full s.ro
	assert_equal "$status" 75
	[[ $stderr == *"No space left"* ]]
	run --separate-stderr bash -c \
		'"$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" s.ro >/dev/full'
	assert_equal "$status" 75
	[[ $stderr == *"No space left"* ]]
}

@test "bad input: a full filesystem under -f; resumed after space was freed" {
	require_mount
	fixture_begin
	mount -t tmpfs -o size=20M none "$FIX_MOUNT"
	run --separate-stderr "$SENDCP" send --device "$BATS_FILE_TMPDIR/plain" \
		--checkpoint-interval 1M --checkpoint cp -f "$FIX_MOUNT/out" s.ro
	[[ $stderr == *"No space left"* ]]
	assert_equal "$status" 75
	mount -o remount,size=200M "$FIX_MOUNT"
	"$SENDCP" resume -q --checkpoint cp
	"$SENDCP" send -q --device "$BATS_FILE_TMPDIR/plain" s.ro | cmp - "$FIX_MOUNT/out"
}

@test "bad input: an output file that is shorter than in the journal, empty, or deleted" {
	local change

	fresh
	"$SENDCP" send -q --device img s.ro >want
	for change in "truncate -s 1500000 file" "truncate -s 0 file" "rm file" \
		"truncate -s 1500000 file; truncate -s 30M file"; do
		rm -f file file.cp
		run streamcut --signal KILL --watch file 20000000 -- \
			"$SENDCP" send -q --checkpoint-interval 1M -f file --device img s.ro
		eval "$change"
		run "$SENDCP" resume -q --checkpoint file.cp
		if [ "$status" -eq 0 ]; then
			assert cmp file want
		else
			assert_equal "$status" 1
			assert_output --partial "sendcp: "
		fi
	done
}
