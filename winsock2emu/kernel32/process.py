"""Who runs: process and thread identifiers, and what a handle of the process tells.

Other processes: a process of the host can be seen and not opened: what could be done to it here would reach beyond the
                 emulated machine.
"""

from __future__ import annotations

import os
import threading

from ..defs.codes import ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER
from ..defs.winbase import STILL_ACTIVE
from ..errors import WinsockError, exported
from ..kernel.processes import process_exists
from ..kernel.threads import CurrentProcess
from ..process import current_process
from .handles import CURRENT_PROCESS, object_of, typed


@exported
def GetCurrentProcessId() -> int:
    """The host's process identifier.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocessid
    """
    return os.getpid()


@exported
def GetCurrentThreadId() -> int:
    """The host's thread identifier, unique among running threads; 32 bits, as on Windows.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthreadid
    """
    return threading.get_native_id() & 0xFFFFFFFF


@exported
def GetProcessId(process: int) -> int:
    """The identifier of the process that a handle leads to; ERROR_INVALID_HANDLE when it is none.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessid
    """
    typed(current_process(), process, CurrentProcess)
    return os.getpid()


@exported
def GetExitCodeProcess(process: int) -> int:
    """STILL_ACTIVE (259) for the process itself, the only one that can be opened; ERROR_INVALID_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getexitcodeprocess
    """
    typed(current_process(), process, CurrentProcess)
    return STILL_ACTIVE


@exported
def OpenProcess(access: int, inherit: bool, process_id: int) -> int:
    """A handle of the calling process by its identifier. Every handle has all rights here.

    Raises:
        WinsockError: ERROR_ACCESS_DENIED, another process; ERROR_INVALID_PARAMETER, there is none.

    Source: https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess
    """
    process = current_process()
    if process_id != os.getpid():
        raise WinsockError(ERROR_ACCESS_DENIED if process_exists(process_id) else ERROR_INVALID_PARAMETER)
    return process.open_handle(object_of(process, CURRENT_PROCESS), inherit=bool(inherit))
