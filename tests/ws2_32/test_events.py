"""Winsock's event functions; waiting itself is tests/kernel32/test_waiting.py's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.concurrency import until
from tests.loopback import code_of, elsewhere
from winsock2emu import kernel32, ws2_32
from winsock2emu.defs.codes import WSA_INVALID_HANDLE, WSA_INVALID_PARAMETER, WSAEFAULT, WSANOTINITIALISED
from winsock2emu.defs.constants import WSA_INFINITE, WSA_WAIT_IO_COMPLETION, WSA_WAIT_TIMEOUT
from winsock2emu.process import Process

pytestmark = pytest.mark.usefixtures("winsock")

wait = ws2_32.WSAWaitForMultipleEvents


def test_an_event_is_manual_reset_and_clear_at_first() -> None:
    """R6.57, R6.65."""
    event = ws2_32.WSACreateEvent()
    assert wait([event], False, 0) == WSA_WAIT_TIMEOUT

    ws2_32.WSASetEvent(event)
    ws2_32.WSASetEvent(event)
    assert [wait([event], False, WSA_INFINITE) for _ in range(2)] == [0, 0]

    ws2_32.WSAResetEvent(event)
    assert wait([event], False, 0) == WSA_WAIT_TIMEOUT


@pytest.mark.parametrize("function", [ws2_32.WSASetEvent, ws2_32.WSAResetEvent, ws2_32.WSACloseEvent])
def test_what_is_no_event_is_an_invalid_handle(function: Callable[[int], None]) -> None:
    """R6.58, B30: closed, never opened, of another kind."""
    event = ws2_32.WSACreateEvent()
    mutex = kernel32.CreateMutex(None, False)
    ws2_32.WSACloseEvent(event)

    for handle in (event, 0, 0x7FFFFFF0, mutex):
        assert code_of(function, handle) == WSA_INVALID_HANDLE


def test_the_limits_of_a_group() -> None:
    """R6.60, R6.62, B31."""
    event = ws2_32.WSACreateEvent()

    assert code_of(wait, [], False, 0) == WSA_INVALID_PARAMETER
    assert code_of(wait, [event] * 65, False, 0) == WSA_INVALID_PARAMETER
    assert code_of(wait, [event, event], True, 0) == WSA_INVALID_PARAMETER
    assert code_of(wait, [event, 0x7FFFFFF0], False, 0) == WSA_INVALID_HANDLE
    assert code_of(wait, None, False, 0) == WSAEFAULT
    assert wait([event] * 64, False, 0) == WSA_WAIT_TIMEOUT


def test_nothing_works_before_a_startup(winsock: Process) -> None:
    """B30, B31: the handles of kernel32 are valid all the same."""
    event = ws2_32.WSACreateEvent()
    ws2_32.WSACleanup()

    calls: list[tuple[Any, ...]] = [
        (ws2_32.WSACreateEvent,),
        (ws2_32.WSASetEvent, event),
        (ws2_32.WSAResetEvent, event),
        (ws2_32.WSACloseEvent, event),
        (wait, [event], False, 0),
    ]
    assert [code_of(*call) for call in calls] == [WSANOTINITIALISED] * 5
    kernel32.SetEvent(event)
    assert kernel32.WaitForSingleObject(event, 0) == 0


def test_events_of_kernel32_are_taken(winsock: Process) -> None:
    """R6.59: an auto-reset one among them, and a wait that blocks."""
    events = [ws2_32.WSACreateEvent(), kernel32.CreateEvent(None, False, False)]
    waiting = elsewhere(wait, events, False, WSA_INFINITE)
    until(lambda: winsock.objects[events[1]].waiters is not None, "the thread waits")

    ws2_32.WSASetEvent(events[1])

    assert waiting.result() == 1
    assert wait(events, False, 0) == WSA_WAIT_TIMEOUT


def test_a_wait_survives_the_last_cleanup(winsock: Process) -> None:
    """Events are objects of the system: a thread that waits for one goes on when the engine closes."""
    event = ws2_32.WSACreateEvent()
    waiting = elsewhere(wait, [event], False, WSA_INFINITE)
    until(lambda: winsock.objects[event].waiters is not None, "the thread waits")

    ws2_32.WSACleanup()
    assert waiting.running
    kernel32.SetEvent(event)

    assert waiting.result() == 0


def test_an_alertable_poll_runs_apcs() -> None:
    """R6.63."""
    event = ws2_32.WSACreateEvent()
    ran: list[int] = []
    kernel32.QueueUserAPC(ran.append, kernel32.GetCurrentThread(), 1)

    assert wait([event], False, 0, False) == WSA_WAIT_TIMEOUT
    assert wait([event], False, 0, True) == WSA_WAIT_IO_COMPLETION
    assert ran == [1]
