"""Socket objects of the host that the emulator takes over."""

from __future__ import annotations

import gc
import os
import socket
import warnings
from collections.abc import Iterator

import pytest

from winsock2emu import ws2_32
from winsock2emu.compat._adopt import AdoptedSocket, adopt, adopt_descriptor, release
from winsock2emu.defs.constants import SD_SEND
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process, SocketRecord


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process
        while process.startup_count:
            process.cleanup()


def known(process: Process, descriptor: int) -> bool:
    return type(process.objects.get(descriptor)) is SocketRecord


def connection() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = socket.create_connection(listening.getsockname())
        return listening.accept()[0], there


def test_an_adopted_socket_keeps_its_object_and_number(process: Process) -> None:
    with socket.socket() as sock:
        number = sock.fileno()
        assert adopt(sock) == number
        assert adopt(sock) == number
        assert isinstance(sock, AdoptedSocket)
        assert type(sock).__name__ == "socket"
        assert known(process, number)
    assert not known(process, number)
    with pytest.raises(OSError):
        os.fstat(number)


def test_the_emulator_knows_what_has_been_done_before() -> None:
    """Names, peers and the state of a listening socket are asked of the host."""
    here, there = connection()
    with here, there, socket.create_server(("127.0.0.1", 0)) as listening:
        for sock in (here, there, listening):
            adopt(sock)
        assert ws2_32.getpeername(here.fileno()).port == there.getsockname()[1]
        assert ws2_32.send(there.fileno(), b"data") == 4
        assert here.recv(10) == b"data"
        with socket.create_connection(listening.getsockname()) as client:
            accepted, name = ws2_32.accept(listening.fileno())
            assert name.port == client.getsockname()[1]
            ws2_32.closesocket(accepted)


def test_the_emulator_knows_what_is_done_afterwards() -> None:
    listening, client = socket.socket(), socket.socket()
    with listening, client:
        adopt(listening)
        adopt(client)
        listening.bind(("127.0.0.1", 0))
        assert ws2_32.getsockname(listening.fileno()).port == listening.getsockname()[1]
        listening.listen()
        assert client.connect_ex(listening.getsockname()) >= 0
        assert ws2_32.getpeername(client.fileno()).port == listening.getsockname()[1]
        accepted, _ = ws2_32.accept(listening.fileno())
        ws2_32.closesocket(accepted)


def test_an_adopted_socket_never_blocks_in_the_host() -> None:
    here, there = connection()
    with here, there:
        adopt(here)
        here.settimeout(None)
        assert not os.get_blocking(here.fileno())
        here.settimeout(0.05)
        with pytest.raises(TimeoutError):
            here.recv(1)
        there.sendall(b"x")
        here.settimeout(5)
        assert here.recv(1) == b"x"


def test_detaching_gives_the_descriptor_back(process: Process) -> None:
    here, there = connection()
    with here, there:
        adopt(here)
        number = here.detach()
        assert not known(process, number)
        with socket.socket(fileno=number) as again:
            again.sendall(b"still connected")
            assert there.recv(100) == b"still connected"


def test_an_object_that_is_dropped_is_closed_with_a_warning(process: Process) -> None:
    here, there = connection()
    with there:
        adopt(here)
        number = here.fileno()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            del here
            gc.collect()
        assert [one.category for one in told] == [ResourceWarning]
        assert not known(process, number)
        assert there.recv(1) == b""


def test_shutting_down_follows_windows() -> None:
    here, there = connection()
    with here, there, socket.socket() as unconnected:
        adopt(here)
        adopt(unconnected)
        with pytest.raises(OSError) as caught:
            unconnected.shutdown(socket.SHUT_RDWR)
        assert getattr(caught.value, "winerror", None) == 10057
        here.shutdown(socket.SHUT_WR)
        assert there.recv(1) == b""
        with pytest.raises(WinsockError) as shut:
            ws2_32.send(here.fileno(), b"x")
        assert shut.value.winerror == 10058
        ws2_32.shutdown(here.fileno(), SD_SEND)


def test_a_bare_descriptor_is_borrowed(process: Process) -> None:
    """Its owner closes it; a number that is no socket, or known, is left alone."""
    here, there = connection()
    with here, there:
        assert adopt_descriptor(here.fileno())
        assert not adopt_descriptor(here.fileno())
        assert ws2_32.send(here.fileno(), b"x") == 1
        release(here.fileno())
        assert not known(process, here.fileno())
        assert here.send(b"y") == 1
        assert there.recv(2, socket.MSG_WAITALL) == b"xy"
    reading, writing = os.pipe()
    assert not adopt_descriptor(reading)
    os.close(reading)
    os.close(writing)


def test_a_number_with_a_new_owner_is_adopted_anew(process: Process) -> None:
    """A borrowed socket was closed without a word; its number belongs to another one now."""
    first = socket.socket(type=socket.SOCK_DGRAM)
    number = first.fileno()
    adopt_descriptor(number)
    first.close()
    with socket.socket() as made:
        os.dup2(made.fileno(), number)
        if made.fileno() == number:
            made.detach()
    with socket.socket(fileno=number) as second:
        adopt(second)
        record = process.objects[number]
        assert record.info.socket_type == socket.SOCK_STREAM


def test_a_closed_socket_is_refused() -> None:
    sock = socket.socket()
    sock.close()
    with pytest.raises(WinsockError) as caught:
        adopt(sock)
    assert caught.value.winerror == 10038
