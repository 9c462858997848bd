"""Overlapped requests: how they begin and end, in which order, what tells of them, and what cancels them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..addresses import loopback
from ..constants import (
    AF_INET,
    ERROR_INVALID_HANDLE,
    ERROR_IO_INCOMPLETE,
    ERROR_NETNAME_DELETED,
    ERROR_NOT_FOUND,
    ERROR_OPERATION_ABORTED,
    IP_PKTINFO,
    IPPROTO_IP,
    IPPROTO_TCP,
    MSG_CTRUNC,
    MSG_OOB,
    MSG_PARTIAL,
    MSG_PEEK,
    MSG_WAITALL,
    SO_RCVBUF,
    SO_RCVTIMEO,
    SO_SNDBUF,
    SOCK_STREAM,
    SOL_SOCKET,
    STATUS_BUFFER_OVERFLOW,
    STATUS_CANCELLED,
    STATUS_CONNECTION_RESET,
    STATUS_INVALID_HANDLE,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WAIT_IO_COMPLETION,
    WAIT_TIMEOUT,
    WSA_FLAG_OVERLAPPED,
    WSA_INVALID_HANDLE,
    WSA_INVALID_PARAMETER,
    WSA_IO_INCOMPLETE,
    WSA_OPERATION_ABORTED,
    WSA_WAIT_EVENT_0,
    WSA_WAIT_TIMEOUT,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOBUFS,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAEWOULDBLOCK,
    WSANOTINITIALISED,
)
from ..model import Row, case
from ..target import PENDING, Target
from ..verify import Failed, expect, expect_true, fails_with

CHAPTER = "Overlapped requests"
OVERVIEW = "WinSock/overlapped-i-o-and-event-objects-2"
ATTRIBUTE = "WinSock/default-state-for-a-socket-s-overlapped-attribute-2"
WSARECV = "winsock2/nf-winsock2-wsarecv"
WSASEND = "winsock2/nf-winsock2-wsasend"
RESULT = "winsock2/nf-winsock2-wsagetoverlappedresult"
CLOSE = "winsock/nf-winsock-closesocket"
CLEANUP = "winsock/nf-winsock-wsacleanup"
CANCEL = "fileio/cancelioex-func"
RECV_TEST = "Wine's public test sock.c:test_WSARecv, which passes on Windows"
CONNECT_TEST = "Wine's public test sock.c:test_connect, which passes on Windows"
RESULT_TEST = "Wine's public test file.c:test_GetOverlappedResult, which passes on Windows"
MESSAGE_TEST = "Wine's public test sock.c:test_WSARecvMsg, which passes on Windows"
WATCH_TEST = "Wine's public test virtual.c:test_write_watch, which passes on Windows"

LONG_MS = 5000
A_MOMENT_MS = 50
NEVER = 0xABAD
CLOSED = 0x7FFFFFF0


class Request:
    """A record with an event of its own."""

    def __init__(self, ws: Target, event: int) -> None:
        self.ws = ws
        self.event = event
        self.record: Any = ws.overlapped(event)
        self.record.InternalHigh = NEVER

    def done(self, milliseconds: int = LONG_MS) -> bool:
        """Wait for the event; whether it was set."""
        return self.ws.WSAWaitForMultipleEvents([self.event], False, milliseconds) == WSA_WAIT_EVENT_0

    def moved(self, s: int) -> int:
        """Wait for it, and ask Winsock: bytes."""
        expect_true("event", self.done())
        return self.ws.WSAGetOverlappedResult(s, self.record, False)[0]

    def pends(self) -> None:
        """It is not complete, and will not be in a moment."""
        ended = self.ws.WSAWaitForMultipleEvents([self.event], False, A_MOMENT_MS)
        expect("event", expected=WSA_WAIT_TIMEOUT, actual=ended)
        expect("Internal", expected=STATUS_PENDING, actual=self.record.Internal)

    def fails(self, s: int, code: int) -> None:
        """It ends with this Winsock code."""
        expect_true("event", self.done())
        with fails_with(code):
            self.ws.WSAGetOverlappedResult(s, self.record, False)


@contextlib.contextmanager
def requests(ws: Target, count: int = 1) -> Iterator[Any]:
    """So many requests, with their events."""
    made = [Request(ws, ws.WSACreateEvent()) for _ in range(count)]
    try:
        yield made[0] if count == 1 else made
    finally:
        for request in made:
            ws.WSACloseEvent(request.event)


def begin(ws: Target, s: int, buffer: bytearray, request: Request, flags: int = 0) -> None:
    """A receive that pends."""
    expect("result", expected=PENDING, actual=ws.WSARecv(s, [buffer], flags, request.record))


@contextlib.contextmanager
def pending_receive(ws: Target, size: int = 8) -> Iterator[tuple[int, int, Request, bytearray]]:
    """A connection whose second end has a receive that pends."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        buffer = bytearray(size)
        begin(ws, server, buffer, request)
        yield client, server, request, buffer


def fill(ws: Target, s: int) -> int:
    """Send until the connection takes no more; bytes."""
    ws.nonblocking(s)
    total, block = 0, bytes(65536)
    idle = 0
    while idle < 3:  # the transport may make room for a little more
        try:
            total += ws.send(s, block)
            idle = 0
        except Failed as failure:
            if failure.code != WSAEWOULDBLOCK:
                raise
            idle += 0 if ws.writable(s, 0.02) else 1
    ws.nonblocking(s, False)
    return total


# ---- the overlapped attribute ----------------------------------------------------------------------------------------


@case(
    "overlapped.attribute.{row}",
    chapter=CHAPTER,
    source=ATTRIBUTE,
    basis="documented",
    requirements=["R6.1"],
    rows={"socket": Row("socket"), "with-the-flag": Row("flag"), "accepted": Row("accepted")},
)
def sockets_are_overlapped(ws: Target, kind: str) -> None:
    """A request pends on a socket of socket(), of WSASocket with the flag, and on one accepted from such a socket."""
    with ws.listener() as listening, requests(ws) as request:
        s = (
            ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, WSA_FLAG_OVERLAPPED)
            if kind == "flag"
            else ws.tcp()
        )
        with ws.closing(s):
            ws.connect(s, ws.getsockname(listening))
            peer, _ = ws.accept(listening)
            with ws.closing(peer):
                receiver, sender = (peer, s) if kind == "accepted" else (s, peer)
                begin(ws, receiver, bytearray(8), request)
                ws.send(sender, b"data")
                expect("bytes", expected=4, actual=request.moved(receiver))


@case(
    "overlapped.attribute.without-it-the-record-is-ignored",
    chapter=CHAPTER,
    source=f"{WSARECV}; {ATTRIBUTE}",
    basis="documented",
    requirements=["R6.1", "R6.3"],
)
def without_the_attribute_the_call_waits(ws: Target) -> None:
    """A socket without the attribute, and one accepted from such a listener: the call waits, the record stays as is."""
    called: list[int] = []
    for accepted in (False, True):
        listening = ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP) if accepted else ws.tcp()
        with ws.closing(listening), ws.thread() as other, requests(ws) as request:
            ws.bind(listening, loopback())
            ws.listen(listening, 1)
            s = ws.tcp() if accepted else ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP)
            with ws.closing(s):
                ws.connect(s, ws.getsockname(listening))
                peer, _ = ws.accept(listening)
                with ws.closing(peer):
                    receiver, sender = (peer, s) if accepted else (s, peer)
                    ws.WSASetEvent(request.event)
                    buffer = bytearray(8)

                    def routine(*told: object) -> None:
                        called.append(1)

                    receiving = other.start(ws.WSARecv, receiver, [buffer], 0, request.record, routine)
                    expect_true("it waits", not receiving.finished_within(0.05))
                    ws.send(sender, b"data")
                    expect("result", expected=4, actual=receiving.result())
                    expect("buffer", expected=b"data", actual=bytes(buffer[:4]))
                    expect("InternalHigh", expected=NEVER, actual=request.record.InternalHigh)
                    expect_true("event as it was", request.done(0))
    expect("calls of the routine", expected=[], actual=called)


@case(
    "overlapped.attribute.mode-{row}",
    chapter=CHAPTER,
    source=OVERVIEW,
    basis="documented",
    requirements=["R6.2", "R6.107"],
    rows={"blocking": Row(False), "non-blocking": Row(True)},
)
def overlapped_calls_never_wait_nor_would_block(ws: Target, nonblocking: bool) -> None:
    """In either mode a receive without data pends, and completes when data comes; the mode stays what it was."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        ws.nonblocking(server, nonblocking)
        begin(ws, server, bytearray(8), request)
        ws.send(client, b"data")
        expect("bytes", expected=4, actual=request.moved(server))
        if nonblocking:
            with fails_with(WSAEWOULDBLOCK):
                ws.recv(server, bytearray(1))


@case(
    "overlapped.attribute.no-record-is-no-request",
    chapter=CHAPTER,
    source=f"{WSARECV}; WinSock/summary-of-overlapped-completion-indication-mechanisms-in-the-spi-2",
    basis="documented",
    requirements=["R6.4", "R6.5", "T6.1"],
)
def without_a_record_the_call_is_a_plain_one(ws: Target) -> None:
    """No record, with and without a routine: the call waits for data, and no routine is ever called."""
    called: list[int] = []
    with ws.connected_pair() as (client, server), ws.thread() as other:
        for routine in (None, lambda *told: called.append(1)):
            receiving = other.start(ws.WSARecv, server, [bytearray(8)], 0, None, routine)
            expect_true("it waits", not receiving.finished_within(0.05))
            ws.send(client, b"data")
            expect("bytes", expected=4, actual=receiving.result())
        expect("alertable wait", expected=0, actual=other.call(ws.SleepEx, 0, True))
    expect("calls of the routine", expected=[], actual=called)


# ---- how a request ends ----------------------------------------------------------------------------------------------


@case(
    "overlapped.at-once.{row}",
    chapter=CHAPTER,
    source=f"{OVERVIEW}; {WSARECV}",
    basis="documented",
    requirements=["R6.10", "T6.1", "R6.7"],
    rows={"send": Row("send"), "receive": Row("receive"), "send-to": Row("sendto"), "receive-from": Row("recvfrom")},
)
def a_request_that_completes_at_once_is_told_all_the_same(ws: Target, call: str) -> None:
    """The call returns the byte count; by then the event is set and the record complete."""
    pair = ws.udp_pair() if call.endswith(("to", "from")) else ws.connected_pair()
    with pair as (client, server), requests(ws) as request:
        buffer = bytearray(8)
        if call.startswith("send"):
            to = ws.getsockname(server)
            result = (
                ws.WSASend(client, [b"da", b"ta"], 0, request.record)
                if call == "send"
                else ws.WSASendTo(client, [b"data"], 0, to, request.record)
            )
        else:
            ws.send_and_settle(client, b"data")
            result = (
                ws.WSARecv(server, [buffer], 0, request.record)
                if call == "receive"
                else ws.WSARecvFrom(server, [buffer], 0, None, request.record)
            )
        if call == "recvfrom":
            expect("sender", expected=ws.getsockname(client), actual=result[1])
            result = result[0]
        expect("result", expected=4, actual=result)
        expect_true("event is set", request.done(0))
        expect("record", expected=(STATUS_SUCCESS, 4), actual=(request.record.Internal, request.record.InternalHigh))
        if call.startswith("send"):
            expect("data", expected=b"data", actual=ws.receive_exactly(server, 4) if call == "send" else b"data")
        else:
            expect("buffer", expected=b"data", actual=bytes(buffer[:4]))


@case(
    "overlapped.pending.completes-later",
    chapter=CHAPTER,
    source=f"{WSARECV}; {OVERVIEW}",
    basis="documented",
    requirements=["R6.11", "R6.13", "R6.40", "T6.1"],
    behaviours=["wsarecv-pending-null-bytes"],
)
def a_request_that_pends_is_told_once(ws: Target) -> None:
    """The event is reset by the call, Internal says STATUS_PENDING; data sets both, and the result can be had."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        ws.WSASetEvent(request.event)
        buffer = bytearray(8)
        begin(ws, server, buffer, request)
        request.pends()
        ws.send(client, b"data")
        expect("bytes", expected=4, actual=request.moved(server))
        expect("record", expected=(STATUS_SUCCESS, 4), actual=(request.record.Internal, request.record.InternalHigh))
        expect("buffer", expected=b"data", actual=bytes(buffer[:4]))
        ws.WSAResetEvent(request.event)
        ws.send_and_settle(client, b"more")
        expect_true("not told again", not request.done(0))


@case(
    "overlapped.pending.no-byte-count-wanted",
    chapter=CHAPTER,
    source=f"{WSARECV}; {RECV_TEST}",
    basis="documented",
    requirements=["R6.16", "R6.17"],
    behaviours=["wsarecv-pending-null-bytes"],
    needs_c=True,
)
def the_byte_count_is_optional_only_with_a_record(ws: Target) -> None:
    """With a record the count may be NULL, and the WSABUF array may change after the call; without one WSAEFAULT."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        room, flags = ws.c.new(8), ws.c.new(4)
        array = ws.c.new(ws.c.pack("WSABUF", len=8, buf=room.address))
        with fails_with(WSAEFAULT):
            ws.c.check("WSARecv", server, array.address, 1, 0, flags.address, 0, 0)
        got = ws.c.call("WSARecv", server, array.address, 1, 0, flags.address, request.record.address, 0)
        expect("result", expected=(-1, 997), actual=(got, ws.c.last_error))
        array.write(b"\xff" * array.size)
        ws.send(client, b"data")
        expect("bytes", expected=4, actual=request.moved(server))
        expect("buffer", expected=b"data", actual=room.read(4))
        sent = ws.c.new(ws.c.pack("WSABUF", len=4, buf=room.address))
        ws.c.check("WSASend", server, sent.address, 1, 0, 0, request.record.address, 0)
        expect("bytes of a send", expected=4, actual=request.moved(server))


@case(
    "overlapped.pending.several-buffers",
    chapter=CHAPTER,
    source=WSARECV,
    basis="documented",
    requirements=["R6.16", "R6.22"],
    behaviours=["writewatch-recv-pages"],
)
def buffers_of_a_pending_receive_are_filled_in_order(ws: Target) -> None:
    """A receive into two buffers pends; the data fills the first before the second."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        first, second = bytearray(3), bytearray(8)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [first, second], 0, request.record))
        ws.send(client, b"abcdef")
        expect("bytes", expected=6, actual=request.moved(server))
        expect("buffers", expected=(b"abc", b"def"), actual=(bytes(first), bytes(second[:3])))


@case(
    "overlapped.pending.stream-from-without-length",
    chapter=CHAPTER,
    source=WATCH_TEST,
    basis="observed",
    behaviours=["writewatch-recvfrom-null-fromlen"],
    requirements=["R6.7"],
    needs_c=True,
)
def a_stream_does_not_look_at_the_room_for_a_sender(ws: Target) -> None:
    """WSARecvFrom on a stream with a sender pointer and any number as its length pends and completes."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        room, flags, sender = ws.c.new(8), ws.c.new(4), ws.c.new(16)
        length = ws.c.new(b"\x17\x00\x00\x80")
        array = ws.c.new(ws.c.pack("WSABUF", len=8, buf=room.address))
        given = (array.address, 1, 0, flags.address, sender.address, length.address, request.record.address, 0)
        got = ws.c.call("WSARecvFrom", server, *given)
        expect("result", expected=(-1, 997), actual=(got, ws.c.last_error))
        ws.send(client, b"data")
        expect("bytes", expected=4, actual=request.moved(server))
        expect("sender", expected=bytes(16), actual=sender.read())


@case(
    "overlapped.pending.what-is-there-is-enough-{row}",
    chapter=CHAPTER,
    source=WATCH_TEST,
    basis="observed",
    behaviours=["writewatch-blocking-variants"],
    requirements=["R6.27"],
    rows={"recv": Row("recv"), "recvfrom": Row("recvfrom"), "array": Row("WSARecv"), "array-from": Row("WSARecvFrom")},
)
def a_receive_does_not_wait_for_its_buffer_to_be_full(ws: Target, call: str) -> None:
    """A blocking receive into 28 KiB returns the 13 bytes that come."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        buffer = bytearray(28672)
        receiving = other.start(getattr(ws, call), server, [buffer] if call.startswith("WSA") else buffer)
        expect_true("it waits", not receiving.finished_within(0.02))
        ws.send(client, b"thirteen char")
        result = receiving.result()
        expect("bytes", expected=13, actual=result[0] if isinstance(result, tuple) else result)
        expect("data", expected=b"thirteen char\0", actual=bytes(buffer[:14]))


@case(
    "overlapped.pending.sender",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsarecvfrom",
    basis="documented",
    requirements=["R6.7", "R6.11"],
)
def the_sender_of_a_pending_receive_is_stored_on_completion(ws: Target) -> None:
    """WSARecvFrom pends; when the datagram comes, sender and data are where they belong."""
    with ws.udp_pair(connected=False) as (a, b), requests(ws) as request:
        buffer = bytearray(16)
        expect("result", expected=PENDING, actual=ws.WSARecvFrom(b, [buffer], 0, None, request.record))
        ws.sendto(a, b"datagram", 0, ws.getsockname(b))
        expect("bytes", expected=8, actual=request.moved(b))
        expect("result", expected=(8, ws.getsockname(a)), actual=ws.result(request.record))
        expect("buffer", expected=b"datagram", actual=bytes(buffer[:8]))


@case(
    "overlapped.pending.too-large",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsarecvfrom; winsock2/nf-winsock2-wsagetoverlappedresult",
    basis="documented",
    requirements=["R6.40", "R6.42"],
)
def a_datagram_that_is_too_large_completes_with_what_fits(ws: Target) -> None:
    """The request ends with WSAEMSGSIZE and STATUS_BUFFER_OVERFLOW; buffer, count and sender are there all the same."""
    with ws.udp_pair(connected=False) as (a, b), requests(ws) as request:
        buffer = bytearray(4)
        expect("result", expected=PENDING, actual=ws.WSARecvFrom(b, [buffer], 0, None, request.record))
        ws.sendto(a, b"datagram", 0, ws.getsockname(b))
        request.fails(b, WSAEMSGSIZE)
        expect(
            "record",
            expected=(STATUS_BUFFER_OVERFLOW, 4),
            actual=(request.record.Internal, request.record.InternalHigh),
        )
        expect("buffer", expected=b"data", actual=bytes(buffer))
        expect("sender", expected=ws.getsockname(a), actual=ws.result(request.record)[1])


@case(
    "overlapped.message.short-control-{row}",
    chapter=CHAPTER,
    source=MESSAGE_TEST,
    basis="observed",
    behaviours=["recvmsg-short-control-overlapped"],
    requirements=["R6.7"],
    rows={"record": Row(False), "result": Row(True, behaviours=["recvmsg-short-control-getresult"])},
)
def a_message_with_too_little_room_for_control_data(ws: Target, ask: bool) -> None:
    """WSARecvMsg pends and ends with STATUS_BUFFER_OVERFLOW and all of the data; flags are MSG_CTRUNC in the header."""
    with ws.udp_pair(connected=False) as (a, b), requests(ws) as request:
        ws.setsockopt(b, IPPROTO_IP, IP_PKTINFO, 1)
        request.record.Offset, request.record.OffsetHigh = 0xDEADBEEF, 0xDEADBEE0
        buffer = bytearray(16)
        expect("result", expected=PENDING, actual=ws.WSARecvMsg(b, [buffer], 1, None, 0, request.record))
        ws.sendto(a, b"datagram", 0, ws.getsockname(b))
        expect_true("event", request.done())
        expect(
            "record",
            expected=(STATUS_BUFFER_OVERFLOW, 8, 0xDEADBEEF, 0xDEADBEE0),
            actual=(
                request.record.Internal,
                request.record.InternalHigh,
                request.record.Offset,
                request.record.OffsetHigh,
            ),
        )
        if ask:
            with fails_with(WSAEMSGSIZE):
                ws.WSAGetOverlappedResult(b, request.record, False)
            expect("flags in the header", expected=MSG_CTRUNC, actual=ws.result(request.record).flags)
        expect("buffer", expected=b"datagram", actual=bytes(buffer[:8]))


@case(
    "overlapped.message.flags-untouched",
    chapter=CHAPTER,
    source=MESSAGE_TEST,
    basis="observed",
    behaviours=["recvmsg-short-control-getresult"],
    requirements=["R6.42"],
    needs_c=True,
)
def a_failed_result_leaves_the_flags_alone(ws: Target) -> None:
    """WSAGetOverlappedResult of a message that was cut stores the count, and leaves the flags as they were."""
    with ws.udp_pair(connected=False) as (a, b), requests(ws) as request:
        ws.setsockopt(b, IPPROTO_IP, IP_PKTINFO, 1)
        expect("result", expected=PENDING, actual=ws.WSARecvMsg(b, [bytearray(16)], 1, None, 0, request.record))
        ws.sendto(a, b"datagram", 0, ws.getsockname(b))
        expect_true("event", request.done())
        moved, flags = ws.c.new(b"\xcc" * 4), ws.c.new(b"\xcc" * 4)
        with fails_with(WSAEMSGSIZE):
            given = (request.record.address, moved.address, 0, flags.address)
            ws.c.check("WSAGetOverlappedResult", b, *given, returns="bool")
        expect("count, flags", expected=(8, 0xCCCCCCCC), actual=(moved.number(), flags.number()))


@case(
    "overlapped.refused.{row}",
    chapter=CHAPTER,
    source=f"{WSARECV}; {CONNECT_TEST}",
    basis="documented",
    requirements=["R6.12"],
    rows={
        "not-connected": Row("stream", WSAENOTCONN),
        "shut-down": Row("shut", WSAESHUTDOWN),
        "no-buffer": Row("no-buffer", WSAEFAULT),
        "peek": Row("peek", WSAEOPNOTSUPP, requirements=["R6.18"]),
        "no-socket": Row("closed", WSAENOTSOCK),
    },
)
def a_call_that_fails_at_once_has_begun_nothing(ws: Target, what: str, code: int) -> None:
    """The call fails with another code than WSA_IO_PENDING: nothing is ever told, the event stays clear."""
    with ws.connected_pair() as (client, server), ws.closing(ws.tcp()) as fresh, requests(ws) as request:
        s, flags = server, 0
        buffers: list[bytearray | None] = [bytearray(4)]
        if what == "stream":
            s = fresh
        elif what == "shut":
            ws.shutdown(server, 0)
        elif what == "no-buffer":
            buffers = [None]
        elif what == "peek":
            ws.send_and_settle(client, b"data")
            flags = MSG_PEEK
        else:
            s = CLOSED
        with fails_with(code):
            ws.WSARecv(s, buffers, flags, request.record)
        expect_true("nothing is told", not request.done(A_MOMENT_MS))
        expect("InternalHigh", expected=NEVER, actual=request.record.InternalHigh)


@case(
    "overlapped.refused.internal-says-pending",
    chapter=CHAPTER,
    source=CONNECT_TEST,
    basis="observed",
    behaviours=["ov-failed-submit-status"],
    requirements=["R6.12"],
)
def a_refused_request_leaves_the_status_pending(ws: Target) -> None:
    """ConnectEx on a socket that is connected fails at once; Internal says STATUS_PENDING all the same."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        with fails_with(10056, variants={WSAEINVAL: "Wine before 5"}):
            ws.ConnectEx(client, ws.getsockname(server), None, request.record)
        expect("Internal", expected=STATUS_PENDING, actual=request.record.Internal)


@case(
    "overlapped.event.reset-by-the-call",
    chapter=CHAPTER,
    source=f"{RESULT}; {CONNECT_TEST}",
    basis="documented",
    behaviours=["ov-event-reset-on-submit"],
    requirements=["R6.13"],
)
def the_call_resets_the_event(ws: Target) -> None:
    """An event that is set is reset when a request begins; it is set again when the connection is made."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s, requests(ws) as request:
        ws.bind(s, loopback())
        ws.WSASetEvent(request.event)
        expect("result", expected=PENDING, actual=ws.ConnectEx(s, ws.getsockname(listening), None, request.record))
        expect("bytes", expected=0, actual=ws.GetOverlappedResult(s, request.record, True))
        expect("Internal", expected=STATUS_SUCCESS, actual=request.record.Internal)
        expect_true("event", request.done(0))
        peer, _ = ws.accept(listening)
        ws.closesocket(peer)


@case(
    "overlapped.event.invalid",
    chapter=CHAPTER,
    source="WinSock/windows-sockets-error-codes-2, WSA_INVALID_HANDLE",
    basis="documented",
    requirements=["R6.14"],
)
def a_handle_that_is_no_event_is_refused(ws: Target) -> None:
    """hEvent leads nowhere: WSA_INVALID_HANDLE, and no data is taken."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        with fails_with(WSA_INVALID_HANDLE):
            ws.WSARecv(server, [bytearray(4)], 0, ws.overlapped(CLOSED))
        expect("data is still there", expected=b"data", actual=ws.receive_exactly(server, 4))


@case(
    "overlapped.event.auto-reset",
    chapter=CHAPTER,
    source="WinSock/event-objects-2",
    basis="documented",
    requirements=["R6.59", "T6.1"],
)
def an_event_of_the_system_will_do(ws: Target) -> None:
    """An auto-reset event made by CreateEvent satisfies one wait of the system when the request is complete."""
    event = ws.CreateEvent(False, False, False)
    with ws.connected_pair() as (client, server):
        record = ws.overlapped(event)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        ws.send(client, b"data")
        waits = [ws.WaitForSingleObject(event, LONG_MS), ws.WaitForSingleObject(event, 0)]
        expect("waits", expected=[0, WAIT_TIMEOUT], actual=waits)
    ws.CloseHandle(event)


@case(
    "overlapped.event.closed-meanwhile",
    chapter=CHAPTER,
    source="WinSock/event-objects-2",
    basis="choice",
    requirements=["R6.64"],
)
def an_event_that_was_closed_is_not_missed(ws: Target) -> None:
    """The event of a request that pends is closed: the request completes, and the record says so."""
    event = ws.WSACreateEvent()
    with ws.connected_pair() as (client, server):
        record = ws.overlapped(event)
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        ws.WSACloseEvent(event)
        ws.send(client, b"data")
        ws.until("complete", lambda: ws.SleepEx(0, True) or record.Internal == STATUS_SUCCESS)
        expect("bytes", expected=4, actual=record.InternalHigh)


@case(
    "overlapped.none.poll",
    chapter=CHAPTER,
    source="WinSock/summary-of-overlapped-completion-indication-mechanisms-in-the-spi-2",
    basis="documented",
    requirements=["T6.1", "R6.8", "R6.41"],
)
def without_event_and_port_the_result_can_be_asked_for(ws: Target) -> None:
    """No event, no port: WSAGetOverlappedResult without waiting says WSA_IO_INCOMPLETE, then the result."""
    with ws.connected_pair() as (client, server):
        record = ws.overlapped()
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        with fails_with(WSA_IO_INCOMPLETE):
            ws.WSAGetOverlappedResult(server, record, False)
        ws.send(client, b"data")
        ws.until("complete", lambda: ws.SleepEx(0, True) or record.Internal != STATUS_PENDING)
        expect("result", expected=(4, 0), actual=ws.WSAGetOverlappedResult(server, record, False))


@case(
    "overlapped.record.used-twice",
    chapter=CHAPTER,
    source=RECV_TEST,
    basis="observed",
    behaviours=["wsarecv-two-same-overlapped", "wsarecv-rst-pending"],
    requirements=["R6.15", "R6.55"],
)
def a_second_request_on_a_record_in_use_pends_as_well(ws: Target) -> None:
    """Two receives with one record pend; a reset ends them: GetOverlappedResult says ERROR_NETNAME_DELETED, 0 bytes."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        first, second = bytearray(4), bytearray(4)
        begin(ws, server, first, request)
        begin(ws, server, second, request)
        ws.reset(client)
        expect_true("event", request.done())
        ws.until("complete", lambda: request.record.Internal != STATUS_PENDING)
        with fails_with(ERROR_NETNAME_DELETED) as caught:
            ws.GetOverlappedResult(server, request.record, False)
        expect("bytes", expected=0, actual=caught.moved or 0)


# ---- flags, sizes, limits of time ------------------------------------------------------------------------------------


@case(
    "overlapped.flags.wait-all",
    chapter=CHAPTER,
    source=WSARECV,
    basis="documented",
    requirements=["R6.27"],
)
def wait_all_waits_for_a_full_buffer(ws: Target) -> None:
    """With MSG_WAITALL a receive pends until its buffer is full; without it the first bytes complete it."""
    with ws.connected_pair() as (client, server), requests(ws, 2) as (whole, some):
        buffer = bytearray(8)
        begin(ws, server, buffer, whole, MSG_WAITALL)
        ws.send(client, b"abcd")
        whole.pends()
        ws.send(client, b"efgh")
        expect("bytes", expected=8, actual=whole.moved(server))
        expect("buffer", expected=b"abcdefgh", actual=bytes(buffer))
        begin(ws, server, buffer, some)
        ws.send(client, b"ijkl")
        expect("bytes without the flag", expected=4, actual=some.moved(server))


@case(
    "overlapped.flags.wait-all-ends",
    chapter=CHAPTER,
    source=f"{WSARECV}, flag MSG_WAITALL",
    basis="documented",
    requirements=["R6.27", "R6.55"],
)
def wait_all_ends_with_the_stream(ws: Target) -> None:
    """The peer ends in the middle of a receive with MSG_WAITALL: it completes with what has come."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        begin(ws, server, bytearray(8), request, MSG_WAITALL)
        ws.send(client, b"abc")
        ws.closesocket(client)
        expect("bytes", expected=3, actual=request.moved(server))


@case(
    "overlapped.flags.partial-in",
    chapter=CHAPTER,
    source=f"{WSASEND}, flag MSG_PARTIAL",
    basis="documented",
    requirements=["R6.12"],
)
def a_stream_knows_no_partial_sends(ws: Target) -> None:
    """MSG_PARTIAL on a stream or a datagram socket of TCP/IP is WSAEOPNOTSUPP for overlapped sends, too."""
    with ws.connected_pair() as (client, _), ws.udp_pair() as (a, _b), requests(ws) as request:
        for s in (client, a):
            with fails_with(WSAEOPNOTSUPP):
                ws.WSASend(s, [b"data"], MSG_PARTIAL, request.record)
        expect_true("nothing is told", not request.done(0))


@case(
    "overlapped.flags.urgent",
    chapter=CHAPTER,
    source=f"{WSARECV}, flag MSG_OOB",
    basis="documented",
    requirements=["R6.7"],
)
def urgent_data_can_be_received_overlapped(ws: Target) -> None:
    """With urgent data there, an overlapped receive with MSG_OOB gets it; with none there it fails at once."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        with fails_with(WSAEINVAL):
            ws.WSARecv(server, [bytearray(4)], MSG_OOB, request.record)
        ws.send(client, b"!", MSG_OOB)
        ws.until("urgent data", lambda: ws.select(None, None, [server], (0, 0))[2])
        buffer = bytearray(4)
        ws.WSARecv(server, [buffer], MSG_OOB, request.record)
        expect("bytes", expected=1, actual=request.moved(server))
        expect("buffer", expected=b"!", actual=bytes(buffer[:1]))


@case(
    "overlapped.empty.waits-for-data",
    chapter=CHAPTER,
    source="Windows 10 and 11; .NET's Socket relies on it",
    basis="observed",
    requirements=["R6.29"],
)
def a_receive_of_no_bytes_waits_for_data_and_leaves_it(ws: Target) -> None:
    """A stream receive without room pends until data comes, completes with 0 bytes, and the data stays."""
    with ws.connected_pair() as (client, server), requests(ws, 2) as (data, end):
        begin(ws, server, bytearray(), data)
        data.pends()
        ws.send(client, b"data")
        expect("bytes", expected=0, actual=data.moved(server))
        expect("data", expected=b"data", actual=ws.receive_exactly(server, 4))
        begin(ws, server, bytearray(), end)
        ws.closesocket(client)
        expect("bytes at the end", expected=0, actual=end.moved(server))


@case(
    "overlapped.empty.behind-another",
    chapter=CHAPTER,
    source=OVERVIEW,
    basis="documented",
    requirements=["R6.22", "R6.29"],
)
def a_receive_of_no_bytes_waits_for_its_turn(ws: Target) -> None:
    """Behind a receive that pends, one of no bytes is complete only when there is more data than the first took."""
    with ws.connected_pair() as (client, server), requests(ws, 2) as (first, empty):
        begin(ws, server, bytearray(4), first)
        begin(ws, server, bytearray(), empty)
        ws.send(client, b"abcd")
        expect("bytes", expected=4, actual=first.moved(server))
        empty.pends()
        ws.send(client, b"e")
        expect("bytes of the empty one", expected=0, actual=empty.moved(server))


@case(
    "overlapped.empty.send",
    chapter=CHAPTER,
    source=WSASEND,
    basis="documented",
    requirements=["R6.10"],
)
def a_send_of_no_bytes_completes(ws: Target) -> None:
    """An overlapped send of nothing on a stream completes with 0 bytes, the peer notices nothing."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        ws.WSASend(client, [b""], 0, request.record)
        expect("bytes", expected=0, actual=request.moved(client))
        expect_true("nothing came", not ws.readable(server, 0.02))


@case(
    "overlapped.time-limit.ignored",
    chapter=CHAPTER,
    source=f"{WSARECV}: SO_RCVTIMEO",
    basis="documented",
    requirements=["R6.21"],
)
def limits_of_time_do_not_end_requests(ws: Target) -> None:
    """SO_RCVTIMEO of 10 ms: an overlapped receive pends beyond it and gets the data."""
    with ws.connected_pair() as (client, server), requests(ws) as request:
        ws.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 10)
        begin(ws, server, bytearray(4), request)
        request.pends()
        ws.send(client, b"data")
        expect("bytes", expected=4, actual=request.moved(server))


# ---- order -----------------------------------------------------------------------------------------------------------


@case(
    "overlapped.order.receives",
    chapter=CHAPTER,
    source=OVERVIEW,
    basis="documented",
    requirements=["R6.22", "R6.23", "R6.24"],
)
def receives_are_filled_in_the_order_of_the_calls(ws: Target) -> None:
    """Ten receives of two bytes pend; twenty bytes that come fill them in the order in which they were issued."""
    with ws.connected_pair() as (client, server), requests(ws, 10) as made:
        buffers = [bytearray(2) for _ in made]
        for buffer, request in zip(buffers, made, strict=True):
            begin(ws, server, buffer, request)
        data = bytes(range(20))
        ws.send(client, data)
        moved = [request.moved(server) for request in made]
        expect("bytes", expected=[2] * 10, actual=moved)
        expect("buffers", expected=data, actual=b"".join(map(bytes, buffers)))


@case(
    "overlapped.order.sends",
    chapter=CHAPTER,
    source=OVERVIEW,
    basis="documented",
    requirements=["R6.22", "R6.2"],
    seconds=60,
)
def sends_are_sent_in_the_order_of_the_calls(ws: Target) -> None:
    """With a full connection three large sends pend; the peer gets their bytes in the order of the calls."""
    size = 300_000
    with ws.connected_pair() as (client, server), requests(ws, 3) as made:
        before = fill(ws, client)
        pieces = [bytes([65 + number]) * size for number in range(3)]
        results = [ws.WSASend(client, [piece], 0, request.record) for piece, request in zip(pieces, made, strict=True)]
        expect("results", expected=[PENDING] * 3, actual=results)
        ws.receive_exactly(server, before)
        got = ws.receive_exactly(server, 3 * size)
        expect_true("bytes in order", got == b"".join(pieces))
        expect("bytes", expected=[size] * 3, actual=[request.moved(client) for request in made])


@case(
    "overlapped.order.posted-receives-come-first",
    chapter=CHAPTER,
    source=OVERVIEW,
    basis="documented",
    requirements=["R6.25", "R6.28"],
)
def data_goes_to_posted_buffers_first(ws: Target) -> None:
    """A receive pends when ten bytes come: it gets four; FIONREAD, select and recv see the other six only."""
    with pending_receive(ws, 4) as (client, server, request, buffer):
        ws.send(client, b"0123456789")
        ws.until("six bytes left", lambda: ws.queued(server) == 6)
        expect("bytes", expected=4, actual=request.moved(server))
        expect("buffer", expected=b"0123", actual=bytes(buffer))
        expect("rest", expected=b"456789", actual=ws.receive_exactly(server, 6))


@case(
    "overlapped.order.select-sees-what-is-left",
    chapter=CHAPTER,
    source=OVERVIEW,
    basis="choice",
    requirements=["R6.25", "R6.28"],
)
def a_socket_is_not_readable_by_data_of_a_posted_receive(ws: Target) -> None:
    """Four bytes come for a receive of four that pends: select says not readable, before and after it is complete."""
    with pending_receive(ws, 4) as (client, server, request, _):
        ws.send(client, b"0123")
        expect("readable at once", expected=[], actual=ws.select([server], None, None, (0, 0))[0])
        count, (events,) = ws.WSAPoll([(server, 0x100)], 20)
        expect("poll", expected=(0, 0), actual=(count, events))
        expect("bytes", expected=4, actual=request.moved(server))
        ws.send_and_settle(client, b"x")
        expect_true("readable by more", ws.readable(server))


@case(
    "overlapped.order.recv-waits-behind",
    chapter=CHAPTER,
    source=OVERVIEW,
    basis="choice",
    requirements=["R6.28"],
)
def a_blocking_receive_waits_behind_a_posted_one(ws: Target) -> None:
    """A receive of two bytes pends, another thread calls recv: of four bytes it gets the last two."""
    with pending_receive(ws, 2) as (client, server, request, first), ws.thread() as other:
        second = bytearray(8)
        receiving = other.start(ws.recv, server, second)
        expect_true("recv waits", not receiving.finished_within(0.03))
        ws.send(client, b"abcd")
        expect("recv", expected=2, actual=receiving.result())
        expect("posted", expected=2, actual=request.moved(server))
        expect("data", expected=(b"ab", b"cd"), actual=(bytes(first), bytes(second[:2])))


@case(
    "overlapped.order.non-blocking-behind",
    chapter=CHAPTER,
    source=OVERVIEW,
    basis="choice",
    requirements=["R6.28", "R6.108"],
)
def a_non_blocking_receive_gets_what_is_left(ws: Target) -> None:
    """A receive of two bytes pends on a non-blocking socket; four bytes come, and recv gets the last two at once."""
    with pending_receive(ws, 2) as (client, server, request, first):
        ws.nonblocking(server)
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(server, bytearray(4))
        ws.send(client, b"abcd")
        buffer = bytearray(4)
        ws.until("the rest", lambda: ws.queued(server) == 2)
        expect("recv", expected=2, actual=ws.recv(server, buffer))
        expect("posted", expected=2, actual=request.moved(server))
        expect("data", expected=(b"ab", b"cd"), actual=(bytes(first), bytes(buffer[:2])))


@case(
    "overlapped.buffers.no-receive-buffer-datagrams",
    chapter=CHAPTER,
    source=f"{OVERVIEW}: SO_RCVBUF 0",
    basis="documented",
    requirements=["R6.25"],
)
def without_a_receive_buffer_datagrams_need_a_posted_one(ws: Target) -> None:
    """SO_RCVBUF 0: a datagram that finds no posted receive is lost, one that finds one is delivered."""
    with ws.udp_pair() as (a, b), requests(ws) as request:
        ws.setsockopt(b, SOL_SOCKET, SO_RCVBUF, 0)
        expect("option", expected=0, actual=ws.get_int(b, SOL_SOCKET, SO_RCVBUF))
        ws.send(a, b"lost")
        buffer = bytearray(8)
        begin(ws, b, buffer, request)
        ws.send(a, b"found")
        expect("bytes", expected=5, actual=request.moved(b))
        expect("buffer", expected=b"found", actual=bytes(buffer[:5]))


@case(
    "overlapped.buffers.no-receive-buffer-stream",
    chapter=CHAPTER,
    source=f"{OVERVIEW}: SO_RCVBUF 0",
    basis="documented",
    requirements=["R6.25"],
)
def without_a_receive_buffer_a_stream_loses_nothing(ws: Target) -> None:
    """SO_RCVBUF 0 on a stream: data goes to posted receives, and none is lost between them."""
    with ws.connected_pair() as (client, server), requests(ws, 2) as (first, second):
        ws.setsockopt(server, SOL_SOCKET, SO_RCVBUF, 0)
        one, two = bytearray(4), bytearray(4)
        begin(ws, server, one, first)
        ws.send(client, b"abcd")
        expect("bytes", expected=4, actual=first.moved(server))
        ws.send(client, b"efgh")
        ws.WSARecv(server, [two], 0, second.record)
        expect("bytes", expected=4, actual=second.moved(server))
        expect("data", expected=b"abcdefgh", actual=bytes(one + two))


@case(
    "overlapped.buffers.no-send-buffer",
    chapter=CHAPTER,
    source="WinSock/overlapped-i-o-2: SO_SNDBUF 0",
    basis="documented",
    requirements=["R6.26"],
    seconds=60,
)
def without_a_send_buffer_a_send_is_complete_when_acknowledged(ws: Target) -> None:
    """SO_SNDBUF 0: a send beyond what the peer takes pends until the peer has received it."""
    size = 8 << 20
    with ws.connected_pair() as (client, server), requests(ws, 2) as (large, small):
        ws.setsockopt(client, SOL_SOCKET, SO_SNDBUF, 0)
        data = bytes(size)
        expect("result", expected=PENDING, actual=ws.WSASend(client, [data], 0, large.record))
        large.pends()
        ws.receive_exactly(server, size)
        expect("bytes", expected=size, actual=large.moved(client))
        ws.WSASend(client, [b"data"], 0, small.record)
        expect("bytes of a small one", expected=4, actual=small.moved(client))
        expect("data", expected=b"data", actual=ws.receive_exactly(server, 4))


# ---- asking for the outcome ------------------------------------------------------------------------------------------


@case(
    "overlapped.result.incomplete",
    chapter=CHAPTER,
    source=RESULT,
    basis="documented",
    requirements=["R6.41"],
)
def a_result_that_is_not_there_is_incomplete(ws: Target) -> None:
    """Without waiting: WSA_IO_INCOMPLETE; kernel32 says ERROR_IO_INCOMPLETE, also with a limit of no time."""
    with pending_receive(ws) as (_, server, request, _b):
        with fails_with(WSA_IO_INCOMPLETE):
            ws.WSAGetOverlappedResult(server, request.record, False)
        with fails_with(ERROR_IO_INCOMPLETE):
            ws.GetOverlappedResult(server, request.record, False)
        with fails_with(ERROR_IO_INCOMPLETE):
            ws.GetOverlappedResultEx(server, request.record, 0, False)
        with fails_with(WAIT_TIMEOUT):
            ws.GetOverlappedResultEx(server, request.record, 20, False)


@case(
    "overlapped.result.waits-{row}",
    chapter=CHAPTER,
    source=RESULT,
    basis="documented",
    requirements=["R6.43"],
    rows={"for-its-event": Row(True), "without-one": Row(False, requirements=["R6.44"], basis="choice")},
)
def a_result_can_be_waited_for(ws: Target, event: bool) -> None:
    """With fWait the call returns when the request completes, with an event in the record or without."""
    with ws.connected_pair() as (client, server), requests(ws) as request, ws.thread() as other:
        record = request.record if event else ws.overlapped()
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        waiting = other.start(ws.WSAGetOverlappedResult, server, record, True)
        expect_true("it waits", not waiting.finished_within(0.03))
        ws.send(client, b"data")
        expect("result", expected=(4, 0), actual=waiting.result())


@case(
    "overlapped.result.several-wait",
    chapter=CHAPTER,
    source=RESULT,
    basis="choice",
    requirements=["R6.44"],
)
def several_threads_can_wait_for_one_result(ws: Target) -> None:
    """Two threads wait for one request without an event: both get its result."""
    with ws.connected_pair() as (client, server), ws.thread() as one, ws.thread() as two:
        record = ws.overlapped()
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, record))
        waiting = [thread.start(ws.GetOverlappedResult, server, record, True) for thread in (one, two)]
        expect_true("they wait", not any(each.finished_within(0.02) for each in waiting))
        ws.send(client, b"data")
        expect("results", expected=[4, 4], actual=[each.result() for each in waiting])


@case(
    "overlapped.result.again-and-again",
    chapter=CHAPTER,
    source="Windows 10 and 11",
    basis="observed",
    requirements=["R6.46", "R6.40"],
)
def a_result_can_be_asked_for_again(ws: Target) -> None:
    """The same result comes every time, until the record is used for another request."""
    with pending_receive(ws) as (client, server, request, _):
        ws.send(client, b"data")
        expect_true("event", request.done())
        results = [ws.WSAGetOverlappedResult(server, request.record, wait) for wait in (False, True, False)]
        expect("results", expected=[(4, 0)] * 3, actual=results)
        ws.WSASend(server, [b"longer"], 0, request.record)
        expect(
            "after the next request", expected=(6, 0), actual=ws.WSAGetOverlappedResult(server, request.record, True)
        )


@case(
    "overlapped.result.errors",
    chapter=CHAPTER,
    source=RESULT,
    basis="documented",
    requirements=["R6.45", "R6.47", "B32"],
)
def a_result_needs_a_socket_a_record_and_an_event(ws: Target) -> None:
    """No record: WSAEFAULT; a closed socket: WSAENOTSOCK, though the record has the result; hEvent that is no event."""
    with pending_receive(ws) as (client, server, request, _):
        with fails_with(WSAEFAULT):
            ws.WSAGetOverlappedResult(server, None, False)
        ws.send(client, b"data")
        expect("bytes", expected=4, actual=request.moved(server))
        with fails_with(WSAENOTSOCK):
            ws.WSAGetOverlappedResult(CLOSED, request.record, False)
        ws.closesocket(server)
        with fails_with(WSAENOTSOCK):
            ws.WSAGetOverlappedResult(server, request.record, False)
        expect("kernel32 asks the record", expected=4, actual=ws.GetOverlappedResult(server, request.record, False))
    with ws.connected_pair() as (_, server):
        record = ws.overlapped(CLOSED)
        record.Internal = STATUS_PENDING
        with fails_with(WSA_INVALID_HANDLE):
            ws.WSAGetOverlappedResult(server, record, True)


@case(
    "overlapped.result.needs-startup",
    chapter=CHAPTER,
    source=RESULT,
    basis="documented",
    requirements=["R6.45"],
    manages_startup=True,
)
def a_result_needs_a_startup(ws: Target) -> None:
    """Before WSAStartup: WSANOTINITIALISED."""
    with fails_with(WSANOTINITIALISED):
        ws.WSAGetOverlappedResult(CLOSED, ws.overlapped(), False)


@case(
    "overlapped.result.failed",
    chapter=CHAPTER,
    source=RESULT,
    basis="documented",
    requirements=["R6.42", "R6.55", "R2.9"],
)
def a_failed_request_fails_its_result(ws: Target) -> None:
    """A reset: WSAECONNRESET from Winsock, ERROR_NETNAME_DELETED from the system, STATUS_CONNECTION_RESET inside."""
    with pending_receive(ws) as (client, server, request, _):
        ws.reset(client)
        request.fails(server, WSAECONNRESET)
        with fails_with(ERROR_NETNAME_DELETED):
            ws.GetOverlappedResult(server, request.record, True)
        expect("Internal", expected=STATUS_CONNECTION_RESET, actual=request.record.Internal)


@case(
    "overlapped.result.failed-stores-no-count",
    chapter=CHAPTER,
    source=RESULT,
    basis="documented",
    requirements=["R6.42"],
    needs_c=True,
)
def a_failed_result_stores_no_count(ws: Target) -> None:
    """After a reset WSAGetOverlappedResult returns FALSE, and the count and flags stay as they were."""
    with pending_receive(ws) as (client, server, request, _):
        ws.reset(client)
        expect_true("event", request.done())
        moved, flags = ws.c.new(b"\xcc" * 4), ws.c.new(b"\xcc" * 4)
        given = (request.record.address, moved.address, 0, flags.address)
        with fails_with(WSAECONNRESET):
            ws.c.check("WSAGetOverlappedResult", server, *given, returns="bool")
        expect("count, flags", expected=(0xCCCCCCCC, 0xCCCCCCCC), actual=(moved.number(), flags.number()))


@case(
    "overlapped.result.by-hand-{row}",
    chapter=CHAPTER,
    source=RESULT_TEST,
    basis="observed",
    requirements=["R6.46"],
    rows={
        "zero": Row(0, 0, None, behaviours=["gor-zero-struct"]),
        "count": Row(0, 0xABCD, None, behaviours=["gor-internalhigh"]),
        "failed": Row(STATUS_INVALID_HANDLE, 0xABCD, ERROR_INVALID_HANDLE, behaviours=["gor-failed-status"]),
        "pending": Row(STATUS_PENDING, 0xABCD, ERROR_IO_INCOMPLETE, behaviours=["gor-pending"]),
    },
)
def the_system_only_looks_at_the_record(ws: Target, status: int, count: int, code: int | None) -> None:
    """GetOverlappedResult with handle 0 and a record filled by hand: all of the outcome comes out of the record."""
    record = ws.overlapped()
    record.Internal, record.InternalHigh = status, count
    if code is None:
        expect("bytes", expected=count, actual=ws.GetOverlappedResult(0, record, False))
        return
    with fails_with(code) as caught:
        ws.GetOverlappedResult(0, record, False)
    told = count if code == ERROR_INVALID_HANDLE else 0  # of one that pends the count variable is left alone
    expect("bytes", expected=told, actual=caught.moved or 0)


@case(
    "overlapped.result.event-decides",
    chapter=CHAPTER,
    source=RESULT_TEST,
    basis="observed",
    behaviours=["gor-wait-signalled-event"],
    requirements=["R6.43"],
)
def the_event_decides_when_the_wait_is_over(ws: Target) -> None:
    """A record that says STATUS_PENDING with an event that is set: waiting succeeds, with the count of the record."""
    with requests(ws) as request:
        ws.WSASetEvent(request.event)
        request.record.Internal, request.record.InternalHigh = STATUS_PENDING, 0xABCD
        expect("bytes", expected=0xABCD, actual=ws.GetOverlappedResult(0, request.record, True))


@case(
    "overlapped.result.no-request-needed",
    chapter=CHAPTER,
    source="Wine's public test sock.c:test_WSAGetOverlappedResult, which passes on Windows",
    basis="observed",
    behaviours=["wgor-no-request-needed"],
    requirements=["R6.40"],
)
def winsock_needs_no_request_either(ws: Target) -> None:
    """A socket that has never had a request, a record filled by hand: the result is what the record says."""
    with ws.closing(ws.tcp()) as s:
        record = ws.overlapped()
        record.Internal, record.InternalHigh = STATUS_SUCCESS, 0xABCD
        expect("result", expected=(0xABCD, 0), actual=ws.WSAGetOverlappedResult(s, record, False))
        record.Internal = STATUS_PENDING
        with fails_with(WSA_IO_INCOMPLETE):
            ws.WSAGetOverlappedResult(s, record, False)
        record.Internal = STATUS_CONNECTION_RESET
        with fails_with(WSAECONNRESET):
            ws.WSAGetOverlappedResult(s, record, False)


@case(
    "overlapped.result.with-routine",
    chapter=CHAPTER,
    source=RESULT,
    basis="choice",
    requirements=["R6.43"],
)
def a_request_with_a_routine_cannot_be_waited_for(ws: Target) -> None:
    """fWait with a completion routine: WSA_INVALID_PARAMETER."""
    with ws.connected_pair() as (client, server):
        record = ws.overlapped()
        told: list[int] = []
        got = ws.WSARecv(server, [bytearray(4)], 0, record, lambda *outcome: told.append(1))
        expect("result", expected=PENDING, actual=got)
        with fails_with(WSA_INVALID_PARAMETER):
            ws.WSAGetOverlappedResult(server, record, True)
        ws.send(client, b"data")
        expect("alertable wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(LONG_MS, True))
        expect("calls", expected=[1], actual=told)


@case(
    "overlapped.result.alertable",
    chapter=CHAPTER,
    source="ioapiset/nf-ioapiset-getoverlappedresultex",
    basis="documented",
    requirements=["R6.32"],
)
def a_result_can_be_waited_for_alertably(ws: Target) -> None:
    """GetOverlappedResultEx, alertable: an APC ends the wait with WAIT_IO_COMPLETION; then data gives the result."""
    with pending_receive(ws) as (client, server, request, _):
        ran: list[int] = []
        ws.QueueUserAPC(ran.append, ws.GetCurrentThread(), 7)
        with fails_with(WAIT_IO_COMPLETION):
            ws.GetOverlappedResultEx(server, request.record, LONG_MS, True)
        expect("APCs", expected=[7], actual=ran)
        ws.send(client, b"data")
        expect("bytes", expected=4, actual=ws.GetOverlappedResultEx(server, request.record, LONG_MS, True))


# ---- cancelling and closing ------------------------------------------------------------------------------------------


@case(
    "overlapped.close.cancels",
    chapter=CHAPTER,
    source=CLOSE,
    basis="documented",
    requirements=["R6.48", "R6.49"],
)
def closing_cancels_what_pends(ws: Target) -> None:
    """closesocket ends requests of both threads with WSA_OPERATION_ABORTED, and their events are set."""
    with ws.connected_pair() as (_, server), requests(ws, 3) as made, ws.thread() as other:
        begin(ws, server, bytearray(4), made[0])
        other.call(begin, ws, server, bytearray(4), made[1])
        begin(ws, server, bytearray(4), made[2])
        ws.closesocket(server)
        for request in made:
            expect_true("event", request.done())
            with fails_with(ERROR_OPERATION_ABORTED):
                ws.GetOverlappedResult(server, request.record, False)
            expect("Internal", expected=STATUS_CANCELLED, actual=request.record.Internal)


@case(
    "overlapped.close.sends-that-pend",
    chapter=CHAPTER,
    source=CLOSE,
    basis="documented",
    requirements=["R6.48"],
    seconds=60,
)
def closing_cancels_sends_that_pend(ws: Target) -> None:
    """A send that the full connection has not taken ends with WSA_OPERATION_ABORTED when the socket is closed."""
    with ws.connected_pair() as (client, _), requests(ws) as request:
        fill(ws, client)
        expect("result", expected=PENDING, actual=ws.WSASend(client, [bytes(1 << 20)], 0, request.record))
        ws.closesocket(client)
        expect_true("event", request.done())
        with fails_with(ERROR_OPERATION_ABORTED):
            ws.GetOverlappedResult(client, request.record, False)


@case(
    "overlapped.close.shared",
    chapter=CHAPTER,
    source=f"{CLOSE}; WinSock/shared-sockets-2",
    basis="documented",
    requirements=["R6.50"],
)
def closing_one_descriptor_cancels_its_own_requests_only(ws: Target) -> None:
    """Two descriptors of one socket with a receive each: closing one ends its receive, the other gets the data."""
    with ws.connected_pair() as (client, server), requests(ws, 2) as (closed, kept):
        again = ws.WSASocket(
            -1, -1, -1, ws.WSADuplicateSocket(server, ws.GetCurrentProcessId()), 0, WSA_FLAG_OVERLAPPED
        )
        with ws.closing(again):
            begin(ws, server, bytearray(4), closed)
            begin(ws, again, bytearray(4), kept)
            ws.closesocket(server)
            expect_true("event", closed.done())
            expect("Internal", expected=STATUS_CANCELLED, actual=closed.record.Internal)
            kept.pends()
            ws.send(client, b"data")
            expect("bytes", expected=4, actual=kept.moved(again))


@case(
    "overlapped.close.cleanup-tells-nobody",
    chapter=CHAPTER,
    source=CLEANUP,
    basis="documented",
    requirements=["R1.18"],
    manages_startup=True,
)
def the_last_cleanup_cancels_silently(ws: Target) -> None:
    """WSACleanup ends requests as aborted, sets no event and runs no routine; the record says STATUS_CANCELLED."""
    ws.WSAStartup(0x0202)
    event = ws.CreateEvent(False, True, False)
    told: list[int] = []
    with ws.listener() as listening:
        client = ws.tcp()
        ws.connect(client, ws.getsockname(listening))
        server, _ = ws.accept(listening)
        by_event, by_routine = ws.overlapped(event), ws.overlapped()
        expect("result", expected=PENDING, actual=ws.WSARecv(server, [bytearray(4)], 0, by_event))
        got = ws.WSARecv(client, [bytearray(4)], 0, by_routine, lambda *outcome: told.append(1))
        expect("result", expected=PENDING, actual=got)
        ws.WSACleanup()
    waits = [ws.WaitForSingleObject(event, A_MOMENT_MS), ws.SleepEx(0, True)]
    expect("waits", expected=[WAIT_TIMEOUT, 0], actual=waits)
    expect("calls", expected=[], actual=told)
    statuses = [by_event.Internal, by_routine.Internal]
    expect("Internal", expected=[STATUS_CANCELLED] * 2, actual=statuses)
    ws.CloseHandle(event)


@case(
    "overlapped.cancel.of-this-thread",
    chapter=CHAPTER,
    source="fileio/cancelio",
    basis="documented",
    requirements=["R6.51"],
)
def cancel_io_is_for_the_calling_thread(ws: Target) -> None:
    """CancelIo ends the requests that the calling thread has issued on the socket, and no other thread's."""
    with ws.connected_pair() as (client, server), requests(ws, 2) as (mine, its), ws.thread() as other:
        begin(ws, server, bytearray(4), mine)
        other.call(begin, ws, server, bytearray(4), its)
        ws.CancelIo(server)
        mine.fails(server, WSA_OPERATION_ABORTED)
        its.pends()
        ws.send(client, b"data")
        expect("bytes of the other", expected=4, actual=its.moved(server))
        ws.CancelIo(server)  # nothing pends, which is no error


@case(
    "overlapped.cancel.one-or-all",
    chapter=CHAPTER,
    source=CANCEL,
    basis="documented",
    requirements=["R6.51", "R6.52"],
)
def cancel_io_ex_is_for_one_or_for_all(ws: Target) -> None:
    """CancelIoEx ends the request of one record, or without one all of them, of whatever thread."""
    with ws.connected_pair() as (_, server), requests(ws, 4) as made, ws.thread() as other:
        for request in made[:2]:
            begin(ws, server, bytearray(4), request)
        for request in made[2:]:
            other.call(begin, ws, server, bytearray(4), request)
        ws.CancelIoEx(server, made[2].record)
        made[2].fails(server, WSA_OPERATION_ABORTED)
        made[0].pends()
        ws.CancelIoEx(server)
        for request in (made[0], made[1], made[3]):
            request.fails(server, WSA_OPERATION_ABORTED)
        with fails_with(ERROR_NOT_FOUND):
            ws.CancelIoEx(server)


@case(
    "overlapped.cancel.too-late",
    chapter=CHAPTER,
    source=CANCEL,
    basis="documented",
    requirements=["R6.51"],
)
def what_is_complete_keeps_its_result(ws: Target) -> None:
    """CancelIoEx of a request that is complete: ERROR_NOT_FOUND, and the result stays."""
    with pending_receive(ws) as (client, server, request, _):
        ws.send(client, b"data")
        expect("bytes", expected=4, actual=request.moved(server))
        with fails_with(ERROR_NOT_FOUND):
            ws.CancelIoEx(server, request.record)
        expect("bytes", expected=4, actual=request.moved(server))


@case(
    "overlapped.cancel.another-socket",
    chapter=CHAPTER,
    source=CANCEL,
    basis="documented",
    requirements=["R6.51"],
)
def a_record_is_looked_for_on_its_socket(ws: Target) -> None:
    """CancelIoEx with the record of another socket's request: ERROR_NOT_FOUND; no handle: ERROR_INVALID_HANDLE."""
    with pending_receive(ws) as (client, _, request, _b):
        with fails_with(ERROR_NOT_FOUND):
            ws.CancelIoEx(client, request.record)
        with fails_with(ERROR_INVALID_HANDLE):
            ws.CancelIoEx(CLOSED, request.record)
        with fails_with(ERROR_INVALID_HANDLE):
            ws.CancelIo(CLOSED)
        request.pends()


@case(
    "overlapped.cancel.middle-of-the-queue",
    chapter=CHAPTER,
    source=CANCEL,
    basis="documented",
    requirements=["R6.51", "R6.22"],
)
def the_others_keep_their_order(ws: Target) -> None:
    """The second of three receives is cancelled: the first and the third get the data in order."""
    with ws.connected_pair() as (client, server), requests(ws, 3) as made:
        buffers = [bytearray(2) for _ in made]
        for buffer, request in zip(buffers, made, strict=True):
            begin(ws, server, buffer, request)
        ws.CancelIoEx(server, made[1].record)
        made[1].fails(server, WSA_OPERATION_ABORTED)
        ws.send(client, b"abcd")
        expect("bytes", expected=[2, 2], actual=[made[0].moved(server), made[2].moved(server)])
        expect("buffers", expected=[b"ab", b"\0\0", b"cd"], actual=list(map(bytes, buffers)))


@case(
    "overlapped.cancel.synchronous",
    chapter=CHAPTER,
    source="fileio/cancelsynchronousio-func",
    basis="documented",
    requirements=["R6.51"],
    behaviours=["csio-cancels"],
)
def a_blocking_call_of_another_thread_can_be_cancelled(ws: Target) -> None:
    """CancelSynchronousIo ends a recv of that thread with WSA_OPERATION_ABORTED; with no call: ERROR_NOT_FOUND."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        handle = other.call(ws.DuplicateHandle, ws.GetCurrentProcess(), ws.GetCurrentThread(), ws.GetCurrentProcess())
        with fails_with(ERROR_NOT_FOUND):
            ws.CancelSynchronousIo(handle)
        receiving = other.start(ws.recv, server, bytearray(4))
        expect_true("it waits", not receiving.finished_within(0.03))
        ws.CancelSynchronousIo(handle)
        with fails_with(WSA_OPERATION_ABORTED):
            receiving.result()
        ws.CloseHandle(handle)
        ws.send(client, b"data")
        expect("the socket goes on", expected=b"data", actual=ws.receive_exactly(server, 4))


@case(
    "overlapped.close.blocking-call",
    chapter=CHAPTER,
    source="Windows' classic providers",
    basis="choice",
    requirements=["R6.54"],
)
def closing_ends_a_blocking_call_behind_a_request(ws: Target) -> None:
    """A recv waits behind a receive that pends; closing ends both, recv with WSAEINTR."""
    with pending_receive(ws) as (_, server, request, _b), ws.thread() as other:
        receiving = other.start(ws.recv, server, bytearray(4))
        expect_true("it waits", not receiving.finished_within(0.03))
        ws.closesocket(server)
        with fails_with(WSAEINTR, variants={WSAENOTSOCK: "newer providers", WSA_OPERATION_ABORTED: "newer providers"}):
            receiving.result()
        expect_true("event", request.done())
        expect("Internal", expected=STATUS_CANCELLED, actual=request.record.Internal)


@case(
    "overlapped.close.peer-{row}",
    chapter=CHAPTER,
    source=WSARECV,
    basis="documented",
    requirements=["R6.55"],
    rows={"ends": Row(False), "resets": Row(True)},
)
def the_end_of_the_peer_completes_receives(ws: Target, reset: bool) -> None:
    """A graceful end completes every receive with 0 bytes, a reset with WSAECONNRESET."""
    with ws.connected_pair() as (client, server), requests(ws, 2) as made:
        for request in made:
            begin(ws, server, bytearray(4), request)
        if reset:
            ws.reset(client)
        else:
            ws.closesocket(client)
        for request in made:
            if reset:
                request.fails(server, WSAECONNRESET)
            else:
                expect("bytes", expected=0, actual=request.moved(server))


@case(
    "overlapped.thread.its-end-cancels",
    chapter=CHAPTER,
    source=f"{WSARECV}; {RESULT}",
    basis="documented",
    requirements=["R6.38"],
)
def the_end_of_a_thread_cancels_its_requests(ws: Target) -> None:
    """A thread issues a receive and ends: WSA_OPERATION_ABORTED by its event; no routine runs."""
    told: list[int] = []
    with ws.connected_pair() as (client, server), requests(ws, 2) as (by_event, mine):
        begin(ws, server, bytearray(4), mine)
        with ws.thread() as other:
            other.call(begin, ws, server, bytearray(4), by_event)
            routed = ws.overlapped()
            got = other.call(ws.WSARecv, client, [bytearray(4)], 0, routed, lambda *outcome: told.append(1))
            expect("result", expected=PENDING, actual=got)
        by_event.fails(server, WSA_OPERATION_ABORTED)
        ws.until("cancelled", lambda: routed.Internal == STATUS_CANCELLED)
        mine.pends()
        ws.SleepEx(0, True)
        expect("calls", expected=[], actual=told)


@case(
    "overlapped.flags.final-ones",
    chapter=CHAPTER,
    source=f"{WSARECV}, parameter lpFlags",
    basis="documented",
    requirements=["R6.19", "R6.30"],
)
def the_final_flags_come_with_the_outcome(ws: Target) -> None:
    """MSG_WAITALL goes in and stays in lpFlags while a request pends; none comes out with its result or routine."""
    told: list[int] = []
    with ws.connected_pair() as (client, server), requests(ws) as request:
        begin(ws, server, bytearray(4), request, MSG_WAITALL)
        routed = ws.WSARecv(
            server, [bytearray(4)], MSG_WAITALL, ws.overlapped(), lambda error, moved, record, flags: told.append(flags)
        )
        expect("result", expected=PENDING, actual=routed)
        ws.send(client, b"datamore")
        expect_true("event", request.done())
        expect("result", expected=(4, 0), actual=ws.WSAGetOverlappedResult(server, request.record, False))
        expect("wait", expected=WAIT_IO_COMPLETION, actual=ws.SleepEx(LONG_MS, True))
        expect("flags of the routine", expected=[0], actual=told)


@case(
    "overlapped.many.pend-or-are-refused",
    chapter=CHAPTER,
    source=WSARECV,
    basis="documented",
    requirements=["R6.20", "R6.22"],
    seconds=60,
)
def very_many_requests_pend_or_are_refused(ws: Target) -> None:
    """Of 3000 receives each pends or fails with WSAEWOULDBLOCK or WSAENOBUFS; those that pend get bytes in order."""
    count = 3000
    with ws.connected_pair() as (client, server):
        made = []
        for _ in range(count):
            record, buffer = ws.overlapped(), bytearray(1)
            try:
                expect("result", expected=PENDING, actual=ws.WSARecv(server, [buffer], 0, record))
            except Failed as failure:
                expect_true("a limit", failure.code in (WSAEWOULDBLOCK, WSAENOBUFS), actual=failure.code)
                break
            made.append((record, buffer))
        data = bytes(number % 251 for number in range(len(made)))
        ws.send(client, data)
        last = made[-1][0]
        expect("the last one", expected=1, actual=ws.GetOverlappedResult(server, last, True))
        statuses = {record.Internal for record, _ in made}
        expect("Internal of all", expected={STATUS_SUCCESS}, actual=statuses)
        expect_true("bytes in order", b"".join(bytes(buffer) for _, buffer in made) == data)


@case(
    "overlapped.non-blocking.send-counts",
    chapter=CHAPTER,
    source="WinSock/nonblocking-i-o-2",
    basis="documented",
    requirements=["R6.108", "R6.109"],
    seconds=60,
)
def a_non_blocking_send_tells_what_it_has_accepted(ws: Target) -> None:
    """Sends on a full connection: each count is what the peer gets, WSAEWOULDBLOCK means that nothing was taken."""
    with ws.connected_pair() as (client, server):
        ws.nonblocking(client)
        accepted, block = bytearray(), bytes(range(256)) * 512
        while True:
            try:
                moved = ws.send(client, block)
            except Failed as failure:
                expect("code", expected=WSAEWOULDBLOCK, actual=failure.code)
                break
            expect_true("a count of bytes", 0 < moved <= len(block), actual=moved)
            accepted += block[:moved]
        expect_true("the peer gets exactly that", ws.receive_exactly(server, len(accepted)) == bytes(accepted))
        expect_true("and nothing more", not ws.readable(server, 0.02))
