"""Rows 21 to 26: events and completion ports without sockets, against threading and queue."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from functools import partial
from queue import Queue, SimpleQueue
from typing import Any, Final

import attrs

from winsock2emu import kernel32
from winsock2emu import ws2_32 as api
from winsock2emu.defs.constants import INFINITE

from .measure import Measured, Plan, Work, compare, timed
from .sockets import started

NO_FILE: Final = 0xFFFFFFFFFFFFFFFF  # INVALID_HANDLE_VALUE


def in_this_process(work: Callable[[], None]) -> threading.Thread:
    """A thread in the current emulated process."""
    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), daemon=True)
    thread.start()
    return thread


def events(count: int) -> Work:
    """Set the last of some events, wait for any, reset it."""
    handles = [api.WSACreateEvent() for _ in range(count)]
    last = handles[-1]

    def work(count: int) -> None:
        for _ in range(count):
            api.WSASetEvent(last)
            api.WSAWaitForMultipleEvents(handles, False, INFINITE, False)
            api.WSAResetEvent(last)

    return work


def event_one(plan: Plan) -> Measured:
    event = threading.Event()

    def theirs(count: int) -> None:
        for _ in range(count):
            event.set()
            event.wait()
            event.clear()

    with started():
        return Measured.of(*compare(timed(events(1)), timed(theirs), plan))


def event_group(plan: Plan, count: int) -> Measured:
    with started():
        return Measured.of(*compare(timed(events(count)), timed(events(1)), plan))


def host_pingpong() -> tuple[Work, Callable[[], None]]:
    """Two threads that wait for each other in turns, over threading.Event; and what ends the other one."""
    there, back = threading.Event(), threading.Event()
    over = False

    def answer() -> None:
        while not over:
            there.wait()
            there.clear()
            back.set()

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()

    def work(count: int) -> None:
        for _ in range(count):
            there.set()
            back.wait()
            back.clear()

    def end() -> None:
        nonlocal over
        over = True
        there.set()
        thread.join()

    return work, end


def event_pingpong(plan: Plan, count: int) -> Measured:
    with started():
        there = [kernel32.CreateEvent(None, False, False) for _ in range(count)]
        back = [kernel32.CreateEvent(None, False, False) for _ in range(count)]
        over = False

        def answer() -> None:
            while not over:
                api.WSAWaitForMultipleEvents(there, False, INFINITE, False)
                api.WSASetEvent(back[-1])

        def ours(count: int) -> None:
            for _ in range(count):
                api.WSASetEvent(there[-1])
                api.WSAWaitForMultipleEvents(back, False, INFINITE, False)

        thread = in_this_process(answer)
        theirs, end = host_pingpong()
        measured = Measured.of(*compare(timed(ours), timed(theirs), plan))
        end()
        over = True
        api.WSASetEvent(there[-1])
        thread.join()
    return measured


def new_port() -> int:
    return kernel32.CreateIoCompletionPort(NO_FILE, None, 0, 0)


def post_get(plan: Plan) -> Measured:
    queue: SimpleQueue[tuple[int, int, None]] = SimpleQueue()

    def theirs(count: int) -> None:
        for _ in range(count):
            queue.put((1, 2, None))
            queue.get()

    with started():
        port = new_port()

        def ours(count: int) -> None:
            for _ in range(count):
                kernel32.PostQueuedCompletionStatus(port, 1, 2, None)
                kernel32.GetQueuedCompletionStatus(port, INFINITE)

        return Measured.of(*compare(timed(ours), timed(theirs), plan))


def post_get_threads(plan: Plan, pairs: int, queue: Any) -> Measured:
    """So many threads that post, as many that get. Each slice makes its threads, so slices are long."""
    with started():
        port = new_port()

        def post(count: int) -> None:
            for _ in range(count):
                kernel32.PostQueuedCompletionStatus(port, 1, 2, None)

        def get(count: int) -> None:
            for _ in range(count):
                kernel32.GetQueuedCompletionStatus(port, INFINITE)

        def host_put(count: int) -> None:
            for _ in range(count):
                queue.put((1, 2, None))

        def host_get(count: int) -> None:
            for _ in range(count):
                queue.get()

        def together(*works: Work) -> Work:
            def work(count: int) -> None:
                each = max(1, count // pairs)
                threads = [in_this_process(partial(one, each)) for one in works * pairs]
                for thread in threads:
                    thread.join()

            return work

        longer = attrs.evolve(plan, slice_ms=8 * plan.slice_ms)
        return Measured.of(*compare(timed(together(post, get)), timed(together(host_put, host_get)), longer))


def port_pingpong(plan: Plan) -> Measured:
    with started():
        there, back = new_port(), new_port()

        def answer() -> None:
            while kernel32.GetQueuedCompletionStatus(there, INFINITE)[1]:
                kernel32.PostQueuedCompletionStatus(back, 0, 1, None)

        def ours(count: int) -> None:
            for _ in range(count):
                kernel32.PostQueuedCompletionStatus(there, 0, 1, None)
                kernel32.GetQueuedCompletionStatus(back, INFINITE)

        thread = in_this_process(answer)
        theirs, end = host_pingpong()
        measured = Measured.of(*compare(timed(ours), timed(theirs), plan))
        end()
        kernel32.PostQueuedCompletionStatus(there, 0, 0, None)
        thread.join()
    return measured


MEASUREMENTS: Final[dict[str, Callable[[Plan], Measured]]] = {
    "post-get": post_get,
    "post-get-1p1c": lambda plan: post_get_threads(plan, 1, SimpleQueue()),
    "post-get-4p4c": lambda plan: post_get_threads(plan, 4, Queue()),
    "port-pingpong": port_pingpong,
    "event-1": event_one,
    "event-8": partial(event_group, count=8),
    "event-64": partial(event_group, count=64),
    "event-pingpong-1": partial(event_pingpong, count=1),
    "event-pingpong-64": partial(event_pingpong, count=64),
}
