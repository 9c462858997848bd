"""``win32process`` by pywin32's conventions, and the message loops of ``win32gui``."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from winsock2emu import kernel32
from winsock2emu.compat import pywintypes, win32event, win32file, win32gui, win32pipe, win32process, win32security
from winsock2emu.process import Process

WAIT_MS = 20_000
WM_USER = 0x400


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process


def start(code: str, startup: win32process.PySTARTUPINFO | None = None, **environment: str) -> pywintypes.PyHANDLE:
    """The handle of an interpreter that runs some code."""
    handle, thread, identifier, _ = win32process.CreateProcess(
        sys.executable,
        f'python -c "{code}"',
        None,
        None,
        1,
        win32process.CREATE_NO_WINDOW,
        environment or None,
        None,
        startup or win32process.STARTUPINFO(),
    )
    thread.Close()
    assert win32process.GetProcessId(handle) == identifier
    return handle


def test_a_process_is_waited_for_and_tells_its_exit_code() -> None:
    handle = start("raise SystemExit(7)")
    assert win32event.WaitForSingleObject(handle, WAIT_MS) == win32event.WAIT_OBJECT_0
    assert win32process.GetExitCodeProcess(handle) == 7


def test_a_process_is_active_until_it_is_terminated() -> None:
    """Once it has ended it cannot be: ERROR_ACCESS_DENIED, as a failure of pywin32's."""
    attributes = win32security.SECURITY_ATTRIBUTES()
    attributes.bInheritHandle = 1
    silent, sink = win32pipe.CreatePipe(attributes, 0)
    startup = win32process.STARTUPINFO()
    startup.hStdInput = silent
    startup.dwFlags = win32process.STARTF_USESTDHANDLES
    handle = start("input()", startup)
    assert win32process.GetExitCodeProcess(handle) == win32process.STILL_ACTIVE
    win32process.TerminateProcess(handle, 3)
    assert win32event.WaitForSingleObject(handle, WAIT_MS) == win32event.WAIT_OBJECT_0
    assert win32process.GetExitCodeProcess(handle) == 3
    with pytest.raises(win32process.error) as caught:
        win32process.TerminateProcess(handle, 3)
    assert (caught.value.winerror, caught.value.funcname) == (5, "TerminateProcess")
    sink.Close()


def test_a_process_writes_into_a_pipe_and_has_the_environment_that_it_is_given() -> None:
    attributes = win32security.SECURITY_ATTRIBUTES()
    attributes.bInheritHandle = 1
    source, sink = win32pipe.CreatePipe(attributes, 0)
    startup = win32process.STARTUPINFO()
    startup.hStdOutput = sink
    startup.dwFlags = win32process.STARTF_USESTDHANDLES
    handle = start("import os; print(os.environ['GREETING'])", startup, GREETING="hello")
    sink.Close()
    assert win32file.ReadFile(source, 100)[1].strip() == b"hello"
    assert win32event.WaitForSingleObject(handle, WAIT_MS) == win32event.WAIT_OBJECT_0
    assert win32process.GetExitCodeProcess(handle) == 0


def test_what_is_no_program_is_a_failure_of_pywin32s() -> None:
    arguments = None, None, 0, 0, None, None
    with pytest.raises(pywintypes.error) as caught:
        win32process.CreateProcess("/nowhere/at/all", None, *arguments, win32process.STARTUPINFO())
    assert (caught.value.winerror, caught.value.funcname) == (2, "CreateProcess")
    with pytest.raises(TypeError):
        win32process.CreateProcess(sys.executable, None, *arguments, None)  # type: ignore[arg-type]


def test_waiting_messages_are_taken_and_the_last_one_is_told() -> None:
    thread = kernel32.GetCurrentThreadId()
    assert win32gui.PumpWaitingMessages() == 0
    win32gui.PostThreadMessage(thread, WM_USER, 1, 2)
    code, message = win32gui.PeekMessage(0, 0, 0, 1)
    assert (code, message[:4]) == (1, (0, WM_USER, 1, 2))
    assert win32gui.PeekMessage(0, 0, 0, 1)[0] == 0
    win32gui.PostThreadMessage(thread, WM_USER)
    win32gui.PostQuitMessage(0)
    assert win32gui.PumpWaitingMessages() == 1
    win32gui.PostThreadMessage(thread, WM_USER)
    assert win32gui.GetMessage()[0] == 1
    win32gui.PostQuitMessage(0)
    assert win32gui.GetMessage()[0] == 0
    win32gui.PostThreadMessage(thread, WM_USER)
    win32gui.PostQuitMessage(0)
    win32gui.PumpMessages()
