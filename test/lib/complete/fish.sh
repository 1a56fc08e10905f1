#!/usr/bin/env fish
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints what fish's completion offers at the end of each LINE, sorted and on one line.
#
# usage: fish.sh LINE...
set root (status dirname)/../../..
# There need be no such program; fish asks for it before it completes.
function sendcp
end
source $root/completions/sendcp.fish
for line in $argv
    complete -C "$line" | string replace -r '\t.*' '' | LC_ALL=C sort -u | xargs
end
