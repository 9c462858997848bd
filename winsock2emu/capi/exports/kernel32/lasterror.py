"""The last error of the calling thread.

Part played:     errhandlingapi.h, as far as it is here.
Lives elsewhere: the behaviour (kernel32.lasterror).
"""

from __future__ import annotations

from .... import kernel32
from ...threads import made_by_c

__all__ = [
    "GetLastError",
    "SetLastError",
]


def GetLastError() -> int:
    return kernel32.GetLastError()


def SetLastError(dwErrCode: int) -> None:
    made_by_c()  # its threads keep the value, too
    kernel32.SetLastError(dwErrCode)
