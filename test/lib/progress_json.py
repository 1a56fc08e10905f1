#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks what --progress=json printed, as docs/progress.md has it, and prints the summary's members.

usage: progress_json.py FILE      what was on standard error
Each line is an object of a known type with exactly its members; the last one is the summary.
"""
import json
import sys

NUMBER = (int, float)
MEMBERS = {
    "status": {"doing": (str,), "bytes": (int,), "total": (int, None), "percent": (*NUMBER, None),
               "bytes_per_second": (int,), "seconds_elapsed": NUMBER, "seconds_left": (int, None),
               "subvolume": (str, None)},
    "error": {"text": (str,)},
    "warning": {"text": (str,)},
    "info": {"text": (str,)},
    "summary": {"result": (str,), "exit_status": (int,), "bytes": (int,), "total": (int, None),
                "first_byte": (int,), "seconds": NUMBER, "bytes_per_second": (int,),
                "replaced_ranges": (int,), "replaced_bytes": (int,),
                "output": (str, None), "checkpoint": (str, None), "resume": (str, None)},
}


def check(line):
    found = json.loads(line.decode("utf-8"))
    kind = found.pop("message_type")
    members = MEMBERS[kind]
    assert set(found) == set(members), (kind, found)
    for key, value in found.items():
        types = tuple(type(None) if one is None else one for one in members[key])
        assert isinstance(value, types) and not isinstance(value, bool), (key, value)
    if kind == "status":
        assert found["doing"] in ("preparing", "reading", "sending", "finishing"), found
        assert (found["percent"] is None) == (found["total"] is None), found
    return kind, found


lines = open(sys.argv[1], "rb").read().splitlines(keepends=True)
assert lines and all(line.endswith(b"\n") for line in lines)
objects = [check(line) for line in lines]
kinds = [kind for kind, _ in objects]
assert kinds[-1] == "summary" and kinds.count("summary") == 1, kinds
assert kinds[-2] == "status", kinds
summary = objects[-1][1]
assert summary["result"] in ("complete", "replaced", "interrupted", "failed"), summary
for key in ("result", "exit_status", "bytes", "total", "first_byte", "output", "checkpoint", "resume"):
    print("%s=%s" % (key, summary[key]))
for kind, found in objects:
    if kind in ("error", "warning", "info"):
        print("%s: %s" % (kind, found["text"]))
print("subvolumes: " + " ".join(sorted({found["subvolume"] for kind, found in objects
                                        if kind == "status" and found["subvolume"]})))
