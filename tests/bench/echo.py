"""Echo servers, each in a process of its own: completion ports as a program would use them, and what others offer.

    python -m tests.bench.echo iocp

It prints the port it listens on and serves until it is killed; an alarm ends it should the parent have died. Buffers
have 4 KiB everywhere but in ``asyncio-protocol``, where asyncio makes one of 256 KiB for every receive: that costs
nothing or tens of microseconds, depending on what the C library does for it.
"""

from __future__ import annotations

import asyncio
import resource
import select
import signal
import socket
import sys
import time
from asyncio import selector_events
from collections.abc import Callable
from functools import partial
from typing import Any, Final, cast

from winsock2emu import kernel32
from winsock2emu import ws2_32 as api
from winsock2emu.defs.constants import AF_INET, INFINITE, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import OVERLAPPED, PENDING

from .kernel import in_this_process, new_port
from .sockets import ANY_PORT, LOOPBACK

LIFE_S: Final = 120
ROOM: Final = 4096
BACKLOG: Final = 1024
SKIP_PORT: Final = 1  # FILE_SKIP_COMPLETION_PORT_ON_SUCCESS
MOST_PACKETS: Final = 64


def announce(port: int) -> None:
    print(port, flush=True)


# Completion ports


class Request(OVERLAPPED):
    """An OVERLAPPED with what a program keeps beside it: here a connection, in the direction it moves data just now."""

    __slots__ = ("buffers", "receives", "s", "view")

    def __init__(self, s: int) -> None:
        super().__init__()
        self.s = s
        space = bytearray(ROOM)
        self.view = memoryview(space)
        self.buffers = [space]
        self.receives = True


def step(request: Request, moved: int) -> Any:
    """Go on with a connection when a request is complete; what its next request returns."""
    if request.receives:
        if not moved:
            return hang_up(request)
        request.receives = False
        return api.WSASend(request.s, [request.view[:moved]], 0, request)
    request.receives = True
    return api.WSARecv(request.s, request.buffers, 0, request)


def begun(request: Request, outcome: Any, *, skips: bool) -> None:
    """A request has been made: go on at once if it is complete and no packet comes for it."""
    while skips and outcome is not PENDING:
        outcome = step(request, outcome)


def hang_up(request: Request) -> Any:
    api.closesocket(request.s)
    return PENDING


def work(port: int, *, skips: bool = False, pause_s: float = 0) -> None:
    """One packet at a time."""
    while True:
        try:
            moved, _, request = kernel32.GetQueuedCompletionStatus(port, INFINITE)
        except WinsockError as failure:
            if failure.packet is None:
                raise
            hang_up(failure.packet[2])
            continue
        if pause_s and request.receives:
            time.sleep(pause_s)
        begun(request, step(request, moved), skips=skips)


def work_in_batches(port: int) -> None:
    """As many packets as there are."""
    while True:
        for _, request, status, moved in kernel32.GetQueuedCompletionStatusEx(port, MOST_PACKETS, INFINITE):
            if status:
                hang_up(request)
            else:
                step(request, moved)


def iocp(worker: Callable[[int], None] = work, workers: int = 1, *, skips: bool = False) -> None:
    """Threads on a completion port; the main thread accepts."""
    api.WSAStartup(0x0202)
    port = new_port()
    for _ in range(workers):
        in_this_process(partial(worker, port))
    listener = api.socket(AF_INET, SOCK_STREAM, 0)
    api.bind(listener, ANY_PORT)
    api.listen(listener, BACKLOG)
    announce(api.getsockname(listener).port)
    while True:
        s, _ = api.accept(listener)
        api.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, 1)
        kernel32.CreateIoCompletionPort(s, port, s, 0)
        if skips:
            kernel32.SetFileCompletionNotificationModes(s, SKIP_PORT)
        request = Request(s)
        begun(request, api.WSARecv(s, request.buffers, 0, request), skips=skips)


# Others


class Buffered(asyncio.BufferedProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = cast("asyncio.Transport", transport).write
        self.space = bytearray(ROOM)
        self.view = memoryview(self.space)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.space

    def buffer_updated(self, nbytes: int) -> None:
        self.write(self.view[:nbytes])


class Plain(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = cast("asyncio.Transport", transport).write

    def data_received(self, data: bytes) -> None:
        self.write(data)


async def serve_protocol(protocol: Callable[[], Any]) -> None:
    server = await asyncio.get_running_loop().create_server(protocol, LOOPBACK, 0, backlog=BACKLOG)
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()


async def serve_in_small_pieces() -> None:
    """What asyncio's protocols are without the 256 KiB."""
    cast("Any", selector_events)._SelectorSocketTransport.max_size = ROOM
    await serve_protocol(Plain)


async def serve_streams() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(ROOM):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, LOOPBACK, 0, backlog=BACKLOG)
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def with_asyncio(main: Callable[[], Any]) -> None:
    asyncio.run(main())


def with_proactor(main: Callable[[], Any]) -> None:
    """CPython's own proactor loop on the emulator."""
    from winsock2emu.aio import ProactorEventLoop

    with asyncio.Runner(loop_factory=ProactorEventLoop) as runner:
        runner.run(main())


def with_uvloop(main: Callable[[], Any]) -> None:
    import uvloop  # type: ignore[import-not-found,unused-ignore]  # only where somebody has installed it

    uvloop.run(main())


def epoll_loop() -> None:
    """What Python itself costs: nothing but the host's calls."""
    listener = socket.create_server((LOOPBACK, 0), backlog=BACKLOG)
    listener.setblocking(False)
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    space = bytearray(ROOM)
    view = memoryview(space)
    announce(listener.getsockname()[1])
    while True:
        for fd, _ in poll.poll():
            connection = connections.get(fd)
            if connection is None:
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                poll.register(connection, select.EPOLLIN)
                continue
            try:
                moved = connection.recv_into(space)
            except ConnectionResetError:
                moved = 0
            if moved:
                connection.send(view[:moved])
            else:
                connections.pop(fd).close()


SERVERS: Final[dict[str, Callable[[], None]]] = {
    "iocp": iocp,
    "iocp-4": partial(iocp, workers=4),
    "iocp-4-pausing": partial(iocp, partial(work, pause_s=0.005), 4),
    "iocp-skip": partial(iocp, partial(work, skips=True), skips=True),
    "iocp-ex": partial(iocp, work_in_batches),
    "asyncio-buffered": partial(with_asyncio, partial(serve_protocol, Buffered)),
    "asyncio-protocol": partial(with_asyncio, partial(serve_protocol, Plain)),
    "asyncio-protocol-4K": partial(with_asyncio, serve_in_small_pieces),
    "asyncio-streams": partial(with_asyncio, serve_streams),
    "proactor-buffered": partial(with_proactor, partial(serve_protocol, Buffered)),
    "proactor-protocol": partial(with_proactor, partial(serve_protocol, Plain)),
    "proactor-streams": partial(with_proactor, serve_streams),
    "uvloop-protocol": partial(with_uvloop, partial(serve_protocol, Plain)),
    "uvloop-streams": partial(with_uvloop, serve_streams),
    "epoll": epoll_loop,
}


def main(kind: str) -> None:
    """The child."""
    signal.alarm(LIFE_S)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    SERVERS[kind]()


if __name__ == "__main__":
    main(sys.argv[1])
