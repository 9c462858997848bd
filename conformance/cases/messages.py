"""Messages: datagrams with control data (WSASendMsg, WSARecvMsg), WSARecvEx, and parts of messages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import attrs

from ..addresses import host_of, loopback, port_of, sockaddr_in, wildcard
from ..constants import (
    AF_INET,
    AF_INET6,
    IP_ADD_MEMBERSHIP,
    IP_ECN,
    IP_HOPLIMIT,
    IP_MULTICAST_IF,
    IP_ORIGINAL_ARRIVAL_IF,
    IP_PKTINFO,
    IP_RECVTOS,
    IP_RECVTTL,
    IP_TCLASS,
    IP_TOS,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ECN,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    IPV6_RECVTCLASS,
    IPV6_TCLASS,
    MSG_BCAST,
    MSG_CTRUNC,
    MSG_MCAST,
    MSG_OOB,
    MSG_PARTIAL,
    MSG_PEEK,
    MSG_TRUNC,
    SD_SEND,
    SIO_GET_EXTENSION_FUNCTION_POINTER,
    SO_BROADCAST,
    SOCK_DGRAM,
    SOL_SOCKET,
    WSA_IO_PENDING,
    WSAEADDRNOTAVAIL,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEWOULDBLOCK,
    XP1_MESSAGE_ORIENTED,
    XP1_PARTIAL_MESSAGE,
)
from ..controldata import control, objects, space
from ..model import Row, case
from ..providers import Provider, protocol
from ..target import Target, flags_of
from ..verify import Failed, expect, expect_true, fails_with, not_applicable, variant

CHAPTER = "Messages"
SENDMSG = "winsock2/nf-winsock2-wsasendmsg"
RECVMSG = "mswsock/nc-mswsock-lpfn_wsarecvmsg"
ONLY_PEEK = f"{RECVMSG}, remarks: MSG_PEEK is the only flag; which code another one gives is open"
RECVEX = "mswsock/nf-mswsock-wsarecvex"
WSAMSG = "ws2def/ns-ws2def-wsamsg"
WSARECV = "winsock2/nf-winsock2-wsarecv"
PKTINFO_TEST = "Wine's public test sock.c:test_ip_pktinfo, which passes on Windows"
CMSG_TEST = "Wine's public test sock.c:test_ipv4_cmsg, which passes on Windows"
PROVIDER = "Microsoft TCP/IP provider, requirement {}"
ROOM = 256
LOOPBACK = bytes((127, 0, 0, 1))
LOOPBACK6 = bytes(15) + b"\1"
GROUP = bytes((239, 255, 77, 77))
MOST_HOPS = 255
WSAID_WSARECVMSG = bytes.fromhex("c8d789f61f6f6b438a53e54fe351c322")


@contextlib.contextmanager
def peers(ws: Target, family: int = AF_INET) -> Iterator[tuple[int, int]]:
    """A connected UDP sender and its bound receiver; n/a when the machine has no address of the family."""
    with ws.closing(ws.udp(family), ws.udp(family)) as (sender, receiver):
        try:
            ws.bind(receiver, loopback(family))
        except Failed:
            if family != AF_INET6:
                raise
            not_applicable("this machine has no IPv6 loopback address")
        ws.connect(sender, ws.getsockname(receiver))
        yield sender, receiver


def arrived(ws: Target, sender: int, receiver: int, data: bytes = b"data") -> None:
    """Send one datagram and wait until it has arrived."""
    ws.send(sender, data)
    ws.wait_readable(receiver)


# ---- receiving -------------------------------------------------------------------------------------------------------


@case(
    "messages.receive.plain",
    chapter=CHAPTER,
    source=PKTINFO_TEST,
    basis="observed",
    requirements=["R7.19"],
    behaviours=["recvmsg-no-control"],
)
def message_without_control_data(ws: Target) -> None:
    """With no option on and no room for control data WSARecvMsg gets a datagram and its sender, and no flag."""
    with peers(ws) as (sender, receiver):
        arrived(ws, sender, receiver)
        buffer = bytearray(16)
        received = ws.WSARecvMsg(receiver, [buffer])
        expect("data", expected=b"data", actual=bytes(buffer[: received.moved]))
        expect("sender", expected=ws.getsockname(sender), actual=received.address)
    expect("control data and flags", expected=(b"", 0), actual=(received.control, received.flags))


@case(
    "messages.receive.scatters",
    chapter=CHAPTER,
    source=f"{RECVMSG}, remarks",
    basis="documented",
    requirements=["R7.1", "R7.3", "R7.5"],
)
def message_fills_the_buffers_in_order(ws: Target) -> None:
    """The buffers of a WSAMSG are filled in their order, each completely; the count is that of all."""
    first, second = bytearray(3), bytearray(8)
    with peers(ws) as (sender, receiver):
        arrived(ws, sender, receiver, b"hello")
        received = ws.WSARecvMsg(receiver, [first, second])
    expect("bytes", expected=5, actual=received.moved)
    expect("buffers", expected=(b"hel", b"lo"), actual=(bytes(first), bytes(second[:2])))


@case(
    "messages.receive.room-for-control-data",
    chapter=CHAPTER,
    source=f"{WSAMSG}, member Control",
    basis="documented",
    requirements=["R7.19"],
)
def room_for_control_data_is_reported_empty(ws: Target) -> None:
    """Without an option the room for control data is not used: its length is 0 afterwards."""
    with peers(ws) as (sender, receiver):
        arrived(ws, sender, receiver)
        received = ws.WSARecvMsg(receiver, [bytearray(16)], ROOM)
    expect("control data", expected=b"", actual=received.control)


@case(
    "messages.receive.option-{row}",
    chapter=CHAPTER,
    source=CMSG_TEST,
    basis="observed",
    requirements=["R7.19", "R7.21"],
    rows={
        "ttl": Row(IP_RECVTTL, IP_TTL, IP_HOPLIMIT, behaviours=["cmsg4-recvttl", "cmsg4-toggle-off"]),
        "pktinfo": Row(IP_PKTINFO, IP_PKTINFO, None, behaviours=["cmsg4-pktinfo", "cmsg4-toggle-off"]),
        "tos": Row(IP_RECVTOS, IP_TOS, IP_TCLASS, behaviours=["cmsg4-recvtos", "cmsg4-toggle-off"]),
    },
)
def option_brings_its_object(ws: Target, option: int, type: int, old_type: int | None) -> None:
    """An option of IPPROTO_IP brings its object with each datagram, reads back as 1, and brings none once it is off."""
    with peers(ws) as (sender, receiver):
        ws.setsockopt(receiver, IPPROTO_IP, option, 1)
        expect("option", expected=1, actual=ws.get_int(receiver, IPPROTO_IP, option))
        arrived(ws, sender, receiver)
        received = ws.WSARecvMsg(receiver, [bytearray(16)], ROOM)
        found = objects(received.control)
        expect("number of objects", expected=1, actual=len(found))
        ((level, kind), data) = next(iter(found.items()))
        old = {} if old_type is None else {(IPPROTO_IP, old_type): "up to Windows 10 1607"}
        variant("level and type", expected=(IPPROTO_IP, type), allowed=old, actual=(level, kind))
        if option == IP_PKTINFO:
            expect("size", expected=8, actual=len(data))
            expect("address", expected=LOOPBACK, actual=data[:4])
            expect_true("there is an interface", int.from_bytes(data[4:], "little"), actual=data)
        else:
            expect("size", expected=4, actual=len(data))
            value = int.from_bytes(data, "little")
            if option == IP_RECVTTL:
                expect_true("TTL", 32 <= value <= MOST_HOPS, actual=value)
            else:
                expect("TOS", expected=0, actual=value)
        ws.setsockopt(receiver, IPPROTO_IP, option, 0)
        arrived(ws, sender, receiver)
        expect("switched off", expected=b"", actual=ws.WSARecvMsg(receiver, [bytearray(16)], ROOM).control)


@case(
    "messages.receive.option-ipv6-{row}",
    chapter=CHAPTER,
    source="winsock/ipproto-ipv6-socket-options",
    basis="documented",
    requirements=["R7.19", "R7.21"],
    rows={
        "hop-limit": Row(IPV6_HOPLIMIT, IPV6_HOPLIMIT, 4),
        "pktinfo": Row(IPV6_PKTINFO, IPV6_PKTINFO, 20),
        "traffic-class": Row(IPV6_RECVTCLASS, IPV6_TCLASS, 4),
        "ecn": Row(IPV6_ECN, IPV6_ECN, 4),
    },
)
def option_of_ipv6_brings_its_object(ws: Target, option: int, type: int, size: int) -> None:
    """An option of IPPROTO_IPV6 brings its object with each datagram, and brings none once it is off."""
    with peers(ws, AF_INET6) as (sender, receiver):
        ws.setsockopt(receiver, IPPROTO_IPV6, option, 1)
        arrived(ws, sender, receiver)
        found = objects(ws.WSARecvMsg(receiver, [bytearray(16)], ROOM).control)
        expect("objects", expected=[(IPPROTO_IPV6, type)], actual=list(found))
        data = found[IPPROTO_IPV6, type]
        expect("size", expected=size, actual=len(data))
        if option == IPV6_PKTINFO:
            expect("address", expected=LOOPBACK6, actual=data[:16])
        elif option == IPV6_HOPLIMIT:
            value = int.from_bytes(data, "little")
            expect_true("hop limit", 32 <= value <= MOST_HOPS, actual=value)
        ws.setsockopt(receiver, IPPROTO_IPV6, option, 0)
        arrived(ws, sender, receiver)
        expect("switched off", expected=b"", actual=ws.WSARecvMsg(receiver, [bytearray(16)], ROOM).control)


@case(
    "messages.receive.option-ipv4-{row}",
    chapter=CHAPTER,
    source="winsock/ipproto-ip-socket-options",
    basis="documented",
    requirements=["R7.19"],
    rows={"ecn": Row(IP_ECN, False), "arrival-interface": Row(IP_ORIGINAL_ARRIVAL_IF, True)},
)
def newer_option_brings_its_object(ws: Target, option: int, interface: bool) -> None:
    """IP_RECVECN brings the two ECN bits, and IP_ORIGINAL_ARRIVAL_IF the index of an interface, in four bytes each."""
    with peers(ws) as (sender, receiver):
        ws.setsockopt(receiver, IPPROTO_IP, option, 1)
        arrived(ws, sender, receiver)
        found = objects(ws.WSARecvMsg(receiver, [bytearray(16)], ROOM).control)
    expect("objects", expected=[(IPPROTO_IP, option)], actual=list(found))
    data = found[IPPROTO_IP, option]
    expect("size", expected=4, actual=len(data))
    expect("is not zero", expected=interface, actual=any(data))


@case(
    "messages.receive.several-objects",
    chapter=CHAPTER,
    source=WSAMSG,
    basis="documented",
    requirements=["R7.21"],
)
def objects_follow_each_other_aligned(ws: Target) -> None:
    """Two options bring two objects, each with a header of 16 bytes and fill up to a multiple of 8."""
    with peers(ws) as (sender, receiver):
        ws.setsockopt(receiver, IPPROTO_IP, IP_PKTINFO, 1)
        ws.setsockopt(receiver, IPPROTO_IP, IP_RECVTTL, 1)
        arrived(ws, sender, receiver)
        received = ws.WSARecvMsg(receiver, [bytearray(16)], ROOM)
    found = objects(received.control)
    expect("number of objects", expected=2, actual=len(found))
    expect("length", expected=space(8) + space(4), actual=len(received.control))
    expect_true("one is the packet information", (IPPROTO_IP, IP_PKTINFO) in found, actual=list(found))


@case(
    "messages.receive.pktinfo-{row}",
    chapter=CHAPTER,
    source=PKTINFO_TEST,
    basis="observed",
    requirements=["R7.19"],
    rows={"bound-to-loopback": Row("127.0.0.1"), "bound-to-wildcard": Row("0.0.0.0")},
)
def packet_information_is_the_destination(ws: Target, host: str) -> None:
    """IP_PKTINFO tells the address that the datagram was sent to, also where the socket is bound to the wildcard."""
    with ws.closing(ws.udp(), ws.udp()) as (sender, receiver):
        ws.bind(receiver, sockaddr_in(host, 0))
        ws.setsockopt(receiver, IPPROTO_IP, IP_PKTINFO, 1)
        ws.sendto(sender, b"data", 0, sockaddr_in("127.0.0.1", port_of(ws.getsockname(receiver))))
        ws.wait_readable(receiver)
        received = ws.WSARecvMsg(receiver, [bytearray(16)], ROOM)
    expect("length", expected=space(8), actual=len(received.control))
    expect("address", expected=LOOPBACK, actual=objects(received.control)[IPPROTO_IP, IP_PKTINFO][:4])


@case(
    "messages.receive.short-control-data",
    chapter=CHAPTER,
    source=f"{WSAMSG}, flag MSG_CTRUNC; {PKTINFO_TEST}",
    basis="documented",
    requirements=["R7.19"],
    behaviours=["recvmsg-short-control-sync"],
)
def control_data_that_does_not_fit(ws: Target) -> None:
    """One byte of room for packet information: WSAEMSGSIZE with MSG_CTRUNC, although the datagram itself is whole."""
    buffer = bytearray(16)
    with peers(ws) as (sender, receiver):
        ws.setsockopt(receiver, IPPROTO_IP, IP_PKTINFO, 1)
        arrived(ws, sender, receiver)
        with fails_with(WSAEMSGSIZE) as caught:
            ws.WSARecvMsg(receiver, [buffer], 1)
    assert caught.received is not None
    expect("bytes and flags", expected=(4, MSG_CTRUNC), actual=(caught.received.moved, caught.received.flags))
    expect("data", expected=b"data", actual=bytes(buffer[:4]))


@case(
    "messages.receive.short-data",
    chapter=CHAPTER,
    source=f"{WSAMSG}, flag MSG_TRUNC; {RECVMSG}",
    basis="documented",
    requirements=["R7.19", "R7.7", "A30"],
)
def datagram_that_does_not_fit(ws: Target) -> None:
    """A datagram that is larger than the buffers: WSAEMSGSIZE with MSG_TRUNC, its first part, and the sender."""
    buffer = bytearray(3)
    with peers(ws) as (sender, receiver):
        arrived(ws, sender, receiver, b"hello")
        with fails_with(WSAEMSGSIZE) as caught:
            ws.WSARecvMsg(receiver, [buffer])
        assert caught.received is not None
        expect("sender", expected=ws.getsockname(sender), actual=caught.received.address)
        expect_true("the rest is lost", not ws.readable(receiver))
    expect("bytes and flags", expected=(3, MSG_TRUNC), actual=(caught.received.moved, caught.received.flags))
    expect("data", expected=b"hel", actual=bytes(buffer))


@case(
    "messages.receive.multicast",
    chapter=CHAPTER,
    source=f"{WSAMSG}, flag MSG_MCAST",
    basis="documented",
    requirements=["R7.19"],
)
def multicast_is_told(ws: Target) -> None:
    """A datagram that was sent to a group comes with MSG_MCAST, and packet information names the group."""
    with ws.closing(ws.udp(), ws.udp()) as (sender, receiver):
        ws.bind(receiver, wildcard())
        ws.setsockopt(receiver, IPPROTO_IP, IP_PKTINFO, 1)
        ws.setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, GROUP + LOOPBACK)
        ws.setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, LOOPBACK)
        group = sockaddr_in(".".join(map(str, GROUP)), port_of(ws.getsockname(receiver)))
        ws.sendto(sender, b"data", 0, group)
        ws.wait_readable(receiver)
        received = ws.WSARecvMsg(receiver, [bytearray(16)], ROOM)
    expect("flags", expected=MSG_MCAST, actual=received.flags)
    expect("address", expected=GROUP, actual=objects(received.control)[IPPROTO_IP, IP_PKTINFO][:4])


@case(
    "messages.receive.broadcast",
    chapter=CHAPTER,
    source=f"{WSAMSG}, flag MSG_BCAST",
    basis="documented",
    requirements=["R7.19"],
)
def broadcast_is_told(ws: Target) -> None:
    """A datagram that was broadcast comes with MSG_BCAST; n/a on a machine without a network to broadcast on."""
    with ws.closing(ws.udp(), ws.udp()) as (sender, receiver):
        ws.bind(receiver, wildcard())
        ws.setsockopt(sender, SOL_SOCKET, SO_BROADCAST, 1)
        everybody = sockaddr_in("255.255.255.255", port_of(ws.getsockname(receiver)))
        try:
            ws.sendto(sender, b"data", 0, everybody)
        except Failed:
            not_applicable("this machine cannot broadcast")
        if not ws.readable(receiver, 0.5):
            not_applicable("a broadcast of this machine does not come back to it")
        received = ws.WSARecvMsg(receiver, [bytearray(16)], ROOM)
    expect("flags", expected=MSG_BCAST, actual=received.flags)


@case(
    "messages.receive.peek",
    chapter=CHAPTER,
    source=f"{RECVMSG}, dwFlags",
    basis="documented",
    requirements=["R7.19", "A31"],
)
def peeked_message_stays(ws: Target) -> None:
    """With MSG_PEEK the datagram and its control data stay; one that does not fit fails and stays as well."""
    with peers(ws) as (sender, receiver):
        ws.setsockopt(receiver, IPPROTO_IP, IP_PKTINFO, 1)
        arrived(ws, sender, receiver)
        with fails_with(WSAEMSGSIZE):
            ws.WSARecvMsg(receiver, [bytearray(2)], ROOM, None, MSG_PEEK)
        peeked = ws.WSARecvMsg(receiver, [bytearray(16)], ROOM, None, MSG_PEEK)
        taken = ws.WSARecvMsg(receiver, [bytearray(16)], ROOM)
        expect("the same again", expected=attrs.evolve(peeked, flags=0), actual=attrs.evolve(taken, flags=0))


@case(
    "messages.receive.unreachable",
    chapter=CHAPTER,
    source=f"{RECVMSG}, error WSAECONNRESET",
    basis="documented",
    requirements=["R16.27"],
)
def message_receive_tells_of_a_closed_port(ws: Target) -> None:
    """After a datagram to a port that nobody has, WSARecvMsg fails with WSAECONNRESET."""
    with ws.closing(ws.udp()) as s:
        ws.bind(s, loopback())
        ws.sendto(s, b"x", 0, ws.dead_address(type=SOCK_DGRAM))
        ws.wait_readable(s)
        with fails_with(WSAECONNRESET):
            ws.WSARecvMsg(s, [bytearray(4)])


@case(
    "messages.receive.refused-{row}",
    chapter=CHAPTER,
    source=RECVMSG,
    basis="documented",
    requirements=["B24"],
    rows={
        "closed": Row("closed", 0, WSAENOTSOCK),
        "unbound": Row("datagram", 0, WSAEINVAL),
        "stream": Row("connected", 0, WSAEOPNOTSUPP, requirements=["R7.19"]),
        "stream-peek": Row("connected", MSG_PEEK, WSAEOPNOTSUPP),
        "unknown-flag": Row("bound-datagram", 0x10, WSAEINVAL, basis="choice", source=ONLY_PEEK),
        "urgent": Row("bound-datagram", MSG_OOB, WSAEOPNOTSUPP, basis="choice", source=ONLY_PEEK),
        "partial": Row("bound-datagram", MSG_PARTIAL, WSAEOPNOTSUPP, basis="choice", source=ONLY_PEEK),
    },
)
def message_receive_is_refused(ws: Target, state: str, flags: int, code: int) -> None:
    """WSARecvMsg is for bound datagram sockets, and MSG_PEEK is its only flag."""
    others = {WSAEINVAL: "requirement B24"} if state == "connected" else {}
    with ws.socket_in(state) as s:
        with contextlib.suppress(Failed):
            ws.nonblocking(s)
        with fails_with(code, variants=others):
            ws.WSARecvMsg(s, [bytearray(4)], 0, None, flags)


@case(
    "messages.receive.short-name",
    chapter=CHAPTER,
    source=f"{RECVMSG}, error WSAEFAULT",
    basis="documented",
    requirements=["B24"],
)
def room_for_the_sender_is_too_small(ws: Target) -> None:
    """Too little room for the sender is WSAEFAULT, and the datagram stays."""
    with peers(ws) as (sender, receiver):
        arrived(ws, sender, receiver)
        with fails_with(WSAEFAULT):
            ws.WSARecvMsg(receiver, [bytearray(16)], 0, 8)
        expect_true("the datagram is there", ws.readable(receiver))


@case(
    "messages.receive.bad-pointer-{row}",
    chapter=CHAPTER,
    source=f"{RECVMSG}, error WSAEFAULT; {PKTINFO_TEST}",
    basis="documented",
    requirements=["B24"],
    needs_c=True,
    rows={
        "message": Row({}, behaviours=["recvmsg-null-header"]),
        "name-with-a-length": Row({"namelen": 16}),
        "control-with-a-length": Row({"Control": b"\x10"}),
        "array": Row({"dwBufferCount": 1, "lpBuffers": 0}),
    },
)
def message_with_a_bad_pointer(ws: Target, members: dict[str, int | bytes]) -> None:
    """No WSAMSG, no name or control buffer although it has a length, and no array of buffers are WSAEFAULT."""
    with peers(ws) as (sender, receiver):
        arrived(ws, sender, receiver)
        given, pointer, count, returned = (ws.c.new(size) for size in (16, 8, 4, 4))
        given.write(WSAID_WSARECVMSG)
        asked = (given.address, 16, pointer.address, 8, returned.address)
        ws.c.check("WSAIoctl", receiver, SIO_GET_EXTENSION_FUNCTION_POINTER, *asked, 0, 0)
        room = ws.c.new(16)
        array = ws.c.new(ws.c.pack("WSABUF", len=16, buf=room.address))
        whole: dict[str, int | bytes] = {"lpBuffers": array.address, "dwBufferCount": 1}
        message = ws.c.new(ws.c.pack("WSAMSG", **(whole | members)))
        with fails_with(WSAEFAULT):
            ws.c.check(
                pointer.number(8), receiver, message.address if members else 0, count.address, 0, 0, returns="int"
            )
        expect_true("the datagram is there", ws.readable(receiver))


@case(
    "messages.receive.overlapped-{row}",
    chapter=CHAPTER,
    source=PKTINFO_TEST,
    basis="observed",
    needs_c=True,
    rows={
        "pktinfo": Row(True, behaviours=["recvmsg-pktinfo-overlapped"]),
        "pending": Row(False, behaviours=["recvmsg-pending-control-untouched"]),
    },
)
def message_is_filled_in_when_the_request_ends(ws: Target, sends: bool) -> None:
    """A WSARecvMsg that pends leaves Control.len alone; when it ends that is the length of one IN_PKTINFO object."""
    with peers(ws) as (sender, receiver):
        ws.setsockopt(receiver, IPPROTO_IP, IP_PKTINFO, 1)
        given, pointer, returned = (ws.c.new(size) for size in (16, 8, 4))
        given.write(WSAID_WSARECVMSG)
        asked = (given.address, 16, pointer.address, 8, returned.address)
        ws.c.check("WSAIoctl", receiver, SIO_GET_EXTENSION_FUNCTION_POINTER, *asked, 0, 0)
        room, beside, overlapped = (ws.c.new(size) for size in (16, ROOM, 32))
        array = ws.c.new(ws.c.pack("WSABUF", len=16, buf=room.address))
        where = ws.c.pack("WSABUF", len=ROOM, buf=beside.address)
        message = ws.c.new(ws.c.pack("WSAMSG", lpBuffers=array.address, dwBufferCount=1, Control=where))
        with fails_with(WSA_IO_PENDING):
            ws.c.check(pointer.number(8), receiver, message.address, 0, overlapped.address, 0, returns="int")
        expect("Control.len", expected=ROOM, actual=message.number(4, 32))
        if sends:
            ws.send(sender, b"data")
            moved, flags = ws.c.new(4), ws.c.new(4)
            ws.c.check("WSAGetOverlappedResult", receiver, overlapped.address, moved.address, 1, flags.address)
            expect("Control.len", expected=space(8), actual=message.number(4, 32))
            found = objects(beside.read(message.number(4, 32)))
            expect("address", expected=LOOPBACK, actual=found[IPPROTO_IP, IP_PKTINFO][:4])


# ---- sending ---------------------------------------------------------------------------------------------------------


@case(
    "messages.send.{row}",
    chapter=CHAPTER,
    source=SENDMSG,
    basis="documented",
    requirements=["R7.20", "R7.2", "R7.1"],
    rows={"to-the-peer": Row(False), "to-an-address": Row(True)},
)
def message_is_one_datagram_of_all_buffers(ws: Target, addressed: bool) -> None:
    """WSASendMsg sends all buffers as one datagram, to the address it names or to the connected peer."""
    with peers(ws) as (connected, receiver), ws.closing(ws.udp()) as free:
        if addressed:
            sent = ws.WSASendMsg(free, [b"hel", b"lo"], 0, ws.getsockname(receiver))
        else:
            sent = ws.WSASendMsg(connected, [b"hel", b"lo"])
        expect("bytes", expected=5, actual=sent)
        ws.wait_readable(receiver)
        buffer = bytearray(16)
        moved, sender = ws.recvfrom(receiver, buffer)
        expect("datagram", expected=b"hello", actual=bytes(buffer[:moved]))
        port = port_of(ws.getsockname(free if addressed else connected))
        expect("sender's port", expected=port, actual=port_of(sender or b""))


@case(
    "messages.send.source-address",
    chapter=CHAPTER,
    source=f"{SENDMSG}, remarks",
    basis="documented",
    requirements=["R7.20", "R7.21"],
)
def packet_information_chooses_the_source(ws: Target) -> None:
    """IP_PKTINFO with an address makes that the source of the datagram, on a socket bound to the wildcard."""
    source = bytes((127, 0, 0, 2))
    with peers(ws) as (_, receiver), ws.closing(ws.udp()) as s:
        ws.bind(s, sockaddr_in("0.0.0.0", 0))
        beside = control(IPPROTO_IP, IP_PKTINFO, source + bytes(4))
        ws.WSASendMsg(s, [b"data"], 0, ws.getsockname(receiver), beside)
        ws.wait_readable(receiver)
        _, sender = ws.recvfrom(receiver, bytearray(16))
    expect("source", expected="127.0.0.2", actual=host_of(sender or b""))


@case(
    "messages.send.hop-limit-{row}",
    chapter=CHAPTER,
    source=f"{WSAMSG}, use of the Control member",
    basis="documented",
    requirements=["R7.21"],
    rows={
        "ipv4": Row(AF_INET, IPPROTO_IP, IP_TTL, IP_RECVTTL),
        "ipv6": Row(AF_INET6, IPPROTO_IPV6, IPV6_HOPLIMIT, IPV6_HOPLIMIT),
    },
)
def control_data_sets_the_hop_limit(ws: Target, family: int, level: int, type: int, option: int) -> None:
    """The hop limit in the control data is the one that the receiver is told, and is the next datagram's no more."""
    with peers(ws, family) as (sender, receiver):
        ws.setsockopt(receiver, level, option, 1)
        limits = []
        for beside in (control(level, type, 77), b""):
            ws.WSASendMsg(sender, [b"data"], 0, None, beside)
            ws.wait_readable(receiver)
            found = objects(ws.WSARecvMsg(receiver, [bytearray(16)], ROOM).control)
            limits += [int.from_bytes(data, "little") for data in found.values()]
    expect("hop limit", expected=77, actual=limits[0])
    expect_true("the next one's is another", limits[1] != limits[0], actual=limits)


@case(
    "messages.send.refused-{row}",
    chapter=CHAPTER,
    source=SENDMSG,
    basis="documented",
    requirements=["B19"],
    rows={
        "closed": Row("closed", 0, WSAENOTSOCK),
        "stream": Row("connected", 0, WSAEINVAL, basis="observed", requirements=["R7.20"]),
        "no-destination": Row("bound-datagram", 0, WSAENOTCONN, requirements=["R7.20"]),
        "unknown-flag": Row("connected-datagram", 0x10, WSAEINVAL),
        "partial": Row("connected-datagram", MSG_PARTIAL, WSAEOPNOTSUPP),
        "urgent": Row("connected-datagram", MSG_OOB, WSAEOPNOTSUPP),
    },
)
def message_send_is_refused(ws: Target, state: str, flags: int, code: int) -> None:
    """WSASendMsg is for datagram sockets with a destination, and takes the flags that the transport has."""
    others = {WSAEOPNOTSUPP: "requirement B19"} if flags == 0x10 else {}
    with ws.socket_in(state) as s, fails_with(code, variants=others):
        ws.WSASendMsg(s, [b"data"], flags)


@case(
    "messages.send.short-name",
    chapter=CHAPTER,
    source=f"{SENDMSG}, error WSAEFAULT",
    basis="documented",
    requirements=["B19"],
)
def destination_is_too_short(ws: Target) -> None:
    """A destination that is shorter than an address is WSAEFAULT."""
    with ws.socket_in("bound-datagram") as s, fails_with(WSAEFAULT):
        ws.WSASendMsg(s, [b"data"], 0, loopback(port=9)[:8])


@case(
    "messages.send.bad-pointer-{row}",
    chapter=CHAPTER,
    source=f"{SENDMSG}, error WSAEFAULT",
    basis="documented",
    requirements=["B19"],
    needs_c=True,
    rows={
        "message": Row({}),
        "name-with-a-length": Row({"namelen": 16}),
        "control-with-a-length": Row({"Control": b"\x10"}),
        "array": Row({"dwBufferCount": 1, "lpBuffers": 0}),
    },
)
def message_to_send_with_a_bad_pointer(ws: Target, members: dict[str, int | bytes]) -> None:
    """No WSAMSG, no name or control buffer although it has a length, and no array of buffers are WSAEFAULT."""
    with peers(ws) as (sender, receiver):
        data, count = ws.c.new(b"data"), ws.c.new(4)
        array = ws.c.new(ws.c.pack("WSABUF", len=4, buf=data.address))
        whole: dict[str, int | bytes] = {"lpBuffers": array.address, "dwBufferCount": 1}
        message = ws.c.new(ws.c.pack("WSAMSG", **(whole | members)))
        with fails_with(WSAEFAULT):
            ws.c.check("WSASendMsg", sender, message.address if members else 0, 0, count.address, 0, 0)
        expect_true("nothing was sent", not ws.readable(receiver))


@case(
    "messages.send.flags-member",
    chapter=CHAPTER,
    source=f"{SENDMSG}, remarks",
    basis="documented",
    needs_c=True,
)
def flags_of_the_message_are_ignored(ws: Target) -> None:
    """dwFlags in the WSAMSG is ignored by WSASendMsg, and left as it is; only the parameter counts."""
    with peers(ws) as (sender, receiver):
        data, count = ws.c.new(b"data"), ws.c.new(4)
        array = ws.c.new(ws.c.pack("WSABUF", len=4, buf=data.address))
        message = ws.c.new(ws.c.pack("WSAMSG", lpBuffers=array.address, dwBufferCount=1, dwFlags=0xFFFF))
        ws.c.check("WSASendMsg", sender, message.address, 0, count.address, 0, 0)
        expect("bytes", expected=4, actual=count.number())
        expect("dwFlags", expected=0xFFFF, actual=message.number(4, 48))
        ws.wait_readable(receiver)


@case(
    "messages.send.bad-control-data-{row}",
    chapter=CHAPTER,
    source=PROVIDER.format("B19"),
    basis="choice",
    requirements=["B19"],
    rows={
        "short-of-a-header": Row(control(IPPROTO_IP, IP_TTL, 7)[:12]),
        "short-length": Row(control(IPPROTO_IP, IP_TTL, 7).replace(b"\x14", b"\x0f", 1)),
        "length-beyond-the-end": Row(control(IPPROTO_IP, IP_TTL, 7).replace(b"\x14", b"\x40", 1)),
        "unknown-type": Row(control(IPPROTO_IP, 9999, 7)),
        "unknown-level": Row(control(9999, IP_TTL, 7)),
        "short-address": Row(control(IPPROTO_IP, IP_PKTINFO, b"\x7f\0\0\1")),
    },
)
def malformed_control_data_is_refused(ws: Target, beside: bytes) -> None:
    """Control data that is malformed or of an unknown kind is WSAEINVAL, and nothing is sent."""
    with peers(ws) as (sender, receiver):
        with fails_with(WSAEINVAL):
            ws.WSASendMsg(sender, [b"data"], 0, None, beside)
        expect_true("nothing was sent", not ws.readable(receiver))


@case(
    "messages.send.foreign-source",
    chapter=CHAPTER,
    source=PROVIDER.format("R7.20"),
    basis="choice",
)
def source_of_another_machine_is_refused(ws: Target) -> None:
    """A source address that this machine does not have (192.0.2.1, of the documentation) is WSAEADDRNOTAVAIL."""
    with peers(ws) as (_, receiver), ws.closing(ws.udp()) as s, fails_with(WSAEADDRNOTAVAIL):
        beside = control(IPPROTO_IP, IP_PKTINFO, bytes((192, 0, 2, 1, 0, 0, 0, 0)))
        ws.WSASendMsg(s, [b"data"], 0, ws.getsockname(receiver), beside)


# ---- WSARecvEx -------------------------------------------------------------------------------------------------------


@case(
    "messages.recvex.{row}",
    chapter=CHAPTER,
    source=RECVEX,
    basis="documented",
    rows={"complete": Row(8, 5, 0), "exact": Row(5, 5, 0), "cut": Row(3, 3, MSG_PARTIAL)},
)
def receive_tells_whether_a_datagram_is_complete(ws: Target, room: int, moved: int, flags: int) -> None:
    """WSARecvEx sets MSG_PARTIAL for a datagram that did not fit, and no flag for a complete one; neither fails."""
    buffer = bytearray(room)
    with peers(ws) as (sender, receiver):
        arrived(ws, sender, receiver, b"hello")
        received = ws.WSARecvEx(receiver, buffer)
        expect_true("nothing is left", not ws.readable(receiver))
    expect("bytes and flags", expected=(moved, flags), actual=(int(received), flags_of(received)))
    expect("data", expected=b"hello"[:moved], actual=bytes(buffer[:moved]))


@case(
    "messages.recvex.stream",
    chapter=CHAPTER,
    source=RECVEX,
    basis="documented",
)
def receive_from_a_stream_is_never_partial(ws: Target) -> None:
    """On a stream WSARecvEx is recv: what fits, 0 at the end, and never MSG_PARTIAL."""
    with ws.connected_pair() as (client, server):
        ws.send_and_settle(client, b"hello")
        ws.shutdown(client, SD_SEND)
        received = [ws.WSARecvEx(server, bytearray(3)) for _ in range(3)]
    expect("bytes", expected=[3, 2, 0], actual=[int(one) for one in received])
    expect("flags", expected=[0, 0, 0], actual=[flags_of(one) for one in received])


@case(
    "messages.recvex.refused-{row}",
    chapter=CHAPTER,
    source=RECVEX,
    basis="documented",
    rows={
        "closed": Row("closed", WSAENOTSOCK),
        "unconnected": Row("stream", WSAENOTCONN),
        "unbound": Row("datagram", WSAEINVAL),
        "nothing-there": Row("nonblocking", WSAEWOULDBLOCK),
    },
)
def receive_ex_fails_as_recv(ws: Target, state: str, code: int) -> None:
    """WSARecvEx fails with the codes of recv."""
    with ws.socket_in("bound-datagram" if state == "nonblocking" else state) as s:
        if state == "nonblocking":
            ws.nonblocking(s)
        with fails_with(code):
            ws.WSARecvEx(s, bytearray(4))


@case(
    "messages.recvex.bad-pointer",
    chapter=CHAPTER,
    source=f"{RECVEX}, error WSAEFAULT",
    basis="documented",
    needs_c=True,
)
def receive_ex_needs_its_pointers(ws: Target) -> None:
    """WSARecvEx without a buffer, or without flags, is WSAEFAULT; both DLLs that export it are the same function."""
    with peers(ws) as (sender, receiver):
        arrived(ws, sender, receiver)
        room, flags = ws.c.new(8), ws.c.new(4)
        for name in ("mswsock.WSARecvEx", "wsock32.WSARecvEx"):
            for where, told in ((0, flags.address), (room.address, 0)):
                with fails_with(WSAEFAULT):
                    ws.c.check(name, receiver, where, 8, told)
        expect("bytes", expected=4, actual=ws.c.check("wsock32.WSARecvEx", receiver, room.address, 8, flags.address))


# ---- parts of messages -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def partial_messages(ws: Target) -> Iterator[int]:
    """A socket of a transport with partial messages, which receives what it sends."""
    info = protocol(
        AF_INET, SOCK_DGRAM, 0, service_flags1=XP1_MESSAGE_ORIENTED | XP1_PARTIAL_MESSAGE, name="Partial messages"
    )
    with ws.provider(Provider(protocols=(info,), messages=True)), ws.closing(ws.socket(AF_INET, SOCK_DGRAM, 0)) as s:
        yield s


@case(
    "messages.partial.send",
    chapter=CHAPTER,
    source="winsock2/ns-winsock2-wsaprotocol_infow, XP1_PARTIAL_MESSAGE; requirement R7.10",
    basis="documented",
    requirements=["R7.10"],
    needs_provider=True,
)
def parts_of_a_message_become_one(ws: Target) -> None:
    """Sends with MSG_PARTIAL are parts of a message, which ends with the first send without the flag."""
    with partial_messages(ws) as s:
        ws.WSASend(s, [b"one "], MSG_PARTIAL)
        ws.WSASend(s, [b"mes", b"sage"], MSG_PARTIAL)
        with fails_with(WSAEWOULDBLOCK):
            ws.WSARecv(s, [bytearray(32)])
        ws.WSASend(s, [b"."])
        ws.WSASend(s, [b"another"])
        buffer = bytearray(32)
        received = ws.WSARecv(s, [buffer])
    expect("message", expected=b"one message.", actual=bytes(buffer[:received]))
    expect("flags", expected=0, actual=flags_of(received))


@case(
    "messages.partial.receive-early",
    chapter=CHAPTER,
    source=f"{WSARECV}, flag MSG_PARTIAL",
    basis="documented",
    requirements=["R7.9", "R7.8"],
    needs_provider=True,
)
def receive_may_ask_for_a_part(ws: Target) -> None:
    """With MSG_PARTIAL a receive gets what has arrived of a message, and the flag until the last part has come."""
    with partial_messages(ws) as s:
        ws.WSASend(s, [b"first "], MSG_PARTIAL)
        buffers = bytearray(32), bytearray(32)
        first = ws.WSARecv(s, [buffers[0]], MSG_PARTIAL)
        ws.WSASend(s, [b"last"])
        last = ws.WSARecv(s, [buffers[1]], MSG_PARTIAL)
    expect("first part", expected=(b"first ", MSG_PARTIAL), actual=(bytes(buffers[0][:first]), flags_of(first)))
    expect("last part", expected=(b"last", 0), actual=(bytes(buffers[1][:last]), flags_of(last)))


@case(
    "messages.partial.rest-follows",
    chapter=CHAPTER,
    source=f"{WSARECV}, flag MSG_PARTIAL",
    basis="documented",
    requirements=["R7.6", "R7.8"],
    needs_provider=True,
)
def rest_of_a_large_message_follows(ws: Target) -> None:
    """A message larger than the buffers is no error: MSG_PARTIAL says that more follows, and is clear at its end."""
    with partial_messages(ws) as s:
        ws.WSASend(s, [b"0123456789"])
        parts = []
        for _ in range(3):
            buffer = bytearray(4)
            received = ws.WSARecv(s, [buffer])
            parts.append((bytes(buffer[:received]), flags_of(received)))
    expect("parts", expected=[(b"0123", MSG_PARTIAL), (b"4567", MSG_PARTIAL), (b"89", 0)], actual=parts)


@case(
    "messages.partial.boundaries-{row}",
    chapter=CHAPTER,
    source=f"{WSARECV}, remarks",
    basis="documented",
    requirements=["R7.12"],
    needs_provider=True,
    rows={"message": Row(0, WSAEWOULDBLOCK), "stream": Row(MSG_PARTIAL, 0)},
)
def flag_decides_between_message_and_stream(ws: Target, flags: int, code: int) -> None:
    """A message-oriented transport waits for the whole message, and with MSG_PARTIAL gives what is there, as a stream.

    Either way a receive does not run on into the next message.
    """
    with partial_messages(ws) as s:
        ws.WSASend(s, [b"whole"])
        ws.WSASend(s, [b"part"], MSG_PARTIAL)
        expect("the whole one", expected=5, actual=int(ws.WSARecv(s, [bytearray(32)], flags)))
        if code:
            with fails_with(code):
                ws.WSARecv(s, [bytearray(32)], flags)
        else:
            expect("the open one", expected=4, actual=int(ws.WSARecv(s, [bytearray(32)], flags)))


@case(
    "messages.partial.recvex",
    chapter=CHAPTER,
    source=RECVEX,
    basis="documented",
    requirements=["R7.9"],
    needs_provider=True,
)
def receive_ex_takes_parts(ws: Target) -> None:
    """WSARecvEx gets what has arrived of a message, with MSG_PARTIAL until its end."""
    with partial_messages(ws) as s:
        ws.WSASend(s, [b"first "], MSG_PARTIAL)
        buffer = bytearray(32)
        received = ws.WSARecvEx(s, buffer)
        expect("first", expected=(b"first ", MSG_PARTIAL), actual=(bytes(buffer[:received]), flags_of(received)))
        ws.WSASend(s, [b"last"])
        received = ws.WSARecvEx(s, buffer)
    expect("last", expected=(b"last", 0), actual=(bytes(buffer[:received]), flags_of(received)))
