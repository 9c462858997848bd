"""Byte order: htonl and its family.

Part played:     htonl, htons, ntohl, ntohs, and the four that ask a socket for its order.
Lives elsewhere: the conversion (ws2_32.byteorder).
Sources:         nf-winsock-htonl and its neighbours, nf-winsock2-wsahtonl.
"""

from __future__ import annotations

from ... import ws2_32
from ...defs.codes import WSAEFAULT
from ...errors import WinsockError
from .. import memory

__all__ = ["WSAHtonl", "WSAHtons", "WSANtohl", "WSANtohs", "htonl", "htons", "ntohl", "ntohs"]


def htonl(hostlong: int) -> int:
    return ws2_32.htonl(hostlong)


def htons(hostshort: int) -> int:
    return ws2_32.htons(hostshort)


def ntohl(netlong: int) -> int:
    return ws2_32.ntohl(netlong)


def ntohs(netshort: int) -> int:
    return ws2_32.ntohs(netshort)


def WSAHtonl(s: int, hostlong: int, lpnetlong: int) -> int:
    return _store_long(lpnetlong, ws2_32.WSAHtonl(s, hostlong))


def WSANtohl(s: int, netlong: int, lphostlong: int) -> int:
    return _store_long(lphostlong, ws2_32.WSANtohl(s, netlong))


def WSAHtons(s: int, hostshort: int, lpnetshort: int) -> int:
    return _store_short(lpnetshort, ws2_32.WSAHtons(s, hostshort))


def WSANtohs(s: int, netshort: int, lphostshort: int) -> int:
    return _store_short(lphostshort, ws2_32.WSANtohs(s, netshort))


def _store_long(target: int, value: int) -> int:
    if target < memory.LOWEST:  # looked at last: the API has accepted the socket
        raise WinsockError(WSAEFAULT)
    memory.store_32(target, value)
    return 0


def _store_short(target: int, value: int) -> int:
    if target < memory.LOWEST:
        raise WinsockError(WSAEFAULT)
    memory.store_u16(target, value)
    return 0
