"""select with its three sets, and lists that a program repeats."""

from __future__ import annotations

import resource
import time
from typing import Any

import pytest

from tests.concurrency import until
from tests.loopback import NOW, PATIENCE, code_of, connected_to, elsewhere, listener, pair, readable, tcp, udp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAENOTSOCK
from winsock2emu.process import current_process
from winsock2emu.providers.host import provider as provider_module
from winsock2emu.providers.host.hostsocket import HostSocket
from winsock2emu.providers.host.selecting import Selection

pytestmark = pytest.mark.usefixtures("winsock")

MANY = 1100  # more than select(2) of the host takes


def endpoint(s: int) -> HostSocket:
    found = current_process().socket(s).mover
    assert isinstance(found, HostSocket)
    return found


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The sets of all selects that had to be prepared."""
    seen: list[Any] = []

    class Counted(Selection):
        def __init__(self, sets: Any, socket: Any) -> None:
            seen.append(sets)
            super().__init__(sets, socket)

    monkeypatch.setattr(provider_module, "Selection", Counted)
    return seen


def test_the_sets_are_answered_one_by_one_in_their_order() -> None:
    listening = listener()
    client, server = connected_to(listening)
    idle = udp()
    api.send(client, b"x")
    readable(server)

    ready = api.select([idle, server, client], [client, listening, idle], [server, client], NOW)

    assert ready == ([server], [client, idle], [])


def test_a_socket_that_a_set_has_twice_comes_back_once() -> None:
    one, other = udp(), udp()

    assert api.select(None, [one, other, one], None, NOW) == ([], [one, other], [])


def test_a_socket_in_all_sets() -> None:
    client, server = pair()
    api.send(client, b"x")
    readable(server)

    assert api.select([server], [server], [server], NOW) == ([server], [server], [])


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_repeated_list_is_prepared_once(kind: Any, prepared: list[Any]) -> None:
    sockets = kind([udp(), udp()])
    for _ in range(5):
        api.select(sockets, None, None, NOW)
        api.select(kind(sockets), None, None, NOW)

    assert prepared == [(sockets, None, None)]


def test_lists_in_turns_are_prepared_once(prepared: list[Any]) -> None:
    one, other = udp(), udp()
    for _ in range(5):
        assert api.select([one], None, None, NOW) == ([], [], [])
        assert api.select(None, [one, other], None, NOW) == ([], [one, other], [])

    assert len(prepared) == 2


def test_a_list_that_the_program_changes_is_another_list() -> None:
    one, other = udp(), udp()
    sockets = [one]
    assert api.select(None, sockets, None, NOW) == ([], [one], [])

    sockets.append(other)
    assert api.select(None, sockets, None, NOW) == ([], [one, other], [])
    sockets[0] = other
    assert api.select(None, sockets, None, NOW) == ([], [other], [])


def test_the_result_belongs_to_the_program() -> None:
    """It may keep and change it."""
    sockets = [udp()]
    first = api.select(None, sockets, None, NOW)
    first[1].clear()
    first[0].append(7)

    assert api.select(None, sockets, None, NOW) == ([], sockets, [])


def test_a_number_that_means_another_socket_is_looked_up_again() -> None:
    """A listener is closed, and a datagram socket gets its number."""
    listening = listener()
    sockets = [listening]
    assert api.select(None, sockets, None, NOW) == ([], [], [])
    api.closesocket(listening)
    assert code_of(api.select, None, sockets, None, NOW) == WSAENOTSOCK

    assert udp() == listening, "the host gives the number out again at once"

    assert api.select(None, sockets, None, NOW) == ([], sockets, [])


def test_closing_a_member_ends_the_wait_with_an_error() -> None:
    one, other = udp(), udp()
    call = elsewhere(code_of, api.select, [one], None, [other], PATIENCE)
    until(lambda: endpoint(other).watchers, "the select waits")

    api.closesocket(other)

    assert call.result() == WSAENOTSOCK


def test_other_sequences_than_lists() -> None:
    """What the type says: anything with members in an order."""
    s = udp()

    assert api.select(None, range(s, s + 1), None, NOW) == ([], [s], [])
    assert api.select((), (s,), [], NOW) == ([], [s], [])


def test_more_sockets_than_the_hosts_select_takes() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < MANY + 200:
        pytest.skip(f"the host allows {hard} descriptors only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, MANY + 200), hard))
    try:
        sockets = [udp() for _ in range(MANY)]
        assert max(sockets) > 1024
        sender = sockets[0]
        for index in (3, 1050, 1099):
            api.sendto(sender, b"x", 0, api.getsockname(sockets[index]))
            readable(sockets[index])

        assert api.select(sockets, None, None, NOW)[0] == [sockets[index] for index in (3, 1050, 1099)]
        entries = [(s, 0x100) for s in sockets]
        assert api.WSAPoll(entries, 0)[0] == 3
        for s in sockets:
            api.closesocket(s)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_half_a_second_is_half_a_second() -> None:
    """Seconds and microseconds add up."""
    began = time.monotonic()
    assert api.select([tcp()], None, None, (0, 30_000)) == ([], [], [])
    assert time.monotonic() - began >= 0.03
