#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# sendcp dump: the lines of btrfs receive --dump, JSON, and incomplete streams.

load ../lib/suite
load ../lib/stored

setup_file()
{
	stored_make
}

setup()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	OUT=$BATS_TEST_TMPDIR
}

make_stream()
{
	python3 "$BATS_TEST_DIRNAME/../lib/make_stream.py" "$@"
}

# same_as_btrfs STREAM LEAST: the same lines as far as btrfs receive gets: it stops at the longest
# paths. It prints names and values of extended attributes raw; only lines without escapes are
# compared with its lines, in any order.
same_as_btrfs()
{
	local others='^[a-z_]+ +\./'

	btrfs receive --dump -f "$1" >"$OUT/btrfs" 2>"$OUT/btrfs.err" || true
	LC_ALL=C grep -aE "$others" "$OUT/btrfs" | LC_ALL=C grep -av '^[a-z]*_xattr ' >"$OUT/a"
	"$SENDCP" dump "$1" >"$OUT/ours" || return 1
	grep -v '^[a-z]*_xattr ' "$OUT/ours" | head -n "$(wc -l <"$OUT/a")" >"$OUT/b"
	assert [ "$(wc -l <"$OUT/a")" -ge "$2" ]
	diff "$OUT/a" "$OUT/b" | cut -c -300 | head
	cmp "$OUT/a" "$OUT/b" || return 1
	grep '^[a-z]*_xattr ' "$OUT/ours" | grep -v '\\' >"$OUT/xattrs" || true
	while read -r line; do
		LC_ALL=C grep -aqxF -- "$line" "$OUT/btrfs" || fail "not in btrfs's: $line"
	done <"$OUT/xattrs"
}

@test "dump: the lines of btrfs receive --dump" {
	require_program btrfs
	same_as_btrfs stream.plain 3500
	"$SENDCP" send -q --device image s.ro >"$OUT/v1"
	same_as_btrfs "$OUT/v1" 3500
	"$SENDCP" send -q --no-data --device image s.ro >"$OUT/empty"
	same_as_btrfs "$OUT/empty" 3500
	make_stream subvol mkfile='a b' "rename=a b,c	d" write='c	d,5,hello' truncate=x,3 \
		xattr='x,user.n,v v' extent=x,1,2 rmdir=$'\xff\x01\\' end >"$OUT/hand"
	same_as_btrfs "$OUT/hand" 7
	assert [ "$(wc -l <"$OUT/xattrs")" = 1 ]
	TZ=Asia/Kolkata same_as_btrfs stream.plain 3500
}

@test "dump: incremental streams" {
	require_mount
	fixture_begin
	fixture_mkfs 1 256M
	fixture_mount
	fixture_random 5 300 >/dev/null
	btrfs send -q -p "$FIX_MOUNT/a" "$FIX_MOUNT/b" >"$OUT/native"
	fixture_end
	same_as_btrfs "$OUT/native" 50
	run "$SENDCP" verify "$OUT/native"
	assert_success
}

@test "dump: the same from every wrapping" {
	local kind

	"$SENDCP" dump stream.plain >"$OUT/plain"
	for kind in $STORED_KINDS; do
		"$SENDCP" dump - <"stream.$kind" | cmp - "$OUT/plain"
	done
}

@test "dump --json: one line for each header and command, without loss" {
	require_program jq
	"$SENDCP" dump --json stream.plain >"$OUT/json"
	# Headers and END have lines too; each begins at the end of the last.
	assert_equal "$(jq -s '.[0].command, .[-1].command' "$OUT/json" | xargs)" "header end"
	assert_equal "$(jq -s 'reduce .[] as $c (0; if $c.stream_offset == . then
		. + $c.stream_length else -1 end)' "$OUT/json")" "$(file_size stream.plain)"
	assert_equal "$(grep -vc '"command":"header"\|"command":"end"' "$OUT/json")" \
		"$("$SENDCP" dump stream.plain | wc -l)"
	make_stream subvol mkfile=$'\xff/\xc3\xa4' mkfile=$'\xc3\xa4 "' xattr=$'f,user.n,\x01\xfe' end \
		>"$OUT/hand"
	run bash -c "'$SENDCP' dump --json '$OUT/hand' | jq -r 'select(.path_base64) | .path_base64' |
		base64 -d"
	assert_output $'\xff/\xc3\xa4'
	run bash -c "'$SENDCP' dump --json '$OUT/hand' | jq -r '.path | select(. != null)' | sed -n 2p"
	assert_output $'\xc3\xa4 "'
	run bash -c "'$SENDCP' dump --json '$OUT/hand' | jq -r 'select(.xattr_data_base64) |
		.xattr_data_base64' | base64 -d | od -An -tx1 | tr -d ' \n'"
	assert_output "01fe"
}

@test "dump: the lines of a truncated stream, then the error" {
	local size kind

	for kind in plain zstd tar; do
		size=$(file_size stream.$kind)
		head -c $((size / 2)) stream.$kind >"$OUT/cut"
		run --separate-stderr "$SENDCP" dump "$OUT/cut"
		assert_equal "$status" 1
		assert_equal "$(wc -l <<<"$stderr")" 1
		[[ $stderr == *"whole up to byte "* ]]
		assert [ "$(wc -l <<<"$output")" -gt 500 ]
		"$SENDCP" dump stream.plain | head -n "$(wc -l <<<"$output")" | cmp - <(echo "$output")
		run bash -c "'$SENDCP' dump --json '$OUT/cut' | tail -n 1 | jq -r .command"
		assert_success
	done
}

@test "dump: a command without an attribute that its line needs" {
	make_stream subvol mkfile=a raw=9,15,61 end >"$OUT/f"
	run --separate-stderr "$SENDCP" dump "$OUT/f"
	assert_equal "$status" 1
	assert_equal "$(wc -l <<<"$output")" 2
	[[ $stderr == *"lacks the attribute path_to"* ]]
}

@test "dump: names cannot print line breaks or terminal codes" {
	make_stream subvol mkfile=$'a\nsubvol\x1b[2J' xattr=$'a,user.x\n,\x1b\n' \
		rename=$'a\n,b\n' end >"$OUT/f"
	run "$SENDCP" dump "$OUT/f"
	assert_success
	assert_equal "${#lines[@]}" 4
	run bash -c "'$SENDCP' dump '$OUT/f' | tr -d '\n' | grep -c '[[:cntrl:]]'"
	assert_output 0
}

@test "dump: a full disk, and a reader that exits early" {
	run bash -c "'$SENDCP' dump stream.plain >/dev/full"
	assert_equal "$status" 1
	assert_output --partial "cannot write to standard output: No space left on device"
	run bash -c "'$SENDCP' dump --json stream.plain >/dev/full"
	assert_equal "$status" 1
	run bash -c "'$SENDCP' dump stream.plain | head -n 1"
	assert_success
	assert_equal "${#lines[@]}" 1
}
