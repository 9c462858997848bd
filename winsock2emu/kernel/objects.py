"""Dispatcher objects: what a thread can wait for, alone or in groups.

Part played:     KeWaitForMultipleObjects, its wait blocks, KiWaitTest and user APCs.
Lives here:      `Waitable`, the base of all objects; `Wait`, one blocked wait; APC queues, since they end waits.
Lives elsewhere: where a thread sleeps (kernel/waits), each kind of object (kernel/events, mutexes, timers, ...).
Recipe:          whoever signals an object decides under the lock who is satisfied, takes that wait off all its objects
                 and stores its status; it wakes the thread after the lock is free, and the woken thread needs no lock.
                 An object that nobody waits for is signalled without the lock: the signaller sets ``signalled`` and
                 then looks for waiters, a thread enters itself as a waiter and then looks at ``signalled``.
Order:           objects that are signalled come before APCs, APCs before the time-out, as on NT: a wait that can be
                 satisfied runs no APC, and a wait of no time at all still runs those that are queued.
Locking:         one lock for all objects, held for moments and never while user code or a host call runs. It guards
                 nothing that two emulated processes share, so it may be common to them.
Interrupts:      a wait that ends by an exception gives back what it had been granted in the meantime.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from ..defs.codes import ERROR_INVALID_HANDLE
from ..errors import of_program
from .waits import Parking, Waiter, idle_waiter

PENDING: Final = -1
ABANDONED: Final = 0x80  # WAIT_ABANDONED_0, added to the index
IO_COMPLETION: Final = 0xC0  # WAIT_IO_COMPLETION
TIMED_OUT: Final = 0x102  # WAIT_TIMEOUT

dispatcher: Final = threading.Lock()


def after_fork() -> None:
    """In the child: the thread that held the lock, if any did, does not exist."""
    if dispatcher.locked():
        dispatcher.release()


class Home(Protocol):
    """The process a thread waits in."""

    def parking(self) -> Parking:
        """Where its threads wait."""
        ...

    def pends(self) -> bool:
        """True when requests pend that a look at the host might complete."""
        ...


class Waitable:
    """An object with a signalled state.

    Attributes:
        signalled: a wait of any thread can be satisfied.
        keeps: a satisfied wait leaves the object as it is.
        owner: the thread for which a wait can be satisfied all the same; mutexes have one.
        waiters: nobody, one blocked wait, or a list of them in the order of arrival.
        handles: how many handles of the process lead to it.
        name: under which it can be opened; None for most.
    """

    __slots__ = ("__weakref__", "handles", "keeps", "name", "signalled", "waiters")

    owner: Waiter | None = None

    def __init__(self, *, signalled: bool, keeps: bool) -> None:
        self.signalled = signalled
        self.keeps = keeps
        self.waiters: Any = None
        self.handles = 0
        self.name: str | None = None

    def consume(self, waiter: Waiter) -> int:
        """What a satisfied wait changes, under the lock; returns ABANDONED or 0. Not called for one that keeps."""
        raise NotImplementedError

    def give_back(self, waiter: Waiter) -> None:
        """Undo `consume` for a thread whose wait ended by an exception. Not called for one that keeps."""
        raise NotImplementedError

    def signal(self, waiter: Waiter) -> int:
        """What SignalObjectAndWait does to it, for a thread: 0, or why not (most kinds cannot be signalled)."""
        return ERROR_INVALID_HANDLE

    def last_handle_closed(self) -> None:
        """The process has no handle left; whoever waits goes on waiting."""

    def forget_waiters(self) -> None:
        """In the child of a fork: those who wait are threads of the parent."""
        self.waiters = None


class Wait:
    """A thread that is blocked, or about to be.

    Attributes:
        status: PENDING, then what the wait returns; written once, under the lock.
    """

    __slots__ = ("all", "objects", "status", "waiter")

    def __init__(self, waiter: Waiter, objects: Sequence[Waitable], wait_all: bool) -> None:
        self.waiter = waiter
        self.objects = objects
        self.all = wait_all
        self.status = PENDING

    def attempt(self) -> bool:
        """Satisfy it if that is possible now, under the lock."""
        waiter = self.waiter
        if self.all:
            return self.attempt_all()
        for index, thing in enumerate(self.objects):
            if thing.signalled or thing.owner is waiter:
                self.status = index if thing.keeps else index + thing.consume(waiter)
                return True
        return False

    def attempt_all(self) -> bool:
        """The same when all objects have to be signalled at one time; nothing changes before they are."""
        waiter = self.waiter
        for thing in self.objects:
            if not thing.signalled and thing.owner is not waiter:
                return False
        status = 0
        for index, thing in enumerate(self.objects):
            if not thing.keeps and thing.consume(waiter) and not status:
                status = ABANDONED + index
        self.status = status
        return True

    def link(self) -> bool:
        """Have the objects end it, under the lock; True when it was over at once."""
        for thing in self.objects:
            waiters = thing.waiters
            if waiters is None:
                thing.waiters = self
            elif type(waiters) is list:
                if waiters[-1] is not self:  # the same object twice in a wait for any
                    waiters.append(self)
            elif waiters is not self:
                thing.waiters = [waiters, self]
        if self.attempt():
            self.unlink()
            return True
        return False

    def unlink(self) -> None:
        """Take it off all objects, under the lock."""
        for thing in self.objects:
            waiters = thing.waiters
            if waiters is self:
                thing.waiters = None
            elif type(waiters) is list and self in waiters:
                waiters.remove(self)
                if not waiters:
                    thing.waiters = None

    def give_back(self) -> None:
        """Undo what it was granted, after an exception; its thread calls this, without the lock."""
        if self.status < IO_COMPLETION:
            granted = self.objects if self.all else (self.objects[self.status % ABANDONED],)
            for thing in granted:
                if not thing.keeps:
                    thing.give_back(self.waiter)

    def end(self, status: int) -> bool:
        """Set the status unless there is one, under the lock; True when this was the end."""
        if self.status != PENDING:
            return False
        self.unlink()
        self.status = status
        return True

    def sleep(self, home: Home, timeout_s: float | None, alertable: bool) -> int:
        """Block until it is over.

        Raises:
            BaseException: what an APC or a signal handler of the program raised.
        """
        waiter = self.waiter
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        waiter.done = False
        try:
            with dispatcher:
                self.link()
            if alertable and self.status == PENDING:
                # Whoever queues an APC looks at this mark afterwards, so it comes before the look at the queue.
                waiter.alertable = self
                if waiter.apcs:
                    with dispatcher:
                        self.end(IO_COMPLETION)
            if self.status == PENDING:
                parking = home.parking()
                waiter.busy = True
                while self.status == PENDING:
                    left = None if deadline is None else max(0.0, deadline - time.monotonic())
                    if not parking.park(waiter, left):
                        with dispatcher:
                            self.end(TIMED_OUT)
                    # Whoever ended an earlier wait may have set the mark late. Its own end is marked after its status.
                    waiter.done = False
                waiter.busy = False
        except BaseException:
            with dispatcher:
                granted = not self.end(TIMED_OUT)
            waiter.busy = False
            waiter.alertable = None
            if granted:
                self.give_back()
            raise
        waiter.alertable = None
        if self.status == IO_COMPLETION:
            run_apcs(waiter)
        return self.status


class _InCall:
    """What an APC finds that comes while its thread is blocked in a call: that thread has to look, and goes on."""

    __slots__ = ()

    def end(self, status: int) -> bool:
        """As `Wait.end`."""
        return True


IN_CALL: Final = _InCall()
"""`Waiter.alertable` of a thread that runs APCs inside of a blocking call."""


def wait(objects: Sequence[Waitable], wait_all: bool, timeout_s: float | None, alertable: bool, home: Home) -> int:
    """Wait for one or all of some objects (or none: for an APC or the end of the time).

    Returns:
        The index of the object that ended a wait for any, the lowest if there are several, 0 for all; ABANDONED
        added when that is a mutex whose owner has ended; IO_COMPLETION after APCs have run; TIMED_OUT.
    """
    if not wait_all:
        for thing in objects:  # without counting, since most are not signalled
            if thing.signalled:
                if thing.keeps:
                    return objects.index(thing)
                break
    block = Wait(idle_waiter(), objects, wait_all)
    if timeout_s == 0:
        return _poll(block, alertable, home)
    return block.sleep(home, timeout_s, alertable)


def _poll(block: Wait, alertable: bool, home: Home) -> int:
    """A wait of no time at all; a program that only polls makes its requests progress by that."""
    waiter = block.waiter
    if block.objects:
        with dispatcher:
            if block.attempt():
                return block.status
    if alertable and waiter.apcs:
        run_apcs(waiter)
        return IO_COMPLETION
    if home.pends():
        look(waiter, home)
        if block.objects:
            with dispatcher:
                if block.attempt():
                    return block.status
        if alertable and waiter.apcs:
            run_apcs(waiter)
            return IO_COMPLETION
    return TIMED_OUT


def look(waiter: Waiter, home: Home) -> None:
    """Let readiness that the host has by now become completions, if nobody else does."""
    waiter.done = False
    waiter.busy = True
    try:
        home.parking().glance(waiter)
    finally:
        waiter.busy = False


def grant(thing: Waitable, woken: list[Waiter]) -> None:
    """Satisfy blocked waits as far as an object that has become signalled allows, under the lock.

    The threads in ``woken`` have to be woken once the lock is free.
    """
    waiters = thing.waiters
    if waiters is None:
        return
    blocks: Sequence[Wait] = tuple(waiters) if type(waiters) is list else (waiters,)
    for block in blocks:
        if not thing.signalled:
            break
        if block.all:
            if not block.attempt_all():
                continue
        else:
            index = block.objects.index(thing)
            block.status = index if thing.keeps else index + thing.consume(block.waiter)
        block.unlink()
        block.waiter.done = True
        woken.append(block.waiter)


def release(thing: Waitable) -> None:
    """An object has become signalled and has waiters: end their waits."""
    woken: list[Waiter] = []
    try:
        with dispatcher:
            grant(thing, woken)
    finally:
        for waiter in woken:
            waiter.wake()


# APCs


def queue_apc(waiter: Waiter, routine: Callable[..., Any], *args: Any) -> None:
    """Have a thread call a function in its next alertable wait; from any thread."""
    waiter.apcs.append((routine, args))
    alert(waiter)


def alert(waiter: Waiter) -> None:
    """End a thread's alertable wait, if it is in one, since there is an APC for it."""
    block = waiter.alertable
    if block is not None:
        with dispatcher:
            ended = block.end(IO_COMPLETION)
        if ended:
            waiter.done = True
            waiter.wake()


def run_apcs(waiter: Waiter) -> None:
    """Call what is queued for the calling thread, first in, first out, until nothing is left.

    Raises:
        Exception: what a routine raised, after all have run; a group when several did.
        BaseException: what is no Exception, at once; the other routines stay queued.
    """
    apcs = waiter.apcs
    failures: list[Exception] = []
    while apcs:
        routine, args = apcs.popleft()
        try:
            routine(*args)
        except Exception as failure:
            failures.append(failure)
    if len(failures) == 1:
        raise of_program(failures[0])
    if failures:
        raise of_program(ExceptionGroup("several asynchronous procedure calls failed", failures))
