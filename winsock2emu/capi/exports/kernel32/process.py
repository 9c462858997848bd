"""Who runs.

Part played:     processthreadsapi.h, as far as it is here.
Lives elsewhere: the behaviour (kernel32.process).
"""

from __future__ import annotations

from .... import kernel32

__all__ = [
    "GetCurrentProcess",
    "GetCurrentProcessId",
    "GetCurrentThread",
    "GetCurrentThreadId",
]


def GetCurrentProcessId() -> int:
    return kernel32.GetCurrentProcessId()


def GetCurrentThreadId() -> int:
    return kernel32.GetCurrentThreadId()


def GetCurrentProcess() -> int:
    return kernel32.GetCurrentProcess()


def GetCurrentThread() -> int:
    return kernel32.GetCurrentThread()
