#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Types keys into a program on a terminal, each after the program's last answer, and prints the
first line of output that begins with "words: ".

usage: type.py KEYS PROGRAM [ARGUMENT...]
"""
import os
import pty
import re
import select
import sys
import time


def read_some(terminal, seconds):
    """Reads until nothing has arrived for that long."""
    got = b""
    while select.select([terminal], [], [], seconds)[0]:
        try:
            part = os.read(terminal, 4096)
        except OSError:
            break
        if not part:
            break
        got += part
    return got


def main():
    keys, program = sys.argv[1].encode(), sys.argv[2:]
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(PS1="> ", TERM="dumb")
        os.execvp(program[0], program)
    answer = read_some(terminal, 1)
    for part in re.findall(rb"[^\t\n]+|[\t\n]", keys):
        os.write(terminal, part)
        answer += read_some(terminal, 0.5)
    deadline = time.monotonic() + 20
    pattern = re.compile(rb"^(words: .*?)\r?\n", re.MULTILINE)
    while not pattern.search(answer) and time.monotonic() < deadline:
        answer += read_some(terminal, 0.5)
    os.write(terminal, b"exit\n")
    os.close(terminal)
    found = pattern.search(answer)
    if not found:
        sys.exit(f"no answer: {answer!r}")
    print(found[1].decode().rstrip())


main()
