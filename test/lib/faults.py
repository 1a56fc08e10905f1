#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fails each call that sendcp makes, one after the other, and judges what is left (faults_law.py).

usage: faults.py [--sample N] [--seed S] [--distinct] [--jobs N] [--failures N] WHAT...

WHAT is all, the name of a scenario or of a class of calls, a prefix of scenarios that ends with "-",
or one fault as it is printed: SCENARIO/CLASS:SLOT:N:WAY. --sample: N faults, chosen by the seed
from all scenarios; --distinct: of the calls that have the same chain of callers only the first and
the last. Needs FIX, FIX_MOUNT with parent.ro and s.ro, IMAGE with the same, SENDCP and TOOLS.
"""
import argparse
import collections
import ctypes
import multiprocessing
import os
import random
import signal
import sys
import time

import faults_scenarios
from faults_calls import CLASSES, WAYS, Fault, parse_fault
from faults_law import Broken, Law
from faults_world import World

PR_SET_CHILD_SUBREAPER = 36


class Worker:
    """Tries the faults of units: (scenario, class, faults), or all of that class."""

    def __init__(self, directory, distinct, patience):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
        self.world = World(directory)
        self.sources = faults_scenarios.Sources()
        self.distinct = distinct
        self.patience = patience
        self.laws = {}

    def law(self, name):
        if name not in self.laws:
            scenario = faults_scenarios.make(self.world, self.sources, name)
            self.laws[name] = Law(self.world, self.sources, scenario)
        return self.laws[name]

    def places(self, scenario, name):
        if not self.distinct:
            return scenario.table.all_places(name)
        self.world.put_back(scenario.start)
        return self.world.run(scenario.line, trace=name).table.distinct_places()

    def faults(self, scenario, name):
        """All of a class, each in every way."""
        for slot, n in self.places(scenario, name):
            for way in WAYS[name]:
                yield Fault(name, slot, n, way)
        if self.distinct or not any(scenario.table.count(slot, name)
                                    for slot in range(scenario.table.slots)):
            return
        # A run in which a call failed may have more calls than one without.
        for slot in range(scenario.table.slots):
            for n in range(scenario.table.count(slot, name) + 1, 1 << 20):
                fault = Fault(name, slot, n, WAYS[name][0])
                yield fault
                if not self.hit:
                    break

    def attempt(self, law, fault):
        """(outcome, why it is wrong): an exit status, "unmet" if no such call was made, or
        "wrong"."""
        self.world.put_back(law.scenario.start)
        done = self.world.run(law.scenario.line, fault)
        self.hit = done.table.hits
        try:
            outcome = law.judge(fault, done)
        except Broken as broken:
            return "wrong", "%s/%s: %s\n  called by %s\n%s" % (
                law.scenario.name, fault, broken, ", ".join(done.table.callers()[:14]), done)
        return (outcome if self.hit else "unmet"), None

    def run(self, unit, report):
        scenario_name, class_name, faults = unit
        law = self.law(scenario_name)
        outcomes = collections.Counter()
        broken = []
        for fault in faults or self.faults(law.scenario, class_name):
            outcome, why = self.attempt(law, fault)
            outcomes[outcome] += 1
            if why:
                broken.append(why)
                report(why)
            if len(broken) >= self.patience:
                break
        return outcomes


def work(directory, arguments, units, results):
    worker = Worker(directory, arguments.distinct, arguments.failures)

    def stop(number, frame):
        worker.world.stop()
        os._exit(1)

    signal.signal(signal.SIGTERM, stop)
    while True:
        unit = units.get()
        if unit is None:
            return
        try:
            outcomes = worker.run(unit, lambda why: results.put(("why", unit[:2], why)))
        except Exception as error:  # pylint: disable=broad-except
            results.put(("why", unit[:2], "%s/%s: %s %s" % (unit[0], unit[1], type(error).__name__, error)))
            outcomes = collections.Counter(wrong=1)
        results.put(("done", unit[:2], outcomes))


def chosen(words):
    """The units that the words name."""
    scenarios, classes, single = [], [], []
    for word in words:
        if "/" in word:
            name, fault = word.split("/")
            fault = parse_fault(fault)
            single.append((name, fault.name, [fault]))
        elif word in CLASSES:
            classes.append(word)
        elif word.endswith("-"):
            scenarios += [name for name in faults_scenarios.NAMES if name.startswith(word)]
        elif word in faults_scenarios.NAMES:
            scenarios.append(word)
        elif word != "all":
            sys.exit("faults: no such scenario or class: %s" % word)
    if single and not scenarios and not classes:
        return single
    return single + [(scenario, name, None) for scenario in scenarios or faults_scenarios.NAMES
                     for name in classes or CLASSES]


def sample(units, count, seed):
    """@count faults of the units' scenarios, each class of each scenario being as likely."""
    rng = random.Random(seed)
    worker = Worker(os.path.join(os.environ["FIX"], "work"), False, 0)
    found = []
    for scenario_name, class_name, _ in units:
        scenario = worker.law(scenario_name).scenario
        places = scenario.table.all_places(class_name)
        if places:
            found.append((scenario_name, class_name, places))
    picked = collections.defaultdict(list)
    for number in range(count):
        # Spread over all of them, before any has two.
        if number % len(found) == 0:
            rng.shuffle(found)
        scenario_name, class_name, places = found[number % len(found)]
        slot, n = rng.choice(places)
        picked[scenario_name, class_name].append(Fault(class_name, slot, n,
                                                       rng.choice(WAYS[class_name])))
    return [(*key, faults) for key, faults in sorted(picked.items())]


def print_table(totals):
    outcomes = [0, 1, 75, "library", "unmet", "wrong"]
    print("%-26s %-9s %7s %7s %7s %7s %7s %7s" % ("scenario", "class", "exit 0", "exit 1",
                                                 "exit 75", "library", "unmet", "wrong"))
    for (scenario, name), counter in sorted(totals.items()):
        if counter:
            print("%-26s %-9s" % (scenario, name) +
                  "".join(" %7d" % counter[outcome] for outcome in outcomes))
    print("\n%-26s" % "class")
    for name in CLASSES:
        total = sum((c for (_, n), c in totals.items() if n == name), collections.Counter())
        if not total:
            continue
        print("%-26s %-9s" % ("all scenarios", name) +
              "".join(" %7d" % total[outcome] for outcome in outcomes))


def run_all(arguments, units):
    jobs = min(arguments.jobs, len(units))
    queue, results = multiprocessing.Queue(), multiprocessing.Queue()
    # A worker makes a scenario's files once, so it gets the classes of one scenario in a row.
    for unit in units + [None] * jobs:
        queue.put(unit)
    workers = [multiprocessing.Process(
        target=work, args=(os.path.join(os.environ["FIX"], "work"), arguments, queue,
                           results), daemon=True) for i in range(jobs)]
    for worker in workers:
        worker.start()
    # Workers end with this process.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("killed"))
    totals = {}
    while len(totals) < len(units):
        kind, key, what = results.get()
        if kind == "why":
            print("WRONG " + what, flush=True)
        else:
            totals[key] = what
            if arguments.verbose:
                print(*key, dict(what), flush=True)
    for worker in workers:
        worker.join()
    return totals


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--distinct", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--failures", type=int, default=1 << 30)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("what", nargs="+")
    arguments = parser.parse_args()
    begin = time.monotonic()
    units = chosen(arguments.what)
    if arguments.sample:
        print("seed %s" % arguments.seed)
        units = sample(units, arguments.sample, arguments.seed)
    totals = run_all(arguments, units)
    print_table(totals)
    total = sum(totals.values(), collections.Counter())
    failed = total["wrong"]
    print("%d s\n%d passed, %d failed" % (time.monotonic() - begin,
                                         sum(total.values()) - failed, failed))
    sys.exit(1 if failed else 0)


main()
