"""The outcome of overlapped requests, cancelling them, and what a completion port is told of them.

Part played:     WSAGetOverlappedResult of ws2_32.dll; GetOverlappedResult and its kin of kernel32.dll.
Lives elsewhere: the behaviour (ws2_32.overlapped, kernel32.overlapped), the structure (capi.overlapped), ports
                 (ports).
Sources:         nf-winsock2-wsagetoverlappedresult, ioapiset.h on Microsoft Learn.
Counts:          stored on success; of a failed request GetOverlappedResult stores it as well (observed), and
                 WSAGetOverlappedResult only where there is data all the same.
"""

from __future__ import annotations

from ... import kernel32, ws2_32
from ...defs.codes import ERROR_INVALID_PARAMETER, WSAEFAULT
from ...errors import WinsockError
from ...kernel.operations import OVERLAPPED
from ...process import current_process
from .. import memory
from ..overlapped import MemoryOverlapped, overlapped_at
from ..threads import made_by_c

__all__ = [
    "CancelIo",
    "CancelIoEx",
    "CancelSynchronousIo",
    "GetOverlappedResult",
    "GetOverlappedResultEx",
    "SetFileCompletionNotificationModes",
    "WPUCompleteOverlappedRequest",
    "WSAGetOverlappedResult",
]


def WSAGetOverlappedResult(s: int, lpOverlapped: int, lpcbTransfer: int, fWait: int, lpdwFlags: int) -> int:
    made_by_c()
    if min(lpOverlapped, lpcbTransfer, lpdwFlags) < memory.LOWEST:
        current_process().socket(s)
        raise WinsockError(WSAEFAULT)
    try:
        moved, flags = ws2_32.WSAGetOverlappedResult(s, MemoryOverlapped(lpOverlapped), bool(fWait))
    except WinsockError as failure:
        if failure.moved is not None:
            memory.store_32(lpcbTransfer, failure.moved)
        raise
    memory.store_32(lpcbTransfer, moved)
    memory.store_32(lpdwFlags, flags)
    return 1


def WPUCompleteOverlappedRequest(s: int, lpOverlapped: int, dwError: int, cbTransferred: int, lpErrno: int) -> int:
    try:
        ws2_32.WPUCompleteOverlappedRequest(s, _request(lpOverlapped), dwError, cbTransferred)
    except WinsockError as failure:
        if lpErrno >= memory.LOWEST:
            memory.store_32(lpErrno, failure.winerror)
        raise
    return 0


def _request(lpOverlapped: int) -> OVERLAPPED | None:
    record = overlapped_at(lpOverlapped)
    return None if record is None else record.operation or record


def _record(lpOverlapped: int, lpNumberOfBytesTransferred: int) -> MemoryOverlapped:
    if min(lpOverlapped, lpNumberOfBytesTransferred) < memory.LOWEST:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    return MemoryOverlapped(lpOverlapped)


def GetOverlappedResult(hFile: int, lpOverlapped: int, lpNumberOfBytesTransferred: int, bWait: int) -> int:
    made_by_c()
    overlapped = _record(lpOverlapped, lpNumberOfBytesTransferred)
    try:
        moved = kernel32.GetOverlappedResult(hFile, overlapped, bool(bWait))
    except WinsockError as failure:
        _store_failed(lpNumberOfBytesTransferred, failure)
        raise
    memory.store_32(lpNumberOfBytesTransferred, moved)
    return 1


def GetOverlappedResultEx(
    hFile: int, lpOverlapped: int, lpNumberOfBytesTransferred: int, dwMilliseconds: int, bAlertable: int
) -> int:
    made_by_c()
    overlapped = _record(lpOverlapped, lpNumberOfBytesTransferred)
    try:
        moved = kernel32.GetOverlappedResultEx(hFile, overlapped, dwMilliseconds, bool(bAlertable))
    except WinsockError as failure:
        _store_failed(lpNumberOfBytesTransferred, failure)
        raise
    memory.store_32(lpNumberOfBytesTransferred, moved)
    return 1


def _store_failed(count: int, failure: WinsockError) -> None:
    if failure.moved is not None:
        memory.store_32(count, failure.moved)


def CancelIo(hFile: int) -> int:
    made_by_c()
    kernel32.CancelIo(hFile)
    return 1


def CancelIoEx(hFile: int, lpOverlapped: int) -> int:
    kernel32.CancelIoEx(hFile, overlapped_at(lpOverlapped))
    return 1


def CancelSynchronousIo(hThread: int) -> int:
    kernel32.CancelSynchronousIo(hThread)
    return 1


def SetFileCompletionNotificationModes(FileHandle: int, Flags: int) -> int:
    kernel32.SetFileCompletionNotificationModes(FileHandle, Flags)
    return 1
