"""Completion ports.

Part played:     ioapiset.h, as far as it is here.
Lives elsewhere: the behaviour (kernel32.ports).
"""

from __future__ import annotations

import struct
from typing import Any, Final

from .... import kernel32
from ....errors import WinsockError
from ... import memory
from ...threads import made_by_c
from ._pointers import out

__all__ = [
    "CreateIoCompletionPort",
    "GetQueuedCompletionStatus",
    "GetQueuedCompletionStatusEx",
    "PostQueuedCompletionStatus",
]

_ENTRY: Final = struct.Struct("<QQQI4x")  # OVERLAPPED_ENTRY


def CreateIoCompletionPort(
    FileHandle: int, ExistingCompletionPort: int, CompletionKey: int, NumberOfConcurrentThreads: int
) -> int:
    return kernel32.CreateIoCompletionPort(FileHandle, ExistingCompletionPort, CompletionKey, NumberOfConcurrentThreads)


def PostQueuedCompletionStatus(
    CompletionPort: int, dwNumberOfBytesTransferred: int, dwCompletionKey: int, lpOverlapped: int
) -> int:
    kernel32.PostQueuedCompletionStatus(CompletionPort, dwNumberOfBytesTransferred, dwCompletionKey, lpOverlapped)
    return 1


def GetQueuedCompletionStatus(
    CompletionPort: int, lpNumberOfBytesTransferred: int, lpCompletionKey: int, lpOverlapped: int, dwMilliseconds: int
) -> int:
    made_by_c()
    for pointer in (lpNumberOfBytesTransferred, lpCompletionKey, lpOverlapped):
        out(pointer)
    try:
        packet = kernel32.GetQueuedCompletionStatus(CompletionPort, dwMilliseconds)
    except WinsockError as failure:
        if failure.packet is None:
            memory.store_u64(lpOverlapped, 0)
        else:
            _store_packet(lpNumberOfBytesTransferred, lpCompletionKey, lpOverlapped, failure.packet)
        raise
    _store_packet(lpNumberOfBytesTransferred, lpCompletionKey, lpOverlapped, packet)
    return 1


def _store_packet(transferred: int, key: int, overlapped: int, packet: tuple[int, int, Any]) -> None:
    memory.store_32(transferred, packet[0])
    memory.store_u64(key, packet[1])
    memory.store_u64(overlapped, packet[2])


def GetQueuedCompletionStatusEx(
    CompletionPort: int,
    lpCompletionPortEntries: int,
    ulCount: int,
    ulNumEntriesRemoved: int,
    dwMilliseconds: int,
    fAlertable: int,
) -> int:
    made_by_c()
    for pointer in (lpCompletionPortEntries, ulNumEntriesRemoved):
        out(pointer)
    try:
        found = kernel32.GetQueuedCompletionStatusEx(CompletionPort, ulCount, dwMilliseconds, bool(fAlertable))
    except WinsockError:
        memory.store_32(ulNumEntriesRemoved, 1)  # what Windows leaves there when it has removed none
        raise
    entries = b"".join([_ENTRY.pack(key, overlapped, status, moved) for key, overlapped, status, moved in found])
    memory.write(lpCompletionPortEntries, entries)
    memory.store_32(ulNumEntriesRemoved, len(found))
    return 1
