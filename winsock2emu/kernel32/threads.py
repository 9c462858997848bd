"""Threads of the emulated process: making them, ending them, handles of them.

Part played:     the thread functions of processthreadsapi.h.
Lives elsewhere: the object (kernel/threads), QueueUserAPC (waiting).
Process:         a new thread runs in the context of the one that made it, the current emulated process included. The
                 interpreter does not wait for it at its end, as Windows does not.
Termination:     TerminateThread raises `ThreadExit` in the other thread. It strikes as soon as Python code runs there:
                 a wait of the emulator ends at once, a call of the host that blocks ends first.
Not here:        SuspendThread: no thread of Python can be stopped by another one.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable
from typing import Any

from ..defs.codes import ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, ERROR_NOT_ENOUGH_MEMORY
from ..defs.winbase import TLS_MAXIMUM
from ..errors import WinsockError, exported, set_last_error
from ..kernel.threads import Thread, ThreadExit, this_thread
from ..process import current_process
from .handles import CURRENT_PROCESS, CURRENT_THREAD, typed

CREATE_SUSPENDED = 4


@exported
def GetCurrentProcess() -> int:
    """The pseudo handle of the process.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocess
    """
    return CURRENT_PROCESS


@exported
def GetCurrentThread() -> int:
    """The pseudo handle of whichever thread uses it; DuplicateHandle makes a handle of it for others.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthread
    """
    return CURRENT_THREAD


@exported
def CreateThread(
    inherit: bool | None, stack_size: int, start: Callable[[Any], Any], parameter: Any, flags: int = 0
) -> tuple[int, int]:
    """Run ``start(parameter)`` in a new thread; its result is the thread's exit code (None: 0).

    Args:
        stack_size: Python decides.
        flags: CREATE_SUSPENDED: it begins after ResumeThread.

    Returns:
        A handle and the identifier.

    Raises:
        WinsockError: ERROR_NOT_ENOUGH_MEMORY, the host has no thread left.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createthread
    """
    thread = Thread()
    context = contextvars.copy_context()
    try:
        thread.start(lambda data: context.run(start, data), parameter, suspended=bool(flags & CREATE_SUSPENDED))
    except RuntimeError as failure:
        raise WinsockError(ERROR_NOT_ENOUGH_MEMORY) from failure
    return current_process().open_handle(thread, inherit=bool(inherit)), thread.identifier


@exported
def ResumeThread(thread: int) -> int:
    """Undo a suspension; returns how many there were. ERROR_INVALID_HANDLE when it is no thread.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-resumethread
    """
    return typed(current_process(), thread, Thread).resume()


@exported
def ExitThread(exit_code: int) -> None:
    """End the calling thread: `ThreadExit` unwinds it.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-exitthread
    """
    this_thread().requested = exit_code
    raise ThreadExit(exit_code)


@exported
def GetExitCodeThread(thread: int) -> int:
    """The exit code of a thread, STILL_ACTIVE (259) before its end; ERROR_INVALID_HANDLE when it is none.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getexitcodethread
    """
    return typed(current_process(), thread, Thread).exit_code


@exported
def GetThreadId(thread: int) -> int:
    """The identifier of a thread, as GetCurrentThreadId tells it there; ERROR_INVALID_HANDLE when it is none.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadid
    """
    return typed(current_process(), thread, Thread).identifier


@exported
def SwitchToThread() -> bool:
    """Let another thread run; whether one did is not known, and said to be so.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-switchtothread
    """
    os.sched_yield()
    return True


@exported
def TerminateThread(thread: int, exit_code: int) -> None:
    """Have a thread end as soon as possible; its handle is signalled when it has.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_ACCESS_DENIED, it has ended, or is the interpreter's main thread,
            which cannot end alone.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminatethread
    """
    found = typed(current_process(), thread, Thread)
    if found is this_thread():
        found.requested = exit_code
        raise ThreadExit(exit_code)
    if not found.terminate(exit_code):
        raise WinsockError(ERROR_ACCESS_DENIED)


@exported
def TlsAlloc() -> int:
    """A slot in which every thread has a value of its own, None at first.

    Raises:
        WinsockError: ERROR_NOT_ENOUGH_MEMORY, all 1088 are in use.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsalloc
    """
    slot = current_process().slots.allocate()
    if slot is None:
        raise WinsockError(ERROR_NOT_ENOUGH_MEMORY)
    return slot


@exported
def TlsFree(slot: int) -> None:
    """Give a slot back; what the values are is the program's affair. ERROR_INVALID_PARAMETER when it is not in use.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsfree
    """
    if not current_process().slots.free(slot):
        raise WinsockError(ERROR_INVALID_PARAMETER)


@exported
def TlsGetValue(slot: int) -> Any:
    """The calling thread's value; the last error is 0 then. ERROR_INVALID_PARAMETER for a number that no slot can have.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlsgetvalue
    """
    if not 0 <= slot < TLS_MAXIMUM:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    value = current_process().slots.get(slot)
    set_last_error(0)
    return value


@exported
def TlsSetValue(slot: int, value: Any) -> None:
    """Set the calling thread's value. ERROR_INVALID_PARAMETER for a number that no slot can have.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-tlssetvalue
    """
    if not 0 <= slot < TLS_MAXIMUM:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    current_process().slots.set(slot, value)
