"""Lanes: order, blocking, time-outs, cancelling and closing, on socket pairs and on a transport without descriptors."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.concurrency import (
    Call,
    Interrupt,
    codes_of,
    descriptors,
    interrupt_main_thread_when,
    interrupted_at_step,
    unreachable,
    until,
)
from tests.engine.transports import End, HostEnd, MadeUpEnd, Overlapped, blocked, queued
from winsock2emu.defs.codes import (
    WSA_IO_PENDING,
    WSA_OPERATION_ABORTED,
    WSAEALREADY,
    WSAECONNRESET,
    WSAEINPROGRESS,
    WSAEINTR,
    WSAEMSGSIZE,
    WSAENOBUFS,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
    WSASYSCALLFAILURE,
)
from winsock2emu.engine.lanes import Lane
from winsock2emu.engine.pump import Pump
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.objects import queue_apc
from winsock2emu.kernel.operations import PENDING, Operation
from winsock2emu.kernel.waits import this_waiter

RUN_FOR_EVER = 2**32 - 2  # ms; the longest limit of Windows, more than poll takes


def fails(code: int) -> Callable[[], Any]:
    def attempt() -> None:
        raise WinsockError(code)

    return attempt


def code_of(failure: BaseException | None) -> int:
    assert isinstance(failure, WinsockError)
    return failure.winerror


# At once


def test_a_request_that_can_be_served_is_served_in_the_calling_thread(end: End) -> None:
    """Data is there: one attempt, no queue, no reactor."""
    end.arrive(b"a")

    assert end.inbound.run(end.receive()) == b"a"

    assert queued(end.inbound) == 0
    assert end.pump.armed() == ()
    assert end.pump._guardian is None


def test_the_failure_of_an_attempt_is_the_failure_of_the_call(end: End) -> None:
    """The first attempt meets a reset."""
    with pytest.raises(WinsockError) as caught:
        end.inbound.run(fails(WSAECONNRESET))

    assert caught.value.winerror == WSAECONNRESET
    assert queued(end.inbound) == 0


def test_a_non_blocking_endpoint_does_not_wait(end: End) -> None:
    """Nothing is there, and then a synchronous request stands in the way."""
    end.blocking = False

    with pytest.raises(WinsockError) as caught:
        end.inbound.run(end.receive())
    assert caught.value.winerror == WSAEWOULDBLOCK

    end.blocking = True
    first = blocked(end.inbound, end.receive())
    end.blocking = False
    with pytest.raises(BlockingIOError):
        end.inbound.run(unreachable)

    end.arrive(b"a")
    assert first.result() == b"a"


def test_the_directions_of_an_endpoint_do_not_wait_for_each_other(host_end: HostEnd) -> None:
    """A receive waits; a send goes through."""
    receiver = blocked(host_end.inbound, host_end.receive())

    assert host_end.outbound.run(host_end.send(b"out")) == 3

    assert host_end.peer.recv(3) == b"out"
    host_end.arrive(b"a")
    assert receiver.result() == b"a"


# Synchronous requests


def test_a_blocked_call_returns_what_arrives(end: End) -> None:
    """One thread waits, then a byte comes in."""
    receiver = blocked(end.inbound, end.receive())

    end.arrive(b"a")

    assert receiver.result() == b"a"
    assert queued(end.inbound) == 0


def test_calls_of_several_threads_are_served_in_the_order_they_were_queued(end: End) -> None:
    """Eight threads block one after the other, then eight bytes come in at once."""
    receivers = [blocked(end.inbound, end.receive()) for _ in range(8)]

    end.arrive(b"abcdefgh")

    assert b"".join(receiver.result() for receiver in receivers) == b"abcdefgh"


def test_an_attempt_keeps_its_cursor_between_two_tries(host_end: HostEnd) -> None:
    """A send of 4 MB goes on where it stopped, and a second sender has to wait for its end."""
    big, small = bytes(range(256)) * 16384, b"after"
    first = blocked(host_end.outbound, host_end.send(big))
    second = blocked(host_end.outbound, host_end.send(small))

    received = bytearray()
    while len(received) < len(big) + len(small):
        received += host_end.peer.recv(1 << 20)

    assert first.result() == len(big)
    assert second.result() == len(small)
    assert received == big + small


def test_a_signal_without_news_does_not_end_a_blocked_call(end: End) -> None:
    """Stale wake-ups reach the thread at the head and the one behind it."""
    head, behind = blocked(end.inbound, end.receive()), blocked(end.inbound, end.receive())

    for _ in range(20):
        lock = end.inbound._lock
        assert lock is not None
        with lock:
            assert end.inbound.head is not None
            waiters = [end.inbound.head.waiter, end.inbound._tail.waiter]  # type: ignore[union-attr]
        for waiter in waiters:
            assert waiter is not None
            waiter.wake()
        time.sleep(0)
    assert head.running
    assert behind.running

    end.arrive(b"ab")
    assert (head.result(), behind.result()) == (b"a", b"b")


def test_news_between_the_first_try_and_the_queue_is_not_lost() -> None:
    """A transport without a descriptor moves when the caller has tried but not queued: nobody is there to be told."""
    pump = Pump()
    end = MadeUpEnd(pump)

    def arrive_once() -> None:
        end.gate = None
        end.arrive(b"a")

    end.gate = arrive_once
    assert Call(end.inbound.run, end.receive()).result() == b"a"

    operation = Overlapped()
    end.gate = arrive_once
    assert end.inbound.run(end.receive(), operation) is PENDING
    assert operation.outcome() == b"a"
    pump.close()


def test_a_wait_holds_no_descriptor_of_a_thread_that_has_ended(pump: Pump) -> None:
    """Sockets of a pool, each used once by a short-lived thread, stay open without that thread's wake descriptor."""
    ends = [HostEnd(pump) for _ in range(10)]
    before = descriptors()
    for end in ends:
        receiver = blocked(end.inbound, end.receive())
        end.arrive(b"a")
        assert receiver.result() == b"a"
        del receiver

    until(lambda: descriptors() <= before, "the wake descriptors were closed")
    for end in ends:
        end.close(WSAEINTR)


# Time-outs


def test_a_blocked_call_ends_when_its_time_is_over(end: End) -> None:
    """20 ms given for the call, and 20 ms set for the lane."""
    for timeout_ms in (20, None):
        end.inbound.timeout_ms = 20
        began = time.monotonic()

        with pytest.raises(WinsockError) as caught:
            end.inbound.run(end.receive(), timeout_ms=timeout_ms)

        assert caught.value.winerror == WSAETIMEDOUT
        assert time.monotonic() - began >= 0.02
        assert queued(end.inbound) == 0


def test_a_limit_of_its_own_lets_a_call_wait_for_ever(end: End) -> None:
    """The lane's limit is 1 ms, the call's 0."""
    end.inbound.timeout_ms = 1
    receiver = blocked(end.inbound, end.receive(), timeout_ms=0)

    time.sleep(0.01)
    end.arrive(b"a")

    assert receiver.result() == b"a"


def test_the_longest_limit_of_windows_is_not_too_long_for_the_host(end: End) -> None:
    """SO_RCVTIMEO takes 32 bits of milliseconds, poll 31; at the head and behind it."""
    end.inbound.timeout_ms = RUN_FOR_EVER
    receivers = [blocked(end.inbound, end.receive()) for _ in range(2)]

    end.arrive(b"ab")

    assert [receiver.result() for receiver in receivers] == [b"a", b"b"]


def test_a_long_limit_that_the_host_cuts_short_is_waited_for_to_its_end(
    end: End, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host's sleep ends early, again and again; the call does not."""
    monkeypatch.setattr("winsock2emu.engine.pump._LONGEST_MS", 1)
    end.inbound.timeout_ms = RUN_FOR_EVER
    receivers = [blocked(end.inbound, end.receive()) for _ in range(2)]

    time.sleep(0.01)
    assert all(receiver.running for receiver in receivers)
    end.arrive(b"ab")

    assert [receiver.result() for receiver in receivers] == [b"a", b"b"]


@pytest.mark.parametrize("leaver", [0, 1, 2], ids=["head", "middle", "tail"])
def test_a_request_whose_time_is_over_leaves_the_others_in_order(end: End, leaver: int) -> None:
    """One of three blocked calls times out, wherever it stands."""
    calls = [blocked(end.inbound, end.receive(), timeout_ms=20 if place == leaver else 0) for place in range(3)]

    assert code_of(calls[leaver].failure()) == WSAETIMEDOUT
    assert queued(end.inbound) == 2
    end.arrive(b"ab")

    assert [calls[place].result() for place in range(3) if place != leaver] == [b"a", b"b"]


# Overlapped requests


def test_an_overlapped_request_that_can_be_served_completes_before_the_call_returns(end: End) -> None:
    """Data is there: the result is returned, and delivered as well."""
    end.arrive(b"a")
    operation = Overlapped()

    assert end.inbound.run(end.receive(), operation) == b"a"

    assert (operation.final, operation.result, operation.error, operation.delivered) == (True, b"a", 0, 1)


def test_an_overlapped_request_that_fails_at_once_is_never_delivered(end: End) -> None:
    """The failure is the call's; there will be no completion."""
    operation = Overlapped()

    with pytest.raises(ConnectionResetError):
        end.inbound.run(fails(WSAECONNRESET), operation)

    assert not operation.final
    assert operation.delivered == 0
    assert queued(end.inbound) == 0


def test_an_overlapped_request_pends_whatever_the_blocking_mode(end: End) -> None:
    """Nothing is there; the request completes later although no thread waits."""
    end.blocking = False
    operation = Overlapped()

    assert end.inbound.run(end.receive(), operation) is PENDING
    assert repr(PENDING) == "PENDING"
    assert (operation.final, operation.error) == (False, WSA_IO_PENDING)
    end.arrive(b"a")

    assert operation.outcome() == b"a"
    assert operation.delivered == 1


def test_overlapped_requests_complete_in_the_order_they_were_issued(end: End) -> None:
    """Twenty are posted, then twenty bytes come in in three pieces."""
    order: list[Operation] = []
    operations = [Overlapped(order) for _ in range(20)]
    for operation in operations:
        assert end.inbound.run(end.receive(), operation) is PENDING

    for piece in (b"abcde", b"fghijklmno", b"pqrst"):
        end.arrive(piece)

    assert b"".join(operation.outcome() for operation in operations) == b"abcdefghijklmnopqrst"
    assert order == operations


def test_a_later_failure_is_delivered_with_what_had_moved(end: End) -> None:
    """A datagram is larger than the buffer: the bytes that fitted count although the request fails."""
    tries = itertools.count()

    def attempt() -> None:
        if next(tries) == 0:
            raise BlockingIOError
        raise WinsockError(WSAEMSGSIZE, moved=3)

    operation = Overlapped()
    assert end.inbound.run(attempt, operation) is PENDING
    end.arrive(b"a")

    assert operation.outcome() == ("error", WSAEMSGSIZE)
    assert operation.result == 3


def test_synchronous_and_overlapped_requests_share_one_order(end: End) -> None:
    """Overlapped, two blocked calls, two overlapped, a blocked call; then six bytes come in."""
    first = Overlapped()
    end.inbound.run(end.receive(), first)
    second, third = blocked(end.inbound, end.receive()), blocked(end.inbound, end.receive())
    fourth, fifth = Overlapped(), Overlapped()
    end.inbound.run(end.receive(), fourth)
    end.inbound.run(end.receive(), fifth)
    sixth = blocked(end.inbound, end.receive())
    assert queued(end.inbound) == 6

    end.arrive(b"abcdef")

    assert first.outcome() == b"a"
    assert (second.result(), third.result()) == (b"b", b"c")
    assert (fourth.outcome(), fifth.outcome()) == (b"d", b"e")
    assert sixth.result() == b"f"


def test_an_overlapped_request_behind_a_blocked_call_is_looked_after_when_its_turn_comes(end: End) -> None:
    """The blocked call times out; the data comes later, and nobody else waits."""
    call = blocked(end.inbound, end.receive(), timeout_ms=20)
    operation = Overlapped()
    assert end.inbound.run(end.receive(), operation) is PENDING
    assert end.pump.armed() == ()

    assert code_of(call.failure()) == WSAETIMEDOUT
    end.arrive(b"a")

    assert operation.outcome() == b"a"


def test_a_blocked_call_behind_overlapped_requests_may_be_served_at_its_turn_although_data_was_there_before(
    end: End,
) -> None:
    """Two bytes come in at once: the second one is not news any more when the blocked call's turn comes."""
    operation = Overlapped()
    end.inbound.run(end.receive(), operation)
    call = blocked(end.inbound, end.receive())

    end.arrive(b"ab")

    assert operation.outcome() == b"a"
    assert call.result() == b"b"


def test_a_transport_may_report_from_inside_an_attempt(pump: Pump) -> None:
    """Two made-up ends are wired to each other: each receive makes the other one possible."""
    ping, pong = MadeUpEnd(pump), MadeUpEnd(pump)
    turns = 50
    order: list[Operation] = []

    def answer(end: MadeUpEnd, other: MadeUpEnd) -> Callable[[], bytes]:
        receive = end.receive()

        def attempt() -> bytes:
            byte = receive()
            other.arrive(byte)
            return byte

        return attempt

    operations = []
    for _ in range(turns):
        for end, other in ((ping, pong), (pong, ping)):
            operations.append(Overlapped(order))
            assert end.inbound.run(answer(end, other), operations[-1]) is PENDING

    ping.arrive(b"x")

    assert [operation.outcome() for operation in operations] == [b"x"] * (2 * turns)
    assert order == operations


def test_a_mistake_in_an_attempt_ends_that_request_and_nothing_else(end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider's later attempt raises what it must not raise; it is reported, and the next requests are served."""
    reports: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", reports.append)
    tries = itertools.count()

    def blunder() -> None:
        if next(tries) == 0:
            raise BlockingIOError
        raise ZeroDivisionError

    first, second = Overlapped(), Overlapped()
    end.inbound.run(blunder, first)
    end.inbound.run(end.receive(), second)
    third = Call(end.inbound.run, end.receive())
    until(
        lambda: third.thread.is_alive() and queued(end.inbound) == 2, "the request is queued, and has found the mistake"
    )
    end.arrive(b"ab")

    assert first.outcome() == ("error", WSASYSCALLFAILURE)
    assert second.outcome() == b"a"
    assert third.result() == b"b"
    until(lambda: reports, "the mistake is reported, after everybody has been served")
    assert [report.exc_type for report in reports] == [ZeroDivisionError]


def test_an_overlapped_request_that_the_host_cannot_look_after_fails(end: End, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host has no descriptor left for the reactor: pending for ever would be the alternative."""

    def refuse(endpoint: Any) -> None:
        raise WinsockError(WSAENOBUFS)

    monkeypatch.setattr(end.pump, "watch", refuse)
    operation, behind = Overlapped(), Overlapped()

    assert end.inbound.run(end.receive(), operation) is PENDING

    assert operation.outcome() == ("error", WSAENOBUFS)
    assert queued(end.inbound) == 0
    call = blocked(end.inbound, end.receive(), timeout_ms=20)
    assert end.inbound.run(end.receive(), behind) is PENDING
    call.failure()
    assert behind.outcome() == ("error", WSAENOBUFS)


# Cancelling


@pytest.mark.parametrize("place", [0, 1, 2], ids=["head", "middle", "tail"])
def test_a_cancelled_request_completes_as_aborted_and_the_others_in_order(end: End, place: int) -> None:
    """One of three pending requests is cancelled, wherever it stands."""
    operations = [Overlapped() for _ in range(3)]
    for operation in operations:
        end.inbound.run(end.receive(), operation)

    assert end.inbound.cancel(operations[place])

    assert operations[place].outcome() == ("error", WSA_OPERATION_ABORTED)
    assert not end.inbound.cancel(operations[place])
    end.arrive(b"ab")
    assert [operations[other].outcome() for other in range(3) if other != place] == [b"a", b"b"]
    assert [operation.delivered for operation in operations] == [1, 1, 1]


def test_what_does_not_pend_cannot_be_cancelled(end: End) -> None:
    """A request that was never issued, one that has completed, and one that pends in the other direction."""
    never, completed, other = Overlapped(), Overlapped(), Overlapped()
    end.arrive(b"a")
    end.inbound.run(end.receive(), completed)
    end.inbound.run(end.receive(), other)

    assert not end.inbound.cancel(never)
    assert not end.inbound.cancel(completed)
    assert not end.outbound.cancel(other)

    assert (never.delivered, completed.delivered, other.delivered) == (0, 1, 0)
    assert end.inbound.cancel(other)


def test_cancelling_the_head_lets_a_blocked_call_have_its_turn(end: End) -> None:
    """Data is there for the blocked call, but a pending request that takes none stood in the way."""
    operation = Overlapped()

    end.inbound.run(never_ready, operation)
    call = blocked(end.inbound, end.receive())
    end.arrive(b"a")

    assert end.inbound.cancel(operation)

    assert call.result() == b"a"


def test_cancelling_the_head_lets_the_next_overlapped_request_have_its_turn(end: End) -> None:
    """The same with an overlapped request behind it, and nobody who waits."""
    first, second = Overlapped(), Overlapped()

    end.inbound.run(never_ready, first)
    end.inbound.run(end.receive(), second)
    end.arrive(b"a")

    assert end.inbound.cancel(first)

    assert second.outcome() == b"a"


def test_cancelling_does_not_search_the_queue(end: End) -> None:
    """Of 20 000 pending requests the last ones are cancelled first: one by one from the front would take minutes."""
    operations = [Overlapped() for _ in range(20_000)]
    for operation in operations:
        end.inbound.run(end.receive(), operation)

    began = time.monotonic()
    assert all(end.inbound.cancel(operation) for operation in reversed(operations))

    assert time.monotonic() - began < 5
    assert queued(end.inbound) == 0


def test_a_cancel_and_a_completion_that_meet_deliver_once(end: End) -> None:
    """Again and again data comes in while another thread cancels the request that waits for it."""
    bytes_left = 0
    for _ in range(200):
        operation = Overlapped()
        if end.inbound.run(end.receive(), operation) is PENDING:
            canceller = Call(end.inbound.cancel, operation)
            end.arrive(b"a")
            bytes_left += 1
            cancelled = canceller.result()
            assert operation.outcome() == (("error", WSA_OPERATION_ABORTED) if cancelled else b"a")
        if not operation.error:
            bytes_left -= 1
        assert operation.delivered == 1

    for _ in range(bytes_left):
        assert end.inbound.run(end.receive()) == b"a"


# Interrupting


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_interrupted_thread_leaves_the_others_in_their_places(end: End, place: int) -> None:
    """Three threads wait; one of them is told to stop, by its identifier."""
    calls = [blocked(end.inbound, end.receive()) for _ in range(3)]
    stopped = calls.pop(place)
    ident = stopped.thread.ident
    assert ident is not None

    end.inbound.interrupt({ident}, WSAEINTR)

    assert code_of(stopped.failure()) == WSAEINTR
    assert queued(end.inbound) == 2
    for call, byte in zip(calls, (b"a", b"b"), strict=True):
        end.arrive(byte)
        assert call.result() == byte


def test_an_interrupted_head_lets_an_overlapped_request_have_its_turn(end: End) -> None:
    """Overlapped requests belong to no thread that could be interrupted."""
    call, operation = blocked(end.inbound, never_ready), Overlapped()
    end.inbound.run(end.receive(), operation)
    end.arrive(b"a")
    ident = call.thread.ident
    assert ident is not None

    end.inbound.interrupt({ident, threading.get_ident()}, WSAEINTR)

    assert code_of(call.failure()) == WSAEINTR
    assert operation.outcome() == b"a"


def test_interrupting_threads_that_do_not_wait_does_nothing(end: End) -> None:
    """The lane is empty, or somebody else's."""
    end.inbound.interrupt({threading.get_ident()}, WSAEINTR)
    call = blocked(end.inbound, end.receive())
    end.inbound.interrupt({threading.get_ident()}, WSAEINTR)
    end.arrive(b"a")

    assert call.result() == b"a"


# Closing


def test_closing_ends_every_request_with_its_own_code(end: End) -> None:
    """Blocked calls and overlapped requests wait, among them the head of each kind."""
    overlapped = [Overlapped(), Overlapped()]
    end.inbound.run(end.receive(), overlapped[0])
    calls = [blocked(end.inbound, end.receive()) for _ in range(2)]
    end.inbound.run(end.receive(), overlapped[1])

    end.abort(WSAEINTR)

    assert [code_of(call.failure()) for call in calls] == [WSAEINTR, WSAEINTR]
    assert [operation.outcome() for operation in overlapped] == [("error", WSA_OPERATION_ABORTED)] * 2
    assert [operation.delivered for operation in overlapped] == [1, 1]
    assert queued(end.inbound) == 0
    assert end.pump.armed() == ()


def test_closing_wakes_a_call_that_waits_for_its_descriptor(end: End) -> None:
    """A single blocked call, the most common case."""
    call = blocked(end.inbound, end.receive())

    end.close(WSAEINTR)

    assert code_of(call.failure()) == WSAEINTR


def test_a_request_that_comes_too_late_fails_instead_of_hanging(end: End) -> None:
    """The endpoint was closed between a caller's look-up of the socket and its request."""
    end.abort(WSAEINTR)

    assert code_of(Call(end.inbound.wait, unreachable).failure()) == WSAEINTR
    operation = Overlapped()
    assert code_of(Call(end.inbound.run, unreachable, operation).failure()) == WSAEINTR
    assert operation.delivered == 0
    assert queued(end.inbound) == 0


def test_two_hundred_blocked_threads_end_with_the_close(end: End) -> None:
    """All of them wait in one lane, and return in a moment."""
    calls = [Call(end.inbound.run, end.receive()) for _ in range(200)]
    until(lambda: queued(end.inbound) == 200, "all threads are queued")

    end.abort(WSAEINTR)

    assert [code_of(call.failure()) for call in calls] == [WSAEINTR] * 200
    assert queued(end.inbound) == 0


@pytest.mark.parametrize("kind", [HostEnd, MadeUpEnd], ids=["descriptor", "no descriptor"])
def test_a_close_at_any_moment_ends_every_request(pump: Pump, kind: type[End]) -> None:
    """Four threads issue requests of both kinds while the endpoint is closed: each one ends, none twice."""
    for _ in range(25):
        end: End = kind(pump)
        started = threading.Barrier(5)

        def work(overlapped: bool, end: End = end, started: threading.Barrier = started) -> list[Any]:
            started.wait()
            ends: list[Any] = []
            while not ends or ends[-1] == b"":
                operation = Overlapped() if overlapped else None
                try:
                    if end.inbound.run(end.receive(), operation) is PENDING:
                        assert operation is not None
                        assert operation.outcome() == ("error", WSA_OPERATION_ABORTED)
                        ends.append("aborted")
                except WinsockError as failure:
                    ends.append(failure.winerror)
                except OSError:
                    ends.append("closed")  # the attempt met the closed host socket before it could be told
            return ends

        calls = [Call(work, number % 2 == 0) for number in range(4)]
        started.wait()
        end.close(WSAEINTR)

        for call in calls:
            assert call.result() in (["aborted"], [WSAEINTR], ["closed"])
        assert queued(end.inbound) == 0
    assert pump.armed() == ()


# Interrupts


def test_ctrl_c_in_the_head_passes_the_turn_on(end: End) -> None:
    """The main thread waits at the head, another thread and an overlapped request behind it."""
    behind: list[Call] = []
    operation = Overlapped()

    def queue_others_then_interrupt() -> bool:
        if queued(end.inbound) != 1:
            return False
        behind.append(blocked(end.inbound, end.receive()))
        end.inbound.run(end.receive(), operation)
        return True

    sender = interrupt_main_thread_when(queue_others_then_interrupt)
    with pytest.raises(KeyboardInterrupt):
        end.inbound.run(never_ready)
    sender.result()

    end.arrive(b"ab")
    assert behind[0].result() == b"a"
    assert operation.outcome() == b"b"


def test_ctrl_c_behind_the_head_leaves_the_head_alone(end: End) -> None:
    """The main thread waits for its turn."""
    head = blocked(end.inbound, end.receive())
    sender = interrupt_main_thread_when(lambda: queued(end.inbound) == 2)

    with pytest.raises(KeyboardInterrupt):
        end.inbound.run(unreachable)

    sender.result()
    assert queued(end.inbound) == 1
    end.arrive(b"a")
    assert head.result() == b"a"


def test_a_failure_in_the_head_passes_the_turn_on(end: End) -> None:
    """A call fails for good when its turn has come; a blocked call stands behind it."""
    operation = Overlapped()
    end.inbound.run(never_ready, operation)
    failing, behind = blocked(end.inbound, fails(WSAECONNRESET)), blocked(end.inbound, end.receive())

    end.inbound.cancel(operation)

    assert code_of(failing.failure()) == WSAECONNRESET
    end.arrive(b"a")
    assert behind.result() == b"a"


@pytest.mark.parametrize("outcome", ["served", "timed out", "its turn comes"])
def test_an_interrupt_at_any_step_of_a_wait_leaves_the_lane_usable(host_end: HostEnd, outcome: str) -> None:
    """A signal handler raises at each opportunity in a blocked call, however that call would have ended."""
    lane = host_end.inbound
    for step in itertools.count():
        over = threading.Event()
        head = Overlapped()
        canceller = None
        if outcome == "its turn comes":
            lane.run(never_ready, head)
            canceller = Call(end_the_head, lane, head, over)
        if outcome != "timed out":
            host_end.arrive(b"a")
        with interrupted_at_step(step, codes_of(Lane)) as struck:
            try:
                lane.wait(host_end.receive(), timeout_ms=1 if outcome == "timed out" else 0)
            except Interrupt:
                assert struck
            except TimeoutError:
                assert outcome == "timed out"
        over.set()
        if canceller is not None:
            canceller.result()
        lock = lane._lock or lane._make_lock()
        assert lock.acquire(blocking=False), struck
        lock.release()
        assert queued(lane) == 0, struck
        drain(host_end)
        if not struck:
            break
    assert step > 5


def never_ready() -> None:
    raise BlockingIOError


def end_the_head(lane: Lane, head: Operation, over: threading.Event) -> None:
    until(lambda: queued(lane) == 2 or over.is_set(), "a call stands behind the head")
    assert lane.cancel(head)


def drain(end: HostEnd) -> None:
    try:
        end.host.recv(100)
    except BlockingIOError:
        return


def test_an_interrupted_head_is_succeeded_at_whatever_step(host_end: HostEnd) -> None:
    """A call stands behind the one that is interrupted: it gets the byte that comes in afterwards."""
    lane = host_end.inbound
    for step in itertools.count():
        behind: list[Call] = []

        def attempt(behind: list[Call] = behind) -> str:
            behind.append(blocked(lane, host_end.receive()))
            return "served"

        with interrupted_at_step(step, codes_of(Lane._leave, Lane._unlink, Lane._promote)) as struck:
            try:
                assert lane.wait(attempt, tried=False) == "served"
            except Interrupt:
                assert struck
        host_end.arrive(b"a")
        assert behind[0].result() == b"a", struck
        if not struck:
            break
    assert step > 3


# Under load


@pytest.mark.parametrize("kind", [HostEnd, MadeUpEnd], ids=["descriptor", "no descriptor"])
def test_no_wake_up_is_lost_among_eight_threads(pump: Pump, kind: type[End]) -> None:
    """Eight threads receive 1 600 bytes in all, blocked, overlapped and with short time-outs, while they arrive."""
    end: End = kind(pump)
    share = 200
    dice = random.Random(1)

    def work(name: int) -> int:
        received = 0
        while received < share:
            if (received + name) % 3 == 0:
                operation = Overlapped()
                if end.inbound.run(end.receive(), operation) is PENDING:
                    operation.outcome()
                assert len(operation.result) == 1
                received += 1
            else:
                try:
                    received += len(end.inbound.run(end.receive(), timeout_ms=(received + name) % 2))
                except TimeoutError:
                    continue
        return received

    calls = [Call(work, name) for name in range(8)]
    left = 8 * share
    while left:
        count = min(left, dice.choice((1, 1, 2, 5, 20)))
        end.arrive(bytes(count))
        left -= count
        time.sleep(0)

    assert [call.result() for call in calls] == [share] * 8
    assert queued(end.inbound) == 0
    end.close(WSAEINTR)


def test_each_byte_is_received_once_and_in_order_by_one_thread_of_many_requests(end: End) -> None:
    """5 000 overlapped receives are kept posted 16 deep while bytes arrive in pieces."""
    total, depth = 5_000, 16
    data = bytes(random.Random(2).randbytes(total))
    order: list[Operation] = []
    posted: list[Overlapped] = []

    def post() -> None:
        posted.append(Overlapped(order))
        end.inbound.run(end.receive(), posted[-1])

    for _ in range(depth):
        post()
    sender = Call(lambda: [end.arrive(data[start : start + 50]) for start in range(0, total, 50)])
    for turn in range(total):
        posted[turn].outcome()
        if len(posted) < total:
            post()
    sender.result()

    assert order == posted
    assert b"".join(operation.result for operation in order) == data


# What pends comes first


def test_a_synchronous_request_lets_what_pends_have_its_data_first(end: End) -> None:
    """R6.28: data for both is there, and nobody has led the reactor since: the caller serves the queue and is next."""
    pending = Overlapped()
    assert end.inbound.run(end.receive(), pending) is PENDING
    end.arrive(b"ab")
    end.blocking = False

    assert end.inbound.run(end.receive()) == b"b"
    assert pending.outcome() == b"a"


def test_clear_says_whether_somebody_waits_still(end: End) -> None:
    assert end.inbound.head is None
    pending = Overlapped()
    end.inbound.run(end.receive(), pending)
    assert not end.inbound.clear()
    with end.inbound._lock or end.inbound._make_lock():
        assert not end.inbound.clear(), "another thread is inside"
    end.arrive(b"a")
    assert pending.outcome() == b"a"
    assert end.inbound.clear()


# Routines inside of a blocking call


def test_a_blocking_call_runs_what_is_queued_for_its_thread_and_goes_on(end: End) -> None:
    """wsarecv-sync-runs-apc-while-blocked."""
    ran: list[int] = []
    waiters: list[Any] = []

    def wait() -> Any:
        waiters.append(this_waiter())
        return end.inbound.run(end.receive())

    call = Call(wait)
    until(lambda: queued(end.inbound) == 1, "the request is queued")
    for number in range(3):
        queue_apc(waiters[0], ran.append, number)
    until(lambda: len(ran) == 3, "the routines have run")
    end.arrive(b"a")
    assert call.result() == b"a"
    assert ran == [0, 1, 2]


def test_an_exception_of_a_routine_ends_the_blocking_call_and_leaves_the_queue(end: End) -> None:
    """R6.39."""
    waiters: list[Any] = []

    def wait() -> Any:
        waiters.append(this_waiter())
        return end.inbound.run(end.receive())

    call = Call(wait)
    until(lambda: queued(end.inbound) == 1, "the request is queued")
    queue_apc(waiters[0], lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        call.result()
    assert end.inbound.head is None


def test_a_blocking_call_in_a_routine_that_has_interrupted_one_is_told(host_end: HostEnd) -> None:
    """R6.37: it is served all the same."""
    end, inner = host_end, HostEnd(host_end.pump)
    waiters: list[Any] = []

    def inside() -> None:
        with pytest.warns(RuntimeWarning, match="has interrupted a blocking Winsock call"):
            assert inner.inbound.run(inner.receive()) == b"i"

    def wait() -> Any:
        waiters.append(this_waiter())
        return end.inbound.run(end.receive())

    call = Call(wait)
    until(lambda: queued(end.inbound) == 1, "the request is queued")
    queue_apc(waiters[0], inside)
    until(lambda: queued(inner.inbound) == 1, "the inner request is queued")
    inner.arrive(b"i")
    end.arrive(b"a")
    assert call.result() == b"a"
    inner.close(WSAEINTR)


# Codes that Python counts among those of blocking calls


@pytest.mark.parametrize("code", [WSAEALREADY, WSAEINPROGRESS])
def test_a_code_that_only_looks_like_would_block_ends_a_request(end: End, code: int) -> None:
    """WSAEALREADY and WSAEINPROGRESS are BlockingIOErrors, but no reason to try again."""
    tries = itertools.count()

    def attempt() -> Any:
        if next(tries) == 0:
            raise BlockingIOError
        raise WinsockError(code)

    for operation in (None, Overlapped()):
        with pytest.raises(WinsockError) as caught:
            end.inbound.run(fails(code), operation)
        assert caught.value.winerror == code
    pending = Overlapped()
    assert end.inbound.run(attempt, pending) is PENDING
    end.arrive(b"a")
    assert pending.outcome() == ("error", code)
    tries = itertools.count()
    with pytest.raises(WinsockError) as caught:
        Call(end.inbound.run, attempt).result()
    assert caught.value.winerror == code
