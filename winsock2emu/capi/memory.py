"""Memory of the process as a C caller hands it over: plain addresses.

Part played:     the pointers of the C prototypes.
Lives here:      reading and writing numbers, bytes and texts at an address; views on caller's buffers;
                 blocks that the DLL itself hands out and takes back (addrinfo chains and the like).
Lives elsewhere: which function takes what (exports); the records as classes (structs).
Bad pointers:    Windows never maps the first 64 KiB of an address space, so an address below `LOWEST` is as
                 good as NULL, and these functions treat it so. Other wild pointers cannot be told from good
                 ones here; they end as they would in a program without structured exception handling.
Text:            the ``A`` functions speak UTF-8, the code page that current Windows offers programs as
                 their ANSI one; the ``W`` functions UTF-16. What does not decode becomes U+FFFD, what does
                 not encode ``?``.
State:           the blocks handed out are the one thing kept here. They belong to the machine process and
                 its address space, which all emulated processes share; an emulated process never looks into
                 them.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import Any, Final

LOWEST: Final = 0x10000
"""Addresses below are never valid (the NULL partition)."""

_MAX_TEXT: Final = 0x100000  # a text without an end is cut here

# One array type that covers everything behind an address: a type per length would cost 9 us each time a new
# length turns up, cutting a view down costs 0.1.
_Everything: Final = ctypes.c_char * (1 << 46 if sys.maxsize > 1 << 32 else 1 << 30)
_NOTHING: Final = memoryview(bytearray())

_u8: Final = ctypes.c_uint8.from_address
_u16: Final = ctypes.c_uint16.from_address
_i32: Final = ctypes.c_int32.from_address
_u32: Final = ctypes.c_uint32.from_address
_u64: Final = ctypes.c_uint64.from_address


def view(address: int, size: int) -> memoryview | None:
    """A writable view of ``size`` bytes, without a copy; None for a bad pointer or a negative size.

    The view does not keep the memory alive: it may be used while the C call runs, or as long as the call's
    documentation makes the caller keep the buffer. A size of 0 needs no valid pointer.
    """
    if size > 0:
        return memoryview(_Everything.from_address(address)).cast("B")[:size] if address >= LOWEST else None
    return None if size else _NOTHING


def read(address: int, size: int) -> bytes | None:
    """A copy of ``size`` bytes; None for a bad pointer or a negative size."""
    if size > 0:
        return ctypes.string_at(address, size) if address >= LOWEST else None
    return None if size else b""


def write(address: int, data: bytes) -> None:
    """Store bytes at a pointer that has been checked."""
    ctypes.memmove(address, data, len(data))


def load_i32(address: int) -> int:
    return _i32(address).value


def load_u32(address: int) -> int:
    return _u32(address).value


def load_u64(address: int) -> int:
    return _u64(address).value


def store_u16(address: int, value: int) -> None:
    _u16(address).value = value


def store_32(address: int, value: int) -> None:
    """Store a DWORD or an int; negative values in two's complement."""
    _u32(address).value = value & 0xFFFFFFFF


def store_u64(address: int, value: int) -> None:
    _u64(address).value = value


def ansi_bytes(address: int) -> bytes | None:
    """The bytes of a NUL-terminated char string, without the NUL; None for a bad pointer."""
    return ctypes.string_at(address) if address >= LOWEST else None


def ansi(address: int) -> str | None:
    """The text of a NUL-terminated char string; None for a bad pointer."""
    return ctypes.string_at(address).decode("utf-8", "replace") if address >= LOWEST else None


def wide(address: int) -> str | None:
    """The text of a NUL-terminated WCHAR string; None for a bad pointer."""
    if address < LOWEST:
        return None
    data = bytearray()
    if address & 1:  # a WCHAR may straddle two pages: go one by one
        while (unit := _u16(address).value) and len(data) < _MAX_TEXT:
            data += unit.to_bytes(2, "little")
            address += 2
        return data.decode("utf-16-le", "replace")
    while len(data) < _MAX_TEXT:
        # No further than the page the text has reached: what follows it may not be mapped.
        chunk = ctypes.string_at(address + len(data), 4096 - (address + len(data)) % 4096)
        units = memoryview(chunk).cast("H").tolist()
        if 0 in units:
            data += chunk[: units.index(0) * 2]
            break
        data += chunk
    return data.decode("utf-16-le", "replace")


def to_ansi(text: str) -> bytes:
    """A text as the ``A`` functions store it, NUL included."""
    return text.encode("utf-8", "replace") + b"\0"


def to_wide(text: str) -> bytes:
    """A text as the ``W`` functions store it, NUL included."""
    return text.encode("utf-16-le", "replace") + b"\0\0"


class Block:
    """A record under construction that points into itself: add pieces, set pointers, place it.

    Offsets count from the start of the block. Every piece is aligned to 8 unless said otherwise, and pointers
    that are never set stay NULL.
    """

    def __init__(self) -> None:
        self._data = bytearray()
        self._pointers: list[tuple[int, int]] = []

    def add(self, data: bytes, align: int = 8) -> int:
        """Append a piece and return its offset."""
        self._data += bytes(-len(self._data) % align)
        offset = len(self._data)
        self._data += data
        return offset

    def put(self, offset: int, form: str, *values: Any) -> None:
        """Store numbers at an offset, in `struct`'s notation (little-endian)."""
        struct.pack_into("<" + form, self._data, offset, *values)

    def point(self, offset: int, target: int) -> None:
        """Make the pointer at ``offset`` point to ``target``."""
        self._pointers.append((offset, target))

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        return len(self._data)

    def place_at(self, address: int) -> None:
        """Put the finished block into memory of the caller's."""
        write(address, bytes(self._data))
        for offset, target in self._pointers:
            _u64(address + offset).value = address + target

    def place(self) -> ctypes.Array[ctypes.c_char]:
        """The finished block in memory that lives as long as the returned array."""
        block = ctypes.create_string_buffer(max(self.size, 1))
        self.place_at(ctypes.addressof(block))
        return block


_handed_out: dict[int, ctypes.Array[ctypes.c_char]] = {}


def hand_out(block: Block) -> int:
    """Place a block, keep it until `take_back`, and return its address."""
    placed = block.place()
    address = ctypes.addressof(placed)
    _handed_out[address] = placed
    return address


def take_back(address: int) -> None:
    """Free a block that `hand_out` placed. NULL and addresses that are none of ours are ignored."""
    _handed_out.pop(address, None)
