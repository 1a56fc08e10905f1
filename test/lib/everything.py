# SPDX-License-Identifier: GPL-2.0-or-later
"""Fills a subvolume with every kind of item that a full send can meet.

usage: everything.py DIRECTORY [--light] [--receivable] [--image]

--light leaves out the very large cases; --receivable keeps paths short enough for `btrfs receive`,
which prepends its own directory; --image makes everything highly compressible (for committed
images) and leaves out items that the native send loses. The snapshot is DIRECTORY.ro. Every run
makes the same bytes.
"""
import os
import random
import socket
import stat
import struct
import subprocess
import sys

import btrfsops as ops

RANDOM = random.Random(20121012)
SECTOR = 4096
# Names of equal length and CRC-32C, whatever the seed: their items share one key.
COLLISIONS = [("ccaoacux", "wcjifoae"), ("mxwslzkr", "pnnmgjjg"), ("pbwnlavy", "ziibfswd")]


OPTIONS = set(sys.argv[2:])
BLOCK = RANDOM.randbytes(1024)


def noise(size):
    """Incompressible; in committed images only within a small window."""
    if "--image" not in OPTIONS:
        return RANDOM.randbytes(size)
    turn = RANDOM.randrange(1024)
    return ((BLOCK[turn:] + BLOCK[:turn]) * (size // 1024 + 1))[:size]


def text(size):
    """Compressible, but nowhere the same."""
    line = b"line %08d of a file that compresses well, well, well\n"
    return b"".join(line % i for i in range(size // 50 + 1))[:size]


def put(path, data):
    ops.write_at(path, 0, data)


def sizes():
    """Around each limit of inline data, sectors and stream chunks."""
    os.mkdir("sizes")
    limits = [0, 1, 2, 100, 2047, 2048, 2049, 3900, 4095, 4096, 4097, 8192, 16383, 49151, 49152,
              49153, 65536, 98304, 131071, 131072, 131073, 262145, 1048576 + 17]
    for size in limits:
        put("sizes/%d" % size, noise(size))
        put("sizes/%d.text" % size, text(size))


def holes():
    os.mkdir("holes")
    put("holes/middle", noise(256 << 10))
    ops.fallocate("holes/middle", ops.PUNCH_HOLE | ops.KEEP_SIZE, 64 << 10, 64 << 10)
    put("holes/start", b"")
    ops.write_at("holes/start", 100 << 10, noise(5000))
    put("holes/tail", noise(10000))
    os.truncate("holes/tail", 3 << 20)
    put("holes/only", b"")
    os.truncate("holes/only", 123457)
    for gigabytes in (0, 1, 4, 5, 9):
        ops.write_at("holes/gigabytes", gigabytes << 30, noise(9000))
    os.truncate("holes/gigabytes", (12 << 30) + 1)
    put("holes/zeros", bytes(200000))
    put("holes/unaligned", noise(20000))
    ops.fallocate("holes/unaligned", ops.PUNCH_HOLE | ops.KEEP_SIZE, 5001, 9001)
    put("holes/inline-then-more", noise(100))
    ops.sync_file("holes/inline-then-more")
    ops.write_at("holes/inline-then-more", 9000, noise(100))


def preallocation():
    os.mkdir("prealloc")
    ops.fallocate("prealloc/all", 0, 0, 300000)
    ops.fallocate("prealloc/beyond-end", ops.KEEP_SIZE, 0, 1 << 20)
    ops.write_at("prealloc/beyond-end", 0, noise(50000))
    ops.fallocate("prealloc/written-into", 0, 0, 1 << 20)
    ops.sync_file("prealloc/written-into")
    ops.write_at("prealloc/written-into", 300000, noise(70000))
    put("prealloc/zeroed", noise(200000))
    ops.sync_file("prealloc/zeroed")
    ops.fallocate("prealloc/zeroed", ops.ZERO_RANGE, 50000, 100000)


def compressed():
    os.mkdir("compressed")
    for algorithm in ("zlib", "lzo", "zstd"):
        for name, data in (("inline", text(1500)), ("sector", text(4096)),
                           ("one", text(100000)), ("many", text(1000003)),
                           ("mixed", text(200000) + noise(200000) + bytes(200000)),
                           ("zeros", bytes(300000))):
            path = "compressed/%s.%s" % (name, algorithm)
            put(path, b"")
            ops.set_compression(path, algorithm)
            put(path, data)
            ops.sync_file(path)
        # After these writes only pieces of the compressed extents are referenced.
        path = "compressed/many." + algorithm
        ops.write_at(path, 40000, text(9000))
        ops.sync_file(path)
        ops.fallocate(path, ops.PUNCH_HOLE | ops.KEEP_SIZE, 300000, 50000)
        ops.reflink(path, 128 << 10, 64 << 10, "compressed/piece." + algorithm, 0)
        ops.reflink(path, 0, 0, "compressed/whole." + algorithm, 0)


def reflinks():
    os.mkdir("reflink")
    put("reflink/a", noise(500003))
    put("reflink/b", noise(3 << 20))
    ops.sync_file("reflink/a")
    ops.sync_file("reflink/b")
    ops.reflink("reflink/a", 0, 0, "reflink/whole", 0)
    # The clone ends at an unaligned end of file, on both sides or on one.
    ops.reflink("reflink/a", 120 * SECTOR, 0, "reflink/tail", 0)
    ops.reflink("reflink/a", 0, 0, "reflink/tail-then-more", 0)
    os.truncate("reflink/tail-then-more", 700001)
    ops.reflink("reflink/a", 0, 0, "reflink/shortened", 0)
    os.truncate("reflink/shortened", 400001)
    ops.reflink("reflink/b", 64 << 10, 128 << 10, "reflink/partial", 256 << 10)
    ops.reflink("reflink/b", 1 << 20, 1 << 20, "reflink/partial", 512 << 10)
    ops.reflink("reflink/b", 0, SECTOR, "reflink/one-sector", 0)
    ops.reflink("reflink/b", SECTOR, SECTOR, "reflink/second-sector", SECTOR)
    # Within one file, backward and forward, and once more over itself.
    ops.reflink("reflink/b", 0, 256 << 10, "reflink/b", 2 << 20)
    ops.reflink("reflink/b", 2560 << 10, 256 << 10, "reflink/b", 512 << 10)
    ops.reflink("reflink/b", 512 << 10, 64 << 10, "reflink/b", 4 << 20)
    # A partly overwritten source: only part of the clone can be cloned from it.
    ops.reflink("reflink/b", 0, 0, "reflink/overwritten", 0)
    ops.write_at("reflink/overwritten", 100000, noise(100000))
    ops.fallocate("reflink/overwritten", ops.PUNCH_HOLE | ops.KEEP_SIZE, 1 << 20, 128 << 10)
    ops.reflink("reflink/overwritten", 0, 0, "reflink/of-overwritten", 0)
    # A source that is deleted before its clone is sent.
    put("reflink/gone", noise(200000))
    ops.sync_file("reflink/gone")
    ops.reflink("reflink/gone", 0, 0, "reflink/survivor", 0)
    os.unlink("reflink/gone")
    put("reflink/equal", noise(300000))
    with open("reflink/equal", "rb") as equal:
        put("reflink/deduplicated", equal.read())
    ops.sync_file("reflink/equal")
    ops.sync_file("reflink/deduplicated")
    ops.dedupe("reflink/equal", 0, 294912, "reflink/deduplicated", 0)


def many_references():
    """More references to one extent than the native send follows, and just fewer."""
    for count, name in ((70, "few"), (1030, "many")):
        os.makedirs("references/" + name)
        first = "references/%s/0" % name
        put(first, noise(2 * SECTOR))
        ops.sync_file(first)
        for i in range(1, count):
            ops.reflink(first, 0, 0, "references/%s/%d" % (name, i), 0)


def special():
    os.mkdir("special")
    os.mkfifo("special/fifo", 0o640)
    server = socket.socket(socket.AF_UNIX)
    server.bind("special/socket")
    server.close()
    for name, kind, major, minor in (("null", stat.S_IFCHR, 1, 3), ("disk", stat.S_IFBLK, 8, 17),
                                     ("large", stat.S_IFCHR, 4000, 1000000),
                                     ("zero", stat.S_IFBLK, 0, 0)):
        os.mknod("special/" + name, kind | 0o600, os.makedev(major, minor))
    os.symlink("../sizes/100", "special/link")
    os.symlink("x" * 3000, "special/long-link")
    os.symlink("does/not/exist", "special/dangling")
    os.symlink(b"\xff\xfe\n", "special/odd-link")


def links(count):
    os.mkdir("links")
    os.mkdir("links/elsewhere")
    put("links/file", noise(5000))
    for i in range(count):
        os.link("links/file", "links/name-%d" % i)
        if i % 10 == 0:
            os.link("links/file", "links/elsewhere/%d-%s" % (i, "n" * 200))
    os.symlink("file", "links/symlink")
    os.link("links/symlink", "links/symlink-again", follow_symlinks=False)
    os.mkfifo("links/fifo")
    os.link("links/fifo", "links/elsewhere/fifo")


def acl(entries):
    """A POSIX ACL in the kernel's format: version 2, then tag, permissions, id."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def largest_xattr(path):
    """As large as the node size allows."""
    for size in (16000, 8000, 3500, 1500):
        try:
            os.setxattr(path, "user.large", noise(size))
            return
        except OSError:
            continue


def xattrs():
    os.mkdir("xattrs")
    put("xattrs/file", noise(10))
    for i in range(100):
        os.setxattr("xattrs/file", "user.%d" % i, noise(i))
    os.setxattr("xattrs/file", "user." + "n" * 250, b"longest name")
    os.setxattr("xattrs/file", b"user.\xff\x01\n", b"\0odd\0")
    put("xattrs/large", b"")
    largest_xattr("xattrs/large")
    put("xattrs/collisions", b"")
    for pair in COLLISIONS:
        for name in pair:
            os.setxattr("xattrs/collisions", "user." + name, name.encode())
    put("xattrs/trusted", b"")
    os.setxattr("xattrs/trusted", "trusted.overlay.opaque", b"y")
    os.setxattr("xattrs", "user.of-a-directory", b"d")
    os.setxattr("special/null", "trusted.of-a-device", b"d", follow_symlinks=False)
    os.setxattr("special/link", "trusted.of-a-link", b"l", follow_symlinks=False)
    named = [(1, 6, 0xFFFFFFFF), (2, 7, 1234), (4, 4, 0xFFFFFFFF), (8, 5, 4321),
             (16, 7, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    put("xattrs/acl", b"")
    os.setxattr("xattrs/acl", "system.posix_acl_access", acl(named))
    os.mkdir("xattrs/acl-dir")
    os.setxattr("xattrs/acl-dir", "system.posix_acl_default", acl(named))
    put("xattrs/acl-dir/inherits", b"")


def capabilities():
    """Capabilities, and an xattr whose name is a prefix of theirs."""
    os.mkdir("capabilities")
    for name in ("plain", "with-others"):
        put("capabilities/" + name, noise(100))
        os.chown("capabilities/" + name, 1000, 1000)
        subprocess.run(["setcap", "cap_net_raw,cap_net_admin+ep", "capabilities/" + name],
                       check=True)
    os.setxattr("capabilities/with-others", "user.a", b"a")
    os.setxattr("capabilities/with-others", "trusted.z", b"z")
    if "--image" not in OPTIONS:
        put("capabilities/prefix", b"")
        os.setxattr("capabilities/prefix", "security.cap", b"kept by sendcp alone")


def names():
    os.mkdir("names")
    odd = bytes(c for c in range(1, 256) if c != ord("/"))
    put(b"names/" + odd, b"every byte")
    for byte in odd:
        if byte != ord("."):
            put(b"names/" + bytes([byte]), bytes([byte]))
    put("names/" + "n" * 255, b"longest")
    os.mkdir(b"names/" + b"\xff" * 255)
    for pair in COLLISIONS:
        for name in pair:
            put("names/" + name, name.encode())


def deep(longest):
    """A path of @longest bytes, of long or short components; 4095 is the longest that is sent."""
    for step, top in ((255, "deep-long"), (25, "deep-short")):
        fd = os.open(".", os.O_RDONLY)
        name, length = top, 0
        while True:
            length += len(name)
            left = longest - length - 1
            os.mkdir(name, dir_fd=fd)
            inner = os.open(name, os.O_RDONLY, dir_fd=fd)
            os.close(fd)
            fd = inner
            # If no directory with a one-byte name in it fits any more, the last component is a
            # file.
            if left < step + 2:
                break
            name = "d" * step
            length += 1
        os.close(os.open("f" * left, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=fd))
        os.close(fd)


def metadata():
    os.mkdir("metadata")
    for mode in (0o000, 0o777, 0o4755, 0o2755, 0o6711, 0o1777):
        path = "metadata/%04o" % mode
        put(path, b"x")
        os.chown(path, mode, mode + 1)
        os.chmod(path, mode)
    os.mkdir("metadata/sticky")
    os.chmod("metadata/sticky", 0o3777)
    put("metadata/owner", b"")
    os.chown("metadata/owner", 4294967294, 4294967294)
    os.symlink("owner", "metadata/link")
    os.lchown("metadata/link", 77, 78)
    for name, when in (("epoch", 0), ("before", -86400 * 365 * 100), ("year-3000", 32503680000),
                       ("nanoseconds", 1)):
        put("metadata/" + name, b"")
        os.utime("metadata/" + name, ns=(when * 10**9 + 999999999, when * 10**9 + 1))
    os.utime("metadata/link", ns=(5, 6), follow_symlinks=False)


def nodatacow():
    os.mkdir("nodatacow")
    ops.set_nodatacow("nodatacow/file")
    ops.write_at("nodatacow/file", 0, noise(300000))
    ops.sync_file("nodatacow/file")
    ops.write_at("nodatacow/file", 100000, noise(5000))


def order():
    """Inode numbers not in the order of the tree: files older than their directories."""
    os.mkdir("order")
    for i in range(80):
        put("order/file-%02d" % i, noise(10))
    for i in range(80):
        os.makedirs("order/dir-%02d/inner" % (79 - i))
        os.rename("order/file-%02d" % i, "order/dir-%02d/inner/moved" % (79 - i))
    os.mkdir("order/old")
    os.mkdir("order/new")
    os.rename("order/old", "order/new/old")
    os.mkdir("order/outer")
    os.rename("order/new", "order/outer/new")
    os.mkdir("order/empty")


def subvolumes():
    os.makedirs("nested/dir")
    for path in ("nested/sub", "nested/dir/sub"):
        subprocess.run(["btrfs", "-q", "subvolume", "create", path], check=True)
        put(path + "/file", b"not sent")
    put("nested/dir/file", b"sent")


def unlinked_while_open():
    """An open inode without a name stays in the tree: send must skip it."""
    put("orphan", noise(100000))
    fd = os.open("orphan", os.O_RDWR)
    os.unlink("orphan")
    return fd


def main():
    directory = os.path.abspath(sys.argv[1])
    os.umask(0o022)
    os.chdir(directory)
    for part in (sizes, holes, preallocation, compressed, reflinks, special, xattrs, capabilities,
                 names, metadata, nodatacow, order, subvolumes):
        part()
    deep(3000 if "--receivable" in OPTIONS else 4095)
    links(50 if "--light" in OPTIONS else 3000)
    if "--light" not in OPTIONS:
        many_references()
    if "--image" in OPTIONS:
        put("large", noise(48 << 20))
    os.setxattr(".", "user.root", b"of the root directory")
    os.chown(".", 10, 20)
    os.chmod(".", 0o751)
    unlinked_while_open()
    subprocess.run(["btrfs", "-q", "subvolume", "snapshot", "-r", ".", directory + ".ro"],
                   check=True)


if __name__ == "__main__":
    main()
