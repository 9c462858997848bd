"""Registered I/O and socket state notifications: the records, and the C calls.

Part played:     the part of a compiled Windows program that knows RIO_EXTENSION_FUNCTION_TABLE.
Lives here:      registered memory, RIO_BUF, RIORESULT; the driver's calls, as a part of CDriver.
Lives elsewhere: the interface (target), memory and failing (driver).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs

from .constants import (
    AF_INET,
    IPPROTO_UDP,
    RIO_EVENT_COMPLETION,
    RIO_IOCP_COMPLETION,
    SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
    SOCK_DGRAM,
    WSAID_MULTIPLE_RIO,
)
from .parts import DriverPart

if TYPE_CHECKING:
    from .driver import Scratch

TABLE_SIZE: Final = 112
FUNCTIONS: Final = (
    *("RIOReceive", "RIOReceiveEx", "RIOSend", "RIOSendEx", "RIOCloseCompletionQueue", "RIOCreateCompletionQueue"),
    *("RIOCreateRequestQueue", "RIODequeueCompletion", "RIODeregisterBuffer", "RIONotify", "RIORegisterBuffer"),
    *("RIOResizeCompletionQueue", "RIOResizeRequestQueue"),
)
"""The table's, in its order."""

_BUF: Final = struct.Struct("<QII")
_RESULT: Final = struct.Struct("<iIQQ")
_REGISTRATION: Final = struct.Struct("<QQHBBI")
_ENTRY: Final = struct.Struct("<QQQI")
_BY_EVENT: Final = struct.Struct("<i4xQi12x")
_BY_PORT: Final = struct.Struct("<i4xQQQ")


@attrs.frozen
class Piece:
    """RIO_BUF."""

    buffer_id: int
    offset: int
    length: int


@attrs.frozen
class Result:
    """RIORESULT."""

    status: int
    moved: int
    socket_context: int
    request_context: int


@attrs.frozen
class Notification:
    """RIO_NOTIFICATION_COMPLETION: an event, or a port with what its packet carries (``overlapped`` is a token)."""

    event: int = 0
    reset: bool = True
    port: int = 0
    key: int = 0
    overlapped: Any = None


@attrs.define
class Registration:
    """SOCK_NOTIFY_REGISTRATION; ``result`` is set by the call."""

    socket: int
    key: int = 0
    events: int = 0
    operation: int = 0
    triggers: int = 0
    result: int = 0xDEADBEEF


class _Memory(Protocol):
    def read(self, size: int | None = None, at: int = 0) -> bytes: ...

    def write(self, data: bytes, at: int = 0) -> None: ...


@attrs.frozen
class Registered:
    """Registered memory."""

    id: int
    memory: _Memory

    def piece(self, offset: int, length: int) -> Piece:
        return Piece(self.id, offset, length)

    def read(self, size: int, at: int = 0) -> bytes:
        return self.memory.read(size, at)

    def write(self, data: bytes, at: int = 0) -> Piece:
        """Put data there; the piece it takes."""
        self.memory.write(data, at)
        return self.piece(at, len(data))


@attrs.frozen
class PythonMemory:
    """Memory of the Python API: a bytearray."""

    data: bytearray

    def read(self, size: int | None = None, at: int = 0) -> bytes:
        return bytes(self.data[at : None if size is None else at + size])

    def write(self, data: bytes, at: int = 0) -> None:
        self.data[at : at + len(data)] = data


class RegisteredCalls(DriverPart):
    """The calls of registered I/O, in C."""

    _table: tuple[int, ...] | None = None

    def rio_table(self) -> bytes:
        """The table as WSAIoctl stores it."""
        driver = self._driver()
        s = driver.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)  # the table is the provider's, whatever socket is asked
        try:
            return bytes(
                driver.WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, WSAID_MULTIPLE_RIO.bytes_le, TABLE_SIZE)
            )
        finally:
            driver.closesocket(s)

    def _rio(self, name: str, *arguments: int, returns: str) -> int:
        if self._table is None:
            self._table = struct.unpack("<14Q", self.rio_table())[1:]
        return self._driver().check(self._table[FUNCTIONS.index(name)], *arguments, returns=returns)

    def rio_memory(self, size: int) -> Registered:
        block = self._driver().c.new(size)
        return Registered(self.RIORegisterBuffer((block.address, size)), block)

    def RIORegisterBuffer(self, buffer: Any) -> int:
        address, size = (0, 16) if buffer is None else buffer if isinstance(buffer, tuple) else (1 << 20, len(buffer))
        return self._rio("RIORegisterBuffer", address, size, returns="rio-buffer")

    def RIODeregisterBuffer(self, buffer_id: int) -> None:
        self._rio("RIODeregisterBuffer", buffer_id, returns="void")

    def RIOCreateCompletionQueue(self, size: int, notification: Notification | None = None) -> int:
        with self._driver()._memory() as memory:
            record = None
            if notification is not None and notification.port:
                told = notification.port, notification.key, notification.overlapped or 0
                record = _BY_PORT.pack(RIO_IOCP_COMPLETION, *told)
            elif notification is not None:
                record = _BY_EVENT.pack(RIO_EVENT_COMPLETION, notification.event, int(notification.reset))
            return self._rio("RIOCreateCompletionQueue", size, memory.at(record), returns="pointer")

    def RIOResizeCompletionQueue(self, cq: int, size: int) -> None:
        self._rio("RIOResizeCompletionQueue", cq, size, returns="bool")

    def RIOCloseCompletionQueue(self, cq: int) -> None:
        self._rio("RIOCloseCompletionQueue", cq, returns="void")

    def RIOCreateRequestQueue(
        self,
        s: int,
        most_receives: int,
        receive_buffers: int,
        most_sends: int,
        send_buffers: int,
        receive_cq: int,
        send_cq: int,
        context: int = 0,
    ) -> int:
        limits = most_receives, receive_buffers, most_sends, send_buffers
        return self._rio("RIOCreateRequestQueue", s, *limits, receive_cq, send_cq, context, returns="pointer")

    def RIOResizeRequestQueue(self, rq: int, most_receives: int, most_sends: int) -> None:
        self._rio("RIOResizeRequestQueue", rq, most_receives, most_sends, returns="bool")

    def RIOReceive(self, rq: int, data: Piece | None, flags: int = 0, context: int = 0) -> None:
        with self._driver()._memory() as memory:
            self._rio("RIOReceive", rq, *_data(memory, data), flags, context, returns="bool")

    def RIOReceiveEx(
        self, rq: int, data: Piece | None, *beside: Piece | None, flags: int = 0, context: int = 0
    ) -> None:
        self._extended("RIOReceiveEx", rq, data, beside, flags, context)

    def RIOSend(self, rq: int, data: Piece | None, flags: int = 0, context: int = 0) -> None:
        with self._driver()._memory() as memory:
            self._rio("RIOSend", rq, *_data(memory, data), flags, context, returns="bool")

    def RIOSendEx(self, rq: int, data: Piece | None, *beside: Piece | None, flags: int = 0, context: int = 0) -> None:
        self._extended("RIOSendEx", rq, data, beside, flags, context)

    def _extended(
        self, name: str, rq: int, data: Piece | None, beside: tuple[Piece | None, ...], flags: int, context: int
    ) -> None:
        with self._driver()._memory() as memory:
            pieces = [_at(memory, piece) for piece in (*beside, *[None] * (4 - len(beside)))]
            self._rio(name, rq, *_data(memory, data), *pieces, flags, context, returns="bool")

    def RIODequeueCompletion(self, cq: int, count: int) -> list[Result]:
        with self._driver()._memory() as memory:
            array = memory.new(max(count, 1) * _RESULT.size)
            found = self._rio("RIODequeueCompletion", cq, array.address, count, returns="count")
            return [Result(*_RESULT.unpack(array.read(_RESULT.size, at * _RESULT.size))) for at in range(found)]

    def RIONotify(self, cq: int) -> None:
        self._rio("RIONotify", cq, returns="code")

    def ProcessSocketNotifications(
        self, port: int, registrations: Sequence[Registration] = (), timeout_ms: int = 0, count: int = 0
    ) -> list[tuple[int, Any, int, int]]:
        with self._driver()._memory() as memory:
            rows = [
                _REGISTRATION.pack(one.socket, one.key, one.events, one.operation, one.triggers, one.result)
                for one in registrations
            ]
            array = memory.new(b"".join(rows)) if rows else None
            entries, received = (memory.new(32 * count), memory.number()) if count else (None, None)
            try:
                self._driver().check(
                    "ProcessSocketNotifications",
                    port,
                    len(rows),
                    0 if array is None else array.address,
                    timeout_ms,
                    count,
                    0 if entries is None else entries.address,
                    0 if received is None else received.address,
                    returns="code",
                )
            finally:
                for at, one in enumerate(registrations):
                    assert array is not None
                    one.result = array.number(4, at * _REGISTRATION.size + 20)
            if entries is None or received is None:
                return []
            return [_ENTRY.unpack(entries.read(28, at * 32)) for at in range(received.number())]


def _at(memory: Scratch, piece: Piece | None) -> int:
    return memory.at(None if piece is None else _BUF.pack(piece.buffer_id, piece.offset, piece.length))


def _data(memory: Scratch, piece: Piece | None) -> tuple[int, int]:
    return _at(memory, piece), 0 if piece is None else 1
