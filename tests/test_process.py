"""An emulated process: startups and cleanups, what the last cleanup ends, and that two of them never meet."""

from __future__ import annotations

import socket as host_socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.concurrency import Call, descriptors, until
from winsock2emu.defs.codes import WSAEINTR, WSAENOTSOCK, WSANOTINITIALISED, WSAVERNOTSUPPORTED
from winsock2emu.defs.constants import AF_INET, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_STREAM
from winsock2emu.defs.sockaddr import sockaddr_in
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.handles import FIRST_NUMBER
from winsock2emu.kernel.operations import PENDING, Operation
from winsock2emu.process import Process, SocketRecord, current_process
from winsock2emu.ws2_32 import (
    WSACleanup,
    WSAStartup,
    accept,
    bind,
    closesocket,
    connect,
    getsockname,
    listen,
    recv,
    recvfrom,
    select,
    send,
    socket,
)


@pytest.fixture
def process() -> Iterator[Process]:
    """A fresh process, current in the test's thread; whatever a test starts in it ends with the test."""
    with Process().active() as process:
        yield process
        while process.startup_count:
            process.cleanup()


def word(major: int, minor: int) -> int:
    return minor << 8 | major


def code_of(call: Callable[..., Any], *args: Any) -> int:
    """The code that a call fails with."""
    with pytest.raises(WinsockError) as caught:
        call(*args)
    return caught.value.winerror


def code_of_thread(call: Call) -> int:
    failure = call.failure()
    assert isinstance(failure, WinsockError)
    return failure.winerror


def connected() -> tuple[int, int]:
    """Two connected sockets."""
    listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    bind(listener, sockaddr_in("127.0.0.1"))
    listen(listener, 1)
    client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    connect(client, getsockname(listener))
    server, _ = accept(listener)
    closesocket(listener)
    return client, server


def waits_in(process: Process, s: int) -> bool:
    """True when a call waits to receive on the socket."""
    return process.socket(s).owner.provider._sockets[s].inbound.head is not None


# Startup and cleanup


T1_1 = [
    *[((0, minor), None) for minor in (0, 1, 2, 255)],
    ((1, 0), (1, 0)),
    ((1, 1), (1, 1)),
    *[((1, minor), (1, 1)) for minor in (2, 3, 255)],
    ((2, 0), (2, 0)),
    ((2, 1), (2, 1)),
    ((2, 2), (2, 2)),
    *[((2, minor), (2, 2)) for minor in (3, 255)],
    *[((major, minor), (2, 2)) for major in (3, 255) for minor in (0, 255)],
]


@pytest.mark.parametrize(("asked", "granted"), T1_1, ids=lambda version: version and f"{version[0]}.{version[1]}")
def test_versions_are_granted_by_table_t1_1(
    process: Process, asked: tuple[int, int], granted: tuple[int, int] | None
) -> None:
    """Each row of the table; a version that is refused counts as no startup."""
    if granted is None:
        assert code_of(WSAStartup, word(*asked)) == WSAVERNOTSUPPORTED
        assert process.startup_count == 0
        return

    data = WSAStartup(word(*asked))

    assert (data.version, data.high_version) == (word(*granted), word(2, 2))
    assert (data.max_sockets, data.max_udp_dg) == ((32767, 65467) if granted[0] == 1 else (0, 0))
    assert process.startup_count == 1


def test_only_the_last_of_several_cleanups_ends_anything(process: Process) -> None:
    """Three startups of different versions; a socket lives until the third cleanup."""
    for version in (word(1, 1), word(2, 2), word(2, 0)):
        WSAStartup(version)
    s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)

    for _ in range(2):
        WSACleanup()
        assert process.sockets() == [s]
    WSACleanup()

    assert process.sockets() == []
    assert process.startup_count == 0


def test_a_cleanup_too_many_fails_and_the_count_stays_at_zero(process: Process) -> None:
    """Before the first startup, and after the last cleanup."""
    assert code_of(WSACleanup) == WSANOTINITIALISED
    WSAStartup(word(2, 2))
    WSACleanup()
    assert code_of(WSACleanup) == WSANOTINITIALISED

    assert process.startup_count == 0
    WSAStartup(word(2, 2))
    assert process.startup_count == 1


def test_a_handle_from_before_is_unknown_after_a_new_startup(process: Process) -> None:
    """Without a startup that is what is told first."""
    WSAStartup(word(2, 2))
    s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
    WSACleanup()
    assert code_of(recv, s, bytearray(1)) == WSANOTINITIALISED

    WSAStartup(word(2, 2))

    assert code_of(recv, s, bytearray(1)) == WSAENOTSOCK
    assert code_of(closesocket, s) == WSAENOTSOCK


def test_threads_that_start_and_clean_up_at_the_same_time_are_all_counted(process: Process) -> None:
    """Eight threads, 50 startups and cleanups each, every one of which makes and closes a socket."""
    both = threading.Barrier(8)

    def work() -> None:
        with process.active():
            both.wait()
            for _ in range(50):
                WSAStartup(word(2, 2))
                closesocket(socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP))
                WSACleanup()

    WSAStartup(word(2, 2))
    for call in [Call(work) for _ in range(8)]:
        call.result()

    assert process.startup_count == 1
    assert process.sockets() == []


# What the last cleanup ends


def test_the_last_cleanup_closes_every_socket_on_the_host(process: Process) -> None:
    """Listening, connected and datagram sockets; the peers of a host socket see the end."""
    before = descriptors()
    WSAStartup(word(2, 2))
    connected()
    socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
    listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    bind(listener, sockaddr_in("127.0.0.1"))
    listen(listener, 5)
    peer = host_socket.create_connection(("127.0.0.1", getsockname(listener).port))
    accept(listener)

    WSACleanup()

    with peer:
        peer.settimeout(10)
        assert peer.recv(1) == b""
    assert descriptors() <= before


def test_the_last_cleanup_wakes_calls_that_wait(process: Process) -> None:
    """Threads are blocked in recv, recvfrom, accept and select."""
    WSAStartup(word(2, 2))
    _, server = connected()
    listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
    bind(listener, sockaddr_in("127.0.0.1"))
    listen(listener, 5)
    datagram = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
    bind(datagram, sockaddr_in("127.0.0.1"))
    watched, _ = connected()

    def within(call: Callable[..., Any], *args: Any) -> Any:
        with process.active():
            return call(*args)

    receiving = Call(within, recv, server, bytearray(1))
    accepting = Call(within, accept, listener)
    receiving_from = Call(within, recvfrom, datagram, bytearray(1))
    selecting = Call(within, select, [watched], None, None, None)
    until(lambda: all(waits_in(process, s) for s in (server, listener, datagram)), "all calls wait")
    until(lambda: process.socket(watched).owner.provider._sockets[watched].watchers, "the select waits")

    WSACleanup()

    assert [code_of_thread(call) for call in (receiving, accepting, receiving_from)] == [WSAEINTR] * 3
    assert code_of_thread(selecting) == WSAENOTSOCK
    assert code_of(recv, server, bytearray(1)) == WSANOTINITIALISED


def test_the_last_cleanup_leaves_no_thread_and_no_descriptor(process: Process) -> None:
    """Requests pended, so the reactor was open and its guardian at work; three times over."""
    before, threads = descriptors(), set(threading.enumerate())
    for _ in range(3):
        WSAStartup(word(2, 2))
        _, server = connected()
        endpoint = process.socket(server).owner.provider._sockets[server]
        operation = Operation(lambda operation: None)

        def attempt() -> None:
            raise BlockingIOError

        assert endpoint.inbound.run(attempt, operation) is PENDING
        assert process.engine.armed() == (server,)
        assert len(set(threading.enumerate()) - threads) == 1

        WSACleanup()

        assert operation.final
        assert set(threading.enumerate()) == threads
        assert descriptors() <= before


# Processes


def test_two_processes_never_meet() -> None:
    """One is started, the other is not; then both are, with sockets of their own."""
    one, other = Process(), Process()
    with one.active():
        WSAStartup(word(2, 2))
        mine = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
        with other.active():
            assert code_of(closesocket, mine) == WSANOTINITIALISED
            WSAStartup(word(2, 2))
            assert code_of(closesocket, mine) == WSAENOTSOCK
            theirs = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
            assert theirs != mine
            assert other.sockets() == [theirs]
            assert one.sockets() == [mine]
            assert one.engine is not other.engine
            WSACleanup()
            assert other.sockets() == []
        assert one.sockets() == [mine]
        closesocket(mine)
        WSACleanup()


def test_processes_talk_to_each_other_as_two_programs_do() -> None:
    """A server in one process, a client in another, in one thread."""
    server, client = Process(), Process()
    with server.active():
        WSAStartup(word(2, 2))
        listener = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
        bind(listener, sockaddr_in("127.0.0.1"))
        listen(listener, 1)
        address = getsockname(listener)
        with client.active():
            WSAStartup(word(2, 2))
            s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
            connect(s, address)
            send(s, b"hello")
        accepted, _ = accept(listener)
        buffer = bytearray(5)
        assert recv(accepted, buffer) == 5
        assert buffer == b"hello"
        WSACleanup()
    with client.active():
        WSACleanup()


def test_active_nests_and_ends_with_its_block_even_by_an_exception() -> None:
    """The inner process, the outer one again, and the one from before."""
    before = current_process()
    outer, inner = Process(), Process()

    with outer.active() as first:
        assert first is current_process() is outer
        with suppress(ZeroDivisionError), inner.active():
            assert current_process() is inner
            with outer.active():
                assert current_process() is outer
            assert current_process() is inner
            raise ZeroDivisionError
        assert current_process() is outer

    assert current_process() is before


def test_another_thread_is_in_the_default_process_until_it_enters_one(process: Process) -> None:
    """`active` is the thread's own affair."""

    def elsewhere() -> Process:
        return current_process()

    assert current_process() is process
    default = Call(elsewhere).result()
    assert default is not process

    def enter() -> tuple[Process, Process]:
        with process.active():
            inside = current_process()
        return inside, current_process()

    assert Call(enter).result() == (process, default)


def test_the_reactor_is_made_on_first_use_on_the_mechanism_asked_for() -> None:
    """A process with poll, on a host that may have better; a new one after each cleanup."""
    process = Process(backend="poll")
    with process.active():
        WSAStartup(word(2, 2))
        first = process.engine
        assert first is process.engine
        assert first.backend_name == "poll"
        WSACleanup()
        WSAStartup(word(2, 2))
        assert process.engine is not first
        WSACleanup()


# Handles


def test_a_socket_of_the_host_is_its_descriptor_and_everything_else_is_numbered_above(process: Process) -> None:
    """The number of a socket is a host descriptor; that of an event is not."""
    WSAStartup(word(2, 2))

    s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)
    event = process.upcalls.WPUCreateEvent()

    assert s in descriptors()
    assert type(process.objects[s]) is SocketRecord
    assert event == FIRST_NUMBER


def test_an_event_is_no_socket_and_outlives_the_last_cleanup(process: Process) -> None:
    """Events are objects of the system, sockets are the DLL's."""
    WSAStartup(word(2, 2))
    event = process.upcalls.WPUCreateEvent()
    assert code_of(closesocket, event) == WSAENOTSOCK

    WSACleanup()

    process.upcalls.WPUSetEvent(event)
    assert process.objects[event].signalled
    process.upcalls.WPUCloseEvent(event)
    assert event not in process.objects


@pytest.mark.parametrize("handle", ["7", None, 7.0, b"7"], ids=repr)
def test_a_value_that_cannot_be_a_handle_is_a_type_error(process: Process, handle: Any) -> None:
    """What C's compiler would refuse."""
    WSAStartup(word(2, 2))

    with pytest.raises(TypeError):
        closesocket(handle)
