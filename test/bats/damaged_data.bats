#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Damaged file contents, read by each backend: which failures are temporary, and which are
# permanent.

load ../lib/suite

setup()
{
	require_mount
	cd "$BATS_TEST_TMPDIR" || return 1
	fixture_begin
}

teardown()
{
	fixture_end
}

# damaged COPIES MKFS-OPTION...: a mounted image with a snapshot `snap` of a file, of whose middle
# that many copies are damaged.
damaged()
{
	local copies=$1

	shift
	fixture_mkfs 1 256M "$@"
	fixture_mount "$MOUNT_OPTIONS"
	btrfs -q subvolume create "$FIX_MOUNT/s"
	python3 -c '
import random, sys
r = random.Random(1)
data = bytearray(r.randbytes(6000000) if len(sys.argv) < 3 else
                 b"".join(b"%d " % r.getrandbits(20) for i in range(900000)))
data[3000000:3000020] = b"the bytes in question"[:20]
open(sys.argv[1], "wb").write(data)' "$FIX_MOUNT/s/file" ${MOUNT_OPTIONS:+text}
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/s" "$FIX_MOUNT/snap"
	send_direct whole "$FIX_MOUNT/snap"
	inode=$(stat -c %i "$FIX_MOUNT/snap/file")
	fixture_umount
	physical=$(python3 - "$FIX/disk0.img" <<-'END'
	import sys
	data = open(sys.argv[1], "rb").read()
	at = -1
	while (at := data.find(b"the bytes in question"[:20], at + 1)) >= 0:
	    print(at)
	END
	)
	# shellcheck disable=SC2086
	python3 - "$FIX/disk0.img" "$copies" $physical <<-'END'
	import os, sys
	fd = os.open(sys.argv[1], os.O_RDWR)
	for at in map(int, sys.argv[3:3 + int(sys.argv[2])]):
	    os.pwrite(fd, b"other", at)
	END
	fixture_mount "$MOUNT_OPTIONS"
}

# fails_alike: both backends fail permanently, with the same line but for the snapshot's name.
fails_alike()
{
	local direct

	run --separate-stderr "$SENDCP" send -q --backend direct -f direct "$FIX_MOUNT/snap"
	assert_failure 1
	# shellcheck disable=SC2154
	direct=${stderr%, after *}
	assert_equal "$direct" "sendcp: $FIX_MOUNT/snap: ${direct#*snap: }"
	fixture_umount
	run --separate-stderr "$SENDCP" send -q --device "$FIX/disk0.img" -f image snap
	assert_failure 1
	assert_equal "${stderr%, after *}" "sendcp: snap: ${direct#*snap: }"
	[[ $stderr == *"inode $inode offset "*": $1 (file), after $(file_size image) bytes in "* ]] || fail "$stderr"
	for file in direct image; do
		assert cmp -n "$(file_size $file)" $file whole
		assert [ "$(file_size $file)" -lt "$(file_size whole)" ]
	done
}

@test "damaged data: no good copy" {
	MOUNT_OPTIONS=
	damaged 1 -d single
	fails_alike "data checksum does not match and no copy is good"
}

@test "damaged data: both copies" {
	MOUNT_OPTIONS=
	damaged 2 -d dup
	fails_alike "data checksum does not match and no copy is good"
}

@test "damaged data: compressed" {
	MOUNT_OPTIONS=compress-force=lzo
	damaged 1 -d single
	fails_alike "data checksum does not match and no copy is good"
}

@test "damaged data: another copy is good" {
	MOUNT_OPTIONS=
	damaged 1 -d dup
	"$SENDCP" send -q --backend direct -f direct "$FIX_MOUNT/snap"
	assert cmp direct whole
	fixture_umount
	"$SENDCP" send -q --device "$FIX/disk0.img" -f image snap
	assert cmp image whole
}

# The same errno, but the data on disk is correct.
@test "damaged data: a failing device is a temporary failure" {
	require_strace
	MOUNT_OPTIONS=
	damaged 0 -d single
	run strace -f -o calls -e trace=pread64 -e inject=pread64:error=EIO:when=20+ \
		"$SENDCP" send -q --backend direct --buffer-size 1M -f out "$FIX_MOUNT/snap"
	assert_failure 75
	assert_line --partial "inode $inode offset "
	assert_line --partial "file data cannot be read"
	"$SENDCP" resume -q --checkpoint out.cp
	assert cmp out whole
	run strace -f -o calls -e trace=pread64 -e inject=pread64:error=EUCLEAN:when=20+ \
		"$SENDCP" send -q --backend direct --buffer-size 1M -f out "$FIX_MOUNT/snap"
	assert_failure 1
}

@test "damaged data: which write errors are temporary" {
	local err code

	require_strace
	MOUNT_OPTIONS=
	damaged 0 -d single
	while read -r err code; do
		rm -f out out.cp
		# First for the output, selected by its path; then for the sidecar.
		run strace -f -o calls -P "$PWD/out" -e trace=write -e "inject=write:error=$err:when=2+" \
			"$SENDCP" send -q --buffer-size 1M -f out "$FIX_MOUNT/snap"
		assert_failure "$code"
		assert_line --partial "cannot write to out: "
		rm -f out out.cp
		run strace -f -o calls -P "$PWD/out.cp" -e trace=pwrite64 \
			-e "inject=pwrite64:error=$err:when=2+" \
			"$SENDCP" send -q --buffer-size 1M -f out "$FIX_MOUNT/snap"
		assert_failure "$code"
		assert_line --partial "cannot write out.cp: "
		# In both cases nothing is lost.
		"$SENDCP" resume -q --checkpoint out.cp
		assert cmp out whole
	done <<-END
	ENOSPC 75
	EDQUOT 75
	EIO 75
	ENXIO 75
	EFBIG 75
	EROFS 1
	EACCES 1
	END
}
