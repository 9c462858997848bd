"""Fixtures for the engine: a reactor that is closed in the end, and endpoints on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engine.transports import End, HostEnd, MadeUpEnd
from winsock2emu.defs.codes import WSAEINTR
from winsock2emu.engine.pump import BACKENDS, Pump


@pytest.fixture
def pump() -> Iterator[Pump]:
    """A reactor on the host's best mechanism."""
    pump = Pump()
    yield pump
    pump.close()


@pytest.fixture(params=sorted(BACKENDS))
def any_pump(request: pytest.FixtureRequest) -> Iterator[Pump]:
    """A reactor on each mechanism the host has."""
    pump = Pump(request.param)
    yield pump
    pump.close()


@pytest.fixture
def host_end(pump: Pump) -> Iterator[HostEnd]:
    """An endpoint over a host socket pair."""
    end = HostEnd(pump)
    yield end
    end.close(WSAEINTR)


@pytest.fixture(params=[HostEnd, MadeUpEnd], ids=["descriptor", "no descriptor"])
def end(request: pytest.FixtureRequest, pump: Pump) -> Iterator[End]:
    """An endpoint of each kind."""
    end: End = request.param(pump)
    yield end
    end.close(WSAEINTR)
