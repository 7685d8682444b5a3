"""Sets the scene: a secure broker, nine principals with just the rights that `flywheel topics acls` prints, and a whole cycle."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from confluent_kafka import Consumer, Producer, TopicPartition

from participants import PROJECT, LabelTool, OutsideTrainer, ProductService
from secure_cluster import ChaosError, SecureCluster, end, last_lines, spawn

PREFIX = "flywheel."
ROLES = ["intake", "loop", "materializer", "trainer"]
# Who runs, and the roles that its rights are for: an operator sends dead letters back as well.
PRINCIPALS = {name: [name] for name in [*ROLES, "product-service", "label-tool", "outside-trainer", "analyst"]}
PRINCIPALS["operator"] = ["operator", "redrive"]
CONFIGURATION = f"""\
project: {PROJECT}
question: On which side is it?
classes: [left, right]
acquisition:
  strategy: margin
  batch_size: {{batch}}
  open_task_limit: 24
  audit_cutoff: 0.1
  votes_per_window: 2000
  window: 1m
  oversample: 3
  patience: 1s
labeling:
  maximum_votes: 1
  lifetime: 1m
datasets:
  cut_every: 12
  cut_after: 3s
training:
  new_labels: 12
  repeats: 2
  deadline: 1m
rollout:
  minimum_shadow: 0
"""


def say(text: str) -> None:
    print(f"acl {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Role:
    """A worker of one role, under the principal of its name."""

    def __init__(self, name: str, scene: "Scene"):
        self.name, self.log = name, scene.folder / f"{name}.log"
        self.command = [
            str(scene.binary), "run", "--roles", name, "--instance", "w1", "--state", "", "--store", str(scene.folder / "datasets"),
            "--artifacts", str(scene.folder / "artifacts"), *scene.connection(name)]
        self.process: subprocess.Popen | None = None
        self.log_offset = 0

    def start(self) -> None:
        self.log_offset = self.log.stat().st_size if self.log.exists() else 0
        self.process = spawn(self.command, self.log, env=os.environ | {"FLYWHEEL_SALT": "acl"})

    def stop(self) -> None:
        if not end(self.process, 30, f"the role {self.name}"):
            raise ChaosError(f"the role {self.name} does not stop: {last_lines(self.log)}")

    def output(self) -> str:
        """What it has logged since its start."""
        with open(self.log, "rb") as file:
            file.seek(self.log_offset)
            return file.read().decode(errors="replace")


class Scene:
    def __init__(self, binary: Path, root: Path):
        self.binary = binary
        self.folder = Path(tempfile.mkdtemp(prefix="flywheel-acl-", dir=root))
        self.cluster = SecureCluster(self.folder / "broker", [*PRINCIPALS, "stranger"])
        self.rights: dict[str, list[dict]] = {}
        self.roles = {name: Role(name, self) for name in ROLES}
        self.product = ProductService(self.cluster.properties("product-service"), PREFIX)
        self.label_tool = LabelTool(self.cluster.properties("label-tool"), PREFIX)
        self.outside_trainer = OutsideTrainer(self.cluster.properties("outside-trainer"), PREFIX)
        self.batch = 6

    def connection(self, user: str, properties: dict[str, str] | None = None) -> list[str]:
        """The options with which the binary connects as somebody."""
        given = dict(properties if properties is not None else self.cluster.properties(user))
        words = ["--bootstrap", given.pop("bootstrap.servers")]
        for name, value in given.items():
            words += ["--kafka", f"{name}={value}"]
        return words

    def flywheel(self, user: str, *words: str, timeout: float = 30) -> tuple[int, str]:
        """Runs a command as somebody; its status, and what it printed on both streams."""
        try:
            done = subprocess.run(
                [str(self.binary), *words, *self.connection(user)], capture_output=True, text=True, timeout=timeout,
                env=os.environ | {"FLYWHEEL_SALT": "acl"})
        except subprocess.TimeoutExpired as error:
            return 124, f"{words} does not end within {timeout:.0f} s: {error.output or b''}"
        return done.returncode, done.stdout + done.stderr

    def must(self, user: str, *words: str) -> str:
        status, output = self.flywheel(user, *words)
        if status != 0:
            raise ChaosError(f"flywheel {' '.join(words)} as {user} exits with {status}: {output.strip()[-800:]}")
        return output

    def kcat(self, user: str, *words: str, text: str = "") -> tuple[int, str]:
        """Runs kcat as somebody, as the guides do."""
        options = [word for name, value in self.cluster.properties(user).items() for word in ("-X", f"{name}={value}")]
        done = subprocess.run(["kcat", *options, *words], input=text, capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout + done.stderr

    def set_up(self) -> None:
        """Broker, rights, topics, project, roles and participants, each under its own principal."""
        say(f"starting a secure broker of {self.cluster.kind} in {self.folder}")
        self.cluster.start()
        for user, parties in PRINCIPALS.items():
            rights: list[dict] = []
            for party in parties:
                words = ["topics", "acls", "--role", party, "--principal", f"User:{user}", "--json"]
                printed = json.loads(subprocess.run([str(self.binary), *words], capture_output=True, check=True).stdout)
                rights += [right for right in printed["rights"] if right not in rights]
            self.rights[user] = rights
            self.cluster.grant(user, rights)
        say(f"{sum(map(len, self.rights.values()))} rights for {len(self.rights)} principals")
        self.must("operator", "topics", "create")
        self.must("operator", "topics", "check")
        self.apply_project()
        for role in self.roles.values():
            role.start()
        for participant in [self.product, self.label_tool, self.outside_trainer]:
            participant.start()

    def apply_project(self) -> tuple[int, str]:
        """Another revision, each time."""
        self.batch = 4 if self.batch == 6 else 6
        path = self.folder / "project.yaml"
        path.write_text(CONFIGURATION.format(batch=self.batch))
        return self.flywheel("operator", "project", "apply", str(path))

    def wait_for_cycle(self, timeout: float) -> None:
        """Waits until the whole flywheel has turned: a model was trained and released, and the service predicts with it."""
        wanted = {
            "the label tool answers": lambda: self.label_tool.done >= 12,
            "a version is sealed": lambda: bool(self.must("analyst", "dataset", "log", "--project", PROJECT).strip()),
            "the service predicts with a model": lambda: self.product.version is not None,
            "the outside trainer answers": lambda: self.outside_trainer.done > 0,
        }
        deadline = time.monotonic() + timeout
        for what, condition in wanted.items():
            while not condition():
                if time.monotonic() > deadline:
                    logs = "\n".join(f"{name}: {last_lines(role.log)}" for name, role in self.roles.items())
                    raise ChaosError(f"waited {timeout:.0f} s in vain: {what}\n{logs}")
                time.sleep(0.3)
            say(what)
        self.must("operator", "status")
        self.must("analyst", "replay", "--project", PROJECT, "--verify")
        complaints = [
            line for role in self.roles.values() for line in role.output().splitlines() if "AUTHORIZATION_FAILED" in line]
        if complaints:
            raise ChaosError(f"a right is lacking that `flywheel topics acls` does not print: {complaints[0]}")

    # The harness itself may do everything.

    def write(self, topic: str, value: str, key: str = "") -> None:
        producer = Producer({"bootstrap.servers": self.cluster.address("admin"), "log_level": 0})
        producer.produce(PREFIX + topic, value, key or None)
        if producer.flush(10) != 0:
            raise ChaosError(f"could not write to {topic}")

    def last_record(self, topic: str) -> dict | None:
        """The value of the last record that is there."""
        reader = Consumer({
            "bootstrap.servers": self.cluster.address("admin"), "group.id": "harness", "enable.auto.commit": False,
            "enable.partition.eof": True, "log_level": 0})
        try:
            numbers = reader.list_topics(PREFIX + topic, timeout=10).topics[PREFIX + topic].partitions
            reader.assign([TopicPartition(PREFIX + topic, number, 0) for number in numbers])
            found, ends = None, 0
            while ends < len(numbers):
                record = reader.poll(10)
                if record is None:
                    break
                if record.error() is not None:
                    ends += 1
                elif record.value():
                    found = json.loads(record.value())
            return found
        finally:
            reader.close()

    def clear(self, keeps: bool) -> None:
        for participant in [self.product, self.label_tool, self.outside_trainer]:
            if participant.is_alive():
                participant.stop()
        for role in self.roles.values():
            end(role.process, 15, f"the role {role.name}")
        self.cluster.stop()
        if keeps:
            say(f"logs are kept in {self.folder}")
            shutil.rmtree(self.folder / "broker/data", ignore_errors=True)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def is_named(right: dict, text: str) -> bool:
    """Whether an error names what is lacking: the operation, the kind of thing, and which."""
    tail = "" if right["pattern_type"] == "prefixed" else r"(?![A-Za-z0-9._-]*[A-Za-z0-9_-])"
    return re.search(rf"{right['operation']} on {right['resource_type']} {re.escape(right['name'])}{tail}", text) is not None
