"""What the loop must have kept: one task a sample, every answer counted once or refused, whole transactions, a log without gap."""

from collections import Counter, defaultdict

from findings import Finding, difference, listed
from logs import Decision, Entry, Logs

# Entries that can be refused: then the refusal is the entry's first decision, and it may stand on no topic.
REFUSABLE = {"annotation", "feedback", "training_result", "version_sealed", "command", "imported_label"}


def check_tasks(logs: Logs) -> list[Finding]:
    """Every selected sample has exactly one task, and every task one sample."""
    samples, tasks = defaultdict(set), defaultdict(set)
    for decision in logs.decisions_on("labeling-tasks"):
        sample = decision.value["sample"]["id"]
        samples[decision.project, sample].add(decision.value["task"])
        tasks[decision.value["task"]].add((decision.project, sample))
    asked = {(project, key) for project, table, key in logs.state if table == "acquisition.asked"}
    findings = listed(
        "duplicated", [(*sample, *sorted(names)) for sample, names in samples.items() if len(names) > 1], "a sample has several tasks")
    findings += listed("wrong", [task for task, names in tasks.items() if len(names) > 1], "a task covers several samples")
    findings += listed("lost", sorted(asked - samples.keys()), "selected samples without a task")
    findings += listed("wrong", sorted(samples.keys() - asked), "tasks of samples that the state does not know as selected")
    closed = Counter(decision.value["task"] for decision in logs.decisions_on("labeling-tasks") if decision.value["state"] == "closed")
    return findings + listed("duplicated", [task for task, count in closed.items() if count > 1], "a task was closed twice")


class AnswerOutcomes:
    """What must become of every answer, by the documented rules and the order of the journal alone.

    An answer counts if its task is open and its annotator has not answered it before. A second answer of one annotator is
    refused as `duplicate`, one that comes after the task closed as `task_closed`, one to a task that never was as
    `unknown_task`.
    """

    def __init__(self, logs: Logs):
        self.opened: dict[str, int] = {}
        self.closed: dict[str, int] = {}
        for decision in logs.decisions_on("labeling-tasks"):
            task = decision.value["task"]
            self.opened[task] = min(decision.entry, self.opened.get(task, decision.entry))
            if decision.value["state"] == "closed":
                self.closed[task] = decision.entry
        # Annotators by task, in the order of the journal: those with a vote, and those who passed.
        self.votes: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self.declined: dict[str, list[str]] = defaultdict(list)
        self.refused: Counter[tuple[str, str]] = Counter()
        self.by_entry: dict[tuple[str, int], str] = {}
        for entry in logs.journal:
            if entry.kind == "annotation":
                self.by_entry[entry.project, entry.number] = self._classify(entry)

    def _classify(self, entry: Entry) -> str:
        task, annotator = entry.entry["task"], entry.entry["annotator"]
        if entry.number <= self.opened.get(task, entry.number):
            return self._refuse(entry, "unknown_task")
        if annotator in self.declined[task] or any(annotator == other for other, _ in self.votes[task]):
            return self._refuse(entry, "duplicate")
        if entry.number > self.closed.get(task, entry.number):
            return self._refuse(entry, "task_closed")
        if entry.entry["outcome"] == "answer":
            self.votes[task].append((annotator, entry.entry["index"]))
        else:
            self.declined[task].append(annotator)
        return "counted"

    def _refuse(self, entry: Entry, code: str) -> str:
        self.refused[entry.project, code] += 1
        return code

    @property
    def counted(self) -> int:
        return sum(map(len, self.votes.values())) + sum(map(len, self.declined.values()))


def check_annotations(logs: Logs, outcomes: AnswerOutcomes) -> list[Finding]:
    """What must become of every answer against what the topics say has become of it."""
    findings = []
    rows: dict[str, list[str]] = {}
    for (_, table, key), row in logs.state.items():
        if table == "labeling.open":
            rows[key] = [vote["annotator"] for vote in row["votes"]] + row["declined"]
        elif table == "labeling.closed":
            rows[key] = row["annotators"]
    for task in sorted(outcomes.opened):
        expected = [annotator for annotator, _ in outcomes.votes[task]] + outcomes.declined[task]
        findings += _compare(f"answers to task {task} in the state", expected, rows.get(task, []))
    for decision in logs.decisions_on("dataset-log"):
        if decision.value["kind"] == "label_accepted":
            task = decision.value["task"]
            votes = [(vote["annotator"], vote["index"]) for vote in decision.value["votes"]]
            findings += _compare(f"votes of task {task} in the dataset log", outcomes.votes[task], votes)
    dead = Counter((letter.code, letter.origin) for letter in logs.dead_letters if letter.stage == "loop")
    for entry in logs.journal:
        if outcomes.by_entry.get((entry.project, entry.number)) == "unknown_task" and dead["unknown_task", entry.origin] != 1:
            findings.append(Finding("lost", 1, f"the answer at {entry.origin} to unknown task {entry.entry['task']} is no dead letter"))
    for project in logs.projects():
        # `duplicate` counts more than answers: feedback and versions too.
        for code in ("task_closed", "unknown_task"):
            row = logs.state.get((project, "loop.refusals", code), 0)
            findings += difference(outcomes.refused[project, code], row, f"answers of {project} refused as {code} in the state")
    return findings


def _compare(about: str, expected: list, found: list) -> list[Finding]:
    if expected == found:
        return []
    missing, extra = Counter(map(str, expected)) - Counter(map(str, found)), Counter(map(str, found)) - Counter(map(str, expected))
    findings = listed("lost", missing.elements(), about) + listed("duplicated", extra.elements(), about)
    return findings or [Finding("wrong", 1, f"{about}: in another order")]


def check_dataset_log(logs: Logs) -> list[Finding]:
    """Sequences count from 1 without gap; a sample has one label; a cut counts what stands before it."""
    findings = []
    for project in logs.projects():
        facts = [decision.value for decision in logs.decisions_on("dataset-log") if decision.project == project]
        sequences = Counter(fact["sequence"] for fact in facts)
        top = max(sequences, default=0)
        findings += listed("lost", [n for n in range(1, top + 1) if n not in sequences], f"sequences missing from the dataset log of {project}")
        findings += listed("duplicated", [n for n, count in sequences.items() if count > 1], f"sequences twice in the dataset log of {project}")
        order = [fact["sequence"] for fact in facts]
        if order != sorted(order):
            findings.append(Finding("wrong", 1, f"the dataset log of {project} is out of order"))
        position = logs.state.get((project, "datasets.position", "_"))
        if position is not None:
            findings += difference(position["sequence"], top, f"last sequence in the dataset log of {project}")
        labels = Counter(fact["sample"]["id"] for fact in facts if fact["kind"] == "label_accepted")
        labels.subtract(fact["sample_id"] for fact in facts if fact["kind"] == "label_retracted")
        findings += listed("duplicated", [sample for sample, count in labels.items() if count > 1], f"samples of {project} with several labels")
        findings += _cuts(project, facts)
    return findings


def _cuts(project: str, facts: list[dict]) -> list[Finding]:
    findings = []
    counts, ordinal = Counter(), 0
    for fact in facts:
        if fact["kind"] == "label_accepted":
            counts[fact["split"]] += 1
            continue
        if fact["kind"] in ("label_revised", "label_moved", "label_retracted"):
            counts[fact["from"] if fact["kind"] == "label_moved" else fact["split"]] -= 1
            counts[fact["split"]] += fact["kind"] != "label_retracted"
            continue
        ordinal += 1
        if fact["ordinal"] != ordinal:
            findings.append(Finding("wrong", 1, f"version {fact['ordinal']} of {project} is cut where {ordinal} is expected"))
            ordinal = fact["ordinal"]
        if fact["counts"] != {split: counts[split] for split in fact["counts"]}:
            findings.append(Finding("wrong", 1, f"the cut of version {ordinal} of {project} counts {fact['counts']}, the log holds {dict(counts)}"))
    return findings


def check_transactions(logs: Logs) -> list[Finding]:
    """No transaction of the loop is visible in part: what one entry decides stands on all its topics or on none."""
    findings = [Finding("torn", 1, f"a transaction on {topic}[{partition}] was never ended") for topic, partition in logs.hanging]
    kinds = {(entry.project, entry.number): entry.kind for entry in logs.journal}
    ordinals: dict[tuple[str, int], Counter] = defaultdict(Counter)
    for topic, decisions in logs.decisions.items():
        for decision in decisions:
            ordinals[decision.project, decision.entry][decision.ordinal] += 1
    for entry, found in sorted(ordinals.items()):
        if entry not in kinds:
            findings.append(Finding("torn", 1, f"decisions of entry {entry[1]} of {entry[0]}, which is not in the journal"))
            continue
        findings += listed("duplicated", [(*entry, n) for n, count in found.items() if count > 1], "decisions that occur twice")
        first = 1 if kinds[entry] in REFUSABLE else 0
        holes = [(*entry, n) for n in range(first, max(found)) if n not in found]
        findings += listed("torn", holes, "decisions of an entry are missing among its others (project/entry/ordinal)")
    return findings + _labels_and_tasks(logs) + _positions(logs)


def _labels_and_tasks(logs: Logs) -> list[Finding]:
    """A task closes as answered in the same step in which its label is accepted."""
    answered = Counter(
        (decision.project, decision.value["task"], decision.entry)
        for decision in logs.decisions_on("labeling-tasks") if decision.value.get("closing") == "answered")
    labels = Counter(
        (decision.project, decision.value["task"], decision.entry)
        for decision in logs.decisions_on("dataset-log") if decision.value["kind"] == "label_accepted")
    return listed("torn", (answered - labels).elements(), "tasks closed as answered without a label in the dataset log") + \
        listed("torn", (labels - answered).elements(), "labels in the dataset log whose task did not close with them")


def _positions(logs: Logs) -> list[Finding]:
    """State, committed offsets and journal end at the same entry, and every entry was applied once."""
    findings = []
    ends: dict[int, int] = {}
    for entry in logs.journal:
        ends[entry.location.partition] = max(ends.get(entry.location.partition, 0), entry.location.offset + 1)
    for partition, end in sorted(ends.items()):
        position, committed = logs.positions.get(partition, 0), logs.committed.get(partition, 0)
        if position != committed:
            findings.append(Finding("torn", 1, f"partition {partition}: the state is at {position}, the group at {committed}"))
        if committed < end:
            findings.append(Finding("wrong", 1, f"partition {partition}: the journal ends at {end}, the group is at {committed}"))
    kinds = Counter((entry.project, entry.kind) for entry in logs.journal)
    for (project, kind), count in sorted(kinds.items()):
        row = logs.state.get((project, "loop.entries", kind), 0)
        findings += difference(count, row, f"{kind} entries of {project} applied")
    return findings
