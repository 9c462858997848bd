"""What a socket's options keep from it, although the host delivers it."""

from __future__ import annotations

import struct
import sys
import time
from collections.abc import Callable

import pytest

from tests.loopback import code_of, elsewhere, nonblocking, udp
from winsock2emu import mswsock
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEMSGSIZE, WSAEWOULDBLOCK
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    FIONREAD,
    IP_ADD_IFLIST,
    IP_ADD_MEMBERSHIP,
    IP_IFLIST,
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_PKTINFO,
    IP_RECEIVE_BROADCAST,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_IFLIST,
    IPV6_V6ONLY,
    MSG_PEEK,
    POLLRDNORM,
    SO_BROADCAST,
    SO_REUSE_MULTICASTPORT,
    SOCK_DGRAM,
    SOL_SOCKET,
)
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.process import current_process
from winsock2emu.providers.host import screening
from winsock2emu.providers.host.datagram import DatagramSocket
from winsock2emu.providers.host.interfaces import HostNetwork, InterfaceAddress
from winsock2emu.providers.host.screening import Screen

pytestmark = [
    pytest.mark.usefixtures("winsock"),
    pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="the host tells of no destinations"),
]

GROUP = b"\xef\xff\x4d\x0a"
LO = b"\x7f\0\0\1"


def member() -> tuple[int, int]:
    """A socket of any address that is a member of the group, and its port."""
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.bind(s, api.sockaddr_in("0.0.0.0", 0))
    api.setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, GROUP + LO)
    return s, api.getsockname(s).port


def sender() -> int:
    s = udp()
    api.setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, LO)
    api.setsockopt(s, SOL_SOCKET, SO_BROADCAST, 1)
    return s


def to_group(port: int) -> SockAddr:
    return api.sockaddr_in(GROUP, port)


def readable(s: int, seconds: int = 0) -> bool:
    return api.select([s], None, None, (seconds, 0))[0] == [s]


def endpoint(s: int) -> DatagramSocket:
    found = current_process().socket(s).mover
    assert isinstance(found, DatagramSocket)
    return found


# Every way to receive, or to be told that something can be received, passes over what is kept back.


def receive(s: int) -> bytes:
    room = bytearray(16)
    return bytes(room[: api.recv(s, room)])


def receive_from(s: int) -> bytes:
    room = bytearray(16)
    return bytes(room[: api.recvfrom(s, room)[0]])


def receive_scattered(s: int) -> bytes:
    rooms = [bytearray(2), bytearray(14)]
    moved = api.WSARecv(s, rooms)
    return b"".join(rooms)[:moved]


def receive_message(s: int) -> bytes:
    room = bytearray(16)
    return bytes(room[: mswsock.WSARecvMsg(s, [room], 64).moved])


def peek_and_receive(s: int) -> bytes:
    room = bytearray(16)
    peeked = bytes(room[: api.recv(s, room, MSG_PEEK)])
    assert receive(s) == peeked
    return peeked


def select_and_receive(s: int) -> bytes:
    assert readable(s, 10)
    return receive(s)


def poll_and_receive(s: int) -> bytes:
    assert api.WSAPoll([(s, POLLRDNORM)], 10_000) == (1, [POLLRDNORM])
    return receive(s)


def count_and_receive(s: int) -> bytes:
    assert readable(s, 10)
    assert api.ioctlsocket(s, FIONREAD, 0) == len(b"unicast")
    return receive(s)


WAYS = [
    receive,
    receive_from,
    receive_scattered,
    receive_message,
    peek_and_receive,
    select_and_receive,
    poll_and_receive,
    count_and_receive,
]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_receive_passes_over_what_came_from_here(way: Callable[[int], bytes]) -> None:
    """R5.37, A67."""
    s, port = member()
    source = sender()
    api.setsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
    for _ in range(3):
        api.sendto(source, b"to the group", 0, to_group(port))
    api.sendto(source, b"unicast", 0, api.sockaddr_in("127.0.0.1", port))
    assert way(s) == b"unicast"
    assert not readable(s)
    nonblocking(s)
    assert code_of(api.recv, s, bytearray(1)) == WSAEWOULDBLOCK


@pytest.mark.parametrize("way", [receive, receive_message, select_and_receive])
def test_a_thread_that_waits_is_not_woken_by_what_is_kept_back(way: Callable[[int], bytes]) -> None:
    s, port = member()
    source = sender()
    api.setsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
    waiting = elsewhere(way, s)
    for _ in range(20):
        api.sendto(source, b"to the group", 0, to_group(port))
    api.sendto(source, b"unicast", 0, api.sockaddr_in("127.0.0.1", port))
    assert waiting.result() == b"unicast"


def test_a_datagram_that_is_too_long_is_cut_as_ever() -> None:
    s, port = member()
    source = sender()
    api.setsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
    api.sendto(source, b"to the group", 0, to_group(port))
    api.sendto(source, b"too long", 0, api.sockaddr_in("127.0.0.1", port))
    room = bytearray(3)
    assert code_of(api.recv, s, room) == WSAEMSGSIZE
    assert room == b"too"


def test_control_data_comes_only_when_asked_for() -> None:
    """The host is asked for destinations on the screen's account; a program that did not ask sees none."""
    s, port = member()
    source = sender()
    api.setsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
    for asked in (0, 1):
        api.setsockopt(s, IPPROTO_IP, IP_PKTINFO, asked)
        api.sendto(source, b"x", 0, api.sockaddr_in("127.0.0.1", port))
        assert bool(mswsock.WSARecvMsg(s, [bytearray(4)], 64).control) == bool(asked)


def test_switching_back_restores_the_short_way() -> None:
    s, port = member()
    source = sender()
    before = endpoint(s).receive_now
    api.setsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
    assert endpoint(s).receive_now is None
    assert endpoint(s).screen is not None
    api.setsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, 1)
    assert (endpoint(s).receive_now, endpoint(s).screen) == (before, None)
    api.sendto(source, b"to the group", 0, to_group(port))
    assert receive(s) == b"to the group"


def test_a_screen_before_bind_is_there_afterwards() -> None:
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.setsockopt(s, IPPROTO_IP, IP_IFLIST, 1)
    api.bind(s, api.sockaddr_in("127.0.0.1", 0))
    api.sendto(udp(), b"x", 0, api.getsockname(s))
    assert not readable(s)


# The other options


def test_broadcasts_can_be_kept_back() -> None:
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.bind(s, api.sockaddr_in("0.0.0.0", 0))
    port, source = api.getsockname(s).port, sender()
    broadcast = api.sockaddr_in("127.255.255.255", port)
    api.setsockopt(s, IPPROTO_IP, IP_RECEIVE_BROADCAST, 0)
    api.sendto(source, b"broadcast", 0, broadcast)
    api.sendto(source, b"unicast", 0, api.sockaddr_in("127.0.0.1", port))
    assert receive(s) == b"unicast"
    api.setsockopt(s, IPPROTO_IP, IP_RECEIVE_BROADCAST, 1)
    api.sendto(source, b"broadcast", 0, broadcast)
    assert receive(s) == b"broadcast"


@pytest.mark.parametrize("family", [AF_INET, pytest.param(AF_INET6, marks=pytest.mark.ipv6)])
def test_a_receive_list_is_for_interfaces(family: int) -> None:
    s, source = udp(family), udp(family)
    level = IPPROTO_IP if family == AF_INET else IPPROTO_IPV6
    api.setsockopt(s, level, IP_IFLIST, 1)
    api.sendto(source, b"lost", 0, api.getsockname(s))
    assert not readable(s)
    loopback = next(row.index for row in HostNetwork().interfaces() if row.address == api.sockaddr_in("127.0.0.1"))
    api.setsockopt(s, level, IP_ADD_IFLIST, loopback)
    api.sendto(source, b"found", 0, api.getsockname(s))
    assert receive(s) == b"found"


def test_a_multicast_port_gets_groups_only() -> None:
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.setsockopt(s, SOL_SOCKET, SO_REUSE_MULTICASTPORT, 1)
    api.bind(s, api.sockaddr_in("0.0.0.0", 0))
    api.setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, GROUP + LO)
    port, source = api.getsockname(s).port, sender()
    api.sendto(source, b"unicast", 0, api.sockaddr_in("127.0.0.1", port))
    api.sendto(source, b"to the group", 0, to_group(port))
    assert receive(s) == b"to the group"


@pytest.mark.ipv6
def test_each_version_of_ip_has_its_own_rules_on_a_dual_stack_socket() -> None:
    s = api.socket(AF_INET6, SOCK_DGRAM, 0)
    api.setsockopt(s, IPPROTO_IPV6, IPV6_IFLIST, 1)
    api.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    api.bind(s, api.sockaddr_in6("::", 0))
    port = api.getsockname(s).port
    api.sendto(udp(AF_INET6), b"by IPv6", 0, api.sockaddr_in6("::1", port))
    api.sendto(udp(), b"by IPv4", 0, api.sockaddr_in("127.0.0.1", port))
    assert receive(s) == b"by IPv4"


# Whose address is ours


class Network(HostNetwork):
    """Counts how often it is asked."""

    asked = 0

    def interfaces(self) -> list[InterfaceAddress]:
        Network.asked += 1
        ours = api.sockaddr_in("192.0.2.7")
        return [InterfaceAddress(name="eth", index=7, flags=1, address=ours, netmask=ours)]


def test_senders_are_looked_up_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "HostNetwork", Network)
    clock = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    made = Screen(
        host_family=2,
        no_loop=frozenset((IPPROTO_IP,)),
        only_groups=False,
        no_broadcast=False,
        interfaces={},
    )
    told = [(0, 8 if sys.platform == "linux" else 26, struct.pack("=I4s4s", 7, bytes(4), GROUP))]
    wanted = [made.wants(told, (source, 5)) for source in ("192.0.2.7", "192.0.2.8", "127.0.0.9", "192.0.2.8")]
    assert (wanted, Network.asked) == ([False, True, False, True], 1)
    clock += 2
    assert made.wants(told, ("192.0.2.8", 5))
    assert Network.asked == 2
    assert made.wants([], ("192.0.2.7", 5))  # the host has not told where it was sent to
