"""WSAConnectByName and WSAConnectByList beyond the conformance cases: other threads, states, other providers."""

from __future__ import annotations

import pytest

from conformance.targets.recording import row
from conformance.targets.recording import started as started_with
from tests.concurrency import until
from tests.loopback import elsewhere, fails, full_listener, listener, refusing, tcp, waiting
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAECONNREFUSED,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAEISCONN,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAETIMEDOUT,
)
from winsock2emu.defs.constants import AF_INET, SO_UPDATE_CONNECT_CONTEXT, SOCK_STREAM, SOL_SOCKET
from winsock2emu.defs.sockaddr import sockaddr_in, sockaddr_in6
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process


def test_closing_the_socket_ends_the_call_and_no_other_address_is_tried(winsock: Process) -> None:
    _, full = full_listener()
    listening = listener()
    s = tcp()
    call = elsewhere(api.WSAConnectByList, s, [full, api.getsockname(listening)])
    until(waiting(s, "WSPSend"), "the first attempt waits")
    api.closesocket(s)

    failure = call.failure()
    assert isinstance(failure, WinsockError)
    assert failure.winerror == WSAEINTR
    assert api.select([listening], None, None, (0, 20_000))[0] == []


def test_a_full_listener_is_given_up_and_the_next_address_tried(winsock: Process) -> None:
    """Its own connects take a second or so to be refused; the time limit is looked at only then."""
    _, full = full_listener()
    listening = listener()
    s = tcp()
    assert api.WSAConnectByList(s, [full, api.getsockname(listening)])[1] == api.getsockname(listening)
    other = tcp()
    with fails(WSAETIMEDOUT):
        api.WSAConnectByList(other, [full, api.getsockname(listening)], timeout=(0, 1))


def test_a_connected_socket_cannot_be_connected_again(winsock: Process) -> None:
    listening = listener()
    s = tcp()
    api.connect(s, api.getsockname(listening))
    with fails(WSAEISCONN):
        api.WSAConnectByList(s, [api.getsockname(listening)])
    with fails(WSAEISCONN):
        api.WSAConnectByName(s, "127.0.0.1", str(api.getsockname(listening).port))


@pytest.mark.parametrize("bad", [b"", b"\2\0", sockaddr_in6("::1", 80)[:16]])
def test_addresses_that_are_none_are_passed_over(winsock: Process, bad: bytes) -> None:
    listening = listener()
    s = tcp()
    assert api.WSAConnectByList(s, [bad, api.getsockname(listening)])[1] == api.getsockname(listening)


def test_the_failure_is_that_of_the_last_address(winsock: Process) -> None:
    _, shut = refusing()
    s = tcp()
    with fails(WSAEFAULT):
        api.WSAConnectByList(s, [shut, b"\2\0"])
    with fails(WSAECONNREFUSED):
        api.WSAConnectByList(s, [b"\2\0", shut])
    with fails(WSAEINVAL):
        api.WSAConnectByList(s, [])


def test_a_failed_call_leaves_a_socket_with_no_connection(winsock: Process) -> None:
    _, shut = refusing()
    s = tcp()
    with fails(WSAECONNREFUSED):
        api.WSAConnectByList(s, [shut])
    with fails(WSAENOTCONN):
        api.setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, b"")
    with fails(WSAENOTCONN):
        api.getpeername(s)


def test_without_ConnectEx_nothing_can_be_connected() -> None:
    with started_with(row()):
        s = api.socket(AF_INET, SOCK_STREAM, 0)
        with fails(WSAEOPNOTSUPP):
            api.WSAConnectByList(s, [sockaddr_in("127.0.0.1", 80)])
