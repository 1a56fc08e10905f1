# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks that copies of trees share the same blocks among their files as the originals.

usage: sharing.py ORIGINAL COPY [ORIGINAL COPY]...

Compares, block by block, which blocks have one address on disk; the addresses themselves may
differ. Exit status: 0 the same, 1 blocks shared in the originals are not in the copies, 2 nothing
is shared.
"""
import fcntl
import os
import struct
import sys

FS_IOC_FIEMAP = 0xC020660B
SYNC = 1
LAST, UNKNOWN, ENCODED, INLINE, UNWRITTEN = 0x1, 0x6, 0x8, 0x200, 0x800
BLOCK = 4096
EXTENTS = 4096


def extents(path):
    """(file offset, physical address, length, flags) of every extent."""
    fd = os.open(path, os.O_RDONLY)
    request = bytearray(32 + 56 * EXTENTS)
    struct.pack_into("<QQIIII", request, 0, 0, 2**64 - 1, SYNC, 0, EXTENTS, 0)
    fcntl.ioctl(fd, FS_IOC_FIEMAP, request)
    os.close(fd)
    for i in range(struct.unpack_from("<I", request, 20)[0]):
        logical, physical, length = struct.unpack_from("<QQQ", request, 32 + 56 * i)
        flags = struct.unpack_from("<I", request, 32 + 56 * i + 40)[0]
        if not flags & (UNKNOWN | INLINE | UNWRITTEN):
            yield logical, physical, length, flags


def blocks(number, tree):
    """(tree's number, file, block) and its address, for all blocks of all files."""
    for directory, _, names in os.walk(tree):
        for name in names:
            path = os.path.join(directory, name)
            if os.path.islink(path) or not os.path.isfile(path):
                continue
            for logical, physical, length, flags in extents(path):
                for at in range(0, length, BLOCK):
                    # Only the address of a compressed extent as a whole is known.
                    place = physical if flags & ENCODED else physical + at
                    yield (number, os.path.relpath(path, tree), (logical + at) // BLOCK), place


def groups(trees):
    """Maps each block to the first one with its address."""
    first, leader = {}, {}
    for number, tree in enumerate(trees):
        for block, place in blocks(number, tree):
            leader[block] = first.setdefault(place, block)
    return leader


def main():
    originals, copies = groups(sys.argv[1::2]), groups(sys.argv[2::2])
    shared = {block: to for block, to in originals.items() if block != to}
    lost = [block for block, to in shared.items()
            if copies.get(block, block) != copies.get(to, to)]
    print(f"{len(shared)} blocks shared, {len(lost)} of them no more")
    for number, name, block in lost[:10]:
        print(f"not shared: {name}, block {block}, in tree {number}")
    return 2 if not shared else 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
