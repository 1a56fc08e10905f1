# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened in a run of chaos.py: every operation, in the order of its beginning and end."""
import collections
import os
import subprocess
import threading
import time

MOUNT = os.environ["FIX_MOUNT"]
FIX = os.environ["FIX"]

_lock = threading.Lock()
_began = time.monotonic()
_file = open(os.environ["CHAOS_LOG"], "a", encoding="utf-8", errors="replace")
# How often each operation succeeded, and was refused (another one was running, and so on).
done = collections.Counter()
refused = collections.Counter()
passed = collections.Counter()
failures = []
stop = threading.Event()
# The kernel has found its filesystem damaged: whatever fails from then on proves nothing.
given_up = threading.Event()
# Process groups that must not outlive us.
groups = set()


def say(text):
    with _lock:
        _file.write("%9.3f %-10s %s\n" % (time.monotonic() - _began,
                                          threading.current_thread().name, text))
        _file.flush()


def fail(text, at_end=False):
    """Whether that counts."""
    if stop.is_set() and not at_end:
        # Whatever still runs then is killed.
        say("failed, at the end: " + text)
        return False
    # It may have, and its log not have been read yet.
    if given_up.wait(1):
        say("failed, as the kernel did: " + text)
        return False
    say("FAILED: " + text)
    with _lock:
        failures.append(text)
    return True


def count(counter, name):
    with _lock:
        counter[name] += 1


def start(command, **more):
    """Starts a program in a process group of its own."""
    process = subprocess.Popen(command, start_new_session=True, **more)
    with _lock:
        groups.add(process.pid)
    return process


def ended(process):
    """The same after it has ended; what it started has then ended, too, or is killed."""
    status = process.wait()
    with _lock:
        groups.discard(process.pid)
    return status


def operation(name, *command):
    """Runs a command that the filesystem may refuse; True if it did not."""
    say("%s: %s" % (name, " ".join(command)))
    process = start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT)
    output = process.stdout.read().decode(errors="replace").strip()
    process.stdout.close()
    status = ended(process)
    say("%s: %d%s" % (name, status, " " + output.replace("\n", " | ") if status else ""))
    count(done if status == 0 else refused, name)
    return status == 0


def attempt(name, function, *arguments):
    """The same for a function that raises OSError."""
    # Not all of what is written.
    say("%s %s" % (name, " ".join(str(a)[:200] for a in arguments)))
    try:
        function(*arguments)
    except OSError as error:
        say("%s: %s" % (name, error))
        count(refused, name)
        return False
    say("%s: done" % name)
    count(done, name)
    return True
