"""``win32process``: starting programs, waiting for them, ending them.

Part played:     win32process of pywin32, a part.
Lives here:      the functions' names and forms, and the constants.
Lives elsewhere: what they do (kernel32.process), waiting (win32event), pipes (win32pipe).
Programs:        they are the host's. An environment is all of the child's, as on Windows.
Missing:         threads, priorities, affinities, memory and modules of processes.
Sources:         pywin32's reference; types-pywin32.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import kernel32
from ..defs.constants import STILL_ACTIVE
from ..kernel32 import GetCurrentProcessId
from ._pywin32 import told
from .pywintypes import PyHANDLE, error, handle_of
from .win32api import GetCurrentProcess
from .winapi import (
    ABOVE_NORMAL_PRIORITY_CLASS,
    BELOW_NORMAL_PRIORITY_CLASS,
    CREATE_NEW_PROCESS_GROUP,
    CREATE_NO_WINDOW,
    HIGH_PRIORITY_CLASS,
    IDLE_PRIORITY_CLASS,
    NORMAL_PRIORITY_CLASS,
    REALTIME_PRIORITY_CLASS,
    STARTF_USESHOWWINDOW,
    STARTF_USESTDHANDLES,
)

__all__ = [
    "ABOVE_NORMAL_PRIORITY_CLASS",
    "BELOW_NORMAL_PRIORITY_CLASS",
    "CREATE_NEW_PROCESS_GROUP",
    "CREATE_NO_WINDOW",
    "HIGH_PRIORITY_CLASS",
    "IDLE_PRIORITY_CLASS",
    "NORMAL_PRIORITY_CLASS",
    "REALTIME_PRIORITY_CLASS",
    "STARTF_USESHOWWINDOW",
    "STARTF_USESTDHANDLES",
    "STARTUPINFO",
    "STILL_ACTIVE",
    "CreateProcess",
    "GetCurrentProcess",
    "GetCurrentProcessId",
    "GetExitCodeProcess",
    "GetProcessId",
    "TerminateProcess",
    "error",
]

_STANDARD: Final = ("hStdInput", "hStdOutput", "hStdError")


class PySTARTUPINFO:
    """How a program is started; the emulator reads the standard handles, and whether they count (``dwFlags``)."""

    def __init__(self) -> None:
        self.dwX = self.dwY = self.dwXSize = self.dwYSize = 0
        self.dwXCountChars = self.dwYCountChars = self.dwFillAttribute = 0
        self.dwFlags = self.wShowWindow = 0
        self.hStdInput: Any = 0
        self.hStdOutput: Any = 0
        self.hStdError: Any = 0
        self.lpDesktop: str | None = None
        self.lpTitle: str | None = None


STARTUPINFO = STARTUPINFOType = PySTARTUPINFO


@told()
def CreateProcess(
    application: str | None,
    command_line: str | None,
    process_attributes: Any,
    thread_attributes: Any,
    inherit: bool | int,
    flags: int,
    environment: Mapping[str, str] | None,
    directory: str | None,
    startup: PySTARTUPINFO,
    /,
) -> tuple[PyHANDLE, PyHANDLE, int, int]:
    """Start a program: handles of the process and of its thread, and their identifiers.

    Raises:
        TypeError: ``startup`` is none.
    """
    if not isinstance(startup, PySTARTUPINFO):
        raise TypeError("The object is not a PySTARTUPINFO object")
    standard = None
    if startup.dwFlags & STARTF_USESTDHANDLES:
        standard = [handle_of(getattr(startup, name)) or None for name in _STANDARD]
    started = kernel32.CreateProcess(application, command_line, bool(inherit), flags, environment, directory, standard)
    return PyHANDLE(started.process), PyHANDLE(started.thread), started.process_id, started.thread_id


@told()
def GetExitCodeProcess(process: Any, /) -> int:
    """What a process has ended with, STILL_ACTIVE before."""
    return kernel32.GetExitCodeProcess(handle_of(process))


@told()
def GetProcessId(process: Any, /) -> int:
    """The identifier of a process."""
    return kernel32.GetProcessId(handle_of(process))


@told()
def TerminateProcess(process: Any, exit_code: int, /) -> None:
    """End a process that has been started here."""
    kernel32.TerminateProcess(handle_of(process), exit_code)
