#!/usr/bin/env python3
"""A product service: predicts digits with the model that `model-releases` names and tells Flywheel what it did.

It needs no library of Flywheel's: JSON records on Kafka are the whole interface (docs/guides/service-developer.md).
"""

import argparse, hashlib, json, random, signal, time, urllib.request

import numpy as np
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from sklearn.datasets import load_digits

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--bootstrap", default="localhost:9092", help="Kafka brokers, host:port[,host:port]")
options.add_argument("--project", default="digits")
options.add_argument("--prefix", default="flywheel.", help="what the topic names begin with")
options.add_argument("--rate", type=float, default=50, help="predictions a second")
options.add_argument("--count", type=int, default=0, help="stop after so many samples; 0: never")
options.add_argument("--feedback", type=float, default=0.2, help="the share of answers that a user reacts to")
options = options.parse_args()

stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)


class Model:
    """The JSON file that sklearn_trainer.py writes: one row of coefficients for each class."""

    def __init__(self, released):
        data = urllib.request.urlopen(released["artifact"]["uri"]).read()
        # A file that is not the one that was judged must not serve anybody.
        if hashlib.sha256(data).hexdigest() != released["artifact"]["sha256"]:
            raise ValueError(f"the artifact of {released['version']} is not what was released")
        weights = json.loads(data)
        self.version, self.classes = released["version"], weights["classes"]
        self.coef, self.intercept = np.array(weights["coef"]), np.array(weights["intercept"])

    def predict(self, pixels):
        logits = self.coef @ pixels + self.intercept
        odds = np.exp(logits - logits.max())
        return dict(zip(self.classes, (odds / odds.sum()).tolist()))


class Releases:
    """Reads `model-releases` whole, without a group: every instance of the service wants every release."""

    def __init__(self):
        self.topic = options.prefix + "model-releases"
        self.champion = self.challenger = None
        self.consumer = Consumer({
            "bootstrap.servers": options.bootstrap, "group.id": "unused", "enable.auto.commit": False,
            "isolation.level": "read_committed", "enable.partition.eof": True})
        partitions = self.consumer.list_topics(self.topic, timeout=30).topics[self.topic].partitions
        self.consumer.assign([TopicPartition(self.topic, number, OFFSET_BEGINNING) for number in partitions])
        behind = set(partitions)
        while behind and not stopping:  # What is released already is known before the first prediction.
            behind.discard(self.poll(1.0))

    def poll(self, timeout=0.0):
        """Takes one record; returns the partition whose end it found, if it found one."""
        record = self.consumer.poll(timeout)
        if record is None:
            return None
        if record.error():
            if record.error().code() == KafkaError._PARTITION_EOF:
                return record.partition()
            raise KafkaException(record.error())
        if record.value() is None or record.key() != options.project.encode():
            return None
        release = json.loads(record.value())  # The latest record of the project holds, whole.
        self.champion = Model(release["champion"])
        self.challenger = Model(release["challenger"]) if "challenger" in release else None
        print(f"{release['cause']}: champion {self.champion.version}, challenger {self.challenger and self.challenger.version}", flush=True)
        return None


producer = Producer({"bootstrap.servers": options.bootstrap, "enable.idempotence": True, "linger.ms": 5})


def send(topic, value):
    producer.produce(options.prefix + topic, key=options.project, value=json.dumps(value, separators=(",", ":")))
    producer.poll(0)


def serve(number, image, truth):
    sample_id, pixels = f"img-{number}", image / 16
    sample = {
        "id": sample_id,  # The same sample always carries the same id.
        "content": {"kind": "inline", "media_type": "application/json", "data": json.dumps(image.astype(int).tolist())},
        "embedding": pixels.tolist()}
    common = {"project": options.project, "sample": sample, "predicted_at_ms": int(time.time() * 1000)}
    if releases.champion is None:  # Cold start: a sample that no model has seen has neither model nor output.
        return send("predictions", common)
    # The challenger sees every sample that the champion sees; only the champion's answer reaches the user.
    for role, model in (("champion", releases.champion), ("challenger", releases.challenger)):
        if model is not None:
            reference = {"name": options.project, "version": model.version, "role": role}
            output = {"kind": "choice", "probabilities": model.predict(pixels)}
            send("predictions", common | {"model": reference, "output": output})
    if random.random() < options.feedback:
        probabilities, version = releases.champion.predict(pixels), releases.champion.version
        is_right = max(probabilities, key=probabilities.get) == truth
        answer = {"verdict": "confirmation"} if is_right else {"verdict": "correction", "answer": {"kind": "choice", "class": truth}}
        send("feedback", {
            "project": options.project, "id": f"{sample_id}/{version}", "source": "product_service", "sample": sample_id,
            "model": {"version": version}, "user": f"user-{random.randrange(1000)}"} | answer)


releases = Releases()
digits = load_digits()
sent = 0
while not stopping and (options.count == 0 or sent < options.count):
    number = random.randrange(len(digits.data))
    serve(number, digits.data[number], str(digits.target[number]))
    releases.poll()
    sent += 1
    time.sleep(1 / options.rate)
if left := producer.flush(30):
    raise SystemExit(f"{left} records were not delivered within 30 s")
releases.consumer.close()
print(f"sent {sent} samples")
