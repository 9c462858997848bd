"""The short ways through sending and receiving on a stream lead where the long ones lead."""

from __future__ import annotations

import array
import ctypes
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import WSAECONNRESET, WSAEFAULT, WSAEINTR, WSAETIMEDOUT, WSAEWOULDBLOCK
from winsock2emu.defs.constants import (
    AF_INET,
    FIONBIO,
    SD_SEND,
    SO_LINGER,
    SO_RCVTIMEO,
    SOCK_STREAM,
    SOL_SOCKET,
)
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process, current_process
from winsock2emu.providers.host.stream import StreamSocket

PATIENCE_S = 10
HARD = struct.pack("<HH", 1, 0)

Pair = tuple[int, int]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Both ends of a TCP connection in a process of its own, blocking."""
    with Process().active():
        api.WSAStartup(0x0202)
        listener = api.socket(AF_INET, SOCK_STREAM, 0)
        api.bind(listener, api.sockaddr_in("127.0.0.1", 0))
        api.listen(listener, 1)
        client = api.socket(AF_INET, SOCK_STREAM, 0)
        api.connect(client, api.getsockname(listener))
        yield client, api.accept(listener)[0]
        api.WSACleanup()


def endpoint(s: int) -> StreamSocket:
    """The socket behind a handle: the entries of its record are methods of it."""
    found = current_process().socket(s).mover
    assert isinstance(found, StreamSocket)
    return found


def receive_all(s: int, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        space = bytearray(count)
        received += space[: api.recv(s, space)]
    return bytes(received)


def while_it_waits(s: int, act: Callable[[], object]) -> threading.Thread:
    """Do something in the same process as soon as a receive on the socket waits."""
    process, waiting = current_process(), endpoint(s).inbound

    def watch() -> None:
        limit = time.monotonic() + PATIENCE_S
        while waiting.head is None and time.monotonic() < limit:
            time.sleep(0.0005)
        with process.active():
            act()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def receive_one_that_waits(s: int, peer: int, byte: bytes) -> bytes:
    space = bytearray(1)
    thread = while_it_waits(s, lambda: api.send(peer, byte))
    assert api.recv(s, space) == 1
    thread.join(PATIENCE_S)
    return bytes(space)


@pytest.fixture
def used_to_waiting(pair: Pair) -> Pair:
    """A connection whose server had to wait for so many receives that it does without the first try."""
    client, server = pair
    for number in range(6):
        byte = bytes((number,))
        assert receive_one_that_waits(server, client, byte) == byte
    assert tries_of(server, lambda: receive_one_that_waits(server, client, b"x")) == 0
    return pair


def tries_of(s: int, act: Callable[[], object]) -> int:
    """How many first tries of the host found nothing while something was done."""
    there, found_nothing = endpoint(s), 0
    receive_now = there.receive_now

    def counting(host: Any, buffer: bytearray) -> int:
        nonlocal found_nothing
        try:
            moved: int = receive_now(host, buffer)
        except BlockingIOError:
            found_nothing += 1
            raise
        return moved

    there.receive_now = counting
    try:
        act()
    finally:
        there.receive_now = receive_now
    return found_nothing


# Receiving without the first try


def test_data_that_is_there_already_is_received_in_order(used_to_waiting: Pair) -> None:
    client, server = used_to_waiting
    sent = bytes(range(200))
    api.send(client, sent)
    space = bytearray(1)
    received = b""
    for _ in sent:
        assert api.recv(server, space) == 1
        received += space
    assert received == sent


def test_after_data_that_was_there_the_first_try_is_back(used_to_waiting: Pair) -> None:
    client, server = used_to_waiting
    api.send(client, bytes(100))
    for _ in range(100):
        api.recv(server, bytearray(1))

    assert tries_of(server, lambda: receive_one_that_waits(server, client, b"x")) == 1


def test_the_end_of_the_stream_is_seen(used_to_waiting: Pair) -> None:
    client, server = used_to_waiting
    api.shutdown(client, SD_SEND)
    assert api.recv(server, bytearray(1)) == 0


def test_a_reset_is_seen(used_to_waiting: Pair) -> None:
    client, server = used_to_waiting

    def reset() -> None:
        api.setsockopt(client, SOL_SOCKET, SO_LINGER, HARD)
        api.closesocket(client)

    thread = while_it_waits(server, reset)
    with pytest.raises(WinsockError) as caught:
        api.recv(server, bytearray(1))
    thread.join(PATIENCE_S)
    assert caught.value.winerror == WSAECONNRESET


def test_closing_ends_the_wait(used_to_waiting: Pair) -> None:
    _, server = used_to_waiting
    thread = while_it_waits(server, lambda: api.closesocket(server))
    with pytest.raises(WinsockError) as caught:
        api.recv(server, bytearray(1))
    thread.join(PATIENCE_S)
    assert caught.value.winerror == WSAEINTR


def test_the_time_limit_counts(used_to_waiting: Pair) -> None:
    _, server = used_to_waiting
    api.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 20)
    with pytest.raises(WinsockError) as caught:
        api.recv(server, bytearray(1))
    assert caught.value.winerror == WSAETIMEDOUT


def test_non_blocking_mode_counts(used_to_waiting: Pair) -> None:
    _, server = used_to_waiting
    api.ioctlsocket(server, FIONBIO, 1)
    with pytest.raises(WinsockError) as caught:
        api.recv(server, bytearray(1))
    assert caught.value.winerror == WSAEWOULDBLOCK


def test_what_is_wrong_with_the_buffer_is_told_at_once(used_to_waiting: Pair) -> None:
    _, server = used_to_waiting
    with pytest.raises(WinsockError) as caught:
        api.recv(server, None)
    assert caught.value.winerror == WSAEFAULT
    with pytest.raises(TypeError):
        api.recv(server, b"not writable")


# Buffers


def test_a_buffer_of_wide_items_is_sent_to_its_last_byte(pair: Pair) -> None:
    """The host takes as many bytes at first as the array has items, which is not all of it."""
    client, server = pair
    data = array.array("I", range(1000))
    there = endpoint(client)
    send_now = there.send_now
    there.send_now = lambda host, buffer, flags: send_now(host, memoryview(buffer).cast("B")[: len(buffer)], flags)

    assert api.send(client, data) == 4000
    assert receive_all(server, 4000) == data.tobytes()


def test_a_buffer_without_a_length_is_sent_once(pair: Pair) -> None:
    client, server = pair
    assert api.send(client, ctypes.c_uint32(0x01020304)) == 4
    assert api.WSASend(client, [ctypes.c_uint16(5), b"!"]) == 3
    assert receive_all(server, 7) == struct.pack("=IHs", 0x01020304, 5, b"!")


@pytest.mark.parametrize("count", [2, 16, 1024, 1500])
def test_many_buffers_arrive_in_order(pair: Pair, count: int) -> None:
    client, server = pair
    data = [bytes((number % 251,)) * 3 for number in range(count)]
    assert api.WSASend(client, data) == 3 * count

    received = b""
    while len(received) < 3 * count:
        spaces = [bytearray(2) for _ in range(min(count, 1000))]
        moved = api.WSARecv(server, spaces)
        received += b"".join(spaces)[:moved]
    assert received == b"".join(data)


def test_a_blocking_send_of_many_large_buffers_sends_all_of_them(pair: Pair) -> None:
    """More than the host's buffers hold: the send waits until the peer has taken enough."""
    client, server = pair
    data = [bytes((number,)) * 300_000 for number in range(20)]
    received = bytearray()
    process = current_process()

    def take() -> None:
        space = bytearray(65536)
        with process.active():
            while len(received) < 6_000_000:
                received.extend(space[: api.recv(server, space)])

    thread = threading.Thread(target=take)
    thread.start()
    assert api.WSASend(client, data) == 6_000_000
    thread.join(PATIENCE_S)
    assert received == b"".join(data)


@pytest.mark.parametrize("buffers", [[None], [b"x", None], [None, b"x"]])
def test_a_buffer_without_memory_is_refused_before_anything_moves(pair: Pair, buffers: list[bytes | None]) -> None:
    client, server = pair
    with pytest.raises(WinsockError) as caught:
        api.WSASend(client, buffers)
    assert caught.value.winerror == WSAEFAULT
    api.send(client, b"after")
    with pytest.raises(WinsockError) as caught:
        api.WSARecv(server, [bytearray(1), None])
    assert caught.value.winerror == WSAEFAULT
    space = bytearray(9)
    assert api.recv(server, space) == 5
    assert space[:5] == b"after"
