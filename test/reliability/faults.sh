#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every failure, once: each call of sendcp for memory, and each system call, fails at each place, in
# each scenario, and what is left is judged. docs/reliability.md has the rules and the last figures.
# Ends with "N passed, N failed".
#
# usage: faults.sh [OPTION...] WHAT...     WHAT: all, scenarios, classes, or one fault as printed
#                                          OPTION: of test/lib/faults.py
# SENDCP is the program and TOOLS the test tools' directory; BUILD has both unless they are given.
set -uo pipefail

cd "$(dirname "$0")/../.." || exit 1
source test/lib/fixture.bash
source test/lib/faults.bash

missing=$(fixture_missing)
[ -z "$missing" ] || { echo "faults: needs $missing" >&2; exit 1; }
trap faults_end EXIT
trap 'exit 130' INT TERM HUP
faults_begin || exit
python3 test/lib/faults.py --verbose "$@"
