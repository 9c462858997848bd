"""Waiting for kernel objects.

Part played:     the wait functions of synchapi.h.
Lives here:      handles to objects, times, the limits of a group.
Lives elsewhere: waiting itself and APCs (kernel/objects).
Last error:      neither a satisfied wait nor a time-out changes it.
Sources:         "Wait Functions", "Asynchronous Procedure Calls" and the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from ..defs.codes import ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOACCESS
from ..defs.constants import INFINITE, MAXIMUM_WAIT_OBJECTS
from ..defs.winbase import ERROR_GEN_FAILURE
from ..errors import WinsockError, exported
from ..kernel.objects import IO_COMPLETION, Waitable, wait
from ..kernel.threads import Thread
from ..kernel.waits import this_waiter
from ..process import Process, current_process
from .handles import CURRENT_THREAD, object_of, typed

_NOTHING: Final[tuple[Waitable, ...]] = ()


def wait_for_several(
    process: Process, handles: Sequence[int] | None, wait_all: bool, milliseconds: int, alertable: bool
) -> int:
    """WaitForMultipleObjectsEx and WSAWaitForMultipleEvents, which differ in the names of the codes only."""
    if handles is None:
        raise WinsockError(ERROR_NOACCESS)
    timeout_s = None if milliseconds == INFINITE else milliseconds / 1000
    # Programs wait for the same objects again and again, so a list is checked once.
    known = process.checked.waited
    changes = process.handles.changes
    if known is not None and known[0] == changes and known[1] == handles:
        objects = known[2]
    elif len(handles) == 1:
        return wait((_member(process, handles[0]),), False, timeout_s, alertable, process)
    elif 0 < len(handles) <= MAXIMUM_WAIT_OBJECTS:
        objects = tuple([_member(process, handle) for handle in handles])
        process.checked.waited = changes, list(handles), objects
    else:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if wait_all and len(set(objects)) != len(objects):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    return wait(objects, wait_all, timeout_s, alertable, process)


def _member(process: Process, handle: int) -> Waitable:
    """The object of a handle in an array, where pseudo handles mean nothing (observed)."""
    if handle >= CURRENT_THREAD:
        raise WinsockError(ERROR_INVALID_HANDLE)
    return object_of(process, handle)


def _wait_for_one(handle: int, milliseconds: int, alertable: bool) -> int:
    process = current_process()
    thing = process.objects.get(handle)
    if not isinstance(thing, Waitable):
        thing = object_of(process, handle)
    timeout_s = None if milliseconds == INFINITE else milliseconds / 1000
    return wait((thing,), False, timeout_s, alertable, process)


@exported
def WaitForSingleObject(handle: int, milliseconds: int) -> int:
    """Wait until an object is signalled.

    Args:
        milliseconds: INFINITE for no limit, 0 to look only.

    Returns:
        WAIT_OBJECT_0; WAIT_ABANDONED_0, a mutex whose owner has ended; WAIT_TIMEOUT.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; WSAEOPNOTSUPP, a socket.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobject
    """
    return _wait_for_one(handle, milliseconds, False)


@exported
def WaitForSingleObjectEx(handle: int, milliseconds: int, alertable: bool) -> int:
    """As WaitForSingleObject; alertable, APCs may end it with WAIT_IO_COMPLETION.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobjectex
    """
    return _wait_for_one(handle, milliseconds, bool(alertable))


@exported
def WaitForMultipleObjects(handles: Sequence[int] | None, wait_all: bool, milliseconds: int) -> int:
    """Wait until one of up to 64 objects is signalled, or all of them are at one time.

    Returns:
        WAIT_OBJECT_0 plus the lowest index that is signalled; WAIT_ABANDONED_0 plus the index of an abandoned mutex;
        WAIT_TIMEOUT.

    Raises:
        WinsockError: ERROR_INVALID_PARAMETER, no handle or more than 64, or one object twice in a wait for all;
            ERROR_INVALID_HANDLE; ERROR_NOACCESS, no array; WSAEOPNOTSUPP, a socket.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjects
    """
    return wait_for_several(current_process(), handles, wait_all, milliseconds, False)


@exported
def WaitForMultipleObjectsEx(handles: Sequence[int] | None, wait_all: bool, milliseconds: int, alertable: bool) -> int:
    """As WaitForMultipleObjects; alertable, APCs may end it with WAIT_IO_COMPLETION, and no object changes then.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjectsex
    """
    return wait_for_several(current_process(), handles, wait_all, milliseconds, bool(alertable))


@exported
def SignalObjectAndWait(to_signal: int, to_wait_on: int, milliseconds: int, alertable: bool = False) -> int:
    """Set an event, release a mutex or count a semaphore up, and wait for another object (or the same).

    Two steps, as the page allows: another thread may see the first object signalled before the wait begins.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_NOT_OWNER; ERROR_TOO_MANY_POSTS.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-signalobjectandwait
    """
    process = current_process()
    first, second = object_of(process, to_signal), object_of(process, to_wait_on)
    code = first.signal(this_waiter())
    if code:
        raise WinsockError(code)
    timeout_s = None if milliseconds == INFINITE else milliseconds / 1000
    return wait((second,), False, timeout_s, bool(alertable), process)


@exported
def SleepEx(milliseconds: int, alertable: bool) -> int:
    """Wait for the end of a time, or until APCs have run when alertable.

    Returns:
        0 at the end of the time, WAIT_IO_COMPLETION after APCs.

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleepex
    """
    timeout_s = None if milliseconds == INFINITE else milliseconds / 1000
    if timeout_s == 0 and not alertable:
        time.sleep(0)
        return 0
    status = wait(_NOTHING, False, timeout_s, bool(alertable), current_process())
    return status if status == IO_COMPLETION else 0


@exported
def QueueUserAPC(routine: Callable[[Any], Any], thread: int, data: Any) -> None:
    """Have a thread call ``routine(data)`` in its next alertable wait; a thread that has not begun calls it first.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE, no thread; ERROR_GEN_FAILURE, one that has ended (observed).

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-queueuserapc
    """
    if not typed(current_process(), thread, Thread).queue_apc(routine, data):
        raise WinsockError(ERROR_GEN_FAILURE)
