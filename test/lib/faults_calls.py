# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls that faults.py has fail: their classes, the ways in which each fails, and the table that
failcall.so (test/tools/failcall.h) leaves."""
import errno
import os
import re
import struct
import subprocess

CLASSES = ("memory read queue write flush sync rename truncate open close ioctl thread process pipes "
           "lock poll stat").split()
ONCE, ON = "", "+"


class Way:
    """How a call fails. @transparent: of these functions that is no failure, and no user may see
    it."""

    def __init__(self, name, on=ONCE, transparent=()):
        number = str(getattr(errno, name)) if name.startswith("E") else name
        self.name = name + on
        self.word = number + on
        self.transparent = transparent


READS = ("read", "pread", "pread64")
WRITES = ("write", "pwrite", "pwrite64")
WAYS = {
    "memory": [Way("ENOMEM"), Way("ENOMEM", ON)],
    "read": [Way("EIO"), Way("EIO", ON), Way("EINTR", transparent=READS),
             Way("short", transparent=READS)],
    "queue": [Way("EAGAIN"), Way("EIO"), Way("EINTR", transparent=("io_getevents",))],
    "write": [Way("ENOSPC"), Way("ENOSPC", ON), Way("EIO"), Way("EPIPE"),
              Way("EINTR", transparent=WRITES), Way("short", transparent=WRITES)],
    "flush": [Way("ENOSPC")],
    "sync": [Way("EIO"), Way("EIO", ON), Way("ENOSPC")],
    "rename": [Way("EIO"), Way("EACCES"), Way("ENOSPC")],
    "truncate": [Way("EIO")],
    "open": [Way("EMFILE"), Way("EMFILE", ON), Way("ENOMEM"), Way("EACCES"), Way("EIO")],
    "close": [Way("EIO"), Way("EINTR")],
    "ioctl": [Way("EIO"), Way("ENOMEM"), Way("EPERM"), Way("EINTR")],
    "thread": [Way("EAGAIN"), Way("EAGAIN", ON)],
    "process": [Way("EAGAIN"), Way("ENOMEM"), Way("EINTR", transparent=("waitpid",))],
    "pipes": [Way("EMFILE")],
    "lock": [Way("ENOLCK"), Way("EAGAIN"), Way("EINTR")],
    "poll": [Way("ENOMEM"), Way("EINTR", transparent=("poll",))],
    "stat": [Way("EIO"), Way("EACCES"), Way("ENOMEM")],
}
SLOTS, CLASSES_MAX, RECORDS, DEPTH = 64, 32, 65536, 24
COUNTS_AT = 16
CALLERS_AT = COUNTS_AT + 4 * SLOTS * CLASSES_MAX
FUNCTION_AT = CALLERS_AT + 8 * DEPTH
OBJECT_AT = FUNCTION_AT + 32
RECORDS_AT = OBJECT_AT + 32
TABLE_SIZE = RECORDS_AT + 16 * RECORDS


class Fault:
    """One call of a program, and how it fails."""

    def __init__(self, name, slot, n, way):
        self.name = name
        self.slot = slot
        self.n = n
        self.way = way

    def __str__(self):
        return "%s:%d:%d:%s" % (self.name, self.slot, self.n, self.way.name)

    def environment(self):
        return {"FAILCALL": "%s:%d:%d:%s" % (self.name, self.slot, self.n, self.way.word)}


def parse_fault(text):
    name, slot, n, way = text.split(":")
    return Fault(name, int(slot), int(n), next(w for w in WAYS[name] if w.name == way))


class Table:
    """What failcall.so counted in one run."""

    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read(RECORDS_AT)
            self.slots, self.hits, records = struct.unpack_from("3I", data)
            self.records = list(struct.iter_unpack("=IIQ", f.read(16 * min(records, RECORDS))))
        self.slots = min(self.slots, SLOTS)
        self.data = data
        self.function = data[FUNCTION_AT:OBJECT_AT].rstrip(b"\0").decode()
        self.object = data[OBJECT_AT:RECORDS_AT].rstrip(b"\0").decode()

    @staticmethod
    def make(path):
        with open(path, "wb") as f:
            f.truncate(TABLE_SIZE)

    def count(self, slot, name):
        at = COUNTS_AT + 4 * (slot * CLASSES_MAX + CLASSES.index(name))
        return struct.unpack_from("I", self.data, at)[0]

    def callers(self):
        """Where in the program the failed call was made from, innermost first."""
        offsets = [at - 1 for at in struct.unpack_from("%dQ" % DEPTH, self.data, CALLERS_AT)
                   if 0 < at < 1 << 32]
        done = subprocess.run(["addr2line", "-fs", "-e", os.environ["SENDCP"]] +
                              [hex(at) for at in offsets], check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        lines = done.stdout.decode().splitlines()
        named = ["%s (%s)" % (name, re.sub(r" \(.*", "", place))
                 for name, place in zip(lines[::2], lines[1::2]) if not place.startswith("??")]
        return [self.function] + named

    def all_places(self, name):
        return [(slot, n + 1) for slot in range(self.slots) for n in range(self.count(slot, name))]

    def distinct_places(self):
        """The first and the last call from each chain of callers; needs a run that was traced."""
        seen = {}
        for slot, n, callers in self.records:
            seen.setdefault((slot, callers), []).append(n)
        return sorted({(slot, n) for (slot, _), calls in seen.items()
                       for n in (calls[0], calls[-1])})
