#!/usr/bin/env python3
"""Writes tokens.json: tokens as Python's hmac makes them, from docs/reference/events.md alone. Run once; the result is committed.

    python3 Tests/IntakeTests/Golden/make_tokens.py
"""

import hashlib
import hmac
import json
from pathlib import Path


def token(secret: str, topic: str, project: str, name: str) -> str:
    parts = [part.encode() for part in (topic, project, name)]
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()[:32]


def derived(salt: bytes) -> str:
    return hashlib.sha256(b"flywheel tokens\0" + salt).hexdigest()


SECRETS = ["a secret of an example, for no use", "0123456789abcdef", "sécret of ünïcode bytes", "k" * 200]
NAMES = [
    ("flywheel.labeling-tasks", "digits", "digits-412-0"), ("flywheel.training-requests", "digits", "digits-530-1"),
    ("flywheel.training-requests", "digits", "digits-412-0"), ("labeling-tasks", "digits", "digits-412-0"),
    ("flywheel.labeling-tasks", "digit", "sdigits-412-0"), ("flywheel.labeling-tasks", "digits", "προϊόντα"),
    ("flywheel.labeling-tasks", "digits", "x" * 256)]
SALTS = ["", "000102", "ff" * 32]

if __name__ == "__main__":
    golden = {
        "tokens": [
            {"secret": secret, "topic": topic, "project": project, "id": name, "token": token(secret, topic, project, name)}
            for secret in SECRETS for topic, project, name in NAMES],
        "derived": [
            {"salt": salt, "secret": derived(bytes.fromhex(salt)), "topic": topic, "project": project, "id": name,
             "token": token(derived(bytes.fromhex(salt)), topic, project, name)}
            for salt in SALTS for topic, project, name in NAMES[:2]],
    }
    (Path(__file__).parent / "tokens.json").write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")
