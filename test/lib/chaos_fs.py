# SPDX-License-Identifier: GPL-2.0-or-later
"""What chaos.py does to the filesystem while it is sent. Each class is a thread; one operation of it
may be refused because of another's, and is tried again later."""
import contextlib
import fcntl
import os
import random
import shutil
import subprocess
import threading
import time

import btrfsops
from chaos_log import MOUNT, attempt, count, done, fail, given_up, operation, refused, say, \
    stop

FIFREEZE = 0xC0045877
FITHAW = 0xC0045878
LIVE = [os.path.join(MOUNT, "live"), os.path.join(MOUNT, "live2")]
# Mostly only one of the operations that exclude each other is tried at a time.
exclusive = threading.Lock()
# Held while the filesystem is frozen, read-only or has quotas. Also during a replacement: Linux 6.18
# forces a filesystem read-only that is thawed during one, since it has not written the new device's
# superblock ("got modified unexpectedly").
state = threading.Lock()
# Files are open for writing, which a remount to read-only does not allow.
writing = threading.Lock()
SECTOR = 4096
GIVEN_UP = "the kernel gave the filesystem up"
WITHOUT = os.environ.get("CHAOS_WITHOUT", "").split()
# The kernel itself is damaged from then on.
OOPS = ("BUG: ", "Oops: ", "general protection fault")


def devices():
    """The devices of the filesystem now: number and path. While they are asked for, one by one, one
    of them may go; then btrfs fails, and is asked again."""
    for _ in range(50):
        shown = subprocess.run(["btrfs", "filesystem", "show", "--raw", MOUNT], check=False,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if shown.returncode == 0:
            words = (line.split() for line in shown.stdout.decode().split("\n"))
            return [(w[1], w[-1]) for w in words if w and w[0] == "devid"]
        say("filesystem show: %d %s" % (shown.returncode, shown.stderr.decode().strip()))
        count(refused, "filesystem show")
        time.sleep(0.02)
    raise RuntimeError("btrfs filesystem show fails always")


def loops():
    """All loop devices of the test that are for the filesystem, with their images."""
    listed = subprocess.run(["losetup", "-nlO", "NAME,BACK-FILE"], check=True,
                            stdout=subprocess.PIPE).stdout.decode().split("\n")
    place = os.path.dirname(MOUNT) + "/"
    return {w[0]: w[1] for w in (line.split() for line in listed)
            if len(w) == 2 and w[1].startswith(place) and "receiver" not in w[1]}


def spare():
    used = {path for _, path in devices()}
    return [name for name in loops() if name not in used][0]


def filesystem_ioctl(number):
    fd = os.open(MOUNT, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.ioctl(fd, number, 0)
    finally:
        os.close(fd)


@contextlib.contextmanager
def frozen():
    """Always thawed again."""
    with state:
        froze = attempt("freeze", filesystem_ioctl, FIFREEZE)
        try:
            yield froze
        finally:
            if froze:
                attempt("thaw", filesystem_ioctl, FITHAW)


class Disturber(threading.Thread):
    """PAUSE: seconds between two operations, at most."""
    PAUSE = 0.3
    OPERATIONS = ()

    def __init__(self, seed):
        super().__init__(name=type(self).__name__.lower())
        self.random = random.Random("%s %s" % (seed, self.name))
        self.coming = []

    def run(self):
        while not stop.is_set():
            self.once()
            stop.wait(self.random.random() * self.PAUSE)

    def choose(self):
        """Each before one comes a second time: so all happen soon."""
        if not self.coming:
            allowed = [name for name in self.OPERATIONS if name not in WITHOUT]
            self.coming = self.random.sample(allowed, len(allowed))
        return self.coming.pop()

    def once(self):
        try:
            getattr(self, self.choose())()
        except OSError as error:
            say("refused: %s" % error)
        except Exception as error:  # pylint: disable=broad-except
            fail("%s: %r" % (self.name, error))

    def alone(self):
        return exclusive if self.random.random() < 0.7 else contextlib.nullcontext()


class Devices(Disturber):
    OPERATIONS = ("replace", "add_and_remove")

    def replace(self):
        with self.alone(), state:
            old = self.random.choice(devices())[0]
            operation("replace", "btrfs", "replace", "start", "-B", "-f", old, spare(), MOUNT)

    def add_and_remove(self):
        with self.alone():
            if operation("device add", "btrfs", "device", "add", "-f", spare(), MOUNT):
                while not stop.is_set():
                    old = self.random.choice(devices())[1]
                    if operation("device remove", "btrfs", "device", "remove", old, MOUNT):
                        return
                    stop.wait(0.1)


class Balance(Disturber):
    OPERATIONS = ("limited", "limited", "limited", "limited", "whole", "paused")

    def balance(self, *filters):
        with self.alone():
            operation("balance", "btrfs", "-q", "balance", "start", "-f", *filters, MOUNT)

    def limited(self):
        self.balance("-mlimit=2", "-dlimit=2")

    def whole(self):
        self.balance("--full-balance")

    def paused(self):
        """Paused and canceled while it runs, if it still does."""
        runs = threading.Thread(target=self.whole, name="balance2")
        runs.start()
        stop.wait(self.random.random() * 0.3)
        if operation("balance pause", "btrfs", "balance", "pause", MOUNT) and \
                self.random.random() < 0.5:
            operation("balance resume", "btrfs", "-q", "balance", "resume", MOUNT)
        operation("balance cancel", "btrfs", "balance", "cancel", MOUNT)
        runs.join()


class Checks(Disturber):
    OPERATIONS = ("scrub", "quota")

    def scrub(self):
        operation("scrub", "btrfs", "scrub", "start", "-B", MOUNT)

    def quota(self):
        """A rescan that a remount paused and resumed crashes Linux 6.18 when quota is disabled
        (start_transaction() without a root in btrfs_qgroup_rescan_worker())."""
        with state:
            if operation("quota enable", "btrfs", "quota", "enable", MOUNT):
                operation("quota rescan", "btrfs", "quota", "rescan", "-w", MOUNT)
                stop.wait(self.random.random())
                while not operation("quota disable", "btrfs", "quota", "disable", MOUNT) and \
                        not stop.is_set():
                    stop.wait(0.1)


def regular_files(root):
    found = (os.path.join(d, f) for d, _, names in os.walk(root) for f in names)
    return [f for f in found if os.path.isfile(f) and not os.path.islink(f)]


class Writer(Disturber):
    """Changes the writable subvolumes, which share extents with the snapshots that are sent."""
    PAUSE = 0.05
    OPERATIONS = ("write", "write", "write", "reflink", "remove", "defragment", "deduplicate")

    def __init__(self, seed):
        super().__init__(seed)
        self.serial = 0
        self.files = []

    def run(self):
        while not stop.is_set():
            with writing:
                self.once()
            stop.wait(self.random.random() * self.PAUSE)

    def any_file(self):
        if not self.files or self.random.random() < 0.01:
            self.files = regular_files(self.random.choice(LIVE))
        return self.random.choice(self.files)

    def write(self):
        path = self.any_file()
        data = self.random.randbytes(self.random.choice([100, 5000, 100000]))
        attempt("write", btrfsops.write_at, path, self.random.randrange(1 << 20), data)

    def reflink(self):
        self.serial += 1
        target = os.path.join(LIVE[0], "copy%d" % (self.serial % 50))
        attempt("reflink", btrfsops.reflink, self.any_file(), 0, 0, target, 0)

    def remove(self):
        self.serial += 1
        d = os.path.join(LIVE[1], "more%d" % (self.serial % 3))
        if os.path.isdir(d):
            attempt("remove", shutil.rmtree, d)
        else:
            attempt("make", self.make, d)

    @staticmethod
    def make(d):
        os.mkdir(d)
        for n in range(50):
            btrfsops.write_at(os.path.join(d, "f%d" % n), 0, b"%d" % n * 1000)

    def defragment(self):
        operation("defragment", "btrfs", "-q", "filesystem", "defragment", "-f",
                  *self.random.choice([[], ["-czstd"], ["-clzo"]]),
                  *{self.any_file() for _ in range(10)})

    def original(self):
        """A file of a snapshot that is sent, large enough to be shared."""
        files = [f for f in regular_files(os.path.join(MOUNT, self.random.choice(["b", "ub"])))
                 if os.path.getsize(f) >= SECTOR]
        path = self.random.choice(files)
        return path, min(os.path.getsize(path) // SECTOR * SECTOR, 1 << 20)

    def deduplicate(self):
        """A copy gets the snapshot's extents."""
        path, size = self.original()
        self.serial += 1
        copy = os.path.join(LIVE[0], "dup%d" % (self.serial % 30))

        def both():
            with open(path, "rb") as source:
                btrfsops.write_at(copy, 0, source.read(size))
            btrfsops.sync_file(copy)
            btrfsops.dedupe(path, 0, size, copy, 0)
        attempt("deduplicate", both)


class Snapshots(Disturber):
    OPERATIONS = ("snapshot",)

    def __init__(self, seed):
        super().__init__(seed)
        self.made = []
        self.serial = 0

    def snapshot(self):
        source = self.random.choice(["a", "b", "ua", "ub", "live", "live2"])
        self.serial += 1
        target = os.path.join(MOUNT, "more%d" % self.serial)
        options = self.random.choice([[], ["-r"]])
        if operation("snapshot", "btrfs", "-q", "subvolume", "snapshot", *options,
                     os.path.join(MOUNT, source), target):
            self.made.append(target)
        while len(self.made) > self.random.randrange(6):
            old = self.made.pop(self.random.randrange(len(self.made)))
            if not operation("snapshot delete", "btrfs", "-q", "subvolume", "delete", old):
                self.made.append(old)
                return


class State(Disturber):
    """The filesystem as a whole."""
    PAUSE = 0.5
    OPERATIONS = ("freeze", "read_only", "options", "sync", "drop_caches")
    MOUNT_OPTIONS = ("compress=no", "compress-force=zlib", "compress=lzo", "compress=zstd",
                     "autodefrag", "noautodefrag", "flushoncommit", "noflushoncommit", "commit=5",
                     "commit=1", "max_inline=0", "max_inline=2048", "thread_pool=1",
                     "thread_pool=4", "discard=async", "nodiscard")

    def freeze(self):
        with frozen():
            stop.wait(self.random.random() * 0.3)

    def remount(self, name, options):
        return operation(name, "mount", "-o", "remount,noatime," + options, MOUNT)

    def read_only(self):
        """Refused while the filesystem is being written to, so tried a few times."""
        with state, writing:
            for _ in range(50):
                if self.remount("remount ro", "ro"):
                    stop.wait(self.random.random() * 0.3)
                    break
            for _ in range(100):
                if self.remount("remount rw", "rw") or stop.wait(0.1):
                    return
            fail("read-only for good")

    def options(self):
        with state:
            self.remount("remount options", self.random.choice(self.MOUNT_OPTIONS))

    def sync(self):
        operation("sync", "sync", "-f", MOUNT)

    def drop_caches(self):
        def drop():
            with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
                f.write(self.random.choice("123"))
        attempt("drop caches", drop)


class Kernel(threading.Thread):
    """What the kernel says of the filesystem goes into the log. If it finds it damaged, it makes it
    read-only for good, and the round ends there: Linux 6.18 does so now and then (EUCLEAN, "extent
    item not found"), when metadata is balanced and snapshots are made, replaced devices or not."""

    def __init__(self, _):
        super().__init__(name="kernel")
        self.names = ["(device %s" % os.path.basename(name) for name in loops()]

    def run(self):
        fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        try:
            os.lseek(fd, 0, os.SEEK_END)
            while not stop.is_set():
                try:
                    self.line(os.read(fd, 8192).decode(errors="replace").split("\n")[0])
                except BlockingIOError:
                    stop.wait(0.2)
                except BrokenPipeError:
                    say("lines of the kernel's log were lost")
        finally:
            os.close(fd)

    def line(self, text):
        text = text.split(";", 1)[-1]
        if any(word in text for word in OOPS):
            fail("the kernel crashed, restart the machine: " + text)
            stop.set()
        if not any(name in text for name in self.names):
            return
        say(text)
        if "forced readonly" in text:
            given_up.set()
            count(done, GIVEN_UP)
            stop.set()


DISTURBERS = (Devices, Balance, Checks, Writer, Snapshots, State, Kernel)
# Without each of these once, a run has shown nothing; and the operation that makes it.
WANTED = tuple(name for name, maker in (
    ("replace", "replace"), ("device add", "add_and_remove"), ("device remove", "add_and_remove"),
    ("balance", "limited"), ("scrub", "scrub"), ("quota enable", "quota"),
    ("quota rescan", "quota"), ("quota disable", "quota"), ("write", "write"),
    ("defragment", "defragment"), ("deduplicate", "deduplicate"), ("snapshot", "snapshot"),
    ("snapshot delete", "snapshot"), ("freeze", "freeze"), ("thaw", "freeze"),
    ("remount ro", "read_only"), ("remount rw", "read_only"), ("remount options", "options"),
    ("sync", "sync"), ("drop caches", "drop_caches")) if maker not in WITHOUT)
