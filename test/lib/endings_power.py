# SPDX-License-Identifier: GPL-2.0-or-later
"""Power cuts for endings.py: records the operations of sendcp and adds those of its reader; then,
for some moments, makes the files that a disk could have kept (crash_disk.py), and resumes."""
import os
import shlex

from crash_disk import WAYS, disk_after, keep_all
from crash_record import files_after, record
from endings_law import Broken, Story
from endings_world import HERE, SENDCP, SIZES, WORK, Result, must, write

FILE, SIDECAR = "out/f", "out/f.cp"
# A number for the reader's own file that no other file has.
READERS = 1 << 20
STATES = 2
# The size of writes of programs that copy and compress.
PIECE = 128 << 10


def command(case):
    """The original without its shell: a file that the shell opens is recorded like any other."""
    words = [SENDCP, "send"] + SIZES.split() + case.output.options.split()
    if case.output.to_file:
        words += ["-f", FILE]
    elif case.output.sidecar:
        words += ["--checkpoint", SIDECAR]
    return words + ["-p", case.parent, case.snapshot]


def recorded(case):
    """The operations of an uninterrupted run."""
    log = os.path.join(WORK, "strace")
    done, ops = record(HERE, files_after({}, []), command(case), log)
    if done.returncode:
        raise Broken("cannot record: %s" % done.stderr.decode())
    return ops


def read_by(case, data):
    """The reader's output for the data that it got, if it buffers nothing."""
    if case.output.reader in ("cat", "ssh"):
        return data
    line = shlex.split(case.original().split(" | ")[1].split(" > ")[0])
    return must(line, input=data)


def with_reader(case, ops, behind):
    """Operations with those of the reader, which never syncs, and may be some bytes late."""
    if case.output.to_file:
        return ops
    made = read_by(case, b"".join(op[1] for op in ops if op[0] == "pipe"))
    made = made[:max(0, len(made) - behind)]
    written = [("create", FILE, READERS)]
    written += [("write", READERS, at, made[at:at + PIECE]) for at in range(0, len(made), PIECE)]
    if case.output.remote:
        # The other host has not lost its power.
        written += [("sync", READERS), ("syncdir", os.path.dirname(FILE))]
    return [op for op in ops if op[0] != "pipe"] + written


def put(case, files):
    for name, path in ((FILE, case.file), (SIDECAR, case.sidecar)):
        if name in files:
            write(path, files[name])


def try_state(cell, ops, number):
    """The files after a power cut at a moment, as a disk may have kept them. In the first state it
    kept everything, so nothing is lost; in the others sendcp may refuse what is not proven."""
    case, rng = cell.case, cell.random
    way = rng.choice(WAYS) if number else keep_all
    case.place = rng.randrange(len(ops) // 2, len(ops))
    behind = rng.choice([0, 1, 40000, 1 << 20]) if number else 0
    disk = disk_after({}, with_reader(case, ops[:case.place], behind))
    cell.directories.clear()
    put(case, disk.cut(rng, way))
    cell.directories.save()
    story = Story(case)
    story.begin("power cut after operation %d of %d, %s" % (case.place, len(ops), way.__name__),
                Result(None, []))
    cell.go_on(story, sure=not number)


def run(cell):
    case = cell.case
    case.use_small()
    cell.directories.clear()
    ops = recorded(case)
    # Power cuts are random without other processes: rounds just try more states.
    for number in range(STATES):
        try_state(cell, ops, number if cell.stop else number + 1)
