#!/usr/bin/env python3
"""Runs the real binary under faults, and checks that nothing was lost and nothing was doubled.

    chaos.py --duration 600 --seed 7 --brokers 3 --workers 3
    chaos.py --upgrade-from v0.1.0                       a rolling upgrade first
    chaos.py --short --binary .build/debug/flywheel      one broker, a minute: for `make test`

Needs KAFKA_HOME, an Apache Kafka distribution (4.0 or newer, Java 17); the short form is skipped without it. The last line
on standard output is one JSON object; everything else goes to standard error. Exits with 0 if all holds, with 1 if
anything does not. README.md, beside this file, says what is done and what is checked.
"""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# The longest that nothing new may come while a majority of brokers is up, in seconds.
LONGEST_GAP = 30.0
MINIMUM_PREDICTIONS, MINIMUM_ANSWERS = 1_000, 5


def main() -> int:
    options = parse()
    if options.short and not os.environ.get("KAFKA_HOME"):
        print("chaos: skipped: KAFKA_HOME names no Apache Kafka, and transactions are proved on no other broker", file=sys.stderr)
        return 0
    # Ctrl-C and SIGTERM end what runs here, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    from processes import ChaosError, say

    try:
        return run(options)
    except ChaosError as error:
        say(f"FAILED: {error}")
        return 1


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration", type=float, default=600, metavar="SECONDS", help="how long faults and load go on")
    parser.add_argument("--seed", type=int, default=7, help="of all choices")
    parser.add_argument("--brokers", type=int, default=3, choices=[1, 3, 5])
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rate", type=int, default=1_250, help="predictions a second")
    parser.add_argument("--answers", type=int, default=9, help="annotations a second")
    parser.add_argument("--hostile", type=float, default=0.01, metavar="SHARE", help="hostile records, as a share of the predictions and annotations")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/flywheel")
    parser.add_argument("--upgrade-from", metavar="COMMIT", help="workers are of this commit at first, and are replaced under load")
    parser.add_argument("--short", action="store_true", help="one broker, 30 seconds, less load")
    parser.add_argument("--keep", action="store_true", help="keep logs and ledgers also when all is well")
    options = parser.parse_args()
    if options.short:
        options.duration, options.brokers, options.workers, options.rate = 30.0, 1, 2, 400
    if options.workers < 1 or options.duration <= 0 or not 0 <= options.hostile <= 1:
        parser.error("at least one worker, a duration above 0, and a share of hostile records of 0 to 1")
    if options.upgrade_from and options.duration < 120:
        parser.error("a rolling upgrade takes a minute or more: --duration 120 at least")
    return options


def run(options: argparse.Namespace) -> int:
    from faults import FaultIntervals, Faults
    from processes import say
    from scene import Scene
    from upgrade import RollingUpgrade, former_binary

    former = former_binary(options.upgrade_from) if options.upgrade_from else None
    needed = int(options.duration * options.rate * 800 * options.brokers * 1.5) + 500_000_000
    scene = Scene(former or options.binary, options.brokers, options.workers, needed)
    has_passed = False
    try:
        scene.set_up(options.rate, options.answers, options.hostile * (options.rate + options.answers), options.seed)
        intervals = FaultIntervals(worker=6, broker=18, cut=9) if options.short else FaultIntervals(worker=8, broker=40, cut=20)
        faults = Faults(scene.cluster, scene.workers, scene.proxy.cut, scene.monitor, options.seed, intervals)
        scene.monitor.begin()
        began = time.monotonic()
        say(f"load and faults for {options.duration:.0f} s, seed {options.seed}")
        if former is not None:
            RollingUpgrade(scene, faults, options.seed).run(options.binary)
        faults.run(max(0.0, options.duration - (time.monotonic() - began)), scene.watch)
        failures = faults.failures + settle(scene)
        loaded = time.monotonic() - began
        gap = scene.monitor.longest_gap()
        say(f"longest gaps in seconds: {scene.monitor.summary()}")
        failures += drain_and_stop(scene)
        result, more = judge(scene, options, faults.counts, gap, loaded)
        failures += more
        for failure in failures:
            say(f"FAILED: {failure}")
        has_passed = not failures
        print(json.dumps(result), flush=True)
        return 0 if has_passed else 1
    finally:
        scene.clear(keeps=options.keep or not has_passed)


def settle(scene) -> list[str]:
    """Ends the load so that the pipeline can come to rest: no more tasks are opened, then the participants stop."""
    from processes import say

    say("no more tasks, and then no more load")
    scene.configure(votes=0)
    time.sleep(3)
    scene.monitor.finish()
    return scene.stop_load()


def drain_and_stop(scene) -> list[str]:
    from diagnosis import diagnose
    from processes import say

    say("waiting until everything is read and decided")
    failures = []
    if (left := scene.drain(timeout=180, quiet=12)) is not None:
        failures.append(f"the pipeline is not drained after 180 s: {left}")
        for line in diagnose(scene.cluster, [worker.log for worker in scene.workers] + [broker.log for broker in scene.cluster.brokers]):
            say(line)
    say("stopping the workers")
    for worker in scene.workers:
        if not worker.stop(30):
            failures.append(f"worker {worker.name} does not stop as it should")
    return failures


def judge(scene, options: argparse.Namespace, counts, gap: float, loaded: float) -> tuple[dict, list[str]]:
    """Reads everything, checks it, and returns the figures and what failed."""
    from checker import check
    from processes import say
    from read_logs import listed_reasons, read_all
    from upgrade import builds, check_builds

    say("reading the topics from their beginning")
    logs = read_all(scene.cluster.bootstrap, scene.ledgers)
    store = scene.folder / "datasets"
    verdict = check(logs, listed_reasons(ROOT / "docs/reference/reasons.md"), lambda path: (store / path).read_bytes())
    failures = [str(finding) for finding in verdict.findings]
    reports, unequal = replay(scene)
    decisions_equal = not unequal
    failures += unequal + verify_versions(scene, logs)
    result = {
        "broker": scene.cluster.kind, "brokers": options.brokers, "seed": options.seed, "duration_s": round(options.duration),
        "worker_kills": counts.worker_kills, "kills_in_transaction": counts.kills_in_transaction, "worker_pauses": counts.worker_pauses,
        "broker_kills": counts.broker_kills + counts.broker_pauses, "cut_connections": counts.cut_connections,
        "predictions_sent": verdict.predictions_sent, "predictions_tallied": verdict.predictions_tallied,
        "annotations_sent": verdict.annotations_sent, "annotations_counted": verdict.annotations_counted, "tasks": verdict.tasks, "hostile_refused": verdict.hostile,
        "lost": verdict.lost, "duplicated": verdict.duplicated, "versions_verified": verdict.versions_verified,
        "decisions_equal": decisions_equal, "longest_gap_s": round(gap, 1), "hanging_aborted": scene.hanging}
    if options.upgrade_from:
        build_sequences = builds(logs)
        result |= {"upgraded_from": options.upgrade_from, "builds": build_sequences}
        failures += check_builds(build_sequences, reports[0]["build"] if reports else "")
    rates = verdict.predictions_sent / loaded, verdict.annotations_sent / loaded
    say(f"{rates[0]:.0f} predictions/s and {rates[1]:.1f} annotations/s over {loaded:.0f} s; of brokers {counts.broker_kills} killed, "
        f"{counts.broker_pauses} paused, {counts.broker_restarts} restarted; {counts.worker_stops} workers stopped gracefully")
    if gap > LONGEST_GAP:
        failures.append(f"nothing new of Intake or the loop came on some partition for {gap:.1f} s, with a majority of brokers up")
    if not options.short and (rates[0] < MINIMUM_PREDICTIONS or rates[1] < MINIMUM_ANSWERS):
        failures.append(f"the load was below {MINIMUM_PREDICTIONS} predictions/s or {MINIMUM_ANSWERS} annotations/s")
    if verdict.versions_verified == 0 or verdict.tasks == 0:
        failures.append("nothing was proved: no task was opened, or no version was sealed")
    return result, failures


def replay(scene) -> tuple[list[dict], list[str]]:
    """Decides every journal again with the binary itself, also what another build decided; the reports, and what failed."""
    status, output = scene.try_flywheel("replay", "--verify", "--json", timeout=600)
    reports = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    failures = [f"replay of {report['project']} differs: {report.get('first_difference')}" for report in reports if not report["equal"]]
    if status != 0 and not failures:
        failures.append(f"flywheel replay --verify exits with {status}: {output.strip()[-500:]}")
    if len(reports) != len({report["project"] for report in reports}) or not reports:
        failures.append(f"flywheel replay --verify gave {len(reports)} reports")
    return reports, failures


def verify_versions(scene, logs) -> list[str]:
    failures = []
    for project in sorted({sealed.project for sealed in logs.sealed}):
        status, output = scene.try_flywheel("dataset", "verify", "--project", project, "--store", str(scene.folder / "datasets"))
        if status != 0:
            failures.append(f"flywheel dataset verify --project {project} exits with {status}: {output.strip()[-500:]}")
    return failures


if __name__ == "__main__":
    sys.exit(main())
