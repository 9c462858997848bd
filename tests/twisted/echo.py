"""A program for Twisted on Windows: an echo server and fifty clients on one reactor; nothing is lost, nothing is left.

    python -m tests.twisted.echo

Prints one line of JSON: which clients have got back what they sent, and what there is of requests, sockets, descriptors
and threads more than before.
"""

from __future__ import annotations

import json
import os
import random
import threading
from importlib import import_module
from typing import Any, Final

from winsock2emu.compat import iocpsupport, socket
from winsock2emu.defs.codes import WAIT_TIMEOUT
from winsock2emu.process import SocketRecord, current_process

from .suite import as_on_windows, install_reactor

as_on_windows()
install_reactor("iocp")

from twisted.internet import defer, protocol, reactor  # noqa: E402, I001  # it has to see Windows


CLIENTS: Final = 50
MESSAGES: Final = 20
MOST_BYTES: Final = 50_000
LIMIT_S: Final = 100

loop: Any = reactor
endpoints: Any = import_module("twisted.internet.endpoints")


class Echo(protocol.Protocol):
    """The server's side."""

    transport: Any

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


class Client(protocol.Protocol):
    """Sends its messages, each after the echo of the one before.

    Attributes:
        done: gets whether every byte has come back.
    """

    transport: Any

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.messages = [chance.randbytes(chance.randint(1, MOST_BYTES)) for _ in range(MESSAGES)]
        self.sent = self.received = b""
        self.echoed = 0
        self.done: defer.Deferred[bool] = defer.Deferred()

    def connectionMade(self) -> None:
        self.send_next()

    def send_next(self) -> None:
        if self.messages:
            self.sent, self.received = self.messages.pop(), b""
            self.transport.write(self.sent)
        else:
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        if len(self.received) >= len(self.sent):
            self.echoed += self.received == self.sent
            self.send_next()

    def connectionLost(self, reason: Any = None) -> None:
        self.done.callback(self.echoed == MESSAGES)


async def everything() -> list[bool]:
    """Serve, connect, wait for all clients, and stop serving: what each client has come to."""
    server = endpoints.TCP4ServerEndpoint(loop, 0, interface="127.0.0.1", backlog=CLIENTS)
    listening = await server.listen(protocol.Factory.forProtocol(Echo))
    clients = [Client(seed) for seed in range(CLIENTS)]
    for client in clients:
        there = endpoints.TCP4ClientEndpoint(loop, "127.0.0.1", listening.getHost().port)
        endpoints.connectProtocol(there, client).addErrback(client.done.errback)
    outcomes = [await client.done for client in clients]
    await defer.maybeDeferred(listening.stopListening)
    return outcomes


def counted() -> dict[str, int]:
    """What this process has at the moment."""
    records = [thing for thing in list(current_process().objects.values()) if type(thing) is SocketRecord]
    return {
        "handles": len(loop.handles),
        "sockets": len(records),
        "requests": sum(len(record.file.pending) for record in records if record.file),
        "descriptors": len(os.listdir("/dev/fd")),
        "threads": threading.active_count(),
    }


def start_emulator() -> None:
    """Let a request pend, so that the emulator has the descriptors and the thread that it keeps."""
    one, other = socket.socketpair()
    loop.port.addHandle(one.fileno())
    iocpsupport.recv(one.fileno(), [bytearray(1)], None)
    one.close()
    other.close()
    take_the_rest()


def take_the_rest() -> None:
    """Take packets until there are no more."""
    while loop.port.getEvent(0)[0] != WAIT_TIMEOUT:
        continue


def main() -> None:
    """Run the program."""
    assert vars(import_module("twisted.internet.tcp"))["socket"].socket is socket.socket
    start_emulator()
    before = counted()
    outcomes: list[bool] = []

    def begin() -> None:
        work: Any = defer.Deferred.fromCoroutine(everything())
        work.addCallback(outcomes.extend)
        work.addErrback(lambda failure: failure.printTraceback())
        work.addBoth(lambda _: loop.callLater(0.1, loop.stop))  # the servers' ends close behind the clients'

    loop.callWhenRunning(begin)
    loop.callLater(LIMIT_S, loop.crash)
    loop.run()
    for call in loop.getDelayedCalls():
        call.cancel()
    take_the_rest()
    after = counted()
    print(json.dumps({"echoed": outcomes, "left": {name: after[name] - before[name] for name in after}}))


if __name__ == "__main__":
    main()
