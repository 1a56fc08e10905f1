# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes a hand-made send stream to stdout, for the tests of streamcmp.

usage: make_stream.py [--proto N] COMMAND...

COMMAND: subvol, mkfile=PATH, mkdir=PATH, write=PATH,OFFSET,TEXT, truncate=PATH,SIZE,
rename=PATH,PATH, rmdir=PATH, xattr=PATH,NAME,VALUE, extent=PATH,OFFSET,SIZE,
raw=COMMAND,ATTRIBUTE,HEX, bad-crc, end
"""
import os
import struct
import sys

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ 0x82F63B78 if byte & 1 else byte >> 1
    TABLE.append(byte)


def crc32c(data):
    crc = 0
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc


def u64(value):
    return struct.pack("<Q", int(value))


class Stream:
    def __init__(self, protocol):
        self.protocol = protocol
        self.parts = [b"btrfs-stream\0" + struct.pack("<I", protocol)]

    def command(self, number, *attributes):
        body = b""
        for kind, value in attributes:
            head = struct.pack("<H", kind)
            if kind != 19 or self.protocol < 2:
                head += struct.pack("<H", len(value))
            body += head + value
        plain = struct.pack("<IHI", len(body), number, 0) + body
        self.parts.append(struct.pack("<IHI", len(body), number, crc32c(plain)) + body)

    def add(self, name, words):
        path = (15, os.fsencode(words[0])) if words else None
        if name == "subvol":
            self.command(1, (15, b"name"), (1, bytes(range(16))), (2, u64(7)))
        elif name in ("mkfile", "mkdir"):
            self.command(3 if name == "mkfile" else 4, path, (3, u64(257)))
        elif name == "write":
            self.command(15, path, (18, u64(words[1])), (19, os.fsencode(words[2])))
        elif name == "truncate":
            self.command(17, path, (4, u64(words[1])))
        elif name == "rename":
            self.command(9, path, (16, os.fsencode(words[1])))
        elif name == "rmdir":
            self.command(12, path)
        elif name == "xattr":
            self.command(13, path, (13, os.fsencode(words[1])), (14, os.fsencode(words[2])))
        elif name == "extent":
            self.command(22, path, (18, u64(words[1])), (4, u64(words[2])))
        elif name == "raw":
            self.command(int(words[0]), (int(words[1]), bytes.fromhex(words[2])))
        elif name == "bad-crc":
            last = bytearray(self.parts[-1])
            last[6] ^= 1
            self.parts[-1] = bytes(last)
        elif name == "end":
            self.command(21)
        else:
            raise SystemExit("make_stream: what is %s?" % name)


def main():
    arguments = sys.argv[1:]
    protocol = 1
    if arguments[:1] == ["--proto"]:
        protocol = int(arguments[1])
        arguments = arguments[2:]
    stream = Stream(protocol)
    for argument in arguments:
        name, _, rest = argument.partition("=")
        stream.add(name, rest.split(",") if rest else [])
    sys.stdout.buffer.write(b"".join(stream.parts))


if __name__ == "__main__":
    main()
