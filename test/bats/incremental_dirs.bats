#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Incremental sends of directories: moves that wait for others, loops, orphans, delayed removals, and
# the order of times.

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

@test "directories: renamed in place, with changed entries" {
	begin
	mkdir -p s/d/e/f
	echo x >s/d/e/f/g
	snapshot a
	mv s/d/e/f s/d/e/f2
	mv s/d/e s/d/e2
	mv s/d s/d2
	echo y >>s/d2/e2/f2/g
	snapshot b
	check_pair
}

@test "directories: two exchange names" {
	begin
	mkdir s/d s/e
	touch s/d/1 s/e/2
	snapshot a
	exchange d e
	snapshot b
	check_pair
}

@test "directories: two with different parents exchange names" {
	begin
	mkdir -p s/p/d s/q/e
	touch s/p/d/1 s/q/e/2
	snapshot a
	exchange p/d q/e
	snapshot b
	orphans_touch_the_root
	check_pair
}

@test "directories: parent and child exchange positions" {
	begin
	mkdir -p s/p/c
	touch s/p/1 s/p/c/2
	snapshot a
	mv s/p/c s/c
	mv s/p s/c/p
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: parent and child exchange positions and names" {
	begin
	mkdir -p s/p/c
	touch s/p/1 s/p/c/2
	snapshot a
	mv s/p/c s/t
	mv s/p s/t/c
	mv s/t s/p
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: a chain of four inverted" {
	begin
	mkdir -p s/w/x/y/z
	touch s/w/1 s/w/x/2 s/w/x/y/3 s/w/x/y/z/4
	snapshot a
	mv s/w/x/y/z s/z
	mv s/w/x/y s/z/y
	mv s/w/x s/z/y/x
	mv s/w s/z/y/x/w
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: moved below one that is created later" {
	begin
	mkdir -p s/d/e
	touch s/d/e/f
	snapshot a
	mkdir -p s/new/newer
	mv s/d/e s/new/newer/e
	mv s/d s/new/d
	snapshot b
	check_pair
}

@test "directories: moved below a new one that is below a moved one" {
	begin
	mkdir -p s/a1 s/b1/c1 s/d1
	touch s/a1/f
	snapshot a
	mkdir s/b1/c1/new
	mv s/a1 s/b1/c1/new/a2
	mv s/b1/c1 s/d1/c2
	mv s/d1 s/d2
	snapshot b
	check_pair
}

@test "directories: an older one moved below a newer one that is moved too" {
	begin
	mkdir -p s/x/old s/y/new s/z
	touch s/x/old/f
	snapshot a
	mv s/x/old s/y/new/old
	mv s/y/new s/z/renamed
	snapshot b
	check_pair
}

@test "directories: two that wait for one, which waits for a third" {
	begin
	mkdir s/a1 s/b1 s/c1 s/d1 s/e1
	touch s/a1/1 s/b1/2
	snapshot a
	mv s/a1 s/c1/a2
	mv s/b1 s/c1/b2
	mv s/c1 s/d1/c2
	mv s/d1 s/e1/d2
	mv s/e1 s/e2
	snapshot b
	check_pair
}

@test "directories: hundreds wait for one" {
	begin
	for i in $(seq 250); do
		mkdir s/"d$i"
	done
	mkdir s/last
	snapshot a
	for i in $(seq 250); do
		mv s/"d$i" s/last/"e$i"
	done
	mv s/last s/final
	snapshot b
	orphans_touch_the_root
	check_pair
	check_pair b a
}

@test "directories: more than a thousand wait for one, in many parents" {
	begin
	ops <<-'END'
	for i in range(1100):
	    os.makedirs(f"p{i % 90}/d{i}")
	os.mkdir("last")
	os.makedirs("q/last2")
	END
	snapshot a
	ops <<-'END'
	os.chmod("last", 0o700)
	for i in range(1100):
	    os.rename(f"p{i % 90}/d{i}", f"last/e{i}")
	for i in range(0, 90, 2):
	    os.rmdir(f"p{i}")
	os.rename("last", "q/last2/final")
	os.rename("q/last2", "last")
	END
	snapshot b
	orphans_touch_the_root
	check_pair
	check_pair b a
}

@test "directories: dozens are removed late, each after a waiting one was moved out" {
	begin
	ops <<-'END'
	for i in range(40):
	    os.makedirs(f"gone{i}/sub")
	    open(f"gone{i}/file", "w").close()
	os.mkdir("last")
	END
	snapshot a
	ops <<-'END'
	for i in range(40):
	    os.rename(f"gone{i}/sub", f"last/sub{i}")
	    os.unlink(f"gone{i}/file")
	    os.rmdir(f"gone{i}")
	os.rename("last", "first")
	END
	snapshot b
	orphans_touch_the_root
	check_pair
	check_pair b a
}

@test "directories: a chain of sixty, each below the next" {
	begin
	for i in $(seq 60); do
		mkdir s/"d$i"
	done
	snapshot a
	for i in $(seq 59); do
		mv s/"d$i" s/"d$((i + 1))/d$i"
		# The renamed directory contains all earlier ones, so the chain grows.
	done
	mv s/d60 s/top
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: a loop of waiting ones is resolved" {
	begin
	mkdir -p s/p1/p2/p3 s/p4/p5 s/p6
	touch s/p1/p2/p3/f s/p4/p5/g
	snapshot a
	mv s/p1/p2/p3 s/p3
	mv s/p4/p5 s/p3/p5
	mv s/p4 s/p3/p5/p4
	mv s/p1/p2 s/p3/p5/p4/p2
	mv s/p1 s/p3/p5/p4/p2/p1
	mv s/p6 s/p3/p5/p4/p2/p1/p6
	mv s/p3 s/p0
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: ancestors and descendants exchange positions over two levels" {
	begin
	mkdir -p s/a1/a2 s/b1/b2 s/c1
	snapshot a
	mv s/a1/a2 s/b1/b2/x2
	mv s/b1/b2 s/c1/y2
	mv s/b1 s/c1/y2/x2/z1
	mv s/a1 s/c1/y2/x2/z1/w1
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: removed with all entries" {
	begin
	mkdir -p s/d/e/f
	touch s/d/1 s/d/e/2 s/d/e/f/3
	snapshot a
	rm -r s/d
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: removed after newer ones were moved out" {
	begin
	mkdir s/d s/keep
	mkdir s/d/e
	touch s/d/e/f s/d/g
	snapshot a
	mv s/d/e s/keep/e
	mv s/d/g s/keep/g
	rmdir s/d
	snapshot b
	check_pair
}

@test "directories: removed late, after a waiting one was moved out" {
	begin
	mkdir -p s/d s/x
	mkdir s/d/inner s/y
	touch s/d/inner/f
	snapshot a
	# inner waits for y, whose number is higher; d is empty only after that.
	mv s/d/inner s/y/inner
	mv s/y s/x/y
	rmdir s/d
	snapshot b
	check_pair
}

@test "directories: two removed late, one in the other" {
	begin
	mkdir -p s/d/e s/x s/z
	mkdir s/d/e/inner s/y
	touch s/d/e/inner/f s/d/f
	snapshot a
	mv s/d/e/inner s/y/inner
	mv s/y s/x/y
	mv s/d/f s/x/f
	rmdir s/d/e s/d
	rmdir s/z
	snapshot b
	check_pair
}

@test "directories: the name of a removed, not yet empty one is taken by a new one" {
	begin
	mkdir s/d
	mkdir s/d/e s/k
	touch s/d/e/f s/d/late
	snapshot a
	mv s/d/e s/k/e
	rm -r s/d
	mkdir s/d
	touch s/d/new
	snapshot b
	check_pair
}

@test "directories: the name of a removed one is taken by an older one" {
	begin
	mkdir s/old
	mkdir s/d
	touch s/d/f s/old/g
	snapshot a
	rm -r s/d
	mv s/old s/d
	snapshot b
	check_pair
}

@test "directories: a name taken from an ancestor" {
	begin
	mkdir -p s/top/mid
	mkdir s/top/mid/low
	touch s/top/mid/low/f s/top/g
	snapshot a
	mv s/top/mid/low s/tmp
	mv s/top s/tmp/was-top
	mv s/tmp s/top
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: a file takes the name of its own orphanised ancestor" {
	begin
	mkdir s/d
	echo low >s/low
	mv s/low s/d/low
	mkdir s/e
	touch s/d/x
	snapshot a
	mv s/d s/e/d
	mv s/e/d/low s/d
	snapshot b
	check_pair
}

@test "directories: an orphanised ancestor with links of one file below it" {
	begin
	touch s/file
	mkdir -p s/d1/d2
	ln s/file s/d1/d2/l1
	ln s/file s/d1/l2
	mkdir s/e
	snapshot a
	mv s/d1/d2 s/e/d1
	mv s/d1 s/e/d1/d2
	mv s/e/d1 s/d1
	rm s/d1/l1
	ln s/file s/d1/d2/l3
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: a waiting one is orphanised when its name is taken" {
	begin
	mkdir s/w
	mkdir s/x
	mkdir s/y s/z
	touch s/w/f
	snapshot a
	mv s/w s/y/w
	mv s/y s/z/y
	mv s/x s/w
	mkdir s/x
	snapshot b
	check_pair
}

@test "directories: one takes the name of another that waits, and must wait too" {
	begin
	mkdir -p s/m/w s/n s/p s/q
	mkdir s/m/x
	snapshot a
	mv s/m/w s/q/w2
	mv s/m/x s/m/w
	mv s/m s/p/m
	mv s/p s/q/p
	mv s/q s/n/q
	mv s/n s/o
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: a hundred files and directories rotate names in one directory" {
	begin
	mkdir s/d
	for i in $(seq 0 2 98); do
		mkdir s/d/n"$i"
		touch s/d/n"$i"/f s/d/n"$((i + 1))"
	done
	snapshot a
	mv s/d/n0 s/d/spare
	for i in $(seq 1 99); do
		mv s/d/n"$i" s/d/n"$((i - 1))"
	done
	mv s/d/spare s/d/n99
	snapshot b
	orphans_touch_the_root
	check_pair
}

@test "directories: more than 64 changed, whose times are delayed" {
	begin
	for i in $(seq 90); do
		mkdir -p s/d"$i"/e
	done
	snapshot a
	for i in $(seq 90 -1 1); do
		touch s/d"$i"/new s/d"$((91 - i))"/e/other
	done
	snapshot b
	orphans_touch_the_root
	check_pair
}

@test "directories: exactly 63, 64, 65 and 66 whose times are delayed" {
	local count

	for count in 63 64 65 66; do
		begin ".$count"
		for i in $(seq $count); do
			mkdir s/d"$i"
		done
		snapshot a
		for i in $(seq $count); do
			touch s/d"$i"/f
		done
		snapshot b
		orphans_touch_the_root
		check_pair
	done
}

@test "directories: times of the old and the new parent of a moved one, and of an emptied one" {
	begin
	mkdir -p s/from/moved s/to s/emptied
	touch s/emptied/f s/from/stays
	snapshot a
	sleep 0.02
	mv s/from/moved s/to/moved
	mv s/emptied/f s/to/f
	touch -d 2001-02-03 s/emptied s/from s/to
	snapshot b
	check_pair
}

@test "directories: names up to 4095 bytes deep, changed at the bottom" {
	begin
	ops <<-'END'
	fd = os.open(".", os.O_RDONLY)
	for i in range(16):
	    os.mkdir("d" * 240, dir_fd=fd)
	    fd = os.open("d" * 240, os.O_RDONLY, dir_fd=fd)
	# 16 * 241 and 239 more: the longest path that can be sent.
	os.close(os.open("f" * 239, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=fd))
	os.mkdir("e", dir_fd=fd)
	END
	snapshot a
	ops <<-'END'
	fd = os.open(".", os.O_RDONLY)
	for i in range(16):
	    fd = os.open("d" * 240, os.O_RDONLY, dir_fd=fd)
	os.rename("f" * 239, "g" * 239, src_dir_fd=fd, dst_dir_fd=fd)
	os.rename("e", "h" * 238, src_dir_fd=fd, dst_dir_fd=fd)
	END
	snapshot b
	check_streams a b
	check_streams a b --proto 2
	assert [ "$(commands | grep -c RENAME)" -eq 1 ]
}

@test "directories: a path too long in the new snapshot fails as native does" {
	begin
	mkdir s/top
	ops <<-'END'
	fd = os.open(".", os.O_RDONLY)
	for i in range(16):
	    os.mkdir("d" * 240, dir_fd=fd)
	    fd = os.open("d" * 240, os.O_RDONLY, dir_fd=fd)
	os.mkdir("e" * 239, dir_fd=fd)
	END
	snapshot a
	mv s/d* s/top/
	ops <<-'END'
	fd = os.open("top", os.O_RDONLY)
	for i in range(16):
	    fd = os.open("d" * 240, os.O_RDONLY, dir_fd=fd)
	os.chmod("e" * 239, 0o700, dir_fd=fd)
	END
	snapshot b
	run ! native_send "$FIX/native" -p a b
	run send_direct "$FIX/direct" -p a b
	assert_failure 1
	assert_output --partial "path is longer than 4095 bytes"
	# btrfs send may lose the end of the kernel's output when it fails.
	assert cmp -n "$(file_size "$FIX/native")" "$FIX/direct" "$FIX/native"
	run send_direct "$FIX/steps" --step -p a b
	assert_failure 1
	assert cmp "$FIX/steps" "$FIX/direct"
}

@test "directories: nested subvolumes are created and deleted" {
	begin
	mkdir s/d s/e
	btrfs -q subvolume create s/d/nested
	btrfs -q subvolume create s/gone
	touch s/d/nested/f s/e/f
	snapshot a
	btrfs -q subvolume delete s/gone >/dev/null
	btrfs -q subvolume create s/e/new
	mv s/d s/e/d
	snapshot b
	check_streams a b
	check_streams a b --proto 2
	receive_all a b
}

@test "directories: a nested subvolume's name is taken by a directory, and vice versa" {
	begin
	btrfs -q subvolume create s/one
	mkdir s/two s/three
	touch s/two/f
	snapshot a
	btrfs -q subvolume delete s/one >/dev/null
	mv s/three s/one
	rm -r s/two
	btrfs -q subvolume create s/two
	snapshot b
	check_streams a b
	check_streams a b --proto 2
	receive_all a b
}

@test "directories: a new tree whose directories are newer than their entries" {
	begin
	mkdir s/keep
	snapshot a
	echo x >s/f
	mkdir s/c
	touch s/c/g
	mkdir s/b
	mv s/c s/b/c
	mkdir s/a
	mv s/b s/a/b
	mv s/f s/a/b/c/f
	mv s/a s/keep/a
	snapshot b
	check_pair
	check_pair b a
}

@test "directories: over two snapshots, forwards and backwards" {
	begin
	mkdir -p s/a1/b1 s/c1
	snapshot a
	mv s/a1/b1 s/c1/b1
	mv s/a1 s/c1/b1/a1
	snapshot b
	mv s/c1/b1 s/b2
	mv s/c1 s/b2/a1/c1
	mkdir s/c1
	snapshot c
	check_pair a c
	check_pair c a
	check_pair b c
	check_pair c b
}

@test "directories: images give the same streams" {
	run images_agree
	assert_success
	assert_output --partial "streams"
}
