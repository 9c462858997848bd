"""The last error.

Part played:     WSAGetLastError, WSASetLastError.
Lives elsewhere: the cell (errors).
Sources:         nf-winsock-wsagetlasterror, nf-winsock-wsasetlasterror.
"""

from __future__ import annotations

from ... import ws2_32

__all__ = ["WSAGetLastError", "WSASetLastError"]


def WSAGetLastError() -> int:
    return ws2_32.WSAGetLastError()


def WSASetLastError(iError: int) -> None:
    ws2_32.WSASetLastError(iError)
