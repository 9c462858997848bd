"""Socket addresses between caller's memory and the API.

Part played:     the pairs (name, namelen) in, (addr, addrlen pointer) out, of the C prototypes.
Lives elsewhere: what an address means (defs.sockaddr); whether it is long enough (the API and its
                 providers).
"""

from __future__ import annotations

from typing import Final

from ...defs.codes import WSAEFAULT
from ...errors import WinsockError
from .. import memory

# No family needs more; a larger namelen is legal, and reading all of it could run off the caller's buffer.
_LARGEST: Final = 256


def incoming(name: int, namelen: int) -> bytes | None:
    """The address a caller passes in; None for a bad pointer, too short bytes for a negative length."""
    if namelen <= 0:
        return b"" if name >= memory.LOWEST else None
    return memory.read(name, namelen if namelen < _LARGEST else _LARGEST)


def room(name: int, namelen: int) -> int:
    """Bytes a caller offers for an address that must have a place; on a bad pointer 0, too few for any."""
    return memory.load_i32(namelen) if name >= memory.LOWEST and namelen >= memory.LOWEST else 0


def optional_room(name: int, namelen: int) -> int | None:
    """The same where a NULL ``name`` says that the caller does not want the address: None."""
    return room(name, namelen) if name else None


def accept_room(name: int, namelen: int) -> int | None:
    """The same where either NULL says it.

    The accept pages have WSAEFAULT for an address without a length; Windows leaves the address alone.
    """
    return room(name, namelen) if name and namelen else None


def outgoing(name: int, namelen: int, address: bytes) -> None:
    """Store an address and its length.

    Raises:
        WinsockError: WSAEFAULT, a provider gave more than it was told there is room for.
    """
    if len(address) > room(name, namelen):
        raise WinsockError(WSAEFAULT)
    memory.write(name, address)
    memory.store_32(namelen, len(address))
