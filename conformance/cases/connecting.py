"""Connecting to a name or to one of several addresses, and the data that may go with a connect."""

from __future__ import annotations

from ..addresses import family_of, host_of, loopback, port_of, sockaddr_in, sockaddr_in6
from ..constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    SO_UPDATE_CONNECT_CONTEXT,
    SOL_SOCKET,
    WAIT_TIMEOUT,
    WSAECONNREFUSED,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
    WSAHOST_NOT_FOUND,
    WSANOTINITIALISED,
    WSATRY_AGAIN,
    WSATYPE_NOT_FOUND,
    XP1_CONNECT_DATA,
)
from ..model import Row, case
from ..providers import PEER, Provider, protocol
from ..target import Target
from ..verify import expect, expect_true, fails_with, not_applicable

CHAPTER = "Connections"
BY_NAME = "winsock2/nf-winsock2-wsaconnectbynamew"
BY_LIST = "winsock2/nf-winsock2-wsaconnectbylist"
WSACONNECT = "winsock2/nf-winsock2-wsaconnect"
TEST = "Wine's public test sock.c:test_WSAConnectByName, which passes on Windows"
HERE = "127.0.0.1"


def port(ws: Target, listening: int) -> str:
    """Return the port of a socket as text."""
    return str(port_of(ws.getsockname(listening)))


def update_context(ws: Target, s: int) -> None:
    """Have the socket know of its connection."""
    ws.setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, b"")


# ---- by name ---------------------------------------------------------------------------------------------------------


@case(
    "connections.by-name.connects",
    chapter=CHAPTER,
    source=f"{BY_NAME}; {TEST}",
    basis="observed",
    requirements=["R11.59"],
    behaviours=["cbn-success"],
    both_forms=True,
)
def name_leads_to_a_connection(ws: Target) -> None:
    """The socket is connected; both addresses are told, of the local one the port is 0."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        local, remote = ws.WSAConnectByName(s, "localhost", port(ws, listening))
        expect("lengths", expected=(16, 16), actual=(len(local), len(remote)))
        expect("remote address", expected=ws.getsockname(listening), actual=remote)
        update_context(ws, s)
        expect("peer", expected=remote, actual=ws.getpeername(s))
        mine = ws.getsockname(s)
        expect("family", expected=AF_INET, actual=family_of(local))
        expect("local host", expected=host_of(mine), actual=host_of(local))
        expect("local port", expected=0, actual=port_of(local))
        server, _ = ws.accept(listening)
        with ws.closing(server):
            ws.send_and_settle(s, b"hello", server)
            expect("what the server gets", expected=b"hello", actual=ws.receive_exactly(server, 5))


@case(
    "connections.by-name.context",
    chapter=CHAPTER,
    source=f"{BY_NAME}, remarks on SO_UPDATE_CONNECT_CONTEXT",
    basis="documented",
    requirements=["R11.59", "A11"],
)
def connection_needs_its_context(ws: Target) -> None:
    """As after ConnectEx, getpeername and shutdown know of no connection before SO_UPDATE_CONNECT_CONTEXT."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        ws.WSAConnectByName(s, HERE, port(ws, listening))
        with fails_with(WSAENOTCONN):
            ws.getpeername(s)
        with fails_with(WSAENOTCONN):
            ws.shutdown(s, 1)
        update_context(ws, s)
        expect("peer", expected=ws.getsockname(listening), actual=ws.getpeername(s))
        ws.shutdown(s, 1)


@case(
    "connections.by-name.room-{row}",
    chapter=CHAPTER,
    source=TEST,
    basis="observed",
    requirements=["R11.59"],
    rows={
        "short": Row(3, False, behaviours=["cbn-short-lengths"]),
        "long": Row(50, True, behaviours=["cbn-long-lengths"]),
    },
)
def room_for_the_addresses(ws: Target, room: int, enough: bool) -> None:
    """Too little room for an address is WSAEFAULT and nothing is connected; more than enough gives the real length."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        if enough:
            names = ws.WSAConnectByName(s, HERE, port(ws, listening), room, room)
            expect("lengths", expected=[16, 16], actual=list(map(len, names)))
        else:
            with fails_with(WSAEFAULT):
                ws.WSAConnectByName(s, HERE, port(ws, listening), room, room)
            expect_true("nobody has called", not ws.readable(listening, 0.05))


@case(
    "connections.by-name.c-outputs-{row}",
    chapter=CHAPTER,
    source=TEST,
    basis="observed",
    requirements=["R11.59"],
    needs_c=True,
    rows={
        "none": Row(False, False, behaviours=["cbn-all-null-outputs"]),
        "addresses": Row(False, True, behaviours=["cbn-null-lengths"]),
        "lengths": Row(True, False, behaviours=["cbn-lengths-only"]),
    },
)
def outputs_are_optional(ws: Target, lengths: bool, addresses: bool) -> None:
    """An address without its length, or a length without its address, is left alone; the call succeeds."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        node, service = (ws.c.new(text.encode() + b"\0") for text in (HERE, port(ws, listening)))
        rooms = [ws.c.new(b"\xee" * 32) for _ in range(2)]
        sizes = [ws.c.new((16).to_bytes(4, "little")) for _ in range(2)]
        outputs = [
            block.address if given else 0
            for room, size in zip(rooms, sizes, strict=True)
            for block, given in ((size, lengths), (room, addresses))
        ]
        got = ws.c.call("WSAConnectByNameA", s, node.address, service.address, *outputs, 0, 0)
        expect("result", expected=1, actual=got)
        expect("addresses", expected=[b"\xee" * 32] * 2, actual=[room.read() for room in rooms])
        expect("lengths", expected=[16, 16], actual=[size.number() for size in sizes])


@case(
    "connections.by-name.c-short-lengths-stay",
    chapter=CHAPTER,
    source=TEST,
    basis="observed",
    behaviours=["cbn-short-lengths"],
    needs_c=True,
)
def short_lengths_are_left_alone(ws: Target) -> None:
    """The lengths that were too short are as they were."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        node, service = (ws.c.new(text.encode() + b"\0") for text in (HERE, port(ws, listening)))
        room, size = ws.c.new(32), ws.c.new((3).to_bytes(4, "little"))
        outputs = (size.address, room.address) * 2
        with fails_with(WSAEFAULT):
            ws.c.check("WSAConnectByNameA", s, node.address, service.address, *outputs, 0, 0, returns="bool")
        expect("length", expected=3, actual=size.number())


@case(
    "connections.by-name.refuses-{row}",
    chapter=CHAPTER,
    source=f"{BY_NAME}; {TEST}",
    basis="observed",
    requirements=["R11.59"],
    both_forms=True,
    rows={
        "no-node": Row("stream", None, "80", None, WSAEINVAL, behaviours=["cbn-null-node"]),
        "no-service": Row("stream", HERE, None, None, WSAEINVAL, behaviours=["cbn-null-service"]),
        "no-service-and-no-socket": Row("closed", HERE, None, None, WSAEINVAL, behaviours=["cbn-null-service"]),
        "reserved": Row("stream", HERE, "80", 1, WSAEINVAL, behaviours=["cbn-reserved"]),
        "no-socket": Row("closed", HERE, "80", None, WSAENOTSOCK),
        "unknown-service": Row("stream", HERE, "nosuch", None, WSATYPE_NOT_FOUND, behaviours=["cbn-unknown-service"]),
        "unknown-node": Row("stream", "nosuch.invalid", "80", None, WSAHOST_NOT_FOUND),
        "listening": Row("listening", HERE, "80", None, WSAEINVAL),
    },
)
def arguments_that_cannot_be(
    ws: Target, state: str, node: str | None, service: str | None, reserved: int | None, code: int
) -> None:
    """What is wrong with the arguments is told before anything is connected."""
    silent = {WSATRY_AGAIN: "no name server answers"} if code == WSAHOST_NOT_FOUND else {}
    with ws.socket_in(state) as s, fails_with(code, variants=silent):
        ws.WSAConnectByName(s, node, service, None, None, None, reserved)


@case(
    "connections.by-name.datagram",
    chapter=CHAPTER,
    source=TEST,
    basis="observed",
    requirements=["R11.59"],
    behaviours=["cbn-udp-socket"],
)
def datagram_sockets_are_refused(ws: Target) -> None:
    """Both calls are for connections only."""
    before = {WSAEINVAL: "Windows before 10 1809"}
    with ws.closing(ws.udp()) as s:
        with fails_with(WSAEFAULT, variants=before):
            ws.WSAConnectByName(s, HERE, "80")
        with fails_with(WSAEFAULT, variants=before):
            ws.WSAConnectByList(s, [loopback()])


@case(
    "connections.by-name.refused",
    chapter=CHAPTER,
    source=BY_NAME,
    basis="documented",
    requirements=["R11.59"],
)
def refusal_is_told_and_can_be_repeated(ws: Target) -> None:
    """A host that refuses gives WSAECONNREFUSED; the socket can be connected afterwards."""
    with ws.closing(ws.tcp()) as s:
        with fails_with(WSAECONNREFUSED):
            ws.WSAConnectByName(s, HERE, str(port_of(ws.dead_address())))
        with ws.listener() as listening:
            ws.WSAConnectByName(s, HERE, port(ws, listening))
            update_context(ws, s)
            expect("peer", expected=ws.getsockname(listening), actual=ws.getpeername(s))


@case(
    "connections.by-name.nonblocking",
    chapter=CHAPTER,
    source=f"{BY_NAME}, remarks; {BY_LIST}, remarks",
    basis="documented",
    requirements=["R11.59"],
)
def nonblocking_sockets_wait(ws: Target) -> None:
    """The calls wait also with a non-blocking socket, which stays one."""
    for by_name in (True, False):
        with ws.listener() as listening, ws.closing(ws.tcp()) as s:
            ws.nonblocking(s)
            if by_name:
                ws.WSAConnectByName(s, HERE, port(ws, listening))
            else:
                ws.WSAConnectByList(s, [ws.getsockname(listening)])
            update_context(ws, s)
            expect("peer", expected=ws.getsockname(listening), actual=ws.getpeername(s))


@case(
    "connections.by-name.bound",
    chapter=CHAPTER,
    source=f"{BY_NAME}, remarks on versions before Windows 10",
    basis="documented",
    requirements=["R11.59"],
)
def bound_socket_keeps_its_address(ws: Target) -> None:
    """A socket that is bound already is connected from there."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        ws.bind(s, loopback())
        mine = ws.getsockname(s)
        ws.WSAConnectByName(s, HERE, port(ws, listening))
        server, caller = ws.accept(listening)
        with ws.closing(server):
            expect("caller", expected=mine, actual=caller)


@case(
    "connections.by-name.both-families",
    chapter=CHAPTER,
    source=f"{BY_NAME}, remarks on IPV6_V6ONLY",
    basis="documented",
    requirements=["R11.59"],
)
def dual_stack_socket_reaches_both_families(ws: Target) -> None:
    """An IPv6 socket without IPV6_V6ONLY reaches an IPv4 address, in its mapped form."""
    if not ws.has_family(AF_INET6):
        not_applicable("no IPv6 here")
    with ws.listener() as listening, ws.closing(ws.tcp(AF_INET6)) as s:
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
        _, remote = ws.WSAConnectByName(s, HERE, port(ws, listening))
        mapped = sockaddr_in6(f"::ffff:{HERE}", port_of(ws.getsockname(listening)))
        expect("remote address", expected=mapped, actual=remote)
        update_context(ws, s)
        expect("peer", expected=remote, actual=ws.getpeername(s))


@case(
    "connections.by-name.needs-a-startup",
    chapter=CHAPTER,
    source=BY_NAME,
    basis="documented",
    manages_startup=True,
)
def connecting_needs_a_startup(ws: Target) -> None:
    """Before WSAStartup nothing else is looked at."""
    with fails_with(WSANOTINITIALISED):
        ws.WSAConnectByName(1, None, None)
    with fails_with(WSANOTINITIALISED):
        ws.WSAConnectByList(1, None)


# ---- by list ---------------------------------------------------------------------------------------------------------


@case(
    "connections.by-list.first-that-answers",
    chapter=CHAPTER,
    source=BY_LIST,
    basis="documented",
    requirements=["R11.59"],
)
def list_is_tried_until_one_answers(ws: Target) -> None:
    """Addresses that refuse are passed over; the one that answers is told and the socket's peer."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        there = ws.getsockname(listening)
        local, remote = ws.WSAConnectByList(s, [ws.dead_address(), ws.dead_address(), there, ws.dead_address()])
        expect("remote address", expected=there, actual=remote)
        expect("local host", expected=HERE, actual=host_of(local))
        update_context(ws, s)
        expect("peer", expected=there, actual=ws.getpeername(s))


@case(
    "connections.by-list.last-error",
    chapter=CHAPTER,
    source=f"{BY_LIST}, remarks",
    basis="documented",
    requirements=["R11.59"],
)
def error_of_the_last_address_is_told(ws: Target) -> None:
    """When none answers the error is that of the last attempt."""
    with ws.closing(ws.tcp()) as s, fails_with(WSAECONNREFUSED):
        ws.WSAConnectByList(s, [ws.dead_address(), ws.dead_address()])


@case(
    "connections.by-list.time-out",
    chapter=CHAPTER,
    source=f"{BY_LIST}, remarks on timeout",
    basis="documented",
    requirements=["R11.59"],
)
def time_is_looked_at_between_attempts(ws: Target) -> None:
    """When the time is over after an attempt no other is made: WSAETIMEDOUT, although the next would have answered."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        with fails_with(WSAETIMEDOUT):
            ws.WSAConnectByList(s, [ws.dead_address(), ws.getsockname(listening)], None, None, (0, 0))
        expect_true("nobody has called", not ws.readable(listening, 0.05))


@case(
    "connections.by-list.refuses-{row}",
    chapter=CHAPTER,
    source=BY_LIST,
    basis="documented",
    rows={
        "reserved": Row("stream", [sockaddr_in(HERE, 80)], None, 1, WSAEINVAL),
        "no-list": Row("stream", None, None, None, WSAEINVAL),
        "no-socket": Row("closed", [sockaddr_in(HERE, 80)], None, None, WSAENOTSOCK),
        "no-room": Row("stream", [sockaddr_in(HERE, 80)], 3, None, WSAEFAULT, basis="choice"),
        "listening": Row("listening", [sockaddr_in(HERE, 80)], None, None, WSAEINVAL, basis="choice"),
    },
)
def lists_that_cannot_be(
    ws: Target, state: str, addresses: list[bytes] | None, room: int | None, reserved: int | None, code: int
) -> None:
    """What is wrong with the arguments is told before anything is connected."""
    with ws.socket_in(state) as s, fails_with(code):
        ws.WSAConnectByList(s, addresses, room, room, None, reserved)


@case(
    "connections.by-list.both-families",
    chapter=CHAPTER,
    source=f"{BY_LIST}, remarks on IPV6_V6ONLY",
    basis="documented",
    requirements=["R11.59"],
)
def list_may_have_both_families(ws: Target) -> None:
    """With an IPv6 socket without IPV6_V6ONLY the list may have IPv4 addresses in their mapped form."""
    if not ws.has_family(AF_INET6):
        not_applicable("no IPv6 here")
    with ws.listener() as listening, ws.closing(ws.tcp(AF_INET6)) as s:
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
        dead = sockaddr_in6("::1", port_of(ws.dead_address(AF_INET6)))
        mapped = sockaddr_in6(f"::ffff:{HERE}", port_of(ws.getsockname(listening)))
        _, remote = ws.WSAConnectByList(s, [dead, mapped])
        expect("remote address", expected=mapped, actual=remote)


# ---- connect data ----------------------------------------------------------------------------------------------------


@case(
    "connections.data.none-in-tcp",
    chapter=CHAPTER,
    source=f"{WSACONNECT}, parameter lpCalleeData",
    basis="documented",
    requirements=["R11.49"],
)
def callee_has_sent_nothing(ws: Target) -> None:
    """Room for the callee's data may be given with TCP: the connect is successful and the length is 0 afterwards."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        expect("data", expected=b"", actual=ws.WSAConnect(s, ws.getsockname(listening), None, 100))
        expect("peer", expected=ws.getsockname(listening), actual=ws.getpeername(s))


@case(
    "connections.data.provider",
    chapter=CHAPTER,
    source=f"{WSACONNECT}, parameters lpCallerData and lpCalleeData",
    basis="documented",
    requirements=["R11.49"],
    needs_provider=True,
)
def provider_answers_with_data(ws: Target) -> None:
    """A provider with connect data gets the caller's and the room, and the program the callee's, with its length."""
    with ws.provider(Provider(protocols=(protocol(service_flags1=XP1_CONNECT_DATA),))) as recorder:
        recorder.answers("WSPConnect", b"welcome")
        with ws.closing(ws.tcp()) as s:
            expect("callee's data", expected=b"welcome", actual=ws.WSAConnect(s, PEER, b"hello", 100))
        called = next(call.args[1:4] for call in recorder.calls if call.name == "WSPConnect")
        expect("name, caller's data, room", expected=(PEER, b"hello", 100), actual=called)


@case(
    "connections.data.datagram",
    chapter=CHAPTER,
    source=f"{WSACONNECT}, remarks on connectionless sockets",
    basis="documented",
    requirements=["R11.50"],
)
def datagram_sockets_ignore_connect_data(ws: Target) -> None:
    """Both kinds of data are ignored on a datagram socket, which gets its peer."""
    with ws.udp_pair(connected=False) as (one, other):
        expect("data", expected=b"", actual=ws.WSAConnect(one, ws.getsockname(other), b"ignored", 100))
        expect("peer", expected=ws.getsockname(other), actual=ws.getpeername(one))
        ws.send(one, b"hello")
        room = bytearray(16)
        expect("bytes received", expected=5, actual=ws.recv(other, room))
        expect("received", expected=b"hello", actual=bytes(room[:5]))


# ---- sockets of a completion port ------------------------------------------------------------------------------------


@case(
    "connections.port.no-packet-{row}",
    chapter=CHAPTER,
    source="Wine's public test sock.c:test_connect_completion_port, which passes on Windows",
    basis="observed",
    behaviours=["iocp-connect-no-packet"],
    rows={"blocking": Row(False), "non-blocking": Row(True)},
)
def plain_connect_sends_no_packet(ws: Target, nonblocking: bool) -> None:
    """A plain connect of a socket that belongs to a completion port is told by no packet."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        completions = ws.CreateIoCompletionPort(s, 0, 0, 0)
        if nonblocking:
            ws.nonblocking(s)
            with fails_with(WSAEWOULDBLOCK):
                ws.connect(s, ws.getsockname(listening))
            ws.wait_writable(s)
        else:
            ws.connect(s, ws.getsockname(listening))
        with fails_with(WAIT_TIMEOUT):
            ws.GetQueuedCompletionStatus(completions, 50)
        ws.CloseHandle(completions)
