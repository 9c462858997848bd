"""IPPROTO_IP and IPPROTO_IPV6: what the host is told, and what a program reads back."""

from __future__ import annotations

import os
import socket as host
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.loopback import code_of, tcp, udp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEADDRNOTAVAIL,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOPROTOOPT,
    WSAENOTCONN,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    IP_ADD_IFLIST,
    IP_DEL_IFLIST,
    IP_DONTFRAGMENT,
    IP_GET_IFLIST,
    IP_HDRINCL,
    IP_IFLIST,
    IP_MTU,
    IP_MTU_DISCOVER,
    IP_MULTICAST_IF,
    IP_MULTICAST_TTL,
    IP_OPTIONS,
    IP_PKTINFO,
    IP_PROTECTION_LEVEL,
    IP_RTHDR,
    IP_TOS,
    IP_TTL,
    IP_UNICAST_IF,
    IP_USER_MTU,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_CHECKSUM,
    IPV6_DONTFRAG,
    IPV6_HDRINCL,
    IPV6_MTU_DISCOVER,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_UNICAST_HOPS,
    IPV6_UNICAST_IF,
    IPV6_USER_MTU,
    IPV6_V6ONLY,
    SOCK_DGRAM,
    SOCK_RAW,
)
from winsock2emu.errors import WinsockError

pytestmark = pytest.mark.usefixtures("winsock")
ipv6 = pytest.mark.ipv6
linux = pytest.mark.skipif(sys.platform != "linux", reason="the numbers are those of Linux")

LO = host.if_nametoindex("lo") if sys.platform == "linux" else 1
NO_INTERFACE = 0xABACAB


@contextmanager
def on_host(s: int) -> Iterator[Callable[[int, int], int]]:
    """Asks the host socket under a handle for an option."""
    with host.socket(fileno=os.dup(s)) as twin:
        yield twin.getsockopt


def number(s: int, level: int, option: int) -> int:
    return int.from_bytes(api.getsockopt(s, level, option, 4), "little")


def raw(family: int, protocol: int) -> int:
    try:
        return api.socket(family, SOCK_RAW, protocol)
    except WinsockError as refusal:
        pytest.skip(f"no raw sockets: {refusal}")


@linux
@pytest.mark.parametrize(
    ("family", "level", "option", "value", "theirs"),
    [
        (AF_INET, IPPROTO_IP, IP_TTL, 33, (0, 2)),
        (AF_INET, IPPROTO_IP, IP_TOS, 0x20, (0, 1)),
        (AF_INET, IPPROTO_IP, IP_MULTICAST_TTL, 255, (0, 33)),
        (AF_INET, IPPROTO_IP, IP_MULTICAST_TTL, 0, (0, 33)),
        pytest.param(AF_INET6, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 0, (41, 16), marks=ipv6),
        pytest.param(AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, 200, (41, 18), marks=ipv6),
        pytest.param(AF_INET6, IPPROTO_IPV6, IPV6_MULTICAST_IF, LO, (41, 17), marks=ipv6),
        pytest.param(AF_INET6, IPPROTO_IPV6, IPV6_DONTFRAG, 1, (41, 62), marks=ipv6),
        pytest.param(AF_INET6, IPPROTO_IP, IP_TTL, 44, (0, 2), marks=ipv6),
    ],
)
def test_a_number_reaches_the_host(family: int, level: int, option: int, value: int, theirs: tuple[int, int]) -> None:
    s = api.socket(family, SOCK_DGRAM, 0)
    api.setsockopt(s, level, option, value)
    assert number(s, level, option) == value
    with on_host(s) as theirs_of:
        assert theirs_of(*theirs) == value


@linux
@pytest.mark.parametrize("family", [AF_INET, pytest.param(AF_INET6, marks=ipv6)])
def test_datagrams_start_with_the_hops_of_windows(family: int) -> None:
    """Receivers can see them; hosts begin with 64."""
    with on_host(api.socket(family, SOCK_DGRAM, 0)) as theirs:
        assert theirs(*((0, 2) if family == AF_INET else (41, 16))) == 128


@linux
@ipv6
def test_a_dual_stack_socket_starts_like_an_ipv4_one() -> None:
    s = api.socket(AF_INET6, SOCK_DGRAM, 0)
    api.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    with on_host(s) as theirs:
        assert (theirs(0, 2), theirs(0, 49), theirs(41, 29)) == (128, 0, 0)


# Fragments


@linux
@pytest.mark.parametrize(
    ("option", "value", "theirs"),
    [
        (IP_DONTFRAGMENT, 1, 2),
        (IP_DONTFRAGMENT, 0, 1),
        (IP_MTU_DISCOVER, 1, 2),
        (IP_MTU_DISCOVER, 2, 0),
        (IP_MTU_DISCOVER, 3, 3),
    ],
)
def test_fragmenting_is_told_to_the_host(option: int, value: int, theirs: int) -> None:
    s = udp()
    api.setsockopt(s, IPPROTO_IP, option, value)
    assert number(s, IPPROTO_IP, option) == value
    with on_host(s) as theirs_of:
        assert theirs_of(0, 10) == theirs


@pytest.mark.parametrize("value", [0, 4, 0xFFFFFFFF])
@pytest.mark.parametrize(
    ("family", "level", "option"),
    [
        (AF_INET, IPPROTO_IP, IP_MTU_DISCOVER),
        pytest.param(AF_INET6, IPPROTO_IPV6, IPV6_MTU_DISCOVER, marks=ipv6),
    ],
)
def test_states_of_path_mtu_discovery(family: int, level: int, option: int, value: int) -> None:
    """Observed on Windows: optvalid-v4-mtu-discover; what a new socket shows cannot be set."""
    s = api.socket(family, SOCK_DGRAM, 0)
    assert code_of(api.setsockopt, s, level, option, value) == WSAEINVAL
    assert number(s, level, option) == 0


@linux
@ipv6
def test_a_datagram_that_must_not_be_cut_has_to_fit() -> None:
    s, to = udp(AF_INET6), udp(AF_INET6)
    api.setsockopt(s, IPPROTO_IPV6, IPV6_USER_MTU, 1280)
    api.setsockopt(s, IPPROTO_IPV6, IPV6_DONTFRAG, 1)
    assert code_of(api.sendto, s, bytes(1500), 0, api.getsockname(to)) == WSAEMSGSIZE
    api.setsockopt(s, IPPROTO_IPV6, IPV6_DONTFRAG, 0)
    assert api.sendto(s, bytes(1500), 0, api.getsockname(to)) == 1500
    api.setsockopt(s, IPPROTO_IPV6, IPV6_USER_MTU, 0xFFFFFFFF)
    assert code_of(api.setsockopt, s, IPPROTO_IPV6, IPV6_USER_MTU, 1279) == WSAEINVAL


@linux
def test_path_mtu_is_known_of_a_peer() -> None:
    s, to = udp(), udp()
    assert code_of(api.getsockopt, s, IPPROTO_IP, IP_MTU, 4) == WSAENOTCONN
    api.connect(s, api.getsockname(to))
    assert number(s, IPPROTO_IP, IP_MTU) >= 1280
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_MTU, 1500) == WSAENOPROTOOPT
    api.setsockopt(s, IPPROTO_IP, IP_USER_MTU, 1400)
    assert number(s, IPPROTO_IP, IP_USER_MTU) == 1400


# Interfaces


@linux
@pytest.mark.parametrize(
    ("value", "read", "index"),
    [
        (b"\x7f\0\0\1", b"\x7f\0\0\1", LO),
        (struct.pack("!I", LO), struct.pack("<I", LO), LO),
        (bytes(4), bytes(4), 0),
    ],
)
def test_multicast_goes_out_where_it_is_told(value: bytes, read: bytes, index: int) -> None:
    """R5.39: an address, an index, or the default; an index reads back in host order."""
    s = udp()
    api.setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, b"\x7f\0\0\1")
    api.setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, value)
    assert api.getsockopt(s, IPPROTO_IP, IP_MULTICAST_IF) == read
    with host.socket(fileno=os.dup(s)) as twin:
        mreqn = twin.getsockopt(0, 32, 12)
        assert int.from_bytes(mreqn[8:], sys.byteorder) == index or len(mreqn.rstrip(b"\0")) <= 4


@pytest.mark.parametrize("value", [b"\xc0\0\2\x63", struct.pack("!I", NO_INTERFACE)])
def test_an_interface_that_is_not_there_is_refused(value: bytes) -> None:
    s = udp()
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_MULTICAST_IF, value) == WSAEADDRNOTAVAIL
    assert api.getsockopt(s, IPPROTO_IP, IP_MULTICAST_IF) == bytes(4)


@linux
def test_unicast_interface_is_set_in_network_order_and_read_in_host_order() -> None:
    """R5.39."""
    s = udp()
    api.setsockopt(s, IPPROTO_IP, IP_UNICAST_IF, struct.pack("!I", LO))
    assert number(s, IPPROTO_IP, IP_UNICAST_IF) == LO
    with on_host(s) as theirs:
        assert theirs(0, 50) == host.htonl(LO)
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_UNICAST_IF, NO_INTERFACE) == WSAEADDRNOTAVAIL
    api.setsockopt(s, IPPROTO_IP, IP_UNICAST_IF, 0)
    assert number(s, IPPROTO_IP, IP_UNICAST_IF) == 0


@linux
@ipv6
def test_unicast_interface_of_ipv6_is_in_host_order() -> None:
    s = udp(AF_INET6)
    api.setsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_IF, LO)
    assert number(s, IPPROTO_IPV6, IPV6_UNICAST_IF) == LO
    with on_host(s) as theirs:
        assert theirs(41, 76) == host.htonl(LO)


def test_receive_lists() -> None:
    s = tcp()  # it is there, if without effect
    assert code_of(api.getsockopt, s, IPPROTO_IP, IP_GET_IFLIST, 64) == WSAEINVAL
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_ADD_IFLIST, LO) == WSAEINVAL
    api.setsockopt(s, IPPROTO_IP, IP_IFLIST, 1)
    assert api.getsockopt(s, IPPROTO_IP, IP_GET_IFLIST, 0) == b""
    for _ in range(2):
        api.setsockopt(s, IPPROTO_IP, IP_ADD_IFLIST, LO)
    assert api.getsockopt(s, IPPROTO_IP, IP_GET_IFLIST, 4) == struct.pack("<I", LO)
    assert code_of(api.getsockopt, s, IPPROTO_IP, IP_GET_IFLIST, 3) == WSAEFAULT
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_ADD_IFLIST, NO_INTERFACE) == WSAEADDRNOTAVAIL
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_DEL_IFLIST, NO_INTERFACE) == WSAEINVAL
    api.setsockopt(s, IPPROTO_IP, IP_IFLIST, 1)  # nothing new
    assert len(api.getsockopt(s, IPPROTO_IP, IP_GET_IFLIST, 4)) == 4
    api.setsockopt(s, IPPROTO_IP, IP_IFLIST, 0)
    api.setsockopt(s, IPPROTO_IP, IP_IFLIST, 1)
    assert api.getsockopt(s, IPPROTO_IP, IP_GET_IFLIST, 4) == b""


# Headers


def test_header_options_are_bytes_of_any_length_up_to_40() -> None:
    s = udp()
    for value in (b"\1\1\1\0", bytes(40), b""):
        api.setsockopt(s, IPPROTO_IP, IP_OPTIONS, value)
        assert api.getsockopt(s, IPPROTO_IP, IP_OPTIONS, 40) == value
    api.setsockopt(s, IPPROTO_IP, IP_OPTIONS, bytes(8))
    assert code_of(api.getsockopt, s, IPPROTO_IP, IP_OPTIONS, 7) == WSAEFAULT
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_OPTIONS, bytes(41)) == WSAEINVAL
    assert api.getsockopt(s, IPPROTO_IP, IP_OPTIONS, 40) == bytes(8)


def test_there_are_no_routing_headers() -> None:
    s = udp()
    assert api.getsockopt(s, IPPROTO_IP, IP_RTHDR, 40) == b""
    api.setsockopt(s, IPPROTO_IP, IP_RTHDR, b"")
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_RTHDR, bytes(8)) == WSAEINVAL


def test_raw_ipv4_takes_headers() -> None:
    s = raw(AF_INET, 1)
    api.setsockopt(s, IPPROTO_IP, IP_HDRINCL, 1)
    with on_host(s) as theirs:
        assert theirs(0, host.IP_HDRINCL) == 1
    api.setsockopt(s, IPPROTO_IP, IP_HDRINCL, 0)
    assert number(s, IPPROTO_IP, IP_HDRINCL) == 0


@linux
@ipv6
def test_raw_ipv6_takes_headers_and_fills_in_checksums() -> None:
    s = raw(AF_INET6, 200)
    api.setsockopt(s, IPPROTO_IPV6, IPV6_HDRINCL, 1)
    api.setsockopt(s, IPPROTO_IPV6, IPV6_CHECKSUM, 2)
    with on_host(s) as theirs:
        assert (theirs(41, 36), theirs(41, host.IPV6_CHECKSUM)) == (1, 2)
    assert code_of(api.setsockopt, s, IPPROTO_IPV6, IPV6_CHECKSUM, 3) == WSAEINVAL
    api.setsockopt(s, IPPROTO_IPV6, IPV6_CHECKSUM, -1)
    assert number(s, IPPROTO_IPV6, IPV6_CHECKSUM) == 0xFFFFFFFF
    assert code_of(api.setsockopt, udp(AF_INET6), IPPROTO_IPV6, IPV6_CHECKSUM, 2) == WSAEINVAL


# Rules


def test_protection_levels_come_before_bind() -> None:
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    assert number(s, IPPROTO_IP, IP_PROTECTION_LEVEL) == 0xFFFFFFFF
    api.setsockopt(s, IPPROTO_IP, IP_PROTECTION_LEVEL, 30)
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_PROTECTION_LEVEL, 31) == WSAEINVAL
    api.bind(s, api.sockaddr_in("127.0.0.1", 0))
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_PROTECTION_LEVEL, 10) == WSAEINVAL
    assert number(s, IPPROTO_IP, IP_PROTECTION_LEVEL) == 30


def test_a_short_get_of_a_control_data_switch_tells_nothing() -> None:
    """Observed on Windows: optlen-ip-pktinfo; the length becomes 0, but a length that is none stays."""
    s = udp()
    for room, needed in ((1, 0), (3, 0), (0, None), (-1, None)):
        with pytest.raises(WinsockError) as caught:
            api.getsockopt(s, IPPROTO_IP, IP_PKTINFO, room)
        assert (caught.value.winerror, caught.value.needed) == (WSAEFAULT, needed)


@pytest.mark.parametrize(
    ("value", "shown"), [(b"\x20", 0x20), (b"\x20\xff", 0x20), (b"\x20\xff\xff", 0x20), (b"\x20\0\0\0\xff", 0x20)]
)
def test_a_number_of_the_stack_is_one_byte_where_it_is_not_four(value: bytes, shown: int) -> None:
    """Observed on Windows: opt-mcast-ttl-widths, optlen-ip-tos."""
    s = udp()
    api.setsockopt(s, IPPROTO_IP, IP_TOS, value)
    assert number(s, IPPROTO_IP, IP_TOS) == shown


@ipv6
def test_an_ipv6_socket_has_no_ipv4_control_data_before_it_is_dual_stack() -> None:
    s = api.socket(AF_INET6, SOCK_DGRAM, 0)
    assert code_of(api.setsockopt, s, IPPROTO_IP, IP_PKTINFO, 1) == WSAENOPROTOOPT
    api.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    api.setsockopt(s, IPPROTO_IP, IP_PKTINFO, 1)
    assert number(s, IPPROTO_IP, IP_PKTINFO) == 1
