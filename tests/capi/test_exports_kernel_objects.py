"""Files, messages, critical sections, the pool and the machine's names of kernel32.dll, through C."""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pytest

from tests.capi.cabi import UNTOUCHED, call, dword, error, fails, ref
from tests.concurrency import until
from winsock2emu.process import Process

K = "kernel32"
LONG_MS = 20_000
INVALID_HANDLE = 0xFFFFFFFFFFFFFFFF
READ, WRITE, OVERLAPPED = 0x80000000, 0x40000000, 0x40000000
CREATE_ALWAYS, OPEN_EXISTING = 2, 3


def k(name: str, *args: Any) -> Any:
    return call(name, *args, dll=K)


def wide(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


@pytest.fixture(autouse=True)
def own_process(process: Process) -> Process:
    return process


# Files


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "file")


@pytest.fixture
def file(path: str) -> Iterator[int]:
    handle = k("CreateFileA", path.encode(), READ | WRITE, 0, None, CREATE_ALWAYS, 0, None)
    yield handle
    k("CloseHandle", handle)


@pytest.fixture
def overlapped_file(path: str) -> Iterator[int]:
    handle = k("CreateFileW", wide(path), READ | WRITE, 0, None, CREATE_ALWAYS, OVERLAPPED, None)
    yield handle
    k("CloseHandle", handle)


def test_counts_of_reads_and_writes(file: int) -> None:
    count, buffer = dword(), ctypes.create_string_buffer(8)
    assert k("WriteFile", file, b"hello", 5, ref(count), None) == 1
    assert count.value == 5
    assert k("SetFilePointer", file, 1, None, 0) == 1
    assert k("ReadFile", file, buffer, 8, ref(count), None) == 1
    assert (count.value, buffer.raw[:4]) == (4, b"ello")
    assert k("ReadFile", file, buffer, 8, ref(count), None) == 1
    assert count.value == 0
    fails(998, "ReadFile", file, buffer, 8, None, None, failure=0, dll=K)
    fails(998, "ReadFile", file, None, 8, ref(count), None, failure=0, dll=K)


def test_sizes_and_positions_in_halves(file: int) -> None:
    high = ctypes.c_int32(1)
    assert k("SetFilePointer", file, 7, ref(high), 0) == 7
    assert high.value == 1
    fails(87, "SetFilePointer", file, 0, None, 1, failure=0xFFFFFFFF, dll=K)
    place = ctypes.c_int64(0)
    assert k("SetFilePointerEx", file, 0, ref(place), 1) == 1
    assert place.value == (1 << 32) + 7
    fails(131, "SetFilePointer", file, -1, None, 0, failure=0xFFFFFFFF, dll=K)
    k("SetFilePointerEx", file, 0xFFFFFFFE, None, 0)
    k("WriteFile", file, b"x", 1, ref(dword()), None)
    size, upper = ctypes.c_int64(0), dword()
    assert k("GetFileSizeEx", file, ref(size)) == 1
    assert size.value == 0xFFFFFFFF
    fails(0, "GetFileSize", file, ref(upper), failure=0xFFFFFFFF, dll=K)  # no failure: the last error is 0
    assert upper.value == 0
    fails(6, "GetFileSize", 0x7FFFFFF0, None, failure=0xFFFFFFFF, dll=K)
    assert k("GetFileType", file) == 1


def test_opening_tells_what_was_there(path: str, file: int) -> None:
    fails(32, "CreateFileA", path.encode(), READ, 0, None, OPEN_EXISTING, 0, None, failure=INVALID_HANDLE, dll=K)
    fails(2, "CreateFileW", wide(path + "x"), READ, 0, None, 3, 0, None, failure=INVALID_HANDLE, dll=K)
    k("CloseHandle", file)
    again = k("CreateFileA", path.encode(), READ | WRITE, 0, None, CREATE_ALWAYS, 0, None)
    assert error() == 183
    k("CloseHandle", again)
    assert k("DeleteFileA", path.encode()) == 1
    fails(2, "DeleteFileW", wide(path), failure=0, dll=K)
    k("CloseHandle", k("CreateFileA", path.encode(), READ | WRITE, 0, None, CREATE_ALWAYS, 0, None))


def test_an_overlapped_structure_and_its_completion_routine(overlapped_file: int) -> None:
    """hEvent is the program's own with a routine; the routine gets the structure's address."""
    told: list[tuple[int, int, int]] = []
    routine = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64)(
        lambda *outcome: told.append(outcome)
    )
    record = ctypes.create_string_buffer(struct.pack("<QQIIQ", 0, 0, 0, 0, 0x1234), 32)
    assert k("WriteFileEx", overlapped_file, b"abcd", 4, record, routine) == 1
    assert k("SleepEx", LONG_MS, 1) == 0xC0
    assert told == [(0, 4, ctypes.addressof(record))]
    assert struct.unpack("<QQ", record.raw[:16]) == (0, 4)

    event, count, buffer = k("CreateEventA", None, 1, 0, None), dword(), ctypes.create_string_buffer(4)
    second = ctypes.create_string_buffer(struct.pack("<QQIIQ", 0, 0, 1, 0, event), 32)
    assert k("ReadFile", overlapped_file, buffer, 4, None, second) == 1
    assert k("GetOverlappedResult", overlapped_file, second, ref(count), 1) == 1
    assert (count.value, buffer.raw[:3], k("WaitForSingleObject", event, 0)) == (3, b"bcd", 0)
    late = ctypes.create_string_buffer(struct.pack("<QQIIQ", 0, 0, 9, 0, 0), 32)
    fails(38, "ReadFile", overlapped_file, buffer, 4, None, late, failure=0, dll=K)
    k("CloseHandle", event)


@pytest.mark.parametrize(("name", "width"), [("GetTempPathA", 1), ("GetTempPathW", 2)])
def test_the_folder_for_temporary_files(name: str, width: int) -> None:
    needed = k(name, 0, None)
    buffer = ctypes.create_string_buffer(needed * width)
    assert k(name, needed - 1, buffer) == needed
    assert k(name, needed, buffer) == needed - 1
    assert buffer.raw.decode("latin-1" if width == 1 else "utf-16-le").endswith("\\\0")


def test_cutting_flushing_and_temporary_names(file: int, tmp_path: Path) -> None:
    k("SetFilePointer", file, 5, None, 0)
    assert (k("SetEndOfFile", file), k("FlushFileBuffers", file), k("GetFileSize", file, None)) == (1, 1, 5)
    name = ctypes.create_string_buffer(600)
    assert k("GetTempFileNameW", wide(str(tmp_path)), wide("w2e"), 0xABCD, name) == 0xABCD
    assert name.raw.decode("utf-16-le").partition("\0")[0].endswith("\\w2eABCD.TMP")


# Messages


def test_a_message_into_the_callers_buffer() -> None:
    buffer = ctypes.create_string_buffer(200)
    assert k("FormatMessageA", 0x1200, None, 5, 0, buffer, 200, None) == 19
    assert buffer.value == b"Access is denied.\r\n"
    assert k("FormatMessageW", 0x12FF, None, 5, 0, buffer, 100, None) == 18
    assert buffer.raw[:38] == wide("Access is denied. ")
    fails(122, "FormatMessageA", 0x1200, None, 5, 0, buffer, 19, None, failure=0, dll=K)
    fails(317, "FormatMessageA", 0x1200, None, 0x12345678, 0, buffer, 200, None, failure=0, dll=K)
    fails(87, "FormatMessageW", 0x1200, None, 5, 0, None, 0, None, failure=0, dll=K)


def test_a_message_into_memory_of_its_own() -> None:
    for name, width, text in (("FormatMessageA", 1, b"ab"), ("FormatMessageW", 2, wide("ab")[:-2])):
        pointer = ctypes.c_void_p(UNTOUCHED)
        source = text + bytes(width)
        assert k(name, 0x500, source, 0, 0, ref(pointer), 0, None) == 2
        assert pointer.value is not None
        assert ctypes.string_at(pointer.value, 3 * width) == source
        assert k("LocalFree", pointer) is None
        fails(317, name, 0x1100, None, 0x12345678, 0, ref(pointer), 0, None, failure=0, dll=K)
        assert pointer.value is None
    fails(8, "FormatMessageA", 0x500, b"ab", 0, 0, None, 0, None, failure=0, dll=K)


def test_values_in_an_array_and_in_a_va_list() -> None:
    text = ctypes.create_string_buffer(b"seven")
    values = (ctypes.c_uint64 * 2)(ctypes.addressof(text), 0xFFFFFFFFFFFFFFF9)
    buffer = ctypes.create_string_buffer(100)
    assert k("FormatMessageA", 0x2400, b"%1 %2!d!", 0, 0, buffer, 100, values) == 8
    assert buffer.value == b"seven -7"
    va_list = ctypes.c_uint64(ctypes.addressof(values))
    assert k("FormatMessageW", 0x400, wide("%1!S!"), 0, 0, buffer, 50, ref(va_list)) == 5
    assert buffer.raw[:12] == wide("seven")


# Critical sections


def test_a_critical_section_keeps_others_out_until_it_is_left_as_often_as_entered() -> None:
    section = ctypes.create_string_buffer(40)
    k("InitializeCriticalSection", section)
    k("EnterCriticalSection", section)
    k("EnterCriticalSection", section)
    recursion, owner = struct.unpack_from("<iQ", section, 12)
    assert (recursion, owner) == (2, k("GetCurrentThreadId"))
    entered = threading.Event()

    def other() -> None:
        k("EnterCriticalSection", section)
        entered.set()
        k("LeaveCriticalSection", section)

    thread = threading.Thread(target=copy_context().run, args=(other,))
    thread.start()
    k("LeaveCriticalSection", section)
    assert not entered.wait(0.02)
    k("LeaveCriticalSection", section)
    assert entered.wait(10)
    thread.join(10)
    assert struct.unpack_from("<iQ", section, 12) == (0, 0)
    k("DeleteCriticalSection", section)


def test_a_critical_section_protects_a_counter() -> None:
    """Eight threads add in two steps; nothing is lost."""
    section, counter = ctypes.create_string_buffer(40), [0]
    k("InitializeCriticalSection", section)

    def add() -> None:
        for _ in range(200):
            k("EnterCriticalSection", section)
            before = counter[0]
            k("SwitchToThread")
            counter[0] = before + 1
            k("LeaveCriticalSection", section)

    threads = [threading.Thread(target=copy_context().run, args=(add,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    k("DeleteCriticalSection", section)
    assert counter == [1600]


def test_trying_to_enter() -> None:
    section, results = ctypes.create_string_buffer(40), list[int]()
    assert k("InitializeCriticalSectionAndSpinCount", section, 4000) == 1
    assert k("TryEnterCriticalSection", section) == 1
    thread = threading.Thread(
        target=copy_context().run, args=(lambda: results.append(k("TryEnterCriticalSection", section)),)
    )
    thread.start()
    thread.join(10)
    assert results == [0]
    k("LeaveCriticalSection", section)
    k("DeleteCriticalSection", section)


# The pool, threads, names


def test_callbacks_of_the_pool(overlapped_file: int) -> None:
    """A work item, a registered wait and a bound file call C functions."""
    seen: list[Any] = []
    work = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint64)(lambda context: seen.append(context) or 0)  # type: ignore[func-returns-value]
    assert k("QueueUserWorkItem", work, 1 << 40, 0) == 1
    until(lambda: seen == [1 << 40], "the work item")

    event, wait = k("CreateEventA", None, 0, 1, None), ctypes.c_uint64(0)
    callback = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint8)(lambda *what: seen.append(what))
    assert k("RegisterWaitForSingleObject", ref(wait), event, callback, 7, LONG_MS, 8) == 1
    until(lambda: (7, 0) in seen, "the wait's callback")
    assert k("UnregisterWaitEx", wait.value, INVALID_HANDLE) == 1
    fails(6, "UnregisterWait", None, failure=0, dll=K)
    k("CloseHandle", event)

    bound = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64)(lambda *what: seen.append(what))
    assert k("BindIoCompletionCallback", overlapped_file, bound, 0) == 1
    record = ctypes.create_string_buffer(32)
    assert k("WriteFile", overlapped_file, b"abc", 3, None, record) == 1
    until(lambda: (0, 3, ctypes.addressof(record)) in seen, "the file's callback")
    fails(87, "BindIoCompletionCallback", overlapped_file, bound, 0, failure=0, dll=K)


def test_slots_of_threads() -> None:
    slot = k("TlsAlloc")
    assert k("TlsGetValue", slot) is None
    assert error() == 0
    assert k("TlsSetValue", slot, 1 << 40) == 1
    assert k("TlsGetValue", slot) == 1 << 40
    assert k("TlsFree", slot) == 1
    fails(87, "TlsFree", slot, failure=0, dll=K)
    fails(87, "TlsGetValue", 5000, failure=None, dll=K)


def test_the_process_through_its_handle() -> None:
    code, pid = dword(), k("GetCurrentProcessId")
    handle = k("OpenProcess", 0x400, 0, pid)
    assert k("GetExitCodeProcess", handle, ref(code)) == 1
    assert (code.value, k("GetProcessId", handle)) == (259, pid)
    k("CloseHandle", handle)
    fails(87, "OpenProcess", 0x400, 0, 0x7FFFFFF0, failure=None, dll=K)


def test_a_thread_is_terminated_before_it_begins() -> None:
    """What it is doing does not matter then; one that runs is ended where Python code runs."""
    ran, code = list[int](), dword()
    c_start = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint64)(lambda _: len(ran.append(1) or ran))  # type: ignore[func-returns-value]
    thread = k("CreateThread", None, 0, c_start, None, 4, None)
    assert k("GetThreadId", thread) not in (0, k("GetCurrentThreadId"))
    assert k("TerminateThread", thread, 9) == 1
    assert k("WaitForSingleObject", thread, LONG_MS) == 0
    assert k("GetExitCodeThread", thread, ref(code)) == 1
    assert (code.value, ran) == (9, [])
    fails(5, "TerminateThread", thread, 9, failure=0, dll=K)
    k("CloseHandle", thread)


@pytest.mark.parametrize(("name", "width"), [("GetComputerNameExA", 1), ("GetComputerNameExW", 2)])
def test_the_computers_name(name: str, width: int) -> None:
    """The size comes back without the NUL on success and with it when there is too little room."""
    size = dword(0)
    fails(234, name, 1, None, ref(size), failure=0, dll=K)
    needed = size.value
    buffer = ctypes.create_string_buffer(needed * width)
    assert k(name, 1, buffer, ref(size)) == 1
    assert size.value == needed - 1
    fails(87, name, 8, buffer, ref(size), failure=0, dll=K)
    fails(87, name, 1, None, ref(size), failure=0, dll=K)


def test_clocks_in_memory() -> None:
    first, second, rate = (ctypes.c_int64(0) for _ in range(3))
    for place in (first, second):
        assert k("QueryPerformanceCounter", ref(place)) == 1
    assert k("QueryPerformanceFrequency", ref(rate)) == 1
    assert second.value >= first.value > 0 < rate.value
    k("GetSystemTimeAsFileTime", ref(first))
    assert first.value > 133_000_000_000_000_000  # after 2022


# Pipes


def test_a_named_pipe_from_server_and_client() -> None:
    name, both, messages = "\\\\.\\pipe\\c", READ | WRITE, 4
    fails(2, "WaitNamedPipeA", name.encode(), 0, failure=0, dll=K)
    server = k("CreateNamedPipeW", wide(name), 3 | OVERLAPPED, messages, 2, 0, 0, 1, None)
    record = ctypes.create_string_buffer(32)
    fails(997, "ConnectNamedPipe", server, record, failure=0, dll=K)
    assert k("WaitNamedPipeW", wide(name), 0) == 1
    client = k("CreateFileA", name.encode(), both, 0, None, OPEN_EXISTING, 0, None)
    assert struct.unpack("<Q", record.raw[:8]) == (0,)
    fails(535, "ConnectNamedPipe", server, None, failure=0, dll=K)
    assert k("SetNamedPipeHandleState", client, ref(dword(2)), None, None) == 1
    fails(87, "SetNamedPipeHandleState", client, None, ref(dword(1)), None, failure=0, dll=K)

    count = dword()
    assert k("WriteFile", server, b"message", 7, ref(count), None) == 1
    copied, available, left, buffer = dword(), dword(), dword(), ctypes.create_string_buffer(4)
    assert k("PeekNamedPipe", client, buffer, 4, ref(copied), ref(available), ref(left)) == 1
    assert (copied.value, available.value, left.value, buffer.raw) == (4, 7, 3, b"mess")
    assert k("PeekNamedPipe", client, None, 0, None, ref(available), None) == 1
    assert available.value == 7
    fails(234, "ReadFile", client, buffer, 4, ref(count), None, failure=0, dll=K)

    assert k("DisconnectNamedPipe", server) == 1
    fails(233, "ReadFile", client, buffer, 4, ref(count), None, failure=0, dll=K)
    fails(121, "WaitNamedPipeA", name.encode(), 1, failure=0, dll=K)
    for handle in (client, server):
        k("CloseHandle", handle)
    fails(123, "CreateNamedPipeA", b"no pipe", 3, 0, 1, 0, 0, 0, None, failure=INVALID_HANDLE, dll=K)


def test_an_anonymous_pipe_has_two_handles() -> None:
    source, sink, count, buffer = ctypes.c_uint64(), ctypes.c_uint64(), dword(), ctypes.create_string_buffer(8)
    assert k("CreatePipe", ref(source), ref(sink), None, 0) == 1
    fails(998, "CreatePipe", ref(source), None, None, 0, failure=0, dll=K)
    assert k("WriteFile", sink.value, b"data", 4, ref(count), None) == 1
    assert k("ReadFile", source.value, buffer, 8, ref(count), None) == 1
    assert buffer.raw[: count.value] == b"data"
    for end in (source, sink):
        k("CloseHandle", end.value)
