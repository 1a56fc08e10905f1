#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# --on-data-error: contents that cannot be read are replaced and marked, all else is right.

load ../lib/suite

setup()
{
	require_mount
	require_program btrfs-map-logical
	cd "$BATS_TEST_TMPDIR" || return 1
	fixture_begin
	MOUNT_OPTIONS=
}

teardown()
{
	fixture_end
}

rot()
{
	python3 "$ROOT/test/lib/rot.py" "$@"
}

# files: a subvolume s with files of every kind; `text` can be compressed.
files()
{
	btrfs -q subvolume create "$FIX_MOUNT/s"
	python3 - "$FIX_MOUNT/s" <<-'END'
	import os, random, sys
	r = random.Random(1)
	def write(name, data, at=0):
	    with open(os.path.join(sys.argv[1], name), "r+b" if at else "wb") as f:
	        f.seek(at)
	        f.write(data)
	write("noise", r.randbytes(400000))
	write("text", b"".join(b"%d " % r.getrandbits(16) for i in range(70000)))
	write("sparse", r.randbytes(8192))
	write("sparse", r.randbytes(8192), 100000)
	write("inline", b"little")
	fd = os.open(os.path.join(sys.argv[1], "prealloc"), os.O_RDWR | os.O_CREAT, 0o644)
	os.posix_fallocate(fd, 0, 262144)
	os.pwrite(fd, r.randbytes(16384), 65536)
	END
	sync -f "$FIX_MOUNT"
	cp --reflink=always "$FIX_MOUNT/s/noise" "$FIX_MOUNT/s/shared"
}

# rot_at FILE:OFFSET...: damages these places of the snapshot, all copies. ./ref is as it was before
# that; ./hits has what is damaged.
rot_at()
{
	local addresses

	rm -rf ref
	cp -a "$FIX_MOUNT/snap" ref
	addresses=$(rot where "$FIX_MOUNT/snap" "$@")
	# shellcheck disable=SC2086
	rot hits "$FIX_MOUNT/snap" $addresses >hits
	assert [ -s hits ]
	fixture_umount
	# shellcheck disable=SC2086
	rot damage "$FIX/disk0.img" $addresses
	fixture_mount "$MOUNT_OPTIONS"
}

# ref_replaced: ./expected, ./ref as a receiver of a full stream has it.
ref_replaced()
{
	local path range

	rm -rf expected
	cp -a ref expected
	while read -r path range; do
		rot expect "expected/$path" "$range"
	done <hits
}

# check_marks STREAM HOW: exactly the ranges that were damaged are marked, as verify and dump say, too.
check_marks()
{
	local stream=$1 how=$2 by="they are zeros"

	[ "$how" = zero ] || by="they were not sent"
	rot merged "$stream" >merged
	awk -v how="$how" '{ split($2, r, ":"); print $1, r[1], r[2], how }' hits >wanted
	assert diff wanted merged
	run --separate-stderr "$SENDCP" verify "$stream"
	assert_failure 3
	assert_equal "$(wc -l <<<"$output")" "$(wc -l <hits)"
	while read -r path range; do
		assert_line "$stream: snap/$path: ${range#*:} bytes at offset ${range%:*} could not be read: $by"
	done <hits
	# shellcheck disable=SC2154
	[[ $stderr == *"not all data: "*" is right" ]] || fail "$stderr"
	refute_line --partial complete
	run "$SENDCP" dump "$stream"
	assert_success
	assert_equal "$(grep -c " unreadable: " <<<"$output")" "$(rot marks "$stream" | wc -l)"
}

# check_received STREAM: what btrfs receive makes of it is ./expected.
check_received()
{
	mkdir -p "$FIX_MOUNT/r"
	btrfs -q receive -f "$1" "$FIX_MOUNT/r"
	assert diff -r expected "$FIX_MOUNT/r/snap"
	assert_equal "$(getfattr -d -m - -R "$FIX_MOUNT/r/snap" 2>/dev/null)" ""
	btrfs -q subvolume delete "$FIX_MOUNT/r/snap"
}

# replaced OUT OPTION...: a send that ends with 3, and says so.
replaced()
{
	local out=$1

	shift
	run --separate-stderr "$SENDCP" send "$@" -f "$out"
	assert_failure 3
	# shellcheck disable=SC2154
	[[ ${stderr_lines[-1]} == "sendcp: not all data: "*" could not be read and are replaced; the rest: "* ]] ||
		fail "$stderr"
	assert_equal "$(grep -c " cannot be read: " <<<"$stderr")" "$(wc -l <hits)"
}

# check_all OPTION...: both protocols (or those options), both ways, both backends, step by step.
check_all()
{
	local how protocol name

	for how in zero skip; do
		ref_replaced
		for protocol in ${PROTOCOLS:-1 2}; do
			name=$how.$protocol
			replaced direct.$name --backend direct --proto "$protocol" "$@" \
				--on-data-error=$how "$FIX_MOUNT/snap"
			check_marks direct.$name $how
			check_received direct.$name
		done
	done
	fixture_umount
	for how in zero skip; do
		for protocol in ${PROTOCOLS:-1 2}; do
			name=$how.$protocol
			replaced image --device "$FIX/disk0.img" --proto "$protocol" "$@" \
				--on-data-error=$how "snap"
			assert cmp image direct.$name
			[[ $name == @(zero.1|skip.2) ]] || continue
			run -3 "$SENDCP" send -q --step --buffer-size 144K --device "$FIX/disk0.img" \
				--proto "$protocol" "$@" --on-data-error=$how -f stepped "snap"
			assert cmp stepped direct.$name
		done
	done
	fixture_mount "$MOUNT_OPTIONS"
}

# One sector, neighbours, the edge of a WRITE, a whole WRITE, the last sector, and one within a clone.
PLACES="noise:8192 noise:12288 noise:49152 noise:397312 prealloc:65536 sparse:4096 sparse:100000"

@test "data error: sectors, shared ones too" {
	fixture_mkfs 1 256M -d single
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	# shellcheck disable=SC2086
	rot_at $PLACES $(seq -f noise:%g 131072 4096 258048)
	assert grep "^shared 8192:8192$" hits
	assert grep "^noise 397312:2688$" hits
	check_all
}

@test "data error: two copies of each, both damaged" {
	fixture_mkfs 1 256M -d dup
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	# shellcheck disable=SC2086
	rot_at $PLACES
	check_all
}

# compressed KIND
compressed()
{
	MOUNT_OPTIONS=compress-force=$1
	fixture_mkfs 1 256M -d single
	fixture_mount "$MOUNT_OPTIONS"
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	rot_at text:4096 text:270336 noise:0
	assert grep "^text 0:131072$" hits
	check_all
}

@test "data error: extents compressed with zlib" { compressed zlib; }
@test "data error: extents compressed with lzo" { compressed lzo; }
@test "data error: extents compressed with zstd" { compressed zstd; }

@test "data error: --compressed-data" {
	MOUNT_OPTIONS=compress-force=zstd
	fixture_mkfs 1 256M -d single
	fixture_mount "$MOUNT_OPTIONS"
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	rot_at text:135168 text:399360
	PROTOCOLS=2
	check_all --compressed-data
	run "$SENDCP" dump direct.zero.2
	assert_line --regexp "^encoded_write +./snap/text "
}

@test "data error: without damage nothing is different" {
	local how protocol

	fixture_mkfs 1 256M
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	for protocol in 1 2; do
		send_direct fail --proto $protocol "$FIX_MOUNT/snap"
		for how in fail zero skip; do
			send_direct other --proto $protocol --on-data-error=$how "$FIX_MOUNT/snap"
			assert cmp fail other
		done
	done
	run grep -c sendcp.data_error fail
	assert_output 0
}

@test "data error: in an incremental send, skip leaves the parent's contents" {
	local protocol

	fixture_mkfs 1 256M -d single
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/a"
	python3 - "$FIX_MOUNT/s" <<-'END'
	import os, random, sys
	r = random.Random(2)
	with open(os.path.join(sys.argv[1], "noise"), "r+b") as f:
	    f.write(r.randbytes(65536))
	with open(os.path.join(sys.argv[1], "text"), "ab") as f:
	    f.write(r.randbytes(100000))
	END
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	mkdir "$FIX_MOUNT/r"
	btrfs send -q "$FIX_MOUNT/a" | btrfs -q receive "$FIX_MOUNT/r"
	rot_at noise:4096 noise:61440 "text:$(($(file_size "$FIX_MOUNT/s/text") - 1))"
	for protocol in 1 2; do
		replaced zero --backend direct --proto $protocol -p "$FIX_MOUNT/a" \
			--on-data-error=zero "$FIX_MOUNT/snap"
		check_marks zero zero
		ref_replaced
		check_received zero
		replaced skip --backend direct --proto $protocol -p "$FIX_MOUNT/a" \
			--on-data-error=skip "$FIX_MOUNT/snap"
		check_marks skip skip
		# The end of text is new: a hole. The beginning of noise was there.
		python3 - <<-END
		with open("expected/noise", "r+b") as f, open("$FIX_MOUNT/a/noise", "rb") as old:
		    for at in 4096, 61440:
		        old.seek(at)
		        f.seek(at)
		        f.write(old.read(4096))
		END
		check_received skip
	done
}

# interrupted_at N OUT OPTION...: a send into a file, of which a crash left N bytes.
interrupted_at()
{
	local size=$1 out=$2

	shift 2
	cp "$out.cp.all" "$out.cp"
	head -c "$size" "$out.all" >"$out"
}

@test "data error: truncated anywhere and resumed, every range is listed" {
	local how n size

	fixture_mkfs 1 256M -d single
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	# shellcheck disable=SC2086
	rot_at $PLACES
	fixture_umount
	for how in zero skip; do
		run -3 "$SENDCP" send -q --buffer-size 144K --checkpoint-interval 300K \
			--device "$FIX/disk0.img" --on-data-error=$how --checkpoint out.cp -f out snap
		mv out out.all
		mv out.cp out.cp.all
		size=$(file_size out.all)
		for n in $(seq 1 8); do
			interrupted_at "$(pick "$size" "$how$n")" out
			run --separate-stderr "$SENDCP" resume --checkpoint out.cp
			assert_failure 3
			assert cmp out out.all
			assert_equal "$(grep -c " cannot be read: " <<<"$stderr")" "$(wc -l <hits)"
			[[ ${stderr_lines[-1]} == "sendcp: not all data: "* ]] || fail "$stderr"
			assert_equal "$("$SENDCP" show out.cp | grep -c "^replaced: ")" "$(wc -l <hits)"
		done
		# Nothing is left to send: still 3.
		run --separate-stderr "$SENDCP" resume --checkpoint out.cp
		assert_failure 3
		assert_equal "$(grep -c " cannot be read: " <<<"$stderr")" "$(wc -l <hits)"
		[[ ${stderr_lines[-1]} == "sendcp: not all data: "* ]] || fail "$stderr"
		rm out out.cp
	done
}

@test "data error: a pipe that breaks, and the command of the last line" {
	local how n size

	fixture_mkfs 1 256M -d single
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	# shellcheck disable=SC2086
	rot_at $PLACES
	fixture_umount
	for how in zero skip; do
		run -3 "$SENDCP" send -q --device "$FIX/disk0.img" --on-data-error=$how -f all snap
		size=$(file_size all)
		for n in $(seq 1 5); do
			rm -f part part.cp cp
			n=$(pick $((size - 200000)) "$how$n")
			"$SENDCP" send --buffer-size 144K --device "$FIX/disk0.img" --checkpoint cp \
				--on-data-error=$how snap 2>err | head -c "$n" >part || true
			run -3 "$SENDCP" resume --checkpoint cp --append part
			assert cmp part all
			# Without the checkpoint file: by what the stream shows, and by what is asked for.
			head -c "$n" all >part
			run -3 "$SENDCP" resume --device "$FIX/disk0.img" --append part \
				--on-data-error=$how snap
			assert cmp part all
			rm -f part.cp
		done
		head -c $((size - 1000)) all >part
		run -3 "$SENDCP" resume --device "$FIX/disk0.img" --append part snap
		assert cmp part all
		rm -f part.cp
	done
}

@test "data error: the same command again, and --continue" {
	local how

	fixture_mkfs 1 256M -d single
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	# shellcheck disable=SC2086
	rot_at $PLACES
	for how in zero skip; do
		rm -f out
		replaced out --on-data-error=$how "$FIX_MOUNT/snap"
		assert [ ! -e out.cp ]
		cp out all
		replaced out --on-data-error=$how "$FIX_MOUNT/snap"
		assert cmp out all
		run -3 "$SENDCP" send --continue --on-data-error=$how -f out "$FIX_MOUNT/snap"
		assert cmp out all
		head -c 500000 all >out
		run -3 "$SENDCP" send --on-data-error=$how -f out "$FIX_MOUNT/snap"
		assert cmp out all
		run "$SENDCP" send --continue -f out "$FIX_MOUNT/snap"
		assert_failure 1
		assert_output --partial "--on-data-error=$how"
		assert cmp out all
		rm -f out
		run -3 "$SENDCP" send -q --checkpoint cp --on-data-error=$how -f out "$FIX_MOUNT/snap"
		run -3 "$SENDCP" send --continue --checkpoint cp --on-data-error=$how -f out "$FIX_MOUNT/snap"
		assert cmp out all
		rm -f out cp
	done
}

@test "data error: in zstd and in archives" {
	local kind

	fixture_mkfs 1 256M -d single
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	# shellcheck disable=SC2086
	rot_at $PLACES
	run -3 "$SENDCP" send -q --on-data-error=zero -f plain "$FIX_MOUNT/snap"
	for kind in --compress --archive --archive=cpio "--archive --compress"; do
		rm -f out out.cp
		# shellcheck disable=SC2086
		replaced out $kind --checkpoint out.cp --checkpoint-interval 300K --buffer-size 144K \
			--on-data-error=zero "$FIX_MOUNT/snap"
		run --separate-stderr "$SENDCP" verify out
		assert_failure 3
		assert_equal "$(wc -l <<<"$output")" "$(wc -l <hits)"
		"$SENDCP" cat out >unpacked
		assert cmp unpacked plain
		cp out all
		truncate -s $(($(file_size out) / 2)) out
		run --separate-stderr "$SENDCP" resume --checkpoint out.cp
		assert_failure 3
		assert_equal "$(grep -c " cannot be read: " <<<"$stderr")" "$(wc -l <hits)"
		"$SENDCP" cat out >unpacked
		assert cmp unpacked plain
		# The archive alone.
		rm out.cp
		head -c $(($(file_size all) / 2)) all >out
		run -3 "$SENDCP" resume --append out --on-data-error=zero "$FIX_MOUNT/snap"
		"$SENDCP" cat out >unpacked
		assert cmp unpacked plain
		rm -f out.cp
	done
}

@test "data error: several subvolumes, and a command as the output" {
	fixture_mkfs 1 256M -d single
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/other"
	rot_at sparse:4096
	run --separate-stderr "$SENDCP" send --on-data-error=skip --checkpoint cp -f out \
		"$FIX_MOUNT/snap" "$FIX_MOUNT/other"
	assert_failure 3
	[[ $stderr == *"$FIX_MOUNT/snap/sparse: 4096 bytes at offset 4096 "*"$FIX_MOUNT/other/sparse: 4096 "* ]] ||
		fail "$stderr"
	run --separate-stderr "$SENDCP" verify out
	assert_failure 3
	assert_output "out: snap/sparse: 4096 bytes at offset 4096 could not be read: they were not sent
out: other/sparse: 4096 bytes at offset 4096 could not be read: they were not sent"
	run --separate-stderr "$SENDCP" verify --json out
	assert_failure 3
	python3 - "$output" <<-'END'
	import json, sys
	r = json.loads(sys.argv[1])
	assert r["complete"] and r["fault"] is None
	assert [(x["subvolume"], x["path"], x["offset"], x["length"], x["by"])
	        for x in r["replaced"]["ranges"]] == [(i, "sparse", 4096, 4096, "nothing") for i in (0, 1)]
	assert r["replaced"]["bytes"] == 8192 and r["replaced"]["more_ranges"] == 0
	END
	run --separate-stderr "$SENDCP" show --json cp
	assert_success
	python3 -c 'import json, sys
r = json.loads(sys.argv[1])
assert r["on_data_error"] == "skip" and len(r["replaced"]["ranges"]) == 2, r' "$output"
	run --separate-stderr "$SENDCP" send --on-data-error=skip --to-command "cat >piped" --checkpoint cp2 \
		"$FIX_MOUNT/snap"
	assert_failure 3
	run --separate-stderr "$SENDCP" verify -q piped
	assert_failure 3
	assert_output ""
	[[ $stderr == *"not all data: 4096 bytes in 1 range "* ]] || fail "$stderr"
	run --separate-stderr "$SENDCP" send --progress=json --on-data-error=skip -f out2 "$FIX_MOUNT/snap"
	assert_failure 3
	python3 -c 'import json, sys
r = json.loads(sys.argv[1])
assert r["result"] == "replaced" and r["replaced_ranges"] == 1 and r["replaced_bytes"] == 4096, r
assert r["exit_status"] == 3 and r["resume"] is None, r' "${stderr_lines[-1]}"
}

@test "data error: more ranges than are listed" {
	fixture_mkfs 1 256M -d single
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	# Both of noise and shared.
	# shellcheck disable=SC2046
	rot_at $(seq -f noise:%g 0 8192 397312) text:0 sparse:0 sparse:100000 prealloc:65536
	assert_equal "$(wc -l <hits)" 102
	fixture_umount
	run --separate-stderr "$SENDCP" send --device "$FIX/disk0.img" --on-data-error=zero -f out snap
	assert_failure 3
	assert_equal "$(grep -c " cannot be read: " <<<"$stderr")" 100
	assert_equal "$(grep "more ranges" <<<"$stderr")" "sendcp: and 2 more ranges; all: sendcp verify out"
	run --separate-stderr "$SENDCP" send --device "$FIX/disk0.img" --on-data-error=zero \
		--checkpoint out.cp -f out snap
	assert_failure 3
	[[ $stderr == *"and 2 more ranges; all: sendcp verify out; sendcp show out.cp"* ]] || fail "$stderr"
	[[ ${stderr_lines[-1]} == "sendcp: not all data: "*" in 102 ranges of files "*"; checkpoint file "*"/out.cp kept" ]] ||
		fail "$stderr"
	assert_equal "$("$SENDCP" show out.cp | grep -c "^replaced: ")" 102
	run --separate-stderr "$SENDCP" verify out
	assert_failure 3
	assert_equal "$(wc -l <<<"$output")" 102
	run --separate-stderr "$SENDCP" verify --checkpoint out.cp out
	assert_failure 3
	[[ $stderr == *"matches the checkpoint file) is right" ]] || fail "$stderr"
}

@test "data error: what may pass, and metadata, are no data errors" {
	require_strace
	fixture_mkfs 1 256M -d single
	fixture_mount
	files
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	send_direct whole "$FIX_MOUNT/snap"
	# The kernel says EIO of contents that are right on the disk.
	run strace -f -o calls -P "$FIX_MOUNT/snap/text" -e trace=pread64 -e inject=pread64:error=EIO \
		"$SENDCP" send -q --backend direct --on-data-error=zero -f out "$FIX_MOUNT/snap"
	assert_failure 75
	assert_line --partial "file data cannot be read"
	"$SENDCP" resume -q --checkpoint out.cp
	assert cmp out whole
}

@test "data error: usage" {
	run "$SENDCP" send --on-data-error=maybe snap
	assert_failure 2
	assert_line --partial "--on-data-error: invalid value: maybe (possible: fail, zero or skip)"
	run "$SENDCP" resume --checkpoint x.cp --on-data-error=zero
	assert_failure 2
}
