"""Twisted's extension module by its conventions: codes, events, addresses (iocpsupport.pyx and its .pxi files)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest

from tests.concurrency import Call, until
from winsock2emu.compat import iocpsupport as iocp
from winsock2emu.compat import socket
from winsock2emu.process import Process

PENDING = 997
TIMED_OUT = 258
REFUSED = 1225
ABORTED = 995
NOT_A_SOCKET = 10038
UPDATE_ACCEPT_CONTEXT = 0x700B
UPDATE_CONNECT_CONTEXT = 0x7010
WAIT_MS = 5000
FAMILIES = [
    pytest.param(socket.AF_INET, "127.0.0.1", id="IPv4"),
    pytest.param(socket.AF_INET6, "::1", id="IPv6", marks=pytest.mark.ipv6),
]


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process
        while process.startup_count:
            process.cleanup()


@pytest.fixture
def port() -> iocp.CompletionPort:
    return iocp.CompletionPort()


def event() -> iocp.Event:
    return iocp.Event(None, None)


class Ends:
    """A listening socket and what has been made with it, all of them tied to a port."""

    def __init__(self, port: iocp.CompletionPort, family: int, host: str) -> None:
        self.port = port
        self.family = family
        self.host = host
        self.sockets: list[Any] = []
        self.listening = self.tied()
        self.listening.bind((host, 0))
        self.listening.listen(5)

    def tied(self, kind: int = socket.SOCK_STREAM, key: int = 0) -> Any:
        made = socket.socket(self.family, kind)
        self.sockets.append(made)
        self.port.addHandle(made.fileno(), key)
        return made

    def next(self) -> tuple[int, int, int, Any]:
        found = self.port.getEvent(WAIT_MS)
        assert found[0] != TIMED_OUT
        return found

    def connected(self) -> tuple[Any, Any]:
        """Both ends of a connection, the client's first."""
        server, client = self.tied(), self.tied()
        room = bytearray(2 * (iocp.maxAddrLen(self.listening.fileno()) + 16))
        accepted, connected = event(), event()
        assert iocp.accept(self.listening.fileno(), server.fileno(), room, accepted) == 0
        client.bind((self.host, 0))
        assert iocp.connect(client.fileno(), self.listening.getsockname(), connected) == 0
        assert {self.next()[3] for _ in range(2)} == {accepted, connected}
        client.setsockopt(socket.SOL_SOCKET, UPDATE_CONNECT_CONTEXT, struct.pack("P", client.fileno()))
        context = struct.pack("P", self.listening.fileno())
        server.setsockopt(socket.SOL_SOCKET, UPDATE_ACCEPT_CONTEXT, context)
        return client, server


@pytest.fixture
def ends(port: iocp.CompletionPort) -> Iterator[Ends]:
    ends = Ends(port, socket.AF_INET, "127.0.0.1")
    yield ends
    for made in ends.sockets:
        made.close()


def test_the_names_are_the_originals() -> None:
    assert sorted(iocp.__all__) == [
        "CompletionPort",
        "Event",
        "accept",
        "connect",
        "get_accept_addrs",
        "have_connectex",
        "makesockaddr",
        "maxAddrLen",
        "recv",
        "recvfrom",
        "send",
    ]
    assert iocp.have_connectex


# The port


def test_an_event_has_the_attributes_that_it_is_given() -> None:
    made = iocp.Event("callback", "owner", buff=1, other=2)
    made.later = 3  # type: ignore[attr-defined]
    assert vars(made) == {"callback": "callback", "owner": "owner", "buff": 1, "other": 2, "later": 3}


def test_what_is_posted_comes_back(port: iocp.CompletionPort) -> None:
    """An object, or None, with the bytes and the key; then nothing, which is a code and no exception."""
    thing = object()
    port.postEvent(7, 8, thing)
    port.postEvent(0, 1, None)
    assert port.getEvent(0) == (0, 7, 8, thing)
    assert port.getEvent(0) == (0, 0, 1, None)
    rc, _, _, found = port.getEvent(0)
    assert (rc, found) == (TIMED_OUT, None)


def test_a_wait_for_ever_ends_with_what_another_thread_posts(port: iocp.CompletionPort) -> None:
    """-1 is INFINITE."""
    waiting = Call(copy_context().run, port.getEvent, -1)  # in this test's emulated process
    until(lambda: waiting.running, "it waits")
    port.postEvent(1, 2, None)
    assert waiting.result() == (0, 1, 2, None)


def test_a_handle_that_cannot_be_tied_is_an_error_with_a_code(port: iocp.CompletionPort, ends: Ends) -> None:
    with pytest.raises(OSError) as caught:
        port.addHandle(12345, 0)
    assert caught.value.args == ("CreateIoCompletionPort", 6)
    with pytest.raises(OSError) as caught:
        iocp.CompletionPort().addHandle(ends.listening.fileno())
    assert caught.value.args == ("CreateIoCompletionPort", 87)


def test_a_port_is_closed_with_its_object(process: Process) -> None:
    before = len(process.objects)
    port = iocp.CompletionPort()
    assert len(process.objects) == before + 1
    del port
    assert len(process.objects) == before


# Connecting and accepting


@pytest.mark.parametrize(("family", "host"), FAMILIES)
def test_a_connection_tells_both_its_addresses(port: iocp.CompletionPort, family: int, host: str) -> None:
    """accept and connect return 0 although they pend; their events come with the keys of their sockets."""
    ends = Ends(port, family, host)
    server, client = ends.tied(), ends.tied(key=5)
    room = bytearray(2 * (iocp.maxAddrLen(ends.listening.fileno()) + 16))
    accepted, connected = event(), event()
    assert iocp.accept(ends.listening.fileno(), server.fileno(), room, accepted) == 0
    client.bind((host, 0))
    assert iocp.connect(client.fileno(), ends.listening.getsockname(), connected) == 0
    found = {ends.next() for _ in range(2)}
    assert found == {(0, 0, 0, accepted), (0, 0, 5, connected)}
    client.setsockopt(socket.SOL_SOCKET, UPDATE_CONNECT_CONTEXT, struct.pack("P", client.fileno()))
    assert iocp.get_accept_addrs(server.fileno(), room) == (
        family,
        ends.listening.getsockname()[:2],
        client.getsockname()[:2],
    )
    for made in ends.sockets:
        made.close()


def test_a_refused_connection_is_told_as_a_win32_code(ends: Ends) -> None:
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))
    client, connected = ends.tied(), event()
    client.bind(("127.0.0.1", 0))
    assert iocp.connect(client.fileno(), closed.getsockname(), connected) == 0
    rc, _, _, found = ends.next()
    assert (rc, found) == (REFUSED, connected)
    closed.close()


def test_a_start_that_fails_is_a_winsock_code_and_has_no_event(port: iocp.CompletionPort, ends: Ends) -> None:
    """An unbound socket cannot be connected by ConnectEx, one without a connection receives nothing."""
    client = ends.tied()
    assert iocp.connect(client.fileno(), ("127.0.0.1", 9), event()) == 10022
    client.bind(("127.0.0.1", 0))
    assert iocp.recv(client.fileno(), [bytearray(1)], event()) == (10057, 0)
    assert iocp.send(client.fileno(), b"x", event()) == (10057, 0)
    assert iocp.accept(client.fileno(), ends.tied().fileno(), bytearray(64), event()) == 10022
    assert iocp.recv(12345, [bytearray(1)], event())[0] == NOT_A_SOCKET
    assert port.getEvent(0)[0] == TIMED_OUT


@pytest.mark.parametrize(
    ("family", "address", "kind", "text"),
    [
        (socket.AF_INET, ("localhost", 1), ValueError, "invalid IP address 'localhost'"),
        (socket.AF_INET, ("127.0.0.1", -1), OverflowError, "can't convert negative value to unsigned short"),
        (socket.AF_INET, ("127.0.0.1", 65536), OverflowError, "value too large to convert to unsigned short"),
        (socket.AF_INET, ("127.0.0.1", 1, 0, 0), ValueError, "too many values"),
        (socket.AF_INET6, ("localhost", 1, 0, 0), ValueError, "invalid IPv6 address 'localhost'"),
        (socket.AF_INET6, ("::1", 1), ValueError, "not enough values"),
    ],
)
def test_an_address_that_is_none_is_refused(family: int, address: Any, kind: type[Exception], text: str) -> None:
    """Its text has to be a number, and its length is the family's."""
    with socket.socket(family) as client, pytest.raises(kind, match=text):
        iocp.connect(client.fileno(), address, event())


# Data


@pytest.mark.parametrize(("family", "host"), FAMILIES)
def test_data_fills_several_buffers_in_their_order(port: iocp.CompletionPort, family: int, host: str) -> None:
    """A receive pends, which is 997, until there is data."""
    ends = Ends(port, family, host)
    client, server = ends.connected()
    first, second, received = bytearray(3), bytearray(8), event()
    assert iocp.recv(server.fileno(), [first, second], received) == (PENDING, 0)
    sent = event()
    assert iocp.send(client.fileno(), b"hello", sent) == (0, 5)
    assert {ends.next() for _ in range(2)} == {(0, 5, 0, received), (0, 5, 0, sent)}
    assert (bytes(first), bytes(second)) == (b"hel", b"lo" + bytes(6))
    for made in ends.sockets:
        made.close()


def test_what_completes_at_once_comes_from_the_port_as_well(ends: Ends) -> None:
    client, server = ends.connected()
    client.sendall(b"now")
    until(lambda: server.recv(3, socket.MSG_PEEK) == b"now", "the data is there")
    received, room = event(), memoryview(bytearray(4))
    assert iocp.recv(server.fileno(), (room,), received) == (0, 3)
    assert ends.next() == (0, 3, 0, received)
    client.shutdown(socket.SHUT_WR)
    until(lambda: server.recv(1, socket.MSG_PEEK) == b"", "the end is there")
    assert iocp.recv(server.fileno(), [room], received) == (0, 0)
    assert ends.next() == (0, 0, 0, received)


def test_flags_are_the_receives(ends: Ends) -> None:
    """R6.18: MSG_PEEK is for receives that are not overlapped."""
    client, server = ends.connected()
    client.sendall(b"data")
    assert iocp.recv(server.fileno(), [bytearray(4)], event(), socket.MSG_PEEK) == (10045, 0)


@pytest.mark.parametrize(("family", "host"), FAMILIES)
def test_a_datagram_comes_with_its_sender(port: iocp.CompletionPort, family: int, host: str) -> None:
    """Where the program wants it, in Windows' layout, with its length."""
    ends = Ends(port, family, host)
    receiver, sender = ends.tied(socket.SOCK_DGRAM), ends.tied(socket.SOCK_DGRAM)
    receiver.bind((host, 0))
    sender.bind((host, 0))
    size = iocp.maxAddrLen(receiver.fileno())
    room, name, length, received = bytearray(10), bytearray(size), bytearray(4), event()
    assert iocp.recvfrom(receiver.fileno(), room, name, length, received) == (PENDING, 0)
    sender.sendto(b"datagram", receiver.getsockname())
    assert ends.next() == (0, 8, 0, received)
    assert room[:8] == b"datagram"
    assert struct.unpack("<H", name[:2]) == (family,)
    assert length == struct.pack("<i", size)
    assert iocp.makesockaddr(name) == sender.getsockname()[:2]
    for made in ends.sockets:
        made.close()


def test_a_datagram_that_is_cut_is_a_warning_with_its_sender(ends: Ends) -> None:
    """ERROR_MORE_DATA (234) of the port, for WSAEMSGSIZE."""
    receiver, sender = ends.tied(socket.SOCK_DGRAM), ends.tied(socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    sender.bind(("127.0.0.1", 0))
    room, name, length, received = bytearray(3), bytearray(16), bytearray(4), event()
    assert iocp.recvfrom(receiver.fileno(), room, name, length, received) == (PENDING, 0)
    sender.sendto(b"datagram", receiver.getsockname())
    assert ends.next() == (234, 3, 0, received)
    assert room == b"dat"
    assert iocp.makesockaddr(name) == sender.getsockname()


def test_buffers_are_checked(ends: Ends) -> None:
    """The length of an address is an int of C; what is received into has to be writable."""
    receiver = ends.tied(socket.SOCK_DGRAM)
    with pytest.raises(ValueError, match="length of address length buffer"):
        iocp.recvfrom(receiver.fileno(), bytearray(1), bytearray(16), bytearray(3), event())
    for call in (
        lambda: iocp.recv(receiver.fileno(), [bytes(1)], event()),
        lambda: iocp.recvfrom(receiver.fileno(), bytearray(1), bytes(16), bytearray(4), event()),
        lambda: iocp.accept(ends.listening.fileno(), receiver.fileno(), bytes(64), event()),
        lambda: iocp.recv(receiver.fileno(), None, event()),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError):
            call()


# Every event comes back


@pytest.mark.parametrize("what", ["recv", "recvfrom", "accept"])
def test_a_request_comes_back_when_its_socket_is_closed(port: iocp.CompletionPort, ends: Ends, what: str) -> None:
    """Once, with the event that it was made with, as aborted."""
    pending = event()
    if what == "recv":
        target = ends.connected()[1]
        assert iocp.recv(target.fileno(), [bytearray(4)], pending) == (PENDING, 0)
    elif what == "recvfrom":
        target = ends.tied(socket.SOCK_DGRAM)
        target.bind(("127.0.0.1", 0))
        assert iocp.recvfrom(target.fileno(), bytearray(4), bytearray(16), bytearray(4), pending) == (PENDING, 0)
    else:
        target = ends.listening
        assert iocp.accept(target.fileno(), ends.tied().fileno(), bytearray(64), pending) == 0
    target.close()
    rc, moved, _, found = ends.next()
    assert (moved, found) == (0, pending)
    assert rc in (ABORTED, 1236)  # 1236: a connection that its own end has closed
    assert port.getEvent(0)[0] == TIMED_OUT


def test_every_event_comes_back_once(port: iocp.CompletionPort, ends: Ends) -> None:
    """Two hundred requests, half of them complete, half of them pend when their sockets close."""
    issued: set[iocp.Event] = set()

    def one() -> iocp.Event:
        made = event()
        issued.add(made)
        return made

    pairs = [ends.connected() for _ in range(50)]
    for client, server in pairs:
        iocp.recv(server.fileno(), [bytearray(4)], one())
        iocp.send(client.fileno(), b"data", one())
        iocp.recv(client.fileno(), [bytearray(4)], one())
        iocp.recv(server.fileno(), [bytearray(4)], one())
    seen: list[Any] = []
    while len(seen) < 100:
        seen.append(ends.next()[3])
    for pair in pairs:
        for made in pair:
            made.close()
    while len(seen) < 200:
        seen.append(ends.next()[3])
    assert port.getEvent(0)[0] == TIMED_OUT
    assert set(seen) == issued


# Addresses


def test_addresses_are_read_from_windows_layout() -> None:
    """The scope is part of an IPv6 host; an empty buffer is no address."""
    assert iocp.makesockaddr(struct.pack("<H", 2) + b"\x1f\x90\x7f\0\0\1" + bytes(8)) == ("127.0.0.1", 8080)
    link_local = bytes.fromhex("fe80") + bytes(13) + b"\1"
    raw = struct.pack("<H", 23) + b"\0\x50" + bytes(4) + link_local + struct.pack("<I", 4)
    assert iocp.makesockaddr(raw) == ("fe80::1%4", 80)
    assert iocp.makesockaddr(b"") is None
    with pytest.raises(OSError, match="unsupported address family 17"):
        iocp.makesockaddr(struct.pack("<H", 17) + bytes(14))


def test_the_room_for_an_address_is_the_protocols() -> None:
    for family, size in ((socket.AF_INET, 16), (socket.AF_INET6, 28)):
        with socket.socket(family) as made:
            assert iocp.maxAddrLen(made.fileno()) == size
    with pytest.raises(OSError) as caught:
        iocp.maxAddrLen(12345)
    assert caught.value.args == ("getsockopt", NOT_A_SOCKET)
