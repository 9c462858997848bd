"""What changed from one run to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import compare
from conformance.compare import Change, changes, described
from conformance.model import Outcome

PASS, FAIL, GAP, ERROR, VARIANT = Outcome.PASS, Outcome.FAIL, Outcome.GAP, Outcome.ERROR, Outcome.VARIANT

BEFORE = {
    "a.same": {"api": PASS},
    "a.broken": {"api": PASS, "windows": PASS},
    "a.repaired": {"api": ERROR},
    "a.other": {"api": PASS},
    "a.gone": {"api": PASS},
}
AFTER = {
    "a.same": {"api": PASS, "emulator": FAIL},
    "a.new": {"api": FAIL},
    "a.other": {"api": VARIANT},
    "a.repaired": {"api": GAP},
    "a.broken": {"api": FAIL},
}


def test_changes_come_with_the_most_important_first() -> None:
    found = changes(BEFORE, AFTER)
    assert [(one.kind, one.case) for one in found] == [
        ("broken", "a.broken"),
        ("repaired", "a.repaired"),
        ("other", "a.other"),
        ("new", "a.new"),
        ("gone", "a.gone"),
    ]
    assert {one.target for one in found} == {"api"}  # the only target that both have


def test_a_partial_run_has_lost_nothing() -> None:
    assert "gone" not in {one.kind for one in changes(BEFORE, AFTER, whole=False)}


def test_a_failure_that_became_an_error_is_still_broken_and_no_news() -> None:
    assert [one.kind for one in changes({"a": {"api": FAIL}}, {"a": {"api": ERROR}})] == ["other"]


def test_a_change_as_a_line() -> None:
    assert described(Change("a.b", "api", None, FAIL)) == "a.b on api: - -> fail"


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1}', '{"version": 1, "cases": [{"id": "a"}]}'])
def test_a_file_that_is_no_report_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError):
        compare.read(tmp_path / "old.json")
