"""Sockets as files: what ReadFile and WriteFile do with them.

Part played:     NtReadFile and NtWriteFile on afd.sys, and what the DLL redirects to a provider without IFS handles.
Lives elsewhere: the functions (files), the data (the provider), requests (kernel/operations).
Who is asked:    WSPRecv and WSPSend, without flags, of the provider that has made the handle. A layer that has taken over
                 a handle of the host is left out: the system does not know it.
Waiting:         without a record the call waits, in non-blocking mode as well, and whatever SO_RCVTIMEO says.
Errors:          the system's, read off the status: a reset is ERROR_NETNAME_DELETED.
Sources:         socket-handles-2, nf-ws2spi-wpucreatesockethandle; R2.4-R2.11 of the project's reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..defs.codes import ERROR_INVALID_PARAMETER, STATUS_PENDING, STATUS_TO_WIN32
from ..errors import WinsockError
from ..kernel.files import FileObject
from ..kernel.operations import FIRST_WARNING, OVERLAPPED, PENDING, CompletionRoutine, Pending, status_of
from ..process import Process, SocketRecord


def read_socket(
    process: Process,
    s: int,
    file: FileObject,
    buffer: Any,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None,
) -> int | Pending:
    """Receive into a buffer: bytes, 0 at the end of a stream, or `PENDING`."""
    return _move(process, s, file, _entries(process, s).WSPRecv, buffer, overlapped, routine)


def write_socket(
    process: Process,
    s: int,
    file: FileObject,
    buffer: Any,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None,
) -> int | Pending:
    """Send a buffer: bytes, or `PENDING`."""
    return _move(process, s, file, _entries(process, s).WSPSend, buffer, overlapped, routine)


def system_error(failure: WinsockError) -> WinsockError:
    """A provider's failure as the functions of the system tell it."""
    return WinsockError(STATUS_TO_WIN32.get(status_of(failure), ERROR_INVALID_PARAMETER), moved=failure.moved)


def _entries(process: Process, s: int) -> SocketRecord:
    record = process.socket(s)
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
        return _outcome(process, own) if moved is PENDING else moved  # type: ignore[no-any-return]
    except WinsockError as failure:
        raise system_error(failure) from None


def _outcome(process: Process, own: OVERLAPPED) -> int:
    while own.Internal == STATUS_PENDING:
        process.wait_for(own, None, False)
    if own.Internal >= FIRST_WARNING:
        assert isinstance(own.result, WinsockError)
        raise own.result
    return own.InternalHigh
