"""Polls of \\Device\\Afd: the request's form, what ends it, and that no thread waits for it."""

from __future__ import annotations

import struct
import threading

import pytest

from tests.concurrency import until
from tests.loopback import code_of, pair, udp
from winsock2emu import kernel32
from winsock2emu import ws2_32 as api
from winsock2emu.defs.afd import (
    AFD_POLL_LOCAL_CLOSE,
    AFD_POLL_RECEIVE,
    AFD_POLL_RECEIVE_EXPEDITED,
    AFD_POLL_SEND,
    IOCTL_AFD_POLL,
)
from winsock2emu.defs.codes import (
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_FUNCTION,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND,
    STATUS_CANCELLED,
    STATUS_PENDING,
    STATUS_SUCCESS,
    STATUS_TIMEOUT,
)
from winsock2emu.defs.constants import INVALID_HANDLE_VALUE, MSG_OOB
from winsock2emu.kernel.operations import OVERLAPPED, PENDING
from winsock2emu.kernel32.afd import names_afd, seconds_of

FOREVER = (1 << 63) - 1
OPEN_EXISTING = 3
FILE_FLAG_OVERLAPPED = 0x40000000
PATIENCE_MS = 20_000


def device() -> int:
    return kernel32.CreateFile(r"\\.\GLOBALROOT\Device\Afd\Trio", 0, 3, None, OPEN_EXISTING, FILE_FLAG_OVERLAPPED)


def info(*sockets: tuple[int, int], timeout: int = FOREVER, exclusive: int = 0) -> bytes:
    head = struct.pack("<qII", timeout, len(sockets), exclusive)
    return head + b"".join(struct.pack("<QII", s, asked, 0) for s, asked in sockets)


def entries(output: bytes) -> list[tuple[int, int, int]]:
    assert struct.unpack_from("<qII", output)[1] == (len(output) - 16) // 16
    return list(struct.iter_unpack("<QII", output[16:]))


def poll(handle: int, data: bytes, overlapped: OVERLAPPED) -> object:
    return kernel32.DeviceIoControl(handle, IOCTL_AFD_POLL, data, len(data), overlapped)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        (r"\\.\GLOBALROOT\Device\Afd\Trio", True),
        (r"\Device\Afd", True),
        (r"\\?\GlobalRoot\device\AFD\x", True),
        (r"\Device\Afdx", False),
        (r"C:\Device\Afd", False),
        (None, False),
    ],
)
def test_paths_of_the_device(name: str | None, known: bool) -> None:
    assert names_afd(name) is known


def test_times_of_nt() -> None:
    assert (seconds_of(FOREVER), seconds_of(0), seconds_of(-25_000_000)) == (None, 0, 2.5)
    assert seconds_of(1) == 0  # long ago


def test_what_holds_is_the_result_at_once() -> None:
    client, server = pair()
    api.send(client, b"x")
    until(lambda: api.ioctlsocket(server, 0x4004667F, 0), "the byte has come")
    afd, overlapped = device(), OVERLAPPED()
    output = poll(afd, info((client, AFD_POLL_RECEIVE), (server, AFD_POLL_RECEIVE | AFD_POLL_SEND)), overlapped)
    assert isinstance(output, bytes)
    assert entries(output) == [(server, AFD_POLL_RECEIVE | AFD_POLL_SEND, STATUS_SUCCESS)]
    assert (overlapped.Internal, overlapped.InternalHigh, overlapped.result) == (STATUS_SUCCESS, 32, output)
    kernel32.CloseHandle(afd)


def test_many_polls_wait_without_threads() -> None:
    pairs = [pair() for _ in range(20)]
    afd = device()
    port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, 0)
    kernel32.CreateIoCompletionPort(afd, port, 7, 0)
    before = threading.active_count()
    records = [OVERLAPPED() for _ in pairs]
    for (_, server), overlapped in zip(pairs, records, strict=True):
        assert poll(afd, info((server, AFD_POLL_RECEIVE)), overlapped) is PENDING
    assert threading.active_count() <= before + 1  # the guardian
    for client, _ in pairs:
        api.send(client, b"x")
    told: set[int] = set()
    while len(told) < len(pairs):
        told |= {id(packet[1]) for packet in kernel32.GetQueuedCompletionStatusEx(port, 64, PATIENCE_MS)}
    assert told == set(map(id, records))
    assert [entries(one.result)[0][0] for one in records] == [server for _, server in pairs]
    for handle in (afd, port):
        kernel32.CloseHandle(handle)


def test_a_poll_ends_by_cancelling_by_closing_and_by_time() -> None:
    _, server = pair()
    afd = device()
    cancelled, timed, closed = (OVERLAPPED(api.WSACreateEvent()) for _ in range(3))
    for overlapped, timeout in ((cancelled, FOREVER), (timed, -200_000), (closed, FOREVER)):
        assert poll(afd, info((server, AFD_POLL_RECEIVE), timeout=timeout), overlapped) is PENDING
    assert kernel32.WaitForSingleObject(timed.hEvent, PATIENCE_MS) == 0
    assert (timed.Internal, timed.InternalHigh) == (STATUS_TIMEOUT, 16)
    kernel32.CancelIoEx(afd, cancelled)
    assert cancelled.Internal == STATUS_CANCELLED
    assert code_of(kernel32.CancelIoEx, afd, cancelled) == ERROR_NOT_FOUND
    assert closed.Internal == STATUS_PENDING
    api.closesocket(server)
    assert entries(closed.result) == [(server, AFD_POLL_LOCAL_CLOSE, STATUS_SUCCESS)]
    kernel32.CloseHandle(afd)


@pytest.mark.parametrize(("first", "ended"), [(1, [True, True, False]), (0, [False, False, False])])
def test_an_exclusive_poll_ends_the_one_that_came_first_if_that_is_exclusive(first: int, ended: list[bool]) -> None:
    _, server = pair()
    afd = device()
    records = [OVERLAPPED(api.WSACreateEvent()) for _ in ended]
    for overlapped, exclusive in zip(records, (first, 1, 1), strict=True):
        assert poll(afd, info((server, AFD_POLL_RECEIVE), exclusive=exclusive), overlapped) is PENDING
    assert [one.Internal == STATUS_SUCCESS for one in records] == ended
    kernel32.CancelIo(afd)
    again = [OVERLAPPED(api.WSACreateEvent()) for _ in range(2)]
    for overlapped in again:
        assert poll(afd, info((server, AFD_POLL_RECEIVE), exclusive=1), overlapped) is PENDING
    assert [one.Internal == STATUS_SUCCESS for one in again] == [True, False]
    kernel32.CloseHandle(afd)
    api.closesocket(server)


def test_a_poll_forgets_its_sockets() -> None:
    """What is over is not looked for any more."""
    client, server = pair()
    afd, overlapped = device(), OVERLAPPED(api.WSACreateEvent())
    poll(afd, info((server, AFD_POLL_RECEIVE), (client, AFD_POLL_RECEIVE)), overlapped)
    api.send(client, b"x")
    assert kernel32.WaitForSingleObject(overlapped.hEvent, PATIENCE_MS) == 0
    api.send(server, b"y")
    assert entries(overlapped.result) == [(server, AFD_POLL_RECEIVE, STATUS_SUCCESS)]
    assert overlapped.operation is None
    kernel32.CloseHandle(afd)


def test_urgent_data_ends_a_poll_for_it() -> None:
    """Also when urgent data is kept beside the stream already, where changes are told from inside of a look."""
    client, server = pair()
    afd = device()
    for _ in range(3):
        overlapped = OVERLAPPED(api.WSACreateEvent())
        assert poll(afd, info((server, AFD_POLL_RECEIVE_EXPEDITED)), overlapped) is PENDING
        api.send(client, b"!", MSG_OOB)
        assert kernel32.WaitForSingleObject(overlapped.hEvent, PATIENCE_MS) == 0
        assert entries(overlapped.result) == [(server, AFD_POLL_RECEIVE_EXPEDITED, STATUS_SUCCESS)]
        assert api.recv(server, bytearray(4), MSG_OOB) == 1
    kernel32.CloseHandle(afd)


def test_requests_that_are_refused() -> None:
    s, afd = udp(), device()
    good = info((s, AFD_POLL_SEND))
    control = kernel32.DeviceIoControl
    assert code_of(control, afd, IOCTL_AFD_POLL, good, len(good), None) == ERROR_INVALID_PARAMETER
    assert code_of(control, afd, IOCTL_AFD_POLL, None, len(good), OVERLAPPED()) == ERROR_INVALID_PARAMETER
    assert code_of(control, afd, IOCTL_AFD_POLL, good, 8, OVERLAPPED()) == ERROR_INVALID_PARAMETER
    assert code_of(control, afd, 0x12345, good, len(good), OVERLAPPED()) == ERROR_INVALID_FUNCTION
    assert code_of(control, s + 100, IOCTL_AFD_POLL, good, len(good), OVERLAPPED()) == ERROR_INVALID_HANDLE
    assert code_of(poll, afd, info((afd, AFD_POLL_SEND)), OVERLAPPED()) == ERROR_INVALID_HANDLE
    assert code_of(kernel32.CreateFile, r"\\.\Other", 0, 3, None, OPEN_EXISTING) == ERROR_FILE_NOT_FOUND
    kernel32.CloseHandle(afd)
