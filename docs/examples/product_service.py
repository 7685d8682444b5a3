#!/usr/bin/env python3
"""A product service: predicts with the models that `model-releases` names, and publishes its predictions and its users'
feedback. It needs no library of Flywheel (docs/guides/service-developer.md)."""
import argparse, hashlib, json, random, signal, sys, time, urllib.request

import numpy as np
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from sklearn.datasets import load_digits

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--bootstrap", default="localhost:9092", help="Kafka brokers, host:port[,host:port]")
options.add_argument("--project", default="digits")
options.add_argument("--prefix", default="flywheel.", help="prefix of the topic names")
options.add_argument("--rate", type=float, default=50, help="samples a second")
options = options.parse_args()
for name in (signal.SIGTERM, signal.SIGINT):
    signal.signal(name, lambda *_: sys.exit())
models = {}  # By role.


def fetch(uri):
    if not uri.startswith("s3://"):
        return urllib.request.urlopen(uri).read()
    import boto3  # Endpoint and credentials are in AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and the other variables of boto3.

    name, key = uri.removeprefix("s3://").split("/", 1)
    return boto3.client("s3").get_object(Bucket=name, Key=urllib.parse.unquote(key))["Body"].read()


def load(released):
    """Loads the JSON file that sklearn_trainer.py writes: one row of coefficients for each class."""
    data = fetch(released["artifact"]["uri"])
    if hashlib.sha256(data).hexdigest() != released["artifact"]["sha256"]:  # Not the file that was judged: it must not serve.
        raise ValueError(f"the artifact of {released['version']} is not the one that was released")
    return {"version": released["version"]} | json.loads(data)


def receive(record):
    if record.error():
        raise KafkaException(record.error())
    if record.value() and record.key() == options.project.encode():
        release = json.loads(record.value())  # The newest record of the project replaces all earlier ones.
        models.clear()
        models.update({role: load(release[role]) for role in ("champion", "challenger") if role in release})
        print(f"{release['cause']}: champion {models['champion']['version']}", flush=True)


def predict(model, pixels):
    logits = np.array(model["coef"]) @ pixels + np.array(model["intercept"])
    odds = np.exp(logits - logits.max())
    return dict(zip(model["classes"], (odds / odds.sum()).tolist()))


def send(topic, event):
    producer.produce(options.prefix + topic, key=options.project, value=json.dumps({"project": options.project} | event))
    producer.poll(0)


def serve(number, image, truth):
    sample = {"id": f"img-{number}", "embedding": (image / 16).tolist(),  # The same sample always carries the same id.
              "content": {"kind": "inline", "media_type": "application/json", "data": json.dumps(image.tolist())}}
    event = {"sample": sample, "predicted_at_ms": int(time.time() * 1000)}
    if not models:  # Cold start: a sample that no model has seen has neither model nor output.
        send("predictions", event)
    for role, model in models.items():  # Both predict the same samples; users see the champion's answer only.
        answers = predict(model, image / 16)
        reference = {"name": options.project, "version": model["version"], "role": role}
        send("predictions", event | {"model": reference, "output": {"kind": "choice", "probabilities": answers}})
        if role == "champion" and random.random() < 0.2:  # Some users react.
            verdict = {"verdict": "correction", "answer": {"kind": "choice", "class": truth}}
            if max(answers, key=answers.get) == truth:
                verdict = {"verdict": "confirmation"}
            send("feedback", verdict | {
                "id": f"{number}/{model['version']}", "source": "product_service", "sample": sample["id"],
                "model": {"version": model["version"]}, "user": f"user-{random.randrange(1000)}"})


topic = options.prefix + "model-releases"  # Without a consumer group: every instance reads every release, from the beginning.
consumer = Consumer({"bootstrap.servers": options.bootstrap, "group.id": options.prefix + "product-service", "enable.auto.commit": False,
                     "isolation.level": "read_committed"})
partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
producer = Producer({"bootstrap.servers": options.bootstrap, "enable.idempotence": True, "linger.ms": 5})
digits = load_digits()
try:
    while True:
        for record in consumer.consume(num_messages=100, timeout=1 / options.rate):
            receive(record)
        number = random.randrange(len(digits.data))
        serve(number, digits.data[number], str(digits.target[number]))
finally:
    producer.flush(30)
