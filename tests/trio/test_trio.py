"""trio, unmodified, on the emulator: some of its own tests, in an interpreter of their own.

``make trio`` runs many more of them.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import pytest

from tests.cpython.run import surprises

from .exceptions import EXCEPTIONS
from .run import QUICK, outcomes

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not find_spec("trio"), reason="needs trio"),
    pytest.mark.skipif(not find_spec("cffi"), reason="trio needs cffi on Windows"),
    pytest.mark.skipif(os.name != "posix", reason="Windows has the original"),
]


def test_trios_own_tests_of_sockets_waits_and_threads_pass() -> None:
    """All that are not excepted; there are more of them on a host with IPv6."""
    results = outcomes(sys.executable, *QUICK)
    assert surprises(results, EXCEPTIONS) == []
    assert sum(outcome == "pass" for outcome in results.values()) >= 150
