"""The emulated process that the tests of this folder run in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.loopback import started
from winsock2emu.process import Process


@pytest.fixture
def winsock() -> Iterator[Process]:
    """Started, current in this thread; the test leaves no socket, thread or descriptor behind."""
    with started() as process:
        yield process
