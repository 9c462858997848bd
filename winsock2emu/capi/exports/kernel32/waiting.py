"""Waiting for objects, and APCs.

Part played:     synchapi.h, as far as it is here.
Lives elsewhere: the behaviour (kernel32.waiting).
"""

from __future__ import annotations

import ctypes
from typing import Final

from .... import kernel32
from ....defs.constants import MAXIMUM_WAIT_OBJECTS
from ... import memory
from ...threads import made_by_c

__all__ = [
    "QueueUserAPC",
    "SignalObjectAndWait",
    "SleepEx",
    "WaitForMultipleObjects",
    "WaitForMultipleObjectsEx",
    "WaitForSingleObject",
    "WaitForSingleObjectEx",
]

_APC: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint64)


def handles_at(count: int, array: int) -> list[int] | None:
    """The handles of an array; none for a count that no wait takes, None for a bad pointer."""
    if not 0 < count <= MAXIMUM_WAIT_OBJECTS:
        return []
    found = memory.view(array, count * 8)
    return None if found is None else found.cast("Q").tolist()


def WaitForSingleObject(hHandle: int, dwMilliseconds: int) -> int:
    made_by_c()
    return kernel32.WaitForSingleObject(hHandle, dwMilliseconds)


def WaitForSingleObjectEx(hHandle: int, dwMilliseconds: int, bAlertable: int) -> int:
    made_by_c()
    return kernel32.WaitForSingleObjectEx(hHandle, dwMilliseconds, bool(bAlertable))


def WaitForMultipleObjects(nCount: int, lpHandles: int, bWaitAll: int, dwMilliseconds: int) -> int:
    made_by_c()
    return kernel32.WaitForMultipleObjects(handles_at(nCount, lpHandles), bool(bWaitAll), dwMilliseconds)


def WaitForMultipleObjectsEx(nCount: int, lpHandles: int, bWaitAll: int, dwMilliseconds: int, bAlertable: int) -> int:
    made_by_c()
    handles = handles_at(nCount, lpHandles)
    return kernel32.WaitForMultipleObjectsEx(handles, bool(bWaitAll), dwMilliseconds, bool(bAlertable))


def SignalObjectAndWait(hObjectToSignal: int, hObjectToWaitOn: int, dwMilliseconds: int, bAlertable: int) -> int:
    made_by_c()
    return kernel32.SignalObjectAndWait(hObjectToSignal, hObjectToWaitOn, dwMilliseconds, bool(bAlertable))


def SleepEx(dwMilliseconds: int, bAlertable: int) -> int:
    made_by_c()
    return kernel32.SleepEx(dwMilliseconds, bool(bAlertable))


def QueueUserAPC(pfnAPC: int, hThread: int, dwData: int) -> int:
    made_by_c()
    kernel32.QueueUserAPC(_APC(pfnAPC), hThread, dwData)
    return 1
