#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks that the tests which documents name exist: named_tests.py FILE.md...

A test is named by `SUITE.bats` "NAME", `test_X.c` "FUNCTION", or by its file alone. NAME is a test's
name, with or without the words before its first colon. Prints what does not exist.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEST = re.compile(r'`(?:test/[a-z]+/)?([a-z_]+\.(?:bats|c|sh))`(?:\s+"([^"]+)")?')


def find(name):
    """The file of that name below test/."""
    return next((path for path in (ROOT / "test").rglob(name)), None)


def names_in(path):
    """Names of all tests in a suite, in both forms; or all functions and strings of a C file."""
    text = path.read_text()
    if path.suffix != ".bats":
        return set(re.findall(r"\b(\w+)\(", text))
    names = set(re.findall(r'^@test "(.*)" \{', text, re.M))
    return names | {name.split(": ", 1)[1] for name in names if ": " in name}


def filled_rows(text):
    """The text without the rows of a table whose section is still empty."""
    empty = {title for title, body in re.findall(r"^## (.*)\n((?:(?!## ).*\n?)*)", text, re.M)
             if not body.strip()}
    return "\n".join(line for line in text.splitlines()
                     if not any(line.startswith(f"| [{title}]") for title in empty))


def check(document):
    """Returns the number of tests that the document names, and those that do not exist."""
    count, missing = 0, []
    for file, name in TEST.findall(filled_rows(document.read_text())):
        count += 1
        path = find(file)
        name = " ".join(name.split())
        if not path or (name and name not in names_in(path)):
            missing.append(f"{document.name}: {file} {name}".strip())
    return count, missing


def main():
    """Exits with 1 if a test is missing, or a document names none at all."""
    failed = False
    for name in sys.argv[1:]:
        count, missing = check(Path(name))
        for line in missing:
            print(line)
        failed |= bool(missing) or not count
        print(f"{Path(name).name}: {count} tests named")
    sys.exit(failed)


main()
