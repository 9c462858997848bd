"""The hunt: batches of random sequences, what differs in them, and the shortest sequence that still shows it.

Part played:     ``winsock2emu conformance hunt``.
Lives here:      the command, batches and their seeds, confirming and shrinking a difference, worker processes.
Lives elsewhere: drawing (generator), playing (world), judging (comparing, reasons).

A batch is so many sequences from one seed. The same seed gives the same sequences, whatever the run it is in: a run of
seed 7 with 20 000 sequences has the batches 7, 8, 9, … A difference is confirmed first: it has to be there again twice
when both targets are given much time to settle; what is not is counted as passing. Then the batch is drawn again, for
hypothesis to shrink the sequence, and it is listed with the seed of its batch.

Every worker process has its targets for itself. One that says nothing for a while (a call that hangs) is ended, what it
was playing is listed, and another goes on with the next batch.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from collections.abc import Sequence as SequenceOf
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import attrs
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded

from .. import targets
from ..target import Target
from . import corpus
from .comparing import Difference, Verdict, compare
from .generator import sequences
from .reasons import reasons_for
from .sequences import Sequence, from_json, text_of
from .vocabulary import CALLS
from .world import Outcome, Stage

#: Sequences of one seed.
BATCH: Final = 100
#: Sequences after which the targets are cleaned up from the ground.
CLEANING: Final = 50
#: Seconds after which one play counts as hung, and after which a worker does.
HUNG, LOST = 4.0, 90.0


@attrs.frozen
class Found:
    """A difference without a reason, shrunk."""

    signature: str
    seed: int
    sequence: list[Any]
    ours: list[Outcome]
    theirs: list[Outcome]
    at: int


@attrs.define
class Tally:
    """What a batch, or a run, comes to."""

    sequences: int = 0
    steps: int = 0
    passing: int = 0  # differences that were not there again
    met: Counter[str] = attrs.field(factory=Counter)  # reasons
    found: dict[str, Found] = attrs.field(factory=dict)
    hung: list[str] = attrs.field(factory=list)
    kept: list[tuple[Sequence, list[Outcome]]] = attrs.field(factory=list)  # candidates for the corpus

    def add(self, other: Tally) -> None:
        self.sequences += other.sequences
        self.steps += other.steps
        self.passing += other.passing
        self.met.update(other.met)
        self.hung += other.hung
        self.kept += other.kept
        for signature, found in other.found.items():
            kept = self.found.get(signature)
            if kept is None or len(found.sequence) < len(kept.sequence):
                self.found[signature] = found


class Shown(Exception):
    """Raised in a property for hypothesis to shrink."""


class Hunt:
    """Two targets, and how a sequence fares on both."""

    def __init__(self, ours: Target, theirs: Target) -> None:
        self._reasons = reasons_for(theirs.name)
        self._stages = [Stage(target, CALLS) for target in (ours, theirs)]
        self._plays_left = 0
        self._covered: set[str] = set()
        self._answers: list[Outcome] | None = None  # of the referee, to what was played last
        self.hung: list[str] = []

    def close(self) -> None:
        for stage in self._stages:
            with contextlib.suppress(Exception):
                stage.close()

    def play(self, sequence: Sequence, *, thorough: bool = False) -> tuple[list[Outcome], list[Outcome]] | None:
        """Play it on both; None where one of them did not come to its end."""
        if self._plays_left <= 0:
            self._begin_again()
        self._plays_left -= 1
        self._answers = None
        outcomes = []
        for stage in self._stages:
            try:
                with _watched(stage):
                    outcomes.append(stage.play(sequence, thorough=thorough))
            except Exception as error:
                self.hung.append(f"{stage.ws.name}: {error}: {text_of(sequence)}")
                self._plays_left = 0
                return None
        self._answers = outcomes[1]
        return outcomes[0], outcomes[1]

    def _begin_again(self) -> None:
        """Clean up from the ground. Two of our targets are one emulated process: both are closed before one opens."""
        self.close()
        for stage in self._stages:
            stage.open()
        self._plays_left = CLEANING

    def verdict(self, sequence: Sequence, *, thorough: bool = False) -> Verdict:
        """Play and compare."""
        both = self.play(sequence, thorough=thorough)
        return Verdict(None) if both is None else compare(sequence, *both, self._reasons)

    def _keep(self, sequence: Sequence, tally: Tally) -> None:
        """Keep the sequence that was played last if it meets something new, and answers the same again."""
        theirs = self._answers
        if theirs is None or not (new := corpus.features(sequence, theirs) - self._covered):
            return
        again = self.play(sequence, thorough=True)
        if again is not None and again[1] == theirs:
            self._covered |= new
            tally.kept.append((sequence, theirs))

    def confirmed(self, difference: Difference) -> bool:
        """Whether a difference is there again, however long one waits."""
        return all(
            (again := self.verdict(difference.sequence, thorough=True).difference) is not None
            and again.signature == difference.signature
            for _ in range(2)
        )

    def batch(
        self, seed: int, count: int, known: frozenset[str] = frozenset(), *, shrinks: bool = True, keeps: bool = False
    ) -> Tally:
        """Play the sequences of one seed.

        Args:
            seed: of the batch.
            count: of sequences.
            known: signatures that need no shrinking any more.
            shrinks: whether what is found is shrunk.
            keeps: whether sequences that meet something new are kept for the corpus.
        """
        tally = Tally()
        met: dict[str, Difference] = {}

        def body(sequence: Sequence) -> None:
            verdict = self.verdict(sequence)
            tally.sequences += 1
            tally.steps += len(sequence)
            tally.met.update(set(verdict.met))
            found = verdict.difference
            if found is not None and found.signature not in met:
                if self.confirmed(found):
                    met[found.signature] = found
                else:
                    tally.passing += 1
            if keeps and found is None:
                self._keep(sequence, tally)

        _draw(seed, count, body)
        for signature, difference in met.items():
            shrunk = difference.sequence
            if shrinks and signature not in known:
                shrunk = self.shrunk(seed, count, difference)
            both = self.play(shrunk, thorough=True)
            if both is not None:
                tally.found[signature] = Found(signature, seed, json.loads(text_of(shrunk)), *both, difference.at)
        tally.hung, self.hung = self.hung, []
        return tally

    def shrunk(self, seed: int, count: int, wanted: Difference) -> Sequence:
        """Return the simplest sequence that hypothesis finds for a difference of this signature."""
        best = wanted.sequence

        def body(sequence: Sequence) -> None:
            nonlocal best
            found = self.verdict(sequence).difference
            if found is not None and found.signature == wanted.signature:
                best = sequence
                raise Shown

        with contextlib.suppress(Exception):  # Shown, or hypothesis' own when it is not there again
            _draw(seed, count, body, shrink=True)
        again = self.verdict(best, thorough=True).difference
        return best if again is not None and again.signature == wanted.signature else wanted.sequence


def _draw(seed: int, count: int, body: Callable[[Sequence], None], *, shrink: bool = False) -> None:
    """Draw the sequences of a seed; with ``shrink``, make what raises simpler."""

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
    )
    @given(sequences())
    def property(sequence: Sequence) -> None:
        body(sequence)

    property()


@contextlib.contextmanager
def _watched(stage: Stage) -> Iterator[None]:
    """End the far end of a bridge whose call does not return: then that call fails."""
    close = getattr(getattr(stage.ws, "machine", None), "close", None)
    if close is None:  # in this process: only its end helps, and the run sees to it
        yield
        return
    timer = threading.Timer(HUNG, close)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


# ---- worker processes ------------------------------------------------------------------------------------------


@attrs.frozen
class _Batch:
    seed: int
    count: int


def _serve(connection: Connection, names: SequenceOf[str], shrinks: bool, keeps: bool) -> None:
    """Play batches until the connection ends: what a worker process runs."""
    hunt = Hunt(*map(targets.make, names))
    connection.send(None)
    with contextlib.suppress(EOFError):
        while True:
            batch, known = connection.recv()
            connection.send(hunt.batch(batch.seed, batch.count, known, shrinks=shrinks, keeps=keeps))
    hunt.close()


class _Worker:
    """A process, and the batch it has."""

    def __init__(self, names: SequenceOf[str], shrinks: bool, keeps: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, names, shrinks, keeps))
        self.process.start()
        theirs.close()
        self.batch: _Batch | None = None
        self.deadline = time.monotonic() + LOST

    def give(self, batch: _Batch, known: frozenset[str]) -> None:
        self.batch, self.deadline = batch, time.monotonic() + LOST
        self.connection.send((batch, known))

    def end(self) -> None:
        self.connection.close()
        self.process.join(2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def _run_batches(
    names: SequenceOf[str],
    batches: SequenceOf[_Batch],
    workers: int,
    progress: Callable[[Tally], None],
    *,
    shrinks: bool,
    keeps: bool,
) -> Tally:
    """Have all batches played by worker processes."""

    def start() -> _Worker:
        return _Worker(names, shrinks, keeps)

    whole, waiting = Tally(), deque(batches)
    running = [start() for _ in range(min(workers, len(batches)))]
    try:
        while running:
            soonest = min(worker.deadline for worker in running)
            ready = wait([worker.connection for worker in running], max(0.0, soonest - time.monotonic()))
            for worker in list(running):
                alive = worker.connection in ready
                if not alive and worker.deadline > time.monotonic():
                    continue
                try:
                    tally = worker.connection.recv() if alive else None
                except (EOFError, OSError):
                    alive, tally = False, None
                if tally is not None:
                    whole.add(tally)
                    progress(whole)
                if not alive:
                    worker.process.kill()
                    if worker.batch is None:
                        raise RuntimeError("a worker process cannot begin")
                    whole.hung.append(f"seed {worker.batch.seed}: the worker process answered no more")
                if alive and waiting:
                    worker.give(waiting.popleft(), frozenset(whole.found))
                    continue
                worker.end()
                running.remove(worker)
                if waiting:
                    running.append(start())
    finally:
        for worker in running:
            worker.process.kill()
            worker.end()
    return whole


# ---- the command -----------------------------------------------------------------------------------------------


def main(argv: SequenceOf[str] | None = None) -> int:
    """Run the command; 0: no unknown difference, 1: some, or ours broke, 2: wrong usage, 3: a target is not here."""
    parser = argparse.ArgumentParser(
        prog="winsock2emu conformance hunt",
        description="Play random sequences of calls on two targets and tell where they differ without a known reason.",
    )
    parser.add_argument("--target", action="append", default=[], metavar="NAME", help="twice; else emulator and wine")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the first batch (default 1)")
    parser.add_argument("--sequences", type=int, default=2000, metavar="N", help="how many (default 2000)")
    parser.add_argument("-j", "--jobs", type=int, default=1, metavar="N", help="worker processes")
    parser.add_argument("--no-shrink", action="store_true", help="list differences as they were found")
    parser.add_argument("--keep", type=int, default=0, metavar="N", help="make a new corpus of at most N sequences")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was found")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="play the sequence of a file instead ('-': input)")
    arguments = parser.parse_args(argv)
    names = tuple(arguments.target) or ("emulator", "wine")
    if len(names) != 2 or not all(name in targets.MODULES for name in names):
        parser.error(f"two targets out of {', '.join(targets.MODULES)}")
    try:
        for name in names:
            targets.make(name)
    except targets.Unavailable as why:
        print(f"hunt: a target does not run here: {why}", file=sys.stderr)
        return 3
    if arguments.replay is not None:
        text = sys.stdin.read() if str(arguments.replay) == "-" else arguments.replay.read_text(encoding="utf-8")
        return _replay(names, from_json(json.loads(text)))

    batches = [
        _Batch(arguments.seed + i, min(BATCH, arguments.sequences - i * BATCH))
        for i in range(-(-arguments.sequences // BATCH))
    ]
    began = time.monotonic()

    def progress(tally: Tally) -> None:
        if sys.stderr.isatty():
            done = f"{tally.sequences} of {arguments.sequences} sequences, {len(tally.found)} differences"
            print(f"\r{done} ", end="", file=sys.stderr, flush=True)

    tally = _run_batches(
        names, batches, arguments.jobs, progress, shrinks=not arguments.no_shrink, keeps=arguments.keep > 0
    )
    _tell(names, tally, time.monotonic() - began)
    if arguments.keep:
        pool = [corpus.Entry("covers", sequence, names[1], outcomes) for sequence, outcomes in tally.kept]
        corpus.write(corpus.COVERING, corpus.covering(pool, arguments.keep))
    if arguments.json is not None:
        found = [attrs.asdict(one) for one in tally.found.values()]
        arguments.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    lost = [what for what in tally.hung if not what.startswith(f"{names[1]}: ")]  # a referee may die, ours may not
    return 1 if tally.found or lost or not tally.sequences else 0


def _replay(names: tuple[str, ...], sequence: Sequence) -> int:
    hunt = Hunt(*map(targets.make, names))
    both = hunt.play(sequence, thorough=True)
    if both is None:
        print(hunt.hung[0])
        return 1
    _show(names, sequence, *both)
    verdict = compare(sequence, *both, reasons_for(names[1]))
    for reason in verdict.met:
        print(f"known: {reason}")
    hunt.close()
    return 0 if verdict.difference is None else 1


def _show(names: SequenceOf[str], sequence: Sequence, ours: list[Outcome], theirs: list[Outcome]) -> None:
    for step, one, other in zip(sequence, ours, theirs, strict=True):
        if one == other:
            print(f"    {step}: {_text(one)}")
        else:
            print(f"  ! {step}")
            print(f"        {names[0]}: {_text(one)}\n        {names[1]}: {_text(other)}")


def _text(outcome: Outcome) -> str:
    return " ".join(f"{key} {json.dumps(value, ensure_ascii=False)}" for key, value in outcome.items())


def _tell(names: SequenceOf[str], tally: Tally, seconds: float) -> None:
    print(
        f"{tally.sequences} sequences, {tally.steps} steps, on {names[0]} and {names[1]} in {seconds:.0f} s: "
        f"{len(tally.found)} differences without a reason; {tally.passing} were not there again"
    )
    for reason, times in tally.met.most_common():
        print(f"  known, in {times} sequences: {reason}")
    for hung in tally.hung:
        print(f"  did not come to an end: {hung}")
    for found in tally.found.values():
        print(f"\n{found.signature}   (--seed {found.seed} --sequences {BATCH})")
        sequence = from_json(found.sequence)
        _show(names, sequence, found.ours, found.theirs)
        print(f"    {text_of(sequence)}")


if __name__ == "__main__":
    sys.exit(main())
