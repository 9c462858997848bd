"""Whether our results and a referee's agree, and if not, whether the reason is known.

Part played:     the table of agreement in every report, and what makes ``make oracle`` and ``make test`` fail.
Lives here:      `Agreement`, the pair-by-pair rule, and `masked`, which numbers say nothing.
Lives elsewhere: reasons (model, differences), what a referee answered (the run, or recorded), lists (report).

Two results are the same when the case came out the same, and, where it did not simply pass, with the same answer: two
targets that fail in different ways do not agree. A reason is of the referee; it holds no longer when the referee passes
and nobody of ours answers otherwise.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping

from .model import Outcome, Result

HOLDS = (Outcome.PASS, Outcome.VARIANT)
_FAILED = (Outcome.GAP, Outcome.DIFFERS, Outcome.FAIL)
#: Handles, ports, addresses, times: numbers of four digits and more that are no other each time a case runs. An error
#: code is one, too, but never stands without its name.
_NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d{4,}")


class Agreement(enum.Enum):
    """How an answer of ours and the referee's stand to each other. The explained ones have the names of `Kind`."""

    SAME = "same"
    VARIANT = "allowed variant"  # both answers are allowed, and the case says whose the other one is
    LACKS = "referee lacks it"
    OBSERVED = "Windows observed otherwise"
    DOCUMENTED = "documented otherwise"
    HOST = "host limit"
    GAP = "gap of ours"
    UNEXPLAINED = "unexplained"
    STALE = "reason holds no longer"  # the case explains a difference that is gone
    OUTDATED = "record is stale"  # the case was changed since
    UNKNOWN = "not comparable"  # one of them said nothing about the claim


#: They differ, and it is known why.
EXPLAINED = (
    Agreement.VARIANT,
    Agreement.LACKS,
    Agreement.OBSERVED,
    Agreement.DOCUMENTED,
    Agreement.HOST,
    Agreement.GAP,
)


def masked(text: str | None) -> str:
    """Return ``text`` with a ``#`` for each number that can be another one each time."""
    return _NUMBERS.sub("#", text or "")


def same(one: Result, other: Result) -> bool:
    """Whether a case came out the same, with the same answer."""
    if one.outcome in _FAILED and other.outcome in _FAILED:
        return (masked(one.expected), masked(one.actual)) == (masked(other.expected), masked(other.actual))
    if one.outcome is not other.outcome:
        return False
    return one.outcome is not Outcome.VARIANT or masked(one.reason) == masked(other.reason)


def agreement(result: Result, answer: Result | None) -> Agreement:
    """Compare one result of ours with the referee's; both as `differences.judged` left them."""
    said = (*HOLDS, *_FAILED)
    if answer is None or result.outcome not in said or answer.outcome not in said:
        return Agreement.UNKNOWN
    if answer.gap_closed:  # of a target of ours that was recorded
        return Agreement.STALE
    if same(result, answer):
        return Agreement.SAME
    if result.outcome is Outcome.GAP and answer.outcome in HOLDS:
        return Agreement.GAP
    if answer.difference is not None:
        return Agreement[answer.difference.kind.name]
    if result.outcome in HOLDS and answer.outcome in HOLDS:
        return Agreement.VARIANT
    return Agreement.GAP if Outcome.GAP in (result.outcome, answer.outcome) else Agreement.UNEXPLAINED


def agreements(ours: Mapping[str, Result], answer: Result | None, *, reason_of_its_own: bool) -> dict[str, Agreement]:
    """Compare the results of ours with the referee's, by target.

    Args:
        ours: what our targets made of one case.
        answer: what the referee made of it.
        reason_of_its_own: the case itself, and no group, has the referee's reason: it has to hold.
    """
    found = {name: agreement(result, answer) for name, result in ours.items()}
    compared = {kind for kind in found.values() if kind is not Agreement.UNKNOWN}
    if answer is not None and reason_of_its_own and answer.outcome in HOLDS and compared == {Agreement.SAME}:
        return {name: Agreement.STALE if kind is Agreement.SAME else kind for name, kind in found.items()}
    return found
