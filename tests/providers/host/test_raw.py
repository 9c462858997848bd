"""Raw sockets, where this process may have them: no ports, headers, and which packets a socket sees."""

from __future__ import annotations

import os
import socket as host_sockets
import struct
import sys

import pytest

from conformance.addresses import own_host, own_protocol
from tests.loopback import NOW, PATIENCE, code_of, loopback, readable, udp, wildcard
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEACCES,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    IP_HDRINCL,
    IPPROTO_ICMP,
    IPPROTO_ICMPV6,
    IPPROTO_IP,
    IPPROTO_RAW,
    IPPROTO_UDP,
    SD_SEND,
    SO_RCVTIMEO,
    SOCK_DGRAM,
    SOCK_RAW,
    SOL_SOCKET,
)
from winsock2emu.defs.sockaddr import SockAddr

pytestmark = pytest.mark.usefixtures("winsock")

ECHO_REQUEST, ECHO_REPLY = 8, 0
ECHO_REQUEST6, ECHO_REPLY6 = 128, 129
EXPERIMENTAL = own_protocol()
IDENTIFIER = os.getpid() & 0xFFFF
HEADER = 20  # bytes of an IPv4 header without options

BOTH = [
    pytest.param(AF_INET, IPPROTO_ICMP, id="IPv4"),
    pytest.param(AF_INET6, IPPROTO_ICMPV6, id="IPv6", marks=pytest.mark.ipv6),
]


@pytest.fixture(autouse=True)
def rights() -> None:
    try:
        host_sockets.socket(host_sockets.AF_INET, host_sockets.SOCK_RAW, IPPROTO_ICMP).close()
    except PermissionError:
        pytest.skip("raw sockets need rights that this process does not have")


def raw(family: int = AF_INET, protocol: int = IPPROTO_ICMP) -> int:
    s = api.socket(family, SOCK_RAW, protocol)
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 1000 * PATIENCE[0])
    return s


def own(family: int, port: int = 0) -> SockAddr:
    """An address for IPv4 that is nobody else's; a raw socket would receive everybody's packets."""
    return api.sockaddr_in(own_host(), port) if family == AF_INET else loopback(family, port)


def checksum(data: bytes) -> int:
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def echo_request(family: int, sequence: int) -> bytes:
    """The checksum of ICMPv6 covers addresses as well, so it is the stack's business."""
    kind = ECHO_REQUEST if family == AF_INET else ECHO_REQUEST6
    head = struct.pack(">BBHHH", kind, 0, 0, IDENTIFIER, sequence)
    return head[:2] + (checksum(head).to_bytes(2, "big") if family == AF_INET else bytes(2)) + head[4:]


def packet(s: int) -> bytes:
    room = bytearray(2000)
    return bytes(room[: api.recv(s, room)])


def body(family: int, received: bytes) -> bytes:
    """What follows the header, which IPv4 shows and IPv6 does not."""
    return received[HEADER:] if family == AF_INET else received


# ---------------------------------------------------------------------------------------------------------- names


@pytest.mark.parametrize(("family", "protocol"), BOTH)
def test_there_are_no_ports(family: int, protocol: int) -> None:
    """A port in an address means nothing and is never given back."""
    s, here = raw(family, protocol), own(family)
    assert code_of(api.getsockname, s) == WSAEINVAL
    api.bind(s, own(family, 4711))
    assert api.getsockname(s) == here
    api.connect(s, own(family, 80))
    assert api.getpeername(s) == here
    api.sendto(s, echo_request(family, 1), 0, own(family, 7))
    room = bytearray(100)
    assert api.recvfrom(s, room)[1] == here


def test_addresses_are_checked_in_order() -> None:
    s = raw()
    for name, code in (
        (None, WSAEFAULT),
        (loopback(AF_INET)[:15], WSAEFAULT),
        (loopback(AF_INET6), WSAEAFNOSUPPORT),
        (api.sockaddr_in("203.0.113.1"), WSAEADDRNOTAVAIL),
    ):
        assert code_of(api.bind, s, name) == code
    for name, code in (
        (loopback(AF_INET)[:15], WSAEFAULT),
        (loopback(AF_INET6), WSAEAFNOSUPPORT),
        (wildcard(AF_INET), WSAEADDRNOTAVAIL),
        (api.sockaddr_in("255.255.255.255"), WSAEACCES),
    ):
        assert code_of(api.sendto, s, b"", 0, name) == code
    assert code_of(api.send, s, b"") == WSAENOTCONN
    assert code_of(api.listen, s, 1) == WSAEINVAL
    api.bind(s, loopback(AF_INET))
    assert code_of(api.listen, s, 1) == WSAEOPNOTSUPP
    assert code_of(api.bind, s, loopback(AF_INET)) == WSAEINVAL


def test_many_may_have_one_address() -> None:
    for s in (raw(), raw(), raw(AF_INET, EXPERIMENTAL)):
        api.bind(s, loopback(AF_INET))


# -------------------------------------------------------------------------------------------------------- packets


@pytest.mark.parametrize(("family", "protocol"), BOTH)
def test_the_reply_is_seen_and_the_request_is_not(family: int, protocol: int) -> None:
    s = raw(family, protocol)
    kind = ECHO_REPLY if family == AF_INET else ECHO_REPLY6
    for number in (7, 8):
        api.sendto(s, echo_request(family, number), 0, own(family))

    for number in (7, 8):
        reply = b""
        while reply[4:6] != IDENTIFIER.to_bytes(2, "big"):  # others may use the loopback interface, too
            reply = body(family, packet(s))
        assert (reply[0], reply[1], reply[4:]) == (kind, 0, echo_request(family, number)[4:])


@pytest.mark.skipif(sys.platform != "linux", reason="observed on Linux")
def test_an_ipv4_packet_has_its_header() -> None:
    s, peer = raw(AF_INET, EXPERIMENTAL), raw(AF_INET, EXPERIMENTAL)
    api.bind(s, loopback(AF_INET))
    api.sendto(peer, b"payload", 0, loopback(AF_INET))

    got = packet(s)
    assert (got[0], got[9], got[HEADER:]) == (0x45, EXPERIMENTAL, b"payload")
    assert int.from_bytes(got[2:4], "big") == len(got) == HEADER + 7
    assert got[12:20] == b"\x7f\0\0\1" * 2


@pytest.mark.ipv6
def test_an_ipv6_packet_has_none() -> None:
    s, peer = raw(AF_INET6, EXPERIMENTAL), raw(AF_INET6, EXPERIMENTAL)
    api.bind(s, loopback(AF_INET6))
    api.sendto(peer, b"payload", 0, loopback(AF_INET6))

    assert packet(s) == b"payload"


def test_a_short_buffer_loses_the_rest() -> None:
    s, peer = raw(AF_INET, EXPERIMENTAL), raw(AF_INET, EXPERIMENTAL)
    api.bind(s, loopback(AF_INET))
    for data in (b"first", b"second"):
        api.sendto(peer, data, 0, loopback(AF_INET))

    assert code_of(api.recv, s, bytearray(HEADER)) == WSAEMSGSIZE
    assert packet(s)[HEADER:] == b"second"


def test_another_protocol_is_not_for_this_socket() -> None:
    s, other = raw(AF_INET, EXPERIMENTAL), raw(AF_INET, 253)
    api.bind(s, loopback(AF_INET))
    api.bind(other, loopback(AF_INET))
    api.sendto(other, b"for the other", 0, loopback(AF_INET))

    assert packet(other)[HEADER:] == b"for the other"
    assert api.select([s], None, None, NOW) == ([], [], [])


def test_udp_datagrams_with_their_header() -> None:
    """The whole of what another socket receives, ports, length and checksum included."""
    s, receiver, sender = raw(AF_INET, IPPROTO_UDP), udp(), udp()
    api.bind(s, loopback(AF_INET))
    api.sendto(sender, b"datagram", 0, api.getsockname(receiver))

    from_port, to_port = api.getsockname(sender).port, api.getsockname(receiver).port
    while True:  # other programs of this machine may use the loopback, too
        header = packet(s)[HEADER:]
        if header[:4] == struct.pack(">HH", from_port, to_port):
            break
    assert (header[4:6], header[8:]) == (b"\0\x10", b"datagram")


def test_a_connected_socket_hears_its_peer_only() -> None:
    s, peer = raw(AF_INET, EXPERIMENTAL), raw(AF_INET, EXPERIMENTAL)
    api.connect(s, api.sockaddr_in("127.0.0.2"))
    api.bind(peer, loopback(AF_INET))
    api.sendto(peer, b"from .1", 0, loopback(AF_INET))
    other = raw(AF_INET, EXPERIMENTAL)
    api.bind(other, api.sockaddr_in("127.0.0.2"))
    api.sendto(other, b"from .2", 0, loopback(AF_INET))

    assert packet(s)[HEADER:] == b"from .2"
    assert api.send(s, b"to the peer") == 11
    assert packet(other)[HEADER:] == b"to the peer"


# ------------------------------------------------------------------------------------------ when receiving begins


def test_nothing_is_received_without_an_address() -> None:
    s = raw()
    assert code_of(api.recv, s, bytearray(1)) == WSAEINVAL
    assert api.select([s], None, None, NOW) == ([], [], [])


@pytest.mark.parametrize("begin", ["bind", "connect", "sendto"])
def test_what_came_before_is_not_received(begin: str) -> None:
    s, peer = raw(AF_INET, EXPERIMENTAL), raw(AF_INET, EXPERIMENTAL)
    api.bind(peer, loopback(AF_INET))
    api.sendto(peer, b"too early", 0, loopback(AF_INET))
    readable(peer)  # so it has arrived at both

    if begin == "bind":
        api.bind(s, loopback(AF_INET))
    elif begin == "connect":
        api.connect(s, loopback(AF_INET))
    else:
        api.sendto(s, b"first", 0, loopback(AF_INET))
    if begin != "sendto":
        api.sendto(peer, b"first", 0, loopback(AF_INET))
    assert packet(s)[HEADER:] == b"first"


def test_ending_to_send() -> None:
    s = raw(AF_INET, EXPERIMENTAL)
    api.bind(s, loopback(AF_INET))
    api.shutdown(s, SD_SEND)

    assert code_of(api.sendto, s, b"", 0, loopback(AF_INET)) == WSAESHUTDOWN


def test_reports_of_the_network_are_not_for_raw_sockets() -> None:
    """A UDP datagram made by hand to a port where nobody is: the report fails no call."""
    closed = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.bind(closed, own(AF_INET))
    port = api.getsockname(closed).port
    api.closesocket(closed)
    s = raw(AF_INET, IPPROTO_UDP)
    api.bind(s, own(AF_INET))
    api.connect(s, own(AF_INET))
    datagram = struct.pack(">HHHH", 9, port, 8, 0)

    for _ in range(3):
        assert api.send(s, datagram) == 8
        assert packet(s)[HEADER:] == datagram


# -------------------------------------------------------------------------------------------- headers of one's own


@pytest.mark.skipif(sys.platform != "linux", reason="other hosts want the header in their own byte order")
def test_a_header_of_ones_own_is_sent_as_it_is() -> None:
    """The stack fills in the checksum; what the header says goes, not what sendto says."""
    s, receiver = raw(AF_INET, EXPERIMENTAL), raw(AF_INET, EXPERIMENTAL)
    api.bind(receiver, loopback(AF_INET))
    api.setsockopt(s, IPPROTO_IP, IP_HDRINCL, 1)
    header = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, HEADER + 5, 0x1234, 0, 9, EXPERIMENTAL, 0, b"\x7f\0\0\x05", b"\x7f\0\0\1"
    )
    assert api.sendto(s, header + b"by me", 0, loopback(AF_INET)) == HEADER + 5

    got = packet(receiver)
    assert (got[4:6], got[8], got[12:16], got[HEADER:]) == (b"\x12\x34", 9, b"\x7f\0\0\x05", b"by me")
    assert checksum(got[:HEADER]) == 0


def test_protocol_255_is_one_like_any_other() -> None:
    """Its header is the stack's, as long as nothing else is asked for, and it can be received."""
    s, receiver = raw(AF_INET, IPPROTO_RAW), raw(AF_INET, IPPROTO_RAW)
    api.bind(receiver, loopback(AF_INET))
    assert api.sendto(s, b"plain", 0, loopback(AF_INET)) == 5

    got = packet(receiver)
    assert (got[0], got[9], got[HEADER:]) == (0x45, IPPROTO_RAW, b"plain")
