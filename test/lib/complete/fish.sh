#!/usr/bin/env fish
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the candidates of fish's completion at the end of each LINE, sorted, on one line.
#
# usage: fish.sh LINE...
set root (status dirname)/../../..
# fish only completes programs that exist.
function sendcp
end
source $root/completions/sendcp.fish
for line in $argv
    complete -C "$line" | string replace -r '\t.*' '' | LC_ALL=C sort -u | xargs
end
