"""Control data: what a WSAMSG holds beside the data, as cases write and read it.

Part played:     the WSA_CMSG_ macros of ws2def.h.
Sources:         ns-ws2def-wsamsg, ws2def.h; sizes as compiled for x86-64.
"""

from __future__ import annotations

HEADER = 16  # cmsg_len 8, cmsg_level 4, cmsg_type 4
ALIGNMENT = 8


def space(size: int) -> int:
    """Return the bytes that an object with ``size`` bytes of data takes (WSA_CMSG_SPACE)."""
    return HEADER + size + -size % ALIGNMENT


def control(level: int, type: int, data: bytes | int) -> bytes:
    """Return one object with its fill; an int is an INT."""
    if isinstance(data, int):
        data = data.to_bytes(4, "little", signed=data < 0)
    header = (HEADER + len(data)).to_bytes(8, "little") + level.to_bytes(4, "little") + type.to_bytes(4, "little")
    return (header + data).ljust(space(len(data)), b"\0")


def objects(data: bytes) -> dict[tuple[int, int], bytes]:
    """Return the data of each object by level and type.

    Raises:
        ValueError: an object does not fit in.
    """
    found = {}
    at = 0
    while at + HEADER <= len(data):
        size = int.from_bytes(data[at : at + 8], "little")
        if not HEADER <= size <= len(data) - at:
            raise ValueError(f"cmsg_len {size} with {len(data) - at} bytes left")
        level, type = (int.from_bytes(data[at + field : at + field + 4], "little") for field in (8, 12))
        found[level, type] = data[at + HEADER : at + size]
        at += size + -size % ALIGNMENT
    return found
