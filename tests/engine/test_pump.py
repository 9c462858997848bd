"""The reactor on every mechanism of the host: who serves pending requests, and what is left of it."""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import pytest

from tests.concurrency import Call, descriptors, until
from tests.engine.transports import HostEnd, MadeUpEnd, Overlapped, queued
from winsock2emu.defs.codes import WSA_OPERATION_ABORTED, WSAEINTR, WSAENOBUFS
from winsock2emu.engine import pump as pump_module
from winsock2emu.engine.endpoint import Endpoint
from winsock2emu.engine.pump import (
    BACKENDS,
    ENDED,
    HANGUP,
    INVALID,
    READABLE,
    WRITABLE,
    Backend,
    Pump,
    ReadyWait,
    WaitSet,
    best_backend,
    ready_now,
)
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import PENDING, Operation
from winsock2emu.kernel.waits import Parking, Report, Waiter, WakeDescriptor, this_waiter

THIRTY_DAYS_S = 30 * 86400.0  # more milliseconds than a C int holds


@pytest.fixture(params=sorted(BACKENDS))
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Each mechanism by itself."""
    backend = BACKENDS[request.param]()
    yield backend
    backend.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected host sockets."""
    one, other = socket.socketpair()
    one.setblocking(False)
    with one, other:
        yield one, other


@pytest.fixture
def any_end(any_pump: Pump) -> Iterator[HostEnd]:
    """An endpoint on each mechanism."""
    end = HostEnd(any_pump)
    yield end
    end.close(WSAEINTR)


class Parked:
    """A thread parked in a reactor until it is released."""

    def __init__(self, pump: Pump) -> None:
        self.pump = pump
        self._waiter: Waiter | None = None
        self.call = Call(self._park)
        until(lambda: self._waiter is not None, "the thread parks")

    def _park(self) -> bool:
        waiter = this_waiter()
        waiter.done = False
        self._waiter = waiter
        return self.pump.parking.park(waiter, None)

    @property
    def waiter(self) -> Waiter:
        assert self._waiter is not None
        return self._waiter

    def leads(self) -> Parked:
        """Wait until it leads, which it does at once although the guardian may be leading."""
        until(lambda: self.waiter.collecting, "the thread leads")
        return self

    def release(self) -> None:
        """End its wait."""
        self.waiter.done = True
        self.waiter.wake()
        assert self.call.result() is True


class Counter:
    """Counts the calls of a method of one object."""

    def __init__(self, owner: Any, name: str) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.threads: list[threading.Thread] = []
        self._method = getattr(owner, name)
        setattr(owner, name, self)

    def __call__(self, *args: Any) -> Any:
        self.calls.append(args)
        self.threads.append(threading.current_thread())
        return self._method(*args)


def guardians() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "winsock2emu-guardian"]


# The mechanisms


def test_the_best_mechanism_of_the_host_is_the_default() -> None:
    """epoll on Linux, kqueue on macOS and the BSDs, poll elsewhere."""
    assert Pump().backend_name == best_backend()
    assert best_backend() in {"epoll", "kqueue", "poll"}


def test_readiness_is_reported_again_until_it_is_gone(
    backend: Backend, pair: tuple[socket.socket, socket.socket]
) -> None:
    """Level-triggered: a byte that nobody takes is reported twice, then it is taken."""
    one, other = pair
    backend.arm(one.fileno(), READABLE)
    assert list(backend.collect(0)) == []

    other.send(b"a")
    assert list(backend.collect(5)) == [(one.fileno(), READABLE)]
    assert list(backend.collect(5)) == [(one.fileno(), READABLE)]

    one.recv(1)
    assert list(backend.collect(0)) == []


def test_only_what_is_armed_is_reported(backend: Backend, pair: tuple[socket.socket, socket.socket]) -> None:
    """A descriptor is ready in both directions; the mask is widened, narrowed and withdrawn."""
    one, other = pair
    other.send(b"a")

    for mask in (READABLE, READABLE | WRITABLE, WRITABLE):
        backend.arm(one.fileno(), mask)
        assert list(backend.collect(5)) == [(one.fileno(), mask)]
    backend.disarm(one.fileno())
    backend.disarm(one.fileno())
    assert list(backend.collect(0)) == []


def test_an_unknown_descriptor_can_be_disarmed(backend: Backend) -> None:
    """It was never armed, or it was closed behind the reactor's back."""
    one, other = socket.socketpair()
    with other:
        backend.disarm(one.fileno())
        backend.arm(one.fileno(), READABLE)
        number = one.fileno()
        one.close()
        backend.disarm(number)
        assert list(backend.collect(0)) == []


def test_a_number_that_was_closed_without_notice_can_be_armed_again(backend: Backend) -> None:
    """A program closed the descriptor with os.close; the host gives the number to the next socket."""
    one, other = socket.socketpair()
    backend.arm(one.fileno(), READABLE)
    number = one.detach()
    os.close(number)
    other.close()

    again, peer = socket.socketpair()
    with again, peer:
        assert number in (again.fileno(), peer.fileno())
        mine, theirs = (again, peer) if again.fileno() == number else (peer, again)
        backend.arm(number, READABLE)
        theirs.send(b"a")
        assert [fd for fd, _ in backend.collect(5)] == [number]
        assert mine.recv(1) == b"a"


def test_a_descriptor_that_is_closed_while_armed_does_not_break_the_others(
    backend: Backend, pair: tuple[socket.socket, socket.socket]
) -> None:
    """Its number has no owner: nothing, or that it is invalid, is reported of it."""
    lost, peer = socket.socketpair()
    number = lost.fileno()
    backend.arm(number, READABLE)
    backend.arm(pair[0].fileno(), READABLE)
    lost.close()
    peer.close()

    pair[1].send(b"a")

    assert set(backend.collect(5)) <= {(pair[0].fileno(), READABLE), (number, INVALID)}
    backend.disarm(number)
    assert list(backend.collect(5)) == [(pair[0].fileno(), READABLE)]


def test_the_longest_times_of_windows_are_not_too_long_for_the_host(
    backend: Backend, pair: tuple[socket.socket, socket.socket]
) -> None:
    """Thirty days, in every kind of wait; a byte is there, so none of them takes long."""
    one, other = pair
    other.send(b"a")
    backend.arm(one.fileno(), READABLE)
    waiter = this_waiter()

    pump = Pump()
    pump._host = backend, WakeDescriptor()
    assert list(pump.collect(THIRTY_DAYS_S))
    assert ReadyWait(one.fileno(), READABLE, waiter).wait(waiter, THIRTY_DAYS_S * 1000)
    wait = WaitSet(waiter)
    wait.watch(one.fileno(), READABLE)
    assert wait.wait(THIRTY_DAYS_S * 1000) == [(one.fileno(), READABLE)]
    waiter.wake()
    assert pump.sleep(waiter, THIRTY_DAYS_S)


def test_a_descriptor_too_large_for_select_is_refused_and_the_others_are_looked_after(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    """The host's set has room for 1024 numbers; a larger one must not end every later wait."""
    backend = BACKENDS["select"]()
    backend.arm(pair[0].fileno(), READABLE)
    try:
        large = fcntl.fcntl(pair[0], fcntl.F_DUPFD, 2000)
    except OSError:
        pytest.skip("the host's limit of open files is below 2000")

    with pytest.raises(OSError, match="too large"):
        backend.arm(large, READABLE)

    os.close(large)
    pair[1].send(b"a")
    assert list(backend.collect(5)) == [(pair[0].fileno(), READABLE)]


# Private waits


def test_a_private_wait_ends_by_readiness_by_a_wake_up_and_by_time(pair: tuple[socket.socket, socket.socket]) -> None:
    """One thread, one descriptor, three waits."""
    one, other = pair
    waiter = this_waiter()
    wait = ReadyWait(one.fileno(), READABLE, waiter)
    assert wait.serves(waiter)
    assert not wait.serves(Call(this_waiter).result())

    assert not wait.wait(waiter, 1)
    waiter.wake()
    assert wait.wait(waiter, None)
    assert not wait.wait(waiter, 1)
    other.send(b"a")
    assert wait.wait(waiter, None)


def test_waiting_for_any_of_several_names_the_ready_ones(pair: tuple[socket.socket, socket.socket]) -> None:
    """Two descriptors; a wake-up reports neither."""
    one, other = pair
    waiter = this_waiter()
    wait = WaitSet(waiter)
    wait.watch(one.fileno(), READABLE)
    wait.watch(other.fileno(), READABLE | WRITABLE)

    assert wait.wait(None) == [(other.fileno(), WRITABLE)]
    wait.watch(other.fileno(), READABLE)
    waiter.wake()
    assert wait.wait(None) == []
    assert wait.wait(1) == []
    other.send(b"a")
    waiter.wake()
    assert wait.wait(None) == [(one.fileno(), READABLE)]


def test_a_forgotten_descriptor_is_not_reported_even_when_it_hangs_up(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    one, other = pair
    wait = WaitSet(this_waiter())
    wait.watch(one.fileno(), READABLE)
    other.close()
    assert wait.wait(None)[0][1] & HANGUP

    wait.watch(one.fileno(), 0)
    wait.watch(one.fileno(), 0)

    assert wait.wait(0) == []


def test_the_end_of_a_peer_is_told_apart_from_data(pair: tuple[socket.socket, socket.socket]) -> None:
    """Where the host has a bit for it."""
    if not ENDED:
        pytest.skip("the host reports a hang-up instead")
    one, other = pair
    wait = WaitSet(this_waiter())
    wait.watch(one.fileno(), ENDED)
    other.send(b"a")
    assert wait.wait(0) == []

    other.shutdown(socket.SHUT_WR)

    assert wait.wait(None) == [(one.fileno(), ENDED)]


def test_looking_without_waiting(pair: tuple[socket.socket, socket.socket]) -> None:
    """Nothing to read, something to read, the peer gone."""
    one, other = pair
    assert ready_now(one.fileno(), READABLE) == 0
    other.send(b"a")
    assert ready_now(one.fileno(), READABLE | WRITABLE) == READABLE | WRITABLE
    other.close()
    assert ready_now(one.fileno(), READABLE) & HANGUP


# Who serves pending requests


def test_a_pending_request_completes_although_no_thread_waits(any_end: HostEnd) -> None:
    """The guardian looks after it."""
    operation = Overlapped()
    assert any_end.inbound.run(any_end.receive(), operation) is PENDING

    any_end.arrive(b"a")

    assert operation.outcome() == b"a"
    assert len(guardians()) == 1


def test_a_parked_thread_serves_the_requests_of_others(any_end: HostEnd) -> None:
    """It has been waiting before the request was issued; the guardian has no part in it."""
    parked = Parked(any_end.pump).leads()
    servants: list[int] = []

    def attempt() -> bytes:
        servants.append(threading.get_ident())
        return any_end.host.recv(1)

    for _ in range(5):
        operation = Overlapped()
        assert any_end.inbound.run(attempt, operation) is PENDING
        any_end.arrive(b"a")
        assert operation.outcome() == b"a"

    assert set(servants) == {threading.get_ident(), parked.call.thread.ident}
    parked.release()


def test_a_thread_that_parks_takes_over_from_the_guardian(any_end: HostEnd) -> None:
    """The guardian has been leading for a while."""
    operations = [Overlapped(), Overlapped()]
    for operation in operations:
        any_end.inbound.run(any_end.receive(), operation)
    any_end.arrive(b"a")
    assert operations[0].outcome() == b"a"

    parked = Parked(any_end.pump).leads()

    any_end.arrive(b"b")
    assert operations[1].outcome() == b"b"
    parked.release()


def test_the_guardian_takes_over_when_the_last_thread_leaves(any_end: HostEnd) -> None:
    """A thread led for so long that the guardian sleeps for good, then it left; a request still pends."""
    operation = Overlapped()
    parked = Parked(any_end.pump).leads()
    any_end.inbound.run(any_end.receive(), operation)
    until(lambda: any_end.pump.parking.ring, "the guardian sleeps until the leader leaves")

    parked.release()
    any_end.arrive(b"a")

    assert operation.outcome() == b"a"


def test_interest_in_both_directions_is_served_in_both(any_end: HostEnd) -> None:
    """A receive and a send of 4 MB pend on one descriptor."""
    data = bytes(4 << 20)
    sending, receiving = Overlapped(), Overlapped()
    assert any_end.outbound.run(any_end.send(data), sending) is PENDING
    assert any_end.inbound.run(any_end.receive(), receiving) is PENDING
    assert any_end.interest() == READABLE | WRITABLE

    any_end.arrive(b"a")
    assert receiving.outcome() == b"a"
    left = len(data)
    while left:
        left -= len(any_end.peer.recv(1 << 20))

    assert sending.outcome() == len(data)
    assert any_end.interest() == 0


def test_a_peer_that_is_gone_completes_the_requests_of_both_directions(any_end: HostEnd) -> None:
    """The host reports a hang-up, which nobody asked for."""
    sending, receiving = Overlapped(), Overlapped()

    def send() -> str:
        try:
            any_end.host.send(bytes(1 << 20))
        except BrokenPipeError:
            return "broken"
        raise BlockingIOError

    def receive() -> str:
        try:
            any_end.host.recv(1)
        except ConnectionResetError:
            return "reset"
        raise AssertionError("the peer has not read everything, so this is no graceful end")

    assert any_end.outbound.run(send, sending) is PENDING
    assert any_end.inbound.run(receive, receiving) is PENDING

    any_end.peer.close()

    assert sending.outcome() == "broken"
    assert receiving.outcome() == "reset"
    until(lambda: any_end.pump.armed() == (), "the hang-up is not reported for ever")


def test_a_thread_that_only_polls_serves_pending_requests(any_end: HostEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program calls with a timeout of zero again and again; there is no guardian to help."""
    monkeypatch.setattr(Pump, "_start_guardian", lambda pump: None)
    operation = Overlapped()
    any_end.inbound.run(any_end.receive(), operation)
    any_end.arrive(b"a")
    waiter = this_waiter()
    waiter.done = False

    any_end.pump.parking.glance(waiter)

    assert operation.outcome() == b"a"


# Lazy disarm


def test_a_descriptor_stays_armed_until_it_is_ready_for_nobody(any_end: HostEnd) -> None:
    """A request completes; the next report finds nobody who waits."""
    operation = Overlapped()
    any_end.inbound.run(any_end.receive(), operation)
    assert any_end.pump.armed() == (any_end.fd,)
    any_end.arrive(b"a")
    operation.outcome()
    assert any_end.pump.armed() == (any_end.fd,)

    any_end.arrive(b"b")
    until(lambda: any_end.pump.armed() == (), "nobody waits for the report")

    assert any_end.inbound.run(any_end.receive()) == b"b"


def test_requests_that_follow_each_other_arm_the_descriptor_once(any_end: HostEnd) -> None:
    """Ten receives, each posted when the one before has completed: no call into the host for the interest."""
    host = any_end.pump._open()[0]
    arms, disarms = Counter(host, "arm"), Counter(host, "disarm")

    for _ in range(10):
        operation = Overlapped()
        assert any_end.inbound.run(any_end.receive(), operation) is PENDING
        any_end.arrive(b"a")
        assert operation.outcome() == b"a"

    assert arms.calls == [(any_end.fd, READABLE)]
    assert disarms.calls == []


def test_one_direction_is_disarmed_while_the_other_one_pends(any_end: HostEnd) -> None:
    """The descriptor is always writable once the send has gone: that must not be reported for ever."""
    big = bytes(4 << 20)
    sending, receiving = Overlapped(), Overlapped()
    any_end.inbound.run(any_end.receive(), receiving)
    any_end.outbound.run(any_end.send(big), sending)
    left = len(big)
    while left:
        left -= len(any_end.peer.recv(1 << 20))
    sending.outcome()

    until(lambda: any_end.pump._armed[any_end.fd][1] == READABLE, "only the receive is looked after")

    any_end.arrive(b"a")
    assert receiving.outcome() == b"a"


def test_data_for_a_blocked_call_does_not_keep_the_reactor_busy(any_end: HostEnd) -> None:
    """The descriptor is still armed for a request that has completed when a call blocks on it."""
    operation = Overlapped()
    any_end.inbound.run(any_end.receive(), operation)
    any_end.arrive(b"a")
    operation.outcome()
    parked = Parked(any_end.pump).leads()

    def attempt() -> NoReturn:
        raise BlockingIOError

    call = Call(lambda: any_end.inbound.run(attempt, timeout_ms=50))
    until(lambda: queued(any_end.inbound) == 1 or not call.running, "the call is queued")
    any_end.arrive(b"b")

    assert isinstance(call.failure(), TimeoutError)
    assert any_end.pump.armed() == ()
    parked.release()


# Closing endpoints


def test_a_number_that_is_reused_at_once_gets_no_report_of_its_former_owner(any_pump: Pump) -> None:
    """Again and again an endpoint with data and a pending request closes, and the next one gets its number."""
    for turn in range(50):
        former = HostEnd(any_pump)
        aborted = Overlapped()
        former.inbound.run(former.receive(), aborted)
        fd = former.fd
        if turn % 2:
            former.arrive(b"old")
        former.close(WSAEINTR)

        owner = HostEnd(any_pump)
        assert fd in (owner.fd, owner.peer.fileno())
        operation = Overlapped()
        assert owner.inbound.run(owner.receive(3), operation) is PENDING
        assert aborted.outcome() in (b"o", ("error", WSA_OPERATION_ABORTED))
        assert not operation.final
        owner.arrive(b"new")
        assert operation.outcome() == b"new"
        owner.close(WSAEINTR)
    assert any_pump.armed() == ()


def test_a_stale_report_finds_nothing_to_do(any_end: HostEnd) -> None:
    """It was collected before the descriptor's number got a new owner, whose requests go on pending."""
    operation, behind = Overlapped(), Overlapped()
    any_end.inbound.run(any_end.receive(), operation)
    any_end.inbound.run(any_end.receive(), behind)
    stale: list[Report] = [(any_end.fd, READABLE | HANGUP), (any_end.fd, WRITABLE), (987654, READABLE)]

    any_end.pump.service(stale)

    assert not operation.final
    assert any_end.pump.armed() == (any_end.fd,)
    any_end.arrive(b"ab")
    assert (operation.outcome(), behind.outcome()) == (b"a", b"b")


def test_a_request_on_its_way_to_the_reactor_when_its_endpoint_closes_leaves_nothing_armed(
    any_pump: Pump, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The close comes between the queue and the reactor."""
    end = HostEnd(any_pump)
    watch = any_pump.watch

    def close_and_watch(endpoint: Endpoint) -> None:
        end.close(WSAEINTR)
        watch(endpoint)

    monkeypatch.setattr(any_pump, "watch", close_and_watch)
    operation = Overlapped()

    assert end.inbound.run(end.receive(), operation) is PENDING

    assert operation.outcome() == ("error", WSA_OPERATION_ABORTED)
    assert any_pump.armed() == ()


# Closing the reactor


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_closing_ends_the_guardian_and_gives_every_descriptor_back(name: str) -> None:
    """A request pended and was aborted before, as the rule is."""
    before = descriptors()
    pump = Pump(name)
    end = HostEnd(pump)
    end.inbound.run(end.receive(), Overlapped())
    assert len(guardians()) == 1

    end.close(WSAEINTR)
    pump.close()

    assert guardians() == []
    assert descriptors() <= before
    pump.close()


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_the_guardian_ends_at_whatever_moment_the_reactor_closes(name: str) -> None:
    """Sixty reactors close while their guardian starts, rests, looks or sleeps."""
    for turn in range(60):
        pump = Pump(name)
        end = HostEnd(pump)
        end.inbound.run(end.receive(), Overlapped())
        if turn % 3 == 1:
            end.arrive(b"a")
        if turn % 3 == 2:
            time.sleep(0.001 * (turn % 4))
        end.close(WSAEINTR)
        Call(pump.close).result()
    assert guardians() == []


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_closing_leaves_parked_threads_waiting_and_keeps_no_descriptor_for_them(name: str) -> None:
    """A leader and two followers wait for events, which do not end with the reactor."""
    pump = Pump(name)
    parked = [Parked(pump).leads(), Parked(pump), Parked(pump)]
    until(lambda: len(pump.parking._followers) == 2, "the others follow")
    end = HostEnd(pump)
    end.inbound.run(end.receive(), Overlapped())
    end.close(WSAEINTR)
    collects = Counter(pump, "collect")
    host_descriptors = [pump._open()[1].fileno]

    pump.close()
    until(lambda: not pump.parking.led, "the leader left")

    until(lambda: descriptors().isdisjoint(host_descriptors), "the leader gave the reactor's descriptors back")
    assert collects.calls == []
    for one in parked:
        assert one.call.running
        one.release()


def test_a_request_that_comes_after_the_close_opens_nothing(any_pump: Pump) -> None:
    """No backend, no guardian: nobody would ever close them."""
    any_pump.close()
    before = descriptors()
    end = HostEnd(any_pump)

    end.inbound.run(end.receive(), Overlapped())
    any_pump.wake()

    assert descriptors() - before == {end.fd, end.peer.fileno()}
    assert guardians() == []
    end.close(WSAEINTR)


# Idling


def test_an_idle_guardian_looks_a_hundred_times_a_second_at_most(any_end: HostEnd) -> None:
    """A request pends, nothing happens, and no thread waits."""
    any_end.inbound.run(any_end.receive(), Overlapped())
    collects = Counter(any_end.pump, "collect")

    time.sleep(0.3)

    assert 1 <= len(collects.calls) <= 32


def test_nobody_looks_while_a_thread_leads_for_long(any_end: HostEnd, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request pends, and a thread waits for something else: it is in the host's call, the guardian asleep."""
    any_end.inbound.run(any_end.receive(), Overlapped())
    parked = Parked(any_end.pump).leads()
    until(lambda: any_end.pump.parking.ring, "the guardian sleeps until the leader leaves")
    collects, looks = Counter(any_end.pump, "collect"), []
    monkeypatch.setattr(Parking, "lead_once", lambda parking, timeout_s: looks.append(timeout_s))

    time.sleep(0.1)

    assert collects.calls == []
    assert looks == []
    parked.release()


def test_the_guardian_keeps_out_while_threads_come_and_go(any_end: HostEnd) -> None:
    """A worker parks for a moment again and again, as a completion port's threads do."""
    any_end.inbound.run(any_end.receive(), Overlapped())
    collects = Counter(any_end.pump, "collect")
    waiter = this_waiter()
    waiter.done = False
    ends = time.monotonic() + 0.2
    while time.monotonic() < ends:
        any_end.pump.parking.park(waiter, 0.0005)

    mine = collects.threads.count(threading.current_thread())
    assert mine > 5 * (len(collects.threads) - mine)


def test_the_guardian_rests_when_nothing_pends(any_end: HostEnd) -> None:
    """The last request has completed, and the report for nobody has come."""
    operation = Overlapped()
    any_end.inbound.run(any_end.receive(), operation)
    any_end.arrive(b"ab")
    operation.outcome()
    until(lambda: any_end.pump._guardian_rests and not any_end.pump.armed(), "the guardian rests")
    collects = Counter(any_end.pump, "collect")

    time.sleep(0.05)

    assert collects.calls == []
    assert any_end.inbound.run(any_end.receive()) == b"b"


# Shortages


def test_without_a_descriptor_for_the_reactor_requests_fail_as_a_lack_of_buffers(
    any_end: HostEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of open files is reached; when it is not any more, the next request is served."""

    def refuse() -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    operation = Overlapped()
    with monkeypatch.context() as shortage:
        shortage.setitem(pump_module.BACKENDS, any_end.pump.backend_name, refuse)
        assert any_end.inbound.run(any_end.receive(), operation) is PENDING
        assert operation.outcome() == ("error", WSAENOBUFS)
        waiter = this_waiter()
        waiter.done = False
        with pytest.raises(WinsockError) as caught:
            any_end.pump.parking.glance(waiter)
        assert caught.value.winerror == WSAENOBUFS
    assert not any_end.pump.parking.led

    operation = Overlapped()
    any_end.inbound.run(any_end.receive(), operation)
    any_end.arrive(b"a")
    assert operation.outcome() == b"a"


def test_a_descriptor_that_the_host_refuses_to_watch_fails_its_request(
    any_end: HostEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's limit of watched descriptors is reached: the request fails, and is not taken for armed."""
    host = any_end.pump._open()[0]

    def refuse(fd: int, mask: int) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    operation = Overlapped()
    with monkeypatch.context() as shortage:
        shortage.setattr(host, "arm", refuse)
        assert any_end.inbound.run(any_end.receive(), operation) is PENDING
    assert operation.outcome() == ("error", WSAENOBUFS)
    assert any_end.pump.armed() == ()

    operation = Overlapped()
    any_end.inbound.run(any_end.receive(), operation)
    any_end.arrive(b"a")
    assert operation.outcome() == b"a"


def test_without_a_guardian_threads_that_wait_serve_all_the_same(
    any_end: HostEnd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host has no thread left; the next request tries again to start it."""

    def refuse(thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    first, second = Overlapped(), Overlapped()
    parked = Parked(any_end.pump).leads()
    with monkeypatch.context() as shortage:
        shortage.setattr(threading.Thread, "start", refuse)
        assert any_end.inbound.run(any_end.receive(), first) is PENDING
    any_end.arrive(b"a")
    assert first.outcome() == b"a"
    assert guardians() == []
    parked.release()

    any_end.inbound.run(any_end.receive(), second)
    any_end.arrive(b"b")
    assert second.outcome() == b"b"


# Under load


def test_ten_thousand_requests_of_four_threads_are_each_delivered_once_and_in_order(any_pump: Pump) -> None:
    """Four endpoints get 2 500 requests from every thread in turn, while a fifth thread parks now and then."""
    ends = [HostEnd(any_pump) for _ in range(4)]
    data = [random.Random(number).randbytes(2_500) for number in range(4)]
    orders: list[list[Operation]] = [[] for _ in ends]
    over = threading.Event()

    def work(name: int) -> list[Overlapped]:
        posted = []
        for turn in range(2_500):
            place = (turn + name) % 4
            operation = Overlapped(orders[place])
            ends[place].inbound.run(ends[place].receive(), operation)
            posted.append(operation)
        return posted

    def feed(place: int) -> None:
        for start in range(0, 2_500, 125):
            ends[place].arrive(data[place][start : start + 125])

    def park() -> None:
        waiter = this_waiter()
        while not over.is_set():
            waiter.done = False
            any_pump.parking.park(waiter, 0.002)

    others = [Call(park), *(Call(feed, place) for place in range(4))]
    operations = [operation for call in [Call(work, name) for name in range(4)] for operation in call.result()]
    for operation in operations:
        operation.outcome()
    over.set()
    for call in others:
        call.result()

    assert len(operations) == 10_000
    assert {operation.delivered for operation in operations} == {1}
    assert [b"".join(operation.result for operation in order) for order in orders] == data
    for end in ends:
        end.close(WSAEINTR)


def test_endpoints_without_a_descriptor_share_the_reactor_with_the_others(any_pump: Pump) -> None:
    """Both kinds pend while a thread leads; each completion comes through that thread."""
    parked = Parked(any_pump).leads()
    made_up, host = MadeUpEnd(any_pump), HostEnd(any_pump)
    servants: list[int] = []

    def noting(attempt: Callable[[], bytes]) -> Callable[[], bytes]:
        def noted() -> bytes:
            result = attempt()
            servants.append(threading.get_ident())
            return result

        return noted

    for _ in range(20):
        operations = [Overlapped(), Overlapped()]
        assert made_up.inbound.run(noting(made_up.receive()), operations[0]) is PENDING
        assert host.inbound.run(noting(host.receive()), operations[1]) is PENDING
        made_up.arrive(b"m")
        host.arrive(b"h")
        assert [operation.outcome() for operation in operations] == [b"m", b"h"]

    assert set(servants) == {parked.call.thread.ident}
    parked.release()
    host.close(WSAEINTR)


def test_a_busy_made_up_transport_does_not_starve_descriptors(any_pump: Pump) -> None:
    """Its endpoint has always moved again when it has been served."""
    made_up, host = MadeUpEnd(any_pump), HostEnd(any_pump)
    over = threading.Event()
    tries = itertools.count()
    reached = 0

    def restless() -> str:
        nonlocal reached
        reached = next(tries)
        if over.is_set():
            return "over"
        made_up.inbound.ready()
        raise BlockingIOError

    endless, operation = Overlapped(), Overlapped()
    made_up.inbound.run(restless, endless)
    host.inbound.run(host.receive(), operation)
    until(lambda: reached > 100, "the reactor is busy with the made-up transport")

    host.arrive(b"a")

    try:
        assert operation.outcome() == b"a"
    finally:
        over.set()
    assert endless.outcome() == "over"
    host.close(WSAEINTR)


def test_a_wake_up_is_not_lost_while_the_first_leader_opens_the_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """The leader has looked at its own state; it is woken before there is anything to wake it with."""
    pump = Pump()
    waiter: list[Waiter] = []
    open_backend = pump._open

    def woken_meanwhile() -> Any:
        if not waiter[0].done:
            waiter[0].done = True
            other = Call(waiter[0].wake)
            until(lambda: not other.running or pump._lock.locked(), "the other thread has tried")
        return open_backend()

    def park() -> bool:
        waiter.append(this_waiter())
        waiter[0].done = False
        return pump.parking.park(waiter[0], 20)

    monkeypatch.setattr(pump, "_open", woken_meanwhile)
    began = time.monotonic()
    assert Call(park).result() is True
    assert time.monotonic() - began < 10
    pump.close()
