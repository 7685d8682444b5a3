"""One throwaway Apache Kafka broker on 127.0.0.1 with TLS, SASL and access control lists.

Needs `KAFKA_HOME`, an Apache Kafka distribution, and the `openssl` command. Listeners: SECURE, for clients (SASL_SSL, PLAIN
alone); EXPIRED and ELSEWHERE, the same with a certificate that has expired and one of another host; ADMIN, plaintext, whose
clients may do everything, for whoever gives and takes rights here; CONTROLLER.
"""

import base64
import os
import subprocess
import sys
import time
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AdminClient, ResourcePatternType, ResourceType)

sys.path.append(str(Path(__file__).resolve().parent.parent / "Chaos"))
from cluster import HEAP_OPTIONS, JVM_OPTIONS, kafka_home, kafka_version  # noqa: E402
from processes import ChaosError, end, free_ports, is_listening, last_lines, scratch_root, spawn  # noqa: E402

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=SECURE://127.0.0.1:{secure},EXPIRED://127.0.0.1:{expired},ELSEWHERE://127.0.0.1:{elsewhere},ADMIN://127.0.0.1:{admin},\
CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SECURE://127.0.0.1:{secure},EXPIRED://127.0.0.1:{expired},ELSEWHERE://127.0.0.1:{elsewhere},\
ADMIN://127.0.0.1:{admin}
listener.security.protocol.map=SECURE:SASL_SSL,EXPIRED:SASL_SSL,ELSEWHERE:SASL_SSL,ADMIN:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=ADMIN
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
sasl.enabled.mechanisms=PLAIN
log.dirs={data}
num.partitions=4
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
"""
LISTENER = """\
listener.name.{name}.ssl.keystore.type=PKCS12
listener.name.{name}.ssl.keystore.location={store}
listener.name.{name}.ssl.keystore.password=changeit
listener.name.{name}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required {users};
"""
KINDS = {
    "Topic": ResourceType.TOPIC, "Group": ResourceType.GROUP, "TransactionalId": ResourceType.TRANSACTIONAL_ID,
    "Cluster": ResourceType.BROKER}
OPERATIONS = {
    "Read": AclOperation.READ, "Write": AclOperation.WRITE, "Describe": AclOperation.DESCRIBE, "Create": AclOperation.CREATE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS}
PATTERNS = {"literal": ResourcePatternType.LITERAL, "prefixed": ResourcePatternType.PREFIXED}


def openssl(*words: str) -> None:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise ChaosError(f"openssl {words[0]}: {done.stderr.strip()[-300:]}")


class SecureCluster:
    """The broker, its certificates and its users: everybody's password is the name and `-secret`."""

    def __init__(self, folder: Path, users: list[str]):
        self.home, self.folder, self.users = kafka_home(), folder, users
        names = ["secure", "expired", "elsewhere", "admin", "controller"]
        self.ports = dict(zip(names, free_ports(len(names))))
        self.process: subprocess.Popen | None = None
        self._admin: AdminClient | None = None

    @property
    def kind(self) -> str:
        return f"Apache Kafka {kafka_version(self.home)}"

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def untrusted_authority(self) -> Path:
        """Of an authority that has signed nothing here."""
        return self.folder / "stranger.pem"

    def address(self, listener: str = "secure") -> str:
        return f"127.0.0.1:{self.ports[listener]}"

    def properties(self, user: str, listener: str = "secure", **others: str) -> dict[str, str]:
        """What a client is made with. A keyword's underscores stand for points; an empty value leaves the property out."""
        settings = {
            "bootstrap.servers": self.address(listener), "security.protocol": "sasl_ssl", "ssl.ca.location": str(self.authority),
            "sasl.mechanism": "PLAIN", "sasl.username": user, "sasl.password": f"{user}-secret"}
        settings |= {name.replace("_", "."): value for name, value in others.items()}
        return {name: value for name, value in settings.items() if value}

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ["authority", "stranger"]:
            openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-keyout", self._file(f"{name}.key"), "-out", self._file(f"{name}.pem"))
        self._certify("secure", "IP:127.0.0.1,DNS:localhost", days=2)
        self._certify("expired", "IP:127.0.0.1,DNS:localhost", days=-1)
        self._certify("elsewhere", "DNS:elsewhere.example", days=2)
        users = " ".join(f'user_{name}="{name}-secret"' for name in self.users)
        text = PROPERTIES.format(data=self.folder / "data", **self.ports)
        for name in ["secure", "expired", "elsewhere"]:
            text += LISTENER.format(name=name, store=self._file(f"{name}.p12"), users=users)
        (self.folder / "server.properties").write_text(text)
        environment = os.environ | {
            "KAFKA_HEAP_OPTS": HEAP_OPTIONS, "KAFKA_JVM_PERFORMANCE_OPTS": JVM_OPTIONS, "LOG_DIR": self._file("logs")}
        # A leading hyphen would read as an option.
        cluster = "A" + base64.urlsafe_b64encode(os.urandom(18)).decode()[:21]
        words = ["format", "-t", cluster, "-c", self._file("server.properties")]
        done = spawn([str(self.home / "bin/kafka-storage.sh"), *words], self.folder / "format.log", env=environment)
        if done.wait(60) != 0:
            raise ChaosError(f"could not format the broker: {last_lines(self.folder / 'format.log')}")
        log = self.folder / "log"
        self.process = spawn([str(self.home / "bin/kafka-server-start.sh"), self._file("server.properties")], log, env=environment)
        deadline = time.monotonic() + 60
        while not all(is_listening(self.ports[name]) for name in ["secure", "admin"]):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise ChaosError(f"the broker does not serve: {last_lines(log)}")
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            end(self.process, 10, "the broker")

    def _file(self, name: str) -> str:
        return str(self.folder / name)

    def _certify(self, name: str, names: str, days: int) -> None:
        """A key and a certificate for those names; with a day less than none one that has expired."""
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
                "-keyout", self._file(f"{name}.key"), "-out", self._file(f"{name}.csr"))
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n")
        openssl("x509", "-req", "-in", self._file(f"{name}.csr"), "-CA", self._file("authority.pem"), "-CAkey",
                self._file("authority.key"), "-CAcreateserial", "-days", str(days), "-out", self._file(f"{name}.pem"),
                "-extfile", self._file(f"{name}.ext"))
        openssl("pkcs12", "-export", "-in", self._file(f"{name}.pem"), "-inkey", self._file(f"{name}.key"),
                "-certfile", self._file("authority.pem"), "-out", self._file(f"{name}.p12"), "-password", "pass:changeit")

    # Rights, as `flywheel topics acls --json` prints them.

    @property
    def admin(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.address("admin"), "log_level": 0})
        return self._admin

    def grant(self, user: str, rights: list[dict]) -> None:
        bindings = [self._binding(AclBinding, user, right) for right in rights]
        for future in self.admin.create_acls(bindings).values():
            future.result(20)

    def revoke(self, user: str, right: dict) -> None:
        [future] = self.admin.delete_acls([self._binding(AclBindingFilter, user, right)]).values()
        if len(future.result(20)) != 1:
            raise ChaosError(f"{user} does not have {right}, so it cannot be taken away")

    @staticmethod
    def _binding(kind, user: str, right: dict):
        return kind(
            KINDS[right["resource_type"]], right["name"], PATTERNS[right["pattern_type"]], f"User:{user}", "*",
            OPERATIONS[right["operation"]], AclPermissionType.ALLOW)
