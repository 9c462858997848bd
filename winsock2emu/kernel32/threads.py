"""Threads of the emulated process: making them, ending them, handles of them.

Part played:     the thread functions of processthreadsapi.h.
Lives elsewhere: the object (kernel/threads), QueueUserAPC (waiting).
Process:         a new thread runs in the context of the one that made it, the current emulated process included. The
                 interpreter does not wait for it at its end, as Windows does not.
Not here:        TerminateThread and SuspendThread: no thread of Python can be stopped by another one.
"""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable
from typing import Any

from ..defs.codes import ERROR_NOT_ENOUGH_MEMORY
from ..errors import WinsockError, exported
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
