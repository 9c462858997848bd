"""SO_OPENTYPE: the option of a thread."""

from __future__ import annotations

import time

import pytest

from tests.loopback import code_of, elsewhere, started, tcp, udp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEFAULT, WSAENOTSOCK, WSAETIMEDOUT, WSANOTINITIALISED
from winsock2emu.defs.constants import (
    AF_INET,
    INVALID_SOCKET,
    IPPROTO_TCP,
    SO_OPENTYPE,
    SO_RCVTIMEO,
    SO_SYNCHRONOUS_ALERT,
    SO_SYNCHRONOUS_NONALERT,
    SOCK_DGRAM,
    SOL_SOCKET,
    WSA_FLAG_OVERLAPPED,
)
from winsock2emu.process import Process


def open_type() -> int:
    return int.from_bytes(api.getsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, 4), "little")


def set_open_type(value: int) -> None:
    api.setsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, value)


@pytest.mark.usefixtures("winsock")
def test_it_needs_no_socket_and_no_other_thread_sees_it() -> None:
    """Observed on Windows: echo-opentype-set-get, echo-opentype-thread-default."""
    assert open_type() == 0
    for value in (SO_SYNCHRONOUS_ALERT, SO_SYNCHRONOUS_NONALERT, 0x100):
        set_open_type(value)
        assert open_type() == value
        assert api.getsockopt(tcp(), SOL_SOCKET, SO_OPENTYPE) == value.to_bytes(4, "little")
    assert elsewhere(open_type).result() == 0


@pytest.mark.usefixtures("winsock")
def test_lengths() -> None:
    """Observed on Windows: optlen-so-opentype."""
    for room, code in ((0, WSAEFAULT), (3, WSAEFAULT), (4, 0), (8, 0)):
        assert code_of(api.getsockopt, INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, room) == code
        assert code_of(api.setsockopt, INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, bytes(room)) == code
    assert code_of(api.setsockopt, INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, None) == WSAEFAULT
    # The number means something else at other levels, where a socket is needed.
    assert code_of(api.getsockopt, INVALID_SOCKET, IPPROTO_TCP, SO_OPENTYPE, 4) == WSAENOTSOCK


@pytest.mark.usefixtures("winsock")
def test_sockets_of_the_thread_are_not_overlapped() -> None:
    """R6.6, A53: a receive time-out does not count for them; WSASocket says itself what it wants."""
    set_open_type(SO_SYNCHRONOUS_NONALERT)
    plain, overlapped = udp(), api.WSASocket(AF_INET, SOCK_DGRAM, 0, None, 0, WSA_FLAG_OVERLAPPED)
    set_open_type(0)
    api.bind(overlapped, api.sockaddr_in("127.0.0.1", 0))
    for s in (plain, overlapped):
        api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 20)
    assert code_of(api.recv, overlapped, bytearray(1)) == WSAETIMEDOUT
    waiting = elsewhere(api.recv, plain, bytearray(1))
    time.sleep(0.1)
    api.sendto(overlapped, b"x", 0, api.getsockname(plain))
    assert waiting.result() == 1


def test_it_ends_with_the_last_cleanup() -> None:
    with started():
        set_open_type(1)
        api.WSACleanup()
        assert code_of(open_type) == WSANOTINITIALISED
        assert code_of(set_open_type, 1) == WSANOTINITIALISED
        api.WSAStartup(0x0202)
        assert open_type() == 0


@pytest.mark.usefixtures("winsock")
def test_emulated_processes_have_threads_of_their_own() -> None:
    set_open_type(1)
    with Process().active():
        api.WSAStartup(0x0202)
        assert open_type() == 0
        api.WSACleanup()
    assert open_type() == 1
