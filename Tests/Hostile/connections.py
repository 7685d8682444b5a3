#!/usr/bin/env python3
"""Hostile connections against a worker's console and health, and how fast health answers meanwhile.

    python3 Tests/Hostile/connections.py --binary .build/release/flywheel --connections 4000 --seconds 30 --seed 1

Starts `flywheel run --roles console` on free ports (no broker is needed) and keeps that many connections open at all times,
of six kinds in equal parts, half of them at the console's port and half at health's: silent; a byte of a request every
half second; half open (part of a request, then the end of what is sent); endless headers; requests whose answers nobody
reads; and part of a request, then closed. A connection that ends is opened again within a second. Another process asks for
health at both ports every 20 ms.

Prints JSON, and exits with 1 if an answer was missing, wrong, or took longer than `--limit` milliseconds.
"""

import argparse
import json
import multiprocessing
import random
import re
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time

KINDS = ("silent", "slow", "half", "huge", "deaf", "gone")
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n"


class Hostile:
    """One hostile client, which begins again when its connection ends."""

    def __init__(self, kind: str, port: int, selector, generator: random.Random):
        self.kind, self.port, self.selector, self.generator = kind, port, selector, generator
        self.socket = None
        self.due = time.monotonic() + generator.random()
        self.opened = 0

    def begin(self, now: float):
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.opened += 1
        try:
            self.socket.connect(("127.0.0.1", self.port))
        except BlockingIOError:
            pass
        except OSError:
            return self.end(now)
        self.selector.register(self.socket, selectors.EVENT_READ, self)
        self.due = now + 0.1

    def end(self, now: float):
        if self.socket is not None:
            try:
                self.selector.unregister(self.socket)
            except KeyError:
                pass
            self.socket.close()
        self.socket = None
        self.due = now + self.generator.random()

    def readable(self, now: float):
        if self.kind == "deaf":
            # Reads nothing; only the end of the connection matters, and `step` detects it by sending.
            self.selector.unregister(self.socket)
            return
        try:
            if not self.socket.recv(65_536):
                self.end(now)
        except BlockingIOError:
            pass
        except OSError:
            self.end(now)

    def step(self, now: float):
        if self.socket is None:
            return self.begin(now)
        self.due = now + 0.5
        try:
            if self.kind == "slow":
                self.socket.send(b"G")
            elif self.kind == "half":
                self.socket.send(REQUEST)
                self.socket.shutdown(socket.SHUT_WR)
                self.due = now + 3_600
            elif self.kind == "huge":
                self.socket.send(b"X-Filler: " + b"x" * 50_000)
            elif self.kind == "deaf":
                self.socket.send(REQUEST + b"\r\n")
            elif self.kind == "gone":
                self.socket.send(REQUEST)
                self.end(now)
        except BlockingIOError:
            pass
        except OSError:
            self.end(now)


def attack(ports: list[int], connections: int, seed: int, stop, opened):
    resource.setrlimit(resource.RLIMIT_NOFILE, (connections + 100,) * 2)
    generator = random.Random(seed)
    selector = selectors.EpollSelector()
    clients = [
        Hostile(KINDS[number % len(KINDS)], ports[number // len(KINDS) % len(ports)], selector, generator)
        for number in range(connections)
    ]
    while not stop.is_set():
        now = time.monotonic()
        for client in clients:
            if client.due <= now:
                client.step(now)
        for key, _ in selector.select(0.02):
            if key.data.socket is not None:
                key.data.readable(time.monotonic())
    opened.value = sum(client.opened for client in clients)


def probe(port: int, limit: float) -> float | None:
    """Seconds until health has answered, or nothing."""
    began = time.monotonic()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=limit) as client:
            client.settimeout(limit)
            client.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            answer = client.recv(4_096)
    except OSError:
        return None
    return time.monotonic() - began if answer.startswith(b"HTTP/1.1 200") else None


def listeners(log: str, process) -> dict[str, int]:
    for _ in range(200):
        found = dict(re.findall(r'"message":"(console|health) listens","address":"http://127\.0\.0\.1:(\d+)"', open(log).read()))
        if len(found) == 2:
            return {name: int(port) for name, port in found.items()}
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit(f"the worker does not listen: {open(log).read()}")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=".build/release/flywheel")
    parser.add_argument("--connections", type=int, default=4_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=100, help="milliseconds")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < options.connections + 200:
        raise SystemExit(f"{options.connections} connections need more descriptors than the {hard} that are allowed here")
    folder = tempfile.TemporaryDirectory()
    log = f"{folder.name}/worker.log"
    command = [options.binary, "run", "--roles", "console", "--bootstrap", "127.0.0.1:1", "--port", "0", "--health-port", "0"]
    with open(log, "w") as sink:
        worker = subprocess.Popen(command, stderr=sink)
    stop, opened = multiprocessing.Event(), multiprocessing.Value("q", 0)
    try:
        ports = listeners(log, worker)
        attacker = multiprocessing.Process(
            target=attack, args=(list(ports.values()), options.connections, options.seed, stop, opened)
        )
        attacker.start()
        latencies: dict[str, list[float]] = {name: [] for name in ports}
        missing = dict.fromkeys(ports, 0)
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            for name, port in ports.items():
                seconds = probe(port, 5)
                if seconds is None:
                    missing[name] += 1
                else:
                    latencies[name].append(seconds * 1_000)
            time.sleep(0.02)
        stop.set()
        attacker.join()
        worker.send_signal(signal.SIGTERM)
        ended = worker.wait(10)
    finally:
        stop.set()
        if worker.poll() is None:
            worker.kill()
    result = {
        "connections": options.connections, "opened": opened.value, "seconds": options.seconds, "seed": options.seed,
        "worker_ended": ended,
    }
    for name, values in latencies.items():
        result[name] = {
            "answers": len(values), "missing": missing[name], "median_ms": round(percentile(values, 0.5), 2),
            "p99_ms": round(percentile(values, 0.99), 2), "slowest_ms": round(max(values, default=float("nan")), 2),
        }
    print(json.dumps(result))
    failed = ended != 0 or any(missing.values()) or any(not v or max(v) > options.limit for v in latencies.values())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
