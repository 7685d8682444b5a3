#!/usr/bin/env python3
"""The parts of the harness that can be tested without a broker.

    python Tests/Chaos/test_harness.py
"""

import socket
import struct
import subprocess
import sys
import threading
import unittest
from pathlib import Path

from kafka_wire import OpenProducer, WireError, abort_transaction, list_transactions, open_producers, open_transactions, partition_of
from ledger import ranges
from logs import Entry, Logs, RecordLocation
from processes import free_ports
from read_logs import listed_reasons
from upgrade import builds, check_builds

ROOT = Path(__file__).resolve().parent.parent.parent


class Broker:
    """Answers one request with the bytes given, and keeps what it was asked."""

    def __init__(self, response: bytes):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.address = self.server.getsockname()
        self.request = b""
        self.thread = threading.Thread(target=self._serve, args=[response], daemon=True)
        self.thread.start()

    def _serve(self, response: bytes) -> None:
        connection, _ = self.server.accept()
        with connection:
            (size,) = struct.unpack(">i", connection.recv(4))
            self.request = connection.recv(size)
            connection.sendall(struct.pack(">i", len(response)) + response)

    def close(self) -> None:
        self.thread.join(5)
        self.server.close()


def text(value: str) -> bytes:
    return bytes([len(value) + 1]) + value.encode()


class WireTests(unittest.TestCase):
    def answer(self, response: bytes) -> Broker:
        broker = Broker(response)
        self.addCleanup(broker.close)
        return broker

    def test_producers_with_an_open_transaction(self):
        def producer(number: int, start: int) -> bytes:
            return struct.pack(">qiiqiq", number, 3, 12, 1_700_000_000_000, 5, start) + b"\x00"

        led = struct.pack(">ih", 1, 0) + b"\x00" + b"\x03" + producer(7, 387) + producer(8, -1) + b"\x00"
        not_led = struct.pack(">ih", 2, 6) + text("not the leader") + b"\x01\x00"
        body = struct.pack(">i", 0) + b"\x02" + text("flywheel.journal") + b"\x03" + led + not_led + b"\x00\x00"
        broker = self.answer(struct.pack(">i", 1) + b"\x00" + body)
        found = open_producers(broker.address, {"flywheel.journal": [1, 2]})
        self.assertEqual(found, [OpenProducer("flywheel.journal", 1, 7, 3, 5, 387, 1_700_000_000_000)])
        self.assertTrue(broker.request.endswith(b"\x02" + text("flywheel.journal") + b"\x03\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00"))

    def test_a_marker_that_ends_a_transaction(self):
        def answer(code: int) -> Broker:
            partition = b"\x02" + struct.pack(">ih", 1, code) + b"\x00"
            return self.answer(struct.pack(">i", 1) + b"\x00\x02" + struct.pack(">q", 7) + b"\x02" + text("t") + partition + b"\x00\x00\x00")

        open_producer = OpenProducer("t", 1, 7, 3, 5, 387, 0)
        broker = answer(0)
        abort_transaction(broker.address, open_producer)
        self.assertTrue(broker.request.endswith(
            b"\x02" + struct.pack(">qhb", 7, 3, 0) + b"\x02" + text("t") + b"\x02\x00\x00\x00\x01\x00" + struct.pack(">i", 5) + b"\x00\x00"))
        with self.assertRaisesRegex(WireError, "error code 47"):
            abort_transaction(answer(47).address, open_producer)

    def test_transactions_of_a_response_by_state(self):
        states = [("flywheel.loop.w1", 7, "Ongoing"), ("flywheel.intake.w1", 1 << 40, "CompleteCommit")]
        body = struct.pack(">ih", 0, 0) + b"\x01" + bytes([len(states) + 1])
        for name, producer, state in states:
            body += text(name) + struct.pack(">q", producer) + text(state) + b"\x00"
        broker = self.answer(struct.pack(">i", 1) + b"\x00" + body + b"\x00")
        self.assertEqual(open_transactions(broker.address), {"flywheel.loop.w1": 7})
        # Key 66, version 0, correlation id 1, client id, no tags; no filters, no tags.
        self.assertEqual(broker.request, struct.pack(">hhih", 66, 0, 1, 14) + b"flywheel-chaos" + b"\x00" + b"\x01\x01\x00")

    def test_an_error_code_is_an_error(self):
        broker = self.answer(struct.pack(">i", 1) + b"\x00" + struct.pack(">ih", 0, 15) + b"\x01\x01\x00")
        with self.assertRaisesRegex(WireError, "error code 15"):
            list_transactions(broker.address)

    def test_a_response_that_is_cut_is_an_error(self):
        broker = self.answer(struct.pack(">i", 1) + b"\x00" + struct.pack(">ih", 0, 0) + b"\x01\x05" + text("flywheel.loop.w1"))
        with self.assertRaises(WireError):
            list_transactions(broker.address)

    def test_nobody_listening_is_an_error(self):
        with self.assertRaises(WireError):
            list_transactions(("127.0.0.1", free_ports(1)[0]))

    def test_partitions_of_coordinators_are_java_hashes(self):
        self.assertEqual(partition_of("Aa", 8), 2112 % 8)  # as "BB"
        self.assertEqual(partition_of("BB", 8), 2112 % 8)
        self.assertEqual(partition_of("polygenelubricants", 8), 0)  # hashes to the least integer of 32 bits


class ProxyTests(unittest.TestCase):
    def setUp(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        (port,) = free_ports(1)
        self.port = port
        self.proxy = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("proxy.py")), f"{port}:{self.server.getsockname()[1]}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.assertEqual(self.proxy.stdout.readline(), "ready\n")

    def tearDown(self):
        self.proxy.stdin.close()
        self.assertEqual(self.proxy.wait(5), 0)
        self.proxy.stdout.close()
        self.server.close()

    def connect(self) -> tuple[socket.socket, socket.socket]:
        client = socket.create_connection(("127.0.0.1", self.port), 5)
        broker, _ = self.server.accept()
        broker.settimeout(5)
        self.addCleanup(client.close)
        self.addCleanup(broker.close)
        return client, broker

    def ask(self, command: str) -> int:
        self.proxy.stdin.write(command + "\n")
        self.proxy.stdin.flush()
        return int(self.proxy.stdout.readline())

    def test_bytes_pass_both_ways_whole(self):
        client, broker = self.connect()
        data = bytes(range(256)) * 20_000
        sender = threading.Thread(target=client.sendall, args=[data])
        sender.start()
        received = b""
        while len(received) < len(data):
            received += broker.recv(1 << 20)
        sender.join()
        self.assertEqual(received, data)
        broker.sendall(b"answer")
        self.assertEqual(client.recv(100), b"answer")

    def test_a_cut_resets_both_sides(self):
        client, broker = self.connect()
        client.sendall(b"x")
        self.assertEqual(broker.recv(1), b"x")
        self.assertEqual(self.ask("cut 1 7"), 1)
        for side in (client, broker):
            with self.assertRaises(ConnectionResetError):
                side.recv(1)
        self.assertEqual(self.ask("count"), 0)

    def test_an_end_of_one_side_ends_the_other(self):
        client, broker = self.connect()
        broker.close()
        self.assertEqual(client.recv(1), b"")

    def test_no_broker_is_a_reset(self):
        self.server.close()
        with self.assertRaises(OSError):
            client = socket.create_connection(("127.0.0.1", self.port), 5)
            self.addCleanup(client.close)
            if client.recv(1) == b"":
                raise ConnectionResetError


class LedgerTests(unittest.TestCase):
    def test_ranges(self):
        self.assertEqual(ranges([]), [])
        self.assertEqual(ranges([1, 2, 3, 7, 9, 10]), [[1, 3], [7, 7], [9, 10]])

    def test_reasons_of_the_document(self):
        reasons = listed_reasons(ROOT / "docs/reference/reasons.md")
        self.assertLessEqual({"not_json", "unknown_task", "task_closed", "duplicate"}, reasons)
        self.assertNotIn("stage", reasons)


class UpgradeTests(unittest.TestCase):
    def sequences(self, *names: str) -> dict[str, list[str]]:
        logs = Logs()
        for number, name in enumerate(names):
            entry = Entry(RecordLocation("journal", 0, number), "alpha", number + 1, "engine", "", {"build": name}, None)
            logs.journal.append(entry)
        return builds(logs)

    def test_builds_that_take_turns(self):
        self.assertEqual(self.sequences("1", "1", "2", "1", "2", "2"), {"alpha": ["1", "2", "1", "2"]})
        self.assertEqual(check_builds(self.sequences("1", "2", "1", "2"), "2"), [])

    def test_an_upgrade_that_was_none_fails(self):
        for names in [["1"], ["2"], ["1", "2", "1"]]:
            self.assertEqual(len(check_builds(self.sequences(*names), "2")), 1, names)


if __name__ == "__main__":
    unittest.main()
