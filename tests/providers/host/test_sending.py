"""Non-blocking sends are taken whole or not at all, and go out whatever becomes of the socket and the program."""

from __future__ import annotations

import os
import signal
import socket as host_sockets
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.concurrency import LIMIT_S, until
from tests.loopback import (
    FAMILIES,
    NOW,
    PATIENCE,
    code_of,
    elsewhere,
    fails,
    failure_of,
    linger,
    listener,
    nonblocking,
    pair,
    received,
    reset,
    waiting,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAECONNRESET,
    WSAEINTR,
    WSAENOTSOCK,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_UNIX,
    FIONBIO,
    POLLWRNORM,
    SD_SEND,
    SO_LINGER,
    SO_SNDTIMEO,
    SOCK_STREAM,
    SOL_SOCKET,
)
from winsock2emu.process import Process
from winsock2emu.providers.host import sending as module
from winsock2emu.providers.host.sending import Leftovers, Sending, leftovers

pytestmark = pytest.mark.usefixtures("winsock")

MUCH = bytes(index % 251 for index in range(65536)) * 320  # 20 MB: more than the buffers on the way hold


@contextmanager
def host_peer() -> Iterator[tuple[host_sockets.socket, int]]:
    """A non-blocking socket and its peer, which is the host's own and outlives everything here."""
    listening = listener()
    with host_sockets.create_connection(("127.0.0.1", api.getsockname(listening).port)) as peer:
        peer.settimeout(LIMIT_S)
        s = nonblocking(api.accept(listening)[0])
        api.closesocket(listening)
        yield peer, s


def drained(peer: host_sockets.socket) -> bytes:
    """All that comes until the end of the stream."""
    data = bytearray()
    while piece := peer.recv(1 << 20):
        data += piece
    return bytes(data)


# --------------------------------------------------------------------------------------------------- all or nothing


@pytest.mark.parametrize("family", FAMILIES)
def test_a_send_is_taken_whole_or_not_at_all(family: int) -> None:
    """Observed on Windows: evwrite-send-full-buffers."""
    client, server = pair(family)
    nonblocking(client)
    taken = 0
    while not code_of(api.send, client, MUCH[: 1 << 20]):
        taken += 1
    assert taken
    with fails(WSAEWOULDBLOCK):
        api.send(client, b"x")
    assert received(server, taken << 20) == MUCH[: 1 << 20] * taken


def test_the_buffers_are_the_program_s_again_at_once() -> None:
    client, server = pair()
    nonblocking(client)
    data = bytearray(MUCH)
    assert api.WSASend(client, [memoryview(data)[:10_000_000], memoryview(data)[10_000_000:]]) == len(MUCH)
    data[:] = bytes(len(MUCH))
    assert received(server, len(MUCH)) == MUCH


def test_there_is_no_room_until_the_rest_is_sent() -> None:
    """select and WSAPoll, before the wait and during it; other conditions hold meanwhile."""
    client, server = pair()
    nonblocking(client)
    assert api.send(client, MUCH) == len(MUCH)
    assert api.select(None, [client], None, NOW) == ([], [], [])
    assert api.WSAPoll([(client, POLLWRNORM)], 0) == (0, [0])
    api.send(server, b"a")
    assert api.select([client], [client], None, PATIENCE) == ([client], [], [])
    selecting = elsewhere(api.select, None, [client], None, PATIENCE)
    polling = elsewhere(api.WSAPoll, [(client, POLLWRNORM)], 20_000)
    with fails(WSAEWOULDBLOCK):
        api.send(client, b"x")
    assert selecting.running
    assert received(server, len(MUCH)) == MUCH
    assert selecting.result() == ([], [client], [])
    assert polling.result() == (1, [POLLWRNORM])
    assert api.send(client, b"x") == 1
    assert received(server, 1) == b"x"


def test_a_blocking_send_goes_out_behind_the_rest() -> None:
    client, server = pair()
    nonblocking(client)
    api.send(client, MUCH)
    api.ioctlsocket(client, FIONBIO, 0)
    behind = elsewhere(api.send, client, b"behind")
    until(waiting(client, "WSPSend"), "the send waits")
    assert received(server, len(MUCH) + 6) == MUCH + b"behind"
    assert behind.result() == 6


def test_a_time_limit_takes_nothing_away_from_the_rest() -> None:
    client, server = pair()
    nonblocking(client)
    api.send(client, MUCH)
    api.ioctlsocket(client, FIONBIO, 0)
    api.setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, 30)
    with fails(WSAETIMEDOUT):
        api.send(client, b"too late")
    assert received(server, len(MUCH)) == MUCH
    until(lambda: code_of(api.send, client, b"x") == 0, "there is room again")
    assert received(server, 1) == b"x"


def test_shutdown_sends_the_rest_before_the_end() -> None:
    """R12.2, R12.5: and does not wait for it."""
    client, server = pair()
    nonblocking(client)
    api.send(client, MUCH)
    api.shutdown(client, SD_SEND)
    with fails(WSAESHUTDOWN):
        api.send(client, b"x")
    assert received(server, len(MUCH)) == MUCH
    assert api.recv(server, bytearray(1)) == 0


def test_a_reset_of_the_rest_is_met_by_every_later_call() -> None:
    """The send was a success; what becomes of it comes later, and stays."""
    client, server = pair()
    nonblocking(client)
    api.send(client, MUCH)
    reset(server)
    assert api.select([client], None, None, PATIENCE)[0] == [client]
    assert failure_of(api.send, client, b"x") == WSAECONNRESET
    for _ in range(2):
        with fails(WSAECONNRESET):
            api.send(client, b"x")
        with fails(WSAECONNRESET):
            api.recv(client, bytearray(1))
    until(lambda: not leftovers.waits(), "nothing is left")


def test_local_streams_are_taken_whole_as_well(tmp_path: object) -> None:
    path = os.path.join(str(tmp_path), "s")
    listening = api.socket(AF_UNIX, SOCK_STREAM, 0)
    api.bind(listening, api.sockaddr_un(path))
    api.listen(listening, 1)
    client = api.socket(AF_UNIX, SOCK_STREAM, 0)
    api.connect(client, api.sockaddr_un(path))
    server = api.accept(listening)[0]
    nonblocking(client)
    assert api.send(client, MUCH) == len(MUCH)
    with fails(WSAEWOULDBLOCK):
        api.send(client, b"x")
    api.closesocket(client)
    assert received(server, len(MUCH)) == MUCH
    assert api.recv(server, bytearray(1)) == 0


def test_sends_of_several_threads_stay_whole_and_lose_nothing() -> None:
    client, server = pair()
    nonblocking(client)
    size, rounds = 300_000, 12
    done = threading.Event()

    def send(mark: int) -> int:
        refused = 0
        for _ in range(rounds):
            while code_of(api.send, client, bytes((mark,)) * size):
                refused += 1
                api.select(None, [client], None, PATIENCE)
        return refused

    senders = [elsewhere(send, mark) for mark in (1, 2, 3)]
    data = received(server, 3 * rounds * size)
    done.set()
    for sender in senders:
        sender.result()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert all(piece == piece[:1] * size for piece in pieces)
    assert sorted(piece[0] for piece in pieces) == sorted([1, 2, 3] * rounds)


# -------------------------------------------------------------------------------------- the socket goes, the data stays


def test_a_close_gives_the_handle_back_and_the_rest_goes_out() -> None:
    """T12.1, row 2; R12.25-R12.27."""
    with host_peer() as (peer, s):
        assert api.send(s, MUCH) == len(MUCH)
        began = time.monotonic()
        api.closesocket(s)
        assert time.monotonic() - began < 5
        with fails(WSAENOTSOCK):
            api.getsockname(s)
        again = api.socket(2, SOCK_STREAM, 0)
        assert again == s
        assert drained(peer) == MUCH
        until(lambda: not leftovers.waits(), "all is sent")


def test_several_closed_sockets_send_side_by_side() -> None:
    peers = []
    for _ in range(5):
        context = host_peer()
        peer, s = context.__enter__()
        api.send(s, MUCH)
        api.closesocket(s)
        peers.append((context, peer))
    for context, peer in reversed(peers):
        assert drained(peer) == MUCH
        context.__exit__(None, None, None)


def test_a_peer_that_resets_ends_it() -> None:
    with host_peer() as (peer, s):
        api.send(s, MUCH)
        api.closesocket(s)
        peer.setsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        until(lambda: not leftovers.waits(), "nothing is left")


def test_unread_data_makes_the_close_hard_whatever_is_to_be_sent() -> None:
    """R12.20."""
    with host_peer() as (peer, s):
        peer.send(b"unread")
        assert api.select([s], None, None, PATIENCE)[0] == [s]
        api.send(s, MUCH)
        api.closesocket(s)
        assert not leftovers.waits()
        with pytest.raises(ConnectionResetError):
            drained(peer)


def test_a_linger_time_of_nothing_loses_the_rest() -> None:
    """T12.1, row 3."""
    with host_peer() as (peer, s):
        api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(1, 0))
        api.send(s, MUCH)
        api.closesocket(s)
        assert not leftovers.waits()
        with pytest.raises(ConnectionResetError):
            drained(peer)


def test_without_a_descriptor_for_the_rest_the_close_is_hard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer must not take for everything what it has got."""

    def no_descriptor(descriptor: int) -> int:
        raise OSError(24, "Too many open files")

    with host_peer() as (peer, s):
        api.send(s, MUCH)
        monkeypatch.setattr(os, "dup", no_descriptor)
        api.closesocket(s)
        monkeypatch.undo()
        assert not leftovers.waits()
        with pytest.raises(ConnectionResetError):
            drained(peer)


def test_calls_that_wait_behind_the_rest_end_with_the_close() -> None:
    with host_peer() as (peer, s):
        api.send(s, MUCH)
        api.ioctlsocket(s, FIONBIO, 0)
        behind = elsewhere(api.send, s, b"never")
        until(waiting(s, "WSPSend"), "the send waits")
        api.closesocket(s)
        assert getattr(behind.failure(), "winerror", None) == WSAEINTR
        assert drained(peer) == MUCH


def test_the_last_cleanup_leaves_the_rest_on_its_way(winsock: Process) -> None:
    """R12.26: sockets that were never closed."""
    with host_peer() as (peer, s):
        api.send(s, MUCH)
        began = time.monotonic()
        api.WSACleanup()
        assert time.monotonic() - began < 5
        assert winsock.sockets() == []
        assert drained(peer) == MUCH
        until(lambda: not leftovers.waits(), "all is sent")


# ------------------------------------------------------------------------------------------------- the program ends

PROGRAM = textwrap.dedent(
    """
    import os, sys
    from winsock2emu import ws2_32 as api
    api.WSAStartup(0x0202)
    s = api.socket(2, 1, 6)
    api.connect(s, api.sockaddr_in("127.0.0.1", int(sys.argv[1])))
    api.ioctlsocket(s, api.FIONBIO, 1)
    data = bytes(index % 251 for index in range(65536)) * 320
    assert api.send(s, data) == len(data)
    exec(sys.argv[2])
    """
)


def program(end: str) -> tuple[subprocess.Popen[bytes], host_sockets.socket]:
    """A program that sends much and ends at once; and what it has sent to."""
    with host_sockets.create_server(("127.0.0.1", 0)) as server:
        running = subprocess.Popen([sys.executable, "-c", PROGRAM, str(server.getsockname()[1]), end])
        server.settimeout(LIMIT_S)
        peer = server.accept()[0]
        peer.settimeout(LIMIT_S)
    return running, peer


@pytest.mark.slow
@pytest.mark.parametrize("end", ["", "api.closesocket(s)", "api.WSACleanup()", "raise SystemExit(0)"])
def test_the_end_of_the_program_waits_for_it(end: str) -> None:
    """A50: without a close, after it, after the last cleanup."""
    running, peer = program(end)
    with peer:
        assert drained(peer) == MUCH
    assert running.wait(LIMIT_S) == 0


@pytest.mark.slow
def test_the_end_of_the_program_does_not_wait_for_ever() -> None:
    """The peer takes nothing."""
    running, peer = program("from winsock2emu.providers.host import sending; sending.IDLE_AT_EXIT_S = 0.1")
    with peer:
        assert running.wait(LIMIT_S) == 0
        assert 0 < len(drained(peer)) < len(MUCH)


def test_a_wait_at_the_end_has_a_bound_although_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_AT_EXIT_S", 0.2)
    monkeypatch.setattr(module, "IDLE_AT_EXIT_S", 0.01)

    class Endless(Sending):
        @property
        def left(self) -> int:
            return -time.monotonic_ns()

    with host_sockets.socket() as host:
        here = Leftovers()
        here.add(Endless(host, [memoryview(b"x")], 0, lambda failure: None))  # type: ignore[arg-type, return-value]
        began = time.monotonic()
        here.finish()
        assert 0.15 < time.monotonic() - began < 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_leaves_the_rest_to_its_parent() -> None:
    """It must not hold the connection open either, nor send anything twice."""
    with host_peer() as (peer, s):
        api.send(s, MUCH)
        api.closesocket(s)
        child = os.fork()
        if child == 0:
            signal.alarm(int(LIMIT_S))
            assert not leftovers.waits()
            peer.close()
            signal.pause()  # lives on while the parent sends
            os._exit(0)
        try:
            assert drained(peer) == MUCH
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
