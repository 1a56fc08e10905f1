#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two containers from one image, changed in one transaction: the same inode numbers and generations
for different inodes.

usage: siblings.py IMAGE LEFT RIGHT pairs [ABSOLUTE]
           every type of inode against every other; ABSOLUTE is the target of one symlink
       siblings.py IMAGE LEFT RIGHT contents
           symlinks and files that differ only in their contents: INODE_ITEMs are equal too
       siblings.py IMAGE LEFT RIGHT twins
           the same with other names and xattrs too
       siblings.py IMAGE LEFT RIGHT through ABSOLUTE
           a file and a symlink to ABSOLUTE, under one name
       siblings.py IMAGE LEFT RIGHT random SEED
           random inodes, moved around among the image's

Makes LEFT and RIGHT, writable snapshots of the subvolume IMAGE, which has directories "old" and
"other" for pairs. The filesystem must not be mounted with a short commit interval.
"""
import array
import fcntl
import os
import random
import stat
import subprocess
import sys

FS_IOC_GETVERSION = 0x80087601
BTRFS_IOC_SYNC = 0x9408
FILLERS = 2


def put(path, data):
    """Without open(), whose fstat() gives the next change a time of its own."""
    fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o644)
    os.write(fd, data)
    os.close(fd)


def filler(side, count):
    """Uses up inode numbers."""
    for _ in range(count):
        put("%s/unused" % side, b"")
        os.unlink("%s/unused" % side)


def node(kind, major, minor):
    return lambda path: os.mknod(path, kind | 0o644, os.makedev(major, minor))


def empty_directory(path):
    os.mkdir(path)


def full_directory(one, other):
    """A directory with FILLERS inodes in it."""
    def make(path):
        os.mkdir(path)
        one(path + "/one")
        other(path + "/other")
    make.things = 1 + FILLERS
    return make


def file_of(byte, size):
    return lambda path: put(path, bytes([byte]) * size)


def link_to(target):
    return lambda path: os.symlink(target, path)


def kinds(absolute):
    fifo = node(stat.S_IFIFO, 0, 0)
    return [file_of(1, 20000), file_of(2, 100), file_of(0, 0),
            empty_directory, full_directory(file_of(3, 5000), fifo),
            full_directory(link_to("inside"), file_of(4, 5)),
            link_to("somewhere"), link_to("elsewhere"), link_to("x" * 3000), link_to(absolute),
            fifo, node(stat.S_IFSOCK, 0, 0),
            node(stat.S_IFCHR, 1, 3), node(stat.S_IFCHR, 1, 7),
            node(stat.S_IFBLK, 240, 20), node(stat.S_IFBLK, 240, 21)]


def make(side, name, kind, things):
    path = "%s/%s" % (side, name)
    kind(path)
    os.setxattr(path, "trusted.%s" % os.path.basename(side), b"", follow_symlinks=False)
    filler(side, things - getattr(kind, "things", 1))
    return path


def generation(path):
    """The version that the kernel has for an inode; for files and directories only."""
    fd = os.open(path, os.O_RDONLY)
    version = array.array("l", [0])
    fcntl.ioctl(fd, FS_IOC_GETVERSION, version)
    os.close(fd)
    return version[0]


def same_number(one, other):
    a, b = os.lstat(one), os.lstat(other)
    if a.st_ino != b.st_ino:
        raise SystemExit("siblings: %s and %s have different numbers" % (one, other))


def pairs(left, right, absolute):
    all_kinds = kinds(absolute)
    # The same path; in a directory of the image; under another name; in another directory.
    places = [("same-%s", "same-%s"), ("old/%s", "old/%s"), ("left-%s", "right-%s"),
              ("old/left-%s", "other/%s")]
    for i, one in enumerate(all_kinds):
        for j, other in enumerate(all_kinds):
            a, b = places[(i + 2 * j) % len(places)]
            name = "%02d-%02d" % (i, j)
            same_number(make(left, a % name, one, 1 + FILLERS),
                        make(right, b % name, other, 1 + FILLERS))


def times(path):
    return subprocess.run(["stat", "-c", "%w %x %y %z", path], capture_output=True,
                          check=True).stdout


def contents(left, right):
    """Made within one tick of the clock; repeated if not."""
    cases = [
        ("link", lambda p: os.symlink("aaaa", p), lambda p: os.symlink("bbbb", p)),
        ("small", lambda p: put(p, b"left"), lambda p: put(p, b"side")),
        ("large", lambda p: put(p, b"left" * 5000), lambda p: put(p, b"side" * 5000)),
    ]
    for name, one, other in cases:
        twin(left + "/" + name, one, right + "/" + name, other)


def twins(left, right):
    contents(left, right)
    twin(left + "/xattr", lambda p: attribute(p, b"left"),
         right + "/xattr", lambda p: attribute(p, b"side"))
    twin(left + "/left-name", lambda p: put(p, b""), right + "/right-name", lambda p: put(p, b""))
    twin(left + "/left-link", lambda p: os.symlink("aaaa", p),
         right + "/right-link", lambda p: os.symlink("bbbb", p))
    twin(left + "/left-dir", os.mkdir, right + "/right-dir", os.mkdir)
    put(left + "/left-dir/f", b"f")
    put(right + "/right-dir/f", b"f")


def attribute(path, value):
    put(path, b"")
    os.setxattr(path, "user.side", value)


def twin(a, one, b, other):
    while True:
        one(a)
        other(b)
        same_number(a, b)
        if times(a) == times(b):
            return
        for path in (a, b):
            os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)


def directories(side):
    return [side] + [os.path.join(d, n) for d, ds, _ in os.walk(side) for n in ds
                     if not os.path.islink(os.path.join(d, n))]


def everything(side):
    return [os.path.join(d, n) for d, ds, fs in os.walk(side) for n in ds + fs]


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        for d, ds, fs in os.walk(path, topdown=False):
            for n in fs:
                os.unlink(os.path.join(d, n))
            for n in ds:
                inner = os.path.join(d, n)
                os.unlink(inner) if os.path.islink(inner) else os.rmdir(inner)
        os.rmdir(path)
    else:
        os.unlink(path)


def shuffle(side, chance, made):
    """Moves, links and removes a few inodes."""
    for _ in range(chance.randrange(4)):
        there = everything(side)
        if not there:
            return
        path = chance.choice(there)
        to = "%s/m%d" % (chance.choice(directories(side)), made)
        made += 1000
        what = chance.randrange(5)
        try:
            if what == 0:
                remove(path)
            elif what == 1 and not (os.path.isdir(path) and not os.path.islink(path)):
                os.link(path, to, follow_symlinks=False)
            elif what == 2:
                # Over an existing path.
                target = chance.choice(there)
                if os.path.lexists(target) and not target.startswith(path + "/") and \
                   not path.startswith(target + "/") and target != path:
                    remove(target)
                    os.rename(path, target)
            else:
                os.rename(path, to)
        except OSError:
            # Into itself, or already moved.
            pass


def random_siblings(left, right, seed):
    chance = random.Random(seed)
    all_kinds = [k for k in kinds("elsewhere") if getattr(k, "things", 1) == 1]
    for n in range(60):
        for side in (left, right):
            # Mostly directories, into which others can be moved.
            kind = empty_directory if chance.random() < 0.5 else chance.choice(all_kinds)
            make(side, os.path.relpath("%s/n%d" % (chance.choice(directories(side)),
                                                   chance.randrange(10**9)), side), kind, 1)
            shuffle(side, chance, n)


def change(left, right, what, argument):
    """False if a commit happened meanwhile, so that generations may differ."""
    put(left + "/first", b"")
    put(right + "/first", b"")
    generations = {generation(left + "/first"), generation(right + "/first")}
    if what == "pairs":
        pairs(left, right, argument or "/nonexistent/target")
    elif what == "contents":
        contents(left, right)
    elif what == "twins":
        twins(left, right)
    elif what == "through":
        os.symlink(argument, left + "/f")
        put(right + "/f", b"contents of the file\n")
    elif what == "random":
        random_siblings(left, right, argument)
    else:
        raise SystemExit("siblings: what is %s?" % what)
    put(left + "/last", b"")
    put(right + "/last", b"")
    same_number(left + "/last", right + "/last")
    generations |= {generation(left + "/last"), generation(right + "/last")}
    return len(generations) == 1


def subvolume(*arguments):
    subprocess.run(("btrfs", "-q", "subvolume") + arguments, stdout=subprocess.DEVNULL, check=True)


def main():
    image, left, right, what = sys.argv[1:5]
    argument = sys.argv[5] if len(sys.argv) > 5 else None
    os.umask(0o022)
    while True:
        subvolume("snapshot", image, left)
        subvolume("snapshot", image, right)
        fd = os.open(image, os.O_RDONLY)
        fcntl.ioctl(fd, BTRFS_IOC_SYNC)
        os.close(fd)
        if change(left, right, what, argument):
            break
        # sync(2) by any process commits every filesystem.
        subvolume("delete", left, right)


if __name__ == "__main__":
    main()
