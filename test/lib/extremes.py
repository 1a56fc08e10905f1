#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Subvolumes with the shortest and the longest values of all attributes of commands.

usage: extremes.py DIRECTORY

Makes the subvolume DIRECTORY/w and its snapshots DIRECTORY/a and DIRECTORY/b, between which every
inode changed. Needs data checksums, and no compression by mount option.
"""
import errno
import os
import random
import stat
import subprocess
import sys

import btrfsops as ops

RANDOM = random.Random(4095)


def named(letter):
    """Names of 1, 2 and 255 bytes."""
    return [letter, letter * 2, letter + "n" * 254]


def put(path, data, algorithm=None):
    ops.write_at(path, 0, b"")
    if algorithm:
        ops.set_compression(path, algorithm)
    ops.write_at(path, 0, data)
    ops.sync_file(path)


def largest_attribute(path):
    """The largest that fits into a tree block, to the byte."""
    low, high = 0, 65536
    while low < high:
        size = (low + high + 1) // 2
        try:
            os.setxattr(path, "user.l", b"l" * size)
            low = size
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.E2BIG):
                raise
            high = size - 1


def longest_target(path):
    for size in range(4096, 0, -1):
        try:
            os.symlink("t" * size, path)
            return
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise


def deepest(top):
    """A path of 4095 bytes below @top that ends in a file; returns its directory's fd and its
    name."""
    fd, length = os.open(".", os.O_RDONLY), -1
    name = top
    while True:
        length += 1 + len(name)
        left = 4095 - length - 1
        os.mkdir(name, dir_fd=fd)
        inner = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
        if left <= 255:
            return fd, "f" * left
        # At least one byte must be left for the file.
        name = "d" * min(255, left - 2)


def first():
    for name in named("a"):
        put(name, RANDOM.randbytes(1500000))
    for name in named("c"):
        put(name, b"compressed" * 30000, "zstd")
    for name in named("i"):
        put(name, b"i" * 100)
    for name in named("h") + named("e"):
        put(name, RANDOM.randbytes(300000))
    for name in named("x"):
        put(name, b"")
        os.setxattr(name, "user.e", b"")
        os.setxattr(name, "user." + "n" * 250, b"v")
        largest_attribute(name)
    for name in named("d"):
        os.mkdir(name)
        os.mkdir(name + "/m")
        put(name + "/m/f", b"f")
    for name in named("s"):
        os.symlink("t", name)
    longest_target("l")
    for name in named("p"):
        os.mkfifo(name)
    for name in named("k"):
        os.mknod(name, stat.S_IFSOCK | 0o600)
    for name in named("b"):
        os.mknod(name, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    for name in named("r"):
        ops.reflink("a", 0, 0, name, 0)
    fd, name = deepest("D")
    inner = os.open(name, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=fd)
    os.write(inner, RANDOM.randbytes(20000))
    os.setxattr(inner, "user.e", b"")
    os.close(inner)
    return fd, name


def second(fd, deep):
    for name in named("a"):
        ops.write_at(name, 700000, RANDOM.randbytes(100000))
        os.truncate(name, 1400001)
    for name in named("c"):
        ops.write_at(name, 131072, b"changed" * 30000)
        ops.sync_file(name)
    for name in named("i"):
        os.chmod(name, 0o600)
        os.chown(name, 1, 2)
    for name in named("h"):
        ops.fallocate(name, ops.PUNCH_HOLE | ops.KEEP_SIZE, 65536, 65536)
        ops.fallocate(name, ops.PUNCH_HOLE | ops.KEEP_SIZE, 262144, 65536)
    for name in named("e"):
        # Within its last sector.
        os.truncate(name, 299500)
    for name in named("x"):
        os.removexattr(name, "user.e")
        os.removexattr(name, "user." + "n" * 250)
        os.setxattr(name, "user.l", b"")
    # Each moves below the other's old parent: the first must wait.
    os.rename("dd/m", "M")
    os.rename("d", "M/d")
    os.rename("dd", "M/d/m/d")
    os.mkdir("d")
    for name in named("s"):
        os.unlink(name)
        os.mkfifo(name)
    for name in named("p"):
        os.link(name, name[:-1] + "q")
    for name in named("k"):
        os.rename(name, name[:-1] + "K")
    for name in named("r"):
        os.unlink(name)
        ops.reflink("h", 0, 0, name, 0)
    inner = os.open(deep, os.O_WRONLY, dir_fd=fd)
    os.pwrite(inner, RANDOM.randbytes(5000), 4096)
    os.removexattr(inner, "user.e")
    os.close(inner)


def snapshot(name):
    subprocess.run(["btrfs", "-q", "subvolume", "snapshot", "-r", ".", "../" + name], check=True)


def main():
    os.umask(0o022)
    os.chdir(sys.argv[1])
    subprocess.run(["btrfs", "-q", "subvolume", "create", "w"], check=True)
    os.chdir("w")
    fd, deep = first()
    snapshot("a")
    second(fd, deep)
    os.close(fd)
    snapshot("b")


main()
