"""The functions of kernel32.dll that are written."""

from __future__ import annotations

import ctypes
import os
import struct
import threading
import time

from tests.capi.cabi import UNTOUCHED, call, dword, error, fails, ref


def test_identities() -> None:
    assert call("GetCurrentProcessId", dll="kernel32") == os.getpid()
    elsewhere: list[int] = []
    thread = threading.Thread(target=lambda: elsewhere.append(call("GetCurrentThreadId", dll="kernel32")))
    thread.start()
    thread.join(10)
    here = call("GetCurrentThreadId", dll="kernel32")
    assert here == call("GetCurrentThreadId", dll="kernel32")
    assert elsewhere != [here]
    assert 0 not in (here, *elsewhere)


def test_the_clock_counts_milliseconds() -> None:
    """Sleep(20) shows in both tick counts; they agree but for the width."""
    before, before64 = call("GetTickCount", dll="kernel32"), call("GetTickCount64", dll="kernel32")
    began = time.monotonic()

    call("Sleep", 20, dll="kernel32")

    slept_ms = (time.monotonic() - began) * 1000
    after, after64 = call("GetTickCount", dll="kernel32"), call("GetTickCount64", dll="kernel32")
    assert slept_ms >= 19
    assert 18 <= after64 - before64 <= slept_ms + 5000
    assert (after - before) % (1 << 32) >= 18
    assert (after64 - after) % (1 << 32) < 1000


# Events, threads, ports

K = "kernel32"
LONG_MS = 20_000


def handle_array(*handles: int) -> ctypes.Array[ctypes.c_uint64]:
    return (ctypes.c_uint64 * len(handles))(*handles)


def test_events_of_both_text_forms_are_one() -> None:
    """CreateEventA and OpenEventW find the same object; the first creation stores 0 as last error."""
    event = call("CreateEventA", None, 0, 0, b"capi-name", dll=K)
    assert error() == 0
    again = call("CreateEventW", None, 0, 0, "capi-name".encode("utf-16-le") + b"\0\0", dll=K)
    assert error() == 183
    opened = call("OpenEventW", 0, 0, "capi-name".encode("utf-16-le") + b"\0\0", dll=K)

    assert call("SetEvent", opened, dll=K) == 1
    assert call("WaitForSingleObject", event, 0, dll=K) == 0
    assert call("WaitForSingleObject", event, 0, dll=K) == 258
    for handle in (event, again, opened):
        assert call("CloseHandle", handle, dll=K) == 1
    fails(6, "SetEvent", event, failure=0, dll=K)
    fails(2, "OpenEventA", 0, 0, b"capi-name", failure=None, dll=K)


def test_the_array_of_a_group_wait() -> None:
    first, second = (call("CreateEventW", None, 1, state, None, dll=K) for state in (0, 1))
    array = handle_array(first, second)

    assert call("WaitForMultipleObjects", 2, array, 0, LONG_MS, dll=K) == 1
    assert call("WaitForMultipleObjectsEx", 2, array, 1, 0, 0, dll=K) == 258
    fails(87, "WaitForMultipleObjects", 0, array, 0, 0, failure=0xFFFFFFFF, dll=K)
    fails(87, "WaitForMultipleObjects", 65, array, 0, 0, failure=0xFFFFFFFF, dll=K)
    fails(998, "WaitForMultipleObjects", 2, None, 0, 0, failure=0xFFFFFFFF, dll=K)
    for handle in (first, second):
        call("CloseHandle", handle, dll=K)


def test_a_c_thread_routine_and_an_apc() -> None:
    """Both get their argument as a pointer-sized number; the routine's result is the exit code."""
    seen: list[int] = []

    def start(parameter: int) -> int:
        seen.append(parameter)
        return int(call("SleepEx", LONG_MS, 1, dll=K))

    def apc(data: int) -> None:
        seen.append(data)

    c_start, c_apc = (
        ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint64)(start),
        ctypes.CFUNCTYPE(None, ctypes.c_uint64)(apc),
    )
    identifier, code = dword(), dword()
    thread = call("CreateThread", None, 0, c_start, 1 << 40, 0, ref(identifier), dll=K)
    assert call("QueueUserAPC", c_apc, thread, 1 << 41, dll=K) == 1
    assert call("WaitForSingleObject", thread, LONG_MS, dll=K) == 0
    assert call("GetExitCodeThread", thread, ref(code), dll=K) == 1

    assert (code.value, sorted(seen)) == (192, [1 << 40, 1 << 41])
    assert identifier.value not in (0, call("GetCurrentThreadId", dll=K))
    call("CloseHandle", thread, dll=K)


def test_packets_pass_a_port_as_numbers() -> None:
    port = call("CreateIoCompletionPort", 0xFFFFFFFFFFFFFFFF, None, 0, 0, dll=K)
    moved, key, overlapped = dword(), ctypes.c_uint64(UNTOUCHED), ctypes.c_uint64(UNTOUCHED)
    out = (ref(moved), ref(key), ref(overlapped))
    fails(258, "GetQueuedCompletionStatus", port, *out, 0, failure=0, dll=K)
    assert (moved.value, key.value, overlapped.value) == (UNTOUCHED, UNTOUCHED, 0)

    assert call("PostQueuedCompletionStatus", port, 1, 2, 0x123456789000, dll=K) == 1
    assert call("GetQueuedCompletionStatus", port, *out, 0, dll=K) == 1
    assert (moved.value, key.value, overlapped.value) == (1, 2, 0x123456789000)

    entries, removed = ctypes.create_string_buffer(64), dword()
    for number in (1, 2):
        call("PostQueuedCompletionStatus", port, number, number, 0x10000, dll=K)
    assert call("GetQueuedCompletionStatusEx", port, entries, 2, ref(removed), 0, 0, dll=K) == 1
    assert removed.value == 2
    assert list(struct.iter_unpack("<QQQI4x", entries.raw)) == [(1, 0x10000, 0, 1), (2, 0x10000, 0, 2)]
    fails(258, "GetQueuedCompletionStatusEx", port, entries, 2, ref(removed), 0, 0, failure=0, dll=K)
    assert removed.value == 1
    call("CloseHandle", port, dll=K)


def test_mutexes_semaphores_and_timers() -> None:
    mutex = call("CreateMutexA", None, 1, None, dll=K)
    assert call("ReleaseMutex", mutex, dll=K) == 1
    fails(288, "ReleaseMutex", mutex, failure=0, dll=K)
    semaphore, before = call("CreateSemaphoreW", None, 0, 2, None, dll=K), dword()
    assert call("ReleaseSemaphore", semaphore, 2, ref(before), dll=K) == 1
    assert before.value == 0
    fails(298, "ReleaseSemaphore", semaphore, 1, None, failure=0, dll=K)
    timer = call("CreateWaitableTimerW", None, 1, None, dll=K)
    assert call("SetWaitableTimer", timer, ref(ctypes.c_int64(-10_000)), 0, None, None, 0, dll=K) == 1
    assert call("WaitForMultipleObjects", 3, handle_array(mutex, semaphore, timer), 1, LONG_MS, dll=K) == 0
    for handle in (mutex, semaphore, timer):
        call("CloseHandle", handle, dll=K)


def test_handle_flags_and_copies() -> None:
    attributes = struct.pack("<I4xQi4x", 24, 0, 1)
    event, copy, flags = call("CreateEventW", attributes, 1, 0, None, dll=K), ctypes.c_uint64(), dword()
    assert call("GetHandleInformation", event, ref(flags), dll=K) == 1
    assert flags.value == 1
    here = call("GetCurrentProcess", dll=K)
    assert call("DuplicateHandle", here, event, here, ref(copy), 0, 0, 3, dll=K) == 1
    assert call("GetHandleInformation", copy.value, ref(flags), dll=K) == 1
    assert flags.value == 0
    fails(6, "DuplicateHandle", here, 0, here, ref(copy), 0, 0, 0, failure=0, dll=K)
    call("CloseHandle", copy.value, dll=K)
