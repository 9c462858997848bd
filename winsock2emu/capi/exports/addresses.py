"""Addresses as text.

Part played:     inet_addr, inet_ntoa, inet_pton, inet_ntop, their wide forms, WSAAddressToString,
                 WSAStringToAddress.
Lives elsewhere: the grammar of the texts (ws2_32.addresses, defs.addresstext).
Sources:         nf-winsock2-inet_addr, -inet_ntoa, nf-ws2tcpip-inet_pton, -inet_ntop,
                 nf-winsock2-wsaaddresstostringw, nf-winsock2-wsastringtoaddressw.
Memory:          inet_ntoa returns a buffer of the calling thread, overwritten by its next call.
Lengths:         texts in characters with their NUL, addresses in bytes.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Final

from ... import ws2_32
from ...defs.codes import WSAEFAULT
from ...defs.constants import AF_INET6
from ...defs.records import PROTOCOL_INFOA_SIZE, PROTOCOL_INFOW_SIZE
from ...errors import WinsockError
from .. import memory
from ..threads import made_by_c
from ._sockaddr import incoming, outgoing
from .protocols import protocol_info

__all__ = [
    "InetNtopW",
    "InetPtonW",
    "WSAAddressToStringA",
    "WSAAddressToStringW",
    "WSAStringToAddressA",
    "WSAStringToAddressW",
    "inet_addr",
    "inet_ntoa",
    "inet_ntop",
    "inet_pton",
]

_INADDR_SIZE: Final = 4
_IN6ADDR_SIZE: Final = 16


class _PerThread(threading.local):
    def __init__(self) -> None:
        made_by_c()  # its threads keep the buffer, too
        self.text = ctypes.create_string_buffer(16)
        self.address = ctypes.addressof(self.text)


_this_thread = _PerThread()


def inet_addr(cp: int) -> int:
    return ws2_32.inet_addr(memory.ansi_bytes(cp))


def inet_ntoa(in_: int) -> int:
    thread = _this_thread
    thread.text.value = ws2_32.inet_ntoa(in_).encode("ascii")
    return thread.address


def inet_pton(Family: int, pszAddrString: int, pAddrBuf: int) -> int:
    # As bytes: whatever is no ASCII is no address, whichever code page it was meant in.
    return ws2_32.inet_pton(Family, memory.ansi_bytes(pszAddrString), _packed_view(Family, pAddrBuf))


def InetPtonW(Family: int, pszAddrString: int, pAddrBuf: int) -> int:
    return ws2_32.InetPtonW(Family, memory.wide(pszAddrString), _packed_view(Family, pAddrBuf))


def inet_ntop(Family: int, pAddr: int, pStringBuf: int, StringBufSize: int) -> int:
    room = StringBufSize if pStringBuf >= memory.LOWEST else 0
    memory.write(pStringBuf, memory.to_ansi(ws2_32.inet_ntop(Family, _packed(Family, pAddr), room)))
    return pStringBuf


def InetNtopW(Family: int, pAddr: int, pStringBuf: int, StringBufSize: int) -> int:
    room = StringBufSize if pStringBuf >= memory.LOWEST else 0
    memory.write(pStringBuf, memory.to_wide(ws2_32.InetNtopW(Family, _packed(Family, pAddr), room)))
    return pStringBuf


def WSAAddressToStringA(
    lpsaAddress: int,
    dwAddressLength: int,
    lpProtocolInfo: int,
    lpszAddressString: int,
    lpdwAddressStringLength: int,
) -> int:
    return _address_to_string(
        lpsaAddress,
        dwAddressLength,
        lpProtocolInfo,
        PROTOCOL_INFOA_SIZE,
        lpszAddressString,
        lpdwAddressStringLength,
        memory.to_ansi,
    )


def WSAAddressToStringW(
    lpsaAddress: int,
    dwAddressLength: int,
    lpProtocolInfo: int,
    lpszAddressString: int,
    lpdwAddressStringLength: int,
) -> int:
    return _address_to_string(
        lpsaAddress,
        dwAddressLength,
        lpProtocolInfo,
        PROTOCOL_INFOW_SIZE,
        lpszAddressString,
        lpdwAddressStringLength,
        memory.to_wide,
    )


def WSAStringToAddressA(
    AddressString: int, AddressFamily: int, lpProtocolInfo: int, lpAddress: int, lpAddressLength: int
) -> int:
    text = memory.ansi(AddressString)
    return _string_to_address(text, AddressFamily, lpProtocolInfo, PROTOCOL_INFOA_SIZE, lpAddress, lpAddressLength)


def WSAStringToAddressW(
    AddressString: int, AddressFamily: int, lpProtocolInfo: int, lpAddress: int, lpAddressLength: int
) -> int:
    text = memory.wide(AddressString)
    return _string_to_address(text, AddressFamily, lpProtocolInfo, PROTOCOL_INFOW_SIZE, lpAddress, lpAddressLength)


def _packed_size(family: int) -> int:
    return _IN6ADDR_SIZE if family == AF_INET6 else _INADDR_SIZE


def _packed(family: int, address: int) -> bytes | None:
    return memory.read(address, _packed_size(family))


def _packed_view(family: int, address: int) -> memoryview | None:
    return memory.view(address, _packed_size(family))


def _address_to_string(
    address: int,
    length: int,
    info: int,
    info_size: int,
    text: int,
    text_length: int,
    encode: Callable[[str], bytes],
) -> int:
    protocol = protocol_info(info, info_size)
    if text_length < memory.LOWEST:
        ws2_32.WSAAddressToString(None, protocol)  # refused as a NULL address is
        raise WinsockError(WSAEFAULT)
    room = memory.load_u32(text_length) if text >= memory.LOWEST else 0
    try:
        result = ws2_32.WSAAddressToString(incoming(address, length), protocol, room)
    except WinsockError as failure:
        if failure.needed is not None:
            memory.store_32(text_length, failure.needed)
        raise
    memory.write(text, encode(result))
    memory.store_32(text_length, len(result) + 1)
    return 0


def _string_to_address(
    text: str | None, family: int, info: int, info_size: int, address: int, address_length: int
) -> int:
    known = address_length >= memory.LOWEST
    room = memory.load_i32(address_length) if known and address >= memory.LOWEST else 0
    try:
        result = ws2_32.WSAStringToAddress(text, family, protocol_info(info, info_size), room)
    except WinsockError as failure:
        if failure.needed is not None and known:
            memory.store_32(address_length, failure.needed)
        elif failure.address is not None and len(failure.address) <= room:
            # Bad text: the structure holds what was read before the fault, its length is not told.
            memory.write(address, failure.address)
        raise
    outgoing(address, address_length, result)
    return 0
