"""The whole suite in process: every case, on the C ABI and on the Python API. An undeclared failure fails.

One test is one chapter on one target, so that pytest-xdist can spread them.
"""

from __future__ import annotations

import pytest

from conformance import runner, targets
from conformance.model import Outcome
from conformance.report import Line

SUITE = runner.collect()
CHAPTERS = list(dict.fromkeys(case.chapter for case in SUITE.cases))


def told(line: Line, target: str) -> str:
    """Return a failure for pytest's report."""
    result = line.results[target]
    steps = "".join(f"\n    {step}" for step in result.steps[-8:])
    return f"{line.case.id}: {result.outcome.value}: {result.reason}{steps}"


def test_every_module_of_cases_is_in_order() -> None:
    assert SUITE.problems == []
    assert SUITE.cases


@pytest.mark.parametrize("chapter", CHAPTERS)
@pytest.mark.parametrize("target", ["emulator", "api"])
def test_chapter(target: str, chapter: str) -> None:
    cases = [case for case in SUITE.cases if case.chapter == chapter]
    lines = runner.run(cases, [targets.make(target)])
    bad = [line for line in lines if line.results[target].outcome in (Outcome.FAIL, Outcome.ERROR)]
    assert not bad, "\n" + "\n".join(told(line, target) for line in bad)
    closed = [line.case.id for line in lines if line.results[target].gap_closed]
    assert not closed, f"declared gaps that pass: {', '.join(closed)}"
