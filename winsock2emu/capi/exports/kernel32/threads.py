"""Threads.

Part played:     processthreadsapi.h, as far as it is here.
Lives elsewhere: the behaviour (kernel32.threads).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

from .... import kernel32
from ....errors import WinsockError
from ... import memory
from ...threads import made_by_c
from ._pointers import inherits, out

__all__ = [
    "CreateThread",
    "ExitThread",
    "GetExitCodeThread",
    "ResumeThread",
    "SwitchToThread",
]

_THREAD: Final = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint64)


def CreateThread(
    lpThreadAttributes: int,
    dwStackSize: int,
    lpStartAddress: int,
    lpParameter: int,
    dwCreationFlags: int,
    lpThreadId: int,
) -> int:
    start: Callable[[Any], Any] = _THREAD(out(lpStartAddress))
    inherit = inherits(lpThreadAttributes)
    handle, identifier = kernel32.CreateThread(inherit, dwStackSize, start, lpParameter, dwCreationFlags)
    if lpThreadId >= memory.LOWEST:
        memory.store_32(lpThreadId, identifier)
    return handle


def ExitThread(dwExitCode: int) -> None:
    made_by_c()
    kernel32.ExitThread(dwExitCode)


def GetExitCodeThread(hThread: int, lpExitCode: int) -> int:
    code = kernel32.GetExitCodeThread(hThread)
    memory.store_32(out(lpExitCode), code)
    return 1


def ResumeThread(hThread: int) -> int:
    try:
        return kernel32.ResumeThread(hThread)
    except WinsockError:
        return 0xFFFFFFFF  # the table knows no failure value of this function


def SwitchToThread() -> int:
    return int(kernel32.SwitchToThread())
