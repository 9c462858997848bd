"""What a target answered once, kept in a file: the referee for a machine that does not have that target.

Part played:     ``--record FILE`` and ``--recorded NAME``: ``recorded/wine-8.0.json`` says what Wine 8.0 made of each
                 case, with versions and date, so that a run elsewhere can be held against it.
Lives here:      the form of the file, and the fingerprint of a case's text.
Lives elsewhere: whether a record and a run agree (agreement), what changed from one run to the next (compare).

The form::

    {"version": 1, "name": "wine-8.0", "target": "wine", "description": "...", "date": "2026-11-25",
     "versions": {"python": "3.11.2", "system": "Linux-6.1.0-x86_64-with-glibc2.36", "wine": "8.0"},
     "cases": {"transfer.scatter.fills-in-order": {"text": "0c9d7a51", "outcome": "pass"},
               "urgent.atmark.before": {"text": "88e01b2f", "outcome": "fail", "what": "...", "expected": "...",
                                        "actual": "..."}}}

A case stands on one line, sorted by id, and an answer that differs only in handles and ports stays as it was, so that
a new record shows as a small difference. The outcome is what came out, whatever was declared on that day: a reason why
the target differs is read from the suite of today, so it can be added, or found to hold no longer, without recording
anew.
``text`` is the fingerprint of the case: when the case has changed since, the answer is no longer compared.
"""

from __future__ import annotations

import ast
import datetime
import functools
import hashlib
import inspect
import json
import platform
import re
import types
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from .agreement import HOLDS, masked
from .differences import judged
from .model import Case, Outcome, Result

FOLDER = Path(__file__).parent / "recorded"


@attrs.frozen(kw_only=True)
class Recorded:
    """The answers of one target on one day."""

    name: str  # "wine-8.0": the file's
    target: str  # "wine": what cases call it
    description: str
    date: str  # ISO 8601
    versions: Mapping[str, str]
    answers: Mapping[str, Result]  # by case id
    texts: Mapping[str, str] = attrs.field(factory=dict)  # fingerprints of the cases as they were, by id

    def result(self, case: Case) -> Result | None:
        """Return the answer as the suite of today judges it; None when there is none for the case as it is now."""
        answer = self.answers.get(case.id)
        return None if answer is None or self.is_outdated(case) else judged(case, self.target, answer)

    def is_outdated(self, case: Case) -> bool:
        """Whether the case was changed since the answer was recorded."""
        text = self.texts.get(case.id)
        return text is not None and text != fingerprint(case)


# ---- fingerprints


def fingerprint(case: Case) -> str:
    """Return eight hex digits that stay as long as the case's code and row do, on every version of Python.

    What is declared around it (requirements, reasons, its docstring) changes nothing.
    """
    text = f"{_code(case.function)}\n{_stable(case.arguments)}"
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:8]


@functools.cache
def _functions(file: str) -> Mapping[int, str]:
    """Return the text of every function of a module by the line of its first decorator, or of itself.

    A lambda is the lines that it stands on.
    """
    source = Path(file).read_text(encoding="utf-8")
    lines, found = source.splitlines(), {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Lambda):
            found[node.lineno] = "\n".join(line.strip() for line in lines[node.lineno - 1 : node.end_lineno])
        if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            text = lines[node.lineno - 1 : node.end_lineno]
            if ast.get_docstring(node, clean=False) is not None:
                doc = node.body[0]
                del text[doc.lineno - node.lineno : (doc.end_lineno or doc.lineno) - node.lineno + 1]
            found[first] = "\n".join(line.rstrip() for line in text if line.strip())
    return found


@functools.cache
def _code(function: Callable[..., object] | None) -> str:
    if function is None:
        return ""
    code: types.CodeType = inspect.unwrap(function).__code__
    try:
        return _functions(code.co_filename)[code.co_firstlineno]
    except (OSError, KeyError, SyntaxError):  # a case made up by a program: it has no text
        return code.co_name


def _stable(value: object) -> str:
    """Return a value as text that is the same in every process: no addresses, no order of sets."""
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_stable, value))})"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_stable, value)))}}}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_stable(key)}: {_stable(one)}' for key, one in value.items())}}}"
    if isinstance(value, int):  # an enum's text changed with Python's versions
        return str(int(value))
    if inspect.isfunction(value):
        return f"{value.__qualname__} {_code(value)}"
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


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
            texts={id: answer["text"] for id, answer in data["cases"].items() if "text" in answer},
        )
    except (KeyError, TypeError, ValueError) as why:
        raise ValueError(f"{path}: not the form of a record: {why!r}") from why


def _read_answer(data: Mapping[str, Any]) -> Result:
    outcome, expected, actual = Outcome(data["outcome"]), data.get("expected"), data.get("actual")
    reason = f"{data['what']}: expected {expected}, got {actual}" if "what" in data else data.get("reason", "")
    return Result(outcome=outcome, reason=reason, expected=expected, actual=actual)


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
        f"  {json.dumps(id)}: {json.dumps(_answer_as_json(answer, record.texts.get(id)), ensure_ascii=False)}"
        for id, answer in sorted(record.answers.items())
    ]
    cases = ' "cases": {\n' + ",\n".join(answers) + "\n }"
    path.write_text("{\n" + ",\n".join([*lines, cases]) + "\n}\n", encoding="utf-8", newline="\n")


def _answer_as_json(answer: Result, text: str | None) -> dict[str, str]:
    data = ({} if text is None else {"text": text}) | {"outcome": answer.outcome.value}
    if answer.what is not None:  # the reason would say everything twice
        data["what"] = answer.what
    elif answer.reason:
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
    whole: bool = True,
) -> Recorded:
    """Return the record of a run.

    Args:
        name: of the file, without its ending.
        target: what was judged, and its description.
        description: see ``target``.
        versions: what the target tells of itself (its attribute ``versions``, where it has one); Python's and the
            system's are added.
        results: of the run. One says "gap" or "differs" where that is declared; the record keeps the failure itself.
        before: what the new record replaces; an answer of it stays when the new one differs in passing numbers only,
            or is no answer but an error.
        whole: the run had every case; otherwise ``before`` supplies the others.
    """
    keep = before is not None and not whole
    answers = dict(before.answers) if before is not None and keep else {}
    texts = dict(before.texts) if before is not None and keep else {}
    for case, result in results:
        answer, text = _answer(result), fingerprint(case)
        old = before.answers.get(case.id) if before is not None and before.texts.get(case.id, text) == text else None
        stays = old is not None and (answer.outcome is Outcome.ERROR or _alike(old, answer))
        answers[case.id] = old if old is not None and stays else answer
        texts[case.id] = text
    return Recorded(
        name=name,
        target=target,
        description=description,
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        versions={"python": platform.python_version(), "system": platform.platform(), **versions},
        answers=answers,
        texts=texts,
    )


def otherwise(before: Recorded, after: Recorded) -> list[str]:
    """Return, as lines of text, the cases that came out alike in both records, with another answer."""
    found = []
    for id, new in after.answers.items():
        old = before.answers.get(id)
        if old is not None and old.outcome is new.outcome and not _alike(old, new):
            was, now = (one.actual or one.reason.partition("\n")[0] for one in (old, new))
            found.append(f"{id}: {was} -> {now}")
    return sorted(found)


def _answer(result: Result) -> Result:
    """Return what came out, without what was declared."""
    outcome, reason = result.outcome, result.reason
    if outcome is Outcome.GAP:
        outcome, reason = Outcome.FAIL, ""
    elif outcome is Outcome.DIFFERS:
        outcome = Outcome.FAIL
    elif result.gap_closed:
        outcome, reason = outcome if outcome in HOLDS else Outcome.PASS, ""
    elif outcome is Outcome.ERROR:
        reason = (reason.splitlines() or [""])[-1]  # of a traceback the lines and paths would change
    return Result(outcome=outcome, reason=reason, expected=result.expected, actual=result.actual)


def _alike(old: Result, new: Result) -> bool:
    def text(answer: Result) -> tuple[object, ...]:
        return (answer.outcome, *map(masked, (answer.reason, answer.expected, answer.actual)))

    return text(old) == text(new)
