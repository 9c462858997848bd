"""The addresses behind the data in AcceptEx's output buffer.

Part played:     the form that mswsock.dll keeps to itself: TRANSPORT_ADDRESS of tdi.h with one address in it.
Lives here:      storing an address in its area, and finding it there again.
Form:            a count of addresses (LONG, 1), the length of the address without its family (USHORT), the SOCKADDR. An
                 area takes 16 bytes more than the address that it is for.
Sources:         nf-mswsock-acceptex, nf-mswsock-getacceptexsockaddrs, ns-tdi-_transport_address; R9.39, R9.42 of the
                 project's reference.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from .sockaddr import SockAddr

EXTRA_ROOM: Final = 16
"""What an area takes beside the address, in bytes."""

ADDRESS_AT: Final = 6
"""Where the address begins in its area."""

_HEAD: Final = struct.Struct("<iH")
_FAMILY_SIZE: Final = 2


def store_address(buffer: Any, area: int, address: bytes) -> None:
    """Put an address into the area that begins at an offset of the buffer, which has room for it."""
    _HEAD.pack_into(buffer, area, 1, len(address) - _FAMILY_SIZE)
    buffer[area + ADDRESS_AT : area + ADDRESS_AT + len(address)] = address


def address_size(buffer: Any, area: int) -> int:
    """The length of the address in an area, its family included."""
    length: int = _HEAD.unpack_from(buffer, area)[1]
    return length + _FAMILY_SIZE


def accept_addresses(
    buffer: Any, receive_length: int, local_length: int, remote_length: int, /
) -> tuple[SockAddr | None, SockAddr]:
    """GetAcceptExSockaddrs: the local and the remote address; without room for it there is no local one."""
    local = _load_address(buffer, receive_length) if local_length else None
    return local, _load_address(buffer, receive_length + local_length)


def _load_address(buffer: Any, area: int) -> SockAddr:
    start = area + ADDRESS_AT
    return SockAddr(bytes(buffer[start : start + address_size(buffer, area)]))
