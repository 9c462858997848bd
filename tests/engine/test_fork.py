"""A fork of the host's process: the child uses its sockets through its own reactor, the parent notices nothing."""

from __future__ import annotations

import os
import select
import signal
import threading
import traceback
from collections.abc import Callable, Iterator

import pytest

from tests.concurrency import LIMIT_S, Call, descriptors, until
from tests.engine.transports import HostEnd, Overlapped, blocked, queued
from winsock2emu import ws2_32
from winsock2emu.defs.codes import WSA_OPERATION_ABORTED, WSAEINTR
from winsock2emu.defs.constants import AF_INET, IPPROTO_TCP, SOCK_STREAM
from winsock2emu.defs.sockaddr import sockaddr_in
from winsock2emu.engine.pump import Pump
from winsock2emu.kernel.operations import PENDING
from winsock2emu.kernel.waits import this_waiter
from winsock2emu.process import Process

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the host has no fork"),
    # Python warns that a fork beside threads may hang the child, which is what these tests are about.
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
]


class Child:
    """A forked child that runs one function and ends; its failure is the test's."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._report, writer = os.pipe()
        self._pid = os.fork()
        if self._pid:
            os.close(writer)
            return
        status = 1
        try:
            # The child's own bound: should it hang, the host ends it.
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(int(LIMIT_S))
            function()
            status = 0
        except BaseException:
            os.write(writer, traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(status)

    def succeeds(self) -> None:
        """Wait for its end."""
        ready = select.select([self._report], [], [], LIMIT_S + 5)[0]
        if not ready:
            os.kill(self._pid, signal.SIGKILL)
        text = os.read(self._report, 4000).decode() if ready else ""
        os.close(self._report)
        status = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        assert status == 0, text or f"the child hung or was killed: {status}"


@pytest.fixture
def any_end(any_pump: Pump) -> Iterator[HostEnd]:
    """An endpoint on each mechanism."""
    end = HostEnd(any_pump)
    yield end
    end.close(WSAEINTR)


def after_fork(*ends: HostEnd) -> None:
    """What `Process` does in the child."""
    ends[0].pump.after_fork()
    for end in ends:
        end.after_fork()


def test_the_child_waits_on_an_inherited_socket_by_its_own_means(any_end: HostEnd) -> None:
    """A request of the parent pends on another endpoint and the guardian leads; the child blocks and is served."""
    other = HostEnd(any_end.pump)
    pending = Overlapped()
    other.inbound.run(other.receive(), pending)
    parents_wake = this_waiter().fileno()
    parents_waiter = this_waiter()

    def child() -> None:
        after_fork(any_end, other)
        assert this_waiter() is not parents_waiter
        this_waiter().wake()
        assert any_end.inbound.run(any_end.receive(), timeout_ms=10_000) == b"a"

    forked = Child(child)
    any_end.arrive(b"a")
    forked.succeeds()

    assert not select.select([parents_wake], [], [], 0)[0], "the child rang the parent's bell"
    other.arrive(b"b")
    assert pending.outcome() == b"b"
    other.close(WSAEINTR)


def test_the_child_has_overlapped_requests_of_its_own(any_end: HostEnd) -> None:
    """Its guardian and its parked thread serve them, with a set of descriptors that is not the parent's."""
    pending = Overlapped()
    any_end.inbound.run(any_end.receive(), pending)
    other = HostEnd(any_end.pump)

    def child() -> None:
        after_fork(any_end, other)
        first, second = Overlapped(), Overlapped()
        assert other.inbound.run(other.receive(), first) is PENDING
        other.peer.send(b"a")
        assert first.outcome() == b"a"
        waiter = this_waiter()
        waiter.done = False

        def deliver(operation: object) -> None:
            waiter.done = True
            waiter.wake()

        second.deliver = deliver
        assert other.inbound.run(other.receive(), second) is PENDING
        other.peer.send(b"b")
        assert other.pump.parking.park(waiter, 10)
        assert second.result == b"b"

    Child(child).succeeds()

    assert not pending.final
    any_end.arrive(b"c")
    assert pending.outcome() == b"c"
    other.close(WSAEINTR)


def test_what_the_child_does_to_its_sockets_does_not_disturb_the_parents_reactor(any_end: HostEnd) -> None:
    """The child watches, unwatches and closes the very descriptors that are armed in the parent."""
    operations = [Overlapped() for _ in range(3)]
    for operation in operations:
        any_end.inbound.run(any_end.receive(), operation)
    until(lambda: any_end.pump.armed() == (any_end.fd,), "the descriptor is armed")

    def child() -> None:
        after_fork(any_end)
        assert any_end.pump.armed() == ()
        any_end.inbound.run(any_end.receive(), Overlapped())
        any_end.abort(WSAEINTR)
        any_end.host.close()
        any_end.pump.close()

    Child(child).succeeds()

    for operation, byte in zip(operations, (b"a", b"b", b"c"), strict=True):
        assert not operation.final
        any_end.arrive(byte)
        assert operation.outcome() == byte


def test_the_parents_requests_end_in_the_child_without_a_word(any_end: HostEnd) -> None:
    """A program in the child that polls them must not wait for ever, nor get the parent's completions."""
    head, behind = Overlapped(), Overlapped()
    any_end.inbound.run(any_end.receive(), head)
    any_end.inbound.run(any_end.receive(), behind)

    def child() -> None:
        after_fork(any_end)
        for operation in (head, behind):
            assert (operation.final, operation.error, operation.delivered) == (True, WSA_OPERATION_ABORTED, 0)
            assert not any_end.inbound.cancel(operation)
        assert any_end.interest() == 0

    Child(child).succeeds()

    any_end.arrive(b"ab")
    assert (head.outcome(), behind.outcome()) == (b"a", b"b")


def test_the_child_keeps_no_descriptor_of_the_parents_reactor(any_end: HostEnd) -> None:
    """The guardian of the parent is inside the host's call at the moment of the fork."""
    any_end.inbound.run(any_end.receive(), Overlapped())
    until(lambda: any_end.pump.parking.led, "the guardian leads")
    reactors = {any_end.pump._open()[1].fileno}
    epoll = getattr(any_end.pump._open()[0], "_epoll", None)
    if epoll is not None:
        reactors.add(epoll.fileno())

    def child() -> None:
        after_fork(any_end)
        assert descriptors().isdisjoint(reactors)

    Child(child).succeeds()
    assert descriptors() >= reactors


def test_blocked_threads_of_the_parent_do_not_stand_in_the_childs_way(any_end: HostEnd) -> None:
    """Two threads are queued in the lane that the child receives from; they leave the byte to the child."""
    calls = [blocked(any_end.inbound, leave_it) for _ in range(2)]

    def child() -> None:
        after_fork(any_end)
        assert queued(any_end.inbound) == 0
        any_end.peer.send(b"c")
        assert any_end.inbound.run(any_end.receive(), timeout_ms=10_000) == b"c"

    Child(child).succeeds()

    assert queued(any_end.inbound) == 2
    any_end.abort(WSAEINTR)
    for call in calls:
        assert isinstance(call.failure(), InterruptedError)


def leave_it() -> None:
    raise BlockingIOError


@pytest.mark.parametrize("holds", ["lane", "reactor"])
def test_a_lock_that_another_thread_holds_does_not_hang_the_child(any_end: HostEnd, holds: str) -> None:
    """The thread that would release it does not exist in the child."""
    lock = any_end.inbound._make_lock() if holds == "lane" else any_end.pump._lock
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            assert release.wait(LIMIT_S)

    holder = Call(hold)
    assert held.wait(LIMIT_S)

    def child() -> None:
        after_fork(any_end)
        operation = Overlapped()
        assert any_end.inbound.run(any_end.receive(), operation) is PENDING
        any_end.peer.send(b"ab")
        assert operation.outcome() == b"a"
        assert any_end.inbound.run(any_end.receive()) == b"b"
        any_end.abort(WSAEINTR)
        any_end.pump.close()

    forked = Child(child)
    forked.succeeds()
    release.set()
    holder.result()


def test_a_parked_leader_of_the_parent_does_not_lead_in_the_child(any_end: HostEnd) -> None:
    """A thread leads and another one follows when the process forks; the child's own thread leads at once."""

    def park() -> bool:
        waiter = this_waiter()
        waiter.done = False
        waiters.append(waiter)
        return any_end.pump.parking.park(waiter, None)

    waiters: list[object] = []
    calls = [Call(park), Call(park)]
    until(lambda: any_end.pump.parking.led and any_end.pump.parking._followers, "one leads, one follows")

    def child() -> None:
        after_fork(any_end)
        waiter = this_waiter()
        waiter.done = False
        assert not any_end.pump.parking.led
        operation = Overlapped()
        operation.deliver = lambda operation: setattr(waiter, "done", True)
        any_end.inbound.run(any_end.receive(), operation)
        any_end.peer.send(b"a")
        assert any_end.pump.parking.park(waiter, 10)
        assert any_end.pump.parking.turns == 1

    Child(child).succeeds()

    for waiter in waiters:
        waiter.done = True  # type: ignore[attr-defined]
        waiter.wake()  # type: ignore[attr-defined]
    assert [call.result() for call in calls] == [True, True]


# The whole of it


def connected() -> tuple[int, int]:
    """Two connected sockets of the API."""
    listener = ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    ws2_32.bind(listener, sockaddr_in("127.0.0.1"))
    ws2_32.listen(listener, 1)
    client = ws2_32.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    ws2_32.connect(client, ws2_32.getsockname(listener))
    server, _ = ws2_32.accept(listener)
    ws2_32.closesocket(listener)
    return client, server


def receive(s: int, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: ws2_32.recv(s, buffer)])


def test_a_program_forks_while_a_thread_is_blocked_in_recv() -> None:
    """The child sends on one socket and blocks on another; the parent's thread still gets its data."""
    process = Process()
    with process.active():
        ws2_32.WSAStartup(0x0202)
        to_thread, of_thread = connected()
        to_parent, of_parent = connected()
        to_child, of_child = connected()

        def wait() -> bytes:
            with process.active():
                return receive(of_thread, 10)

        blocked_in_recv = Call(wait)
        until(lambda: reader_of(process, of_thread) == 1, "the thread is blocked in recv")

        def child() -> None:
            ws2_32.send(to_parent, b"from child")
            assert receive(of_child, 10) == b"for child"
            assert ws2_32.select([of_child], None, None, (0, 0)) == ([], [], [])
            ws2_32.WSACleanup()

        forked = Child(child)
        assert receive(of_parent, 10) == b"from child"
        ws2_32.send(to_child, b"for child")
        forked.succeeds()

        assert blocked_in_recv.running
        ws2_32.send(to_thread, b"for thread")
        assert blocked_in_recv.result() == b"for thread"
        ws2_32.WSACleanup()


def reader_of(process: Process, s: int) -> int:
    """How many requests wait to receive on a socket."""
    provider = process.socket(s).owner.provider
    return queued(provider._sockets[s].inbound)


@pytest.mark.parametrize("holds", ["_lock", "handles._lock", "engine._lock"])
def test_a_lock_of_the_process_that_another_thread_holds_does_not_hang_the_child(holds: str) -> None:
    """The child makes, uses and closes sockets although startup, numbering or the reactor was in use at the fork."""
    process = Process()
    held, release = threading.Event(), threading.Event()
    with process.active():
        ws2_32.WSAStartup(0x0202)
        client, server = connected()
        lock = process
        for name in holds.split("."):
            lock = getattr(lock, name)

        def hold() -> None:
            with lock:  # type: ignore[attr-defined]
                held.set()
                assert release.wait(LIMIT_S)

        holder = Call(hold)
        assert held.wait(LIMIT_S)

        def child() -> None:
            ws2_32.send(client, b"a")
            assert receive(server, 1) == b"a"
            client_of_child, server_of_child = connected()
            ws2_32.send(client_of_child, b"b")
            assert receive(server_of_child, 1) == b"b"
            ws2_32.WSACleanup()

        Child(child).succeeds()
        release.set()
        holder.result()
        ws2_32.send(client, b"c")
        assert receive(server, 1) == b"c"
        ws2_32.WSACleanup()
