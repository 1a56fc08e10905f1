#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The engine as a library: docs/examples/send-image.c, compiled against include/ and libsendcp.a
# alone, makes the same stream as sendcp. No root, no mount, no btrfs needed.

load ../lib/suite

EXAMPLE=$BUILD/examples/send-image

setup()
{
	require_program zstd
	cd "$BATS_TEST_TMPDIR" || return 1
	zstd -q -d --sparse -o image "$ROOT/test/images/small-nodes.0.img.zst"
}

@test "library: the example sends an image like sendcp" {
	"$SENDCP" send -q --proto 1 --device image s.ro >want
	assert_file_not_empty want
	"$EXAMPLE" image s.ro >stream
	assert cmp stream want
}

# Superblock at 64 KiB: CRC-32C at 0 over the bytes from 32 on, log_root at 96.
with_log()
{
	python3 - "$1" <<-'END'
	import sys
	image = open(sys.argv[1], "r+b")
	image.seek(65536)
	block = bytearray(image.read(4096))
	block[96:104] = (1 << 24).to_bytes(8, "little")
	crc = 0xffffffff
	for byte in block[32:]:
	    crc ^= byte
	    for _ in range(8):
	        crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
	block[:4] = (crc ^ 0xffffffff).to_bytes(4, "little")
	image.seek(65536)
	image.write(block)
	END
}

@test "library: a writable subvolume may lack what is in the log" {
	zstd -q -d --sparse -f -o image "$ROOT/test/images/plain.0.img.zst"
	"$EXAMPLE" image s >stream
	assert_file_not_empty stream
	with_log image
	run --separate-stderr "$EXAMPLE" image s
	assert_failure 1
	assert_equal "$output" ""
	assert_equal "$stderr" "send-image: its last writes are in the log alone: mount the image once"
	"$EXAMPLE" image s.ro >stream
	assert_file_not_empty stream
}

# A program of others may call its own functions as it likes.
@test "library: all its global names begin with sendcp_" {
	require_no_sanitizer
	run nm -g --defined-only "$BUILD/libsendcp.a"
	assert_success
	assert_line --regexp " T sendcp_engine_open$"
	refute_line --regexp " [A-Z] ([^s]|s[^e]|se[^n]|sen[^d]|send[^c]|sendc[^p]|sendcp[^_])"
}

@test "library: the example prints sendcp's error messages" {
	run --separate-stderr "$EXAMPLE" image nowhere
	assert_failure 1
	assert_equal "$output" ""
	assert_equal "$stderr" "send-image: nowhere: there is no \"nowhere\" (paths in an image begin \
at the top-level subvolume)"
	run --separate-stderr "$EXAMPLE" /nowhere s.ro
	assert_failure 1
	assert_equal "$stderr" "send-image: cannot open /nowhere: No such file or directory"
	truncate -s 1M empty
	run --separate-stderr "$EXAMPLE" empty s.ro
	assert_failure 1
	assert_regex "$stderr" "^send-image: empty: .*not a btrfs filesystem"
	run bash -c '"$1" image s.ro >/dev/full' - "$EXAMPLE"
	assert_failure 1
	assert_output "send-image: cannot write to stdout"
}
