"""Somebody with write access to the topics and no good will: records that must all be refused, and must hold up nobody.

Each record is wrong for one documented reason, which its key names for the checker: `stranger/NUMBER/REASON`. What is written
to `projects` is for no project of the run.
"""

import json
import random
import sys
import time
from typing import Callable

from clients import Pace, make_producer
from ledger import RangeLedger
from logs import STRANGER

LARGEST = 9_223_372_036_854_775_807
# In so many records one has tens of thousands of headers or megabytes: such a record costs its sender, too.
HUGE_EVERY = 200


class Stranger:
    """Writes `rate` hostile records a second, most of them predictions."""

    def __init__(self, options):
        self.options = options
        self.random = random.Random(f"{options.seed}/stranger")
        self.ledger = RangeLedger(options.ledger)
        self.producer = make_producer(options.bootstrap)
        self.projects = options.project
        self.errors = 0

    def run(self, is_stopping: Callable[[], bool]) -> int:
        flushed, pace = time.monotonic(), Pace(self.options.rate)
        while not is_stopping():
            now = time.monotonic()
            for _ in range(pace.due(now)):
                self.attack(pace.count)
                pace.count += 1
            self.producer.poll(0.02)
            if now - flushed > 0.5:
                self.ledger.flush()
                flushed = now
        left = self.producer.flush(60)
        self.ledger.flush()
        print(f"stranger: {pace.count} records, {self.errors} failed, {left} undelivered", flush=True)
        return 1 if left or self.errors else 0

    def attack(self, count: int) -> None:
        chance, headers = self.random.random(), self.headers()
        if count % HUGE_EVERY == HUGE_EVERY - 1:
            return self.huge()
        if chance < 0.8:
            return self.send("predictions", *self.event(self.prediction()), headers)
        if chance < 0.88:
            return self.send("feedback", *self.event(self.feedback()), headers)
        if chance < 0.95:
            return self.send("annotations", *self.event(self.annotation()), headers)
        if chance < 0.98:
            return self.send(self.random.choice(["training-results", "commands", "imports"]), *self.nonsense(), headers)
        self.configure()

    def headers(self) -> list[tuple[str, bytes | None]]:
        """None, mostly; else such as ours, with numbers that nobody can add to."""
        return self.random.choice([[], [], [], [
            ("flywheel.redrive.attempt", str(LARGEST).encode()), ("flywheel.redrive.letter", b"0/-1"), ("traceparent", None),
            ("ce_id", b"\x1b[31m\xff"), ("__connect.errors.stage", b"intake"), ("flywheel.left_out", b"9" * 400)]])

    # Events that would be good ones of a project of the run

    def prediction(self) -> dict:
        return {"project": self.random.choice(self.projects), "sample": {
                "id": f"hostile-{self.random.randrange(1 << 40)}",
                "content": {"kind": "inline", "media_type": "text/plain", "data": "x"}},
            "model": {"name": "hostile", "version": "1", "role": "champion"},
            "output": {"kind": "choice", "probabilities": {str(number): 0.1 for number in range(10)}}}

    def feedback(self) -> dict:
        return {"project": self.random.choice(self.projects), "id": str(self.random.randrange(1 << 40)), "source": "hostile",
                "sample": "x", "model": {"version": "1"}, "user": "u", "verdict": "confirmation"}

    def annotation(self) -> dict:
        return {"project": self.random.choice(self.projects), "task": "x", "annotator": "a", "outcome": "skip", "answered_at_ms": 1 << 40}

    def event(self, good: dict) -> tuple[str, bytes]:
        """One of them made wrong: the reason for which it must be refused, and its bytes."""
        return self.random.choice([
            lambda: self.nonsense(),
            lambda: ("not_json", json.dumps(good)[:-1].encode() + b',"x":@@@,"project":"alpha"}'),
            lambda: ("unknown_project", json.dumps(good | {"project": "no-such-project"}).encode()),
            lambda: ("schema", json.dumps({key: value for key, value in good.items() if key != "project"}).encode()),
            lambda: ("schema", json.dumps(good | {"project": {"name": "alpha"}}).encode()),
            lambda: ("bad_envelope", json.dumps({"specversion": "7", "data": good, "id": "1", "source": "x"}).encode()),
        ])()

    def nonsense(self) -> tuple[str, bytes]:
        """What is no event at all."""
        return self.random.choice([
            ("not_json", b"\x00\x01\x02 no JSON"), ("not_json", b"NaN"), ("not_json", b"[1,2"[:2] + b"}"), ("truncated_json", b'{"project":'),
            ("invalid_utf8", b'{"project":"\xff\xfe"}'), ("too_deep", b"[" * 5_000 + b"]" * 5_000), ("empty_value", b""), ("schema", b"[]"),
        ])

    def huge(self) -> None:
        topic = self.random.choice(["predictions", "annotations", "training-results"])
        if topic == "predictions" or self.random.random() < 0.5:
            return self.send(topic, "too_large", b'{"project":"' + b"\x01" * 300_000 + b'"}', [])
        # What it lacks is seen before its headers are looked at: neither is read into an entry.
        code = "missing_token" if topic == "annotations" else "schema"
        self.send(topic, code, json.dumps(self.annotation()).encode(), [("h", b"x")] * 40_000)

    def configure(self) -> None:
        """A revision that cannot be followed, under a name that nobody uses."""
        value = self.random.choice([
            b"\x00", json.dumps({"project": "hostile", "revision": LARGEST, "partition": 99_999}).encode(),
            json.dumps({"project": "hostile", "revision": 1, "partition": 99_999, "labels": {"classes": ["a", "b"]}}).encode()])
        self.producer.produce("flywheel.projects", value, "hostile")

    def send(self, topic: str, reason: str, value: bytes, headers: list) -> None:
        number = self.ledger.attempt(topic, STRANGER)

        def delivered(error, _record) -> None:
            if error is None:
                self.ledger.acknowledge(topic, STRANGER, number)
            else:
                self.errors += 1
                print(f"{topic} {number}: {error}", file=sys.stderr, flush=True)

        while True:
            try:
                return self.producer.produce(f"flywheel.{topic}", value, f"{STRANGER}/{number}/{reason}", headers=headers, on_delivery=delivered)
            except BufferError:
                self.producer.poll(0.1)
