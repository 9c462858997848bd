"""R3.37 and B59 for the functions with a socket; the plain ones have only their pages."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winsock2emu import ws2_32
from winsock2emu.defs.codes import WSAENOTSOCK, WSANOTINITIALISED
from winsock2emu.defs.constants import AF_INET, BIGENDIAN, IPPROTO_UDP, LITTLEENDIAN, SOCK_DGRAM
from winsock2emu.errors import WinsockError, get_last_error, set_last_error
from winsock2emu.process import Process
from winsock2emu.ws2_32 import byteorder
from winsock2emu.ws2_32.byteorder import WSAHtonl, WSAHtons, WSANtohl, WSANtohs, htonl, htons, ntohl, ntohs

VERSION = 0x0202
NO_SOCKET = 0x7FFFFFFC

longs = st.integers(0, 0xFFFFFFFF)
shorts = st.integers(0, 0xFFFF)
of_socket = pytest.mark.parametrize("convert", [WSAHtonl, WSAHtons, WSANtohl, WSANtohs])


@pytest.fixture
def process() -> Iterator[Process]:
    """A process of its own that has not called WSAStartup."""
    fresh = Process()
    with fresh.active():
        yield fresh
        while fresh.startup_count:
            fresh.cleanup()


@pytest.fixture
def socket_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], int]:
    """Makes a socket with a given byte order, since the protocols of Windows' own catalog are big-endian."""

    def make(network_byte_order: int) -> int:
        record = SimpleNamespace(info=SimpleNamespace(network_byte_order=network_byte_order))
        monkeypatch.setattr(byteorder, "current_process", lambda: SimpleNamespace(socket={100: record}.__getitem__))
        return 100

    return make


@given(longs)
def test_32_bit_numbers_have_the_network_order_in_little_endian_memory(value: int) -> None:
    assert struct.pack("<I", htonl(value)) == struct.pack(">I", value)
    assert ntohl(htonl(value)) == value


@given(shorts)
def test_16_bit_numbers_have_the_network_order_in_little_endian_memory(value: int) -> None:
    assert struct.pack("<H", htons(value)) == struct.pack(">H", value)
    assert ntohs(htons(value)) == value


def test_the_host_is_little_endian_whatever_runs_the_emulator() -> None:
    assert htonl(0x01020304) == ntohl(0x01020304) == 0x04030201
    assert htons(0x0102) == ntohs(0x0102) == 0x0201


@pytest.mark.parametrize("convert", [htonl, ntohl])
def test_numbers_wider_than_32_bits_are_cut(convert: Callable[[int], int]) -> None:
    assert convert(0x1_01020304) == 0x04030201
    assert convert(-1) == 0xFFFFFFFF


@pytest.mark.parametrize("convert", [htons, ntohs])
def test_numbers_wider_than_16_bits_are_cut(convert: Callable[[int], int]) -> None:
    assert convert(0x1_0203) == 0x0302
    assert convert(-1) == 0xFFFF


@pytest.mark.parametrize("convert", [htonl, htons, ntohl, ntohs])
def test_plain_functions_work_before_startup_and_leave_the_last_error(
    process: Process, convert: Callable[[int], int]
) -> None:
    """R1.14."""
    set_last_error(1234)
    assert convert(0) == 0
    assert get_last_error() == 1234
    assert process.startup_count == 0


def test_a_big_endian_protocol_swaps(socket_of: Callable[[int], int]) -> None:
    s = socket_of(BIGENDIAN)
    assert WSAHtonl(s, 0x01020304) == WSANtohl(s, 0x01020304) == 0x04030201
    assert WSAHtons(s, 0x0102) == WSANtohs(s, 0x0102) == 0x0201


def test_a_little_endian_protocol_does_not_swap(socket_of: Callable[[int], int]) -> None:
    s = socket_of(LITTLEENDIAN)
    assert WSAHtonl(s, 0x01020304) == WSANtohl(s, 0x01020304) == 0x01020304
    assert WSAHtons(s, 0x0102) == WSANtohs(s, 0x0102) == 0x0102


@pytest.mark.parametrize("order", [BIGENDIAN, LITTLEENDIAN])
def test_numbers_too_wide_are_cut_in_either_order(socket_of: Callable[[int], int], order: int) -> None:
    s = socket_of(order)
    assert WSAHtonl(s, -1) == WSANtohl(s, -1) == 0xFFFFFFFF
    assert WSAHtons(s, -1) == WSANtohs(s, -1) == 0xFFFF


def test_a_socket_of_the_catalog_is_big_endian(process: Process) -> None:
    process.startup(VERSION)
    s = ws2_32.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
    assert WSAHtonl(s, 0x01020304) == WSANtohl(s, 0x01020304) == 0x04030201
    assert WSAHtons(s, 0x0102) == WSANtohs(s, 0x0102) == 0x0201


@of_socket
def test_before_startup_the_missing_startup_wins(process: Process, convert: Callable[[int, int], int]) -> None:
    with pytest.raises(WinsockError) as caught:
        convert(NO_SOCKET, 1)
    assert process.startup_count == 0
    assert caught.value.winerror == WSANOTINITIALISED
    assert get_last_error() == WSANOTINITIALISED


@of_socket
def test_an_unknown_handle_is_no_socket(process: Process, convert: Callable[[int, int], int]) -> None:
    process.startup(VERSION)
    with pytest.raises(WinsockError) as caught:
        convert(NO_SOCKET, 1)
    assert caught.value.winerror == WSAENOTSOCK
    assert get_last_error() == WSAENOTSOCK
