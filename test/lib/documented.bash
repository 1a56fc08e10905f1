# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Runs the commands of the documents, as they are written there. test/documented/README says how.

DOCUMENTED=$ROOT/test/lib/documented.py
# Of the stream of a story's snapshot: when it is stopped at byte 20000000, zstd has written some of it,
# and what is left does not fit into sendcp's buffers, so that it cannot complete the stream.
STORY_BYTES=40000000

# world: a filesystem with the subvolume data and its snapshots old (without most files) and snap; a
# directory to be in; programs that the commands call; other hosts, which ssh reaches.
world()
{
	WORLD=$FIX/world
	HERE=$WORLD/here
	export WORLD HERE TABLE=$WORLD/table
	rm -rf "$WORLD"
	mkdir -p "$HERE" "$WORLD/bin" "$WORLD/ssh"
	: >"$TABLE"
	: >"$WORLD/variables"
	world_programs
	fixture_mkfs 1 256M
	fixture_mount
	btrfs -q subvolume create "$FIX_MOUNT/data"
	echo old >"$FIX_MOUNT/data/old"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/data" "$FIX_MOUNT/old"
	story_files "$FIX_MOUNT/data"
	btrfs -q subvolume snapshot -r "$FIX_MOUNT/data" "$FIX_MOUNT/snap"
	mkdir "$FIX_MOUNT/received"
	native_send "$WORLD/whole" "$FIX_MOUNT/snap"
}

# Another story in the same filesystem.
new_story()
{
	rm -rf "$HERE" "$WORLD/far"
	mkdir "$HERE"
	: >"$TABLE"
	: >"$WORLD/variables"
	forget_received
}

forget_received()
{
	local received

	for received in "$FIX_MOUNT"/received/*; do
		[ ! -d "$received" ] || btrfs -q subvolume delete "$received"
	done
}

story_files()
{
	local n

	for n in 1 2 3 4 5 6 7 8; do
		head -c $((STORY_BYTES / 8)) /dev/urandom >"$1/file$n"
	done
}

program()
{
	cat >"$WORLD/bin/$1"
	chmod +x "$WORLD/bin/$1"
}

# sendcp, which may be stopped at a byte of its output, and ssh, which may break at one.
world_programs()
{
	program sendcp <<-END
		#!/bin/bash
		if [[ \$1 = send || \$1 = resume ]] && [[ " \$* " != *" --dry-run "* ]] &&
			mv "$WORLD/interrupt" "$WORLD/interrupting" 2>/dev/null; then
			source "$ROOT/test/lib/documented_interrupt.bash"
		fi
		exec "$SENDCP" "\$@"
	END
	# A signal of the terminal here does not reach the other host.
	program ssh <<-END
		#!/bin/bash
		while [[ \$1 = -* ]]; do
			[[ \$1 != -[opilF] ]] || shift
			shift
		done
		mkdir -p "$WORLD/far/\$1" && cd "$WORLD/far/\$1" || exit 255
		shift
		if [ -e "$WORLD/break" ]; then
			mv "$WORLD/break" "$WORLD/broke"
			head -c "\$(cat "$WORLD/broke")" | setsid sh -c "\$*"
			exit 255
		fi
		exec setsid sh -c "\$*"
	END
}

# break_btrfs BYTE: the next btrfs send -f ends when its file has so many bytes.
break_btrfs()
{
	program btrfs <<-END
		#!/bin/bash
		rm "$WORLD/bin/btrfs"
		exec prlimit --fsize=$1 btrfs "\$@"
	END
}

# put KEY VALUE: what a path or a placeholder of the documents is in this story.
put()
{
	printf '%s\t%s\n' "$1" "$2" >>"$TABLE"
}

# interrupt BYTE [SIGNAL] [FILE SIZE]: the next send or resume stops before that byte of its output;
# when FILE has SIZE bytes, it and the rest of its pipeline get the signal (INT).
interrupt()
{
	printf 'BYTE=%s SIGNAL=%s FILE=%q SIZE=%s\n' "$1" "${2:-INT}" "${3:-/dev/null}" "${4:-0}" >"$WORLD/interrupt"
}

# break_ssh BYTE: the connection of the next ssh breaks after so many bytes.
break_ssh()
{
	echo "$1" >"$WORLD/break"
}

# run_text TEXT: in a shell like a user's, in $HERE, with the variables of earlier commands. STATUSES
# has the exit statuses of its pipeline, $WORLD/output what it printed, $WORLD/messages its stderr.
run_text()
{
	local names

	names=$(grep -oE '(^|[;&(]) *[a-z_]+=' <<<"$1" | tr -dc 'a-z_\n' | xargs)
	cat >"$WORLD/script" <<-END
		trap : INT TERM HUP
		source "$WORLD/variables"
		$1
		echo "\${PIPESTATUS[*]}" >"$WORLD/statuses"
		for name in $names; do [ -z "\${!name+x}" ] || declare -p \$name >>"$WORLD/variables"; done
	END
	rm -f "$WORLD/statuses"
	# Signals work even if the test runs where they are ignored. Both outputs are in the order of a
	# terminal; stdout must not be a regular file, which sendcp could resume.
	(cd "$HERE" && PATH=$WORLD/bin:$PATH setsid -w env --default-signal=INT,TERM,HUP bash "$WORLD/script" \
		2> >(tee "$WORLD/messages" >&"${MESSAGES:-1}") </dev/null) 3>&- | cat >"$WORLD/output"
	STATUSES=$(cat "$WORLD/statuses") || fail "did not end: $1"
	if [ -e "$WORLD/interrupt" ] || [ -e "$WORLD/interrupting" ]; then fail "was not interrupted: $1"; fi
	if [ -e "$WORLD/break" ]; then fail "did not call ssh: $1"; fi
}

# documented [-s STATUS] [-o] DOC HEADING WHICH: runs these commands. The first program of each must end
# with STATUS, or if that is 0 (without -s), all of its pipeline. -o: $WORLD/output is stdout alone.
documented()
{
	local status=0 place text output MESSAGES=1

	if [ "$1" = -s ]; then
		status=$2
		shift 2
	elif [ "$1" = -o ]; then
		MESSAGES=2
		shift
	fi
	python3 "$DOCUMENTED" get "$@" >"$WORLD/commands"
	[ -s "$WORLD/commands" ]
	while IFS= read -r -d '' place && IFS= read -r -d '' text && IFS= read -r -d '' output; do
		run_text "$text"
		if [ "${STATUSES%% *}" != "$status" ] || { [ "$status" = 0 ] && [[ $STATUSES = *[1-9]* ]]; }; then
			fail "$place: statuses $STATUSES, but $status expected: $text
$(tail -n 5 "$WORLD/output" | cat -v)"
		fi
		if [ -n "$output" ]; then
			same_output "$place" "$output"
		fi
		echo "$place" >>"$RAN"
	done <"$WORLD/commands"
}

# Of a transcript: all that it shows, but for what differs from run to run.
same_output()
{
	diff <(python3 "$DOCUMENTED" normal <<<"$2") <(python3 "$DOCUMENTED" normal <"$WORLD/output") ||
		fail "$1: shows another output (<) than the command prints (>)"
}

# documented_text DOC HEADING WHICH: prints a command or a block, with this story's paths.
documented_text()
{
	python3 "$DOCUMENTED" get "$@" | python3 -c 'import sys
print("\n".join(sys.stdin.read().split("\0")[1::3]))'
}

# assert_last_line DOC HEADING WHICH: it is the command there that the last run printed.
assert_last_line()
{
	assert_equal "$(tail -n 1 "$WORLD/messages" | sed -n 's/^sendcp: .*: \(sendcp resume\)/\1/p')" \
		"$(documented_text "$@")"
}

# As on the page: the last line of the messages is the command that resumes.
run_last_line()
{
	run_text "$(tail -n 1 "$WORLD/messages" | sed -n 's/^sendcp: .*: \(sendcp resume\)/\1/p')"
	assert_equal "$STATUSES" 0
}

# assert_ends_stream BYTE: what the last command printed is the stream from there on.
assert_ends_stream()
{
	cmp <(tail -c +$(($1 + 1)) "$WORLD/whole") "$WORLD/output"
}

# A stream as btrfs send makes it, and a received subvolume like its source.
assert_stream()
{
	cmp "$WORLD/whole" "$1"
}

assert_received()
{
	diff -r "${2:-$FIX_MOUNT/snap}" "$1"
	btrfs subvolume show "$1" | grep -qE 'Received UUID:[[:space:]]+[0-9a-f]{8}-'
}
