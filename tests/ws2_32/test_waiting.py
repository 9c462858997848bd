"""select and WSAPoll before they reach a provider: checks, their order, and what is remembered of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.targets.recording import PATH, RecordingProvider, installed, recorder, row, started
from tests.concurrency import Call
from tests.loopback import code_of, udp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSANOTINITIALISED,
)
from winsock2emu.defs.constants import (
    AF_INET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    POLLIN,
    POLLWRNORM,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SOCK_DGRAM,
    SOCK_STREAM,
)
from winsock2emu.defs.guids import WSAID_WSAPOLL
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process

NOW = (0, 0)
NOBODY = 0xABACAB


@pytest.fixture
def two() -> Any:
    """A process with two providers: their recorders, and a socket of each."""
    other = RecordingProvider()
    with installed(lambda: other) as path:
        rows = row(1001), row(1002, path=path, type=SOCK_DGRAM, protocol=IPPROTO_UDP)
        with started(*rows) as process:
            sockets = api.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), api.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
            one = recorder(process, PATH)
            one.forget()
            other.forget()
            yield process, (one, other), sockets


def polls(provider: RecordingProvider, answer: Callable[..., Any]) -> None:
    """Give a provider this as its WSAPoll."""
    provider.answers["WSPIoctl"] = answer


# select


def test_select_checks_in_the_order_of_the_reference(winsock: Process) -> None:
    """Startup, members at all, time, each member."""
    s = udp()
    assert code_of(api.select, None, (), [], (-1, 0)) == WSAEINVAL
    assert code_of(api.select, [NOBODY], None, None, (0, 1_000_000)) == WSAEINVAL
    assert code_of(api.select, [NOBODY], None, None, (0, -1)) == WSAEINVAL
    assert code_of(api.select, [s, NOBODY], None, None, NOW) == WSAENOTSOCK
    with Process().active():
        assert code_of(api.select, [], None, None, (-1, 0)) == WSANOTINITIALISED


def test_a_bad_time_is_refused_for_a_repeated_list_too(winsock: Process) -> None:
    members = [udp()]
    assert api.select(None, members, None, (0, 999_999)) == ([], members, [])

    for timeout in ((-1, 0), (-1, 5), (0, -1), (0, 1_000_000), (3, 1_000_000)):
        assert code_of(api.select, None, members, None, timeout) == WSAEINVAL
    assert api.select(None, members, None, NOW) == ([], members, [])


def test_a_repeated_list_is_nothing_to_another_startup(winsock: Process) -> None:
    members = [udp()]
    assert api.select(None, members, None, NOW) == ([], members, [])
    api.WSACleanup()

    assert code_of(api.select, None, members, None, NOW) == WSANOTINITIALISED
    api.WSAStartup(0x0202)
    assert code_of(api.select, None, members, None, NOW) == WSAENOTSOCK


def test_each_emulated_process_has_its_own_sockets(winsock: Process) -> None:
    """The same numbers in another one."""
    members = [udp()]
    assert api.select(None, members, None, NOW) == ([], members, [])

    with Process().active():
        api.WSAStartup(0x0202)
        assert code_of(api.select, None, members, None, NOW) == WSAENOTSOCK
        api.WSACleanup()


def test_sockets_of_two_providers_do_not_go_together(two: Any) -> None:
    """Also when one of them has just been asked about its own; neither is called."""
    _, providers, (one, other) = two
    api.select([one], None, None, NOW)
    providers[0].forget()

    for sets in (([one, other], None, None), ([one], None, [other]), (None, [other], [one])):
        assert code_of(api.select, *sets, NOW) == WSAEINVAL
        assert code_of(api.WSAPoll, [(s, 0) for some in sets for s in some or ()], 0) == WSAEINVAL
    assert providers[0].names() == providers[1].names() == []


def test_every_select_is_a_call_of_the_provider(two: Any) -> None:
    """What is remembered of a list saves look-ups, not calls."""
    _, (provider, _), (s, _) = two
    for _ in range(3):
        assert api.select([s], [s], None, (1, 5)) == ([s], [s], [])

    assert [(call.name, call.args) for call in provider.calls] == [("WSPSelect", ([s], [s], None, (1, 5)))] * 3


def test_a_list_that_was_changed_by_its_owner_is_checked_again(two: Any) -> None:
    _, (provider, _), (s, _) = two
    members = [s]
    api.select(members, None, None, NOW)
    members[0] = NOBODY

    assert code_of(api.select, members, None, None, NOW) == WSAENOTSOCK
    assert provider.names() == ["WSPSelect"]


# WSAPoll


def test_poll_checks_in_the_order_of_the_reference(winsock: Process) -> None:
    """Startup, the list, entries at all, sockets at all; the provider judges the events."""
    assert code_of(api.WSAPoll, None, 0) == WSAEFAULT
    assert code_of(api.WSAPoll, [], 0) == WSAEINVAL
    assert code_of(api.WSAPoll, (), -1) == WSAEINVAL
    assert code_of(api.WSAPoll, [(NOBODY, -1)], 0) == WSAENOTSOCK
    with Process().active():
        assert code_of(api.WSAPoll, None, 0) == WSANOTINITIALISED


def test_poll_goes_to_the_extension_function_of_the_first_socket(two: Any) -> None:
    _, (provider, other), (s, _) = two
    seen: list[Any] = []

    def poll(fds: Any, timeout: int) -> Any:
        seen.append((fds, timeout))
        return 1, [0, POLLWRNORM]

    polls(provider, poll)
    entries = [(NOBODY, 0), (s, POLLIN)]

    assert api.WSAPoll(entries, 250) == (1, [0, POLLWRNORM])

    assert seen == [(entries, 250)]
    asked = (s, SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_WSAPOLL.bytes_le, 8, None)
    assert [(call.name, call.args) for call in provider.calls] == [("WSPIoctl", asked)]
    assert other.calls == []


def test_the_function_is_asked_for_once_as_long_as_no_handle_comes_or_goes(two: Any) -> None:
    _, (provider, _), (s, _) = two
    polls(provider, lambda fds, timeout: (0, [0]))
    for _ in range(5):
        api.WSAPoll([(s, POLLIN)], 0)
    assert provider.names() == ["WSPIoctl"]

    api.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    api.WSAPoll([(s, POLLIN)], 0)

    assert provider.names() == ["WSPIoctl", "WSPSocket", "WSPIoctl"]


def test_each_thread_remembers_its_own_list(two: Any) -> None:
    process, (provider, _), (s, _) = two
    polls(provider, lambda fds, timeout: (0, [0]))

    def poll() -> None:
        with process.active():
            api.WSAPoll([(s, POLLIN)], 0)

    poll()
    Call(poll).result()
    poll()

    assert provider.names() == ["WSPIoctl"] * 2


@pytest.mark.parametrize("answer", [b"\x2b\0\0\0", WinsockError(WSAEINVAL), WinsockError(WSAEOPNOTSUPP)], ids=repr)
def test_a_provider_without_the_function(two: Any, answer: Any) -> None:
    """It knows no GUIDs, refuses this one, or knows no extension functions at all."""
    _, (provider, _), (s, _) = two
    if isinstance(answer, WinsockError):
        provider.failures["WSPIoctl"] = answer
    else:
        polls(provider, answer)

    assert code_of(api.WSAPoll, [(s, POLLIN)], 0) == WSAEOPNOTSUPP


def test_what_the_function_raises_is_the_programs(two: Any) -> None:
    _, (provider, _), (s, _) = two

    def poll(fds: Any, timeout: int) -> Any:
        raise WinsockError(WSAECONNRESET)

    polls(provider, poll)

    assert code_of(api.WSAPoll, [(s, POLLIN)], 0) == WSAECONNRESET


def test_fd_isset_looks_into_a_set() -> None:
    assert vars(api)["__WSAFDIsSet"](5, [4, 5])
    assert not vars(api)["__WSAFDIsSet"](6, [4, 5])
