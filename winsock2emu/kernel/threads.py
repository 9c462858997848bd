"""Thread objects: what a handle of a thread leads to.

Part played:     KTHREAD, as far as waits, APCs and exit codes go.
Lives here:      the object, and how a thread that Python or C has made gets one when it is first asked for.
Lives elsewhere: sleeping (kernel/waits), APCs (kernel/objects), CreateThread (kernel32).
Thread's end:    known for every thread that has ever waited: what only its thread-local data refers to goes with it.
"""

from __future__ import annotations

import ctypes
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from .objects import Waitable, alert, release, run_apcs
from .waits import Waiter, this_waiter

STILL_ACTIVE = 259
_FAILED = 1  # the exit code of a thread that an exception has ended


class ThreadExit(SystemExit):
    """Ends the thread that raises it, with an exit code; a thread of Python's own takes it for its end, too."""


class Thread(Waitable):
    """Signalled once the thread has ended.

    Attributes:
        identifier: the host's, 0 until the thread runs.
        exit_code: STILL_ACTIVE until the end.
        going: True until the thread has ended.
    """

    __slots__ = ("_apcs", "_resume", "_suspended", "_waiter", "exit_code", "going", "identifier", "requested")

    def __init__(self) -> None:
        super().__init__(signalled=False, keeps=True)
        self.identifier = 0
        self.exit_code = STILL_ACTIVE
        self.requested: int | None = None  # by ExitThread, whatever becomes of its exception
        self.going = True
        self._apcs: deque[tuple[Callable[..., Any], tuple[Any, ...]]] = deque()
        self._waiter: Waiter | None = None
        self._resume = threading.Event()
        self._suspended = 0

    def adopt(self, waiter: Waiter) -> None:
        """Stand for the calling thread."""
        self.identifier = threading.get_native_id() & 0xFFFFFFFF
        self._waiter = waiter
        self._apcs.extend(waiter.apcs)
        waiter.apcs = self._apcs
        waiter.owned.append(self)

    def start(self, routine: Callable[[Any], Any], parameter: Any, *, suspended: bool) -> None:
        """Make the thread; it has its identifier when this returns.

        Raises:
            RuntimeError: the host has no thread left.
        """
        known = threading.Event()
        if suspended:
            self._suspended = 1
        else:
            self._resume.set()

        def run() -> None:
            self.adopt(this_waiter())
            known.set()
            self._resume.wait()
            code = _FAILED
            try:
                if self.requested is not None:
                    return  # terminated before it has begun
                run_apcs(this_waiter())  # those queued before a thread begins run first
                code = int(routine(parameter) or 0)
            except ThreadExit as end:
                code = int(end.code or 0)
            finally:
                self.finish(code)

        threading.Thread(target=run, name="winsock2emu-thread", daemon=True).start()
        known.wait()

    def resume(self) -> int:
        """Undo a suspension; returns how many there were."""
        before = self._suspended
        if before:
            self._suspended = before - 1
            if before == 1:
                self._resume.set()
        return before

    def queue_apc(self, routine: Callable[..., Any], *args: Any) -> bool:
        """Have it call a function in its next alertable wait; False when it has ended."""
        if not self.going:
            return False
        self._apcs.append((routine, args))
        waiter = self._waiter
        if waiter is not None:
            alert(waiter)
        return True

    def interrupt(self, error: int) -> bool:
        """End the blocking call of a socket that it is in; False when it is in none."""
        waiter = self._waiter
        request = None if waiter is None else waiter.blocked
        lane = None if request is None else request.keeper
        if waiter is None or lane is None:
            return False
        lane.interrupt((waiter.thread,), error)
        return True

    def terminate(self, code: int) -> bool:
        """Have it end from outside: it is unwound as soon as it runs Python code. False when that cannot be done."""
        if not self.going:
            return False
        if self._suspended:
            self.requested = code
            self._suspended = 0
            self._resume.set()
            return True
        waiter = self._waiter
        raise_in = getattr(getattr(ctypes, "pythonapi", None), "PyThreadState_SetAsyncExc", None)
        if waiter is None or raise_in is None or waiter.thread == threading.main_thread().ident:
            return False
        self.requested = code
        raise_in(ctypes.c_ulong(waiter.thread), ctypes.py_object(ThreadExit))
        waiter.wake()
        return True

    def finish(self, code: int) -> None:
        """The thread is at its end; the first code counts."""
        if not self.going:
            return
        self.going = False
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            for thing in tuple(waiter.owned):
                if thing is not self:
                    thing.thread_ended(waiter)
            waiter.owned.clear()
        self.exit_code = (code if self.requested is None else self.requested) & 0xFFFFFFFF
        self.signalled = True
        if self.waiters is not None:
            release(self)

    def thread_ended(self, waiter: Waiter) -> None:
        """A thread that somebody else has made is gone."""
        self.finish(0)

    def forget_waiters(self) -> None:
        """In the child of a fork only the forking thread lives on, with an object that it gets anew."""
        super().forget_waiters()
        self.going = False
        self._waiter = None
        self.signalled = True


def this_thread() -> Thread:
    """The object of the calling thread."""
    waiter = this_waiter()
    for thing in waiter.owned:
        if type(thing) is Thread:
            return thing
    thread = Thread()
    thread.adopt(waiter)
    return thread


class CurrentProcess(Waitable):
    """What the pseudo handle of the process leads to: it has not ended."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(signalled=False, keeps=True)
