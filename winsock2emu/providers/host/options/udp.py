"""IPPROTO_UDP: datagrams.

Lives elsewhere: UDP_COALESCED_INFO, the control data of a receive that got several datagrams.
Sending:         UDP_SEND_MSG_SIZE is the host's business, so a send must not be cut into more datagrams than the host
                 makes at once (64 or 128 on Linux, 512 on Windows). Hosts without it are like older Windows versions.
Receiving:       UDP_RECV_MAX_COALESCED_SIZE allows the stack to join datagrams and does not oblige it to. This one
                 never does.
Checksums:       the two switches are one, seen from both sides.
Sources:         ipproto-udp-socket-options; udp(7).
"""

from __future__ import annotations

import _socket
from typing import Final

from ....defs.codes import WSAENOPROTOOPT
from ....defs.constants import (
    AF_INET,
    IPPROTO_UDP,
    UDP_CHECKSUM_COVERAGE,
    UDP_NOCHECKSUM,
    UDP_RECV_MAX_COALESCED_SIZE,
    UDP_SEND_MSG_SIZE,
)
from ....errors import WinsockError
from ..hostsocket import HostSocket
from .table import HOST_UDP, Lengths, Option, dword, host_number, number, on_host, udp

_HOST_SOL: Final = int(_socket.SOL_SOCKET)
_HOST_NO_CHECK: Final = host_number(11)
_HOST_NOCKSUM: Final = host_number(None, 1)
_HOST_SEGMENT: Final = host_number(103)

_LARGEST: Final = 65507
_UNCHECKED: Final = IPPROTO_UDP, UDP_NOCHECKSUM


def _udp_ipv4(endpoint: HostSocket) -> bool:
    return udp(endpoint) and endpoint.family == AF_INET


def _uncheck(endpoint: HostSocket, on: int) -> None:
    if _HOST_NO_CHECK is not None:
        endpoint.set_on_host(_HOST_SOL, _HOST_NO_CHECK, on)
    elif _HOST_NOCKSUM is not None:
        endpoint.set_on_host(HOST_UDP, _HOST_NOCKSUM, on)
    elif on:
        raise WinsockError(WSAENOPROTOOPT)
    endpoint.settings[_UNCHECKED] = on


def _get_checked(endpoint: HostSocket) -> bytes:
    return dword(not endpoint.settings.get(_UNCHECKED))


def _set_checked(endpoint: HostSocket, value: bytes) -> None:
    if endpoint.family == AF_INET:
        _uncheck(endpoint, int(number(value) == 0))
    elif not number(value):
        raise WinsockError(WSAENOPROTOOPT)  # IPv6 always has it


ROWS: Final[dict[int, Option]] = {
    UDP_CHECKSUM_COVERAGE: Option(applies=udp, read=_get_checked, write=_set_checked),
    UDP_NOCHECKSUM: Option(lengths=Lengths.NARROW, applies=_udp_ipv4, flag=True, tell=_uncheck),
    UDP_RECV_MAX_COALESCED_SIZE: Option(applies=udp),
}
if _HOST_SEGMENT is not None:
    ROWS[UDP_SEND_MSG_SIZE] = Option(applies=udp, allowed=range(_LARGEST + 1), tell=on_host(HOST_UDP, _HOST_SEGMENT))

REFUSED: Final[dict[int, str]] = (
    {} if _HOST_SEGMENT is not None else {UDP_SEND_MSG_SIZE: "the host cannot cut a send into datagrams"}
)
"""What is WSAENOPROTOOPT on every socket, and why."""
