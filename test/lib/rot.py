# SPDX-License-Identifier: GPL-2.0-or-later
"""Damages contents of files of a btrfs filesystem in known places.

usage: rot.py where TREE FILE:OFFSET...  prints the address of each; the tree is mounted
       rot.py damage IMAGE ADDRESS...  changes all copies of the sectors there; not mounted
       rot.py hits TREE ADDRESS...     prints the ranges of its files that are stored there
       rot.py expect FILE OFFSET:LENGTH...  zeros in a copy of the file
       rot.py marks STREAM             prints path, offset, length and kind of each mark
       rot.py merged STREAM            the same, with adjacent ones as one

The address in a compressed extent is that of its stored bytes.
"""
import os
import re
import struct
import subprocess
import sys

from sharing import ENCODED, extents

MARK = b"sendcp.data_error"
PATH, OFFSET, SIZE, NAME, HOW = 15, 18, 4, 13, 14


def where(path, offset):
    for logical, physical, length, flags in extents(path):
        if logical <= offset < logical + length:
            return physical + (0 if flags & ENCODED else (offset - logical) // 4096 * 4096)
    sys.exit("%s: nothing is stored at %d" % (path, offset))


def hit(path, addresses):
    """Ranges of a file, adjacent ones as one, the last one cut at its end."""
    size, found = os.path.getsize(path), []
    for logical, physical, length, flags in sorted(extents(path)):
        if flags & ENCODED:
            parts = [(logical, length)] if physical in addresses else []
        else:
            parts = [(logical + at, 4096) for at in range(0, length, 4096)
                     if physical + at in addresses]
        for at, part in parts:
            part = min(part, size - at)
            if part <= 0:
                continue
            if found and sum(found[-1]) == at:
                found[-1] = (found[-1][0], found[-1][1] + part)
            else:
                found.append((at, part))
    return found


def hits(tree, addresses):
    files = [os.path.join(tree, name) for name in os.listdir(tree)]
    for path in sorted(files, key=lambda path: os.stat(path).st_ino):
        for at, length in hit(path, set(addresses)):
            print(os.path.basename(path), f"{at}:{length}")


def mapped(image, first, last):
    """(mirror, address, place) of the parts in which the addresses first to last are stored."""
    out = subprocess.run(["btrfs-map-logical", "-l", str(first), "-b", str(last + 4096 - first),
                          image], capture_output=True, check=True, text=True).stdout
    return [tuple(map(int, part))
            for part in re.findall(r"mirror (\d+) logical (\d+) physical (\d+)", out)]


def places(image, addresses):
    """Of all copies. Neighbours are looked up together."""
    addresses, found = sorted(addresses), set()
    while addresses:
        near = [address for address in addresses if address - addresses[0] < 1 << 20]
        parts = mapped(image, near[0], near[-1])
        for address in near:
            for mirror in {part[0] for part in parts}:
                part = max(part for part in parts if part[0] == mirror and part[1] <= address)
                found.add(part[2] + address - part[1])
        addresses = addresses[len(near):]
    return found


def damage(image, addresses):
    found = places(image, addresses)
    if len(found) < len(addresses):
        sys.exit("%s: some of these are not there: %s" % (image, addresses))
    fd = os.open(image, os.O_RDWR)
    for at in found:
        byte = os.pread(fd, 1, at + 100)[0]
        os.pwrite(fd, bytes([byte ^ 0x55]), at + 100)
    os.fsync(fd)
    os.close(fd)


def expect(path, ranges):
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        for text in ranges:
            at, length = map(int, text.split(":"))
            file.seek(at)
            file.write(bytes(min(length, size - at)))


def attributes(command):
    at, found = 10, {}
    while at + 4 <= len(command):
        kind, length = struct.unpack_from("<HH", command, at)
        found[kind] = command[at + 4:at + 4 + length]
        at += 4 + length
    return found


def marks(stream):
    """(path, offset, length, kind) of each."""
    with open(stream, "rb") as file:
        data = file.read()
    at = 0
    while at < len(data):
        if data[at:at + 13] == b"btrfs-stream\0":
            at += 17
        length, kind = struct.unpack_from("<IH", data, at)
        if kind == 22:
            found = attributes(data[at:at + 10 + length])
            if found.get(NAME) == MARK:
                yield (found[PATH].decode(), struct.unpack("<Q", found[OFFSET])[0],
                       struct.unpack("<Q", found[SIZE])[0], found[HOW].decode())
        at += 10 + length


def merged(stream):
    last = None
    for path, at, length, how in marks(stream):
        if last and (last[0], last[1] + last[2], last[3]) == (path, at, how):
            last = path, last[1], last[2] + length, how
            continue
        if last:
            yield last
        last = path, at, length, how
    if last:
        yield last


def main():
    command, name, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    if command == "where":
        for place in rest:
            file, offset = place.rsplit(":", 1)
            print(where(os.path.join(name, file), int(offset)))
    elif command == "damage":
        damage(name, {int(address) for address in rest})
    elif command == "expect":
        expect(name, rest)
    elif command == "hits":
        hits(name, [int(address) for address in rest])
    elif command == "marks":
        for mark in marks(name):
            print(*mark)
    elif command == "merged":
        for mark in merged(name):
            print(*mark)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
