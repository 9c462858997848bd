"""Events, mutexes, semaphores, waitable timers.

Part played:     synchapi.h, as far as it is here.
Lives elsewhere: the behaviour (kernel32.events).
"""

from __future__ import annotations

import ctypes
from typing import Final

from .... import kernel32
from ....defs.codes import ERROR_INVALID_PARAMETER
from ....defs.constants import CREATE_EVENT_INITIAL_SET, CREATE_EVENT_MANUAL_RESET
from ....errors import WinsockError
from ... import memory
from ...threads import made_by_c
from ._pointers import inherits, out

__all__ = [
    "CancelWaitableTimer",
    "CreateEventA",
    "CreateEventExA",
    "CreateEventExW",
    "CreateEventW",
    "CreateMutexA",
    "CreateMutexW",
    "CreateSemaphoreA",
    "CreateSemaphoreW",
    "CreateWaitableTimerA",
    "CreateWaitableTimerW",
    "OpenEventA",
    "OpenEventW",
    "PulseEvent",
    "ReleaseMutex",
    "ReleaseSemaphore",
    "ResetEvent",
    "SetEvent",
    "SetWaitableTimer",
]

_TIMER_APC: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint32)


def CreateEventA(lpEventAttributes: int, bManualReset: int, bInitialState: int, lpName: int) -> int:
    return kernel32.CreateEvent(
        inherits(lpEventAttributes), bool(bManualReset), bool(bInitialState), memory.ansi(lpName)
    )


def CreateEventW(lpEventAttributes: int, bManualReset: int, bInitialState: int, lpName: int) -> int:
    return kernel32.CreateEvent(
        inherits(lpEventAttributes), bool(bManualReset), bool(bInitialState), memory.wide(lpName)
    )


def _create_event(attributes: int, name: str | None, flags: int) -> int:
    if flags & ~(CREATE_EVENT_INITIAL_SET | CREATE_EVENT_MANUAL_RESET):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    manual, initial = flags & CREATE_EVENT_MANUAL_RESET, flags & CREATE_EVENT_INITIAL_SET
    return kernel32.CreateEvent(inherits(attributes), bool(manual), bool(initial), name)


def CreateEventExA(lpEventAttributes: int, lpName: int, dwFlags: int, dwDesiredAccess: int) -> int:
    return _create_event(lpEventAttributes, memory.ansi(lpName), dwFlags)


def CreateEventExW(lpEventAttributes: int, lpName: int, dwFlags: int, dwDesiredAccess: int) -> int:
    return _create_event(lpEventAttributes, memory.wide(lpName), dwFlags)


def OpenEventA(dwDesiredAccess: int, bInheritHandle: int, lpName: int) -> int:
    return kernel32.OpenEvent(dwDesiredAccess, bool(bInheritHandle), memory.ansi(lpName) or "")


def OpenEventW(dwDesiredAccess: int, bInheritHandle: int, lpName: int) -> int:
    return kernel32.OpenEvent(dwDesiredAccess, bool(bInheritHandle), memory.wide(lpName) or "")


def SetEvent(hEvent: int) -> int:
    kernel32.SetEvent(hEvent)
    return 1


def ResetEvent(hEvent: int) -> int:
    kernel32.ResetEvent(hEvent)
    return 1


def PulseEvent(hEvent: int) -> int:
    kernel32.PulseEvent(hEvent)
    return 1


def CreateMutexA(lpMutexAttributes: int, bInitialOwner: int, lpName: int) -> int:
    made_by_c()
    return kernel32.CreateMutex(inherits(lpMutexAttributes), bool(bInitialOwner), memory.ansi(lpName))


def CreateMutexW(lpMutexAttributes: int, bInitialOwner: int, lpName: int) -> int:
    made_by_c()
    return kernel32.CreateMutex(inherits(lpMutexAttributes), bool(bInitialOwner), memory.wide(lpName))


def ReleaseMutex(hMutex: int) -> int:
    kernel32.ReleaseMutex(hMutex)
    return 1


def CreateSemaphoreA(lpSemaphoreAttributes: int, lInitialCount: int, lMaximumCount: int, lpName: int) -> int:
    name = memory.ansi(lpName)
    return kernel32.CreateSemaphore(inherits(lpSemaphoreAttributes), lInitialCount, lMaximumCount, name)


def CreateSemaphoreW(lpSemaphoreAttributes: int, lInitialCount: int, lMaximumCount: int, lpName: int) -> int:
    name = memory.wide(lpName)
    return kernel32.CreateSemaphore(inherits(lpSemaphoreAttributes), lInitialCount, lMaximumCount, name)


def ReleaseSemaphore(hSemaphore: int, lReleaseCount: int, lpPreviousCount: int) -> int:
    before = kernel32.ReleaseSemaphore(hSemaphore, lReleaseCount)
    if lpPreviousCount >= memory.LOWEST:
        memory.store_32(lpPreviousCount, before)
    return 1


def CreateWaitableTimerA(lpTimerAttributes: int, bManualReset: int, lpTimerName: int) -> int:
    return kernel32.CreateWaitableTimer(inherits(lpTimerAttributes), bool(bManualReset), memory.ansi(lpTimerName))


def CreateWaitableTimerW(lpTimerAttributes: int, bManualReset: int, lpTimerName: int) -> int:
    return kernel32.CreateWaitableTimer(inherits(lpTimerAttributes), bool(bManualReset), memory.wide(lpTimerName))


def SetWaitableTimer(
    hTimer: int,
    lpDueTime: int,
    lPeriod: int,
    pfnCompletionRoutine: int,
    lpArgToCompletionRoutine: int,
    fResume: int,
) -> int:
    made_by_c()
    due = memory.load_u64(out(lpDueTime))
    due -= due >> 63 << 64
    routine = _TIMER_APC(pfnCompletionRoutine) if pfnCompletionRoutine else None
    kernel32.SetWaitableTimer(hTimer, due, lPeriod, routine, lpArgToCompletionRoutine, bool(fResume))
    return 1


def CancelWaitableTimer(hTimer: int) -> int:
    kernel32.CancelWaitableTimer(hTimer)
    return 1
