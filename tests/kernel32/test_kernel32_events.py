"""Events, mutexes, semaphores and timers through their handles."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.loopback import code_of, elsewhere
from winsock2emu import kernel32
from winsock2emu.defs.codes import (
    ERROR_ALREADY_EXISTS,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_NOT_OWNER,
    ERROR_TOO_MANY_POSTS,
)
from winsock2emu.defs.constants import WAIT_ABANDONED_0, WAIT_IO_COMPLETION, WAIT_OBJECT_0, WAIT_TIMEOUT

LONG_MS = 20_000


def signalled(handle: int) -> bool:
    return kernel32.WaitForSingleObject(handle, 0) == WAIT_OBJECT_0


# Names


def test_the_second_creator_of_a_name_opens_the_object_and_is_told() -> None:
    """event-named-exists: the first creation stores 0."""
    kernel32.SetLastError(77)
    first = kernel32.CreateEvent(None, True, False, "name")
    assert kernel32.GetLastError() == 0

    second = kernel32.CreateEvent(None, False, True, "name")

    assert kernel32.GetLastError() == ERROR_ALREADY_EXISTS
    assert first != second
    assert kernel32.CompareObjectHandles(first, second)
    kernel32.SetEvent(second)
    assert signalled(first)
    assert signalled(first), "it keeps the kind it was made with"


def test_names_know_upper_and_lower_case() -> None:
    """event-name-case."""
    first = kernel32.CreateEvent(None, True, False, "name")
    assert code_of_error(kernel32.OpenEvent, 0, False, "NAME") == ERROR_FILE_NOT_FOUND

    other = kernel32.CreateEvent(None, True, False, "NAME")

    assert kernel32.GetLastError() == 0
    assert not kernel32.CompareObjectHandles(first, other)


def test_a_name_lives_as_long_as_there_are_handles() -> None:
    first = kernel32.CreateEvent(None, True, False, "name")
    second = kernel32.OpenEvent(0, False, "name")
    kernel32.CloseHandle(first)
    third = kernel32.OpenEvent(0, False, "name")
    kernel32.CloseHandle(second)
    kernel32.CloseHandle(third)

    assert code_of_error(kernel32.OpenEvent, 0, False, "name") == ERROR_FILE_NOT_FOUND


def test_all_kinds_share_the_names() -> None:
    kernel32.CreateMutex(None, False, "name")

    assert code_of_error(kernel32.CreateEvent, None, True, False, "name") == ERROR_INVALID_HANDLE
    assert code_of_error(kernel32.OpenEvent, 0, False, "name") == ERROR_INVALID_HANDLE


@pytest.mark.parametrize(
    ("create", "find"),
    [
        (lambda: kernel32.CreateMutex(None, False, "name"), kernel32.OpenMutex),
        (lambda: kernel32.CreateSemaphore(None, 0, 1, "name"), kernel32.OpenSemaphore),
        (lambda: kernel32.CreateWaitableTimer(None, True, "name"), kernel32.OpenWaitableTimer),
    ],
)
def test_an_object_is_opened_by_its_name_and_kind(create: Callable[[], int], find: Callable[..., int]) -> None:
    assert code_of(find, 0, False, "name") == ERROR_FILE_NOT_FOUND
    first = create()
    second = find(0, False, "name")
    assert second != first
    assert kernel32.CompareObjectHandles(first, second)
    assert code_of(find, 0, False, "") == ERROR_INVALID_PARAMETER
    assert code_of(kernel32.OpenEvent, 0, False, "name") == ERROR_INVALID_HANDLE
    for handle in (first, second):
        kernel32.CloseHandle(handle)


@pytest.mark.parametrize("name", [None, ""])
def test_no_name_is_never_found(name: Any) -> None:
    one, other = kernel32.CreateEvent(None, True, False, name), kernel32.CreateEvent(None, True, False, name)

    assert not kernel32.CompareObjectHandles(one, other)
    assert code_of_error(kernel32.OpenEvent, 0, False, name) == ERROR_INVALID_PARAMETER


def code_of_error(function: Callable[..., Any], *args: Any) -> int:
    """As `code_of`; the success of CreateEvent would leave another code behind."""
    return code_of(function, *args)


@pytest.mark.parametrize(
    "function", [kernel32.SetEvent, kernel32.ResetEvent, kernel32.PulseEvent, kernel32.ReleaseMutex]
)
def test_what_is_of_another_kind_is_no_valid_handle(function: Callable[[int], None]) -> None:
    semaphore = kernel32.CreateSemaphore(None, 0, 1)

    for handle in (semaphore, 0, 7, 0x7FFFFFF0, kernel32.GetCurrentThread(), kernel32.GetCurrentProcess()):
        assert code_of(function, handle) == ERROR_INVALID_HANDLE


# Mutexes


def test_a_mutex_belongs_to_one_thread_which_may_wait_again() -> None:
    mutex = kernel32.CreateMutex(None, True)
    assert signalled(mutex)
    assert elsewhere(kernel32.WaitForSingleObject, mutex, 0).result() == WAIT_TIMEOUT
    assert elsewhere(code_of, kernel32.ReleaseMutex, mutex).result() == ERROR_NOT_OWNER

    kernel32.ReleaseMutex(mutex)
    assert elsewhere(kernel32.WaitForSingleObject, mutex, 0).result() == WAIT_TIMEOUT
    kernel32.ReleaseMutex(mutex)

    assert code_of(kernel32.ReleaseMutex, mutex) == ERROR_NOT_OWNER


def test_a_mutex_whose_owner_ends_is_abandoned_once() -> None:
    """WAIT_ABANDONED_0 plus the index, then as usual."""
    event, mutex = kernel32.CreateEvent(None, True, False), kernel32.CreateMutex(None, False)
    thread, _ = kernel32.CreateThread(None, 0, lambda data: kernel32.WaitForSingleObject(mutex, LONG_MS), None)
    assert kernel32.WaitForSingleObject(thread, LONG_MS) == WAIT_OBJECT_0

    assert kernel32.WaitForMultipleObjects([event, mutex], False, LONG_MS) == WAIT_ABANDONED_0 + 1
    assert kernel32.WaitForSingleObject(mutex, 0) == WAIT_OBJECT_0


def test_a_thread_of_pythons_own_abandons_its_mutexes_too() -> None:
    mutex = kernel32.CreateMutex(None, False)
    assert elsewhere(kernel32.WaitForSingleObject, mutex, 0).result() == WAIT_OBJECT_0

    assert kernel32.WaitForSingleObject(mutex, LONG_MS) == WAIT_ABANDONED_0


# Semaphores


def test_a_semaphore_counts() -> None:
    semaphore = kernel32.CreateSemaphore(None, 1, 3)

    assert kernel32.ReleaseSemaphore(semaphore, 2) == 1
    assert code_of(kernel32.ReleaseSemaphore, semaphore, 1) == ERROR_TOO_MANY_POSTS
    assert code_of(kernel32.ReleaseSemaphore, semaphore, 0) == ERROR_INVALID_PARAMETER
    assert [signalled(semaphore) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(("initial", "most"), [(-1, 1), (2, 1), (0, 0), (0, -1)])
def test_a_semaphore_that_makes_no_sense_is_refused(initial: int, most: int) -> None:
    assert code_of(kernel32.CreateSemaphore, None, initial, most) == ERROR_INVALID_PARAMETER


# Timers


def test_a_timer_ends_a_wait_at_its_time_once() -> None:
    """30 ms from now on, in units of 100 ns."""
    timer = kernel32.CreateWaitableTimer(None, False)
    began = time.monotonic()

    kernel32.SetWaitableTimer(timer, -300_000)
    assert not signalled(timer)

    assert kernel32.WaitForSingleObject(timer, LONG_MS) == WAIT_OBJECT_0
    assert time.monotonic() - began >= 0.03
    assert not signalled(timer)


def test_a_periodic_timer_goes_on_until_it_is_cancelled() -> None:
    timer = kernel32.CreateWaitableTimer(None, False)
    kernel32.SetWaitableTimer(timer, 0, 5)

    assert [kernel32.WaitForSingleObject(timer, LONG_MS) for _ in range(4)] == [WAIT_OBJECT_0] * 4

    kernel32.CancelWaitableTimer(timer)
    kernel32.WaitForSingleObject(timer, 0)  # one may have come meanwhile
    assert kernel32.WaitForSingleObject(timer, 30) == WAIT_TIMEOUT


def test_a_timer_calls_its_routine_in_an_alertable_wait() -> None:
    """The arguments are the program's own and the time as a FILETIME in two halves."""
    timer = kernel32.CreateWaitableTimer(None, True)
    calls: list[tuple[Any, int, int]] = []

    kernel32.SetWaitableTimer(timer, -1, 0, lambda *args: calls.append(args), "argument")

    assert kernel32.SleepEx(LONG_MS, True) == WAIT_IO_COMPLETION
    ((argument, low, high),) = calls
    assert argument == "argument"
    assert abs((high << 32 | low) / 1e7 - 11_644_473_600 - time.time()) < 20
    assert signalled(timer)


def test_a_negative_period_is_refused() -> None:
    timer = kernel32.CreateWaitableTimer(None, True)

    assert code_of(kernel32.SetWaitableTimer, timer, 0, -1) == ERROR_INVALID_PARAMETER
