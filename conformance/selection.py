"""Which cases a run is about: selectors, ``-k`` expressions, and exclusions with their reasons.

Part played:     reads what the user wrote on the command line or in an exclusion file, and says of a case whether
                 it is meant.
Lives elsewhere: finding the cases there are (runner).

An exclusion file has one exclusion a line, and each says why::

    # everything after '#' at the beginning of a line is a comment
    multicast.join        # no multicast route in our containers
    urgent @wine          # Wine 8.0 loses the urgent byte
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import attrs

from .model import Case

Predicate = Callable[[Case], bool]


def selects(selector: str, case: Case) -> bool:
    """Whether a selector takes a case.

    It is the beginning of an id, a chapter, a requirement (``R7`` takes ``R7.3``) or a behaviour, or a glob
    over these.
    """
    words = [case.id, case.chapter, case.chapter.lower(), *case.requirements, *case.behaviours]
    if any(mark in selector for mark in "*?["):
        return any(fnmatch.fnmatchcase(word, selector) for word in words)
    if re.fullmatch(r"[RT]\d+", selector):
        return any(requirement.startswith(f"{selector}.") for requirement in case.requirements)
    return case.id.startswith(selector) or selector in words or selector.lower() == case.chapter.lower()


# ---- -k


def matching(expression: str) -> Predicate:
    """Return the test that a ``-k`` expression stands for.

    A word holds for a case whose id, chapter or claim contains it, in upper or lower case; words combine
    with ``and``, ``or``, ``not`` and parentheses.

    Raises:
        ValueError: the expression cannot be read.
    """
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    tested, at = _either(tokens, 0)
    if at != len(tokens):
        raise ValueError(f"{expression!r}: unexpected {tokens[at]!r}")
    return tested


def _either(tokens: Sequence[str], at: int) -> tuple[Predicate, int]:
    left, at = _both(tokens, at)
    while tokens[at : at + 1] == ["or"]:
        right, at = _both(tokens, at + 1)
        left = _combined(any, left, right)
    return left, at


def _both(tokens: Sequence[str], at: int) -> tuple[Predicate, int]:
    left, at = _one(tokens, at)
    while tokens[at : at + 1] == ["and"]:
        right, at = _one(tokens, at + 1)
        left = _combined(all, left, right)
    return left, at


def _combined(of: Callable[[Iterable[bool]], bool], *parts: Predicate) -> Predicate:
    return lambda case: of(part(case) for part in parts)


def _one(tokens: Sequence[str], at: int) -> tuple[Predicate, int]:
    if at == len(tokens) or tokens[at] in ("and", "or", ")"):
        raise ValueError(f"{' '.join(tokens)!r}: a word is missing {'at the end' if at == len(tokens) else 'inside'}")
    if tokens[at] == "not":
        inner, at = _one(tokens, at + 1)
        return (lambda case: not inner(case)), at
    if tokens[at] == "(":
        inner, at = _either(tokens, at + 1)
        if tokens[at : at + 1] != [")"]:
            raise ValueError(f"{' '.join(tokens)!r}: ')' is missing")
        return inner, at + 1
    word = tokens[at].lower()
    return (lambda case: any(word in text.lower() for text in (case.id, case.chapter, case.claim))), at + 1


# ---- exclusions


@attrs.frozen
class Exclusion:
    """Cases that a run leaves out, on one target or on all, and why."""

    selector: str
    target: str | None
    reason: str

    def covers(self, case: Case, target: str) -> bool:
        return self.target in (None, target) and selects(self.selector, case)


def read_exclusions(path: Path) -> list[Exclusion]:
    """Read an exclusion file.

    Raises:
        OSError: it cannot be read.
        ValueError: a line gives no reason, or no selector.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        told = re.fullmatch(r"\s*(.+?)(?:\s+@(\S+))?\s+#\s*(\S.*?)\s*", line)
        if told is None:
            raise ValueError(f"{path}, line {number}: 'selector  # reason' or 'selector @target  # reason' is wanted")
        found.append(Exclusion(*told.groups()))
    return found


def exclusion_of(case: Case, target: str, exclusions: Iterable[Exclusion]) -> str | None:
    """Return why a case is left out on a target, None when it is not."""
    return next((one.reason for one in exclusions if one.covers(case, target)), None)
