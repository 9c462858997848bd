"""Registered I/O's queues: places, order, notification, the end; with a transport that completes when told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from winsock2emu.defs.codes import WSA_OPERATION_ABORTED, WSAEALREADY, WSAECONNRESET, WSAEINVAL, WSAEMSGSIZE, WSAENOBUFS
from winsock2emu.defs.constants import RIO_MSG_DEFER, RIO_MSG_DONT_NOTIFY
from winsock2emu.defs.registered import RIORESULT
from winsock2emu.engine.registered import CompletionQueue, Request, RequestQueue
from winsock2emu.errors import WinsockError


@contextmanager
def fails(code: int) -> Iterator[None]:
    with pytest.raises(WinsockError) as caught:
        yield
    assert caught.value.winerror == code


class Wire:
    """A request queue whose requests are begun and left to the test."""

    def __init__(
        self, size: int = 8, receives: int = 4, sends: int = 4, notify: Any = None, before: Any = None
    ) -> None:
        self.cq = CompletionQueue(size, notify, before)
        self.rq = RequestQueue(self.cq, receives, self.cq, sends, "socket")
        self.begun: list[Request] = []

    def receive(self, context: Any, flags: int = 0) -> None:
        self.rq.issue(self.rq.receives, self.begun.append, context, flags)

    def finish(self, moved: int = 1) -> None:
        self.begun.pop(0).finish(moved)

    def contexts(self, count: int = 99) -> list[Any]:
        return [one.request_context for one in self.cq.take(count)]


def test_a_result_has_both_contexts_and_comes_in_the_order_of_completion() -> None:
    wire = Wire()
    for context in ("a", "b"):
        wire.receive(context)
    wire.begun[1].finish(7)
    wire.begun[0].finish(5)

    assert wire.cq.take(1) == [RIORESULT(0, 7, "socket", "b")]
    assert wire.cq.take(9) == [RIORESULT(0, 5, "socket", "a")]
    assert wire.cq.take(9) == []


def test_a_failure_is_a_result_and_keeps_its_bytes() -> None:
    wire = Wire()
    for context in "ab":
        wire.receive(context)
    wire.begun[0].finish(None, WinsockError(WSAEMSGSIZE, moved=4))
    wire.begun[1].finish(None, WinsockError(WSAECONNRESET))

    assert [(one.status, one.moved) for one in wire.cq.take(9)] == [(WSAEMSGSIZE, 4), (WSAECONNRESET, 0)]


def test_a_request_that_cannot_be_begun_is_a_result() -> None:
    def refuse(request: Request) -> None:
        raise WinsockError(WSAECONNRESET)

    wire = Wire()
    wire.rq.issue(wire.rq.sends, refuse, 1, 0)

    assert [one.status for one in wire.cq.take(9)] == [WSAECONNRESET]


def test_places_are_free_again_when_results_are_taken() -> None:
    wire = Wire(receives=1)
    wire.receive("first")
    wire.finish()
    with fails(WSAENOBUFS):
        wire.receive("early")
    assert wire.contexts() == ["first"]
    wire.receive("second")


def test_request_queues_share_the_places_of_a_completion_queue() -> None:
    wire = Wire(size=9)
    with fails(WSAENOBUFS):
        RequestQueue(wire.cq, 1, wire.cq, 1, None)
    assert wire.cq.reserved == 8
    with fails(WSAEINVAL):
        wire.cq.resize(7)
    wire.cq.resize(10)
    RequestQueue(wire.cq, 1, wire.cq, 1, None)


def test_resizing_is_all_or_nothing() -> None:
    wire = Wire(size=10)
    wire.receive(1)
    wire.receive(2)
    for receives, sends, code in ((1, 4, WSAEINVAL), (0, 0, WSAEINVAL), (5, 6, WSAENOBUFS)):
        with fails(code):
            wire.rq.resize(receives, sends)
    assert (wire.cq.reserved, wire.rq.receives.limit, wire.rq.sends.limit) == (8, 4, 4)
    wire.rq.resize(2, 8)
    assert wire.cq.reserved == 10


def test_deferred_requests_are_begun_in_order_with_the_next() -> None:
    wire = Wire()
    wire.receive(1, RIO_MSG_DEFER)
    wire.receive(2, RIO_MSG_DEFER)
    assert wire.begun == []
    wire.receive(3)
    for _ in range(3):
        wire.finish()
    assert wire.contexts() == [1, 2, 3]


def test_each_notify_is_told_once() -> None:
    told: list[str] = []
    wire = Wire(notify=lambda: told.append("told"), before=lambda: told.append("reset"))
    for context in range(3):
        wire.receive(context)
    wire.finish()
    assert told == []
    wire.contexts()
    wire.cq.notify()
    with fails(WSAEALREADY):
        wire.cq.notify()
    wire.finish()
    wire.finish()
    assert told == ["reset", "told"]
    wire.cq.notify()
    assert told == ["reset", "told", "reset", "told"]


def test_a_silent_result_leaves_the_notification_to_the_next() -> None:
    told: list[int] = []
    wire = Wire(notify=lambda: told.append(1))
    wire.cq.notify()
    wire.receive(1, RIO_MSG_DONT_NOTIFY)
    wire.receive(2)
    wire.finish()
    assert told == []
    wire.finish()
    assert told == [1]


def test_a_queue_without_notification_is_only_asked() -> None:
    with fails(WSAEINVAL):
        Wire().cq.notify()


def test_the_end_aborts_what_pends_and_what_was_deferred_and_gives_the_places_back() -> None:
    wire = Wire()
    wire.receive("pends")
    wire.receive("deferred", RIO_MSG_DEFER)
    wire.rq.ending()
    wire.begun[0].finish(None, WinsockError(WSAECONNRESET))  # a provider may say what it likes
    wire.rq.end()
    with fails(WSAEINVAL):
        wire.receive("late")

    assert wire.cq.reserved == 2  # two results hold their places
    found = [(one.request_context, one.status) for one in wire.cq.take(9)]
    assert found == [("pends", WSA_OPERATION_ABORTED), ("deferred", WSA_OPERATION_ABORTED)]
    assert wire.cq.reserved == 0


def test_a_closed_completion_queue_loses_results_and_takes_no_requests() -> None:
    wire = Wire()
    wire.receive(1)
    wire.cq.close()
    wire.finish()
    assert wire.contexts() == []
    with fails(WSAEINVAL):
        wire.receive(2)
