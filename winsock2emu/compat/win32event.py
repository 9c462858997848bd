"""``win32event``: events, mutexes, semaphores, timers, and waiting, as pywin32 has them.

Part played:     win32event of pywin32.
Lives here:      the functions' names and forms, and the constants.
Lives elsewhere: what they do (kernel32, user32), handles (pywintypes).
Numbers:         INFINITE and WAIT_FAILED are -1 here; a wait that fails raises.
Missing:         WaitForInputIdle.
Sources:         pywin32's reference and test_win32event.py; types-pywin32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from .. import kernel32, user32
from ..defs.codes import ERROR_INVALID_PARAMETER
from ..defs.constants import (
    MAXIMUM_WAIT_OBJECTS,
    WAIT_ABANDONED,
    WAIT_ABANDONED_0,
    WAIT_IO_COMPLETION,
    WAIT_OBJECT_0,
    WAIT_TIMEOUT,
)
from ..defs.windows import (
    QS_HOTKEY,
    QS_KEY,
    QS_MOUSE,
    QS_MOUSEBUTTON,
    QS_MOUSEMOVE,
    QS_PAINT,
    QS_POSTMESSAGE,
    QS_SENDMESSAGE,
    QS_TIMER,
)
from ..errors import WinsockError
from ._pywin32 import dword, inherits, milliseconds, object_of, told
from .pywintypes import PyHANDLE, error, handle_of

__all__ = [
    "CREATE_WAITABLE_TIMER_HIGH_RESOLUTION",
    "CREATE_WAITABLE_TIMER_MANUAL_RESET",
    "EVENT_ALL_ACCESS",
    "EVENT_MODIFY_STATE",
    "INFINITE",
    "MAXIMUM_WAIT_OBJECTS",
    "QS_ALLEVENTS",
    "QS_ALLINPUT",
    "QS_HOTKEY",
    "QS_INPUT",
    "QS_KEY",
    "QS_MOUSE",
    "QS_MOUSEBUTTON",
    "QS_MOUSEMOVE",
    "QS_PAINT",
    "QS_POSTMESSAGE",
    "QS_SENDMESSAGE",
    "QS_TIMER",
    "SYNCHRONIZE",
    "TIMER_ALL_ACCESS",
    "TIMER_MODIFY_STATE",
    "TIMER_QUERY_STATE",
    "UNICODE",
    "WAIT_ABANDONED",
    "WAIT_ABANDONED_0",
    "WAIT_FAILED",
    "WAIT_IO_COMPLETION",
    "WAIT_OBJECT_0",
    "WAIT_TIMEOUT",
    "CancelWaitableTimer",
    "CreateEvent",
    "CreateMutex",
    "CreateSemaphore",
    "CreateWaitableTimer",
    "CreateWaitableTimerEx",
    "MsgWaitForMultipleObjects",
    "MsgWaitForMultipleObjectsEx",
    "OpenEvent",
    "OpenMutex",
    "OpenSemaphore",
    "OpenWaitableTimer",
    "PulseEvent",
    "ReleaseMutex",
    "ReleaseSemaphore",
    "ResetEvent",
    "SetEvent",
    "SetWaitableTimer",
    "SignalObjectAndWait",
    "WaitForMultipleObjects",
    "WaitForMultipleObjectsEx",
    "WaitForSingleObject",
    "WaitForSingleObjectEx",
    "error",
]

INFINITE: Final = -1
WAIT_FAILED: Final = -1
UNICODE: Final = 1

# Without what Windows has added later: touches, pointers, raw input.
QS_INPUT: Final = QS_MOUSE | QS_KEY
QS_ALLEVENTS: Final = QS_INPUT | QS_POSTMESSAGE | QS_TIMER | QS_PAINT | QS_HOTKEY
QS_ALLINPUT: Final = QS_ALLEVENTS | QS_SENDMESSAGE

SYNCHRONIZE: Final = 0x100000
EVENT_MODIFY_STATE: Final = 2
EVENT_ALL_ACCESS: Final = 0x1F0003
TIMER_QUERY_STATE: Final = 1
TIMER_MODIFY_STATE: Final = 2
TIMER_ALL_ACCESS: Final = 0x1F0003
CREATE_WAITABLE_TIMER_MANUAL_RESET: Final = 1
CREATE_WAITABLE_TIMER_HIGH_RESOLUTION: Final = 2


# Events


@told()
def CreateEvent(attributes: Any, manual_reset: int, initial_state: int, name: str | None, /) -> PyHANDLE:
    """A handle of a new event, or of the one with that name (the last error is ERROR_ALREADY_EXISTS then)."""
    return PyHANDLE(kernel32.CreateEvent(inherits(attributes), bool(manual_reset), bool(initial_state), name))


@told()
def OpenEvent(access: int, inherit: int, name: str, /) -> PyHANDLE:
    """A handle of the event with that name."""
    return PyHANDLE(kernel32.OpenEvent(dword(access), bool(inherit), name))


@told()
def SetEvent(event: Any, /) -> None:
    """Signal an event."""
    kernel32.SetEvent(handle_of(event))


@told()
def ResetEvent(event: Any, /) -> None:
    """Clear an event."""
    kernel32.ResetEvent(handle_of(event))


@told()
def PulseEvent(event: Any, /) -> None:
    """End the waits for an event that can be ended now, and clear it."""
    kernel32.PulseEvent(handle_of(event))


# Mutexes and semaphores


@told()
def CreateMutex(attributes: Any, initial_owner: int, name: str | None, /) -> PyHANDLE:
    """A handle of a new mutex, or of the one with that name, which then keeps its owner."""
    return PyHANDLE(kernel32.CreateMutex(inherits(attributes), bool(initial_owner), name))


@told()
def OpenMutex(access: int, inherit: int, name: str, /) -> PyHANDLE:
    """A handle of the mutex with that name."""
    return PyHANDLE(kernel32.OpenMutex(dword(access), bool(inherit), name))


@told()
def ReleaseMutex(mutex: Any, /) -> None:
    """Undo one wait of the calling thread."""
    kernel32.ReleaseMutex(handle_of(mutex))


@told()
def CreateSemaphore(attributes: Any, initial_count: int, maximum_count: int, name: str | None, /) -> PyHANDLE:
    """A handle of a new semaphore, or of the one with that name."""
    return PyHANDLE(kernel32.CreateSemaphore(inherits(attributes), initial_count, maximum_count, name))


@told()
def OpenSemaphore(access: int, inherit: int, name: str, /) -> PyHANDLE:
    """A handle of the semaphore with that name."""
    return PyHANDLE(kernel32.OpenSemaphore(dword(access), bool(inherit), name))


@told()
def ReleaseSemaphore(semaphore: Any, count: int, /) -> int:
    """Add to the count: what it was before."""
    return kernel32.ReleaseSemaphore(handle_of(semaphore), count)


# Timers


@told()
def CreateWaitableTimer(attributes: Any, manual_reset: int, name: str | None, /) -> PyHANDLE:
    """A handle of a new timer that is not set, or of the one with that name."""
    return PyHANDLE(kernel32.CreateWaitableTimer(inherits(attributes), bool(manual_reset), name))


@told()
def CreateWaitableTimerEx(attributes: Any, name: str | None, flags: int, access: int, /) -> PyHANDLE:
    """As `CreateWaitableTimer`; every timer has the resolution that there is."""
    if dword(flags) & ~(CREATE_WAITABLE_TIMER_MANUAL_RESET | CREATE_WAITABLE_TIMER_HIGH_RESOLUTION):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    manual_reset = bool(flags & CREATE_WAITABLE_TIMER_MANUAL_RESET)
    return PyHANDLE(kernel32.CreateWaitableTimer(inherits(attributes), manual_reset, name))


@told()
def OpenWaitableTimer(access: int, inherit: int, name: str, /) -> PyHANDLE:
    """A handle of the timer with that name."""
    return PyHANDLE(kernel32.OpenWaitableTimer(dword(access), bool(inherit), name))


@told()
def SetWaitableTimer(timer: Any, due_time: int, period_ms: int, routine: None, argument: None, resume: int, /) -> None:
    """Set a timer.

    Args:
        due_time: in units of 100 ns: from now on when negative, since 1601 otherwise.
        period_ms: 0 for once.
        routine, argument: None; pywin32 has no routines.
    """
    if routine is not None or argument is not None:
        raise TypeError("This param must be None")
    kernel32.SetWaitableTimer(handle_of(timer), due_time, period_ms, None, None, bool(resume))


@told()
def CancelWaitableTimer(timer: Any, /) -> None:
    """End a setting; a signal that has come stays."""
    kernel32.CancelWaitableTimer(handle_of(timer))


# Waiting


def _handles(sequence: Any) -> list[int]:
    if not isinstance(sequence, Sequence):
        raise TypeError("Handles must be a list of integers")
    try:
        return [object_of(one) for one in sequence]
    except TypeError:
        raise TypeError("Handles must be a list of integers") from None


@told()
def WaitForSingleObject(handle: Any, time_ms: int, /) -> int:
    """Wait for an object: WAIT_OBJECT_0, WAIT_ABANDONED or WAIT_TIMEOUT."""
    return kernel32.WaitForSingleObject(object_of(handle), milliseconds(time_ms))


@told()
def WaitForSingleObjectEx(handle: Any, time_ms: int, alertable: int, /) -> int:
    """As `WaitForSingleObject`; alertable, APCs may end it with WAIT_IO_COMPLETION."""
    return kernel32.WaitForSingleObjectEx(object_of(handle), milliseconds(time_ms), bool(alertable))


@told()
def WaitForMultipleObjects(handles: Sequence[Any], wait_all: int, time_ms: int, /) -> int:
    """Wait for one of up to 64 objects (the result says which), or for all of them."""
    return kernel32.WaitForMultipleObjects(_handles(handles), bool(wait_all), milliseconds(time_ms))


@told()
def WaitForMultipleObjectsEx(handles: Sequence[Any], wait_all: int, time_ms: int, alertable: int, /) -> int:
    """As `WaitForMultipleObjects`; alertable, APCs may end it with WAIT_IO_COMPLETION."""
    return kernel32.WaitForMultipleObjectsEx(_handles(handles), bool(wait_all), milliseconds(time_ms), bool(alertable))


@told()
def MsgWaitForMultipleObjects(handles: Sequence[Any], wait_all: int, time_ms: int, wake_mask: int, /) -> int:
    """Wait for objects and messages; a message is WAIT_OBJECT_0 plus the number of objects."""
    return user32.MsgWaitForMultipleObjects(_handles(handles), bool(wait_all), milliseconds(time_ms), dword(wake_mask))


@told()
def MsgWaitForMultipleObjectsEx(handles: Sequence[Any], time_ms: int, wake_mask: int, flags: int, /) -> int:
    """As `MsgWaitForMultipleObjects`, with MWMO_ flags."""
    return user32.MsgWaitForMultipleObjectsEx(_handles(handles), milliseconds(time_ms), dword(wake_mask), dword(flags))


@told()
def SignalObjectAndWait(to_signal: Any, to_wait_on: Any, time_ms: int, alertable: int, /) -> int:
    """Signal one object and wait for another one: what the wait ends with.

    pywin32 itself takes WAIT_OBJECT_0 for a failure here, which no program can mean.
    """
    return kernel32.SignalObjectAndWait(
        handle_of(to_signal), object_of(to_wait_on), milliseconds(time_ms), bool(alertable)
    )
