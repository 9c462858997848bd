"""Waits over several sockets: what they are told, what they leave behind, and what they do not wake up for."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.concurrency import LIMIT_S, Call, Interrupt, until
from tests.loopback import (
    NOW,
    PATIENCE,
    code_of,
    connected_to,
    elsewhere,
    listener,
    loopback,
    pair,
    readable,
    refusing,
    reset,
    tcp,
    udp,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEINTR
from winsock2emu.defs.constants import AF_INET, MSG_OOB, SD_BOTH, SD_SEND, SOCK_DGRAM
from winsock2emu.engine.pump import WaitSet
from winsock2emu.kernel.waits import this_waiter
from winsock2emu.process import Process, current_process
from winsock2emu.providers.host import stream
from winsock2emu.providers.host.conditions import (
    CAN_ACCEPT,
    CAN_READ,
    CAN_READ_URGENT,
    CAN_WRITE,
    CONNECT_FAILED,
    PEER_ENDED,
    TELL_END,
    TO_READ,
    WAS_CLOSED,
    WAS_RESET,
)
from winsock2emu.providers.host.hostsocket import HostSocket
from winsock2emu.providers.host.watching import Watch, keep

pytestmark = pytest.mark.usefixtures("winsock")

SECOND = 1.0


def endpoint(s: int) -> HostSocket:
    """The socket behind a handle."""
    found = current_process().socket(s).mover
    assert isinstance(found, HostSocket)
    return found


def watch(asked: int, *sockets: int) -> Watch:
    return Watch({endpoint(s): asked for s in sockets})


@contextmanager
def counted_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float | None]]:
    """The times of all calls of the host's poll that may block."""
    calls: list[float | None] = []
    real = WaitSet.wait

    def wait(self: WaitSet, timeout_ms: float | None) -> Any:
        calls.append(timeout_ms)
        return real(self, timeout_ms)

    with monkeypatch.context() as patch:
        patch.setattr(WaitSet, "wait", wait)
        yield calls


# What is found


def test_nothing_to_find_takes_the_time_and_no_longer() -> None:
    began = time.monotonic()

    assert not watch(TO_READ, udp(), listener()).wait(0.05)

    assert 0.05 <= time.monotonic() - began < LIMIT_S


def test_each_socket_has_its_own_conditions() -> None:
    listening = listener()
    client, server = connected_to(listening)
    idle, waiting = udp(), udp()
    api.sendto(idle, b"x", 0, api.getsockname(waiting))
    api.send(client, b"x")
    readable(waiting)
    readable(server)
    api.connect(tcp(), api.getsockname(listening))
    readable(listening)

    found = watch(CAN_READ | CAN_ACCEPT, listening, client, server, idle, waiting).wait(0)

    assert found == {endpoint(listening): CAN_ACCEPT, endpoint(server): CAN_READ, endpoint(waiting): CAN_READ}


def test_only_what_was_asked_for_is_told() -> None:
    client, server = pair()
    api.send(client, b"x")
    readable(server)

    assert watch(CAN_WRITE, server).wait(0) == {endpoint(server): CAN_WRITE}
    assert watch(CAN_READ_URGENT, server).wait(0) == {}


def test_the_end_of_a_stream_is_told_apart_from_data_on_request() -> None:
    """A byte and the end; then only the end. Without the request the end counts as something to read."""
    client, server = pair()
    api.send(client, b"x")
    api.shutdown(client, SD_SEND)
    told = watch(CAN_READ | PEER_ENDED | TELL_END, server)
    until(lambda: told.wait(0) == {endpoint(server): CAN_READ | PEER_ENDED}, "the end arrives")

    api.recv(server, bytearray(1))

    assert told.wait(0) == {endpoint(server): PEER_ENDED}
    assert watch(CAN_READ | PEER_ENDED, server).wait(0) == {endpoint(server): CAN_READ}


def test_a_state_that_no_host_reports_is_found_again_and_again() -> None:
    """A connect that failed, and a connection that was reset."""
    failed, (client, server) = tcp(), pair()
    assert code_of(api.connect, failed, refusing()[1])
    reset(server)
    readable(client)
    both = watch(CONNECT_FAILED | WAS_RESET, failed, client)

    for _ in range(3):
        assert both.wait(SECOND) == {endpoint(failed): CONNECT_FAILED, endpoint(client): WAS_RESET}


# What changes meanwhile


@pytest.mark.parametrize("timeout_s", [None, LIMIT_S])
def test_a_change_of_state_is_noticed_in_the_middle_of_a_wait(timeout_s: float | None) -> None:
    """A socket that is bound, and then gets a datagram: no bit of the host's was asked for before."""
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    one = endpoint(s)
    call = elsewhere(lambda: watch(CAN_READ, s).wait(timeout_s))
    until(lambda: one.watchers, "the wait begins")

    api.bind(s, loopback(AF_INET))
    api.sendto(udp(), b"x", 0, api.getsockname(s))

    assert call.result() == {one: CAN_READ}


def test_a_change_between_two_waits_is_noticed_too() -> None:
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    before = watch(CAN_READ, s)
    assert before.wait(0) == {}

    api.bind(s, loopback(AF_INET))
    api.sendto(udp(), b"x", 0, api.getsockname(s))

    assert before.wait(SECOND) == {endpoint(s): CAN_READ}


def test_closing_ends_a_wait_and_the_watch() -> None:
    s, other = udp(), udp()
    one = endpoint(s)
    made: list[Watch] = []

    def wait() -> Any:
        made.append(watch(CAN_READ, s, other))
        return made[0].wait(None)

    call = elsewhere(wait)
    until(lambda: one.watchers, "the wait begins")

    api.closesocket(s)

    assert call.result() == {one: WAS_CLOSED}
    assert made[0].lost
    assert keep(made[0], ()) == (made[0],)  # type: ignore[type-var]  # anything with a watch would do


def test_a_descriptor_that_was_closed_behind_our_back_counts_as_closed() -> None:
    s = udp()
    one = endpoint(s)
    copy = os.dup(one.fd)
    seen = watch(CAN_READ, s)
    assert seen.wait(0) == {}
    os.close(one.fd)

    assert seen.wait(SECOND) == {one: WAS_CLOSED}
    os.dup2(copy, one.fd)
    os.close(copy)


# What does not end a wait


def test_a_wake_up_for_something_else_does_not_end_a_wait() -> None:
    s = udp()
    waiters = []

    def wait() -> Any:
        waiters.append(this_waiter())
        return watch(CAN_READ, s).wait(None)

    call = elsewhere(wait)
    until(lambda: endpoint(s).watchers, "the wait begins")
    for _ in range(20):
        waiters[0].wake()
        time.sleep(0.001)
    assert call.running

    api.sendto(s, b"x", 0, api.getsockname(s))

    assert call.result() == {endpoint(s): CAN_READ}


def test_a_hang_up_that_means_nothing_does_not_keep_a_wait_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait for urgent data on a connection that both sides have ended: the host reports a hang-up for ever."""
    client, server = pair()
    api.shutdown(client, SD_BOTH)
    api.shutdown(server, SD_SEND)
    until(lambda: watch(PEER_ENDED | TELL_END, server).wait(0), "the end arrives")
    ended = watch(CAN_READ_URGENT, server)

    with counted_waits(monkeypatch) as calls:
        assert ended.wait(0.05) == {}

    assert len(calls) <= 3
    with counted_waits(monkeypatch) as calls:
        assert ended.wait(0.05) == {}
    assert len(calls) == 1, "it is not looked at again before something changes"


# One thread, many waits


def test_nothing_is_done_for_sockets_that_are_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes a repeated wait cheap: 50 idle sockets and one that is ready."""
    sockets = [udp() for _ in range(50)]
    many = watch(CAN_READ, *sockets)
    many.wait(0)
    api.sendto(sockets[0], b"x", 0, api.getsockname(sockets[7]))
    readable(sockets[7])
    looked_at: list[HostSocket] = []
    kind = type(endpoint(sockets[0]))
    real: Callable[[Any, int], int] = kind.conditions

    def conditions(self: HostSocket, ready: int) -> int:
        looked_at.append(self)
        return real(self, ready)

    monkeypatch.setattr(kind, "conditions", conditions)

    assert many.wait(0) == {endpoint(sockets[7]): CAN_READ}
    assert looked_at == [endpoint(sockets[7])]


def test_a_watch_leaves_nothing_behind() -> None:
    """It goes with its last reference, or with its thread."""
    s = udp()
    one = endpoint(s)
    watch(CAN_READ, s).wait(0)
    gc.collect()
    assert one.watchers == []

    elsewhere(api.select, [s], None, None, NOW).result()
    elsewhere(api.WSAPoll, [(s, 0x100)], 0).result()
    until(lambda: gc.collect() >= 0 and not one.watchers, "the threads' waits are gone")


def test_a_socket_that_is_gone_is_not_kept_by_a_new_wait() -> None:
    """Lists that a server makes over and over: only a few are kept, and of those none with a closed socket."""
    sockets = [udp() for _ in range(12)]
    for count in range(1, 13):
        api.select(sockets[:count], None, None, NOW)
    assert len(endpoint(sockets[0]).watchers) <= 4

    one = endpoint(sockets[11])
    api.closesocket(sockets[11])
    api.select(sockets[:2], None, None, NOW)
    api.select(sockets[:3], None, None, NOW)
    gc.collect()

    assert one.watchers == []


def test_two_threads_wait_for_the_same_sockets() -> None:
    s = udp()
    calls = [elsewhere(lambda: api.select([s], None, None, PATIENCE)) for _ in range(5)]
    until(lambda: len(endpoint(s).watchers) == 5, "all wait")

    api.sendto(s, b"x", 0, api.getsockname(s))

    assert [call.result() for call in calls] == [([s], [], [])] * 5


@contextmanager
def handler(action: Callable[[], object]) -> Iterator[None]:
    """Do this in the main thread on SIGUSR1."""
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("only the main thread gets signals")
    before = signal.signal(signal.SIGUSR1, lambda *_: action())
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR1, before)


def interrupt_when(condition: Callable[[], object]) -> Call:
    main = threading.main_thread().ident
    assert main is not None

    def send() -> None:
        until(condition, "the main thread waits")
        time.sleep(0.01)  # it is about to; the outcome is the same if it is not there yet
        signal.pthread_kill(main, signal.SIGUSR1)

    return Call(send)


def test_a_wait_inside_a_wait_for_the_same_list() -> None:
    """A signal handler selects on the very list that the interrupted select waits for."""
    s = udp()
    members = [s]
    inside: list[Any] = []
    api.select(members, None, None, NOW)
    one = endpoint(s)

    def nested() -> None:
        inside.append(api.select(members, None, None, NOW))
        api.sendto(s, b"x", 0, api.getsockname(s))

    with handler(nested):
        interrupt_when(lambda: one.watchers)
        outer = api.select(members, None, None, PATIENCE)

    assert inside == [([], [], [])]
    assert outer == ([s], [], [])


def test_an_interrupted_wait_can_be_repeated() -> None:
    s = udp()
    members = [s]
    one = endpoint(s)

    def interrupt() -> None:
        raise Interrupt

    with handler(interrupt):
        interrupt_when(lambda: one.watchers)
        with pytest.raises(Interrupt):
            api.select(members, None, None, PATIENCE)
    api.sendto(s, b"x", 0, api.getsockname(s))

    assert api.select(members, None, None, PATIENCE) == ([s], [], [])
    assert len(one.watchers) == 1, "the same wait"


def test_a_child_waits_by_itself() -> None:
    """After a fork the child's lists are prepared anew: it must not share a wake descriptor with its parent."""
    script = textwrap.dedent(
        """
        import os, sys
        from winsock2emu import ws2_32 as api
        from winsock2emu.defs.constants import AF_INET, SOCK_DGRAM

        api.WSAStartup(0x0202)
        s = api.socket(AF_INET, SOCK_DGRAM, 0)
        api.bind(s, api.sockaddr_in("127.0.0.1", 0))
        members = [s]
        assert api.select(members, None, None, (0, 0)) == ([], [], [])
        child = os.fork()
        api.sendto(s, b"x", 0, api.getsockname(s))
        assert api.select(members, None, None, (20, 0)) == ([s], [], [])
        assert api.WSAPoll([(s, 0x100)], 20_000) == (1, [0x100])
        if child:
            assert os.waitpid(child, 0)[1] == 0
        else:
            os._exit(0)
        """
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_end_of_the_process_ends_waits(winsock: Process) -> None:
    """The last WSACleanup closes the sockets under a select, which says that they are none any more."""
    s = udp()
    one = endpoint(s)
    call = elsewhere(api.select, [s], None, None, PATIENCE)
    until(lambda: one.watchers, "the select waits")

    api.WSACleanup()

    assert call.failure() is not None
    assert one.closing == WSAEINTR


def test_urgent_data_is_a_condition_of_its_own() -> None:
    client, server = pair()
    both = watch(CAN_READ | CAN_READ_URGENT, server)
    api.send(client, b"!", MSG_OOB)
    until(lambda: both.wait(0), "the byte arrives")

    assert both.wait(0) == {endpoint(server): CAN_READ_URGENT}


def test_a_host_without_a_bit_for_the_end_tells_by_its_hang_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those hosts report a hang-up, with or without data before it."""
    client, server = pair()
    monkeypatch.setattr(stream, "ENDED", 0)
    one = endpoint(server)
    assert one.wanted(TELL_END) & ~one.wanted(0), "something is asked for, or nothing would be reported"

    assert one.conditions(stream.READABLE | stream.HANGUP) & ~CAN_WRITE == PEER_ENDED
    api.send(client, b"x")
    readable(server)
    assert one.conditions(stream.READABLE | stream.HANGUP) & ~CAN_WRITE == PEER_ENDED | CAN_READ


def test_the_sockets_of_the_host_are_not_touched_by_a_look() -> None:
    """A look at the end of a stream peeks: the data is still there."""
    client, server = pair()
    api.send(client, b"abc")
    api.shutdown(client, SD_SEND)
    told = watch(CAN_READ | PEER_ENDED | TELL_END, server)
    until(lambda: told.wait(0) == {endpoint(server): CAN_READ | PEER_ENDED}, "the end arrives")
    space = bytearray(9)

    assert api.recv(server, space) == 3
