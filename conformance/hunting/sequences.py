"""A sequence of calls as data: what both targets replay, what a file keeps, what a difference is shown with.

Part played:     the score. It has names (``s0`` a socket, ``e0`` an event, ``o0`` an overlapped record, ``p0`` a
                 completion port) where a program has handles, so that the same sequence makes sense on every target.
Lives elsewhere: what each call does (vocabulary), running (world).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import attrs

#: What stands in a step: a number, a name or another word, None for NULL, a list of these.
Argument = Any


def _frozen(value: Argument) -> Argument:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


@attrs.frozen
class Step:
    """One call with its arguments."""

    call: str
    arguments: tuple[Argument, ...] = attrs.field(converter=_frozen)

    def __str__(self) -> str:
        return f"{self.call}({', '.join(map(_shown, self.arguments))})"

    def names(self) -> set[str]:
        """The names in its arguments."""
        return set(_names(self.arguments))


Sequence = tuple[Step, ...]


def _shown(value: Argument) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if value is None:
        return "NULL"
    return value if isinstance(value, str) else str(value)


def is_name(value: Argument) -> bool:
    """Whether an argument is the name of something that a step makes."""
    return isinstance(value, str) and value[:1] in "seop" and value[1:].isdigit()


def _names(values: Iterable[Argument]) -> Iterable[str]:
    for value in values:
        if isinstance(value, tuple):
            yield from _names(value)
        elif is_name(value):
            yield value
        elif isinstance(value, str) and value[:1] == "@":
            yield value[1:]


def to_json(sequence: Sequence) -> list[Any]:
    """Return a sequence as a list of ``[call, argument, …]``."""
    return [[step.call, *step.arguments] for step in sequence]


def from_json(steps: Iterable[Any]) -> Sequence:
    """Return the sequence of such a list."""
    return tuple(Step(call, tuple(arguments)) for call, *arguments in steps)


def text_of(sequence: Sequence) -> str:
    """Return one line of text: the shortest form that can be given to the command again."""
    return json.dumps(to_json(sequence), separators=(",", ":"))
