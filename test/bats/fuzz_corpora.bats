#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The inputs that fuzzing found worth keeping, run once by the same targets in the normal build:
# those that reach something new, and those of findings that were mended.

load ../lib/suite

setup_file()
{
	require_program zstd
	[ -d "$BUILD/fuzz-replay" ] || fail "make fuzz-replay builds what is needed here"
}

setup()
{
	cd "$ROOT" || return 1
}

# corpus TARGET: all of its inputs; a target that finds a fault ends there, after its input's name.
corpus()
{
	local said

	mkdir "$BATS_TEST_TMPDIR/inputs"
	tar -xf "$ROOT/test/fuzz/corpus/$1.tar.zst" --zstd -C "$BATS_TEST_TMPDIR/inputs"
	TMPDIR=$BATS_TEST_TMPDIR run --separate-stderr "$BUILD/fuzz-replay/$1" "$BATS_TEST_TMPDIR"/inputs/*
	# shellcheck disable=SC2154
	said=$(tail -n 5 <<<"$stderr")
	[ "$status" -eq 0 ] || fail "$1: $status: $said"
	[ "$output" = "$(find "$BATS_TEST_TMPDIR/inputs" -type f | wc -l) inputs" ]
}

@test "fuzz corpora: tree" { corpus fuzz_tree; }
@test "fuzz corpora: incremental" { corpus fuzz_incremental; }
@test "fuzz corpora: superblock" { corpus fuzz_superblock; }
@test "fuzz corpora: checkpoint" { corpus fuzz_checkpoint; }
@test "fuzz corpora: sidecar" { corpus fuzz_sidecar; }
@test "fuzz corpora: stream" { corpus fuzz_stream; }
@test "fuzz corpora: frames" { corpus fuzz_frames; }
@test "fuzz corpora: archive" { corpus fuzz_archive; }
@test "fuzz corpora: append" { corpus fuzz_append; }
@test "fuzz corpora: match" { corpus fuzz_match; }
@test "fuzz corpora: lines" { corpus fuzz_lines; }
@test "fuzz corpora: chunks" { corpus fuzz_chunks; }
@test "fuzz corpora: options" { corpus fuzz_options; }
@test "fuzz corpora: extents" { corpus fuzz_extents; }

@test "fuzz corpora: every target has one, and a test here" {
	targets=$(find "$ROOT/test/fuzz" -name 'fuzz_*.c' -printf '%f\n' | sed 's/\.c$//' | sort)
	diff <(echo "$targets") <(find "$ROOT/test/fuzz/corpus" -name '*.tar.zst' -printf '%f\n' |
		sed 's/\.tar\.zst$//' | sort)
	diff <(echo "$targets") <(sed -n 's/.*{ corpus \(fuzz_[a-z]*\); }$/\1/p' "$BATS_TEST_FILENAME" | sort)
}
