#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the tests in which sendcp has threads, with a build of ThreadSanitizer, and fails
# if one of them does or if a data race was reported. Reports are printed.
#
# usage: tsan.sh [SUITE...]     as run.sh; all that have threads by default
# BUILD names the build directory of such a build (make check-tsan).
set -u -o pipefail

here=$(cd "$(dirname "$0")" && pwd)
suites=(unit send_full resume append append_matrix compress archive cli progress lastline endings)
# Of the unit tests, those that have threads or run programs that have.
export UNIT="${UNIT:-cancel|transfer_.*|sender_(stop|module)|cli_.*|host_hold}"
[ $# -eq 0 ] || suites=("$@")
# Any other build would report nothing.
grep -qs __tsan_init "${BUILD:=build}/sendcp" ||
	{ echo "tsan.sh: $BUILD/sendcp is not of a build with SANITIZE=thread" >&2; exit 1; }
export BUILD
# Everything is several times slower.
export BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-1800}

seen=$(mktemp -d "${TMPDIR:-/tmp}/sendcp-tsan.XXXXXX")
trap 'rm -rf "$seen"' EXIT
# Some tests give up root.
chmod 1777 "$seen"
# The status is the program's own, which tests look at: the reports say what was seen.
export SENDCP_SANITIZED=1
export TSAN_OPTIONS="log_path=$seen/report exitcode=0 ${TSAN_OPTIONS:-}"

# Where addresses are random in more bits than it foresees, it cannot start.
fixed=(setarch "$(uname -m)" -R)
"${fixed[@]}" true 2>/dev/null || fixed=()

status=0
"${fixed[@]}" "$here/run.sh" "${suites[@]}" || status=1
for report in "$seen"/report.*; do
	[ -e "$report" ] || continue
	cat "$report"
	status=1
done
count=$(cat "$seen"/report.* 2>/dev/null | grep -c '^SUMMARY: ThreadSanitizer')
echo "$count reports of ThreadSanitizer"
exit $status
