"""Multicast groups: what may follow what, interfaces, and the host's side of a membership."""

from __future__ import annotations

import errno
import socket as host
import struct
import sys
from typing import Any

import pytest

from tests.loopback import code_of, udp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEADDRNOTAVAIL, WSAEINVAL, WSAENETUNREACH, WSAENOBUFS
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    IFF_LOOPBACK,
    IFF_UP,
    IP_ADD_MEMBERSHIP,
    IP_DROP_MEMBERSHIP,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    MCAST_BLOCK_SOURCE,
    MCAST_JOIN_GROUP,
    MCAST_JOIN_SOURCE_GROUP,
    MCAST_LEAVE_GROUP,
    MCAST_LEAVE_SOURCE_GROUP,
    MCAST_UNBLOCK_SOURCE,
    SOCK_DGRAM,
)
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.errors import WinsockError
from winsock2emu.process import current_process
from winsock2emu.providers.host import membership
from winsock2emu.providers.host.datagram import DatagramSocket
from winsock2emu.providers.host.interfaces import HostNetwork, InterfaceAddress

pytestmark = pytest.mark.usefixtures("winsock")

GROUP, GROUP6 = api.sockaddr_in("239.255.77.9"), api.sockaddr_in6("ff15::7709")
SOURCES = {
    AF_INET: [api.sockaddr_in("192.0.2.1"), api.sockaddr_in("192.0.2.2")],
    AF_INET6: [api.sockaddr_in6("2001:db8::1"), api.sockaddr_in6("2001:db8::2")],
}
LO = host.if_nametoindex("lo") if sys.platform == "linux" else 1

JOIN, LEAVE = MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP
JOIN_SOURCE, LEAVE_SOURCE = MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP
BLOCK, UNBLOCK = MCAST_BLOCK_SOURCE, MCAST_UNBLOCK_SOURCE

Step = tuple[int, int]
"""An option, and which of two sources it is about."""


def act(s: int, option: int, source: int = 0, index: int = LO, family: int = AF_INET) -> None:
    group: bytes = GROUP if family == AF_INET else GROUP6
    value = struct.pack("<I4x", index) + group.ljust(128, b"\0")
    if option not in (JOIN, LEAVE):
        value += SOURCES[family][source].ljust(128, b"\0")
    api.setsockopt(s, IPPROTO_IP if family == AF_INET else IPPROTO_IPV6, option, value)


def endpoint(s: int) -> DatagramSocket:
    found = current_process().socket(s).mover
    assert isinstance(found, DatagramSocket)
    return found


OK = 0
HISTORIES: dict[str, list[tuple[Step, int]]] = {
    # T5.3 has every code; what is between them follows from it.
    "any-source": [
        ((LEAVE, 0), WSAEINVAL),
        ((JOIN, 0), OK),
        ((JOIN, 0), WSAEADDRNOTAVAIL),
        ((JOIN_SOURCE, 0), WSAEADDRNOTAVAIL),
        ((LEAVE_SOURCE, 0), WSAEINVAL),
        ((UNBLOCK, 0), WSAEINVAL),
        ((LEAVE, 0), OK),
        ((LEAVE, 0), WSAEINVAL),
        ((LEAVE_SOURCE, 0), WSAEINVAL),
        ((BLOCK, 0), WSAEINVAL),
        ((UNBLOCK, 0), WSAEINVAL),
        ((JOIN, 0), OK),
    ],
    "sources": [
        ((JOIN_SOURCE, 0), OK),
        ((JOIN_SOURCE, 0), WSAEADDRNOTAVAIL),
        ((JOIN, 0), WSAEADDRNOTAVAIL),
        ((BLOCK, 0), WSAEINVAL),
        ((UNBLOCK, 0), WSAEINVAL),
        ((LEAVE_SOURCE, 1), WSAEADDRNOTAVAIL),
        ((JOIN_SOURCE, 1), OK),
        ((LEAVE_SOURCE, 0), OK),
        ((LEAVE_SOURCE, 0), WSAEADDRNOTAVAIL),
        ((LEAVE_SOURCE, 1), OK),
        ((LEAVE_SOURCE, 1), WSAEADDRNOTAVAIL),
        ((UNBLOCK, 1), WSAEINVAL),
        ((LEAVE, 0), WSAEINVAL),
        ((JOIN_SOURCE, 0), OK),
        ((LEAVE, 0), OK),
        ((LEAVE_SOURCE, 0), WSAEINVAL),
    ],
    "blocks": [
        ((BLOCK, 0), WSAEINVAL),
        ((JOIN, 0), OK),
        ((BLOCK, 0), OK),
        ((BLOCK, 0), WSAEADDRNOTAVAIL),
        ((JOIN, 0), WSAEINVAL),
        ((JOIN_SOURCE, 1), WSAEINVAL),
        ((BLOCK, 1), OK),
        ((UNBLOCK, 0), OK),
        ((UNBLOCK, 0), WSAEADDRNOTAVAIL),
        ((UNBLOCK, 1), OK),
        ((JOIN, 0), WSAEADDRNOTAVAIL),
        ((BLOCK, 0), OK),
        ((LEAVE, 0), OK),
        ((JOIN, 0), OK),
        ((BLOCK, 0), OK),
    ],
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
@pytest.mark.parametrize("family", [AF_INET, pytest.param(AF_INET6, marks=pytest.mark.ipv6)])
def test_what_may_follow_what(family: int, history: list[tuple[Step, int]]) -> None:
    """R5.40, T5.3: the host agrees with every step that is allowed."""
    s = udp(family)
    for (option, source), code in history:
        assert code_of(act, s, option, source, LO, family) == code, (option, source)


def test_memberships_of_sockets_and_interfaces_are_apart() -> None:
    """R5.40."""
    first, second = udp(), udp()
    act(first, JOIN)
    act(second, JOIN)
    act(first, LEAVE)
    act(second, BLOCK)
    others = {row.index for row in HostNetwork().interfaces() if row.flags & IFF_UP and not row.flags & IFF_LOOPBACK}
    for index in others:
        act(second, JOIN_SOURCE, 0, index)
        assert code_of(act, second, JOIN_SOURCE, 0, index) == WSAEADDRNOTAVAIL


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"\xc0\0\2\1" + bytes(4), WSAEADDRNOTAVAIL),  # no group
        (GROUP.packed + b"\xc0\0\2\x63", WSAEADDRNOTAVAIL),  # not our address
        (GROUP.packed + b"\0\xab\xac\xab", WSAEADDRNOTAVAIL),  # no such index
        (GROUP.packed + b"\x7f\0\0\1", OK),
        (GROUP.packed + struct.pack("!I", LO), OK),
    ],
)
def test_groups_and_interfaces_of_ipv4_records(value: bytes, code: int) -> None:
    s = udp()
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_ADD_MEMBERSHIP, value) == code
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_DROP_MEMBERSHIP, value) == code


def test_records_with_addresses_that_are_none() -> None:
    s = udp()
    for group in (bytes(128), GROUP6.ljust(128, b"\0"), b"\1\0".ljust(128, b"x")):
        value = struct.pack("<I4x", LO) + group
        assert code_of(api.setsockopt, s, IPPROTO_IP, MCAST_JOIN_GROUP, value) == WSAEINVAL


@pytest.mark.ipv6
def test_a_dual_stack_socket_joins_groups_of_both_versions() -> None:
    s = api.socket(AF_INET6, SOCK_DGRAM, 0)
    api.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    api.bind(s, api.sockaddr_in6("::", 0))
    act(s, JOIN)
    act(s, JOIN, family=AF_INET6)
    port = api.getsockname(s).port
    with host.socket(host.AF_INET, host.SOCK_DGRAM) as sender:
        sender.setsockopt(host.IPPROTO_IP, host.IP_MULTICAST_IF, host.inet_aton("127.0.0.1"))
        sender.sendto(b"x", (GROUP.host, port))
    assert api.recvfrom(s, bytearray(2))[0] == 1


# The default interface


class Network(HostNetwork):
    """One interface that leads to everything, one that leads nowhere; or no way at all."""

    def __init__(self, source: SockAddr | None) -> None:
        self.source = source
        self.asked: list[SockAddr] = []

    def interfaces(self) -> list[InterfaceAddress]:
        mask = api.sockaddr_in("255.0.0.0")
        rows = (("lo", 1, IFF_UP | IFF_LOOPBACK, "127.0.0.1"), ("eth", 7, IFF_UP, "192.0.2.7"))
        return [
            InterfaceAddress(name=name, index=index, flags=flags, address=api.sockaddr_in(address), netmask=mask)
            for name, index, flags, address in rows
        ]

    def source_for(self, destination: SockAddr) -> SockAddr:
        self.asked.append(destination)
        if self.source is None:
            raise WinsockError(WSAENETUNREACH)
        return self.source


@pytest.mark.parametrize(
    ("source", "index"), [(api.sockaddr_in("192.0.2.7"), 7), (None, 1)], ids=["by the way", "loopback"]
)
@pytest.mark.parametrize(
    ("group", "asked"), [(GROUP, "239.255.77.9"), (api.sockaddr_in6("ff02::7709"), "ff0e::7709")], ids=["4", "6"]
)
def test_the_default_interface_is_where_the_way_leads(
    source: SockAddr | None, index: int, group: SockAddr, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a way it is the loopback interface; a narrow scope of IPv6 has no way without an interface."""
    network = Network(source)
    monkeypatch.setattr(membership, "HostNetwork", lambda: network)
    s = endpoint(udp(AF_INET6 if len(group.packed) == 16 else AF_INET))
    assert membership.interface_of(s, group.packed, 0) == index
    assert [address.host for address in network.asked] == [asked]


def test_a_machine_without_interfaces_has_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network(None)
    monkeypatch.setattr(network, "interfaces", list)
    monkeypatch.setattr(membership, "HostNetwork", lambda: network)
    assert code_of(act, udp(), JOIN, 0, 0) == WSAEADDRNOTAVAIL


# The host's side


class Refusing:
    """A host socket that fails a call."""

    def __init__(self, number: int) -> None:
        self.number = number

    def setsockopt(self, level: int, option: int, value: bytes) -> Any:
        raise OSError(self.number, "")


@pytest.mark.parametrize(
    ("number", "code", "gone"),
    [
        (errno.ENODEV, WSAEADDRNOTAVAIL, True),
        (errno.EADDRINUSE, WSAEADDRNOTAVAIL, True),
        (errno.EADDRNOTAVAIL, WSAEADDRNOTAVAIL, True),
        (errno.ENOBUFS, WSAENOBUFS, False),
        (errno.EINVAL, WSAEINVAL, False),
    ],
)
def test_what_the_host_refuses_changes_nothing(
    number: int, code: int, gone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But a membership that went with its interface can be left."""
    s = udp()
    real = endpoint(s).host
    with monkeypatch.context() as patch:
        patch.setattr(endpoint(s), "host", Refusing(number))
        assert code_of(act, s, JOIN) == code
    assert endpoint(s).host is real
    act(s, JOIN)
    with monkeypatch.context() as patch:
        patch.setattr(endpoint(s), "host", Refusing(number))
        assert code_of(act, s, BLOCK) == code
        assert code_of(act, s, LEAVE) == (0 if gone else code)
    assert code_of(act, s, LEAVE) == (WSAEINVAL if gone else 0)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_socket_has_a_limited_number_of_groups() -> None:
    """net.ipv4.igmp_max_memberships; the refused one is not entered."""
    s = udp()
    for last in range(1000):
        value = bytes((239, 255, 78 + last // 250, last % 250)) + struct.pack("!I", LO)
        code = code_of(api.setsockopt, s, IPPROTO_IP, IP_ADD_MEMBERSHIP, value)
        if code:
            assert code == WSAENOBUFS
            assert code_of(api.setsockopt, s, IPPROTO_IP, IP_DROP_MEMBERSHIP, value) == WSAEINVAL
            return
    pytest.skip("this machine allows more groups than the test has patience")
