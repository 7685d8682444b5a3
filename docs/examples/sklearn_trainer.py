#!/usr/bin/env python3
"""A trainer: fits scikit-learn's logistic regression for every training request and publishes the results.

Work is at least once and idempotent: the same (request, trial, repeat) gives the same file under the same name, and of
two results Flywheel counts the first (docs/guides/trainer.md).
"""

import argparse, hashlib, json, os, pathlib, signal, time, urllib.parse, urllib.request

import numpy as np
from confluent_kafka import Consumer, KafkaException, Producer
from sklearn.linear_model import LogisticRegression

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--bootstrap", default="localhost:9092", help="Kafka brokers, host:port[,host:port]")
options.add_argument("--project", default="digits")
options.add_argument("--prefix", default="flywheel.", help="what the topic names begin with")
options.add_argument("--artifacts", type=pathlib.Path, default=pathlib.Path("artifacts"), help="where models are written")
options = options.parse_args()

stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)


def fetch(uri, sha256):
    data = urllib.request.urlopen(uri).read()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"{uri} is not the file that was sealed")
    return data


def load(dataset):
    """The training and the test part of a sealed version: for each an array of samples and an array of class names."""
    uri = dataset["manifest"]["uri"]
    manifest = json.loads(fetch(uri, dataset["manifest"]["sha256"]))
    if manifest["format"] != "flywheel-dataset" or manifest["format_version"] != 1:
        raise ValueError("this trainer knows version 1 of the format flywheel-dataset")
    rows = {"training": ([], []), "validation": ([], []), "test": ([], [])}
    for segment in manifest["segments"]:  # Paths are relative to the manifest's folder.
        for line in fetch(urllib.parse.urljoin(uri, segment["path"]), segment["sha256"]).splitlines():
            row = json.loads(line)
            samples, labels = rows[segment["split"]]
            samples.append(row["sample"]["embedding"])
            labels.append(row["label"]["class"])
    return {split: (np.array(samples), np.array(labels)) for split, (samples, labels) in rows.items()}


def train(samples, labels, recipe, seed):
    """Fits one repeat on a bootstrap resample: what varies between repeats is the data, so scores show its noise.

    The problem is convex: a warm start would change the time it takes, not the answer, so this trainer makes none.
    """
    chosen = np.random.default_rng(seed).integers(0, len(labels), len(labels))
    classes = sorted(set(labels[chosen].tolist()))
    if len(classes) == 1:  # Nothing to tell apart yet.
        return {"classes": classes, "coef": [[0.0] * samples.shape[1]], "intercept": [0.0]}
    model = LogisticRegression(C=recipe["inverse_regularization"], max_iter=2000).fit(samples[chosen], labels[chosen])
    coef, intercept = model.coef_, model.intercept_
    if len(classes) == 2:  # scikit-learn keeps one row for two classes; here every class has its own.
        coef, intercept = np.vstack([0 * coef, coef]), np.concatenate([0 * intercept, intercept])
    return {"classes": model.classes_.tolist(), "coef": coef.tolist(), "intercept": intercept.tolist()}


def write(model):
    """Writes a model under the name of its digest; a half-written file is never seen."""
    data = json.dumps(model, separators=(",", ":")).encode()
    digest = hashlib.sha256(data).hexdigest()
    path = (options.artifacts / options.project / f"{digest}.json").resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(data)
    partial.replace(path)
    return {"uri": path.as_uri(), "size": len(data), "sha256": digest}


def run(splits, recipe, trial, repeat):
    model = train(*splits["training"], recipe, seed=[trial, repeat])
    result = {"status": "finished", "artifact": write(model)}
    samples, labels = splits["test"]
    if len(labels):  # Without test labels there is no score, and saying so is better than guessing.
        logits = samples @ np.array(model["coef"]).T + np.array(model["intercept"])
        hits = np.array(model["classes"])[logits.argmax(axis=1)] == labels
        result["score"] = {"metric": "accuracy", "value": float(hits.mean()), "items": len(labels)}
    return result


def study(request):
    splits = None
    for trial, recipe in enumerate(request["trials"]):
        for repeat in range(request["repeats"]):
            if stopping or time.time() * 1000 > request["deadline_at_ms"]:  # Later results would be ignored.
                return
            started = time.monotonic()
            try:
                splits = splits or load(request["dataset"])
                result = run(splits, recipe, trial, repeat)
            except Exception as error:  # A failed repeat is a result too; without one the study waits for its deadline.
                result = {"status": "failed", "error": f"{type(error).__name__}: {error}"}
            name = {"project": options.project, "request": request["request"], "trial": trial, "repeat": repeat}
            result = name | result | {"duration_ms": int((time.monotonic() - started) * 1000)}
            producer.produce(options.prefix + "training-results", key=request["request"], value=json.dumps(result))
            print(f"{request['model_version']} trial {trial} repeat {repeat}: {result.get('score', result['status'])}", flush=True)


producer = Producer({"bootstrap.servers": options.bootstrap, "enable.idempotence": True})
consumer = Consumer({
    "bootstrap.servers": options.bootstrap, "group.id": f"{options.prefix}sklearn-trainer.{options.project}", "enable.auto.commit": False,
    "auto.offset.reset": "earliest", "isolation.level": "read_committed", "max.poll.interval.ms": 3_600_000})
consumer.subscribe([options.prefix + "training-requests"])
while not stopping:
    record = consumer.poll(0.5)
    if record is None:
        continue
    if record.error():
        raise KafkaException(record.error())
    request = json.loads(record.value())
    if request["project"] == options.project:
        study(request)
        if left := producer.flush(60):
            raise SystemExit(f"{left} results were not delivered within 60 s")
    if not stopping:  # Committed last: after a crash the request is taken up again.
        consumer.commit(record, asynchronous=False)
consumer.close()
