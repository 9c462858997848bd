"""The process's own handle, thread-local slots, ending another thread, the machine's names and clocks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextvars import copy_context

import pytest

from tests.concurrency import until
from tests.loopback import code_of
from winsock2emu import kernel32
from winsock2emu.defs.codes import (
    ERROR_ACCESS_DENIED,
    ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    WSAEOPNOTSUPP,
)
from winsock2emu.defs.constants import INFINITE, WAIT_OBJECT_0, WAIT_TIMEOUT
from winsock2emu.kernel.operations import moved_of
from winsock2emu.kernel32.process import split_command_line

LONG_MS = 20_000
CREATE_SUSPENDED = 4


# The process


def test_a_handle_of_the_process_itself() -> None:
    handle = kernel32.OpenProcess(0x1000, False, os.getpid())
    for one in (handle, kernel32.GetCurrentProcess()):
        assert kernel32.GetExitCodeProcess(one) == 259
        assert kernel32.GetProcessId(one) == kernel32.GetCurrentProcessId()
    assert kernel32.WaitForSingleObject(handle, 0) == WAIT_TIMEOUT
    kernel32.CloseHandle(handle)


def test_other_processes_are_not_opened() -> None:
    assert code_of(kernel32.OpenProcess, 0x1000, False, os.getppid()) == ERROR_ACCESS_DENIED
    assert code_of(kernel32.OpenProcess, 0x1000, False, 0x7FFFFFF0) == ERROR_INVALID_PARAMETER
    assert code_of(kernel32.GetExitCodeProcess, kernel32.GetCurrentThread()) == ERROR_INVALID_HANDLE


# Thread-local slots


def test_every_thread_has_a_value_of_its_own() -> None:
    slot, elsewhere = kernel32.TlsAlloc(), list[object]()
    kernel32.TlsSetValue(slot, "mine")
    other = threading.Thread(target=copy_context().run, args=(lambda: elsewhere.append(kernel32.TlsGetValue(slot)),))
    other.start()
    other.join(10)
    kernel32.SetLastError(5)
    assert (kernel32.TlsGetValue(slot), elsewhere) == ("mine", [None])
    assert kernel32.GetLastError() == 0
    kernel32.TlsFree(slot)


def test_a_slot_is_empty_when_it_is_given_out_again() -> None:
    slot = kernel32.TlsAlloc()
    kernel32.TlsSetValue(slot, "old")
    kernel32.TlsFree(slot)
    assert kernel32.TlsAlloc() == slot
    assert kernel32.TlsGetValue(slot) is None
    kernel32.TlsFree(slot)
    assert code_of(kernel32.TlsFree, slot) == ERROR_INVALID_PARAMETER


def test_there_are_1088_slots() -> None:
    slots = [kernel32.TlsAlloc() for _ in range(1088)]
    assert code_of(kernel32.TlsAlloc) == 8
    for slot in slots:
        kernel32.TlsFree(slot)
    for call in (kernel32.TlsGetValue, lambda slot: kernel32.TlsSetValue(slot, 1)):
        assert code_of(call, 1088) == ERROR_INVALID_PARAMETER


# TerminateThread


@pytest.mark.parametrize("alertable", [False, True])
def test_a_thread_in_a_wait_is_ended(alertable: bool) -> None:
    event = kernel32.CreateEvent(None, True, False)
    inside = threading.Event()

    def start(_: None) -> int:
        inside.set()
        kernel32.WaitForSingleObjectEx(event, INFINITE, alertable)
        return 1

    thread, _ = kernel32.CreateThread(None, 0, start, None)
    assert inside.wait(10)
    kernel32.TerminateThread(thread, 42)
    assert kernel32.WaitForSingleObject(thread, LONG_MS) == WAIT_OBJECT_0
    assert kernel32.GetExitCodeThread(thread) == 42
    assert code_of(kernel32.TerminateThread, thread, 1) == ERROR_ACCESS_DENIED
    for handle in (thread, event):
        kernel32.CloseHandle(handle)


def test_a_thread_that_computes_is_ended() -> None:
    rounds: list[int] = [0]

    def start(_: None) -> None:
        while True:
            rounds[0] += 1

    thread, _ = kernel32.CreateThread(None, 0, start, None)
    until(lambda: rounds[0] > 0, "the thread runs")
    kernel32.TerminateThread(thread, 7)
    assert kernel32.WaitForSingleObject(thread, LONG_MS) == WAIT_OBJECT_0
    assert kernel32.GetExitCodeThread(thread) == 7
    kernel32.CloseHandle(thread)


def test_a_suspended_thread_never_begins() -> None:
    ran: list[int] = []
    thread, _ = kernel32.CreateThread(None, 0, ran.append, 1, CREATE_SUSPENDED)
    kernel32.TerminateThread(thread, 3)
    assert kernel32.WaitForSingleObject(thread, LONG_MS) == WAIT_OBJECT_0
    assert (kernel32.GetExitCodeThread(thread), ran) == (3, [])
    kernel32.CloseHandle(thread)


def test_the_main_thread_is_not_ended_by_another_one() -> None:
    process = kernel32.GetCurrentProcess()
    main = kernel32.DuplicateHandle(process, kernel32.GetCurrentThread(), process)
    codes: list[int] = []
    other, _ = kernel32.CreateThread(None, 0, lambda _: codes.append(code_of(kernel32.TerminateThread, main, 1)), None)
    assert kernel32.WaitForSingleObject(other, LONG_MS) == WAIT_OBJECT_0
    kernel32.CloseHandle(other)
    assert codes == [ERROR_ACCESS_DENIED]
    kernel32.CloseHandle(main)


# Names and clocks


def test_names_of_the_machine() -> None:
    netbios, host, domain, full = (kernel32.GetComputerNameEx(kind) for kind in range(4))
    assert netbios == host[:15].upper()
    assert full == (f"{host}.{domain}" if domain else host)
    assert [kernel32.GetComputerNameEx(kind) for kind in range(4, 8)] == [netbios, host, domain, full]
    for kind in (-1, 8):
        assert code_of(kernel32.GetComputerNameEx, kind) == ERROR_INVALID_PARAMETER


def test_clocks() -> None:
    units = kernel32.GetSystemTimeAsFileTime()
    assert abs(units / 10_000_000 - 11_644_473_600 - time.time()) < 5
    before = kernel32.QueryPerformanceCounter()
    kernel32.Sleep(10)
    passed = (kernel32.QueryPerformanceCounter() - before) / kernel32.QueryPerformanceFrequency()
    assert 0.0099 < passed < 5


# Other processes


@pytest.mark.parametrize(
    ("line", "words"),
    [
        # The table of "Parsing C command-line arguments", with a program before it.
        (r'p "abc" d e', ["p", "abc", "d", "e"]),
        (r'p a\\\b d"e f"g h', ["p", r"a\\\b", "de fg", "h"]),
        (r"p a\\\"b c d", ["p", r"a\"b", "c", "d"]),
        (r'p a\\\\"b c" d e', ["p", r"a\\b c", "d", "e"]),
        (r'p a"b"" c d', ["p", 'ab" c d']),
        (r'"C:\a b\p.exe" "" x', [r"C:\a b\p.exe", "", "x"]),
        ("p\t1  2 ", ["p", "1", "2"]),
        ("", []),
    ],
)
def test_a_command_line_is_split_as_the_c_runtime_does(line: str, words: list[str]) -> None:
    assert split_command_line(line) == words


@pytest.mark.parametrize("argument", ["", "a b", 'quo"te', "back\\", 'both\\"', "\\\\share\\x y\\", "tab\t", "plain"])
def test_what_subprocess_quotes_comes_back(argument: str) -> None:
    assert split_command_line(subprocess.list2cmdline(["p", argument, "z"])) == ["p", argument, "z"]


def test_a_child_is_started_waited_for_and_its_code_told() -> None:
    source, sink = kernel32.CreatePipe()
    line = subprocess.list2cmdline([sys.executable, "-c", "import sys; print(sys.argv[1:]); sys.exit(7)", "a b"])
    child = kernel32.CreateProcess(None, line, standard=[None, sink, None])
    kernel32.CloseHandle(sink)
    assert kernel32.GetProcessId(child.process) == child.process_id
    assert kernel32.WaitForSingleObject(child.process, LONG_MS) == WAIT_OBJECT_0
    assert kernel32.GetExitCodeProcess(child.process) == 7
    room = bytearray(100)
    moved = moved_of(kernel32.ReadFile(source, room))
    assert bytes(room[:moved]) == b"['a b']\n"
    for handle in (child.process, child.thread, source):
        kernel32.CloseHandle(handle)


def test_a_child_is_ended_with_a_code() -> None:
    child = kernel32.CreateProcess(sys.executable, f'"{sys.executable}" -c "import time; time.sleep(60)"')
    assert kernel32.GetExitCodeProcess(child.process) == 259
    other = kernel32.OpenProcess(0x1000, False, child.process_id)
    kernel32.TerminateProcess(other, 1234)
    assert kernel32.WaitForSingleObject(child.process, LONG_MS) == WAIT_OBJECT_0
    assert kernel32.GetExitCodeProcess(other) == 1234
    assert code_of(kernel32.TerminateProcess, child.process, 1) == ERROR_ACCESS_DENIED
    for handle in (child.process, child.thread, other):
        kernel32.CloseHandle(handle)


def test_a_child_that_cannot_be_started() -> None:
    assert code_of(kernel32.CreateProcess, None, "no-program-of-this-name") == ERROR_FILE_NOT_FOUND
    assert code_of(kernel32.CreateProcess, None, "") == ERROR_INVALID_PARAMETER
    event = kernel32.CreateEvent(None, True, False, None)
    assert (
        code_of(kernel32.CreateProcess, sys.executable, None, False, 0, None, None, [event, None, None])
        == ERROR_INVALID_HANDLE
    )
    assert code_of(kernel32.CreateProcess, sys.executable, None, False, CREATE_SUSPENDED) == WSAEOPNOTSUPP
    kernel32.CloseHandle(event)
