"""Finalizers that close handles: at once, unless it is the garbage collector that calls them.

Part played:     what keeps Windows' own finalizers harmless: closing a handle there takes no lock of the interpreter's.
Lives here:      `finish`, which every ``__del__`` of these modules closes by.
Why:             the collector runs wherever an object is made, also in the middle of the engine, whose locks closing
                 takes as well. What it finds is closed by a thread of its own as soon as it is through.
Threads:         by ``_thread``, as the collector may have struck inside of `threading`, too.
At the end:      of the interpreter there is no such thread any more; the host closes what is left.
"""

from __future__ import annotations

import _thread
import contextlib
import gc
from collections import deque
from collections.abc import Callable
from threading import get_ident
from typing import Any, Final

_left: Final[deque[tuple[Callable[..., object], tuple[Any, ...]]]] = deque()
_collector = 0  # the thread that collects


def finish(closing: Callable[..., object], *arguments: Any) -> None:
    """Call a function for a finalizer, which may take locks: now, or when the collector is through."""
    if _collector == get_ident():
        _left.append((closing, arguments))
    else:
        closing(*arguments)


def _notice(phase: str, _: dict[str, int]) -> None:
    global _collector  # noqa: PLW0603  # there is one collector
    _collector = get_ident() if phase == "start" else 0
    if _left and not _collector:
        with contextlib.suppress(RuntimeError):  # the host has no thread left: after the next collection, then
            _thread.start_new_thread(_work_off, ())


def _work_off() -> None:
    try:
        while True:
            try:
                closing, arguments = _left.popleft()
            except IndexError:
                return
            closing(*arguments)
            del closing, arguments
    finally:
        if _left:  # this one has failed, which the interpreter reports
            _thread.start_new_thread(_work_off, ())


gc.callbacks.append(_notice)
