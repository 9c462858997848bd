"""IPPROTO_IPV6: IPv6 sockets, dual-stack ones included.

Lives elsewhere: what IPv4 has as well (internet), groups (membership), who gets which datagrams (screening).
Loopback:        IPV6_MULTICAST_LOOP acts on the receiving socket, like IPv4's option.
Headers:         IPV6_HOPOPTS is only kept: hosts show the options of a packet to privileged programs at most.
Sources:         ipproto-ipv6-socket-options, ipv6-v6only, ipv6-protection-level, dual-stack-sockets; A65, A66 and the
                 behaviours optvalid-v6-*, optlen-ipv6-* of the project's reference; ipv6(7).
"""

from __future__ import annotations

import _socket
import contextlib
import struct
from collections.abc import Callable
from typing import Final

from ....defs.codes import WSAEINVAL
from ....defs.constants import (
    AF_INET,
    IPPROTO_IPV6,
    IPV6_ADD_MEMBERSHIP,
    IPV6_CHECKSUM,
    IPV6_DONTFRAG,
    IPV6_DROP_MEMBERSHIP,
    IPV6_HDRINCL,
    IPV6_HOPOPTS,
    IPV6_MTU,
    IPV6_MTU_DISCOVER,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    IPV6_NRT_INTERFACE,
    IPV6_TCLASS,
    IPV6_UNICAST_HOPS,
    IPV6_UNICAST_IF,
    IPV6_USER_MTU,
    IPV6_V6ONLY,
)
from ....errors import WinsockError
from ..datagram import DatagramSocket
from ..hostsocket import HostSocket
from ..membership import interface_of, join, leave
from ..screening import screen
from .internet import (
    PMTU_DISCOVERY,
    UNSPECIFIED_MTU,
    big_endian,
    common,
    host_endian,
    index_writer,
    messages_only,
    never_fragmented,
    path_mtu,
)
from .table import HOST_IPV6, Lengths, Option, Writer, dword, host_number, message, number, on_host, only_unbound, raw

_HOST_DONTFRAG: Final = host_number(62, 62)
_HOST_HDRINCL: Final = host_number(36)
_HOST_MTU: Final = host_number(24)
_HOST_MTU_DISCOVER: Final = host_number(23)
_HOST_UNICAST_IF: Final = host_number(76)
_HOST_BOUND_IF: Final = host_number(None, 125)

_NO_CHECKSUM: Final = 0xFFFFFFFF


def _get_v6only(endpoint: HostSocket) -> bytes:
    return dword(endpoint.settings.get(IPV6_V6ONLY, 1))


def _set_v6only(endpoint: HostSocket, value: bytes) -> None:
    on = int(number(value) != 0)
    if not raw(endpoint):  # hosts have no dual-stack raw sockets
        endpoint.set_on_host(HOST_IPV6, int(_socket.IPV6_V6ONLY), on)
    if not on and isinstance(endpoint, DatagramSocket) and endpoint.settings.get(IPV6_V6ONLY, 1):
        with contextlib.suppress(OSError):  # a host that does not want to hear of IPv4 here
            endpoint.begin_as_windows(AF_INET)
    endpoint.settings[IPV6_V6ONLY] = on  # the bind and control data look at it (binding.py, messages.py)
    screen(endpoint)


def _set_checksum(endpoint: HostSocket, value: bytes) -> None:
    """IPV6_CHECKSUM: the offset of a checksum that the stack fills in; -1 for none."""
    wanted = number(value)
    if wanted & 1 and wanted != _NO_CHECKSUM:
        raise WinsockError(WSAEINVAL)
    endpoint.set_on_host(HOST_IPV6, int(_socket.IPV6_CHECKSUM), struct.pack("<I", wanted))
    endpoint.settings[IPPROTO_IPV6, IPV6_CHECKSUM] = wanted


_tell_dontfrag: Final = on_host(HOST_IPV6, _HOST_DONTFRAG)


def _tell_dont_fragment(endpoint: HostSocket, on: int) -> None:
    if message(endpoint) and _tell_dontfrag is not None:
        _tell_dontfrag(endpoint, on)


def _by_index(act: Callable[[HostSocket, bytes, int, bytes | None], None]) -> Option:
    """IPV6_MREQ: group and interface index."""

    def write(endpoint: HostSocket, value: bytes) -> None:
        group = bytes(value[:16])
        act(endpoint, group, interface_of(endpoint, group, number(value[16:20])), None)

    return messages_only(access="s", size=20, write=write)


def _host_mtu(value: int) -> int:
    return 0 if value == UNSPECIFIED_MTU else value


def _set_unicast_interface() -> Writer:
    key = IPPROTO_IPV6, IPV6_UNICAST_IF
    if _HOST_UNICAST_IF is not None:
        return index_writer(big_endian, HOST_IPV6, _HOST_UNICAST_IF, key)
    return index_writer(host_endian, HOST_IPV6, _HOST_BOUND_IF, key)


_set_multicast_interface: Final = index_writer(
    host_endian, HOST_IPV6, int(_socket.IPV6_MULTICAST_IF), (IPPROTO_IPV6, IPV6_MULTICAST_IF)
)

ROWS: Final[dict[int, Option]] = {
    **common(IPPROTO_IPV6),
    IPV6_ADD_MEMBERSHIP: _by_index(join),
    IPV6_CHECKSUM: Option(applies=raw, elsewhere=WSAEINVAL, default=_NO_CHECKSUM, write=_set_checksum),
    IPV6_DONTFRAG: Option(lengths=Lengths.NARROW, flag=True, default=never_fragmented, tell=_tell_dont_fragment),
    IPV6_DROP_MEMBERSHIP: _by_index(leave),
    IPV6_HDRINCL: Option(
        lengths=Lengths.NARROW,
        applies=raw,
        elsewhere=WSAEINVAL,
        flag=True,
        tell=on_host(HOST_IPV6, _HOST_HDRINCL),
    ),
    IPV6_HOPOPTS: Option(lengths=Lengths.EMPTIED, flag=True),
    IPV6_MTU: path_mtu(HOST_IPV6, _HOST_MTU),
    IPV6_MTU_DISCOVER: Option(
        allowed=PMTU_DISCOVERY, tell=on_host(HOST_IPV6, _HOST_MTU_DISCOVER, PMTU_DISCOVERY.__getitem__)
    ),
    IPV6_MULTICAST_HOPS: messages_only(
        lengths=Lengths.NARROW,
        default=1,
        allowed=range(256),
        tell=on_host(HOST_IPV6, int(_socket.IPV6_MULTICAST_HOPS)),
    ),
    IPV6_MULTICAST_IF: messages_only(write=_set_multicast_interface),
    IPV6_MULTICAST_LOOP: messages_only(lengths=Lengths.NARROW, flag=True, default=1, after=screen),
    IPV6_UNICAST_HOPS: Option(
        lengths=Lengths.NARROW,
        default=128,
        allowed=range(256),
        tell=on_host(HOST_IPV6, int(_socket.IPV6_UNICAST_HOPS)),
    ),
    IPV6_UNICAST_IF: Option(write=_set_unicast_interface()),
    IPV6_USER_MTU: Option(default=UNSPECIFIED_MTU, tell=on_host(HOST_IPV6, _HOST_MTU, _host_mtu)),
    IPV6_V6ONLY: Option(lengths=Lengths.BYTE, state=only_unbound, read=_get_v6only, write=_set_v6only),
}

REFUSED: Final[dict[int, str]] = {
    IPV6_NRT_INTERFACE: "no page says what it is",
    IPV6_TCLASS: "a type of control data, and no option",
}
"""What is WSAENOPROTOOPT on every socket, and why."""
