"""getsockopt, setsockopt and ioctlsocket: which error wins, what values look like."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.loopback import arrived, code_of, fails, pair, received, tcp, udp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEFAULT,
    WSAEINVAL,
    WSAENOPROTOOPT,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    FIOASYNC,
    FIONBIO,
    FIONREAD,
    IPPROTO_TCP,
    SO_ACCEPTCONN,
    SO_BROADCAST,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_RCVBUF,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_TYPE,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
)

pytestmark = pytest.mark.usefixtures("winsock")

INVALID_SOCKET = 0xFFFFFFFFFFFFFFFF
NO_LEVEL = 0x7777
NO_OPTION = 0x7777


def test_the_order_of_checks_of_getsockopt() -> None:
    """B39, R16.38: no room, then level, then option and its direction and the kind of socket, then too little room."""
    s = udp()
    cases = [
        (INVALID_SOCKET, NO_LEVEL, NO_OPTION, 0, WSAENOTSOCK),
        (s, NO_LEVEL, NO_OPTION, 0, WSAEFAULT),
        (s, NO_LEVEL, NO_OPTION, 1, WSAEINVAL),
        (s, NO_LEVEL, SO_TYPE, 4, WSAEINVAL),
        (s, 0x8000, SO_RCVTIMEO, 4, WSAEINVAL),
        (s, 0xFFFFFFFF, SO_RCVTIMEO, 4, WSAEINVAL),
        (s, SOL_SOCKET, NO_OPTION, 0, WSAEFAULT),
        (s, SOL_SOCKET, NO_OPTION, 1, WSAENOPROTOOPT),
        (s, SOL_SOCKET, SO_ACCEPTCONN, 1, WSAENOPROTOOPT),
        (s, IPPROTO_TCP, TCP_NODELAY, 0, WSAEFAULT),
        (s, IPPROTO_TCP, TCP_NODELAY, 1, WSAENOPROTOOPT),
        (s, SOL_SOCKET, SO_TYPE, 0, WSAEFAULT),
        (s, SOL_SOCKET, SO_TYPE, 3, WSAEFAULT),
        (s, SOL_SOCKET, SO_TYPE, -1, WSAEFAULT),
        (s, SOL_SOCKET, SO_TYPE, 4, 0),
        (s, SOL_SOCKET, SO_TYPE, 400, 0),
    ]
    for handle, level, option, room, code in cases:
        assert (level, option, room, code_of(api.getsockopt, handle, level, option, room)) == (
            level,
            option,
            room,
            code,
        )


def test_the_order_of_checks_of_setsockopt() -> None:
    """B40: no value, level, option and its direction and the kind of socket, length, then value and state."""
    s = tcp()
    api.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, 1)
    cases: list[tuple[int, int, int, Any, int]] = [
        (INVALID_SOCKET, NO_LEVEL, NO_OPTION, None, WSAENOTSOCK),
        (s, NO_LEVEL, NO_OPTION, None, WSAEFAULT),
        (s, SOL_SOCKET, SO_RCVTIMEO, None, WSAEFAULT),
        (s, NO_LEVEL, NO_OPTION, b"", WSAEINVAL),
        (s, SOL_SOCKET, NO_OPTION, b"", WSAENOPROTOOPT),
        (s, SOL_SOCKET, SO_BROADCAST, b"", WSAENOPROTOOPT),
        (s, SOL_SOCKET, SO_ACCEPTCONN, b"", WSAENOPROTOOPT),
        (s, SOL_SOCKET, SO_RCVTIMEO, b"", WSAEFAULT),
        (s, SOL_SOCKET, SO_RCVTIMEO, b"123", WSAEFAULT),
        (s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1, WSAEINVAL),
        (s, SOL_SOCKET, SO_RCVTIMEO, b"\1\0\0\0", 0),
        (s, SOL_SOCKET, SO_RCVTIMEO, b"\1\0\0\0 and more", 0),
        (s, SOL_SOCKET, SO_RCVTIMEO, 1, 0),
    ]
    for handle, level, option, value, code in cases:
        assert (level, option, value, code_of(api.setsockopt, handle, level, option, value)) == (
            level,
            option,
            value,
            code,
        )


def test_a_refused_value_changes_nothing() -> None:
    s = tcp()
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 77)
    for value in (b"", b"\1\2\3", None):
        assert code_of(api.setsockopt, s, SOL_SOCKET, SO_RCVTIMEO, value) == WSAEFAULT
    assert api.getsockopt(s, SOL_SOCKET, SO_RCVTIMEO) == struct.pack("<I", 77)


def test_a_number_stands_for_its_four_bytes() -> None:
    s = tcp()
    for number, raw in ((5, b"\5\0\0\0"), (-1, b"\xff" * 4), (0xFFFFFFFF, b"\xff" * 4), (1 << 40, bytes(4))):
        api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, number)
        assert api.getsockopt(s, SOL_SOCKET, SO_RCVTIMEO) == raw
    api.setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, True)
    assert any(api.getsockopt(s, SOL_SOCKET, SO_KEEPALIVE))


def test_a_value_of_the_wrong_type_is_a_mistake_of_the_program() -> None:
    s = tcp()
    for value in ("1", 1.5, object()):
        with pytest.raises(TypeError):
            api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, value)  # type: ignore[arg-type]
    assert api.getsockopt(s, SOL_SOCKET, SO_RCVTIMEO) == bytes(4)


def test_options_are_each_socket_s_own() -> None:
    first, second = tcp(), tcp()
    api.setsockopt(first, SOL_SOCKET, SO_RCVBUF, 5000)
    assert api.getsockopt(first, SOL_SOCKET, SO_RCVBUF) == struct.pack("<I", 5000)
    assert api.getsockopt(second, SOL_SOCKET, SO_RCVBUF) != struct.pack("<I", 5000)


def test_reading_an_option_leaves_the_last_error_alone() -> None:
    """R16.12."""
    s = tcp()
    api.WSASetLastError(4711)
    assert api.getsockopt(s, SOL_SOCKET, SO_TYPE) == struct.pack("<I", SOCK_STREAM)
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 1)
    assert api.WSAGetLastError() == 4711


# ioctlsocket


def test_the_order_of_checks_of_ioctlsocket() -> None:
    """B41; observed on Windows: FIOASYNC is as unknown as any other number."""
    s = tcp()
    for command in (FIONBIO, FIONREAD, 0x1234):
        with fails(WSAENOTSOCK):
            api.ioctlsocket(INVALID_SOCKET, command, None)
        with fails(WSAEFAULT):
            api.ioctlsocket(s, command, None)
    for command in (0x1234, FIOASYNC, 0x667E):
        with fails(WSAEOPNOTSUPP):
            api.ioctlsocket(s, command, 0)


@pytest.mark.parametrize("make", [lambda: pair()[0], udp])
def test_the_mode_of_a_socket(make: Callable[[], int]) -> None:
    """R6.107; observed on Windows: echo-setblocking-true. Any number but 0 is non-blocking, and comes back."""
    s = make()
    for number in (1, 2, 0x80000000):
        assert api.ioctlsocket(s, FIONBIO, number) == number
        with fails(WSAEWOULDBLOCK):
            api.recv(s, bytearray(1))
    assert api.ioctlsocket(s, FIONBIO, 0) == 0
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 10)
    with fails(api.WSAETIMEDOUT):  # type: ignore[attr-defined]
        api.recv(s, bytearray(1))


def test_a_command_may_be_a_negative_long() -> None:
    """C's ioctlsocket takes a signed long, and FIONBIO has its highest bit set."""
    s = tcp()
    assert api.ioctlsocket(s, FIONBIO - (1 << 32), 1) == 1
    assert code_of(api.ioctlsocket, s, FIONBIO | 1 << 32, 1) == 0


def test_what_can_be_received_is_counted() -> None:
    """R9.21: what one receive would get."""
    client, server = pair()
    assert api.ioctlsocket(server, FIONREAD, 99) == 0
    api.send(client, b"12345")
    arrived(server, 5)
    assert api.ioctlsocket(server, FIONREAD, 0) == 5
    assert received(server, 2) == b"12"
    assert api.ioctlsocket(server, FIONREAD, 0) == 3
    fresh = tcp()
    assert api.ioctlsocket(fresh, FIONREAD, 5) == 0  # observed on Windows: fionread-unconnected
