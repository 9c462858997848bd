"""Handles: closing, copying, flags, comparing.

Part played:     handleapi.h, as far as it is here.
Lives elsewhere: the behaviour (kernel32.handles).
"""

from __future__ import annotations

from .... import kernel32
from ... import memory
from ...threads import made_by_c
from ._pointers import out

__all__ = [
    "CloseHandle",
    "CompareObjectHandles",
    "DuplicateHandle",
    "GetHandleInformation",
    "SetHandleInformation",
]


def CloseHandle(hObject: int) -> int:
    kernel32.CloseHandle(hObject)
    return 1


def DuplicateHandle(
    hSourceProcessHandle: int,
    hSourceHandle: int,
    hTargetProcessHandle: int,
    lpTargetHandle: int,
    dwDesiredAccess: int,
    bInheritHandle: int,
    dwOptions: int,
) -> int:
    made_by_c()  # the pseudo handle of the thread may be the source
    handle = kernel32.DuplicateHandle(
        hSourceProcessHandle,
        hSourceHandle,
        hTargetProcessHandle,
        dwDesiredAccess,
        bool(bInheritHandle),
        dwOptions,
    )
    if lpTargetHandle >= memory.LOWEST:
        memory.store_u64(lpTargetHandle, handle)
    else:
        kernel32.CloseHandle(handle)
    return 1


def GetHandleInformation(hObject: int, lpdwFlags: int) -> int:
    flags = kernel32.GetHandleInformation(hObject)
    memory.store_32(out(lpdwFlags), flags)
    return 1


def SetHandleInformation(hObject: int, dwMask: int, dwFlags: int) -> int:
    kernel32.SetHandleInformation(hObject, dwMask, dwFlags)
    return 1


def CompareObjectHandles(hFirstObjectHandle: int, hSecondObjectHandle: int) -> int:
    return int(kernel32.CompareObjectHandles(hFirstObjectHandle, hSecondObjectHandle))
