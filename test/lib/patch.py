#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes items in the leaves of an unmounted image, and the checksums (crc32c).

usage: patch.py IMAGE no-uuid ID...         subvolumes as very old kernels made them: without a UUID
       patch.py IMAGE old-root-item ID...   the same for kernels before 3.6: the root item's fields
                                            added later are invalid
       patch.py IMAGE same-inode-items      INODE_ITEMs without transaction ids and sequence numbers
"""
import mmap
import struct
import sys

SUPER = 64 << 10
HEADER = 101
ITEM = 25
ROOT_TREE = 1
FIRST_SUBVOLUME, LAST_SUBVOLUME = 256, 2**64 - 256
INODE_ITEM, ROOT_ITEM = 1, 132
INODE_TRANSID, INODE_SEQUENCE = 8, 72
ROOT_GENERATION_V2, ROOT_UUID = 239, 247


def crc_table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


TABLE = crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def leaves(image, nodesize, fsid):
    """Offsets of leaves, current or old, each with the id of its tree."""
    at = image.find(fsid)
    while at >= 0:
        start = at - 32
        if start >= 0 and start % 4096 == 0 and start != SUPER and \
           start + nodesize <= len(image) and not image[start + 100]:
            yield start, struct.unpack_from("<Q", image, start + 88)[0]
        at = image.find(fsid, at + 1)


def items(image, leaf):
    """Object, type, and the offset of the item's data."""
    for i in range(struct.unpack_from("<I", image, leaf + 96)[0]):
        objectid, kind, _, offset, _ = struct.unpack_from("<QBQII", image, leaf + HEADER + i * ITEM)
        yield objectid, kind, leaf + HEADER + offset


def clear_root(image, leaf, tree, ids, offset, size):
    changed = False
    for objectid, kind, at in items(image, leaf) if tree == ROOT_TREE else ():
        if kind == ROOT_ITEM and objectid in ids:
            image[at + offset:at + offset + size] = bytes(size)
            changed = True
    return changed


def same_inode_items(image, leaf, tree):
    changed = False
    for _, kind, at in items(image, leaf) if FIRST_SUBVOLUME <= tree <= LAST_SUBVOLUME else ():
        if kind == INODE_ITEM:
            image[at + INODE_TRANSID:at + INODE_TRANSID + 8] = image[at:at + 8]
            struct.pack_into("<Q", image, at + INODE_SEQUENCE, 1)
            changed = True
    return changed


def main():
    with open(sys.argv[1], "r+b") as file:
        image = mmap.mmap(file.fileno(), 0)
        fsid = image[SUPER + 32:SUPER + 48]
        nodesize = struct.unpack_from("<I", image, SUPER + 148)[0]
        count = 0
        for leaf, tree in list(leaves(image, nodesize, fsid)):
            if struct.unpack_from("<I", image, leaf)[0] != crc32c(image[leaf + 32:leaf + nodesize]):
                continue
            ids = [int(n) for n in sys.argv[3:]]
            if sys.argv[2] == "no-uuid":
                changed = clear_root(image, leaf, tree, ids, ROOT_UUID, 16)
            elif sys.argv[2] == "old-root-item":
                changed = clear_root(image, leaf, tree, ids, ROOT_GENERATION_V2, 8)
            elif sys.argv[2] == "same-inode-items":
                changed = same_inode_items(image, leaf, tree)
            else:
                raise SystemExit("patch: what is %s?" % sys.argv[2])
            if changed:
                struct.pack_into("<I", image, leaf, crc32c(image[leaf + 32:leaf + nodesize]))
                count += 1
        image.flush()
    if not count:
        raise SystemExit("patch: there is no such item")


main()
