"""WSAPoll: entries, bits, and lists that a program repeats."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.concurrency import until
from tests.loopback import (
    PATIENCE,
    code_of,
    connected_to,
    elsewhere,
    listener,
    nonblocking,
    pair,
    readable,
    refusing,
    reset,
    tcp,
    udp,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEINVAL, WSAENOTSOCK, WSAEWOULDBLOCK
from winsock2emu.defs.constants import (
    AF_INET,
    INVALID_SOCKET,
    MSG_OOB,
    POLLERR,
    POLLHUP,
    POLLIN,
    POLLNVAL,
    POLLOUT,
    POLLPRI,
    POLLRDBAND,
    POLLRDNORM,
    POLLWRNORM,
    SD_BOTH,
    SD_SEND,
    SO_OOBINLINE,
    SOCK_DGRAM,
    SOL_SOCKET,
)
from winsock2emu.process import current_process
from winsock2emu.providers.host import provider as provider_module
from winsock2emu.providers.host.hostsocket import HostSocket
from winsock2emu.providers.host.polling import PollList

pytestmark = pytest.mark.usefixtures("winsock")

LONG_MS = 20_000
ALL = POLLIN | POLLOUT
BOGUS = 0xABACAB


def endpoint(s: int) -> HostSocket:
    found = current_process().socket(s).mover
    assert isinstance(found, HostSocket)
    return found


def bits(s: int, events: int = ALL, timeout_ms: int = 0) -> int:
    """What one entry meets."""
    count, revents = api.WSAPoll([(s, events)], timeout_ms)
    assert count == (revents[0] != 0)
    return revents[0]


# Entries


def test_entries_that_are_no_sockets_have_a_bit_and_do_not_count() -> None:
    """Negative ones may ask for anything, as may numbers that are negative in 64 bits."""
    s = udp()
    entries = [(-1, POLLERR), (s, POLLOUT), (BOGUS, POLLIN), (INVALID_SOCKET, 0x7FFF), (1 << 63, POLLPRI)]

    assert api.WSAPoll(entries, 0) == (1, [POLLNVAL, POLLWRNORM, POLLNVAL, POLLNVAL, POLLNVAL])


def test_a_list_without_sockets_fails_before_its_events_count() -> None:
    assert code_of(api.WSAPoll, [(BOGUS, POLLERR), (-1, 0)], 0) == WSAENOTSOCK


@pytest.mark.parametrize("entries", [[(BOGUS, POLLERR)], [(BOGUS, POLLIN), (BOGUS, POLLPRI)]])
def test_bits_that_cannot_be_asked_for_are_refused_beside_a_socket(entries: list[tuple[int, int]]) -> None:
    s = udp()

    assert code_of(api.WSAPoll, [*entries, (s, POLLIN)], 0) == WSAEINVAL


def test_a_negative_number_of_events_is_refused() -> None:
    """A SHORT: all its bits are set."""
    assert code_of(api.WSAPoll, [(udp(), -1)], 0) == WSAEINVAL


def test_a_socket_with_several_entries() -> None:
    """Each is told what it asked for, and what is told unasked."""
    client, server = pair()
    api.send(client, b"x")
    api.shutdown(client, SD_SEND)
    until(lambda: bits(server, 0), "the end arrives")

    result = api.WSAPoll([(server, 0), (server, POLLRDNORM), (server, POLLWRNORM), (client, POLLRDBAND)], 0)

    assert result == (3, [POLLHUP, POLLHUP | POLLRDNORM, POLLHUP | POLLWRNORM, 0])


def test_the_result_belongs_to_the_program() -> None:
    entries = [(udp(), POLLIN), (BOGUS, 0)]
    api.WSAPoll(entries, 0)[1][:] = [7, 7]

    assert api.WSAPoll(entries, 0) == (0, [0, POLLNVAL])


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """All lists that had to be prepared."""
    seen: list[Any] = []

    class Counted(PollList):
        def __init__(self, fds: Any, sockets: Any) -> None:
            seen.append(fds)
            super().__init__(fds, sockets)

    monkeypatch.setattr(provider_module, "PollList", Counted)
    return seen


def test_a_repeated_list_is_prepared_once(prepared: list[Any]) -> None:
    one, other = udp(), udp()
    for _ in range(5):
        assert api.WSAPoll([(one, POLLIN)], 0) == (0, [0])
        assert api.WSAPoll(((one, POLLIN), (other, POLLOUT)), 0) == (1, [0, POLLWRNORM])
        assert api.WSAPoll([(one, POLLOUT)], 0) == (1, [POLLWRNORM])

    assert len(prepared) == 3


def test_a_number_that_means_another_socket_is_looked_up_again() -> None:
    listening = listener()
    entries = [(listening, POLLOUT), (BOGUS, POLLOUT)]
    assert api.WSAPoll(entries, 0) == (0, [0, POLLNVAL])
    api.closesocket(listening)
    assert code_of(api.WSAPoll, entries, 0) == WSAENOTSOCK

    assert udp() == listening

    assert api.WSAPoll(entries, 0) == (1, [POLLWRNORM, POLLNVAL])


def test_a_closed_entry_has_its_bit_from_the_next_call_on_and_does_not_count() -> None:
    one, other = udp(), udp()
    entries = [(one, POLLIN), (other, POLLIN)]
    assert api.WSAPoll(entries, 0) == (0, [0, 0])

    api.closesocket(one)

    assert api.WSAPoll(entries, 0) == (0, [POLLNVAL, 0])


# Closing during the wait


def test_closing_ends_the_wait_and_counts() -> None:
    one, other = udp(), udp()
    call = elsewhere(api.WSAPoll, [(one, 0), (other, POLLIN), (BOGUS, 0)], -1)
    until(lambda: endpoint(one).watchers, "WSAPoll waits")

    api.closesocket(one)

    assert call.result() == (1, [POLLNVAL, 0, POLLNVAL])


def test_a_descriptor_that_was_closed_behind_our_back() -> None:
    s = udp()
    fd = endpoint(s).fd
    copy = os.dup(fd)
    os.close(fd)

    assert bits(s, POLLIN) == POLLNVAL

    os.dup2(copy, fd)
    os.close(copy)


# States


def test_a_new_stream_is_ready_for_nothing() -> None:
    assert bits(tcp()) == 0


def test_a_datagram_socket_asks_for_its_address() -> None:
    """Unbound it can send; nothing can come."""
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    assert bits(s) == POLLWRNORM
    assert bits(s, POLLIN) == 0


def test_a_report_of_the_network_is_something_to_read() -> None:
    gone = udp()
    name = api.getsockname(gone)
    api.closesocket(gone)
    s = udp()
    api.sendto(s, b"x", 0, name)

    assert bits(s, POLLIN, LONG_MS) == POLLRDNORM


@pytest.mark.parametrize("blocking", [True, False])
def test_a_failed_connect_shows_until_the_next_one(blocking: bool) -> None:
    listening = listener()
    s = tcp()
    if blocking:
        assert code_of(api.connect, s, refusing()[1])
    else:
        assert code_of(api.connect, nonblocking(s), refusing()[1]) == WSAEWOULDBLOCK
    assert bits(s, ALL, LONG_MS) == POLLWRNORM | POLLHUP | POLLERR
    assert bits(s, POLLIN) == POLLHUP | POLLERR, "what was not asked for is told as far as it is an error"
    assert bits(s, 0) == POLLHUP | POLLERR

    code_of(api.connect, s, api.getsockname(listening))

    assert bits(s, ALL, LONG_MS) == POLLWRNORM


def test_a_reset_shows_until_the_socket_is_closed() -> None:
    client, server = pair()
    api.send(client, b"unread")
    readable(server)
    reset(client)
    until(lambda: bits(server, 0) == POLLERR | POLLHUP, "the reset arrives")

    assert bits(server) == POLLERR | POLLHUP | POLLWRNORM
    assert bits(server, POLLIN) == POLLERR | POLLHUP


def test_the_end_of_both_directions() -> None:
    client, server = pair()
    api.shutdown(client, SD_BOTH)
    api.shutdown(server, SD_SEND)
    until(lambda: bits(server, 0), "the end arrives")

    assert bits(server) == POLLHUP | POLLWRNORM


def test_urgent_data_beside_and_in_line() -> None:
    """The switch counts at once, also for a list that is repeated."""
    client, server = pair()
    entries = [(server, POLLIN)]
    assert api.WSAPoll(entries, 0) == (0, [0])
    api.send(client, b"!", MSG_OOB)
    assert api.WSAPoll(entries, LONG_MS) == (1, [POLLRDBAND])
    api.recv(server, bytearray(1), MSG_OOB)
    assert api.WSAPoll(entries, 0) == (0, [0])

    api.setsockopt(server, SOL_SOCKET, SO_OOBINLINE, 1)
    api.send(client, b"?", MSG_OOB)

    assert api.WSAPoll(entries, LONG_MS) == (1, [POLLRDNORM])


def test_a_listener_that_has_callers_and_one_that_begins_to_listen() -> None:
    s = tcp()
    api.bind(s, api.sockaddr_in("127.0.0.1", 0))
    entries = [(s, ALL)]
    assert api.WSAPoll(entries, 0) == (0, [0])
    api.listen(s, 5)
    assert api.WSAPoll(entries, 0) == (0, [0])

    connected_to(s)
    api.connect(tcp(), api.getsockname(s))

    assert api.WSAPoll(entries, LONG_MS) == (1, [POLLRDNORM])


def test_select_and_poll_agree() -> None:
    """They see one and the same state."""
    client, server = pair()
    api.send(client, b"x")

    assert api.select([server], None, None, PATIENCE) == ([server], [], [])
    assert bits(server, POLLIN) == POLLRDNORM
