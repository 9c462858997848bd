"""Changes of other people's names, to be taken back.

Lives here:      setting and removing names, in modules and in ``sys.modules``, and the record of what was there before.
"""

from __future__ import annotations

from typing import Any, Final

_ABSENT: Final = object()


class Changes:
    """What has been changed; undone in reverse, down to names that were not there."""

    def __init__(self) -> None:
        self._before: list[tuple[dict[Any, Any], Any, Any]] = []

    def set(self, names: dict[Any, Any], name: Any, value: Any) -> None:
        """Give a name in a namespace another value."""
        self._before.append((names, name, names.get(name, _ABSENT)))
        names[name] = value

    def remove(self, names: dict[Any, Any], name: Any) -> None:
        """Take a name out of a namespace, if it is there."""
        if name in names:
            self._before.append((names, name, names.pop(name)))

    def undo(self) -> None:
        """Make it all as it was."""
        while self._before:
            names, name, before = self._before.pop()
            if before is _ABSENT:
                names.pop(name, None)
            else:
                names[name] = before
