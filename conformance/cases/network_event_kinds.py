"""Network events: when each kind is told, and which call has it told again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from ..addresses import loopback
from ..constants import (
    CF_ACCEPT,
    CF_DEFER,
    FD_ACCEPT,
    FD_CLOSE,
    FD_CLOSE_BIT,
    FD_CONNECT,
    FD_OOB,
    FD_READ,
    FD_WRITE,
    MSG_OOB,
    MSG_PEEK,
    SD_SEND,
    SO_OOBINLINE,
    SOL_SOCKET,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEWOULDBLOCK,
    WSATRY_AGAIN,
)
from ..model import Row, case
from ..target import PENDING, Target
from ..verify import Failed, Mismatch, expect, expect_true, fails_with, step
from ..watches import (
    OF_STREAM,
    PATIENCE_MS,
    QUIET_MS,
    EventWatch,
    Watch,
    drain,
    selected_pair,
    signalled,
    tells,
    tells_nobody,
    watching,
)

CHAPTER = "Network events"
EVENT_PAGE = "winsock2/nf-winsock2-wsaeventselect"
ENUM_PAGE = "winsock2/nf-winsock2-wsaenumnetworkevents"
ASYNC_PAGE = "winsock/nf-winsock-wsaasyncselect"
PAGES = f"{EVENT_PAGE}; {ASYNC_PAGE}"
WINE_TEST = "Wine's public test ws2_32/sock.c, which passes on Windows"
PYWIN32_TEST = "pywin32's public test test_win32file.py:TestWSAEnumNetworkEvents, which passes on Windows"

FORMS = {"event": Row("event"), "message": Row("message")}


def forms(event: tuple[str, ...] = (), message: tuple[str, ...] = ()) -> dict[str, Row]:
    """Both forms, each with behaviours of its own."""
    return {"event": Row("event", behaviours=event), "message": Row("message", behaviours=message)}


def fill(ws: Target, watch: Watch, s: int, send: Callable[[bytes], int]) -> int:
    """Send until nothing more is taken, and goes on to be so for a moment; return the bytes.

    What was sent travels on, so that there may be room again; that is told, and filled as well.
    """
    sent = 0
    chunk = bytes(1 << 18)
    while True:
        with fails_with(WSAEWOULDBLOCK):
            while True:
                sent += send(chunk)
        found = watch.take(s, 2 * QUIET_MS)
        if not found:
            return sent
        expect("told", expected=[(FD_WRITE, 0)], actual=found)


def receive_all(ws: Target, s: int, count: int) -> None:
    """Receive so many bytes, whether the socket blocks or not."""
    room = bytearray(1 << 18)
    deadline = time.monotonic() + 15
    while count > 0:
        ws.wait_readable(s)
        with contextlib.suppress(Failed):
            count -= ws.recv(s, room)
        if time.monotonic() > deadline:
            raise Mismatch("data", expected="all of it", actual=f"{count} bytes missing")


def caller(ws: Target, listener: int) -> int:
    """A new connection to a listening socket."""
    s = ws.tcp()
    ws.connect(s, ws.getsockname(listener))
    return s


# ---- FD_READ ---------------------------------------------------------------------------------------------------------


@case(
    "netevents.read.waits-already-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.72", "R6.75", "T6.2"],
    rows=FORMS,
)
def data_that_waits_is_told_by_the_selection(ws: Target, form: str) -> None:
    """FD_READ is told at once when data is there already."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, server):
        ws.send_and_settle(server, b"x")
        watch.select(client, FD_READ)
        tells(watch, client, FD_READ)


@case(
    "netevents.read.arrival-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.73", "R6.75", "R6.97", "T6.2"],
    rows=FORMS,
)
def arriving_data_is_told_once(ws: Target, form: str) -> None:
    """FD_READ is told when data comes, and not again for more data before a receive."""
    with selected_pair(ws, form, FD_READ) as (watch, client, server):
        ws.send(server, b"x")
        tells(watch, client, FD_READ)
        ws.send_and_settle(server, b"y")
        tells(watch, client)


@case(
    "netevents.read.rest-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.75", "R6.76", "R6.105", "T6.2"],
    rows=forms(event=("evclient-read-first-ok",)),
)
def what_is_left_is_told_again(ws: Target, form: str) -> None:
    """100 bytes come: after a receive of 50 FD_READ is told for the rest, after the rest it is not."""
    with selected_pair(ws, form, FD_READ) as (watch, client, server):
        ws.send_and_settle(server, bytes(100))
        tells(watch, client, FD_READ)
        first = ws.recv(client, bytearray(50))
        tells(watch, client, FD_READ)
        second = ws.recv(client, bytearray(50))
        tells(watch, client)
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(client, bytearray(1))
        expect("bytes", expected=(50, 50), actual=(first, second))


@case(
    "netevents.read.peek-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.75", "T6.2"],
    rows=FORMS,
)
def a_peek_enables_again(ws: Target, form: str) -> None:
    """MSG_PEEK leaves the data there, so FD_READ is told again."""
    with selected_pair(ws, form, FD_READ) as (watch, client, server):
        ws.send_and_settle(server, b"x")
        tells(watch, client, FD_READ)
        ws.recv(client, bytearray(8), MSG_PEEK)
        tells(watch, client, FD_READ)


@case(
    "netevents.read.enabled-by-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.73", "R6.75", "T6.2"],
    rows={
        f"{call.lower()}-{form}": Row(call, form)
        for call in ("recv", "recvfrom", "WSARecv", "WSARecvFrom", "WSARecvMsg", "WSARecvEx")
        for form in ("event", "message")
    },
)
def every_receive_enables_again(ws: Target, call: str, form: str) -> None:
    """Two datagrams wait; FD_READ is told once, and again after a receive of the first, by whichever function."""
    with watching(ws, form) as watch, ws.udp_pair() as (a, b):
        watch.select(b, FD_READ)
        ws.send(a, b"1")
        tells(watch, b, FD_READ)
        ws.send(a, b"2")
        tells(watch, b)
        room = bytearray(8)
        if call.startswith("WSA") and call != "WSARecvEx":
            getattr(ws, call)(b, [room])
        else:
            getattr(ws, call)(b, room)
        tells(watch, b, FD_READ)


@case(
    "netevents.read.failing-call-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.74"],
    rows=FORMS,
)
def a_receive_that_fails_enables_again(ws: Target, form: str) -> None:
    """A receive of urgent data, of which there is none, fails; FD_READ is told again since data waits."""
    with selected_pair(ws, form, FD_READ) as (watch, client, server):
        ws.send_and_settle(server, b"x")
        tells(watch, client, FD_READ)
        try:
            ws.recv(client, bytearray(1), MSG_OOB)
        except Failed as failure:
            step(f"it fails with {failure.code}; which code that is belongs to another case")
        else:
            raise Mismatch("recv", expected="a failure", actual="success")
        tells(watch, client, FD_READ)


@case(
    "netevents.read.spurious-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.77"],
    rows=FORMS,
)
def data_may_be_gone_when_the_event_is_seen(ws: Target, form: str) -> None:
    """Data is read before the event is looked at: the wait returns at once, recv gives WSAEWOULDBLOCK."""
    with selected_pair(ws, form, FD_READ) as (watch, client, server):
        ws.send_and_settle(server, b"x")
        if isinstance(watch, EventWatch):
            ws.until("event", lambda: signalled(ws, watch))
        else:
            ws.until("message", lambda: ws.PeekMessage(flags=0))
        drain(ws, client)
        if isinstance(watch, EventWatch):
            expect_true("the event is set", signalled(ws, watch))
        else:
            expect("messages", expected=[(FD_READ, 0)], actual=watch.take(client, 0))
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(client, bytearray(1))
        ws.WSAEnumNetworkEvents(client)
        ws.send(server, b"y")
        if isinstance(watch, EventWatch):
            ws.WSAResetEvent(watch.event)
        expect("next", expected=[(FD_READ, 0)], actual=watch.take(client, PATIENCE_MS))


@case(
    "netevents.read.withdrawn",
    chapter=CHAPTER,
    source=PYWIN32_TEST,
    basis="observed",
    requirements=["R6.77"],
)
def a_receive_withdraws_what_nobody_has_taken(ws: Target) -> None:
    """Data is read before the record is taken: FD_READ is in it only if some is left. The event stays set."""
    with selected_pair(ws, "event", FD_READ) as (watch, client, server):
        assert isinstance(watch, EventWatch)
        ws.send_and_settle(server, b"first")
        ws.until("event", lambda: signalled(ws, watch))
        drain(ws, client)
        expect("record, all read", expected=0, actual=ws.WSAEnumNetworkEvents(client)[0])
        expect_true("the event is set", signalled(ws, watch))
        ws.send_and_settle(server, b"second")
        ws.recv(client, bytearray(2))
        expect("record, some left", expected=FD_READ, actual=ws.WSAEnumNetworkEvents(client)[0])


@case(
    "netevents.read.select-touches-nothing-{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-select, remarks",
    basis="documented",
    requirements=["R6.93", "R3.46"],
    rows=FORMS,
)
def select_enables_nothing(ws: Target, form: str) -> None:
    """select reports data that was told before, and does not make it told again."""
    with selected_pair(ws, form, FD_READ) as (watch, client, server):
        ws.send_and_settle(server, b"x")
        tells(watch, client, FD_READ)
        expect("select", expected=[client], actual=ws.select([client], None, None, (0, 0))[0])
        tells(watch, client)


@case(
    "netevents.read.overlapped-takes-data-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.75"],
    rows=forms(message=("iocp-thread-no-fdread",)),
)
def a_pending_receive_takes_the_data(ws: Target, form: str) -> None:
    """An overlapped receive pends when data comes: it completes, and FD_READ is not told; the next data is."""
    with selected_pair(ws, form) as (watch, client, server):
        room, done = bytearray(64), ws.overlapped()
        expect("result", expected=PENDING, actual=ws.WSARecv(client, [room], 0, done))
        ws.send(server, bytes(12))
        ws.until("complete", lambda: done.Internal != 0x103)
        tells(watch, client)
        ws.send(server, b"x")
        tells(watch, client, FD_READ)
        expect("bytes", expected=12, actual=done.InternalHigh)


@case(
    "netevents.read.end-of-stream-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.81"],
    rows=FORMS,
)
def the_end_of_the_stream_is_no_data(ws: Target, form: str) -> None:
    """With FD_READ alone selected, the peer's end of sending tells nothing."""
    with selected_pair(ws, form, FD_READ) as (watch, client, server):
        ws.shutdown(server, SD_SEND)
        ws.wait_readable(client)
        tells(watch, client)
        expect("bytes", expected=0, actual=ws.recv(client, bytearray(1)))
        tells(watch, client)


@case(
    "netevents.read.unreachable-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; A31",
    basis="documented",
    requirements=["R6.75"],
    rows=FORMS,
)
def what_the_network_reports_is_told_as_data(ws: Target, form: str) -> None:
    """A datagram meets a closed port: FD_READ is told, and the receive fails with WSAECONNRESET."""
    dead = ws.dead_address(type=2)
    with watching(ws, form) as watch, ws.closing(ws.udp()) as s:
        ws.bind(s, loopback())
        watch.select(s, FD_READ)
        ws.sendto(s, b"x", 0, dead)
        tells(watch, s, FD_READ)
        with fails_with(WSAECONNRESET):
            ws.recvfrom(s, bytearray(1))


# ---- FD_WRITE --------------------------------------------------------------------------------------------------------


@case(
    "netevents.write.once-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.72", "R6.75", "R6.78", "T6.2", "A93"],
    rows=forms(event=("evwrite-once", "evconnect-accepted-write"), message=("asyncsel-no-extra-message",)),
)
def room_to_send_is_told_once(ws: Target, form: str) -> None:
    """An accepted socket is selected for everything: FD_WRITE, once."""
    with watching(ws, form) as watch, ws.connected_pair() as (_, server):
        watch.select(server, OF_STREAM & ~FD_CLOSE)
        tells(watch, server, FD_WRITE)


@case(
    "netevents.write.select-again-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.67", "R6.75"],
    rows={
        "event-same": Row("event", False, behaviours=["evwrite-reselect"]),
        "event-after-nothing": Row("event", True, behaviours=["evwrite-reselect"]),
        "message-same": Row("message", False, behaviours=["evwrite-reselect-message"]),
        "message-after-nothing": Row("message", True, behaviours=["evwrite-reselect-message"]),
    },
)
def selecting_again_tells_a_window_only(ws: Target, form: str, nothing_between: bool) -> None:
    """Selected again, also after nothing was selected: nothing new for an event object, FD_WRITE for a window."""
    with watching(ws, form) as watch, ws.connected_pair() as (_, server):
        watch.select(server, OF_STREAM)
        tells(watch, server, FD_WRITE)
        if nothing_between:
            watch.select(server, 0)
        watch.select(server, OF_STREAM)
        tells(watch, server, *([FD_WRITE] if form == "message" else []))


@case(
    "netevents.write.after-send-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.75", "R6.78"],
    rows=forms(event=("evwrite-small-send",)),
)
def a_send_that_succeeds_enables_nothing(ws: Target, form: str) -> None:
    """Five bytes are sent and read by the peer: FD_WRITE is not told again."""
    with selected_pair(ws, form) as (watch, client, server):
        ws.send_and_settle(client, b"hello")
        tells(watch, client)
        ws.receive_exactly(server, 5)
        tells(watch, client)


@case(
    "netevents.write.would-block-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.74", "R6.75", "R6.78", "T6.2", "A93"],
    rows=forms(event=("evwrite-after-wouldblock", "evclient-write-until-wouldblock")),
)
def room_that_comes_back_is_told_once(ws: Target, form: str) -> None:
    """A send gives WSAEWOULDBLOCK: nothing until the peer has read, then FD_WRITE once, and sending goes on."""
    with selected_pair(ws, form) as (watch, client, server):
        sent = fill(ws, watch, client, lambda chunk: ws.send(client, chunk))
        receive_all(ws, server, sent)
        tells(watch, client, FD_WRITE)
        expect("bytes", expected=1, actual=ws.send(client, b"x"))


@case(
    "netevents.write.enabled-by-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.74", "R6.75", "T6.2"],
    rows={
        f"{call.lower()}-{form}": Row(call, form)
        for call in ("send", "sendto", "WSASend", "WSASendTo")
        for form in ("event", "message")
    },
)
def every_send_that_would_block_enables(ws: Target, call: str, form: str) -> None:
    """WSAEWOULDBLOCK from any of the functions has FD_WRITE told when there is room."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, server):
        watch.select(client, FD_WRITE)
        tells(watch, client, FD_WRITE)

        def send(chunk: bytes) -> int:
            data = [chunk] if call.startswith("WSA") else chunk
            arguments = (data, 0, None) if call.lower().endswith("sendto") else (data,)
            return int(getattr(ws, call)(client, *arguments))

        sent = fill(ws, watch, client, send)
        receive_all(ws, server, sent)
        tells(watch, client, FD_WRITE)


@case(
    "netevents.write.record-outlives-send",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.97"],
    behaviours=["evwrite-send-keeps-record"],
)
def sending_does_not_clear_the_record(ws: Target) -> None:
    """FD_WRITE was recorded and a send follows before the record is taken: it is still there."""
    with watching(ws, "event") as watch, ws.connected_pair() as (_, server):
        watch.select(server, FD_WRITE)
        ws.send(server, b"x")
        tells(watch, server, FD_WRITE)


@case(
    "netevents.write.selected-later-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.72", "R6.75"],
    rows=forms(event=("evwrite-subset-first", "afd-getevents-once"), message=("evwrite-subset-first",)),
)
def an_event_that_is_selected_later_is_told_then(ws: Target, form: str) -> None:
    """The client is selected without FD_WRITE, then with: an event object learns of FD_CONNECT, then of FD_WRITE."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, _):
        ws.send_and_settle(client, b"data")
        watch.select(client, OF_STREAM & ~FD_WRITE)
        tells(watch, client, *([FD_CONNECT] if form == "event" else []))
        watch.select(client, OF_STREAM)
        tells(watch, client, FD_WRITE)


@case(
    "netevents.write.datagram-bind",
    chapter=CHAPTER,
    source=f"{EVENT_PAGE}, which leaves it open after bind",
    basis="choice",
    requirements=["R6.75", "T6.2"],
    behaviours=["evconnect-udp-initial"],
)
def a_bound_datagram_socket_can_send(ws: Target) -> None:
    """With an event object FD_WRITE is told when the socket is bound."""
    with watching(ws, "event") as watch, ws.closing(ws.udp()) as s:
        watch.select(s, FD_WRITE)
        tells(watch, s)
        ws.bind(s, loopback())
        tells(watch, s, FD_WRITE)


# ---- FD_OOB ----------------------------------------------------------------------------------------------------------


@case(
    "netevents.oob.waits-already-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.72", "R6.75", "T6.2", "R13.20"],
    rows=FORMS,
)
def urgent_data_that_waits_is_told_by_the_selection(ws: Target, form: str) -> None:
    """FD_OOB is told at once when urgent data is there already."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, server):
        ws.send(server, b"!", MSG_OOB)
        ws.until("urgent", lambda: ws.select(None, None, [client], (0, 0))[2])
        watch.select(client, FD_OOB)
        tells(watch, client, FD_OOB)


@case(
    "netevents.oob.arrival-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.73", "R6.75", "T6.2", "R13.20"],
    rows=FORMS,
)
def arriving_urgent_data_is_told_once(ws: Target, form: str) -> None:
    """FD_OOB when it comes, not FD_READ; after it was received nothing more."""
    with selected_pair(ws, form) as (watch, client, server):
        ws.send(server, b"!", MSG_OOB)
        tells(watch, client, FD_OOB)
        room = bytearray(1)
        ws.recv(client, room, MSG_OOB)
        expect("byte", expected=b"!", actual=bytes(room))
        tells(watch, client)


@case(
    "netevents.oob.more-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.75", "T6.2"],
    rows={
        f"{name}-{form}": Row(flags, form)
        for name, flags in (("urgent-receive", MSG_OOB), ("receive", 0))
        for form in ("event", "message")
    },
)
def urgent_data_that_is_left_is_told_again(ws: Target, flags: int, form: str) -> None:
    """Two urgent bytes wait: after a receive, be it of urgent data or not, FD_OOB is told again."""
    with selected_pair(ws, form, FD_OOB) as (watch, client, server):
        ws.send_and_settle(server, b"ab")
        ws.send(server, b"1", MSG_OOB)
        tells(watch, client, FD_OOB)
        ws.send(server, b"2", MSG_OOB)
        tells(watch, client)
        ws.recv(client, bytearray(1), flags)
        tells(watch, client, FD_OOB)


@case(
    "netevents.oob.inline-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.85", "R6.75"],
    rows=FORMS,
)
def urgent_data_in_the_stream_is_data(ws: Target, form: str) -> None:
    """With SO_OOBINLINE urgent data is told as FD_READ, never as FD_OOB."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, server):
        ws.setsockopt(client, SOL_SOCKET, SO_OOBINLINE, 1)
        watch.select(client, FD_READ | FD_OOB)
        ws.send(server, b"!", MSG_OOB)
        tells(watch, client, FD_READ)
        expect("bytes", expected=1, actual=ws.recv(client, bytearray(4)))
        tells(watch, client)


# ---- FD_ACCEPT -------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def watched_listener(
    ws: Target, form: str, mask: int = OF_STREAM & ~(FD_WRITE | FD_CLOSE)
) -> Iterator[tuple[Watch, int]]:
    """A watch, and a listening socket that was selected before it was bound."""
    with watching(ws, form) as watch, ws.closing(ws.tcp()) as listener:
        watch.select(listener, mask)
        ws.bind(listener, loopback())
        ws.listen(listener, 5)
        yield watch, listener


@case(
    "netevents.accept.idle-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.75"],
    rows=forms(event=("evaccept-nothing-initially",), message=("evaccept-nothing-initially",)),
)
def an_idle_listening_socket_tells_nothing(ws: Target, form: str) -> None:
    """Selected before bind and listen: nothing happens."""
    with watched_listener(ws, form) as (watch, listener):
        tells(watch, listener)


@case(
    "netevents.accept.once-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.73", "R6.75", "T6.2"],
    rows=forms(event=("evaccept-once",), message=("evaccept-once",)),
)
def a_connection_is_told_once(ws: Target, form: str) -> None:
    """FD_ACCEPT when a caller comes; nothing more while it waits."""
    with watched_listener(ws, form) as (watch, listener), ws.closing(caller(ws, listener)):
        tells(watch, listener, FD_ACCEPT)


@case(
    "netevents.accept.select-again-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.67", "R6.75"],
    rows={
        "event-same": Row("event", False, behaviours=["evaccept-reselect-no-event"]),
        "event-after-nothing": Row("event", True, behaviours=["evaccept-reselect-no-event"]),
        "message-same": Row("message", False, behaviours=["evaccept-reselect-message"]),
        "message-after-nothing": Row("message", True, behaviours=["evaccept-reselect-message"]),
    },
)
def a_waiting_connection_is_told_to_windows_again(ws: Target, form: str, nothing_between: bool) -> None:
    """Selected again while a connection waits that was told: nothing new for an event, FD_ACCEPT for a window."""
    with watched_listener(ws, form) as (watch, listener), ws.closing(caller(ws, listener)):
        tells(watch, listener, FD_ACCEPT)
        if nothing_between:
            watch.select(listener, 0)
        watch.select(listener, FD_ACCEPT)
        tells(watch, listener, *([FD_ACCEPT] if form == "message" else []))


@case(
    "netevents.accept.second-caller-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.75", "T6.2"],
    rows=forms(
        event=("evaccept-second-client-event", "evaccept-after-accept", "evaccept-after-last-accept"),
        message=("evaccept-second-client-message", "evaccept-after-accept", "evaccept-after-last-accept"),
    ),
)
def accept_has_the_next_connection_told(ws: Target, form: str) -> None:
    """A second caller is told to an event object at once, to a window after accept; nothing after the last accept."""
    with watched_listener(ws, form) as (watch, listener), ws.closing(caller(ws, listener)):
        tells(watch, listener, FD_ACCEPT)
        with ws.closing(caller(ws, listener)):
            tells(watch, listener, *([FD_ACCEPT] if form == "event" else []))
            first, _ = ws.accept(listener)
            with ws.closing(first):
                tells(watch, listener, FD_ACCEPT)
                second, _ = ws.accept(listener)
                with ws.closing(second):
                    tells(watch, listener)


@case(
    "netevents.accept.after-close-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.75"],
    rows=forms(event=("evaccept-none-after-close",), message=("evaccept-none-after-close",)),
)
def connections_that_are_over_tell_nothing(ws: Target, form: str) -> None:
    """A connection is accepted, and both ends are closed: nothing on the listening socket."""
    with watched_listener(ws, form) as (watch, listener), ws.closing(caller(ws, listener)) as client:
        tells(watch, listener, FD_ACCEPT)
        server, _ = ws.accept(listener)
        ws.closesocket(server)
        ws.closesocket(client)
        tells(watch, listener)


@case(
    "netevents.accept.waits-already-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.72", "R6.75", "T6.2"],
    rows=forms(event=("evaccept-connect-then-select",), message=("evaccept-connect-then-select",)),
)
def a_waiting_connection_is_told_by_the_selection(ws: Target, form: str) -> None:
    """The caller came before the selection: FD_ACCEPT."""
    with watching(ws, form) as watch, ws.listener() as listener, ws.closing(caller(ws, listener)):
        ws.wait_readable(listener)
        watch.select(listener, FD_ACCEPT)
        tells(watch, listener, FD_ACCEPT)


@case(
    "netevents.accept.event-stays-set",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.67"],
    behaviours=["evaccept-subset-keeps-event", "evaccept-subset-then-full"],
)
def selecting_does_not_reset_the_event(ws: Target) -> None:
    """FD_ACCEPT leaves the mask: the event stays set until it is reset; back in the mask, it is told at once."""
    with watched_listener(ws, "event") as (watch, listener), ws.closing(caller(ws, listener)):
        assert isinstance(watch, EventWatch)
        ws.until("event", lambda: signalled(ws, watch))
        watch.select(listener, FD_CONNECT)
        expect_true("the event is set", signalled(ws, watch))
        ws.WSAResetEvent(watch.event)
        watch.select(listener, FD_CONNECT)
        tells_nobody(ws, watch, listener)
        watch.select(listener, FD_CONNECT | FD_ACCEPT)
        expect("wait", expected=0, actual=ws.WSAWaitForMultipleEvents([watch.event], False, 0))
        tells(watch, listener, FD_ACCEPT)


@case(
    "netevents.accept.selected-later-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.72", "R6.75"],
    rows=forms(event=("evaccept-not-selected-first",), message=("evaccept-not-selected-first",)),
)
def accept_selected_after_the_caller_came(ws: Target, form: str) -> None:
    """Selected without FD_ACCEPT, a caller comes, then selected with it: FD_ACCEPT."""
    with watched_listener(ws, form, FD_CONNECT) as (watch, listener), ws.closing(caller(ws, listener)):
        tells(watch, listener)
        watch.select(listener, FD_CONNECT | FD_ACCEPT)
        tells(watch, listener, FD_ACCEPT)


@case(
    "netevents.accept.accepted-before-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.75"],
    rows=forms(event=("evaccept-accept-before-select",), message=("evaccept-accept-before-select",)),
)
def a_connection_that_was_accepted_is_not_told(ws: Target, form: str) -> None:
    """A connection is accepted before FD_ACCEPT is selected: nothing."""
    with watched_listener(ws, form, FD_CONNECT) as (watch, listener), ws.closing(caller(ws, listener)):
        ws.wait_readable(listener)
        server, _ = ws.accept(listener)
        with ws.closing(server):
            watch.select(listener, FD_CONNECT | FD_ACCEPT)
            tells(watch, listener)


@case(
    "netevents.accept.inherited-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.88", "R6.89", "R6.75", "T6.2"],
    rows=forms(event=("evaccept-inherit",), message=("evaccept-inherit",)),
)
def an_accepted_socket_inherits_the_selection(ws: Target, form: str) -> None:
    """The accepted socket tells the same event object or window; FD_WRITE at once, FD_READ later; it does not block."""
    with watched_listener(ws, form, OF_STREAM) as (watch, listener), ws.closing(caller(ws, listener)) as client:
        tells(watch, listener, FD_ACCEPT)
        server, _ = ws.accept(listener)
        with ws.closing(server):
            tells(watch, server, FD_WRITE)
            with fails_with(WSAEWOULDBLOCK):
                ws.recv(server, bytearray(1))
            ws.send(client, b"x")
            tells(watch, server, FD_READ)


@case(
    "netevents.accept.not-inherited-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.88", "R6.68"],
    rows=FORMS,
)
def a_selection_that_has_ended_is_not_inherited(ws: Target, form: str) -> None:
    """The listening socket's selection is taken back before accept: the accepted socket tells nothing."""
    with watched_listener(ws, form, OF_STREAM) as (watch, listener), ws.closing(caller(ws, listener)) as client:
        tells(watch, listener, FD_ACCEPT)
        watch.select(listener, 0)
        server, _ = ws.accept(listener)
        with ws.closing(server):
            ws.send(client, b"x")
            tells_nobody(ws, watch, server)


@case(
    "netevents.accept.failing-call-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.74", "R6.75", "T6.2"],
    rows=FORMS,
)
def an_accept_that_finds_nothing_enables_again(ws: Target, form: str) -> None:
    """accept until WSAEWOULDBLOCK; the next caller is told."""
    with watched_listener(ws, form) as (watch, listener), ws.closing(caller(ws, listener)):
        tells(watch, listener, FD_ACCEPT)
        server, _ = ws.WSAAccept(listener)
        with ws.closing(server):
            with fails_with(WSAEWOULDBLOCK):
                ws.accept(listener)
            with ws.closing(caller(ws, listener)):
                tells(watch, listener, FD_ACCEPT)


@case(
    "netevents.accept.deferred-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; winsock2/nf-winsock2-wsaaccept",
    basis="documented",
    requirements=["R6.75", "T6.2", "R11.32"],
    rows=FORMS,
)
def a_deferred_request_enables_nothing(ws: Target, form: str) -> None:
    """CF_DEFER: neither the request nor another caller is told before WSAAccept has decided; then the other one is."""
    with watched_listener(ws, form) as (watch, listener), ws.closing(caller(ws, listener)):
        tells(watch, listener, FD_ACCEPT)
        with fails_with(WSATRY_AGAIN):
            ws.WSAAccept(listener, None, lambda *_: CF_DEFER)
        tells(watch, listener)
        with ws.closing(caller(ws, listener)):
            tells(watch, listener)
            server, _ = ws.WSAAccept(listener, None, lambda *_: CF_ACCEPT)
            with ws.closing(server):
                tells(watch, listener, FD_ACCEPT)


@case(
    "netevents.accept.acceptex-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.75", "T6.2"],
    rows=forms(
        event=("evaccept-acceptex-consumes", "evaccept-after-acceptex"),
        message=("evaccept-acceptex-consumes", "evaccept-after-acceptex"),
    ),
)
def a_pending_acceptex_takes_the_connection(ws: Target, form: str) -> None:
    """AcceptEx pends when a caller comes: it completes, FD_ACCEPT is not told; the caller after that is told."""
    with watched_listener(ws, form) as (watch, listener), ws.closing(ws.tcp()) as acceptor:
        done = ws.overlapped()
        room = bytearray(64)
        expect("result", expected=PENDING, actual=ws.AcceptEx(listener, acceptor, room, 0, 32, 32, done))
        with ws.closing(caller(ws, listener)):
            ws.until("complete", lambda: done.Internal != 0x103)
            tells(watch, listener)
            with ws.closing(caller(ws, listener)):
                tells(watch, listener, FD_ACCEPT)
        expect("status", expected=0, actual=done.Internal)


# ---- FD_CONNECT ------------------------------------------------------------------------------------------------------


@case(
    "netevents.connect.unconnected-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.75"],
    rows=forms(event=("evconnect-none-before",), message=("evconnect-none-before",)),
)
def a_new_socket_tells_nothing(ws: Target, form: str) -> None:
    """A stream socket that is selected for everything before it connects: nothing."""
    with watching(ws, form) as watch, ws.closing(ws.tcp()) as s:
        watch.select(s, OF_STREAM)
        tells(watch, s)


@case(
    "netevents.connect.success-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.73", "R6.75", "R6.79", "T6.2", "R11.20", "R6.100", "R6.95", "R6.104"],
    rows=forms(
        event=("evconnect-connect-and-write", "evclient-connect-async", "evconnect-reselect-none"),
        message=("evconnect-connect-and-write", "asyncsel-message-params", "evconnect-reselect-message"),
    ),
)
def a_connection_is_told_before_the_room_to_send(ws: Target, form: str) -> None:
    """FD_CONNECT without error, then FD_WRITE, each once; selected again, a window alone is told FD_WRITE."""
    with watching(ws, form) as watch, ws.listener() as listener, ws.closing(ws.tcp()) as s:
        watch.select(s, OF_STREAM)
        try:
            ws.connect(s, ws.getsockname(listener))
        except Failed as failure:
            expect("connect", expected=WSAEWOULDBLOCK, actual=failure.code)
        tells(watch, s, FD_CONNECT, FD_WRITE)
        watch.select(s, 0)
        watch.select(s, OF_STREAM)
        tells(watch, s, *([FD_WRITE] if form == "message" else []))


@case(
    "netevents.connect.refused-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.75", "R6.80", "R6.86", "R6.95", "R6.104", "R11.20", "R16.13", "R16.14", "T6.2"],
    rows=forms(event=("afd-getevents-refused",)),
)
def a_refused_connect_is_told_with_its_error(ws: Target, form: str) -> None:
    """FD_CONNECT with WSAECONNREFUSED, once, and no FD_WRITE."""
    dead = ws.dead_address()
    with watching(ws, form) as watch, ws.closing(ws.tcp()) as s:
        watch.select(s, OF_STREAM)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(s, dead)
        tells(watch, s, (FD_CONNECT, WSAECONNREFUSED))


@case(
    "netevents.connect.once-more-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.75", "R6.80"],
    rows=FORMS,
)
def the_next_connect_is_told_as_well(ws: Target, form: str) -> None:
    """After a refused connect the same socket connects: FD_CONNECT without error, then FD_WRITE."""
    dead = ws.dead_address()
    with watching(ws, form) as watch, ws.listener() as listener, ws.closing(ws.tcp()) as s:
        watch.select(s, OF_STREAM)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(s, dead)
        tells(watch, s, (FD_CONNECT, WSAECONNREFUSED))
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(s, ws.getsockname(listener))
        tells(watch, s, FD_CONNECT, FD_WRITE)


@case(
    "netevents.connect.selected-afterwards-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.72", "R6.75", "T6.2"],
    rows=forms(event=("evconnect-then-select-event", "afd-getevents-once"), message=("evconnect-then-select-message",)),
)
def a_connection_before_the_selection(ws: Target, form: str) -> None:
    """Connected first, then selected: FD_CONNECT and FD_WRITE for an event object, only FD_WRITE for a window."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, _):
        watch.select(client, OF_STREAM)
        tells(watch, client, *([FD_CONNECT] if form == "event" else []), FD_WRITE)


@case(
    "netevents.connect.selected-later-{row}",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.72", "R6.75"],
    rows=forms(event=("evconnect-subset-first",), message=("evconnect-subset-first",)),
)
def connect_selected_after_the_connection(ws: Target, form: str) -> None:
    """Selected without FD_CONNECT, connected, then selected with it: FD_CONNECT for an event, FD_WRITE for a window."""
    with watching(ws, form) as watch, ws.listener() as listener, ws.closing(ws.tcp()) as s:
        watch.select(s, OF_STREAM & ~FD_CONNECT)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(s, ws.getsockname(listener))
        tells(watch, s, FD_WRITE)
        watch.select(s, OF_STREAM)
        tells(watch, s, FD_CONNECT if form == "event" else FD_WRITE)


@case(
    "netevents.connect.mask-replaced",
    chapter=CHAPTER,
    source=WINE_TEST,
    basis="observed",
    requirements=["R6.67", "R6.72"],
    behaviours=["evclient-connect-async", "evclient-reselect-mask"],
)
def the_usual_client(ws: Target) -> None:
    """FD_CONNECT first; then FD_READ, FD_WRITE and FD_CLOSE are selected, and FD_WRITE is told at once."""
    with watching(ws, "event") as watch, ws.listener() as listener, ws.closing(ws.tcp()) as s:
        watch.select(s, FD_CONNECT)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(s, ws.getsockname(listener))
        tells(watch, s, FD_CONNECT)
        watch.select(s, FD_READ | FD_WRITE | FD_CLOSE)
        tells(watch, s, FD_WRITE)


@case(
    "netevents.connect.datagram-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.75", "R11.28", "T6.2"],
    rows=forms(
        event=("evconnect-udp-initial", "evconnect-udp-connect"),
        message=("evconnect-udp-initial", "evconnect-udp-connect"),
    ),
)
def connecting_a_datagram_socket(ws: Target, form: str) -> None:
    """Unbound: nothing for an event object, FD_WRITE for a window; connected: FD_WRITE, for an event FD_CONNECT too."""
    with watching(ws, form) as watch, ws.udp_pair(connected=False) as (peer, _), ws.closing(ws.udp()) as s:
        watch.select(s, FD_CONNECT | FD_WRITE | FD_READ)
        tells(watch, s, *([FD_WRITE] if form == "message" else []))
        ws.connect(s, ws.getsockname(peer))
        tells(watch, s, *([FD_CONNECT] if form == "event" else []), FD_WRITE)


# ---- FD_CLOSE --------------------------------------------------------------------------------------------------------


@case(
    "netevents.close.graceful-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {WINE_TEST}",
    basis="observed",
    requirements=["R6.75", "R6.81", "R6.82", "R6.83", "R6.84", "T6.2", "A94"],
    rows=forms(event=("evclient-close-event",)),
)
def the_end_is_told_after_the_last_data(ws: Target, form: str) -> None:
    """The peer sends, then ends: FD_READ; FD_CLOSE with error 0 once all data is read, and once only."""
    with selected_pair(ws, form) as (watch, client, server):
        ws.send_and_settle(server, bytes(100))
        ws.shutdown(server, SD_SEND)
        tells(watch, client, FD_READ)
        ws.recv(client, bytearray(60))
        tells(watch, client, FD_READ)
        ws.recv(client, bytearray(60))
        tells(watch, client, FD_CLOSE)
        expect("bytes", expected=0, actual=ws.recv(client, bytearray(1)))
        ws.closesocket(server)
        tells(watch, client)


@case(
    "netevents.close.close-alone-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.75", "R6.81", "R6.82", "T6.2"],
    rows=FORMS,
)
def the_end_alone_is_selected(ws: Target, form: str) -> None:
    """FD_CLOSE alone is selected: data and the end come; it is told when the data has been read."""
    with selected_pair(ws, form, FD_CLOSE) as (watch, client, server):
        ws.send_and_settle(server, b"data")
        ws.shutdown(server, SD_SEND)
        tells(watch, client)
        ws.recv(client, bytearray(64))
        tells(watch, client, FD_CLOSE)


@case(
    "netevents.close.answered-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.75", "R6.84", "T6.2", "R12.30"],
    rows=FORMS,
)
def a_shutdown_that_is_answered(ws: Target, form: str) -> None:
    """shutdown(SD_SEND) here tells nothing; the peer's answer and its end do, after what it has sent."""
    with selected_pair(ws, form) as (watch, client, server):
        ws.shutdown(client, SD_SEND)
        tells(watch, client)
        ws.send_and_settle(server, b"answer")
        ws.shutdown(server, SD_SEND)
        tells(watch, client, FD_READ)
        ws.recv(client, bytearray(64))
        tells(watch, client, FD_CLOSE)


@case(
    "netevents.close.already-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.72", "R6.75", "T6.2"],
    rows=FORMS,
)
def an_end_before_the_selection(ws: Target, form: str) -> None:
    """The peer has ended before the selection: FD_CLOSE."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, server):
        ws.shutdown(server, SD_SEND)
        ws.wait_readable(client)
        watch.select(client, FD_CLOSE | FD_READ)
        tells(watch, client, FD_CLOSE)


@case(
    "netevents.close.reset-{row}",
    chapter=CHAPTER,
    source=f"{PAGES}; {ENUM_PAGE}; {WINE_TEST}",
    basis="documented",
    requirements=["R6.75", "R6.82", "R6.83", "R6.95", "T6.2"],
    rows={
        "event": Row("event", False, behaviours=["afd-getevents-rst"]),
        "message": Row("message", False),
        "event-before-select": Row("event", True),
    },
)
def a_reset_is_told_at_once(ws: Target, form: str, before: bool) -> None:
    """The peer resets while data waits unread: FD_CLOSE with WSAECONNRESET."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, server):
        if not before:
            watch.select(client, FD_CLOSE)
        ws.send_and_settle(server, b"unread")
        ws.reset(server)
        if before:
            ws.until("reset", lambda: ws.pending_error(client))
            watch.select(client, FD_CLOSE)
        tells(watch, client, (FD_CLOSE, WSAECONNRESET))
        expect_true("the code is FD_CLOSE's", FD_CLOSE == 1 << FD_CLOSE_BIT)


@case(
    "netevents.close.datagram-{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R6.75", "T6.2"],
    rows=FORMS,
)
def datagrams_have_no_end(ws: Target, form: str) -> None:
    """The peer of a datagram socket is closed: no FD_CLOSE."""
    with watching(ws, form) as watch, ws.udp_pair() as (a, b):
        watch.select(a, FD_CLOSE | FD_READ)
        ws.closesocket(b)
        tells(watch, a)


@case(
    "netevents.close.exchange-{row}",
    chapter=CHAPTER,
    source="winsock: Graceful Shutdown, Linger Options, and Socket Closure",
    basis="documented",
    requirements=["R12.29", "R6.82"],
    rows=FORMS,
)
def the_recommended_exchange(ws: Target, form: str) -> None:
    """Client ends; server FD_CLOSE after all data, sends the rest and ends; client FD_READ, then FD_CLOSE."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, server):
        watch.select(server, FD_READ | FD_CLOSE)
        ws.send(client, b"question")
        ws.shutdown(client, SD_SEND)
        tells(watch, server, FD_READ)
        drain(ws, server)
        tells(watch, server, FD_CLOSE)
        watch.select(client, FD_READ | FD_CLOSE)
        ws.send(server, b"answer")
        tells(watch, client, FD_READ)
        ws.shutdown(server, SD_SEND)
        ws.closesocket(server)
        drain(ws, client)
        tells(watch, client, FD_CLOSE)
