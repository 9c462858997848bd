"""The emulated process that the tests of this folder run in."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests.concurrency import Interrupt
from tests.loopback import started
from winsock2emu.process import Process


@pytest.fixture
def winsock() -> Iterator[Process]:
    """Started, current in this thread; the test leaves no socket, thread or descriptor behind."""
    with started() as process:
        yield process


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Ctrl+C raises `Interrupt` in the main thread."""

    def strike(number: int, frame: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGINT, strike)
    yield
    signal.signal(signal.SIGINT, before)
