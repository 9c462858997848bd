"""Registered I/O: memory registered once, requests and results in queues."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..addresses import SIZE_IN, loopback, port_of
from ..constants import (
    AF_INET,
    INVALID_HANDLE_VALUE,
    INVALID_SOCKET,
    IP_PKTINFO,
    IPPROTO_IP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MSG_TRUNC,
    RIO_CMSG_BASE_SIZE,
    RIO_MAX_CQ_SIZE,
    RIO_MSG_COMMIT_ONLY,
    RIO_MSG_DEFER,
    RIO_MSG_DONT_NOTIFY,
    RIO_MSG_WAITALL,
    SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
    SOCK_DGRAM,
    SOCK_STREAM,
    WSA_FLAG_OVERLAPPED,
    WSA_FLAG_REGISTERED_IO,
    WSA_OPERATION_ABORTED,
    WSA_WAIT_EVENT_0,
    WSA_WAIT_TIMEOUT,
    WSAEALREADY,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOBUFS,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAID_CONNECTEX,
    WSAID_MULTIPLE_RIO,
)
from ..controldata import objects
from ..model import Row, case
from ..registering import TABLE_SIZE, Notification, Result
from ..target import Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Registered I/O"
TABLE = "winsock/winsock-ioctls, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER"
REGISTER = "mswsock/nc-mswsock-lpfn_rioregisterbuffer"
CREATE_CQ = "mswsock/nc-mswsock-lpfn_riocreatecompletionqueue"
RESIZE_CQ = "mswsock/nc-mswsock-lpfn_rioresizecompletionqueue"
CREATE_RQ = "mswsock/nc-mswsock-lpfn_riocreaterequestqueue"
RESIZE_RQ = "mswsock/nc-mswsock-lpfn_rioresizerequestqueue"
RECEIVE = "mswsock/nc-mswsock-lpfn_rioreceive"
RECEIVE_EX = "mswsock/nc-mswsock-lpfn_rioreceiveex"
SEND = "mswsock/nc-mswsock-lpfn_riosend"
SEND_EX = "mswsock/nc-mswsock-lpfn_riosendex"
DEQUEUE = "mswsock/nc-mswsock-lpfn_riodequeuecompletion"
NOTIFY = "mswsock/nc-mswsock-lpfn_rionotify"

FLAGS = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO
SOCKADDR_INET = 28
ROOM = 1024


@contextlib.contextmanager
def registered_udp(ws: Target) -> Iterator[tuple[int, int]]:
    """A bound UDP socket for registered I/O, and an ordinary one that has it as its peer."""
    s = ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, None, 0, FLAGS)
    other = ws.udp()
    with ws.closing(s, other):
        ws.bind(s, loopback(AF_INET))
        ws.bind(other, loopback(AF_INET))
        ws.connect(other, ws.getsockname(s))
        yield s, other


@contextlib.contextmanager
def registered_tcp(ws: Target) -> Iterator[tuple[int, int]]:
    """A connected TCP socket for registered I/O, and the other end."""
    s = ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, FLAGS)
    with ws.closing(s), ws.listener() as listener:
        ws.connect(s, ws.getsockname(listener))
        other, _ = ws.accept(listener)
        with ws.closing(other):
            yield s, other


def results(ws: Target, cq: int, count: int) -> list[Result]:
    """So many results, waited for."""
    found: list[Result] = []

    def enough() -> bool:
        found.extend(ws.RIODequeueCompletion(cq, count - len(found)))
        return len(found) == count

    ws.until(f"{count} results", enough)
    return found


def outcomes(found: list[Result]) -> list[tuple[int, int, int]]:
    """Of results: the request's context, status and bytes."""
    return [(one.request_context, one.status, one.moved) for one in found]


# The table


@case("rio.table.is-found-by-its-guid", chapter=CHAPTER, source=TABLE, basis="documented", needs_c=True)
def table_has_its_size_and_thirteen_functions(ws: Target) -> None:
    """The control code stores a table: its own size, then thirteen function pointers."""
    s = ws.udp()
    with ws.closing(s):
        table = ws.WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, WSAID_MULTIPLE_RIO.bytes_le, TABLE_SIZE)
    numbers = [int.from_bytes(table[at : at + 8], "little") for at in range(0, TABLE_SIZE, 8)]
    expect("cbSize", expected=TABLE_SIZE, actual=numbers[0] & 0xFFFFFFFF)
    expect("different pointers", expected=13, actual=len(set(numbers[1:]) - {0}))


@case("rio.table.other-guid", chapter=CHAPTER, source=TABLE, basis="documented")
def other_guids_are_not_known(ws: Target) -> None:
    """There is no table under the GUID of a single function."""
    s = ws.udp()
    with ws.closing(s), fails_with(WSAEINVAL):
        ws.WSAIoctl(s, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, WSAID_CONNECTEX.bytes_le, TABLE_SIZE)


# Memory


@case(
    "rio.buffer.bad-{row}",
    chapter=CHAPTER,
    source=REGISTER,
    basis="documented",
    rows={"null": Row(None, WSAEFAULT), "empty": Row(bytearray(), WSAEINVAL)},
)
def bad_buffers_are_refused(ws: Target, buffer: bytearray | None, code: int) -> None:
    """A NULL buffer is WSAEFAULT, one without length WSAEINVAL."""
    with fails_with(code):
        ws.RIORegisterBuffer(buffer)


@case("rio.buffer.deregistered", chapter=CHAPTER, source=RECEIVE, basis="documented")
def deregistered_memory_is_a_fault(ws: Target) -> None:
    """A request with a buffer that is not registered any more fails at once."""
    with registered_udp(ws) as (s, _):
        cq = ws.RIOCreateCompletionQueue(2)
        rq = ws.RIOCreateRequestQueue(s, 1, 1, 1, 1, cq, cq)
        memory = ws.rio_memory(16)
        ws.RIODeregisterBuffer(memory.id)
        with fails_with(WSAEFAULT):
            ws.RIOReceive(rq, memory.piece(0, 16))


@case("rio.buffer.piece-beyond-end", chapter=CHAPTER, source=RECEIVE, basis="choice")
def a_piece_lies_inside_of_its_buffer(ws: Target) -> None:
    """A piece that reaches beyond the registered memory is an invalid parameter."""
    with registered_udp(ws) as (s, _):
        cq = ws.RIOCreateCompletionQueue(2)
        rq = ws.RIOCreateRequestQueue(s, 1, 1, 1, 1, cq, cq)
        memory = ws.rio_memory(16)
        with fails_with(WSAEINVAL):
            ws.RIOReceive(rq, memory.piece(8, 9))


# Queues


@case(
    "rio.cq.size-{row}",
    chapter=CHAPTER,
    source=CREATE_CQ,
    basis="documented",
    rows={"0": Row(0), "too-large": Row(RIO_MAX_CQ_SIZE + 1)},
)
def sizes_out_of_range_are_refused(ws: Target, size: int) -> None:
    """A completion queue has at least one place and at most RIO_MAX_CQ_SIZE."""
    with fails_with(WSAEINVAL):
        ws.RIOCreateCompletionQueue(size)


@case("rio.cq.empty", chapter=CHAPTER, source=DEQUEUE, basis="documented")
def an_empty_queue_gives_nothing(ws: Target) -> None:
    """Taking from an empty queue does not wait."""
    cq = ws.RIOCreateCompletionQueue(1)
    expect("results", expected=[], actual=ws.RIODequeueCompletion(cq, 4))
    ws.RIOCloseCompletionQueue(cq)


@case("rio.cq.closed", chapter=CHAPTER, source=DEQUEUE, basis="documented")
def a_closed_queue_is_corrupt(ws: Target) -> None:
    """RIODequeueCompletion on a queue that is closed returns RIO_CORRUPT_CQ; a resize is WSAEFAULT."""
    cq = ws.RIOCreateCompletionQueue(1)
    ws.RIOCloseCompletionQueue(cq)
    with fails_with(WSAEINVAL):
        ws.RIODequeueCompletion(cq, 1)
    with fails_with(WSAEFAULT):
        ws.RIOResizeCompletionQueue(cq, 2)


@case("rio.rq.flag-needed", chapter=CHAPTER, source=CREATE_RQ, basis="documented")
def the_socket_has_to_be_made_for_it(ws: Target) -> None:
    """A socket without WSA_FLAG_REGISTERED_IO gets no request queue."""
    cq = ws.RIOCreateCompletionQueue(2)
    s = ws.udp()
    with ws.closing(s), fails_with(WSAEOPNOTSUPP):
        ws.RIOCreateRequestQueue(s, 1, 1, 1, 1, cq, cq)


@case("rio.rq.no-socket", chapter=CHAPTER, source=CREATE_RQ, basis="documented")
def no_socket_is_refused(ws: Target) -> None:
    """A request queue needs a socket."""
    cq = ws.RIOCreateCompletionQueue(2)
    with fails_with(WSAENOTSOCK):
        ws.RIOCreateRequestQueue(INVALID_SOCKET, 1, 1, 1, 1, cq, cq)


@case(
    "rio.rq.bad-{row}",
    chapter=CHAPTER,
    source=CREATE_RQ,
    basis="documented",
    rows={
        "nothing-outstanding": Row((0, 1, 0, 1)),
        "two-receive-buffers": Row((1, 2, 1, 1)),
        "two-send-buffers": Row((1, 1, 1, 2)),
    },
)
def limits_have_to_make_sense(ws: Target, limits: tuple[int, int, int, int]) -> None:
    """Something has to be allowed to be outstanding, with one buffer each."""
    cq = ws.RIOCreateCompletionQueue(4)
    with registered_udp(ws) as (s, _), fails_with(WSAEINVAL):
        ws.RIOCreateRequestQueue(s, *limits, cq, cq)


@case("rio.rq.invalid-cq", chapter=CHAPTER, source=CREATE_RQ, basis="documented")
def completion_queues_are_needed(ws: Target) -> None:
    """RIO_INVALID_CQ is refused for either direction."""
    cq = ws.RIOCreateCompletionQueue(4)
    with registered_udp(ws) as (s, _):
        for queues in ((0, cq), (cq, 0)):
            with fails_with(WSAEINVAL):
                ws.RIOCreateRequestQueue(s, 1, 1, 1, 1, *queues)


@case("rio.rq.places-reserved", chapter=CHAPTER, source=CREATE_RQ, basis="documented")
def request_queues_reserve_places(ws: Target) -> None:
    """A completion queue that is too small for what may be outstanding is WSAENOBUFS; resizing helps."""
    cq = ws.RIOCreateCompletionQueue(5)
    with registered_udp(ws) as (s, _), registered_udp(ws) as (t, _):
        first = ws.RIOCreateRequestQueue(s, 2, 1, 1, 1, cq, cq)
        with fails_with(WSAENOBUFS):
            ws.RIOCreateRequestQueue(t, 2, 1, 1, 1, cq, cq)
        with fails_with(WSAENOBUFS):
            ws.RIOResizeRequestQueue(first, 4, 2)
        ws.RIOResizeCompletionQueue(cq, 9)
        ws.RIOResizeRequestQueue(first, 4, 2)
        ws.RIOCreateRequestQueue(t, 2, 1, 1, 1, cq, cq)


@case("rio.rq.limit", chapter=CHAPTER, source=RECEIVE, basis="documented")
def no_more_requests_than_the_limit(ws: Target) -> None:
    """One request more than may be outstanding is WSAENOBUFS, until a result has been taken."""
    with registered_udp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(8)
        rq = ws.RIOCreateRequestQueue(s, 2, 1, 1, 1, cq, cq)
        memory = ws.rio_memory(64)
        ws.RIOReceive(rq, memory.piece(0, 16), 0, 1)
        ws.RIOReceive(rq, memory.piece(16, 16), RIO_MSG_DEFER, 2)
        with fails_with(WSAENOBUFS):
            ws.RIOReceive(rq, memory.piece(32, 16), 0, 3)
        ws.send(other, b"one")
        expect("first", expected=[(1, 0, 3)], actual=outcomes(results(ws, cq, 1)))
        ws.RIOReceive(rq, memory.piece(32, 16), 0, 4)
        ws.RIOResizeRequestQueue(rq, 3, 1)
        ws.RIOReceive(rq, memory.piece(48, 16), 0, 5)


# Moving data


@case("rio.udp.receive-with-addresses", chapter=CHAPTER, source=RECEIVE_EX, basis="documented")
def a_datagram_comes_with_both_addresses(ws: Target) -> None:
    """RIOReceiveEx stores data, the address it was sent to, the sender and no flags; the result has both contexts."""
    with registered_udp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(4)
        rq = ws.RIOCreateRequestQueue(s, 2, 1, 2, 1, cq, cq, 0x5151)
        memory = ws.rio_memory(ROOM)
        memory.write(b"\xee" * ROOM)
        beside = memory.piece(100, SOCKADDR_INET), memory.piece(200, SOCKADDR_INET), None, memory.piece(300, 4)
        ws.RIOReceiveEx(rq, memory.piece(0, 50), *beside, flags=0, context=0x6161)
        ws.send(other, b"hello")
        found = results(ws, cq, 1)
        expect("result", expected=[Result(0, 5, 0x5151, 0x6161)], actual=found)
        expect("data", expected=b"hello\xee", actual=memory.read(6))
        expect("local address", expected=ws.getsockname(s), actual=memory.read(SIZE_IN, 100))
        expect("remote address", expected=ws.getsockname(other), actual=memory.read(SIZE_IN, 200))
        expect("flags", expected=bytes(4), actual=memory.read(4, 300))


@case("rio.udp.send-to", chapter=CHAPTER, source=SEND_EX, basis="documented")
def a_datagram_goes_to_the_address_in_memory(ws: Target) -> None:
    """RIOSendEx sends a piece of memory to the address in another piece."""
    with registered_udp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(4)
        rq = ws.RIOCreateRequestQueue(s, 2, 1, 2, 1, cq, cq)
        memory = ws.rio_memory(ROOM)
        address = ws.getsockname(other)
        memory.write(address, 100)
        data = memory.write(b"to you", 10)
        ws.RIOSendEx(rq, data, None, memory.piece(100, SOCKADDR_INET), None, None, context=7)
        expect("result", expected=[(7, 0, 6)], actual=outcomes(results(ws, cq, 1)))
        buffer = bytearray(16)
        size, sender = ws.recvfrom(other, buffer)
        expect("datagram", expected=b"to you", actual=bytes(buffer[:size]))
        expect("its sender", expected=port_of(ws.getsockname(s)), actual=port_of(sender or b""))


@case("rio.udp.cut", chapter=CHAPTER, source=RECEIVE_EX, basis="documented")
def a_datagram_that_does_not_fit_is_cut(ws: Target) -> None:
    """The result of a receive into too small a piece is WSAEMSGSIZE with the piece full, and MSG_TRUNC in the flags."""
    with registered_udp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(4)
        rq = ws.RIOCreateRequestQueue(s, 2, 1, 2, 1, cq, cq)
        memory = ws.rio_memory(ROOM)
        ws.RIOReceiveEx(rq, memory.piece(0, 4), None, None, None, memory.piece(300, 4), context=1)
        ws.RIOReceive(rq, memory.piece(8, 4), 0, 2)
        ws.send(other, b"too long")
        ws.send(other, b"fits")
        expect("results", expected=[(1, WSAEMSGSIZE, 4), (2, 0, 4)], actual=outcomes(results(ws, cq, 2)))
        expect("data", expected=b"too \0\0\0\0fits", actual=memory.read(12))
        expect("flags", expected=MSG_TRUNC, actual=int.from_bytes(memory.read(4, 300), "little"))


@case("rio.udp.control-data", chapter=CHAPTER, source="mswsock/ns-mswsock-rio_cmsg_buffer", basis="documented")
def control_data_comes_in_its_buffer(ws: Target) -> None:
    """With IP_PKTINFO on, the control buffer holds its length, header included, and the object."""
    with registered_udp(ws) as (s, other):
        ws.setsockopt(s, IPPROTO_IP, IP_PKTINFO, (1).to_bytes(4, "little"))
        cq = ws.RIOCreateCompletionQueue(4)
        rq = ws.RIOCreateRequestQueue(s, 2, 1, 2, 1, cq, cq)
        memory = ws.rio_memory(ROOM)
        ws.RIOReceiveEx(rq, memory.piece(0, 50), None, None, memory.piece(400, 100), None)
        ws.send(other, b"x")
        results(ws, cq, 1)
        total = int.from_bytes(memory.read(4, 400), "little")
        expect_true("length", RIO_CMSG_BASE_SIZE < total <= 100, actual=total)
        found = objects(memory.read(total - RIO_CMSG_BASE_SIZE, 400 + RIO_CMSG_BASE_SIZE))
        expect("objects", expected=[(IPPROTO_IP, IP_PKTINFO)], actual=list(found))
        expect("destination", expected=bytes([127, 0, 0, 1]), actual=found[IPPROTO_IP, IP_PKTINFO][:4])


@case("rio.tcp.both-ways", chapter=CHAPTER, source=RECEIVE, basis="documented")
def a_stream_is_received_in_order(ws: Target) -> None:
    """Three receives on a connection complete in their order, sends go out in theirs; the end is 0 bytes."""
    with registered_tcp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(16)
        rq = ws.RIOCreateRequestQueue(s, 3, 1, 3, 1, cq, cq)
        memory = ws.rio_memory(64)
        for number in range(3):
            ws.RIOReceive(rq, memory.piece(number * 4, 4), 0, number)
        ws.send(other, b"aaaabbbbcc")
        found = results(ws, cq, 3)
        expect("receives", expected=[(0, 0, 4), (1, 0, 4), (2, 0, 2)], actual=outcomes(found))
        expect("data", expected=b"aaaabbbbcc", actual=memory.read(10))
        for number, word in enumerate((b"one ", b"two ", b"six.")):
            ws.RIOSend(rq, memory.write(word, 16 + 4 * number), 0, 10 + number)
        found = results(ws, cq, 3)
        expect("sends", expected=[(10, 0, 4), (11, 0, 4), (12, 0, 4)], actual=outcomes(found))
        expect("at the peer", expected=b"one two six.", actual=ws.receive_exactly(other, 12))
        ws.RIOReceive(rq, memory.piece(0, 4), 0, 20)
        ws.shutdown(other, 1)
        expect("end", expected=[(20, 0, 0)], actual=outcomes(results(ws, cq, 1)))


@case("rio.tcp.wait-all", chapter=CHAPTER, source=RECEIVE, basis="documented")
def wait_all_fills_the_piece(ws: Target) -> None:
    """A receive with RIO_MSG_WAITALL is complete when its piece is full."""
    with registered_tcp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(4)
        rq = ws.RIOCreateRequestQueue(s, 2, 1, 2, 1, cq, cq)
        memory = ws.rio_memory(16)
        ws.RIOReceive(rq, memory.piece(0, 8), RIO_MSG_WAITALL, 1)
        ws.send(other, b"half")
        expect("after four bytes", expected=[], actual=ws.RIODequeueCompletion(cq, 1))
        ws.send(other, b"more")
        expect("result", expected=[(1, 0, 8)], actual=outcomes(results(ws, cq, 1)))
        expect("data", expected=b"halfmore", actual=memory.read(8))


@case("rio.tcp.addresses-refused", chapter=CHAPTER, source=RECEIVE_EX, basis="choice")
def a_stream_has_no_addresses_to_tell(ws: Target) -> None:
    """RIOReceiveEx with a place for the sender is for datagrams."""
    with registered_tcp(ws) as (s, _):
        cq = ws.RIOCreateCompletionQueue(4)
        rq = ws.RIOCreateRequestQueue(s, 2, 1, 2, 1, cq, cq)
        memory = ws.rio_memory(128)
        with fails_with(WSAEINVAL):
            ws.RIOReceiveEx(rq, memory.piece(0, 8), None, memory.piece(64, SOCKADDR_INET), None, None)


@case("rio.failure.is-a-result", chapter=CHAPTER, source=SEND, basis="documented")
def transport_failures_are_results(ws: Target) -> None:
    """A send on a socket without a peer is accepted; its result says WSAENOTCONN."""
    with registered_udp(ws) as (s, _):
        cq = ws.RIOCreateCompletionQueue(4)
        rq = ws.RIOCreateRequestQueue(s, 2, 1, 2, 1, cq, cq)
        memory = ws.rio_memory(16)
        ws.RIOSend(rq, memory.piece(0, 4), 0, 9)
        expect("result", expected=[(9, WSAENOTCONN, 0)], actual=outcomes(results(ws, cq, 1)))


@case("rio.failure.reset", chapter=CHAPTER, source=RECEIVE, basis="documented")
def a_reset_is_the_result_of_a_receive(ws: Target) -> None:
    """A receive that waits when the peer resets the connection ends with WSAECONNRESET."""
    with registered_tcp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(4)
        rq = ws.RIOCreateRequestQueue(s, 2, 1, 2, 1, cq, cq)
        memory = ws.rio_memory(16)
        ws.RIOReceive(rq, memory.piece(0, 4), 0, 3)
        ws.reset(other)
        expect("result", expected=[(3, WSAECONNRESET, 0)], actual=outcomes(results(ws, cq, 1)))


# Deferring


@case("rio.defer.begun-by-the-next", chapter=CHAPTER, source=SEND, basis="documented")
def deferred_sends_go_with_the_next_one(ws: Target) -> None:
    """Deferred sends are in order and go out, at the latest, with the next send that is not deferred."""
    with registered_tcp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(8)
        rq = ws.RIOCreateRequestQueue(s, 1, 1, 4, 1, cq, cq)
        memory = ws.rio_memory(16)
        memory.write(b"abcdef")
        ws.RIOSend(rq, memory.piece(0, 2), RIO_MSG_DEFER, 1)
        ws.RIOSend(rq, memory.piece(2, 2), RIO_MSG_DEFER, 2)
        ws.RIOSend(rq, memory.piece(4, 2), 0, 3)
        found = results(ws, cq, 3)
        expect("results", expected=[(1, 0, 2), (2, 0, 2), (3, 0, 2)], actual=outcomes(found))
        expect("at the peer", expected=b"abcdef", actual=ws.receive_exactly(other, 6))


@case("rio.defer.commit-only", chapter=CHAPTER, source=SEND, basis="documented")
def commit_only_begins_what_was_deferred(ws: Target) -> None:
    """RIO_MSG_COMMIT_ONLY without any argument begins what has been deferred, and has no result of its own."""
    with registered_tcp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(8)
        rq = ws.RIOCreateRequestQueue(s, 1, 1, 4, 1, cq, cq)
        memory = ws.rio_memory(16)
        memory.write(b"abcd")
        ws.RIOSend(rq, memory.piece(0, 4), RIO_MSG_DEFER, 1)
        ws.RIOSend(rq, None, RIO_MSG_COMMIT_ONLY)
        expect("results", expected=[(1, 0, 4)], actual=outcomes(results(ws, cq, 1)))
        expect("at the peer", expected=b"abcd", actual=ws.receive_exactly(other, 4))
        expect("left", expected=[], actual=ws.RIODequeueCompletion(cq, 1))


@case(
    "rio.flags.bad-{row}",
    chapter=CHAPTER,
    source=SEND,
    basis="documented",
    rows={
        "unknown": Row(True, 0x100),
        "commit-with-data": Row(True, RIO_MSG_COMMIT_ONLY),
        "commit-and-defer": Row(False, RIO_MSG_COMMIT_ONLY | RIO_MSG_DEFER),
        "send-wait-all": Row(True, RIO_MSG_WAITALL),
    },
)
def bad_flags_are_refused(ws: Target, with_data: bool, flags: int) -> None:
    """Unknown flags, and a commit together with anything else, are invalid; waiting for all is not for sends."""
    with registered_udp(ws) as (s, _):
        cq = ws.RIOCreateCompletionQueue(4)
        rq = ws.RIOCreateRequestQueue(s, 2, 1, 2, 1, cq, cq)
        memory = ws.rio_memory(16)
        with fails_with(WSAEINVAL):
            ws.RIOSend(rq, memory.piece(0, 4) if with_data else None, flags)


# Notification


@case("rio.notify.event-once", chapter=CHAPTER, source=NOTIFY, basis="documented")
def an_event_is_set_once_for_each_notify(ws: Target) -> None:
    """After RIONotify the next result sets the event, further ones do not; a second RIONotify is early until then."""
    event = ws.WSACreateEvent()
    with registered_udp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(8, Notification(event=event))
        rq = ws.RIOCreateRequestQueue(s, 4, 1, 1, 1, cq, cq)
        memory = ws.rio_memory(64)
        for number in range(3):
            ws.RIOReceive(rq, memory.piece(number * 16, 16), 0, number)
        ws.send(other, b"before")
        results(ws, cq, 1)
        expect("without RIONotify", expected=WSA_WAIT_TIMEOUT, actual=ws.WaitForSingleObject(event, 0))
        ws.RIONotify(cq)
        with fails_with(WSAEALREADY):
            ws.RIONotify(cq)
        ws.send(other, b"first")
        expect("told", expected=WSA_WAIT_EVENT_0, actual=ws.WaitForSingleObject(event, 5000))
        ws.WSAResetEvent(event)
        ws.send(other, b"second")
        results(ws, cq, 2)
        expect("not again", expected=WSA_WAIT_TIMEOUT, actual=ws.WaitForSingleObject(event, 0))
    ws.WSACloseEvent(event)


@case("rio.notify.at-once", chapter=CHAPTER, source=NOTIFY, basis="documented")
def results_that_wait_are_told_at_once(ws: Target) -> None:
    """RIONotify on a queue with results notifies at once, each time."""
    event = ws.WSACreateEvent()
    with registered_udp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(8, Notification(event=event))
        rq = ws.RIOCreateRequestQueue(s, 4, 1, 4, 1, cq, cq)
        memory = ws.rio_memory(64)
        ws.connect(s, ws.getsockname(other))
        ws.RIOSend(rq, memory.piece(0, 4))
        for _ in range(2):
            ws.RIONotify(cq)
            expect("told", expected=WSA_WAIT_EVENT_0, actual=ws.WaitForSingleObject(event, 5000))
    ws.WSACloseEvent(event)


@case(
    "rio.notify.reset-{row}",
    chapter=CHAPTER,
    source="mswsock/ns-mswsock-rio_notification_completion",
    basis="documented",
    rows={"true": Row(True, WSA_WAIT_TIMEOUT), "false": Row(False, WSA_WAIT_EVENT_0)},
)
def notify_reset_decides_about_the_event(ws: Target, reset: bool, then: int) -> None:
    """RIONotify resets the event if NotifyReset is TRUE, and leaves it as it is otherwise."""
    event = ws.WSACreateEvent()
    cq = ws.RIOCreateCompletionQueue(8, Notification(event=event, reset=reset))
    ws.WSASetEvent(event)
    ws.RIONotify(cq)
    expect("event", expected=then, actual=ws.WaitForSingleObject(event, 0))
    ws.RIOCloseCompletionQueue(cq)
    ws.WSACloseEvent(event)


@case("rio.notify.dont-notify", chapter=CHAPTER, source=RECEIVE, basis="documented")
def silent_requests_notify_nobody(ws: Target) -> None:
    """A result of a request with RIO_MSG_DONT_NOTIFY leaves the notification to the next one."""
    event = ws.WSACreateEvent()
    with registered_udp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(8, Notification(event=event))
        rq = ws.RIOCreateRequestQueue(s, 4, 1, 4, 1, cq, cq)
        memory = ws.rio_memory(64)
        ws.RIONotify(cq)
        ws.RIOReceive(rq, memory.piece(0, 16), RIO_MSG_DONT_NOTIFY, 1)
        ws.RIOReceive(rq, memory.piece(16, 16), 0, 2)
        ws.send(other, b"silent")
        expect("result", expected=[(1, 0, 6)], actual=outcomes(results(ws, cq, 1)))
        expect("event", expected=WSA_WAIT_TIMEOUT, actual=ws.WaitForSingleObject(event, 0))
        ws.send(other, b"loud")
        expect("event", expected=WSA_WAIT_EVENT_0, actual=ws.WaitForSingleObject(event, 5000))
    ws.WSACloseEvent(event)


@case("rio.notify.port", chapter=CHAPTER, source=CREATE_CQ, basis="documented")
def a_port_gets_a_packet(ws: Target) -> None:
    """With a completion port the notification is a packet with the key and the OVERLAPPED of the queue's making."""
    port = ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0)
    overlapped = ws.overlapped()
    token = ws.token(overlapped)
    with registered_udp(ws) as (s, other):
        cq = ws.RIOCreateCompletionQueue(8, Notification(port=port, key=0x77, overlapped=token))
        rq = ws.RIOCreateRequestQueue(s, 4, 1, 4, 1, cq, cq)
        memory = ws.rio_memory(64)
        ws.RIOReceive(rq, memory.piece(0, 16), 0, 1)
        ws.RIONotify(cq)
        ws.send(other, b"packet")
        _, key, told = ws.GetQueuedCompletionStatus(port, 5000)
        expect("key and OVERLAPPED", expected=(0x77, token), actual=(key, told))
        expect("result", expected=[(1, 0, 6)], actual=outcomes(results(ws, cq, 1)))
    ws.CloseHandle(port)


@case("rio.notify.polled-queue", chapter=CHAPTER, source=NOTIFY, basis="documented")
def a_queue_without_notification_cannot_notify(ws: Target) -> None:
    """RIONotify on a queue that was made without a way to notify is an invalid parameter."""
    cq = ws.RIOCreateCompletionQueue(8)
    with fails_with(WSAEINVAL):
        ws.RIONotify(cq)
    ws.RIOCloseCompletionQueue(cq)


# The end


@case("rio.close.aborts", chapter=CHAPTER, source=CREATE_RQ, basis="documented")
def closing_the_socket_ends_its_requests(ws: Target) -> None:
    """What is outstanding when the socket is closed ends with WSA_OPERATION_ABORTED; the request queue is gone."""
    for pair in (registered_udp, registered_tcp):
        cq = ws.RIOCreateCompletionQueue(8)
        memory = ws.rio_memory(64)
        with pair(ws) as (s, _):
            rq = ws.RIOCreateRequestQueue(s, 4, 1, 4, 1, cq, cq)
            ws.RIOReceive(rq, memory.piece(0, 16), 0, 1)
            ws.RIOReceive(rq, memory.piece(16, 16), 0, 2)
        found = results(ws, cq, 2)
        aborted = [(1, WSA_OPERATION_ABORTED, 0), (2, WSA_OPERATION_ABORTED, 0)]
        expect("results", expected=aborted, actual=outcomes(found))
        with fails_with(WSAEINVAL):
            ws.RIOReceive(rq, memory.piece(0, 16))
        ws.RIOCloseCompletionQueue(cq)


@case("rio.close.queue", chapter=CHAPTER, source=RECEIVE, basis="documented")
def a_closed_completion_queue_takes_no_requests(ws: Target) -> None:
    """Once the completion queue is closed, requests for it are refused."""
    with registered_udp(ws) as (s, _):
        cq = ws.RIOCreateCompletionQueue(8)
        rq = ws.RIOCreateRequestQueue(s, 4, 1, 4, 1, cq, cq)
        memory = ws.rio_memory(64)
        ws.RIOCloseCompletionQueue(cq)
        with fails_with(WSAEINVAL):
            ws.RIOReceive(rq, memory.piece(0, 16))
