"""A throwaway Apache Kafka cluster of KRaft brokers on 127.0.0.1, to be hurt: killed, paused, restarted, its data kept.

Needs `KAFKA_HOME`, an Apache Kafka distribution. Every broker has two listeners for clients: DIRECT, also for the brokers
among themselves, and PROXIED, which is advertised as the port of a TCP proxy, so that connections of those who came in
that way can be cut.
"""

import base64
import os
import re
import signal
import subprocess
import time
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kafka_wire import WireError, open_transactions, partition_of
from processes import ChaosError, end, free_ports, is_listening, last_lines, spawn

PROPERTIES = """\
process.roles=broker,controller
node.id={id}
controller.quorum.voters={voters}
listeners=DIRECT://127.0.0.1:{direct},PROXIED://127.0.0.1:{proxied},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=DIRECT://127.0.0.1:{direct},PROXIED://127.0.0.1:{advertised}
listener.security.protocol.map=DIRECT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=DIRECT
log.dirs={data}
num.partitions=4
default.replication.factor={replicas}
min.insync.replicas={minimum}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=8
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={minimum}
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor={replicas}
share.coordinator.state.topic.min.isr={minimum}
share.coordinator.state.topic.num.partitions=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
num.network.threads=2
num.io.threads=4
"""
# Restarted every minute, a broker lives too short for the second compiler.
JVM_OPTIONS = "-server -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true"
HEAP_OPTIONS = "-Xms128m -Xmx400m"


class Broker:
    """One broker process: its files, its ports, and what state we have put it in."""

    def __init__(self, number: int, home: Path, folder: Path, ports: tuple[int, int, int], advertised: int):
        self.number = number
        self.home = home
        self.folder = folder
        self.direct, self.proxied, self.controller = ports
        self.advertised = advertised
        self.process: subprocess.Popen | None = None
        self.is_paused = False

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.direct)

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None and not self.is_paused

    def begin_format(self, cluster: str, voters: str, count: int) -> subprocess.Popen:
        self.folder.mkdir(parents=True)
        replicas = 3 if count >= 3 else 1
        text = PROPERTIES.format(
            id=self.number, voters=voters, direct=self.direct, proxied=self.proxied, controller=self.controller,
            advertised=self.advertised, data=self.folder / "data", replicas=replicas, minimum=2 if replicas == 3 else 1)
        (self.folder / "server.properties").write_text(text)
        command = [str(self.home / "bin/kafka-storage.sh"), "format", "-t", cluster, "-c", str(self.folder / "server.properties")]
        return spawn(command, self.folder / "format.log", env=self._environment())

    def start(self) -> None:
        """Starts it, with the data that it has. Returns at once."""
        command = [str(self.home / "bin/kafka-server-start.sh"), str(self.folder / "server.properties")]
        self.process = spawn(command, self.log, env=self._environment())
        self.is_paused = False

    def _environment(self) -> dict[str, str]:
        return os.environ | {
            "KAFKA_HEAP_OPTS": HEAP_OPTIONS, "KAFKA_JVM_PERFORMANCE_OPTS": JVM_OPTIONS, "LOG_DIR": str(self.folder / "logs")}

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
        self.is_paused = False

    def begin_stop(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def pause(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGSTOP)
            self.is_paused = True

    def resume(self) -> None:
        if self.process is not None and self.is_paused:
            self.process.send_signal(signal.SIGCONT)
        self.is_paused = False

    def wait_until_listening(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while not is_listening(self.direct):
            if self.process is None or self.process.poll() is not None:
                raise ChaosError(f"broker {self.number} ended at its start: {last_lines(self.log)}")
            if time.monotonic() > deadline:
                raise ChaosError(f"broker {self.number} does not listen after {timeout:.0f} s, see {self.log}")
            time.sleep(0.1)


class Cluster:
    """N brokers. `proxy_ports` are what PROXIED advertises; the proxy's targets are `Broker.proxied`."""

    def __init__(self, count: int, folder: Path):
        self.home = kafka_home()
        ports = free_ports(4 * count)
        self.proxy_ports, broker_ports = ports[:count], ports[count:]
        self.brokers = [
            Broker(index + 1, self.home, folder / f"broker-{index + 1}", tuple(broker_ports[3 * index : 3 * index + 3]), advertised)
            for index, advertised in enumerate(self.proxy_ports)
        ]
        self._admin: AdminClient | None = None

    @property
    def kind(self) -> str:
        return f"Apache Kafka {kafka_version(self.home)}"

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{broker.direct}" for broker in self.brokers)

    @property
    def proxied_bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{port}" for port in self.proxy_ports)

    @property
    def has_majority(self) -> bool:
        return 2 * sum(broker.is_running for broker in self.brokers) > len(self.brokers)

    @property
    def admin(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "reconnect.backoff.max.ms": 500, "log_level": 0})
        return self._admin

    def start(self) -> None:
        """Formats and starts all brokers, and waits until they serve."""
        # A leading hyphen would read as an option.
        cluster = "A" + base64.urlsafe_b64encode(os.urandom(18)).decode()[:21]
        voters = ",".join(f"{broker.number}@127.0.0.1:{broker.controller}" for broker in self.brokers)
        formats = [broker.begin_format(cluster, voters, len(self.brokers)) for broker in self.brokers]
        for broker, process in zip(self.brokers, formats):
            if process.wait(60) != 0:
                raise ChaosError(f"could not format broker {broker.number}: {last_lines(broker.folder / 'format.log')}")
        for broker in self.brokers:
            broker.start()
        for broker in self.brokers:
            broker.wait_until_listening(60)
        self.wait_until_whole(60)

    def wait_until_whole(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while (reason := self.missing()) is not None:
            if time.monotonic() > deadline:
                raise ChaosError(f"the cluster is not complete after {timeout:.0f} s: {reason}")
            time.sleep(0.3)

    def missing(self) -> str | None:
        """Why the cluster is not whole: a broker that is away, a partition without all its replicas. None when it is whole."""
        try:
            metadata = self.admin.list_topics(timeout=5)
        except KafkaException as error:
            return str(error)
        if len(metadata.brokers) < len(self.brokers):
            return f"{len(metadata.brokers)} of {len(self.brokers)} brokers are known"
        for topic in metadata.topics.values():
            for partition in topic.partitions.values():
                if partition.leader < 0 or len(partition.isrs) < len(partition.replicas):
                    return f"{topic.topic}[{partition.id}] has {len(partition.isrs)} of {len(partition.replicas)} replicas in sync"
        return None

    def leader(self, topic: str, partition: int) -> int | None:
        """The number of the broker that leads a partition; None where nobody does, or where nobody tells."""
        try:
            found = self.admin.list_topics(topic, timeout=5).topics[topic].partitions.get(partition)
        except (KafkaException, KeyError):
            return None
        return found.leader if found is not None and found.leader > 0 else None

    def coordinator(self, name: str, internal_topic: str) -> int | None:
        """The broker that coordinates a group (`__consumer_offsets`) or a transactional id (`__transaction_state`)."""
        return self.leader(internal_topic, partition_of(name, 8))

    def open_transactions(self) -> dict[str, int]:
        """Open transactions of the whole cluster, as the coordinators know them: transactional id to producer id."""
        found: dict[str, int] = {}
        for broker in self.brokers:
            if broker.is_running:
                try:
                    found |= open_transactions(broker.address)
                except WireError:
                    pass  # Starting, or no coordinator now: what it would know is not counted.
        return found

    def stop(self) -> None:
        """Ends all brokers; the data is thrown away afterwards, so there is nothing to be gentle about."""
        for broker in self.brokers:
            if broker.process is not None and broker.process.poll() is None:
                broker.resume()
                broker.process.kill()
        for broker in self.brokers:
            end(broker.process, 10, f"broker {broker.number}")


def kafka_home() -> Path:
    """The distribution in `KAFKA_HOME`."""
    name = os.environ.get("KAFKA_HOME", "")
    home = Path(name)
    if not name or not (home / "bin/kafka-server-start.sh").is_file():
        raise ChaosError(f"KAFKA_HOME={name or '(not set)'} names no Apache Kafka distribution (bin/kafka-server-start.sh)")
    return home


def kafka_version(home: Path) -> str:
    for jar in sorted((home / "libs").glob("kafka-clients-*.jar")):
        if match := re.fullmatch(r"kafka-clients-([0-9.]+)\.jar", jar.name):
            return match.group(1)
    raise ChaosError(f"KAFKA_HOME={home} holds no libs/kafka-clients-*.jar")

