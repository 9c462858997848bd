"""Connecting to a name, or to whichever of several addresses answers.

Part played:     WSAConnectByName and WSAConnectByList.
Lives here:      the loop over the addresses, the time limit, what is told of the connection.
Lives elsewhere: the addresses of a name (names), one attempt, which is ConnectEx of the socket's provider (extensions).
Context:         as after ConnectEx, the socket has no peer's name and cannot be shut down before
                 SO_UPDATE_CONNECT_CONTEXT has been set on it.
Waiting:         both calls wait, also with a non-blocking socket.
Both families:   an AF_INET6 socket without IPV6_V6ONLY tries IPv4 addresses as well, in their mapped form.
Sources:         nf-winsock2-wsaconnectbynamew, -wsaconnectbylist; R11.59 and the behaviours cbn-* of the project's
                 reference.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..defs.codes import WSA_OPERATION_ABORTED, WSAEFAULT, WSAEINTR, WSAEINVAL, WSAETIMEDOUT
from ..defs.constants import (
    AF_INET6,
    AI_ALL,
    AI_V4MAPPED,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    SOCK_STREAM,
)
from ..defs.guids import WSAID_CONNECTEX
from ..defs.records import AddrInfo
from ..defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ..errors import WinsockError, exported
from ..process import SocketRecord, current_process
from .extensions import extension

# Somebody ends the call, by closing the socket or otherwise: no further address is tried.
_ENDED = (WSAEINTR, WSA_OPERATION_ABORTED)

Timeout = tuple[int, int]
Names = tuple[SockAddr, SockAddr]


@exported
def WSAConnectByName(
    s: int,
    node: str | None,
    service: str | None,
    local_room: int | None = None,
    remote_room: int | None = None,
    timeout: Timeout | None = None,
    reserved: Any = None,
) -> Names:
    """Connect to a service of a host: try its addresses one after the other.

    Args:
        s: a stream socket that is not connected; an unbound one is bound first.
        node: the host's name, or its address as text.
        service: a name or a port number.
        local_room, remote_room: the room there is for the two addresses in bytes; None for as much as needed.
        timeout: (seconds, microseconds) after which no further address is tried; None for no limit. An attempt that is
            under way then is not ended.
        reserved: None.

    Returns:
        (local address, remote address). Of the local one Windows does not tell the port: getsockname does.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEINVAL, no node, no service, ``reserved`` given, or the socket listens;
            WSAENOTSOCK; WSAEFAULT, no stream socket, or too little room; what getaddrinfo fails with, WSAHOST_NOT_FOUND
            and WSATYPE_NOT_FOUND among it; WSAEISCONN; WSAETIMEDOUT, the time is over; else why the last address could
            not be connected to.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaconnectbynamew
    """
    process = current_process()
    process.check_started()
    if node is None or service is None or reserved is not None:
        raise WinsockError(WSAEINVAL)
    record = _stream(s, local_room, remote_room)
    family = record.info.address_family
    mapped = AI_V4MAPPED | AI_ALL if family == AF_INET6 and not _only_ipv6(record, s) else 0
    deadline = _deadline(timeout)
    hints = AddrInfo(flags=mapped, family=family, socktype=SOCK_STREAM, protocol=record.info.protocol)
    found = process.name_service().getaddrinfo(node, service, hints)
    return _connect(record, s, [info.addr for info in found if info.addr is not None], deadline)


@exported
def WSAConnectByList(
    s: int,
    addresses: Sequence[bytes] | None,
    local_room: int | None = None,
    remote_room: int | None = None,
    timeout: Timeout | None = None,
    reserved: Any = None,
) -> Names:
    """As `WSAConnectByName`, with a list of addresses.

    Args:
        addresses: where to, in the order in which they are tried.

    Raises:
        WinsockError: as `WSAConnectByName`; WSAEINVAL, no addresses.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaconnectbylist
    """
    current_process().check_started()
    if not addresses or reserved is not None:
        raise WinsockError(WSAEINVAL)
    record = _stream(s, local_room, remote_room)
    return _connect(record, s, addresses, _deadline(timeout))


def _stream(s: int, *rooms: int | None) -> SocketRecord:
    """The record of a stream socket that has addresses no longer than the rooms there are for them."""
    record = current_process().socket(s)
    # Windows 10 1809 and later have WSAEFAULT for a datagram socket too, earlier ones WSAEINVAL.
    if record.info.socket_type != SOCK_STREAM or any(
        room is not None and room < record.info.min_sock_addr for room in rooms
    ):
        raise WinsockError(WSAEFAULT)
    return record


def _only_ipv6(record: SocketRecord, s: int) -> bool:
    return any(record.wsp.WSPGetSockOpt(s, IPPROTO_IPV6, IPV6_V6ONLY, 4))


def _deadline(timeout: Timeout | None) -> float | None:
    return None if timeout is None else time.monotonic() + timeout[0] + timeout[1] / 1_000_000


def _connect(record: SocketRecord, s: int, addresses: Sequence[bytes], deadline: float | None) -> Names:
    attempt = extension(record, s, WSAID_CONNECTEX)
    _bind(record, s)
    for remaining, address in zip(reversed(range(len(addresses))), addresses, strict=True):
        try:
            attempt(s, address, None, None)
        except WinsockError as failure:
            if failure.winerror in _ENDED:
                raise
            if deadline is not None and time.monotonic() >= deadline:
                raise WinsockError(WSAETIMEDOUT) from failure
            if not remaining:
                raise
        else:
            return _without_port(record.wsp.WSPGetSockName(s, None)), SockAddr(address)
    raise AssertionError("no address")


def _bind(record: SocketRecord, s: int) -> None:
    try:
        record.wsp.WSPGetSockName(s, None)
    except WinsockError as failure:
        if failure.winerror != WSAEINVAL:
            raise
        record.wsp.WSPBind(s, sockaddr_in6("::") if record.info.address_family == AF_INET6 else sockaddr_in("0.0.0.0"))


def _without_port(name: bytes) -> SockAddr:
    return SockAddr(name[:2] + bytes(2) + name[4:])
