"""Byte order functions through C."""

from __future__ import annotations

import ctypes

import pytest

from tests.capi.cabi import INVALID_SOCKET, UNTOUCHED, WSAEFAULT, WSAENOTSOCK, call, dword, fails, ref
from winsock2emu.process import Process


@pytest.mark.parametrize("name", ["htonl", "ntohl"])
def test_longs_are_swapped(name: str) -> None:
    assert call(name, 0x01020304) == 0x04030201
    assert call(name, 0x000000FF) == 0xFF000000, "unsigned in C"


@pytest.mark.parametrize("name", ["htons", "ntohs"])
def test_shorts_are_swapped(name: str) -> None:
    assert call(name, 0x0102) == 0x0201
    assert call(name, 0x00FF) == 0xFF00


@pytest.mark.parametrize("name", ["WSAHtonl", "WSANtohl"])
def test_longs_by_the_order_of_a_socket(udp: int, name: str) -> None:
    result = dword()

    assert call(name, udp, 0xFF020304, ref(result)) == 0
    assert result.value == 0x040302FF


@pytest.mark.parametrize("name", ["WSAHtons", "WSANtohs"])
def test_shorts_by_the_order_of_a_socket(udp: int, name: str) -> None:
    """Two bytes are stored, not four."""
    result = dword()

    assert call(name, udp, 0xFF02, ref(result)) == 0
    assert result.value == (UNTOUCHED & 0xFFFF0000 | 0x02FF)


@pytest.mark.parametrize("name", ["WSAHtonl", "WSANtohl", "WSAHtons", "WSANtohs"])
def test_the_socket_is_checked_before_the_result_pointer(winsock: Process, udp: int, name: str) -> None:
    """B59."""
    fails(WSAENOTSOCK, name, INVALID_SOCKET, 1, None)
    fails(WSAEFAULT, name, udp, 1, None)
    fails(WSAEFAULT, name, udp, 1, 8)
    result = ctypes.c_uint32(UNTOUCHED)
    fails(WSAENOTSOCK, name, INVALID_SOCKET, 1, ref(result))
    assert result.value == UNTOUCHED
