# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# docs/progress.md.

put SNAP "$FIX_MOUNT/snap"
documented docs/progress.md summary 1.1
assert_stream "$HERE/f.stream"
documented -o docs/progress.md summary 1.2
assert_equal "$(cat "$WORLD/output")" complete
