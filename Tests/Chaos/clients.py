"""Clients of the topics for participants: they wait for every outage to end."""

import time
import zlib

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

CLASSES = [str(number) for number in range(10)]


class Pace:
    """How many records are due: `rate` a second. After an outage five seconds' worth is made up for, and no more."""

    def __init__(self, rate: float):
        self.rate = rate
        self.began = time.monotonic()
        self.count = 0

    def due(self, now: float) -> int:
        """Records that should have been sent by now and were not; whoever sends one counts it in `count`."""
        due = int((now - self.began) * self.rate)
        if due - self.count > 5 * self.rate:
            self.began = now - (self.count + 5 * self.rate) / self.rate
            due = self.count + int(5 * self.rate)
        return max(0, due - self.count)


def truth_of(sample: str) -> int:
    """What a sample shows: known to whoever knows its id."""
    return zlib.crc32(sample.encode()) % len(CLASSES)


def make_producer(bootstrap: str) -> Producer:
    return Producer({
        "bootstrap.servers": bootstrap, "enable.idempotence": True, "acks": "all", "linger.ms": 20,
        # An outage is waited for, however long it is.
        "message.timeout.ms": 0, "queue.buffering.max.messages": 200_000, "reconnect.backoff.max.ms": 1_000,
        "topic.metadata.refresh.interval.ms": 5_000, "socket.timeout.ms": 10_000, "log_level": 3})


def make_reader(bootstrap: str, topic: str) -> Consumer:
    """Reads a topic whole, committed records only, and goes on reading it."""
    reader = Consumer({
        "bootstrap.servers": bootstrap, "group.id": "unused", "enable.auto.commit": False,
        "isolation.level": "read_committed", "reconnect.backoff.max.ms": 1_000, "log_level": 3,
        "topic.metadata.refresh.interval.ms": 5_000, "socket.timeout.ms": 10_000})
    for _ in range(60):
        try:
            known = reader.list_topics(topic, timeout=10).topics[topic].partitions
            if known:
                reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in known])
                return reader
        except KafkaException:
            pass
        time.sleep(1)
    raise SystemExit(f"no metadata of {topic} at {bootstrap} within a minute")


def records(reader: Consumer, timeout: float):
    """What has come. Errors of the connection pass by themselves."""
    for record in reader.consume(500, timeout):
        if record.error() is None:
            yield record
        elif record.error().code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED):
            raise KafkaException(record.error())
