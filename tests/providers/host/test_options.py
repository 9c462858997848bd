"""Socket options: defaults, values, lengths, and the sockets they are for."""

from __future__ import annotations

import struct
from collections.abc import Callable

import attrs
import pytest

from tests.loopback import (
    FAMILIES,
    arrived,
    code_of,
    connecting,
    fails,
    linger,
    listener,
    loopback,
    nonblocking,
    pair,
    readable,
    refusing,
    reset,
    tcp,
    udp,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPV6_UNICAST_HOPS,
    IPV6_V6ONLY,
    SO_ACCEPTCONN,
    SO_BROADCAST,
    SO_DEBUG,
    SO_DONTLINGER,
    SO_DONTROUTE,
    SO_ERROR,
    SO_EXCLUSIVEADDRUSE,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MAX_MSG_SIZE,
    SO_OOBINLINE,
    SO_PROTOCOL_INFOA,
    SO_PROTOCOL_INFOW,
    SO_RCVBUF,
    SO_RCVLOWAT,
    SO_RCVTIMEO,
    SO_REUSEADDR,
    SO_SNDBUF,
    SO_SNDLOWAT,
    SO_SNDTIMEO,
    SO_TYPE,
    SO_USELOOPBACK,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_NODELAY,
)
from winsock2emu.defs.records import ProtocolInfo

pytestmark = pytest.mark.usefixtures("winsock")


def dword(number: int) -> bytes:
    return struct.pack("<I", number & 0xFFFFFFFF)


def number(s: int, level: int, option: int) -> int:
    """The value of an option as a program reads it, into a DWORD of zeros."""
    return int.from_bytes(api.getsockopt(s, level, option, 4), "little")


def stream() -> int:
    return tcp()


def datagram() -> int:
    return api.socket(AF_INET, SOCK_DGRAM, 0)


# ------------------------------------------------------------------------------------------------------------- T16.2


@attrs.frozen
class Row:
    """One row of table T16.2. ``default`` None: no getter; ``sets``: values, or the code that a set earns."""

    option: int
    default: int | None
    sets: list[int] | int
    streams: bool = True
    datagrams: bool = True
    level: int = SOL_SOCKET


ROWS = {
    "SO_ACCEPTCONN": Row(SO_ACCEPTCONN, 0, WSAENOPROTOOPT, datagrams=False),
    "SO_BROADCAST": Row(SO_BROADCAST, 0, [1, 0], streams=False),
    "SO_DEBUG": Row(SO_DEBUG, 0, [1, 0]),
    "SO_DONTLINGER": Row(SO_DONTLINGER, 1, [0, 1], datagrams=False),
    "SO_DONTROUTE": Row(SO_DONTROUTE, 0, [1, 0]),
    "SO_ERROR": Row(SO_ERROR, 0, []),
    "SO_EXCLUSIVEADDRUSE": Row(SO_EXCLUSIVEADDRUSE, 0, [1, 0]),
    "SO_KEEPALIVE": Row(SO_KEEPALIVE, 0, [1, 0], datagrams=False),
    "SO_OOBINLINE": Row(SO_OOBINLINE, 0, [1, 0], datagrams=False),
    "SO_RCVBUF": Row(SO_RCVBUF, 65536, [4096, 0, 1, 1_000_000]),
    "SO_SNDBUF": Row(SO_SNDBUF, 65536, [4096, 0, 1, 1_000_000]),
    "SO_REUSEADDR": Row(SO_REUSEADDR, 0, [1, 0]),
    "SO_RCVTIMEO": Row(SO_RCVTIMEO, 0, [63000, 0, 1, 0xFFFFFFFF]),
    "SO_SNDTIMEO": Row(SO_SNDTIMEO, 0, [997000, 0, 1, 0xFFFFFFFF]),
    "TCP_NODELAY": Row(TCP_NODELAY, 0, [1, 0], datagrams=False, level=IPPROTO_TCP),
    "IP_TTL": Row(IP_TTL, 128, [1, 255, 64], level=IPPROTO_IP),
}


@pytest.mark.parametrize("make", [stream, datagram])
@pytest.mark.parametrize("name", ROWS)
def test_an_option_reads_as_its_default_and_then_as_what_was_set(name: str, make: Callable[[], int]) -> None:
    """T16.2, R16.37, R16.41, A54; observed on Windows: opt-rcvtimeo-roundtrip, opt-sndbuf-exact and others."""
    row, s = ROWS[name], make()
    there = row.streams if make is stream else row.datagrams
    if not there:
        assert code_of(api.getsockopt, s, row.level, row.option) == WSAENOPROTOOPT
        assert code_of(api.setsockopt, s, row.level, row.option, 1) == WSAENOPROTOOPT
        return
    assert number(s, row.level, row.option) == row.default
    if isinstance(row.sets, int):
        for value in (0, 1):
            assert code_of(api.setsockopt, s, row.level, row.option, value) == row.sets
        assert number(s, row.level, row.option) == row.default
    else:
        for value in row.sets:
            api.setsockopt(s, row.level, row.option, value)
            assert number(s, row.level, row.option) == value


@pytest.mark.parametrize("option", [SO_RCVLOWAT, SO_SNDLOWAT, SO_USELOOPBACK])
def test_options_that_windows_has_given_up(option: int) -> None:
    """T16.2, A75: WSAEINVAL since Vista, both ways."""
    for s in (stream(), datagram()):
        with fails(WSAEINVAL):
            api.getsockopt(s, SOL_SOCKET, option)
        with fails(WSAEINVAL):
            api.setsockopt(s, SOL_SOCKET, option, 1)


@pytest.mark.ipv6
def test_the_routing_flag_is_for_ipv4() -> None:
    """T16.2."""
    s = tcp(AF_INET6)
    with fails(WSAENOPROTOOPT):
        api.setsockopt(s, SOL_SOCKET, SO_DONTROUTE, 1)


def test_what_a_socket_is() -> None:
    assert number(stream(), SOL_SOCKET, SO_TYPE) == SOCK_STREAM
    assert number(datagram(), SOL_SOCKET, SO_TYPE) == SOCK_DGRAM
    assert number(datagram(), SOL_SOCKET, SO_MAX_MSG_SIZE) == 65507
    with fails(WSAENOPROTOOPT):
        api.getsockopt(stream(), SOL_SOCKET, SO_MAX_MSG_SIZE)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("option", "size"), [(SO_PROTOCOL_INFOA, 372), (SO_PROTOCOL_INFOW, 628)])
def test_the_catalog_entry_of_a_socket(family: int, option: int, size: int) -> None:
    """T16.2; too little room is WSAEFAULT, which tells the size (observed on Windows: opt-protoinfo-short)."""
    s = udp(family)
    record = ProtocolInfo.unpack(api.getsockopt(s, SOL_SOCKET, option))
    assert record in api.WSAEnumProtocols()
    assert (record.address_family, record.socket_type) == (family, SOCK_DGRAM)
    assert len(api.getsockopt(s, SOL_SOCKET, option, 2 * size)) == size
    with fails(WSAEFAULT) as caught:
        api.getsockopt(s, SOL_SOCKET, option, size - 1)
    assert caught.value.needed == size
    with fails(WSAENOPROTOOPT):
        api.setsockopt(s, SOL_SOCKET, option, bytes(size))


def test_listening_shows() -> None:
    """R11.17; observed on Windows: listen-acceptconn-before, -after, -set."""
    s = tcp()
    api.bind(s, loopback(AF_INET))
    assert number(s, SOL_SOCKET, SO_ACCEPTCONN) == 0
    api.listen(s, 1)
    assert number(s, SOL_SOCKET, SO_ACCEPTCONN) == 1
    with fails(WSAENOPROTOOPT):
        api.setsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, 0)


# -------------------------------------------------------------------------------------------------------------- lengths

# Observed on Windows, optlen-*: lengths that a set takes, and the length of the answer for a room of 1, 2, 4 and 8.
LENGTHS = {
    "msafd's BOOLs": (
        [
            (SOL_SOCKET, SO_BROADCAST, datagram),
            (SOL_SOCKET, SO_DONTLINGER, stream),
            (SOL_SOCKET, SO_OOBINLINE, stream),
            (SOL_SOCKET, SO_REUSEADDR, stream),
            (SOL_SOCKET, SO_EXCLUSIVEADDRUSE, stream),
        ],
        (0, 1, 2, 4, 8),
        (1, 1, 4, 4),
        1,
    ),
    "single bytes": (
        [
            (SOL_SOCKET, SO_KEEPALIVE, stream),
            (SOL_SOCKET, SO_DONTROUTE, stream),
            (IPPROTO_TCP, TCP_NODELAY, stream),
        ],
        (1, 2, 4, 8),
        (1, 1, 1, 1),
        0,
    ),
    "numbers": (
        [
            (SOL_SOCKET, SO_RCVBUF, stream),
            (SOL_SOCKET, SO_SNDBUF, stream),
            (SOL_SOCKET, SO_RCVTIMEO, stream),
            (SOL_SOCKET, SO_SNDTIMEO, stream),
            (SOL_SOCKET, SO_LINGER, stream),
        ],
        (4, 8),
        (0, 0, 4, 4),
        0x100,
    ),
    "numbers of TCP/IP": ([(IPPROTO_IP, IP_TTL, datagram)], (1, 2, 4, 8), (1, 1, 4, 4), None),
}


@pytest.mark.parametrize("kind", LENGTHS)
def test_lengths_that_windows_takes_and_gives(kind: str) -> None:
    """``0x100``: what the option is after a DWORD of that value; None, it is out of range (WSAEINVAL)."""
    options, sets, answers, large = LENGTHS[kind]
    for level, option, make in options:
        s = make()
        for length in (0, 1, 2, 4, 8):
            value = (b"\1" + bytes(7))[:length]
            assert (option, length, code_of(api.setsockopt, s, level, option, value)) == (
                option,
                length,
                0 if length in sets else WSAEFAULT,
            )
        api.setsockopt(s, level, option, dword(1))
        for room, answer in zip((1, 2, 4, 8), answers, strict=True):
            if answer:
                assert api.getsockopt(s, level, option, room) == b"\1".ljust(answer, b"\0")
            else:
                assert code_of(api.getsockopt, s, level, option, room) == WSAEFAULT
        for room in (0, -1):
            assert code_of(api.getsockopt, s, level, option, room) == WSAEFAULT
        code = code_of(api.setsockopt, s, level, option, dword(0x100))
        assert (option, code) == (option, WSAEINVAL if large is None else 0)
        if large is not None:
            assert (option, number(s, level, option)) == (option, large)


# ---------------------------------------------------------------------------------------------------------- single ones


def test_linger_and_its_opposite() -> None:
    """R12.15 to R12.18; observed on Windows: opt-linger-roundtrip."""
    s = tcp()
    for on, seconds in ((0, 0), (0, 73), (1, 0), (5, 189), (1, 65535)):
        api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(on, seconds))
        switch, time = struct.unpack("<HH", api.getsockopt(s, SOL_SOCKET, SO_LINGER))
        assert bool(switch) == bool(on)
        assert time == seconds or not on
        assert number(s, SOL_SOCKET, SO_DONTLINGER) == (not on)
    api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(1, 9))
    api.setsockopt(s, SOL_SOCKET, SO_DONTLINGER, 1)
    assert struct.unpack("<HH", api.getsockopt(s, SOL_SOCKET, SO_LINGER))[0] == 0
    api.setsockopt(s, SOL_SOCKET, SO_DONTLINGER, 0)
    switch, time = struct.unpack("<HH", api.getsockopt(s, SOL_SOCKET, SO_LINGER))
    assert (bool(switch), time) == (True, 9)


def test_sharing_an_address_and_keeping_it_exclude_each_other() -> None:
    """R11.12; observed on Windows: reuse-exclusive-exclusion, reuse-exclusive-after-clear."""
    s = tcp()
    api.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, 1)
    with fails(WSAEINVAL):
        api.setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1)
    api.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, 0)
    api.setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1)
    with fails(WSAEINVAL):
        api.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, 1)
    assert (number(s, SOL_SOCKET, SO_REUSEADDR), number(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE)) == (0, 1)


def test_keep_alive_is_for_connections_that_are_there_or_to_come() -> None:
    """R11.62, R16.28."""
    with fails(WSAEINVAL):
        api.setsockopt(connecting()[0], SOL_SOCKET, SO_KEEPALIVE, 1)
    client, server = pair()
    api.setsockopt(server, SOL_SOCKET, SO_KEEPALIVE, 1)
    reset(client)
    readable(server)
    assert code_of(api.recv, server, bytearray(1)) == WSAECONNRESET
    with fails(WSAENOTCONN):
        api.setsockopt(server, SOL_SOCKET, SO_KEEPALIVE, 0)


def test_the_pending_error_is_told_once() -> None:
    """R16.11: of a reset that no call has met. A stored value comes back as well (opt-so-error-set)."""
    client, server = pair()
    reset(client)
    readable(server)
    assert [number(server, SOL_SOCKET, SO_ERROR) for _ in range(2)] == [WSAECONNRESET, 0]
    with fails(WSAECONNRESET):
        api.recv(server, bytearray(1))
    s = tcp()
    api.setsockopt(s, SOL_SOCKET, SO_ERROR, 1234)
    assert number(s, SOL_SOCKET, SO_ERROR) == 1234


def test_why_a_connect_failed_is_told_until_the_next_one() -> None:
    """R16.13; observed on Windows: wsapoll-refused-so-error, wsapoll-sync-refused."""
    refuser, name = refusing()
    s = nonblocking(tcp())
    assert code_of(api.connect, s, name) == WSAEWOULDBLOCK
    assert api.select(None, None, [s], (10, 0))[2] == [s]
    assert [number(s, SOL_SOCKET, SO_ERROR) for _ in range(3)] == [WSAECONNREFUSED] * 3
    api.listen(refuser, 1)
    assert code_of(api.connect, s, name) == WSAEWOULDBLOCK
    assert api.select(None, [s], None, (10, 0))[1] == [s]
    assert number(s, SOL_SOCKET, SO_ERROR) == 0


@pytest.mark.ipv6
def test_ipv6_sockets_are_for_ipv6_until_told_otherwise() -> None:
    """R11.63, A65, A66."""
    s = tcp(AF_INET6)
    assert number(s, IPPROTO_IPV6, IPV6_V6ONLY) == 1
    assert number(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS) == 128
    api.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    assert number(s, IPPROTO_IPV6, IPV6_V6ONLY) == 0
    api.bind(s, api.sockaddr_in6("::", 0))
    with fails(WSAEINVAL):
        api.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 1)
    api.listen(s, 1)
    caller = tcp()
    api.connect(caller, api.sockaddr_in("127.0.0.1", api.getsockname(s).port))
    assert api.accept(s)[1].host == "::ffff:127.0.0.1"
    with fails(WSAENOPROTOOPT):
        api.getsockopt(tcp(), IPPROTO_IPV6, IPV6_V6ONLY)


def test_sending_without_delay_and_small_buffers_still_carry_data() -> None:
    """What is set reaches the host, and the host's least sizes are good enough."""
    client, server = pair()
    for s in (client, server):
        api.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, 1)
        api.setsockopt(s, SOL_SOCKET, SO_RCVBUF, 0)
        api.setsockopt(s, SOL_SOCKET, SO_SNDBUF, 0)
    api.send(client, b"data")
    arrived(server, 4)
    assert api.recv(server, bytearray(4)) == 4


def test_a_listener_passes_its_options_on() -> None:
    """A26; see also tests/ws2_32/test_lifecycle.py."""
    s = listener()
    api.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(1, 0))
    client = tcp()
    api.connect(client, api.getsockname(s))
    server = api.accept(s)[0]
    assert api.getsockopt(server, SOL_SOCKET, SO_LINGER) == linger(1, 0)
    api.closesocket(server)
    readable(client)
    with fails(WSAECONNRESET):
        api.recv(client, bytearray(1))
