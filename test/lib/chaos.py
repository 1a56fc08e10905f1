# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends from FIX_MOUNT while the filesystem is changed and moved, and compares every stream.

usage: chaos.py SEED LAYOUT SECONDS STREAMS     a round
       chaos.py                                 the sum of all rounds

A round ends after that time, or after STREAMS finished streams if that is not 0, but then not before
each of the operations has succeeded once. The environment is that of test/reliability/chaos.sh.
Rounds add up in CHAOS_LOG.counts; exit status 3 if the kernel gave the filesystem up: then an
operation that never happened is no failure. The last line is "N passed, N failed": streams that were
compared, and kinds of operations that happened.
"""
import collections
import json
import os
import random
import signal
import subprocess
import sys
import time

import chaos_fs
import chaos_log
import chaos_sends
from chaos_log import FIX, MOUNT, done, failures, passed, refused, say, stop

SENDERS = 3
COUNTS = os.environ["CHAOS_LOG"] + ".counts"


def btrfs(*words, **more):
    subprocess.run(["btrfs", "-q", *words], check=True, stdout=subprocess.DEVNULL, **more)


def unshared(seed, files):
    """The snapshots ua and ub, which share extents with each other only."""
    r = random.Random("unshared %s" % seed)
    root = os.path.join(MOUNT, "s")
    btrfs("subvolume", "create", root)
    for n in range(files):
        d = "%s/d%d" % (root, n % 40)
        os.makedirs(d, exist_ok=True)
        with open("%s/f%d" % (d, n), "wb") as f:
            content = r.choice([r.randbytes(40), b"text %d " % n])
            f.write(content * (r.choice([0, 100, 3000, 20000, 90000]) // len(content)))
    btrfs("subvolume", "snapshot", "-r", root, MOUNT + "/ua")
    for n in range(files):
        path = "%s/d%d/f%d" % (root, n % 40, n)
        if n % 3 == 0:
            os.unlink(path)
        elif n % 3 == 1:
            with open(path, "wb") as f:
                f.write(r.randbytes(20000))
    for n in range(0, 40, 2):
        os.rename("%s/d%d" % (root, n), "%s/d%d/moved" % (root, n + 1))
    twin = r.randbytes(16384)
    for name in ("twin1", "twin2"):
        with open(os.path.join(root, name), "wb") as f:
            f.write(twin)
    btrfs("subvolume", "snapshot", "-r", root, MOUNT + "/ub")
    btrfs("subvolume", "delete", "-c", root)


def prepare(seed, quick):
    """Snapshots, writable copies of them, and the streams of both programs, made undisturbed."""
    here = os.path.dirname(os.path.abspath(__file__))
    number = random.Random(seed).randrange(1 << 30)
    subprocess.run([sys.executable, os.path.join(here, "random_tree.py"), str(number), MOUNT,
                    "150" if quick else "600"], check=True)
    unshared(seed, 300 if quick else 900)
    for live, source in zip(chaos_fs.LIVE, ("b", "ub")):
        btrfs("subvolume", "snapshot", os.path.join(MOUNT, source), live)
    btrfs("subvolume", "sync", MOUNT)
    btrfs("filesystem", "sync", MOUNT)
    os.mkdir(chaos_sends.REFERENCES)
    native = os.path.join(FIX, "native")
    for name in chaos_sends.REQUESTS:
        words = chaos_sends.arguments(name, MOUNT)
        with open(native, "wb") as out:
            subprocess.run(["btrfs", "send", "-q", *words], check=True, stdout=out)
        with open(chaos_sends.reference(name), "wb") as out:
            subprocess.run([chaos_sends.SENDCP, "send", "-q", "--backend", "direct", *words],
                           check=True, stdout=out)
        subprocess.run(["streamcmp", "--allow-deviation", "cap-prefix", "--allow-deviation",
                        "update-extent-32bit", chaos_sends.reference(name), native], check=True,
                       stdout=subprocess.DEVNULL)
    os.unlink(native)
    for name in ("a", "ua"):
        with open(native, "wb") as out:
            subprocess.run(["btrfs", "send", "-q", os.path.join(MOUNT, name)], check=True,
                           stdout=out)
        btrfs("receive", "-f", native, chaos_sends.RECEIVER, stderr=subprocess.DEVNULL)


def missing(quick):
    wanted = chaos_fs.WANTED
    if not quick:
        wanted += ("deduplicate into a snapshot is refused", "image, frozen", "image, changed",
                   "compared by bytes", "compared by contents", "balance cancel",
                   *("interrupt: %s" % how for how in set(chaos_sends.ENDS) if how))
    return [name for name in wanted if not done[name]], len(wanted)


def wait(seconds, streams):
    end = time.monotonic() + seconds
    while not stop.is_set():
        enough = sum(passed.values()) >= streams if streams else time.monotonic() >= end
        if failures and streams:
            return
        if enough and (not streams or not missing(True)[0]):
            return
        time.sleep(0.05)


def finish(threads):
    """Nothing that was started is left."""
    stop.set()
    end = time.monotonic() + 60
    while any(t.is_alive() for t in threads):
        for group in list(chaos_log.groups):
            # A balance or a replacement ends by itself; only sends are waited for no longer.
            try:
                os.killpg(group, signal.SIGKILL)
                os.killpg(group, signal.SIGCONT)
            except ProcessLookupError:
                pass
        time.sleep(0.1)
        if time.monotonic() > end:
            chaos_log.fail("still running: %s" % [t.name for t in threads if t.is_alive()],
                           at_end=True)
            return


def read_counts():
    try:
        with open(COUNTS, encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return {"done": {}, "refused": {}, "passed": {}, "failures": []}


def add_counts(streams):
    """To those of the rounds before."""
    sums = read_counts()
    for name, counter in (("done", done), ("refused", refused), ("passed", passed)):
        sums[name] = dict(collections.Counter(sums[name]) + counter)
    sums["failures"] += failures
    sums["quick"] = streams > 0
    with open(COUNTS, "w", encoding="utf-8") as f:
        json.dump(sums, f)


def summary():
    sums = read_counts()
    done.update(sums["done"])
    for name in sorted(set(sums["done"]) | set(sums["refused"])):
        print("chaos: %-50s %6d done %6d refused" % (name, done[name],
                                                      sums["refused"].get(name, 0)))
    for name, number in sorted(sums["passed"].items()):
        print("chaos: %-50s %6d streams" % (name, number))
    lacking, wanted = missing(sums.get("quick"))
    given_up = done[chaos_fs.GIVEN_UP]
    failed = sums["failures"] + ["never happened: %s" % name for name in lacking if not given_up]
    for text in failed:
        print("chaos: FAILED: %s" % text)
    streams = sum(sums["passed"].values())
    print("chaos: %d streams, %d kinds of operations" % (streams, wanted - len(lacking)))
    print("%d passed, %d failed" % (streams + wanted - len(lacking), len(failed)))
    return 1 if failed or not (streams or given_up) else 0


def main():
    if len(sys.argv) == 1:
        return summary()
    seed, layout, seconds, streams = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    say("seed %s, layout %s" % (seed, layout))
    quick = streams > 0
    prepare(seed, quick)
    threads = [kind(seed) for kind in chaos_fs.DISTURBERS]
    threads += [chaos_sends.Sender(seed, n) for n in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        wait(seconds, streams)
    finally:
        finish(threads)
        add_counts(streams)
    return 1 if failures else 3 if chaos_log.given_up.is_set() else 0


if __name__ == "__main__":
    sys.exit(main())
