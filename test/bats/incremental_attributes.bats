#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Incremental sends of owners, modes, times, flags and extended attributes, and of reused inode
# numbers.

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

# reused NAME NUMBER: NAME has the inode number.
reused()
{
	assert [ "$(stat -c %i "s/$1")" -eq "$2" ]
}

@test "attributes: only modes, only owners, only times" {
	begin
	mkdir s/d
	touch s/a s/b s/c s/d/e
	ln -s a s/l
	snapshot a
	chmod 4711 s/a
	chown 12:34 s/b
	touch -d 2001-02-03 s/c
	chmod 700 s/d
	chown -h 5:6 s/l
	snapshot b
	check_pair
	check_pair b a
}

@test "attributes: only those of the root directory" {
	begin
	touch s/f
	snapshot a
	chmod 1777 s
	chown 7:8 s
	setfattr -n user.root -v yes s
	setfacl -m u:9:rwx,d:u:9:r s
	touch -d 2001-02-03 s
	snapshot b
	check_pair
	check_pair b a
}

@test "attributes: only an access time" {
	begin
	echo x >s/f
	snapshot a
	touch -a -d 2002-02-02 s/f
	snapshot b
	check_pair
}

@test "attributes: extended attributes set, changed, emptied and removed" {
	begin
	mkdir s/d
	touch s/f
	for file in s/d s/f; do
		setfattr -n user.change -v old $file
		setfattr -n user.empty -v full $file
		setfattr -n user.gone -v here $file
		setfattr -n user.same -v same $file
		setfattr -n trusted.t -v 1 $file
	done
	snapshot a
	for file in s/d s/f; do
		setfattr -n user.change -v "newer and longer" $file
		setfattr -n user.empty $file
		setfattr -x user.gone $file
		setfattr -n user.new -v 1 $file
		setfattr -n trusted.t -v 2 $file
	done
	snapshot b
	check_pair
	check_pair b a
}

# The two names have one hash, and so share an item.
@test "attributes: with colliding names, one of each changed, added, removed" {
	begin
	touch s/a s/b s/c
	one=trusted.fc8be9tfj
	two=trusted.v52kkba36
	setfattr -n "$one" -v 1 s/a && setfattr -n "$two" -v 2 s/a
	setfattr -n "$one" -v 1 s/b
	setfattr -n "$one" -v 1 s/c && setfattr -n "$two" -v 2 s/c
	snapshot a
	setfattr -n "$two" -v changed s/a
	setfattr -n "$two" -v added s/b
	setfattr -x "$one" s/c
	snapshot b
	check_pair
	check_pair b a
}

@test "attributes: of the largest size, and many" {
	begin
	touch s/f
	snapshot a
	ops <<-'END'
	os.setxattr("f", "user." + "n" * 250, blob(100))
	os.setxattr("f", "user.long", blob(15000))
	for i in range(100):
	    os.setxattr("f", f"user.{i}", blob(i))
	END
	snapshot b
	ops <<-'END'
	for i in range(0, 100, 3):
	    os.removexattr("f", f"user.{i}")
	os.setxattr("f", "user.long", blob(15001))
	END
	snapshot c
	check_pair
	check_pair b c
	check_pair c a
}

@test "attributes: capabilities survive a change of owner and a write, and are removed" {
	begin
	for name in owner write gone new both; do
		echo x >s/$name
		[ $name = new ] || setcap cap_net_raw+ep s/$name
	done
	snapshot a
	chown 1:2 s/owner && setcap cap_net_raw+ep s/owner
	echo y >>s/write && setcap cap_net_raw+ep s/write
	setcap -r s/gone
	setcap cap_sys_admin,cap_chown+p s/new
	chown 3:4 s/both && setcap cap_kill+ep s/both
	snapshot b
	check_pair
	check_pair b a
}

@test "attributes: a file with capabilities is renamed, linked and truncated" {
	begin
	mkdir s/d
	ops <<<'write("f", 0, blob(20000))'
	touch s/g
	setcap cap_net_raw+ep s/f
	setcap cap_net_raw+ep s/g
	snapshot a
	mv s/f s/d/f
	ln s/g s/d/g
	truncate -s 10000 s/d/f
	setcap cap_net_raw+ep s/d/f
	snapshot b
	check_pair
}

@test "attributes: access lists added, changed, removed, and inherited ones" {
	begin
	mkdir s/d s/e
	touch s/f s/g s/h
	setfacl -m u:1:rw,g:2:r s/g s/h
	setfacl -d -m u:3:rwx s/e
	snapshot a
	setfacl -m u:1:rwx s/f
	setfacl -m u:1:r,u:4:rw s/g
	setfacl -b s/h
	setfacl -d -m g:5:rx s/d
	touch s/d/inherits s/e/inherits
	setfacl -k s/e
	snapshot b
	orphans_touch_the_root
	check_pair
	check_pair b a
}

@test "attributes: of symbolic links and special files" {
	begin
	ln -s x s/l
	mkfifo s/p
	mknod s/c c 1 3
	snapshot a
	setfattr -h -n trusted.l -v 1 s/l
	setfattr -n trusted.p -v 1 s/p
	chmod 600 s/p
	chown 1:2 s/c
	touch -h -d 2001-02-03 s/l
	snapshot b
	check_pair
	check_pair b a
}

@test "attributes: chattr flags, sent with protocol 2" {
	begin
	mkdir s/d
	touch s/f s/g s/h
	chattr +S s/h
	snapshot a
	chattr +C s/f
	chattr +Ac s/g
	chattr -S s/h
	chattr +C s/d
	touch s/d/new
	snapshot b
	orphans_touch_the_root
	check_pair
	assert [ "$(commands | grep -c FILEATTR)" -ge 4 ]
	check_pair b a
}

@test "attributes: of renamed directories that must wait" {
	begin
	mkdir s/low s/high s/x
	touch s/low/f
	snapshot a
	mv s/low s/high/low
	mv s/high s/x/high
	chmod 700 s/x/high/low
	chown 1:1 s/x/high/low
	setfattr -n user.a -v 1 s/x/high/low
	chmod 711 s/x/high
	snapshot b
	check_pair
	check_pair b a
}

@test "attributes: btrfs properties" {
	begin
	mkdir s/d
	touch s/f
	snapshot a
	btrfs property set s/f compression zlib
	btrfs property set s/d compression zstd
	snapshot b
	check_pair
	check_pair b a
}

@test "reused numbers: a file becomes another file, of the same name" {
	begin
	echo old >s/f
	number=$(stat -c %i s/f)
	setfattr -n user.a -v 1 s/f
	snapshot a
	rm s/f
	remount
	echo newer >s/f
	setfattr -n user.b -v 2 s/f
	reused f "$number"
	snapshot b
	check_pair
	check_pair b a
}

@test "reused numbers: a file becomes a directory, a directory a file" {
	begin
	echo x >s/keep
	mkdir s/d
	number=$(stat -c %i s/d)
	snapshot a
	rmdir s/d
	remount
	ops <<<'write("f", 0, blob(100 * K))'
	reused f "$number"
	snapshot b
	check_pair
	check_pair b a
}

@test "reused numbers: a file becomes a directory of the same name, with entries" {
	begin
	mkdir s/d
	touch s/x
	echo x >s/f
	number=$(stat -c %i s/f)
	ln s/f s/d/g
	snapshot a
	rm s/f s/d/g
	remount
	mkdir s/f
	reused f "$number"
	touch s/f/in
	mv s/d s/f/d
	mv s/x s/f/x
	snapshot b
	check_pair
	check_pair b a
}

@test "reused numbers: a whole tree is removed and another reuses its numbers" {
	begin
	mkdir s/keep
	mkdir -p s/t/u/v
	echo 1 >s/t/u/v/f
	echo 2 >s/t/g
	number=$(stat -c %i s/t)
	mv s/t/u s/keep/u
	snapshot a
	rm -r s/t s/keep/u
	remount
	echo 3 >s/first
	reused first "$number"
	mkdir -p s/x/y
	mv s/first s/x/y/f
	ln s/x/y/f s/x/g
	mkdir s/keep/u
	ln -s f s/keep/u/v
	snapshot b
	check_pair
	check_pair b a
}

@test "reused numbers: a directory that was not empty, its entries moved out and kept" {
	begin
	touch s/low
	mkdir s/d
	number=$(stat -c %i s/d)
	mv s/low s/d/low
	snapshot a
	mv s/d/low s/low
	rmdir s/d
	remount
	mkdir s/d
	reused d "$number"
	touch s/d/new
	mv s/low s/d/low
	snapshot b
	check_pair
	check_pair b a
}

@test "reused numbers: a link becomes a device, a device a pipe" {
	begin
	ln -s target s/one
	number=$(stat -c %i s/one)
	mknod s/two c 1 5
	snapshot a
	rm s/one s/two
	remount
	mknod s/one b 7 9
	mkfifo s/two
	reused one "$number"
	snapshot b
	check_pair
	check_pair b a
}

@test "reused numbers: a file with hundreds of names is replaced by one with many" {
	begin
	mkdir s/d
	echo x >s/f
	number=$(stat -c %i s/f)
	for i in $(seq 40); do
		ln s/f "s/d/old$i"
	done
	snapshot a
	rm s/f s/d/old*
	remount
	echo y >s/g
	reused g "$number"
	for i in $(seq 20 60); do
		ln s/g "s/d/old$i"
	done
	snapshot b
	check_pair
	check_pair b a
}

@test "reused numbers: contents, clones and holes under a reused number" {
	begin
	ops <<<'write("keep", 0, blob(128 * K)); write("f", 0, blob(128 * K, 2))'
	number=$(stat -c %i s/f)
	snapshot a
	rm s/f
	remount
	ops <<-'END'
	reflink("keep", 0, 64 * K, "f", 0)
	os.truncate("f", 100 * K)
	write("f", 200 * K, blob(5, 3))
	preallocate("f", 300 * K, 64 * K)
	END
	reused f "$number"
	setcap cap_net_raw+ep s/f
	setfattr -n user.a -v 1 s/f
	snapshot b
	check_pair
	check_pair b a
}

@test "attributes: images give the same streams" {
	run images_agree
	assert_success
	assert_output --partial "streams"
}
