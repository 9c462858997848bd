"""``win32event`` by pywin32's conventions (its reference and test_win32event.py)."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator

import pytest

from winsock2emu import user32
from winsock2emu.compat import pywintypes, socket, win32api, win32event
from winsock2emu.defs.windows import HWND_MESSAGE, WM_USER
from winsock2emu.process import Process

SOON_MS = 20
LONG_MS = 5000


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process
        while process.startup_count:
            process.cleanup()


def signalled(handle: object) -> bool:
    return win32event.WaitForSingleObject(handle, 0) == win32event.WAIT_OBJECT_0


def code_of(call: object, *arguments: object) -> tuple[int, str]:
    assert callable(call)
    with pytest.raises(pywintypes.error) as caught:
        call(*arguments)
    return caught.value.winerror, caught.value.funcname


def test_infinite_and_failed_are_minus_one() -> None:
    assert (win32event.INFINITE, win32event.WAIT_FAILED, win32event.QS_ALLINPUT) == (-1, -1, 255)
    assert (win32event.WAIT_OBJECT_0, win32event.WAIT_TIMEOUT, win32event.WAIT_ABANDONED_0) == (0, 258, 128)


def test_events() -> None:
    auto = win32event.CreateEvent(None, False, True, None)
    assert signalled(auto)
    assert not signalled(auto)
    manual = win32event.CreateEvent(None, 1, 0, None)
    assert win32event.SetEvent(manual) is None
    assert signalled(int(manual))
    assert win32event.ResetEvent(manual) is None
    assert not signalled(manual)
    win32event.PulseEvent(manual)
    assert not signalled(manual)


def test_a_failure_is_told_with_the_functions_name_and_the_text() -> None:
    event = win32event.CreateEvent(None, 1, 0, None)
    event.Close()
    with pytest.raises(pywintypes.error) as caught:
        win32event.SetEvent(3)
    assert caught.value.args == (6, "SetEvent", "The handle is invalid.")
    assert code_of(win32event.WaitForSingleObject, event, 0) == (6, "WaitForSingleObject")
    assert win32event.error is pywintypes.error


def test_names_are_opened_and_known() -> None:
    event = win32event.CreateEvent(None, 1, 0, "event")
    assert win32api.GetLastError() == 0
    again = win32event.CreateEvent(None, 1, 0, "event")
    assert win32api.GetLastError() == 183
    win32event.SetEvent(win32event.OpenEvent(win32event.EVENT_ALL_ACCESS, 0, "event"))
    assert (signalled(event), signalled(again)) == (True, True)
    kept = (
        win32event.CreateMutex(None, 0, "mutex"),
        win32event.CreateSemaphore(None, 1, 1, "semaphore"),
        win32event.CreateWaitableTimer(None, 1, "timer"),
    )
    for call, name in (
        (win32event.OpenMutex, "mutex"),
        (win32event.OpenSemaphore, "semaphore"),
        (win32event.OpenWaitableTimer, "timer"),
    ):
        assert isinstance(call(win32event.SYNCHRONIZE, 0, name), pywintypes.HANDLEType)
        assert code_of(call, win32event.SYNCHRONIZE, 0, "event") == (6, call.__name__)
        assert code_of(call, win32event.SYNCHRONIZE, 0, "nothing") == (2, call.__name__)
    del kept


def test_a_mutex_is_its_owners() -> None:
    mutex = win32event.CreateMutex(None, True, None)
    codes: list[object] = []

    def other() -> None:
        codes.append(win32event.WaitForSingleObject(mutex, 0))
        codes.append(code_of(win32event.ReleaseMutex, mutex))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(other,))
    thread.start()
    thread.join()
    assert codes == [258, (288, "ReleaseMutex")]
    assert win32event.ReleaseMutex(mutex) is None


def test_a_semaphore_tells_its_count() -> None:
    semaphore = win32event.CreateSemaphore(None, 0, 2, None)
    assert win32event.ReleaseSemaphore(semaphore, 1) == 0
    assert win32event.ReleaseSemaphore(semaphore, 1) == 1
    assert code_of(win32event.ReleaseSemaphore, semaphore, 1) == (298, "ReleaseSemaphore")


def test_a_timer_is_set_in_units_of_100_ns() -> None:
    timer = win32event.CreateWaitableTimer(None, 1, None)
    win32event.SetWaitableTimer(timer, -10 * 1000, 0, None, None, 0)
    assert win32event.WaitForSingleObject(timer, LONG_MS) == win32event.WAIT_OBJECT_0
    win32event.SetWaitableTimer(timer, -2_000_000_000, 0, None, None, False)
    assert win32event.WaitForSingleObject(timer, SOON_MS) == win32event.WAIT_TIMEOUT
    assert win32event.CancelWaitableTimer(timer) is None
    with pytest.raises(TypeError):
        win32event.SetWaitableTimer(timer, -1, 0, print, None, 0)  # type: ignore[arg-type]
    flags = win32event.CREATE_WAITABLE_TIMER_HIGH_RESOLUTION | win32event.CREATE_WAITABLE_TIMER_MANUAL_RESET
    manual = win32event.CreateWaitableTimerEx(None, None, flags, win32event.TIMER_ALL_ACCESS)
    win32event.SetWaitableTimer(manual, -1, 0, None, None, 0)
    assert win32event.WaitForSingleObject(manual, LONG_MS) == win32event.WAIT_OBJECT_0
    assert signalled(manual)
    assert code_of(win32event.CreateWaitableTimerEx, None, None, 8, 0) == (87, "CreateWaitableTimerEx")


@pytest.mark.parametrize("kind", [list, tuple])
def test_several_objects_are_waited_for_in_any_sequence(kind: type) -> None:
    events = kind(win32event.CreateEvent(None, 1, 0, None) for _ in range(3))
    assert win32event.WaitForMultipleObjects(events, 0, 0) == win32event.WAIT_TIMEOUT
    win32event.SetEvent(events[2])
    assert win32event.WaitForMultipleObjects(events, False, win32event.INFINITE) == win32event.WAIT_OBJECT_0 + 2
    assert win32event.WaitForMultipleObjectsEx(events, True, SOON_MS, True) == win32event.WAIT_TIMEOUT
    numbers = [int(event) for event in events]
    assert win32event.WaitForMultipleObjects(numbers, False, 0) == win32event.WAIT_OBJECT_0 + 2


def test_what_is_no_sequence_of_handles_is_a_type_error() -> None:
    for wrong in (1, ["event"], {1, 2}):
        with pytest.raises(TypeError, match="Handles must be a list of integers"):
            win32event.WaitForMultipleObjects(wrong, False, 0)  # type: ignore[arg-type]
    assert code_of(win32event.WaitForMultipleObjects, [], False, 0) == (87, "WaitForMultipleObjects")


def test_messages_are_waited_for_with_objects_or_alone() -> None:
    event = win32event.CreateEvent(None, 1, 0, None)
    assert win32event.MsgWaitForMultipleObjects([], 0, 0, win32event.QS_ALLINPUT) == win32event.WAIT_TIMEOUT
    assert win32event.MsgWaitForMultipleObjectsEx((event,), 0, win32event.QS_ALLINPUT, 0) == win32event.WAIT_TIMEOUT
    user32.RegisterClassEx(user32.WNDCLASSEX(user32.DefWindowProc, "waiter"))
    window = user32.CreateWindowEx(0, "waiter", None, 0, 0, 0, 0, 0, HWND_MESSAGE, None, None)
    user32.PostMessage(window, WM_USER, 0, 0)
    found = win32event.MsgWaitForMultipleObjects([event], 0, LONG_MS, win32event.QS_ALLINPUT)
    assert found == win32event.WAIT_OBJECT_0 + 1
    user32.DestroyWindow(window)


def test_one_object_is_signalled_and_another_one_waited_for() -> None:
    first, second = win32event.CreateEvent(None, 1, 0, None), win32event.CreateEvent(None, 1, 1, None)
    assert win32event.SignalObjectAndWait(first, second, win32event.INFINITE, 0) == win32event.WAIT_OBJECT_0
    assert signalled(first)


def test_a_socket_can_be_waited_for() -> None:
    """Its handle is signalled while no request without an event pends."""
    with socket.socket() as s:
        assert win32event.WaitForSingleObject(s.fileno(), 0) == win32event.WAIT_OBJECT_0
