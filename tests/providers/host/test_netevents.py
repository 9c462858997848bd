"""Network events: what no program of one thread can see, and what takes a made-up network or window."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.concurrency import Interrupt, descriptors, interrupted_at_step, until
from tests.loopback import code_of, elsewhere
from tests.providers.host.networks import made_up, provider_of, row
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAENETUNREACH, WSAEWOULDBLOCK
from winsock2emu.defs.constants import (
    AF_INET,
    FD_ACCEPT,
    FD_ADDRESS_LIST_CHANGE,
    FD_CLOSE,
    FD_CONNECT,
    FD_OOB,
    FD_READ,
    FD_ROUTING_INTERFACE_CHANGE,
    FD_ROUTING_INTERFACE_CHANGE_BIT,
    FD_WRITE,
    FIONBIO,
    SD_SEND,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ROUTING_INTERFACE_CHANGE,
    SO_LINGER,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
)
from winsock2emu.defs.sockaddr import sockaddr_in
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.events import Event
from winsock2emu.process import Process
from winsock2emu.providers.host import netevents
from winsock2emu.providers.host.hostsocket import HostSocket
from winsock2emu.providers.host.netevents import Enabling, NetworkEvents

PATIENCE_MS = 20_000
QUIET_MS = 60
LOOPBACK = sockaddr_in("127.0.0.1")

Pair = tuple[int, int]


@pytest.fixture
def pair(winsock: Process) -> Pair:
    """Two ends of a TCP connection."""
    return connected()


def connected() -> Pair:
    listener = api.socket(AF_INET, SOCK_STREAM, 0)
    api.bind(listener, LOOPBACK)
    api.listen(listener, 5)
    client = api.socket(AF_INET, SOCK_STREAM, 0)
    api.connect(client, api.getsockname(listener))
    server, _ = api.accept(listener)
    api.closesocket(listener)
    return client, server


def selected(s: int, mask: int) -> int:
    event = api.WSACreateEvent()
    api.WSAEventSelect(s, event, mask)
    return event


def told(s: int, event: int, ms: int = PATIENCE_MS) -> int:
    """What is recorded, after a wait for the event."""
    if api.WSAWaitForMultipleEvents([event], False, ms):
        return 0
    return api.WSAEnumNetworkEvents(s, event)[0]


def endpoint_of(process: Process, s: int) -> HostSocket:
    endpoint: HostSocket = provider_of(process)._socket(s)
    return endpoint


# Cost


def test_a_socket_without_a_selection_has_nothing_of_it(winsock: Process, pair: Pair) -> None:
    """Its entries are its own, and nobody is told of its readiness."""
    endpoint = endpoint_of(winsock, pair[0])
    assert not isinstance(endpoint.observer, NetworkEvents)
    assert winsock.objects[pair[0]].mover is endpoint
    selected(pair[0], FD_READ)
    assert isinstance(endpoint_of(winsock, pair[0]).observer, NetworkEvents)
    assert winsock.objects[pair[0]].mover.__class__ is Enabling


@pytest.mark.parametrize("mask", [FD_READ, FD_CLOSE, FD_READ | FD_OOB | FD_WRITE | FD_CLOSE])
@pytest.mark.parametrize("state", ["data", "ended", "data and ended", "reset"])
def test_what_stays_ready_is_not_reported_for_ever(winsock: Process, pair: Pair, mask: int, state: str) -> None:
    """Nobody calls anything any more: the pump lets go of the descriptor."""
    client, server = pair
    event = selected(client, mask)
    told(client, event, QUIET_MS)
    if "data" in state:
        api.send(server, b"x")
    if "ended" in state:
        api.shutdown(server, SD_SEND)
    if state == "reset":
        api.setsockopt(server, SOL_SOCKET, SO_LINGER, b"\1\0\0\0")
        api.closesocket(server)
    if (mask & FD_READ and "data" in state) or (mask & FD_CLOSE and "data" not in state):
        assert told(client, event) & mask

    rounds = []
    collect = winsock.engine.collect
    winsock.engine.collect = lambda timeout_s: rounds.append(0) or collect(timeout_s)  # type: ignore[method-assign,func-returns-value]
    until(lambda: _settles(rounds), "nothing is reported any more")


def _settles(rounds: list[int]) -> bool:
    """No more than a few looks in a while: those that end by their time limit."""
    before = len(rounds)
    time.sleep(0.1)
    return len(rounds) - before < 30


def test_answering_each_event_arms_nothing(winsock: Process, pair: Pair) -> None:
    """The descriptor stays with the pump while a program waits, enumerates and receives in turns."""
    client, server = pair
    event = selected(client, FD_READ | FD_CLOSE)
    room = bytearray(8)

    def turn() -> None:
        api.send(server, b"12345678")
        assert told(client, event) == FD_READ
        assert api.recv(client, room) == 8

    turn()
    arms = []
    engine = winsock.engine
    engine._open()[0].arm = lambda fd, mask: arms.append(fd)  # type: ignore[method-assign]
    for _ in range(50):
        turn()
    assert endpoint_of(winsock, client).fd not in arms


# Event objects


def test_a_closed_event_is_not_taken_for_the_one_with_its_number(winsock: Process, pair: Pair) -> None:
    """R6.64: handles are given out again at once; the selection means the object."""
    client, server = pair
    event = selected(client, FD_READ)
    api.WSACloseEvent(event)
    assert api.WSACreateEvent() == event

    api.send(server, b"x")

    until(lambda: api.WSAEnumNetworkEvents(client)[0] == FD_READ, "the data is recorded")
    assert api.WSAWaitForMultipleEvents([event], False, 0) == 258


def test_the_low_bits_of_an_event_handle_are_the_program_s(winsock: Process, pair: Pair) -> None:
    event = api.WSACreateEvent()
    api.WSAEventSelect(pair[0], event | 1, FD_WRITE)
    assert api.WSAWaitForMultipleEvents([event], False, 0) == 0
    assert api.WSAEnumNetworkEvents(pair[0], event | 2)[0] == FD_WRITE
    assert api.WSAWaitForMultipleEvents([event], False, 0) == 258


# Windows


class MadeUpWindow:
    """What stands behind WPUPostMessage."""

    def __init__(self) -> None:
        self.full = 0  # how often there is no room
        self.gone = False
        self.messages: list[tuple[int, int]] = []
        self.tries = 0

    def post(self, window: int, message: int, wparam: int, lparam: int) -> bool:
        self.tries += 1
        if self.gone:
            raise WinsockError(1400)
        if self.full:
            self.full -= 1
            return False
        self.messages.append((lparam & 0xFFFF, lparam >> 16))
        return True


def window_of(process: Process, s: int) -> tuple[MadeUpWindow, NetworkEvents]:
    """A window, and the network events of a socket that it can be told."""
    api.WSAEventSelect(s, None, 0)
    events = endpoint_of(process, s).observer
    assert events is not None
    window = MadeUpWindow()
    events._post = window.post
    return window, events


def test_a_message_that_has_no_room_is_posted_later(
    winsock: Process, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The window's queue is full three times; the events that follow wait for nothing else."""
    monkeypatch.setattr(netevents, "RETRY_S", 0.01)
    client, server = pair
    window, events = window_of(winsock, client)
    window.full = 3
    events.select_window(1, 2, client, FD_READ | FD_WRITE)
    api.send(server, b"x")

    until(lambda: len(window.messages) == 2, "both have been posted")

    assert sorted(window.messages) == [(FD_READ, 0), (FD_WRITE, 0)]


def test_a_window_that_is_gone_is_not_tried_again(winsock: Process, pair: Pair) -> None:
    client, _ = pair
    window, events = window_of(winsock, client)
    window.gone = True
    events.select_window(1, 2, client, FD_WRITE)
    tries = window.tries
    time.sleep(0.1)
    assert (tries, window.tries) == (1, 1)


def test_messages_for_what_happens_together_come_in_order(winsock: Process) -> None:
    """R6.79: the connection first, then what it is good for."""
    listener = api.socket(AF_INET, SOCK_STREAM, 0)
    api.bind(listener, LOOPBACK)
    api.listen(listener, 5)
    client = api.socket(AF_INET, SOCK_STREAM, 0)
    window, events = window_of(winsock, client)
    events.select_window(1, 2, client, FD_CONNECT | FD_READ | FD_WRITE)
    assert code_of(api.connect, client, api.getsockname(listener)) == WSAEWOULDBLOCK
    until(lambda: len(window.messages) == 2, "both have been posted")
    assert window.messages == [(FD_CONNECT, 0), (FD_WRITE, 0)]


# Changes of the network


@pytest.mark.parametrize("order", ["request first", "selection first"])
def test_a_change_is_told_once_for_each_request(winsock: Process, order: str) -> None:
    """addrchange-event: to the socket that has asked, and again only when it has asked again."""
    network = made_up(winsock, row("192.0.2.1"))
    s, other = (api.socket(AF_INET, SOCK_DGRAM, 0) for _ in range(2))
    api.ioctlsocket(s, FIONBIO, 1)
    idle = selected(other, FD_ADDRESS_LIST_CHANGE)

    def ask() -> None:
        assert code_of(api.WSAIoctl, s, SIO_ADDRESS_LIST_CHANGE) == WSAEWOULDBLOCK

    if order == "request first":
        ask()
    event = selected(s, FD_ADDRESS_LIST_CHANGE)
    if order == "selection first":
        ask()
    network.tell()  # news that changes nothing
    assert told(s, event, QUIET_MS) == 0
    network.rows.append(row("192.0.2.2"))
    network.tell()
    assert told(s, event) == FD_ADDRESS_LIST_CHANGE
    network.rows.append(row("192.0.2.3"))
    network.tell()
    assert told(s, event, QUIET_MS) == 0
    ask()
    network.rows.clear()
    network.tell()
    assert told(s, event) == FD_ADDRESS_LIST_CHANGE
    assert told(other, idle, 0) == 0
    assert network.open_sources == 0


def test_a_change_between_request_and_selection_is_told_by_the_selection(winsock: Process) -> None:
    network = made_up(winsock, row("192.0.2.1"))
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.ioctlsocket(s, FIONBIO, 1)
    assert code_of(api.WSAIoctl, s, SIO_ADDRESS_LIST_CHANGE) == WSAEWOULDBLOCK
    network.rows.clear()
    network.tell()
    assert told(s, selected(s, FD_ADDRESS_LIST_CHANGE)) == FD_ADDRESS_LIST_CHANGE


def test_a_destination_that_cannot_be_reached_any_more_is_told_with_the_error(winsock: Process) -> None:
    """R6.87."""
    network = made_up(winsock)
    destination = sockaddr_in("203.0.113.5")
    network.ways = {"203.0.113.5": sockaddr_in("192.0.2.7")}
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    event = selected(s, FD_ROUTING_INTERFACE_CHANGE)
    for way, code in ((WSAENETUNREACH, WSAENETUNREACH), (sockaddr_in("192.0.2.8"), 0)):
        assert code_of(api.WSAIoctl, s, SIO_ROUTING_INTERFACE_CHANGE, destination) == WSAEWOULDBLOCK
        network.ways = {"203.0.113.5": way}
        network.tell()
        assert api.WSAWaitForMultipleEvents([event], False, PATIENCE_MS) == 0
        mask, codes = api.WSAEnumNetworkEvents(s, event)
        assert (mask, codes[FD_ROUTING_INTERFACE_CHANGE_BIT]) == (FD_ROUTING_INTERFACE_CHANGE, code)


# Several descriptors


@pytest.mark.parametrize("shared_first", [True, False])
def test_a_receive_through_any_descriptor_enables_again(winsock: Process, pair: Pair, shared_first: bool) -> None:
    """R10.8: the selection is the socket's."""
    client, server = pair

    def share() -> int:
        record = api.WSADuplicateSocket(client, os.getpid())
        return api.WSASocket(-1, -1, -1, record, 0, 0)

    duplicate = share() if shared_first else 0
    event = selected(client, FD_READ)
    duplicate = duplicate or share()
    for s in (duplicate, client, duplicate):
        api.send(server, b"ab")
        until(lambda: api.ioctlsocket(client, 0x4004667F, 0) == 2, "both bytes are there")
        assert told(client, event) == FD_READ
        api.recv(s, bytearray(1))
        assert told(client, event) == FD_READ
        api.recv(s, bytearray(1))
        assert told(client, event, 0) == 0
    api.closesocket(client)
    api.send(server, b"c")
    assert told(duplicate, event) == FD_READ


# Threads


def auto_reset(winsock: Process) -> int:
    return winsock.open_handle(Event(manual_reset=False))


@pytest.mark.parametrize("backend", [None, "poll", "select"])
@pytest.mark.parametrize("kind", ["manual", "auto"])
def test_nothing_is_lost_between_a_writer_and_a_reader(backend: str | None, kind: str) -> None:
    """A thread sends in bursts, full buffers among them; the other one only ever does what events tell."""
    with started_with(backend) as winsock:
        client, server = connected()
        total = 3_000_000
        incoming = selected(server, 0) if kind == "manual" else auto_reset(winsock)
        api.WSAEventSelect(server, incoming, FD_READ | FD_CLOSE)

        def write() -> None:
            event = api.WSACreateEvent()
            api.WSAEventSelect(client, event, FD_WRITE)
            left = memoryview(bytes(total))
            size = 1
            while left:
                size = size * 7 % 100_003 + 1
                try:
                    left = left[api.send(client, left[:size]) :]
                except BlockingIOError:
                    assert api.WSAWaitForMultipleEvents([event], False, PATIENCE_MS) == 0
                    api.WSAEnumNetworkEvents(client, event)
            api.shutdown(client, SD_SEND)

        writer = elsewhere(write)
        got, ended, room = 0, False, bytearray(10_000)
        while not ended:
            assert api.WSAWaitForMultipleEvents([incoming], False, PATIENCE_MS) == 0, f"stalls after {got} bytes"
            mask, _ = api.WSAEnumNetworkEvents(server, incoming)
            if mask & FD_READ:
                got += api.recv(server, room)
            ended = bool(mask & FD_CLOSE)
        writer.result()
        assert got == total


@contextmanager
def started_with(backend: str | None) -> Iterator[Process]:
    """A started process on a back end of the reactor."""
    with Process(backend=backend).active() as process:
        api.WSAStartup(0x0202)
        yield process
        api.WSACleanup()


def test_each_event_is_taken_by_one_thread(winsock: Process, pair: Pair) -> None:
    """Four threads take records while data comes and is received: FD_READ is taken as often as it was enabled."""
    client, server = pair
    selected(client, FD_READ)
    taken: list[int] = []
    done = threading.Event()

    def take() -> None:
        while not done.is_set():
            if api.WSAEnumNetworkEvents(client)[0] & FD_READ:
                taken.append(1)

    takers = [elsewhere(take) for _ in range(4)]
    for turn in range(50):
        api.send(server, b"x")
        until(lambda turn=turn: len(taken) > turn, "somebody has taken it")  # type: ignore[misc]
        assert len(taken) == turn + 1
        assert api.recv(client, bytearray(8)) == 1
    done.set()
    for taker in takers:
        taker.result()


def test_connections_that_come_from_many_threads_are_all_told(winsock: Process) -> None:
    """A listening socket is served by FD_ACCEPT alone, one accept for each; accepted sockets inherit."""
    listener = api.socket(AF_INET, SOCK_STREAM, 0)
    api.bind(listener, LOOPBACK)
    api.listen(listener, 200)
    event = selected(listener, FD_ACCEPT)
    where = api.getsockname(listener)

    def call() -> None:
        for _ in range(10):
            s = api.socket(AF_INET, SOCK_STREAM, 0)
            api.connect(s, where)

    callers = [elsewhere(call) for _ in range(4)]
    for number in range(40):
        assert api.WSAWaitForMultipleEvents([event], False, PATIENCE_MS) == 0, f"stalls after {number}"
        if api.WSAEnumNetworkEvents(listener, event)[0] & FD_ACCEPT:
            s, _ = api.accept(listener)
            api.WSAEventSelect(s, None, 0)
    for one in callers:
        one.result()


def test_a_call_that_a_signal_ends_leaves_the_rest_in_order(winsock: Process, pair: Pair) -> None:
    """Whatever step of a receive is interrupted, after the next receive events are told again."""
    client, server = pair
    event = selected(client, FD_READ)
    codes = {Enabling.WSPRecv.__code__, NetworkEvents.received.__code__, NetworkEvents.take.__code__}
    for step in range(200):
        api.send(server, b"xy")
        assert told(client, event) & FD_READ
        with interrupted_at_step(step, codes) as struck:
            try:
                api.recv(client, bytearray(1))
                api.WSAEnumNetworkEvents(client, event)
            except Interrupt:
                pass
        drain(client)
        api.WSAEnumNetworkEvents(client, event)
        if not struck:
            return
    raise AssertionError("a receive has no end")


def drain(s: int) -> None:
    while code_of(api.recv, s, bytearray(64)) != WSAEWOULDBLOCK:
        pass


# The end


def test_a_selected_listening_socket_leaves_nothing_open(winsock: Process) -> None:
    """What watches for connections ends with the socket, by closesocket or with everything."""
    before = None
    for _ in range(3):
        listener = api.socket(AF_INET, SOCK_STREAM, 0)
        api.bind(listener, LOOPBACK)
        api.listen(listener, 5)
        event = selected(listener, FD_ACCEPT)
        api.closesocket(listener)
        api.WSACloseEvent(event)
        before = before or descriptors()
    assert descriptors() == before
    listener = api.socket(AF_INET, SOCK_STREAM, 0)
    api.bind(listener, LOOPBACK)
    api.listen(listener, 5)
    selected(listener, FD_ACCEPT)  # the fixture looks for what is left


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the host has no fork")
def test_a_child_finds_the_selection_when_it_looks(winsock: Process, pair: Pair) -> None:
    """Locks are new, and a look tells what there is; a receive enables again."""
    client, server = pair
    selected(client, FD_READ)
    api.send(server, b"xy")
    child = os.fork()
    if not child:
        seen = [
            api.WSAEnumNetworkEvents(client)[0],
            api.recv(client, bytearray(1)),
            api.WSAEnumNetworkEvents(client)[0],
        ]
        os._exit(0 if seen == [FD_READ, 1, FD_READ] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
