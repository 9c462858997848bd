"""Sockets as files: what ReadFile and WriteFile do with them.

Part played:     NtReadFile and NtWriteFile on afd.sys, and what the DLL redirects to a provider without IFS handles.
Lives elsewhere: the functions (files), the data (the provider), requests (kernel/operations).
Who is asked:    WSPRecv and WSPSend, without flags, of the provider that has made the handle. A layer that has taken
                 over a handle of the host is left out: the system does not know it.
Waiting:         without a record the call waits, in non-blocking mode as well, and whatever SO_RCVTIMEO says.
Errors:          the system's, read off the status: a reset is ERROR_NETNAME_DELETED.
Sources:         socket-handles-2, nf-ws2spi-wpucreatesockethandle; R2.4-R2.11 of the project's reference.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from ..defs.codes import ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED, STATUS_PENDING, STATUS_TO_WIN32
from ..defs.constants import FROM_PROTOCOL_INFO, WSA_FLAG_NO_HANDLE_INHERIT, WSA_FLAG_OVERLAPPED
from ..errors import WinsockError
from ..kernel.files import FileObject
from ..kernel.operations import FIRST_WARNING, OVERLAPPED, PENDING, CompletionRoutine, Pending, status_of
from ..process import Process, SocketRecord


class SocketFile(FileObject):
    """What a handle made by DuplicateHandle leads to: one more descriptor of a socket, for the system's functions only.

    Attributes:
        record: the descriptor as the provider knows it.
    """

    __slots__ = ("_number", "_process", "record")

    def __init__(self, process: Process, number: int, record: SocketRecord) -> None:
        super().__init__(overlapped=record.overlapped)
        self._process = process
        self._number = number
        self.record = record

    def last_handle_closed(self) -> None:
        if self._process.owns(self.record.owner):
            with contextlib.suppress(WinsockError):  # the table has forgotten the number already
                self.record.wsp.WSPCloseSocket(self._number)
            self.cancel()


def duplicate(process: Process, s: int) -> int:
    """DuplicateHandle of a socket, which keeps the connection open like any other descriptor of it.

    Winsock does not know the new handle (WSADuplicateSocket makes descriptors that it knows).

    Raises:
        WinsockError: ERROR_NOT_SUPPORTED, a socket of a layered chain, or of a provider that cannot share it.
    """
    record = process.socket(s)
    if record.base is not None or record.info.chain_len > 1:
        raise WinsockError(ERROR_NOT_SUPPORTED)
    try:
        info = record.wsp.WSPDuplicateSocket(s, os.getpid())
        flags = WSA_FLAG_NO_HANDLE_INHERIT | (WSA_FLAG_OVERLAPPED if record.overlapped else 0)
        number: int = record.wsp.WSPSocket(*(FROM_PROTOCOL_INFO,) * 3, info, 0, flags)
    except WinsockError as failure:
        raise WinsockError(ERROR_NOT_SUPPORTED) from failure
    file = SocketFile(process, number, process.socket(number))
    file.share(process.file_of(record))
    file.handles = 1
    process.handles.replace(number, file)
    return number


def read_socket(
    process: Process,
    s: int,
    file: FileObject,
    buffer: Any,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None,
) -> int | Pending:
    """Receive into a buffer: bytes, 0 at the end of a stream, or `PENDING`."""
    return _move(process, s, file, _entries(process, s).mover.WSPRecv, buffer, overlapped, routine)


def write_socket(
    process: Process,
    s: int,
    file: FileObject,
    buffer: Any,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None,
) -> int | Pending:
    """Send a buffer: bytes, or `PENDING`."""
    return _move(process, s, file, _entries(process, s).mover.WSPSend, buffer, overlapped, routine)


def system_error(failure: WinsockError) -> WinsockError:
    """A provider's failure as the functions of the system tell it."""
    return WinsockError(STATUS_TO_WIN32.get(status_of(failure), ERROR_INVALID_PARAMETER), moved=failure.moved)


def _entries(process: Process, s: int) -> SocketRecord:
    thing = process.objects.get(s)
    record = thing.record if isinstance(thing, SocketFile) else process.socket(s)
    return record.base or record


def _move(
    process: Process,
    s: int,
    file: FileObject,
    entry: Callable[..., Any],
    buffer: Any,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None,
) -> int | Pending:
    try:
        operation = None if overlapped is None else process.begin(file, overlapped, routine)
        if operation is not None:
            return entry(s, (buffer,), 0, operation)  # type: ignore[no-any-return]
        own = OVERLAPPED()
        moved = entry(s, (buffer,), 0, own.begin(file, None, True, None))
        return _outcome(process, own) if moved is PENDING else moved
    except WinsockError as failure:
        raise system_error(failure) from None


def _outcome(process: Process, own: OVERLAPPED) -> int:
    try:
        while own.Internal == STATUS_PENDING:
            process.wait_for(own, None, False)
    except BaseException:
        own.cancel()  # the buffer is the program's again
        raise
    if own.Internal >= FIRST_WARNING:
        assert isinstance(own.result, WinsockError)
        raise own.result
    return own.InternalHigh
