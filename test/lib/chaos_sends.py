# SPDX-License-Identifier: GPL-2.0-or-later
"""The sends of chaos.py: each is made with a random kind of output, ended in random ways, resumed by
the command that its last line names, and at the end compared with the stream made before."""
import errno
import fcntl
import os
import random
import re
import shlex
import shutil
import signal
import struct
import subprocess
import threading
import time

import chaos_fs
from chaos_log import FIX, MOUNT, count, done, ended, fail, passed, say, start, stop

SENDCP = os.environ["SENDCP"]
REFERENCES = os.path.join(FIX, "references")
RECEIVER = os.path.join(FIX, "receiver")
DAMAGE = os.environ.get("CHAOS_DAMAGE") == "1"
# Name: options and snapshots. Those of the pair ua, ub share no extents with anything else that a
# clone may come from, so every byte of a full stream must be the same. While balance moves an extent,
# it has its old address in one of the two trees and its new one in the other until both were
# committed: so an incremental stream, as that of btrfs send, may have contents that did not change.
REQUESTS = {
    "full": ["ub"],
    "incremental": ["-p", "ua", "ub"],
    "compressed": ["--compressed-data", "-p", "ua", "ub"],
    "full compressed": ["--proto", "2", "--compressed-data", "ub"],
    "protocol 2": ["--proto", "2", "ub"],
    "no data": ["--no-data", "-p", "ua", "ub"],
    "both": ["-e", "ua", "ub"],
    "shared full": ["b"],
    "shared incremental": ["-p", "a", "b"],
    "shared clones": ["-p", "a", "-c", "a", "b"],
    "shared compressed": ["--compressed-data", "-p", "a", "b"],
}
SNAPSHOTS = ("a", "b", "ua", "ub")
# What such contents take, without data.
REWRITING = {"truncate", "update_extent", "utimes"}
OUTPUTS = ("file", "file", "stdout", "zstd", "tar", "cpio", "tar+zstd", "pipe", "pipe", "command",
           "image")
ENDS = ("KILL", "KILL", "TERM", "INT", "HUP", "stopped", "stopped", "reader", None, None)
CONTAINER = {"zstd": ["--compress"], "tar": ["--archive"], "cpio": ["--archive=cpio"],
             "tar+zstd": ["--archive", "--compress"]}
INTERRUPTED = 75
# A run that is interrupted more often makes no progress.
RUNS_MAX = 200
# What a send from the images of a mounted filesystem may end with.
IMAGE_CHANGES = re.compile(
    "changed while it was read|was removed or replaced|another filesystem|no superblock magic|"
    "no valid superblock|same device was given twice|device is missing|tree block|chunk map|"
    "superblock|tree item is missing|does not exist")
# Then the position in the middle of a batch, whose clones are others now, cannot be proven.
CLONES_CHANGED = "would be made differently now, since other extents can be cloned"
FIDEDUPERANGE = 0xC0189436


def arguments(name, root):
    return [os.path.join(root, w) if w in SNAPSHOTS else w for w in REQUESTS[name]]


def is_incremental(name):
    return "-p" in REQUESTS[name] or "-e" in REQUESTS[name]


def may_differ(name):
    """Clones may be others, or contents be there that did not change."""
    return name.startswith("shared") or is_incremental(name)


def reference(name):
    return os.path.join(REFERENCES, name)


def size(path):
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def dedupe_status(source, target, length):
    """What FIDEDUPERANGE says of TARGET, which is opened as root may open it: for reading."""
    src = os.open(source, os.O_RDONLY)
    dst = os.open(target, os.O_RDONLY)
    request = bytearray(struct.pack("<QQHHIqQQiI", 0, length, 1, 0, 0, dst, 0, 0, 0, 0))
    try:
        fcntl.ioctl(src, FIDEDUPERANGE, request)
    finally:
        os.close(src)
        os.close(dst)
    return struct.unpack_from("<i", request, 48)[0]


class Send:
    """One stream, in a directory of its own."""

    def __init__(self, number, rng):
        self.number = number
        self.random = rng
        self.name = rng.choice(list(REQUESTS))
        self.output = rng.choice(OUTPUTS)
        if self.output == "image":
            self.name = rng.choice([n for n in REQUESTS if not n.startswith("shared")])
        self.directory = os.path.join(FIX, "send%d" % number)
        os.mkdir(self.directory)
        self.out = self.path("out")
        self.cp = self.path("cp")
        self.runs = 0
        # When the last run began.
        self.before = 0
        # A reader of a pipe writes a file that sendcp was given then.
        self.appended = False
        self.failed = False
        self.first = self.first_command()

    def path(self, name):
        return os.path.join(self.directory, name)

    def say(self, text):
        say("send %d: %s" % (self.number, text))

    def fail(self, text):
        self.failed |= fail("send %d (%s, %s): %s" % (self.number, self.name, self.output, text))

    def to_command(self):
        out = shlex.quote(self.out)
        return ["--to-command", "truncate -s $SENDCP_OFFSET %s && dd of=%s bs=1M status=none "
                "oflag=seek_bytes seek=$SENDCP_OFFSET conv=notrunc" % (out, out),
                "--position-command", "touch %s && %s verify --position %s" % (
                    out, shlex.quote(SENDCP), out)]

    def first_command(self):
        command = [SENDCP, "send", "--backend", "direct", "--progress=never",
                   "--checkpoint-interval", self.random.choice(["144K", "1M", "64M"]),
                   "--buffer-size", self.random.choice(["144K", "300K", "4M"])]
        if self.random.random() < 0.6:
            command += ["--bwlimit", self.random.choice(["2M", "5M", "20M"])]
        elif self.random.random() < 0.1:
            command.append("--step")
        if self.output in ("pipe", "stdout"):
            command += ["--checkpoint", self.cp]
        elif self.output == "command":
            command += ["--checkpoint", self.cp, *self.to_command()]
        else:
            command += ["--checkpoint", self.cp, "-f", self.out, *CONTAINER.get(self.output, [])]
        if self.output == "image":
            command[2:4] = []
            return command
        return command + arguments(self.name, MOUNT)

    # Running a command, and ending it.

    def run(self, command, interrupt):
        """Its exit status, its messages, and how it was interrupted."""
        self.runs += 1
        self.before = size(self.out)
        self.appended |= "--append" in command
        self.say("run %d%s: %s" % (self.runs, ", %s" % interrupt if interrupt else "",
                                   command if isinstance(command, str) else shlex.join(command)))
        stderr = self.path("stderr")
        with open(stderr, "wb") as err:
            process, reader = self.start(command, err)
        if interrupt:
            self.interrupt(interrupt, process, reader)
        status = ended(process)
        if reader:
            ended(reader)
        with open(stderr, encoding="utf-8", errors="replace") as f:
            lines = f.read().strip().split("\n")
        self.say("ended with %d, %d bytes: %s" % (status, size(self.out), " | ".join(lines)))
        return status, lines

    def start(self, command, err):
        shell = isinstance(command, str)
        if self.output == "stdout" and self.runs == 1:
            with open(self.out, "wb") as out:
                return start(command, stdout=out, stderr=err), None
        if self.output != "pipe" or self.appended:
            return start(command, shell=shell, stdout=subprocess.DEVNULL, stderr=err), None
        read, write = os.pipe()
        with open(self.out, "ab") as out:
            reader = start(["cat"], stdin=read, stdout=out)
        process = start(command, shell=shell, stdout=write, stderr=err)
        os.close(read)
        os.close(write)
        return process, reader

    def interrupt(self, how, process, reader):
        """Once the output has grown to a random part of what it will be."""
        whole = size(reference(self.name))
        at = size(self.out) + self.random.randrange(max(whole - size(self.out), 1))
        while process.poll() is None and size(self.out) < at and not stop.is_set():
            time.sleep(0.01)
        if process.poll() is not None:
            return
        if how == "stopped":
            self.stopped(process)
        elif how == "reader":
            if reader:
                os.killpg(reader.pid, signal.SIGKILL)
            else:
                # Also the command that the stream goes into.
                self.kill(process, signal.SIGTERM)
        else:
            os.kill(process.pid, getattr(signal, "SIG" + how))
        count(done, "interrupt: " + how)

    @staticmethod
    def kill(process, number):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass

    def stopped(self, process):
        """Stopped for a while, and continued. The snapshot is held also then."""
        os.kill(process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if self.in_the_middle():
            root = os.path.join(MOUNT, "ub")
            status = dedupe_status(root + "/twin1", root + "/twin2", 16384)
            if status == -errno.EAGAIN:
                count(done, "deduplicate into a snapshot is refused")
            elif status != -errno.EROFS:
                self.fail("deduplicating into the snapshot that is sent: %d" % status)
        stop.wait(self.random.random())
        os.kill(process.pid, signal.SIGCONT)

    def in_the_middle(self):
        """The run has written, and more is to come than a pipe holds: so the snapshot is held."""
        written = size(self.out)
        return self.output in ("file", "stdout", "pipe", "command") and \
            "ub" in REQUESTS[self.name] and \
            self.before < written < size(reference(self.name)) - (512 << 10)

    # From the beginning to the end of a stream.

    def next_interrupt(self):
        if self.runs > 4:
            return None
        return self.random.choice(ENDS)

    def resume_command(self, command, status, lines):
        """The command of the last line, or what is documented for a run that was killed."""
        last = re.sub("^.*resume with: ", "", lines[-1])
        if status == INTERRUPTED and " resume " in last and "FILE" not in last:
            # The shell must not be what is killed.
            return last.replace("sendcp resume", "exec %s resume" % shlex.quote(SENDCP), 1)
        if not size(self.cp):
            # Killed before the first checkpoint: nothing to resume.
            self.appended = False
            for path in (self.cp, self.out):
                if os.path.exists(path):
                    os.remove(path)
            return self.first
        if self.appended and "--append" in command:
            # It may not have noted yet that the stream is in a file from now on.
            return command
        if self.output not in ("pipe", "command", "stdout") and self.random.random() < 0.5:
            return self.first
        command = [SENDCP, "resume", "--progress=never", "--checkpoint", self.cp]
        if self.output == "command":
            return command + self.to_command()
        if self.output != "pipe" or self.appended:
            return command
        if self.random.random() < 0.3:
            return command + ["--append", self.out]
        position = subprocess.run([SENDCP, "verify", "--position", self.out], check=False,
                                  stdout=subprocess.PIPE).stdout.decode().strip()
        os.truncate(self.out, int(position.split(":")[0]))
        return command + ["--have", position]

    def make(self):
        """True if the stream is complete."""
        command = self.first
        while not stop.is_set():
            interrupt = self.next_interrupt()
            status, lines = self.run(command, interrupt)
            if status == 0:
                return True
            # Killed by the signal itself only if sendcp was not ready for it yet.
            killed = status < 0 and interrupt not in (None, "stopped")
            if stop.is_set():
                return False
            if status == 1 and may_differ(self.name) and CLONES_CHANGED in " ".join(lines):
                count(done, "the position cannot be proven any more")
                command = self.first + ["--restart"]
                self.appended = False
                if os.path.exists(self.out):
                    os.truncate(self.out, 0)
                continue
            if status != INTERRUPTED and not killed:
                self.fail("ended with %d: %s" % (status, lines[-1]))
                return False
            if not interrupt:
                count(done, "interrupted by the filesystem")
            if self.runs > RUNS_MAX:
                self.fail("interrupted %d times" % self.runs)
                return False
            command = self.resume_command(command, status, lines)
        return False

    def image_run(self, devices, interrupt=None):
        images = chaos_fs.loops()
        command = self.first + [w for _, path in devices for w in ("--device", images[path])]
        return self.run(command + arguments(self.name, ""), interrupt)

    def make_image(self):
        """From the images of the mounted filesystem: complete for certain only if it is frozen."""
        if self.random.random() < 0.6:
            with chaos_fs.frozen() as froze:
                if not froze:
                    return False
                self.first = [w for i, w in enumerate(self.first) if w != "--bwlimit" and
                              self.first[i - 1] != "--bwlimit"]
                status, lines = self.image_run(chaos_fs.devices())
            if status == 0:
                count(done, "image, frozen")
                return True
            if stop.is_set():
                return False
            self.fail("from a frozen filesystem's image: %d: %s" % (status, lines[-1]))
            return False
        status, lines = self.image_run(chaos_fs.devices())
        if status == 0:
            return True
        text = " ".join(lines)
        if stop.is_set():
            return False
        if status not in (1, INTERRUPTED) or not IMAGE_CHANGES.search(text):
            self.fail("from a changing image: %d: %s" % (status, text))
        elif not may_differ(self.name) and not self.is_prefix(self.out):
            self.fail("what was made of a changing image is not the stream's beginning")
        else:
            count(done, "image, changed")
        return False

    # The result.

    def is_prefix(self, path):
        with open(reference(self.name), "rb") as whole:
            if not os.path.exists(path):
                return True
            with open(path, "rb") as part:
                data = part.read()
            return whole.read(len(data)) == data

    def plain(self):
        if self.output not in CONTAINER:
            return self.out
        plain = self.path("plain")
        with open(plain, "wb") as out:
            status = ended(start([SENDCP, "cat", "--progress=never", self.out], stdout=out))
        if status:
            self.fail("sendcp cat: %d" % status)
        return plain

    def check(self):
        plain = self.plain()
        if DAMAGE:
            with open(plain, "r+b") as f:
                f.seek(size(plain) // 2)
                byte = f.read(1)[0]
                f.seek(-1, os.SEEK_CUR)
                f.write(bytes([byte ^ 1]))
        if self.same(plain):
            count(passed, "%s, %s" % (self.name, self.output))
        elif self.failed:
            self.keep(plain)

    def same(self, plain):
        with open(reference(self.name), "rb") as f, open(plain, "rb") as g:
            if f.read() == g.read():
                count(done, "compared by bytes")
                return True
        if not may_differ(self.name):
            self.fail("another stream")
            return False
        if self.name == "no data":
            return self.only_rewrites(plain)
        if not self.arrives(plain):
            return False
        count(done, "compared by contents")
        return True

    def only_rewrites(self, plain):
        """All commands are there, in their order, and others only where nothing changed."""
        wanted, found = (subprocess.run([SENDCP, "dump", path], check=False,
                                        stdout=subprocess.PIPE).stdout.split(b"\n")
                         for path in (reference(self.name), plain))
        at = 0
        for line in found:
            if at < len(wanted) and line == wanted[at]:
                at += 1
            elif not line or line.split()[0].decode() not in REWRITING:
                self.fail("another command: %s" % line)
                return False
        if at < len(wanted):
            self.fail("without the command: %s" % wanted[at])
            return False
        count(done, "compared by commands")
        return True

    def arrives(self, plain):
        """What is received must be the snapshot."""
        snapshots = [w for w in ("ua", "ub", "b") if w in REQUESTS[self.name]]
        if "-p" in REQUESTS[self.name]:
            snapshots = snapshots[-1:]
        target = os.path.join(RECEIVER, "send%d" % self.number)
        os.mkdir(target)
        commands = [["btrfs", "-q", "receive", "-f", plain, target]]
        commands += [["treecmp", "--any-root-times", os.path.join(MOUNT, name),
                      os.path.join(target, name)] for name in snapshots]
        try:
            for command in commands:
                process = start(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                output = process.stdout.read().decode(errors="replace")
                process.stdout.close()
                if ended(process):
                    if not stop.is_set():
                        self.fail("%s: %s" % (shlex.join(command), output))
                    return False
        finally:
            for name in os.listdir(target):
                subprocess.run(["btrfs", "-q", "subvolume", "delete", os.path.join(target, name)],
                               check=False)
            os.rmdir(target)
        return True

    def keep(self, plain):
        """What a failure can be followed with, beside the log."""
        place = os.environ["CHAOS_LOG"] + ".failed"
        os.makedirs(place, exist_ok=True)
        for path in (plain, reference(self.name), self.cp):
            if os.path.exists(path) and len(os.listdir(place)) < 20:
                shutil.copy(path, "%s/%d.%s" % (place, self.number, os.path.basename(path)))

    def whole(self):
        self.say("begins: %s, %s" % (self.name, self.output))
        try:
            if self.make_image() if self.output == "image" else self.make():
                self.check()
        finally:
            shutil.rmtree(self.directory)


class Sender(threading.Thread):
    """Makes one stream after another until MOST are made in all, or for ever if that is 0."""
    made = 0
    lock = threading.Lock()

    def __init__(self, seed, number):
        super().__init__(name="sender%d" % number)
        self.random = random.Random("%s sender %d" % (seed, number))

    def run(self):
        while not stop.is_set():
            with Sender.lock:
                Sender.made += 1
                number = Sender.made
            try:
                Send(number, self.random).whole()
            except Exception as error:  # pylint: disable=broad-except
                fail("send %d: %r" % (number, error))
