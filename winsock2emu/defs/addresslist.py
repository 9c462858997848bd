"""SOCKET_ADDRESS_LIST: the record in which control codes hand over addresses.

Part played:     SOCKET_ADDRESS_LIST and SOCKET_ADDRESS of ws2def.h.
Lives here:      its memory form, both ways; the addresses follow the array, each on a multiple of four bytes.
Lives elsewhere: single addresses (sockaddr), which code gives or takes a list (providers), C memory (capi).
Sources:         ns-ws2def-socket_address_list; layout in defs/layouts.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from .relocatable import Relocatable
from .sockaddr import SockAddr

HEADER_SIZE: Final = 8
"""Bytes before the first SOCKET_ADDRESS: the count, and what aligns the array."""

ENTRY_SIZE: Final = 16
"""Bytes of a SOCKET_ADDRESS: a pointer and a length."""

_entry: Final = struct.Struct("<Qi4x")


def pack_address_list(addresses: Sequence[bytes]) -> Relocatable:
    """The record for these addresses, in this order; `Relocatable` tells how its pointers are meant."""
    fields = range(HEADER_SIZE, HEADER_SIZE + ENTRY_SIZE * len(addresses), ENTRY_SIZE)
    record = bytearray(HEADER_SIZE + ENTRY_SIZE * len(addresses))
    record[:4] = len(addresses).to_bytes(4, "little")
    for field, address in zip(fields, addresses, strict=True):
        _entry.pack_into(record, field, len(record), len(address))
        record += address + bytes(-len(address) % 4)
    return Relocatable(bytes(record), fields)


def unpack_address_list(record: bytes, base: int = 0) -> list[SockAddr]:
    """The addresses of a record whose pointers count from ``base``: 0 as the Python API has them, else its address.

    Raises:
        ValueError: the record is cut off, or one of its pointers leads out of it.
    """
    count = int.from_bytes(record[:4], "little", signed=True)
    if len(record) < HEADER_SIZE or not 0 <= count <= (len(record) - HEADER_SIZE) // ENTRY_SIZE:
        raise ValueError(f"a SOCKET_ADDRESS_LIST of {count} addresses does not fit into {len(record)} bytes")
    addresses = []
    for index in range(count):
        pointer, length = _entry.unpack_from(record, HEADER_SIZE + ENTRY_SIZE * index)
        if not base <= pointer <= base + len(record) - length or length < 0:
            raise ValueError(f"address {index} lies outside of its SOCKET_ADDRESS_LIST")
        addresses.append(SockAddr(record[pointer - base : pointer - base + length]))
    return addresses
