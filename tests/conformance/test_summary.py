"""The Markdown summary and the badge."""

from __future__ import annotations

from conformance import summary
from conformance.compare import Change
from conformance.model import Outcome, Result
from conformance.recorded import Recorded
from conformance.report import Line, Report
from conformance.target import Target
from tests.conformance.madeup import MadeUp, declare


def holds(ws: Target) -> None:
    """It holds."""


def run(*outcomes: Outcome, **fields: object) -> Report:
    """A run of one case per outcome, on ``emulator``."""
    lines = [
        Line(
            declare(holds, f"one.n{n}", requirements=["R7.3"]),
            {"emulator": Result(outcome=one, reason="a|b <c>\nmore")},
        )
        for n, one in enumerate(outcomes)
    ]
    return Report([MadeUp()], lines, **fields)  # type: ignore[arg-type]


def test_a_good_run_is_a_heading_and_a_table() -> None:
    text = summary.markdown(run(Outcome.PASS, Outcome.VARIANT, Outcome.NOT_APPLICABLE))
    assert text.startswith("## Conformance: 3 cases, all well\n")
    assert "| emulator | 1 | 1 | 0 | 0 | 0 | 0 | 1 |" in text
    assert "###" not in text
    assert "Requirements with a case: 1 of" in text
    assert "Requirements" not in summary.markdown(run(Outcome.PASS, whole=False))


def test_failures_changes_and_disagreements_are_listed_on_one_line_each() -> None:
    record = Recorded(
        name="wine-8.0",
        target="wine",
        description="",
        date="2026-11-25",
        versions={},
        answers={"one.n0": Result(outcome=Outcome.PASS)},
    )
    change = Change("one.n0", "emulator", Outcome.PASS, Outcome.FAIL)
    text = summary.markdown(run(Outcome.FAIL, records=[record], changes=[change], problems=["x is used twice"]))
    assert r"- `one.n0` on emulator: a\|b \<c\>" in text.splitlines()
    assert r"- **broken** one.n0 on emulator: pass -\> fail" in text.splitlines()
    assert "## Conformance: 1 cases, 1 failed, 1 unexplained" in text
    assert "### Agreement with wine-8.0 (2026-11-25)" in text
    assert "| unexplained | 1 |" in text
    assert "| same |" not in text  # what does not occur has no row
    assert "### Against wine-8.0 (2026-11-25): unexplained (1)" in text
    assert r"- `one.n0`: emulator fail, wine-8.0 pass (a\|b \<c\>)" in text.splitlines()
    assert "- x is used twice" in text


def test_what_a_referee_fails_is_a_difference_and_listed_once() -> None:
    wine = MadeUp()
    wine.name = "wine"
    passed, failed = Result(outcome=Outcome.PASS), Result(outcome=Outcome.FAIL, reason="bytes")
    differs = Line(declare(holds, "one.differs"), {"emulator": passed, "wine": failed})
    alone = Line(declare(holds, "one.alone"), {"emulator": Result(outcome=Outcome.NOT_APPLICABLE), "wine": failed})
    text = summary.markdown(Report([MadeUp(), wine], [differs, alone]))
    assert text.startswith("## Conformance: 2 cases, 1 failed, 1 unexplained\n")
    assert "- `one.differs`: emulator pass, wine fail (bytes)" in text.splitlines()
    assert "- `one.alone` on wine: bytes" in text.splitlines()  # nothing of ours to hold it against
    assert text.count("one.differs") == text.count("one.alone") == 1


def test_a_long_list_is_cut() -> None:
    lines = summary.markdown(run(*[Outcome.FAIL] * (summary.MOST + 3))).splitlines()
    assert sum(line.startswith("- `one.") for line in lines) == summary.MOST
    assert lines[-1] == "- and 3 more"


def test_the_badge_counts_what_applies() -> None:
    def told(*outcomes: Outcome) -> tuple[str, str]:
        badge = summary.badge(run(*outcomes))
        assert badge["schemaVersion"] == 1
        assert badge["label"] == "conformance (emulator)"
        return badge["message"], badge["color"]

    assert told(Outcome.PASS, Outcome.VARIANT, Outcome.NOT_APPLICABLE) == ("2 of 2", "brightgreen")
    assert told(Outcome.PASS, Outcome.GAP) == ("1 of 2", "green")
    assert told(Outcome.PASS, Outcome.ERROR) == ("1 of 2", "red")
    assert told(Outcome.NOT_APPLICABLE) == ("nothing ran", "lightgrey")
    assert told() == ("nothing ran", "lightgrey")
