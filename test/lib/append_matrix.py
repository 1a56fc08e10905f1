#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Damages files that contain a stream in many ways, and completes them with `sendcp resume
--append`.

usage: append_matrix.py [--places N] [--seed S] [--keep FILE] FORMAT WHOLE [SEND-ARGUMENT...]

FORMAT is plain, zstd, tar, cpio, tar+zstd, zstd-pipe or zstd-size (by the zstd program, reading a
pipe or a file), zstd-mixed (frames of all kinds that other programs make), native (WHOLE is from
btrfs send, with no sidecar but that of a first --append) or native-zstd. WHOLE is the uninterrupted
plain stream; the arguments are those of `sendcp send`. Runs in the current directory.

Each way is tried at N positions that depend on S alone. The result must be a file that standard
tools unwrap to WHOLE and `sendcp verify` accepts. FILE may be refused only where the way allows it,
and must then be unchanged.
"""
import argparse
import os
import random
import resource
import struct
import subprocess
import sys

SENDCP = os.environ["SENDCP"]
SMALL = ["--buffer-size", "160K", "--checkpoint-interval", "600K"]
# A file truncated this early may have nothing complete to prove it by.
EARLY = 300000
OPTIONS = {
    "plain": [], "zstd": ["--compress"], "tar": ["--archive"], "cpio": ["--archive=cpio"],
    "tar+zstd": ["--archive=tar", "--compress=1"], "zstd-pipe": [], "zstd-size": [],
    "zstd-mixed": [],
}
# For zstd-mixed: each part of the stream is compressed by the next of these.
COMPRESSORS = [["zstd", "-q", "--no-check"], ["zstd", "-q", "-T4", "-B1M"],
               ["zstd", "-q", "--long=27"], ["zstd", "-q", "-16"], ["zstd", "-q", "--fast=5"],
               ["pzstd", "-q", "-p", "2"]]


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)


def must(command, **more):
    done = run(command, **more)
    if done.returncode:
        sys.exit("%s: %d: %s" % (command, done.returncode, done.stderr.decode()))
    return done.stdout


def read(path):
    with open(path, "rb") as f:
        return f.read()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)


class Matrix:
    def __init__(self, arguments):
        self.format = arguments.format
        self.arguments = arguments.arguments
        self.whole = read(arguments.whole)
        self.native = self.format.startswith("native")
        self.random = random.Random("%s %s" % (arguments.seed, self.format))
        self.places = arguments.places
        self.tried = self.refused = 0
        self.lines = []
        self.file = self.make()
        # The file and sidecar of an interrupted run.
        self.left = self.broken_off() if self.native else (self.file, self.lines)

    def broken_off(self):
        """The file and its sidecar after a first --append that hit a file size limit."""
        end = len(self.file) * 9 // 10
        write("FILE", self.file[:end // 2])

        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (end, end))

        # Without SIGXFSZ, which Python ignores.
        done = run([SENDCP, "resume", "-q", "--buffer-size", "160K", "--append", "FILE"] +
                   self.arguments, preexec_fn=limit, restore_signals=False)
        if done.returncode != 75:
            self.fail("against a limit", done)
        lines = read("FILE.cp").splitlines(True)
        os.unlink("FILE.cp")
        return read("FILE"), lines

    @staticmethod
    def mixed(plain):
        made = b""
        size = len(plain) // len(COMPRESSORS)
        for i, command in enumerate(COMPRESSORS):
            part = plain[i * size:(i + 1) * size if i + 1 < len(COMPRESSORS) else None]
            made += must(command + ["-c"], input=part) + must(["zstd", "-q"], input=b"")
            made += struct.pack("<II", 0x184d2a50 + i, 1000 * i) + bytes(1000 * i)
        return made

    def make(self):
        if self.format == "native":
            return self.whole
        if self.format == "native-zstd":
            return must(["zstd", "-q"], input=self.whole)
        made = must([SENDCP, "send", "-q", "--checkpoint", "cp"] + SMALL +
                    OPTIONS[self.format] + self.arguments)
        self.lines = read("cp").splitlines(True)
        os.unlink("cp")
        if self.format == "zstd-pipe":
            return must(["zstd", "-q"], input=made)
        if self.format == "zstd-mixed":
            return self.mixed(made)
        if self.format == "zstd-size":
            write("made", made)
            return must(["zstd", "-q", "-c", "made"])
        return made

    def unwrap(self):
        if self.format in ("plain", "native"):
            return read("FILE")
        if self.format in ("tar", "cpio", "tar+zstd"):
            done = run(["bsdtar", "-xOf", "FILE", "stream.*"])
        else:
            done = run(["zstd", "-dc", "FILE"])
        return done.stdout if not done.returncode else done.stderr

    def fail(self, what, done):
        sys.exit("%s, %s: exit %d\n%s" % (self.format, what, done.returncode,
                                          done.stderr.decode()))

    def resume(self, sidecar):
        if not sidecar:
            return run([SENDCP, "resume", "-q", "--append", "FILE"] + self.arguments)
        devices = [a for pair in zip(self.arguments, self.arguments[1:])
                   if pair[0] == "--device" for a in pair]
        return run([SENDCP, "resume", "-q", "--checkpoint", "cp", "--append", "FILE"] + devices)

    def attempt(self, what, data, lines, may_refuse=False):
        write("FILE", data)
        if lines:
            write("cp", b"".join(lines))
        done = self.resume(lines)
        self.tried += 1
        if done.returncode == 1 and may_refuse and read("FILE") == data:
            self.refused += 1
            return
        if done.returncode or self.unwrap() != self.whole:
            write("broken", data)
            self.fail(what, done)
        done = run([SENDCP, "verify", "-q", "FILE"])
        if done.returncode:
            self.fail("verify after " + what, done)
        if os.path.exists("FILE.cp"):
            self.fail("FILE.cp left after " + what, done)

    def place(self):
        return self.random.randrange(len(self.file))

    # Without a sidecar, a stream is recognized by its first complete command.
    def killed(self):
        at = self.place()
        self.attempt("cut at %d" % at, self.file[:at], self.lines[:-1], self.native and at < EARLY)

    def torn_journal(self):
        data, lines = self.left
        at, line = self.random.randrange(len(data)), self.random.randrange(1, len(lines))
        torn = lines[line][:self.random.randrange(len(lines[line]))]
        self.attempt("cut at %d, journal torn in line %d" % (at, line + 1), data[:at],
                     lines[:line] + [torn], True)

    # The file has far more than the journal knows: the known part is proven, the rest is truncated.
    def old_journal(self):
        data, lines = self.left
        line = self.random.randrange(2, len(lines))
        self.attempt("journal of %d lines" % line, data, lines[:line], line < 3)

    # The journal has all batches, the file almost nothing.
    def old_file(self):
        data, lines = self.left
        at = self.random.randrange(min(len(data), 400000))
        self.attempt("only %d bytes" % at, data[:at], lines)

    def junk(self):
        at = self.place()
        junk = self.random.choice([self.random.randbytes, bytes])(self.random.randrange(1, 200000))
        self.attempt("%d bytes of junk behind %d" % (len(junk), at), self.file[:at] + junk,
                     self.lines[:-1], at < EARLY)

    # Junk may be anything, so it is not truncated; a crash leaves zeros.
    def junk_behind_all(self):
        junk = self.file + b"\0junk"
        write("FILE", junk)
        if self.lines:
            write("cp", b"".join(self.lines))
        done = self.resume(self.lines)
        self.tried += 1
        if done.returncode != 1 or read("FILE") != junk or b"left as it is" not in done.stderr:
            self.fail("junk behind the end", done)
        self.refused += 1
        self.attempt("zeros behind the end", self.file + bytes(70000), self.lines)

    def flipped(self):
        at = self.random.randrange(1, len(self.file))
        flip = self.random.randrange(at)
        data = bytearray(self.file[:at])
        data[flip] ^= 1 << self.random.randrange(8)
        self.attempt("byte %d of %d flipped" % (flip, at), bytes(data), self.lines[:-1], True)

    def complete(self):
        self.attempt("complete", self.file, self.lines)

    def complete_unsaid(self):
        self.attempt("complete, unsaid", self.file, self.lines[:-1])

    def all(self):
        ways = [self.killed, self.junk, self.flipped, self.torn_journal, self.old_journal,
                self.old_file]
        for way in ways:
            for _ in range(self.places):
                way()
        for way in [self.junk_behind_all, self.complete, self.complete_unsaid]:
            way()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--places", type=int, default=4)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--keep")
    parser.add_argument("format")
    parser.add_argument("whole")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    matrix = Matrix(arguments)
    matrix.all()
    print("%s: %d tried, %d refused" % (matrix.format, matrix.tried, matrix.refused))
    # If many were refused, the other results mean little.
    if matrix.refused > matrix.tried / 4:
        sys.exit("too many were refused")
    if arguments.keep:
        at = len(matrix.file) * 2 // 3
        matrix.attempt("cut at %d" % at, matrix.file[:at], matrix.lines[:-1])
        write(arguments.keep, read("FILE"))


main()
