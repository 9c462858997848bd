"""Network events.

Lives elsewhere: the functions (ws2_32.netevents).
Sources:         nf-winsock2-wsaeventselect, -wsaenumnetworkevents, nf-winsock-wsaasyncselect,
                 ns-winsock2-wsanetworkevents.
"""

from __future__ import annotations

import struct

from ... import ws2_32
from ...defs.codes import WSAEFAULT
from ...errors import WinsockError
from ...process import current_process
from .. import memory

__all__ = ["WSAAsyncSelect", "WSAEnumNetworkEvents", "WSAEventSelect"]

_ALL_BITS = 0xFFFFFFFF
_CODES_AT = 4  # the offset of WSANETWORKEVENTS.iErrorCode


def WSAEventSelect(s: int, hEventObject: int, lNetworkEvents: int) -> int:
    ws2_32.WSAEventSelect(s, hEventObject, lNetworkEvents & _ALL_BITS)
    return 0


def WSAEnumNetworkEvents(s: int, hEventObject: int, lpNetworkEvents: int) -> int:
    if lpNetworkEvents < memory.LOWEST:
        current_process().socket(s)  # which comes first
        raise WinsockError(WSAEFAULT)
    mask, codes = ws2_32.WSAEnumNetworkEvents(s, hEventObject)
    memory.write(lpNetworkEvents, struct.pack("<l", mask))
    for bit, code in enumerate(codes):
        if mask >> bit & 1:  # the others stay as they are
            memory.write(lpNetworkEvents + _CODES_AT + 4 * bit, struct.pack("<i", code))
    return 0


def WSAAsyncSelect(s: int, hWnd: int, wMsg: int, lEvent: int) -> int:
    ws2_32.WSAAsyncSelect(s, hWnd, wMsg, lEvent & _ALL_BITS)
    return 0
