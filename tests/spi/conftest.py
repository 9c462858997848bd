"""A process whose only transport is the recording one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.targets.recording import RecordingProvider, recorder, row, started
from winsock2emu import ws2_32
from winsock2emu.defs.constants import AF_INET, SOCK_STREAM
from winsock2emu.process import Process


@pytest.fixture
def process() -> Iterator[Process]:
    """Started, current in this thread, with one row: the recording provider's stream protocol."""
    with started(row()) as process:
        yield process


@pytest.fixture
def provider(process: Process) -> RecordingProvider:
    """The recording provider, loaded."""
    return recorder(process)


@pytest.fixture
def s(provider: RecordingProvider) -> int:
    """A socket of the recording provider; the record starts after it."""
    made = ws2_32.socket(AF_INET, SOCK_STREAM, 0)
    provider.forget()
    return made
