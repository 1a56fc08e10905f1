# SPDX-License-Identifier: GPL-2.0-or-later
"""The stories that crash.py replays with power cuts: a send, the operations of its run, and the
bytes promised to be durable at each moment."""
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile

from crash_disk import disk_after, keep_some
from crash_record import files_after, record

SENDCP = os.environ["SENDCP"]
INTERVAL = int(os.environ.get("CRASH_INTERVAL", 1 << 20))
BUFFER = int(os.environ.get("CRASH_BUFFER", 256 << 10))
SIZES = ["--buffer-size", str(BUFFER), "--checkpoint-interval", str(INTERVAL)]
OPTIONS = {
    "plain": [], "zstd": ["--compress"], "tar": ["--archive"], "cpio": ["--archive=cpio"],
    "tar+zstd": ["--archive=tar", "--compress=1"], "pipe": [], "zstd-pipe": ["--compress"],
    "zstd-external": [],
}
# Separate directories, so that each needs its own sync.
OUTPUT, JOURNAL = "output/stream", "journal/stream.cp"
# --append truncates up to the end of a batch, and then of a zstd block.
CUT = BUFFER + (128 << 10)


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


class Subject:
    """The stream, the command that sends it, and the expected contents of its file."""

    def __init__(self, form, directory, arguments):
        self.form = form
        self.directory = os.path.realpath(directory)
        self.pipe = form.endswith("pipe")
        self.send = [SENDCP, "send", "--checkpoint", JOURNAL] + SIZES + OPTIONS[form] + arguments
        if not self.pipe:
            self.send += ["-f", OUTPUT]
        self.resume = [SENDCP, "resume", "--checkpoint", JOURNAL]
        devices = [word for pair in zip(arguments, arguments[1:]) if pair[0] == "--device"
                   for word in pair]
        self.resume += devices
        self.walk = [SENDCP, "resume", "-v", "--buffer-size", str(BUFFER), "--append",
                     OUTPUT] + devices + arguments[-1:]
        self.whole = run([SENDCP, "send", "-q"] + arguments, check=True).stdout
        self.right = {}

    def fill(self, files):
        """Makes @files the only files in the directory."""
        shutil.rmtree(self.directory, ignore_errors=True)
        for name in (OUTPUT, JOURNAL):
            os.makedirs(os.path.join(self.directory, os.path.dirname(name)))
        for name, data in files.items():
            with open(os.path.join(self.directory, name), "wb") as f:
                f.write(data)

    def read(self, name):
        try:
            with open(os.path.join(self.directory, name), "rb") as f:
                return f.read()
        except FileNotFoundError:
            return None

    def run(self, command):
        return run(command, cwd=self.directory)

    def contents(self, data):
        """The length of the stream that can be read from a file truncated anywhere."""
        return len(run(["zstd", "-dc"], input=data).stdout) if "zstd" in self.form else len(data)

    def unwrap(self, data):
        if "zstd" in self.form:
            done = run(["zstd", "-dc"], input=data)
            data = b"" if done.returncode else done.stdout
        if "tar" in self.form:
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                return b"".join(archive.extractfile(m).read() for m in archive.getmembers()
                                if m.name.startswith("stream."))
        if self.form == "cpio":
            return run(["bsdtar", "-xOf", "-", "stream.*"], input=data).stdout
        return data

    def zstd_left(self, source):
        """A truncated file of the zstd program, which read a "pipe" or a "file"; the sidecar."""
        self.fill({})
        sent = [word for word in self.send if word not in ("-f", OUTPUT)]
        whole = self.run(sent).stdout
        command = ["zstd", "-q", "-c"]
        if source == "file":
            with open(os.path.join(self.directory, OUTPUT), "wb") as f:
                f.write(whole)
            made = self.run(command + [OUTPUT]).stdout
        else:
            made = run(command, input=whole).stdout
        # The sender was killed before it could write the line of END.
        journal = b"".join(self.read(JOURNAL).splitlines(True)[:-1])
        return {OUTPUT: made[:len(made) * 9 // 10], JOURNAL: journal}

    def is_whole(self, data):
        digest = hashlib.sha256(data).digest()
        if digest not in self.right:
            try:
                self.right[digest] = self.unwrap(data) == self.whole
            except tarfile.TarError:
                self.right[digest] = False
        return self.right[digest]


def journal_lines(data):
    for line in data.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            pass


class Trace:
    """One story: the initial files, the operations, the promises at each moment."""

    def __init__(self, name, initial, ops, promised=0, begun=False, older=None,
                 interval=INTERVAL, first=0, walk=False, appends=False):
        self.name = name
        self.initial = initial
        self.ops = ops
        self.older = older
        self.interval = interval
        # [k] is after the first k operations: plain bytes that must not be lost; is anything
        # delivered?
        self.promised = [promised]
        self.begun = [begun]
        # walk: resume --append without a sidecar, which makes one; appends: with a sidecar that
        # does not know the file yet.
        self.walk = walk
        self.appends = appends
        # The sidecar's replacement before its rename: its lines are copies.
        self.temporary = None
        # The first operation at which a power cut is tried.
        self.first = first
        # The moments to try; None: all.
        self.moments = None
        self.made = 0
        for op in ops:
            self.follow(op)

    def follow(self, op):
        if op[0] == "create" and op[1].endswith(".thin"):
            self.temporary = op[2]
        elif op[0] == "rename":
            self.temporary = None
        elif op[0] == "write" and op[3].startswith(b'{"') and op[1] != self.temporary:
            for line in journal_lines(op[3]):
                if line.get("type") == "batch":
                    self.made = line["output_offset"] + line["length"]
                elif line.get("type") == "resumed":
                    self.made = line["output_offset"]
        out = op[0] == "pipe" or op[0] == "write" and not op[3].startswith(b'{"')
        self.promised.append(max(self.promised[-1], self.made - self.interval))
        self.begun.append(self.begun[-1] or out)

    def thinnings(self):
        """When the sidecar is replaced, but for the first time: (from, after) operations."""
        begun = [k for k, op in enumerate(self.ops)
                 if op[0] == "create" and op[1] == JOURNAL + ".thin" and k > self.first]
        return [(k, next(i + 1 for i, op in enumerate(self.ops)
                         if i > k and op == ("syncdir", os.path.dirname(JOURNAL))))
                for k in begun if self.begun[k]]

    def focus_on_thinning(self):
        """Includes the first operations in the new file, while the old one may still exist."""
        self.moments = {k for begin, end in self.thinnings() for k in range(begin, end + 6)}

    def forget_syncs(self, name):
        """As if the program had never synced that file: the replay must fail."""
        inodes = {op[2] for op in self.ops if op[0] == "create" and op[1] == name}
        self.ops = [("pipe", b"") if op[0] == "sync" and op[1] in inodes else op
                    for op in self.ops]

    def received(self, k):
        return b"".join(op[1] for op in self.ops[:k] if op[0] == "pipe")


class Recording:
    def __init__(self, subject, thinned):
        self.subject = subject
        self.thinned = thinned
        self.traces = []
        self.random = random.Random("record " + subject.form)

    def record(self, initial, command):
        subject = self.subject
        subject.fill(initial.whole())
        done, ops = record(subject.directory, initial, command, subject.directory + ".strace")
        if done.returncode:
            sys.exit("crash: %s: %d: %s" % (command, done.returncode, done.stderr.decode()))
        return ops

    def add(self, *arguments, **more):
        trace = Trace(*arguments, **more)
        self.traces.append(trace)
        if self.thinned:
            trace.focus_on_thinning()
        print("%s, %s: %d operations" % (self.subject.form, trace.name, len(trace.ops)))
        return trace

    def before_syncs(self, trace, count):
        """Moments with most data not durable: just before a sync of the output, or of the pipe's
        journal."""
        begun = [k for k, op in enumerate(trace.ops)
                 if op[0] == "sync" and trace.begun[k] and trace.ops[k - 1][0] != "sync"
                 and k > trace.first and (trace.moments is None or k in trace.moments)]
        return self.random.sample(begun, min(count, len(begun)))

    def resumed(self, trace, k, command, name):
        """Killed after @k operations and resumed; nothing is lost, nothing is durable."""
        ops = trace.ops[:k]
        if self.subject.pipe:
            command = command + ["--at", str(len(trace.received(k)))]
        after = self.record(files_after(trace.initial, ops), command)
        return self.add(name, trace.initial, ops + after, promised=self.left(trace, 0),
                        begun=trace.begun[0], first=k, appends=trace.appends)

    @staticmethod
    def left(trace, k):
        """If nothing new became durable since an --append truncated the file, the next one
        truncates it again."""
        again = trace.appends and trace.promised[k] == trace.promised[0]
        return trace.promised[k] - (CUT if again else 0)

    def cut_off(self, trace, k, command):
        files = disk_after(trace.initial, trace.ops[:k]).cut(self.random, keep_some)
        initial = files_after(files, [])
        # If nothing was promised yet, the surviving bytes may not suffice to recognize the file.
        refused = trace.promised[k] <= 0 and self.refuses(initial, command)
        ops = self.record(initial, command + (["--restart"] if refused else []))
        self.add("resumed after a power cut at %d" % k, files, ops, begun=True,
                 promised=self.left(trace, k), appends=trace.appends)

    def refuses(self, initial, command):
        self.subject.fill(initial.whole())
        return self.subject.run(command).returncode == 1

    def all(self):
        if self.subject.form == "zstd-external":
            self.external()
        else:
            self.sent()

    def sent(self):
        subject = self.subject
        fresh = self.add("send", {}, self.record(files_after({}, []), subject.send))
        if self.thinned and len(fresh.thinnings()) < 3:
            sys.exit("crash: the sidecar was hardly thinned")
        for k in self.before_syncs(fresh, 2):
            once = self.resumed(fresh, k, subject.resume, "killed at %d" % k)
            if not subject.pipe:
                for again in self.before_syncs(once, 1):
                    self.resumed(once, again, subject.resume, "killed at %d and %d" % (k, again))
        if subject.pipe:
            return
        for k in self.before_syncs(fresh, 1):
            self.resumed(fresh, k, subject.resume + ["--append", OUTPUT], "appended at %d" % k)
        for k in self.before_syncs(fresh, 2):
            self.cut_off(fresh, k, subject.resume)
        if self.thinned:
            return
        self.replaced()
        if subject.form == "plain":
            whole = subject.whole
            self.walked(whole[:len(whole) * 2 // 3])

    def external(self):
        """The file of the zstd program is durable, and so is the sidecar, which knows only a
        pipe."""
        subject = self.subject
        command = subject.resume + ["--append", OUTPUT]
        for source in ("pipe", "file"):
            left = subject.zstd_left(source)
            ops = self.record(files_after(left, []), command)
            trace = self.add("append to what zstd made of a " + source, left, ops,
                             promised=subject.contents(left[OUTPUT]) - 2 * CUT,
                             begun=True, appends=True)
            for k in self.before_syncs(trace, 2):
                self.resumed(trace, k, command, "appended at %d" % k)
                self.cut_off(trace, k, command)
            self.walked(left[OUTPUT])

    def walked(self, data):
        """resume --append to a durable file that never had a sidecar."""
        ops = self.record(files_after({OUTPUT: data}, []), self.subject.walk)
        # It uses the default interval, which is longer than this stream.
        self.add("append without a sidecar", {OUTPUT: data}, ops, begun=True, walk=True,
                 promised=self.subject.contents(data) - 3 * CUT, interval=64 << 20)

    def replaced(self):
        """A send over a complete, longer file of an earlier send, and its sidecar."""
        subject = self.subject
        subject.fill({})
        if subject.run(subject.send).returncode:
            sys.exit("crash: cannot send")
        older = {OUTPUT: subject.read(OUTPUT), JOURNAL: subject.read(JOURNAL)}
        self.add("send over an older one", older,
                 self.record(files_after(older, []), subject.send + ["--restart"]),
                 older=older[OUTPUT])
