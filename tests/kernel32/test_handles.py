"""Handles: closing, copying, flags."""

from __future__ import annotations

import os

from tests.loopback import code_of
from winsock2emu import kernel32, ws2_32
from winsock2emu.defs.codes import ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, WSAENOTSOCK
from winsock2emu.defs.constants import (
    AF_INET,
    DUPLICATE_CLOSE_SOURCE,
    HANDLE_FLAG_INHERIT,
    HANDLE_FLAG_PROTECT_FROM_CLOSE,
    SOCK_STREAM,
    WAIT_OBJECT_0,
)


def copy(handle: int, inherit: bool = False, options: int = 0) -> int:
    here = kernel32.GetCurrentProcess()
    return kernel32.DuplicateHandle(here, handle, here, 0, inherit, options)


def test_a_closed_handle_is_no_handle() -> None:
    event = kernel32.CreateEvent(None, True, False)
    kernel32.CloseHandle(event)

    assert code_of(kernel32.CloseHandle, event) == ERROR_INVALID_HANDLE
    assert code_of(kernel32.CloseHandle, 0) == ERROR_INVALID_HANDLE


def test_closing_a_pseudo_handle_has_no_effect() -> None:
    for pseudo in (kernel32.GetCurrentProcess(), kernel32.GetCurrentThread()):
        kernel32.CloseHandle(pseudo)
        assert kernel32.WaitForSingleObject(pseudo, 0) != WAIT_OBJECT_0


def test_a_copy_leads_to_the_same_object_and_outlives_the_first_handle() -> None:
    event = kernel32.CreateEvent(None, True, False)
    other = copy(event)
    assert kernel32.CompareObjectHandles(event, other)

    kernel32.SetEvent(event)
    kernel32.CloseHandle(event)

    assert kernel32.WaitForSingleObject(other, 0) == WAIT_OBJECT_0


def test_a_copy_may_close_its_source() -> None:
    event = kernel32.CreateEvent(None, True, True)

    other = copy(event, options=DUPLICATE_CLOSE_SOURCE)

    assert code_of(kernel32.SetEvent, event) == ERROR_INVALID_HANDLE or other == event
    assert kernel32.WaitForSingleObject(other, 0) == WAIT_OBJECT_0


def test_the_copy_of_a_threads_pseudo_handle_means_that_thread() -> None:
    thread = copy(kernel32.GetCurrentThread())

    assert kernel32.GetThreadId(thread) == kernel32.GetCurrentThreadId()
    assert kernel32.CompareObjectHandles(thread, kernel32.GetCurrentThread())
    assert kernel32.GetExitCodeThread(thread) == 259


def test_flags_belong_to_the_handle() -> None:
    event = kernel32.CreateEvent(True, True, False)
    other = copy(event)
    assert kernel32.GetHandleInformation(event) == HANDLE_FLAG_INHERIT
    assert kernel32.GetHandleInformation(other) == 0

    kernel32.SetHandleInformation(event, HANDLE_FLAG_INHERIT, 0)
    kernel32.SetHandleInformation(other, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT)

    assert kernel32.GetHandleInformation(event) == 0
    assert kernel32.GetHandleInformation(other) == HANDLE_FLAG_INHERIT
    assert code_of(kernel32.SetHandleInformation, event, 4, 4) == ERROR_INVALID_PARAMETER
    assert code_of(kernel32.GetHandleInformation, 0) == ERROR_INVALID_HANDLE


def test_a_protected_handle_stays_open() -> None:
    event = kernel32.CreateEvent(None, True, True)
    kernel32.SetHandleInformation(event, HANDLE_FLAG_PROTECT_FROM_CLOSE, HANDLE_FLAG_PROTECT_FROM_CLOSE)

    assert code_of(kernel32.CloseHandle, event) == ERROR_INVALID_HANDLE
    assert kernel32.WaitForSingleObject(event, 0) == WAIT_OBJECT_0

    kernel32.SetHandleInformation(event, HANDLE_FLAG_PROTECT_FROM_CLOSE, 0)
    kernel32.CloseHandle(event)


def test_a_socket_has_the_flags_of_its_descriptor() -> None:
    s = ws2_32.socket(AF_INET, SOCK_STREAM, 0)

    for inherit in (0, HANDLE_FLAG_INHERIT):
        kernel32.SetHandleInformation(s, HANDLE_FLAG_INHERIT, inherit)
        assert kernel32.GetHandleInformation(s) == inherit
        assert os.get_inheritable(s) == bool(inherit)

    kernel32.CloseHandle(s)
    assert code_of(ws2_32.closesocket, s) == WSAENOTSOCK
