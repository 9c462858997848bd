"""Changes of other people's names, to be taken back.

Lives here:      setting and removing names, in modules and in ``sys.modules``, and the record of what was there before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

_ABSENT: Final = object()


class Changes:
    """What has been changed; undone in reverse, down to names that were not there."""

    def __init__(self) -> None:
        self._steps_back: list[Callable[[], None]] = []

    def set(self, names: dict[Any, Any], name: Any, value: Any) -> None:
        """Give a name in a namespace another value."""
        self.back_by(partial(_put_back, names, name, names.get(name, _ABSENT)))
        names[name] = value

    def remove(self, names: dict[Any, Any], name: Any) -> None:
        """Take a name out of a namespace, if it is there."""
        if name in names:
            self.back_by(partial(_put_back, names, name, names.pop(name)))

    def back_by(self, step: Callable[[], None]) -> None:
        """Record a change of another kind by what takes it back."""
        self._steps_back.append(step)

    def undo(self) -> None:
        """Make it all as it was."""
        while self._steps_back:
            self._steps_back.pop()()


def _put_back(names: dict[Any, Any], name: Any, before: Any) -> None:
    if before is _ABSENT:
        names.pop(name, None)
    else:
        names[name] = before
