"""Sockets from creation to closing, through the API: what each call answers in each state, and which error wins."""

from __future__ import annotations

import resource
import struct
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from tests.concurrency import Interrupt, interrupt_main_thread_when
from tests.loopback import (
    FAMILIES,
    PATIENCE,
    code_of,
    connected_to,
    connecting,
    elsewhere,
    fails,
    full_listener,
    listener,
    loopback,
    nonblocking,
    pair,
    readable,
    received,
    refusing,
    reset,
    started,
    tcp,
    udp,
    waiting,
    wildcard,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEACCES,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEALREADY,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAEISCONN,
    WSAEMFILE,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEPROTONOSUPPORT,
    WSAESOCKTNOSUPPORT,
    WSAEWOULDBLOCK,
    WSANOTINITIALISED,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    FROM_PROTOCOL_INFO,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SO_BROADCAST,
    SO_RCVTIMEO,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_SOCKET,
    SOMAXCONN,
)
from winsock2emu.process import Process

pytestmark = pytest.mark.usefixtures("winsock")

INVALID_SOCKET = 0xFFFFFFFFFFFFFFFF
BROADCAST = api.sockaddr_in("255.255.255.255", 9)


# ---------------------------------------------------------------------------------- what comes before all checks


@attrs.frozen
class Call:
    """A function of the API on a socket, with arguments that are in order."""

    name: str
    on: Callable[[int], Any]

    def __str__(self) -> str:
        return self.name


ADDRESS = api.sockaddr_in("127.0.0.1", 9)
CALLS = [
    Call("closesocket", api.closesocket),
    Call("bind", lambda s: api.bind(s, ADDRESS)),
    Call("listen", lambda s: api.listen(s, 1)),
    Call("accept", api.accept),
    Call("WSAAccept", api.WSAAccept),
    Call("connect", lambda s: api.connect(s, ADDRESS)),
    Call("WSAConnect", lambda s: api.WSAConnect(s, ADDRESS)),
    Call("getsockname", api.getsockname),
    Call("getpeername", api.getpeername),
    Call("shutdown", lambda s: api.shutdown(s, SD_BOTH)),
    Call("send", lambda s: api.send(s, b"x")),
    Call("recv", lambda s: api.recv(s, bytearray(1))),
    Call("sendto", lambda s: api.sendto(s, b"x", 0, ADDRESS)),
    Call("recvfrom", lambda s: api.recvfrom(s, bytearray(1))),
    Call("WSASend", lambda s: api.WSASend(s, [b"x"])),
    Call("WSARecv", lambda s: api.WSARecv(s, [bytearray(1)])),
    Call("WSASendTo", lambda s: api.WSASendTo(s, [b"x"], 0, ADDRESS)),
    Call("WSARecvFrom", lambda s: api.WSARecvFrom(s, [bytearray(1)])),
    Call("getsockopt", lambda s: api.getsockopt(s, SOL_SOCKET, SO_TYPE)),
    Call("setsockopt", lambda s: api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 1)),
    Call("ioctlsocket", lambda s: api.ioctlsocket(s, api.FIONREAD, 0)),
    Call("WSAIoctl", lambda s: api.WSAIoctl(s, api.FIONREAD, None, 4)),
    Call("select", lambda s: api.select([s], None, None, (0, 0))),
]


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_before_startup_nothing_works_not_even_with_a_bad_handle(call: Call) -> None:
    """R16.15: WSANOTINITIALISED wins over the handle."""
    with Process().active():
        for s in (INVALID_SOCKET, 3, 0x100000):
            with fails(WSANOTINITIALISED):
                call.on(s)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_what_is_no_socket_is_refused_before_any_argument_is_looked_at(call: Call) -> None:
    """R2.17, R16.15: a number nobody has, a descriptor that is no socket of ours, and a socket that was closed."""
    closed = tcp()
    api.closesocket(closed)
    for s in (INVALID_SOCKET, closed, 0, 0x7FFFFFFF, -1):
        with fails(WSAENOTSOCK):
            call.on(s)


@pytest.mark.parametrize(
    "call",
    [
        lambda s: api.bind(s, None),
        lambda s: api.accept(s, 0),
        lambda s: api.connect(s, None),
        lambda s: api.WSAConnect(s, None, b"data", None, None, object()),
        lambda s: api.getsockname(s, 0),
        lambda s: api.getpeername(s, 0),
        lambda s: api.shutdown(s, 99),
        lambda s: api.send(s, None, 0x8000),
        lambda s: api.recv(s, None, 0x8000),
        lambda s: api.sendto(s, None, 0x8000, b""),
        lambda s: api.recvfrom(s, None, 0, 0),
        lambda s: api.WSASend(s, None),
        lambda s: api.WSARecv(s, None),
        lambda s: api.WSASendTo(s, [], 0, None),
        lambda s: api.WSARecvFrom(s, []),
        lambda s: api.getsockopt(s, 0x7777, 0x7777, 0),
        lambda s: api.setsockopt(s, 0x7777, 0x7777, None),
        lambda s: api.ioctlsocket(s, 0x7777, None),
        lambda s: api.WSAIoctl(s, 0x7777),
    ],
)
def test_the_handle_wins_over_every_bad_argument(call: Callable[[int], Any]) -> None:
    with fails(WSAENOTSOCK):
        call(INVALID_SOCKET)
    with Process().active(), fails(WSANOTINITIALISED):
        call(INVALID_SOCKET)


def test_a_handle_of_another_type_is_a_mistake_of_the_program() -> None:
    for s in ("socket", 1.5, None, b"x"):
        with pytest.raises(TypeError):
            api.bind(s, ADDRESS)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            api.send(s, b"x")  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------------- creating


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("kind", "protocol"), [(SOCK_STREAM, IPPROTO_TCP), (SOCK_DGRAM, IPPROTO_UDP)])
def test_a_socket_is_what_was_asked_for(family: int, kind: int, protocol: int) -> None:
    for asked in (0, protocol):
        s = api.socket(family, kind, asked)
        info = api.getsockopt(s, SOL_SOCKET, api.SO_PROTOCOL_INFOW)
        assert api.getsockopt(s, SOL_SOCKET, SO_TYPE) == struct.pack("<I", kind)
        assert struct.unpack_from("<4i", info, 76)[0] == family


def test_arguments_win_over_the_record_and_the_record_fills_the_gaps() -> None:
    """Observed on Windows: wsasocket-args-override-info, wsasocket-info-udp, wsasocket-from-protocol-info."""
    datagrams = next(i for i in api.WSAEnumProtocols([IPPROTO_UDP]) if i.address_family == AF_INET)

    filled = api.WSASocket(0, 0, 0, datagrams)
    named = api.WSASocket(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, datagrams)
    overruled = api.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, datagrams)

    kinds = [api.getsockopt(s, SOL_SOCKET, SO_TYPE) for s in (filled, named, overruled)]
    assert kinds == [struct.pack("<I", kind) for kind in (SOCK_DGRAM, SOCK_DGRAM, SOCK_STREAM)]


@pytest.mark.parametrize("family", [0, 0xFFFFFFFF])
def test_a_record_of_no_family_gives_no_socket(family: int) -> None:
    """Observed on Windows: wsasocket-info-zero, wsasocket-info-minus1."""
    info = attrs.evolve(api.WSAEnumProtocols([IPPROTO_TCP])[0], address_family=family)
    with fails(WSAEAFNOSUPPORT):
        api.WSASocket(0, 0, IPPROTO_UDP, info)


def test_kinds_of_sockets_that_do_not_exist() -> None:
    with fails(WSAEINVAL):
        api.socket(0, 0, 0)
    with fails(WSAEAFNOSUPPORT):
        api.socket(99, SOCK_STREAM, 0)
    with fails(WSAESOCKTNOSUPPORT):
        api.socket(AF_INET, 99, 0)
    with fails(WSAEPROTONOSUPPORT):
        api.socket(AF_INET, SOCK_STREAM, 99)
    with fails(WSAEINVAL):
        api.WSASocket(AF_INET, SOCK_STREAM, 0, None, 0, 0x8000)


def test_a_raw_socket_needs_the_right_to_it() -> None:
    """R3.28; what is asked of the host is whether this user may have one."""
    code = code_of(api.socket, AF_INET, SOCK_RAW, IPPROTO_ICMP)
    assert code in (0, WSAEACCES)


def test_two_thousand_sockets_are_open_at_once(winsock: Process) -> None:
    """R2.18: only memory limits their number."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3000:
        pytest.skip("the host allows too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3000), hard))
    try:
        sockets = [api.socket(AF_INET, SOCK_DGRAM, 0) for _ in range(2000)]
        assert len(set(sockets)) == 2000
        assert set(sockets) <= set(winsock.sockets())
        last, first = sockets[-1], sockets[0]
        api.bind(first, loopback(AF_INET))
        assert api.sendto(last, b"still", 0, api.getsockname(first)) == 5
        assert api.select(sockets, None, None, PATIENCE)[0] == [first]
        for s in sockets:
            api.closesocket(s)
        assert winsock.sockets() == []
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_too_many_sockets_are_too_many_files() -> None:
    """R2.18: running out is WSAEMFILE, and a socket that is closed makes room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    sockets: list[int] = []
    try:
        with fails(WSAEMFILE):
            sockets.extend(tcp() for _ in range(70))
        api.closesocket(sockets.pop())
        sockets.append(tcp())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ------------------------------------------------------------------------------------------ the states of a stream


@attrs.frozen
class State:
    """A stream socket in some state, non-blocking, and what each call on it fails with; 0 is success."""

    name: str
    make: Callable[[int], int]
    bind: int
    listen: int
    accept: int
    connect: int
    getsockname: int
    getpeername: int
    send: int
    recv: int
    shutdown: int

    def __str__(self) -> str:
        return self.name


def _bound(family: int) -> int:
    s = tcp(family)
    api.bind(s, loopback(family))
    return s


def _refused(family: int) -> int:
    s = tcp(family)
    assert code_of(api.connect, s, refusing(family)[1]) == WSAECONNREFUSED
    return s


def _broken(family: int) -> int:
    client, server = pair(family)
    reset(client)
    readable(server)
    assert code_of(api.recv, server, bytearray(1)) == WSAECONNRESET
    return server


# R11.1, R11.13, R11.14, R11.19, R11.21, R11.22, R11.45, R11.57, R12.1, A36, A42, A43
STATES = [
    State("unbound", tcp, 0, WSAEINVAL, WSAEINVAL, WSAEWOULDBLOCK, WSAEINVAL, *[WSAENOTCONN] * 4),
    State("bound", _bound, WSAEINVAL, 0, WSAEINVAL, WSAEWOULDBLOCK, 0, *[WSAENOTCONN] * 4),
    State("listening", listener, WSAEINVAL, 0, WSAEWOULDBLOCK, WSAEINVAL, 0, *[WSAENOTCONN] * 4),
    State(
        "connecting",
        lambda family: connecting(family)[0],
        WSAEINVAL,
        WSAEINVAL,
        WSAEINVAL,
        WSAEALREADY,
        0,
        *[WSAENOTCONN] * 4,
    ),
    State("refused", _refused, WSAEINVAL, 0, WSAEINVAL, WSAEWOULDBLOCK, 0, *[WSAENOTCONN] * 4),
    State("connected", lambda f: pair(f)[0], WSAEINVAL, WSAEISCONN, WSAEINVAL, WSAEISCONN, 0, 0, 0, WSAEWOULDBLOCK, 0),
    State("accepted", lambda f: pair(f)[1], WSAEINVAL, WSAEISCONN, WSAEINVAL, WSAEISCONN, 0, 0, 0, WSAEWOULDBLOCK, 0),
    State("reset", _broken, WSAEINVAL, WSAEISCONN, WSAEINVAL, WSAEISCONN, 0, 0, *[WSAECONNRESET] * 3),
]

ACTIONS: dict[str, Callable[[int, int], Any]] = {
    "bind": lambda s, family: api.bind(s, loopback(family)),
    "listen": lambda s, family: api.listen(s, 1),
    "accept": lambda s, family: api.accept(s),
    "getsockname": lambda s, family: api.getsockname(s),
    "getpeername": lambda s, family: api.getpeername(s),
    "send": lambda s, family: api.send(s, b"x"),
    "recv": lambda s, family: api.recv(s, bytearray(1)),
    "shutdown": lambda s, family: api.shutdown(s, SD_BOTH),
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("state", STATES, ids=str)
def test_each_call_in_each_state(state: State, action: str, family: int) -> None:
    s = nonblocking(state.make(family))
    assert code_of(ACTIONS[action], s, family) == getattr(state, action)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("state", STATES, ids=str)
def test_connecting_in_each_state(state: State, family: int) -> None:
    s = nonblocking(state.make(family))
    assert code_of(api.connect, s, api.getsockname(listener(family))) == state.connect


@pytest.mark.parametrize("state", STATES, ids=str)
def test_closing_in_each_state(state: State) -> None:
    s = state.make(AF_INET)
    api.closesocket(s)
    with fails(WSAENOTSOCK):
        api.closesocket(s)


# ---------------------------------------------------------------------------------------------------------- bind


def test_bind_checks_in_order() -> None:
    """B5: name before length, length before family, family before being bound, that before the address itself."""
    s, bound = tcp(), _bound(AF_INET)
    cases = [
        (None, WSAEFAULT),
        (b"", WSAEFAULT),
        (b"\x02\0" + bytes(13), WSAEFAULT),
        (b"\x99\0" + bytes(13), WSAEFAULT),
        (b"\xad\xde" + bytes(14), WSAEAFNOSUPPORT),
        (bytes(16), WSAEAFNOSUPPORT),
        (api.sockaddr_in6("::1", 0), WSAEAFNOSUPPORT),
        (api.sockaddr_in("192.0.2.0", 0), WSAEADDRNOTAVAIL),
    ]
    for name, code in cases:
        with fails(code):
            api.bind(s, name)
        with fails(WSAEINVAL if code == WSAEADDRNOTAVAIL else code):
            api.bind(bound, name)
    api.bind(s, loopback(AF_INET))


@pytest.mark.ipv6
def test_the_old_ipv6_address_of_24_bytes_is_too_short() -> None:
    """Observed on Windows: bind-v6-old-len, bind-v6-getsockname-old-len."""
    s = tcp(AF_INET6)
    with fails(WSAEFAULT):
        api.bind(s, loopback(AF_INET6)[:24])
    api.bind(s, loopback(AF_INET6))
    with fails(WSAEFAULT):
        api.getsockname(s, 24)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_address_may_lie_in_a_larger_structure(family: int) -> None:
    s = tcp(family)
    api.bind(s, loopback(family).ljust(128, b"\xee"))
    name = api.getsockname(s)
    assert (len(name), name.host, name.port > 0) == (len(loopback(family)), loopback(family).host, True)


def test_an_address_may_be_any_buffer_but_no_text() -> None:
    s = tcp()
    with pytest.raises(TypeError):
        api.bind(s, "127.0.0.1")  # type: ignore[arg-type]
    api.bind(s, bytearray(loopback(AF_INET)))  # type: ignore[arg-type]
    other = udp()
    name: Any = memoryview(bytearray(api.getsockname(other)))
    assert api.sendto(udp(), b"x", 0, name) == 1
    readable(other)


@pytest.mark.parametrize("make", [udp, listener, _bound], ids=["datagram", "listening", "bound"])
def test_an_address_in_use_is_refused(make: Callable[[int], int]) -> None:
    """T11.1; observed on Windows: bind-in-use, listen-bind-busy."""
    first = make(AF_INET)
    kind = SOCK_DGRAM if make is udp else SOCK_STREAM
    name = api.getsockname(first)
    second = api.socket(AF_INET, kind, 0)
    with fails(WSAEADDRINUSE):
        api.bind(second, name)
    api.closesocket(first)
    api.bind(second, name)


def test_a_port_whose_connections_are_in_time_wait_can_be_had_again() -> None:
    """A2: the end that closes first keeps the port busy on the host, never on Windows."""
    listening = listener()
    name = api.getsockname(listening)
    client, server = connected_to(listening)
    api.shutdown(server, SD_SEND)
    assert api.recv(client, bytearray(1)) == 0
    api.closesocket(client)
    readable(server)
    for s in (server, listening):
        api.closesocket(s)
    again = tcp()
    api.bind(again, name)
    api.listen(again, 1)


def test_the_broadcast_address_needs_its_option() -> None:
    """B5, A72."""
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    with fails(WSAEACCES):
        api.bind(s, api.sockaddr_in("255.255.255.255", 0))
    api.setsockopt(s, SOL_SOCKET, SO_BROADCAST, 1)
    api.bind(s, api.sockaddr_in("255.255.255.255", 0))


# ------------------------------------------------------------------------------------------------------- connect


def test_connect_checks_in_order() -> None:
    """B9: the shape of the name, then the state of the socket, then what the name says."""
    unreachable = api.sockaddr_in("0.0.0.0", 0)
    for s, code in (
        (listener(), WSAEINVAL),
        (connecting()[0], WSAEALREADY),
        (pair()[0], WSAEISCONN),
        (tcp(), WSAEAFNOSUPPORT),
    ):
        with fails(WSAEFAULT):
            api.connect(s, None)
        with fails(WSAEFAULT):
            api.connect(s, b"\x99\0" + bytes(13))
        with fails(code):
            api.connect(s, b"\x99\0" + bytes(14))
    s = tcp()
    for name in (unreachable, api.sockaddr_in("127.0.0.1", 0), api.sockaddr_in("0.0.0.0", 9)):
        with fails(WSAEADDRNOTAVAIL):
            api.connect(s, name)
    with fails(WSAEINVAL):
        api.getsockname(s)


@pytest.mark.ipv6
def test_the_unspecified_ipv6_address_is_nobody() -> None:
    """R11.21, A17."""
    s = tcp(AF_INET6)
    for name in (wildcard(AF_INET6, 9), api.sockaddr_in6("::1", 0)):
        with fails(WSAEADDRNOTAVAIL):
            api.connect(s, name)


def test_connecting_a_datagram_socket_to_everybody_needs_the_option() -> None:
    """R11.26."""
    s = udp()
    with fails(WSAEACCES):
        api.connect(s, BROADCAST)
    with fails(WSAENOTCONN):
        api.getpeername(s)


def test_the_extras_of_wsaconnect_are_refused_after_the_address_and_before_the_network() -> None:
    """B10: a group's quality of service, then connect data, then a quality of service."""
    name = refusing()[1]
    s = tcp()
    with fails(WSAEFAULT):
        api.WSAConnect(s, None, b"data", None, None, object())
    with fails(WSAEADDRNOTAVAIL):
        api.WSAConnect(s, wildcard(AF_INET), b"data", None, object(), object())
    with fails(WSAEINVAL):
        api.WSAConnect(s, name, b"data", None, object(), object())
    with fails(WSAEPROTONOSUPPORT):
        api.WSAConnect(s, name, b"data", None, object())
    with fails(WSAEOPNOTSUPP):
        api.WSAConnect(s, name, None, None, object())
    with fails(WSAEINVAL):
        api.getsockname(s)  # nothing has been tried
    with fails(WSAECONNREFUSED):
        api.WSAConnect(s, name)
    assert api.WSAConnect(s, api.getsockname(listener()), None, 100) == b""


def test_connect_data_means_nothing_to_a_datagram_socket_but_quality_of_service_does() -> None:
    """R11.50."""
    s, other = udp(), udp()
    with fails(WSAEOPNOTSUPP):
        api.WSAConnect(s, api.getsockname(other), b"data", None, object())
    assert api.WSAConnect(s, api.getsockname(other), b"data") == b""
    assert api.getpeername(s) == api.getsockname(other)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_refused_socket_connects_when_it_tries_again(family: int) -> None:
    """R11.22, A16: blocking."""
    s = tcp(family)
    for _ in range(3):
        with fails(WSAECONNREFUSED):
            api.connect(s, refusing(family)[1])
    listening = listener(family)
    api.connect(s, api.getsockname(listening))
    assert api.getpeername(s) == api.getsockname(listening)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_bound_socket_keeps_its_name_through_a_refusal(family: int) -> None:
    s = tcp(family)
    api.bind(s, loopback(family))
    name = api.getsockname(s)
    with fails(WSAECONNREFUSED):
        api.connect(s, refusing(family)[1])
    listening = listener(family)
    api.connect(s, api.getsockname(listening))
    assert api.getsockname(s) == name
    assert api.accept(listening)[1] == name


# -------------------------------------------------------------------------------------------------------- listen


def test_listen_checks_in_order() -> None:
    """B6."""
    for s, code in ((udp(), WSAEOPNOTSUPP), (pair()[1], WSAEISCONN), (tcp(), WSAEINVAL), (listener(), 0)):
        for backlog in (1, 0, -2, -200, SOMAXCONN, -(2**31), 2**40):
            assert code_of(api.listen, s, backlog) == code


@pytest.mark.parametrize("backlog", [0, 1, -200, -(2**31), SOMAXCONN, 2**40])
def test_every_backlog_lets_a_connection_in(backlog: int) -> None:
    """R11.15: illegal values are clipped silently."""
    s = tcp()
    api.bind(s, loopback(AF_INET))
    api.listen(s, backlog)
    connected_to(s)


def test_a_second_listen_leaves_the_backlog_alone() -> None:
    """R11.14, A23: with the new backlog the connect would succeed."""
    listening, name = full_listener()
    api.listen(listening, 100)
    s = nonblocking(tcp())
    with fails(WSAEWOULDBLOCK):
        api.connect(s, name)
    assert api.select(None, [s], [s], (0, 50_000)) == ([], [], [])


# -------------------------------------------------------------------------------------------------------- accept


def test_accept_checks_in_order() -> None:
    """B7: the room for the address, then the kind of socket, then its state."""
    for s, code in ((udp(), WSAEOPNOTSUPP), (tcp(), WSAEINVAL), (nonblocking(listener()), WSAEWOULDBLOCK)):
        for accept in (api.accept, api.WSAAccept):
            with fails(WSAEFAULT):
                accept(s, 15)
            with fails(code):
                accept(s)


@pytest.mark.parametrize("family", FAMILIES)
def test_too_little_room_takes_no_connection(family: int) -> None:
    listening = listener(family)
    client = tcp(family)
    api.connect(client, api.getsockname(listening))
    with fails(WSAEFAULT):
        api.accept(listening, len(loopback(family)) - 1)
    server, address = api.accept(listening, len(loopback(family)))
    assert address == api.getsockname(client) == api.getpeername(server)
    assert api.getsockname(server) == api.getsockname(listening) == api.getpeername(client)


def test_connections_are_accepted_in_the_order_they_came() -> None:
    """R11.46."""
    listening = listener()
    clients = [tcp() for _ in range(4)]
    for client in clients:
        api.connect(client, api.getsockname(listening))
    assert [api.accept(listening)[1] for _ in clients] == [api.getsockname(client) for client in clients]


def test_a_blocking_accept_waits_for_the_caller() -> None:
    listening = listener()
    accepting = elsewhere(api.accept, listening)
    client = tcp()
    api.connect(client, api.getsockname(listening))
    assert accepting.result()[1] == api.getsockname(client)


def test_an_accepted_socket_has_what_the_listener_was_set_to() -> None:
    """A26: options, time limits and the blocking mode."""
    listening = listener()
    for option, value in ((api.SO_KEEPALIVE, 1), (SO_RCVTIMEO, 1234), (api.SO_SNDBUF, 20000), (api.SO_OOBINLINE, 1)):
        api.setsockopt(listening, SOL_SOCKET, option, value)
    api.setsockopt(listening, IPPROTO_TCP, api.TCP_NODELAY, 1)
    nonblocking(listening)
    client = tcp()
    api.connect(client, api.getsockname(listening))
    readable(listening)
    server = api.accept(listening)[0]
    for option in (api.SO_KEEPALIVE, SO_RCVTIMEO, api.SO_SNDBUF, api.SO_OOBINLINE):
        assert api.getsockopt(server, SOL_SOCKET, option) == api.getsockopt(listening, SOL_SOCKET, option)
    assert api.getsockopt(server, IPPROTO_TCP, api.TCP_NODELAY) == b"\1"
    assert api.getsockopt(server, SOL_SOCKET, api.SO_ACCEPTCONN) == bytes(4)
    with fails(WSAEWOULDBLOCK):
        api.recv(server, bytearray(1))


# --------------------------------------------------------------------------------------------------------- names


def test_which_error_wins_for_names() -> None:
    """B37, B38: room before state for the own name, state before room for the peer's."""
    for s in (tcp(), api.socket(AF_INET, SOCK_DGRAM, 0)):
        with fails(WSAEFAULT):
            api.getsockname(s, 15)
        with fails(WSAEINVAL):
            api.getsockname(s, 16)
        with fails(WSAENOTCONN):
            api.getpeername(s, 15)
    for s in pair():
        for name in (api.getsockname, api.getpeername):
            with fails(WSAEFAULT):
                name(s, 15)
            assert len(name(s, 100)) == 16


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", [SOCK_STREAM, SOCK_DGRAM])
def test_a_wildcard_shows_as_one_with_its_port(family: int, kind: int) -> None:
    """R11.5; observed on Windows: getsockname-bound-any."""
    s = api.socket(family, kind, 0)
    api.bind(s, wildcard(family))
    name = api.getsockname(s)
    assert name == wildcard(family, name.port)
    assert name.port


@pytest.mark.parametrize("family", FAMILIES)
def test_the_names_outlive_the_connection(family: int) -> None:
    """The peer's name belongs to the socket, not to the host's idea of the connection."""
    client, server = pair(family)
    names = api.getsockname(server), api.getpeername(server)
    reset(client)
    readable(server)
    with fails(WSAECONNRESET):
        api.recv(server, bytearray(1))
    assert (api.getsockname(server), api.getpeername(server)) == names


# ------------------------------------------------------------------------------------------------------ shutdown


def test_shutdown_checks_in_order() -> None:
    """B34: the connection before the direction, and a reset last."""
    for s in (tcp(), listener(), connecting()[0]):
        for how in (SD_RECEIVE, SD_SEND, SD_BOTH, 3, -1):
            with fails(WSAENOTCONN):
                api.shutdown(s, how)
    broken = _broken(AF_INET)
    for s in (pair()[0], udp(), broken):
        for how in (3, -1, 99):
            with fails(WSAEINVAL):
                api.shutdown(s, how)
    for how in (SD_RECEIVE, SD_SEND, SD_BOTH):
        with fails(WSAECONNRESET):
            api.shutdown(broken, how)


@pytest.mark.parametrize("how", [SD_RECEIVE, SD_SEND, SD_BOTH])
@pytest.mark.parametrize("make", [lambda: pair()[0], udp], ids=["stream", "datagram"])
def test_ending_a_direction_twice_succeeds(make: Callable[[], int], how: int) -> None:
    """R12.9, R12.11."""
    s = make()
    for _ in range(2):
        api.shutdown(s, how)


# ------------------------------------------------------------------------------------- calls that wait, and end


def _receiving(family: int) -> tuple[int, Callable[[int], Any], str]:
    return pair(family)[0], lambda s: api.recv(s, bytearray(1)), "WSPRecv"


def _accepting(family: int) -> tuple[int, Callable[[int], Any], str]:
    return listener(family), api.accept, "WSPRecv"


def _connecting(family: int) -> tuple[int, Callable[[int], Any], str]:
    name = full_listener(family)[1]
    return tcp(family), lambda s: api.connect(s, name), "WSPSend"


def _sending(family: int) -> tuple[int, Callable[[int], Any], str]:
    """Nobody receives, and nothing of this send has been taken."""
    s = pair(family)[0]
    nonblocking(s)
    while not code_of(api.send, s, bytes(65536)):
        pass
    api.ioctlsocket(s, api.FIONBIO, 0)
    return s, lambda s: api.send(s, b"x"), "WSPSend"


def _receiving_datagrams(family: int) -> tuple[int, Callable[[int], Any], str]:
    return udp(family), lambda s: api.recvfrom(s, bytearray(1)), "WSPRecv"


WAITS = [_receiving, _accepting, _connecting, _sending, _receiving_datagrams]
Waits = Callable[[int], tuple[int, Callable[[int], Any], str]]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("waits", WAITS)
def test_closing_the_socket_ends_calls_that_wait(waits: Waits, family: int) -> None:
    """R6.54, A44: WSAEINTR, for all of them at once, and the handle is gone for everybody else."""
    s, call, direction = waits(family)
    calls = [elsewhere(call, s) for _ in range(1 if waits is _connecting else 3)]
    until_queued = waiting(s, direction)
    while not until_queued():
        pass
    api.closesocket(s)
    codes = {getattr(waiter.failure(), "winerror", None) for waiter in calls}
    assert codes <= {WSAEINTR, WSAENOTSOCK}  # one that came too late finds no handle
    assert WSAEINTR in codes


@pytest.mark.parametrize("waits", WAITS)
def test_the_last_cleanup_ends_calls_that_wait(waits: Waits, winsock: Process) -> None:
    s, call, direction = waits(AF_INET)
    waiter = elsewhere(call, s)
    queued = waiting(s, direction)
    while not queued():
        pass
    api.WSACleanup()
    assert getattr(waiter.failure(), "winerror", None) == WSAEINTR
    assert winsock.sockets() == []


@pytest.mark.parametrize("waits", WAITS)
def test_a_signal_ends_a_wait_as_a_python_exception(waits: Waits, interrupts: None) -> None:
    """R16.34, A80: never as WSAEINTR; the socket stays usable."""
    s, call, direction = waits(AF_INET)
    sender = interrupt_main_thread_when(waiting(s, direction))
    with pytest.raises(Interrupt):
        call(s)
    sender.result()
    assert not waiting(s, direction)()
    api.closesocket(s)


def test_a_socket_can_be_used_after_an_interrupted_receive(interrupts: None) -> None:
    client, server = pair()
    sender = interrupt_main_thread_when(waiting(server))
    with pytest.raises(Interrupt):
        api.recv(server, bytearray(1))
    sender.result()
    api.send(client, b"after")
    readable(server)
    space = bytearray(5)
    assert api.recv(server, space) == 5
    assert space == b"after"


# ------------------------------------------------------------------------------------------------- two processes


def test_two_processes_know_nothing_of_each_other() -> None:
    ours = tcp()
    with started():
        theirs = tcp()
        assert theirs != ours
        with fails(WSAENOTSOCK):
            api.closesocket(ours)
    api.bind(ours, loopback(AF_INET))


def test_connections_cross_processes() -> None:
    listening = listener()
    name = api.getsockname(listening)
    with started():
        client = tcp()
        api.connect(client, name)
        api.send(client, b"hello")
    server = api.accept(listening)[0]
    assert received(server, 5) == b"hello"
    assert api.recv(server, bytearray(1)) == 0
