"""SIO_RCVALL: packets that pass through the loopback interface, as a raw socket sees them.

Each test has a network of its own, since everything that anybody sends passes here.
"""

from __future__ import annotations

import ast
import struct
import sys
import textwrap
from typing import Any

import pytest

from tests.loopback import code_of, loopback
from tests.providers.host.networks import in_own_network
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEOPNOTSUPP
from winsock2emu.defs.constants import AF_INET6, RCVALL_IPLEVEL, RCVALL_ON, SIO_RCVALL, SOCK_RAW
from winsock2emu.errors import WinsockError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has packet sockets")

ICMP, IGMP, TCP, UDP = 1, 2, 6, 17

PRELUDE = """
import fcntl, socket, struct
from winsock2emu import ws2_32 as api
from winsock2emu.errors import WinsockError

probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(probe, 0x8914, struct.pack("16sH14x8x", b"lo", 1))  # SIOCSIFFLAGS: up
api.WSAStartup(0x0202)
HERE = api.sockaddr_in("127.0.0.1")
LO = bytes((127, 0, 0, 1))

def raw():
    s = api.socket(api.AF_INET, api.SOCK_RAW, 253)
    api.bind(s, HERE)
    api.setsockopt(s, api.SOL_SOCKET, api.SO_RCVTIMEO, 10_000)
    return s

def udp(host="127.0.0.1"):
    s = api.socket(api.AF_INET, api.SOCK_DGRAM, 0)
    api.bind(s, api.sockaddr_in(host))
    api.setsockopt(s, api.IPPROTO_IP, api.IP_MULTICAST_IF, LO)
    return s

def capture(s, mode, code=api.SIO_RCVALL):
    assert api.WSAIoctl(s, code, struct.pack("<I", mode)) == b""

def packet(s, room=70_000):
    buffer = bytearray(room)
    return bytes(buffer[: api.recv(s, buffer)])

def code_of(call, *args):
    try:
        call(*args)
    except WinsockError as failure:
        return failure.winerror
    return 0
"""


def seen(script: str) -> Any:
    """What a script found out: the value it printed."""
    return ast.literal_eval(in_own_network(PRELUDE + textwrap.dedent(script) + "\napi.WSACleanup()\n"))


@pytest.mark.parametrize("mode", [RCVALL_ON, RCVALL_IPLEVEL])
def test_packets_of_others_come_with_their_header(mode: int) -> None:
    """And each of them once, although it passes the loopback interface twice."""
    ports, packets = seen(
        f"""
        s, sender, receiver = raw(), udp(), udp()
        capture(s, {mode})
        for data in (b"one", b"two"):
            api.sendto(sender, data, 0, api.getsockname(receiver))
        print([[api.getsockname(end).port for end in (sender, receiver)], [packet(s), packet(s)]])
        """
    )

    for packet in packets:
        assert (packet[0], packet[9], packet[12:20]) == (0x45, UDP, bytes((127, 0, 0, 1)) * 2)
        assert list(struct.unpack(">HH", packet[20:24])) == ports
    assert [packet[28:] for packet in packets] == [b"one", b"two"]


def test_connections_pass_as_well() -> None:
    protocols, last = seen(
        """
        s, listening, client = raw(), api.socket(api.AF_INET, 1, 0), api.socket(api.AF_INET, 1, 0)
        api.bind(listening, HERE)
        api.listen(listening, 1)
        capture(s, api.RCVALL_ON)
        api.connect(client, api.getsockname(listening))
        handshake = [packet(s)[9] for _ in range(3)]
        api.send(client, b"data")
        print([handshake, packet(s)])
        """
    )

    assert protocols == [TCP] * 3
    assert last.endswith(b"data")


def test_the_sender_is_the_one_in_the_header() -> None:
    """Where the buffer has no room for it, nobody is."""
    whole, cut = seen(
        """
        s, sender = raw(), udp("127.3.4.5")
        capture(s, api.RCVALL_ON)
        api.sendto(sender, b"x", 0, api.getsockname(udp()))
        api.sendto(sender, b"x", 0, api.getsockname(udp()))
        whole = api.recvfrom(s, bytearray(100))[1].host
        try:
            api.recvfrom(s, bytearray(15))
        except WinsockError as failure:
            print([whole, [failure.winerror, failure.moved, failure.address.host]])
        """
    )

    assert whole == "127.3.4.5"
    assert cut == [10040, 15, "0.0.0.0"]


def test_a_packet_is_peeked_counted_and_waited_for_like_a_datagram() -> None:
    found = seen(
        """
        s, sender = raw(), udp()
        capture(s, api.RCVALL_ON)
        idle = api.select([s], None, None, (0, 0))[0]
        api.sendto(sender, b"12345", 0, api.getsockname(sender))
        ready = api.select([s], None, None, (10, 0))[0]
        found = [idle == [], ready == [s], api.ioctlsocket(s, api.FIONREAD, 0)]
        found += [api.recv(s, bytearray(100), api.MSG_PEEK), len(packet(s))]
        api.ioctlsocket(s, api.FIONBIO, 1)
        print(found + [code_of(api.recv, s, bytearray(100))])
        """
    )

    assert found == [True, True, 33, 33, 33, 10035]


def test_only_multicast_or_only_igmp() -> None:
    groups, igmp = seen(
        """
        groups, igmp, sender = raw(), raw(), udp()
        capture(groups, api.RCVALL_ON, api.SIO_RCVALL_MCAST)
        capture(igmp, api.RCVALL_ON, api.SIO_RCVALL_IGMPMCAST)
        api.sendto(sender, b"not to a group", 0, api.getsockname(udp()))
        api.sendto(sender, b"to a group", 0, api.sockaddr_in("239.9.9.9", 9999))
        reporting = api.socket(api.AF_INET, api.SOCK_RAW, 2)
        api.bind(reporting, HERE)
        api.setsockopt(reporting, api.IPPROTO_IP, api.IP_MULTICAST_IF, LO)
        api.sendto(reporting, bytes((0x16, 0, 0, 0, 239, 9, 9, 9)), 0, api.sockaddr_in("239.9.9.9"))
        peeked = bytearray(100)
        api.recv(igmp, peeked, api.MSG_PEEK)
        print([[packet(groups), packet(groups)], [bytes(peeked[:1]) + b"...", packet(igmp)]])
        """
    )

    assert [(packet[9], packet[16:20]) for packet in groups] == [
        (UDP, bytes((239, 9, 9, 9))),
        (IGMP, bytes((239, 9, 9, 9))),
    ]
    assert groups[0].endswith(b"to a group")
    assert igmp[1] == groups[1]


def test_off_is_as_before() -> None:
    """RCVALL_SOCKETLEVELONLY has no effect, says the page."""
    found = seen(
        """
        s, sender = raw(), udp()
        capture(s, api.RCVALL_ON)
        found = []
        for mode in (api.RCVALL_OFF, api.RCVALL_SOCKETLEVELONLY):
            capture(s, mode)
            api.sendto(sender, b"x", 0, api.getsockname(sender))
            found.append(api.select([s], None, None, (0, 0))[0])
        own = api.socket(api.AF_INET, api.SOCK_RAW, 253)
        api.sendto(own, b"for the protocol", 0, HERE)
        print([found, packet(s)[20:], api.getsockname(s).host])
        """
    )

    assert found == [[[], []], b"for the protocol", "127.0.0.1"]


def test_it_goes_on_sending_as_itself() -> None:
    """Its name and its options are its own as well; and capturing again begins anew."""
    found = seen(
        """
        s = raw()
        for _ in range(3):
            capture(s, api.RCVALL_ON)
        api.setsockopt(s, api.IPPROTO_IP, api.IP_TTL, 77)
        api.sendto(s, b"own", 0, HERE)
        sent = packet(s)
        print([sent[8], sent[9], sent[20:], api.getsockname(s).host])
        """
    )

    assert found == [77, 253, b"own", "127.0.0.1"]


def test_nothing_is_left_of_a_capture() -> None:
    """Neither when it ends nor when its socket is closed with it on."""
    before, after = seen(
        """
        import os
        before = len(os.listdir("/proc/self/fd"))
        for last in (api.RCVALL_ON, api.RCVALL_OFF):
            s = raw()
            for mode in (api.RCVALL_ON, api.RCVALL_IPLEVEL, last):
                capture(s, mode)
            api.closesocket(s)
        print([before, len(os.listdir("/proc/self/fd"))])
        """
    )

    assert before == after


@pytest.mark.ipv6
@pytest.mark.usefixtures("winsock")
def test_ipv6_packets_are_not_to_be_had() -> None:
    try:
        s = api.socket(AF_INET6, SOCK_RAW, 58)
    except WinsockError:
        pytest.skip("raw sockets need rights that this process does not have")
    api.bind(s, loopback(AF_INET6))

    assert code_of(api.WSAIoctl, s, SIO_RCVALL, struct.pack("<I", RCVALL_ON)) == WSAEOPNOTSUPP
