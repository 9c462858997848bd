"""Running cases in processes of their own: several at a time, and none that can take the run with it.

Part played:     ``-j N``. A worker imports the suite, is told one case at a time and answers with its result.
Lives elsewhere: what running a case means (runner, passed in by name through the worker's own import).

A worker that dies (a fault in C code, ``os._exit``) costs the case it had; one that answers nothing when the
case's time and the time for cleaning up are over is ended, and one that a hung case has left threads in is
replaced. Cases are no objects that can be sent: a worker finds them by id in the package they come from.
"""

from __future__ import annotations

import importlib
import multiprocessing
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import attrs

from .model import Case, Outcome, Result

#: Seconds beyond a case's own time after which its worker counts as hung: twice the time for cleaning up, and
#: a margin for a busy machine.
MARGIN = 20.0
#: Seconds that a worker may take to import the suite.
STARTING = 120.0


@attrs.frozen(kw_only=True)
class Terms:
    """What every worker is told once."""

    package: str  # the dotted name of the package of cases
    seconds: float
    strict: bool


@attrs.frozen
class Job:
    """One case on one target."""

    case: Case
    target: str


def _serve(connection: Connection, terms: Terms) -> None:
    """Answer jobs until the connection ends: what a worker process runs."""
    runner = importlib.import_module(".runner", __package__)
    targets = importlib.import_module(".targets", __package__)
    cases = {case.id: case for case in runner.collect(importlib.import_module(terms.package)).cases}
    made = {}
    connection.send(None)
    while True:
        try:
            target, id = connection.recv()
        except EOFError:
            return
        if target not in made:
            made[target] = targets.make(target)
        connection.send(runner.run_case(cases[id], made[target], seconds=terms.seconds, strict=terms.strict))


class _Worker:
    """A process, and the job it has."""

    def __init__(self, terms: Terms) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(target=_serve, args=(theirs, terms))
        self.process.start()
        theirs.close()  # or its end would never be seen
        self.job: Job | None = None
        self.began = time.monotonic()
        self.deadline = self.began + STARTING

    def give(self, job: Job, seconds: float) -> None:
        self.job, self.began = job, time.monotonic()
        self.deadline = self.began + 2 * seconds + MARGIN  # a case of both forms runs twice
        self.connection.send((job.target, job.case.id))

    def failed(self, why: str) -> Result:
        steps = ("the worker process had this case when it ended; see what it printed on standard error",)
        return Result(outcome=Outcome.ERROR, reason=why, steps=steps, seconds=time.monotonic() - self.began)

    def end(self) -> int | None:
        """End the process if it still runs, and return its exit status (negative: a signal)."""
        self.connection.close()
        self.process.join(1)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode


class WorkerFailed(Exception):
    """A worker could not even begin; str() says why."""


def run_jobs(
    jobs: Sequence[Job], terms: Terms, workers: int, *, begins: Callable[[Job], None] | None = None
) -> Iterator[tuple[Job, Result]]:
    """Run jobs in ``workers`` processes and yield results as they come.

    Raises:
        WorkerFailed: a process ended before it had a case: the suite cannot be imported in one.
    """
    waiting = deque(jobs)
    running = [_Worker(terms) for _ in range(min(workers, len(jobs)))]
    try:
        while running:
            first = min(worker.deadline for worker in running)
            ready = wait([worker.connection for worker in running], max(0.0, first - time.monotonic()))
            for worker in list(running):
                usable = True
                if worker.connection in ready:
                    try:
                        result = worker.connection.recv()
                    except (EOFError, OSError):
                        result = worker.failed(f"the process that ran it ended with status {worker.end()}")
                        usable = False
                elif worker.deadline <= time.monotonic():
                    worker.process.kill()
                    result = worker.failed("the process that ran it answered no more and was ended")
                    usable = False
                else:
                    continue
                if worker.job is not None:
                    usable = usable and "still runs" not in result.reason
                    yield worker.job, result
                elif not usable:
                    raise WorkerFailed(result.reason)
                if not usable or not waiting:
                    worker.end()
                    running.remove(worker)
                if waiting:
                    if not usable:
                        running.append(_Worker(terms))  # gets its job when it says that it is ready
                        continue
                    job = waiting.popleft()
                    if begins is not None:
                        begins(job)
                    worker.give(job, job.case.seconds or terms.seconds)
    finally:
        for worker in running:
            worker.process.kill()
            worker.end()
