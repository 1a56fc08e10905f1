#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs fuzz targets in turn: run.sh SECONDS TARGET... ; exits with 1 if one found something.
#
# A target begins with its committed corpus, the seeds that seeds.sh made, and what earlier runs found.
# The input of a finding is kept in $FUZZ_DIR/findings; `$FUZZ_DIR/TARGET FILE` runs it again.
set -uo pipefail

seconds=$1
shift
dir=${FUZZ_DIR:-build/fuzz}
findings=$dir/findings
failed=0
# Freed memory is quarantined for a while to detect its use, and counts as used.
export ASAN_OPTIONS=quarantine_size_mb=16:${ASAN_OPTIONS:-}
mkdir -p "$findings"
# Files of the targets that need some: in memory, and gone afterwards.
TMPDIR=$(mktemp -d /dev/shm/sendcp-fuzz.XXXXXX)
export TMPDIR
trap 'rm -rf --one-file-system "$TMPDIR"' EXIT
here=$(cd "$(dirname "$0")" && pwd)

# The last value of a statistic that libFuzzer prints at its exit.
statistic()
{
	sed -n "s/^stat::$1: *//p" "$2" | tail -n 1
}

coverage()
{
	grep -o 'cov: [0-9]*' "$1" | tail -n 1
}

for target; do
	log=$dir/$target.log
	mkdir -p "$dir/corpus/$target" "$dir/seeds/$target" "$TMPDIR/$target"
	[ ! -e "$here/corpus/$target.tar.zst" ] ||
		tar -xf "$here/corpus/$target.tar.zst" --zstd -C "$TMPDIR/$target"
	printf '%s: %s s ... ' "$target" "$seconds"
	if "$dir/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=512 -malloc_limit_mb=64 \
		-max_len=32768 -print_final_stats=1 -artifact_prefix="$findings/$target-" \
		"$dir/corpus/$target" "$dir/seeds/$target" "$TMPDIR/$target" >"$log" 2>&1; then
		result=clean
	else
		result=FINDING
		failed=1
	fi
	printf '%s, %s executions, %s, peak %s MiB\n' "$result" \
		"$(statistic number_of_executed_units "$log")" "$(coverage "$log")" \
		"$(statistic peak_rss_mb "$log")"
	[ $result = clean ] || grep -E 'ERROR|SUMMARY|runtime error|Test unit|refused' "$log"
done
exit $failed
