"""Rows 27, 28 and 35: overlapped receives and network events, one thread, against the host's plain calls."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any, Final

from winsock2emu import kernel32
from winsock2emu import ws2_32 as api
from winsock2emu.defs.constants import FD_READ, INFINITE
from winsock2emu.kernel.operations import OVERLAPPED, PENDING

from .kernel import new_port
from .measure import Measured, Plan, Work, compare, timed
from .sockets import host_pair, our_pair, started
from .worker import SMALL

# Client, server, what is sent and where it goes; the work that is measured.
Making = Callable[[int, int, bytes, list[bytearray]], Work]


def with_event(client: int, server: int, data: bytes, space: list[bytearray]) -> Work:
    event = api.WSACreateEvent()
    events = [event]
    overlapped = OVERLAPPED(hEvent=event)

    def work(count: int) -> None:
        for _ in range(count):
            api.WSARecv(server, space, 0, overlapped)
            api.send(client, data)
            api.WSAWaitForMultipleEvents(events, False, INFINITE, False)
            api.WSAGetOverlappedResult(server, overlapped, False)

    return work


def with_routine(client: int, server: int, data: bytes, space: list[bytearray]) -> Work:
    overlapped = OVERLAPPED()

    def completed(error: int, moved: int, overlapped: OVERLAPPED, flags: int) -> None:
        """A program would go on from here."""

    def work(count: int) -> None:
        for _ in range(count):
            api.WSARecv(server, space, 0, overlapped, completed)
            api.send(client, data)
            kernel32.SleepEx(INFINITE, True)

    return work


def with_port(client: int, server: int, data: bytes, space: list[bytearray]) -> Work:
    port = new_port()
    kernel32.CreateIoCompletionPort(server, port, 1, 0)
    overlapped = OVERLAPPED()

    def work(count: int) -> None:
        for _ in range(count):
            api.WSARecv(server, space, 0, overlapped)
            api.send(client, data)
            kernel32.GetQueuedCompletionStatus(port, INFINITE)

    return work


def with_network_event(client: int, server: int, data: bytes, space: list[bytearray]) -> Work:
    event = api.WSACreateEvent()
    events = [event]
    buffer = space[0]
    api.WSAEventSelect(server, event, FD_READ)

    def work(count: int) -> None:
        for _ in range(count):
            api.send(client, data)
            api.WSAWaitForMultipleEvents(events, False, INFINITE, False)
            api.WSAEnumNetworkEvents(server, event)
            api.recv(server, buffer)

    return work


def pended(plan: Plan, make: Making) -> Measured:
    data, space = bytes(SMALL), bytearray(SMALL)
    with started(), host_pair() as (client, server):
        ours = make(*our_pair(), data, [bytearray(SMALL)])

        def theirs(count: int) -> None:
            for _ in range(count):
                client.send(data)
                server.recv_into(space)

        return Measured.of(*compare(timed(ours), timed(theirs), plan))


def memory_pending(plan: Plan) -> Measured:
    """Receives that pend on one socket, without what the program brings along."""
    count = 16 * plan.rounds
    with started():
        _, s = our_pair()
        records = [OVERLAPPED() for _ in range(count + 1)]
        buffers: list[list[Any]] = [[bytearray(SMALL)] for _ in records]
        assert api.WSARecv(s, buffers[0], 0, records[0]) is PENDING  # pays for what is made once
        tracemalloc.start()
        try:
            for overlapped, space in zip(records[1:], buffers[1:], strict=True):
                api.WSARecv(s, space, 0, overlapped)
            return Measured.of([tracemalloc.get_traced_memory()[0] / count])
        finally:
            tracemalloc.stop()


MEASUREMENTS: Final[dict[str, Callable[[Plan], Measured]]] = {
    "ov-event": lambda plan: pended(plan, with_event),
    "ov-apc": lambda plan: pended(plan, with_routine),
    "ov-iocp": lambda plan: pended(plan, with_port),
    "eventselect": lambda plan: pended(plan, with_network_event),
    "memory-pending": memory_pending,
}
