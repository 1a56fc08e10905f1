#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Every way in which a send ends, with every kind of output: the command of the last line, and the
# original line again, must give the right result or refuse (test/lib/endings.py has the rules).
# ENDINGS_ROUNDS: number of further rounds that end at random while the whole pipeline runs
# (test/thorough.sh uses more); ENDINGS_SEED: their seed.

load ../lib/suite

setup_file()
{
	local program

	require_mount
	require_strace
	for program in zstd bsdtar age age-keygen ssh ssh-keygen sshd setsid; do
		require_program $program
	done
	[ -e "$TOOLS/writegate.so" ] || fail "make test-tools builds what is needed here"
	export PYTHONDONTWRITEBYTECODE=1
	fixture_begin
	fixture_mkfs 1 1G
	fixture_mount
	export SOURCE=$FIX_MOUNT/s PARENT=$FIX_MOUNT/parent.ro SNAPSHOT=$FIX_MOUNT/snap.ro WHOLE=$FIX/whole
	export SMALL_SNAPSHOT=$FIX_MOUNT/small.ro SMALL_WHOLE=$FIX/small
	btrfs -q subvolume create "$SOURCE"
	echo before >"$SOURCE/old"
	btrfs -q subvolume snapshot -r "$SOURCE" "$PARENT"
	some_files 10
	btrfs -q subvolume snapshot -r "$SOURCE" "$SMALL_SNAPSHOT"
	some_files 36
	btrfs -q subvolume snapshot -r "$SOURCE" "$SNAPSHOT"
	native_send "$WHOLE" -p "$PARENT" "$SNAPSHOT"
	native_send "$SMALL_WHOLE" -p "$PARENT" "$SMALL_SNAPSHOT"
	receiver
	if mkdir /run/sshd 2>/dev/null; then touch "$FIX/made-run-sshd"; fi
	# Syncs are tested elsewhere, and are free on tmpfs.
	mkdir "$FIX/work"
	mount -t tmpfs -o size=1G tmpfs "$FIX/work"
	python3 "$ROOT/test/lib/endings.py" prepare
}

teardown_file()
{
	# Skipped before anything was made.
	[ -n "${FIX:-}" ] || return 0
	[ ! -e "$FIX/made-run-sshd" ] || rmdir /run/sshd || true
	umount "$FIX/received" || true
	losetup -d "$(cat "$FIX/receiver")" || true
	umount "$FIX/work" || true
	fixture_end
}

# some_files COUNT: large and small ones, incompressible.
some_files()
{
	python3 - "$SOURCE" "$1" <<-'END'
	import contextlib, os, random, sys
	r = random.Random(1)
	for n in range(int(sys.argv[2])):
	    with open(os.path.join(sys.argv[1], "f%d" % n), "wb") as f:
	        f.write(r.randbytes([3000, 60000, 200000, 1400000][n % 4]))
	with contextlib.suppress(FileNotFoundError):
	    os.unlink(os.path.join(sys.argv[1], "old"))
	END
}

# Another filesystem, with the parent.
receiver()
{
	local image=$FIX/receiver.img device

	truncate -s 200M "$image"
	device=$(losetup -f --show "$image")
	echo "$device" >"$FIX/receiver"
	mkfs.btrfs -q --mixed "$device"
	mkdir "$FIX/received"
	mount -o noatime "$device" "$FIX/received"
	btrfs send -q "$PARENT" | btrfs -q receive "$FIX/received"
}

# ending ENDING OUTPUT
ending()
{
	python3 "$ROOT/test/lib/endings.py" --rounds "${ENDINGS_ROUNDS:-0}" \
		--seed "${ENDINGS_SEED:-1}" ${ENDINGS_VERBOSE:+--verbose} "$@"
}

@test "endings: Ctrl-C: > f" { ending int redirect; }
@test "endings: Ctrl-C: -f f" { ending int file; }
@test "endings: Ctrl-C: >> f" { ending int append; }
@test "endings: Ctrl-C: | cat > f" { ending int cat; }
@test "endings: Ctrl-C: | zstd > f" { ending int zstd; }
@test "endings: Ctrl-C: | ssh HOST cat > f" { ending int ssh; }
@test "endings: Ctrl-C: | age > f" { ending int age; }
@test "endings: Ctrl-C: --compress | cat > f" { ending int compress-cat; }
@test "endings: Ctrl-C: --compress -f f" { ending int compress-file; }
@test "endings: Ctrl-C: --archive -f f" { ending int archive-file; }
@test "endings: Ctrl-C: | btrfs receive" { ending int receive; }
@test "endings: Ctrl-C: | cat > f, no sidecar" { ending int bare-cat; }
@test "endings: Ctrl-C: | zstd > f, no sidecar" { ending int bare-zstd; }

@test "endings: SIGTERM to all: > f" { ending term redirect; }
@test "endings: SIGTERM to all: -f f" { ending term file; }
@test "endings: SIGTERM to all: | cat > f" { ending term cat; }
@test "endings: SIGTERM to all: | zstd > f" { ending term zstd; }
@test "endings: SIGTERM to all: | ssh HOST cat > f" { ending term ssh; }
@test "endings: SIGTERM to all: | age > f" { ending term age; }
@test "endings: SIGTERM to all: --compress | cat > f" { ending term compress-cat; }
@test "endings: SIGTERM to all: --compress -f f" { ending term compress-file; }
@test "endings: SIGTERM to all: --archive -f f" { ending term archive-file; }
@test "endings: SIGTERM to all: | btrfs receive" { ending term receive; }
@test "endings: SIGTERM to all: | cat > f, no sidecar" { ending term bare-cat; }
@test "endings: SIGTERM to all: | zstd > f, no sidecar" { ending term bare-zstd; }

@test "endings: SIGHUP to all: > f" { ending hup redirect; }
@test "endings: SIGHUP to all: -f f" { ending hup file; }
@test "endings: SIGHUP to all: | cat > f" { ending hup cat; }
@test "endings: SIGHUP to all: | zstd > f" { ending hup zstd; }
@test "endings: SIGHUP to all: | ssh HOST cat > f" { ending hup ssh; }
@test "endings: SIGHUP to all: | age > f" { ending hup age; }
@test "endings: SIGHUP to all: --compress | cat > f" { ending hup compress-cat; }
@test "endings: SIGHUP to all: --compress -f f" { ending hup compress-file; }
@test "endings: SIGHUP to all: --archive -f f" { ending hup archive-file; }
@test "endings: SIGHUP to all: | btrfs receive" { ending hup receive; }
@test "endings: SIGHUP to all: | cat > f, no sidecar" { ending hup bare-cat; }
@test "endings: SIGHUP to all: | zstd > f, no sidecar" { ending hup bare-zstd; }

@test "endings: sendcp is killed: > f" { ending kill redirect; }
@test "endings: sendcp is killed: -f f" { ending kill file; }
@test "endings: sendcp is killed: >> f" { ending kill append; }
@test "endings: sendcp is killed: | cat > f" { ending kill cat; }
@test "endings: sendcp is killed: | zstd > f" { ending kill zstd; }
@test "endings: sendcp is killed: | ssh HOST cat > f" { ending kill ssh; }
@test "endings: sendcp is killed: | age > f" { ending kill age; }
@test "endings: sendcp is killed: --compress | cat > f" { ending kill compress-cat; }
@test "endings: sendcp is killed: --compress -f f" { ending kill compress-file; }
@test "endings: sendcp is killed: --archive -f f" { ending kill archive-file; }
@test "endings: sendcp is killed: | btrfs receive" { ending kill receive; }
@test "endings: sendcp is killed: | cat > f, no sidecar" { ending kill bare-cat; }
@test "endings: sendcp is killed: | zstd > f, no sidecar" { ending kill bare-zstd; }

@test "endings: all are killed: > f" { ending killall redirect; }
@test "endings: all are killed: -f f" { ending killall file; }
@test "endings: all are killed: | cat > f" { ending killall cat; }
@test "endings: all are killed: | zstd > f" { ending killall zstd; }
@test "endings: all are killed: | ssh HOST cat > f" { ending killall ssh; }
@test "endings: all are killed: | age > f" { ending killall age; }
@test "endings: all are killed: --compress | cat > f" { ending killall compress-cat; }
@test "endings: all are killed: --compress -f f" { ending killall compress-file; }
@test "endings: all are killed: --archive -f f" { ending killall archive-file; }
@test "endings: all are killed: | btrfs receive" { ending killall receive; }
@test "endings: all are killed: | cat > f, no sidecar" { ending killall bare-cat; }
@test "endings: all are killed: | zstd > f, no sidecar" { ending killall bare-zstd; }

@test "endings: the reader dies: | cat > f" { ending reader cat; }
@test "endings: the reader dies: | zstd > f" { ending reader zstd; }
@test "endings: the reader dies: | age > f" { ending reader age; }
@test "endings: the reader dies: --compress | cat > f" { ending reader compress-cat; }
@test "endings: the reader dies: | btrfs receive" { ending reader receive; }
@test "endings: the reader dies: | cat > f, no sidecar" { ending reader bare-cat; }
@test "endings: the reader dies: | zstd > f, no sidecar" { ending reader bare-zstd; }

@test "endings: ssh dies: | ssh HOST cat > f" { ending sshdies ssh; }

@test "endings: disk full: > f" { ending full redirect; }
@test "endings: disk full: -f f" { ending full file; }
@test "endings: disk full: | cat > f" { ending full cat; }
@test "endings: disk full: | zstd > f" { ending full zstd; }
@test "endings: disk full: | ssh HOST cat > f" { ending full ssh; }
@test "endings: disk full: | age > f" { ending full age; }
@test "endings: disk full: --compress | cat > f" { ending full compress-cat; }
@test "endings: disk full: --compress -f f" { ending full compress-file; }
@test "endings: disk full: --archive -f f" { ending full archive-file; }
@test "endings: disk full: | btrfs receive" { ending full receive; }
@test "endings: disk full: | cat > f, no sidecar" { ending full bare-cat; }
@test "endings: disk full: | zstd > f, no sidecar" { ending full bare-zstd; }

@test "endings: power cut: > f" { ending power redirect; }
@test "endings: power cut: -f f" { ending power file; }
@test "endings: power cut: >> f" { ending power append; }
@test "endings: power cut: | cat > f" { ending power cat; }
@test "endings: power cut: | zstd > f" { ending power zstd; }
@test "endings: power cut: | ssh HOST cat > f" { ending power ssh; }
@test "endings: power cut: | age > f" { ending power age; }
@test "endings: power cut: --compress | cat > f" { ending power compress-cat; }
@test "endings: power cut: --compress -f f" { ending power compress-file; }
@test "endings: power cut: --archive -f f" { ending power archive-file; }
@test "endings: power cut: | cat > f, no sidecar" { ending power bare-cat; }
@test "endings: power cut: | zstd > f, no sidecar" { ending power bare-zstd; }

@test "endings: snapshot deleted: > f" { ending gone redirect; }
@test "endings: snapshot deleted: -f f" { ending gone file; }
@test "endings: snapshot deleted: >> f" { ending gone append; }
@test "endings: snapshot deleted: | cat > f" { ending gone cat; }
@test "endings: snapshot deleted: | zstd > f" { ending gone zstd; }
@test "endings: snapshot deleted: | ssh HOST cat > f" { ending gone ssh; }
@test "endings: snapshot deleted: | age > f" { ending gone age; }
@test "endings: snapshot deleted: --compress | cat > f" { ending gone compress-cat; }
@test "endings: snapshot deleted: --compress -f f" { ending gone compress-file; }
@test "endings: snapshot deleted: --archive -f f" { ending gone archive-file; }
@test "endings: snapshot deleted: | btrfs receive" { ending gone receive; }
@test "endings: snapshot deleted: | cat > f, no sidecar" { ending gone bare-cat; }
@test "endings: snapshot deleted: | zstd > f, no sidecar" { ending gone bare-zstd; }

@test "endings: the same line in a loop: -f f" { ending loop file; }
@test "endings: the same line in a loop: >> f" { ending loop append; }
@test "endings: the same line in a loop: --compress -f f" { ending loop compress-file; }
@test "endings: the same line in a loop: --archive -f f" { ending loop archive-file; }

@test "endings: output unmounted: > f" { ending unmounted redirect; }
@test "endings: output unmounted: -f f" { ending unmounted file; }
@test "endings: output unmounted: | cat > f" { ending unmounted cat; }
@test "endings: output unmounted: | zstd > f" { ending unmounted zstd; }
@test "endings: output unmounted: | ssh HOST cat > f" { ending unmounted ssh; }
@test "endings: output unmounted: | age > f" { ending unmounted age; }
@test "endings: output unmounted: --compress | cat > f" { ending unmounted compress-cat; }
@test "endings: output unmounted: --compress -f f" { ending unmounted compress-file; }
@test "endings: output unmounted: --archive -f f" { ending unmounted archive-file; }
@test "endings: output unmounted: | btrfs receive" { ending unmounted receive; }
@test "endings: output unmounted: | cat > f, no sidecar" { ending unmounted bare-cat; }
@test "endings: output unmounted: | zstd > f, no sidecar" { ending unmounted bare-zstd; }

