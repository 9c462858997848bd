"""SOCKET_ADDRESS_LIST, and what it needs: bytes that point into themselves.

Part played:     the record in which control codes take and give addresses.
Lives here:      building and reading it, without anybody's code for it.
Lives elsewhere: placing it in memory (driver): pointers of a `Pointered` record count from its first byte until then.
Sources:         SOCKET_ADDRESS_LIST and SOCKET_ADDRESS (ws2def.h), 64-bit.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

HEADER = 8  # the count, and what aligns the array
ENTRY = 16  # a pointer and a length


class Pointered(bytes):
    """A record with pointers in it.

    Attributes:
        base: what its pointers count from: 0, or its address.
        pointers: where they are, as offsets.
    """

    base: int
    pointers: tuple[int, ...]

    def __new__(cls, data: bytes, base: int = 0, pointers: Sequence[int] = ()) -> Pointered:
        self = super().__new__(cls, data)
        self.base, self.pointers = base, tuple(pointers)
        return self

    def at(self, address: int) -> bytes:
        """Return the record as it lies at an address."""
        placed = bytearray(self)
        for field in self.pointers:
            offset = int.from_bytes(self[field : field + 8], "little") - self.base
            placed[field : field + 8] = (address + offset).to_bytes(8, "little")
        return bytes(placed)


def address_list(addresses: Sequence[bytes]) -> Pointered:
    """Return the record for these addresses."""
    end = HEADER + ENTRY * len(addresses)
    record = struct.pack("<i4x", len(addresses))
    places = [end + sum(map(len, addresses[:index])) for index in range(len(addresses))]
    for place, address in zip(places, addresses, strict=True):
        record += struct.pack("<Qi4x", place, len(address))
    return Pointered(record + b"".join(addresses), pointers=range(HEADER, end, ENTRY))


def size_of(addresses: Sequence[bytes]) -> int:
    """Return how long the record for these addresses is."""
    return HEADER + sum(ENTRY + len(address) for address in addresses)


def addresses_of(record: bytes) -> list[bytes]:
    """Return the addresses in an output buffer, which its pointers must not leave."""
    base = getattr(record, "base", 0)
    found = []
    for index in range(int.from_bytes(record[:4], "little")):
        pointer, length = struct.unpack_from("<Qi", record, HEADER + ENTRY * index)
        if not 0 <= pointer - base <= len(record) - length:
            raise ValueError(f"address {index} lies outside of the output buffer")
        found.append(bytes(record[pointer - base : pointer - base + length]))
    return found
