"""Critical sections.

Part played:     RTL_CRITICAL_SECTION, the lock that a C program keeps in its own memory.
Lives here:      the structure's fields, and which lock stands for which address.
Lives elsewhere: ownership, recursion and sleeping (kernel/mutexes, kernel/objects). Python has locks of its own.
Fields:          counts and owner show what debuggers and curious programs look for; the truth is in the lock.
Uninitialised:   entering one that was never initialised makes its lock, where Windows would crash.
Source:          "Critical Section Objects" on Microsoft Learn.
"""

from __future__ import annotations

import struct
import threading
from typing import Final

from .... import kernel32
from ....kernel.mutexes import Mutex
from ....kernel.objects import TIMED_OUT, wait
from ....kernel.waits import this_waiter
from ....process import current_process
from ... import memory
from ...threads import made_by_c
from ._pointers import out

__all__ = [
    "DeleteCriticalSection",
    "EnterCriticalSection",
    "InitializeCriticalSection",
    "InitializeCriticalSectionAndSpinCount",
    "InitializeCriticalSectionEx",
    "LeaveCriticalSection",
    "TryEnterCriticalSection",
]

_STRUCTURE: Final = struct.Struct("<QiiQQQ")  # DebugInfo, LockCount, RecursionCount, OwningThread, LockSemaphore, Spin
_FREE: Final = _STRUCTURE.pack(0xFFFFFFFFFFFFFFFF, -1, 0, 0, 0, 0)
_RECURSION: Final = 12
_OWNER: Final = 16

_sections: Final[dict[int, Mutex]] = {}
_making: Final = threading.Lock()


def section_at(address: int) -> Mutex:
    """The lock that stands for a critical section."""
    found = _sections.get(out(address))
    if found is None:
        with _making:
            found = _sections.setdefault(address, Mutex())
    return found


def entered(address: int) -> None:
    """The calling thread owns it, once more."""
    memory.store_32(address + _RECURSION, memory.load_i32(address + _RECURSION) + 1)
    memory.store_u64(address + _OWNER, kernel32.GetCurrentThreadId())


def InitializeCriticalSection(lpCriticalSection: int) -> None:
    memory.write(out(lpCriticalSection), _FREE)
    _sections[lpCriticalSection] = Mutex()


def InitializeCriticalSectionAndSpinCount(lpCriticalSection: int, dwSpinCount: int) -> int:
    InitializeCriticalSection(lpCriticalSection)
    return 1


def InitializeCriticalSectionEx(lpCriticalSection: int, dwSpinCount: int, Flags: int) -> int:
    InitializeCriticalSection(lpCriticalSection)
    return 1


def TryEnterCriticalSection(lpCriticalSection: int) -> int:
    made_by_c()
    if wait((section_at(lpCriticalSection),), False, 0, False, current_process()) == TIMED_OUT:
        return 0
    entered(lpCriticalSection)
    return 1


def EnterCriticalSection(lpCriticalSection: int) -> None:
    made_by_c()  # ownership is the thread's
    wait((section_at(lpCriticalSection),), False, None, False, current_process())
    entered(lpCriticalSection)


def LeaveCriticalSection(lpCriticalSection: int) -> None:
    made_by_c()
    section = section_at(lpCriticalSection)
    waiter = this_waiter()
    if section.owner is not waiter:
        return  # an error of the program, which the structure has no way to tell
    depth = memory.load_i32(lpCriticalSection + _RECURSION) - 1
    memory.store_32(lpCriticalSection + _RECURSION, depth)
    if not depth:
        memory.store_u64(lpCriticalSection + _OWNER, 0)
    section.release(waiter)


def DeleteCriticalSection(lpCriticalSection: int) -> None:
    _sections.pop(out(lpCriticalSection), None)
    memory.write(lpCriticalSection, bytes(_STRUCTURE.size))
