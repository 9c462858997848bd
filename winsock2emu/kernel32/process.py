"""Who runs: process and thread identifiers."""

from __future__ import annotations

import os
import threading

from ..errors import exported


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
