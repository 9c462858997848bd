"""``_overlapped`` by CPython's conventions: states, results, codes and exceptions (Modules/overlapped.c)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from winsock2emu.compat import overlapped as _overlapped
from winsock2emu.compat import winapi as _winapi
from winsock2emu.compat._adopt import adopt, release
from winsock2emu.process import Process, current_process

WAIT_MS = 5000
SOON_MS = 50


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process
        while process.startup_count:
            process.cleanup()


@pytest.fixture
def port() -> Iterator[int]:
    handle = _overlapped.CreateIoCompletionPort(_overlapped.INVALID_HANDLE_VALUE, 0, 0, _overlapped.INFINITE)
    yield handle
    _winapi.CloseHandle(handle)


@pytest.fixture
def pair(port: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP connection; the first end is adopted and tied to the port with key 7."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        there = socket.create_connection(listening.getsockname())
        here, _ = listening.accept()
    with here, there:
        adopt(here)
        _overlapped.CreateIoCompletionPort(here.fileno(), port, 7, 0)
        yield here, there


def next_packet(port: int) -> tuple[int, int, int, int]:
    packet = _overlapped.GetQueuedCompletionStatus(port, WAIT_MS)
    assert packet is not None
    return packet


def fails_with(code: int, call: Any, *arguments: Any) -> OSError:
    with pytest.raises(OSError) as caught:
        call(*arguments)
    assert getattr(caught.value, "winerror", None) == code
    return caught.value


def unregister(call: Any, *arguments: Any) -> None:
    """End a wait whose packet has come; the thread that has posted it may not have returned, which is 997."""
    try:
        call(*arguments)
    except OSError as failure:
        if getattr(failure, "winerror", None) != 997:
            raise


def test_a_receive_that_waits_is_pending_and_tells_its_address(
    port: int, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, there = pair
    request = _overlapped.Overlapped(0)
    request.WSARecv(here.fileno(), 100)
    assert (request.pending, request.error) == (True, 997)
    fails_with(996, request.getresult)

    there.sendall(b"hello")

    assert next_packet(port) == (0, 5, 7, request.address)
    assert not request.pending
    assert request.getresult() == b"hello"
    assert request.getresult() is request.getresult()
    assert request.error == 0


def test_a_start_that_succeeds_at_once_still_queues_its_packet(
    port: int, pair: tuple[socket.socket, socket.socket]
) -> None:
    here, _ = pair
    request = _overlapped.Overlapped(0)
    request.WSASend(here.fileno(), b"abc")
    assert (request.pending, request.error, request.getresult()) == (False, 0, 3)
    assert next_packet(port) == (0, 3, 7, request.address)
    assert _overlapped.GetQueuedCompletionStatus(port, 0) is None


def test_results_into_a_buffer_are_counts_and_keep_it_exported(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    buffer = bytearray(8)
    request = _overlapped.Overlapped()
    request.WSARecvInto(here.fileno(), buffer)
    with pytest.raises(BufferError):
        buffer.append(0)
    there.sendall(b"xy")
    assert request.getresult(True) == 2
    assert buffer[:2] == b"xy"
    del request
    buffer.append(0)


def test_a_request_can_be_started_once_only(pair: tuple[socket.socket, socket.socket]) -> None:
    here, _ = pair
    request = _overlapped.Overlapped(0)
    with pytest.raises(ValueError, match="operation not yet attempted"):
        request.getresult()
    request.cancel()
    request.WSASend(here.fileno(), b"x")
    with pytest.raises(ValueError, match="operation already attempted"):
        request.WSARecv(here.fileno(), 1)


def test_a_start_that_fails_leaves_nothing_to_ask_for() -> None:
    request = _overlapped.Overlapped(0)
    with socket.socket() as unconnected:
        fails_with(10057, request.WSARecv, unconnected.fileno(), 10)
        assert (request.pending, request.error) == (False, 10057)
        with pytest.raises(ValueError, match="operation failed to start"):
            request.getresult()
        release(unconnected.fileno())


def test_cancelling_completes_with_995(port: int, pair: tuple[socket.socket, socket.socket]) -> None:
    here, _ = pair
    request = _overlapped.Overlapped(0)
    request.WSARecv(here.fileno(), 10)
    request.cancel()
    assert next_packet(port)[0] == 995
    failure = fails_with(995, request.getresult)
    assert failure.args == (failure.errno, failure.strerror, None, 995, None)
    request.cancel()


def test_closing_an_adopted_socket_completes_what_pends_before_the_number_is_free(
    port: int, pair: tuple[socket.socket, socket.socket], process: Process
) -> None:
    here, there = pair
    request = _overlapped.Overlapped(0)
    number = here.fileno()
    request.WSARecv(number, 10)
    here.close()
    # ERROR_CONNECTION_ABORTED, as observed of receives that a port is told of; ERROR_OPERATION_ABORTED otherwise.
    assert next_packet(port) == (1236, 0, 7, request.address)
    assert here.fileno() == -1
    assert number not in process.objects
    assert there.recv(1) == b""


def test_accept_and_connect(port: int) -> None:
    """The accepting socket exists before the connection, and is it afterwards, under the same number."""
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as accepting, socket.socket() as client:
        for sock in (listening, accepting, client):
            adopt(sock)
        _overlapped.CreateIoCompletionPort(listening.fileno(), port, 1, 0)
        _overlapped.CreateIoCompletionPort(client.fileno(), port, 2, 0)
        accept, connect = _overlapped.Overlapped(0), _overlapped.Overlapped(0)
        accept.AcceptEx(listening.fileno(), accepting.fileno())
        fails_with(10022, connect.ConnectEx, client.fileno(), listening.getsockname())
        connect = _overlapped.Overlapped(0)
        _overlapped.BindLocal(client.fileno(), client.family)
        fails_with(10022, _overlapped.BindLocal, client.fileno(), client.family)
        connect.ConnectEx(client.fileno(), listening.getsockname())

        assert {next_packet(port)[2:], next_packet(port)[2:]} == {(1, accept.address), (2, connect.address)}
        assert (accept.getresult(), connect.getresult()) == (0, 0)
        client.setsockopt(socket.SOL_SOCKET, _overlapped.SO_UPDATE_CONNECT_CONTEXT, 0)
        context = listening.fileno().to_bytes(8, "little")
        accepting.setsockopt(socket.SOL_SOCKET, _overlapped.SO_UPDATE_ACCEPT_CONTEXT, context)
        assert accepting.getpeername() == client.getsockname()
        client.sendall(b"ping")
        request = _overlapped.Overlapped()
        request.WSARecv(accepting.fileno(), 10)
        assert request.getresult(True) == b"ping"


def test_a_refused_connect_has_the_win32_code_and_its_class() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = probe.getsockname()
    with socket.socket() as client:
        adopt(client)
        _overlapped.BindLocal(client.fileno(), client.family)
        request = _overlapped.Overlapped()
        request.ConnectEx(client.fileno(), nobody)
        assert isinstance(fails_with(1225, request.getresult, True), ConnectionRefusedError)


def test_a_reset_is_64_to_a_request_and_10054_to_its_start(pair: tuple[socket.socket, socket.socket]) -> None:
    here, there = pair
    request = _overlapped.Overlapped()
    request.WSARecv(here.fileno(), 10)
    there.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    there.close()
    fails_with(64, request.getresult, True)
    assert isinstance(fails_with(10054, _overlapped.Overlapped(0).WSARecv, here.fileno(), 10), ConnectionResetError)


@pytest.mark.parametrize("address", [("127.0.0.1",), ("127.0.0.1", 1, 2), ()])
def test_addresses_of_other_lengths_are_refused(address: Any) -> None:
    with socket.socket() as client:
        with pytest.raises(ValueError, match="illegal address_as_bytes argument"):
            _overlapped.Overlapped(0).ConnectEx(client.fileno(), address)
        with pytest.raises(TypeError):
            _overlapped.Overlapped(0).ConnectEx(client.fileno(), "127.0.0.1:1")  # type: ignore[arg-type]


def test_datagrams_come_with_their_sender(port: int) -> None:
    here = socket.socket(type=socket.SOCK_DGRAM)
    there = socket.socket(type=socket.SOCK_DGRAM)
    with here, there:
        for sock in (here, there):
            sock.bind(("127.0.0.1", 0))
            adopt(sock)
        first, second = _overlapped.Overlapped(), _overlapped.Overlapped()
        first.WSARecvFrom(here.fileno(), 100, 0)
        sent = _overlapped.Overlapped()
        sent.WSASendTo(there.fileno(), b"one", 0, here.getsockname())
        assert sent.getresult(True) == 3
        assert first.getresult(True) == (b"one", there.getsockname())

        buffer = bytearray(4)
        with pytest.raises(ValueError, match="nbytes is greater than the length of the buffer"):
            _overlapped.Overlapped(0).WSARecvFromInto(here.fileno(), buffer, 5, 0)
        second.WSARecvFromInto(here.fileno(), buffer, 4, 0)
        _overlapped.WSAConnect(there.fileno(), here.getsockname())
        there.send(b"two")
        assert second.getresult(True) == (3, there.getsockname())
        assert buffer == b"two\0"


def test_a_file_is_sent_by_its_descriptor(pair: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    here, there = pair
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        request = _overlapped.Overlapped()
        request.TransmitFile(here.fileno(), file.fileno(), 2, 0, 5, 0, 0)
        assert request.getresult(True) == 5
    assert there.recv(100) == b"23456"


def test_a_registered_wait_posts_one_packet(port: int) -> None:
    event = _overlapped.CreateEvent(None, True, False, None)
    signalled = _overlapped.RegisterWaitWithQueue(event, port, 0x111, _overlapped.INFINITE)
    assert _overlapped.GetQueuedCompletionStatus(port, SOON_MS) is None
    _overlapped.SetEvent(event)
    assert next_packet(port) == (0, 0, 0, 0x111)
    unregister(_overlapped.UnregisterWait, signalled)

    _overlapped.ResetEvent(event)
    timed_out = _overlapped.RegisterWaitWithQueue(event, port, 0x222, 1)
    assert next_packet(port) == (0, 1, 0, 0x222)
    done = _overlapped.CreateEvent(None, True, False, None)
    unregister(_overlapped.UnregisterWaitEx, timed_out, done)
    assert _winapi.WaitForSingleObject(done, WAIT_MS) == _winapi.WAIT_OBJECT_0
    for handle in (event, done):
        _winapi.CloseHandle(handle)


def test_posted_packets_and_closed_ports() -> None:
    port = _overlapped.CreateIoCompletionPort(_overlapped.INVALID_HANDLE_VALUE, 0, 0, 0)
    _overlapped.PostQueuedCompletionStatus(port, 1, 2, 3)
    assert _overlapped.GetQueuedCompletionStatus(port, 0) == (0, 1, 2, 3)
    _winapi.CloseHandle(port)
    fails_with(6, _overlapped.GetQueuedCompletionStatus, port, 0)
    fails_with(6, _winapi.CloseHandle, port)


def test_arguments_that_windows_refuses() -> None:
    with pytest.raises(ValueError, match="EventAttributes must be None"):
        _overlapped.CreateEvent(1, True, False, None)  # type: ignore[arg-type]
    with socket.socket() as sock, pytest.raises(ValueError, match="expected tuple of length 2 or 4"):
        _overlapped.BindLocal(sock.fileno(), 99)


def test_messages() -> None:
    assert _overlapped.FormatMessage(10061).startswith("No connection could be made")
    assert _overlapped.FormatMessage(0x7FFFFFFF) == f"unknown error code {0x7FFFFFFF}"


def test_an_event_of_ones_own_is_closed_with_the_object(process: Process) -> None:
    request = _overlapped.Overlapped()
    event = request.event
    assert event in current_process().objects
    del request
    assert event not in process.objects
    assert _overlapped.Overlapped(0).event == 0
