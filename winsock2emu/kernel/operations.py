"""I/O requests from issue to delivery, and the record in which a program follows an overlapped one.

Part played:     the IRP, the OVERLAPPED structure, and IoCompleteRequest.
Lives here:      how a request becomes final, and how that is told: memory, event, completion routine, port.
Lives elsewhere: queueing, cancelling and trying (engine/lanes), what is tried (providers), ports and APCs
                 (kernel/ports, kernel/objects), the structure in a C program's memory (capi/overlapped).
Order of effects: InternalHigh, then Internal (the status), then the event, or the routine, or the packet. A program
                 that only looks at Internal finds everything else done.
At most one tale: a request with an event object sets it, and posts a packet too if its file has a port, unless the
                 lowest bit of the event's handle forbids it; one with a routine does neither (table T6.1). Without an
                 event the file itself is signalled.
Errors:          a request keeps an NTSTATUS, as on Windows; WSA and Win32 codes are both read off it. `status_of`
                 is the way from the code that a provider raises to the status; where a code stands for several,
                 the provider says which by `WinsockError.status`.
Sources:         overlapped-i-o-and-event-objects-2, nf-winsock2-wsagetoverlappedresult; R6.8-R6.19, R6.30-R6.47, T6.1
                 of the project's reference.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol
from weakref import WeakSet

from ..defs import codes
from ..defs.codes import (
    STATUS_BUFFER_OVERFLOW,
    STATUS_CANCELLED,
    STATUS_IO_TIMEOUT,
    STATUS_NOT_SUPPORTED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    STATUS_TO_WIN32,
    STATUS_TO_WSA,
    STATUS_UNSUCCESSFUL,
    WSA_IO_PENDING,
    WSA_OPERATION_ABORTED,
)
from ..errors import WinsockError
from .objects import queue_apc, release
from .waits import this_waiter

if TYPE_CHECKING:
    from .events import Event
    from .files import FileObject
    from .waits import Waiter

FIRST_ERROR: Final = 0xC0000000
"""Statuses from here on are failures; those from 0x80000000 are warnings, with data all the same."""

FIRST_WARNING: Final = 0x80000000

# What a file is not told of requests that complete at once (SetFileCompletionNotificationModes).
SKIP_PORT: Final = 1  # FILE_SKIP_COMPLETION_PORT_ON_SUCCESS
SKIP_SIGNAL: Final = 2  # FILE_SKIP_SET_EVENT_ON_HANDLE


class Pending(enum.Enum):
    """The type of `PENDING`."""

    PENDING = enum.auto()

    def __repr__(self) -> str:
        return "PENDING"


PENDING: Final = Pending.PENDING
"""The result of an overlapped call that has not completed yet: SOCKET_ERROR with WSA_IO_PENDING in C."""

# Which of several statuses a provider means by a code, as Windows' transports use them.
_STATUSES: Final[dict[int, int]] = {
    **{wsa: status for status, wsa in reversed(STATUS_TO_WSA.items())},
    codes.WSAEMSGSIZE: STATUS_BUFFER_OVERFLOW,
    codes.WSAEOPNOTSUPP: STATUS_NOT_SUPPORTED,
    codes.WSAETIMEDOUT: STATUS_IO_TIMEOUT,
    codes.WSAECONNREFUSED: codes.STATUS_CONNECTION_REFUSED,
    codes.WSAECONNRESET: codes.STATUS_CONNECTION_RESET,
    codes.WSAECONNABORTED: codes.STATUS_CONNECTION_ABORTED,
    codes.WSAENETUNREACH: codes.STATUS_NETWORK_UNREACHABLE,
    codes.WSAEADDRNOTAVAIL: codes.STATUS_INVALID_ADDRESS_COMPONENT,
    codes.WSAEADDRINUSE: codes.STATUS_ADDRESS_ALREADY_EXISTS,
    codes.WSAENOBUFS: codes.STATUS_INSUFFICIENT_RESOURCES,
    codes.WSAESHUTDOWN: codes.STATUS_PIPE_DISCONNECTED,
    codes.WSAENOTCONN: codes.STATUS_INVALID_CONNECTION,
    codes.WSAENOTSOCK: codes.STATUS_INVALID_HANDLE,
    codes.WSAEFAULT: codes.STATUS_ACCESS_VIOLATION,
    codes.WSAEINVAL: codes.STATUS_INVALID_PARAMETER,
    codes.WSAENETDOWN: codes.STATUS_UNEXPECTED_NETWORK_ERROR,
    codes.WSAEINTR: STATUS_CANCELLED,
    WSA_OPERATION_ABORTED: STATUS_CANCELLED,
    **{win32: status for status, win32 in reversed(STATUS_TO_WIN32.items()) if status >= FIRST_ERROR and win32 < 10000},
    codes.ERROR_HANDLE_EOF: codes.STATUS_END_OF_FILE,
    codes.ERROR_INVALID_PARAMETER: codes.STATUS_INVALID_PARAMETER,
}


def status_of(failure: WinsockError) -> int:
    """The NTSTATUS with which a request ends that failed like this."""
    return failure.status or _STATUSES.get(failure.winerror, STATUS_UNSUCCESSFUL)


# Statuses that are a Win32 code with a prefix: an HRESULT's, and two of NTSTATUS.
_WIN32_PREFIXES: Final = (0x80070000, 0xC0010000, 0xC0070000)


def winsock_code(status: int) -> int:
    """The Winsock code of a warning or failure; what has none of its own is WSAEINVAL, as on Windows."""
    code = STATUS_TO_WSA.get(status)
    if code is None:
        code = status & 0xFFFF if status & 0xFFFF0000 in _WIN32_PREFIXES else codes.WSAEINVAL
    return code


class Keeper(Protocol):
    """Whoever holds a request until it completes."""

    def cancel(self, operation: Operation, /) -> bool:
        """Complete it with WSA_OPERATION_ABORTED; False when it is not there (any more)."""
        ...


class Operation:
    """One request, from issue to delivery. It becomes final once and is delivered once.

    Attributes:
        deliver: tells the issuer; called by whoever completes the request, often under a lock, and calls no user code.
        result: what the attempt returned; bytes moved, or None, for one that failed.
        error: WSA_IO_PENDING, then 0 or the code it failed with.
        final: True once result and error will not change again.
        keeper: who holds it while it pends, else None.
        attempt, preceding, following: its place in the queue of a lane (engine/lanes).
    """

    __slots__ = ("attempt", "deliver", "error", "final", "following", "keeper", "preceding", "result")

    waiter: ClassVar[None] = None
    """No thread waits for it, as one does for a synchronous request in the same queue."""

    def __init__(self, deliver: Callable[[Operation], None]) -> None:
        self.deliver = deliver
        self.result: Any = None
        self.error: int = WSA_IO_PENDING
        self.final = False
        self.keeper: Keeper | None = None
        self.attempt: Any = None
        self.preceding: Any = None
        self.following: Any = None

    def pend(self, keeper: Keeper) -> None:
        """It could not be completed at once and is kept."""
        self.keeper = keeper

    def finish(self, result: Any, failure: WinsockError | None = None) -> None:
        """Make the request final and tell the issuer."""
        self.keeper = self.attempt = None
        self.result = result
        self.error = 0 if failure is None else failure.winerror
        self.final = True
        self.deliver(self)

    def finish_now(self, moved: int) -> None:
        """`finish` for the ordinary case: a request that has not pended has moved so many bytes."""
        self.finish(moved)

    def finish_late(self, result: Any, failure: WinsockError | None = None) -> None:
        """Finish a request as if it had pended: its call returns `PENDING`."""
        self.pend(NOBODY)
        self.finish(result, failure)

    def abandon(self) -> None:
        """Make the request final, as aborted, and tell nobody."""
        self.keeper = self.attempt = None
        self.error = WSA_OPERATION_ABORTED
        self.final = True

    def cancel(self, on_behalf_of: Operation | None = None) -> bool:
        """Complete it with WSA_OPERATION_ABORTED if it still pends; True when this was its end.

        A request may be the keeper of another one, which it finishes with itself.
        """
        keeper = self.keeper
        return keeper is not None and keeper.cancel(self)


class _Nobody:
    """Keeps requests that are about to be finished."""

    __slots__ = ()

    def cancel(self, operation: Operation) -> bool:
        return False


NOBODY: Final = _Nobody()


def moved_of(result: Any) -> int:
    """The byte count in what a call returns: a count, a tuple that begins with one, a message; 0 for anything else."""
    if isinstance(result, int):
        return int(result)
    if isinstance(result, tuple):
        return int(result[0])
    return getattr(result, "moved", 0) or 0


def flags_of(result: Any) -> int:
    """The flags in what a receive returns."""
    return getattr(result[0] if isinstance(result, tuple) else result, "flags", 0) or 0


CompletionRoutine = Callable[[int, int, "OVERLAPPED", int], Any]
"""Called with the Winsock code, the bytes, the record and the flags, in an alertable wait of the issuing thread."""


class OVERLAPPED(Operation):
    """The record that goes with an overlapped request; while it is under way, it is the request.

    Attributes:
        Internal: the NTSTATUS; STATUS_PENDING until the request is complete.
        InternalHigh: bytes moved.
        Offset, OffsetHigh: the position in a file, which sockets ignore.
        hEvent: an event's handle, 0 for none; its lowest bit keeps the packet away from a completion port.
        result: once complete, what the call returns when it is not overlapped (a tuple from WSARecvFrom); the failure,
            a `WinsockError`, when there is one.
        file: what the latest request is for; its port gets the packet.
        event: set when it is complete, None for none.
        silent: no packet, whatever the file's port is.
        routine: the completion routine, None for none.
        issuer: the thread that has issued it; known once it pends, which is when that matters.

    Source: https://learn.microsoft.com/windows/win32/api/minwinbase/ns-minwinbase-overlapped
    """

    __slots__ = (
        "Internal",
        "InternalHigh",
        "Offset",
        "OffsetHigh",
        "__weakref__",
        "event",
        "file",
        "hEvent",
        "issuer",
        "routine",
        "silent",
    )

    address: Any = None
    """Where it is in a C program's memory, which is what packets carry then instead of the record."""

    def __init__(self, hEvent: int = 0, Offset: int = 0, OffsetHigh: int = 0) -> None:
        self.Internal = 0
        self.InternalHigh = 0
        self.Offset = Offset
        self.OffsetHigh = OffsetHigh
        self.hEvent = hEvent
        self.result = None
        self.keeper = None

    def begin(
        self, file: FileObject, event: Event | None, silent: int, routine: CompletionRoutine | None
    ) -> OVERLAPPED:
        """Become a request; returns the request, which is another one while this one pends (an error of the program).

        What is not set here is set when it pends or is final: most requests complete at once.
        """
        if self.keeper is not None:
            return _Again(self).begin(file, event, silent, routine)
        self.file = file
        self.event = event
        self.silent = silent
        self.routine = routine
        self.Internal = STATUS_PENDING
        return self

    @property
    def operation(self) -> OVERLAPPED | None:
        """The request that pends on this record, None when there is none."""
        return None if self.keeper is None else self

    @property
    def flags(self) -> int:
        """The flags that a completed receive hands back."""
        return flags_of(self.result)

    def pend(self, keeper: Keeper) -> None:
        if self.keeper is None:
            # The first keeper takes it over in the thread of the call.
            self.error = WSA_IO_PENDING
            self.final = False
            self.issuer = issuer = this_waiter()
            if not issuer.issues:
                issuer.issues = True
                issuer.owned.append(issued)
            self.file.pending[self] = None
        self.keeper = keeper

    def finish(self, result: Any, failure: WinsockError | None = None) -> None:
        # The status is the last thing that is written. A program that looks at it may begin the next request by then,
        # so everything that is needed afterwards is read before.
        file, event, routine, silent = self.file, self.event, self.routine, self.silent
        at_once = self.keeper is None
        if not at_once:
            self.leave()
        moved = result if type(result) is int else moved_of(result)
        if failure is None:
            self.error = status = STATUS_SUCCESS
        else:
            self.error = failure.winerror
            status = status_of(failure)
            # It is kept, but not what it has gone through: the frames hold the buffers.
            failure.__traceback__ = failure.__cause__ = failure.__context__ = None
            result = failure
        issuer = this_waiter() if at_once else self.issuer
        self.result = result
        self.InternalHigh = moved
        self.final = True
        event = event or self.event  # somebody may have begun to wait (`Process.wait_for`)
        if routine is not None:
            told = STATUS_TO_WSA.get(status, self.error), moved, self, self.flags
            self.Internal = status
            queue_apc(issuer, file.run_routine, issuer, routine, *told)
            return
        self.Internal = status
        modes = file.modes if at_once else 0
        if event is not None:
            event.set()
        elif not modes & SKIP_SIGNAL:
            file.signalled = True
            if file.waiters is not None:
                release(file)
        port = file.port
        if port is not None and not silent and not modes & SKIP_PORT:
            port.packets.append((file.key, self.address or self, status, moved))
            if port.waiting:
                port.deliver()

    def finish_now(self, moved: int) -> None:
        # `finish` without what this case does not need: most requests end here.
        file, event, silent = self.file, self.event, self.silent
        if self.routine is not None:
            self.finish(moved)
            return
        self.result = self.InternalHigh = moved
        self.Internal = STATUS_SUCCESS
        modes = file.modes
        if event is not None:
            event.set()
        elif not modes & SKIP_SIGNAL:
            file.signalled = True
            if file.waiters is not None:
                release(file)
        port = file.port
        if port is not None and not modes & SKIP_PORT and not silent:
            port.packets.append((file.key, self.address or self, STATUS_SUCCESS, moved))
            if port.waiting:
                port.deliver_soon()

    def abandon(self) -> None:
        if self.keeper is not None:
            self.leave()
        super().abandon()
        self.InternalHigh = 0
        self.Internal = STATUS_CANCELLED

    def leave(self) -> None:
        """It does not pend any more."""
        self.keeper = self.attempt = None
        self.file.pending.pop(self, None)

    @property
    def on_port(self) -> bool:
        """Its outcome goes to a completion port."""
        return self.routine is None and self.file.port is not None

    def __repr__(self) -> str:
        return f"<OVERLAPPED Internal={self.Internal:#x} InternalHigh={self.InternalHigh} hEvent={self.hEvent:#x}>"


class _Again(OVERLAPPED):
    """A second request on a record that is in use, as Windows allows it: both write there, and are told as it."""

    __slots__ = ("_record", "address")

    def __init__(self, record: OVERLAPPED) -> None:
        super().__init__()
        self._record = record
        self.address = record.address or record  # what packets carry

    def finish(self, result: Any, failure: WinsockError | None = None) -> None:
        record, status = self._record, STATUS_SUCCESS if failure is None else status_of(failure)
        record.result = result if failure is None else failure
        record.InternalHigh = moved_of(result)
        record.Internal = status
        super().finish(result, failure)

    def abandon(self) -> None:
        super().abandon()
        self._record.InternalHigh = 0
        self._record.Internal = STATUS_CANCELLED


class IssuedRequests:
    """Stands among what a thread owns: its end cancels its requests, except those whose outcome a port gets.

    Attributes:
        files: what requests may pend on, of all processes.
    """

    def __init__(self) -> None:
        self.files: WeakSet[FileObject] = WeakSet()

    def thread_ended(self, waiter: Waiter) -> None:
        """As for all that a thread owns."""
        for file in self._files_now():
            if file.port is None and file.pending:
                file.cancel(waiter=waiter)

    def _files_now(self) -> tuple[FileObject, ...]:
        while True:
            try:
                return tuple(self.files)
            except RuntimeError:
                pass  # another thread has made one meanwhile


issued: Final = IssuedRequests()
