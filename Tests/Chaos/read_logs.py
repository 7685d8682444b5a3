"""Reads topics and ledgers into `Logs`, with a fresh consumer that sees committed records only."""

import json
import re
import time
from pathlib import Path
from typing import Callable, Iterator

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from ledger import read_lines
from logs import STRANGER, Annotation, DeadLetter, Decision, Entry, Logs, RecordLocation, Sealed, Sends, Tally
from processes import ChaosError

PREFIX = "flywheel."
DECISIONS = ["labeling-tasks", "dataset-log", "training-requests", "model-releases", "release-log", "notices"]
LEDGERED = ["predictions", "feedback"]
# How long nothing may come before the reader asks what is wrong, in seconds.
TIMEOUT = 30.0


def read_all(bootstrap: str, ledgers: list[Path]) -> Logs:
    """Everything that the checker looks at."""
    logs = Logs()
    for path in ledgers:
        read_ledger(logs, path)
    readers: dict[str, Callable[[Logs, Message], None]] = {
        "annotations": _annotation, "training-results": _result, "commands": _result, "imports": _result, "dataset-versions": _sealed,
        "tallies": _tally, "dead-letters": _dead_letter, "state": _state}
    readers |= {topic: _sent for topic in LEDGERED} | {topic: _decision for topic in DECISIONS}
    for topic, parse in readers.items():
        for message in read_topic(bootstrap, topic, logs):
            parse(logs, message)
    counts: dict[str, int] = {}
    # A partition's records come in order, and a project stands in one partition.
    for message in read_topic(bootstrap, "journal", logs):
        _entry(logs, message, counts)
    logs.committed = committed_offsets(bootstrap, f"{PREFIX}loop", "journal")
    return logs


def read_ledger(logs: Logs, path: Path) -> None:
    for line in read_lines(path):
        if "topic" in line:
            sends = logs.sends.setdefault((line["topic"], line["project"]), Sends())
            sends.attempted = max(sends.attempted, line["attempted"])
            sends.acknowledged += [tuple(pair) for pair in line["acknowledged"]]
        elif "attempted" in line:
            logs.annotations_attempted = line["attempted"]
        else:
            logs.annotation_ledger.append(line)


def read_topic(bootstrap: str, topic: str, logs: Logs) -> Iterator[Message]:
    """Every committed record that the topic holds now. Notes partitions that cannot be read to their end."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap, "group.id": "chaos-checker", "enable.auto.commit": False, "isolation.level": "read_committed",
        "enable.partition.eof": True, "queued.min.messages": 100_000, "fetch.wait.max.ms": 20, "log_level": 3})
    try:
        name = PREFIX + topic
        partitions = consumer.list_topics(name, timeout=20).topics[name].partitions
        ends: dict[int, int] = {}
        for number in partitions:
            low, high = consumer.get_watermark_offsets(TopicPartition(name, number), timeout=20)
            ends[number] = high
            logs.spans[topic, number] = (low, low)
        consumer.assign([TopicPartition(name, number, logs.spans[topic, number][0]) for number in partitions])
        last_record_at = time.monotonic()
        while ends:
            for message in consumer.consume(10_000, 0.2):
                if message.error() is None:
                    last_record_at = time.monotonic()
                    logs.spans[topic, message.partition()] = (logs.spans[topic, message.partition()][0], message.offset() + 1)
                    yield message
                elif message.error().code() == KafkaError._PARTITION_EOF:
                    # Before the high watermark it is the end of what is committed: somebody's transaction is open.
                    if message.offset() >= ends.get(message.partition(), 0):
                        ends.pop(message.partition(), None)
                elif not message.error().retriable():
                    raise KafkaException(message.error())
            if time.monotonic() - last_record_at > TIMEOUT:
                logs.hanging += [(topic, number) for number in ends]
                return
    except KafkaException as error:
        raise ChaosError(f"could not read {PREFIX}{topic}: {error}") from error
    finally:
        consumer.close()


def committed_offsets(bootstrap: str, group: str, topic: str) -> dict[int, int]:
    """A group's committed offsets on a topic, by partition; those that it never committed are left out."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 3})
    try:
        (future,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=20).values()
        found = future.result(30).topic_partitions
    except (KafkaException, TimeoutError) as error:
        raise ChaosError(f"could not read the offsets of group {group}: {error}") from error
    return {partition.partition: partition.offset for partition in found if partition.topic == PREFIX + topic and partition.offset >= 0}


def listed_reasons(document: Path) -> set[str]:
    """The codes in the tables of docs/reference/reasons.md."""
    return set(re.findall(r"^\| `([a-z0-9_]+)` \|", document.read_text(encoding="utf-8"), re.M))


# One record each


def _location(message: Message) -> RecordLocation:
    return RecordLocation(message.topic().removeprefix(PREFIX), message.partition(), message.offset())


def _headers(message: Message) -> dict[str, str]:
    return {name: value.decode(errors="replace") for name, value in message.headers() or [] if value is not None}


def _sent(logs: Logs, message: Message) -> None:
    """Of predictions and feedback, and of all that a stranger writes, the key tells all: project, number, and why it must be refused."""
    project, number, flaw = message.key().decode().split("/")
    location = _location(message)
    sends = logs.sends.setdefault((location.topic, project), Sends())
    sends.numbers.append(int(number))
    if flaw:
        sends.flawed[int(number)] = flaw
        logs.flawed[location] = flaw


def _is_hostile(logs: Logs, message: Message) -> bool:
    """Whether a stranger wrote it; then it is noted."""
    if not (message.key() or b"").startswith(f"{STRANGER}/".encode()):
        return False
    _sent(logs, message)
    return True


def _annotation(logs: Logs, message: Message) -> None:
    if _is_hostile(logs, message):
        return
    value = json.loads(message.value())
    answer = value["answer"]["class"] if "answer" in value else None
    logs.annotations.append(Annotation(
        _location(message), value["project"], value["task"], value["annotator"], value["outcome"], answer, value["n"],
        value.get("token")))


def _result(logs: Logs, message: Message) -> None:
    if not _is_hostile(logs, message):
        logs.results.append(_location(message))


def _sealed(logs: Logs, message: Message) -> None:
    value = json.loads(message.value())
    logs.sealed.append(Sealed(_location(message), value["project"], value["ordinal"], value["version"], value))


def _tally(logs: Logs, message: Message) -> None:
    value = json.loads(message.value())
    inputs = tuple((run["topic"].removeprefix(PREFIX), run["partition"], run["from"], run["to"]) for run in value["inputs"])
    logs.tallies.append(Tally(
        _location(message), value["project"], value.get("model_version", ""), value.get("role", ""), value["predictions"],
        value["feedback"], value["forwarded"], inputs))


def _entry(logs: Logs, message: Message, counts: dict[str, int]) -> None:
    value = json.loads(message.value())
    project, kind = value["project"], value["kind"]
    counts[project] = counts.get(project, 0) + 1
    origin = None
    if "origin" in value:
        origin = RecordLocation(value["origin"]["topic"].removeprefix(PREFIX), value["origin"]["partition"], value["origin"]["offset"])
    # Of most kinds only that they are there matters.
    entry = value["entry"] if kind in ("annotation", "tally", "engine", "configured") else {}
    logs.journal.append(Entry(_location(message), project, counts[project], kind, _headers(message).get("ce_id", ""), entry, origin))


def _decision(logs: Logs, message: Message) -> None:
    if message.value() is None:
        return  # A tombstone says nothing new.
    identity = _headers(message)["ce_id"]
    project, entry, ordinal = identity.rsplit("-", 2)
    location = _location(message)
    logs.decisions.setdefault(location.topic, []).append(Decision(location, project, int(entry), int(ordinal), json.loads(message.value())))


def _dead_letter(logs: Logs, message: Message) -> None:
    headers = _headers(message)
    origin = RecordLocation(
        headers["__connect.errors.topic"].removeprefix(PREFIX), int(headers["__connect.errors.partition"]),
        int(headers["__connect.errors.offset"]))
    logs.dead_letters.append(DeadLetter(_location(message), origin, headers["__connect.errors.stage"], headers["flywheel.reason.code"]))


def _state(logs: Logs, message: Message) -> None:
    key = message.key().decode()
    value = json.loads(message.value()) if message.value() is not None else None
    if key == "position":
        logs.positions[message.partition()] = value["journal_offset"]
        return
    project, table, row = key.split("/", 2)
    # The pool is large, and says nothing that is checked.
    if table in ("loop.entries", "loop.refusals", "acquisition.asked", "labeling.open", "labeling.closed", "datasets.position"):
        if value is None:
            logs.state.pop((project, table, row), None)
        else:
            logs.state[project, table, row] = value
