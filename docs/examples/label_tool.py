#!/usr/bin/env python3
"""A label tool: answers open labeling tasks with simulated annotators.

A real tool shows the sample to people and asks them the task's question; here load_digits knows the truth, and each
annotator errs now and then. The rest is what any tool does (docs/guides/label-tool-developer.md).
"""

import argparse, json, random, signal, time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from sklearn.datasets import load_digits

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--bootstrap", default="localhost:9092", help="Kafka brokers, host:port[,host:port]")
options.add_argument("--project", default="digits")
options.add_argument("--prefix", default="flywheel.", help="what the topic names begin with")
options.add_argument("--annotators", default="a1,a2,a3", help="their names")
options.add_argument("--error", type=float, default=0.05, help="how often an annotator errs, 0 to 1")
options.add_argument("--seconds", type=float, default=0.1, help="how long an answer takes")
options = options.parse_args()

stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)

truth = {f"img-{number}": str(target) for number, target in enumerate(load_digits().target)}
annotators = options.annotators.split(",")
topic = options.prefix + "labeling-tasks"
# read_committed, or the tool would show tasks that were never opened. The topic is compacted: read from its beginning it
# gives the state of every task, so there is no group and nothing to commit.
consumer = Consumer({
    "bootstrap.servers": options.bootstrap, "group.id": "unused", "enable.auto.commit": False,
    "isolation.level": "read_committed"})
partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
producer = Producer({"bootstrap.servers": options.bootstrap, "enable.idempotence": True, "linger.ms": 5})

open_tasks: dict[str, dict] = {}  # Task id to its latest record.
asked: dict[str, dict[str, str]] = {}  # Task id to who was asked here, and the outcome.


def receive(record):
    if record.error():
        raise KafkaException(record.error())
    task_id = record.key().decode()
    task = json.loads(record.value()) if record.value() is not None else None  # A null value is a tombstone.
    if task is not None and task["project"] != options.project:
        return
    # All records of a task stand in one partition, in the order of their entry numbers: the one read last holds.
    if task is not None and task["state"] == "open":
        open_tasks[task_id] = task
    else:
        open_tasks.pop(task_id, None)
        asked.pop(task_id, None)


def answer(task, annotator):
    # Seeded: after a restart the same annotator says the same again, and Flywheel counts it once.
    generator = random.Random(f"{task['task']}/{annotator}")
    classes = task["question"]["classes"]
    right = truth.get(task["sample"]["id"])
    event = {"project": options.project, "task": task["task"], "annotator": annotator}
    if right not in classes:
        event |= {"outcome": "flag", "note": "nobody here knows this sample"}
    else:
        wrong = [name for name in classes if name != right]
        chosen = generator.choice(wrong) if generator.random() < options.error else right
        event |= {"outcome": "answer", "answer": {"kind": "choice", "class": chosen}}
    event |= {"duration_ms": int(options.seconds * 1000), "answered_at_ms": int(time.time() * 1000)}
    producer.produce(options.prefix + "annotations", key=task["task"], value=json.dumps(event, separators=(",", ":")))
    asked.setdefault(task["task"], {})[annotator] = event["outcome"]


count = 0
while not stopping:
    for record in consumer.consume(num_messages=500, timeout=0.2):
        receive(record)
    # The task worth most comes first, and nobody is asked twice about one task, nor more people than it wants.
    for task in sorted(open_tasks.values(), key=lambda task: -task["priority"]):
        outcomes = asked.get(task["task"], {})
        free = [annotator for annotator in annotators if annotator not in outcomes]
        answers = sum(outcome == "answer" for outcome in outcomes.values())
        if not free or answers >= task["votes_wanted"]:
            continue
        answer(task, free[0])
        count += 1
        producer.poll(0)
        time.sleep(options.seconds)
        break  # Look again: what was just read about may have closed meanwhile.
if left := producer.flush(30):
    raise SystemExit(f"{left} answers were not delivered within 30 s")
consumer.close()
print(f"gave {count} answers")
