#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Prints the options of a command, from its help or its manual page, one a line, sorted:
"-f, --output FILE", with arguments as in the help.

usage: options.py help COMMAND <HELP-TEXT
       options.py man COMMAND <MDOC-SOURCE
"""
import re
import sys


def from_help(text):
    option = re.compile(r"  (?:(-\w)(?:, )?|    )(--[\w-]+)?(\[=\w+\]| [A-Z]+(?=  |$))?(?:  |$)")
    for line in text.splitlines():
        match = option.match(line)
        if match and (match[1] or match[2]):
            yield match[1], match[2], match[3] or ""


def section(text, command):
    """The lines of the page's sections on the command and on every command."""
    wanted = False
    for line in text.splitlines():
        if line.startswith((".Ss ", ".Sh ")):
            wanted = line in (f".Ss {command}", ".Ss Every command")
        elif wanted:
            yield line


def from_man(text, command):
    for line in section(text, command):
        if not line.startswith(".It Fl "):
            continue
        argument = ""
        optional = re.search(r" Ns Op = Ns Ar (\w+)", line)
        required = re.search(r" Ar (\w+)", line)
        if optional:
            argument = f"[={optional[1].upper()}]"
        elif required:
            argument = f" {required[1].upper()}"
        names = ["-" + name for name in re.findall(r"Fl (-?[\w-]+)", line)]
        yield from as_options(names, argument)


def as_options(names, argument):
    """A line may have both names of one option, or several options that are described elsewhere."""
    short = None
    for name in names:
        if not name.startswith("--"):
            if short:
                yield short, None, argument
            short = name
        else:
            yield short, name, argument
            short = None
    if short:
        yield short, None, argument


def main():
    _, kind, command = sys.argv
    text = sys.stdin.read()
    found = from_help(text) if kind == "help" else from_man(text, command)
    for short, name, argument in sorted(found, key=lambda one: (one[1] or one[0])):
        print(", ".join(filter(None, (short, name))) + argument)


main()
