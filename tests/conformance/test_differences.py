"""Reasons why referees differ: which one a case has, and what it makes of a result."""

from __future__ import annotations

import pytest

from conformance import differences, report, targets
from conformance.differences import Group, difference_of, group_of, judged
from conformance.model import Case, Outcome, Result, Row, case, documented_otherwise, lacks, observed_otherwise
from conformance.target import Target
from tests.conformance.madeup import declare


def holds(ws: Target) -> None:
    """It holds."""


MISSING, SEEN = lacks("has none"), observed_otherwise("startup-2x", "is seen to")
PLAIN = declare(holds, "rio.plain")
OWN = declare(holds, "rio.own", differs={"wine": SEEN})
OTHER = declare(holds, "other.plain", gap="not written")
FAIL, PASS = Result(outcome=Outcome.FAIL, expected="1", actual="2"), Result(outcome=Outcome.PASS)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = (Group("wine", MISSING, "rio.*", "other.[ab]*"), Group("wine", lacks("too late"), "rio.plain"))
    monkeypatch.setattr(differences, "GROUPS", groups)


@pytest.mark.usefixtures("table")
def test_a_case_s_own_reason_comes_first_then_the_first_group() -> None:
    assert difference_of(OWN, "wine") is SEEN
    assert difference_of(PLAIN, "wine") is MISSING
    assert difference_of(OTHER, "wine") is None
    assert difference_of(PLAIN, "windows") is None
    assert (group_of(OWN, "wine"), group_of(PLAIN, "wine")) == (None, differences.GROUPS[0])


@pytest.mark.usefixtures("table")
def test_ours_have_gaps_and_no_reasons() -> None:
    assert difference_of(PLAIN, "emulator") is None
    assert judged(OTHER, "emulator", FAIL).outcome is Outcome.GAP
    assert judged(OTHER, "wine", FAIL) == FAIL  # a gap is ours
    with pytest.raises(ValueError, match="referees"):
        declare(holds, "a.b", differs={"api": MISSING})
    with pytest.raises(ValueError, match="differs="):
        declare(holds, "a.b", gap={"wine": "has none"})
    with pytest.raises(ValueError, match="referee"):
        Group("emulator", MISSING, "a.*")
    with pytest.raises(ValueError, match="patterns"):
        Group("wine", MISSING)


def test_a_failure_with_a_reason_is_an_outcome_of_its_own_that_keeps_what_came_out() -> None:
    result = judged(OWN, "wine", FAIL)
    assert (result.outcome, result.difference) == (Outcome.DIFFERS, SEEN)
    assert (result.expected, result.actual) == ("1", "2")
    assert judged(OWN, "wine", PASS).outcome is Outcome.PASS
    assert judged(OWN, "wine", Result(outcome=Outcome.ERROR)).outcome is Outcome.ERROR


def test_a_row_has_a_reason_of_its_own_instead_of_the_case_s() -> None:
    made: tuple[Case, ...] = case(
        "table.{row}.works",
        chapter="C",
        source="page",
        basis="documented",
        differs={"wine": MISSING, "windows": SEEN},
        rows={"one": Row(1), "two": Row(2, differs={"wine": SEEN})},
    )(lambda_with_claim)
    assert [one.differs["wine"] for one in made] == [MISSING, SEEN]
    assert [one.differs["windows"] for one in made] == [SEEN, SEEN]


def lambda_with_claim(ws: Target, number: int) -> None:
    """Each row."""


@pytest.mark.parametrize("make", [lacks, documented_otherwise, lambda why: observed_otherwise("startup-2x", why)])
def test_a_reason_is_told_in_words(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="words"):
        make("  ")


def test_targets_and_behaviours_of_reasons_have_to_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = observed_otherwise("no-such-behaviour", "why")
    monkeypatch.setattr(differences, "GROUPS", (Group("wien", wrong, "rio.*", "no.such.*"),))
    made = declare(holds, "rio.wrong", differs={"wine": wrong, "plan9": MISSING})
    found = differences.problems([made, PLAIN], report.known_behaviours(), targets.MODULES)
    assert sum("no behaviour no-such-behaviour" in one for one in found) == 2
    assert any("plan9" in one for one in found)
    assert any("wien" in one for one in found)
    assert len(found) == 4
    assert differences.patterns_without_a_case([PLAIN]) == ["differences.py: no case matches 'no.such.*'"]


def test_a_reason_as_text() -> None:
    assert str(SEEN) == "Windows observed otherwise (startup-2x): is seen to"
    assert str(MISSING) == "lacks it: has none"
