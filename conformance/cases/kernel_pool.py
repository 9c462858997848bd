"""The thread pool and what belongs to a thread: registered waits, bound files, work items, slots, the process."""

from __future__ import annotations

import contextlib
import functools
import itertools
import threading
from collections.abc import Iterator
from typing import Any

from ..constants import (
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_IO_PENDING,
    FILE_FLAG_OVERLAPPED,
    INFINITE,
    WAIT_OBJECT_0,
    WT_EXECUTEINWAITTHREAD,
    WT_EXECUTEONLYONCE,
)
from ..model import Row, case
from ..target import Target
from ..verify import expect, expect_true, fails_with

CHAPTER = "Thread pool"
REGISTER_TEST = "Wine's public test kernel32/thread.c:test_RegisterWaitForSingleObject, which passes on Windows"
BIND_TEST = "Wine's public test kernel32/sync.c:test_iocp_callback, which passes on Windows"
UNREGISTER = "threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex"
REGISTER = "winbase/nf-winbase-registerwaitforsingleobject"
TLS = "processthreadsapi/nf-processthreadsapi-"

ALL_DONE = 0xFFFFFFFFFFFFFFFF  # INVALID_HANDLE_VALUE
GENERIC_READ, GENERIC_WRITE = 0x80000000, 0x40000000
CREATE_ALWAYS = 2
FILE_FLAG_DELETE_ON_CLOSE, DELETE = 0x04000000, 0x00010000
STILL_ACTIVE = 259
LONG_MS = 20_000
_numbers = itertools.count(1)


@contextlib.contextmanager
def temporary_file(ws: Target, flags: int = 0) -> Iterator[int]:
    """A new, empty file that is gone with its handle."""
    name = f"{ws.GetTempPath()}w2e-{ws.GetCurrentProcessId()}-{next(_numbers)}.tmp"
    access = GENERIC_READ | GENERIC_WRITE | DELETE
    handle = ws.CreateFile(name, access, 0, CREATE_ALWAYS, flags | FILE_FLAG_DELETE_ON_CLOSE)
    try:
        yield handle
    finally:
        ws.CloseHandle(handle)


class Calls:
    """A callback that notes its calls and their threads, and stays inside while it may not go on."""

    def __init__(self, *, held: bool = False) -> None:
        self.seen: list[tuple[Any, ...]] = []
        self.threads: set[int] = set()
        self.inside = threading.Event()
        self.go_on = threading.Event()
        if not held:
            self.go_on.set()

    def __call__(self, *what: Any) -> None:
        self.threads.add(threading.get_ident())
        self.inside.set()
        self.go_on.wait(LONG_MS / 1000)
        self.seen.append(what)

    def made(self, count: int) -> bool:
        return len(self.seen) >= count


# ---- registered waits ------------------------------------------------------------------------------------------------


@case(
    "pool.wait.signalled-{row}",
    chapter=CHAPTER,
    source=REGISTER_TEST,
    basis="observed",
    behaviours=["regwait-signalled"],
    rows={"worker": Row(0), "wait-thread": Row(WT_EXECUTEINWAITTHREAD)},
)
def a_signalled_object_calls_back(ws: Target, flags: int) -> None:
    """A wait for one call on a signalled event: its flag says that no time ran out; unregistering then succeeds."""
    event, calls = ws.CreateEvent(False, True, True), Calls()
    wait = ws.RegisterWaitForSingleObject(event, calls, 42, INFINITE, WT_EXECUTEONLYONCE | flags)
    ws.until("the callback has run", lambda: calls.seen)
    ws.UnregisterWaitEx(wait, ALL_DONE)
    ws.CloseHandle(event)

    expect("calls", expected=[(42, False)], actual=calls.seen)
    expect_true("another thread made the call", threading.get_ident() not in calls.threads)


@case("pool.wait.timeout", chapter=CHAPTER, source=REGISTER_TEST, basis="observed", behaviours=["regwait-timeout"])
def no_time_at_all_calls_back_at_once(ws: Target) -> None:
    """A time of 0 on an event that is not signalled: the flag says that the time ran out."""
    event, calls = ws.CreateEvent(False, True, False), Calls()
    wait = ws.RegisterWaitForSingleObject(event, calls, 7, 0, WT_EXECUTEONLYONCE)
    ws.until("the callback has run", lambda: calls.seen)
    ws.UnregisterWaitEx(wait, ALL_DONE)
    ws.CloseHandle(event)

    expect("calls", expected=[(7, True)], actual=calls.seen)


@case("pool.wait.repeats", chapter=CHAPTER, source=REGISTER, basis="documented")
def a_wait_goes_on_after_each_call(ws: Target) -> None:
    """An auto-reset event is set three times; after the wait has been unregistered a signal stays."""
    event, calls = ws.CreateEvent(False, False, False), Calls()
    wait = ws.RegisterWaitForSingleObject(event, calls, 1, INFINITE)
    for count in range(1, 4):
        ws.WSASetEvent(event)
        ws.until(f"call {count}", functools.partial(calls.made, count))
    ws.UnregisterWaitEx(wait, ALL_DONE)
    ws.WSASetEvent(event)
    left = ws.WaitForSingleObject(event, 0)
    ws.CloseHandle(event)

    expect("calls", expected=[(1, False)] * 3, actual=calls.seen)
    expect("signal afterwards", expected=WAIT_OBJECT_0, actual=left)


@case(
    "pool.wait.unregister-while-running",
    chapter=CHAPTER,
    source=REGISTER_TEST,
    basis="observed",
    behaviours=["regwait-unregister-running"],
)
def unregistering_tells_that_the_callback_runs(ws: Target) -> None:
    """UnregisterWait while the callback runs: ERROR_IO_PENDING; the callback goes on to its end."""
    event, calls = ws.CreateEvent(False, True, True), Calls(held=True)
    wait = ws.RegisterWaitForSingleObject(event, calls, 1, INFINITE, WT_EXECUTEONLYONCE)
    expect_true("the callback runs", calls.inside.wait(LONG_MS / 1000))
    with fails_with(ERROR_IO_PENDING):
        ws.UnregisterWait(wait)
    calls.go_on.set()
    ws.until("the callback has returned", lambda: calls.seen)
    ws.CloseHandle(event)


@case("pool.wait.unregister-with-an-event", chapter=CHAPTER, source=UNREGISTER, basis="documented")
def an_event_tells_when_no_callback_runs(ws: Target) -> None:
    """UnregisterWaitEx with an event while the callback runs: ERROR_IO_PENDING, and the event is set afterwards."""
    event, done, calls = ws.CreateEvent(False, True, True), ws.CreateEvent(False, True, False), Calls(held=True)
    wait = ws.RegisterWaitForSingleObject(event, calls, 1, INFINITE, WT_EXECUTEONLYONCE)
    expect_true("the callback runs", calls.inside.wait(LONG_MS / 1000))
    with fails_with(ERROR_IO_PENDING):
        ws.UnregisterWaitEx(wait, done)
    calls.go_on.set()
    told = ws.WaitForSingleObject(done, LONG_MS)
    ws.CloseHandle(event)
    ws.CloseHandle(done)

    expect("event", expected=WAIT_OBJECT_0, actual=told)
    expect("calls", expected=1, actual=len(calls.seen))


@case("pool.wait.unregister-blocking", chapter=CHAPTER, source=UNREGISTER, basis="documented")
def unregistering_may_wait_for_the_callback(ws: Target) -> None:
    """UnregisterWaitEx with INVALID_HANDLE_VALUE returns when the callback has returned."""
    event, calls = ws.CreateEvent(False, True, True), Calls(held=True)
    wait = ws.RegisterWaitForSingleObject(event, calls, 1, INFINITE, WT_EXECUTEONLYONCE)
    expect_true("the callback runs", calls.inside.wait(LONG_MS / 1000))
    with ws.thread() as other:
        pending = other.start(ws.UnregisterWaitEx, wait, ALL_DONE)
        expect_true("it waits", not pending.finished_within(0.05))
        calls.go_on.set()
        pending.result()
    ws.CloseHandle(event)

    expect("calls", expected=1, actual=len(calls.seen))


@case("pool.wait.null", chapter=CHAPTER, source=REGISTER_TEST, basis="observed", behaviours=["regwait-null"])
def null_is_no_registered_wait(ws: Target) -> None:
    """UnregisterWait(NULL): ERROR_INVALID_HANDLE."""
    with fails_with(ERROR_INVALID_HANDLE):
        ws.UnregisterWait(0)


# ---- bound files -----------------------------------------------------------------------------------------------------


@case(
    "pool.bind.synchronous-file",
    chapter=CHAPTER,
    source=BIND_TEST,
    basis="observed",
    behaviours=["bindcb-sync-handle"],
)
def a_file_that_is_not_overlapped_is_not_bound(ws: Target) -> None:
    """A handle opened without FILE_FLAG_OVERLAPPED: ERROR_INVALID_PARAMETER."""
    with temporary_file(ws) as file, fails_with(ERROR_INVALID_PARAMETER):
        ws.BindIoCompletionCallback(file, Calls())


@case(
    "pool.bind.runs",
    chapter=CHAPTER,
    source=BIND_TEST,
    basis="observed",
    behaviours=["bindcb-runs", "bindcb-twice"],
)
def a_completed_write_calls_back(ws: Target) -> None:
    """Another thread is called with error, bytes and record; binding again, or to nothing, is refused."""
    calls = Calls()
    with temporary_file(ws, FILE_FLAG_OVERLAPPED) as file:
        ws.BindIoCompletionCallback(file, calls)
        record = ws.overlapped()
        ws.WriteFile(file, b"four", record)
        ws.until("the callback has run", lambda: calls.seen)
        for function in (Calls(), None):
            with fails_with(ERROR_INVALID_PARAMETER):
                ws.BindIoCompletionCallback(file, function)

    expect("calls", expected=[(0, 4, ws.token(record))], actual=calls.seen)
    expect_true("another thread made the call", threading.get_ident() not in calls.threads)


# ---- work items, slots, the process ----------------------------------------------------------------------------------


@case(
    "pool.work.runs",
    chapter=CHAPTER,
    source="threadpoollegacyapiset/nf-threadpoollegacyapiset-queueuserworkitem",
    basis="documented",
)
def a_work_item_runs_in_the_pool(ws: Target) -> None:
    """The function gets its context, in another thread, also while another item blocks its thread."""
    slow, quick = Calls(held=True), Calls()
    ws.QueueUserWorkItem(slow, 1)
    ws.QueueUserWorkItem(quick, 2)
    ws.until("the second item has run", lambda: quick.seen)
    slow.go_on.set()
    ws.until("the first item has run", lambda: slow.seen)

    expect("contexts", expected=([(1,)], [(2,)]), actual=(slow.seen, quick.seen))
    expect_true("another thread ran it", threading.get_ident() not in quick.threads)


@case("pool.slot.per-thread", chapter=CHAPTER, source=f"{TLS}tlsgetvalue, {TLS}tlsalloc", basis="documented")
def a_slot_has_a_value_for_each_thread(ws: Target) -> None:
    """0 at first and in other threads; reading it stores 0 as the last error."""
    slot = ws.TlsAlloc()
    first = ws.TlsGetValue(slot)
    ws.TlsSetValue(slot, 0x123456789A)
    with ws.thread() as other:
        elsewhere = other.call(ws.TlsGetValue, slot)
    ws.SetLastError(12345)
    here = ws.TlsGetValue(slot)
    last = ws.GetLastError()
    ws.TlsFree(slot)

    expect("values", expected=(0, 0, 0x123456789A), actual=(first, elsewhere, here))
    expect("last error", expected=0, actual=last)


@case(
    "pool.process.still-active",
    chapter=CHAPTER,
    source=f"{TLS}getexitcodeprocess, {TLS}openprocess",
    basis="documented",
)
def the_process_is_still_active(ws: Target) -> None:
    """Through the pseudo handle and through one that OpenProcess gives."""
    handle = ws.OpenProcess(0x1000, False, ws.GetCurrentProcessId())
    codes = [ws.GetExitCodeProcess(one) for one in (ws.GetCurrentProcess(), handle)]
    ws.CloseHandle(handle)

    expect("exit codes", expected=[STILL_ACTIVE] * 2, actual=codes)
