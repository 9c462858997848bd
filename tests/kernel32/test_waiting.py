"""Waiting for objects, one and several, and APCs."""

from __future__ import annotations

import signal
import threading
import time
from typing import Any

import pytest

from tests.concurrency import Call, interrupt_main_thread_when, until
from tests.loopback import code_of, elsewhere
from winsock2emu import kernel32
from winsock2emu.defs.codes import (
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_NOACCESS,
    ERROR_NOT_OWNER,
)
from winsock2emu.defs.constants import (
    INFINITE,
    WAIT_IO_COMPLETION,
    WAIT_OBJECT_0,
    WAIT_TIMEOUT,
)
from winsock2emu.defs.winbase import ERROR_GEN_FAILURE
from winsock2emu.process import Process

LONG_MS = 20_000
UNTOUCHED = 12345


def manual(signalled: bool = False) -> int:
    return kernel32.CreateEvent(None, True, signalled)


def auto(signalled: bool = False) -> int:
    return kernel32.CreateEvent(None, False, signalled)


def blocked(process: Process, handle: int, waits: int = 1) -> bool:
    waiters = process.objects[handle].waiters
    return (len(waiters) if isinstance(waiters, list) else waiters is not None) == waits


# One object


def test_neither_success_nor_a_time_out_changes_the_last_error() -> None:
    """wfso-no-error-change."""
    event = auto(True)
    kernel32.SetLastError(UNTOUCHED)

    assert [kernel32.WaitForSingleObject(event, ms) for ms in (0, 0, 5)] == [WAIT_OBJECT_0, WAIT_TIMEOUT, WAIT_TIMEOUT]
    assert kernel32.GetLastError() == UNTOUCHED


def test_the_two_low_bits_of_a_handle_are_ignored() -> None:
    """wfso-low-bits."""
    event = manual(True)

    for bits in range(4):
        assert kernel32.WaitForSingleObject(event | bits, 0) == WAIT_OBJECT_0
        kernel32.SetEvent(event | bits)


def test_process_and_thread_have_not_ended() -> None:
    """wfso-pseudo."""
    for pseudo in (kernel32.GetCurrentProcess(), kernel32.GetCurrentThread(), -1, -2):
        assert kernel32.WaitForSingleObject(pseudo, 0) == WAIT_TIMEOUT


def test_what_is_no_object_cannot_be_waited_for() -> None:
    other, event = manual(), manual()
    kernel32.CloseHandle(event)

    for handle in (event, 0, 0x7FFFFFF0):
        assert code_of(kernel32.WaitForSingleObject, handle, 0) == ERROR_INVALID_HANDLE
        assert code_of(kernel32.WaitForMultipleObjects, [other, handle], False, 0) == ERROR_INVALID_HANDLE


def test_a_blocked_wait_ends_when_the_event_is_set(process: Process) -> None:
    event = manual()
    waiting = elsewhere(kernel32.WaitForSingleObject, event, INFINITE)
    until(lambda: blocked(process, event), "the thread waits")

    kernel32.SetEvent(event)

    assert waiting.result() == WAIT_OBJECT_0


def test_an_auto_reset_event_lets_one_thread_go_each_time(process: Process) -> None:
    """Three threads wait; the first that came is the first to go."""
    event = auto()
    threads = []
    for count in (1, 2, 3):
        threads.append(elsewhere(kernel32.WaitForSingleObject, event, INFINITE))
        until(lambda count=count: blocked(process, event, count), "the thread waits")  # type: ignore[misc]

    for index, thread in enumerate(threads):
        kernel32.SetEvent(event)
        assert thread.result() == WAIT_OBJECT_0
        assert [other.running for other in threads[index + 1 :]] == [True] * (2 - index)
    assert kernel32.WaitForSingleObject(event, 0) == WAIT_TIMEOUT


def test_a_manual_reset_event_lets_all_threads_go_even_if_it_is_reset_at_once(process: Process) -> None:
    event = manual()
    threads = [elsewhere(kernel32.WaitForSingleObject, event, INFINITE) for _ in range(5)]
    until(lambda: blocked(process, event, 5), "all wait")

    kernel32.SetEvent(event)
    kernel32.ResetEvent(event)

    assert [thread.result() for thread in threads] == [WAIT_OBJECT_0] * 5


@pytest.mark.parametrize(("make", "freed"), [(manual, 3), (auto, 1)])
def test_a_pulse_frees_who_waits_and_leaves_the_event_clear(process: Process, make: Any, freed: int) -> None:
    event = make()
    threads = [elsewhere(kernel32.WaitForSingleObject, event, INFINITE) for _ in range(3)]
    until(lambda: blocked(process, event, 3), "all wait")

    kernel32.PulseEvent(event)

    until(lambda: sum(not thread.running for thread in threads) == freed, "so many are free")
    assert kernel32.WaitForSingleObject(event, 0) == WAIT_TIMEOUT
    for _ in threads:
        kernel32.SetEvent(event)
        until(lambda: process.objects[event].waiters is None or not process.objects[event].signalled, "one more")
    assert [thread.result() for thread in threads] == [WAIT_OBJECT_0] * 3


def test_closing_the_last_handle_leaves_the_wait_to_its_time(process: Process) -> None:
    """The waiting thread keeps the object."""
    event = manual()
    waiting = elsewhere(kernel32.WaitForSingleObject, event, 100)
    until(lambda: blocked(process, event), "the thread waits")

    kernel32.CloseHandle(event)

    assert waiting.result() == WAIT_TIMEOUT


# Several objects


def test_64_events_are_allowed_and_the_lowest_index_counts() -> None:
    """wfmo-64, wfmo-manual-vs-auto, wfmo-lowest-index."""
    events = [manual(True)] + [auto(True) for _ in range(63)]

    assert [kernel32.WaitForMultipleObjects(events, False, 0) for _ in range(3)] == [0, 0, 0]
    kernel32.ResetEvent(events[0])
    assert [kernel32.WaitForMultipleObjects(events, False, 0) for _ in range(63)] == list(range(1, 64))
    assert kernel32.WaitForMultipleObjects(events, False, 0) == WAIT_TIMEOUT


def test_the_limits_of_a_group() -> None:
    event = manual()

    assert code_of(kernel32.WaitForMultipleObjects, [], False, 0) == ERROR_INVALID_PARAMETER
    assert code_of(kernel32.WaitForMultipleObjects, [event] * 65, False, 0) == ERROR_INVALID_PARAMETER
    assert code_of(kernel32.WaitForMultipleObjects, None, False, 0) == ERROR_NOACCESS
    assert code_of(kernel32.WaitForMultipleObjects, [event, event], True, 0) == ERROR_INVALID_PARAMETER
    assert kernel32.WaitForMultipleObjects([event, event], False, 0) == WAIT_TIMEOUT


@pytest.mark.parametrize("count", [2, 8, 64])
def test_a_blocked_wait_for_any_tells_which(process: Process, count: int) -> None:
    events = [auto() for _ in range(count)]
    waiting = elsewhere(kernel32.WaitForMultipleObjects, events, False, INFINITE)
    until(lambda: blocked(process, events[-1]), "the thread waits")

    kernel32.SetEvent(events[-1])

    assert waiting.result() == count - 1
    assert all(blocked(process, event, 0) for event in events)
    assert kernel32.WaitForMultipleObjects(events, False, 0) == WAIT_TIMEOUT


def test_a_wait_for_all_takes_nothing_before_it_can_take_all(process: Process) -> None:
    events = [auto(), auto(), auto()]
    waiting = elsewhere(kernel32.WaitForMultipleObjects, events, True, INFINITE)
    until(lambda: blocked(process, events[-1]), "the thread waits")

    kernel32.SetEvent(events[2])
    kernel32.SetEvent(events[0])
    assert kernel32.WaitForSingleObject(events[2], 0) == WAIT_OBJECT_0, "somebody else may take it meanwhile"
    kernel32.SetEvent(events[1])
    assert waiting.running
    kernel32.SetEvent(events[2])

    assert waiting.result() == WAIT_OBJECT_0
    assert kernel32.WaitForMultipleObjects(events, False, 0) == WAIT_TIMEOUT


def test_a_list_that_changes_between_two_waits_is_looked_up_again() -> None:
    """What is remembered of the last list must not outlive it."""
    events = [manual(), manual(True)]
    assert kernel32.WaitForMultipleObjects(events, False, 0) == 1

    events[0] = manual(True)
    assert kernel32.WaitForMultipleObjects(events, False, 0) == 0
    kernel32.CloseHandle(events[0])
    assert code_of(kernel32.WaitForMultipleObjects, events, False, 0) == ERROR_INVALID_HANDLE


def test_signal_and_wait() -> None:
    """saw-same-event, saw-timeout; a mutex of somebody else is not released."""
    same, other = auto(), manual()

    assert kernel32.SignalObjectAndWait(same, same, 0) == WAIT_OBJECT_0
    assert kernel32.WaitForSingleObject(same, 0) == WAIT_TIMEOUT
    assert kernel32.SignalObjectAndWait(same, other, 0) == WAIT_TIMEOUT
    assert kernel32.WaitForSingleObject(same, 0) == WAIT_OBJECT_0
    mutex = kernel32.CreateMutex(None, False)
    assert code_of(kernel32.SignalObjectAndWait, mutex, other, 0) == ERROR_NOT_OWNER


# APCs


def test_an_apc_waits_for_an_alertable_wait() -> None:
    """apc-sleepex: queued to the thread itself, not run before."""
    ran: list[int] = []
    kernel32.QueueUserAPC(ran.append, kernel32.GetCurrentThread(), 5)
    event = manual()

    assert kernel32.WaitForSingleObject(event, 5) == WAIT_TIMEOUT
    assert kernel32.SleepEx(0, False) == 0
    assert ran == []
    began = time.monotonic()
    assert kernel32.SleepEx(LONG_MS, True) == WAIT_IO_COMPLETION
    assert time.monotonic() - began < LONG_MS / 1000
    assert ran == [5]
    assert kernel32.SleepEx(0, True) == 0


def test_all_apcs_run_in_their_order_those_that_they_queue_included() -> None:
    ran: list[Any] = []

    def again(data: int) -> None:
        ran.append(data)
        if data < 12:
            kernel32.QueueUserAPC(again, kernel32.GetCurrentThread(), data + 10)

    for data in (1, 2, 3):
        kernel32.QueueUserAPC(again, kernel32.GetCurrentThread(), data)

    assert kernel32.WaitForSingleObjectEx(manual(), 0, True) == WAIT_IO_COMPLETION
    assert ran == [1, 2, 3, 11, 12, 13, 21]


def test_a_signalled_object_comes_before_apcs() -> None:
    ran: list[int] = []
    kernel32.QueueUserAPC(ran.append, kernel32.GetCurrentThread(), 1)

    assert kernel32.WaitForSingleObjectEx(manual(True), 0, True) == WAIT_OBJECT_0
    assert kernel32.WaitForSingleObjectEx(auto(True), 0, True) == WAIT_OBJECT_0
    assert ran == []
    assert kernel32.SleepEx(0, True) == WAIT_IO_COMPLETION


def test_an_apc_ends_a_blocked_wait_and_takes_no_object(process: Process) -> None:
    """R6.33."""
    events = [auto(), auto()]
    ran: list[int] = []
    thread, _ = kernel32.CreateThread(
        None, 0, lambda data: kernel32.WaitForMultipleObjectsEx(events, False, INFINITE, True), None
    )
    until(lambda: blocked(process, events[1]), "the thread waits")

    kernel32.QueueUserAPC(lambda data: ran.append(threading.get_native_id()), thread, 0)

    assert kernel32.WaitForSingleObject(thread, LONG_MS) == WAIT_OBJECT_0
    assert kernel32.GetExitCodeThread(thread) == WAIT_IO_COMPLETION
    assert ran == [kernel32.GetThreadId(thread)]
    assert all(blocked(process, event, 0) for event in events)
    assert code_of(kernel32.QueueUserAPC, ran.append, thread, 0) == ERROR_GEN_FAILURE


def test_an_apc_that_raises_loses_no_other() -> None:
    """R6.39: what it raised comes out of the wait in the end."""
    ran: list[int] = []

    def fail(data: int) -> None:
        raise ValueError(data)

    for routine in (fail, ran.append, fail, ran.append):
        kernel32.QueueUserAPC(routine, kernel32.GetCurrentThread(), len(ran))

    with pytest.raises(ExceptionGroup):
        kernel32.SleepEx(LONG_MS, True)
    assert len(ran) == 2
    kernel32.QueueUserAPC(fail, kernel32.GetCurrentThread(), 0)
    with pytest.raises(ValueError, match="0"):
        kernel32.SleepEx(LONG_MS, True)
    assert kernel32.SleepEx(0, True) == 0


def test_an_apc_may_wait_itself() -> None:
    event = auto()
    results: list[int] = []

    def routine(data: int) -> None:
        results.append(kernel32.WaitForSingleObject(event, 1))
        kernel32.SetEvent(event)
        results.append(kernel32.WaitForSingleObject(event, LONG_MS))

    kernel32.QueueUserAPC(routine, kernel32.GetCurrentThread(), 0)

    assert kernel32.SleepEx(LONG_MS, True) == WAIT_IO_COMPLETION
    assert results == [WAIT_TIMEOUT, WAIT_OBJECT_0]


# Interrupts


def test_ctrl_c_ends_a_wait_and_leaves_nothing_behind(process: Process) -> None:
    events = [auto(), auto()]
    sender = interrupt_main_thread_when(lambda: blocked(process, events[1]))

    with pytest.raises(KeyboardInterrupt):
        kernel32.WaitForMultipleObjects(events, False, INFINITE)

    sender.result()
    assert all(blocked(process, event, 0) for event in events)
    kernel32.SetEvent(events[1])
    assert kernel32.WaitForMultipleObjects(events, False, 0) == 1


def test_a_signal_handler_may_wait_while_the_main_thread_waits(process: Process) -> None:
    """The outer wait is satisfied while the handler waits for something else."""
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("only the main thread gets signals")
    outer, inner = auto(), auto()
    results: list[int] = []

    def handler(number: int, frame: Any) -> None:
        kernel32.SetEvent(outer)
        results.append(kernel32.WaitForSingleObject(inner, 5))

    before = signal.signal(signal.SIGUSR1, handler)
    main = threading.main_thread().ident
    assert main is not None

    def send() -> None:
        until(lambda: blocked(process, outer), "the main thread waits")
        signal.pthread_kill(main, signal.SIGUSR1)

    try:
        sender = Call(send)
        assert kernel32.WaitForSingleObject(outer, LONG_MS) == WAIT_OBJECT_0
        sender.result()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert results == [WAIT_TIMEOUT]


# Stress


def test_no_wake_up_is_lost_between_eight_threads_and_many_events() -> None:
    """Every set of a semaphore's count, made by four threads, ends exactly one wait of four others."""
    each = 2500
    semaphore, stop = kernel32.CreateSemaphore(None, 0, 1 << 30), manual()

    def take() -> int:
        taken = 0
        while kernel32.WaitForMultipleObjects([semaphore, stop], False, LONG_MS) == 0:
            taken += 1
        return taken

    def give() -> None:
        for _ in range(each):
            kernel32.ReleaseSemaphore(semaphore, 1)

    takers = [elsewhere(take) for _ in range(4)]
    givers = [elsewhere(give) for _ in range(4)]
    for giver in givers:
        giver.result()
    until(lambda: kernel32_count(semaphore) == 0, "everything is taken")
    kernel32.SetEvent(stop)

    assert sum(taker.result() for taker in takers) == 4 * each


def kernel32_count(semaphore: int) -> int:
    from winsock2emu.process import current_process

    return int(current_process().objects[semaphore].count)


def test_ping_pong_of_auto_reset_events_never_stalls() -> None:
    there, back = auto(), auto()

    def answer() -> int:
        turns = 0
        while turns < 5000 and kernel32.WaitForSingleObject(there, LONG_MS) == WAIT_OBJECT_0:
            turns += 1
            kernel32.SetEvent(back)
        return turns

    thread = elsewhere(answer)
    for _ in range(5000):
        kernel32.SetEvent(there)
        assert kernel32.WaitForSingleObject(back, LONG_MS) == WAIT_OBJECT_0
    assert thread.result() == 5000
