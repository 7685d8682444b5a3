"""The checker: logs in, findings out. Shares no code with the engine, and does no I/O of its own."""

from dataclasses import dataclass

from check_intake import check_forwarding, check_sends, check_tallies, check_tokens, valid
from check_loop import AnswerOutcomes, check_annotations, check_dataset_log, check_tasks, check_transactions
from check_versions import Reader, check_versions
from findings import Finding
from logs import STRANGER, Logs


@dataclass
class Verdict:
    """What was found, and the figures."""

    findings: list[Finding]
    predictions_sent: int
    predictions_tallied: int
    annotations_sent: int
    annotations_counted: int
    tasks: int
    hostile: int
    versions_verified: int

    @property
    def lost(self) -> int:
        """What is missing; of a transaction that is visible in part, the other part."""
        return sum(finding.count for finding in self.findings if finding.kind in ("lost", "torn"))

    @property
    def duplicated(self) -> int:
        return sum(finding.count for finding in self.findings if finding.kind == "duplicated")


def check(logs: Logs, reasons: set[str], read: Reader) -> Verdict:
    """Every check.

    Args:
        logs: Topics and ledgers.
        reasons: The codes that the documents list.
        read: The bytes of a file of the datasets' store, by its path below the store's root.
    """
    outcomes = AnswerOutcomes(logs)
    findings = check_sends(logs) + check_tallies(logs) + check_forwarding(logs, reasons)
    findings += check_tokens(logs)
    findings += check_tasks(logs) + check_annotations(logs, outcomes) + check_dataset_log(logs) + check_transactions(logs)
    wrong, verified = check_versions(logs, read)
    return Verdict(
        findings=findings + wrong,
        predictions_sent=sum(valid(sends) for (topic, _), sends in logs.sends.items() if topic == "predictions"),
        predictions_tallied=sum(tally.predictions for tally in logs.tallies),
        annotations_sent=len(logs.annotation_ledger),
        annotations_counted=outcomes.counted,
        tasks=len({decision.value["task"] for decision in logs.decisions_on("labeling-tasks")}),
        versions_verified=verified,
        hostile=sum(len(sends.numbers) for (_, project), sends in logs.sends.items() if project == STRANGER),
    )
