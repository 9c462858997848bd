"""``win32pipe``: named and anonymous pipes, as pywin32 has them.

Part played:     win32pipe of pywin32.
Lives here:      the functions' names and forms, and the constants.
Lives elsewhere: what they do (kernel32.pipes), reading and writing (win32file).
Missing:         collections of data, users and sessions, which are for other machines; process identifiers of ends.
Sources:         pywin32's reference and test_win32pipe.py; types-pywin32.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from .. import kernel32
from ..defs.codes import ERROR_PIPE_CONNECTED
from ..errors import WinsockError
from . import msvcrt
from ._pywin32 import dword, inherits, milliseconds, progress, read, readable, record_of, told
from .pywintypes import PyHANDLE, PyOVERLAPPED, error, handle_of
from .win32file import GetOverlappedResult

__all__ = [
    "FILE_FLAG_FIRST_PIPE_INSTANCE",
    "NMPWAIT_NOWAIT",
    "NMPWAIT_USE_DEFAULT_WAIT",
    "NMPWAIT_WAIT_FOREVER",
    "PIPE_ACCEPT_REMOTE_CLIENTS",
    "PIPE_ACCESS_DUPLEX",
    "PIPE_ACCESS_INBOUND",
    "PIPE_ACCESS_OUTBOUND",
    "PIPE_NOWAIT",
    "PIPE_READMODE_BYTE",
    "PIPE_READMODE_MESSAGE",
    "PIPE_REJECT_REMOTE_CLIENTS",
    "PIPE_TYPE_BYTE",
    "PIPE_TYPE_MESSAGE",
    "PIPE_UNLIMITED_INSTANCES",
    "PIPE_WAIT",
    "UNICODE",
    "CallNamedPipe",
    "ConnectNamedPipe",
    "CreateNamedPipe",
    "CreatePipe",
    "DisconnectNamedPipe",
    "FdCreatePipe",
    "GetNamedPipeHandleState",
    "GetNamedPipeInfo",
    "GetOverlappedResult",
    "PeekNamedPipe",
    "SetNamedPipeHandleState",
    "TransactNamedPipe",
    "WaitNamedPipe",
    "error",
    "popen",
    "popen2",
    "popen3",
    "popen4",
]

UNICODE: Final = 1
PIPE_ACCESS_INBOUND: Final = 1
PIPE_ACCESS_OUTBOUND: Final = 2
PIPE_ACCESS_DUPLEX: Final = 3
PIPE_TYPE_BYTE: Final = 0
PIPE_TYPE_MESSAGE: Final = 4
PIPE_READMODE_BYTE: Final = 0
PIPE_READMODE_MESSAGE: Final = 2
PIPE_WAIT: Final = 0
PIPE_NOWAIT: Final = 1
PIPE_ACCEPT_REMOTE_CLIENTS: Final = 0
PIPE_REJECT_REMOTE_CLIENTS: Final = 8
PIPE_UNLIMITED_INSTANCES: Final = 255
NMPWAIT_USE_DEFAULT_WAIT: Final = 0
NMPWAIT_NOWAIT: Final = 1
NMPWAIT_WAIT_FOREVER: Final = -1
FILE_FLAG_FIRST_PIPE_INSTANCE: Final = 0x80000


@told()
def CreateNamedPipe(
    name: str,
    open_mode: int,
    pipe_mode: int,
    instances: int,
    out_size: int,
    in_size: int,
    default_timeout_ms: int,
    attributes: Any,
    /,
) -> PyHANDLE:
    """Make an instance of a pipe: the handle of the server's end."""
    return PyHANDLE(
        kernel32.CreateNamedPipe(
            name,
            dword(open_mode),
            pipe_mode,
            instances,
            out_size,
            in_size,
            milliseconds(default_timeout_ms),
            inherits(attributes),
        )
    )


@told()
def ConnectNamedPipe(pipe: Any, overlapped: PyOVERLAPPED | None = None, /) -> int:
    """Wait for a client, or begin to: 0, ERROR_IO_PENDING, or ERROR_PIPE_CONNECTED when there is one already."""
    try:
        return progress(kernel32.ConnectNamedPipe(handle_of(pipe), record_of(overlapped)))[0]
    except WinsockError as failure:
        if failure.winerror != ERROR_PIPE_CONNECTED:
            raise
        return ERROR_PIPE_CONNECTED


@told()
def DisconnectNamedPipe(pipe: Any, /) -> None:
    """Cut a server's end off from its client."""
    kernel32.DisconnectNamedPipe(handle_of(pipe))


@told()
def WaitNamedPipe(name: str, timeout_ms: int, /) -> None:
    """Wait until an instance can be opened."""
    kernel32.WaitNamedPipe(name, milliseconds(timeout_ms))


@told()
def CallNamedPipe(name: str, data: Any, size: int, timeout_ms: int, /) -> bytes:
    """Open a pipe, write a message, read the answer and close it: the answer."""
    answer = bytearray(size)
    moved = kernel32.CallNamedPipe(name, readable(data), answer, milliseconds(timeout_ms))
    return bytes(memoryview(answer)[:moved])


@told()
def TransactNamedPipe(pipe: Any, data: Any, place: Any, overlapped: PyOVERLAPPED | None = None, /) -> tuple[int, Any]:
    """Write a message and read the answer; ``place`` and the result as for `win32file.ReadFile`."""
    handle, message, record = handle_of(pipe), readable(data), record_of(overlapped)
    return read(lambda view, request: kernel32.TransactNamedPipe(handle, message, view, request), place, record)


@told()
def PeekNamedPipe(pipe: Any, size: int, /) -> tuple[bytes, int, int]:
    """Look at what can be read: at most ``size`` bytes, how many there are, how many are left of the first message."""
    room = bytearray(size)
    copied, available, left = kernel32.PeekNamedPipe(handle_of(pipe), room)
    return bytes(memoryview(room)[:copied]), available, left


@told()
def GetNamedPipeHandleState(pipe: Any, collection: int = 0, user: int = 0, /) -> tuple[int, int, Any, Any, str]:
    """How a handle reads, how many instances there are, and three values that are for other machines."""
    mode, instances = kernel32.GetNamedPipeHandleState(handle_of(pipe))
    return (mode, instances, 0, 0, "") if collection else (mode, instances, None, None, "")


@told()
def SetNamedPipeHandleState(
    pipe: Any, mode: int | None, max_collection: int | None, collect_timeout_ms: int | None, /
) -> None:
    """Choose how a handle reads; None leaves what there is."""
    for value in (mode, max_collection, collect_timeout_ms):
        if not isinstance(value, int | None):
            raise TypeError(f"a number or None is needed, not {type(value).__name__}")
    kernel32.SetNamedPipeHandleState(handle_of(pipe), mode, max_collection, collect_timeout_ms)


@told()
def GetNamedPipeInfo(pipe: Any, /) -> tuple[int, int, int, int]:
    """Flags, sizes of the outbound and the inbound buffer, and how many instances there may be."""
    info = kernel32.GetNamedPipeInfo(handle_of(pipe))
    return info.flags, info.out_size, info.in_size, info.instances


@told()
def CreatePipe(attributes: Any, size: int, /) -> tuple[PyHANDLE, PyHANDLE]:
    """Make an anonymous pipe: the ends to read from and to write to."""
    source, sink = kernel32.CreatePipe(inherits(attributes), size)
    return PyHANDLE(source), PyHANDLE(sink)


@told("CreatePipe")
def FdCreatePipe(attributes: Any, size: int, mode: int, /) -> tuple[int, int]:
    """As `CreatePipe`, with descriptors of the host."""
    source, sink = kernel32.CreatePipe(inherits(attributes), size)
    return msvcrt.open_osfhandle(source, mode), msvcrt.open_osfhandle(sink, mode)


def _removed(*arguments: Any) -> NoReturn:
    raise NotImplementedError("not available in py3k")


popen = popen2 = popen3 = popen4 = _removed
