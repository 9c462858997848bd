"""Named pipes.

Part played:     namedpipeapi.h.
Lives elsewhere: the pipes (a provider, by its path), opening a client's end, reading and writing (files).
Sources:         namedpipeapi.h on Microsoft Learn.
"""

from __future__ import annotations

from typing import Any

from ..defs.codes import ERROR_INVALID_FUNCTION, ERROR_INVALID_NAME, ERROR_INVALID_PARAMETER, WSAEOPNOTSUPP
from ..defs.constants import FILE_FLAG_OVERLAPPED
from ..errors import WinsockError, exported
from ..kernel.operations import OVERLAPPED, Pending
from ..process import current_process
from .handles import file_of

PREFIX = "\\\\.\\pipe\\"
FILE_FLAG_FIRST_PIPE_INSTANCE = 0x80000
PIPE_NOWAIT = 1
PIPE_UNLIMITED_INSTANCES = 255
_DIRECTIONS = 3
_READMODE_MESSAGE, _TYPE_MESSAGE = 2, 4


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
        default_timeout_ms: what WaitNamedPipe would go by.

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
    if pipe_mode & _READMODE_MESSAGE and not pipe_mode & _TYPE_MESSAGE:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if pipe_mode & PIPE_NOWAIT:
        raise WinsockError(WSAEOPNOTSUPP)
    instance = process.pipes().create(
        found,
        mode,
        pipe_mode,
        instances if instances < PIPE_UNLIMITED_INSTANCES else 1 << 30,
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
    file: Any = file_of(process, pipe)
    if not hasattr(file, "connect"):
        raise WinsockError(ERROR_INVALID_FUNCTION)
    operation = None if overlapped is None else process.begin(file, overlapped)
    connected: int | Pending = file.connect(operation, process)
    return connected
