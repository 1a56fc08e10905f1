#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Copies the beginning of a send stream with one byte of its last WRITE changed, and a valid
checksum.

usage: forge.py STREAM COPY SIZE contents|offset
"""
import struct
import sys


def crc32c(data):
    table = []
    for n in range(256):
        for _ in range(8):
            n = (n >> 1) ^ (0x82f63b78 if n & 1 else 0)
        table.append(n)
    crc = 0
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 255]
    return crc


def main():
    with open(sys.argv[1], "rb") as f:
        data = bytearray(f.read(int(sys.argv[3])))
    at, last = 17, None
    while at + 10 <= len(data):
        end = at + 10 + struct.unpack_from("<I", data, at)[0]
        if end > len(data):
            break
        if struct.unpack_from("<H", data, at + 4)[0] == 15:
            last = at, end
        at = end
    begin, end = last
    if sys.argv[4] == "contents":
        data[end - 1] ^= 1
    else:
        # Attributes: the path, then the offset in the file.
        path = begin + 10
        data[path + 4 + struct.unpack_from("<H", data, path + 2)[0] + 5] ^= 1
    struct.pack_into("<I", data, begin + 6, 0)
    struct.pack_into("<I", data, begin + 6, crc32c(data[begin:end]))
    with open(sys.argv[2], "wb") as f:
        f.write(data[:end])


main()
