"""What changed between two runs.

Part played:     ``--compare OLD.json``: an earlier ``--json`` report held against this run.
Lives elsewhere: what another implementation answers (recorded).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import attrs

from .model import Outcome

Outcomes = Mapping[str, Mapping[str, Outcome]]  # by case id and target

_BAD = (Outcome.FAIL, Outcome.ERROR)


@attrs.frozen
class Change:
    """One case that came out differently on one target; None where it did not exist."""

    case: str
    target: str
    before: Outcome | None
    after: Outcome | None

    @property
    def kind(self) -> str:
        if self.before is None:
            return "new"
        if self.after is None:
            return "gone"
        if self.after in _BAD and self.before not in _BAD:
            return "broken"
        if self.before in _BAD and self.after not in _BAD:
            return "repaired"
        return "other"


#: The order in which a reader wants to see changes.
KINDS = ("broken", "repaired", "other", "new", "gone")


def read(path: Path) -> Outcomes:
    """Read the outcomes of a JSON report.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no report of version 1.
    """
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict) or data.get("version") != 1 or not isinstance(data.get("cases"), list):
        raise ValueError(f"{path}: no conformance report of version 1")
    try:
        return {
            case["id"]: {target: Outcome(result["outcome"]) for target, result in case["results"].items()}
            for case in data["cases"]
        }
    except (KeyError, TypeError, AttributeError, ValueError) as why:
        raise ValueError(f"{path}: not the form of a conformance report: {why!r}") from why


def changes(before: Outcomes, after: Outcomes, *, whole: bool = True) -> list[Change]:
    """Return what changed on the targets that both runs have, most important first.

    Args:
        before: the outcomes of the earlier run.
        after: the outcomes of the later one.
        whole: the later run had every case there is: what it lacks is gone, and was not just left out.
    """
    common = _targets(before) & _targets(after)
    found = []
    for id in (*after, *(id for id in before if whole and id not in after)):
        old, new = before.get(id, {}), after.get(id, {})
        for target in sorted(common & {*old, *new}):
            if old.get(target) is not new.get(target):
                found.append(Change(id, target, old.get(target), new.get(target)))
    return sorted(found, key=lambda one: (KINDS.index(one.kind), one.case, one.target))


def _targets(outcomes: Outcomes) -> set[str]:
    return {target for results in outcomes.values() for target in results}


def described(change: Change) -> str:
    """Return a change as one line of text."""
    before, after = ("-" if one is None else one.value for one in (change.before, change.after))
    return f"{change.case} on {change.target}: {before} -> {after}"
