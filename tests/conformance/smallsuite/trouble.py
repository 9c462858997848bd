"""Cases that end their process, stop it, or just pass and fail."""

from __future__ import annotations

import os
import signal

from conformance.model import Row, case
from conformance.target import Target
from conformance.verify import expect

CHAPTER = "Trouble"


@case(
    "trouble.passes.{row}", chapter=CHAPTER, source="nowhere", basis="choice", rows={f"n{n}": Row(n) for n in range(5)}
)
def passes(ws: Target, number: int) -> None:
    """A socket can be made and closed."""
    ws.closesocket(ws.socket(2, 1, 6))


@case("trouble.fails", chapter=CHAPTER, source="nowhere", basis="choice", gap={"emulator": "never tried"})
def fails(ws: Target) -> None:
    """One is two."""
    expect("one", expected=2, actual=1)


@case("trouble.dies", chapter=CHAPTER, source="nowhere", basis="choice")
def dies(ws: Target) -> None:
    """The process ends without a word, as after a fault in C code."""
    os._exit(7)


@case("trouble.stops", chapter=CHAPTER, source="nowhere", basis="choice", seconds=0.2)
def stops(ws: Target) -> None:
    """The process stands still, so that its own time limit cannot work."""
    os.kill(os.getpid(), signal.SIGSTOP)
