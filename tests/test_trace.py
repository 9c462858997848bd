"""Tracing: what the hook gets, and that nothing of it stays when it is switched off."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import attrs
import pytest

from tests.concurrency import Call
from winsock2emu import errors, kernel32, trace, ws2_32
from winsock2emu.defs.codes import WSAEADDRINUSE, WSAEINVAL, WSAENOTSOCK, WSANOTINITIALISED
from winsock2emu.errors import WinsockError, exported, get_last_error, set_last_error
from winsock2emu.process import Process
from winsock2emu.trace import TraceEvent
from winsock2emu.ws2_32 import byteorder, lasterror, startup


@pytest.fixture(autouse=True)
def _switched_off() -> Iterator[None]:
    """No test leaves tracing switched on, and each starts without a last error."""
    set_last_error(0)
    yield
    trace.stop()


@pytest.fixture
def events() -> list[TraceEvent]:
    """What the hook has been told since the test began."""
    told: list[TraceEvent] = []
    trace.start(told.append)
    return told


@pytest.fixture
def chapter(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A made-up chapter of a made-up package, with an export that fails on demand and one that has options."""
    package, module = ModuleType("madeup"), ModuleType("madeup.chapter")
    source = """
def move(s, data, flags=0):
    if s < 0:
        raise WinsockError(-s)
    if not data:
        raise KeyboardInterrupt
    return len(data)

move = exported(move)
"""
    module.__dict__.update(exported=exported, WinsockError=WinsockError, KeyboardInterrupt=KeyboardInterrupt)
    monkeypatch.setattr(errors, "EXPORTED", {})
    monkeypatch.setattr(trace, "EXPORTED", errors.EXPORTED)
    exec(source, module.__dict__)
    package.move = module.move  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "madeup", package)
    monkeypatch.setitem(sys.modules, "madeup.chapter", module)
    return module


def test_a_call_is_told_when_it_ends_with_what_went_in_and_came_out(
    chapter: ModuleType, events: list[TraceEvent]
) -> None:
    """Positional and named arguments, a result, and the last error of an earlier call."""
    trace.start(events.append)
    set_last_error(WSAEADDRINUSE)

    assert chapter.move(5, b"abc", flags=1) == 3

    assert len(events) == 1
    assert attrs.asdict(attrs.evolve(events[0], ns=0)) == {
        "layer": "api",
        "call": "move",
        "args": (5, b"abc"),
        "kwargs": {"flags": 1},
        "result": 3,
        "error": 0,
        "last_error": WSAEADDRINUSE,
        "thread": threading.get_ident(),
        "ns": 0,
    }
    assert events[0].ns > 0


def test_a_failure_is_told_with_its_code_and_reaches_the_caller_unchanged(
    chapter: ModuleType, events: list[TraceEvent]
) -> None:
    """The call fails with WSAENOTSOCK, which is the thread's last error by the time the hook is called."""
    trace.start(events.append)

    with pytest.raises(WinsockError) as caught:
        chapter.move(-WSAENOTSOCK, b"abc")

    assert caught.value.winerror == WSAENOTSOCK
    assert [(event.result, event.error, event.last_error) for event in events] == [(None, WSAENOTSOCK, WSAENOTSOCK)]


def test_an_interrupted_call_is_told_and_stays_interrupted(chapter: ModuleType, events: list[TraceEvent]) -> None:
    """Ctrl+C is no failure of Winsock."""
    trace.start(events.append)

    with pytest.raises(KeyboardInterrupt):
        chapter.move(5, b"")

    assert [(event.call, event.result, event.error) for event in events] == [("move", None, 0)]


def test_calls_of_every_thread_are_told_with_its_identifier(chapter: ModuleType, events: list[TraceEvent]) -> None:
    """Two threads call the same export."""
    trace.start(events.append)

    calls = [Call(chapter.move, 5, data) for data in (b"a", b"bb")]
    assert [call.result() for call in calls] == [1, 2]

    assert {(event.thread, event.result) for event in events} == {
        (calls[0].thread.ident, 1),
        (calls[1].thread.ident, 2),
    }


def test_an_export_is_traced_in_its_package_as_well(chapter: ModuleType, events: list[TraceEvent]) -> None:
    """Programs and faces take a function from the package, not from the chapter's module."""
    trace.start(events.append)

    sys.modules["madeup"].move(5, b"abc")

    assert [event.call for event in events] == ["move"]


def test_the_real_chapters_are_traced_through_every_door(events: list[TraceEvent]) -> None:
    """Calls of ws2_32 and kernel32, through the packages and the modules."""
    ws2_32.htons(1)
    byteorder.htons(2)
    ws2_32.WSASetLastError(WSAEINVAL)
    kernel32.GetLastError()
    with Process().active(), pytest.raises(WinsockError):
        startup.WSACleanup()

    assert [(event.call, event.args, event.result, event.error) for event in events] == [
        ("htons", (1,), 256, 0),
        ("htons", (2,), 512, 0),
        ("WSASetLastError", (WSAEINVAL,), None, 0),
        ("GetLastError", (), WSAEINVAL, 0),
        ("WSACleanup", (), None, WSANOTINITIALISED),
    ]


def test_an_untraced_call_costs_nothing_because_the_very_functions_are_back() -> None:
    """The functions after tracing are the functions before it, in modules and packages."""
    before = [(ws2_32, "htons"), (byteorder, "htons"), (ws2_32, "WSAGetLastError"), (lasterror, "WSAGetLastError")]
    functions = [getattr(module, name) for module, name in before]

    trace.start(lambda event: None)
    during = [getattr(module, name) for module, name in before]
    trace.stop()

    assert all(traced is not function for traced, function in zip(during, functions, strict=True))
    assert [getattr(module, name) for module, name in before] == functions
    assert trace.hook is None


def test_every_export_is_restored() -> None:
    """Start and stop leave all modules of the package as they were."""
    before = {name: dict(vars(module)) for name, module in sys.modules.items() if name.startswith("winsock2emu.")}

    trace.start(lambda event: None)
    trace.stop()

    for name, names in before.items():
        if name != "winsock2emu.trace":
            changed = [key for key, value in names.items() if vars(sys.modules[name]).get(key) is not value]
            assert changed == []


def test_a_traced_function_keeps_its_name_and_its_text() -> None:
    """Help and the C ABI read both."""
    before = (ws2_32.htons.__name__, ws2_32.htons.__doc__)

    trace.start(lambda event: None)

    assert (ws2_32.htons.__name__, ws2_32.htons.__doc__) == before


def test_a_second_start_replaces_the_first_hook_and_one_stop_ends_both(chapter: ModuleType) -> None:
    """Nested tracing does not tell twice."""
    first: list[TraceEvent] = []
    second: list[TraceEvent] = []
    untraced = chapter.move

    trace.start(first.append)
    trace.start(second.append)
    chapter.move(5, b"a")
    trace.stop()
    chapter.move(5, b"b")
    trace.stop()

    assert first == []
    assert [event.args for event in second] == [(5, b"a")]
    assert chapter.move is untraced


@pytest.mark.parametrize("moment", ["before", "during"])
def test_a_function_that_somebody_else_has_replaced_is_left_alone(chapter: ModuleType, moment: str) -> None:
    """A test double was put where the export was, before tracing was switched on or while it was."""

    def double(*args: Any) -> str:
        return "double"

    if moment == "before":
        chapter.move = double  # type: ignore[attr-defined]
    trace.start(lambda event: None)
    if moment == "during":
        chapter.move = double  # type: ignore[attr-defined]
    assert chapter.move is double

    trace.stop()

    assert chapter.move is double


def test_the_hook_may_call_exports_itself_without_changing_what_the_program_sees(chapter: ModuleType) -> None:
    """A hook that asks for the last error is not told of its own calls for ever."""
    seen: list[tuple[str, int]] = []

    def hook(event: TraceEvent) -> None:
        seen.append((event.call, get_last_error()))

    trace.start(hook)
    with pytest.raises(WinsockError):
        chapter.move(-WSAEINVAL, b"a")

    assert seen == [("move", WSAEINVAL)]
    assert get_last_error() == WSAEINVAL


def test_an_unwritten_export_is_told_by_its_dll_and_name(events: list[TraceEvent]) -> None:
    """A program called something that has no behaviour yet; it has failed already."""
    set_last_error(10045)

    trace.emit_unwritten("mswsock", "TransmitFile")

    assert [(event.layer, event.call, event.result, event.error, event.last_error) for event in events] == [
        ("unwritten", "mswsock.TransmitFile", None, 10045, 10045)
    ]


def test_an_unwritten_export_is_nobodys_business_while_tracing_is_off(events: list[TraceEvent]) -> None:
    """The hook has been taken away."""
    trace.stop()

    trace.emit_unwritten("mswsock", "TransmitFile")

    assert events == []


def test_the_printer_writes_one_line_for_each_call(chapter: ModuleType) -> None:
    """A success with a long buffer, a failure, and an export that is not written yet."""
    stream = io.StringIO()
    trace.start(trace.printer(stream))

    chapter.move(5, bytearray(1000), flags=1)
    with pytest.raises(WinsockError):
        chapter.move(-WSAENOTSOCK, b"abc")
    trace.emit_unwritten("mswsock", "TransmitFile")

    success, failure, unwritten = stream.getvalue().splitlines()
    thread = f"[{threading.get_ident():x}] "
    assert success.startswith(f"{thread}move(5, '<1000 bytes>', flags=1) = 1000 (last error 0) ")
    assert failure.startswith(f"{thread}move(-10038, b'abc') failed: 10038 (last error 10038) ")
    assert unwritten.startswith(f"{thread}mswsock.TransmitFile: not written yet, fails with 10038 ")
    assert all(line.endswith(" us") for line in (success, failure, unwritten))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (b"abc", "b'abc'"),
        (memoryview(b"abc"), "b'abc'"),
        (bytearray(31), "'<31 bytes>'"),
        ("x" * 100, "'" + "x" * 56 + "..."),
    ],
    ids=["a number", "bytes", "a short buffer", "a long buffer", "a long text"],
)
def test_values_are_shortened_for_people(value: Any, text: str) -> None:
    """Buffers show their length, texts their beginning."""
    assert trace.shorten(value) == text
