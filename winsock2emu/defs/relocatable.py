"""Bytes that point into themselves.

Part played:     a record with pointers in it, on its way between a provider and a caller's buffer, which only the C ABI
                 knows the address of.
Lives here:      the convention, and the step from offsets to addresses.
Lives elsewhere: the records that need it (addresslist), the caller's memory (capi).

A pointer field holds the offset of what it points to, counted from the first byte; 0 is NULL, since nothing can point
to the beginning of its own record. So the Python API can hand the record out as it is, and a C caller gets it as it
lies at a given address.
"""

from __future__ import annotations

from collections.abc import Iterable

POINTER_SIZE = 8  # of the 64-bit Windows ABI


class Relocatable(bytes):
    """A record whose pointers are offsets.

    Attributes:
        pointers: where its pointer fields lie, as offsets from its first byte.
    """

    pointers: tuple[int, ...]

    def __new__(cls, data: bytes, pointers: Iterable[int]) -> Relocatable:
        self = super().__new__(cls, data)
        self.pointers = tuple(pointers)
        return self

    def at(self, address: int) -> bytes:
        """The record as it lies in memory at ``address``, with real pointers."""
        placed = bytearray(self)
        for field in self.pointers:
            offset = int.from_bytes(self[field : field + POINTER_SIZE], "little")
            if offset:
                placed[field : field + POINTER_SIZE] = (address + offset).to_bytes(POINTER_SIZE, "little")
        return bytes(placed)
