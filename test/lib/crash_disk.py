# SPDX-License-Identifier: GPL-2.0-or-later
"""A disk that loses power: which of a program's writes survive.

The program's actions are a list of operations, in the order of their completion:

    ("create", name, inode)     ("rename", old, new)        ("unlink", name)
    ("write", inode, offset, data)                          ("truncate", inode, size)
    ("sync", inode)             ("syncdir", directory)      ("pipe", data)

Unsynced operations have no guarantee: each write, truncation and directory change may have reached
the disk or not, independent of earlier ones, and a write may have reached it in part. A file's
fsync does not cover its name. Every real filesystem guarantees more. Only a write that overwrites
durable bytes of a single sector is atomic ("rewrite").
"""
import os

SECTOR = 512
NAMES = ("create", "rename", "unlink")


def directory_of(name):
    return os.path.dirname(name)


class Files:
    """Names and contents."""

    def __init__(self):
        self.names = {}
        self.contents = {}

    def add(self, name, data):
        inode = 1 + max(self.contents, default=0)
        self.names[name] = inode
        self.contents[inode] = bytearray(data)

    def apply(self, op):
        kind = op[0]
        if kind == "create":
            self.names[op[1]] = op[2]
            self.contents.setdefault(op[2], bytearray())
        elif kind == "rename":
            # The old name of a renamed file may never have been on the disk.
            inode = self.names.pop(op[1], None)
            if inode is None:
                inode = op[3]
            self.names[op[2]] = inode
        elif kind == "unlink":
            self.names.pop(op[1], None)
        elif kind in ("write", "rewrite"):
            self.write(op[1], op[2], op[3])
        elif kind == "truncate":
            self.resize(op[1], op[2])

    def resize(self, inode, size):
        data = self.contents.setdefault(inode, bytearray())
        del data[size:]
        data.extend(bytes(size - len(data)))

    def write(self, inode, offset, piece):
        data = self.contents.setdefault(inode, bytearray())
        if len(data) < offset:
            data.extend(bytes(offset - len(data)))
        data[offset:offset + len(piece)] = piece

    def whole(self):
        return {name: bytes(self.contents.get(inode, b"")) for name, inode in self.names.items()}


# Ways to choose the unsynced operations that reached the disk. Each gets a random generator, the
# unsynced operations of one file or directory, and the file's names; it yields operations.

def keep_all(rng, ops, names):
    yield from ops


def keep_none(rng, ops, names):
    return iter(())


def keep_sizes(rng, ops, names):
    """Files have their sizes, but all written data are zeros."""
    for op in ops:
        yield ("write", op[1], op[2], bytes(len(op[3]))) if op[0] == "write" else op


def keep_names(rng, ops, names):
    yield from (op for op in ops if op[0] in NAMES)


def keep_contents(rng, ops, names):
    yield from (op for op in ops if op[0] not in NAMES)


def keep_last(rng, ops, names):
    """Only the data of the last operation got there."""
    yield from (op if i == len(ops) - 1 or op[0] in NAMES else sized(op)
                for i, op in enumerate(ops))


def sized(op):
    return ("write", op[1], op[2], bytes(len(op[3]))) if op[0] == "write" else op


def keep_journal(rng, ops, names):
    """Operations of the journal and of directories, none of the output."""
    yield from (op for op in ops if op[0] in NAMES or any(".cp" in n for n in names))


def keep_output(rng, ops, names):
    yield from (op for op in ops if op[0] in NAMES or not any(".cp" in n for n in names))


def torn(rng, op):
    """An unfinished write: up to any byte, up to a sector, or any of its sectors."""
    _, inode, offset, data = op
    how = rng.randrange(4)
    if how == 0:
        yield ("write", inode, offset, data[:rng.randrange(len(data) + 1)])
    elif how == 1:
        sectors = (offset + len(data)) // SECTOR - offset // SECTOR
        end = (offset // SECTOR + rng.randint(0, sectors)) * SECTOR
        yield ("write", inode, offset, data[:max(0, end - offset)])
    elif how == 2:
        yield from some_sectors(rng, op)
    else:
        # The size got there, and only some of the data.
        yield ("write", inode, offset, bytes(len(data)))
        yield from some_sectors(rng, op)


def some_sectors(rng, op):
    _, inode, offset, data = op
    at = 0
    share = rng.random()
    while at < len(data):
        end = min(len(data), (offset + at) // SECTOR * SECTOR + SECTOR - offset)
        if rng.random() < share:
            yield ("write", inode, offset + at, data[at:end])
        at = end


def keep_some(rng, ops, names):
    share = rng.choice([0.2, 0.5, 0.8])
    for op in ops:
        way = rng.random()
        if way < share:
            yield op
        elif op[0] == "write" and way < share + (1 - share) / 2:
            yield from torn(rng, op)


def keep_torn_end(rng, ops, names):
    """All but the last write, and that in part: the usual crash."""
    for i, op in enumerate(ops):
        if i == len(ops) - 1 and op[0] == "write":
            yield from torn(rng, op)
        else:
            yield op


WAYS = [keep_all, keep_none, keep_sizes, keep_names, keep_contents, keep_last, keep_journal,
        keep_output, keep_some, keep_torn_end, keep_some, keep_some]


class Disk:
    """The durable files, and the operations since."""

    def __init__(self, initial):
        self.durable = Files()
        self.live = Files()
        for name, data in initial.items():
            self.durable.add(name, data)
            self.live.add(name, data)
        # Keyed by inode, or by directory.
        self.unsynced = {}

    def do(self, op):
        if op[0] == "pipe":
            return
        if op[0] in ("sync", "syncdir"):
            for done in self.unsynced.pop(op[1], []):
                self.durable.apply(done)
            return
        if op[0] == "rename":
            op += (self.live.names[op[1]],)
        if op[0] == "write" and self.in_sector(*op[1:]):
            op = ("rewrite",) + op[1:]
        where = directory_of(op[1]) if op[0] in NAMES else op[1]
        self.unsynced.setdefault(where, []).append(op)
        self.live.apply(op)

    def in_sector(self, inode, offset, data):
        end = offset + len(data)
        return (end <= len(self.durable.contents.get(inode, b"")) and
                offset // SECTOR == (end - 1) // SECTOR)

    def names_of(self, inode):
        return [n for files in (self.live, self.durable) for n, i in files.names.items()
                if i == inode]

    def cut(self, rng, way):
        """The files after the power cut; the way is applied to each file and directory on its
        own."""
        files = Files()
        files.names = dict(self.durable.names)
        files.contents = {i: bytearray(d) for i, d in self.durable.contents.items()}
        for where, ops in self.unsynced.items():
            names = self.names_of(where) if isinstance(where, int) else []
            for op in way(rng, ops, names):
                files.apply(op)
        return files.whole()


def disk_after(initial, ops):
    disk = Disk(initial)
    for op in ops:
        disk.do(op)
    return disk
