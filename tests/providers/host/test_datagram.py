"""Datagrams on the host: addresses, peers, sizes, and the errors that come back from the network."""

from __future__ import annotations

import errno
import socket as host_sockets
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from conformance.addresses import own_host
from tests.concurrency import until
from tests.loopback import (
    FAMILIES,
    NOW,
    PATIENCE,
    arrived,
    code_of,
    elsewhere,
    fails,
    loopback,
    nonblocking,
    readable,
    udp,
    waiting,
    wildcard,
)
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    WSAEACCES,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAECONNRESET,
    WSAEINVAL,
    WSAEMSGSIZE,
    WSAENETRESET,
    WSAENOTCONN,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    AF_INET,
    AF_INET6,
    IPPROTO_ICMP,
    MSG_PEEK,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SIO_UDP_CONNRESET,
    SIO_UDP_NETRESET,
    SO_RCVTIMEO,
    SOCK_DGRAM,
    SOCK_RAW,
    SOL_SOCKET,
)
from winsock2emu.defs.sockaddr import SockAddr
from winsock2emu.process import current_process
from winsock2emu.providers.host.datagram import DatagramSocket
from winsock2emu.providers.host.translate import HOST_FAMILY

pytestmark = pytest.mark.usefixtures("winsock")

linux = pytest.mark.skipif(sys.platform != "linux", reason="the host reports closed ports to connected sockets only")

OFF, ON = b"\0\0\0\0", b"\1\0\0\0"


def unbound(family: int = AF_INET) -> int:
    return api.socket(family, SOCK_DGRAM, 0)


def endpoint(s: int) -> DatagramSocket:
    found = current_process().socket(s).mover
    assert isinstance(found, DatagramSocket)
    return found


@contextmanager
def closed_port(family: int = AF_INET) -> Iterator[SockAddr]:
    """A port that answers every datagram as unreachable; somebody has it, who wants to hear from one peer alone."""
    with host_sockets.socket(HOST_FAMILY[family], host_sockets.SOCK_DGRAM) as holder:
        host = "127.0.0.1" if family == AF_INET else "::1"
        holder.bind((host, 0))
        port = holder.getsockname()[1]
        holder.connect((host, 9))
        yield loopback(family, port)


def settled(s: int, reports: int) -> None:
    """Wait until so many reports of closed ports have come back from the network."""
    there = endpoint(s)

    def collected() -> bool:
        there._drain()
        return len(there.reports) >= reports

    until(collected, f"{reports} reports have come")


# ---------------------------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize("family", FAMILIES)
def test_a_datagram_comes_whole_and_with_its_sender(family: int) -> None:
    """Observed on Windows: udp-sendto-source."""
    senders = [udp(family), udp(family)]
    receiver = udp(family)
    for number, sender in enumerate(senders):
        assert api.sendto(sender, b"x" * (number + 3), 0, api.getsockname(receiver)) == number + 3
    for number, sender in enumerate(senders):
        space = bytearray(10)
        assert api.recvfrom(receiver, space) == (number + 3, api.getsockname(sender))
        assert space == (b"x" * (number + 3)).ljust(10, b"\0")


@pytest.mark.parametrize("family", FAMILIES)
def test_sending_binds(family: int) -> None:
    """R11.23, R11.58; observed on Windows: wsasendto-autobind. Receiving does not bind."""
    s, receiver = unbound(family), udp(family)
    with fails(WSAEINVAL):
        api.getsockname(s)
    with fails(WSAEINVAL):
        api.recv(s, bytearray(1))
    with fails(WSAEINVAL):
        api.recvfrom(s, bytearray(1))
    api.sendto(s, b"x", 0, api.getsockname(receiver))
    name = api.getsockname(s)
    assert name == wildcard(family, name.port)
    assert name.port
    with fails(WSAEINVAL):
        api.bind(s, loopback(family))
    sender = api.recvfrom(receiver, bytearray(1))[1]
    assert sender == loopback(family, name.port)
    api.sendto(receiver, b"answer", 0, sender)
    assert api.recv(s, bytearray(10)) == 6


@pytest.mark.parametrize("size", [0, 1, 1472, 1473, 9000, 65507])
def test_every_size_up_to_the_largest(size: int) -> None:
    """A35, A88; 0 is a datagram, not an end."""
    sender, receiver = udp(), udp()
    data = bytes(index % 251 for index in range(size))
    for _ in range(2):
        assert api.sendto(sender, data, 0, api.getsockname(receiver)) == size
        space = bytearray(size + 1)
        assert api.recvfrom(receiver, space) == (size, api.getsockname(sender))
        assert space[:size] == data


@pytest.mark.parametrize("family", FAMILIES)
def test_more_than_a_datagram_holds_is_refused_and_sent_by_nobody(family: int) -> None:
    """R16.25, A35; and the refusal leaves nothing behind that would keep the socket awake."""
    sender, receiver = udp(family), udp(family)
    largest = 65507 if family == AF_INET else 65527
    for data in ([bytes(largest + 1)], [bytes(70_000)], [bytes(1000)] * 66):
        with fails(WSAEMSGSIZE):
            api.WSASendTo(sender, data, 0, api.getsockname(receiver))
    api.connect(sender, api.getsockname(receiver))
    with fails(WSAEMSGSIZE):
        api.send(sender, bytes(largest + 1))
    assert api.select([sender, receiver], None, None, NOW) == ([], [], [])
    assert_asleep(sender)
    api.send(sender, b"x")
    assert api.recv(receiver, bytearray(10)) == 1


@pytest.mark.parametrize("room", [0, 1, 4])
@pytest.mark.parametrize("flags", [0, MSG_PEEK])
def test_a_datagram_that_does_not_fit(room: int, flags: int) -> None:
    """R7.6, R7.7, A30, A31: the first part, how much, and from whom; a peek leaves it there, a receive does not."""
    sender, receiver = udp(), udp()
    api.sendto(sender, b"abcde", 0, api.getsockname(receiver))
    for _ in range(2 if flags else 1):
        space = bytearray(room)
        with fails(WSAEMSGSIZE) as caught:
            api.recvfrom(receiver, space, flags)
        assert (caught.value.moved, caught.value.address) == (room, api.getsockname(sender))
        assert space == b"abcde"[:room]
        if flags:
            with fails(WSAEMSGSIZE):
                api.recv(receiver, bytearray(room), flags)
    if flags:
        assert api.recv(receiver, bytearray(5)) == 5
    assert code_of(api.recv, nonblocking(receiver), bytearray(10)) == WSAEWOULDBLOCK


def test_an_empty_datagram_is_received_as_such() -> None:
    """A88: also where nothing fits, and it is taken."""
    sender, receiver = udp(), udp()
    for space in (bytearray(5), bytearray()):
        api.sendto(sender, b"", 0, api.getsockname(receiver))
        readable(receiver)
        assert api.recvfrom(receiver, space) == (0, api.getsockname(sender))
    assert code_of(api.recv, nonblocking(receiver), bytearray(1)) == WSAEWOULDBLOCK


def test_many_peers_are_told_apart() -> None:
    """Addresses that have been checked are remembered, and only those."""
    receiver = udp()
    names = {}
    for index in range(100):
        sender = udp()
        api.sendto(sender, bytes((index,)), 0, api.getsockname(receiver))
        names[index] = api.getsockname(sender)
    for _ in names:
        space = bytearray(1)
        sender_name = api.recvfrom(receiver, space)[1]
        assert sender_name == names[space[0]]
        for _ in range(2):
            assert api.sendto(receiver, b"back", 0, sender_name) == 4
    for _ in range(3):
        for bad in (loopback(AF_INET, 0), wildcard(AF_INET, 9)):
            with fails(WSAEADDRNOTAVAIL):
                api.sendto(receiver, b"x", 0, bad)
        with fails(WSAEACCES):
            api.sendto(receiver, b"x", 0, api.sockaddr_in("255.255.255.255", 9))


@pytest.mark.ipv6
def test_an_address_known_to_one_family_is_none_of_the_other() -> None:
    four, six = udp(), udp(AF_INET6)
    api.sendto(four, b"x", 0, api.getsockname(four))
    with fails(WSAEAFNOSUPPORT):
        api.sendto(six, b"x", 0, api.getsockname(four).ljust(28, b"\0"))


# -------------------------------------------------------------------------------------------------------------- peers


@pytest.mark.parametrize("family", FAMILIES)
def test_a_peer_is_where_sends_go_and_receives_come_from(family: int) -> None:
    """R11.24, R11.27: at once, filtered, and left for one datagram by sendto."""
    s, peer, other = unbound(family), udp(family), udp(family)
    with fails(WSAENOTCONN):
        api.getpeername(s)
    api.connect(s, api.getsockname(peer))
    assert api.getpeername(s) == api.getsockname(peer)
    assert api.getsockname(s).host == loopback(family).host
    api.send(s, b"to the peer")
    api.sendto(s, b"to the other", 0, api.getsockname(other))
    api.sendto(s, b"to the peer again", 0, None)
    assert api.recvfrom(peer, bytearray(50)) == (11, api.getsockname(s))
    assert api.recvfrom(other, bytearray(50)) == (12, api.getsockname(s))
    assert api.recv(peer, bytearray(50)) == 17
    api.sendto(other, b"from the other", 0, api.getsockname(s))
    api.sendto(peer, b"from the peer", 0, api.getsockname(s))
    assert api.recvfrom(s, bytearray(50)) == (13, api.getsockname(peer))
    assert code_of(api.recv, nonblocking(s), bytearray(50)) == WSAEWOULDBLOCK


def test_another_peer_discards_what_the_first_one_sent() -> None:
    """R11.24; the same one again does not."""
    s, first, second = udp(), udp(), udp()
    for old, new, left in ((first, first, 3), (first, second, 0)):
        api.connect(s, api.getsockname(old))
        for _ in range(3):
            api.sendto(old, b"old", 0, api.getsockname(s))
        arrived(s, 3)
        api.connect(s, api.getsockname(new))
        assert [code_of(api.recv, nonblocking(s), bytearray(9)) for _ in range(left + 1)] == [0] * left + [
            WSAEWOULDBLOCK
        ]
    api.sendto(second, b"new", 0, api.getsockname(s))
    api.ioctlsocket(s, api.FIONBIO, 0)
    assert api.recvfrom(s, bytearray(9)) == (3, api.getsockname(second))


def test_zeros_of_another_family_are_refused_and_leave_the_peer() -> None:
    """The family is looked at first: such an address is no wish to end the association."""
    s, peer = udp(AF_INET6), udp(AF_INET6)
    api.connect(s, api.getsockname(peer))
    with fails(WSAEAFNOSUPPORT):
        api.connect(s, bytes([AF_INET, 0]) + bytes(26))
    assert api.getpeername(s) == api.getsockname(peer)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("bound", [True, False], ids=["bound", "unbound"])
@pytest.mark.parametrize("name", ["all zero", "no address", "no family"])
def test_a_peer_is_taken_away_by_zeros(family: int, bound: bool, name: str) -> None:
    """R11.25, B9: whatever the family word says. The port stays, and so does everything with an address."""
    size = len(loopback(family))
    zeros = {
        "all zero": bytes(size),
        "no address": loopback(family)[:2] + bytes(size - 2),
        "no family": b"\0\0" + bytes(loopback(family, 9))[2:],
    }[name]
    s, peer = (udp if bound else unbound)(family), udp(family)
    api.connect(s, api.getsockname(peer))
    port = api.getsockname(s).port
    api.connect(s, zeros)
    assert api.getsockname(s).port == port
    with fails(WSAENOTCONN):
        api.getpeername(s)
    with fails(WSAENOTCONN):
        api.send(s, b"x")
    with fails(WSAENOTCONN):
        api.sendto(s, b"x", 0, None)
    with fails(WSAENOTCONN):
        api.recv(s, bytearray(1))
    with fails(WSAENOTCONN):
        api.WSARecv(s, [bytearray(1)])
    other = udp(family)
    api.sendto(other, b"anybody", 0, loopback(family, port))
    assert api.recvfrom(s, bytearray(10)) == (7, api.getsockname(other))
    api.sendto(s, b"x", 0, api.getsockname(peer))
    assert api.recvfrom(peer, bytearray(1)) == (1, loopback(family, port))
    api.connect(s, api.getsockname(peer))
    api.sendto(peer, b"again", 0, loopback(family, port))
    assert api.recv(s, bytearray(10)) == 5


def test_taking_away_a_peer_that_is_not_there() -> None:
    s = udp()
    api.connect(s, bytes(16))
    api.sendto(s, b"self", 0, api.getsockname(s))
    assert api.recv(s, bytearray(9)) == 4
    fresh = unbound()
    api.connect(fresh, bytes(16))
    with fails(WSAEINVAL):
        api.getsockname(fresh)


def test_the_peer_s_name_is_a_name() -> None:
    """What lay behind the address in the caller's structure is not part of it."""
    s, peer = udp(), udp()
    api.connect(s, api.getsockname(peer)[:8] + b"\xee" * 120)
    assert api.getpeername(s) == api.getsockname(peer)


def test_ending_a_direction() -> None:
    """R12.3, R12.9: without a peer, and datagrams go on arriving."""
    s, peer = udp(), udp()
    api.shutdown(s, SD_SEND)
    for to in (api.getsockname(peer), loopback(AF_INET, 0)):
        with fails(WSAESHUTDOWN):
            api.sendto(s, b"x", 0, to)
    api.sendto(peer, b"still", 0, api.getsockname(s))
    assert api.recv(s, bytearray(9)) == 5
    api.shutdown(s, SD_BOTH)
    with fails(WSAESHUTDOWN):
        api.recv(s, bytearray(1))
    with fails(WSAESHUTDOWN):
        api.recvfrom(s, bytearray(1))
    assert api.sendto(peer, b"queued", 0, api.getsockname(s)) == 6
    api.connect(peer, api.getsockname(s))
    api.shutdown(peer, SD_SEND)
    with fails(WSAESHUTDOWN):
        api.send(peer, b"x")


def test_ending_to_receive_ends_receives_that_wait() -> None:
    """R12.10: 0 bytes would be a datagram."""
    s = udp()
    receiving = [elsewhere(api.recvfrom, s, bytearray(1)) for _ in range(2)]
    until(waiting(s), "a receive waits")
    api.shutdown(s, SD_RECEIVE)
    assert [getattr(call.failure(), "winerror", None) for call in receiving] == [WSAESHUTDOWN] * 2


# ------------------------------------------------------------------------------------------------- unreachable ports


@linux
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "unconnected"])
def test_a_closed_port_is_told_to_the_next_receive_once(family: int, connected: bool) -> None:
    """A32, R9.33: on both kinds of sockets."""
    s = udp(family)
    with closed_port(family) as nobody:
        if connected:
            api.connect(s, nobody)
            api.send(s, b"x")
        else:
            api.sendto(s, b"x", 0, nobody)
        readable(s)
        with fails(WSAECONNRESET):
            api.recv(s, bytearray(1))
        assert code_of(api.recvfrom, nonblocking(s), bytearray(1)) == WSAEWOULDBLOCK
        assert api.select([s], None, None, NOW) == ([], [], [])


@linux
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("connected", [True, False], ids=["connected", "unconnected"])
def test_sending_never_fails_for_a_closed_port(family: int, connected: bool) -> None:
    """A34: each datagram is sent, and each is reported to one receive."""
    s, receiver = udp(family), udp(family)
    with closed_port(family) as nobody:
        if connected:
            api.connect(s, nobody)
        for number in range(5):
            assert (api.send(s, b"x") if connected else api.sendto(s, b"x", 0, nobody)) == 1
            if not connected:
                # Between them one that arrives, and that the host would have refused as well.
                assert api.sendto(s, bytes((number,)), 0, api.getsockname(receiver)) == 1
        settled(s, 5)
        nonblocking(s)
        codes = [code_of(api.recv, s, bytearray(1)) for _ in range(7)]
        assert codes == [WSAECONNRESET] * 5 + [WSAEWOULDBLOCK] * 2
    if not connected:
        for number in range(5):
            space = bytearray(1)
            assert api.recv(receiver, space) == 1
            assert space == bytes((number,))


@linux
def test_reports_and_datagrams_are_both_received() -> None:
    """Reports first, and no datagram is lost to one."""
    s, peer = udp(), udp()
    with closed_port() as nobody:
        api.sendto(peer, b"before", 0, api.getsockname(s))
        api.sendto(s, b"x", 0, nobody)
        api.sendto(peer, b"after", 0, api.getsockname(s))
        settled(s, 1)
        with fails(WSAECONNRESET):
            api.recvfrom(s, bytearray(10))
        assert [api.recv(s, bytearray(10)) for _ in range(2)] == [6, 5]


@linux
@pytest.mark.parametrize("family", FAMILIES)
def test_a_closed_port_ends_a_receive_that_waits(family: int) -> None:
    s = udp(family)
    receiving = elsewhere(api.recvfrom, s, bytearray(1))
    until(waiting(s), "the receive waits")
    with closed_port(family) as nobody:
        api.sendto(s, b"x", 0, nobody)
        assert getattr(receiving.failure(), "winerror", None) == WSAECONNRESET


@linux
def test_a_report_that_a_send_comes_across_ends_a_receive_that_waits() -> None:
    """Whichever thread the host tells it to, it is the receive's."""
    for _ in range(20):
        s = udp()
        receiving = elsewhere(api.recvfrom, s, bytearray(1))
        until(waiting(s), "the receive waits")
        with closed_port() as nobody:
            api.connect(s, nobody)
            for _ in range(10):
                api.send(s, b"x")
        assert getattr(receiving.failure(), "winerror", None) == WSAECONNRESET
        api.closesocket(s)


@linux
def test_a_report_is_not_missed_by_a_receive_that_is_about_to_wait() -> None:
    """Between its try, which has found nothing, and its place in the queue, another thread's send comes across it."""
    s = udp()
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 5000)
    there = endpoint(s)

    def find_nothing(*arguments: Any) -> Any:
        there.reports.append(WSAECONNRESET)
        there._look_again()
        raise BlockingIOError

    there.receive_now = find_nothing
    with fails(WSAECONNRESET):
        api.recv(s, bytearray(1))


@linux
def test_select_sees_a_report() -> None:
    """A receive would return at once; also when a select waits already, and when a send has come across it."""
    s, receiver = udp(), udp()
    selecting = elsewhere(api.select, [s], None, None, PATIENCE)
    with closed_port() as nobody:
        api.sendto(s, b"x", 0, nobody)
        assert selecting.result() == ([s], [], [])
        api.sendto(s, b"x", 0, api.getsockname(receiver))
        assert api.select([s], [s], [s], NOW) == ([s], [s], [])
        with fails(WSAECONNRESET):
            api.recv(s, bytearray(1))
        assert api.select([s], [s], [s], NOW) == ([], [s], [])


@linux
@pytest.mark.parametrize("family", FAMILIES)
def test_reports_can_be_switched_off_and_on(family: int) -> None:
    """R9.33: then a closed port is nothing, to calls that wait as well."""
    s, receiver = udp(family), udp(family)
    api.WSAIoctl(s, SIO_UDP_CONNRESET, OFF)
    with closed_port(family) as nobody:
        for _ in range(5):
            assert api.sendto(s, b"x", 0, nobody) == 1
            assert api.sendto(s, b"y", 0, api.getsockname(receiver)) == 1
        assert [api.recv(receiver, bytearray(1)) for _ in range(5)] == [1] * 5
        nonblocking(s)
        assert code_of(api.recv, s, bytearray(1)) == WSAEWOULDBLOCK
        assert api.select([s], None, None, (0, 20_000)) == ([], [], [])
        assert_asleep(s)
        api.WSAIoctl(s, SIO_UDP_CONNRESET, ON)
        api.sendto(s, b"x", 0, nobody)
        settled(s, 1)
        with fails(WSAECONNRESET):
            api.recv(s, bytearray(1))


def assert_asleep(s: int) -> None:
    """A blocking receive on this socket costs no processor time while it waits."""
    api.ioctlsocket(s, api.FIONBIO, 0)
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 150)
    began = time.thread_time()
    with fails(WSAETIMEDOUT):
        api.recvfrom(s, bytearray(1))
    assert time.thread_time() - began < 0.05
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 0)


@linux
def test_a_receive_sleeps_through_reports_that_are_switched_off() -> None:
    """The host keeps the socket ready until its error queue is empty; waiting must not become a loop."""
    s = udp()
    api.WSAIoctl(s, SIO_UDP_CONNRESET, OFF)
    api.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, 300)

    def receive() -> tuple[int, float]:
        began = time.thread_time()
        code = code_of(api.recvfrom, s, bytearray(1))
        return code, time.thread_time() - began

    receiving = elsewhere(receive)
    until(waiting(s), "the receive waits")
    with closed_port() as nobody:
        for _ in range(10):
            api.sendto(s, b"x", 0, nobody)
        code, seconds = receiving.result()
    assert code == WSAETIMEDOUT
    assert seconds < 0.1


@linux
def test_a_sender_that_never_receives_keeps_few_reports() -> None:
    s = udp()
    with closed_port() as nobody:
        api.connect(s, nobody)
        for _ in range(2000):
            assert api.send(s, b"x") == 1
    assert len(endpoint(s).reports) <= 256
    with fails(WSAECONNRESET):
        api.recv(s, bytearray(1))


@linux
def test_what_a_report_says_becomes_a_code() -> None:
    """A33, R9.33: by who reports and what; others, and the host's own, are nobody's business."""
    s = udp()
    there = endpoint(s)

    def entry(number: int, origin: int, kind: int) -> list[tuple[int, int, bytes]]:
        return [(0, 11, struct.pack("=IBBBBII", number, origin, kind, 0, 0, 0, 0))]

    refused, expired = entry(errno.ECONNREFUSED, 2, 3), entry(errno.EHOSTUNREACH, 2, 11)
    elsewhere_unreachable, own = entry(errno.EHOSTUNREACH, 2, 3), entry(errno.EMSGSIZE, 1, 0)
    assert [there._note_report(e) for e in (refused, expired, elsewhere_unreachable, own, [])] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert there.reports == [WSAECONNRESET, WSAENETRESET]
    with fails(WSAECONNRESET):
        api.recv(s, bytearray(1))
    with fails(WSAENETRESET):
        api.recv(s, bytearray(1))
    api.WSAIoctl(s, SIO_UDP_NETRESET, OFF)
    api.WSAIoctl(s, SIO_UDP_CONNRESET, OFF)
    for noted in (refused, expired):
        assert there._note_report(noted)
    assert there.reports == []


def test_a_host_without_an_error_queue_reports_once_what_a_call_meets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A32: the BSDs, connected sockets only."""
    monkeypatch.setattr("winsock2emu.providers.host.datagram._IS_LINUX", False)
    s = udp()
    there = endpoint(s)
    for number, meant in ((errno.ECONNREFUSED, True), (errno.ENETUNREACH, False), (errno.EMSGSIZE, False)):
        assert there._note_reports(OSError(number, "")) is meant
    with fails(WSAECONNRESET):
        api.recv(s, bytearray(1))
    api.WSAIoctl(s, SIO_UDP_CONNRESET, OFF)
    assert there._note_reports(OSError(errno.ECONNREFUSED, ""))
    assert there.reports == []
    api.sendto(s, b"self", 0, api.getsockname(s))
    with fails(WSAEMSGSIZE) as caught:
        api.recvfrom(s, bytearray(3))
    assert caught.value.moved == 3


# ------------------------------------------------------------------------------------------------------------ threads


def test_a_datagram_goes_to_one_receive_of_many() -> None:
    s, sender = udp(), udp()
    receiving = [elsewhere(api.recvfrom, s, bytearray(1)) for _ in range(4)]
    until(waiting(s), "a receive waits")
    for _ in range(4):
        api.sendto(sender, b"x", 0, api.getsockname(s))
    assert [call.result() for call in receiving] == [(1, api.getsockname(sender))] * 4


# ---------------------------------------------------------------------------------------------------------------- raw


@pytest.fixture
def raw(winsock: Any) -> int:
    """A raw ICMP socket, where this user may have one."""
    code = code_of(api.socket, AF_INET, SOCK_RAW, IPPROTO_ICMP)
    if code == WSAEACCES:
        pytest.skip("this user may have no raw sockets")
    assert code == 0
    return api.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)


def checksum(data: bytes) -> int:
    """RFC 1071."""
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo_request(identifier: int, sequence: int, payload: bytes) -> bytes:
    head = struct.pack(">BBHHH", 8, 0, 0, identifier, sequence)
    return struct.pack(">BBHHH", 8, 0, checksum(head + payload), identifier, sequence) + payload


def test_an_echo_over_a_raw_socket(raw: int) -> None:
    """Observed on Windows: icmp-short-recv, icmp-truncated-consumed, icmp-header-fields, icmp-reply-fields."""
    me = api.sockaddr_in(own_host())
    with fails(WSAEINVAL):
        api.recv(raw, bytearray(1))
    api.bind(raw, me)
    payload = b"0123456789abcdef"
    assert api.sendto(raw, echo_request(0x1234, 1, payload), 0, me) == 8 + len(payload)
    with fails(WSAEMSGSIZE):
        api.recv(raw, bytearray(20 + 8 + len(payload) - 1))
    assert api.sendto(raw, echo_request(0x1234, 2, payload), 0, me) == 8 + len(payload)
    space = bytearray(200)
    moved, sender = api.recvfrom(raw, space)
    assert (moved, sender) == (20 + 8 + len(payload), me)
    assert (space[0], space[9], int.from_bytes(space[2:4], "big")) == (0x45, 1, moved)
    assert struct.unpack(">BB2xHH", space[20:28]) == (0, 0, 0x1234, 2)
    assert checksum(bytes(space[20:moved])) == 0
    assert space[28:moved] == payload


def test_a_raw_socket_has_peers_without_ports(raw: int) -> None:
    api.connect(raw, api.sockaddr_in(own_host()))
    assert api.getpeername(raw).host == own_host()
    assert api.send(raw, echo_request(7, 9, b"")) == 8
    assert api.recv(raw, bytearray(100)) == 28
    api.connect(raw, bytes(16))
    with fails(WSAENOTCONN):
        api.send(raw, b"x")
