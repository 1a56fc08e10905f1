#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guest's main program: runs the given script, or all suites, or the requested ones.

# Suites that change the disks are last; the very last one removes a disk.
ORDER="suite_direct suite_streams suite_arguments suite_compat suite_signals suite_backend suite_hold suite_receive
	suite_changed suite_load debug_faults suite_busy suite_devices"

# All suites for this kernel, then those missing from the order.
all_suites()
{
	local suite

	for suite in $ORDER; do
		case $suite:$(uname -r) in
		suite_* | debug_*:*-debug) echo "/guest/$suite.sh" ;;
		esac
	done
	for suite in /guest/suite_*.sh /guest/debug_*.sh; do
		[[ " ${ORDER//[[:space:]]/ } " == *" $(basename "$suite" .sh) "* ]] || echo "$suite"
	done
}

cd /tmp || exit 1
if [ -f /guest/script ]; then
	bash /guest/script
	echo "# script ended with status $?"
	exit
fi
source /guest/settings
source /guest/lib.sh
log_begin
for suite in ${GUEST_SUITES:-$(all_suites)}; do
	suite_begin "$suite"
	source "$suite"
	suite_end
done
tap_end
kill "$LOG_READER"
