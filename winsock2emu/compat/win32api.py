"""``win32api``: what programs with sockets, waits and pipes use of it.

Part played:     win32api of pywin32, a small part.
Lives here:      the functions' names and forms.
Lives elsewhere: what they do (kernel32).
Paths:           `GetTempPath` has the host's spelling, as the program's ``os`` has.
Missing:         everything else of the module: the registry, windows, versions, devices.
Sources:         pywin32's reference, test_exceptions.py and handles.py; types-pywin32.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from .. import kernel32
from ..defs.constants import FORMAT_MESSAGE_FROM_SYSTEM, FORMAT_MESSAGE_IGNORE_INSERTS
from ..kernel32 import (
    GetCurrentProcessId,
    GetCurrentThreadId,
    GetLastError,
    GetTickCount,
    SetLastError,
)
from ._pywin32 import dword, milliseconds, object_of, told
from .pywintypes import PyHANDLE, error, handle_of, signed
from .win32file import CloseHandle, DeleteFile, GetFileAttributes

__all__ = [
    "CloseHandle",
    "DeleteFile",
    "DuplicateHandle",
    "FormatMessage",
    "FormatMessageW",
    "GetComputerName",
    "GetCurrentProcess",
    "GetCurrentProcessId",
    "GetCurrentThread",
    "GetCurrentThreadId",
    "GetFileAttributes",
    "GetHandleInformation",
    "GetLastError",
    "GetTempPath",
    "GetTickCount",
    "OpenProcess",
    "SetHandleInformation",
    "SetLastError",
    "Sleep",
    "SleepEx",
    "error",
]


@told()
def FormatMessage(code_or_flags: int = 0, *rest: Any) -> str:
    """The system's text for a code, with its line end; or as of Windows: flags, source, code, language, inserts."""
    if rest:
        source, code, language, inserts = rest
        return kernel32.FormatMessage(dword(code_or_flags), source, dword(code), language, inserts)
    flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS
    return kernel32.FormatMessage(flags, None, dword(code_or_flags or GetLastError()))


FormatMessageW = FormatMessage


def Sleep(time_ms: int, alertable: int = 0, /) -> int:
    """Wait for the end of a time: 0; alertable, APCs may end it with WAIT_IO_COMPLETION."""
    return kernel32.SleepEx(milliseconds(time_ms), bool(alertable))


SleepEx = Sleep


def GetTempPath() -> str:
    """The folder for temporary files, with a separator at its end."""
    return os.path.join(tempfile.gettempdir(), "")


@told()
def GetComputerName() -> str:
    """The NetBIOS name of the machine."""
    return kernel32.GetComputerNameEx(0)


def GetCurrentProcess() -> int:
    """The pseudo handle of the process."""
    return signed(kernel32.GetCurrentProcess())


def GetCurrentThread() -> int:
    """The pseudo handle of the thread."""
    return signed(kernel32.GetCurrentThread())


@told()
def OpenProcess(access: int, inherit: int, process_id: int, /) -> PyHANDLE:
    """A handle of a process."""
    return PyHANDLE(kernel32.OpenProcess(dword(access), bool(inherit), process_id))


@told()
def DuplicateHandle(
    source_process: Any, source: Any, target_process: Any, access: int, inherit: int, options: int, /
) -> PyHANDLE:
    """Another handle of the same object."""
    return PyHANDLE(
        kernel32.DuplicateHandle(
            handle_of(source_process),
            object_of(source),
            handle_of(target_process),
            dword(access),
            bool(inherit),
            options,
        )
    )


@told()
def GetHandleInformation(handle: Any, /) -> int:
    """The HANDLE_FLAG bits of a handle."""
    return kernel32.GetHandleInformation(object_of(handle))


@told()
def SetHandleInformation(handle: Any, mask: int, flags: int, /) -> None:
    """Set those HANDLE_FLAG bits of a handle that are in the mask."""
    kernel32.SetHandleInformation(object_of(handle), mask, flags)
