"""What Intake must have kept: every record sent is on its topic, counted once, forwarded once or refused for a reason."""

from collections import Counter

from findings import Finding, difference, listed
from logs import Logs, RecordLocation, Sends


def check_sends(logs: Logs) -> list[Finding]:
    """The participants' ledgers against the topics: what was acknowledged is there once, and nothing that was not sent."""
    findings = []
    for (topic, project), sends in sorted(logs.sends.items()):
        counts = Counter(sends.numbers)
        about = f"{topic} of {project}"
        missing = [n for first, last in sends.acknowledged for n in range(first, last + 1) if n not in counts]
        findings += listed("lost", missing, f"{about}: acknowledged and not on the topic")
        findings += listed("duplicated", [n for n, count in counts.items() if count > 1], f"{about}: on the topic more than once")
        findings += listed("wrong", [n for n in counts if n >= sends.attempted], f"{about}: never sent")
    locations = {annotation.location: annotation for annotation in logs.annotations}
    numbers = Counter(annotation.number for annotation in logs.annotations)
    findings += listed("duplicated", [n for n, count in numbers.items() if count > 1], "annotations: on the topic more than once")
    findings += listed("wrong", [n for n in numbers if n >= logs.annotations_attempted], "annotations: never sent")
    missing = []
    for line in logs.annotation_ledger:
        found = locations.get(RecordLocation("annotations", line["partition"], line["offset"]))
        if found is None or found.number != line["n"]:
            missing.append(line["n"])
    return findings + listed("lost", missing, "annotations: acknowledged and not where the broker said")


def check_tallies(logs: Logs) -> list[Finding]:
    """Sums by project equal what is on the topics; no transaction's input is counted twice, none is left out."""
    findings = []
    for (topic, project), sends in sorted(logs.sends.items()):
        if topic not in ("predictions", "feedback"):
            continue
        expected = len(sends.numbers) - len(sends.flawed)
        found = sum(
            tally.predictions if topic == "predictions" else tally.feedback
            for tally in logs.tallies if tally.project == project)
        findings += difference(expected, found, f"{topic} of {project} in the tallies")
    for project in sorted({tally.project for tally in logs.tallies}):
        findings += _folded(logs, project)
    twice = Counter((tally.project, tally.version, tally.role, tally.inputs) for tally in logs.tallies)
    findings += listed("duplicated", [key[:3] for key, count in twice.items() if count > 1], "a transaction's tally occurs twice")
    return findings + _tiling(logs)


def _folded(logs: Logs, project: str) -> list[Finding]:
    """The loop folds all tallies into journal entries: the sums are the same."""
    entries = [part for entry in logs.journal if entry.project == project and entry.kind == "tally" for part in entry.entry["tallies"]]
    tallies = [tally for tally in logs.tallies if tally.project == project]
    findings = []
    for name in ("predictions", "feedback", "forwarded"):
        findings += difference(
            sum(getattr(tally, name) for tally in tallies), sum(part[name] for part in entries),
            f"{name} of {project} in the journal's tally entries")
    candidates = sum(entry.project == project and entry.kind == "candidate" for entry in logs.journal)
    return findings + difference(sum(tally.forwarded for tally in tallies), candidates, f"candidates of {project} in the journal")


def _tiling(logs: Logs) -> list[Finding]:
    """The inputs of Intake's transactions cover each partition of `predictions` without gap or overlap."""
    dead = {letter.origin for letter in logs.dead_letters}
    findings = []
    for (topic, partition), (low, end) in sorted(logs.spans.items()):
        if topic != "predictions":
            continue
        runs = sorted({run[2:] for tally in logs.tallies for run in tally.inputs if run[:2] == (topic, partition)})
        next_offset = low
        for first, last in [*runs, (end, end - 1)]:
            # A transaction of refused records alone writes no tally.
            gap = [offset for offset in range(next_offset, first) if RecordLocation(topic, partition, offset) not in dead]
            findings += listed("lost", gap, f"offsets of {topic}[{partition}] in no transaction's input")
            if first < next_offset:
                findings.append(Finding(
                    "duplicated", min(last + 1, next_offset) - first,
                    f"offsets of {topic}[{partition}] in the inputs of two transactions: {first} to {min(last, next_offset - 1)}"))
            next_offset = max(next_offset, last + 1)
    return findings


def check_forwarding(logs: Logs, reasons: set[str]) -> list[Finding]:
    """Every record of a topic that Intake passes on whole is in the journal once, or in the dead letters once."""
    findings = []
    # A revision is announced under the id of the entry behind it.
    journal = Counter(
        entry.origin or _location_of(entry.id) for entry in logs.journal if entry.kind not in ("configured", "tick", "tally", "engine"))
    intake_refusals = Counter(letter.origin for letter in logs.dead_letters if letter.stage == "intake")
    expected = [annotation.location for annotation in logs.annotations] + logs.results + [sealed.location for sealed in logs.sealed]
    findings += listed("lost", [location for location in expected if journal[location] + intake_refusals[location] == 0], "neither in the journal nor refused")
    findings += listed(
        "duplicated", [location for location, count in (journal + intake_refusals).items() if count > 1], "in the journal or refused more than once")
    findings += listed("wrong", [location for location in journal if location in logs.flawed], "forwarded although it is wrong")
    findings += listed("lost", [location for location in logs.flawed if intake_refusals[location] == 0], "wrong on purpose, and no dead letter")
    for letter in logs.dead_letters:
        wanted = logs.flawed.get(letter.origin)
        if wanted is not None and letter.code != wanted:
            findings.append(Finding("wrong", 1, f"{letter.origin} was refused as {letter.code}, expected {wanted}"))
        if letter.origin.topic in ("predictions", "feedback") and wanted is None:
            findings.append(Finding("wrong", 1, f"a good record was refused: {letter.origin} as {letter.code}"))
    findings += listed("wrong", sorted({letter.code for letter in logs.dead_letters} - reasons), "reasons that no document lists")
    feedback = Counter(entry.project for entry in logs.journal if entry.kind == "feedback")
    for (topic, project), sends in sorted(logs.sends.items()):
        if topic == "feedback":
            findings += difference(len(sends.numbers) - len(sends.flawed), feedback[project], f"feedback of {project} in the journal")
    return findings


def check_tokens(logs: Logs) -> list[Finding]:
    """An answer is refused for its token if that is not the task's, before anything of it stands in the journal; and only then.

    Where a revision without `require_tokens` was ever in force, an older build may have let it through.
    """
    tokens = {decision.value["task"]: decision.value["token"] for decision in logs.decisions_on("labeling-tasks") if "token" in decision.value}
    revisions = [(entry.project, entry.entry.get("require_tokens", False)) for entry in logs.journal if entry.kind == "configured"]
    strict = {project for project, _ in revisions} - {project for project, is_required in revisions if not is_required}
    refused = {letter.origin for letter in logs.dead_letters if letter.code in ("bad_token", "missing_token")}
    journal = {entry.origin for entry in logs.journal if entry.kind == "annotation"}
    good = {
        annotation.location for annotation in logs.annotations
        if annotation.token is not None and annotation.token == tokens.get(annotation.task)}
    forged = [
        annotation.location for annotation in logs.annotations
        if annotation.project in strict and annotation.location not in good and annotation.location in journal]
    return listed("lost", [location for location in good if location in refused], "refused for their token, which is right") + \
        listed("wrong", forged, "in the journal without the token of their task")


def _location_of(identity: str) -> RecordLocation:
    """From an entry's id: topic, partition and offset of the record behind it."""
    topic, partition, offset = identity.rsplit("/", 2)
    return RecordLocation(topic.removeprefix("flywheel."), int(partition), int(offset))


def valid(sends: Sends) -> int:
    return len(sends.numbers) - len(sends.flawed)
