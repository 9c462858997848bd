"""Files of the host through file handles."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.loopback import code_of
from winsock2emu import kernel32
from winsock2emu.defs.codes import (
    ERROR_ACCESS_DENIED,
    ERROR_ALREADY_EXISTS,
    ERROR_BAD_NETPATH,
    ERROR_FILE_NOT_FOUND,
    ERROR_HANDLE_EOF,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_NAME,
    ERROR_INVALID_PARAMETER,
    ERROR_PATH_NOT_FOUND,
    ERROR_SHARING_VIOLATION,
    STATUS_PENDING,
)
from winsock2emu.defs.constants import FILE_FLAG_OVERLAPPED, FILE_TYPE_CHAR, FILE_TYPE_DISK, WAIT_IO_COMPLETION
from winsock2emu.defs.winbase import (
    CREATE_ALWAYS,
    CREATE_NEW,
    DELETE,
    ERROR_FILE_EXISTS,
    ERROR_NEGATIVE_SEEK,
    FILE_APPEND_DATA,
    FILE_ATTRIBUTE_ARCHIVE,
    FILE_ATTRIBUTE_DIRECTORY,
    FILE_ATTRIBUTE_READONLY,
    FILE_BEGIN,
    FILE_CURRENT,
    FILE_END,
    FILE_FLAG_DELETE_ON_CLOSE,
    FILE_SHARE_DELETE,
    FILE_SHARE_READ,
    FILE_SHARE_WRITE,
    GENERIC_READ,
    GENERIC_WRITE,
    OPEN_ALWAYS,
    OPEN_EXISTING,
    TRUNCATE_EXISTING,
)
from winsock2emu.process import Process

LONG_MS = 20_000
BOTH = GENERIC_READ | GENERIC_WRITE
ALL_SHARED = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE
NO_HANDLE = 0xFFFFFFFFFFFFFFFF


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Where a file may be made, in Windows' spelling."""
    return "C:" + str(tmp_path / "file").replace("/", "\\")


Open = Callable[..., int]


@pytest.fixture
def opened(path: str, process: Process) -> Any:
    """Makes handles of the file and closes those that are left."""
    handles: list[int] = []

    def make(access: int = BOTH, share: int = 0, disposition: int = OPEN_ALWAYS, flags: int = 0) -> int:
        handles.append(kernel32.CreateFile(path, access, share, None, disposition, flags))
        return handles[-1]

    yield make
    for handle in handles:
        if handle in process.objects:
            kernel32.CloseHandle(handle)


def content(path: str) -> bytes:
    return Path(path[2:].replace("\\", "/")).read_bytes()


# Opening


def test_dispositions_on_a_file_that_is_not_there(opened: Open) -> None:
    for disposition in (OPEN_EXISTING, TRUNCATE_EXISTING):
        assert code_of(opened, BOTH, 0, disposition) == ERROR_FILE_NOT_FOUND
    for disposition in (CREATE_NEW, CREATE_ALWAYS, OPEN_ALWAYS):
        kernel32.SetLastError(12345)
        kernel32.CloseHandle(opened(BOTH | DELETE, 0, disposition, FILE_FLAG_DELETE_ON_CLOSE))
        assert kernel32.GetLastError() == 0


def test_dispositions_on_a_file_that_is_there(opened: Open, path: str) -> None:
    """Two of them tell so by the last error, two empty it."""
    for disposition, left, size in (
        (OPEN_EXISTING, 0, 3),
        (OPEN_ALWAYS, ERROR_ALREADY_EXISTS, 3),
        (CREATE_ALWAYS, ERROR_ALREADY_EXISTS, 0),
        (TRUNCATE_EXISTING, 0, 0),
    ):
        Path(path[2:].replace("\\", "/")).write_bytes(b"abc")
        handle = opened(BOTH, 0, disposition)
        assert kernel32.GetLastError() == left
        assert kernel32.GetFileSizeEx(handle) == size
        kernel32.CloseHandle(handle)
    assert code_of(opened, BOTH, 0, CREATE_NEW) == ERROR_FILE_EXISTS


@pytest.mark.parametrize("disposition", [0, 6])
def test_an_unknown_disposition_is_refused(opened: Open, disposition: int) -> None:
    assert code_of(opened, BOTH, 0, disposition) == ERROR_INVALID_PARAMETER


def test_truncating_needs_the_right_to_write(opened: Open) -> None:
    opened()
    assert code_of(opened, GENERIC_READ, ALL_SHARED, TRUNCATE_EXISTING) == ERROR_INVALID_PARAMETER


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", ERROR_PATH_NOT_FOUND),
        (None, ERROR_PATH_NOT_FOUND),
        ("Q:\\file", ERROR_PATH_NOT_FOUND),
        ("C:\\no-such-folder\\file", ERROR_PATH_NOT_FOUND),
        ("C:\\no-such-file", ERROR_FILE_NOT_FOUND),
        ("\\\\.\\NoSuchDevice", ERROR_FILE_NOT_FOUND),
        ("COM7", ERROR_FILE_NOT_FOUND),
        ("\\\\server\\share\\file", ERROR_BAD_NETPATH),
        ("C:\\a*b", ERROR_INVALID_NAME),
        ("C:\\", ERROR_ACCESS_DENIED),
    ],
)
def test_names_that_lead_nowhere(name: str | None, code: int) -> None:
    assert code_of(kernel32.CreateFile, name, GENERIC_READ, ALL_SHARED, None, OPEN_EXISTING) == code


def test_spellings_of_one_file(opened: Open, path: str) -> None:
    """Drive, prefix and the host's own spelling lead to the same file."""
    opened(BOTH, ALL_SHARED)
    for name in ("\\\\?\\" + path, path.lower()[:1] + path[1:], path[2:], path[2:].replace("\\", "/")):
        kernel32.CloseHandle(kernel32.CreateFile(name, GENERIC_READ, ALL_SHARED, None, OPEN_EXISTING))


def test_the_null_device_reads_nothing_and_takes_all() -> None:
    null = kernel32.CreateFile("NUL", BOTH, 0, None, OPEN_EXISTING)
    assert kernel32.GetFileType(null) == FILE_TYPE_CHAR
    assert kernel32.WriteFile(null, b"gone") == 4
    assert kernel32.ReadFile(null, bytearray(4)) == 0
    kernel32.CloseHandle(null)


def test_a_read_only_file_is_not_opened_for_writing(opened: Open, path: str) -> None:
    """Its maker may write; nobody may delete it."""
    first = opened(GENERIC_WRITE, 0, CREATE_NEW, FILE_ATTRIBUTE_READONLY)
    assert kernel32.WriteFile(first, b"abc") == 3
    kernel32.CloseHandle(first)

    assert code_of(opened, GENERIC_WRITE, 0, OPEN_EXISTING) == ERROR_ACCESS_DENIED
    assert code_of(kernel32.DeleteFile, path) == ERROR_ACCESS_DENIED
    assert kernel32.GetFileSizeEx(opened(GENERIC_READ, 0, OPEN_EXISTING)) == 3


# Sharing


@pytest.mark.parametrize(
    ("first", "share", "second", "other_share", "fits"),
    [
        (GENERIC_READ, 0, GENERIC_READ, FILE_SHARE_READ, False),
        (GENERIC_READ, FILE_SHARE_READ, GENERIC_READ, FILE_SHARE_READ, True),
        (GENERIC_READ, FILE_SHARE_READ, GENERIC_READ, 0, False),
        (GENERIC_READ, FILE_SHARE_READ, GENERIC_WRITE, FILE_SHARE_READ, False),
        (GENERIC_READ, FILE_SHARE_WRITE, GENERIC_WRITE, FILE_SHARE_READ, True),
        (GENERIC_WRITE, FILE_SHARE_READ, GENERIC_READ, FILE_SHARE_READ, False),
        (GENERIC_WRITE, FILE_SHARE_READ, GENERIC_READ, FILE_SHARE_WRITE, True),
        (GENERIC_READ, FILE_SHARE_READ, GENERIC_READ | DELETE, FILE_SHARE_READ, False),
        (GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, GENERIC_READ | DELETE, FILE_SHARE_READ, True),
        (0, 0, BOTH, 0, True),
    ],
)
def test_two_opens_of_a_file_fit_when_each_allows_the_other(
    opened: Open, path: str, first: int, share: int, second: int, other_share: int, fits: bool
) -> None:
    Path(path[2:].replace("\\", "/")).touch()
    handle = opened(first, share)
    if fits:
        opened(second, other_share)
    else:
        assert code_of(opened, second, other_share) == ERROR_SHARING_VIOLATION
        kernel32.CloseHandle(handle)
        opened(second, other_share)


def test_deleting_an_open_file_needs_its_leave(opened: Open, path: str) -> None:
    handle = opened(BOTH, FILE_SHARE_READ | FILE_SHARE_WRITE)
    assert code_of(kernel32.DeleteFile, path) == ERROR_SHARING_VIOLATION
    kernel32.CloseHandle(handle)
    kernel32.DeleteFile(path)
    assert code_of(kernel32.DeleteFile, path) == ERROR_FILE_NOT_FOUND


def test_a_deleted_file_keeps_its_data_for_who_has_it_open(opened: Open, path: str) -> None:
    handle = opened(BOTH, ALL_SHARED)
    kernel32.WriteFile(handle, b"abc")
    kernel32.DeleteFile(path)
    kernel32.SetFilePointerEx(handle, 0, FILE_BEGIN)
    buffer = bytearray(3)
    assert (kernel32.ReadFile(handle, buffer), bytes(buffer)) == (3, b"abc")


def test_delete_on_close_waits_for_the_last_handle_of_the_open(opened: Open, path: str) -> None:
    handle = opened(BOTH | DELETE, ALL_SHARED, CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE)
    process = kernel32.GetCurrentProcess()
    second = kernel32.DuplicateHandle(process, handle, process)
    kernel32.CloseHandle(handle)
    assert content(path) == b""
    kernel32.CloseHandle(second)
    assert not Path(path[2:].replace("\\", "/")).exists()


# Reading and writing at the position


def test_reads_and_writes_move_the_position(opened: Open, path: str) -> None:
    handle = opened()
    assert kernel32.WriteFile(handle, b"hello") == 5
    assert kernel32.WriteFile(handle, b" world") == 6
    assert kernel32.SetFilePointerEx(handle, -5, FILE_END) == 6
    buffer = bytearray(8)
    assert (kernel32.ReadFile(handle, buffer), bytes(buffer[:5])) == (5, b"world")
    assert kernel32.ReadFile(handle, buffer) == 0
    assert kernel32.SetFilePointerEx(handle, 0, FILE_CURRENT) == 11
    assert content(path) == b"hello world"


def test_moving_the_position(opened: Open) -> None:
    handle = opened()
    assert kernel32.SetFilePointerEx(handle, 5 << 32, FILE_BEGIN) == 5 << 32
    assert code_of(kernel32.SetFilePointerEx, handle, -1, FILE_BEGIN) == ERROR_NEGATIVE_SEEK
    assert code_of(kernel32.SetFilePointerEx, handle, 0, 3) == ERROR_INVALID_PARAMETER
    assert kernel32.SetFilePointerEx(handle, 3, FILE_BEGIN) == 3
    kernel32.SetEndOfFile(handle)
    assert kernel32.GetFileSizeEx(handle) == 3


def test_rights_are_checked(opened: Open) -> None:
    reader, writer = opened(GENERIC_READ, ALL_SHARED), opened(GENERIC_WRITE, ALL_SHARED)
    assert code_of(kernel32.WriteFile, reader, b"x") == ERROR_ACCESS_DENIED
    assert code_of(kernel32.ReadFile, writer, bytearray(1)) == ERROR_ACCESS_DENIED
    assert code_of(kernel32.SetEndOfFile, reader) == ERROR_ACCESS_DENIED
    assert code_of(kernel32.FlushFileBuffers, reader) == ERROR_ACCESS_DENIED
    kernel32.FlushFileBuffers(writer)


def test_a_file_opened_for_appending_grows_at_its_end(opened: Open, path: str) -> None:
    handle = opened(FILE_APPEND_DATA)
    kernel32.WriteFile(handle, b"ab")
    kernel32.SetFilePointerEx(handle, 0, FILE_BEGIN)
    kernel32.WriteFile(handle, b"cd")
    assert content(path) == b"abcd"


def test_a_record_gives_a_synchronous_file_its_position(opened: Open) -> None:
    """Unlike at the position, reading at an offset behind the end fails."""
    handle = opened()
    assert kernel32.WriteFile(handle, b"abcdef", kernel32.OVERLAPPED(Offset=2)) == 6
    buffer = bytearray(3)
    assert (kernel32.ReadFile(handle, buffer, kernel32.OVERLAPPED(Offset=4)), bytes(buffer)) == (3, b"cde")
    assert (kernel32.ReadFile(handle, buffer), bytes(buffer[:1])) == (1, b"f")
    assert code_of(kernel32.ReadFile, handle, buffer, kernel32.OVERLAPPED(Offset=8)) == ERROR_HANDLE_EOF


def test_what_is_no_file_is_refused() -> None:
    event = kernel32.CreateEvent(None, True, False)
    for handle in (event, 0x7FFFFFF0):
        assert code_of(kernel32.ReadFile, handle, bytearray(1)) == ERROR_INVALID_HANDLE
        assert code_of(kernel32.WriteFile, handle, b"x") == ERROR_INVALID_HANDLE
        assert code_of(kernel32.GetFileSizeEx, handle) == ERROR_INVALID_HANDLE
        assert code_of(kernel32.GetFileType, handle) == ERROR_INVALID_HANDLE
    kernel32.CloseHandle(event)


# Overlapped


def test_an_overlapped_file_needs_a_record_and_sets_its_event(opened: Open) -> None:
    handle = opened(BOTH, 0, OPEN_ALWAYS, FILE_FLAG_OVERLAPPED)
    assert kernel32.GetFileType(handle) == FILE_TYPE_DISK
    assert code_of(kernel32.WriteFile, handle, b"x") == ERROR_INVALID_PARAMETER
    event = kernel32.CreateEvent(None, True, False)
    record = kernel32.OVERLAPPED(hEvent=event, Offset=3)

    assert kernel32.WriteFile(handle, b"abc", record) == 3
    assert kernel32.WaitForSingleObject(event, 0) == 0
    assert kernel32.GetOverlappedResult(handle, record, False) == 3
    assert (record.Internal, record.InternalHigh) == (0, 3)
    kernel32.CloseHandle(event)


def test_reading_behind_the_end_tells_nobody(opened: Open) -> None:
    """The call fails at once, so the record stays as a request leaves it and no packet comes."""
    handle = opened(BOTH, 0, OPEN_ALWAYS, FILE_FLAG_OVERLAPPED)
    port = kernel32.CreateIoCompletionPort(handle, 0, 1, 0)
    record = kernel32.OVERLAPPED(Offset=100)
    assert code_of(kernel32.ReadFile, handle, bytearray(1), record) == ERROR_HANDLE_EOF
    assert record.Internal == STATUS_PENDING
    assert code_of(kernel32.GetQueuedCompletionStatus, port, 0) == 258
    kernel32.CloseHandle(port)


def test_a_port_gets_a_packet_for_each_request(opened: Open) -> None:
    handle = opened(BOTH, 0, OPEN_ALWAYS, FILE_FLAG_OVERLAPPED)
    port = kernel32.CreateIoCompletionPort(handle, 0, 77, 0)
    record = kernel32.OVERLAPPED()
    assert kernel32.WriteFile(handle, b"abcd", record) == 4
    assert kernel32.GetQueuedCompletionStatus(port, 0) == (4, 77, record)
    kernel32.CloseHandle(port)


def test_completion_routines_run_in_an_alertable_wait(opened: Open) -> None:
    handle = opened(BOTH, 0, OPEN_ALWAYS, FILE_FLAG_OVERLAPPED)
    told: list[Any] = []
    first, second, buffer = kernel32.OVERLAPPED(), kernel32.OVERLAPPED(), bytearray(4)
    kernel32.WriteFileEx(handle, b"abcd", first, lambda *outcome: told.append(outcome))
    kernel32.ReadFileEx(handle, buffer, second, lambda *outcome: told.append(outcome))
    assert told == []
    assert kernel32.SleepEx(LONG_MS, True) == WAIT_IO_COMPLETION
    assert told == [(0, 4, first), (0, 4, second)]
    assert bytes(buffer) == b"abcd"


def test_a_completion_routine_needs_an_overlapped_file(opened: Open) -> None:
    handle = opened()
    record = kernel32.OVERLAPPED()
    assert code_of(kernel32.ReadFileEx, handle, bytearray(1), record, print) == ERROR_INVALID_PARAMETER


def test_all_ones_as_offset_append(opened: Open, path: str) -> None:
    handle = opened(BOTH, 0, OPEN_ALWAYS, FILE_FLAG_OVERLAPPED)
    for data in (b"ab", b"cd"):
        kernel32.WriteFile(handle, data, kernel32.OVERLAPPED(Offset=0xFFFFFFFF, OffsetHigh=0xFFFFFFFF))
    assert content(path) == b"abcd"


# Temporary files


def test_temporary_names(tmp_path: Path) -> None:
    folder = kernel32.GetTempPath()
    assert folder.endswith("\\")
    name = kernel32.GetTempFileName("C:" + str(tmp_path), "w2emu")
    assert os.listdir(tmp_path) == [name.rpartition("\\")[2]]
    assert name.rpartition("\\")[2].startswith("w2e")
    assert kernel32.GetTempFileName("C:\\x", "ab", 0x1234) == "C:\\x\\ab1234.TMP"
    kernel32.DeleteFile(name)


def test_a_record_on_a_synchronous_file_and_its_event_tell_of_the_call(opened: Open) -> None:
    """pywin32's test_win32file.py waits for the event after each request on such a file."""
    file = opened()
    event = kernel32.CreateEvent(None, True, False)
    record = kernel32.OVERLAPPED(event, 3)
    assert kernel32.WriteFile(file, b"data", record) == 4
    assert (record.Internal, record.InternalHigh) == (0, 4)
    assert kernel32.WaitForSingleObject(event, 0) == 0
    kernel32.ResetEvent(event)
    assert kernel32.ReadFile(file, bytearray(3), record) == 3
    assert (record.InternalHigh, kernel32.WaitForSingleObject(event, 0)) == (3, 0)
    record.Offset = 7
    assert code_of(kernel32.ReadFile, file, bytearray(3), record) == ERROR_HANDLE_EOF
    assert kernel32.WaitForSingleObject(event, 0) == 258
    kernel32.CloseHandle(event)
    assert code_of(kernel32.WriteFile, file, b"data", record) == ERROR_INVALID_HANDLE


def test_what_is_known_of_a_file_without_opening_it(path: str, tmp_path: Path) -> None:
    host = tmp_path / "file"
    host.write_bytes(b"12345")
    os.utime(host, ns=(1_000_000_000, 2_000_000_000))
    known = kernel32.GetFileAttributesEx(path)
    assert (known.attributes, known.size) == (FILE_ATTRIBUTE_ARCHIVE, 5)
    assert (known.accessed, known.written) == (116444736010000000, 116444736020000000)  # seconds 1 and 2 of 1970
    host.chmod(0o444)
    assert kernel32.GetFileAttributes(path) == FILE_ATTRIBUTE_ARCHIVE | FILE_ATTRIBUTE_READONLY
    assert kernel32.GetFileAttributes(path.removesuffix("\\file")) == FILE_ATTRIBUTE_DIRECTORY
    assert code_of(kernel32.GetFileAttributes, path + "s") == ERROR_FILE_NOT_FOUND
    assert code_of(kernel32.GetFileAttributes, path + "s\\file") == ERROR_PATH_NOT_FOUND
    assert code_of(kernel32.GetFileAttributes, path + "?") == ERROR_INVALID_NAME
