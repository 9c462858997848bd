"""Whole source filters of multicast groups, and what they do to memberships and to the host."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.loopback import code_of, tcp
from tests.providers.host.networks import provider_of
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAEADDRNOTAVAIL, WSAEFAULT, WSAEINVAL, WSAENOPROTOOPT
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    IP_ADD_MEMBERSHIP,
    IP_ADD_SOURCE_MEMBERSHIP,
    IP_BLOCK_SOURCE,
    IP_DROP_MEMBERSHIP,
    IPPROTO_IP,
    MCAST_EXCLUDE,
    MCAST_INCLUDE,
    SIO_GET_MULTICAST_FILTER,
    SIO_SET_MULTICAST_FILTER,
    SIOCGMSFILTER,
    SIOCSMSFILTER,
    SO_RCVTIMEO,
    SOCK_DGRAM,
    SOL_SOCKET,
)
from winsock2emu.defs.layouts import LAYOUTS
from winsock2emu.defs.sockaddr import sockaddr_in, sockaddr_in6
from winsock2emu.process import current_process
from winsock2emu.providers.host.filters import IP_FILTER_SIZE

pytestmark = pytest.mark.usefixtures("winsock")

GROUP = bytes((239, 1, 2, 3))
LOOPBACK = bytes((127, 0, 0, 1))
ONE, TWO, THREE = (bytes((192, 0, 2, last)) for last in (1, 2, 3))
LO = 1  # the loopback interface's number on every host

GROUP6 = sockaddr_in6("ff01::1234")


def udp(family: int = AF_INET) -> int:
    s = api.socket(family, SOCK_DGRAM, 0)
    api.bind(s, sockaddr_in("0.0.0.0") if family == AF_INET else sockaddr_in6("::"))
    return s


def ip_filter(mode: int, *sources: bytes, group: bytes = GROUP) -> bytes:
    return group + LOOPBACK + struct.pack("<II", mode, len(sources)) + b"".join(sources)


def storage(address: bytes) -> bytes:
    return address.ljust(128, b"\0")


def group_filter(mode: int, *sources: bytes, group: bytes = GROUP6) -> bytes:
    head = struct.pack("<I4x128sII", LO, storage(group), mode, len(sources))
    return head + b"".join(map(storage, sources))


def set_filter(s: int, data: bytes) -> None:
    assert api.WSAIoctl(s, SIO_SET_MULTICAST_FILTER, data) == b""


def current(s: int, room: int = 1000) -> tuple[int, int, list[bytes]]:
    """(mode, number of sources, the sources that were listed)."""
    answer = api.WSAIoctl(s, SIO_GET_MULTICAST_FILTER, ip_filter(0), room)
    assert answer[:8] == GROUP + LOOPBACK
    mode, count = struct.unpack("<II", answer[8:16])
    return mode, count, [answer[at : at + 4] for at in range(16, len(answer), 4)]


def member(option: int, *source: bytes) -> Any:
    """The value of a membership option."""
    return option, GROUP + b"".join(source) + LOOPBACK


def memberships(s: int) -> dict[Any, Any]:
    found: dict[Any, Any] = provider_of(current_process())._socket(s).groups or {}
    return found


def test_the_records_are_those_of_the_headers() -> None:
    fields = {field.name: field for field in LAYOUTS["ip_msfilter"].fields}

    assert fields["imsf_slist"].offset == IP_FILTER_SIZE
    assert (fields["imsf_fmode"].offset, fields["imsf_numsrc"].offset) == (8, 12)


@pytest.mark.parametrize(
    "steps",
    [
        [(MCAST_INCLUDE, (ONE,)), (MCAST_INCLUDE, (ONE, TWO)), (MCAST_INCLUDE, (THREE,))],
        [(MCAST_EXCLUDE, ()), (MCAST_EXCLUDE, (ONE, TWO)), (MCAST_EXCLUDE, (TWO,)), (MCAST_EXCLUDE, ())],
        [(MCAST_INCLUDE, (ONE,)), (MCAST_EXCLUDE, (TWO,)), (MCAST_INCLUDE, (TWO, THREE)), (MCAST_EXCLUDE, ())],
    ],
    ids=["sources", "blocks", "one kind and the other"],
)
def test_a_filter_is_what_was_set_last(steps: list[tuple[int, tuple[bytes, ...]]]) -> None:
    """A socket that is no member becomes one."""
    s = udp()
    for mode, sources in steps:
        set_filter(s, ip_filter(mode, *sources))
        assert current(s) == (mode, len(sources), sorted(sources))


def test_to_include_nobody_is_to_leave() -> None:
    for mode, sources in ((MCAST_INCLUDE, (ONE,)), (MCAST_EXCLUDE, (ONE,)), (MCAST_EXCLUDE, ())):
        s = udp()
        set_filter(s, ip_filter(mode, *sources))
        set_filter(s, ip_filter(MCAST_INCLUDE))
        assert memberships(s) == {}
        assert code_of(current, s) == WSAEADDRNOTAVAIL
        set_filter(s, ip_filter(MCAST_INCLUDE))


def test_a_filter_shows_what_options_have_made() -> None:
    s = udp()
    api.setsockopt(s, IPPROTO_IP, *member(IP_ADD_MEMBERSHIP))
    assert current(s) == (MCAST_EXCLUDE, 0, [])
    api.setsockopt(s, IPPROTO_IP, *member(IP_BLOCK_SOURCE, ONE))
    assert current(s) == (MCAST_EXCLUDE, 1, [ONE])
    other = udp()
    api.setsockopt(other, IPPROTO_IP, *member(IP_ADD_SOURCE_MEMBERSHIP, TWO))
    assert current(other) == (MCAST_INCLUDE, 1, [TWO])


def test_options_go_on_from_a_filter() -> None:
    s = udp()
    set_filter(s, ip_filter(MCAST_EXCLUDE, ONE))

    assert code_of(api.setsockopt, s, IPPROTO_IP, *member(IP_BLOCK_SOURCE, ONE)) == WSAEADDRNOTAVAIL
    api.setsockopt(s, IPPROTO_IP, *member(IP_DROP_MEMBERSHIP))
    assert code_of(current, s) == WSAEADDRNOTAVAIL


@pytest.mark.parametrize(("room", "listed"), [(16, 0), (19, 0), (20, 1), (27, 2), (28, 3), (400, 3)])
def test_all_sources_are_counted_and_as_many_listed_as_fit(room: int, listed: int) -> None:
    s = udp()
    set_filter(s, ip_filter(MCAST_EXCLUDE, ONE, TWO, THREE))

    assert current(s, room) == (MCAST_EXCLUDE, 3, [ONE, TWO, THREE][:listed])


def test_what_a_filter_lets_through() -> None:
    """The host keeps to it: data from the loopback address comes, or does not."""
    s = udp()
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 10_000)
    sender = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.bind(sender, sockaddr_in("127.0.0.1"))
    api.setsockopt(sender, IPPROTO_IP, api.IP_MULTICAST_IF, LOOPBACK)
    to = sockaddr_in(GROUP, api.getsockname(s).port)

    def send(data: bytes) -> None:
        api.sendto(sender, data, 0, to)

    set_filter(s, ip_filter(MCAST_EXCLUDE, LOOPBACK))
    send(b"excluded")
    set_filter(s, ip_filter(MCAST_INCLUDE, ONE))
    send(b"not included")
    set_filter(s, ip_filter(MCAST_EXCLUDE))
    send(b"let through")
    set_filter(s, ip_filter(MCAST_INCLUDE, LOOPBACK))
    send(b"included")

    got = []
    for _ in range(2):
        room = bytearray(20)
        got.append(bytes(room[: api.recv(s, room)]))
    assert got == [b"let through", b"included"]


@pytest.mark.ipv6
def test_groups_of_both_versions_with_an_index() -> None:
    s = udp(AF_INET6)
    sources = [sockaddr_in6("2001:db8::1"), sockaddr_in6("2001:db8::2")]

    assert api.WSAIoctl(s, SIOCSMSFILTER, group_filter(MCAST_EXCLUDE, *sources)) == b""
    answer = api.WSAIoctl(s, SIOCGMSFILTER, group_filter(0), 1000)
    assert answer == group_filter(MCAST_EXCLUDE, *sources)
    answer = api.WSAIoctl(s, SIOCGMSFILTER, group_filter(0), 144 + 128 + 127)
    assert struct.unpack("<II", answer[136:144]) == (MCAST_EXCLUDE, 2)
    assert len(answer) == 144 + 128

    ipv4 = udp()
    group = sockaddr_in(GROUP)
    source = sockaddr_in(ONE)
    api.WSAIoctl(ipv4, SIOCSMSFILTER, group_filter(MCAST_INCLUDE, source, group=group))
    assert api.WSAIoctl(ipv4, SIOCGMSFILTER, group_filter(0, group=group), 1000) == group_filter(
        MCAST_INCLUDE, source, group=group
    )


@pytest.mark.parametrize(
    ("code", "data", "error"),
    [
        pytest.param(SIO_SET_MULTICAST_FILTER, ip_filter(0)[:15], WSAEFAULT, id="short"),
        pytest.param(SIO_SET_MULTICAST_FILTER, ip_filter(0, ONE)[:19], WSAEFAULT, id="fewer sources than it says"),
        pytest.param(SIO_SET_MULTICAST_FILTER, ip_filter(2, ONE), WSAEINVAL, id="no such mode"),
        pytest.param(SIO_SET_MULTICAST_FILTER, ip_filter(0, ONE, group=ONE), WSAEADDRNOTAVAIL, id="no group"),
        pytest.param(SIO_GET_MULTICAST_FILTER, ip_filter(0), WSAEADDRNOTAVAIL, id="no member"),
        pytest.param(SIOCSMSFILTER, group_filter(0)[:143], WSAEFAULT, id="short, with an index"),
        pytest.param(
            SIOCSMSFILTER, group_filter(0, sockaddr_in(ONE))[:-1], WSAEFAULT, id="fewer sources, with an index"
        ),
        pytest.param(SIOCSMSFILTER, group_filter(1, group=bytes(16)), WSAEINVAL, id="no family"),
        pytest.param(
            SIOCSMSFILTER,
            group_filter(1, sockaddr_in6("::1"), group=sockaddr_in(GROUP)),
            WSAEINVAL,
            id="a source of the other version",
        ),
        pytest.param(SIOCGMSFILTER, group_filter(0, group=sockaddr_in(GROUP)), WSAEADDRNOTAVAIL, id="no member either"),
    ],
)
def test_filters_that_cannot_be(code: int, data: bytes, error: int) -> None:
    s = udp()

    assert code_of(api.WSAIoctl, s, code, data, 1000) == error
    assert memberships(s) == {}


def test_too_little_room_for_a_filter() -> None:
    s = udp()
    set_filter(s, ip_filter(MCAST_EXCLUDE))

    assert code_of(api.WSAIoctl, s, SIO_GET_MULTICAST_FILTER, ip_filter(0), 15) == WSAEFAULT
    group = group_filter(0, group=sockaddr_in(GROUP))
    assert code_of(api.WSAIoctl, s, SIOCGMSFILTER, group, 143) == WSAEFAULT


def test_filters_are_for_datagrams() -> None:
    assert code_of(api.WSAIoctl, tcp(), SIO_SET_MULTICAST_FILTER, ip_filter(0)) == WSAENOPROTOOPT
    assert code_of(api.WSAIoctl, tcp(), SIOCSMSFILTER, group_filter(0)) == WSAENOPROTOOPT
    assert code_of(api.WSAIoctl, udp(AF_INET6), SIO_SET_MULTICAST_FILTER, ip_filter(0)) == WSAENOPROTOOPT
