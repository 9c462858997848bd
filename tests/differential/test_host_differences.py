"""One script on the host's own sockets and on the emulator: the bytes and their order are the same.

Only what programs do with data is compared. Codes differ on purpose, and are compared with the reference elsewhere.
"""

from __future__ import annotations

import socket as host
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import pytest

from tests.loopback import FAMILIES, loopback
from winsock2emu import ws2_32 as api
from winsock2emu.defs.constants import (
    AF_INET,
    IPPROTO_TCP,
    MSG_OOB,
    MSG_PEEK,
    MSG_WAITALL,
    SD_SEND,
    SOCK_DGRAM,
    SOCK_STREAM,
    TCP_NODELAY,
)

pytestmark = pytest.mark.usefixtures("winsock")


class End(Protocol):
    """One end of a conversation, on either side."""

    def send(self, *buffers: bytes, flags: int = 0) -> int: ...

    def receive(self, *sizes: int, flags: int = 0) -> list[bytes]: ...

    def finish(self) -> None: ...


class HostEnd:
    """An end on the host's socket module."""

    FLAGS = {0: 0, MSG_PEEK: host.MSG_PEEK, MSG_WAITALL: host.MSG_WAITALL, MSG_OOB: host.MSG_OOB}

    def __init__(self, connection: host.socket) -> None:
        self.connection = connection

    def send(self, *buffers: bytes, flags: int = 0) -> int:
        data = b"".join(buffers)
        if self.connection.type == host.SOCK_DGRAM or flags:
            return self.connection.send(data, self.FLAGS[flags])
        self.connection.sendall(data)
        return len(data)

    def receive(self, *sizes: int, flags: int = 0) -> list[bytes]:
        space = [bytearray(size) for size in sizes]
        moved = self.connection.recvmsg_into(space, 0, self.FLAGS[flags])[0]
        return filled(space, moved)

    def finish(self) -> None:
        self.connection.shutdown(host.SHUT_WR)


class EmulatedEnd:
    """An end on the emulator."""

    def __init__(self, s: int) -> None:
        self.s = s

    def send(self, *buffers: bytes, flags: int = 0) -> int:
        return api.WSASend(self.s, buffers, flags)

    def receive(self, *sizes: int, flags: int = 0) -> list[bytes]:
        space = [bytearray(size) for size in sizes]
        return filled(space, api.WSARecv(self.s, space, flags))

    def finish(self) -> None:
        api.shutdown(self.s, SD_SEND)


def filled(space: list[bytearray], moved: int) -> list[bytes]:
    """What was received into each buffer."""
    parts = []
    for buffer in space:
        parts.append(bytes(buffer[:moved]))
        moved = max(0, moved - len(buffer))
    return parts


@contextmanager
def on_host(family: int, kind: int) -> Iterator[tuple[End, End]]:
    """Both ends of a conversation over the host's own sockets."""
    here = (loopback(family).host, 0)
    theirs = host.AF_INET if family == AF_INET else host.AF_INET6
    if kind == SOCK_STREAM:
        with host.create_server(here, family=theirs) as listening:
            first = host.create_connection(listening.getsockname()[:2])
            second = listening.accept()[0]
        first.setsockopt(host.IPPROTO_TCP, host.TCP_NODELAY, 1)
    else:
        first, second = (host.socket(theirs, host.SOCK_DGRAM) for _ in range(2))
        for end in (first, second):
            end.bind(here)
        first.connect(second.getsockname())
        second.connect(first.getsockname())
    with first, second:
        for end in (first, second):
            end.settimeout(20)
        yield HostEnd(first), HostEnd(second)


@contextmanager
def on_emulator(family: int, kind: int) -> Iterator[tuple[End, End]]:
    """Both ends of a conversation over the emulator."""
    if kind == SOCK_STREAM:
        listening = api.socket(family, kind, 0)
        api.bind(listening, loopback(family))
        api.listen(listening, 1)
        first = api.socket(family, kind, 0)
        api.connect(first, api.getsockname(listening))
        second = api.accept(listening)[0]
        api.closesocket(listening)
        api.setsockopt(first, IPPROTO_TCP, TCP_NODELAY, 1)
    else:
        first, second = (api.socket(family, kind, 0) for _ in range(2))
        for s in (first, second):
            api.bind(s, loopback(family))
        api.connect(first, api.getsockname(second))
        api.connect(second, api.getsockname(first))
    yield EmulatedEnd(first), EmulatedEnd(second)
    for s in (first, second):
        api.closesocket(s)


def run(script: Callable[[End, End], list[Any]], family: int, kind: int) -> list[list[Any]]:
    """What a script saw on each of the two."""
    seen = []
    for place in (on_host, on_emulator):
        with place(family, kind) as (first, second):
            seen.append(script(first, second))
    return seen


def everything(end: End, size: int) -> bytes:
    """All data up to the end of the stream."""
    whole = b""
    while part := b"".join(end.receive(size)):
        whole += part
    return whole


# The scripts


def an_echo(first: End, second: End) -> list[Any]:
    """Observed on Windows: echo-basic-chunks."""
    seen: list[Any] = []
    for number in range(50):
        first.send(bytes((number,)) * 128)
        half = second.receive(64, flags=MSG_WAITALL)
        rest = second.receive(64, flags=MSG_WAITALL)
        second.send(*half, *rest)
        seen.append(first.receive(128, flags=MSG_WAITALL))
    return seen


def everything_in_one_go(first: End, second: End) -> list[Any]:
    data = [bytes((number % 251,)) * (number % 40) for number in range(1000)]
    sent = [first.send(*data[at : at + 100]) for at in range(0, 1000, 100)]
    first.finish()
    return [sent, everything(second, 777)]


def gathered_and_scattered(first: End, second: End) -> list[Any]:
    first.send(b"a", b"", b"bcd", b"efghij")
    seen = [second.receive(2, 3, 5, flags=MSG_WAITALL)]
    first.send(b"0123456789")
    seen.append(second.receive(4, 6, flags=MSG_WAITALL))
    first.send(b"xyz")
    seen.append(second.receive(1, 1, 1, flags=MSG_WAITALL))
    return seen


def peeked_and_taken(first: End, second: End) -> list[Any]:
    first.send(b"abcdef")
    second_look = [second.receive(6, flags=MSG_PEEK | 0) for _ in range(2)]
    return [second_look, second.receive(3, flags=MSG_WAITALL), second.receive(3, flags=MSG_WAITALL)]


def half_closed(first: End, second: End) -> list[Any]:
    first.send(b"question")
    first.finish()
    seen: list[Any] = [everything(second, 3), second.receive(5)]
    second.send(b"answer")
    second.finish()
    return [*seen, everything(first, 100), first.receive(1), first.receive(1, 1)]


def urgent(first: End, second: End) -> list[Any]:
    first.send(b"abc")
    seen: list[Any] = [second.receive(3, flags=MSG_WAITALL)]
    first.send(b"dU", flags=MSG_OOB)
    first.send(b"ef")
    first.finish()
    return [*seen, everything(second, 10)]


STREAM_SCRIPTS = [an_echo, everything_in_one_go, gathered_and_scattered, peeked_and_taken, half_closed, urgent]


def datagrams(first: End, second: End) -> list[Any]:
    sizes = [0, 1, 10, 1472, 1473, 9000, 60000, 0, 5]
    sent = [first.send(bytes((index,)) * size) for index, size in enumerate(sizes)]
    return [sent, [second.receive(65536) for _ in sizes]]


def datagrams_in_parts(first: End, second: End) -> list[Any]:
    first.send(b"one", b"", b"message")
    first.send(b"")
    seen = [second.receive(2, 3, 20), second.receive(5, 5)]
    second.send(b"back", b"again")
    return [*seen, first.receive(100, flags=MSG_PEEK), first.receive(4, 4, 4)]


DATAGRAM_SCRIPTS = [datagrams, datagrams_in_parts]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("script", STREAM_SCRIPTS)
def test_streams_carry_the_same_bytes_in_the_same_order(script: Callable[[End, End], list[Any]], family: int) -> None:
    theirs, ours = run(script, family, SOCK_STREAM)
    assert ours == theirs


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("script", DATAGRAM_SCRIPTS)
def test_datagrams_are_the_same_and_in_the_same_order(script: Callable[[End, End], list[Any]], family: int) -> None:
    theirs, ours = run(script, family, SOCK_DGRAM)
    assert ours == theirs


@pytest.mark.parametrize("family", FAMILIES)
def test_an_emulated_end_and_a_host_s_own_understand_each_other(family: int) -> None:
    """A conversation between the two, in both directions."""
    theirs = host.AF_INET if family == AF_INET else host.AF_INET6
    with host.create_server((loopback(family).host, 0), family=theirs) as listening:
        s = api.socket(family, SOCK_STREAM, 0)
        api.connect(s, loopback(family, listening.getsockname()[1]))
        with listening.accept()[0] as connection:
            connection.settimeout(20)
            seen = an_echo(EmulatedEnd(s), HostEnd(connection))
            assert seen == [[bytes((number,)) * 128] for number in range(50)]
            half = half_closed(HostEnd(connection), EmulatedEnd(s))
            assert half == [b"question", [b""], b"answer", [b""], [b"", b""]]
