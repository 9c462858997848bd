"""Fixtures that every folder of tests may use."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import reference as reference_data


@pytest.fixture
def reference() -> Callable[[str], Path]:
    """Finds a file of the reference folder by name; see ``tests.reference``."""
    return reference_data.reference


def pytest_configure() -> None:
    """Ctrl-C is what it is in a terminal: a shell that starts the tests in the background has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Keep what importing has built out of later collections: the leak checks collect twice a test."""
    gc.collect()
    gc.freeze()
