"""Socket state notifications.

Part played:     ProcessSocketNotifications of ws2_32.dll.
Lives elsewhere: the behaviour (ws2_32.notifications).
SOCK_NOTIFY_REGISTRATION: socket 8, key 8, filter 2, operation 1, triggers 1, result 4.
"""

from __future__ import annotations

import struct
from typing import Final

from ... import ws2_32
from ...defs.codes import ERROR_INVALID_PARAMETER, WSAEFAULT
from ...errors import WinsockError
from ...process import current_process
from .. import memory
from ..threads import made_by_c

__all__ = ["ProcessSocketNotifications"]

_REGISTRATION: Final = struct.Struct("<QQHBBI")
_RESULT: Final = 20
_ENTRY: Final = struct.Struct("<QQQI4x")


def ProcessSocketNotifications(
    completionPort: int,
    registrationCount: int,
    registrationInfos: int,
    timeoutMs: int,
    completionCount: int,
    completionPortEntries: int,
    receivedEntryCount: int,
) -> int:
    made_by_c()
    current_process().check_started()
    if bool(registrationCount) != bool(registrationInfos):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if not completionCount and (completionPortEntries or receivedEntryCount):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    array = memory.read(registrationInfos, registrationCount * _REGISTRATION.size)
    if array is None or (completionCount and min(completionPortEntries, receivedEntryCount) < memory.LOWEST):
        raise WinsockError(WSAEFAULT)
    registrations = [ws2_32.SOCK_NOTIFY_REGISTRATION(*row) for row in _REGISTRATION.iter_unpack(array)]
    try:
        found = ws2_32.ProcessSocketNotifications(completionPort, registrations, timeoutMs, completionCount)
    finally:
        at = registrationInfos + _RESULT
        for one in registrations:
            memory.store_32(at, one.result)
            at += _REGISTRATION.size
        if completionCount:
            memory.store_32(receivedEntryCount, 0)
    if completionCount:
        memory.write(completionPortEntries, b"".join([_ENTRY.pack(*packet) for packet in found]))
        memory.store_32(receivedEntryCount, len(found))
    return 0
