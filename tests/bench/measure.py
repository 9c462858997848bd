"""Measuring: two pieces of work in turns, and the quotient of their times in each turn.

Absolute times drift by a factor of two over seconds on a shared machine; the quotient of two slices that ran within
some milliseconds of each other does not. So each round runs a slice of both, first the one and then the other, and
the result is the median of the rounds' quotients. Everything that takes part is pinned to one CPU, since a wake-up
that crosses to another idle CPU of a virtual machine costs ten times the work measured.
"""

from __future__ import annotations

import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

import attrs

Work = Callable[[int], None]
"""Does its work as often as it is told."""

Slice = Callable[[int], int]
"""The same, and returns the nanoseconds it took."""


class Unavailable(Exception):
    """This machine lacks what a row needs."""


@attrs.frozen
class Plan:
    """How much to measure.

    Attributes:
        rounds: quotients to take.
        slice_ms: what one slice should last.
        repeats: fresh processes, where a row measures processes.
        limit_s: a row that takes longer is broken off.
    """

    rounds: int
    slice_ms: float
    repeats: int
    limit_s: float


FULL = Plan(rounds=61, slice_ms=4, repeats=8, limit_s=60)
QUICK = Plan(rounds=15, slice_ms=1.5, repeats=3, limit_s=30)


@attrs.frozen
class Measured:
    """The outcome of a row: the quotient or the bytes, the quartiles around it, and the times behind it.

    The times are for reading: they vary with whatever else the machine does, and nothing is judged by them.
    """

    value: float
    quartiles: tuple[float, float]
    rounds: int
    ns: tuple[float, float] | None = None  # medians per unit of work: ours, and what it is divided by
    notes: dict[str, float] = attrs.field(factory=dict)

    @classmethod
    def of(cls, values: Sequence[float], ns: tuple[float, float] | None = None, **notes: float) -> Measured:
        """The median and the quartiles of the values of all rounds."""
        if len(values) == 1:
            return cls(values[0], (values[0], values[0]), 1, ns, notes)
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(middle, (low, high), len(values), ns, notes)


def timed(work: Work) -> Slice:
    """A slice of a piece of work of this process."""
    clock = time.perf_counter_ns

    def run(count: int) -> int:
        began = clock()
        work(count)
        return clock() - began

    return run


def compare(ours: Slice, theirs: Slice, plan: Plan) -> tuple[list[float], tuple[float, float]]:
    """Run both in turns: the quotient of each round, and the median nanoseconds of each."""
    contenders = (ours, theirs)
    counts = [_count(contender, plan.slice_ms * 1e6) for contender in contenders]
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(plan.rounds):
        for index in (0, 1) if turn % 2 else (1, 0):
            times[index].append(contenders[index](counts[index]) / counts[index])
    quotients = [one / other for one, other in zip(*times, strict=True)]
    return quotients, (statistics.median(times[0]), statistics.median(times[1]))


def _count(contender: Slice, wanted_ns: float) -> int:
    """How often the work fits into a slice; finding out also warms it up."""
    count = 1
    contender(count)
    while True:
        elapsed = contender(count)
        if elapsed * 2 >= wanted_ns:
            return max(1, round(count * wanted_ns / elapsed))
        count *= 2


# The machine


def can_pin() -> bool:
    """Whether this host lets a process choose its CPU."""
    return hasattr(os, "sched_setaffinity")


@contextmanager
def pinned() -> Iterator[int | None]:
    """Keep this process and its children on one CPU: the last one, as interrupts tend to go to the first."""
    if not can_pin():
        yield None
        return
    before = os.sched_getaffinity(0)
    chosen = max(before)
    os.sched_setaffinity(0, {chosen})
    try:
        yield chosen
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def bounded(limit_s: float) -> Iterator[None]:
    """Break off a block that takes too long, also one that waits inside a call, with TimeoutError."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("only the main thread can be measured: only it can be broken off")

    def too_long(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"not done within {limit_s:g} s")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
