# SPDX-License-Identifier: GPL-2.0-or-later
"""Truncates and damages a stored stream at random offsets and checks sendcp's answers.

usage: damage.py SENDCP cut|flip COUNT PLAIN FILE

PLAIN is the plain stream that FILE contains, wrapped or not. Truncated anywhere, FILE must be
refused with one line that names the right offsets, and cat must write PLAIN up to the last complete
command. With a bit flipped it must be refused, or the bit must be insignificant and cat write
PLAIN.
"""
import random
import re
import struct
import subprocess
import sys

WHOLE = re.compile(rb"; whole up to byte (\d+)( of the stream)?")
UNIT = re.compile(rb"ends at byte (\d+) of the file, byte (\d+) of the stream")


def command_ends(plain):
    """Offsets after headers and commands."""
    ends, at = {0}, 0
    while at < len(plain):
        if plain[at:at + 13] == b"btrfs-stream\0":
            at += 17
        else:
            at += 10 + struct.unpack_from("<I", plain, at)[0]
        ends.add(at)
    return ends


class Damage:
    def __init__(self, sendcp, plain, stored):
        self.sendcp = sendcp
        self.plain = plain
        self.stored = stored
        self.ends = command_ends(plain)
        self.seen = 0

    def run(self, command, data):
        done = subprocess.run([self.sendcp, command, "-"], input=data, capture_output=True,
                              check=False)
        if done.returncode not in (0, 1):
            raise SystemExit("%s: status %d: %r" % (command, done.returncode, done.stderr))
        return done

    def told(self, what, data):
        """The offset up to which the only line of the message calls the stream correct."""
        done = self.run("verify", data)
        match = WHOLE.search(done.stderr)
        if done.returncode != 1 or done.stdout or not match or done.stderr.count(b"\n") != 1:
            raise SystemExit("%s: %d %r" % (what, done.returncode, done.stderr))
        whole = int(match.group(1))
        if whole not in self.ends:
            raise SystemExit("%s: no command ends at %d" % (what, whole))
        self.check_unit(what, data, done.stderr)
        return whole

    def check_unit(self, what, data, line):
        """The file up to its last complete unit contains the plain stream up to the named
        offset."""
        match = UNIT.search(line)
        if not match:
            return
        file_end, plain_end = int(match.group(1)), int(match.group(2))
        again = self.run("verify", data[:file_end])
        unit = UNIT.search(again.stderr)
        if again.returncode == 0:
            if plain_end != len(self.plain):
                raise SystemExit("%s: complete at %d" % (what, file_end))
        elif unit and (int(unit.group(1)), int(unit.group(2))) != (file_end, plain_end):
            raise SystemExit("%s: %r, then %r" % (what, line, again.stderr))
        elif not unit and b"(" in line.split(b":")[1]:
            raise SystemExit("%s: %r has no unit" % (what, again.stderr))

    def check_cat(self, what, data, whole):
        done = self.run("cat", data)
        if done.stdout != self.plain[:whole] or done.returncode != 1:
            raise SystemExit("%s: cat wrote %d bytes of %d, status %d" %
                             (what, len(done.stdout), whole, done.returncode))

    def cut(self, size):
        what = "cut at %d" % size
        self.check_cat(what, self.stored[:size], self.told(what, self.stored[:size]))
        self.seen += 1

    def flip(self, bit):
        data = bytearray(self.stored)
        data[bit // 8] ^= 1 << bit % 8
        what = "bit %d" % bit
        done = self.run("cat", bytes(data))
        if self.run("verify", bytes(data)).returncode == 1:
            self.seen += 1
            self.told(what, bytes(data))
            if not self.plain.startswith(done.stdout):
                raise SystemExit("%s: cat wrote something else" % what)
        elif done.stdout != self.plain:
            raise SystemExit("%s: not seen" % what)


def main():
    sendcp, how, count, plain, stored = sys.argv[1:]
    with open(plain, "rb") as file:
        plain_bytes = file.read()
    with open(stored, "rb") as file:
        stored_bytes = file.read()
    damage = Damage(sendcp, plain_bytes, stored_bytes)
    draw = random.Random(stored + how)
    for number in range(int(count)):
        if how == "flip":
            damage.flip(draw.randrange(len(stored_bytes) * 8))
        elif number < 20:
            # Errors are most likely near the end.
            damage.cut(len(stored_bytes.rstrip(b"\0")) - 1 - number)
        else:
            damage.cut(draw.randrange(len(stored_bytes.rstrip(b"\0"))))
    print("%d of %s seen" % (damage.seen, count))


if __name__ == "__main__":
    main()
