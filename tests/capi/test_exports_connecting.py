"""WSAConnectByName and WSAConnectByList through C: lists with pointers, optional outputs, timevals."""

from __future__ import annotations

import ctypes
import struct
from typing import Any

import pytest

from tests.capi.cabi import (
    SOCK_STREAM,
    UNTOUCHED,
    WSAEFAULT,
    WSAEINVAL,
    Replace,
    call,
    dword,
    fails,
    inet,
    ref,
)
from winsock2emu.defs.sockaddr import SockAddr

LOCAL, REMOTE = SockAddr(inet(0)), SockAddr(inet(80))


@pytest.fixture
def seen(replace: Replace) -> list[tuple[Any, ...]]:
    """The calls that arrive in the API; every one is successful."""
    calls: list[tuple[Any, ...]] = []

    def connect(*arguments: Any) -> tuple[SockAddr, SockAddr]:
        calls.append(arguments)
        return LOCAL, REMOTE

    replace("WSAConnectByName", connect)
    replace("WSAConnectByList", connect)
    return calls


def address_list(*addresses: bytes | None) -> tuple[Any, list[Any]]:
    """A SOCKET_ADDRESS_LIST, and what keeps its addresses alive."""
    blocks = [None if address is None else ctypes.create_string_buffer(address, 32) for address in addresses]
    record = struct.pack("<i4x", len(addresses))
    for block, address in zip(blocks, addresses, strict=True):
        record += struct.pack("<Qi4x", 0 if block is None else ctypes.addressof(block), len(address or b""))
    return ctypes.create_string_buffer(record, len(record)), blocks


@pytest.mark.parametrize(("form", "encoding"), [("A", "utf-8"), ("W", "utf-16-le")])
def test_names_and_time_arrive(seen: list[tuple[Any, ...]], form: str, encoding: str) -> None:
    names = ("höst\0".encode(encoding), "http\0".encode(encoding))
    timeval = struct.pack("<2i", 3, 500)
    assert call(f"WSAConnectByName{form}", 7, *names, None, None, None, None, timeval, None) == 1
    assert seen == [(7, "höst", "http", None, None, (3, 500), None)]


def test_rooms_arrive_and_addresses_come_back(seen: list[tuple[Any, ...]]) -> None:
    places = [ctypes.create_string_buffer(b"\xee" * 40, 40) for _ in range(2)]
    rooms = [dword(28), dword(16)]
    arguments = (ref(rooms[0]), places[0], ref(rooms[1]), places[1])
    assert call("WSAConnectByNameA", 7, b"a", b"b", *arguments, None, None) == 1
    assert seen[0][3:5] == (28, 16)
    assert [room.value for room in rooms] == [16, 16]
    assert [place.raw[:17] for place in places] == [LOCAL + b"\xee", REMOTE + b"\xee"]


def test_half_of_an_output_is_none(seen: list[tuple[Any, ...]]) -> None:
    place, room = ctypes.create_string_buffer(b"\xee" * 40, 40), dword()
    assert call("WSAConnectByNameA", 7, b"a", b"b", None, place, ref(room), None, None, None) == 1
    assert seen[0][3:5] == (None, None)
    assert (place.raw, room.value) == (b"\xee" * 40, UNTOUCHED)


def test_the_addresses_of_a_list_arrive(seen: list[tuple[Any, ...]]) -> None:
    record, _blocks = address_list(inet(1), None, inet(2), b"")
    assert call("WSAConnectByList", 7, record, None, None, None, None, None, None) == 1
    assert seen == [(7, [inet(1), b"", inet(2), b""], None, None, None, None)]


@pytest.mark.parametrize("count", [-1, -(2**31), 2**31 - 1])
def test_a_count_that_cannot_be_is_an_empty_list(seen: list[tuple[Any, ...]], count: int) -> None:
    call("WSAConnectByList", 7, struct.pack("<i4x", count), None, None, None, None, None, None)
    assert seen[0][1] == []


def test_reserved_arrives(seen: list[tuple[Any, ...]]) -> None:
    call("WSAConnectByNameA", 7, b"a", b"b", None, None, None, None, None, ctypes.create_string_buffer(32))
    assert seen[0][6]


def test_a_failure_is_FALSE_with_a_last_error(winsock: Any) -> None:
    s = call("socket", 2, SOCK_STREAM, 0)
    nothing = (None, None, None, None, None, None)
    fails(WSAEINVAL, "WSAConnectByNameA", s, None, b"80", *nothing, failure=0)
    fails(WSAEINVAL, "WSAConnectByNameW", s, "1\0".encode("utf-16-le"), None, *nothing, failure=0)
    fails(WSAEINVAL, "WSAConnectByList", s, None, *nothing, failure=0)
    short = dword(3)
    outputs = (ref(short), ctypes.create_string_buffer(40), None, None, None, None)
    fails(WSAEFAULT, "WSAConnectByNameA", s, b"127.0.0.1", b"80", *outputs, failure=0)
    assert short.value == 3


def test_disconnect_data_goes_both_ways(replace: Replace) -> None:
    sent: list[Any] = []
    replace("WSASendDisconnect", lambda s, data: sent.append(data))

    def receive(s: int, room: int | None) -> bytes:
        sent.append(room)
        return b"abc"[: room or 0]

    replace("WSARecvDisconnect", receive)
    data = ctypes.create_string_buffer(b"total.....", 10)
    wsabuf = ctypes.create_string_buffer(struct.pack("<I4xQ", 5, ctypes.addressof(data)), 16)
    assert call("WSASendDisconnect", 7, wsabuf) == call("WSASendDisconnect", 7, None) == 0
    assert call("WSARecvDisconnect", 7, wsabuf) == call("WSARecvDisconnect", 7, None) == 0
    assert sent == [b"total", None, 5, None]
    assert (data.raw, wsabuf.raw[:4]) == (b"abcal.....", b"\3\0\0\0")
