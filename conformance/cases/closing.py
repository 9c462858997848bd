"""The end of a connection: shutdown, closesocket and what SO_LINGER makes of it."""

from __future__ import annotations

import time

from ..constants import (
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SO_DONTLINGER,
    SO_LINGER,
    SOL_SOCKET,
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAEINTR,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAESHUTDOWN,
    WSAEWOULDBLOCK,
)
from ..model import Row, case
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with

CHAPTER = "Shutdown and closing"
CLOSE = "winsock2/nf-winsock2-closesocket"
SHUTDOWN = "winsock/nf-winsock-shutdown"
LINGER = "winsock/graceful-shutdown-linger-options-and-socket-closure-2"
SERVER_TEST = "Wine's public test sock.c:simple_server, which passes on Windows"
WRITE_TEST = "Wine's public test sock.c:test_write_events, which passes on Windows"
A_MOMENT = 0.05
AT_ONCE = 2.0  # a linger time of many seconds was not waited for
BLOCK = bytes(range(256)) * 4096  # 1 MiB


def linger(on: int, seconds: int) -> bytes:
    """The value of SO_LINGER."""
    return on.to_bytes(2, "little") + seconds.to_bytes(2, "little")


def fill(ws: Target, s: int) -> int:
    """Send on a non-blocking socket until there is no room left; the bytes taken."""
    ws.nonblocking(s)
    taken = 0
    while True:
        try:
            taken += ws.send(s, BLOCK)
        except Failed as failure:
            if failure.code != WSAEWOULDBLOCK:
                raise
            return taken


def prepare(ws: Target, s: int, on: int, seconds: int, *, blocking: bool, pending: bool) -> int:
    """Bring a connected socket into the state of a row of the truth table; the bytes it has sent."""
    taken = fill(ws, s) if pending else 0
    ws.nonblocking(s, not blocking)
    ws.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(on, seconds))
    return taken


def seconds_to_close(ws: Target, s: int) -> float:
    """Close; how long it took."""
    began = time.monotonic()
    ws.closesocket(s)
    return time.monotonic() - began


def rest(ws: Target, s: int) -> int:
    """Receive until the end of the stream; the bytes."""
    room = bytearray(1 << 20)
    total = 0
    while moved := ws.recv(s, room):
        total += moved
    return total


def is_reset(ws: Target, s: int) -> bool:
    """Receive until the connection is found to have been reset, or the stream ends in good order."""
    try:
        rest(ws, s)
    except Failed as failure:
        if failure.code != WSAECONNRESET:
            raise
        return True
    return False


# ---- the truth table -------------------------------------------------------------------------------------------------


@case(
    "closing.linger.off-{row}",
    chapter=CHAPTER,
    source=f"{CLOSE}; {LINGER}",
    basis="documented",
    requirements=["R12.12", "T12.1", "R12.19", "R12.27", "B33"],
    rows={
        "blocking": Row(True, False, 0),
        "nonblocking": Row(False, False, 0),
        "blocking-pending": Row(True, True, 0, requirements=["R12.26", "R12.28"]),
        "nonblocking-pending": Row(False, True, 0, requirements=["R12.26", "R12.28"]),
        "blocking-pending-any-time": Row(True, True, 30, requirements=["R12.26"]),
        "nonblocking-pending-any-time": Row(False, True, 30, requirements=["R12.26"]),
    },
)
def without_linger_close_is_graceful_behind_its_back(ws: Target, blocking: bool, pending: bool, seconds: int) -> None:
    """With l_onoff 0 closesocket returns 0 at once, and the peer gets all data and then the end of the stream."""
    with ws.connected_pair() as (client, server):
        sent = prepare(ws, client, 0, seconds, blocking=blocking, pending=pending)
        expect_true("closesocket returns at once", seconds_to_close(ws, client) < AT_ONCE)
        with fails_with(WSAENOTSOCK):
            ws.getsockname(client)
        expect("bytes received until the end", expected=sent, actual=rest(ws, server))


@case(
    "closing.linger.zero-{row}",
    chapter=CHAPTER,
    source=f"{CLOSE}; {LINGER}",
    basis="documented",
    requirements=["R12.12", "T12.1", "R12.14", "R12.28", "A46"],
    rows={
        "blocking": Row(True, False),
        "nonblocking": Row(False, False),
        "blocking-pending": Row(True, True),
        "nonblocking-pending": Row(False, True),
    },
)
def linger_time_of_zero_is_a_hard_close(ws: Target, blocking: bool, pending: bool) -> None:
    """With l_onoff nonzero and l_linger 0 closesocket returns 0 at once, and the peer's receives meet WSAECONNRESET."""
    with ws.connected_pair() as (client, server):
        prepare(ws, client, 1, 0, blocking=blocking, pending=pending)
        expect_true("closesocket returns at once", seconds_to_close(ws, client) < AT_ONCE)
        with fails_with(WSAENOTSOCK):
            ws.getsockname(client)
        expect("reset", expected=True, actual=is_reset(ws, server))


@case(
    "closing.linger.nothing-pending-{row}",
    chapter=CHAPTER,
    source=f"{CLOSE}; {LINGER}",
    basis="documented",
    requirements=["R12.12", "T12.1"],
    rows={"blocking": Row(True), "nonblocking": Row(False)},
)
def lingering_close_with_nothing_to_send(ws: Target, blocking: bool) -> None:
    """With a linger time and nothing to send closesocket returns 0 soon, and the stream ends in good order."""
    with ws.connected_pair() as (client, server):
        prepare(ws, client, 1, 30, blocking=blocking, pending=False)
        expect_true("closesocket returns soon", seconds_to_close(ws, client) < AT_ONCE)
        expect("bytes received until the end", expected=0, actual=rest(ws, server))


@case(
    "closing.linger.waits-until-sent",
    chapter=CHAPTER,
    source=f"{CLOSE}; {LINGER}",
    basis="documented",
    requirements=["R12.12", "T12.1"],
)
def blocking_close_lingers_until_all_is_sent(ws: Target) -> None:
    """With a linger time and data to send a blocking closesocket waits, and returns 0 when the peer has everything."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        sent = prepare(ws, client, 1, 30, blocking=True, pending=True)
        pending = other.start(ws.closesocket, client)
        expect_true("closesocket waits", not pending.finished_within(A_MOMENT))
        expect("bytes received until the end", expected=sent, actual=rest(ws, server))
        pending.result()


@case(
    "closing.linger.times-out",
    chapter=CHAPTER,
    source=f"{CLOSE}; {LINGER}",
    basis="documented",
    requirements=["R12.12", "R12.13", "T12.1", "A48"],
)
def blocking_close_gives_up_after_the_linger_time(ws: Target) -> None:
    """A blocking closesocket whose data the peer does not take returns 0 after the linger time; the close is hard."""
    with ws.connected_pair() as (client, server):
        prepare(ws, client, 1, 1, blocking=True, pending=True)
        took = seconds_to_close(ws, client)
        expect_true("it has waited for the linger time", 0.9 < took < 1 + AT_ONCE, actual=took)
        expect("reset", expected=True, actual=is_reset(ws, server))


@case(
    "closing.linger.would-block",
    chapter=CHAPTER,
    source=f"{CLOSE}, error WSAEWOULDBLOCK; {LINGER}",
    basis="documented",
    requirements=["R12.12", "R12.23", "T12.1", "A47", "B33"],
)
def nonblocking_close_that_cannot_finish_is_refused(ws: Target) -> None:
    """With a linger time and data to send a non-blocking closesocket fails with WSAEWOULDBLOCK; the socket stays."""
    with ws.connected_pair() as (client, server):
        sent = prepare(ws, client, 1, 30, blocking=False, pending=True)
        for _ in range(2):
            with fails_with(WSAEWOULDBLOCK):
                ws.closesocket(client)
        ws.send(server, b"still there")
        ws.wait_readable(client)
        expect("other direction", expected=b"still there", actual=ws.receive_exactly(client, 11))
        expect("data", expected=sent, actual=len(ws.receive_exactly(server, sent)))
        ws.until("closesocket succeeds", lambda: _closes(ws, client))
        expect("end", expected=0, actual=ws.recv(server, bytearray(1)))


def _closes(ws: Target, s: int) -> bool:
    try:
        ws.closesocket(s)
    except Failed as failure:
        if failure.code != WSAEWOULDBLOCK:
            raise
        return False
    return True


@case(
    "closing.linger.dontlinger-{row}",
    chapter=CHAPTER,
    source=f"{CLOSE}; winsock/sol-socket-socket-options, SO_DONTLINGER",
    basis="documented",
    requirements=["R12.16", "T12.1"],
    rows={"on": Row(1), "off": Row(0)},
)
def dontlinger_decides_what_a_close_does(ws: Target, dontlinger: int) -> None:
    """SO_DONTLINGER TRUE makes a non-blocking close immediate; FALSE brings the linger time back."""
    with ws.connected_pair() as (client, server):
        sent = prepare(ws, client, dontlinger, 30, blocking=False, pending=True)
        ws.setsockopt(client, SOL_SOCKET, SO_DONTLINGER, dontlinger)
        if dontlinger:
            expect_true("closesocket returns at once", seconds_to_close(ws, client) < AT_ONCE)
            expect("bytes received until the end", expected=sent, actual=rest(ws, server))
        else:
            with fails_with(WSAEWOULDBLOCK):
                ws.closesocket(client)


# ---- closesocket -----------------------------------------------------------------------------------------------------


@case(
    "closing.close.unread-data-{row}",
    chapter=CHAPTER,
    source="winsock/winsock-tracing-event-details; behaviour of Microsoft's TCP",
    basis="observed",
    requirements=["R12.20", "A49"],
    rows={"default": Row(0, 0), "lingering": Row(1, 30), "hard": Row(1, 0)},
)
def unread_data_makes_a_close_hard(ws: Target, on: int, seconds: int) -> None:
    """Closing a socket with received data that nobody has read resets the connection, whatever SO_LINGER says."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"nobody reads this")
        ws.setsockopt(server, SOL_SOCKET, SO_LINGER, linger(on, seconds))
        expect_true("closesocket returns at once", seconds_to_close(ws, server) < AT_ONCE)
        ws.wait_readable(client)
        expect("reset", expected=True, actual=is_reset(ws, client))


@case(
    "closing.close.starts-the-shutdown",
    chapter=CHAPTER,
    source=f"{LINGER}; {SERVER_TEST}",
    basis="documented",
    requirements=["R12.19", "R12.32"],
    behaviours=["echo-drain-close"],
)
def close_after_the_peer_has_shut_down(ws: Target) -> None:
    """After the peer's SD_SEND the server reads to the end, finds no extra bytes, and closesocket succeeds."""
    with ws.connected_pair() as (client, server):
        ws.send(client, b"request")
        ws.shutdown(client, SD_SEND)
        expect("request", expected=b"request", actual=ws.receive_exactly(server, 7))
        expect("end", expected=0, actual=ws.recv(server, bytearray(8)))
        ws.closesocket(server)
        expect("end at the client", expected=0, actual=ws.recv(client, bytearray(8)))


@case(
    "closing.close.pending-send-is-delivered",
    chapter=CHAPTER,
    source=f"{CLOSE}; {WRITE_TEST}",
    basis="documented",
    requirements=["R12.26", "A92"],
    behaviours=["evwrite-send-full-buffers"],
)
def nonblocking_send_is_taken_whole_and_delivered(ws: Target) -> None:
    """A non-blocking send of 1 MiB is taken whole or not at all; what was taken arrives although the socket closes."""
    with ws.connected_pair() as (client, server):
        ws.nonblocking(client)
        sizes = []
        while True:
            try:
                sizes.append(ws.send(client, BLOCK))
            except Failed as failure:
                if failure.code != WSAEWOULDBLOCK:
                    raise
                break
        ws.closesocket(client)
        expect("sizes taken", expected={len(BLOCK)}, actual=set(sizes))
        expect("bytes received until the end", expected=sum(sizes), actual=rest(ws, server))


@case(
    "closing.close.no-room-until-sent",
    chapter=CHAPTER,
    source=f"winsock2/nf-winsock2-select; {WRITE_TEST}",
    basis="observed",
    requirements=["R3.44", "A93"],
    behaviours=["evwrite-send-full-buffers"],
)
def full_socket_is_not_writable_until_the_peer_takes_data(ws: Target) -> None:
    """After WSAEWOULDBLOCK a socket is not writable, and becomes so when the peer has received."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        sent = fill(ws, client)
        expect("writable", expected=False, actual=ws.writable(client))
        pending = other.start(ws.select, None, [client], None, (5, 0))
        expect_true("select waits", not pending.finished_within(A_MOMENT))
        ws.receive_exactly(server, sent)
        expect("select", expected=([], [client], []), actual=pending.result())
        expect("send", expected=4, actual=ws.send(client, b"more"))
        expect("data", expected=b"more", actual=ws.receive_exactly(server, 4))


@case(
    "closing.close.listener-resets-callers",
    chapter=CHAPTER,
    source="behaviour of Microsoft's TCP: requests that nobody accepted are reset",
    basis="observed",
    requirements=["R12.21", "A107"],
)
def closing_a_listener_resets_those_who_wait(ws: Target) -> None:
    """Connections that were queued at a listening socket and not accepted are reset when it closes."""
    with ws.listener() as listening, ws.closing(ws.tcp(), ws.tcp()) as clients:
        for client in clients:
            ws.connect(client, ws.getsockname(listening))
        ws.wait_readable(listening)
        ws.closesocket(listening)
        for client in clients:
            ws.wait_readable(client)
            expect("reset", expected=True, actual=is_reset(ws, client))


@case(
    "closing.close.ends-waiting-{row}",
    chapter=CHAPTER,
    source=f"{CLOSE}, remarks on calls of other threads",
    basis="observed",
    requirements=["R12.24", "A44"],
    rows={
        "send": Row("send"),
        "accept": Row("accept", behaviours=["accept-close-wakes"]),
        "wsaaccept": Row("WSAAccept"),
    },
)
def close_ends_calls_of_other_threads(ws: Target, call: str) -> None:
    """Closing a socket in one thread ends the send or accept that waits on it in another one, with an error."""
    variants = {WSAENOTSOCK: "found closed", WSAECONNABORTED: "the connection was ended here"}
    with ws.connected_pair() as (client, _), ws.listener() as listening, ws.thread() as other:
        if call == "send":
            fill(ws, client)
            ws.nonblocking(client, False)
            pending = other.start(ws.send, client, b"x")
        else:
            pending = other.start(getattr(ws, call), listening)
        expect_true(f"{call} waits", not pending.finished_within(A_MOMENT))
        ws.closesocket(client if call == "send" else listening)
        with fails_with(WSAEINTR, call, variants=variants):
            pending.result()


@case(
    "closing.close.twice",
    chapter=CHAPTER,
    source=f"{CLOSE}, error WSAENOTSOCK",
    basis="documented",
    requirements=["R12.23", "R12.25", "B33"],
)
def closed_handle_is_none(ws: Target) -> None:
    """A handle that was closed cannot be closed again: WSAENOTSOCK."""
    with ws.connected_pair() as (client, _):
        ws.closesocket(client)
        with fails_with(WSAENOTSOCK):
            ws.closesocket(client)


@case(
    "closing.close.any-state-{row}",
    chapter=CHAPTER,
    source=CLOSE,
    basis="documented",
    requirements=["T12.1", "B33"],
    rows={
        state: Row(state)
        for state in ("stream", "bound", "listening", "connecting", "datagram", "bound-datagram", "connected-datagram")
    },
)
def socket_of_any_state_closes_at_once(ws: Target, state: str) -> None:
    """Without a connection there is nothing to linger for: closesocket returns 0 at once, in both modes."""
    with ws.socket_in(state) as s:
        if "datagram" not in state:
            ws.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(1, 30))
        ws.nonblocking(s)
        expect_true("closesocket returns at once", seconds_to_close(ws, s) < AT_ONCE)


# ---- shutdown --------------------------------------------------------------------------------------------------------


@case(
    "closing.shutdown.never-blocks",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}, remarks",
    basis="documented",
    requirements=["R12.2", "R12.5"],
)
def shutdown_does_not_wait(ws: Target) -> None:
    """shutdown returns at once whatever SO_LINGER says and whatever is to be sent; the data is sent before the end."""
    with ws.connected_pair() as (client, server):
        sent = prepare(ws, client, 1, 30, blocking=True, pending=True)
        began = time.monotonic()
        ws.shutdown(client, SD_SEND)
        expect_true("shutdown returns at once", time.monotonic() - began < AT_ONCE)
        expect("bytes received until the end", expected=sent, actual=rest(ws, server))


@case(
    "closing.shutdown.keeps-the-socket",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}, remarks",
    basis="documented",
    requirements=["R12.6"],
)
def shutdown_releases_nothing(ws: Target) -> None:
    """After SD_BOTH the socket is still there: it has its names and options, and has to be closed."""
    with ws.connected_pair() as (client, server):
        names = ws.getsockname(client), ws.getpeername(client)
        ws.shutdown(client, SD_BOTH)
        expect("names", expected=names, actual=(ws.getsockname(client), ws.getpeername(client)))
        expect("linger", expected=bytes(4), actual=ws.getsockopt(client, SOL_SOCKET, SO_LINGER))
        expect("end at the peer", expected=0, actual=ws.recv(server, bytearray(1)))


@case(
    "closing.shutdown.for-good-{row}",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}, remarks",
    basis="documented",
    requirements=["R12.6", "R12.11"],
    rows={"send": Row(SD_SEND), "receive": Row(SD_RECEIVE)},
)
def direction_that_was_ended_stays_ended(ws: Target, how: int) -> None:
    """Repeating a shutdown, or ending the other direction as well, does not bring the first one back."""
    with ws.connected_pair() as (client, _):
        for again in (how, how, SD_BOTH):
            ws.shutdown(client, again)
            with fails_with(WSAESHUTDOWN):
                _use(ws, client, how)


def _use(ws: Target, s: int, direction: int) -> None:
    if direction == SD_SEND:
        ws.send(s, b"x")
    else:
        ws.recv(s, bytearray(1))


@case(
    "closing.shutdown.ends-waiting-receives",
    chapter=CHAPTER,
    source=SHUTDOWN,
    basis="choice",
    requirements=["R12.10"],
)
def waiting_receive_completes_with_nothing(ws: Target) -> None:
    """A recv that waits when SD_RECEIVE is called in another thread returns 0."""
    with ws.connected_pair() as (_, server), ws.thread() as other:
        pending = other.start(ws.recv, server, bytearray(4))
        expect_true("recv waits", not pending.finished_within(A_MOMENT))
        ws.shutdown(server, SD_RECEIVE)
        expect("recv", expected=0, actual=pending.result())


@case(
    "closing.shutdown.unwanted-data-{row}",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}, remarks: TCP resets the connection",
    basis="documented",
    requirements=["R12.3", "A40"],
    rows={"there": Row(True), "later": Row(False)},
)
def data_for_nobody_resets_the_connection(ws: Target, there: bool) -> None:
    """Data that is queued when SD_RECEIVE is called, or arrives later, resets the connection."""
    with ws.connected_pair() as (client, server):
        if there:
            ws.send_and_settle(client, b"data")
            ws.shutdown(server, SD_RECEIVE)
        else:
            ws.shutdown(server, SD_RECEIVE)
            ws.send(client, b"data")
        ws.wait_readable(client)
        with fails_with(WSAECONNRESET):
            ws.recv(client, bytearray(1))


@case(
    "closing.shutdown.receive-tells-the-peer-nothing",
    chapter=CHAPTER,
    source=SHUTDOWN,
    basis="documented",
    requirements=["R12.3"],
)
def ending_to_receive_is_nothing_to_the_peer(ws: Target) -> None:
    """SD_RECEIVE sends nothing: the peer's stream goes on, and data still comes from this end."""
    with ws.connected_pair() as (client, server):
        ws.shutdown(server, SD_RECEIVE)
        expect("readable at the peer", expected=False, actual=ws.readable(client, A_MOMENT))
        ws.send(server, b"data")
        expect("data", expected=b"data", actual=ws.receive_exactly(client, 4))


@case(
    "closing.shutdown.recommended-exchange",
    chapter=CHAPTER,
    source=LINGER,
    basis="documented",
    requirements=["R12.29"],
)
def recommended_sequence_loses_nothing(ws: Target) -> None:
    """Client SD_SEND, server reads to the end, answers and shuts down, client reads to the end: nothing is lost."""
    with ws.connected_pair() as (client, server):
        ws.send(client, b"last question")
        ws.shutdown(client, SD_SEND)
        expect("question", expected=b"last question", actual=ws.receive_exactly(server, 13))
        expect("end of the questions", expected=0, actual=ws.recv(server, bytearray(1)))
        ws.send(server, b"last answer")
        ws.shutdown(server, SD_SEND)
        ws.closesocket(server)
        expect("answer", expected=b"last answer", actual=ws.receive_exactly(client, 11))
        expect("end of the answers", expected=0, actual=ws.recv(client, bytearray(1)))
        ws.closesocket(client)


@case(
    "closing.shutdown.after-reset",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}, errors WSAECONNRESET and WSAECONNABORTED",
    basis="documented",
    requirements=["R12.8", "B34"],
)
def shutdown_of_a_reset_connection_fails(ws: Target) -> None:
    """shutdown on a connection that a receive has found reset fails."""
    variants = {WSAECONNABORTED: "the page allows both", WSAENOTCONN: "current providers"}
    with ws.connected_pair() as (client, server):
        ws.reset(server)
        ws.wait_readable(client)
        with fails_with(WSAECONNRESET):
            ws.recv(client, bytearray(1))
        with fails_with(WSAECONNRESET, variants=variants):
            ws.shutdown(client, SD_SEND)


@case(
    "closing.shutdown.listener",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}, error WSAENOTCONN",
    basis="documented",
    requirements=["R12.1", "A43", "B34"],
)
def listener_cannot_be_shut_down(ws: Target) -> None:
    """shutdown on a listening socket fails with WSAENOTCONN, and it goes on accepting."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as client:
        for how in (SD_RECEIVE, SD_SEND, SD_BOTH):
            with fails_with(WSAENOTCONN):
                ws.shutdown(listening, how)
        ws.connect(client, ws.getsockname(listening))
        accepted, _ = ws.accept(listening)
        ws.closesocket(accepted)
