"""Everything that may keep a client out, at every command and role: is it told as what it is, and how soon?"""

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

from participants import PROJECT
from scene import ROLES, Scene
from secure_cluster import end, spawn

TIMEOUT = 5.0
COMMANDS = [
    ["topics", "create"], ["topics", "check"], ["project", "list"], ["project", "show", PROJECT], ["project", "resume", PROJECT],
    ["project", "apply", "FILE"], ["status"], ["dataset", "log", "--project", PROJECT], ["replay"],
    ["explain", "s-1", "--project", PROJECT], ["dead-letters", "list"], ["dead-letters", "show", "0/0"],
    ["dead-letters", "redrive", "--all"], ["participant", "product", "--project", PROJECT], ["participant", "label-tool"]]


def faults(scene: Scene) -> dict[str, tuple[dict[str, str], str]]:
    """By name: how the client is set up, and words that tell what it is."""
    cluster = scene.cluster
    none = {name: "" for name in ["sasl_mechanism", "sasl_username", "sasl_password"]}
    return {
        "password": (cluster.properties("operator", sasl_password="another"), "refuses user name or password"),
        "mechanism": (cluster.properties("operator", sasl_mechanism="SCRAM-SHA-512"), "set sasl.mechanism to one of PLAIN"),
        "authority": (
            cluster.properties("operator", ssl_ca_location=str(cluster.untrusted_authority)), "signed by no authority that is trusted here"),
        "expired": (cluster.properties("operator", "expired"), "certificate has expired"),
        "host_name": (cluster.properties("operator", "elsewhere"), "certificate is for another host name"),
        "plaintext": (
            cluster.properties("operator", security_protocol="plaintext", ssl_ca_location="", **none),
            "speaks TLS and this client does not"),
        "tls": (cluster.properties("operator", "admin"), "speaks TLS and the listener does not"),
        "no_sasl": (cluster.properties("operator", security_protocol="ssl", **none), "requires SASL"),
    }


def _command(scene: Scene, words: list[str], properties: dict[str, str], expected: str) -> tuple[float, str | None]:
    """Seconds to its end, and what is wrong with what it said."""
    words = [str(scene.folder / "project.yaml") if word == "FILE" else word for word in words]
    began = time.monotonic()
    try:
        done = subprocess.run(
            [str(scene.binary), *words, *scene.connection("", properties)], capture_output=True, text=True, timeout=40)
    except subprocess.TimeoutExpired:
        return 40.0, "does not end within 40 s"
    seconds = time.monotonic() - began
    if done.returncode == 0 or expected not in done.stderr:
        return seconds, f"exits with {done.returncode}: {done.stderr[-300:]}"
    return seconds, None


def _roles(scene: Scene, names: list[str], properties: dict[str, str], expected: str) -> dict[str, tuple[float, str | None]]:
    """Seconds until each role has said so; each is a worker of its own, which ends here."""
    running = {}
    for name in names:
        log = scene.folder / f"fault-{name}-{time.time_ns()}.log"
        command = [str(scene.binary), "run", "--roles", name, "--instance", "faulty", "--state", "", *scene.connection("", properties)]
        running[name] = (spawn(command, log, env=os.environ | {"FLYWHEEL_SALT": "acl"}), log, time.monotonic())
    found: dict[str, tuple[float, str | None]] = {}
    deadline = time.monotonic() + 15
    while len(found) < len(names) and time.monotonic() < deadline:
        for name, (_, log, began) in running.items():
            lines = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("{")]
            if name not in found and any(expected in json.loads(line).get("reason", "") for line in lines):
                found[name] = (time.monotonic() - began, None)
        time.sleep(0.02)
    for name, (process, log, _) in running.items():
        if name not in found:
            found[name] = (15.0, f"does not report it: {log.read_text(errors='replace')[-300:]}")
        end(process, 20, f"the role {name}")
    return found


def try_faults(scene: Scene, seed: int, short: bool) -> tuple[dict[str, float], list[str]]:
    """The longest time to the message for each fault, and what failed. The short form draws two commands and a role of each."""
    random, slowest, failures = Random(f"{seed}/faults"), {}, []
    for fault, (properties, expected) in faults(scene).items():
        commands = random.sample(COMMANDS, 2) if short else COMMANDS
        names = random.sample(ROLES, 1) if short else ROLES
        times = {f"run --roles {name}": result for name, result in _roles(scene, names, properties, expected).items()}
        with ThreadPoolExecutor(2) as pool:
            results = pool.map(lambda words: _command(scene, words, properties, expected), commands)
            times |= {" ".join(words): result for words, result in zip(commands, results)}
        slowest[fault] = round(max(seconds for seconds, _ in times.values()), 1)
        for what, (seconds, wrong) in times.items():
            if wrong is not None:
                failures.append(f"{fault}: flywheel {what} {wrong}")
            elif seconds > TIMEOUT:
                failures.append(f"{fault}: flywheel {what} reports it after {seconds:.1f} s")
    return slowest, failures
