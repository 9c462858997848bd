"""The host's network interfaces: addresses, masks, flags, indexes, and the local address a destination is reached from.

Part played:     what tcpip.sys tells mswsock about interfaces and routes.
Lives here:      `HostNetwork`, the one object that control codes ask; a test puts a network of its own in its place.
Lives elsewhere: news of changes (changes), the records that programs get (ioctls, addresslists).
Host calls:      getifaddrs of the C library, on every POSIX host; only Linux tells the state of an IPv6 address
                 (/proc/net/if_inet6), others count as preferred. The way to a destination is found by connecting a
                 datagram socket, which sends nothing.
Sources:         getifaddrs(3), proc(5), ns-ws2ipdef-interface_info.
"""

from __future__ import annotations

import _socket
import ctypes
import errno
import functools
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import attrs

from ...defs.codes import WSAENETUNREACH, WSAENOBUFS
from ...defs.constants import (
    AF_INET,
    AF_INET6,
    IFF_BROADCAST,
    IFF_LOOPBACK,
    IFF_MULTICAST,
    IFF_POINTTOPOINT,
    IFF_UP,
)
from ...defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ...errors import WinsockError
from .changes import ChangeSource, open_source
from .translate import HOST_FAMILY, HOST_INET, HOST_INET6, from_host, host_address, windows_address

_IS_LINUX: Final = sys.platform == "linux"
_HAS_LENGTH_BYTE: Final = sys.platform == "darwin" or "bsd" in sys.platform  # sa_len stands before sa_family

# net/if.h; hosts agree on all but the last.
_HOST_UP, _HOST_BROADCAST, _HOST_LOOPBACK, _HOST_POINTTOPOINT = 0x1, 0x2, 0x8, 0x10
_HOST_MULTICAST: Final = 0x1000 if _IS_LINUX else 0x8000
_FLAGS: Final = (
    (_HOST_UP, IFF_UP),
    (_HOST_BROADCAST, IFF_BROADCAST),
    (_HOST_LOOPBACK, IFF_LOOPBACK),
    (_HOST_POINTTOPOINT, IFF_POINTTOPOINT),
    (_HOST_MULTICAST, IFF_MULTICAST),
)

_IF_INET6: Final = "/proc/net/if_inet6"
# linux/if_addr.h: duplicate address detection has failed or goes on, or the address is deprecated.
_NOT_PREFERRED: Final = 0x08 | 0x20 | 0x40

_ANY_PORT: Final = 9  # hosts do not connect to port 0; no packet is sent


@attrs.frozen(kw_only=True)
class InterfaceAddress:
    """One unicast address of one interface.

    Attributes:
        name, index: the interface as the host calls and numbers it.
        flags: IFF_UP and the other flags of ws2ipdef.h.
        address: with port 0; a link-local IPv6 address has the interface's index as its scope.
        netmask: of the same family, port 0.
        broadcast: the broadcast address of its network, or the other end of a point-to-point link; None without one.
        preferred: free to use: no duplicate, no longer checked for one, not deprecated.
    """

    name: str
    index: int
    flags: int
    address: SockAddr
    netmask: SockAddr
    broadcast: SockAddr | None = None
    preferred: bool = True


class _Ifaddrs(ctypes.Structure):
    _fields_ = (
        ("next", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("flags", ctypes.c_uint),
        ("address", ctypes.c_void_p),
        ("netmask", ctypes.c_void_p),
        ("other", ctypes.c_void_p),  # broadcast address or other end
        ("data", ctypes.c_void_p),
    )


@functools.cache
def _library() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _ifaddrs() -> Iterator[_Ifaddrs]:
    """The entries of getifaddrs; each is valid until the next one is asked for."""
    first = ctypes.c_void_p()
    library = _library()
    if library.getifaddrs(ctypes.byref(first)):
        raise WinsockError(WSAENOBUFS) from OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    try:
        at = first.value
        while at:
            entry = _Ifaddrs.from_address(at)
            yield entry
            at = entry.next
    finally:
        library.freeifaddrs(first)


def _family(address: int) -> int:
    """The host's family of the sockaddr at an address."""
    if _HAS_LENGTH_BYTE:
        return ctypes.c_uint8.from_address(address + 1).value
    return ctypes.c_uint16.from_address(address).value


def _sockaddr(address: int | None, family: int, index: int) -> SockAddr | None:
    """The IP address in a host sockaddr; the family is given, as that of a mask may be left out."""
    if not address:
        return None
    if family == HOST_INET:
        return sockaddr_in(ctypes.string_at(address + 4, 4))
    packed = ctypes.string_at(address + 8, 16)
    if not _is_link_local(packed):
        return sockaddr_in6(packed)
    # The BSDs keep the scope inside of the address.
    return sockaddr_in6(packed[:2] + bytes(2) + packed[4:], scope_id=index)


def _is_link_local(packed: bytes) -> bool:
    return packed[0] == 0xFE and packed[1] & 0xC0 == 0x80


def _states() -> dict[tuple[str, bytes], int]:
    """The state of each IPv6 address that the host tells about: (interface, address) to IFA_F_ flags."""
    states = {}
    try:
        with open(_IF_INET6, encoding="ascii") as table:
            for line in table:
                packed, _, _, _, flags, name = line.split()
                states[name, bytes.fromhex(packed)] = int(flags, 16)
    except OSError:
        return {}  # no such host, or one without IPv6
    return states


def _interface_index(name: str) -> int:
    try:
        return _socket.if_nametoindex(name)
    except OSError:
        return 0  # it has gone in between


class HostNetwork:
    """The host's network, as control codes see it. What a test replaces has these three methods."""

    def interfaces(self) -> list[InterfaceAddress]:
        """Every IPv4 and IPv6 address of every interface, in the host's order, those that are down included.

        Raises:
            WinsockError: WSAENOBUFS, the host cannot tell.
        """
        states = _states()
        found = []
        for entry in _ifaddrs():
            family = _family(entry.address) if entry.address else 0
            if family not in (HOST_INET, HOST_INET6):
                continue
            name = os.fsdecode(entry.name)
            index = _interface_index(name)
            address = _sockaddr(entry.address, family, index)
            netmask = _sockaddr(entry.netmask, family, 0)
            assert address is not None
            has_other = entry.flags & (_HOST_BROADCAST | _HOST_POINTTOPOINT)
            found.append(
                InterfaceAddress(
                    name=name,
                    index=index,
                    flags=sum(ours for theirs, ours in _FLAGS if entry.flags & theirs),
                    address=address,
                    netmask=netmask or (sockaddr_in(bytes(4)) if family == HOST_INET else sockaddr_in6(bytes(16))),
                    broadcast=_sockaddr(entry.other, family, index) if has_other and family == HOST_INET else None,
                    preferred=not states.get((name, address.packed), 0) & _NOT_PREFERRED,
                )
            )
        return found

    def source_for(self, destination: SockAddr) -> SockAddr:
        """The local address from which the host would send to a destination, with port 0; multicast is allowed.

        Raises:
            WinsockError: WSAENETUNREACH, WSAEHOSTUNREACH, WSAENETDOWN and what else the host says to a destination
                that it has no way to.
        """
        family = HOST_FAMILY[destination.family]
        port = destination.port or _ANY_PORT
        whole = SockAddr(destination[:2] + port.to_bytes(2, "big") + destination[4:])
        with closing(_datagram_socket(family)) as probe:
            try:
                probe.connect(host_address(whole))
                source = windows_address(probe.getsockname(), family)
            except OSError as failure:
                if failure.errno == errno.EADDRNOTAVAIL:  # there is no local address that it could be
                    raise WinsockError(WSAENETUNREACH) from failure
                raise from_host(failure) from failure
        if not any(source.packed):
            raise WinsockError(WSAENETUNREACH)
        return SockAddr(source[:2] + bytes(2) + source[4:])

    def changes(self) -> ChangeSource:
        """What tells that addresses or routes may have changed."""
        return open_source()


def _datagram_socket(family: int) -> _socket.socket:
    try:
        made = _socket.socket(family, int(_socket.SOCK_DGRAM), 0)
    except OSError as failure:
        raise from_host(failure) from failure
    # Otherwise the host refuses the broadcast address.
    made.setsockopt(int(_socket.SOL_SOCKET), int(_socket.SO_BROADCAST), 1)
    return made


def is_loopback_or_link_local(address: SockAddr) -> bool:
    """127/8 and 169.254/16, ::1 and fe80::/10: what has no meaning beyond its link."""
    packed = address.packed
    if address.family == AF_INET:
        return packed[0] == 127 or packed[:2] == b"\xa9\xfe"
    return address.family == AF_INET6 and (_is_link_local(packed) or packed == bytes(15) + b"\1")
