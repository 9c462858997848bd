"""Order of checks: which of several faults of one call is reported, function by function."""

from __future__ import annotations

from typing import Any

from ..addresses import loopback, port_of, sockaddr_in, sockaddr_in6
from ..constants import (
    AF_INET,
    AF_INET6,
    AF_UNSPEC,
    AI_NUMERICHOST,
    ERROR_INVALID_PARAMETER,
    FIOASYNC,
    FIONBIO,
    FIONREAD,
    FROM_PROTOCOL_INFO,
    INADDR_NONE,
    INVALID_SOCKET,
    IPPROTO_IP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    MSG_OOB,
    MSG_PARTIAL,
    MSG_PEEK,
    MSG_WAITALL,
    NI_NUMERICHOST,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SIO_ADDRESS_LIST_QUERY,
    SIO_BASE_HANDLE,
    SIO_FLUSH,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SIO_ROUTING_INTERFACE_QUERY,
    SIOCATMARK,
    SO_ACCEPTCONN,
    SO_DONTLINGER,
    SO_DONTROUTE,
    SO_ERROR,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_OOBINLINE,
    SO_PROTOCOL_INFOA,
    SO_RCVBUF,
    SO_RCVTIMEO,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    SOMAXCONN,
    STATUS_INVALID_PARAMETER,
    TCP_NODELAY,
    WSAEACCES,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEALREADY,
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAEDESTADDRREQ,
    WSAEFAULT,
    WSAEINVAL,
    WSAEISCONN,
    WSAENOBUFS,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEPROTONOSUPPORT,
    WSAESHUTDOWN,
    WSAESOCKTNOSUPPORT,
    WSAEWOULDBLOCK,
    WSAHOST_NOT_FOUND,
    WSANO_RECOVERY,
    WSATYPE_NOT_FOUND,
)
from ..model import Row, case, documented_otherwise, lacks
from ..records import AddrInfo
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Order of checks"
WINE = "Wine 8.0; the page has both errors, in no order"
PAGES = "winsock/error-reporting-and-parameter-validation-2 and the function's page"
PROVIDER = "Microsoft TCP/IP provider, requirement R16.17: order of checks"
SOCK_TESTS = "Wine's public test sock.c, which passes on Windows"
PROTOCOL_TESTS = "Wine's public test protocol.c, which passes on Windows"

PEER = sockaddr_in(port=9)
NOWHERE = sockaddr_in("0.0.0.0", 9)
BROADCAST = sockaddr_in("255.255.255.255", 9)
OTHER_FAMILY = b"\xad\xde" + PEER[2:]
OTHER_FAMILY_SHORT = OTHER_FAMILY[:15]
UNKNOWN_FLAG = 0x40000000
UNKNOWN_LEVEL = 0x8000
UNKNOWN_OPTION = 0x4242
UNKNOWN_CODE = 0xDEADBEEF
LIMIT_MS = 200  # of a receive that waits although it should fail


def attempt(ws: Target, call: str, state: str, arguments: tuple[Any, ...], code: int, variants: dict[int, str]) -> None:
    """Make a call on a socket in a state; it has to fail with this code, and not to wait for something instead."""
    with ws.socket_in(state) as s:
        if call.endswith(("recv", "recvfrom", "Recv", "RecvFrom")) and state != "closed":
            ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, LIMIT_MS)
        elif call in ("accept", "WSAAccept") and state == "listening":
            ws.nonblocking(s)
        with fails_with(code, call, variants=variants):
            getattr(ws, call)(s, *arguments)


# ---- handles ---------------------------------------------------------------------------------------------------------


@case(
    "validation.handle.{row}",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R16.15"],
    rows={
        "closesocket": Row("closesocket", (), requirements=["B33"]),
        "bind": Row("bind", (None,), requirements=["B5"]),
        "listen": Row("listen", (-1,), requirements=["B6"], behaviours=["listen-bad-handle"]),
        "accept": Row("accept", (0,), requirements=["B7"]),
        "wsaaccept": Row("WSAAccept", (0,), requirements=["B8"]),
        "connect": Row("connect", (None,), requirements=["B9"]),
        "wsaconnect": Row("WSAConnect", (None, b"data"), requirements=["B10"]),
        "shutdown": Row("shutdown", (99,), requirements=["B34"]),
        "getsockname": Row("getsockname", (0,), requirements=["B37"]),
        "getpeername": Row("getpeername", (0,), requirements=["B38"]),
        "send": Row("send", (None, UNKNOWN_FLAG), requirements=["B15"]),
        "sendto": Row("sendto", (None, UNKNOWN_FLAG, b""), requirements=["B16"]),
        "recv": Row("recv", (None, UNKNOWN_FLAG), requirements=["B20"]),
        "recvfrom": Row("recvfrom", (None, UNKNOWN_FLAG, 0), requirements=["B21"]),
        "wsasend": Row("WSASend", (None, UNKNOWN_FLAG), requirements=["B17"]),
        "wsasend-no-buffers": Row("WSASend", ([],), requirements=["B17"]),
        "wsasendto": Row(
            "WSASendTo", (None, UNKNOWN_FLAG, b""), requirements=["B18"], behaviours=["wsasendto-invalid-socket"]
        ),
        "wsarecv": Row("WSARecv", (None, UNKNOWN_FLAG), requirements=["B22"]),
        "wsarecvfrom": Row("WSARecvFrom", (None, UNKNOWN_FLAG, 0), requirements=["B23"]),
        "getsockopt": Row("getsockopt", (UNKNOWN_LEVEL, UNKNOWN_OPTION, 0), requirements=["B39"]),
        "setsockopt": Row("setsockopt", (UNKNOWN_LEVEL, UNKNOWN_OPTION, None), requirements=["B40"]),
        "ioctlsocket": Row("ioctlsocket", (UNKNOWN_CODE, None), requirements=["B41"]),
        "wsaioctl": Row("WSAIoctl", (UNKNOWN_CODE,), requirements=["B42"]),
        "wsahtonl": Row("WSAHtonl", (1,), requirements=["B59", "R3.37"]),
        "wsahtons": Row("WSAHtons", (1,), requirements=["B59", "R3.37"]),
        "wsantohl": Row("WSANtohl", (1,), requirements=["B59", "R3.37"]),
        "wsantohs": Row("WSANtohs", (1,), requirements=["B59", "R3.37"]),
    },
)
def handle_comes_first(ws: Target, call: str, arguments: tuple[Any, ...]) -> None:
    """A handle that is no socket any more is WSAENOTSOCK, whatever else is wrong."""
    attempt(ws, call, "closed", arguments, WSAENOTSOCK, {})


@case(
    "validation.handle.value-{row}",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["R16.15"],
    rows={
        "0": Row(0, behaviours=["listen-bad-handle"]),
        "deadbeef": Row(0xDEADBEEF, behaviours=["listen-bad-handle"]),
        "invalid-socket": Row(INVALID_SOCKET),
    },
)
def any_other_number_is_no_socket(ws: Target, handle: int) -> None:
    """A number that never was a socket is WSAENOTSOCK."""
    with fails_with(WSAENOTSOCK):
        ws.listen(handle, 0)


# ---- making sockets --------------------------------------------------------------------------------------------------


@case(
    "validation.socket.{row}",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["R16.17", "B3"],
    rows={
        "all-zero": Row(AF_UNSPEC, 0, 0, WSAEINVAL, behaviours=["wsasocket-unspec-0-0"]),
        "no-family-no-protocol": Row(AF_UNSPEC, SOCK_STREAM, 0, WSAEINVAL, behaviours=["wsasocket-unspec-stream-0"]),
        "no-family-no-protocol-before-type": Row(
            AF_UNSPEC, 0xDEAD, 0, WSAEINVAL, behaviours=["wsasocket-unspec-0xdead-0"]
        ),
        "family-minus-1": Row(-1, SOCK_STREAM, IPPROTO_TCP, WSAEAFNOSUPPORT, behaviours=["wsasocket-neg1-stream-tcp"]),
        "family-before-protocol": Row(
            0xDEAD, SOCK_STREAM, IPPROTO_UDP, WSAEAFNOSUPPORT, behaviours=["wsasocket-0xdead-stream-udp"]
        ),
        "family-before-unknown-protocol": Row(
            0xDEAD, SOCK_STREAM, 0xDEAD, WSAEAFNOSUPPORT, behaviours=["wsasocket-0xdead-stream-0xdead"]
        ),
        "type-minus-1": Row(AF_INET, -1, IPPROTO_TCP, WSAESOCKTNOSUPPORT, behaviours=["wsasocket-inet-neg1-tcp"]),
        "type-before-family": Row(
            0xDEAD, 0xDEAD, IPPROTO_TCP, WSAESOCKTNOSUPPORT, behaviours=["wsasocket-0xdead-0xdead-tcp"]
        ),
        "type-before-protocol": Row(
            AF_INET, 0xDEAD, 0xDEAD, WSAESOCKTNOSUPPORT, behaviours=["wsasocket-inet-0xdead-0xdead"]
        ),
        "type-without-family": Row(
            AF_UNSPEC, 0xDEAD, IPPROTO_UDP, WSAESOCKTNOSUPPORT, behaviours=["wsasocket-unspec-0xdead-udp"]
        ),
        "protocol-minus-1": Row(
            AF_INET, SOCK_STREAM, -1, WSAEPROTONOSUPPORT, behaviours=["wsasocket-inet-stream-neg1"]
        ),
        "protocol-without-type": Row(AF_INET, 0, 0xDEAD, WSAEPROTONOSUPPORT, behaviours=["wsasocket-inet-0-0xdead"]),
        "protocol-alone": Row(AF_UNSPEC, 0, 0xDEAD, WSAEPROTONOSUPPORT, behaviours=["wsasocket-unspec-0-0xdead"]),
    },
)
def socket_reports_type_then_family_then_protocol(ws: Target, af: int, type: int, protocol: int, code: int) -> None:
    """Neither family nor protocol is WSAEINVAL; then a wrong type wins over the family, and that over the protocol."""
    with fails_with(code):
        ws.WSASocket(af, type, protocol)


@case(
    "validation.wsasocket.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsasocketw",
    basis="documented",
    requirements=["R16.16", "B4"],
    rows={
        "flags": Row((AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, 0x8000), WSAEINVAL),
        "flags-before-family": Row((0xDEAD, SOCK_STREAM, IPPROTO_TCP, None, 0, 0x8000), WSAEINVAL),
        "from-info-without-info": Row((FROM_PROTOCOL_INFO,) * 3, WSAESOCKTNOSUPPORT, basis="choice"),
    },
)
def wsasocket_checks_its_flags_first(ws: Target, arguments: tuple[Any, ...], code: int) -> None:
    """Undefined flags are WSAEINVAL before anything else; FROM_PROTOCOL_INFO without a record is a wrong value."""
    with fails_with(code, variants={WSAEAFNOSUPPORT: "the family is looked at first"} if code != WSAEINVAL else {}):
        ws.WSASocket(*arguments)


# ---- bind, listen, accept, connect -----------------------------------------------------------------------------------


@case(
    "validation.bind.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-bind; " + SOCK_TESTS,
    basis="choice",
    requirements=["R16.17", "R11.2", "B5"],
    rows={
        "pointer-before-state": Row("bound", None, WSAEFAULT, source=WINE),
        "length-before-state": Row("bound", PEER[:15], WSAEFAULT, source=WINE),
        "family-before-state": Row("bound", OTHER_FAMILY, WSAEAFNOSUPPORT, source=WINE),
        "state": Row("bound", PEER, WSAEINVAL, requirements=["R11.1"], behaviours=["bind-twice"], basis="observed"),
        "state-before-address": Row("bound", sockaddr_in("192.0.2.0"), WSAEINVAL, requirements=["R11.1"]),
        "null": Row("stream", None, WSAEFAULT, behaviours=["bind-null"], basis="observed"),
        "short": Row(
            "stream", PEER[:15], WSAEFAULT, requirements=["R16.23"], behaviours=["bind-short-len"], basis="observed"
        ),
        "length-before-family": Row(
            "stream",
            OTHER_FAMILY_SHORT,
            WSAEFAULT,
            requirements=["R16.23"],
            differs={"wine": lacks("looks at the family before the length; by R16.15 the form comes before values")},
        ),
        "family": Row(
            "stream",
            OTHER_FAMILY,
            WSAEAFNOSUPPORT,
            requirements=["R11.3"],
            behaviours=["bind-bad-family"],
            basis="observed",
        ),
        "family-datagram": Row("datagram", OTHER_FAMILY, WSAEAFNOSUPPORT, requirements=["R11.3"], basis="observed"),
        "family-before-address": Row(
            "stream", b"\xad\xde" + sockaddr_in("192.0.2.0")[2:], WSAEAFNOSUPPORT, requirements=["R11.3"]
        ),
        "not-local": Row(
            "stream", sockaddr_in("192.0.2.0"), WSAEADDRNOTAVAIL, behaviours=["bind-foreign-address"], basis="observed"
        ),
        "broadcast": Row(
            "datagram",
            sockaddr_in("255.255.255.255"),
            WSAEACCES,
            basis="documented",
            differs={"wine": documented_otherwise("takes the broadcast address without SO_BROADCAST")},
        ),
    },
)
def bind_reports_shape_state_value(ws: Target, state: str, name: bytes | None, code: int) -> None:
    """bind reports a missing or short address, then the family, then the socket's state, then the address itself."""
    page = {WSAEFAULT: "the page; the provider says WSAEAFNOSUPPORT"} if code == WSAEAFNOSUPPORT else {}
    attempt(ws, "bind", state, (name,), code, page)


@case(
    "validation.bind.length-0",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["R16.23", "B5"],
    behaviours=["bind-zero-len"],
    needs_c=True,
)
def bind_of_no_length(ws: Target) -> None:
    """A good address whose length is said to be 0 is WSAEFAULT."""
    with ws.socket_in("stream") as s, fails_with(WSAEFAULT):
        ws.c.check("bind", s, ws.c.new(loopback()).address, 0)


@case(
    "validation.bind.longer-is-fine",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirement B5",
    basis="observed",
    requirements=["B5"],
)
def bind_accepts_a_longer_length(ws: Target) -> None:
    """An address in a SOCKADDR_STORAGE of 128 bytes can be bound."""
    with ws.closing(ws.tcp()) as s:
        ws.bind(s, loopback() + bytes(112))
        expect_true("a port was chosen", port_of(ws.getsockname(s)))


@case(
    "validation.listen.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-listen; " + SOCK_TESTS,
    basis="choice",
    requirements=["R16.17", "R11.13", "B6"],
    rows={
        "unbound": Row("stream", 1, WSAEINVAL, behaviours=["listen-unbound"], basis="observed"),
        "unbound-backlog-minus-2": Row("stream", -2, WSAEINVAL, behaviours=["listen-unbound"], basis="observed"),
        "unbound-backlog-max": Row("stream", SOMAXCONN, WSAEINVAL, behaviours=["listen-unbound"], basis="observed"),
        "datagram": Row("bound-datagram", 1, WSAEOPNOTSUPP, basis="documented"),
        "unbound-before-type": Row("datagram", 1, WSAEINVAL, source=WINE),
        "connected": Row("connected", 1, WSAEISCONN, requirements=["A22"], basis="documented"),
        "accepted": Row("accepted", 1, WSAEISCONN, requirements=["A22"], basis="documented"),
    },
)
def listen_looks_at_the_state_first(ws: Target, state: str, backlog: int, code: int) -> None:
    """listen reports a missing bind, or a connection, then the wrong type; never the backlog."""
    attempt(ws, "listen", state, (backlog,), code, {})


@case(
    "validation.listen.another-one-listens",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["B6"],
    behaviours=["listen-unbound-while-other-listens"],
)
def listen_needs_its_own_bind(ws: Target) -> None:
    """An unbound socket cannot listen while another one does: WSAEINVAL."""
    with ws.listener(), ws.closing(ws.tcp()) as s, fails_with(WSAEINVAL):
        ws.listen(s, 1)


@case(
    "validation.listen.backlog-{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-listen, parameter backlog",
    basis="documented",
    requirements=["R11.14", "R11.15", "B6"],
    rows={
        "0": Row(0),
        "minus-1": Row(-1),
        "hint": Row(-500),
        "somaxconn": Row(SOMAXCONN),
        "huge": Row(0x7FFFFFFE),
        "smallest": Row(-0x80000000),
    },
)
def no_backlog_is_an_error(ws: Target, backlog: int) -> None:
    """Any backlog is taken, and listening a second time with another one succeeds as well."""
    with ws.closing(ws.tcp()) as s:
        ws.bind(s, loopback())
        ws.listen(s, backlog)
        ws.listen(s, 1)
        expect("SO_ACCEPTCONN", expected=1, actual=ws.get_int(s, SOL_SOCKET, SO_ACCEPTCONN))


@case(
    "validation.accept.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-accept; requirement B7",
    basis="choice",
    requirements=["R16.17", "R11.43", "B7"],
    rows={
        "length": Row("listening", "accept", 0, WSAEFAULT, requirements=["R16.23"]),
        "length-15": Row("listening", "accept", 15, WSAEFAULT, requirements=["R16.23"]),
        "length-wsaaccept": Row("listening", "WSAAccept", 0, WSAEFAULT, requirements=["R16.23", "B8"]),
        "length-before-type": Row("bound-datagram", "accept", 0, WSAEFAULT),
        "length-before-state": Row("bound", "accept", 0, WSAEFAULT),
        "datagram": Row("bound-datagram", "accept", None, WSAEOPNOTSUPP, basis="documented"),
        "datagram-wsaaccept": Row("bound-datagram", "WSAAccept", None, WSAEOPNOTSUPP, requirements=["B8"]),
        "not-bound": Row("stream", "accept", None, WSAEINVAL, basis="documented"),
        "not-listening": Row("bound", "accept", None, WSAEINVAL, basis="documented"),
        "not-listening-wsaaccept": Row("bound", "WSAAccept", None, WSAEINVAL, requirements=["B8"]),
        "connected": Row("connected", "accept", None, WSAEINVAL, basis="documented"),
    },
)
def accept_looks_at_the_length_first(ws: Target, state: str, call: str, room: int | None, code: int) -> None:
    """accept reports too little room for the address, then the wrong type, then that nobody listens."""
    attempt(ws, call, state, (room,), code, {})


@case(
    "validation.accept.short-length-{row}",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["B7"],
    needs_c=True,
    rows={
        "accept": Row("accept", (), behaviours=["accept-short-addrlen"]),
        "wsaaccept": Row("WSAAccept", (0, 0), requirements=["B8"], behaviours=["accept-wsa-short-addrlen"]),
    },
)
def short_length_of_an_accept(ws: Target, call: str, rest: tuple[int, ...]) -> None:
    """With *addrlen 0 an accept that has a request before it is WSAEFAULT, and leaves *addrlen at 0."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as client:
        ws.connect(client, ws.getsockname(listening))
        length = ws.c.new(4)
        with fails_with(WSAEFAULT):
            ws.c.check(call, listening, ws.c.new(16).address, length.address, *rest)
        expect("*addrlen", expected=0, actual=length.number())


@case(
    "validation.accept.short-length-takes-nothing-{row}",
    chapter=CHAPTER,
    source="requirements B7 and R16.15: lengths are looked at before anything is taken",
    basis="choice",
    requirements=["B7"],
    needs_c=True,
    rows={"accept": Row("accept", ()), "wsaaccept": Row("WSAAccept", (0, 0), requirements=["B8"])},
)
def short_length_takes_no_request(ws: Target, call: str, rest: tuple[int, ...]) -> None:
    """An accept with *addrlen 0 writes no address, and leaves the request for the next accept."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as client:
        ws.connect(client, ws.getsockname(listening))
        room, length = ws.c.new(b"\x5a" * 16), ws.c.new(4)
        with fails_with(WSAEFAULT):
            ws.c.check(call, listening, room.address, length.address, *rest)
        expect("address", expected=b"\x5a" * 16, actual=room.read())
        expect_true("the request is still there", ws.readable(listening))
        server, _ = ws.accept(listening)
        ws.closesocket(server)


@case(
    "validation.accept.null-length-{row}",
    chapter=CHAPTER,
    source="Wine's public test sock.c:test_accept, which passes on Windows; the pages say WSAEFAULT",
    basis="observed",
    requirements=["R11.44", "B7"],
    needs_c=True,
    behaviours=["accept-addr-no-len"],
    rows={"accept": Row("accept", ()), "wsaaccept": Row("WSAAccept", (0, 0), requirements=["B8"])},
)
def address_without_a_length_is_left_alone(ws: Target, call: str, rest: tuple[int, ...]) -> None:
    """With an address pointer and no length pointer the request is accepted, and nothing is stored."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as client:
        ws.connect(client, ws.getsockname(listening))
        room = ws.c.new(16)
        ws.closesocket(ws.c.check(call, listening, room.address, 0, *rest))
        expect("address", expected=bytes(16), actual=room.read())


@case(
    "validation.accept.no-address-wanted",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-accept, parameters addr and addrlen",
    basis="documented",
    requirements=["R11.44"],
    needs_c=True,
)
def accept_without_address(ws: Target) -> None:
    """With NULL for both the address and its length the request is accepted."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as client:
        ws.connect(client, ws.getsockname(listening))
        ws.closesocket(ws.c.check("accept", listening, 0, 0))


@case(
    "validation.accept.would-block-{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-accept, error WSAEWOULDBLOCK",
    basis="documented",
    requirements=["R11.43", "B7"],
    rows={"accept": Row("accept"), "wsaaccept": Row("WSAAccept", requirements=["B8"])},
)
def accept_of_nothing_would_block(ws: Target, call: str) -> None:
    """A non-blocking listening socket with no request is WSAEWOULDBLOCK."""
    with ws.listener() as listening:
        ws.nonblocking(listening)
        with fails_with(WSAEWOULDBLOCK):
            getattr(ws, call)(listening)


@case(
    "validation.connect.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-connect; " + PROVIDER,
    basis="choice",
    requirements=["R16.17", "R11.21", "B9"],
    rows={
        "null": Row("stream", None, WSAEFAULT, basis="documented"),
        "short": Row("stream", PEER[:15], WSAEFAULT, requirements=["R16.23"], basis="documented"),
        "short-datagram": Row("datagram", PEER[:15], WSAEFAULT, requirements=["R16.23"], basis="documented"),
        "pointer-before-listening": Row("listening", None, WSAEFAULT),
        "pointer-before-connected": Row("connected", None, WSAEFAULT),
        "pointer-before-pending": Row("connecting", None, WSAEFAULT),
        "length-before-family": Row("stream", OTHER_FAMILY_SHORT, WSAEFAULT, requirements=["R16.23"]),
        "listening-before-family": Row("listening", OTHER_FAMILY, WSAEINVAL),
        "pending-before-family": Row("connecting", OTHER_FAMILY, WSAEALREADY, requirements=["R11.19"]),
        "pending-before-address": Row("connecting", NOWHERE, WSAEALREADY, requirements=["R11.19"]),
        "connected": Row("connected", PEER, WSAEISCONN, behaviours=["connect-on-connected"], basis="observed"),
        "accepted": Row(
            "accepted", PEER, WSAEISCONN, behaviours=["connect-on-connected", "connect-on-accepted"], basis="observed"
        ),
        "connected-before-family": Row("connected", OTHER_FAMILY, WSAEISCONN),
        "connected-before-address": Row("connected", NOWHERE, WSAEISCONN),
        "family": Row("stream", OTHER_FAMILY, WSAEAFNOSUPPORT, basis="documented"),
        "family-datagram": Row("datagram", OTHER_FAMILY, WSAEAFNOSUPPORT, basis="documented"),
        "family-before-address": Row("stream", OTHER_FAMILY[:2] + NOWHERE[2:], WSAEAFNOSUPPORT),
        "ipv6-address": Row("stream", sockaddr_in6(port=9), WSAEAFNOSUPPORT, basis="documented"),
        "address-0": Row("stream", NOWHERE, WSAEADDRNOTAVAIL, basis="documented"),
        "port-0": Row("stream", loopback(), WSAEADDRNOTAVAIL, basis="documented"),
        "broadcast": Row("datagram", BROADCAST, WSAEACCES, requirements=["R11.26"], basis="documented"),
    },
)
def connect_reports_shape_state_value(ws: Target, state: str, name: bytes | None, code: int) -> None:
    """connect reports a missing or short address, then the socket's state, then the family, then the address."""
    attempt(ws, "connect", state, (name,), code, {})


@case(
    "validation.connect.length-0",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-connect, error WSAEFAULT",
    basis="documented",
    requirements=["R16.23", "B9"],
    needs_c=True,
)
def connect_of_no_length(ws: Target) -> None:
    """A good address whose length is said to be 0 is WSAEFAULT."""
    with ws.socket_in("stream") as s, fails_with(WSAEFAULT):
        ws.c.check("connect", s, ws.c.new(PEER).address, 0)


@case(
    "validation.connect.all-zero-datagram",
    chapter=CHAPTER,
    source="winsock/reconnecting-and-disconnecting-2",
    basis="documented",
    requirements=["R11.25", "B9"],
)
def zero_address_disconnects_a_datagram_socket(ws: Target) -> None:
    """An all-zero address is no fault on a datagram socket: it takes the peer away, and send is WSAENOTCONN then."""
    with ws.udp_pair() as (a, _):
        ws.connect(a, bytes(16))
        with fails_with(WSAENOTCONN):
            ws.getpeername(a)
        with fails_with(WSAENOTCONN):
            ws.send(a, b"x")


@case(
    "validation.wsaconnect.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsaconnect",
    basis="documented",
    requirements=["R11.48", "B10"],
    rows={
        "null": Row("stream", None, None, WSAEFAULT),
        "connected": Row("connected", PEER, None, WSAEISCONN),
        "family": Row("stream", OTHER_FAMILY, None, WSAEAFNOSUPPORT),
        "caller-data": Row(
            "stream",
            PEER,
            b"data",
            WSAEPROTONOSUPPORT,
            differs={"wine": documented_otherwise("takes no notice of the data")},
        ),
    },
)
def wsaconnect_checks_as_connect(ws: Target, state: str, name: bytes | None, data: bytes | None, code: int) -> None:
    """WSAConnect checks as connect does, and connect data is WSAEPROTONOSUPPORT on TCP."""
    attempt(ws, "WSAConnect", state, (name, data), code, {})


# ---- sending ---------------------------------------------------------------------------------------------------------


@case(
    "validation.send.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-send; " + PROVIDER,
    basis="choice",
    requirements=["R16.17", "B15"],
    rows={
        "null": Row("connected", None, 0, WSAEFAULT, basis="documented"),
        "pointer-before-flags": Row("connected", None, UNKNOWN_FLAG, WSAEFAULT),
        "pointer-before-connection": Row("stream", None, 0, WSAEFAULT),
        "flags": Row("connected", b"x", UNKNOWN_FLAG, WSAEOPNOTSUPP, basis="observed"),
        "flags-before-connection": Row("stream", b"x", UNKNOWN_FLAG, WSAEOPNOTSUPP),
        "flags-datagram": Row("connected-datagram", b"x", UNKNOWN_FLAG, WSAEOPNOTSUPP, basis="observed"),
        "oob-datagram": Row("connected-datagram", b"x", MSG_OOB, WSAEOPNOTSUPP, basis="documented"),
        "oob-before-peer": Row("datagram", b"x", MSG_OOB, WSAEOPNOTSUPP),
        "peek-is-no-send-flag": Row("connected", b"x", MSG_PEEK, WSAEOPNOTSUPP, basis="observed"),
    },
)
def send_reports_buffer_flags_connection(ws: Target, state: str, data: bytes | None, flags: int, code: int) -> None:
    """send reports a missing buffer, then flags it does not have, then the missing connection."""
    page = {WSAEINVAL: "the pages of this family; the provider says WSAEOPNOTSUPP"} if code == WSAEOPNOTSUPP else {}
    attempt(ws, "send", state, (data, flags), code, page)


@case(
    "validation.send.shut-{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-shutdown",
    basis="documented",
    requirements=["R12.2"],
    rows={
        "send": Row("connected", "send", (b"x",), requirements=["B15", "A38"]),
        "sendto": Row("connected", "sendto", (b"x", 0, PEER), requirements=["B16", "A38"]),
        "wsasend": Row("connected", "WSASend", ([b"x"],), requirements=["B17", "A38"]),
        "wsasendto": Row("connected", "WSASendTo", ([b"x"], 0, PEER), requirements=["B18", "A38"]),
        "datagram": Row("connected-datagram", "send", (b"x",), requirements=["R12.9", "B15"]),
        "datagram-sendto": Row("datagram", "sendto", (b"x", 0, PEER), requirements=["R12.9", "B16"]),
        "before-peer": Row("datagram", "send", (b"x",), requirements=["R16.17", "B15"]),
        "before-address": Row("datagram", "sendto", (b"x", 0, NOWHERE), requirements=["R16.17", "B16"]),
    },
)
def sending_after_shutdown(ws: Target, state: str, call: str, arguments: tuple[Any, ...]) -> None:
    """After shutdown(SD_SEND) sends are WSAESHUTDOWN, before anything is said about the peer."""
    with ws.socket_in(state) as s:
        ws.shutdown(s, SD_SEND)
        with fails_with(WSAESHUTDOWN):
            getattr(ws, call)(s, *arguments)


@case(
    "validation.send.flags-before-shutdown",
    chapter=CHAPTER,
    source=PROVIDER,
    basis="observed",
    requirements=["R16.17", "B15"],
)
def flags_come_before_shutdown(ws: Target) -> None:
    """Unknown flags after shutdown(SD_SEND) are WSAEOPNOTSUPP."""
    with ws.socket_in("connected") as s:
        ws.shutdown(s, SD_SEND)
        with fails_with(WSAEOPNOTSUPP, variants={WSAEINVAL: "the pages of this family"}):
            ws.send(s, b"x", UNKNOWN_FLAG)


@case(
    "validation.send.negative-length-{row}",
    chapter=CHAPTER,
    source=PROVIDER,
    basis="observed",
    requirements=["B15"],
    needs_c=True,
    rows={"connected": Row("connected"), "unconnected": Row("stream")},
)
def negative_length_is_a_fault(ws: Target, state: str) -> None:
    """A negative length is WSAEFAULT, before the connection is looked at."""
    with ws.socket_in(state) as s:
        ws.nonblocking(s)
        with fails_with(WSAEFAULT):
            ws.c.check("send", s, ws.c.new(1).address, -1, 0)


@case(
    "validation.send.would-block",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-send, error WSAEWOULDBLOCK",
    basis="documented",
    requirements=["B15"],
)
def send_into_full_buffers_would_block(ws: Target) -> None:
    """A non-blocking send is WSAEWOULDBLOCK once nobody reads and all buffers are full."""
    with ws.connected_pair() as (client, _):
        ws.nonblocking(client)
        with fails_with(WSAEWOULDBLOCK):
            for _ in range(10_000):
                ws.send(client, bytes(65536))


@case(
    "validation.sendto.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-sendto; " + PROVIDER,
    basis="choice",
    requirements=["R16.17", "B16"],
    rows={
        "null": Row("datagram", None, 0, PEER, WSAEFAULT, basis="documented"),
        "buffer-before-address": Row("datagram", None, 0, None, WSAEFAULT),
        "buffer-before-family": Row("datagram", None, 0, OTHER_FAMILY, WSAEFAULT),
        "nobody-before-flags": Row("datagram", b"x", UNKNOWN_FLAG, None, WSAENOTCONN),
        "short": Row("datagram", b"x", 0, PEER[:15], WSAEFAULT, requirements=["R16.23"], basis="documented"),
        "short-before-flags": Row("datagram", b"x", UNKNOWN_FLAG, PEER[:15], WSAEFAULT),
        "length-before-family": Row("datagram", b"x", 0, OTHER_FAMILY_SHORT, WSAEFAULT),
        "family": Row("datagram", b"x", 0, OTHER_FAMILY, WSAEAFNOSUPPORT, basis="documented"),
        "family-before-flags": Row("datagram", b"x", UNKNOWN_FLAG, OTHER_FAMILY, WSAEAFNOSUPPORT),
        "flags": Row("datagram", b"x", UNKNOWN_FLAG, PEER, WSAEINVAL, basis="documented"),
        "flags-before-address": Row("datagram", b"x", UNKNOWN_FLAG, NOWHERE, WSAEINVAL, basis="documented"),
        "address-0": Row("datagram", b"x", 0, NOWHERE, WSAEADDRNOTAVAIL, basis="documented"),
        "port-0": Row("datagram", b"x", 0, loopback(), WSAEADDRNOTAVAIL, basis="documented"),
        "address-before-size": Row("datagram", bytes(65508), 0, loopback(), WSAEADDRNOTAVAIL),
        "broadcast": Row("datagram", b"x", 0, BROADCAST, WSAEACCES, basis="documented"),
        "stream": Row("stream", b"x", 0, PEER, WSAENOTCONN, requirements=["R11.27"], basis="documented"),
    },
)
def sendto_reports_buffer_address_flags(
    ws: Target, state: str, data: bytes | None, flags: int, to: bytes | None, code: int
) -> None:
    """sendto reports a missing buffer, then a missing or short address, the family, the flags, then the address."""
    others = {
        WSAEINVAL: {WSAEOPNOTSUPP: "the provider, as for send"},
        WSAENOTCONN: {WSAEDESTADDRREQ: "the page; the provider says WSAENOTCONN"} if to is None else {},
    }
    attempt(ws, "sendto", state, (data, flags, to), code, others.get(code, {}))


@case(
    "validation.sendto.stream-{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-sendto, parameter to",
    basis="documented",
    requirements=["R11.27", "B16"],
    rows={
        "other-address": Row(PEER),
        "address-0": Row(NOWHERE),
        "other-family": Row(
            OTHER_FAMILY, differs={"wine": documented_otherwise("an address that it cannot translate fails the call")}
        ),
        "none": Row(None),
    },
)
def stream_ignores_the_address(ws: Target, to: bytes | None) -> None:
    """On a connected stream socket sendto sends to its peer whatever address is given."""
    with ws.connected_pair() as (client, server):
        expect("sent", expected=1, actual=ws.sendto(client, b"x", 0, to))
        expect("received", expected=b"x", actual=ws.receive_exactly(server, 1))


@case(
    "validation.wsasend.{row}",
    chapter=CHAPTER,
    source=PROVIDER,
    basis="choice",
    requirements=["R16.17", "B17"],
    rows={
        "array-before-flags": Row("connected", None, UNKNOWN_FLAG, WSAEFAULT),
        "array-before-connection": Row("stream", None, 0, WSAEFAULT),
        "buffer-before-connection": Row("stream", [None], 0, WSAEFAULT),
        "count-before-flags": Row("connected", [], UNKNOWN_FLAG, WSAEINVAL),
        "count-before-connection": Row("stream", [], 0, WSAEINVAL),
        "flags-before-connection": Row("stream", [b"x"], MSG_PARTIAL, WSAEOPNOTSUPP),
        "partial-datagram": Row("connected-datagram", [b"x"], MSG_PARTIAL, WSAEOPNOTSUPP, basis="observed"),
    },
)
def wsasend_reports_array_flags_connection(
    ws: Target, state: str, buffers: list[bytes | None] | None, flags: int, code: int
) -> None:
    """WSASend reports the array, then the count, then the flags, then the missing connection."""
    page = {WSAEINVAL: "the pages of this family"} if code == WSAEOPNOTSUPP and flags == UNKNOWN_FLAG else {}
    attempt(ws, "WSASend", state, (buffers, flags), code, page)


@case(
    "validation.wsasendto.{row}",
    chapter=CHAPTER,
    source=PROVIDER,
    basis="choice",
    requirements=["R16.17", "B18"],
    rows={
        "array-before-address": Row("datagram", None, 0, None, WSAEFAULT),
        "count-before-address": Row("datagram", [], 0, OTHER_FAMILY, WSAEINVAL),
        "nobody": Row("datagram", [b"x"], 0, None, WSAENOTCONN, basis="observed"),
        "short": Row("datagram", [b"x"], 0, PEER[:15], WSAEFAULT, requirements=["R16.23"], basis="documented"),
        "family": Row("datagram", [b"x"], 0, OTHER_FAMILY, WSAEAFNOSUPPORT, basis="documented"),
        "address-0": Row("datagram", [b"x"], 0, NOWHERE, WSAEADDRNOTAVAIL, basis="documented"),
        "broadcast": Row("datagram", [b"x"], 0, BROADCAST, WSAEACCES, basis="documented"),
    },
)
def wsasendto_adds_the_address(
    ws: Target, state: str, buffers: list[bytes] | None, flags: int, to: bytes | None, code: int
) -> None:
    """WSASendTo reports the array as WSASend does, then the address as sendto does."""
    page = {WSAEDESTADDRREQ: "the page; the provider says WSAENOTCONN"} if code == WSAENOTCONN else {}
    attempt(ws, "WSASendTo", state, (buffers, flags, to), code, page)


@case(
    "validation.wsasendto.count-pointer",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["B18"],
    behaviours=["wsasendto-null-bytes"],
    needs_c=True,
)
def wsasendto_needs_its_count(ws: Target) -> None:
    """WSASendTo without a place for the byte count is WSAEFAULT, and sends nothing."""
    with ws.udp_pair(connected=False) as (a, b):
        data, to = ws.c.new(b"x"), ws.c.new(ws.getsockname(b))
        array = ws.c.new(ws.c.pack("WSABUF", len=1, buf=data.address))
        with fails_with(WSAEFAULT):
            ws.c.check("WSASendTo", a, array.address, 1, 0, 0, to.address, 16, 0, 0)
        expect_true("nothing was sent", not ws.readable(b))


@case(
    "validation.wsasendto.binds",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["R11.23", "R11.58"],
    behaviours=["wsasendto-autobind"],
)
def sending_binds(ws: Target) -> None:
    """A datagram socket that nobody has bound has a family and a port after its first WSASendTo."""
    with ws.closing(ws.udp()) as s:
        ws.WSASendTo(s, [b"x"], 0, ws.dead_address(type=SOCK_DGRAM))
        name = ws.getsockname(s)
    expect("family", expected=AF_INET.to_bytes(2, "little"), actual=name[:2])
    expect_true("there is a port", port_of(name))


# ---- receiving -------------------------------------------------------------------------------------------------------


@case(
    "validation.recv.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-recv; " + PROVIDER,
    basis="choice",
    requirements=["R16.17", "B20"],
    rows={
        "null": Row("connected", None, 0, WSAEFAULT, basis="documented"),
        "pointer-before-flags": Row("connected", None, UNKNOWN_FLAG, WSAEFAULT),
        "pointer-before-connection": Row("stream", None, 0, WSAEFAULT),
        "pointer-before-unbound": Row("datagram", None, 0, WSAEFAULT),
        "flags": Row("connected", 1, UNKNOWN_FLAG, WSAEOPNOTSUPP, basis="observed"),
        "flags-datagram": Row("bound-datagram", 1, UNKNOWN_FLAG, WSAEOPNOTSUPP, basis="observed"),
        "flags-before-connection": Row("stream", 1, UNKNOWN_FLAG, WSAEOPNOTSUPP),
        "flags-before-unbound": Row("datagram", 1, UNKNOWN_FLAG, WSAEOPNOTSUPP),
        "waitall-datagram": Row("bound-datagram", 1, MSG_WAITALL, WSAEOPNOTSUPP, basis="documented"),
        "waitall-oob": Row("connected", 1, MSG_WAITALL | MSG_OOB, WSAEOPNOTSUPP, basis="documented"),
        "waitall-peek": Row("connected", 1, MSG_WAITALL | MSG_PEEK, WSAEOPNOTSUPP, basis="documented"),
        "oob-datagram": Row("bound-datagram", 1, MSG_OOB, WSAEOPNOTSUPP, basis="documented"),
        "unconnected": Row("stream", 1, 0, WSAENOTCONN, basis="documented"),
        "unbound": Row("datagram", 1, 0, WSAEINVAL, basis="documented"),
    },
)
def recv_reports_buffer_flags_state(ws: Target, state: str, room: int | None, flags: int, code: int) -> None:
    """recv reports a missing buffer, then flags it does not have, then the socket's state."""
    buffer = None if room is None else bytearray(room)
    page = {WSAEINVAL: "the page; the provider says WSAEOPNOTSUPP"} if flags == UNKNOWN_FLAG and room else {}
    attempt(ws, "recv", state, (buffer, flags), code, page)


@case(
    "validation.recv.waitall-nonblocking",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-recv, flag MSG_WAITALL",
    basis="documented",
    requirements=["B20"],
)
def waitall_needs_blocking_mode(ws: Target) -> None:
    """MSG_WAITALL on a non-blocking socket is WSAEOPNOTSUPP."""
    with ws.connected_pair() as (client, _):
        ws.nonblocking(client)
        with fails_with(WSAEOPNOTSUPP):
            ws.recv(client, bytearray(1), MSG_WAITALL)


@case(
    "validation.recv.oob-inline",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-recv, error WSAEINVAL",
    basis="documented",
    requirements=["A64", "B20"],
)
def oob_cannot_be_read_apart_when_inline(ws: Target) -> None:
    """MSG_OOB with SO_OOBINLINE on is WSAEINVAL."""
    with ws.connected_pair() as (client, _):
        ws.setsockopt(client, SOL_SOCKET, SO_OOBINLINE, 1)
        with fails_with(WSAEINVAL):
            ws.recv(client, bytearray(1), MSG_OOB)


@case(
    "validation.recv.shut-{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-shutdown",
    basis="documented",
    requirements=["R12.3"],
    rows={
        "recv": Row("connected", "recv", requirements=["B20", "A39"]),
        "recvfrom": Row("connected", "recvfrom", requirements=["B21", "A39"]),
        "wsarecv": Row("connected", "WSARecv", requirements=["B22", "A39"]),
        "wsarecvfrom": Row("connected", "WSARecvFrom", requirements=["B23", "A39"]),
        "datagram": Row("bound-datagram", "recv", requirements=["R12.9", "B20"]),
        "datagram-recvfrom": Row("bound-datagram", "recvfrom", requirements=["R12.9", "B21"]),
    },
)
def receiving_after_shutdown(ws: Target, state: str, call: str) -> None:
    """After shutdown(SD_RECEIVE) receives are WSAESHUTDOWN."""
    with ws.socket_in(state) as s:
        ws.shutdown(s, SD_RECEIVE)
        with fails_with(WSAESHUTDOWN):
            getattr(ws, call)(s, [bytearray(1)] if call.startswith("WSA") else bytearray(1))


@case(
    "validation.recv.would-block-{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-recv, error WSAEWOULDBLOCK",
    basis="documented",
    rows={
        "recv": Row("connected", "recv", requirements=["B20"]),
        "recvfrom": Row("bound-datagram", "recvfrom", requirements=["B21"]),
        "wsarecv": Row("accepted", "WSARecv", requirements=["B22"]),
        "wsarecvfrom": Row("bound-datagram", "WSARecvFrom", requirements=["B23"]),
    },
)
def receiving_nothing_would_block(ws: Target, state: str, call: str) -> None:
    """A non-blocking receive with nothing there is WSAEWOULDBLOCK."""
    with ws.socket_in(state) as s:
        ws.nonblocking(s)
        with fails_with(WSAEWOULDBLOCK):
            getattr(ws, call)(s, [bytearray(1)] if call.startswith("WSA") else bytearray(1))


@case(
    "validation.recv.length-0",
    chapter=CHAPTER,
    source="requirement B20; the page leaves it to WSAEINVAL",
    basis="choice",
    requirements=["B20"],
)
def receive_of_no_bytes(ws: Target) -> None:
    """A non-blocking recv of 0 bytes is WSAEWOULDBLOCK while nothing is there, 0 once something is."""
    with ws.connected_pair() as (client, server):
        ws.nonblocking(server)
        with fails_with(WSAEWOULDBLOCK, variants={WSAEINVAL: "the page"}):
            ws.recv(server, bytearray())
        ws.send_and_settle(client, b"x")
        expect("received", expected=0, actual=ws.recv(server, bytearray()))
        expect("bytes still queued", expected=1, actual=ws.queued(server))


@case(
    "validation.recvfrom.short-length-{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-recvfrom, error WSAEFAULT",
    basis="documented",
    requirements=["R16.23"],
    rows={
        "recvfrom": Row("recvfrom", 15, requirements=["B21"]),
        "recvfrom-0": Row("recvfrom", 0, requirements=["B21"]),
        "wsarecvfrom": Row("WSARecvFrom", 15, requirements=["B23"]),
    },
)
def short_length_receives_nothing(ws: Target, call: str, room: int) -> None:
    """Too little room for the sender's address is WSAEFAULT, and the datagram stays."""
    with ws.udp_pair() as (a, b):
        ws.send_and_settle(a, b"stays")
        buffer = bytearray(8)
        with fails_with(WSAEFAULT):
            getattr(ws, call)(b, [buffer] if call.startswith("WSA") else buffer, 0, room)
        expect("buffer", expected=bytes(8), actual=bytes(buffer))
        expect("datagram", expected=5, actual=ws.recv(b, buffer))


@case(
    "validation.recvfrom.short-length-does-not-wait",
    chapter=CHAPTER,
    source="requirement B21",
    basis="choice",
    requirements=["B21"],
)
def short_length_is_found_before_waiting(ws: Target) -> None:
    """A blocking recvfrom with too little room for the address fails at once, with nothing to receive."""
    attempt(ws, "recvfrom", "bound-datagram", (bytearray(1), 0, 4), WSAEFAULT, {})


@case(
    "validation.recvfrom.null-length",
    chapter=CHAPTER,
    source="winsock/nf-winsock-recvfrom, parameter fromlen",
    basis="documented",
    requirements=["B21"],
    needs_c=True,
)
def sender_needs_its_length(ws: Target) -> None:
    """A pointer for the sender without a length pointer is WSAEFAULT."""
    with ws.udp_pair() as (a, b):
        ws.send_and_settle(a, b"x")
        with fails_with(WSAEFAULT):
            ws.c.check("recvfrom", b, ws.c.new(4).address, 4, 0, ws.c.new(16).address, 0)


@case(
    "validation.wsarecv.{row}",
    chapter=CHAPTER,
    source=PROVIDER,
    basis="choice",
    requirements=["R16.17"],
    rows={
        "array-before-flags": Row("connected", "WSARecv", None, UNKNOWN_FLAG, WSAEFAULT, requirements=["B22"]),
        "array-before-connection": Row("stream", "WSARecv", None, 0, WSAEFAULT, requirements=["B22"]),
        "buffer-before-connection": Row("stream", "WSARecv", [None], 0, WSAEFAULT, requirements=["B22"]),
        "count-before-flags": Row("connected", "WSARecv", [], UNKNOWN_FLAG, WSAEINVAL, requirements=["B22"]),
        "count-before-connection": Row("stream", "WSARecv", [], 0, WSAEINVAL, requirements=["B22"]),
        "unconnected": Row(
            "stream", "WSARecv", [bytearray(1)], 0, WSAENOTCONN, requirements=["B22"], basis="documented"
        ),
        "array-before-unbound": Row("datagram", "WSARecvFrom", None, 0, WSAEFAULT, requirements=["B23"]),
        "unbound": Row(
            "datagram", "WSARecvFrom", [bytearray(1)], 0, WSAEINVAL, requirements=["B23"], basis="documented"
        ),
    },
)
def wsarecv_reports_array_then_state(
    ws: Target, state: str, call: str, buffers: list[bytearray | None] | None, flags: int, code: int
) -> None:
    """The array receives report the array, then the count, then what recv reports."""
    attempt(ws, call, state, (buffers, flags), code, {})


@case(
    "validation.wsarecv.flags-pointer-{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsarecv, parameter lpFlags",
    basis="documented",
    needs_c=True,
    rows={
        "wsarecv": Row("WSARecv", (), requirements=["B22"]),
        "wsarecvfrom": Row("WSARecvFrom", (0, 0), requirements=["B23"]),
    },
)
def flags_pointer_is_required(ws: Target, call: str, address: tuple[int, ...]) -> None:
    """Without a pointer to the flags the receive is WSAEFAULT and takes nothing."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"data")
        data, count = ws.c.new(4), ws.c.new(4)
        array = ws.c.new(ws.c.pack("WSABUF", len=4, buf=data.address))
        with fails_with(WSAEFAULT):
            ws.c.check(call, server, array.address, 1, count.address, 0, *address, 0, 0)
        expect("bytes still queued", expected=4, actual=ws.queued(server))


# ---- select ----------------------------------------------------------------------------------------------------------


@case(
    "validation.select.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-select",
    basis="documented",
    requirements=["B25"],
    rows={
        "no-sets": Row(None, None, None, (0, 0), WSAEINVAL, requirements=["R3.39", "A57"]),
        "no-sets-no-timeout": Row(None, None, None, None, WSAEINVAL, requirements=["R3.39", "A57"]),
        "empty-sets": Row("empty", "empty", "empty", (0, 0), WSAEINVAL, requirements=["R3.39", "A57"]),
        "negative-seconds": Row("good", None, None, (-1, 0), WSAEINVAL, requirements=["R3.41"]),
        "negative-microseconds": Row("good", None, None, (0, -1), WSAEINVAL, requirements=["R3.41"]),
        "too-many-microseconds": Row("good", None, None, (0, 1_000_000), WSAEINVAL, requirements=["R3.41"]),
        "timeout-before-members": Row("bad", None, None, (-1, 0), WSAEINVAL, requirements=["R3.41", "R16.16"]),
        "member": Row("bad", None, None, (0, 0), WSAENOTSOCK, requirements=["R3.40"]),
        "member-in-writefds": Row("good", "bad", None, (0, 0), WSAENOTSOCK, requirements=["R3.40"]),
        "member-in-exceptfds": Row(None, "good", "bad", (0, 0), WSAENOTSOCK, requirements=["R3.40"]),
        "member-of-two": Row("both", None, None, None, WSAENOTSOCK, requirements=["R3.40"]),
    },
)
def select_reports_sets_time_members(
    ws: Target,
    reads: str | None,
    writes: str | None,
    excepts: str | None,
    timeout: tuple[int, int] | None,
    code: int,
) -> None:
    """select reports that there is no socket at all, then a bad time, then a member that is no socket."""
    with ws.closing(ws.tcp()) as good:
        sets = {None: None, "empty": [], "good": [good], "bad": [0xDEADBEEF], "both": [good, 0xDEADBEEF]}
        with fails_with(code):
            ws.select(sets[reads], sets[writes], sets[excepts], timeout)


@case(
    "validation.select.short-time",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["R3.41"],
    behaviours=["select-microsecond-timeout"],
)
def ten_microseconds_are_no_error(ws: Target) -> None:
    """A time of 10 microseconds passes with nothing ready: that is no failure."""
    with ws.listener() as s:
        expect("ready sets", expected=([], [], []), actual=ws.select([s], None, None, (0, 10)))


@case(
    "validation.select.bad-pointer",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-select, error WSAEFAULT",
    basis="documented",
    requirements=["B25"],
    needs_c=True,
    differs={"wine": lacks("crashes")},
)
def unreadable_set_is_a_fault(ws: Target) -> None:
    """A set that cannot be read is WSAEFAULT."""
    timeout = ws.c.new(ws.c.pack("timeval"))
    with fails_with(WSAEFAULT):
        ws.c.check("select", 0, 1, 0, 0, timeout.address)


# ---- names of sockets, shutdown --------------------------------------------------------------------------------------


@case(
    "validation.getsockname.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-getsockname; requirement B37",
    basis="choice",
    requirements=["R16.17", "R11.57", "B37"],
    rows={
        "unbound": Row("stream", None, WSAEINVAL, basis="documented", behaviours=["getsockname-unbound"]),
        "unbound-datagram": Row("datagram", None, WSAEINVAL, basis="documented"),
        "length-before-unbound": Row(
            "stream",
            0,
            WSAEFAULT,
            differs={"wine": lacks("looks at the binding before the room; by R16.15 the room comes first")},
        ),
        "short": Row("bound", 15, WSAEFAULT, basis="documented", requirements=["R16.23"]),
        "length-0": Row("connected", 0, WSAEFAULT, basis="documented", requirements=["R16.23"]),
    },
)
def getsockname_looks_at_the_length_first(ws: Target, state: str, room: int | None, code: int) -> None:
    """getsockname reports too little room, then a missing bind."""
    attempt(ws, "getsockname", state, (room,), code, {})


@case(
    "validation.getsockname.ipv6-old-length",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["B37"],
    behaviours=["bind-v6-getsockname-old-len"],
)
def getsockname_needs_the_scope_id(ws: Target) -> None:
    """24 bytes, an IPv6 address without its scope, are too few: WSAEFAULT."""
    with ws.closing(ws.tcp(AF_INET6)) as s:
        try:
            ws.bind(s, loopback(AF_INET6))
        except Failed as failure:
            not_applicable(f"no IPv6 here: {failure}")
        with fails_with(WSAEFAULT):
            ws.getsockname(s, 24)


@case(
    "validation.getpeername.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-getpeername; requirement B38",
    basis="observed",
    requirements=["R16.17", "R11.57", "B38"],
    rows={
        "unconnected": Row("stream", None, WSAENOTCONN, basis="documented"),
        "unconnected-datagram": Row("bound-datagram", None, WSAENOTCONN, basis="documented"),
        "listening": Row("listening", None, WSAENOTCONN, basis="documented"),
        "connection-before-length": Row("stream", 0, WSAENOTCONN),
        "connection-before-length-datagram": Row("datagram", 0, WSAENOTCONN),
        "short": Row("connected", 15, WSAEFAULT, basis="documented", requirements=["R16.23"]),
        "short-datagram": Row("connected-datagram", 15, WSAEFAULT, basis="documented", requirements=["R16.23"]),
    },
)
def getpeername_looks_at_the_connection_first(ws: Target, state: str, room: int | None, code: int) -> None:
    """getpeername reports the missing connection, then too little room."""
    attempt(ws, "getpeername", state, (room,), code, {})


@case(
    "validation.shutdown.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-shutdown; requirement B34",
    basis="observed",
    requirements=["R16.17", "R12.1", "B34"],
    rows={
        "unconnected": Row("stream", SD_SEND, WSAENOTCONN, basis="documented"),
        "bound": Row("bound", SD_RECEIVE, WSAENOTCONN, basis="documented"),
        "connection-before-how": Row(
            "stream", 99, WSAENOTCONN, differs={"wine": lacks("looks at the direction before the connection")}
        ),
        "how": Row("connected", 3, WSAEINVAL, basis="documented"),
        "how-negative": Row("connected", -1, WSAEINVAL, basis="documented"),
        "how-datagram": Row("bound-datagram", 3, WSAEINVAL, basis="documented", requirements=["R12.9"]),
    },
)
def shutdown_looks_at_the_connection_first(ws: Target, state: str, how: int, code: int) -> None:
    """shutdown reports the missing connection of a stream, then a value that is no direction."""
    attempt(ws, "shutdown", state, (how,), code, {})


@case(
    "validation.shutdown.no-error-{row}",
    chapter=CHAPTER,
    source="Microsoft TCP/IP provider, requirements R12.9 and R12.11",
    basis="observed",
    rows={
        "twice": Row("connected", [SD_SEND, SD_SEND], requirements=["R12.11"]),
        "receive-twice": Row("connected", [SD_RECEIVE, SD_RECEIVE], requirements=["R12.11"]),
        "one-by-one-then-both": Row("connected", [SD_SEND, SD_RECEIVE, SD_BOTH], requirements=["R12.4", "R12.11"]),
        "datagram-without-peer": Row("datagram", [SD_SEND, SD_RECEIVE], requirements=["R12.9"]),
    },
)
def shutdown_may_be_repeated(ws: Target, state: str, hows: list[int]) -> None:
    """Repeating a shutdown succeeds, and a datagram socket needs no peer for it."""
    with ws.socket_in(state) as s:
        for how in hows:
            ws.shutdown(s, how)


@case(
    "validation.shutdown.after-reset",
    chapter=CHAPTER,
    source="winsock/nf-winsock-shutdown, errors WSAECONNRESET and WSAECONNABORTED",
    basis="documented",
    requirements=["R12.8", "B34"],
)
def shutdown_after_a_reset(ws: Target) -> None:
    """shutdown of a connection that the peer has reset is WSAECONNRESET."""
    with ws.connected_pair() as (client, server):
        ws.reset(client)
        with fails_with(WSAECONNRESET):
            ws.recv(server, bytearray(1))
        others = {WSAECONNABORTED: "the page allows it", WSAENOTCONN: "current Microsoft providers"}
        with fails_with(WSAECONNRESET, variants=others):
            ws.shutdown(server, SD_BOTH)


# ---- options and control codes ---------------------------------------------------------------------------------------


@case(
    "validation.getsockopt.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-getsockopt; " + SOCK_TESTS,
    basis="choice",
    requirements=["R16.17", "R16.38", "B39"],
    rows={
        "level": Row("stream", UNKNOWN_LEVEL, SO_RCVTIMEO, 4, WSAEINVAL, basis="documented"),
        "level-before-option": Row("stream", UNKNOWN_LEVEL, UNKNOWN_OPTION, 4, WSAEINVAL),
        "level-before-length": Row("stream", UNKNOWN_LEVEL, SO_TYPE, 1, WSAEINVAL),
        "option": Row("stream", SOL_SOCKET, UNKNOWN_OPTION, 4, WSAENOPROTOOPT, basis="documented"),
        "option-before-length": Row("stream", SOL_SOCKET, UNKNOWN_OPTION, 1, WSAENOPROTOOPT),
        "no-length-before-option": Row("stream", SOL_SOCKET, UNKNOWN_OPTION, 0, WSAEFAULT, source=WINE),
        "no-length-before-level": Row("stream", UNKNOWN_LEVEL, SO_TYPE, 0, WSAEFAULT, source=WINE),
        "ip-option": Row(
            "stream", IPPROTO_IP, -1, 4, WSAENOPROTOOPT, behaviours=["optvalid-v4-unknown"], basis="observed"
        ),
        "wrong-type": Row("datagram", SOL_SOCKET, SO_LINGER, 4, WSAENOPROTOOPT, basis="documented"),
        "wrong-type-before-length": Row("datagram", SOL_SOCKET, SO_LINGER, 1, WSAENOPROTOOPT),
        "length": Row(
            "stream", SOL_SOCKET, SO_ERROR, 1, WSAEFAULT, behaviours=["opt-so-error-short-buffer"], basis="observed"
        ),
        "length-0": Row("stream", SOL_SOCKET, SO_TYPE, 0, WSAEFAULT, basis="documented"),
    },
)
def getsockopt_reports_level_option_length(
    ws: Target, state: str, level: int, option: int, room: int, code: int
) -> None:
    """getsockopt reports a length of 0, then the level, then the option, then a length that is too short."""
    attempt(ws, "getsockopt", state, (level, option, room), code, {})


@case(
    "validation.getsockopt.pointer-{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-getsockopt; " + SOCK_TESTS,
    basis="observed",
    requirements=["R16.15", "B39"],
    needs_c=True,
    rows={
        "no-value": Row("stream", SO_PROTOCOL_INFOA, False, True, WSAEFAULT, behaviours=["opt-protoinfo-null-args"]),
        "no-length": Row("stream", SO_PROTOCOL_INFOA, True, False, WSAEFAULT, behaviours=["opt-protoinfo-null-args"]),
        "neither": Row("stream", SO_PROTOCOL_INFOA, False, False, WSAEFAULT, behaviours=["opt-protoinfo-null-args"]),
        "handle-before-value": Row(
            "closed", SO_PROTOCOL_INFOA, False, True, WSAENOTSOCK, behaviours=["opt-protoinfo-invalid-socket"]
        ),
        "handle-before-length": Row(
            "closed", SO_PROTOCOL_INFOA, True, False, WSAENOTSOCK, behaviours=["opt-protoinfo-invalid-socket"]
        ),
        "before-option": Row(
            "stream",
            UNKNOWN_OPTION,
            False,
            True,
            WSAEFAULT,
            basis="choice",
            differs={"wine": lacks("looks at the option before the pointers; by R16.15 these come first")},
        ),
    },
)
def getsockopt_needs_both_pointers(ws: Target, state: str, option: int, value: bool, length: bool, code: int) -> None:
    """getsockopt reports the handle, then a missing value or length pointer, and does not change the length."""
    room, size = ws.c.new(372), ws.c.new((372).to_bytes(4, "little"))
    with ws.socket_in(state) as s, fails_with(code):
        ws.c.check("getsockopt", s, SOL_SOCKET, option, room.address * value, size.address * length)
    expect("*optlen", expected=372, actual=size.number())
    expect("value", expected=bytes(372), actual=room.read())


@case(
    "validation.setsockopt.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-setsockopt; " + SOCK_TESTS,
    basis="choice",
    requirements=["R16.17", "R16.38", "B40"],
    rows={
        "null": Row(
            "stream", SOL_SOCKET, SO_LINGER, None, WSAEFAULT, behaviours=["opt-linger-null-value"], basis="observed"
        ),
        "null-dontlinger": Row(
            "stream",
            SOL_SOCKET,
            SO_DONTLINGER,
            None,
            WSAEFAULT,
            behaviours=["opt-dontlinger-null-value"],
            basis="observed",
        ),
        "pointer-before-level": Row("stream", UNKNOWN_LEVEL, SO_RCVTIMEO, None, WSAEFAULT, basis="choice"),
        "pointer-before-option": Row("stream", SOL_SOCKET, UNKNOWN_OPTION, None, WSAEFAULT, basis="choice"),
        "level": Row(
            "stream", UNKNOWN_LEVEL, SO_RCVTIMEO, 1, WSAEINVAL, behaviours=["opt-bad-level-8000"], basis="observed"
        ),
        "level-all-bits": Row(
            "stream", 0xFFFFFFFF, SO_RCVTIMEO, 1, WSAEINVAL, behaviours=["opt-bad-level-ffffffff"], basis="observed"
        ),
        "level-before-option": Row("stream", UNKNOWN_LEVEL, UNKNOWN_OPTION, 1, WSAEINVAL),
        "level-before-length": Row("stream", UNKNOWN_LEVEL, SO_RCVTIMEO, b"\1", WSAEINVAL),
        "option": Row("stream", SOL_SOCKET, UNKNOWN_OPTION, 1, WSAENOPROTOOPT, basis="documented"),
        "option-before-length": Row("stream", SOL_SOCKET, UNKNOWN_OPTION, b"\1", WSAENOPROTOOPT),
        "get-only": Row(
            "stream",
            SOL_SOCKET,
            SO_ACCEPTCONN,
            1,
            WSAENOPROTOOPT,
            behaviours=["listen-acceptconn-set"],
            basis="observed",
        ),
        "get-only-before-length": Row("stream", SOL_SOCKET, SO_ACCEPTCONN, b"\1", WSAENOPROTOOPT),
        "wrong-type": Row("datagram", SOL_SOCKET, SO_LINGER, 1, WSAENOPROTOOPT, basis="documented"),
        "wrong-type-before-length": Row("datagram", SOL_SOCKET, SO_LINGER, b"\1", WSAENOPROTOOPT),
        "length": Row(
            "stream", SOL_SOCKET, SO_RCVTIMEO, b"\1\0", WSAEFAULT, behaviours=["optlen-so-rcvtimeo"], basis="observed"
        ),
        "length-before-value": Row(
            "bound", IPPROTO_TCP, TCP_NODELAY, b"", WSAEFAULT, behaviours=["opt-nodelay-len0"], basis="observed"
        ),
    },
)
def setsockopt_reports_pointer_level_option_length(
    ws: Target, state: str, level: int, option: int, value: bytes | int | None, code: int
) -> None:
    """setsockopt reports a missing value, then the level, then the option, then the length."""
    attempt(ws, "setsockopt", state, (level, option, value), code, {})


@case(
    "validation.setsockopt.bad-pointer",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["B40"],
    behaviours=["opt-bad-pointer-dontroute"],
    needs_c=True,
)
def value_that_is_no_pointer(ws: Target) -> None:
    """The number 1 in place of the pointer to the value is WSAEFAULT."""
    with ws.socket_in("stream") as s, fails_with(WSAEFAULT):
        ws.c.check("setsockopt", s, SOL_SOCKET, SO_DONTROUTE, 1, 4)


@case(
    "validation.setsockopt.null-without-length-{row}",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["B40"],
    needs_c=True,
    rows={
        "linger": Row(SO_LINGER, behaviours=["opt-linger-null-value"]),
        "dontlinger": Row(SO_DONTLINGER, behaviours=["opt-dontlinger-null-value"]),
    },
)
def no_value_of_no_length(ws: Target, option: int) -> None:
    """A NULL value is WSAEFAULT with a length of 0 as well."""
    with ws.socket_in("stream") as s, fails_with(WSAEFAULT):
        ws.c.check("setsockopt", s, SOL_SOCKET, option, 0, 0)


@case(
    "validation.ioctlsocket.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-ioctlsocket; " + PROVIDER,
    basis="choice",
    requirements=["R16.17", "B41"],
    rows={
        "null": Row(FIONREAD, None, WSAEFAULT, basis="documented"),
        "null-fionbio": Row(FIONBIO, None, WSAEFAULT, basis="documented"),
        "pointer-before-command": Row(
            UNKNOWN_CODE,
            None,
            WSAEFAULT,
            basis="choice",
            differs={"wine": lacks("looks at the command before the pointer; by R16.15 this comes first")},
        ),
        "command": Row(UNKNOWN_CODE, 0, WSAEOPNOTSUPP, basis="observed"),
        "fioasync": Row(FIOASYNC, 1, WSAEOPNOTSUPP, basis="observed"),
    },
)
def ioctlsocket_reports_pointer_then_command(ws: Target, command: int, argument: int | None, code: int) -> None:
    """ioctlsocket reports a missing argument, then a command it does not have."""
    attempt(ws, "ioctlsocket", "stream", (command, argument), code, {})


@case(
    "validation.ioctlsocket.bad-pointer-{row}",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["B41"],
    needs_c=True,
    rows={
        "fionread": Row(FIONREAD, behaviours=["fionread-bad-pointer"]),
        "siocatmark": Row(SIOCATMARK, behaviours=["fionread-bad-pointer"]),
        "fionbio": Row(FIONBIO, behaviours=["fionbio-bad-pointer"]),
    },
)
def argument_that_is_no_pointer(ws: Target, command: int) -> None:
    """The number 1 in place of the pointer to the argument is WSAEFAULT."""
    with ws.connected_pair() as (client, _), fails_with(WSAEFAULT):
        ws.c.check("ioctlsocket", client, command, 1)


@case(
    "validation.ioctlsocket.blocking-again",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    behaviours=["echo-setblocking-true"],
)
def fionbio_0_on_a_blocking_socket(ws: Target) -> None:
    """FIONBIO with 0 on a socket that is in blocking mode already succeeds."""
    with ws.closing(ws.tcp()) as s:
        ws.ioctlsocket(s, FIONBIO, 0)


@case(
    "validation.wsaioctl.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsaioctl; " + SOCK_TESTS,
    basis="choice",
    requirements=["R16.17", "B42"],
    rows={
        "code": Row("stream", UNKNOWN_CODE, None, 0, WSAEOPNOTSUPP, behaviours=["badioctl-sync"], basis="observed"),
        "code-fioasync": Row(
            "stream", FIOASYNC, b"\1\0\0\0", 0, WSAEOPNOTSUPP, behaviours=["badioctl-sync"], basis="observed"
        ),
        "code-667e": Row("stream", 0x667E, None, 0, WSAEOPNOTSUPP, behaviours=["badioctl-sync"], basis="observed"),
        "code-flush": Row("stream", SIO_FLUSH, None, 0, WSAEOPNOTSUPP, behaviours=["badioctl-sync"], basis="observed"),
        "short-in": Row("stream", FIONBIO, b"\1\0\0", 0, WSAEFAULT, behaviours=["fionbio-short-in"], basis="observed"),
        "no-in": Row("stream", FIONBIO, None, 0, WSAEFAULT, basis="documented"),
        "short-out": Row(
            "connected", FIONREAD, None, 3, WSAEFAULT, behaviours=["fionread-short-out"], basis="observed"
        ),
        "no-out": Row("connected", FIONREAD, None, 0, WSAEFAULT, behaviours=["fionread-short-out"], basis="observed"),
        "short-out-base-handle": Row(
            "stream",
            SIO_BASE_HANDLE,
            None,
            4,
            WSAEFAULT,
            basis="documented",
            differs={"wine": documented_otherwise("writes the handle, and behind the room")},
        ),
    },
)
def wsaioctl_reports_code_then_sizes(
    ws: Target, state: str, code: int, data: bytes | None, room: int, error: int
) -> None:
    """WSAIoctl reports a code it does not have, then buffers that are too small."""
    page = {WSAEINVAL: "the page; the provider says WSAEOPNOTSUPP"} if error == WSAEOPNOTSUPP else {}
    attempt(ws, "WSAIoctl", state, (code, data, room), error, page)


@case(
    "validation.wsaioctl.count-pointer-{row}",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["R16.17", "B42"],
    needs_c=True,
    rows={
        "fionread": Row(FIONREAD, False, behaviours=["fionread-null-bytes"]),
        "siocatmark": Row(SIOCATMARK, False, behaviours=["fionread-null-bytes"]),
        "fionread-overlapped": Row(FIONREAD, True, behaviours=["fionread-null-bytes-overlapped"]),
        "fionbio": Row(FIONBIO, False, behaviours=["fionbio-null-bytes"]),
        "fionbio-overlapped": Row(FIONBIO, True, behaviours=["fionbio-null-bytes"]),
        "unknown-overlapped": Row(UNKNOWN_CODE, True, behaviours=["badioctl-null-bytes"]),
        "fioasync-overlapped": Row(FIOASYNC, True, behaviours=["badioctl-null-bytes"]),
        "flush-overlapped": Row(SIO_FLUSH, True, behaviours=["badioctl-null-bytes"]),
        "extension": Row(SIO_GET_EXTENSION_FUNCTION_POINTER, False, behaviours=["extfunc-null-bytes"]),
        "base-handle": Row(SIO_BASE_HANDLE, False, behaviours=["basehandle-null-bytes"]),
        "routing": Row(SIO_ROUTING_INTERFACE_QUERY, False, behaviours=["routeq-null-bytes"]),
        "routing-overlapped": Row(SIO_ROUTING_INTERFACE_QUERY, True, behaviours=["routeq-null-bytes"]),
        "address-list": Row(SIO_ADDRESS_LIST_QUERY, False, behaviours=["addrlist-null-bytes"]),
    },
)
def count_pointer_comes_before_the_code(ws: Target, code: int, overlapped: bool) -> None:
    """No place for the byte count is WSAEFAULT, before the code is looked at, overlapped or not."""
    with ws.connected_pair() as (client, _):
        data, room = ws.c.new(16), ws.c.new(64)
        request = ws.c.new(32).address if overlapped else 0
        with fails_with(WSAEFAULT):
            ws.c.check("WSAIoctl", client, code, data.address, 16, room.address, 64, 0, request, 0)


@case(
    "validation.wsaioctl.handle-before-count-pointer",
    chapter=CHAPTER,
    source=PAGES,
    basis="documented",
    requirements=["R16.15", "B42"],
    needs_c=True,
)
def handle_comes_before_the_count_pointer(ws: Target) -> None:
    """A handle that is no socket is WSAENOTSOCK also without a place for the byte count."""
    with fails_with(WSAENOTSOCK):
        ws.c.check("WSAIoctl", INVALID_SOCKET, FIONREAD, 0, 0, 0, 0, 0, 0, 0)


@case(
    "validation.wsaioctl.fionbio-{row}",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["B42"],
    rows={
        "4-bytes": Row(b"\1\0\0\0", 0, behaviours=["fionbio-ok"]),
        "5-bytes": Row(b"\1\0\0\0\0", 0, behaviours=["fionbio-long-in"]),
        "with-out-buffer": Row(b"\1\0\0\0", 4, behaviours=["fionbio-long-in"]),
    },
)
def fionbio_takes_more_than_it_needs(ws: Target, data: bytes, room: int) -> None:
    """FIONBIO by WSAIoctl takes four bytes or more, returns none, and makes the socket non-blocking."""
    with ws.connected_pair() as (client, _):
        expect("bytes returned", expected=b"", actual=ws.WSAIoctl(client, FIONBIO, data, room))
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(client, bytearray(1))


# ---- catalog and byte order ------------------------------------------------------------------------------------------


@case(
    "validation.wsaenumprotocols.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsaenumprotocolsw",
    basis="documented",
    requirements=["R16.16", "B45"],
    needs_c=True,
    rows={"a": Row("WSAEnumProtocolsA"), "w": Row("WSAEnumProtocolsW")},
)
def wsaenumprotocols_tells_the_size(ws: Target, call: str) -> None:
    """No length pointer is WSAEFAULT; too little room, or none, is WSAENOBUFS with the size in the length."""
    length = ws.c.new(4)
    with fails_with(WSAEFAULT):
        ws.c.check(call, 0, 0, 0)
    with fails_with(WSAENOBUFS):
        ws.c.check(call, 0, 0, length.address)
    needed = length.number()
    expect_true("size", needed > 300, actual=needed)
    room, short = ws.c.new(needed), ws.c.new((needed - 1).to_bytes(4, "little"))
    with fails_with(WSAENOBUFS):
        ws.c.check(call, 0, room.address, short.address)
    expect("size", expected=needed, actual=short.number())
    expect_true("buffer is untouched", not any(room.read()))


@case(
    "validation.byte-order.result-pointer-{row}",
    chapter=CHAPTER,
    source="winsock/extended-byte-order-conversion-routines-2",
    basis="documented",
    requirements=["R3.37", "B59"],
    needs_c=True,
    rows={call.lower(): Row(call) for call in ("WSAHtonl", "WSAHtons", "WSANtohl", "WSANtohs")},
)
def conversion_needs_a_place(ws: Target, call: str) -> None:
    """Without a pointer for the result the call is WSAEFAULT, after the handle was looked at."""
    with ws.socket_in("stream") as s, fails_with(WSAEFAULT):
        ws.c.check(call, s, 1, 0)
    with fails_with(WSAENOTSOCK):
        ws.c.check(call, INVALID_SOCKET, 1, 0)


# ---- names and addresses ---------------------------------------------------------------------------------------------


@case(
    "validation.getaddrinfo.{row}",
    chapter=CHAPTER,
    source="ws2tcpip/nf-ws2tcpip-getaddrinfo; " + PROTOCOL_TESTS,
    basis="choice",
    requirements=["R16.16", "B64"],
    both_forms=True,
    rows={
        "no-names": Row(
            None, None, None, WSAHOST_NOT_FOUND, behaviours=["gai-null-null", "gaiw-null-null"], basis="observed"
        ),
        "no-names-before-type": Row(None, None, AddrInfo(socktype=999), WSAHOST_NOT_FOUND),
        "no-names-before-family": Row(None, None, AddrInfo(family=0xDEAD), WSAHOST_NOT_FOUND),
        "reserved-before-family": Row(
            "127.0.0.1",
            None,
            AddrInfo(family=0xDEAD, addr=PEER),
            WSANO_RECOVERY,
            basis="documented",
            differs={"wine": documented_otherwise("does not look at members that have to be zero")},
        ),
        "family": Row("127.0.0.1", None, AddrInfo(family=0xDEAD), WSAEAFNOSUPPORT, basis="documented"),
        "type-before-family": Row(
            "127.0.0.1", None, AddrInfo(family=0xDEAD, socktype=999), WSAESOCKTNOSUPPORT, source=WINE
        ),
        "type": Row(
            "127.0.0.1",
            None,
            AddrInfo(socktype=999),
            WSAESOCKTNOSUPPORT,
            behaviours=["gai-hint-bad-type", "gaiw-hint-bad-type"],
            basis="observed",
        ),
        "type-before-name": Row("not a name", None, AddrInfo(socktype=999), WSAESOCKTNOSUPPORT),
        "service": Row(
            None, "no such service", None, WSATYPE_NOT_FOUND, behaviours=["gai-unknown-service"], basis="observed"
        ),
        "name-numeric": Row(
            "localhost",
            None,
            AddrInfo(flags=AI_NUMERICHOST),
            WSAHOST_NOT_FOUND,
            behaviours=["gai-numerichost-name"],
            basis="observed",
        ),
        "name-with-port": Row(
            "127.0.0.1:1024",
            None,
            AddrInfo(flags=AI_NUMERICHOST),
            WSAHOST_NOT_FOUND,
            behaviours=["gai-ipv4-literal-port"],
            basis="observed",
        ),
        "name-in-brackets": Row(
            "[beef::cafe]",
            None,
            AddrInfo(flags=AI_NUMERICHOST, family=AF_INET),
            WSAHOST_NOT_FOUND,
            behaviours=["gai-ipv6-brackets-family"],
            basis="observed",
        ),
        "name-half-bracket": Row(
            "[beef::cafe",
            None,
            AddrInfo(flags=AI_NUMERICHOST),
            WSAHOST_NOT_FOUND,
            behaviours=["gai-ipv6-unbalanced"],
            basis="observed",
        ),
    },
)
def getaddrinfo_reports_names_hints_service(
    ws: Target, node: str | None, service: str | None, hints: AddrInfo | None, code: int
) -> None:
    """getaddrinfo reports missing names, then the hints (reserved members, type, family), then service and name."""
    with fails_with(code):
        ws.getaddrinfo(node, service, hints)


@case(
    "validation.getnameinfo.{row}",
    chapter=CHAPTER,
    source="ws2tcpip/nf-ws2tcpip-getnameinfo",
    basis="documented",
    requirements=["R16.16", "B65"],
    both_forms=True,
    rows={
        "null": Row(None, 0, WSAEFAULT),
        "short": Row(PEER[:15], 0, WSAEFAULT, requirements=["R16.23"]),
        "short-ipv6": Row(sockaddr_in6()[:24], 0, WSAEFAULT, requirements=["R16.23"]),
        "family": Row(OTHER_FAMILY, 0, WSAEAFNOSUPPORT),
        "family-before-flags": Row(OTHER_FAMILY, 0x8000, WSAEAFNOSUPPORT),
        "flags": Row(PEER, 0x8000, WSAEINVAL),
    },
)
def getnameinfo_reports_address_family_flags(ws: Target, address: bytes | None, flags: int, code: int) -> None:
    """getnameinfo reports a missing or short address, then the family, then undefined flags."""
    with fails_with(code):
        ws.getnameinfo(address, flags)


@case(
    "validation.getnameinfo.c-{row}",
    chapter=CHAPTER,
    source="ws2tcpip/nf-ws2tcpip-getnameinfo",
    basis="documented",
    requirements=["B65"],
    needs_c=True,
    rows={
        "no-buffers": Row(PEER, 0, 0, 0, WSAHOST_NOT_FOUND),
        "family-before-buffers": Row(OTHER_FAMILY, 0, 0, 0, WSAEAFNOSUPPORT),
        "no-buffers-before-flags": Row(PEER, 0, 0, 0x8000, WSAHOST_NOT_FOUND),
        "length-0": Row(PEER, 1, 0, 0, WSAEINVAL),
        "too-small": Row(PEER, 1, 5, NI_NUMERICHOST, WSAEFAULT, basis="choice", source="requirement B65"),
    },
)
def getnameinfo_reports_buffers(ws: Target, address: bytes, buffer: int, length: int, flags: int, code: int) -> None:
    """getnameinfo reports that both buffers are missing, a buffer of no length, and a name that does not fit."""
    name, room = ws.c.new(address), ws.c.new(64)
    got = ws.c.call("getnameinfo", name.address, 16, room.address * buffer, length, 0, 0, flags)
    expect("result", expected=code, actual=got)
    expect_true("buffer is untouched", not any(room.read()))


@case(
    "validation.gethostname.{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-gethostname; " + PROTOCOL_TESTS,
    basis="observed",
    requirements=["R16.16", "R16.23", "B55", "A95"],
    needs_c=True,
    rows={
        "null": Row(None, behaviours=["ghn-null"]),
        "length-0": Row(0),
        "one-too-few": Row(1, behaviours=["ghn-short"]),
    },
)
def gethostname_needs_room(ws: Target, short: int | None) -> None:
    """gethostname with no buffer, or one too small for the name and its NUL, is WSAEFAULT and writes nothing."""
    name = ws.gethostname()
    room = ws.c.new(b"\x5a" * 256)
    length = 256 if short is None else short * len(name)
    with fails_with(WSAEFAULT):
        ws.c.check("gethostname", 0 if short is None else room.address, length)
    expect("buffer", expected=b"\x5a" * 256, actual=room.read())


@case(
    "validation.gethostbyname.too-long",
    chapter=CHAPTER,
    source="Microsoft's DLL, requirement B54",
    basis="observed",
    requirements=["B54"],
    differs={"wine": lacks("a name that is too long is just not found")},
)
def name_is_too_long(ws: Target) -> None:
    """A name of 300 characters is WSAEFAULT."""
    with fails_with(WSAEFAULT, variants={WSANO_RECOVERY: "other versions"}):
        ws.gethostbyname("a" * 300)


@case(
    "validation.wsaaddresstostring.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsaaddresstostringw; requirement B53",
    basis="documented",
    requirements=["B53"],
    both_forms=True,
    rows={
        "null": Row(None, None, WSAEINVAL),
        "short": Row(PEER[:15], None, WSAEINVAL),
        "family": Row(OTHER_FAMILY, None, WSAEINVAL),
        "room": Row(PEER, 5, WSAEFAULT, requirements=["R16.23"]),
        "family-before-room": Row(OTHER_FAMILY, 0, WSAEINVAL),
    },
)
def wsaaddresstostring_reports_address_then_room(
    ws: Target, address: bytes | None, room: int | None, code: int
) -> None:
    """WSAAddressToString reports an address it cannot write, then too little room, with the room that would do."""
    others = {WSAEFAULT: "requirement B53 leaves both"} if address is None or len(address) < 16 else {}
    with fails_with(code, variants=others) as caught:
        ws.WSAAddressToString(address, None, room)
    if room == 5:
        expect("characters needed", expected=len("127.0.0.1:9") + 1, actual=caught.needed)


@case(
    "validation.wsastringtoaddress.{row}",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsastringtoaddressw; requirement B53",
    basis="documented",
    requirements=["B53"],
    both_forms=True,
    rows={
        "null": Row(None, AF_INET, None, WSAEFAULT),
        "family": Row("127.0.0.1", 0xDEAD, None, WSAEINVAL),
        "text": Row("not an address", AF_INET, None, WSAEINVAL),
        "room": Row("127.0.0.1", AF_INET, 15, WSAEFAULT, requirements=["R16.23"]),
        "text-before-room": Row("", AF_INET, 0, WSAEINVAL, basis="choice"),
    },
)
def wsastringtoaddress_reports_text_then_room(
    ws: Target, text: str | None, family: int, room: int | None, code: int
) -> None:
    """WSAStringToAddress reports text that is no address, then too little room, with the room that would do."""
    others = {}
    if text is None:
        others = {WSAEINVAL: "the page of WSAAddressToString"}
    elif room == 0:
        others = {WSAEFAULT: "the DLL of Windows looks at the room first"}
    with fails_with(code, variants=others) as caught:
        ws.WSAStringToAddress(text, family, None, room)
    if room == 15:
        expect("bytes needed", expected=16, actual=caught.needed)


@case(
    "validation.inet-addr.null",
    chapter=CHAPTER,
    source=PROTOCOL_TESTS,
    basis="observed",
    behaviours=["inetaddr-null"],
)
def inet_addr_of_null(ws: Target) -> None:
    """inet_addr(NULL) is INADDR_NONE with WSAEFAULT as the last error."""
    ws.WSASetLastError(0)
    expect("result", expected=INADDR_NONE & 0xFFFFFFFF, actual=ws.inet_addr(None))
    expect("last error", expected=WSAEFAULT, actual=ws.WSAGetLastError())


@case(
    "validation.inet-addr.last-error-{row}",
    chapter=CHAPTER,
    source=PROTOCOL_TESTS,
    basis="observed",
    behaviours=["inetaddr-error-untouched"],
    rows={"good-text": Row("127.0.0.1"), "bad-text": Row("no address"), "no-text": Row("")},
)
def inet_addr_leaves_the_last_error(ws: Target, text: str) -> None:
    """inet_addr of any text, good or bad, leaves the last error alone."""
    ws.WSASetLastError(0xABCD)
    ws.inet_addr(text)
    expect("last error", expected=0xABCD, actual=ws.WSAGetLastError())


@case(
    "validation.inet-pton.{row}",
    chapter=CHAPTER,
    source=PROTOCOL_TESTS,
    basis="observed",
    requirements=["R16.16"],
    rows={
        "pointer-before-family": Row("inet_pton", 0, None, WSAEFAULT, behaviours=["pton-null"]),
        "pointer": Row("inet_pton", AF_INET, None, WSAEFAULT, behaviours=["pton-null"]),
        "pointer-before-family-w": Row("InetPtonW", 0, None, WSAEFAULT, behaviours=["pton-null"]),
        "pointer-w": Row("InetPtonW", AF_INET, None, WSAEFAULT, behaviours=["pton-null"]),
        "family": Row("inet_pton", AF_UNSPEC, "127.0.0.1", WSAEAFNOSUPPORT, behaviours=["pton-bad-family"]),
        "family-w": Row("InetPtonW", AF_UNSPEC, "127.0.0.1", WSAEAFNOSUPPORT, behaviours=["pton-bad-family"]),
    },
)
def inet_pton_reports_pointer_then_family(ws: Target, call: str, family: int, text: str | None, code: int) -> None:
    """inet_pton reports missing text, then the family."""
    with fails_with(code):
        getattr(ws, call)(family, text, bytearray(16))


@case(
    "validation.inet-pton.bad-text-{row}",
    chapter=CHAPTER,
    source=PROTOCOL_TESTS,
    basis="observed",
    rows={
        "ipv4": Row("inet_pton", AF_INET, 0xABCD, behaviours=["pton4-error-untouched"]),
        "ipv6": Row("inet_pton", AF_INET6, 0xABCD, behaviours=["pton6-error-untouched"]),
        "ipv4-w": Row("InetPtonW", AF_INET, WSAEINVAL, behaviours=["pton4-w-einval"]),
        "ipv6-w": Row("InetPtonW", AF_INET6, WSAEINVAL, behaviours=["pton6-error-untouched"]),
    },
)
def bad_text_is_no_failure(ws: Target, call: str, family: int, last: int) -> None:
    """Bad text gives 0; inet_pton leaves the last error alone, and InetPtonW makes it WSAEINVAL."""
    ws.WSASetLastError(0xABCD)
    expect("result", expected=0, actual=getattr(ws, call)(family, "no address", bytearray(16)))
    expect("last error", expected=last, actual=ws.WSAGetLastError())


@case(
    "validation.inet-ntop.{row}",
    chapter=CHAPTER,
    source=PROTOCOL_TESTS,
    basis="observed",
    requirements=["R16.16"],
    rows={
        "family": Row("inet_ntop", 1, 46, WSAEAFNOSUPPORT, behaviours=["ntop-bad-family"]),
        "family-w": Row("InetNtopW", 1, 46, WSAEAFNOSUPPORT, behaviours=["ntop-bad-family"]),
        "length-0": Row("inet_ntop", AF_INET, 0, STATUS_INVALID_PARAMETER, behaviours=["ntop-zero-len"]),
        "short": Row("inet_ntop", AF_INET, 6, STATUS_INVALID_PARAMETER, behaviours=["ntop-short"]),
        "short-ipv6": Row("inet_ntop", AF_INET6, 16, STATUS_INVALID_PARAMETER, behaviours=["ntop-short"]),
        "short-w": Row(
            "InetNtopW",
            AF_INET,
            6,
            ERROR_INVALID_PARAMETER,
            basis="documented",
            source="ws2tcpip/nf-ws2tcpip-inetntopw; what inet_ntop was seen to do says nothing of this one",
        ),
    },
)
def inet_ntop_reports_family_then_room(ws: Target, call: str, family: int, room: int, code: int) -> None:
    """inet_ntop reports the family, then too little room, with a status code as the last error; InetNtopW without."""
    others = {
        STATUS_INVALID_PARAMETER: {WSAEINVAL: "Windows 7"},
        ERROR_INVALID_PARAMETER: {STATUS_INVALID_PARAMETER: "as inet_ntop", WSAEINVAL: "Windows 7"},
    }.get(code, {})
    with fails_with(code, variants=others):
        getattr(ws, call)(family, bytes(range(200, 216)), room)


@case(
    "validation.inet-ntop.no-buffer-{row}",
    chapter=CHAPTER,
    source=PROTOCOL_TESTS,
    basis="observed",
    behaviours=["ntop-null-dest"],
    needs_c=True,
    rows={"ipv4": Row(AF_INET), "ipv6": Row(AF_INET6)},
)
def inet_ntop_needs_a_buffer(ws: Target, family: int) -> None:
    """inet_ntop with no buffer gives NULL and a status code as the last error."""
    address = ws.c.new(16)
    with fails_with(STATUS_INVALID_PARAMETER, variants={WSAEINVAL: "Windows 7"}):
        ws.c.check("inet_ntop", family, address.address, 0, 46)


# ---- what a failure leaves alone -------------------------------------------------------------------------------------


@case(
    "validation.untouched.{row}",
    chapter=CHAPTER,
    source="winsock/error-reporting-and-parameter-validation-2; requirement R16.18",
    basis="documented",
    requirements=["R16.18"],
    needs_c=True,
    rows={
        "getsockname-short": Row("bound", "getsockname", (), 15, WSAEFAULT, behaviours=["getsockname-short"]),
        "getsockname-unbound": Row("stream", "getsockname", (), 16, WSAEINVAL, behaviours=["getsockname-unbound"]),
        "getsockname-handle": Row("closed", "getsockname", (), 16, WSAENOTSOCK),
        "getpeername-short": Row(
            "connected",
            "getpeername",
            (),
            15,
            WSAEFAULT,
            differs={"wine": lacks("writes as much of the address as there is room for, and fails")},
        ),
        "getpeername-unconnected": Row("bound", "getpeername", (), 16, WSAENOTCONN),
        "accept-state": Row("bound", "accept", (), 16, WSAEINVAL),
        "getsockopt-handle": Row(
            "closed", "getsockopt", (SOL_SOCKET, SO_ERROR), 4, WSAENOTSOCK, behaviours=["opt-closed-socket"]
        ),
        "getsockopt-level": Row("stream", "getsockopt", (UNKNOWN_LEVEL, SO_TYPE), 4, WSAEINVAL),
        "getsockopt-option": Row("stream", "getsockopt", (SOL_SOCKET, UNKNOWN_OPTION), 4, WSAENOPROTOOPT),
        "getsockopt-type": Row("datagram", "getsockopt", (SOL_SOCKET, SO_OOBINLINE), 4, WSAENOPROTOOPT),
    },
)
def failure_leaves_buffer_and_length(
    ws: Target, state: str, call: str, arguments: tuple[int, ...], room: int, code: int
) -> None:
    """A failure leaves the output buffer and its length as they were."""
    buffer, length = ws.c.new(b"\x5a" * room), ws.c.new(room.to_bytes(4, "little"))
    with ws.socket_in(state) as s, fails_with(code):
        ws.c.check(call, s, *arguments, buffer.address, length.address, returns="int" if call != "accept" else "")
    expect("buffer", expected=b"\x5a" * room, actual=buffer.read())
    expect("length", expected=room, actual=length.number())


@case(
    "validation.untouched.ioctl-{row}",
    chapter=CHAPTER,
    source=SOCK_TESTS,
    basis="observed",
    requirements=["R16.18"],
    needs_c=True,
    rows={
        "short-out": Row(FIONREAD, 3, WSAEFAULT, behaviours=["fionread-short-out"]),
        "unknown-code": Row(UNKNOWN_CODE, 8, WSAEOPNOTSUPP),
    },
)
def failed_ioctl_leaves_the_buffer(ws: Target, code: int, room: int, error: int) -> None:
    """A control code that fails leaves the output buffer as it was, and the byte count too, or 0."""
    with ws.connected_pair() as (client, _):
        out, count = ws.c.new(b"\x5a" * room), ws.c.new(4)
        with fails_with(error):
            ws.c.check("WSAIoctl", client, code, 0, 0, out.address, room, count.address, 0, 0)
    expect("buffer", expected=b"\x5a" * room, actual=out.read())
    expect("byte count", expected=0, actual=count.number())


@case(
    "validation.untouched.select",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-select",
    basis="documented",
    requirements=["R16.18", "R3.40"],
    needs_c=True,
)
def failed_select_leaves_the_sets(ws: Target) -> None:
    """A select that fails for a member that is no socket leaves every set, and the time, as they were."""
    with ws.connected_pair() as (client, _):
        sets = [ws.c.new(fd_set(client, *more)) for more in ((0xDEADBEEF,), ())]
        before = [block.read() for block in sets]
        timeout = ws.c.new(ws.c.pack("timeval", tv_sec=3, tv_usec=5))
        with fails_with(WSAENOTSOCK):
            ws.c.check("select", 0, sets[0].address, sets[1].address, 0, timeout.address)
        expect_true("sets are untouched", before == [block.read() for block in sets])
        expect("time", expected=(3, 5), actual=(timeout.number(4), timeout.number(4, 4)))


def fd_set(*sockets: int) -> bytes:
    """Return an fd_set in memory."""
    return len(sockets).to_bytes(8, "little") + b"".join(s.to_bytes(8, "little") for s in sockets)


@case(
    "validation.untouched.receive-{row}",
    chapter=CHAPTER,
    source="winsock/error-reporting-and-parameter-validation-2; requirement R16.18",
    basis="documented",
    requirements=["R16.18"],
    rows={
        "unconnected": Row("stream", "recv", WSAENOTCONN),
        "unbound": Row("datagram", "recvfrom", WSAEINVAL),
        "closed": Row("closed", "recv", WSAENOTSOCK),
        "wsarecv": Row("stream", "WSARecv", WSAENOTCONN),
    },
)
def failed_receive_leaves_the_buffer(ws: Target, state: str, call: str, code: int) -> None:
    """A receive that fails leaves the buffer as it was."""
    buffer = bytearray(b"untouched")
    attempt(ws, call, state, ([buffer] if call.startswith("WSA") else buffer,), code, {})
    expect("buffer", expected=b"untouched", actual=bytes(buffer))


# ---- pointers in Python ----------------------------------------------------------------------------------------------


@case(
    "validation.python.{row}",
    chapter=CHAPTER,
    source="requirement R16.19: programming errors are TypeError",
    basis="choice",
    requirements=["R16.19"],
    rows={
        "bind-text": Row("bind", ("127.0.0.1:80",)),
        "connect-tuple": Row("connect", (("127.0.0.1", 80),)),
        "send-text": Row("send", ("text",)),
        "wsasend-text": Row("WSASend", (["text"],)),
        "recv-read-only": Row("recv", (b"read only",)),
        "recv-number": Row("recv", (1024,)),
        "setsockopt-text": Row("setsockopt", (SOL_SOCKET, SO_KEEPALIVE, "1")),
        "getsockopt-text": Row("getsockopt", (SOL_SOCKET, "SO_TYPE")),
    },
)
def wrong_python_type(ws: Target, call: str, arguments: tuple[Any, ...]) -> None:
    """An argument of a Python type that cannot be meant raises TypeError, not a Winsock error."""
    if ws.has_c:
        not_applicable("C has no Python types")
    with ws.socket_in("stream" if call in ("bind", "connect") else "connected") as s:
        try:
            getattr(ws, call)(s, *arguments)
        except TypeError:
            return
        except Failed as failure:
            expect("exception", expected="TypeError", actual=str(failure))
        expect("exception", expected="TypeError", actual="none")


@case(
    "validation.python.handle-text",
    chapter=CHAPTER,
    source="requirement R16.19: programming errors are TypeError",
    basis="choice",
    requirements=["R16.19"],
)
def handle_that_is_no_number(ws: Target) -> None:
    """A handle that is no number raises TypeError."""
    if ws.has_c:
        not_applicable("C has no Python types")
    handle: Any = "socket"
    for call, arguments in (("send", (b"x",)), ("listen", (1,)), ("closesocket", ())):
        raised = False
        try:
            getattr(ws, call)(handle, *arguments)
        except TypeError:
            raised = True
        expect_true(f"{call} raises TypeError", raised)


@case(
    "validation.null.{row}",
    chapter=CHAPTER,
    source="requirement R16.19: None where a pointer is required",
    basis="choice",
    requirements=["R16.19"],
    rows={
        "bind": Row("stream", "bind", (None,)),
        "connect": Row("stream", "connect", (None,)),
        "send": Row("connected", "send", (None,)),
        "recv": Row("connected", "recv", (None,)),
        "wsasend": Row("connected", "WSASend", (None,)),
        "wsarecv-buffer": Row("connected", "WSARecv", ([None],)),
        "setsockopt": Row("stream", "setsockopt", (SOL_SOCKET, SO_KEEPALIVE, None)),
        "ioctlsocket": Row("stream", "ioctlsocket", (FIONBIO, None)),
        "short-address": Row("stream", "bind", (loopback()[:8],)),
        "short-option": Row("stream", "setsockopt", (SOL_SOCKET, SO_RCVBUF, b"\1")),
        "short-room": Row("bound", "getsockname", (8,)),
    },
)
def null_and_short_are_faults(ws: Target, state: str, call: str, arguments: tuple[Any, ...]) -> None:
    """Nothing where a pointer is required, and too short a buffer, are WSAEFAULT."""
    attempt(ws, call, state, arguments, WSAEFAULT, {})
