#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Checks that the names in comments of C files exist.

usage: comment_names.py DIRECTORY...

In the comments of all files below the DIRECTORYs:
- a function or macro, written name(), must be defined in the tree or listed in comment_names.list
  next to this file (libc, kernel, btrfs-progs);
- an identifier that begins with sendcp_, in either case, must occur in the code;
- any other lower_case name with an underscore must occur in the code or be listed;
- a member, written ->name, must occur in the code;
- a parameter, written @name, must occur in the code of the same file;
- a C file, with or without its directories, must be in the tree or listed.

Prints the names that do not exist and listed names that no comment needs; fails if there are any.
"""
import os
import re
import subprocess
import sys

TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'|//[^\n]*|/\*.*?\*/', re.S)
IDENTIFIER = re.compile(r'[A-Za-z_]\w*')
DEFINITION = re.compile(r'^(\w[^;{}]*\))\s*\{', re.M)
MACRO = re.compile(r'^\s*#\s*define\s+(\w+)\(', re.M)
POINTER = re.compile(r'\(\*(\w+)\)\(')
NAMED = re.compile(r'(?P<file>\b[\w.-]+(?:/[\w.-]+)*\.[ch]\b)'
                   r'|\b(?P<call>[A-Za-z_]\w*)\(\)'
                   r'|\b(?P<own>(?:sendcp|SENDCP)_\w*)'
                   r'|->(?P<member>[a-z]\w*)'
                   r'|@(?P<parameter>[a-z]\w*)'
                   r'|\b(?P<word>[a-z][a-z0-9]*(?:_[a-z0-9]+)+)\b')


def split(text):
    """The code, comments and strings blanked; the comments with their offsets; the strings."""
    comments, strings = [], []

    def blank(match):
        token = match.group()
        if token[0] == '/':
            comments.append((match.start(), token))
        else:
            strings.append(token[1:-1])
        return re.sub(r'[^\n]', ' ', token)

    return TOKEN.sub(blank, text), comments, strings


def endings(path):
    """a/b/c.h, b/c.h and c.h."""
    parts = path.split('/')
    return ['/'.join(parts[i:]) for i in range(len(parts))]


class Tree:
    """The tree's files and the identifiers in their code."""

    def __init__(self):
        listed = subprocess.run(['git', 'ls-files', '--cached', '--others', '--exclude-standard'],
                                check=True, capture_output=True, text=True).stdout.splitlines()
        paths = [path for path in listed if os.path.isfile(path)]
        self.endings = {ending for path in paths for ending in endings(path)}
        self.texts = {path: open(path, encoding='utf-8').read()
                      for path in paths if path.endswith(('.c', '.h'))}
        self.files = {path: split(text) for path, text in self.texts.items()}
        self.identifiers, self.callable = {}, set()
        self.everywhere = set()
        for path, (code, _, strings) in self.files.items():
            self.identifiers[path] = set(IDENTIFIER.findall(code))
            self.everywhere |= self.identifiers[path]
            # Environment variables and members of JSON objects.
            for string in strings:
                self.everywhere.update(IDENTIFIER.findall(string))
            self.callable.update(MACRO.findall(code), POINTER.findall(code))
            for head in DEFINITION.findall(code):
                self.callable.update(re.findall(r'(\w+)\(', head))

    def has(self, kind, name, path):
        if kind == 'file':
            return name in self.endings
        if kind == 'call':
            return name in self.callable
        if kind == 'parameter':
            return name in self.identifiers[path]
        # SENDCP_FILL_* stands for all names with that prefix.
        if name.endswith('_'):
            return any(known.startswith(name) for known in self.everywhere)
        return name in self.everywhere

    def named(self, directories):
        """(path, line, kind, name) of every name in a comment."""
        for path, (_, comments, _) in sorted(self.files.items()):
            if not path.startswith(tuple(name + '/' for name in directories)):
                continue
            for start, comment in comments:
                for match in NAMED.finditer(comment):
                    line = self.texts[path].count('\n', 0, start + match.start()) + 1
                    yield path, line, match.lastgroup, match.group(match.lastgroup)


def listed_names():
    lines = open(__file__.removesuffix('.py') + '.list', encoding='utf-8')
    return {name for line in lines for name in line.partition('#')[0].split()}


def main(directories):
    tree = Tree()
    listed, needed = listed_names(), set()
    found = 0
    for path, line, kind, name in tree.named(directories):
        if tree.has(kind, name, path):
            continue
        if kind in ('file', 'call', 'word') and name in listed:
            needed.add(name)
            continue
        print(f'{path}:{line}: comment names {name}, which does not exist')
        found = 1
    for name in sorted(listed - needed):
        print(f'comment_names.list: no comment needs {name}')
        found = 1
    return found


sys.exit(main(sys.argv[1:]))
