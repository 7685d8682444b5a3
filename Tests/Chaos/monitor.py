"""Watches what Intake and the loop commit, and how long nothing comes.

A consumer of its own reads `tallies` and `state` directly from the brokers, committed records only. Intake writes tallies
in every transaction that reads a prediction, the loop writes its position to `state` in every transaction; every project
has traffic all the time, and a partition of its own. A gap is the time between two arrivals of records of one partition
of one of these topics here. It holds our reader's own delays, too, so it is never too short.

The longest gap is that of the partition that waited longest: half of the projects standing still is an outage, whatever
the others do. The gaps of a whole role, over all partitions together, are told on standard error.
"""

import threading
import time

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from processes import ChaosError, say

ROLES = {"flywheel.tallies": "intake", "flywheel.state": "loop"}


class Monitor:
    """Runs in a thread from `start` to `stop`; gaps count between `begin` and `finish`."""

    def __init__(self, bootstrap: str):
        self.consumer = Consumer({
            "bootstrap.servers": bootstrap, "group.id": "chaos-monitor", "enable.auto.commit": False,
            "isolation.level": "read_committed", "topic.metadata.refresh.interval.ms": 1_000, "reconnect.backoff.max.ms": 500,
            "socket.timeout.ms": 5_000, "fetch.wait.max.ms": 100, "log_level": 0})
        self.lock = threading.Lock()
        self.last: dict[object, float] = {}
        self.longest: dict[object, float] = {}
        self.seen: set[object] = set()
        self.partitions: list[tuple[str, int]] = []
        self.is_counting = False
        self.is_suspended = False
        self.is_stopping = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        partitions = []
        try:
            for topic in ROLES:
                known = self.consumer.list_topics(topic, timeout=20).topics[topic].partitions
                partitions += [TopicPartition(topic, number, OFFSET_END) for number in known]
        except KafkaException as error:
            raise ChaosError(f"the monitor finds no topics: {error}") from error
        self.consumer.assign(partitions)
        self.partitions = [(ROLES[partition.topic], partition.partition) for partition in partitions]
        self.thread.start()

    def begin(self) -> None:
        """Gaps count from now on."""
        with self.lock:
            self.is_counting = True
            self._restart()

    def suspend(self) -> None:
        """No majority of brokers is up: nothing can be expected."""
        with self.lock:
            self._close_gaps(time.monotonic())
            self.is_suspended = True

    def resume(self) -> None:
        with self.lock:
            self.is_suspended = False
            self._restart()

    def finish(self) -> None:
        """The load ends; what nobody has heard of until now is a gap as well."""
        with self.lock:
            if not self.is_suspended:
                self._close_gaps(time.monotonic())
            self.is_counting = False

    def stop(self) -> None:
        self.is_stopping = True
        if self.thread.is_alive():
            self.thread.join(10)
        self.consumer.close()

    def has_seen_all(self) -> bool:
        """Whether both roles have committed something for every partition."""
        return self.seen == set(self.partitions)

    def longest_gap(self) -> float:
        """Of any partition, in seconds."""
        return max((gap for key, gap in self.longest.items() if not isinstance(key, str)), default=0.0)

    def summary(self) -> str:
        roles = [f"{key} {gap:.1f}" for key, gap in sorted(self.longest.items(), key=str) if isinstance(key, str)]
        parts = [f"{key[0]}[{key[1]}] {gap:.1f}" for key, gap in sorted(self.longest.items(), key=str) if not isinstance(key, str)]
        return f"of a whole role {', '.join(roles)}; of partitions {', '.join(parts)}"

    def _restart(self) -> None:
        now = time.monotonic()
        self.last = dict.fromkeys([*ROLES.values(), *self.partitions], now)

    def _run(self) -> None:
        while not self.is_stopping:
            messages = self.consumer.consume(5_000, 0.1)
            now = time.monotonic()
            with self.lock:
                for message in messages:
                    if message.error() is None:
                        role = ROLES[message.topic()]
                        self.seen.add((role, message.partition()))
                        self._arrived(role, now)
                        self._arrived((role, message.partition()), now)

    def _arrived(self, key, now: float) -> None:
        if self.is_counting and not self.is_suspended:
            gap = now - self.last.get(key, now)
            if gap > 15:
                say(f"gap: nothing new of {key if isinstance(key, str) else f'{key[0]}[{key[1]}]'} for {gap:.1f} s")
            self.longest[key] = max(self.longest.get(key, 0.0), gap)
        self.last[key] = now

    def _close_gaps(self, now: float) -> None:
        if not self.is_counting or self.is_suspended:
            return
        for key, last in self.last.items():
            self.longest[key] = max(self.longest.get(key, 0.0), now - last)
