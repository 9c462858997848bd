"""Options of IPv6 sockets: defaults, values, lengths, kinds of sockets, dual-stack sockets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from ipaddress import IPv6Address

from ..addresses import loopback, port_of, sockaddr_in6, wildcard
from ..constants import (
    AF_INET6,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_DONTFRAG,
    IPV6_ECN,
    IPV6_GET_IFLIST,
    IPV6_HDRINCL,
    IPV6_HOPLIMIT,
    IPV6_HOPOPTS,
    IPV6_IFLIST,
    IPV6_MTU,
    IPV6_MTU_DISCOVER,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    IPV6_PKTINFO,
    IPV6_PKTINFO_EX,
    IPV6_PROTECTION_LEVEL,
    IPV6_RECVDSTADDR,
    IPV6_RECVERR,
    IPV6_RECVIF,
    IPV6_RECVRTHDR,
    IPV6_RECVTCLASS,
    IPV6_RTHDR,
    IPV6_UNICAST_HOPS,
    IPV6_UNICAST_IF,
    IPV6_USER_MTU,
    IPV6_V6ONLY,
    IPV6_WFP_REDIRECT_CONTEXT,
    IPV6_WFP_REDIRECT_RECORDS,
    PROTECTION_LEVEL_DEFAULT,
    PROTECTION_LEVEL_EDGERESTRICTED,
    PROTECTION_LEVEL_RESTRICTED,
    PROTECTION_LEVEL_UNRESTRICTED,
    SOCK_DGRAM,
    SOCK_STREAM,
    WSAEADDRNOTAVAIL,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOBUFS,
    WSAENOPROTOOPT,
    WSAENOTCONN,
)
from ..controldata import objects, space
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
)
from ..verify import Failed, expect, expect_true, fails_with, not_applicable, variant

CHAPTER = "IPv6 options"
PAGE = "winsock/ipproto-ipv6-socket-options"
HOP_LIMIT = "powershell: NetTCPIP, Set-NetIPv6Protocol, DefaultHopLimit"
TESTS = "Wine's public test sock.c:test_set_getsockopt, which passes on Windows"
VALIDITY = "Wine's public test sock.c:test_sockopt_validity, which passes on Windows"
OLDER = {WSAEFAULT: "Windows 7 to Windows 10 21H1"}


@contextlib.contextmanager
def ipv6(ws: Target, type: int = SOCK_DGRAM) -> Iterator[int]:
    """A new IPv6 socket; the case is n/a without IPv6."""
    if not ws.has_family(AF_INET6):
        not_applicable("no IPv6 here")
    with ws.closing(ws.socket(AF_INET6, type, 0)) as s:
        yield s


# ---- which sockets have the options ----------------------------------------------------------------------------------


@case(
    "ipv6.validity.{row}",
    chapter=CHAPTER,
    source=VALIDITY,
    basis="observed",
    requirements=["R16.38"],
    rows={
        "unknown": Row(-1, (SET_ONLY,) * 3, behaviours=["optvalid-v6-unknown"]),
        "hopopts": Row(IPV6_HOPOPTS, ALIKE, behaviours=["optvalid-v6-hopopts"]),
        "hdrincl": Row(IPV6_HDRINCL, FOR_RAW, behaviours=["optvalid-v6-hdrincl"]),
        "unicast-hops": Row(IPV6_UNICAST_HOPS, ALIKE, behaviours=["optvalid-v6-unicast-hops"]),
        "dontfrag": Row(IPV6_DONTFRAG, ALIKE, behaviours=["optvalid-v6-dontfrag"]),
        "pktinfo": Row(IPV6_PKTINFO, FOR_MESSAGES, behaviours=["optvalid-v6-pktinfo"]),
        "hoplimit": Row(IPV6_HOPLIMIT, FOR_MESSAGES, behaviours=["optvalid-v6-hoplimit"]),
        "protection-level": Row(IPV6_PROTECTION_LEVEL, ALIKE, behaviours=["optvalid-v6-protection-level"]),
        "recvif": Row(IPV6_RECVIF, FOR_MESSAGES, behaviours=["optvalid-v6-recvif"]),
        "recvdstaddr": Row(IPV6_RECVDSTADDR, FOR_MESSAGES, behaviours=["optvalid-v6-recvdstaddr"]),
        "v6only": Row(IPV6_V6ONLY, ALIKE, behaviours=["optvalid-v6-v6only"]),
        "iflist": Row(IPV6_IFLIST, ALIKE, behaviours=["optvalid-v6-iflist"]),
        "unicast-if": Row(IPV6_UNICAST_IF, ALIKE, behaviours=["optvalid-v6-unicast-if"]),
        "rthdr": Row(IPV6_RTHDR, ALIKE, behaviours=["optvalid-v6-rthdr"]),
        "get-iflist": Row(IPV6_GET_IFLIST, (NOT_HERE,) * 3, behaviours=["optvalid-v6-get-iflist"]),
        "recvrthdr": Row(IPV6_RECVRTHDR, FOR_MESSAGES, behaviours=["optvalid-v6-recvrthdr"]),
        "recvtclass": Row(IPV6_RECVTCLASS, FOR_MESSAGES, behaviours=["optvalid-v6-recvtclass"]),
        "ecn": Row(IPV6_ECN, FOR_MESSAGES, behaviours=["optvalid-v6-ecn"]),
        "pktinfo-ex": Row(IPV6_PKTINFO_EX, FOR_MESSAGES, behaviours=["optvalid-v6-pktinfo-ex"]),
        "wfp-redirect-records": Row(
            IPV6_WFP_REDIRECT_RECORDS, FOR_MESSAGES, behaviours=["optvalid-v6-wfp-redirect-records"]
        ),
        "wfp-redirect-context": Row(
            IPV6_WFP_REDIRECT_CONTEXT, FOR_MESSAGES, behaviours=["optvalid-v6-wfp-redirect-context"]
        ),
        "mtu-discover": Row(IPV6_MTU_DISCOVER, (READ_ONLY,) * 3, behaviours=["optvalid-v6-mtu-discover"]),
        "mtu": Row(IPV6_MTU, ((WSAENOTCONN, 0),) * 3, behaviours=["optvalid-v6-mtu"]),
        "recverr": Row(IPV6_RECVERR, FOR_UDP, behaviours=["optvalid-v6-recverr"]),
        "user-mtu": Row(IPV6_USER_MTU, ALIKE, behaviours=["optvalid-v6-user-mtu"]),
    },
)
def option_by_kind(ws: Target, option: int, outcomes: tuple[Outcome, Outcome, Outcome]) -> None:
    """Reading the option and setting what was read ends like this on TCP, UDP and raw sockets."""
    check(ws, AF_INET6, IPPROTO_IPV6, option, outcomes)


@case(
    "ipv6.wrong-type.on-ipv4",
    chapter=CHAPTER,
    source="winsock/nf-winsock-setsockopt, error WSAENOPROTOOPT",
    basis="documented",
    requirements=["R16.38", "B39", "B40"],
)
def level_is_for_ipv6_sockets(ws: Target) -> None:
    """An option of the level IPPROTO_IPV6 is WSAENOPROTOOPT on an IPv4 socket."""
    with ws.socket_in("datagram") as s:
        with fails_with(WSAENOPROTOOPT, "get"):
            ws.getsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 4)
        with fails_with(WSAENOPROTOOPT, "set"):
            ws.setsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 1)


# ---- values ----------------------------------------------------------------------------------------------------------


@case(
    "ipv6.default.{row}",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
    requirements=["R16.41"],
    rows={
        "v6only": Row(SOCK_DGRAM, IPV6_V6ONLY, 1, requirements=["A65"]),
        "v6only-stream": Row(SOCK_STREAM, IPV6_V6ONLY, 1, requirements=["A65"]),
        "unicast-hops": Row(SOCK_DGRAM, IPV6_UNICAST_HOPS, 128, source=HOP_LIMIT),
        "multicast-hops": Row(SOCK_DGRAM, IPV6_MULTICAST_HOPS, 1),
        "multicast-if": Row(SOCK_DGRAM, IPV6_MULTICAST_IF, 0),
        "multicast-loop": Row(SOCK_DGRAM, IPV6_MULTICAST_LOOP, 1),
        "unicast-if": Row(SOCK_DGRAM, IPV6_UNICAST_IF, 0),
        "dontfrag": Row(SOCK_DGRAM, IPV6_DONTFRAG, 0),
        "hoplimit": Row(SOCK_DGRAM, IPV6_HOPLIMIT, 0),
        "pktinfo": Row(SOCK_DGRAM, IPV6_PKTINFO, 0),
        "mtu-discover": Row(SOCK_DGRAM, IPV6_MTU_DISCOVER, 0),
        "user-mtu": Row(SOCK_DGRAM, IPV6_USER_MTU, -1),
    },
)
def new_socket_shows_the_default(ws: Target, type: int, option: int, value: int) -> None:
    """An option that nobody has set reads as its default."""
    with ipv6(ws, type) as s:
        expect("value", expected=value, actual=ws.get_int(s, IPPROTO_IPV6, option))


@case(
    "ipv6.number.{row}",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
    requirements=["R16.37"],
    rows={
        "unicast-hops": Row(SOCK_DGRAM, IPV6_UNICAST_HOPS, 7),
        "unicast-hops-stream": Row(SOCK_STREAM, IPV6_UNICAST_HOPS, 255),
        "multicast-hops": Row(SOCK_DGRAM, IPV6_MULTICAST_HOPS, 0),
        "multicast-loop": Row(SOCK_DGRAM, IPV6_MULTICAST_LOOP, 0),
        "unicast-if": Row(SOCK_DGRAM, IPV6_UNICAST_IF, 1, requirements=["R5.39"]),
        "dontfrag": Row(SOCK_DGRAM, IPV6_DONTFRAG, 1),
        "v6only": Row(SOCK_STREAM, IPV6_V6ONLY, 0, requirements=["A65"]),
        "user-mtu": Row(SOCK_DGRAM, IPV6_USER_MTU, 1400),
        "protection-unrestricted": Row(SOCK_DGRAM, IPV6_PROTECTION_LEVEL, PROTECTION_LEVEL_UNRESTRICTED),
        "protection-edgerestricted": Row(SOCK_DGRAM, IPV6_PROTECTION_LEVEL, PROTECTION_LEVEL_EDGERESTRICTED),
        "protection-restricted": Row(SOCK_STREAM, IPV6_PROTECTION_LEVEL, PROTECTION_LEVEL_RESTRICTED),
    },
)
def number_reads_back(ws: Target, type: int, option: int, value: int) -> None:
    """The value reads back as it was set."""
    with ipv6(ws, type) as s:
        ws.setsockopt(s, IPPROTO_IPV6, option, value)
        expect("value", expected=value, actual=ws.get_int(s, IPPROTO_IPV6, option))


@case(
    "ipv6.range.{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.38", "A68"],
    rows={
        "unicast-hops": Row(IPV6_UNICAST_HOPS, 0x100, WSAEINVAL, behaviours=["optlen-ipv6-unicast-hops"]),
        "multicast-hops": Row(IPV6_MULTICAST_HOPS, 0x100, WSAEINVAL, behaviours=["optlen-ipv6-multicast-hops"]),
        "protection-level": Row(
            IPV6_PROTECTION_LEVEL, 11, WSAEINVAL, basis="documented", source="winsock/ipv6-protection-level"
        ),
        "unicast-if": Row(IPV6_UNICAST_IF, 0xABACAB, WSAEADDRNOTAVAIL, basis="choice", source=PAGE),
    },
)
def value_out_of_range(ws: Target, option: int, value: int, code: int) -> None:
    """A value that the option does not have is refused and leaves it alone."""
    with ipv6(ws) as s:
        before = ws.get_int(s, IPPROTO_IPV6, option)
        with fails_with(code):
            ws.setsockopt(s, IPPROTO_IPV6, option, value)
        expect("value", expected=before, actual=ws.get_int(s, IPPROTO_IPV6, option))


@case(
    "ipv6.truth.{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.39"],
    rows={
        "dontfrag": Row(SOCK_STREAM, IPV6_DONTFRAG, 1, behaviours=["optlen-ipv6-dontfrag"]),
        "hoplimit": Row(SOCK_DGRAM, IPV6_HOPLIMIT, 1, behaviours=["optlen-ipv6-hoplimit"]),
        "multicast-loop": Row(SOCK_DGRAM, IPV6_MULTICAST_LOOP, 1, behaviours=["optlen-ipv6-multicast-loop"]),
        "pktinfo": Row(SOCK_DGRAM, IPV6_PKTINFO, 1, behaviours=["optlen-ipv6-pktinfo"]),
        "recvtclass": Row(SOCK_DGRAM, IPV6_RECVTCLASS, 1, behaviours=["optlen-ipv6-recvtclass"]),
        "v6only": Row(SOCK_STREAM, IPV6_V6ONLY, 0, behaviours=["optlen-ipv6-v6only"]),
    },
)
def any_nonzero_value_is_true(ws: Target, type: int, option: int, expected: int) -> None:
    """A BOOL set to 0x100 reads as 1; IPV6_V6ONLY looks at the low byte only."""
    with ipv6(ws, type) as s:
        ws.setsockopt(s, IPPROTO_IPV6, option, 0)
        ws.setsockopt(s, IPPROTO_IPV6, option, 0x100)
        expect("value", expected=expected, actual=ws.get_int(s, IPPROTO_IPV6, option))


# ---- lengths ---------------------------------------------------------------------------------------------------------

NARROW = (1, 1, 4, 4)  # what a get with 1, 2, 4 and 8 bytes of room reports
BYTE = (1, 1, 1, 1)
WHOLE = (None, None, 4, 4)  # None: the get fails with WSAEFAULT
LENGTHS = {
    "dontfrag": Row(SOCK_STREAM, IPV6_DONTFRAG, NARROW, behaviours=["optlen-ipv6-dontfrag"]),
    "hoplimit": Row(SOCK_DGRAM, IPV6_HOPLIMIT, WHOLE, behaviours=["optlen-ipv6-hoplimit"]),
    "multicast-hops": Row(SOCK_DGRAM, IPV6_MULTICAST_HOPS, NARROW, behaviours=["optlen-ipv6-multicast-hops"]),
    "multicast-loop": Row(SOCK_DGRAM, IPV6_MULTICAST_LOOP, NARROW, behaviours=["optlen-ipv6-multicast-loop"]),
    "pktinfo": Row(SOCK_DGRAM, IPV6_PKTINFO, WHOLE, behaviours=["optlen-ipv6-pktinfo"]),
    "recvtclass": Row(SOCK_DGRAM, IPV6_RECVTCLASS, WHOLE, behaviours=["optlen-ipv6-recvtclass"]),
    "unicast-hops": Row(SOCK_DGRAM, IPV6_UNICAST_HOPS, NARROW, behaviours=["optlen-ipv6-unicast-hops"]),
    "v6only": Row(SOCK_STREAM, IPV6_V6ONLY, BYTE, behaviours=["optlen-ipv6-v6only"]),
}


@case(
    "ipv6.length.get-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37"],
    rows=LENGTHS,
)
def get_with_other_lengths(ws: Target, type: int, option: int, expected: tuple[int | None, ...]) -> None:
    """With room for 1, 2, 4 and 8 bytes getsockopt reports these lengths, or fails with WSAEFAULT."""
    lengths: list[int | None] = []
    with ipv6(ws, type) as s:
        for room in (1, 2, 4, 8):
            try:
                lengths.append(len(ws.getsockopt(s, IPPROTO_IPV6, option, room)))
            except Failed as failure:
                if failure.code != WSAEFAULT:
                    raise
                lengths.append(None)
        with fails_with(WSAEFAULT, "with no room"):
            ws.getsockopt(s, IPPROTO_IPV6, option, 0)
    expect("lengths", expected=expected, actual=tuple(lengths))


@case(
    "ipv6.length.set-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37"],
    rows=LENGTHS,
    needs_c=True,
)
def set_with_other_lengths(ws: Target, type: int, option: int, lengths: tuple[int | None, ...]) -> None:
    """With lengths 0, 1, 2, 4 and 8 setsockopt is WSAEFAULT where a get with that room is; with -1 WSAENOBUFS."""
    value, codes = ws.c.new(b"\1" + bytes(7)), []
    with ipv6(ws, type) as s:
        for length in (0, 1, 2, 4, 8, -1):
            try:
                ws.c.check("setsockopt", s, IPPROTO_IPV6, option, value.address, length)
                codes.append(0)
            except Failed as failure:
                codes.append(failure.code)
    expected = [WSAEFAULT, *(WSAEFAULT if length is None else 0 for length in lengths)]
    expect("codes for 0, 1, 2, 4, 8", expected=expected, actual=codes[:5])
    variant("code for -1", expected=WSAENOBUFS, allowed=OLDER, actual=codes[5])


@case(
    "ipv6.length.written-{row}",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["R16.37"],
    rows=LENGTHS,
    needs_c=True,
)
def get_of_two_bytes_writes_one(ws: Target, type: int, option: int, lengths: tuple[int | None, ...]) -> None:
    """A get into two bytes writes and reports one, or fails and reports none; -1 is WSAEFAULT and stays."""
    buffer, length = ws.c.new(b"\xee" * 4), ws.c.new(b"\2\0\0\0")
    with ipv6(ws, type) as s:
        ws.setsockopt(s, IPPROTO_IPV6, option, 1)
        failed = ws.c.call("getsockopt", s, IPPROTO_IPV6, option, buffer.address, length.address) != 0
        expect("code", expected=WSAEFAULT if lengths[1] is None else 0, actual=ws.c.last_error if failed else 0)
        written = b"\xee" if failed else b"\1"
        expect("length", expected=0 if failed else 1, actual=length.number())
        expect("buffer", expected=written + b"\xee" * 3, actual=buffer.read())
        length.write(b"\xff" * 4)
        with fails_with(WSAEFAULT):
            ws.c.check("getsockopt", s, IPPROTO_IPV6, option, buffer.address, length.address)
        expect("length", expected=-1, actual=length.number(signed=True))


# ---- when an option may be set ---------------------------------------------------------------------------------------


@case(
    "ipv6.state.{row}-after-bind",
    chapter=CHAPTER,
    source=PAGE,
    basis="documented",
    requirements=["R16.38"],
    rows={
        "v6only": Row(IPV6_V6ONLY, 0, requirements=["A66"]),
        "protection-level": Row(IPV6_PROTECTION_LEVEL, PROTECTION_LEVEL_DEFAULT),
    },
)
def option_comes_before_bind(ws: Target, option: int, value: int) -> None:
    """The option of a bound socket cannot be changed any more: WSAEINVAL."""
    with ipv6(ws) as s:
        ws.bind(s, loopback(AF_INET6))
        with fails_with(WSAEINVAL):
            ws.setsockopt(s, IPPROTO_IPV6, option, value)


# ---- dual-stack sockets ----------------------------------------------------------------------------------------------


@case(
    "ipv6.dual-stack.receives-ipv4",
    chapter=CHAPTER,
    source="winsock/dual-stack-sockets",
    basis="documented",
    requirements=["A65"],
)
def dual_stack_socket_receives_both(ws: Target) -> None:
    """With IPV6_V6ONLY off a wildcard socket receives IPv4 datagrams too, from a mapped address, and can answer."""
    with ipv6(ws) as s, ws.closing(ws.udp()) as source:
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
        ws.bind(s, wildcard(AF_INET6))
        ws.bind(source, loopback())
        ws.sendto(source, b"x", 0, loopback(port=port_of(ws.getsockname(s))))
        ws.wait_readable(s)
        moved, sender = ws.recvfrom(s, bytearray(2))
        expect("received", expected=1, actual=moved)
        expect("sender", expected=IPv6Address("::ffff:127.0.0.1").packed, actual=bytes(sender or b"")[8:24])
        ws.sendto(s, b"answer", 0, sender)
        ws.wait_readable(source)
        expect("answer", expected=6, actual=ws.recv(source, bytearray(8)))


@case(
    "ipv6.dual-stack.only-ipv6-at-first",
    chapter=CHAPTER,
    source="winsock/dual-stack-sockets",
    basis="documented",
    requirements=["A65"],
)
def ipv6_socket_leaves_ipv4_alone(ws: Target) -> None:
    """A new IPv6 socket leaves the IPv4 port of its number free: another socket can be bound to it."""
    with ipv6(ws) as s, ws.closing(ws.udp()) as other:
        ws.bind(s, wildcard(AF_INET6))
        ws.bind(other, wildcard(port=port_of(ws.getsockname(s))))
        ws.sendto(other, b"x", 0, loopback(port=port_of(ws.getsockname(s))))
        ws.wait_readable(other)
        expect_true("nothing arrives at the IPv6 socket", not ws.readable(s))


@case(
    "ipv6.dual-stack.ttl",
    chapter=CHAPTER,
    source=f"winsock/dual-stack-sockets; {HOP_LIMIT}",
    basis="documented",
)
def dual_stack_socket_has_ipv4_options(ws: Target) -> None:
    """IP_TTL of a dual-stack socket reads as 128, and back as it was set."""
    with ipv6(ws) as s:
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, 0)
        expect("new", expected=128, actual=ws.get_int(s, IPPROTO_IP, IP_TTL))
        ws.setsockopt(s, IPPROTO_IP, IP_TTL, 9)
        expect("set", expected=9, actual=ws.get_int(s, IPPROTO_IP, IP_TTL))


@case(
    "ipv6.hops.{row}",
    chapter=CHAPTER,
    source=f"{PAGE}, IPV6_HOPLIMIT; {HOP_LIMIT}",
    basis="documented",
    rows={
        "default": Row(None, 128),
        "set": Row(9, 9),
    },
)
def receiver_sees_the_hop_limit(ws: Target, hops: int | None, expected: int) -> None:
    """WSARecvMsg tells the hop limit that the sender has set, and 128 where it has not."""
    with ipv6(ws) as s, ipv6(ws) as source:
        ws.bind(s, loopback(AF_INET6))
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_HOPLIMIT, 1)
        if hops is not None:
            ws.setsockopt(source, IPPROTO_IPV6, IPV6_UNICAST_HOPS, hops)
        ws.sendto(source, b"x", 0, sockaddr_in6(port=port_of(ws.getsockname(s))))
        ws.wait_readable(s)
        control = objects(ws.WSARecvMsg(s, [bytearray(2)], space(4)).control)
        expected_bytes = expected.to_bytes(4, "little")
        expect("control data", expected={(IPPROTO_IPV6, IPV6_HOPLIMIT): expected_bytes}, actual=control)
