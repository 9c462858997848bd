"""Fifty rounds of everything that is synchronous leave no descriptor, thread or memory; closing wakes all who wait."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from tests.concurrency import descriptors, until
from tests.loopback import (
    arrived,
    code_of,
    elsewhere,
    linger,
    listener,
    nonblocking,
    received,
    refusing,
    tcp,
    udp,
    waiting,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEINTR,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_INET,
    MSG_OOB,
    MSG_PEEK,
    POLLHUP,
    POLLRDNORM,
    POLLWRNORM,
    SD_SEND,
    SO_LINGER,
    SO_RCVTIMEO,
    SO_UPDATE_CONNECT_CONTEXT,
    SOCK_STREAM,
    SOL_SOCKET,
)
from winsock2emu.engine.pump import BACKENDS
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process
from winsock2emu.providers.host import datagram, translate

WARM_UP, ROUNDS = 10, 50
BLOCKED = 200
OBJECTS_ALLOWED = ROUNDS // 5  # those of the measuring are among them; a leak would be ROUNDS of them
BYTES_ALLOWED = ROUNDS * 128  # tables grow and shrink a little


@pytest.fixture(params=sorted({"poll", *BACKENDS} - {"select"}))
def process(request: pytest.FixtureRequest) -> Iterator[Process]:
    with Process(backend=request.param).active() as process:
        api.WSAStartup(0x0202)
        yield process
        api.WSACleanup()


def stream() -> None:
    """Connect, accept, send, peek, receive, urgent data, the end of both directions."""
    listening = listener()
    client = tcp()
    api.connect(client, api.getsockname(listening))
    server = api.accept(listening)[0]
    assert api.WSASend(client, [b"one ", b"two"]) == 7
    arrived(server, 7)
    assert api.recv(server, bytearray(3), MSG_PEEK) == 3
    assert received(server, 7) == b"one two"
    api.send(client, b"!", MSG_OOB)
    until(lambda: code_of(api.recv, server, bytearray(1), MSG_OOB) == 0, "the urgent byte has come")
    api.shutdown(client, SD_SEND)
    assert api.recv(server, bytearray(1)) == 0
    assert code_of(api.send, client, b"x") == WSAESHUTDOWN
    for s in (client, server, listening):
        api.closesocket(s)


def waits() -> None:
    """select and WSAPoll that find something, and that find nothing in time."""
    listening = listener()
    client = tcp()
    api.connect(client, api.getsockname(listening))
    assert api.select([listening], [client], [client], (20, 0)) == ([listening], [client], [])
    server = api.accept(listening)[0]
    assert api.select([client, server], None, None, (0, 1000)) == ([], [], [])
    asked = POLLRDNORM | POLLWRNORM
    assert api.WSAPoll([(client, asked), (server, asked), (listening, POLLRDNORM)], 20_000)[0] == 2
    api.closesocket(server)
    until(lambda: api.WSAPoll([(client, POLLRDNORM)], 20_000)[1][0] & POLLHUP, "the end is seen")
    for s in (client, listening):
        api.closesocket(s)


def datagrams() -> None:
    """Datagrams there and back, one that is too large, one that nobody gets."""
    a, b = udp(), udp()
    api.sendto(a, b"hello", 0, api.getsockname(b))
    assert api.recvfrom(b, bytearray(5)) == (5, api.getsockname(a))
    api.connect(b, api.getsockname(a))
    api.send(b, bytes(2000))
    assert code_of(api.recv, a, bytearray(100)) == WSAEMSGSIZE
    api.closesocket(a)
    api.send(b, b"nobody is there")
    api.setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, 20_000)
    assert code_of(api.recv, b, bytearray(1)) == WSAECONNRESET
    api.closesocket(b)


def errors() -> None:
    """Calls that fail: refused, would block, out of time, not connected, no socket; and a reset."""
    held, nowhere = refusing()
    s = tcp()
    assert code_of(api.connect, s, nowhere) == WSAECONNREFUSED
    assert code_of(api.WSAConnectByList, s, [nowhere, nowhere]) == WSAECONNREFUSED
    assert code_of(api.recv, s, bytearray(1)) == WSAENOTCONN
    assert code_of(api.bind, held, nowhere) == WSAEINVAL
    assert code_of(api.getservbyname, "nosuch", "tcp") != 0
    listening = listener()
    api.WSAConnectByName(s, "127.0.0.1", str(api.getsockname(listening).port))
    api.setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, b"")
    server = api.accept(listening)[0]
    api.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 1)
    assert code_of(api.recv, server, bytearray(1)) == WSAETIMEDOUT
    assert code_of(api.recv, nonblocking(server), bytearray(1)) == WSAEWOULDBLOCK
    api.setsockopt(server, SOL_SOCKET, SO_LINGER, linger(1, 0))
    api.closesocket(server)
    assert code_of(api.recv, s, bytearray(1)) == WSAECONNRESET
    for open_ in (s, held, listening):
        api.closesocket(open_)
    assert code_of(api.recv, s, bytearray(1)) == WSAENOTSOCK


def woken() -> None:
    """Threads that are blocked in a receive, an accept and a select when their socket is closed."""
    listening = listener()
    client = tcp()
    api.connect(client, api.getsockname(listening))
    server = api.accept(listening)[0]
    receiving = elsewhere(api.recv, client, bytearray(1))
    accepting = elsewhere(api.accept, listening)
    until(waiting(client), "recv waits")
    until(waiting(listening), "accept waits")
    for s in (client, listening):
        api.closesocket(s)
    for call in (receiving, accepting):
        failure = call.failure()
        assert isinstance(failure, WinsockError)
        assert failure.winerror == WSAEINTR
    api.closesocket(server)


def one_round() -> None:
    for part in (stream, waits, datagrams, errors, woken):
        part()


def tidy() -> None:
    """Let go of what is kept on purpose: garbage, and the addresses of the last few thousand peers."""
    for kept in (translate._to_host, translate._from_host, *datagram._known_addresses.values()):
        kept.clear()
    gc.collect()


def objects() -> Counter[str]:
    """The objects that the collector knows, by type."""
    return Counter(type(thing).__qualname__ for thing in gc.get_objects())


def waits_in(process: Process, s: int, threads: int) -> bool:
    """Whether so many receives wait on the socket."""
    endpoint: Any = process.socket(s).mover
    request, found = endpoint.inbound.head, 0
    while request is not None:
        found += request.waiter is not None
        request = request.following
    return found == threads


@pytest.mark.timeout(180)
def test_fifty_rounds_leave_no_descriptor_thread_or_memory(process: Process) -> None:
    for _ in range(WARM_UP):
        one_round()
    threads, opened = threading.active_count(), len(descriptors())
    tracemalloc.start()
    try:
        one_round()
        objects()  # counting for the first time makes objects, too
        tidy()
        counted = objects()
        used = tracemalloc.get_traced_memory()[0]
        for _ in range(ROUNDS):
            one_round()
        tidy()
        more_used = tracemalloc.get_traced_memory()[0] - used
        more = objects() - counted
    finally:
        tracemalloc.stop()

    assert process.sockets() == []
    until(lambda: threading.active_count() <= threads, "every thread of the rounds has ended")
    until(lambda: len(descriptors()) <= opened, "every descriptor of the rounds is closed")
    assert more.total() <= OBJECTS_ALLOWED, more.most_common(10)
    assert more_used <= BYTES_ALLOWED


@pytest.mark.timeout(120)
def test_closing_wakes_200_threads_each_with_the_right_error(process: Process) -> None:
    """One socket for each thread, of streams and datagrams; and one socket that all of them wait on."""
    listening = listener()
    sockets = []
    servers = []
    for number in range(BLOCKED):
        if number % 2:
            s = udp()
        else:
            s = api.socket(AF_INET, SOCK_STREAM, 0)
            api.connect(s, api.getsockname(listening))
            servers.append(api.accept(listening)[0])
        sockets.append(s)
    shared = udp()

    for waited_on in (sockets, [shared] * BLOCKED):
        calls = [elsewhere(code_of, api.recv, s, bytearray(1)) for s in waited_on]
        for s, threads in Counter(waited_on).items():
            until(partial(waits_in, process, s, threads), "all threads wait")
        for s in set(waited_on):
            api.closesocket(s)
        codes = Counter(call.result() for call in calls)
        assert codes == {WSAEINTR: BLOCKED}
    for s in (*servers, listening):
        api.closesocket(s)
    assert process.sockets() == []
