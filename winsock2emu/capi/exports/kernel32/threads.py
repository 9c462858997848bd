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
    "GetThreadId",
    "ResumeThread",
    "SwitchToThread",
    "TerminateThread",
    "TlsAlloc",
    "TlsFree",
    "TlsGetValue",
    "TlsSetValue",
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


def TerminateThread(hThread: int, dwExitCode: int) -> int:
    made_by_c()
    kernel32.TerminateThread(hThread, dwExitCode)
    return 1


def TlsAlloc() -> int:
    return kernel32.TlsAlloc()


def TlsFree(dwTlsIndex: int) -> int:
    kernel32.TlsFree(dwTlsIndex)
    return 1


def TlsGetValue(dwTlsIndex: int) -> int:
    made_by_c()  # the values are the thread's, and so is the last error
    return kernel32.TlsGetValue(dwTlsIndex) or 0


def TlsSetValue(dwTlsIndex: int, lpTlsValue: int) -> int:
    made_by_c()
    kernel32.TlsSetValue(dwTlsIndex, lpTlsValue)
    return 1


def GetThreadId(Thread: int) -> int:
    return kernel32.GetThreadId(Thread)
