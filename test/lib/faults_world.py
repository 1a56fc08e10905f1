# SPDX-License-Identifier: GPL-2.0-or-later
"""The directory in which a worker of faults.py runs its commands: its files, which are put back
before each run, and running a line with one call that fails."""
import contextlib
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

from faults_calls import Table

SENDCP = os.environ["SENDCP"]
PRELOAD = os.path.join(os.environ["TOOLS"], "failcall.so")
# For a run that takes some 20 ms.
TIME_LIMIT = float(os.environ.get("FAULTS_TIME_LIMIT", 60))
# Of journals: what no two runs have alike.
UNLIKE = re.compile(rb'"(begun|time|sum|machine|boot)":("[^"]*"|\d+)')
SHELL = re.compile(r"[|<>;&$]")


class Done:
    """The result of a line."""

    def __init__(self, line, status, out, err, table):
        self.line = line
        self.status = status
        self.out = out
        self.messages = err.decode(errors="replace").splitlines()
        self.table = table

    def __repr__(self):
        return "$ %s\n  exit %s\n    %s" % (self.line, self.status, "\n    ".join(self.messages))


def read(path):
    with open(path, "rb") as f:
        return f.read()


class World:
    def __init__(self, above):
        directory = self.directory = tempfile.mkdtemp(dir=above)
        self.process = None
        self.table = os.path.join(directory, "table")
        self.bin = os.path.join(directory, "bin")
        for name in ("bin", "out", "state"):
            os.makedirs(os.path.join(directory, name))
        self.script()
        self.environment = dict(
            os.environ, PATH=self.bin + ":" + os.environ["PATH"], LC_ALL="C",
            SENDCP_STATE_DIR=os.path.join(directory, "state"), FAILCALL_TABLE=self.table,
            ASAN_OPTIONS="verify_asan_link_order=0:detect_leaks=1:exitcode=99",
            UBSAN_OPTIONS="print_stacktrace=1")

    def script(self):
        """In a pipeline only sendcp is counted, and its messages and status are its own."""
        path = os.path.join(self.bin, "sendcp")
        here = shlex.quote(self.directory)
        with open(path, "w", encoding="utf-8") as f:
            f.write("#!/bin/sh\nLD_PRELOAD=%s exec %s \"$@\" 2>%s/messages\n" %
                    (shlex.quote(PRELOAD), shlex.quote(SENDCP), here))
        os.chmod(path, 0o755)

    def path(self, name):
        return os.path.join(self.directory, name)

    def names(self):
        return sorted(self.files())

    def files(self):
        """The contents of all files of the output's and the state directory; of links, where to."""
        found = {}
        for top in ("out", "state"):
            for directory, _, names in os.walk(self.path(top)):
                for name in names:
                    path = os.path.join(directory, name)
                    key = os.path.relpath(path, self.directory)
                    found[key] = os.readlink(path) if os.path.islink(path) else read(path)
        return found

    def put_back(self, files):
        for top in ("out", "state"):
            shutil.rmtree(self.path(top))
            os.mkdir(self.path(top), 0o700)
        for name, contents in files.items():
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            if isinstance(contents, str):
                os.symlink(contents, self.path(name))
                continue
            with open(self.path(name), "wb") as f:
                f.write(contents)
            os.chmod(self.path(name), 0o600)

    def run(self, line, fault=None, trace=None):
        """Runs a line as a shell does."""
        Table.make(self.table)
        environment = dict(self.environment)
        if fault:
            environment.update(fault.environment())
        if trace:
            environment["FAILCALL_TRACE"] = trace
        shell = SHELL.search(line) is not None
        if shell:
            words = ["bash", "-c", line + "\nexit ${PIPESTATUS[0]}"]
        else:
            words = shlex.split(line)
            words[0] = SENDCP
            environment["LD_PRELOAD"] = PRELOAD
        process = self.process = subprocess.Popen(
            words, cwd=self.directory, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = process.communicate(timeout=TIME_LIMIT)
            status = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            status = "none: it hangs"
        if shell:
            with contextlib.suppress(FileNotFoundError):
                err = read(self.path("messages")) + err
                os.unlink(self.path("messages"))
        return Done(line, status, out, err, Table(self.table))

    def stop(self):
        """Ends what runs."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    @staticmethod
    def process_left():
        """A process that outlived the line, since this one gets its orphans; it is ended."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            try:
                if os.waitpid(-1, os.WNOHANG) == (0, 0):
                    time.sleep(0.001)
            except ChildProcessError:
                return None
        left = None
        with open("/proc/self/task/%d/children" % os.getpid(), encoding="ascii") as f:
            for pid in f.read().split():
                left = read("/proc/%s/comm" % pid).decode().strip()
                os.kill(int(pid), signal.SIGKILL)
                os.waitpid(int(pid), 0)
        return left


def digest(files):
    """The same for files that differ only in what no two runs have alike."""
    total = hashlib.sha256()
    for name, contents in sorted(files.items()):
        data = contents.encode() if isinstance(contents, str) else UNLIKE.sub(b"", contents)
        total.update(("%s %d\n" % (name, len(data))).encode())
        total.update(data)
    return total.digest()
