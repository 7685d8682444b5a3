"""Requests of the Kafka protocol that the Python client does not offer, written by hand.

`ListTransactions` (api key 66) asks a broker for the transactions that it coordinates; the command-line tools can do it too,
but a JVM takes a second to start, and an open transaction of a worker lives for some fifty milliseconds. Where the
coordinators of groups and transactional ids stand follows from a hash, so nothing needs to be asked for that.
`DescribeProducers` (61) asks the leader of partitions which producers have a transaction open there, and `WriteTxnMarkers` (27)
ends one, as `kafka-transactions.sh abort` does.
"""

import socket
import struct
from typing import NamedTuple

LIST_TRANSACTIONS = 66
DESCRIBE_PRODUCERS = 61
WRITE_TXN_MARKERS = 27
CLIENT_ID = b"flywheel-chaos"


class WireError(Exception):
    """A broker that did not answer, or answered with an error."""


def partition_of(name: str, partitions: int) -> int:
    """The partition of `__consumer_offsets` or `__transaction_state` whose leader coordinates a group or a transactional id."""
    code = 0
    for unit in name.encode("ascii"):  # Java's String.hashCode; our names are ASCII
        code = (31 * code + unit) & 0xFFFFFFFF
    return (code & 0x7FFFFFFF) % partitions


def open_transactions(address: tuple[str, int], timeout: float = 1.0) -> dict[str, int]:
    """The transactional ids whose transaction is open (state Ongoing) at this broker, each with its producer id."""
    found = {}
    for name, producer, state in list_transactions(address, timeout):
        if state == "Ongoing":
            found[name] = producer
    return found


def list_transactions(address: tuple[str, int], timeout: float = 1.0) -> list[tuple[str, int, str]]:
    """Transactional id, producer id and state of every transaction that this broker coordinates.

    A broker whose coordinator is still loading answers with an error; so does one that has just lost that role.
    """
    # No filter of states, none of producers, no tagged fields.
    body = _call(address, LIST_TRANSACTIONS, 0, b"\x01\x01\x00", timeout)
    reader = _Reader(body)
    reader.int32()  # throttle time
    if error := reader.int16():
        raise WireError(f"broker {address[0]}:{address[1]} answers ListTransactions with error code {error}")
    for _ in range(reader.length()):
        reader.text()  # states that the broker does not know: we named none
    transactions = []
    for _ in range(reader.length()):
        transactions.append((reader.text(), reader.int64(), reader.text()))
        reader.tags()
    return transactions


class OpenProducer(NamedTuple):
    """A producer with an open transaction on a partition. `start` is its first offset, `last` in milliseconds since 1970."""

    topic: str
    partition: int
    producer: int
    epoch: int
    coordinator_epoch: int
    start: int
    last: int


def open_producers(address: tuple[str, int], topics: dict[str, list[int]], timeout: float = 5.0) -> list[OpenProducer]:
    """Whose transactions are open on these partitions, as their leader knows them. Partitions that it does not lead are left out."""
    body = _size(len(topics))
    for topic, partitions in topics.items():
        name = topic.encode()
        body += _size(len(name)) + name + _size(len(partitions)) + b"".join(struct.pack(">i", number) for number in partitions) + b"\x00"
    reader = _Reader(_call(address, DESCRIBE_PRODUCERS, 0, body + b"\x00", timeout))
    reader.int32()  # throttle time
    found = []
    for _ in range(reader.length()):
        topic = reader.text()
        for _ in range(reader.length()):
            partition = reader.int32()
            reader.int16()  # an error: of a partition that it does not lead
            reader.text()
            for _ in range(reader.length()):
                producer, epoch, _, last, coordinator_epoch, start = (
                    reader.int64(), reader.int32(), reader.int32(), reader.int64(), reader.int32(), reader.int64())
                reader.tags()
                if start >= 0:
                    found.append(OpenProducer(topic, partition, producer, epoch, coordinator_epoch, start, last))
            reader.tags()
        reader.tags()
    return found


def abort_transaction(address: tuple[str, int], open_producer: OpenProducer, timeout: float = 5.0) -> None:
    """Writes the marker that a coordinator should have written, at the leader of its partition."""
    topic = open_producer.topic.encode()
    body = _size(1) + struct.pack(">qhb", open_producer.producer, open_producer.epoch, 0)
    body += _size(1) + _size(len(topic)) + topic + _size(1) + struct.pack(">i", open_producer.partition) + b"\x00"
    body += struct.pack(">i", max(0, open_producer.coordinator_epoch)) + b"\x00"
    reader = _Reader(_call(address, WRITE_TXN_MARKERS, 1, body + b"\x00", timeout))
    for _ in range(reader.length()):
        reader.int64()
        for _ in range(reader.length()):
            reader.text()
            for _ in range(reader.length()):
                reader.int32()
                if error := reader.int16():
                    raise WireError(f"broker {address[0]}:{address[1]} answers WriteTxnMarkers with error code {error}")
                reader.tags()
            reader.tags()
        reader.tags()


def _size(count: int) -> bytes:
    """The length of a compact array or text of fewer than 127."""
    return bytes([count + 1])


def _call(address: tuple[str, int], key: int, version: int, body: bytes, timeout: float) -> bytes:
    """One request with a flexible header (version 2) on a connection of its own; returns the response's body."""
    header = struct.pack(">hhih", key, version, 1, len(CLIENT_ID)) + CLIENT_ID + b"\x00"
    try:
        with socket.create_connection(address, timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
            (size,) = struct.unpack(">i", _receive(connection, 4))
            response = _receive(connection, size)
    except OSError as error:
        raise WireError(f"broker {address[0]}:{address[1]}: {error}") from error
    reader = _Reader(response)
    if (correlation := reader.int32()) != 1:
        raise WireError(f"broker {address[0]}:{address[1]} answers request {correlation} instead of ours")
    reader.tags()
    return response[reader.position :]


def _receive(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise OSError("the connection was closed in the middle of a response")
        data += piece
    return data


class _Reader:
    """The primitive types of the protocol's flexible versions."""

    def __init__(self, data: bytes):
        self.data = data
        self.position = 0

    def _unpack(self, form: str, size: int) -> int:
        if self.position + size > len(self.data):
            raise WireError("a response ends too early")
        (value,) = struct.unpack_from(form, self.data, self.position)
        self.position += size
        return value

    def int16(self) -> int:
        return self._unpack(">h", 2)

    def int32(self) -> int:
        return self._unpack(">i", 4)

    def int64(self) -> int:
        return self._unpack(">q", 8)

    def uvarint(self) -> int:
        value = shift = 0
        while True:
            byte = self._unpack(">B", 1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def length(self) -> int:
        """Of a compact array or text: one more than the number, 0 for null."""
        return max(0, self.uvarint() - 1)

    def text(self) -> str:
        size = self.length()
        piece = self.data[self.position : self.position + size]
        self.position += size
        return piece.decode()

    def tags(self) -> None:
        for _ in range(self.uvarint()):
            self.uvarint()
            self.position += self.uvarint()
