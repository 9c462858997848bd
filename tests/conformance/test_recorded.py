"""Records of what a target answered: the file, fingerprints, and what today's suite makes of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from conformance import recorded
from conformance.model import Case, Outcome, Result, Row, case, lacks
from conformance.recorded import Recorded, fingerprint
from conformance.target import Target
from tests.conformance.madeup import declare


def holds(ws: Target) -> None:
    """It holds."""


PLAIN = declare(holds, "one.plain")
EXCUSED = declare(holds, "one.excused", differs={"wine": lacks("Wine lacks it")})
EVERYWHERE = declare(holds, "one.everywhere", gap="not written yet")
PASS, FAIL = Result(outcome=Outcome.PASS), Result(outcome=Outcome.FAIL)


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
    usual = Result(outcome=Outcome.FAIL, reason="bytes: expected 5, got 4", expected="5", actual="4")
    before = record(one_plain=PASS, one_excused=told, one_everywhere=usual)
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
    failed = Result(outcome=Outcome.FAIL, expected="1", actual="2")
    gap = attrs.evolve(failed, outcome=Outcome.GAP, reason="not written yet", steps=("a call",))
    differs = attrs.evolve(failed, outcome=Outcome.DIFFERS, reason="bytes", difference=lacks("Wine lacks it"))
    closed = Result(outcome=Outcome.PASS, reason="gap closed", gap_closed=True)
    broke = Result(outcome=Outcome.ERROR, reason="Traceback\n  File x, line 7\nZeroDivisionError: division")
    results = [(EVERYWHERE, gap), (EXCUSED, differs), (PLAIN, closed), (declare(holds, "one.broke"), broke)]
    taken = recorded.take("w", "wine", "", {}, results)
    assert taken.answers["one.everywhere"] == failed
    assert taken.answers["one.excused"] == attrs.evolve(failed, reason="bytes")
    assert taken.answers["one.plain"] == PASS
    assert taken.answers["one.broke"].reason == "ZeroDivisionError: division"


def test_a_partial_run_leaves_the_other_answers_alone() -> None:
    before = record(one_plain=FAIL, one_other=FAIL)
    taken = recorded.take("w", "wine", "", {}, [(PLAIN, PASS)], before=before, whole=False)
    assert {id: one.outcome for id, one in taken.answers.items()} == {
        "one.plain": Outcome.PASS,
        "one.other": Outcome.FAIL,
    }
    assert set(recorded.take("w", "wine", "", {}, [(PLAIN, PASS)], before=before).answers) == {"one.plain"}


def test_an_answer_that_differs_in_passing_numbers_only_stays_as_it_was() -> None:
    def failed(port: int, count: int) -> Result:
        return Result(outcome=Outcome.FAIL, expected="1", actual=f"{count} from port {port}")

    before = record(one_plain=failed(40000, 2))
    for new, kept in ((failed(51234, 2), failed(40000, 2)), (failed(51234, 3), failed(51234, 3))):
        taken = recorded.take("w", "wine", "", {}, [(PLAIN, new)], before=before)
        assert taken.answers["one.plain"] == kept


def test_an_error_is_no_answer_and_replaces_none() -> None:
    broke = Result(outcome=Outcome.ERROR, reason="the far end is gone")
    taken = recorded.take("w", "wine", "", {}, [(PLAIN, broke), (EXCUSED, broke)], before=record(one_plain=FAIL))
    assert taken.answers["one.plain"] == FAIL
    assert taken.answers["one.excused"] == broke
    of_another_text = attrs.evolve(record(one_plain=FAIL), texts={"one.plain": "00000000"})
    taken = recorded.take("w", "wine", "", {}, [(PLAIN, broke)], before=of_another_text)
    assert taken.answers["one.plain"] == broke


def test_answers_that_changed_while_the_outcome_did_not_are_told() -> None:
    def failed(actual: str) -> Result:
        return Result(outcome=Outcome.FAIL, expected="1", actual=actual)

    before = record(a_port=failed("port 40000"), a_value=failed("2"), a_outcome=PASS, a_gone=PASS)
    after = record(a_port=failed("port 51234"), a_value=failed("3"), a_outcome=FAIL, a_new=PASS)
    assert recorded.otherwise(before, after) == ["a.value: 2 -> 3"]


def test_a_reason_is_read_from_the_suite_of_today() -> None:
    failed = record(one_plain=FAIL, one_excused=FAIL, one_everywhere=FAIL)
    found = {case.id: failed.result(case) for case in (PLAIN, EXCUSED, EVERYWHERE)}
    assert found["one.plain"] == FAIL
    assert found["one.excused"] == Result(outcome=Outcome.DIFFERS, difference=lacks("Wine lacks it"))
    assert found["one.everywhere"] == FAIL  # a gap is ours
    assert record().result(PLAIN) is None


def test_an_answer_to_another_text_of_the_case_is_not_compared() -> None:
    taken = recorded.take("w", "wine", "", {}, [(PLAIN, PASS)])
    assert taken.result(PLAIN) == PASS
    changed = declare(holds_otherwise, "one.plain")
    assert taken.is_outdated(changed)
    assert taken.result(changed) is None


# ---- fingerprints


def holds_otherwise(ws: Target) -> None:
    """It holds."""
    assert ws


def rows(first: object, doubled: object) -> tuple[str, str]:
    made: tuple[Case, ...] = case(
        "table.{row}.works",
        chapter="C",
        source="page",
        basis="documented",
        rows={"one": Row(first), "two": Row(doubled)},
    )(takes_a_row)
    one, two = map(fingerprint, made)
    return one, two


def takes_a_row(ws: Target, value: object) -> None:
    """Each row."""


def test_a_fingerprint_is_of_code_and_row_and_not_of_the_declaration() -> None:
    assert fingerprint(PLAIN) == fingerprint(EXCUSED) == fingerprint(declare(holds, "other.id", requirements=["R7.3"]))
    assert fingerprint(PLAIN) != fingerprint(declare(holds_otherwise, "one.plain"))
    one, two = rows(1, 2)
    assert one != two
    assert len(one) == 8


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    assert len(set(rows({"a", "b", "c"}, {"c", "b", "a"}))) == 1
    assert len(set(rows(Outcome.PASS, Outcome.FAIL))) == 2
    one, two = rows(object(), object())  # whose repr has an address
    assert one == two
    assert len(set(rows(holds, holds_otherwise))) == 2
    program = (
        "from tests.conformance import test_recorded as t; print(t.fingerprint(t.PLAIN), *t.rows({'a', 'b'}, b'x'))"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()[0:3]
        == [fingerprint(PLAIN), *rows({"a", "b"}, b"x")]
        for seed in ("1", "2")
    }
    assert told == {True}


def test_the_docstring_and_comments_around_it_do_not_count(tmp_path: Path) -> None:
    def made(text: str) -> str:
        file = tmp_path / f"module{len(list(tmp_path.iterdir()))}.py"
        file.write_text(text, encoding="utf-8")
        names: dict[str, object] = {"__name__": "made"}
        exec(compile(text, str(file), "exec"), names)
        run = names["run"]
        assert callable(run)
        return fingerprint(declare(run))

    plain = made('def run(ws):\n    """It holds."""\n    ws.call(1)\n')
    assert made('# above\n\ndef run(ws):\n    """It\n    holds well."""\n\n    ws.call(1)\n') == plain
    assert made('def run(ws):\n    """It holds."""\n    ws.call(2)\n') != plain


def test_every_shipped_record_can_be_read() -> None:
    for file in recorded.FOLDER.glob("*.json"):
        assert recorded.read(file).name == file.stem
        assert recorded.find(file.stem) == file
    assert recorded.find("somewhere/else.json") == Path("somewhere/else.json")
