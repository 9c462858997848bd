"""The thread pool beneath its functions: growing, ending, forking."""

from __future__ import annotations

import threading

import pytest

from tests.concurrency import until
from winsock2emu.kernel.events import Event
from winsock2emu.kernel.pool import CallbackPort, RegisteredWait, ThreadPool
from winsock2emu.process import Process

PATIENCE_S = 10


@pytest.fixture
def pool() -> ThreadPool:
    return ThreadPool(Process())


def names() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("winsock2emu-")]


def test_workers_grow_with_work_that_blocks_and_end_without(pool: ThreadPool) -> None:
    go_on, inside = threading.Event(), threading.Semaphore(0)

    def block() -> None:
        inside.release()
        assert go_on.wait(PATIENCE_S)

    for _ in range(20):
        pool.submit(block)
    for _ in range(20):
        assert inside.acquire(timeout=PATIENCE_S)
    assert names().count("winsock2emu-pool") == 20
    go_on.set()
    until(lambda: not names(), "the workers end")


def test_a_cancelled_wait_is_not_told_of_what_comes_later(pool: ThreadPool) -> None:
    thing, seen = Event(manual_reset=False), list[bool]()
    registration = RegisteredWait(thing, seen.append, None, once=False, inline=False)
    pool.register(registration)
    assert registration.cancel(None, True) is False
    thing.set()
    until(lambda: not names(), "the wait thread ends")
    assert (seen, thing.signalled) == ([], True)


def test_a_forked_child_begins_with_an_empty_pool(pool: ThreadPool) -> None:
    """The parent's workers do not count, and what waited for them is the parent's."""
    go_on, inside, done = threading.Event(), threading.Event(), threading.Event()

    def block() -> None:
        inside.set()
        assert go_on.wait(PATIENCE_S)

    pool.submit(block)
    assert inside.wait(PATIENCE_S)
    pool.after_fork()
    pool.submit(done.set)
    assert done.wait(PATIENCE_S)
    go_on.set()
    until(lambda: not names(), "all workers end")


def test_packets_of_a_callback_port_are_all_told(pool: ThreadPool) -> None:
    seen: list[tuple[int, int, object]] = []
    port = CallbackPort(pool, lambda *packet: seen.append(packet))
    for number in range(100):
        port.post((0, number, 0, number))
    until(lambda: len(seen) == 100, "every packet is told")
    assert sorted(moved for _, moved, _ in seen) == list(range(100))
    until(lambda: not names(), "the workers end")
