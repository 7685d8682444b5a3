"""Watches what Intake and the loop commit, and how long nothing comes.

A consumer of its own reads `tallies` and `state` directly from the brokers, committed records only. Intake writes tallies
in every transaction that reads a prediction, the loop writes its position to `state` in every transaction. A gap of a role
is the time between two arrivals of its records here. It holds our reader's own delays, too, so it is never too short.

The longest gap is the longer of the two roles', over all their partitions together. Gaps of a single partition are kept
apart: while a worker is paused its partitions stand still, and those of the others go on.
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
        self.seen: set[str] = set()
        self.is_counting = False
        self.is_suspended = False
        self.is_stopping = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        places = []
        try:
            for topic in ROLES:
                known = self.consumer.list_topics(topic, timeout=20).topics[topic].partitions
                places += [TopicPartition(topic, number, OFFSET_END) for number in known]
        except KafkaException as error:
            raise ChaosError(f"the monitor finds no topics: {error}") from error
        self.consumer.assign(places)
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
        """Whether both roles have committed something."""
        return self.seen == set(ROLES.values())

    def longest_gap(self) -> float:
        return max((gap for key, gap in self.longest.items() if isinstance(key, str)), default=0.0)

    def longest_gaps_of_partitions(self) -> str:
        gaps = sorted((key, gap) for key, gap in self.longest.items() if not isinstance(key, str))
        return ", ".join(f"{role}[{partition}] {gap:.1f}" for (role, partition), gap in gaps)

    def _restart(self) -> None:
        now = time.monotonic()
        self.last = dict.fromkeys([*ROLES.values(), *(key for key in self.last if not isinstance(key, str))], now)

    def _run(self) -> None:
        while not self.is_stopping:
            messages = self.consumer.consume(5_000, 0.1)
            now = time.monotonic()
            with self.lock:
                for message in messages:
                    if message.error() is None:
                        role = ROLES[message.topic()]
                        self.seen.add(role)
                        self._arrived(role, now)
                        self._arrived((role, message.partition()), now)

    def _arrived(self, key, now: float) -> None:
        if self.is_counting and not self.is_suspended:
            gap = now - self.last.get(key, now)
            if isinstance(key, str) and gap > 10:
                say(f"gap: nothing new of {key} for {gap:.1f} s")
            self.longest[key] = max(self.longest.get(key, 0.0), gap)
        self.last[key] = now

    def _close_gaps(self, now: float) -> None:
        if not self.is_counting or self.is_suspended:
            return
        for key, last in self.last.items():
            self.longest[key] = max(self.longest.get(key, 0.0), now - last)
