"""SOCKET_ADDRESS_LIST, there and back, and what makes bytes relocatable."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winsock2emu.defs.addresslist import ENTRY_SIZE, HEADER_SIZE, pack_address_list, unpack_address_list
from winsock2emu.defs.layouts import LAYOUTS
from winsock2emu.defs.relocatable import Relocatable
from winsock2emu.defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6

ADDRESSES = [sockaddr_in("192.0.2.1", 80), sockaddr_in6("2001:db8::1", 443, scope_id=3), SockAddr(b"\x01\0odd")]


def test_sizes_are_those_of_the_headers() -> None:
    fields = {field.name: field for field in LAYOUTS["SOCKET_ADDRESS_LIST"].fields}

    assert fields["Address"].offset == HEADER_SIZE
    assert LAYOUTS["SOCKET_ADDRESS"].size == ENTRY_SIZE


def test_a_list_goes_there_and_back() -> None:
    assert unpack_address_list(pack_address_list(ADDRESSES)) == ADDRESSES


def test_a_list_goes_there_and_back_through_memory() -> None:
    base = 0x7FFF_1234_5678

    placed = pack_address_list(ADDRESSES).at(base)

    assert unpack_address_list(placed, base) == ADDRESSES
    first = int.from_bytes(placed[8:16], "little")
    assert placed[first - base :][:16] == ADDRESSES[0]


def test_the_empty_list_is_a_header() -> None:
    assert pack_address_list([]) == bytes(HEADER_SIZE)
    assert unpack_address_list(bytes(HEADER_SIZE)) == []


def test_addresses_are_aligned() -> None:
    record = pack_address_list([b"\x01\0odd", sockaddr_in("192.0.2.1")])

    assert [struct.unpack_from("<Q", record, field)[0] % 4 for field in record.pointers] == [0, 0]


@given(st.binary(max_size=80), st.integers(0, 2**64 - 1))
def test_what_is_no_list_is_refused(record: bytes, base: int) -> None:
    """Never another exception, never an address from outside."""
    try:
        addresses = unpack_address_list(record, base)
    except ValueError:
        return
    assert all(bytes(address) in record for address in addresses)


@pytest.mark.parametrize("cut", [1, 7, 16])
def test_a_list_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="SOCKET_ADDRESS_LIST"):
        unpack_address_list(pack_address_list(ADDRESSES)[: -len(ADDRESSES[-1]) - cut])


def test_null_pointers_stay_null() -> None:
    record = Relocatable(struct.pack("<QQ", 0, 8), (0, 8))

    assert struct.unpack("<QQ", record.at(1 << 40)) == (0, (1 << 40) + 8)


def test_relocatable_bytes_are_bytes() -> None:
    record = Relocatable(b"abc", ())

    assert (record == b"abc", record.at(1 << 40), len(record)) == (True, b"abc", 3)
