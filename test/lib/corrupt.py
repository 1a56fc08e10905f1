# SPDX-License-Identifier: GPL-2.0-or-later
"""Damages a btrfs image in a chosen way.

usage: corrupt.py IMAGE supers            all superblocks fail their checksums
       corrupt.py IMAGE no-magic          no superblock has btrfs' magic
       corrupt.py IMAGE feature BIT       an incompatible feature, with valid checksums (crc32c)
       corrupt.py IMAGE super OFFSET HEX  bytes of all superblocks, with valid checksums (crc32c)
       corrupt.py IMAGE flip OFFSET       64 bytes at an offset of the image
       corrupt.py IMAGE random SEED       64 bytes at each of 12 offsets
"""
import os
import random
import struct
import sys

SUPERS = (64 << 10, 64 << 20, 256 << 30)
SUPER_SIZE = 4096
MAGIC_AT = 64
INCOMPAT_AT = 188


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 if crc & 1 else crc >> 1
    return crc ^ 0xFFFFFFFF


def each_super(image, change):
    """Calls @change with each copy and writes back its result."""
    size = os.fstat(image).st_size
    for offset in SUPERS:
        if offset + SUPER_SIZE <= size:
            block = bytearray(os.pread(image, SUPER_SIZE, offset))
            os.pwrite(image, change(block), offset)


def with_checksum(block):
    block[0:32] = struct.pack("<I", crc32c(block[32:])).ljust(32, b"\0")
    return block


def flip(block):
    block[300] ^= 0xFF
    return block


def flip_at(image, offset):
    old = os.pread(image, 64, offset)
    os.pwrite(image, bytes(byte ^ 0xFF for byte in old), offset)


def set_bytes(offset, value):
    def change(block):
        block[offset:offset + len(value)] = value
        return with_checksum(block)
    return change


def set_feature(bit):
    def change(block):
        flags = struct.unpack_from("<Q", block, INCOMPAT_AT)[0] | 1 << bit
        struct.pack_into("<Q", block, INCOMPAT_AT, flags)
        return with_checksum(block)
    return change


def main():
    image = os.open(sys.argv[1], os.O_RDWR)
    what = sys.argv[2]
    if what == "supers":
        each_super(image, flip)
    elif what == "no-magic":
        each_super(image, set_bytes(MAGIC_AT, bytes(8)))
    elif what == "feature":
        each_super(image, set_feature(int(sys.argv[3])))
    elif what == "super":
        each_super(image, set_bytes(int(sys.argv[3]), bytes.fromhex(sys.argv[4])))
    elif what == "flip":
        flip_at(image, int(sys.argv[3]))
    elif what == "random":
        chance = random.Random(sys.argv[3])
        size = os.fstat(image).st_size
        for _ in range(12):
            flip_at(image, chance.randrange(1 << 20, size - 64))
    else:
        raise SystemExit("corrupt: what is %s?" % what)


if __name__ == "__main__":
    main()
