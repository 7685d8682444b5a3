#!/usr/bin/env python3
"""The checker can fail: a log with one fault is found out, and a whole one passes.

    python Tests/Chaos/test_checker.py
"""

import copy
import hashlib
import json
import unittest

from checker import Verdict, check
from logs import Annotation, DeadLetter, Decision, Entry, Logs, RecordLocation, Sealed, Sends, Tally

REASONS = {"duplicate", "unknown_task", "task_closed", "unknown_class", "bad_probabilities"}
PROJECT = "alpha"


class Scenario:
    """A small whole run of one project: four predictions, two tasks, one of them labelled and sealed in a version."""

    def __init__(self):
        self.files: dict[str, bytes] = {}
        logs = self.logs = Logs()
        logs.sends["predictions", PROJECT] = Sends(5, [(0, 2), (3, 4)], [0, 2, 1, 3, 4], {4: "bad_probabilities"})
        logs.flawed[RecordLocation("predictions", 0, 4)] = "bad_probabilities"
        logs.spans["predictions", 0] = (0, 5)
        logs.tallies = [
            Tally(RecordLocation("tallies", 0, 0), PROJECT, "v1", "champion", 3, 0, 2, (("predictions", 0, 0, 2),)),
            Tally(RecordLocation("tallies", 0, 1), PROJECT, "v1", "champion", 1, 0, 0, (("predictions", 0, 3, 4),))]
        logs.dead_letters = [DeadLetter(RecordLocation("dead-letters", 0, 0), RecordLocation("predictions", 0, 4), "intake", "bad_probabilities")]
        self.entries()
        self.add_annotations()
        self.decisions()
        self.version()
        self.state()

    def add(self, kind: str, identity: str, entry: dict | None = None, origin: RecordLocation | None = None) -> None:
        number = len(self.logs.journal)
        self.logs.journal.append(Entry(RecordLocation("journal", 0, number), PROJECT, number + 1, kind, identity, entry or {}, origin))

    def entries(self) -> None:
        self.add("configured", "flywheel.predictions/0/0")
        self.add("candidate", "flywheel.predictions/0/0")
        self.add("candidate", "flywheel.predictions/0/2")
        for number, (task, annotator) in enumerate(
                [("alpha-3-0", "a1"), ("alpha-3-0", "a2"), ("alpha-3-0", "a2"), ("alpha-3-1", "a1"), ("alpha-9-0", "a1"), ("alpha-3-0", "a3")]):
            location = RecordLocation("annotations", 0, number)
            self.add("annotation", f"flywheel.annotations/0/{number}", {
                "task": task, "annotator": annotator, "outcome": "answer", "index": 7}, location)
        self.add("tally", "alpha-tally-1", {"tallies": [{"predictions": 4, "feedback": 0, "forwarded": 2}]})
        self.add("version_sealed", "flywheel.dataset-versions/0/0")

    def add_annotations(self) -> None:
        for entry in self.logs.journal:
            if entry.kind == "annotation":
                task, annotator, number = entry.entry["task"], entry.entry["annotator"], entry.origin.offset
                self.logs.annotations.append(Annotation(
                    entry.origin, PROJECT, task, annotator, "answer", "7", number, self.token(task)))
                self.logs.annotation_ledger.append({"n": number, "task": task, "annotator": annotator, "partition": 0, "offset": number})
        self.logs.annotations_attempted = len(self.logs.annotations)
        self.logs.dead_letters.append(
            DeadLetter(RecordLocation("dead-letters", 0, 1), RecordLocation("annotations", 0, 4), "loop", "unknown_task"))

    @staticmethod
    def token(task: str) -> str:
        return hashlib.sha256(task.encode()).hexdigest()[:32]

    def decide(self, topic: str, entry: int, ordinal: int, value: dict) -> None:
        decisions = self.logs.decisions.setdefault(topic, [])
        decisions.append(Decision(RecordLocation(topic, 0, len(decisions)), PROJECT, entry, ordinal, value))

    def decisions(self) -> None:
        for ordinal, sample in enumerate(["s-0", "s-2"]):
            self.decide("labeling-tasks", 3, ordinal, {
                "task": f"alpha-3-{ordinal}", "sample": {"id": sample}, "state": "open", "token": self.token(f"alpha-3-{ordinal}")})
        # The second answer is the fifth entry.
        self.decide("labeling-tasks", 5, 0, {"task": "alpha-3-0", "sample": {"id": "s-0"}, "state": "closed", "closing": "answered"})
        self.label = {
            "kind": "label_accepted", "sequence": 1, "sample": {"id": "s-0"}, "label": {"class": "7"}, "split": "training",
            "confidence": 0.9, "task": "alpha-3-0", "votes": [{"annotator": "a1", "index": 7}, {"annotator": "a2", "index": 7}]}
        self.decide("dataset-log", 5, 1, self.label)
        self.decide("dataset-log", 5, 2, {"kind": "version_cut", "sequence": 2, "ordinal": 1, "counts": {"training": 1, "validation": 0, "test": 0}})

    def version(self) -> None:
        line = json.dumps({
            "sample": {"id": "s-0"}, "label": {"class": "7"}, "split": "training", "confidence": 0.9, "task": "alpha-3-0", "sequence": 1})
        segment = (line + "\n").encode()
        digest = hashlib.sha256(segment).hexdigest()
        self.segment = f"{PROJECT}/segments/{digest}.jsonl"
        manifest = json.dumps({"format_version": 1, "project": PROJECT, "ordinal": 1, "segments": [
            {"split": "training", "sha256": digest, "size": len(segment), "records": 1}]}).encode()
        version = hashlib.sha256(manifest).hexdigest()
        self.manifest = f"{PROJECT}/versions/{version}/manifest.json"
        self.files = {self.segment: segment, self.manifest: manifest}
        self.logs.sealed = [Sealed(RecordLocation("dataset-versions", 0, 0), PROJECT, 1, version, {
            "project": PROJECT, "ordinal": 1, "version": version, "manifest": {"sha256": version, "size": len(manifest)}})]

    def store_file(self, folder: str, data: bytes, ending: str = "jsonl", **members) -> dict:
        """Puts a file of a version, and says how it is named."""
        digest = hashlib.sha256(data).hexdigest()
        self.files[f"{PROJECT}/{folder}/{digest}.{ending}"] = data
        return {"sha256": digest, "size": len(data), **members}

    def add_paged_version(self, changes: list[dict]) -> None:
        """Changes the label, cuts another version of form 2 of it, and seals it: pages, and a tombstone."""
        for ordinal, change in enumerate(changes):
            self.decide("dataset-log", 6, ordinal + 1, change)
        sequence = changes[-1]["sequence"]
        self.decide("dataset-log", 6, len(changes) + 1, {
            "kind": "version_cut", "sequence": sequence + 1, "ordinal": 2, "format": 2, "counts": {"training": 0, "validation": 1, "test": 0}})
        self.logs.state[PROJECT, "datasets.position", "_"] = {"sequence": sequence + 1}
        line = json.loads(self.files[self.segment])
        line |= {"label": {"class": "8"}, "split": "validation", "sequence": sequence}
        del line["confidence"]
        old = json.loads(self.files[self.manifest])["segments"][0] | {"kind": "labels"}
        entries = [
            old,
            self.store_file("segments", (json.dumps(line) + "\n").encode(), kind="labels", split="validation", records=1),
            self.store_file("tombstones", b'{"sequence":1}\n', kind="tombstones", records=1)]
        page = self.store_file("pages", json.dumps({"level": 0, "entries": entries}).encode(), "json", level=0)
        page = self.store_file("pages", json.dumps({"level": 1, "entries": [page]}).encode(), "json", level=1)
        manifest = json.dumps({
            "format_version": 2, "project": PROJECT, "ordinal": 2, "parent": self.logs.sealed[0].value["version"],
            "counts": {"training": 0, "validation": 1, "test": 0}, "pages": [page]}).encode()
        version = hashlib.sha256(manifest).hexdigest()
        self.files[f"{PROJECT}/versions/{version}/manifest.json"] = manifest
        self.logs.sealed.append(Sealed(RecordLocation("dataset-versions", 0, 1), PROJECT, 2, version, {
            "project": PROJECT, "ordinal": 2, "version": version, "parent": self.logs.sealed[0].value["version"],
            "manifest": {"sha256": version, "size": len(manifest)}}))

    def state(self) -> None:
        kinds = [entry.kind for entry in self.logs.journal]
        rows = {("loop.entries", kind): kinds.count(kind) for kind in set(kinds)}
        rows |= {("acquisition.asked", sample): "acquisition" for sample in ("s-0", "s-2")}
        rows |= {("labeling.closed", "alpha-3-0"): {"annotators": ["a1", "a2"]}}
        rows |= {("labeling.open", "alpha-3-1"): {"votes": [{"annotator": "a1", "index": 7}], "declined": []}}
        # a2 answered twice, a3 came too late, a1 answered a task that never was.
        rows |= {("loop.refusals", "duplicate"): 1, ("loop.refusals", "task_closed"): 1, ("loop.refusals", "unknown_task"): 1}
        rows |= {("datasets.position", "_"): {"sequence": 2}}
        self.logs.state = {(PROJECT, table, key): value for (table, key), value in rows.items()}
        self.logs.positions[0] = self.logs.committed[0] = len(self.logs.journal)

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]

    def check(self) -> Verdict:
        return check(self.logs, REASONS, self.read)


class CheckerTests(unittest.TestCase):
    def setUp(self):
        self.scenario = Scenario()
        self.logs = self.scenario.logs

    def assert_found(self, kind: str, text: str) -> Verdict:
        verdict = self.scenario.check()
        found = [str(finding) for finding in verdict.findings]
        self.assertTrue(
            any(finding.kind == kind and text in finding.text for finding in verdict.findings), f"no {kind} with {text!r} among {found}")
        return verdict

    def test_a_whole_run_passes(self):
        verdict = self.scenario.check()
        self.assertEqual([str(finding) for finding in verdict.findings], [])
        self.assertEqual((verdict.lost, verdict.duplicated), (0, 0))
        self.assertEqual((verdict.predictions_sent, verdict.predictions_tallied), (4, 4))
        self.assertEqual((verdict.annotations_sent, verdict.annotations_counted), (6, 3))
        self.assertEqual((verdict.tasks, verdict.versions_verified), (2, 1))

    CHANGES = [
        {"kind": "label_revised", "sequence": 3, "sample_id": "s-0", "replaces": 1, "split": "training", "label": {"class": "8"}},
        {"kind": "label_moved", "sequence": 4, "sample_id": "s-0", "replaces": 3, "from": "training", "split": "validation"}]

    def test_a_version_of_form_2_is_folded_and_read(self):
        self.scenario.add_paged_version(self.CHANGES)
        # The journal ends before the second version is announced.
        findings = [str(finding) for finding in self.scenario.check().findings if "dataset-versions/0/1" not in finding.text]
        self.assertEqual((findings, self.scenario.check().versions_verified), ([], 2))

    def test_a_tombstone_that_is_missing(self):
        self.scenario.add_paged_version(self.CHANGES)
        del self.scenario.files[next(name for name in self.scenario.files if "/tombstones/" in name)]
        self.assert_found("wrong", "tombstones cannot be read")

    def test_a_page_that_is_changed(self):
        self.scenario.add_paged_version(self.CHANGES)
        name = next(name for name in self.scenario.files if "/pages/" in name)
        self.scenario.files[name] += b" "
        self.assert_found("wrong", "does not match its reference")

    def test_a_change_that_the_version_lacks(self):
        self.scenario.add_paged_version(self.CHANGES)
        self.logs.decisions["dataset-log"].pop(-2)
        self.assert_found("wrong", "labels that the log lacks before the cut: 4")

    # One record lost.

    def test_a_lost_prediction(self):
        self.logs.sends["predictions", PROJECT].numbers.remove(1)
        self.assertEqual(self.assert_found("lost", "predictions of alpha: acknowledged and not on the topic: 1").lost, 1)

    def test_a_lost_tally(self):
        del self.logs.tallies[1]
        self.assertGreater(self.assert_found("lost", "offsets of predictions[0] in no transaction's input: 3").lost, 0)
        self.assert_found("lost", "predictions of alpha in the tallies: expected 4, found 3")

    def test_a_tally_that_the_loop_did_not_fold(self):
        self.logs.journal[9].entry["tallies"][0]["predictions"] = 3
        self.assert_found("lost", "predictions of alpha in the journal's tally entries: expected 4, found 3")

    def test_a_lost_candidate(self):
        del self.logs.journal[2]
        self.assert_found("lost", "candidates of alpha in the journal: expected 2, found 1")

    def test_a_lost_annotation_on_the_topic(self):
        del self.logs.annotations[0]
        self.assert_found("lost", "annotations: acknowledged and not where the broker said: 0")

    def test_a_lost_annotation_in_the_journal(self):
        entry = self.logs.journal.pop(6)
        self.assertEqual(entry.entry["task"], "alpha-3-1")
        self.assert_found("lost", "neither in the journal nor refused: annotations/0/3")

    def test_an_answer_that_the_loop_forgot(self):
        self.logs.state[PROJECT, "labeling.open", "alpha-3-1"]["votes"].clear()
        self.assert_found("lost", "answers to task alpha-3-1 in the state: a1")

    def test_an_entry_that_was_not_applied(self):
        self.logs.state[PROJECT, "loop.entries", "annotation"] -= 1
        self.assert_found("lost", "annotation entries of alpha applied: expected 6, found 5")

    def test_a_gap_in_the_dataset_log(self):
        self.logs.decisions["dataset-log"].pop(0)
        self.assert_found("lost", "sequences missing from the dataset log of alpha: 1")

    def test_a_selected_sample_without_task(self):
        self.logs.state[PROJECT, "acquisition.asked", "s-1"] = "acquisition"
        self.assert_found("lost", "selected samples without a task: alpha/s-1")

    def test_a_refusal_that_is_nowhere(self):
        self.logs.dead_letters.pop()
        self.assert_found("lost", "unknown task alpha-9-0 is no dead letter")

    def test_a_version_that_was_not_sealed(self):
        self.logs.sealed.clear()
        self.assert_found("lost", "versions cut and never sealed: alpha/1")

    # One record doubled.

    def test_a_doubled_prediction(self):
        self.logs.sends["predictions", PROJECT].numbers.append(1)
        self.assert_found("duplicated", "predictions of alpha: on the topic more than once: 1")

    def test_a_doubled_tally(self):
        self.logs.tallies.append(self.logs.tallies[0])
        self.assert_found("duplicated", "a transaction's tally occurs twice")
        self.assert_found("duplicated", "predictions of alpha in the tallies: expected 4, found 7")

    def test_an_input_that_two_transactions_took(self):
        self.logs.tallies[1] = self.logs.tallies[1]._replace(inputs=(("predictions", 0, 2, 4),))
        self.assert_found("duplicated", "in the inputs of two transactions: 2 to 2")

    def test_a_doubled_annotation_in_the_journal(self):
        entry = self.logs.journal[6]
        self.logs.journal.append(entry._replace(location=RecordLocation("journal", 0, 11), number=12))
        self.assert_found("duplicated", "in the journal or refused more than once: annotations/0/3")

    def test_a_forged_answer_in_the_journal(self):
        self.logs.journal[0] = self.logs.journal[0]._replace(entry={"require_tokens": True})
        # The fifth answers a task that never was.
        self.assert_found("wrong", "in the journal without the token of their task: annotations/0/4")
        self.logs.annotations[0] = self.logs.annotations[0]._replace(token=None)
        self.assert_found("wrong", "in the journal without the token of their task: annotations/0/0")

    def test_a_right_token_that_is_refused(self):
        self.logs.dead_letters.append(DeadLetter(RecordLocation("dead-letters", 0, 9), RecordLocation("annotations", 0, 1), "intake", "bad_token"))
        self.assert_found("lost", "refused for their token, which is right: annotations/0/1")

    def test_an_answer_counted_twice(self):
        self.logs.state[PROJECT, "labeling.closed", "alpha-3-0"]["annotators"].append("a2")
        self.assert_found("duplicated", "answers to task alpha-3-0 in the state: a2")

    def test_a_sample_with_two_tasks(self):
        self.scenario.decide("labeling-tasks", 4, 0, {"task": "alpha-4-0", "sample": {"id": "s-2"}, "state": "open"})
        self.assert_found("duplicated", "a sample has several tasks: alpha/s-2/alpha-3-1/alpha-4-0")

    def test_a_doubled_label(self):
        log = self.logs.decisions["dataset-log"]
        log.insert(1, copy.deepcopy(log[0]))
        self.assert_found("duplicated", "sequences twice in the dataset log of alpha: 1")
        self.assert_found("duplicated", "samples of alpha with several labels: s-0")

    # One transaction torn.

    def test_a_torn_transaction_without_its_label(self):
        # Of the fifth entry's transaction the task is visible, and the dataset log's part is not.
        self.logs.decisions["dataset-log"].clear()
        self.assertGreater(self.assert_found("torn", "tasks closed as answered without a label in the dataset log").lost, 0)

    def test_a_torn_transaction_without_its_task(self):
        self.logs.decisions["labeling-tasks"].pop()
        self.assert_found("torn", "labels in the dataset log whose task did not close with them: alpha/alpha-3-0/5")

    def test_a_torn_transaction_between_its_decisions(self):
        self.logs.decisions["labeling-tasks"].pop(0)
        self.assert_found("torn", "missing among its others (project/entry/ordinal): alpha/3/0")

    def test_a_state_that_stands_elsewhere(self):
        self.logs.positions[0] -= 1
        self.assert_found("torn", "partition 0: the state is at 10, the group at 11")

    def test_a_transaction_that_was_never_ended(self):
        self.logs.hanging.append(("journal", 0))
        self.assert_found("torn", "a transaction on journal[0] was never ended")

    # Wrong figures, wrong reasons, wrong files.

    def test_a_wrong_tally(self):
        self.logs.tallies[0] = self.logs.tallies[0]._replace(predictions=4)
        self.assert_found("duplicated", "predictions of alpha in the tallies: expected 4, found 5")

    def test_a_refusal_for_another_reason(self):
        self.logs.dead_letters[0] = self.logs.dead_letters[0]._replace(code="unknown_class")
        self.assert_found("wrong", "was refused as unknown_class, expected bad_probabilities")

    def test_a_reason_that_no_document_lists(self):
        self.logs.dead_letters[1] = self.logs.dead_letters[1]._replace(code="bad_mood")
        self.assert_found("wrong", "reasons that no document lists: bad_mood")

    def test_a_late_answer_that_was_counted(self):
        self.logs.state[PROJECT, "loop.refusals", "task_closed"] = 0
        self.assert_found("lost", "answers of alpha refused as task_closed in the state: expected 1, found 0")

    def test_votes_that_are_not_in_the_journal(self):
        self.scenario.label["votes"][1]["index"] = 1
        self.assert_found("lost", "votes of task alpha-3-0 in the dataset log")

    def test_a_flipped_byte_in_a_segment(self):
        data = bytearray(self.scenario.files[self.scenario.segment])
        data[10] ^= 1
        self.scenario.files[self.scenario.segment] = bytes(data)
        self.assertEqual(self.assert_found("wrong", "does not have the digest and size of the manifest").versions_verified, 0)

    def test_a_flipped_byte_in_a_manifest(self):
        data = bytearray(self.scenario.files[self.scenario.manifest])
        data[10] ^= 1
        self.scenario.files[self.scenario.manifest] = bytes(data)
        self.assert_found("wrong", "and not the version's id")

    def test_a_missing_segment(self):
        del self.scenario.files[self.scenario.segment]
        self.assert_found("wrong", "a segment cannot be read")

    def test_a_version_that_lacks_a_label(self):
        self.scenario.label["sequence"] = 2
        self.assert_found("wrong", "labels of the log that it lacks: 2")


if __name__ == "__main__":
    unittest.main()
