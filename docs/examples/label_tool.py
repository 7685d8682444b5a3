#!/usr/bin/env python3
"""A label tool: answers open labeling tasks with simulated annotators (docs/guides/label-tool-developer.md).

A real tool shows the sample to people. Here load_digits has the true classes, and each simulated annotator sometimes errs.
"""
import argparse, json, random, signal, sys, time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from sklearn.datasets import load_digits

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--bootstrap", default="localhost:9092", help="Kafka brokers, host:port[,host:port]")
options.add_argument("--project", default="digits")
options.add_argument("--prefix", default="flywheel.", help="prefix of the topic names")
options.add_argument("--annotators", default="a1,a2,a3", help="names of the annotators, separated by commas")
options.add_argument("--error", type=float, default=0.05, help="share of wrong answers, 0 to 1")
options.add_argument("--seconds", type=float, default=0.1, help="time that an answer takes")
options = options.parse_args()
for name in (signal.SIGTERM, signal.SIGINT):
    signal.signal(name, lambda *_: sys.exit())
truth = {f"img-{number}": str(target) for number, target in enumerate(load_digits().target)}
tasks, outcomes = {}, {}  # Open tasks by id, and the outcomes of this tool's annotators for each, by annotator.


def receive(record):
    if record.error():
        raise KafkaException(record.error())
    name, task = record.key().decode(), json.loads(record.value() or "null")  # A null value is a tombstone.
    if task and task["project"] == options.project and task["state"] == "open":
        tasks[name] = task  # All records of a task are in one partition, so the last one read is the newest.
    else:
        tasks.pop(name, None), outcomes.pop(name, None)


def answer(task, annotator):
    generator = random.Random(f"{task['task']}/{annotator}")  # The same answer after a restart: it counts once.
    classes, right = task["question"]["classes"], truth.get(task["sample"]["id"])
    event = {"project": options.project, "task": task["task"], "annotator": annotator,
             "duration_ms": int(options.seconds * 1000), "answered_at_ms": int(time.time() * 1000),
             "token": task.get("token")}  # Unchanged: it proves that the task was read. A task of an old build has none.
    if right not in classes:
        return event | {"outcome": "flag", "note": "nobody here knows this sample"}
    if generator.random() < options.error:
        right = generator.choice([name for name in classes if name != right])
    return event | {"outcome": "answer", "answer": {"kind": "choice", "class": right}}


# Without read_committed the tool would show tasks of aborted transactions. The topic is compacted: read from its beginning
# it contains the state of every task, so the tool needs no consumer group and commits no offsets.
topic = options.prefix + "labeling-tasks"
consumer = Consumer({"bootstrap.servers": options.bootstrap, "group.id": options.prefix + "label-tool", "enable.auto.commit": False,
                     "isolation.level": "read_committed"})
partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
producer = Producer({"bootstrap.servers": options.bootstrap, "enable.idempotence": True, "linger.ms": 5})
try:
    while True:
        for record in consumer.consume(num_messages=500, timeout=0.2):
            receive(record)
        for task in sorted(tasks.values(), key=lambda task: -task["priority"]):  # The highest priority first.
            given = outcomes.setdefault(task["task"], {})
            free = [name for name in options.annotators.split(",") if name not in given]
            if free and sum(outcome == "answer" for outcome in given.values()) < task["votes_wanted"]:
                event = answer(task, free[0])
                given[free[0]] = event["outcome"]
                producer.produce(options.prefix + "annotations", key=task["task"], value=json.dumps(event))
                time.sleep(options.seconds)
                break  # Read the topic again: the other tasks may have closed meanwhile.
finally:
    producer.flush(30)
