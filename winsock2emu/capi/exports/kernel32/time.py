"""Ticks and sleeping.

Part played:     sysinfoapi.h, synchapi.h, as far as it is here.
Lives elsewhere: the behaviour (kernel32.time).
"""

from __future__ import annotations

from .... import kernel32

__all__ = [
    "GetTickCount",
    "GetTickCount64",
    "Sleep",
]


def Sleep(dwMilliseconds: int) -> None:
    kernel32.Sleep(dwMilliseconds)


def GetTickCount() -> int:
    return kernel32.GetTickCount()


def GetTickCount64() -> int:
    return kernel32.GetTickCount64()
