"""A product service without a product: simulated models predict simulated samples, simulated users react."""

import base64
import json
import math
import random
import struct
import sys
import time
from typing import Callable

from clients import CLASSES, Pace, make_producer, make_reader, records, truth_of
from ledger import RangeLedger

DIMENSIONS = 8
VARIANTS = 128
# One in so many predictions is wrong on purpose, and must end as a dead letter.
INVALID_EVERY = 1_500


class Product:
    """Publishes what simulated models say, and what simulated users think of it."""

    def __init__(self, options):
        self.options = options
        self.random = random.Random(f"{options.seed}/product")
        self.ledger = RangeLedger(options.ledger)
        self.producer = make_producer(options.bootstrap)
        self.releases = make_reader(options.bootstrap, "flywheel.model-releases")
        self.models: dict[str, list[tuple[str, str]]] = {project: [] for project in options.project}
        self.samples = dict.fromkeys(options.project, 0)
        self.outputs = [[self.output(truth) for _ in range(VARIANTS)] for truth in range(10)]
        self.embeddings = [[self.embedding(truth) for _ in range(VARIANTS)] for truth in range(10)]
        self.count = 0
        self.errors = 0

    def output(self, truth: int) -> tuple[int, str]:
        """What a fair model says of a sample: its answer, and its probabilities as JSON."""
        logits = [self.random.gauss(0, 1) for _ in CLASSES]
        logits[truth] += self.random.uniform(0, 5)
        odds = [math.exp(logit) for logit in logits]
        shares = [round(value / sum(odds), 6) for value in odds]
        best = max(range(10), key=lambda index: shares[index])
        return best, json.dumps(dict(zip(CLASSES, shares)), separators=(",", ":"))

    def embedding(self, truth: int) -> str:
        center = random.Random(truth)
        values = [center.gauss(0, 1) + self.random.gauss(0, 0.4) for _ in range(DIMENSIONS)]
        return base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *values)).decode()

    def run(self, is_stopping: Callable[[], bool]) -> int:
        flushed, pace = time.monotonic(), Pace(self.options.rate)
        while not is_stopping():
            now = time.monotonic()
            # In portions, so that releases are read in between.
            for _ in range(min(pace.due(now), int(self.options.rate) // 20)):
                self.serve(self.options.project[self.count % len(self.options.project)])
                self.count = pace.count = self.count + 1
            self.producer.poll(0.005)
            self.load_releases()
            if now - flushed > 0.5:
                self.ledger.flush()
                flushed = now
        left = self.producer.flush(60)
        self.ledger.flush()
        print(f"product: {self.count} predictions, {self.errors} failed, {left} undelivered", flush=True)
        return 1 if left or self.errors else 0

    def load_releases(self) -> None:
        for record in records(self.releases, 0):
            release = json.loads(record.value())
            if release["project"] in self.models:
                roles = [(release[role]["version"], role) for role in ("champion", "challenger") if role in release]
                self.models[release["project"]] = roles

    def serve(self, project: str) -> None:
        """One prediction. Champion and challenger see the same samples, one after the other."""
        models = self.models[project]
        turn = self.samples[project] % max(1, len(models))
        name = f"{project}-{self.samples[project] // max(1, len(models))}"
        self.samples[project] += 1
        truth, variant = truth_of(name), self.random.randrange(VARIANTS)
        sample = f'{{"id":"{name}","content":{{"kind":"inline","media_type":"text/plain","data":"{name}"}},' \
                 f'"embedding":{{"kind":"float32","data":"{self.embeddings[truth][variant]}"}}}}'
        head = f'{{"project":"{project}","sample":{sample}'
        if not models:
            return self.publish("predictions", project, head + "}", "")
        version, role = models[turn]
        answer, probabilities = self.outputs[truth][variant]
        flaw = ""
        if self.count % INVALID_EVERY == INVALID_EVERY - 1:
            flaw, probabilities = self.random.choice([
                ("unknown_class", '{"eleven":1}'), ("bad_probabilities", '{"1":0.2,"2":0.3}'), ("truncated_json", '{"1":')])
        value = head + f',"model":{{"name":"chaos","version":"{version}","role":"{role}"}}' \
                       f',"output":{{"kind":"choice","probabilities":{probabilities}'
        self.publish("predictions", project, value if flaw == "truncated_json" else value + "}}", flaw)
        if role == "champion" and self.random.random() < 0.03:
            self.react(project, name, version, answer, truth)

    def react(self, project: str, sample: str, version: str, answer: int, truth: int) -> None:
        number = self.ledger.attempted.get(("feedback", project), 0)
        verdict = '"verdict":"confirmation"' if answer == truth else \
            f'"verdict":"correction","answer":{{"kind":"choice","class":"{truth}"}}'
        self.publish("feedback", project, (
            f'{{"project":"{project}","id":"{number}","source":"chaos","sample":"{sample}","model":{{"version":"{version}"}},'
            f'"user":"user-{self.random.randrange(2_000)}",{verdict}}}'), "")

    def publish(self, topic: str, project: str, value: str, flaw: str) -> None:
        number = self.ledger.attempt(topic, project)

        def delivered(error, _record) -> None:
            if error is None:
                self.ledger.acknowledge(topic, project, number)
            else:
                self.errors += 1
                print(f"{topic} {project}/{number}: {error}", file=sys.stderr, flush=True)

        while True:
            try:
                # The key is for the checker: number, and why it must be refused, if it must.
                return self.producer.produce(f"flywheel.{topic}", value, f"{project}/{number}/{flaw}", on_delivery=delivered)
            except BufferError:
                self.producer.poll(0.1)
