"""The thread pool: work items, waits that call a function, ports that call a function.

Part played:     the process's default thread pool: its workers and its wait threads.
Lives here:      `ThreadPool`, `RegisteredWait`, `CallbackPort`.
Lives elsewhere: the functions (kernel32.threadpool).
Workers:         made when there is work and no idle one; each ends when it finds no more work. A function that blocks
                 keeps its worker; up to WORKERS of them there is always another one.
Wait threads:    each watches up to 63 registered waits and ends when it has none left. A wait is watched again when its
                 function has returned, so one wait never runs its function twice at a time.
Ports:           nobody waits at a `CallbackPort`. A packet that comes in is work, which the pool does.
Sources:         "Thread Pools", RegisterWaitForSingleObject, UnregisterWaitEx, BindIoCompletionCallback and
                 QueueUserWorkItem on Microsoft Learn.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from ..defs.constants import MAXIMUM_WAIT_OBJECTS
from .events import Event
from .objects import TIMED_OUT, Home, Waitable, wait
from .ports import Port

WORKERS: Final = 500
_WATCHED: Final = MAXIMUM_WAIT_OBJECTS - 1  # one place is for the thread's own event

Work = Callable[[], Any]


class ThreadPool:
    """The pool of one process."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._work: deque[tuple[contextvars.Context, Work]] = deque()
        self._workers = 0
        self._busy = 0
        self._watchers: list[_WaitThread] = []

    def submit(self, work: Work, context: contextvars.Context | None = None) -> None:
        """Have a worker call a function, in a context, by default a copy of the caller's. It does not block.

        Raises:
            RuntimeError: the host has no thread left.
        """
        context = context or contextvars.copy_context()
        with self._lock:
            self._work.append((context, work))
            needed = self._workers - self._busy < len(self._work) and self._workers < WORKERS
            self._workers += needed
        if needed:
            try:
                threading.Thread(target=self._serve, name="winsock2emu-pool", daemon=True).start()
            except RuntimeError:
                with self._lock:
                    self._workers -= 1
                    if not self._workers:
                        self._work.clear()
                        raise

    def _serve(self) -> None:
        while True:
            with self._lock:
                if not self._work:
                    self._workers -= 1
                    return
                context, work = self._work.popleft()
                self._busy += 1
            try:
                context.run(_guarded, work)
            finally:
                with self._lock:
                    self._busy -= 1

    def register(self, registration: RegisteredWait) -> None:
        """Begin to watch an object."""
        with self._lock:
            for watcher in self._watchers:
                if watcher.take(registration):
                    return
            watcher = _WaitThread(self, registration)
            self._watchers.append(watcher)
        try:
            threading.Thread(target=watcher.run, args=(self._home,), name="winsock2emu-waits", daemon=True).start()
        except RuntimeError:
            with self._lock:
                self._watchers.remove(watcher)
            raise

    def ended(self, watcher: _WaitThread) -> bool:
        """A wait thread has nothing to watch: it ends unless something has come in meanwhile."""
        with self._lock:
            if watcher.registrations:
                return False
            self._watchers.remove(watcher)
            return True

    def after_fork(self) -> None:
        """In the child: the threads are the parent's, and so is their work."""
        self._lock = threading.Lock()
        self._work.clear()
        self._workers = self._busy = 0
        self._watchers.clear()


def _guarded(work: Work) -> None:
    """Call a function of the program; what it raises is reported as for any thread, and the pool goes on."""
    try:
        work()
    except SystemExit:
        return  # ExitThread: what is left of a worker is its next piece of work
    except BaseException as failure:
        threading.excepthook(
            threading.ExceptHookArgs((type(failure), failure, failure.__traceback__, threading.current_thread()))
        )


class RegisteredWait:
    """A wait that calls a function when it ends.

    Args:
        thing: what is waited for.
        routine: called with True when the time has run out, False when the object was signalled.
        timeout_s: None for no limit; it starts anew with every wait.
        once: only the first end counts.
        inline: the wait thread itself calls the function, which should be short then.
    """

    def __init__(
        self,
        thing: Waitable,
        routine: Callable[[bool], Any],
        timeout_s: float | None,
        *,
        once: bool,
        inline: bool,
    ) -> None:
        self.thing = thing
        self.deadline: float | None = None
        self.armed = False
        self.inline = inline
        self.context = contextvars.copy_context()
        self.watcher: _WaitThread | None = None
        self._routine = routine
        self._timeout_s = timeout_s
        self.once = once
        self._lock = threading.Condition()
        self._cancelled = False
        self._running: int | None = None  # the thread that calls the function
        self._due = 0  # ends whose function has not returned
        self._done: Event | None = None
        self.arm()

    def arm(self) -> None:
        """A wait begins."""
        self.deadline = None if self._timeout_s is None else time.monotonic() + self._timeout_s
        self.armed = True

    def over(self) -> bool:
        """The wait has ended: False when nobody is interested any more."""
        with self._lock:
            self.armed = False
            if self._cancelled:
                return False
            self._due += 1
            return True

    def call(self, timed_out: bool) -> None:
        """Call the function, and watch again if that is wanted."""
        with self._lock:
            self._running = threading.get_ident()
            wanted = not self._cancelled
        try:
            if wanted:
                self.context.copy().run(_guarded, lambda: self._routine(timed_out))
        finally:
            with self._lock:
                self._running = None
                self._due -= 1
                again = not self._cancelled and not self.once
                done = self._done if not self._due else None
                if again:
                    self.arm()
                self._lock.notify_all()
            if again and self.watcher is not None:
                self.watcher.look()
            if done is not None:
                done.set()

    def cancel(self, done: Event | None, block: bool) -> bool:
        """Watch no longer; True when the function runs or is about to, whose return is told by ``done``.

        Args:
            done: set when no call is left, at once if there is none.
            block: return after that; a call that is to be made before it has begun is not made.
        """
        with self._lock:
            self._cancelled = True
            self.armed = False
            self._done = done
            if block and self._running != threading.get_ident():
                while self._due:
                    self._lock.wait()
            pending = self._due > 0
        if self.watcher is not None:
            self.watcher.drop(self)
        if done is not None and not pending:
            done.set()
        return pending


class _WaitThread:
    """A thread that watches several registered waits."""

    def __init__(self, pool: ThreadPool, first: RegisteredWait) -> None:
        self.registrations: list[RegisteredWait] = [first]
        first.watcher = self
        self._pool = pool
        self._changed = Event(manual_reset=False)

    def take(self, registration: RegisteredWait) -> bool:
        """Watch one more, under the pool's lock; False when there is no room."""
        if len(self.registrations) >= _WATCHED:
            return False
        registration.watcher = self
        self.registrations.append(registration)
        self._changed.set()
        return True

    def drop(self, registration: RegisteredWait) -> None:
        """Watch one no longer."""
        if registration in self.registrations:
            self.registrations.remove(registration)
        self._changed.set()

    def look(self) -> None:
        """Some wait has begun anew."""
        self._changed.set()

    def run(self, home: Home) -> None:
        """Watch until nothing is left."""
        while self.registrations or not self._pool.ended(self):
            armed = [one for one in tuple(self.registrations) if one.armed]
            deadlines = [one.deadline for one in armed if one.deadline is not None]
            left = max(0.0, min(deadlines) - time.monotonic()) if deadlines else None
            status = wait((self._changed, *(one.thing for one in armed)), False, left, True, home)
            if 0 < status % 0x80 <= len(armed) and status != TIMED_OUT:
                self._end(armed[status % 0x80 - 1], False)
            now = time.monotonic()
            for one in armed:
                if one.armed and one.deadline is not None and one.deadline <= now:
                    self._end(one, True)

    def _end(self, registration: RegisteredWait, timed_out: bool) -> None:
        if not registration.over():
            return
        if registration.once:
            self.drop(registration)
        if registration.inline:
            registration.call(timed_out)
        else:
            self._pool.submit(lambda: registration.call(timed_out), registration.context.copy())


class CallbackPort(Port):
    """A port whose packets are handed to a function by the pool.

    Args:
        routine: called with the NTSTATUS, the bytes and the record.
    """

    __slots__ = ("_context", "_pool", "_routine")

    def __init__(self, pool: ThreadPool, routine: Callable[[int, int, Any], Any]) -> None:
        super().__init__(0)
        self._pool = pool
        self._routine = routine
        self._context = contextvars.copy_context()
        self.waiting = [self]  # type: ignore[list-item]  # what posts a packet sees that there is somebody to be told

    def deliver(self) -> None:
        """Hand all packets to the pool."""
        while True:
            try:
                _, overlapped, status, moved = self.packets.popleft()
            except IndexError:
                return
            work = self._work(status, moved, overlapped)
            self._pool.submit(work, self._context.copy())

    def _work(self, status: int, moved: int, overlapped: Any) -> Work:
        return lambda: self._routine(status, moved, overlapped)

    def forget_waiters(self) -> None:
        """In the child of a fork it goes on as before."""
