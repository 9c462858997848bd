"""Event objects of Winsock.

Part played:     the WSA...Event functions with their arrays of handles.
Lives elsewhere: the functions (ws2_32.events), the functions of kernel32 (capi.exports.kernel32).
Sources:         the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

from ... import ws2_32
from ..threads import made_by_c
from .kernel32.waiting import handles_at

__all__ = ["WSACloseEvent", "WSACreateEvent", "WSAResetEvent", "WSASetEvent", "WSAWaitForMultipleEvents"]


def WSACreateEvent() -> int:
    return ws2_32.WSACreateEvent()


def WSACloseEvent(hEvent: int) -> int:
    ws2_32.WSACloseEvent(hEvent)
    return 1


def WSASetEvent(hEvent: int) -> int:
    ws2_32.WSASetEvent(hEvent)
    return 1


def WSAResetEvent(hEvent: int) -> int:
    ws2_32.WSAResetEvent(hEvent)
    return 1


def WSAWaitForMultipleEvents(cEvents: int, lphEvents: int, fWaitAll: int, dwTimeout: int, fAlertable: int) -> int:
    made_by_c()
    events = handles_at(cEvents, lphEvents)
    return ws2_32.WSAWaitForMultipleEvents(events, bool(fWaitAll), dwTimeout, bool(fAlertable))
