"""Look-ups of names whose answer is told by a window message.

Part played:     WSAAsyncGetHostByName and its like, and WSACancelAsyncRequest.
Lives elsewhere: the answers (names), the threads that wait for them (kernel/tasks), windows (user32).
The message:     wparam is the task handle; the low word of lparam the length of the answer in the buffer, or the
                 length that it would need with WSAENOBUFS; the high word the error. While the window's queue is full
                 the message is tried again, as long as there is a window.
Arguments:       nothing but the startup is checked before a call returns a handle, as on Windows; a window that does
                 not exist will just never be told.
Sources:         nf-winsock-wsaasyncgethostbyname and its neighbours, nf-winsock-wsacancelasyncrequest; R4.100-R4.102.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ..defs.codes import ERROR_NOT_ENOUGH_QUOTA, WSAEALREADY, WSAEINVAL, WSAEWOULDBLOCK, WSANO_RECOVERY
from ..errors import WinsockError, exported
from ..process import Process, current_process
from . import names


class AnswerBuffer(Protocol):
    """Where an answer goes."""

    def store(self, record: Any, /) -> int:
        """Keep the record; returns its length in bytes. WSAENOBUFS with ``needed``, or WSAEFAULT, when it cannot."""
        ...


class LookupBuffer:
    """The buffer of a program in Python.

    Attributes:
        record: HostEnt, ServEnt or ProtoEnt once the message is there; None until then and after a failure.
    """

    def __init__(self) -> None:
        self.record: Any = None

    def store(self, record: Any, /) -> int:
        """Any record has room."""
        self.record = record
        return 0


def WSAGETASYNCERROR(lparam: int) -> int:
    """The error of a look-up, from the message that tells its end."""
    return lparam >> 16 & 0xFFFF


def WSAGETASYNCBUFLEN(lparam: int) -> int:
    """The length of a look-up's answer, from the message that tells its end."""
    return lparam & 0xFFFF


def _query(function: str, *arguments: Any) -> Callable[[], Any]:
    """A call of one of the functions of `names`, whichever is there when its turn comes."""
    return lambda: getattr(names, function)(*arguments)


def _start(window: int, message: int, buffer: AnswerBuffer, query: Callable[[], Any]) -> int:
    """Begin a look-up; returns the task handle.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEWOULDBLOCK, no thread is to be had.
    """
    process = current_process()
    process.check_started()

    def job() -> Callable[[int], bool]:
        try:
            record, error = query(), 0
        except WinsockError as failure:
            record, error = None, failure.winerror
        except Exception:
            record, error = None, WSANO_RECOVERY

        length = 0

        def end(task: int) -> bool:
            nonlocal record, error, length
            if record is not None:
                try:
                    length = buffer.store(record)
                except WinsockError as failure:
                    error, length = failure.winerror, failure.needed or 0
                record = None
            return _tell(process, window, message, task, (error & 0xFFFF) << 16 | min(length, 0xFFFF))

        return end

    try:
        return process.tasks.start(job)
    except RuntimeError as failure:
        raise WinsockError(WSAEWOULDBLOCK) from failure


def _tell(process: Process, window: int, message: int, task: int, lparam: int) -> bool:
    try:
        process.desktop.post(window, message, task, lparam)
    except WinsockError as failure:
        return failure.winerror != ERROR_NOT_ENOUGH_QUOTA
    return True


@exported
def WSAAsyncGetHostByName(window: int, message: int, name: str | None, buffer: AnswerBuffer) -> int:
    """Begin gethostbyname; returns a task handle.

    Args:
        window, message: what is posted when the answer is in the buffer, or there is none.
        buffer: a `LookupBuffer`.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEWOULDBLOCK, it cannot be begun now. All else is in the message.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsaasyncgethostbyname
    """
    return _start(window, message, buffer, _query("gethostbyname", name))


@exported
def WSAAsyncGetHostByAddr(window: int, message: int, address: bytes | None, type: int, buffer: AnswerBuffer) -> int:
    """Begin gethostbyaddr; see WSAAsyncGetHostByName.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsaasyncgethostbyaddr
    """
    return _start(window, message, buffer, _query("gethostbyaddr", address, type))


@exported
def WSAAsyncGetServByName(window: int, message: int, name: str | None, proto: str | None, buffer: AnswerBuffer) -> int:
    """Begin getservbyname; see WSAAsyncGetHostByName.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsaasyncgetservbyname
    """
    return _start(window, message, buffer, _query("getservbyname", name, proto))


@exported
def WSAAsyncGetServByPort(window: int, message: int, port: int, proto: str | None, buffer: AnswerBuffer) -> int:
    """Begin getservbyport; ``port`` is in network byte order. See WSAAsyncGetHostByName.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsaasyncgetservbyport
    """
    return _start(window, message, buffer, _query("getservbyport", port, proto))


@exported
def WSAAsyncGetProtoByName(window: int, message: int, name: str | None, buffer: AnswerBuffer) -> int:
    """Begin getprotobyname; see WSAAsyncGetHostByName.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsaasyncgetprotobyname
    """
    return _start(window, message, buffer, _query("getprotobyname", name))


@exported
def WSAAsyncGetProtoByNumber(window: int, message: int, number: int, buffer: AnswerBuffer) -> int:
    """Begin getprotobynumber; see WSAAsyncGetHostByName.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsaasyncgetprotobynumber
    """
    return _start(window, message, buffer, _query("getprotobynumber", number))


@exported
def WSACancelAsyncRequest(task: int) -> None:
    """End a look-up: no message comes, and its buffer is not touched any more.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEINVAL, no such task; WSAEALREADY, its message has been posted, or it has
            been cancelled before.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-wsacancelasyncrequest
    """
    process = current_process()
    process.check_started()
    cancelled = process.tasks.cancel(task)
    if not cancelled:
        raise WinsockError(WSAEINVAL if cancelled is None else WSAEALREADY)
