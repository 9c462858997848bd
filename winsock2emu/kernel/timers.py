"""Waitable timers: objects that become signalled at a time.

Part played:     KTIMER and the clock interrupt that expires it.
Lives here:      the object; the thread that looks after the timers that are set, while there are any.
Lives elsewhere: waiting (kernel/objects).
Locking:         the queue's lock, then the dispatcher's.
Clocks:          a time from now on counts on the monotonic clock, a time of day on the clock of the day when it is set:
                 a change of the clock afterwards does not move it.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from .objects import Waitable, queue_apc, release
from .waits import Waiter


class Timer(Waitable):
    """Signalled from its due time on, until a wait takes that (unless manual-reset) or it is set again."""

    __slots__ = ("apc", "period_s", "setting")

    def __init__(self, *, manual_reset: bool) -> None:
        super().__init__(signalled=False, keeps=manual_reset)
        self.setting: object = None  # what its entry in the queue must match
        self.period_s = 0.0
        self.apc: tuple[Waiter, Callable[..., Any], tuple[Any, ...]] | None = None

    def consume(self, waiter: Waiter) -> int:
        self.signalled = False
        return 0

    def give_back(self, waiter: Waiter) -> None:
        self.expire()

    def expire(self) -> None:
        """Its time has come."""
        self.signalled = True
        if self.waiters is not None:
            release(self)
        if self.apc is not None:
            waiter, routine, args = self.apc
            queue_apc(waiter, routine, *args)


class TimerQueue:
    """The timers of a process that are set, in the order of their times."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Timer, object]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def set(
        self,
        timer: Timer,
        due: float,
        period_s: float,
        apc: tuple[Waiter, Callable[..., Any], tuple[Any, ...]] | None = None,
    ) -> None:
        """Have a timer expire at a time of the monotonic clock, and every ``period_s`` seconds from then on (0: once).

        ``apc``: the thread, function and arguments of a call to queue each time. An earlier setting ends.
        """
        with self._changed:
            timer.setting = setting = object()
            timer.signalled = False
            timer.period_s = period_s
            timer.apc = apc
            heapq.heappush(self._due, (due, next(self._numbers), timer, setting))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="winsock2emu-timers", daemon=True)
                self._thread.start()
            else:
                self._changed.notify()

    def cancel(self, timer: Timer) -> None:
        """End a setting; the signalled state stays as it is."""
        with self._changed:
            timer.setting = None
            timer.apc = None
            self._changed.notify()

    def _run(self) -> None:
        """Expire timers until none is set."""
        due = self._due
        while True:
            with self._changed:
                while due and due[0][2].setting is not due[0][3]:
                    heapq.heappop(due)
                if not due:
                    self._thread = None
                    return
                at, _, timer, setting = due[0]
                left = at - time.monotonic()
                if left > 0:
                    self._changed.wait(min(left, threading.TIMEOUT_MAX))
                    continue
                heapq.heappop(due)
                if timer.period_s > 0:
                    heapq.heappush(due, (at + timer.period_s, next(self._numbers), timer, setting))
                else:
                    timer.setting = None
                timer.expire()  # inside, so that it never comes after a cancel or another setting
