"""What the topics and the ledgers hold, parsed: all that the checker looks at."""

from dataclasses import dataclass, field
from typing import NamedTuple


# Under this name stand the records of a stranger, all of them wrong on purpose.
STRANGER = "stranger"


class RecordLocation(NamedTuple):
    """Topic, partition and offset of a record."""

    topic: str
    partition: int
    offset: int


class Annotation(NamedTuple):
    """A record of `annotations`. `number` is the label tool's own count, `token` what it gives back of the task's record."""

    location: RecordLocation
    project: str
    task: str
    annotator: str
    outcome: str
    answer: str | None
    number: int
    token: str | None = None


class Entry(NamedTuple):
    """A record of `journal`. `number` counts the project's entries from 1, `id` is its `ce_id`."""

    location: RecordLocation
    project: str
    number: int
    kind: str
    id: str
    entry: dict
    origin: RecordLocation | None


class Decision(NamedTuple):
    """A record that the loop wrote to one of its topics: the ordinal-th decision of the project's entry of that number."""

    location: RecordLocation
    project: str
    entry: int
    ordinal: int
    value: dict


class Tally(NamedTuple):
    """A record of `tallies`. `inputs` are the offsets that its transaction read: (topic, partition, first, last)."""

    location: RecordLocation
    project: str
    version: str
    role: str
    predictions: int
    feedback: int
    forwarded: int
    inputs: tuple[tuple[str, int, int, int], ...]


class DeadLetter(NamedTuple):
    """A record of `dead-letters`: where the refused record was read, by which stage and why it was refused."""

    location: RecordLocation
    origin: RecordLocation
    stage: str
    code: str


class Sealed(NamedTuple):
    """A record of `dataset-versions`."""

    location: RecordLocation
    project: str
    ordinal: int
    version: str
    value: dict


@dataclass
class Sends:
    """What a participant wrote to one topic for one project, by the numbers that it gave its records."""

    attempted: int = 0
    # Numbers of the ledger.
    acknowledged: list[tuple[int, int]] = field(default_factory=list)
    # Numbers of the topic's records, in any order; and of those that are wrong on purpose, number to reason.
    numbers: list[int] = field(default_factory=list)
    flawed: dict[int, str] = field(default_factory=dict)


@dataclass
class Logs:
    """Everything. Topics are named without their prefix."""

    # By topic (`predictions`, `feedback`; of a stranger, every topic that one wrote to) and project.
    sends: dict[tuple[str, str], Sends] = field(default_factory=dict)
    # Every record of `predictions` and `feedback` that is wrong on purpose, with the reason expected.
    flawed: dict[RecordLocation, str] = field(default_factory=dict)
    # First offset, and the one after the last record, of the partitions of `predictions` and `feedback`.
    spans: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    annotations: list[Annotation] = field(default_factory=list)
    annotation_ledger: list[dict] = field(default_factory=list)
    annotations_attempted: int = 0
    # Records of `training-results`, `commands`, `imports` and `dataset-versions`, which Intake must forward too.
    results: list[RecordLocation] = field(default_factory=list)
    sealed: list[Sealed] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)
    # By topic: `labeling-tasks`, `dataset-log`, `training-requests`, `model-releases`, `release-log`, `notices`.
    decisions: dict[str, list[Decision]] = field(default_factory=dict)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    # The latest rows of `state`: (project, table, key) to value; and by partition where the loop stands.
    state: dict[tuple[str, str, str], object] = field(default_factory=dict)
    positions: dict[int, int] = field(default_factory=dict)
    # Committed offsets of the loop's group on `journal`, by partition.
    committed: dict[int, int] = field(default_factory=dict)
    # Partitions on which a transaction stayed open: nothing behind it can be read.
    hanging: list[tuple[str, int]] = field(default_factory=list)

    def projects(self) -> list[str]:
        return sorted({entry.project for entry in self.journal})

    def decisions_on(self, topic: str) -> list[Decision]:
        return self.decisions.get(topic, [])
