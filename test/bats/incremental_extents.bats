#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Incremental sends of file contents: holes, truncation, preallocation, inline files, compression.

load ../lib/suite
load ../lib/incremental

setup_file()
{
	incremental_begin
}

teardown_file()
{
	fixture_end
}

@test "extents: unchanged ones are omitted, one changed of many is sent" {
	begin
	ops <<-'END'
	for i in range(8):
	    write("f", i * 128 * K, blob(128 * K, i))
	END
	snapshot a
	ops <<<'write("f", 5 * 128 * K, blob(128 * K, 99))'
	snapshot b
	check_pair
	assert [ "$(file_size "$STREAM")" -lt 140000 ]
}

@test "extents: the middle of a large one is overwritten" {
	begin
	ops <<<'write("f", 0, blob(M))'
	snapshot a
	ops <<<'write("f", 300 * K, blob(20 * K, 2)); write("f", 301 * K + 5, b"few")'
	snapshot b
	check_pair
}

@test "extents: extended and truncated, aligned and not" {
	begin
	ops <<-'END'
	for name in "abcdefgh":
	    write(name, 0, blob(100 * K, ord(name)))
	END
	snapshot a
	truncate -s 40K s/a
	truncate -s 41001 s/b
	truncate -s 0 s/c
	truncate -s 300K s/d
	truncate -s 300001 s/e
	truncate -s 20K s/f && truncate -s 100K s/f
	truncate -s 20001 s/g && truncate -s 90001 s/g
	echo appended >>s/h
	snapshot b
	check_pair
	check_pair b a
}

@test "extents: truncated and written again, with the same size" {
	begin
	ops <<<'write("f", 0, blob(64 * K)); write("g", 0, blob(64 * K))'
	snapshot a
	truncate -s 0 s/f && truncate -s 64K s/f
	ops <<<'punch("g", 0, 64 * K)'
	snapshot b
	check_pair
}

@test "extents: holes punched at the beginning, in the middle and at the end" {
	begin
	ops <<-'END'
	for name in "abcde":
	    write(name, 0, blob(200 * K + 100, ord(name)))
	END
	snapshot a
	ops <<-'END'
	punch("a", 0, 64 * K)
	punch("b", 60 * K, 100 * K)
	punch("c", 100 * K, 101 * K)
	punch("d", 1000, 150000)
	punch("e", 196 * K, 16 * K)
	END
	snapshot b
	check_pair
	check_pair b a
	check_streams a b --no-data
	check_streams a b --no-data --proto 2
}

@test "extents: a hole punched after the end, over preallocated space" {
	begin
	ops <<-'END'
	write("f", 0, blob(64 * K))
	preallocate("f", 64 * K, 256 * K, keep_size=True)
	write("g", 0, blob(50000))
	END
	snapshot a
	ops <<-'END'
	punch("f", 48 * K, 200 * K)
	punch("g", 48 * K, 200 * K)
	END
	snapshot b
	check_pair
	check_pair b a
}

@test "extents: holes next to holes, between changed extents" {
	begin
	ops <<-'END'
	for i in range(0, 40, 4):
	    write("f", i * 16 * K, blob(16 * K, i))
	os.truncate("f", 640 * K)
	END
	snapshot a
	ops <<-'END'
	punch("f", 4 * 16 * K, 8 * 16 * K)
	write("f", 9 * 16 * K, blob(16 * K, 77))
	write("f", 18 * 16 * K, blob(1000, 78))
	punch("f", 20 * 16 * K, 16 * K)
	END
	snapshot b
	check_pair
	check_pair b a
}

@test "extents: hundreds, with holes at the beginning of tree leaves" {
	begin
	ops <<-'END'
	for i in range(700):
	    write_at("f", i * 8 * K, blob(4 * K, i))
	sync_file("f")
	END
	snapshot a
	ops <<-'END'
	for i in range(0, 700, 23):
	    punch("f", i * 8 * K, 4 * K)
	for i in range(300, 340):
	    punch("f", i * 8 * K, 4 * K)
	write("f", 500 * 8 * K, blob(4 * K, 1))
	END
	snapshot b
	check_pair
}

@test "extents: preallocated beyond the end, then written and extended" {
	begin
	ops <<-'END'
	for name in "abcd":
	    write(name, 0, blob(30000, ord(name)))
	    preallocate(name, 0, 256 * K, keep_size=True)
	END
	snapshot a
	truncate -s 128K s/a
	ops <<-'END'
	write("b", 64 * K, blob(8 * K))
	preallocate("c", 256 * K, 256 * K, keep_size=True)
	os.truncate("d", 10000)
	END
	snapshot b
	check_pair
	check_pair b a
}

@test "extents: an empty file and one with data are preallocated" {
	begin
	touch s/f s/h
	ops <<<'write("g", 0, blob(20 * K))'
	snapshot a
	ops <<-'END'
	preallocate("f", 0, 100 * K)
	preallocate("g", 20 * K, 100 * K)
	preallocate("h", 0, 100 * K, keep_size=True)
	END
	snapshot b
	check_pair
}

@test "extents: preallocated ones are partly written" {
	begin
	ops <<<'preallocate("f", 0, 400 * K)'
	snapshot a
	ops <<-'END'
	write("f", 100 * K, blob(50 * K))
	write("f", 300 * K, blob(3))
	END
	snapshot b
	check_pair
	check_pair b a
}

@test "extents: a range is zeroed" {
	begin
	ops <<<'write("f", 0, blob(400 * K)); write("g", 0, blob(100001))'
	snapshot a
	ops <<-'END'
	zero("f", 50 * K + 10, 200 * K)
	zero("g", 90000, 100000)
	END
	snapshot b
	check_pair
}

@test "extents: inline files become regular and regular ones inline" {
	begin
	ops <<-'END'
	write("a", 0, blob(1000))
	write("b", 0, blob(1000))
	write("c", 0, blob(9000))
	write("d", 0, blob(1000))
	write("e", 0, blob(500))
	END
	snapshot a
	ops <<-'END'
	write("a", 1000, blob(9000))
	os.truncate("b", 9000)
	os.truncate("c", 0)
	write("c", 0, blob(1000, 2))
	write("d", 100 * K, blob(5000))
	write("e", 0, blob(600, 3))
	END
	snapshot b
	check_pair
	check_pair b a
}

@test "extents: an inline file is truncated and extended by a hole" {
	begin
	ops <<-'END'
	write("f", 0, bytes(64) + b"abc")
	write("g", 0, b"xyz")
	END
	snapshot a
	truncate -s 0 s/f && truncate -s 8192 s/f
	truncate -s 0 s/g && truncate -s 3 s/g
	snapshot b
	check_pair
	check_pair b a
}

@test "extents: an inline extent before a hole and data" {
	begin
	INCREMENTAL_MOUNT=max_inline=4095 remount
	ops <<-'END'
	write("f", 0, text(3000))
	END
	snapshot a
	ops <<-'END'
	os.truncate("f", 4096)
	write("f", 8192, blob(4096))
	write("g", 0, text(3500))
	END
	snapshot b
	check_pair
	check_pair b a
	remount
}

@test "extents: without data checksums, overwritten in place" {
	begin
	ops <<-'END'
	set_nodatacow("f")
	write("f", 0, blob(200 * K))
	END
	snapshot a
	ops <<<'write("f", 50 * K, blob(30 * K, 2))'
	snapshot b
	ops <<<'write("f", 50 * K, blob(3000, 3)); punch("f", 100 * K, 8 * K)'
	snapshot c
	check_pair
	check_pair a c
	check_pair c b
}

@test "extents: compressed ones overwritten, punched, truncated, appended to" {
	begin
	ops <<-'END'
	for name, algorithm in (("f", "zstd"), ("g", "zlib"), ("h", "lzo")):
	    open(name, "w").close()
	    set_compression(name, algorithm)
	    write(name, 0, text(500 * K))
	END
	snapshot a
	ops <<-'END'
	for name in "fgh":
	    write(name, 100 * K, text(60 * K, 2))
	    write(name, 300 * K, blob(60 * K))
	    punch(name, 200 * K, 20 * K)
	    os.truncate(name, 480001)
	    write(name, 500 * K, text(30000, 3))
	    write("small" + name, 0, text(1800, 4))
	END
	snapshot b
	check_pair
	check_pair b a
	check_streams a b --proto 2 --compressed-data
	btrfs -q subvolume delete r/b >/dev/null
	receive_all a b
	check_streams b a --proto 2 --compressed-data
}

@test "extents: compression switched on and off between the snapshots" {
	begin
	ops <<-'END'
	write("f", 0, text(256 * K))
	open("g", "w").close()
	set_compression("g", "zstd")
	write("g", 0, text(256 * K))
	END
	snapshot a
	btrfs property set s/f compression zstd
	btrfs property set s/g compression ""
	ops <<-'END'
	for name in "fg":
	    write(name, 0, text(128 * K, 2))
	END
	snapshot b
	check_pair
	check_streams a b --proto 2 --compressed-data
}

@test "extents: defragmented, with the same contents" {
	begin
	ops <<-'END'
	for i in range(20):
	    write("f", i * 4 * K, blob(4 * K, i))
	END
	snapshot a
	btrfs filesystem defragment -f s/f
	snapshot b
	check_pair
	check_streams a b --no-data
}

@test "extents: a sparse file of many gigabytes" {
	begin
	truncate -s 20G s/f
	ops <<-'END'
	write("f", 3 << 30, blob(8 * K))
	write("f", (3 << 30) + 16 * K, blob(4 * K))
	write("f", (18 << 30) + 5, b"tail")
	END
	snapshot a
	ops <<-'END'
	write("f", 3 << 30, blob(4 * K, 2))
	punch("f", (3 << 30) + 4 * K, 4 * K)
	write("f", 11 << 30, blob(4 * K, 3))
	END
	truncate -s 24G s/f
	snapshot b
	check_streams a b
	check_streams a b --proto 2
	assert [ "$(file_size "$STREAM")" -lt 20000 ]
}

@test "extents: renamed files whose contents changed too" {
	begin
	mkdir s/d
	ops <<<'write("f", 0, blob(100 * K)); write("d/g", 0, blob(100 * K, 2))'
	snapshot a
	mv s/f s/d/h
	ops <<<'write("d/h", 10 * K, blob(5 * K, 3)); punch("d/g", 0, 4 * K)'
	mv s/d s/e
	mv s/e/g s/f
	snapshot b
	check_pair
	check_pair b a
}

@test "extents: of a removed file whose name and size a new one has" {
	begin
	ops <<<'write("f", 0, blob(100 * K))'
	snapshot a
	rm s/f
	ops <<<'write("f", 0, blob(100 * K))'
	snapshot b
	check_pair
}

@test "extents: no data: holes, changes and sizes" {
	begin
	ops <<<'write("f", 0, blob(300 * K)); write("g", 0, blob(10 * K))'
	snapshot a
	ops <<-'END'
	write("f", 100 * K, blob(40 * K, 2))
	punch("f", 200 * K, 40 * K)
	os.truncate("f", 290001)
	write("g", 0, blob(200, 3))
	END
	snapshot b
	check_streams a b --no-data
	check_streams a b --no-data --proto 2
	check_streams b a --no-data
}

@test "extents: images give the same streams" {
	run images_agree
	assert_success
	assert_output --partial "streams"
}
