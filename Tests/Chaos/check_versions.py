"""Sealed dataset versions, computed again from the dataset log and compared with the files."""

import hashlib
import json
from collections import defaultdict
from typing import Callable

from findings import Finding, listed
from logs import Logs

Reader = Callable[[str], bytes]


def check_versions(logs: Logs, read: Reader) -> tuple[list[Finding], int]:
    """Every cut is sealed; every seal is of one version, whose files are whole and hold the labels of the log.

    Args:
        logs: All of them.
        read: The bytes of a file of the store by its path; raises OSError where there is none.

    Returns:
        What is wrong, and how many versions are right.
    """
    findings = []
    seals = defaultdict(set)
    for sealed in logs.sealed:
        seals[sealed.project, sealed.ordinal].add(json.dumps(sealed.value, sort_keys=True))
    cuts = _labels_at_cuts(logs)
    findings += listed("lost", sorted(cuts.keys() - seals.keys()), "versions cut and never sealed")
    findings += listed("wrong", sorted(seals.keys() - cuts.keys()), "versions sealed and never cut")
    verified = 0
    parents: dict[tuple[str, int], str] = {}
    for (project, ordinal), values in sorted(seals.items()):
        if len(values) > 1:
            findings.append(Finding("duplicated", len(values) - 1, f"version {ordinal} of {project} was sealed with different contents"))
            continue
        version = json.loads(values.pop())
        parents[project, ordinal] = version["version"]
        problems = _verify(project, version, cuts.get((project, ordinal)), parents.get((project, ordinal - 1)), read)
        findings += [Finding("wrong", 1, f"version {ordinal} of {project}: {problem}") for problem in problems]
        verified += not problems
    return findings, verified


def _labels_at_cuts(logs: Logs) -> dict[tuple[str, int], dict[int, dict]]:
    """For each cut: its labels, by sequence."""
    cuts: dict[tuple[str, int], dict[int, dict]] = {}
    labels: dict[str, dict[int, dict]] = defaultdict(dict)
    for decision in logs.decisions_on("dataset-log"):
        fact, current = decision.value, labels[decision.project]
        if fact["kind"] == "label_accepted":
            current[fact["sequence"]] = fact
        elif fact["kind"] in ("label_revised", "label_moved", "label_retracted"):
            _change(current, fact)
        elif fact["kind"] != "version_cut":
            raise ValueError(f"fact {fact['sequence']} of {decision.project} is of kind {fact['kind']!r}, which this checker does not know")
        else:
            cuts[decision.project, fact["ordinal"]] = dict(current)
    return cuts


def _change(current: dict[int, dict], fact: dict) -> None:
    """Folds a change of a label into those that hold."""
    old = current.pop(fact["replaces"], None)
    if old is None or old["sample"]["id"] != fact["sample_id"]:
        raise ValueError(f"fact {fact['sequence']} changes label {fact['replaces']} of {fact['sample_id']}, which is not in force")
    if fact["kind"] == "label_revised":
        current[fact["sequence"]] = old | {"label": fact["label"], "confidence": fact.get("confidence")}
    elif fact["kind"] == "label_moved":
        current[fact["sequence"]] = old | {"split": fact["split"]}


def _verify(project: str, version: dict, labels: dict[int, dict] | None, parent: str | None, read: Reader) -> list[str]:
    folder = f"{project}/versions/{version['version']}"
    try:
        data = read(f"{folder}/manifest.json")
    except OSError as error:
        return [f"the manifest cannot be read: {error}"]
    digest = hashlib.sha256(data).hexdigest()
    if not digest == version["version"] == version["manifest"]["sha256"] or len(data) != version["manifest"]["size"]:
        return [f"the manifest's digest is {digest} and not the version's id"]
    manifest = json.loads(data)
    if manifest["format_version"] not in (1, 2) or ("pages" in manifest) != (manifest["format_version"] == 2):
        return [f"the manifest is of form {manifest['format_version']}, this checker reads 1 and 2"]
    problems = []
    if manifest.get("parent") != parent or version.get("parent") != parent:
        problems.append(f"its parent is {manifest.get('parent')} and not {parent}")
    if (manifest["project"], manifest["ordinal"]) != (project, version["ordinal"]):
        problems.append("its manifest is of another version")
    rows: dict[int, tuple] = {}
    withdrawn: set[int] = set()
    try:
        files = manifest["segments"] if manifest["format_version"] == 1 else list(_files(project, manifest["pages"], read))
    except (OSError, ValueError) as error:
        return problems + [f"a page cannot be read: {error}"]
    for file in files:
        if file.get("kind") == "tombstones":
            problems += _tombstones(f"{project}/tombstones/{file['sha256']}.jsonl", file, withdrawn, read)
        else:
            problems += _segment(f"{project}/segments/{file['sha256']}.jsonl", file, rows, read)
    if withdrawn - rows.keys():
        problems.append(f"{len(withdrawn - rows.keys())} lines are withdrawn but do not exist")
    rows = {sequence: row for sequence, row in rows.items() if sequence not in withdrawn}
    if manifest["format_version"] > 1 and sum(manifest["counts"].values()) != len(rows):
        problems.append(f"{len(rows)} labels remain, the manifest counts {manifest['counts']}")
    if labels is not None and not problems:
        expected = {sequence: _row(fact["split"], fact) for sequence, fact in labels.items()}
        problems += [str(finding) for finding in listed("lost", sorted(expected.keys() - rows.keys()), "labels of the log that it lacks")]
        problems += [str(finding) for finding in listed("wrong", sorted(rows.keys() - expected.keys()), "labels that the log lacks before the cut")]
        problems += [f"label {n} differs from the log" for n in sorted(rows.keys() & expected.keys()) if rows[n] != expected[n]]
    return problems


def _files(project: str, pages: list[dict], read: Reader):
    """The files that pages name, those below them included."""
    for reference in pages:
        data = read(f"{project}/pages/{reference['sha256']}.json")
        page = json.loads(data)
        if hashlib.sha256(data).hexdigest() != reference["sha256"] or len(data) != reference["size"] or page["level"] != reference["level"]:
            raise ValueError(f"page {reference['sha256']} does not match its reference")
        if any(entry.get("level", -1) != page["level"] - 1 for entry in page["entries"]):
            raise ValueError(f"page {reference['sha256']} names pages of other levels")
        yield from _files(project, page["entries"], read) if page["level"] else page["entries"]


def _tombstones(path: str, file: dict, withdrawn: set[int], read: Reader) -> list[str]:
    try:
        data = read(path)
    except OSError as error:
        return [f"tombstones cannot be read: {error}"]
    if hashlib.sha256(data).hexdigest() != file["sha256"] or len(data) != file["size"]:
        return [f"{path} does not have the digest and size of its page"]
    numbers = [json.loads(line)["sequence"] for line in data.splitlines()]
    twice = [number for number in numbers if number in withdrawn]
    withdrawn.update(numbers)
    return [f"{len(twice)} lines are withdrawn twice"] if twice else []


def _segment(path: str, segment: dict, rows: dict[int, tuple], read: Reader) -> list[str]:
    try:
        data = read(path)
    except OSError as error:
        return [f"a segment cannot be read: {error}"]
    if hashlib.sha256(data).hexdigest() != segment["sha256"] or len(data) != segment["size"]:
        return [f"segment {path} does not have the digest and size of the manifest"]
    lines = data.splitlines()
    if len(lines) != segment["records"]:
        return [f"segment {path} holds {len(lines)} labels, not {segment['records']}"]
    problems = []
    for line in map(json.loads, lines):
        if line["sequence"] in rows:
            problems.append(f"label {line['sequence']} occurs in it twice")
        rows[line["sequence"]] = _row(segment["split"], line)
    return problems


def _row(split: str, line: dict) -> tuple:
    """What the log and a segment's line must agree on."""
    return (split, line["sample"]["id"], line["label"]["class"], line["task"], line.get("confidence"))
