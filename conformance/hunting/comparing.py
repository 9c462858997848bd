"""Two plays of one sequence: where they differ first, if nobody knows why.

Part played:     the judge. It goes through the outcomes step by step; a difference with a reason is passed over, or
                 ends the comparison where everything that follows is another story on the two targets.
Lives elsewhere: outcomes (world), the reasons (reasons).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from ..model import Difference as Why
from .sequences import Sequence, Step
from .world import Outcome


@attrs.frozen
class Difference:
    """One step whose outcomes differ; of `look`, what was seen of one thing, at one place of its list."""

    sequence: Sequence
    at: int  # index of the step
    ours: Outcome | Any
    theirs: Outcome | Any
    before: tuple[Outcome, ...]  # what ours answered before
    name: str = ""  # of the thing, in `look`
    place: int = -1

    @property
    def step(self) -> Step:
        return self.sequence[self.at]

    @property
    def call(self) -> str:
        return self.step.call

    def argument(self, place: int) -> Any:
        """An argument of the step; None where it has fewer."""
        return self.step.arguments[place] if place < len(self.step.arguments) else None

    @property
    def signature(self) -> str:
        """What kind of difference it is: others of the same kind are probably the same."""
        where = f"{self.call}.{self.name[:1]}{self.place}" if self.name else self.call
        option = f" {self.argument(1)}" if self.call in ("getsockopt", "setsockopt", "WSAIoctl", "ioctlsocket") else ""
        return f"{where}{option}: {short(self.ours)} / {short(self.theirs)}"

    def steps_before(self, *calls: str, name: str | None = None) -> Iterator[tuple[Step, Outcome]]:
        """Earlier steps of these calls (of all without), that have a name among their arguments, with our outcomes."""
        for step, outcome in zip(self.sequence[: self.at], self.before, strict=True):
            if (not calls or step.call in calls) and (name is None or name in step.names()):
                yield step, outcome


def short(outcome: Any) -> str:
    """An outcome without what differs from sequence to sequence."""
    if not isinstance(outcome, dict):
        text = str(outcome)
        return text if (text.isupper() and len(text) < 40) or text.startswith("WSA") else type(outcome).__name__
    kind, value = next(iter(outcome.items()))
    if kind == "ok":
        return f"ok {value}" if value == "pending" else "ok"
    return str(value).partition(" (")[0] if kind == "fails" else kind


@attrs.frozen
class Reason:
    """A difference that is known.

    Attributes:
        why: whose fault or right it is.
        takes: whether a difference is of this kind.
        stops: whether what follows it means nothing any more.
    """

    name: str
    why: Why
    takes: Callable[[Difference], bool]
    stops: bool = True


@attrs.frozen
class Verdict:
    """What a comparison has found: an unexplained difference or none, and the names of the reasons it met."""

    difference: Difference | None
    met: tuple[str, ...] = ()


def compare(
    sequence: Sequence, ours: list[Outcome], theirs: list[Outcome], reasons: tuple[Reason, ...] = ()
) -> Verdict:
    """Return the first difference for which there is no reason."""
    met: list[str] = []
    for at in range(len(sequence)):
        for difference in _differences(sequence, at, ours, theirs):
            reason = next((one for one in reasons if one.takes(difference)), None)
            if reason is None:
                return Verdict(difference, tuple(met))
            met.append(reason.name)
            if reason.stops:
                return Verdict(None, tuple(met))
    return Verdict(None, tuple(met))


def _differences(sequence: Sequence, at: int, ours: list[Outcome], theirs: list[Outcome]) -> Iterator[Difference]:
    one, other, before = ours[at], theirs[at], tuple(ours[:at])
    if one == other:
        return
    if sequence[at].call != "look" or "ok" not in one or "ok" not in other:
        yield Difference(sequence, at, one, other, before)
        return
    for name in one["ok"]:
        left, right = one["ok"][name], other["ok"].get(name)
        if left == right:
            continue
        if not isinstance(right, list) or name[0] == "p":
            yield Difference(sequence, at, left, right, before, name, 0)
            continue
        length = max(len(left), len(right))
        pairs = zip(_padded(left, length), _padded(right, length), strict=True)
        for place, (a, b) in enumerate(pairs):
            if a != b:
                yield Difference(sequence, at, a, b, before, name, place)


def _padded(values: list[Any], length: int) -> list[Any]:
    return values + [None] * (length - len(values))
