# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the subvolumes that cost.sh sends.

usage: cost_tree.py KIND SIZE before|after DIR

"before" fills the empty subvolume DIR with SIZE of KIND; "after" changes a writable snapshot of
that. The kinds are the functions below, by name, with hyphens for underscores.
"""
import fcntl
import os
import sys

PER_DIR = 1000


def new_file(path, contents=b""):
    with open(path, "wb") as f:
        f.write(contents)


def numbered(top, count):
    """Paths of COUNT entries of TOP, PER_DIR in a directory, which is made."""
    for n in range(count):
        if n % PER_DIR == 0:
            os.makedirs(f"{top}/d{n // PER_DIR}", exist_ok=True)
        yield f"{top}/d{n // PER_DIR}/n{n}"


def file_of_extents(path, count):
    with open(path, "wb") as f:
        for n in range(count):
            f.seek(n * 8192)
            f.write(n.to_bytes(4, "little") * 1024)
        os.fsync(f.fileno())


def files(top, count, after):
    for path in numbered(top, count):
        new_file(path, path.encode())


def extents(top, count, after):
    file_of_extents(f"{top}/file", count)


def reflinks(top, count, after):
    file_of_extents(f"{top}/file", count)
    with open(f"{top}/file", "rb") as source, open(f"{top}/clone", "wb") as clone:
        fcntl.ioctl(clone, 0x40049409, source.fileno())


def links(top, count, after):
    new_file(f"{top}/file")
    for path in numbered(top, count - 1):
        os.link(f"{top}/file", path)


def renamed_links(top, count, after):
    if not after:
        links(top, count, after)
        return
    for path in numbered(top, count - 1):
        os.rename(path, path + "x")


def links_in_deep_directories(top, count, after):
    """Each in a directory of its own that is older than the file and has a path of 2,000 bytes."""
    name = "d" * 249
    fd = os.open(top, os.O_RDONLY)
    for _ in range(8):
        os.mkdir(name, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    for n in range(count - 1):
        os.mkdir(f"{n}", dir_fd=fd)
    new_file(f"{top}/file")
    for n in range(count - 1):
        os.link(f"{top}/file", f"{n}/{n}", dst_dir_fd=fd)
    os.close(fd)


def depth(top, count, after):
    fd = os.open(top, os.O_RDONLY)
    for _ in range(count):
        os.mkdir("d", dir_fd=fd)
        below = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(fd)


def renamed_directories(top, count, after):
    for path in numbered(top, count):
        if after:
            os.rename(path, path + "x")
        else:
            os.mkdir(path)
            new_file(f"{path}/file")


def deleted_directories(top, count, after):
    """Their files were made one of each after the other, so all wait until the last ones."""
    made = list(numbered(top, count // 10))
    if not after:
        for path in made:
            os.mkdir(path)
    for n in range(10):
        for path in made:
            if after:
                os.unlink(f"{path}/{n}")
            else:
                new_file(f"{path}/{n}")
    if after:
        for path in made:
            os.rmdir(path)


def deleted_files(top, count, after):
    """Of 40 directories that are deleted, one of each after the other."""
    for n in range(40):
        if not after:
            os.mkdir(f"{top}/d{n}")
    for n in range(count):
        path = f"{top}/d{n % 40}/{n}"
        if after:
            os.unlink(path)
        else:
            new_file(path)
    for n in range(40):
        if after:
            os.rmdir(f"{top}/d{n}")


def xattrs(top, count, after):
    path = f"{top}/file"
    if not after:
        new_file(path)
    for n in range(count):
        os.setxattr(path, f"user.{n}", b"after" if after else b"before")


def waiting_moves(top, count, after):
    """All move into a directory that is renamed after them."""
    if not after:
        for path in numbered(top, count):
            os.mkdir(path)
        os.mkdir(f"{top}/last")
        return
    os.rename(f"{top}/last", f"{top}/d0/last")
    for n in range(1, count):
        os.rename(f"{top}/d{n // PER_DIR}/n{n}", f"{top}/d0/last/n{n}")


def numbers_used_again(top, count, after):
    """Of files with a few links, in another subvolume than the parent."""
    for n, path in enumerate(numbered(top, count // 10)):
        os.mkdir(path)
        for link in range(10):
            if link:
                os.link(f"{path}/0", f"{path}/{link}")
            else:
                new_file(f"{path}/0")


def links_and_deleted_directories(top, count, after):
    """Every tenth is a file that gets ten more names, while all directories wait to be removed."""
    made = list(numbered(f"{top}/directories", count))
    links = list(numbered(f"{top}/files", count // 10))
    if not after:
        for path in made:
            os.mkdir(path)
        for path in links:
            new_file(path)
        for path in made:
            new_file(f"{path}/file")
        return
    for path in links:
        for name in range(10):
            os.link(path, f"{path}.{name}")
    for path in made:
        os.unlink(f"{path}/file")
        os.rmdir(path)


def main():
    kind, size, when, top = sys.argv[1:]
    globals()[kind.replace("-", "_")](top, int(size), when == "after")


main()
