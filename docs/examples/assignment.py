#!/usr/bin/env python3
"""The version of a release that serves a unit: a user or a sample, according to the release's `unit`.

Run as a program, it checks itself against test vectors: assignment.py assignment.json
"""
import json
import sys


def xxh64(data):  # XXH64 with seed 0, the same as in the package xxhash.
    mask, p = (1 << 64) - 1, (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261)
    rotate = lambda x, r: (x << r | x >> 64 - r) & mask
    lane = lambda acc, x: rotate((acc + x * p[1]) & mask, 31) * p[0] & mask
    word = lambda at, size: int.from_bytes(data[at : at + size], "little")
    v, at = [(p[0] + p[1]) & mask, p[1], 0, -p[0] & mask], 0
    while at + 32 <= len(data):
        v, at = [lane(v[i], word(at + 8 * i, 8)) for i in range(4)], at + 32
    h = (sum(rotate(v[i], (1, 7, 12, 18)[i]) for i in range(4)) & mask) if at else p[4]
    for i in range(4 if at else 0):
        h = ((h ^ lane(0, v[i])) * p[0] + p[3]) & mask
    h = (h + len(data)) & mask
    while at + 8 <= len(data):
        h, at = (rotate(h ^ lane(0, word(at, 8)), 27) * p[0] + p[3]) & mask, at + 8
    if at + 4 <= len(data):
        h, at = (rotate(h ^ word(at, 4) * p[0] & mask, 23) * p[1] + p[2]) & mask, at + 4
    for at in range(at, len(data)):
        h = rotate(h ^ data[at] * p[4] & mask, 11) * p[0] & mask
    h = (h ^ h >> 33) * p[1] & mask
    h = (h ^ h >> 29) * p[2] & mask
    return h ^ h >> 32


def draw(project, unit):
    return (xxh64(project.encode() + b"\0canary\0" + unit.encode()) >> 11) * 2.0**-53


def version(release, unit, metadata={}):
    canary, holdback, at = release.get("canary"), release.get("holdback"), draw(release["project"], unit)
    if holdback and at >= 1 - holdback["share"]:
        return holdback["version"]
    if canary and "ring" in canary:
        is_served = metadata.get(canary["ring"]["key"]) == canary["ring"]["value"]
    else:
        is_served = canary is not None and at < canary["share"]
    return canary["version"] if is_served else release["champion"]["version"]


if __name__ == "__main__":
    vectors = json.load(open(sys.argv[1]))
    for case in vectors:
        found = version(case["release"], case["unit"], case.get("metadata", {}))
        assert (draw(case["release"]["project"], case["unit"]), found) == (case["draw"], case["version"]), case
    print(f"{len(vectors)} assignments agree")
