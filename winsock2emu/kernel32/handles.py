"""Handles: closing, copying, flags and comparing, for everything but sockets.

Part played:     handleapi.h.
Lives here:      what a number means to a function that takes a handle, pseudo handles included.
Lives elsewhere: the table (kernel/handles), sockets (ws2_32), whose handles lead to their file objects here.
Numbers:         the two low bits of a handle are for the program, the system ignores them. A socket is a descriptor of
                 the host here, in which every bit counts.
"""

from __future__ import annotations

import os
from typing import Final, TypeVar

from ..defs.codes import ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED
from ..defs.constants import (
    DUPLICATE_CLOSE_SOURCE,
    HANDLE_FLAG_INHERIT,
    HANDLE_FLAG_PROTECT_FROM_CLOSE,
)
from ..errors import WinsockError, exported
from ..kernel.files import FileObject
from ..kernel.handles import FIRST_NUMBER
from ..kernel.objects import Waitable
from ..kernel.threads import CurrentProcess, this_thread
from ..process import Process, SocketRecord, current_process
from .socketfiles import SocketFile, duplicate

CURRENT_PROCESS: Final = 0xFFFFFFFFFFFFFFFF
CURRENT_THREAD: Final = 0xFFFFFFFFFFFFFFFE

_ALL_BITS: Final = 0xFFFFFFFFFFFFFFFF
_PROGRAM_BITS: Final = 3

_THIS_PROCESS: Final = CurrentProcess()

W = TypeVar("W", bound=Waitable)


def number_of(handle: int) -> int:
    """The number under which the table has a handle."""
    if not isinstance(handle, int):
        raise TypeError(f"a HANDLE is an int, not {type(handle).__name__}")
    handle &= _ALL_BITS  # -1 and -2 as a C program writes them
    return handle & ~_PROGRAM_BITS if FIRST_NUMBER <= handle < CURRENT_THREAD else handle


def object_of(process: Process, handle: int) -> Waitable:
    """The kernel object behind a handle or a pseudo handle; a socket's is its file object.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE.
    """
    handle = number_of(handle)
    thing = process.objects.get(handle)
    if isinstance(thing, Waitable):
        return thing
    if type(thing) is SocketRecord:
        return process.file_of(thing)
    if handle == CURRENT_THREAD:
        return this_thread()
    if handle == CURRENT_PROCESS:
        return _THIS_PROCESS
    raise WinsockError(ERROR_INVALID_HANDLE)


def typed(process: Process, handle: int, kind: type[W]) -> W:
    """The object behind a handle when it is of that kind; ERROR_INVALID_HANDLE otherwise."""
    thing = process.objects.get(handle)
    if type(thing) is kind:
        return thing
    found = object_of(process, handle)
    if type(found) is kind:
        return found
    raise WinsockError(ERROR_INVALID_HANDLE)


def file_of(process: Process, handle: int) -> FileObject:
    """The file or socket behind a handle.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE.
    """
    thing = object_of(process, handle)
    if not isinstance(thing, FileObject):
        raise WinsockError(ERROR_INVALID_HANDLE)
    return thing


@exported
def CloseHandle(handle: int) -> None:
    """Give a handle back; the object ends with its last one. Whoever waits for it goes on waiting.

    A socket is closed as by closesocket.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE, also for a handle that is protected from closing.

    Source: https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-closehandle
    """
    process = current_process()
    number = number_of(handle)
    if number in (CURRENT_PROCESS, CURRENT_THREAD):
        return  # closing a pseudo handle has no effect
    object_of(process, number)
    if process.handles.flags.get(number, 0) & HANDLE_FLAG_PROTECT_FROM_CLOSE:
        raise WinsockError(ERROR_INVALID_HANDLE)
    if type(process.objects.get(number)) is SocketRecord:
        process.close_socket(number)
    else:
        process.close_handle(number)


@exported
def DuplicateHandle(
    source_process: int, source: int, target_process: int, access: int = 0, inherit: bool = False, options: int = 0
) -> int:
    """Another handle of the same object. The processes have to be the current one.

    Args:
        access: the rights of the new handle; every handle has all rights here.
        options: DUPLICATE_CLOSE_SOURCE closes the first handle; DUPLICATE_SAME_ACCESS.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_NOT_SUPPORTED, a socket that cannot be shared, or a copy of one.

    Source: https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-duplicatehandle
    """
    process = current_process()
    if not source_process & target_process & _ALL_BITS == CURRENT_PROCESS:
        raise WinsockError(ERROR_INVALID_HANDLE)
    number = number_of(source)
    thing = process.objects.get(number)
    if type(thing) is SocketRecord:
        handle = duplicate(process, number)
        os.set_inheritable(handle, bool(inherit))
    elif isinstance(thing, SocketFile):
        raise WinsockError(ERROR_NOT_SUPPORTED)
    else:
        handle = process.open_handle(object_of(process, source), inherit=bool(inherit))
    if options & DUPLICATE_CLOSE_SOURCE and number < CURRENT_THREAD:
        CloseHandle(number)
    return handle


def _flagged(process: Process, handle: int) -> int:
    """The number of a handle that has flags."""
    number = number_of(handle)
    if type(process.objects.get(number)) is not SocketRecord:
        object_of(process, number)
        if number >= CURRENT_THREAD:
            raise WinsockError(ERROR_INVALID_HANDLE)
    return number


@exported
def GetHandleInformation(handle: int) -> int:
    """The HANDLE_FLAG bits of a handle, a socket's included.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE.

    Source: https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-gethandleinformation
    """
    process = current_process()
    number = _flagged(process, handle)
    flags = process.handles.flags.get(number, 0)
    if number < FIRST_NUMBER and os.get_inheritable(number):
        flags |= HANDLE_FLAG_INHERIT
    return flags


@exported
def SetHandleInformation(handle: int, mask: int, flags: int) -> None:
    """Set those HANDLE_FLAG bits of a handle that are in the mask.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_PARAMETER, unknown bits in the mask.

    Source: https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-sethandleinformation
    """
    process = current_process()
    number = _flagged(process, handle)
    if mask & ~(HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE):
        raise WinsockError(ERROR_INVALID_PARAMETER)
    if number < FIRST_NUMBER and mask & HANDLE_FLAG_INHERIT:
        os.set_inheritable(number, bool(flags & HANDLE_FLAG_INHERIT))
        mask &= ~HANDLE_FLAG_INHERIT
    kept = process.handles.flags.get(number, 0)
    process.handles.flags[number] = kept & ~mask | flags & mask


@exported
def CompareObjectHandles(first: int, second: int) -> bool:
    """Whether two handles lead to one object.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; WSAEOPNOTSUPP, a socket.

    Source: https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-compareobjecthandles
    """
    process = current_process()
    return object_of(process, first) is object_of(process, second)
