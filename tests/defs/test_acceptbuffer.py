"""The addresses in AcceptEx's output buffer."""

from __future__ import annotations

from winsock2emu.defs.acceptbuffer import ADDRESS_AT, EXTRA_ROOM, accept_addresses, address_size, store_address
from winsock2emu.defs.sockaddr import sockaddr_in, sockaddr_in6


def test_addresses_are_found_where_they_were_stored() -> None:
    """Behind the data, the local one before the remote one, in areas of different sizes."""
    local, remote = sockaddr_in6(bytes(15) + b"\1", 80, 0, 3), sockaddr_in6(bytes(15) + b"\2", 5000)
    buffer = bytearray(b"data" + bytes(28 + EXTRA_ROOM + 100))
    store_address(buffer, 4, local)
    store_address(buffer, 4 + 28 + EXTRA_ROOM, remote)
    assert buffer[:4] == b"data"
    assert accept_addresses(buffer, 4, 28 + EXTRA_ROOM, 100) == (local, remote)


def test_form_is_that_of_a_transport_address() -> None:
    """tdi.h: one address, its length without the family, the family, the address."""
    address = sockaddr_in(b"\x7f\0\0\1", 0x1234)
    buffer = bytearray(16 + EXTRA_ROOM)
    store_address(buffer, 0, address)
    assert buffer[:8] == b"\1\0\0\0\x0e\0\2\0"
    assert buffer[ADDRESS_AT : ADDRESS_AT + 16] == address
    assert address_size(buffer, 0) == 16


def test_local_address_without_an_area_is_none() -> None:
    """A local length of 0."""
    remote = sockaddr_in(b"\x7f\0\0\1", 1)
    buffer = bytearray(32)
    store_address(buffer, 0, remote)
    assert accept_addresses(buffer, 0, 0, 32) == (None, remote)
