#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command whose stderr is a terminal, and looks at the bar that it shows.

usage: terminal.py [--feed FILE] WIDTH,WIDTH... COMMAND...

The command is held in its middle: only a part of its output is read, or of FILE given to it as
standard input, while the terminal gets each width in turn and updates of the bar are awaited.
Then it may run to its end. Prints, for each width, the last bar shown; then all that is left on the
screen. Fails if a bar is not shorter than the terminal is wide, or the command fails.
"""
import argparse
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading

CLEAR = "\r\x1b[K"
HELD = 60000


class Screen:
    def __init__(self, master):
        self.master = master
        self.text = ""
        self.more = threading.Condition()
        self.ended = False
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                data = b""
            with self.more:
                self.text += data.decode("utf-8", "replace")
                self.ended = not data
                self.more.notify_all()
            if not data:
                return

    def bars(self, begin):
        """Whole bars after BEGIN: another one, or the end of the line, has followed."""
        parts = self.text[begin:].split(CLEAR)[1:-1]
        return [part for part in parts if part and "\n" not in part]

    def await_bars(self, begin, count):
        with self.more:
            self.more.wait_for(lambda: len(self.bars(begin)) >= count or self.ended)
            found = self.bars(begin)
        if len(found) < count:
            sys.exit("the command ended with the screen %r" % self.text)
        return found[:count]

    def await_total(self):
        """The total of a stream is known only after a while."""
        with self.more:
            self.more.wait_for(lambda: self.ended or any(" of " in bar for bar in self.bars(0)))

    def left(self):
        """What is to be seen in the end."""
        with self.more:
            self.more.wait_for(lambda: self.ended)
        lines = []
        for line in self.text.replace("\r\n", "\n").split("\n"):
            lines.append(line.split(CLEAR)[-1])
        return [line for line in lines if line]


def set_width(master, width):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))


def check(bar, width):
    if len(bar) > max(width - 1, 1):
        sys.exit("%d columns at a width of %d: %r" % (len(bar), width, bar))


def feed(process, path):
    data = open(path, "rb").read()
    os.write(process.stdin.fileno(), data[:HELD])
    return data[HELD:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--feed")
    parser.add_argument("widths")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    widths = [int(width) for width in args.widths.split(",")]
    master, slave = pty.openpty()
    set_width(master, widths[0])
    process = subprocess.Popen(args.command, stderr=slave, stdout=subprocess.PIPE,
                               stdin=subprocess.PIPE if args.feed else subprocess.DEVNULL)
    os.close(slave)
    screen = Screen(master)
    rest = feed(process, args.feed) if args.feed else b""
    if not args.feed:
        os.read(process.stdout.fileno(), 1000)
        screen.await_total()
    for width in widths:
        begin = len(screen.text)
        set_width(master, width)
        # One may have been on its way already.
        bars = screen.await_bars(begin, 2)[1:]
        for bar in bars:
            check(bar, width)
        print("%d: %s" % (width, bars[-1]))
    output, _ = process.communicate(rest or None)
    for line in screen.left():
        print("left: " + line)
    sys.exit(process.returncode)


main()
