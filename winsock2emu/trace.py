"""The tracing seam: one hook, None when off.

Part played:     what a debug build of the DLL offers, seen from the calls that cross the API.
Lives here:      the hook, the event it gets, and the replacement of exported functions that feeds it.
Lives elsewhere: which functions are exports (errors.exported); how a program switches tracing on (cli/run).
Cost:            tracing replaces the exported functions in their modules, so an untraced call pays nothing at all.
Limits:          a function that somebody bound with ``from winsock2emu.ws2_32 import recv`` before `start` stays
                 untraced.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any, TextIO

import attrs

from .errors import EXPORTED, WinsockError, get_last_error


@attrs.frozen
class TraceEvent:
    """One call that crossed a layer, told when it ended."""

    layer: str  # "api" for an exported function, "unwritten" for an export that has no behaviour yet
    call: str  # the exported name
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    result: Any  # None when the call failed
    error: int  # the Winsock code of the failure, 0 on success
    last_error: int  # the calling thread's last error after the call
    thread: int
    ns: int  # duration


Hook = Callable[[TraceEvent], None]

hook: Hook | None = None
_replaced: list[tuple[ModuleType, str, Callable[..., Any], Callable[..., Any]]] = []


def _traced(name: str, call: Callable[..., Any], tell: Hook) -> Callable[..., Any]:
    @wraps(call)
    def traced(*args: Any, **kwargs: Any) -> Any:
        began = time.perf_counter_ns()
        result, error = None, 0
        try:
            result = call(*args, **kwargs)
            return result
        except WinsockError as failure:
            error = failure.winerror
            raise
        finally:
            elapsed = time.perf_counter_ns() - began
            event = TraceEvent(
                "api", name, args, kwargs, result, error, get_last_error(), threading.get_ident(), elapsed
            )
            tell(event)

    return traced


def start(tell: Hook) -> None:
    """Send every call of an exported function to ``tell``; a second `start` replaces the hook of the first."""
    global hook  # noqa: PLW0603 - the seam is one per interpreter
    stop()
    hook = tell
    for (module_name, name), call in tuple(EXPORTED.items()):  # another thread may be importing a chapter
        # A chapter's functions also stand in their package, from where faces and programs take them.
        for where in (module_name, module_name.rpartition(".")[0]):
            module = sys.modules.get(where)
            if module is not None and module.__dict__.get(name) is call:
                traced = _traced(name, call, tell)
                setattr(module, name, traced)
                _replaced.append((module, name, call, traced))


def stop() -> None:
    """Put the untraced functions back, except where somebody has replaced a traced one since then."""
    global hook  # noqa: PLW0603 - the seam is one per interpreter
    hook = None
    while _replaced:
        module, name, call, traced = _replaced.pop()
        if module.__dict__.get(name) is traced:
            setattr(module, name, call)


def emit_unwritten(dll: str, name: str) -> None:
    """Tell the hook that a program called an export that has no behaviour yet."""
    if hook is not None:
        hook(
            TraceEvent(
                "unwritten",
                f"{dll}.{name}",
                (),
                {},
                None,
                get_last_error(),
                get_last_error(),
                threading.get_ident(),
                0,
            )
        )


def shorten(value: Any, limit: int = 60) -> str:
    """A value for people: long buffers and texts are cut, with their length."""
    if isinstance(value, memoryview | bytearray):
        value = bytes(value[: limit // 2]) if len(value) <= limit // 2 else f"<{len(value)} bytes>"
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def printer(stream: TextIO) -> Hook:
    """A hook that writes one line per call: thread, call, arguments, result or error, last error, microseconds."""

    def tell(event: TraceEvent) -> None:
        args = ", ".join([shorten(arg) for arg in event.args] + [f"{k}={shorten(v)}" for k, v in event.kwargs.items()])
        if event.layer == "unwritten":
            line = f"{event.call}: not written yet, fails with {event.error}"
        elif event.error:
            line = f"{event.call}({args}) failed: {event.error}"
        else:
            line = f"{event.call}({args}) = {shorten(event.result)}"
        stream.write(f"[{event.thread:x}] {line} (last error {event.last_error}) {event.ns / 1000:.1f} us\n")
        stream.flush()

    return tell
