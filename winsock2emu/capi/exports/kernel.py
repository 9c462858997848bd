"""What programs call in kernel32.dll beside Winsock.

Part played:     kernel32.dll's last error, clock and identity functions.
Lives elsewhere: the behaviour (kernel32). All other exports of kernel32 are listed, not written
                 (capi.table).
Sources:         errhandlingapi.h, synchapi.h, sysinfoapi.h, processthreadsapi.h on Microsoft Learn.
"""

from __future__ import annotations

from ... import kernel32
from ..threads import made_by_c

__all__ = [
    "GetCurrentProcessId",
    "GetCurrentThreadId",
    "GetLastError",
    "GetTickCount",
    "GetTickCount64",
    "SetLastError",
    "Sleep",
]


def GetLastError() -> int:
    return kernel32.GetLastError()


def SetLastError(dwErrCode: int) -> None:
    made_by_c()  # its threads keep the value, too
    kernel32.SetLastError(dwErrCode)


def Sleep(dwMilliseconds: int) -> None:
    kernel32.Sleep(dwMilliseconds)


def GetTickCount() -> int:
    return kernel32.GetTickCount()


def GetTickCount64() -> int:
    return kernel32.GetTickCount64()


def GetCurrentProcessId() -> int:
    return kernel32.GetCurrentProcessId()


def GetCurrentThreadId() -> int:
    return kernel32.GetCurrentThreadId()
