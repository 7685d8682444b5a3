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
    for decision in logs.of("dataset-log"):
        fact = decision.value
        if fact["kind"] == "label_accepted":
            labels[decision.project][fact["sequence"]] = fact
        elif fact["kind"] != "version_cut":
            raise ValueError(f"fact {fact['sequence']} of {decision.project} is of kind {fact['kind']!r}, which this checker does not know")
        else:
            cuts[decision.project, fact["ordinal"]] = dict(labels[decision.project])
    return cuts


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
    if manifest["format_version"] != 1 or "pages" in manifest:
        return [f"the manifest is of form {manifest['format_version']}, this checker reads 1"]
    problems = []
    if manifest.get("parent") != parent or version.get("parent") != parent:
        problems.append(f"its parent is {manifest.get('parent')} and not {parent}")
    if (manifest["project"], manifest["ordinal"]) != (project, version["ordinal"]):
        problems.append("its manifest is of another version")
    rows: dict[int, tuple] = {}
    for segment in manifest["segments"]:
        problems += _segment(f"{project}/segments/{segment['sha256']}.jsonl", segment, rows, read)
    if labels is not None and not problems:
        expected = {sequence: _row(fact["split"], fact) for sequence, fact in labels.items()}
        problems += [str(finding) for finding in listed("lost", sorted(expected.keys() - rows.keys()), "labels of the log that it lacks")]
        problems += [str(finding) for finding in listed("wrong", sorted(rows.keys() - expected.keys()), "labels that the log lacks before the cut")]
        problems += [f"label {n} differs from the log" for n in sorted(rows.keys() & expected.keys()) if rows[n] != expected[n]]
    return problems


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
            problems.append(f"label {line['sequence']} stands in it twice")
        rows[line["sequence"]] = _row(segment["split"], line)
    return problems


def _row(split: str, line: dict) -> tuple:
    """What the log and a segment's line must agree on."""
    return (split, line["sample"]["id"], line["label"]["class"], line["task"], line["confidence"])
