#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the subvolume s and its snapshots parent.ro and s.ro for faults.py: few files, but a stream
of several batches, with inline, compressed, preallocated and shared extents, links and attributes.

usage: faults_tree.py DIRECTORY
"""
import os
import random
import subprocess
import sys

from btrfsops import KEEP_SIZE, fallocate, reflink, set_compression, write_at


def btrfs(*words):
    subprocess.run(["btrfs", "-q", *words], check=True)


def fill(path, size, rng):
    write_at(path, 0, rng.randbytes(size))


def before(top, rng):
    os.mkdir(top + "/kept")
    os.mkdir(top + "/moved")
    for i in range(4):
        fill(top + "/kept/f%d" % i, 60000 + 1000 * i, rng)
    fill(top + "/small", 100, rng)
    os.symlink("small", top + "/link")
    os.link(top + "/small", top + "/moved/hard")
    os.setxattr(top + "/small", "user.note", b"x" * 50)


def changed(top, rng):
    for i in range(6):
        fill(top + "/new%d" % i, 90000 + 777 * i, rng)
    write_at(top + "/kept/f1", 8192, rng.randbytes(5000))
    reflink(top + "/kept/f2", 0, 0, top + "/clone", 0)
    write_at(top + "/packed", 0, b"")
    set_compression(top + "/packed", "zstd")
    write_at(top + "/packed", 0, b"".join(b"%d\n" % (i // 3) for i in range(20000)))
    fallocate(top + "/reserved", KEEP_SIZE, 0, 65536)
    os.rename(top + "/moved", top + "/kept/moved")
    os.unlink(top + "/link")
    os.setxattr(top + "/small", "user.note", b"y")


def main():
    top = sys.argv[1] + "/s"
    rng = random.Random(1)
    btrfs("subvolume", "create", top)
    before(top, rng)
    btrfs("subvolume", "snapshot", "-r", top, sys.argv[1] + "/parent.ro")
    changed(top, rng)
    btrfs("subvolume", "snapshot", "-r", top, sys.argv[1] + "/s.ro")
    btrfs("filesystem", "sync", sys.argv[1])


main()
