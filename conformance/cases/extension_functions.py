"""The functions behind SIO_GET_EXTENSION_FUNCTION_POINTER that connect, disconnect and send files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from ..addresses import SIZE_IN, SIZE_IN6, loopback
from ..constants import (
    AF_INET,
    AF_INET6,
    CF_DEFER,
    ERROR_CONNECTION_REFUSED,
    ERROR_INSUFFICIENT_BUFFER,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_OPERATION_ABORTED,
    FILE_SKIP_COMPLETION_PORT_ON_SUCCESS,
    INVALID_HANDLE_VALUE,
    INVALID_SOCKET,
    IPPROTO_TCP,
    POLLRDNORM,
    SD_SEND,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SO_CONNECT_TIME,
    SO_KEEPALIVE,
    SO_UPDATE_ACCEPT_CONTEXT,
    SO_UPDATE_CONNECT_CONTEXT,
    SOCK_STREAM,
    SOL_SOCKET,
    STATUS_BUFFER_TOO_SMALL,
    STATUS_PENDING,
    STATUS_SUCCESS,
    TF_DISCONNECT,
    TF_REUSE_SOCKET,
    WSA_WAIT_EVENT_0,
    WSA_WAIT_TIMEOUT,
    WSAEALREADY,
    WSAEFAULT,
    WSAEINVAL,
    WSAEISCONN,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAID_DISCONNECTEX,
    WSATRY_AGAIN,
)
from ..model import Row, case
from ..target import PENDING, Element, Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Extension functions"
ACCEPTEX = "mswsock/nf-mswsock-acceptex"
SOCKADDRS = "mswsock/nf-mswsock-getacceptexsockaddrs"
CONNECTEX = "mswsock/nc-mswsock-lpfn_connectex"
DISCONNECTEX = "mswsock/nc-mswsock-lpfn_disconnectex"
TRANSMITFILE = "mswsock/nf-mswsock-transmitfile"
TRANSMITPACKETS = "mswsock/nc-mswsock-lpfn_transmitpackets"
ACCEPTEX_TEST = "Wine's public test sock.c:test_AcceptEx, which passes on Windows"
CONNECT_TEST = "Wine's public test sock.c:test_connect, which passes on Windows"
PORT_TEST = "Wine's public test sock.c:test_connect_completion_port, which passes on Windows"
DISCONNECT_TEST = "Wine's public test sock.c:test_DisconnectEx, which passes on Windows"
POLL_TEST = "Wine's public test afd.c:test_poll, which passes on Windows"
LONG_MS = 5000
A_MOMENT_MS = 50
NEVER_WRITTEN = 0xDEADBEEF


class Requests:
    """Records with an event each, and their outcomes."""

    def __init__(self, ws: Target) -> None:
        self.ws = ws
        self.events: list[int] = []

    def record(self) -> Any:
        """A new one; InternalHigh shows whether it is ever written."""
        event = self.ws.WSACreateEvent()
        self.events.append(event)
        record = self.ws.overlapped(event)
        record.InternalHigh = NEVER_WRITTEN
        return record

    def wait(self, record: Any) -> None:
        """Wait until it is complete."""
        ended = self.ws.WSAWaitForMultipleEvents([record.hEvent], False, LONG_MS)
        expect("event of the request", expected=WSA_WAIT_EVENT_0, actual=ended)

    def moved(self, s: int, record: Any) -> int:
        """The bytes of a request that has succeeded."""
        self.wait(record)
        return self.ws.GetOverlappedResult(s, record, False)

    def fails(self, s: int, record: Any, code: int) -> None:
        """It fails with this Win32 code, and has moved nothing."""
        self.wait(record)
        with fails_with(code) as caught:
            self.ws.GetOverlappedResult(s, record, False)
        expect("bytes", expected=0, actual=record.InternalHigh)
        expect_true("nothing was moved", not caught.moved, actual=caught.moved)

    def pends(self, record: Any) -> None:
        """It is not complete, and will not be in a moment."""
        waited = self.ws.WSAWaitForMultipleEvents([record.hEvent], False, A_MOMENT_MS)
        expect("event of the request", expected=WSA_WAIT_TIMEOUT, actual=waited)
        expect("Internal", expected=STATUS_PENDING, actual=record.Internal)


@contextlib.contextmanager
def requests(ws: Target) -> Iterator[Requests]:
    made = Requests(ws)
    try:
        yield made
    finally:
        for event in made.events:
            ws.WSACloseEvent(event)


def room(family: int = AF_INET) -> int:
    """The least room for an address."""
    return (SIZE_IN if family == AF_INET else SIZE_IN6) + 16


class Accepting:
    """An AcceptEx request on a listening socket, with its own accepting socket."""

    def __init__(
        self, made: Requests, listening: int, length: int = 0, local: int | None = None, remote: int | None = None
    ) -> None:
        self.made, self.ws, self.listening = made, made.ws, listening
        self.acceptor = self.ws.tcp()
        self.lengths = length, room() if local is None else local, room() if remote is None else remote
        self.buffer = bytearray(max(sum(self.lengths), 64))
        self.record = made.record()
        self.result = self.ws.AcceptEx(listening, self.acceptor, self.buffer, *self.lengths, self.record)

    def moved(self) -> int:
        """The bytes it has received, once it is complete."""
        return self.made.moved(self.listening, self.record)

    def addresses(self) -> tuple[bytes | None, bytes]:
        """What is in the buffer."""
        return self.ws.GetAcceptExSockaddrs(self.buffer, *self.lengths)

    def update(self) -> None:
        """Tell the accepted socket where it is from."""
        value = self.listening.to_bytes(8, "little")
        self.ws.setsockopt(self.acceptor, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, value)


@contextlib.contextmanager
def accepting(ws: Target, length: int = 0, **sizes: int) -> Iterator[tuple[Accepting, Requests, int]]:
    """A request that pends, and a client that has not connected yet."""
    with requests(ws) as made, ws.listener() as listening:
        request = Accepting(made, listening, length, **sizes)
        with ws.closing(request.acceptor, ws.tcp()) as (_, client):
            expect("result of AcceptEx", expected=PENDING, actual=request.result)
            yield request, made, client


@contextlib.contextmanager
def bound(ws: Target) -> Iterator[int]:
    with ws.closing(ws.tcp()) as s:
        ws.bind(s, loopback())
        yield s


def exchange(ws: Target, one: int, other: int) -> None:
    """Data goes both ways."""
    for source, sink, data in ((one, other, b"there"), (other, one, b"back")):
        ws.send(source, data)
        expect("data", expected=data, actual=ws.receive_exactly(sink, len(data)))


# ---- AcceptEx --------------------------------------------------------------------------------------------------------


@case(
    "extensions.acceptex.completes",
    chapter=CHAPTER,
    source=f"{ACCEPTEX}; {ACCEPTEX_TEST}",
    basis="documented",
    requirements=["R9.38", "R9.40", "R9.42"],
    behaviours=["acceptex-completes"],
)
def accept_ex_completes_when_somebody_connects(ws: Target) -> None:
    """Without room for data the request pends, and completes with 0 bytes when a connection comes."""
    with accepting(ws) as (request, made, client):
        made.pends(request.record)
        ws.connect(client, ws.getsockname(request.listening))
        expect("bytes", expected=0, actual=request.moved())
        expect("Internal", expected=STATUS_SUCCESS, actual=request.record.Internal)
        expect("addresses", expected=names(ws, request, client), actual=request.addresses())
        exchange(ws, request.acceptor, client)


def names(ws: Target, request: Accepting, client: int) -> tuple[bytes, bytes]:
    return bytes(ws.getsockname(request.listening)), bytes(ws.getsockname(client))


@case(
    "extensions.acceptex.ipv6",
    chapter=CHAPTER,
    source=ACCEPTEX,
    basis="documented",
    requirements=["R9.39", "R9.42"],
)
def accept_ex_has_room_for_ipv6_addresses(ws: Target) -> None:
    """44 bytes for each IPv6 address are enough."""
    ws.has_family(AF_INET6)
    with (
        requests(ws) as made,
        ws.closing(*(ws.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP) for _ in range(3))) as sockets,
    ):
        listening, acceptor, client = sockets
        ws.bind(listening, loopback(AF_INET6))
        ws.listen(listening, 1)
        size = room(AF_INET6)
        buffer, record = bytearray(2 * size), made.record()
        ws.AcceptEx(listening, acceptor, buffer, 0, size, size, record)
        ws.connect(client, ws.getsockname(listening))
        made.moved(listening, record)
        expected = bytes(ws.getsockname(listening)), bytes(ws.getsockname(client))
        expect("addresses", expected=expected, actual=ws.GetAcceptExSockaddrs(buffer, 0, size, size))


@case(
    "extensions.acceptex.waits-for-data",
    chapter=CHAPTER,
    source=f"{ACCEPTEX}, parameter dwReceiveDataLength; {ACCEPTEX_TEST}",
    basis="documented",
    requirements=["R9.40", "R9.42"],
    behaviours=["acceptex-waits-for-data", "acceptex-short-read", "acceptex-sockaddrs"],
)
def accept_ex_waits_for_data_and_takes_what_comes(ws: Target) -> None:
    """With room for two bytes the request waits until data comes, and one byte completes it."""
    with accepting(ws, 2) as (request, made, client):
        ws.connect(client, ws.getsockname(request.listening))
        made.pends(request.record)
        ws.send(client, b"x")
        expect("bytes", expected=1, actual=request.moved())
        expect("data", expected=b"x", actual=bytes(request.buffer[:1]))
        expect("addresses", expected=names(ws, request, client), actual=request.addresses())


@case(
    "extensions.acceptex.connect-time",
    chapter=CHAPTER,
    source=f"{ACCEPTEX}, remarks on SO_CONNECT_TIME",
    basis="documented",
    requirements=["R9.40", "R11.60"],
)
def connect_time_shows_a_silent_client(ws: Target) -> None:
    """SO_CONNECT_TIME of the accepting socket is 0xFFFFFFFF until a client has connected, be it as silent as it may."""
    with accepting(ws, 2) as (request, _, client):

        def seconds() -> int:
            return ws.get_int(request.acceptor, SOL_SOCKET, SO_CONNECT_TIME) & 0xFFFFFFFF

        expect("connect time", expected=0xFFFFFFFF, actual=seconds())
        ws.connect(client, ws.getsockname(request.listening))
        ws.until("the socket has a connect time", lambda: seconds() != 0xFFFFFFFF)
        expect_true("connect time", seconds() < 10, actual=seconds())


@case(
    "extensions.acceptex.end-without-data",
    chapter=CHAPTER,
    source=ACCEPTEX_TEST,
    basis="observed",
    requirements=["R9.40"],
    behaviours=["acceptex-disconnect-during-receive"],
)
def client_that_says_nothing_and_closes_completes_accept_ex(ws: Target) -> None:
    """A client connects and closes without a word: the request completes with 0 bytes."""
    with accepting(ws, 2) as (request, _, client):
        ws.connect(client, ws.getsockname(request.listening))
        ws.shutdown(client, SD_SEND)
        expect("bytes", expected=0, actual=request.moved())


@case(
    "extensions.acceptex.silent-client-blocks-nobody",
    chapter=CHAPTER,
    source=f"{ACCEPTEX}, remarks",
    basis="documented",
    requirements=["R9.40"],
)
def silent_client_keeps_no_other_request_waiting(ws: Target) -> None:
    """While the first request waits for data, a second one completes."""
    with accepting(ws, 4) as (first, made, silent):
        second = Accepting(made, first.listening, 4)
        with ws.closing(second.acceptor, ws.tcp()) as (_, talker):
            for client in (silent, talker):
                ws.connect(client, ws.getsockname(first.listening))
            ws.send(talker, b"hi")
            expect("bytes of the second", expected=2, actual=second.moved())
            made.pends(first.record)


@case(
    "extensions.acceptex.local-address-left-out",
    chapter=CHAPTER,
    source=ACCEPTEX_TEST,
    basis="observed",
    requirements=["R9.42"],
    behaviours=["acceptex-local-size-zero", "acceptex-sockaddrs-local-zero"],
)
def local_address_can_be_left_out(ws: Target) -> None:
    """With a local length of 0 the request completes, and GetAcceptExSockaddrs stores a remote address only."""
    with accepting(ws, local=0) as (request, _, client):
        ws.connect(client, ws.getsockname(request.listening))
        expect("bytes", expected=0, actual=request.moved())
        expect("Internal", expected=STATUS_SUCCESS, actual=request.record.Internal)
        expect("addresses", expected=(None, bytes(ws.getsockname(client))), actual=request.addresses())


@case(
    "extensions.acceptex.too-little-room.{row}",
    chapter=CHAPTER,
    source=ACCEPTEX_TEST,
    basis="observed",
    requirements=["R9.39"],
    rows={
        "local-3": Row("local", 3, behaviours=["acceptex-tiny-local-size", "acceptex-tiny-local-not-consumed"]),
        "local-20": Row("local", SIZE_IN + 4, behaviours=["acceptex-local-size-plus4"]),
        "local-31": Row("local", SIZE_IN + 15, behaviours=["acceptex-local-size-plus15"]),
        "remote-31": Row("remote", SIZE_IN + 15, behaviours=["acceptex-remote-plus15"]),
    },
)
def too_little_room_for_an_address_fails_late(ws: Target, which: str, size: int) -> None:
    """The call pends, fails when a connection comes, and the connection is the next accept's."""
    with accepting(ws, **{which: size}) as (request, made, client):
        ws.connect(client, ws.getsockname(request.listening))
        made.fails(request.listening, request.record, ERROR_INSUFFICIENT_BUFFER)
        expect("Internal", expected=STATUS_BUFFER_TOO_SMALL, actual=request.record.Internal)
        ws.wait_readable(request.listening)
        accepted, address = ws.accept(request.listening)
        with ws.closing(accepted):
            expect("caller", expected=bytes(ws.getsockname(client)), actual=bytes(address))


@case(
    "extensions.acceptex.refused.{row}",
    chapter=CHAPTER,
    source=f"{ACCEPTEX_TEST}; {ACCEPTEX}",
    basis="observed",
    requirements=["R9.38", "B12"],
    rows={
        "invalid-listener": Row("invalid", "fresh", 32, WSAENOTSOCK, behaviours=["acceptex-invalid-listener"]),
        "invalid-acceptor": Row("listening", "invalid", 32, WSAENOTSOCK, behaviours=["acceptex-invalid-acceptor"]),
        "not-listening": Row("bound", "fresh", 32, WSAEINVAL, behaviours=["acceptex-not-listening"]),
        "remote-length-zero": Row("listening", "fresh", 0, WSAEFAULT, behaviours=["acceptex-remote-zero"]),
        "bound-acceptor": Row("listening", "bound", 32, WSAEINVAL, behaviours=["acceptex-bound-acceptor"]),
        "datagram-acceptor": Row("listening", "datagram", 32, WSAEINVAL, behaviours=["acceptex-udp-acceptor"]),
        "caller-as-acceptor": Row("listening", "caller", 32, WSAEINVAL, behaviours=["acceptex-connected-acceptor"]),
        "accepted-as-acceptor": Row("listening", "accepted", 32, WSAEINVAL),
    },
)
def accept_ex_refuses_what_it_cannot_use(ws: Target, listener: str, acceptor: str, remote: int, code: int) -> None:
    """The call fails at once; Internal says STATUS_PENDING all the same, and nothing else is written."""
    with (
        requests(ws) as made,
        ws.listener() as listening,
        bound(ws) as other,
        ws.connected_pair() as (caller, accepted),
    ):
        sockets = {"listening": listening, "bound": other, "caller": caller, "accepted": accepted}
        sockets["invalid"] = INVALID_SOCKET
        with ws.closing(ws.tcp(), ws.udp()) as (sockets["fresh"], sockets["datagram"]):
            record = made.record()
            with fails_with(code):
                ws.AcceptEx(sockets[listener], sockets[acceptor], bytearray(64), 0, room(), remote, record)
            expect("Internal", expected=STATUS_PENDING, actual=record.Internal)
            expect("InternalHigh", expected=NEVER_WRITTEN, actual=record.InternalHigh)


@case(
    "extensions.acceptex.no-buffer",
    chapter=CHAPTER,
    source=ACCEPTEX_TEST,
    basis="observed",
    requirements=["B12"],
    behaviours=["acceptex-null-buffer"],
)
def accept_ex_needs_a_buffer(ws: Target) -> None:
    """A NULL output buffer is WSAEFAULT."""
    with requests(ws) as made, ws.listener() as listening, ws.closing(ws.tcp()) as acceptor:
        record = made.record()
        with fails_with(WSAEFAULT):
            ws.AcceptEx(listening, acceptor, None, 2, room(), room(), record)
        expect("Internal", expected=STATUS_PENDING, actual=record.Internal)


@case(
    "extensions.acceptex.no-record",
    chapter=CHAPTER,
    source=ACCEPTEX_TEST,
    basis="observed",
    requirements=["R9.38", "B12"],
    behaviours=["acceptex-null-overlapped"],
)
def accept_ex_needs_a_record(ws: Target) -> None:
    """A NULL lpOverlapped is ERROR_INVALID_PARAMETER, whatever the sizes are."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as acceptor:
        for sizes in ((2, room(), room()), (0, 0, 0)):
            with fails_with(ERROR_INVALID_PARAMETER):
                ws.AcceptEx(listening, acceptor, bytearray(66), *sizes, None)


@case(
    "extensions.acceptex.busy-acceptor",
    chapter=CHAPTER,
    source=ACCEPTEX_TEST,
    basis="observed",
    requirements=["B12", "B11"],
    behaviours=["acceptex-same-acceptor-twice", "acceptex-connect-on-acceptor"],
)
def accepting_socket_is_for_one_request_only(ws: Target) -> None:
    """While AcceptEx pends, another AcceptEx, connect and ConnectEx on the accepting socket are WSAEINVAL."""
    with accepting(ws) as (request, made, _):
        record, name = made.record(), ws.getsockname(request.listening)
        with fails_with(WSAEINVAL):
            ws.AcceptEx(request.listening, request.acceptor, bytearray(64), 0, room(), room(), record)
        expect("Internal", expected=STATUS_PENDING, actual=record.Internal)
        with fails_with(WSAEINVAL):
            ws.connect(request.acceptor, name)
        with fails_with(WSAEINVAL):
            ws.ConnectEx(request.acceptor, name, None, made.record())


@case(
    "extensions.acceptex.cancel",
    chapter=CHAPTER,
    source=ACCEPTEX_TEST,
    basis="observed",
    requirements=["R6.51"],
    behaviours=["acceptex-cancelio", "acceptex-cancelio-wrong-handle"],
)
def request_is_the_listening_sockets(ws: Target) -> None:
    """CancelIo on the accepting socket leaves the request alone; on the listening one it ends it."""
    with accepting(ws) as (request, made, _):
        ws.CancelIo(request.acceptor)
        made.pends(request.record)
        ws.CancelIo(request.listening)
        made.fails(request.listening, request.record, ERROR_OPERATION_ABORTED)


@case(
    "extensions.acceptex.closed-{row}",
    chapter=CHAPTER,
    source=ACCEPTEX_TEST,
    basis="observed",
    requirements=["R6.48"],
    rows={
        "acceptor": Row("acceptor", 0, behaviours=["acceptex-close-acceptor"]),
        "listener": Row("listening", 0, behaviours=["acceptex-close-listener"]),
        "listener-while-data-is-awaited": Row("listening", 4),
        "acceptor-while-data-is-awaited": Row("acceptor", 4),
    },
)
def closing_either_socket_aborts_accept_ex(ws: Target, which: str, length: int) -> None:
    """closesocket of the accepting or of the listening socket completes the request with ERROR_OPERATION_ABORTED."""
    with requests(ws) as made, contextlib.ExitStack() as stack:
        listening = ws.tcp()
        ws.bind(listening, loopback())
        ws.listen(listening, 5)
        request = Accepting(made, listening, length)
        client = stack.enter_context(ws.closing(ws.tcp()))
        if length:
            ws.connect(client, ws.getsockname(listening))
            made.pends(request.record)
        ws.closesocket(getattr(request, which))
        made.fails(listening, request.record, ERROR_OPERATION_ABORTED)
        ws.closesocket(listening if which == "acceptor" else request.acceptor)


@case(
    "extensions.acceptex.before-accept",
    chapter=CHAPTER,
    source=POLL_TEST,
    basis="observed",
    behaviours=["afd-poll-pending-acceptex"],
)
def accept_ex_comes_before_a_poll(ws: Target) -> None:
    """A poll for callers does not see the one that AcceptEx takes, only the next one."""
    with accepting(ws) as (request, _, client), ws.closing(ws.tcp()) as other, ws.thread() as poller:
        polling = poller.start(ws.WSAPoll, [(request.listening, POLLRDNORM)], LONG_MS)
        expect_true("the poll waits", not polling.finished_within(A_MOMENT_MS / 1000))
        ws.connect(client, ws.getsockname(request.listening))
        expect("bytes", expected=0, actual=request.moved())
        expect_true("the poll still waits", not polling.finished_within(A_MOMENT_MS / 1000))
        ws.connect(other, ws.getsockname(request.listening))
        expect("poll", expected=(1, [POLLRDNORM]), actual=polling.result())


@case(
    "extensions.acceptex.deferred",
    chapter=CHAPTER,
    source=ACCEPTEX_TEST,
    basis="observed",
    behaviours=["acceptex-after-defer", "acceptex-next-accept", "acceptex-deferred-data"],
)
def accept_ex_takes_a_deferred_connection(ws: Target) -> None:
    """What WSAAccept has deferred is AcceptEx's; the next caller is accept's, and the data of each its own."""
    with requests(ws) as made, ws.listener() as listening, ws.closing(ws.tcp(), ws.tcp()) as (first, second):
        ws.connect(first, ws.getsockname(listening))
        ws.wait_readable(listening)
        with fails_with(WSATRY_AGAIN):
            ws.WSAAccept(listening, None, lambda *_: CF_DEFER)
        request = Accepting(made, listening)
        with ws.closing(request.acceptor):
            expect("bytes", expected=0, actual=request.moved())
            ws.connect(second, ws.getsockname(listening))
            ws.wait_readable(listening)
            accepted, _ = ws.accept(listening)
            with ws.closing(accepted):
                ws.send(first, b"1")
                ws.send(second, b"2")
                expect("data of the first", expected=b"1", actual=ws.receive_exactly(request.acceptor, 1))
                expect("data of the second", expected=b"2", actual=ws.receive_exactly(accepted, 1))


@case(
    "extensions.acceptex.context",
    chapter=CHAPTER,
    source=f"{ACCEPTEX}, remarks; {ACCEPTEX_TEST}",
    basis="documented",
    requirements=["R9.43", "A11"],
)
def accepted_socket_learns_where_it_is_from(ws: Target) -> None:
    """Before SO_UPDATE_ACCEPT_CONTEXT there is no peer's name and no option of the listening socket; then there is."""
    with accepting(ws) as (request, _, client):
        ws.setsockopt(request.listening, SOL_SOCKET, SO_KEEPALIVE, 1)
        ws.connect(client, ws.getsockname(request.listening))
        request.moved()
        exchange(ws, request.acceptor, client)
        with fails_with(WSAENOTCONN):
            ws.getpeername(request.acceptor)
        expect("SO_KEEPALIVE", expected=0, actual=ws.getsockopt(request.acceptor, SOL_SOCKET, SO_KEEPALIVE)[0])
        request.update()
        peer = bytes(ws.getpeername(request.acceptor))
        expect("peer", expected=bytes(ws.getsockname(client)), actual=peer)
        expect("SO_KEEPALIVE", expected=1, actual=ws.getsockopt(request.acceptor, SOL_SOCKET, SO_KEEPALIVE)[0])
        ws.shutdown(request.acceptor, SD_SEND)
        expect("end", expected=0, actual=ws.recv(client, bytearray(1)))


# ---- ConnectEx -------------------------------------------------------------------------------------------------------


@case(
    "extensions.connectex.completes",
    chapter=CHAPTER,
    source=f"{CONNECTEX}; {CONNECT_TEST}",
    basis="observed",
    requirements=["R9.44"],
    behaviours=["connectex-ok"],
)
def connect_ex_pends_and_completes(ws: Target) -> None:
    """On a bound socket the call pends, always; the event is set and the result is 0 bytes."""
    with requests(ws) as made, ws.listener() as listening, bound(ws) as s:
        record = made.record()
        expect("result", expected=PENDING, actual=ws.ConnectEx(s, ws.getsockname(listening), None, record))
        expect("bytes", expected=0, actual=made.moved(s, record))
        accepted, address = ws.accept(listening)
        with ws.closing(accepted):
            expect("caller", expected=bytes(ws.getsockname(s)), actual=bytes(address))
            exchange(ws, accepted, s)


@case(
    "extensions.connectex.first-data",
    chapter=CHAPTER,
    source=f"{CONNECTEX}, parameter lpSendBuffer; {CONNECT_TEST}",
    basis="observed",
    requirements=["R9.44"],
    behaviours=["connectex-with-data"],
)
def connect_ex_sends_first_data(ws: Target) -> None:
    """Three bytes are sent, as they were when the call was made, and counted."""
    with requests(ws) as made, ws.listener() as listening, bound(ws) as s:
        record, data = made.record(), bytearray(b"abc")
        ws.ConnectEx(s, ws.getsockname(listening), data, record)
        data[:] = b"xyz"
        expect("bytes", expected=3, actual=made.moved(s, record))
        accepted, _ = ws.accept(listening)
        with ws.closing(accepted):
            expect("data", expected=b"abc", actual=ws.receive_exactly(accepted, 3))


@case(
    "extensions.connectex.refused.{row}",
    chapter=CHAPTER,
    source=f"{CONNECTEX}; {CONNECT_TEST}",
    basis="observed",
    requirements=["R9.44", "R9.45", "B11"],
    rows={
        "listening": Row(
            "listening", WSAEINVAL, behaviours=["connectex-on-listener", "connectex-internalhigh-untouched"]
        ),
        "unbound": Row("unbound", WSAEINVAL, behaviours=["connectex-unbound"]),
        "connected": Row("connected", WSAEISCONN, behaviours=["connectex-on-connected"]),
        "accepted": Row("accepted", WSAEISCONN),
    },
)
def connect_ex_refuses_a_socket_in_another_state(ws: Target, state: str, code: int) -> None:
    """The call fails at once; Internal says STATUS_PENDING, InternalHigh is left alone."""
    with (
        requests(ws) as made,
        ws.listener() as listening,
        ws.connected_pair() as (client, server),
        ws.closing(ws.tcp()) as unbound,
    ):
        sockets = {"listening": listening, "unbound": unbound, "connected": client, "accepted": server}
        record = made.record()
        with fails_with(code):
            ws.ConnectEx(sockets[state], ws.getsockname(listening), None, record)
        expect("Internal", expected=STATUS_PENDING, actual=record.Internal)
        expect("InternalHigh", expected=NEVER_WRITTEN, actual=record.InternalHigh)


@case(
    "extensions.connectex.arguments",
    chapter=CHAPTER,
    source=f"{CONNECTEX}; {CONNECT_TEST}",
    basis="observed",
    requirements=["R9.44", "B11"],
    behaviours=["connectex-invalid-socket", "connectex-null-overlapped", "connect-ext-pointer"],
)
def connect_ex_checks_its_arguments(ws: Target) -> None:
    """No socket is WSAENOTSOCK, no record ERROR_INVALID_PARAMETER, a short name WSAEFAULT; no datagram sockets."""
    with requests(ws) as made, ws.listener() as listening, bound(ws) as s, ws.closing(ws.udp()) as datagrams:
        name = ws.getsockname(listening)
        with fails_with(WSAENOTSOCK):
            ws.ConnectEx(INVALID_SOCKET, name, None, made.record())
        with fails_with(ERROR_INVALID_PARAMETER):
            ws.ConnectEx(s, name, None, None)
        for bad in (None, bytes(name)[:-1]):
            with fails_with(WSAEFAULT):
                ws.ConnectEx(s, bad, None, made.record())
        with fails_with(WSAEINVAL, variants={WSAEOPNOTSUPP: "the other code of appendix B"}):
            ws.ConnectEx(datagrams, name, None, made.record())


@case(
    "extensions.connectex.twice",
    chapter=CHAPTER,
    source=CONNECT_TEST,
    basis="observed",
    requirements=["R9.45", "R9.46"],
    behaviours=["connect-after-connectex"],
)
def connected_socket_is_not_connected_again(ws: Target) -> None:
    """After ConnectEx another ConnectEx is WSAEISCONN, and connect WSAEINVAL as long as the context is not set."""
    with requests(ws) as made, ws.listener() as listening, bound(ws) as s:
        name, record = ws.getsockname(listening), made.record()
        ws.ConnectEx(s, name, None, record)
        made.moved(s, record)
        with fails_with(WSAEINVAL):
            ws.connect(s, name)
        with fails_with(WSAEISCONN):
            ws.ConnectEx(s, name, None, made.record())


@case(
    "extensions.connectex.nobody-listens",
    chapter=CHAPTER,
    source=f"{CONNECTEX}; {CONNECT_TEST}",
    basis="observed",
    requirements=["R9.45", "R16.13"],
    behaviours=["connectex-refused"],
)
def refused_connect_ex_leaves_a_socket_to_connect(ws: Target) -> None:
    """The request fails with ERROR_CONNECTION_REFUSED; afterwards the same socket connects to somebody who listens."""
    with requests(ws) as made, ws.listener() as listening, bound(ws) as nobody, bound(ws) as s:
        record = made.record()
        refused = ws.ConnectEx(s, ws.getsockname(nobody), None, record)
        expect("result", expected=PENDING, actual=refused)
        made.fails(s, record, ERROR_CONNECTION_REFUSED)
        record = made.record()
        ws.ConnectEx(s, ws.getsockname(listening), b"x", record)
        expect("bytes", expected=1, actual=made.moved(s, record))


@case(
    "extensions.connectex.under-way",
    chapter=CHAPTER,
    source=CONNECTEX,
    basis="documented",
    requirements=["R9.45", "B11"],
)
def connect_ex_while_a_connect_is_under_way(ws: Target) -> None:
    """On a socket that is connecting ConnectEx is WSAEALREADY."""
    with requests(ws) as made, ws.connecting() as s, ws.listener() as listening, fails_with(WSAEALREADY):
        ws.ConnectEx(s, ws.getsockname(listening), None, made.record())


@case(
    "extensions.connectex.context",
    chapter=CHAPTER,
    source=f"{CONNECTEX}, remarks",
    basis="documented",
    requirements=["R9.46", "A11"],
)
def connected_socket_learns_that_it_is_connected(ws: Target) -> None:
    """Before SO_UPDATE_CONNECT_CONTEXT getpeername and shutdown are WSAENOTCONN; afterwards they work."""
    with requests(ws) as made, ws.listener() as listening, bound(ws) as s:
        record = made.record()
        ws.ConnectEx(s, ws.getsockname(listening), None, record)
        made.moved(s, record)
        with fails_with(WSAENOTCONN):
            ws.getpeername(s)
        with fails_with(WSAENOTCONN):
            ws.shutdown(s, SD_SEND)
        seconds = ws.get_int(s, SOL_SOCKET, SO_CONNECT_TIME)
        expect_true("connect time", 0 <= seconds < 10, actual=seconds)
        ws.setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, b"")
        expect("peer", expected=bytes(ws.getsockname(listening)), actual=bytes(ws.getpeername(s)))
        ws.shutdown(s, SD_SEND)


@contextlib.contextmanager
def port_of(ws: Target, s: int) -> Iterator[int]:
    """A completion port that a socket is tied to, with the key 0."""
    port = ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE, 0, 0, 0)
    try:
        ws.CreateIoCompletionPort(s, port, 0, 0)
        yield port
    finally:
        ws.CloseHandle(port)


@case(
    "extensions.connectex.packet.{row}",
    chapter=CHAPTER,
    source=PORT_TEST,
    basis="observed",
    rows={
        "no-data": Row(b"", False, behaviours=["iocp-connectex-packet"]),
        "data": Row(b"abc", False, behaviours=["iocp-connectex-data"]),
        "skipped-only-at-once": Row(b"", True, behaviours=["iocp-skip-on-success-pending"]),
    },
)
def packet_tells_of_connect_ex(ws: Target, data: bytes, skip: bool) -> None:
    """The packet has the bytes sent, the key and the record, and the event is set; the skip mode changes nothing."""
    with requests(ws) as made, ws.listener() as listening, bound(ws) as s, port_of(ws, s) as port:
        if skip:
            ws.SetFileCompletionNotificationModes(s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)
        record = made.record()
        ws.ConnectEx(s, ws.getsockname(listening), data or None, record)
        packet = ws.GetQueuedCompletionStatus(port, LONG_MS)
        expect("packet", expected=(len(data), 0, ws.token(record)), actual=packet)
        expect("bytes", expected=len(data), actual=made.moved(s, record))


@case(
    "extensions.connectex.packet-of-a-refusal",
    chapter=CHAPTER,
    source=PORT_TEST,
    basis="observed",
    requirements=["R9.45", "R16.13"],
    behaviours=["iocp-connectex-refused", "iocp-connectex-refused-result"],
)
def packet_tells_of_a_refusal(ws: Target) -> None:
    """A failure is told with the skip mode, too: FALSE, ERROR_CONNECTION_REFUSED, no bytes, and the record."""
    with requests(ws) as made, bound(ws) as nobody, bound(ws) as s, port_of(ws, s) as port:
        ws.SetFileCompletionNotificationModes(s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)
        record = made.record()
        ws.ConnectEx(s, ws.getsockname(nobody), None, record)
        with fails_with(ERROR_CONNECTION_REFUSED) as caught:
            ws.GetQueuedCompletionStatus(port, LONG_MS)
        expect("packet", expected=(0, 0, ws.token(record)), actual=caught.packet)
        made.fails(s, record, ERROR_CONNECTION_REFUSED)


# ---- DisconnectEx ----------------------------------------------------------------------------------------------------


@case(
    "extensions.disconnectex.arguments",
    chapter=CHAPTER,
    source=f"{DISCONNECTEX}; {DISCONNECT_TEST}",
    basis="observed",
    requirements=["R9.47", "B13"],
    behaviours=["disconnectex-invalid", "disconnectex-unconnected"],
)
def disconnect_ex_checks_its_arguments(ws: Target) -> None:
    """No socket is WSAENOTSOCK, no connection WSAENOTCONN, unknown flags WSAEINVAL."""
    with ws.closing(ws.tcp()) as s, ws.connected_pair() as (client, _):
        with fails_with(WSAENOTSOCK):
            ws.DisconnectEx(INVALID_SOCKET)
        with fails_with(WSAENOTCONN):
            ws.DisconnectEx(s)
        with fails_with(WSAEINVAL):
            ws.DisconnectEx(client, None, 1)


@case(
    "extensions.disconnectex.reserved",
    chapter=CHAPTER,
    source=DISCONNECTEX,
    basis="documented",
    requirements=["B13"],
    needs_c=True,
)
def disconnect_ex_has_a_reserved_parameter(ws: Target) -> None:
    """Anything but 0 in dwReserved is WSAEINVAL."""
    with ws.connected_pair() as (client, _):
        pointer = int.from_bytes(
            ws.WSAIoctl(client, SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_DISCONNECTEX.bytes_le, 8), "little"
        )
        with fails_with(WSAEINVAL):
            ws.c.check(pointer, client, 0, 0, 1, returns="bool")


@case(
    "extensions.disconnectex.{row}",
    chapter=CHAPTER,
    source=DISCONNECT_TEST,
    basis="observed",
    requirements=["R9.47"],
    rows={
        "overlapped": Row(
            True,
            behaviours=[
                "disconnectex-overlapped",
                "disconnectex-connect-after",
                "disconnectex-send-after",
                "disconnectex-peer",
                "disconnectex-names",
            ],
        ),
        "synchronous": Row(False, behaviours=["disconnectex-sync", "disconnectex-sync-after"]),
    },
)
def disconnect_ex_ends_sending(ws: Target, overlapped: bool) -> None:
    """The peer meets the end and can still send, sends here are WSAESHUTDOWN, connect is WSAEISCONN, names stay.

    With a record the call pends, without one it succeeds at once, a second time as well.
    """
    with requests(ws) as made, ws.connected_pair() as (client, server):
        if overlapped:
            record = made.record()
            expect("result", expected=PENDING, actual=ws.DisconnectEx(client, record))
            expect("bytes", expected=0, actual=made.moved(client, record))
        else:
            for _ in range(2):
                expect("result", expected=None, actual=ws.DisconnectEx(client))
        with fails_with(WSAEISCONN):
            ws.connect(client, ws.getpeername(client))
        with fails_with(WSAESHUTDOWN):
            ws.send(client, b"x")
        expect("end", expected=0, actual=ws.recv(server, bytearray(4)))
        ws.send(server, b"more")
        expect("data", expected=b"more", actual=ws.receive_exactly(client, 4))
        expect("peer", expected=bytes(ws.getsockname(server)), actual=bytes(ws.getpeername(client)))
        expect("peer's peer", expected=bytes(ws.getsockname(client)), actual=bytes(ws.getpeername(server)))


@case(
    "extensions.disconnectex.reuse",
    chapter=CHAPTER,
    source=f"{DISCONNECTEX}, TF_REUSE_SOCKET",
    basis="documented",
    requirements=["R6.56", "R9.47", "R12.7", "R11.60"],
    seconds=60,
)
def sockets_are_reused(ws: Target) -> None:
    """Both ends of a connection disconnect with TF_REUSE_SOCKET, and ConnectEx and AcceptEx connect them once more."""
    with requests(ws) as made, ws.listener() as listening, bound(ws) as client, ws.closing(ws.tcp()) as server:
        for word in (b"first", b"again"):
            taken, made_up = made.record(), made.record()
            ws.AcceptEx(listening, server, bytearray(64), 0, room(), room(), taken)
            ws.ConnectEx(client, ws.getsockname(listening), word, made_up)
            expect("bytes sent", expected=len(word), actual=made.moved(client, made_up))
            made.moved(listening, taken)
            expect("data", expected=word, actual=ws.receive_exactly(server, len(word)))
            ended = {s: made.record() for s in (server, client)}
            for s, record in ended.items():
                ws.DisconnectEx(s, record, TF_REUSE_SOCKET)
            for s, record in ended.items():
                expect("bytes", expected=0, actual=made.moved(s, record))
            seconds = ws.get_int(client, SOL_SOCKET, SO_CONNECT_TIME) & 0xFFFFFFFF
            expect("connect time", expected=0xFFFFFFFF, actual=seconds)


# ---- TransmitFile and TransmitPackets --------------------------------------------------------------------------------


@case(
    "extensions.transmitfile.arguments",
    chapter=CHAPTER,
    source=f"{TRANSMITFILE}; requirement B14",
    basis="documented",
    requirements=["R9.48", "B14"],
)
def transmit_file_checks_its_arguments(ws: Target) -> None:
    """No socket is WSAENOTSOCK, unknown flags WSAEINVAL, no connection WSAENOTCONN, no file ERROR_INVALID_HANDLE."""
    event = ws.WSACreateEvent()
    with ws.closing(ws.tcp()) as s, ws.connected_pair() as (client, _):
        with fails_with(WSAENOTSOCK):
            ws.TransmitFile(INVALID_SOCKET, None)
        with fails_with(WSAEINVAL):
            ws.TransmitFile(client, None, flags=0x100)
        with fails_with(WSAENOTCONN):
            ws.TransmitFile(s, None, head=b"x")
        with fails_with(ERROR_INVALID_HANDLE):
            ws.TransmitFile(client, event)
    ws.WSACloseEvent(event)


@case(
    "extensions.transmitfile.no-file",
    chapter=CHAPTER,
    source=f"{TRANSMITFILE}, parameter hFile",
    basis="documented",
    requirements=["R9.48"],
)
def transmit_file_without_a_file(ws: Target) -> None:
    """With a NULL handle head and tail are sent, and TF_DISCONNECT ends the stream behind them."""
    with requests(ws) as made, ws.connected_pair() as (client, server):
        ws.TransmitFile(client, None, head=b"head ", tail=b"tail")
        expect("data", expected=b"head tail", actual=ws.receive_exactly(server, 9))
        record = made.record()
        ws.TransmitFile(client, None, 0, 0, record, b"the ", b"end", TF_DISCONNECT)
        expect("bytes", expected=7, actual=made.moved(client, record))
        expect("data", expected=b"the end", actual=ws.receive_exactly(server, 7))
        expect("end", expected=0, actual=ws.recv(server, bytearray(1)))
        with fails_with(WSAESHUTDOWN):
            ws.send(client, b"x")


@case(
    "extensions.transmitfile.reuse",
    chapter=CHAPTER,
    source=f"{TRANSMITFILE}, TF_REUSE_SOCKET",
    basis="documented",
    requirements=["R6.56", "R9.48"],
    seconds=60,
)
def transmit_file_gives_the_socket_back(ws: Target) -> None:
    """TF_DISCONNECT and TF_REUSE_SOCKET: what AcceptEx has connected can be accepted into once more."""
    with requests(ws) as made, ws.listener() as listening, ws.closing(ws.tcp()) as server:
        for _ in range(2):
            taken, sent = made.record(), made.record()
            ws.AcceptEx(listening, server, bytearray(64), 0, room(), room(), taken)
            with ws.closing(ws.tcp()) as client:
                ws.connect(client, ws.getsockname(listening))
                made.moved(listening, taken)
                ws.shutdown(client, SD_SEND)  # first, so that the server's end does not have to wait
                ws.TransmitFile(server, None, 0, 0, sent, b"answer", None, TF_DISCONNECT | TF_REUSE_SOCKET)
                expect("data", expected=b"answer", actual=ws.receive_exactly(client, 6))
                expect("end", expected=0, actual=ws.recv(client, bytearray(1)))
                expect("bytes", expected=6, actual=made.moved(server, sent))


@case(
    "extensions.transmitpackets.memory",
    chapter=CHAPTER,
    source=TRANSMITPACKETS,
    basis="documented",
    requirements=["R9.17"],
)
def transmit_packets_sends_its_elements_in_order(ws: Target) -> None:
    """Three pieces of memory on a stream, then the end by TP_DISCONNECT."""
    with requests(ws) as made, ws.connected_pair() as (client, server):
        record = made.record()
        ws.TransmitPackets(client, [Element(b"one "), Element(b"two "), Element(b"three")], 0, record, TF_DISCONNECT)
        expect("bytes", expected=13, actual=made.moved(client, record))
        expect("data", expected=b"one two three", actual=ws.receive_exactly(server, 13))
        expect("end", expected=0, actual=ws.recv(server, bytearray(1)))


@case(
    "extensions.transmitpackets.arguments",
    chapter=CHAPTER,
    source=TRANSMITPACKETS,
    basis="documented",
    requirements=["R9.17"],
)
def transmit_packets_needs_a_connection(ws: Target) -> None:
    """No socket is WSAENOTSOCK, no connection WSAENOTCONN."""
    with ws.closing(ws.tcp()) as s:
        with fails_with(WSAENOTSOCK):
            ws.TransmitPackets(INVALID_SOCKET, [Element(b"x")])
        with fails_with(WSAENOTCONN):
            ws.TransmitPackets(s, [Element(b"x")])
