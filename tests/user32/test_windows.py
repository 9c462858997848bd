"""Windows of the Python API: what the cases cannot show, as it is about exceptions, threads and the tables."""

from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from tests.concurrency import Call, until
from winsock2emu import user32
from winsock2emu.defs.codes import ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER
from winsock2emu.defs.windows import (
    ERROR_CANNOT_FIND_WND_CLASS,
    ERROR_INVALID_WINDOW_HANDLE,
    GWLP_HWNDPARENT,
    GWLP_WNDPROC,
    HWND_MESSAGE,
    WM_APP,
    WM_CREATE,
    WM_DESTROY,
    WM_NCCREATE,
    WM_NCDESTROY,
    WM_USER,
)
from winsock2emu.errors import WinsockError
from winsock2emu.process import Process


class ProgramError(Exception):
    """What the program's own code raises."""


def create(name: str | int = "toy", parent: int = HWND_MESSAGE, title: str | None = None) -> int:
    return user32.CreateWindowEx(0, name, title, 0, 0, 0, 0, 0, parent, None, None)


class Recorder:
    """A window procedure that keeps what it is told, and raises at one message."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.raises_at = -1

    def __call__(self, hwnd: int, message: int, wparam: Any, lparam: Any) -> int:
        self.told.append(message)
        if message == self.raises_at:
            raise ProgramError
        return user32.DefWindowProc(hwnd, message, wparam, lparam)


@pytest.fixture
def recorder(process: Process) -> Recorder:
    recorder = Recorder()
    user32.RegisterClassEx(user32.WNDCLASSEX(recorder, "toy"))
    return recorder


def test_an_exception_during_creation_reaches_the_caller_and_leaves_no_window(
    process: Process, recorder: Recorder
) -> None:
    for message in (WM_NCCREATE, WM_CREATE):
        recorder.raises_at = message
        with pytest.raises(ProgramError):
            create()

    assert process.desktop.windows == {}


def test_what_a_failed_creation_has_made_below_goes_as_well(process: Process, recorder: Recorder) -> None:
    def procedure(hwnd: int, message: int, wparam: Any, lparam: Any) -> int:
        if message == WM_CREATE:
            create(parent=hwnd)
            raise ProgramError
        return user32.DefWindowProc(hwnd, message, wparam, lparam)

    user32.RegisterClassEx(user32.WNDCLASSEX(procedure, "parent"))
    with pytest.raises(ProgramError):
        create("parent")

    assert process.desktop.windows == {}


def test_an_exception_during_destruction_reaches_the_caller_and_leaves_no_window(
    process: Process, recorder: Recorder
) -> None:
    for message in (WM_DESTROY, WM_NCDESTROY):
        recorder.raises_at = -1
        parent = create()
        create(parent=parent)
        recorder.raises_at = message
        with pytest.raises(ProgramError):
            user32.DestroyWindow(parent)

    assert process.desktop.windows == {}


def test_a_window_destroyed_in_its_own_creation_is_not_returned(recorder: Recorder) -> None:
    def procedure(hwnd: int, message: int, wparam: Any, lparam: Any) -> int:
        if message == WM_CREATE:
            user32.DestroyWindow(hwnd)
        return user32.DefWindowProc(hwnd, message, wparam, lparam)

    user32.RegisterClassEx(user32.WNDCLASSEX(procedure, "hasty"))

    assert create("hasty") == 0


def test_destroying_inside_of_destroy_happens_once(recorder: Recorder) -> None:
    told: list[int] = []

    def procedure(hwnd: int, message: int, wparam: Any, lparam: Any) -> int:
        told.append(message)
        if message == WM_DESTROY:
            user32.DestroyWindow(hwnd)
        return user32.DefWindowProc(hwnd, message, wparam, lparam)

    user32.RegisterClassEx(user32.WNDCLASSEX(procedure, "twice"))
    user32.DestroyWindow(create("twice"))

    assert told.count(WM_DESTROY) == told.count(WM_NCDESTROY) == 1


def test_the_system_classes_are_there(process: Process) -> None:
    """Programs make windows of them and put their own procedure in."""
    for name in ("Message", "STATIC"):
        hwnd = create(name)
        before = user32.SetWindowLongPtr(hwnd, GWLP_WNDPROC, lambda hwnd, message, wparam, lparam: 9)
        assert before is user32.DefWindowProc
        assert user32.SendMessage(hwnd, WM_APP) == 9
        user32.DestroyWindow(hwnd)
    with pytest.raises(WinsockError) as caught:
        create("BUTTON")
    assert caught.value.winerror == ERROR_CANNOT_FIND_WND_CLASS


def test_a_class_needs_a_name_and_a_procedure(process: Process) -> None:
    for record in (
        user32.WNDCLASSEX(None, "toy"),
        user32.WNDCLASSEX(user32.DefWindowProc, None),
        user32.WNDCLASSEX(user32.DefWindowProc, ""),
        user32.WNDCLASSEX(user32.DefWindowProc, "x" * 257),
        user32.WNDCLASSEX(user32.DefWindowProc, "toy", wnd_extra=-1),
    ):
        with pytest.raises(WinsockError) as caught:
            user32.RegisterClassEx(record)
        assert caught.value.winerror == ERROR_INVALID_PARAMETER


def test_the_procedure_of_another_threads_window_cannot_be_replaced(recorder: Recorder) -> None:
    hwnd = create()

    failure = Call(user32.SetWindowLongPtr, hwnd, GWLP_WNDPROC, user32.DefWindowProc).failure()

    # The thread of `Call` is in another emulated process: there is no such window for it.
    assert isinstance(failure, WinsockError)
    assert failure.winerror == ERROR_INVALID_WINDOW_HANDLE


def test_another_thread_of_the_process_is_refused(process: Process, recorder: Recorder) -> None:
    hwnd = create()

    def elsewhere() -> None:
        with process.active():
            user32.SetWindowLongPtr(hwnd, GWLP_WNDPROC, user32.DefWindowProc)

    failure = Call(elsewhere).failure()

    assert isinstance(failure, WinsockError)
    assert failure.winerror == ERROR_ACCESS_DENIED


def test_a_parent_that_is_set_has_to_exist(recorder: Recorder) -> None:
    with pytest.raises(WinsockError) as caught:
        user32.SetWindowLongPtr(create(), GWLP_HWNDPARENT, 12345)
    assert caught.value.winerror == ERROR_INVALID_WINDOW_HANDLE


def test_windows_are_found_by_class_and_name(recorder: Recorder) -> None:
    """Message-only windows below HWND_MESSAGE only, children below their parent only."""
    plain, hidden = create(parent=0, title="one"), create(title="two")
    child = create(parent=plain, title="three")

    assert user32.FindWindow("toy", None) == plain
    assert user32.FindWindow(None, "one") == plain
    assert user32.FindWindow(None, "two") == 0
    assert user32.FindWindow("no such class", None) == 0
    assert user32.FindWindowEx(HWND_MESSAGE, None, "toy", "two") == hidden
    assert user32.FindWindowEx(plain, None, None, None) == child
    assert user32.FindWindowEx(plain, child, None, None) == 0


def test_a_window_tells_its_thread(recorder: Recorder) -> None:
    thread, process_id = user32.GetWindowThreadProcessId(create())

    assert (thread, process_id) == (threading.get_native_id(), os.getpid())


def test_handles_are_no_descriptors_and_come_once(recorder: Recorder, process: Process) -> None:
    """A late message for a destroyed window must not reach the next one."""
    first = create()
    user32.DestroyWindow(first)
    second = create()

    assert first != second
    assert first > 0x40000000 > max(process.objects, default=0)


def test_a_thread_leaves_nothing_behind(process: Process, recorder: Recorder) -> None:
    """Neither windows nor queue; its procedures are not called, as nobody is there to call them."""

    def lives() -> int:
        with process.active():
            return create()

    call = Call(lives)
    hwnd = call.result()
    until(lambda: not user32.IsWindow(hwnd), "the window went with its thread")

    assert recorder.told == [WM_NCCREATE, WM_CREATE]
    with pytest.raises(WinsockError):
        user32.PostMessage(hwnd, WM_USER)


def test_two_processes_never_meet(recorder: Recorder) -> None:
    hwnd = create()

    with Process().active():
        assert not user32.IsWindow(hwnd)
        with pytest.raises(WinsockError) as caught:
            create()
    assert caught.value.winerror == ERROR_CANNOT_FIND_WND_CLASS
