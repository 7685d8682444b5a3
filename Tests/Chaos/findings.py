"""What a check finds."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One kind of fault. `kind` is `lost`, `duplicated`, `torn` or `wrong`; `count` is how many records it concerns."""

    kind: str
    count: int
    text: str

    def __str__(self) -> str:
        return f"{self.kind} ({self.count}): {self.text}"


def listed(kind: str, items, text: str) -> list[Finding]:
    """A finding about these items, with the first few of them named; none if there are none."""
    items = list(items)
    if not items:
        return []
    names = ", ".join(name(item) for item in items[:5])
    return [Finding(kind, len(items), f"{text}: {names}{', …' if len(items) > 5 else ''}")]


def name(item) -> str:
    """As people write it: a location as topic/partition/offset, a pair with slashes."""
    if isinstance(item, tuple):
        return "/".join(name(part) for part in item)
    return str(item)


def difference(expected: int, found: int, text: str) -> list[Finding]:
    """What is missing was lost, what is too many was doubled."""
    if found < expected:
        return [Finding("lost", expected - found, f"{text}: expected {expected}, found {found}")]
    if found > expected:
        return [Finding("duplicated", found - expected, f"{text}: expected {expected}, found {found}")]
    return []
