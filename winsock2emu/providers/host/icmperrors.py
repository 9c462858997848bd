"""What the network says of a connect that does not get through.

Part played:     the ICMP half of a connection endpoint of tcpip.sys.
Lives here:      listening for errors while a connect is under way, and the last one as a program gets it.
Lives elsewhere: the two options (options/tcp), connecting (stream), the errors of datagrams (datagram).
On the host:     Linux has an error queue, which makes an ICMP error end a connect at once. It is off again once there
                 is a connection, whose life no ICMP error may end. Other hosts know nothing of the kind.
Sources:         ipproto-tcp-socket-options (TCP_FAIL_CONNECT_ON_ICMP_ERROR, TCP_ICMP_ERROR_INFO),
                 ns-ws2ipdef-icmp_error_info; ip(7), ipv6(7).
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable
from typing import Final

from ...defs.constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_TCP,
    TCP_FAIL_CONNECT_ON_ICMP_ERROR,
    TCP_ICMP_ERROR_INFO,
)
from ...defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from .hostsocket import HostSocket
from .translate import HOST_ERRQUEUE

WATCHED: Final = IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR
"""The setting that makes all this happen."""

_LAST: Final = IPPROTO_TCP, TCP_ICMP_ERROR_INFO

_HAS_QUEUE: Final = sys.platform == "linux"
# linux/in.h, linux/in6.h, linux/errqueue.h: the options, and where a report comes from.
_RECVERR: Final = {AF_INET: (0, 11), AF_INET6: (41, 25)}
_ORIGINS: Final = {2: IPPROTO_ICMP, 3: IPPROTO_ICMPV6}
_ROOM: Final = 512

# Origin, type and code of a sock_extended_err, and the address behind it.
_EXTENDED: Final = struct.Struct("=4xBBB9x")
_OFFENDER_IPV4: Final = struct.Struct("=4x4s")
_OFFENDER_IPV6: Final = struct.Struct("=8x16sI")

_ICMP_ERROR_INFO: Final = struct.Struct("<28siBB2x")


def watch(endpoint: HostSocket, *, on: bool) -> bool:
    """Let ICMP errors end a connect, or not any more; False where the host has no such thing."""
    if _HAS_QUEUE:
        endpoint.set_on_host(*_RECVERR[endpoint.family], int(on))
    return _HAS_QUEUE


def collect(endpoint: HostSocket, *, connected: bool) -> None:
    """A connect of a socket that is being watched has ended: note what was reported."""
    found: list[bytes] = []
    while _HAS_QUEUE:
        try:
            ancillary = endpoint.host.recvmsg(0, _ROOM, HOST_ERRQUEUE)[1]
        except OSError:
            break  # empty, or closed meanwhile
        found += icmp_errors(ancillary)
    if connected:
        watch(endpoint, on=False)
        found = []
    elif endpoint.settings.get(WATCHED):
        watch(endpoint, on=True)
    endpoint.settings[_LAST] = found[-1] if found else b""


def last_error(endpoint: HostSocket) -> bytes:
    """TCP_ICMP_ERROR_INFO: an ICMP_ERROR_INFO, or nothing."""
    kept: bytes = endpoint.settings.get(_LAST, b"")
    return kept


def icmp_errors(ancillary: Iterable[tuple[int, int, bytes]]) -> list[bytes]:
    """The reports of ICMP among what the host has queued, each as an ICMP_ERROR_INFO."""
    found = []
    for level, kind, data in ancillary:
        if (level, kind) not in _RECVERR.values() or len(data) < _EXTENDED.size:
            continue
        origin, type_, code = _EXTENDED.unpack_from(data)
        protocol = _ORIGINS.get(origin)
        if protocol is not None:
            router = _offender(data[_EXTENDED.size :], ipv4=protocol == IPPROTO_ICMP)
            found.append(_ICMP_ERROR_INFO.pack(router, protocol, type_, code))
    return found


def _offender(data: bytes, *, ipv4: bool) -> SockAddr:
    """Who has sent the report."""
    form = _OFFENDER_IPV4 if ipv4 else _OFFENDER_IPV6
    fields = form.unpack_from(data) if len(data) >= form.size else form.unpack(bytes(form.size))
    return sockaddr_in(fields[0]) if ipv4 else sockaddr_in6(fields[0], scope_id=fields[1])
