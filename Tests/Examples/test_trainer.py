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


def keep(folder, name, data, client):
    """Puts a file of a version where the trainer finds it; its URI."""
    if client:
        client.put_object(Bucket="flywheel", Key=f"version/{name}", Body=data)
        return f"s3://flywheel/version/{name}"
    (folder / name).write_bytes(data)
    return (folder / name).as_uri()


def train(rows, manifest, segment, client=None):
    """Runs the example over a version of these rows, in files or through a client of S3; the result that it reports."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        data = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        keep(folder, "rows.jsonl", data, client)
        part = {"split": "training", "path": "rows.jsonl", "size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "records": len(rows)}
        text = json.dumps(manifest | {"segments": [part | segment]}).encode()
        place = {"uri": keep(folder, "manifest.json", text, client), "size": len(text), "sha256": hashlib.sha256(text).hexdigest()}
        request = {"project": "digits", "request": "r1", "model_version": "v1", "trials": [{"inverse_regularization": 1.0}], "repeats": 1,
                   "deadline_at_ms": time.time() * 1000 + 60_000, "dataset": {"version": place["sha256"], "manifest": place}}
        results = []

        class Consumer:
            def __init__(self, *_): self.left = [types.SimpleNamespace(error=lambda: None, value=lambda: json.dumps(request))]
            def subscribe(self, *_): pass
            def commit(self, *_, **__): pass
            def poll(self, _):
                if not self.left:
                    raise SystemExit
                return self.left.pop()

        class Producer:
            def __init__(self, *_): pass
            def produce(self, *_, value, **__): results.append(json.loads(value))
            def flush(self, *_): pass

        kafka = types.SimpleNamespace(Consumer=Consumer, Producer=Producer, KafkaException=Exception)
        was = sys.argv, sys.modules.get("confluent_kafka")
        sys.argv, sys.modules["confluent_kafka"] = [str(EXAMPLE), "--artifacts", "s3://flywheel/artifacts" if client else name], kafka
        try:
            runpy.run_path(str(EXAMPLE), run_name="__main__")
        except SystemExit:
            pass
        finally:
            sys.argv = was[0]
            del sys.modules["confluent_kafka"]
        return results[0]


class Refusals(unittest.TestCase):
    def expect(self, *words, rows=None, manifest=None, segment=None):
        result = train(rows or lines(), MANIFEST | (manifest or {}), segment or {})
        self.assertEqual(result["status"], "failed")
        for word in words + ("file://", "get a newer one"):
            self.assertIn(word, result["error"])

    def test_what_is_known_is_trained_on(self):
        self.assertEqual(train(lines(), MANIFEST, {})["status"], "finished")
        self.assertEqual(train(lines(kind="label_accepted"), MANIFEST, {"kind": "labels"})["status"], "finished")

    def test_another_format_version_is_refused(self): self.expect("format_version 2", manifest={"format_version": 2})
    def test_pages_are_refused(self): self.expect("pages", manifest={"pages": [{"path": "p"}]})
    def test_tombstones_are_refused(self): self.expect("tombstones", manifest={"tombstones": [3]})
    def test_another_kind_of_segment_is_refused(self): self.expect("'page'", segment={"kind": "page"})
    def test_another_kind_of_fact_is_refused(self): self.expect("'label_retracted'", rows=lines(kind="label_retracted"))
    def test_another_kind_of_label_is_refused(self): self.expect("'boxes'", rows=lines(label={"kind": "boxes", "boxes": []}))


if __name__ == "__main__":
    unittest.main()
