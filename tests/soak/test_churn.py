"""The soak, short enough for every run of the tests; ``make soak`` takes two minutes."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

import pytest

from winsock2emu.engine.pump import BACKENDS

from .churn import soak

CONNECTIONS = 1000
SECONDS = float(os.environ.get("WINSOCK2EMU_SOAK_SECONDS", "5"))
DESCRIPTORS = 2 * CONNECTIONS + 200


@pytest.fixture(autouse=True)
def room() -> Iterator[None]:
    """Enough descriptors for both ends of all connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < DESCRIPTORS:
        pytest.skip("the host allows too few open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, DESCRIPTORS), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("backend", sorted({"poll", *BACKENDS} - {"select"}))
def test_every_request_completes_once_whatever_is_cancelled_reset_and_closed(backend: str) -> None:
    counts = soak(connections=CONNECTIONS, seconds=SECONDS, backend=backend, seed=7)

    assert counts["completed"] == counts["at once"] + counts["pended"]
    for what in ("echoes", "cancelled", "reset", "closed", "connections"):
        assert counts[what], counts
