"""Waiting: one waiter per thread, and one way to put it to sleep.

Part played:     the dispatcher of the kernel: who sleeps, where, and who wakes whom.
Lives here:      `Waiter` (a thread's place to sleep) and `Parking` (`park`, with a leader and followers).
Lives elsewhere: readiness and the host's poll calls (engine/pump), what is waited for, requests (engine/lanes).
Leader/follower: whoever waits may lead the reactor, so a completion needs no hop through a pump thread. The others
                 sleep on their own wake descriptor and look up every TICK_S, which is also when one of them takes over
                 a leadership that was given up silently. Waking a follower on every leave halves the rate of one
                 connection and gains nothing with many.
Wake-ups:        through a descriptor of the thread's own: a system call made without the GIL, half the price of
                 releasing a lock that another thread sleeps on. A leader is woken out of the reactor as well.
Locking:         `Waiter.wake` takes no lock and may be called from anywhere.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any, Protocol

# Followers look up this often: below the interpreter's own switch interval of 5 ms, so nobody notices.
TICK_S = 0.002


class Reactor(Protocol):
    """What `Parking` needs of the engine's reactor."""

    def collect(self, timeout_s: float | None) -> None:
        """Wait for readiness, at most ``timeout_s`` seconds (None: for ever), and service what is ready."""
        ...

    def wake(self) -> None:
        """Make the thread inside `collect` return soon."""
        ...

    def sleep(self, waiter: Waiter, timeout_s: float | None) -> bool:
        """Sleep until ``waiter`` is woken; False when the time ran out."""
        ...


class WakeDescriptor:
    """An eventfd, or a pipe on hosts without one; it never blocks, neither the waker nor the woken."""

    __slots__ = ("_write", "fileno")

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self.fileno = self._write = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self.fileno, self._write = os.pipe()
            os.set_blocking(self.fileno, False)
            os.set_blocking(self._write, False)

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
        thread: the thread's identifier.
        done: the condition of the current wait; whoever satisfies it sets it and then calls `wake`.
        leading: True while the thread is inside the reactor's collect.
        poll: the reactor's own note on how this waiter sleeps.
    """

    __slots__ = ("__weakref__", "descriptor", "done", "leading", "poll", "reactor", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.done = False
        self.leading = False
        self.reactor: Reactor | None = None
        self.descriptor = WakeDescriptor()
        self.poll: Any = None

    def fileno(self) -> int:
        """The descriptor that is readable while a wake-up waits to be seen."""
        return self.descriptor.fileno

    def wake(self) -> None:
        """Make the thread look at its state; harmless when it is not asleep."""
        if self.leading and self.reactor is not None:
            self.reactor.wake()
        else:
            # A thread that starts to lead right now finds `done` before it collects, see park().
            self.descriptor.signal()


class Parking:
    """Where the threads of one process wait for anything that is not a single socket of their own.

    One thread leads: it collects readiness for all. Leadership is given up silently; `hand_over` wakes a follower
    only where nobody would look up otherwise (a guardian that leaves).
    """

    __slots__ = ("_followers", "_lead", "leave_bell", "reactor")

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self.leave_bell: threading.Event | None = None  # rung once, by the next leader that leaves
        self._lead = threading.Lock()
        self._followers: list[Waiter] = []

    @property
    def led(self) -> bool:
        """True while some thread collects."""
        return self._lead.locked()

    def park(self, waiter: Waiter, timeout_s: float | None) -> bool:
        """Block until ``waiter.done``, leading the reactor if nobody does; False when the time ran out."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not waiter.done:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            if self._lead.acquire(blocking=False):
                self._lead_until_done(waiter, deadline)
            else:
                self._followers.append(waiter)
                try:
                    self.reactor.sleep(waiter, TICK_S if left is None else min(left, TICK_S))
                finally:
                    self._followers.remove(waiter)
        return True

    def _lead_until_done(self, waiter: Waiter, deadline: float | None) -> None:
        """Collect until the wait is over; the caller has acquired the leadership."""
        waiter.reactor = self.reactor
        waiter.leading = True
        try:
            while not waiter.done:
                left = None if deadline is None else max(0.0, deadline - time.monotonic())
                self.reactor.collect(left)
                if left == 0.0:
                    return
        finally:
            waiter.leading = False
            self._lead.release()
            bell = self.leave_bell
            if bell is not None:
                self.leave_bell = None
                bell.set()

    def lead_once(self, timeout_s: float) -> bool:
        """Collect once if nobody leads (the guardian's part); False when somebody does."""
        if not self._lead.acquire(blocking=False):
            return False
        try:
            self.reactor.collect(timeout_s)
        finally:
            self._lead.release()
            self.hand_over()
        return True

    def hand_over(self) -> None:
        """Wake one follower, so that somebody leads at once instead of at the next tick."""
        if self._followers:
            try:
                self._followers[-1].wake()
            except IndexError:
                return  # it has just left, and whoever leaves looks for the leadership itself

    def reset_locks(self) -> None:
        """After a fork: the threads that led and followed do not exist in the child."""
        self._lead = threading.Lock()
        self._followers = []


class _ThisThread(threading.local):
    waiter: Waiter | None = None


_this_thread = _ThisThread()


def this_waiter() -> Waiter:
    """The calling thread's waiter, made on its first wait."""
    waiter = _this_thread.waiter
    if waiter is None:
        waiter = _this_thread.waiter = Waiter()
    return waiter


def forget_waiter() -> None:
    """After a fork: the child's thread must not share a wake descriptor with the parent's."""
    _this_thread.waiter = None
