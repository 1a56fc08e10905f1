# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Loaded by every bats suite.

bats_require_minimum_version 1.5.0
# Not the state directory of the one who runs the tests.
export SENDCP_STATE_DIR=$BATS_FILE_TMPDIR/state
# shellcheck source=fixture.bash
source "$BATS_TEST_DIRNAME/../lib/fixture.bash"
for library in bats-support bats-assert bats-file; do
	load "/usr/lib/bats/$library/load.bash"
done

# A number from 1 to LIMIT that depends on SEED alone, so that random tests are reproducible.
pick()
{
	local limit=$1 seed=$2

	python3 -c 'import random, sys
print(random.Random(sys.argv[2]).randint(1, int(sys.argv[1])))' "$limit" "$seed"
}

file_size()
{
	stat -c %s "$1"
}

# resume_rest CHECKPOINT PART [OPTIONS]: writes what PART is without, the first bytes of a pipe whose
# sender was killed. Its last bytes may all have been in the pipe, and the stream complete, before the
# signal came: then --at is refused, and PART's own contents prove up to where it can be kept.
resume_rest()
{
	local checkpoint=$1 part=$2 position

	shift 2
	if "$SENDCP" show "$checkpoint" | grep -q "^state: *complete"; then
		position=$("$SENDCP" verify --position "$part")
		truncate -s "${position%%:*}" "$part"
		"$SENDCP" resume -q "$@" --checkpoint "$checkpoint" --have "$position"
	else
		"$SENDCP" resume -q "$@" --checkpoint "$checkpoint" --at "$(file_size "$part")"
	fi
}

# Messages from standard input, with N for the numbers that no two runs have alike: how long it took.
without_times()
{
	sed -E 's#, [0-9.]+ [KMGT]?i?B/s#, N/s#; s/ bytes in ([0-9.]+ s|[0-9]+:[0-9:]+)/ bytes in N/'
}

# edit_sidecar FILE STATEMENT: runs a Python statement on each line's object o, and updates its sum.
edit_sidecar()
{
	require_program xxhsum
	python3 - "$1" "$2" <<-'END'
	import json, subprocess, sys
	out = []
	for line in open(sys.argv[1]):
	    o = json.loads(line)
	    del o["sum"]
	    exec(sys.argv[2])
	    text = json.dumps(o, separators=(",", ":"))[:-1]
	    digest = subprocess.run(["xxhsum", "-H3"], input=text.encode(), capture_output=True,
	                            check=True).stdout.decode()
	    digest = digest.split("=")[-1].split()[0].removeprefix("XXH3_")
	    out.append('%s,"sum":"%s"}\n' % (text, digest))
	open(sys.argv[1], "w").writelines(out)
	END
}
