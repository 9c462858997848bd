"""The machine's names and clocks.

Part played:     sysinfoapi.h and profileapi.h.
Lives elsewhere: the behaviour (kernel32.system).
"""

from __future__ import annotations

from .... import kernel32
from ....defs.codes import ERROR_BUFFER_OVERFLOW, ERROR_INVALID_PARAMETER, ERROR_MORE_DATA
from ....defs.winbase import ComputerNameNetBIOS
from ....errors import WinsockError
from ... import memory
from ._pointers import out, store_text

__all__ = [
    "GetComputerNameA",
    "GetComputerNameExA",
    "GetComputerNameExW",
    "GetComputerNameW",
    "GetSystemTimeAsFileTime",
    "QueryPerformanceCounter",
    "QueryPerformanceFrequency",
]


def GetComputerNameExA(NameType: int, lpBuffer: int, nSize: int) -> int:
    return _computer_name(NameType, lpBuffer, nSize, wide=False)


def GetComputerNameExW(NameType: int, lpBuffer: int, nSize: int) -> int:
    return _computer_name(NameType, lpBuffer, nSize, wide=True)


def GetComputerNameA(lpBuffer: int, nSize: int) -> int:
    return _computer_name(ComputerNameNetBIOS, lpBuffer, nSize, ERROR_BUFFER_OVERFLOW, wide=False)


def GetComputerNameW(lpBuffer: int, nSize: int) -> int:
    return _computer_name(ComputerNameNetBIOS, lpBuffer, nSize, ERROR_BUFFER_OVERFLOW, wide=True)


def _computer_name(kind: int, buffer: int, size: int, too_small: int = ERROR_MORE_DATA, *, wide: bool) -> int:
    if size < memory.LOWEST:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    room = memory.load_u32(size)
    if room and buffer < memory.LOWEST:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    count = store_text(kernel32.GetComputerNameEx(kind), buffer, room, wide=wide)
    memory.store_32(size, count)
    if count >= room:
        raise WinsockError(too_small)
    return 1


def GetSystemTimeAsFileTime(lpSystemTimeAsFileTime: int) -> None:
    memory.store_u64(out(lpSystemTimeAsFileTime), kernel32.GetSystemTimeAsFileTime())


def QueryPerformanceCounter(lpPerformanceCount: int) -> int:
    memory.store_u64(out(lpPerformanceCount), kernel32.QueryPerformanceCounter())
    return 1


def QueryPerformanceFrequency(lpFrequency: int) -> int:
    memory.store_u64(out(lpFrequency), kernel32.QueryPerformanceFrequency())
    return 1
