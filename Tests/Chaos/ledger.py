"""The participants' ledgers: what was sent, and what the broker has acknowledged. One JSON object a line.

Predictions and feedback are numbered from 0 by topic and project; their ledgers hold ranges of acknowledged numbers:

    {"topic":"predictions","project":"alpha","attempted":1200,"acknowledged":[[0,1100],[1105,1180]]}

Annotations are few, each has a line of its own:

    {"n":17,"project":"alpha","task":"alpha-12-0","annotator":"a1","outcome":"answer","class":"7","expect":null,"partition":2,"offset":5}
    {"attempted":18}

`expect` is the reason for which an answer that is wrong on purpose must be refused.
"""

import json
from pathlib import Path


class RangeLedger:
    """Counts sends by topic and project; written whenever `flush` is called."""

    def __init__(self, path: Path):
        self.file = open(path, "a", encoding="utf-8")
        self.attempted: dict[tuple[str, str], int] = {}
        self.unflushed: dict[tuple[str, str], list[int]] = {}

    def attempt(self, topic: str, project: str) -> int:
        """The number of the next record; it counts as attempted from now on."""
        number = self.attempted.get((topic, project), 0)
        self.attempted[topic, project] = number + 1
        return number

    def acknowledge(self, topic: str, project: str, number: int) -> None:
        self.unflushed.setdefault((topic, project), []).append(number)

    def flush(self) -> None:
        for (topic, project), attempted in self.attempted.items():
            numbers = sorted(self.unflushed.get((topic, project), []))
            line = {"topic": topic, "project": project, "attempted": attempted, "acknowledged": ranges(numbers)}
            self.file.write(json.dumps(line, separators=(",", ":")) + "\n")
        self.unflushed.clear()
        self.file.flush()


class AnnotationLedger:
    """One line for each acknowledged annotation."""

    def __init__(self, path: Path):
        self.file = open(path, "a", encoding="utf-8")
        self.attempted = 0

    def attempt(self) -> int:
        self.attempted += 1
        return self.attempted - 1

    def acknowledge(self, entry: dict) -> None:
        self.file.write(json.dumps(entry, separators=(",", ":")) + "\n")

    def flush(self) -> None:
        self.file.write(json.dumps({"attempted": self.attempted}) + "\n")
        self.file.flush()


def ranges(numbers: list[int]) -> list[list[int]]:
    """Ascending numbers as ranges, both ends included."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def read_lines(path: Path) -> list[dict]:
    """A ledger's lines. The last one may be cut where its writer died."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            break
    return lines
