"""``_winapi``: what asyncio, subprocess and multiprocessing need of it for pipes, events, processes and waits.

Part played:     Modules/_winapi.c of CPython.
Lives here:      the functions' names and forms.
Lives elsewhere: what they do (kernel32).
Descriptors:     a number below the emulator's own is a descriptor of the host, as `msvcrt` has it; DuplicateHandle
                 makes a handle of one.
Missing:         file mappings, junctions and the registry of events: they fail with ERROR_CALL_NOT_IMPLEMENTED, so that
                 a program can import the names.
Sources:         Modules/_winapi.c; the modules of CPython's library that import it.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NoReturn

from .. import kernel32
from ..defs.codes import (
    ERROR_ACCESS_DENIED,
    ERROR_ALREADY_EXISTS,
    ERROR_BROKEN_PIPE,
    ERROR_CALL_NOT_IMPLEMENTED,
    ERROR_INVALID_HANDLE,
    ERROR_IO_INCOMPLETE,
    ERROR_IO_PENDING,
    ERROR_MOD_NOT_FOUND,
    ERROR_MORE_DATA,
    ERROR_NETNAME_DELETED,
    ERROR_NO_DATA,
    ERROR_OPERATION_ABORTED,
    ERROR_PIPE_BUSY,
    ERROR_PIPE_CONNECTED,
    ERROR_SEM_TIMEOUT,
)
from ..defs.constants import (
    FILE_FLAG_OVERLAPPED,
    HANDLE_FLAG_INHERIT,
    INFINITE,
    MAXIMUM_WAIT_OBJECTS,
    WAIT_ABANDONED_0,
    WAIT_OBJECT_0,
    WAIT_TIMEOUT,
)
from ..defs.winbase import GENERIC_READ, GENERIC_WRITE, OPEN_EXISTING
from ..errors import WinsockError, errno_of, message_of
from ..errors import get_last_error as GetLastError
from ..kernel.handles import FIRST_NUMBER
from ..kernel.objects import wait
from ..kernel.operations import OVERLAPPED, moved_of
from ..kernel32.handles import object_of
from ..process import current_process
from . import overlapped as _overlapped

__all__ = [
    "ABOVE_NORMAL_PRIORITY_CLASS",
    "BELOW_NORMAL_PRIORITY_CLASS",
    "CREATE_BREAKAWAY_FROM_JOB",
    "CREATE_DEFAULT_ERROR_MODE",
    "CREATE_NEW_CONSOLE",
    "CREATE_NEW_PROCESS_GROUP",
    "CREATE_NO_WINDOW",
    "DETACHED_PROCESS",
    "DUPLICATE_CLOSE_SOURCE",
    "DUPLICATE_SAME_ACCESS",
    "ERROR_ACCESS_DENIED",
    "ERROR_ALREADY_EXISTS",
    "ERROR_BROKEN_PIPE",
    "ERROR_IO_PENDING",
    "ERROR_MORE_DATA",
    "ERROR_NETNAME_DELETED",
    "ERROR_NO_DATA",
    "ERROR_NO_SYSTEM_RESOURCES",
    "ERROR_OPERATION_ABORTED",
    "ERROR_PIPE_BUSY",
    "ERROR_PIPE_CONNECTED",
    "ERROR_PRIVILEGE_NOT_HELD",
    "ERROR_SEM_TIMEOUT",
    "FILE_FLAG_FIRST_PIPE_INSTANCE",
    "FILE_FLAG_OVERLAPPED",
    "FILE_GENERIC_READ",
    "FILE_GENERIC_WRITE",
    "FILE_MAP_ALL_ACCESS",
    "FILE_MAP_COPY",
    "FILE_MAP_EXECUTE",
    "FILE_MAP_READ",
    "FILE_MAP_WRITE",
    "FILE_TYPE_CHAR",
    "FILE_TYPE_DISK",
    "FILE_TYPE_PIPE",
    "FILE_TYPE_REMOTE",
    "FILE_TYPE_UNKNOWN",
    "GENERIC_READ",
    "GENERIC_WRITE",
    "HIGH_PRIORITY_CLASS",
    "IDLE_PRIORITY_CLASS",
    "INFINITE",
    "INVALID_HANDLE_VALUE",
    "NMPWAIT_WAIT_FOREVER",
    "NORMAL_PRIORITY_CLASS",
    "NULL",
    "OPEN_EXISTING",
    "PAGE_READONLY",
    "PAGE_READWRITE",
    "PIPE_ACCESS_DUPLEX",
    "PIPE_ACCESS_INBOUND",
    "PIPE_READMODE_MESSAGE",
    "PIPE_TYPE_MESSAGE",
    "PIPE_UNLIMITED_INSTANCES",
    "PIPE_WAIT",
    "PROCESS_ALL_ACCESS",
    "PROCESS_DUP_HANDLE",
    "REALTIME_PRIORITY_CLASS",
    "STARTF_FORCEOFFFEEDBACK",
    "STARTF_FORCEONFEEDBACK",
    "STARTF_USESHOWWINDOW",
    "STARTF_USESTDHANDLES",
    "STD_ERROR_HANDLE",
    "STD_INPUT_HANDLE",
    "STD_OUTPUT_HANDLE",
    "STILL_ACTIVE",
    "SW_HIDE",
    "SYNCHRONIZE",
    "WAIT_ABANDONED_0",
    "WAIT_OBJECT_0",
    "WAIT_TIMEOUT",
    "BatchedWaitForMultipleObjects",
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
    "ExitProcess",
    "GetCurrentProcess",
    "GetExitCodeProcess",
    "GetFileType",
    "GetLastError",
    "GetModuleFileName",
    "GetStdHandle",
    "GetVersion",
    "MapViewOfFile",
    "NeedCurrentDirectoryForExePath",
    "OpenEventW",
    "OpenFileMapping",
    "OpenMutexW",
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

ABOVE_NORMAL_PRIORITY_CLASS: Final = 0x8000
BELOW_NORMAL_PRIORITY_CLASS: Final = 0x4000
CREATE_BREAKAWAY_FROM_JOB: Final = 0x1000000
CREATE_DEFAULT_ERROR_MODE: Final = 0x4000000
CREATE_NEW_CONSOLE: Final = 0x10
CREATE_NEW_PROCESS_GROUP: Final = 0x200
CREATE_NO_WINDOW: Final = 0x8000000
DETACHED_PROCESS: Final = 0x8
DUPLICATE_CLOSE_SOURCE: Final = 1
DUPLICATE_SAME_ACCESS: Final = 2
ERROR_NO_SYSTEM_RESOURCES: Final = 1450
ERROR_PRIVILEGE_NOT_HELD: Final = 1314
FILE_FLAG_FIRST_PIPE_INSTANCE: Final = 0x80000
FILE_GENERIC_READ: Final = 0x120089
FILE_GENERIC_WRITE: Final = 0x120116
FILE_MAP_ALL_ACCESS: Final = 0xF001F
FILE_MAP_COPY: Final = 0x1
FILE_MAP_EXECUTE: Final = 0x20
FILE_MAP_READ: Final = 0x4
FILE_MAP_WRITE: Final = 0x2
FILE_TYPE_CHAR: Final = 2
FILE_TYPE_DISK: Final = 1
FILE_TYPE_PIPE: Final = 3
FILE_TYPE_REMOTE: Final = 0x8000
FILE_TYPE_UNKNOWN: Final = 0
HIGH_PRIORITY_CLASS: Final = 0x80
IDLE_PRIORITY_CLASS: Final = 0x40
NMPWAIT_WAIT_FOREVER: Final = 0xFFFFFFFF
NORMAL_PRIORITY_CLASS: Final = 0x20
PAGE_READONLY: Final = 0x2
PAGE_READWRITE: Final = 0x4
PIPE_ACCESS_DUPLEX: Final = 3
PIPE_ACCESS_INBOUND: Final = 1
PIPE_READMODE_MESSAGE: Final = 2
PIPE_TYPE_MESSAGE: Final = 4
PIPE_UNLIMITED_INSTANCES: Final = 255
PIPE_WAIT: Final = 0
PROCESS_ALL_ACCESS: Final = 0x1FFFFF
PROCESS_DUP_HANDLE: Final = 0x40
REALTIME_PRIORITY_CLASS: Final = 0x100
STARTF_USESHOWWINDOW: Final = 0x1
STARTF_FORCEONFEEDBACK: Final = 0x40
STARTF_FORCEOFFFEEDBACK: Final = 0x80
STARTF_USESTDHANDLES: Final = 0x100
STD_ERROR_HANDLE: Final = 0xFFFFFFF4
STD_INPUT_HANDLE: Final = 0xFFFFFFF6
STD_OUTPUT_HANDLE: Final = 0xFFFFFFF5
STILL_ACTIVE: Final = 259
SW_HIDE: Final = 0
SYNCHRONIZE: Final = 0x100000

_STANDARD: Final = {STD_INPUT_HANDLE: 0, STD_OUTPUT_HANDLE: 1, STD_ERROR_HANDLE: 2}


def CloseHandle(handle: int, /) -> None:
    """Give a handle back; OSError with winerror 6 for one that is none."""
    kernel32.CloseHandle(handle)


def WaitForSingleObject(handle: int, milliseconds: int, /) -> int:
    """Wait for an object: WAIT_OBJECT_0, WAIT_ABANDONED_0 or WAIT_TIMEOUT."""
    return kernel32.WaitForSingleObject(handle, milliseconds)


def WaitForMultipleObjects(handles: Sequence[int], wait_all: bool, milliseconds: int = INFINITE, /) -> int:
    """Wait for one of several objects, or for all of them; ValueError for more than 63, since one is Ctrl+C's."""
    if len(handles) >= MAXIMUM_WAIT_OBJECTS:
        raise ValueError(f"need at most {MAXIMUM_WAIT_OBJECTS - 1} handles, got a sequence of length {len(handles)}")
    return kernel32.WaitForMultipleObjects(list(handles), bool(wait_all), milliseconds)


def BatchedWaitForMultipleObjects(
    handle_seq: Sequence[int], wait_all: bool, milliseconds: int = INFINITE
) -> list[int] | None:
    """Wait for one of any number of objects, or for all of them.

    Returns:
        None after a wait for all; otherwise the indices of objects that have been signalled, at least one.

    Raises:
        TimeoutError: the time is over.
    """
    process = current_process()
    things = [object_of(process, handle) for handle in handle_seq]
    timeout_s = None if milliseconds == INFINITE else milliseconds / 1000
    index = wait(things, bool(wait_all), timeout_s, False, process)
    if index == WAIT_TIMEOUT:
        failure = TimeoutError(errno_of(WAIT_TIMEOUT), message_of(WAIT_TIMEOUT))
        failure.winerror = WAIT_TIMEOUT  # type: ignore[attr-defined]
        raise failure
    return None if wait_all else [index % WAIT_ABANDONED_0] if index < 2 * WAIT_ABANDONED_0 else [index]


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


def OpenMutexW(desired_access: int, inherit_handle: bool, name: str) -> int:
    """A handle of the mutex with a name."""
    return kernel32.OpenMutex(desired_access, inherit_handle, name)


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
    """Another handle of the same object; of a file, for a descriptor of the host."""
    process = current_process()
    if 0 <= source_handle < FIRST_NUMBER and source_handle not in process.objects:
        handle = _overlapped.file_handle_of(source_handle)
        kernel32.SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT if inherit_handle else 0)
        return handle
    return kernel32.DuplicateHandle(
        source_process_handle, source_handle, target_process_handle, desired_access, inherit_handle, options
    )


def OpenProcess(desired_access: int, inherit_handle: bool, process_id: int, /) -> int:
    """A handle of a process."""
    return kernel32.OpenProcess(desired_access, inherit_handle, process_id)


def GetExitCodeProcess(process: int, /) -> int:
    """The exit code of a process, STILL_ACTIVE before its end."""
    return kernel32.GetExitCodeProcess(process)


def TerminateProcess(handle: int, exit_code: int, /) -> None:
    """End a process that has been started here."""
    kernel32.TerminateProcess(handle, exit_code)


def CreateProcess(
    application_name: str | None,
    command_line: str | None,
    proc_attrs: Any,
    thread_attrs: Any,
    inherit_handles: bool,
    creation_flags: int,
    env_mapping: Mapping[str, str] | None,
    current_directory: str | None,
    startup_info: Any,
    /,
) -> tuple[int, int, int, int]:
    """Start a program of the host: handles of the process and of its thread, and their identifiers."""
    standard = None
    if startup_info is not None and getattr(startup_info, "dwFlags", 0) & STARTF_USESTDHANDLES:
        standard = [getattr(startup_info, name, None) for name in ("hStdInput", "hStdOutput", "hStdError")]
        standard = [None if handle is None else int(handle) for handle in standard]
    started = kernel32.CreateProcess(
        application_name, command_line, bool(inherit_handles), creation_flags, env_mapping, current_directory, standard
    )
    return started.process, started.thread, started.process_id, started.thread_id


def ExitProcess(ExitCode: int, /) -> NoReturn:
    """End this process at once."""
    os._exit(ExitCode & 0xFF)


def GetStdHandle(std_handle: int, /) -> int | None:
    """The descriptor of standard input, output or error; None when it is closed."""
    descriptor = _STANDARD.get(std_handle & 0xFFFFFFFF)
    if descriptor is None:
        raise WinsockError(ERROR_INVALID_HANDLE)
    try:
        os.fstat(descriptor)
    except OSError:
        return None
    return descriptor


def GetFileType(handle: int) -> int:
    """FILE_TYPE_DISK, FILE_TYPE_CHAR or FILE_TYPE_PIPE."""
    if not 0 <= handle < FIRST_NUMBER or handle in current_process().objects:
        return kernel32.GetFileType(handle)
    try:
        mode = os.fstat(handle).st_mode
    except OSError as failure:
        raise WinsockError(ERROR_INVALID_HANDLE) from failure
    if stat.S_ISREG(mode) or stat.S_ISBLK(mode):
        return FILE_TYPE_DISK
    return FILE_TYPE_CHAR if stat.S_ISCHR(mode) else FILE_TYPE_PIPE


def GetModuleFileName(module_handle: int, /) -> str:
    """The file of this program: Python's."""
    if module_handle:
        raise WinsockError(ERROR_MOD_NOT_FOUND)
    return sys.executable


def GetVersion() -> int:
    """Windows' version, 10.0, with a build number in the upper half."""
    return 10 | 19045 << 16


def NeedCurrentDirectoryForExePath(exe_name: str, /) -> bool:
    """Whether programs are looked for in the current directory: never here, as with the variable that forbids it."""
    return False


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

    __slots__ = ("_buffer", "_data", "_handle", "_request")

    def __init__(self, handle: int, buffer: Any = None) -> None:
        self._handle = handle
        self._buffer = buffer
        self._data: bytes | None = None
        self._request = _overlapped.Overlapped()

    @property
    def event(self) -> int:
        """The handle of the event that is set at its end."""
        return self._request.event

    def GetOverlappedResult(self, wait: bool, /) -> tuple[int, int]:
        """Bytes and code: 0, ERROR_MORE_DATA, ERROR_OPERATION_ABORTED or ERROR_IO_INCOMPLETE; OSError for others."""
        record = self._request._record
        code = 0
        try:
            moved = kernel32.GetOverlappedResult(self._handle, record, bool(wait))
        except WinsockError as failure:
            code = failure.winerror
            if code not in (ERROR_MORE_DATA, ERROR_OPERATION_ABORTED, ERROR_IO_INCOMPLETE):
                raise
            moved = failure.moved or 0
        if code != ERROR_IO_INCOMPLETE and self._data is None and self._buffer is not None:
            self._data = bytes(memoryview(self._buffer)[:moved])
        return moved, code

    def getbuffer(self) -> bytes | None:
        """What has been read, None for another request; ValueError before `GetOverlappedResult` has told of its end."""
        if self._buffer is not None and self._data is None:
            raise ValueError("can't get read buffer before GetOverlappedResult() signals the operation completed")
        return self._data

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


def CreatePipe(pipe_attributes: Any, size: int, /) -> tuple[int, int]:
    """Make an anonymous pipe: the ends to read from and to write to."""
    return kernel32.CreatePipe(None, size)


def PeekNamedPipe(handle: int, size: int = 0, /) -> tuple[Any, ...]:
    """Look at what can be read: how much there is, what is left of a message; with a size, the bytes before that."""
    room = bytearray(size)
    copied, available, left = kernel32.PeekNamedPipe(handle, room)
    return (bytes(room[:copied]), available, left) if size else (available, left)


def SetNamedPipeHandleState(
    named_pipe: int, mode: int | None, max_collection_count: int | None, collect_data_timeout: int | None, /
) -> None:
    """Choose how a handle reads; None leaves what there is."""
    kernel32.SetNamedPipeHandleState(named_pipe, mode, max_collection_count, collect_data_timeout)


def WaitNamedPipe(name: str, timeout: int, /) -> None:
    """Wait until an instance of a pipe can be opened."""
    kernel32.WaitNamedPipe(name, timeout)


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


CreateFileMapping = OpenFileMapping = MapViewOfFile = UnmapViewOfFile = VirtualQuerySize = _unwritten
