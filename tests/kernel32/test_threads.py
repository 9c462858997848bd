"""Threads."""

from __future__ import annotations

import threading
from typing import Any

from tests.concurrency import until
from tests.loopback import code_of
from winsock2emu import kernel32
from winsock2emu.defs.codes import ERROR_INVALID_HANDLE
from winsock2emu.defs.constants import WAIT_OBJECT_0, WAIT_TIMEOUT
from winsock2emu.process import Process, current_process

LONG_MS = 20_000
CREATE_SUSPENDED = 4
STILL_ACTIVE = 259


def test_a_thread_runs_in_the_process_of_its_maker_and_leaves_its_result(process: Process) -> None:
    event = kernel32.CreateEvent(None, True, False)

    def start(parameter: int) -> int:
        assert current_process() is process
        kernel32.WaitForSingleObject(event, LONG_MS)
        return parameter + 1

    thread, identifier = kernel32.CreateThread(None, 0, start, 41)
    assert kernel32.GetThreadId(thread) == identifier != kernel32.GetCurrentThreadId()
    assert kernel32.WaitForSingleObject(thread, 0) == WAIT_TIMEOUT
    assert kernel32.GetExitCodeThread(thread) == STILL_ACTIVE

    kernel32.SetEvent(event)

    assert kernel32.WaitForSingleObject(thread, LONG_MS) == WAIT_OBJECT_0
    assert kernel32.GetExitCodeThread(thread) == 42


def test_a_thread_may_exit_from_within() -> None:
    def start(parameter: None) -> None:
        kernel32.ExitThread(7)
        raise AssertionError("it goes on")

    thread, _ = kernel32.CreateThread(None, 0, start, None)

    assert kernel32.WaitForSingleObject(thread, LONG_MS) == WAIT_OBJECT_0
    assert kernel32.GetExitCodeThread(thread) == 7


def test_a_suspended_thread_begins_when_it_is_resumed_and_runs_its_apcs_first() -> None:
    ran: list[Any] = []
    thread, _ = kernel32.CreateThread(None, 0, ran.append, "start", CREATE_SUSPENDED)
    kernel32.QueueUserAPC(ran.append, thread, "apc")
    assert kernel32.WaitForSingleObject(thread, 10) == WAIT_TIMEOUT
    assert ran == []

    assert kernel32.ResumeThread(thread) == 1
    assert kernel32.ResumeThread(thread) == 0

    assert kernel32.WaitForSingleObject(thread, LONG_MS) == WAIT_OBJECT_0
    assert ran == ["apc", "start"]


def test_a_thread_of_pythons_own_has_an_object_that_knows_its_end() -> None:
    handles: list[int] = []
    here = kernel32.GetCurrentProcess()
    process = current_process()

    def run() -> None:
        with process.active():
            handles.append(kernel32.DuplicateHandle(here, kernel32.GetCurrentThread(), here))

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: handles, "it has made a handle of itself")
    thread.join(20)

    assert kernel32.WaitForSingleObject(handles[0], LONG_MS) == WAIT_OBJECT_0
    assert kernel32.GetExitCodeThread(handles[0]) == 0


def test_what_is_no_thread_has_no_exit_code() -> None:
    event = kernel32.CreateEvent(None, True, False)

    for function in (kernel32.GetExitCodeThread, kernel32.GetThreadId, kernel32.ResumeThread):
        assert code_of(function, event) == ERROR_INVALID_HANDLE
