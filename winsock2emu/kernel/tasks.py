"""Background tasks: work that other threads do, which ends with one notice, or none after a cancel.

Part played:     the system's thread pool, as far as Winsock's asynchronous look-ups use it.
Lives here:      the threads, the numbers of tasks, the race between an end and a cancel.
Lives elsewhere: what is looked up and how its end is told (ws2_32/asyncnames).
Threads:         at most WORKERS of them, made when there is work; each ends when there is none left.
Cancel:          once a cancel has succeeded nothing is told and no memory is touched: the end runs under the lock that
                 a cancel takes.
"""

from __future__ import annotations

import contextvars
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

WORKERS: Final = 4
_RETRY_S: Final = 0.01

End = Callable[[int], bool]
"""Tells the end of the task of a number; False: try again. It runs under a lock and must not block."""

Job = Callable[[], End]


class BackgroundTasks:
    """The tasks of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, contextvars.Context, Job]] = deque()
        self._active: set[int] = set()
        self._last = 0
        self._workers = 0

    def start(self, job: Job) -> int:
        """Have another thread do a job, in the context of the caller, and tell its end; returns the task's number.

        Raises:
            RuntimeError: the host has no thread left.
        """
        with self._lock:
            self._last += 1
            number = self._last
            self._active.add(number)
            self._waiting.append((number, contextvars.copy_context(), job))
            needed = self._workers < WORKERS
            self._workers += needed
        if needed:
            try:
                threading.Thread(target=self._work, name="winsock2emu-lookup", daemon=True).start()
            except RuntimeError:
                with self._lock:
                    self._workers -= 1
                    self._active.discard(number)
                raise
        return number

    def cancel(self, number: int) -> bool | None:
        """End a task without a word; False when it has ended before, None when there never was such a task."""
        with self._lock:
            if number in self._active:
                self._active.remove(number)
                return True
            return False if 0 < number <= self._last else None

    def cancel_all(self) -> None:
        """End all tasks without a word."""
        with self._lock:
            self._active.clear()

    def after_fork(self) -> None:
        """In the child: the threads are the parent's, and so are the tasks."""
        self._lock = threading.Lock()
        self._waiting.clear()
        self._active.clear()
        self._workers = 0

    def _work(self) -> None:
        try:
            while (waiting := self._next()) is not None:
                number, context, job = waiting
                self._tell(number, context.run(job))
        except BaseException:  # the thread ends with it, and another one goes on
            with self._lock:
                self._workers -= 1
            raise

    def _next(self) -> tuple[int, contextvars.Context, Job] | None:
        """The next task that has not been cancelled; None, and one worker less, when there is none."""
        with self._lock:
            while self._waiting:
                waiting = self._waiting.popleft()
                if waiting[0] in self._active:
                    return waiting
            self._workers -= 1
            return None

    def _tell(self, number: int, end: End) -> None:
        pause = threading.Event()
        while True:
            with self._lock:
                if number not in self._active:
                    return
                if end(number):
                    self._active.remove(number)
                    return
            pause.wait(_RETRY_S)
