"""Threads for tests: started, watched and ended within a bound, never waited for by a fixed delay."""

from __future__ import annotations

import dis
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any, NoReturn

import pytest

# A bound, not a delay: it is reached only by a test that fails. Machines that run tests are slow and busy.
LIMIT_S = 20.0


class Call:
    """A function that runs in a thread of its own; its result or exception is fetched with a bound."""

    def __init__(self, function: Callable[..., Any], *args: Any) -> None:
        self._result: Any = None
        self._failure: BaseException | None = None
        self._function = function
        self._args = args
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._result = self._function(*self._args)
        except BaseException as failure:
            self._failure = failure

    @property
    def running(self) -> bool:
        """True until the function has ended."""
        return self.thread.is_alive()

    def failure(self) -> BaseException | None:
        """What the function raised; None when it returned."""
        self.thread.join(LIMIT_S)
        assert not self.running, "the thread is still blocked"
        return self._failure

    def result(self) -> Any:
        """What the function returned; raises what it raised."""
        failure = self.failure()
        if failure is not None:
            raise failure
        return self._result


def until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a state that announces itself by no event, such as a thread having queued its request."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.001)


def descriptors() -> set[int]:
    """The open descriptors of this process."""
    folder = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"
    found = set()
    for name in os.listdir(folder):
        try:
            os.fstat(int(name))
        except OSError:
            continue  # the one that listed the folder
        found.add(int(name))
    return found


class Interrupt(BaseException):
    """What a test's signal handler raises, as Ctrl+C raises KeyboardInterrupt."""


def interrupt_main_thread_when(condition: Callable[[], Any]) -> Call:
    """Send SIGINT to the main thread as soon as a condition holds."""
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("only the main thread gets signals")
    main = threading.main_thread().ident
    assert main is not None

    def send() -> None:
        until(condition, "the main thread reached its wait")
        signal.pthread_kill(main, signal.SIGINT)

    return Call(send)


# CPython runs signal handlers when a function begins, after a call, and when a loop jumps back; in between never.
_LOOKS_FOR_SIGNALS = re.compile("CALL(_KW|_FUNCTION_EX)?|JUMP_BACKWARD")


@contextmanager
def interrupted_at_step(step: int, codes: Collection[CodeType]) -> Iterator[list[str]]:
    """Raise `Interrupt` in some functions as a signal handler does that runs at one of their opportunities.

    Args:
        step: which one, counted from 0 in the order they come up in this thread.
        codes: the functions.

    Yields:
        A list that stays empty when the functions are done before; otherwise it gets the place.
    """
    struck: list[str] = []
    last: dict[FrameType, int] = {}
    left = step

    def strike(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        if frame.f_code not in codes or struck:
            return None
        frame.f_trace_opcodes = True
        before = last.get(frame)
        if event == "opcode":
            last[frame] = frame.f_code.co_code[frame.f_lasti]
        if event == "call" or (before is not None and _LOOKS_FOR_SIGNALS.fullmatch(dis.opname[before])):
            if left == 0:
                struck.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
                last.clear()
                raise Interrupt
            left -= 1
        return strike

    outer = sys.gettrace()
    sys.settrace(strike)
    try:
        yield struck
    finally:
        sys.settrace(outer)
        last.clear()


def codes_of(*owners: Any) -> set[CodeType]:
    """The code of functions, and of all functions of classes."""
    found = set()
    for owner in owners:
        members = vars(owner).values() if isinstance(owner, type) else (owner,)
        for member in members:
            function = member.fget if isinstance(member, property) else member
            code = getattr(function, "__code__", None)
            if code is not None:
                found.add(code)
    return found


def unreachable(*args: Any) -> NoReturn:
    """For a function that must not be called."""
    raise AssertionError(f"called with {args}")
