# SPDX-License-Identifier: GPL-2.0-or-later
"""The law that endings.py enforces: a story of commands, each judged by its effect."""
import contextlib
import json
import os
import re
import subprocess

from endings_lines import REFUSED, RIGHT
from endings_world import HOST, SENDCP, SLACK, poll, read, remote_ended, run_line, run_literally

# Placeholders in messages for names that sendcp cannot know.
HOST_WORD, FILE_WORD = "HOST", "FILE"
BY_SIZE = re.compile(r": (n=\$\(ssh .*)")
BY_PROOF = re.compile(r": (sendcp resume .* --have .*) \| \.\.\.")
PROOF = re.compile(r"(.* --have) (\$\(ssh .*\))")
LAST_LINE = re.compile(r"sendcp: interrupted; resume with: (.*)")


class Broken(Exception):
    """The law is broken."""


def sidecar_complete(case):
    if not os.path.exists(case.sidecar):
        return False
    shown = subprocess.run([SENDCP, "show", "--json", case.sidecar], check=False,
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return shown.returncode == 0 and json.loads(shown.stdout)["complete"]


def file_complete(case):
    if case.output.receives or not read(case.file):
        return False
    return subprocess.run([SENDCP, "verify", "-q", case.file], check=False,
                          stderr=subprocess.DEVNULL).returncode == 0


class Story:
    """The commands since the send, and their results."""
    verbose = False

    def __init__(self, case):
        self.case = case
        self.told = []
        self.result = None
        self.complete = False
        # The whole stream went into the pipe before the run ended; the reader may not have kept it
        # all.
        self.sent = False

    def tell(self, text):
        self.told.append(text)
        if self.verbose:
            print(text)

    def fail(self, why):
        raise Broken("%s\n  %s" % (why, "\n  ".join(self.told)))

    @contextlib.contextmanager
    def branch(self):
        """Commands inside are not part of the story after it."""
        told, result = list(self.told), self.result
        yield
        self.told, self.result = told, result

    def begin(self, what, result, stopped=True):
        self.tell("$ " + self.case.original())
        gone = sidecar_complete(self.case) or result.status == 0 and not result.rest
        self.sent = not stopped and not self.case.output.to_file and gone
        self.complete = self.judge(what, result) == RIGHT

    def last_line(self):
        """The command in the last line, if there is one."""
        last = self.result.messages[-1] if self.result.messages else ""
        match = LAST_LINE.fullmatch(last)
        return match[1] if match else None

    def advice(self, pattern):
        """A message's command for a file of another host, its placeholders replaced."""
        found = [pattern.search(m) for m in self.result.messages]
        lines = [match[1] for match in found if match]
        if len(lines) != 1:
            self.fail("nothing says what to do when another host has the file")
        text = re.sub(r"\b%s\b" % HOST_WORD, HOST, lines[0])
        return re.sub(r"\b%s\b" % FILE_WORD, lambda _: self.case.file, text)

    def by_size(self):
        return self.advice(BY_SIZE)

    def by_proof(self):
        """That message does not say how to write the file: done as in the other one."""
        resume, have = PROOF.fullmatch(self.advice(BY_PROOF)).groups()
        return ("have=%s\n%s $have | ssh %s dd of=%s bs=1M oflag=seek_bytes seek=${have%%%%:*} "
                "conv=notrunc status=none" % (have, resume, HOST, self.case.file))

    def judge(self, what, result):
        right = self.case.is_right()
        self.tell("%s: %s\n    %s bytes, %s" % (
            what, result, len(read(self.case.file) or b""),
            "right" if right else "not the whole stream"))
        self.result = result
        if right or result.status == 0 and not result.rest:
            # If a reader failed, sendcp does not know how much it had read, but the user does.
            return RIGHT if right else REFUSED
        if result.status == 0:
            self.fail("exit 0 without the whole stream")
        if not self.sent and sidecar_complete(self.case):
            self.fail("sendcp show calls it complete")
        if file_complete(self.case):
            self.fail("sendcp verify calls it complete")
        return REFUSED

    def nothing_lost(self, before):
        """A command that failed leaves the file unchanged, or made progress."""
        now = read(self.case.file) or b""
        if self.result.status == 75:
            if len(now) + SLACK < len(before or b""):
                self.fail("%d bytes were there" % len(before))
        elif now != (before or b""):
            self.fail("failed, but of %d bytes something has changed" % len(before or b""))

    def done(self, what, result, before, truncated, allowed):
        came = self.judge(what, result)
        if result.status not in (0, 1, 2, 75):
            self.fail("strange exit status")
        if came == REFUSED and not truncated and not self.case.output.receives:
            self.nothing_lost(before)
        if came not in allowed:
            self.fail("must be " + " or ".join(allowed))

    def do_last(self, command, allowed):
        """Repeated as long as its own last line says so."""
        before = read(self.case.file)
        result = run_literally(command)
        self.done("$ " + command, result, before, False,
                  allowed if result.status != 75 else (RIGHT, REFUSED))
        for _ in range(2):
            if result.status != 75:
                return
            command = self.last_line() or command
            result = run_literally(command)
            self.done("$ " + command, result, before, False, (RIGHT, REFUSED))
        if result.status == 75 and REFUSED not in allowed:
            self.fail("does not come to its end")

    def do_again(self, allowed):
        before = read(self.case.file)
        line = self.case.original()
        result = run_line(line, self.case.environment)
        poll(remote_ended)
        # The shell has truncated the reader's file before sendcp runs.
        self.done("$ " + line, result, before, ">" in line, allowed)

    def do_far(self, command, allowed, ended=True):
        before = read(self.case.file)
        result = run_line(command)
        if ended:
            poll(remote_ended)
        self.done("$ " + command, result, before, False, allowed)
