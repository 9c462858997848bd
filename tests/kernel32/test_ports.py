"""Completion ports without files."""

from __future__ import annotations

import itertools
import os
import time
from typing import Any

import pytest

from tests.concurrency import Call, Interrupt, codes_of, interrupted_at_step, until
from tests.loopback import code_of, elsewhere, pair
from winsock2emu import kernel32, ws2_32
from winsock2emu.defs.codes import (
    ERROR_ABANDONED_WAIT_0,
    ERROR_CONNECTION_ABORTED,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    STATUS_CONNECTION_ABORTED,
    WAIT_TIMEOUT,
)
from winsock2emu.defs.constants import AF_INET, INFINITE, SOCK_STREAM, WAIT_IO_COMPLETION
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import OVERLAPPED
from winsock2emu.kernel.ports import PortWait
from winsock2emu.kernel.waits import Parking, Waiter, idle_waiter
from winsock2emu.process import Process, current_process

LONG_MS = 20_000
NO_FILE = 0xFFFFFFFFFFFFFFFF


@pytest.fixture
def port() -> int:
    return kernel32.CreateIoCompletionPort(NO_FILE, None, 999, 0)


def take(port: int, milliseconds: int = 0) -> tuple[int, int, Any]:
    return kernel32.GetQueuedCompletionStatus(port, milliseconds)


def take_several(port: int, count: int, milliseconds: int = 0, alertable: bool = False) -> Any:
    return kernel32.GetQueuedCompletionStatusEx(port, count, milliseconds, alertable)


def waiting(process: Process, port: int) -> int:
    return len(process.objects[port].waiting)


def test_an_empty_port_times_out(port: int) -> None:
    """post-empty, post-ex-empty."""
    assert code_of(take, port) == WAIT_TIMEOUT
    assert code_of(take_several, port, 2) == WAIT_TIMEOUT
    began = time.monotonic()
    assert code_of(take, port, 30) == WAIT_TIMEOUT
    assert time.monotonic() - began >= 0.03


def test_a_packet_comes_out_as_it_went_in(port: int) -> None:
    """post-basic, post-create-key-ignored: the overlapped record is whatever the program passed."""
    record = object()
    kernel32.PostQueuedCompletionStatus(port, 123, 456, record)

    assert take(port) == (123, 456, record)
    assert code_of(take, port) == WAIT_TIMEOUT


def test_packets_come_out_in_their_order(port: int) -> None:
    """post-ex-two, nt-iocp-ex-fifo, nt-iocp-ex-one-at-a-time."""
    for number in range(6):
        kernel32.PostQueuedCompletionStatus(port, number, 1, None)

    assert take(port)[0] == 0
    assert [packet[3] for packet in take_several(port, 1)] == [1]
    assert take_several(port, 3) == [(1, None, 0, 2), (1, None, 0, 3), (1, None, 0, 4)]
    assert [packet[3] for packet in take_several(port, 64, INFINITE)] == [5]


def test_a_request_that_failed_is_an_error_with_its_packet(process: Process, port: int) -> None:
    """GetQueuedCompletionStatus: FALSE with an OVERLAPPED; the form for several tells the status instead."""
    for _ in range(2):
        process.objects[port].post((7, "record", STATUS_CONNECTION_ABORTED, 0))

    with pytest.raises(WinsockError) as caught:
        take(port)

    assert caught.value.winerror == ERROR_CONNECTION_ABORTED
    assert caught.value.packet == (0, 7, "record")
    assert take_several(port, 1) == [(7, "record", STATUS_CONNECTION_ABORTED, 0)]


def test_what_a_port_refuses(port: int) -> None:
    event = kernel32.CreateEvent(None, True, False)

    assert code_of(take_several, port, 0) == ERROR_INVALID_PARAMETER
    assert code_of(kernel32.CreateIoCompletionPort, NO_FILE, port, 0, 0) == ERROR_INVALID_PARAMETER
    for handle in (event, 0, 0x7FFFFFF0):
        assert code_of(take, handle) == ERROR_INVALID_HANDLE
        assert code_of(take_several, handle, 1) == ERROR_INVALID_HANDLE
        assert code_of(kernel32.PostQueuedCompletionStatus, handle, 0, 0, None) == ERROR_INVALID_HANDLE
    assert code_of(kernel32.SetEvent, port) == ERROR_INVALID_HANDLE


def test_a_number_of_threads_of_0_means_one_for_each_processor(process: Process) -> None:
    port = kernel32.CreateIoCompletionPort(-1, 0, 0, 0)

    assert process.objects[port].concurrency == os.cpu_count()


def test_the_thread_that_came_last_goes_first(process: Process, port: int) -> None:
    threads = []
    for count in (1, 2, 3):
        threads.append(elsewhere(take, port, INFINITE))
        until(lambda count=count: waiting(process, port) == count, "the thread waits")  # type: ignore[misc]

    for number, thread in enumerate(reversed(threads)):
        kernel32.PostQueuedCompletionStatus(port, number, 0, None)
        assert thread.result() == (number, 0, None)


def test_closing_a_port_ends_the_waits_of_its_threads(process: Process, port: int) -> None:
    threads: list[Call] = [
        *(elsewhere(code_of, take, port, INFINITE) for _ in range(3)),
        elsewhere(code_of, take_several, port, 5, INFINITE),
    ]
    until(lambda: waiting(process, port) == 4, "all wait")
    other = kernel32.DuplicateHandle(kernel32.GetCurrentProcess(), port, kernel32.GetCurrentProcess())

    kernel32.CloseHandle(port)
    kernel32.PostQueuedCompletionStatus(other, 1, 2, None)
    until(lambda: sum(not thread.running for thread in threads) == 1, "the packet came through the other handle")
    kernel32.CloseHandle(other)

    assert sorted(thread.result() for thread in threads) == [0] + [ERROR_ABANDONED_WAIT_0] * 3


def test_apcs_end_an_alertable_wait_only_and_packets_come_first(port: int) -> None:
    """post-ex-apc-nonalertable, post-ex-packet-before-apc, post-ex-apc-alertable."""
    ran: list[int] = []
    kernel32.QueueUserAPC(ran.append, kernel32.GetCurrentThread(), 1)

    assert code_of(take_several, port, 2, 0, False) == WAIT_TIMEOUT
    kernel32.PostQueuedCompletionStatus(port, 1, 1, None)
    assert len(take_several(port, 2, 0, True)) == 1
    assert ran == []
    assert code_of(take_several, port, 2, INFINITE, True) == WAIT_IO_COMPLETION
    assert ran == [1]


def test_an_apc_ends_a_blocked_alertable_wait(process: Process, port: int) -> None:
    thread, _ = kernel32.CreateThread(None, 0, lambda data: code_of(take_several, port, 2, INFINITE, True), None)
    until(lambda: waiting(process, port) == 1, "the thread waits")

    kernel32.QueueUserAPC(lambda data: None, thread, 0)

    assert kernel32.WaitForSingleObject(thread, LONG_MS) == 0
    assert kernel32.GetExitCodeThread(thread) == WAIT_IO_COMPLETION
    assert waiting(process, port) == 0


def test_a_port_that_never_runs_dry_still_lets_requests_progress(
    process: Process, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every 64th packet the host is looked at, if something pends there."""
    parking = Recording(process.engine.parking)
    monkeypatch.setattr(process, "parking", lambda: parking)
    monkeypatch.setattr(process, "pends", lambda: True)
    for _ in range(200):
        kernel32.PostQueuedCompletionStatus(port, 0, 0, None)
        take(port)

    assert parking.looks == 3


class Recording:
    """Stands before the parking of a process, and counts the looks at the host."""

    def __init__(self, parking: Parking) -> None:
        self.park = parking.park
        self._glance = parking.glance
        self.looks = 0

    def glance(self, waiter: Waiter) -> None:
        self.looks += 1
        self._glance(waiter)


def test_a_socket_is_tied_to_one_port_for_good(port: int) -> None:
    s = ws2_32.socket(AF_INET, SOCK_STREAM, 0)

    assert kernel32.CreateIoCompletionPort(s, port, 0, 0) == port
    assert code_of(kernel32.CreateIoCompletionPort, s, port, 0, 0) == ERROR_INVALID_PARAMETER
    assert code_of(kernel32.CreateIoCompletionPort, 0x7FFFFFF0, port, 0, 0) == ERROR_INVALID_HANDLE
    ws2_32.closesocket(s)


def test_200_000_packets_of_eight_threads_are_each_taken_once(port: int) -> None:
    """Four threads post and four take, one of them several at a time, while events end the waits of others."""
    posters, each = 4, 50_000
    event = kernel32.CreateEvent(None, False, False)

    def post(first: int) -> None:
        for number in range(first, first + each):
            kernel32.PostQueuedCompletionStatus(port, 0, number, None)
            if not number % 1000:
                kernel32.SetEvent(event)

    def one_at_a_time() -> list[int]:
        taken = []
        while (key := take(port, LONG_MS)[1]) >= 0:
            taken.append(key)
        return taken

    def several() -> list[int]:
        taken: list[int] = []
        while True:
            for key, _, _, _ in take_several(port, 16, LONG_MS):
                if key < 0:
                    return taken
                taken.append(key)
            kernel32.WaitForSingleObject(event, 1)

    takers = [elsewhere(one_at_a_time) for _ in range(3)] + [elsewhere(several)]
    givers = [elsewhere(post, number * each) for number in range(posters)]
    for giver in givers:
        giver.result()
    until(lambda: empty(port), "every packet is taken")
    for taker in takers:
        # One by one: the one that takes several at a time would take the word for others, too.
        while taker.running:
            kernel32.PostQueuedCompletionStatus(port, 0, -1, None)
            until(lambda taker=taker: not taker.running or empty(port), "somebody has taken it")  # type: ignore[misc]
    taken = [key for taker in takers for key in taker.result()]

    assert len(taken) == posters * each
    assert set(taken) == set(range(posters * each))


def empty(port: int) -> bool:
    return not current_process().objects[port].packets


def test_an_interrupt_between_any_two_steps_of_a_wait_loses_no_packet(process: Process, port: int) -> None:
    """A signal handler raises before each single step of a wait that ends with a packet, and of one that times out."""
    thing = process.objects[port]
    for packets in (1, 0):
        for step in itertools.count():
            for _ in range(packets):
                thing.packets.append((1, "record", 0, 2))
            block = PortWait(idle_waiter(), thing)
            with interrupted_at_step(step, codes_of(PortWait.sleep)) as struck:
                try:
                    block.sleep(process, 0.001, False)
                except Interrupt:
                    assert struck
                    assert len(thing.packets) == packets, struck
            thing.packets.clear()
            assert thing.waiting == [], struck
            assert not idle_waiter().busy, struck
            if not struck:
                break
        assert step > 3


def test_a_thread_that_waits_gets_what_it_and_others_make(process: Process, port: int) -> None:
    """Packets of its own requests, which it completes while it leads, and packets that other threads post."""
    client, server = pair()
    kernel32.CreateIoCompletionPort(server, port, 1, 0)
    posted = 300

    def post() -> None:
        for number in range(posted):
            kernel32.PostQueuedCompletionStatus(port, number, 2, None)
            if number % 10 == 0:
                ws2_32.send(client, b"-")

    record = OVERLAPPED()
    ws2_32.WSARecv(server, [bytearray(1)], 0, record)
    poster = elsewhere(post)
    numbers: list[int] = []
    received = 0
    while len(numbers) < posted or received < posted // 10:
        moved, key, which = take(port, LONG_MS)
        if key == 2:
            numbers.append(moved)
        else:
            assert (moved, which) == (1, record)
            received += 1
            if received < posted // 10:
                record = OVERLAPPED()
                ws2_32.WSARecv(server, [bytearray(1)], 0, record)
    poster.result()
    assert numbers == list(range(posted))


def test_an_event_loop_is_told_that_a_port_is_dry_without_a_look_and_then_looks(
    process: Process, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, server = pair()
    kernel32.CreateIoCompletionPort(server, port, 1, 0)
    record = OVERLAPPED()
    ws2_32.WSARecv(server, [bytearray(1)], 0, record)
    parking = Recording(process.engine.parking)
    monkeypatch.setattr(process, "parking", lambda: parking)
    monkeypatch.setattr(process, "pends", lambda: True)
    thing = process.objects[port]
    ws2_32.send(client, b"1")
    assert thing.take(20, process) == (1, record, 0, 1)
    assert thing.take(0, process) == WAIT_TIMEOUT
    assert parking.looks == 0
    assert thing.take(0, process) == WAIT_TIMEOUT
    assert parking.looks == 1
