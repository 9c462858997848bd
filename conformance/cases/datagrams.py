"""Datagrams: UDP sockets with and without a default peer, truncation, errors from the network; ICMP through raw IP."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

from ..addresses import host_of, loopback, own_host, port_of, sockaddr_in, sockaddr_in6
from ..constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_ICMP,
    MSG_OOB,
    MSG_PEEK,
    MSG_WAITALL,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SIO_UDP_CONNRESET,
    SO_BROADCAST,
    SO_MAX_MSG_SIZE,
    SO_RCVTIMEO,
    SOCK_DGRAM,
    SOCK_RAW,
    SOL_SOCKET,
    WSAEACCES,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAECONNRESET,
    WSAEDESTADDRREQ,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from ..model import Row, case, documented_otherwise
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Datagrams"
CONNECT = "winsock2/nf-winsock2-wsaconnect"
RECV = "winsock/nf-winsock-recv"
RECVFROM = "winsock/nf-winsock-recvfrom"
SEND = "winsock2/nf-winsock2-send"
SENDTO = "winsock/nf-winsock-sendto"
SHUTDOWN = "winsock/nf-winsock-shutdown"
CODES = "winsock/windows-sockets-error-codes-2"
IOCTLS = "winsock/winsock-ioctls"
RECONNECTING = "winsock/reconnecting-and-disconnecting-2"
NAMES = "winsock/determining-local-and-remote-names-2"
PUBLIC_TEST = "Wine's public test {}, which passes on Windows"
PROVIDER = "Microsoft TCP/IP provider, requirement {}"
A_MOMENT = 0.05
LIMIT_MS = 200  # of a receive that waits although it should fail
LARGEST = 65507  # 65535 less the headers of IPv4 and UDP
ANYWHERE = "0.0.0.0"
BROADCAST = "255.255.255.255"


@contextlib.contextmanager
def bound(ws: Target, family: int = AF_INET) -> Iterator[int]:
    """A UDP socket on a loopback port; n/a when the machine has no address of the family."""
    with ws.closing(ws.udp(family)) as s:
        try:
            ws.bind(s, loopback(family))
        except Failed:
            if family != AF_INET6:
                raise
            not_applicable("this machine has no IPv6 loopback address")
        yield s


@contextlib.contextmanager
def peers(ws: Target, count: int) -> Iterator[list[int]]:
    """So many UDP sockets on loopback ports."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(bound(ws)) for _ in range(count)]


def send_to(ws: Target, s: int, data: bytes, receiver: int) -> None:
    """Send one datagram from ``s`` to another socket of the case, and wait until that one has something to read."""
    ws.sendto(s, data, 0, ws.getsockname(receiver))
    ws.wait_readable(receiver)


def receive(ws: Target, s: int) -> bytes:
    """Receive one datagram of up to 64 bytes."""
    ws.wait_readable(s)
    buffer = bytearray(64)
    return bytes(buffer[: ws.recv(s, buffer)])


# ---- names -----------------------------------------------------------------------------------------------------------


@case(
    "datagrams.bind.port-0-{row}",
    chapter=CHAPTER,
    source=f"winsock/nf-winsock-bind; {PUBLIC_TEST.format('sock.c:test_UDP')}",
    basis="documented",
    behaviours=["udp-bind-port0"],
    rows={"ipv4": Row(AF_INET, "127.0.0.1"), "ipv6": Row(AF_INET6, "::1")},
)
def bind_gives_a_port(ws: Target, family: int, host: str) -> None:
    """bind to port 0 of the loopback address gives a port at once, which getsockname tells."""
    with bound(ws, family) as s:
        name = ws.getsockname(s)
    expect("address", expected=host, actual=host_of(name))
    expect_true("port is not 0", port_of(name), actual=port_of(name))


@case(
    "datagrams.names.unbound",
    chapter=CHAPTER,
    source=f"{NAMES}; {PUBLIC_TEST.format('sock.c:test_WSASendTo')}",
    basis="documented",
    requirements=["R11.57", "A10"],
    behaviours=["wsasendto-unbound-name"],
)
def unbound_socket_has_no_name(ws: Target) -> None:
    """getsockname on a new socket is WSAEINVAL."""
    with ws.closing(ws.udp()) as s, fails_with(WSAEINVAL):
        ws.getsockname(s)


@case(
    "datagrams.names.no-peer",
    chapter=CHAPTER,
    source=NAMES,
    basis="documented",
    requirements=["R11.57"],
)
def bound_socket_has_no_peer(ws: Target) -> None:
    """getpeername on a socket without a default peer is WSAENOTCONN."""
    with bound(ws) as s, fails_with(WSAENOTCONN):
        ws.getpeername(s)


@case(
    "datagrams.names.implicit-bind",
    chapter=CHAPTER,
    source=SENDTO,
    basis="documented",
    requirements=["R11.23", "R11.58"],
)
def sendto_binds_to_the_wildcard(ws: Target) -> None:
    """sendto on an unbound socket binds it: getsockname shows the wildcard address and the port it got."""
    with bound(ws) as receiver, ws.closing(ws.udp()) as s:
        send_to(ws, s, b"x", receiver)
        name = ws.getsockname(s)
        _, sender = ws.recvfrom(receiver, bytearray(4))
    expect("address", expected=ANYWHERE, actual=host_of(name))
    expect("port", expected=port_of(sender or b""), actual=port_of(name))


@case(
    "datagrams.names.bind-after-{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-bind, error WSAEINVAL",
    basis="documented",
    requirements=["R11.1", "A6"],
    rows={"bind": Row("bind"), "sendto": Row("sendto"), "connect": Row("connect")},
)
def socket_is_bound_once(ws: Target, first: str) -> None:
    """A bind after a bind, or after a call that bound the socket itself, is WSAEINVAL."""
    with bound(ws) as other, ws.closing(ws.udp()) as s:
        if first == "bind":
            ws.bind(s, loopback())
        elif first == "sendto":
            ws.sendto(s, b"x", 0, ws.getsockname(other))
        else:
            ws.connect(s, ws.getsockname(other))
        with fails_with(WSAEINVAL):
            ws.bind(s, loopback())


@case(
    "datagrams.names.connected",
    chapter=CHAPTER,
    source=CONNECT,
    basis="documented",
    requirements=["R11.24", "R11.57"],
)
def connected_socket_has_both_names(ws: Target) -> None:
    """After connect getpeername tells the default peer and getsockname a real local address."""
    with bound(ws) as peer, ws.closing(ws.udp()) as s:
        ws.connect(s, ws.getsockname(peer))
        expect("peer", expected=ws.getsockname(peer), actual=ws.getpeername(s))
        expect("local address", expected="127.0.0.1", actual=host_of(ws.getsockname(s)))


# ---- sending and receiving -------------------------------------------------------------------------------------------


@case(
    "datagrams.send.source-{row}",
    chapter=CHAPTER,
    source=f"{RECVFROM}; {PUBLIC_TEST.format('sock.c:test_UDP')}",
    basis="documented",
    behaviours=["udp-sendto-source"],
    rows={"ipv4": Row(AF_INET), "ipv6": Row(AF_INET6)},
)
def receiver_learns_the_sender(ws: Target, family: int) -> None:
    """Datagrams of two senders arrive whole, each with the address its sender is bound to."""
    with bound(ws, family) as server, bound(ws, family) as first, bound(ws, family) as second:
        for client, data in ((first, b"datagram-of-one!"), (second, b"datagram-of-two!")):
            buffer = bytearray(16)
            send_to(ws, client, data, server)
            received, sender = ws.recvfrom(server, buffer)
            expect("received", expected=16, actual=received)
            expect("data", expected=data, actual=bytes(buffer))
            expect("sender", expected=ws.getsockname(client), actual=sender)


@case(
    "datagrams.send.nobody-listens-{row}",
    chapter=CHAPTER,
    source=f"{SENDTO}; {PUBLIC_TEST.format('sock.c:test_WSASendTo')}",
    basis="documented",
    requirements=["A34"],
    rows={
        "wsasendto": Row("WSASendTo", [b"datagram"], behaviours=["wsasendto-ok"]),
        "sendto": Row("sendto", b"datagram"),
    },
)
def sending_to_a_dead_port_succeeds(ws: Target, call: str, data: object) -> None:
    """A datagram to a port where nobody listens is sent like any other, time and again."""
    nowhere = ws.dead_address(type=SOCK_DGRAM)
    with ws.closing(ws.udp()) as s:
        counts = [getattr(ws, call)(s, data, 0, nowhere) for _ in range(3)]
    expect("sent", expected=[8, 8, 8], actual=counts)


@case(
    "datagrams.receive.one-each",
    chapter=CHAPTER,
    source=RECVFROM,
    basis="documented",
    requirements=["R7.4", "R7.18"],
)
def every_receive_takes_one_datagram(ws: Target) -> None:
    """Three datagrams are received by three calls, in order, however large the buffer is."""
    with ws.udp_pair() as (a, b):
        for data in (b"one", b"three", b"two"):
            ws.send(a, data)
        expect("data", expected=[b"one", b"three", b"two"], actual=[receive(ws, b) for _ in range(3)])
        expect_true("nothing follows", not ws.readable(b))


@case(
    "datagrams.receive.empty",
    chapter=CHAPTER,
    source=f"{RECV}; {SENDTO}",
    basis="documented",
    requirements=["A87", "A88"],
)
def empty_datagram_is_a_datagram(ws: Target) -> None:
    """A datagram without data is sent and received with 0 bytes, and that is no end: the next one arrives."""
    with ws.udp_pair(connected=False) as (a, b):
        expect("sent", expected=0, actual=ws.sendto(a, b"", 0, ws.getsockname(b)))
        ws.wait_readable(b)
        expect("received", expected=(0, ws.getsockname(a)), actual=ws.recvfrom(b, bytearray(4)))
        send_to(ws, a, b"next", b)
        expect("next", expected=b"next", actual=receive(ws, b))


@case("datagrams.receive.waits", chapter=CHAPTER, source=RECVFROM, basis="documented")
def blocking_receive_waits(ws: Target) -> None:
    """A blocking recvfrom waits for a datagram."""
    with ws.udp_pair(connected=False) as (a, b), ws.thread() as other:
        pending = other.start(ws.recvfrom, b, bytearray(8))
        expect_true("recvfrom waits", not pending.finished_within(A_MOMENT))
        ws.sendto(a, b"late", 0, ws.getsockname(b))
        expect("received", expected=(4, ws.getsockname(a)), actual=pending.result())


@case(
    "datagrams.receive.nothing-there-{row}",
    chapter=CHAPTER,
    source=f"{RECVFROM}, error WSAEWOULDBLOCK",
    basis="documented",
    rows={
        "recv": Row("recv", bytearray(4), requirements=["B20"]),
        "recvfrom": Row("recvfrom", bytearray(4), requirements=["B21"]),
        "wsarecv": Row("WSARecv", [bytearray(4)], requirements=["B22"]),
        "wsarecvfrom": Row("WSARecvFrom", [bytearray(4)], requirements=["B23"]),
    },
)
def nonblocking_receive_without_datagram(ws: Target, call: str, buffer: object) -> None:
    """A receive on a non-blocking socket without a datagram is WSAEWOULDBLOCK."""
    with bound(ws) as s:
        ws.nonblocking(s)
        with fails_with(WSAEWOULDBLOCK, call):
            getattr(ws, call)(s, buffer)


@case(
    "datagrams.receive.timeout",
    chapter=CHAPTER,
    source="winsock/sol-socket-socket-options, SO_RCVTIMEO",
    basis="documented",
    requirements=["A51", "A52"],
)
def receive_times_out(ws: Target) -> None:
    """With SO_RCVTIMEO a recvfrom that gets nothing fails with WSAETIMEDOUT."""
    with bound(ws) as s:
        ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 30)
        with fails_with(WSAETIMEDOUT):
            ws.recvfrom(s, bytearray(4))


@case(
    "datagrams.receive.unbound-{row}",
    chapter=CHAPTER,
    source=f"{RECV}, error WSAEINVAL",
    basis="documented",
    requirements=["A12", "R11.23"],
    rows={
        "recv": Row("recv", bytearray(4), requirements=["B20"]),
        "recvfrom": Row("recvfrom", bytearray(4), requirements=["B21"]),
        "wsarecv": Row("WSARecv", [bytearray(4)], requirements=["B22"]),
        "wsarecvfrom": Row("WSARecvFrom", [bytearray(4)], requirements=["B23"]),
    },
)
def receiving_needs_a_local_address(ws: Target, call: str, buffer: object) -> None:
    """A receive on a socket that is not bound is WSAEINVAL; it binds nothing."""
    with ws.closing(ws.udp()) as s:
        ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, LIMIT_MS)
        with fails_with(WSAEINVAL, call):
            getattr(ws, call)(s, buffer)
        with fails_with(WSAEINVAL):
            ws.getsockname(s)


@case(
    "datagrams.receive.fionread-one",
    chapter=CHAPTER,
    source=f"{IOCTLS}, FIONREAD",
    basis="documented",
    requirements=["R9.21"],
)
def fionread_of_one_datagram(ws: Target) -> None:
    """With one datagram queued FIONREAD tells its size, and 0 once it is received."""
    with ws.udp_pair() as (a, b):
        ws.send_and_settle(a, b"datagram")
        expect("queued", expected=8, actual=ws.queued(b))
        expect("data", expected=b"datagram", actual=receive(ws, b))
        expect("queued then", expected=0, actual=ws.queued(b))


@case(
    "datagrams.receive.fionread-all",
    chapter=CHAPTER,
    source=f"{IOCTLS}, FIONREAD",
    basis="documented",
    requirements=["R9.21", "A89"],
    differs={"wine": documented_otherwise("FIONREAD counts the first datagram alone")},
)
def fionread_counts_all_datagrams(ws: Target) -> None:
    """With two datagrams queued FIONREAD tells the sum of their sizes."""
    with ws.udp_pair() as (a, b):
        ws.send_and_settle(a, b"first")
        ws.send(a, b"second")
        ws.until("both are counted", lambda: ws.queued(b) == 11)


# ---- the default peer ------------------------------------------------------------------------------------------------


@case(
    "datagrams.connect.sets-the-peer",
    chapter=CHAPTER,
    source=CONNECT,
    basis="documented",
    requirements=["R11.24"],
)
def connect_sets_the_destination(ws: Target) -> None:
    """After connect, which ends at once, send needs no address; the other end need not be connected."""
    with peers(ws, 2) as (s, peer):
        ws.connect(s, ws.getsockname(peer))
        expect("sent", expected=4, actual=ws.send(s, b"data"))
        expect("data", expected=b"data", actual=receive(ws, peer))


@case(
    "datagrams.connect.nonblocking",
    chapter=CHAPTER,
    source=CONNECT,
    basis="documented",
    requirements=["R11.24"],
)
def nonblocking_connect_ends_at_once(ws: Target) -> None:
    """connect on a non-blocking datagram socket succeeds; there is no WSAEWOULDBLOCK."""
    with peers(ws, 2) as (s, peer):
        ws.nonblocking(s)
        ws.connect(s, ws.getsockname(peer))
        expect("peer", expected=ws.getsockname(peer), actual=ws.getpeername(s))


@case(
    "datagrams.connect.filters",
    chapter=CHAPTER,
    source=CONNECT,
    basis="documented",
    requirements=["R11.24"],
)
def connected_socket_hears_its_peer_only(ws: Target) -> None:
    """A connected socket gets its peer's datagrams and nobody else's."""
    with peers(ws, 3) as (s, peer, stranger):
        ws.connect(s, ws.getsockname(peer))
        ws.sendto(stranger, b"stranger", 0, ws.getsockname(s))
        ws.sendto(peer, b"peer", 0, ws.getsockname(s))
        expect("data", expected=b"peer", actual=receive(ws, s))
        expect_true("nothing else", not ws.readable(s, A_MOMENT))


@case(
    "datagrams.connect.again",
    chapter=CHAPTER,
    source=RECONNECTING,
    basis="documented",
    requirements=["R11.24"],
)
def connect_again_changes_the_peer(ws: Target) -> None:
    """A second connect succeeds and sends go to the new peer."""
    with peers(ws, 3) as (s, first, second):
        ws.connect(s, ws.getsockname(first))
        ws.connect(s, ws.getsockname(second))
        ws.send(s, b"data")
        expect("data", expected=b"data", actual=receive(ws, second))
        expect_true("first peer gets nothing", not ws.readable(first, A_MOMENT))
        expect("peer", expected=ws.getsockname(second), actual=ws.getpeername(s))


@case(
    "datagrams.connect.again-discards",
    chapter=CHAPTER,
    source=RECONNECTING,
    basis="documented",
    requirements=["R11.24"],
    differs={"wine": documented_otherwise("the old peer's datagrams stay")},
)
def connect_again_discards_what_is_queued(ws: Target) -> None:
    """A datagram of the old peer that is still queued is gone after connect to another one."""
    with peers(ws, 3) as (s, first, second):
        ws.connect(s, ws.getsockname(first))
        send_to(ws, first, b"old", s)
        ws.connect(s, ws.getsockname(second))
        expect_true("nothing is queued", not ws.readable(s, A_MOMENT))
        send_to(ws, second, b"new", s)
        expect("data", expected=b"new", actual=receive(ws, s))


@case(
    "datagrams.connect.same-peer-keeps",
    chapter=CHAPTER,
    source=RECONNECTING,
    basis="documented",
    requirements=["R11.24"],
)
def connect_to_the_same_peer_keeps_what_is_queued(ws: Target) -> None:
    """A datagram of the peer that is still queued stays when the socket is connected to the same peer again."""
    with peers(ws, 2) as (s, peer):
        ws.connect(s, ws.getsockname(peer))
        send_to(ws, peer, b"kept", s)
        ws.connect(s, ws.getsockname(peer))
        expect("data", expected=b"kept", actual=receive(ws, s))


@contextlib.contextmanager
def disconnected(ws: Target, zeros: bytes = bytes(16)) -> Iterator[tuple[int, int]]:
    """A socket whose default peer was taken away, and that peer."""
    with peers(ws, 2) as (s, peer):
        ws.connect(s, ws.getsockname(peer))
        ws.connect(s, zeros)
        yield s, peer


@case(
    "datagrams.disconnect.send-{row}",
    chapter=CHAPTER,
    source=RECONNECTING,
    basis="documented",
    requirements=["R11.25"],
    rows={
        "all-zero": Row("send", bytes(16)),
        "zero-address-of-the-family": Row("send", sockaddr_in(ANYWHERE)),
        "wsasend": Row("WSASend", bytes(16)),
    },
)
def zeros_take_the_peer_away(ws: Target, call: str, zeros: bytes) -> None:
    """connect to an address of zeros takes the peer away: send and getpeername are WSAENOTCONN."""
    with disconnected(ws, zeros) as (s, _):
        with fails_with(WSAENOTCONN):
            getattr(ws, call)(s, [b"x"] if call == "WSASend" else b"x")
        with fails_with(WSAENOTCONN):
            ws.getpeername(s)


@case(
    "datagrams.disconnect.receive-{row}",
    chapter=CHAPTER,
    source=RECONNECTING,
    basis="documented",
    requirements=["R11.25"],
    rows={"recv": Row("recv", bytearray(4)), "wsarecv": Row("WSARecv", [bytearray(4)])},
)
def without_peer_recv_does_not_work(ws: Target, call: str, buffer: object) -> None:
    """After the peer was taken away recv is WSAENOTCONN."""
    with disconnected(ws) as (s, _):
        ws.nonblocking(s)
        with fails_with(WSAENOTCONN):
            getattr(ws, call)(s, buffer)


@case(
    "datagrams.disconnect.with-addresses",
    chapter=CHAPTER,
    source=RECONNECTING,
    basis="documented",
    requirements=["R11.25"],
    differs={"wine": documented_otherwise("the socket loses its port together with its peer")},
)
def without_peer_addresses_work(ws: Target) -> None:
    """After the peer was taken away sendto and recvfrom work, with anybody."""
    with disconnected(ws) as (s, peer), bound(ws) as stranger:
        send_to(ws, s, b"out", stranger)
        expect("out", expected=b"out", actual=receive(ws, stranger))
        for sender in (peer, stranger):
            send_to(ws, sender, b"in", s)
            expect("in", expected=(2, ws.getsockname(sender)), actual=ws.recvfrom(s, bytearray(4)))


@case(
    "datagrams.connect.broadcast",
    chapter=CHAPTER,
    source=f"{CONNECT}, error WSAEACCES",
    basis="documented",
    requirements=["R11.26", "R16.22", "A72"],
)
def connect_to_broadcast_needs_permission(ws: Target) -> None:
    """connect to the broadcast address without SO_BROADCAST is WSAEACCES."""
    with ws.closing(ws.udp()) as s, fails_with(WSAEACCES):
        ws.connect(s, sockaddr_in(BROADCAST, 9))


@case(
    "datagrams.connect.refuses-{row}",
    chapter=CHAPTER,
    source=f"{CONNECT}; requirement B9",
    basis="documented",
    requirements=["B9", "R16.30"],
    rows={
        "port-0": Row(sockaddr_in("127.0.0.1", 0), WSAEADDRNOTAVAIL, requirements=["A18"]),
        "address-0": Row(sockaddr_in(ANYWHERE, 9), WSAEADDRNOTAVAIL, requirements=["A17"]),
        "null": Row(None, WSAEFAULT),
        "short": Row(sockaddr_in(port=9)[:15], WSAEFAULT),
        "other-family": Row(sockaddr_in6(port=9), WSAEAFNOSUPPORT),
    },
)
def connect_refuses(ws: Target, name: bytes | None, code: int) -> None:
    """An address or port of 0 is WSAEADDRNOTAVAIL, no or a short address WSAEFAULT, another family WSAEAFNOSUPPORT."""
    with ws.closing(ws.udp()) as s, fails_with(code):
        ws.connect(s, name)


@case(
    "datagrams.sendto.while-connected",
    chapter=CHAPTER,
    source="winsock/using-sendto-while-connected-2",
    basis="documented",
    requirements=["R11.27"],
)
def sendto_overrides_the_peer_once(ws: Target) -> None:
    """sendto on a connected socket goes to its address, for that datagram only."""
    with peers(ws, 3) as (s, peer, stranger):
        ws.connect(s, ws.getsockname(peer))
        send_to(ws, s, b"once", stranger)
        ws.send(s, b"again")
        expect("stranger gets", expected=b"once", actual=receive(ws, stranger))
        expect("peer gets", expected=b"again", actual=receive(ws, peer))
        expect("peer", expected=ws.getsockname(peer), actual=ws.getpeername(s))


@case(
    "datagrams.sendto.null-while-connected",
    chapter=CHAPTER,
    source=SENDTO,
    basis="documented",
    requirements=["B16"],
)
def sendto_without_address_goes_to_the_peer(ws: Target) -> None:
    """sendto without an address on a connected socket goes to its peer."""
    with peers(ws, 2) as (s, peer):
        ws.connect(s, ws.getsockname(peer))
        expect("sent", expected=4, actual=ws.sendto(s, b"data", 0, None))
        expect("data", expected=b"data", actual=receive(ws, peer))


# ---- errors of sends -------------------------------------------------------------------------------------------------


@case(
    "datagrams.send.no-peer-{row}",
    chapter=CHAPTER,
    source=f"{CODES}, WSAENOTCONN and WSAEDESTADDRREQ",
    basis="observed",
    requirements=["A37", "R16.28", "R16.29"],
    rows={
        "send": Row("send", b"x", requirements=["B15"]),
        "wsasend": Row("WSASend", [b"x"], requirements=["B17"]),
        "sendto": Row("sendto", b"x", 0, None, requirements=["B16"]),
        "wsasendto": Row("WSASendTo", [b"x"], 0, None, requirements=["B18"]),
    },
)
def sending_needs_an_address(ws: Target, call: str, *arguments: object) -> None:
    """Without an address and a default peer a send is WSAENOTCONN."""
    with bound(ws) as s, fails_with(WSAENOTCONN, call, variants={WSAEDESTADDRREQ: "the page of sendto"}):
        getattr(ws, call)(s, *arguments)


@case(
    "datagrams.sendto.refuses-{row}",
    chapter=CHAPTER,
    source=f"{SENDTO}; requirement B16",
    basis="documented",
    requirements=["B16"],
    rows={
        "port-0": Row(sockaddr_in("127.0.0.1", 0), WSAEADDRNOTAVAIL, requirements=["A18", "R16.30"]),
        "address-0": Row(sockaddr_in(ANYWHERE, 9), WSAEADDRNOTAVAIL, requirements=["R16.30"]),
        "short": Row(sockaddr_in(port=9)[:15], WSAEFAULT, requirements=["R16.23"]),
        "other-family": Row(sockaddr_in6(port=9), WSAEAFNOSUPPORT),
        "broadcast": Row(sockaddr_in(BROADCAST, 9), WSAEACCES, requirements=["A72", "R16.22"]),
    },
)
def sendto_refuses(ws: Target, to: bytes, code: int) -> None:
    """0 for address or port is WSAEADDRNOTAVAIL, a short address WSAEFAULT, broadcast without permission WSAEACCES."""
    with bound(ws) as s:
        for call, data in (("sendto", b"x"), ("WSASendTo", [b"x"])):
            with fails_with(code, call):
                getattr(ws, call)(s, data, 0, to)


@case(
    "datagrams.send.too-large-{row}",
    chapter=CHAPTER,
    source=f"{SENDTO}, error WSAEMSGSIZE",
    basis="documented",
    requirements=["A35", "R16.25"],
    rows={
        "sendto": Row("sendto", bytes(LARGEST + 1), requirements=["B16"]),
        "wsasendto": Row("WSASendTo", [bytes(LARGEST), b"x"], requirements=["B18"]),
    },
)
def too_large_a_datagram_is_refused(ws: Target, call: str, data: object) -> None:
    """A datagram of more than 65507 bytes is WSAEMSGSIZE, and nothing is sent."""
    with ws.udp_pair(connected=False) as (a, b):
        with fails_with(WSAEMSGSIZE, call):
            getattr(ws, call)(a, data, 0, ws.getsockname(b))
        expect_true("nothing arrives", not ws.readable(b, A_MOMENT))


@case(
    "datagrams.send.largest",
    chapter=CHAPTER,
    source="winsock/sol-socket-socket-options, SO_MAX_MSG_SIZE",
    basis="documented",
    requirements=["A35"],
)
def largest_datagram_arrives(ws: Target) -> None:
    """A datagram of the size that SO_MAX_MSG_SIZE tells, 65507 bytes, is sent and received whole."""
    with ws.udp_pair(connected=False) as (a, b):
        expect("SO_MAX_MSG_SIZE", expected=LARGEST, actual=ws.get_int(a, SOL_SOCKET, SO_MAX_MSG_SIZE))
        data, buffer = bytes(i % 253 for i in range(LARGEST)), bytearray(LARGEST)
        send_to(ws, a, data, b)
        expect("received", expected=LARGEST, actual=ws.recv(b, buffer))
    expect_true("data is the same", bytes(buffer) == data)


@case(
    "datagrams.send.after-shutdown-{row}",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}; {SENDTO}, error WSAESHUTDOWN",
    basis="documented",
    requirements=["R12.9"],
    rows={"send": Row(SD_SEND), "both": Row(SD_BOTH)},
)
def no_sendto_after_shutdown(ws: Target, how: int) -> None:
    """shutdown works without a peer, and afterwards sendto is WSAESHUTDOWN."""
    with bound(ws) as s:
        ws.shutdown(s, how)
        with fails_with(WSAESHUTDOWN):
            ws.sendto(s, b"x", 0, loopback(port=9))


@case(
    "datagrams.receive.after-shutdown",
    chapter=CHAPTER,
    source=f"{SHUTDOWN}; {RECVFROM}, error WSAESHUTDOWN",
    basis="documented",
    requirements=["R12.3", "A39"],
)
def no_receive_after_shutdown(ws: Target) -> None:
    """After shutdown of receiving recvfrom is WSAESHUTDOWN, also with a datagram there; sending goes on."""
    with ws.udp_pair(connected=False) as (a, b):
        send_to(ws, a, b"x", b)
        ws.shutdown(b, SD_RECEIVE)
        with fails_with(WSAESHUTDOWN):
            ws.recvfrom(b, bytearray(4))
        send_to(ws, b, b"out", a)
        expect("data", expected=b"out", actual=receive(ws, a))


# ---- flags and buffers of receives -----------------------------------------------------------------------------------


@case(
    "datagrams.truncation.{row}",
    chapter=CHAPTER,
    source=f"{RECVFROM}, error WSAEMSGSIZE; {PUBLIC_TEST.format('afd.c:test_recv')}",
    basis="documented",
    requirements=["A30", "R16.25"],
    behaviours=["afd-recv-udp-truncated"],
    rows={
        "recv": Row("recv", requirements=["B20"]),
        "recvfrom": Row("recvfrom", requirements=["B21"]),
        "wsarecv": Row("WSARecv", requirements=["R7.6", "R7.7"]),
        "wsarecvfrom": Row("WSARecvFrom", requirements=["R7.6", "R7.7"]),
    },
)
def too_small_a_buffer_cuts(ws: Target, call: str) -> None:
    """A datagram that does not fit is WSAEMSGSIZE: the buffer has its beginning, the rest is lost."""
    buffer = bytearray(6)
    with ws.udp_pair(connected=False) as (a, b):
        send_to(ws, a, b"0123456789", b)
        with fails_with(WSAEMSGSIZE, call) as caught:
            getattr(ws, call)(b, [buffer] if call.startswith("WSA") else buffer)
        expect("buffer", expected=b"012345", actual=bytes(buffer))
        if call.startswith("WSA"):
            expect("bytes reported", expected=6, actual=caught.moved)
        if call.endswith("rom"):
            expect("sender", expected=ws.getsockname(a), actual=caught.address)
        send_to(ws, a, b"next", b)
        expect("next datagram", expected=b"next", actual=receive(ws, b))


@case(
    "datagrams.truncation.waiting-{row}",
    chapter=CHAPTER,
    source=PUBLIC_TEST.format("afd.c:test_recv"),
    basis="observed",
    requirements=["R7.6"],
    behaviours=["afd-recv-udp-truncated"],
    rows={"one-buffer": Row(6), "two-buffers": Row(4, 2)},
)
def truncation_of_a_waiting_receive(ws: Target, *sizes: int) -> None:
    """A receive that waited meets the same: WSAEMSGSIZE, its buffers full, the rest dropped."""
    buffers = [bytearray(size) for size in sizes]
    with ws.udp_pair(connected=False) as (a, b), ws.thread() as other:
        pending = other.start(ws.WSARecv, b, buffers)
        expect_true("the receive waits", not pending.finished_within(A_MOMENT))
        ws.sendto(a, b"0123456789", 0, ws.getsockname(b))
        with fails_with(WSAEMSGSIZE, "the waiting receive") as caught:
            pending.result()
        expect("bytes reported", expected=6, actual=caught.moved)
        expect("buffers", expected=b"012345", actual=b"".join(buffers))
        expect_true("the rest is gone", not ws.readable(b, A_MOMENT))


@case(
    "datagrams.truncation.exact-fit",
    chapter=CHAPTER,
    source=RECVFROM,
    basis="documented",
    requirements=["A30"],
)
def exact_fit_is_no_truncation(ws: Target) -> None:
    """A datagram as large as the buffer is received without complaint."""
    buffer = bytearray(10)
    with ws.udp_pair(connected=False) as (a, b):
        send_to(ws, a, b"0123456789", b)
        expect("received", expected=10, actual=ws.recv(b, buffer))


@case(
    "datagrams.truncation.no-room-at-all",
    chapter=CHAPTER,
    source=f"{RECV}, error WSAEMSGSIZE",
    basis="documented",
    requirements=["A30"],
)
def datagram_into_nothing_is_cut(ws: Target) -> None:
    """A receive with a buffer of no bytes is WSAEMSGSIZE for a datagram with data, which is lost."""
    with ws.udp_pair(connected=False) as (a, b):
        send_to(ws, a, b"gone", b)
        with fails_with(WSAEMSGSIZE):
            ws.recv(b, bytearray())
        expect_true("the datagram is gone", not ws.readable(b, A_MOMENT))


@case("datagrams.peek.whole", chapter=CHAPTER, source=f"{RECVFROM}, parameter flags", basis="documented")
def peek_leaves_the_datagram(ws: Target) -> None:
    """MSG_PEEK gives the datagram and its sender and leaves it for the next receive."""
    peeked = bytearray(8)
    with ws.udp_pair(connected=False) as (a, b):
        send_to(ws, a, b"data", b)
        expect("peeked", expected=(4, ws.getsockname(a)), actual=ws.recvfrom(b, peeked, MSG_PEEK))
        expect("received", expected=b"data", actual=receive(ws, b))
    expect("data peeked", expected=b"data", actual=bytes(peeked[:4]))


@case(
    "datagrams.peek.truncated-{row}",
    chapter=CHAPTER,
    source=PROVIDER.format("A31"),
    basis="observed",
    requirements=["A31"],
    rows={"recv": Row("recv"), "wsarecv": Row("WSARecv")},
)
def peek_into_too_small_a_buffer(ws: Target, call: str) -> None:
    """MSG_PEEK with too small a buffer is WSAEMSGSIZE too, and the datagram stays whole."""
    buffer = bytearray(4)
    with ws.udp_pair(connected=False) as (a, b):
        send_to(ws, a, b"0123456789", b)
        with fails_with(WSAEMSGSIZE, call):
            getattr(ws, call)(b, [buffer] if call == "WSARecv" else buffer, MSG_PEEK)
        expect("buffer", expected=b"0123", actual=bytes(buffer))
        expect("received", expected=b"0123456789", actual=receive(ws, b))


@case(
    "datagrams.flags.unsupported-{row}",
    chapter=CHAPTER,
    source=f"{RECV}, error WSAEOPNOTSUPP",
    basis="documented",
    requirements=["B20"],
    rows={"waitall": Row("recv", MSG_WAITALL), "oob": Row("recv", MSG_OOB), "oob-send": Row("send", MSG_OOB)},
)
def stream_flags_are_unsupported(ws: Target, call: str, flags: int) -> None:
    """MSG_WAITALL and MSG_OOB on a datagram socket are WSAEOPNOTSUPP; a datagram that waits stays."""
    with ws.udp_pair() as (a, b):
        ws.send_and_settle(a, b"data")
        with fails_with(WSAEOPNOTSUPP):
            getattr(ws, call)(b, bytearray(4), flags)
        expect("received", expected=b"data", actual=receive(ws, b))


@case(
    "datagrams.recvfrom.short-address-{row}",
    chapter=CHAPTER,
    source=f"{RECVFROM}, error WSAEFAULT",
    basis="documented",
    requirements=["R16.23"],
    rows={
        "recvfrom": Row("recvfrom", bytearray(4), requirements=["B21"]),
        "wsarecvfrom": Row("WSARecvFrom", [bytearray(4)], requirements=["B23"]),
    },
)
def room_for_the_sender_is_checked_first(ws: Target, call: str, buffer: object) -> None:
    """Too little room for the sender's address is WSAEFAULT, before anything is waited for or received."""
    with ws.udp_pair(connected=False) as (a, b):
        ws.setsockopt(b, SOL_SOCKET, SO_RCVTIMEO, LIMIT_MS)
        with fails_with(WSAEFAULT, call):
            getattr(ws, call)(b, buffer, 0, 15)
        send_to(ws, a, b"data", b)
        with fails_with(WSAEFAULT, call):
            getattr(ws, call)(b, buffer, 0, 15)
        expect("received", expected=b"data", actual=receive(ws, b))


@case(
    "datagrams.recvfrom.c-no-address",
    chapter=CHAPTER,
    source=f"{RECVFROM}, parameter from",
    basis="documented",
    requirements=["B21"],
    needs_c=True,
)
def sender_is_optional(ws: Target) -> None:
    """With NULL for the address and its length recvfrom receives without telling the sender."""
    with ws.udp_pair(connected=False) as (a, b):
        send_to(ws, a, b"data", b)
        room = ws.c.new(8)
        expect("received", expected=4, actual=ws.c.check("recvfrom", b, room.address, 8, 0, 0, 0))
        expect("data", expected=b"data", actual=room.read(4))


@case(
    "datagrams.recvfrom.c-address-without-length",
    chapter=CHAPTER,
    source=f"{RECVFROM}, error WSAEFAULT",
    basis="documented",
    requirements=["B21"],
    needs_c=True,
)
def sender_needs_a_length(ws: Target) -> None:
    """An address buffer without a length pointer is WSAEFAULT, and the datagram stays."""
    with ws.udp_pair(connected=False) as (a, b):
        send_to(ws, a, b"data", b)
        room, address = ws.c.new(8), ws.c.new(16)
        with fails_with(WSAEFAULT):
            ws.c.check("recvfrom", b, room.address, 8, 0, address.address, 0)
        expect("received", expected=b"data", actual=receive(ws, b))


@case(
    "datagrams.recvfrom.c-length",
    chapter=CHAPTER,
    source=f"{RECVFROM}, parameter fromlen",
    basis="documented",
    needs_c=True,
)
def length_becomes_the_size_of_the_address(ws: Target) -> None:
    """With more room than needed the length becomes 16."""
    with ws.udp_pair(connected=False) as (a, b):
        send_to(ws, a, b"data", b)
        room, address, length = ws.c.new(8), ws.c.new(b"\xab" * 28), ws.c.new((28).to_bytes(4, "little"))
        ws.c.check("recvfrom", b, room.address, 8, 0, address.address, length.address)
        expect("length", expected=16, actual=length.number())
        expect("address", expected=ws.getsockname(a), actual=address.read(16))


# ---- what the network reports ----------------------------------------------------------------------------------------


@case(
    "datagrams.unreachable.receive-{row}",
    chapter=CHAPTER,
    source=f"{RECVFROM}, error WSAECONNRESET",
    basis="documented",
    requirements=["A32", "R16.27"],
    rows={
        "unconnected": Row(False, "recvfrom"),
        "unconnected-recv": Row(False, "recv"),
        "connected": Row(True, "recv"),
        "connected-wsarecv": Row(True, "WSARecv"),
    },
)
def closed_port_fails_a_later_receive(ws: Target, connected: bool, call: str) -> None:
    """After a datagram met a closed port one receive fails with WSAECONNRESET; the next works again."""
    nowhere = ws.dead_address(type=SOCK_DGRAM)
    with bound(ws) as s, bound(ws) as friend:
        if connected:
            ws.connect(s, nowhere)
            ws.send(s, b"x")
        else:
            ws.sendto(s, b"x", 0, nowhere)
        ws.wait_readable(s)
        with fails_with(WSAECONNRESET, call):
            getattr(ws, call)(s, [bytearray(4)] if call == "WSARecv" else bytearray(4))
        if connected:
            ws.connect(s, ws.getsockname(friend))
        send_to(ws, friend, b"hello", s)
        expect("received", expected=b"hello", actual=receive(ws, s))


@case(
    "datagrams.unreachable.send-{row}",
    chapter=CHAPTER,
    source=f"{SEND}; requirement A34",
    basis="observed",
    requirements=["A34"],
    rows={"connected": Row(True), "unconnected": Row(False)},
)
def closed_port_fails_no_send(ws: Target, connected: bool) -> None:
    """Sends go on succeeding although earlier datagrams met a closed port; the report waits for a receive."""
    nowhere = ws.dead_address(type=SOCK_DGRAM)
    with bound(ws) as s:
        if connected:
            ws.connect(s, nowhere)
        for _ in range(3):
            sent = ws.send(s, b"x") if connected else ws.sendto(s, b"x", 0, nowhere)
            expect("sent", expected=1, actual=sent)
            ws.wait_readable(s)
        with fails_with(WSAECONNRESET):
            ws.recv(s, bytearray(4))


@case(
    "datagrams.unreachable.waiting-receive",
    chapter=CHAPTER,
    source=f"{RECVFROM}, error WSAECONNRESET",
    basis="documented",
    requirements=["A32"],
)
def closed_port_ends_a_waiting_receive(ws: Target) -> None:
    """A recvfrom that waits fails with WSAECONNRESET when a datagram sent meanwhile meets a closed port."""
    nowhere = ws.dead_address(type=SOCK_DGRAM)
    with bound(ws) as s, ws.thread() as other:
        pending = other.start(ws.recvfrom, s, bytearray(4))
        expect_true("recvfrom waits", not pending.finished_within(A_MOMENT))
        ws.sendto(s, b"x", 0, nowhere)
        with fails_with(WSAECONNRESET, "the waiting recvfrom"):
            pending.result()


@case(
    "datagrams.unreachable.switched-off-{row}",
    chapter=CHAPTER,
    source=f"{IOCTLS}, SIO_UDP_CONNRESET",
    basis="documented",
    requirements=["R9.33"],
    rows={"unconnected": Row(False), "connected": Row(True)},
)
def reports_can_be_switched_off(ws: Target, connected: bool) -> None:
    """With SIO_UDP_CONNRESET FALSE a closed port fails no receive: the next datagram is received."""
    with bound(ws) as s, bound(ws) as friend:
        ws.WSAIoctl(s, SIO_UDP_CONNRESET, bytes(4))
        nowhere = ws.dead_address(type=SOCK_DGRAM)
        if connected:
            ws.connect(s, nowhere)
            ws.send(s, b"x")
            expect_true("no report", not ws.readable(s, A_MOMENT))
            ws.connect(s, ws.getsockname(friend))
        else:
            ws.sendto(s, b"x", 0, nowhere)
            expect_true("no report", not ws.readable(s, A_MOMENT))
        send_to(ws, friend, b"hello", s)
        expect("received", expected=b"hello", actual=receive(ws, s))


@case(
    "datagrams.unreachable.switched-on-again",
    chapter=CHAPTER,
    source=f"{IOCTLS}, SIO_UDP_CONNRESET",
    basis="documented",
    requirements=["R9.33"],
)
def reports_can_be_switched_on_again(ws: Target) -> None:
    """With SIO_UDP_CONNRESET FALSE and then TRUE a closed port fails the next receive, as by default."""
    nowhere = ws.dead_address(type=SOCK_DGRAM)
    with bound(ws) as s:
        for on in (0, 1):
            ws.WSAIoctl(s, SIO_UDP_CONNRESET, on.to_bytes(4, "little"))
        ws.sendto(s, b"x", 0, nowhere)
        ws.wait_readable(s)
        with fails_with(WSAECONNRESET):
            ws.recvfrom(s, bytearray(4))


@case(
    "datagrams.broadcast.permitted",
    chapter=CHAPTER,
    source=f"{CONNECT}, error WSAEACCES",
    basis="documented",
    requirements=["R11.26"],
)
def permission_allows_broadcast(ws: Target) -> None:
    """With SO_BROADCAST set connect to the broadcast address succeeds."""
    with ws.closing(ws.udp()) as s:
        ws.setsockopt(s, SOL_SOCKET, SO_BROADCAST, 1)
        try:
            ws.connect(s, sockaddr_in(BROADCAST, 9))
        except Failed as failure:
            if failure.code == WSAEACCES:
                raise
            not_applicable("this machine has no route for broadcast datagrams")
        expect("peer", expected=BROADCAST, actual=host_of(ws.getpeername(s)))


# ---- ICMP through raw IP ---------------------------------------------------------------------------------------------

ICMP_TEST = PUBLIC_TEST.format("sock.c:test_icmp")
ECHO_REQUEST, ECHO_REPLY = 8, 0
IP_HEADER = 20
IDENTIFIER = 0xBEEF
PAYLOAD = b"winsock conformance."


def checksum(data: bytes) -> int:
    """Return the Internet checksum; 0 for data that contains its own."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def echo_request(sequence: int) -> bytes:
    head = struct.pack(">BBHHH", ECHO_REQUEST, 0, 0, IDENTIFIER, sequence)
    return head[:2] + checksum(head + PAYLOAD).to_bytes(2, "big") + head[4:] + PAYLOAD


@contextlib.contextmanager
def raw_icmp(ws: Target) -> Iterator[int]:
    """A raw ICMP socket; n/a where we may not have one."""
    try:
        s = ws.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)
    except Failed as failure:
        expect("error without rights", expected=WSAEACCES, actual=failure.code)
        not_applicable("raw sockets need rights that this process does not have")
    with ws.closing(s):
        ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 4000)
        yield s


def second_reply(ws: Target) -> bytes:
    """Return the packet received for the second of two echo requests; the first reply was lost to a short buffer.

    The socket has an address nobody else uses: it would receive everybody's reports and replies.
    """
    with raw_icmp(ws) as s:
        ws.bind(s, own := sockaddr_in(own_host()))
        size = IP_HEADER + len(echo_request(1))
        ws.sendto(s, echo_request(1), 0, own)
        with fails_with(WSAEMSGSIZE):
            ws.recv(s, bytearray(size - 1))
        ws.sendto(s, echo_request(2), 0, own)
        buffer = bytearray(size + 8)
        expect("received", expected=size, actual=ws.recv(s, buffer))
    return bytes(buffer[:size])


@case(
    "datagrams.icmp.truncated-is-consumed",
    chapter=CHAPTER,
    source=ICMP_TEST,
    basis="observed",
    requirements=["A30", "A100"],
    behaviours=["icmp-short-recv", "icmp-truncated-consumed"],
)
def short_receive_consumes_the_packet(ws: Target) -> None:
    """A reply cut by a short buffer is WSAEMSGSIZE and gone: what comes next is the reply to the second request."""
    packet = second_reply(ws)
    expect("sequence number", expected=2, actual=int.from_bytes(packet[IP_HEADER + 6 : IP_HEADER + 8], "big"))


@case(
    "datagrams.icmp.ip-header",
    chapter=CHAPTER,
    source=ICMP_TEST,
    basis="observed",
    requirements=["A100"],
    behaviours=["icmp-header-fields"],
)
def packet_starts_with_its_ip_header(ws: Target) -> None:
    """A raw receive gives the IP header too: 20 bytes, total length in network order, no fragment, protocol 1."""
    packet = second_reply(ws)
    header = packet[:IP_HEADER]
    expect("version and header length", expected=0x45, actual=header[0])
    expect("total length", expected=len(packet), actual=int.from_bytes(header[2:4], "big"))
    expect("fragment offset and more-fragments", expected=0, actual=int.from_bytes(header[6:8], "big") & 0x3FFF)
    expect("protocol", expected=IPPROTO_ICMP, actual=header[9])
    expect_true("checksum is right or 0", checksum(header) == 0 or header[10:12] == bytes(2), actual=header)
    own = sockaddr_in(own_host())[4:8]
    expect("addresses", expected=(own, own), actual=(header[12:16], header[16:20]))


@case(
    "datagrams.icmp.reply",
    chapter=CHAPTER,
    source=ICMP_TEST,
    basis="observed",
    requirements=["A100"],
    behaviours=["icmp-reply-fields"],
)
def packet_received_is_the_reply(ws: Target) -> None:
    """What a raw ICMP socket receives is the echo reply, not the request; id, sequence and payload are as sent."""
    reply = second_reply(ws)[IP_HEADER:]
    kind, code, _, identifier, sequence = struct.unpack(">BBHHH", reply[:8])
    expect("type and code", expected=(ECHO_REPLY, 0), actual=(kind, code))
    expect("id and sequence", expected=(IDENTIFIER, 2), actual=(identifier, sequence))
    expect("payload", expected=PAYLOAD, actual=reply[8:])
    expect("checksum of the whole", expected=0, actual=checksum(reply))
