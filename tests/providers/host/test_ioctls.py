"""The table of control codes, and those that are a line or two."""

from __future__ import annotations

import json
import os
import socket as host_sockets
import struct
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.concurrency import until
from tests.loopback import (
    FAMILIES,
    arrived,
    code_of,
    elsewhere,
    fails,
    listener,
    loopback,
    nonblocking,
    pair,
    readable,
    received,
    reset,
    tcp,
    udp,
)
from tests.providers.host.networks import provider_of
from winsock2emu import trace
from winsock2emu import ws2_32 as api
from winsock2emu.defs import constants, guids
from winsock2emu.defs.codes import (
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    FIOASYNC,
    FIONBIO,
    FIONREAD,
    IOC_IN,
    IOC_OUT,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPPROTO_TCP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_LOOP,
    MSG_OOB,
    MSG_PEEK,
    SD_BOTH,
    SD_SEND,
    SIO_AF_UNIX_GETPEERPID,
    SIO_ASSOCIATE_HANDLE,
    SIO_BASE_HANDLE,
    SIO_BSP_HANDLE,
    SIO_BSP_HANDLE_POLL,
    SIO_BSP_HANDLE_SELECT,
    SIO_ENABLE_CIRCULAR_QUEUEING,
    SIO_FIND_ROUTE,
    SIO_FLUSH,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SIO_GET_GROUP_QOS,
    SIO_GET_QOS,
    SIO_IDEAL_SEND_BACKLOG_CHANGE,
    SIO_IDEAL_SEND_BACKLOG_QUERY,
    SIO_KEEPALIVE_VALS,
    SIO_LOOPBACK_FAST_PATH,
    SIO_MULTICAST_SCOPE,
    SIO_MULTIPOINT_LOOPBACK,
    SIO_QUERY_RSS_PROCESSOR_INFO,
    SIO_QUERY_RSS_SCALABILITY_INFO,
    SIO_RCVALL,
    SIO_RCVALL_IGMPMCAST,
    SIO_RCVALL_MCAST,
    SIO_SET_GROUP_QOS,
    SIO_SET_PRIORITY_HINT,
    SIO_SET_QOS,
    SIO_TRANSLATE_HANDLE,
    SIO_UDP_CONNRESET,
    SIO_UDP_NETRESET,
    SIOCATMARK,
    SO_KEEPALIVE,
    SO_OOBINLINE,
    SO_RCVBUF,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
)
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process
from winsock2emu.providers.host import extensions, rawcalls
from winsock2emu.providers.host.extensions import EXTENSIONS
from winsock2emu.providers.host.ioctls import CODES, Code

pytestmark = pytest.mark.usefixtures("winsock")

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can")

TABLE = {value: name for name, value in vars(constants).items() if name.startswith(("SIO", "FIO"))}


def row_of(code: int, row: Code) -> Any:
    """A row of the table as a parameter, under the name of its code."""
    return pytest.param(code, row, id=TABLE[code])


# The table against the reference


@pytest.fixture
def known(reference: Callable[[str], Path]) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(reference("ioctls.json").read_text(encoding="utf-8"))["ioctls"]
    return facts


# Codes that look at their buffers themselves, in an order or with errors of their own.
OWN_CHECKS = {
    "SIO_ADDRESS_LIST_QUERY": "two thresholds",
    "SIO_ADDRESS_LIST_SORT": "a list may be empty, and may shrink",
    "SIO_GET_INTERFACE_LIST": "as much as there are interfaces",
    "SIO_ROUTING_INTERFACE_QUERY": "the size is the family's, and too little is WSAEINVAL",
    "SIO_ROUTING_INTERFACE_CHANGE": "the same",
    "SIO_TCP_INFO": "the size is the version's",
    **dict.fromkeys(
        ("SIOCGMSFILTER", "SIOCSMSFILTER", "SIOCGIPMSFILTER", "SIOCSIPMSFILTER"),
        "the structure has one source too many",
    ),
    **dict.fromkeys(("SIO_GET_MULTICAST_FILTER", "SIO_SET_MULTICAST_FILTER"), "the same"),
}
# What nobody offers fails before its buffers are looked at.
REFUSED = (
    *("SIO_GET_QOS", "SIO_SET_QOS", "SIO_GET_GROUP_QOS", "SIO_SET_GROUP_QOS"),
    *("SIO_ASSOCIATE_HANDLE", "SIO_TRANSLATE_HANDLE", "SIO_FIND_ROUTE"),
)
# Pages that ask for a byte where the header has four.
ONE_BYTE = (
    *("SIO_UDP_CONNRESET", "SIO_UDP_NETRESET", "SIO_LOOPBACK_FAST_PATH"),
    *("SIO_RCVALL", "SIO_RCVALL_MCAST", "SIO_RCVALL_IGMPMCAST"),
)
# Documented codes that no host has anything for: WSAEOPNOTSUPP (R9.37).
NOWHERE = {
    "SIO_ACQUIRE_PORT_RESERVATION",
    "SIO_ASSOCIATE_PORT_RESERVATION",
    "SIO_RELEASE_PORT_RESERVATION",
    "SIO_APPLY_TRANSPORT_SETTING",
    "SIO_QUERY_TRANSPORT_SETTING",
    "SIO_CHK_QOS",
    "SIO_CPU_AFFINITY",
    "SIO_FLUSH",
    "SIO_GET_INTERFACE_LIST_EX",
    "SIO_GET_TX_TIMESTAMP",
    "SIO_TIMESTAMPING",
    "SIO_QUERY_WFP_ALE_ENDPOINT_HANDLE",
    "SIO_QUERY_WFP_CONNECTION_REDIRECT_CONTEXT",
    "SIO_QUERY_WFP_CONNECTION_REDIRECT_RECORDS",
    "SIO_SET_WFP_CONNECTION_REDIRECT_RECORDS",
    "SIO_SET_COMPATIBILITY_MODE",
    "SIO_TCP_INITIAL_RTO",
}


def win64(size: int | list[int] | None) -> int:
    return size[0] if isinstance(size, list) else size or 0


def test_every_row_asks_for_the_sizes_of_the_headers(known: dict[str, Any]) -> None:
    for name, fact in known.items():
        row = CODES.get(fact["value"])
        if row is None or name in OWN_CHECKS or name in REFUSED or name == "SIO_LAZY_DISCOVERY":
            continue
        asked = row.takes * 4 if name in ONE_BYTE else row.takes
        assert (name, asked, row.gives) == (name, win64(fact["input_min"]), win64(fact["output_min"]))


def test_every_row_has_the_buffers_that_its_code_word_tells_of() -> None:
    """R9.3: bit 31 is an input buffer, bit 30 an output buffer."""
    for code, row in CODES.items():
        assert not row.takes or code & IOC_IN, TABLE[code]
        assert not row.gives or code & IOC_OUT, TABLE[code]


def test_every_documented_code_has_an_answer(known: dict[str, Any]) -> None:
    documented = {name for name, fact in known.items() if fact["documented"]}

    assert {name for name in documented if known[name]["value"] not in CODES} == NOWHERE


def test_no_code_is_there_that_windows_does_not_have(known: dict[str, Any]) -> None:
    assert set(CODES) <= {fact["value"] for fact in known.values()}


@pytest.mark.parametrize("name", sorted(NOWHERE))
def test_what_no_host_has_is_unknown(name: str) -> None:
    s = tcp()

    with fails(WSAEOPNOTSUPP) as caught:
        api.WSAIoctl(s, getattr(constants, name), bytes(200), 200)

    assert caught.value.needed == 0, "badioctl-sync: no output"


@pytest.mark.parametrize("code", [0, 0x667E, 0xDEADBEEF, FIOASYNC, SIO_FLUSH])
def test_unknown_codes(code: int) -> None:
    """R9.11, R9.13; observed on Windows: badioctl-sync."""
    for s in (tcp(), udp(), udp(AF_INET6)):
        assert code_of(api.WSAIoctl, s, code, bytes(8), 8) == WSAEOPNOTSUPP
        assert code_of(api.ioctlsocket, s, code, 0) == WSAEOPNOTSUPP


@pytest.mark.parametrize(
    "code",
    [
        SIO_GET_QOS,
        SIO_SET_QOS,
        SIO_GET_GROUP_QOS,
        SIO_SET_GROUP_QOS,
        SIO_ASSOCIATE_HANDLE,
        SIO_TRANSLATE_HANDLE,
        SIO_FIND_ROUTE,
    ],
)
def test_codes_with_a_documented_refusal(code: int) -> None:
    """R8.14, R9.29."""
    assert code_of(api.WSAIoctl, tcp(), code, bytes(80), 80) == WSAENOPROTOOPT


@pytest.mark.parametrize(("code", "row"), [row_of(code, row) for code, row in CODES.items() if row.takes])
def test_too_short_an_input(code: int, row: Code) -> None:
    """None, and one byte less than needed, on a socket that the code is for."""
    s = suitable(row)
    for data in (None, bytes(row.takes - 1)):
        assert code_of(api.WSAIoctl, s, code, data, 4096) == row.short_in


@pytest.mark.parametrize(("code", "row"), [row_of(code, row) for code, row in CODES.items() if row.gives])
def test_too_little_room(code: int, row: Code) -> None:
    s = suitable(row)
    for room in (0, row.gives - 1):
        assert code_of(api.WSAIoctl, s, code, bytes(200), room) == row.short_out


def suitable(row: Code) -> int:
    """A socket that a code is for."""
    kinds = [(family, type) for family in (AF_INET, AF_INET6) for type in (SOCK_STREAM, SOCK_DGRAM)]
    for family, type in (*kinds, (AF_UNIX, SOCK_STREAM), (AF_INET, api.SOCK_RAW)):
        try:
            s = api.socket(family, type, 1 if type == api.SOCK_RAW else 0)
        except WinsockError:
            continue
        if row.applies(endpoint(s)):
            return s
    pytest.skip("no socket of that kind can be made here")


def endpoint(s: int) -> Any:
    from winsock2emu.process import current_process

    return provider_of(current_process())._socket(s)


# FIONREAD


@pytest.mark.parametrize("family", FAMILIES)
def test_a_stream_counts_what_waits(family: int) -> None:
    """fionread-idle, fionread-data."""
    client, server = pair(family)
    assert api.ioctlsocket(server, FIONREAD, 0) == 0
    api.send(client, b"hello")
    arrived(server, 5)

    assert api.ioctlsocket(server, FIONREAD, 77) == 5
    assert api.WSAIoctl(server, FIONREAD, None, 8) == b"\5\0\0\0"
    received(server, 3)
    assert api.ioctlsocket(server, FIONREAD, 0) == 2


def test_sockets_without_a_connection_have_nothing() -> None:
    """fionread-unconnected; hosts refuse the question to a socket that listens."""
    bound = tcp()
    api.bind(bound, loopback(AF_INET))

    for s in (tcp(), bound, listener(), udp()):
        assert api.ioctlsocket(s, FIONREAD, 1) == 0


@on_linux
@pytest.mark.parametrize("family", FAMILIES)
def test_a_datagram_socket_counts_all_that_waits(family: int) -> None:
    """R9.21: the total, not the first datagram; and counting takes nothing away."""
    sender, receiver = udp(family), udp(family)
    sizes = (5, 0, 7, 3000, 0, 1)
    for size in sizes:
        api.sendto(sender, b"x" * size, 0, api.getsockname(receiver))
    readable(receiver)

    counts = [api.ioctlsocket(receiver, FIONREAD, 0) for _ in range(3)]

    assert counts == [sum(sizes)] * 3
    for at, size in enumerate(sizes):
        assert api.recv(receiver, bytearray(4000), MSG_PEEK) == size
        assert api.recv(receiver, bytearray(4000)) == size
        assert api.ioctlsocket(receiver, FIONREAD, 0) == sum(sizes[at + 1 :])


@on_linux
def test_peeking_in_another_thread_always_sees_the_first_datagram() -> None:
    """The count is made by peeks that move on; nobody else may see that."""
    sender, receiver = udp(), udp()
    for first in (b"first", b"later", b"latest"):
        api.sendto(sender, first, 0, api.getsockname(receiver))
    readable(receiver)
    stop = threading.Event()

    def peek() -> set[bytes]:
        seen = set()
        while not stop.is_set():
            room = bytearray(10)
            seen.add(bytes(room[: api.recv(receiver, room, MSG_PEEK)]))
        return seen

    peeking = elsewhere(peek)
    counts = {api.ioctlsocket(receiver, FIONREAD, 0) for _ in range(2000)}
    stop.set()

    assert peeking.result() == {b"first"}
    assert counts == {16}


@on_linux
def test_counting_does_not_swallow_what_the_network_reports() -> None:
    """A report that the count comes across is left for the next receive."""
    dead = udp()
    name = api.getsockname(dead)
    api.closesocket(dead)
    s = udp()
    api.sendto(s, b"x", 0, name)
    until(lambda: api.select([s], None, None, (0, 0))[0], "the report has come")

    assert api.ioctlsocket(s, FIONREAD, 0) == 0
    assert code_of(api.recv, s, bytearray(1)) == 10054


def test_where_the_host_cannot_count_all_its_own_count_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rawcalls, "_IS_LINUX", False)
    sender, receiver = udp(), udp()
    api.sendto(sender, b"12345", 0, api.getsockname(receiver))
    readable(receiver)

    assert api.ioctlsocket(receiver, FIONREAD, 0) >= 5


# FIONBIO


def test_non_blocking_mode_and_back() -> None:
    """fionbio-ok, fionbio-long-in, echo-setblocking-true."""
    client, _ = pair()
    assert api.WSAIoctl(client, FIONBIO, b"\1\0\0\0\xff", 4) == b""
    assert code_of(api.recv, client, bytearray(1)) == WSAEWOULDBLOCK
    assert api.ioctlsocket(client, FIONBIO, 0x100) == 0x100
    assert code_of(api.recv, client, bytearray(1)) == WSAEWOULDBLOCK
    api.ioctlsocket(client, FIONBIO, 0)
    api.ioctlsocket(client, FIONBIO, 0)
    waiting = elsewhere(code_of, api.recv, client, bytearray(1))
    until(lambda: endpoint(client).inbound.head is not None, "it waits")
    api.closesocket(client)
    assert waiting.result() == WSAEINTR


# Both, by either function


def test_the_mode_is_set_by_either_function() -> None:
    """R6.107; observed on Windows: fionbio-ok, fionbio-long-in, fionbio-short-in."""
    s = pair()[0]
    for data in (None, b"", b"\1\0\0"):
        with fails(WSAEFAULT):
            api.WSAIoctl(s, FIONBIO, data)
    assert api.WSAIoctl(s, FIONBIO, b"\1\0\0\0") == b""
    assert code_of(api.recv, s, bytearray(1)) == WSAEWOULDBLOCK
    assert api.WSAIoctl(s, FIONBIO, bytes(5), 4) == b""
    api.setsockopt(s, api.SOL_SOCKET, api.SO_RCVTIMEO, 10)
    assert code_of(api.recv, s, bytearray(1)) != WSAEWOULDBLOCK


def test_what_waits_is_counted() -> None:
    """R9.21; observed on Windows: fionread-idle, fionread-data, fionread-short-out, fionread-unconnected."""
    client, server = pair()
    assert api.WSAIoctl(server, FIONREAD, None, 4) == bytes(4)
    api.send(client, b"12345")
    arrived(server, 5)
    assert api.WSAIoctl(server, FIONREAD, None, 100) == struct.pack("<I", 5)
    assert api.WSAIoctl(server, FIONREAD, b"ignored", 4) == struct.pack("<I", 5)
    for room in (0, 3):
        with fails(WSAEFAULT):
            api.WSAIoctl(server, FIONREAD, None, room)
    for s in (tcp(), udp()):
        assert api.WSAIoctl(s, FIONREAD, None, 4) == bytes(4)


def test_urgent_data_is_not_counted() -> None:
    """R13.19; observed on Windows: fionread-with-oob."""
    client, server = pair()
    api.send(client, b"12345")
    api.send(client, b"U", MSG_OOB)
    assert api.select(None, None, [server], (10, 0))[2] == [server]
    assert api.ioctlsocket(server, FIONREAD, 0) == 5
    assert received(server, 5) == b"12345"
    assert api.ioctlsocket(server, FIONREAD, 0) == 0


# SIOCATMARK


def at_mark(s: int) -> bool:
    answer = api.WSAIoctl(s, SIOCATMARK, None, 4)
    assert answer in (b"\0\0\0\0", b"\1\0\0\0")
    return bool(answer[0])


def test_true_means_that_no_urgent_data_waits() -> None:
    """oob-atmark-fresh, oob-atmark-after-normal, fionread-with-oob: the reverse of a flag "there is some"."""
    client, server = pair()
    assert at_mark(server)
    api.send(client, b"hello")
    arrived(server, 5)
    assert at_mark(server)

    api.send(client, b"!", MSG_OOB)
    until(lambda: api.select(None, None, [server], (0, 0))[2], "the urgent byte has come")

    assert not at_mark(server)
    assert api.ioctlsocket(server, FIONREAD, 0) == 5
    assert api.recv(server, bytearray(1), MSG_OOB) == 1
    assert at_mark(server)


def test_inline_it_is_true_at_the_mark() -> None:
    """R13.13; fionread-oobinline-later has nothing before the mark."""
    client, server = pair()
    api.setsockopt(server, SOL_SOCKET, SO_OOBINLINE, 1)
    api.send(client, b"ab")
    api.send(client, b"!", MSG_OOB)
    arrived(server, 3)

    assert not at_mark(server)
    received(server, 2)
    assert at_mark(server)
    assert received(server, 1) == b"!"
    assert at_mark(server)


def test_sockets_without_a_connection_are_at_the_mark() -> None:
    """fionread-unconnected."""
    assert at_mark(tcp())
    assert at_mark(listener())
    assert at_mark(api.socket(AF_UNIX, SOCK_STREAM, 0))


def test_marks_are_for_streams() -> None:
    """R13.14."""
    assert code_of(api.ioctlsocket, udp(), SIOCATMARK, 0) == WSAEINVAL


# Handles


@pytest.mark.parametrize("code", [SIO_BASE_HANDLE, SIO_BSP_HANDLE, SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL])
def test_a_base_socket_is_its_own_base(code: int) -> None:
    """R9.36, basehandle-sync."""
    for s in (tcp(), tcp(AF_INET6), udp(), udp(AF_INET6), api.socket(AF_UNIX, SOCK_STREAM, 0)):
        assert api.WSAIoctl(s, code, None, 8) == struct.pack("<Q", s)


# Extension functions


@pytest.mark.parametrize("guid", EXTENSIONS, ids=EXTENSIONS.get)
def test_every_guid_of_the_header_leads_to_a_function(guid: Any) -> None:
    """R9.17, extfunc-sync: for sockets of every kind."""
    for s in (tcp(), udp(AF_INET6), api.socket(AF_UNIX, SOCK_STREAM, 0)):
        assert callable(api.WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, guid.bytes_le, 8))


def test_a_longer_input_is_a_guid_all_the_same() -> None:
    data = guids.WSAID_ACCEPTEX.bytes_le + b"more"

    assert callable(api.WSAIoctl(tcp(), SIO_GET_EXTENSION_FUNCTION_POINTER, data, 100))


def test_guids_and_buffers_that_are_none() -> None:
    """R9.15, extfunc-bogus."""
    s = tcp()
    known = guids.WSAID_ACCEPTEX.bytes_le

    for data, room, code in (
        (bytes(16), 8, WSAEINVAL),
        (guids.WSAID_MULTIPLE_RIO.bytes_le, 8, WSAEINVAL),
        (known[:15], 8, WSAEFAULT),
        (None, 8, WSAEFAULT),
        (known, 7, WSAEFAULT),
    ):
        assert code_of(api.WSAIoctl, s, SIO_GET_EXTENSION_FUNCTION_POINTER, data, room) == code
    assert code_of(api.ioctlsocket, s, SIO_GET_EXTENSION_FUNCTION_POINTER, 0) == WSAEFAULT


def test_a_function_belongs_to_its_provider(winsock: Process) -> None:
    """R9.16: a socket of another process is no socket to it."""
    poll = api.WSAIoctl(tcp(), SIO_GET_EXTENSION_FUNCTION_POINTER, guids.WSAID_WSARECVMSG.bytes_le, 8)

    with Process().active():
        api.WSAStartup(0x0202)
        foreign = udp()
        with pytest.raises(WinsockError) as caught:
            poll(foreign + 1000, [bytearray(1)], 0)
        api.WSACleanup()

    assert caught.value.winerror == WSAENOTSOCK


def test_what_is_unwritten_says_so(winsock: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is handed out, fails when it is called, and tells the tracer."""
    known = extensions._BY_BYTES[SIO_GET_EXTENSION_FUNCTION_POINTER]
    monkeypatch.setitem(known, guids.WSAID_MULTIPLE_RIO.bytes_le, "NobodyHasWrittenThis")
    function = api.WSAIoctl(tcp(), SIO_GET_EXTENSION_FUNCTION_POINTER, guids.WSAID_MULTIPLE_RIO.bytes_le, 8)
    seen: list[trace.TraceEvent] = []
    trace.start(seen.append)
    try:
        with pytest.raises(WinsockError) as caught:
            function(1, 2, more=3)
    finally:
        trace.stop()

    assert caught.value.winerror == WSAEOPNOTSUPP
    assert [(event.layer, event.call, event.error) for event in seen] == [
        ("unwritten", "mswsock.NobodyHasWrittenThis", WSAEOPNOTSUPP)
    ]


def test_a_method_of_that_name_is_the_function(winsock: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes one adds a method to the provider, and nothing else."""
    monkeypatch.setattr(type(provider_of(winsock)), "ConnectEx", lambda self, s: ("connected", s), raising=False)
    s = tcp()

    function = api.WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, guids.WSAID_CONNECTEX.bytes_le, 8)

    assert function(s) == ("connected", s)


# SIO_KEEPALIVE_VALS


def number(s: int, level: int, option: int) -> int:
    return int.from_bytes(api.getsockopt(s, level, option, 4), "little")


@pytest.mark.parametrize(
    ("time_ms", "interval_ms", "time_s", "interval_s"),
    [(7_200_000, 1000, 7200, 1), (1, 999, 1, 1), (1001, 2500, 2, 3), (0, 0, 1, 1), (60_000, 10_000, 60, 10)],
)
def test_keepalive_times_reach_the_host_in_whole_seconds(
    time_ms: int, interval_ms: int, time_s: int, interval_s: int
) -> None:
    """R9.32 and A102: rounded up, so that no probe comes earlier than asked for."""
    s = tcp()

    assert api.WSAIoctl(s, SIO_KEEPALIVE_VALS, struct.pack("<III", 5, time_ms, interval_ms)) == b""

    assert number(s, SOL_SOCKET, SO_KEEPALIVE) == 1
    assert (number(s, IPPROTO_TCP, TCP_KEEPIDLE), number(s, IPPROTO_TCP, TCP_KEEPINTVL)) == (time_s, interval_s)
    host = endpoint(s).host
    assert host.getsockopt(host_sockets.SOL_SOCKET, host_sockets.SO_KEEPALIVE)
    if sys.platform == "linux":
        times = (host.getsockopt(host_sockets.IPPROTO_TCP, option) for option in (4, 5))
        assert tuple(times) == (time_s, interval_s)


def test_keepalive_times_that_no_host_has_are_as_long_as_it_can() -> None:
    s = tcp()

    api.WSAIoctl(s, SIO_KEEPALIVE_VALS, struct.pack("<III", 1, 0xFFFFFFFF, 0xFFFFFFFF))

    assert number(s, IPPROTO_TCP, TCP_KEEPIDLE) == 32767


def test_keepalive_off_leaves_the_times_alone() -> None:
    s = tcp()
    api.WSAIoctl(s, SIO_KEEPALIVE_VALS, struct.pack("<III", 1, 9000, 2000))

    api.WSAIoctl(s, SIO_KEEPALIVE_VALS, struct.pack("<III", 0, 50_000, 50_000))

    assert number(s, SOL_SOCKET, SO_KEEPALIVE) == 0
    assert (number(s, IPPROTO_TCP, TCP_KEEPIDLE), number(s, IPPROTO_TCP, TCP_KEEPINTVL)) == (9, 2)


def test_keepalive_is_for_tcp() -> None:
    data = struct.pack("<III", 1, 9000, 2000)

    assert code_of(api.WSAIoctl, udp(), SIO_KEEPALIVE_VALS, data) == WSAENOPROTOOPT
    assert code_of(api.WSAIoctl, api.socket(AF_UNIX, SOCK_STREAM, 0), SIO_KEEPALIVE_VALS, data) == WSAENOPROTOOPT


def test_the_fast_path_is_for_tcp() -> None:
    """R9.35."""
    assert api.WSAIoctl(tcp(), SIO_LOOPBACK_FAST_PATH, b"\1\0\0\0") == b""
    assert code_of(api.WSAIoctl, udp(), SIO_LOOPBACK_FAST_PATH, b"\1\0\0\0") == WSAEOPNOTSUPP


# The ideal send backlog


def test_the_ideal_backlog_of_a_connection() -> None:
    """Observed on Windows: backlog-connected, backlog-unconnected, backlog-udp."""
    client, server = pair()

    assert api.WSAIoctl(client, SIO_IDEAL_SEND_BACKLOG_QUERY, None, 4) == struct.pack("<I", 0x10000)
    for s in (tcp(), listener()):
        assert code_of(api.WSAIoctl, s, SIO_IDEAL_SEND_BACKLOG_QUERY, None, 4) == WSAENOTCONN
    assert code_of(api.WSAIoctl, udp(), SIO_IDEAL_SEND_BACKLOG_QUERY, None, 4) == WSAEOPNOTSUPP
    reset(client)
    readable(server)
    assert code_of(api.recv, server, bytearray(1)) == 10054
    assert code_of(api.WSAIoctl, server, SIO_IDEAL_SEND_BACKLOG_QUERY, None, 4) == WSAENOTCONN


ENDS: dict[str, Callable[[int, int], None]] = {
    "end of sending": lambda s, peer: api.shutdown(s, SD_SEND),
    "end of both": lambda s, peer: api.shutdown(s, SD_BOTH),
    "reset by the peer": lambda s, peer: reset(peer),
    "closing": lambda s, peer: api.closesocket(s),
}


@pytest.mark.parametrize("mode", [0, 1], ids=["blocking", "non-blocking"])
@pytest.mark.parametrize("end", ENDS.values(), ids=list(ENDS))
def test_a_wait_for_another_backlog_ends_with_the_sending(end: Callable[[int, int], None], mode: int) -> None:
    """sio-ideal-send-backlog-change: it does not support non-blocking mode, and these end it."""
    client, server = pair()
    api.ioctlsocket(client, FIONBIO, mode)
    waiting = elsewhere(code_of, api.WSAIoctl, client, SIO_IDEAL_SEND_BACKLOG_CHANGE)
    waits, ours = endpoint_waits(client)
    until(lambda: waits.of(ours, "ideal send backlog"), "it waits")
    assert code_of(api.WSAIoctl, client, SIO_IDEAL_SEND_BACKLOG_CHANGE) == WSAEINTR, "one at a time"
    assert waiting.running

    end(client, server)

    assert waiting.result() == WSAEINTR


def endpoint_waits(s: int) -> tuple[Any, Any]:
    from winsock2emu.process import current_process

    provider = provider_of(current_process())
    return provider.waits, provider._socket(s)


def test_data_ends_no_wait_for_another_backlog() -> None:
    client, server = pair()
    waiting = elsewhere(code_of, api.WSAIoctl, client, SIO_IDEAL_SEND_BACKLOG_CHANGE)
    waits, ours = endpoint_waits(client)
    until(lambda: waits.of(ours, "ideal send backlog"), "it waits")
    api.send(server, b"x")
    assert received(client, 1) == b"x"
    api.shutdown(server, SD_SEND)
    assert api.recv(client, bytearray(1)) == 0
    assert waiting.running
    api.closesocket(client)
    assert waiting.result() == WSAEINTR
    assert ours.watchers == []


def test_where_no_backlog_can_change() -> None:
    client, _ = pair()

    assert code_of(api.WSAIoctl, client, SIO_IDEAL_SEND_BACKLOG_CHANGE, None, 4) == WSAEINVAL
    assert code_of(api.WSAIoctl, tcp(), SIO_IDEAL_SEND_BACKLOG_CHANGE) == WSAENOTCONN
    assert code_of(api.WSAIoctl, udp(), SIO_IDEAL_SEND_BACKLOG_CHANGE) == WSAEOPNOTSUPP
    api.shutdown(client, SD_SEND)
    assert code_of(api.WSAIoctl, client, SIO_IDEAL_SEND_BACKLOG_CHANGE) == WSAEINTR


# Circular queueing


@on_linux
def test_the_newest_datagrams_stay() -> None:
    """R9.28: of more than SO_RCVBUF holds, the oldest are lost."""
    sender, receiver = udp(), udp()
    api.setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, 8192)
    assert api.WSAIoctl(receiver, SIO_ENABLE_CIRCULAR_QUEUEING) == b""
    for count in range(100):
        api.sendto(sender, bytes([count]) * 1000, 0, api.getsockname(receiver))
    until(lambda: api.ioctlsocket(receiver, FIONREAD, 0) == 8000, "eight are left")

    got = []
    nonblocking(receiver)
    room = bytearray(1000)
    while not code_of(api.recv, receiver, room):
        got.append(room[0])

    assert got == list(range(92, 100))


@on_linux
def test_a_buffer_that_is_set_later_counts_as_well() -> None:
    sender, receiver = udp(), udp()
    api.WSAIoctl(receiver, SIO_ENABLE_CIRCULAR_QUEUEING)
    api.setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, 3000)
    assert number(receiver, SOL_SOCKET, SO_RCVBUF) == 3000
    for count in range(50):
        api.sendto(sender, bytes([count]) * 1000, 0, api.getsockname(receiver))
    readable(receiver)

    room = bytearray(1000)
    assert [api.recv(receiver, room) and room[0] for _ in range(3)] == [47, 48, 49]


@on_linux
def test_a_datagram_larger_than_the_buffer_is_not_lost() -> None:
    sender, receiver = udp(), udp()
    api.WSAIoctl(receiver, SIO_ENABLE_CIRCULAR_QUEUEING)
    api.setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, 100)
    api.sendto(sender, bytes(1000), 0, api.getsockname(receiver))
    readable(receiver)

    assert api.recv(receiver, bytearray(2000)) == 1000


def test_circular_queueing_is_for_datagrams(monkeypatch: pytest.MonkeyPatch) -> None:
    """And for hosts where it can be done."""
    assert code_of(api.WSAIoctl, tcp(), SIO_ENABLE_CIRCULAR_QUEUEING) == WSAENOPROTOOPT
    monkeypatch.setattr(rawcalls, "_IS_LINUX", False)
    assert code_of(api.WSAIoctl, udp(), SIO_ENABLE_CIRCULAR_QUEUEING) == WSAENOPROTOOPT


# Multicast


def test_the_scope_is_the_time_to_live() -> None:
    """R5.33: read back through the options, for both families; the default is one network."""
    for s, level, option in (
        (udp(), IPPROTO_IP, IP_MULTICAST_TTL),
        (udp(AF_INET6), IPPROTO_IPV6, IPV6_MULTICAST_HOPS),
    ):
        assert number(s, level, option) == 1
        for scope in (0, 7, 255):
            assert api.WSAIoctl(s, SIO_MULTICAST_SCOPE, struct.pack("<i", scope)) == b""
            assert number(s, level, option) == scope
        for scope in (-1, 256):
            assert code_of(api.WSAIoctl, s, SIO_MULTICAST_SCOPE, struct.pack("<i", scope)) == WSAEINVAL


def test_loopback_of_multicast() -> None:
    """R5.32: on by default."""
    for s, level, option in (
        (udp(), IPPROTO_IP, IP_MULTICAST_LOOP),
        (udp(AF_INET6), IPPROTO_IPV6, IPV6_MULTICAST_LOOP),
    ):
        assert number(s, level, option) == 1
        for wanted in (0, 1):
            assert api.WSAIoctl(s, SIO_MULTIPOINT_LOOPBACK, struct.pack("<I", wanted)) == b""
            assert number(s, level, option) == wanted


@pytest.mark.parametrize("code", [SIO_MULTICAST_SCOPE, SIO_MULTIPOINT_LOOPBACK])
def test_multipoint_is_not_for_streams(code: int) -> None:
    """R5.34."""
    assert code_of(api.WSAIoctl, tcp(), code, b"\1\0\0\0") == WSAEOPNOTSUPP


# UDP reports


@pytest.mark.parametrize(("code", "name"), [(SIO_UDP_CONNRESET, "connreset"), (SIO_UDP_NETRESET, "netreset")])
def test_reports_are_switched_by_any_length(code: int, name: str) -> None:
    """R9.33: on by default. .NET passes one byte, C programs four."""
    s = udp()
    for data, wanted in ((b"\0", False), (b"\1", True), (bytes(4), False), (b"\0\0\1\0", True), (bytes(8), False)):
        api.WSAIoctl(s, code, data)
        assert getattr(endpoint(s), name) is wanted
    assert getattr(endpoint(udp()), name) is True
    assert code_of(api.WSAIoctl, tcp(), code, b"\1") == WSAENOPROTOOPT


# Capturing


def raw(family: int = AF_INET) -> int:
    try:
        return api.socket(family, api.SOCK_RAW, 1 if family == AF_INET else 58)
    except WinsockError:
        pytest.skip("raw sockets need rights that this process does not have")


@pytest.mark.parametrize("code", [SIO_RCVALL, SIO_RCVALL_MCAST, SIO_RCVALL_IGMPMCAST])
def test_capturing_wants_a_raw_socket_with_an_address(code: int) -> None:
    """R9.34, sio-rcvall."""
    on = b"\1\0\0\0"
    for s in (tcp(), udp()):
        assert code_of(api.WSAIoctl, s, code, on) == WSAEINVAL
    s = raw()
    assert code_of(api.WSAIoctl, s, code, on) == WSAEINVAL, "unbound"
    api.bind(s, api.sockaddr_in("0.0.0.0"))
    assert code_of(api.WSAIoctl, s, code, on) == WSAEINVAL, "bound to no interface"
    s = raw()
    api.bind(s, loopback(AF_INET))
    assert code_of(api.WSAIoctl, s, code, b"\4\0\0\0") == WSAEINVAL, "no such mode"
    assert api.WSAIoctl(s, code, bytes(4)) == b"", "off is what it was"


# Priorities, processors, processes


@on_linux
def test_the_priority_hint_is_the_hosts_priority() -> None:
    s = tcp()
    for hint, priority in ((0, 1), (1, 2), (2, 0)):
        api.WSAIoctl(s, SIO_SET_PRIORITY_HINT, struct.pack("<I", hint))
        assert endpoint(s).host.getsockopt(host_sockets.SOL_SOCKET, 12) == priority
    assert code_of(api.WSAIoctl, s, SIO_SET_PRIORITY_HINT, struct.pack("<I", 3)) == WSAEINVAL
    assert code_of(api.WSAIoctl, udp(), SIO_SET_PRIORITY_HINT, struct.pack("<I", 1)) == WSAEOPNOTSUPP


@on_linux
def test_the_processor_of_a_connection() -> None:
    """sio-query-rss-processor-info: SOCKET_PROCESSOR_AFFINITY, for what is connected."""
    client, _ = pair()

    group, within, node = struct.unpack("<HBxHxx", api.WSAIoctl(client, SIO_QUERY_RSS_PROCESSOR_INFO, None, 8))

    assert 64 * group + within in range(os.cpu_count() or 1)
    assert node < 1024
    assert code_of(api.WSAIoctl, tcp(), SIO_QUERY_RSS_PROCESSOR_INFO, None, 8) == WSAENOTCONN
    assert code_of(api.WSAIoctl, udp(), SIO_QUERY_RSS_PROCESSOR_INFO, None, 8) == WSAENOTCONN


def test_whether_receiving_is_spread() -> None:
    assert api.WSAIoctl(tcp(), SIO_QUERY_RSS_SCALABILITY_INFO, None, 100) in (b"\0", b"\1")


@on_linux
def test_the_process_at_the_other_end(tmp_path: Path) -> None:
    """A program in another process connects; SIO_AF_UNIX_GETPEERPID tells which one."""
    listening = api.socket(AF_UNIX, SOCK_STREAM, 0)
    path = str(tmp_path / "s")
    api.bind(listening, api.sockaddr_un(path))
    api.listen(listening, 1)
    child = os.fork()
    if not child:
        with host_sockets.socket(host_sockets.AF_UNIX) as caller:
            caller.connect(path)
            caller.recv(1)
        os._exit(0)
    server, _ = api.accept(listening)

    assert api.WSAIoctl(server, SIO_AF_UNIX_GETPEERPID, None, 4) == struct.pack("<I", child)

    assert code_of(api.WSAIoctl, listening, SIO_AF_UNIX_GETPEERPID, None, 4) == WSAENOTCONN
    assert code_of(api.WSAIoctl, tcp(), SIO_AF_UNIX_GETPEERPID, None, 4) == WSAEOPNOTSUPP
    api.closesocket(server)
    os.waitpid(child, 0)
