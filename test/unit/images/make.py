# SPDX-License-Identifier: GPL-2.0-or-later
"""Fills the small subvolumes that the unit tests and fuzz targets read.

usage: make.py tiny|links|changes|changes-later|moves|moves-later|small|small-later|few|
       few-later DIRECTORY

Kept small: an image must compress to a few dozen KiB, and contain every kind of item once or twice,
so that a mutation of any byte is likely to matter.
"""
import os
import random
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
import btrfsops as ops

RANDOM = random.Random(2012)


def text(size, word=b"resume"):
    """Compressible, but no two sectors are equal."""
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
    # Two names with one hash, and so many bytes of names that extended references are needed.
    os.mkdir("names/long")
    for i in range(24):
        os.link("names/0", "names/long/%02d%s" % (i, "n" * 200))
    deep = "names"
    for i in range(12):
        deep += "/" + "d%d" % i
        os.mkdir(deep)
    ops.write_at(deep + "/" + "f" * 255, 0, text(20))
    # A child older than its parent: the parent must be created early.
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


def changes():
    """The tree before changes_later()."""
    for part in (regular, compressed, special, names, xattrs):
        part()
    for name in "abcdef":
        os.makedirs("dirs/%s/sub" % name)
        ops.write_at("dirs/%s/sub/file" % name, 0, text(40))
    for i in range(40):
        ops.write_at("file%02d" % i, 0, text(5000))


def changed_names():
    os.rename("dirs/a", "dirs/tmp")
    os.rename("dirs/b", "dirs/a")
    os.rename("dirs/tmp", "dirs/b")
    # Parent and child exchange their positions; a directory moves below a newer one.
    os.rename("dirs/c/sub", "dirs/up")
    os.rename("dirs/c", "dirs/up/c")
    os.mkdir("dirs/new")
    os.rename("dirs/d", "dirs/new/d")
    ops.write_at("dirs/e/sub/another", 0, text(10))
    os.rename("dirs/e/sub", "dirs/e/renamed")
    os.unlink("dirs/f/sub/file")
    os.rmdir("dirs/f/sub")
    os.rmdir("dirs/f")
    for i in range(6):
        os.unlink("names/%d" % i)
    for i in range(12, 30):
        os.link("names/11", "names/long/%02d%s" % (i + 20, "m" * 180))
    os.rename("file00", "tmp")
    os.rename("file01", "file00")
    os.rename("tmp", "file01")
    os.rename("names/new-parent", "moved-parent")


def changed_files():
    for i in range(10, 20):
        os.unlink("file%02d" % i)
    for i in range(20, 24):
        # The same name for another inode of another type.
        os.unlink("file%02d" % i)
        os.mkdir("file%02d" % i)
    os.unlink("special/fifo")
    ops.write_at("special/fifo", 0, text(100))
    ops.write_at("file30", 4096, text(4096, b"other!"))
    os.truncate("file31", 100)
    os.truncate("file32", 100000)
    ops.fallocate("data/several", ops.PUNCH_HOLE | ops.KEEP_SIZE, 40960, 40960)
    ops.write_at("data/hole", 20480, text(5000))
    ops.reflink("compressed/large.zstd", 0, 65536, "data/prealloc", 0)
    ops.reflink("data/several", 0, 32768, "file33", 0)
    os.unlink("compressed/large.lzo")
    os.chmod("file34", 0o600)
    os.chown("file35", 12, 13)
    os.utime("file36", ns=(10 ** 18, 10 ** 18))
    os.setxattr("xattrs", "user.number1", text(33))
    os.removexattr("xattrs", "user.number2")
    os.setxattr("xattrs", "user.another", b"new")
    os.setxattr("file37", "user.first", b"x")


def changes_later():
    changed_names()
    changed_files()


# The parent of each, or None. When the delayed ones are moved, one must be delayed again.
LOOPS_BEFORE = [1, None, 3, None, None, 3]
LOOPS_AFTER = [3, 4, 5, 2, 0, None]


def loop_path(parents, i):
    above = "loops" if parents[i] is None else loop_path(parents, parents[i])
    return "%s/n%d" % (above, i)


def arrange_loops(parents, wanted):
    for target in ([None] * len(wanted), wanted):
        for i, parent in enumerate(target):
            old = loop_path(parents, i)
            parents[i] = parent
            os.rename(old, loop_path(parents, i))


def moves():
    """Directories whose moves must be delayed."""
    os.mkdir("loops")
    for i in range(len(LOOPS_BEFORE)):
        os.mkdir("loops/n%d" % i)
    arrange_loops([None] * len(LOOPS_BEFORE), LOOPS_BEFORE)
    for path in ("p1/p2/p3", "p4/p5", "p6", "a1/a2", "b1/b2", "c1"):
        os.makedirs(path)
    for i in range(5):
        os.makedirs("wait/d%d/sub" % i)
        os.makedirs("gone%d/sub" % i)
    os.mkdir("last")


def moves_later():
    arrange_loops(list(LOOPS_BEFORE), LOOPS_AFTER)
    # A chain is inverted.
    os.rename("p1/p2/p3", "p3")
    os.rename("p4/p5", "p3/p5")
    os.rename("p4", "p3/p5/p4")
    os.rename("p1/p2", "p3/p5/p4/p2")
    os.rename("p1", "p3/p5/p4/p2/p1")
    os.rename("p6", "p3/p5/p4/p2/p1/p6")
    os.rename("p3", "p0")
    # Two trees exchange their positions over two levels.
    os.rename("a1/a2", "b1/b2/x2")
    os.rename("b1/b2", "c1/y2")
    os.rename("b1", "c1/y2/x2/z1")
    os.rename("a1", "c1/y2/x2/z1/w1")
    # Many wait for one directory; some leave directories that are then removed.
    for i in range(5):
        os.rename("wait/d%d" % i, "last/e%d" % i)
        os.rename("gone%d/sub" % i, "last/sub%d" % i)
        os.rmdir("gone%d" % i)
    os.rename("last", "first")


def small():
    """Every kind of item that a send reads, and as few tree blocks as possible: a test that changes
    each of their bytes sends the subvolume that often."""
    ops.write_at("inline", 0, text(40))
    ops.write_at("extents", 0, text(6000))
    ops.sync_file("extents")
    ops.reflink("extents", 0, 4096, "clone", 0)
    ops.write_at("zstd", 0, b"")
    ops.set_compression("zstd", "zstd")
    ops.write_at("zstd", 0, text(9000))
    ops.fallocate("prealloc", 0, 0, 8192)
    ops.write_at("hole", 8192, text(4096))
    os.link("inline", "linked")
    os.mkdir("dir")
    os.mkdir("dir/sub")
    ops.write_at("dir/sub/file", 0, text(10))
    ops.write_at("gone", 0, text(10))
    os.symlink("inline", "symlink")
    os.mkfifo("fifo")
    os.setxattr("inline", "user.name", b"value")
    for i in range(6):
        os.link("fifo", "%d%s" % (i, "n" * 180))


def small_later():
    os.rename("dir/sub", "sub")
    os.rename("dir", "sub/dir")
    os.unlink("gone")
    os.mkdir("gone")
    os.unlink("linked")
    os.rename("inline", "renamed")
    os.setxattr("renamed", "user.name", b"other")
    ops.write_at("extents", 4096, text(1000, b"change"))
    os.truncate("hole", 20000)
    os.chmod("zstd", 0o600)
    ops.reflink("zstd", 0, 4096, "prealloc", 4096)


def few():
    """A stream of a few hundred bytes: a test runs a command for each of them."""
    os.mkdir("dir")
    ops.write_at("dir/file", 0, text(30))
    os.symlink("dir", "symlink")


def few_later():
    os.rename("dir/file", "file")


def main():
    kind, directory = sys.argv[1:]
    os.chdir(directory)
    {"tiny": tiny, "links": links, "changes": changes, "changes-later": changes_later,
     "moves": moves, "moves-later": moves_later, "small": small,
     "small-later": small_later, "few": few, "few-later": few_later}[kind]()


if __name__ == "__main__":
    main()
