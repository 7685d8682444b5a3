#!/usr/bin/env python3
"""Runs a whole cycle under nine principals with just the rights that `flywheel topics acls` prints, and takes each away.

    acl.py                                       each right in turn, every connection fault at every command and role
    acl.py --short --seed 7 --binary .build/debug/flywheel     five rights and a few faults, drawn by the seed: for `make test`

Needs KAFKA_HOME, an Apache Kafka distribution (4.0 or newer, Java 17), openssl and kcat; the short form is skipped without
KAFKA_HOME. The last line on standard output is one JSON object; everything else goes to standard error. Exits with 0 if all
holds, with 1 if anything does not. README.md, beside this file, says what is checked.
"""

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent.parent


def main() -> int:
    options = parse()
    if options.short and not os.environ.get("KAFKA_HOME"):
        print("acl: skipped: KAFKA_HOME names no Apache Kafka, and no other broker has access control lists", file=sys.stderr)
        return 0
    # Ctrl-C and SIGTERM end what runs here, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    from secure_cluster import ChaosError

    try:
        return run(options)
    except ChaosError as error:
        print(f"acl: FAILED: {error}", file=sys.stderr)
        return 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7, help="of what the short form draws")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/flywheel")
    parser.add_argument("--short", action="store_true", help="the cycle, five rights, a few faults")
    parser.add_argument("--only", default="", metavar="USER", help="only the rights of this principal")
    parser.add_argument("--keep", action="store_true", help="keep the logs also when all is well")
    return parser.parse_args()


def run(options: argparse.Namespace) -> int:
    from connection_faults import try_faults
    from rights import ordered_rights, try_foreign_writes, try_without, write_bad_records
    from scene import Scene, say
    from secure_cluster import scratch_root

    scene = Scene(options.binary, scratch_root(300_000_000))
    has_passed = False
    try:
        scene.set_up()
        scene.wait_for_cycle(timeout=90)
        write_bad_records(scene)
        say("the cycle is complete; now each principal writes to the topics that it has no right to")
        topics = sorted(name for name in scene.cluster.admin.list_topics(timeout=10).topics if name.startswith("flywheel."))
        refused, failures = try_foreign_writes(scene, topics)
        tried = ordered_rights(scene)
        if options.only:
            tried = [(user, right) for user, right in tried if user == options.only]
        if options.short:
            tried = Random(options.seed).sample(tried, 5)
        outcomes = []
        for user, right in tried:
            outcome = try_without(scene, user, right)
            outcomes.append(outcome)
            verdict = "named" if outcome.named and outcome.failed else "NOT NAMED" if outcome.failed else "NOTHING FAILED"
            say(f"{user} without {right['operation']} on {right['resource_type']} {right['name']}: {verdict}, {outcome.seconds:.1f} s")
        failures += [str(outcome) for outcome in outcomes if not (outcome.failed and outcome.named)]
        say("all rights are restored: does the cycle continue?")
        answers, version = scene.label_tool.done, scene.product.done
        failures += check_recovery(scene, answers, version)
        say("trying faults that prevent connections")
        slowest, wrong = try_faults(scene, options.seed, options.short)
        failures += wrong
        result = {
            "broker": scene.cluster.kind, "seed": options.seed, "principals": len(scene.rights), "granted": len(ordered_rights(scene)),
            "rights": len(outcomes), "each_needed": all(outcome.failed for outcome in outcomes),
            "named_in_error": sum(outcome.failed and outcome.named for outcome in outcomes),
            "slowest_s": round(max((outcome.seconds for outcome in outcomes), default=0), 1),
            "foreign_writes_refused": refused, "cycle": True, "fault_slowest_s": slowest}
        for failure in failures:
            print(f"acl: FAILED: {failure}", file=sys.stderr)
        has_passed = not failures
        print(json.dumps(result), flush=True)
        return 0 if has_passed else 1
    finally:
        scene.clear(keeps=options.keep or not has_passed)


def check_recovery(scene, answers: int, predictions: int) -> list[str]:
    """What does not go on by itself within half a minute."""
    import time

    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if scene.label_tool.done > answers and scene.product.done > predictions:
            return []
        time.sleep(0.2)
    return ["with every right back, no task was opened and answered within 30 s"]


if __name__ == "__main__":
    sys.exit(main())
