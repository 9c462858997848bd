"""A second thread for a case: calls run there, in order, and the case waits for them with bounded time.

Part played:     ``with ws.thread() as other: pending = other.start(ws.recv, s, buffer)``.
Lives elsewhere: which thread of the machine a call runs on (machine: by the Python thread's name).
"""

from __future__ import annotations

import contextvars
import itertools
import queue
import threading
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from .verify import Mismatch

P = ParamSpec("P")
R = TypeVar("R")
#: Seconds after which a call in another thread counts as hung.
PATIENCE = 5.0
_numbers = itertools.count(1)


class Pending(Generic[R]):
    """A call that runs, or waits to run, in another thread."""

    def __init__(self, call: Callable[[], R], what: str) -> None:
        self._call = call
        self._what = what
        self._done = threading.Event()
        self._result: R
        self._error: BaseException | None = None

    def _run(self) -> None:
        try:
            self._result = self._call()
        except BaseException as error:  # whatever it is, it belongs to the thread that asks for the result
            self._error = error
        finally:
            self._done.set()

    def finished_within(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for the end of the call; return whether it has ended."""
        return self._done.wait(seconds)

    def result(self, within: float = PATIENCE) -> R:
        """Wait for the call and return its result, or raise what it raised.

        Raises:
            Mismatch: the call is still running after ``within`` seconds.
        """
        if not self._done.wait(within):
            raise Mismatch(self._what, expected=f"an end within {within:g} s", actual="still running")
        if self._error is not None:
            raise self._error
        return self._result


class Worker:
    """One extra thread. Calls given to it run one after the other."""

    def __init__(self) -> None:
        context = (
            contextvars.copy_context()
        )  # steps go to this case's record; the current emulated process stays the same
        self._calls: queue.SimpleQueue[Pending[object] | None] = queue.SimpleQueue()
        self.name = f"other-{next(_numbers)}"
        self._thread = threading.Thread(target=context.run, args=(self._serve,), name=self.name, daemon=True)

    def _serve(self) -> None:
        while (pending := self._calls.get()) is not None:
            pending._run()

    def start(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Pending[R]:
        """Begin a call in the other thread and return at once."""
        pending = Pending(lambda: call(*args, **kwargs), f"{getattr(call, '__name__', 'call')} in another thread")
        self._calls.put(pending)  # type: ignore[arg-type]  # Pending[R] is a Pending[object]: R only comes out
        return pending

    def call(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Make a call in the other thread and wait for it."""
        return self.start(call, *args, **kwargs).result()

    def __enter__(self) -> Worker:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._calls.put(None)
        self._thread.join(PATIENCE if kind is None else 0.5)
        if kind is None and self._thread.is_alive():
            raise Mismatch("another thread", expected="an end of its calls", actual="still running")
