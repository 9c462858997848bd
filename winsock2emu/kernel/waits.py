"""Waiting: one waiter per thread, and one way to put it to sleep.

Part played:     the dispatcher of the kernel: who sleeps, where, and who wakes whom.
Lives here:      `Waiter` (a thread's place to sleep) and `Parking` (`park`, with a leader and followers).
Lives elsewhere: readiness and the host's poll calls (engine/pump), what is waited for, requests (engine/lanes).
Leader/follower: whoever waits may lead the reactor, so a completion needs no hop through a pump thread. The leadership
                 is given up silently while threads come and go: waking a follower on every leave halves the rate of one
                 connection and gains nothing with many. One follower, the deputy, looks up every TICK_S to take over;
                 the others sleep until they are woken, so a thousand parked threads cost what one costs. A deputy who
                 has looked up in vain for some time resigns. Whoever stops leading or following while nobody leads and
                 nobody looks up wakes a follower, so no wait depends on a tick that nobody makes.
Wake-ups:        through a descriptor of the thread's own: a system call made without the GIL, half the price of
                 releasing a lock that another thread sleeps on. A leader is woken out of the reactor; one that is just
                 servicing needs no wake-up, since it looks at its own wait before it collects again.
Interrupts:      an exception raised by a signal handler may strike between any two steps of the main thread. What a
                 thread holds is therefore recognised by identity, and given back in one place (`Parking._forsake`).
Locking:         none. The leadership is a dict entry (set and deleted atomically); `Waiter.wake` may be called from
                 anywhere.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Any, Final, Protocol

from ..defs.codes import WSAENOBUFS
from ..errors import WinsockError

# The deputy looks up this often: below the interpreter's own switch interval of 5 ms, so nobody notices.
TICK_S = 0.002
DEPUTY_PATIENCE = 8  # ticks after which the leader is expected to stay; it then wakes a follower when it leaves
RELIEF_PATIENCE = 50  # ticks after which a thread that only looks leaves the guardian at its work

_LEADER: Final = "leader"  # the only key of Parking._lead

_serials: Final = count(1)

Report = tuple[int, int]  # a descriptor and its readiness bits


class Reactor(Protocol):
    """What `Parking` needs of the engine's reactor."""

    def collect(self, timeout_s: float | None) -> Sequence[Report]:
        """Wait for readiness, at most ``timeout_s`` seconds (None: for ever); empty after a `wake`, too."""
        ...

    def service(self, reports: Sequence[Report]) -> None:
        """Do what the readiness that was collected allows."""
        ...

    def wake(self) -> None:
        """Make the thread inside `collect` return soon."""
        ...

    def sleep(self, waiter: Waiter, timeout_s: float | None) -> bool:
        """Sleep until ``waiter`` is woken; False when the time ran out, which may be early for very long times."""
        ...


class WakeDescriptor:
    """An eventfd, or a pipe on hosts without one; it never blocks, neither the waker nor the woken.

    It is given back when the last reference goes, so that a late `signal` cannot hit a number with a new owner.
    """

    __slots__ = ("_write", "fileno")

    def __init__(self) -> None:
        self.fileno = self._write = -1
        try:
            if hasattr(os, "eventfd"):
                self.fileno = self._write = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            else:
                self.fileno, self._write = os.pipe()
                os.set_blocking(self.fileno, False)
                os.set_blocking(self._write, False)
        except OSError as failure:
            # Every wait needs one, so the limit of open files shows as a lack of buffers.
            raise WinsockError(WSAENOBUFS) from failure

    def signal(self) -> None:
        """Make the descriptor readable."""
        try:
            os.write(self._write, b"\1\0\0\0\0\0\0\0")
        except BlockingIOError:
            return  # full of wake-ups already: the sleeper cannot miss them

    def clear(self) -> None:
        """Forget the signals so far; the caller looks at its state afterwards."""
        try:
            os.read(self.fileno, 4096)
        except BlockingIOError:
            return  # an earlier clear took it

    def close(self) -> None:
        """Give the descriptors back; a second close does nothing."""
        ends, self.fileno, self._write = {self.fileno, self._write}, -1, -1
        for descriptor in ends - {-1}:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()


class Waiter:
    """A thread's place to sleep. One per thread, reused by every wait of that thread.

    Attributes:
        thread: the thread's identifier, which another thread may get after its end.
        serial: a number that no other waiter has.
        done: the condition of the current `Parking.park`; whoever waits clears it before, whoever satisfies the wait
            sets it and then calls `wake`.
        issues: the thread has had overlapped requests pend (kernel/operations).
        leading: True while the thread leads a reactor.
        collecting: True while it is, or is about to be, inside the reactor's collect.
        poll: the reactor's own note on how this waiter sleeps.
        apcs: functions to call in an alertable wait, with their arguments (kernel/objects).
        alertable: the blocked wait that such a function would end; None when there is none.
        blocked: the request (engine/lanes) whose outcome the thread waits for in a blocking call, else None.
        busy: the thread is parked; a signal handler that it runs there has to sleep elsewhere (`idle_waiter`).
        owned: what has to know when the thread ends: its mutexes, and the object that stands for the thread.
    """

    __slots__ = (
        "__weakref__",
        "alertable",
        "apcs",
        "blocked",
        "busy",
        "collecting",
        "descriptor",
        "done",
        "issues",
        "leading",
        "owned",
        "poll",
        "reactor",
        "serial",
        "thread",
    )

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.serial = next(_serials)
        self.issues = False
        self.alertable: Any = None
        self.blocked: Any = None
        self.busy = False
        self.apcs: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self.owned: list[Any] = []
        self.done = False
        self.leading = False
        self.collecting = False
        self.reactor: Reactor | None = None
        self.descriptor = WakeDescriptor()
        self.poll: Any = None

    def fileno(self) -> int:
        """The descriptor that is readable while a wake-up waits to be seen."""
        return self.descriptor.fileno

    def wake(self) -> None:
        """Make the thread look at its state; harmless when it is not asleep."""
        # The thread changes these marks first and looks at `done` then, the waker does it the other way round.
        if not self.leading or self.reactor is None:
            self.descriptor.signal()
        elif self.collecting:
            self.reactor.wake()


class Parking:
    """Where the threads of one process wait for anything that is not a single socket of their own.

    Attributes:
        closed: nobody leads any more; who parks sleeps until it is woken.
        turns: how often a thread has begun to lead; a guardian keeps out while it changes.
        bell: what a guardian sleeps on.
        postponed: what the next leader does before anything else.
        ring: True asks the next leader that leaves to ring the bell, once.
    """

    __slots__ = ("_deputy", "_followers", "_lead", "bell", "closed", "postponed", "reactor", "ring", "turns")

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.closed = False
        self.turns = 0
        self.bell = threading.Event()
        self.ring = False
        self.postponed: dict[Callable[[], None], None] = {}
        self._lead: dict[str, object] = {}
        self._followers: dict[Waiter, None] = {}  # in the order of arrival
        self._deputy: Waiter | None = None

    @property
    def led(self) -> bool:
        """True while some thread leads."""
        return bool(self._lead)

    def park(self, waiter: Waiter, timeout_s: float | None) -> bool:
        """Block until ``waiter.done``, leading the reactor if nobody does; False when the time ran out."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        try:
            while not waiter.done:
                if not self.closed and self._lead.setdefault(_LEADER, waiter) is waiter:
                    self._lead_until_done(waiter, deadline)
                else:
                    self._follow(waiter, deadline)
                if deadline is not None and time.monotonic() >= deadline:
                    break
            self._after_leaving()
        except BaseException:
            self._forsake(waiter)
            raise
        return waiter.done

    def glance(self, waiter: Waiter) -> None:
        """Collect once, without waiting, unless another thread that waits leads.

        So a program that only polls makes progress, and finds what has become ready by then.
        """
        lead, reactor = self._lead, self.reactor
        try:
            if lead.get(_LEADER) is self:
                self._relieve(waiter)
            if self.closed or lead.setdefault(_LEADER, waiter) is not waiter:
                return
            self.turns += 1
            waiter.reactor = reactor
            waiter.leading = True
            if self.postponed:
                self._catch_up()
            reactor.service(reactor.collect(0))
            waiter.leading = False
            lead.pop(_LEADER, None)
            if self._followers or self.ring:
                self._after_leaving()
        except BaseException:
            self._forsake(waiter)
            raise

    def _lead_until_done(self, waiter: Waiter, deadline: float | None) -> None:
        """Collect until the wait or its time is over; the caller has the leadership."""
        reactor = self.reactor
        self.turns += 1
        waiter.reactor = reactor
        waiter.leading = True
        if self.postponed:
            self._catch_up()
        while not self.closed:
            waiter.collecting = True
            if waiter.done:
                break
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            reports = reactor.collect(left)
            waiter.collecting = False
            reactor.service(reports)
            if left == 0.0:
                break
        waiter.collecting = waiter.leading = False
        self._lead.pop(_LEADER, None)

    def _follow(self, waiter: Waiter, deadline: float | None) -> None:
        """Sleep until the wait or its time is over, or until nobody leads."""
        followers = self._followers
        followers[waiter] = None
        if self._lead.get(_LEADER) is self:
            self.reactor.wake()  # the guardian makes room for a thread that waits
        ticks = 0
        while not waiter.done and (self._lead or self.closed):
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                break
            if ticks == DEPUTY_PATIENCE:
                ticks = 0
                if self._deputy is waiter:
                    # From here on the leader finds no deputy and wakes a follower when it leaves. It may have left
                    # already, so the next look at the leadership comes after this.
                    self._deputy = None
                    if not self._lead:
                        break
            elif not self.closed:
                if self._deputy is None:
                    self._deputy = waiter
                if self._deputy is waiter:
                    ticks += 1
                    left = TICK_S if left is None else min(left, TICK_S)
            self.reactor.sleep(waiter, left)
        followers.pop(waiter, None)
        if self._deputy is waiter:
            self._deputy = None

    def _relieve(self, waiter: Waiter) -> None:
        """Wait for the guardian to leave; what it has collected it may not have served yet, for want of the GIL."""
        self._followers[waiter] = None  # it wakes the last of them when it leaves
        self.reactor.wake()
        ticks = 0
        while self._lead.get(_LEADER) is self and not waiter.done and not self.closed and ticks < RELIEF_PATIENCE:
            self.reactor.sleep(waiter, TICK_S)
            ticks += 1
        self._followers.pop(waiter, None)

    def _after_leaving(self) -> None:
        """Whoever stops leading or following makes sure that somebody leads, or looks up, or is woken to do so."""
        if self._lead:
            return
        if self._followers and self._deputy is None and not self.closed:
            self.hand_over()
        if self.ring:
            self.ring = False
            self.bell.set()

    def _forsake(self, waiter: Waiter) -> None:
        """Undo whatever part of a wait has been done; the thread leaves it by an exception."""
        self.ring = True  # it may have been taken back already
        waiter.collecting = waiter.leading = False
        self._followers.pop(waiter, None)
        if self._deputy is waiter:
            self._deputy = None
        if self._lead.get(_LEADER) is waiter:
            del self._lead[_LEADER]
        self._after_leaving()

    def lead_once(self, timeout_s: float) -> bool:
        """Collect once if nobody leads or is parked (the guardian's part); False when somebody is."""
        if self._followers:
            # One of them is on its way to the lead, and could lose the race for it to a guardian again and again.
            if not self._lead:
                self.hand_over()
            return False
        if self.closed or self._lead.setdefault(_LEADER, self) is not self:
            return False
        try:
            self._catch_up()
            self.reactor.service(self.reactor.collect(timeout_s))
        finally:
            del self._lead[_LEADER]
            self.hand_over()
        return True

    def postpone(self, errand: Callable[[], None]) -> bool:
        """Leave something to the next leader; False when there is one already, or will be none.

        Threads that are parked look up for a leader, so it comes within TICK_S, or when one is woken to be it.
        """
        if self._lead or self.closed:
            return False
        self.postponed[errand] = None
        return not (self._lead or self.closed)  # it may have begun just before

    def _catch_up(self) -> None:
        """Do what has been left to a leader."""
        while self.postponed:
            try:
                errand = self.postponed.popitem()[0]
            except KeyError:
                return  # whoever left it has done it after all
            errand()

    def hand_over(self) -> None:
        """Wake one follower, so that somebody leads at once."""
        followers = list(self._followers)
        if followers:
            followers[-1].wake()

    def close(self) -> None:
        """Nobody leads from now on; the leader leaves as soon as it has been woken."""
        self.closed = True
        self.reactor.wake()


class _Life:
    """Goes when its thread does, as everything that only the thread refers to."""

    __slots__ = ("waiter",)

    def __init__(self, waiter: Waiter) -> None:
        self.waiter: Waiter | None = waiter

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        # At the interpreter's end modules are empty already, and nobody is left to be told.
        if self.waiter is not None and not ending():
            for thing in tuple(self.waiter.owned):
                thing.thread_ended(self.waiter)


class _ThisThread(threading.local):
    waiter: Waiter | None = None
    life: _Life | None = None


_this_thread = _ThisThread()


def this_waiter() -> Waiter:
    """The calling thread's waiter, made on its first wait.

    Raises:
        WinsockError: WSAENOBUFS, the host has no descriptor left for it.
    """
    waiter = _this_thread.waiter
    if waiter is None:
        waiter = _this_thread.waiter = Waiter()
        _this_thread.life = _Life(waiter)
    return waiter


def idle_waiter() -> Waiter:
    """The calling thread's waiter, or another one for a signal handler that has struck while that one is parked.

    The host goes on with an interrupted wait when the handler has returned, so its wake-ups must not be taken away.
    """
    waiter = this_waiter()
    if waiter.busy:
        other = Waiter()
        other.apcs, other.owned = waiter.apcs, waiter.owned
        return other
    return waiter


def forget_waiter() -> None:
    """After a fork: the child's thread must not share a wake descriptor with the parent's."""
    if _this_thread.life is not None:
        _this_thread.life.waiter = None  # no thread has ended
    _this_thread.waiter = None
