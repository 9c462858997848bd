"""A module whose cases run beside nothing."""

from __future__ import annotations

from conformance.model import case
from conformance.target import Target

CHAPTER = "Solitary"
ALONE = True


@case("solitary.passes", chapter=CHAPTER, source="nowhere", basis="choice")
def passes(ws: Target) -> None:
    """A socket can be made and closed."""
    ws.closesocket(ws.socket(2, 1, 6))
