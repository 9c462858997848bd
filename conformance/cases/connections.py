"""Connections: listening, connecting, accepting, and the condition function of WSAAccept."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from ..addresses import host_of, loopback, port_of, sockaddr_in
from ..constants import (
    CF_ACCEPT,
    CF_DEFER,
    CF_REJECT,
    INVALID_SOCKET,
    IPPROTO_TCP,
    SO_CONDITIONAL_ACCEPT,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_PAUSE_ACCEPT,
    SO_RCVTIMEO,
    SOL_SOCKET,
    SOMAXCONN,
    TCP_NODELAY,
    WSAEADDRNOTAVAIL,
    WSAEALREADY,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAEISCONN,
    WSAEOPNOTSUPP,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
    WSATRY_AGAIN,
)
from ..model import Row, case
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Connections"
LISTEN = "winsock2/nf-winsock2-listen"
CONNECT = "winsock2/nf-winsock2-wsaconnect"
ACCEPT = "winsock2/nf-winsock2-wsaaccept"
AT_CONNECT = "winsock/enhanced-functionality-at-connect-time-2"
CONDITIONAL = "winsock/so-conditional-accept"
ACCEPT_TEST = "Wine's public test sock.c:test_accept, which passes on Windows"
A_MOMENT = 0.05
LONG = (5, 0)
LOOK = (0, 0)
#: Windows tries a refused connect three times before it believes it.
PATIENCE = (10, 0)


@contextlib.contextmanager
def callers(ws: Target, count: int, backlog: int = 5) -> Iterator[tuple[int, list[int]]]:
    """A listening socket and clients that have connected to it, in this order, and are not accepted."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(ws.listener(backlog))
        clients = []
        for _ in range(count):
            client = ws.tcp()
            stack.enter_context(ws.closing(client))
            ws.connect(client, ws.getsockname(listening))
            clients.append(client)
        ws.wait_readable(listening)
        yield listening, clients


def accepted_from(ws: Target, listening: int, accept: Callable[[], tuple[int, bytes]]) -> int:
    """Accept, close the new socket, and return the caller's port."""
    s, address = accept()
    expect("peer name", expected=bytes(address), actual=bytes(ws.getpeername(s)))
    ws.closesocket(s)
    return port_of(address)


def port(ws: Target, s: int) -> int:
    """The local port."""
    return port_of(ws.getsockname(s))


def refuses(ws: Target, s: int, name: bytes) -> bool:
    """Start a non-blocking connect; whether it ends in a refusal. False when it succeeds or nothing is known soon."""
    ws.nonblocking(s)
    try:
        ws.connect(s, name)
    except Failed as failure:
        if failure.code != WSAEWOULDBLOCK:
            raise
    _, _, failed = ws.select(None, [s], [s], (4, 0))
    return failed == [s] and ws.pending_error(s) == WSAECONNREFUSED


# ---- listen ----------------------------------------------------------------------------------------------------------


@case(
    "connections.listen.twice",
    chapter=CHAPTER,
    source=f"{LISTEN}; Wine's public test sock.c:test_listen, which passes on Windows",
    basis="documented",
    requirements=["R11.14", "A23"],
    behaviours=["listen-twice"],
)
def second_listen_succeeds(ws: Target) -> None:
    """listen on a socket that listens already succeeds, with another backlog as well."""
    with ws.closing(ws.tcp()) as s:
        ws.bind(s, loopback())
        for backlog in (0, SOMAXCONN):
            ws.listen(s, backlog)
        with ws.closing(ws.tcp()) as client:
            ws.connect(client, ws.getsockname(s))
            expect("caller", expected=port(ws, client), actual=accepted_from(ws, s, lambda: ws.accept(s)))


@case(
    "connections.listen.backlog-{row}",
    chapter=CHAPTER,
    source=f"{LISTEN}, parameter backlog",
    basis="documented",
    requirements=["R11.15", "A25"],
    rows={
        "maximum": Row(SOMAXCONN),
        "hint-200": Row(-200),
        "hint-below-the-range": Row(-2),
        "hint-above-the-range": Row(-100000),
        "large": Row(1000000),
    },
)
def any_backlog_gives_room_for_several_callers(ws: Target, backlog: int) -> None:
    """SOMAXCONN, a hint and values that have to be clipped are taken; six callers find room."""
    with callers(ws, 6, backlog) as (listening, clients):
        got = [accepted_from(ws, listening, lambda: ws.accept(listening)) for _ in clients]
        expect("callers", expected=[port(ws, client) for client in clients], actual=got)


@case(
    "connections.listen.backlog-full",
    chapter=CHAPTER,
    source=f"{LISTEN}, remarks: a request beyond the backlog fails with WSAECONNREFUSED",
    basis="documented",
    requirements=["R11.16", "A24"],
    seconds=60,
)
def request_beyond_the_backlog_is_refused(ws: Target) -> None:
    """When a small backlog is full, a connect fails with WSAECONNREFUSED; with room again the next one succeeds."""
    with ws.listener(backlog=1) as listening, contextlib.ExitStack() as stack:
        for _ in range(12):
            client: int = stack.enter_context(ws.closing(ws.tcp()))
            if refuses(ws, client, ws.getsockname(listening)):
                break
        else:
            not_applicable("a backlog of 1 is never full on this system")
        accepted, _ = ws.accept(listening)
        ws.closesocket(accepted)
        last = stack.enter_context(ws.closing(ws.tcp()))
        ws.connect(last, ws.getsockname(listening))


# ---- connect ---------------------------------------------------------------------------------------------------------


@case(
    "connections.connect.nonblocking-succeeds",
    chapter=CHAPTER,
    source=CONNECT,
    basis="documented",
    requirements=["R11.18", "R11.20", "R3.44", "A13"],
)
def nonblocking_connect_ends_in_writability(ws: Target) -> None:
    """A non-blocking connect fails with WSAEWOULDBLOCK and goes on; success puts the socket into writefds alone."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as client:
        ws.nonblocking(client)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(client, ws.getsockname(listening))
        expect("outcome", expected=([], [client], []), actual=ws.select([client], [client], [client], LONG))
        expect("SO_ERROR", expected=0, actual=ws.pending_error(client))
        expect("peer", expected=bytes(ws.getsockname(listening)), actual=bytes(ws.getpeername(client)))


@case(
    "connections.connect.nonblocking-fails",
    chapter=CHAPTER,
    source=CONNECT,
    basis="documented",
    requirements=["R11.20", "R3.44", "R3.45", "A58"],
)
def failed_nonblocking_connect_is_exceptional(ws: Target) -> None:
    """A non-blocking connect that fails puts the socket into exceptfds alone, and SO_ERROR tells why."""
    with ws.closing(ws.tcp()) as client:
        ws.nonblocking(client)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(client, ws.dead_address())
        expect("outcome", expected=([], [], [client]), actual=ws.select([client], [client], [client], PATIENCE))
        expect("SO_ERROR", expected=WSAECONNREFUSED, actual=ws.pending_error(client))


@case(
    "connections.connect.again-{row}",
    chapter=CHAPTER,
    source=f"{CONNECT}, errors WSAEALREADY and WSAEISCONN",
    basis="documented",
    rows={
        "pending": Row("connecting", WSAEALREADY, requirements=["R11.19", "A14"]),
        "connected": Row("connected", WSAEISCONN, requirements=["R11.21"]),
        "accepted": Row("accepted", WSAEISCONN, requirements=["R11.21"]),
        "listening": Row("listening", WSAEINVAL, requirements=["R11.21"]),
    },
)
def connect_needs_a_socket_that_may(ws: Target, state: str, code: int) -> None:
    """connect and WSAConnect on a socket that connects, is connected or listens fail with the code of its state."""
    with ws.listener() as listening, ws.socket_in(state) as s:
        for connect in (ws.connect, ws.WSAConnect):
            with fails_with(code):
                connect(s, ws.getsockname(listening))


@case(
    "connections.connect.isconn-after-nonblocking",
    chapter=CHAPTER,
    source=CONNECT,
    basis="observed",
    requirements=["R11.21", "A15"],
)
def connect_after_a_nonblocking_success(ws: Target) -> None:
    """When a non-blocking connect has succeeded, another connect fails with WSAEISCONN."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as client:
        ws.nonblocking(client)
        with fails_with(WSAEWOULDBLOCK):
            ws.connect(client, ws.getsockname(listening))
        ws.wait_writable(client)
        for _ in range(2):
            with fails_with(WSAEISCONN):
                ws.connect(client, ws.getsockname(listening))


@case(
    "connections.connect.retry-{row}",
    chapter=CHAPTER,
    source=f"{CONNECT}, remarks: after WSAECONNREFUSED the application may call again for the same socket",
    basis="documented",
    requirements=["R11.22", "A16"],
    rows={
        "blocking": Row(True, False),
        "nonblocking": Row(False, False),
        "bound": Row(True, True),
    },
    seconds=40,
)
def refused_socket_connects_again(ws: Target, blocking: bool, bound: bool) -> None:
    """After two refusals the same socket connects, keeps its options and, if it was bound, its local port."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as client:
        ws.setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, 1)
        local = 0
        if bound:
            ws.bind(client, loopback())
            local = port(ws, client)
        for _ in range(2):
            if blocking:
                with fails_with(WSAECONNREFUSED):
                    ws.connect(client, ws.dead_address())
            else:
                expect("refused", expected=True, actual=refuses(ws, client, ws.dead_address()))
        ws.nonblocking(client, False)
        ws.connect(client, ws.getsockname(listening))
        if bound:
            expect("local port", expected=local, actual=port(ws, client))
        expect("SO_KEEPALIVE", expected=1, actual=ws.getsockopt(client, SOL_SOCKET, SO_KEEPALIVE)[0])
        server, _ = ws.accept(listening)
        ws.send(client, b"data")
        expect("data", expected=b"data", actual=ws.receive_exactly(server, 4))
        ws.closesocket(server)


@case(
    "connections.connect.refused-then-listen",
    chapter=CHAPTER,
    source=CONNECT,
    basis="documented",
    requirements=["R11.22"],
    seconds=40,
)
def refused_socket_may_listen(ws: Target) -> None:
    """A bound socket whose connect was refused can listen instead."""
    with ws.closing(ws.tcp(), ws.tcp()) as (s, client):
        ws.bind(s, loopback())
        with fails_with(WSAECONNREFUSED):
            ws.connect(s, ws.dead_address())
        ws.listen(s, 1)
        ws.connect(client, ws.getsockname(s))
        expect("caller", expected=port(ws, client), actual=accepted_from(ws, s, lambda: ws.accept(s)))


@case(
    "connections.connect.nobody-{row}",
    chapter=CHAPTER,
    source=f"{CONNECT}, error WSAEADDRNOTAVAIL",
    basis="documented",
    requirements=["R11.21", "A17", "A18"],
    rows={"address": Row(sockaddr_in("0.0.0.0", 9)), "port": Row(sockaddr_in("127.0.0.1", 0))},
)
def nobodys_address_cannot_be_connected_to(ws: Target, name: bytes) -> None:
    """0.0.0.0 and port 0 are nobody's address: WSAEADDRNOTAVAIL."""
    with ws.closing(ws.tcp()) as s, fails_with(WSAEADDRNOTAVAIL):
        ws.connect(s, name)


# ---- accept ----------------------------------------------------------------------------------------------------------


@case(
    "connections.accept.{row}-names-the-caller",
    chapter=CHAPTER,
    source=f"{ACCEPT}; Wine's public test sock.c:simple_server, which passes on Windows",
    basis="documented",
    requirements=["R11.35", "R11.44"],
    behaviours=["echo-peer-addr-loopback"],
    rows={"accept": Row("accept"), "wsaaccept": Row("WSAAccept")},
)
def accept_tells_who_called(ws: Target, call: str) -> None:
    """accept gives the caller's address and port, which getpeername of the new socket repeats."""
    with callers(ws, 1) as (listening, (client,)):
        s, address = getattr(ws, call)(listening)
        expect("address", expected="127.0.0.1", actual=host_of(address))
        expect("port", expected=port(ws, client), actual=port_of(address))
        expect("peer name", expected=bytes(address), actual=bytes(ws.getpeername(s)))
        expect("local name", expected=bytes(ws.getsockname(listening)), actual=bytes(ws.getsockname(s)))
        ws.closesocket(s)


@case(
    "connections.accept.c-{row}",
    chapter=CHAPTER,
    source=ACCEPT_TEST,
    basis="observed",
    requirements=["R11.44", "B7"],
    needs_c=True,
    rows={
        "accept-no-address": Row("accept", False, False, behaviours=["accept-null-addr"]),
        "accept-larger-room": Row("accept", True, True, behaviours=["accept-addrlen-out"]),
        "accept-address-without-length": Row("accept", True, False, behaviours=["accept-addr-no-len"]),
        "wsaaccept-no-address": Row("WSAAccept", False, False, behaviours=["accept-wsa-null-addr"]),
        "wsaaccept-larger-room": Row("WSAAccept", True, True, behaviours=["accept-wsa-addrlen-out"]),
    },
)
def address_pointers_may_be_null(ws: Target, call: str, has_address: bool, has_length: bool) -> None:
    """Without pointers no address is wanted; the length of a SOCKADDR_STORAGE becomes 16; an address alone stays."""
    with callers(ws, 1) as (listening, _):
        address, length = ws.c.new(128), ws.c.new((128).to_bytes(4, "little"))
        pointers = [address.address if has_address else 0, length.address if has_length else 0]
        s = ws.c.call(call, listening, *pointers, *((0, 0) if call == "WSAAccept" else ()))
        expect_true("a socket came", s not in (INVALID_SOCKET, -1), actual=s)
        if has_length:
            expect("length", expected=16, actual=length.number(4))
            expect("family", expected=2, actual=address.number(2))
        else:
            expect("address", expected=bytes(128), actual=address.read())
        ws.closesocket(s)


@case(
    "connections.accept.order",
    chapter=CHAPTER,
    source=ACCEPT,
    basis="documented",
    requirements=["R11.46"],
)
def requests_are_accepted_in_their_order(ws: Target) -> None:
    """Four callers are accepted in the order they called."""
    with callers(ws, 4) as (listening, clients):
        got = [accepted_from(ws, listening, lambda: ws.accept(listening)) for _ in clients]
        expect("callers", expected=[port(ws, client) for client in clients], actual=got)


@case(
    "connections.accept.inherits-{row}",
    chapter=CHAPTER,
    source=f"{ACCEPT}, remarks: the new socket has the properties of the listening one",
    basis="documented",
    requirements=["R11.30", "A26"],
    rows={"set-before-the-call": Row(False), "set-after-the-call": Row(True)},
)
def accepted_socket_has_the_listeners_options(ws: Target, late: bool) -> None:
    """Options of the listening socket are those of an accepted one, also if set after the client has called."""
    linger = b"\x01\x00\x05\x00"

    def set_options() -> None:
        ws.setsockopt(listening, SOL_SOCKET, SO_KEEPALIVE, 1)
        ws.setsockopt(listening, IPPROTO_TCP, TCP_NODELAY, 1)
        ws.setsockopt(listening, SOL_SOCKET, SO_LINGER, linger)
        ws.setsockopt(listening, SOL_SOCKET, SO_RCVTIMEO, 50)

    with ws.listener() as listening, ws.closing(ws.tcp()) as client:
        if not late:
            set_options()
        ws.connect(client, ws.getsockname(listening))
        ws.wait_readable(listening)
        if late:
            set_options()
        s, _ = ws.accept(listening)
        with ws.closing(s):
            expect("SO_KEEPALIVE", expected=1, actual=ws.getsockopt(s, SOL_SOCKET, SO_KEEPALIVE)[0])
            expect("TCP_NODELAY", expected=1, actual=ws.getsockopt(s, IPPROTO_TCP, TCP_NODELAY)[0])
            expect("SO_LINGER", expected=linger, actual=ws.getsockopt(s, SOL_SOCKET, SO_LINGER))
            with fails_with(WSAETIMEDOUT):
                ws.recv(s, bytearray(1))
            ws.setsockopt(s, SOL_SOCKET, SO_LINGER, bytes(4))


@case(
    "connections.accept.inherits-mode-{row}",
    chapter=CHAPTER,
    source=f"{ACCEPT}; behaviour of Microsoft's provider",
    basis="observed",
    requirements=["A26"],
    rows={"blocking": Row(False), "nonblocking": Row(True)},
)
def accepted_socket_has_the_listeners_mode(ws: Target, nonblocking: bool) -> None:
    """A socket accepted from a non-blocking listener is non-blocking, from a blocking one blocking."""
    with callers(ws, 1) as (listening, (client,)), ws.thread() as other:
        ws.nonblocking(listening, nonblocking)
        s, _ = ws.accept(listening)
        with ws.closing(s):
            if nonblocking:
                with fails_with(WSAEWOULDBLOCK):
                    ws.recv(s, bytearray(4))
            else:
                pending = other.start(ws.recv, s, bytearray(4))
                expect_true("recv waits", not pending.finished_within(A_MOMENT))
                ws.send(client, b"data")
                expect("recv", expected=4, actual=pending.result())


@case(
    "connections.accept.listener-goes-on",
    chapter=CHAPTER,
    source=ACCEPT,
    basis="documented",
    requirements=["R11.30"],
)
def listener_stays_a_listener(ws: Target) -> None:
    """After an accept the listening socket listens as before, and the new socket is connected."""
    with callers(ws, 2) as (listening, (first, second)):
        for client in (first, second):
            s, _ = ws.accept(listening)
            ws.send(client, b"hello")
            expect("data", expected=b"hello", actual=ws.receive_exactly(s, 5))
            ws.closesocket(s)


@case(
    "connections.accept.{row}-not-listening",
    chapter=CHAPTER,
    source=f"{ACCEPT}, errors WSAEINVAL and WSAEOPNOTSUPP",
    basis="documented",
    requirements=["R11.43", "B7", "B8"],
    rows={
        f"{call.lower()}-{state}": Row(call, state, code, requirements=extra)
        for call in ("accept", "WSAAccept")
        for state, code, extra in (
            ("stream", WSAEINVAL, ()),
            ("bound", WSAEINVAL, ()),
            ("connected", WSAEINVAL, ()),
            ("accepted", WSAEINVAL, ("R11.45",)),
            ("bound-datagram", WSAEOPNOTSUPP, ()),
        )
    },
)
def only_listeners_accept(ws: Target, call: str, state: str, code: int) -> None:
    """accept on a socket that does not listen fails with WSAEINVAL, on a connectionless one with WSAEOPNOTSUPP."""
    with ws.socket_in(state) as s, fails_with(code):
        getattr(ws, call)(s)


@case(
    "connections.accept.reset-before",
    chapter=CHAPTER,
    source=f"{ACCEPT}, error WSAECONNRESET",
    basis="documented",
    requirements=["R11.43", "A27", "B7"],
)
def caller_that_is_gone_is_told_by_accept(ws: Target) -> None:
    """When the caller has reset its connection before it is accepted, accept fails with WSAECONNRESET, then goes on."""
    with callers(ws, 2) as (listening, (gone, there)):
        ws.reset(gone)
        with fails_with(WSAECONNRESET):
            ws.accept(listening)
        expect("caller", expected=port(ws, there), actual=accepted_from(ws, listening, lambda: ws.accept(listening)))


@case(
    "connections.accept.readable",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-select",
    basis="documented",
    requirements=["R3.43"],
)
def request_makes_a_listener_readable(ws: Target) -> None:
    """A listening socket is readable while a request waits; non-blocking accept without one is WSAEWOULDBLOCK."""
    with callers(ws, 1) as (listening, _):
        ws.nonblocking(listening)
        expect("with a request", expected=[listening], actual=ws.select([listening], None, None, LOOK)[0])
        s, _ = ws.accept(listening)
        ws.closesocket(s)
        expect("without", expected=[], actual=ws.select([listening], None, None, LOOK)[0])
        for accept in (ws.accept, ws.WSAAccept):
            with fails_with(WSAEWOULDBLOCK):
                accept(listening)


# ---- the condition function ------------------------------------------------------------------------------------------


@case(
    "connections.condition.told-who-calls",
    chapter=CHAPTER,
    source=f"{ACCEPT}, parameter lpfnCondition",
    basis="documented",
    requirements=["R11.29", "R11.36", "R11.38"],
)
def condition_function_gets_both_addresses(ws: Target) -> None:
    """The function gets the caller's address, the callee's, no caller data, and the callback data unchanged."""
    asked: list[tuple[object, ...]] = []

    def condition(caller: bytes, data: bytes | None, callee: bytes, callback_data: int) -> int:
        asked.append((caller, data, callee, callback_data))
        return CF_ACCEPT

    with callers(ws, 1) as (listening, (client,)):
        names = bytes(ws.getsockname(client)), None, bytes(ws.getpeername(client)), 0x12345678
        got = accepted_from(ws, listening, lambda: ws.WSAAccept(listening, None, condition, 0x12345678))
        expect("arguments", expected=[names], actual=asked)
        expect("caller", expected=port(ws, client), actual=got)


@case(
    "connections.condition.calling-thread",
    chapter=CHAPTER,
    source=f"{ACCEPT}; winsock/windows-sockets-1-1-blocking-routines-and-einprogress-2",
    basis="documented",
    requirements=["R11.29", "R11.40"],
)
def condition_function_may_call_winsock(ws: Target) -> None:
    """The function runs inside WSAAccept; calls it makes work, and a last error it sets is its own thread's."""
    inside: list[object] = []

    def condition(caller: bytes, data: bytes | None, callee: bytes, callback_data: int) -> int:
        inside.append(bytes(ws.getsockname(listening)) == callee)
        with ws.closing(ws.udp()) as s:
            ws.bind(s, loopback())
            inside.append(port(ws, s) != 0)
        return CF_ACCEPT

    with callers(ws, 1) as (listening, _):
        s, _ = ws.WSAAccept(listening, None, condition)
        ws.closesocket(s)
    expect("calls inside", expected=[True, True], actual=inside)


@case(
    "connections.condition.reject",
    chapter=CHAPTER,
    source=f"{ACCEPT}, CF_REJECT",
    basis="documented",
    requirements=["R11.31", "B8"],
)
def rejected_caller_is_turned_away(ws: Target) -> None:
    """CF_REJECT: WSAAccept fails with WSAECONNREFUSED, the client finds a reset, and the next one is served."""
    with callers(ws, 2) as (listening, (rejected, next_one)):
        with fails_with(WSAECONNREFUSED):
            ws.WSAAccept(listening, None, lambda *asked: CF_REJECT)
        ws.wait_readable(rejected)
        with fails_with(WSAECONNRESET):
            ws.recv(rejected, bytearray(1))
        got = accepted_from(ws, listening, lambda: ws.WSAAccept(listening, None, lambda *asked: CF_ACCEPT))
        expect("caller", expected=port(ws, next_one), actual=got)


@case(
    "connections.condition.defer-{row}",
    chapter=CHAPTER,
    source=f"{ACCEPT}, CF_DEFER; {ACCEPT_TEST}",
    basis="documented",
    requirements=["R11.32", "R11.46", "A28", "B8"],
    behaviours=["accept-defer"],
    rows={
        "accept": Row("accept", requirements=["R11.34"], behaviours=["accept-after-defer"], basis="observed"),
        "wsaaccept": Row("WSAAccept", requirements=["R11.35"]),
        "condition": Row("condition", requirements=["R11.33"]),
    },
)
def deferred_request_stays_the_first(ws: Target, then: str) -> None:
    """CF_DEFER: WSAAccept fails with WSATRY_AGAIN, and whatever accepts next gets the same request, then the others."""
    asked: list[int] = []

    def condition(caller: bytes, data: bytes | None, callee: bytes, callback_data: int) -> int:
        asked.append(port_of(caller))
        return callback_data

    def accept() -> tuple[int, bytes]:
        if then == "condition":
            return ws.WSAAccept(listening, None, condition, CF_ACCEPT)
        return ws.accept(listening) if then == "accept" else ws.WSAAccept(listening)

    with callers(ws, 3) as (listening, clients):
        ports = [port(ws, client) for client in clients]
        for _ in range(2):
            with fails_with(WSATRY_AGAIN):
                ws.WSAAccept(listening, None, condition, CF_DEFER)
        expect("asked about", expected=[ports[0]] * 2, actual=asked)
        expect("readable", expected=[listening], actual=ws.select([listening], None, None, LOOK)[0])
        got = [accepted_from(ws, listening, accept) for _ in clients]
        expect("callers", expected=ports, actual=got)


@case(
    "connections.condition.deferred-data",
    chapter=CHAPTER,
    source=f"{ACCEPT}; {AT_CONNECT}",
    basis="documented",
    requirements=["R11.33"],
)
def deferred_connection_loses_nothing(ws: Target) -> None:
    """What a deferred caller sends is there when it has been accepted."""
    with callers(ws, 1) as (listening, (client,)):
        with fails_with(WSATRY_AGAIN):
            ws.WSAAccept(listening, None, lambda *asked: CF_DEFER)
        ws.send(client, b"patience")
        s, _ = ws.accept(listening)
        expect("data", expected=b"patience", actual=ws.receive_exactly(s, 8))
        ws.closesocket(s)


@case(
    "connections.condition.other-answers-{row}",
    chapter=CHAPTER,
    source=f"{ACCEPT}, error WSAEINVAL: the return value is not acceptable",
    basis="documented",
    requirements=["R11.29", "B8"],
    rows={"3": Row(3), "minus-1": Row(-1), "large": Row(0x7FFFFFFF)},
)
def another_answer_is_not_acceptable(ws: Target, answer: int) -> None:
    """An answer other than the three makes WSAAccept fail with WSAEINVAL."""
    with callers(ws, 1) as (listening, _), fails_with(WSAEINVAL):
        ws.WSAAccept(listening, None, lambda *asked: answer)


@case(
    "connections.condition.other-answer-keeps-the-request",
    chapter=CHAPTER,
    source=ACCEPT,
    basis="choice",
    requirements=["B8"],
)
def request_survives_an_answer_that_is_none(ws: Target) -> None:
    """After an answer that is not acceptable the request is still the first in the queue."""
    with callers(ws, 2) as (listening, clients):
        with fails_with(WSAEINVAL):
            ws.WSAAccept(listening, None, lambda *asked: 99)
        got = [accepted_from(ws, listening, lambda: ws.accept(listening)) for _ in clients]
        expect("callers", expected=[port(ws, client) for client in clients], actual=got)


@case(
    "connections.condition.not-asked-{row}",
    chapter=CHAPTER,
    source=ACCEPT,
    basis="documented",
    requirements=["R11.29", "B8"],
    rows={
        "nothing-waits": Row(None, WSAEWOULDBLOCK, False),
        "short-length": Row(4, WSAEFAULT, True),
    },
)
def condition_function_is_asked_about_requests_only(ws: Target, room: int | None, code: int, waits: bool) -> None:
    """Without a request, or with too little room for the address, WSAAccept fails before the function is called."""
    asked: list[object] = []

    def condition(*arguments: object) -> int:
        asked.append(arguments)
        return CF_ACCEPT

    with callers(ws, 1) as (listening, _):
        ws.nonblocking(listening)
        if not waits:
            s, _ = ws.accept(listening)
            ws.closesocket(s)
        with fails_with(code):
            ws.WSAAccept(listening, room, condition)
        expect("calls", expected=[], actual=asked)
        expect("request", expected=waits, actual=ws.readable(listening))


@case(
    "connections.condition.mixed-verdicts",
    chapter=CHAPTER,
    source=f"{ACCEPT}; {AT_CONNECT}",
    basis="documented",
    requirements=["R11.46"],
)
def every_client_gets_its_own_verdict(ws: Target) -> None:
    """Of four queued clients two are accepted and two rejected, as the function decides by their ports."""
    with callers(ws, 4) as (listening, clients):
        ports = [port(ws, client) for client in clients]
        wanted = {ports[1], ports[2]}

        def condition(caller: bytes, data: bytes | None, callee: bytes, callback_data: int) -> int:
            return CF_ACCEPT if port_of(caller) in wanted else CF_REJECT

        outcome: list[int | None] = []
        for _ in clients:
            try:
                outcome.append(accepted_from(ws, listening, lambda: ws.WSAAccept(listening, None, condition)))
            except Failed as failure:
                expect("code", expected=WSAECONNREFUSED, actual=failure.code)
                outcome.append(None)
        expect("verdicts", expected=[None, ports[1], ports[2], None], actual=outcome)


@case(
    "connections.condition.waits-first",
    chapter=CHAPTER,
    source=ACCEPT,
    basis="documented",
    requirements=["R11.29"],
)
def blocking_wsaaccept_waits_for_a_request(ws: Target) -> None:
    """On a blocking socket without requests WSAAccept waits, and asks the function when one comes."""
    asked: list[int] = []

    def condition(caller: bytes, data: bytes | None, callee: bytes, callback_data: int) -> int:
        asked.append(port_of(caller))
        return CF_ACCEPT

    with ws.listener() as listening, ws.closing(ws.tcp()) as client, ws.thread() as other:
        pending = other.start(ws.WSAAccept, listening, None, condition)
        expect_true("WSAAccept waits", not pending.finished_within(A_MOMENT))
        expect("calls before", expected=[], actual=asked)
        ws.connect(client, ws.getsockname(listening))
        s, _ = pending.result()
        expect("calls", expected=[port(ws, client)], actual=asked)
        ws.closesocket(s)


@case(
    "connections.condition.c-parameters",
    chapter=CHAPTER,
    source=f"{ACCEPT}, parameter lpfnCondition",
    basis="documented",
    requirements=["R11.36", "R11.37", "R11.38"],
    needs_c=True,
)
def condition_function_has_eight_parameters(ws: Target) -> None:
    """In C: no caller data, no SQOS and GQOS, room of 0 for callee data, and callback data of a pointer's size."""
    seen: dict[str, int] = {}

    def condition(
        caller: int, data: int, sqos: int, gqos: int, callee: int, answer: int, group: int, extra: int
    ) -> int:
        seen["caller length"] = int.from_bytes(ws.c.read(caller, 4), "little")
        seen["caller data"] = int.from_bytes(ws.c.read(data, 4), "little") if data else 0
        seen["SQOS"], seen["GQOS"] = sqos, gqos
        seen["callee length"] = int.from_bytes(ws.c.read(callee, 4), "little")
        seen["room for callee data"] = int.from_bytes(ws.c.read(answer, 4), "little") if answer else 0
        seen["callback data"] = extra
        return CF_ACCEPT

    with callers(ws, 1) as (listening, _):
        function = ws.c.callback(condition, [8] * 8)
        s = ws.c.call("WSAAccept", listening, 0, 0, function, 0x123456789ABCDEF0)
        expect_true("a socket came", s not in (INVALID_SOCKET, -1), actual=s)
        ws.closesocket(s)
    expected = {"caller length": 16, "caller data": 0, "SQOS": 0, "GQOS": 0, "callee length": 16}
    expected |= {"room for callee data": 0, "callback data": 0x123456789ABCDEF0}
    expect("parameters", expected=expected, actual=seen)


# ---- SO_CONDITIONAL_ACCEPT and SO_PAUSE_ACCEPT -----------------------------------------------------------------------


@contextlib.contextmanager
def conditional_listener(ws: Target) -> Iterator[int]:
    """A listening socket with SO_CONDITIONAL_ACCEPT."""
    with ws.closing(ws.tcp()) as s:
        ws.bind(s, loopback())
        ws.setsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1)
        ws.listen(s, 5)
        yield s


@case(
    "connections.conditional.accepts",
    chapter=CHAPTER,
    source=CONDITIONAL,
    basis="documented",
    requirements=["R11.41"],
)
def conditionally_accepted_client_is_connected(ws: Target) -> None:
    """With SO_CONDITIONAL_ACCEPT a client whose request the function accepts is connected and can talk."""
    with conditional_listener(ws) as listening, ws.closing(ws.tcp()) as client, ws.thread() as other:
        pending = other.start(ws.connect, client, ws.getsockname(listening))
        ws.wait_readable(listening)
        s, _ = ws.WSAAccept(listening, None, lambda *asked: CF_ACCEPT)
        pending.result()
        ws.send(client, b"hello")
        expect("data", expected=b"hello", actual=ws.receive_exactly(s, 5))
        ws.closesocket(s)


@case(
    "connections.conditional.rejection-is-a-refusal",
    chapter=CHAPTER,
    source=CONDITIONAL,
    basis="documented",
    requirements=["R11.41", "A29"],
    gap="no host lets a program decide before the handshake is complete: the client is connected, then reset",
    seconds=40,
)
def rejection_appears_as_a_refusal(ws: Target) -> None:
    """With SO_CONDITIONAL_ACCEPT the connect of a client that is rejected fails with WSAECONNREFUSED."""
    with conditional_listener(ws) as listening, ws.closing(ws.tcp()) as client, ws.thread() as other:
        ws.nonblocking(listening)
        pending = other.start(ws.connect, client, ws.getsockname(listening))
        while not pending.finished_within(A_MOMENT):  # Windows' client tries again, so there are several requests
            with contextlib.suppress(Failed):
                ws.WSAAccept(listening, None, lambda *asked: CF_REJECT)
        with fails_with(WSAECONNREFUSED):
            pending.result()


@case(
    "connections.pause.turns-away",
    chapter=CHAPTER,
    source="winsock/sol-socket-socket-options, SO_PAUSE_ACCEPT",
    basis="documented",
    requirements=["R11.42"],
    seconds=40,
)
def paused_listener_turns_callers_away(ws: Target) -> None:
    """With SO_PAUSE_ACCEPT new callers are answered with a reset, until it is off again."""
    with ws.listener() as listening, ws.closing(ws.tcp(), ws.tcp()) as (early, late):
        ws.setsockopt(listening, SOL_SOCKET, SO_PAUSE_ACCEPT, 1)
        with fails_with(WSAECONNREFUSED):
            ws.connect(early, ws.getsockname(listening))
        ws.setsockopt(listening, SOL_SOCKET, SO_PAUSE_ACCEPT, 0)
        ws.connect(late, ws.getsockname(listening))
        expect("caller", expected=port(ws, late), actual=accepted_from(ws, listening, lambda: ws.accept(listening)))


@case(
    "connections.error.pending",
    chapter=CHAPTER,
    source=f"{CONNECT}; winsock/sol-socket-socket-options, SO_ERROR",
    basis="documented",
    requirements=["R11.20"],
)
def error_of_a_new_socket_is_none(ws: Target) -> None:
    """SO_ERROR is 0 before a connect, after one that succeeded, and on the accepted socket."""
    with ws.closing(ws.tcp()) as s:
        expect("new socket", expected=0, actual=ws.get_int(s, SOL_SOCKET, SO_ERROR))
    with ws.connected_pair() as (client, server):
        expect("client", expected=0, actual=ws.pending_error(client))
        expect("server", expected=0, actual=ws.pending_error(server))
