"""The bridge to Wine: memory, calls, threads, callbacks, and what ends a call that does not come back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from winsock2emu_conformance import targets
from winsock2emu_conformance.bridge import Bridge, BridgeLost
from winsock2emu_conformance.machine import Called
from winsock2emu_conformance.targets import wine
from winsock2emu_conformance.verify import Mismatch

pytestmark = pytest.mark.skipif(bool(wine.missing()), reason=f"not installed: {', '.join(wine.missing())}")


@pytest.fixture
def bridge() -> Iterator[Bridge]:
    target = targets.make("wine")
    target.begin()
    assert isinstance(target, wine.WineTarget)
    machine = target.machine
    assert isinstance(machine, Bridge)
    yield machine
    machine.close()


def call(bridge: Bridge, name: str, *arguments: int, dll: str = "kernel32") -> Called:
    return bridge.call("", bridge.lookup(dll, name), arguments)


def test_memory_is_zeroed_when_handed_out_again(bridge: Bridge) -> None:
    first = bridge.alloc(40)
    bridge.write(first, b"x" * 40)
    bridge.free(first)

    second = bridge.alloc(33)  # the same room, rounded up

    assert (second, second % 16) == (first, 0)
    assert bridge.read(second, 33) == bytes(33)


def test_memory_that_was_not_handed_out_is_read_and_written_too(bridge: Bridge) -> None:
    page = call(bridge, "VirtualAlloc", 0, 4096, 0x3000, 4).result

    bridge.write(page + 5, b"hello")

    assert bridge.read(page, 12) == bytes(5) + b"hello" + bytes(2)


def test_an_export_that_is_not_there_is_0(bridge: Bridge) -> None:
    assert bridge.lookup("ws2_32", "WSANothing") == 0
    assert bridge.lookup("nothing", "recv") == 0


def test_eight_arguments_arrive(bridge: Bridge) -> None:
    text, room = bridge.alloc(8), bridge.alloc(8)
    bridge.write(text, "Grüße"[:4].encode("utf-16-le"))

    written = call(bridge, "WideCharToMultiByte", 65001, 0, text, 4, room, 8, 0, 0).result

    assert bridge.read(room, written) == "Grüß".encode()


def test_the_last_error_is_the_threads_own_and_stays_between_calls(bridge: Bridge) -> None:
    call(bridge, "SetLastError", 1234)
    others: list[int] = []
    other = threading.Thread(target=lambda: others.append(call(bridge, "GetLastError").result))
    other.start()
    other.join(20)
    bridge.write(bridge.alloc(4), b"in between")

    assert others == [0]
    assert call(bridge, "GetLastError") == Called(1234, 1234)


def test_a_thread_here_is_a_thread_there_and_ends_with_it(bridge: Bridge) -> None:
    ids: list[int] = []
    other = threading.Thread(target=lambda: ids.append(call(bridge, "GetCurrentThreadId").result & 0xFFFFFFFF))
    other.start()
    other.join(20)
    mine = call(bridge, "GetCurrentThreadId").result & 0xFFFFFFFF
    handle = call(bridge, "OpenThread", 0x100000, 0, ids[0]).result

    assert ids != [mine]
    assert not handle or call(bridge, "WaitForSingleObject", handle, 20_000).result & 0xFFFFFFFF == 0


def test_a_callback_gets_its_arguments_and_can_call_on_the_same_thread(bridge: Bridge) -> None:
    seen: list[tuple[int, int, int]] = []

    def routine(parameter: int) -> int:
        seen.append((parameter, call(bridge, "GetCurrentThreadId").result, call(bridge, "GetLastError").result))
        return 0

    address = bridge.callback(routine, [8])
    mine = call(bridge, "GetCurrentThreadId").result
    thread = call(bridge, "GetCurrentThread").result
    call(bridge, "QueueUserAPC", address, thread, 0x123456789A)
    call(bridge, "SetLastError", 77)

    assert call(bridge, "SleepEx", 0, 1).result & 0xFFFFFFFF == 0xC0
    assert seen == [(0x123456789A, mine, 77)]


def test_a_callback_on_a_thread_that_was_made_over_there_runs_beside_ours(bridge: Bridge) -> None:
    ids: list[int] = []

    def body(parameter: int) -> int:
        ids.append(call(bridge, "GetCurrentThreadId").result & 0xFFFFFFFF)
        return parameter + 1

    where = bridge.alloc(4)
    thread = call(bridge, "CreateThread", 0, 0, bridge.callback(body, [8]), 41, 0, where).result
    call(bridge, "WaitForSingleObject", thread, 20_000)
    room = bridge.alloc(4)
    call(bridge, "GetExitCodeThread", thread, room)

    assert bridge.read(room, 4) == (42).to_bytes(4, "little")
    assert [n.to_bytes(4, "little") for n in ids] == [bridge.read(where, 4)]


def test_an_exception_in_a_callback_comes_out_of_the_call(bridge: Bridge) -> None:
    def routine(parameter: int) -> int:
        raise LookupError("in the callback")

    thread = call(bridge, "GetCurrentThread").result
    call(bridge, "QueueUserAPC", bridge.callback(routine, [8]), thread, 0)

    with pytest.raises(LookupError, match="in the callback"):
        call(bridge, "SleepEx", 0, 1)
    assert bridge.usable


def test_a_call_that_crashes_is_a_mismatch_and_ends_the_bridge(bridge: Bridge) -> None:
    with pytest.raises(Mismatch, match="expected a return"):
        bridge.call("", 0x10, [])

    assert not bridge.usable
    with pytest.raises(BridgeLost):
        call(bridge, "GetLastError")


def test_a_call_that_ends_the_process_is_a_mismatch(bridge: Bridge) -> None:
    with pytest.raises(Mismatch, match="the end of the process"):
        call(bridge, "ExitProcess", 1)

    assert not bridge.usable


def test_closing_the_bridge_ends_a_call_that_hangs_and_removes_the_folder(bridge: Bridge) -> None:
    caught: list[BaseException] = []
    sleeping = bridge.lookup("kernel32", "Sleep")
    entered = threading.Event()

    def hang() -> None:
        call(bridge, "GetLastError")
        entered.set()
        try:
            bridge.call("", sleeping, [0xFFFFFFFF])
        except BridgeLost as lost:
            caught.append(lost)

    thread = threading.Thread(target=hang)
    thread.start()
    assert entered.wait(20)
    folder = Path(bridge.folder)
    assert folder.is_dir()

    bridge.close()
    thread.join(20)

    assert [type(lost) for lost in caught] == [BridgeLost]
    assert not folder.exists()


def test_a_case_after_a_crash_has_a_new_wine() -> None:
    target = targets.make("wine")
    assert isinstance(target, wine.WineTarget)
    target.begin()
    before = target.machine
    with pytest.raises(Mismatch):
        before.call("", 0x10, [])

    target.begin()

    assert target.machine is not before
    assert target.WSAStartup(0x0202).version == 0x0202
    target.end()
    assert isinstance(target.machine, Bridge)
    target.machine.close()
