# SPDX-License-Identifier: GPL-2.0-or-later
"""The outputs of endings.py: the lines that users type, the expected results of resuming each, and
how to judge the file's contents without sendcp."""
import contextlib
import os
import re
import shlex
import subprocess

from endings_world import APART, HERE, HOST, OUT, RECEIVED, REMOTE, SIZES, WORK, must, read, run_line

RIGHT, REFUSED, EITHER, NONE = "right", "refused", "either", "none"


class Output:
    """Expected results of the @last line's command, of the line run @again, and of the last line's
    command @after that; EITHER: both are right."""

    def __init__(self, line, last=RIGHT, again=REFUSED, after=RIGHT, reader=None, unwrap=None,
                 options="", sidecar=True, earliest=0.15):
        self.line = line
        self.last = last
        self.again = again
        self.after = after
        self.reader = reader
        self.unwrap = unwrap
        self.options = options
        self.sidecar = sidecar
        # Before this fraction of the stream, the reader may have written nothing yet.
        self.earliest = earliest
        self.to_file = reader is None
        self.remote = reader == "ssh"
        self.receives = reader == "btrfs"


MAGIC = b"btrfs-stream\0"
KEY = os.path.join(WORK, "age.key")
UNZSTD = ["zstd", "-dcq"]
OUTPUTS = {
    # The shell truncates the file before sendcp can refuse to send into it again. Then nothing is
    # left of a pipe reader's file, so nothing can be lost by starting over.
    "redirect": Output("{send} > {file}", after=REFUSED),
    "file": Output("{send} -f {file}", again=RIGHT),
    "append": Output("{send} >> {file}", again=RIGHT),
    "cat": Output("{send} | cat > {file}", after=EITHER, reader="cat"),
    "zstd": Output("{send} | zstd -q > {file}", after=EITHER, reader="zstd", unwrap=UNZSTD,
                   earliest=0.8),
    # Only the user knows the name of a file of another host.
    "ssh": Output("{send} | ssh %s 'cat > {file}'" % HOST, last=REFUSED, after=REFUSED, reader="ssh"),
    # Only the holder of the key can read this file.
    "age": Output("{send} | age -r {key} > {file}", last=REFUSED, after=REFUSED, reader="age",
                  unwrap=["age", "-d", "-i", KEY]),
    "compress-cat": Output("{send} | cat > {file}", options="--compress", after=EITHER,
                           reader="cat", unwrap=UNZSTD, earliest=0.3),
    "compress-file": Output("{send} -f {file}", options="--compress", again=RIGHT, unwrap=UNZSTD),
    "archive-file": Output("{send} -f {file}", options="--archive", again=RIGHT,
                           unwrap=["bsdtar", "-xOf", "-", "stream.*"]),
    "receive": Output("{send} | btrfs -q receive {received}", last=NONE, reader="btrfs"),
    # A sidecar in the state directory does not prevent a new run.
    "bare-cat": Output("{send} | cat > {file}", again=RIGHT, reader="cat",
                       sidecar=False),
    "bare-zstd": Output("{send} | zstd -q > {file}", again=RIGHT, reader="zstd",
                        unwrap=UNZSTD, sidecar=False, earliest=0.8),
}


def relative(path):
    return shlex.quote(os.path.relpath(path, HERE))


class Case:
    """An output, its files and its snapshot. @apart: the sidecar is on another disk."""

    def __init__(self, output, apart):
        self.output = output
        self.file = os.path.join(REMOTE if output.remote else OUT, "f")
        self.sidecar = os.path.join(APART if apart or output.remote else OUT, "f.cp")
        self.named = output.sidecar and (apart or not output.to_file)
        self.parent, self.snapshot = os.environ["PARENT"], os.environ["SNAPSHOT"]
        self.whole = read(os.environ["WHOLE"])
        self.environment = {}
        self.place = None
        self.judged = (None, False)

    def use_small(self):
        """A short stream, for tests that take long for each byte."""
        self.snapshot = os.environ["SMALL_SNAPSHOT"]
        self.whole = read(os.environ["SMALL_WHOLE"])

    def original(self):
        output = self.output
        words = ["sendcp send", SIZES]
        if self.named:
            words.append("--checkpoint " + relative(self.sidecar))
        words += [output.options, "-p", shlex.quote(self.parent), shlex.quote(self.snapshot)]
        key = must(["age-keygen", "-y", KEY]).decode().strip() if output.reader == "age" else ""
        return output.line.format(send=" ".join(word for word in words if word), key=key,
                                  file=self.file if output.remote else relative(self.file),
                                  received=shlex.quote(RECEIVED))

    def by_hand(self):
        """The command that a user types who got no last line."""
        name = "FILE" if self.output.remote else shlex.quote(self.file)
        if not self.output.sidecar:
            return "sendcp resume --append %s -p %s %s" % (name, shlex.quote(self.parent),
                                                           shlex.quote(self.snapshot))
        command = "sendcp resume --checkpoint " + shlex.quote(self.sidecar)
        return command if self.output.to_file else command + " --append " + name

    def by_hand_far(self):
        """The same for a file of another host."""
        return ("n=$(ssh {host} stat -c %s {file})\n"
                "sendcp resume --checkpoint {sidecar} --at $n | "
                "ssh {host} dd of={file} bs=1M oflag=seek_bytes seek=$n conv=notrunc status=none"
                ).format(host=HOST, file=self.file, sidecar=shlex.quote(self.sidecar))

    def plain(self, data):
        # A file that its compressor had not written to yet is resumed as a plain one.
        if not self.output.unwrap or data and data.startswith(MAGIC):
            return data
        done = subprocess.run(self.output.unwrap, input=data, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return None if done.returncode else done.stdout

    def is_right(self):
        if self.output.receives:
            return self.is_received()
        data = read(self.file)
        if data != self.judged[0]:
            self.judged = (data, self.plain(data) == self.whole)
        return self.judged[1]

    def is_received(self):
        path = os.path.join(RECEIVED, os.path.basename(self.snapshot))
        if not os.path.exists(path):
            return False
        shown = must(["btrfs", "subvolume", "show", path]).decode()
        # Set when a subvolume is received completely.
        if not re.search(r"Received UUID:\s+[0-9a-f]{8}-", shown):
            return False
        must(["treecmp", self.snapshot, path])
        return True

    @contextlib.contextmanager
    def own_snapshot(self):
        """A snapshot that may be deleted, and that no hold protects."""
        self.snapshot = os.path.join(os.path.dirname(self.snapshot), "gone.ro")
        self.environment = {"SENDCP_NO_HOLD": "1"}
        must(["btrfs", "-q", "subvolume", "snapshot", "-r", os.environ["SOURCE"], self.snapshot])
        whole = os.path.join(WORK, "gone")
        run_line("sendcp send -p %s %s >%s" % (shlex.quote(self.parent), shlex.quote(self.snapshot),
                                              whole))
        self.whole = read(whole)
        os.unlink(whole)
        try:
            yield
        finally:
            if os.path.exists(self.snapshot):
                must(["btrfs", "-q", "subvolume", "delete", self.snapshot])
