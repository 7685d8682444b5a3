"""Everybody outside, as small as can be: a product service, a label tool and a trainer of somebody else's, each a thread
with clients of its own principal."""

import json
import threading
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

PROJECT = "shapes"
CLASSES = ["left", "right"]


def truth_of(sample: str) -> str:
    """What a sample shows."""
    return CLASSES[int(sample.removeprefix("s-")) % 2]


def prediction(number: int, version: str | None) -> dict:
    """An unsure prediction; without a model as at a cold start. The embedding tells the classes apart."""
    side = number % 2
    sample = {"id": f"s-{number}", "content": {"kind": "inline", "media_type": "text/plain", "data": f"s-{number}"},
              "embedding": [side + (number * 7 % 10) / 25, (number * 3 % 11) / 11]}
    event = {"project": PROJECT, "sample": sample, "predicted_at_ms": int(time.time() * 1_000)}
    if version is not None:
        share = 0.5 + (number * 13 % 40) / 100
        event["model"] = {"name": PROJECT, "version": version, "role": "champion"}
        event["output"] = {"kind": "choice", "probabilities": {CLASSES[side]: share, CLASSES[1 - side]: 1 - share}}
    return event


def make_reader(properties: dict, group: str, topic: str, timeout: float = 10) -> Consumer:
    """Reads a topic whole, without being a member of the group whose name it bears. A refusal is an error at once."""
    reader = Consumer(properties | {
        "group.id": group, "enable.auto.commit": False, "isolation.level": "read_committed", "log_level": 0})
    found = reader.list_topics(topic, timeout=timeout).topics[topic]
    if found.error is not None:
        raise KafkaException(found.error)
    reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in found.partitions])
    return reader


class Participant(threading.Thread):
    """Repeats a step. After an error of the broker it begins again with new clients, because rights are revoked and granted meanwhile."""

    def __init__(self, properties: dict, prefix: str):
        super().__init__(daemon=True)
        self.properties, self.prefix = properties, prefix
        self.stopping = threading.Event()
        self.done = 0

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.begin()
                while not self.stopping.is_set():
                    self.step()
            except KafkaException:
                self.stopping.wait(0.5)

    def stop(self) -> None:
        self.stopping.set()
        self.join(10)

    def producer(self) -> Producer:
        return Producer(self.properties | {"enable.idempotence": True, "linger.ms": 5, "message.timeout.ms": 10_000, "log_level": 0})

    def read(self, reader: Consumer, timeout: float) -> list:
        found = reader.consume(200, timeout)
        for record in found:
            if record.error() is not None:
                raise KafkaException(record.error())
        return found


class ProductService(Participant):
    """Predicts with the champion that is released, and tells what users said."""

    number = 0
    version: str | None = None

    def begin(self) -> None:
        self.writer = self.producer()
        self.reader = make_reader(self.properties, self.prefix + "product-service", self.prefix + "model-releases")

    def step(self) -> None:
        for record in self.read(self.reader, 0.05):
            if record.value() is not None and "champion" in (release := json.loads(record.value())):
                self.version = release["champion"]["version"]
        for _ in range(5):
            event = prediction(self.number, self.version)
            self.writer.produce(self.prefix + "predictions", json.dumps(event), PROJECT)
            self.number += 1
        if self.version is not None:
            verdict = {"project": PROJECT, "id": str(self.number), "source": "users", "sample": f"s-{self.number - 1}",
                       "model": {"version": self.version}, "user": f"u-{self.number % 50}", "verdict": "confirmation"}
            self.writer.produce(self.prefix + "feedback", json.dumps(verdict), PROJECT)
        self.writer.poll(0)
        self.done = self.number


class LabelTool(Participant):
    """Answers every open task, one annotator each."""

    def begin(self) -> None:
        self.writer = self.producer()
        self.reader = make_reader(self.properties, self.prefix + "label-tool", self.prefix + "labeling-tasks")
        self.open: dict[str, dict] = {}

    def step(self) -> None:
        for record in self.read(self.reader, 0.1):
            task = json.loads(record.value()) if record.value() is not None else None
            name = record.key().decode()
            if task is not None and task["state"] == "open" and name not in self.open:
                self.open[name] = task
                event = {"project": task["project"], "task": name, "annotator": "ada", "duration_ms": 100,
                         "answered_at_ms": int(time.time() * 1_000), "outcome": "answer", "token": task["token"],
                         "answer": {"kind": "choice", "class": truth_of(task["sample"]["id"])}}
                self.writer.produce(self.prefix + "annotations", json.dumps(event), name)
                self.done += 1
        self.writer.poll(0)


class OutsideTrainer(Participant):
    """Reports every repeat as failed, unless it finds that it has done so: that it may is what is looked at here, and the
    built-in trainer fits the models."""

    ERROR = "this trainer fits nothing"

    def begin(self) -> None:
        self.writer = self.producer()
        self.reader = Consumer(self.properties | {
            "group.id": self.prefix + "outside-trainer", "enable.auto.commit": False, "auto.offset.reset": "earliest",
            "isolation.level": "read_committed", "log_level": 0})
        self.reader.subscribe([self.prefix + "training-requests"])
        self.results = make_reader(self.properties, self.prefix + "outside-trainer", self.prefix + "training-results")
        self.reported: set[str] = set()

    def step(self) -> None:
        self.reported |= {
            record.key().decode() for record in self.read(self.results, 0.05) if self.ERROR.encode() in (record.value() or b"")}
        for record in self.read(self.reader, 0.2):
            request = json.loads(record.value())
            # The built-in trainer is to be the first.
            self.stopping.wait(1.5)
            if request["request"] in self.reported:
                self.reader.commit(record, asynchronous=False)
                continue
            result = {"project": request["project"], "request": request["request"], "token": request["token"], "trial": 0, "repeat": 0,
                      "status": "failed", "error": self.ERROR}
            self.writer.produce(self.prefix + "training-results", json.dumps(result), request["request"])
            if self.writer.flush(10) == 0:
                self.reader.commit(record, asynchronous=False)
                self.done += 1
