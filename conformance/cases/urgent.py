"""Urgent data: the byte beside the stream, the mark, SO_OOBINLINE and what a wait makes of it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from ..constants import (
    FIONREAD,
    IPPROTO_TCP,
    MSG_OOB,
    MSG_PEEK,
    SD_RECEIVE,
    SD_SEND,
    SIOCATMARK,
    SO_OOBINLINE,
    SO_RCVTIMEO,
    SOL_SOCKET,
    TCP_BSDURGENT,
    TCP_EXPEDITED_1122,
    WSAECONNRESET,
    WSAEINVAL,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
    XP1_EXPEDITED_DATA,
)
from ..model import Row, case
from ..target import Target
from ..verify import Mismatch, expect, expect_true, fails_with

CHAPTER = "Urgent data"
CONCEPT = "winsock/protocol-independent-out-of-band-data-2"
IOCTLS = "winsock/winsock-ioctls, SIOCATMARK"
RECV = "winsock/nf-winsock-recv"
SELECT = "winsock2/nf-winsock2-select"
FIONREAD_TEST = "Wine's public test sock.c:test_fionread_siocatmark, which passes on Windows"
SERVER_TEST = "Wine's public test sock.c:oob_server, which passes on Windows"
A_MOMENT = 0.05
LONG = (5, 0)
LOOK = (0, 0)

#: What is sent: bytes, and whether the last of them is urgent.
Pieces = Sequence[tuple[bytes, bool]]

BEFORE_AND_AFTER: Pieces = ((b"before", False), (b"!", True), (b"after", False))


def at_mark(ws: Target, s: int) -> bool:
    """What SIOCATMARK says."""
    return bool(ws.ioctlsocket(s, SIOCATMARK, 0))


def inline(ws: Target, s: int, on: int = 1) -> None:
    """Have urgent data stay in the stream, or not."""
    ws.setsockopt(s, SOL_SOCKET, SO_OOBINLINE, on)


def plain(ws: Target, s: int, room: int = 64, flags: int = 0) -> bytes:
    """Receive once; what came."""
    buffer = bytearray(room)
    return bytes(buffer[: ws.recv(s, buffer, flags)])


def urgent(ws: Target, s: int, flags: int = 0) -> bytes:
    """Receive urgent data; what came."""
    return plain(ws, s, 8, MSG_OOB | flags)


def waits(ws: Target, s: int) -> bool:
    """Whether an urgent byte waits beside the stream."""
    return bool(ws.select(None, None, [s], LOOK)[2])


def wait_urgent(ws: Target, s: int) -> None:
    """Wait until an urgent byte waits beside the stream."""
    ws.until("urgent data waits", lambda: waits(ws, s))


def give_up_soon(ws: Target, s: int) -> None:
    """Have a receive that ought to fail at once, and waits instead, end after a while."""
    ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 500)


def send_urgent(ws: Target, s: int, peer: int, data: bytes = b"!") -> None:
    """Send data whose last byte is urgent, and wait until the byte waits at the peer, beside the stream."""
    ws.send(s, data, MSG_OOB)
    wait_urgent(ws, peer)


def send_all(ws: Target, s: int, peer: int, pieces: Pieces, *, in_stream: bool = False) -> None:
    """Send the pieces and wait until what belongs to the stream has arrived, and urgent data if there is any."""
    expected = sum(len(data) - (has_urgent and not in_stream) for data, has_urgent in pieces)
    for data, has_urgent in pieces:
        ws.send(s, data, MSG_OOB if has_urgent else 0)
    if in_stream or not any(has_urgent for _, has_urgent in pieces):
        ws.until(f"{expected} bytes of the stream arrived", lambda: ws.queued(peer) >= expected)
        return
    wait_urgent(ws, peer)
    with contextlib.suppress(Mismatch):  # some hosts count up to the urgent byte: then this is time enough
        ws.until("the rest", lambda: ws.queued(peer) >= expected, 2 * A_MOMENT)


# ---- beside the stream -----------------------------------------------------------------------------------------------


@case(
    "urgent.beside.taken-at-any-time",
    chapter=CHAPTER,
    source=f"{CONCEPT}; {RECV}, flag MSG_OOB",
    basis="documented",
    requirements=["R13.1", "R13.4", "R13.7", "T13.1", "A62"],
)
def urgent_byte_is_taken_ahead_of_ordinary_data(ws: Target) -> None:
    """MSG_OOB gets the urgent byte while ordinary data sent before it still waits."""
    with ws.connected_pair() as (client, server):
        send_all(ws, client, server, BEFORE_AND_AFTER)
        expect("urgent data", expected=b"!", actual=urgent(ws, server))
        expect("ordinary data", expected=b"beforeafter", actual=ws.receive_exactly(server, 11))


@case(
    "urgent.beside.after-ordinary-data",
    chapter=CHAPTER,
    source=f"{CONCEPT}; Wine's public test afd.c:test_recv, which passes on Windows (the same with AFD's own request)",
    basis="documented",
    requirements=["R13.4", "T13.1"],
    behaviours=["afd-recv-oob-flag"],
)
def urgent_byte_waits_until_it_is_taken(ws: Target) -> None:
    """The urgent byte is not in the stream, and still there when everything else has been received."""
    with ws.connected_pair() as (client, server):
        send_all(ws, client, server, BEFORE_AND_AFTER)
        expect("ordinary data", expected=b"beforeafter", actual=ws.receive_exactly(server, 11))
        give_up_soon(ws, server)
        expect("urgent data", expected=b"!", actual=urgent(ws, server))


@case(
    "urgent.beside.receive-stops-at-its-place",
    chapter=CHAPTER,
    source=CONCEPT,
    basis="documented",
    requirements=["R13.7", "T13.1"],
)
def receive_never_crosses_the_place_of_the_urgent_byte(ws: Target) -> None:
    """A receive with room for everything gets what was sent before the urgent byte; the next one what came after it."""
    with ws.connected_pair() as (client, server):
        send_all(ws, client, server, BEFORE_AND_AFTER)
        pieces = [plain(ws, server), plain(ws, server)]
    expect("two receives", expected=[b"before", b"after"], actual=pieces)


@case(
    "urgent.beside.only-the-last-byte-{row}",
    chapter=CHAPTER,
    source=f"{CONCEPT}; {SERVER_TEST}",
    basis="observed",
    requirements=["R13.10"],
    rows={
        "send": Row("send", b"12345!"),
        "wsasend": Row("WSASend", [b"123", b"45!"]),
        "sendto": Row("sendto", b"12345!"),
    },
)
def last_byte_of_the_send_is_urgent(ws: Target, call: str, data: object) -> None:
    """Of the bytes of an MSG_OOB send the last one is urgent; the rest is ordinary data."""
    with ws.connected_pair() as (client, server):
        address = (None,) if call == "sendto" else ()
        expect("bytes sent", expected=6, actual=getattr(ws, call)(client, data, MSG_OOB, *address))
        wait_urgent(ws, server)
        expect("ordinary data", expected=b"12345", actual=ws.receive_exactly(server, 5))
        expect("urgent data", expected=b"!", actual=urgent(ws, server))


@case(
    "urgent.beside.many-sends",
    chapter=CHAPTER,
    source=SERVER_TEST,
    basis="observed",
    requirements=["R13.10"],
    behaviours=["oob-multi-send-inline-read", "oob-atmark-after-oob"],
)
def many_urgent_sends_leave_their_ordinary_bytes(ws: Target) -> None:
    """Of 2 KiB sent in pieces of 128 bytes with MSG_OOB a plain receiver gets all but the last byte of each."""
    with ws.connected_pair() as (client, server):
        for index in range(16):
            ws.send(client, bytes([index]) * 127 + b"!", MSG_OOB)
        first = ws.receive_exactly(server, 8)
        expect("SIOCATMARK after eight bytes", expected=0, actual=ws.ioctlsocket(server, SIOCATMARK, 0))
        rest = ws.receive_exactly(server, 16 * 127 - 8)
        expect("SIOCATMARK in the end", expected=0, actual=ws.ioctlsocket(server, SIOCATMARK, 0))
    expect("data", expected=b"".join(bytes([index]) * 127 for index in range(16)), actual=first + rest)


@case(
    "urgent.beside.both-directions",
    chapter=CHAPTER,
    source=CONCEPT,
    basis="documented",
    requirements=["R13.1"],
)
def each_direction_has_its_own_urgent_data(ws: Target) -> None:
    """Urgent data of one direction is none of the other."""
    with ws.connected_pair() as (client, server):
        send_urgent(ws, client, server, b"a")
        expect("SIOCATMARK of the sender", expected=1, actual=ws.ioctlsocket(client, SIOCATMARK, 0))
        send_urgent(ws, server, client, b"b")
        expect("at the server", expected=b"a", actual=urgent(ws, server))
        expect("at the client", expected=b"b", actual=urgent(ws, client))


@case(
    "urgent.beside.survives-the-end",
    chapter=CHAPTER,
    source=CONCEPT,
    basis="documented",
    requirements=["R13.1"],
)
def urgent_byte_can_be_taken_after_the_end_of_the_stream(ws: Target) -> None:
    """When the peer has shut down and the stream has been read to its end, the urgent byte is still there."""
    with ws.connected_pair() as (client, server):
        send_all(ws, client, server, ((b"data!", True),))
        ws.shutdown(client, SD_SEND)
        expect("data", expected=b"data", actual=ws.receive_exactly(server, 4))
        expect("end", expected=0, actual=ws.recv(server, bytearray(4)))
        expect("urgent data", expected=b"!", actual=urgent(ws, server))


@case(
    "urgent.peek.{row}",
    chapter=CHAPTER,
    source=f"{CONCEPT}; {RECV}, flag MSG_PEEK",
    basis="documented",
    requirements=["R13.5"],
    rows={
        "recv": Row("recv"),
        "wsarecv": Row("WSARecv", requirements=["R13.20"]),
        "recvfrom": Row("recvfrom", requirements=["R13.20"]),
        "wsarecvfrom": Row("WSARecvFrom", requirements=["R13.20"]),
    },
)
def urgent_data_can_be_peeked_at(ws: Target, call: str) -> None:
    """MSG_OOB with MSG_PEEK shows the byte as often as it is asked for; without it the byte is taken."""
    with ws.connected_pair() as (client, server):
        send_urgent(ws, client, server)
        for flags in (MSG_OOB | MSG_PEEK, MSG_OOB | MSG_PEEK, MSG_OOB):
            buffer = bytearray(4)
            given = [buffer] if call.startswith("WSA") else buffer
            received = getattr(ws, call)(server, given, flags)
            moved = received[0] if isinstance(received, tuple) else received
            expect("bytes", expected=(1, b"!"), actual=(int(moved), bytes(buffer[:1])))
        expect("another one waits", expected=False, actual=waits(ws, server))


@case(
    "urgent.none.{row}",
    chapter=CHAPTER,
    source=f"{RECV}, error WSAEINVAL; behaviour of Microsoft's TCP",
    basis="observed",
    requirements=["R13.8", "A62"],
    rows={
        "idle": Row((), True),
        "ordinary-data": Row(((b"data", False),), True),
        "taken-already": Row(((b"!", True),), True),
        "non-blocking": Row((), False),
    },
)
def no_urgent_data_is_an_error_at_once(ws: Target, pieces: Pieces, blocking: bool) -> None:
    """MSG_OOB fails with WSAEINVAL when there is no urgent data; it does not wait."""
    with ws.connected_pair() as (client, server):
        ws.nonblocking(server, not blocking)
        give_up_soon(ws, server)
        send_all(ws, client, server, pieces)
        if any(has_urgent for _, has_urgent in pieces):
            urgent(ws, server)
        for flags in (0, MSG_PEEK):
            with fails_with(WSAEINVAL):
                urgent(ws, server, flags)


# ---- several bytes ---------------------------------------------------------------------------------------------------


@case(
    "urgent.several.queue-up",
    chapter=CHAPTER,
    source=FIONREAD_TEST,
    basis="observed",
    requirements=["R13.11", "R13.12", "R13.19"],
    behaviours=[
        "fionread-with-oob",
        "fionread-two-oob",
        "fionread-partial-read",
        "fionread-oob-read-first",
        "fionread-recv-skips-oob",
        "fionread-oob-read-second",
    ],
)
def urgent_bytes_queue_up_beside_the_stream(ws: Target) -> None:
    """Two urgent bytes wait one behind the other; FIONREAD counts neither, SIOCATMARK is TRUE when both are taken.

    The pages speak of one outstanding urgent byte for a connection (R13.11), and the protocol has room for one only;
    Windows, as observed, keeps those that have come.
    """

    def state() -> tuple[int, int]:
        return ws.ioctlsocket(server, FIONREAD, 0), ws.ioctlsocket(server, SIOCATMARK, 0)

    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"12345")
        expect("with ordinary data", expected=(5, 1), actual=state())
        send_urgent(ws, client, server, b"a")
        expect("with one urgent byte", expected=(5, 0), actual=state())
        ws.send(client, b"b", MSG_OOB)
        expect("with two urgent bytes", expected=(5, 0), actual=state())
        expect("ordinary data", expected=b"123", actual=ws.receive_exactly(server, 3))
        expect("after three bytes", expected=(2, 0), actual=state())
        expect("first urgent byte", expected=b"a", actual=urgent(ws, server))
        ws.until("the second urgent byte waits", lambda: state() == (2, 0))
        expect("rest of the ordinary data", expected=b"45", actual=plain(ws, server, 5))
        expect("with the second urgent byte alone", expected=(0, 0), actual=state())
        expect("second urgent byte", expected=b"b", actual=urgent(ws, server))
        expect("in the end", expected=(0, 1), actual=state())


@case(
    "urgent.several.sent-in-a-row",
    chapter=CHAPTER,
    source=FIONREAD_TEST,
    basis="observed",
    requirements=["R13.1"],
    behaviours=["fionread-two-oob"],
)
def urgent_bytes_sent_in_a_row_are_kept_in_order(ws: Target) -> None:
    """Five urgent bytes with ordinary data between them: the stream is whole, and the five come in their order."""
    with ws.connected_pair() as (client, server):
        for index in range(5):
            ws.send(client, b"data" + bytes([48 + index]), MSG_OOB)
        expect("ordinary data", expected=b"data" * 5, actual=ws.receive_exactly(server, 20))
        got = b""
        for _ in range(5):
            wait_urgent(ws, server)
            got += urgent(ws, server)
    expect("urgent data", expected=b"01234", actual=got)


# ---- FIONREAD and SIOCATMARK -----------------------------------------------------------------------------------------


@case(
    "urgent.fionread.not-counted",
    chapter=CHAPTER,
    source=FIONREAD_TEST,
    basis="observed",
    requirements=["R13.19"],
    behaviours=["fionread-with-oob"],
)
def fionread_does_not_count_it(ws: Target) -> None:
    """FIONREAD is the number of ordinary bytes, whether there are some or none."""
    with ws.connected_pair() as (client, server):
        send_urgent(ws, client, server)
        expect("FIONREAD with the urgent byte alone", expected=0, actual=ws.queued(server))
        ws.send_and_settle(client, b"data")
        expect("FIONREAD with four ordinary bytes", expected=4, actual=ws.queued(server))


@case(
    "urgent.mark.{row}",
    chapter=CHAPTER,
    source=f"{IOCTLS}; {SERVER_TEST}",
    basis="documented",
    requirements=["R13.12", "A63", "A90"],
    rows={
        "ioctlsocket": Row("ioctlsocket"),
        "wsaioctl": Row("WSAIoctl"),
    },
)
def mark_is_true_without_urgent_data(ws: Target, call: str) -> None:
    """SIOCATMARK is TRUE when no urgent data waits, FALSE while some does, TRUE again when it has been taken."""

    def mark() -> int:
        if call == "ioctlsocket":
            return ws.ioctlsocket(server, SIOCATMARK, 0)
        return int.from_bytes(ws.WSAIoctl(server, SIOCATMARK, None, 4), "little")

    with ws.connected_pair() as (client, server):
        expect("before", expected=1, actual=mark())
        ws.send(client, b"!", MSG_OOB)
        ws.until("SIOCATMARK is FALSE", lambda: not mark())
        urgent(ws, server)
        expect("after", expected=1, actual=mark())


@case(
    "urgent.mark.datagram",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="choice",
    requirements=["R13.14"],
)
def no_mark_on_a_datagram_socket(ws: Target) -> None:
    """SIOCATMARK on a datagram socket fails with WSAEINVAL."""
    with ws.socket_in("bound-datagram") as s, fails_with(WSAEINVAL):
        ws.ioctlsocket(s, SIOCATMARK, 0)


@case(
    "urgent.mark.resynchronise",
    chapter=CHAPTER,
    source=CONCEPT,
    basis="documented",
    requirements=["R13.12", "R13.13", "R13.15"],
)
def program_discards_data_up_to_the_mark(ws: Target) -> None:
    """With SO_OOBINLINE a receiver that reads until SIOCATMARK is TRUE has thrown away what was before the mark."""
    with ws.connected_pair() as (client, server):
        inline(ws, server)
        send_all(ws, client, server, ((b"stale" * 20 + b"!", True), (b"fresh", False)), in_stream=True)
        expect("SIOCATMARK before the mark", expected=0, actual=ws.ioctlsocket(server, SIOCATMARK, 0))
        discarded = b""
        while not at_mark(ws, server):
            discarded += plain(ws, server, 7)
        expect("discarded", expected=b"stale" * 20, actual=discarded)
        expect("from the mark on", expected=b"!fresh", actual=ws.receive_exactly(server, 6))


# ---- SO_OOBINLINE ----------------------------------------------------------------------------------------------------


@case(
    "urgent.inline.three-receives",
    chapter=CHAPTER,
    source=CONCEPT,
    basis="documented",
    requirements=["R13.7", "T13.1"],
)
def urgent_byte_in_the_stream_is_never_mixed(ws: Target) -> None:
    """With SO_OOBINLINE three receives get what was before the urgent byte, the byte, and what came after it."""
    with ws.connected_pair() as (client, server):
        inline(ws, server)
        send_all(ws, client, server, BEFORE_AND_AFTER, in_stream=True)
        pieces: list[bytes] = []
        while len(b"".join(pieces)) < len("before!after"):
            pieces.append(plain(ws, server))
    expect("three receives", expected=[b"before", b"!", b"after"], actual=pieces)


@case(
    "urgent.inline.nothing-lost",
    chapter=CHAPTER,
    source=CONCEPT,
    basis="documented",
    requirements=["R13.7", "T13.1"],
)
def later_urgent_byte_moves_the_mark(ws: Target) -> None:
    """With SO_OOBINLINE a second urgent byte replaces none: all bytes are in the stream in the order sent."""
    with ws.connected_pair() as (client, server):
        inline(ws, server)
        send_all(ws, client, server, ((b"1a", True), (b"2b", True), (b"3", False)), in_stream=True)
        expect("data", expected=b"1a2b3", actual=ws.receive_exactly(server, 5))


@case(
    "urgent.inline.msg-oob-refused",
    chapter=CHAPTER,
    source=f"{CONCEPT}; {RECV}, error WSAEINVAL",
    basis="documented",
    requirements=["R13.7", "T13.1", "A64"],
)
def msg_oob_fails_while_urgent_data_stays_in_the_stream(ws: Target) -> None:
    """With SO_OOBINLINE a receive with MSG_OOB fails with WSAEINVAL, also when the next byte is urgent."""
    with ws.connected_pair() as (client, server):
        inline(ws, server)
        for _ in range(2):
            with fails_with(WSAEINVAL):
                urgent(ws, server)
            send_all(ws, client, server, ((b"!", True),), in_stream=True)


@case(
    "urgent.inline.sender-may-have-it",
    chapter=CHAPTER,
    source="winsock/nf-winsock-sendto lists WSAEINVAL; behaviour of Microsoft's TCP",
    basis="choice",
    requirements=["R13.9"],
)
def socket_with_the_option_sends_urgent_data(ws: Target) -> None:
    """SO_OOBINLINE of the sender is about what it receives: it may send with MSG_OOB."""
    with ws.connected_pair() as (client, server):
        inline(ws, client)
        send_urgent(ws, client, server)
        expect("urgent data", expected=b"!", actual=urgent(ws, server))


@case(
    "urgent.inline.later-byte",
    chapter=CHAPTER,
    source=FIONREAD_TEST,
    basis="observed",
    requirements=["R13.13", "A63"],
    behaviours=["fionread-oobinline-later"],
)
def byte_that_comes_into_the_stream_does_not_clear_the_mark(ws: Target) -> None:
    """With SO_OOBINLINE on, an urgent byte that arrives next counts in FIONREAD, and SIOCATMARK stays TRUE."""
    with ws.connected_pair() as (client, server):
        inline(ws, server)
        send_all(ws, client, server, ((b"!", True),), in_stream=True)
        expect("readable", expected=([server], [], []), actual=ws.select([server], None, [server], LONG))
        expect("FIONREAD", expected=1, actual=ws.queued(server))
        expect("SIOCATMARK", expected=1, actual=ws.ioctlsocket(server, SIOCATMARK, 0))
        expect("data", expected=b"!", actual=plain(ws, server))


@case(
    "urgent.inline.switched-on-late",
    chapter=CHAPTER,
    source=FIONREAD_TEST,
    basis="observed",
    requirements=["R13.12"],
    behaviours=["fionread-oobinline-switch"],
)
def byte_that_waits_becomes_readable_with_the_option(ws: Target) -> None:
    """SO_OOBINLINE set while an urgent byte waits: FIONREAD counts it, SIOCATMARK is FALSE until recv has got it."""
    with ws.connected_pair() as (client, server):
        send_urgent(ws, client, server)
        inline(ws, server)
        expect("FIONREAD", expected=1, actual=ws.queued(server))
        expect("SIOCATMARK", expected=0, actual=ws.ioctlsocket(server, SIOCATMARK, 0))
        expect("data", expected=b"!", actual=plain(ws, server))
        expect("FIONREAD afterwards", expected=0, actual=ws.queued(server))
        expect("SIOCATMARK afterwards", expected=1, actual=ws.ioctlsocket(server, SIOCATMARK, 0))


@case(
    "urgent.inline.switched-off",
    chapter=CHAPTER,
    source=CONCEPT,
    basis="documented",
    requirements=["T13.1"],
)
def option_can_be_switched_off_again(ws: Target) -> None:
    """Switched off before the byte comes, SO_OOBINLINE keeps it out of the stream."""
    with ws.connected_pair() as (client, server):
        inline(ws, server)
        inline(ws, server, 0)
        send_all(ws, client, server, BEFORE_AND_AFTER)
        expect("urgent data", expected=b"!", actual=urgent(ws, server))
        expect("ordinary data", expected=b"beforeafter", actual=ws.receive_exactly(server, 11))


@case(
    "urgent.inline.legal-on-tcp",
    chapter=CHAPTER,
    source=CONCEPT,
    basis="documented",
    requirements=["R13.6"],
)
def option_is_legal_where_urgent_data_has_a_place(ws: Target) -> None:
    """TCP's urgent data has a place in the stream, so SO_OOBINLINE can be set; it is off to begin with."""
    with ws.connected_pair() as (client, _):
        expect("at first", expected=0, actual=ws.get_int(client, SOL_SOCKET, SO_OOBINLINE))
        inline(ws, client)
        expect("set", expected=1, actual=ws.get_int(client, SOL_SOCKET, SO_OOBINLINE))


# ---- waiting ---------------------------------------------------------------------------------------------------------


@case(
    "urgent.select.beside",
    chapter=CHAPTER,
    source=f"{SELECT}; {CONCEPT}",
    basis="documented",
    requirements=["R3.43", "R3.45", "R13.7", "T13.1"],
)
def urgent_byte_is_exceptional(ws: Target) -> None:
    """Beside the stream an urgent byte puts a socket into exceptfds and not into readfds, until it is taken."""
    with ws.connected_pair() as (client, server):
        ws.send(client, b"!", MSG_OOB)
        expect("it has come", expected=([], [], [server]), actual=ws.select([server], None, [server], LONG))
        urgent(ws, server)
        expect("it is taken", expected=([], [], []), actual=ws.select([server], None, [server], LOOK))


@case(
    "urgent.select.inline",
    chapter=CHAPTER,
    source=f"{SELECT}; {CONCEPT}",
    basis="documented",
    requirements=["R3.43", "R13.7", "T13.1"],
)
def urgent_byte_in_the_stream_is_readable(ws: Target) -> None:
    """With SO_OOBINLINE an urgent byte puts a socket into readfds and not into exceptfds."""
    with ws.connected_pair() as (client, server):
        inline(ws, server)
        ws.send(client, b"!", MSG_OOB)
        expect("it has come", expected=([server], [], []), actual=ws.select([server], None, [server], LONG))
        plain(ws, server)
        expect("it is read", expected=([], [], []), actual=ws.select([server], None, [server], LOOK))


@case(
    "urgent.select.for-data-alone",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.43", "T13.1"],
)
def wait_for_data_is_not_ended_by_urgent_data(ws: Target) -> None:
    """A select for readfds goes on waiting when an urgent byte comes, and ends with ordinary data."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        pending = other.start(ws.select, [server], None, None, LONG)
        send_urgent(ws, client, server)
        expect_true("select waits", not pending.finished_within(A_MOMENT))
        ws.send(client, b"data")
        expect("select", expected=([server], [], []), actual=pending.result())


@case(
    "urgent.receive.waits-on",
    chapter=CHAPTER,
    source=f"{RECV}; {CONCEPT}",
    basis="documented",
    requirements=["R13.4", "T13.1"],
)
def waiting_receive_is_not_ended_by_urgent_data(ws: Target) -> None:
    """A recv that waits for data goes on waiting when an urgent byte comes; MSG_OOB gets the byte meanwhile."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        buffer = bytearray(8)
        pending = other.start(ws.recv, server, buffer)
        expect_true("recv waits", not pending.finished_within(A_MOMENT))
        send_urgent(ws, client, server)
        expect("urgent data", expected=b"!", actual=urgent(ws, server))
        expect_true("recv waits", not pending.finished_within(A_MOMENT))
        ws.send(client, b"data")
        expect("recv", expected=4, actual=pending.result())
        expect("data", expected=b"data", actual=bytes(buffer[:4]))


@case(
    "urgent.receive.{row}",
    chapter=CHAPTER,
    source=f"{RECV}; {CONCEPT}",
    basis="documented",
    requirements=["T13.1"],
    rows={
        "would-block": Row(True, WSAEWOULDBLOCK),
        "times-out": Row(False, WSAETIMEDOUT),
    },
)
def urgent_byte_is_no_data(ws: Target, nonblocking: bool, code: int) -> None:
    """With an urgent byte alone a plain recv finds nothing: WSAEWOULDBLOCK, or WSAETIMEDOUT after SO_RCVTIMEO."""
    with ws.connected_pair() as (client, server):
        send_urgent(ws, client, server)
        ws.nonblocking(server, nonblocking)
        ws.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 50)
        with fails_with(code):
            plain(ws, server)
        expect("urgent data", expected=b"!", actual=urgent(ws, server))


# ---- which protocols, and the end ------------------------------------------------------------------------------------


@case(
    "urgent.protocol.{row}",
    chapter=CHAPTER,
    source="winsock2/ns-winsock2-wsaprotocol_infow, XP1_EXPEDITED_DATA; winsock/nf-winsock-recv, error WSAEOPNOTSUPP",
    basis="documented",
    requirements=["R13.2", "R13.3"],
    rows={
        "send-datagram": Row("send", b"x", MSG_OOB),
        "sendto-datagram": Row("sendto", b"x", MSG_OOB, None),
        "wsasend-datagram": Row("WSASend", [b"x"], MSG_OOB),
        "recv-datagram": Row("recv", bytearray(1), MSG_OOB),
        "recvfrom-datagram": Row("recvfrom", bytearray(1), MSG_OOB),
        "wsarecv-datagram": Row("WSARecv", [bytearray(1)], MSG_OOB),
    },
)
def no_urgent_data_without_a_stream(ws: Target, call: str, *arguments: object) -> None:
    """MSG_OOB on a datagram socket fails with WSAEOPNOTSUPP."""
    with ws.udp_pair() as (a, _):
        give_up_soon(ws, a)
        with fails_with(WSAEOPNOTSUPP, call):
            getattr(ws, call)(a, *arguments)


@case(
    "urgent.protocol.flag",
    chapter=CHAPTER,
    source="winsock2/ns-winsock2-wsaprotocol_infow, XP1_EXPEDITED_DATA",
    basis="documented",
    requirements=["R13.2", "R3.15"],
)
def catalog_says_who_has_urgent_data(ws: Target) -> None:
    """XP1_EXPEDITED_DATA is set in TCP's catalog entries and not in UDP's."""
    has = {
        (entry.socket_type, entry.protocol): bool(entry.service_flags1 & XP1_EXPEDITED_DATA)
        for entry in ws.WSAEnumProtocols()
        if entry.protocol in (6, 17) and len(entry.protocol_chain) <= 1
    }
    expect("expedited data", expected={(1, 6): True, (2, 17): False}, actual=has)


@case(
    "urgent.end.close-delivers-it",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-closesocket",
    basis="documented",
    requirements=["R13.21"],
)
def graceful_close_delivers_urgent_data(ws: Target) -> None:
    """Urgent data sent before a graceful close arrives like other data."""
    with ws.connected_pair() as (client, server):
        ws.send(client, b"data!", MSG_OOB)
        ws.closesocket(client)
        expect("data", expected=b"data", actual=ws.receive_exactly(server, 4))
        wait_urgent(ws, server)
        expect("urgent data", expected=b"!", actual=urgent(ws, server))
        expect("end", expected=0, actual=ws.recv(server, bytearray(1)))


@case(
    "urgent.end.unread-resets",
    chapter=CHAPTER,
    source="behaviour of Microsoft's TCP: received data that was not read makes a close abortive",
    basis="choice",
    requirements=["R13.21"],
)
def close_with_an_unread_urgent_byte_resets(ws: Target) -> None:
    """A socket closed while an urgent byte waits resets the connection."""
    with ws.connected_pair() as (client, server):
        send_urgent(ws, client, server)
        ws.closesocket(server)
        ws.wait_readable(client)
        with fails_with(WSAECONNRESET):
            ws.recv(client, bytearray(1))


@case(
    "urgent.end.receive-shut",
    chapter=CHAPTER,
    source="winsock/nf-winsock-shutdown; winsock/nf-winsock-recv, error WSAESHUTDOWN",
    basis="documented",
    requirements=["R12.3"],
)
def shutdown_ends_urgent_receives_as_well(ws: Target) -> None:
    """After SD_RECEIVE a receive with MSG_OOB fails with WSAESHUTDOWN."""
    with ws.connected_pair() as (_, server):
        ws.shutdown(server, SD_RECEIVE)
        with fails_with(WSAESHUTDOWN):
            urgent(ws, server)


# ---- the urgent pointer ----------------------------------------------------------------------------------------------


@case(
    "urgent.pointer.bsd-by-default",
    chapter=CHAPTER,
    source=f"{CONCEPT}; winsock/ipproto-tcp-socket-options, TCP_BSDURGENT and TCP_EXPEDITED_1122",
    basis="documented",
    requirements=["R13.16", "R13.17"],
)
def urgent_pointer_has_the_meaning_of_bsd(ws: Target) -> None:
    """TCP_BSDURGENT is TRUE and TCP_EXPEDITED_1122 FALSE to begin with, and the last byte sent is the urgent one."""
    with ws.connected_pair() as (client, server):
        styles = [ws.get_int(client, IPPROTO_TCP, option) & 0xFF for option in (TCP_BSDURGENT, TCP_EXPEDITED_1122)]
        expect("TCP_BSDURGENT and TCP_EXPEDITED_1122", expected=[1, 0], actual=styles)
        send_urgent(ws, client, server, b"12!")
        ws.send_and_settle(client, b"34")
        expect("urgent data", expected=b"!", actual=urgent(ws, server))
        expect("ordinary data", expected=b"1234", actual=ws.receive_exactly(server, 4))
