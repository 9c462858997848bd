"""Multicast on IP: groups, sources, interfaces, and who receives what."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address

from ..addresses import host_of, loopback, port_of, sockaddr_in, sockaddr_in6, wildcard
from ..constants import (
    AF_INET,
    AF_INET6,
    IP_ADD_MEMBERSHIP,
    IP_ADD_SOURCE_MEMBERSHIP,
    IP_BLOCK_SOURCE,
    IP_DROP_MEMBERSHIP,
    IP_DROP_SOURCE_MEMBERSHIP,
    IP_MULTICAST_IF,
    IP_MULTICAST_LOOP,
    IP_MULTICAST_TTL,
    IP_UNBLOCK_SOURCE,
    IP_UNICAST_IF,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ADD_MEMBERSHIP,
    IPV6_DROP_MEMBERSHIP,
    IPV6_MULTICAST_HOPS,
    IPV6_MULTICAST_IF,
    IPV6_MULTICAST_LOOP,
    MCAST_BLOCK_SOURCE,
    MCAST_JOIN_GROUP,
    MCAST_JOIN_SOURCE_GROUP,
    MCAST_LEAVE_GROUP,
    MCAST_LEAVE_SOURCE_GROUP,
    MCAST_UNBLOCK_SOURCE,
    SO_REUSE_MULTICASTPORT,
    SO_REUSEADDR,
    SOL_SOCKET,
    WSAEADDRNOTAVAIL,
    WSAEHOSTUNREACH,
    WSAEINVAL,
    WSAENETUNREACH,
)
from ..model import Row, case
from ..target import Target
from ..threads import PATIENCE
from ..validity import FOR_MESSAGES, SET_ONLY, Outcome, check
from ..verify import Failed, expect, expect_true, fails_with, not_applicable

CHAPTER = "Multicast"
IP_PAGE = "winsock/ipproto-ip-socket-options"
IPV6_PAGE = "winsock/ipproto-ipv6-socket-options"
TABLE_PAGE = "winsock/multicast-socket-option-behavior"
VALIDITY = "Wine's public test sock.c:test_sockopt_validity, which passes on Windows"
TESTS = "Wine's public test sock.c:test_set_getsockopt, which passes on Windows"

GROUP, OTHER_GROUP, OWN_GROUP = "239.255.77.1", "239.255.77.2", "239.255.77.3"
GROUP6 = "ff15::7701"
LOOPBACK = "127.0.0.1"
ELSEWHERE = "127.0.0.9"  # a source that nothing comes from
NO_INTERFACE = 0xABACAB

# ---- which sockets have the options ----------------------------------------------------------------------------------

GROUPS_ONLY_SET = (SET_ONLY, SET_ONLY, SET_ONLY)


@case(
    "multicast.validity.ipv4-{row}",
    chapter=CHAPTER,
    source=VALIDITY,
    basis="observed",
    requirements=["R5.38", "R16.38"],
    rows={
        "multicast-if": Row(IP_MULTICAST_IF, FOR_MESSAGES, behaviours=["optvalid-v4-multicast-if"]),
        "multicast-ttl": Row(IP_MULTICAST_TTL, FOR_MESSAGES, behaviours=["optvalid-v4-multicast-ttl"]),
        "multicast-loop": Row(IP_MULTICAST_LOOP, FOR_MESSAGES, behaviours=["optvalid-v4-multicast-loop"]),
        "add-membership": Row(IP_ADD_MEMBERSHIP, GROUPS_ONLY_SET, behaviours=["optvalid-v4-add-membership"]),
        "drop-membership": Row(IP_DROP_MEMBERSHIP, GROUPS_ONLY_SET, behaviours=["optvalid-v4-drop-membership"]),
    },
)
def ipv4_option_by_kind(ws: Target, option: int, outcomes: tuple[Outcome, Outcome, Outcome]) -> None:
    """Reading the option and setting what was read ends like this on TCP, UDP and raw sockets."""
    check(ws, AF_INET, IPPROTO_IP, option, outcomes)


@case(
    "multicast.validity.ipv6-{row}",
    chapter=CHAPTER,
    source=VALIDITY,
    basis="observed",
    requirements=["R16.38"],
    rows={
        "multicast-if": Row(IPV6_MULTICAST_IF, FOR_MESSAGES, behaviours=["optvalid-v6-multicast-if"]),
        "multicast-hops": Row(IPV6_MULTICAST_HOPS, FOR_MESSAGES, behaviours=["optvalid-v6-multicast-hops"]),
        "multicast-loop": Row(IPV6_MULTICAST_LOOP, FOR_MESSAGES, behaviours=["optvalid-v6-multicast-loop"]),
        "add-membership": Row(IPV6_ADD_MEMBERSHIP, GROUPS_ONLY_SET, behaviours=["optvalid-v6-add-membership"]),
        "drop-membership": Row(IPV6_DROP_MEMBERSHIP, GROUPS_ONLY_SET, behaviours=["optvalid-v6-drop-membership"]),
    },
)
def ipv6_option_by_kind(ws: Target, option: int, outcomes: tuple[Outcome, Outcome, Outcome]) -> None:
    """Reading the option and setting what was read ends like this on TCP, UDP and raw sockets."""
    check(ws, AF_INET6, IPPROTO_IPV6, option, outcomes)


@case(
    "multicast.ttl.widths",
    chapter=CHAPTER,
    source=TESTS,
    basis="observed",
    requirements=["A68"],
    behaviours=["opt-mcast-ttl-widths"],
)
def ttl_of_any_width(ws: Target) -> None:
    """IP_MULTICAST_TTL is taken from 1, 2, 3 and 4 bytes, whatever lies behind them."""
    read = []
    with ws.socket_in("datagram") as s:
        for width in (1, 2, 3, 4):
            ws.setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, (10 + width).to_bytes(width, "little"))
            read.append(ws.get_int(s, IPPROTO_IP, IP_MULTICAST_TTL))
    expect("values", expected=[11, 12, 13, 14], actual=read)


@case(
    "multicast.interface.{row}",
    chapter=CHAPTER,
    source=f"{IP_PAGE}, IP_MULTICAST_IF",
    basis="documented",
    requirements=["R5.38", "R5.39"],
    rows={
        "address": Row(IPv4Address(LOOPBACK).packed, IPv4Address(LOOPBACK).packed),
        "index": Row(b"\0\0\0\1", b"\1\0\0\0"),
        "default": Row(bytes(4), bytes(4)),
    },
)
def sending_interface_reads_back(ws: Target, value: bytes, read: bytes) -> None:
    """IP_MULTICAST_IF takes an address, an index written as 0.x.x.x, or 0; an index reads back in host order."""
    with ws.socket_in("datagram") as s:
        ws.setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, IPv4Address(LOOPBACK).packed)
        ws.setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, value)
        expect("value", expected=read, actual=bytes(ws.getsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, 4)))


@case(
    "multicast.interface.unknown-{row}",
    chapter=CHAPTER,
    source="the code of a membership that cannot be, multicast-socket-option-behavior",
    basis="choice",
    requirements=["R5.39"],
    rows={
        "sending": Row(IP_MULTICAST_IF, IPv4Address("192.0.2.99").packed),
        "sending-index": Row(IP_MULTICAST_IF, NO_INTERFACE.to_bytes(4, "big")),
        "joining": Row(
            IP_ADD_MEMBERSHIP,
            IPv4Address(GROUP).packed + IPv4Address("192.0.2.99").packed,
            basis="observed",
            source="reports of Windows programs, such as objectcomputing/quickfast #99",
        ),
        "joining-index": Row(IP_ADD_MEMBERSHIP, IPv4Address(GROUP).packed + NO_INTERFACE.to_bytes(4, "big")),
        "group": Row(
            IP_ADD_MEMBERSHIP,
            IPv4Address("192.0.2.1").packed + bytes(4),
            basis="observed",
            source="reports of Windows programs, such as ozzyonfire/UnityOptitrack #4",
        ),
    },
)
def interface_or_group_that_is_none(ws: Target, option: int, value: bytes) -> None:
    """An interface that this machine does not have, and a group that is none, are WSAEADDRNOTAVAIL."""
    with ws.socket_in("datagram") as s, fails_with(WSAEADDRNOTAVAIL):
        ws.setsockopt(s, IPPROTO_IP, option, value)


@case(
    "multicast.unicast-interface.network-order",
    chapter=CHAPTER,
    source=f"{IP_PAGE}, IP_UNICAST_IF",
    basis="documented",
    requirements=["R5.39"],
)
def unicast_interface_is_set_in_network_order(ws: Target) -> None:
    """IP_UNICAST_IF takes the index in network order and gives it in host order; datagrams go on arriving."""
    with ws.udp_pair() as (a, b):
        ws.setsockopt(a, IPPROTO_IP, IP_UNICAST_IF, b"\0\0\0\1")
        expect("value", expected=1, actual=ws.get_int(a, IPPROTO_IP, IP_UNICAST_IF))
        ws.send(a, b"x")
        ws.wait_readable(b)
        expect("received", expected=1, actual=ws.recv(b, bytearray(2)))


# ---- what may follow what --------------------------------------------------------------------------------------------

Act = tuple[str, str]
"""What is done, and the source it is done with."""

ADD, DROP = ("add", ""), ("drop", "")
ADD_SOURCE, DROP_SOURCE = ("add", "source"), ("drop", "source")
BLOCK, UNBLOCK = ("block", "source"), ("unblock", "source")

TABLE = {
    "add-add": Row([ADD], ADD, WSAEADDRNOTAVAIL, requirements=["A69"]),
    "add-add-source": Row([ADD], ADD_SOURCE, WSAEADDRNOTAVAIL),
    "add-drop-source": Row([ADD], DROP_SOURCE, WSAEINVAL),
    "add-unblock": Row([ADD], UNBLOCK, WSAEINVAL),
    "drop-drop": Row([ADD, DROP], DROP, WSAEINVAL, requirements=["A70"]),
    "drop-drop-source": Row([ADD, DROP], DROP_SOURCE, WSAEINVAL, requirements=["A70"]),
    "drop-block": Row([ADD, DROP], BLOCK, WSAEINVAL),
    "drop-unblock": Row([ADD, DROP], UNBLOCK, WSAEINVAL),
    "add-source-add": Row([ADD_SOURCE], ADD, WSAEADDRNOTAVAIL),
    "add-source-add-source": Row([ADD_SOURCE], ADD_SOURCE, WSAEADDRNOTAVAIL),
    "add-source-unblock": Row([ADD_SOURCE], UNBLOCK, WSAEINVAL),
    "drop-source-unblock": Row([ADD_SOURCE, DROP_SOURCE], UNBLOCK, WSAEINVAL),
    "drop-source-drop-source": Row([ADD_SOURCE, DROP_SOURCE], DROP_SOURCE, WSAEADDRNOTAVAIL, requirements=["A70"]),
    "block-block": Row([ADD, BLOCK], BLOCK, WSAEADDRNOTAVAIL),
    "block-add-source": Row([ADD, BLOCK], ADD_SOURCE, WSAEINVAL),
    "block-add": Row([ADD, BLOCK], ADD, WSAEINVAL),
    "unblock-unblock": Row([ADD, BLOCK, UNBLOCK], UNBLOCK, WSAEADDRNOTAVAIL),
}

BY_ADDRESS = {
    ADD: IP_ADD_MEMBERSHIP,
    DROP: IP_DROP_MEMBERSHIP,
    ADD_SOURCE: IP_ADD_SOURCE_MEMBERSHIP,
    DROP_SOURCE: IP_DROP_SOURCE_MEMBERSHIP,
    BLOCK: IP_BLOCK_SOURCE,
    UNBLOCK: IP_UNBLOCK_SOURCE,
}
BY_RECORD = {
    ADD: MCAST_JOIN_GROUP,
    DROP: MCAST_LEAVE_GROUP,
    ADD_SOURCE: MCAST_JOIN_SOURCE_GROUP,
    DROP_SOURCE: MCAST_LEAVE_SOURCE_GROUP,
    BLOCK: MCAST_BLOCK_SOURCE,
    UNBLOCK: MCAST_UNBLOCK_SOURCE,
}


def by_address(
    ws: Target, s: int, act: Act, group: str = GROUP, source: str = LOOPBACK, interface: str = LOOPBACK
) -> None:
    """Join, leave, block or unblock with the options of IPv4, whose records hold addresses."""
    parts = [group, source, interface] if act[1] else [group, interface]
    ws.setsockopt(s, IPPROTO_IP, BY_ADDRESS[act], b"".join(IPv4Address(part).packed for part in parts))


def by_record(ws: Target, s: int, act: Act, group: bytes, source: bytes, interface: int = 0) -> None:
    """Join, leave, block or unblock with the options of both versions, whose records hold socket addresses."""
    value = struct.pack("<I4x", interface) + group.ljust(128, b"\0")
    if act[1]:
        value += source.ljust(128, b"\0")
    ipv4 = group[0] == AF_INET
    ws.setsockopt(s, IPPROTO_IP if ipv4 else IPPROTO_IPV6, BY_RECORD[act], value)


def go_through(before: list[Act], last: Act, code: int, act: Callable[[Act], None]) -> None:
    """Do some things that succeed, and then one that fails."""
    for step in before:
        act(step)
    with fails_with(code, " ".join(last)):
        act(last)


@case(
    "multicast.table.ipv4-{row}",
    chapter=CHAPTER,
    source=TABLE_PAGE,
    basis="documented",
    requirements=["R5.40", "T5.3", "R5.38"],
    rows=TABLE,
)
def ipv4_membership_after_membership(ws: Target, before: list[Act], last: Act, code: int) -> None:
    """After these options of one IPv4 group and interface, the last one fails with this code."""
    with ws.socket_in("datagram") as s:
        go_through(before, last, code, lambda act: by_address(ws, s, act))


@case(
    "multicast.table.records-{row}",
    chapter=CHAPTER,
    source=TABLE_PAGE,
    basis="documented",
    requirements=["R5.40", "R5.41", "T5.3"],
    rows=TABLE,
)
def membership_by_record_after_membership(ws: Target, before: list[Act], last: Act, code: int) -> None:
    """The protocol-independent options follow the same table for IPv4."""
    group, source = sockaddr_in(GROUP), sockaddr_in(LOOPBACK)
    with ws.socket_in("datagram") as s:
        go_through(before, last, code, lambda act: by_record(ws, s, act, group, source, 1))


@case(
    "multicast.table.ipv6-{row}",
    chapter=CHAPTER,
    source=TABLE_PAGE,
    basis="documented",
    requirements=["R5.40", "R5.41", "T5.3"],
    rows=TABLE,
)
def ipv6_membership_after_membership(ws: Target, before: list[Act], last: Act, code: int) -> None:
    """The protocol-independent options follow the same table for IPv6."""
    group, source = sockaddr_in6(GROUP6), sockaddr_in6("2001:db8::1")
    with ipv6_socket(ws) as s:
        go_through(before, last, code, lambda act: by_record(ws, s, act, group, source))


@case(
    "multicast.table.both-forms-are-one",
    chapter=CHAPTER,
    source=TABLE_PAGE,
    basis="documented",
    requirements=["R5.40", "R5.41"],
)
def forms_of_options_share_the_memberships(ws: Target) -> None:
    """A group joined by address is joined for the options that take records too, and can be left by them."""
    group, source = sockaddr_in(GROUP), sockaddr_in(LOOPBACK)
    with ws.socket_in("datagram") as s:
        by_address(ws, s, ADD)
        with fails_with(WSAEADDRNOTAVAIL):
            by_record(ws, s, ADD, group, source, 1)
        by_record(ws, s, DROP, group, source, 1)
        by_address(ws, s, ADD)


@case(
    "multicast.table.{row}",
    chapter=CHAPTER,
    source=TABLE_PAGE,
    basis="documented",
    requirements=["R5.40"],
    rows={
        "another-group": Row([ADD], ADD, OTHER_GROUP, LOOPBACK),
        "another-source": Row([ADD_SOURCE], ADD_SOURCE, GROUP, ELSEWHERE),
        "rejoining": Row([ADD, DROP], ADD, GROUP, LOOPBACK),
        "rejoining-a-source": Row([ADD_SOURCE, DROP_SOURCE], ADD_SOURCE, GROUP, LOOPBACK),
        "block-again": Row([ADD, BLOCK, UNBLOCK], BLOCK, GROUP, LOOPBACK),
        "block-another": Row([ADD, BLOCK], BLOCK, GROUP, ELSEWHERE),
    },
)
def membership_that_may_follow(ws: Target, before: list[Act], last: Act, group: str, source: str) -> None:
    """Another group, another source, and what has been undone before are no conflicts."""
    with ws.socket_in("datagram") as s:
        for act in before:
            by_address(ws, s, act)
        by_address(ws, s, last, group, source)


@case(
    "multicast.ipv6.mreq-twice",
    chapter=CHAPTER,
    source=f"{IPV6_PAGE}, IPV6_ADD_MEMBERSHIP; {TABLE_PAGE}",
    basis="documented",
    requirements=["R5.40", "A69", "A70"],
)
def ipv6_group_is_joined_and_left_once(ws: Target) -> None:
    """IPV6_ADD_MEMBERSHIP twice is WSAEADDRNOTAVAIL, IPV6_DROP_MEMBERSHIP twice WSAEINVAL."""
    value = IPv6Address(GROUP6).packed + bytes(4)
    with ipv6_socket(ws) as s:
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, value)
        with fails_with(WSAEADDRNOTAVAIL):
            ws.setsockopt(s, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, value)
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, value)
        with fails_with(WSAEINVAL):
            ws.setsockopt(s, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, value)


# ---- who receives what -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def ipv6_socket(ws: Target) -> Iterator[int]:
    """A new UDP socket of IPv6; the case is n/a without IPv6."""
    if not ws.has_family(AF_INET6):
        not_applicable("no IPv6 here")
    with ws.closing(ws.udp(AF_INET6)) as s:
        yield s


@contextlib.contextmanager
def receiver(ws: Target, port: int = 0) -> Iterator[int]:
    """A socket that is bound to a port of any address, which it shares with others of its kind."""
    with ws.closing(ws.udp()) as s:
        ws.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, 1)
        ws.bind(s, wildcard(port=port))
        yield s


@contextlib.contextmanager
def sender(ws: Target) -> Iterator[int]:
    """A socket that sends to groups through the loopback interface."""
    with ws.closing(ws.udp()) as s:
        ws.bind(s, loopback())
        ws.setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, IPv4Address(LOOPBACK).packed)
        yield s


def heard(ws: Target, s: int, source: int, *groups: str, end: str = LOOPBACK) -> list[bytes]:
    """What arrives at ``s`` of datagrams sent to groups, each with the group's name in it.

    They are followed by one to ``end``, the socket itself or a group of its own where others have its port, so that
    nobody has to wait for what does not arrive.
    """
    port = port_of(ws.getsockname(s))
    for group in groups:
        ws.sendto(source, group.encode(), 0, sockaddr_in(group, port))
    ws.sendto(source, b"end", 0, sockaddr_in(end, port))
    found: list[bytes] = []
    while True:
        ws.wait_readable(s)
        room = bytearray(64)
        data = bytes(room[: ws.recv(s, room)])
        if data == b"end":
            return found
        found.append(data)


@case(
    "multicast.receive.members-only",
    chapter=CHAPTER,
    source="winsock/ip-multicast-2",
    basis="documented",
    requirements=["R5.38", "R5.43", "A71"],
)
def only_members_receive(ws: Target) -> None:
    """A socket gets a group's datagrams while it is a member, whatever other sockets of the port have joined."""
    with receiver(ws) as s, sender(ws) as source, receiver(ws, port_of(ws.getsockname(s))) as other:
        by_address(ws, other, ADD)
        by_address(ws, s, ADD, OWN_GROUP)
        expect("before joining", expected=[], actual=heard(ws, s, source, GROUP, end=OWN_GROUP))
        by_address(ws, s, ADD)
        arrived = heard(ws, s, source, GROUP, OTHER_GROUP, end=OWN_GROUP)
        expect("as a member", expected=[GROUP.encode()], actual=arrived)
        by_address(ws, s, DROP)
        expect("after leaving", expected=[], actual=heard(ws, s, source, GROUP, end=OWN_GROUP))


@case(
    "multicast.receive.every-member",
    chapter=CHAPTER,
    source="winsock/using-so-reuseaddr-and-so-exclusiveaddruse",
    basis="documented",
    requirements=["R5.42"],
)
def every_member_receives_everything(ws: Target) -> None:
    """Two sockets with SO_REUSEADDR, bound to one port and members of one group, both get each datagram."""
    with receiver(ws) as a, receiver(ws, port_of(ws.getsockname(a))) as b, sender(ws) as source:
        for s in (a, b):
            by_address(ws, s, ADD)
        where = sockaddr_in(GROUP, port_of(ws.getsockname(a)))
        for data in (b"one", b"two"):
            ws.sendto(source, data, 0, where)
        for s in (a, b):
            received = []
            for _ in range(2):
                ws.wait_readable(s)
                room = bytearray(8)
                received.append(bytes(room[: ws.recv(s, room)]))
            expect("received", expected=[b"one", b"two"], actual=received)


@case(
    "multicast.receive.sender-address",
    chapter=CHAPTER,
    source="winsock/ip-multicast-2",
    basis="documented",
    requirements=["R5.43"],
)
def member_sees_who_sent(ws: Target) -> None:
    """recvfrom tells the sender's own address; a sender needs neither a membership nor SO_BROADCAST."""
    with receiver(ws) as s, sender(ws) as source:
        by_address(ws, s, ADD)
        ws.sendto(source, b"x", 0, sockaddr_in(GROUP, port_of(ws.getsockname(s))))
        ws.wait_readable(s)
        moved, address = ws.recvfrom(s, bytearray(2))
        expect("received", expected=(1, bytes(ws.getsockname(source))), actual=(moved, bytes(address or b"")))


@case(
    "multicast.receive.source-{row}",
    chapter=CHAPTER,
    source=f"{IP_PAGE}, IP_ADD_SOURCE_MEMBERSHIP and IP_BLOCK_SOURCE",
    basis="documented",
    requirements=["R5.40", "R5.38"],
    rows={
        "joined": Row([(ADD_SOURCE, LOOPBACK)], True),
        "another-joined": Row([(ADD_SOURCE, ELSEWHERE)], False),
        "both-joined": Row([(ADD_SOURCE, ELSEWHERE), (ADD_SOURCE, LOOPBACK)], True),
        "dropped": Row([(ADD_SOURCE, ELSEWHERE), (ADD_SOURCE, LOOPBACK), (DROP_SOURCE, LOOPBACK)], False),
        "blocked": Row([(ADD, ""), (BLOCK, LOOPBACK)], False),
        "another-blocked": Row([(ADD, ""), (BLOCK, ELSEWHERE)], True),
        "unblocked": Row([(ADD, ""), (BLOCK, LOOPBACK), (UNBLOCK, LOOPBACK)], True),
    },
)
def sources_decide(ws: Target, acts: list[tuple[Act, str]], arrives: bool) -> None:
    """Data arrives from the sources a member has joined for, and from none that it has blocked."""
    with receiver(ws) as s, sender(ws) as source:
        for act, where in acts:
            by_address(ws, s, act, source=where or LOOPBACK)
        expected = [GROUP.encode()] if arrives else []
        expect("received", expected=expected, actual=heard(ws, s, source, GROUP))


@case(
    "multicast.receive.index",
    chapter=CHAPTER,
    source=f"{IP_PAGE}, IP_ADD_MEMBERSHIP",
    basis="documented",
    requirements=["R5.39"],
)
def membership_by_interface_index(ws: Target) -> None:
    """IP_ADD_MEMBERSHIP takes an interface index written as 0.x.x.x; it is the same membership as by address."""
    loopback_index = "0.0.0.1"
    with receiver(ws) as s, sender(ws) as source:
        by_address(ws, s, ADD, interface=loopback_index)
        with fails_with(WSAEADDRNOTAVAIL):
            by_address(ws, s, ADD)
        expect("received", expected=[GROUP.encode()], actual=heard(ws, s, source, GROUP))


# ---- loopback --------------------------------------------------------------------------------------------------------


@case(
    "multicast.loop.receiver-decides",
    chapter=CHAPTER,
    source="winsock/ip-multicast-2",
    basis="documented",
    requirements=["R5.37", "A67"],
)
def loop_acts_on_the_receiver(ws: Target) -> None:
    """Of two members on one host, the one with IP_MULTICAST_LOOP off gets nothing sent from there, even by itself."""
    with receiver(ws) as on, receiver(ws, port_of(ws.getsockname(on))) as off:
        for s in (on, off):
            by_address(ws, s, ADD)
            ws.setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, IPv4Address(LOOPBACK).packed)
        ws.setsockopt(off, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
        where = sockaddr_in(GROUP, port_of(ws.getsockname(on)))
        for s, data in ((off, b"from off"), (on, b"from on")):
            ws.sendto(s, data, 0, where)
        received = []
        for _ in range(2):
            ws.wait_readable(on)
            room = bytearray(16)
            received.append(bytes(room[: ws.recv(on, room)]))
        expect("received with the loop on", expected=[b"from off", b"from on"], actual=received)
        expect_true("nothing arrives with the loop off", not ws.readable(off, 0.05))


@case(
    "multicast.loop.unicast-arrives",
    chapter=CHAPTER,
    source="winsock/ip-multicast-2",
    basis="documented",
    requirements=["R5.37", "A67"],
)
def loop_is_about_groups_only(ws: Target) -> None:
    """With IP_MULTICAST_LOOP off unicast from this host arrives all the same, and groups again once it is on."""
    with receiver(ws) as s, sender(ws) as source:
        by_address(ws, s, ADD)
        ws.setsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
        expect("with the loop off", expected=[], actual=heard(ws, s, source, GROUP))
        ws.setsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, 1)
        expect("with the loop on", expected=[GROUP.encode()], actual=heard(ws, s, source, GROUP))


@case(
    "multicast.loop.blocking-receive",
    chapter=CHAPTER,
    source="winsock/ip-multicast-2",
    basis="documented",
    requirements=["R5.37"],
)
def blocked_receive_does_not_wake_for_the_loop(ws: Target) -> None:
    """A receive that waits with IP_MULTICAST_LOOP off passes over what was sent to the group from this host."""
    with receiver(ws) as s, sender(ws) as source, ws.thread() as other:
        by_address(ws, s, ADD)
        ws.setsockopt(s, IPPROTO_IP, IP_MULTICAST_LOOP, 0)
        room = bytearray(16)
        pending = other.start(ws.recv, s, room)
        port = port_of(ws.getsockname(s))
        ws.sendto(source, b"to the group", 0, sockaddr_in(GROUP, port))
        expect_true("recv waits", not pending.finished_within(0.05))
        ws.sendto(source, b"to you", 0, loopback(port=port))
        expect("received", expected=b"to you", actual=bytes(room[: pending.result()]))


# ---- a port for groups only ------------------------------------------------------------------------------------------


@case(
    "multicast.port.shared-without-unicast",
    chapter=CHAPTER,
    source="winsock/so-reuse-multicastport",
    basis="documented",
    requirements=["T16.2"],
)
def port_for_multicast_only(ws: Target) -> None:
    """Sockets with SO_REUSE_MULTICASTPORT share a port, get what is sent to their groups, and no unicast."""
    with ws.closing(ws.udp(), ws.udp()) as (a, b), sender(ws) as source:
        for s in (a, b):
            ws.setsockopt(s, SOL_SOCKET, SO_REUSE_MULTICASTPORT, 1)
        ws.bind(a, wildcard())
        port = port_of(ws.getsockname(a))
        ws.bind(b, wildcard(port=port))
        for s in (a, b):
            by_address(ws, s, ADD)
        ws.sendto(source, b"unicast", 0, loopback(port=port))
        ws.sendto(source, b"group", 0, sockaddr_in(GROUP, port))
        for s in (a, b):
            ws.wait_readable(s)
            room = bytearray(16)
            expect("first received", expected=b"group", actual=bytes(room[: ws.recv(s, room)]))
            expect_true("nothing else", not ws.readable(s))


# ---- IPv6 ------------------------------------------------------------------------------------------------------------


@case(
    "multicast.ipv6.members-only",
    chapter=CHAPTER,
    source=f"{IPV6_PAGE}, IPV6_ADD_MEMBERSHIP",
    basis="documented",
    requirements=["R5.41", "A71"],
)
def only_ipv6_members_receive(ws: Target) -> None:
    """A socket gets an IPv6 group's datagrams while it is a member."""
    value = IPv6Address(GROUP6).packed + bytes(4)
    with ipv6_socket(ws) as s, ipv6_socket(ws) as source:
        ws.bind(s, wildcard(AF_INET6))
        expect_true("nothing arrives before joining", not heard_over_ipv6(ws, s, source, 0.05))
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, value)
        expect_true("it arrives at a member", heard_over_ipv6(ws, s, source, PATIENCE))
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0)
        expect_true("nothing arrives with the loop off", not heard_over_ipv6(ws, s, source, 0.05))
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1)
        ws.setsockopt(s, IPPROTO_IPV6, IPV6_DROP_MEMBERSHIP, value)
        expect_true("nothing arrives after leaving", not heard_over_ipv6(ws, s, source, 0.05))


def heard_over_ipv6(ws: Target, s: int, source: int, seconds: float) -> bool:
    """Whether a datagram sent to the group arrives at ``s`` in time; n/a where nothing can be sent to it."""
    try:
        ws.sendto(source, b"group", 0, sockaddr_in6(GROUP6, port_of(ws.getsockname(s))))
    except Failed as failure:
        if failure.code not in (WSAENETUNREACH, WSAEHOSTUNREACH):
            raise
        not_applicable(f"no way to an IPv6 group: {failure}")
    if not ws.readable(s, seconds):
        return False
    room = bytearray(16)
    expect("data", expected=b"group", actual=bytes(room[: ws.recv(s, room)]))
    return True


@case(
    "multicast.ipv6.interface",
    chapter=CHAPTER,
    source=f"{IPV6_PAGE}, IPV6_MULTICAST_IF",
    basis="documented",
    requirements=["R5.39"],
)
def ipv6_sending_interface_is_an_index(ws: Target) -> None:
    """IPV6_MULTICAST_IF takes an index in host order, 0 for the default; an unknown one is WSAEADDRNOTAVAIL."""
    with ipv6_socket(ws) as s:
        for index in (1, 0):
            ws.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, index)
            expect("value", expected=index, actual=ws.get_int(s, IPPROTO_IPV6, IPV6_MULTICAST_IF))
        with fails_with(WSAEADDRNOTAVAIL):
            ws.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, NO_INTERFACE)


@case(
    "multicast.connect.group-as-peer",
    chapter=CHAPTER,
    source="winsock/ip-multicast-2",
    basis="documented",
    requirements=["R5.43"],
)
def group_can_be_the_default_peer(ws: Target) -> None:
    """A UDP socket can be connected to a group, and getpeername tells it; send goes there."""
    with receiver(ws) as s, sender(ws) as source:
        by_address(ws, s, ADD)
        where = sockaddr_in(GROUP, port_of(ws.getsockname(s)))
        ws.connect(source, where)
        expect("peer", expected=GROUP, actual=host_of(ws.getpeername(source)))
        ws.send(source, b"x")
        ws.wait_readable(s)
        expect("received", expected=1, actual=ws.recv(s, bytearray(2)))
