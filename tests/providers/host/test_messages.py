"""Datagrams with control data, against what the host says of itself."""

from __future__ import annotations

import socket as host
import struct
import sys
from collections.abc import Iterable

import pytest

from tests.concurrency import until
from tests.loopback import FAMILIES, code_of, elsewhere, fails, loopback, nonblocking, pair, readable, udp, waiting
from winsock2emu import mswsock
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEADDRNOTAVAIL,
    WSAECONNRESET,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENOPROTOOPT,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    IP_ECN,
    IP_ORIGINAL_ARRIVAL_IF,
    IP_PKTINFO,
    IP_PKTINFO_EX,
    IP_RECVTOS,
    IP_RECVTTL,
    IP_TOS,
    IP_TTL,
    IPPROTO_IP,
    IPPROTO_IPV6,
    IPV6_ECN,
    IPV6_HOPLIMIT,
    IPV6_PKTINFO,
    IPV6_PKTINFO_EX,
    IPV6_RECVTCLASS,
    IPV6_TCLASS,
    IPV6_V6ONLY,
    MSG_BCAST,
    MSG_CTRUNC,
    MSG_MCAST,
    MSG_TRUNC,
    SD_RECEIVE,
    SO_BROADCAST,
    SO_RCVTIMEO,
    SOCK_DGRAM,
    SOL_SOCKET,
)
from winsock2emu.defs.controldata import ControlMessage, control_data, control_messages
from winsock2emu.defs.records import ReceivedMessage
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.process import current_process
from winsock2emu.providers.host.datagram import DatagramSocket
from winsock2emu.providers.host.messages import Arrival

pytestmark = pytest.mark.usefixtures("winsock")

ROOM = 300
LEVELS = {AF_INET: IPPROTO_IP, AF_INET6: IPPROTO_IPV6}
LOCAL = {AF_INET: b"\x7f\0\0\1", AF_INET6: bytes(15) + b"\1"}
LOOPBACK_INTERFACE = host.if_nametoindex("lo" if sys.platform == "linux" else "lo0")
ALL = {
    AF_INET: (IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_ECN, IP_PKTINFO_EX, IP_ORIGINAL_ARRIVAL_IF),
    AF_INET6: (IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_RECVTCLASS, IPV6_ECN, IPV6_PKTINFO_EX, IP_ORIGINAL_ARRIVAL_IF),
}


def endpoint(s: int) -> DatagramSocket:
    found = current_process().socket(s).mover
    assert isinstance(found, DatagramSocket)
    return found


def receiver(family: int, options: Iterable[int] = ()) -> int:
    """A bound socket with some options of its own level on."""
    s = udp(family)
    for option in options:
        api.setsockopt(s, LEVELS[family], option, 1)
    return s


def number(value: int) -> bytes:
    return value.to_bytes(4, "little")


def sent(to: int, control: Iterable[ControlMessage] = (), data: bytes = b"data") -> SockAddr:
    """Send a datagram to a socket; the sender's address."""
    family = endpoint(to).family
    s = udp(family)
    assert api.WSASendMsg(s, [data], 0, api.getsockname(to), control_data(control)) == len(data)
    readable(to)
    return api.getsockname(s)


def found(message: ReceivedMessage) -> dict[tuple[int, int], bytes]:
    return {(one.level, one.type): one.data for one in control_messages(message.control)}


# Receiving


@pytest.mark.parametrize("family", FAMILIES)
def test_every_object_that_was_switched_on(family: int) -> None:
    """A datagram with hop limit 55 and traffic class 0x21, from a socket of this machine."""
    level = LEVELS[family]
    to = receiver(family, ALL[family])
    hops, tos = (IP_TTL, IP_TOS) if family == AF_INET else (IPV6_HOPLIMIT, IPV6_TCLASS)
    sender = sent(to, [ControlMessage(level, hops, number(55)), ControlMessage(level, tos, number(0x21))])

    message = mswsock.WSARecvMsg(to, [bytearray(9)], ROOM)

    interface = number(LOOPBACK_INTERFACE)
    assert found(message) == {
        (level, IP_PKTINFO): LOCAL[family] + interface,
        (level, hops): number(55),
        (level, tos): number(0x21),
        (level, IP_ECN): number(1),
        (level, IP_PKTINFO_EX): LOCAL[family] + interface + number(0),
        (level, IP_ORIGINAL_ARRIVAL_IF): interface,
    }
    assert (message.moved, message.address, message.flags) == (4, sender, 0)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_option_that_is_off_again_brings_nothing(family: int) -> None:
    to = receiver(family, ALL[family])
    for option in ALL[family]:
        api.setsockopt(to, LEVELS[family], option, 0)
    sent(to)

    assert mswsock.WSARecvMsg(to, [bytearray(9)], ROOM).control == b""


def test_link_local_addresses_have_a_scope() -> None:
    """No such address need exist: the host's answer is made up here."""
    address = b"\xfe\x80" + bytes(14)
    arrival = Arrival(IPPROTO_IPV6, destination=address, interface=7)

    assert arrival.packet_ex() == address + number(7) + number(7)


def test_options_are_for_datagrams_of_their_own_version() -> None:
    stream = api.socket(AF_INET, 1, 0)
    only6 = udp(AF_INET6)

    for option in ALL[AF_INET]:
        assert code_of(api.getsockopt, stream, IPPROTO_IP, option) == WSAEINVAL
        assert code_of(api.setsockopt, stream, IPPROTO_IP, option, 1) == WSAEINVAL
        assert code_of(api.setsockopt, udp(AF_INET), IPPROTO_IPV6, option, 1) in (WSAENOPROTOOPT, WSAEINVAL)
        assert code_of(api.setsockopt, only6, IPPROTO_IPV6, option, 1) == 0


@pytest.mark.ipv6
def test_a_dual_stack_socket_has_the_objects_of_the_version_that_came() -> None:
    """With the options of both levels on; those of IPv6 alone bring nothing for IPv4."""
    to = api.socket(AF_INET6, SOCK_DGRAM, 0)
    api.setsockopt(to, IPPROTO_IPV6, IPV6_V6ONLY, 0)
    api.setsockopt(to, IPPROTO_IPV6, IPV6_PKTINFO, 1)
    api.bind(to, api.sockaddr_in6("::", 0))
    port = api.getsockname(to).port
    four, six = udp(AF_INET), udp(AF_INET6)

    def message_from(s: int, name: SockAddr) -> list[ControlMessage]:
        api.sendto(s, b"x", 0, name)
        readable(to)
        return control_messages(mswsock.WSARecvMsg(to, [bytearray(9)], ROOM).control)

    six_name, four_name = loopback(AF_INET6, port), loopback(AF_INET, port)
    assert message_from(four, four_name) == []
    api.setsockopt(to, IPPROTO_IP, IP_PKTINFO, 1)
    interface = number(LOOPBACK_INTERFACE)
    assert message_from(four, four_name) == [ControlMessage(IPPROTO_IP, IP_PKTINFO, LOCAL[AF_INET] + interface)]
    assert message_from(six, six_name) == [ControlMessage(IPPROTO_IPV6, IPV6_PKTINFO, LOCAL[AF_INET6] + interface)]


@pytest.mark.parametrize(
    ("room", "objects", "whole"),
    [(0, 0, False), (1, 0, False), (23, 0, False), (24, 1, False), (43, 1, False), (44, 2, True), (48, 2, True)],
)
def test_objects_that_do_not_fit_are_left_out(room: int, objects: int, whole: bool) -> None:
    """Packet information takes 24 bytes, the TTL behind it 20 and fill."""
    to = receiver(AF_INET, (IP_PKTINFO, IP_RECVTTL))
    sender = sent(to)
    if whole:
        message = mswsock.WSARecvMsg(to, [bytearray(9)], room)
    else:
        with fails(WSAEMSGSIZE) as caught:
            mswsock.WSARecvMsg(to, [bytearray(9)], room)
        assert caught.value.received is not None
        message = caught.value.received
        assert (caught.value.moved, caught.value.address) == (4, sender)

    assert message.flags == (0 if whole else MSG_CTRUNC)
    assert (message.moved, message.address) == (4, sender)
    assert [one.type for one in control_messages(message.control)] == [IP_PKTINFO, IP_TTL][:objects]
    assert len(message.control) <= room


def test_data_and_control_data_may_both_be_cut() -> None:
    to = receiver(AF_INET, (IP_PKTINFO,))
    sent(to)
    buffer = bytearray(2)

    with fails(WSAEMSGSIZE) as caught:
        mswsock.WSARecvMsg(to, [buffer])

    assert caught.value.received is not None
    assert (caught.value.received.moved, caught.value.received.flags) == (2, MSG_TRUNC | MSG_CTRUNC)
    assert buffer == b"da"


def test_more_buffers_than_the_host_takes() -> None:
    """1 100 buffers of a byte each."""
    to = receiver(AF_INET, (IP_RECVTTL,))
    sent(to, data=b"0123456789" * 110)
    buffers = [bytearray(1) for _ in range(1100)]

    message = mswsock.WSARecvMsg(to, buffers, ROOM)

    assert message.moved == 1100
    assert b"".join(buffers) == b"0123456789" * 110
    assert len(found(message)) == 1


@pytest.mark.parametrize("first", [True, False], ids=["first message", "later message"])
def test_a_broadcast_is_told(first: bool) -> None:
    """127.255.255.255 is the loopback network's broadcast address; of what came first the host does not tell."""
    if sys.platform != "linux":
        pytest.skip("the loopback network has no broadcast address here")
    to = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.bind(to, api.sockaddr_in("0.0.0.0", 0))
    name = api.getsockname(to)
    if not first:
        assert code_of(mswsock.WSARecvMsg, nonblocking(to), [bytearray(9)]) == WSAEWOULDBLOCK
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.setsockopt(s, SOL_SOCKET, SO_BROADCAST, 1)

    api.sendto(s, b"x", 0, api.sockaddr_in("127.255.255.255", name.port))
    readable(to)

    assert mswsock.WSARecvMsg(to, [bytearray(9)]).flags == (0 if first else MSG_BCAST)
    api.sendto(s, b"x", 0, api.sockaddr_in("127.0.0.1", name.port))
    readable(to)
    assert mswsock.WSARecvMsg(to, [bytearray(9)]).flags == 0


def test_a_multicast_is_told() -> None:
    """Also of a datagram that came before the first message was received; the host joins the group by itself."""
    to = api.socket(AF_INET, SOCK_DGRAM, 0)
    api.bind(to, api.sockaddr_in("0.0.0.0", 0))
    group, local = host.inet_aton("239.255.77.1"), host.inet_aton("127.0.0.1")
    endpoint(to).host.setsockopt(host.IPPROTO_IP, host.IP_ADD_MEMBERSHIP, group + local)
    s = udp(AF_INET)
    endpoint(s).host.setsockopt(host.IPPROTO_IP, host.IP_MULTICAST_IF, local)

    api.sendto(s, b"x", 0, api.sockaddr_in("239.255.77.1", api.getsockname(to).port))
    readable(to)

    assert mswsock.WSARecvMsg(to, [bytearray(9)]).flags == MSG_MCAST


@pytest.mark.parametrize(
    ("level", "destination", "local", "flags"),
    [
        (IPPROTO_IP, "192.0.2.7", "192.0.2.7", 0),
        (IPPROTO_IP, "192.0.2.255", "192.0.2.7", MSG_BCAST),
        (IPPROTO_IP, "192.0.2.255", "0.0.0.0", 0),
        (IPPROTO_IP, "255.255.255.255", "0.0.0.0", MSG_BCAST),
        (IPPROTO_IP, "224.0.0.1", "192.0.2.7", MSG_MCAST),
        (IPPROTO_IP, "239.255.255.255", "0.0.0.0", MSG_MCAST),
        (IPPROTO_IPV6, "2001:db8::1", None, 0),
        (IPPROTO_IPV6, "ff02::1", None, MSG_MCAST),
    ],
)
def test_how_a_datagram_was_addressed(level: int, destination: str, local: str | None, flags: int) -> None:
    packed = host.inet_pton(host.AF_INET if level == IPPROTO_IP else host.AF_INET6, destination)
    arrival = Arrival(level, packed, None if local is None else host.inet_aton(local))

    assert arrival.flags() == flags


def test_a_host_that_tells_nothing_leaves_no_object() -> None:
    arrival = Arrival.of([(99, 1, b"x"), (0, 99, b"")], IPPROTO_IP)

    assert arrival == Arrival(IPPROTO_IP)
    assert (arrival.flags(), arrival.packet(), arrival.packet_ex(), arrival.arrival_interface()) == (
        0,
        None,
        None,
        None,
    )


# Waiting


def test_a_message_is_waited_for() -> None:
    to = receiver(AF_INET, (IP_RECVTTL,))
    buffer = bytearray(9)
    call = elsewhere(mswsock.WSARecvMsg, to, [buffer], ROOM)
    until(waiting(to), "the receive waits")

    sender = api.getsockname(s := udp(AF_INET))
    api.sendto(s, b"data", 0, api.getsockname(to))

    message = call.result()
    assert (message.moved, message.address, buffer[:4]) == (4, sender, b"data")
    assert len(found(message)) == 1


def test_waiting_ends_by_closing_by_time_and_by_shutdown() -> None:
    to = receiver(AF_INET)
    api.setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, 20)
    assert code_of(mswsock.WSARecvMsg, to, [bytearray(9)]) == WSAETIMEDOUT
    api.setsockopt(to, SOL_SOCKET, SO_RCVTIMEO, 0)
    assert code_of(mswsock.WSARecvMsg, nonblocking(to), [bytearray(9)]) == WSAEWOULDBLOCK
    api.ioctlsocket(to, -0x7FFB9982, 0)  # FIONBIO as a signed long
    call = elsewhere(code_of, mswsock.WSARecvMsg, to, [bytearray(9)])
    until(waiting(to), "the receive waits")
    api.shutdown(to, SD_RECEIVE)
    assert call.result() == WSAESHUTDOWN
    other = receiver(AF_INET)
    call = elsewhere(code_of, mswsock.WSARecvMsg, other, [bytearray(9)])
    until(waiting(other), "the receive waits")
    api.closesocket(other)
    assert call.result() == WSAEINTR


def test_a_report_of_the_network_comes_first() -> None:
    """A datagram to a closed port, then one that arrives."""
    to = receiver(AF_INET)
    gone = udp(AF_INET)
    name = api.getsockname(gone)
    api.closesocket(gone)
    api.sendto(to, b"x", 0, name)
    readable(to)
    sent(to)

    assert code_of(mswsock.WSARecvMsg, to, [bytearray(9)]) == WSAECONNRESET
    assert mswsock.WSARecvMsg(to, [bytearray(9)]).moved == 4


# Sending


@pytest.mark.parametrize("family", FAMILIES)
def test_the_source_address_is_the_senders_choice(family: int) -> None:
    """A socket bound to the wildcard; IPv6 has one loopback address only."""
    to = receiver(family)
    s = api.socket(family, SOCK_DGRAM, 0)
    source = "127.0.0.3" if family == AF_INET else "::1"
    packed = host.inet_pton(host.AF_INET if family == AF_INET else host.AF_INET6, source)
    for kind, data in ((IP_PKTINFO, number(0)), (IP_PKTINFO, number(LOOPBACK_INTERFACE)), (IP_PKTINFO_EX, bytes(8))):
        control = control_data([ControlMessage(LEVELS[family], kind, packed + data)])
        api.WSASendMsg(s, [b"data"], 0, api.getsockname(to), control)
        readable(to)
        sender = api.recvfrom(to, bytearray(9))[1]
        assert sender is not None
        assert sender.host == source


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("what", ["address", "interface"])
def test_a_source_that_is_not_there(family: int, what: str) -> None:
    """An address of the documentation's; the interface with the number 999 999."""
    to = receiver(family)
    foreign = host.inet_pton(
        host.AF_INET if family == AF_INET else host.AF_INET6, "192.0.2.1" if family == AF_INET else "2001:db8::1"
    )
    data = foreign + number(0) if what == "address" else LOCAL[family] + number(999_999)
    control = control_data([ControlMessage(LEVELS[family], IP_PKTINFO, data)])

    assert code_of(api.WSASendMsg, udp(family), [b"x"], 0, api.getsockname(to), control) == WSAEADDRNOTAVAIL


@pytest.mark.parametrize("order", [(IP_TOS, IP_ECN), (IP_ECN, IP_TOS)], ids=["class first", "ECN first"])
def test_traffic_class_and_ecn_make_one_byte(order: tuple[int, int]) -> None:
    to = receiver(AF_INET, (IP_RECVTOS,))
    values = {IP_TOS: 0x20, IP_ECN: 2}

    sent(to, [ControlMessage(IPPROTO_IP, kind, number(values[kind])) for kind in order])

    assert found(mswsock.WSARecvMsg(to, [bytearray(9)], ROOM)) == {(IPPROTO_IP, IP_TOS): number(0x22)}


def test_control_data_is_for_one_datagram() -> None:
    to = receiver(AF_INET, (IP_RECVTOS,))
    sent(to, [ControlMessage(IPPROTO_IP, IP_TOS, number(0x20))])
    sent(to)

    values = [found(mswsock.WSARecvMsg(to, [bytearray(9)], ROOM))[IPPROTO_IP, IP_TOS] for _ in range(2)]

    assert values == [number(0x20), number(0)]


@pytest.mark.parametrize(
    "one",
    [
        ControlMessage(IPPROTO_IP, IP_TTL, number(0)),
        ControlMessage(IPPROTO_IP, IP_TTL, number(256)),
        ControlMessage(IPPROTO_IP, IP_TTL, b"\x07\0"),
        ControlMessage(IPPROTO_IP, IP_TOS, number(256)),
        ControlMessage(IPPROTO_IP, IP_TOS, number(0xFFFFFFFF)),
        ControlMessage(IPPROTO_IP, IP_ECN, number(4)),
        ControlMessage(IPPROTO_IP, IP_PKTINFO, bytes(7)),
        ControlMessage(IPPROTO_IPV6, IPV6_PKTINFO, bytes(19)),
        ControlMessage(IPPROTO_IP, IP_ORIGINAL_ARRIVAL_IF, number(1)),
        ControlMessage(SOL_SOCKET, 1, number(1)),
    ],
    ids=repr,
)
def test_control_data_that_cannot_be_sent(one: ControlMessage) -> None:
    to = receiver(AF_INET)

    assert code_of(api.WSASendMsg, udp(AF_INET), [b"x"], 0, api.getsockname(to), control_data([one])) == WSAEINVAL
    assert api.select([to], None, None, (0, 0)) == ([], [], [])


def test_sending_binds_and_the_order_of_the_checks() -> None:
    """Buffers, address, flags, control data."""
    s = api.socket(AF_INET, SOCK_DGRAM, 0)
    to = api.getsockname(receiver(AF_INET))
    assert code_of(api.WSASendMsg, s, None, 0x10, to[:4], b"x") == WSAEFAULT
    assert code_of(api.WSASendMsg, s, [], 0x10, to[:4], b"x") == WSAEINVAL
    assert code_of(api.WSASendMsg, s, [b"x"], 0x8000, to[:4], b"x") == WSAEFAULT
    assert code_of(api.WSASendMsg, s, [b"x"], 0x8000, to, b"x") == WSAEOPNOTSUPP
    assert code_of(api.WSASendMsg, s, [b"x"], 0, to, b"x") == WSAEINVAL
    assert code_of(api.getsockname, s) == WSAEINVAL

    assert api.WSASendMsg(s, [b"a", b"b"], 0, to) == 2

    assert api.getsockname(s).port


def test_a_stream_has_no_messages() -> None:
    client, server = pair()

    assert code_of(api.WSASendMsg, client, [b"x"]) == WSAEINVAL
    assert code_of(mswsock.WSARecvMsg, server, [bytearray(1)]) == WSAEOPNOTSUPP


def test_any_buffer_object_holds_control_data() -> None:
    to = receiver(AF_INET, (IP_RECVTTL,))
    control = memoryview(bytearray(control_data([ControlMessage(IPPROTO_IP, IP_TTL, number(9))])))

    api.WSASendMsg(udp(AF_INET), [b"x"], 0, api.getsockname(to), control)  # type: ignore[arg-type]
    readable(to)

    assert found(mswsock.WSARecvMsg(to, [bytearray(9)], ROOM)) == {(IPPROTO_IP, IP_TTL): number(9)}
    with pytest.raises(TypeError):
        api.WSASendMsg(udp(AF_INET), [b"x"], 0, api.getsockname(to), 7)  # type: ignore[arg-type]


def test_what_the_host_tells_is_read_in_its_own_form() -> None:
    """Packet information of both versions, a hop limit, and a class of one byte."""
    if sys.platform != "linux":
        pytest.skip("the numbers are Linux'")
    packet = struct.pack("=I4s4s", 7, b"\x0a\0\0\1", b"\x0a\0\0\xff")
    four = Arrival.of([(0, 8, packet), (0, 2, struct.pack("=i", 33)), (0, 1, b"\x03")], IPPROTO_IP)
    six = Arrival.of([(41, 50, struct.pack("=16sI", b"\x20" * 16, 9)), (41, 67, struct.pack("=i", 5))], IPPROTO_IPV6)

    assert four == Arrival(IPPROTO_IP, b"\x0a\0\0\xff", b"\x0a\0\0\1", 7, 33, 3)
    assert six == Arrival(IPPROTO_IPV6, b"\x20" * 16, None, 9, None, 5)
