"""Endpoints: alarms without a request, and lanes that wait for something else than usual."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.concurrency import LIMIT_S, Call, until
from tests.engine.transports import HostEnd, Overlapped, blocked
from winsock2emu.defs.codes import WSAEINTR
from winsock2emu.engine.pump import HANGUP, READABLE, URGENT, WRITABLE, ChangeWait, Pump
from winsock2emu.kernel.operations import PENDING
from winsock2emu.kernel.waits import this_waiter


class Alarmed(HostEnd):
    """An end that takes what alarms tell of, and keeps what it was told."""

    __slots__ = ("told",)

    def __init__(self, pump: Pump) -> None:
        super().__init__(pump)
        self.told: list[int] = []

    def alarm(self, ready: int) -> None:
        self.told.append(ready)
        if ready & HANGUP:
            self.alarms = 0
        elif ready & READABLE:
            self.host.recv(100)


@pytest.fixture
def pump() -> Iterator[Pump]:
    made = Pump()
    yield made
    made.close()


@pytest.fixture
def end(pump: Pump) -> Iterator[Alarmed]:
    made = Alarmed(pump)
    yield made
    made.close(WSAEINTR)


def watch(end: Alarmed, alarms: int) -> None:
    end.alarms = alarms
    end.pump.watch(end)


def test_an_alarm_needs_no_request(end: Alarmed) -> None:
    watch(end, READABLE)
    assert end.pump.armed() == (end.fd,)
    for count in (1, 2):
        end.arrive(b"a")
        until(lambda count=count: len(end.told) == count, "the alarm was told")  # type: ignore[misc]
    assert end.told == [READABLE, READABLE]
    assert end.pump.armed() == (end.fd,)


def test_without_alarms_the_descriptor_is_let_go(end: Alarmed) -> None:
    watch(end, READABLE)
    end.alarms = 0
    end.arrive(b"a")
    until(lambda: end.pump.armed() == (), "nobody looks after it")
    assert end.told == []


def test_a_hang_up_is_told_unasked(end: Alarmed) -> None:
    watch(end, URGENT)
    end.peer.close()
    until(lambda: end.told, "the alarm was told")
    assert end.told[0] & HANGUP
    until(lambda: end.pump.armed() == (), "nobody looks after it")


def test_the_alarm_comes_before_what_waits(end: Alarmed) -> None:
    """It has taken the data when the request is tried, which goes on waiting."""
    operation = Overlapped()
    assert end.inbound.run(end.receive(), operation) is PENDING
    watch(end, READABLE)
    end.arrive(b"a")
    until(lambda: end.told, "the alarm was told")
    assert not operation.final
    end.alarms = 0
    end.arrive(b"b")
    assert operation.outcome() == b"b"


def test_closing_ends_alarms(end: Alarmed) -> None:
    watch(end, READABLE)
    end.abort(WSAEINTR)
    assert end.pump.armed() == ()
    watch(end, READABLE)  # by a thread that comes late
    assert end.pump.armed() == ()


def test_a_child_has_no_alarms(end: Alarmed) -> None:
    end.alarms = READABLE
    end.after_fork()
    assert end.interest() == 0


# What a lane waits for


def test_a_lane_may_wait_for_nothing_of_the_descriptor(end: Alarmed) -> None:
    """Its requests sleep until they are told, also one that waits already; and then wait for the descriptor again."""
    first = blocked(end.inbound, end.receive())
    end.inbound.wait_for(0)
    end.arrive(b"a")  # nobody looks, unless the first was just about to
    second = Call(lambda: end.inbound.run(end.receive()))
    end.inbound.wait_for(READABLE)
    end.arrive(b"b")
    assert (first.result(), second.result()) == (b"a", b"b")


def test_a_pending_request_waits_for_what_its_lane_does(end: Alarmed) -> None:
    operation = Overlapped()
    end.inbound.wait_for(0)
    assert end.inbound.run(end.receive(), operation) is PENDING
    assert end.interest() == 0
    end.arrive(b"a")
    assert end.pump.armed() == ()
    end.inbound.wait_for(READABLE)
    assert operation.outcome() == b"a"


@pytest.mark.skipif(not hasattr(socket, "MSG_OOB"), reason="no urgent data")
def test_a_blocking_wait_tells_of_urgent_data(pump: Pump) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        peer = socket.create_connection(server.getsockname())
        host, _ = server.accept()
    end = Alarmed(pump)
    end.host.close()
    end.peer.close()
    host.setblocking(False)
    end.host, end.peer, end.fd = host, peer, host.fileno()
    end.inbound.mask = READABLE | URGENT
    receiving = blocked(end.inbound, end.receive())
    peer.send(b"!", socket.MSG_OOB)
    until(lambda: end.told, "the alarm was told")
    assert end.told[0] == URGENT
    end.inbound.wait_for(READABLE)  # or it would be told again and again
    peer.send(b"a")
    assert receiving.result() == b"a"
    end.close(WSAEINTR)


# News of a descriptor


@pytest.mark.parametrize("edges", [True, False], ids=["epoll", "without-epoll"])
def test_news_end_a_wait_that_readiness_would_not(edges: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is shut down is writable all along; that the peer has everything is news."""
    if not edges:
        monkeypatch.delattr("select.epoll")
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        peer, _ = server.accept()
    with ours, peer:
        ours.setblocking(False)
        fill(ours)
        ours.shutdown(socket.SHUT_WR)
        news = ChangeWait(ours.fileno(), this_waiter())
        try:
            assert news.wait(1000) & WRITABLE  # as it is
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            peer.close()
            ready = 0
            for _ in range(int(LIMIT_S)):
                ready |= news.wait(1000)
                if ready & HANGUP:
                    break
            assert ready & HANGUP
        finally:
            news.close()


def test_no_news_end_with_the_time_or_a_wake_up() -> None:
    ours, peer = socket.socketpair()
    with ours, peer:
        news = ChangeWait(ours.fileno(), this_waiter())
        try:
            news.wait(0)
            assert news.wait(1) == 0
            this_waiter().wake()
            assert news.wait(LIMIT_S * 1000) == 0
            assert news.wait(1) == 0
        finally:
            news.close()


def fill(sender: socket.socket) -> None:
    try:
        while True:
            sender.send(bytes(65536))
    except BlockingIOError:
        return
