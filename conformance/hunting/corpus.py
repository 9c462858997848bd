"""Interesting sequences with what a referee has answered: replayed on ours, with no referee at hand.

Part played:     what a hunt leaves behind. `found.json` has the shortest sequence of each difference that was found,
                 with its story; `covering.json` those that together meet everything a hunt has met.
Lives here:      the form of the files, in the folder corpus/ of the suite; choosing what covers; replaying.
Lives elsewhere: playing (world), comparing (comparing), the known reasons (reasons).

An entry is one line of its file, so that a change shows as a change of that line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from .comparing import Verdict, compare, short
from .reasons import reasons_for
from .sequences import Sequence, from_json, to_json
from .world import Outcome, Stage

FOLDER: Final = Path(__file__).parents[1] / "corpus"
FOUND: Final = FOLDER / "found.json"
COVERING: Final = FOLDER / "covering.json"


@attrs.frozen
class Entry:
    """One sequence, and the outcomes on a referee."""

    about: str
    sequence: Sequence
    referee: str  # the target: "wine"
    outcomes: list[Outcome]


def read(path: Path) -> list[Entry]:
    """Return the entries of a file; none when it is not there."""
    if not path.exists():
        return []
    items = json.loads(path.read_text(encoding="utf-8"))
    return [Entry(item["about"], from_json(item["steps"]), item["referee"], item["outcomes"]) for item in items]


def write(path: Path, entries: Iterable[Entry]) -> None:
    """Write a file."""
    lines = [
        json.dumps(
            {
                "about": entry.about,
                "steps": to_json(entry.sequence),
                "referee": entry.referee,
                "outcomes": entry.outcomes,
            },
            ensure_ascii=False,
        )
        for entry in entries
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


def replay(entry: Entry, stage: Stage, *, thorough: bool = False) -> Verdict:
    """Play an entry's sequence and hold it against what the referee has answered."""
    return compare(
        entry.sequence, stage.play(entry.sequence, thorough=thorough), entry.outcomes, reasons_for(entry.referee)
    )


def features(sequence: Sequence, outcomes: list[Outcome]) -> set[str]:
    """What a sequence meets: each call with its outcome, and after which other on the same thing."""
    found: set[str] = set()
    last: dict[str, str] = {}
    for step, outcome in zip(sequence, outcomes, strict=True):
        one = f"{step.call} {_kind(outcome)}"
        found.add(one)
        if step.call != "look":
            found |= {f"{last[name]} > {one}" for name in step.names() if name in last}
            last |= dict.fromkeys(step.names(), one)
            continue
        for name, seen in outcome.get("ok", {}).items():
            if name in last:
                found.add(f"{last[name]} > look {name[0]} {json.dumps(_places(seen))}")
    return found


def _kind(outcome: Any) -> str:
    if isinstance(outcome, dict) and isinstance(outcome.get("ok"), int):
        return f"ok {outcome['ok'] if outcome['ok'] in (0, 258) else 'n'}"
    return short(outcome)


def _places(seen: Any) -> Any:
    """The places of a look that say something: readiness and network events of a socket, or all there is."""
    return [seen[0], seen[3] if len(seen) > 3 else None] if isinstance(seen, list) and len(seen) > 3 else seen


def covering(pool: Iterable[Entry], most: int) -> Iterator[Entry]:
    """Yield at most so many entries that together meet most of what the pool meets: the greedy choice."""
    met = [(features(entry.sequence, entry.outcomes), entry) for entry in pool]
    covered: set[str] = set()
    for _ in range(most):
        if not met:
            return
        best = max(met, key=lambda one: len(one[0] - covered) / (4 + len(one[1].sequence)))
        if not best[0] - covered:
            return
        covered |= best[0]
        met.remove(best)
        yield best[1]
