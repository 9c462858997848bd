"""Data transfer: send and recv on streams, their flags, errors and ends. Several buffers: scatter_gather."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..addresses import loopback, sockaddr_in
from ..constants import (
    AF_INET,
    AF_INET6,
    INVALID_SOCKET,
    IPPROTO_TCP,
    MSG_OOB,
    MSG_PEEK,
    MSG_WAITALL,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SO_RCVBUF,
    SO_RCVTIMEO,
    SO_SNDBUF,
    SO_SNDTIMEO,
    SOCK_STREAM,
    SOL_SOCKET,
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from ..model import Row, case, lacks
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Data transfer"
SEND = "winsock2/nf-winsock2-send"
RECV = "winsock/nf-winsock-recv"
SENDTO = "winsock/nf-winsock-sendto"
RECVFROM = "winsock/nf-winsock-recvfrom"
SHUTDOWN = "winsock/nf-winsock-shutdown"
CLOSE = "winsock/nf-winsock-closesocket"
OPTIONS = "winsock/sol-socket-socket-options"
CODES = "winsock/windows-sockets-error-codes-2"
#: Test functions of Wine's dlls/ws2_32/tests that record what Windows does.
PUBLIC_TEST = "Wine's public test {}, which passes on Windows"
PROVIDER = "Microsoft TCP/IP provider, requirement {}"
#: Longer than a call that does not wait takes, shorter than anybody's patience.
A_MOMENT = 0.05


def pair(ws: Target, family: int) -> contextlib.AbstractContextManager[tuple[int, int]]:
    """Two connected stream sockets; n/a when the machine has no IPv6 loopback address."""
    if family == AF_INET6:
        with ws.closing(ws.tcp(family)) as s:
            try:
                ws.bind(s, loopback(family))
            except Failed:
                not_applicable("this machine has no IPv6 loopback address")
    return ws.connected_pair(family)


def fill(ws: Target, s: int) -> int:
    """Send on a non-blocking socket until WSAEWOULDBLOCK; return the bytes accepted."""
    piece, sent = bytes(65536), 0
    while sent < 1 << 28:
        try:
            sent += ws.send(s, piece)
        except Failed as failure:
            expect("what ends it", expected=WSAEWOULDBLOCK, actual=failure.code)
            return sent
    raise AssertionError("256 MiB were accepted without a reader")


@contextlib.contextmanager
def small_buffers(ws: Target) -> Iterator[tuple[int, int]]:
    """A connected pair that takes little before the sender has to wait."""
    with ws.connected_pair() as (client, server):
        ws.setsockopt(client, SOL_SOCKET, SO_SNDBUF, 16384)
        ws.setsockopt(server, SOL_SOCKET, SO_RCVBUF, 16384)
        yield client, server


# ---- streams ---------------------------------------------------------------------------------------------------------


@case(
    "transfer.stream.echo",
    chapter=CHAPTER,
    source=PUBLIC_TEST.format("sock.c:simple_server"),
    basis="observed",
    behaviours=["echo-basic-chunks"],
)
def echo_of_two_clients(ws: Target) -> None:
    """Two clients after each other send 32 KiB in small pieces; a server that reads smaller ones echoes all of it."""
    data = bytes(i * 7 % 251 for i in range(32 * 1024))

    def serve(listener: int) -> None:
        for _ in range(2):
            connection, _ = ws.accept(listener)
            with ws.closing(connection):
                got = bytearray()
                while len(got) < len(data):
                    slice_ = bytearray(64)
                    got += slice_[: ws.recv(connection, slice_)]
                expect("bytes echoed", expected=len(got), actual=ws.send(connection, got))

    with ws.listener() as listener, ws.thread() as other:
        serving = other.start(serve, listener)
        for _ in range(2):
            with ws.closing(ws.tcp()) as client:
                ws.connect(client, ws.getsockname(listener))
                for at in range(0, len(data), 128):
                    expect("bytes sent", expected=128, actual=ws.send(client, data[at : at + 128]))
                expect_true("echo is the same", ws.receive_exactly(client, len(data)) == data)
                expect("after the peer has closed", expected=0, actual=ws.recv(client, bytearray(1)))
        serving.result()


@case(
    "transfer.stream.twelve-bytes-{row}",
    chapter=CHAPTER,
    source=PUBLIC_TEST.format("sock.c:test_iocp"),
    basis="observed",
    behaviours=["iocp-sync-read-12"],
    rows={"ipv4": Row(AF_INET), "ipv6": Row(AF_INET6)},
)
def bytes_arrive(ws: Target, family: int) -> None:
    """Twelve bytes are sent and received, each call reports twelve, and the rest of the buffer is untouched."""
    buffer = bytearray(b"\xab" * 16)
    with pair(ws, family) as (client, server):
        expect("sent", expected=12, actual=ws.send(client, b"Hello World!"))
        ws.until("twelve bytes arrived", lambda: ws.queued(server) == 12)
        expect("received", expected=12, actual=ws.recv(server, buffer))
    expect("buffer", expected=b"Hello World!" + b"\xab" * 4, actual=bytes(buffer))


@case(
    "transfer.stream.no-message-boundaries",
    chapter=CHAPTER,
    source=RECV,
    basis="documented",
    requirements=["R7.12"],
)
def sends_run_together(ws: Target) -> None:
    """What two sends sent one recv may receive: a stream has no message boundaries."""
    buffer = bytearray(8)
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"one")
        ws.send_and_settle(client, b"two")
        expect("received", expected=6, actual=ws.recv(server, buffer))
    expect("data", expected=b"onetwo", actual=bytes(buffer[:6]))


@case(
    "transfer.stream.returns-what-is-there",
    chapter=CHAPTER,
    source=RECV,
    basis="documented",
    requirements=["R6.27", "R7.18"],
)
def recv_does_not_wait_for_a_full_buffer(ws: Target) -> None:
    """A blocking recv with room for eight returns with the three bytes that are there."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"abc")
        expect("received", expected=3, actual=ws.recv(server, bytearray(8)))


@case(
    "transfer.stream.rest-stays",
    chapter=CHAPTER,
    source=RECV,
    basis="documented",
    requirements=["R7.18"],
)
def what_does_not_fit_stays(ws: Target) -> None:
    """Of six bytes a recv with room for four takes four; the next recv gets the other two."""
    first, second = bytearray(4), bytearray(4)
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"abcdef")
        counts = (ws.recv(server, first), ws.recv(server, second))
    expect("received", expected=(4, 2), actual=counts)
    expect("data", expected=b"abcdef", actual=bytes(first + second[:2]))


@case("transfer.stream.recv-waits", chapter=CHAPTER, source=RECV, basis="documented")
def blocking_recv_waits_for_data(ws: Target) -> None:
    """A blocking recv waits until data arrives, and then has it."""
    buffer = bytearray(8)
    with ws.connected_pair() as (client, server), ws.thread() as other:
        pending = other.start(ws.recv, server, buffer)
        expect_true("recv waits", not pending.finished_within(A_MOMENT))
        ws.send(client, b"late")
        expect("received", expected=4, actual=pending.result())
    expect("data", expected=b"late", actual=bytes(buffer[:4]))


@case(
    "transfer.stream.both-directions-at-once",
    chapter=CHAPTER,
    source="winsock/shared-sockets-2",
    basis="documented",
    requirements=["R2.13"],
)
def one_socket_receives_and_sends_in_two_threads(ws: Target) -> None:
    """While a recv waits in one thread, another thread sends on the same socket."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        pending = other.start(ws.recv, client, bytearray(4))
        expect_true("recv waits", not pending.finished_within(A_MOMENT))
        expect("sent", expected=4, actual=ws.send(client, b"ping"))
        expect("data", expected=b"ping", actual=ws.receive_exactly(server, 4))
        ws.send(server, b"pong")
        expect("received", expected=4, actual=pending.result())


@case(
    "transfer.stream.blocking-send-takes-all",
    chapter=CHAPTER,
    source=SEND,
    basis="documented",
    requirements=["A91"],
)
def blocking_send_returns_when_all_is_accepted(ws: Target) -> None:
    """A blocking send of eight megabytes waits for the reader, and reports all of it."""
    data = bytes(range(256)) * 32768
    with ws.connected_pair() as (client, server), ws.thread() as other:
        pending = other.start(ws.send, client, data)
        expect_true("send waits for the reader", not pending.finished_within(A_MOMENT))
        received = ws.receive_exactly(server, len(data))
        expect("sent", expected=len(data), actual=pending.result())
    expect_true("data arrived in order", received == data)


@case(
    "transfer.stream.empty-send",
    chapter=CHAPTER,
    source=SEND,
    basis="documented",
    requirements=["A87"],
)
def sending_nothing_sends_nothing(ws: Target) -> None:
    """A send of no bytes returns 0, and the peer sees neither data nor an end."""
    with ws.connected_pair() as (client, server):
        expect("sent", expected=0, actual=ws.send(client, b""))
        expect_true("nothing to read", not ws.readable(server, A_MOMENT))
        ws.send_and_settle(client, b"x")
        expect("then received", expected=1, actual=ws.recv(server, bytearray(4)))


@case(
    "transfer.stream.empty-recv",
    chapter=CHAPTER,
    source=PROVIDER.format("B20"),
    basis="choice",
    requirements=["B20"],
)
def receiving_nothing_takes_nothing(ws: Target) -> None:
    """A recv of no bytes returns 0 while data is there, and leaves it there."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        expect("received", expected=0, actual=ws.recv(server, bytearray()))
        expect("still queued", expected=4, actual=ws.queued(server))


# ---- recvfrom and sendto on streams ----------------------------------------------------------------------------------


@case(
    "transfer.recvfrom.stream-{row}",
    chapter=CHAPTER,
    source=f"{RECVFROM}; {PUBLIC_TEST.format('sock.c:simple_mixed_client')}",
    basis="documented",
    behaviours=["recvfrom-stream-from-untouched"],
    rows={"recvfrom": Row("recvfrom"), "wsarecvfrom": Row("WSARecvFrom")},
)
def stream_tells_no_sender(ws: Target, call: str) -> None:
    """On a connected stream recvfrom returns the data and no address."""
    buffer = bytearray(8)
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        into = [buffer] if call == "WSARecvFrom" else buffer
        received, sender = getattr(ws, call)(server, into)
    expect("received", expected=4, actual=received)
    expect("sender", expected=None, actual=sender)
    expect("data", expected=b"data", actual=bytes(buffer[:4]))


@case(
    "transfer.recvfrom.stream-memory",
    chapter=CHAPTER,
    source=PUBLIC_TEST.format("sock.c:simple_mixed_client"),
    basis="observed",
    behaviours=["recvfrom-stream-from-untouched"],
    needs_c=True,
)
def stream_leaves_the_address_buffer_alone(ws: Target) -> None:
    """On a connected stream recvfrom does not write into the address buffer it was given."""
    address, length = ws.c.new(b"\xab" * 16), ws.c.new((16).to_bytes(4, "little"))
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        data = ws.c.new(8)
        expect(
            "received",
            expected=4,
            actual=ws.c.check("recvfrom", server, data.address, 8, 0, address.address, length.address),
        )
    expect("address buffer", expected=b"\xab" * 16, actual=address.read())


@case(
    "transfer.sendto.stream-{row}",
    chapter=CHAPTER,
    source=SENDTO,
    basis="documented",
    requirements=["R11.27", "B16"],
    rows={
        "other-address": Row("sendto", sockaddr_in("192.0.2.1", 9)),
        "no-address": Row("sendto", None),
        "wsasendto-other-address": Row("WSASendTo", sockaddr_in("192.0.2.1", 9)),
        "wsasendto-no-address": Row("WSASendTo", None),
    },
)
def stream_ignores_the_address(ws: Target, call: str, to: bytes | None) -> None:
    """On a connected stream sendto sends to the peer, whatever address it is given."""
    with ws.connected_pair() as (client, server):
        data = [b"data"] if call == "WSASendTo" else b"data"
        expect("sent", expected=4, actual=getattr(ws, call)(client, data, 0, to))
        expect("data", expected=b"data", actual=ws.receive_exactly(server, 4))


# ---- flags -----------------------------------------------------------------------------------------------------------


@case(
    "transfer.peek.{row}",
    chapter=CHAPTER,
    source=f"{RECV}, parameter flags",
    basis="documented",
    rows={"recv": Row("recv"), "recvfrom": Row("recvfrom"), "wsarecv": Row("WSARecv")},
)
def peek_leaves_the_data(ws: Target, call: str) -> None:
    """MSG_PEEK copies what is there and leaves it for the next receive."""
    peeked, taken = bytearray(8), bytearray(8)
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        result = getattr(ws, call)(server, [peeked] if call == "WSARecv" else peeked, MSG_PEEK)
        expect("peeked", expected=4, actual=result[0] if call == "recvfrom" else result)
        expect("still queued", expected=4, actual=ws.queued(server))
        expect("taken", expected=4, actual=ws.recv(server, taken))
    expect("data", expected=(b"data", b"data"), actual=(bytes(peeked[:4]), bytes(taken[:4])))


@case(
    "transfer.waitall.waits",
    chapter=CHAPTER,
    source=f"{RECV}, parameter flags; {PUBLIC_TEST.format('afd.c:test_recv')}",
    basis="documented",
    requirements=["R6.27"],
    behaviours=["afd-recv-waitall"],
)
def waitall_waits_until_the_buffer_is_full(ws: Target) -> None:
    """With MSG_WAITALL and room for six, four bytes are not enough: recv waits for the other two."""
    buffer = bytearray(6)
    with ws.connected_pair() as (client, server), ws.thread() as other:
        ws.send_and_settle(client, b"data")
        pending = other.start(ws.recv, server, buffer, MSG_WAITALL)
        expect_true("recv waits", not pending.finished_within(A_MOMENT))
        ws.send(client, b"-x")
        expect("received", expected=6, actual=pending.result())
    expect("data", expected=b"data-x", actual=bytes(buffer))


@case(
    "transfer.waitall.enough-is-there",
    chapter=CHAPTER,
    source=f"{RECV}, parameter flags",
    basis="documented",
)
def waitall_takes_no_more_than_fits(ws: Target) -> None:
    """With MSG_WAITALL and more bytes queued than fit, recv returns a full buffer and leaves the rest."""
    buffer = bytearray(3)
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"abcde")
        expect("received", expected=3, actual=ws.recv(server, buffer, MSG_WAITALL))
        expect("still queued", expected=2, actual=ws.queued(server))
    expect("data", expected=b"abc", actual=bytes(buffer))


@case(
    "transfer.waitall.end-of-stream",
    chapter=CHAPTER,
    source=f"{RECV}, parameter flags",
    basis="documented",
)
def waitall_ends_with_the_stream(ws: Target) -> None:
    """With MSG_WAITALL a recv returns what has come when the peer closes."""
    buffer = bytearray(8)
    with ws.connected_pair() as (client, server), ws.thread() as other:
        ws.send_and_settle(client, b"data")
        pending = other.start(ws.recv, server, buffer, MSG_WAITALL)
        expect_true("recv waits", not pending.finished_within(A_MOMENT))
        ws.closesocket(client)
        expect("received", expected=4, actual=pending.result())
    expect("data", expected=b"data" + bytes(4), actual=bytes(buffer))


@case(
    "transfer.waitall.unsupported-{row}",
    chapter=CHAPTER,
    source=f"{RECV}, parameter flags",
    basis="documented",
    requirements=["B20"],
    rows={
        "nonblocking": Row(True, MSG_WAITALL),
        "with-peek": Row(False, MSG_WAITALL | MSG_PEEK),
        "with-oob": Row(False, MSG_WAITALL | MSG_OOB),
    },
)
def waitall_is_for_plain_blocking_receives(ws: Target, nonblocking: bool, flags: int) -> None:
    """MSG_WAITALL on a non-blocking socket, or with MSG_PEEK or MSG_OOB, is WSAEOPNOTSUPP."""
    with ws.connected_pair() as (client, server):
        if not flags & MSG_OOB:
            ws.send_and_settle(client, b"data")
        ws.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 200)  # where it waits instead
        ws.nonblocking(server, nonblocking)
        with fails_with(WSAEOPNOTSUPP):
            ws.recv(server, bytearray(4), flags)


@case(
    "transfer.flags.unknown-{row}",
    chapter=CHAPTER,
    source=PROVIDER.format("B15 and B20"),
    basis="observed",
    rows={
        "send": Row("send", b"x", requirements=["B15"]),
        "recv": Row("recv", bytearray(4), requirements=["B20"]),
        "wsasend": Row("WSASend", [b"x"], requirements=["B17"]),
        "wsarecv": Row("WSARecv", [bytearray(4)], requirements=["B22"]),
    },
)
def unknown_flag_is_unsupported(ws: Target, call: str, data: object) -> None:
    """A flag that nobody knows is WSAEOPNOTSUPP, and nothing moves."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        with fails_with(WSAEOPNOTSUPP, call, variants={WSAEINVAL: "the pages of send and recv"}):
            getattr(ws, call)(server, data, 0x400000)
        expect("still queued", expected=4, actual=ws.queued(server))
        expect_true("nothing was sent", not ws.readable(client))


# ---- non-blocking mode -----------------------------------------------------------------------------------------------


@case(
    "transfer.nonblocking.nothing-there-{row}",
    chapter=CHAPTER,
    source=f"{RECV}, error WSAEWOULDBLOCK",
    basis="documented",
    requirements=["B20"],
    rows={
        "recv": Row("recv", bytearray(4)),
        "recvfrom": Row("recvfrom", bytearray(4)),
        "wsarecv": Row("WSARecv", [bytearray(4)]),
        "wsarecvfrom": Row("WSARecvFrom", [bytearray(4)]),
    },
)
def nonblocking_receive_without_data(ws: Target, call: str, buffer: object) -> None:
    """A receive on a non-blocking socket fails with WSAEWOULDBLOCK while nothing is there, and works afterwards."""
    with ws.connected_pair() as (client, server):
        ws.nonblocking(server)
        with fails_with(WSAEWOULDBLOCK, call):
            getattr(ws, call)(server, buffer)
        ws.send_and_settle(client, b"data")
        result = getattr(ws, call)(server, buffer)
    expect("received", expected=4, actual=result[0] if isinstance(result, tuple) else result)


@case(
    "transfer.nonblocking.no-room",
    chapter=CHAPTER,
    source=f"{SEND}, error WSAEWOULDBLOCK",
    basis="documented",
    requirements=["B15"],
)
def nonblocking_send_without_room(ws: Target) -> None:
    """A non-blocking sender meets WSAEWOULDBLOCK when nobody reads; what was accepted arrives, and then more fits."""
    with small_buffers(ws) as (client, server):
        ws.nonblocking(client)
        sent = fill(ws, client)
        expect_true("not writable", not ws.writable(client))
        received = ws.receive_exactly(server, sent)
        expect_true("data arrived", received == bytes(sent))
        ws.wait_writable(client)
        expect("sent", expected=4, actual=ws.send(client, b"more"))
        expect("data", expected=b"more", actual=ws.receive_exactly(server, 4))


@case(
    "transfer.nonblocking.end-of-stream",
    chapter=CHAPTER,
    source=RECV,
    basis="documented",
    requirements=["R12.32"],
)
def nonblocking_receive_at_the_end(ws: Target) -> None:
    """After the peer has closed, a non-blocking recv returns 0 instead of failing with WSAEWOULDBLOCK."""
    with ws.connected_pair() as (client, server):
        ws.nonblocking(server)
        ws.closesocket(client)
        ws.wait_readable(server)
        expect("received", expected=0, actual=ws.recv(server, bytearray(4)))


# ---- time-outs -------------------------------------------------------------------------------------------------------


@case(
    "transfer.timeout.receive-{row}",
    chapter=CHAPTER,
    source=f"{OPTIONS}, SO_RCVTIMEO",
    basis="documented",
    requirements=["R16.42", "A51", "A52"],
    rows={
        "recv": Row("recv", bytearray(4)),
        "wsarecv": Row("WSARecv", [bytearray(4)]),
        "waitall": Row("recv", bytearray(4), MSG_WAITALL),
    },
)
def receive_times_out(ws: Target, call: str, buffer: object, flags: int = 0) -> None:
    """With SO_RCVTIMEO, given in milliseconds, a receive that gets nothing fails with WSAETIMEDOUT."""
    with ws.connected_pair() as (_, server), ws.thread() as other:
        ws.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 150)
        pending = other.start(getattr(ws, call), server, buffer, flags)
        expect_true("the receive waits", not pending.finished_within(A_MOMENT))
        with fails_with(WSAETIMEDOUT, call):
            pending.result()


@case(
    "transfer.timeout.later-data",
    chapter=CHAPTER,
    source=f"{OPTIONS}, SO_RCVTIMEO",
    basis="documented",
    requirements=["R16.42"],
)
def data_after_a_timeout_is_received(ws: Target) -> None:
    """After a receive has timed out, data that comes later can still be received."""
    with ws.connected_pair() as (client, server):
        ws.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 10)
        with fails_with(WSAETIMEDOUT):
            ws.recv(server, bytearray(4))
        ws.send_and_settle(client, b"late")
        expect("data", expected=b"late", actual=ws.receive_exactly(server, 4))


@case(
    "transfer.timeout.send",
    chapter=CHAPTER,
    source=f"{OPTIONS}, SO_SNDTIMEO",
    basis="documented",
    requirements=["A51", "A52"],
)
def send_times_out(ws: Target) -> None:
    """With SO_SNDTIMEO a blocking send that finds no room fails with WSAETIMEDOUT."""
    with small_buffers(ws) as (client, _):
        ws.nonblocking(client)
        fill(ws, client)
        ws.nonblocking(client, False)
        ws.setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, 50)
        with fails_with(WSAETIMEDOUT):
            ws.send(client, bytes(65536))


@case(
    "transfer.timeout.not-without-overlapped-attribute",
    chapter=CHAPTER,
    source=f"{OPTIONS}, SO_RCVTIMEO; requirement A53",
    basis="documented",
    requirements=["A53"],
)
def timeout_needs_the_overlapped_attribute(ws: Target) -> None:
    """On a socket made without the overlapped attribute SO_RCVTIMEO has no effect: recv goes on waiting."""
    with ws.listener() as listener, ws.closing(ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP)) as client:
        ws.connect(client, ws.getsockname(listener))
        server, _ = ws.accept(listener)
        with ws.closing(server), ws.thread() as other:
            ws.setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, 20)
            pending = other.start(ws.recv, client, bytearray(4))
            expect_true("recv still waits", not pending.finished_within(0.2))
            ws.send(server, b"data")
            expect("received", expected=4, actual=pending.result())


# ---- the end of a connection -----------------------------------------------------------------------------------------


@case(
    "transfer.end.data-first",
    chapter=CHAPTER,
    source=RECV,
    basis="documented",
    requirements=["R12.32"],
)
def data_comes_before_the_end(ws: Target) -> None:
    """After the peer's close recv gives the data sent before, and then 0, however often it is asked."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"last words")
        ws.closesocket(client)
        expect("data", expected=b"last words", actual=ws.receive_exactly(server, 10))
        ends = [ws.recv(server, bytearray(4)) for _ in range(3)]
    expect("ends", expected=[0, 0, 0], actual=ends)


@case(
    "transfer.end.half-open",
    chapter=CHAPTER,
    source="winsock/graceful-shutdown-linger-options-and-socket-closure-2",
    basis="documented",
    requirements=["R12.2", "R12.29", "R12.33"],
)
def other_direction_goes_on(ws: Target) -> None:
    """After a client's SD_SEND the server reads to the end and still answers; the client gets the answer."""
    with ws.connected_pair() as (client, server):
        ws.send(client, b"question")
        ws.shutdown(client, SD_SEND)
        expect("question", expected=b"question", actual=ws.receive_exactly(server, 8))
        expect("end", expected=0, actual=ws.recv(server, bytearray(1)))
        expect("answer sent", expected=6, actual=ws.send(server, b"answer"))
        expect("answer", expected=b"answer", actual=ws.receive_exactly(client, 6))


@case(
    "transfer.shutdown.send-{row}",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}; {SEND}, error WSAESHUTDOWN",
    basis="documented",
    requirements=["R12.2", "A38", "B15"],
    rows={
        "send": Row("send", SD_SEND, b"x"),
        "send-after-both": Row("send", SD_BOTH, b"x", requirements=["R12.4"]),
        "wsasend": Row("WSASend", SD_SEND, [b"x"]),
        "sendto": Row("sendto", SD_SEND, b"x", 0, sockaddr_in(port=9)),
    },
)
def no_send_after_shutdown(ws: Target, call: str, how: int, *arguments: object) -> None:
    """After shutdown of the sending direction every send fails with WSAESHUTDOWN."""
    with ws.connected_pair() as (client, _):
        ws.shutdown(client, how)
        for _ in range(2):
            with fails_with(WSAESHUTDOWN, call):
                getattr(ws, call)(client, *arguments)


@case(
    "transfer.shutdown.receive-{row}",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}; {RECV}, error WSAESHUTDOWN",
    basis="documented",
    requirements=["R12.3", "A39", "B20"],
    rows={
        "recv": Row("recv", SD_RECEIVE, bytearray(4)),
        "recv-after-both": Row("recv", SD_BOTH, bytearray(4), requirements=["R12.4"]),
        "recvfrom": Row("recvfrom", SD_RECEIVE, bytearray(4)),
        "wsarecv": Row("WSARecv", SD_RECEIVE, [bytearray(4)]),
    },
)
def no_receive_after_shutdown(ws: Target, call: str, how: int, buffer: object) -> None:
    """After shutdown of the receiving direction every receive fails with WSAESHUTDOWN, also with data there."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        ws.shutdown(server, how)
        for _ in range(2):
            with fails_with(WSAESHUTDOWN, call):
                getattr(ws, call)(server, buffer)


@case(
    "transfer.shutdown.other-direction-{row}",
    chapter=CHAPTER,
    source=SHUTDOWN,
    basis="documented",
    rows={
        "receives": Row(SD_SEND, requirements=["R12.2"]),
        "sends": Row(SD_RECEIVE, requirements=["R12.3"]),
    },
)
def shutdown_ends_one_direction(ws: Target, how: int) -> None:
    """After shutdown of one direction the other one works as before."""
    with ws.connected_pair() as (client, server):
        ws.shutdown(client, how)
        if how == SD_SEND:
            ws.send(server, b"data")
            expect("data", expected=b"data", actual=ws.receive_exactly(client, 4))
        else:
            ws.send(client, b"data")
            expect("data", expected=b"data", actual=ws.receive_exactly(server, 4))


@case(
    "transfer.reset.receive",
    chapter=CHAPTER,
    source=f"{CLOSE}; {RECV}, error WSAECONNRESET",
    basis="documented",
    requirements=["R12.14", "A42", "A46"],
)
def reset_is_met_by_every_receive(ws: Target) -> None:
    """After the peer's abortive close recv fails with WSAECONNRESET, and so does every later one."""
    with ws.connected_pair() as (client, server):
        ws.reset(client)
        ws.wait_readable(server)
        for _ in range(3):
            with fails_with(WSAECONNRESET):
                ws.recv(server, bytearray(4))


@case(
    "transfer.reset.waiting-receive",
    chapter=CHAPTER,
    source=f"{CLOSE}; {RECV}, error WSAECONNRESET",
    basis="documented",
    requirements=["R12.14"],
)
def reset_ends_a_waiting_receive(ws: Target) -> None:
    """A recv that waits fails with WSAECONNRESET when the peer closes abortively."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        pending = other.start(ws.recv, server, bytearray(4))
        expect_true("recv waits", not pending.finished_within(A_MOMENT))
        ws.reset(client)
        with fails_with(WSAECONNRESET, "the waiting recv"):
            pending.result()


@case(
    "transfer.reset.send",
    chapter=CHAPTER,
    source=f"{SEND}, error WSAECONNRESET",
    basis="documented",
    requirements=["A41", "B15"],
)
def reset_is_met_by_every_send(ws: Target) -> None:
    """After the peer's abortive close every send fails with WSAECONNRESET, never with a code of its own."""
    with ws.connected_pair() as (client, server):
        ws.reset(client)
        ws.wait_readable(server)
        for _ in range(3):
            with fails_with(WSAECONNRESET, variants={WSAECONNABORTED: "the page allows both"}):
                ws.send(server, b"x")


@case(
    "transfer.reset.send-after-close",
    chapter=CHAPTER,
    source="winsock/graceful-shutdown-linger-options-and-socket-closure-2",
    basis="observed",
    requirements=["R12.33", "A41"],
)
def sending_to_a_closed_peer_fails_in_the_end(ws: Target) -> None:
    """Sends to a peer that has closed work until its answer is there; then they fail as after a reset."""
    with ws.connected_pair() as (client, server):
        ws.closesocket(client)
        ws.wait_readable(server)
        code = 0

        def sent() -> bool:
            nonlocal code
            try:
                ws.send(server, b"x")
            except Failed as failure:
                code = failure.code
            return bool(code)

        ws.until("a send fails", sent)
        with fails_with(WSAECONNRESET, "the send", variants={WSAECONNABORTED: "the page allows both"}):
            raise Failed(code, "send")


@case(
    "transfer.reset.unread-data",
    chapter=CHAPTER,
    source=PROVIDER.format("R12.20"),
    basis="observed",
    requirements=["R12.20", "A49"],
)
def close_with_unread_data_resets(ws: Target) -> None:
    """A peer that closes without having read everything resets the connection."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(server, b"never read")
        ws.closesocket(client)
        ws.wait_readable(server)
        with fails_with(WSAECONNRESET):
            ws.recv(server, bytearray(4))


@case(
    "transfer.close.ends-waiting-{row}",
    chapter=CHAPTER,
    source=f"{CLOSE}; requirements A44 and R12.24",
    basis="choice",
    requirements=["A44", "R12.24"],
    rows={
        "recv": Row("recv"),
        "send": Row("send", differs={"wine": lacks("a send that waits goes on when its socket is closed")}),
        "accept": Row("accept"),
    },
)
def close_ends_what_waits_in_other_threads(ws: Target, call: str) -> None:
    """A call that waits in another thread ends with an error when its socket is closed; the page names no code."""
    with small_buffers(ws) as (client, _), ws.listener() as listener, ws.thread() as other:
        ws.nonblocking(client)
        fill(ws, client)  # a send that got somewhere would report how far
        ws.nonblocking(client, False)
        s = listener if call == "accept" else client
        arguments = {"recv": (bytearray(4),), "send": (bytes(65536),)}.get(call, ())
        pending = other.start(getattr(ws, call), s, *arguments)
        expect_true(f"{call} waits", not pending.finished_within(A_MOMENT))
        ws.closesocket(s)
        undefined = dict.fromkeys((WSAENOTSOCK, WSAECONNABORTED, WSAECONNRESET), "the page names no code")
        with fails_with(WSAEINTR, f"the waiting {call}", variants=undefined):
            pending.result()


# ---- errors ----------------------------------------------------------------------------------------------------------

CALLS: dict[str, tuple[object, ...]] = {
    "send": (b"x",),
    "recv": (bytearray(4),),
    "sendto": (b"x", 0, sockaddr_in(port=9)),
    "recvfrom": (bytearray(4),),
    "WSASend": ([b"x"],),
    "WSARecv": ([bytearray(4)],),
    "WSASendTo": ([b"x"], 0, sockaddr_in(port=9)),
    "WSARecvFrom": ([bytearray(4)],),
}
NUMBER = {"send": "B15", "sendto": "B16", "recv": "B20", "recvfrom": "B21"} | {
    "WSASend": "B17",
    "WSASendTo": "B18",
    "WSARecv": "B22",
    "WSARecvFrom": "B23",
}


@case(
    "transfer.errors.not-connected-{row}",
    chapter=CHAPTER,
    source=f"{CODES}, WSAENOTCONN",
    basis="documented",
    requirements=["A36", "R16.28"],
    rows={
        f"{call.lower()}-{state}": Row(call, state, requirements=[NUMBER[call]])
        for call in CALLS
        for state in ("stream", "bound", "listening")
    },
)
def stream_has_to_be_connected(ws: Target, call: str, state: str) -> None:
    """Sending or receiving on a stream socket that has no connection is WSAENOTCONN."""
    with ws.socket_in(state) as s:
        for option in (SO_RCVTIMEO, SO_SNDTIMEO):  # where it waits instead
            ws.setsockopt(s, SOL_SOCKET, option, 200)
        with fails_with(WSAENOTCONN, call):
            getattr(ws, call)(s, *CALLS[call])


@case(
    "transfer.errors.no-socket-{row}",
    chapter=CHAPTER,
    source=f"{CODES}, WSAENOTSOCK",
    basis="documented",
    requirements=["R16.15", "R2.17"],
    rows={
        f"{call.lower()}-{name}": Row(call, state, requirements=[NUMBER[call]])
        for call in CALLS
        for name, state in (("closed", "closed"), ("invalid", ""))
    },
)
def handle_is_looked_up_first(ws: Target, call: str, state: str) -> None:
    """A handle that is no socket is WSAENOTSOCK, also with a NULL buffer beside it."""
    with ws.socket_in(state) if state else contextlib.nullcontext(INVALID_SOCKET) as s:
        for arguments in (CALLS[call], (None, *CALLS[call][1:])):
            with fails_with(WSAENOTSOCK, call):
                getattr(ws, call)(s, *arguments)


@case(
    "transfer.errors.null-buffer-{row}",
    chapter=CHAPTER,
    source=f"{CODES}, WSAEFAULT",
    basis="documented",
    rows={call.lower(): Row(call, requirements=[NUMBER[call]]) for call in CALLS},
)
def buffer_is_required(ws: Target, call: str) -> None:
    """NULL for the buffer, or the array of buffers, is WSAEFAULT, and nothing moves."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        with fails_with(WSAEFAULT, call):
            getattr(ws, call)(server, None, *CALLS[call][1:])
        expect("still queued", expected=4, actual=ws.queued(server))
        expect_true("nothing was sent", not ws.readable(client))


@case(
    "transfer.errors.buffer-before-state-{row}",
    chapter=CHAPTER,
    source="the checks of a provider: requirements R16.15, B15 and B20",
    basis="choice",
    requirements=["R16.15"],
    rows={call.lower(): Row(call, requirements=[NUMBER[call]]) for call in CALLS},
)
def buffer_is_looked_at_before_the_state(ws: Target, call: str) -> None:
    """NULL for the buffer is WSAEFAULT on a socket without a connection, too."""
    with ws.socket_in("stream") as s, fails_with(WSAEFAULT, call):
        getattr(ws, call)(s, None, *CALLS[call][1:])


@case(
    "transfer.c.negative-length-send",
    chapter=CHAPTER,
    source=PROVIDER.format("B15"),
    basis="choice",
    requirements=["B15"],
    needs_c=True,
)
def negative_length_cannot_be_sent(ws: Target) -> None:
    """send with a negative length is WSAEFAULT, and nothing is sent."""
    with ws.connected_pair() as (client, server):
        ws.nonblocking(client)
        data = ws.c.new(b"data")
        with fails_with(WSAEFAULT):
            ws.c.check("send", client, data.address, -1, 0)
        expect_true("nothing was sent", not ws.readable(server))


@case(
    "transfer.c.negative-length-recv",
    chapter=CHAPTER,
    source=f"{RECV}, error WSAEINVAL",
    basis="documented",
    requirements=["B20"],
    needs_c=True,
)
def negative_length_cannot_be_received(ws: Target) -> None:
    """recv with a negative length is WSAEINVAL, and the data stays."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        room = ws.c.new(4)
        with fails_with(WSAEINVAL, variants={WSAEFAULT: "a provider that looks for so much memory first"}):
            ws.c.check("recv", server, room.address, -1, 0)
        expect("still queued", expected=4, actual=ws.queued(server))


@case(
    "transfer.c.descriptors-are-copied",
    chapter=CHAPTER,
    source=PUBLIC_TEST.format("afd.c:test_recv"),
    basis="observed",
    behaviours=["afd-recv-buffers-copied"],
    needs_c=True,
)
def array_may_change_while_a_receive_waits(ws: Target) -> None:
    """A WSARecv that waits fills the buffer it was called with, though the WSABUF array was overwritten since."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        meant, elsewhere, count, flags = ws.c.new(8), ws.c.new(8), ws.c.new(4), ws.c.new(4)
        array = ws.c.new(ws.c.pack("WSABUF", len=8, buf=meant.address))
        pending = other.start(ws.c.check, "WSARecv", server, array.address, 1, count.address, flags.address, 0, 0)
        expect_true("WSARecv waits", not pending.finished_within(A_MOMENT))
        array.write(ws.c.pack("WSABUF", len=2, buf=elsewhere.address))
        ws.send(client, b"data")
        pending.result()
        expect("received", expected=4, actual=count.number())
        expect("buffers", expected=(b"data", bytes(4)), actual=(meant.read(4), elsewhere.read(4)))


@case(
    "transfer.c.readfile-ignores-nonblocking-mode",
    chapter=CHAPTER,
    source=PUBLIC_TEST.format("afd.c:test_read_write"),
    basis="observed",
    requirements=["R2.8"],
    behaviours=["afd-readfile-blocks"],
    needs_c=True,
)
def readfile_waits_on_a_nonblocking_socket(ws: Target) -> None:
    """ReadFile on a non-blocking socket without the overlapped attribute waits: that mode is for Winsock's calls."""
    with ws.listener() as listener, ws.closing(ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP)) as client:
        ws.connect(client, ws.getsockname(listener))
        server, _ = ws.accept(listener)
        with ws.closing(server), ws.thread() as other:
            ws.nonblocking(client)
            room, count = ws.c.new(8), ws.c.new(4)
            arguments = (client, room.address, 8, count.address, 0)
            pending = other.start(ws.c.check, "kernel32.ReadFile", *arguments, returns="bool")
            expect_true("ReadFile waits", not pending.finished_within(A_MOMENT))
            ws.send(server, b"data")
            pending.result()
            expect("received", expected=b"data", actual=room.read(count.number()))
