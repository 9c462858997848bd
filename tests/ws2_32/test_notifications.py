"""Socket state notifications: registrations, levels that last, edges, and what is left behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.loopback import code_of, pair, received
from winsock2emu import kernel32
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND,
    WAIT_TIMEOUT,
    WSAENOTSOCK,
)
from winsock2emu.defs.constants import (
    INVALID_HANDLE_VALUE,
    SOCK_NOTIFY_EVENT_IN,
    SOCK_NOTIFY_EVENT_OUT,
    SOCK_NOTIFY_OP_DISABLE,
    SOCK_NOTIFY_OP_ENABLE,
    SOCK_NOTIFY_OP_REMOVE,
    SOCK_NOTIFY_TRIGGER_EDGE,
    SOCK_NOTIFY_TRIGGER_LEVEL,
    SOCK_NOTIFY_TRIGGER_ONESHOT,
)
from winsock2emu.ws2_32 import (
    SOCK_NOTIFY_REGISTRATION,
    ProcessSocketNotifications,
    SocketNotificationRetrieveEvents,
)

LEVEL, EDGE, ONCE = SOCK_NOTIFY_TRIGGER_LEVEL, SOCK_NOTIFY_TRIGGER_EDGE, SOCK_NOTIFY_TRIGGER_ONESHOT
PATIENCE_MS = 20_000


@pytest.fixture
def port() -> Iterator[int]:
    port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, 0)
    yield port
    kernel32.CloseHandle(port)


pytestmark = pytest.mark.usefixtures("winsock")


def register(port: int, s: int, operation: int, events: int = 0, triggers: int = 0, key: object = "key") -> int:
    one = SOCK_NOTIFY_REGISTRATION(s, key, events, operation, triggers)
    assert ProcessSocketNotifications(port, [one]) == []
    return one.result


def told(port: int, timeout_ms: int = PATIENCE_MS) -> list[tuple[object, int]]:
    found = ProcessSocketNotifications(port, (), timeout_ms, 16)
    return [(packet[0], SocketNotificationRetrieveEvents(packet)) for packet in found]


def test_a_level_is_told_as_often_as_it_is_asked_for_and_one_at_a_time(port: int) -> None:
    client, server = pair()
    assert register(port, server, SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_EVENT_IN, LEVEL) == 0
    for byte in (b"a", b"b", b"c"):
        api.send(client, byte)
    for _ in range(3):
        assert told(port) == [("key", SOCK_NOTIFY_EVENT_IN)]
        received(server, 1)
    assert code_of(told, port, 0) == WAIT_TIMEOUT


def test_levels_of_several_sockets_take_turns(port: int) -> None:
    pairs = [pair() for _ in range(3)]
    for number, (client, server) in enumerate(pairs):
        register(port, server, SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_EVENT_IN, LEVEL, number)
        api.send(client, b"x")
    for _ in range(2):
        found: list[tuple[object, int]] = []
        while len(found) < 3:
            found += told(port)
        assert sorted(found) == [(number, SOCK_NOTIFY_EVENT_IN) for number in range(3)]


def test_edges_need_all_to_be_received(port: int) -> None:
    client, server = pair()
    assert register(port, server, SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_EVENT_IN, EDGE) == 0
    api.send(client, b"abc")
    assert told(port) == [("key", SOCK_NOTIFY_EVENT_IN)]
    received(server, 1)
    assert code_of(told, port, 0) == WAIT_TIMEOUT


def test_a_registration_ends_with_its_socket_and_edges_give_their_descriptors_back(port: int) -> None:
    """The fixture looks for descriptors."""
    _, server = pair()
    register(port, server, SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_EVENT_IN | SOCK_NOTIFY_EVENT_OUT, EDGE)
    api.closesocket(server)
    assert code_of(told, port, 0) == WAIT_TIMEOUT


def test_one_port_a_socket(port: int) -> None:
    _, server = pair()
    other = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, 0)
    assert register(port, server, SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_EVENT_IN, LEVEL) == 0
    assert register(other, server, SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_EVENT_IN, LEVEL) == ERROR_INVALID_PARAMETER
    assert register(other, server, SOCK_NOTIFY_OP_REMOVE) == ERROR_NOT_FOUND
    kernel32.CloseHandle(other)


@pytest.mark.parametrize(
    ("operation", "events", "triggers"),
    [
        (SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_EVENT_IN, 0),
        (SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_EVENT_IN, LEVEL | EDGE),
        (SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_EVENT_IN, LEVEL | ONCE | 2),
        (SOCK_NOTIFY_OP_ENABLE, 0x100, LEVEL),
        (SOCK_NOTIFY_OP_ENABLE | SOCK_NOTIFY_OP_REMOVE, SOCK_NOTIFY_EVENT_IN, LEVEL),
    ],
)
def test_flags_that_do_not_go_together(port: int, operation: int, events: int, triggers: int) -> None:
    _, server = pair()
    assert register(port, server, operation, events, triggers) == ERROR_INVALID_PARAMETER


def test_what_is_not_there_is_said_of_each(port: int) -> None:
    _, server = pair()
    for operation in (SOCK_NOTIFY_OP_DISABLE, SOCK_NOTIFY_OP_REMOVE):
        assert register(port, server, operation) == ERROR_NOT_FOUND
    assert register(port, 0xABCDEF0, SOCK_NOTIFY_OP_ENABLE, SOCK_NOTIFY_EVENT_IN, LEVEL) == WSAENOTSOCK
    assert code_of(ProcessSocketNotifications, server + 200) == ERROR_INVALID_HANDLE
    assert code_of(ProcessSocketNotifications, port, (), 5, 0) == ERROR_INVALID_PARAMETER
