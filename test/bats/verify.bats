#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# sendcp verify: complete streams in every wrapping, and the errors of all others.

load ../lib/suite
load ../lib/stored

setup_file()
{
	stored_make
}

setup()
{
	cd "$BATS_FILE_TMPDIR" || return 1
	OUT=$BATS_TEST_TMPDIR
}

make_stream()
{
	python3 "$BATS_TEST_DIRNAME/../lib/make_stream.py" "$@"
}

# refused TEXT: the file $OUT/f is refused with one line that contains TEXT.
refused()
{
	run --separate-stderr "$SENDCP" verify "$OUT/f"
	assert_equal "$status" 1
	assert_equal "$output" ""
	assert_equal "$(wc -l <<<"$stderr")" 1
	[[ $stderr == "sendcp: $OUT/f"*"$1"* ]] || fail "wanted: $1, got: $stderr"
}

@test "verify: complete streams in every wrapping, from files and pipes" {
	local kind name size

	size=$(file_size stream.plain)
	while read -r kind name; do
		run --separate-stderr "$SENDCP" verify "stream.$kind"
		assert_success
		assert_equal "$stderr" ""
		assert_output --regexp "^stream.$kind: complete: 1 subvolume, [0-9]+ commands, $size bytes \($name\)$"
		run bash -c "cat 'stream.$kind' | '$SENDCP' verify -"
		assert_success
		assert_output --partial "standard input: complete"
		run --separate-stderr "$SENDCP" verify -q "stream.$kind"
		assert_success
		assert_equal "$output$stderr" ""
	done <<-END
	plain plain
	zstd zstd
	external zstd
	tar tar
	cpio cpio
	tar.zstd tar in zstd
	cpio.zstd cpio in zstd
	END
}

@test "verify: streams that streamcmp accepts" {
	streamcmp stream.plain stream.plain
}

@test "verify: several streams in one file, and several subvolumes in one stream" {
	cat stream.plain stream.plain >"$OUT/f"
	run --separate-stderr "$SENDCP" verify "$OUT/f"
	assert_success
	assert_output --partial "2 subvolumes"
	assert_equal "$stderr" "sendcp: warning: $OUT/f: the subvolume s.ro is in it again at byte \
$(($(file_size stream.plain) + 17)) of the stream: btrfs receive will fail there, unless the first is moved away before"
	make_stream subvol mkfile=a subvol mkfile=b end >"$OUT/f"
	run "$SENDCP" verify "$OUT/f"
	assert_success
	assert_output --partial "complete: 2 subvolumes, 5 commands"
	make_stream end >"$OUT/f"
	refused "end at byte 17 is where subvol"
}

@test "verify: several files, each with its line, and the worst status" {
	run --separate-stderr "$SENDCP" verify stream.plain stream.zstd
	assert_success
	assert_line --index 0 --regexp "^stream.plain: complete: "
	assert_line --index 1 --regexp "^stream.zstd: complete: "
	head -c 100000 stream.plain >"$OUT/f"
	run --separate-stderr "$SENDCP" verify "$OUT/f" nowhere stream.tar
	assert_equal "$status" 1
	assert_output --regexp "^stream.tar: complete: [^
]*$"
	assert_equal "${#stderr_lines[@]}" 2
	[[ ${stderr_lines[0]} == "sendcp: $OUT/f: it ends at byte 100000"* ]]
	[[ ${stderr_lines[1]} == "sendcp: cannot open nowhere: "* ]]
}

@test "verify --json: an object per file with the same facts" {
	local size

	require_program jq
	size=$(file_size stream.plain)
	head -c 100000 stream.plain >"$OUT/f"
	run bash -c "'$SENDCP' verify --json stream.plain '$OUT/f' nowhere stream.tar.zstd 2>/dev/null"
	assert_equal "$status" 1
	assert_equal "${#lines[@]}" 4
	jq -e '.file == "stream.plain" and .complete and .fault == null and .container == "plain" and
		.subvolumes == 1 and .whole_stream_bytes == '"$size"' and .repeated_subvolumes == 0 and
		.whole_units_file_bytes == '"$size"' and .matches_checkpoint_file == null' <<<"${lines[0]}"
	jq -e '(.complete | not) and (.fault | startswith("it ends at byte 100000")) and
		.whole_stream_bytes <= 100000' <<<"${lines[1]}"
	jq -e '.file == "nowhere" and (.complete | not) and
		.fault == "No such file or directory"' <<<"${lines[2]}"
	jq -e '.complete and .container == "tar in zstd"' <<<"${lines[3]}"
	stored_send --checkpoint "$OUT/cp" >"$OUT/own"
	"$SENDCP" verify --json --checkpoint "$OUT/cp" "$OUT/own" | jq -e .matches_checkpoint_file
	run bash -c "'$SENDCP' verify --json stream.plain >/dev/full"
	assert_equal "$status" 1
}

# foreign HOW COMMAND: $OUT/f is HOW, and COMMAND, which is for FILE, unpacks what verify takes.
foreign()
{
	local how=$1 command=$2 each

	cp "$OUT/f" "$OUT/kept"
	for each in verify cat dump; do
		run --separate-stderr "$SENDCP" $each "$OUT/f"
		assert_equal "$status" 1
		assert_equal "$output" ""
		assert_equal "$stderr" "sendcp: $OUT/f: it is $how: unpack it first: $command | sendcp verify -; whole up to byte 0"
	done
	run --separate-stderr "$SENDCP" resume --append "$OUT/f" --device image s.ro
	assert_equal "$status" 1
	[[ $stderr == "sendcp: $OUT/f is $how: left as it is. "*"$command >PLAIN; "* ]] || fail "$stderr"
	cmp "$OUT/f" "$OUT/kept"
	run --separate-stderr "$SENDCP" show "$OUT/f"
	assert_equal "$status: $stderr" "1: sendcp: $OUT/f is $how, and not a checkpoint file"
}

@test "verify, cat, dump, show, --append: what other programs made is named, with the way to unpack it" {
	local program

	for program in gzip bzip2 xz lz4; do
		command -v $program >/dev/null || continue
		head -c 2000000 stream.plain | $program -c >"$OUT/f"
		foreign "compressed with $program" "$program -dc FILE"
	done
	command -v gzip
	printf 'age-encryption.org/v1\n-> X25519 abc\n' >"$OUT/f"
	foreign "encrypted with age" "age -d -i KEY FILE"
	printf -- '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n' >"$OUT/f"
	foreign "encrypted with age" "age -d -i KEY FILE"
	printf -- '-----BEGIN PGP MESSAGE-----\n\nhQE\n' >"$OUT/f"
	foreign "encrypted with gpg" "gpg -d FILE"
	# The beginnings of what gpg -c and gpg -r write.
	printf '\x8c\x0d\x04\x09\x03\x08aaaaaaaaaaaaaaaaaaaa' >"$OUT/f"
	foreign "encrypted with gpg" "gpg -d FILE"
	printf '\x85\x02\x0c\x03aaaaaaaaaaaaaaaaaaaa' >"$OUT/f"
	foreign "encrypted with gpg" "gpg -d FILE"
	printf '7z\xbc\xaf\x27\x1c\x00\x04aaaaaaaaaaaaaaaa' >"$OUT/f"
	foreign "a 7z archive" "7z x -so FILE"
	if command -v gpg >/dev/null; then
		head -c 100000 stream.plain | gpg --homedir "$OUT" --batch --quiet --passphrase x \
			--pinentry-mode loopback -c 2>/dev/null >"$OUT/f"
		foreign "encrypted with gpg" "gpg -d FILE"
		gpgconf --homedir "$OUT" --kill all
	fi
}

@test "verify: an empty file, another file, and a missing file" {
	: >"$OUT/f"
	refused "it ends at byte 0, before any stream; whole up to byte 0"
	echo hello >"$OUT/f"
	refused "no send stream"
	echo hello | zstd -q >"$OUT/f"
	refused "(zstd): it is no send stream"
	printf 'btrfs-str' >"$OUT/f"
	refused "inside a stream header"
	(cat stream.plain && echo junk) >"$OUT/f"
	refused "there is no stream header after END at byte $(file_size stream.plain); whole up to byte $(file_size stream.plain)"
	run --separate-stderr "$SENDCP" verify nowhere
	assert_equal "$status" 1
	[[ $stderr == "sendcp: cannot open nowhere: No such file or directory" ]]
	run --separate-stderr "$SENDCP" verify .
	assert_equal "$status" 1
	[[ $stderr == *"Is a directory"* ]]
}

@test "verify: rules of order, attributes and values" {
	make_stream mkfile=a >"$OUT/f"
	refused "mkfile at byte 17 is where subvol or snapshot should be"
	make_stream subvol mkfile=/a end >"$OUT/f"
	refused "has a path with a / at its beginning; whole up to byte 67"
	make_stream subvol mkfile=a/../../b end >"$OUT/f"
	refused "component . or .."
	make_stream subvol raw=11,15,6100 end >"$OUT/f"
	refused "a zero byte"
	make_stream subvol raw=9,15,61 end >"$OUT/f"
	refused "rename at byte 67 lacks the attribute path_to"
	make_stream subvol mkfile=a bad-crc end >"$OUT/f"
	refused "mkfile at byte 67 has a wrong checksum"
	make_stream subvol mkfile=a >"$OUT/f"
	refused "it ends at byte 94, without END; whole up to byte 94"
	make_stream subvol write=a,9223372036854775807,x end >"$OUT/f"
	refused "impossible range"
	make_stream --proto 2 subvol write=a,0,x end >"$OUT/f"
	run "$SENDCP" verify "$OUT/f"
	assert_success
}

@test "verify: truncated at 420 offsets, in every wrapping" {
	local kind

	for kind in $STORED_KINDS; do
		run python3 "$BATS_TEST_DIRNAME/../lib/damage.py" "$SENDCP" cut 60 stream.plain "stream.$kind"
		assert_success
		assert_output "60 of 60 seen"
	done
}

@test "verify: a bit flipped at 420 offsets, in every wrapping" {
	local kind

	for kind in $STORED_KINDS; do
		run python3 "$BATS_TEST_DIRNAME/../lib/damage.py" "$SENDCP" flip 60 stream.plain "stream.$kind"
		assert_success
		assert_output --regexp "^(5[5-9]|60) of 60 seen"
	done
}

@test "verify: segments exchanged, missing, and an archive made again by other tools" {
	require_program bsdtar
	mkdir "$OUT/x"
	bsdtar -xf stream.tar -C "$OUT/x"
	cd "$OUT/x"
	# The original members, in another format.
	{
		echo manifest.json
		printf '%s\n' [sc]*[0-9] | sort -t . -k 2,2 -k 1,1r
		echo complete.json
	} >names
	bsdtar -cf "$OUT/f" --format ustar -T names
	run "$SENDCP" verify "$OUT/f"
	assert_success
	bsdtar -cf "$OUT/f" --format pax manifest.json stream.0000000001 stream.0000000002 complete.json
	refused "checkpoint.0000000001 is missing: stream.0000000002 is in its place"
	bsdtar -cf "$OUT/f" --format newc manifest.json stream.0000000001 checkpoint.0000000001
	refused "without complete.json"
	bsdtar -cf "$OUT/f" --format newc manifest.json stream.0000000001 checkpoint.0000000001 complete.json
	refused "complete.json has another length"
	head -c 17 stream.0000000001 >header
	mv header stream.0000000001
	bsdtar -cf "$OUT/f" --format newc manifest.json stream.0000000001 checkpoint.0000000001
	refused "segment 1, bytes 0 to 17 of the stream, does not match its checkpoint"
	sed -i 's/"sendcp_journal":[0-9]*/"sendcp_journal":1x/' manifest.json
	bsdtar -cf "$OUT/f" --format newc manifest.json stream.0000000001
	refused "manifest.json is damaged"
}

@test "verify --checkpoint: the bytes that the sidecar covers, and no others" {
	local size kind

	stored_send --checkpoint "$OUT/cp" >"$OUT/own"
	cmp "$OUT/own" stream.plain
	for kind in $STORED_KINDS; do
		run "$SENDCP" verify --checkpoint "$OUT/cp" "stream.$kind"
		assert_success
		assert_output --partial ", matches the checkpoint file"
	done
	# Another complete stream is not the one that was sent.
	"$SENDCP" send -q --no-data --device image s.ro >"$OUT/f"
	run --separate-stderr "$SENDCP" verify --checkpoint "$OUT/cp" "$OUT/f"
	assert_equal "$status" 1
	[[ $stderr == *"do not match the checkpoint file"* ]]
	cat stream.plain stream.plain >"$OUT/f"
	run --separate-stderr "$SENDCP" verify --checkpoint "$OUT/cp" "$OUT/f"
	assert_equal "$status" 1
	[[ $stderr == *"the complete stream of the checkpoint file "* ]]
	# Truncated after a complete stream, but the sidecar covers more.
	size=$(file_size stream.plain)
	stored_send s --checkpoint "$OUT/cp2" >"$OUT/two"
	head -c "$size" "$OUT/two" >"$OUT/f"
	run --separate-stderr "$SENDCP" verify --checkpoint "$OUT/cp2" "$OUT/f"
	assert_equal "$status" 1
	run --separate-stderr "$SENDCP" verify --checkpoint stream.plain "$OUT/f"
	assert_equal "$status" 1
	[[ $stderr == *"not a checkpoint file"* ]]
}

@test "verify: usage" {
	local arguments

	for arguments in "" "--position a b" "--checkpoint c a b" "--json --position a" \
		"--checkpoint= a" "-f x a"; do
		# shellcheck disable=SC2086
		run "$SENDCP" verify $arguments
		assert_equal "$status" 2
	done
	run --separate-stderr "$SENDCP" verify --help
	assert_success
	assert_output --partial "--checkpoint FILE"
}

@test "verify: results that cannot be written to a full disk are a failure" {
	run bash -c "'$SENDCP' verify stream.plain >/dev/full"
	assert_equal "$status" 1
	assert_output --partial "cannot write to standard output: No space left on device"
}

@test "verify: memory is bounded, independent of the stream's size" {
	require_no_sanitizer
	local kind peak

	for kind in plain zstd tar; do
		peak=$( (ulimit -v 400000; /usr/bin/time -f %M "$SENDCP" verify -q "stream.$kind") 2>&1)
		assert [ "$peak" -lt 40000 ]
	done
}
