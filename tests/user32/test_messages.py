"""Queues of the Python API: exceptions, interrupts, several senders, and what a provider posts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.concurrency import Call, Interrupt, interrupt_main_thread_when, until
from winsock2emu import kernel32, user32
from winsock2emu.defs.codes import ERROR_NOT_ENOUGH_QUOTA, ERROR_TIMEOUT
from winsock2emu.defs.windows import (
    ERROR_INVALID_FLAGS,
    ERROR_INVALID_WINDOW_HANDLE,
    ERROR_MESSAGE_SYNC_ONLY,
    HWND_MESSAGE,
    MWMO_INPUTAVAILABLE,
    PM_NOREMOVE,
    QS_ALLINPUT,
    QS_ALLPOSTMESSAGE,
    QS_POSTMESSAGE,
    QS_TIMER,
    SMTO_BLOCK,
    WM_APP,
    WM_COPYDATA,
    WM_QUIT,
    WM_TIMER,
    WM_USER,
)
from winsock2emu.errors import WinsockError
from winsock2emu.kernel.messages import POST_LIMIT
from winsock2emu.process import Process


class ProgramError(Exception):
    """What the program's own code raises."""


Procedure = Callable[[int, int, Any, Any], int]


@contextmanager
def window(procedure: Procedure = user32.DefWindowProc) -> Iterator[int]:
    name = f"toy-{threading.get_ident()}-{id(procedure)}"
    user32.RegisterClassEx(user32.WNDCLASSEX(procedure, name))
    hwnd = user32.CreateWindowEx(0, name, None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None)
    try:
        yield hwnd
    finally:
        user32.DestroyWindow(hwnd)
        user32.UnregisterClass(name)


def in_process(process: Process, function: Callable[..., Any], *args: Any) -> Call:
    """A thread of the same emulated process."""

    def run() -> Any:
        with process.active():
            return function(*args)

    return Call(run)


def raising(hwnd: int, message: int, wparam: Any, lparam: Any) -> int:
    if message == WM_APP:
        raise ProgramError
    return user32.DefWindowProc(hwnd, message, wparam, lparam)


def test_an_exception_of_a_procedure_reaches_who_dispatches() -> None:
    with window(raising) as hwnd:
        user32.PostMessage(hwnd, WM_APP)
        message = user32.GetMessage()
        with pytest.raises(ProgramError):
            user32.DispatchMessage(message)
        with pytest.raises(ProgramError):
            user32.SendMessage(hwnd, WM_APP)


def test_an_exception_for_another_threads_message_stays_in_the_windows_thread(process: Process) -> None:
    """The sender gets 0, and GetMessage in the window's thread raises; what is posted stays."""
    with window(raising) as hwnd:
        sender = in_process(process, user32.SendMessage, hwnd, WM_APP)
        with pytest.raises(ProgramError):
            user32.GetMessage()
        assert sender.result() == 0
        user32.PostMessage(hwnd, WM_USER)
        assert user32.GetMessage().message == WM_USER


def test_an_interrupted_getmessage_leaves_the_queue_whole(process: Process) -> None:
    """Ctrl+C strikes while the thread waits; the next message is got as usual."""
    import signal

    def strike(number: int, frame: object) -> None:
        raise Interrupt

    before = signal.signal(signal.SIGINT, strike)
    try:
        with window() as hwnd:
            queue = process.desktop.queue()
            helper = interrupt_main_thread_when(lambda: queue.waiters is not None)
            with pytest.raises(Interrupt):
                user32.GetMessage()
            helper.result()
            assert queue.waiters is None
            user32.PostMessage(hwnd, WM_USER)
            assert user32.GetMessage().message == WM_USER
    finally:
        signal.signal(signal.SIGINT, before)


def test_no_message_is_lost_between_many_posters(process: Process) -> None:
    """Four threads post 2 000 messages each, while the window's thread takes them one by one."""
    each = 2000
    with window() as hwnd:

        def post(sender: int) -> None:
            for number in range(each):
                user32.PostMessage(hwnd, WM_USER, sender, number)

        posters = [in_process(process, post, sender) for sender in range(4)]
        got: dict[int, list[int]] = {sender: [] for sender in range(4)}
        for _ in range(4 * each):
            message = user32.GetMessage()
            got[message.wparam].append(message.lparam)
        for poster in posters:
            poster.result()

    assert got == {sender: list(range(each)) for sender in range(4)}


def test_many_senders_get_their_own_answers(process: Process) -> None:
    def double(hwnd: int, message: int, wparam: Any, lparam: Any) -> int:
        return 2 * wparam if message == WM_APP else 1

    with window(double) as hwnd:

        def send(number: int) -> list[int]:
            return [user32.SendMessage(hwnd, WM_APP, number + step) for step in range(50)]

        senders = [in_process(process, send, 100 * number) for number in range(4)]
        done = in_process(process, lambda: [sender.result() for sender in senders])

        def tell() -> None:
            done.result()
            user32.PostMessage(hwnd, WM_QUIT)

        teller = in_process(process, tell)
        assert user32.GetMessage().message == WM_QUIT
        teller.result()

    assert done.result() == [[2 * (100 * number + step) for step in range(50)] for number in range(4)]


def test_a_sender_is_freed_when_the_windows_thread_ends(process: Process) -> None:
    """The thread makes a window, never asks for messages, and goes."""
    made, go = threading.Event(), threading.Event()
    handles: list[int] = []

    def lives() -> None:
        user32.RegisterClassEx(user32.WNDCLASSEX(user32.DefWindowProc, "mortal"))
        handles.append(user32.CreateWindowEx(0, "mortal", None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None))
        made.set()
        assert go.wait(20)

    owner = in_process(process, lives)
    assert made.wait(20)
    sender = in_process(process, user32.SendMessage, handles[0], WM_APP)
    queue = process.desktop.windows[handles[0]].queue
    until(queue.present, "the message is there")
    go.set()
    owner.result()

    failure = sender.failure()
    assert isinstance(failure, WinsockError)
    assert failure.winerror == ERROR_INVALID_WINDOW_HANDLE


def test_a_send_with_a_time_limit_ends(process: Process) -> None:
    with window() as hwnd:
        for flags in (0, SMTO_BLOCK):
            failure = in_process(process, user32.SendMessageTimeout, hwnd, WM_APP, 0, 0, flags, 30).failure()
            assert isinstance(failure, WinsockError)
            assert failure.winerror == ERROR_TIMEOUT
        assert user32.SendMessageTimeout(hwnd, WM_APP, 0, 0, 0, 30) == 0


def test_a_notification_is_received_later_and_waits_for_nobody(process: Process) -> None:
    told: list[int] = []

    def keep(hwnd: int, message: int, wparam: Any, lparam: Any) -> int:
        if message == WM_APP:
            told.append(wparam)
        return 1

    with window(keep) as hwnd:
        in_process(process, user32.SendNotifyMessage, hwnd, WM_APP, 5).result()
        before = list(told)
        assert user32.PeekMessage() is None
        user32.SendNotifyMessage(hwnd, WM_APP, 6)
        with pytest.raises(WinsockError) as caught:
            user32.SendNotifyMessage(hwnd, WM_COPYDATA)

    assert (before, told) == ([], [5, 6])
    assert caught.value.winerror == ERROR_MESSAGE_SYNC_ONLY


def test_another_threads_message_is_not_dispatched_here(process: Process) -> None:
    with window() as hwnd:
        failure = in_process(process, user32.DispatchMessage, user32.MSG(hwnd, WM_USER)).failure()

    assert isinstance(failure, WinsockError)
    assert failure.winerror == ERROR_MESSAGE_SYNC_ONLY


def test_a_provider_posts_until_the_queue_is_full(process: Process) -> None:
    with window() as hwnd:
        posted = [process.upcalls.WPUPostMessage(hwnd, WM_USER, number, 0) for number in range(POST_LIMIT + 1)]
        with pytest.raises(WinsockError) as caught:
            user32.PostMessage(hwnd, WM_USER)
        first = user32.GetMessage()

    assert posted == [True] * POST_LIMIT + [False]
    assert caught.value.winerror == ERROR_NOT_ENOUGH_QUOTA
    assert (first.message, first.wparam) == (WM_USER, 0)
    with pytest.raises(WinsockError) as caught:
        process.upcalls.WPUPostMessage(hwnd, WM_USER, 0, 0)
    assert caught.value.winerror == ERROR_INVALID_WINDOW_HANDLE


def test_the_state_of_a_queue_tells_new_and_present() -> None:
    with window() as hwnd:
        user32.PeekMessage()
        user32.PostMessage(hwnd, WM_USER)
        new = user32.GetQueueStatus(QS_POSTMESSAGE)
        seen = user32.GetQueueStatus(QS_POSTMESSAGE | QS_ALLPOSTMESSAGE)
        user32.PeekMessage()
        after = user32.GetQueueStatus(QS_ALLINPUT)
        with pytest.raises(WinsockError) as caught:
            user32.GetQueueStatus(0x4000)

    assert new == QS_POSTMESSAGE << 16 | QS_POSTMESSAGE
    assert seen == (QS_POSTMESSAGE | QS_ALLPOSTMESSAGE) << 16 | QS_ALLPOSTMESSAGE
    assert after == 0
    assert caught.value.winerror == ERROR_INVALID_FLAGS


def test_waitmessage_receives_what_is_sent_and_ends_with_what_is_posted(process: Process) -> None:
    with window(lambda hwnd, message, wparam, lparam: 8 if message == WM_APP else 1) as hwnd:

        def act() -> int:
            answer = user32.SendMessage(hwnd, WM_APP)
            user32.PostMessage(hwnd, WM_USER)
            return answer

        actor = in_process(process, act)
        user32.WaitMessage()
        assert actor.result() == 8
        message = user32.PeekMessage()
        assert message is not None
        assert message.message == WM_USER


def test_a_timer_wakes_a_wait_for_messages_and_an_event_wins_over_it(process: Process) -> None:
    """The event is set already: its index; then it is clear, and the timer's message ends the wait."""
    event = kernel32.CreateEvent(False, False, True)
    with window() as hwnd:
        user32.SetTimer(hwnd, 1, 20)
        first = user32.MsgWaitForMultipleObjects([event], False, 20_000, QS_ALLINPUT)
        second = user32.MsgWaitForMultipleObjects([event], False, 20_000, QS_ALLINPUT)
        message = user32.GetMessage()
        user32.KillTimer(hwnd, 1)
    kernel32.CloseHandle(event)

    assert (first, second, message.message) == (0, 1, WM_TIMER)


def test_a_timer_that_was_looked_at_is_not_new(process: Process) -> None:
    """It stays in the queue and ends no wait, except one for whatever is there; taken and due again it does."""
    with window() as hwnd:
        user32.SetTimer(hwnd, 1, 10)
        assert user32.MsgWaitForMultipleObjects(None, False, 20_000, QS_TIMER) == 0
        assert user32.PeekMessage(flags=PM_NOREMOVE) is not None
        old = user32.MsgWaitForMultipleObjects(None, False, 0, QS_TIMER)
        available = user32.MsgWaitForMultipleObjectsEx(None, 0, QS_TIMER, MWMO_INPUTAVAILABLE)
        assert user32.PeekMessage() is not None
        again = user32.MsgWaitForMultipleObjects(None, False, 20_000, QS_TIMER)

    assert (old, available, again) == (0x102, 0, 0)


def test_a_timer_ends_a_wait_for_all(process: Process) -> None:
    event = kernel32.CreateEvent(False, True, True)
    with window() as hwnd:
        user32.SetTimer(hwnd, 1, 20)
        assert user32.MsgWaitForMultipleObjects([event], True, 20_000, QS_ALLINPUT) == 0
    kernel32.CloseHandle(event)


def test_a_killed_timers_routine_is_not_called() -> None:
    """WM_TIMER has been taken when the timer is killed; dispatching it calls nobody."""
    called: list[int] = []
    with window() as hwnd:
        user32.SetTimer(hwnd, 1, 10, lambda *arguments: called.append(1))
        message = user32.GetMessage()
        user32.KillTimer(hwnd, 1)
        user32.DispatchMessage(message)

    assert message.message == WM_TIMER
    assert called == []


def test_timers_without_a_window_get_different_identifiers() -> None:
    first, second = user32.SetTimer(None, 0, 10_000), user32.SetTimer(None, 0, 10_000)
    again = user32.SetTimer(None, first, 20_000)
    for identifier in (first, second):
        user32.KillTimer(None, identifier)

    assert first != second
    assert again == first


def test_an_exception_of_a_timers_routine_reaches_who_dispatches() -> None:
    def fail(*arguments: Any) -> None:
        raise ProgramError

    with window() as hwnd:
        user32.SetTimer(hwnd, 1, 10, fail)
        message = user32.GetMessage()
        with pytest.raises(ProgramError):
            user32.DispatchMessage(message)


def test_a_chained_procedure_is_called_as_it_is() -> None:
    assert user32.CallWindowProc(lambda *arguments: sum(arguments), 1, 2, 3, 4) == 10
