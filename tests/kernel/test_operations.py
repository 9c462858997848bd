"""Overlapped requests by themselves: the record, what tells of them, statuses and codes, threads that end."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from tests.concurrency import Call
from winsock2emu.defs import codes
from winsock2emu.defs.codes import (
    STATUS_BUFFER_OVERFLOW,
    STATUS_CANCELLED,
    STATUS_CONNECTION_RESET,
    STATUS_PENDING,
    STATUS_SUCCESS,
    STATUS_TO_WIN32,
    STATUS_TO_WSA,
    WSA_OPERATION_ABORTED,
    WSAECONNRESET,
    WSAEMSGSIZE,
)
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.events import Event
from winsock2emu.kernel.files import FileObject
from winsock2emu.kernel.objects import run_apcs
from winsock2emu.kernel.operations import (
    NOBODY,
    OVERLAPPED,
    SKIP_PORT,
    SKIP_SIGNAL,
    Operation,
    flags_of,
    moved_of,
    status_of,
)
from winsock2emu.kernel.ports import Port
from winsock2emu.kernel.waits import this_waiter


class Keeper:
    """Holds requests; cancelling ends them."""

    def cancel(self, operation: Operation) -> bool:
        if operation.keeper is not self:
            return False
        operation.finish(None, WinsockError(WSA_OPERATION_ABORTED))
        return True


@pytest.fixture
def file() -> FileObject:
    return FileObject()


def begun(file: FileObject, record: OVERLAPPED, **how: Any) -> OVERLAPPED:
    given = {"event": None, "silent": 0, "routine": None, **how}
    return record.begin(file, given["event"], given["silent"], given["routine"])


def pending(file: FileObject, record: OVERLAPPED, **how: Any) -> OVERLAPPED:
    request = begun(file, record, **how)
    request.pend(Keeper())
    return request


def test_a_fresh_record_is_the_request(file: FileObject) -> None:
    record = OVERLAPPED()
    request = begun(file, record)
    assert (request is record, record.Internal) == (True, STATUS_PENDING)
    assert record.operation is None, "it does not pend yet"
    assert not file.pending


def test_a_request_that_pends_is_known_to_its_file_until_it_ends(file: FileObject) -> None:
    record = OVERLAPPED()
    request = pending(file, record)
    assert record.operation is request
    assert list(file.pending) == [request]
    request.finish(7)
    assert (record.Internal, record.InternalHigh, record.result) == (STATUS_SUCCESS, 7, 7)
    assert list(file.pending) == []
    assert not record.cancel()


def test_the_status_is_written_last(file: FileObject) -> None:
    """R6.8: whoever sees Internal change finds everything else done."""
    seen: list[tuple[Any, ...]] = []

    class Watched(OVERLAPPED):
        __slots__ = ("_status",)

        @property
        def Internal(self) -> int:
            return self._status

        @Internal.setter
        def Internal(self, status: int) -> None:
            if status != STATUS_PENDING and hasattr(self, "final"):
                seen.append((self.InternalHigh, self.result, self.final))
            self._status = status

    record = Watched()
    pending(file, record).finish(5)
    assert seen == [(5, 5, True)]


@pytest.mark.parametrize("silent", [0, 1])
@pytest.mark.parametrize("with_port", [False, True])
@pytest.mark.parametrize("with_event", [False, True])
@pytest.mark.parametrize("late", [False, True])
def test_what_tells_of_a_request(file: FileObject, late: bool, with_event: bool, with_port: bool, silent: int) -> None:
    """Table T6.1 without a routine."""
    port, event, record = Port(1), Event(), OVERLAPPED()
    if with_port:
        file.associate(port, 11)
    file.signalled = False
    request = begun(file, record, event=event if with_event else None, silent=silent)
    if late:
        request.pend(Keeper())
        request.finish(3)
    else:
        request.finish_now(3)
    assert event.signalled == with_event
    assert file.signalled == (not with_event)
    assert list(port.packets) == ([(11, record, STATUS_SUCCESS, 3)] if with_port and not silent else [])


@pytest.mark.parametrize("late", [False, True])
def test_what_a_file_is_not_told_of_requests_that_complete_at_once(file: FileObject, late: bool) -> None:
    port, record = Port(1), OVERLAPPED()
    file.associate(port, 11)
    file.skip(SKIP_PORT | SKIP_SIGNAL)
    file.signalled = False
    request = begun(file, record)
    if late:
        request.pend(Keeper())
        request.finish(3)
    else:
        request.finish_now(3)
    assert (len(port.packets), file.signalled) == ((1, True) if late else (0, False))


@pytest.mark.parametrize("at_once", [False, True])
def test_a_routine_is_queued_for_the_thread_that_has_issued_the_request(file: FileObject, at_once: bool) -> None:
    """Neither event nor port nor file is told then."""
    told: list[Any] = []
    record = OVERLAPPED(hEvent=0x1234)
    file.signalled = False
    request = begun(file, record, routine=lambda *outcome: told.append(outcome))
    if at_once:
        request.finish_now(4)
    else:
        request.pend(Keeper())
        Call(request.finish, 4).result()
    assert told == []
    run_apcs(this_waiter())
    assert told == [(0, 4, record, 0)]
    assert not file.signalled


def test_a_routine_is_told_the_winsock_code(file: FileObject) -> None:
    told: list[Any] = []
    record = OVERLAPPED()
    pending(file, record, routine=lambda *outcome: told.append(outcome)).finish(None, WinsockError(WSAECONNRESET))
    run_apcs(this_waiter())
    assert told == [(WSAECONNRESET, 0, record, 0)]
    assert record.Internal == STATUS_CONNECTION_RESET


def test_a_failed_request_keeps_its_bytes_and_its_failure(file: FileObject) -> None:
    record = OVERLAPPED()
    failure = WinsockError(WSAEMSGSIZE, moved=4)
    pending(file, record).finish(4, failure)
    assert (record.Internal, record.InternalHigh) == (STATUS_BUFFER_OVERFLOW, 4)
    assert record.result is failure


def test_cancelling_ends_a_request_once(file: FileObject) -> None:
    record = OVERLAPPED()
    request = pending(file, record)
    assert request.cancel()
    assert not request.cancel()
    assert record.Internal == STATUS_CANCELLED


def test_what_completes_as_if_it_had_pended_cannot_be_cancelled(file: FileObject) -> None:
    record = OVERLAPPED()
    request = begun(file, record)
    request.pend(NOBODY)
    assert not request.cancel()
    request.finish(1)
    assert record.InternalHigh == 1


def test_abandoning_tells_nobody_but_the_record(file: FileObject) -> None:
    """R1.18."""
    port, event, record = Port(1), Event(), OVERLAPPED()
    file.associate(port, 1)
    request = pending(file, record, event=event)
    request.abandon()
    assert (record.Internal, event.signalled, list(port.packets)) == (STATUS_CANCELLED, False, [])
    assert not file.pending


def test_a_second_request_on_a_record_in_use_is_another_request(file: FileObject) -> None:
    """wsarecv-two-same-overlapped: both write there, and are told as it."""
    port, record = Port(1), OVERLAPPED()
    file.associate(port, 1)
    first = pending(file, record)
    second = pending(file, record)
    assert first is record
    assert second is not record
    second.finish(2)
    assert record.InternalHigh == 2
    first.finish(1)
    assert record.InternalHigh == 1
    assert [packet[1] for packet in port.packets] == [record, record]
    assert not file.pending


def test_a_second_request_that_is_abandoned_shows_in_the_record(file: FileObject) -> None:
    record = OVERLAPPED()
    pending(file, record)
    pending(file, record).abandon()
    assert record.Internal == STATUS_CANCELLED


def test_a_record_can_be_used_again_from_inside_its_routine(file: FileObject) -> None:
    """R6.36."""
    record, rounds = OVERLAPPED(), []

    def routine(error: int, moved: int, which: OVERLAPPED, flags: int) -> None:
        rounds.append(moved)
        if moved < 3:
            begun(file, which, routine=routine).finish_now(moved + 1)

    begun(file, record, routine=routine).finish_now(1)
    run_apcs(this_waiter())
    assert rounds == [1, 2, 3]


def test_the_end_of_a_thread_cancels_what_it_has_issued(file: FileObject) -> None:
    """R6.38, iocp-thread-exit-keeps-recv: not what a port gets."""
    ported = FileObject()
    ported.associate(Port(1), 1)
    mine, its, kept = OVERLAPPED(), OVERLAPPED(), OVERLAPPED()
    pending(file, mine)

    def issue() -> None:
        pending(file, its)
        pending(ported, kept)

    call = Call(issue)
    call.result()
    call.thread.join(20)
    assert its.Internal == STATUS_CANCELLED
    assert (mine.Internal, kept.Internal) == (STATUS_PENDING, STATUS_PENDING)


def test_a_record_lets_go_of_everything_that_is_not_asked_for_any_more(file: FileObject) -> None:
    """Attempts hold the buffers, so they are let go with the end of the request."""

    class Attempt:
        def __call__(self) -> None: ...

    attempt = Attempt()
    held = weakref.ref(attempt)
    record = OVERLAPPED()
    request = begun(file, record)
    request.attempt = attempt
    request.pend(Keeper())
    del attempt
    request.finish(1)
    gc.collect()
    assert held() is None


@pytest.mark.parametrize(
    ("result", "moved", "flags"),
    [(5, 5, 0), ((6, b"address"), 6, 0), (b"output", 0, 0), (None, 0, 0), (len, 0, 0)],
)
def test_bytes_and_flags_in_what_calls_return(result: Any, moved: int, flags: int) -> None:
    assert moved_of(result) == moved
    assert flags_of(result) == flags


@pytest.mark.parametrize("wsa", sorted(set(STATUS_TO_WSA.values()) - {0}))
def test_the_status_of_a_code_leads_back_to_it(wsa: int) -> None:
    """R2.9, R6.42: one status, two translations."""
    status = status_of(WinsockError(wsa))
    assert STATUS_TO_WSA.get(status) == wsa or wsa in (codes.WSAEINTR,)
    assert status == STATUS_PENDING or status in STATUS_TO_WIN32


def test_the_pairs_that_programs_see() -> None:
    """Issue: 64 against 10054, 1236, 121, 1225, 995."""
    pairs = {
        WSAECONNRESET: 64,
        codes.WSAECONNABORTED: 1236,
        codes.WSAETIMEDOUT: 121,
        codes.WSAECONNREFUSED: 1225,
        WSA_OPERATION_ABORTED: 995,
        WSAEMSGSIZE: 234,
    }
    assert {code: STATUS_TO_WIN32[status_of(WinsockError(code))] for code in pairs} == pairs
