"""Fresh interpreters: what is installed is installed for a whole process."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

from tests.cli import conftest

python = conftest.python


@pytest.fixture
def prints(python: conftest.Runner) -> Callable[[str], list[str]]:
    """Runs source in an interpreter of its own, warnings being errors; its output in lines."""

    def run(source: str) -> list[str]:
        outcome = python("-W", "error", "-c", textwrap.dedent(source))
        assert (outcome.status, outcome.stderr) == (0, "")
        return outcome.stdout.splitlines()

    return run
