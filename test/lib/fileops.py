# SPDX-License-Identifier: GPL-2.0-or-later
"""File operations for hand-made cases; all sizes are in bytes."""
import os
import random
import sys

from btrfsops import *  # noqa: F401,F403
from btrfsops import _libc, KEEP_SIZE, PUNCH_HOLE, ZERO_RANGE, fallocate, sync_file, write_at

K = 1024
M = 1024 * K
AT_FDCWD = -100
RENAME_EXCHANGE = 2


def blob(size, seed=1):
    """Incompressible contents; the same for the same seed."""
    return random.Random(seed).randbytes(size)


def text(size, seed=1):
    """Compressible contents."""
    line = b"line %d of a text that repeats itself\n" % seed
    return (line * (size // len(line) + 1))[:size]


def write(path, offset, data):
    """Writes and syncs, so that the next write makes another extent."""
    write_at(path, offset, data)
    sync_file(path)


def punch(path, offset, length):
    fallocate(path, KEEP_SIZE | PUNCH_HOLE, offset, length)


def zero(path, offset, length):
    fallocate(path, ZERO_RANGE, offset, length)


def preallocate(path, offset, length, keep_size=False):
    fallocate(path, KEEP_SIZE if keep_size else 0, offset, length)


def exchange(one, other):
    """Exchanges two names atomically."""
    if _libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), RENAME_EXCHANGE):
        sys.exit(f"cannot exchange {one} and {other}")


def same_times(path, like):
    """Gives path the times of another file, so that they do not differ."""
    st = os.lstat(like)
    os.utime(path, ns=(st.st_atime_ns, st.st_mtime_ns), follow_symlinks=False)
