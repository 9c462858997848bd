"""The outcome of overlapped requests, and cancelling them.

Part played:     ioapiset.h beside completion ports.
Lives elsewhere: requests (kernel/operations), WSAGetOverlappedResult, which speaks of sockets only (ws2_32.overlapped),
                 completion ports (ports), reading and writing (files).
Codes:           Win32 ones: a reset is ERROR_NETNAME_DELETED here and WSAECONNRESET there.
Sources:         the functions' pages on Microsoft Learn; R6.40-R6.54 of the project's reference.
"""

from __future__ import annotations

from collections.abc import Callable

from ..defs.codes import (
    ERROR_IO_INCOMPLETE,
    ERROR_MR_MID_NOT_FOUND,
    ERROR_NOT_FOUND,
    STATUS_PENDING,
    STATUS_SUCCESS,
    STATUS_TO_WIN32,
    WSA_OPERATION_ABORTED,
)
from ..defs.constants import INFINITE
from ..errors import WinsockError, exported
from ..kernel.events import Event
from ..kernel.objects import IO_COMPLETION, TIMED_OUT
from ..kernel.operations import FIRST_ERROR, FIRST_WARNING, OVERLAPPED, status_of
from ..kernel.threads import Thread
from ..kernel.waits import this_waiter
from ..process import Process, current_process
from .handles import file_of, typed


@exported
def GetOverlappedResult(file: int, overlapped: OVERLAPPED, wait: bool) -> int:
    """The bytes that a request has moved. All of it comes out of the record; the handle is not looked at.

    Args:
        file: what the request was made on.
        overlapped: its record.
        wait: wait for its event, or for the request itself.

    Raises:
        WinsockError: ERROR_IO_INCOMPLETE, it pends; what it has failed with, with ``moved``.

    Source: https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresult
    """
    return _result(overlapped, None if wait else 0, alertable=False)


@exported
def GetOverlappedResultEx(file: int, overlapped: OVERLAPPED, milliseconds: int, alertable: bool) -> int:
    """As `GetOverlappedResult`, with a limit of time.

    Raises:
        WinsockError: also WAIT_TIMEOUT; WAIT_IO_COMPLETION, routines have run; ERROR_IO_INCOMPLETE, it pends and the
            limit is 0.

    Source: https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresultex
    """
    return _result(overlapped, None if milliseconds == INFINITE else milliseconds / 1000, alertable=bool(alertable))


def _result(overlapped: OVERLAPPED, timeout_s: float | None, *, alertable: bool) -> int:
    status = overlapped.Internal
    if status == STATUS_PENDING:
        if timeout_s == 0:
            raise WinsockError(ERROR_IO_INCOMPLETE)
        ended = current_process().wait_for(overlapped, timeout_s, alertable)
        if ended in (TIMED_OUT, IO_COMPLETION):
            raise WinsockError(ended)
        status = overlapped.Internal
    moved = overlapped.InternalHigh
    if status >= FIRST_WARNING:
        raise WinsockError(STATUS_TO_WIN32.get(status, ERROR_MR_MID_NOT_FOUND), moved=moved)
    return moved


def synchronously(process: Process, overlapped: OVERLAPPED, move: Callable[[], int]) -> int:
    """Carry out a request on a file that knows only synchronous ones. Its record and its event tell of it all the same.

    Raises:
        WinsockError: what ``move`` raises; the record is told only of what comes with data. ERROR_INVALID_HANDLE,
            hEvent is no event.
    """
    event = None
    if overlapped.hEvent:
        event = typed(process, overlapped.hEvent, Event)
        event.reset()
    overlapped.Internal = STATUS_PENDING
    warning = None
    try:
        moved, status = move(), STATUS_SUCCESS
    except WinsockError as failure:
        moved, status = failure.moved or 0, status_of(failure)
        if status >= FIRST_ERROR:
            raise
        warning = failure
    overlapped.InternalHigh = moved
    overlapped.Internal = status
    if event is not None:
        event.set()
    if warning is not None:
        raise warning
    return moved


@exported
def CancelIo(file: int) -> None:
    """Cancel all requests that the calling thread has made on a file or socket.

    They end with ERROR_OPERATION_ABORTED, which is told as every outcome is. What has completed keeps its result.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/fileio/cancelio
    """
    file_of(current_process(), file).cancel(waiter=this_waiter())


@exported
def CancelIoEx(file: int, overlapped: OVERLAPPED | None = None) -> None:
    """Cancel the request of a record, or all requests on a file or socket, of whatever thread.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_NOT_FOUND, there is none that pends.

    Source: https://learn.microsoft.com/windows/win32/fileio/cancelioex-func
    """
    if not file_of(current_process(), file).cancel(overlapped):
        raise WinsockError(ERROR_NOT_FOUND)


@exported
def CancelSynchronousIo(thread: int) -> None:
    """End the blocking call of a socket that a thread is in; it fails with WSA_OPERATION_ABORTED there.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_NOT_FOUND, the thread is in no such call.

    Source: https://learn.microsoft.com/windows/win32/fileio/cancelsynchronousio-func
    """
    if not typed(current_process(), thread, Thread).interrupt(WSA_OPERATION_ABORTED):
        raise WinsockError(ERROR_NOT_FOUND)
