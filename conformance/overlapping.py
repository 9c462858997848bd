"""Overlapped requests: the record, and the C calls that start, end and ask for them.

Part played:     the part of a compiled Windows program that knows OVERLAPPED and mswsock.h.
Lives here:      the record in the machine's memory, buffers that belong to a request; the driver's calls, as a part of
                 CDriver.
Lives elsewhere: the interface (target), memory and failing (driver), completion ports (driver).
Memory:          of records, and of buffers given to a request, lives until the case is over. What a request has put
                 into a buffer is in the case's own one as soon as anything shows that it is complete.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from .addresses import SIZE_IN, SIZE_IN6
from .constants import (
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    STATUS_PENDING,
    TP_ELEMENT_EOP,
    TP_ELEMENT_FILE,
    TP_ELEMENT_MEMORY,
    WSA_IO_PENDING,
    WSAID_CONNECTEX,
    WSAID_DISCONNECTEX,
    WSAID_TRANSMITPACKETS,
)
from .parts import DriverPart
from .target import PENDING, Element, FileRoutine, Pending, Readable, Writable
from .verify import Failed, Mismatch

if TYPE_CHECKING:
    from .driver import Block

_OVERLAPPED: Final = struct.Struct("<QQIIQ")
_TRANSMIT_FILE_BUFFERS: Final = struct.Struct("<QI4xQI4x")
_MEMORY_ELEMENT: Final = struct.Struct("<IIQ8x")
_FILE_ELEMENT: Final = struct.Struct("<IIqQ")


def _field(at: int, size: int) -> property:
    """A number of the record."""

    def get(self: Overlapped) -> int:
        return self.block.number(size, at)

    def put(self: Overlapped, value: int) -> None:
        self.block.write(value.to_bytes(size, "little"), at)

    return property(get, put)


class Overlapped:
    """An OVERLAPPED in the machine's memory."""

    def __init__(self, block: Block, event: int) -> None:
        self.block = block
        self._outputs: list[tuple[Block, Writable]] = []
        #: What the call would have returned if it had not been overlapped.
        self.outcome: Callable[[], Any] = lambda: self.InternalHigh
        block.write(_OVERLAPPED.pack(0, 0, 0, 0, event))

    @property
    def address(self) -> int:
        """Where it is."""
        return self.block.address

    InternalHigh = _field(8, 8)
    Offset = _field(16, 4)
    OffsetHigh = _field(20, 4)
    hEvent = _field(24, 8)

    @property
    def Internal(self) -> int:
        """The NTSTATUS."""
        status = self.block.number(8, 0)
        if status != STATUS_PENDING:
            self.collect()
        return status

    @Internal.setter
    def Internal(self, status: int) -> None:
        self.block.write(status.to_bytes(8, "little"), 0)

    def fills(self, block: Block | None, buffer: Writable | None) -> None:
        """The request puts its data into a block, which stands for a buffer of the case."""
        if block is not None and buffer is not None:
            self._outputs.append((block, buffer))

    def collect(self) -> None:
        """The request is complete: fill the buffers of the case."""
        for block, buffer in self._outputs:
            buffer[:] = block.read()


class OverlappedCalls(DriverPart):
    """The calls with an OVERLAPPED, in C."""

    def overlapped(self, event: int | None = None) -> Overlapped:
        made = Overlapped(self._driver().c.new(_OVERLAPPED.size), event or 0)
        self._records[made.address] = made
        return made

    @property
    def _records(self) -> dict[int, Overlapped]:
        """The records of the case by address."""
        return self._driver().c.records

    def token(self, overlapped: Any) -> Any:
        return overlapped.address

    def _at(self, overlapped: Any) -> int:
        return 0 if overlapped is None else int(overlapped.address)

    def result(self, overlapped: Any) -> Any:
        overlapped.collect()
        return overlapped.outcome()

    def collect(self, address: int) -> None:
        """A packet or a routine tells that the request of the record there is complete."""
        if address in self._records:
            self._records[address].collect()

    def begin_request(
        self, call: Callable[[], int], overlapped: Any = None, moved: Block | None = None
    ) -> int | Pending:
        """Make a call that starts a request: what it returns, or PENDING where it fails with WSA_IO_PENDING.

        ``moved``: where the call puts a byte count, which is the result then; one that pends must not.
        """
        before = None if moved is None else moved.read()
        try:
            returned = call()
        except Failed as failure:
            if failure.code != WSA_IO_PENDING:
                raise
            if moved is not None and moved.read() != before:
                raise Mismatch(
                    "byte count of a call that pends", expected="not written", actual=hex(moved.number())
                ) from None
            return PENDING
        if overlapped is not None:
            overlapped.collect()
        return returned if moved is None else moved.number()

    def record_and_routine(
        self, overlapped: Any, routine: Callable[..., object] | None, widths: Sequence[int] = (4, 4, 8, 4)
    ) -> tuple[int, int]:
        """The two last arguments of a call: the addresses of a record and a completion routine."""
        if routine is None:
            return self._at(overlapped), 0

        def call(error: int, moved: int, address: int, *flags: int) -> int:
            self.collect(address)
            routine(error, moved, self._records.get(address, address), *flags)
            return 0

        return self._at(overlapped), self._driver().machine.callback(call, widths)

    def _pointer_to(self, s: int, guid: UUID) -> int:
        """The pointer that a socket's provider has for a GUID; the exported function's for what is no socket."""
        driver = self._driver()
        with driver._memory() as memory:
            asked, pointer, count = memory.new(guid.bytes_le), memory.number(size=8), memory.number()
            given = (asked.address, 16, pointer.address, 8, count.address, 0, 0)
            try:
                driver.check("WSAIoctl", s, SIO_GET_EXTENSION_FUNCTION_POINTER, *given)
            except Failed:
                other = driver.socket(2, 1, 6)  # the pointer is the provider's, whatever socket is asked
                try:
                    driver.check("WSAIoctl", other, SIO_GET_EXTENSION_FUNCTION_POINTER, *given)
                finally:
                    driver.closesocket(other)
            return pointer.number(8)

    # ---- outcomes ------------------------------------------------------------------------------------------

    def WSAGetOverlappedResult(self, s: int, overlapped: Any, wait: bool) -> tuple[int, int]:
        driver = self._driver()
        with driver._memory() as memory:
            moved, flags = memory.number(), memory.number()
            given = (self._at(overlapped), moved.address, int(wait), flags.address)
            driver.check("WSAGetOverlappedResult", s, *given, returns="bool")
            overlapped.collect()
            return moved.number(), flags.number()

    def GetOverlappedResult(self, handle: int, overlapped: Any, wait: bool) -> int:
        driver = self._driver()
        with driver._memory() as memory:
            moved = memory.number()
            given = (self._at(overlapped), moved.address, int(wait))
            try:
                driver.check("kernel32.GetOverlappedResult", handle, *given, returns="bool")
            except Failed as failure:
                failure.moved = moved.number()
                raise
            overlapped.collect()
            return moved.number()

    def GetOverlappedResultEx(self, handle: int, overlapped: Any, milliseconds: int, alertable: bool) -> int:
        driver = self._driver()
        with driver._memory() as memory:
            moved = memory.number()
            given = (self._at(overlapped), moved.address, milliseconds, int(alertable))
            try:
                driver.check("kernel32.GetOverlappedResultEx", handle, *given, returns="bool")
            except Failed as failure:
                failure.moved = moved.number()
                raise
            overlapped.collect()
            return moved.number()

    # ---- ReadFile and WriteFile ----------------------------------------------------------------------------

    def ReadFile(self, handle: int, buffer: Writable | None, overlapped: Any = None) -> int | Pending:
        driver = self._driver()
        with driver._request_memory(overlapped) as memory:
            block = None if buffer is None else memory.new(buffer)
            moved = memory.number()
            if overlapped is not None:
                overlapped.fills(block, buffer)
            where = (block.address, block.size) if block else (0, 1)
            given = (handle, *where, moved.address, self._at(overlapped))
            result = self.begin_request(
                lambda: driver.check("kernel32.ReadFile", *given, returns="bool"), overlapped, moved
            )
            if overlapped is None and block is not None and buffer is not None:
                buffer[:] = block.read()
            return result

    def WriteFile(self, handle: int, data: Readable | None, overlapped: Any = None) -> int | Pending:
        driver = self._driver()
        with driver._request_memory(overlapped) as memory:
            block = None if data is None else memory.new(data)
            moved = memory.number()
            where = (block.address, block.size) if block else (0, 1)
            given = (handle, *where, moved.address, self._at(overlapped))
            return self.begin_request(
                lambda: driver.check("kernel32.WriteFile", *given, returns="bool"), overlapped, moved
            )

    def ReadFileEx(self, handle: int, buffer: Writable | None, overlapped: Any, routine: FileRoutine | None) -> None:
        self._file_ex("ReadFileEx", handle, buffer, overlapped, routine)

    def WriteFileEx(self, handle: int, data: Readable | None, overlapped: Any, routine: FileRoutine | None) -> None:
        self._file_ex("WriteFileEx", handle, data, overlapped, routine)

    def _file_ex(self, function: str, handle: int, buffer: Any, overlapped: Any, routine: FileRoutine | None) -> None:
        driver = self._driver()
        block = None if buffer is None else driver.c.new(bytes(buffer))
        if function == "ReadFileEx":
            overlapped.fills(block, buffer)
        where = (block.address, block.size) if block else (0, 1)
        given = (*where, *self.record_and_routine(overlapped, routine, (4, 4, 8)))
        driver.check(f"kernel32.{function}", handle, *given, returns="bool")

    # ---- cancelling, modes ---------------------------------------------------------------------------------

    def CancelSynchronousIo(self, thread: int) -> None:
        self._driver().check("kernel32.CancelSynchronousIo", thread, returns="bool")

    def CancelIo(self, handle: int) -> None:
        self._driver().check("kernel32.CancelIo", handle, returns="bool")

    def CancelIoEx(self, handle: int, overlapped: Any = None) -> None:
        self._driver().check("kernel32.CancelIoEx", handle, self._at(overlapped), returns="bool")

    def SetFileCompletionNotificationModes(self, handle: int, flags: int) -> None:
        self._driver().check("kernel32.SetFileCompletionNotificationModes", handle, flags, returns="bool")

    # ---- mswsock -------------------------------------------------------------------------------------------

    def AcceptEx(
        self,
        listener: int,
        acceptor: int,
        buffer: Writable | None,
        receive_length: int,
        local_length: int,
        remote_length: int,
        overlapped: Any,
    ) -> int | Pending:
        driver = self._driver()
        room = None if buffer is None else driver.c.new(bytes(buffer))
        moved = driver.c.new(4)
        if room is not None and buffer is not None and overlapped is not None:
            overlapped.fills(room, buffer)
        lengths = (receive_length, local_length, remote_length)
        where = (room.address if room else 0, *lengths, moved.address, self._at(overlapped))
        result = self.begin_request(
            lambda: driver.check("mswsock.AcceptEx", listener, acceptor, *where, returns="bool")
        )
        return PENDING if result is PENDING else moved.number()

    def GetAcceptExSockaddrs(
        self, buffer: Writable, receive_length: int, local_length: int, remote_length: int
    ) -> tuple[bytes | None, bytes]:
        driver = self._driver()
        with driver._memory() as memory:
            room = memory.new(bytes(buffer))
            local, remote = memory.number(1, 8), memory.number(1, 8)
            sizes = memory.number(77), memory.number(77)
            given = (local.address, sizes[0].address, remote.address, sizes[1].address)
            lengths = (receive_length, local_length, remote_length)
            driver.check("mswsock.GetAcceptExSockaddrs", room.address, *lengths, *given, returns="void")
            found: list[bytes | None] = []
            for pointer, size in zip((local, remote), sizes, strict=True):
                address = pointer.number(8)
                if address == 1 and size.number() == 77:
                    found.append(None)
                    continue
                if size.number() not in (SIZE_IN, SIZE_IN6):
                    raise Mismatch("length of an address", expected="that of a sockaddr", actual=str(size.number()))
                if not room.address <= address <= room.address + room.size - size.number():
                    raise Mismatch("address", expected="in the buffer", actual=hex(address))
                found.append(driver.machine.read(address, size.number()))
            if found[1] is None:
                raise Mismatch("remote address", expected="an address", actual="nothing stored")
            return found[0], found[1]

    def ConnectEx(
        self, s: int, name: bytes | None, data: Readable | None = None, overlapped: Any = None
    ) -> int | Pending:
        driver = self._driver()
        sent = driver.c.new(4)
        with driver._memory() as memory:
            source = memory.new(data) if data is not None else None
            where = (source.address, source.size) if source else (0, 0)
            given = (memory.at(name), 0 if name is None else len(name), *where, sent.address, self._at(overlapped))
            function = self._pointer_to(s, WSAID_CONNECTEX)
            result = self.begin_request(lambda: driver.check(function, s, *given, returns="bool"))
            if source is not None:
                source.write(b"\xdd" * source.size)  # the buffer is the program's again
        return PENDING if result is PENDING else sent.number()

    def DisconnectEx(self, s: int, overlapped: Any = None, flags: int = 0) -> Pending | None:
        function = self._pointer_to(s, WSAID_DISCONNECTEX)
        given = (s, self._at(overlapped), flags, 0)
        result = self.begin_request(lambda: self._driver().check(function, *given, returns="bool"))
        return PENDING if result is PENDING else None

    def TransmitFile(
        self,
        s: int,
        file: int | None,
        count: int = 0,
        per_send: int = 0,
        overlapped: Any = None,
        head: Readable | None = None,
        tail: Readable | None = None,
        flags: int = 0,
    ) -> int | Pending:
        driver = self._driver()
        around = 0
        if head is not None or tail is not None:
            pieces = []
            for data in (head, tail):
                pieces += [driver.c.new(bytes(data)).address, len(data)] if data is not None else [0, 0]
            around = driver.c.new(_TRANSMIT_FILE_BUFFERS.pack(*pieces)).address
        given = (s, file or 0, count, per_send, self._at(overlapped), around, flags)
        return self.begin_request(lambda: driver.check("mswsock.TransmitFile", *given, returns="bool"))

    def TransmitPackets(
        self,
        s: int,
        elements: Sequence[Element] | None,
        send_size: int = 0,
        overlapped: Any = None,
        flags: int = 0,
    ) -> int | Pending:
        driver = self._driver()
        array = b""
        for element in elements or ():
            end = TP_ELEMENT_EOP if element.end_of_packet else 0
            if element.data is not None:
                where = driver.c.new(bytes(element.data)).address
                array += _MEMORY_ELEMENT.pack(TP_ELEMENT_MEMORY | end, len(element.data), where)
            else:
                place = (element.length, element.offset, element.file)
                array += _FILE_ELEMENT.pack(TP_ELEMENT_FILE | end, *place)
        at = driver.c.new(array).address if elements is not None else 0
        given = (s, at, len(elements or ()), send_size, self._at(overlapped), flags)
        function = self._pointer_to(s, WSAID_TRANSMITPACKETS)
        return self.begin_request(lambda: driver.check(function, *given, returns="bool"))
