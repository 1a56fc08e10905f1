#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Every command in README, the manual pages, docs/ and its examples is run as it is written there, or
# listed in test/documented/not-run with the test that runs it. test/documented/README says how.

load ../lib/suite
load ../lib/documented

setup_file()
{
	local program

	require_mount
	for program in zstd bsdtar xxhsum jq age gpg mbuffer pv rclone btrbk snapper systemctl git setsid prlimit; do
		require_program $program
	done
	[ -e "$TOOLS/writegate.so" ] || fail "make test-tools builds what is needed here"
	export PYTHONDONTWRITEBYTECODE=1
	fixture_begin
	export RAN=$FIX/ran
	: >"$RAN"
}

teardown_file()
{
	fixture_end
}

# What a story that failed left.
teardown()
{
	! mountpoint -q "$FIX/world/backup" || umount "$FIX/world/backup"
	[ ! -d "$FIX/g" ] || GNUPGHOME=$FIX/g gpgconf --kill all
}

# story NAME: runs test/documented/NAME.bash.
story()
{
	world
	# shellcheck disable=SC1090
	source "$ROOT/test/documented/$1.bash"
	echo "$1" >>"$FIX/stories"
}

@test "documented: README" { story readme; }
@test "documented: progress" { story progress; }
@test "documented: the manual pages" { story man; }
@test "documented: from btrfs send" { story from_btrfs_send; }
@test "documented: recipes" { story recipes; }
@test "documented: recipes with encryption" { story encrypted; }
@test "documented: nightly sends" { story nightly; }
@test "documented: btrbk" { story btrbk; }
@test "documented: snapper" { story snapper; }
@test "documented: tables and text" { story tables; }
@test "documented: in the source" { story source; }

# The tests before it have to have run.
@test "documented: every story is run" {
	diff <(ls "$ROOT/test/documented" | sed -n 's/\.bash$//p') <(sort "$FIX/stories")
}

@test "documented: every command was run, or is listed" {
	run python3 "$DOCUMENTED" check "$RAN" "$ROOT/test/documented/not-run"
	tail -n 1 <<<"$output" >&3
	assert_success
}
