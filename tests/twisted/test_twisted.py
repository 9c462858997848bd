"""Twisted, unmodified, on the emulator: some of its own tests on each of its reactors for Windows, and a program.

``make twisted`` runs many more of its tests. Each test here runs in an interpreter of its own, which has the reactor
and the masks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import Final

import pytest

from tests.cpython.run import surprises

from .exceptions import EXCEPTIONS
from .run import CHECKOUT, QUICK, outcomes

PATIENCE_S: Final = 110

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not find_spec("twisted"), reason="needs Twisted"),
    pytest.mark.skipif(not find_spec("hamcrest"), reason="Twisted's tests need pyhamcrest"),
    pytest.mark.skipif(os.name != "posix", reason="Windows has the original"),
]


@pytest.mark.parametrize(("reactor", "at_least"), [("iocp", 150), ("select", 200), ("win32", 200)])
def test_twisteds_own_tests_of_a_reactor_pass(reactor: str, at_least: int) -> None:
    """All that are not excepted; there are more of them on a host with IPv6."""
    results = outcomes(sys.executable, reactor, *QUICK)
    assert surprises(results, EXCEPTIONS) == []
    assert sum(outcome == "pass" for outcome in results.values()) >= at_least


def test_fifty_clients_of_an_echo_server_get_everything_back_and_leave_nothing() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"{__package__}.echo"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["echoed"] == [True] * 50
    assert not any(said["left"].values()), said["left"]
