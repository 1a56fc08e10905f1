#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ends a send in one way into one kind of output, then does what users do: runs the command of the
last line literally, and the original line again, each twice in a row, and then the other one.

usage: endings.py prepare
       endings.py [--rounds N] [--seed S] [--verbose] ENDING OUTPUT

The law: after each command the output contains the uninterrupted stream, or the command failed and
nothing is lost but what the shell's own `>` truncates. Nothing incomplete is ever called complete.
endings_lines.py has the expected one of the two, so that refusing everything does not pass.

The first round stops sendcp at a byte and ends the run there; N more rounds end it while all of
the pipeline runs. Positions depend on the seed alone. Needs FIX, SENDCP, TOOLS, the snapshots
SNAPSHOT and PARENT, SNAPSHOT's source subvolume SOURCE, and WHOLE, a file with the uninterrupted
stream.
"""
import argparse
import contextlib
import os
import random
import signal
import sys

import endings_power
from endings_law import Broken, Story, file_complete
from endings_lines import EITHER, NONE, OUTPUTS, REFUSED, RIGHT, Case
from endings_world import (OUT, RECEIVED, SLACK, STORE, Directories, Line, empty, filled, forget_received,
                           mounted, must, poll, prepare, read, remote_ended, waiting,
                           writers)

KILLED = ("kill", "killall", "power")
# In a file larger than this, sendcp must find some bytes proven.
PROVEN = 1 << 20
LOOP_MAX = 40


class Ended(Broken):
    """A line ended before it was to be interrupted."""

    def __init__(self, result):
        super().__init__("ended by itself: %s" % result)
        self.result = result


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Ending:
    """Ways to end a line, each a method that returns the line's result."""

    def __init__(self, case, rng):
        self.case = case
        self.random = rng
        self.line = None

    def pick_place(self):
        size = len(self.case.whole)
        return self.random.randrange(int(size * self.case.output.earliest), int(size * 0.93))

    def start(self, stop, place=None):
        case = self.case
        case.place = place or self.pick_place()
        watch = case.file if case.output.to_file else None
        self.line = Line(case.original(), case.place, stop, watch, case.environment)
        if not self.line.wait_reached():
            raise Ended(self.line.wait())
        if stop and not case.output.to_file:
            # Data in the pipe is on its way: the reader processes it before the run ends.
            poll(lambda: waiting(self.line.reader(case.output.reader)))
        return self.line

    def let_go(self, stop):
        if stop:
            self.line.let_go()
        result = self.line.wait()
        poll(remote_ended)
        return result

    def signal_group(self, number, stop, place=None):
        line = self.start(stop, place)
        os.killpg(line.process.pid, number)
        return self.let_go(stop)

    def int(self, stop, place=None):
        return self.signal_group(signal.SIGINT, stop, place)

    def term(self, stop, place=None):
        return self.signal_group(signal.SIGTERM, stop, place)

    def hup(self, stop, place=None):
        return self.signal_group(signal.SIGHUP, stop, place)

    def killall(self, stop, place=None):
        return self.signal_group(signal.SIGKILL, stop, place)

    def kill(self, stop, place=None):
        os.kill(self.start(stop, place).sendcp(), signal.SIGKILL)
        return self.let_go(stop)

    def reader(self, stop):
        os.kill(self.start(stop).reader(self.case.output.reader), signal.SIGKILL)
        return self.let_go(stop)

    sshdies = reader

    def unmounted(self, stop):
        return self.term(stop)

    def full(self, stop):
        """Ends by itself: the output's disk is full at that byte."""
        self.line = Line(self.case.original(), environment=self.case.environment)
        return self.let_go(False)

    def gone(self, stop):
        # Early enough that the remaining data is not read ahead.
        self.start(True, self.random.randrange(1 << 20, len(self.case.whole) // 3))
        must(["btrfs", "-q", "subvolume", "delete", self.case.snapshot])
        return self.let_go(True)


class Cell:
    """One ending of one output, at a byte."""

    def __init__(self, ending, output, seed, number):
        self.name = ending
        rng = random.Random("%s %s %s %d" % (seed, ending, output, number))
        self.stop = number == 0
        self.output = OUTPUTS[output]
        self.case = Case(self.output, ending in ("full", "unmounted"))
        self.ending = Ending(self.case, rng)
        self.random = rng
        self.directories = Directories()

    def begin(self):
        """Runs the line and ends it; returns the story."""
        self.directories.clear()
        forget_received(self.case.snapshot)
        story = Story(self.case)
        result = getattr(self.ending, self.name)(self.stop)
        story.begin("%s at byte %s" % (self.name, self.case.place), result,
                    self.stop and self.name != "full")
        self.directories.save()
        if self.name not in KILLED:
            self.check(story, result)
        return story

    def check(self, story, result):
        """Checks the exit status, and whether the last line says how to resume."""
        if story.sent or result.status == 0 and not self.stop:
            return
        resumable = self.name != "gone" and self.output.last != NONE
        if result.status != (75 if resumable else 1):
            story.fail("must be exit %d" % (75 if resumable else 1))
        if resumable != bool(story.last_line()):
            story.fail("the last line %s how to resume" %
                       ("does not say" if resumable else "says"))

    def command(self, story):
        return self.case.by_hand() if self.name in KILLED else story.last_line()

    def far(self, story):
        """The commands for a file of another host."""
        if not self.output.remote or self.name == "gone":
            return []
        if self.name in KILLED:
            return [self.case.by_hand_far()]
        return [story.by_size(), story.by_proof()]

    def allowed(self, story, expected):
        """Without a stop it is random how much the reader has, and how much of it is proven; for a
        multi-threaded reader it always is."""
        proven = self.stop and self.directories.size(self.case.file) > PROVEN
        if story.complete or story.sent or expected == EITHER or (
                expected == RIGHT and not self.output.to_file and not proven):
            return (RIGHT, REFUSED)
        return (expected,)

    def go_on(self, story, sure=True):
        """Each way to resume, from the state after the run; unless @sure, it may be refused."""
        command = self.command(story)
        ways = [["again", "again"] + (["last"] if command else [])]
        if command:
            ways.append(["last", "last", "again"])
        for way in ways:
            self.directories.restore()
            with story.branch():
                self.walk(story, way, command, sure)
        for far in [] if story.complete or story.sent else self.far(story):
            self.directories.restore()
            with story.branch():
                for _ in range(2):
                    story.do_far(far, self.allowed(story, RIGHT if sure else EITHER))

    def walk(self, story, way, command, sure):
        output = self.output
        for i, step in enumerate(way):
            expected = {"last": output.last, "again": output.again}[step]
            if step == "last" and way[0] == "again":
                expected = output.after
            allowed = self.allowed(story, expected if sure else EITHER)
            if i and self.case.is_right():
                # A correct file stays correct, or is replaced by a correct one.
                allowed = (RIGHT,)
            if step == "again":
                # A shell that appends to a complete stream asks for a second one.
                if ">>" in output.line and self.case.is_right():
                    return
                story.do_again(allowed)
            else:
                story.do_last(command, allowed)

    def run(self):
        getattr(self, "run_" + self.name, self.run_usual)()

    def run_usual(self):
        self.finish(self.begin())

    def finish(self, story):
        if not self.output.receives:
            self.go_on(story)
            return
        for _ in range(2):
            story.do_again((RIGHT,) if story.complete else (REFUSED,))

    def run_sshdies(self):
        """Also with a remote cat that survives, with data to write, while the user resumes."""
        self.run_usual()
        self.directories.clear()
        line = self.ending.start(True)
        with stopped(writers(self.case.file)[0]):
            os.kill(line.reader("ssh"), signal.SIGKILL)
            line.let_go()
            story = Story(self.case)
            story.begin("ssh dies at byte %s, cat lives on" % self.case.place, line.wait())
            story.do_far(story.by_size(), (RIGHT,), ended=False)
        poll(remote_ended)
        if not self.case.is_right():
            story.fail("what cat still had has changed the file")

    def run_gone(self):
        with self.case.own_snapshot():
            story = self.begin()
            for _ in range(0 if self.output.receives else 2):
                story.do_last(self.case.by_hand(), (REFUSED,))
            for _ in range(2):
                story.do_again((REFUSED,))

    def run_full(self):
        size = len(self.case.whole)
        # A reader that has buffered all remaining data would not be seen to fail.
        self.case.place = self.random.randrange(size // 10, size // 4)
        if self.output.receives:
            with filled(RECEIVED, 6 << 20):
                story = self.begin()
                story.do_again((REFUSED,))
            self.finish(story)
            return
        target = os.path.dirname(self.case.file)
        with mounted(target, self.case.place):
            story = self.begin()
            with story.branch():
                if story.last_line():
                    story.do_last(story.last_line(), (REFUSED,))
            must(["mount", "-o", "remount,size=200M", target])
            self.finish(story)

    def run_unmounted(self):
        target = RECEIVED if self.output.receives else os.path.dirname(self.case.file)
        with contextlib.nullcontext() if self.output.receives else mounted(target):
            story = self.begin()
            source = STORE
            if self.output.receives:
                source = must(["findmnt", "-no", "SOURCE", target]).decode().strip()
            must(["umount", target])
            with story.branch():
                self.try_unmounted(story)
            # The shell may have opened a file there, but sendcp must have written nothing to it.
            if empty(target) > 1000:
                story.fail("%s: a stream under the mount point" % target)
            must(["mount"] + ([] if self.output.receives else ["--bind"]) + [source, target])
            self.finish(story)

    def try_unmounted(self, story):
        command, ways = self.command(story), self.far(story)
        if command:
            story.do_last(command, (REFUSED,))
        for far in ways:
            story.do_far(far, (REFUSED,))
        # Without a sidecar, this looks like the first run.
        if self.output.sidecar or self.output.receives:
            story.do_again((REFUSED,))
            if command:
                story.do_last(command, (REFUSED,))

    def run_loop(self):
        """The same line again and again until it exits 0, interrupted at a byte each time."""
        self.directories.clear()
        story = Story(self.case)
        ways = (self.ending.int, self.ending.term, self.ending.hup, self.ending.kill,
                self.ending.killall)
        # Each run proves what is there and adds to it.
        for _ in range(LOOP_MAX):
            before = read(self.case.file) or b""
            self.case.place = self.random.randrange(SLACK, 2 * SLACK)
            how = self.random.choice(ways)
            story.tell("$ %s   # %s" % (self.case.original(), how.__name__))
            try:
                story.result = how(True, self.case.place)
            except Ended as ended:
                if ended.result.status or not self.case.is_right():
                    story.fail("ended by itself: %s" % ended.result)
                return
            story.tell("    %s" % story.result)
            # The signal may come when nothing is left to do but to end.
            if story.result.status == 0:
                if not self.case.is_right():
                    story.fail("exit 0 without the whole stream")
                return
            if story.result.status not in (75, None, 128 + signal.SIGKILL):
                story.fail("strange exit status")
            if len(read(self.case.file) or b"") + SLACK < len(before):
                story.fail("%d bytes were there" % len(before))
            # Killed after its last byte, it may be.
            if file_complete(self.case) and not self.case.is_right():
                story.fail("called complete")
        story.fail("does not come to its end")

    def run_power(self):
        endings_power.run(self)


    def end(self):
        if self.ending.line:
            self.ending.line.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("ending")
    parser.add_argument("output", nargs="?")
    arguments = parser.parse_args()
    if arguments.ending == "prepare":
        prepare()
        return
    # Unmount and kill everything when a test times out.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("killed"))
    Story.verbose = arguments.verbose
    for number in range(arguments.rounds + 1):
        cell = Cell(arguments.ending, arguments.output, arguments.seed, number)
        try:
            cell.run()
        except Broken as broken:
            sys.exit("%s, %s, seed %s, round %d: %s" % (
                arguments.ending, arguments.output, arguments.seed, number, broken))
        finally:
            cell.end()
        print("%s, %s: round %d at byte %s" % (arguments.ending, arguments.output, number,
                                              cell.case.place))


main()
