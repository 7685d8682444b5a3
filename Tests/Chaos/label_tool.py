"""A label tool with simulated annotators."""

import json
import random
import sys
import time
import zlib
from typing import Callable

from clients import Pace, make_producer, make_reader, records, truth_of
from ledger import AnnotationLedger


class LabelTool:
    """Six annotators. Some answers come twice, some late, some are skips or flags, a few are nonsense or forged."""

    def __init__(self, options):
        self.options = options
        self.random = random.Random(f"{options.seed}/label-tool")
        self.annotators = {f"a{number}": 0.02 + 0.04 * number for number in range(6)}
        self.ledger = AnnotationLedger(options.ledger)
        self.producer = make_producer(options.bootstrap)
        self.reader = make_reader(options.bootstrap, "flywheel.labeling-tasks")
        self.open: dict[str, dict] = {}
        self.assigned: dict[str, dict[str, str]] = {}
        self.late: list[tuple[float, dict]] = []
        self.errors = 0

    def run(self, is_stopping: Callable[[], bool]) -> int:
        flushed, pace = time.monotonic(), Pace(self.options.rate)
        while not is_stopping():
            for record in records(self.reader, 0.02):
                self.receive(record)
            now = time.monotonic()
            while pace.due(now) and self.work(now):
                pace.count += 1
            for _, answer in [item for item in self.late if item[0] <= now]:
                self.send(answer)
            self.late = [item for item in self.late if item[0] > now]
            self.producer.poll(0)
            if now - flushed > 0.5:
                self.ledger.flush()
                flushed = now
        for _, answer in self.late:
            self.send(answer)
        left = self.producer.flush(60)
        self.ledger.flush()
        print(f"label tool: {self.ledger.attempted} answers, {self.errors} failed, {left} undelivered", flush=True)
        return 1 if left or self.errors else 0

    def receive(self, record) -> None:
        task = json.loads(record.value()) if record.value() is not None else None
        name = record.key().decode()
        if task is not None and task["state"] == "open":
            # A few tasks are left lying until they expire.
            if zlib.crc32(name.encode()) % 40:
                self.open[name] = task
        else:
            self.open.pop(name, None)

    def work(self, now: float) -> bool:
        """One answer to some task that wants one; False if there is none."""
        names = sorted(self.open)
        for name in self.random.sample(names, min(len(names), 20)):
            task, assigned = self.open[name], self.assigned.setdefault(name, {})
            free = [annotator for annotator in self.annotators if annotator not in assigned]
            if free and sum(outcome == "answer" for outcome in assigned.values()) < task["votes_wanted"]:
                self.answer(task, self.random.choice(free), now)
                return True
        return False

    def answer(self, task: dict, annotator: str, now: float) -> None:
        truth, chance = truth_of(task["sample"]["id"]), self.random.random()
        if self.random.random() < self.annotators[annotator]:
            truth = self.random.randrange(10)
        event = {"project": task["project"], "task": task["task"], "annotator": annotator, "token": task.get("token"), "expect": None}
        event |= {"outcome": "answer", "class": str(truth)}
        if chance < 0.03:
            event |= {"outcome": "skip" if chance < 0.02 else "flag", "class": None}
        elif chance < 0.033:
            event |= {"class": "eleven", "expect": "unknown_class", "annotator": annotator + "-wrong"}
        elif chance < 0.036:
            # The token is that of another task. Of a task without one nobody can tell at the door.
            event |= {"task": task["task"] + "-invented", "expect": "bad_token" if event["token"] else "unknown_task"}
        elif chance < 0.039 and event["token"] is not None:
            # Somebody who has not read the task: with no token, or one that is made up.
            forged = None if chance < 0.0375 else f"{self.random.getrandbits(128):032x}"
            event |= {"token": forged, "annotator": annotator + "-forged", "expect": "bad_token" if forged else "missing_token"}
        if event["expect"] is None:
            self.assigned[task["task"]][annotator] = event["outcome"]
        if 0.05 < chance < 0.08:
            # Goes to lunch with the answer unsent; somebody else is asked meanwhile.
            self.assigned[task["task"]][annotator] = "late"
            self.late.append((now + self.random.uniform(5, 25), event))
            return
        self.send(event)
        if 0.1 < chance < 0.13:
            self.send(event)

    def send(self, event: dict) -> None:
        number = self.ledger.attempt()
        value = {"project": event["project"], "task": event["task"], "annotator": event["annotator"]}
        value |= {"outcome": event["outcome"], "answered_at_ms": int(time.time() * 1_000), "n": number}
        if event["token"] is not None:
            value["token"] = event["token"]
        if event["class"] is not None:
            value["answer"] = {"kind": "choice", "class": event["class"]}
        if event["outcome"] == "flag":
            value["note"] = "cannot tell"

        def delivered(error, record) -> None:
            if error is None:
                self.ledger.acknowledge({"n": number} | event | {"partition": record.partition(), "offset": record.offset()})
            else:
                self.errors += 1
                print(f"annotation {number}: {error}", file=sys.stderr, flush=True)

        self.producer.produce("flywheel.annotations", json.dumps(value, separators=(",", ":")), event["task"], on_delivery=delivered)
