#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Incremental sends of shared extents: ranges to clone, their sources, and sharing at the receiver.

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

@test "clones: a whole file, in the same directory and in another" {
	begin
	mkdir s/d
	ops <<<'write("f", 0, blob(300 * K))'
	snapshot a
	ops <<<'reflink("f", 0, 0, "g", 0); reflink("f", 0, 0, "d/h", 0)'
	snapshot b
	check_pair
	check_sharing a b
}

@test "clones: within one file, forwards and backwards" {
	begin
	ops <<<'write("f", 0, blob(128 * K)); write("g", 256 * K, blob(128 * K, 2))'
	snapshot a
	ops <<-'END'
	reflink("f", 0, 64 * K, "f", 256 * K)
	reflink("g", 256 * K, 64 * K, "g", 0)
	END
	snapshot b
	check_pair
	check_sharing a b
}

@test "clones: within a new file, from a range that was sent just before" {
	begin
	snapshot a
	ops <<-'END'
	write("f", 0, blob(128 * K))
	reflink("f", 32 * K, 64 * K, "f", 128 * K)
	reflink("f", 0, 192 * K, "f", 192 * K)
	END
	snapshot b
	check_pair
}

@test "clones: up to an end that is not aligned" {
	begin
	ops <<<'write("f", 0, blob(200000))'
	snapshot a
	ops <<-'END'
	reflink("f", 0, 0, "g", 0)
	write("h", 0, blob(300 * K, 2))
	reflink("f", 0, 0, "h", 64 * K)
	write("i", 0, blob(8 * K, 3))
	reflink("f", 0, 0, "i", 8 * K)
	END
	snapshot b
	check_pair
	check_sharing a b
}

@test "clones: the unaligned end of a file that was longer" {
	begin
	ops <<<'write("f", 0, blob(200000)); write("g", 0, blob(400000, 2))'
	snapshot a
	ops <<<'reflink("f", 128 * K, 200000 - 128 * K, "g", 128 * K); os.truncate("g", 200000)'
	snapshot b
	check_pair
}

@test "clones: the unaligned end into the middle of a longer file" {
	begin
	ops <<<'write("f", 0, blob(70001)); write("g", 0, blob(400000, 2))'
	snapshot a
	ops <<<'reflink("f", 0, 0, "h", 0); os.truncate("h", 300000); os.truncate("f", 69000)'
	snapshot b
	check_pair
}

@test "clones: parts of extents, from the middle, overlapping" {
	begin
	ops <<<'write("f", 0, blob(512 * K))'
	snapshot a
	ops <<-'END'
	reflink("f", 100 * K, 100 * K, "g", 0)
	reflink("f", 150 * K, 100 * K, "g", 200 * K)
	reflink("f", 0, 512 * K, "h", 20 * K)
	write("h", 120 * K, blob(40 * K, 2))
	reflink("h", 60 * K, 200 * K, "i", 0)
	END
	snapshot b
	check_pair
	check_sharing a b
}

@test "clones: from a source that was partly overwritten since" {
	begin
	ops <<<'write("f", 0, blob(512 * K))'
	snapshot a
	ops <<-'END'
	reflink("f", 0, 0, "g", 0)
	write("f", 128 * K, blob(64 * K, 2))
	punch("f", 256 * K, 64 * K)
	os.truncate("f", 400 * K + 7)
	END
	snapshot b
	check_pair
	check_streams a b --no-data
}

@test "clones: from a source that the new snapshot lacks" {
	begin
	ops <<<'write("f", 0, blob(256 * K))'
	snapshot a
	ops <<<'reflink("f", 0, 0, "g", 0); os.unlink("f")'
	snapshot b
	check_pair
	check_sharing a b
}

@test "clones: from a source that was renamed, with its directory" {
	begin
	mkdir -p s/d/e
	ops <<<'write("d/e/f", 0, blob(256 * K))'
	snapshot a
	ops <<<'reflink("d/e/f", 0, 0, "d/g", 0)'
	mv s/d/e/f s/f2
	mv s/d/e s/e2
	mv s/d s/e2/d2
	snapshot b
	check_pair
	check_sharing a b
}

@test "clones: a file exchanged with its clone" {
	begin
	ops <<<'write("f", 0, blob(256 * K)); reflink("f", 0, 128 * K, "g", 0)'
	snapshot a
	exchange f g
	ops <<<'reflink("g", 128 * K, 128 * K, "f", 0)'
	snapshot b
	check_pair
	check_sharing a b
}

@test "clones: deduplicated files" {
	begin
	ops <<-'END'
	for name in "fgh":
	    write(name, 0, blob(256 * K))
	write("i", 0, blob(100001, 2))
	write("j", 0, blob(100001, 2))
	END
	snapshot a
	ops <<-'END'
	dedupe("f", 0, 256 * K, "g", 0)
	dedupe("f", 64 * K, 64 * K, "h", 64 * K)
	dedupe("i", 0, 100001, "j", 0)
	END
	snapshot b
	check_pair
	check_sharing a b
}

@test "clones: deduplicated with the end of another file" {
	begin
	ops <<-'END'
	write("f", 0, blob(700 * K + 11))
	write("g", 0, blob(256 * K, 2))
	write("g", 256 * K, blob(700 * K + 11)[512 * K:])
	END
	snapshot a
	ops <<-'END'
	dedupe("f", 512 * K, 188 * K + 11, "g", 256 * K)
	reflink("g", 0, 0, "h", 0)
	END
	snapshot b
	check_pair
}

@test "clones: of compressed extents, whole and in part, with and without encoded writes" {
	begin
	ops <<-'END'
	open("f", "w").close()
	set_compression("f", "zstd")
	write("f", 0, text(500 * K))
	END
	snapshot a
	ops <<-'END'
	reflink("f", 0, 0, "g", 0)
	reflink("f", 132 * K, 64 * K, "h", 0)
	reflink("f", 100 * K, 200 * K, "i", 40 * K)
	write("i", 200 * K, blob(8 * K))
	END
	snapshot b
	check_pair
	check_streams a b --proto 2 --compressed-data
	btrfs -q subvolume delete r/b >/dev/null
	receive_all a b
}

@test "clones: of holes, of preallocated and of inline extents" {
	begin
	ops <<-'END'
	write("f", 64 * K, blob(64 * K))
	preallocate("f", 128 * K, 64 * K)
	os.truncate("f", 300 * K)
	write("inline", 0, b"some bytes")
	END
	snapshot a
	ops <<-'END'
	write("g", 0, blob(400 * K, 2))
	reflink("f", 0, 300 * K, "g", 32 * K)
	reflink("f", 0, 0, "h", 0)
	reflink("inline", 0, 0, "i", 0)
	END
	snapshot b
	check_pair
	check_sharing a b
}

@test "clones: one sector at the beginning is written" {
	begin
	ops <<<'write("f", 0, blob(4 * K)); write("g", 0, blob(64 * K))'
	snapshot a
	ops <<-'END'
	reflink("f", 0, 4 * K, "h", 0)
	reflink("g", 4 * K, 4 * K, "h", 4 * K)
	reflink("g", 0, 4 * K, "h", 8 * K)
	END
	snapshot b
	check_pair
}

@test "clones: an extent with a thousand references, and one with more than 1024" {
	begin
	ops <<-'END'
	write("f", 0, blob(8 * K))
	write("g", 0, blob(8 * K, 2))
	END
	snapshot a
	ops <<-'END'
	for i in range(1000):
	    reflink("f", 0, 8 * K, "few", i * 8 * K)
	for i in range(1040):
	    reflink("g", 0, 8 * K, "many", i * 8 * K)
	END
	snapshot b
	# shellcheck disable=SC2034 # Read by incremental.bash.
	NO_STEPS=1
	check_pair
}

@test "clones: many files that share one extent" {
	begin
	mkdir s/d
	ops <<<'write("f", 0, blob(64 * K))'
	snapshot a
	ops <<-'END'
	for i in range(60):
	    reflink("f", (i % 8) * 4 * K, 32 * K, f"d/{i}", (i % 3) * 16 * K)
	END
	snapshot b
	orphans_touch_the_root
	check_pair
	check_sharing a b
}

@test "clones: from further sources, older and newer, and an unrelated one" {
	begin
	ops <<<'write("f", 0, blob(256 * K)); write("g", 0, blob(256 * K, 2))'
	snapshot a
	ops <<<'write("h", 0, blob(256 * K, 3)); reflink("f", 0, 0, "x", 0)'
	snapshot c
	rm s/h s/x
	btrfs -q subvolume create other
	cp --reflink=always s/g other/copy
	cp --reflink=always c/h other/h
	btrfs -q subvolume snapshot -r other o
	cp --reflink=always c/h s/h2
	cp --reflink=always s/f s/f2
	cp --reflink=always other/copy s/g2
	rm s/g
	snapshot b
	check_pair a b
	check_streams a b -c @c
	check_streams a b -c @c -c @o
	check_streams a b --proto 2 -c @o -c @c
	check_streams a b -c @a -c @a
	check_streams b a -c @c -c @o
}

@test "clones: without a parent named, it is chosen among the sources" {
	begin
	ops <<<'write("f", 0, blob(256 * K))'
	snapshot a
	ops <<<'reflink("f", 0, 0, "g", 0)'
	snapshot b
	ops <<<'reflink("f", 0, 100 * K, "h", 0); write("i", 0, blob(9 * K))'
	snapshot c
	for sources in "-c a" "-c b" "-c a -c b" "-c b -c a"; do
		# shellcheck disable=SC2086
		native_send "$FIX/native" $sources c
		# shellcheck disable=SC2086
		send_direct "$FIX/direct" $sources c
		identical "$FIX/direct" "$FIX/native"
	done
}

@test "clones: into a file that is truncated, and from one that is" {
	begin
	ops <<<'write("f", 0, blob(500001)); write("g", 0, blob(600000, 2))'
	snapshot a
	ops <<-'END'
	reflink("f", 0, 256 * K, "g", 0)
	os.truncate("g", 256 * K)
	reflink("f", 0, 0, "h", 0)
	os.truncate("h", 300001)
	os.truncate("f", 100)
	END
	snapshot b
	check_pair
	check_pair b a
}

@test "clones: images give the same streams" {
	run images_agree
	assert_success
	assert_output --partial "streams"
}
