#!/usr/bin/env python3
"""A trainer: fits scikit-learn's logistic regression for every training request, and predicts with its models for services
that cannot run a challenger (docs/guides/trainer.md).

Requests are handled at least once, idempotently: the same (request, trial, repeat) yields the same file under the same name,
and Flywheel counts the first of two results."""
import argparse, base64, hashlib, json, pathlib, signal, sys, time, urllib.parse, urllib.request

import numpy as np
from collections import Counter
from confluent_kafka import Consumer, KafkaException, Producer
from sklearn.linear_model import LogisticRegression

options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--bootstrap", default="localhost:9092", help="Kafka brokers, host:port[,host:port]")
options.add_argument("--project", default="digits")
options.add_argument("--prefix", default="flywheel.", help="prefix of the topic names")
options.add_argument("--artifacts", default="artifacts", help="where models are written: a folder, or s3://BUCKET/PREFIX")
options = options.parse_args()
for name in (signal.SIGTERM, signal.SIGINT):
    signal.signal(name, lambda *_: sys.exit())


urllib.parse.uses_relative.append("s3"), urllib.parse.uses_netloc.append("s3")


def bucket(uri):
    """A client of S3, configured by AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID and the other variables of boto3, and an object's location."""
    import boto3

    name, key = uri.removeprefix("s3://").split("/", 1)
    return boto3.client("s3"), {"Bucket": name, "Key": urllib.parse.unquote(key)}


def get(uri):
    """The contents of a URI; None if there is no such object."""
    try:
        if uri.startswith("s3://"):
            client, location = bucket(uri)
            return client.get_object(**location)["Body"].read()
        return urllib.request.urlopen(uri).read()
    except Exception as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code")
        if code == "NoSuchKey" or isinstance(getattr(error, "reason", None), FileNotFoundError):
            return None
        raise


def fetch(uri, sha256, size=None):
    """A file of a version. It may be compressed (`store.compression: zstd`); size and digest are those of the uncompressed file."""
    data = get(uri)
    if data is None and size is not None and (frame := get(f"{uri}.zst")) is not None:
        import zstandard

        if not 0 <= zstandard.frame_content_size(frame) <= size:  # The size in the frame limits what decompression allocates.
            raise ValueError(f"{uri}.zst does not hold the {size} bytes that were sealed")
        data = zstandard.ZstdDecompressor().decompress(frame)
    if data is None:
        raise FileNotFoundError(uri)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"{uri} is not the file that was sealed")
    return data


def store(data):
    """Writes a model under its digest, completely or not at all; returns its URI."""
    name = f"{options.project}/{hashlib.sha256(data).hexdigest()}.json"
    if options.artifacts.startswith("s3://"):
        uri = f"{options.artifacts.rstrip('/')}/{name}"
        client, location = bucket(uri)
        try:
            client.put_object(**location, Body=data, IfNoneMatch="*")
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "PreconditionFailed":  # Otherwise the object exists, with the same bytes.
                raise
        return uri
    path = (pathlib.Path(options.artifacts) / name).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".partial").write_bytes(data)
    path.with_suffix(".partial").replace(path)  # Readers never find an incomplete file.
    return path.as_uri()


def refuse(file, member, found, *known):
    """Refuses an unknown value: without what a newer build wrote, this would be another version."""
    if found is not None:
        expect(file, member, found, *known)


def expect(file, member, found, *known):
    """Refuses a value that is absent or unknown."""
    if found not in known:
        raise ValueError(f"{file}: {member} {found!r} is unknown, this program reads {known!r}; get a newer one")


def entries(uri, manifest):
    """The files of a version, in the order of the log: labels of a split, or (format 2) the sequence numbers of deleted lines."""
    form = manifest["format_version"]
    refuse(uri, "format_version", form, 1, 2)
    for member in ("pages" if form == 1 else "segments", "tombstones"):
        refuse(uri, member, manifest.get(member))
    yield from manifest["segments"] if form == 1 else leaves(uri, manifest["pages"])


def leaves(uri, pages):
    """The files that pages and the pages below them list. All paths are relative to the manifest's folder."""
    for reference in pages:
        location = urllib.parse.urljoin(uri, reference["path"])
        page = json.loads(fetch(location, reference["sha256"]))
        refuse(location, "format_version", page["format_version"], 2)
        refuse(location, "level", page["level"], reference["level"])
        for entry in page["entries"]:  # Each level is one lower, so the recursion ends.
            refuse(location, "entries[].level", entry.get("level"), page["level"] - 1)
        yield from leaves(uri, page["entries"]) if page["level"] else page["entries"]


def load(dataset, space):
    """A sealed version: its class names in order, embeddings and class names of each split, and the lines that were left out.

    Lines without an embedding, or with one of another space than the request's (if it names none, of another length than most
    embeddings), are left out; the others are trained on."""
    uri = dataset["manifest"]["uri"]
    manifest = json.loads(fetch(uri, dataset["manifest"]["sha256"]))
    refuse(uri, "label_schema.kind", manifest["label_schema"].get("kind"), "choice")
    lines, deleted = {"training": [], "validation": [], "test": []}, set()
    for entry in entries(uri, manifest):
        kinds = ("labels", None) if manifest["format_version"] == 1 else ("labels", "tombstones")
        expect(uri, "entries[].kind", entry.get("kind"), *kinds)
        file = urllib.parse.urljoin(uri, entry["path"])
        for row in map(json.loads, filter(None, fetch(file, entry["sha256"], entry["size"]).split(b"\n"))):
            if entry.get("kind") == "tombstones":
                deleted.add(row["sequence"])
                continue
            refuse(file, "kind", row.get("kind"), "label_accepted")
            refuse(file, "label.kind", row["label"].get("kind"), "choice")
            refuse(file, "split", row.get("split"), entry["split"])
            sample = row["sample"]
            lines[entry["split"]].append((row.get("sequence"), sample.get("embedding") or [], row["label"]["class"], sample.get("space")))
    rows = {name: [row[1:] for row in part if row[0] not in deleted] for name, part in lines.items()}
    if manifest["format_version"] > 1 and manifest["counts"] != {name: len(part) for name, part in rows.items()}:
        raise ValueError(f"{uri}: it holds {[len(part) for part in rows.values()]} labels, not {manifest['counts']}")
    named = [row for row in rows["training"] if row[0] and space.get("space") in (None, row[2])]
    if not named:
        raise ValueError(f"{uri}: none of its {len(rows['training'])} training labels has an embedding of {space or 'any space'}")
    size = space.get("dimension") or Counter(len(embedding) for embedding, *_ in named).most_common(1)[0][0]

    def fits(embedding, _, name):
        near = np.linalg.norm(embedding) <= space.get("norm", np.inf)
        return len(embedding) == size and near and space.get("space") in (None, name)

    bad = {name: [at for at, row in enumerate(part) if not fits(*row)] for name, part in rows.items()}
    usable = {name: [row for row in part if fits(*row)] for name, part in rows.items()}
    parts = {name: (np.array([row[0] for row in part]), np.array([row[1] for row in part])) for name, part in usable.items()}
    return manifest["label_schema"]["classes"], parts, bad


def train(classes, parts, bad, hyperparameters, repeat):
    """Fits one repeat. The first weighs all labels equally, the others at random (mean 1, variance 1/8), to show the scores' noise."""
    samples, labels = parts["training"]
    if len(set(labels)) < 2:
        raise ValueError("there is nothing to tell apart yet: all labels are of one class")
    weights = np.random.default_rng(repeat).gamma(8, 1 / 8, len(labels)) if repeat else None
    model = LogisticRegression(C=hyperparameters["inverse_regularization"], max_iter=2000).fit(samples, labels, weights)
    coef, intercept = model.coef_, model.intercept_
    if len(intercept) == 1:  # scikit-learn has one row for two classes; here every class has one.
        coef, intercept = np.vstack([0 * coef, coef]), np.append(0, intercept)
    known = model.classes_.tolist()
    data = json.dumps({"classes": known, "coef": coef.tolist(), "intercept": intercept.tolist()}).encode()
    artifact = {"uri": store(data), "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    result = {"status": "finished", "artifact": artifact}
    samples, labels = parts["test"]
    if len(labels):  # With these predictions a challenger is judged on all test labels at once; at most 20,000.
        answers = [known[index] for index in (samples @ coef.T + intercept).argmax(axis=1)]
        result["score"] = {"metric": "accuracy", "value": float(np.mean(answers == labels)), "items": len(labels)}
        positions = [classes.index(answer) for answer in answers]
        for position in bad["test"]:  # One number for every test label; those of left-out labels are ignored.
            positions.insert(position, 0)
        result["predictions"] = {"kind": "choice", "classes": positions}
    samples_held_out, labels_held_out = parts["validation"]
    if len(labels_held_out):  # Imported labels, held out: the score is informative, no decision depends on it.
        predicted = np.array(known)[(samples_held_out @ coef.T + intercept).argmax(axis=1)]
        result["validation"] = {"metric": "accuracy", "value": float(np.mean(predicted == labels_held_out)), "items": len(labels_held_out)}
    if bad["training"] or bad["test"]:
        result["left_out"] = {"training": len(bad["training"]), "test": len(bad["test"]), "test_positions": bad["test"],
                              "example": f"no embedding of {samples.shape[-1]} numbers"}
    return result


def predict(request):
    """Predictions of champion and challenger for the candidates; without those of a model that cannot be loaded or applied."""
    answers, error = {sample["id"]: {"sample": sample["id"]} for sample in request["candidates"]}, None
    for role in ("champion", "challenger"):
        try:
            artifact = request[role]["artifact"]
            model = json.loads(fetch(artifact["uri"], artifact["sha256"]))
            coef, intercept = np.array(model["coef"]), np.array(model["intercept"])
        except Exception as failure:
            error = f"{request[role]['version']} cannot be loaded: {type(failure).__name__}: {failure}"
            continue
        for sample in request["candidates"]:
            point = np.frombuffer(base64.b64decode(sample.get("embedding", {}).get("data", "")), "<f4").astype(float)
            if len(point) != coef.shape[1]:
                error = error or f"sample {sample['id']}: its embedding has {len(point)} numbers, the model takes {coef.shape[1]}"
                continue
            name = model["classes"][int((coef @ point + intercept).argmax())]
            answers[sample["id"]][role] = {"kind": "choice", "class": name}
    return {"kind": "predicted", "answers": list(answers.values()), **({"error": error} if error else {})}


consumer = Consumer({"bootstrap.servers": options.bootstrap, "group.id": f"{options.prefix}outside-trainer.{options.project}",
                     "enable.auto.commit": False, "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
consumer.subscribe([options.prefix + "training-requests"])
producer = Producer({"bootstrap.servers": options.bootstrap, "enable.idempotence": True})
while True:
    record = consumer.poll(0.5)
    if record is None:
        continue
    if record.error():
        raise KafkaException(record.error())
    request = json.loads(record.value())
    kind = request.get("kind")
    if kind is not None:  # Other kinds, of newer builds, are skipped.
        if kind == "predict" and request["project"] == options.project and time.time() * 1000 < request["deadline_at_ms"]:
            result = predict(request) | {"project": options.project, "request": request["request"], "token": request.get("token")}
            producer.produce(options.prefix + "training-results", key=request["request"], value=json.dumps(result))
            print(f"{request['request']}: {len(result['answers'])} predicted", flush=True)
            producer.flush(60)
        consumer.commit(record, asynchronous=False)
        continue
    jobs = [(trial, repeat) for trial in range(len(request["trials"])) for repeat in range(request["repeats"])]
    for trial, repeat in jobs if request["project"] == options.project else []:
        if time.time() * 1000 > request["deadline_at_ms"]:  # Later results do not count.
            break
        try:
            result = train(*load(request["dataset"], request.get("embedding") or {}), request["trials"][trial], repeat)
        except Exception as error:  # A failure is a result, too; without one the study waits until its deadline.
            result = {"status": "failed", "error": f"{type(error).__name__}: {error}"}
        print(f"{request['model_version']} trial {trial} repeat {repeat}: {result.get('score', result['status'])}", flush=True)
        result |= {"project": options.project, "request": request["request"], "trial": trial, "repeat": repeat,
                   "dataset_version": request["dataset"]["version"],
                   "token": request.get("token")}  # Unchanged: it proves that the request was read.
        producer.produce(options.prefix + "training-results", key=request["request"], value=json.dumps(result))
    producer.flush(60)
    consumer.commit(record, asynchronous=False)  # Last: after a crash the request is handled again.
