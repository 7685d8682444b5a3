#!/usr/bin/env python3
"""Checks that the documents are true as far as a program can tell.

    deploy/check_docs.py --links-only              links and the topic table; needs no broker
    BOOTSTRAP=localhost:9092 deploy/check_docs.py  the same, and runs the marked blocks of docs/guides; needs kcat

- Every relative link of the Markdown files leads to a file, and to a heading where it names one.
- The topics of docs/reference/events.md are those of Sources/Events/TopicCatalogue.swift, in both of its tables.
- The codes of docs/reference/reasons.md are those of the code: `RecordRejection.Code` at the door, `EntryRejection.Code` in the loop.
- Every `sh` block of docs/guides under `<!-- test: run -->` ends with status 0 within a minute. A block that cannot run
  because BOOTSTRAP is not set is a failure, not a pass.

Prints one line for each check, complaints on standard error; exits with 1 if there is any.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^(```|~~~)")
LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
CODE = re.compile(r"`+[^`]*`+")
MARK = re.compile(r"<!--\s*test:\s*run\s*-->")


def documents():
    """The Markdown files that are checked: those at the root, and all in docs, schemas, deploy."""
    yield from sorted(ROOT.glob("*.md"))
    for folder in ("docs", "schemas", "deploy"):
        yield from sorted((ROOT / folder).rglob("*.md"))


def prose(text: str):
    """Line numbers, from 1, and lines outside fenced and indented blocks."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line.lstrip()):
            inside = not inside
        elif not inside and not line.startswith("    "):
            yield number, line


def anchors(path: Path):
    """The anchors that headings of a file get, as on GitHub."""
    seen: dict[str, int] = {}
    found = set()
    for _, line in prose(path.read_text(encoding="utf-8")):
        if not (match := re.match(r"#{1,6}\s+(.*?)\s*#*$", line)):
            continue
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", match.group(1)).replace("`", "").lower()
        slug = re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        found.add(f"{slug}-{count}" if count else slug)
    return found


def check_links(complaints: list[str]):
    links = 0
    for document in documents():
        name = document.relative_to(ROOT)
        for number, line in prose(document.read_text(encoding="utf-8")):
            for target in LINK.findall(CODE.sub("``", line)):
                if re.match(r"[a-z][a-z0-9+.-]*:", target):
                    continue
                links += 1
                path, _, anchor = target.partition("#")
                place = (document.parent / unquote(path)).resolve() if path else document
                if not place.is_relative_to(ROOT) or not place.exists():
                    complaints.append(f"{name}:{number}: link to {target}, which is not there")
                elif anchor and place.suffix == ".md" and anchor not in anchors(place):
                    complaints.append(f"{name}:{number}: {path or name} has no heading for #{anchor}")
    print(f"links: {links}")


def catalogue(complaints: list[str]) -> list[str]:
    """The raw values of `enum Topic`, in its order."""
    source = (ROOT / "Sources/Events/TopicCatalogue.swift").read_text(encoding="utf-8")
    match = re.search(r"enum Topic\b[^{]*\{(.*?)\n\s*(?:///|(?:public |internal )?(?:enum|var|func|init|static)\b)", source, re.S)
    topics = []
    for cases in re.findall(r"^\s*case\s+(.+)$", match.group(1) if match else "", re.M):
        for part in cases.split(","):
            case, _, raw = part.partition("=")
            topics.append(raw.strip().strip('"') or case.strip())
    if not topics:
        complaints.append("Sources/Events/TopicCatalogue.swift: found no topics; has its form changed?")
    return topics


def first_columns(text: str):
    """For every table under `## Topics`: the names in backticks in its first column."""
    section = re.search(r"^## Topics\n(.*?)(?=^## )", text, re.S | re.M)
    tables: list[list[str]] = []
    inside = False
    for line in (section.group(1) if section else "").splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        if not inside:
            tables.append([])
            inside = True
            continue
        cell = line.split("|")[1]
        tables[-1].extend(re.findall(r"`([^`]+)`", cell))
    return tables


def check_topics(complaints: list[str]):
    topics = catalogue(complaints)
    tables = first_columns((ROOT / "docs/reference/events.md").read_text(encoding="utf-8"))
    if len(tables) != 2:
        complaints.append(f"docs/reference/events.md: expected 2 tables under Topics, found {len(tables)}")
    for position, table in enumerate(tables, 1):
        for topic in sorted(set(topics) - set(table)):
            complaints.append(f"docs/reference/events.md: table {position} lacks topic {topic} of the catalogue")
        for topic in sorted(set(table) - set(topics)):
            complaints.append(f"docs/reference/events.md: table {position} names {topic}, which the catalogue lacks")
        for topic in sorted({topic for topic in table if table.count(topic) > 1}):
            complaints.append(f"docs/reference/events.md: table {position} names {topic} twice")
    print(f"topics: {len(topics)} in the catalogue")


def raw_values(path: str, owner: str) -> set[str]:
    """The raw values of the enum `Code` of a type."""
    source = (ROOT / path).read_text(encoding="utf-8")
    match = re.search(rf"struct {owner}\b.*?enum Code\b[^{{]*\{{(.*?)\n\s*(?:///.*\n\s*)*(?:\}}|public (?:var|let|init))", source, re.S)
    values = set()
    for cases in re.findall(r"^\s*case\s+(.+)$", match.group(1) if match else "", re.M):
        for part in cases.split(","):
            name, _, raw = part.partition("=")
            values.add(raw.strip().strip('"') or name.strip())
    return values


def check_codes(complaints: list[str]):
    page = (ROOT / "docs/reference/reasons.md").read_text(encoding="utf-8")
    # An entry that cannot be read never becomes one that could be refused; the loop names that reason itself.
    expected = {
        "At the door": raw_values("Sources/Events/Inputs/RecordRejection.swift", "RecordRejection"),
        "In the loop": raw_values("Sources/Vocabulary/Notices.swift", "EntryRejection") | {"unreadable_entry"},
    }
    for heading, codes in expected.items():
        section = re.search(rf"^## {heading}.*?\n(.*?)(?=^## |\Z)", page, re.S | re.M)
        listed = re.findall(r"^\| `([a-z_0-9A-Z]+)` \|", section.group(1) if section else "", re.M)
        for code in sorted(codes - set(listed)):
            complaints.append(f"docs/reference/reasons.md: {heading} lacks {code}")
        for code in sorted(set(listed) - codes):
            complaints.append(f"docs/reference/reasons.md: {heading} lists {code}, which the code lacks")
        for code in sorted(code for code in codes if not re.fullmatch(r"[a-z][a-z0-9_]*", code)):
            complaints.append(f"code {code} is not lower-case words joined by underscores")
    print(f"codes: {sum(len(codes) for codes in expected.values())}")


def blocks(document: Path):
    """Line number and text of every marked `sh` block; None for a mark without one."""
    lines = document.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if not MARK.search(line):
            continue
        start = number + 1
        while start < len(lines) and not lines[start].strip():
            start += 1
        if start >= len(lines) or lines[start].strip() not in ("```sh", "```bash"):
            yield number + 1, None
            continue
        end = start + 1
        while end < len(lines) and lines[end].strip() != "```":
            end += 1
        yield start + 1, "\n".join(lines[start + 1 : end]) if end < len(lines) else None


def run_blocks(complaints: list[str], seconds: int):
    count = 0
    bootstrap = os.environ.get("BOOTSTRAP", "")
    if not bootstrap:
        complaints.append("BOOTSTRAP is not set: name a broker, or say --links-only")
    if not shutil.which("kcat"):
        complaints.append("kcat is not installed")
    for document in sorted((ROOT / "docs/guides").glob("*.md")):
        for line, block in blocks(document):
            place = f"{document.relative_to(ROOT)}:{line}"
            count += 1
            if block is None:
                complaints.append(f"{place}: a mark without a whole sh block under it")
                continue
            if not bootstrap:
                continue
            try:
                done = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", block], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                    text=True, errors="replace", timeout=seconds)
            except subprocess.TimeoutExpired:
                complaints.append(f"{place}: not done after {seconds} s")
                continue
            if done.returncode != 0:
                complaints.append(f"{place}: status {done.returncode}: {done.stderr.strip()[-300:]}")
            print(f"{place}: status {done.returncode}, {len(done.stdout.splitlines())} lines")
    if count == 0:
        complaints.append("docs/guides: found no marked block")
    print(f"blocks: {count}")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--links-only", action="store_true", help="run no block; needs no broker")
    options.add_argument("--seconds", type=int, default=60, help="how long a block may take")
    options = options.parse_args()
    complaints: list[str] = []
    check_links(complaints)
    check_topics(complaints)
    check_codes(complaints)
    if not options.links_only:
        run_blocks(complaints, options.seconds)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"documents: {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
