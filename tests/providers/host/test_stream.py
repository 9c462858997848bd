"""Connections on the host: how they begin, break and end, and what the data does meanwhile."""

from __future__ import annotations

import socket as host_sockets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.concurrency import until
from tests.loopback import (
    FAMILIES,
    NOW,
    PATIENCE,
    arrived,
    code_of,
    connected_to,
    connecting,
    elsewhere,
    fails,
    failure_of,
    fill,
    full_listener,
    linger,
    listener,
    loopback,
    nonblocking,
    pair,
    readable,
    received,
    refusing,
    reset,
    tcp,
    waiting,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEADDRINUSE,
    WSAEALREADY,
    WSAECONNABORTED,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEINTR,
    WSAEINVAL,
    WSAEISCONN,
    WSAENETDOWN,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_UNIX,
    FIONBIO,
    IPPROTO_TCP,
    MSG_OOB,
    MSG_PEEK,
    MSG_WAITALL,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_OOBINLINE,
    SO_RCVTIMEO,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
)
from winsock2emu.engine.pump import FAULT, READABLE, ready_now
from winsock2emu.process import Process, current_process
from winsock2emu.providers.host import connection, stream
from winsock2emu.providers.host.conditions import WAS_RESET

pytestmark = pytest.mark.usefixtures("winsock")

MUCH = 30_000_000  # more than the buffers on the way hold


def so_error(s: int) -> int:
    return int.from_bytes(api.getsockopt(s, SOL_SOCKET, SO_ERROR), "little")


def outcome(s: int) -> tuple[list[int], list[int]]:
    """Wait for the end of a connect: the sets for writing and for exceptions."""
    readables, writables, exceptional = api.select([s], [s], [s], PATIENCE)
    assert not readables
    return writables, exceptional


# ----------------------------------------------------------------------------------- a connect that nobody waits for


@pytest.mark.parametrize("family", FAMILIES)
def test_a_non_blocking_connect_goes_on_and_succeeds(family: int) -> None:
    """R11.18, R11.20, A13, A15: also where the host is done at once."""
    s = nonblocking(tcp(family))
    listening = listener(family)
    name = api.getsockname(listening)
    with fails(WSAEWOULDBLOCK):
        api.connect(s, name)
    assert outcome(s) == ([s], [])
    assert so_error(s) == 0
    for _ in range(2):
        with fails(WSAEISCONN):
            api.connect(s, name)
    assert (api.getpeername(s), api.accept(listening)[1]) == (name, api.getsockname(s))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_non_blocking_connect_goes_on_and_fails(family: int) -> None:
    """R11.20, A58: exceptional, not writable; the reason stays, as Windows does it (wsapoll-refused-so-error)."""
    s = nonblocking(tcp(family))
    refuser, name = refusing(family)
    with fails(WSAEWOULDBLOCK):
        api.connect(s, name)
    for _ in range(3):
        assert outcome(s) == ([], [s])
        assert so_error(s) == WSAECONNREFUSED
    with fails(WSAENOTCONN):
        api.getpeername(s)
    api.listen(refuser, 1)
    with fails(WSAEWOULDBLOCK):
        api.connect(s, name)
    assert outcome(s) == ([s], [])
    assert so_error(s) == 0


def test_the_first_call_that_needs_the_connection_finds_it() -> None:
    """Without a select in between."""
    uses: list[Callable[[int], Any]] = [
        api.getpeername,
        lambda s: api.send(s, b"x"),
        lambda s: api.shutdown(s, SD_SEND),
        lambda s: api.WSASend(s, [b"x", b"y"]),
    ]
    listening = listener(backlog=20)
    for use in uses:
        s = nonblocking(tcp())
        with fails(WSAEWOULDBLOCK):
            api.connect(s, api.getsockname(listening))
        until(lambda s=s, use=use: code_of(use, s) == 0, "the connection is there")  # type: ignore[misc]


def test_a_blocking_failure_leaves_no_pending_error() -> None:
    """R16.11; observed on Windows: wsapoll-sync-refused. The socket is exceptional all the same (afd-poll-refused)."""
    s = tcp()
    with fails(WSAECONNREFUSED):
        api.connect(s, refusing()[1])
    assert so_error(s) == 0
    assert outcome(s) == ([], [s])


def test_a_second_connect_while_one_is_under_way() -> None:
    """R11.19, A14: from this thread, and from another while this one waits."""
    s, name = connecting()
    for _ in range(2):
        with fails(WSAEALREADY):
            api.connect(s, name)
    assert so_error(s) == 0
    assert api.select(None, [s], [s], NOW) == ([], [], [])

    busy = tcp()
    waiter = elsewhere(api.connect, busy, name)
    until(waiting(busy, "WSPSend"), "the connect waits")
    with fails(WSAEALREADY):
        api.connect(busy, name)
    api.closesocket(busy)
    assert getattr(waiter.failure(), "winerror", None) == WSAEINTR


def test_a_blocking_connect_waits_for_room_in_the_backlog() -> None:
    """A24: the host keeps the caller waiting, where Windows would refuse it."""
    listening, name = full_listener()
    s = tcp()
    connect = elsewhere(api.connect, s, name)
    until(waiting(s, "WSPSend"), "the connect waits")
    api.accept(listening)
    connect.result()
    assert api.getpeername(s) == name


def test_a_connection_that_was_reset_before_anybody_looked_was_one() -> None:
    """R12.21: closing the listening socket resets what it had queued. To the caller the connect has succeeded."""
    listening = listener()
    s = nonblocking(tcp())
    with fails(WSAEWOULDBLOCK):
        api.connect(s, api.getsockname(listening))
    readable(listening)
    api.closesocket(listening)
    until(lambda: api.select([s], None, None, NOW)[0] == [s], "the reset has come")
    assert api.select(None, [s], [s], NOW) == ([], [s], [])
    with fails(WSAECONNRESET):
        api.recv(s, bytearray(1))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("bound", [True, False], ids=["bound", "unbound"])
def test_a_host_that_lets_a_socket_connect_once_gets_another_one(
    monkeypatch: pytest.MonkeyPatch, family: int, bound: bool
) -> None:
    """A16: the BSDs. The number, the options and the name stay."""
    monkeypatch.setattr(connection, "reset", lambda descriptor: False)
    s = tcp(family)
    api.setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, 1)
    api.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, 1)
    name = None
    if bound:
        api.bind(s, loopback(family))
        name = api.getsockname(s)
    with fails(WSAECONNREFUSED):
        api.connect(s, refusing(family)[1])
    client_side = host_sockets.socket(fileno=s)
    try:
        assert client_side.getsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_KEEPALIVE) == 1
        assert client_side.getsockopt(host_sockets.IPPROTO_TCP, host_sockets.TCP_NODELAY) == 1
    finally:
        client_side.detach()
    listening = listener(family)
    api.connect(s, api.getsockname(listening))
    if bound:
        assert api.getsockname(s) == name
    server = api.accept(listening)[0]
    api.send(server, b"x")
    assert received(s, 1) == b"x"


def test_a_connection_that_is_gone_before_accept_is_told_by_accept() -> None:
    """A27, R11.43: that request is used up, the next one is accepted."""
    listening = listener()
    gone, there = tcp(), tcp()
    for s in (gone, there):
        api.connect(s, api.getsockname(listening))
    reset(gone)
    with fails(WSAECONNRESET):
        api.accept(listening)
    assert api.accept(listening)[1] == api.getsockname(there)


# ------------------------------------------------------------------------------------------------------------- resets


def by_reset(s: int) -> None:
    reset(s)


def by_unread_data(s: int) -> None:
    """R12.20, A49: something has come that nobody received. The other end has sent b"unread"."""
    arrived(s, 6)
    api.closesocket(s)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("end", [by_reset, by_unread_data])
@pytest.mark.parametrize("first", ["recv", "send", "WSARecv", "shutdown", "SO_ERROR", "zero-byte recv", "select"])
def test_a_reset_is_met_by_every_later_call(family: int, end: Callable[[int], None], first: str) -> None:
    """A41, A42, R12.14, B34: whichever call meets it first."""
    client, server = pair(family)
    api.send(client, b"unread")
    end(server)
    readable(client)
    if first == "SO_ERROR":
        assert (so_error(client), so_error(client)) == (WSAECONNRESET, 0)
    elif first == "select":
        assert api.select([client], [client], [client], NOW) == ([client], [client], [])
    else:
        meets: dict[str, Callable[[], Any]] = {
            "recv": lambda: api.recv(client, bytearray(1)),
            "send": lambda: api.send(client, b"x"),
            "WSARecv": lambda: api.WSARecv(client, [bytearray(1), bytearray(1)]),
            "shutdown": lambda: api.shutdown(client, SD_SEND),
            "zero-byte recv": lambda: api.recv(client, bytearray()),
        }
        with fails(WSAECONNRESET):
            meets[first]()
    for _ in range(3):
        for code in (
            code_of(api.recv, client, bytearray(1)),
            code_of(api.send, client, b"x"),
            code_of(api.recv, client, bytearray(1), MSG_PEEK),
            code_of(api.recv, client, bytearray(2), MSG_WAITALL),
            code_of(api.recv, client, bytearray()),
            code_of(api.WSASend, client, [b"x", b"y"]),
            code_of(api.shutdown, client, SD_BOTH),
        ):
            assert code == WSAECONNRESET
        assert api.select([client], [client], [client], NOW) == ([client], [client], [])
    so_error(client)
    assert so_error(client) == 0


def test_a_reset_ends_calls_that_wait() -> None:
    client, server = pair()
    receiving = elsewhere(api.recv, client, bytearray(1))
    until(waiting(client), "the receive waits")
    reset(server)
    assert getattr(receiving.failure(), "winerror", None) == WSAECONNRESET

    client, server = pair()
    fill(nonblocking(client))
    api.ioctlsocket(client, FIONBIO, 0)
    sending = elsewhere(api.send, client, b"x")
    until(waiting(client, "WSPSend"), "the send waits")
    reset(server)
    assert getattr(sending.failure(), "winerror", None) == WSAECONNRESET


def test_sending_to_a_peer_that_has_closed_is_reset_and_then_so_is_receiving() -> None:
    """R12.33, A42: the host would go on saying that the stream has ended."""
    client, server = pair()
    api.closesocket(server)
    readable(client)
    for _ in range(2):
        assert api.recv(client, bytearray(1)) == 0
    assert api.send(client, b"into the void") == 13
    until(lambda: code_of(api.send, client, b"x") != 0, "the reset has come")
    with fails(WSAECONNRESET):
        api.send(client, b"x")
    with fails(WSAECONNRESET):
        api.recv(client, bytearray(1))


def test_a_reset_after_the_end_is_met_by_a_receive_that_comes_first() -> None:
    """A42: the same, met by a receive."""
    client, server = pair()
    api.closesocket(server)
    readable(client)
    assert api.send(client, b"into the void") == 13
    until(lambda: code_of(api.recv, client, bytearray(1)) == WSAECONNRESET, "the reset has come")
    with fails(WSAECONNRESET):
        api.recv(client, bytearray(1))


def test_one_end_that_is_reset_leaves_other_connections_alone() -> None:
    listening = listener()
    ends = [connected_to(listening) for _ in range(3)]
    reset(ends[1][0])
    readable(ends[1][1])
    for client, server in (ends[0], ends[2]):
        api.send(client, b"x")
        assert received(server, 1) == b"x"


# ------------------------------------------------------------------------------------------------- ending a direction


@pytest.mark.parametrize("family", FAMILIES)
def test_the_recommended_shutdown(family: int) -> None:
    """R12.29: the answer reaches a client that has ended its sending, and both read the end."""
    client, server = pair(family)
    api.send(client, b"question")
    api.shutdown(client, SD_SEND)
    with fails(WSAESHUTDOWN):
        api.send(client, b"x")
    assert received(server, 8) == b"question"
    assert api.recv(server, bytearray(1)) == 0
    api.send(server, b"answer")
    api.shutdown(server, SD_SEND)
    assert received(client, 6) == b"answer"
    for s in (client, server):
        for _ in range(3):
            assert api.recv(s, bytearray(1)) == 0  # R12.32
        with fails(WSAESHUTDOWN):
            api.send(s, b"x")
    for s in (client, server):
        api.closesocket(s)


def test_data_comes_before_the_end() -> None:
    """R12.2: all of it, however the receives cut it."""
    client, server = pair()
    api.send(client, b"abcde")
    api.shutdown(client, SD_SEND)
    readable(server)
    assert [received(server, size) for size in (2, 1, 2)] == [b"ab", b"c", b"de"]
    assert api.recv(server, bytearray(1)) == 0
    assert api.WSARecv(server, [bytearray(1), bytearray(1)]) == 0
    assert api.recv(server, bytearray(1), MSG_PEEK) == 0
    assert api.recv(server, bytearray(1), MSG_WAITALL) == 0


def test_the_end_of_the_stream_ends_receives_that_wait() -> None:
    """R6.55: all of them, in every thread."""
    client, server = pair()
    receiving = [elsewhere(api.recv, server, bytearray(1)) for _ in range(3)]
    until(waiting(server), "a receive waits")
    api.shutdown(client, SD_SEND)
    assert [call.result() for call in receiving] == [0, 0, 0]


def test_a_send_that_waits_is_sent_before_the_end() -> None:
    """R12.2, R12.5: shutdown does not wait for it, and nothing is sent after it."""
    client, server = pair()
    sending = elsewhere(api.send, client, b"a" * MUCH)
    until(waiting(client, "WSPSend"), "the send waits")
    queued = elsewhere(api.send, client, b"b" * 10)
    began = time.monotonic()
    api.shutdown(client, SD_SEND)
    assert time.monotonic() - began < 5
    with fails(WSAESHUTDOWN):
        api.send(client, b"x")
    assert received(server, MUCH) == b"a" * MUCH
    assert sending.result() == MUCH
    # The second send came before the shutdown or after it.
    rest = bytearray(11)
    moved = api.recv(server, rest)
    failure = queued.failure()
    assert (moved, getattr(failure, "winerror", 0)) in ((10, 0), (0, WSAESHUTDOWN))
    assert api.recv(server, bytearray(1)) == 0


@pytest.mark.parametrize("family", FAMILIES)
def test_ending_to_receive_is_nothing_to_the_peer(family: int) -> None:
    """R12.3, A39, A40; observed on Windows: wsapoll-peer-shutdown-receive."""
    client, server = pair(family)
    api.shutdown(server, SD_RECEIVE)
    for flags in (0, MSG_PEEK, MSG_WAITALL):
        with fails(WSAESHUTDOWN):
            api.recv(server, bytearray(1), flags)
    assert code_of(api.recv, nonblocking(client), bytearray(1)) == WSAEWOULDBLOCK
    api.send(server, b"still")
    readable(client)
    assert received(client, 5) == b"still"


@pytest.mark.parametrize("how", [SD_RECEIVE, SD_BOTH])
def test_data_that_cannot_be_delivered_any_more_resets_the_connection(how: int) -> None:
    """R12.3: what is queued when receiving ends."""
    client, server = pair()
    api.send(client, b"unread")
    arrived(server, 6)
    api.shutdown(server, how)
    readable(client)
    with fails(WSAECONNRESET):
        api.recv(client, bytearray(1))
    assert code_of(api.send, server, b"x") == (WSAESHUTDOWN if how == SD_BOTH else WSAECONNABORTED)
    with fails(WSAESHUTDOWN):
        api.recv(server, bytearray(1))


def test_data_that_comes_after_receiving_has_ended_resets_the_connection() -> None:
    """R12.3: with the next call at this end (a difference; Windows does it at once)."""
    client, server = pair()
    api.shutdown(server, SD_RECEIVE)
    api.send(client, b"unwanted")
    arrived(server, 8)
    with fails(WSAECONNABORTED):
        api.send(server, b"x")
    readable(client)
    with fails(WSAECONNRESET):
        api.recv(client, bytearray(1))


def test_the_peer_s_end_is_no_unwanted_data() -> None:
    client, server = pair()
    api.shutdown(client, SD_SEND)
    readable(server)
    api.shutdown(server, SD_RECEIVE)
    api.send(server, b"answer")
    assert received(client, 6) == b"answer"


def test_ending_to_receive_ends_receives_that_wait_with_nothing() -> None:
    """R12.10: 0 bytes for streams with nothing queued."""
    calls: list[Callable[[int], Any]] = [
        lambda s: api.recv(s, bytearray(1)),
        lambda s: api.recv(s, bytearray(2), MSG_WAITALL),
        lambda s: api.recv(s, bytearray()),
        lambda s: api.WSARecv(s, [bytearray(1), bytearray(1)]),
    ]
    for call in calls:
        server = pair()[1]
        receiving = [elsewhere(call, server) for _ in range(2)]
        until(waiting(server), "a receive waits")
        api.shutdown(server, SD_RECEIVE)
        codes = [getattr(waiter.failure(), "winerror", 0) for waiter in receiving]
        assert set(codes) <= {0, WSAESHUTDOWN}  # one that began later is refused
        assert 0 in codes


def test_ending_to_receive_is_not_missed_by_a_receive_that_is_about_to_wait() -> None:
    """Between its try, which has found nothing, and its place in the queue."""
    server = pair()[1]
    api.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 5000)
    there = current_process().socket(server).mover
    assert isinstance(there, stream.StreamSocket)

    def find_nothing(host: object, buffer: bytearray) -> int:
        api.shutdown(server, SD_RECEIVE)
        raise BlockingIOError

    there.receive_now = find_nothing
    assert api.recv(server, bytearray(1)) == 0


# ------------------------------------------------------------------------------------------------------------ closing


def test_a_close_sends_what_is_left_and_then_the_end() -> None:
    """T12.1, rows 1 and 2, R12.19, R12.26: at once, in either mode, and in the background."""
    for mode in (0, 1):
        client, server = pair()
        sent = fill(nonblocking(client))
        api.ioctlsocket(client, FIONBIO, mode)
        began = time.monotonic()
        api.closesocket(client)
        assert time.monotonic() - began < 2
        assert received(server, sent) == bytes(sent)
        assert api.recv(server, bytearray(1)) == 0


@pytest.mark.parametrize("mode", [0, 1], ids=["blocking", "non-blocking"])
def test_a_linger_time_of_nothing_closes_hard(mode: int) -> None:
    """T12.1, row 3: at once, and unsent data is lost."""
    client, server = pair()
    sent = fill(nonblocking(client))
    api.ioctlsocket(client, FIONBIO, mode)
    reset(client)
    assert failure_of(api.recv, server, bytearray(sent)) == WSAECONNRESET


def test_a_lingering_close_with_nothing_to_send_is_done_at_once() -> None:
    """T12.1, rows 4 and 7: graceful."""
    for mode in (0, 1):
        client, server = pair()
        api.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 60))
        api.ioctlsocket(client, FIONBIO, mode)
        began = time.monotonic()
        api.closesocket(client)
        assert time.monotonic() - began < 10
        assert api.recv(server, bytearray(1)) == 0


def test_a_lingering_close_waits_until_all_is_sent() -> None:
    """T12.1, row 5."""
    client, server = pair()
    sent = fill(nonblocking(client))
    api.ioctlsocket(client, FIONBIO, 0)
    api.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 60))
    closing = elsewhere(api.closesocket, client)
    until(lambda: code_of(api.getsockname, client) == WSAENOTSOCK, "the close has begun")
    assert closing.running
    assert received(server, sent) == bytes(sent)
    assert closing.result() is None
    assert api.recv(server, bytearray(1)) == 0


@pytest.mark.slow
def test_a_lingering_close_gives_up_and_closes_hard() -> None:
    """T12.1, row 6, R12.13: after the time, with success."""
    client, server = pair()
    sent = fill(nonblocking(client))
    api.ioctlsocket(client, FIONBIO, 0)
    api.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 1))
    began = time.monotonic()
    api.closesocket(client)
    assert 0.9 < time.monotonic() - began < 10
    assert failure_of(api.recv, server, bytearray(sent)) == WSAECONNRESET


def test_a_lingering_close_that_would_wait_is_refused_in_non_blocking_mode() -> None:
    """T12.1, row 8, A47, B33: nothing has begun, and the socket can be closed later."""
    client, server = pair()
    sent = fill(nonblocking(client))
    api.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 60))
    for _ in range(2):
        with fails(WSAEWOULDBLOCK):
            api.closesocket(client)
    assert received(server, sent) == bytes(sent)
    until(lambda: code_of(api.send, client, b"more") == 0, "there is room again")
    assert received(server, 4) == b"more"
    until(lambda: code_of(api.closesocket, client) == 0, "all is sent")
    assert api.recv(server, bytearray(1)) == 0


def test_cleanup_does_not_linger(winsock: Process) -> None:
    """R12.26: and what is on its way is still sent."""
    client = pair()[0]
    fill(nonblocking(client))
    api.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 60))
    began = time.monotonic()
    api.WSACleanup()
    assert time.monotonic() - began < 10
    assert winsock.sockets() == []


# ----------------------------------------------------------------------------------------------------- MSG_WAITALL


@pytest.mark.parametrize("count", [1, 3, 1500])
def test_waiting_for_all_of_it(count: int) -> None:
    """B20; observed on Windows: afd-recv-waitall."""
    client, server = pair()
    space = [bytearray(2) for _ in range(count)]
    data = bytes(index % 251 for index in range(2 * count))
    receiving = elsewhere(api.WSARecv, server, space, MSG_WAITALL)
    for at in range(0, len(data), max(1, len(data) // 7)):
        assert receiving.running
        api.send(client, data[at : at + max(1, len(data) // 7)])
    assert receiving.result() == len(data)
    assert b"".join(space) == data


def test_waiting_for_all_ends_with_the_stream() -> None:
    client, server = pair()
    space = bytearray(b"......")
    receiving = elsewhere(api.recv, server, space, MSG_WAITALL)
    until(waiting(server), "the receive waits")
    api.send(client, b"four")
    api.shutdown(client, SD_SEND)
    assert receiving.result() == 4
    assert space == b"four.."
    assert api.recv(server, space, MSG_WAITALL) == 0


def test_a_later_receive_gets_what_comes_after() -> None:
    """R6.22: it waits behind the one that wants more."""
    client, server = pair()
    first, second = bytearray(4), bytearray(4)
    waits_for_all = elsewhere(api.recv, server, first, MSG_WAITALL)
    until(waiting(server), "the first receive waits")
    behind = elsewhere(api.recv, server, second)
    api.send(client, b"ab")
    api.send(client, b"cdef")
    assert (waits_for_all.result(), behind.result()) == (4, 2)
    assert bytes(first + second) == b"abcdef\0\0"


# ------------------------------------------------------------------------------------------------------- urgent data


def test_the_urgent_byte_stays_out_of_the_stream() -> None:
    """T13.1, off; R13.4, R13.5, R13.10: the last byte of the send, and no receive crosses its place."""
    client, server = pair()
    api.send(client, b"ab")
    api.send(client, b"cdU", MSG_OOB)
    api.send(client, b"ef")
    until(lambda: api.select(None, None, [server], NOW)[2] == [server], "the urgent byte has come")
    space = bytearray(1)
    for _ in range(2):
        assert api.recv(server, space, MSG_OOB | MSG_PEEK) == 1
        assert space == b"U"
    assert api.recv(server, space, MSG_OOB) == 1
    assert space == b"U"
    with fails(WSAEINVAL):
        api.recv(server, space, MSG_OOB)
    before = bytearray(10)
    assert api.recv(server, before) == 4
    assert before[:4] == b"abcd"
    assert received(server, 2) == b"ef"
    assert api.select(None, None, [server], NOW) == ([], [], [])


def test_there_is_no_urgent_data_to_begin_with() -> None:
    """R13.8."""
    client, server = pair()
    api.send(client, b"ordinary")
    readable(server)
    with fails(WSAEINVAL):
        api.recv(server, bytearray(1), MSG_OOB)


def test_urgent_data_in_line_is_ordinary_data() -> None:
    """T13.1, on; A64: readable, in its place, and not to be had apart."""
    client, server = pair()
    api.setsockopt(server, SOL_SOCKET, SO_OOBINLINE, 1)
    api.send(client, b"U", MSG_OOB)
    readable(server)
    assert api.select([server], None, [server], NOW) == ([server], [], [])
    with fails(WSAEINVAL):
        api.recv(server, bytearray(1), MSG_OOB)
    assert received(server, 1) == b"U"


# ------------------------------------------------------------------------------------------------- polling, many times


def test_a_program_that_polls_sees_data_the_end_and_a_reset() -> None:
    """After many receives in vain the host is asked in another way, with the same result."""
    client, server = pair()
    nonblocking(server)
    for sent in (b"x", b"yz"):
        for _ in range(20):
            with fails(WSAEWOULDBLOCK):
                api.recv(server, bytearray(1))
        api.send(client, sent)
        readable(server)
        assert received(server, len(sent)) == sent
    for _ in range(20):
        assert code_of(api.recv, server, bytearray(1)) == WSAEWOULDBLOCK
    with pytest.raises(TypeError):
        api.recv(server, b"not writable")
    api.shutdown(client, SD_SEND)
    readable(server)
    assert api.recv(server, bytearray(1)) == 0

    client, server = pair()
    nonblocking(server)
    for _ in range(20):
        assert code_of(api.recv, server, bytearray(1)) == WSAEWOULDBLOCK
    reset(client)
    readable(server)
    with fails(WSAECONNRESET):
        api.recv(server, bytearray(1))


def test_two_threads_that_poll_one_socket() -> None:
    client, server = pair()
    nonblocking(server)

    def poll() -> int:
        while code_of(api.recv, server, bytearray(1)) == WSAEWOULDBLOCK:
            pass
        return 1

    polling = [elsewhere(poll) for _ in range(2)]
    time.sleep(0.02)  # both poll for a while
    api.send(client, b"xy")
    assert sum(call.result() for call in polling) == 2


def test_blocking_again_after_many_receives_in_vain() -> None:
    client, server = pair()
    nonblocking(server)
    for _ in range(20):
        assert code_of(api.recv, server, bytearray(1)) == WSAEWOULDBLOCK
    api.ioctlsocket(server, FIONBIO, 0)
    receiving = elsewhere(api.recv, server, bytearray(1))
    until(waiting(server), "the receive waits")
    api.send(client, b"x")
    assert receiving.result() == 1


# ------------------------------------------------------------------------------------------------------------ AF_UNIX


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A path for a socket."""
    return str(tmp_path / "s")


def unix() -> int:
    return api.socket(AF_UNIX, SOCK_STREAM, 0)


def unix_pair(path: str) -> tuple[int, int]:
    listening = unix()
    api.bind(listening, api.sockaddr_un(path))
    api.listen(listening, 1)
    client = unix()
    api.connect(client, api.sockaddr_un(path))
    server = api.accept(listening)[0]
    api.closesocket(listening)
    return client, server


def test_a_path_is_an_address(path: str) -> None:
    listening = unix()
    with fails(WSAEINVAL):
        api.getsockname(listening)
    with fails(WSAEINVAL):
        api.listen(listening, 1)
    api.bind(listening, api.sockaddr_un(path))
    with fails(WSAEINVAL):
        api.bind(listening, api.sockaddr_un(path))
    api.listen(listening, 1)
    client = unix()
    with fails(WSAENOTCONN):
        api.getpeername(client)
    api.connect(client, api.sockaddr_un(path))
    server, address = api.accept(listening)
    names = [api.getsockname(listening), api.getpeername(client), api.getsockname(server)]
    assert [(name.family, name.path) for name in names] == [(AF_UNIX, path)] * 3
    unnamed = [address, api.getpeername(server)]
    assert [(name.family, name.path) for name in unnamed] == [(AF_UNIX, "")] * 2
    with fails(WSAEISCONN):
        api.connect(client, api.sockaddr_un(path))
    with fails(WSAEADDRINUSE):
        api.bind(unix(), api.sockaddr_un(path))


def test_a_path_that_nobody_listens_at(path: str) -> None:
    """The file is there and nobody listens: refused. It is not there: a dead network, as Windows has it."""
    for mode in (0, 1):
        s = unix()
        api.ioctlsocket(s, FIONBIO, mode)
        with fails(WSAENETDOWN):
            api.connect(s, api.sockaddr_un(path))
    api.bind(unix(), api.sockaddr_un(path))
    s = unix()
    with fails(WSAECONNREFUSED):
        api.connect(s, api.sockaddr_un(path))
    with fails(WSAENETDOWN):
        api.bind(unix(), api.sockaddr_un(path + "/none/s"))


def test_local_streams_carry_data_both_ways_and_end(path: str) -> None:
    client, server = unix_pair(path)
    api.WSASend(client, [b"he", b"llo"])
    assert received(server, 5) == b"hello"
    api.send(server, b"there")
    api.shutdown(server, SD_SEND)
    assert received(client, 5) == b"there"
    assert api.recv(client, bytearray(1)) == 0
    with fails(WSAESHUTDOWN):
        api.send(server, b"x")
    api.send(client, b"still")
    assert received(server, 5) == b"still"
    for flags in (MSG_OOB,):
        with fails(WSAEOPNOTSUPP):
            api.send(client, b"x", flags)
        with fails(WSAEOPNOTSUPP):
            api.recv(client, bytearray(1), flags)


def test_a_reset_is_one_although_its_error_was_told_elsewhere() -> None:
    """The host tells an error once; what looks next sees a connection that is over, and no reason."""
    client, server = pair()
    there = current_process().socket(server).mover
    assert isinstance(there, stream.StreamSocket)
    reset(client)
    until(lambda: ready_now(there.fd, READABLE) & FAULT, "the reset has arrived")
    there.host.getsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_ERROR)  # somebody else looks

    assert there.conditions(ready_now(there.fd, READABLE)) & WAS_RESET
    assert there.end_code() == WSAECONNRESET


def test_a_send_that_meets_a_reset_half_way_was_taken_whole() -> None:
    """The first bytes make the closed peer reset, which the urgent one meets: no send is taken in part."""
    client, server = pair()
    nonblocking(client)
    api.closesocket(server)
    readable(client)
    assert api.send(client, b"12345", MSG_OOB) == 5
    with fails(WSAECONNRESET):
        api.send(client, b"more")


@pytest.mark.parametrize("buffers", [[b""], [b"", b""]])
@pytest.mark.parametrize("flags", [0, MSG_OOB])
def test_a_send_of_nothing_tells_that_the_connection_was_reset(buffers: list[bytes], flags: int) -> None:
    client, server = pair()
    here = current_process().socket(client).mover
    assert isinstance(here, stream.StreamSocket)
    assert api.WSASend(client, buffers, flags) == 0
    reset(server)
    until(lambda: ready_now(here.fd, READABLE) & FAULT, "the reset has arrived")
    with fails(WSAECONNRESET):
        api.WSASend(client, buffers, flags)


def test_a_local_peer_that_is_gone_resets(path: str) -> None:
    client, server = unix_pair(path)
    api.closesocket(server)
    readable(client)
    assert api.recv(client, bytearray(1)) == 0
    for _ in range(2):
        with fails(WSAECONNRESET):
            api.send(client, b"x")
    with fails(WSAECONNRESET):
        api.recv(client, bytearray(1))


def test_a_full_local_backlog_refuses(path: str) -> None:
    """R11.16."""
    listening = unix()
    api.bind(listening, api.sockaddr_un(path))
    api.listen(listening, 0)
    assert failure_of(lambda: api.connect(unix(), api.sockaddr_un(path))) == WSAECONNREFUSED
    api.accept(listening)
    api.connect(unix(), api.sockaddr_un(path))
