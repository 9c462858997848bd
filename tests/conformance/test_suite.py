"""The whole suite in process: every case, on the C ABI and on the Python API.

An undeclared failure fails, and so does a difference from a record (`conformance/recorded`) that nobody has explained,
or whose reason is gone. One test is one chapter on one target, so that pytest-xdist can spread them.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from conformance import differences, recorded, runner, targets
from conformance.agreement import Agreement
from conformance.model import Outcome
from conformance.report import Line, Referee, compared, described_together

SUITE = runner.collect()
CHAPTERS = list(dict.fromkeys(case.chapter for case in SUITE.cases))
RECORDS = [recorded.read(file) for file in sorted(recorded.FOLDER.glob("*.json"))]


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
    disagreeing = [*disagreements(lines)]
    assert not disagreeing, "\n" + "\n".join(disagreeing)


def disagreements(lines: Iterable[Line]) -> Iterable[str]:
    """Return what the records say otherwise without a reason, or in spite of one."""
    for record in RECORDS:
        found = list(compared(lines, Referee(record.name, record.target, record.description, record)))
        for kind in (Agreement.UNEXPLAINED, Agreement.STALE):
            for case, told in described_together(one for one in found if one.kind is kind):
                yield f"{kind.value}: {case.id}: {told}"


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_every_group_of_reasons_explains_something(record: recorded.Recorded) -> None:
    """Told from the record alone: a group none of whose cases came out other than the case says is of no use."""
    answers = [(case, record.result(case)) for case in SUITE.cases]  # None: not recorded as it is now
    for group in differences.GROUPS:
        if group.target == record.target:
            its = [answer for case, answer in answers if differences.group_of(case, record.target) is group]
            differing = (Outcome.DIFFERS, Outcome.VARIANT)
            assert None in its or any(answer and answer.outcome in differing for answer in its), group.patterns
