"""Background tasks: they end once, or not at all after a cancel, and their threads end with the work."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.concurrency import LIMIT_S, until
from winsock2emu.kernel.tasks import WORKERS, BackgroundTasks

PREFIX = "winsock2emu-lookup"


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == PREFIX]


class Work:
    """Jobs that wait for a sign, and what has been told of their ends."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.told: list[int] = []
        self.refusals = 0

    def job(self) -> Callable[[int], bool]:
        self.begun.release()
        assert self.go.wait(LIMIT_S)
        return self.end

    def end(self, number: int) -> bool:
        if self.refusals:
            self.refusals -= 1
            return False
        self.told.append(number)
        return True


@pytest.fixture
def work() -> Work:
    return Work()


def test_an_end_is_told_once_and_the_thread_goes(work: Work) -> None:
    tasks = BackgroundTasks()
    number = tasks.start(work.job)
    work.go.set()

    until(lambda: not threads(), "the worker ended")

    assert work.told == [number]
    assert tasks.cancel(number) is False


def test_a_cancelled_task_is_not_told(work: Work) -> None:
    """One is cancelled while its job runs; the next one is told."""
    tasks = BackgroundTasks()
    first, second = tasks.start(work.job), tasks.start(work.job)
    assert work.begun.acquire(timeout=LIMIT_S)

    assert tasks.cancel(first) is True
    assert tasks.cancel(first) is False
    work.go.set()
    until(lambda: not threads(), "the workers ended")

    assert work.told == [second]


def test_a_task_that_never_was_cannot_be_cancelled() -> None:
    tasks = BackgroundTasks()

    assert tasks.cancel(0) is None
    assert tasks.cancel(1) is None


def test_an_end_that_is_refused_comes_again(work: Work) -> None:
    tasks = BackgroundTasks()
    work.refusals = 3
    number = tasks.start(work.job)
    work.go.set()

    until(lambda: work.told, "the end was told")

    assert work.told == [number]
    until(lambda: not threads(), "the worker ended")


def test_there_are_never_more_threads_than_workers(work: Work) -> None:
    """Twenty jobs that all wait."""
    tasks = BackgroundTasks()
    numbers = [tasks.start(work.job) for _ in range(20)]
    for _ in range(WORKERS):
        assert work.begun.acquire(timeout=LIMIT_S)
    running = len(threads())
    work.go.set()
    until(lambda: not threads(), "the workers ended")

    assert running == WORKERS
    assert sorted(work.told) == numbers


def test_cancelling_all_is_silent(work: Work) -> None:
    tasks = BackgroundTasks()
    numbers = [tasks.start(work.job) for _ in range(6)]
    assert work.begun.acquire(timeout=LIMIT_S)

    tasks.cancel_all()
    work.go.set()
    until(lambda: not threads(), "the workers ended")

    assert work.told == []
    assert {tasks.cancel(number) for number in numbers} == {False}
