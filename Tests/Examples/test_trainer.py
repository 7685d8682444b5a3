#!/usr/bin/env python3
"""What docs/examples/sklearn_trainer.py refuses to train on, without a broker: a consumer that yields one request stands in for it."""

import hashlib
import json
import pathlib
import runpy
import sys
import tempfile
import time
import types
import unittest

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "docs/examples/sklearn_trainer.py"
MANIFEST = {"format": "flywheel-dataset", "format_version": 1, "project": "digits", "ordinal": 1, "sequence": 9,
            "label_schema": {"kind": "choice", "classes": ["0", "1"]}}


def lines(**members):
    rows = [{"sample": {"id": f"s{n}", "embedding": [float(n % 2), 0.5]}, "label": {"kind": "choice", "class": str(n % 2)}} for n in range(8)]
    return rows[:7] + [rows[7] | members]


def store_file(folder, name, data, client):
    """Puts a file of a version where the trainer finds it; its URI."""
    if client:
        client.put_object(Bucket="flywheel", Key=f"version/{name}", Body=data)
        return f"s3://flywheel/version/{name}"
    (folder / name).write_bytes(data)
    return (folder / name).as_uri()


PACK = []  # Not empty: files of labels lie packed, after these changes to their frames.


def reference(folder, client, name, data, **members):
    """Puts a file and says how it is named."""
    frame = data
    for change in PACK if name.endswith(".jsonl") else ():
        frame = change(frame)
    store_file(folder, name if frame is data else f"{name}.zst", frame, client)
    return {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), **members}


def paged(folder, client, rows, withdrawn=(), page=(), levels=1):
    """A manifest of form 2 of these rows, without those of some numbers: pages of two files each, and pages above them."""
    files = []
    for number in range(0, len(rows), 3):
        data = b"".join(json.dumps({"sequence": number + at + 1} | row).encode() + b"\n" for at, row in enumerate(rows[number:number + 3]))
        files.append(reference(folder, client, f"rows-{number}.jsonl", data, kind="labels", split="training", records=data.count(b"\n")))
    if withdrawn:
        data = b"".join(json.dumps({"sequence": number}).encode() + b"\n" for number in withdrawn)
        files.append(reference(folder, client, "gone.jsonl", data, kind="tombstones", records=len(withdrawn)))
    for level in range(levels):
        pages = []
        for number in range(0, len(files), 2):
            data = json.dumps({"format": "flywheel-dataset-page", "format_version": 2, "level": level, "entries": files[number:number + 2]} | dict(page)).encode()
            pages.append(reference(folder, client, f"page-{level}-{number}.json", data, level=level))
        files = pages
    return MANIFEST | {"format_version": 2, "pages": files, "counts": {"training": len(rows) - len(withdrawn), "validation": 0, "test": 0}}


def run(requests):
    """Runs the example over requests as they stand on the topic; the results that it reports, and how many it committed."""
    results, committed = [], []

    class Consumer:
        def __init__(self, *_): self.pending = [types.SimpleNamespace(error=lambda: None, value=lambda text=json.dumps(each): text) for each in reversed(requests)]
        def subscribe(self, *_): pass
        def commit(self, record, **_): committed.append(record)
        def poll(self, _):
            if not self.pending:
                raise SystemExit
            return self.pending.pop()

    class Producer:
        def __init__(self, *_): pass
        def flush(self, *_): pass
        def produce(self, topic, key=None, value=None): results.append(json.loads(value))

    sys.modules["confluent_kafka"] = types.SimpleNamespace(Consumer=Consumer, Producer=Producer, KafkaException=Exception)
    with tempfile.TemporaryDirectory() as artifacts:
        sys.argv = [str(EXAMPLE), "--artifacts", artifacts]
        try:
            runpy.run_path(str(EXAMPLE), run_name="__main__")
        except SystemExit:
            pass
    return results, len(committed)


class Predictions(unittest.TestCase):
    """Requests that are no studies."""

    def request(self, folder, **members):
        data = json.dumps({"classes": ["0", "1"], "coef": [[-1.0, 0.0], [1.0, 0.0]], "intercept": [0.5, 0.0]}).encode()
        (folder / "m").write_bytes(data)
        model = {"artifact": {"uri": (folder / "m").as_uri(), "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}}
        samples = [{"id": "a", "embedding": {"kind": "float32", "data": "AACAPwAAAAA="}},  # 1, 0
                   {"id": "b", "embedding": {"kind": "float32", "data": "AACAvwAAAAA="}},  # -1, 0
                   {"id": "c"}]
        return {"project": "digits", "kind": "predict", "request": "r2", "candidates": samples, "champion": {"version": "v1"} | model,
                "challenger": {"version": "v2"} | model, "trials": [], "repeats": 0, "deadline_at_ms": time.time() * 1000 + 60_000,
                "token": "t"} | members

    def test_answers(self):
        with tempfile.TemporaryDirectory() as name:
            results, committed = run([self.request(pathlib.Path(name))])
        label = lambda name: {"kind": "choice", "class": name}
        self.assertEqual(committed, 1)
        self.assertEqual({k: v for k, v in results[0].items() if k != "answers"} | {"error": ""},
                         {"kind": "predicted", "project": "digits", "request": "r2", "token": "t", "error": ""})
        self.assertEqual(results[0]["answers"], [{"sample": "a", "champion": label("1"), "challenger": label("1")},
                                                 {"sample": "b", "champion": label("0"), "challenger": label("0")}, {"sample": "c"}])

    def test_lost_model(self):
        with tempfile.TemporaryDirectory() as name:
            lost = {"version": "v2", "artifact": {"uri": (pathlib.Path(name) / "gone").as_uri(), "sha256": "0" * 64}}
            results, _ = run([self.request(pathlib.Path(name), challenger=lost)])
        self.assertIn("v2 cannot be loaded", results[0]["error"])
        self.assertEqual([sorted(answer) for answer in results[0]["answers"]], [["champion", "sample"]] * 2 + [["sample"]])

    def test_skipped(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            others = [self.request(folder, deadline_at_ms=1), self.request(folder, project="other"), {"kind": "explain", "project": "digits"}]
            results, committed = run(others)
        self.assertEqual((results, committed), ([], 3))


def train(rows, manifest, segment, client=None, paging=None, embedding=None):
    """Runs the example over a version of these rows, in files or through a client of S3; the result that it reports.

    With `paging` the version is of form 2, and that is how."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if paging is None:
            data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
            manifest = manifest | {"segments": [reference(folder, client, "rows.jsonl", data, split="training", records=len(rows)) | segment]}
        else:
            manifest = paged(folder, client, rows, **paging) | manifest
        text = json.dumps(manifest).encode()
        manifest_reference = {"uri": store_file(folder, "manifest.json", text, client), "size": len(text), "sha256": hashlib.sha256(text).hexdigest()}
        request = {"project": "digits", "request": "r1", "model_version": "v1", "trials": [{"inverse_regularization": 1.0}], "repeats": 1,
                   "deadline_at_ms": time.time() * 1000 + 60_000, "dataset": {"version": manifest_reference["sha256"], "manifest": manifest_reference}}
        if embedding:
            request["embedding"] = embedding
        results = []

        class Consumer:
            def __init__(self, *_): self.pending = [types.SimpleNamespace(error=lambda: None, value=lambda: json.dumps(request))]
            def subscribe(self, *_): pass
            def commit(self, *_, **__): pass
            def poll(self, _):
                if not self.pending:
                    raise SystemExit
                return self.pending.pop()

        class Producer:
            def __init__(self, *_): pass
            def produce(self, *_, value, **__): results.append(json.loads(value))
            def flush(self, *_): pass

        kafka = types.SimpleNamespace(Consumer=Consumer, Producer=Producer, KafkaException=Exception)
        saved = sys.argv, sys.modules.get("confluent_kafka")
        sys.argv, sys.modules["confluent_kafka"] = [str(EXAMPLE), "--artifacts", "s3://flywheel/artifacts" if client else name], kafka
        try:
            runpy.run_path(str(EXAMPLE), run_name="__main__")
        except SystemExit:
            pass
        finally:
            sys.argv = saved[0]
            del sys.modules["confluent_kafka"]
        return results[0]


class Refusals(unittest.TestCase):
    def expect(self, *words, rows=None, manifest=None, segment=None, paging=None):
        result = train(rows or lines(), (MANIFEST if paging is None else {}) | (manifest or {}), segment or {}, paging=paging)
        self.assertEqual(result["status"], "failed")
        for word in words + ("file://", "get a newer one"):
            self.assertIn(word, result["error"])

    def test_what_is_known_is_trained_on(self):
        self.assertEqual(train(lines(), MANIFEST, {})["status"], "finished")
        self.assertEqual(train(lines(kind="label_accepted"), MANIFEST, {"kind": "labels"})["status"], "finished")

    def test_another_format_version_is_refused(self): self.expect("format_version 3", manifest={"format_version": 3})
    def test_pages_are_refused(self): self.expect("pages", manifest={"pages": [{"path": "p"}]})
    def test_tombstones_are_refused(self): self.expect("tombstones", manifest={"tombstones": [3]})
    def test_another_kind_of_segment_is_refused(self): self.expect("'page'", segment={"kind": "page"})
    def test_another_kind_of_fact_is_refused(self): self.expect("'label_retracted'", rows=lines(kind="label_retracted"))
    def test_another_kind_of_label_is_refused(self): self.expect("'boxes'", rows=lines(label={"kind": "boxes", "boxes": []}))

    def test_pages_are_walked_and_tombstones_applied(self):
        rows = lines() + [{"sample": {"id": "bad", "embedding": [9.0, 9.0, 9.0]}, "label": {"kind": "choice", "class": "0"}}]
        for levels in (1, 2, 3):
            whole = train(rows, {}, {}, paging={"levels": levels})
            self.assertEqual((whole["status"], whole["left_out"]["training"]), ("finished", 1))
            without = train(rows, {}, {}, paging={"levels": levels, "withdrawn": [9]})
            self.assertEqual(without["status"], "finished")
            self.assertNotIn("left_out", without)
            self.assertEqual(without["artifact"]["sha256"], train(lines(), MANIFEST, {})["artifact"]["sha256"])

    def test_packed_files_are_read_and_their_size_is_that_of_the_text(self):
        import zstandard

        plain = train(lines(), MANIFEST, {})["artifact"]
        pack = zstandard.ZstdCompressor().compress
        self.addCleanup(PACK.clear)
        PACK[:] = [pack]
        self.assertEqual(train(lines(), MANIFEST, {})["artifact"]["sha256"], plain["sha256"])
        paged = train(lines(), {}, {}, paging={"levels": 2})
        self.assertEqual(paged["status"], "finished")
        for change, words in ((lambda text: pack(b"{" * (100 << 20)), "does not hold"), (lambda text: pack(text[:-1] + b" "), "is not the file"),
                              (lambda text: b"no frame", ""), (lambda text: pack(text)[:-4], "")):
            PACK[:] = [change]
            result = train(lines(), MANIFEST, {})
            self.assertEqual(result["status"], "failed")
            self.assertIn(words, result["error"])

    def test_other_counts_than_the_manifests_are_refused(self):
        result = train(lines(), {"counts": {"training": 7, "validation": 0, "test": 0}}, {}, paging={})
        self.assertIn("it holds [8, 0, 0] labels", result["error"])

    def test_labels_of_another_space_than_the_requests_are_left_out(self):
        far = [{"sample": {"id": "far", "embedding": [900.0, 0.5]}, "label": {"kind": "choice", "class": "0"}}]
        old = [{"sample": {"id": "old", "embedding": [9.0, 9.0], "space": "a"}, "label": {"kind": "choice", "class": "0"}}]
        rows = [row | {"sample": row["sample"] | {"space": "b"}} for row in lines()]
        plain = train(rows, MANIFEST, {})["artifact"]["sha256"]
        for more, embedding in ((old, {"space": "b"}), (lines(), {"space": "b"}), (far, {"dimension": 2, "norm": 40.0}),
                                ([{**far[0], "sample": {"id": "long", "embedding": [1.0] * 3}}] * 20, {"dimension": 2})):
            result = train(rows + more, MANIFEST, {}, embedding=embedding)
            self.assertEqual((result["left_out"]["training"], result["artifact"]["sha256"]), (len(more), plain))
        result = train(rows, MANIFEST, {}, embedding={"space": "c"})
        self.assertIn("none of its 8 training labels has an embedding of {'space': 'c'}", result["error"])

    def test_a_line_of_another_split_is_refused(self):
        self.expect("split 'test'", rows=lines(split="test"))
        self.expect("split 'test'", rows=lines(split="test"), paging={})

    def test_an_entry_without_a_kind_is_refused_in_form_2(self):
        self.expect("entries[].kind None", paging={"page": {"entries": [{"split": "training", "path": "x", "sha256": ""}]}})

    def test_a_newer_page_is_refused(self): self.expect("format_version 3", paging={"page": {"format_version": 3}})
    def test_another_level_is_refused(self): self.expect("level 4", paging={"page": {"level": 4}})
    def test_segments_beside_pages_are_refused(self): self.expect("segments", manifest={"segments": [1]}, paging={})
    def test_another_kind_of_entry_is_refused(self):
        self.expect("'boxes'", paging={"page": {"entries": [{"kind": "boxes", "path": "x", "sha256": ""}]}})


if __name__ == "__main__":
    unittest.main()
