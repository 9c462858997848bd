"""Socket state notifications: what holds for sockets, as packets of a completion port (Windows 11)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..constants import (
    INVALID_HANDLE_VALUE,
    SD_SEND,
    SOCK_NOTIFY_EVENT_ERR,
    SOCK_NOTIFY_EVENT_HANGUP,
    SOCK_NOTIFY_EVENT_IN,
    SOCK_NOTIFY_EVENT_OUT,
    SOCK_NOTIFY_EVENT_REMOVE,
    SOCK_NOTIFY_OP_DISABLE,
    SOCK_NOTIFY_OP_ENABLE,
    SOCK_NOTIFY_OP_REMOVE,
    SOCK_NOTIFY_REGISTER_EVENT_HANGUP,
    SOCK_NOTIFY_REGISTER_EVENT_IN,
    SOCK_NOTIFY_REGISTER_EVENT_OUT,
    SOCK_NOTIFY_REGISTER_EVENTS_ALL,
    SOCK_NOTIFY_TRIGGER_EDGE,
    SOCK_NOTIFY_TRIGGER_LEVEL,
    SOCK_NOTIFY_TRIGGER_ONESHOT,
    SOCK_NOTIFY_TRIGGER_PERSISTENT,
    WAIT_TIMEOUT,
    WSAENOTSOCK,
)
from ..model import Row, case
from ..registering import Registration
from ..target import Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Socket state notifications"
CALL = "winsock2/nf-winsock2-processsocketnotifications"
RECORD = "winsock2/ns-winsock2-sock_notify_registration"
OVERVIEW = "winsock/winsock-socket-state-notifications"

KEY = 0x1234
PERSISTENT = SOCK_NOTIFY_TRIGGER_LEVEL | SOCK_NOTIFY_TRIGGER_PERSISTENT
ONCE = SOCK_NOTIFY_TRIGGER_LEVEL | SOCK_NOTIFY_TRIGGER_ONESHOT
EDGE = SOCK_NOTIFY_TRIGGER_EDGE | SOCK_NOTIFY_TRIGGER_PERSISTENT
PATIENCE_MS = 5000


@contextlib.contextmanager
def port_of(ws: Target) -> Iterator[int]:
    port = ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0)
    try:
        yield port
    finally:
        ws.CloseHandle(port)


def done(ws: Target, port: int, s: int, operation: int, events: int = 0, triggers: int = 0, key: int = KEY) -> None:
    """Deal with one registration, and nothing else."""
    one = Registration(s, key, events, operation, triggers)
    expect("packets", expected=[], actual=ws.ProcessSocketNotifications(port, [one]))
    expect("registration", expected=0, actual=one.result)


def enable(ws: Target, port: int, s: int, events: int, triggers: int, key: int = KEY) -> None:
    done(ws, port, s, SOCK_NOTIFY_OP_ENABLE, events, triggers, key)


def told(ws: Target, port: int, timeout_ms: int = PATIENCE_MS) -> tuple[int, int]:
    """Key and events of the next notification."""
    packets = ws.ProcessSocketNotifications(port, (), timeout_ms, 1)
    expect("packets", expected=1, actual=len(packets))
    return packets[0][0], packets[0][3]


def nothing(ws: Target, port: int) -> None:
    """Nothing is told, not even a moment later."""
    with fails_with(WAIT_TIMEOUT):
        ws.ProcessSocketNotifications(port, (), 30, 1)


@case("notify.level.in", chapter=CHAPTER, source=RECORD, basis="documented")
def data_is_told_with_the_key(ws: Target) -> None:
    """A level-triggered registration tells of data with its key, as long as it is there, and then not any more."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_IN, PERSISTENT)
        nothing(ws, port)
        ws.send(client, b"two!")
        for _ in range(2):
            expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_IN), actual=told(ws, port))
            ws.recv(server, bytearray(2))
        nothing(ws, port)
        ws.send(client, b"x")
        expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_IN), actual=told(ws, port))


@case("notify.level.already", chapter=CHAPTER, source=RECORD, basis="documented")
def what_holds_is_told_at_once(ws: Target) -> None:
    """What holds when a level-triggered registration is enabled is told; events are in one mask."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        ws.send_and_settle(client, b"x")
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENTS_ALL, PERSISTENT)
        expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_IN | SOCK_NOTIFY_EVENT_OUT), actual=told(ws, port, 0))


@case("notify.one-call", chapter=CHAPTER, source=CALL, basis="documented")
def one_call_registers_and_takes(ws: Target) -> None:
    """One call registers two sockets and takes what is told of them."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        given = [
            Registration(client, 1, SOCK_NOTIFY_REGISTER_EVENT_OUT, SOCK_NOTIFY_OP_ENABLE, ONCE),
            Registration(server, 2, SOCK_NOTIFY_REGISTER_EVENT_OUT, SOCK_NOTIFY_OP_ENABLE, ONCE),
        ]
        packets = ws.ProcessSocketNotifications(port, given, PATIENCE_MS, 8)
        expect("results", expected=[0, 0], actual=[one.result for one in given])
        found = sorted((packet[0], packet[3]) for packet in packets)
        expect("told", expected=[(1, SOCK_NOTIFY_EVENT_OUT), (2, SOCK_NOTIFY_EVENT_OUT)], actual=found)


@case("notify.other-packets", chapter=CHAPTER, source=CALL, basis="documented")
def other_packets_come_as_well(ws: Target) -> None:
    """A packet that was posted comes out of the call; a notification comes out of GetQueuedCompletionStatus."""
    with ws.connected_pair() as (_, server), port_of(ws) as port:
        ws.PostQueuedCompletionStatus(port, 77, 5, 0)
        expect("posted", expected=(5, 77), actual=told(ws, port))
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_OUT, ONCE)
        events, key, _ = ws.GetQueuedCompletionStatus(port, PATIENCE_MS)
        expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_OUT), actual=(key, events))


@case("notify.one-shot", chapter=CHAPTER, source=RECORD, basis="documented")
def one_shot_tells_once(ws: Target) -> None:
    """A one-shot registration is disabled by its notification and can be enabled again."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_IN, ONCE)
        ws.send(client, b"x")
        expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_IN), actual=told(ws, port))
        nothing(ws, port)
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_IN, ONCE)
        expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_IN), actual=told(ws, port))


@case("notify.edge", chapter=CHAPTER, source=RECORD, basis="documented")
def edges_are_changes(ws: Target) -> None:
    """An edge-triggered registration tells of new data once, and again after all of it has been received."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_IN, EDGE)
        nothing(ws, port)
        for _ in range(2):
            ws.send(client, b"data")
            expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_IN), actual=told(ws, port))
            nothing(ws, port)
            ws.receive_exactly(server, 4)


@case("notify.edge.already", chapter=CHAPTER, source=RECORD, basis="documented")
def edges_do_not_tell_what_holds(ws: Target) -> None:
    """A condition that holds already when an edge-triggered registration is enabled is not told."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        ws.send_and_settle(client, b"x")
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENTS_ALL, EDGE)
        nothing(ws, port)


@case("notify.hangup", chapter=CHAPTER, source=RECORD, basis="documented")
def the_end_of_a_connection_is_told(ws: Target) -> None:
    """When the peer has ended the connection, HANGUP is told."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_HANGUP, ONCE)
        nothing(ws, port)
        ws.shutdown(client, SD_SEND)
        expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_HANGUP), actual=told(ws, port))


@case("notify.error", chapter=CHAPTER, source=OVERVIEW, basis="documented")
def a_reset_is_an_error(ws: Target) -> None:
    """A connection that is reset is told as ERR, which nobody has to ask for."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_HANGUP, ONCE)
        ws.reset(client)
        key, events = told(ws, port)
        expect("key", expected=KEY, actual=key)
        expect_true("ERR", events & SOCK_NOTIFY_EVENT_ERR, actual=hex(events))


@case("notify.disable", chapter=CHAPTER, source=RECORD, basis="documented")
def a_disabled_registration_is_silent(ws: Target) -> None:
    """Nothing is told while a registration is disabled, and nothing is kept for later but what still holds."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_IN, PERSISTENT)
        done(ws, port, server, SOCK_NOTIFY_OP_DISABLE)
        ws.send_and_settle(client, b"x")
        nothing(ws, port)
        ws.recv(server, bytearray(1))
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_IN, PERSISTENT)
        nothing(ws, port)


@case("notify.remove", chapter=CHAPTER, source=RECORD, basis="documented")
def removing_is_told_last(ws: Target) -> None:
    """Removing a registration is told by REMOVE with its key, and nothing after it; a new one has its own key."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_IN, PERSISTENT)
        done(ws, port, server, SOCK_NOTIFY_OP_REMOVE)
        expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_REMOVE), actual=told(ws, port))
        ws.send_and_settle(client, b"x")
        nothing(ws, port)
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_IN, ONCE, key=8)
        expect("told", expected=(8, SOCK_NOTIFY_EVENT_IN), actual=told(ws, port))


@case("notify.overwrite", chapter=CHAPTER, source=CALL, basis="documented")
def registering_again_overwrites(ws: Target) -> None:
    """Registering a socket again replaces what is asked for; the key stays that of the first time."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_HANGUP, PERSISTENT)
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_IN, PERSISTENT, key=99)
        ws.send(client, b"x")
        expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_IN), actual=told(ws, port))


@case("notify.close", chapter=CHAPTER, source=OVERVIEW, basis="documented")
def closing_deregisters_in_silence(ws: Target) -> None:
    """Closing the socket ends its registration without a notification."""
    with ws.connected_pair() as (_, server), port_of(ws) as port:
        enable(ws, port, server, SOCK_NOTIFY_REGISTER_EVENT_IN | SOCK_NOTIFY_REGISTER_EVENT_HANGUP, PERSISTENT)
        ws.closesocket(server)
        nothing(ws, port)


@case("notify.result.no-socket", chapter=CHAPTER, source=CALL, basis="documented")
def each_registration_has_its_result(ws: Target) -> None:
    """A registration that fails has a result that is not 0; the others and the call succeed."""
    with ws.connected_pair() as (_, server), port_of(ws) as port:
        given = [
            Registration(0xABCDEF0, 1, SOCK_NOTIFY_REGISTER_EVENT_OUT, SOCK_NOTIFY_OP_ENABLE, ONCE),
            Registration(server, 2, SOCK_NOTIFY_REGISTER_EVENT_OUT, SOCK_NOTIFY_OP_ENABLE, ONCE),
        ]
        packets = ws.ProcessSocketNotifications(port, given, PATIENCE_MS, 4)
        expect("results", expected=[WSAENOTSOCK, 0], actual=[one.result for one in given])
        expect("keys", expected=[2], actual=[packet[0] for packet in packets])


@case(
    "notify.result.triggers-{row}",
    chapter=CHAPTER,
    source=RECORD,
    basis="documented",
    rows={
        "level-and-edge": Row(SOCK_NOTIFY_TRIGGER_LEVEL | SOCK_NOTIFY_TRIGGER_EDGE),
        "neither": Row(SOCK_NOTIFY_TRIGGER_PERSISTENT),
    },
)
def one_of_level_and_edge_is_needed(ws: Target, triggers: int) -> None:
    """A registration has to be for levels or for edges, not both."""
    with ws.connected_pair() as (_, server), port_of(ws) as port:
        one = Registration(server, 1, SOCK_NOTIFY_REGISTER_EVENT_IN, SOCK_NOTIFY_OP_ENABLE, triggers)
        ws.ProcessSocketNotifications(port, [one])
        expect_true("result", one.result, actual=one.result)


@case("notify.timeout", chapter=CHAPTER, source=CALL, basis="documented")
def no_packet_in_time(ws: Target) -> None:
    """A call that takes no packet in its time is WAIT_TIMEOUT; its registrations have been dealt with."""
    with ws.connected_pair() as (client, server), port_of(ws) as port:
        one = Registration(server, KEY, SOCK_NOTIFY_REGISTER_EVENT_IN, SOCK_NOTIFY_OP_ENABLE, ONCE)
        with fails_with(WAIT_TIMEOUT):
            ws.ProcessSocketNotifications(port, [one], 0, 1)
        expect("registration", expected=0, actual=one.result)
        ws.send(client, b"x")
        expect("told", expected=(KEY, SOCK_NOTIFY_EVENT_IN), actual=told(ws, port))
