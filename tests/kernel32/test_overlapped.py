"""Outcomes, cancelling, sockets as files, and the handles that DuplicateHandle makes of sockets."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.concurrency import until
from tests.loopback import code_of, elsewhere, nonblocking, pair, readable, received, reset, udp
from winsock2emu import kernel32
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    ERROR_HANDLE_EOF,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_IO_INCOMPLETE,
    ERROR_NETNAME_DELETED,
    ERROR_NOACCESS,
    ERROR_NOT_FOUND,
    ERROR_NOT_SUPPORTED,
    ERROR_OPERATION_ABORTED,
    STATUS_CANCELLED,
    STATUS_END_OF_FILE,
    STATUS_PENDING,
    WAIT_TIMEOUT,
    WSA_OPERATION_ABORTED,
    WSAENOTSOCK,
)
from winsock2emu.defs.constants import (
    DUPLICATE_CLOSE_SOURCE,
    HANDLE_FLAG_INHERIT,
    SO_RCVTIMEO,
    SOL_SOCKET,
    WAIT_IO_COMPLETION,
)
from winsock2emu.kernel.operations import OVERLAPPED, PENDING
from winsock2emu.process import Process, current_process

HERE = kernel32.GetCurrentProcess()


def begin(s: int, record: OVERLAPPED) -> bytearray:
    buffer = bytearray(8)
    assert api.WSARecv(s, [buffer], 0, record) is PENDING
    return buffer


def copy_of(handle: int, **how: Any) -> int:
    return kernel32.DuplicateHandle(HERE, handle, HERE, **how)


# Outcomes


def test_a_status_of_the_system_is_told_as_its_code() -> None:
    record = OVERLAPPED()
    record.Internal = STATUS_END_OF_FILE
    assert code_of(kernel32.GetOverlappedResult, 0, record, False) == ERROR_HANDLE_EOF


def test_a_limit_of_no_time_only_looks() -> None:
    _, server = pair()
    record = OVERLAPPED()
    begin(server, record)
    assert code_of(kernel32.GetOverlappedResultEx, server, record, 0, True) == ERROR_IO_INCOMPLETE


def test_a_limit_of_time_is_kept_with_an_event_and_without() -> None:
    _, server = pair()
    event = api.WSACreateEvent()
    for record in (OVERLAPPED(event), OVERLAPPED()):
        begin(server, record)
        began = time.monotonic()
        assert code_of(kernel32.GetOverlappedResultEx, server, record, 30, False) == WAIT_TIMEOUT
        assert time.monotonic() - began >= 0.03
    api.WSACloseEvent(event)


def test_an_alertable_wait_for_a_request_runs_its_routines() -> None:
    _, server = pair()
    record = OVERLAPPED()
    begin(server, record)
    ran: list[int] = []
    kernel32.QueueUserAPC(ran.append, kernel32.GetCurrentThread(), 1)
    assert code_of(kernel32.GetOverlappedResultEx, server, record, 20_000, True) == WAIT_IO_COMPLETION
    assert ran == [1]


# Cancelling


def test_cancelling_needs_a_file_or_a_socket() -> None:
    event = api.WSACreateEvent()
    for handle in (0xABACAB, event):
        assert code_of(kernel32.CancelIo, handle) == ERROR_INVALID_HANDLE
        assert code_of(kernel32.CancelIoEx, handle) == ERROR_INVALID_HANDLE
    api.WSACloseEvent(event)
    assert code_of(kernel32.CancelIoEx, udp()) == ERROR_NOT_FOUND
    kernel32.CancelIo(udp())


def test_a_synchronous_call_that_has_ended_is_not_cancelled() -> None:
    client, server = pair()
    handle = elsewhere(lambda: kernel32.DuplicateHandle(HERE, kernel32.GetCurrentThread(), HERE)).result()
    api.send(client, b"x")
    assert code_of(kernel32.CancelSynchronousIo, handle) == ERROR_NOT_FOUND
    assert received(server, 1) == b"x"
    kernel32.CloseHandle(handle)


def test_a_read_of_a_file_that_waits_can_be_cancelled_from_elsewhere() -> None:
    """Without a record it waits for a request of its own, which CancelIoEx of the handle ends."""
    _, server = pair()
    reading = elsewhere(lambda: code_of(kernel32.ReadFile, server, bytearray(1)))
    until(lambda: not code_of(kernel32.CancelIoEx, server), "it has begun")
    assert reading.result() == ERROR_OPERATION_ABORTED


# Sockets as files


def test_a_read_gets_what_a_receive_would_get_whatever_the_mode_and_the_limit() -> None:
    """R2.8, R2.10, afd-readfile-blocks."""
    client, server = pair()
    nonblocking(server)
    api.setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, 1)
    buffer = bytearray(8)
    reading = elsewhere(kernel32.ReadFile, server, buffer)
    until(lambda: (file := current_process().socket(server).file) is not None and file.pending, "it waits")
    assert kernel32.WriteFile(client, b"data") == 4
    assert reading.result() == 4
    assert buffer[:4] == b"data"
    api.shutdown(client, 1)
    assert kernel32.ReadFile(server, buffer) == 0


@pytest.mark.parametrize("form", ["plain", "record"])
def test_failures_of_a_socket_are_system_errors(form: str) -> None:
    client, server = pair()
    reset(client)
    readable(server)
    record = OVERLAPPED() if form == "record" else None
    assert code_of(kernel32.ReadFile, server, bytearray(1), record) == ERROR_NETNAME_DELETED
    assert code_of(kernel32.WriteFile, server, b"x", record) == ERROR_NETNAME_DELETED
    assert code_of(kernel32.ReadFile, 0xABACAB, bytearray(1), record) == ERROR_INVALID_HANDLE
    assert code_of(kernel32.ReadFile, server, None, record) == ERROR_NOACCESS


def test_a_routine_of_a_read_gets_the_system_error() -> None:
    """R2.9: 64, where a routine of Winsock gets 10054."""
    client, server = pair()
    told: list[Any] = []
    record = OVERLAPPED()
    kernel32.ReadFileEx(server, bytearray(1), record, lambda *outcome: told.append(outcome))
    reset(client)
    assert kernel32.SleepEx(20_000, True) == WAIT_IO_COMPLETION
    assert told == [(ERROR_NETNAME_DELETED, 0, record)]


def test_the_ex_functions_are_not_for_a_socket_with_a_port() -> None:
    _, server = pair()
    port = kernel32.CreateIoCompletionPort(server, None, 1, 0)
    routine = lambda *told: None  # noqa: E731
    assert code_of(kernel32.ReadFileEx, server, bytearray(1), OVERLAPPED(), routine) == ERROR_INVALID_PARAMETER
    kernel32.CloseHandle(port)


# DuplicateHandle on sockets


def test_a_copy_keeps_the_connection_open_and_is_none_of_winsocks(process: Process) -> None:
    """R2.12, wgor-dup-handle."""
    client, server = pair()
    copy = copy_of(server)
    assert copy != server
    assert code_of(api.recv, copy, bytearray(1)) == WSAENOTSOCK
    assert code_of(api.closesocket, copy) == WSAENOTSOCK
    assert copy not in process.sockets()
    api.closesocket(server)
    assert kernel32.WriteFile(copy, b"still") == 5
    assert received(client, 5) == b"still"
    kernel32.CloseHandle(copy)
    assert api.recv(client, bytearray(1)) == 0
    assert code_of(kernel32.ReadFile, copy, bytearray(1)) == ERROR_INVALID_HANDLE


def test_a_copy_can_be_the_only_handle() -> None:
    client, server = pair()
    copy = copy_of(server, options=DUPLICATE_CLOSE_SOURCE)
    assert code_of(api.recv, server, bytearray(1)) == WSAENOTSOCK
    record = OVERLAPPED()
    assert kernel32.ReadFile(copy, bytearray(4), record) is PENDING
    api.send(client, b"data")
    assert kernel32.GetOverlappedResult(copy, record, True) == 4
    last = OVERLAPPED()
    assert kernel32.ReadFile(copy, bytearray(4), last) is PENDING
    kernel32.CloseHandle(copy)
    assert last.Internal == STATUS_CANCELLED


def test_a_copy_shares_the_port_of_its_socket() -> None:
    client, server = pair()
    copy = copy_of(server)
    port = kernel32.CreateIoCompletionPort(copy, None, 8, 0)
    record = OVERLAPPED()
    assert api.WSASend(server, [b"x"], 0, record) == 1
    assert kernel32.GetQueuedCompletionStatus(port, 0) == (1, 8, record)
    assert received(client, 1) == b"x"
    for handle in (copy, port):
        kernel32.CloseHandle(handle)


def test_flags_of_a_copy_are_its_own() -> None:
    _, server = pair()
    for inherit in (False, True):
        copy = copy_of(server, inherit=inherit)
        assert kernel32.GetHandleInformation(copy) == (HANDLE_FLAG_INHERIT if inherit else 0)
        assert code_of(copy_of, copy) == ERROR_NOT_SUPPORTED
        kernel32.CloseHandle(copy)


def test_the_last_cleanup_takes_copies_as_well(process: Process) -> None:
    _, server = pair()
    copy = copy_of(server)
    api.WSACleanup()
    assert code_of(kernel32.CloseHandle, copy) == ERROR_INVALID_HANDLE
    api.WSAStartup(0x0202)


def test_closing_a_copy_leaves_requests_on_the_socket_alone() -> None:
    client, server = pair()
    copy = copy_of(server)
    record = OVERLAPPED()
    buffer = begin(server, record)
    kernel32.CloseHandle(copy)
    assert record.Internal == STATUS_PENDING
    api.send(client, b"data")
    assert api.WSAGetOverlappedResult(server, record, True) == (4, 0)
    assert buffer[:4] == b"data"


def test_cancelling_a_blocking_winsock_call() -> None:
    _, server = pair()
    handles: list[int] = []

    def wait() -> int:
        handles.append(kernel32.DuplicateHandle(HERE, kernel32.GetCurrentThread(), HERE))
        return code_of(api.recv, server, bytearray(1))

    call = elsewhere(wait)
    until(lambda: handles and not code_of(kernel32.CancelSynchronousIo, handles[0]), "it waits")
    assert call.result() == WSA_OPERATION_ABORTED
    kernel32.CloseHandle(handles[0])
