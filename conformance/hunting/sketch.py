"""What a sequence has made so far, told without running it: names, and the role each socket should have by now.

Part played:     lets the generator choose arguments that make sense (a connected socket to receive from), mostly.
Lives elsewhere: what really happens (world): a call that fails leaves its socket in another role than this says.
"""

from __future__ import annotations

import attrs

#: letter of a name -> what it names
KINDS = {"s": "socket", "e": "event", "o": "record", "p": "port"}
_LETTERS = {kind: letter for letter, kind in KINDS.items()}


@attrs.define
class Sketch:
    """Names in the order they were made, each with its role ("" where only the name matters)."""

    roles: dict[str, str] = attrs.field(factory=dict)
    _made: dict[str, int] = attrs.field(factory=dict)

    def new(self, kind: str) -> str:
        """Return the next name of this kind."""
        number = self._made.get(kind, 0)
        self._made[kind] = number + 1
        name = f"{_LETTERS[kind]}{number}"
        self.roles[name] = ""
        return name

    def known(self, kind: str, *roles: str) -> list[str]:
        """The names of this kind that are in one of these roles; of the whole kind without roles."""
        letter = _LETTERS[kind]
        return [name for name, role in self.roles.items() if name[0] == letter and (not roles or role in roles)]

    def turn(self, name: str, role: str | None) -> None:
        """Something gets another role; None: it is gone."""
        if role is None:
            self.roles.pop(name, None)
        elif name in self.roles:
            self.roles[name] = role
