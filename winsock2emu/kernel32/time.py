"""Ticks and sleeping."""

from __future__ import annotations

import time

from ..errors import exported

INFINITE = 0xFFFFFFFF


@exported
def Sleep(milliseconds: int) -> None:
    """Suspend the calling thread; 0 gives up its time slice, INFINITE sleeps for ever (an exception still ends it).

    Source: https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-sleep
    """
    if milliseconds != INFINITE:
        time.sleep(milliseconds / 1000)
        return
    while True:
        time.sleep(3600)


@exported
def GetTickCount64() -> int:
    """Milliseconds on a clock that never goes back; on Windows it starts with the system.

    Source: https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-gettickcount64
    """
    return time.monotonic_ns() // 1_000_000


@exported
def GetTickCount() -> int:
    """The low 32 bits of `GetTickCount64`; they wrap after 49.7 days.

    Source: https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-gettickcount
    """
    return time.monotonic_ns() // 1_000_000 & 0xFFFFFFFF
