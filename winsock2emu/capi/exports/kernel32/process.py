"""Who runs.

Part played:     processthreadsapi.h, as far as it is here.
Lives elsewhere: the behaviour (kernel32.process).
"""

from __future__ import annotations

from .... import kernel32
from ... import memory
from ._pointers import out

__all__ = [
    "GetCurrentProcess",
    "GetCurrentProcessId",
    "GetCurrentThread",
    "GetCurrentThreadId",
    "GetExitCodeProcess",
    "GetProcessId",
    "OpenProcess",
]


def GetCurrentProcessId() -> int:
    return kernel32.GetCurrentProcessId()


def GetCurrentThreadId() -> int:
    return kernel32.GetCurrentThreadId()


def GetCurrentProcess() -> int:
    return kernel32.GetCurrentProcess()


def GetCurrentThread() -> int:
    return kernel32.GetCurrentThread()


def GetProcessId(Process: int) -> int:
    return kernel32.GetProcessId(Process)


def GetExitCodeProcess(hProcess: int, lpExitCode: int) -> int:
    code = kernel32.GetExitCodeProcess(hProcess)
    memory.store_32(out(lpExitCode), code)
    return 1


def OpenProcess(dwDesiredAccess: int, bInheritHandle: int, dwProcessId: int) -> int:
    return kernel32.OpenProcess(dwDesiredAccess, bool(bInheritHandle), dwProcessId)
