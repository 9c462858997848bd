"""Files, and reading and writing through any file handle.

Part played:     fileapi.h.
Lives here:      what a handle and an OVERLAPPED mean to each call.
Lives elsewhere: paths, share modes, the host's files (kernel/hostfiles), completion (kernel/operations), sockets
                 (socketfiles), the outcome of overlapped requests (overlapped).
Positions:       a file that was not opened with FILE_FLAG_OVERLAPPED has one, which a record's offset replaces; one
                 that was has none, and needs a record. Pipes and sockets have none either, and need no record.
Sources:         fileapi.h on Microsoft Learn; "Synchronous and Asynchronous I/O".
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from ..defs.codes import ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOACCESS, STATUS_TO_WIN32
from ..defs.constants import FILE_FLAG_OVERLAPPED, FILE_TYPE_PIPE
from ..defs.winbase import CREATE_NEW, ERROR_FILE_EXISTS, FILE_BEGIN, GENERIC_WRITE
from ..errors import WinsockError, exported, set_last_error
from ..kernel.files import FileObject
from ..kernel.hostfiles import AT_END, FileData, HostFile, already_there, end_of_file, file_data, windows_path
from ..kernel.operations import FIRST_WARNING, OVERLAPPED, CompletionRoutine, Pending
from ..process import Process, current_process
from .afd import names_afd, open_afd
from .handles import file_of, number_of
from .overlapped import synchronously
from .pipes import pipe_name, through_pipe
from .socketfiles import read_socket, write_socket

FileRoutine = Callable[[int, int, OVERLAPPED], Any]
"""Called with the Win32 code, the bytes and the record, in an alertable wait of the issuing thread."""

_UNIQUE: Final = 0xFFFF


def host_file(process: Process, handle: int) -> HostFile:
    """The file on the host's disk behind a handle.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE, also for a socket.
    """
    file = file_of(process, handle)
    if not isinstance(file, HostFile):
        raise WinsockError(ERROR_INVALID_HANDLE)
    return file


@exported
def CreateFile(
    name: str | None,
    access: int,
    share: int,
    inherit: bool | None,
    disposition: int,
    flags: int = 0,
    template: int | None = None,
) -> int:
    """Open or make a file of the host; how its path is spelled is told in kernel/hostfiles.

    ``\\\\.\\GLOBALROOT\\Device\\Afd`` and what is beneath it is the device under Winsock (afd).

    Args:
        access: GENERIC_READ, GENERIC_WRITE, DELETE and their like.
        share: what others may do while it is open: FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_SHARE_DELETE.
        inherit: bInheritHandle of the security attributes; None without any.
        disposition: CREATE_NEW, CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS, TRUNCATE_EXISTING.
        flags: FILE_FLAG_OVERLAPPED, FILE_FLAG_DELETE_ON_CLOSE, FILE_ATTRIBUTE_READONLY; others change nothing here.
        template: a file whose attributes a new one gets; it has none that would matter.

    Returns:
        A handle. CREATE_ALWAYS and OPEN_ALWAYS leave ERROR_ALREADY_EXISTS as the last error when the file was there
        and 0 when it is new.

    Raises:
        WinsockError: ERROR_INVALID_PARAMETER; ERROR_FILE_NOT_FOUND; ERROR_PATH_NOT_FOUND; ERROR_FILE_EXISTS, with
            CREATE_NEW; ERROR_SHARING_VIOLATION; ERROR_ACCESS_DENIED; ERROR_INVALID_NAME; ERROR_TOO_MANY_OPEN_FILES.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew
    """
    process = current_process()
    if names_afd(name):
        return open_afd(process)
    pipe = pipe_name(name)
    if pipe:
        end = process.pipes().open(pipe, access, overlapped=bool(flags & FILE_FLAG_OVERLAPPED))
        return process.open_handle(end, inherit=bool(inherit))
    file, known = process.files.open(name, access, share, disposition, flags)
    handle = process.open_handle(file, inherit=bool(inherit))
    set_last_error(already_there(disposition, known))
    return handle


@exported
def DeleteFile(name: str | None) -> None:
    """Delete a file; handles that are open to it, with FILE_SHARE_DELETE, keep its data.

    Raises:
        WinsockError: ERROR_FILE_NOT_FOUND; ERROR_PATH_NOT_FOUND; ERROR_ACCESS_DENIED, read-only or a folder;
            ERROR_SHARING_VIOLATION.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-deletefilew
    """
    current_process().files.delete(name)


@exported
def ReadFile(file: int, buffer: Any, overlapped: OVERLAPPED | None = None) -> int | Pending:
    """Read into a writable buffer.

    Returns:
        Bytes read; 0 at the end of a file that is read at its position.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_ACCESS_DENIED, not opened for reading; ERROR_HANDLE_EOF, nothing at
            the record's offset; ERROR_INVALID_PARAMETER, an overlapped file without a record; ERROR_NOACCESS, no
            buffer; of a socket ERROR_NETNAME_DELETED and what else has become of its connection.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-readfile
    """
    return _read(file, buffer, overlapped, None)


@exported
def WriteFile(file: int, buffer: Any, overlapped: OVERLAPPED | None = None) -> int | Pending:
    """Write a buffer; an offset of 64 bits that are all set means the end of the file.

    Returns:
        Bytes written, which is all of them.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_ACCESS_DENIED, not opened for writing; ERROR_DISK_FULL;
            ERROR_INVALID_PARAMETER, an overlapped file without a record; ERROR_NOACCESS, no buffer; of a socket what
            has become of its connection.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-writefile
    """
    return _write(file, buffer, overlapped, None)


@exported
def ReadFileEx(file: int, buffer: Any, overlapped: OVERLAPPED, routine: FileRoutine) -> None:
    """Read into a buffer and have a routine called in the next alertable wait; hEvent is the program's own.

    Raises:
        WinsockError: as from `ReadFile`; ERROR_INVALID_PARAMETER, a file that was not opened for overlapped I/O, or has
            a completion port.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-readfileex
    """
    _read(file, buffer, overlapped, _for_routine(file, routine))


@exported
def WriteFileEx(file: int, buffer: Any, overlapped: OVERLAPPED, routine: FileRoutine) -> None:
    """Write a buffer and have a routine called in the next alertable wait; hEvent is the program's own.

    Raises:
        WinsockError: as from `WriteFile` and `ReadFileEx`.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-writefileex
    """
    _write(file, buffer, overlapped, _for_routine(file, routine))


def _for_routine(handle: int, routine: FileRoutine) -> CompletionRoutine:
    file = file_of(current_process(), handle)
    if not file.overlapped or file.port is not None:
        raise WinsockError(ERROR_INVALID_PARAMETER)

    def call(error: int, moved: int, overlapped: OVERLAPPED, flags: int) -> None:
        status = overlapped.Internal
        routine(STATUS_TO_WIN32.get(status, error) if status >= FIRST_WARNING else 0, moved, overlapped)

    return call


def _read(handle: int, buffer: Any, overlapped: OVERLAPPED | None, routine: CompletionRoutine | None) -> int | Pending:
    process = current_process()
    file = file_of(process, handle)
    if buffer is None:
        raise WinsockError(ERROR_NOACCESS)
    if not isinstance(file, HostFile):
        move = getattr(file, "read", None)
        if move is not None:  # a pipe
            return through_pipe(process, file, move, buffer, overlapped, routine)
        return read_socket(process, number_of(handle), file, buffer, overlapped, routine)
    if overlapped is None:
        _needs_no_record(file)
        return file.read(buffer)
    asked = memoryview(buffer).nbytes
    if not file.overlapped:
        return synchronously(process, overlapped, partial(_read_from, file, _offset(overlapped), buffer, asked))
    request = process.begin(file, overlapped, routine)
    assert request is not None  # the file is overlapped
    moved = file.read_at(_offset(overlapped), buffer)
    end_of_file(moved, asked)
    request.finish_now(moved)
    return moved


def _write(handle: int, buffer: Any, overlapped: OVERLAPPED | None, routine: CompletionRoutine | None) -> int | Pending:
    process = current_process()
    file = file_of(process, handle)
    if buffer is None:
        raise WinsockError(ERROR_NOACCESS)
    if not isinstance(file, HostFile):
        move = getattr(file, "write", None)
        if move is not None:  # a pipe
            return through_pipe(process, file, move, buffer, overlapped, routine)
        return write_socket(process, number_of(handle), file, buffer, overlapped, routine)
    if overlapped is None:
        _needs_no_record(file)
        return file.write(buffer)
    offset = _offset(overlapped)
    if not file.overlapped:
        return synchronously(process, overlapped, partial(_write_from, file, offset, buffer))
    request = process.begin(file, overlapped, routine)
    assert request is not None  # the file is overlapped
    moved = file.write_at(offset, buffer)
    request.finish_now(moved)
    return moved


def _read_from(file: HostFile, offset: int, buffer: Any, asked: int) -> int:
    file.move(offset, FILE_BEGIN)
    moved = file.read(buffer)
    end_of_file(moved, asked)
    return moved


def _write_from(file: HostFile, offset: int, buffer: Any) -> int:
    file.move(file.size() if offset == AT_END else offset, FILE_BEGIN)
    return file.write(buffer)


def _needs_no_record(file: FileObject) -> None:
    if file.overlapped:
        raise WinsockError(ERROR_INVALID_PARAMETER)


def _offset(overlapped: OVERLAPPED) -> int:
    return overlapped.OffsetHigh << 32 | overlapped.Offset


@exported
def GetFileAttributes(name: str | None) -> int:
    """The FILE_ATTRIBUTE bits of a file or folder.

    Raises:
        WinsockError: as from `GetFileAttributesEx`.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfileattributesw
    """
    return file_data(name).attributes


@exported
def GetFileAttributesEx(name: str | None) -> FileData:
    """Attributes, times and size of a file or folder.

    Raises:
        WinsockError: ERROR_FILE_NOT_FOUND; ERROR_PATH_NOT_FOUND, a folder on the way is not there; ERROR_INVALID_NAME.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfileattributesexw
    """
    return file_data(name)


@exported
def GetFileSizeEx(file: int) -> int:
    """The size of a file in bytes; ERROR_INVALID_HANDLE when it is none.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfilesizeex
    """
    return host_file(current_process(), file).size()


@exported
def SetFilePointerEx(file: int, distance: int, method: int) -> int:
    """Move the position of a file, also behind its end; the new one, in bytes.

    Args:
        distance: in bytes; negative is backwards.
        method: FILE_BEGIN, FILE_CURRENT, FILE_END: where from.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_NEGATIVE_SEEK; ERROR_INVALID_PARAMETER.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfilepointerex
    """
    return host_file(current_process(), file).move(distance, method)


@exported
def SetEndOfFile(file: int) -> None:
    """Cut or extend a file to its position.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_ACCESS_DENIED, not opened for writing.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setendoffile
    """
    host_file(current_process(), file).cut()


@exported
def FlushFileBuffers(file: int) -> None:
    """Write what the host holds back of a file.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_ACCESS_DENIED, not opened for writing.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-flushfilebuffers
    """
    host_file(current_process(), file).flush()


@exported
def GetFileType(file: int) -> int:
    """FILE_TYPE_DISK, FILE_TYPE_CHAR (the null device) or FILE_TYPE_PIPE, which sockets are.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfiletype
    """
    found = file_of(current_process(), file)
    return found.kind if isinstance(found, HostFile) else FILE_TYPE_PIPE


@exported
def GetTempPath() -> str:
    """The folder for temporary files in Windows' spelling, with a backslash at its end.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-gettemppathw
    """
    return windows_path(tempfile.gettempdir()).rstrip("\\") + "\\"


@exported
def GetTempFileName(path: str, prefix: str, unique: int = 0) -> str:
    """The name of a temporary file in a folder, which is made, empty, unless ``unique`` gives its number.

    Raises:
        WinsockError: what `CreateFile` raises; ERROR_FILE_EXISTS, no number is left.

    Source: https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-gettempfilenamew
    """
    folder = path.rstrip("\\/")
    start = (unique or int.from_bytes(os.urandom(2), "little")) & _UNIQUE

    def name(number: int) -> str:
        return folder + "\\" + f"{prefix[:3]}{number or 1:X}.TMP"

    if unique:
        return name(start)
    process = current_process()
    for step in range(_UNIQUE):
        found = name((start + step) & _UNIQUE)
        try:
            file, _ = process.files.open(found, GENERIC_WRITE, 0, CREATE_NEW, 0)
        except WinsockError as failure:
            if failure.winerror != ERROR_FILE_EXISTS:
                raise
            continue
        process.close_handle(process.open_handle(file))
        return found
    raise WinsockError(ERROR_FILE_EXISTS)
