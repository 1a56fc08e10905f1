#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Changes every byte of every input, one at a time, and checks what becomes of it: docs/reliability.md,
# "Every byte of every input". Prints a table; the last line is "N passed, N failed", in cases.
#
# usage: corruption.sh [ROW...]    rows: single dup mixed raid1 checkpoints stored append journal
#                                  position; default: all
#   BUILD=build    built with `make SANITIZE=address,undefined BUILD=... corruption-tools`, or without
#   JOBS=N         cases that are tried at a time; default: one for each processor
#   SAMPLE=N SEED=1    at most N cases of a line of the table, chosen by SEED
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tools=$(realpath "${BUILD:-build}")/test
export SENDCP_TEST_IMAGES=$here/../unit/images
export JOBS=${JOBS:-$(nproc)} SEED=${SEED:-1} SAMPLE=${SAMPLE:-}
# A report must not look like a refusal, which is 1. Leaks are other tests' subject: to look for them
# after each of a million cases would take days.
options=exitcode=99:detect_leaks=0:quarantine_size_mb=4:max_allocation_size_mb=256:malloc_context_size=10
export ASAN_OPTIONS=$options:${ASAN_OPTIONS:-} UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
rows=("$@")
[ $# -gt 0 ] && [ "$*" != all ] || rows=(single dup mixed raid1 checkpoints stored append journal position)

# In memory if possible: each case of the later rows syncs its files.
base=/dev/shm
[ -w $base ] || base=${TMPDIR:-/tmp}
work=$(mktemp -d "$base/sendcp-corruption.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

run_row()
{
	case $1 in
	single | dup | mixed | raid1) "$tools/corrupt_metadata" "$1" ;;
	checkpoints) "$tools/corrupt_checkpoint" ;;
	stored | append | journal | position)
		[ -e "$work/image" ] ||
			zstd -q -d --sparse -o "$work/image" "$SENDCP_TEST_IMAGES/few.img.zst"
		(cd "$work" && "$tools/corrupt_files" "$work/image" "$1")
		;;
	*)
		echo "corruption: no such row: $1" >&2
		return 2
		;;
	esac
}

[ -z "$SAMPLE" ] || echo "a sample of $SAMPLE cases a line, seed $SEED"
echo "| input | change | cases | identical | refused (1) | interrupted (75) | another, well-formed | failures |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
status=0
for row in "${rows[@]}"; do
	run_row "$row" >"$work/table" || status=1
	cat "$work/table"
	cat "$work/table" >>"$work/tables"
done
awk -F ' *[|] *' -v status=$status '
	{ cases += $4; failed += $9 }
	END {
		# A program that ended before its table did has failed, too.
		if (status && !failed || !cases)
			failed = 1
		print (cases > failed ? cases - failed : 0) " passed, " failed + 0 " failed"
	}' "$work/tables"
exit $status
