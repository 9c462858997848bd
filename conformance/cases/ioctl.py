"""Control codes: ioctlsocket and WSAIoctl, what each code takes and gives, and extension functions."""

from __future__ import annotations

import contextlib
import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from uuid import UUID

from ..addresses import (
    LOOPBACK,
    LOOPBACK6,
    family_of,
    host_of,
    loopback,
    port_of,
    scope_of,
    sockaddr_in,
    sockaddr_in6,
    sockaddr_un,
    wildcard,
)
from ..addresslist import HEADER, address_list, addresses_of, size_of
from ..constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    FIOASYNC,
    FIONBIO,
    FIONREAD,
    FROM_PROTOCOL_INFO,
    IFF_LOOPBACK,
    IFF_UP,
    IOC_IN,
    IOC_INOUT,
    IOC_OUT,
    IOC_VENDOR,
    IOC_VOID,
    IOC_WS2,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_LOOP,
    MCAST_EXCLUDE,
    MCAST_INCLUDE,
    MSG_OOB,
    MSG_PEEK,
    POLLRDNORM,
    SIO_ACQUIRE_PORT_RESERVATION,
    SIO_ADDRESS_LIST_CHANGE,
    SIO_ADDRESS_LIST_QUERY,
    SIO_ADDRESS_LIST_SORT,
    SIO_AF_UNIX_GETPEERPID,
    SIO_ASSOCIATE_HANDLE,
    SIO_BASE_HANDLE,
    SIO_BSP_HANDLE,
    SIO_BSP_HANDLE_POLL,
    SIO_BSP_HANDLE_SELECT,
    SIO_ENABLE_CIRCULAR_QUEUEING,
    SIO_FIND_ROUTE,
    SIO_FLUSH,
    SIO_GET_BROADCAST_ADDRESS,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SIO_GET_INTERFACE_LIST,
    SIO_GET_INTERFACE_LIST_EX,
    SIO_GET_MULTICAST_FILTER,
    SIO_GET_QOS,
    SIO_IDEAL_SEND_BACKLOG_CHANGE,
    SIO_IDEAL_SEND_BACKLOG_QUERY,
    SIO_KEEPALIVE_VALS,
    SIO_LOOPBACK_FAST_PATH,
    SIO_MULTICAST_SCOPE,
    SIO_MULTIPOINT_LOOPBACK,
    SIO_QUERY_RSS_SCALABILITY_INFO,
    SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS,
    SIO_RCVALL,
    SIO_RELEASE_PORT_RESERVATION,
    SIO_ROUTING_INTERFACE_CHANGE,
    SIO_ROUTING_INTERFACE_QUERY,
    SIO_SET_MULTICAST_FILTER,
    SIO_SET_QOS,
    SIO_TCP_INFO,
    SIO_TCP_INITIAL_RTO,
    SIO_TRANSLATE_HANDLE,
    SIO_UDP_CONNRESET,
    SIO_UDP_NETRESET,
    SIOCATMARK,
    SIOCGMSFILTER,
    SIOCSMSFILTER,
    SO_KEEPALIVE,
    SO_RCVBUF,
    SOCK_RAW,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCPSTATE_ESTABLISHED,
    WSAEACCES,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENETDOWN,
    WSAENETUNREACH,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
)
from ..model import Row, case
from ..providers import Provider
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable, variant

CHAPTER = "Control codes"
IOCTLS = "winsock/winsock-ioctls"
WSAIOCTL = "winsock2/nf-winsock2-wsaioctl"
EXTENSIONS = "winsock/provider-specific-extension-mechanism-2"
TESTS = "Wine's public test sock.c:{}, which passes on Windows"
ROOM = 4096
# qossp.h, mswsockdef.h
SIO_CHK_QOS = 0xDC000001
SIO_SET_COMPATIBILITY_MODE = 0x9800012C
A_MOMENT = 0.05

WSAID = {
    "acceptex": UUID("b5367df1-cbac-11cf-95ca-00805f48a192"),
    "connectex": UUID("25a207b9-ddf3-4660-8ee9-76e58c74063e"),
    "disconnectex": UUID("7fda2e11-8630-436f-a031-f536a6eec157"),
    "getacceptexsockaddrs": UUID("b5367df2-cbac-11cf-95ca-00805f48a192"),
    "transmitfile": UUID("b5367df0-cbac-11cf-95ca-00805f48a192"),
    "transmitpackets": UUID("d9689da0-1f90-11d3-9971-00c04f68c876"),
    "wsarecvmsg": UUID("f689d7c8-6f1f-436b-8a53-e54fe351c322"),
    "wsasendmsg": UUID("a441e712-754f-43ca-84a7-0dee44cf606d"),
}
VENDORS_OWN = UUID("00112233-4455-6677-8899-aabbccddeeff")


def number(answer: bytes) -> int:
    return int.from_bytes(answer, "little")


def dword(value: int) -> bytes:
    return (value & 0xFFFFFFFF).to_bytes(4, "little")


@contextlib.contextmanager
def new_socket(ws: Target, kind: str, family: int = AF_INET) -> Iterator[int]:
    """One new socket: stream, datagram or local."""
    if kind == "local":
        s = ws.socket(AF_UNIX, SOCK_STREAM, 0)
    else:
        s = ws.tcp(family) if kind == "stream" else ws.udp(family)
    with ws.closing(s):
        yield s


@contextlib.contextmanager
def raw_socket(ws: Target, *, address: bytes | None) -> Iterator[int]:
    """A raw socket, which on most machines only an administrator may have."""
    try:
        s = ws.socket(AF_INET, SOCK_RAW, 1)
    except Failed as failure:
        if failure.code == WSAEACCES:
            not_applicable("needs the right to have raw sockets")
        raise
    with ws.closing(s):
        if address is not None:
            ws.bind(s, address)
        yield s


# ---- the code word ---------------------------------------------------------------------------------------------------


def unix(direction: int, letter: str, code: int) -> int:
    """A code of a u_long as ioctl(2) has it: the size stands above the letter."""
    return direction | 4 << 16 | ord(letter) << 8 | code


def sets_nonblocking(ws: Target, code: int) -> None:
    with ws.connected_pair() as (client, _):
        ws.ioctlsocket(client, code, 1)
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(client, bytearray(1))


def counts(ws: Target, code: int) -> None:
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"hello")
        expect("bytes", expected=5, actual=ws.ioctlsocket(server, code, 0))


def tells_mark(ws: Target, code: int) -> None:
    with ws.closing(ws.tcp()) as s:
        expect("at the mark", expected=1, actual=ws.ioctlsocket(s, code, 0))


def tells_handle(ws: Target, code: int) -> None:
    with ws.closing(ws.tcp()) as s:
        expect("handle", expected=s, actual=number(ws.WSAIoctl(s, code, None, 8)))


def would_wait(ws: Target, code: int) -> None:
    with ws.closing(ws.tcp()) as s:
        ws.nonblocking(s)
        with fails_with(WSAEWOULDBLOCK):
            ws.WSAIoctl(s, code)


def answers_with_address(ws: Target, code: int) -> None:
    with ws.closing(ws.udp()) as s:
        expect("family", expected=AF_INET, actual=family_of(ws.WSAIoctl(s, code, loopback(), 16)))


def switches_reports(ws: Target, code: int) -> None:
    with ws.closing(ws.udp()) as s:
        expect("output", expected=b"", actual=ws.WSAIoctl(s, code, bytes(4)))


@case(
    "ioctl.code-word.{row}",
    chapter=CHAPTER,
    source=IOCTLS + "; " + WSAIOCTL,
    basis="documented",
    requirements=["R9.1"],
    rows={
        "unix-in": Row(unix(IOC_IN, "f", 126), sets_nonblocking, requirements=["R9.3", "R9.4", "R9.5"]),
        "unix-out": Row(unix(IOC_OUT, "f", 127), counts, requirements=["R9.3", "R9.4", "R9.5"]),
        "unix-mark": Row(unix(IOC_OUT, "s", 7), tells_mark, requirements=["R9.4", "R9.5"]),
        "winsock-2-void": Row(IOC_VOID | IOC_WS2 | 23, would_wait, requirements=["R9.2", "R9.3"]),
        "winsock-2-out": Row(IOC_OUT | IOC_WS2 | 34, tells_handle, requirements=["R9.2", "R9.3"]),
        "winsock-2-inout": Row(IOC_INOUT | IOC_WS2 | 20, answers_with_address, requirements=["R9.2", "R9.3"]),
        "vendor-in": Row(IOC_IN | IOC_VENDOR | 12, switches_reports, requirements=["R9.2", "R9.3"]),
    },
)
def code_put_together_from_its_parts(ws: Target, code: int, use: Callable[[Target, int], None]) -> None:
    """A code is its direction, its type T and its number; put together from these it does what the header's does."""
    use(ws, code)


@case(
    "ioctl.code-word.{row}",
    chapter=CHAPTER,
    source="C.4 control codes: winsock2.h, mstcpip.h and mswsock.h of the Windows SDK",
    basis="observed",
    requirements=["R9.5"],
    rows={
        "value-fionbio": Row(0x8004667E, sets_nonblocking),
        "value-fionread": Row(0x4004667F, counts),
        "value-siocatmark": Row(0x40047307, tells_mark),
        "value-address-list-change": Row(0x28000017, would_wait),
        "value-base-handle": Row(0x48000022, tells_handle),
        "value-routing-interface-query": Row(0xC8000014, answers_with_address),
        "value-udp-connreset": Row(0x9800000C, switches_reports),
        "value-udp-netreset": Row(0x9800000F, switches_reports),
    },
)
def code_by_its_number(ws: Target, code: int, use: Callable[[Target, int], None]) -> None:
    """The numbers that compiled programs contain mean these codes."""
    use(ws, code)


@case(
    "ioctl.code-word.negative-long",
    chapter=CHAPTER,
    source="winsock/nf-winsock-ioctlsocket, parameter cmd",
    basis="documented",
    requirements=["R9.6"],
)
def code_is_a_signed_long_to_ioctlsocket(ws: Target) -> None:
    """ioctlsocket takes its code as a long: FIONBIO, whose bit 31 is set, arrives as a negative number."""
    with ws.connected_pair() as (client, _):
        ws.ioctlsocket(client, FIONBIO - (1 << 32), 1)
        with fails_with(WSAEWOULDBLOCK):
            ws.recv(client, bytearray(1))


# ---- WSAIoctl and ioctlsocket ----------------------------------------------------------------------------------------


@case(
    "ioctl.wsaioctl.bytes-returned-{row}",
    chapter=CHAPTER,
    source=WSAIOCTL + ", parameter lpcbBytesReturned",
    basis="documented",
    requirements=["R9.6", "R9.7"],
    rows={
        "fionread": Row(FIONREAD, None, ROOM, 4),
        "siocatmark": Row(SIOCATMARK, None, ROOM, 4),
        "base-handle": Row(SIO_BASE_HANDLE, None, ROOM, 8),
        "backlog": Row(SIO_IDEAL_SEND_BACKLOG_QUERY, None, ROOM, 4),
        "fionbio": Row(FIONBIO, bytes(4), 0, 0),
        "keepalive": Row(SIO_KEEPALIVE_VALS, struct.pack("<III", 1, 60_000, 1000), 0, 0),
    },
)
def bytes_returned_is_the_size_of_the_output(
    ws: Target, code: int, data: bytes | None, room: int, expected: int
) -> None:
    """A code that is carried out at once returns 0 and the number of bytes that it has put into the output buffer."""
    with ws.connected_pair() as (client, _):
        expect("bytes returned", expected=expected, actual=len(ws.WSAIoctl(client, code, data, room)))


@case(
    "ioctl.ioctlsocket.same-as-wsaioctl",
    chapter=CHAPTER,
    source="winsock/nf-winsock-ioctlsocket; " + WSAIOCTL,
    basis="documented",
    requirements=["R9.6", "R9.21"],
)
def ioctlsocket_is_wsaioctl_for_a_long(ws: Target) -> None:
    """ioctlsocket carries out the same codes with one u_long as both buffers."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"hello")
        by_long = ws.ioctlsocket(server, FIONREAD, 77)
        by_buffer = ws.WSAIoctl(server, FIONREAD, None, 4)
    expect("by ioctlsocket", expected=5, actual=by_long)
    expect("by WSAIoctl", expected=dword(5), actual=by_buffer)


@case(
    "ioctl.ioctlsocket.longer-answer-{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-ioctlsocket; " + WSAIOCTL,
    basis="choice",
    requirements=["R9.6"],
    rows={
        "handle": Row(SIO_BASE_HANDLE),
        "interfaces": Row(SIO_GET_INTERFACE_LIST),
        "extension": Row(SIO_GET_EXTENSION_FUNCTION_POINTER),
    },
)
def ioctlsocket_has_four_bytes(ws: Target, code: int) -> None:
    """A code whose input or output is longer than a u_long does not fit ioctlsocket: WSAEFAULT."""
    with ws.closing(ws.tcp()) as s, fails_with(WSAEFAULT):
        ws.ioctlsocket(s, code, 0)


@case(
    "ioctl.wsaioctl.needs-a-socket",
    chapter=CHAPTER,
    source=WSAIOCTL,
    basis="documented",
    requirements=["R9.10", "B42"],
)
def control_needs_a_socket(ws: Target) -> None:
    """A code on a handle that was a socket is WSAENOTSOCK, whatever else is wrong."""
    with ws.socket_in("closed") as s, fails_with(WSAENOTSOCK):
        ws.WSAIoctl(s, FIONBIO)


@case(
    "ioctl.wrong-socket.{row}",
    chapter=CHAPTER,
    source=WSAIOCTL + ", return value; " + IOCTLS,
    basis="documented",
    requirements=["R9.10"],
    rows={
        "broadcast-on-ipv6": Row(
            "datagram", AF_INET6, SIO_GET_BROADCAST_ADDRESS, None, 28, WSAENOPROTOOPT, requirements=["R9.27"]
        ),
        "keepalive-on-datagram": Row(
            "datagram", AF_INET, SIO_KEEPALIVE_VALS, bytes(12), 0, WSAENOPROTOOPT, requirements=["R9.32"]
        ),
        "circular-on-stream": Row(
            "stream", AF_INET, SIO_ENABLE_CIRCULAR_QUEUEING, None, 0, WSAENOPROTOOPT, requirements=["R9.28"]
        ),
        "mark-on-datagram": Row(
            "datagram", AF_INET, SIOCATMARK, None, 4, WSAEINVAL, requirements=["R13.14", "R9.22"], basis="choice"
        ),
        "reports-on-stream": Row(
            "stream", AF_INET, SIO_UDP_CONNRESET, bytes(4), 0, WSAENOPROTOOPT, requirements=["R9.33"], basis="choice"
        ),
        "fast-path-on-datagram": Row(
            *("datagram", AF_INET, SIO_LOOPBACK_FAST_PATH, dword(1), 0, WSAEOPNOTSUPP),
            requirements=["R9.35"],
            basis="choice",
        ),
        "backlog-on-datagram": Row(
            *("datagram", AF_INET, SIO_IDEAL_SEND_BACKLOG_QUERY, None, 4, WSAEOPNOTSUPP),
            behaviours=["backlog-udp"],
            source=TESTS.format("test_backlog_query"),
            basis="observed",
        ),
        "backlog-change-on-datagram": Row("datagram", AF_INET, SIO_IDEAL_SEND_BACKLOG_CHANGE, None, 0, WSAEOPNOTSUPP),
        "interfaces-on-ipv6": Row("datagram", AF_INET6, SIO_GET_INTERFACE_LIST, None, ROOM, WSAEINVAL),
        "tcp-info-on-datagram": Row(
            "datagram", AF_INET, SIO_TCP_INFO, bytes(4), ROOM, WSAEINVAL, source="winsock/sio-tcp-info"
        ),
        "capture-on-stream": Row("stream", AF_INET, SIO_RCVALL, dword(1), 0, WSAEINVAL, requirements=["R9.34"]),
        "scope-on-stream": Row(
            *("stream", AF_INET, SIO_MULTICAST_SCOPE, dword(1), 0, WSAEOPNOTSUPP),
            requirements=["R5.34"],
            basis="choice",
        ),
        "loopback-on-stream": Row(
            *("stream", AF_INET, SIO_MULTIPOINT_LOOPBACK, dword(1), 0, WSAEOPNOTSUPP),
            requirements=["R5.34"],
            basis="choice",
        ),
        "addresses-on-local": Row("local", AF_UNIX, SIO_ADDRESS_LIST_QUERY, None, ROOM, WSAENOPROTOOPT, basis="choice"),
        "process-on-stream": Row("stream", AF_INET, SIO_AF_UNIX_GETPEERPID, None, 4, WSAEOPNOTSUPP, basis="choice"),
    },
)
def code_is_not_for_this_socket(
    ws: Target, kind: str, family: int, code: int, data: bytes | None, room: int, error: int
) -> None:
    """A code that this kind of socket does not have fails with the code that the page has for it."""
    with new_socket(ws, kind, family) as s, fails_with(error):
        ws.WSAIoctl(s, code, data, room)


@case(
    "ioctl.unknown.{row}",
    chapter=CHAPTER,
    source=WSAIOCTL + "; " + TESTS.format("test_unsupported_ioctls"),
    basis="observed",
    requirements=["R9.11"],
    rows={
        "void": Row(IOC_VOID | IOC_WS2 | 0x7FFF, None, 0),
        "in": Row(IOC_IN | IOC_VENDOR | 0x7FFF, bytes(64), 0),
        "out": Row(IOC_OUT | IOC_WS2 | 0x7FFF, None, 64),
        "no-direction": Row(0x667E, bytes(64), 64, behaviours=["badioctl-sync"]),
        "all-directions": Row(0xDEADBEEF, bytes(64), 64, behaviours=["badioctl-sync"]),
        "fioasync": Row(FIOASYNC, dword(1), 0, requirements=["R9.5", "R9.13"], behaviours=["badioctl-sync"]),
    },
)
def unknown_code(ws: Target, code: int, data: bytes | None, room: int) -> None:
    """A code that nobody knows is WSAEOPNOTSUPP from Windows' own stack."""
    with (
        ws.closing(ws.tcp()) as s,
        fails_with(WSAEOPNOTSUPP, variants={WSAEINVAL: "the page of WSAIoctl"}) as caught,
    ):
        ws.WSAIoctl(s, code, data, room)
    expect("byte count", expected=0, actual=caught.needed or 0)


@case(
    "ioctl.unknown.no-bytes-returned",
    chapter=CHAPTER,
    source=TESTS.format("test_unsupported_ioctls"),
    basis="observed",
    behaviours=["badioctl-sync"],
    needs_c=True,
)
def unknown_code_returns_no_bytes(ws: Target) -> None:
    """A code that nobody knows stores a byte count of 0."""
    count = ws.c.new(dword(0x5A5A5A5A))
    with ws.closing(ws.tcp()) as s, fails_with(WSAEOPNOTSUPP):
        ws.c.check("WSAIoctl", s, 0xDEADBEEF, 0, 0, 0, 0, count.address, 0, 0)
    expect("byte count", expected=0, actual=count.number())


@case(
    "ioctl.optional.{row}",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="choice",
    requirements=["R9.37"],
    rows={
        "compatibility-mode": Row(SIO_SET_COMPATIBILITY_MODE, bytes(8), 0),
        "initial-rto": Row(SIO_TCP_INITIAL_RTO, struct.pack("<HBx", 0xFFFF, 0xFE), 0),
        "acquire-reservation": Row(SIO_ACQUIRE_PORT_RESERVATION, bytes(4), 16),
        "release-reservation": Row(SIO_RELEASE_PORT_RESERVATION, bytes(8), 0),
        "redirect-records": Row(SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS, None, 64),
        "interfaces-with-pointers": Row(SIO_GET_INTERFACE_LIST_EX, None, ROOM),
        "traffic-characteristics": Row(SIO_CHK_QOS, bytes(4), 4, requirements=["R8.26"]),
    },
)
def optional_code(ws: Target, code: int, data: bytes | None, room: int) -> None:
    """A provider need not have this code: it works, or is WSAEOPNOTSUPP."""
    with ws.closing(ws.tcp()) as s:
        try:
            ws.WSAIoctl(s, code, data, room)
        except Failed as failure:
            answer = failure.code
        else:
            answer = 0
    others = {
        0: "a stack that has it",
        WSAEINVAL: "a stack that has it and refuses these arguments",
        WSAEACCES: "a stack that has it, for administrators",
        WSAENOPROTOOPT: "a stack without the feature behind it",
        WSAEFAULT: "a stack that has it and wants larger buffers",
    }
    variant("answer", expected=WSAEOPNOTSUPP, allowed=others, actual=answer)


@case(
    "ioctl.refused.{row}",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R9.29"],
    rows={
        "find-route": Row(SIO_FIND_ROUTE, sockaddr_in(LOOPBACK, 9), 0),
        "associate-handle": Row(SIO_ASSOCIATE_HANDLE, bytes(16), 0),
        "translate-handle": Row(SIO_TRANSLATE_HANDLE, bytes(4), 16),
        "get-qos": Row(SIO_GET_QOS, None, 80, requirements=["R8.14"]),
        "set-qos": Row(SIO_SET_QOS, bytes(80), 0, requirements=["R8.14"]),
    },
)
def code_that_this_provider_does_not_support(ws: Target, code: int, data: bytes | None, room: int) -> None:
    """What a TCP/IP provider has nothing for (companion interfaces, routes to discover, QOS) is WSAENOPROTOOPT."""
    others = {WSAEOPNOTSUPP: "a stack that does not know the code"}
    with ws.closing(ws.udp()) as s, fails_with(WSAENOPROTOOPT, variants=others):
        ws.WSAIoctl(s, code, data, room)


@case(
    "ioctl.refused.flush",
    chapter=CHAPTER,
    source=IOCTLS + "; " + TESTS.format("test_unsupported_ioctls"),
    basis="observed",
    requirements=["R9.29"],
    behaviours=["badioctl-sync"],
)
def flush_is_unknown(ws: Target) -> None:
    """SIO_FLUSH is not supported; the page says WSAENOPROTOOPT for that, Windows WSAEOPNOTSUPP."""
    with (
        ws.connected_pair() as (client, _),
        fails_with(WSAEOPNOTSUPP, variants={WSAENOPROTOOPT: "the page of the code"}),
    ):
        ws.WSAIoctl(client, SIO_FLUSH)


# ---- FIONREAD --------------------------------------------------------------------------------------------------------


@case(
    "ioctl.fionread.idle",
    chapter=CHAPTER,
    source=TESTS.format("test_fionread_siocatmark"),
    basis="observed",
    requirements=["R9.21"],
    behaviours=["fionread-idle"],
)
def idle_connection(ws: Target) -> None:
    """A connection without data has 0 bytes and is at the mark; the last error stays as it is."""
    with ws.connected_pair() as (client, _):
        ws.WSASetLastError(0)
        waiting, mark = ws.ioctlsocket(client, FIONREAD, 77), ws.ioctlsocket(client, SIOCATMARK, 0)
        expect("bytes", expected=0, actual=waiting)
        expect("at the mark", expected=1, actual=mark)
        expect("last error", expected=0, actual=ws.WSAGetLastError())


@case(
    "ioctl.fionread.stream",
    chapter=CHAPTER,
    source=IOCTLS + "; " + TESTS.format("test_fionread_siocatmark"),
    basis="documented",
    requirements=["R9.21"],
    behaviours=["fionread-data"],
)
def stream_counts_what_one_receive_gets(ws: Target) -> None:
    """On a stream FIONREAD tells how much one receive can have; normal data leaves the socket at the mark."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"he")
        ws.send_and_settle(client, b"llo")
        expect("bytes", expected=5, actual=ws.ioctlsocket(server, FIONREAD, 0))
        expect("at the mark", expected=1, actual=ws.ioctlsocket(server, SIOCATMARK, 0))
        expect("received", expected=5, actual=ws.recv(server, bytearray(10)))
        expect("bytes afterwards", expected=0, actual=ws.ioctlsocket(server, FIONREAD, 0))


@case(
    "ioctl.fionread.unconnected-{row}",
    chapter=CHAPTER,
    source=TESTS.format("test_fionread_siocatmark"),
    basis="observed",
    requirements=["R9.21"],
    behaviours=["fionread-unconnected"],
    rows={"fresh": Row("stream"), "bound": Row("bound")},
)
def unconnected_socket_has_nothing(ws: Target, state: str) -> None:
    """Without a connection FIONREAD is 0 and SIOCATMARK TRUE, both successes."""
    with ws.socket_in(state) as s:
        expect("bytes", expected=0, actual=ws.ioctlsocket(s, FIONREAD, 77))
        expect("at the mark", expected=1, actual=ws.ioctlsocket(s, SIOCATMARK, 0))


@case(
    "ioctl.fionread.{row}",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R9.21", "A89"],
    rows={"datagrams": Row(AF_INET), "datagrams-ipv6": Row(AF_INET6)},
)
def datagrams_are_counted_together(ws: Target, family: int) -> None:
    """On a datagram socket FIONREAD tells the bytes of all datagrams that wait, not the size of the first."""
    with ws.udp_pair(family) as (sender, receiver):
        for size in (5, 7, 3000):
            ws.send(sender, b"x" * size)
        ws.until("three datagrams arrived", lambda: ws.ioctlsocket(receiver, FIONREAD, 0) == 3012)
        expect("the first is untouched", expected=5, actual=ws.recv(receiver, bytearray(4000), MSG_PEEK))
        expect("the first", expected=5, actual=ws.recv(receiver, bytearray(4000)))
        expect("bytes afterwards", expected=3007, actual=ws.ioctlsocket(receiver, FIONREAD, 0))


@case(
    "ioctl.siocatmark.fresh",
    chapter=CHAPTER,
    source=TESTS.format("oob_server"),
    basis="observed",
    requirements=["R9.22", "R13.12", "A63"],
    behaviours=["oob-atmark-fresh", "oob-atmark-after-normal"],
)
def accepted_socket_is_at_the_mark(ws: Target) -> None:
    """SIOCATMARK is TRUE on a socket just accepted, and after all normal data has been received."""
    with ws.connected_pair() as (client, server):
        expect("at first", expected=1, actual=ws.ioctlsocket(server, SIOCATMARK, 0))
        ws.send_and_settle(client, b"normal")
        ws.receive_exactly(server, 6)
        expect("afterwards", expected=1, actual=ws.ioctlsocket(server, SIOCATMARK, 0))


@case(
    "ioctl.siocatmark.urgent",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R9.22", "R13.12", "A63"],
)
def urgent_data_waits(ws: Target) -> None:
    """SIOCATMARK is FALSE while urgent data waits to be received, and TRUE again afterwards."""
    with ws.connected_pair() as (client, server):
        ws.send(client, b"!", MSG_OOB)
        ws.until("urgent data is there", lambda: ws.select(None, None, [server], (0, 0))[2])
        expect("while it waits", expected=0, actual=ws.ioctlsocket(server, SIOCATMARK, 1))
        expect("urgent bytes", expected=1, actual=ws.recv(server, bytearray(1), MSG_OOB))
        expect("afterwards", expected=1, actual=ws.ioctlsocket(server, SIOCATMARK, 0))


# ---- handles and extension functions ---------------------------------------------------------------------------------


@case(
    "ioctl.handle.base-{row}",
    chapter=CHAPTER,
    source=IOCTLS + "; " + TESTS.format("test_base_handle"),
    basis="documented",
    requirements=["R9.36"],
    behaviours=["basehandle-sync"],
    rows={
        "tcp": Row("stream", AF_INET),
        "tcp-ipv6": Row("stream", AF_INET6),
        "udp": Row("datagram", AF_INET),
        "udp-ipv6": Row("datagram", AF_INET6),
    },
)
def base_socket_is_its_own_base(ws: Target, kind: str, family: int) -> None:
    """SIO_BASE_HANDLE on a socket of a base provider gives the socket itself, in as many bytes as a handle has."""
    with new_socket(ws, kind, family) as s:
        expect("handle", expected=s.to_bytes(8, "little"), actual=ws.WSAIoctl(s, SIO_BASE_HANDLE, None, ROOM))


@case(
    "ioctl.handle.{row}",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R1.92", "R9.36"],
    rows={
        "bsp": Row(SIO_BSP_HANDLE),
        "bsp-select": Row(SIO_BSP_HANDLE_SELECT),
        "bsp-poll": Row(SIO_BSP_HANDLE_POLL),
    },
)
def handle_for_a_call(ws: Target, code: int) -> None:
    """The codes that tell which handle to use for WSASendMsg, select and WSAPoll give the socket itself."""
    with ws.closing(ws.udp()) as s:
        expect("handle", expected=s, actual=number(ws.WSAIoctl(s, code, None, 8)))


@case(
    "ioctl.handle.short-{row}",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R1.92"],
    rows={
        "base": Row(SIO_BASE_HANDLE, 7),
        "bsp": Row(SIO_BSP_HANDLE, 7),
        "bsp-select": Row(SIO_BSP_HANDLE_SELECT, 7),
        "bsp-poll": Row(SIO_BSP_HANDLE_POLL, 7),
        "base-nothing": Row(SIO_BASE_HANDLE, 0),
    },
)
def too_little_room_for_a_handle(ws: Target, code: int, room: int) -> None:
    """An output buffer that is shorter than a SOCKET, or not there, is WSAEFAULT."""
    with ws.closing(ws.udp()) as s, fails_with(WSAEFAULT):
        ws.WSAIoctl(s, code, None, room)


def is_function(answer: object) -> bool:
    """A pointer in C, a callable in Python."""
    return callable(answer) or (isinstance(answer, bytes) and len(answer) == 8 and number(answer) != 0)


@case(
    "ioctl.extension.{row}",
    chapter=CHAPTER,
    source=IOCTLS + "; " + TESTS.format("test_get_extension_func"),
    basis="documented",
    requirements=["R9.14", "R9.17"],
    rows={
        name: Row(guid, behaviours={"acceptex": ["extfunc-sync"], "connectex": ["connect-ext-pointer"]}.get(name, []))
        for name, guid in WSAID.items()
    },
)
def base_provider_answers(ws: Target, guid: UUID) -> None:
    """The TCP/IP provider answers the GUID with a function pointer and nothing more; the last error stays."""
    with ws.closing(ws.tcp()) as s:
        ws.WSASetLastError(0)
        answer = ws.WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, guid.bytes_le, 8)
        expect("last error", expected=0, actual=ws.WSAGetLastError())
    expect_true("it is a function", is_function(answer), actual=answer)


@case(
    "ioctl.extension.refused-{row}",
    chapter=CHAPTER,
    source=IOCTLS + "; " + TESTS.format("test_get_extension_func"),
    basis="documented",
    requirements=["R9.15"],
    rows={
        "unknown-guid": Row(VENDORS_OWN.bytes_le, 8, WSAEINVAL, basis="observed"),
        "short-guid": Row(WSAID["acceptex"].bytes_le[:15], 8, WSAEFAULT),
        "no-guid": Row(None, 8, WSAEFAULT),
        "short-pointer": Row(WSAID["acceptex"].bytes_le, 7, WSAEFAULT),
        "no-pointer": Row(WSAID["acceptex"].bytes_le, 0, WSAEFAULT),
    },
)
def extension_function_is_refused(ws: Target, guid: bytes | None, room: int, code: int) -> None:
    """An unknown GUID is WSAEINVAL; less than a GUID in, or room for less than a pointer, is WSAEFAULT."""
    with ws.closing(ws.tcp()) as s, fails_with(code):
        ws.WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, guid, room)


@case(
    "ioctl.extension.unknown-leaves-the-buffer",
    chapter=CHAPTER,
    source=TESTS.format("test_get_extension_func"),
    basis="observed",
    requirements=["R9.15"],
    needs_c=True,
)
def unknown_guid_leaves_the_buffer(ws: Target) -> None:
    """An unknown GUID leaves the output buffer and the byte count as they were."""
    guid, out, count = ws.c.new(VENDORS_OWN.bytes_le), ws.c.new(b"\x5a" * 8), ws.c.new(dword(0x5A5A5A5A))
    with ws.closing(ws.tcp()) as s, fails_with(WSAEINVAL):
        given = (guid.address, 16, out.address, 8, count.address, 0, 0)
        ws.c.check("WSAIoctl", s, SIO_GET_EXTENSION_FUNCTION_POINTER, *given)
    expect("buffer", expected=b"\x5a" * 8, actual=out.read())
    expect("byte count", expected=0x5A5A5A5A, actual=count.number())


@case(
    "ioctl.extension.works",
    chapter=CHAPTER,
    source=EXTENSIONS + "; mswsock/nc-mswsock-lpfn_wsarecvmsg",
    basis="documented",
    requirements=["R9.14", "R9.20"],
)
def function_is_called_directly(ws: Target) -> None:
    """The function that the code gave is called directly: WSARecvMsg receives a datagram."""
    buffer = bytearray(8)
    with ws.udp_pair() as (sender, receiver):
        ws.send_and_settle(sender, b"hello")
        message = ws.WSARecvMsg(receiver, [buffer])
        expect("sender", expected=ws.getsockname(sender), actual=message.address)
    expect("received", expected=(5, b"hello\0\0\0"), actual=(message.moved, bytes(buffer)))


@case(
    "ioctl.extension.exported-{row}",
    chapter=CHAPTER,
    source=EXTENSIONS,
    basis="documented",
    requirements=["R9.18"],
    needs_c=True,
    rows={"wsapoll": Row("WSAPoll"), "wsasendmsg": Row("WSASendMsg")},
)
def exported_as_well(ws: Target, function: str) -> None:
    """WSAPoll and WSASendMsg are also exported by the DLL itself."""
    expect_true("exported", ws.c.address_of(function), actual=function)


@case(
    "ioctl.extension.called-without-a-pointer",
    chapter=CHAPTER,
    source=EXTENSIONS,
    basis="documented",
    requirements=["R9.18"],
)
def exported_ones_need_no_pointer(ws: Target) -> None:
    """WSAPoll and WSASendMsg can be called as functions of the DLL: nobody has asked for a pointer before."""
    with ws.udp_pair() as (sender, receiver):
        expect("bytes sent", expected=5, actual=ws.WSASendMsg(sender, [b"hello"]))
        expect("found by WSAPoll", expected=(1, [POLLRDNORM]), actual=ws.WSAPoll([(receiver, POLLRDNORM)], 5000))


@case(
    "ioctl.extension.vendors-own",
    chapter=CHAPTER,
    source=EXTENSIONS,
    basis="documented",
    requirements=["R9.19"],
    needs_provider=True,
)
def vendors_define_functions(ws: Target) -> None:
    """Two providers answer the same GUID, each with a function of its own, for its own sockets."""
    one, other = Provider(), Provider()
    with ws.providers(one, other) as recorders:
        sockets, answers = [], []
        for place, recorder in enumerate(recorders):
            recorder.answers("WSPIoctl", (0x1000 + place).to_bytes(8, "little"))
            given = (FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, recorder.protocols[0])
            sockets.append(ws.WSASocket(*given))
        with ws.closing(*sockets):
            for s in sockets:
                answers.append(number(ws.WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, VENDORS_OWN.bytes_le, 8)))
    expect("functions", expected=[0x1000, 0x1001], actual=answers)


@case(
    "ioctl.extension.foreign-socket",
    chapter=CHAPTER,
    source=EXTENSIONS,
    basis="choice",
    requirements=["R9.16"],
    needs_provider=True,
)
def function_of_another_provider(ws: Target) -> None:
    """A function of one provider does not work with the sockets of another."""
    known = {
        WSAEINVAL: "the choice is between the two",
        WSAEOPNOTSUPP: "one pointer stands for all providers and asks that of the socket, which has no such function",
    }
    with ws.provider(built_in=True) as recorder:
        recorder.fails("WSPIoctl", WSAEINVAL)
        given = (FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, recorder.protocols[0])
        with ws.closing(ws.WSASocket(*given)) as s, fails_with(WSAENOTSOCK, variants=known):
            ws.WSARecvMsg(s, [bytearray(8)])


# ---- addresses and interfaces ----------------------------------------------------------------------------------------


def listed(ws: Target, s: int) -> list[bytes]:
    return addresses_of(ws.WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, None, ROOM))


@case(
    "ioctl.address-list.{row}",
    chapter=CHAPTER,
    source="winsock/sio-address-list-query",
    basis="documented",
    requirements=["R9.23"],
    rows={"ipv4": Row(AF_INET, LOOPBACK), "ipv6": Row(AF_INET6, LOOPBACK6)},
)
def list_of_bindable_addresses(ws: Target, family: int, left_out: str) -> None:
    """Every address in the list is of the socket's family, has port 0 and can be bound to; the loopback is left out."""
    with ws.closing(ws.tcp(family)) as s:
        addresses = listed(ws, s)
    for address in addresses:
        expect("family and port", expected=(family, 0), actual=(family_of(address), port_of(address)))
        with ws.closing(ws.tcp(family)) as s:
            ws.bind(s, address)
            expect("bound to", expected=host_of(address), actual=host_of(ws.getsockname(s)))
    expect_true(f"{left_out} is left out", left_out not in map(host_of, addresses), actual=addresses)


@case(
    "ioctl.address-list.size",
    chapter=CHAPTER,
    source=TESTS.format("test_address_list_query"),
    basis="observed",
    requirements=["R9.12", "R9.23"],
    behaviours=["addrlist-size-probe", "addrlist-ok"],
)
def list_without_room_tells_its_size(ws: Target) -> None:
    """Without an output buffer the size is told with WSAEFAULT; it is that of header, entries and addresses."""
    with ws.closing(ws.tcp()) as s:
        with fails_with(WSAEFAULT) as caught:
            ws.WSAIoctl(s, SIO_ADDRESS_LIST_QUERY)
        ws.WSASetLastError(0)
        record = ws.WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, None, ROOM)
        expect("last error", expected=0, actual=ws.WSAGetLastError())
    expect("bytes", expected=caught.needed, actual=len(record))
    expect("size", expected=size_of(addresses_of(record)), actual=len(record))


@case(
    "ioctl.address-list.room-{row}",
    chapter=CHAPTER,
    source=TESTS.format("test_address_list_query"),
    basis="observed",
    requirements=["R9.12"],
    needs_c=True,
    rows={
        "null-out": Row(False, ROOM, WSAEFAULT, True, behaviours=["addrlist-null-out"]),
        "zero-length": Row(True, 0, WSAEFAULT, True, behaviours=["addrlist-zero-len"]),
        "one-byte": Row(True, 1, WSAEINVAL, False, behaviours=["addrlist-len-1"]),
        "header": Row(True, HEADER, WSAEFAULT, True, behaviours=["addrlist-header-only"]),
    },
)
def too_little_room_for_the_list(ws: Target, there: bool, room: int, code: int, told: bool) -> None:
    """Room for less than the count is WSAEINVAL and a byte count of 0, other too little room WSAEFAULT and the size."""
    out, count = ws.c.new(b"\xcc" * 64), ws.c.new(dword(0x5A5A5A5A))
    where = out.address if there else 0
    with ws.closing(ws.tcp()) as s:
        needed = size_of(listed(ws, s))
        if needed <= HEADER:
            not_applicable("this machine has no address but the loopback")
        with fails_with(code):
            ws.c.check("WSAIoctl", s, SIO_ADDRESS_LIST_QUERY, 0, 0, where, room, count.address, 0, 0)
    expect("byte count", expected=needed if told else 0, actual=count.number())
    expect("buffer", expected=b"\xcc" * 64, actual=out.read())


@case(
    "ioctl.address-list-change.non-blocking",
    chapter=CHAPTER,
    source=IOCTLS + "; " + TESTS.format("test_sioAddressListChange"),
    basis="documented",
    requirements=["R9.8", "R9.9", "R9.24", "R6.108"],
    behaviours=["addrchange-nonblocking-sync"],
)
def change_of_the_list_on_a_non_blocking_socket(ws: Target) -> None:
    """SIO_ADDRESS_LIST_CHANGE on a non-blocking socket is WSAEWOULDBLOCK at once, again and again."""
    with ws.closing(ws.tcp()) as s:
        ws.bind(s, loopback())
        ws.nonblocking(s)
        for _ in range(2):
            with fails_with(WSAEWOULDBLOCK):
                ws.WSAIoctl(s, SIO_ADDRESS_LIST_CHANGE)


@case(
    "ioctl.wait.{row}",
    chapter=CHAPTER,
    source=IOCTLS + "; " + TESTS.format("test_sioAddressListChange"),
    basis="documented",
    requirements=["R9.8", "R9.9"],
    rows={
        "address-list": Row(
            *(SIO_ADDRESS_LIST_CHANGE, None),
            requirements=["R9.24"],
            behaviours=["addrchange-blocking-sync-hangs"],
            basis="observed",
        ),
        "route": Row(SIO_ROUTING_INTERFACE_CHANGE, loopback(port=9), requirements=["R9.26"]),
        "any-route": Row(SIO_ROUTING_INTERFACE_CHANGE, wildcard(), requirements=["R9.26"]),
    },
)
def change_on_a_blocking_socket(ws: Target, code: int, data: bytes | None) -> None:
    """A blocking socket waits until the change comes, or until it is closed."""
    with ws.closing(ws.tcp()) as s, ws.thread() as other:
        pending = other.start(ws.WSAIoctl, s, code, data)
        expect_true("it waits", not pending.finished_within(A_MOMENT))
        ws.closesocket(s)
        with fails_with(WSAEINTR, variants={WSAENOTSOCK: "closed before the wait began"}):
            pending.result()


@case(
    "ioctl.interfaces.list",
    chapter=CHAPTER,
    source=IOCTLS + "; winsock/using-unix-ioctls-in-winsock; ws2ipdef/ns-ws2ipdef-interface_info",
    basis="documented",
    requirements=["R9.30"],
)
def list_of_interfaces(ws: Target) -> None:
    """SIO_GET_INTERFACE_LIST gives an INTERFACE_INFO of 76 bytes per address: flags, address, broadcast, mask."""
    with ws.closing(ws.udp()) as s:
        records = ws.WSAIoctl(s, SIO_GET_INTERFACE_LIST, None, ROOM)
    expect("rest after whole records", expected=0, actual=len(records) % 76)
    rows = [(flags, host_of(address), host_of(mask)) for flags, address, _, mask in infos(records)]
    found = [row for row in rows if row[1] == LOOPBACK]
    expect("masks of the loopback", expected=["255.0.0.0"], actual=[mask for _, _, mask in found])
    wanted = IFF_UP | IFF_LOOPBACK
    expect("its flags", expected=wanted, actual=found[0][0] & wanted)


def infos(records: bytes) -> Iterator[tuple[int, bytes, bytes, bytes]]:
    return struct.iter_unpack("<I16s8x16s8x16s8x", records)


@case(
    "ioctl.interfaces.same-as-address-list",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R9.23", "R9.30"],
)
def interfaces_have_the_listed_addresses(ws: Target) -> None:
    """Every address of SIO_ADDRESS_LIST_QUERY is one of an interface that is up."""
    with ws.closing(ws.udp()) as s:
        records = ws.WSAIoctl(s, SIO_GET_INTERFACE_LIST, None, ROOM)
        addresses = set(map(host_of, listed(ws, s)))
    up = {host_of(address) for flags, address, _, _ in infos(records) if flags & IFF_UP}
    expect_true("all are there", addresses <= up, actual=addresses - up)


@case(
    "ioctl.interfaces.room",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R9.30"],
)
def too_little_room_for_the_interfaces(ws: Target) -> None:
    """Room for all interfaces but the last byte is WSAEFAULT."""
    with ws.closing(ws.udp()) as s:
        size = len(ws.WSAIoctl(s, SIO_GET_INTERFACE_LIST, None, ROOM))
        expect("with just enough", expected=size, actual=len(ws.WSAIoctl(s, SIO_GET_INTERFACE_LIST, None, size)))
        with fails_with(WSAEFAULT):
            ws.WSAIoctl(s, SIO_GET_INTERFACE_LIST, None, size - 1)


@case(
    "ioctl.broadcast-address",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R9.27"],
)
def broadcast_address(ws: Target) -> None:
    """SIO_GET_BROADCAST_ADDRESS gives 255.255.255.255 as a sockaddr."""
    with ws.closing(ws.udp()) as s:
        answer = ws.WSAIoctl(s, SIO_GET_BROADCAST_ADDRESS, None, ROOM)
    expect("address", expected=sockaddr_in("255.255.255.255"), actual=bytes(answer))


@case(
    "ioctl.sort.{row}",
    chapter=CHAPTER,
    source="winsock/using-sio-address-list-sort; RFC 3484",
    basis="documented",
    requirements=["R9.31"],
    rows={
        "ipv6-loopback-first": Row(["::ffff:127.0.0.1", "::1"], ["::1", "::ffff:127.0.0.1"]),
        "in-order-already": Row(["::1", "::ffff:127.0.0.1"], ["::1", "::ffff:127.0.0.1"]),
        "unspecified-left-out": Row(["::", "::1"], ["::1"]),
        "empty": Row([], []),
    },
)
def sorted_destinations(ws: Target, given: list[str], expected: list[str]) -> None:
    """SIO_ADDRESS_LIST_SORT gives the same destinations, the best first, without those that are none."""
    with ws.closing(ws.udp(AF_INET6)) as s:
        record = ws.WSAIoctl(s, SIO_ADDRESS_LIST_SORT, address_list([sockaddr_in6(host, 80) for host in given]), ROOM)
    addresses = addresses_of(record)
    expect("order", expected=[host_of(sockaddr_in6(host)) for host in expected], actual=list(map(host_of, addresses)))
    expect("ports", expected=[80] * len(expected), actual=list(map(port_of, addresses)))


@case(
    "ioctl.sort.ignores-the-bound-address",
    chapter=CHAPTER,
    source="winsock/using-sio-address-list-sort",
    basis="documented",
    requirements=["R9.31"],
)
def sort_ignores_the_bound_address(ws: Target) -> None:
    """The address that the socket is bound to does not matter for the order."""
    hosts = ["::ffff:127.0.0.1", "::1"]
    orders = []
    for bound in (False, True):
        with ws.closing(ws.udp(AF_INET6)) as s:
            if bound:
                ws.bind(s, loopback(AF_INET6))
            given = address_list([sockaddr_in6(host) for host in hosts])
            orders.append(addresses_of(ws.WSAIoctl(s, SIO_ADDRESS_LIST_SORT, given, ROOM)))
    expect("order", expected=orders[0], actual=orders[1])


@case(
    "ioctl.sort.scope",
    chapter=CHAPTER,
    source="winsock/using-sio-address-list-sort",
    basis="documented",
    requirements=["R9.31"],
)
def sort_fills_in_the_scope(ws: Target) -> None:
    """A link-local destination without a scope id gets one."""
    with ws.closing(ws.udp(AF_INET6)) as s:
        local = [address for address in listed(ws, s) if host_of(address).startswith("fe80:")]
        if not local:
            not_applicable("this machine has no link-local IPv6 address")
        given = address_list([sockaddr_in6("fe80::1234")])
        (sorted_one,) = addresses_of(ws.WSAIoctl(s, SIO_ADDRESS_LIST_SORT, given, ROOM))
    expect_true("scope of an interface", scope_of(sorted_one) in map(scope_of, local), actual=scope_of(sorted_one))


# ---- routes ----------------------------------------------------------------------------------------------------------

ROUTE_TEST = TESTS.format("test_sioRoutingInterfaceQuery")


@case(
    "ioctl.route.{row}",
    chapter=CHAPTER,
    source=IOCTLS + "; " + ROUTE_TEST,
    basis="documented",
    requirements=["R9.25"],
    rows={
        "loopback": Row(AF_INET, behaviours=["routeq-loopback"]),
        "loopback-ipv6": Row(AF_INET6),
    },
)
def local_address_for_a_destination(ws: Target, family: int) -> None:
    """SIO_ROUTING_INTERFACE_QUERY gives the local address from which a destination is reached; a bind takes it."""
    with ws.closing(ws.udp(family)) as s:
        ws.WSASetLastError(0)
        answer = ws.WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, loopback(family, 9), ROOM)
        expect("last error", expected=0, actual=ws.WSAGetLastError())
        ws.bind(s, answer[:2] + bytes(2) + answer[4:])
    expect("size", expected=16 if family == AF_INET else 28, actual=len(answer))
    expect("address", expected=host_of(loopback(family)), actual=host_of(answer))


@case(
    "ioctl.route.multicast",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R9.25"],
)
def local_address_for_multicast(ws: Target) -> None:
    """A multicast destination is allowed: the answer is the address of the interface it is sent through."""
    with ws.closing(ws.udp()) as s:
        records = ws.WSAIoctl(s, SIO_GET_INTERFACE_LIST, None, ROOM)
        try:
            answer = ws.WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, sockaddr_in("224.0.0.251"), 16)
        except Failed as failure:
            if failure.code in (WSAENETUNREACH, WSAENETDOWN):
                not_applicable("this machine has no way to a multicast group")
            raise
    hosts = [host_of(address) for _, address, _, _ in infos(records)]
    expect_true("it is an interface's", host_of(answer) in hosts, actual=host_of(answer))


@case(
    "ioctl.route.refused-{row}",
    chapter=CHAPTER,
    source=ROUTE_TEST,
    basis="observed",
    requirements=["R9.10", "R9.25"],
    rows={
        "short": Row(sockaddr_in(LOOPBACK)[:15], ROOM, WSAEINVAL, None, behaviours=["routeq-short-in"]),
        "null": Row(None, ROOM, WSAEINVAL, None, behaviours=["routeq-short-in"]),
        "no-family": Row(bytes(2) + loopback()[2:], ROOM, WSAEAFNOSUPPORT, None, behaviours=["routeq-zero-family"]),
        "any-address": Row(wildcard(), ROOM, WSAEINVAL, None, behaviours=["routeq-any-address"]),
        "short-out": Row(loopback(), 15, WSAEFAULT, 16, requirements=["R9.12"], behaviours=["routeq-short-out"]),
        "no-out": Row(loopback(), 0, WSAEFAULT, None, behaviours=["routeq-null-out"]),
    },
)
def question_for_a_route_is_refused(ws: Target, data: bytes | None, room: int, code: int, needed: int | None) -> None:
    """What is wrong with the question decides the code; only a buffer that is too short learns the size."""
    with ws.closing(ws.udp()) as s, fails_with(code) as caught:
        ws.WSAIoctl(s, SIO_ROUTING_INTERFACE_QUERY, data, room)
    expect("size told", expected=needed, actual=caught.needed)


@case(
    "ioctl.route.untouched-{row}",
    chapter=CHAPTER,
    source=ROUTE_TEST,
    basis="observed",
    requirements=["R9.25"],
    needs_c=True,
    rows={
        "short": Row(15, AF_INET, LOOPBACK, WSAEINVAL, behaviours=["routeq-short-in"]),
        "no-family": Row(16, 0, LOOPBACK, WSAEAFNOSUPPORT, behaviours=["routeq-zero-family"]),
        "any-address": Row(16, AF_INET, "0.0.0.0", WSAEINVAL, behaviours=["routeq-any-address"]),
    },
)
def refused_question_leaves_the_byte_count(ws: Target, size: int, family: int, host: str, code: int) -> None:
    """A question that is refused for its destination leaves the byte count as it was."""
    data = ws.c.new(struct.pack("<H", family) + sockaddr_in(host)[2:])
    out, count = ws.c.new(16), ws.c.new(dword(0x5A5A5A5A))
    with ws.closing(ws.udp()) as s, fails_with(code):
        given = (data.address, size, out.address, 16, count.address, 0, 0)
        ws.c.check("WSAIoctl", s, SIO_ROUTING_INTERFACE_QUERY, *given)
    expect("byte count", expected=0x5A5A5A5A, actual=count.number())


@case(
    "ioctl.route-change.{row}",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R9.8", "R9.9", "R9.26"],
    rows={"destination": Row(loopback(port=9)), "wildcard": Row(wildcard())},
)
def change_of_a_route_on_a_non_blocking_socket(ws: Target, destination: bytes) -> None:
    """SIO_ROUTING_INTERFACE_CHANGE on a non-blocking socket is WSAEWOULDBLOCK, for one destination or for all."""
    with ws.closing(ws.udp()) as s:
        ws.nonblocking(s)
        with fails_with(WSAEWOULDBLOCK):
            ws.WSAIoctl(s, SIO_ROUTING_INTERFACE_CHANGE, destination)


# ---- connections -----------------------------------------------------------------------------------------------------


@case(
    "ioctl.keepalive.{row}",
    chapter=CHAPTER,
    source="winsock/sio-keepalive-vals",
    basis="documented",
    requirements=["R9.32", "A102"],
    rows={
        "whole-seconds": Row(60_000, 10_000, 60, 10),
        "defaults": Row(7_200_000, 1000, 7200, 1),
        "rounded-up": Row(1500, 2001, 2, 3, basis="choice"),
        "less-than-a-second": Row(100, 1, 1, 1, basis="choice"),
    },
)
def keepalive_times_are_milliseconds(ws: Target, time: int, interval: int, seconds: int, between: int) -> None:
    """SIO_KEEPALIVE_VALS takes milliseconds; SO_KEEPALIVE and the options in seconds show what is set."""
    with ws.closing(ws.tcp()) as s:
        ws.WSAIoctl(s, SIO_KEEPALIVE_VALS, struct.pack("<III", 1, time, interval))
        expect("SO_KEEPALIVE", expected=1, actual=ws.getsockopt(s, SOL_SOCKET, SO_KEEPALIVE)[0])
        expect("TCP_KEEPIDLE", expected=seconds, actual=ws.get_int(s, IPPROTO_TCP, TCP_KEEPIDLE))
        expect("TCP_KEEPINTVL", expected=between, actual=ws.get_int(s, IPPROTO_TCP, TCP_KEEPINTVL))


@case(
    "ioctl.keepalive.off",
    chapter=CHAPTER,
    source="winsock/sio-keepalive-vals",
    basis="documented",
    requirements=["R9.32"],
)
def keepalive_off(ws: Target) -> None:
    """With onoff 0 keep-alive is off, however it was switched on, and the times in the structure are not used."""
    with ws.closing(ws.tcp()) as s:
        ws.WSAIoctl(s, SIO_KEEPALIVE_VALS, struct.pack("<III", 1, 9000, 2000))
        ws.WSAIoctl(s, SIO_KEEPALIVE_VALS, struct.pack("<III", 0, 50_000, 50_000))
        expect("SO_KEEPALIVE", expected=0, actual=ws.getsockopt(s, SOL_SOCKET, SO_KEEPALIVE)[0])
        expect("TCP_KEEPIDLE", expected=9, actual=ws.get_int(s, IPPROTO_TCP, TCP_KEEPIDLE))


@case(
    "ioctl.keepalive.short",
    chapter=CHAPTER,
    source="winsock/sio-keepalive-vals; " + WSAIOCTL,
    basis="documented",
    requirements=["R9.10", "R9.32"],
)
def keepalive_short(ws: Target) -> None:
    """Less than a tcp_keepalive structure is WSAEFAULT."""
    with ws.closing(ws.tcp()) as s, fails_with(WSAEFAULT):
        ws.WSAIoctl(s, SIO_KEEPALIVE_VALS, bytes(11))


@case(
    "ioctl.fast-path",
    chapter=CHAPTER,
    source="winsock/sio-loopback-fast-path",
    basis="documented",
    requirements=["R9.35"],
)
def fast_path(ws: Target) -> None:
    """SIO_LOOPBACK_FAST_PATH is taken on both sides before they connect, and the connection works."""
    with ws.closing(ws.tcp(), ws.tcp()) as (listening, client):
        for s in (listening, client):
            ws.WSAIoctl(s, SIO_LOOPBACK_FAST_PATH, dword(1))
        ws.bind(listening, loopback())
        ws.listen(listening, 1)
        ws.connect(client, ws.getsockname(listening))
        with ws.closing(ws.accept(listening)[0]) as server:
            ws.send(client, b"hello")
            expect("received", expected=b"hello", actual=ws.receive_exactly(server, 5))


@case(
    "ioctl.backlog.connected",
    chapter=CHAPTER,
    source=TESTS.format("test_backlog_query"),
    basis="observed",
    behaviours=["backlog-connected"],
)
def ideal_backlog(ws: Target) -> None:
    """The ideal send backlog of a new connection is 0x10000 bytes."""
    with ws.connected_pair() as (client, _):
        backlog = number(ws.WSAIoctl(client, SIO_IDEAL_SEND_BACKLOG_QUERY, None, 4))
    expect("bytes", expected=0x10000, actual=backlog)


@case(
    "ioctl.backlog.{row}",
    chapter=CHAPTER,
    source="winsock/sio-ideal-send-backlog-query; " + TESTS.format("test_backlog_query"),
    basis="documented",
    requirements=["R9.10"],
    rows={
        "unconnected": Row("stream", SIO_IDEAL_SEND_BACKLOG_QUERY, 4, behaviours=["backlog-unconnected"]),
        "listening": Row("listening", SIO_IDEAL_SEND_BACKLOG_QUERY, 4),
        "change-unconnected": Row("stream", SIO_IDEAL_SEND_BACKLOG_CHANGE, 0),
    },
)
def ideal_backlog_needs_a_connection(ws: Target, state: str, code: int, room: int) -> None:
    """Without a connection the ideal send backlog is WSAENOTCONN."""
    with ws.socket_in(state) as s, fails_with(WSAENOTCONN):
        ws.WSAIoctl(s, code, None, room)


@case(
    "ioctl.backlog.change-{row}",
    chapter=CHAPTER,
    source="winsock/sio-ideal-send-backlog-change",
    basis="documented",
    requirements=["R9.8"],
    rows={"blocking": Row(False), "non-blocking": Row(True)},
)
def change_of_the_backlog_waits(ws: Target, nonblocking: bool) -> None:
    """SIO_IDEAL_SEND_BACKLOG_CHANGE waits in non-blocking mode as well, and closing the socket ends it."""
    with ws.connected_pair() as (client, _), ws.thread() as other:
        ws.nonblocking(client, nonblocking)
        pending = other.start(ws.WSAIoctl, client, SIO_IDEAL_SEND_BACKLOG_CHANGE)
        expect_true("it waits", not pending.finished_within(A_MOMENT))
        ws.closesocket(client)
        with fails_with(WSAEINTR, variants={WSAENOTSOCK: "closed before the wait began"}):
            pending.result()


@case(
    "ioctl.tcp-info.{row}",
    chapter=CHAPTER,
    source="winsock/sio-tcp-info; mstcpip/ns-mstcpip-tcp_info_v0",
    basis="documented",
    requirements=["R9.37"],
    rows={"v0": Row(0, 88), "v1": Row(1, 136)},
)
def statistics_of_a_connection(ws: Target, version: int, size: int) -> None:
    """SIO_TCP_INFO tells the state of a connection and how many bytes it has moved in each direction."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"x" * 1000)
        ws.send_and_settle(server, b"y" * 77)
        ws.receive_exactly(client, 77)
        try:
            record = ws.WSAIoctl(client, SIO_TCP_INFO, dword(version), ROOM)
        except Failed as failure:
            if failure.code == WSAEOPNOTSUPP:
                not_applicable("this machine does not keep such statistics")
            raise
    expect("size", expected=size, actual=len(record))
    state, out, came = struct.unpack_from("<I44xQQ", record)
    expect("state", expected=TCPSTATE_ESTABLISHED, actual=state)
    expect("bytes out and in", expected=(1000, 77), actual=(out, came))


@case(
    "ioctl.tcp-info.refused-{row}",
    chapter=CHAPTER,
    source="winsock/sio-tcp-info",
    basis="documented",
    requirements=["R9.10"],
    rows={
        "no-version": Row(None, ROOM, WSAEMSGSIZE),
        "short-version": Row(bytes(3), ROOM, WSAEMSGSIZE),
        "short-out": Row(bytes(4), 87, WSAEINVAL),
        "unknown-version": Row(dword(1000), ROOM, WSAEINVAL),
    },
)
def statistics_are_refused(ws: Target, data: bytes | None, room: int, code: int) -> None:
    """SIO_TCP_INFO has codes of its own for buffers that are too small."""
    with ws.connected_pair() as (client, _), fails_with(code):
        ws.WSAIoctl(client, SIO_TCP_INFO, data, room)


@case(
    "ioctl.local-peer",
    chapter=CHAPTER,
    source="SIO_AF_UNIX_GETPEERPID in afunix.h; devblogs.microsoft.com/commandline/af_unix-comes-to-windows",
    basis="observed",
)
def process_of_a_local_peer(ws: Target) -> None:
    """SIO_AF_UNIX_GETPEERPID on a local connection gives the process at the other end: here this one."""
    with tempfile.TemporaryDirectory() as folder, new_socket(ws, "local") as listening, new_socket(ws, "local") as s:
        name = sockaddr_un(os.path.join(folder, "s"))
        ws.bind(listening, name)
        ws.listen(listening, 1)
        ws.connect(s, name)
        with ws.closing(ws.accept(listening)[0]) as server:
            answers = [number(ws.WSAIoctl(end, SIO_AF_UNIX_GETPEERPID, None, 4)) for end in (s, server)]
    expect("both ends", expected=answers[:1] * 2, actual=answers)
    expect_true("a process", answers[0], actual=answers[0])


# ---- datagrams -------------------------------------------------------------------------------------------------------


@case(
    "ioctl.circular.accepted",
    chapter=CHAPTER,
    source=TESTS.format("test_circular_queueing"),
    basis="observed",
    requirements=["R9.28"],
    behaviours=["circular-queueing"],
)
def circular_queueing(ws: Target) -> None:
    """SIO_ENABLE_CIRCULAR_QUEUEING on a datagram socket takes no buffers and succeeds."""
    with ws.closing(ws.udp()) as s:
        expect("output", expected=b"", actual=ws.WSAIoctl(s, SIO_ENABLE_CIRCULAR_QUEUEING))


@case(
    "ioctl.circular.newest-stay",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R9.28"],
)
def newest_datagrams_stay(ws: Target) -> None:
    """With circular queueing a queue that is full loses its oldest datagrams, never the newest."""
    with ws.udp_pair() as (sender, receiver):
        ws.setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, 8192)
        ws.WSAIoctl(receiver, SIO_ENABLE_CIRCULAR_QUEUEING)
        for count in range(60):
            ws.send(sender, bytes([count]) * 1000)
        ws.nonblocking(receiver)
        got: list[int] = []

        def receive() -> bool:
            room = bytearray(1000)
            with contextlib.suppress(Failed):
                ws.recv(receiver, room)
                got.append(room[0])
            return got[-1:] == [59]

        ws.until("the newest has arrived", receive)
    expect("they are in order", expected=sorted(got), actual=got)
    expect_true("the oldest are lost", 0 not in got, actual=got)


@case(
    "ioctl.reports.{row}",
    chapter=CHAPTER,
    source=IOCTLS + "; mswsock.h",
    basis="observed",
    requirements=["R9.33"],
    rows={
        "connreset-off": Row(SIO_UDP_CONNRESET, bytes(4), False),
        "connreset-on": Row(SIO_UDP_CONNRESET, dword(1), True),
        "netreset-off": Row(SIO_UDP_NETRESET, bytes(4), True),
        "netreset-on": Row(SIO_UDP_NETRESET, dword(1), True),
    },
)
def report_of_an_unreachable_port(ws: Target, code: int, value: bytes, told: bool) -> None:
    """SIO_UDP_CONNRESET decides whether an unreachable port fails a receive; SIO_UDP_NETRESET does not."""
    with ws.closing(ws.udp()) as s:
        ws.bind(s, loopback())
        ws.WSAIoctl(s, code, value)
        ws.sendto(s, b"x", 0, ws.dead_address(type=2))
        if told:
            ws.wait_readable(s)
            with fails_with(WSAECONNRESET):
                ws.recvfrom(s, bytearray(1))
        else:
            expect_true("nothing comes", not ws.readable(s, A_MOMENT))


@case(
    "ioctl.multicast.scope-{row}",
    chapter=CHAPTER,
    source="winsock/sio-multicast-scope-command-code-for-wsaioctl-2; " + IOCTLS,
    basis="documented",
    requirements=["R5.33"],
    rows={"ipv4": Row(AF_INET, IPPROTO_IP, IP_MULTICAST_TTL), "ipv6": Row(AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS)},
)
def multicast_scope(ws: Target, family: int, level: int, option: int) -> None:
    """SIO_MULTICAST_SCOPE is the time to live of multicast: 1 at first, 0 for this host only."""
    with ws.closing(ws.udp(family)) as s:
        expect("at first", expected=1, actual=ws.get_int(s, level, option))
        for scope in (0, 5):
            ws.WSAIoctl(s, SIO_MULTICAST_SCOPE, dword(scope))
            expect("time to live", expected=scope, actual=ws.get_int(s, level, option))


@case(
    "ioctl.multicast.loopback-{row}",
    chapter=CHAPTER,
    source="winsock/sio-multipoint-loopback-command-code-for-wsaioctl-2; " + IOCTLS,
    basis="documented",
    requirements=["R5.32"],
    rows={
        "ipv4": Row(AF_INET, IPPROTO_IP, IP_MULTICAST_LOOP),
        "ipv6": Row(AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_LOOP),
    },
)
def multicast_loopback(ws: Target, family: int, level: int, option: int) -> None:
    """SIO_MULTIPOINT_LOOPBACK is on at first, and the multicast loopback option shows it."""
    with ws.closing(ws.udp(family)) as s:
        expect("at first", expected=1, actual=ws.get_int(s, level, option))
        for wanted in (0, 1):
            ws.WSAIoctl(s, SIO_MULTIPOINT_LOOPBACK, dword(wanted))
            expect("loopback", expected=wanted, actual=ws.get_int(s, level, option))


@case(
    "ioctl.multicast.short-{row}",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="choice",
    requirements=["R5.34"],
    rows={"scope": Row(SIO_MULTICAST_SCOPE), "loopback": Row(SIO_MULTIPOINT_LOOPBACK)},
)
def multicast_short(ws: Target, code: int) -> None:
    """Less than four bytes are WSAEFAULT."""
    with ws.closing(ws.udp()) as s, fails_with(WSAEFAULT):
        ws.WSAIoctl(s, code, bytes(3))


GROUP = sockaddr_in("239.77.1.2")[4:8]
SOURCES = [sockaddr_in(f"192.0.2.{last}")[4:8] for last in (1, 2, 3)]


def ip_filter(mode: int, *sources: bytes) -> bytes:
    """Return an ip_msfilter for the group on the loopback interface."""
    return GROUP + loopback()[4:8] + struct.pack("<II", mode, len(sources)) + b"".join(sources)


@case(
    "ioctl.multicast.filter-{row}",
    chapter=CHAPTER,
    source="winsock/final-state-based-multicast-programming; ws2ipdef/ns-ws2ipdef-ip_msfilter; RFC 3678",
    basis="documented",
    requirements=["R5.41"],
    rows={
        "include": Row([(MCAST_INCLUDE, SOURCES[:1]), (MCAST_INCLUDE, SOURCES[1:])]),
        "exclude": Row([(MCAST_EXCLUDE, SOURCES[:2]), (MCAST_EXCLUDE, SOURCES[1:])]),
        "exclude-nobody": Row([(MCAST_EXCLUDE, SOURCES), (MCAST_EXCLUDE, [])]),
        "one-kind-and-the-other": Row([(MCAST_INCLUDE, SOURCES[:1]), (MCAST_EXCLUDE, SOURCES[1:])]),
    },
)
def whole_filter_is_replaced(ws: Target, steps: list[tuple[int, list[bytes]]]) -> None:
    """SIO_SET_MULTICAST_FILTER replaces the filter of a group, and SIO_GET_MULTICAST_FILTER shows it."""
    with ws.closing(ws.udp()) as s:
        ws.bind(s, wildcard())
        for mode, sources in steps:
            ws.WSAIoctl(s, SIO_SET_MULTICAST_FILTER, ip_filter(mode, *sources))
            answer = ws.WSAIoctl(s, SIO_GET_MULTICAST_FILTER, ip_filter(0), ROOM)
            expect("mode and count", expected=(mode, len(sources)), actual=struct.unpack_from("<II", answer, 8))
            listed = {bytes(answer[16 + 4 * place :][:4]) for place in range(len(sources))}
            expect("sources", expected=set(sources), actual=listed)


@case(
    "ioctl.multicast.filter-index-{row}",
    chapter=CHAPTER,
    source="winsock/final-state-based-multicast-programming; ws2ipdef/ns-ws2ipdef-group_filter; RFC 3678",
    basis="documented",
    requirements=["R5.41"],
    rows={
        "ipv4": Row(AF_INET, sockaddr_in("239.77.1.2"), sockaddr_in("192.0.2.1")),
        "ipv6": Row(AF_INET6, sockaddr_in6("ff01::77:2"), sockaddr_in6("2001:db8::1")),
    },
)
def whole_filter_of_either_family(ws: Target, family: int, group: bytes, source: bytes) -> None:
    """SIOCSMSFILTER and SIOCGMSFILTER do the same for both families, with an interface index; 0 is the default one."""
    head = struct.pack("<I4x128s", 0, group)
    wanted = struct.pack("<II128s", MCAST_EXCLUDE, 1, source)
    with ws.closing(ws.udp(family)) as s:
        ws.bind(s, wildcard(family))
        ws.WSAIoctl(s, SIOCSMSFILTER, head + wanted)
        answer = ws.WSAIoctl(s, SIOCGMSFILTER, head + bytes(len(wanted)), len(head + wanted))
    expect("mode, count and source", expected=wanted, actual=bytes(answer[len(head) :]))


@case(
    "ioctl.multicast.filter-of-no-member",
    chapter=CHAPTER,
    source="ws2ipdef/ns-ws2ipdef-ip_msfilter; RFC 3678",
    basis="choice",
    requirements=["R5.41"],
)
def filter_of_no_member(ws: Target) -> None:
    """To include nobody is to leave the group, and then there is no filter to read."""
    others = {WSAEINVAL: "a stack that takes the question for a wrong one"}
    with ws.closing(ws.udp()) as s:
        ws.bind(s, wildcard())
        ws.WSAIoctl(s, SIO_SET_MULTICAST_FILTER, ip_filter(MCAST_INCLUDE, SOURCES[0]))
        ws.WSAIoctl(s, SIO_SET_MULTICAST_FILTER, ip_filter(MCAST_INCLUDE))
        with fails_with(WSAEADDRNOTAVAIL, variants=others):
            ws.WSAIoctl(s, SIO_GET_MULTICAST_FILTER, ip_filter(0), ROOM)


@case(
    "ioctl.capture.{row}",
    chapter=CHAPTER,
    source="winsock/sio-rcvall",
    basis="documented",
    requirements=["R9.34"],
    rows={
        "unbound": Row(None, dword(1)),
        "bound-to-all": Row(wildcard(), dword(1)),
        "no-such-mode": Row(loopback(), dword(77)),
        "no-mode": Row(loopback(), None),
    },
)
def capture_is_refused(ws: Target, address: bytes | None, mode: bytes | None) -> None:
    """SIO_RCVALL wants a raw socket that is bound to the address of an interface, and a mode: else WSAEINVAL."""
    with raw_socket(ws, address=address) as s, fails_with(WSAEINVAL):
        ws.WSAIoctl(s, SIO_RCVALL, mode)


@case(
    "ioctl.scaling.{row}",
    chapter=CHAPTER,
    source=IOCTLS,
    basis="documented",
    requirements=["R9.10"],
    rows={"told": Row(1, 0), "no-room": Row(0, WSAEINVAL)},
)
def receive_side_scaling(ws: Target, room: int, code: int) -> None:
    """SIO_QUERY_RSS_SCALABILITY_INFO gives one BOOLEAN; without room for it WSAEINVAL."""
    with ws.closing(ws.tcp()) as s:
        try:
            answer = ws.WSAIoctl(s, SIO_QUERY_RSS_SCALABILITY_INFO, None, room)
        except Failed as failure:
            expect("code", expected=code, actual=failure.code)
        else:
            expect("code", expected=code, actual=0)
            expect_true("a BOOLEAN", answer in (b"\0", b"\1"), actual=answer)
