"""Sockets on the loopback addresses, made through the public API; the process they live in leaves nothing behind."""

from __future__ import annotations

import gc
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from tests.concurrency import Call, descriptors, until
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEWOULDBLOCK
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    FIONBIO,
    FIONREAD,
    SO_LINGER,
    SO_SNDBUF,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
)
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.waits import this_waiter
from winsock2emu.process import Process, current_process

FAMILIES = [pytest.param(AF_INET, id="IPv4"), pytest.param(AF_INET6, id="IPv6", marks=pytest.mark.ipv6)]

# Long enough for what must happen, and not waited for unless it does not.
PATIENCE = (20, 0)
NOW = (0, 0)

Pair = tuple[int, int]


@contextmanager
def started() -> Iterator[Process]:
    """A started process of its own, current in this thread; afterwards no socket, thread or descriptor is left."""
    this_waiter()  # a thread keeps its wake descriptor
    gc.collect()
    open_before, threads_before = descriptors(), set(threading.enumerate())
    with Process().active() as process:
        api.WSAStartup(0x0202)
        yield process
        while process.startup_count:
            api.WSACleanup()
    assert process.sockets() == []
    until(lambda: set(threading.enumerate()) <= threads_before, "every thread of the test has ended")
    gc.collect()
    # A thread that has ended gives its wake descriptor back a moment later, and so may one of an earlier test.
    until(lambda: descriptors() <= open_before, "every descriptor of the test is closed")


def elsewhere(function: Callable[..., Any], *args: Any) -> Call:
    """Run a function in another thread of the same emulated process."""
    process = current_process()

    def run() -> Any:
        with process.active():
            return function(*args)

    return Call(run)


def code_of(function: Callable[..., Any], *args: Any) -> int:
    """The code that a call fails with, 0 when it succeeds; the call's last error is the same code."""
    try:
        function(*args)
    except WinsockError as failure:
        if api.WSAGetLastError() == failure.winerror:
            return failure.winerror
        raise AssertionError(f"the last error is {api.WSAGetLastError()}") from failure
    return 0


def fails(code: int) -> AbstractContextManager[pytest.ExceptionInfo[WinsockError]]:
    """The block raises WinsockError with this code, which is the thread's last error afterwards."""

    @contextmanager
    def expecting() -> Iterator[pytest.ExceptionInfo[WinsockError]]:
        with pytest.raises(WinsockError) as caught:
            yield caught
        assert caught.value.winerror == code
        assert api.WSAGetLastError() == code

    return expecting()


# Addresses


def loopback(family: int, port: int = 0) -> SockAddr:
    """The loopback address of a family."""
    return api.sockaddr_in("127.0.0.1", port) if family == AF_INET else api.sockaddr_in6("::1", port)


def wildcard(family: int, port: int = 0) -> SockAddr:
    """The address that stands for all of this machine's."""
    return api.sockaddr_in("0.0.0.0", port) if family == AF_INET else api.sockaddr_in6("::", port)


# Sockets


def tcp(family: int = AF_INET) -> int:
    return api.socket(family, SOCK_STREAM, 0)


def udp(family: int = AF_INET) -> int:
    """A datagram socket with a loopback address."""
    s = api.socket(family, SOCK_DGRAM, 0)
    api.bind(s, loopback(family))
    return s


def listener(family: int = AF_INET, backlog: int = 5) -> int:
    s = tcp(family)
    api.bind(s, loopback(family))
    api.listen(s, backlog)
    return s


def connected_to(listening: int) -> Pair:
    """Both ends of a connection: the caller's and the one accepted."""
    name = api.getsockname(listening)
    client = tcp(name.family)
    api.connect(client, name)
    return client, api.accept(listening)[0]


def pair(family: int = AF_INET) -> Pair:
    """Both ends of a TCP connection: the caller's and the one accepted."""
    listening = listener(family)
    ends = connected_to(listening)
    api.closesocket(listening)
    return ends


def full_listener(family: int = AF_INET) -> tuple[int, SockAddr]:
    """A listening socket whose backlog is full, and its name: a connect to it stays under way (Linux)."""
    listening = listener(family, 0)
    name = api.getsockname(listening)
    api.connect(tcp(family), name)
    until(lambda: api.select([listening], None, None, NOW)[0], "the backlog is full")
    return listening, name


def connecting(family: int = AF_INET) -> tuple[int, SockAddr]:
    """A non-blocking socket whose connect is under way for longer than a test takes, and the name it connects to."""
    name = full_listener(family)[1]
    s = nonblocking(tcp(family))
    assert code_of(api.connect, s, name) == WSAEWOULDBLOCK
    return s, name


def nonblocking(s: int) -> int:
    api.ioctlsocket(s, FIONBIO, 1)
    return s


def refusing(family: int = AF_INET) -> tuple[int, SockAddr]:
    """A bound socket that does not listen, and its name: nobody else gets the port, and a connect to it is refused."""
    s = tcp(family)
    api.bind(s, loopback(family))
    return s, api.getsockname(s)


def linger(on: int, seconds: int) -> bytes:
    return struct.pack("<HH", on, seconds)


def reset(s: int) -> None:
    """Close abortively."""
    api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(1, 0))
    api.closesocket(s)


def small_send_buffer(s: int) -> None:
    """Little room on the way, so that it fills up fast."""
    api.setsockopt(s, SOL_SOCKET, SO_SNDBUF, 32768)


def fill(s: int) -> int:
    """Send on a non-blocking stream until nothing is taken any more, nor a moment later; the number of bytes."""
    total = 0
    block = bytes(65536)
    while True:
        while not code_of(sent := Result(api.send), s, block):
            total += sent.value
        if not api.select(None, [s], None, (0, 20_000))[1]:
            return total


class Result:
    """A function that keeps what it returned last."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self.value: Any = None

    def __call__(self, *args: Any) -> None:
        self.value = self._function(*args)


# Waiting, always for something that happens


def select(sets: Sequence[Any], timeout: tuple[int, int] | None) -> list[list[int]]:
    """The three sets in one."""
    readfds, writefds, exceptfds = sets
    return [*api.select(readfds, writefds, exceptfds, timeout)]


def readable(s: int) -> None:
    """Wait until a receive would find something."""
    assert api.select([s], None, None, PATIENCE) == ([s], [], [])


def arrived(s: int, count: int) -> None:
    """Wait until so many bytes can be received."""
    until(lambda: api.ioctlsocket(s, FIONREAD, 0) >= count, f"{count} bytes have arrived")


def received(s: int, count: int) -> bytes:
    """Receive exactly so many bytes from a stream."""
    space = bytearray(count)
    view, moved = memoryview(space), 0
    while moved < count:
        got = api.recv(s, view[moved:])
        assert got, f"the stream ended after {moved} bytes"
        moved += got
    return bytes(space)


def failure_of(function: Callable[..., Any], *args: Any) -> int:
    """Call again and again until the call fails; its code."""
    codes = [0]

    def failed() -> bool:
        codes.append(code_of(function, *args))
        return codes[-1] != 0

    until(failed, "the call fails")
    return codes[-1]


def waiting(s: int, call: str = "WSPRecv") -> Callable[[], bool]:
    """True while a call of this direction waits on the socket in some thread."""
    endpoint = getattr(current_process().socket(s).mover, call).__self__
    lane = endpoint.inbound if call in ("WSPRecv", "WSPRecvFrom") else endpoint.outbound

    def waits() -> bool:
        request = lane.head
        while request is not None and request.waiter is None:
            request = request.following  # what no thread waits for, such as the rest of a send
        return request is not None

    return waits
