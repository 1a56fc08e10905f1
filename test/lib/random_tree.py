# SPDX-License-Identifier: GPL-2.0-or-later
"""Fills a btrfs with a random subvolume and its snapshots; depends on the seed alone.

usage: random_tree.py SEED MOUNT [OPERATIONS]

Makes MOUNT/work, snapshots it now and then (and deletes some, for shared leaves and every kind of
back reference), deduplicates and balances a little, and leaves the read-only snapshots MOUNT/a
(from the middle) and MOUNT/b (the last state).
"""
import errno
import os
import random
import stat
import subprocess
import sys

import btrfsops as ops

SECTOR = 4096


class Tree:
    def __init__(self, seed, mount, operations):
        self.random = random.Random(seed)
        self.mount = mount
        self.root = os.path.join(mount, "work")
        self.operations = operations
        self.files = []
        self.dirs = [self.root]
        self.others = []
        self.serial = 0
        self.snapshots = []

    # Choosing an inode or a name.

    def new_path(self):
        self.serial += 1
        length = self.random.choice([1, 1, 1, 8, 30, 200])
        name = "%d" % self.serial + "n" * self.random.randrange(length)
        return os.path.join(self.random.choice(self.dirs), name)

    def any_file(self):
        return self.random.choice(self.files) if self.files else self.create()

    def any_path(self):
        return self.random.choice(self.files + self.dirs + self.others)

    def data(self):
        size = self.random.choice([1, 50, 2000, SECTOR, 20000, 150000, 600000])
        size = self.random.randrange(1, size + 1)
        if self.random.random() < 0.4:
            size = (size + SECTOR - 1) // SECTOR * SECTOR
        kind = self.random.randrange(4)
        if kind == 0:
            return self.random.randbytes(size)
        if kind == 1:
            return bytes(size)
        word = b"%x " % self.random.getrandbits(64)
        return (word * (size // len(word) + 1))[:size]

    def offset(self, path, aligned=0.6):
        size = os.lstat(path).st_size
        at = self.random.randrange(size + SECTOR)
        return at // SECTOR * SECTOR if self.random.random() < aligned else at

    def length(self):
        return self.random.choice([1, 2, 5, 16, 32, 100]) * SECTOR

    # Operations.

    def create(self):
        path = self.new_path()
        if self.random.random() < 0.05:
            ops.set_nodatacow(path)
        ops.write_at(path, 0, self.data() if self.random.random() < 0.9 else b"")
        self.files.append(path)
        return path

    def overwrite(self):
        path = self.any_file()
        ops.write_at(path, self.offset(path), self.data())

    def truncate(self):
        path = self.any_file()
        os.truncate(path, self.offset(path, aligned=0.4))

    def sparse_tail(self):
        path = self.any_file()
        os.truncate(path, os.lstat(path).st_size + self.random.randrange(1, 1 << 20))

    def punch(self):
        path = self.any_file()
        ops.fallocate(path, ops.PUNCH_HOLE | ops.KEEP_SIZE, self.offset(path), self.length())

    def preallocate(self):
        path = self.any_file()
        mode = self.random.choice([0, ops.KEEP_SIZE, ops.ZERO_RANGE])
        ops.fallocate(path, mode, self.offset(path), self.length())

    def reflink_whole(self):
        source, target = self.any_file(), self.new_path()
        if ops.reflink(source, 0, 0, target, 0):
            self.files.append(target)
        else:
            os.unlink(target)

    def reflink_range(self):
        source, target = self.any_file(), self.any_file()
        size = os.lstat(source).st_size
        start = self.offset(source, aligned=1)
        length = self.random.choice([0, self.length()])
        if start < size and start + length <= size:
            ops.reflink(source, start, length, target, self.offset(target, aligned=1))

    def deduplicate(self):
        source = self.any_file()
        target = self.new_path()
        with open(source, "rb") as stream:
            ops.write_at(target, 0, stream.read(1 << 20))
        self.files.append(target)
        ops.sync_file(target)
        length = os.lstat(target).st_size // SECTOR * SECTOR
        if length:
            ops.dedupe(source, 0, length, target, 0)

    def sync(self):
        ops.sync_file(self.any_file())

    def property(self):
        path = self.any_file()
        try:
            ops.set_compression(path, self.random.choice(["zlib", "lzo", "zstd"]))
        except OSError as error:
            # A file without data checksums cannot be compressed.
            if error.errno != errno.EINVAL:
                raise

    def directory(self):
        path = self.new_path()
        os.mkdir(path)
        self.dirs.append(path)

    def special(self):
        path = self.new_path()
        kind = self.random.randrange(4)
        if kind == 0:
            os.mkfifo(path)
        elif kind == 1:
            os.symlink("x" * self.random.randrange(1, 300), path)
        else:
            mode = stat.S_IFCHR if kind == 2 else stat.S_IFSOCK
            os.mknod(path, mode | 0o600, os.makedev(self.random.randrange(500), 3))
        self.others.append(path)

    def link(self):
        source, target = self.any_file(), self.new_path()
        for i in range(self.random.choice([1, 1, 2, 40])):
            try:
                os.link(source, "%s-%d" % (target, i))
            except OSError as error:
                # Without extended refs all names must fit into one item.
                if error.errno != errno.EMLINK:
                    raise
                break
            self.files.append("%s-%d" % (target, i))

    def move(self):
        """Mostly into newer directories, whose inode numbers are larger."""
        path = self.random.choice(self.files + self.dirs[1:] + self.others or [self.create()])
        young = self.dirs[len(self.dirs) // 2:]
        target = os.path.join(self.random.choice(young), os.path.basename(path) + "m")
        if len(target) > 2000 or len(os.path.basename(target)) > 255:
            return
        if (target + "/").startswith(path + "/"):
            return
        os.rename(path, target)
        self.renamed(path, target)

    def renamed(self, old, new):
        for names in (self.files, self.dirs, self.others):
            for i, name in enumerate(names):
                if name == old or name.startswith(old + "/"):
                    names[i] = new + name[len(old):]

    def remove(self):
        for names in (self.files, self.others):
            if len(names) > 3:
                os.unlink(names.pop(self.random.randrange(len(names))))

    def xattr(self):
        path = self.any_path()
        name = "trusted.%d" % self.random.randrange(30)
        size = self.random.choice([0, 10, 200, 1000])
        os.setxattr(path, name, self.random.randbytes(size), follow_symlinks=False)

    def metadata(self):
        path = self.any_path()
        os.chown(path, self.random.randrange(5), self.random.randrange(5), follow_symlinks=False)
        if not os.path.islink(path):
            os.chmod(path, self.random.randrange(0o10000))
        when = self.random.randrange(1 << 60)
        os.utime(path, ns=(when, when // 3), follow_symlinks=False)

    def btrfs(self, *arguments):
        subprocess.run(["btrfs", "-q", *arguments], check=True, stdout=subprocess.DEVNULL)

    def snapshot(self, name=None):
        self.serial += 1
        path = os.path.join(self.mount, name or "snapshot-%d" % self.serial)
        self.btrfs("subvolume", "snapshot", "-r", self.root, path)
        if not name:
            self.snapshots.append(path)

    def delete_snapshot(self):
        if self.snapshots:
            victim = self.snapshots.pop(self.random.randrange(len(self.snapshots)))
            self.btrfs("subvolume", "delete", victim)

    def balance(self):
        """Relocated blocks have full back references in place of implicit ones."""
        kind = self.random.choice(["-dlimit=1", "-mlimit=1"])
        try:
            self.btrfs("balance", "start", "-f", kind, self.mount)
        except subprocess.CalledProcessError:
            # A small filesystem may have no space to balance.
            pass

    WEIGHTS = {
        create: 22, overwrite: 12, truncate: 4, sparse_tail: 3, punch: 5, preallocate: 4,
        reflink_whole: 4, reflink_range: 10, deduplicate: 1, sync: 8, property: 3, directory: 7,
        special: 3, link: 3, move: 8, remove: 4, xattr: 5, metadata: 5, snapshot: 1,
        delete_snapshot: 1, balance: 0.2,
    }

    def run(self):
        self.btrfs("subvolume", "create", self.root)
        steps = self.random.choices(list(self.WEIGHTS), list(self.WEIGHTS.values()),
                                    k=self.operations)
        for number, step in enumerate(steps):
            step(self)
            if number == self.operations // 2:
                self.snapshot("a")
        self.snapshot("b")
        # The native send's choice of clone sources depends on pending deletions.
        self.btrfs("subvolume", "sync", self.mount)
        self.btrfs("filesystem", "sync", self.mount)


if __name__ == "__main__":
    print("random tree: seed %s" % sys.argv[1])
    os.umask(0o022)
    Tree(int(sys.argv[1]), os.path.abspath(sys.argv[2]),
         int(sys.argv[3]) if len(sys.argv) > 3 else 400).run()
