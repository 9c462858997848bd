"""The process's thread pool: work items, registered waits, files whose completions call a function.

Part played:     threadpoollegacyapiset.h.
Lives elsewhere: the threads (kernel/pool), completion ports that programs wait at (ports).
Sources:         "Thread Pooling" and the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..defs.codes import (
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_IO_PENDING,
    ERROR_MR_MID_NOT_FOUND,
    ERROR_NOT_ENOUGH_MEMORY,
    STATUS_SUCCESS,
    STATUS_TO_WIN32,
)
from ..defs.constants import INFINITE, WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE
from ..errors import WinsockError, exported
from ..kernel.events import Event
from ..kernel.pool import CallbackPort, RegisteredWait
from ..process import current_process
from .handles import file_of, number_of, object_of, typed
from .ports import INVALID_HANDLE_VALUE


@exported
def QueueUserWorkItem(function: Callable[[Any], Any], context: Any, flags: int = 0) -> None:
    """Have a thread of the pool call ``function(context)``.

    Args:
        flags: WT_ flags; every thread of the pool suits all of them.

    Raises:
        WinsockError: ERROR_NOT_ENOUGH_MEMORY, the host has no thread left.

    Source: https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-queueuserworkitem
    """
    try:
        current_process().pool.submit(lambda: function(context))
    except RuntimeError as failure:
        raise WinsockError(ERROR_NOT_ENOUGH_MEMORY) from failure


@exported
def RegisterWaitForSingleObject(
    thing: int, callback: Callable[[Any, bool], Any], context: Any, milliseconds: int, flags: int = 0
) -> int:
    """Have ``callback(context, timed_out)`` called each time an object is signalled or the time runs out.

    Args:
        thing: a handle.
        milliseconds: INFINITE for no limit; it begins anew with every wait.
        flags: WT_EXECUTEONLYONCE, one call is all; WT_EXECUTEINWAITTHREAD, the wait thread makes it, otherwise a
            worker. Other WT_ flags choose between workers that are alike here.

    Returns:
        What UnregisterWait takes, once, also after a single call; CloseHandle does not.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_NOT_ENOUGH_MEMORY, the host has no thread left.

    Source: https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject
    """
    process = current_process()
    found = object_of(process, thing)
    registration = RegisteredWait(
        found,
        lambda timed_out: callback(context, timed_out),
        None if milliseconds == INFINITE else milliseconds / 1000,
        once=bool(flags & WT_EXECUTEONLYONCE),
        inline=bool(flags & WT_EXECUTEINWAITTHREAD),
    )
    handle = process.handles.allocate(registration)
    try:
        process.pool.register(registration)
    except RuntimeError as failure:
        process.handles.remove(handle)
        raise WinsockError(ERROR_NOT_ENOUGH_MEMORY) from failure
    return handle


@exported
def UnregisterWait(wait: int) -> None:
    """End a registered wait.

    Raises:
        WinsockError: ERROR_IO_PENDING, it has ended, and its callback still runs; ERROR_INVALID_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-unregisterwait
    """
    _unregister(wait, None)


@exported
def UnregisterWaitEx(wait: int, completion_event: int | None) -> None:
    """End a registered wait and be told when no callback of it runs any more.

    Args:
        completion_event: an event that is set then; INVALID_HANDLE_VALUE returns only then; None: nothing is told.

    Raises:
        WinsockError: ERROR_IO_PENDING, it has ended, and its callback still runs; ERROR_INVALID_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex
    """
    _unregister(wait, completion_event)


def _unregister(wait: int, completion_event: int | None) -> None:
    process = current_process()
    registration = process.objects.get(number_of(wait or 0))
    if not isinstance(registration, RegisteredWait):
        raise WinsockError(ERROR_INVALID_HANDLE)
    block = completion_event is not None and completion_event & INVALID_HANDLE_VALUE == INVALID_HANDLE_VALUE
    done = typed(process, completion_event, Event) if completion_event and not block else None
    process.handles.remove(number_of(wait))
    if registration.cancel(done, block):
        raise WinsockError(ERROR_IO_PENDING)


@exported
def BindIoCompletionCallback(file: int, function: Callable[[int, int, Any], Any] | None, flags: int = 0) -> None:
    """Have the pool call ``function(error, moved, overlapped)`` for each request on a file or socket that completes.

    Args:
        flags: reserved, 0.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_PARAMETER, no function, a file that was not opened for
            overlapped I/O, or one that has a function or a port already.

    Source: https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-bindiocompletioncallback
    """
    process = current_process()
    bound = file_of(process, file)
    if function is None:
        raise WinsockError(ERROR_INVALID_PARAMETER)

    def call(status: int, moved: int, overlapped: Any) -> None:
        error = 0 if status == STATUS_SUCCESS else STATUS_TO_WIN32.get(status, ERROR_MR_MID_NOT_FOUND)
        function(error, moved, overlapped)

    bound.associate(CallbackPort(process.pool, call), 0)
