# SPDX-License-Identifier: GPL-2.0-or-later
"""Records a program's changes to the files of a directory with strace, as crash_disk.py's
operations."""
import os
import re
import subprocess
import sys

from crash_disk import Files

# First the calls that are understood, then others that would change a file.
TRACED = """openat open creat close write pwrite64 ftruncate lseek fsync fdatasync rename renameat
    renameat2 unlink unlinkat""".split()
STRANGE = """writev pwritev pwritev2 sendfile copy_file_range fallocate truncate sync_file_range
    link linkat symlink symlinkat mkdir mkdirat rmdir dup dup2 dup3 sync syncfs""".split()
CALL = re.compile(r"^(\w+)\((.*)\)\s+= (-?\d+)(?: .*)?$")


def lines_of(path):
    """Complete calls in the order of their returns; strace splits a thread's call in two."""
    begun = {}
    with open(path, encoding="ascii") as f:
        for line in f:
            thread, text = line.rstrip("\n").split(None, 1)
            if text.endswith(" <unfinished ...>"):
                begun[thread] = text[:-len(" <unfinished ...>")]
                continue
            resumed = re.match(r"<\.\.\. \w+ resumed>", text)
            if resumed:
                text = begun.pop(thread) + text[resumed.end():]
            call = CALL.match(text)
            if call:
                yield call.groups()


def text_of(argument):
    if not argument.startswith('"') or not argument.endswith('"'):
        sys.exit("crash: strace cut a string short: " + argument[-20:])
    return bytes.fromhex(argument[1:-1].replace("\\x", ""))


class Recorder:
    """@files exist already in @directory, the program's working directory."""

    def __init__(self, directory, files):
        self.directory = directory
        self.files = files
        self.ops = []
        # Of our files: fd -> [inode, position]; of directories: fd -> name.
        self.open_files = {}
        self.open_directories = {}

    def do(self, *op):
        self.ops.append(op)
        if op[0] == "rename":
            op += (self.files.names[op[1]],)
        self.files.apply(op)

    def name(self, argument):
        path = os.path.normpath(os.path.join(self.directory, os.fsdecode(text_of(argument))))
        if path == self.directory:
            return ""
        inside = path.startswith(self.directory + "/")
        return path[len(self.directory) + 1:] if inside else None

    def opened(self, directory, path, flags, fd):
        if directory.isdigit():
            # Of another directory nothing is recorded.
            if int(directory) not in self.open_directories:
                return
            above = self.open_directories[int(directory)]
            name = os.path.join(above, os.fsdecode(text_of(path)))
        else:
            name = self.name(path)
        if name is None:
            return
        if "O_TMPFILE" in flags or "O_APPEND" in flags:
            sys.exit("crash: opened with " + flags)
        if "O_DIRECTORY" in flags:
            self.open_directories[fd] = name
            return
        if name not in self.files.names:
            self.do("create", name, 1 + max(self.files.contents, default=0))
        inode = self.files.names[name]
        if "O_TRUNC" in flags:
            self.do("truncate", inode, 0)
        self.open_files[fd] = [inode, 0]

    def wrote(self, fd, data, offset, count):
        file = self.open_files.get(fd)
        if file:
            at = file[1] if offset is None else offset
            if offset is None:
                file[1] += count
            self.do("write", file[0], at, data[:count])
        elif fd == 1 and count:
            self.ops.append(("pipe", data[:count]))

    def fd_call(self, name, fd, arguments, result):
        if name == "close":
            self.open_files.pop(fd, None)
            self.open_directories.pop(fd, None)
        elif name in ("write", "pwrite64"):
            if fd == 1 or fd in self.open_files:
                offset = int(arguments[3]) if name == "pwrite64" else None
                self.wrote(fd, text_of(arguments[1]), offset, result)
        elif fd in self.open_directories and name == "fsync":
            self.do("syncdir", self.open_directories[fd])
        elif fd not in self.open_files:
            return
        elif name == "lseek":
            self.open_files[fd][1] = result
        elif name == "ftruncate":
            self.do("truncate", self.open_files[fd][0], int(arguments[1]))
        elif name in ("fsync", "fdatasync"):
            self.do("sync", self.open_files[fd][0])

    def path_call(self, name, arguments):
        if any(a.isdigit() and int(a) in self.open_directories for a in arguments):
            sys.exit("crash: a call that the recorder does not understand: " + name)
        names = [self.name(a) for a in arguments if a.startswith('"')]
        if None in names:
            return
        self.do("rename" if len(names) == 2 else "unlink", *names)

    def strange(self, name, arguments):
        # What a symbolic link names is not changed by it.
        if name.startswith("symlink"):
            arguments = arguments[1:]
        fds = [int(a) for a in arguments if a.isdigit()]
        names = [self.name(a) for a in arguments if a.startswith('"/') or a.startswith('"\\x2f')]
        if name.startswith("sync") or any(names) or any(fd in self.open_files for fd in fds):
            sys.exit("crash: a call that the recorder does not understand: " + name)

    def call(self, name, text, result):
        arguments = text.split(", ")
        if result < 0:
            return
        if name in STRANGE:
            self.strange(name, arguments)
        elif name == "openat":
            self.opened(*arguments[:3], result)
        elif name in ("open", "creat"):
            self.opened("", arguments[0], arguments[1] if name == "open" else "O_TRUNC", result)
        elif name.startswith(("rename", "unlink")):
            self.path_call(name, arguments)
        else:
            self.fd_call(name, int(arguments[0]), arguments, result)


def record(directory, initial, command, log):
    """Runs @command in @directory, which holds the files @initial; returns (result, operations)."""
    recorder = Recorder(os.path.realpath(directory), initial)
    calls = ",".join("?" + name for name in TRACED + STRANGE)
    done = subprocess.run(["strace", "-f", "-qq", "-xx", "-s", "1000000000", "-e", "signal=none",
                           "-e", "trace=" + calls, "-o", log] + command,
                          cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for name, text, result in lines_of(log):
        recorder.call(name, text, int(result))
    os.unlink(log)
    return done, recorder.ops


def files_after(initial, ops):
    """The files as the next program finds them without a power cut."""
    files = Files()
    for name, data in initial.items():
        files.add(name, data)
    for op in ops:
        if op[0] == "rename":
            op += (files.names[op[1]],)
        files.apply(op)
    return files
