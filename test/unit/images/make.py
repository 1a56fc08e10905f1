# SPDX-License-Identifier: GPL-2.0-or-later
"""Fills the small subvolumes that the unit tests and fuzz targets read.

usage: make.py tiny|links DIRECTORY

Small and dull on purpose: an image of it must compress to a few dozen KiB, and every kind of item
has to be there once or twice, so that a mutation of any byte has a chance to matter.
"""
import os
import random
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import btrfsops as ops

RANDOM = random.Random(2012)


def text(size, word=b"resume"):
    """Compressible, yet no two sectors alike."""
    return b"".join(b"%s %07d\n" % (word, i) for i in range(size // 14 + 1))[:size]


def regular():
    os.mkdir("data")
    ops.write_at("data/empty", 0, b"")
    ops.write_at("data/inline", 0, text(300))
    ops.write_at("data/one", 0, text(4096))
    ops.write_at("data/several", 0, text(150001))
    ops.write_at("data/hole", 0, text(9000))
    ops.write_at("data/hole", 40960, text(9000))
    os.truncate("data/hole", 100000)
    ops.fallocate("data/prealloc", 0, 0, 65536)
    ops.write_at("data/prealloc", 8192, text(5000))
    ops.write_at("data/prealloc-beyond", 0, text(5000))
    ops.fallocate("data/prealloc-beyond", ops.KEEP_SIZE, 0, 65536)


def compressed():
    os.mkdir("compressed")
    for algorithm in ("zlib", "lzo", "zstd"):
        for name, size in (("inline", 1500), ("large", 140000)):
            path = "compressed/%s.%s" % (name, algorithm)
            ops.write_at(path, 0, b"")
            ops.set_compression(path, algorithm)
            ops.write_at(path, 0, text(size))
            ops.sync_file(path)
    ops.reflink("compressed/large.zstd", 16384, 32768, "compressed/piece", 4096)


def reflinks():
    os.mkdir("reflink")
    ops.sync_file("data/several")
    ops.reflink("data/several", 0, 0, "reflink/whole", 0)
    ops.reflink("data/several", 8192, 16384, "reflink/part", 4096)
    ops.reflink("data/several", 0, 0, "reflink/longer", 0)
    ops.write_at("reflink/longer", 160000, text(100))
    ops.reflink("data/several", 0, 0, "reflink/changed", 0)
    ops.write_at("reflink/changed", 30000, text(20000, b"change"))


def special():
    os.mkdir("special")
    os.mkfifo("special/fifo")
    server = socket.socket(socket.AF_UNIX)
    server.bind("special/socket")
    server.close()
    os.mknod("special/null", 0o020666, os.makedev(1, 3))
    os.symlink("../data/inline", "special/symlink")
    os.symlink("x" * 1000, "special/long-symlink")


def names():
    os.mkdir("names")
    ops.write_at("names/0", 0, text(10))
    for i in range(1, 12):
        os.link("names/0", "names/%d" % i)
    # Two names of one hash, and so many bytes of names that extended references are needed.
    os.mkdir("names/long")
    for i in range(24):
        os.link("names/0", "names/long/%02d%s" % (i, "n" * 200))
    deep = "names"
    for i in range(12):
        deep += "/" + "d%d" % i
        os.mkdir(deep)
    ops.write_at(deep + "/" + "f" * 255, 0, text(20))
    # A child older than its parent: the parent has to be made early.
    os.mkdir("names/old-child")
    os.mkdir("names/new-parent")
    os.rename("names/old-child", "names/new-parent/old-child")


def xattrs():
    ops.write_at("xattrs", 0, text(50))
    for i in range(5):
        os.setxattr("xattrs", "user.number%d" % i, text(20 * i))
    for name in ("user.ccaoacux", "user.wcjifoae"):
        os.setxattr("xattrs", name, b"same hash")
    os.setxattr("xattrs", "user.large", text(3000))
    os.setxattr("xattrs", "security.capability",
                bytes.fromhex("0100000200040000000000000000000000000000"))
    os.chown("xattrs", 1000, 1001)
    os.utime("xattrs", ns=(10 ** 18 + 1, 10 ** 18 + 2))
    os.setxattr(".", "user.root", b"of the root directory")


def many_files():
    os.mkdir("many")
    for i in range(150):
        ops.write_at("many/file%03d" % i, 0, text(i))


def tiny():
    for part in (regular, compressed, reflinks, special, names, xattrs, many_files):
        part()


def links():
    """One inode with very many names, in two directories, between inodes with few."""
    os.mkdir("a")
    os.mkdir("b")
    ops.write_at("a/first", 0, text(20))
    ops.write_at("file", 0, text(5000))
    for i in range(5000):
        os.link("file", "a/%d" % i)
        os.link("file", "b/%d" % i)
    ops.write_at("b/last", 0, text(20))


def main():
    kind, directory = sys.argv[1:]
    os.chdir(directory)
    {"tiny": tiny, "links": links}[kind]()


if __name__ == "__main__":
    main()
