# SPDX-License-Identifier: GPL-2.0-or-later
"""A random history of a btrfs subvolume, in snapshots that can be sent; depends on the seed alone.

usage: history.py --options SEED             mkfs options, and mount options, a line each
       history.py SEED MOUNT [OPERATIONS]    on that filesystem, fresh and mounted

Leaves read-only snapshots MOUNT/s0, s1, ... and writes the sends to compare to standard output, a
line each: HOW OPTIONS SNAPSHOT, where HOW is sendcp's way of reading (direct, step or image).
Directories are the hard part of an incremental send, so names are few and often reused.
"""
import ctypes
import errno
import fcntl
import os
import random
import stat
import struct
import subprocess
import sys
import time

import btrfsops as ops
from random_tree import SECTOR, Tree

# Pairs of names with one crc32c and length: they share one item.
COLLIDING = [("fc8be9tfj", "v52kkba36"), ("lugznn0nh", "aaahaqa9p"), ("im8w3m7qz", "fk8g8pziu"),
             ("nebexq04u", "atf0w1x3q")]
RENAME_EXCHANGE = 2
AT_FDCWD = -100
FLAGS = [0x8, 0x40, 0x80, 0x4, 0x800000]  # chattr's S, d, A, c, C
# Expected errors of operations that do not check the tree first.
HARMLESS = {errno.ENOTEMPTY, errno.EEXIST, errno.EINVAL, errno.ENAMETOOLONG, errno.EMLINK,
            errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.ENOSPC, errno.EXDEV, errno.EPERM,
            errno.EACCES, errno.EBUSY, errno.EOPNOTSUPP, errno.ETXTBSY, errno.ELOOP, errno.EFBIG, errno.EROFS}

_libc = ctypes.CDLL(None, use_errno=True)


def exchange(one, other):
    """Skips files with many links: if they have extended refs, Linux 6.18 aborts the filesystem."""
    if any(not os.path.isdir(path) and os.lstat(path).st_nlink > 1 for path in (one, other)):
        return
    if _libc.renameat2(AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), RENAME_EXCHANGE):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), one)


def change_flags(path, bits):
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        flags = bytearray(8)
        fcntl.ioctl(fd, ops.FS_IOC_GETFLAGS, flags)
        value = struct.unpack("<Q", flags)[0] ^ bits
        fcntl.ioctl(fd, ops.FS_IOC_SETFLAGS, struct.pack("<Q", value))
    finally:
        os.close(fd)


def acl(user):
    entries = [(1, 6, 2**32 - 1), (2, 4, user), (4, 4, 2**32 - 1), (16, 6, 2**32 - 1),
               (32, 0, 2**32 - 1)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def is_subvolume(path):
    return os.lstat(path).st_ino == 256


class History(Tree):
    def __init__(self, seed, mount, operations):
        super().__init__(seed, mount, operations)
        self.profile = profile(seed)
        self.branch = 0
        self.alive = []
        self.nested = []

    # Looking at the tree. The order must not depend on the filesystem's.

    def look(self):
        """After each change of names: new lists are simpler than lists kept up to date."""
        self.files, self.dirs, self.others, self.nested = [], [self.root], [], []
        for where, names in self.walk():
            for name in sorted(names):
                path = os.path.join(where, name)
                if not os.path.lexists(path):
                    # An exchange has aborted the filesystem: see exchange().
                    raise SystemExit("the filesystem is broken: %s" % path)
                info = os.lstat(path)
                if stat.S_ISREG(info.st_mode):
                    self.files.append(path)
                elif not stat.S_ISDIR(info.st_mode):
                    self.others.append(path)
                elif info.st_ino == 256:
                    self.nested.append(path)
                else:
                    self.dirs.append(path)

    def walk(self):
        for where, dirs, files in os.walk(self.root):
            names = dirs + files
            dirs[:] = sorted(name for name in dirs if not is_subvolume(os.path.join(where, name)))
            yield where, names

    def below_root(self):
        return self.files + self.dirs[1:] + self.others

    def any_below(self):
        return self.random.choice(self.below_root() or [self.create()])

    def any_dir(self):
        return self.random.choice(self.dirs)

    def short_name(self):
        kind = self.random.random()
        if kind < 0.7:
            return self.random.choice("abcdefghij")
        if kind < 0.8:
            return self.random.choice(self.random.choice(COLLIDING))
        self.serial += 1
        return "%d" % self.serial + "n" * self.random.randrange(self.random.choice([1, 1, 20, 200]))

    def new_path(self):
        """A free name, mostly of one letter, so that names get reused by other inodes."""
        while True:
            path = os.path.join(self.any_dir(), self.short_name())
            if len(path) > 3000:
                self.dirs = self.dirs[:1]
            elif not os.path.lexists(path):
                return path

    def data(self):
        if self.profile == "data":
            return super().data()
        return self.random.randbytes(self.random.choice([0, 1, 60, 1800, 3000, SECTOR, 9000]))

    def touch(self, path):
        ops.write_at(path, 0, self.data())

    # Changes of names.

    def shift(self):
        """To any path, also over existing inodes."""
        target = self.any_below() if self.random.random() < 0.3 else self.new_path()
        os.rename(self.any_below(), target)

    def move_younger(self):
        """Below a directory that was made later; its inode number is larger."""
        dirs = sorted(self.dirs, key=lambda path: os.lstat(path).st_ino)
        if len(dirs) < 3:
            return self.directory()
        split = self.random.randrange(1, len(dirs) - 1)
        source, target = self.random.choice(dirs[1:split + 1]), self.random.choice(dirs[split + 1:])
        os.rename(source, os.path.join(target, self.short_name()))

    def move_new(self):
        """Below a directory made for it, which is not in any snapshot yet."""
        source, target = self.any_below(), self.new_path()
        os.mkdir(target)
        os.rename(source, os.path.join(target, self.short_name()))

    def swap(self):
        exchange(self.any_below(), self.any_below())

    def swap_dirs(self):
        exchange(self.any_dir(), self.any_dir())

    def rotate(self):
        """Rotates three names."""
        paths = [self.any_below() for _ in range(3)]
        aside = os.path.join(self.root, "aside")
        os.rename(paths[0], aside)
        try:
            os.rename(paths[1], paths[0])
            os.rename(paths[2], paths[1])
            os.rename(aside, paths[2])
        except OSError:
            os.rename(aside, self.new_path())

    def flip(self):
        """A directory and its parent exchange their positions."""
        inner = [path for path in self.dirs[1:] if os.path.dirname(path) != self.root]
        if not inner:
            return self.chain()
        child = self.random.choice(inner)
        parent = os.path.dirname(child)
        aside = os.path.join(self.root, "aside")
        os.rename(child, aside)
        os.rename(parent, os.path.join(aside, self.random.choice(
            [os.path.basename(child), self.short_name()])))
        os.rename(aside, self.random.choice([parent, self.new_path()]))

    def chain(self):
        path = self.any_dir()
        for _ in range(self.random.choice([2, 4, 8, 20])):
            path = os.path.join(path, self.short_name())
            os.mkdir(path)

    def invert(self):
        """Inverts a chain of directories."""
        deepest = max(self.dirs, key=lambda path: (path.count("/"), path))
        names = os.path.relpath(deepest, self.root).split("/")
        if len(names) < 2:
            return self.chain()
        target = self.root
        for depth in range(len(names), 0, -1):
            source = os.path.join(self.root, *names[:depth])
            target = os.path.join(target, names[depth - 1] + self.random.choice(["", "v"]))
            os.rename(source, target)

    def instead(self):
        """A new directory replaces an old one, which moves below it or elsewhere."""
        old = self.random.choice(self.dirs[1:] or [self.create()])
        aside = os.path.join(self.root, "aside")
        os.rename(old, aside)
        os.mkdir(old)
        os.rename(aside, self.random.choice([os.path.join(old, self.short_name()), self.new_path()]))

    def take_name(self):
        """A file takes a directory's name, and gets another link below that directory."""
        if len(self.dirs) < 2 or not self.files:
            return self.directory()
        path, file, new = self.random.choice(self.dirs[1:]), self.any_file(), self.new_path()
        os.rename(path, new)
        os.link(file, os.path.join(new, self.short_name()))
        os.rename(file, path)

    def other_type(self):
        path = self.random.choice(self.files + self.others or [self.create()])
        os.unlink(path)
        kind = self.random.randrange(6)
        if kind == 0:
            os.mkfifo(path)
        elif kind == 1:
            os.symlink(self.random.choice(["x" * 60, "a/b", "."]), path)
        elif kind == 2:
            os.mkdir(path)
        elif kind == 3:
            self.touch(path)
        else:
            mode = self.random.choice([stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
            os.mknod(path, mode | 0o600, os.makedev(self.random.randrange(500), 3))

    def link_name(self):
        os.link(self.any_file(), self.new_path())

    def link_storm(self):
        source, where = self.any_file(), self.any_dir()
        size = self.random.choice([3, 30, 200])
        for i in range(self.random.choice([5, 30, 90])):
            os.link(source, os.path.join(where, "l%d" % i + "o" * self.random.randrange(size)))

    def unlink_storm(self):
        """Some links of an inode with many are removed."""
        many = [path for path in self.files if os.lstat(path).st_nlink > 2]
        for path in many:
            if self.random.random() < 0.5:
                os.unlink(path)

    def unlink(self):
        os.unlink(self.random.choice(self.files + self.others or [self.create()]))

    def remove_dir(self):
        if len(self.dirs) > 1:
            self.remove_tree(self.random.choice(self.dirs[1:]))

    def remove_tree(self, top):
        for where, dirs, files in os.walk(top, topdown=False):
            for name in files:
                os.unlink(os.path.join(where, name))
            for name in dirs:
                path = os.path.join(where, name)
                if os.path.islink(path):
                    os.unlink(path)
                elif is_subvolume(path):
                    self.btrfs("subvolume", "delete", path)
                else:
                    os.rmdir(path)
        os.rmdir(top)

    def empty_dir(self):
        """Moves a directory's contents elsewhere, then removes it."""
        if len(self.dirs) < 3:
            return
        path, target = self.random.choice(self.dirs[1:]), self.any_dir()
        for name in sorted(os.listdir(path)):
            os.rename(os.path.join(path, name), os.path.join(target, name))
        os.rmdir(path)

    def nest(self):
        if self.nested and self.random.random() < 0.6:
            self.btrfs("subvolume", "delete", self.random.choice(self.nested))
        else:
            self.btrfs("subvolume", "create", self.new_path())

    def reuse(self):
        """The newest inodes are deleted; after a remount their numbers are used again."""
        paths = sorted(self.below_root(), key=lambda path: -os.lstat(path).st_ino)
        for path in paths[:self.random.choice([1, 3, 8])]:
            if os.path.isdir(path) and not os.path.islink(path):
                self.remove_tree(path)
            elif os.path.lexists(path):
                os.unlink(path)
        self.remount()
        self.look()
        for _ in range(self.random.randrange(6)):
            self.random.choice([self.create, self.directory, self.special, self.move_new])()
            self.look()

    def remount(self):
        with open("/proc/mounts", encoding="ascii") as mounts:
            device, _, _, options = [line.split()[:4] for line in mounts
                                     if line.split()[1] == self.mount][-1]
        # udev and others may still be probing a new filesystem.
        while subprocess.run(["umount", self.mount], stderr=subprocess.DEVNULL).returncode:
            time.sleep(0.1)
        subprocess.run(["mount", "-t", "btrfs", "-o", options, device, self.mount], check=True)

    # Changes of inodes and their data.

    def append(self):
        path = self.any_file()
        ops.write_at(path, os.lstat(path).st_size, self.data())

    def small(self):
        """Inline, or just too large for that."""
        path = self.any_file()
        os.truncate(path, 0)
        ops.write_at(path, 0, self.random.randbytes(self.random.choice([1, 100, 2000, 5000])))

    def reflink_self(self):
        path = self.any_file()
        size = os.lstat(path).st_size // SECTOR * SECTOR
        if size >= 2 * SECTOR:
            half = size // 2 // SECTOR * SECTOR
            start = self.random.choice([half, size, size + SECTOR])
            ops.reflink(path, 0, self.random.choice([SECTOR, half]), path, start)

    def punch_end(self):
        path = self.any_file()
        size = os.lstat(path).st_size
        at = max(0, size - self.length())
        ops.fallocate(path, ops.PUNCH_HOLE | ops.KEEP_SIZE, at, size + SECTOR - at)

    def preallocate_end(self):
        path = self.any_file()
        size = os.lstat(path).st_size
        ops.fallocate(path, self.random.choice([0, ops.KEEP_SIZE]), size, self.length())

    def colliding_xattr(self):
        path = self.any_path()
        name = "trusted." + self.random.choice(self.random.choice(COLLIDING))
        if name in os.listxattr(path, follow_symlinks=False) and self.random.random() < 0.5:
            os.removexattr(path, name, follow_symlinks=False)
        else:
            os.setxattr(path, name, self.random.randbytes(5), follow_symlinks=False)

    def remove_xattr(self):
        path = self.any_path()
        names = sorted(os.listxattr(path, follow_symlinks=False))
        if names:
            os.removexattr(path, self.random.choice(names), follow_symlinks=False)

    def set_acl(self):
        """Not a default ACL of the root: inodes that a receiver makes there would inherit it."""
        path = self.any_below()
        isdir = stat.S_ISDIR(os.lstat(path).st_mode)
        kind = self.random.choice(["access", "default"] if isdir else ["access"])
        os.setxattr(path, "system.posix_acl_" + kind, acl(self.random.randrange(9)))

    def capability(self):
        value = struct.pack("<IIIII", 0x02000001, self.random.getrandbits(30), 0, 0, 0)
        os.setxattr(self.any_file(), "security.capability", value)

    def flags(self):
        """Not of the root: compression would be inherited, as its default ACL would."""
        change_flags(self.random.choice(self.files + self.dirs[1:] or [self.create()]),
                     self.random.choice(FLAGS))

    # Snapshots.

    def take_snapshot(self):
        name = "s%d" % len(self.snapshots)
        self.snapshots.append(name)
        self.alive.append(name)
        self.btrfs("subvolume", "snapshot", "-r", self.root, os.path.join(self.mount, name))

    def go_back(self):
        """History continues from an older snapshot; inode numbers are used a second time."""
        self.branch += 1
        self.root = os.path.join(self.mount, "work%d" % self.branch)
        older = os.path.join(self.mount, self.random.choice(self.alive))
        self.btrfs("subvolume", "snapshot", older, self.root)
        self.look()

    NAMES = {
        Tree.create: 8, Tree.directory: 10, Tree.special: 2, shift: 14, move_younger: 8,
        move_new: 5, swap: 5, swap_dirs: 5, rotate: 3, flip: 6, chain: 2, invert: 1, instead: 4,
        take_name: 3, other_type: 3, link_name: 5, link_storm: 0.7, unlink_storm: 0.7, unlink: 4,
        remove_dir: 2.5, empty_dir: 2, nest: 0.5, reuse: 0.7,
    }
    DATA = {
        Tree.create: 6, Tree.overwrite: 10, append: 4, Tree.truncate: 4, Tree.sparse_tail: 3,
        Tree.punch: 4, punch_end: 1, Tree.preallocate: 4, preallocate_end: 2, small: 3,
        Tree.reflink_whole: 4, Tree.reflink_range: 10, reflink_self: 3, Tree.deduplicate: 3,
        Tree.sync: 6, Tree.property: 1,
    }
    ATTRIBUTES = {
        Tree.xattr: 4, colliding_xattr: 3, remove_xattr: 3, set_acl: 1, capability: 2, flags: 2,
        Tree.metadata: 5,
    }
    SHARES = {"names": (12, 1, 1), "data": (1, 12, 1), "mixed": (2, 2, 1)}

    def steps(self, count):
        tables = (self.NAMES, self.DATA, self.ATTRIBUTES)
        weights = {}
        for share, table in zip(self.SHARES[self.profile], tables):
            total = sum(table.values())
            for step, weight in table.items():
                weights[step] = weights.get(step, 0) + share * weight / total
        return self.random.choices(list(weights), list(weights.values()), k=count)

    def live(self, count):
        for step in self.steps(count):
            try:
                step(self)
            except OSError as error:
                if error.errno not in HARMLESS:
                    raise
            self.look()

    def run(self):
        self.btrfs("subvolume", "create", self.root)
        for number in range(self.random.choice([3, 4, 4, 5])):
            if number > 1 and self.random.random() < 0.2:
                self.go_back()
            self.live(self.operations // 2 if number else self.operations)
            self.take_snapshot()
        if len(self.alive) > 3 and self.random.random() < 0.3:
            self.alive.remove(self.alive[self.random.randrange(1, len(self.alive) - 1)])
            for name in set(self.snapshots) - set(self.alive):
                self.btrfs("subvolume", "delete", os.path.join(self.mount, name))
        # The native send's choice of clone sources depends on pending deletions.
        self.btrfs("subvolume", "sync", self.mount)
        self.btrfs("filesystem", "sync", self.mount)
        return self.plan()

    def plan(self):
        names, last = self.alive, self.alive[-1]
        plan = ["direct " + last]
        pairs = list(zip(names, names[1:])) + list(zip(names, names[2:]))
        for older, newer in pairs:
            plan.append("direct -p %s %s" % (older, newer))
        for older, newer in pairs:
            plan.append("direct -p %s %s" % (newer, older))
        for _ in range(4):
            parent, sent = self.random.sample(names, 2)
            sources = self.random.sample(names, self.random.choice([1, 2]))
            options = "".join(" -c " + name for name in sources if name != sent)
            options += self.random.choice(["", "", " --proto 2", " --proto 2 --compressed-data"])
            if self.random.random() < 0.7 or not options:
                options = " -p " + parent + options
            plan.append("direct%s %s" % (options, sent))
        for options in ("--no-data", "--proto 2", "--proto 2 --compressed-data",
                        "--proto 2 --no-data"):
            parent, sent = self.random.sample(names, 2)
            plan.append("direct %s -p %s %s" % (options, parent, sent))
        parent, sent = self.random.sample(names, 2)
        plan.append("step -p %s %s" % (parent, sent))
        # Last, since the filesystem must be unmounted for it.
        plan.append("image -p %s %s" % (parent, sent))
        return plan


def profile(seed):
    return ["names", "data", "mixed"][seed % 3]


def options(seed):
    choice = random.Random("options of %d" % seed).choice
    mkfs = "-m %s -n %s" % (choice(["single", "dup"]), choice(["4096", "16384"]))
    mkfs += choice([" -O ^no-holes", ""])
    mount = choice([[], ["compress-force=zstd"], ["compress=lzo"], ["compress=zlib"],
                    ["nodatacow"]])
    limit = choice([None, "max_inline=0", "max_inline=3900"])
    return mkfs, ",".join(mount + [limit] if limit else mount)


if __name__ == "__main__":
    if sys.argv[1] == "--options":
        print("\n".join(options(int(sys.argv[2]))))
    else:
        os.umask(0o022)
        print("history: seed %s" % sys.argv[1], file=sys.stderr)
        print("\n".join(History(int(sys.argv[1]), os.path.abspath(sys.argv[2]),
                                int(sys.argv[3]) if len(sys.argv) > 3 else 60).run()))
