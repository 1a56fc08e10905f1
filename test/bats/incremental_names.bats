#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Incremental sends of names of files: links, overwritten names, orphans, extended references.

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

@test "names: no change" {
	begin
	mkdir -p s/d/e
	echo x >s/d/e/f
	snapshot a b
	check_pair
	assert [ "$(commands | wc -l)" -le 4 ]
}

@test "names: a snapshot as its own parent" {
	begin
	mkdir s/d
	echo x >s/d/f
	snapshot a
	check_streams a a
	check_streams a a --proto 2
}

@test "names: a file renamed, one renamed into another directory, one removed" {
	begin
	mkdir s/d s/e
	touch s/one s/d/two s/e/three
	snapshot a
	mv s/one s/uno
	mv s/d/two s/e/due
	rm s/e/three
	snapshot b
	check_pair
}

@test "names: two files exchange names" {
	begin
	echo 1 >s/one
	echo 2 >s/two
	snapshot a
	exchange one two
	snapshot b
	check_pair
}

@test "names: two files in two directories exchange names" {
	begin
	mkdir s/d s/e
	echo 1 >s/d/one
	echo 2 >s/e/two
	snapshot a
	exchange d/one e/two
	snapshot b
	orphans_touch_the_root
	check_pair
}

@test "names: three files rotate names, upwards and downwards" {
	begin
	for name in u v w x y z; do
		echo $name >s/$name
	done
	snapshot a
	mv s/u s/t && mv s/v s/u && mv s/w s/v && mv s/t s/w
	mv s/z s/t && mv s/y s/z && mv s/x s/y && mv s/t s/x
	snapshot b
	check_pair
}

@test "names: a new file takes the name of a removed one" {
	begin
	echo old >s/f
	touch s/other
	snapshot a
	rm s/f
	echo new >s/f
	snapshot b
	check_pair
}

@test "names: an older file takes the name of a newer one, which is moved" {
	begin
	mkdir s/d
	echo 1 >s/one
	echo 2 >s/two
	snapshot a
	mv s/two s/d/two
	mv s/one s/two
	snapshot b
	check_pair
}

@test "names: a second name is taken by a new file and the first stays" {
	begin
	echo x >s/f
	ln s/f s/g
	snapshot a
	rm s/g
	echo y >s/g
	snapshot b
	check_pair
}

@test "names: the first name is taken by an older file and the second stays" {
	begin
	echo older >s/older
	echo x >s/f
	ln s/f s/g
	snapshot a
	mv -f s/older s/f
	snapshot b
	check_pair
}

@test "names: links made and removed, the first name among them" {
	begin
	mkdir s/d s/e
	echo x >s/d/f
	ln s/d/f s/d/g
	ln s/d/f s/e/h
	snapshot a
	rm s/d/f
	ln s/e/h s/i
	mv s/d/g s/e/g
	snapshot b
	check_pair
}

@test "names: linked files in a directory that is renamed too" {
	begin
	mkdir s/d
	echo x >s/d/f
	ln s/d/f s/d/g
	echo y >s/low
	snapshot a
	mv s/d s/e
	ln s/e/f s/e/h
	rm s/e/g
	ln s/low s/e/g
	snapshot b
	check_pair
}

@test "names: the cached path stays valid although the first name is another" {
	begin
	mkdir s/c s/d
	echo x >s/d/f
	snapshot a
	ln s/d/f s/c/g
	chmod 600 s/d/f
	snapshot b
	check_pair
}

@test "names: the cached path is dropped with a name that begins with it" {
	begin
	mkdir s/c s/d
	echo x >s/d/f
	ln s/d/f s/d/foo
	snapshot a
	ln s/d/f s/c/g
	rm s/d/foo
	chmod 600 s/d/f
	snapshot b
	check_pair
}

@test "names: more names than fit one item, some removed, some new" {
	begin
	mkdir s/d s/e
	echo x >s/d/f
	for i in $(seq 60); do
		ln s/d/f "s/d/$(printf '%0100d' "$i")"
	done
	snapshot a
	for i in $(seq 40 50); do
		rm "s/d/$(printf '%0100d' "$i")"
	done
	for i in $(seq 70 80); do
		ln s/d/f "s/d/$(printf '%0100d' "$i")"
	done
	ln s/d/f s/e/last
	snapshot b
	check_pair
}

@test "names: a name moves from an extended reference to a plain one" {
	begin
	mkdir s/d
	echo x >s/d/f
	for i in $(seq 50); do
		ln s/d/f "s/d/$(printf '%0200d' "$i")"
	done
	snapshot a
	# This frees space in the plain item, to which the last name, removed and linked again,
	# moves.
	rm "s/d/$(printf '%0200d' 3)" "s/d/$(printf '%0200d' 4)" "s/d/$(printf '%0200d' 50)"
	ln s/d/f "s/d/$(printf '%0200d' 50)"
	snapshot b
	check_pair
	assert [ "$(commands | grep -c 'LINK')" -ge 2 ]
}

@test "names: a name moves from a plain reference to an extended one" {
	begin
	mkdir s/d
	echo x >s/d/f
	for i in $(seq 50); do
		ln s/d/f "s/d/$(printf '%0200d' "$i")"
	done
	snapshot a
	rm "s/d/$(printf '%0200d' 3)"
	ln s/d/f "s/d/$(printf '%0200d' 60)"
	ln s/d/f "s/d/$(printf '%0200d' 3)"
	snapshot b
	check_pair
}

@test "names: all extended references are removed, then added" {
	begin
	mkdir s/d
	echo x >s/d/f
	for i in $(seq 40); do
		ln s/d/f "s/d/$(printf '%0200d' "$i")"
	done
	snapshot a
	rm s/d/0*
	snapshot b
	check_pair
	check_pair b a
}

@test "names: extended references, one of them overwritten by an older file" {
	begin
	mkdir s/d
	echo older >s/older
	echo x >s/d/f
	for i in $(seq 40); do
		ln s/d/f "s/d/$(printf '%0200d' "$i")"
	done
	snapshot a
	mv -f s/older "s/d/$(printf '%0200d' 35)"
	mv -f "s/d/$(printf '%0200d' 2)" s/d/f2
	snapshot b
	check_pair
}

@test "names: a hundred names of one file change at once" {
	begin
	mkdir s/d s/e
	echo x >s/d/f
	for i in $(seq 60); do
		ln s/d/f "s/d/name$i"
	done
	snapshot a
	rm s/d/name*[13579]
	for i in $(seq 60); do
		ln s/d/f "s/e/other$i"
	done
	snapshot b
	check_pair
}

@test "names: a file's names are removed from more directories than times are delayed for" {
	begin
	for i in $(seq 70); do
		mkdir s/d"$i"
	done
	echo x >s/f
	echo y >s/g
	for i in $(seq 70); do
		ln s/f s/d"$i"/f
		ln s/g s/d"$i"/g
	done
	snapshot a
	rm s/f s/d*/f s/d*/g
	# The remaining one has an xattr item after its names.
	setfattr -n user.a -v 1 s/g
	snapshot b
	check_pair
}

# More commands than the engine queues before delivery.
@test "names: a file with more than a thousand names in many directories is removed" {
	begin
	for i in $(seq 80); do
		mkdir s/d"$i"
	done
	echo x >s/f
	ops <<-'END'
	for i in range(1060):
	    os.link("f", f"d{i % 80 + 1}/f{i}")
	END
	snapshot a
	rm s/f s/d*/f*
	snapshot b
	# shellcheck disable=SC2034 # Read by incremental.bash.
	NO_STEPS=1
	check_pair
	# Re-armed at every command only once, since a re-armed engine makes all earlier commands
	# again.
	send_direct "$FIX/steps" --proto 2 --step -p a b
	identical "$FIX/steps" "$STREAM"
	check_pair b a
}

@test "names: nine names of one file move to a directory renamed and orphanised" {
	begin
	echo x >s/low
	mkdir s/d s/e
	for i in $(seq 9); do
		ln s/low s/d/n"$i"
	done
	snapshot a
	exchange d e
	for i in $(seq 9); do
		mv s/e/n"$i" s/d/m"$i"
	done
	snapshot b
	check_pair
}

@test "names: links follow directories that exchange names" {
	begin
	mkdir s/d s/e
	echo 1 >s/d/f
	echo 2 >s/e/f
	ln s/d/f s/e/l
	ln s/e/f s/d/l
	snapshot a
	exchange d e
	exchange d/f e/f
	snapshot b
	check_pair
}

@test "names: a file takes a directory's name and the directory takes a file's" {
	begin
	echo x >s/one
	mkdir s/two
	echo y >s/two/in
	snapshot a
	exchange one two
	snapshot b
	check_pair
}

@test "names: a link takes the name of a directory that is moved below another" {
	begin
	echo x >s/f
	mkdir -p s/d/in s/e
	snapshot a
	mv s/d s/e/d
	ln s/f s/d
	snapshot b
	check_pair
}

@test "names: a file's name becomes a directory that contains the file" {
	begin
	echo x >s/f
	snapshot a
	mv s/f s/g
	mkdir s/f
	mv s/g s/f/f
	snapshot b
	check_pair
}

@test "names: of 255 bytes, renamed and exchanged" {
	begin
	long=$(printf 'n%.0s' $(seq 254))
	mkdir "s/${long}d" "s/${long}e"
	echo 1 >"s/${long}d/${long}1"
	echo 2 >"s/${long}e/${long}2"
	snapshot a
	exchange "${long}d" "${long}e"
	exchange "${long}d/${long}2" "${long}e/${long}1"
	ln "s/${long}d/${long}2" "s/${long}3"
	snapshot b
	check_pair
}

# The two names have one hash, and so share an item of the directory.
@test "names: colliding ones, taken, exchanged and removed" {
	local one=fc8be9tfj two=v52kkba36

	begin
	mkdir s/d s/e s/f
	for dir in d e f; do
		echo 1 >s/$dir/$one
		echo 2 >s/$dir/$two
	done
	snapshot a
	exchange d/$one d/$two
	rm s/e/$one
	mv -f s/f/$two s/f/$one
	echo new >s/f/$two
	snapshot b
	orphans_touch_the_root
	check_pair
	check_pair b a
}

@test "names: existing ones that look like orphan names are avoided" {
	begin
	generation=$(btrfs subvolume find-new s 999999999 | awk '{ print $NF }')
	touch s/f
	# Orphan names of the next inode, for the generations of the next transactions.
	next=$(($(stat -c %i s/f) + 10))
	for i in $(seq 0 8); do
		touch "s/o$next-$((generation + i))-0"
	done
	snapshot a
	mkdir s/d
	mv s/f s/d/f
	assert [ "$(stat -c %i s/d)" -eq "$next" ]
	snapshot b
	check_pair
	commands | grep "MKDIR.*o$next-[0-9]*-1"
}

@test "names: a symbolic link replaced by another, by a file, by a directory" {
	begin
	ln -s nowhere s/one
	ln -s nowhere s/two
	ln -s nowhere s/three
	snapshot a
	ln -sfn elsewhere s/one
	rm s/two s/three
	echo x >s/two
	mkdir s/three
	snapshot b
	check_pair
}

@test "names: special files made, moved and removed" {
	begin
	mkdir s/d
	mknod s/null c 1 3
	mkfifo s/fifo
	mknod s/gone b 7 300
	snapshot a
	mv s/null s/d/zero
	rm s/gone
	mknod s/gone c 250 70000
	mkfifo s/d/fifo
	exchange fifo d/fifo
	snapshot b
	check_pair
}

@test "names: back from the later snapshot to the earlier one" {
	begin
	mkdir s/d s/e
	echo x >s/d/f
	ln s/d/f s/e/g
	snapshot a
	mv s/d/f s/h
	rm s/e/g
	mv s/e s/d/e
	echo new >s/d/e/new
	snapshot b
	check_pair b a
}

@test "names: a parent that is unrelated to the snapshot" {
	begin
	mkdir -p s/d/e
	echo x >s/d/e/f
	echo y >s/g
	ln s/g s/d/h
	snapshot a
	btrfs -q subvolume delete s >/dev/null
	btrfs -q subvolume create s
	echo z >s/g
	mkdir -p s/e/d/g
	ln s/g s/e/d/f
	mkdir s/d
	echo w >s/d/h
	snapshot b
	check_pair
}

@test "names: images give the same streams" {
	run images_agree
	assert_success
	assert_output --partial "streams"
}
