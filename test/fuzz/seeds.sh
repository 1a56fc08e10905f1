#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Makes seeds for the fuzz targets from real files: seeds.sh DIRECTORY ; DIRECTORY/TARGET/... are made.
#
# The files are those that sendcp and zstd make of the committed image of the unit tests, the commands
# in the documents, and the superblocks of the committed images. Each has the few bytes before it
# that its target takes: see the head of the target's source. SENDCP is the program.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
out=$(realpath -m "$1")
SENDCP=$(realpath "${SENDCP:-build/sendcp}")
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
export SENDCP_STATE_DIR=$work/state

# seed TARGET NAME PREFIX: standard input after the bytes PREFIX, as printf takes them.
seed()
{
	mkdir -p "$out/$1"
	# shellcheck disable=SC2059
	{ printf "$3"; cat; } >"$out/$1/$2"
}

# le16 NUMBER: two bytes, as printf takes them.
le16()
{
	printf '\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8))
}

# stream NAME OPTIONS...: the stream $work/NAME with its checkpoint file.
stream()
{
	local name=$1

	shift
	"$SENDCP" send -q --device "$work/image" --checkpoint "$work/$name.cp" -f "$work/$name" \
		--checkpoint-interval 192K --buffer-size 192K "$@" snap
}

containers()
{
	local name

	stream plain
	stream frames --compress
	stream tar --archive
	stream cpio --archive=cpio
	stream tar-frames --archive --compress
	for name in plain frames tar cpio tar-frames; do
		seed fuzz_append "$name" "\\x00$(le16 "$(stat -c %s "$work/$name.cp")")" \
			< <(cat "$work/$name.cp" "$work/$name")
		seed fuzz_lines "journal-$name" '\x00\x05' <"$work/$name.cp"
		seed fuzz_lines "header-$name" '\x01\x05' < <(head -n 1 "$work/$name.cp")
		seed fuzz_lines "line-$name" '\x02\x05' < <(tail -n 1 "$work/$name.cp" | tr -d '\n')
		seed fuzz_sidecar "journal-$name" '' <"$work/$name.cp"
		seed fuzz_lines "position-$name" '\x03\x05' \
			< <("$SENDCP" verify -q --position "$work/$name" | tr -d '\n')
	done
	seed fuzz_archive tar '\x03\x00\x00' <"$work/tar"
	seed fuzz_archive cpio '\x02\x00\x00' <"$work/cpio"
	seed fuzz_archive tar-frames '\x0f\x00\x08' <"$work/tar"
	seed fuzz_frames sendcp '\x00\x00\x00' <"$work/frames"
	seed fuzz_frames part '\x01\xff\x03' <"$work/frames"
}

# Frames as zstd itself writes them.
foreign()
{
	local options

	for options in "" "--no-check" "--content-size" "--ultra -22" "--long=20" "--stream-size=8511"; do
		# shellcheck disable=SC2086
		zstd -qc $options <"$work/plain" | seed fuzz_frames "zstd${options// /}" '\x02\xe8\x03'
	done
	head -c 3000 "$work/plain" | zstd -qc | head -c 500 | seed fuzz_frames truncated '\x00\x00\x00'
}

options()
{
	local number=0 line words

	while read -r line; do
		number=$((number + 1))
		# Without "sendcp" and the command; a NUL between words.
		read -ra words <<<"$line"
		set -- "${words[@]}"
		case ${2:-} in
		send) seed fuzz_options "send-$number" '\x00\x00' < <(printf '%s\0' "${@:3}") ;;
		resume) seed fuzz_options "resume-$number" '\x00\x01' < <(printf '%s\0' "${@:3}") ;;
		verify) seed fuzz_options "verify-$number" '\x00\x05' < <(printf '%s\0' "${@:3}") ;;
		esac
	done < <(grep -hoE '^ {4}(sendcp (send|resume|verify) [^|&;<>]*)' "$root"/README.md "$root"/docs/*.md |
		sort -u)
	for line in 4M 64K 1g 0 99999999999999999999 7d 90s; do
		printf %s "$line" | seed fuzz_options "value-$line" '\x01\x00'
	done
	for line in plain "it's" 'a b' $'new\nline\n' $'\001-%' -n; do
		printf %s "$line" | seed fuzz_options "quote-$((++number))" '\x02\x00'
	done
}

# The chunks that superblocks have, with our devices' ids.
chunks()
{
	local image

	for image in "$root"/test/images/*.0.img.zst; do
		zstd -qdcf "$image" >"$work/super"
		python3 - "$work/super" <<-'END' | seed fuzz_chunks "$(basename "$image" .0.img.zst)" \
			'\x07\x00\x00\xff\x01\x00\x00\x00'
		import struct, sys
		with open(sys.argv[1], "rb") as f:
		    f.seek(65536)
		    super = f.read(4096)
		size, = struct.unpack_from("<I", super, 0xa0)
		at, end = 0x32b, 0x32b + size
		while at < end:
		    start, = struct.unpack_from("<Q", super, at + 9)
		    chunk = bytearray(super[at + 17:])
		    stripes, = struct.unpack_from("<H", chunk, 44)
		    for i in range(stripes):
		        devid = chunk[48 + 32 * i]
		        chunk[48 + 32 * i + 16:48 + 32 * i + 32] = bytes([devid]) * 16
		    length = 48 + 32 * stripes
		    sys.stdout.buffer.write(struct.pack("<QH", start, length) + chunk[:length])
		    at += 17 + length
		END
	done
}

extents()
{
	local how

	# Both ways of each compression: contents to be compressed, and what is stored.
	for how in 1 2 3; do
		head -c 9000 "$work/plain" | seed fuzz_extents "contents-$how" "\\x0$((how + 4))\\x00\\x00\\x00\\xb9\\x08"
	done
	head -c 9000 "$work/plain" | zstd -qc --no-check | seed fuzz_extents zstd '\x03\x00\x00\x00\xb9\x08'
}

zstd -qdf "$root/test/unit/images/moves.img.zst" -o "$work/image"
containers
foreign
options
chunks
extents
