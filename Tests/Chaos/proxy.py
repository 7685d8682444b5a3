#!/usr/bin/env python3
"""A TCP proxy whose connections can be cut: a process of its own.

    proxy.py LISTEN:TARGET [LISTEN:TARGET ...]

Ports of 127.0.0.1. Commands come on standard input, one a line, and each is answered with one line on standard output:

    cut SHARE SEED    cuts about that share of all connections (1 for all), with a reset on both sides; answers how many
    count             answers how many connections there are

It ends with its standard input.
"""

import asyncio
import random
import socket
import struct
import sys


class Side(asyncio.Protocol):
    """One end of a connection; what it reads the other end writes."""

    def __init__(self, other: "Side | None" = None):
        self.other = other
        self.transport: asyncio.Transport | None = None
        self.waiting: list[bytes] = []

    def connection_made(self, transport) -> None:
        self.transport = transport
        for data in self.waiting:
            transport.write(data)
        self.waiting.clear()

    def data_received(self, data: bytes) -> None:
        self.other.write(data)

    def write(self, data: bytes) -> None:
        if self.transport is None:
            self.waiting.append(data)
        else:
            self.transport.write(data)

    def pause_writing(self) -> None:
        # A slow reader on this end holds back the other end: nothing piles up here.
        if self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other.transport is not None and not self.other.transport.is_closing():
            self.other.transport.resume_reading()

    def eof_received(self) -> None:
        return None  # Half-closed connections are no use to Kafka: close both.

    def connection_lost(self, error) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()

    def reset(self) -> None:
        """Ends the connection without a farewell: the peer sees a reset, and what was under way is gone."""
        if self.transport is None:
            return
        connection = self.transport.get_extra_info("socket")
        if connection is not None:
            try:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            except OSError:
                pass  # Closed already.
        self.transport.abort()


class Client(Side):
    """The end towards a client: opens the end towards the broker as soon as somebody comes."""

    def __init__(self, proxy: "Proxy", target: int):
        super().__init__(Side())
        self.other.other = self
        self.proxy = proxy
        self.target = target

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self.proxy.clients.add(self)
        # Kept, or the task could be collected before it is done.
        self.opening = asyncio.ensure_future(self.open())

    async def open(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.other, "127.0.0.1", self.target)
            if self.transport.is_closing():
                self.other.reset()
        except OSError:
            self.reset()  # The broker is down; so is its port here.

    def connection_lost(self, error) -> None:
        self.proxy.clients.discard(self)
        super().connection_lost(error)


class Proxy:
    """All connections of all ports."""

    def __init__(self):
        self.clients: set[Client] = set()

    async def run(self, pairs: list[tuple[int, int]]) -> None:
        loop = asyncio.get_running_loop()
        for listen, target in pairs:
            await loop.create_server(lambda target=target: Client(self, target), "127.0.0.1", listen)
        commands = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
        print("ready", flush=True)
        while line := await commands.readline():
            print(self.execute(line.decode().split()), flush=True)

    def execute(self, words: list[str]) -> int:
        if words[:1] == ["cut"]:
            return self.cut(float(words[1]), int(words[2]))
        return len(self.clients)

    def cut(self, share: float, seed: int) -> int:
        generator = random.Random(seed)
        # In the order of their ports, or the seed would mean nothing.
        clients = sorted(self.clients, key=lambda client: client.transport.get_extra_info("peername") or ("", 0))
        chosen = [client for client in clients if generator.random() < share]
        for client in chosen:
            client.reset()
            client.other.reset()
        return len(chosen)


if __name__ == "__main__":
    asyncio.run(Proxy().run([tuple(map(int, pair.split(":"))) for pair in sys.argv[1:]]))
