"""Files: opening by disposition and share mode, reading and writing at a position, by event, port and routine."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

from ..constants import (
    ERROR_HANDLE_EOF,
    ERROR_INVALID_HANDLE,
    ERROR_INVALID_PARAMETER,
    ERROR_PATH_NOT_FOUND,
    ERROR_SHARING_VIOLATION,
    FILE_FLAG_OVERLAPPED,
    WAIT_IO_COMPLETION,
    WAIT_OBJECT_0,
)
from ..model import Row, case
from ..target import PENDING, Target
from ..verify import Failed, expect, fails_with
from .kernel_pool import Calls, temporary_file

CHAPTER = "Files"
CREATE = "fileapi/nf-fileapi-createfilew"
READ = "fileapi/nf-fileapi-readfile"
POINTER = "fileapi/nf-fileapi-setfilepointerex"

GENERIC_READ, GENERIC_WRITE = 0x80000000, 0x40000000
BOTH = GENERIC_READ | GENERIC_WRITE
SHARE_READ, SHARE_WRITE, SHARE_DELETE = 1, 2, 4
CREATE_NEW, CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS, TRUNCATE_EXISTING = range(1, 6)
FILE_BEGIN, FILE_CURRENT, FILE_END = range(3)
ERROR_FILE_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_FILE_EXISTS = 2, 5, 80
ERROR_NEGATIVE_SEEK, ERROR_ALREADY_EXISTS = 131, 183
NOTHING = 0x7FFFFFF0
LONG_MS = 20_000
_numbers = itertools.count(1)


@contextlib.contextmanager
def name_of_a_file(ws: Target) -> Iterator[str]:
    """A name that no file has; what has it at the end is deleted."""
    name = f"{ws.GetTempPath()}w2e-{ws.GetCurrentProcessId()}-f{next(_numbers)}.tmp"
    try:
        yield name
    finally:
        with contextlib.suppress(Failed):
            ws.DeleteFile(name)


# ---- opening ---------------------------------------------------------------------------------------------------------


@case("files.open.dispositions", chapter=CHAPTER, source=f"{CREATE}, dwCreationDisposition", basis="documented")
def dispositions_differ_by_what_is_there(ws: Target) -> None:
    """Two need the file, one needs that there is none; two tell by the last error that it was there, two empty it."""
    with name_of_a_file(ws) as name:
        for disposition in (OPEN_EXISTING, TRUNCATE_EXISTING):
            with fails_with(ERROR_FILE_NOT_FOUND):
                ws.CreateFile(name, BOTH, 0, disposition)
        file = ws.CreateFile(name, BOTH, 0, OPEN_ALWAYS)
        made = ws.GetLastError()
        ws.WriteFile(file, b"abc")
        ws.CloseHandle(file)
        with fails_with(ERROR_FILE_EXISTS):
            ws.CreateFile(name, BOTH, 0, CREATE_NEW)
        found = []
        for disposition in (OPEN_ALWAYS, CREATE_ALWAYS):
            file = ws.CreateFile(name, BOTH, 0, disposition)
            found.append((ws.GetLastError(), ws.GetFileSizeEx(file)))
            ws.CloseHandle(file)

    expect("a new one", expected=0, actual=made)
    expect("one that was there", expected=[(ERROR_ALREADY_EXISTS, 3), (ERROR_ALREADY_EXISTS, 0)], actual=found)


@case(
    "files.open.refused-{row}",
    chapter=CHAPTER,
    source=f"{CREATE}; system error codes",
    basis="documented",
    rows={
        "no-folder": Row("no-such-folder\\file", OPEN_EXISTING, ERROR_PATH_NOT_FOUND),
        "no-file": Row("w2e-no-such-file", OPEN_EXISTING, ERROR_FILE_NOT_FOUND),
        "disposition": Row("w2e-no-such-file", 6, ERROR_INVALID_PARAMETER),
    },
)
def an_open_is_refused(ws: Target, name: str, disposition: int, code: int) -> None:
    """A folder or file that is not there, and a disposition that there is not."""
    with fails_with(code):
        ws.CreateFile(ws.GetTempPath() + name, GENERIC_READ, SHARE_READ, disposition)


@case(
    "files.share.{row}",
    chapter=CHAPTER,
    source="FileIO/creating-and-opening-files, table of share modes",
    basis="documented",
    rows={
        "exclusive": Row(GENERIC_READ, 0, GENERIC_READ, SHARE_READ, False),
        "readers": Row(GENERIC_READ, SHARE_READ, GENERIC_READ, SHARE_READ, True),
        "reader-refuses-writer": Row(GENERIC_READ, SHARE_READ, GENERIC_WRITE, SHARE_READ, False),
        "reader-allows-writer": Row(GENERIC_READ, SHARE_WRITE, GENERIC_WRITE, SHARE_READ, True),
        "second-refuses-first": Row(GENERIC_WRITE, SHARE_READ, GENERIC_READ, SHARE_READ, False),
    },
)
def two_opens_have_to_allow_each_other(
    ws: Target, access: int, share: int, other_access: int, other_share: int, fits: bool
) -> None:
    """What either of them does has to be in the share mode of the other: ERROR_SHARING_VIOLATION otherwise."""
    with name_of_a_file(ws) as name:
        ws.CloseHandle(ws.CreateFile(name, BOTH, 0, CREATE_NEW))
        first = ws.CreateFile(name, access, share, OPEN_EXISTING)
        if fits:
            ws.CloseHandle(ws.CreateFile(name, other_access, other_share, OPEN_EXISTING))
        else:
            with fails_with(ERROR_SHARING_VIOLATION):
                ws.CreateFile(name, other_access, other_share, OPEN_EXISTING)
        ws.CloseHandle(first)


@case("files.delete.open", chapter=CHAPTER, source="fileapi/nf-fileapi-deletefilew", basis="documented")
def an_open_file_is_not_deleted(ws: Target) -> None:
    """Open without FILE_SHARE_DELETE it stays; closed it goes, and is not there then."""
    with name_of_a_file(ws) as name:
        file = ws.CreateFile(name, BOTH, SHARE_READ | SHARE_WRITE, CREATE_NEW)
        with fails_with(ERROR_SHARING_VIOLATION):
            ws.DeleteFile(name)
        ws.CloseHandle(file)
        ws.DeleteFile(name)
        with fails_with(ERROR_FILE_NOT_FOUND):
            ws.DeleteFile(name)


# ---- the position ----------------------------------------------------------------------------------------------------


@case("files.position.moves", chapter=CHAPTER, source=f"{READ}; {POINTER}", basis="documented")
def reading_and_writing_move_the_position(ws: Target) -> None:
    """Reading at the end gives 0 bytes; a position before the beginning is refused, one behind the end is not."""
    with temporary_file(ws) as file:
        ws.WriteFile(file, b"hello")
        ws.WriteFile(file, b" world")
        place = ws.SetFilePointerEx(file, -5 & (1 << 64) - 1 if ws.has_c else -5, FILE_END)
        buffer = bytearray(8)
        moved = ws.ReadFile(file, buffer)
        at_end = ws.ReadFile(file, bytearray(8))
        with fails_with(ERROR_NEGATIVE_SEEK):
            ws.SetFilePointerEx(file, -1 & (1 << 64) - 1 if ws.has_c else -1, FILE_BEGIN)
        behind = ws.SetFilePointerEx(file, 1 << 33, FILE_BEGIN)
        size = ws.GetFileSizeEx(file)

    expect("read", expected=(6, 5, b"world", 0), actual=(place, moved, bytes(buffer[:5]), at_end))
    expect("position and size", expected=(1 << 33, 11), actual=(behind, size))


@case("files.position.from-the-record", chapter=CHAPTER, source=f"{READ}, lpOverlapped", basis="documented")
def a_record_gives_a_synchronous_file_its_position(ws: Target) -> None:
    """The read begins at its offset and moves the position on; at an offset behind the end it fails."""
    with temporary_file(ws) as file:
        ws.WriteFile(file, b"abcdef")
        record = ws.overlapped()
        record.Offset = 2
        buffer = bytearray(3)
        moved = ws.ReadFile(file, buffer, record)
        place = ws.SetFilePointerEx(file, 0, FILE_CURRENT)
        record = ws.overlapped()
        record.Offset = 10
        with fails_with(ERROR_HANDLE_EOF):
            ws.ReadFile(file, bytearray(3), record)

    expect("read", expected=(3, b"cde", 5), actual=(moved, bytes(buffer), place))


@case("files.rights", chapter=CHAPTER, source=f"{CREATE}, dwDesiredAccess", basis="documented")
def what_was_not_asked_for_is_denied(ws: Target) -> None:
    """Writing to a file opened for reading and the other way round: ERROR_ACCESS_DENIED."""
    with name_of_a_file(ws) as name:
        share = SHARE_READ | SHARE_WRITE
        writer = ws.CreateFile(name, GENERIC_WRITE, share, CREATE_NEW)
        reader = ws.CreateFile(name, GENERIC_READ, share, OPEN_EXISTING)
        with fails_with(ERROR_ACCESS_DENIED):
            ws.ReadFile(writer, bytearray(1))
        with fails_with(ERROR_ACCESS_DENIED):
            ws.WriteFile(reader, b"x")
        ws.CloseHandle(reader)
        ws.CloseHandle(writer)


@case("files.type", chapter=CHAPTER, source="fileapi/nf-fileapi-getfiletype", basis="documented")
def a_file_is_on_a_disk_and_a_socket_is_a_pipe(ws: Target) -> None:
    """FILE_TYPE_DISK and FILE_TYPE_PIPE; what is no handle is ERROR_INVALID_HANDLE."""
    with temporary_file(ws) as file, ws.closing(ws.tcp()) as s:
        kinds = ws.GetFileType(file), ws.GetFileType(s)
    with fails_with(ERROR_INVALID_HANDLE):
        ws.GetFileType(NOTHING)

    expect("types", expected=(1, 3), actual=kinds)


# ---- overlapped ------------------------------------------------------------------------------------------------------


@case("files.overlapped.event", chapter=CHAPTER, source=f"{READ}; synchronous-and-asynchronous-i-o", basis="documented")
def an_overlapped_write_sets_its_event(ws: Target) -> None:
    """The offset is the record's; the outcome is the bytes, whether it pended or not."""
    event = ws.CreateEvent(False, True, False)
    with temporary_file(ws, FILE_FLAG_OVERLAPPED) as file:
        record = ws.overlapped(event)
        record.Offset = 4
        moved = ws.WriteFile(file, b"abc", record)
        signalled = ws.WaitForSingleObject(event, LONG_MS)
        outcome = ws.GetOverlappedResult(file, record, True)
        size = ws.GetFileSizeEx(file)
        with fails_with(ERROR_INVALID_PARAMETER):
            ws.WriteFile(file, b"x")
    ws.CloseHandle(event)

    expect("result of the call", expected=True, actual=moved in (3, PENDING))
    expect("event, bytes, size", expected=(WAIT_OBJECT_0, 3, 7), actual=(signalled, outcome, size))


@case("files.overlapped.port", chapter=CHAPTER, source="FileIO/i-o-completion-ports", basis="documented")
def a_port_gets_a_packet_for_a_write(ws: Target) -> None:
    """Bytes, key and record of a write on a file that is tied to a port."""
    with temporary_file(ws, FILE_FLAG_OVERLAPPED) as file:
        port = ws.CreateIoCompletionPort(file, 0, 99, 0)
        record = ws.overlapped()
        ws.WriteFile(file, b"abcd", record)
        packet = ws.GetQueuedCompletionStatus(port, LONG_MS)
    ws.CloseHandle(port)

    expect("packet", expected=(4, 99, ws.token(record)), actual=packet)


@case("files.overlapped.routine", chapter=CHAPTER, source="fileapi/nf-fileapi-writefileex", basis="documented")
def a_completion_routine_runs_in_an_alertable_wait(ws: Target) -> None:
    """Not before, once, with the bytes; a file opened for synchronous I/O takes none."""
    calls = Calls()
    with temporary_file(ws, FILE_FLAG_OVERLAPPED) as file:
        record = ws.overlapped()
        ws.WriteFileEx(file, b"abcd", record, calls)
        before = list(calls.seen)
        slept = ws.SleepEx(LONG_MS, True)
    with temporary_file(ws) as file, fails_with(ERROR_INVALID_PARAMETER):
        ws.WriteFileEx(file, b"abcd", ws.overlapped(), calls)

    expect("before the wait", expected=[], actual=before)
    expect("wait", expected=WAIT_IO_COMPLETION, actual=slept)
    expect("calls", expected=[(0, 4)], actual=[call[:2] for call in calls.seen])
