"""The thread pool: work items, registered waits, completions that call a function."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.concurrency import until
from tests.loopback import code_of
from winsock2emu import kernel32
from winsock2emu.defs.codes import ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_IO_PENDING
from winsock2emu.defs.constants import (
    FILE_FLAG_OVERLAPPED,
    INFINITE,
    WAIT_OBJECT_0,
    WAIT_TIMEOUT,
    WT_EXECUTEINWAITTHREAD,
    WT_EXECUTEONLYONCE,
)
from winsock2emu.defs.winbase import CREATE_ALWAYS, GENERIC_READ, GENERIC_WRITE
from winsock2emu.kernel32.ports import INVALID_HANDLE_VALUE
from winsock2emu.process import Process, current_process

LONG_MS = 20_000
PATIENCE_S = 10


def pool_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name in ("winsock2emu-pool", "winsock2emu-waits")]


@pytest.fixture(autouse=True)
def idle(process: Process) -> Iterator[None]:
    """The pool has no thread left when a test has taken back what it gave."""
    yield
    until(lambda: not pool_threads(), "the pool is idle")


class Calls:
    """A callback that notes its calls, and stays inside while it is told to."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.threads: list[str] = []
        self.inside = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.process: Process | None = None

    def __call__(self, *what: Any) -> None:
        self.process = current_process()
        self.threads.append(threading.current_thread().name)
        self.inside.set()
        assert self.go_on.wait(PATIENCE_S)
        self.seen.append(what[0] if len(what) == 1 else what)

    def wait_for(self, count: int) -> None:
        until(lambda: len(self.seen) >= count, f"{count} calls")


# Work items


def test_work_runs_in_another_thread_of_the_same_process(process: Process) -> None:
    calls = Calls()
    kernel32.QueueUserWorkItem(calls, 42)
    calls.wait_for(1)
    assert (calls.seen, calls.process) == ([42], process)
    assert calls.threads == ["winsock2emu-pool"]


def test_work_that_blocks_does_not_hold_up_other_work() -> None:
    slow, quick = Calls(), Calls()
    slow.go_on.clear()
    for _ in range(4):
        kernel32.QueueUserWorkItem(slow, None)
    kernel32.QueueUserWorkItem(quick, 1)
    quick.wait_for(1)
    assert slow.seen == []
    slow.go_on.set()
    slow.wait_for(4)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_work_that_raises_is_reported_and_the_pool_goes_on() -> None:
    calls = Calls()

    def fail(_: Any) -> None:
        raise ValueError("of the program")

    kernel32.QueueUserWorkItem(fail, None)
    kernel32.QueueUserWorkItem(calls, 1)
    calls.wait_for(1)


# Registered waits


@pytest.mark.parametrize("flags", [0, WT_EXECUTEINWAITTHREAD])
def test_a_signalled_object_calls_once_each_time(flags: int) -> None:
    """An auto-reset event is consumed by each wait; the last argument tells that no time ran out."""
    event, calls = kernel32.CreateEvent(None, False, True), Calls()
    wait = kernel32.RegisterWaitForSingleObject(event, calls, "context", INFINITE, flags)
    calls.wait_for(1)
    kernel32.SetEvent(event)
    calls.wait_for(2)
    kernel32.UnregisterWaitEx(wait, INVALID_HANDLE_VALUE)
    kernel32.SetEvent(event)

    assert calls.seen == [("context", False)] * 2
    assert set(calls.threads) == {"winsock2emu-waits" if flags else "winsock2emu-pool"}
    assert kernel32.WaitForSingleObject(event, 0) == WAIT_OBJECT_0
    kernel32.CloseHandle(event)


def test_only_once_leaves_the_next_signal_alone() -> None:
    event, calls = kernel32.CreateEvent(None, False, True), Calls()
    wait = kernel32.RegisterWaitForSingleObject(event, calls, None, INFINITE, WT_EXECUTEONLYONCE)
    calls.wait_for(1)
    until(lambda: not pool_threads(), "the pool is idle")
    kernel32.SetEvent(event)
    assert kernel32.WaitForSingleObject(event, 0) == WAIT_OBJECT_0
    kernel32.UnregisterWait(wait)
    assert code_of(kernel32.UnregisterWait, wait) == ERROR_INVALID_HANDLE
    kernel32.CloseHandle(event)


def test_a_timeout_calls_again_and_again() -> None:
    event, calls = kernel32.CreateEvent(None, True, False), Calls()
    wait = kernel32.RegisterWaitForSingleObject(event, calls, None, 1)
    calls.wait_for(3)
    kernel32.UnregisterWaitEx(wait, INVALID_HANDLE_VALUE)
    assert set(calls.seen) == {(None, True)}
    kernel32.CloseHandle(event)


def test_unregistering_while_the_callback_runs() -> None:
    """It is unregistered all the same; the event tells when the callback has returned."""
    event, done = kernel32.CreateEvent(None, True, True), kernel32.CreateEvent(None, True, False)
    for completion in (None, done):
        calls = Calls()
        calls.go_on.clear()
        wait = kernel32.RegisterWaitForSingleObject(event, calls, None, INFINITE)
        assert calls.inside.wait(PATIENCE_S)
        assert code_of(kernel32.UnregisterWaitEx, wait, completion) == ERROR_IO_PENDING
        assert kernel32.WaitForSingleObject(done, 0) == WAIT_TIMEOUT
        calls.go_on.set()
        calls.wait_for(1)
    assert kernel32.WaitForSingleObject(done, LONG_MS) == WAIT_OBJECT_0
    for handle in (event, done):
        kernel32.CloseHandle(handle)


def test_unregistering_may_wait_for_the_callback() -> None:
    event, calls = kernel32.CreateEvent(None, True, True), Calls()
    calls.go_on.clear()
    wait = kernel32.RegisterWaitForSingleObject(event, calls, None, INFINITE)
    assert calls.inside.wait(PATIENCE_S)
    threading.Timer(0.02, calls.go_on.set).start()
    kernel32.UnregisterWaitEx(wait, INVALID_HANDLE_VALUE)
    assert calls.seen == [(None, False)]
    kernel32.CloseHandle(event)


def test_a_callback_may_unregister_its_own_wait() -> None:
    event, codes, told = kernel32.CreateEvent(None, True, True), list[int](), threading.Event()
    known = threading.Event()
    waits: list[int] = []

    def callback(_: Any, timed_out: bool) -> None:
        assert known.wait(PATIENCE_S)
        codes.append(code_of(kernel32.UnregisterWait, waits[0]))
        told.set()

    waits.append(kernel32.RegisterWaitForSingleObject(event, callback, None, INFINITE))
    known.set()
    assert told.wait(PATIENCE_S)
    assert codes == [ERROR_IO_PENDING]
    kernel32.CloseHandle(event)


def test_an_event_is_set_at_once_when_no_callback_runs() -> None:
    event, done = (kernel32.CreateEvent(None, True, False) for _ in range(2))
    wait = kernel32.RegisterWaitForSingleObject(event, Calls(), None, INFINITE)
    kernel32.UnregisterWaitEx(wait, done)
    assert kernel32.WaitForSingleObject(done, 0) == WAIT_OBJECT_0
    for handle in (event, done):
        kernel32.CloseHandle(handle)


def test_more_waits_than_one_thread_can_watch() -> None:
    """Each of 130 fires when its own event is set."""
    events = [kernel32.CreateEvent(None, False, False) for _ in range(130)]
    calls = Calls()
    waits = [
        kernel32.RegisterWaitForSingleObject(event, calls, number, INFINITE) for number, event in enumerate(events)
    ]
    for event in events:
        kernel32.SetEvent(event)
    calls.wait_for(130)
    assert sorted(number for number, _ in calls.seen) == list(range(130))
    assert pool_threads().count("winsock2emu-waits") == 3
    for wait in waits:
        kernel32.UnregisterWaitEx(wait, INVALID_HANDLE_VALUE)
    for event in events:
        kernel32.CloseHandle(event)


def test_what_cannot_be_waited_for_or_unregistered() -> None:
    assert code_of(kernel32.RegisterWaitForSingleObject, 0x7FFFFFF0, Calls(), None, 0) == ERROR_INVALID_HANDLE
    event = kernel32.CreateEvent(None, True, False)
    for handle in (0, event, 0x7FFFFFF0):
        assert code_of(kernel32.UnregisterWait, handle) == ERROR_INVALID_HANDLE
    wait = kernel32.RegisterWaitForSingleObject(event, Calls(), None, INFINITE)
    assert code_of(kernel32.CloseHandle, wait) == ERROR_INVALID_HANDLE
    kernel32.UnregisterWaitEx(wait, INVALID_HANDLE_VALUE)
    kernel32.CloseHandle(event)


# Completions


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    name = str(tmp_path / "file")
    handle = kernel32.CreateFile(name, GENERIC_READ | GENERIC_WRITE, 0, None, CREATE_ALWAYS, FILE_FLAG_OVERLAPPED)
    yield handle
    kernel32.CloseHandle(handle)


def test_a_bound_file_has_its_function_called_by_the_pool(file: int) -> None:
    calls = Calls()
    kernel32.BindIoCompletionCallback(file, calls)
    first, second = kernel32.OVERLAPPED(), kernel32.OVERLAPPED(Offset=3)
    kernel32.WriteFile(file, b"abc", first)
    kernel32.WriteFile(file, b"defg", second)
    calls.wait_for(2)
    assert sorted(calls.seen, key=lambda call: int(call[1])) == [(0, 3, first), (0, 4, second)]
    assert set(calls.threads) == {"winsock2emu-pool"}


def test_a_file_is_bound_once_and_to_a_function(file: int, tmp_path: Path) -> None:
    assert code_of(kernel32.BindIoCompletionCallback, file, None) == ERROR_INVALID_PARAMETER
    kernel32.BindIoCompletionCallback(file, print)
    assert code_of(kernel32.BindIoCompletionCallback, file, print) == ERROR_INVALID_PARAMETER
    assert code_of(kernel32.BindIoCompletionCallback, 0x7FFFFFF0, print) == ERROR_INVALID_HANDLE
    name = str(tmp_path / "synchronous")
    synchronous = kernel32.CreateFile(name, GENERIC_WRITE, 0, None, CREATE_ALWAYS)
    assert code_of(kernel32.BindIoCompletionCallback, synchronous, print) == ERROR_INVALID_PARAMETER
    kernel32.CloseHandle(synchronous)
