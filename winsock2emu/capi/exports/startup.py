"""Startup and cleanup.

Part played:     WSAStartup and WSACleanup with their WSADATA.
Lives elsewhere: negotiation and counting (process).
Sources:         nf-winsock-wsastartup, ns-winsock2-wsadata.
Observed:        a request for a version below 1.0 fails, and WSADATA is filled all the same, as for 2.2;
                 lpVendorInfo is never touched.
"""

from __future__ import annotations

from ... import ws2_32
from ...defs.codes import WSAEFAULT, WSAVERNOTSUPPORTED
from ...defs.records import WSAData
from ...errors import WinsockError
from ...process import HIGHEST_VERSION, negotiate
from .. import memory, structs

__all__ = ["WSACleanup", "WSAStartup"]

_DESCRIPTION_LEN = 256
_STATUS_LEN = 128


def WSAStartup(wVersionRequested: int, lpWSAData: int) -> int:
    if lpWSAData < memory.LOWEST:  # before anything is counted, but after the version
        raise WinsockError(WSAEFAULT if negotiate(wVersionRequested) else WSAVERNOTSUPPORTED)
    try:
        _fill(lpWSAData, ws2_32.WSAStartup(wVersionRequested))
    except WinsockError as failure:
        if failure.winerror == WSAVERNOTSUPPORTED:
            _fill(lpWSAData, WSAData(version=HIGHEST_VERSION, high_version=HIGHEST_VERSION))
        raise
    return 0


def WSACleanup() -> int:
    ws2_32.WSACleanup()
    return 0


def _fill(target: int, data: WSAData) -> None:
    record = structs.WSADATA.from_address(target)
    record.wVersion = data.version
    record.wHighVersion = data.high_version
    record.iMaxSockets = data.max_sockets
    record.iMaxUdpDg = data.max_udp_dg
    record.szDescription = memory.to_ansi(data.description)[:_DESCRIPTION_LEN]
    record.szSystemStatus = memory.to_ansi(data.system_status)[:_STATUS_LEN]
