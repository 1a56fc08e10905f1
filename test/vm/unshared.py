# SPDX-License-Identifier: GPL-2.0-or-later
"""Files and directories without shared extents, and changes to them.

usage: unshared.py DIRECTORY first|second
"""
import os
import random
import sys

COUNT = 600
DIRECTORIES = 20


def path(number):
    return "d%d/f%d" % (number % DIRECTORIES, number)


def write(number, size, source):
    with open(path(number), "wb") as file:
        file.write(source.randbytes(size))


def first():
    source = random.Random("first")
    for number in range(DIRECTORIES):
        os.mkdir("d%d" % number)
    for number in range(COUNT):
        write(number, source.choice([0, 100, 3000, 9000, 40000]), source)


def second():
    source = random.Random("second")
    for number in range(COUNT):
        if number % 3 == 0:
            os.unlink(path(number))
        elif number % 3 == 1:
            write(number, 20000, source)
    for number in range(0, DIRECTORIES, 2):
        os.rename("d%d" % number, "d%d/moved" % (number + 1))


os.chdir(sys.argv[1])
{"first": first, "second": second}[sys.argv[2]]()
