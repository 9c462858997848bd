"""ICMP errors that end a connect: what a host queues, and a whole connect that a forged error ends."""

from __future__ import annotations

import os
import socket as host
import struct
import sys

import pytest

from tests.concurrency import until
from tests.loopback import code_of, elsewhere, full_listener, nonblocking, pair, tcp, udp
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAECONNREFUSED, WSAEHOSTUNREACH, WSAENOPROTOOPT, WSAEWOULDBLOCK
from winsock2emu.defs.constants import (
    AF_INET,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    SO_ERROR,
    SOL_SOCKET,
    TCP_FAIL_CONNECT_ON_ICMP_ERROR,
    TCP_ICMP_ERROR_INFO,
)
from winsock2emu.providers.host.icmperrors import icmp_errors

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux queues errors")

HOST_UNREACHABLE = (3, 1)


def extended(origin: int, type_: int, code: int, offender: bytes) -> bytes:
    """A sock_extended_err with the address behind it."""
    return struct.pack("=IBBBBII", 113, origin, type_, code, 0, 0, 0) + offender


def test_reports_are_told_in_windows_layout() -> None:
    """ICMP_ERROR_INFO: SOCKADDR_INET (28 bytes), protocol, type, code."""
    router4 = struct.pack("=HH4s8x", host.AF_INET, 0, b"\xc0\0\2\1")
    router6 = struct.pack("=HHI16sI", host.AF_INET6, 0, 0, b"\x20\1" + bytes(14), 5)
    queued = [
        (0, 11, extended(2, 3, 1, router4)),
        (41, 25, extended(3, 1, 3, router6)),
        (0, 11, extended(1, 0, 0, b"")),  # the host's own
        (0, 11, extended(2, 3, 13, b"")),  # from nobody
        (0, 8, extended(2, 3, 1, router4)),  # something else
        (0, 11, b"short"),
    ]
    told = icmp_errors(queued)
    assert [len(one) for one in told] == [36, 36, 36]
    assert told[0] == api.sockaddr_in("192.0.2.1").ljust(28, b"\0") + struct.pack("<iBBxx", 1, 3, 1)
    assert told[1] == api.sockaddr_in6("2001::", scope_id=5) + struct.pack("<iBBxx", 58, 1, 3)
    assert told[2] == api.sockaddr_in("0.0.0.0").ljust(28, b"\0") + struct.pack("<iBBxx", 1, 3, 13)


def checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def capture() -> host.socket:
    """Sees every TCP segment of the loopback interface."""
    try:
        raw = host.socket(host.AF_INET, host.SOCK_RAW, host.IPPROTO_TCP)
    except PermissionError:
        pytest.skip("forging an ICMP error takes raw sockets")
    raw.settimeout(20)
    return raw


def forge(raw: host.socket, port: int, to_port: int) -> None:
    """Answer the connect from one port to another with "host unreachable"."""
    while True:
        packet = raw.recv(2048)
        head = (packet[0] & 15) * 4
        segment = packet[head:]
        if struct.unpack("!HH", segment[:4]) == (port, to_port) and segment[13] & 2:
            break
    body = packet[: head + 8]
    message = struct.pack("!BBHI", *HOST_UNREACHABLE, 0, 0) + body
    message = struct.pack("!BBHI", *HOST_UNREACHABLE, checksum(message), 0) + body
    with host.socket(host.AF_INET, host.SOCK_RAW, host.IPPROTO_ICMP) as router:
        router.bind(("127.0.0.1", 0))
        router.sendto(message, ("127.0.0.1", 0))


def number(s: int, level: int, option: int) -> int:
    return int.from_bytes(api.getsockopt(s, level, option, 4), "little")


UNREACHABLE = api.sockaddr_in("127.0.0.1").ljust(28, b"\0") + struct.pack("<iBBxx", IPPROTO_ICMP, *HOST_UNREACHABLE)


@linux
@pytest.mark.usefixtures("winsock")
def test_an_icmp_error_ends_a_blocking_connect() -> None:
    _, name = full_listener()
    s = tcp()
    api.bind(s, api.sockaddr_in("127.0.0.1", 0))
    api.setsockopt(s, IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR, 1)
    with capture() as raw:
        waiting = elsewhere(code_of, api.connect, s, name)
        forge(raw, api.getsockname(s).port, name.port)
        assert waiting.result() == WSAEHOSTUNREACH
    assert api.getsockopt(s, IPPROTO_TCP, TCP_ICMP_ERROR_INFO, 36) == UNREACHABLE


@linux
@pytest.mark.usefixtures("winsock")
def test_an_icmp_error_ends_a_non_blocking_connect_and_the_next_one_starts_afresh() -> None:
    listening, name = full_listener()
    s = tcp()
    api.bind(s, api.sockaddr_in("127.0.0.1", 0))
    nonblocking(s)
    api.setsockopt(s, IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR, 1)
    with capture() as raw:
        assert code_of(api.connect, s, name) == WSAEWOULDBLOCK
        forge(raw, api.getsockname(s).port, name.port)
    assert api.select(None, None, [s], (20, 0))[2] == [s]
    assert number(s, SOL_SOCKET, SO_ERROR) == WSAEHOSTUNREACH
    assert api.getsockopt(s, IPPROTO_TCP, TCP_ICMP_ERROR_INFO, 36) == UNREACHABLE
    api.closesocket(api.accept(listening)[0])
    assert code_of(api.connect, s, name) == WSAEWOULDBLOCK
    until(lambda: api.select(None, [s], None, (0, 0))[1], "the next connect succeeds")
    assert api.getsockopt(s, IPPROTO_TCP, TCP_ICMP_ERROR_INFO, 36) == b""


@linux
@pytest.mark.usefixtures("winsock")
def test_a_refused_connect_has_no_icmp_error() -> None:
    listening = tcp()
    api.bind(listening, api.sockaddr_in("127.0.0.1", 0))
    s = tcp()
    api.setsockopt(s, IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR, 1)
    assert code_of(api.connect, s, api.getsockname(listening)) == WSAECONNREFUSED
    assert api.getsockopt(s, IPPROTO_TCP, TCP_ICMP_ERROR_INFO, 36) == b""


@linux
@pytest.mark.usefixtures("winsock")
def test_the_host_stops_listening_once_there_is_a_connection() -> None:
    """No ICMP error may end a connection."""
    for s in pair():
        api.setsockopt(s, IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR, 1)
        with host.socket(fileno=os.dup(s)) as twin:
            assert twin.getsockopt(0, 11) == 0
    listening = tcp()
    api.bind(listening, api.sockaddr_in("127.0.0.1", 0))
    api.listen(listening, 1)
    s = tcp()
    api.setsockopt(s, IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR, 1)
    with host.socket(fileno=os.dup(s)) as twin:
        assert twin.getsockopt(0, 11) == 1
        api.connect(s, api.getsockname(listening))
        assert twin.getsockopt(0, 11) == 0
    assert number(s, IPPROTO_TCP, TCP_FAIL_CONNECT_ON_ICMP_ERROR) == 1


@pytest.mark.usefixtures("winsock")
def test_datagrams_have_no_connect_to_fail() -> None:
    s = udp(AF_INET)
    for option in (TCP_FAIL_CONNECT_ON_ICMP_ERROR, TCP_ICMP_ERROR_INFO):
        assert code_of(api.getsockopt, s, IPPROTO_TCP, option, 36) == WSAENOPROTOOPT
