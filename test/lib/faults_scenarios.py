# SPDX-License-Identifier: GPL-2.0-or-later
"""The scenarios of faults.py: a line, the files it begins with, and what is right after it."""
import hashlib
import io
import os
import re
import subprocess
import tarfile

from endings_law import LAST_LINE
from faults_calls import Fault, WAYS

SIZES = "--buffer-size 144K --checkpoint-interval 288K"
FILE = "out/f"


class Form:
    """A kind of output. @file: sendcp itself writes the file, and so can always resume it."""

    def __init__(self, line, source, options="", file=True):
        self.line = line
        self.source = source
        self.options = options
        self.file = file

    def original(self, sources):
        words = ["sendcp send", SIZES, self.options, sources[self.source]]
        return self.line.format(send=" ".join(word for word in words if word))


IN_PLACE = "{send} -f out/f"
FORMS = {
    "full": Form(IN_PLACE, "full"),
    "incremental": Form(IN_PLACE, "incremental"),
    "compressed": Form(IN_PLACE, "full", "--proto 2 --compressed-data"),
    "zstd": Form(IN_PLACE, "incremental", "--compress"),
    "tar": Form(IN_PLACE, "incremental", "--archive"),
    "cpio": Form(IN_PLACE, "incremental", "--archive=cpio"),
    "tar-zstd": Form(IN_PLACE, "incremental", "--archive=tar --compress=1"),
    "redirect": Form("{send} >> out/f", "incremental"),
    "pipe": Form("{send} --checkpoint out/f.cp | cat > out/f", "incremental", file=False),
    "state-pipe": Form("{send} | cat > out/f", "incremental", file=False),
    "zstd-pipe": Form("{send} --checkpoint out/f.cp | cat > out/f", "incremental", "--compress",
                      file=False),
    "command": Form("{send} --checkpoint out/f.cp --to-command '" +
                    'dd of=out/f bs=1M oflag=seek_bytes seek=$SENDCP_OFFSET conv=notrunc status=none'
                    "' --position-command 'sendcp verify --position out/f'", "incremental",
                    file=False),
    "image": Form(IN_PLACE, "image"),
    "image-incremental": Form(IN_PLACE, "image-incremental"),
}
READING = {
    "verify": ("sendcp verify out/f", "full"),
    "verify-zstd": ("sendcp verify --json out/f", "zstd"),
    "verify-tar": ("sendcp verify out/f", "tar-zstd"),
    "position": ("sendcp verify --position out/f", "full"),
    "cat-zstd": ("sendcp cat out/f", "zstd"),
    "cat-tar": ("sendcp cat out/f", "tar-zstd"),
    "cat-cpio": ("sendcp cat out/f", "cpio"),
    "dump": ("sendcp dump out/f", "zstd"),
    "show": ("sendcp show out/f.cp", "resume-full"),
    "show-json": ("sendcp show --json out/f.cp", "resume-tar"),
    "list": ("sendcp list", "resume-full"),
    "list-pipe": ("sendcp list --json", "resume-state-pipe"),
}


def unwrap(data):
    """The plain stream of an output file, without sendcp; None: it cannot be read to its end."""
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        done = subprocess.run(["zstd", "-dcq"], input=data, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return None if done.returncode else unwrap(done.stdout)
    if data.startswith(b"070701"):
        done = subprocess.run(["bsdtar", "-xOf", "-", "stream.*"], input=data, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return None if done.returncode else done.stdout
    if data[257:262] == b"ustar":
        try:
            with tarfile.open(fileobj=io.BytesIO(data)) as archive:
                return b"".join(archive.extractfile(m).read() for m in archive.getmembers()
                                if m.name.startswith("stream."))
        except tarfile.TarError:
            return None
    return data


class Sources:
    """What is sent, and the streams that native sends and an unhurt sendcp make of it."""

    def __init__(self):
        mount, image = os.environ["FIX_MOUNT"], os.environ["IMAGE"]
        self.words = {
            "full": mount + "/s.ro",
            "incremental": "-p %s/parent.ro %s/s.ro" % (mount, mount),
            "image": "--device %s s.ro" % image,
            "image-incremental": "--device %s -p parent.ro s.ro" % image,
        }
        self.wholes = {}
        self.right = {}

    def whole(self, world, form):
        key = (form.source, "compressed-data" in form.options)
        if key not in self.wholes:
            options = "--proto 2 --compressed-data " if key[1] else ""
            done = world.run("sendcp send -q --no-checkpoint %s%s | cat" %
                             (options, self.words[form.source]))
            assert done.status == 0 and len(done.out) > 300000, done
            self.wholes[key] = done.out
        return self.wholes[key]

    def is_right(self, world, form, files):
        whole = self.whole(world, form)
        data = files.get(FILE)
        if data is None:
            return False
        key = (hashlib.sha256(data).digest(), form.source, form.options)
        if key not in self.right:
            self.right[key] = unwrap(data) == whole
        return self.right[key]


class Scenario:
    """A line that makes a stream, or that reads one. @start: its files, by name."""

    def __init__(self, name, line, start, form=None):
        self.name = name
        self.line = line
        self.start = start
        self.form = form
        # Of the run that nothing fails in.
        self.names = self.out = self.table = None


def interrupted(world, form, sources):
    """The files that a send leaves that could not write any more, and the command of its last
    line."""
    world.put_back({})
    line = form.original(sources.words)
    count = world.run(line).table.count(0, "write")
    way = next(w for w in WAYS["write"] if w.name == "ENOSPC+")
    world.put_back({})
    done = world.run(line, Fault("write", 0, count * 6 // 10, way))
    assert done.status == 75, done
    match = LAST_LINE.fullmatch(done.messages[-1])
    files = world.files()
    assert match and len(files.get(FILE, b"")) > 100000, (done, list(files))
    return files, re.sub(r"\bFILE\b", FILE, match[1])


def sending(world, sources, name):
    """A send, one that is resumed (resume-...), and one whose journal is lost (append-...)."""
    kind, _, rest = name.partition("-")
    if name in FORMS:
        return Scenario(name, FORMS[name].original(sources.words), {}, FORMS[name])
    form = FORMS[rest]
    files, command = interrupted(world, form, sources)
    if kind == "resume":
        return Scenario(name, command, files, form)
    files = {FILE: files[FILE]}
    return Scenario(name, "sendcp resume --append out/f --buffer-size 144K " +
                    sources.words[form.source], files, form)


def reading(world, sources, name):
    line, what = READING[name]
    if what.startswith("resume-"):
        return Scenario(name, line, sending(world, sources, what).start)
    world.put_back({})
    done = world.run(FORMS[what].original(sources.words))
    assert done.status == 0, done
    return Scenario(name, line, world.files())


# --append takes the options that the file shows, and its first part has nothing compressed yet. The
# others leave the same files as one that is here.
APPENDED = [name for name in FORMS if name not in ("compressed", "command", "state-pipe",
                                                   "zstd-pipe", "redirect")]
NAMES = (list(FORMS) + ["resume-" + name for name in FORMS] +
         ["append-" + name for name in APPENDED] + list(READING) + ["info"])


def make(world, sources, name):
    """The scenario of that name, after a run that nothing failed in."""
    if name == "info":
        scenario = Scenario(name, "sendcp info", {})
    elif name in READING:
        scenario = reading(world, sources, name)
    else:
        scenario = sending(world, sources, name)
    world.put_back(scenario.start)
    done = world.run(scenario.line)
    files = world.files()
    assert done.status == 0 and done.table.slots, done
    assert not scenario.form or sources.is_right(world, scenario.form, files), done
    scenario.names, scenario.out, scenario.table = set(files), done.out, done.table
    return scenario
