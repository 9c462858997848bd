"""Protocols and choosing a provider: WSAEnumProtocols, and which row of the catalog a socket gets."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import attrs

from ..addresses import loopback
from ..constants import (
    AF_INET,
    AF_INET6,
    AF_UNSPEC,
    BIGENDIAN,
    FROM_PROTOCOL_INFO,
    IPPROTO_ICMP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    LITTLEENDIAN,
    NSPROTO_IPX,
    PFL_HIDDEN,
    PFL_MATCHES_PROTOCOL_ZERO,
    PFL_MULTIPLE_PROTO_ENTRIES,
    PFL_RECOMMENDED_PROTO_ENTRY,
    SO_PROTOCOL_INFOA,
    SO_PROTOCOL_INFOW,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_RAW,
    SOCK_SEQPACKET,
    SOCK_STREAM,
    SOCKET_ERROR,
    SOL_SOCKET,
    WSA_FLAG_OVERLAPPED,
    WSAEACCES,
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOBUFS,
    WSAENOTSOCK,
    WSAEPROTONOSUPPORT,
    WSAEPROTOTYPE,
    WSAESOCKTNOSUPPORT,
    WSANOTINITIALISED,
    XP1_CONNECTIONLESS,
    XP1_EXPEDITED_DATA,
    XP1_GRACEFUL_CLOSE,
    XP1_GUARANTEED_DELIVERY,
    XP1_GUARANTEED_ORDER,
    XP1_IFS_HANDLES,
    XP1_MESSAGE_ORIENTED,
    XP1_QOS_SUPPORTED,
    XP1_SUPPORT_BROADCAST,
    XP1_SUPPORT_MULTIPOINT,
    XP1_UNI_RECV,
    XP1_UNI_SEND,
)
from ..driver import Block
from ..layouts import LAYOUTS
from ..model import Row, case
from ..providers import PEER, VERSION_2_2, Call, Provider, Recorder, protocol
from ..records import ProtocolInfo
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable, variant

CHAPTER = "Protocols and choosing a provider"
ENUM = "winsock2/nf-winsock2-wsaenumprotocolsw"
INFO = "winsock2/ns-winsock2-wsaprotocol_infow"
WSASOCKET = "winsock2/nf-winsock2-wsasocketw"
SELECT = "winsock2/nf-winsock2-select"
RAW = "winsock/tcp-ip-raw-sockets-2"
DIVISION = "winsock/transport-division-of-responsibilities-between-dll-and-service-providers-2"
BYTE_ORDER = "winsock/extended-byte-order-conversion-routines-2"
SELECTING = "winsock/using-multiple-protocols-2"
ENUM_TEST = "Wine's public test protocol.c:test_WSAEnumProtocolsA and W, which pass on Windows"
SOCKET_TEST = "Wine's public test sock.c:test_WSASocket, which passes on Windows"
OPTION_TEST = "Wine's public test sock.c:test_set_getsockopt, which passes on Windows"

#: sizeof(WSAPROTOCOL_INFOA) and W.
SIZES = {"A": 372, "W": 628}
#: Numbers that no protocol, type and family has.
NOBODYS = 0xDEAD
#: A family, a type and a protocol that only an installed provider has.
FAMILY, TYPE, PROTOCOL = 99, SOCK_SEQPACKET, 4711
IPPROTO_RAW = 255
STREAM_FLAGS = (
    XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER | XP1_GRACEFUL_CLOSE | XP1_EXPEDITED_DATA | XP1_IFS_HANDLES
)
DATAGRAM_FLAGS = (
    XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED | XP1_SUPPORT_BROADCAST | XP1_SUPPORT_MULTIPOINT | XP1_IFS_HANDLES
)


# ---- WSAEnumProtocols in memory --------------------------------------------------------------------


def numbers(*values: int) -> bytes:
    """A list of protocol numbers in memory, with its terminating 0."""
    return b"".join(value.to_bytes(4, "little", signed=True) for value in (*values, 0))


def enumerate_into(ws: Target, protocols: bytes | None, buffer: int, length: Block) -> int:
    """WSAEnumProtocolsA or W itself."""
    asked = 0 if protocols is None else ws.c.new(protocols).address
    return ws.c.call(f"WSAEnumProtocols{ws.form}", asked, buffer, length.address)


def bytes_needed(ws: Target, protocols: bytes | None = None) -> int:
    """The size that WSAEnumProtocols asks for."""
    length = ws.c.new(4)
    enumerate_into(ws, protocols, 0, length)
    return length.number()


PROBES = {
    "all": Row(
        None,
        behaviours=["wsasocket-enum-all-probe", "enumproto-a-null", "enumproto-w-null"],
    ),
    "tcp": Row(numbers(IPPROTO_TCP), behaviours=["wsasocket-enum-size-probe"]),
    "tcp-udp-and-others": Row(
        numbers(NOBODYS, IPPROTO_TCP, 0xBEEF, IPPROTO_UDP, 1234), behaviours=["enumproto-a-filter-probe"]
    ),
}


@case(
    "catalog.enumerate.size-query-{row}",
    chapter=CHAPTER,
    source=f"{ENUM}, parameter lpdwBufferLength",
    basis="documented",
    requirements=["R3.4", "R3.8", "B45"],
    needs_c=True,
    both_forms=True,
    rows=PROBES,
)
def null_buffer_asks_for_the_size(ws: Target, protocols: bytes | None) -> None:
    """A NULL buffer of length 0 gives SOCKET_ERROR, WSAENOBUFS and the bytes needed, a whole number of records."""
    length = ws.c.new(4)
    got = enumerate_into(ws, protocols, 0, length)
    expect("result and last error", expected=(SOCKET_ERROR, WSAENOBUFS), actual=(got, ws.c.last_error))
    records, rest = divmod(length.number(), SIZES[ws.form])
    expect("bytes beyond whole records", expected=0, actual=rest)
    expect_true("at least one record", records >= 1, actual=records)


@case(
    "catalog.enumerate.zero-length",
    chapter=CHAPTER,
    source=ENUM_TEST,
    basis="observed",
    requirements=["R3.4", "B45"],
    behaviours=["enumproto-a-zero-len", "enumproto-w-null"],
    needs_c=True,
    both_forms=True,
)
def length_counts_not_the_pointer(ws: Target) -> None:
    """With a real buffer and length 0 the answer is WSAENOBUFS and the bytes needed, too."""
    room = ws.c.new(bytes_needed(ws))
    length = ws.c.new(4)
    got = enumerate_into(ws, None, room.address, length)
    expect("result and last error", expected=(SOCKET_ERROR, WSAENOBUFS), actual=(got, ws.c.last_error))
    expect("bytes needed", expected=room.size, actual=length.number())


@case(
    "catalog.enumerate.one-byte-short",
    chapter=CHAPTER,
    source=f"{ENUM}, parameter lpdwBufferLength",
    basis="documented",
    requirements=["R3.4"],
    needs_c=True,
    both_forms=True,
)
def enumeration_cannot_be_split(ws: Target) -> None:
    """A buffer that is one byte too small for all records gets none: WSAENOBUFS and the bytes needed."""
    room = ws.c.new(bytes_needed(ws))
    length = ws.c.new((room.size - 1).to_bytes(4, "little"))
    got = enumerate_into(ws, None, room.address, length)
    expect("result and last error", expected=(SOCKET_ERROR, WSAENOBUFS), actual=(got, ws.c.last_error))
    expect("bytes needed", expected=room.size, actual=length.number())


@case(
    "catalog.enumerate.result-is-the-count",
    chapter=CHAPTER,
    source=f"{ENUM}, return value",
    basis="documented",
    requirements=["R3.1", "R3.8"],
    behaviours=["wsasocket-enum-all-probe"],
    needs_c=True,
    both_forms=True,
)
def result_is_the_number_of_records(ws: Target) -> None:
    """With a buffer of exactly the size asked for, the result is the number of records in it."""
    room = ws.c.new(bytes_needed(ws))
    got = enumerate_into(ws, None, room.address, ws.c.new(room.size.to_bytes(4, "little")))
    expect("result", expected=room.size // SIZES[ws.form], actual=got)


@case(
    "catalog.enumerate.larger-buffer",
    chapter=CHAPTER,
    source=ENUM,
    basis="documented",
    requirements=["R3.1"],
    needs_c=True,
    both_forms=True,
)
def rest_of_a_larger_buffer_stays(ws: Target) -> None:
    """A buffer that is too large is filled from its beginning; what is behind the records is left alone."""
    needed = bytes_needed(ws)
    room = ws.c.new(b"\xab" * (needed + 100))
    got = enumerate_into(ws, None, room.address, ws.c.new(room.size.to_bytes(4, "little")))
    expect("result", expected=needed // SIZES[ws.form], actual=got)
    expect("rest of the buffer", expected=b"\xab" * 100, actual=room.read(at=needed))


@case(
    "catalog.enumerate.null-length",
    chapter=CHAPTER,
    source=f"{ENUM}, WSAEFAULT",
    basis="documented",
    requirements=["R3.6", "B45"],
    needs_c=True,
    both_forms=True,
)
def length_pointer_must_be_there(ws: Target) -> None:
    """A NULL pointer to the length gives WSAEFAULT."""
    room = ws.c.new(bytes_needed(ws))
    got = ws.c.call(f"WSAEnumProtocols{ws.form}", 0, room.address, 0)
    expect("result and last error", expected=(SOCKET_ERROR, WSAEFAULT), actual=(got, ws.c.last_error))


@case(
    "catalog.enumerate.not-started",
    chapter=CHAPTER,
    source=f"{ENUM}, WSANOTINITIALISED",
    basis="documented",
    requirements=["R3.6", "B45"],
    needs_c=True,
    both_forms=True,
    manages_startup=True,
)
def enumeration_needs_a_startup(ws: Target) -> None:
    """Without WSAStartup a size query fails with WSANOTINITIALISED and leaves the length alone."""
    length = ws.c.new(b"\x07\0\0\0")
    got = enumerate_into(ws, None, 0, length)
    expect("result and last error", expected=(SOCKET_ERROR, WSANOTINITIALISED), actual=(got, ws.c.last_error))
    expect("length", expected=7, actual=length.number())


@case(
    "catalog.enumerate.nothing-matches",
    chapter=CHAPTER,
    source=ENUM,
    basis="choice",
    requirements=["R3.5", "R3.2"],
    needs_c=True,
    both_forms=True,
)
def query_without_a_match_succeeds(ws: Target) -> None:
    """A list of numbers that no protocol has gives 0, and needs no room in the buffer; so does an empty list."""
    for asked in (numbers(NOBODYS), numbers()):
        expect("result", expected=0, actual=enumerate_into(ws, asked, ws.c.new(4).address, ws.c.new(4)))


@case(
    "catalog.enumerate.both-forms-agree",
    chapter=CHAPTER,
    source=INFO,
    basis="documented",
    requirements=["R3.8"],
    needs_c=True,
)
def both_forms_report_the_same(ws: Target) -> None:
    """WSAEnumProtocolsA and W report the same records in the same order."""
    forms = {}
    for form in SIZES:
        ws.form = form
        forms[form] = ws.WSAEnumProtocols()
    expect("records of the A form", expected=forms["W"], actual=forms["A"])


# ---- WSAEnumProtocols: what is reported ------------------------------------------------------------


@case(
    "catalog.enumerate.all",
    chapter=CHAPTER,
    source=ENUM_TEST,
    basis="observed",
    requirements=["R3.2", "R3.3"],
    behaviours=["enumproto-a-all", "enumproto-w-all"],
    both_forms=True,
)
def all_are_named_and_none_is_hidden(ws: Target) -> None:
    """Without a list all protocols are reported: each has a name, none is hidden, none is a layer."""
    listed = ws.WSAEnumProtocols()
    expect_true("some protocols", listed)
    expect("without a name", expected=[], actual=[info for info in listed if not info.name])
    expect("hidden", expected=[], actual=[info.name for info in listed if info.provider_flags & PFL_HIDDEN])
    expect("layers", expected=[], actual=[info.name for info in listed if info.chain_len == 0])


@case(
    "catalog.enumerate.filter",
    chapter=CHAPTER,
    source=f"{ENUM}, parameter lpiProtocols",
    basis="documented",
    requirements=["R3.2"],
    behaviours=["enumproto-a-filter", "enumproto-w-filter"],
    both_forms=True,
)
def list_selects_by_protocol(ws: Target) -> None:
    """A list of TCP, UDP and unknown numbers reports exactly the TCP and UDP entries; at least two."""
    listed = ws.WSAEnumProtocols([NOBODYS, IPPROTO_TCP, 0xBEEF, IPPROTO_UDP, 1234])
    wanted = [info for info in ws.WSAEnumProtocols() if info.protocol in (IPPROTO_TCP, IPPROTO_UDP)]
    expect("entries", expected=wanted, actual=listed)
    expect_true("at least two", len(listed) >= 2, actual=len(listed))


@case(
    "catalog.enumerate.filter-one",
    chapter=CHAPTER,
    source=f"{ENUM}, parameter lpiProtocols",
    basis="documented",
    requirements=["R3.2"],
)
def list_of_one_selects_one_protocol(ws: Target) -> None:
    """A list of UDP alone reports UDP entries and no others."""
    found = {info.protocol for info in ws.WSAEnumProtocols([IPPROTO_UDP])}
    expect("protocols", expected={IPPROTO_UDP}, actual=found)


@case(
    "catalog.enumerate.empty-list",
    chapter=CHAPTER,
    source=f"{ENUM}, parameter lpiProtocols",
    basis="documented",
    requirements=["R3.2", "R3.5"],
    both_forms=True,
)
def empty_list_reports_nothing(ws: Target) -> None:
    """A list whose first element is 0 is not the same as no list: nothing is reported."""
    expect("entries", expected=[], actual=ws.WSAEnumProtocols([]))


@case(
    "catalog.enumerate.base-protocols-and-chains",
    chapter=CHAPTER,
    source=ENUM,
    basis="documented",
    requirements=["R3.3", "R1.69", "R1.85"],
    needs_provider=True,
    both_forms=True,
)
def layers_and_hidden_entries_are_not_reported(ws: Target) -> None:
    """Of a base protocol, a layer, a chain, and hidden ones, the base protocol and the chain are reported."""
    rows = (
        protocol(FAMILY, name="layer", chain_len=0),
        protocol(FAMILY, name="base", catalog_entry_id=3001),
        protocol(FAMILY, name="hidden base", provider_flags=PFL_HIDDEN),
        protocol(FAMILY, name="chain", chain_len=2, protocol_chain=(2001, 3001)),
        protocol(FAMILY, name="hidden chain", chain_len=2, protocol_chain=(2001, 3001), provider_flags=PFL_HIDDEN),
    )
    with ws.provider(Provider(protocols=rows)) as recorder:
        listed = ws.WSAEnumProtocols()
    expect("entries", expected=[recorder.protocols[1], recorder.protocols[3]], actual=listed)


@case(
    "catalog.enumerate.catalog-order",
    chapter=CHAPTER,
    source=ENUM,
    basis="documented",
    requirements=["R3.7", "R1.72"],
    needs_provider=True,
)
def order_is_that_of_the_catalog(ws: Target) -> None:
    """Entries are reported in the order of the catalog, which is neither that of ids nor that of numbers."""
    rows = [protocol(FAMILY, protocol=number, catalog_entry_id=id) for number, id in ((9, 3003), (2, 3001), (5, 3002))]
    with ws.provider(Provider(protocols=tuple(rows))):
        listed = ws.WSAEnumProtocols()
        filtered = ws.WSAEnumProtocols([2, 5, 9])
    expect("ids", expected=[3003, 3001, 3002], actual=[info.catalog_entry_id for info in listed])
    expect("ids with a list in another order", expected=listed, actual=filtered)


@case(
    "catalog.enumerate.every-field",
    chapter=CHAPTER,
    source=INFO,
    basis="documented",
    requirements=["R3.9", "R1.68"],
    needs_provider=True,
    both_forms=True,
)
def every_field_is_reported(ws: Target) -> None:
    """An entry is reported with all its fields, each with the value that was installed."""
    row = ProtocolInfo(
        service_flags1=0x80000001,
        service_flags2=0x80000002,
        service_flags3=0x80000003,
        service_flags4=0x80000004,
        provider_flags=PFL_MATCHES_PROTOCOL_ZERO | PFL_RECOMMENDED_PROTO_ENTRY,
        catalog_entry_id=4242,
        chain_len=7,
        protocol_chain=(11, 12, 13, 14, 15, 16, 17),
        version=3,
        address_family=FAMILY,
        max_sock_addr=40,
        min_sock_addr=20,
        socket_type=TYPE,
        protocol=PROTOCOL,
        protocol_max_offset=5,
        network_byte_order=LITTLEENDIAN,
        security_scheme=6,
        message_size=0xFFFFFFFF,
        provider_reserved=8,
        name="Every field",
    )
    with ws.provider(Provider(protocols=(row,))) as recorder:
        listed = ws.WSAEnumProtocols()
    expect("entries", expected=[attrs.evolve(row, provider_id=recorder.protocols[0].provider_id)], actual=listed)


@case(
    "catalog.enumerate.longest-name",
    chapter=CHAPTER,
    source=f"{INFO}, member szProtocol",
    basis="documented",
    requirements=["R3.8"],
    needs_provider=True,
    both_forms=True,
)
def name_has_at_most_255_characters(ws: Target) -> None:
    """A name of 255 characters is reported whole."""
    with ws.provider(Provider(protocols=(protocol(FAMILY, name="n" * 255),))):
        names = [info.name for info in ws.WSAEnumProtocols()]
    expect("names", expected=["n" * 255], actual=names)


@case(
    "catalog.enumerate.multiple-entries",
    chapter=CHAPTER,
    source=f"{INFO}, member dwProviderFlags",
    basis="documented",
    requirements=["R3.12"],
    needs_provider=True,
)
def entries_of_one_protocol_are_all_reported(ws: Target) -> None:
    """A protocol with two behaviours has two entries, and the flags tell that, and which one is recommended."""
    several = PFL_MULTIPLE_PROTO_ENTRIES | PFL_MATCHES_PROTOCOL_ZERO
    rows = (
        protocol(FAMILY, service_flags1=XP1_MESSAGE_ORIENTED, provider_flags=several),
        protocol(FAMILY, service_flags1=0, provider_flags=several | PFL_RECOMMENDED_PROTO_ENTRY),
    )
    with ws.provider(Provider(protocols=rows)):
        flags = [(info.service_flags1, info.provider_flags) for info in ws.WSAEnumProtocols()]
    expect("flags", expected=[(row.service_flags1, row.provider_flags) for row in rows], actual=flags)


# ---- the entries that Windows has ------------------------------------------------------------------


def entries_of(ws: Target, number: int) -> list[ProtocolInfo]:
    """The entries of TCP or UDP over IPv4 and IPv6; n/a without any."""
    found = [info for info in ws.WSAEnumProtocols([number]) if info.address_family in (AF_INET, AF_INET6)]
    return found or not_applicable(f"protocol {number} is not installed")


@case(
    "catalog.windows.order",
    chapter=CHAPTER,
    source="The catalog that a Windows machine lists",
    basis="observed",
    requirements=["R3.14"],
)
def tcp_comes_before_udp_and_ipv4_before_ipv6(ws: Target) -> None:
    """The IP entries stand in the order TCP, UDP, and IPv4 before IPv6; those of raw IP are hidden."""
    ip = [info for info in ws.WSAEnumProtocols() if info.address_family in (AF_INET, AF_INET6)]
    order = [
        (AF_INET, SOCK_STREAM, IPPROTO_TCP, 0),
        (AF_INET, SOCK_DGRAM, IPPROTO_UDP, 0),
        (AF_INET6, SOCK_STREAM, IPPROTO_TCP, 0),
        (AF_INET6, SOCK_DGRAM, IPPROTO_UDP, 0),
    ]
    raw = [(AF_INET, SOCK_RAW, 0, 255), (AF_INET6, SOCK_RAW, 0, 255)]
    variant(
        "family, type, protocol, offset",
        expected=tuple(order),
        allowed={(*order[:2], raw[0], *order[2:], raw[1]): "releases whose raw entries are not hidden"},
        actual=tuple((info.address_family, info.socket_type, info.protocol, info.protocol_max_offset) for info in ip),
    )


@case(
    "catalog.windows.flags-{row}",
    chapter=CHAPTER,
    source=ENUM_TEST,
    basis="observed",
    requirements=["R3.15"],
    behaviours=["enumproto-w-all"],
    both_forms=True,
    rows={
        "tcp": Row(IPPROTO_TCP, STREAM_FLAGS, behaviours=["enumproto-a-tcp-flags"]),
        "udp": Row(IPPROTO_UDP, DATAGRAM_FLAGS, behaviours=["enumproto-a-udp-flags"]),
    },
)
def service_flags_are_those_of_the_protocol(ws: Target, number: int, flags: int) -> None:
    """The service flags are exactly these, the QOS bit aside, and PFL_MATCHES_PROTOCOL_ZERO is set."""
    for info in entries_of(ws, number):
        expect(f"version of {info.name}", expected=2, actual=info.version)
        expect(f"service flags of {info.name}", expected=flags, actual=info.service_flags1 & ~XP1_QOS_SUPPORTED)
        expect_true("matches protocol 0", info.provider_flags & PFL_MATCHES_PROTOCOL_ZERO)


@case(
    "catalog.windows.address-sizes",
    chapter=CHAPTER,
    source="The catalog that a Windows machine lists",
    basis="observed",
    requirements=["R3.16"],
)
def address_sizes_are_those_of_the_family(ws: Target) -> None:
    """iMinSockAddr and iMaxSockAddr are 16 for IPv4 and 28 for IPv6."""
    size = {AF_INET: 16, AF_INET6: 28}
    for info in entries_of(ws, IPPROTO_TCP) + entries_of(ws, IPPROTO_UDP):
        expected = (size[info.address_family],) * 2
        expect(f"sizes of {info.name}", expected=expected, actual=(info.min_sock_addr, info.max_sock_addr))


@case(
    "catalog.windows.message-size",
    chapter=CHAPTER,
    source=f"{INFO}, member dwMessageSize",
    basis="documented",
    requirements=["R3.10"],
)
def message_size_tells_streams_from_messages(ws: Target) -> None:
    """dwMessageSize is 0 for byte streams, and something else for protocols that keep messages."""
    for info in entries_of(ws, IPPROTO_TCP):
        expect(f"message size of {info.name}", expected=0, actual=info.message_size)
    for info in entries_of(ws, IPPROTO_UDP):
        expect_true(f"message size of {info.name}", info.message_size, actual=info.message_size)


@case(
    "catalog.windows.one-direction-at-most",
    chapter=CHAPTER,
    source=f"{INFO}, member dwServiceFlags1",
    basis="documented",
    requirements=["R3.11"],
)
def no_entry_has_both_single_directions(ws: Target) -> None:
    """No entry has both XP1_UNI_SEND and XP1_UNI_RECV; TCP and UDP, which go both ways, have neither."""
    both = XP1_UNI_SEND | XP1_UNI_RECV
    listed = ws.WSAEnumProtocols()
    wrong = [info.name for info in listed if info.service_flags1 & both == both]
    expect("entries with both", expected=[], actual=wrong)
    single = [info.name for info in listed if info.protocol in (6, 17) and info.service_flags1 & both]
    expect("one-way TCP and UDP", expected=[], actual=single)


@case(
    "catalog.windows.byte-order",
    chapter=CHAPTER,
    source=f"{INFO}, member iNetworkByteOrder",
    basis="documented",
    requirements=["R3.9", "R3.37"],
)
def internet_protocols_are_big_endian(ws: Target) -> None:
    """TCP and UDP are BIGENDIAN, need no security scheme, and are base protocols."""
    for info in entries_of(ws, IPPROTO_TCP) + entries_of(ws, IPPROTO_UDP):
        actual = info.network_byte_order, info.security_scheme, info.chain_len
        expect(f"byte order, security, chain length of {info.name}", expected=(BIGENDIAN, 0, 1), actual=actual)


# ---- the entry of a socket -------------------------------------------------------------------------


def record_of(ws: Target, s: int, form: str = "W") -> ProtocolInfo:
    """SO_PROTOCOL_INFO of a socket, as far as cases look at it."""
    layout = LAYOUTS[f"WSAPROTOCOL_INFO{form}"]
    raw = ws.getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOA if form == "A" else SO_PROTOCOL_INFOW, layout.size)
    expect(f"size of SO_PROTOCOL_INFO{form}", expected=SIZES[form], actual=len(raw))
    encoding = "latin-1" if form == "A" else "utf-16-le"
    return ProtocolInfo(
        service_flags1=layout.number(raw, "dwServiceFlags1"),
        provider_flags=layout.number(raw, "dwProviderFlags"),
        catalog_entry_id=layout.number(raw, "dwCatalogEntryId"),
        version=layout.number(raw, "iVersion"),
        address_family=layout.number(raw, "iAddressFamily"),
        max_sock_addr=layout.number(raw, "iMaxSockAddr"),
        min_sock_addr=layout.number(raw, "iMinSockAddr"),
        socket_type=layout.number(raw, "iSocketType"),
        protocol=layout.number(raw, "iProtocol"),
        protocol_max_offset=layout.number(raw, "iProtocolMaxOffset"),
        name=layout.block(raw, "szProtocol").decode(encoding).split("\0")[0],
    )


def triple_of(ws: Target, s: int) -> tuple[int, int, int]:
    """Family, type and protocol of a socket, by its protocol record."""
    info = record_of(ws, s)
    return info.address_family, info.socket_type, info.protocol


def raw_socket(ws: Target, af: int, type: int, number: int) -> int:
    """A raw socket; n/a without the right to it."""
    try:
        return ws.WSASocket(af, type, number)
    except Failed as failure:
        if failure.code != WSAEACCES:
            raise
        not_applicable("raw sockets need administrator rights")


@case(
    "catalog.socket-record.{row}",
    chapter=CHAPTER,
    source=OPTION_TEST,
    basis="observed",
    requirements=["R3.9"],
    behaviours=["opt-protoinfo-contents"],
    rows={
        "tcp": Row(AF_INET, SOCK_STREAM, IPPROTO_TCP),
        "udp": Row(AF_INET, SOCK_DGRAM, IPPROTO_UDP),
        "tcp-ipv6": Row(AF_INET6, SOCK_STREAM, IPPROTO_TCP),
        "udp-ipv6": Row(AF_INET6, SOCK_DGRAM, IPPROTO_UDP),
    },
)
def socket_tells_its_entry(ws: Target, af: int, type: int, number: int) -> None:
    """SO_PROTOCOL_INFOA and W give one record with the socket's triple and a name, in the size of their structure."""
    if af == AF_INET6 and not ws.has_family(af):
        not_applicable("no IPv6 here")
    with ws.closing(ws.socket(af, type, number)) as s:
        wide, narrow = record_of(ws, s, "W"), record_of(ws, s, "A")
        expect("A form", expected=wide, actual=narrow)
        expect("triple", expected=(af, type, number), actual=triple_of(ws, s))
    expect_true("it has a name", wide.name)


@case(
    "catalog.socket-record.is-the-enumerated-one",
    chapter=CHAPTER,
    source=OPTION_TEST,
    basis="observed",
    requirements=["R3.9", "R3.17"],
)
def entry_of_a_socket_is_an_enumerated_one(ws: Target) -> None:
    """The catalog id in a TCP socket's record is that of the first TCP entry."""
    with ws.closing(ws.tcp()) as s:
        actual = record_of(ws, s).catalog_entry_id
    expect("dwCatalogEntryId", expected=entries_of(ws, IPPROTO_TCP)[0].catalog_entry_id, actual=actual)


@case(
    "catalog.socket-record.raw",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.13", "R3.14", "R3.15", "R3.16"],
    behaviours=["wsasocket-raw-info"],
)
def raw_socket_tells_the_raw_entry(ws: Target) -> None:
    """The entry of a raw ICMP socket is the hidden one of raw IP, which serves 256 protocols."""
    with ws.closing(raw_socket(ws, AF_INET, SOCK_RAW, IPPROTO_ICMP)) as s:
        info = record_of(ws, s)
    expect("family and type", expected=(AF_INET, SOCK_RAW), actual=(info.address_family, info.socket_type))
    expect("address sizes", expected=(16, 16), actual=(info.min_sock_addr, info.max_sock_addr))
    expect("iProtocolMaxOffset", expected=255, actual=info.protocol_max_offset)
    expect("provider flags", expected=PFL_MATCHES_PROTOCOL_ZERO | PFL_HIDDEN, actual=info.provider_flags)
    expect("service flags", expected=DATAGRAM_FLAGS, actual=info.service_flags1 & ~XP1_QOS_SUPPORTED)


@case(
    "catalog.socket-record.raw-protocol",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.13", "R3.14"],
    behaviours=["wsasocket-raw-info-protocol"],
)
def record_of_a_raw_socket_has_the_entrys_protocol(ws: Target) -> None:
    """The protocol in the record of a raw ICMP socket is the entry's 0, not IPPROTO_ICMP."""
    with ws.closing(raw_socket(ws, AF_INET, SOCK_RAW, IPPROTO_ICMP)) as s:
        expect("iProtocol", expected=0, actual=record_of(ws, s).protocol)


# ---- choosing by family, type and protocol ---------------------------------------------------------

TCP, UDP = (AF_INET, SOCK_STREAM, IPPROTO_TCP), (AF_INET, SOCK_DGRAM, IPPROTO_UDP)


@case(
    "catalog.choose.{row}",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.18", "R3.22"],
    both_forms=True,
    rows={
        "inet-stream-0": Row(AF_INET, SOCK_STREAM, 0, TCP, behaviours=["wsasocket-inet-stream-0"]),
        "inet-dgram-0": Row(AF_INET, SOCK_DGRAM, 0, UDP, behaviours=["wsasocket-inet-dgram-0"]),
        "inet-0-tcp": Row(AF_INET, 0, IPPROTO_TCP, TCP, behaviours=["wsasocket-inet-0-tcp"]),
        "inet-0-udp": Row(AF_INET, 0, IPPROTO_UDP, UDP, behaviours=["wsasocket-inet-0-udp"]),
        "inet-0-0": Row(AF_INET, 0, 0, TCP, behaviours=["wsasocket-inet-0-0", "wsasocket-default-match-zero"]),
        "unspec-stream-tcp": Row(AF_UNSPEC, SOCK_STREAM, IPPROTO_TCP, TCP, behaviours=["wsasocket-unspec-stream-tcp"]),
        "unspec-0-tcp": Row(
            AF_UNSPEC, 0, IPPROTO_TCP, TCP, behaviours=["wsasocket-unspec-0-tcp", "wsasocket-auto-type"]
        ),
        "unspec-0-udp": Row(
            AF_UNSPEC, 0, IPPROTO_UDP, UDP, behaviours=["wsasocket-unspec-0-udp", "wsasocket-auto-type"]
        ),
    },
)
def open_arguments_come_from_the_catalog(
    ws: Target, af: int, type: int, number: int, triple: tuple[int, int, int]
) -> None:
    """What a request leaves open comes from the first entry that matches; socket and WSASocket agree."""
    for make in (ws.socket, ws.WSASocket):
        with ws.closing(make(af, type, number)) as s:
            expect("family, type and protocol", expected=triple, actual=triple_of(ws, s))
            expect("SO_TYPE", expected=triple[1], actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))


@case(
    "catalog.choose.type-of-the-first-with-protocol-zero",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.17", "R3.18"],
    behaviours=["wsasocket-default-match-zero"],
)
def family_alone_gives_the_first_entry_with_protocol_zero(ws: Target) -> None:
    """With a family alone the socket is that of the family's first entry with PFL_MATCHES_PROTOCOL_ZERO."""
    first = next(
        info
        for info in ws.WSAEnumProtocols()
        if info.address_family == AF_INET and info.provider_flags & PFL_MATCHES_PROTOCOL_ZERO
    )
    with ws.closing(ws.WSASocket(AF_INET, 0, 0)) as s:
        expect("SO_TYPE", expected=first.socket_type, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))


@case(
    "catalog.choose.type-of-the-first-with-the-protocol-{row}",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.17", "R3.18"],
    behaviours=["wsasocket-auto-type"],
    rows={"tcp": Row(IPPROTO_TCP), "udp": Row(IPPROTO_UDP)},
)
def protocol_alone_gives_the_first_entry_with_it(ws: Target, number: int) -> None:
    """With a protocol alone the socket is that of the first entry with the protocol."""
    first = ws.WSAEnumProtocols([number])[0]
    with ws.closing(ws.WSASocket(0, 0, number)) as s:
        expect("SO_TYPE", expected=first.socket_type, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))


def refused(af: int, type: int, number: int, code: int, behaviour: str) -> Row:
    return Row(af, type, number, code, behaviours=[f"wsasocket-{behaviour}"])


@case(
    "catalog.refuse.{row}",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.21", "R3.22", "B3", "B4"],
    both_forms=True,
    rows={
        "family": refused(NOBODYS, SOCK_STREAM, IPPROTO_TCP, WSAEAFNOSUPPORT, "0xdead-stream-tcp"),
        "family-minus-one": refused(-1, SOCK_STREAM, IPPROTO_TCP, WSAEAFNOSUPPORT, "neg1-stream-tcp"),
        "type": refused(AF_INET, NOBODYS, IPPROTO_TCP, WSAESOCKTNOSUPPORT, "inet-0xdead-tcp"),
        "type-minus-one": refused(AF_INET, -1, IPPROTO_TCP, WSAESOCKTNOSUPPORT, "inet-neg1-tcp"),
        "protocol": refused(AF_INET, SOCK_STREAM, NOBODYS, WSAEPROTONOSUPPORT, "inet-stream-0xdead"),
        "protocol-minus-one": refused(AF_INET, SOCK_STREAM, -1, WSAEPROTONOSUPPORT, "inet-stream-neg1"),
        "family-and-type": refused(NOBODYS, NOBODYS, IPPROTO_TCP, WSAESOCKTNOSUPPORT, "0xdead-0xdead-tcp"),
        "family-and-protocol": refused(NOBODYS, SOCK_STREAM, NOBODYS, WSAEAFNOSUPPORT, "0xdead-stream-0xdead"),
        "family-and-udp": refused(NOBODYS, SOCK_STREAM, IPPROTO_UDP, WSAEAFNOSUPPORT, "0xdead-stream-udp"),
        "type-and-protocol": refused(AF_INET, NOBODYS, NOBODYS, WSAESOCKTNOSUPPORT, "inet-0xdead-0xdead"),
        "type-without-protocol": refused(AF_INET, NOBODYS, 0, WSAESOCKTNOSUPPORT, "inet-0xdead-0"),
        "protocol-without-type": refused(AF_INET, 0, NOBODYS, WSAEPROTONOSUPPORT, "inet-0-0xdead"),
        "unspec-protocol": refused(AF_UNSPEC, SOCK_STREAM, NOBODYS, WSAEPROTONOSUPPORT, "unspec-stream-0xdead"),
        "unspec-type": refused(AF_UNSPEC, NOBODYS, IPPROTO_UDP, WSAESOCKTNOSUPPORT, "unspec-0xdead-udp"),
        "unspec-protocol-alone": refused(AF_UNSPEC, 0, NOBODYS, WSAEPROTONOSUPPORT, "unspec-0-0xdead"),
    },
)
def request_without_a_match_is_refused(ws: Target, af: int, type: int, number: int, code: int) -> None:
    """A request that no entry matches fails with the code for what is unknown; socket and WSASocket agree."""
    for make in (ws.socket, ws.WSASocket):
        with fails_with(code):
            make(af, type, number)


@case(
    "catalog.refuse.protocol-of-another-type-{row}",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.21", "R3.22", "B3", "B4"],
    both_forms=True,
    rows={
        "stream-udp": Row(SOCK_STREAM, IPPROTO_UDP, behaviours=["wsasocket-inet-stream-udp"]),
        "dgram-tcp": Row(SOCK_DGRAM, IPPROTO_TCP, behaviours=["wsasocket-inet-dgram-tcp"]),
    },
)
def protocol_of_another_type_is_refused(ws: Target, type: int, number: int) -> None:
    """A protocol that the family has for another type is WSAEPROTONOSUPPORT; the page says WSAEPROTOTYPE."""
    for make in (ws.socket, ws.WSASocket):
        with fails_with(WSAEPROTONOSUPPORT, variants={WSAEPROTOTYPE: "as the page says"}):
            make(AF_INET, type, number)


@case(
    "catalog.refuse.nothing-asked-for-{row}",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.19", "B3"],
    both_forms=True,
    rows={
        "0-0-0": refused(AF_UNSPEC, 0, 0, WSAEINVAL, "unspec-0-0"),
        "0-stream-0": refused(AF_UNSPEC, SOCK_STREAM, 0, WSAEINVAL, "unspec-stream-0"),
        "0-dgram-0": refused(AF_UNSPEC, SOCK_DGRAM, 0, WSAEINVAL, "unspec-dgram-0"),
        "0-unknown-0": refused(AF_UNSPEC, NOBODYS, 0, WSAEINVAL, "unspec-0xdead-0"),
    },
)
def neither_family_nor_protocol_is_refused(ws: Target, af: int, type: int, number: int, code: int) -> None:
    """Neither a family nor a protocol is WSAEINVAL, whatever the type; socket and WSASocket agree."""
    for make in (ws.socket, ws.WSASocket):
        with fails_with(code):
            make(af, type, number)


@case(
    "catalog.refuse.from-protocol-info-without-record",
    chapter=CHAPTER,
    source=WSASOCKET,
    basis="choice",
    requirements=["R3.24", "B4"],
    both_forms=True,
)
def from_protocol_info_needs_a_record(ws: Target) -> None:
    """FROM_PROTOCOL_INFO as family, without a record, is a family that nobody has."""
    with fails_with(WSAEAFNOSUPPORT):
        ws.WSASocket(FROM_PROTOCOL_INFO, SOCK_STREAM, IPPROTO_TCP)


@case(
    "catalog.refuse.undefined-flags",
    chapter=CHAPTER,
    source=f"{WSASOCKET}, parameter dwFlags",
    basis="documented",
    requirements=["B4"],
    both_forms=True,
)
def undefined_flags_are_refused(ws: Target) -> None:
    """WSASocket with a flag that is not defined fails with WSAEINVAL."""
    with fails_with(WSAEINVAL):
        ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, None, 0, 0x40000000)


# ---- raw sockets -----------------------------------------------------------------------------------


@case(
    "catalog.raw.{row}",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.13", "R3.28"],
    rows={
        "protocol-alone": Row(0, 0, IPPROTO_RAW, behaviours=["wsasocket-raw-proto-only"]),
        "tcp": Row(AF_INET, SOCK_RAW, IPPROTO_TCP, behaviours=["wsasocket-raw-tcp"]),
        "icmp": Row(AF_INET, SOCK_RAW, IPPROTO_ICMP),
    },
)
def raw_entry_serves_every_protocol(ws: Target, af: int, type: int, number: int) -> None:
    """The raw entry serves any protocol from 0 to 255, those of other entries included, with the right to it."""
    with ws.closing(raw_socket(ws, af, type, number)) as s:
        expect("SO_TYPE", expected=SOCK_RAW, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))


@case(
    "catalog.raw.protocol-beyond-the-range",
    chapter=CHAPTER,
    source=f"{INFO}, member iProtocolMaxOffset",
    basis="documented",
    requirements=["R3.13", "R3.21"],
)
def protocol_beyond_the_range_is_refused(ws: Target) -> None:
    """Protocol 256 is beyond the range of the raw entry: WSAEPROTONOSUPPORT."""
    with fails_with(WSAEPROTONOSUPPORT):
        ws.socket(AF_INET, SOCK_RAW, 256)


@case(
    "catalog.raw.protocol-zero",
    chapter=CHAPTER,
    source=RAW,
    basis="documented",
    requirements=["R3.27", "A100"],
)
def raw_socket_needs_a_protocol(ws: Target) -> None:
    """A request for a raw socket has to name a protocol."""
    unnamed = "the page names no code"
    with fails_with(WSAEPROTONOSUPPORT, variants=dict.fromkeys((WSAEINVAL, WSAEPROTOTYPE, WSAEACCES), unnamed)):
        ws.socket(AF_INET, SOCK_RAW, 0)


# ---- choosing among installed providers ------------------------------------------------------------


def owner_of(ws: Target, recorders: tuple[Recorder, ...], af: int, type: int, number: int) -> list[int]:
    """Make a socket and close it; the catalog ids that reached a WSPSocket for it."""
    for recorder in recorders:
        recorder.forget()
    ws.closesocket(ws.socket(af, type, number))
    calls = [call for recorder in recorders for call in recorder.calls if call.name == "WSPSocket"]
    return [call.args[3].catalog_entry_id for call in calls]


@case(
    "catalog.order.first-match",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R3.17", "R3.31", "R1.72"],
    needs_provider=True,
)
def first_match_in_catalog_order_wins(ws: Target) -> None:
    """Of two providers of one triple the one that stands first in the catalog gets the socket."""
    with ws.providers(Provider(protocols=(protocol(FAMILY),)), Provider(), Provider()) as recorders:
        owners = owner_of(ws, recorders, *TCP)
    expect("entry", expected=[recorders[1].protocols[0].catalog_entry_id], actual=owners)


@case(
    "catalog.order.before-windows-own",
    chapter=CHAPTER,
    source="winsock/simultaneous-access-to-multiple-transport-protocols-2",
    basis="documented",
    requirements=["R3.17", "R3.31"],
    needs_provider=True,
)
def provider_before_windows_own_is_the_default(ws: Target) -> None:
    """A provider of TCP that stands before Windows' own gets the TCP sockets, and only those."""
    with ws.provider(built_in=True) as recorder:
        tcp, udp = owner_of(ws, (recorder,), *TCP), owner_of(ws, (recorder,), *UDP)
    expect("entries of a TCP and a UDP socket", expected=([2001], []), actual=(tcp, udp))


@case(
    "catalog.order.reordering-flips-the-default",
    chapter=CHAPTER,
    source="winsock/service-provider-ordering-2",
    basis="documented",
    requirements=["R3.31", "R1.73", "R1.72"],
    needs_provider=True,
)
def new_order_counts_from_the_next_startup(ws: Target) -> None:
    """A new order of the catalog changes nothing in a process that is started, and the default after a new startup."""
    with ws.providers(Provider(), Provider()) as recorders:
        first, second = [recorder.protocols[0].catalog_entry_id for recorder in recorders]
        owners = owner_of(ws, recorders, *TCP)
        recorders[1].put_first()
        owners += owner_of(ws, recorders, *TCP)
        ws.WSACleanup()
        ws.WSAStartup(VERSION_2_2)
        owners += owner_of(ws, recorders, *TCP)
        listed = [info.catalog_entry_id for info in ws.WSAEnumProtocols()]
    expect("entries before, after, and after a new startup", expected=[first, first, second], actual=owners)
    expect("enumeration", expected=[second, first], actual=listed)


@case(
    "catalog.order.hidden-entries-count",
    chapter=CHAPTER,
    source=f"{INFO}, member dwProviderFlags",
    basis="observed",
    requirements=["R3.17", "R1.85"],
    needs_provider=True,
)
def hidden_entry_can_be_chosen(ws: Target) -> None:
    """A hidden entry is not reported, but a request that it matches gets it, as raw sockets do."""
    hidden = protocol(FAMILY, provider_flags=PFL_HIDDEN | PFL_MATCHES_PROTOCOL_ZERO)
    with ws.provider(Provider(protocols=(hidden,))) as recorder:
        owners = owner_of(ws, (recorder,), FAMILY, 0, 0)
        expect("enumeration", expected=[], actual=ws.WSAEnumProtocols())
    expect("entry", expected=[recorder.protocols[0].catalog_entry_id], actual=owners)


@case(
    "catalog.order.chains-can-be-chosen",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R3.17", "R1.90"],
    needs_provider=True,
)
def chain_can_be_chosen(ws: Target) -> None:
    """Before the base protocol of the same triple stands its chain, so the chain gets the request."""
    rows = (
        protocol(FAMILY, chain_len=0, catalog_entry_id=3001),
        protocol(FAMILY, chain_len=2, protocol_chain=(3001, 3003), catalog_entry_id=3002),
        protocol(FAMILY, catalog_entry_id=3003),
    )
    with ws.provider(Provider(protocols=rows)) as recorder:
        expect("entry", expected=[3002], actual=owner_of(ws, (recorder,), FAMILY, SOCK_STREAM, IPPROTO_TCP))


@case(
    "catalog.order.wildcards-{row}",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R3.17", "R3.18"],
    needs_provider=True,
    rows={
        "family": Row(0, SOCK_DGRAM, PROTOCOL, 3002),
        "type": Row(98, 0, PROTOCOL, 3002),
        "family-and-type": Row(0, 0, PROTOCOL, 3001),
        "protocol-zero-is-none": Row(FAMILY, SOCK_STREAM, 0, 3003),
        "type-and-protocol-zero": Row(FAMILY, 0, 0, 3003),
    },
)
def zero_is_a_wildcard_for_family_and_type_only(ws: Target, af: int, type: int, number: int, id: int) -> None:
    """Family 0 and type 0 match any entry; protocol 0 only one with PFL_MATCHES_PROTOCOL_ZERO."""
    rows = (
        protocol(FAMILY, SOCK_STREAM, PROTOCOL, provider_flags=0, catalog_entry_id=3001),
        protocol(98, SOCK_DGRAM, PROTOCOL, provider_flags=0, catalog_entry_id=3002),
        protocol(FAMILY, SOCK_STREAM, PROTOCOL + 1, catalog_entry_id=3003),
    )
    with ws.provider(Provider(protocols=rows)) as recorder:
        expect("entry", expected=[id], actual=owner_of(ws, (recorder,), af, type, number))


@case(
    "catalog.order.protocol-zero-without-the-flag",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R3.18", "R3.21"],
    needs_provider=True,
)
def protocol_zero_matches_nothing_without_the_flag(ws: Target) -> None:
    """When no entry of the family has PFL_MATCHES_PROTOCOL_ZERO, protocol 0 is refused."""
    with ws.provider(Provider(protocols=(protocol(FAMILY, provider_flags=0),))) as recorder:
        with fails_with(WSAEPROTONOSUPPORT, variants={WSAEPROTOTYPE: "as for a known protocol of another type"}):
            ws.socket(FAMILY, SOCK_STREAM, 0)
        expect("times loaded", expected=0, actual=recorder.loaded)


@case(
    "catalog.order.protocol-range-{row}",
    chapter=CHAPTER,
    source=f"{INFO}, member iProtocolMaxOffset",
    basis="documented",
    requirements=["R3.13"],
    needs_provider=True,
    rows={"first": Row(0), "middle": Row(77), "last": Row(255)},
)
def entry_serves_its_range_of_protocols(ws: Target, offset: int) -> None:
    """An entry with iProtocolMaxOffset 255 serves 256 protocols, and the provider is told which one is meant."""
    row = protocol(FAMILY, SOCK_DGRAM, NSPROTO_IPX, protocol_max_offset=255)
    with ws.provider(Provider(protocols=(row,))) as recorder:
        s = ws.socket(FAMILY, SOCK_DGRAM, NSPROTO_IPX + offset)
        call = recorder.calls[-1]
        ws.closesocket(s)
    expect("protocol in WSPSocket", expected=NSPROTO_IPX + offset, actual=call.args[2])


@case(
    "catalog.order.protocol-outside-range-{row}",
    chapter=CHAPTER,
    source=f"{INFO}, member iProtocolMaxOffset",
    basis="documented",
    requirements=["R3.13", "R3.21"],
    needs_provider=True,
    rows={"below": Row(-1), "above": Row(256)},
)
def protocol_outside_the_range_is_refused(ws: Target, offset: int) -> None:
    """Just outside of the range of an entry a protocol is unknown: WSAEPROTONOSUPPORT."""
    row = protocol(FAMILY, SOCK_DGRAM, NSPROTO_IPX, protocol_max_offset=255)
    with ws.provider(Provider(protocols=(row,))), fails_with(WSAEPROTONOSUPPORT):
        ws.socket(FAMILY, SOCK_DGRAM, NSPROTO_IPX + offset)


@case(
    "catalog.order.layers-are-no-partial-match-{row}",
    chapter=CHAPTER,
    source=WSASOCKET,
    basis="documented",
    requirements=["R3.20", "R3.21", "R1.90"],
    needs_provider=True,
    rows={
        "family": Row(FAMILY, SOCK_STREAM, IPPROTO_TCP, WSAEAFNOSUPPORT),
        "type": Row(AF_INET, TYPE, IPPROTO_TCP, WSAESOCKTNOSUPPORT),
        "protocol": Row(AF_INET, SOCK_STREAM, PROTOCOL, WSAEPROTONOSUPPORT),
    },
)
def layer_is_no_candidate(ws: Target, af: int, type: int, number: int, code: int) -> None:
    """A layer that matches is not chosen, and what only a layer has counts as unknown."""
    layers = tuple(
        protocol(*triple, chain_len=0)
        for triple in (
            (FAMILY, SOCK_STREAM, IPPROTO_TCP),
            (AF_INET, TYPE, IPPROTO_TCP),
            (AF_INET, SOCK_STREAM, PROTOCOL),
        )
    )
    with ws.provider(Provider(protocols=(*layers, protocol()))) as recorder:
        with fails_with(code):
            ws.socket(af, type, number)
        expect("times loaded", expected=0, actual=recorder.loaded)


@case(
    "catalog.order.unknown-{row}",
    chapter=CHAPTER,
    source=f"{WSASOCKET}, return value",
    basis="documented",
    requirements=["R3.21"],
    needs_provider=True,
    rows={
        "family": Row(97, SOCK_STREAM, PROTOCOL, WSAEAFNOSUPPORT),
        "type-of-the-family": Row(98, SOCK_STREAM, PROTOCOL, WSAESOCKTNOSUPPORT),
        "protocol": Row(FAMILY, SOCK_STREAM, 1, WSAEPROTONOSUPPORT),
    },
)
def code_tells_what_is_unknown(ws: Target, af: int, type: int, number: int, code: int) -> None:
    """The first of family, type of the family, and protocol that no entry has decides about the code."""
    rows = (protocol(FAMILY, SOCK_STREAM, PROTOCOL), protocol(98, SOCK_DGRAM, PROTOCOL))
    with ws.provider(Provider(protocols=rows)) as recorder:
        with fails_with(code):
            ws.socket(af, type, number)
        expect("times loaded", expected=0, actual=recorder.loaded)


# ---- choosing by a protocol record -----------------------------------------------------------------

EVERY = FROM_PROTOCOL_INFO


@case(
    "catalog.record.from-protocol-info",
    chapter=CHAPTER,
    source=f"{WSASOCKET}, parameter lpProtocolInfo",
    basis="documented",
    requirements=["R3.24", "R3.29"],
    behaviours=["wsasocket-from-protocol-info"],
    both_forms=True,
)
def record_gives_everything(ws: Target) -> None:
    """FROM_PROTOCOL_INFO three times and a record from WSAEnumProtocols give a socket of that record."""
    first = entries_of(ws, IPPROTO_TCP)[0]
    with ws.closing(ws.WSASocket(EVERY, EVERY, EVERY, first)) as s:
        triple = first.address_family, first.socket_type, first.protocol
        expect("family, type and protocol", expected=triple, actual=triple_of(ws, s))


@case(
    "catalog.record.by-characteristics-{row}",
    chapter=CHAPTER,
    source=SELECTING,
    basis="documented",
    requirements=["R3.29", "R3.24"],
    rows={
        "reliable-stream": Row(XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER, XP1_MESSAGE_ORIENTED, SOCK_STREAM),
        "datagrams": Row(XP1_CONNECTIONLESS | XP1_MESSAGE_ORIENTED, XP1_GUARANTEED_DELIVERY, SOCK_DGRAM),
    },
)
def protocol_can_be_chosen_by_what_it_does(ws: Target, wanted: int, unwanted: int, type: int) -> None:
    """A program may choose an entry by its flags, and make a socket from the record as it was reported."""
    chosen = next(
        info
        for info in ws.WSAEnumProtocols()
        if info.service_flags1 & wanted == wanted and not info.service_flags1 & unwanted
    )
    with ws.closing(ws.WSASocket(EVERY, EVERY, EVERY, chosen, 0, WSA_FLAG_OVERLAPPED)) as s:
        expect("SO_TYPE", expected=type, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))
        expect("SO_PROTOCOL_INFO", expected=chosen.catalog_entry_id, actual=record_of(ws, s).catalog_entry_id)


@case(
    "catalog.record.chooses-the-provider",
    chapter=CHAPTER,
    source=f"{WSASOCKET}, parameter lpProtocolInfo",
    basis="documented",
    requirements=["R3.23", "R3.29"],
    needs_provider=True,
    both_forms=True,
)
def catalog_id_chooses_and_nothing_is_changed(ws: Target) -> None:
    """With a record only its catalog id chooses; family, type and protocol go to WSPSocket as they are."""
    with ws.providers(Provider(), Provider()) as (first, second):
        info = second.protocols[0]
        with ws.closing(ws.WSASocket(FAMILY, TYPE, PROTOCOL, info, 0, WSA_FLAG_OVERLAPPED)):
            calls = second.calls[1:]
        expect("times the other one was loaded", expected=0, actual=first.loaded)
    given = (FAMILY, TYPE, PROTOCOL, info, 0, WSA_FLAG_OVERLAPPED)
    expect("calls of the DLL", expected=[Call("WSPSocket", given)], actual=calls)


@case(
    "catalog.record.from-protocol-info-reaches-the-provider",
    chapter=CHAPTER,
    source=DIVISION,
    basis="documented",
    requirements=["R3.23", "R3.24", "R1.97"],
    needs_provider=True,
)
def from_protocol_info_is_the_providers_business(ws: Target) -> None:
    """FROM_PROTOCOL_INFO is not replaced by the DLL: the provider gets it, and the record beside it."""
    with ws.provider() as recorder, ws.closing(ws.WSASocket(EVERY, EVERY, EVERY, recorder.protocols[0])):
        call = recorder.calls[1]
    expect("call", expected=Call("WSPSocket", (EVERY, EVERY, EVERY, recorder.protocols[0], 0, 0)), actual=call)


@case(
    "catalog.record.other-fields-do-not-choose",
    chapter=CHAPTER,
    source=f"{WSASOCKET}, parameter lpProtocolInfo",
    basis="documented",
    requirements=["R3.23"],
    needs_provider=True,
    both_forms=True,
)
def fields_that_a_program_changes_reach_the_provider(ws: Target) -> None:
    """A record whose other fields the program has changed still leads to the entry of its catalog id, as it is."""
    with ws.providers(Provider(), Provider()) as (_, second):
        changed = attrs.evolve(second.protocols[0], address_family=-1, socket_type=77, protocol=-3, name="changed")
        with ws.closing(ws.WSASocket(0, 0, 0, changed)):
            call = second.calls[1]
    expect("call", expected=Call("WSPSocket", (0, 0, 0, changed, 0, 0)), actual=call)


@case(
    "catalog.record.unknown-id-{row}",
    chapter=CHAPTER,
    source=f"{WSASOCKET}, WSAEINVAL",
    basis="documented",
    requirements=["R3.25", "B4"],
    both_forms=True,
    rows={"not-installed": Row(0x7FFFFFFF), "incomplete": Row(0)},
)
def record_that_names_no_entry_is_refused(ws: Target, id: int) -> None:
    """A record whose catalog id is not installed, or was never filled in, gives WSAEINVAL."""
    info = attrs.evolve(entries_of(ws, IPPROTO_TCP)[0], catalog_entry_id=id)
    with fails_with(WSAEINVAL):
        ws.WSASocket(EVERY, EVERY, EVERY, info)


@case(
    "catalog.record.unreadable",
    chapter=CHAPTER,
    source=f"{WSASOCKET}, WSAEFAULT",
    basis="documented",
    requirements=["R3.25", "B4"],
    needs_c=True,
    both_forms=True,
)
def unreadable_record_is_refused(ws: Target) -> None:
    """A pointer to a record that cannot be read gives WSAEFAULT."""
    with fails_with(WSAEFAULT):
        ws.c.check(f"WSASocket{ws.form}", EVERY, EVERY, EVERY, 8, 0, 0)


@case(
    "catalog.record.layer",
    chapter=CHAPTER,
    source="winsock/layered-protocols-and-protocol-chains-2",
    basis="choice",
    requirements=["R3.26", "R1.90", "B4"],
    needs_provider=True,
)
def record_of_a_layer_is_refused(ws: Target) -> None:
    """A record that names a layer gives WSAEINVAL: only base protocols and chains carry data alone."""
    with ws.provider(Provider(protocols=(protocol(chain_len=0),))) as recorder:
        with fails_with(WSAEINVAL):
            ws.WSASocket(EVERY, EVERY, EVERY, recorder.protocols[0])
        expect("times loaded", expected=0, actual=recorder.loaded)


@case(
    "catalog.record.chain",
    chapter=CHAPTER,
    source="winsock/layered-protocols-and-protocol-chains-2",
    basis="documented",
    requirements=["R3.23", "R1.90", "R1.45"],
    needs_provider=True,
)
def record_of_a_chain_opens_it(ws: Target) -> None:
    """A record that names a chain opens the chain, and its provider gets the chain's record."""
    chain = protocol(FAMILY, chain_len=2, protocol_chain=(2001, 2002))
    with ws.provider(Provider(protocols=(protocol(chain_len=0), protocol(), chain))) as recorder:
        info = recorder.protocols[2]
        with ws.closing(ws.WSASocket(EVERY, EVERY, EVERY, info)):
            records = [call.args[position] for call, position in zip(recorder.calls, (1, 3), strict=True)]
    expect("records in WSPStartup and WSPSocket", expected=[info, info], actual=records)


def changed_record(ws: Target, af: int, type: int, number: int) -> ProtocolInfo:
    """The record of the first TCP entry, with another family, type and protocol."""
    first = entries_of(ws, IPPROTO_TCP)[0]
    return attrs.evolve(first, address_family=af, socket_type=type, protocol=number)


@case(
    "catalog.record.arguments-against-record-{row}",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.24", "R1.97"],
    both_forms=True,
    rows={
        "record-fills-zeros": Row((0, 0, 0), SOCK_DGRAM, behaviours=["wsasocket-info-udp"]),
        "arguments-win": Row(TCP, SOCK_STREAM, behaviours=["wsasocket-args-override-info"]),
    },
)
def arguments_win_over_the_record(ws: Target, arguments: tuple[int, int, int], type: int) -> None:
    """With a record changed to UDP: where the arguments are 0 the record decides, otherwise the arguments do."""
    with ws.closing(ws.WSASocket(*arguments, changed_record(ws, *UDP))) as s:
        expect("SO_TYPE", expected=type, actual=ws.get_int(s, SOL_SOCKET, SO_TYPE))


@case(
    "catalog.record.no-family-anywhere-{row}",
    chapter=CHAPTER,
    source=SOCKET_TEST,
    basis="observed",
    requirements=["R3.24", "R1.97"],
    both_forms=True,
    rows={
        "minus-one": Row(-1, behaviours=["wsasocket-info-minus1"]),
        "zero": Row(0, behaviours=["wsasocket-info-zero"]),
    },
)
def record_without_a_family_is_refused(ws: Target, value: int) -> None:
    """Family 0 in the arguments and none in the record is WSAEAFNOSUPPORT: nothing is looked up by protocol."""
    record = changed_record(ws, value, value, value)
    with fails_with(WSAEAFNOSUPPORT):
        ws.WSASocket(0, 0, IPPROTO_UDP, record)


@case(
    "catalog.record.not-overlapped",
    chapter=CHAPTER,
    source="Wine's public test sock.c:test_WSARecv, which passes on Windows",
    basis="observed",
    requirements=["R3.23"],
    behaviours=["wsarecv-nonoverlapped-socket"],
)
def socket_without_the_overlapped_flag_works(ws: Target) -> None:
    """A socket of WSASocket without WSA_FLAG_OVERLAPPED connects to a listener and sends."""
    with ws.listener() as listening, ws.closing(ws.WSASocket(*TCP)) as client:
        ws.connect(client, ws.getsockname(listening))
        server, _ = ws.accept(listening)
        with ws.closing(server):
            ws.send(client, b"works")
            expect("data", expected=b"works", actual=ws.receive_exactly(server, 5))


@case(
    "catalog.all.listening-at-once",
    chapter=CHAPTER,
    source=SELECTING,
    basis="documented",
    requirements=["R3.30", "R3.29"],
)
def server_may_listen_on_all_protocols(ws: Target) -> None:
    """A server listens on a socket of every reliable IP protocol at once, and each accepts its own client."""
    entries = [
        info for info in entries_of(ws, IPPROTO_TCP) if info.address_family == AF_INET or ws.has_family(AF_INET6)
    ]
    listening = [ws.WSASocket(EVERY, EVERY, EVERY, info) for info in entries]
    with ws.closing(*listening):
        for s, info in zip(listening, entries, strict=True):
            ws.bind(s, loopback(info.address_family))
            ws.listen(s, 1)
        for s, info in zip(listening, entries, strict=True):
            with ws.closing(ws.tcp(info.address_family)) as client:
                ws.connect(client, ws.getsockname(s))
                accepted, peer = ws.accept(s)
                ws.closesocket(accepted)
                expect(f"caller over {info.name}", expected=ws.getsockname(client), actual=peer)


# ---- select and byte order over providers ----------------------------------------------------------


@contextlib.contextmanager
def a_socket_of_each(ws: Target) -> Iterator[tuple[Recorder, int, Recorder, int]]:
    """Two providers with a socket each: (provider, socket, provider, socket); the records start after these."""
    with (
        ws.providers(Provider(), Provider(protocols=(protocol(FAMILY),))) as (first, second),
        ws.closing(ws.tcp(), ws.socket(FAMILY, 0, 0)) as (one, two),
    ):
        first.forget()
        second.forget()
        yield first, one, second, two


@case(
    "catalog.select.same-provider-other-entry",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.32", "R3.34"],
    needs_provider=True,
)
def entries_of_one_provider_may_be_mixed(ws: Target) -> None:
    """Sockets of two entries with one ProviderId may stand in one select, which is one call of the provider."""
    both = Provider(protocols=(protocol(), protocol(AF_INET, SOCK_DGRAM, IPPROTO_UDP)))
    with ws.provider(both) as recorder, ws.closing(ws.tcp(), ws.udp()) as (one, two):
        recorder.forget()
        ready = ws.select([one, two], None, None, (0, 0))
        calls = recorder.calls
    expect("calls of the DLL", expected=[Call("WSPSelect", ((one, two), None, None, (0, 0)))], actual=calls)
    expect("ready", expected=([one, two], [], []), actual=ready)


@case(
    "catalog.select.two-providers-{row}",
    chapter=CHAPTER,
    source="winsock/multiple-provider-restrictions-on-select-2",
    basis="choice",
    requirements=["R3.32", "R3.33"],
    needs_provider=True,
    rows={
        "one-set": Row(lambda ws, one, two: ws.select([one, two], None, None, (0, 0))),
        "two-sets": Row(lambda ws, one, two: ws.select([one], [two], None, (0, 0))),
        "exceptions": Row(lambda ws, one, two: ws.select(None, [one], [two], (0, 0))),
    },
)
def providers_may_not_be_mixed(ws: Target, use: Callable[[Target, int, int], object]) -> None:
    """A select over sockets of two providers fails, here with WSAEINVAL; neither provider is called."""
    with a_socket_of_each(ws) as (first, one, second, two):
        with fails_with(WSAEINVAL):
            use(ws, one, two)
        expect("calls of the DLL", expected=[], actual=first.calls + second.calls)


@case(
    "catalog.select.dispatched-by-the-first-socket-{row}",
    chapter=CHAPTER,
    source=SELECT,
    basis="documented",
    requirements=["R3.34"],
    needs_provider=True,
    rows={
        "read": Row(lambda ws, s: ws.select([s], [], None, (0, 0)), ((0,), (), None)),
        "write": Row(lambda ws, s: ws.select([], [s], None, (0, 0)), ((), (0,), None)),
        "exception": Row(lambda ws, s: ws.select(None, None, [s], (0, 0)), (None, None, (0,))),
    },
)
def provider_of_the_first_socket_selects(
    ws: Target, use: Callable[[Target, int], object], sets: tuple[tuple[int, ...] | None, ...]
) -> None:
    """The first socket in the read, write or exception set decides which provider selects, whichever set it is."""
    with a_socket_of_each(ws) as (first, _, second, s):
        use(ws, s)
        seen = first.calls, second.calls
    placed = tuple(None if members is None else tuple(s for _ in members) for members in sets)
    expect("calls of both", expected=([], [Call("WSPSelect", (*placed, (0, 0)))]), actual=seen)


@case(
    "catalog.byte-order.{row}",
    chapter=CHAPTER,
    source=BYTE_ORDER,
    basis="documented",
    requirements=["R3.37"],
    needs_provider=True,
    rows={
        "wsahtonl-big": Row("WSAHtonl", BIGENDIAN, 0x01020304, 0x04030201),
        "wsahtonl-little": Row("WSAHtonl", LITTLEENDIAN, 0x01020304, 0x01020304),
        "wsantohl-big": Row("WSANtohl", BIGENDIAN, 0x01020304, 0x04030201),
        "wsantohl-little": Row("WSANtohl", LITTLEENDIAN, 0x01020304, 0x01020304),
        "wsahtons-big": Row("WSAHtons", BIGENDIAN, 0x0102, 0x0201),
        "wsahtons-little": Row("WSAHtons", LITTLEENDIAN, 0x0102, 0x0102),
        "wsantohs-big": Row("WSANtohs", BIGENDIAN, 0x0102, 0x0201),
        "wsantohs-little": Row("WSANtohs", LITTLEENDIAN, 0x0102, 0x0102),
    },
)
def byte_order_is_that_of_the_sockets_protocol(
    ws: Target, function: str, order: int, value: int, expected: int
) -> None:
    """The function goes by iNetworkByteOrder of the socket's protocol."""
    with ws.provider(Provider(protocols=(protocol(network_byte_order=order),))), ws.closing(ws.tcp()) as s:
        expect("result", expected=expected, actual=getattr(ws, function)(s, value))


@case(
    "catalog.byte-order.no-socket-{row}",
    chapter=CHAPTER,
    source=BYTE_ORDER,
    basis="documented",
    requirements=["R3.37", "B59"],
    rows={name.lower(): Row(name) for name in ("WSAHtonl", "WSAHtons", "WSANtohl", "WSANtohs")},
)
def byte_order_needs_a_socket(ws: Target, function: str) -> None:
    """A handle that is no socket gives WSAENOTSOCK."""
    with fails_with(WSAENOTSOCK):
        getattr(ws, function)(0x7FFF0000, 1)


@case(
    "catalog.byte-order.null-result-{row}",
    chapter=CHAPTER,
    source=BYTE_ORDER,
    basis="documented",
    requirements=["R3.37", "B59"],
    needs_c=True,
    rows={name.lower(): Row(name) for name in ("WSAHtonl", "WSAHtons", "WSANtohl", "WSANtohs")},
)
def byte_order_needs_a_place_for_the_result(ws: Target, function: str) -> None:
    """A NULL pointer for the result gives WSAEFAULT."""
    with ws.closing(ws.tcp()) as s, fails_with(WSAEFAULT):
        ws.c.check(function, s, 1, 0)


# ---- text of addresses -----------------------------------------------------------------------------


@case(
    "catalog.text.first-entry-of-the-family",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsastringtoaddressw",
    basis="documented",
    requirements=["R3.38"],
    needs_provider=True,
    both_forms=True,
)
def text_goes_to_the_first_provider_of_the_family(ws: Target) -> None:
    """Without a record, addresses and their text go to the provider of the first entry with the family."""
    other = Provider(protocols=(protocol(FAMILY),))
    with ws.providers(other, Provider(), Provider()) as (stranger, first, second):
        text, address = ws.WSAAddressToString(PEER), ws.WSAStringToAddress("somewhere", AF_INET)
        names = first.names()
        expect("times the others were loaded", expected=(0, 0), actual=(stranger.loaded, second.loaded))
    expect("calls", expected=["WSPStartup", "WSPAddressToString", "WSPStringToAddress"], actual=names)
    expect("results", expected=("somewhere", PEER), actual=(text, address))


@case(
    "catalog.text.provider-of-the-record",
    chapter=CHAPTER,
    source="winsock2/nf-winsock2-wsastringtoaddressw",
    basis="documented",
    requirements=["R3.38"],
    needs_provider=True,
    both_forms=True,
)
def text_goes_to_the_provider_of_the_record(ws: Target) -> None:
    """With a record, addresses and their text go to the provider of its entry."""
    with ws.providers(Provider(), Provider()) as (first, second):
        info = second.protocols[0]
        ws.WSAAddressToString(PEER, info)
        ws.WSAStringToAddress("somewhere", AF_INET, info)
        calls = second.calls[1:]
        expect("times the first was loaded", expected=0, actual=first.loaded)
    expected = [Call("WSPAddressToString", (PEER, info)), Call("WSPStringToAddress", ("somewhere", AF_INET, info))]
    expect("calls", expected=expected, actual=calls)
