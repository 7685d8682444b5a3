"""What is done to workers, brokers and connections, and when: all of it drawn from the seed.

Everything happens on one thread, in the order of a timetable. A fault that ends later (a pause, a restart) puts its end
into the timetable.
"""

import heapq
import itertools
import random
import time
from dataclasses import dataclass
from typing import Callable

from cluster import Broker, Cluster
from monitor import Monitor
from processes import ChaosError, is_listening, last_lines, say
from workers import SESSION_TIMEOUT, Worker


@dataclass
class FaultIntervals:
    """Mean seconds between two faults of a kind; 0 for none."""

    worker: float
    broker: float
    cut: float


@dataclass
class Counts:
    """What was done."""

    worker_kills: int = 0
    kills_in_transaction: int = 0
    worker_pauses: int = 0
    worker_stops: int = 0
    broker_kills: int = 0
    broker_pauses: int = 0
    broker_restarts: int = 0
    cut_connections: int = 0


class Faults:
    """The timetable and those who suffer from it."""

    # The longest that a broker may take to come back, in seconds.
    BROKER_TIMEOUT = 90.0
    # The longest that a worker may take to end when asked to.
    STOP_TIMEOUT = 30.0

    def __init__(self, cluster: Cluster, workers: list[Worker], cut: Callable[[float, int], int], monitor: Monitor, seed: int, intervals: FaultIntervals):
        self.cluster, self.workers, self.cut, self.monitor, self.intervals = cluster, workers, cut, monitor, intervals
        # One generator a kind: how long a broker took must not change which worker is next.
        self.random = {kind: random.Random(f"{seed}/{kind}") for kind in ("worker", "broker", "cut")}
        self.counts = Counts()
        self.failures: list[str] = []
        # When, in which order, what; and whether it is a new fault, which may as well not happen.
        self.timetable: list[tuple[float, int, Callable[[], None], bool]] = []
        self.order = itertools.count()
        self.is_over = False

    def run(self, duration: float, watch: Callable[[], None]) -> None:
        """Hurts for so many seconds. `watch` is called a few times a second, and throws what must end the run."""
        deadline = time.monotonic() + duration
        self._plan_fault("worker", self._inject_worker_fault)
        self._plan_fault("broker", self._inject_broker_fault)
        self._plan_fault("cut", self._cut)
        while time.monotonic() < deadline:
            self._step(watch)
        self._end_faults(watch)

    def _end_faults(self, watch: Callable[[], None]) -> None:
        """No new faults; those that are under way come to their end."""
        say("no more faults: everything is healed")
        self.is_over = True
        self.timetable = [item for item in self.timetable if not item[3]]
        heapq.heapify(self.timetable)
        deadline = time.monotonic() + self.BROKER_TIMEOUT + self.STOP_TIMEOUT
        while self.timetable:
            if time.monotonic() > deadline:
                raise ChaosError("the faults are not repaired in time")
            self._step(watch)
        self.cluster.wait_until_whole(self.BROKER_TIMEOUT)

    def _step(self, watch: Callable[[], None]) -> None:
        if self.timetable and self.timetable[0][0] <= time.monotonic():
            heapq.heappop(self.timetable)[2]()
        else:
            time.sleep(0.02)
        self.restart_ended_workers()
        watch()

    def restart_ended_workers(self) -> None:
        """Starts workers again that have ended by themselves, which is a failure."""
        for worker in self.workers:
            if (how := worker.has_died()) is not None:
                self.failures.append(how)
                say(how)
                self._start(worker)

    def _schedule(self, seconds: float, action: Callable[[], None], is_fault: bool = False) -> None:
        heapq.heappush(self.timetable, (time.monotonic() + seconds, next(self.order), action, is_fault))

    def _plan_fault(self, kind: str, action: Callable[[], None]) -> None:
        mean = getattr(self.intervals, kind)
        if mean > 0 and not self.is_over:
            self._schedule(self.random[kind].uniform(0.4, 1.6) * mean, action, is_fault=True)

    # Workers

    def _inject_worker_fault(self) -> None:
        self._plan_fault("worker", self._inject_worker_fault)
        draw = self.random["worker"]
        worker, chance, in_transaction = draw.choice(self.workers), draw.random(), draw.random() < 0.6
        delay, length = draw.uniform(0.2, 4), draw.uniform(1.1, 1.5) * SESSION_TIMEOUT
        if worker.is_busy or not worker.is_alive:
            others = [other for other in self.workers if not other.is_busy and other.is_alive]
            if not others:
                return
            worker = others[0]
        # Where everybody is paused nobody can go on, and that says nothing about anybody.
        can_pause = any(not other.is_busy and other.is_alive for other in self.workers if other is not worker)
        if chance < 0.74 or (chance < 0.9 and not can_pause):
            self._kill(worker, in_transaction, delay)
        elif chance < 0.9:
            self._pause(worker, length)
        else:
            self._stop(worker, delay)

    def _kill(self, worker: Worker, in_transaction: bool, delay: float) -> None:
        """SIGKILL at a random moment; with `in_transaction` it looks for one inside a transaction, several times if need be."""
        inside: set[str] = set()
        for attempt in range(12 if in_transaction else 1):
            if attempt:
                worker.resume()
                time.sleep(self.random["worker"].uniform(0.005, 0.09))
            worker.pause()
            if inside := self._open_transactions(worker):
                break
        worker.kill()
        self.counts.worker_kills += 1
        self.counts.kills_in_transaction += bool(inside)
        where = f"inside the transaction of {', '.join(sorted(inside))}" if inside else "outside of any transaction"
        say(f"killed worker {worker.name} {where}; it comes back in {delay:.1f} s")
        self._start_later(worker, delay)

    def _open_transactions(self, worker: Worker) -> set[str]:
        """Transactions of a stopped worker that the brokers hold open. Looked at twice: what it had sent before may end one."""
        first = {name: producer for name, producer in self.cluster.open_transactions().items() if name in worker.transactional_ids}
        if not first:
            return set()
        time.sleep(0.12)
        second = self.cluster.open_transactions()
        return {name for name, producer in first.items() if second.get(name) == producer}

    def _pause(self, worker: Worker, length: float) -> None:
        worker.pause()
        worker.is_busy = True
        self.counts.worker_pauses += 1
        say(f"paused worker {worker.name} for {length:.1f} s")
        self._schedule(length, lambda: self._resume_worker(worker))

    def _resume_worker(self, worker: Worker) -> None:
        worker.resume()
        worker.is_busy = False
        say(f"worker {worker.name} wakes up")

    def _stop(self, worker: Worker, delay: float) -> None:
        began = time.monotonic()
        worker.is_busy = True
        worker.process.terminate()
        self.counts.worker_stops += 1
        say(f"asked worker {worker.name} to stop")
        self._schedule(0.1, lambda: self._await_stop(worker, began, delay))

    def _await_stop(self, worker: Worker, began: float, delay: float) -> None:
        taken = time.monotonic() - began
        if worker.is_alive and taken < self.STOP_TIMEOUT:
            return self._schedule(0.1, lambda: self._await_stop(worker, began, delay))
        if worker.is_alive:
            self.failures.append(f"worker {worker.name} did not stop within {taken:.0f} s of SIGTERM: {last_lines(worker.log)}")
            worker.kill()
        elif worker.process.returncode != 0:
            self.failures.append(f"worker {worker.name} stopped with status {worker.process.returncode}: {last_lines(worker.log)}")
        say(f"worker {worker.name} has stopped after {taken:.1f} s; it comes back in {delay:.1f} s")
        self._start_later(worker, delay)

    def _start_later(self, worker: Worker, delay: float) -> None:
        worker.is_busy = True
        self._schedule(delay, lambda: self._start(worker))

    def _start(self, worker: Worker) -> None:
        worker.start()
        worker.is_busy = False

    # Brokers

    def _inject_broker_fault(self) -> None:
        """One broker at a time, and only when all are well: a majority stays, and enough replicas to write."""
        if (reason := self.cluster.missing()) is not None:
            say(f"no fault of a broker yet: {reason}")
            return self._schedule(2, self._inject_broker_fault, is_fault=True)
        draw = self.random["broker"]
        broker, role = self._choose_broker(draw)
        chance, length, delay = draw.random(), draw.uniform(2, 12), draw.uniform(0.5, 6)
        if len(self.cluster.brokers) == 1:
            self.monitor.suspend()
        if chance < 0.5:
            broker.kill()
            self.counts.broker_kills += 1
            say(f"killed broker {broker.number} ({role}); it comes back in {delay:.1f} s")
            self._schedule(delay, lambda: self._start_broker(broker))
        elif chance < 0.8:
            broker.pause()
            self.counts.broker_pauses += 1
            say(f"paused broker {broker.number} ({role}) for {length:.1f} s")
            self._schedule(length, lambda: self._resume_broker(broker))
        else:
            broker.begin_stop()
            self.counts.broker_restarts += 1
            say(f"asked broker {broker.number} ({role}) to stop")
            self._await_broker_stop(broker, time.monotonic(), delay)

    def _choose_broker(self, draw: random.Random) -> tuple[Broker, str]:
        worker = draw.choice(self.workers)
        partition = draw.randrange(4)
        number, role = draw.choice([
            (lambda: self.cluster.coordinator("flywheel.loop", "__consumer_offsets"), "coordinator of the group of the loop"),
            (lambda: self.cluster.coordinator("flywheel.intake", "__consumer_offsets"), "coordinator of the group of Intake"),
            (lambda: self.cluster.coordinator(f"flywheel.loop.{worker.name}", "__transaction_state"),
             f"coordinator of the loop's transactions of {worker.name}"),
            (lambda: self.cluster.leader("flywheel.journal", partition), f"leader of journal[{partition}]"),
            (lambda: self.cluster.leader("flywheel.predictions", partition), f"leader of predictions[{partition}]"),
        ])
        found = number()
        if found is None:
            return draw.choice(self.cluster.brokers), "any"
        return self.cluster.brokers[found - 1], role

    def _resume_broker(self, broker: Broker) -> None:
        broker.resume()
        say(f"broker {broker.number} wakes up")
        self._await_broker(broker, time.monotonic())

    def _await_broker_stop(self, broker: Broker, began: float, delay: float) -> None:
        if broker.process.poll() is None:
            if time.monotonic() - began < self.STOP_TIMEOUT:
                return self._schedule(0.2, lambda: self._await_broker_stop(broker, began, delay))
            say(f"broker {broker.number} does not end within {self.STOP_TIMEOUT:.0f} s of SIGTERM: killing it")
            broker.kill()
        self._schedule(delay, lambda: self._start_broker(broker))

    def _start_broker(self, broker: Broker) -> None:
        broker.start()
        self._await_broker(broker, time.monotonic())

    def _await_broker(self, broker: Broker, began: float) -> None:
        """The next broker is hurt only when this one is well again."""
        if broker.process.poll() is not None:
            raise ChaosError(f"broker {broker.number} ended at its start: {last_lines(broker.log)}")
        reason = self.cluster.missing() if is_listening(broker.direct) else "it does not listen"
        if reason is not None:
            if time.monotonic() - began > self.BROKER_TIMEOUT:
                raise ChaosError(f"broker {broker.number} is not well after {self.BROKER_TIMEOUT:.0f} s: {reason}")
            return self._schedule(0.3, lambda: self._await_broker(broker, began))
        if len(self.cluster.brokers) == 1:
            self.monitor.resume()
        say(f"broker {broker.number} is well again after {time.monotonic() - began:.1f} s")
        self._plan_fault("broker", self._inject_broker_fault)

    # Connections

    def _cut(self) -> None:
        self._plan_fault("cut", self._cut)
        draw = self.random["cut"]
        count = self.cut(draw.choice([1.0, 0.5, 0.2]), draw.randrange(1 << 30))
        self.counts.cut_connections += count
        say(f"cut {count} connections")
