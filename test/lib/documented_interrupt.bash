# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Read by the sendcp of documented.bash before it becomes the real one: has writegate.so stop it at a
# byte, and a process that then sends the signal.

BYTE='' SIGNAL='' FILE='' SIZE=''
# shellcheck disable=SC1091
source "$WORLD/interrupting"
rm -f "$WORLD"/reached "$WORLD"/go
mkfifo "$WORLD/reached" "$WORLD/go"
# For reading and writing, so that opening does not wait.
exec 8<>"$WORLD/reached" 9<>"$WORLD/go"
reached()
{
	[ -n "${byte:=$(dd bs=1 count=1 iflag=nonblock status=none <&8 2>/dev/null | tr '\0' x)}" ]
}

(
	trap '' INT TERM HUP
	# Not longer than sendcp itself.
	until reached && [ "$(stat -c %s "$FILE" 2>/dev/null || echo 0)" -ge "$SIZE" ]; do
		kill -0 $$ || exit
		sleep 0.01
	done
	rm "$WORLD/interrupting"
	if [ "$SIGNAL" = KILL ]; then
		kill -s KILL $$
	else
		# The process group of the pipeline: what a terminal sends Ctrl-C to.
		kill -s "$SIGNAL" -- "-$(ps -o pgid= -p $$ | tr -d ' ')"
		# If the signal came just before it waits.
		echo >&9
	fi
) </dev/null >/dev/null 2>&1 &
# The file after -f is its output, or else stdout.
for ((i = 1; i < $#; i++)); do
	[ "${!i}" != -f ] || { i=$((i + 1)); export WRITEGATE_FILE=${!i}; }
done
export WRITEGATE_AT=$BYTE WRITEGATE_REACHED=$WORLD/reached WRITEGATE_GO=$WORLD/go
export LD_PRELOAD=$TOOLS/writegate.so ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
