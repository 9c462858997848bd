"""Handles that nobody holds any more, found by the garbage collector in the middle of the engine."""

from __future__ import annotations

import contextlib
import gc
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.concurrency import until
from tests.loopback import started
from winsock2emu import kernel32
from winsock2emu.compat import iocpsupport, overlapped, pywintypes, socket
from winsock2emu.compat._finalizers import finish
from winsock2emu.kernel.objects import dispatcher
from winsock2emu.process import Process


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    with started() as process:
        yield process


@contextlib.contextmanager
def in_the_engine(process: Process) -> Iterator[None]:
    """The calling thread has the locks that closing a handle takes."""
    pump = process.engine
    with pump._lock, process.handles._lock, dispatcher:
        yield


def listening() -> tuple[Any, int]:
    thing: Any = socket.socket()
    thing.bind(("127.0.0.1", 0))
    thing.listen()
    return thing, thing.fileno()


def pending() -> tuple[Any, int]:
    """A request that pends on a socket, with an event of its own, in one."""
    s: Any = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    thing: Any = overlapped.Overlapped()
    thing.WSARecv(s.fileno(), 10)
    return [thing, s], thing.event


def handle() -> tuple[Any, int]:
    number = kernel32.CreateEvent(None, True, False, None)
    return pywintypes.HANDLE(number), number


def port() -> tuple[Any, int]:
    thing: Any = iocpsupport.CompletionPort()
    return thing, thing._port


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("make", [listening, pending, handle, port])
def test_a_handle_in_garbage_is_closed_whatever_the_collecting_thread_holds(
    process: Process, make: Callable[[], tuple[Any, int]]
) -> None:
    thing, number = make()
    cycle: list[Any] = [thing]
    cycle.append(cycle)
    assert number in process.objects
    del thing, cycle

    with in_the_engine(process):
        gc.collect()

    until(lambda: number not in process.objects, "it is closed")


@pytest.mark.parametrize("make", [listening, handle, port])
def test_a_handle_that_nobody_holds_is_closed_at_once(process: Process, make: Callable[[], tuple[Any, int]]) -> None:
    thing, number = make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        del thing
    assert number not in process.objects


class Garbage:
    """Calls a function when it goes; only the collector finds it."""

    def __init__(self, closing: Callable[[], object]) -> None:
        self.me = self
        self.closing = closing

    def __del__(self) -> None:
        finish(self.closing)


def test_a_finalizer_that_fails_is_reported_and_keeps_no_other_one_from_its_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reports: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", reports.append)
    closed: list[int] = []

    def fail() -> None:
        closed.append(0)
        raise ValueError("a finalizer has failed")

    for number in range(1, 6):
        Garbage(fail)
        Garbage(lambda number=number: closed.append(number))  # type: ignore[misc]
    gc.collect()

    until(lambda: len(closed) == 10 and len(reports) == 5, "all are through")
    assert sorted(closed) == [0] * 5 + [1, 2, 3, 4, 5]
