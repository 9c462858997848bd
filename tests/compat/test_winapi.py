"""``_winapi`` and ``msvcrt`` by CPython's conventions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from winsock2emu.compat import msvcrt, winapi
from winsock2emu.defs.codes import ERROR_IO_INCOMPLETE
from winsock2emu.process import Process


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    process = Process()
    with process.active():
        yield process
    process.engine.close()


def test_events_are_waited_for() -> None:
    first, second = winapi.CreateEventW(0, True, False, None), winapi.CreateEventW(0, True, False, None)
    assert winapi.WaitForSingleObject(first, 0) == winapi.WAIT_TIMEOUT
    winapi.SetEvent(second)
    assert winapi.WaitForMultipleObjects([first, second], False, 1000) == winapi.WAIT_OBJECT_0 + 1
    assert winapi.WaitForMultipleObjects([first, second], True, 0) == winapi.WAIT_TIMEOUT
    winapi.ResetEvent(second)
    assert winapi.WaitForSingleObject(second, 0) == winapi.WAIT_TIMEOUT
    for handle in (first, second):
        winapi.CloseHandle(handle)


def test_a_dead_handle_is_winerror_6() -> None:
    event = winapi.CreateEventW(0, True, False, None)
    winapi.CloseHandle(event)
    with pytest.raises(OSError) as caught:
        winapi.CloseHandle(event)
    assert getattr(caught.value, "winerror", None) == 6


def test_what_is_not_written_says_so() -> None:
    with pytest.raises(OSError) as caught:
        winapi.CreateFileMapping(winapi.INVALID_HANDLE_VALUE, 0, winapi.PAGE_READWRITE, 0, 100, "name")
    assert getattr(caught.value, "winerror", None) == 120


def test_any_number_of_objects_is_waited_for_in_batches() -> None:
    events = [winapi.CreateEventW(0, True, False, None) for _ in range(100)]
    with pytest.raises(ValueError, match="at most 63"):
        winapi.WaitForMultipleObjects(events, False, 0)
    with pytest.raises(TimeoutError) as caught:
        winapi.BatchedWaitForMultipleObjects(events, False, 10)
    assert getattr(caught.value, "winerror", None) == winapi.WAIT_TIMEOUT
    winapi.SetEvent(events[80])
    assert winapi.BatchedWaitForMultipleObjects(events, False, 1000) == [80]
    for event in events:
        winapi.SetEvent(event)
    assert winapi.BatchedWaitForMultipleObjects(events, True, 1000) is None
    for event in events:
        winapi.CloseHandle(event)


def test_standard_handles_are_descriptors() -> None:
    with open(os.devnull) as nothing:
        assert winapi.GetFileType(nothing.fileno()) == winapi.FILE_TYPE_CHAR
    handle = winapi.GetStdHandle(winapi.STD_OUTPUT_HANDLE)
    assert handle == 1
    again = winapi.DuplicateHandle(
        winapi.GetCurrentProcess(), handle, winapi.GetCurrentProcess(), 0, True, winapi.DUPLICATE_SAME_ACCESS
    )
    assert again > handle
    winapi.CloseHandle(again)
    with pytest.raises(OSError):
        winapi.GetStdHandle(1)


def test_overlapped_requests_on_pipes() -> None:
    name = r"\\.\pipe\winapi"
    server = winapi.CreateNamedPipe(name, winapi.PIPE_ACCESS_DUPLEX | winapi.FILE_FLAG_OVERLAPPED, 0, 1, 0, 0, 0, 0)
    connecting = winapi.ConnectNamedPipe(server, overlapped=True)
    assert connecting is not None
    assert connecting.GetOverlappedResult(False) == (0, ERROR_IO_INCOMPLETE)
    access = winapi.GENERIC_READ | winapi.GENERIC_WRITE
    client = winapi.CreateFile(name, access, 0, 0, winapi.OPEN_EXISTING, winapi.FILE_FLAG_OVERLAPPED, 0)
    assert connecting.GetOverlappedResult(True) == (0, 0)
    reading, code = winapi.ReadFile(server, 10, overlapped=True)
    assert code == winapi.ERROR_IO_PENDING
    with pytest.raises(ValueError, match="GetOverlappedResult"):
        reading.getbuffer()
    writing, _ = winapi.WriteFile(client, b"data", overlapped=True)
    assert writing.GetOverlappedResult(True) == (4, 0)
    assert winapi.WaitForMultipleObjects([reading.event], False, 5000) == winapi.WAIT_OBJECT_0
    assert reading.GetOverlappedResult(True) == (4, 0)
    assert reading.getbuffer() == b"data"
    for handle in (server, client):
        winapi.CloseHandle(handle)


def test_the_handle_of_a_descriptor(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as file:
        assert msvcrt.open_osfhandle(msvcrt.get_osfhandle(file.fileno()), os.O_RDONLY) == file.fileno()
    with pytest.raises(OSError):
        msvcrt.get_osfhandle(1 << 18)
    with pytest.raises(OSError):
        msvcrt.open_osfhandle(winapi.INVALID_HANDLE_VALUE, 0)


def test_a_file_becomes_a_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"in it")
    handle = winapi.CreateFile(str(path), winapi.GENERIC_READ, 0, 0, winapi.OPEN_EXISTING, 0, 0)
    descriptor = msvcrt.open_osfhandle(handle, os.O_RDONLY)
    assert os.read(descriptor, 10) == b"in it"
    os.close(descriptor)
    with pytest.raises(OSError):
        winapi.CloseHandle(handle)
