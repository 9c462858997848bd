"""Overlapped requests on sockets: completing against cancelling, closing and cleaning up; buffers; other calls."""

from __future__ import annotations

import gc
import random
import sys
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from tests.concurrency import Call, until
from tests.loopback import NOW, code_of, elsewhere, nonblocking, pair, received, reset, udp
from winsock2emu import kernel32, mswsock
from winsock2emu import ws2_32 as api
from winsock2emu.defs.codes import (
    STATUS_CANCELLED,
    STATUS_CONNECTION_RESET,
    STATUS_PENDING,
    STATUS_SUCCESS,
    WAIT_TIMEOUT,
    WSA_INVALID_PARAMETER,
    WSA_IO_INCOMPLETE,
    WSAECONNABORTED,
    WSAEFAULT,
    WSAEINVAL,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
)
from winsock2emu.defs.constants import (
    INFINITE,
    MSG_OOB,
    POLLRDNORM,
    SO_RCVBUF,
    SOL_SOCKET,
    WAIT_IO_COMPLETION,
    WSA_FLAG_OVERLAPPED,
)
from winsock2emu.kernel.operations import OVERLAPPED, PENDING
from winsock2emu.process import Process, current_process

pytestmark = pytest.mark.usefixtures("winsock")

LONG_MS = 20_000
NO_FILE = 0xFFFFFFFFFFFFFFFF


class Told(OVERLAPPED):
    """A record that counts how often its request has ended."""

    __slots__ = ("ends",)

    def __init__(self, hEvent: int = 0) -> None:
        super().__init__(hEvent)
        self.ends = 0

    def finish(self, result: Any, failure: Any = None) -> None:
        self.ends += 1
        super().finish(result, failure)

    def abandon(self) -> None:
        self.ends += 1
        super().abandon()


def begin(s: int, record: OVERLAPPED, size: int = 8) -> bytearray:
    """A receive that pends; its buffer."""
    buffer = bytearray(size)
    assert api.WSARecv(s, [buffer], 0, record) is PENDING
    return buffer


def nothing_pends(*sockets: int) -> None:
    process = current_process()
    for s in sockets:
        record = process.objects.get(s)
        file = getattr(record, "file", None)
        assert file is None or not file.pending


# Races: each request ends exactly once


@pytest.mark.parametrize("seed", range(4))
def test_completing_cancelling_and_closing_at_once_ends_each_request_once(seed: int) -> None:
    """Three threads fall upon the same ten requests, over and over."""
    chance = random.Random(seed)
    for _ in range(15):
        client, server = pair()
        records = [Told() for _ in range(10)]
        buffers = [begin(server, record, 1) for record in records]
        meeting = threading.Barrier(3)

        def send(client: int = client, meeting: threading.Barrier = meeting) -> None:
            meeting.wait(20)
            api.send(client, b"0123456789"[: chance.randint(1, 10)])

        def cancel(server: int = server, meeting: threading.Barrier = meeting, records: Any = records) -> None:
            meeting.wait(20)
            for record in chance.sample(records, 5):
                code_of(kernel32.CancelIoEx, server, record)

        def close(server: int = server, meeting: threading.Barrier = meeting) -> None:
            meeting.wait(20)
            api.closesocket(server)

        calls = [elsewhere(what) for what in (send, cancel, close)]
        for call in calls:
            call.result()
        until(lambda records=records: all(record.ends for record in records), "every request has ended")  # type: ignore[misc]
        assert [record.ends for record in records] == [1] * 10
        moved = [record.InternalHigh for record in records if record.Internal == STATUS_SUCCESS]
        assert all(moved), "the peer has not closed, so no receive succeeds with nothing"
        data = b"".join(
            bytes(buffer) for buffer, record in zip(buffers, records, strict=True) if record.Internal == STATUS_SUCCESS
        )
        assert data == b"0123456789"[: len(data)], "in the order of the calls, none lost in between"
        assert all(record.Internal in (STATUS_SUCCESS, STATUS_CANCELLED) for record in records)
        api.closesocket(client)


@pytest.mark.parametrize("seed", range(3))
def test_each_packet_of_a_port_comes_once_whatever_happens_to_its_request(seed: int) -> None:
    chance = random.Random(seed)
    port = kernel32.CreateIoCompletionPort(NO_FILE, None, 0, 0)
    records: list[Told] = []
    for _ in range(10):
        client, server = pair()
        kernel32.CreateIoCompletionPort(server, port, server, 0)
        mine = [Told() for _ in range(8)]
        for record in mine:
            begin(server, record, 1)
        records += mine
        meeting = threading.Barrier(2)

        def disturb(client: int = client, server: int = server, meeting: threading.Barrier = meeting) -> None:
            meeting.wait(20)
            if chance.random() < 0.5:
                code_of(kernel32.CancelIoEx, server)
            else:
                reset(client)

        call = elsewhere(disturb)
        meeting.wait(20)
        code_of(api.send, client, b"01234")
        api.closesocket(server)
        call.result()
        code_of(api.closesocket, client)
    told: list[Any] = []
    while len(told) < len(records):
        told += [entry[1] for entry in kernel32.GetQueuedCompletionStatusEx(port, 64, LONG_MS)]
    assert code_of(kernel32.GetQueuedCompletionStatus, port, 20) == WAIT_TIMEOUT
    assert len({id(record) for record in told}) == len(told) == len(records)
    assert [record.ends for record in records] == [1] * len(records)
    kernel32.CloseHandle(port)


def test_the_last_cleanup_against_everything_else(winsock: Process) -> None:
    """R1.18: what ends by it is not told; what has ended before keeps its outcome."""
    for _ in range(5):
        client, server = pair()
        event = kernel32.CreateEvent(False, True, False)
        records = [Told(event) for _ in range(6)]
        for record in records:
            begin(server, record, 1)
        file = winsock.socket(server).file
        meeting = threading.Barrier(2)

        def send(client: int = client, meeting: threading.Barrier = meeting) -> None:
            meeting.wait(20)
            for _ in range(6):
                code_of(api.send, client, b"x")

        call = elsewhere(send)
        meeting.wait(20)
        api.WSACleanup()
        call.result()
        assert [record.ends for record in records] == [1] * 6
        assert file is not None
        assert not file.pending
        told = any(record.Internal == STATUS_SUCCESS for record in records)
        assert kernel32.WaitForSingleObject(event, 0) == (0 if told else WAIT_TIMEOUT)
        assert all(record.Internal in (STATUS_SUCCESS, STATUS_CANCELLED) for record in records)
        kernel32.CloseHandle(event)
        api.WSAStartup(0x0202)


def test_waiting_for_a_result_while_the_request_ends_loses_no_wake_up() -> None:
    """The record has no event: several threads wait for the request itself, some of them as it ends."""
    client, server = pair()
    for _ in range(60):
        record = OVERLAPPED()
        begin(server, record, 1)
        waits = [elsewhere(kernel32.GetOverlappedResult, server, record, True) for _ in range(2)]
        api.send(client, b"x")
        assert [wait.result() for wait in waits] == [1, 1]


def test_a_record_that_nobody_completes_is_watched_by_whoever_waits_for_it() -> None:
    """Filled by hand, without an event: the wait ends when somebody writes the status, or by its limit."""
    record = OVERLAPPED()
    record.Internal = STATUS_PENDING
    assert code_of(kernel32.GetOverlappedResultEx, 0, record, 20, False) == WAIT_TIMEOUT
    waiting = elsewhere(kernel32.GetOverlappedResult, 0, record, True)
    record.InternalHigh = 9
    record.Internal = STATUS_SUCCESS
    assert waiting.result() == 9


# Buffers and records are let go


@pytest.mark.parametrize("end", ["data", "cancel", "close", "reset"])
def test_a_buffer_is_held_until_its_request_ends_and_not_longer(end: str) -> None:
    class Buffer(bytearray):
        """One that can be referred to weakly."""

    client, server = pair()
    record = OVERLAPPED()
    buffer = Buffer(4)
    held = weakref.ref(buffer)
    assert api.WSARecv(server, [buffer], 0, record) is PENDING
    del buffer
    gc.collect()
    assert held() is not None
    if end == "data":
        api.send(client, b"data")
    elif end == "cancel":
        kernel32.CancelIoEx(server, record)
    elif end == "close":
        api.closesocket(server)
    else:
        reset(client)
    until(lambda: kernel32.SleepEx(0, True) or record.Internal != STATUS_PENDING, "complete")
    gc.collect()
    assert held() is None


def test_thousands_of_requests_leave_nothing_behind() -> None:
    client, server = pair()
    buffer = bytearray(1)
    record = OVERLAPPED()
    for _ in range(2000):
        assert api.WSARecv(server, [buffer], 0, record) is PENDING
        api.send(client, b"x")
        api.WSAGetOverlappedResult(server, record, True)
    nothing_pends(server, client)
    assert sys.getrefcount(buffer) <= 3


# Sends


def test_a_pending_send_holds_its_place_and_moves_all_of_its_bytes() -> None:
    client, server = pair()
    size = 12 << 20
    record = OVERLAPPED()
    assert api.WSASend(client, [bytes(size)], 0, record) is PENDING
    behind = OVERLAPPED()
    assert api.WSASend(client, [b"behind"], 0, behind) is PENDING
    assert code_of(api.WSAGetOverlappedResult, client, record, False) == WSA_IO_INCOMPLETE
    assert received(server, size) == bytes(size)
    assert received(server, 6) == b"behind"
    assert api.WSAGetOverlappedResult(client, record, True) == (size, 0)
    assert api.WSAGetOverlappedResult(client, behind, True) == (6, 0)
    nothing_pends(client)


def test_pending_sends_progress_although_no_thread_waits() -> None:
    """The guardian sees to them; this thread only receives with calls that need not wait."""
    client, server = pair()
    size = 12 << 20
    record = OVERLAPPED()
    assert api.WSASend(client, [bytes(size)], 0, record) is PENDING
    nonblocking(server)
    space, total = bytearray(1 << 20), 0

    def take() -> bool:
        nonlocal total
        if not code_of(lambda: totals.append(api.recv(server, space))):
            total += totals.pop()
        return total == size

    totals: list[int] = []
    until(take, "all of it has come")
    until(lambda: record.Internal == STATUS_SUCCESS, "the send is complete")


# Urgent data


def test_a_receive_of_urgent_data_begins_nothing_when_there_is_none() -> None:
    """R13.8, also when there has been some: the call fails, and the ordinary data stays where it is."""
    client, server = pair()
    api.send(client, b"!", MSG_OOB)
    until(lambda: api.select(None, None, [server], NOW)[2], "urgent data is there")
    first = bytearray(1)
    assert api.recv(server, first, MSG_OOB) == 1
    api.send(client, b"ordinary")
    record = OVERLAPPED()
    assert code_of(api.WSARecv, server, [bytearray(1)], MSG_OOB, record) == WSAEINVAL
    assert received(server, 8) == b"ordinary"


# Interplay with other calls


def test_network_order_of_a_posted_receive_and_the_other_calls() -> None:
    """R6.28, for datagrams: the first one belongs to the request, the second to recv."""
    a, b = udp(), udp()
    record = OVERLAPPED()
    buffer = begin(b, record)
    name = api.getsockname(b)
    api.sendto(a, b"first", 0, name)
    api.sendto(a, b"second", 0, name)
    nonblocking(b)
    space = bytearray(8)
    until(lambda: api.ioctlsocket(b, 0x4004667F, 0) == 6, "the second one is there")
    assert api.recv(b, space) == 6
    assert api.WSAGetOverlappedResult(b, record, True) == (5, 0)
    assert bytes(buffer[:5]) == b"first"
    assert code_of(api.recv, b, space) == WSAEWOULDBLOCK


def test_select_and_poll_with_a_posted_receive_on_a_datagram_socket() -> None:
    a, b = udp(), udp()
    record = OVERLAPPED()
    begin(b, record)
    api.sendto(a, b"only", 0, api.getsockname(b))
    assert api.select([b], None, None, NOW)[0] == []
    assert api.WSAPoll([(b, POLLRDNORM)], 20) == (0, [0])
    assert api.WSAGetOverlappedResult(b, record, True) == (4, 0)


def test_a_receive_buffer_of_no_size_comes_and_goes() -> None:
    """R6.25: what no receive waits for is lost while SO_RCVBUF is 0, and only then."""
    a, b = udp(), udp()
    name = api.getsockname(b)
    api.setsockopt(b, SOL_SOCKET, SO_RCVBUF, 0)
    api.sendto(a, b"lost", 0, name)
    assert api.select([b], None, None, (0, 20_000))[0] == []
    assert api.ioctlsocket(b, 0x4004667F, 0) == 0
    assert code_of(api.recv, nonblocking(b), bytearray(8)) == WSAEWOULDBLOCK
    api.setsockopt(b, SOL_SOCKET, SO_RCVBUF, 65536)
    api.sendto(a, b"kept", 0, name)
    until(lambda: api.select([b], None, None, NOW)[0], "it is there")
    assert api.recv(b, bytearray(8)) == 4


# Results


def test_wrong_arguments_of_the_outcome_calls() -> None:
    _, server = pair()
    assert code_of(api.WSAGetOverlappedResult, server, None, False) == WSAEFAULT
    assert code_of(api.WSAGetOverlappedResult, 0xABACAB, OVERLAPPED(), False) == WSAENOTSOCK
    record = OVERLAPPED()
    assert api.WSARecv(server, [bytearray(1)], 0, record, lambda *told: None) is PENDING
    assert code_of(api.WSAGetOverlappedResult, server, record, True) == WSA_INVALID_PARAMETER


def test_a_port_is_told_that_the_connection_is_gone_when_its_socket_is_closed() -> None:
    """iocp-thread-close-packet: not so an event."""
    _, server = pair()
    port = kernel32.CreateIoCompletionPort(server, None, 3, 0)
    record = OVERLAPPED()
    begin(server, record)
    api.closesocket(server)
    key, which, status, moved = kernel32.GetQueuedCompletionStatusEx(port, 1, 0)[0]
    assert (key, which, moved) == (3, record, 0)
    assert record.result.winerror == WSAECONNABORTED
    assert status == record.Internal
    kernel32.CloseHandle(port)


def test_the_result_of_a_record_is_that_of_the_call() -> None:
    a, b = udp(), udp()
    record = OVERLAPPED()
    assert api.WSARecvFrom(b, [bytearray(8)], 0, None, record) is PENDING
    api.sendto(a, b"data", 0, api.getsockname(b))
    api.WSAGetOverlappedResult(b, record, True)
    assert record.result == (4, api.getsockname(a))
    message = OVERLAPPED()
    assert mswsock.WSARecvMsg(b, [bytearray(8)], 0, None, 0, message) is PENDING
    api.sendto(a, b"more!", 0, api.getsockname(b))
    api.WSAGetOverlappedResult(b, message, True)
    assert (message.result.moved, message.result.address) == (5, api.getsockname(a))


def test_a_receive_with_a_sender_on_a_stream_pends_as_itself() -> None:
    client, server = pair()
    record = OVERLAPPED()
    assert api.WSARecvFrom(server, [bytearray(8)], 0, None, record) is PENDING
    api.send(client, b"data")
    assert api.WSAGetOverlappedResult(server, record, True) == (4, 0)
    api.send(client, b"more")
    until(lambda: api.select([server], None, None, NOW)[0], "it is there")
    assert api.WSARecvFrom(server, [bytearray(8)], 0, None, OVERLAPPED()) == (4, None)


# Completion routines


def test_an_exception_of_a_routine_comes_out_of_the_wait_after_all_have_run() -> None:
    """R6.39."""
    client, _ = pair()
    ran: list[int] = []

    def bad(*told: Any) -> None:
        raise ZeroDivisionError

    for routine in (bad, lambda *told: ran.append(1), bad, lambda *told: ran.append(2)):
        api.WSASend(client, [b"x"], 0, OVERLAPPED(), routine)
    with pytest.raises(ExceptionGroup) as caught:
        kernel32.SleepEx(0, True)
    assert [type(one) for one in caught.value.exceptions] == [ZeroDivisionError] * 2
    assert ran == [1, 2]
    assert kernel32.SleepEx(0, True) == 0


@pytest.mark.parametrize("wait", ["select", "poll"])
def test_an_exception_of_a_routine_ends_select_and_poll(wait: str) -> None:
    client, server = pair()
    third, _ = pair()

    def bad(*told: Any) -> None:
        raise ZeroDivisionError

    assert api.WSARecv(third, [bytearray(1)], 0, OVERLAPPED(), bad) is PENDING
    kernel32.CancelIoEx(third)
    waits: dict[str, Callable[[], object]] = {
        "select": lambda: api.select([server], None, None, (20, 0)),
        "poll": lambda: api.WSAPoll([(server, POLLRDNORM)], LONG_MS),
    }
    with pytest.raises(ZeroDivisionError):
        waits[wait]()
    api.send(client, b"x")
    assert api.select([server], None, None, (20, 0))[0] == [server]


def test_select_that_finds_something_runs_no_routine() -> None:
    client, server = pair()
    ran: list[int] = []
    api.WSASend(client, [b"x"], 0, OVERLAPPED(), lambda *told: ran.append(1))
    until(lambda: api.select([server], None, None, NOW)[0], "it is there")
    assert api.select([server], None, None, (20, 0))[0] == [server]
    assert api.WSAPoll([(server, POLLRDNORM)], LONG_MS) == (1, [POLLRDNORM])
    assert ran == []
    assert kernel32.SleepEx(0, True) == WAIT_IO_COMPLETION
    assert ran == [1]


def test_select_inside_of_a_routine_that_select_runs() -> None:
    client, server = pair()
    third, fourth = pair()
    seen: list[Any] = []

    def routine(*told: Any) -> None:
        api.send(client, b"x")
        seen.append(api.select([server], None, None, (20, 0))[0])

    api.WSASend(third, [b"y"], 0, OVERLAPPED(), routine)
    assert received(fourth, 1) == b"y"
    assert seen == [], "a receive that need not wait runs no routine"
    assert api.select([server], None, None, (20, 0))[0] == [server]
    assert seen == [[server]]


# Shared sockets, forks


def test_descriptors_of_a_shared_socket_have_their_own_requests() -> None:
    """R6.50, R2.20."""
    client, server = pair()
    info = api.WSADuplicateSocket(server, kernel32.GetCurrentProcessId())
    again = api.WSASocket(-1, -1, -1, info, 0, WSA_FLAG_OVERLAPPED)
    port = kernel32.CreateIoCompletionPort(again, None, 5, 0)
    one, other = Told(), Told()
    begin(server, one)
    begin(again, other)
    api.closesocket(server)
    assert (one.ends, other.ends) == (1, 0)
    api.send(client, b"data")
    packets: list[Any] = []
    while len(packets) < 2:
        packets += kernel32.GetQueuedCompletionStatusEx(port, 2, LONG_MS)
    assert [(key, which) for key, which, _, _ in packets] == [(5, one), (5, other)]
    kernel32.CloseHandle(port)


@pytest.mark.parametrize(
    "call",
    [
        lambda s, record: api.WSARecv(s, [bytearray(1)], 0, record),
        lambda s, record: api.WSARecv(s, [bytearray(1), bytearray(1)], 0, record),
        lambda s, record: api.WSARecv(s, [bytearray()], 0, record),
        lambda s, record: api.WSARecv(s, [bytearray(3)], 8, record),
        lambda s, record: api.WSARecvFrom(s, [bytearray(1)], 0, None, record),
        lambda s, record: kernel32.ReadFile(s, bytearray(1), record),
    ],
    ids=["one buffer", "two buffers", "no room", "wait for all", "with a sender", "as a file"],
)
def test_every_form_of_a_receive_ends_with_a_reset(call: Callable[[int, OVERLAPPED], Any]) -> None:
    client, server = pair()
    record = Told()
    assert call(server, record) is PENDING
    reset(client)
    until(lambda: kernel32.SleepEx(0, True) or record.Internal != STATUS_PENDING, "complete")
    assert record.ends == 1
    # A receive of no bytes completes when there is something to learn.
    assert record.Internal in (STATUS_CONNECTION_RESET, STATUS_SUCCESS)


def test_closing_from_inside_of_a_routine_ends_the_blocking_call_around_it() -> None:
    client, server = pair()
    third, _ = pair()
    api.WSASend(third, [b"x"], 0, OVERLAPPED(), lambda *told: api.closesocket(server))
    assert code_of(api.recv, server, bytearray(1)) != 0
    assert client


def test_an_infinite_wait_ends_by_a_request_of_this_process() -> None:
    client, server = pair()
    event = api.WSACreateEvent()
    begin(server, OVERLAPPED(event))
    call = Call(lambda: None)
    call.result()
    sending = elsewhere(api.send, client, b"x")
    assert api.WSAWaitForMultipleEvents([event], False, INFINITE) == 0
    sending.result()
    api.WSACloseEvent(event)
