"""Records of what a target answered: the file, and the rules of agreement."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance import recorded
from conformance.model import Case, Outcome, Result
from conformance.recorded import Agreement, Recorded, agreement
from conformance.target import Target
from tests.conformance.madeup import declare


def holds(ws: Target) -> None:
    """It holds."""


PLAIN = declare(holds, "one.plain")
EXCUSED = declare(holds, "one.excused", gap={"wine": "Wine lacks it"})
EVERYWHERE = declare(holds, "one.everywhere", gap="not written yet")
PASS, FAIL, GAP = (Result(outcome=one) for one in (Outcome.PASS, Outcome.FAIL, Outcome.GAP))
VARIANT, ERROR = Result(outcome=Outcome.VARIANT), Result(outcome=Outcome.ERROR)
LACKING = Result(outcome=Outcome.NOT_APPLICABLE)


def record(**answers: Result) -> Recorded:
    """A record of Wine; underscores stand for dots."""
    return Recorded(
        name="wine-8.0",
        target="wine",
        description="Wine",
        date="2026-11-25",
        versions={"wine": "8.0"},
        answers={id.replace("_", "."): answer for id, answer in answers.items()},
    )


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    told = Result(outcome=Outcome.FAIL, reason="bytes: \u201e5\u201c", expected="5", actual="4")
    before = record(one_plain=PASS, one_excused=told)
    recorded.write(tmp_path / "r.json", before)
    assert recorded.read(tmp_path / "r.json") == before


def test_a_case_stands_on_one_line_sorted_by_id(tmp_path: Path) -> None:
    recorded.write(tmp_path / "r.json", record(two=PASS, one=FAIL))
    lines = (tmp_path / "r.json").read_text(encoding="utf-8").splitlines()
    assert [line.split('"')[1] for line in lines if '"outcome"' in line] == ["one", "two"]
    assert json.loads("\n".join(lines))["versions"] == {"wine": "8.0"}


def test_an_empty_record_can_be_written(tmp_path: Path) -> None:
    recorded.write(tmp_path / "r.json", record())
    assert recorded.read(tmp_path / "r.json").answers == {}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 2, "cases": {}}', '{"version": 1, "cases": {}}', '{"version": 1, "cases": []}']
)
def test_a_file_of_another_form_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError):
        recorded.read(tmp_path / "r.json")


def test_a_record_keeps_what_came_out_whatever_was_declared() -> None:
    gap = Result(outcome=Outcome.GAP, reason="Wine lacks it", expected="1", actual="2", steps=("a call",))
    closed = Result(outcome=Outcome.PASS, reason="gap closed", gap_closed=True)
    taken = recorded.take("w", "wine", "", {}, [(EXCUSED, gap), (PLAIN, closed)])
    assert taken.answers["one.excused"] == Result(outcome=Outcome.FAIL, expected="1", actual="2")
    assert taken.answers["one.plain"] == PASS


def test_a_partial_run_leaves_the_other_answers_alone() -> None:
    taken = recorded.take("w", "wine", "", {}, [(PLAIN, PASS)], before=record(one_plain=FAIL, one_other=FAIL))
    assert {id: one.outcome for id, one in taken.answers.items()} == {
        "one.plain": Outcome.PASS,
        "one.other": Outcome.FAIL,
    }


def test_a_reason_is_read_from_the_case_of_today() -> None:
    failed = record(one_plain=FAIL, one_excused=FAIL, one_everywhere=FAIL)
    found = {case.id: failed.result(case) for case in (PLAIN, EXCUSED, EVERYWHERE)}
    assert found["one.plain"] == FAIL
    assert found["one.excused"] == Result(outcome=Outcome.GAP, reason="Wine lacks it")
    assert found["one.everywhere"] == FAIL  # a gap of nobody in particular is ours
    passed = record(one_excused=PASS).result(EXCUSED)
    assert passed is not None
    assert passed.gap_closed
    assert record().result(PLAIN) is None


@pytest.mark.parametrize(
    ("case", "ours", "theirs", "kind"),
    [
        (PLAIN, PASS, PASS, Agreement.SAME),
        (PLAIN, VARIANT, PASS, Agreement.SAME),
        (PLAIN, FAIL, FAIL, Agreement.SAME),
        (PLAIN, PASS, FAIL, Agreement.UNEXPLAINED),
        (PLAIN, FAIL, PASS, Agreement.UNEXPLAINED),
        (PLAIN, GAP, PASS, Agreement.EXPLAINED),
        (EXCUSED, PASS, FAIL, Agreement.EXPLAINED),
        (EXCUSED, PASS, PASS, Agreement.STALE),
        (EXCUSED, FAIL, FAIL, Agreement.SAME),
        (PLAIN, PASS, LACKING, Agreement.UNKNOWN),
        (PLAIN, LACKING, FAIL, Agreement.UNKNOWN),
        (PLAIN, PASS, ERROR, Agreement.UNKNOWN),
    ],
)
def test_agreement(case: Case, ours: Result, theirs: Result, kind: Agreement) -> None:
    answers = record(**{case.id.replace(".", "_"): theirs})
    assert agreement(ours, answers.result(case)) is kind


def test_nothing_recorded_is_not_comparable() -> None:
    assert agreement(PASS, None) is Agreement.UNKNOWN


def test_every_shipped_record_can_be_read() -> None:
    for file in recorded.FOLDER.glob("*.json"):
        assert recorded.read(file).name == file.stem
        assert recorded.find(file.stem) == file
    assert recorded.find("somewhere/else.json") == Path("somewhere/else.json")
