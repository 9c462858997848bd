"""IPPROTO_IP: IPv4, and the IPv4 half of a dual-stack socket.

Lives elsewhere: what IPv6 has as well (internet), groups (membership), who gets which datagrams (screening).
On IPv6 sockets: Windows takes these options there, too.
IP_MULTICAST_IF: an address of the machine, or an interface index written as 0.x.x.x, which reads back in host order.
IP_UNICAST_IF:   is set in network order and reads back in host order.
IP_TOS:          goes into packets, as it does on Windows only where the administrator has allowed it.
Sources:         ipproto-ip-socket-options, ip-dontfragment, ip-multicast-2; R5.37-R5.39, R16.38, A67, A68, A101 and the
                 behaviours opt-hdrincl-nonraw, opt-mcast-ttl-widths, opt-dontfragment-* of the project's reference;
                 ip(7).
"""

from __future__ import annotations

import _socket
import struct
from collections.abc import Callable
from typing import Final

from ....defs.codes import WSAEINVAL
from ....defs.constants import (
    AF_INET,
    IP_ADD_MEMBERSHIP,
    IP_ADD_SOURCE_MEMBERSHIP,
    IP_BLOCK_SOURCE,
    IP_DONTFRAGMENT,
    IP_DROP_MEMBERSHIP,
    IP_DROP_SOURCE_MEMBERSHIP,
    IP_HDRINCL,
    IP_MTU,
    IP_MTU_DISCOVER,
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IP_NRT_INTERFACE,
    IP_OPTIONS,
    IP_RECEIVE_BROADCAST,
    IP_TCLASS,
    IP_TOS,
    IP_TTL,
    IP_UNBLOCK_SOURCE,
    IP_UNICAST_IF,
    IP_USER_MTU,
    IPPROTO_IP,
)
from ..hostsocket import HostSocket
from ..membership import block, index_of, interface_of, join, leave, unblock
from ..screening import screen
from .internet import (
    PMTU_DISCOVERY,
    UNSPECIFIED_MTU,
    big_endian,
    check_interface,
    common,
    host_endian,
    messages_only,
    never_fragmented,
    path_mtu,
)
from .table import HOST_IP, Lengths, Option, Teller, dword, host_number, message, on_host, raw

_HOST_MULTICAST_IF: Final = int(_socket.IP_MULTICAST_IF)
_HOST_MTU_DISCOVER: Final = host_number(10)
_HOST_DONTFRAG: Final = host_number(None, 28)
_HOST_UNICAST_IF: Final = host_number(50)
_HOST_BOUND_IF: Final = host_number(None, 25)
_HOST_MTU: Final = host_number(14)

_OPTIONS_KEY: Final = IPPROTO_IP, IP_OPTIONS
_MULTICAST_IF_KEY: Final = IPPROTO_IP, IP_MULTICAST_IF
_UNICAST_IF_KEY: Final = IPPROTO_IP, IP_UNICAST_IF
_NO_ADDRESS: Final = bytes(4)

# Linux: a datagram may be fragmented here, and finds out the path's MTU otherwise; it is what a new socket has.
_MAY_BE_CUT, _MUST_NOT_BE_CUT = 1, 2


def _one_byte(value: int) -> bytes:
    """Linux takes a number or a byte for multicast, the BSDs only a byte."""
    return bytes((value,))


def _raw_ipv4(endpoint: HostSocket) -> bool:
    return raw(endpoint) and endpoint.family == AF_INET


def _get_options(endpoint: HostSocket) -> bytes:
    kept: bytes = endpoint.settings.get(_OPTIONS_KEY, b"")
    return kept


def _set_options(endpoint: HostSocket, value: bytes) -> None:
    """IP_OPTIONS: bytes of the header; none takes them away."""
    if endpoint.family == AF_INET:
        endpoint.set_on_host(HOST_IP, int(_socket.IP_OPTIONS), bytes(value))
    endpoint.settings[_OPTIONS_KEY] = bytes(value)


def _get_multicast_interface(endpoint: HostSocket) -> bytes:
    kept: bytes = endpoint.settings.get(_MULTICAST_IF_KEY, _NO_ADDRESS)
    return kept if kept[0] else dword(int.from_bytes(kept, "big"))


def _set_multicast_interface(endpoint: HostSocket, value: bytes) -> None:
    wanted = bytes(value[:4])
    index = index_of(wanted)
    address = wanted if wanted[0] else _NO_ADDRESS
    endpoint.set_on_host(HOST_IP, _HOST_MULTICAST_IF, _NO_ADDRESS + address + struct.pack("=i", index))
    endpoint.settings[_MULTICAST_IF_KEY] = wanted


def _get_unicast_interface(endpoint: HostSocket) -> bytes:
    return dword(endpoint.settings.get(_UNICAST_IF_KEY, 0))


def _set_unicast_interface(endpoint: HostSocket, value: bytes) -> None:
    index = check_interface(int.from_bytes(value[:4], "big"))
    if _HOST_UNICAST_IF is not None:
        endpoint.set_on_host(HOST_IP, _HOST_UNICAST_IF, big_endian(index))
    elif _HOST_BOUND_IF is not None:
        endpoint.set_on_host(HOST_IP, _HOST_BOUND_IF, host_endian(index))
    endpoint.settings[_UNICAST_IF_KEY] = index


_tell_discovery: Final = on_host(HOST_IP, _HOST_MTU_DISCOVER)
_tell_dontfrag: Final = on_host(HOST_IP, _HOST_DONTFRAG)


def _tell_dont_fragment(endpoint: HostSocket, on: int) -> None:
    if not message(endpoint):
        return  # the host's TCP finds out the path's MTU, whatever programs say
    if _tell_discovery is not None:
        _tell_discovery(endpoint, _MUST_NOT_BE_CUT if on else _MAY_BE_CUT)
    elif _tell_dontfrag is not None:
        _tell_dontfrag(endpoint, on)


def _discovery() -> Teller | None:
    return on_host(HOST_IP, _HOST_MTU_DISCOVER, PMTU_DISCOVERY.__getitem__)


def _by_address(act: Callable[[HostSocket, bytes, int, bytes | None], None], *, with_source: bool = False) -> Option:
    """IP_MREQ or IP_MREQ_SOURCE: the interface, which comes last, is an address or 0.x.x.x."""

    def write(endpoint: HostSocket, value: bytes) -> None:
        group = bytes(value[:4])
        source = bytes(value[4:8]) if with_source else None
        where = bytes(value[8:12] if with_source else value[4:8])
        act(endpoint, group, interface_of(endpoint, group, index_of(where)), source)

    return messages_only(access="s", size=12 if with_source else 8, write=write)


ROWS: Final[dict[int, Option]] = {
    **common(IPPROTO_IP),
    IP_ADD_MEMBERSHIP: _by_address(join),
    IP_ADD_SOURCE_MEMBERSHIP: _by_address(join, with_source=True),
    IP_BLOCK_SOURCE: _by_address(block, with_source=True),
    IP_DONTFRAGMENT: Option(lengths=Lengths.NARROW, flag=True, default=never_fragmented, tell=_tell_dont_fragment),
    IP_DROP_MEMBERSHIP: _by_address(leave),
    IP_DROP_SOURCE_MEMBERSHIP: _by_address(leave, with_source=True),
    IP_HDRINCL: Option(
        lengths=Lengths.NARROW,
        applies=_raw_ipv4,
        elsewhere=WSAEINVAL,
        flag=True,
        tell=on_host(HOST_IP, int(_socket.IP_HDRINCL)),
    ),
    IP_MTU: path_mtu(HOST_IP, _HOST_MTU),
    IP_MTU_DISCOVER: Option(allowed=PMTU_DISCOVERY, tell=_discovery()),
    IP_MULTICAST_IF: messages_only(read=_get_multicast_interface, write=_set_multicast_interface),
    IP_MULTICAST_LOOP: messages_only(lengths=Lengths.NARROW, flag=True, default=1, after=screen),
    IP_MULTICAST_TTL: messages_only(
        lengths=Lengths.NARROW,
        default=1,
        allowed=range(256),
        tell=on_host(HOST_IP, int(_socket.IP_MULTICAST_TTL), _one_byte),
    ),
    IP_OPTIONS: Option(size=0, lengths=Lengths.VARIABLE, read=_get_options, write=_set_options),
    IP_RECEIVE_BROADCAST: messages_only(lengths=Lengths.EMPTIED, flag=True, default=1, after=screen),
    IP_TOS: Option(lengths=Lengths.NARROW, allowed=range(256), tell=on_host(HOST_IP, int(_socket.IP_TOS))),
    IP_TTL: Option(
        lengths=Lengths.NARROW, default=128, allowed=range(1, 256), tell=on_host(HOST_IP, int(_socket.IP_TTL))
    ),
    IP_UNBLOCK_SOURCE: _by_address(unblock, with_source=True),
    IP_UNICAST_IF: Option(read=_get_unicast_interface, write=_set_unicast_interface),
    IP_USER_MTU: Option(default=UNSPECIFIED_MTU),
}

REFUSED: Final[dict[int, str]] = {
    IP_NRT_INTERFACE: "no page says what it is",
    IP_TCLASS: "a type of control data, and no option",
}
"""What is WSAENOPROTOOPT on every socket, and why."""
