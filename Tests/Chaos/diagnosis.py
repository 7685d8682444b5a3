"""What to know when the pipeline does not come to rest: open transactions, and what workers and brokers said last."""

import re
import time
from pathlib import Path

from kafka_wire import WireError, list_transactions, open_producers

SETTLED = {"Empty", "CompleteCommit", "CompleteAbort", "Dead"}
TOPICS = [
    "journal", "tallies", "state", "dead-letters", "labeling-tasks", "dataset-log", "training-requests", "model-releases", "release-log", "notices",
    "training-results", "dataset-versions"]
# Groups' offsets too: while a transaction is open there, nobody is told where to read on.
PARTITIONS = {f"flywheel.{topic}": [0, 1, 2, 3] for topic in TOPICS} | {"__consumer_offsets": list(range(8))}
LOUD = re.compile(r"\b(warn|warning|error|critical|fatal|OutOfMemoryError)\b", re.IGNORECASE)


def diagnose(cluster, logs: list[Path]) -> list[str]:
    """Lines for people. A broker that does not answer is one of them."""
    lines = []
    for broker in cluster.brokers:
        if not broker.is_running:
            lines.append(f"broker {broker.number} does not run")
            continue
        try:
            for name, producer, state in list_transactions(broker.address, 5):
                if state not in SETTLED:
                    lines.append(f"broker {broker.number} coordinates {name}, producer {producer}: {state}")
            for found in open_producers(broker.address, PARTITIONS):
                age = time.time() - found.last / 1_000
                lines.append(
                    f"{found.topic}[{found.partition}]: producer {found.producer}, epoch {found.epoch}, has a transaction open from "
                    f"offset {found.start}; its last record is {age:.0f} s old")
        except WireError as error:
            lines.append(str(error))
    for path in logs:
        loud = [line for line in _lines(path) if LOUD.search(line)]
        lines += [f"{path.name}: {line[:300]}" for line in loud[-8:]]
    return lines


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
