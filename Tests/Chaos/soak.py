#!/usr/bin/env python3
"""Lets one worker run for long at the highest rate that it can keep up with, and watches its memory.

    soak.py --duration 1800 --plot docs/design/soak.svg

Predictions are fed as fast as Intake reads them: whenever more than `--lag` records wait, the feeder waits too. Beside it
run the participants of chaos.py, so that labels are given, versions are cut and models are trained meanwhile. Needs
KAFKA_HOME. The last line on standard output is one JSON object; exits with 1 if the resident memory grows by 1 MB a minute
or more over the last two thirds, or if the worker does not live to the end.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from processes import ChaosError, say
from scene import PROJECTS, Scene

ROOT = Path(__file__).resolve().parent.parent.parent
TOPIC = "flywheel.predictions"
MAXIMUM_GROWTH = 1.0


class Feeder:
    """Sends predictions that were made beforehand, so that it costs little beside what it feeds."""

    def __init__(self, scene: Scene, lag: int):
        self.scene, self.limit = scene, lag
        self.producer = Producer({
            "bootstrap.servers": scene.cluster.bootstrap, "linger.ms": 20, "batch.num.messages": 10_000,
            "queue.buffering.max.messages": 400_000, "log_level": 0})
        draw = random.Random(1)
        self.values = [self._value(draw, number) for number in range(20_000)]
        self.sent = 0
        self.waiting = 0

    def _value(self, draw: random.Random, number: int) -> bytes:
        shares = [draw.expovariate(1) ** 3 for _ in range(10)]
        total = sum(shares)
        output = {str(label): round(share / total, 6) for label, share in enumerate(shares)}
        return json.dumps({
            "project": PROJECTS[number % len(PROJECTS)], "sample": {"id": f"soak-{number}"},
            "model": {"name": "soak", "version": f"v{number % 3 + 1}", "role": "champion"},
            "output": {"kind": "choice", "probabilities": output}}, separators=(",", ":")).encode()

    def feed(self, seconds: float) -> None:
        """Sends for so long, or less if enough waits already."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.waiting > self.limit:
                self.producer.poll(0)
                return time.sleep(min(0.05, seconds))
            for _ in range(1_000):
                try:
                    self.producer.produce(TOPIC, self.values[self.sent % len(self.values)])
                except BufferError:
                    self.producer.poll(0.05)
                    continue
                self.sent += 1
                self.waiting += 1
            self.producer.poll(0)

    def measure_lag(self) -> None:
        """How much waits for Intake now."""
        request = ConsumerGroupTopicPartitions("flywheel.intake", [TopicPartition(TOPIC, number) for number in range(4)])
        (future,) = self.scene.cluster.admin.list_consumer_group_offsets([request], request_timeout=10).values()
        read = sum(max(0, partition.offset) for partition in future.result(15).topic_partitions)
        reader = self.scene._reader()
        try:
            ends = sum(reader.get_watermark_offsets(TopicPartition(TOPIC, number), timeout=10)[1] for number in range(4))
        finally:
            reader.close()
        self.waiting = max(0, ends - read) + len(self.producer)


def resident(pid: int) -> float:
    """Megabytes of memory that a process has resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1_024
    raise ChaosError(f"process {pid} has no resident memory: it has ended")


def slope(points: list[tuple[float, float]]) -> float:
    """Least squares, in units of y for a minute."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 60 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def limit_retention(scene: Scene) -> None:
    """The topic keeps about 2 GB, or a long run would fill the disk."""
    entries = [("retention.bytes", str(512 << 20)), ("segment.bytes", str(64 << 20))]
    resource = ConfigResource(ResourceType.TOPIC, TOPIC, incremental_configs=[
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in entries])
    for future in scene.cluster.admin.incremental_alter_configs([resource]).values():
        future.result(20)


def plot(points: list[tuple[float, float]], path: Path) -> None:
    points = points[:: max(1, len(points) // 400)]
    top, last = 1.25 * max(y for _, y in points), max(points[-1][0], 1)
    line = " ".join(f"{60 + 700 * x / last:.1f},{250 - 220 * y / top:.1f}" for x, y in points)
    marks = "".join(
        f'<text x="52" y="{254 - 220 * share:.0f}" text-anchor="end">{top * share:.0f}</text>'
        f'<line x1="60" x2="760" y1="{250 - 220 * share:.0f}" y2="{250 - 220 * share:.0f}" stroke="#ddd"/>' for share in (0, 0.25, 0.5, 0.75, 1))
    minutes = "".join(
        f'<text x="{60 + 700 * share:.0f}" y="270" text-anchor="middle">{last * share / 60:.0f}</text>' for share in (0, 0.25, 0.5, 0.75, 1))
    path.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 300" font-family="sans-serif" font-size="12">'
        f'<rect width="780" height="300" fill="#fff"/>{marks}{minutes}'
        '<text x="60" y="18">resident memory of the worker, MB</text><text x="760" y="290" text-anchor="end">minutes</text>'
        f'<polyline points="{line}" fill="none" stroke="#0b5cad" stroke-width="1.5"/></svg>\n')


def run(options: argparse.Namespace) -> int:
    scene = Scene(options.binary, 1, 1, needed=60 << 30)
    has_passed = False
    try:
        scene.set_up(200, 9, 0, 7)
        limit_retention(scene)
        feeder, points, waits = Feeder(scene, options.lag), [], []
        began = sampled = time.monotonic()
        pid = scene.workers[0].process.pid
        while time.monotonic() - began < options.duration:
            feeder.feed(0.2)
            now = time.monotonic()
            if now - sampled < 1:
                continue
            sampled = now
            scene.watch()
            if (how := scene.workers[0].has_died()) is not None:
                raise ChaosError(how)
            try:
                feeder.measure_lag()
            except KafkaException as error:
                say(f"cannot see how much waits: {error}")
            waits.append(feeder.waiting)
            points.append((now - began, resident(pid)))
            if len(points) % 60 == 0:
                say(f"{now - began:.0f} s: {feeder.sent / (now - began):.0f} predictions/s, {feeder.waiting} wait, {points[-1][1]:.0f} MB")
        seconds = time.monotonic() - began
        late = [point for point in points if point[0] > options.duration / 3]
        result = {
            "broker": scene.cluster.kind, "duration_s": round(seconds), "predictions": feeder.sent,
            "predictions_per_s": round(feeder.sent / seconds), "waiting_max": max(waits), "rss_mb_start": round(points[0][1], 1),
            "rss_mb_end": round(points[-1][1], 1), "rss_mb_max": round(max(y for _, y in points), 1),
            "growth_mb_per_minute": round(slope(late), 3)}
        if options.plot:
            plot(points, options.plot)
        has_passed = result["growth_mb_per_minute"] < MAXIMUM_GROWTH
        print(json.dumps(result), flush=True)
        return 0 if has_passed else 1
    finally:
        scene.clear(keeps=not has_passed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--duration", type=float, default=1_800, metavar="SECONDS")
    parser.add_argument("--lag", type=int, default=300_000, help="records that may wait for Intake")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/flywheel")
    parser.add_argument("--plot", type=Path, help="an SVG file of the memory over time")
    try:
        sys.exit(run(parser.parse_args()))
    except ChaosError as error:
        say(f"FAILED: {error}")
        sys.exit(1)
