"""The rows of the catalog, what WSAEnumProtocols shows of them, and which one a request for a socket gets.

Names such as ``wsasocket-inet-0-0`` are observations on Windows, as listed in the reference.
"""

from __future__ import annotations

import itertools
import socket
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from conformance.targets.recording import Call, RecordingProvider, installed, recorder, row, started
from winsock2emu import ws2_32
from winsock2emu.catalog.protocols import Catalog, CatalogEntry, built_in_catalog
from winsock2emu.defs.codes import (
    WSAEACCES,
    WSAEAFNOSUPPORT,
    WSAEINVAL,
    WSAEPROTONOSUPPORT,
    WSAESOCKTNOSUPPORT,
    WSANOTINITIALISED,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    FROM_PROTOCOL_INFO,
    IPPROTO_ICMP,
    IPPROTO_RAW,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PFL_HIDDEN,
    PFL_MATCHES_PROTOCOL_ZERO,
    SO_PROTOCOL_INFOA,
    SO_PROTOCOL_INFOW,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_RDM,
    SOCK_STREAM,
    SOL_SOCKET,
    WSA_FLAG_OVERLAPPED,
    XP1_CONNECTIONLESS,
    XP1_GUARANTEED_DELIVERY,
    XP1_GUARANTEED_ORDER,
    XP1_IFS_HANDLES,
)
from winsock2emu.defs.records import PROTOCOL_INFOA_SIZE, PROTOCOL_INFOW_SIZE, ProtocolInfo
from winsock2emu.errors import WinsockError, get_last_error
from winsock2emu.process import Process

TCP_IP, UDP_IP, RAW_IP, TCP_IP6, UDP_IP6, RAW_IP6, UNIX = range(1001, 1008)

MSAFD_TCPIP = uuid.UUID("e70f1aa0-ab8b-11cf-8ca3-00805f48a192")
MSAFD_TCPIP6 = uuid.UUID("f9eab0c0-26d4-11d0-bbbf-00aa006c34e4")


@pytest.fixture
def winsock() -> Iterator[Process]:
    """A started process with the built-in rows."""
    with started(*built_in_catalog().entries) as process:
        yield process


def record_of(s: int) -> ProtocolInfo:
    return ProtocolInfo.unpack(ws2_32.getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW))


def type_of(s: int) -> int:
    return int.from_bytes(ws2_32.getsockopt(s, SOL_SOCKET, SO_TYPE), "little")


def triple(info: ProtocolInfo) -> tuple[int, int, int]:
    return info.address_family, info.socket_type, info.protocol


def refused(code: int, call: Callable[..., Any], *args: Any) -> None:
    with pytest.raises(WinsockError) as caught:
        call(*args)
    assert caught.value.code == code


# The built-in rows


def test_the_rows_and_their_order() -> None:
    """R3.14, and AF_UNIX, which Windows 10 added behind them."""
    rows = [entry.info for entry in built_in_catalog().entries]

    assert [(*triple(info), info.protocol_max_offset) for info in rows] == [
        (AF_INET, SOCK_STREAM, IPPROTO_TCP, 0),
        (AF_INET, SOCK_DGRAM, IPPROTO_UDP, 0),
        (AF_INET, SOCK_RAW, 0, 255),
        (AF_INET6, SOCK_STREAM, IPPROTO_TCP, 0),
        (AF_INET6, SOCK_DGRAM, IPPROTO_UDP, 0),
        (AF_INET6, SOCK_RAW, 0, 255),
        (AF_UNIX, SOCK_STREAM, 0, 0),
    ]
    assert [info.catalog_entry_id for info in rows] == [*range(1001, 1008)]


def test_what_the_rows_say() -> None:
    """R3.15, R3.16; enumproto-a-tcp-flags, enumproto-a-udp-flags, wsasocket-raw-info."""
    rows = {entry.catalog_id: entry.info for entry in built_in_catalog().entries}

    for catalog_id, flags in {
        TCP_IP: 0x20066,
        TCP_IP6: 0x20066,
        UDP_IP: 0x20609,
        UDP_IP6: 0x20609,
        RAW_IP: 0x20609,
        RAW_IP6: 0x20609,
    }.items():
        assert rows[catalog_id].service_flags1 == flags
    for catalog_id, info in rows.items():
        hidden = PFL_HIDDEN if catalog_id in (RAW_IP, RAW_IP6) else 0
        size = {AF_INET: 16, AF_INET6: 28, AF_UNIX: 110}[info.address_family]
        assert info.provider_flags == PFL_MATCHES_PROTOCOL_ZERO | hidden
        assert info.max_sock_addr == size
        assert info.min_sock_addr == (2 if info.address_family == AF_UNIX else size)
        assert (info.chain_len, info.protocol_chain, info.version) == (1, (), 2)
        assert (info.network_byte_order, info.security_scheme, info.provider_reserved) == (0, 0, 0)
        assert info.name
    assert {rows[i].provider_id for i in (TCP_IP, UDP_IP, RAW_IP)} == {MSAFD_TCPIP}
    assert {rows[i].provider_id for i in (TCP_IP6, UDP_IP6, RAW_IP6)} == {MSAFD_TCPIP6}
    assert rows[UNIX].provider_id not in (MSAFD_TCPIP, MSAFD_TCPIP6)
    assert rows[UNIX].service_flags1 & (XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_IFS_HANDLES) == 0x20006


def test_message_sizes_tell_streams_from_datagrams() -> None:
    """R3.10: 0 for a stream, else the largest message."""
    for entry in built_in_catalog().entries:
        info = entry.info
        if info.socket_type == SOCK_STREAM:
            assert info.message_size == 0
        elif info.socket_type == SOCK_DGRAM:
            assert info.message_size == 65467
        else:
            assert info.message_size >= 32768


# WSAEnumProtocols


def test_all_that_is_not_hidden_is_shown_in_catalog_order(winsock: Process) -> None:
    """R3.3, R3.7; enumproto-a-all."""
    shown = ws2_32.WSAEnumProtocols()

    assert [info.catalog_entry_id for info in shown] == [TCP_IP, UDP_IP, TCP_IP6, UDP_IP6, UNIX]
    assert all(info.name and not info.provider_flags & PFL_HIDDEN for info in shown)


def test_a_list_shows_the_protocols_in_it(winsock: Process) -> None:
    """R3.2; enumproto-a-filter: what no protocol has is ignored."""
    shown = ws2_32.WSAEnumProtocols([1337, IPPROTO_TCP, IPPROTO_UDP, 4711])

    assert [info.catalog_entry_id for info in shown] == [TCP_IP, UDP_IP, TCP_IP6, UDP_IP6]
    assert ws2_32.WSAEnumProtocols([IPPROTO_UDP]) == [info for info in shown if info.protocol == IPPROTO_UDP]


def test_an_empty_list_shows_nothing(winsock: Process) -> None:
    """R3.2, R3.5."""
    assert ws2_32.WSAEnumProtocols([]) == []
    assert ws2_32.WSAEnumProtocols([1337]) == []


def test_chains_are_shown_and_layered_protocols_are_not() -> None:
    """R3.3, R1.85: neither layered nor hidden rows, both of which stay in the catalog."""
    chain = row(1, chain_len=2, protocol_chain=(2, 3))
    layered = row(2, chain_len=0)
    base = row(3)
    hidden = row(4, provider_flags=PFL_HIDDEN)
    with started(chain, layered, base, hidden) as process:
        assert ws2_32.WSAEnumProtocols() == [chain.info, base.info]
        assert ws2_32.WSAEnumProtocols([IPPROTO_TCP]) == [chain.info, base.info]
        assert process.catalog.by_id(2) is layered
        assert process.catalog.by_id(4) is hidden


def test_enumeration_needs_a_startup() -> None:
    with Process().active():
        refused(WSANOTINITIALISED, ws2_32.WSAEnumProtocols)


# Which row a request gets

CHOSEN = {
    "wsasocket-inet-stream-0": ((AF_INET, SOCK_STREAM, 0), TCP_IP),
    "wsasocket-inet-dgram-0": ((AF_INET, SOCK_DGRAM, 0), UDP_IP),
    "wsasocket-inet-0-tcp": ((AF_INET, 0, IPPROTO_TCP), TCP_IP),
    "wsasocket-inet-0-udp": ((AF_INET, 0, IPPROTO_UDP), UDP_IP),
    "wsasocket-inet-0-0": ((AF_INET, 0, 0), TCP_IP),
    "wsasocket-unspec-stream-tcp": ((0, SOCK_STREAM, IPPROTO_TCP), TCP_IP),
    "wsasocket-unspec-0-tcp": ((0, 0, IPPROTO_TCP), TCP_IP),
    "wsasocket-unspec-0-udp": ((0, 0, IPPROTO_UDP), UDP_IP),
    "wsasocket-raw-proto-only": ((0, 0, IPPROTO_RAW), RAW_IP),
    "wsasocket-raw-tcp": ((AF_INET, SOCK_RAW, IPPROTO_TCP), RAW_IP),
    "inet6-stream-tcp": ((AF_INET6, SOCK_STREAM, IPPROTO_TCP), TCP_IP6),
    "inet6-0-0": ((AF_INET6, 0, 0), TCP_IP6),
    "inet6-dgram-0": ((AF_INET6, SOCK_DGRAM, 0), UDP_IP6),
    "inet6-0-raw": ((AF_INET6, 0, IPPROTO_RAW), RAW_IP6),
    "unix-stream-0": ((AF_UNIX, SOCK_STREAM, 0), UNIX),
    "unix-0-0": ((AF_UNIX, 0, 0), UNIX),
}

REFUSED = {
    "wsasocket-0xdead-stream-tcp": ((0xDEAD, SOCK_STREAM, IPPROTO_TCP), WSAEAFNOSUPPORT),
    "wsasocket-neg1-stream-tcp": ((-1, SOCK_STREAM, IPPROTO_TCP), WSAEAFNOSUPPORT),
    "wsasocket-inet-0xdead-tcp": ((AF_INET, 0xDEAD, IPPROTO_TCP), WSAESOCKTNOSUPPORT),
    "wsasocket-inet-neg1-tcp": ((AF_INET, -1, IPPROTO_TCP), WSAESOCKTNOSUPPORT),
    "wsasocket-inet-stream-0xdead": ((AF_INET, SOCK_STREAM, 0xDEAD), WSAEPROTONOSUPPORT),
    "wsasocket-inet-stream-neg1": ((AF_INET, SOCK_STREAM, -1), WSAEPROTONOSUPPORT),
    "wsasocket-0xdead-0xdead-tcp": ((0xDEAD, 0xDEAD, IPPROTO_TCP), WSAESOCKTNOSUPPORT),
    "wsasocket-0xdead-stream-0xdead": ((0xDEAD, SOCK_STREAM, 0xDEAD), WSAEAFNOSUPPORT),
    "wsasocket-inet-0xdead-0xdead": ((AF_INET, 0xDEAD, 0xDEAD), WSAESOCKTNOSUPPORT),
    "wsasocket-0xdead-stream-udp": ((0xDEAD, SOCK_STREAM, IPPROTO_UDP), WSAEAFNOSUPPORT),
    "wsasocket-inet-0xdead-0": ((AF_INET, 0xDEAD, 0), WSAESOCKTNOSUPPORT),
    "wsasocket-inet-0-0xdead": ((AF_INET, 0, 0xDEAD), WSAEPROTONOSUPPORT),
    "wsasocket-inet-stream-udp": ((AF_INET, SOCK_STREAM, IPPROTO_UDP), WSAEPROTONOSUPPORT),
    "wsasocket-inet-dgram-tcp": ((AF_INET, SOCK_DGRAM, IPPROTO_TCP), WSAEPROTONOSUPPORT),
    "wsasocket-unspec-stream-0xdead": ((0, SOCK_STREAM, 0xDEAD), WSAEPROTONOSUPPORT),
    "wsasocket-unspec-0xdead-udp": ((0, 0xDEAD, IPPROTO_UDP), WSAESOCKTNOSUPPORT),
    "wsasocket-unspec-stream-0": ((0, SOCK_STREAM, 0), WSAEINVAL),
    "wsasocket-unspec-dgram-0": ((0, SOCK_DGRAM, 0), WSAEINVAL),
    "wsasocket-unspec-0xdead-0": ((0, 0xDEAD, 0), WSAEINVAL),
    "wsasocket-unspec-0-0xdead": ((0, 0, 0xDEAD), WSAEPROTONOSUPPORT),
    "wsasocket-unspec-0-0": ((0, 0, 0), WSAEINVAL),
    "wsasocket-ipx-absent": ((6, SOCK_DGRAM, 1000), WSAEAFNOSUPPORT),
    # R3.22, where not among the above; and a type that the family lacks, which has the code of an unknown one.
    "inet-99-0": ((AF_INET, 99, 0), WSAESOCKTNOSUPPORT),
    "99-stream-0": ((99, SOCK_STREAM, 0), WSAEAFNOSUPPORT),
    "unix-dgram-0": ((AF_UNIX, SOCK_DGRAM, 0), WSAESOCKTNOSUPPORT),
    "unix-stream-tcp": ((AF_UNIX, SOCK_STREAM, IPPROTO_TCP), WSAEPROTONOSUPPORT),
    "inet-0-256": ((AF_INET, 0, 256), WSAEPROTONOSUPPORT),
}


@pytest.mark.parametrize(("request_", "catalog_id"), CHOSEN.values(), ids=CHOSEN)
def test_a_request_gets_the_first_row_that_matches(request_: tuple[int, int, int], catalog_id: int) -> None:
    """R3.17, R3.18, R3.22, R3.13; wsasocket-default-match-zero, wsasocket-auto-type."""
    assert built_in_catalog().select(*request_).catalog_id == catalog_id


@pytest.mark.parametrize("make", ["socket", "WSASocket"])
@pytest.mark.parametrize(("request_", "code"), REFUSED.values(), ids=REFUSED)
def test_a_request_that_nothing_matches_is_refused(
    winsock: Process, make: str, request_: tuple[int, int, int], code: int
) -> None:
    """R3.19-R3.22, B4: FROM_PROTOCOL_INFO without a record is a value like any other."""
    refused(code, getattr(ws2_32, make), *request_)
    assert get_last_error() == code
    assert winsock.sockets() == []


@pytest.mark.parametrize("make", [ws2_32.socket, ws2_32.WSASocket])
@pytest.mark.parametrize("name", [name for name in CHOSEN if name.startswith("wsasocket") and "raw" not in name])
def test_the_socket_has_the_protocol_of_its_row(winsock: Process, make: Callable[..., int], name: str) -> None:
    """R1.97: the provider takes what the request leaves open from the row; opt-protoinfo-contents."""
    request_, catalog_id = CHOSEN[name]
    s = make(*request_)

    expected = winsock.catalog.by_id(catalog_id)
    assert expected is not None
    assert winsock.socket(s).entry is expected
    assert record_of(s) == expected.info
    assert type_of(s) == expected.info.socket_type


@pytest.mark.parametrize(
    "catalog_id", [TCP_IP, UDP_IP, UNIX, *(pytest.param(i, marks=pytest.mark.ipv6) for i in (TCP_IP6, UDP_IP6))]
)
def test_both_forms_of_the_record_are_the_rows(winsock: Process, catalog_id: int) -> None:
    """opt-protoinfo-contents."""
    entry = winsock.catalog.by_id(catalog_id)
    assert entry is not None
    if entry.info.address_family == AF_INET6:
        needs_ipv6()
    s = ws2_32.socket(*triple(entry.info))

    ansi = ws2_32.getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOA)
    wide = ws2_32.getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW)

    assert (len(ansi), len(wide)) == (PROTOCOL_INFOA_SIZE, PROTOCOL_INFOW_SIZE)
    assert ansi[:116] == wide[:116]  # everything before szProtocol
    assert ProtocolInfo.unpack(ansi) == ProtocolInfo.unpack(wide) == entry.info


def needs_ipv6() -> None:
    try:
        socket.socket(socket.AF_INET6).close()
    except OSError:
        pytest.skip("the host has no IPv6")


@pytest.mark.parametrize(
    "request_", [(0, 0, IPPROTO_RAW), (AF_INET, SOCK_RAW, IPPROTO_TCP), (AF_INET, SOCK_RAW, IPPROTO_ICMP)]
)
def test_raw_sockets_come_from_the_hidden_row(winsock: Process, request_: tuple[int, int, int]) -> None:
    """R3.28; wsasocket-raw-proto-only, -raw-tcp, -raw-info, and -raw-info-protocol: the record says 0."""
    try:
        s = ws2_32.WSASocket(*request_)
    except WinsockError as failure:
        assert failure.code == WSAEACCES  # noqa: PT017 - the other permitted outcome
        return
    info = record_of(s)
    assert triple(info) == (AF_INET, SOCK_RAW, 0)
    assert (info.protocol_max_offset, info.max_sock_addr, info.min_sock_addr) == (255, 16, 16)
    assert info.provider_flags == PFL_MATCHES_PROTOCOL_ZERO | PFL_HIDDEN
    assert type_of(s) == SOCK_RAW


def test_protocol_zero_needs_a_row_that_says_so() -> None:
    """R3.18."""
    strict = Catalog([row(1, provider_flags=0)])

    refused(WSAEPROTONOSUPPORT, strict.select, AF_INET, SOCK_STREAM, 0)
    refused(WSAEPROTONOSUPPORT, strict.select, AF_INET, 0, 0)
    assert strict.select(AF_INET, SOCK_STREAM, IPPROTO_TCP).catalog_id == 1

    both = Catalog([row(1, provider_flags=0), row(2, protocol=77)])
    assert both.select(AF_INET, SOCK_STREAM, 0).catalog_id == 2


def test_a_row_speaks_a_range_of_protocols() -> None:
    """R3.13: NSPROTO_IPX, 1000 to 1255."""
    ipx = Catalog([row(1, af=6, type=SOCK_DGRAM, protocol=1000, protocol_max_offset=255)])

    for protocol in (1000, 1001, 1255, 0):
        assert ipx.select(6, SOCK_DGRAM, protocol).catalog_id == 1
    for protocol in (999, 1256, 1, -1):
        refused(WSAEPROTONOSUPPORT, ipx.select, 6, SOCK_DGRAM, protocol)


def test_layered_rows_never_match_and_never_count() -> None:
    """R3.20: a family, type or protocol that only a layered row has is unknown."""
    catalog = Catalog([row(1, af=99, type=SOCK_RDM, protocol=77, chain_len=0), row(2)])

    refused(WSAEAFNOSUPPORT, catalog.select, 99, SOCK_STREAM, 0)
    refused(WSAESOCKTNOSUPPORT, catalog.select, AF_INET, SOCK_RDM, 0)
    refused(WSAEPROTONOSUPPORT, catalog.select, AF_INET, SOCK_STREAM, 77)
    refused(WSAEPROTONOSUPPORT, catalog.select, 0, 0, 77)
    assert catalog.by_family(99) is None
    refused(WSAEAFNOSUPPORT, Catalog([row(1, chain_len=0)]).select, AF_INET, SOCK_STREAM, IPPROTO_TCP)


def test_hidden_rows_match() -> None:
    """R1.85: hidden from enumeration only."""
    assert Catalog([row(1, provider_flags=PFL_HIDDEN)]).select(AF_INET, SOCK_STREAM, IPPROTO_TCP).catalog_id == 1


def test_chains_match_like_base_protocols() -> None:
    """R3.17."""
    catalog = Catalog([row(1, chain_len=0), row(2, chain_len=3, protocol_chain=(1, 5, 3)), row(3)])

    assert catalog.select(AF_INET, SOCK_STREAM, IPPROTO_TCP).catalog_id == 2


def test_the_order_of_the_catalog_decides_and_a_new_order_needs_a_new_startup() -> None:
    """R3.17, R3.31, R1.73: catalog numbers do not matter."""
    rows = [row(1002), row(1001, af=AF_INET)]
    process = Process(catalog=lambda: Catalog(tuple(rows)))
    with process.active():
        process.startup(0x0202)
        assert process.socket(ws2_32.socket(AF_INET, SOCK_STREAM, 0)).entry.catalog_id == 1002

        rows.reverse()
        process.startup(0x0202)
        assert process.socket(ws2_32.socket(AF_INET, SOCK_STREAM, 0)).entry.catalog_id == 1002

        process.cleanup()
        process.cleanup()
        process.startup(0x0202)
        assert process.socket(ws2_32.socket(AF_INET, SOCK_STREAM, 0)).entry.catalog_id == 1001
        process.cleanup()


NUMBERS = (0, -1, AF_UNIX, AF_INET, SOCK_RAW, SOCK_RDM, IPPROTO_TCP, IPPROTO_UDP, AF_INET6, 255, 256, 0xDEAD)


def test_no_request_gets_a_row_that_does_not_match() -> None:
    """Every combination of interesting numbers: the first matching row, or one of the four codes."""
    catalog = built_in_catalog()
    codes = set()
    for af, type_, protocol in itertools.product(NUMBERS, repeat=3):
        matching = [
            entry
            for entry in catalog.entries
            if af in (0, entry.info.address_family)
            and type_ in (0, entry.info.socket_type)
            and (protocol == 0 or 0 <= protocol - entry.info.protocol <= entry.info.protocol_max_offset)
            and (af or protocol)
        ]
        try:
            assert catalog.select(af, type_, protocol) is matching[0]
        except WinsockError as failure:
            assert matching == []
            codes.add(failure.winerror)
    assert codes == {WSAEINVAL, WSAEAFNOSUPPORT, WSAESOCKTNOSUPPORT, WSAEPROTONOSUPPORT}


# Requests with a protocol record


def test_a_record_from_the_enumeration_makes_its_socket(winsock: Process) -> None:
    """R3.29: choose by characteristics, pass the structure; wsasocket-from-protocol-info."""
    every = FROM_PROTOCOL_INFO
    wanted = XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER
    reliable = next(i for i in ws2_32.WSAEnumProtocols() if i.service_flags1 & wanted == wanted)
    datagram = next(i for i in ws2_32.WSAEnumProtocols() if i.service_flags1 & XP1_CONNECTIONLESS)

    for info in (reliable, datagram):
        s = ws2_32.WSASocket(every, every, every, info, 0, WSA_FLAG_OVERLAPPED)
        assert record_of(s) == info
        assert type_of(s) == info.socket_type


def test_arguments_win_over_the_record(winsock: Process) -> None:
    """wsasocket-info-udp, wsasocket-args-override-info: the record's row chooses the provider, which then decides."""
    tcp = ws2_32.WSAEnumProtocols()[0]
    changed = attrs.evolve(tcp, socket_type=SOCK_DGRAM, protocol=IPPROTO_UDP)

    s = ws2_32.WSASocket(0, 0, 0, changed)
    assert type_of(s) == SOCK_DGRAM
    assert triple(record_of(s)) == (AF_INET, SOCK_DGRAM, IPPROTO_UDP)

    s = ws2_32.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, changed)
    assert type_of(s) == SOCK_STREAM
    assert triple(record_of(s)) == (AF_INET, SOCK_STREAM, IPPROTO_TCP)


@pytest.mark.parametrize("number", [-1, 0])
def test_a_record_without_a_family_is_of_no_use(winsock: Process, number: int) -> None:
    """wsasocket-info-minus1, wsasocket-info-zero."""
    tcp = ws2_32.WSAEnumProtocols()[0]
    changed = attrs.evolve(tcp, address_family=number, socket_type=number, protocol=number)

    refused(WSAEAFNOSUPPORT, ws2_32.WSASocket, 0, 0, IPPROTO_UDP, changed)
    assert winsock.sockets() == []


def test_a_type_that_the_family_lacks_is_refused_by_the_provider(winsock: Process) -> None:
    tcp, *_, unix = ws2_32.WSAEnumProtocols()

    refused(WSAESOCKTNOSUPPORT, ws2_32.WSASocket, 0, SOCK_RDM, 0, tcp)
    refused(WSAESOCKTNOSUPPORT, ws2_32.WSASocket, 0, SOCK_DGRAM, 0, unix)


def test_a_record_must_name_a_row_that_can_be_opened() -> None:
    """R3.25, R3.26."""
    layered = row(2, chain_len=0)
    with started(row(1), layered) as process:
        refused(WSAEINVAL, ws2_32.WSASocket, AF_INET, SOCK_STREAM, 0, row(3).info)
        refused(WSAEINVAL, ws2_32.WSASocket, AF_INET, SOCK_STREAM, 0, layered.info)
        refused(WSAEINVAL, ws2_32.WSASocket, AF_INET, SOCK_STREAM, 0, ProtocolInfo())
        refused(WSAEINVAL, ws2_32.WSAAddressToString, b"\2\0", layered.info)
        assert process.sockets() == []


def test_undefined_flags_come_before_the_record() -> None:
    """B4."""
    with started(row(1)):
        refused(WSAEINVAL, ws2_32.WSASocket, 99, SOCK_STREAM, 0, None, 0, 0x8000)
        refused(WSAEAFNOSUPPORT, ws2_32.WSASocket, 99, SOCK_STREAM, 0, None, 0, 0)


def test_a_record_is_a_record() -> None:
    """R16.19: another type is a mistake of the program."""
    with started(row(1)), pytest.raises(TypeError, match="ProtocolInfo"):
        ws2_32.WSASocket(AF_INET, SOCK_STREAM, 0, "TCP")  # type: ignore[arg-type]


# Several providers


def test_each_socket_keeps_to_its_provider() -> None:
    """R1.24, R2.26, R3.30."""
    with installed(RecordingProvider) as path, started(row(), row(1002, af=99, path=path)) as process:
        mine, other = recorder(process), recorder(process, path)
        s, t = ws2_32.socket(AF_INET, 0, 0), ws2_32.socket(99, 0, 0)
        mine.forget()
        other.forget()

        ws2_32.listen(s, 1)
        ws2_32.listen(t, 2)

        assert mine.calls == [Call("WSPListen", (s, 1))]
        assert other.calls == [Call("WSPListen", (t, 2))]


def test_select_takes_sockets_of_one_provider() -> None:
    """R3.32, R3.33: rows of one module can wait together, as IPv4 and IPv6 do on Windows; two modules cannot."""
    with installed(RecordingProvider) as path:
        rows = [row(), row(1002, af=AF_INET6, provider_id=MSAFD_TCPIP6), row(1003, af=99, path=path)]
        with started(*rows) as process:
            four, six, other = (ws2_32.socket(af, SOCK_STREAM, 0) for af in (AF_INET, AF_INET6, 99))

            assert ws2_32.select([four, six], None, None, (0, 0)) == ([four, six], [], [])
            for sets in (([four, other], None, None), ([six], [other], None), (None, [other], [four])):
                refused(WSAEINVAL, ws2_32.select, *sets, (0, 0))
            assert recorder(process).names().count("WSPSelect") == 1
            assert "WSPSelect" not in recorder(process, path).names()


def test_catalog_ids_find_their_rows() -> None:
    rows: list[CatalogEntry] = [row(7), row(3, provider_id=MSAFD_TCPIP), row(5, provider_id=MSAFD_TCPIP)]
    catalog = Catalog(rows)

    assert [catalog.by_id(i) for i in (7, 3, 5, 1)] == [*rows, None]
    assert catalog.by_provider(MSAFD_TCPIP) is rows[1]
    assert catalog.by_provider(MSAFD_TCPIP6) is None
    assert catalog.by_family(AF_INET) is rows[0]
