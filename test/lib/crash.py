#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Power cuts: records the writes of sendcp to its output and its sidecar, makes the files that a
power cut could leave at each moment, and resumes from them.

usage: crash.py record [--thinned] FORMAT RECORDING DIRECTORY [SEND-ARGUMENT...]
       crash.py show RECORDING
       crash.py replay [--states N] [--seed S] [--keep DIRECTORY] [--failures N]
                       [--without-syncs] RECORDING

record: FORMAT is plain, zstd, tar, cpio, tar+zstd, pipe, zstd-pipe or zstd-external; the arguments
are those of `sendcp send`, without output and sizes. DIRECTORY is emptied; replay uses it again, as
a sidecar names its output. Recorded are a send, one that replaces an older file, and sends that
were killed, or interrupted by a power cut, and resumed in every way; for zstd-external, resume
--append to the file of an interrupted zstd program, with a sidecar and without. --thinned: the
program is one that thins its sidecar early, and only the moments around thinning are replayed.

replay: tries N states (0: all) and ends at the Nth failure. --without-syncs ignores all syncs of
the output; that must make it fail. In each state must hold:

* resume exits with 0 and the file contains the whole stream, or it exits with 1 and a message;
* it exits with 1 only if no delivered byte was promised to be durable at the power cut (for a plain
  file: if nothing was delivered); then nothing is changed, and a new send works, with
  --restart if needed;
* resume makes at most the last --checkpoint-interval of the stream again;
* for a pipe: however much arrived, resume continues there or names the byte to continue from.
"""
import argparse
import hashlib
import os
import pickle
import random
import re
import sys

from crash_disk import WAYS, disk_after
from crash_story import JOURNAL, OPTIONS, OUTPUT, SENDCP, Recording, Subject, journal_lines


class Wrong(Exception):
    pass


class Replay:
    def __init__(self, subject, rng):
        self.subject = subject
        self.random = rng
        self.tried = self.refused = self.same = 0
        self.seen = set()

    def is_new(self, trace, k, files, mode):
        text = pickle.dumps((sorted(files.items()), trace.promised[k], trace.begun[k], mode,
                             self.subject.pipe and trace.received(k)))
        digest = hashlib.sha256(text).digest()
        if digest in self.seen:
            self.same += 1
            return False
        self.seen.add(digest)
        return True

    def try_state(self, trace, k, files, mode):
        subject = self.subject
        if not self.is_new(trace, k, files, mode):
            return
        self.tried += 1
        subject.fill(files)
        if subject.pipe:
            self.check_pipe(trace, k, files)
            return
        if trace.walk:
            self.check_walk(trace, k, files, mode)
            return
        if trace.appends:
            self.check_append(trace, k, files, mode)
            return
        command = subject.resume + (["--append", OUTPUT] if mode == "append" else [])
        done = subject.run(command)
        if done.returncode == 1:
            self.check_refusal(trace, k, files, mode, done)
        elif done.returncode:
            raise Wrong("exit status %d: %s" % (done.returncode, done.stderr.decode()))
        else:
            self.check_file(trace, k, done)

    def check_file(self, trace, k, done):
        subject = self.subject
        data = subject.read(OUTPUT)
        if data is None:
            raise Wrong("there is no file, and it was called complete")
        if not subject.is_whole(data):
            raise Wrong("a wrong file was called complete: %s" % done.stderr.decode())
        left = os.listdir(os.path.join(subject.directory, os.path.dirname(JOURNAL)))
        if left != [os.path.basename(JOURNAL)]:
            raise Wrong("left behind: %s" % left)
        older = not trace.begun[k] and trace.older is not None and data == trace.older
        if not older:
            self.check_point(trace, k, done)

    def check_walk(self, trace, k, files, mode):
        """With the sidecar that --append made, if it exists; it must always be possible to
        resume."""
        subject = self.subject
        sidecar = OUTPUT + ".cp"
        command = subject.walk
        if files.get(sidecar):
            resume = [sidecar if word == JOURNAL else word for word in subject.resume] + ["-v"]
            command = resume + ["--append", OUTPUT]
            if mode == "resume" and not self.needs_append(files, resume, sidecar):
                command = resume
        done = subject.run(command)
        if done.returncode or not subject.is_whole(subject.read(OUTPUT)):
            raise Wrong("exit status %d: %s" % (done.returncode, done.stderr.decode()))
        told = re.findall(rb"correct up to byte (\d+)", done.stderr)
        told = [int(at) for at in told]
        # These are offsets in the file.
        for at in re.findall(rb"(\d+) of \d+ bytes are proven", done.stderr):
            told.append(subject.contents(files[OUTPUT][:int(at)]))
        at = min(told, default=len(subject.whole))
        from_scratch = b"starting from the beginning" in done.stderr
        # If the sidecar has no mark in the file, resume may lose an interval, which is longer than
        # this stream.
        marks = [line for line in journal_lines(files.get(sidecar, b""))
                 if line.get("type") == "mark"]
        if from_scratch and command[-2] != "--append" and "zstd" in subject.form and not marks:
            return
        if at < trace.promised[k] or from_scratch:
            raise Wrong("lost what was there: %s" % done.stderr.decode())

    def needs_append(self, files, resume, sidecar):
        """Whether the sidecar does not know the file yet, or no mark in it: then only --append can
        resume, and resume without it must say so and change nothing."""
        subject = self.subject
        done = subject.run(resume)
        # No sidecar is left when the stream is complete.
        if done.returncode == 0:
            subject.fill(files)
            return False
        lines = list(journal_lines(files[sidecar]))
        known = any(line.get("type") == "resumed" for line in lines)
        if (done.returncode != 1 or not done.stderr.startswith(b"sendcp: ") or
                known and b"resume --append" not in done.stderr):
            raise Wrong("resume: exit status %d: %s" % (done.returncode, done.stderr.decode()))
        if files[OUTPUT] != subject.read(OUTPUT):
            raise Wrong("refused, and changed all the same")
        self.refused += 1
        return True

    def check_append(self, trace, k, files, mode):
        subject = self.subject
        command = subject.resume + ["--append", OUTPUT]
        if mode == "resume" and not self.needs_append(files, subject.resume, JOURNAL):
            command = subject.resume
        done = subject.run(command)
        if done.returncode:
            raise Wrong("exit status %d: %s" % (done.returncode, done.stderr.decode()))
        self.check_file(trace, k, done)

    def check_point(self, trace, k, done):
        if b"the stream is complete" in done.stderr:
            return
        at = [line["output_offset"] for line in journal_lines(self.subject.read(JOURNAL))
              if line.get("type") == "resumed"][-1]
        # Bytes that --append truncated to get to the end of a block are kept, and not regenerated.
        at = max([at] + [int(told) for told in re.findall(rb"correct up to byte (\d+)", done.stderr)])
        if at < trace.promised[k]:
            raise Wrong("went on at byte %d, though %d bytes were durable: %s" % (
                at, trace.promised[k], done.stderr.decode()))

    def check_refusal(self, trace, k, files, mode, done):
        subject = self.subject
        self.refused += 1
        if not done.stderr.startswith(b"sendcp: "):
            raise Wrong("refused without a word")
        # In a plain file, whatever the disk kept of its first interval is recognized.
        plain = subject.form == "plain" and mode != "append"
        if trace.begun[k] if plain else trace.promised[k] > 0:
            raise Wrong("refused: %s" % done.stderr.decode())
        if files.get(OUTPUT) != subject.read(OUTPUT):
            raise Wrong("refused, and changed all the same")
        done = subject.run(subject.send)
        if done.returncode == 1 and files.get(OUTPUT) == subject.read(OUTPUT):
            done = subject.run(subject.send + ["--restart"])
        if done.returncode or not subject.is_whole(subject.read(OUTPUT)):
            raise Wrong("a new send after that: %d: %s" % (done.returncode, done.stderr.decode()))

    def check_pipe(self, trace, k, files):
        """The receiver's data survives the power cut; it may have got less than was written."""
        subject = self.subject
        sent = trace.received(k)
        got = sent if self.random.randrange(4) else sent[:self.random.randint(0, len(sent))]
        all_arrived = len(got) == len(sent)
        done = subject.run(subject.resume)
        if done.returncode == 0:
            if all_arrived and not subject.is_whole(got + done.stdout):
                raise Wrong("went on at a wrong byte without --at; received: %d" % len(got))
        elif done.returncode != 1:
            raise Wrong("exit status %d: %s" % (done.returncode, done.stderr.decode()))
        done = self.resume_at(files, len(got))
        if done.returncode == 1 and not trace.begun[k]:
            self.refused += 1
            return
        if done.returncode == 1 and self.thinned_away(trace, k, got, done):
            got, done = b"", self.resume_at(files, 0)
        if done.returncode == 1 and b"resume with --have" in done.stderr:
            got, done = self.resume_proven(files, got)
        if done.returncode == 1:
            got, done = self.as_told(files, got, done)
        if done.returncode or not subject.is_whole(got + done.stdout):
            raise Wrong("--at %d: exit %d: %s" % (len(got), done.returncode, done.stderr.decode()))
        if all_arrived and got:
            self.check_point(trace, k, done)

    def thinned_away(self, trace, k, got, done):
        """The receiver lost more than two intervals."""
        return (b"the checkpoint file goes back only to byte" in done.stderr and
                len(got) < trace.promised[k] - trace.interval)

    def resume_at(self, files, at):
        self.subject.fill(files)
        return self.subject.run(self.subject.resume + ["--at", str(at)])

    def resume_proven(self, files, got):
        """The sender had reached END: the receiver has to prove its data."""
        self.subject.fill(files)
        path = os.path.join(self.subject.directory, OUTPUT)
        with open(path, "wb") as f:
            f.write(got)
        position = self.subject.run([SENDCP, "verify", "--position", path]).stdout.decode().strip()
        done = self.subject.run(self.subject.resume + ["--have", position])
        return got[:int(position.split(":")[0])], done

    def as_told(self, files, got, done):
        """The receiver's copy is truncated to the offset that resume names."""
        self.refused += 1
        named = re.findall(rb"--at (\d+)", done.stderr)
        if not named or int(named[-1]) >= len(got):
            raise Wrong("--at %d: %s" % (len(got), done.stderr.decode()))
        got = got[:int(named[-1])]
        return got, self.resume_at(files, len(got))


def all_states(traces, rng):
    """(trace, operations, way): every moment of every trace in every way, in random order, but each
    moment once before any is repeated."""
    moments = []
    for trace in traces:
        for k in range(trace.first, len(trace.ops) + 1):
            if trace.moments is not None and k not in trace.moments:
                continue
            ways = list(WAYS)
            rng.shuffle(ways)
            moments.append([(trace, k, way) for way in ways])
    for turn in zip(*moments):
        turn = list(turn)
        rng.shuffle(turn)
        yield from turn


def keep_state(directory, files, trace, k):
    for name, data in files.items():
        path = os.path.join(directory, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
    with open(os.path.join(directory, "received"), "wb") as f:
        f.write(trace.received(k))


def replay(recording, states, seed, kept, failures):
    rng = random.Random("replay %s %s" % (seed, recording.subject.form))
    replay = Replay(recording.subject, rng)
    for trace, k, way in all_states(recording.traces, rng):
        if states and replay.tried >= states:
            break
        files = disk_after(trace.initial, trace.ops[:k]).cut(rng, way)
        mode = "append" if not recording.subject.pipe and rng.randrange(4) == 0 else "resume"
        try:
            replay.try_state(trace, k, files, mode)
        except Wrong as wrong:
            if kept:
                keep_state(kept, files, trace, k)
            print("%s, %s, power cut after operation %d of %d, %s, then %s:\n%s" % (
                recording.subject.form, trace.name, k, len(trace.ops), way.__name__, mode, wrong))
            failures -= 1
            if not failures:
                sys.exit(1)
    print("%s: %d states, %d refused, %d were the same again" % (
        recording.subject.form, replay.tried, replay.refused, replay.same))


def show(recording):
    for trace in recording.traces:
        print(trace.name)
        for k, op in enumerate(trace.ops):
            words = ["%d bytes" % len(w) if isinstance(w, bytes) else str(w) for w in op]
            print("%5d %s (promised: %d)" % (k + 1, " ".join(words), trace.promised[k + 1]))


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("record")
    sub.add_argument("--thinned", action="store_true")
    sub.add_argument("form", choices=OPTIONS)
    sub.add_argument("recording")
    sub.add_argument("directory")
    sub.add_argument("arguments", nargs=argparse.REMAINDER)
    sub = commands.add_parser("show")
    sub.add_argument("recording")
    sub = commands.add_parser("replay")
    sub.add_argument("--states", type=int, default=0)
    sub.add_argument("--seed", default="1")
    sub.add_argument("--keep")
    sub.add_argument("--failures", type=int, default=1)
    sub.add_argument("--without-syncs", action="store_true")
    sub.add_argument("recording")
    arguments = parser.parse_args()
    if arguments.command == "record":
        recording = Recording(Subject(arguments.form, arguments.directory, arguments.arguments),
                              arguments.thinned)
        recording.all()
        with open(arguments.recording, "wb") as f:
            pickle.dump(recording, f)
        return
    with open(arguments.recording, "rb") as f:
        recording = pickle.load(f)
    if arguments.command == "replay" and arguments.without_syncs:
        for trace in recording.traces:
            trace.forget_syncs(OUTPUT)
    if arguments.command == "show":
        show(recording)
    else:
        replay(recording, arguments.states, arguments.seed, arguments.keep,
               arguments.failures)


main()
