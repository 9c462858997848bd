"""What the levels IPPROTO_IP and IPPROTO_IPV6 have in common.

Part played:     the option half of tcpip.sys.
Lives here:      the rows that both levels have, made for one of them: control data, receive lists, multicast, MTUs.
Lives elsewhere: what WSARecvMsg makes of its switches (messages), who gets which datagrams (screening), groups
                 (membership), the rows of one level only (ip, ipv6).
Elsewhere:       Windows knows these options on every socket and says WSAEINVAL where they are not for it.
Control data:    routing headers, redirections of the filtering platform and queued ICMP errors never come here, so
                 their switches are only kept.
MTU:             IP_USER_MTU and IPV6_USER_MTU limit what the host sends as far as the host has such a limit: Linux for
                 IPv6. Otherwise the number is only kept.
Sources:         ipproto-ip-socket-options, ipproto-ipv6-socket-options and the behaviours optvalid-v4-*, optvalid-v6-*,
                 optlen-ip*, opt-dontfragment-* of the project's reference; ip(7), ipv6(7).
"""

from __future__ import annotations

import _socket
import struct
from collections.abc import Callable
from typing import Any, Final

from ....defs.codes import WSAEADDRNOTAVAIL, WSAEINVAL, WSAENOPROTOOPT
from ....defs.constants import (
    AF_INET,
    AF_INET6,
    IP_ADD_IFLIST,
    IP_DEL_IFLIST,
    IP_GET_IFLIST,
    IP_IFLIST,
    IP_PROTECTION_LEVEL,
    IP_RECVERR,
    IP_RECVRTHDR,
    IP_RTHDR,
    IP_WFP_REDIRECT_CONTEXT,
    IP_WFP_REDIRECT_RECORDS,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    MCAST_BLOCK_SOURCE,
    MCAST_JOIN_GROUP,
    MCAST_JOIN_SOURCE_GROUP,
    MCAST_LEAVE_GROUP,
    MCAST_LEAVE_SOURCE_GROUP,
    MCAST_UNBLOCK_SOURCE,
    PROTECTION_LEVEL_DEFAULT,
    PROTECTION_LEVEL_EDGERESTRICTED,
    PROTECTION_LEVEL_RESTRICTED,
    PROTECTION_LEVEL_UNRESTRICTED,
    SOCK_STREAM,
)
from ....defs.sockaddr import SockAddr
from ....errors import WinsockError
from ..hostsocket import HostSocket
from ..membership import block, interface_of, join, leave, unblock
from ..messages import OBJECTS, switch
from ..screening import screen
from .table import Lengths, Option, Writer, dword, empty, message, number, only_empty, only_unbound, udp

# IP_PMTUDISC_DO, _DONT and _PROBE of Windows to the numbers of Linux; IP_PMTUDISC_NOT_SET can be read and not set.
PMTU_DISCOVERY: Final = {1: 2, 2: 0, 3: 3}

UNSPECIFIED_MTU: Final = 0xFFFFFFFF

_PROTECTION_LEVELS: Final = (
    PROTECTION_LEVEL_UNRESTRICTED,
    PROTECTION_LEVEL_EDGERESTRICTED,
    PROTECTION_LEVEL_RESTRICTED,
    PROTECTION_LEVEL_DEFAULT,
)


def messages_only(**row: Any) -> Option:
    """A row for datagram and raw sockets."""
    return Option(applies=message, elsewhere=WSAEINVAL, **row)


# Interfaces


def check_interface(index: int) -> int:
    """An interface index that exists, or 0 for any; WSAEADDRNOTAVAIL otherwise."""
    if index:
        try:
            _socket.if_indextoname(index)
        except (OSError, OverflowError):
            raise WinsockError(WSAEADDRNOTAVAIL) from None
    return index


# Control data


def control_switches(level: int) -> dict[int, Option]:
    """The switches that have WSARecvMsg return control data."""
    only_kept = (IP_RECVRTHDR, IP_WFP_REDIRECT_CONTEXT, IP_WFP_REDIRECT_RECORDS)
    rows = {option: messages_only(lengths=Lengths.EMPTIED, flag=True) for option in only_kept}
    rows[IP_RECVERR] = Option(lengths=Lengths.EMPTIED, applies=udp, elsewhere=WSAEINVAL, flag=True)
    return rows | {one.option: _control_switch(level, one.option) for one in OBJECTS[level]}


def _control_switch(level: int, option: int) -> Option:
    def tell(endpoint: HostSocket, on: int) -> None:
        if level == IPPROTO_IPV6 or endpoint.family == AF_INET or not endpoint.settings.get(IPV6_V6ONLY, 1):
            switch(endpoint, level, option, bool(on))
        elif on:
            raise WinsockError(WSAENOPROTOOPT)  # a socket of IPv6 only never gets what IPv4's option is about

    return messages_only(lengths=Lengths.EMPTIED, flag=True, tell=tell)


# Receive lists


def receive_list(level: int) -> dict[int, Option]:
    """IP_IFLIST and its relatives: the interfaces that datagrams may arrive through."""
    switched, listed = (level, IP_IFLIST), (level, IP_GET_IFLIST)

    def turn(endpoint: HostSocket, value: bytes) -> None:
        on = int(number(value) != 0)
        if on != endpoint.settings.get(switched, 0):
            endpoint.settings[switched] = on
            endpoint.settings[listed] = ()
            screen(endpoint)

    def current(endpoint: HostSocket) -> tuple[int, ...]:
        if not endpoint.settings.get(switched):
            raise WinsockError(WSAEINVAL)
        found: tuple[int, ...] = endpoint.settings[listed]
        return found

    def get(endpoint: HostSocket) -> bytes:
        return b"".join(map(dword, current(endpoint)))

    def add(endpoint: HostSocket, value: bytes) -> None:
        known, index = current(endpoint), check_interface(number(value))
        if index not in known:
            endpoint.settings[listed] = (*known, index)
            screen(endpoint)

    def delete(endpoint: HostSocket, value: bytes) -> None:
        known, index = current(endpoint), number(value)
        if index not in known:
            raise WinsockError(WSAEINVAL)
        endpoint.settings[listed] = tuple(one for one in known if one != index)
        screen(endpoint)

    return {
        IP_IFLIST: Option(lengths=Lengths.NARROW, flag=True, write=turn),
        IP_ADD_IFLIST: Option(access="s", write=add),
        IP_DEL_IFLIST: Option(access="s", write=delete),
        IP_GET_IFLIST: Option(access="g", size=0, lengths=Lengths.VARIABLE, read=get),
    }


# Groups

_GROUP_AT, _SOURCE_AT, _STORAGE = 8, 136, 128


def _address(record: bytes, at: int) -> bytes:
    """The IP address in the SOCKADDR_STORAGE at an offset of a record."""
    storage = record[at : at + _STORAGE]
    family = storage[0] | storage[1] << 8
    if family not in (AF_INET, AF_INET6):
        raise WinsockError(WSAEINVAL)
    return SockAddr(storage[: 16 if family == AF_INET else 28]).packed


def by_record(act: Callable[[HostSocket, bytes, int, bytes | None], None], *, with_source: bool) -> Option:
    """MCAST_*: GROUP_REQ or GROUP_SOURCE_REQ, whose interface is an index."""

    def write(endpoint: HostSocket, value: bytes) -> None:
        group = _address(value, _GROUP_AT)
        source = _address(value, _SOURCE_AT) if with_source else None
        act(endpoint, group, interface_of(endpoint, group, number(value)), source)

    size = _SOURCE_AT + _STORAGE if with_source else _SOURCE_AT
    return messages_only(access="s", size=size, write=write)


def groups() -> dict[int, Option]:
    """The options for groups that both versions of IP have in one form."""
    return {
        MCAST_JOIN_GROUP: by_record(join, with_source=False),
        MCAST_LEAVE_GROUP: by_record(leave, with_source=False),
        MCAST_JOIN_SOURCE_GROUP: by_record(join, with_source=True),
        MCAST_LEAVE_SOURCE_GROUP: by_record(leave, with_source=True),
        MCAST_BLOCK_SOURCE: by_record(block, with_source=True),
        MCAST_UNBLOCK_SOURCE: by_record(unblock, with_source=True),
    }


# Packets


def path_mtu(host_level: int, host_option: int | None) -> Option:
    """IP_MTU, IPV6_MTU: what the host thinks of the way to the peer."""

    def get(endpoint: HostSocket) -> bytes:
        endpoint.peer_name(None)  # WSAENOTCONN
        if host_option is None:
            raise WinsockError(WSAENOPROTOOPT)
        try:
            return dword(endpoint.host.getsockopt(host_level, host_option))
        except OSError as failure:
            raise endpoint.ended(failure) from failure

    return Option(access="g", read=get)


def never_fragmented(endpoint: HostSocket) -> int:
    """The default of IP_DONTFRAGMENT and IPV6_DONTFRAG: TCP finds out the path's MTU, others let packets be cut."""
    return int(endpoint.socket_type == SOCK_STREAM)


def common(level: int) -> dict[int, Option]:
    """The rows that do not depend on the host's numbers."""
    return {
        **control_switches(level),
        **receive_list(level),
        **groups(),
        IP_PROTECTION_LEVEL: Option(default=PROTECTION_LEVEL_DEFAULT, allowed=_PROTECTION_LEVELS, state=only_unbound),
        IP_RTHDR: Option(size=0, lengths=Lengths.VARIABLE, read=empty, write=only_empty),
    }


def index_writer(pack: Callable[[int], bytes], host_level: int, host_option: int | None, key: Any) -> Writer:
    """Sets an interface by its index, in host order."""

    def set_index(endpoint: HostSocket, value: bytes) -> None:
        index = check_interface(number(value))
        if host_option is not None:
            endpoint.set_on_host(host_level, host_option, pack(index))
        endpoint.settings[key] = index

    return set_index


big_endian: Final = struct.Struct("!I").pack
host_endian: Final = struct.Struct("=I").pack
