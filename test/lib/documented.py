#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Finds the commands in README, manual pages, docs and examples, and says which of them nothing runs.

usage: documented.py list                      every command: place, heading, kind, text
       documented.py get DOC HEADING WHICH     the commands of a block, each followed by its expected
                                               output, NUL after each; paths and placeholders in them
                                               are replaced by the table TABLE (lines "KEY TAB VALUE")
       documented.py check RAN LIST            are all commands in RAN (lines "DOC:LINE", and ".N" for the
                                               Nth in the line), or in LIST?
       documented.py normal                    stdin without what differs from run to run

Commands are the lines of indented and fenced blocks, of displays in manual pages, and inline code
(Ql, Li) that has more than one word. HEADING is a heading, or the bold words that begin a paragraph.
WHICH is N, the Nth block under it, N.M, the Mth command of that, or words that exactly one command
there contains.
"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Code that is no command by its form: options, C, a program with nothing but its command's name or
# an option of it.
NO_COMMAND = re.compile(r"-|struct \w+$|sizeof\(|(sendcp|btrfs) (?!info|list)[a-z]+( --?[a-z-]+)?$")
OTHER_LANGUAGES = ("c", "ini", "conf")
CRON = re.compile(r"(?:[\d*/,-]+\s+){5}(?:root\s+)?")
OPENS = re.compile(r"(\||\\|&&|\|\||\bdo|\bthen|\{|\()$")
KEY = re.compile(r"(/[\w./@-]+|[A-Z][A-Z0-9_]*)$")


class Command:
    """@block, @number: which block under the heading, and which command in it; inline code has
    block 0. @nth: which command in its line."""

    def __init__(self, place, kind, text, block=0, number=0):
        self.doc, self.line, self.heading = place
        self.kind = kind
        self.text = text
        self.block = block
        self.number = number
        self.nth = 1
        self.output = []

    @property
    def place(self):
        return "%s:%d%s" % (self.doc, self.line, "" if self.nth == 1 else ".%d" % self.nth)


def unfinished(text):
    """Does the shell want another line after these?"""
    if OPENS.search(text):
        return True
    bare = re.sub(r"\\.|\"(?:\\.|[^\"\\])*\"|'[^']*'", "", text, flags=re.S)
    words = re.findall(r"(?:^|[;\n]|\bdo\b)\s*(for|while|until|if|case|done|fi|esac)\b", bare)
    opened = sum(1 if word in ("for", "while", "until", "if", "case") else -1 for word in words)
    return opened > 0 or bare.count("'") % 2 == 1 or bare.count("(") > bare.count(")")


def without_remark(line):
    """A column of explanations begins after three spaces, a remark of the shell's with #."""
    return re.sub(r"(?<=\S)(\s{3,}| +# ).*$", "", line)


class Document:
    def __init__(self, name):
        self.name = name
        self.heading = ""
        self.blocks = {}
        self.commands = []
        with open(os.path.join(ROOT, name), encoding="utf-8") as f:
            self.lines = f.read().split("\n")
        if name.startswith("man/"):
            self.manual()
        elif name.startswith("docs/examples/"):
            self.example()
        else:
            self.markdown()

    def add_block(self, first, lines):
        """@lines are from line @first of the document."""
        number = self.blocks[self.heading] = self.blocks.get(self.heading, 0) + 1
        transcript = any(line.startswith("$ ") for line in lines)
        found = []
        text = None
        for at, line in enumerate(lines, first):
            if text is not None:
                text += "\n" + without_remark(line)
            elif transcript and not line.startswith("$ "):
                found[-1].output.append(line)
                continue
            elif not line.strip() or line.startswith("#"):
                continue
            else:
                begin, text = at, without_remark(line[2:] if transcript else line)
            if unfinished(text):
                continue
            kind = "transcript" if transcript else "cron" if CRON.match(text) else "block"
            # cron takes % for the end of the line.
            text = re.sub(r"\\%", "%", CRON.sub("", text)) if kind == "cron" else text
            found.append(Command((self.name, begin, self.heading), kind, text, number, len(found) + 1))
            text = None
        if text is not None:
            # A figure; the shell would refuse it.
            found.append(Command((self.name, begin, self.heading), "block", text, number, len(found) + 1))
        self.commands += found

    def add_inline(self, first, text):
        # Wrapped lines; `|` is escaped in tables.
        for match in re.finditer(r"`([^`]+)`", text):
            code = re.sub(r"\s+", " ", match[1]).replace("\\|", "|")
            line = first + text[:match.start()].count("\n")
            if " " in code and not NO_COMMAND.match(code):
                self.commands.append(Command((self.name, line, self.heading), "inline", code))
                self.commands[-1].nth = sum(1 for one in self.commands if one.line == line)

    def markdown(self):
        at = 0
        paragraph = []
        while at <= len(self.lines):
            line = self.lines[at] if at < len(self.lines) else ""
            code = line.startswith("    ") and not paragraph
            if paragraph and (not line.strip() or line.startswith(("#", "```", "|"))):
                self.add_inline(at + 1 - len(paragraph), "\n".join(paragraph))
                paragraph = []
            if line.startswith("#"):
                self.heading = line.lstrip("# ").strip()
            elif line.startswith("```"):
                end = self.lines.index("```", at + 1)
                if line[3:] not in OTHER_LANGUAGES:
                    self.add_block(at + 2, self.lines[at + 1:end])
                at = end
            elif code:
                end = at
                while any(one.startswith("    ") for one in self.lines[end:end + 2]):
                    end += 1
                self.add_block(at + 1, [one[4:] for one in self.lines[at:end]])
                at = end - 1
            elif line.strip():
                bold = re.match(r"\*\*([^*]+)\*\*", line) if not paragraph else None
                self.heading = bold[1].rstrip(".,:") if bold else self.heading
                paragraph.append(line)
            at += 1

    @staticmethod
    def unescaped(line):
        return line.replace("\\&", "").replace("\\-", "-").replace("\\e", "\\").replace("\\(dq", '"')

    def manual(self):
        at = 0
        while at < len(self.lines):
            line = self.lines[at]
            if line.startswith((".Sh ", ".Ss ")):
                self.heading = line[4:]
            elif line.startswith(".Bd -literal"):
                end = self.lines.index(".Ed", at)
                if not self.lines[at + 1].startswith("struct "):
                    self.add_block(at + 2, [self.unescaped(one) for one in self.lines[at + 1:end]])
                at = end
            elif line.startswith((".Ql ", ".Li ", ".Dl ")):
                code = re.sub(r" (Ns|[.,:;)]$).*", "", self.unescaped(line[4:])).strip('"')
                self.add_inline(at + 1, "`%s`" % code)
            at += 1

    def example(self):
        """Its comments: `code`, and lines that are indented after the #."""
        at = 0
        while at < len(self.lines):
            end = at
            while re.match(r"# {3,}", self.lines[end]):
                end += 1
            if end > at:
                self.add_block(at + 1, [line.lstrip("# ") for line in self.lines[at:end]])
            elif self.lines[at].lstrip().startswith(("#", "*", "/*")):
                self.add_inline(at + 1, self.lines[at])
            at = max(end, at + 1)


def documents():
    names = ["README.md"]
    for pattern in ("man/*.[1-9]", "docs/*.md", "docs/examples/*", "docs/examples/*/*"):
        names += sorted(glob.glob(pattern, root_dir=ROOT))
    return [name for name in names if os.path.isfile(os.path.join(ROOT, name))]


def chosen(doc, heading, which):
    under = [command for command in Document(doc).commands if command.heading == heading]
    number = re.match(r"(\d+)(?:\.(\d+))?$", which)
    if number:
        found = [c for c in under if c.block == int(number[1]) and number[2] in (None, str(c.number))]
    else:
        found = [c for c in under if which in c.text]
        if len(found) > 1:
            sys.exit("%s: %s: %d commands contain: %s" % (doc, heading, len(found), which))
    if not found:
        sys.exit("%s: nothing under %s: %s" % (doc, heading, which))
    return found


def table():
    with open(os.environ["TABLE"], encoding="utf-8") as f:
        pairs = dict(line.rstrip("\n").split("\t", 1) for line in f)
    for key in pairs:
        if not KEY.match(key):
            sys.exit("neither a path nor a placeholder, so it may not be replaced: " + key)
    return pairs


def replaced(text, pairs):
    if not pairs:
        return text
    keys = sorted(pairs, key=len, reverse=True)
    pattern = r"(?:(?<![\w./$-])(?=/)|(?<![\w$])(?=[A-Z]))(%s)(?![\w-])" % "|".join(
        re.escape(key) for key in keys)
    return re.sub(pattern, lambda match: pairs[match[1]], text)


def get(doc, heading, which):
    pairs = table()
    out = ""
    for command in chosen(doc, heading, which):
        output = "\n".join(command.output)
        for part in (command.place, replaced(command.text, pairs), replaced(output, pairs)):
            out += part + "\0"
    sys.stdout.write(out)


def stanzas(name):
    """Paragraphs of lines "WORD: TEXT"."""
    with open(name, encoding="utf-8") as f:
        text = re.sub(r"^#.*\n", "", f.read(), flags=re.M)
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield [tuple(line.split(": ", 1)) for line in paragraph.split("\n")]


class Listed:
    """The list of what no scenario runs."""

    def __init__(self, name):
        self.faults = []
        # What kind of stanza each text is in.
        self.texts = {}
        self.figures = set()
        self.used = set()
        for stanza in stanzas(name):
            fields = dict(stanza)
            for word, text in stanza:
                if word in ("command", "mention"):
                    self.texts[text] = "run by nothing" if fields.get("where") == "nothing" else \
                        "run elsewhere" if word == "command" else "no commands"
                elif word == "figure":
                    self.figures.add(text)
            if "mention" not in fields and "figure" not in fields:
                self.elsewhere(fields)

    def elsewhere(self, fields):
        what = fields.get("command") or fields.get("example")
        if not what or not fields.get("because") or "where" not in fields:
            self.faults.append("a stanza lacks command, where, or because: %s" % fields)
            return
        if "example" in fields:
            self.used.add(what)
        if fields["where"] == "nothing":
            return
        path, fragment = fields["where"].split(": ", 1)
        try:
            with open(os.path.join(ROOT, path), encoding="utf-8") as f:
                there = fragment in f.read()
        except FileNotFoundError:
            there = False
        if not there:
            self.faults.append("%s: runs elsewhere, but %s does not contain: %s" %
                               (what, path, fragment))

    def kind(self, command):
        """Why no story runs it; None if the list has no reason."""
        if command.text in self.texts:
            self.used.add(command.text)
            return self.texts[command.text]
        heading = ("%s: %s" % (command.doc, command.heading)).rstrip(": ")
        for figure in self.figures if command.kind != "inline" else ():
            if figure.rstrip(": ") in (heading, "%s: %d" % (heading, command.block)):
                self.used.add(figure)
                return "no commands"
        return None


def check(ran_name, list_name):
    with open(ran_name, encoding="utf-8") as f:
        ran = set(f.read().split("\n"))
    listed = Listed(list_name)
    commands = [command for name in documents() for command in Document(name).commands]
    texts_run = {command.text for command in commands if command.place in ran}
    count = dict.fromkeys(("run by a story", "run elsewhere", "run by nothing", "no commands"), 0)
    for command in commands:
        kind = "run by a story" if command.text in texts_run else listed.kind(command)
        if kind:
            count[kind] += 1
        else:
            listed.faults.append("%s: (%s) no scenario runs this: %s" %
                                 (command.place, command.heading, command.text))
    for text in (set(listed.texts) | listed.figures) - listed.used:
        listed.faults.append("in the list, but in no document, or run: " + text)
    for name in documents():
        if name.startswith("docs/examples/") and name not in listed.used:
            listed.faults.append("%s: the list does not say what runs it" % name)
    print("\n".join(listed.faults + ["# %d found: %s" % (
        len(commands), ", ".join("%d %s" % (n, kind) for kind, n in count.items()))]))
    sys.exit(bool(listed.faults))


def normal():
    text = sys.stdin.read()
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID", text)
    # A terminal shows it, a file does not.
    text = text.replace("^C", "")
    text = re.sub(r"\d+", "N", text)
    # Columns move with the numbers in them.
    sys.stdout.write(re.sub(r"[ \t]+", " ", text).strip() + "\n")


def main():
    command, *arguments = sys.argv[1:]
    if command == "list":
        for name in documents():
            for one in Document(name).commands:
                print("%s\t%s\t%s %d.%d\t%s" % (one.place, one.heading, one.kind, one.block, one.number,
                                              one.text.replace("\n", " \\n ")))
    elif command == "get":
        get(*arguments)
    elif command == "check":
        check(*arguments)
    elif command == "normal":
        normal()
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
