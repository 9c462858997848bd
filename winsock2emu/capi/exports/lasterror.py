"""The last error.

Part played:     WSAGetLastError, WSASetLastError.
Lives elsewhere: the cell (errors).
Sources:         nf-winsock-wsagetlasterror, nf-winsock-wsasetlasterror.
"""

from __future__ import annotations

from ... import ws2_32
from ..threads import made_by_c

__all__ = ["WSAGetLastError", "WSASetLastError"]


def WSAGetLastError() -> int:
    return ws2_32.WSAGetLastError()


def WSASetLastError(iError: int) -> None:
    made_by_c()  # its threads keep the value, too
    ws2_32.WSASetLastError(iError)
