#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Every failure, once (docs/reliability.md): a sample of what `make check-faults` tries in full. A
# call for memory, or a system call, fails, and what is left is judged by test/lib/faults_law.py.
# FAULTS_SEED: another sample; FAULTS_SAMPLE: its size.

load ../lib/suite
load ../lib/faults

setup_file()
{
	local program

	require_mount
	for program in python3 zstd bsdtar addr2line; do
		require_program $program
	done
	faults_begin
}

teardown_file()
{
	faults_end
}

# One job, so that it takes one core.
faults()
{
	python3 "$ROOT/test/lib/faults.py" --jobs 1 "$@" || fail "see above"
}

@test "faults: a sample of all scenarios and classes" {
	faults --sample "${FAULTS_SAMPLE:-200}" --seed "${FAULTS_SEED:-1}" all
}

# A signal while the filesystem was asked made the engine ask for ever; one while a checkpoint file
# was read was an error. A checkpoint file that could not be synced was reported twice.
@test "faults: signals, devices and syncs of a send to a file" {
	faults --distinct full sync ioctl
	faults --sample 40 --seed "${FAULTS_SEED:-1}" full read
}

# Without memory for a line of the journal it called abort(), left a temporary file, or forgot to
# name the command that resumes. libzstd crashed, and libarchive ended the program.
@test "faults: no memory for the journal and for containers" {
	faults --sample 50 --seed "${FAULTS_SEED:-1}" full memory
	faults --sample 50 --seed "${FAULTS_SEED:-1}" tar-zstd memory
}

# A zstd file whose beginning could not be read was taken for a plain one, and a wrong stream was
# called complete.
@test "faults: resume --append cannot read the file" {
	faults --distinct append-zstd read
}

# An empty checkpoint file was left in the state directory.
@test "faults: a checkpoint file that nobody asked for" {
	faults --distinct state-pipe lock sync
}

# The driver must see what is wrong: cat is no sendcp.
@test "faults: a program that does something else is found out" {
	local program=$BATS_TEST_TMPDIR/sendcp

	# It says that all is well, and leaves half of the stream.
	cat >"$program" <<-END
	#!/bin/sh
	$SENDCP "\$@"
	case "\$*" in *"-f out/f"*) [ -z "\$FAILCALL" ] || truncate -s 1000 out/f ;; esac
	exit 0
	END
	chmod +x "$program"
	SENDCP=$program run -1 python3 "$ROOT/test/lib/faults.py" --jobs 1 full/sync:0:1:EIO
	assert_output --partial "exit 0 without the whole stream"
	assert_output --partial "0 passed, 1 failed"
}
