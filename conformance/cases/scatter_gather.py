"""Scatter/gather: several buffers in one operation, on streams and on datagrams."""

from __future__ import annotations

from ..constants import (
    MSG_PARTIAL,
    SO_RCVBUF,
    SO_SNDBUF,
    SOL_SOCKET,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
)
from ..model import Row, case, documented_otherwise
from ..target import Target, flags_of
from ..verify import Failed, expect, expect_true, fails_with

CHAPTER = "Scatter/gather"
PAGE = "winsock/scatter-gather-i-o-2"
WSARECV = "winsock2/nf-winsock2-wsarecv"
WSASEND = "winsock2/nf-winsock2-wsasend"


@case(
    "scatter.stream.fills-in-order",
    chapter=CHAPTER,
    source=f"{WSARECV}, parameter lpBuffers",
    basis="documented",
    requirements=["R7.1", "R7.3", "R7.5"],
    behaviours=["writewatch-scatter-order"],
)
def scatter_fills_each_buffer_before_the_next(ws: Target) -> None:
    """Thirteen bytes into buffers of five and sixteen: the first is full, the second holds the rest."""
    first, second = bytearray(5), bytearray(16)
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"scatter order")
        received = ws.WSARecv(server, [first, second])
    expect("bytes reported", expected=13, actual=received)
    expect("buffers", expected=(b"scatt", b"er order" + bytes(8)), actual=(bytes(first), bytes(second)))


@case(
    "scatter.stream.counts-all-buffers",
    chapter=CHAPTER,
    source=f"{WSARECV}, parameter lpNumberOfBytesRecvd",
    basis="documented",
    requirements=["R7.5"],
    behaviours=["wsarecv-scatter"],
)
def count_is_the_total(ws: Target) -> None:
    """Nine bytes into buffers of four and five: the count is nine and both are full."""
    first, second = bytearray(4), bytearray(5)
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"fourfives")
        received = ws.WSARecv(server, [first, second])
    expect("bytes reported", expected=9, actual=received)
    expect("buffers", expected=(b"four", b"fives"), actual=(bytes(first), bytes(second)))


@case(
    "scatter.stream.returns-what-is-there",
    chapter=CHAPTER,
    source="winsock/support-for-scatter-gather-input-output-in-the-spi-2",
    basis="documented",
    requirements=["R7.4"],
)
def stream_receive_does_not_wait_for_full_buffers(ws: Target) -> None:
    """One byte is enough for a blocking receive with room for eight in three buffers."""
    buffers = [bytearray(2), bytearray(2), bytearray(4)]
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"x")
        received = ws.WSARecv(server, buffers)
    expect("bytes reported", expected=1, actual=received)
    expect("buffers", expected=[b"x\0", bytes(2), bytes(4)], actual=list(map(bytes, buffers)))


@case(
    "scatter.stream.rest-stays",
    chapter=CHAPTER,
    source=WSARECV,
    basis="documented",
    requirements=["R7.3", "R7.18"],
)
def what_does_not_fit_stays_for_the_next_receive(ws: Target) -> None:
    """Of six bytes a WSARecv with room for four takes four, and recv gets the other two."""
    first, second, rest = bytearray(1), bytearray(3), bytearray(8)
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"abcdef")
        expect("first receive", expected=4, actual=ws.WSARecv(server, [first, second]))
        expect("second receive", expected=2, actual=ws.recv(server, rest))
    expect("data", expected=b"abcdef", actual=bytes(first + second + rest[:2]))


@case(
    "scatter.stream.end-of-stream-is-zero",
    chapter=CHAPTER,
    source=WSARECV,
    basis="documented",
    requirements=["R7.5"],
)
def closed_stream_gives_zero_bytes(ws: Target) -> None:
    """After the peer has closed, a receive into several buffers succeeds with 0 and leaves them alone."""
    first, second = bytearray(b"ab"), bytearray(b"cd")
    with ws.connected_pair() as (client, server):
        ws.closesocket(client)
        expect("bytes reported", expected=0, actual=ws.WSARecv(server, [first, second]))
    expect("buffers", expected=(b"ab", b"cd"), actual=(bytes(first), bytes(second)))


@case(
    "gather.stream.sends-in-order",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
    requirements=["R7.1", "R7.2", "R7.5"],
)
def gather_sends_buffers_as_one_sequence(ws: Target) -> None:
    """Three buffers arrive as one run of bytes in array order; the count is their sum."""
    with ws.connected_pair() as (client, server):
        sent = ws.WSASend(client, [b"one", b"-", b"three"])
        expect("bytes reported", expected=9, actual=sent)
        expect("data", expected=b"one-three", actual=ws.receive_exactly(server, 9))


@case(
    "gather.datagram.is-one-message",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
    requirements=["R7.2", "R7.5"],
)
def gathered_buffers_are_one_datagram(ws: Target) -> None:
    """Three buffers on a connected datagram socket make one datagram, and there is no second one."""
    buffer = bytearray(32)
    with ws.udp_pair() as (a, b):
        expect("bytes reported", expected=9, actual=ws.WSASend(a, [b"one", b"-", b"three"]))
        expect("datagram", expected=9, actual=ws.recv(b, buffer))
        expect_true("nothing follows", not ws.readable(b))
    expect("data", expected=b"one-three", actual=bytes(buffer[:9]))


@case(
    "gather.datagram.sendto-is-one-message",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
    requirements=["R7.1", "R7.2"],
)
def gathered_sendto_is_one_datagram(ws: Target) -> None:
    """WSASendTo makes one datagram of its buffers; WSARecvFrom scatters it and tells the sender."""
    head, body = bytearray(2), bytearray(16)
    with ws.udp_pair(connected=False) as (a, b):
        expect("sent", expected=6, actual=ws.WSASendTo(a, [b"abc", b"def"], 0, ws.getsockname(b)))
        received, sender = ws.WSARecvFrom(b, [head, body])
        expect("received", expected=6, actual=received)
        expect("sender", expected=ws.getsockname(a), actual=sender)
    expect("buffers", expected=(b"ab", b"cdef"), actual=(bytes(head), bytes(body[:4])))


@case(
    "scatter.datagram.one-message-each",
    chapter=CHAPTER,
    source="winsock/support-for-scatter-gather-input-output-in-the-spi-2",
    basis="documented",
    requirements=["R7.4"],
)
def a_receive_takes_one_datagram(ws: Target) -> None:
    """Of two datagrams a receive with room for both in many buffers takes only the first."""
    buffers = [bytearray(4) for _ in range(4)]
    with ws.udp_pair() as (a, b):
        ws.send_and_settle(a, b"first")
        ws.send(a, b"second")
        expect("first", expected=5, actual=ws.WSARecv(b, buffers))
        expect("first buffers", expected=b"first\0\0\0", actual=bytes(buffers[0] + buffers[1]))
        expect("second", expected=6, actual=ws.WSARecv(b, buffers))
    expect("second buffers", expected=b"second\0\0", actual=bytes(buffers[0] + buffers[1]))


@case(
    "scatter.datagram.too-large-is-cut",
    chapter=CHAPTER,
    source=f"{WSARECV}, error WSAEMSGSIZE",
    basis="documented",
    requirements=["R7.6", "R7.7"],
)
def oversized_datagram_fills_the_buffers_and_fails(ws: Target) -> None:
    """Ten bytes into buffers of three and four: WSAEMSGSIZE, seven bytes delivered, the rest is lost."""
    first, second = bytearray(3), bytearray(4)
    with ws.udp_pair() as (a, b):
        ws.send_and_settle(a, b"0123456789")
        with fails_with(WSAEMSGSIZE) as caught:
            ws.WSARecv(b, [first, second])
        expect("bytes delivered", expected=7, actual=caught.moved)
        expect("buffers", expected=(b"012", b"3456"), actual=(bytes(first), bytes(second)))
        ws.send_and_settle(a, b"next")
        rest = bytearray(16)
        expect("next datagram", expected=4, actual=ws.recv(b, rest))
        expect("data", expected=b"next", actual=bytes(rest[:4]))


@case(
    "scatter.datagram.no-partial-flag",
    chapter=CHAPTER,
    source=f"{WSARECV}, parameter lpFlags",
    basis="documented",
    requirements=["R7.8"],
)
def complete_message_clears_partial(ws: Target) -> None:
    """A datagram that fits comes with the MSG_PARTIAL flag clear."""
    with ws.udp_pair() as (a, b):
        ws.send_and_settle(a, b"whole")
        received = ws.WSARecv(b, [bytearray(2), bytearray(8)])
    expect("MSG_PARTIAL", expected=0, actual=flags_of(received) & MSG_PARTIAL)


@case(
    "scatter.array.{row}",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirement R7.13",
    basis="observed",
    requirements=["R7.13"],
    rows={
        "null-receive": Row("WSARecv", None, WSAEFAULT, requirements=["B22"]),
        "empty-receive": Row("WSARecv", [], WSAEINVAL, requirements=["B22"]),
        "buffer-null-receive": Row("WSARecv", [None], WSAEFAULT),
        "second-buffer-null-receive": Row("WSARecv", [bytearray(2), None], WSAEFAULT),
        "null-send": Row("WSASend", None, WSAEFAULT, requirements=["B17"]),
        "empty-send": Row("WSASend", [], WSAEINVAL, requirements=["B17"]),
        "buffer-null-send": Row("WSASend", [None], WSAEFAULT),
        "second-buffer-null-send": Row("WSASend", [b"ok", None], WSAEFAULT),
    },
)
def bad_array_is_refused(ws: Target, call: str, buffers: list[bytearray | None] | None, code: int) -> None:
    """No array or a buffer without memory is WSAEFAULT, a count of 0 WSAEINVAL; nothing is transferred."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        with fails_with(code, call):
            getattr(ws, call)(server, buffers)
        expect("bytes still queued", expected=4, actual=ws.queued(server))
        expect_true("nothing was sent", not ws.readable(client))


@case(
    "scatter.array.many-buffers",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirement R7.16",
    basis="choice",
    requirements=["R7.16"],
)
def thousands_of_buffers_are_fine(ws: Target) -> None:
    """3000 buffers of one byte are sent and received in order: there is no small limit on the count."""
    data = bytes(i % 251 for i in range(3000))
    buffers = [bytearray(1) for _ in data]
    with ws.connected_pair() as (client, server):
        expect("sent", expected=3000, actual=ws.WSASend(client, [data[i : i + 1] for i in range(3000)]))
        ws.until("3000 bytes arrived", lambda: ws.queued(server) == 3000)
        expect("received", expected=3000, actual=ws.WSARecv(server, buffers))
    expect("data", expected=data, actual=b"".join(buffers))


@case(
    "gather.array.many-buffers-one-datagram",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirement R7.16",
    basis="choice",
    requirements=["R7.2", "R7.16"],
)
def thousands_of_buffers_make_one_datagram(ws: Target) -> None:
    """3000 buffers of one byte are one datagram of 3000 bytes, scattered again into 3000 buffers."""
    data = bytes(i % 251 for i in range(3000))
    buffers = [bytearray(1) for _ in data]
    with ws.udp_pair() as (a, b):
        expect("sent", expected=3000, actual=ws.WSASend(a, [data[i : i + 1] for i in range(3000)]))
        expect("received", expected=3000, actual=ws.WSARecv(b, buffers))
    expect("data", expected=data, actual=b"".join(buffers))


@case(
    "scatter.empty-buffers.skipped-on-receive",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirement R7.14",
    basis="observed",
    requirements=["R7.14"],
)
def empty_buffers_in_a_receive_are_skipped(ws: Target) -> None:
    """Buffers of length 0 before, between and after others take nothing and harm nothing."""
    first, second = bytearray(2), bytearray(3)
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"hello")
        received = ws.WSARecv(server, [bytearray(), first, bytearray(), second, bytearray()])
    expect("bytes reported", expected=5, actual=received)
    expect("buffers", expected=(b"he", b"llo"), actual=(bytes(first), bytes(second)))


@case(
    "gather.empty-buffers.skipped-on-send",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirement R7.14",
    basis="observed",
    requirements=["R7.14"],
)
def empty_buffers_in_a_send_are_skipped(ws: Target) -> None:
    """Buffers of length 0 among others add nothing to what is sent."""
    with ws.connected_pair() as (client, server):
        expect("sent", expected=5, actual=ws.WSASend(client, [b"", b"he", b"", b"llo", b""]))
        expect("data", expected=b"hello", actual=ws.receive_exactly(server, 5))


@case(
    "gather.empty-buffers.empty-datagram",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirement R7.14",
    basis="observed",
    requirements=["R7.14"],
)
def all_empty_buffers_send_an_empty_datagram(ws: Target) -> None:
    """Two buffers of length 0 on a datagram socket send one datagram without data."""
    buffer = bytearray(b"unchanged")
    with ws.udp_pair() as (a, b):
        expect("sent", expected=0, actual=ws.WSASend(a, [b"", b""]))
        ws.wait_readable(b)
        expect("received", expected=0, actual=ws.recv(b, buffer))
    expect("buffer", expected=b"unchanged", actual=bytes(buffer))


@case(
    "gather.blocking.sends-everything",
    chapter=CHAPTER,
    source=WSASEND,
    basis="documented",
    requirements=["R7.15"],
)
def blocking_send_returns_when_all_is_accepted(ws: Target) -> None:
    """A blocking WSASend of eight megabytes waits for the reader and reports all of it."""
    piece = bytes(range(256)) * 4096  # 1 MiB
    with ws.connected_pair() as (client, server), ws.thread() as other:
        pending = other.start(ws.WSASend, client, [piece] * 8)
        expect_true("send waits for the reader", not pending.finished_within(0.05))
        data = ws.receive_exactly(server, 8 * len(piece))
        expect("bytes reported", expected=8 * len(piece), actual=pending.result())
    expect_true("data arrived in order", data == piece * 8)


@case(
    "gather.nonblocking.tells-how-much",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirement R7.15",
    basis="observed",
    requirements=["R7.15"],
)
def nonblocking_send_may_take_a_part(ws: Target) -> None:
    """A non-blocking WSASend reports how much across the array it took; exactly that much arrives."""
    piece = bytes(range(256)) * 256  # 64 KiB
    with ws.connected_pair() as (client, server):
        for s, option in ((client, SO_SNDBUF), (server, SO_RCVBUF)):
            ws.setsockopt(s, SOL_SOCKET, option, 16384)
        ws.nonblocking(client)
        sent = code = 0
        while not code and sent < 64 * 1024 * 1024:
            try:
                sent += ws.WSASend(client, [piece[sent % len(piece) :], piece])
            except Failed as failure:
                code = failure.code
        expect("what ends it", expected=WSAEWOULDBLOCK, actual=code)
        data = ws.receive_exactly(server, sent)
    expect_true("data arrived in order", data == (piece * (sent // len(piece) + 1))[:sent])


@case(
    "scatter.partial.stream-{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsarecv, parameter lpFlags; requirement R7.11",
    basis="choice",
    requirements=["R7.11"],
    rows={"receive": Row("WSARecv", [bytearray(8)]), "send": Row("WSASend", [b"x"])},
)
def partial_does_not_exist_on_streams(ws: Target, call: str, buffers: list[bytes]) -> None:
    """MSG_PARTIAL on a stream socket is WSAEOPNOTSUPP."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        with fails_with(WSAEOPNOTSUPP, call):
            getattr(ws, call)(server, buffers, MSG_PARTIAL)


@case(
    "gather.partial.datagram",
    chapter=CHAPTER,
    source="winsock2/ns-winsock2-wsaprotocol_infow, XP1_PARTIAL_MESSAGE; requirement R7.10",
    basis="observed",
    requirements=["R7.10"],
)
def partial_send_needs_a_provider_with_partial_messages(ws: Target) -> None:
    """MSG_PARTIAL on a UDP send, whose provider lacks XP1_PARTIAL_MESSAGE, is WSAEOPNOTSUPP."""
    with ws.udp_pair() as (a, _), fails_with(WSAEOPNOTSUPP):
        ws.WSASend(a, [b"part"], MSG_PARTIAL)


@case(
    "scatter.one-buffer.same-as-recv",
    chapter=CHAPTER,
    source="winsock/transport-mapping-between-api-and-spi-functions-2",
    basis="documented",
    requirements=["R7.18"],
    behaviours=["wsarecv-split"],
)
def one_buffer_behaves_like_recv(ws: Target) -> None:
    """Four bytes queued: two WSARecv of two bytes each take two, as recv would."""
    first, second = bytearray(2), bytearray(2)
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"abcd")
        counts = (ws.WSARecv(server, [first]), ws.WSARecv(server, [second]))
    expect("bytes reported", expected=(2, 2), actual=counts)
    expect("buffers", expected=(b"ab", b"cd"), actual=(bytes(first), bytes(second)))


@case(
    "scatter.c.count-pointer-{row}",
    chapter=CHAPTER,
    source=f"{WSARECV}, error WSAEFAULT",
    basis="documented",
    needs_c=True,
    rows={
        "receive": Row(
            "WSARecv",
            requirements=["B22"],
            differs={"wine": documented_otherwise("WSARecv needs no place for the count")},
        ),
        "send": Row("WSASend", requirements=["B17"]),
    },
)
def count_pointer_is_required_without_overlapped(ws: Target, call: str) -> None:
    """Without an overlapped record a NULL byte-count pointer is WSAEFAULT."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        data, flags = ws.c.new(4), ws.c.new(4)
        array = ws.c.new(ws.c.pack("WSABUF", len=4, buf=data.address))
        third = flags.address if call == "WSARecv" else 0
        with fails_with(WSAEFAULT):
            ws.c.check(call, server, array.address, 1, 0, third, 0, 0)


@case(
    "scatter.c.flags-pointer",
    chapter=CHAPTER,
    source=f"{WSARECV}, error WSAEFAULT",
    basis="documented",
    requirements=["B22"],
    needs_c=True,
)
def flags_pointer_is_required(ws: Target) -> None:
    """A NULL lpFlags in WSARecv is WSAEFAULT."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        data, count = ws.c.new(4), ws.c.new(4)
        array = ws.c.new(ws.c.pack("WSABUF", len=4, buf=data.address))
        with fails_with(WSAEFAULT):
            ws.c.check("WSARecv", server, array.address, 1, count.address, 0, 0, 0)
        expect("bytes still queued", expected=4, actual=ws.queued(server))


@case(
    "scatter.c.zero-length-null-buffer",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirements R7.13 and R7.14",
    basis="observed",
    requirements=["R7.13", "R7.14"],
    needs_c=True,
)
def null_buffer_of_length_zero_is_legal(ws: Target) -> None:
    """A WSABUF of length 0 with a NULL pointer beside a real one is skipped."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        data, count, flags = ws.c.new(8), ws.c.new(4), ws.c.new(4)
        array = ws.c.new(ws.c.pack("WSABUF") + ws.c.pack("WSABUF", len=8, buf=data.address))
        ws.c.check("WSARecv", server, array.address, 2, count.address, flags.address, 0, 0)
        expect("bytes reported", expected=4, actual=count.number())
        expect("data", expected=b"data", actual=data.read(4))
