"""Named and anonymous pipes.

Part played:     namedpipeapi.h.
Lives here:      handles and records, names, the time-outs of waiting for an instance.
Lives elsewhere: the pipes (a provider, by its path), opening a client's end, reading and writing (files).
Synchronous calls: without a record a call waits, also on a pipe that was opened for overlapped requests.
Sources:         namedpipeapi.h on Microsoft Learn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, Final

import attrs

from ..defs.codes import (
    ERROR_INVALID_FUNCTION,
    ERROR_INVALID_NAME,
    ERROR_INVALID_PARAMETER,
    ERROR_PIPE_BUSY,
    ERROR_SEM_TIMEOUT,
    WSAEOPNOTSUPP,
)
from ..defs.constants import FILE_FLAG_OVERLAPPED
from ..defs.winbase import GENERIC_READ, GENERIC_WRITE
from ..errors import WinsockError, exported
from ..kernel.files import FileObject
from ..kernel.operations import OVERLAPPED, CompletionRoutine, Pending, moved_of
from ..process import Process, current_process
from .handles import file_of
from .overlapped import synchronously

PREFIX: Final = "\\\\.\\pipe\\"
FILE_FLAG_FIRST_PIPE_INSTANCE: Final = 0x80000
PIPE_NOWAIT: Final = 1
PIPE_READMODE_MESSAGE: Final = 2
PIPE_UNLIMITED_INSTANCES: Final = 255
NMPWAIT_USE_DEFAULT_WAIT: Final = 0
NMPWAIT_NOWAIT: Final = 1
NMPWAIT_WAIT_FOREVER: Final = 0xFFFFFFFF

_DIRECTIONS: Final = 3
_TYPE_MESSAGE: Final = 4
_ENDLESS: Final = 1 << 30  # instances


def pipe_name(path: str | None) -> str | None:
    """The name of a pipe in a path; None when it leads to something else."""
    path = (path or "").replace("/", "\\")
    return path[len(PREFIX) :] if path[: len(PREFIX)].lower() == PREFIX else None


@exported
def CreateNamedPipe(
    name: str,
    open_mode: int,
    pipe_mode: int,
    instances: int,
    out_size: int = 0,
    in_size: int = 0,
    default_timeout_ms: int = 0,
    inherit: bool | None = None,
) -> int:
    """Make an instance of a pipe: the handle of the server's end.

    Args:
        name: ``\\\\.\\pipe\\`` and a name, whose case does not count.
        open_mode: PIPE_ACCESS_INBOUND, _OUTBOUND or _DUPLEX, FILE_FLAG_OVERLAPPED, FILE_FLAG_FIRST_PIPE_INSTANCE.
        pipe_mode: PIPE_TYPE_MESSAGE and PIPE_READMODE_MESSAGE.
        instances: how many there may be, PIPE_UNLIMITED_INSTANCES for any number; the first one says.
        out_size, in_size: hints that change nothing here.
        default_timeout_ms: how long `WaitNamedPipe` waits by default, 0 for 50; the first instance says.

    Raises:
        WinsockError: ERROR_INVALID_NAME; ERROR_INVALID_PARAMETER, no direction, or messages from a pipe of bytes;
            ERROR_ACCESS_DENIED, there is a pipe of that name, and another direction or type is asked for, or the first
            instance; ERROR_PIPE_BUSY, no instance is left; WSAEOPNOTSUPP, PIPE_NOWAIT.

    Source: https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createnamedpipea
    """
    process = current_process()
    found = pipe_name(name)
    if not found:
        raise WinsockError(ERROR_INVALID_NAME)
    mode = open_mode & _DIRECTIONS
    if not mode or not 0 < instances <= PIPE_UNLIMITED_INSTANCES:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if pipe_mode & PIPE_READMODE_MESSAGE and not pipe_mode & _TYPE_MESSAGE:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if pipe_mode & PIPE_NOWAIT:
        raise WinsockError(WSAEOPNOTSUPP)
    instance = process.pipes().create(
        found,
        mode,
        pipe_mode,
        instances if instances < PIPE_UNLIMITED_INSTANCES else _ENDLESS,
        sizes=(out_size, in_size),
        default_timeout_ms=default_timeout_ms,
        first=bool(open_mode & FILE_FLAG_FIRST_PIPE_INSTANCE),
        overlapped=bool(open_mode & FILE_FLAG_OVERLAPPED),
    )
    return process.open_handle(instance, inherit=bool(inherit))


@exported
def ConnectNamedPipe(pipe: int, overlapped: OVERLAPPED | None = None) -> int | Pending:
    """Wait for a client: 0 when one has come, or `PENDING`.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_FUNCTION, no server's end of a pipe; ERROR_PIPE_CONNECTED,
            a client has come before.

    Source: https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe
    """
    process = current_process()
    file = _pipe(process, pipe, "connect")
    operation = None if overlapped is None else process.begin(file, overlapped)
    connected: int | Pending = file.connect(operation, process)
    return connected


def _pipe(process: Process, handle: int, ability: str) -> Any:
    """The pipe behind a handle, an end that can do something; ERROR_INVALID_FUNCTION for others."""
    file = file_of(process, handle)
    if not hasattr(file, ability):
        raise WinsockError(ERROR_INVALID_FUNCTION)
    return file


def through_pipe(
    process: Process,
    pipe: FileObject,
    move: Callable[[Any, Any], Any],
    buffer: Any,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None = None,
) -> int | Pending:
    """Have a pipe read or write, by a request if there is a record and the pipe was opened for that."""
    if overlapped is None:
        return move(buffer, None)  # type: ignore[no-any-return]
    operation = process.begin(pipe, overlapped, routine)
    if operation is None:
        return synchronously(process, overlapped, partial(move, buffer, None))
    moved: int | Pending = move(buffer, operation)
    return moved


@exported
def DisconnectNamedPipe(pipe: int) -> None:
    """Cut a server's end off from its client. What the client has not read is lost; ConnectNamedPipe awaits the next.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_FUNCTION, no server's end of a pipe; ERROR_PIPE_NOT_CONNECTED,
            disconnected already. The client's calls fail with it from now on.

    Source: https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-disconnectnamedpipe
    """
    _pipe(current_process(), pipe, "disconnect").disconnect()


@exported
def CreatePipe(inherit: bool | None = None, size: int = 0) -> tuple[int, int]:
    """Make an anonymous pipe of bytes: the handles of the end to read from and of the end to write to.

    Args:
        inherit: bInheritHandle of the security attributes; None without any.
        size: a hint that changes nothing here.

    Raises:
        WinsockError: ERROR_TOO_MANY_OPEN_FILES.

    Source: https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-createpipe
    """
    process = current_process()
    source, sink = process.pipes().anonymous()
    return process.open_handle(source, inherit=bool(inherit)), process.open_handle(sink, inherit=bool(inherit))


@exported
def PeekNamedPipe(pipe: int, buffer: Any = None) -> tuple[int, int, int]:
    """Look at what can be read without taking it.

    Args:
        buffer: gets as much as there is and fits, of a pipe of messages only the first one; None for nothing.

    Returns:
        Bytes copied, bytes that can be read in all, and what is left of the first message behind those copied (0 for a
        pipe of bytes).

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_FUNCTION, no pipe; ERROR_ACCESS_DENIED, not opened for
            reading; ERROR_BROKEN_PIPE, the other end is closed and everything read; ERROR_PIPE_NOT_CONNECTED.

    Source: https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-peeknamedpipe
    """
    found: tuple[int, int, int] = _pipe(current_process(), pipe, "peek").peek(b"" if buffer is None else buffer)
    return found


@exported
def SetNamedPipeHandleState(
    pipe: int, mode: int | None = None, max_collection: int | None = None, collect_timeout_ms: int | None = None
) -> None:
    """Choose how a handle reads.

    Args:
        mode: PIPE_READMODE_MESSAGE, or 0 for bytes; None leaves it.
        max_collection, collect_timeout_ms: for clients on other machines, which there are none of.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_FUNCTION, no pipe; ERROR_INVALID_PARAMETER, messages from a
            pipe of bytes, unknown bits, or a collection; WSAEOPNOTSUPP, PIPE_NOWAIT.

    Source: https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-setnamedpipehandlestate
    """
    file = _pipe(current_process(), pipe, "peek")
    if max_collection is not None or collect_timeout_ms is not None:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if mode is None:
        return
    if mode & PIPE_NOWAIT:
        raise WinsockError(WSAEOPNOTSUPP)
    by_message = bool(mode & PIPE_READMODE_MESSAGE)
    if mode & ~PIPE_READMODE_MESSAGE or (by_message and not file.framed):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    file.by_message = by_message


@exported
def GetNamedPipeHandleState(pipe: int) -> tuple[int, int]:
    """How a handle reads (PIPE_READMODE_MESSAGE or 0), and how many instances of the pipe there are.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_FUNCTION, no pipe.

    Source: https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-getnamedpipehandlestatew
    """
    file = _pipe(current_process(), pipe, "peek")
    return PIPE_READMODE_MESSAGE if file.by_message else 0, len(file.common.instances)


@attrs.frozen
class PipeInfo:
    """What GetNamedPipeInfo tells.

    Attributes:
        flags: PIPE_SERVER_END (1), PIPE_TYPE_MESSAGE (4).
        out_size, in_size: as they were asked for.
        instances: how many there may be, PIPE_UNLIMITED_INSTANCES for any number.
    """

    flags: int
    out_size: int
    in_size: int
    instances: int


@exported
def GetNamedPipeInfo(pipe: int) -> PipeInfo:
    """What was said of a pipe when its first instance was made.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_FUNCTION, no pipe.

    Source: https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-getnamedpipeinfo
    """
    file = _pipe(current_process(), pipe, "peek")
    name = file.common
    flags = int(hasattr(file, "connect")) | (_TYPE_MESSAGE if file.framed else 0)
    out_size, in_size = name.sizes
    return PipeInfo(flags, out_size, in_size, min(name.most, PIPE_UNLIMITED_INSTANCES))


@exported
def WaitNamedPipe(name: str, timeout_ms: int) -> None:
    """Wait until an instance of a pipe can be opened. Somebody else may open it first.

    Args:
        timeout_ms: NMPWAIT_WAIT_FOREVER for no limit, NMPWAIT_USE_DEFAULT_WAIT for what `CreateNamedPipe` was told.

    Raises:
        WinsockError: ERROR_FILE_NOT_FOUND, there is no pipe of that name, now or any more; ERROR_SEM_TIMEOUT;
            ERROR_INVALID_NAME.

    Source: https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-waitnamedpipew
    """
    process = current_process()
    found = pipe_name(name)
    if not found:
        raise WinsockError(ERROR_INVALID_NAME)
    pipes = process.pipes()
    if timeout_ms == NMPWAIT_USE_DEFAULT_WAIT:
        timeout_ms = pipes.default_timeout_ms(found)
    end = None if timeout_ms == NMPWAIT_WAIT_FOREVER else monotonic() + timeout_ms / 1000
    while not pipes.wait(found, None if end is None else end - monotonic(), process):
        if end is not None and monotonic() >= end:
            raise WinsockError(ERROR_SEM_TIMEOUT)


@exported
def TransactNamedPipe(pipe: int, data: Any, buffer: Any, overlapped: OVERLAPPED | None = None) -> int | Pending:
    """Write a message and read the answer.

    Args:
        pipe: an end that reads messages.
        buffer: a writable buffer for the answer.

    Returns:
        Bytes of the answer, or `PENDING`.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_FUNCTION, no pipe; ERROR_BAD_PIPE, it reads bytes;
            ERROR_PIPE_BUSY, something else is there to be read; ERROR_MORE_DATA, with ``moved``, the answer is longer;
            what ReadFile and WriteFile raise.

    Source: https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-transactnamedpipe
    """
    process = current_process()
    file = _pipe(process, pipe, "transact")
    return through_pipe(process, file, partial(file.transact, data), buffer, overlapped)


@exported
def CallNamedPipe(name: str, data: Any, buffer: Any, timeout_ms: int = NMPWAIT_USE_DEFAULT_WAIT) -> int:
    """Open a pipe of messages, write one, read the answer and close it: the bytes of the answer.

    Args:
        buffer: a writable buffer for the answer.
        timeout_ms: how long to wait for an instance, as for `WaitNamedPipe`; NMPWAIT_NOWAIT not to.

    Raises:
        WinsockError: ERROR_FILE_NOT_FOUND; ERROR_PIPE_BUSY, none is there and none is to be waited for;
            ERROR_SEM_TIMEOUT; ERROR_INVALID_PARAMETER, a pipe of bytes; what `TransactNamedPipe` raises.

    Source: https://learn.microsoft.com/windows/win32/api/namedpipeapi/nf-namedpipeapi-callnamedpipew
    """
    process = current_process()
    found = pipe_name(name)
    if not found:
        raise WinsockError(ERROR_INVALID_NAME)
    end: Any = None
    while end is None:
        try:
            end = process.pipes().open(found, GENERIC_READ | GENERIC_WRITE, overlapped=False)
        except WinsockError as failure:
            if failure.winerror != ERROR_PIPE_BUSY or timeout_ms == NMPWAIT_NOWAIT:
                raise
            WaitNamedPipe(name, timeout_ms)
    handle = process.open_handle(end)
    try:
        SetNamedPipeHandleState(handle, PIPE_READMODE_MESSAGE)
        return moved_of(TransactNamedPipe(handle, data, buffer))
    finally:
        process.close_handle(handle)
