"""Names and addresses of hosts and services.

Part played:     getaddrinfo and getnameinfo in both forms, gethostbyname, gethostname, getservbyname, getservbyport,
                 getprotobyname, getprotobynumber.
Lives elsewhere: the answers (ws2_32.names).
Sources:         nf-ws2tcpip-getaddrinfo, -freeaddrinfo, -getnameinfo, nf-winsock2-gethostbyname,
                 -gethostname, -gethostnamew, ns-ws2def-addrinfoa, ns-winsock-hostent, -servent, -protoent.
Memory:          an addrinfo chain is one block with all its addresses and names; freeaddrinfo frees it by
                 its first record. A HOSTENT, SERVENT or PROTOENT belongs to the calling thread, has one place there and
                 lasts until the thread's next call that gives such a record.
"""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from ... import ws2_32
from ...defs.codes import WSAEFAULT, WSAEINVAL, WSAHOST_NOT_FOUND
from ...defs.constants import NI_NAMEREQD, NI_NUMERICHOST, NI_NUMERICSERV
from ...defs.records import AddrInfo, HostEnt, ProtoEnt, ServEnt
from ...defs.sockaddr import SockAddr
from ...errors import WinsockError
from ...process import current_process
from .. import memory
from ..threads import made_by_c
from ._sockaddr import incoming

__all__ = [
    "FreeAddrInfoW",
    "GetAddrInfoW",
    "GetHostNameW",
    "GetNameInfoW",
    "freeaddrinfo",
    "getaddrinfo",
    "gethostbyname",
    "gethostname",
    "getnameinfo",
    "getprotobyname",
    "getprotobynumber",
    "getservbyname",
    "getservbyport",
]

_ADDRINFO: Final = struct.Struct("<4i4Q")  # flags, family, socktype, protocol; addrlen, canonname, addr, next
_CANONNAME: Final = 24
_ADDR: Final = 32
_NEXT: Final = 40

# HOSTENT: name, aliases, addrtype and length as shorts, addr_list. SERVENT: name, aliases, proto, port as a short.
# PROTOENT: name, aliases, proto as a short.
_SIZES: Final[dict[type, int]] = {HostEnt: 32, ServEnt: 32, ProtoEnt: 24}
_ROOM: Final = 1024  # MAXGETHOSTSTRUCT: no ordinary record needs more

Encode = Callable[[str], bytes]
Record = HostEnt | ServEnt | ProtoEnt


class _PerThread(threading.local):
    def __init__(self) -> None:
        self.places: dict[type, ctypes.Array[ctypes.c_char]] = {}


_this_thread = _PerThread()


def getaddrinfo(pNodeName: int, pServiceName: int, pHints: int, ppResult: int) -> int:
    node, service = memory.ansi(pNodeName), memory.ansi(pServiceName)
    return _getaddrinfo(node, service, pHints, ppResult, memory.to_ansi)


def GetAddrInfoW(pNodeName: int, pServiceName: int, pHints: int, ppResult: int) -> int:
    node, service = memory.wide(pNodeName), memory.wide(pServiceName)
    return _getaddrinfo(node, service, pHints, ppResult, memory.to_wide)


def freeaddrinfo(pAddrInfo: int) -> None:
    memory.take_back(pAddrInfo)


def FreeAddrInfoW(pAddrInfo: int) -> None:
    memory.take_back(pAddrInfo)


def getnameinfo(
    pSockaddr: int,
    SockaddrLength: int,
    pNodeBuffer: int,
    NodeBufferSize: int,
    pServiceBuffer: int,
    ServiceBufferSize: int,
    Flags: int,
) -> int:
    node, service = (pNodeBuffer, NodeBufferSize), (pServiceBuffer, ServiceBufferSize)
    return _getnameinfo(incoming(pSockaddr, SockaddrLength), node, service, Flags, memory.to_ansi, 1)


def GetNameInfoW(
    pSockaddr: int,
    SockaddrLength: int,
    pNodeBuffer: int,
    NodeBufferSize: int,
    pServiceBuffer: int,
    ServiceBufferSize: int,
    Flags: int,
) -> int:
    node, service = (pNodeBuffer, NodeBufferSize), (pServiceBuffer, ServiceBufferSize)
    return _getnameinfo(incoming(pSockaddr, SockaddrLength), node, service, Flags, memory.to_wide, 2)


def gethostbyname(name: int) -> int:
    return _kept(ws2_32.gethostbyname(memory.ansi(name)))


def getservbyname(name: int, proto: int) -> int:
    return _kept(ws2_32.getservbyname(memory.ansi(name), memory.ansi(proto)))


def getservbyport(port: int, proto: int) -> int:
    return _kept(ws2_32.getservbyport(port, memory.ansi(proto)))


def getprotobyname(name: int) -> int:
    return _kept(ws2_32.getprotobyname(memory.ansi(name)))


def getprotobynumber(number: int) -> int:
    return _kept(ws2_32.getprotobynumber(number))


def gethostname(name: int, namelen: int) -> int:
    return _store_hostname(name, namelen, memory.to_ansi, 1)


def GetHostNameW(name: int, namelen: int) -> int:
    return _store_hostname(name, namelen, memory.to_wide, 2)


def _getaddrinfo(node: str | None, service: str | None, hints: int, result: int, encode: Encode) -> int:
    if result < memory.LOWEST:
        current_process().check_started()
        raise WinsockError(WSAEFAULT)
    memory.store_u64(result, 0)  # whatever comes of it, the caller never finds an old pointer there
    found = ws2_32.getaddrinfo(node, service, _hints(hints))
    if found:
        memory.store_u64(result, memory.hand_out(_chain(found, encode)))
    return 0


def _hints(pointer: int) -> AddrInfo | None:
    raw = memory.read(pointer, _ADDRINFO.size)
    if raw is None:
        return None
    flags, family, socktype, protocol, *reserved = _ADDRINFO.unpack(raw)
    # Any of the four members that must be zero is shown to the API as an address that has no place in hints.
    address = SockAddr() if any(reserved) else None
    return AddrInfo(flags=flags, family=family, socktype=socktype, protocol=protocol, addr=address)


def _chain(found: Sequence[AddrInfo], encode: Encode) -> memory.Block:
    block = memory.Block()
    nodes = [
        block.add(
            _ADDRINFO.pack(
                info.flags,
                info.family,
                info.socktype,
                info.protocol,
                0 if info.addr is None else len(info.addr),
                0,
                0,
                0,
            )
        )
        for info in found
    ]
    for node, following in pairwise(nodes):
        block.point(node + _NEXT, following)
    for node, info in zip(nodes, found, strict=True):
        if info.canonname is not None:
            block.point(node + _CANONNAME, block.add(encode(info.canonname), 2))
        if info.addr is not None:
            block.point(node + _ADDR, block.add(info.addr))
    return block


def _getnameinfo(
    address: bytes | None,
    node: tuple[int, int],
    service: tuple[int, int],
    flags: int,
    encode: Encode,
    unit: int,
) -> int:
    """``unit``: bytes of a character."""
    if not node[0]:  # nobody wants the name, so nobody need look for it
        flags = flags & ~NI_NAMEREQD | NI_NUMERICHOST
    shape = None
    if not node[0] and not service[0]:
        shape = WSAHOST_NOT_FOUND
    elif (node[0] and not node[1]) or (service[0] and not service[1]):
        shape = WSAEINVAL
    if shape is not None:
        ws2_32.getnameinfo(address, NI_NUMERICHOST | NI_NUMERICSERV)  # a bad address comes first
        raise WinsockError(shape)
    texts = ws2_32.getnameinfo(address, flags)
    stores = []
    for (buffer, size), text in zip((node, service), texts, strict=True):
        if not buffer:
            continue
        encoded = encode(text)
        if buffer < memory.LOWEST or len(encoded) > size * unit:
            raise WinsockError(WSAEFAULT)
        stores.append((buffer, encoded))
    for buffer, encoded in stores:
        memory.write(buffer, encoded)
    return 0


def _kept(record: Record) -> int:
    """The record in the thread's place for its kind."""
    block = packed(record)
    made_by_c()  # its threads keep the record, too
    places = _this_thread.places
    place = places.get(type(record))
    if place is None or len(place) < block.size:
        place = places[type(record)] = ctypes.create_string_buffer(max(block.size, _ROOM))
    address = ctypes.addressof(place)
    block.place_at(address)
    return address


def packed(record: Record) -> memory.Block:
    """The record of a host, service or protocol in the layout of C: the record, its arrays, addresses, texts."""
    block = memory.Block()
    place = block.add(bytes(_SIZES[type(record)]))
    aliases = block.add(bytes(8 * (len(record.aliases) + 1)))
    block.point(place + 8, aliases)
    if isinstance(record, HostEnt):
        block.put(place + 16, "hh", record.addrtype, len(record.addresses[0]) if record.addresses else 0)
        addresses = block.add(bytes(8 * (len(record.addresses) + 1)))
        block.point(place + 24, addresses)
        for number, address in enumerate(record.addresses):
            block.point(addresses + 8 * number, block.add(address, 4))
    elif isinstance(record, ServEnt):
        block.put(place + 24, "H", record.port)
        block.point(place + 16, _text(block, record.proto))
    else:
        block.put(place + 16, "h", record.proto)
    block.point(place, _text(block, record.name))
    for number, alias in enumerate(record.aliases):
        block.point(aliases + 8 * number, _text(block, alias))
    return block


def _text(block: memory.Block, text: str) -> int:
    return block.add(memory.to_ansi(text), 1)


def _store_hostname(buffer: int, size: int, encode: Encode, unit: int) -> int:
    encoded = encode(ws2_32.gethostname())
    if buffer < memory.LOWEST or len(encoded) > size * unit:
        raise WinsockError(WSAEFAULT)
    memory.write(buffer, encoded)
    return 0
