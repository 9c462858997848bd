"""Connecting to a name or to one of several addresses.

Lives elsewhere: the calls (ws2_32.connecting).
Outputs:         an address is told where both its place and that of its length are given, as on Windows; otherwise
                 neither is touched.
Sources:         nf-winsock2-wsaconnectbynamea, -wsaconnectbynamew, -wsaconnectbylist.
"""

from __future__ import annotations

import struct
from typing import Final

from ... import ws2_32
from .. import memory
from ._sockaddr import accept_room, incoming, outgoing

__all__ = ["WSAConnectByList", "WSAConnectByNameA", "WSAConnectByNameW"]

_HEADER: Final = 8  # of a SOCKET_ADDRESS_LIST: the count, and what aligns the array
_ENTRY: Final = struct.Struct("<Qi4x")  # SOCKET_ADDRESS
_MOST: Final = 0x10000  # no list is longer

Place = tuple[int, int]


def WSAConnectByNameA(
    s: int,
    nodename: int,
    servicename: int,
    LocalAddressLength: int,
    LocalAddress: int,
    RemoteAddressLength: int,
    RemoteAddress: int,
    timeout: int,
    Reserved: int,
) -> int:
    local, remote = (LocalAddress, LocalAddressLength), (RemoteAddress, RemoteAddressLength)
    return _by_name(s, memory.ansi(nodename), memory.ansi(servicename), local, remote, timeout, Reserved)


def WSAConnectByNameW(
    s: int,
    nodename: int,
    servicename: int,
    LocalAddressLength: int,
    LocalAddress: int,
    RemoteAddressLength: int,
    RemoteAddress: int,
    timeout: int,
    Reserved: int,
) -> int:
    local, remote = (LocalAddress, LocalAddressLength), (RemoteAddress, RemoteAddressLength)
    return _by_name(s, memory.wide(nodename), memory.wide(servicename), local, remote, timeout, Reserved)


def WSAConnectByList(
    s: int,
    SocketAddress: int,
    LocalAddressLength: int,
    LocalAddress: int,
    RemoteAddressLength: int,
    RemoteAddress: int,
    timeout: int,
    Reserved: int,
) -> int:
    local, remote = (LocalAddress, LocalAddressLength), (RemoteAddress, RemoteAddressLength)
    rooms = accept_room(*local), accept_room(*remote)
    names = ws2_32.WSAConnectByList(s, _addresses(SocketAddress), *rooms, _time(timeout), Reserved or None)
    return _tell((local, remote), names)


def _by_name(
    s: int, node: str | None, service: str | None, local: Place, remote: Place, timeout: int, reserved: int
) -> int:
    rooms = accept_room(*local), accept_room(*remote)
    names = ws2_32.WSAConnectByName(s, node, service, *rooms, _time(timeout), reserved or None)
    return _tell((local, remote), names)


def _tell(places: tuple[Place, Place], names: tuple[bytes, bytes]) -> int:
    for (place, length), name in zip(places, names, strict=True):
        if place and length:
            outgoing(place, length, name)
    return 1


def _time(timeval: int) -> tuple[int, int] | None:
    """Seconds and microseconds, each a 32-bit long; None for NULL."""
    return None if timeval < memory.LOWEST else (memory.load_i32(timeval), memory.load_i32(timeval + 4))


def _addresses(pointer: int) -> list[bytes] | None:
    if pointer < memory.LOWEST:
        return None
    count = memory.load_i32(pointer)
    entries = memory.read(pointer + _HEADER, count * _ENTRY.size) if 0 < count <= _MOST else b""
    return [incoming(*entry) or b"" for entry in _ENTRY.iter_unpack(entries or b"")]
