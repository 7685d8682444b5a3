#!/usr/bin/env python3
"""How much faster two workers read a backlog than one, and what the broker takes of the processors meanwhile.

    scaleout.py --events 3000000

One broker, four partitions of predictions written beforehand; then one worker of the role Intake reads them all, and in a
second run, from a fresh broker, two do. Needs KAFKA_HOME. Prints one JSON object: events a second by the clock, processor
seconds for a million events of the workers and of the broker, and the ratio of the two rates.
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from processes import ChaosError, end, say, spawn
from scene import Scene
from soak import TOPIC, Feeder

ROOT = Path(__file__).resolve().parent.parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def preload(scene: Scene, events: int) -> None:
    feeder = Feeder(scene, lag=events)
    while feeder.sent < events:
        feeder.feed(0.5)
        feeder.waiting = 0
    if left := feeder.producer.flush(120):
        raise ChaosError(f"{left} predictions were not delivered")


def read_by_now(scene: Scene) -> int:
    request = ConsumerGroupTopicPartitions("flywheel.intake", [TopicPartition(TOPIC, number) for number in range(4)])
    (future,) = scene.cluster.admin.list_consumer_group_offsets([request], request_timeout=10).values()
    return sum(max(0, partition.offset) for partition in future.result(15).topic_partitions)


def measure(options: argparse.Namespace, count: int) -> dict:
    scene = Scene(options.binary, 1, count, needed=options.events * 600)
    workers = []
    try:
        scene.cluster.start()
        scene.create_topics()
        scene.configure(votes=400)
        preload(scene, options.events)
        say(f"{options.events} predictions wait for {count} workers")
        for number in range(count):
            command = [
                str(scene.binary), "run", "--bootstrap", scene.cluster.bootstrap, "--instance", f"w{number + 1}", "--roles", "intake"]
            workers.append(spawn(command, scene.folder / f"worker-{number + 1}.log", env=os.environ | {"FLYWHEEL_SALT": "chaos"}))
        broker = scene.cluster.brokers[0].process.pid
        deadline = time.monotonic() + 300
        start = None
        while (read := read_by_now(scene)) < options.events:
            now = time.monotonic()
            if now > deadline:
                raise ChaosError(f"{read} of {options.events} predictions were read in 300 s")
            # Joining the group and loading the projects is not reading.
            if start is None and read > 0:
                start = (now, read, sum(processor_seconds(worker.pid) for worker in workers), processor_seconds(broker))
            time.sleep(0.02)
        now = time.monotonic()
        if start is None:
            raise ChaosError("all was read at the first look: name more --events")
        spent = sum(processor_seconds(worker.pid) for worker in workers) - start[2]
        broker_spent = processor_seconds(broker) - start[3]
        millions, seconds = (options.events - start[1]) / 1e6, now - start[0]
        return {
            "workers": count, "events_per_s": round(1e6 * millions / seconds), "worker_cpu_s_per_M": round(spent / millions, 3),
            "broker_cpu_s_per_M": round(broker_spent / millions, 3), "broker_share_of_cores": round(broker_spent / seconds / os.cpu_count(), 3)}
    finally:
        for worker in workers:
            end(worker, 20, "a worker")
        scene.cluster.stop()
        shutil.rmtree(scene.folder, ignore_errors=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=3_000_000)
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/flywheel")
    options = parser.parse_args()
    single, double = measure(options, 1), measure(options, 2)
    ratio = double["events_per_s"] / single["events_per_s"]
    print(json.dumps({"cores": os.cpu_count(), "one": single, "two": double, "ratio": round(ratio, 2)}), flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ChaosError as error:
        say(f"FAILED: {error}")
        sys.exit(1)
