"""Events, mutexes, semaphores and waitable timers under the names of kernel32.

Part played:     the objects of synchapi.h.
Lives here:      their handles and names.
Lives elsewhere: what they do (kernel), waiting (waiting), WSACreateEvent (ws2_32.events).
Names:           within the emulated process, case-sensitive, common to all kinds. Whoever creates an object that is
                 there already opens it, and the last error says so; a new object stores 0 there.
Sources:         synchapi.h on Microsoft Learn.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from ..defs.codes import (
    ERROR_ALREADY_EXISTS,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_OWNER,
    ERROR_TOO_MANY_POSTS,
)
from ..errors import WinsockError, exported, set_last_error
from ..kernel.events import Event
from ..kernel.mutexes import Mutex
from ..kernel.objects import Waitable
from ..kernel.semaphores import Semaphore
from ..kernel.timers import Timer
from ..kernel.waits import this_waiter
from ..process import current_process
from .handles import typed

_UNITS_PER_S: Final = 10_000_000  # of 100 ns
_1601_TO_1970_S: Final = 11_644_473_600


def _create(name: str | None, kind: type[Waitable], make: Callable[[], Waitable], inherit: bool | None) -> int:
    handle, known = current_process().open_named(name, kind, make, inherit=bool(inherit))
    set_last_error(ERROR_ALREADY_EXISTS if known else 0)
    return handle


def _open(name: str | None, kind: type[Waitable], inherit: bool) -> int:
    process = current_process()
    if not name:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    thing = process.named.get(name)
    if thing is None:
        raise WinsockError(ERROR_FILE_NOT_FOUND)
    if type(thing) is not kind:
        raise WinsockError(ERROR_INVALID_HANDLE)
    return process.open_handle(thing, inherit=bool(inherit))


@exported
def CreateEvent(inherit: bool | None, manual_reset: bool, initial_state: bool, name: str | None = None) -> int:
    """A handle of a new event, or of the one with that name.

    Args:
        inherit: bInheritHandle of the security attributes; None without any.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE, something else has the name.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createeventw
    """

    def make() -> Event:
        return Event(manual_reset=bool(manual_reset), signalled=bool(initial_state))

    return _create(name, Event, make, inherit)


@exported
def OpenEvent(access: int, inherit: bool, name: str) -> int:
    """A handle of the event with that name. Every handle has all rights here.

    Raises:
        WinsockError: ERROR_FILE_NOT_FOUND; ERROR_INVALID_HANDLE, something else has the name; ERROR_INVALID_PARAMETER,
            no name.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openeventw
    """
    return _open(name, Event, inherit)


@exported
def SetEvent(event: int) -> None:
    """Signal an event; ERROR_INVALID_HANDLE when it is none.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setevent
    """
    typed(current_process(), event, Event).set()


@exported
def ResetEvent(event: int) -> None:
    """Clear an event; ERROR_INVALID_HANDLE when it is none.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-resetevent
    """
    typed(current_process(), event, Event).reset()


@exported
def PulseEvent(event: int) -> None:
    """End the waits that can be ended now (one, of an auto-reset event) and clear it; ERROR_INVALID_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-pulseevent
    """
    typed(current_process(), event, Event).pulse()


@exported
def CreateMutex(inherit: bool | None, initial_owner: bool, name: str | None = None) -> int:
    """A handle of a new mutex, or of the one with that name, which then keeps its owner.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE, something else has the name.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexw
    """
    return _create(name, Mutex, lambda: Mutex(this_waiter() if initial_owner else None), inherit)


@exported
def OpenMutex(access: int, inherit: bool, name: str) -> int:
    """A handle of the mutex with that name. Every handle has all rights here.

    Raises:
        WinsockError: as from `OpenEvent`.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openmutexw
    """
    return _open(name, Mutex, inherit)


@exported
def ReleaseMutex(mutex: int) -> None:
    """Undo one wait of the calling thread.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_NOT_OWNER.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasemutex
    """
    if not typed(current_process(), mutex, Mutex).release(this_waiter()):
        raise WinsockError(ERROR_NOT_OWNER)


@exported
def CreateSemaphore(inherit: bool | None, initial_count: int, maximum_count: int, name: str | None = None) -> int:
    """A handle of a new semaphore, or of the one with that name.

    Raises:
        WinsockError: ERROR_INVALID_PARAMETER, not 0 <= initial <= maximum with a maximum above 0;
            ERROR_INVALID_HANDLE, something else has the name.

    Source: https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createsemaphorew
    """
    if not 0 <= initial_count <= maximum_count or not maximum_count:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    return _create(name, Semaphore, lambda: Semaphore(initial_count, maximum_count), inherit)


@exported
def OpenSemaphore(access: int, inherit: bool, name: str) -> int:
    """A handle of the semaphore with that name. Every handle has all rights here.

    Raises:
        WinsockError: as from `OpenEvent`.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-opensemaphorew
    """
    return _open(name, Semaphore, inherit)


@exported
def ReleaseSemaphore(semaphore: int, release_count: int) -> int:
    """Add to the count; returns what it was before.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_PARAMETER, a count below 1; ERROR_TOO_MANY_POSTS, more than
            the maximum.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesemaphore
    """
    thing = typed(current_process(), semaphore, Semaphore)
    if release_count < 1:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    before = thing.release(release_count)
    if before is None:
        raise WinsockError(ERROR_TOO_MANY_POSTS)
    return before


@exported
def CreateWaitableTimer(inherit: bool | None, manual_reset: bool, name: str | None = None) -> int:
    """A handle of a new timer that is not set, or of the one with that name.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE, something else has the name.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createwaitabletimerw
    """
    return _create(name, Timer, lambda: Timer(manual_reset=bool(manual_reset)), inherit)


@exported
def OpenWaitableTimer(access: int, inherit: bool, name: str) -> int:
    """A handle of the timer with that name. Every handle has all rights here.

    Raises:
        WinsockError: as from `OpenEvent`.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openwaitabletimerw
    """
    return _open(name, Timer, inherit)


@exported
def SetWaitableTimer(
    timer: int,
    due_time: int,
    period_ms: int = 0,
    routine: Callable[[Any, int, int], None] | None = None,
    argument: Any = None,
    resume: bool = False,
) -> None:
    """Set a timer; an earlier setting and its signal end.

    Args:
        due_time: in units of 100 ns: from now on when negative, since 1601-01-01 UTC otherwise.
        period_ms: 0 for once.
        routine: called with the argument and the two halves of the due time, as an APC of the calling thread.
        resume: wake the machine; it is awake.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_PARAMETER, a negative period.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setwaitabletimer
    """
    process = current_process()
    thing = typed(process, timer, Timer)
    if period_ms < 0:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    at_s = due_time / _UNITS_PER_S
    left_s = -at_s if due_time < 0 else at_s - _1601_TO_1970_S - time.time()
    apc = None
    if routine is not None:

        def call() -> None:
            now = time.time_ns() // 100 + _1601_TO_1970_S * _UNITS_PER_S
            routine(argument, now & 0xFFFFFFFF, now >> 32)

        apc = this_waiter(), call, ()
    process.timers.set(thing, time.monotonic() + left_s, period_ms / 1000, apc)


@exported
def CancelWaitableTimer(timer: int) -> None:
    """End a setting; a signal that has come stays. ERROR_INVALID_HANDLE when it is no timer.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-cancelwaitabletimer
    """
    process = current_process()
    process.timers.cancel(typed(process, timer, Timer))
