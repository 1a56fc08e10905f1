# SPDX-License-Identifier: GPL-2.0-or-later
"""What must hold after a run of faults.py in which a call failed."""
import os
import re

from endings_law import LAST_LINE
from faults_scenarios import FILE
from faults_world import digest

AGAIN = re.compile(r"sendcp: interrupted; run the same command again: .* was not changed")
LATER = re.compile(r"sendcp: once that is fixed, resume with: (.*)")
CRASH = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|free\(\)|corrupt.*size|Assertion")
STATUSES = {"reading": (0, 1), "sending": (0, 1, 75)}


class Broken(Exception):
    """The law is broken."""


def last_command(done):
    """The command in the last line, its placeholder replaced; None: it has none."""
    last = done.messages[-1] if done.messages else ""
    match = LAST_LINE.fullmatch(last) or LATER.fullmatch(last)
    return re.sub(r"\bFILE\b", FILE, match[1]) if match else None


class Law:
    """Judges runs of one scenario."""

    def __init__(self, world, sources, scenario):
        self.world = world
        self.sources = sources
        self.scenario = scenario
        # States from which everything was tried.
        self.known = set()

    def is_right(self, files):
        return self.sources.is_right(self.world, self.scenario.form, files)

    def judge(self, fault, done):
        """Raises Broken, or returns the outcome as the table shows it."""
        if self.library_crashed(fault, done):
            self.check_crashed()
            return "library"
        self.check_end(done)
        files = self.world.files()
        seen = fault.way.transparent and done.table.function in fault.way.transparent
        if done.table.hits and seen and done.status != 0:
            raise Broken("%s of %s is no failure" % (fault.way.name, done.table.function))
        if self.scenario.form:
            self.check_sending(fault, done, files)
        else:
            self.check_reading(fault, done, files)
        return done.status

    @staticmethod
    def library_crashed(fault, done):
        """A library that crashes when its own call fails is not sendcp's to mend."""
        return fault.name in ("memory", "open") and done.status in (-6, -11, 99) and \
            done.table.object != os.path.basename(os.environ["SENDCP"])

    def check_crashed(self):
        """As after a kill: nothing is lost that the same line cannot complete."""
        files = self.world.files()
        self.world.process_left()
        if not self.scenario.form:
            if {n: files.get(n) for n in self.scenario.start} != self.scenario.start:
                raise Broken("a library crashed, and the input was changed")
            return
        state = (digest(files), None, None)
        if state not in self.known:
            if not self.is_right(files) and files.get(FILE):
                self.check_called_complete()
            self.world.put_back(files)
            self.again(files)
            self.known.add(state)

    def check_end(self, done):
        """How it ended, whatever it did."""
        left = self.world.process_left()
        if left:
            raise Broken("a process was left: " + left)
        text = "\n".join(done.messages)
        if CRASH.search(text):
            raise Broken("it crashed, or leaks")
        if done.status not in STATUSES["sending" if self.scenario.form else "reading"]:
            raise Broken("exit status %s" % done.status)
        if done.status == 0:
            return
        last = done.messages[-1] if done.messages else ""
        if not last.startswith("sendcp: ") or last.startswith("sendcp: warning"):
            raise Broken("the last line is no error")
        errors = [line for line in done.messages if line.startswith("sendcp: ")]
        if len(set(errors)) != len(errors):
            raise Broken("a line is there twice")
        if done.status == 75 and not LAST_LINE.fullmatch(last) and not AGAIN.fullmatch(last):
            raise Broken("the last line does not say how to resume")

    def check_names(self, done, files):
        if done.table.function == "unlink":
            return
        allowed = self.scenario.names
        if done.status:
            allowed = allowed | set(self.scenario.start) | {FILE, FILE + ".cp"}
        # A link of the state directory that leads nowhere is forgotten by `sendcp list`.
        links = {name for name in files if isinstance(files[name], str)}
        left = sorted(name for name in set(files) - allowed - links
                      if not (done.status and re.fullmatch(r"state/.*\.cp", name)))
        if left:
            raise Broken("left behind: " + ", ".join(left))

    def check_reading(self, fault, done, files):
        if {n: files.get(n) for n in self.scenario.start} != self.scenario.start:
            raise Broken("the input was changed")
        # `info` says what is missing here, `list` which of its entries cannot be read; a lock that
        # is taken is another run's.
        free = self.scenario.name in ("info", "list", "list-pipe") and fault.name != "memory" or \
            fault.name == "lock" and fault.way.name == "EAGAIN"
        if done.status == 0 and done.out != self.scenario.out and not free:
            raise Broken("exit 0 with another output")
        self.check_names(done, files)

    def check_sending(self, fault, done, files):
        right = self.is_right(files)
        if done.status == 0 and not right:
            raise Broken("exit 0 without the whole stream")
        self.check_names(done, files)
        if done.status == 0:
            return
        begun = len(self.scenario.start.get(FILE, b""))
        if fault.name == "memory" and done.status == 1 and not right and \
           len(files.get(FILE, b"")) > begun:
            raise Broken("a transfer without memory must end with 75")
        if len(files.get(FILE, b"")) < begun // 2:
            raise Broken("of %d bytes %d are left" % (begun, len(files.get(FILE, b""))))
        command = last_command(done)
        state = (digest(files), command, done.status)
        if state in self.known:
            return
        if not right and files.get(FILE):
            self.check_called_complete()
        if command:
            self.follow(files, command)
        self.world.put_back(files)
        self.again(files)
        self.known.add(state)

    def check_called_complete(self):
        checked = self.world.run("sendcp verify -q out/f")
        if checked.status == 0:
            raise Broken("verify calls it complete")

    def follow(self, files, command):
        """The last line, literally."""
        for _ in range(3):
            self.world.put_back(files)
            done = self.world.run(command)
            after = self.world.files()
            self.check_end(done)
            if done.status != 75:
                break
            files, command = after, last_command(done)
        self.check_after("the last line", done, files, after)

    def again(self, files):
        """The original line once more; the shell of a pipe has emptied the file before. One that
        appends to a complete stream asks for a second one."""
        if ">>" in self.scenario.line and self.is_right(files):
            return
        done = self.world.run(self.scenario.line)
        self.check_end(done)
        emptied = "> out/f" in self.scenario.line and ">>" not in self.scenario.line
        self.check_after("the same line again", done, {} if emptied else files, self.world.files())

    def check_after(self, what, done, before, after):
        right = self.is_right(after)
        if done.status == 0 and right:
            return
        if done.status == 0:
            raise Broken("%s: exit 0 without the whole stream\n%s" % (what, done))
        if done.status == 75:
            raise Broken("%s does not come to its end\n%s" % (what, done))
        if self.is_right(before) and right:
            return
        # How much a pipe's reader kept is not known, so it may be refused; --append without a
        # checkpoint file is refused when there is one now.
        if self.scenario.form.file and not self.scenario.name.startswith("append-"):
            raise Broken("%s is refused\n%s" % (what, done))
        if after.get(FILE, b"") != before.get(FILE, b""):
            raise Broken("%s is refused, and something is lost\n%s" % (what, done))
