"""Files, and reading and writing through any file handle.

Part played:     fileapi.h.
Lives elsewhere: the behaviour (kernel32.files), the OVERLAPPED structure (capi.overlapped).
Sizes:           GetFileSize and SetFilePointer return the low half of a number, which may be the failure value; the
                 last error is 0 then, as their pages promise.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from .... import kernel32
from ....defs.codes import ERROR_INVALID_PARAMETER
from ....errors import WinsockError, set_last_error
from ....kernel.operations import OVERLAPPED, PENDING
from ... import memory
from ...overlapped import overlapped_at, pending
from ...threads import made_by_c
from ._pointers import inherits, out, store_text

__all__ = [
    "CreateFileA",
    "CreateFileW",
    "DeleteFileA",
    "DeleteFileW",
    "FlushFileBuffers",
    "GetFileSize",
    "GetFileSizeEx",
    "GetFileType",
    "GetTempFileNameA",
    "GetTempFileNameW",
    "GetTempPathA",
    "GetTempPathW",
    "ReadFile",
    "ReadFileEx",
    "SetEndOfFile",
    "SetFilePointer",
    "SetFilePointerEx",
    "WriteFile",
    "WriteFileEx",
]

_MAX_PATH: Final = 260
_LOW: Final = 0xFFFFFFFF  # also INVALID_FILE_SIZE and INVALID_SET_FILE_POINTER
_ROUTINE: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint64)


def CreateFileA(
    lpFileName: int,
    dwDesiredAccess: int,
    dwShareMode: int,
    lpSecurityAttributes: int,
    dwCreationDisposition: int,
    dwFlagsAndAttributes: int,
    hTemplateFile: int,
) -> int:
    made_by_c()  # a success may leave ERROR_ALREADY_EXISTS
    return kernel32.CreateFile(
        memory.ansi(lpFileName),
        dwDesiredAccess,
        dwShareMode,
        inherits(lpSecurityAttributes),
        dwCreationDisposition,
        dwFlagsAndAttributes,
        hTemplateFile,
    )


def CreateFileW(
    lpFileName: int,
    dwDesiredAccess: int,
    dwShareMode: int,
    lpSecurityAttributes: int,
    dwCreationDisposition: int,
    dwFlagsAndAttributes: int,
    hTemplateFile: int,
) -> int:
    made_by_c()  # a success may leave ERROR_ALREADY_EXISTS
    return kernel32.CreateFile(
        memory.wide(lpFileName),
        dwDesiredAccess,
        dwShareMode,
        inherits(lpSecurityAttributes),
        dwCreationDisposition,
        dwFlagsAndAttributes,
        hTemplateFile,
    )


def DeleteFileA(lpFileName: int) -> int:
    kernel32.DeleteFile(memory.ansi(lpFileName))
    return 1


def DeleteFileW(lpFileName: int) -> int:
    kernel32.DeleteFile(memory.wide(lpFileName))
    return 1


def ReadFile(hFile: int, lpBuffer: int, nNumberOfBytesToRead: int, lpNumberOfBytesRead: int, lpOverlapped: int) -> int:
    return _move(kernel32.ReadFile, hFile, lpBuffer, nNumberOfBytesToRead, lpNumberOfBytesRead, lpOverlapped)


def WriteFile(
    hFile: int, lpBuffer: int, nNumberOfBytesToWrite: int, lpNumberOfBytesWritten: int, lpOverlapped: int
) -> int:
    return _move(kernel32.WriteFile, hFile, lpBuffer, nNumberOfBytesToWrite, lpNumberOfBytesWritten, lpOverlapped)


def _move(call: Any, file: int, buffer: int, size: int, count: int, overlapped: int) -> int:
    record = overlapped_at(overlapped)
    if count >= memory.LOWEST:
        memory.store_32(count, 0)
    elif record is None:
        out(count)  # only a record may stand in for the count
    moved = call(file, memory.view(buffer, size), record)
    if moved is PENDING:
        return pending(0)
    if count >= memory.LOWEST:
        memory.store_32(count, moved)
    return 1


def ReadFileEx(
    hFile: int, lpBuffer: int, nNumberOfBytesToRead: int, lpOverlapped: int, lpCompletionRoutine: int
) -> int:
    return _move_ex(kernel32.ReadFileEx, hFile, lpBuffer, nNumberOfBytesToRead, lpOverlapped, lpCompletionRoutine)


def WriteFileEx(
    hFile: int, lpBuffer: int, nNumberOfBytesToWrite: int, lpOverlapped: int, lpCompletionRoutine: int
) -> int:
    return _move_ex(kernel32.WriteFileEx, hFile, lpBuffer, nNumberOfBytesToWrite, lpOverlapped, lpCompletionRoutine)


def _move_ex(call: Any, file: int, buffer: int, size: int, overlapped: int, pointer: int) -> int:
    made_by_c()  # the thread has to be known by the time of the call
    record = overlapped_at(out(overlapped))
    c_routine = _ROUTINE(out(pointer))

    def routine(error: int, moved: int, _: OVERLAPPED) -> None:
        c_routine(error, moved, overlapped)

    call(file, memory.view(buffer, size), record, routine)
    set_last_error(0)  # success is to be told from success with a warning, say the pages
    return 1


def GetFileSize(hFile: int, lpFileSizeHigh: int) -> int:
    return _halves(kernel32.GetFileSizeEx(hFile), lpFileSizeHigh)


def GetFileSizeEx(hFile: int, lpFileSize: int) -> int:
    size = kernel32.GetFileSizeEx(hFile)
    memory.store_u64(out(lpFileSize), size)
    return 1


def SetFilePointer(hFile: int, lDistanceToMove: int, lpDistanceToMoveHigh: int, dwMoveMethod: int) -> int:
    distance = lDistanceToMove
    if lpDistanceToMoveHigh >= memory.LOWEST:
        distance = memory.load_i32(lpDistanceToMoveHigh) << 32 | lDistanceToMove & _LOW
    before = kernel32.SetFilePointerEx(hFile, 0, 1)
    position = kernel32.SetFilePointerEx(hFile, distance, dwMoveMethod)
    if position > _LOW and lpDistanceToMoveHigh < memory.LOWEST:
        kernel32.SetFilePointerEx(hFile, before, 0)
        raise WinsockError(ERROR_INVALID_PARAMETER)
    return _halves(position, lpDistanceToMoveHigh)


def _halves(number: int, high: int) -> int:
    if high >= memory.LOWEST:
        memory.store_32(high, number >> 32)
    low = number & _LOW
    if low == _LOW:
        made_by_c()
        set_last_error(0)
    return low


def SetFilePointerEx(hFile: int, liDistanceToMove: int, lpNewFilePointer: int, dwMoveMethod: int) -> int:
    position = kernel32.SetFilePointerEx(hFile, liDistanceToMove, dwMoveMethod)
    if lpNewFilePointer >= memory.LOWEST:
        memory.store_u64(lpNewFilePointer, position)
    return 1


def GetFileType(hFile: int) -> int:
    return kernel32.GetFileType(hFile)


def GetTempPathA(nBufferLength: int, lpBuffer: int) -> int:
    return store_text(kernel32.GetTempPath(), lpBuffer, nBufferLength, wide=False)


def GetTempPathW(nBufferLength: int, lpBuffer: int) -> int:
    return store_text(kernel32.GetTempPath(), lpBuffer, nBufferLength, wide=True)


def SetEndOfFile(hFile: int) -> int:
    kernel32.SetEndOfFile(hFile)
    return 1


def FlushFileBuffers(hFile: int) -> int:
    kernel32.FlushFileBuffers(hFile)
    return 1


def GetTempFileNameA(lpPathName: int, lpPrefixString: int, uUnique: int, lpTempFileName: int) -> int:
    prefix = memory.ansi(lpPrefixString) or ""
    return _temporary(memory.ansi(lpPathName), prefix, uUnique, lpTempFileName, wide=False)


def GetTempFileNameW(lpPathName: int, lpPrefixString: int, uUnique: int, lpTempFileName: int) -> int:
    prefix = memory.wide(lpPrefixString) or ""
    return _temporary(memory.wide(lpPathName), prefix, uUnique, lpTempFileName, wide=True)


def _temporary(path: str | None, prefix: str, unique: int, buffer: int, *, wide: bool) -> int:
    """Store the name; its number."""
    out(buffer)
    if path is None:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    name = kernel32.GetTempFileName(path, prefix, unique)
    store_text(name, buffer, _MAX_PATH, wide=wide)
    return int(name.rpartition("\\")[2].removesuffix(".TMP")[len(prefix[:3]) :], 16)
