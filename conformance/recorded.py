"""What a target answered once, kept in a file: the referee for a machine that does not have that target.

Part played:     ``--record FILE`` and ``--recorded NAME``: ``recorded/wine-8.0.json`` says what Wine 8.0 made of each
                 case, with versions and date, so that a run elsewhere can be held against it.
Lives here:      the form of the file, and whether two targets agree on a case.
Lives elsewhere: what changed from one run to the next (compare).

The form::

    {"version": 1, "name": "wine-8.0", "target": "wine", "description": "...", "date": "2026-11-25",
     "versions": {"python": "3.11.2", "system": "Linux-6.1.0-x86_64-with-glibc2.36", "wine": "8.0"},
     "cases": {"transfer.scatter.fills-in-order": {"outcome": "pass"},
               "urgent.atmark.before": {"outcome": "fail", "reason": "...", "expected": "...", "actual": "..."}}}

A case stands on one line, sorted by id, so that a new record shows as a small difference. The outcome is what came
out, whatever a case declared on that day: a reason why the target differs (``gap={"wine": "..."}``) is read from the
case of today, so it can be added, or found to hold no longer, without recording anew.
"""

from __future__ import annotations

import datetime
import enum
import json
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from .model import Case, Outcome, Result

FOLDER = Path(__file__).parent / "recorded"
_HOLDS = (Outcome.PASS, Outcome.VARIANT)


@attrs.frozen(kw_only=True)
class Recorded:
    """The answers of one target on one day."""

    name: str  # "wine-8.0": the file's
    target: str  # "wine": what cases call it
    description: str
    date: str  # ISO 8601
    versions: Mapping[str, str]
    answers: Mapping[str, Result]  # by case id

    def result(self, case: Case) -> Result | None:
        """Return the answer as the case of today judges it; None when nothing was recorded."""
        answer = self.answers.get(case.id)
        reason = self.reason(case)
        if answer is None or reason is None:
            return answer
        if answer.outcome is Outcome.FAIL:
            return attrs.evolve(answer, outcome=Outcome.GAP, reason=reason)
        if answer.outcome in _HOLDS:
            return attrs.evolve(answer, reason=f"reason holds no longer, take it off: {reason}", gap_closed=True)
        return answer

    def reason(self, case: Case) -> str | None:
        """Return why this target is declared to differ. A gap that names no target is the emulator's own."""
        return case.gap.get(self.target) if isinstance(case.gap, Mapping) else None


# ---- the file


def find(name: str) -> Path:
    """Return the file of a record: a path, or the name of one that came with the suite."""
    shipped = FOLDER / f"{name}.json"
    return shipped if shipped.exists() else Path(name)


def read(path: Path) -> Recorded:
    """Read a record.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no record, or one of another version.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("version") != 1 or not isinstance(data.get("cases"), dict):
        raise ValueError(f"{path}: no record of version 1")
    try:
        return Recorded(
            name=data["name"],
            target=data["target"],
            description=data["description"],
            date=data["date"],
            versions=data["versions"],
            answers={id: _read_answer(answer) for id, answer in data["cases"].items()},
        )
    except (KeyError, TypeError, ValueError) as why:
        raise ValueError(f"{path}: not the form of a record: {why!r}") from why


def _read_answer(data: Mapping[str, Any]) -> Result:
    return Result(
        outcome=Outcome(data["outcome"]),
        reason=data.get("reason", ""),
        expected=data.get("expected"),
        actual=data.get("actual"),
    )


def write(path: Path, record: Recorded) -> None:
    """Write a record.

    Raises:
        OSError: it cannot be written.
    """
    head = {
        "version": 1,
        "name": record.name,
        "target": record.target,
        "description": record.description,
        "date": record.date,
        "versions": dict(record.versions),
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
    answers = [
        f"  {json.dumps(id)}: {json.dumps(_answer_as_json(answer), ensure_ascii=False)}"
        for id, answer in sorted(record.answers.items())
    ]
    cases = ' "cases": {\n' + ",\n".join(answers) + "\n }"
    path.write_text("{\n" + ",\n".join([*lines, cases]) + "\n}\n", encoding="utf-8")


def _answer_as_json(answer: Result) -> dict[str, str]:
    data = {"outcome": answer.outcome.value}
    if answer.reason:
        data["reason"] = answer.reason
    if answer.expected is not None and answer.actual is not None:
        data |= {"expected": answer.expected, "actual": answer.actual}
    return data


def take(
    name: str,
    target: str,
    description: str,
    versions: Mapping[str, str],
    results: Iterable[tuple[Case, Result]],
    *,
    before: Recorded | None = None,
) -> Recorded:
    """Return the record of a run; ``before`` supplies the cases that the run left out.

    ``versions`` is what the target tells of itself (its attribute ``versions``, where it has one); Python's and the
    system's are added. A result says "gap" where the case declares the difference; the record keeps the failure itself.
    """
    answers = dict(before.answers) if before is not None else {}
    for case, result in results:
        raw = result
        if result.outcome is Outcome.GAP:
            raw = attrs.evolve(result, outcome=Outcome.FAIL, reason="")
        elif result.gap_closed:
            raw = attrs.evolve(result, outcome=Outcome.PASS, reason="")
        answers[case.id] = Result(outcome=raw.outcome, reason=raw.reason, expected=raw.expected, actual=raw.actual)
    return Recorded(
        name=name,
        target=target,
        description=description,
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        versions={
            "python": platform.python_version(),
            "system": platform.platform(),
            **versions,
        },
        answers=answers,
    )


# ---- agreement


class Agreement(enum.Enum):
    """How the answers of a target and of the referee stand to each other."""

    SAME = "same"
    EXPLAINED = "explained"  # they differ, and the case says why
    UNEXPLAINED = "unexplained"  # they differ, and nobody knows why
    STALE = "reason holds no longer"  # the case explains a difference that is gone
    UNKNOWN = "not comparable"  # one of them said nothing about the claim


def agreement(result: Result, referee: Result | None) -> Agreement:
    """Compare what a target answered with what the referee did (`Recorded.result`).

    A declared gap of the target under test explains a difference as well as one of the referee.
    """
    said = (Outcome.PASS, Outcome.VARIANT, Outcome.GAP, Outcome.FAIL)
    if referee is None or result.outcome not in said or referee.outcome not in said:
        return Agreement.UNKNOWN
    if referee.gap_closed:
        return Agreement.STALE
    if (result.outcome in _HOLDS) == (referee.outcome in _HOLDS):
        return Agreement.SAME
    explained = Outcome.GAP in (result.outcome, referee.outcome)
    return Agreement.EXPLAINED if explained else Agreement.UNEXPLAINED
