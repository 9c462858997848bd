"""Requests that go through stages: at once, late, cancelled, abandoned, and without a request at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.concurrency import Call, until
from tests.engine.transports import HostEnd
from winsock2emu.defs.codes import WSA_OPERATION_ABORTED, WSAECONNRESET, WSAEINTR
from winsock2emu.engine.pump import Pump
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.operations import PENDING, Operation
from winsock2emu.providers.host.stages import Stages, carry_out


@pytest.fixture
def ends() -> Iterator[tuple[HostEnd, HostEnd]]:
    """Two endpoints of one pump."""
    with ExitStack() as stack:
        pump = Pump()
        stack.callback(pump.close)
        first, second = HostEnd(pump), HostEnd(pump)
        stack.callback(first.close, WSAEINTR)
        stack.callback(second.close, WSAEINTR)
        yield first, second


class Request(Operation):
    """A program's request that counts how often it is told."""

    def __init__(self) -> None:
        super().__init__(self._told)
        self.told = 0

    def _told(self, operation: Operation) -> None:
        self.told += 1


def both(first: HostEnd, second: HostEnd, log: list[str] | None = None) -> Stages:
    """A byte from each, in this order."""
    try:
        one = yield first.inbound, first.receive()
        two = yield second.inbound, second.receive()
    finally:
        if log is not None:
            log.append("over")
    return one + two


def test_stages_that_find_what_they_want_are_over_at_once(ends: tuple[HostEnd, HostEnd]) -> None:
    """The call returns the result, and the request has never pended."""
    first, second = ends
    first.arrive(b"a")
    second.arrive(b"b")
    request = Request()
    assert carry_out(both(first, second), request) == b"ab"
    assert request.final
    assert request.told == 1


def test_stages_that_wait_are_led_by_the_pump(ends: tuple[HostEnd, HostEnd]) -> None:
    """Each stage waits for its own endpoint; the request is told once."""
    first, second = ends
    request = Request()
    assert carry_out(both(first, second), request) is PENDING
    second.arrive(b"b")
    first.arrive(b"a")
    until(lambda: request.final, "it is complete")
    assert request.result == b"ab"
    assert request.told == 1


def test_late_request_pends_although_it_is_over(ends: tuple[HostEnd, HostEnd]) -> None:
    """Whatever is over at once is told as a completion, a failure as well."""
    first, second = ends
    first.arrive(b"a")
    second.arrive(b"b")
    request = Request()
    assert carry_out(both(first, second), request, late=True) is PENDING
    assert (request.result, request.error) == (b"ab", 0)

    def fails() -> bytes:
        raise WinsockError(WSAECONNRESET)

    def refused() -> Stages:
        yield first.inbound, fails

    request = Request()
    assert carry_out(refused(), request, late=True) is PENDING
    assert request.error == WSAECONNRESET


def test_failure_before_it_pends_is_the_calls(ends: tuple[HostEnd, HostEnd]) -> None:
    """Nobody else is told of it."""
    first, second = ends
    first.arrive(b"a")

    def fails() -> bytes:
        raise WinsockError(WSAECONNRESET)

    def stages() -> Stages:
        yield first.inbound, first.receive()
        yield second.inbound, fails

    request = Request()
    with pytest.raises(WinsockError) as caught:
        carry_out(stages(), request)
    assert caught.value.winerror == WSAECONNRESET
    assert request.told == 0


@pytest.mark.parametrize("stage", [1, 2])
def test_cancelling_ends_the_stage_that_waits(ends: tuple[HostEnd, HostEnd], stage: int) -> None:
    """The stages learn of it; the request is told of it."""
    first, second = ends
    log: list[str] = []
    request = Request()
    carry_out(both(first, second, log), request)
    if stage == 2:
        first.arrive(b"a")
        until(lambda: second.inbound.pends, "the second stage waits")
    assert request.cancel()
    assert request.error == WSA_OPERATION_ABORTED
    assert log == ["over"]
    assert not request.cancel()
    assert request.told == 1


def test_cancelling_between_two_stages_ends_the_next_one(ends: tuple[HostEnd, HostEnd]) -> None:
    """No lane keeps the request at that moment."""
    first, second = ends
    request = Request()

    def stages() -> Stages:
        yield first.inbound, first.receive()
        request.cancel()
        yield second.inbound, second.receive()

    carry_out(stages(), request)
    first.arrive(b"a")
    until(lambda: request.final, "it is complete")
    assert request.error == WSA_OPERATION_ABORTED


def test_stages_can_go_on_after_a_failure(ends: tuple[HostEnd, HostEnd]) -> None:
    """A stage's failure is raised where it was waited for, and may be caught there."""
    first, _ = ends

    def stages() -> Stages:
        try:
            yield first.inbound, first.receive()
        except WinsockError as failure:
            return failure.winerror

    request = Request()
    carry_out(stages(), request)
    first.abort(WSAEINTR)
    assert request.error == 0
    assert request.result == WSA_OPERATION_ABORTED


def test_abandoned_request_tells_nobody(ends: tuple[HostEnd, HostEnd]) -> None:
    """A silent abort: the stages are closed, the request is final."""
    first, second = ends
    log: list[str] = []
    request = Request()
    carry_out(both(first, second, log), request)
    first.abort(WSAEINTR, silent=True)
    assert (log, request.final, request.told) == (["over"], True, 0)


def test_without_a_request_the_thread_waits(ends: tuple[HostEnd, HostEnd]) -> None:
    """In non-blocking mode as well; a failure is raised in the stages and out of the call."""
    first, second = ends
    first.blocking = False
    call = Call(carry_out, both(first, second), None)
    first.arrive(b"a")
    second.arrive(b"b")
    assert call.result() == b"ab"

    log: list[str] = []
    call = Call(carry_out, both(first, second, log), None)
    until(lambda: first.inbound.head is not None, "it waits")
    first.abort(WSAEINTR)
    with pytest.raises(WinsockError) as caught:
        call.result()
    assert caught.value.winerror == WSAEINTR
    assert log == ["over"]
