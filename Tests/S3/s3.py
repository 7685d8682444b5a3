#!/usr/bin/env python3
"""The demo with its versions and models on a real SeaweedFS; then what is there is verified, and counted by another reader.

`make s3` runs it. It needs what `make setup` installs, and a broker as the demo does."""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import boto3

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "Examples"))
import test_trainer

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEYS = {"AWS_ACCESS_KEY_ID": "flywheel", "AWS_SECRET_ACCESS_KEY": "a-secret-of-tests", "AWS_REGION": "us-east-1"}
options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--binary", default=str(ROOT / ".build/release/flywheel"))
options.add_argument("--seed", default="7")
options = options.parse_args()


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for listener in sockets:
        listener.bind(("127.0.0.1", 0))
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports


def start(folder):
    """A SeaweedFS that knows one identity, and its URL once it answers."""
    (folder / "data").mkdir()
    identity = {"name": "flywheel", "actions": ["Admin", "Read", "Write", "List", "Tagging"],
                "credentials": [{"accessKey": KEYS["AWS_ACCESS_KEY_ID"], "secretKey": KEYS["AWS_SECRET_ACCESS_KEY"]}]}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    ports = free_ports(8)
    names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc", "s3.port", "s3.port.grpc"]
    arguments = [str(ROOT / ".venv/bin/weed"), "-logtostderr=true", "server", f"-dir={folder}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3",
             f"-s3.config={folder}/s3.json", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0", "-master.volumeSizeLimitMB=1024",
             "-volume.max=200", "-master.volumePreallocate=false", f"-filer.localSocket={folder}/f.sock", f"-s3.localSocket={folder}/s.sock"]
    arguments += [f"-{name}={port}" for name, port in zip(names, ports)]
    process = subprocess.Popen(arguments, stdout=open(folder / "log", "w"), stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{ports[6]}"
    for _ in range(300):
        try:
            urllib.request.urlopen(url)
        except urllib.error.HTTPError as error:
            if error.code == 403:  # There, and it lets in nobody without a signature.
                return process, url
        except OSError:
            pass
        if process.poll() is not None:
            break
        time.sleep(0.1)
    process.kill()
    sys.exit(f"SeaweedFS does not answer: {(folder / 'log').read_text()[-400:]}")


def flywheel(*arguments, environment):
    return subprocess.run([options.binary, *arguments], env=environment, capture_output=True, text=True)


def segments(client, prefix, project, manifest):
    """The segments of a version without tombstones: listed by its manifest, or by the pages that this one names."""
    if manifest["format_version"] == 1:
        return manifest["segments"]
    found, pages = [], list(manifest["pages"])
    while pages:
        key = f"{prefix}/datasets/{project}/pages/{pages.pop(0)['sha256']}.json"
        page = json.loads(client.get_object(Bucket="flywheel", Key=key)["Body"].read())
        pages += page["entries"] if page["level"] else []
        found += [] if page["level"] else [entry for entry in page["entries"] if entry["kind"] == "labels"]
    return found


def count_with_polars(project, prefix, files, url, expected):
    """Where polars is installed it must read the same labels from the same URIs."""
    try:
        import polars
    except ImportError:
        print(f"skipped: {project} by polars (it is not installed)")
        return []
    storage = {"aws_endpoint_url": url, "aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"],
               "aws_region": KEYS["AWS_REGION"], "aws_allow_http": "true"}
    uris = [f"s3://flywheel/{prefix}/datasets/{project}/segments/{segment['sha256']}.jsonl" for segment in files]
    found = sum(polars.scan_ndjson(uri, storage_options=storage).select(polars.len()).collect().item() for uri in uris)
    print(f"{project}: polars counts {found} labels")
    return [f"polars finds {found} labels of {project}"] * (found != expected)


def examples(client, environment):
    """The example trainer reads a version from the bucket and puts its model there, twice the same one."""
    os.environ.update({name: environment[name] for name in [*KEYS, "AWS_ENDPOINT_URL"]})
    manifest = test_trainer.MANIFEST
    results = [test_trainer.train(test_trainer.lines(), manifest, {}, client) for _ in range(2)]
    if any(result["status"] != "finished" for result in results):
        return [f"the example trainer says {results}"]
    location = results[0]["artifact"]["uri"].removeprefix("s3://").split("/", 1)
    data = client.get_object(Bucket=location[0], Key=location[1])["Body"].read()
    print(f"the example trainer: {results[0]['artifact']['uri']}")
    return ["the example trainer's model is not what it says"] * (results[0]["artifact"] != results[1]["artifact"] or len(data) != results[0]["artifact"]["size"])


def main(folder):
    process, url = start(folder)
    try:
        environment = os.environ | KEYS | {"AWS_ENDPOINT_URL": url}
        client = boto3.client("s3", endpoint_url=url, aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
                              aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"], region_name=KEYS["AWS_REGION"])
        client.create_bucket(Bucket="flywheel")
        arguments = ["demo", "--quick", "--seed", options.seed, "--json", "--out", str(folder / "out"), "--store", "s3://flywheel/demo"]
        demo = subprocess.run([options.binary, *arguments], env=environment, stdout=subprocess.PIPE, text=True)
        if demo.returncode:
            sys.exit(f"the demo ended with {demo.returncode}")
        run = json.loads(demo.stdout)["runs"][0]
        faults = []
        keys = [entry["Key"] for entry in client.list_objects_v2(Bucket="flywheel", Prefix="demo/").get("Contents", [])]
        prefix = "/".join(keys[0].split("/")[:2])  # Each run has its own.
        for side, project in (("active", "digits"), ("random", "digits-random")):
            verify = flywheel("dataset", "verify", "--project", project, "--store", f"s3://flywheel/{prefix}/datasets", environment=environment)
            print(f"{project}: {run[side]['dataset_versions']} versions, {run[side]['promotions']} promotions; {verify.stdout.strip()}{verify.stderr.strip()}")
            faults += [f"{project} is damaged"] * (verify.returncode != 0)
            faults += [f"{project} has no version"] * (run[side]["dataset_versions"] < 1)
            faults += [f"{project} does not replay"] * (not run[side]["replay_equal"])
            show = flywheel("dataset", "show", "--project", project, "--store", f"s3://flywheel/{prefix}/datasets", environment=environment)
            manifest = json.loads(show.stdout)
            lines = 0
            for segment in segments(client, prefix, project, manifest):  # By another reader than ours.
                key = f"{prefix}/datasets/{project}/segments/{segment['sha256']}.jsonl"
                lines += client.get_object(Bucket="flywheel", Key=key)["Body"].read().count(b"\n")
            faults += count_with_polars(project, prefix, segments(client, prefix, project, manifest), url, lines)
            print(f"{project}: boto3 counts {lines} labels, the manifest {sum(manifest['counts'].values())}")
            faults += [f"{project} has {lines} labels"] * (lines != sum(manifest["counts"].values()))
        models = client.list_objects_v2(Bucket="flywheel", Prefix=f"{prefix}/models/models/").get("KeyCount", 0)
        print(f"{models} models, {run['worker_kills']} kill of the worker")
        faults += ["no model is in the bucket"] * (models < 1)
        faults += examples(client, environment)
        uploads = client.list_multipart_uploads(Bucket="flywheel").get("Uploads", [])
        faults += [f"{len(uploads)} uploads were left"] * bool(uploads)
        print("\n".join(faults) or "the store holds what it should")
        return 1 if faults else 0
    finally:
        process.kill()
        process.wait()


with tempfile.TemporaryDirectory(prefix="flywheel-s3-") as name:
    sys.exit(main(pathlib.Path(name)))
