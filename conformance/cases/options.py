"""Socket options: value of a new socket, setting and reading back, lengths, and the sockets that have them."""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Iterator

from ..addresses import loopback
from ..constants import (
    AF_INET,
    AF_INET6,
    INVALID_SOCKET,
    IP_ADD_IFLIST,
    IP_DEL_IFLIST,
    IP_DONTFRAGMENT,
    IP_ECN,
    IP_GET_IFLIST,
    IP_HDRINCL,
    IP_IFLIST,
    IP_MTU,
    IP_MTU_DISCOVER,
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IP_OPTIONS,
    IP_ORIGINAL_ARRIVAL_IF,
    IP_PKTINFO,
    IP_PKTINFO_EX,
    IP_PMTUDISC_DO,
    IP_PMTUDISC_DONT,
    IP_PMTUDISC_MAX,
    IP_PMTUDISC_PROBE,
    IP_RECEIVE_BROADCAST,
    IP_RECVDSTADDR,
    IP_RECVERR,
    IP_RECVIF,
    IP_RECVRTHDR,
    IP_RECVTOS,
    IP_RECVTTL,
    IP_RTHDR,
    IP_TOS,
    IP_TTL,
    IP_UNICAST_IF,
    IP_USER_MTU,
    IP_WFP_REDIRECT_CONTEXT,
    IP_WFP_REDIRECT_RECORDS,
    IPPROTO_IP,
    IPPROTO_TCP,
    IPPROTO_UDP,
    PVD_CONFIG,
    SO_ACCEPTCONN,
    SO_BROADCAST,
    SO_BSP_STATE,
    SO_CONDITIONAL_ACCEPT,
    SO_CONNDATA,
    SO_CONNECT_TIME,
    SO_CONNOPT,
    SO_DEBUG,
    SO_DISCDATA,
    SO_DISCOPT,
    SO_DONTLINGER,
    SO_DONTROUTE,
    SO_ERROR,
    SO_EXCLUSIVEADDRUSE,
    SO_GROUP_ID,
    SO_GROUP_PRIORITY,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_MAX_MSG_SIZE,
    SO_MAXDG,
    SO_MAXPATHDG,
    SO_OOBINLINE,
    SO_OPENTYPE,
    SO_PAUSE_ACCEPT,
    SO_PORT_SCALABILITY,
    SO_PROTOCOL_INFOA,
    SO_PROTOCOL_INFOW,
    SO_RANDOMIZE_PORT,
    SO_RCVBUF,
    SO_RCVLOWAT,
    SO_RCVTIMEO,
    SO_REUSE_MULTICASTPORT,
    SO_REUSE_UNICASTPORT,
    SO_REUSEADDR,
    SO_SNDBUF,
    SO_SNDLOWAT,
    SO_SNDTIMEO,
    SO_SYNCHRONOUS_NONALERT,
    SO_TYPE,
    SO_UPDATE_ACCEPT_CONTEXT,
    SO_UPDATE_CONNECT_CONTEXT,
    SO_USELOOPBACK,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    TCP_BSDURGENT,
    TCP_EXPEDITED_1122,
    TCP_FAIL_CONNECT_ON_ICMP_ERROR,
    TCP_FASTOPEN,
    TCP_ICMP_ERROR_INFO,
    TCP_KEEPCNT,
    TCP_KEEPIDLE,
    TCP_KEEPINTVL,
    TCP_MAXRT,
    TCP_MAXRTMS,
    TCP_MAXSEG,
    TCP_NODELAY,
    TCP_TIMESTAMPS,
    UDP_CHECKSUM_COVERAGE,
    UDP_NOCHECKSUM,
    UDP_RECV_MAX_COALESCED_SIZE,
    UDP_SEND_MSG_SIZE,
    WSAEADDRINUSE,
    WSAECONNREFUSED,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOBUFS,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAETIMEDOUT,
)
from ..controldata import objects
from ..model import Row, case
from ..target import Target
from ..validity import (
    ALIKE,
    FOR_MESSAGES,
    FOR_RAW,
    FOR_UDP,
    NOT_HERE,
    READ_ONLY,
    SET_ONLY,
    Outcome,
    check,
    make,
)
from ..verify import Failed, expect, expect_true, fails_with, not_applicable, variant

CHAPTER = "Socket options"
SOL_PAGE = "winsock/sol-socket-socket-options"
GETSOCKOPT = "winsock/nf-winsock-getsockopt"
SETSOCKOPT = "winsock/nf-winsock-setsockopt"
TESTS = "Wine's public test sock.c:test_set_getsockopt, which passes on Windows"
NOT_CONNECTED = 0xFFFFFFFF
CSADDR_INFO_SIZE = 40


# ---- a new socket ----------------------------------------------------------------------------------------------------


@case(
    "options.default.{row}",
    chapter=CHAPTER,
    source=f"{GETSOCKOPT}, tables of options",
    basis="documented",
    requirements=["R16.37", "R16.41", "T16.2"],
    rows={
        "acceptconn": Row("stream", SO_ACCEPTCONN, 0),
        "acceptconn-bound": Row("bound", SO_ACCEPTCONN, 0, behaviours=["listen-acceptconn-before"]),
        "broadcast": Row("datagram", SO_BROADCAST, 0),
        "debug": Row("stream", SO_DEBUG, 0),
        "dontlinger": Row("stream", SO_DONTLINGER, 1, requirements=["R12.17"]),
        "dontroute": Row("stream", SO_DONTROUTE, 0),
        "error": Row("stream", SO_ERROR, 0),
        "error-datagram": Row("datagram", SO_ERROR, 0),
        "exclusiveaddruse": Row("stream", SO_EXCLUSIVEADDRUSE, 0),
        "keepalive": Row("stream", SO_KEEPALIVE, 0),
        "linger": Row("stream", SO_LINGER, 0, requirements=["R12.17"]),
        "max-msg-size": Row("datagram", SO_MAX_MSG_SIZE, 65507),
        "oobinline": Row("stream", SO_OOBINLINE, 0),
        "reuseaddr": Row("stream", SO_REUSEADDR, 0, behaviours=["reuse-default-off"]),
        "type": Row("stream", SO_TYPE, SOCK_STREAM),
        "type-datagram": Row("datagram", SO_TYPE, SOCK_DGRAM),
        "rcvtimeo": Row("stream", SO_RCVTIMEO, 0),
        "sndtimeo": Row("stream", SO_SNDTIMEO, 0),
        "group-id": Row("stream", SO_GROUP_ID, 0),
        "group-priority": Row("stream", SO_GROUP_PRIORITY, 0),
        "conditional-accept": Row("stream", SO_CONDITIONAL_ACCEPT, 0),
        "pause-accept": Row("listening", SO_PAUSE_ACCEPT, 0),
        "randomize-port": Row("stream", SO_RANDOMIZE_PORT, 0),
        "port-scalability": Row("stream", SO_PORT_SCALABILITY, 0),
        "reuse-unicastport": Row("stream", SO_REUSE_UNICASTPORT, 0),
        "reuse-multicastport": Row("datagram", SO_REUSE_MULTICASTPORT, 0),
        "connect-time": Row("stream", SO_CONNECT_TIME, NOT_CONNECTED, requirements=["R11.60", "A103"]),
        "connect-time-bound": Row("bound", SO_CONNECT_TIME, NOT_CONNECTED, requirements=["R11.60"]),
        "opentype": Row("stream", SO_OPENTYPE, 0),
    },
)
def new_socket_shows_the_default(ws: Target, state: str, option: int, value: int) -> None:
    """An option that nobody has set reads as its default."""
    with ws.socket_in(state) as s:
        read = ws.getsockopt(s, SOL_SOCKET, option, 4)
    expect("value", expected=value, actual=int.from_bytes(read, "little"))


@case(
    "options.default.tcp-nodelay",
    chapter=CHAPTER,
    source=f"{GETSOCKOPT}, tables of options",
    basis="documented",
    requirements=["R16.37", "R16.41", "T16.2"],
)
def nagle_is_on_at_first(ws: Target) -> None:
    """TCP_NODELAY of a new socket is FALSE."""
    with ws.socket_in("stream") as s:
        expect("value", expected=0, actual=ws.get_int(s, IPPROTO_TCP, TCP_NODELAY))


@case(
    "options.default.{row}",
    chapter=CHAPTER,
    source=SOL_PAGE,
    basis="documented",
    requirements=["R16.37", "T16.2"],
    rows={
        "rcvbuf": Row("stream", SO_RCVBUF),
        "sndbuf": Row("stream", SO_SNDBUF),
        "rcvbuf-datagram": Row("datagram", SO_RCVBUF),
        "sndbuf-datagram": Row("datagram", SO_SNDBUF),
        "maxdg": Row("datagram", SO_MAXDG),
        "maxpathdg": Row("datagram", SO_MAXPATHDG),
    },
)
def provider_has_a_size(ws: Target, state: str, option: int) -> None:
    """What the provider chooses for a new socket is a size, above 0."""
    with ws.socket_in(state) as s:
        expect_true("size", ws.get_int(s, SOL_SOCKET, option) > 0)


@case(
    "options.default.acceptconn-listening",
    chapter=CHAPTER,
    source=SOL_PAGE,
    basis="documented",
    requirements=["R11.17", "R16.37", "T16.2"],
    behaviours=["listen-acceptconn-after"],
)
def listening_socket_says_so(ws: Target) -> None:
    """SO_ACCEPTCONN is TRUE after listen."""
    with ws.socket_in("listening") as s:
        expect("value", expected=1, actual=ws.get_int(s, SOL_SOCKET, SO_ACCEPTCONN))


# ---- setting and reading back ----------------------------------------------------------------------------------------


@case(
    "options.boolean.{row}",
    chapter=CHAPTER,
    source=SOL_PAGE,
    basis="documented",
    requirements=["R16.37", "R16.39", "T16.2"],
    rows={
        "broadcast": Row("datagram", SOL_SOCKET, SO_BROADCAST),
        "debug": Row("stream", SOL_SOCKET, SO_DEBUG),
        "dontlinger": Row("stream", SOL_SOCKET, SO_DONTLINGER),
        "dontroute": Row("stream", SOL_SOCKET, SO_DONTROUTE),
        "exclusiveaddruse": Row("stream", SOL_SOCKET, SO_EXCLUSIVEADDRUSE),
        "keepalive": Row("stream", SOL_SOCKET, SO_KEEPALIVE),
        "oobinline": Row("stream", SOL_SOCKET, SO_OOBINLINE),
        "reuseaddr": Row("stream", SOL_SOCKET, SO_REUSEADDR),
        "reuseaddr-datagram": Row("datagram", SOL_SOCKET, SO_REUSEADDR),
        "tcp-nodelay": Row("stream", IPPROTO_TCP, TCP_NODELAY),
        "conditional-accept": Row("stream", SOL_SOCKET, SO_CONDITIONAL_ACCEPT, requirements=["R11.41"]),
        "pause-accept": Row("listening", SOL_SOCKET, SO_PAUSE_ACCEPT, requirements=["R11.42"]),
        "randomize-port": Row("stream", SOL_SOCKET, SO_RANDOMIZE_PORT),
        "port-scalability": Row("stream", SOL_SOCKET, SO_PORT_SCALABILITY),
        "reuse-unicastport": Row("stream", SOL_SOCKET, SO_REUSE_UNICASTPORT),
        "reuse-multicastport": Row("datagram", SOL_SOCKET, SO_REUSE_MULTICASTPORT),
        "tcp-timestamps": Row("stream", IPPROTO_TCP, TCP_TIMESTAMPS),
        "tcp-fastopen": Row("stream", IPPROTO_TCP, TCP_FASTOPEN),
        "ip-dontfragment": Row("datagram", IPPROTO_IP, IP_DONTFRAGMENT),
        "ip-receive-broadcast": Row("datagram", IPPROTO_IP, IP_RECEIVE_BROADCAST),
        "udp-nochecksum": Row("datagram", IPPROTO_UDP, UDP_NOCHECKSUM),
    },
)
def boolean_is_on_then_off(ws: Target, state: str, level: int, option: int) -> None:
    """A BOOL that is set TRUE reads as 1, and set FALSE as 0."""
    values = []
    with ws.socket_in(state) as s:
        for value in (1, 0, 1):
            ws.setsockopt(s, level, option, value)
            values.append(ws.get_int(s, level, option))
    expect("values", expected=[1, 0, 1], actual=values)


@case(
    "options.nonzero.{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37", "R16.39"],
    rows={
        "broadcast": Row("datagram", SO_BROADCAST, 0x100, 1, behaviours=["optlen-so-broadcast"]),
        "dontlinger": Row("stream", SO_DONTLINGER, 0x100, 1, behaviours=["optlen-so-dontlinger"]),
        "oobinline": Row("stream", SO_OOBINLINE, 0x100, 1, behaviours=["optlen-so-oobinline"]),
        "reuseaddr": Row("stream", SO_REUSEADDR, 0x100, 1, behaviours=["optlen-so-reuseaddr"]),
        "exclusiveaddruse": Row("stream", SO_EXCLUSIVEADDRUSE, 0x100, 1, behaviours=["optlen-so-exclusiveaddruse"]),
        "minus-1": Row("stream", SO_OOBINLINE, -1, 1),
        "keepalive": Row("stream", SO_KEEPALIVE, 0x100, 0, behaviours=["optlen-so-keepalive"]),
        "keepalive-255": Row("stream", SO_KEEPALIVE, 0xFF, 1),
        "dontroute": Row("stream", SO_DONTROUTE, 0x100, 0, behaviours=["optlen-so-dontroute"]),
    },
)
def any_nonzero_value_is_true(ws: Target, state: str, option: int, value: int, expected: int) -> None:
    """Any nonzero value of a BOOL is TRUE and reads as 1; SO_KEEPALIVE and SO_DONTROUTE look at the low byte only."""
    with ws.socket_in(state) as s:
        ws.setsockopt(s, SOL_SOCKET, option, value)
        expect("value", expected=expected, actual=ws.get_int(s, SOL_SOCKET, option))


@case(
    "options.nonzero.tcp-nodelay",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.39"],
    behaviours=["opt-nodelay-0x100", "optlen-tcp-nodelay"],
)
def nodelay_is_one_byte(ws: Target) -> None:
    """TCP_NODELAY set to 0x100 reads as 0: only the low byte counts."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, 0x100)
        expect("value", expected=0, actual=ws.get_int(s, IPPROTO_TCP, TCP_NODELAY))


@case(
    "options.number.{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37", "T16.2"],
    rows={
        "rcvbuf": Row("stream", SO_RCVBUF, 4096, behaviours=["opt-rcvbuf-exact"], requirements=["A54"]),
        "sndbuf": Row("stream", SO_SNDBUF, 4096, behaviours=["opt-sndbuf-exact"], requirements=["A54"]),
        "rcvbuf-odd": Row("datagram", SO_RCVBUF, 0x100, behaviours=["optlen-so-rcvbuf"], requirements=["A54"]),
        "sndbuf-odd": Row("datagram", SO_SNDBUF, 0x100, behaviours=["optlen-so-sndbuf"], requirements=["A54"]),
        "rcvbuf-0": Row("stream", SO_RCVBUF, 0, basis="documented", requirements=["A54"]),
        "sndbuf-0": Row("stream", SO_SNDBUF, 0, basis="documented", requirements=["A54"]),
        "rcvbuf-large": Row("stream", SO_RCVBUF, 1 << 20, requirements=["A54"]),
        "rcvtimeo": Row("stream", SO_RCVTIMEO, 63000, behaviours=["opt-rcvtimeo-roundtrip"], requirements=["A51"]),
        "rcvtimeo-0": Row("stream", SO_RCVTIMEO, 0, behaviours=["opt-rcvtimeo-roundtrip"], requirements=["A51"]),
        "rcvtimeo-1": Row("datagram", SO_RCVTIMEO, 1, requirements=["A51"]),
        "sndtimeo": Row("stream", SO_SNDTIMEO, 997000, behaviours=["opt-sndtimeo-roundtrip"], requirements=["A51"]),
        "error": Row("stream", SO_ERROR, 1234, behaviours=["opt-so-error-set"]),
        "group-priority": Row("stream", SO_GROUP_PRIORITY, 2, basis="documented"),
    },
)
def number_reads_back_exactly(ws: Target, state: str, option: int, value: int) -> None:
    """The number reads back as it was set: nothing is doubled, rounded or raised to a minimum."""
    with ws.socket_in(state) as s:
        ws.setsockopt(s, SOL_SOCKET, option, value)
        expect("value", expected=value, actual=ws.get_int(s, SOL_SOCKET, option))


@case(
    "options.number.timeouts-are-apart",
    chapter=CHAPTER,
    source=SOL_PAGE,
    basis="documented",
    requirements=["R16.37", "R16.41"],
)
def other_option_keeps_its_default(ws: Target) -> None:
    """Setting one option leaves its neighbour, and the same option of another socket, at the default."""
    with ws.socket_in("stream") as s, ws.socket_in("stream") as another:
        ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 5000)
        expect("SO_SNDTIMEO", expected=0, actual=ws.get_int(s, SOL_SOCKET, SO_SNDTIMEO))
        expect("SO_RCVTIMEO of another", expected=0, actual=ws.get_int(another, SOL_SOCKET, SO_RCVTIMEO))


@case(
    "options.range.ttl-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.38"],
    behaviours=["optlen-ip-ttl"],
    rows={"stream": Row("stream"), "datagram": Row("datagram")},
)
def value_out_of_range(ws: Target, state: str) -> None:
    """IP_TTL 0x100, which does not fit a byte, is WSAEINVAL and leaves the value alone."""
    with ws.socket_in(state) as s:
        ws.setsockopt(s, IPPROTO_IP, IP_TTL, 33)
        with fails_with(WSAEINVAL):
            ws.setsockopt(s, IPPROTO_IP, IP_TTL, 0x100)
        expect("value", expected=33, actual=ws.get_int(s, IPPROTO_IP, IP_TTL))


@case(
    "options.range.buffer-{row}",
    chapter=CHAPTER,
    source="requirement R16.38: value out of range",
    basis="choice",
    requirements=["R16.38"],
    rows={"rcvbuf": Row(SO_RCVBUF), "sndbuf": Row(SO_SNDBUF)},
)
def negative_buffer_size(ws: Target, option: int) -> None:
    """A negative buffer size is WSAEINVAL and leaves the size alone."""
    with ws.socket_in("stream") as s:
        before = ws.get_int(s, SOL_SOCKET, option)
        with fails_with(WSAEINVAL):
            ws.setsockopt(s, SOL_SOCKET, option, -1)
        expect("value", expected=before, actual=ws.get_int(s, SOL_SOCKET, option))


# ---- lengths ---------------------------------------------------------------------------------------------------------

FLAG_LENGTHS = (1, 1, 4, 4)  # what a get with 1, 2, 4 and 8 bytes of room reports
BYTE_LENGTHS = (1, 1, 1, 1)
WHOLE_LENGTHS = (None, None, 4, 4)  # None: the get fails with WSAEFAULT


@case(
    "options.length.get-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37"],
    rows={
        "broadcast": Row("datagram", SOL_SOCKET, SO_BROADCAST, FLAG_LENGTHS, behaviours=["optlen-so-broadcast"]),
        "dontlinger": Row("stream", SOL_SOCKET, SO_DONTLINGER, FLAG_LENGTHS, behaviours=["optlen-so-dontlinger"]),
        "oobinline": Row("stream", SOL_SOCKET, SO_OOBINLINE, FLAG_LENGTHS, behaviours=["optlen-so-oobinline"]),
        "reuseaddr": Row("stream", SOL_SOCKET, SO_REUSEADDR, FLAG_LENGTHS, behaviours=["optlen-so-reuseaddr"]),
        "exclusiveaddruse": Row(
            "stream", SOL_SOCKET, SO_EXCLUSIVEADDRUSE, FLAG_LENGTHS, behaviours=["optlen-so-exclusiveaddruse"]
        ),
        "keepalive": Row("stream", SOL_SOCKET, SO_KEEPALIVE, BYTE_LENGTHS, behaviours=["optlen-so-keepalive"]),
        "dontroute": Row("stream", SOL_SOCKET, SO_DONTROUTE, BYTE_LENGTHS, behaviours=["optlen-so-dontroute"]),
        "tcp-nodelay": Row("stream", IPPROTO_TCP, TCP_NODELAY, BYTE_LENGTHS, behaviours=["optlen-tcp-nodelay"]),
        "ip-ttl": Row("datagram", IPPROTO_IP, IP_TTL, FLAG_LENGTHS, behaviours=["optlen-ip-ttl"]),
        "ip-tos": Row("datagram", IPPROTO_IP, IP_TOS, FLAG_LENGTHS, behaviours=["optlen-ip-tos"]),
        "ip-multicast-ttl": Row(
            "datagram", IPPROTO_IP, IP_MULTICAST_TTL, FLAG_LENGTHS, behaviours=["optlen-ip-multicast-ttl"]
        ),
        "ip-multicast-loop": Row(
            "datagram", IPPROTO_IP, IP_MULTICAST_LOOP, FLAG_LENGTHS, behaviours=["optlen-ip-multicast-loop"]
        ),
        "ip-pktinfo": Row("datagram", IPPROTO_IP, IP_PKTINFO, WHOLE_LENGTHS, behaviours=["optlen-ip-pktinfo"]),
        "ip-recvtos": Row("datagram", IPPROTO_IP, IP_RECVTOS, WHOLE_LENGTHS, behaviours=["optlen-ip-recvtos"]),
        "ip-recvttl": Row("datagram", IPPROTO_IP, IP_RECVTTL, WHOLE_LENGTHS, behaviours=["optlen-ip-recvttl"]),
        "linger": Row("stream", SOL_SOCKET, SO_LINGER, WHOLE_LENGTHS, behaviours=["optlen-so-linger"]),
        "rcvbuf": Row("stream", SOL_SOCKET, SO_RCVBUF, WHOLE_LENGTHS, behaviours=["optlen-so-rcvbuf"]),
        "sndbuf": Row("stream", SOL_SOCKET, SO_SNDBUF, WHOLE_LENGTHS, behaviours=["optlen-so-sndbuf"]),
        "rcvtimeo": Row("stream", SOL_SOCKET, SO_RCVTIMEO, WHOLE_LENGTHS, behaviours=["optlen-so-rcvtimeo"]),
        "sndtimeo": Row("stream", SOL_SOCKET, SO_SNDTIMEO, WHOLE_LENGTHS, behaviours=["optlen-so-sndtimeo"]),
        "error": Row("stream", SOL_SOCKET, SO_ERROR, WHOLE_LENGTHS, behaviours=["opt-so-error-short-buffer"]),
    },
)
def get_with_other_lengths(ws: Target, state: str, level: int, option: int, expected: tuple[int | None, ...]) -> None:
    """With room for 1, 2, 4 and 8 bytes getsockopt reports these lengths, or fails with WSAEFAULT."""
    lengths: list[int | None] = []
    with ws.socket_in(state) as s:
        for room in (1, 2, 4, 8):
            try:
                lengths.append(len(ws.getsockopt(s, level, option, room)))
            except Failed as failure:
                if failure.code != WSAEFAULT:
                    raise
                lengths.append(None)
        with fails_with(WSAEFAULT, "with no room"):
            ws.getsockopt(s, level, option, 0)
    expect("lengths", expected=expected, actual=tuple(lengths))


#: Lengths 0, 1, 2, 4, 8 and -1: what setsockopt answers, 0 for success.
FLAG_CODES = (0, 0, 0, 0, 0, 0)
BYTE_CODES = (WSAEFAULT, 0, 0, 0, 0, WSAENOBUFS)
WHOLE_CODES = (WSAEFAULT, WSAEFAULT, WSAEFAULT, 0, 0, 0)
STACK_CODES = (WSAEFAULT, WSAEFAULT, WSAEFAULT, 0, 0, WSAENOBUFS)


@case(
    "options.length.set-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37"],
    needs_c=True,
    rows={
        "broadcast": Row("datagram", SOL_SOCKET, SO_BROADCAST, FLAG_CODES, behaviours=["optlen-so-broadcast"]),
        "dontlinger": Row("stream", SOL_SOCKET, SO_DONTLINGER, FLAG_CODES, behaviours=["optlen-so-dontlinger"]),
        "oobinline": Row("stream", SOL_SOCKET, SO_OOBINLINE, FLAG_CODES, behaviours=["optlen-so-oobinline"]),
        "reuseaddr": Row("stream", SOL_SOCKET, SO_REUSEADDR, FLAG_CODES, behaviours=["optlen-so-reuseaddr"]),
        "exclusiveaddruse": Row(
            "stream", SOL_SOCKET, SO_EXCLUSIVEADDRUSE, FLAG_CODES, behaviours=["optlen-so-exclusiveaddruse"]
        ),
        "keepalive": Row("stream", SOL_SOCKET, SO_KEEPALIVE, BYTE_CODES, behaviours=["optlen-so-keepalive"]),
        "dontroute": Row("stream", SOL_SOCKET, SO_DONTROUTE, BYTE_CODES, behaviours=["optlen-so-dontroute"]),
        "tcp-nodelay": Row(
            "stream",
            IPPROTO_TCP,
            TCP_NODELAY,
            BYTE_CODES,
            behaviours=[
                "optlen-tcp-nodelay",
                "opt-nodelay-len0",
                "opt-nodelay-len1",
                "opt-nodelay-len-negative",
            ],
        ),
        "ip-ttl": Row("datagram", IPPROTO_IP, IP_TTL, BYTE_CODES, behaviours=["optlen-ip-ttl"]),
        "ip-tos": Row("datagram", IPPROTO_IP, IP_TOS, BYTE_CODES, behaviours=["optlen-ip-tos"]),
        "ip-multicast-ttl": Row(
            "datagram", IPPROTO_IP, IP_MULTICAST_TTL, BYTE_CODES, behaviours=["optlen-ip-multicast-ttl"]
        ),
        "ip-multicast-loop": Row(
            "datagram", IPPROTO_IP, IP_MULTICAST_LOOP, BYTE_CODES, behaviours=["optlen-ip-multicast-loop"]
        ),
        "ip-pktinfo": Row("datagram", IPPROTO_IP, IP_PKTINFO, STACK_CODES, behaviours=["optlen-ip-pktinfo"]),
        "ip-recvtos": Row("datagram", IPPROTO_IP, IP_RECVTOS, STACK_CODES, behaviours=["optlen-ip-recvtos"]),
        "ip-recvttl": Row("datagram", IPPROTO_IP, IP_RECVTTL, STACK_CODES, behaviours=["optlen-ip-recvttl"]),
        "linger": Row("stream", SOL_SOCKET, SO_LINGER, WHOLE_CODES, behaviours=["optlen-so-linger"]),
        "rcvbuf": Row("stream", SOL_SOCKET, SO_RCVBUF, WHOLE_CODES, behaviours=["optlen-so-rcvbuf"]),
        "sndbuf": Row("stream", SOL_SOCKET, SO_SNDBUF, WHOLE_CODES, behaviours=["optlen-so-sndbuf"]),
        "rcvtimeo": Row("stream", SOL_SOCKET, SO_RCVTIMEO, WHOLE_CODES, behaviours=["optlen-so-rcvtimeo"]),
        "sndtimeo": Row("stream", SOL_SOCKET, SO_SNDTIMEO, WHOLE_CODES, behaviours=["optlen-so-sndtimeo"]),
    },
)
def set_with_other_lengths(ws: Target, state: str, level: int, option: int, expected: tuple[int, ...]) -> None:
    """With lengths 0, 1, 2, 4, 8 and -1 setsockopt succeeds or fails with these codes."""
    value, codes = ws.c.new(b"\1" + bytes(7)), []
    with ws.socket_in(state) as s:
        for length in (0, 1, 2, 4, 8, -1):
            try:
                ws.c.check("setsockopt", s, level, option, value.address, length)
                codes.append(0)
            except Failed as failure:
                codes.append(failure.code)
    negative = {WSAEFAULT: "Windows 7 to Windows 10 21H1"}
    expect("codes for 0, 1, 2, 4, 8", expected=expected[:5], actual=tuple(codes[:5]))
    variant("code for -1", expected=expected[5], allowed=negative, actual=codes[5])


@case(
    "options.length.get-negative-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.38"],
    needs_c=True,
    rows={
        "oobinline": Row(SO_OOBINLINE, behaviours=["optlen-so-oobinline"]),
        "keepalive": Row(SO_KEEPALIVE, behaviours=["optlen-so-keepalive"]),
        "rcvbuf": Row(SO_RCVBUF, behaviours=["optlen-so-rcvbuf"]),
    },
)
def get_with_a_negative_length(ws: Target, option: int) -> None:
    """getsockopt with a length of -1 is WSAEFAULT, and the length stays -1."""
    room, length = ws.c.new(8), ws.c.new(b"\xff" * 4)
    with ws.socket_in("stream") as s, fails_with(WSAEFAULT):
        ws.c.check("getsockopt", s, SOL_SOCKET, option, room.address, length.address)
    expect("length", expected=-1, actual=length.number(signed=True))


@case(
    "options.length.short-leaves-the-value-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.38"],
    rows={
        "nodelay": Row(IPPROTO_TCP, TCP_NODELAY, 1, b"", behaviours=["opt-nodelay-len0"]),
        "rcvbuf": Row(SOL_SOCKET, SO_RCVBUF, 4096, b"\1\0"),
        "linger": Row(SOL_SOCKET, SO_LINGER, 0x50001, b"\0\0", requirements=["R12.15"]),
    },
)
def too_short_value_changes_nothing(ws: Target, level: int, option: int, value: int, short: bytes) -> None:
    """A value that is too short is WSAEFAULT, and the option keeps what it had."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, level, option, value)
        with fails_with(WSAEFAULT):
            ws.setsockopt(s, level, option, short)
        expect("value", expected=value, actual=ws.get_int(s, level, option))


@case(
    "options.length.long-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.39", "A76"],
    rows={
        "nodelay": Row(IPPROTO_TCP, TCP_NODELAY, b"\1" + bytes(41), behaviours=["opt-nodelay-len42"]),
        "nodelay-1": Row(IPPROTO_TCP, TCP_NODELAY, b"\1", behaviours=["opt-nodelay-len1"], requirements=["A101"]),
        "oobinline": Row(SOL_SOCKET, SO_OOBINLINE, b"\1" + bytes(41)),
        "rcvtimeo": Row(SOL_SOCKET, SO_RCVTIMEO, b"\1" + bytes(41)),
    },
)
def longer_and_shorter_values_are_taken(ws: Target, level: int, option: int, value: bytes) -> None:
    """A value that is longer than the option, or one byte for TCP_NODELAY, sets it to 1."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, level, option, value)
        expect("value", expected=1, actual=ws.get_int(s, level, option))


# ---- the wrong socket, the wrong direction ---------------------------------------------------------------------------


@case(
    "options.wrong-type.{row}",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}; {SETSOCKOPT}, error WSAENOPROTOOPT",
    basis="documented",
    requirements=["R16.37", "R16.38", "T16.2"],
    rows={
        "acceptconn": Row("datagram", SOL_SOCKET, SO_ACCEPTCONN),
        "broadcast": Row("stream", SOL_SOCKET, SO_BROADCAST, requirements=["A73"]),
        "dontlinger": Row("datagram", SOL_SOCKET, SO_DONTLINGER, requirements=["R12.18"]),
        "linger": Row("datagram", SOL_SOCKET, SO_LINGER, requirements=["R12.18", "A74"]),
        "keepalive": Row("datagram", SOL_SOCKET, SO_KEEPALIVE, requirements=["A74", "R11.62"]),
        "oobinline": Row("datagram", SOL_SOCKET, SO_OOBINLINE, requirements=["A74"]),
        "max-msg-size": Row("stream", SOL_SOCKET, SO_MAX_MSG_SIZE),
        "tcp-nodelay": Row("datagram", IPPROTO_TCP, TCP_NODELAY),
        "connect-time": Row("datagram", SOL_SOCKET, SO_CONNECT_TIME, requirements=["R11.60"]),
        "conditional-accept": Row("datagram", SOL_SOCKET, SO_CONDITIONAL_ACCEPT),
        "pause-accept": Row("datagram", SOL_SOCKET, SO_PAUSE_ACCEPT),
        "port-scalability": Row("datagram", SOL_SOCKET, SO_PORT_SCALABILITY),
        "reuse-multicastport": Row("stream", SOL_SOCKET, SO_REUSE_MULTICASTPORT),
        "maxdg": Row("stream", SOL_SOCKET, SO_MAXDG),
        "maxpathdg": Row("stream", SOL_SOCKET, SO_MAXPATHDG),
        "udp-nochecksum": Row("stream", IPPROTO_UDP, UDP_NOCHECKSUM),
        "tcp-keepidle": Row("datagram", IPPROTO_TCP, TCP_KEEPIDLE),
    },
)
def wrong_kind_of_socket(ws: Target, state: str, level: int, option: int) -> None:
    """An option that this kind of socket does not have is WSAENOPROTOOPT, to get and to set."""
    with ws.socket_in(state) as s:
        with fails_with(WSAENOPROTOOPT, "get"):
            ws.getsockopt(s, level, option, 4)
        with fails_with(WSAENOPROTOOPT, "set"):
            ws.setsockopt(s, level, option, 1)


@case(
    "options.wrong-type.dontroute-ipv6",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_DONTROUTE",
    basis="documented",
    requirements=["R16.37", "T16.2"],
)
def dontroute_is_for_ipv4(ws: Target) -> None:
    """SO_DONTROUTE on an IPv6 socket is WSAENOPROTOOPT."""
    try:
        s = ws.udp(AF_INET6)
    except Failed as failure:
        not_applicable(f"no IPv6 here: {failure}")
    with ws.closing(s), fails_with(WSAENOPROTOOPT):
        ws.setsockopt(s, SOL_SOCKET, SO_DONTROUTE, 1)


@case(
    "options.get-only.{row}",
    chapter=CHAPTER,
    source=f"{SETSOCKOPT}, error WSAENOPROTOOPT",
    basis="documented",
    requirements=["R16.37", "R16.38", "T16.2"],
    rows={
        "acceptconn": Row("stream", SO_ACCEPTCONN, WSAENOPROTOOPT, behaviours=["listen-acceptconn-set"]),
        "acceptconn-listening": Row("listening", SO_ACCEPTCONN, WSAENOPROTOOPT, behaviours=["listen-acceptconn-set"]),
        "max-msg-size": Row("datagram", SO_MAX_MSG_SIZE, WSAENOPROTOOPT),
        "protocol-infoa": Row("stream", SO_PROTOCOL_INFOA, WSAENOPROTOOPT),
        "protocol-infow": Row("stream", SO_PROTOCOL_INFOW, WSAENOPROTOOPT),
        "type": Row("stream", SO_TYPE, WSAENOPROTOOPT, behaviours=["wsasocket-so-type-set-tcp"]),
        "type-datagram": Row(
            "datagram", SO_TYPE, WSAEINVAL, basis="observed", behaviours=["wsasocket-so-type-set-udp"]
        ),
        "connect-time": Row("stream", SO_CONNECT_TIME, WSAENOPROTOOPT, requirements=["R11.60"]),
        "bsp-state": Row("stream", SO_BSP_STATE, WSAENOPROTOOPT),
        "group-id": Row("stream", SO_GROUP_ID, WSAENOPROTOOPT),
    },
)
def option_that_can_only_be_read(ws: Target, state: str, option: int, code: int) -> None:
    """Setting an option that can only be read is WSAENOPROTOOPT (SO_TYPE of a datagram socket: WSAEINVAL)."""
    with ws.socket_in(state) as s, fails_with(code):
        ws.setsockopt(s, SOL_SOCKET, option, 1)


@case(
    "options.set-only.{row}",
    chapter=CHAPTER,
    source=f"{GETSOCKOPT}, error WSAENOPROTOOPT",
    basis="documented",
    requirements=["R16.37", "R16.38", "T16.2"],
    rows={
        "update-accept-context": Row(SO_UPDATE_ACCEPT_CONTEXT),
        "update-connect-context": Row(SO_UPDATE_CONNECT_CONTEXT),
    },
)
def option_that_can_only_be_set(ws: Target, option: int) -> None:
    """Reading an option that can only be set is WSAENOPROTOOPT."""
    with ws.socket_in("stream") as s, fails_with(WSAENOPROTOOPT):
        ws.getsockopt(s, SOL_SOCKET, option, 8)


@case(
    "options.refused.{row}",
    chapter=CHAPTER,
    source="Windows Vista and later, requirement T16.2",
    basis="observed",
    requirements=["R16.37", "T16.2", "A75"],
    rows={
        "rcvlowat": Row("stream", SO_RCVLOWAT),
        "sndlowat": Row("stream", SO_SNDLOWAT),
        "useloopback": Row("stream", SO_USELOOPBACK),
        "rcvlowat-datagram": Row("datagram", SO_RCVLOWAT),
    },
)
def option_without_function(ws: Target, state: str, option: int) -> None:
    """SO_RCVLOWAT, SO_SNDLOWAT and SO_USELOOPBACK are WSAEINVAL, to get and to set."""
    older = {WSAENOPROTOOPT: "before Windows Vista"}
    with ws.socket_in(state) as s:
        with fails_with(WSAEINVAL, "get", variants=older):
            ws.getsockopt(s, SOL_SOCKET, option, 4)
        with fails_with(WSAEINVAL, "set", variants=older):
            ws.setsockopt(s, SOL_SOCKET, option, 1)


@case(
    "options.unsupported.{row}",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}: legacy protocols only",
    basis="documented",
    requirements=["R11.51", "R16.38"],
    rows={
        "conndata": Row(SO_CONNDATA),
        "connopt": Row(SO_CONNOPT),
        "discdata": Row(SO_DISCDATA),
        "discopt": Row(SO_DISCOPT),
    },
)
def connect_data_is_not_for_tcp(ws: Target, option: int) -> None:
    """The options for connect and disconnect data are WSAENOPROTOOPT on TCP."""
    with ws.socket_in("stream") as s, fails_with(WSAENOPROTOOPT):
        ws.getsockopt(s, SOL_SOCKET, option, 16)


# ---- when an option may be set ---------------------------------------------------------------------------------------


@case(
    "options.state.{row}",
    chapter=CHAPTER,
    source=SOL_PAGE,
    basis="documented",
    rows={
        "exclusive-after-bind": Row("bound", SO_EXCLUSIVEADDRUSE, requirements=["R11.6", "T16.2"]),
        "keepalive-while-connecting": Row("connecting", SO_KEEPALIVE, requirements=["R11.62"]),
        "conditional-accept-after-listen": Row(
            "listening", SO_CONDITIONAL_ACCEPT, source="winsock/so-conditional-accept", requirements=["R11.41", "T16.2"]
        ),
        "randomize-port-after-bind": Row("bound", SO_RANDOMIZE_PORT, requirements=["T16.2"]),
        "port-scalability-after-bind": Row(
            "bound", SO_PORT_SCALABILITY, source="winsock/so-port-scalability", requirements=["T16.2"]
        ),
        "reuse-unicastport-after-bind": Row("bound", SO_REUSE_UNICASTPORT, requirements=["T16.2"]),
        "reuse-multicastport-after-bind": Row("bound-datagram", SO_REUSE_MULTICASTPORT, requirements=["T16.2"]),
    },
)
def state_does_not_allow_the_option(ws: Target, state: str, option: int) -> None:
    """An option that the socket's state does not allow any more, or not yet, is WSAEINVAL."""
    with ws.socket_in(state) as s, fails_with(WSAEINVAL):
        ws.setsockopt(s, SOL_SOCKET, option, 1)


@case(
    "options.sharing.{row}",
    chapter=CHAPTER,
    source="Wine's public test sock.c:test_reuseaddr, which passes on Windows",
    basis="observed",
    requirements=["R11.12"],
    rows={
        "reuse-then-exclusive": Row(SO_REUSEADDR, SO_EXCLUSIVEADDRUSE, behaviours=["reuse-exclusive-exclusion"]),
        "exclusive-then-reuse": Row(SO_EXCLUSIVEADDRUSE, SO_REUSEADDR, behaviours=["reuse-exclusive-after-clear"]),
    },
)
def sharing_and_exclusion_exclude_each_other(ws: Target, first: int, second: int) -> None:
    """With one of SO_REUSEADDR and SO_EXCLUSIVEADDRUSE on the other is WSAEINVAL, until the first is off again."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, SOL_SOCKET, first, 1)
        with fails_with(WSAEINVAL):
            ws.setsockopt(s, SOL_SOCKET, second, 1)
        ws.setsockopt(s, SOL_SOCKET, first, 0)
        ws.setsockopt(s, SOL_SOCKET, second, 1)
        expect("value", expected=1, actual=ws.get_int(s, SOL_SOCKET, second))


@case(
    "options.before-bind.conflict-shows-in-bind",
    chapter=CHAPTER,
    source=f"{SETSOCKOPT}, remarks on setsockopt before bind",
    basis="documented",
    requirements=["R16.40"],
)
def setting_is_taken_and_bind_fails(ws: Target) -> None:
    """SO_EXCLUSIVEADDRUSE can be set while its port is taken; the bind afterwards is what fails."""
    with ws.socket_in("listening") as taken, ws.closing(ws.tcp()) as s:
        ws.setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, 1)
        with fails_with(WSAEADDRINUSE):
            ws.bind(s, ws.getsockname(taken))


# ---- linger ----------------------------------------------------------------------------------------------------------


@case(
    "options.linger.{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R12.15", "R16.37", "T16.2", "A46"],
    behaviours=["opt-linger-roundtrip"],
    rows={"off": Row(0, 0), "off-with-time": Row(0, 73), "on-without-time": Row(1, 0), "on": Row(5, 189)},
)
def linger_reads_back(ws: Target, on: int, seconds: int) -> None:
    """SO_LINGER reads back with its switch as a truth value, and with its time when it is on."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, SOL_SOCKET, SO_LINGER, on.to_bytes(2, "little") + seconds.to_bytes(2, "little"))
        read = ws.getsockopt(s, SOL_SOCKET, SO_LINGER)
    expect("size", expected=4, actual=len(read))
    expect("switch", expected=bool(on), actual=any(read[:2]))
    if on:
        expect("seconds", expected=seconds, actual=int.from_bytes(read[2:4], "little"))


@case(
    "options.linger.dontlinger-{row}",
    chapter=CHAPTER,
    source="winsock/nf-winsock-closesocket",
    basis="documented",
    requirements=["R12.16"],
    rows={
        "on": Row(b"\1\0\5\0", 0),
        "off": Row(b"\0\0\5\0", 1),
        "hard": Row(b"\1\0\0\0", 0),
    },
)
def dontlinger_is_the_inverse(ws: Target, linger: bytes, expected: int) -> None:
    """SO_DONTLINGER is TRUE exactly when the switch of SO_LINGER is off."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, SOL_SOCKET, SO_LINGER, linger)
        expect("SO_DONTLINGER", expected=expected, actual=ws.get_int(s, SOL_SOCKET, SO_DONTLINGER))


@case(
    "options.linger.dontlinger-keeps-the-time",
    chapter=CHAPTER,
    source="winsock/nf-winsock-closesocket",
    basis="documented",
    requirements=["R12.16"],
)
def dontlinger_off_restores_the_time(ws: Target) -> None:
    """SO_DONTLINGER TRUE switches lingering off, and FALSE on again with the time set before."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, SOL_SOCKET, SO_LINGER, b"\1\0\7\0")
        ws.setsockopt(s, SOL_SOCKET, SO_DONTLINGER, 1)
        expect_true("lingering is off", not any(ws.getsockopt(s, SOL_SOCKET, SO_LINGER)[:2]))
        ws.setsockopt(s, SOL_SOCKET, SO_DONTLINGER, 0)
        read = ws.getsockopt(s, SOL_SOCKET, SO_LINGER)
    expect("switch and seconds", expected=(True, 7), actual=(any(read[:2]), int.from_bytes(read[2:4], "little")))


# ---- protocol information --------------------------------------------------------------------------------------------


@case(
    "options.protocol-info.{row}",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_PROTOCOL_INFO",
    basis="documented",
    requirements=["R16.37", "T16.2", "A103"],
    rows={
        "a-stream": Row("stream", SO_PROTOCOL_INFOA, 372, SOCK_STREAM, IPPROTO_TCP),
        "w-stream": Row("stream", SO_PROTOCOL_INFOW, 628, SOCK_STREAM, IPPROTO_TCP),
        "a-datagram": Row("datagram", SO_PROTOCOL_INFOA, 372, SOCK_DGRAM, IPPROTO_UDP),
        "w-datagram": Row("datagram", SO_PROTOCOL_INFOW, 628, SOCK_DGRAM, IPPROTO_UDP),
    },
)
def protocol_info_is_the_catalog_entry(
    ws: Target, state: str, option: int, size: int, type: int, protocol: int
) -> None:
    """SO_PROTOCOL_INFO is the record of the catalog entry that the socket was made from."""
    entries = {entry.catalog_entry_id: entry for entry in ws.WSAEnumProtocols()}
    with ws.socket_in(state) as s:
        record = ws.getsockopt(s, SOL_SOCKET, option, size)
    expect("size", expected=size, actual=len(record))
    catalog_id = int.from_bytes(record[36:40], "little")
    family, _, _, kind, number = (int.from_bytes(record[at : at + 4], "little") for at in range(76, 96, 4))
    expect("family, type, protocol", expected=(AF_INET, type, protocol), actual=(family, kind, number))
    expect_true("catalog entry exists", catalog_id in entries, actual=catalog_id)
    entry = entries[catalog_id]
    expect("entry", expected=(AF_INET, type), actual=(entry.address_family, entry.socket_type))


@case(
    "options.protocol-info.{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37", "T16.2"],
    needs_c=True,
    rows={
        "short": Row(186, WSAEFAULT, 372, behaviours=["opt-protoinfo-short"]),
        "long": Row(744, 0, 744, behaviours=["opt-protoinfo-long"]),
    },
)
def protocol_info_with_other_rooms(ws: Target, room: int, code: int, length: int) -> None:
    """Too little room is WSAEFAULT and tells the size; more room than needed is reported as it was given."""
    record, size = ws.c.new(room), ws.c.new(room.to_bytes(4, "little"))
    with ws.socket_in("stream") as s:
        failed = ws.c.call("getsockopt", s, SOL_SOCKET, SO_PROTOCOL_INFOA, record.address, size.address) != 0
        expect("code", expected=code, actual=ws.c.last_error if failed else 0)
    expect("*optlen", expected=length, actual=size.number())


# ---- time-outs -------------------------------------------------------------------------------------------------------


@case(
    "options.timeout.{row}",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_RCVTIMEO",
    basis="documented",
    requirements=["R16.42", "T16.2", "A51", "A52"],
    rows={
        "recv": Row("connected", "recv"),
        "recvfrom": Row("bound-datagram", "recvfrom"),
        "wsarecv": Row("accepted", "WSARecv"),
        "wsarecvfrom": Row("bound-datagram", "WSARecvFrom"),
    },
)
def receive_times_out(ws: Target, state: str, call: str) -> None:
    """A blocking receive with nothing there fails with WSAETIMEDOUT once SO_RCVTIMEO has passed, not before."""
    with ws.socket_in(state) as s:
        ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 100)
        began = time.monotonic()
        with fails_with(WSAETIMEDOUT):
            getattr(ws, call)(s, [bytearray(1)] if call.startswith("WSA") else bytearray(1))
        waited = time.monotonic() - began
    expect_true("the time has passed", 0.09 <= waited < 5, actual=waited)


@case(
    "options.timeout.later-data",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_RCVTIMEO",
    basis="documented",
    requirements=["R16.42"],
)
def data_after_a_timeout(ws: Target) -> None:
    """After a receive has timed out, data that comes later can still be received."""
    with ws.connected_pair() as (client, server):
        ws.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 20)
        with fails_with(WSAETIMEDOUT):
            ws.recv(server, bytearray(1))
        ws.send_and_settle(client, b"late")
        expect("data", expected=b"late", actual=ws.receive_exactly(server, 4))


@case(
    "options.timeout.zero-waits",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_RCVTIMEO",
    basis="documented",
    requirements=["T16.2"],
)
def no_timeout_waits_on(ws: Target) -> None:
    """SO_RCVTIMEO set to 0 again means no limit."""
    with ws.connected_pair() as (client, server), ws.thread() as other:
        ws.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 20)
        ws.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 0)
        pending = other.start(ws.recv, server, bytearray(1))
        expect_true("recv waits", not pending.finished_within(0.2))
        ws.send(client, b"x")
        expect("received", expected=1, actual=pending.result())


@case(
    "options.timeout.send",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_SNDTIMEO",
    basis="documented",
    requirements=["T16.2", "A51", "A52"],
)
def send_times_out(ws: Target) -> None:
    """Blocking sends to somebody who never reads end in WSAETIMEDOUT when SO_SNDTIMEO is set."""
    with ws.connected_pair() as (client, _):
        ws.setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, 50)
        with fails_with(WSAETIMEDOUT):
            for _ in range(1000):
                ws.send(client, bytes(65536))


@case(
    "options.timeout.not-overlapped",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_RCVTIMEO: sockets with the overlapped attribute",
    basis="documented",
    requirements=["T16.2", "A53"],
)
def socket_without_overlapped_attribute_waits_on(ws: Target) -> None:
    """On a socket made without WSA_FLAG_OVERLAPPED a receive does not time out."""
    with ws.closing(ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)) as s, ws.closing(ws.udp()) as sender:
        ws.bind(s, loopback())
        ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 20)
        with ws.thread() as other:
            pending = other.start(ws.recv, s, bytearray(1))
            expect_true("recv waits", not pending.finished_within(0.2))
            ws.sendto(sender, b"x", 0, ws.getsockname(s))
            expect("received", expected=1, actual=pending.result())


# ---- the thread's option ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def open_type(ws: Target, value: int) -> Iterator[None]:
    """SO_OPENTYPE of this thread, 0 again afterwards."""
    ws.setsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, value)
    try:
        yield
    finally:
        ws.setsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, 0)


@case(
    "options.default.opentype-needs-no-socket",
    chapter=CHAPTER,
    source="Wine's public test sock.c:simple_server, which passes on Windows",
    basis="observed",
    requirements=["R16.37", "T16.2", "B39", "B40"],
    behaviours=["echo-opentype-set-get", "echo-opentype-thread-default"],
)
def opentype_belongs_to_the_thread(ws: Target) -> None:
    """SO_OPENTYPE is set and read with INVALID_SOCKET, and another thread still has 0."""
    with open_type(ws, SO_SYNCHRONOUS_NONALERT):
        here = ws.get_int(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE)
        expect("value here", expected=SO_SYNCHRONOUS_NONALERT, actual=here)
        with ws.thread() as other:
            there = other.call(ws.get_int, INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE)
        expect("value there", expected=0, actual=there)


@case(
    "options.opentype.not-overlapped",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_OPENTYPE",
    basis="documented",
    requirements=["R6.6", "A53", "T16.2"],
)
def opentype_makes_sockets_without_overlapped_attribute(ws: Target) -> None:
    """With SO_OPENTYPE set socket() leaves the overlapped attribute out, so receives do not time out."""
    with open_type(ws, SO_SYNCHRONOUS_NONALERT):
        s = ws.udp()
    with ws.closing(s), ws.closing(ws.udp()) as sender:
        ws.bind(s, loopback())
        ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 20)
        with ws.thread() as other:
            pending = other.start(ws.recv, s, bytearray(1))
            expect_true("recv waits", not pending.finished_within(0.2))
            ws.sendto(sender, b"x", 0, ws.getsockname(s))
            expect("received", expected=1, actual=pending.result())


@case(
    "options.length.get-opentype",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37"],
    behaviours=["optlen-so-opentype"],
)
def opentype_is_four_bytes(ws: Target) -> None:
    """With room for 1, 2, 4 and 8 bytes SO_OPENTYPE is WSAEFAULT twice and four bytes long twice; 0x100 reads back."""
    with ws.socket_in("stream") as s, open_type(ws, 0x100):
        for room in (0, 1, 2):
            with fails_with(WSAEFAULT, f"get with {room} bytes"):
                ws.getsockopt(s, SOL_SOCKET, SO_OPENTYPE, room)
        for room in (4, 8):
            value = ws.getsockopt(s, SOL_SOCKET, SO_OPENTYPE, room)
            expect("value", expected=b"\0\1\0\0", actual=bytes(value))


@case(
    "options.length.set-opentype",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37"],
    behaviours=["optlen-so-opentype"],
    needs_c=True,
)
def opentype_with_other_lengths(ws: Target) -> None:
    """SO_OPENTYPE set with 0, 1 and 2 bytes is WSAEFAULT, with 4, 8 and -1 it succeeds; a get with -1 gives four."""
    value, codes = ws.c.new(b"\1" + bytes(7)), []
    with ws.socket_in("stream") as s, open_type(ws, 0):
        for length in (0, 1, 2, 4, 8, -1):
            try:
                ws.c.check("setsockopt", s, SOL_SOCKET, SO_OPENTYPE, value.address, length)
                codes.append(0)
            except Failed as failure:
                codes.append(failure.code)
        expect("codes for 0, 1, 2, 4, 8", expected=[WSAEFAULT] * 3 + [0, 0], actual=codes[:5])
        variant("code for -1", expected=0, allowed={WSAEFAULT: "Windows 7 to Windows 10 21H1"}, actual=codes[5])
        room = ws.c.new(b"\xff" * 4)
        ws.c.check("getsockopt", s, SOL_SOCKET, SO_OPENTYPE, value.address, room.address)
    expect("length", expected=4, actual=room.number())


# ---- what a connection tells -----------------------------------------------------------------------------------------


@case(
    "options.default.connect-time-connected",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_CONNECT_TIME",
    basis="documented",
    requirements=["R11.60", "R16.37", "T16.2", "A103"],
)
def connect_time_counts_seconds(ws: Target) -> None:
    """SO_CONNECT_TIME of a new connection is a few seconds at most, at both ends."""
    with ws.connected_pair() as ends:
        for s in ends:
            expect_true("seconds", ws.get_int(s, SOL_SOCKET, SO_CONNECT_TIME) in range(60))


def csaddr_info(state: bytes) -> tuple[bytes, bytes, int, int]:
    """Return the local and the remote address of a CSADDR_INFO, empty for none, and its type and protocol."""
    base, addresses = getattr(state, "base", 0), []
    for at in (0, 16):
        pointer, length = struct.unpack_from("<Qi", state, at)
        expect("pointer, where there is no length", expected=bool(length), actual=bool(pointer))
        expect_true("address in the buffer", 0 <= pointer - base <= len(state) - length or not length)
        addresses.append(bytes(state[pointer - base : pointer - base + length]) if length else b"")
    kind, protocol = struct.unpack_from("<ii", state, 32)
    return addresses[0], addresses[1], kind, protocol


@case(
    "options.bsp-state.{row}",
    chapter=CHAPTER,
    source="winsock/so-bsp-state",
    basis="documented",
    requirements=["R11.61", "R16.37", "T16.2", "A103"],
    rows={
        "unbound": Row("stream", SOCK_STREAM, IPPROTO_TCP, behaviours=["opt-bspstate-unbound"]),
        "unbound-datagram": Row("datagram", SOCK_DGRAM, IPPROTO_UDP),
        "bound": Row("bound", SOCK_STREAM, IPPROTO_TCP, behaviours=["opt-bspstate-bound"]),
        "bound-datagram": Row("bound-datagram", SOCK_DGRAM, IPPROTO_UDP),
        "listening": Row("listening", SOCK_STREAM, IPPROTO_TCP),
        "connected": Row("connected", SOCK_STREAM, IPPROTO_TCP),
        "connected-datagram": Row("connected-datagram", SOCK_DGRAM, IPPROTO_UDP),
    },
)
def bsp_state_has_the_names_there_are(ws: Target, state: str, kind: int, protocol: int) -> None:
    """SO_BSP_STATE has the addresses that getsockname and getpeername tell, none where they fail, type and protocol."""
    with ws.socket_in(state) as s:
        names = []
        for call in (ws.getsockname, ws.getpeername):
            try:
                names.append(bytes(call(s)))
            except Failed:
                names.append(b"")
        expect("CSADDR_INFO", expected=(*names, kind, protocol), actual=csaddr_info(get_bsp_state(ws, s)))


def get_bsp_state(ws: Target, s: int) -> bytes:
    """Return SO_BSP_STATE, read into a large buffer."""
    return ws.getsockopt(s, SOL_SOCKET, SO_BSP_STATE, 128)


@case(
    "options.bsp-state.both-ends",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R11.61", "A103"],
    behaviours=["opt-bspstate-connected"],
)
def local_of_one_is_remote_of_the_other(ws: Target) -> None:
    """Of a connected pair the local address of one is the remote address of the other, 16 bytes each."""
    with ws.connected_pair() as (client, server):
        here, there = csaddr_info(get_bsp_state(ws, client)), csaddr_info(get_bsp_state(ws, server))
    expect("addresses", expected=(here[0], here[1]), actual=(there[1], there[0]))
    expect("lengths", expected=(16, 16), actual=(len(here[0]), len(here[1])))
    expect("type and protocol", expected=(SOCK_STREAM, IPPROTO_TCP), actual=here[2:])


@case(
    "options.bsp-state.size",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R11.61"],
    behaviours=["opt-bspstate-size"],
    needs_c=True,
)
def bsp_state_needs_room_for_the_addresses(ws: Target) -> None:
    """The structure alone is too little room for it and two addresses, which need 32 bytes more and not one less."""
    with ws.socket_in("connected") as s:
        for room, code in (
            (CSADDR_INFO_SIZE, WSAEFAULT),
            (CSADDR_INFO_SIZE + 31, WSAEFAULT),
            (CSADDR_INFO_SIZE + 32, 0),
        ):
            buffer, length = ws.c.new(room), ws.c.new(room.to_bytes(4, "little"))
            failed = ws.c.call("getsockopt", s, SOL_SOCKET, SO_BSP_STATE, buffer.address, length.address) != 0
            variant(
                f"code for {room} bytes",
                expected=code,
                allowed={WSAENOPROTOOPT: "before Windows Server 2008"},
                actual=ws.c.last_error if failed else 0,
            )
            expect("length", expected=room, actual=length.number())


@case(
    "options.default.pvd-config",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, PVD_CONFIG",
    basis="documented",
    requirements=["R16.37", "T16.2", "R1.104"],
)
def provider_configuration_can_be_read_and_set(ws: Target) -> None:
    """PVD_CONFIG is a block of the provider's own, which can be set to what it reads as."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, SOL_SOCKET, PVD_CONFIG, ws.getsockopt(s, SOL_SOCKET, PVD_CONFIG))


@case(
    "options.set-only.update-accept-context-{row}",
    chapter=CHAPTER,
    source="mswsock/nf-mswsock-acceptex; requirement B40",
    basis="documented",
    requirements=["R16.37", "T16.2", "B40"],
    rows={"bad-handle": Row("closed", WSAENOTSOCK), "not-listening": Row("bound", WSAEINVAL)},
)
def accept_context_needs_a_listening_socket(ws: Target, state: str, code: int) -> None:
    """SO_UPDATE_ACCEPT_CONTEXT wants a listening socket: no socket is WSAENOTSOCK, another one WSAEINVAL."""
    with ws.socket_in("stream") as s, ws.socket_in(state) as listening, fails_with(code):
        ws.setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, listening.to_bytes(8, "little"))


@case(
    "options.set-only.connect-context-without-a-value",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_UPDATE_CONNECT_CONTEXT",
    basis="documented",
    requirements=["R16.37", "T16.2"],
    needs_c=True,
)
def connect_context_takes_no_value(ws: Target) -> None:
    """SO_UPDATE_CONNECT_CONTEXT with NULL and 0 succeeds on a connected socket."""
    with ws.socket_in("connected") as s:
        ws.c.check("setsockopt", s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, 0, 0)


@case(
    "options.set-only.accept-context-of-accept-ex",
    chapter=CHAPTER,
    source="Wine's public test sock.c:test_AcceptEx, which passes on Windows",
    basis="observed",
    requirements=["T16.2"],
    behaviours=["acceptex-update-context"],
)
def accept_context_after_accept_ex(ws: Target) -> None:
    """SO_UPDATE_ACCEPT_CONTEXT on a socket that AcceptEx has connected makes getsockname work on it."""
    event = ws.WSACreateEvent()
    record = ws.overlapped(event)
    with ws.listener() as listening, ws.closing(ws.tcp(), ws.tcp()) as (acceptor, client):
        ws.AcceptEx(listening, acceptor, bytearray(64), 0, 32, 32, record)
        ws.connect(client, ws.getsockname(listening))
        ws.WSAWaitForMultipleEvents([event], False, 5000)
        ws.setsockopt(acceptor, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, listening.to_bytes(8, "little"))
        expect("address", expected=16, actual=len(ws.getsockname(acceptor)))
    ws.WSACloseEvent(event)


# ---- accepting -------------------------------------------------------------------------------------------------------


@case(
    "options.pause-accept.callers-are-reset",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_PAUSE_ACCEPT",
    basis="documented",
    requirements=["R11.42"],
)
def paused_listener_turns_callers_away(ws: Target) -> None:
    """With SO_PAUSE_ACCEPT on a connect is refused; with it off again the next one succeeds."""
    with ws.listener() as listening:
        where = ws.getsockname(listening)
        ws.setsockopt(listening, SOL_SOCKET, SO_PAUSE_ACCEPT, 1)
        with ws.closing(ws.tcp()) as s, fails_with(WSAECONNREFUSED):
            ws.connect(s, where)
        ws.setsockopt(listening, SOL_SOCKET, SO_PAUSE_ACCEPT, 0)
        with ws.closing(ws.tcp()) as s:
            ws.connect(s, where)
            accepted, caller = ws.accept(listening)
            with ws.closing(accepted):
                expect("caller", expected=bytes(ws.getsockname(s)), actual=bytes(caller))


@case(
    "options.pause-accept.those-before-are-served",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_PAUSE_ACCEPT: new connections",
    basis="documented",
    requirements=["R11.42"],
)
def paused_listener_keeps_earlier_callers(ws: Target) -> None:
    """A connection that came before SO_PAUSE_ACCEPT can still be accepted."""
    with ws.listener() as listening, ws.closing(ws.tcp()) as s:
        ws.connect(s, ws.getsockname(listening))
        ws.wait_readable(listening)
        ws.setsockopt(listening, SOL_SOCKET, SO_PAUSE_ACCEPT, 1)
        ws.wait_readable(listening)
        accepted, _ = ws.accept(listening)
        with ws.closing(accepted):
            ws.send(s, b"x")
            expect("data", expected=b"x", actual=ws.receive_exactly(accepted, 1))


# ---- ports -----------------------------------------------------------------------------------------------------------


@case(
    "options.state.randomize-port-or-reuse-unicastport",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_RANDOMIZE_PORT",
    basis="documented",
    requirements=["T16.2"],
)
def random_ports_are_not_for_shared_ones(ws: Target) -> None:
    """SO_RANDOMIZE_PORT cannot be set once SO_REUSE_UNICASTPORT is on."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, SOL_SOCKET, SO_REUSE_UNICASTPORT, 1)
        with fails_with(WSAEINVAL):
            ws.setsockopt(s, SOL_SOCKET, SO_RANDOMIZE_PORT, 1)


# ---- TCP -------------------------------------------------------------------------------------------------------------

TCP_PAGE = "winsock/ipproto-tcp-socket-options"


@case(
    "options.tcp.default-{row}",
    chapter=CHAPTER,
    source=TCP_PAGE,
    basis="documented",
    requirements=["R16.41"],
    rows={
        "keepidle": Row(TCP_KEEPIDLE, 7200, source="winsock/so-keepalive", requirements=["R11.62", "A102"]),
        "keepintvl": Row(TCP_KEEPINTVL, 1, source="winsock/so-keepalive", requirements=["R11.62", "A102"]),
        "keepcnt": Row(TCP_KEEPCNT, 10, source="winsock/so-keepalive", requirements=["R11.62", "A102"]),
        "timestamps": Row(TCP_TIMESTAMPS, 0),
        "fastopen": Row(TCP_FASTOPEN, 0),
        "fail-connect-on-icmp-error": Row(TCP_FAIL_CONNECT_ON_ICMP_ERROR, 0),
        "expedited-1122": Row(TCP_EXPEDITED_1122, 0),
        "bsdurgent": Row(TCP_BSDURGENT, 1),
    },
)
def new_tcp_socket_shows_the_default(ws: Target, option: int, value: int) -> None:
    """A TCP option that nobody has set reads as its default."""
    with ws.socket_in("stream") as s:
        expect("value", expected=value, actual=ws.get_int(s, IPPROTO_TCP, option))


@case(
    "options.tcp.number-{row}",
    chapter=CHAPTER,
    source=TCP_PAGE,
    basis="documented",
    requirements=["R16.37"],
    rows={
        "keepidle": Row(TCP_KEEPIDLE, 90, requirements=["A102"]),
        "keepintvl": Row(TCP_KEEPINTVL, 5, requirements=["A102"]),
        "keepcnt": Row(TCP_KEEPCNT, 255, requirements=["A102"]),
        "maxrt": Row(TCP_MAXRT, 30),
        "maxrt-for-ever": Row(TCP_MAXRT, -1),
        "maxrtms": Row(TCP_MAXRTMS, 2500),
    },
)
def tcp_number_reads_back(ws: Target, option: int, value: int) -> None:
    """A number of a TCP socket reads back as it was set, before and after SO_KEEPALIVE."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, IPPROTO_TCP, option, value)
        expect("value", expected=value, actual=ws.get_int(s, IPPROTO_TCP, option))
        ws.setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, 1)
        expect("value", expected=value, actual=ws.get_int(s, IPPROTO_TCP, option))


@case(
    "options.tcp.maxrt-in-milliseconds",
    chapter=CHAPTER,
    source="ws2ipdef.h: TCP_MAXRTMS",
    basis="choice",
)
def two_options_are_one_limit(ws: Target) -> None:
    """TCP_MAXRT in seconds and TCP_MAXRTMS in milliseconds are the same limit."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, IPPROTO_TCP, TCP_MAXRT, 7)
        expect("TCP_MAXRTMS", expected=7000, actual=ws.get_int(s, IPPROTO_TCP, TCP_MAXRTMS))


@case(
    "options.tcp.keepcnt-256",
    chapter=CHAPTER,
    source=f"{TCP_PAGE}, TCP_KEEPCNT",
    basis="documented",
    requirements=["R16.38", "A102"],
)
def too_many_probes(ws: Target) -> None:
    """TCP_KEEPCNT above 255 is WSAEINVAL."""
    with ws.socket_in("stream") as s, fails_with(WSAEINVAL):
        ws.setsockopt(s, IPPROTO_TCP, TCP_KEEPCNT, 256)


@case(
    "options.tcp.urgent-style-{row}",
    chapter=CHAPTER,
    source=f"{TCP_PAGE}, TCP_BSDURGENT and TCP_EXPEDITED_1122",
    basis="documented",
    rows={
        "expedited-1122": Row(TCP_EXPEDITED_1122, TCP_BSDURGENT),
        "bsdurgent": Row(TCP_BSDURGENT, TCP_EXPEDITED_1122),
    },
)
def urgent_style_is_set_once(ws: Target, option: int, inverse: int) -> None:
    """The two options are each other's inverse, and what has been switched on cannot be switched off."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, IPPROTO_TCP, option, 1)
        expect("option", expected=1, actual=ws.get_int(s, IPPROTO_TCP, option))
        expect("inverse", expected=0, actual=ws.get_int(s, IPPROTO_TCP, inverse))
        with fails_with(WSAEINVAL):
            ws.setsockopt(s, IPPROTO_TCP, option, 0)


@case(
    "options.tcp.maxseg",
    chapter=CHAPTER,
    source=f"{GETSOCKOPT}, TCP_MAXSEG",
    basis="documented",
    requirements=["R16.38"],
)
def segment_size_can_be_read(ws: Target) -> None:
    """TCP_MAXSEG of a connection is a size, and setting it is WSAENOPROTOOPT."""
    with ws.socket_in("connected") as s:
        expect_true("size", ws.get_int(s, IPPROTO_TCP, TCP_MAXSEG) > 0)
        with fails_with(WSAENOPROTOOPT):
            ws.setsockopt(s, IPPROTO_TCP, TCP_MAXSEG, 1000)


@case(
    "options.tcp.no-icmp-error",
    chapter=CHAPTER,
    source=f"{TCP_PAGE}, TCP_ICMP_ERROR_INFO",
    basis="documented",
)
def no_icmp_error_is_no_value(ws: Target) -> None:
    """TCP_ICMP_ERROR_INFO has a length of 0 where no ICMP error has come."""
    with ws.socket_in("stream") as s:
        expect("value", expected=b"", actual=bytes(ws.getsockopt(s, IPPROTO_TCP, TCP_ICMP_ERROR_INFO, 36)))


# ---- UDP -------------------------------------------------------------------------------------------------------------

UDP_PAGE = "winsock/ipproto-udp-socket-options"


@case(
    "options.udp.default-{row}",
    chapter=CHAPTER,
    source=UDP_PAGE,
    basis="documented",
    requirements=["R16.41"],
    rows={
        "nochecksum": Row(UDP_NOCHECKSUM),
        "send-msg-size": Row(UDP_SEND_MSG_SIZE),
        "recv-max-coalesced-size": Row(UDP_RECV_MAX_COALESCED_SIZE),
    },
)
def new_udp_socket_shows_the_default(ws: Target, option: int) -> None:
    """A UDP option that nobody has set is 0."""
    with ws.socket_in("datagram") as s:
        expect("value", expected=0, actual=ws.get_int(s, IPPROTO_UDP, option))


@case(
    "options.udp.send-msg-size-cuts",
    chapter=CHAPTER,
    source=f"{UDP_PAGE}, UDP_SEND_MSG_SIZE",
    basis="documented",
)
def send_is_cut_into_datagrams(ws: Target) -> None:
    """With UDP_SEND_MSG_SIZE 100 a send of 250 bytes is three datagrams, of 100, 100 and 50 bytes."""
    with ws.udp_pair() as (a, b):
        ws.setsockopt(a, IPPROTO_UDP, UDP_SEND_MSG_SIZE, 100)
        expect("sent", expected=250, actual=ws.send(a, bytes(250)))
        sizes = []
        for _ in range(3):
            ws.wait_readable(b)
            sizes.append(ws.recv(b, bytearray(300)))
        ws.setsockopt(a, IPPROTO_UDP, UDP_SEND_MSG_SIZE, 0)
        ws.send(a, bytes(250))
        ws.wait_readable(b)
        sizes.append(ws.recv(b, bytearray(300)))
    expect("sizes", expected=[100, 100, 50, 250], actual=sizes)


@case(
    "options.udp.nochecksum-arrives",
    chapter=CHAPTER,
    source=f"{UDP_PAGE}, UDP_NOCHECKSUM",
    basis="documented",
)
def datagram_without_checksum_arrives(ws: Target) -> None:
    """A datagram sent with UDP_NOCHECKSUM arrives, and UDP_CHECKSUM_COVERAGE says that it has none."""
    with ws.udp_pair() as (a, b):
        ws.setsockopt(a, IPPROTO_UDP, UDP_NOCHECKSUM, 1)
        expect("UDP_CHECKSUM_COVERAGE", expected=0, actual=ws.get_int(a, IPPROTO_UDP, UDP_CHECKSUM_COVERAGE))
        ws.send(a, b"x")
        ws.wait_readable(b)
        expect("received", expected=1, actual=ws.recv(b, bytearray(2)))


# ---- IPv4 ------------------------------------------------------------------------------------------------------------

IP_PAGE = "winsock/ipproto-ip-socket-options"
VALIDITY = "Wine's public test sock.c:test_sockopt_validity, which passes on Windows"
UNKNOWN = (SET_ONLY, SET_ONLY, SET_ONLY)


@case(
    "options.validity.ipv4-{row}",
    chapter=CHAPTER,
    source=VALIDITY,
    basis="observed",
    requirements=["R16.38"],
    rows={
        "unknown": Row(-1, UNKNOWN, behaviours=["optvalid-v4-unknown"]),
        "options": Row(IP_OPTIONS, ALIKE, behaviours=["optvalid-v4-options"]),
        "hdrincl": Row(IP_HDRINCL, FOR_RAW, behaviours=["optvalid-v4-hdrincl"]),
        "tos": Row(IP_TOS, ALIKE, behaviours=["optvalid-v4-tos"]),
        "ttl": Row(IP_TTL, ALIKE, behaviours=["optvalid-v4-ttl"]),
        "dontfragment": Row(IP_DONTFRAGMENT, ALIKE, behaviours=["optvalid-v4-dontfragment"]),
        "pktinfo": Row(IP_PKTINFO, FOR_MESSAGES, behaviours=["optvalid-v4-pktinfo"]),
        "recvttl": Row(IP_RECVTTL, FOR_MESSAGES, behaviours=["optvalid-v4-recvttl"]),
        "receive-broadcast": Row(IP_RECEIVE_BROADCAST, FOR_MESSAGES, behaviours=["optvalid-v4-receive-broadcast"]),
        "recvif": Row(IP_RECVIF, FOR_MESSAGES, behaviours=["optvalid-v4-recvif"]),
        "recvdstaddr": Row(IP_RECVDSTADDR, FOR_MESSAGES, behaviours=["optvalid-v4-recvdstaddr"]),
        "iflist": Row(IP_IFLIST, ALIKE, behaviours=["optvalid-v4-iflist"]),
        "unicast-if": Row(IP_UNICAST_IF, ALIKE, behaviours=["optvalid-v4-unicast-if"]),
        "rthdr": Row(IP_RTHDR, ALIKE, behaviours=["optvalid-v4-rthdr"]),
        "get-iflist": Row(IP_GET_IFLIST, (NOT_HERE,) * 3, behaviours=["optvalid-v4-get-iflist"]),
        "recvrthdr": Row(IP_RECVRTHDR, FOR_MESSAGES, behaviours=["optvalid-v4-recvrthdr"]),
        "recvtos": Row(IP_RECVTOS, FOR_MESSAGES, behaviours=["optvalid-v4-recvtos"]),
        "original-arrival-if": Row(
            IP_ORIGINAL_ARRIVAL_IF, FOR_MESSAGES, behaviours=["optvalid-v4-original-arrival-if"]
        ),
        "ecn": Row(IP_ECN, FOR_MESSAGES, behaviours=["optvalid-v4-ecn"]),
        "pktinfo-ex": Row(IP_PKTINFO_EX, FOR_MESSAGES, behaviours=["optvalid-v4-pktinfo-ex"]),
        "wfp-redirect-records": Row(
            IP_WFP_REDIRECT_RECORDS, FOR_MESSAGES, behaviours=["optvalid-v4-wfp-redirect-records"]
        ),
        "wfp-redirect-context": Row(
            IP_WFP_REDIRECT_CONTEXT, FOR_MESSAGES, behaviours=["optvalid-v4-wfp-redirect-context"]
        ),
        "mtu-discover": Row(IP_MTU_DISCOVER, (READ_ONLY,) * 3, behaviours=["optvalid-v4-mtu-discover"]),
        "mtu": Row(IP_MTU, ((WSAENOTCONN, 0),) * 3, behaviours=["optvalid-v4-mtu"]),
        "recverr": Row(IP_RECVERR, FOR_UDP, behaviours=["optvalid-v4-recverr"]),
        "user-mtu": Row(IP_USER_MTU, ALIKE, behaviours=["optvalid-v4-user-mtu"]),
    },
)
def ipv4_option_by_kind(ws: Target, option: int, outcomes: tuple[Outcome, Outcome, Outcome]) -> None:
    """Reading the option and setting what was read ends like this on TCP, UDP and raw sockets."""
    check(ws, AF_INET, IPPROTO_IP, option, outcomes)


@case(
    "options.raw-only.hdrincl-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.38"],
    behaviours=["opt-hdrincl-nonraw"],
    rows={
        "tcp": Row(AF_INET, SOCK_STREAM),
        "udp": Row(AF_INET, SOCK_DGRAM),
        "tcp-ipv6": Row(AF_INET6, SOCK_STREAM),
        "udp-ipv6": Row(AF_INET6, SOCK_DGRAM),
    },
)
def headers_are_for_raw_sockets(ws: Target, family: int, type: int) -> None:
    """IP_HDRINCL is WSAEINVAL on TCP and UDP sockets, to get and to set, on IPv6 ones too."""
    if not ws.has_family(family):
        not_applicable("no IPv6 here")
    with ws.closing(ws.socket(family, type, 0)) as s:
        for value in (1, 0):
            with fails_with(WSAEINVAL, "set"):
                ws.setsockopt(s, IPPROTO_IP, IP_HDRINCL, value)
        with fails_with(WSAEINVAL, "get"):
            ws.getsockopt(s, IPPROTO_IP, IP_HDRINCL, 4)


@case(
    "options.dontfragment.{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.41"],
    rows={
        "udp": Row(AF_INET, SOCK_DGRAM, 0, behaviours=["opt-dontfragment-udp-default", "opt-dontfragment-udp-set"]),
        "udp-ipv6": Row(
            AF_INET6, SOCK_DGRAM, 0, behaviours=["opt-dontfragment-udp-default", "opt-dontfragment-udp-set"]
        ),
        "tcp": Row(AF_INET, SOCK_STREAM, 1, behaviours=["opt-dontfragment-tcp-default"]),
        "tcp-ipv6": Row(AF_INET6, SOCK_STREAM, 1, behaviours=["opt-dontfragment-tcp-default"]),
    },
)
def fragmenting_depends_on_the_kind(ws: Target, family: int, type: int, value: int) -> None:
    """IP_DONTFRAGMENT is FALSE on a new UDP socket and TRUE on a new TCP one; set, it is a truth value."""
    if not ws.has_family(family):
        not_applicable("no IPv6 here")
    with ws.closing(ws.socket(family, type, 0)) as s:
        before = {0: "before Windows Vista"} if value else {}
        variant("new", expected=value, allowed=before, actual=ws.get_int(s, IPPROTO_IP, IP_DONTFRAGMENT))
        for given, shown in ((0, 0), (1, 1), (0xDEAD, 1), (0, 0)):
            ws.setsockopt(s, IPPROTO_IP, IP_DONTFRAGMENT, given)
            expect(f"after {given:#x}", expected=shown, actual=ws.get_int(s, IPPROTO_IP, IP_DONTFRAGMENT))


@case(
    "options.dontfragment.raw",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.41"],
    behaviours=["opt-dontfragment-raw"],
)
def raw_packets_may_be_fragmented(ws: Target) -> None:
    """IP_DONTFRAGMENT of a raw socket is FALSE at first and reads TRUE once it is set."""
    s = make(ws, AF_INET, "raw")
    if s is None:
        not_applicable("raw sockets are not allowed here")
    with ws.closing(s):
        expect("new", expected=0, actual=ws.get_int(s, IPPROTO_IP, IP_DONTFRAGMENT))
        ws.setsockopt(s, IPPROTO_IP, IP_DONTFRAGMENT, 1)
        expect("set", expected=1, actual=ws.get_int(s, IPPROTO_IP, IP_DONTFRAGMENT))


@case(
    "options.length.emptied-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.38"],
    needs_c=True,
    rows={
        "pktinfo": Row(IP_PKTINFO, behaviours=["optlen-ip-pktinfo"]),
        "recvtos": Row(IP_RECVTOS, behaviours=["optlen-ip-recvtos"]),
        "recvttl": Row(IP_RECVTTL, behaviours=["optlen-ip-recvttl"]),
    },
)
def failed_get_sets_the_length_to_0(ws: Target, option: int) -> None:
    """A get with one or two bytes of room is WSAEFAULT and leaves a length of 0."""
    with ws.socket_in("datagram") as s:
        for room in (1, 2):
            buffer, length = ws.c.new(8), ws.c.new(room.to_bytes(4, "little"))
            with fails_with(WSAEFAULT):
                ws.c.check("getsockopt", s, IPPROTO_IP, option, buffer.address, length.address)
            expect("length", expected=0, actual=length.number())


@case(
    "options.length.written-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37"],
    needs_c=True,
    rows={
        "broadcast": Row("datagram", SOL_SOCKET, SO_BROADCAST, b"\1\0", behaviours=["optlen-so-broadcast"]),
        "oobinline": Row("stream", SOL_SOCKET, SO_OOBINLINE, b"\1\0", behaviours=["optlen-so-oobinline"]),
        "reuseaddr": Row("stream", SOL_SOCKET, SO_REUSEADDR, b"\1\0", behaviours=["optlen-so-reuseaddr"]),
        "dontlinger": Row("stream", SOL_SOCKET, SO_DONTLINGER, b"\1\0", behaviours=["optlen-so-dontlinger"]),
        "exclusiveaddruse": Row(
            "stream", SOL_SOCKET, SO_EXCLUSIVEADDRUSE, b"\1\0", behaviours=["optlen-so-exclusiveaddruse"]
        ),
        "keepalive": Row("stream", SOL_SOCKET, SO_KEEPALIVE, b"\1\xee", behaviours=["optlen-so-keepalive"]),
        "dontroute": Row("stream", SOL_SOCKET, SO_DONTROUTE, b"\1\xee", behaviours=["optlen-so-dontroute"]),
        "nodelay": Row("stream", IPPROTO_TCP, TCP_NODELAY, b"\1\xee", behaviours=["optlen-tcp-nodelay"]),
        "ttl": Row("datagram", IPPROTO_IP, IP_TTL, b"\1\xee", behaviours=["optlen-ip-ttl"]),
        "tos": Row("datagram", IPPROTO_IP, IP_TOS, b"\1\xee", behaviours=["optlen-ip-tos"]),
        "multicast-ttl": Row(
            "datagram", IPPROTO_IP, IP_MULTICAST_TTL, b"\1\xee", behaviours=["optlen-ip-multicast-ttl"]
        ),
        "multicast-loop": Row(
            "datagram", IPPROTO_IP, IP_MULTICAST_LOOP, b"\1\xee", behaviours=["optlen-ip-multicast-loop"]
        ),
    },
)
def get_of_two_bytes_writes(ws: Target, state: str, level: int, option: int, expected: bytes) -> None:
    """A get into two bytes reports one, and msafd clears the second while the IP stack leaves it alone."""
    with ws.socket_in(state) as s:
        ws.setsockopt(s, level, option, 1)
        buffer, length = ws.c.new(b"\xee" * 4), ws.c.new(b"\2\0\0\0")
        ws.c.check("getsockopt", s, level, option, buffer.address, length.address)
    expect("length and buffer", expected=(1, expected + b"\xee\xee"), actual=(length.number(), buffer.read()))


@case(
    "options.length.cleared-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.38"],
    needs_c=True,
    rows={
        "linger": Row(SO_LINGER, b"\0\0", behaviours=["optlen-so-linger"]),
        "rcvbuf": Row(SO_RCVBUF, b"\0\0", behaviours=["optlen-so-rcvbuf"]),
        "sndbuf": Row(SO_SNDBUF, b"\0\0", behaviours=["optlen-so-sndbuf"]),
    },
)
def failed_get_clears_the_buffer(ws: Target, option: int, expected: bytes) -> None:
    """A get into two bytes is WSAEFAULT, leaves the length, and clears the two bytes."""
    buffer, length = ws.c.new(b"\xee" * 4), ws.c.new(b"\2\0\0\0")
    with ws.socket_in("stream") as s, fails_with(WSAEFAULT):
        ws.c.check("getsockopt", s, SOL_SOCKET, option, buffer.address, length.address)
    expect("length and buffer", expected=(2, expected + b"\xee\xee"), actual=(length.number(), buffer.read()))


@case(
    "options.ip.range-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.38", "A68"],
    rows={
        "tos": Row(IP_TOS, 0x100, WSAEINVAL, behaviours=["optlen-ip-tos"]),
        "multicast-ttl": Row(IP_MULTICAST_TTL, 0x100, WSAEINVAL, behaviours=["optlen-ip-multicast-ttl"]),
    },
)
def ip_value_out_of_range(ws: Target, option: int, value: int, code: int) -> None:
    """A value that does not fit a byte is WSAEINVAL and leaves the option alone."""
    with ws.socket_in("datagram") as s:
        ws.setsockopt(s, IPPROTO_IP, option, 32)
        with fails_with(code):
            ws.setsockopt(s, IPPROTO_IP, option, value)
        expect("value", expected=32, actual=ws.get_int(s, IPPROTO_IP, option))


@case(
    "options.ip.truth-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.39"],
    rows={
        "pktinfo": Row(IP_PKTINFO, behaviours=["optlen-ip-pktinfo"]),
        "recvtos": Row(IP_RECVTOS, behaviours=["optlen-ip-recvtos"]),
        "recvttl": Row(IP_RECVTTL, behaviours=["optlen-ip-recvttl"]),
        "multicast-loop": Row(IP_MULTICAST_LOOP, behaviours=["optlen-ip-multicast-loop"]),
    },
)
def ip_boolean_looks_at_all_bytes(ws: Target, option: int) -> None:
    """A BOOL of the IP level set to 0x100 reads as 1."""
    with ws.socket_in("datagram") as s:
        for value, shown in ((0, 0), (0x100, 1), (0, 0)):
            ws.setsockopt(s, IPPROTO_IP, option, value)
            expect("value", expected=shown, actual=ws.get_int(s, IPPROTO_IP, option))


@case(
    "options.ip.default-{row}",
    chapter=CHAPTER,
    source=IP_PAGE,
    basis="documented",
    requirements=["R16.41"],
    rows={
        "ttl": Row(IP_TTL, 128),
        "tos": Row(IP_TOS, 0),
        "receive-broadcast": Row(IP_RECEIVE_BROADCAST, 1),
        "multicast-if": Row(IP_MULTICAST_IF, 0),
        "multicast-ttl": Row(IP_MULTICAST_TTL, 1),
        "multicast-loop": Row(IP_MULTICAST_LOOP, 1),
        "unicast-if": Row(IP_UNICAST_IF, 0),
        "mtu-discover": Row(IP_MTU_DISCOVER, 0),
        "user-mtu": Row(IP_USER_MTU, -1),
        "iflist": Row(IP_IFLIST, 0),
    },
)
def new_socket_shows_ip_default(ws: Target, option: int, value: int) -> None:
    """An option of the IP level that nobody has set reads as its default."""
    with ws.socket_in("datagram") as s:
        expect("value", expected=value, actual=ws.get_int(s, IPPROTO_IP, option))


@case(
    "options.ip.mtu",
    chapter=CHAPTER,
    source=f"{IP_PAGE}, IP_MTU",
    basis="documented",
)
def path_mtu_of_a_connected_socket(ws: Target) -> None:
    """IP_MTU of a connected UDP socket is a size that fits a minimal packet at least."""
    with ws.socket_in("connected-datagram") as s:
        expect_true("MTU", ws.get_int(s, IPPROTO_IP, IP_MTU) & 0xFFFFFFFF >= 68)


@case(
    "options.ip.mtu-discover-{row}",
    chapter=CHAPTER,
    source=f"{IP_PAGE}, IP_MTU_DISCOVER",
    basis="documented",
    requirements=["R16.38"],
    rows={"do": Row(IP_PMTUDISC_DO), "dont": Row(IP_PMTUDISC_DONT), "probe": Row(IP_PMTUDISC_PROBE)},
)
def path_mtu_discovery_reads_back(ws: Target, value: int) -> None:
    """IP_MTU_DISCOVER reads back as it was set; a number that is no state is WSAEINVAL."""
    with ws.socket_in("datagram") as s:
        ws.setsockopt(s, IPPROTO_IP, IP_MTU_DISCOVER, value)
        with fails_with(WSAEINVAL):
            ws.setsockopt(s, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_MAX)
        expect("value", expected=value, actual=ws.get_int(s, IPPROTO_IP, IP_MTU_DISCOVER))


@case(
    "options.ip.header-options",
    chapter=CHAPTER,
    source=f"{IP_PAGE}, IP_OPTIONS",
    basis="documented",
)
def header_options_read_back(ws: Target) -> None:
    """IP_OPTIONS reads back as it was set, and a length of 0 takes the options away."""
    nothing_but_ends = bytes(4)
    with ws.socket_in("datagram") as s:
        for value in (nothing_but_ends, b""):
            ws.setsockopt(s, IPPROTO_IP, IP_OPTIONS, value)
            expect("value", expected=value, actual=bytes(ws.getsockopt(s, IPPROTO_IP, IP_OPTIONS, 40)))


@case(
    "options.ip.arrival-{row}",
    chapter=CHAPTER,
    source=f"{IP_PAGE}, IP_RECVIF",
    basis="documented",
    rows={
        "interface": Row(IP_RECVIF, b"\1\0\0\0"),
        "destination": Row(IP_RECVDSTADDR, b"\x7f\0\0\1", basis="choice", source="ws2ipdef.h: IP_RECVDSTADDR"),
    },
)
def arrival_is_told(ws: Target, option: int, data: bytes) -> None:
    """WSARecvMsg tells the interface that a datagram came through, and the address it was sent to, while asked for."""
    with ws.udp_pair() as (a, b):
        ws.setsockopt(b, IPPROTO_IP, option, 1)
        ws.send_and_settle(a, b"x")
        control = ws.WSARecvMsg(b, [bytearray(2)], 64).control
        expect("control data", expected={(IPPROTO_IP, option): data}, actual=objects(control))
        ws.setsockopt(b, IPPROTO_IP, option, 0)
        ws.send_and_settle(a, b"x")
        expect("control data when off", expected=b"", actual=ws.WSARecvMsg(b, [bytearray(2)], 64).control)


@case(
    "options.ip.receive-list",
    chapter=CHAPTER,
    source=f"{IP_PAGE}, IP_IFLIST",
    basis="documented",
)
def receive_list_starts_empty(ws: Target) -> None:
    """The receive list is empty at first, takes and gives back interfaces, and is gone without IP_IFLIST."""
    with ws.socket_in("datagram") as s:
        ws.setsockopt(s, IPPROTO_IP, IP_IFLIST, 1)
        lists = [ws.getsockopt(s, IPPROTO_IP, IP_GET_IFLIST, 64)]
        for option in (IP_ADD_IFLIST, IP_DEL_IFLIST):
            ws.setsockopt(s, IPPROTO_IP, option, 1)
            lists.append(ws.getsockopt(s, IPPROTO_IP, IP_GET_IFLIST, 64))
        ws.setsockopt(s, IPPROTO_IP, IP_IFLIST, 0)
        with fails_with(WSAEINVAL):
            ws.getsockopt(s, IPPROTO_IP, IP_GET_IFLIST, 64)
    expect("lists", expected=[b"", b"\1\0\0\0", b""], actual=list(map(bytes, lists)))


@case(
    "options.ip.receive-list-empty-receives-nothing",
    chapter=CHAPTER,
    source=f"{IP_PAGE}, IP_IFLIST",
    basis="documented",
)
def empty_receive_list_receives_nothing(ws: Target) -> None:
    """With an empty receive list nothing arrives; without the list the next datagram does."""
    with ws.udp_pair() as (a, b):
        ws.setsockopt(b, IPPROTO_IP, IP_IFLIST, 1)
        ws.send(a, b"lost")
        expect_true("nothing arrives", not ws.readable(b, 0.1))
        ws.setsockopt(b, IPPROTO_IP, IP_IFLIST, 0)
        ws.send(a, b"next")
        ws.wait_readable(b)
        room = bytearray(8)
        expect("data", expected=b"next", actual=bytes(room[: ws.recv(b, room)]))
