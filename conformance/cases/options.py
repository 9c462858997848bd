"""Socket options: value of a new socket, setting and reading back, lengths, and the sockets that have them."""

from __future__ import annotations

import time

from ..addresses import loopback
from ..constants import (
    AF_INET,
    AF_INET6,
    INVALID_SOCKET,
    IP_TTL,
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
    TCP_NODELAY,
    WSAEADDRINUSE,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOBUFS,
    WSAENOPROTOOPT,
    WSAENOTSOCK,
    WSAETIMEDOUT,
)
from ..model import Row, case
from ..target import Target
from ..verify import Failed, expect, expect_true, fails_with, not_applicable, variant

CHAPTER = "Socket options"
SOL_PAGE = "winsock/sol-socket-socket-options"
GETSOCKOPT = "winsock/nf-winsock-getsockopt"
SETSOCKOPT = "winsock/nf-winsock-setsockopt"
TESTS = "Wine's public test sock.c:test_set_getsockopt, which passes on Windows"
LATER = "comes with the options chapter"
NOT_CONNECTED = 0xFFFFFFFF
#: Offset and size of pointer and length of the local and of the remote address.
CSADDR_INFO_ADDRESSES = ((0, 8), (8, 4), (16, 8), (24, 4))


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
        "linger": Row("stream", SOL_SOCKET, SO_LINGER, WHOLE_LENGTHS, behaviours=["optlen-so-linger"]),
        "rcvbuf": Row("stream", SOL_SOCKET, SO_RCVBUF, WHOLE_LENGTHS, behaviours=["optlen-so-rcvbuf"]),
        "sndbuf": Row("stream", SOL_SOCKET, SO_SNDBUF, WHOLE_LENGTHS, behaviours=["optlen-so-sndbuf"]),
        "rcvtimeo": Row("stream", SOL_SOCKET, SO_RCVTIMEO, WHOLE_LENGTHS, behaviours=["optlen-so-rcvtimeo"]),
        "sndtimeo": Row("stream", SOL_SOCKET, SO_SNDTIMEO, WHOLE_LENGTHS, behaviours=["optlen-so-sndtimeo"]),
        "error": Row("stream", SOL_SOCKET, SO_ERROR, WHOLE_LENGTHS, behaviours=["opt-so-error-short-buffer"]),
        "opentype": Row("stream", SOL_SOCKET, SO_OPENTYPE, WHOLE_LENGTHS, behaviours=["optlen-so-opentype"], gap=LATER),
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
        "linger": Row("stream", SOL_SOCKET, SO_LINGER, WHOLE_CODES, behaviours=["optlen-so-linger"]),
        "rcvbuf": Row("stream", SOL_SOCKET, SO_RCVBUF, WHOLE_CODES, behaviours=["optlen-so-rcvbuf"]),
        "sndbuf": Row("stream", SOL_SOCKET, SO_SNDBUF, WHOLE_CODES, behaviours=["optlen-so-sndbuf"]),
        "rcvtimeo": Row("stream", SOL_SOCKET, SO_RCVTIMEO, WHOLE_CODES, behaviours=["optlen-so-rcvtimeo"]),
        "sndtimeo": Row("stream", SOL_SOCKET, SO_SNDTIMEO, WHOLE_CODES, behaviours=["optlen-so-sndtimeo"]),
        "opentype": Row("stream", SOL_SOCKET, SO_OPENTYPE, WHOLE_CODES, behaviours=["optlen-so-opentype"], gap=LATER),
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


# ---- not there yet ---------------------------------------------------------------------------------------------------


@case(
    "options.default.{row}",
    chapter=CHAPTER,
    source=SOL_PAGE,
    basis="documented",
    requirements=["R16.37", "T16.2"],
    gap=LATER,
    rows={
        "group-id": Row("stream", SO_GROUP_ID, 0),
        "group-priority": Row("stream", SO_GROUP_PRIORITY, 0),
        "conditional-accept": Row("stream", SO_CONDITIONAL_ACCEPT, 0),
        "pause-accept": Row("listening", SO_PAUSE_ACCEPT, 0),
        "randomize-port": Row("stream", SO_RANDOMIZE_PORT, 0),
        "port-scalability": Row("stream", SO_PORT_SCALABILITY, 0),
        "reuse-unicastport": Row("stream", SO_REUSE_UNICASTPORT, 0),
        "reuse-multicastport": Row("datagram", SO_REUSE_MULTICASTPORT, 0),
        "connect-time": Row("stream", SO_CONNECT_TIME, NOT_CONNECTED, requirements=["R11.60"]),
        "opentype": Row("stream", SO_OPENTYPE, 0),
    },
)
def later_option_shows_its_default(ws: Target, state: str, option: int, value: int) -> None:
    """An option that nobody has set reads as its default."""
    with ws.socket_in(state) as s:
        expect("value", expected=value, actual=ws.get_int(s, SOL_SOCKET, option) & 0xFFFFFFFF)


@case(
    "options.default.{row}",
    chapter=CHAPTER,
    source=SOL_PAGE,
    basis="documented",
    requirements=["R16.37", "T16.2"],
    gap=LATER,
    rows={"maxdg": Row(SO_MAXDG), "maxpathdg": Row(SO_MAXPATHDG)},
)
def largest_datagram_is_known(ws: Target, option: int) -> None:
    """The provider tells the largest datagram, above 0."""
    with ws.socket_in("datagram") as s:
        expect_true("size", ws.get_int(s, SOL_SOCKET, option) > 0)


@case(
    "options.boolean.{row}",
    chapter=CHAPTER,
    source=SOL_PAGE,
    basis="documented",
    requirements=["R16.37", "T16.2"],
    gap=LATER,
    rows={
        "conditional-accept": Row("stream", SO_CONDITIONAL_ACCEPT, requirements=["R11.41"]),
        "pause-accept": Row("listening", SO_PAUSE_ACCEPT, requirements=["R11.42"]),
        "randomize-port": Row("stream", SO_RANDOMIZE_PORT),
        "port-scalability": Row("stream", SO_PORT_SCALABILITY),
        "reuse-unicastport": Row("stream", SO_REUSE_UNICASTPORT),
        "reuse-multicastport": Row("datagram", SO_REUSE_MULTICASTPORT),
    },
)
def later_boolean_is_on_then_off(ws: Target, state: str, option: int) -> None:
    """A BOOL that is set TRUE reads as 1, and set FALSE as 0."""
    values = []
    with ws.socket_in(state) as s:
        for value in (1, 0):
            ws.setsockopt(s, SOL_SOCKET, option, value)
            values.append(ws.get_int(s, SOL_SOCKET, option))
    expect("values", expected=[1, 0], actual=values)


@case(
    "options.number.group-priority",
    chapter=CHAPTER,
    source=SOL_PAGE,
    basis="documented",
    requirements=["R16.37", "T16.2"],
    gap=LATER,
)
def group_priority_reads_back(ws: Target) -> None:
    """SO_GROUP_PRIORITY reads back as it was set."""
    with ws.socket_in("stream") as s:
        ws.setsockopt(s, SOL_SOCKET, SO_GROUP_PRIORITY, 2)
        expect("value", expected=2, actual=ws.get_int(s, SOL_SOCKET, SO_GROUP_PRIORITY))


@case(
    "options.state.conditional-accept-after-listen",
    chapter=CHAPTER,
    source="winsock/so-conditional-accept",
    basis="documented",
    requirements=["R11.41", "T16.2"],
    gap=LATER,
)
def conditional_accept_comes_before_listen(ws: Target) -> None:
    """SO_CONDITIONAL_ACCEPT on a listening socket is WSAEINVAL."""
    with ws.socket_in("listening") as s, fails_with(WSAEINVAL):
        ws.setsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, 1)


@case(
    "options.default.connect-time-connected",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, SO_CONNECT_TIME",
    basis="documented",
    requirements=["R11.60", "R16.37", "T16.2"],
    gap=LATER,
)
def connect_time_counts_seconds(ws: Target) -> None:
    """SO_CONNECT_TIME of a new connection is a few seconds at most."""
    with ws.socket_in("connected") as s:
        expect_true("seconds", ws.get_int(s, SOL_SOCKET, SO_CONNECT_TIME) in range(60))


@case(
    "options.default.opentype-needs-no-socket",
    chapter=CHAPTER,
    source="Wine's public test sock.c:simple_server, which passes on Windows",
    basis="observed",
    requirements=["R16.37", "T16.2", "B39", "B40"],
    behaviours=["echo-opentype-set-get", "echo-opentype-thread-default"],
    gap=LATER,
)
def opentype_belongs_to_the_thread(ws: Target) -> None:
    """SO_OPENTYPE is set and read with INVALID_SOCKET, and another thread still has 0."""
    ws.setsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, SO_SYNCHRONOUS_NONALERT)
    here = ws.get_int(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE)
    expect("value here", expected=SO_SYNCHRONOUS_NONALERT, actual=here)
    with ws.thread() as other:
        there = other.call(ws.get_int, INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE)
    expect("value there", expected=0, actual=there)


@case(
    "options.default.bsp-state",
    chapter=CHAPTER,
    source="winsock/so-bsp-state",
    basis="documented",
    requirements=["R11.61", "R16.37", "T16.2"],
    behaviours=["opt-bspstate-unbound"],
    gap=LATER,
)
def bsp_state_of_a_new_socket(ws: Target) -> None:
    """SO_BSP_STATE of a new socket has neither a local nor a remote address, and names type and protocol."""
    with ws.socket_in("stream") as s:
        state = ws.getsockopt(s, SOL_SOCKET, SO_BSP_STATE)
    pointers_and_lengths = [int.from_bytes(state[at : at + size], "little") for at, size in CSADDR_INFO_ADDRESSES]
    expect("addresses and their lengths", expected=[0, 0, 0, 0], actual=pointers_and_lengths)
    kinds = (int.from_bytes(state[32:36], "little"), int.from_bytes(state[36:40], "little"))
    expect("type and protocol", expected=(SOCK_STREAM, IPPROTO_TCP), actual=kinds)


@case(
    "options.default.pvd-config",
    chapter=CHAPTER,
    source=f"{SOL_PAGE}, PVD_CONFIG",
    basis="documented",
    requirements=["R16.37", "T16.2"],
    gap=LATER,
)
def provider_configuration_can_be_read(ws: Target) -> None:
    """PVD_CONFIG is an option that the provider has."""
    with ws.socket_in("stream") as s:
        ws.getsockopt(s, SOL_SOCKET, PVD_CONFIG)


@case(
    "options.set-only.update-accept-context-{row}",
    chapter=CHAPTER,
    source="mswsock/nf-mswsock-acceptex; requirement B40",
    basis="documented",
    requirements=["R16.37", "T16.2", "B40"],
    gap=LATER,
    rows={"bad-handle": Row("closed", WSAENOTSOCK), "not-listening": Row("bound", WSAEINVAL)},
)
def accept_context_needs_a_listening_socket(ws: Target, state: str, code: int) -> None:
    """SO_UPDATE_ACCEPT_CONTEXT wants a listening socket: no socket is WSAENOTSOCK, another one WSAEINVAL."""
    with ws.socket_in("stream") as s, ws.socket_in(state) as listening, fails_with(code):
        ws.setsockopt(s, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, listening.to_bytes(8, "little"))
