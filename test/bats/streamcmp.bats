#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Tests of the test tools: streamcmp finds every type of difference, and never passes without
# comparing.

load ../lib/suite

# Hand-made streams of test/lib/make_stream.py: one command per argument.
make_stream()
{
	local out=$1

	shift
	python3 "$ROOT/test/lib/make_stream.py" "$@" >"$out"
}

setup()
{
	cd "$BATS_TEST_TMPDIR" || return 1
	require_program python3
}

@test "streamcmp: equal streams are the same, and it prints how much was compared" {
	make_stream a subvol mkfile=f write=f,0,hello end
	run streamcmp a a
	assert_success
	assert_output "same: 4 commands, $(file_size a) bytes"
}

@test "streamcmp: WRITEs split at other offsets are the same" {
	make_stream a subvol write=f,0,hello write=f,5,world end
	make_stream b subvol write=f,0,hel write=f,3,lowor write=f,8,ld end
	run streamcmp a b
	assert_success
	run streamcmp --exact a b
	assert_failure 1
}

@test "streamcmp: one differing byte in merged WRITEs is found, with its offset" {
	make_stream a subvol write=f,0,hello write=f,5,world end
	make_stream b subvol write=f,0,hel write=f,3,loworLd end
	run streamcmp a b
	assert_failure 1
	assert_output --partial "data at file offset 8: 0x6c and 0x4c"
}

@test "streamcmp: a gap between WRITEs is a difference" {
	make_stream a subvol write=f,0,hello write=f,5,world end
	make_stream b subvol write=f,0,hello write=f,6,world end
	run streamcmp a b
	assert_failure 1
}

@test "streamcmp: the same data in another file is a difference" {
	make_stream a subvol write=f,0,hello write=f,5,world end
	make_stream b subvol write=f,0,hello write=g,5,world end
	run streamcmp a b
	assert_failure 1
	assert_output --partial "path of WRITE"
}

@test "streamcmp: a missing end of a WRITE is a difference" {
	make_stream a subvol write=f,0,hello write=f,5,world end
	make_stream b subvol write=f,0,hello end
	run streamcmp a b
	assert_failure 1
	run streamcmp b a
	assert_failure 1
	make_stream b subvol write=f,0,hellowo end
	run streamcmp a b
	assert_failure 1
}

@test "streamcmp: a removed, added, exchanged or changed command is a difference, and is printed" {
	make_stream a subvol mkfile=f mkdir=d truncate=f,5 end
	make_stream b subvol mkfile=f truncate=f,5 end
	make_stream c subvol mkdir=d mkfile=f truncate=f,5 end
	make_stream d subvol mkfile=f mkdir=d truncate=f,6 end
	local other
	for other in b c d; do
		run streamcmp a $other
		assert_failure 1
		run streamcmp $other a
		assert_failure 1
	done
	run streamcmp a d
	assert_output --partial "size of TRUNCATE"
	assert_output --partial 'command 4 at byte'
	assert_output --partial 'TRUNCATE path="f" size=5'
	assert_output --partial 'TRUNCATE path="f" size=6'
}

@test "streamcmp: several streams in a file, and one stream less" {
	make_stream a subvol mkfile=f end
	cat a a >b
	run streamcmp b b
	assert_success
	assert_output --partial "6 commands"
	run streamcmp b a
	assert_failure 1
	run streamcmp a b
	assert_failure 1
}

@test "streamcmp: another protocol is a difference" {
	make_stream a subvol end
	make_stream b --proto 2 subvol end
	run streamcmp a b
	assert_failure 1
	assert_output --partial "protocol"
}

@test "streamcmp: nothing compared is a failure" {
	: >empty
	run streamcmp empty empty
	assert_failure 2
	assert_output --partial "nothing was compared"
}

@test "streamcmp: without END, truncated, or with data after it, a stream is malformed" {
	make_stream a subvol mkfile=f
	run streamcmp a a
	assert_failure 2
	assert_output --partial "file ends inside a stream"
	make_stream a subvol mkfile=f end
	head -c -3 a >b
	run streamcmp b b
	assert_failure 2
	{ cat a; echo; } >b
	run streamcmp b b
	assert_failure 2
	assert_output --partial "no stream header"
	head -c 17 a >b
	run streamcmp b b
	assert_failure 2
}

@test "streamcmp: every flipped byte is found" {
	local at size

	make_stream a subvol mkfile=f write=f,0,hello truncate=f,9 end
	size=$(file_size a)
	for ((at = 0; at < size; at++)); do
		cp a b
		printf '\xa5' | dd of=b bs=1 seek=$at conv=notrunc status=none
		cmp -s a b && continue
		run streamcmp b a
		[ "$status" -ne 0 ] || fail "flipped byte $at was not seen"
	done
}

@test "streamcmp: a wrong CRC, a wrong attribute and an empty WRITE are malformed" {
	make_stream a subvol write=f,0, end
	run streamcmp a a
	assert_failure 2
	assert_output --partial "WRITE without data"
	make_stream a subvol raw=17,15,66 end
	run streamcmp a a
	assert_failure 2
	assert_output --partial "TRUNCATE lacks size"
	make_stream a subvol mkfile=f bad-crc end
	run streamcmp a a
	assert_failure 2
	assert_output --partial "CRC of"
}

@test "streamcmp: a stream that does not name its subvolume is malformed" {
	make_stream a mkfile=f end
	run streamcmp a a
	assert_failure 2
	assert_output --partial "stream begins with MKFILE"
}

@test "streamcmp: the allowed deviations, by name, in one direction, and no similar ones" {
	make_stream ours subvol xattr=f,security.cap,z end
	make_stream native subvol end
	run streamcmp ours native
	assert_failure 1
	run streamcmp --allow-deviation cap-prefix ours native
	assert_success
	assert_output --partial "1 allowed deviations"
	run streamcmp --allow-deviation cap-prefix native ours
	assert_failure 1
	make_stream ours subvol xattr=f,security.capability,z end
	run streamcmp --allow-deviation cap-prefix ours native
	assert_failure 1
	make_stream ours subvol xattr=f,security.capx,z end
	run streamcmp --allow-deviation cap-prefix ours native
	assert_failure 1

	make_stream ours subvol extent=f,0,5905575936 end
	make_stream native subvol extent=f,0,1610608640 end
	run streamcmp ours native
	assert_failure 1
	run streamcmp --allow-deviation update-extent-32bit ours native
	assert_success
	run streamcmp --allow-deviation update-extent-32bit native ours
	assert_failure 1
	make_stream native subvol extent=f,0,1610608641 end
	run streamcmp --allow-deviation update-extent-32bit ours native
	assert_failure 1
	run streamcmp --allow-deviation anything ours native
	assert_failure 2
}

@test "streamcmp: a removed directory that native leaves" {
	make_stream ours subvol rename=d,o257-8-0 rmdir=o257-8-0 rmdir=e end
	make_stream native subvol rename=d,o257-8-0 rename=e,o258-8-0 end
	run streamcmp ours native
	assert_failure 1
	run streamcmp --allow-deviation nested-subvolume ours native
	assert_success
	assert_output --partial "2 allowed deviations"
	run streamcmp --allow-deviation nested-subvolume native ours
	assert_failure 1
	make_stream native subvol rename=d,o257-8-0 rename=f,o258-8-0 end
	run streamcmp --allow-deviation nested-subvolume ours native
	assert_failure 1
	make_stream ours subvol rmdir=o257-8 end
	make_stream native subvol end
	run streamcmp --allow-deviation nested-subvolume ours native
	assert_failure 1
}

@test "streamcmp: a name that was just renamed" {
	make_stream ours subvol rename=x/y,o261-8-0 rename=a,o261-8-0/b/c rename=o261-8-0,z end
	make_stream native subvol rename=x/y,o261-8-0 rename=a,x/y/b/c rename=o261-8-0,z end
	run streamcmp ours native
	assert_failure 1
	run streamcmp --allow-deviation stale-name ours native
	assert_success
	run streamcmp --allow-deviation stale-name native ours
	assert_failure 1
	# Another name below it, another directory, and one that already has its new name.
	make_stream native subvol rename=x/y,o261-8-0 rename=a,x/y/b/d rename=o261-8-0,z end
	run streamcmp --allow-deviation stale-name ours native
	assert_failure 1
	make_stream native subvol rename=x/y,o261-8-0 rename=a,x/yy/b/c rename=o261-8-0,z end
	run streamcmp --allow-deviation stale-name ours native
	assert_failure 1
	make_stream ours subvol rename=x/y,o261-8-0 rename=o261-8-0,z rename=a,o261-8-0/b/c end
	make_stream native subvol rename=x/y,o261-8-0 rename=o261-8-0,z rename=a,x/y/b/c end
	run streamcmp --allow-deviation stale-name ours native
	assert_failure 1
}

@test "streamcmp: native failed midway" {
	make_stream ours subvol mkfile=f mkdir=d end
	make_stream native subvol mkfile=f
	run streamcmp ours native
	assert_failure 2
	run streamcmp --allow-deviation loop-test ours native
	assert_success
	run streamcmp --allow-deviation loop-test native ours
	assert_failure 2
	make_stream native subvol mkfile=g
	run streamcmp --allow-deviation loop-test ours native
	assert_failure 1
	make_stream ours subvol mkfile=f mkdir=d
	make_stream native subvol mkfile=f
	run streamcmp --allow-deviation loop-test ours native
	assert_failure 2
}

@test "streamcmp: the kernel's own streams are well-formed in both protocols" {
	require_mount
	fixture_begin
	fixture_mkfs 1 1G
	fixture_mount
	fixture_everything --light
	local options
	for options in "--proto 1" "--proto 2" "--proto 2 --compressed-data" "--no-data"; do
		# shellcheck disable=SC2086
		native_send n $options "$FIX_MOUNT/s.ro"
		run streamcmp n n
		assert_success
	done
}

@test "treecmp: equal trees, and every type of difference" {
	local change

	tree()
	{
		rm -rf "$1"
		mkdir -p "$1/d"
		echo content >"$1/d/f"
		ln "$1/d/f" "$1/d/g"
		ln -s target "$1/link"
		mkfifo "$1/fifo"
		find "$1" -exec touch -h -d @1000000000.5 {} +
	}
	tree a
	for change in "true" "echo Content >b/d/f" "chmod 600 b/d/f" "touch b/d/f" "rm b/d/g" \
		"rm b/fifo; touch b/fifo" "ln -sf other b/link" "cp -p b/d/f b/x; mv b/x b/d/g" \
		"touch b/new" "setfattr -n user.a -v 1 b/d/f"; do
		tree b
		bash -c "$change"
		case $change in
		rm*|cp*|ln*|touch\ b/new) touch -h -c -d @1000000000.5 b b/d b/link b/fifo b/new b/d/g || true ;;
		esac
		run treecmp a b
		if [ "$change" = true ]; then
			assert_success
		else
			[ "$status" -eq 1 ] || fail "not seen: $change: $output"
		fi
	done
}

teardown()
{
	fixture_end
}
