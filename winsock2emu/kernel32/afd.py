"""The device beneath Winsock: handles of \\Device\\Afd that no socket is behind, and the poll request.

Part played:     afd.sys as programs reach it by DeviceIoControl and NtDeviceIoControlFile.
Lives here:      the device's file object, the form of the poll request, its time-out.
Lives elsewhere: the waiting (engine/polls), which conditions hold (the provider), the calls in C and the other requests
                 (capi).
A poll is made on any handle, a socket's or the device's, about any sockets. Only those of which there is something to
tell are in the result, in the order of the request; one that has waited tells of one socket.
Closing:         a socket that is closed is told of as that. Closing the handle that a poll was made on does not end it.
Time-outs:       as everywhere beneath Win32: negative for a time from now on, positive for a time of day, in 100 ns.
Sources:         see defs/afd; the behaviours afd-poll-* and afd-exclusive of the project's reference.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from typing import Any, Final

from ..defs.afd import AFD_POLL_ALL, CONDITIONS, IOCTL_AFD_POLL
from ..defs.codes import (
    ERROR_INVALID_FUNCTION,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    STATUS_TIMEOUT,
    WAIT_TIMEOUT,
    WSAEINVAL,
)
from ..defs.constants import SIO_GET_EXTENSION_FUNCTION_POINTER
from ..engine.polls import Conditions, Polled, PollRequest, Told, met_now
from ..errors import WinsockError, exported
from ..kernel.files import FileObject
from ..kernel.operations import OVERLAPPED, PENDING, Operation, Pending
from ..kernel.timers import Timer
from ..process import Process, SocketRecord, current_process
from .handles import file_of

POLL_HEADER: Final = struct.Struct("<qII")
"""AFD_POLL_INFO: time-out, number of handles, exclusive."""

POLL_ENTRY: Final = struct.Struct("<QII")
"""AFD_POLL_HANDLE_INFO: handle, events, status."""

_FOREVER: Final = (1 << 63) - 1
_TICKS: Final = 10_000_000  # of 100 ns in a second
_EPOCH: Final = 11_644_473_600  # seconds from 1601 to 1970
_PREFIXES: Final = ("\\device\\afd", "\\\\.\\globalroot\\device\\afd", "\\\\?\\globalroot\\device\\afd")
_POINTER_SIZE: Final = 8


class AfdDevice(FileObject):
    """A handle of the device itself."""

    __slots__ = ()


class Output(bytes):
    """What a request stores in its output buffer."""

    @property
    def moved(self) -> int:
        """How much that is."""
        return len(self)


def names_afd(name: str | None) -> bool:
    """Whether a path leads to the device, in Win32's or in NT's spelling."""
    path = (name or "").lower()
    return any(path == prefix or path.startswith(prefix + "\\") for prefix in _PREFIXES)


def open_afd(process: Process) -> int:
    """A handle of the device, for overlapped requests."""
    return process.open_handle(AfdDevice())


def seconds_of(timeout: int) -> float | None:
    """A time-out of NT in seconds from now on; None for ever."""
    if timeout == _FOREVER:
        return None
    if timeout <= 0:
        return -timeout / _TICKS
    return max(0.0, timeout / _TICKS - _EPOCH - time.time())


def _conditions(process: Process, handle: int) -> Conditions:
    """What can be asked of a socket.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE, no socket; WSAEOPNOTSUPP, its provider has no such thing.
    """
    record = process.objects.get(handle)
    if type(record) is not SocketRecord:
        raise WinsockError(ERROR_INVALID_HANDLE)
    return conditions_of(record, handle)


def conditions_of(record: SocketRecord, s: int) -> Conditions:
    """What can be asked of a socket.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE, its provider has no such thing.
    """
    try:
        ask = record.wsp.WSPIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, CONDITIONS.bytes_le, _POINTER_SIZE, None)
    except WinsockError as failure:
        if failure.winerror != WSAEINVAL:
            raise
        raise WinsockError(ERROR_INVALID_HANDLE) from failure
    conditions: Conditions = ask(s)
    return conditions


class _PollTimer(Timer):
    """Ends a poll with nothing when its time has come."""

    __slots__ = ("_request",)

    def __init__(self, request: PollRequest) -> None:
        super().__init__(manual_reset=True)
        self._request = request

    def expire(self) -> None:
        failure = WinsockError(WAIT_TIMEOUT)
        failure.status = STATUS_TIMEOUT  # which is a success
        self._request.end([], failure)


class _Poll(PollRequest):
    """A poll that goes on when the handle it was made on is closed, which is not its cancelling."""

    def __init__(self, process: Process, carrier: int, *details: Any, exclusive: bool) -> None:
        super().__init__(*details, exclusive=exclusive)
        self._objects = process.objects
        self._carrier = carrier
        self._file = process.objects.get(carrier)

    def cancel(self, operation: Operation) -> bool:
        return self._objects.get(self._carrier) is self._file and super().cancel(operation)


def poll(process: Process, carrier: int, data: bytes, room: int, operation: Operation) -> Output | Pending:
    """IOCTL_AFD_POLL.

    Args:
        process: whose sockets.
        carrier: the handle that it is made on.
        data: an AFD_POLL_INFO.
        room: bytes there are for the result, which has the same form.
        operation: the request.

    Raises:
        WinsockError: ERROR_INVALID_PARAMETER, no sockets, or too few bytes in or out; ERROR_INVALID_HANDLE, one of them
            is no socket.
    """
    if len(data) < POLL_HEADER.size:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    timeout, count, exclusive = POLL_HEADER.unpack_from(data)
    size = POLL_HEADER.size + count * POLL_ENTRY.size
    if not count or len(data) < size or room < size:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    entries = []
    for at in range(POLL_HEADER.size, size, POLL_ENTRY.size):
        handle, asked, _ = POLL_ENTRY.unpack_from(data, at)
        entries.append(Polled(handle, _conditions(process, handle), asked & AFD_POLL_ALL))

    def outcome(told: Sequence[Told]) -> Output:
        header = POLL_HEADER.pack(timeout, len(told), exclusive)
        return Output(header + b"".join([POLL_ENTRY.pack(*one) for one in told]))

    found = met_now(entries)
    if found or not timeout:
        result = outcome(found)
        operation.finish(result)
        return result
    request = _Poll(process, carrier, entries, operation, outcome, exclusive=bool(exclusive & 0xFF))
    request.start()
    seconds = seconds_of(timeout)
    if seconds is not None and not operation.final:
        process.timers.set(_PollTimer(request), time.monotonic() + seconds, 0.0)
    return PENDING


@exported
def DeviceIoControl(
    device: int, code: int, data: bytes | None, room: int, overlapped: OVERLAPPED | None
) -> Output | Pending:
    """Make a request of the device beneath Winsock. There is one that needs no C memory: IOCTL_AFD_POLL.

    Args:
        device: a handle of the device, or a socket.
        code: IOCTL_AFD_POLL.
        data: the input.
        room: bytes there are for output.
        overlapped: the record.

    Returns:
        The output, or `PENDING`; then it is the record's result.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE, of ``device`` or of a socket in the input; ERROR_INVALID_FUNCTION, another
            code, or another kind of file; ERROR_INVALID_PARAMETER, no record, or lengths that do not fit.

    Source: https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-deviceiocontrol
    """
    process = current_process()
    file = file_of(process, device)
    known = isinstance(file, AfdDevice) or type(process.objects.get(device)) is SocketRecord
    if code != IOCTL_AFD_POLL or not known:
        raise WinsockError(ERROR_INVALID_FUNCTION)
    operation = None if overlapped is None else process.begin(file, overlapped)
    if operation is None or data is None:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    return poll(process, device, data, room, operation)


def outcome_of_timeout(data: bytes) -> Output:
    """What a poll stores whose time has run out."""
    timeout, _, exclusive = POLL_HEADER.unpack_from(data)
    return Output(POLL_HEADER.pack(timeout, 0, exclusive))
