"""Random sequences: hypothesis draws numbers, the vocabulary makes a sequence of them that makes sense.

Part played:     the source. Each step is drawn alone: which call, and a number for each parameter. Only then the
                 sequence is put together, with a sketch of what is there by now. So hypothesis can take steps away and
                 make numbers smaller without spoiling the rest: what shrinks well.
Lives elsewhere: calls and their kinds of parameters (vocabulary), names and roles (sketch).
"""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from .sequences import Sequence, Step
from .sketch import Sketch
from .vocabulary import CALLS, SPAN, Call, Missing

#: What sequences begin with: the calls that make something to work with.
OPENINGS: Final = ("pair", "pair", "pair", "listener", "listener", "udp_pair", "tcp", "udp")
#: What is made first when a step wants something of a kind, or in a role, that is not there.
MAKERS: Final = {
    "socket": "tcp",
    "stream": "tcp",
    "bound": "tcp",
    "listening": "listener",
    "connected": "pair",
    "event": "WSACreateEvent",
    "port": "completion_port",
}
MOST_STEPS: Final = 16
Drawn = tuple[str, tuple[int, ...]]

_NUMBER: Final = st.integers(0, SPAN - 1)


def _drawn(name: str) -> st.SearchStrategy[Drawn]:
    return st.tuples(st.just(name), st.tuples(*(_NUMBER for _ in CALLS[name].parameters)))


def drawn_steps() -> st.SearchStrategy[tuple[Drawn, list[Drawn]]]:
    """An opening and further steps, as numbers."""
    weighted = [name for name, call in CALLS.items() for _ in range(call.weight)]
    step = st.sampled_from(weighted).flatmap(_drawn)
    return st.tuples(st.sampled_from(OPENINGS).flatmap(_drawn), st.lists(step, min_size=4, max_size=MOST_STEPS))


def _put_together(drawn: tuple[Drawn, list[Drawn]]) -> Sequence:
    opening, rest = drawn
    sketch = Sketch()
    steps: list[Step] = []
    for name, numbers in (opening, *rest):
        _add(steps, sketch, CALLS[name], numbers)
    return (*steps, Step("look", ()))


def _add(steps: list[Step], sketch: Sketch, call: Call, numbers: tuple[int, ...]) -> None:
    arguments: list[Any] = []
    for kind, n in zip(call.parameters, numbers, strict=True):
        try:
            arguments.append(kind.pick(n, sketch))
        except Missing as missing:
            maker = MAKERS.get(str(missing))
            if maker is None:  # a request cannot be made beside
                return
            _add(steps, sketch, CALLS[maker], (0,) * len(CALLS[maker].parameters))
            arguments.append(kind.pick(n, sketch))
    for place, role in call.turns.items():
        name = arguments[place]
        if isinstance(name, str):
            datagram = "datagram" in sketch.roles.get(name, "")
            sketch.turn(name, f"{role}-datagram" if datagram and role == "bound" else role)
    steps.append(Step(call.name, tuple(arguments)))


def sequences() -> st.SearchStrategy[Sequence]:
    """Sequences that make sense, mostly."""
    return drawn_steps().map(_put_together)
