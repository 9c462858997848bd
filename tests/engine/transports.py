"""Endpoints for tests of the engine: one over a host socket, one of a made-up transport without a descriptor."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from tests.concurrency import LIMIT_S, Call, until
from winsock2emu.engine.endpoint import Endpoint
from winsock2emu.engine.lanes import Lane
from winsock2emu.engine.pump import Pump
from winsock2emu.kernel.operations import Operation


class HostEnd(Endpoint):
    """One end of a host socket pair; the other end is the host socket ``peer``."""

    __slots__ = ("host", "peer")

    def __init__(self, pump: Pump) -> None:
        self.host, self.peer = socket.socketpair()
        self.host.setblocking(False)
        self.peer.settimeout(LIMIT_S)
        super().__init__(pump, self.host.fileno())

    def receive(self, limit: int = 1) -> Callable[[], bytes]:
        """An attempt to receive."""
        return lambda: self.host.recv(limit)

    def send(self, data: bytes) -> Callable[[], int]:
        """An attempt to send all of it, with a cursor of its own."""
        rest = memoryview(data)

        def attempt() -> int:
            nonlocal rest
            while rest:
                rest = rest[self.host.send(rest) :]
            return len(data)

        return attempt

    def arrive(self, data: bytes) -> None:
        """Data comes in."""
        self.peer.sendall(data)

    def close(self, error: int) -> None:
        """As a provider closes: first what waits, then the descriptor."""
        self.abort(error)
        self.host.close()
        self.peer.close()


class MadeUpEnd(Endpoint):
    """An endpoint without a descriptor: what arrives is kept in a list, byte by byte."""

    __slots__ = ("bytes", "gate", "tries")

    def __init__(self, pump: Pump) -> None:
        super().__init__(pump, -1)
        self.bytes: deque[bytes] = deque()
        self.tries = 0
        self.gate: Callable[[], Any] | None = None  # called inside each attempt that found nothing

    def receive(self, limit: int = 1) -> Callable[[], bytes]:
        """An attempt to receive one byte."""

        def attempt() -> bytes:
            self.tries += 1
            try:
                return self.bytes.popleft()
            except IndexError:
                if self.gate is not None:
                    self.gate()
                raise BlockingIOError from None

        return attempt

    def arrive(self, data: bytes) -> None:
        """Data comes in, and the transport says so."""
        self.bytes.extend(data[index : index + 1] for index in range(len(data)))
        self.inbound.ready()

    def close(self, error: int) -> None:
        """End what waits."""
        self.abort(error)


End = HostEnd | MadeUpEnd


class Overlapped(Operation):
    """An operation that tells a thread when it is final, and keeps the order of a group.

    Attributes:
        delivered: how often it was delivered.
    """

    def __init__(self, order: list[Operation] | None = None) -> None:
        super().__init__(self._tell)
        self.delivered = 0
        self._final = threading.Event()
        self._order = order

    def _tell(self, operation: Operation) -> None:
        assert operation is self
        self.delivered += 1
        if self._order is not None:
            self._order.append(self)
        self._final.set()

    def outcome(self) -> Any:
        """Wait for the end: the result, or the code it failed with as ("error", code)."""
        assert self._final.wait(LIMIT_S), "the request never completed"
        assert self.final
        return ("error", self.error) if self.error else self.result


def queued(lane: Lane) -> int:
    """How many requests stand in a lane; consistent links are checked on the way."""
    with lane._lock or lane._make_lock():
        count, request, preceding = 0, lane.head, None
        while request is not None:
            assert request.keeper is lane
            assert request.preceding is preceding
            count, preceding, request = count + 1, request, request.following
        assert lane._tail is preceding
        return count


def blocked(lane: Lane, attempt: Callable[[], Any], **options: Any) -> Call:
    """A thread that has queued a synchronous request behind what stands in the lane."""
    before = queued(lane)
    call = Call(lambda: lane.run(attempt, **options))
    until(lambda: queued(lane) == before + 1, "the request is queued")
    return call
