"""Multicast groups: who is a member of what, on which interface, and from which senders.

Part played:     the group filters of tcpip.sys (IGMP and MLD).
Lives here:      the memberships of a socket, Windows' table of what may follow what (T5.3), and the host's side of it.
Lives elsewhere: the options and the records they take (options/ip, ipv6, internet), who gets which datagrams
                 (screening), the interface that multicast is sent through (options).
State:           a membership is for a group on an interface. It takes data from everyone except those that are blocked,
                 or only from the sources it names. After its last source has been dropped the socket is no member any
                 more, but what that pair is asked for next still has another code than for a group never joined.
Interfaces:      0 is the interface that the way to the group leads through; where there is none, the loopback
                 interface, as on a machine without a network.
On the host:     the protocol-independent calls of RFC 3678, which take an index for both versions of IP. Linux hands a
                 group's datagrams to every socket of the port unless it is told not to (IP_MULTICAST_ALL).
Differences:     Linux has a limit of 20 IPv4 groups for a socket (net.ipv4.igmp_max_memberships): WSAENOBUFS.
Sources:         multicast-socket-option-behavior, ip-multicast-2, igmp-and-windows-sockets; R5.38-R5.42, T5.3, A69-A71
                 of the project's reference; RFC 3678; ip(7).
"""

from __future__ import annotations

import _socket
import errno
import struct
import sys
from typing import Final

import attrs

from ...defs.codes import WSAEADDRNOTAVAIL, WSAEINVAL
from ...defs.constants import AF_INET, AF_INET6, IFF_LOOPBACK
from ...defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ...errors import WinsockError
from .datagram import DatagramSocket
from .hostsocket import HostSocket
from .interfaces import HostNetwork
from .translate import HOST_INET, HOST_INET6

_IPV4_SIZE: Final = 4

# linux/in.h, and netinet/in.h of the BSDs and macOS.
_IS_LINUX: Final = sys.platform == "linux"
_JOIN, _LEAVE, _JOIN_SOURCE, _LEAVE_SOURCE, _BLOCK, _UNBLOCK = (
    (42, 45, 46, 47, 43, 44) if _IS_LINUX else (80, 81, 82, 83, 84, 85)
)
_LEVELS: Final = {False: 0, True: 41}

_STORAGE: Final = 128
_INDEX: Final = struct.Struct("=I" if sys.platform == "darwin" else "=I4x")

# Whatever means that a host does not know the interface, or knows better than our table.
_NOT_THERE: Final = frozenset((errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENXIO))
_GLOBAL_SCOPE: Final = 0x0E


@attrs.define
class Membership:
    """What a socket wants of a group on an interface.

    Attributes:
        sources: those it takes data from, None for everyone; empty when the last one has been dropped.
        blocked: those it takes no data from.
        unblocked: those that were blocked once.
    """

    sources: set[bytes] | None = None
    blocked: set[bytes] = attrs.field(factory=set)
    unblocked: set[bytes] = attrs.field(factory=set)

    @property
    def over(self) -> bool:
        """No member any more."""
        return self.sources is not None and not self.sources


# Interfaces


def index_of(interface: bytes) -> int:
    """The index of an interface given as four bytes: an address of it, or 0.x.x.x, which is the index itself.

    Raises:
        WinsockError: WSAEADDRNOTAVAIL, no such interface.
    """
    if not interface[0]:
        return int.from_bytes(interface, "big")
    for row in HostNetwork().interfaces():
        if row.address.family == AF_INET and row.address.packed == interface:
            return row.index
    raise WinsockError(WSAEADDRNOTAVAIL)


def interface_of(endpoint: HostSocket, group: bytes, index: int) -> int:
    """The index of the interface to join a group on.

    Args:
        endpoint: the socket.
        group: its address, 4 or 16 bytes.
        index: as the program gives it, 0 for any.

    Raises:
        WinsockError: WSAEINVAL, a group of the other version of IP; WSAEADDRNOTAVAIL, no group, or no such interface.
    """
    ipv4 = len(group) == _IPV4_SIZE
    if not ipv4 and endpoint.family != AF_INET6:
        raise WinsockError(WSAEINVAL)
    if group[0] & 0xF0 != 0xE0 if ipv4 else group[0] != 0xFF:
        raise WinsockError(WSAEADDRNOTAVAIL)
    if not index:
        return _default_interface(group)
    try:
        _socket.if_indextoname(index)
    except (OSError, OverflowError):
        raise WinsockError(WSAEADDRNOTAVAIL) from None
    return index


def _default_interface(group: bytes) -> int:
    network = HostNetwork()
    rows = network.interfaces()
    source: SockAddr | None
    try:
        if len(group) == _IPV4_SIZE:
            source = network.source_for(sockaddr_in(group))
        else:
            # The way to a group of a narrow scope cannot be asked for without an interface.
            source = network.source_for(sockaddr_in6(bytes((0xFF, group[1] & 0xF0 | _GLOBAL_SCOPE)) + group[2:]))
    except WinsockError:
        source = None
    for row in rows:
        if row.flags & IFF_LOOPBACK if source is None else row.address.packed == source.packed:
            return row.index
    raise WinsockError(WSAEADDRNOTAVAIL)


# The table


def join(endpoint: HostSocket, group: bytes, index: int, source: bytes | None) -> None:
    """Become a member; with a source, take its data and nobody else's.

    Raises:
        WinsockError: WSAEADDRNOTAVAIL, a member already; WSAEINVAL, one that has blocked a source.
    """
    groups, membership = _found(endpoint, group, index)
    if membership is None or membership.over:
        _on_host(endpoint, _JOIN if source is None else _JOIN_SOURCE, group, index, source)
        groups[group, index] = Membership(None if source is None else {source})
        return
    if membership.blocked:
        raise WinsockError(WSAEINVAL)
    if source is None or membership.sources is None or source in membership.sources:
        raise WinsockError(WSAEADDRNOTAVAIL)
    _on_host(endpoint, _JOIN_SOURCE, group, index, source)
    membership.sources.add(source)


def leave(endpoint: HostSocket, group: bytes, index: int, source: bytes | None) -> None:
    """Be no member any more; with a source, take its data no more.

    Raises:
        WinsockError: WSAEINVAL, no member, or one that takes data from everyone; WSAEADDRNOTAVAIL, not of this source.
    """
    groups, membership = _found(endpoint, group, index)
    if membership is None:
        raise WinsockError(WSAEINVAL)
    if source is None:
        if membership.over:
            raise WinsockError(WSAEINVAL)
        _leave_on_host(endpoint, _LEAVE, group, index, None)
        del groups[group, index]
        return
    if membership.sources is None:
        raise WinsockError(WSAEINVAL)
    if source not in membership.sources:
        raise WinsockError(WSAEADDRNOTAVAIL)
    _leave_on_host(endpoint, _LEAVE_SOURCE, group, index, source)
    membership.sources.remove(source)


def block(endpoint: HostSocket, group: bytes, index: int, source: bytes | None) -> None:
    """Take no data from a source of a group joined for everyone's.

    Raises:
        WinsockError: WSAEINVAL, no such member; WSAEADDRNOTAVAIL, blocked already.
    """
    membership = _of_everyone(endpoint, group, index)
    assert source is not None
    if source in membership.blocked:
        raise WinsockError(WSAEADDRNOTAVAIL)
    _on_host(endpoint, _BLOCK, group, index, source)
    membership.blocked.add(source)


def unblock(endpoint: HostSocket, group: bytes, index: int, source: bytes | None) -> None:
    """Take data again from a source that was blocked.

    Raises:
        WinsockError: WSAEINVAL, no such member, or never blocked; WSAEADDRNOTAVAIL, unblocked already.
    """
    membership = _of_everyone(endpoint, group, index)
    assert source is not None
    if source not in membership.blocked:
        raise WinsockError(WSAEADDRNOTAVAIL if source in membership.unblocked else WSAEINVAL)
    _on_host(endpoint, _UNBLOCK, group, index, source)
    membership.blocked.remove(source)
    membership.unblocked.add(source)


def _found(
    endpoint: HostSocket, group: bytes, index: int
) -> tuple[dict[tuple[bytes, int], Membership], Membership | None]:
    assert isinstance(endpoint, DatagramSocket)
    if endpoint.groups is None:
        endpoint.groups = {}
    return endpoint.groups, endpoint.groups.get((group, index))


def _of_everyone(endpoint: HostSocket, group: bytes, index: int) -> Membership:
    membership = _found(endpoint, group, index)[1]
    if membership is None or membership.sources is not None:
        raise WinsockError(WSAEINVAL)
    return membership


# The host


def _storage(address: bytes) -> bytes:
    """The host's SOCKADDR_STORAGE."""
    ipv4 = len(address) == _IPV4_SIZE
    family = HOST_INET if ipv4 else HOST_INET6
    size = 16 if ipv4 else 28
    # The BSDs have a length byte in the family's place.
    head = struct.pack("=HH", family, 0) if _IS_LINUX else struct.pack("=BBH", size, family, 0)
    return (head + (address if ipv4 else bytes(4) + address)).ljust(_STORAGE, b"\0")


def _on_host(endpoint: HostSocket, option: int, group: bytes, index: int, source: bytes | None) -> None:
    record = _INDEX.pack(index) + _storage(group) + (b"" if source is None else _storage(source))
    try:
        endpoint.host.setsockopt(_LEVELS[len(group) != _IPV4_SIZE], option, record)
    except OSError as failure:
        if failure.errno in _NOT_THERE and not endpoint.closing:
            raise WinsockError(WSAEADDRNOTAVAIL) from failure
        raise endpoint.ended(failure) from failure


def _leave_on_host(endpoint: HostSocket, option: int, group: bytes, index: int, source: bytes | None) -> None:
    """Leaving succeeds even where the interface has gone and taken the membership with it."""
    try:
        _on_host(endpoint, option, group, index, source)
    except WinsockError as failure:
        if failure.winerror != WSAEADDRNOTAVAIL:
            raise
