"""Raw sockets: one IP protocol, without ports; who may have them and what they receive."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator

from ..addresses import loopback, own_protocol, port_of, sockaddr_in, wildcard, with_port
from ..constants import (
    AF_INET,
    AF_INET6,
    IP_HDRINCL,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IP,
    IPPROTO_UDP,
    SO_PROTOCOL_INFOW,
    SO_RCVTIMEO,
    SO_TYPE,
    SOCK_RAW,
    SOL_SOCKET,
    WSAEACCES,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
)
from ..model import Row, case
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Raw sockets"
ALONE = True  # a raw socket receives what other processes send
PAGE = "WinSock/tcp-ip-raw-sockets-2"
RFC_4443 = "RFC 4443, as " + PAGE + " leaves it"

EXPERIMENTAL = 253  # RFC 3692: a protocol number for trials
IP_HEADER = 20
ECHO_REQUEST6, ECHO_REPLY6 = 128, 129
PATIENCE_MS = 5000


def raw(ws: Target, family: int = AF_INET, protocol: int | None = None) -> int:
    """A new raw socket; n/a where this process may not have one or the family is missing.

    Without a protocol it is one that no other process uses: a raw socket receives everybody's packets.
    """
    if not ws.has_family(family):
        not_applicable("no IPv6 here")
    try:
        s = ws.socket(family, SOCK_RAW, own_protocol() if protocol is None else protocol)
    except Failed as failure:
        expect("error without rights", expected=WSAEACCES, actual=failure.code)
        not_applicable("raw sockets need rights that this process does not have")
    ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, PATIENCE_MS)
    return s


@contextlib.contextmanager
def raw_pair(ws: Target, family: int = AF_INET, protocol: int | None = None) -> Iterator[tuple[int, int]]:
    """Two raw sockets of one protocol, the first one bound to the loopback address."""
    with ws.closing(raw(ws, family, protocol)) as receiver, ws.closing(raw(ws, family, protocol)) as sender:
        ws.bind(receiver, loopback(family))
        yield receiver, sender


def packet(ws: Target, s: int) -> bytes:
    room = bytearray(2048)
    return bytes(room[: ws.recv(s, room)])


def packet_with(ws: Target, s: int, content: bytes, at: int) -> bytes:
    """Return the next packet that has ``content`` at an offset: others may use the loopback interface, too."""
    while not (got := packet(ws, s)).startswith(content, at):
        continue
    return got


# ---- what they are ---------------------------------------------------------------------------------------------------


@case(
    "raw.creation.{row}",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
    requirements=["R3.28", "A100"],
    rows={
        "icmp": Row(AF_INET, IPPROTO_ICMP),
        "experimental": Row(AF_INET, EXPERIMENTAL),
        "icmp-ipv6": Row(AF_INET6, IPPROTO_ICMPV6),
    },
)
def raw_socket_or_no_rights(ws: Target, family: int, protocol: int) -> None:
    """With the rights to it there is a raw socket of any protocol; without them the call is WSAEACCES."""
    with ws.closing(raw(ws, family, protocol)) as s:
        expect("SO_TYPE", expected=SOCK_RAW, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))
        own = ws.getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, 628)
        expect("family", expected=family, actual=int.from_bytes(own[76:80], "little"))


@case(
    "raw.creation.protocol-0",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
    requirements=["R3.27", "A100"],
)
def protocol_must_be_given(ws: Target) -> None:
    """A raw socket is one of a protocol: 0 is refused, with or without rights."""
    try:
        s = ws.socket(AF_INET, SOCK_RAW, 0)
    except Failed:
        return
    ws.closesocket(s)
    expect_true("the call fails", False)


# ---- names -----------------------------------------------------------------------------------------------------------


@case(
    "raw.names.no-ports-{row}",
    chapter=CHAPTER,
    source=PAGE,
    basis="choice",
    rows={"ipv4": Row(AF_INET, IPPROTO_ICMP), "ipv6": Row(AF_INET6, IPPROTO_ICMPV6)},
)
def ports_mean_nothing(ws: Target, family: int, protocol: int) -> None:
    """A port in an address that is passed has no effect, and addresses given back have port 0."""
    with ws.closing(raw(ws, family, protocol)) as s:
        ws.bind(s, loopback(family, 4711))
        ws.connect(s, with_port(loopback(family), 80))
        expect("local and peer port", expected=(0, 0), actual=(port_of(ws.getsockname(s)), port_of(ws.getpeername(s))))


@case(
    "raw.names.shared",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
)
def many_sockets_have_one_address(ws: Target) -> None:
    """Several raw sockets of one protocol are bound to one address, and each gets its own copy of a packet."""
    with raw_pair(ws) as (first, sender), ws.closing(raw(ws)) as second:
        ws.bind(second, loopback())
        ws.sendto(sender, b"for both", 0, loopback())
        got = [packet(ws, s)[IP_HEADER:] for s in (first, second)]
        expect("received", expected=[b"for both"] * 2, actual=got)


@case(
    "raw.names.refused-{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-sendto",
    basis="documented",
    rows={
        "short": Row(sockaddr_in()[:15], WSAEFAULT),
        "family": Row(loopback(AF_INET6), WSAEAFNOSUPPORT),
        "wildcard": Row(wildcard(), WSAEADDRNOTAVAIL),
        "broadcast": Row(sockaddr_in("255.255.255.255"), WSAEACCES),
        "none": Row(None, WSAENOTCONN),
    },
)
def destination_is_checked(ws: Target, name: bytes | None, code: int) -> None:
    """sendto needs a destination that somebody can have; broadcast needs SO_BROADCAST."""
    with ws.closing(raw(ws)) as s, fails_with(code):
        ws.sendto(s, b"x", 0, name)


@case(
    "raw.names.no-connections",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-listen",
    basis="documented",
)
def there_are_no_connections(ws: Target) -> None:
    """listen is WSAEOPNOTSUPP."""
    with ws.closing(raw(ws)) as s:
        ws.bind(s, loopback())
        with fails_with(WSAEOPNOTSUPP):
            ws.listen(s, 1)


# ---- packets ---------------------------------------------------------------------------------------------------------


@case(
    "raw.receive.ipv4-header",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
    requirements=["A100"],
)
def ipv4_packet_has_its_header(ws: Target) -> None:
    """For IPv4 the header comes with every packet, whatever IP_HDRINCL is; its length is in network order."""
    with raw_pair(ws) as (receiver, sender):
        expect("sent", expected=7, actual=ws.sendto(sender, b"payload", 0, loopback()))
        got = packet(ws, receiver)
        expect("version and header length", expected=0x45, actual=got[0])
        expect("total length", expected=IP_HEADER + 7, actual=int.from_bytes(got[2:4], "big"))
        expect("protocol", expected=own_protocol(), actual=got[9])
        expect("source and destination", expected=b"\x7f\0\0\x01" * 2, actual=got[12:20])
        expect("payload", expected=b"payload", actual=got[IP_HEADER:])


@case(
    "raw.receive.ipv6-without-header",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
)
def ipv6_packet_has_none(ws: Target) -> None:
    """For IPv6 the header is never received."""
    with raw_pair(ws, AF_INET6) as (receiver, sender):
        ws.sendto(sender, b"payload", 0, loopback(AF_INET6))
        expect("received", expected=b"payload", actual=packet(ws, receiver))


@case(
    "raw.receive.icmpv6-reply",
    chapter=CHAPTER,
    source=RFC_4443,
    basis="choice",
    requirements=["A100"],
)
def icmpv6_echo(ws: Target) -> None:
    """An ICMPv6 echo to the loopback address: the stack sets the checksum; the reply is received, not the request."""
    with ws.closing(raw(ws, AF_INET6, IPPROTO_ICMPV6)) as s:
        identifier = (os.getpid() & 0xFFFF).to_bytes(2, "big")
        for number in (b"\0\3", b"\0\4"):
            request = struct.pack(">BBH", ECHO_REQUEST6, 0, 0) + identifier + number + b"ping"
            ws.sendto(s, request, 0, loopback(AF_INET6))
        for number in (b"\0\3", b"\0\4"):
            got = packet_with(ws, s, identifier, 4)
            expect("type and code", expected=(ECHO_REPLY6, 0), actual=(got[0], got[1]))
            expect("the rest", expected=identifier + number + b"ping", actual=got[4:])


@case(
    "raw.receive.protocol",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
)
def other_protocols_are_not_received(ws: Target) -> None:
    """Only packets of the socket's own protocol are for it."""
    with raw_pair(ws) as (receiver, _), raw_pair(ws, protocol=EXPERIMENTAL) as (other, sender):
        ws.sendto(sender, b"x", 0, loopback())
        expect("the other receives", expected=b"x", actual=packet(ws, other)[IP_HEADER:])
        expect_true("this one does not", not ws.readable(receiver))


@case(
    "raw.receive.peer",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
)
def connected_socket_hears_its_peer_only(ws: Target) -> None:
    """A connected raw socket receives packets from that address only, and send goes there."""
    near, far = sockaddr_in("127.0.0.2"), sockaddr_in("127.0.0.3")
    with ws.closing(raw(ws)) as s, ws.closing(raw(ws)) as peer, ws.closing(raw(ws)) as stranger:
        ws.connect(s, near)
        ws.bind(peer, near)
        ws.bind(stranger, far)
        here = ws.getsockname(s)
        ws.sendto(stranger, b"from a stranger", 0, here)
        ws.sendto(peer, b"from the peer", 0, here)
        expect("received", expected=b"from the peer", actual=packet(ws, s)[IP_HEADER:])
        ws.send(s, b"to the peer")
        while (got := packet(ws, peer)[IP_HEADER:]) != b"to the peer":
            expect("what the peer hears before", expected=b"from the peer", actual=got)


@case(
    "raw.receive.unbound",
    chapter=CHAPTER,
    source="winsock/nf-winsock-recv",
    basis="documented",
)
def receiving_needs_an_address(ws: Target) -> None:
    """Before bind, connect or a send a receive is WSAEINVAL."""
    with ws.closing(raw(ws)) as s, fails_with(WSAEINVAL):
        ws.recv(s, bytearray(64))


@case(
    "raw.receive.too-short",
    chapter=CHAPTER,
    source="winsock/nf-winsock-recv",
    basis="documented",
    requirements=["A30"],
)
def short_buffer_loses_the_rest(ws: Target) -> None:
    """A packet that is longer than the buffer is WSAEMSGSIZE, and the rest of it is gone."""
    with raw_pair(ws) as (receiver, sender):
        ws.sendto(sender, b"first", 0, loopback())
        ws.sendto(sender, b"second", 0, loopback())
        with fails_with(WSAEMSGSIZE):
            ws.recv(receiver, bytearray(IP_HEADER))
        expect("next", expected=b"second", actual=packet(ws, receiver)[IP_HEADER:])


@case(
    "raw.receive.udp",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
)
def udp_is_seen_with_its_header(ws: Target) -> None:
    """A raw socket of protocol UDP receives copies of datagrams, with IP and UDP headers."""
    with ws.closing(raw(ws, AF_INET, IPPROTO_UDP)) as s, ws.udp_pair(connected=False) as (a, b):
        ws.bind(s, loopback())
        ws.sendto(a, b"datagram", 0, ws.getsockname(b))
        ports = struct.pack(">HH", port_of(ws.getsockname(a)), port_of(ws.getsockname(b)))
        got = packet_with(ws, s, ports, IP_HEADER)[IP_HEADER:]
        expect("length and data", expected=b"\0\x10datagram", actual=got[4:6] + got[8:])


# ---- headers of one's own --------------------------------------------------------------------------------------------


@case(
    "raw.send.own-header",
    chapter=CHAPTER,
    source="WinSock/ipproto-ip-socket-options, IP_HDRINCL",
    basis="documented",
    requirements=["A100"],
)
def header_of_ones_own_is_sent(ws: Target) -> None:
    """With IP_HDRINCL the program's header is sent, here with another source address; the stack sets its checksum."""
    with raw_pair(ws) as (receiver, sender):
        ws.setsockopt(sender, IPPROTO_IP, IP_HDRINCL, 1)
        expect("IP_HDRINCL", expected=1, actual=ws.get_int(sender, IPPROTO_IP, IP_HDRINCL))
        header = struct.pack(">BBHHHBBH", 0x45, 0, IP_HEADER + 4, 0x1234, 0, 9, own_protocol(), 0)
        header += b"\x7f\0\0\x05" + b"\x7f\0\0\x01"
        expect("sent", expected=24, actual=ws.sendto(sender, header + b"mine", 0, loopback()))
        got = packet(ws, receiver)
        expect("id, time to live", expected=(b"\x12\x34", 9), actual=(got[4:6], got[8]))
        expect("source", expected=b"\x7f\0\0\x05", actual=got[12:16])
        expect("payload", expected=b"mine", actual=got[IP_HEADER:])
        expect_true("the checksum is set", any(got[10:12]), actual=got[:IP_HEADER])
