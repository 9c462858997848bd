"""``_winapi``: what asyncio and multiprocessing need of it for sockets, events and waits.

Part played:     Modules/_winapi.c of CPython.
Lives here:      the functions' names and forms; what multiprocessing imports by name without using it for sockets.
Lives elsewhere: what they do (kernel32).
Missing:         processes and file mappings: CreateProcess, CreatePipe, PeekNamedPipe, WaitNamedPipe, CreateFileMapping
                 and their like fail with ERROR_CALL_NOT_IMPLEMENTED.
Sources:         Modules/_winapi.c; the modules of CPython's library that import it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

from .. import kernel32
from ..defs.codes import (
    ERROR_ACCESS_DENIED,
    ERROR_ALREADY_EXISTS,
    ERROR_BROKEN_PIPE,
    ERROR_CALL_NOT_IMPLEMENTED,
    ERROR_IO_INCOMPLETE,
    ERROR_IO_PENDING,
    ERROR_MORE_DATA,
    ERROR_NETNAME_DELETED,
    ERROR_NO_DATA,
    ERROR_OPERATION_ABORTED,
    ERROR_PIPE_BUSY,
    ERROR_PIPE_CONNECTED,
    ERROR_SEM_TIMEOUT,
)
from ..defs.constants import FILE_FLAG_OVERLAPPED, INFINITE, WAIT_ABANDONED_0, WAIT_OBJECT_0, WAIT_TIMEOUT
from ..defs.winbase import GENERIC_READ, GENERIC_WRITE, OPEN_EXISTING
from ..errors import WinsockError
from ..errors import get_last_error as GetLastError
from ..kernel.operations import OVERLAPPED, moved_of
from . import overlapped as _overlapped

__all__ = [
    "DUPLICATE_CLOSE_SOURCE",
    "DUPLICATE_SAME_ACCESS",
    "ERROR_ACCESS_DENIED",
    "ERROR_ALREADY_EXISTS",
    "ERROR_BROKEN_PIPE",
    "ERROR_IO_PENDING",
    "ERROR_MORE_DATA",
    "ERROR_NETNAME_DELETED",
    "ERROR_NO_DATA",
    "ERROR_OPERATION_ABORTED",
    "ERROR_PIPE_BUSY",
    "ERROR_PIPE_CONNECTED",
    "ERROR_SEM_TIMEOUT",
    "FILE_FLAG_FIRST_PIPE_INSTANCE",
    "FILE_FLAG_OVERLAPPED",
    "GENERIC_READ",
    "GENERIC_WRITE",
    "INFINITE",
    "INVALID_HANDLE_VALUE",
    "NMPWAIT_WAIT_FOREVER",
    "NULL",
    "OPEN_EXISTING",
    "PIPE_ACCESS_DUPLEX",
    "PIPE_ACCESS_INBOUND",
    "PIPE_READMODE_MESSAGE",
    "PIPE_TYPE_MESSAGE",
    "PIPE_UNLIMITED_INSTANCES",
    "PIPE_WAIT",
    "PROCESS_ALL_ACCESS",
    "PROCESS_DUP_HANDLE",
    "STILL_ACTIVE",
    "SYNCHRONIZE",
    "WAIT_ABANDONED_0",
    "WAIT_OBJECT_0",
    "WAIT_TIMEOUT",
    "CloseHandle",
    "ConnectNamedPipe",
    "CreateEventW",
    "CreateFile",
    "CreateFileMapping",
    "CreateMutexW",
    "CreateNamedPipe",
    "CreatePipe",
    "CreateProcess",
    "DuplicateHandle",
    "GetCurrentProcess",
    "GetExitCodeProcess",
    "GetLastError",
    "MapViewOfFile",
    "OpenEventW",
    "OpenFileMapping",
    "OpenProcess",
    "Overlapped",
    "PeekNamedPipe",
    "ReadFile",
    "ReleaseMutex",
    "ResetEvent",
    "SetEvent",
    "SetNamedPipeHandleState",
    "TerminateProcess",
    "UnmapViewOfFile",
    "VirtualQuerySize",
    "WaitForMultipleObjects",
    "WaitForSingleObject",
    "WaitNamedPipe",
    "WriteFile",
]

NULL: Final = 0
INVALID_HANDLE_VALUE: Final = 0xFFFFFFFFFFFFFFFF

DUPLICATE_CLOSE_SOURCE: Final = 1
DUPLICATE_SAME_ACCESS: Final = 2
FILE_FLAG_FIRST_PIPE_INSTANCE: Final = 0x80000
NMPWAIT_WAIT_FOREVER: Final = 0xFFFFFFFF
PIPE_ACCESS_INBOUND: Final = 1
PIPE_ACCESS_DUPLEX: Final = 3
PIPE_READMODE_MESSAGE: Final = 2
PIPE_TYPE_MESSAGE: Final = 4
PIPE_UNLIMITED_INSTANCES: Final = 255
PIPE_WAIT: Final = 0
PROCESS_ALL_ACCESS: Final = 0x1FFFFF
PROCESS_DUP_HANDLE: Final = 0x40
STILL_ACTIVE: Final = 259
SYNCHRONIZE: Final = 0x100000


def CloseHandle(handle: int, /) -> None:
    """Give a handle back; OSError with winerror 6 for one that is none."""
    kernel32.CloseHandle(handle)


def WaitForSingleObject(handle: int, milliseconds: int, /) -> int:
    """Wait for an object: WAIT_OBJECT_0, WAIT_ABANDONED_0 or WAIT_TIMEOUT."""
    return kernel32.WaitForSingleObject(handle, milliseconds)


def WaitForMultipleObjects(handles: Sequence[int], wait_all: bool, milliseconds: int = INFINITE, /) -> int:
    """Wait for one of several objects, or for all of them."""
    return kernel32.WaitForMultipleObjects(list(handles), bool(wait_all), milliseconds)


def CreateEventW(security_attributes: int, manual_reset: bool, initial_state: bool, name: str | None) -> int:
    """A handle of an event."""
    return kernel32.CreateEvent(None, manual_reset, initial_state, name)


def OpenEventW(desired_access: int, inherit_handle: bool, name: str) -> int:
    """A handle of the event with a name."""
    return kernel32.OpenEvent(desired_access, inherit_handle, name)


def SetEvent(event: int) -> None:
    """Signal an event."""
    kernel32.SetEvent(event)


def ResetEvent(event: int) -> None:
    """Clear an event."""
    kernel32.ResetEvent(event)


def CreateMutexW(security_attributes: int, initial_owner: bool, name: str) -> int:
    """A handle of a mutex."""
    return kernel32.CreateMutex(None, initial_owner, name or None)


def ReleaseMutex(mutex: int) -> None:
    """Give a mutex up."""
    kernel32.ReleaseMutex(mutex)


def GetCurrentProcess() -> int:
    """The pseudo handle of the process."""
    return kernel32.GetCurrentProcess()


def DuplicateHandle(
    source_process_handle: int,
    source_handle: int,
    target_process_handle: int,
    desired_access: int,
    inherit_handle: bool,
    options: int = 0,
    /,
) -> int:
    """Another handle of the same object."""
    return kernel32.DuplicateHandle(
        source_process_handle, source_handle, target_process_handle, desired_access, inherit_handle, options
    )


def OpenProcess(desired_access: int, inherit_handle: bool, process_id: int, /) -> int:
    """A handle of a process."""
    return kernel32.OpenProcess(desired_access, inherit_handle, process_id)


def GetExitCodeProcess(process: int, /) -> int:
    """The exit code of a process, STILL_ACTIVE before its end."""
    return kernel32.GetExitCodeProcess(process)


def CreateFile(
    file_name: str,
    desired_access: int,
    share_mode: int,
    security_attributes: int,
    creation_disposition: int,
    flags_and_attributes: int,
    template_file: int,
    /,
) -> int:
    """Open or make a file."""
    return kernel32.CreateFile(file_name, desired_access, share_mode, None, creation_disposition, flags_and_attributes)


class Overlapped:
    """A request that a function of this module has begun; programs do not make any."""

    __slots__ = ("_buffer", "_handle", "_request")

    def __init__(self, handle: int, buffer: Any = None) -> None:
        self._handle = handle
        self._buffer = buffer
        self._request = _overlapped.Overlapped()

    @property
    def event(self) -> int:
        """The handle of the event that is set at its end."""
        return self._request.event

    def GetOverlappedResult(self, wait: bool, /) -> tuple[int, int]:
        """Bytes and code: 0, ERROR_MORE_DATA, ERROR_OPERATION_ABORTED or ERROR_IO_INCOMPLETE; OSError for others."""
        record = self._request._record
        try:
            return kernel32.GetOverlappedResult(self._handle, record, bool(wait)), 0
        except WinsockError as failure:
            if failure.winerror not in (ERROR_MORE_DATA, ERROR_OPERATION_ABORTED, ERROR_IO_INCOMPLETE):
                raise
            return failure.moved or 0, failure.winerror

    def getbuffer(self) -> Any:
        """What was read into, None for another request."""
        return self._buffer

    def cancel(self) -> None:
        """Cancel the request if it pends."""
        self._request.cancel()

    def start(self, begin: Callable[[OVERLAPPED], Any]) -> int:
        """Begin it: the code it has begun with."""
        return self._request.start(self._handle, begin)


def CreateNamedPipe(
    name: str,
    open_mode: int,
    pipe_mode: int,
    max_instances: int,
    out_buffer_size: int,
    in_buffer_size: int,
    default_timeout: int,
    security_attributes: int,
    /,
) -> int:
    """Make an instance of a named pipe: the server's end."""
    return kernel32.CreateNamedPipe(
        name, open_mode, pipe_mode, max_instances, out_buffer_size, in_buffer_size, default_timeout, None
    )


def ConnectNamedPipe(handle: int, overlapped: bool = False) -> Overlapped | None:
    """Wait for a client; ``overlapped``: begin to, and return the request."""
    if not overlapped:
        kernel32.ConnectNamedPipe(handle)
        return None
    request = Overlapped(handle)
    request.start(lambda record: kernel32.ConnectNamedPipe(handle, record))
    return request


def ReadFile(handle: int, size: int, overlapped: bool = False) -> tuple[Any, int]:
    """Read at most ``size`` bytes: bytes and code; ``overlapped``: the request and the code it has begun with."""
    buffer = bytearray(size)
    if not overlapped:
        moved = moved_of(kernel32.ReadFile(handle, buffer))
        return bytes(memoryview(buffer)[:moved]), 0
    request = Overlapped(handle, buffer)
    return request, request.start(lambda record: kernel32.ReadFile(handle, buffer, record))


def WriteFile(handle: int, buffer: Any, overlapped: bool = False) -> tuple[Any, int]:
    """Write a buffer: count and code; ``overlapped``: the request and the code it has begun with."""
    if not overlapped:
        return kernel32.WriteFile(handle, buffer), 0
    data = bytes(buffer)
    request = Overlapped(handle)
    return request, request.start(lambda record: kernel32.WriteFile(handle, data, record))


def _unwritten(*arguments: Any, **named: Any) -> NoReturn:
    raise WinsockError(ERROR_CALL_NOT_IMPLEMENTED)


WaitNamedPipe = SetNamedPipeHandleState = PeekNamedPipe = _unwritten
CreatePipe = CreateProcess = TerminateProcess = _unwritten
CreateFileMapping = OpenFileMapping = MapViewOfFile = UnmapViewOfFile = VirtualQuerySize = _unwritten
