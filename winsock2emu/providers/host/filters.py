"""Whole source filters of multicast groups: read and replaced in one go.

Part played:     the final-state half of tcpip.sys's multicast interface.
Lives here:      the two records, IP_MSFILTER with addresses and GROUP_FILTER with SOCKADDR_STORAGEs, and the way from
                 the filter there is to the one that is wanted.
Lives elsewhere: memberships and the single steps (membership), the table of codes (ioctls).
Rules:           MCAST_EXCLUDE takes data from everyone but the sources listed, MCAST_INCLUDE from those only; to
                 include nobody is to leave the group. A socket that is no member becomes one.
Differences:     the steps are taken one after the other, so data may be missed while a filter turns from one kind into
                 the other.
Sources:         final-state-based-multicast-programming, ns-ws2ipdef-ip_msfilter, ns-ws2ipdef-group_filter; RFC 3678;
                 R5.41 of the project's reference.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

import attrs

from ...defs.codes import WSAEADDRNOTAVAIL, WSAEFAULT, WSAEINVAL
from ...defs.constants import AF_INET, AF_INET6, MCAST_EXCLUDE, MCAST_INCLUDE
from ...defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ...errors import WinsockError
from .datagram import DatagramSocket
from .membership import Membership, block, index_of, interface_of, join, leave, unblock

if TYPE_CHECKING:
    from .ioctls import Request

IP_FILTER_SIZE: Final = 16
"""Bytes of an IP_MSFILTER before its sources, which have four each."""

GROUP_FILTER_SIZE: Final = 144
"""Bytes of a GROUP_FILTER before its sources, which have `STORAGE` each."""

STORAGE: Final = 128

_ip_filter: Final = struct.Struct("<4s4sII")
_group_filter: Final = struct.Struct(f"<I4x{STORAGE}sII")


@attrs.frozen
class Filter:
    """The group and the interface's index, MCAST_INCLUDE or MCAST_EXCLUDE, and the sources that this is about."""

    group: bytes
    index: int
    mode: int
    sources: tuple[bytes, ...]


def _read_ip_filter(request: Request, *, sources: bool) -> Filter:
    data = request.data
    assert data is not None
    group, where, mode, count = _ip_filter.unpack_from(data)
    listed = data[IP_FILTER_SIZE:] if sources else b""
    if sources and len(listed) < 4 * count:
        raise WinsockError(WSAEFAULT)
    addresses = tuple(bytes(listed[at : at + 4]) for at in range(0, 4 * count if sources else 0, 4))
    return Filter(group, interface_of(request.endpoint, group, index_of(where)), mode, addresses)


def _packed(storage: bytes) -> bytes:
    """The IP address in a SOCKADDR_STORAGE."""
    address = SockAddr(storage)
    if address.family not in (AF_INET, AF_INET6):
        raise WinsockError(WSAEINVAL)
    return address.packed


def _read_group_filter(request: Request, *, sources: bool) -> Filter:
    data = request.data
    assert data is not None
    index, storage, mode, count = _group_filter.unpack_from(data)
    listed = data[GROUP_FILTER_SIZE:] if sources else b""
    if sources and len(listed) < STORAGE * count:
        raise WinsockError(WSAEFAULT)
    group = _packed(storage)
    addresses = tuple(_packed(listed[at : at + STORAGE]) for at in range(0, STORAGE * count if sources else 0, STORAGE))
    if any(len(address) != len(group) for address in addresses):
        raise WinsockError(WSAEINVAL)
    return Filter(group, interface_of(request.endpoint, group, index), mode, addresses)


def _membership(request: Request, wanted: Filter) -> Membership | None:
    """The membership that a filter belongs to; None without one."""
    endpoint = request.endpoint
    assert isinstance(endpoint, DatagramSocket)
    found = (endpoint.groups or {}).get((wanted.group, wanted.index))
    return None if found is None or found.over else found


def _current(request: Request, wanted: Filter) -> tuple[int, list[bytes]]:
    """(mode, sources) of the filter there is."""
    membership = _membership(request, wanted)
    if membership is None:
        raise WinsockError(WSAEADDRNOTAVAIL)
    if membership.sources is None:
        return MCAST_EXCLUDE, sorted(membership.blocked)
    return MCAST_INCLUDE, sorted(membership.sources)


def _replace(request: Request, wanted: Filter) -> None:
    if wanted.mode not in (MCAST_EXCLUDE, MCAST_INCLUDE):
        raise WinsockError(WSAEINVAL)
    where = request.endpoint, wanted.group, wanted.index
    sources, only_these = set(wanted.sources), wanted.mode == MCAST_INCLUDE
    membership = _membership(request, wanted)
    other_kind = membership is not None and (membership.sources is not None) != only_these
    if membership is not None and (other_kind or (only_these and not sources)):
        leave(*where, None)
        membership = None
    if only_these:
        add, drop = join, leave
        known = set() if membership is None else set(membership.sources or ())
    else:
        add, drop = block, unblock
        if membership is None:
            join(*where, None)
        known = set() if membership is None else set(membership.blocked)
    for source in sorted(sources - known):
        add(*where, source)
    for source in sorted(known - sources):
        drop(*where, source)


def set_ip_filter(request: Request) -> bytes:
    """SIO_SET_MULTICAST_FILTER."""
    _replace(request, _read_ip_filter(request, sources=True))
    return b""


def get_ip_filter(request: Request) -> bytes:
    """SIO_GET_MULTICAST_FILTER: the number of all sources, and as many of them as there is room for."""
    if request.room < IP_FILTER_SIZE:
        raise WinsockError(WSAEFAULT)
    assert request.data is not None
    asked = _read_ip_filter(request, sources=False)
    mode, sources = _current(request, asked)
    head = _ip_filter.pack(request.data[:4], request.data[4:8], mode, len(sources))
    return head + b"".join(sources[: (request.room - IP_FILTER_SIZE) // 4])


def set_group_filter(request: Request) -> bytes:
    """SIOCSMSFILTER."""
    _replace(request, _read_group_filter(request, sources=True))
    return b""


def get_group_filter(request: Request) -> bytes:
    """SIOCGMSFILTER: as `get_ip_filter`."""
    if request.room < GROUP_FILTER_SIZE:
        raise WinsockError(WSAEFAULT)
    assert request.data is not None
    asked = _read_group_filter(request, sources=False)
    mode, sources = _current(request, asked)
    index, storage = struct.unpack_from(f"<I4x{STORAGE}s", request.data)
    fit = sources[: (request.room - GROUP_FILTER_SIZE) // STORAGE]
    return _group_filter.pack(index, storage, mode, len(sources)) + b"".join(map(_storage, fit))


def _storage(packed: bytes) -> bytes:
    address = sockaddr_in(packed) if len(packed) == 4 else sockaddr_in6(packed)
    return address.ljust(STORAGE, b"\0")
