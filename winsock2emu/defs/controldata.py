"""Control data: what travels beside a message, in the memory layout of 64-bit Windows.

Part played:     WSACMSGHDR and the WSA_CMSG_ macros of ws2def.h.
Lives here:      walking along control data and putting it together. Where C has pointers there are offsets here.
Lives elsewhere: which objects there are and what they mean to a transport (the provider).
Layout:          each object is a header of 16 bytes (length of header and data in 64 bits, level and type in 32 each),
                 its data, and fill up to a multiple of 8.
Sources:         ns-ws2def-wsamsg, ws2def.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

import attrs

_HEADER: Final = struct.Struct("<Qii")
_ALIGNMENT: Final = 8


@attrs.frozen
class ControlMessage:
    """One object of control data.

    Attributes:
        level: the protocol it is about: IPPROTO_IP or IPPROTO_IPV6.
        type: what it is: IP_PKTINFO, IP_TTL, ...
        data: its bytes in Windows' layout.
    """

    level: int
    type: int
    data: bytes


def WSA_CMSG_LEN(length: int) -> int:
    """The cmsg_len of an object with ``length`` bytes of data.

    Source: https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-wsamsg
    """
    return _HEADER.size + length


def WSA_CMSG_SPACE(length: int) -> int:
    """The bytes that an object with ``length`` bytes of data takes, fill included.

    Source: https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-wsamsg
    """
    return _HEADER.size + length + -length % _ALIGNMENT


def WSA_CMSG_FIRSTHDR(control: bytes) -> int | None:
    """The offset of the first object; None when there is no room for one.

    Source: https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-wsamsg
    """
    return 0 if len(control) >= _HEADER.size else None


def WSA_CMSG_NXTHDR(control: bytes, offset: int | None) -> int | None:
    """The offset of the object after the one at ``offset``, None at the end; the first one for None.

    Source: https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-wsamsg
    """
    if offset is None:
        return WSA_CMSG_FIRSTHDR(control)
    length = _HEADER.unpack_from(control, offset)[0]
    following: int = offset + length + -length % _ALIGNMENT
    return following if following + _HEADER.size <= len(control) else None


def WSA_CMSG_DATA(control: bytes, offset: int) -> bytes:
    """The data of the object at ``offset``: in C a pointer, which the reader's own knowledge gives a length.

    Source: https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-wsamsg
    """
    length = _HEADER.unpack_from(control, offset)[0]
    return bytes(control[offset + _HEADER.size : offset + length])


def control_messages(control: bytes) -> list[ControlMessage]:
    """All objects of some control data.

    Raises:
        ValueError: it is none: too short for a header, or an object is shorter than its header or reaches beyond the
            end.
    """
    found: list[ControlMessage] = []
    if not control:
        return found
    offset = WSA_CMSG_FIRSTHDR(control)
    if offset is None:
        raise ValueError("control data that is shorter than a header")
    while offset is not None:
        length, level, kind = _HEADER.unpack_from(control, offset)
        if not _HEADER.size <= length <= len(control) - offset:
            raise ValueError(f"an object of {length} bytes, {len(control) - offset} before the end")
        found.append(ControlMessage(level, kind, WSA_CMSG_DATA(control, offset)))
        offset = WSA_CMSG_NXTHDR(control, offset)
    return found


def control_data(messages: Iterable[ControlMessage]) -> bytes:
    """Control data that holds these objects, each with its fill."""
    return b"".join(
        _HEADER.pack(WSA_CMSG_LEN(len(one.data)), one.level, one.type) + one.data + bytes(-len(one.data) % _ALIGNMENT)
        for one in messages
    )
