"""Sets the scene and clears it away: folder, brokers, proxy, topics, projects, workers, participants."""

import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions, Consumer, KafkaError, KafkaException, TopicPartition

from cluster import Cluster, kafka_home
from hanging import abort_hanging
from monitor import Monitor
from processes import ChaosError, await_end, end, last_lines, say, scratch_root, spawn
from workers import Worker

HERE = Path(__file__).resolve().parent
PROJECTS = ["alpha", "beta", "gamma", "delta"]
PROJECT = """\
project: {name}
question: Which digit is this?
classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
acquisition:
  strategy: {strategy}
  batch_size: 8
  open_task_limit: 40
  audit_cutoff: 0.02
  votes_per_window: {votes}
  window: 1m
  oversample: 3
  patience: 1s
labeling:
  maximum_votes: 3
  lifetime: {lifetime}
datasets:
  cut_every: 12
  cut_after: 8s
training:
  new_labels: 24
  repeats: 2
  deadline: 1m
rollout:
  minimum_shadow: 3
"""
# Groups whose lag must end, and what they read. The materializer's offset waits for the next cut, whatever it has read.
GROUPS = {
    "intake": ["predictions", "feedback", "annotations", "training-results", "commands", "dataset-versions", "imports"],
    "loop": ["journal", "tallies"],
    "trainer": ["training-requests"],
}


class Proxy:
    """The proxy's process."""

    def __init__(self, pairs: list[tuple[int, int]], folder: Path):
        words = [f"{listen}:{target}" for listen, target in pairs]
        self.log = folder / "proxy.log"
        self.process = spawn(
            [sys.executable, str(HERE / "proxy.py"), *words], self.log, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._answer()

    def cut(self, share: float, seed: int) -> int:
        """Cuts about that share of all connections; returns how many."""
        self.process.stdin.write(f"cut {share} {seed}\n".encode())
        return int(self._answer())

    def _answer(self, timeout: float = 20) -> str:
        """The next line, which is short: it comes in one piece."""
        ready, _, _ = select.select([self.process.stdout], [], [], timeout)
        line = self.process.stdout.readline() if ready else b""
        if not line:
            raise ChaosError(f"the proxy does not answer: {last_lines(self.log)}")
        return line.decode().strip()


class Scene:
    """Everything that runs. `clear` ends all of it."""

    def __init__(self, binary: Path, brokers: int, workers: int, needed: int):
        if not binary.is_file():
            raise ChaosError(f"there is no binary {binary}: build it, or name another with --binary")
        kafka_home()  # Before there is a folder to clear away.
        self.folder = Path(tempfile.mkdtemp(prefix="flywheel-chaos-", dir=scratch_root(needed)))
        self.binary = self.folder / "flywheel"
        self.participants: dict[str, subprocess.Popen] = {}
        # Also those that have ended.
        self.started_participants: list[str] = []
        self.proxy: Proxy | None = None
        self.monitor: Monitor | None = None
        self.workers: list[Worker] = []
        # Not pulled away by a build that goes on beside us.
        shutil.copy2(binary, self.binary)
        self.cluster = Cluster(brokers, self.folder)
        self.worker_count = workers
        # Transactions that brokers have left open.
        self.hanging = 0

    @property
    def ledgers(self) -> list[Path]:
        return [self.folder / f"{participant}.ledger" for participant in self.started_participants]

    def set_up(self, rate: int, answers: int, hostile: float, seed: int) -> None:
        """Everything runs, and Intake and loop have committed something, when this returns."""
        say(f"starting {len(self.cluster.brokers)} brokers of {self.cluster.kind} in {self.folder}")
        self.cluster.start()
        self.proxy = Proxy([(broker.advertised, broker.proxied) for broker in self.cluster.brokers], self.folder)
        self.create_topics()
        self.configure(votes=400)
        self.monitor = Monitor(self.cluster.bootstrap)
        self.monitor.start()
        for number in range(self.worker_count):
            self.workers.append(Worker(f"w{number + 1}", self.binary, self.cluster.proxied_bootstrap, self.folder))
            self.workers[-1].start()
        projects = [word for project in PROJECTS for word in ("--project", project)]
        self._start_participant("product", seed, rate, *projects)
        self._start_participant("label-tool", seed, answers)
        if hostile > 0:
            self._start_participant("stranger", seed, hostile, *projects)
        say("workers and participants run")
        self.wait("Intake and loop commit", 90, self.monitor.has_seen_all)

    def use_binary(self, binary: Path) -> None:
        """Commands are of this binary from now on, and workers that are told to use it."""
        self.binary = self.folder / "flywheel-new"
        shutil.copy2(binary, self.binary)

    def create_topics(self) -> None:
        """Makes topics that are missing. A broker that has not heard of them yet may refuse to describe them: then once more, as people do."""
        replication = "3" if len(self.cluster.brokers) >= 3 else "1"
        for attempt in range(3):
            status, output = self.try_flywheel("topics", "create", "--replication", replication)
            if status == 0:
                return self.cluster.wait_until_whole(30)
            say(f"flywheel topics create exits with {status}: {output.strip()}")
            time.sleep(1)
        raise ChaosError("flywheel topics create fails again and again")

    def _start_participant(self, participant: str, seed: int, rate: float, *more: str) -> None:
        self.started_participants.append(participant)
        command = [sys.executable, str(HERE / "participants.py"), participant, "--bootstrap", self.cluster.bootstrap, "--seed", str(seed)]
        command += ["--rate", str(rate), "--ledger", str(self.folder / f"{participant}.ledger"), *more]
        self.participants[participant] = spawn(command, self.folder / f"{participant}.log")

    def configure(self, votes: int) -> None:
        """Applies the projects. Without votes no task is opened any more."""
        # All feedback is to be found in the journal. A build of an upgrade may not know the key, nor draw users.
        feedback_setting = "  feedback_per_hour: 1000000000\n" if "feedback_per_hour" in self.flywheel("config", "reference") else ""
        for number, name in enumerate(PROJECTS):
            path = self.folder / f"{name}.yaml"
            # Tasks of the last project expire; of one nothing is scored.
            path.write_text(PROJECT.format(
                name=name, votes=votes, strategy="random" if number == 2 else "margin", lifetime="10s" if number == 3 else "1h") + feedback_setting)
            self.flywheel("project", "apply", str(path))

    def flywheel(self, *words: str, timeout: float = 60) -> str:
        """Runs a command of the binary; its output. A failure is an error."""
        status, output = self.try_flywheel(*words, timeout=timeout)
        if status != 0:
            raise ChaosError(f"flywheel {' '.join(words)} exits with {status}: {output.strip()[-1_000:]}")
        return output

    def try_flywheel(self, *words: str, timeout: float = 60) -> tuple[int, str]:
        command = [str(self.binary), *words]
        if words[0] not in ("dataset", "config"):
            command += ["--bootstrap", self.cluster.bootstrap]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise ChaosError(f"flywheel {' '.join(words)} does not end within {timeout:.0f} s") from error
        return done.returncode, done.stdout + ("" if done.returncode == 0 else done.stderr)

    def watch(self) -> None:
        """Throws when somebody who must live has died."""
        for participant, process in self.participants.items():
            if process.poll() is not None:
                raise ChaosError(f"{participant} ended with status {process.returncode}: {last_lines(self.folder / f'{participant}.log')}")
        if self.proxy.process.poll() is not None:
            raise ChaosError(f"the proxy ended: {last_lines(self.folder / 'proxy.log')}")

    def wait(self, what: str, timeout: float, condition) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise ChaosError(f"waited {timeout:.0f} s in vain: {what}")
            self.watch()
            time.sleep(0.1)

    def stop_load(self) -> list[str]:
        """Ends the participants; what was under way is delivered first. Returns what went wrong."""
        failures = []
        for participant, process in self.participants.items():
            process.terminate()
        for participant, process in self.participants.items():
            if not await_end(process, 90, participant) or process.returncode != 0:
                failures.append(f"{participant} could not deliver everything: {last_lines(self.folder / f'{participant}.log')}")
        self.participants.clear()
        return failures

    def drain(self, timeout: float, quiet: float) -> str | None:
        """Waits until every group has read everything and the journal is quiet for so many seconds.

        Returns what is left, if it is not done in time.
        """
        deadline = time.monotonic() + timeout
        quiet_since, reported_at, journal, unread = time.monotonic(), time.monotonic(), None, None
        while time.monotonic() < deadline:
            time.sleep(1)
            if time.monotonic() - reported_at > 10:
                reported_at = time.monotonic()
                if unread is not None:
                    self.hanging += abort_hanging(self.cluster)
                say(f"not yet at rest: {unread or f'all is read, the journal is quiet for {reported_at - quiet_since:.0f} s'}")
            try:
                ends, unread = self._journal_ends(), self._unread()
            except (KafkaException, TimeoutError) as error:
                ends, unread = None, str(error)
            if unread is not None or ends != journal:
                quiet_since, journal = time.monotonic(), ends
            elif time.monotonic() - quiet_since >= quiet:
                return None
        return unread or "the journal still grows"

    def _journal_ends(self) -> list[int]:
        reader = self._reader()
        try:
            return [reader.get_watermark_offsets(TopicPartition("flywheel.journal", n), timeout=10)[1] for n in range(4)]
        finally:
            reader.close()

    def _unread(self) -> str | None:
        """A record that a group has not read. Offsets alone do not tell: the ends of transactions have offsets, too."""
        reader = self._reader()
        try:
            for group, topics in GROUPS.items():
                positions = self._positions(reader, f"flywheel.{group}", topics)
                reader.assign(positions)
                left = {(partition.topic, partition.partition) for partition in positions}
                deadline = time.monotonic() + 15
                while left:
                    if time.monotonic() > deadline:
                        return f"the topics of group flywheel.{group} cannot be read to their end"
                    message = reader.poll(1)
                    if message is None:
                        continue
                    if message.error() is None:
                        return f"group flywheel.{group} has not read {message.topic()}[{message.partition()}] from offset {message.offset()}"
                    if message.error().code() == KafkaError._PARTITION_EOF:
                        left.discard((message.topic(), message.partition()))
            return None
        finally:
            reader.close()

    def _positions(self, reader: Consumer, group: str, topics: list[str]) -> list[TopicPartition]:
        (future,) = self.cluster.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)], request_timeout=10).values()
        committed = {(partition.topic, partition.partition): partition.offset for partition in future.result(15).topic_partitions if partition.offset >= 0}
        positions = []
        for topic in topics:
            name = f"flywheel.{topic}"
            for number in reader.list_topics(name, timeout=10).topics[name].partitions:
                offset = committed.get((name, number))
                if offset is None:
                    offset = reader.get_watermark_offsets(TopicPartition(name, number), timeout=10)[0]
                positions.append(TopicPartition(name, number, offset))
        return positions

    def _reader(self) -> Consumer:
        return Consumer({
            "bootstrap.servers": self.cluster.bootstrap, "group.id": "chaos-drain", "enable.auto.commit": False,
            "isolation.level": "read_committed", "enable.partition.eof": True, "fetch.wait.max.ms": 50, "log_level": 0})

    def clear(self, keeps: bool) -> None:
        """Ends everything, and removes the folder; or only the brokers' data, to look at the rest."""
        if self.monitor is not None and self.monitor.thread.is_alive():
            self.monitor.stop()
        for process in [worker.process for worker in self.workers] + list(self.participants.values()):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(10)
        if self.proxy is not None:
            end(self.proxy.process, 5, "the proxy")
        self.cluster.stop()
        if not keeps:
            return shutil.rmtree(self.folder, ignore_errors=True)
        for broker in self.cluster.brokers:
            shutil.rmtree(broker.folder / "data", ignore_errors=True)
        say(f"logs and ledgers are kept in {self.folder}")
