#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the bats suites, or those named, and says in the end how many tests passed.
#
# usage: run-bats.sh [SUITE...]     SUITE: send_full, resume, ... ; BUILD names the build directory
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
export BUILD=${BUILD:-$here/../build}
BUILD=$(cd "$BUILD" && pwd)
export SENDCP=$BUILD/sendcp TOOLS=$BUILD/test

suites=()
for name in "${@:-streamcmp images cli badinput send_full resume receive}"; do
	for suite in $name; do
		suites+=("$here/bats/$suite.bats")
	done
done
exec bats --timing --formatter tap "${suites[@]}"
