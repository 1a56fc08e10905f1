#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the unit tests and the bats suites, or the named suites, several at a time. The last line is
# the total: "N passed, N failed".
#
# usage: run.sh [SUITE...]     SUITE: unit, send_full, resume, ...
# BUILD is the build directory, BATS the bats program, TEST_JOBS the number of suites that run at a
# time, UNIT the unit tests if not all are to run (a pattern for the part after test_).
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/.." || exit 1
BUILD=$(realpath "${BUILD:-build}")
export BUILD SENDCP=$BUILD/sendcp TOOLS=$BUILD/test
# A test that hangs fails.
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-300}

run_unit()
{
	local program ran=0

	for program in "$BUILD"/unit/test_*; do
		case ${program##*/} in *.*) continue ;; esac
		[[ ${program##*/} =~ ^test_(${UNIT:-.*})$ ]] || continue
		echo "# ${program##*/}"
		"$program" 2>&1 || return 1
		ran=1
	done
	# A pattern that fits none is a mistake.
	[ $ran -eq 1 ]
}

run_suite()
{
	if [ "$1" = unit ]; then
		run_unit
	else
		"${BATS:-bats}" --timing --formatter tap "test/bats/$1.bats" 2>&1
	fi
}

# A suite run in parallel with others: its output is printed at once.
run_beside()
{
	local said begin=$SECONDS status=0

	said=$(mktemp)
	# shellcheck disable=SC2064
	trap "rm -f '$said'" EXIT
	run_suite "$1" >"$said" || status=1
	echo "# suite $1: $((SECONDS - begin)) s" >>"$said"
	exec 9>>"$TEST_LOG"
	flock 9
	cat "$said" >&9
	cat "$said"
	return $status
}

if [ "${1:-}" = --beside ]; then
	run_beside "$2"
	exit
fi

# If a loop device is detached while a partition of it is open, the partition devices remain.
loop_partitions()
{
	find /sys/block/loop*/ -mindepth 1 -maxdepth 1 -name 'loop*p*' 2>/dev/null | sort
}

# sendcp's own directory is not the tests' (test/lib/suite.bash).
state_directory()
{
	find /var/lib/sendcp 2>/dev/null | sort
}

# Leftovers of tests are found by their paths.
leftovers()
{
	local process

	comm -13 <(echo "$PARTITIONS_BEFORE") <(loop_partitions)
	comm -13 <(echo "$STATE_BEFORE") <(state_directory)
	losetup -nO NAME,BACK-FILE 2>/dev/null | grep -F "$TMPDIR/"
	grep -F "$TMPDIR/" /proc/self/mountinfo
	for process in /proc/[0-9]*; do
		tr '\0' ' ' 2>/dev/null <"$process/cmdline" | grep -F "$TMPDIR/" | sed "s|^|${process##*/} |"
	done
	# Other programs' files, such as lintian's, are not ours.
	find "$TMPDIR" -mindepth 1 -maxdepth 1 \( -name 'sendcp*' -o -name 'bats-run*' \)
}

# Resources of a killed process are released a moment later.
no_leftovers()
{
	local left

	for _ in $(seq 50); do
		left=$(leftovers)
		[ -n "$left" ] || return 0
		sleep 0.2
	done
	printf 'not ok 1 left behind by tests:\n%s\n' "$left" | tee -a "$TEST_LOG"
	return 1
}

PARTITIONS_BEFORE=$(loop_partitions)
STATE_BEFORE=$(state_directory)
export TEST_LOG
TEST_LOG=$(mktemp)
TMPDIR=$(mktemp -d "${TMPDIR:-/tmp}/sendcp-check.XXXXXX")
# Tests that drop root need search permission.
chmod 711 "$TMPDIR"
export TMPDIR
trap 'rm -f "$TEST_LOG"; rm -rf --one-file-system "$TMPDIR"' EXIT
status=0
suites=("$@")
if [ $# -eq 0 ]; then
	# From the end of the alphabet, since verify takes longest.
	for file in test/bats/*.bats; do
		suites=("$(basename "$file" .bats)" "${suites[@]}")
	done
	suites+=(unit)
fi
if [ ${#suites[@]} -eq 1 ]; then
	run_suite "${suites[0]}" | tee -a "$TEST_LOG" || status=1
else
	# Not as jobs of the shell, which ignore SIGINT, and so would all processes of the tests.
	printf '%s\n' "${suites[@]}" | xargs -P "${TEST_JOBS:-$(nproc)}" -I '{}' "$here/run.sh" --beside '{}' || status=1
fi

no_leftovers || status=1

# Adds up the results of each kind of test runner; no result at all is a failure.
read -r passed skipped failed < <(awk '
	/^ok [0-9]+ .*# skip/ { skipped++; next }
	/^ok [0-9]+ / { passed++ }
	/^not ok [0-9]+ / { failed++ }
	/^1\.\.0$/ { failed++ }
	/^\[  PASSED  \] [0-9]+ test/ { passed += $4 }
	/^\[  FAILED  \] [0-9]+ test/ { failed += $4 }
	END { print passed + 0, skipped + 0, failed + 0 }' "$TEST_LOG")
[ "$passed" -gt 0 ] || status=1
# Skipped unit tests have their own messages; where skipping is not allowed, they are failures.
lacking=$(grep -cE '^skipped: needs |^\[  SKIPPED \] [0-9]+ test' "$TEST_LOG") || true
skipped=$((skipped + lacking))
if [ "$lacking" -gt 0 ] && { [ "${CI:-}" = true ] || [ "${SENDCP_REQUIRE_ALL:-}" = 1 ]; }; then
	echo "unit tests must not be skipped here"
	failed=$((failed + lacking))
fi
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
[ "$failed" -eq 0 ] || { status=1; grep '^not ok ' "$TEST_LOG"; }
[ "$skipped" -eq 0 ] || echo "$skipped skipped: see their reasons above"
echo "$passed passed, $failed failed"
exit $status
