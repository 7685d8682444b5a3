#!/usr/bin/env python3
"""Checks the schemas, their golden files and their counter-examples.

    python3 -m venv /tmp/schemas && /tmp/schemas/bin/pip install jsonschema
    /tmp/schemas/bin/python schemas/check.py

For every folder beside this file: the schema is valid JSON Schema 2020-12, has its own $id, describes every property
and allows fields that it does not name; every golden file is compact JSON that satisfies it; every file of invalid/ is
JSON that it refuses. Prints one line for each event; exits with 1 if anything is wrong, naming file and reason.
"""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, best_match

ROOT = Path(__file__).resolve().parent
BASE = "https://flywheel.dev/schemas/"
INPUTS = {"prediction", "feedback", "annotation", "training-result", "command", "import"}


def read(path: Path):
    """The value of a file, refusing what other readers might take differently."""

    def members(pairs):
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise ValueError("a member stands twice")
        return dict(pairs)

    def constant(name):
        raise ValueError(f"{name} is not JSON")

    return json.loads(path.read_bytes().decode("utf-8"), object_pairs_hook=members, parse_constant=constant)


def is_described(part, root) -> bool:
    """Whether a property says what it is, itself or in the definition that it refers to."""
    target = part.get("$ref") or next((option["$ref"] for option in part.get("anyOf", []) if "$ref" in option), None)
    return "description" in part or (target is not None and "description" in root["$defs"][target.split("/")[-1]])


def walk(schema, root, where="", is_condition=False):
    """Complaints about a schema: properties without description, objects closed to new fields."""
    if isinstance(schema, list):
        for item in schema:
            yield from walk(item, root, where, is_condition)
    if not isinstance(schema, dict):
        return
    if schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False:
        yield f"{where or 'the record'} is closed: fields must be free to be added"
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            for name, part in value.items():
                path = f"{where}.{name}" if where else name
                if key == "properties" and not is_condition and not is_described(part, root):
                    yield f"property {path} has no description"
                yield from walk(part, root, path, is_condition)
        elif key not in ("const", "enum", "examples"):
            yield from walk(value, root, where, is_condition or key in ("if", "then", "else"))


def check_schema(event: str, path: Path, complaints: list[str]):
    """The validator of an event, or None."""
    try:
        schema = read(path)
        Draft202012Validator.check_schema(schema)
    except (OSError, ValueError, SchemaError) as error:
        complaints.append(f"{path.relative_to(ROOT)}: {str(error).splitlines()[0]}")
        return None
    if schema.get("$id") != f"{BASE}{event}/{path.name}":
        complaints.append(f"{path.relative_to(ROOT)}: $id should be {BASE}{event}/{path.name}")
    if schema.get("$schema") != Draft202012Validator.META_SCHEMA["$id"]:
        complaints.append(f"{path.relative_to(ROOT)}: $schema should name JSON Schema 2020-12")
    complaints.extend(f"{path.relative_to(ROOT)}: {complaint}" for complaint in walk(schema, schema))
    return Draft202012Validator(schema)


def check_golden(path: Path, validator, complaints: list[str]):
    name = path.relative_to(ROOT)
    try:
        value = read(path)
    except ValueError as error:
        complaints.append(f"{name}: {error}")
        return
    failure = best_match(validator.iter_errors(value))
    if failure:
        complaints.append(f"{name}: at {failure.json_path}: {failure.message[:200]}")
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"
    if path.read_bytes() != compact.encode("utf-8"):
        complaints.append(f"{name}: not compact JSON with one newline at its end")


def check_invalid(path: Path, validator, complaints: list[str]):
    try:
        if validator.is_valid(read(path)):
            complaints.append(f"{path.relative_to(ROOT)}: accepted, but should be refused")
    except ValueError as error:
        complaints.append(f"{path.relative_to(ROOT)}: {error}")


def main() -> int:
    complaints: list[str] = []
    events = sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    goldens = counterexamples = 0
    for event in events:
        before = len(complaints)
        versions = sorted((ROOT / event).glob("v*.schema.json"), key=lambda path: int(path.name[1:].split(".")[0]))
        golden = sorted((ROOT / event / "golden").glob("*.json"))
        invalid = sorted((ROOT / event / "invalid").glob("*.json"))
        if not versions:
            complaints.append(f"{event}: no schema")
        if len(golden) < 2:
            complaints.append(f"{event}: expected at least 2 golden files, found {len(golden)}")
        if event in INPUTS and len(invalid) < 2:
            complaints.append(f"{event}: expected at least 2 counter-examples, found {len(invalid)}")
        validators = [check_schema(event, version, complaints) for version in versions]
        # Fields are only ever added, so the newest version accepts every golden file there ever was.
        if validators and (newest := validators[-1]):
            for path in golden:
                check_golden(path, newest, complaints)
            for path in invalid:
                check_invalid(path, newest, complaints)
        goldens += len(golden)
        counterexamples += len(invalid)
        verdict = "ok" if len(complaints) == before else "FAILED"
        print(f"{event}: {len(golden)} golden, {len(invalid)} refused, {verdict}")
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"{len(events)} events, {goldens} golden files, {counterexamples} counter-examples, {len(complaints)} complaints")
    return 1 if complaints or not events else 0


if __name__ == "__main__":
    sys.exit(main())
