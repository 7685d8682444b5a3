"""Takes rights away, one at a time, and looks what fails and what it says."""

import json
import time
from dataclasses import dataclass

from confluent_kafka import KafkaException, Producer

from participants import PROJECT, make_reader, prediction
from scene import PREFIX, ROLES, Scene, is_named

TIMEOUT = 15.0
INPUTS = ["predictions", "feedback", "annotations", "training-results", "commands", "dataset-versions", "imports"]
CODES = {"Topic": "TOPIC_AUTHORIZATION_FAILED", "Group": "GROUP_AUTHORIZATION_FAILED"}


@dataclass
class Outcome:
    """What came of a right that was not there."""

    user: str
    right: dict
    failed: bool
    named: bool
    seconds: float
    output: str

    def __str__(self) -> str:
        right = f"{self.right['operation']} on {self.right['resource_type']} {self.right['name']}"
        if not self.failed:
            return f"{self.user} without {right}: nothing failed within {TIMEOUT:.0f} s: {self.output[-400:]}"
        return f"{self.user} without {right}: what failed does not name it: {self.output[-600:]}"


def try_without(scene: Scene, user: str, right: dict) -> Outcome:
    """Takes the right away, has its owner do what it is for, and gives it back."""
    role = scene.roles.get(user)
    if role is not None:
        role.stop()
    scene.cluster.revoke(user, right)
    began = time.monotonic()
    try:
        if role is not None:
            failed, output = _try_role(scene, user, right)
        else:
            failed, output = _try_user(scene, user, right)
        seconds = time.monotonic() - began
    finally:
        scene.cluster.grant(user, [right])
    if role is not None:
        # Whatever it waits for now, it need not wait any longer.
        role.stop()
        role.start()
    return Outcome(user, right, failed and seconds <= TIMEOUT, is_named(right, output), seconds, output)


def _try_role(scene: Scene, name: str, right: dict) -> tuple[bool, str]:
    """Starts the role, and waits until it says what it lacks."""
    role = scene.roles[name]
    role.start()
    deadline = time.monotonic() + TIMEOUT
    has_requested = False
    while time.monotonic() < deadline:
        refusals = [line for line in role.output().splitlines() if "AUTHORIZATION_FAILED" in line]
        if refusals:
            return True, "\n".join(refusals)
        if name == "trainer" and not has_requested and "partitions assigned" in role.output():
            has_requested = True
            _ask_for_training(scene)
        time.sleep(0.1)
    return False, role.output()


def _ask_for_training(scene: Scene) -> None:
    """The last request once more under another name: what a trainer reads and writes, it does for a request."""
    request = scene.last_record("training-requests")
    request["request"] += f"-{time.time_ns()}"
    request["deadline_at_ms"] = int(time.time() * 1_000) + 60_000
    scene.write("training-requests", json.dumps(request), PROJECT)


def _try_user(scene: Scene, user: str, right: dict) -> tuple[bool, str]:
    if user == "analyst":
        status, output = scene.flywheel(user, *_analysis(scene, right))
        return status != 0, output
    if user == "operator":
        return _operator(scene, right)
    return _client(scene, user, right)


def _analysis(scene: Scene, right: dict) -> list[str]:
    topic = right["name"].removeprefix(PREFIX)
    if topic == "dataset-versions":
        return ["dataset", "log", "--project", PROJECT]
    if topic in ("predictions", "tallies"):
        # Of a sample that was never asked for, it looks at the predictions; of one that was, at the thresholds of its time.
        sample = "s-none" if topic == "predictions" else next(iter(scene.label_tool.open.values()))["sample"]["id"]
        return ["explain", sample, "--project", PROJECT]
    return ["replay", "--project", PROJECT, "--verify"]


def _operator(scene: Scene, right: dict) -> tuple[bool, str]:
    operation, kind, name = right["operation"], right["resource_type"], right["name"].removeprefix(PREFIX)
    if kind == "Topic" and operation == "Write" and name in [*INPUTS, "dead-letters"] and name != "commands":
        return _redrive(scene, "feedback" if name == "dead-letters" else name)
    if kind == "Topic" and name in ("commands", "model-releases"):
        words = ["-P", "-t", right["name"]] if operation == "Write" else ["-C", "-t", right["name"], "-e", "-q"]
        _, output = scene.kcat("operator", *words, text="{}\n" if operation == "Write" else "")
        is_refused = "uthorization failed" in output and (operation == "Write" or right["name"] in output)
        # The operation is what kcat was asked to do.
        return is_refused, output + (f"\n{operation} on Topic {right['name']}" if is_refused else "")
    if kind == "TransactionalId" and name == "apply." or kind == "Topic" and (operation, name) == ("Write", "projects"):
        status, output = scene.apply_project()
    elif kind == "TransactionalId" and name == "redrive":
        return _redrive(scene, "predictions")
    elif kind == "TransactionalId" and name == "import.":
        return _import(scene)
    elif kind == "TransactionalId":
        status, output = scene.flywheel("operator", "project", "resume", PROJECT)
    elif operation == "Create":
        status, output = scene.flywheel("operator", "topics", "create", "--prefix", PREFIX + "more.")
    elif operation in ("Describe", "DescribeConfigs") and kind == "Topic":
        status, output = scene.flywheel("operator", "topics", "check")
    elif name == "dead-letters":
        status, output = scene.flywheel("operator", "dead-letters", "list")
    elif name == "release-log":
        status, output = scene.flywheel("operator", "releases", "log", PROJECT)
    elif name == "projects":
        status, output = scene.flywheel("operator", "project", "list")
    else:
        status, output = scene.flywheel("operator", "status")
    return status != 0, output


def _import(scene: Scene) -> tuple[bool, str]:
    """A label of a sample that nobody has heard of."""
    file = scene.folder / "labels.jsonl"
    file.write_text(json.dumps({"id": f"acl-{time.time_ns()}", "label": "left"}) + "\n")
    status, output = scene.flywheel("operator", "labels", "import", str(file), "--project", PROJECT, "--progress", "")
    return status != 0, output


def _redrive(scene: Scene, topic: str) -> tuple[bool, str]:
    words = ["dead-letters", "redrive", "--topic", topic, "--again", "--max-attempts", "1000"]
    status, output = scene.flywheel("operator", *words)
    return status != 0, output


def write_bad_records(scene: Scene) -> None:
    """One record on every input that ends as a dead letter, so that there is something to send back."""
    for topic in INPUTS:
        scene.write(topic, "no record of ours")


def _client(scene: Scene, user: str, right: dict) -> tuple[bool, str]:
    """What a program outside gets to know: the code of its client's error, of the call that it made."""
    properties = scene.cluster.properties(user)
    wanted, name = CODES[right["resource_type"]], right["name"]
    if right["operation"] == "Write":
        codes = write_to(properties, [name])
        return codes[name] is not None, f"{codes[name]}: Write on Topic {name}" if codes[name] == wanted else f"{codes[name]}"
    topics = [one["name"] for one in scene.rights[user] if one["operation"] == "Read" and one["resource_type"] == "Topic"]
    topic = name if name in topics else topics[0]
    code = None
    try:
        reader = make_reader(properties, PREFIX + user, topic)
        # A member waits for the others; a topic's right is asked for without them.
        if user == "outside-trainer" and right["resource_type"] == "Group":
            reader.unassign()
            reader.subscribe([topic])
        deadline = time.monotonic() + 10
        while code is None and time.monotonic() < deadline:
            for record in reader.consume(100, 0.2):
                if record.error() is not None:
                    code = record.error().name()
    except KafkaException as error:
        code = error.args[0].name()
    output = f"{code}: {right['operation']} on {right['resource_type']} {name}" if code == wanted else f"{code}"
    return code is not None, output


def write_to(properties: dict, topics: list[str]) -> dict[str, str | None]:
    """One record to each topic; the code of each refusal, None where it was taken."""
    codes: dict[str, str | None] = dict.fromkeys(topics, "no answer")
    producer = Producer(properties | {"log_level": 0, "message.timeout.ms": 8_000})

    def delivered(error, record) -> None:
        codes[record.topic()] = error.name() if error is not None else None

    for topic in topics:
        value = json.dumps(prediction(10**9, None)) if topic.endswith("predictions") else "{}"
        try:
            producer.produce(topic, value, "foreign", on_delivery=delivered)
        except KafkaException as error:
            codes[topic] = error.args[0].name()
    producer.flush(10)
    return codes


def try_foreign_writes(scene: Scene, topics: list[str]) -> tuple[int, list[str]]:
    """Everybody writes to every topic that is none of theirs. Returns the refusals, and who was not refused."""
    refused, accepted = 0, []
    for user in [*scene.rights, "stranger"]:
        writable = {right["name"] for right in scene.rights.get(user, []) if right["operation"] == "Write"}
        for topic, code in write_to(scene.cluster.properties(user), [topic for topic in topics if topic not in writable]).items():
            if code == "TOPIC_AUTHORIZATION_FAILED":
                refused += 1
            else:
                accepted.append(f"{user} writes to {topic}: {code or 'accepted'}")
    return refused, accepted


def ordered_rights(scene: Scene) -> list[tuple[str, dict]]:
    """All rights, roles first."""
    users = [*ROLES, *(user for user in scene.rights if user not in ROLES)]
    return [(user, right) for user in users for right in scene.rights[user]]
