"""How long closesocket waits, and how a connection ends: the truth table of SO_LINGER, and shutdown(SD_RECEIVE)."""

from __future__ import annotations

import os
import signal
import socket as host_sockets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.concurrency import LIMIT_S, Interrupt, until
from tests.loopback import (
    FAMILIES,
    arrived,
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
    tcp,
    waiting,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAENOTSOCK,
    WSAESHUTDOWN,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    FIONBIO,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SO_DONTLINGER,
    SO_LINGER,
    SOCK_STREAM,
    SOL_SOCKET,
)
from winsock2emu.engine import pump as pump_module
from winsock2emu.process import Process, current_process
from winsock2emu.providers.host import stream
from winsock2emu.providers.host.sending import leftovers
from winsock2emu.providers.host.stream import StreamSocket

pytestmark = pytest.mark.usefixtures("winsock")

MUCH = bytes(index % 251 for index in range(65536)) * 320  # 20 MB: more than the buffers on the way hold
AT_ONCE_S = 5.0


def endpoint(s: int) -> StreamSocket:
    found = current_process().socket(s).mover
    assert isinstance(found, StreamSocket)
    return found


@contextmanager
def host_peer() -> Iterator[tuple[host_sockets.socket, int]]:
    """A socket and its peer, which is the host's own."""
    listening = listener()
    with host_sockets.create_connection(("127.0.0.1", api.getsockname(listening).port)) as peer:
        peer.settimeout(LIMIT_S)
        s = api.accept(listening)[0]
        api.closesocket(listening)
        yield peer, s


def drained(peer: host_sockets.socket) -> bytes:
    """All that comes until the end of the stream."""
    data = bytearray()
    while piece := peer.recv(1 << 20):
        data += piece
    return bytes(data)


def send_until_refused(peer: host_sockets.socket) -> None:
    while peer.send(b"x"):
        pass


def fill_host(s: int) -> int:
    """Have the host take as much as it does, behind the emulator's back."""
    host, sent = endpoint(s).host, 0
    try:
        while True:
            sent += host.send(bytes(65536))
    except BlockingIOError:
        return sent


def closed_in(s: int) -> float:
    """Seconds that a close takes."""
    began = time.monotonic()
    api.closesocket(s)
    return time.monotonic() - began


def prepare(s: int, *, on: int, seconds: int, blocking: bool, much: bool) -> None:
    """A socket of one row of T12.1."""
    nonblocking(s)
    if much:
        assert api.send(s, MUCH) == len(MUCH)
    api.ioctlsocket(s, FIONBIO, int(not blocking))
    api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(on, seconds))


# ------------------------------------------------------------------------------------------------------------ T12.1


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("much", [True, False])
@pytest.mark.parametrize(("on", "seconds"), [(0, 0), (0, 60)])
def test_without_linger_it_returns_at_once_and_ends_well(on: int, seconds: int, much: bool, blocking: bool) -> None:
    """Rows 1 and 2: in good order, behind its back, whatever the linger time."""
    with host_peer() as (peer, s):
        prepare(s, on=on, seconds=seconds, blocking=blocking, much=much)
        assert closed_in(s) < AT_ONCE_S
        assert drained(peer) == (MUCH if much else b"")


@pytest.mark.parametrize("blocking", [True, False])
@pytest.mark.parametrize("much", [True, False])
def test_a_linger_time_of_nothing_is_a_hard_close(much: bool, blocking: bool) -> None:
    """Row 3, R12.14."""
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=0, blocking=blocking, much=much)
        assert closed_in(s) < AT_ONCE_S
        with pytest.raises(ConnectionResetError):
            drained(peer)


@pytest.mark.parametrize("blocking", [True, False])
def test_with_nothing_to_send_it_is_done_as_soon_as_the_peer_knows(blocking: bool) -> None:
    """Rows 4 and 7."""
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=60, blocking=blocking, much=False)
        assert closed_in(s) < AT_ONCE_S
        assert drained(peer) == b""


def test_it_waits_until_all_is_sent() -> None:
    """Row 5: what the host has not even taken yet, included."""
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=60, blocking=True, much=True)
        closing = elsewhere(closed_in, s)
        until(lambda: code_of(api.getsockname, s) == WSAENOTSOCK, "the close has begun")
        assert closing.running
        assert drained(peer) == MUCH
        closing.result()
        assert not leftovers.waits()


@pytest.mark.slow
@pytest.mark.parametrize("much", [True, False])
def test_it_gives_up_after_the_time_and_closes_hard(much: bool) -> None:
    """Row 6, R12.13: the result tells nothing of it. More than the host takes, and just as much as it takes."""
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=1, blocking=True, much=much)
        if not much:
            fill_host(s)
        assert 0.95 < closed_in(s) < 0.95 + AT_ONCE_S
        assert not leftovers.waits()
        with pytest.raises(ConnectionResetError):
            drained(peer)


def test_non_blocking_it_is_refused_while_there_is_something_to_send() -> None:
    """Row 8, A47: the handle stays valid, nothing has begun, and the peer's side goes on."""
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=60, blocking=False, much=True)
        for _ in range(2):
            with fails(WSAEWOULDBLOCK):
                api.closesocket(s)
        peer.send(b"still here")
        arrived(s, 10)
        assert received(s, 10) == b"still here"
        data = bytearray()
        while len(data) < len(MUCH):
            data += peer.recv(1 << 20)
        assert data == MUCH
        until(lambda: code_of(api.closesocket, s) == 0, "all is sent")
        assert drained(peer) == b""


def test_dont_linger_is_the_other_side_of_the_switch() -> None:
    """R12.16: it decides what the close does, and remembers the time."""
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=60, blocking=False, much=True)
        api.setsockopt(s, SOL_SOCKET, SO_DONTLINGER, 1)
        assert closed_in(s) < AT_ONCE_S
        assert drained(peer) == MUCH
    with host_peer() as (peer, s):
        prepare(s, on=0, seconds=60, blocking=False, much=True)
        api.setsockopt(s, SOL_SOCKET, SO_DONTLINGER, 0)
        with fails(WSAEWOULDBLOCK):
            api.closesocket(s)
        api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(0, 0))
        api.closesocket(s)
        assert drained(peer) == MUCH


@pytest.mark.parametrize(("on", "seconds"), [(0, 0), (1, 60), (1, 0)])
def test_unread_data_makes_any_close_hard(on: int, seconds: int) -> None:
    """R12.20, A49."""
    with host_peer() as (peer, s):
        api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(on, seconds))
        api.send(s, b"answer")
        peer.send(b"nobody reads this")
        arrived(s, 17)
        assert closed_in(s) < AT_ONCE_S
        with pytest.raises(ConnectionResetError):
            drained(peer)


def test_lingering_ends_with_the_connection() -> None:
    """The peer resets: nothing is left to wait for."""
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=60, blocking=True, much=True)
        closing = elsewhere(closed_in, s)
        until(lambda: code_of(api.getsockname, s) == WSAENOTSOCK, "the close has begun")
        peer.setsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        assert closing.result() < AT_ONCE_S + LIMIT_S


def test_lingering_for_an_acknowledgement_ends_with_the_connection() -> None:
    with host_peer() as (peer, s):
        nonblocking(s)
        fill_host(s)
        prepare(s, on=1, seconds=60, blocking=True, much=False)
        closing = elsewhere(closed_in, s)
        until(lambda: code_of(api.getsockname, s) == WSAENOTSOCK, "the close has begun")
        peer.setsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        closing.result()


def test_a_connection_that_is_gone_is_closed_at_once() -> None:
    client, server = pair()
    prepare(client, on=1, seconds=60, blocking=True, much=False)
    reset(server)
    assert failure_of(api.recv, client, bytearray(1)) == WSAECONNRESET
    assert closed_in(client) < AT_ONCE_S


def test_a_connection_that_nobody_has_found_gone_is_closed_at_once() -> None:
    """In non-blocking mode, with data that can never be sent."""
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=60, blocking=False, much=True)
        peer.setsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peer.close()
        until(lambda: code_of(api.closesocket, s) == 0, "the reset has come")


def test_a_socket_without_a_connection_is_closed_at_once() -> None:
    for s in (tcp(), listener()):
        for blocking in (True, False):
            api.ioctlsocket(s, FIONBIO, int(not blocking))
            api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(1, 60))
        assert closed_in(s) < AT_ONCE_S


def test_hosts_without_news_of_acknowledgements_are_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("select.epoll")
    with host_peer() as (peer, s):
        nonblocking(s)
        sent = fill_host(s)
        prepare(s, on=1, seconds=60, blocking=True, much=False)
        closing = elsewhere(closed_in, s)
        until(lambda: code_of(api.getsockname, s) == WSAENOTSOCK, "the close has begun")
        assert len(drained(peer)) == sent
        closing.result()


def test_a_lingering_close_in_a_shut_down_connection_waits_as_well() -> None:
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=60, blocking=True, much=True)
        api.shutdown(s, SD_SEND)
        closing = elsewhere(closed_in, s)
        until(lambda: code_of(api.getsockname, s) == WSAENOTSOCK, "the close has begun")
        assert closing.running
        assert drained(peer) == MUCH
        closing.result()


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Ctrl+C raises `Interrupt` in the main thread, once."""

    def strike(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise Interrupt

    before = signal.signal(signal.SIGINT, strike)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("taken", [True, False], ids=["waits-for-acknowledgement", "waits-for-room"])
def test_an_interrupt_ends_the_wait_and_not_the_data(
    interrupts: None, taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exception comes out of closesocket; the socket is closed, and everything is sent."""
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("only the main thread gets signals")
    sent = len(MUCH)
    waits = threading.Event()
    kind = pump_module.ChangeWait if taken else pump_module.ReadyWait
    really_wait = kind.wait

    def wait(*args: Any) -> int:
        waits.set()
        return really_wait(*args)

    monkeypatch.setattr(kind, "wait", wait)
    with host_peer() as (peer, s):
        nonblocking(s)
        if taken:
            sent = fill_host(s)
        prepare(s, on=1, seconds=60, blocking=True, much=not taken)
        main = threading.main_thread().ident
        assert main is not None

        ended = threading.Event()

        def strike() -> None:
            assert waits.wait(LIMIT_S)
            while not ended.wait(0.02):  # one that arrives just before the sleep does not end it
                signal.pthread_kill(main, signal.SIGINT)

        sender = elsewhere(strike)
        with pytest.raises(Interrupt):
            api.closesocket(s)
        ended.set()
        sender.result()
        with fails(WSAENOTSOCK):
            api.getsockname(s)
        assert len(drained(peer)) == sent


def test_cleanup_waits_for_nobody(winsock: Process) -> None:
    """R12.26."""
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=60, blocking=True, much=True)
        began = time.monotonic()
        api.WSACleanup()
        assert time.monotonic() - began < AT_ONCE_S
        assert winsock.sockets() == []
        assert drained(peer) == MUCH


def test_the_host_is_never_told_a_linger_time() -> None:
    """It would block where Windows does not."""
    _, s = pair()
    for on, seconds, told in ((1, 60, 0), (1, 0, 1), (1, 1, 0), (0, 0, 0)):
        api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(on, seconds))
        option = endpoint(s).host.getsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_LINGER, 8)
        assert option == told.to_bytes(8, "little")


def test_the_handle_s_number_is_free_while_the_close_lingers() -> None:
    """R12.25: it means no socket any more; the host's descriptor is another matter."""
    with host_peer() as (peer, s):
        prepare(s, on=1, seconds=60, blocking=True, much=True)
        closing = elsewhere(closed_in, s)
        until(lambda: code_of(api.getsockname, s) == WSAENOTSOCK, "the close has begun")
        other = api.socket(2, SOCK_STREAM, 0)
        assert other != s
        os.fstat(s)
        drained(peer)
        closing.result()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_listener_resets_those_it_has_not_accepted(family: int) -> None:
    """R12.21, A107."""
    listening = listener(family)
    clients = [tcp(family) for _ in range(3)]
    for client in clients:
        api.connect(client, api.getsockname(listening))
    api.closesocket(listening)
    for client in clients:
        assert failure_of(api.recv, client, bytearray(1)) == WSAECONNRESET


# ------------------------------------------------------------------------------------------------ shutdown(SD_RECEIVE)


@pytest.mark.parametrize("how", [SD_RECEIVE, SD_BOTH])
def test_data_that_comes_later_resets_the_connection_although_nobody_calls(how: int) -> None:
    """R12.3, A40: the peer learns of it, and this end meets it in the next call."""
    with host_peer() as (peer, s):
        api.shutdown(s, how)
        peer.send(b"too late")
        until(lambda: endpoint(s).broken, "this end knows")
        # Behind the end of the stream a host calls it a broken pipe.
        with pytest.raises(ConnectionResetError if how == SD_RECEIVE else BrokenPipeError):
            send_until_refused(peer)
        if how == SD_RECEIVE:
            with fails(WSAECONNABORTED):
                api.send(s, b"x")
        assert endpoint(s).pump.armed() == ()


def test_data_that_is_there_already_resets_the_connection() -> None:
    with host_peer() as (peer, s):
        peer.send(b"unread")
        arrived(s, 6)
        api.shutdown(s, SD_RECEIVE)
        with pytest.raises(ConnectionResetError):
            drained(peer)


def test_the_end_of_the_stream_is_no_data() -> None:
    with host_peer() as (peer, s):
        api.shutdown(s, SD_RECEIVE)
        peer.shutdown(host_sockets.SHUT_WR)
        until(lambda: endpoint(s).alarms == 0, "the end has come")
        assert api.send(s, b"answer") == 6
        api.closesocket(s)
        assert drained(peer) == b"answer"


def test_receives_that_wait_end_with_nothing() -> None:
    """R12.10: in the order they came, and later data resets the connection all the same."""
    with host_peer() as (peer, s):
        receiving = [elsewhere(api.recv, s, bytearray(1)) for _ in range(3)]
        until(waiting(s), "the receives wait")
        api.shutdown(s, SD_RECEIVE)
        codes = {getattr(one.failure(), "winerror", 0) for one in receiving}
        assert codes <= {0, WSAESHUTDOWN}  # one that came too late is refused
        assert 0 in codes
        peer.send(b"too late")
        with pytest.raises(ConnectionResetError):
            drained(peer)


def test_closing_ends_the_watch_for_unwanted_data() -> None:
    client, server = pair()
    api.shutdown(server, SD_BOTH)
    pump = endpoint(server).pump
    until(lambda: pump.armed() == (server,), "the pump looks out for data")
    api.closesocket(server)
    assert pump.armed() == ()
    assert api.recv(client, bytearray(1)) == 0


def test_without_room_in_the_pump_the_next_send_finds_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's set of descriptors is full: the connection is reset later, but it is."""
    with host_peer() as (peer, s):
        pump = endpoint(s).pump
        backend = pump_module.BACKENDS[pump.backend_name]

        def no_room(self: object, fd: int, mask: int) -> None:
            raise OSError(28, "No space left on device")

        api.select([s], None, None, (0, 0))
        with monkeypatch.context() as patch:
            patch.setattr(backend, "arm", no_room)
            api.shutdown(s, SD_RECEIVE)
        peer.send(b"too late")
        until(lambda: code_of(api.send, s, b"x") == WSAECONNABORTED, "a send has looked")
        with pytest.raises(ConnectionResetError):
            drained(peer)


def test_the_row_is_chosen_when_the_socket_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mode and option count as they are then."""
    client, server = pair()
    prepare(client, on=1, seconds=0, blocking=False, much=False)
    api.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 60))
    api.ioctlsocket(client, FIONBIO, 0)
    waited: list[int] = []

    def acknowledged(pump: object, host: object, rest: object, seconds: int) -> bool:
        waited.append(seconds)
        return True

    monkeypatch.setattr(stream, "all_acknowledged", acknowledged)
    api.closesocket(client)
    assert waited == [60]
    assert api.recv(server, bytearray(1)) == 0
