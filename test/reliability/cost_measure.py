# SPDX-License-Identifier: GPL-2.0-or-later
"""What a command costs.

usage: cost_measure.py RUNS COMMAND...

Runs COMMAND, its output to a pipe that is read to the end, RUNS times. Prints the least CPU time,
user and system, in milliseconds, and the largest resident set in KiB.
"""
import os
import subprocess
import sys


def run(command):
    child = subprocess.Popen(command, stdout=subprocess.PIPE)
    while os.read(child.stdout.fileno(), 1 << 20):
        pass
    _, status, used = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)}: status {status}")
    return (used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss


def main():
    runs = [run(sys.argv[2:]) for _ in range(int(sys.argv[1]))]
    print(round(min(cpu for cpu, _ in runs)), max(memory for _, memory in runs))


main()
