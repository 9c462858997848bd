"""Waiting: wake descriptors, the one waiter of a thread, and parking with a leader and followers.

The reactor is a stand-in whose collect ends when a test says so; the host's mechanisms are tests/engine/test_pump.py's.
"""

from __future__ import annotations

import errno
import gc
import itertools
import os
import select
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NoReturn

import pytest

from tests.concurrency import (
    Call,
    Interrupt,
    codes_of,
    descriptors,
    interrupt_main_thread_when,
    interrupted_at_step,
    until,
)
from winsock2emu.defs.codes import WSAENOBUFS
from winsock2emu.errors import WinsockError
from winsock2emu.kernel import waits
from winsock2emu.kernel.waits import Parking, Report, Waiter, WakeDescriptor, forget_waiter, this_waiter


class StandIn:
    """A reactor without descriptors.

    Attributes:
        entered: the threads that have begun to collect, in that order.
        serviced: what was handed to `service`.
        sleeps: how often a follower has gone to sleep.
    """

    def __init__(self) -> None:
        self.parking = Parking(self)
        self.entered: list[int] = []
        self.timeouts: list[float | None] = []
        self.serviced: list[Sequence[Report]] = []
        self.sleeps = 0
        self.wakes = 0
        self.reports: list[Report] = []
        self._bell = threading.Event()

    def collect(self, timeout_s: float | None) -> Sequence[Report]:
        self.timeouts.append(timeout_s)
        self.entered.append(threading.get_ident())
        self._bell.wait(timeout_s)
        self._bell.clear()
        reports, self.reports = self.reports, []
        return reports

    def service(self, reports: Sequence[Report]) -> None:
        self.serviced.append(reports)

    def wake(self) -> None:
        self.wakes += 1
        self._bell.set()

    def sleep(self, waiter: Waiter, timeout_s: float | None) -> bool:
        self.sleeps += 1
        poll = select.poll()
        poll.register(waiter.fileno(), select.POLLIN)
        if not poll.poll(None if timeout_s is None else timeout_s * 1000):
            return False
        waiter.descriptor.clear()
        return True

    @property
    def leader(self) -> object:
        return self.parking._lead.get("leader")

    @property
    def followers(self) -> list[Waiter]:
        return list(self.parking._followers)


class Parked:
    """A thread parked in a reactor."""

    def __init__(self, reactor: StandIn, timeout_s: float | None = None) -> None:
        self._reactor = reactor
        self._known = threading.Event()
        self._waiter: Waiter | None = None
        self.call = Call(self._park, timeout_s)

    def _park(self, timeout_s: float | None) -> bool:
        return self._reactor.parking.park(self._enter(), timeout_s)

    def _enter(self) -> Waiter:
        self._waiter = this_waiter()
        self._waiter.done = False
        self._known.set()
        return self._waiter

    @property
    def waiter(self) -> Waiter:
        self._known.wait()
        assert self._waiter is not None
        return self._waiter

    def collects(self) -> Parked:
        """Wait until it leads and is inside the reactor."""
        until(lambda: self.waiter.collecting and self.waiter.thread in self._reactor.entered, "the thread leads")
        return self

    def follows(self) -> Parked:
        """Wait until it is a follower."""
        until(lambda: self.waiter in self._reactor.parking._followers, "the thread follows")
        return self

    def satisfy(self) -> Parked:
        """Make its condition true, as an event that is set does."""
        self.waiter.done = True
        self.waiter.wake()
        return self


class Glancing(Parked):
    """A thread that only looks."""

    def _park(self, timeout_s: float | None) -> bool:
        waiter = self._enter()
        self._reactor.parking.glance(waiter)
        return waiter.done


@pytest.fixture
def reactor() -> Iterator[StandIn]:
    """A reactor that nobody may be left in."""
    reactor = StandIn()
    yield reactor
    assert not reactor.parking.led
    assert reactor.followers == []
    assert reactor.parking._deputy is None


@pytest.fixture(params=["eventfd", "pipe"])
def wake(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> WakeDescriptor:
    """A wake descriptor of each kind."""
    if request.param == "pipe":
        monkeypatch.delattr(os, "eventfd", raising=False)
    elif not hasattr(os, "eventfd"):
        pytest.skip("the host has no eventfd")
    return WakeDescriptor()


def readable(wake: WakeDescriptor) -> bool:
    return bool(select.select([wake.fileno], [], [], 0)[0])


def has_entered(reactor: StandIn, times: int) -> bool:
    return len(reactor.entered) == times


def is_led_by_one_of(reactor: StandIn, waiters: list[Waiter]) -> bool:
    return reactor.leader in waiters


# Wake descriptors


def test_a_signal_makes_the_descriptor_readable_until_it_is_cleared(wake: WakeDescriptor) -> None:
    """One signal, then three more that are forgotten together."""
    assert not readable(wake)

    wake.signal()
    assert readable(wake)
    wake.clear()
    assert not readable(wake)

    for _ in range(3):
        wake.signal()
    wake.clear()
    assert not readable(wake)


def test_neither_side_of_a_wake_descriptor_ever_blocks(wake: WakeDescriptor) -> None:
    """Nobody sleeps, yet signals come in by the ten thousand; afterwards one clear too many is made."""

    def flood() -> None:
        for _ in range(10_000):
            wake.signal()
        while readable(wake):
            wake.clear()
        wake.clear()

    Call(flood).result()


def test_a_wake_descriptor_is_not_inherited_and_is_given_back_once(wake: WakeDescriptor) -> None:
    """The descriptor is closed explicitly, and again by the end of its life; its number has a new owner by then."""
    assert not os.get_inheritable(wake.fileno)
    number = wake.fileno

    wake.close()
    reused = os.open(os.devnull, os.O_RDONLY)
    try:
        wake.close()
        assert number not in descriptors() or number == reused
        os.fstat(reused)
    finally:
        os.close(reused)


def test_no_free_descriptor_is_an_error_of_winsock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process has reached its limit of open files when a thread waits for the first time."""

    def refuse(*args: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "eventfd", refuse, raising=False)
    monkeypatch.setattr(os, "pipe", refuse)

    failure = Call(this_waiter).failure()

    assert isinstance(failure, WinsockError)
    assert failure.winerror == WSAENOBUFS
    gc.collect()  # the unfinished object's own end must not fail either


# Waiters


def test_a_thread_has_one_waiter_and_its_descriptor_goes_with_the_thread() -> None:
    """Ten threads wait one after the other; nothing of them stays open."""
    before = descriptors()

    def work() -> int:
        assert this_waiter() is this_waiter()
        return this_waiter().thread

    calls = [Call(work) for _ in range(10)]

    assert [call.result() for call in calls] == [call.thread.ident for call in calls]
    until(lambda: descriptors() <= before, "the descriptors were closed")


def test_threads_do_not_share_a_waiter() -> None:
    """Two threads ask at the same time."""
    both = threading.Barrier(2)

    def work() -> Waiter:
        both.wait()
        return this_waiter()

    one, other = Call(work), Call(work)

    assert one.result() is not other.result()


def test_a_forgotten_waiter_is_replaced() -> None:
    """The child of a fork must not sleep on the parent's descriptor."""

    def work() -> bool:
        before = this_waiter()
        forget_waiter()
        return this_waiter() is not before

    assert Call(work).result()


# Leading


def test_a_thread_that_parks_alone_leads_until_it_is_woken(reactor: StandIn) -> None:
    """One thread waits for an event that another thread sets."""
    parked = Parked(reactor).collects()
    assert reactor.leader is parked.waiter

    parked.satisfy()

    assert parked.call.result() is True
    assert not parked.waiter.leading
    assert not parked.waiter.collecting


def test_a_wait_that_is_over_before_it_begins_does_not_collect(reactor: StandIn) -> None:
    """The event was signalled already."""
    waiter = this_waiter()
    waiter.done = True

    assert reactor.parking.park(waiter, None) is True

    assert reactor.entered == []


def test_a_leader_goes_on_collecting_while_only_others_are_served(reactor: StandIn) -> None:
    """Readiness comes in, but not what the leader itself waits for."""
    parked = Parked(reactor).collects()

    for turn in range(1, 4):
        reactor.reports = [(turn, 1)]
        reactor.wake()
        until(partial(has_entered, reactor, turn + 1), "the leader collects again")

    parked.satisfy().call.result()
    assert reactor.serviced[:3] == [[(1, 1)], [(2, 1)], [(3, 1)]]


def test_a_leader_that_is_served_by_itself_does_not_ring_its_own_bell(reactor: StandIn) -> None:
    """What the leader collected ends its own wait: the wake-up would only cost the next leader a round."""
    waiter = this_waiter()
    waiter.done = False
    waiter.descriptor.clear()  # of what came late in an earlier test

    def service(reports: Sequence[Report]) -> None:
        waiter.done = True
        waiter.wake()

    reactor.service = service  # type: ignore[method-assign]
    reactor._bell.set()

    assert reactor.parking.park(waiter, None) is True

    assert reactor.wakes == 0
    assert not readable(waiter.descriptor)


def test_a_wait_that_times_out_says_so_and_not_early(reactor: StandIn) -> None:
    """A leader and a follower with 30 ms each, and nobody who wakes them."""
    began = time.monotonic()
    leader = Parked(reactor, 0.03)
    follower = Parked(reactor, 0.03)

    assert leader.call.result() is False
    assert follower.call.result() is False
    assert time.monotonic() - began >= 0.03


def test_a_follower_times_out_while_another_thread_leads(reactor: StandIn) -> None:
    """The leader waits for ever, the follower for 30 ms."""
    leader = Parked(reactor).collects()
    began = time.monotonic()

    follower = Parked(reactor, 0.03)

    assert follower.call.result() is False
    assert time.monotonic() - began >= 0.03
    assert leader.satisfy().call.result() is True


@pytest.mark.parametrize("kind", [Parked, Glancing])
def test_a_timeout_of_zero_collects_once(reactor: StandIn, kind: type[Parked]) -> None:
    """A program that only polls must see its requests make progress."""
    assert kind(reactor, 0).call.result() is False

    assert reactor.timeouts == [0.0]
    assert len(reactor.serviced) == 1


def test_a_poll_that_completes_the_wait_is_a_success(reactor: StandIn) -> None:
    """The single collect of a timeout of zero brings the completion."""
    waiter = this_waiter()
    waiter.done = False

    def service(reports: Sequence[Report]) -> None:
        waiter.done = True

    reactor.service = service  # type: ignore[method-assign]

    assert reactor.parking.park(waiter, 0) is True


@pytest.mark.parametrize("kind", [Parked, Glancing])
def test_a_poll_while_another_thread_leads_returns_at_once(reactor: StandIn, kind: type[Parked]) -> None:
    """A timeout of zero, and nothing to collect with."""
    leader = Parked(reactor).collects()

    assert kind(reactor, 0).call.result() is False

    assert reactor.sleeps == 0
    leader.satisfy().call.result()


# Following


def test_a_follower_is_woken_without_disturbing_the_leader(reactor: StandIn) -> None:
    """Two threads wait; the second one's event is set."""
    leader = Parked(reactor).collects()
    follower = Parked(reactor).follows()

    assert follower.satisfy().call.result() is True

    assert leader.call.running
    assert reactor.wakes == 0
    leader.satisfy().call.result()


def test_a_follower_takes_over_when_the_leader_leaves_without_a_word(reactor: StandIn) -> None:
    """Threads come and go: the leader's departure wakes nobody, a tick finds it."""
    leader = Parked(reactor).collects()
    follower = Parked(reactor).follows()

    leader.satisfy().call.result()

    follower.collects()
    follower.satisfy().call.result()


def test_many_followers_cost_no_more_than_one_and_nothing_while_a_thread_leads_for_long(reactor: StandIn) -> None:
    """Thirty threads wait for events while another one leads: after a while nobody looks up any more."""
    leader = Parked(reactor).collects()
    followers = [Parked(reactor).follows() for _ in range(30)]
    until(lambda: reactor.parking._deputy is None and reactor.sleeps > 30, "the deputy resigned")

    before = reactor.sleeps
    time.sleep(0.1)
    assert reactor.sleeps - before <= 3  # a deputy that had just taken over would tick 50 times, all of them 1500

    for parked in (*followers, leader):
        assert parked.satisfy().call.result() is True


def test_the_leader_of_a_long_time_wakes_a_follower_when_it_leaves(reactor: StandIn) -> None:
    """Nobody looks up any more, so the one that leaves has to say so."""
    leader = Parked(reactor).collects()
    followers = [Parked(reactor).follows() for _ in range(5)]
    until(lambda: reactor.parking._deputy is None and reactor.sleeps > 5, "the deputy resigned")

    leader.satisfy().call.result()

    until(lambda: reactor.leader in [parked.waiter for parked in followers], "a follower leads")
    for parked in followers:
        assert parked.satisfy().call.result() is True


def test_somebody_leads_until_the_last_waiter_has_left(reactor: StandIn) -> None:
    """Twenty threads wait; again and again it is the leader whose wait ends."""
    waiting = {parked.waiter: parked for parked in [Parked(reactor) for _ in range(20)]}

    while waiting:
        until(lambda: reactor.leader in waiting, "one of the threads leads")
        leader = reactor.leader
        assert isinstance(leader, Waiter)
        assert waiting.pop(leader).satisfy().call.result() is True


def test_leadership_survives_any_order_of_arrivals_ends_and_timeouts(reactor: StandIn) -> None:
    """Eight threads park 60 times each, for a moment or until they are woken, while somebody wakes them all."""
    over = threading.Event()
    waiters: dict[int, Waiter] = {}

    def work(name: int) -> int:
        waiter = waiters[name] = this_waiter()
        served = 0
        for turn in range(60):
            waiter.done = False
            served += reactor.parking.park(waiter, (None, 0.001, 0)[(name + turn) % 3])
            reactor.parking.glance(waiter)
        return served

    def serve() -> None:
        while not over.is_set():
            for waiter in tuple(waiters.values()):
                waiter.done = True
                waiter.wake()
            time.sleep(0)

    server = Call(serve)
    calls = [Call(work, name) for name in range(8)]
    served = [call.result() for call in calls]
    over.set()
    server.result()

    assert min(served) >= 20  # all waits without a limit, at the least


# The guardian's part


def test_a_guardian_leads_for_a_moment_only_if_nobody_does(reactor: StandIn) -> None:
    """It collects once, and is refused while a thread leads."""
    assert reactor.parking.lead_once(0.001)
    assert reactor.timeouts == [0.001]

    leader = Parked(reactor).collects()
    assert not reactor.parking.lead_once(0.001)
    leader.satisfy().call.result()


def test_a_guardian_makes_room_at_once_for_a_thread_that_waits(reactor: StandIn) -> None:
    """It would have stayed for ever: the thread that parks wakes it and leads."""
    guardian = Call(reactor.parking.lead_once, 1e6)
    until(lambda: reactor.entered, "the guardian collects")

    parked = Parked(reactor).collects()

    assert guardian.result() is True
    parked.satisfy().call.result()


def test_a_thread_that_only_looks_does_so_although_the_guardian_leads(reactor: StandIn) -> None:
    """The guardian would have stayed for ever: it leaves, and the thread collects once."""
    guardian = Call(reactor.parking.lead_once, 1e6)
    until(lambda: reactor.entered, "the guardian collects")

    assert Glancing(reactor).call.result() is False

    assert guardian.result() is True
    assert reactor.timeouts == [1e6, 0.0]


def test_a_thread_that_only_looks_waits_for_what_the_guardian_has_collected(
    reactor: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has taken a report from the host and is about to serve it, so the host has nothing new to say."""
    over = threading.Event()

    def serve(reports: Sequence[Report]) -> None:
        if reports:
            over.wait()
        StandIn.service(reactor, reports)

    monkeypatch.setattr(reactor, "service", serve)
    reactor.reports = [(1, 1)]
    guardian = Call(reactor.parking.lead_once, 0)
    until(lambda: reactor.entered and not reactor.reports, "the guardian has collected")

    looking = Glancing(reactor)
    looking.follows()
    over.set()

    assert looking.call.result() is False
    assert guardian.result() is True
    assert reactor.serviced == [[(1, 1)], []]


def test_an_eager_guardian_does_not_win_the_lead_from_a_thread_that_waits(reactor: StandIn) -> None:
    """It asks for the lead again without a pause: it may finish its turn, but gets no other one."""
    over = threading.Event()
    turns_beside_a_follower: list[int] = []

    def guard() -> None:
        while not over.is_set():
            parked = bool(reactor.followers)
            if reactor.parking.lead_once(0.0005) and parked:
                turns_beside_a_follower.append(len(reactor.entered))

    guardian = Call(guard)
    for _ in range(20):
        Parked(reactor).collects().satisfy().call.result()
    over.set()
    guardian.result()

    assert turns_beside_a_follower == []


def test_a_guardian_that_leaves_hands_over_to_a_follower(reactor: StandIn) -> None:
    """The follower had parked while the guardian led, and does not depend on a tick."""
    parked: list[Parked] = []

    def service(reports: Sequence[Report]) -> None:
        if not parked:
            parked.append(Parked(reactor).follows())

    reactor.service = service  # type: ignore[method-assign]
    assert reactor.parking.lead_once(0)

    parked[0].collects()
    parked[0].satisfy().call.result()


def test_a_guardian_is_told_once_when_the_leader_leaves(reactor: StandIn) -> None:
    """It asked for the bell and sleeps; the second leader's departure is none of its business."""
    bell = reactor.parking.bell
    leader = Parked(reactor).collects()
    reactor.parking.ring = True
    assert not bell.is_set()

    leader.satisfy().call.result()
    assert bell.is_set()

    bell.clear()
    Parked(reactor).collects().satisfy().call.result()
    assert not bell.is_set()


def test_beginning_to_lead_is_counted(reactor: StandIn) -> None:
    """A guardian sees by the count that threads come and go between its looks."""
    for turn in range(1, 4):
        Parked(reactor).collects().satisfy().call.result()
        assert reactor.parking.turns == turn


# Closing


def test_closing_ends_leading_but_no_wait(reactor: StandIn) -> None:
    """The reactor goes while a leader and two followers wait for events, which live on."""
    parked = [Parked(reactor).collects(), Parked(reactor).follows(), Parked(reactor).follows()]

    reactor.parking.close()
    until(lambda: not reactor.parking.led, "the leader left")
    entered = len(reactor.entered)
    late = Parked(reactor, 0.01)

    assert late.call.result() is False
    for one in parked:
        assert one.call.running
        assert one.satisfy().call.result() is True
    assert len(reactor.entered) == entered
    assert not reactor.parking.lead_once(0)


# Interrupts


def test_ctrl_c_ends_the_wait_of_a_leader(reactor: StandIn) -> None:
    """The main thread leads and gets SIGINT; another thread can lead afterwards."""
    waiter = this_waiter()
    waiter.done = False
    sender = interrupt_main_thread_when(lambda: reactor.entered)

    with pytest.raises(KeyboardInterrupt):
        reactor.parking.park(waiter, None)

    sender.result()
    assert not waiter.leading
    Parked(reactor).collects().satisfy().call.result()


def test_ctrl_c_ends_the_wait_of_a_follower(reactor: StandIn) -> None:
    """The main thread follows and gets SIGINT; the leader is not disturbed, nor is the other follower."""
    leader = Parked(reactor).collects()
    waiter = this_waiter()
    waiter.done = False
    sender = interrupt_main_thread_when(lambda: reactor.sleeps)

    with pytest.raises(KeyboardInterrupt):
        reactor.parking.park(waiter, None)

    sender.result()
    assert reactor.followers == []
    other = Parked(reactor).follows()
    assert leader.satisfy().call.result() is True
    other.collects().satisfy().call.result()


@pytest.mark.parametrize(
    "lead", [lambda parking, waiter: parking.park(waiter, 0.0005), Parking.glance], ids=["waiting", "glancing"]
)
def test_an_interrupt_between_any_two_steps_of_leading_leaves_nothing_behind(
    reactor: StandIn, lead: Callable[[Parking, Waiter], object]
) -> None:
    """A signal handler raises before each single line of a wait that leads and times out, or of a mere look."""
    waiter = this_waiter()
    waiter.done = False
    bell = reactor.parking.bell

    for step in itertools.count():
        bell.clear()
        reactor.parking.ring = True
        with interrupted_at_step(step, codes_of(Parking, threading.Event)) as struck:
            try:
                lead(reactor.parking, waiter)
            except Interrupt:
                assert struck
        assert not reactor.parking.led, struck
        assert not waiter.leading, struck
        assert not waiter.collecting, struck
        if not struck:
            break
        assert bell.is_set() or ".park:" in struck[0] or step < 2, struck
    assert step > 10


def test_an_interrupt_between_any_two_steps_of_following_leaves_nothing_behind(reactor: StandIn) -> None:
    """The same for a wait that follows and becomes the deputy; afterwards nobody is missed or waited for."""
    leader = Parked(reactor).collects()
    waiter = this_waiter()
    waiter.done = False

    for step in itertools.count():
        with interrupted_at_step(step, codes_of(Parking)) as struck:
            try:
                reactor.parking.park(waiter, 0.003)
            except Interrupt:
                assert struck
        assert reactor.followers == [], struck
        assert reactor.parking._deputy is None, struck
        assert reactor.leader is leader.waiter
        if not struck:
            break
    assert step > 10
    leader.satisfy().call.result()


def test_an_interrupted_leader_is_succeeded(reactor: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two followers sleep without looking up when a leader is interrupted at any step of its leaving."""
    for step in itertools.count():
        waiter = this_waiter()
        waiter.done = False
        others: list[Parked] = []

        def service(reports: Sequence[Report], others: list[Parked] = others, waiter: Waiter = waiter) -> None:
            others.extend(Parked(reactor).follows() for _ in range(2))
            until(lambda: reactor.parking._deputy is None and reactor.sleeps > 2, "the deputy resigned")
            waiter.done = True

        reactor.sleeps = 0
        monkeypatch.setattr(reactor, "service", service)
        reactor._bell.set()
        monkeypatch.setattr(waits, "DEPUTY_PATIENCE", 1)
        with interrupted_at_step(step, codes_of(Parking)) as struck:
            try:
                reactor.parking.park(waiter, None)
            except Interrupt:
                assert struck
        monkeypatch.setattr(reactor, "service", lambda reports: None)
        reactor._bell.clear()
        left = [other.waiter for other in others]
        for other in others:
            until(partial(is_led_by_one_of, reactor, left), f"somebody leads after {struck}")
            assert other.satisfy().call.result() is True
            left.remove(other.waiter)
        if not struck:
            break
    assert step > 10
