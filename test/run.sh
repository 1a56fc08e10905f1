#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the unit tests and the bats suites, or the suites that are named. The last line sums up:
# "N passed, N failed".
#
# usage: run.sh [SUITE...]     SUITE: unit, send_full, resume, ...
# BUILD names the build directory, BATS the bats program.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
BUILD=$(realpath "${BUILD:-build}")
export BUILD SENDCP=$BUILD/sendcp TOOLS=$BUILD/test
# A hang is a failure too.
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

run_unit()
{
	local program

	for program in "$BUILD"/unit/test_*; do
		case $program in *.*) continue ;; esac
		echo "# ${program##*/}"
		"$program" 2>&1 || return 1
	done
}

run_suite()
{
	"${BATS:-bats}" --timing --formatter tap "test/bats/$1.bats" 2>&1
}

suites=("$@")
if [ $# -eq 0 ]; then
	suites=(unit)
	for file in test/bats/*.bats; do
		suites+=("$(basename "$file" .bats)")
	done
fi
for suite in "${suites[@]}"; do
	if [ "$suite" = unit ]; then
		run_unit | tee -a "$log" || status=1
	else
		run_suite "$suite" | tee -a "$log" || status=1
	fi
done

# Sums of the lines that each kind of test runner writes; nothing at all counts as a failure.
read -r passed skipped failed < <(awk '
	/^ok [0-9]+ .*# skip/ { skipped++; next }
	/^ok [0-9]+ / { passed++ }
	/^not ok [0-9]+ / { failed++ }
	/^\[  PASSED  \] [0-9]+ test/ { passed += $4 }
	/^\[  FAILED  \] [0-9]+ test/ { failed += $4 }
	END { print passed + 0, skipped + 0, failed + 0 }' "$log")
[ "$passed" -gt 0 ] || status=1
# Unit tests skip in their own words; where nothing may be missing, that is a failure.
lacking=$(grep -cE '^skipped: needs |^\[  SKIPPED \] [0-9]+ test' "$log") || true
skipped=$((skipped + lacking))
if [ "$lacking" -gt 0 ] && { [ "${CI:-}" = true ] || [ "${SENDCP_REQUIRE_ALL:-}" = 1 ]; }; then
	echo "unit tests must not be skipped here"
	failed=$((failed + lacking))
fi
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
[ "$failed" -eq 0 ] || { status=1; grep '^not ok ' "$log"; }
[ "$skipped" -eq 0 ] || echo "$skipped skipped: see their reasons above"
echo "$passed passed, $failed failed"
exit $status
