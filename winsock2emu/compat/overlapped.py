"""``_overlapped``: overlapped requests and completion ports, as asyncio's proactor uses them.

Part played:     Modules/overlapped.c of CPython.
Lives here:      the class `Overlapped` with its states, and the module's functions under its conventions: results
                 that are objects, arguments by position, `OSError` with ``winerror``.
Lives elsewhere: the requests (ws2_32, mswsock, kernel32), taking over sockets of the host (_adopt).
Handles:         a bare descriptor that is a socket of the host is adopted when a function meets it first; whoever owns
                 it calls `_adopt.release` before closing it. TransmitFile takes a descriptor for its file as well,
                 which is what `msvcrt.get_osfhandle` tells.
Addresses:       tuples as in the socket module. An Overlapped's own ``address`` is a number that nothing else ever has.
Codes:           Winsock's from a start that fails, Win32's from `Overlapped.getresult` and completion packets.
Sources:         Modules/overlapped.c; the "asyncio" part of CPython's library, which calls it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final

from .. import kernel32, mswsock, ws2_32
from ..defs.addresstext import inet_pton, packed_ipv4
from ..defs.codes import (
    ERROR_BROKEN_PIPE,
    ERROR_INVALID_HANDLE,
    ERROR_IO_PENDING,
    ERROR_MR_MID_NOT_FOUND,
    ERROR_NETNAME_DELETED,
    ERROR_NOT_FOUND,
    ERROR_OPERATION_ABORTED,
    ERROR_PIPE_BUSY,
    ERROR_PIPE_CONNECTED,
    ERROR_PORT_UNREACHABLE,
    ERROR_SEM_TIMEOUT,
    STATUS_PENDING,
    STATUS_SUCCESS,
    STATUS_TO_WIN32,
    WAIT_TIMEOUT,
    WSA_IO_PENDING,
    WSAEINVAL,
    WSAENOTSOCK,
    WSANOTINITIALISED,
)
from ..defs.codes import ERROR_MORE_DATA as _ERROR_MORE_DATA
from ..defs.constants import (
    AF_INET,
    AF_INET6,
    FILE_FLAG_OVERLAPPED,
    INFINITE,
    SO_UPDATE_ACCEPT_CONTEXT,
    SO_UPDATE_CONNECT_CONTEXT,
    TF_REUSE_SOCKET,
    WT_EXECUTEINWAITTHREAD,
    WT_EXECUTEONLYONCE,
)
from ..defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ..defs.winbase import (
    FILE_READ_DATA,
    FILE_SHARE_DELETE,
    FILE_SHARE_READ,
    FILE_SHARE_WRITE,
    GENERIC_READ,
    GENERIC_WRITE,
    OPEN_EXISTING,
)
from ..errors import WinsockError, message_of
from ..kernel.handles import FIRST_NUMBER
from ..kernel.hostfiles import HostFile
from ..kernel.operations import OVERLAPPED, PENDING
from ..kernel.ports import Port
from ..kernel32.handles import typed
from ..process import Process, current_process
from ._adopt import WINDOWS_FAMILY, adopt_descriptor, started
from ._errors import from_windows_err
from ._finalizers import finish

__all__ = [
    "ERROR_IO_PENDING",
    "ERROR_NETNAME_DELETED",
    "ERROR_OPERATION_ABORTED",
    "ERROR_PIPE_BUSY",
    "ERROR_PORT_UNREACHABLE",
    "ERROR_SEM_TIMEOUT",
    "INFINITE",
    "INVALID_HANDLE_VALUE",
    "NULL",
    "SO_UPDATE_ACCEPT_CONTEXT",
    "SO_UPDATE_CONNECT_CONTEXT",
    "TF_REUSE_SOCKET",
    "BindLocal",
    "ConnectPipe",
    "CreateEvent",
    "CreateIoCompletionPort",
    "FormatMessage",
    "GetQueuedCompletionStatus",
    "Overlapped",
    "PostQueuedCompletionStatus",
    "RegisterWaitWithQueue",
    "ResetEvent",
    "SetEvent",
    "UnregisterWait",
    "UnregisterWaitEx",
    "WSAConnect",
]

INVALID_HANDLE_VALUE: Final = 0xFFFFFFFFFFFFFFFF
NULL: Final = 0

# What a number that is no SOCKET yet is refused with: a socket of the host may be behind it.
_UNKNOWN: Final = frozenset((WSAENOTSOCK, WSANOTINITIALISED, ERROR_INVALID_HANDLE))

_ALL_SHARES: Final = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE
_ACCEPT_ADDRESS: Final = 28 + 16  # a sockaddr_in6 and what AcceptEx wants beside it

# The stages of an Overlapped beside the kinds of requests.
_NONE: Final = "not yet attempted"
_FAILED: Final = "failed to start"
_READ: Final = "read"
_READ_INTO: Final = "read into"
_READ_FROM: Final = "read from"
_READ_FROM_INTO: Final = "read from into"
_OTHER: Final = "other"

_addresses = count(0x10000, 0x40)


class _Record(OVERLAPPED):
    """An OVERLAPPED whose packets carry a number."""

    __slots__ = ("address",)

    def __init__(self, event: int, address: int) -> None:
        # Not by `super`: two of these are made for each message that an event loop sends back.
        self.Internal = self.InternalHigh = self.Offset = self.OffsetHigh = 0
        self.hEvent = event
        self.result = self.keeper = None
        self.address = address


class Overlapped:
    """One overlapped request.

    Args:
        event: signalled when it is complete, and closed with this object; none for 0, one of its own by default.
    """

    __slots__ = ("_buffer", "_closes", "_handle", "_kind", "_record", "_result", "address", "error")

    _buffer: Any
    _result: Any

    address: int
    """What completion packets carry."""

    error: int
    """The code of the last call: 0, 997, 996 or what it failed with."""

    def __init__(self, event: int = INVALID_HANDLE_VALUE) -> None:
        self.error = 0
        self._kind = _NONE
        self._closes: list[tuple[Process, int]] | None = None
        if event:
            if event == INVALID_HANDLE_VALUE:
                event = kernel32.CreateEvent(None, True, False, None)
            self._closes = [(current_process(), event)]
        self.address = address = next(_addresses)
        self._record = _Record(event, address)

    # State

    @property
    def event(self) -> int:
        """The handle of the event, 0 for none."""
        return self._record.hEvent

    @property
    def pending(self) -> bool:
        """It has been started and is not complete."""
        return self._record.Internal == STATUS_PENDING and self._kind is not _FAILED

    def getresult(self, wait: bool = False, /) -> Any:
        """What the request was for: bytes, a count, or one of them with an address.

        Raises:
            ValueError: there is no request.
            OSError: ERROR_IO_INCOMPLETE (996), it pends and ``wait`` is false; what it has failed with.
        """
        kind, record = self._kind, self._record
        if kind is _NONE:
            raise ValueError("operation not yet attempted")
        if kind is _FAILED:
            raise ValueError("operation failed to start")
        if record.Internal == STATUS_SUCCESS:
            self.error = 0
            moved = record.InternalHigh
        else:
            try:
                moved = kernel32.GetOverlappedResult(self._handle, record, wait)
                self.error = 0
            except WinsockError as failure:
                self.error = failure.winerror
                at_end = self.error == ERROR_BROKEN_PIPE and kind is not _OTHER
                if self.error != _ERROR_MORE_DATA and not at_end:
                    raise from_windows_err(self.error) from None
                moved = failure.moved or 0
        if kind is _OTHER or kind is _READ_INTO:
            return moved
        if kind is _READ:
            return self._data(moved)
        if self._result is None:
            got: Any = self._data(moved) if kind is _READ_FROM else moved
            self._result = got, _unparse_address(record.result)
        return self._result

    def cancel(self) -> None:
        """Cancel the request if it pends. It completes then, which is told as every outcome is."""
        if self.pending:
            try:
                kernel32.CancelIoEx(self._handle, self._record)
            except WinsockError as failure:
                if failure.winerror != ERROR_NOT_FOUND:
                    raise

    def _data(self, moved: int) -> bytes:
        buffer = self._buffer
        if type(buffer) is not bytes:
            buffer = self._buffer = bytes(memoryview(buffer)[:moved])
        return buffer

    def __del__(self) -> None:
        try:
            record = self._record
        except AttributeError:
            return  # it has never been made
        if record.keeper is not None or self._closes is not None:
            finish(_abandon, record, self._closes or ())

    # Starting

    def _begin(self, kind: str, handle: int, buffer: Any) -> None:
        if self._kind is not _NONE:
            raise ValueError("operation already attempted")
        self._kind = kind
        self._handle = handle
        self._buffer = buffer

    def _start(self, call: Callable[..., Any], *arguments: Any) -> None:
        """Make a call whose last argument is the record, and adopt the socket if it is new."""
        record = self._record
        try:
            moved = call(*arguments, record)
        except WinsockError as failure:
            self._recover(failure, call, *arguments)
        else:
            self.error = WSA_IO_PENDING if moved is PENDING else 0

    def _recover(self, failure: WinsockError, call: Callable[..., Any], *arguments: Any) -> None:
        """A call has failed: once more with a socket that has been adopted, or for good."""
        if failure.winerror in _UNKNOWN and adopt_descriptor(self._handle):
            self._start(call, *arguments)
            return
        self._not_started(failure)

    def _not_started(self, failure: WinsockError) -> None:
        """A start has failed, unless there is data all the same, or the end."""
        self.error = code = failure.winerror
        record = self._record
        if code == _ERROR_MORE_DATA and self._kind is not _OTHER:
            return
        if code == ERROR_BROKEN_PIPE and self._kind is not _OTHER:
            record.Internal = STATUS_SUCCESS
            if record.hEvent:
                kernel32.SetEvent(record.hEvent)
        else:
            self._kind = _FAILED
            self._buffer = None
        raise from_windows_err(code) from None

    def WSARecv(self, handle: int, size: int, flags: int = 0, /) -> None:
        """Begin to receive at most ``size`` bytes; the result is bytes."""
        buffer = bytearray(size)
        self._begin(_READ, handle, buffer)
        self._start(ws2_32.WSARecv, handle, (buffer,), flags)

    def WSARecvInto(self, handle: int, buffer: Any, flags: int = 0, /) -> None:
        """Begin to receive into a buffer; the result is a count."""
        view = memoryview(buffer)
        if self._kind is not _NONE:
            raise ValueError("operation already attempted")
        self._kind = _READ_INTO
        self._handle = handle
        self._buffer = view
        try:
            # The view keeps a bytearray from being resized; itself, it needs no closer look on the way.
            moved = ws2_32.WSARecv(handle, (buffer if type(buffer) is bytearray else view,), flags, self._record)
        except WinsockError as failure:
            self._recover(failure, ws2_32.WSARecv, handle, (view,), flags)
        else:
            self.error = WSA_IO_PENDING if moved is PENDING else 0

    def WSARecvFrom(self, handle: int, size: int, flags: int = 0, /) -> None:
        """Begin to receive a datagram of at most ``size`` bytes; the result is (bytes, address)."""
        buffer = bytearray(size)
        self._begin(_READ_FROM, handle, buffer)
        self._result = None
        self._start(ws2_32.WSARecvFrom, handle, (buffer,), flags, None)

    def WSARecvFromInto(self, handle: int, buffer: Any, size: int, flags: int = 0, /) -> None:
        """Begin to receive a datagram into a buffer; the result is (count, address)."""
        view = memoryview(buffer)
        if view.nbytes < size:
            raise ValueError("nbytes is greater than the length of the buffer")
        self._begin(_READ_FROM_INTO, handle, view)
        self._result = None
        self._start(ws2_32.WSARecvFrom, handle, (view.cast("B")[:size],), flags, None)

    def WSASend(self, handle: int, buffer: Any, flags: int = 0, /) -> None:
        """Begin to send a buffer; the result is a count."""
        data = buffer if type(buffer) is bytes else memoryview(buffer)
        # As `_begin` and `_start` have it; this and WSARecvInto are what a busy loop does all the time.
        if self._kind is not _NONE:
            raise ValueError("operation already attempted")
        self._kind = _OTHER
        self._handle = handle
        self._buffer = data
        try:
            moved = ws2_32.WSASend(handle, (data,), flags, self._record)
        except WinsockError as failure:
            self._recover(failure, ws2_32.WSASend, handle, (data,), flags)
        else:
            self.error = WSA_IO_PENDING if moved is PENDING else 0

    def WSASendTo(self, handle: int, buffer: Any, flags: int, address: tuple[Any, ...], /) -> None:
        """Begin to send a datagram to an address; the result is a count."""
        to = _parse_address(address, "WSASendTo() argument 4")
        data = buffer if type(buffer) is bytes else memoryview(buffer)
        self._begin(_OTHER, handle, data)
        self._start(ws2_32.WSASendTo, handle, (data,), flags, to)

    def AcceptEx(self, listening: int, accepting: int, /) -> None:
        """Begin to accept a connection into a socket; the result is 0."""
        room = bytearray(2 * _ACCEPT_ADDRESS)
        self._begin(_OTHER, listening, room)
        adopt_descriptor(accepting)
        self._start(mswsock.AcceptEx, listening, accepting, room, 0, _ACCEPT_ADDRESS, _ACCEPT_ADDRESS)

    def ConnectEx(self, handle: int, address: tuple[Any, ...], /) -> None:
        """Begin to connect a bound socket; the result is 0."""
        to = _parse_address(address, "ConnectEx() argument 2")
        self._begin(_OTHER, handle, None)
        self._start(mswsock.ConnectEx, handle, to, None)

    def DisconnectEx(self, handle: int, flags: int, /) -> None:
        """Begin to end a connection; the result is 0."""
        self._begin(_OTHER, handle, None)
        self._start(lambda s, overlapped: mswsock.DisconnectEx(s, overlapped, flags), handle)

    def TransmitFile(
        self, handle: int, file: int, offset: int, offset_high: int, count: int, per_send: int, flags: int, /
    ) -> None:
        """Begin to send a part of a file; the result is a count."""
        self._begin(_OTHER, handle, None)
        self._record.Offset, self._record.OffsetHigh = offset, offset_high
        if 0 <= file < FIRST_NUMBER:
            file = file_handle_of(file)
            self._closes = [*(self._closes or ()), (current_process(), file)]
        self._start(
            lambda s, overlapped: mswsock.TransmitFile(s, file, count, per_send, overlapped, None, None, flags), handle
        )

    def ReadFile(self, handle: int, size: int, /) -> None:
        """Begin to read at most ``size`` bytes of a file or pipe; the result is bytes."""
        buffer = bytearray(size)
        self._begin(_READ, handle, buffer)
        self._start(kernel32.ReadFile, handle, buffer)

    def ReadFileInto(self, handle: int, buffer: Any, /) -> None:
        """Begin to read into a buffer; the result is a count."""
        view = memoryview(buffer)
        self._begin(_READ_INTO, handle, view)
        self._start(kernel32.ReadFile, handle, view)

    def WriteFile(self, handle: int, buffer: Any, /) -> None:
        """Begin to write a buffer; the result is a count."""
        data = buffer if type(buffer) is bytes else memoryview(buffer)
        self._begin(_OTHER, handle, data)
        self._start(kernel32.WriteFile, handle, data)

    def ConnectNamedPipe(self, handle: int, /) -> bool:
        """Begin to wait for a client of a pipe; True when one has come before. The result is 0."""
        return self.start(handle, lambda record: kernel32.ConnectNamedPipe(handle, record)) == ERROR_PIPE_CONNECTED

    def start(self, handle: int, begin: Callable[[OVERLAPPED], Any]) -> int:
        """Begin any request, which gets the record: the code it has begun with. Not CPython's."""
        self._begin(_OTHER, handle, None)
        try:
            self._start(begin)
        except WinsockError as failure:
            if failure.winerror != ERROR_PIPE_CONNECTED:
                raise
            self._kind = _OTHER
            self._record.Internal = STATUS_SUCCESS
            if self._record.hEvent:
                kernel32.SetEvent(self._record.hEvent)
        return self.error


def _abandon(record: OVERLAPPED, closes: Sequence[tuple[Process, int]]) -> None:
    """What nobody holds any more: the request is cancelled, and its handles are closed."""
    record.cancel()
    for process, handle in closes:  # another emulated process may be the current one by now
        with contextlib.suppress(WinsockError):  # the program has closed it
            process.close_handle(handle)


def file_handle_of(descriptor: int) -> int:
    """A file handle for a descriptor of the host."""
    try:
        own = os.dup(descriptor)
    except OSError as failure:
        raise from_windows_err(ERROR_INVALID_HANDLE) from failure
    file = HostFile(own, "", FILE_READ_DATA, _ALL_SHARES, overlapped=True, at_close=lambda _: None)
    return started().open_handle(file)


# Addresses


def _parse_address(address: Any, what: str) -> SockAddr:
    """The address in an (host, port) or (host, port, flow information, scope) tuple; hosts are numeric."""
    if not isinstance(address, tuple):
        raise TypeError(f"{what} must be tuple, not {type(address).__name__}")
    if len(address) == 2:
        host, port = address
        packed = packed_ipv4(host)
        if packed is None:
            raise WinsockError(WSAEINVAL)
        return sockaddr_in(packed, port & 0xFFFF)
    if len(address) == 4:
        host, port, flow_information, scope = address
        host, _, _ = host.partition("%")
        accepted, packed6 = inet_pton(AF_INET6, host)
        if not accepted:
            raise WinsockError(WSAEINVAL)
        return sockaddr_in6(packed6, port & 0xFFFF, flow_information, scope)
    raise ValueError("illegal address_as_bytes argument")


def _unparse_address(result: Any) -> tuple[Any, ...]:
    """The tuple for the address in what a request has ended with."""
    address = result[1] if isinstance(result, tuple) else getattr(result, "address", None)
    name = SockAddr(address or b"")
    if name.family == AF_INET:
        return name.host, name.port
    if name.family == AF_INET6:
        return name.host, name.port, name.flowinfo, name.scope_id
    raise ValueError("recvfrom returned unsupported address family")


# Functions


def CreateIoCompletionPort(handle: int, port: int, key: int, concurrency: int, /) -> int:
    """Make a port, or tie a file or socket to one: the port's handle."""
    try:
        return kernel32.CreateIoCompletionPort(handle, port, key, concurrency & 0xFFFFFFFF)
    except WinsockError as failure:
        if failure.winerror in _UNKNOWN and adopt_descriptor(handle):
            return kernel32.CreateIoCompletionPort(handle, port, key, concurrency & 0xFFFFFFFF)
        raise


def GetQueuedCompletionStatus(port: int, milliseconds: int, /) -> tuple[int, int, int, int] | None:
    """The next packet: its code, bytes, key and address; None when the time ran out. A failed request raises nothing.

    Raises:
        OSError: ERROR_INVALID_HANDLE, no port; ERROR_ABANDONED_WAIT_0, closed meanwhile.
    """
    process = current_process()
    # Not the function of that name: its exceptions for time-outs and failed requests would cost as much as the rest.
    thing = process.objects.get(port)
    if type(thing) is not Port:
        thing = typed(process, port, Port)
    found = thing.take(None if milliseconds == INFINITE else milliseconds / 1000, process)
    if isinstance(found, int):
        if found == WAIT_TIMEOUT:
            return None
        raise WinsockError(found)
    key, address, status, moved = found
    return 0 if status < 0x80000000 else STATUS_TO_WIN32.get(status, ERROR_MR_MID_NOT_FOUND), moved, key, address


def PostQueuedCompletionStatus(port: int, transferred: int, key: int, address: int, /) -> None:
    """Queue a packet."""
    kernel32.PostQueuedCompletionStatus(port, transferred, key, address)


def RegisterWaitWithQueue(thing: int, port: int, address: int, milliseconds: int, /) -> int:
    """Have a packet queued once an object is signalled (its bytes are 0) or the time is over (1): a wait handle."""

    def post(_: Any, timed_out: bool) -> None:
        kernel32.PostQueuedCompletionStatus(port, int(timed_out), 0, address)

    flags = WT_EXECUTEINWAITTHREAD | WT_EXECUTEONLYONCE
    return kernel32.RegisterWaitForSingleObject(thing, post, None, milliseconds, flags)


def UnregisterWait(wait: int, /) -> None:
    """End a registered wait; OSError with ERROR_IO_PENDING while its packet is being queued."""
    kernel32.UnregisterWait(wait)


def UnregisterWaitEx(wait: int, event: int, /) -> None:
    """As `UnregisterWait`, and set an event when nothing of the wait is left."""
    kernel32.UnregisterWaitEx(wait, event)


def CreateEvent(attributes: None, manual_reset: bool, initial_state: bool, name: str | None, /) -> int:
    """A handle of an event."""
    if attributes is not None:
        raise ValueError("EventAttributes must be None")
    return kernel32.CreateEvent(None, manual_reset, initial_state, name)


def SetEvent(event: int, /) -> None:
    """Signal an event."""
    kernel32.SetEvent(event)


def ResetEvent(event: int, /) -> None:
    """Clear an event."""
    kernel32.ResetEvent(event)


def BindLocal(handle: int, family: int, /) -> None:
    """Bind a socket to the wildcard address and a port of the system's choice.

    Args:
        family: AF_INET or AF_INET6, the host's or Windows' number.

    Raises:
        OSError: WSAEINVAL, bound already.
    """
    family = WINDOWS_FAMILY.get(family, family)
    if family not in (AF_INET, AF_INET6):
        raise ValueError("expected tuple of length 2 or 4")
    adopt_descriptor(handle)
    ws2_32.bind(handle, sockaddr_in("0.0.0.0") if family == AF_INET else sockaddr_in6("::"))


def WSAConnect(handle: int, address: tuple[Any, ...], /) -> None:
    """Give a datagram socket its default peer."""
    name = _parse_address(address, "WSAConnect() argument 2")
    adopt_descriptor(handle)
    ws2_32.WSAConnect(handle, name)


def ConnectPipe(address: str, /) -> int:
    """Open the client's end of a pipe for overlapped requests in both directions.

    Raises:
        OSError: ERROR_PIPE_BUSY, there is no instance left; ERROR_FILE_NOT_FOUND.
    """
    return kernel32.CreateFile(address, GENERIC_READ | GENERIC_WRITE, 0, None, OPEN_EXISTING, FILE_FLAG_OVERLAPPED)


def FormatMessage(code: int, /) -> str:
    """The system's text for a code."""
    text = message_of(code)
    return f"unknown error code {code}" if text.startswith("Unknown error") else text.rstrip()
