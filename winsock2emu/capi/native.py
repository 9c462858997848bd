"""I/O requests of ntdll: the IO_STATUS_BLOCK of a C program as the record of a request.

Part played:     IO_STATUS_BLOCK, and how NtReadFile and its like tell of completion.
Lives elsewhere: records of Win32 (overlapped), the functions (exports.nt), completion (kernel/operations).
Told by:         the status block, and an event if one was given, and an APC routine if one was given; or, without a
                 routine, by a packet of the file's completion port, but only with a context, which is what the packet
                 carries.
Sources:         nf-ntifs-ntreadfile and nf-winternl-ntdeviceiocontrolfile on Microsoft Learn; the behaviours nt-* of
                 the project's reference.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from ..defs.codes import STATUS_INVALID_HANDLE, STATUS_INVALID_PARAMETER, STATUS_TO_WIN32, STATUS_ACCESS_VIOLATION
from ..defs.codes import ERROR_MR_MID_NOT_FOUND
from ..errors import WinsockError
from ..kernel.events import Event
from ..kernel.files import FileObject
from ..kernel.operations import OVERLAPPED
from ..process import Process
from . import memory
from .overlapped import MemoryOverlapped, Store
from .threads import made_by_c

_APC: Final = ctypes.CFUNCTYPE(None, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_uint32)
_PROGRAM_BITS: Final = 3


def refused(status: int) -> WinsockError:
    """The failure of a native call."""
    failure = WinsockError(STATUS_TO_WIN32.get(status, ERROR_MR_MID_NOT_FOUND))
    failure.status = status
    return failure


class StatusBlock(MemoryOverlapped):
    """A request whose outcome goes to the IO_STATUS_BLOCK at an address."""

    __slots__ = ("token",)

    def __init__(self, address: int, context: int, store: Store | None = None) -> None:
        super().__init__(address, store)
        self.token = context

    def finish(self, result: Any, failure: WinsockError | None = None) -> None:
        # With a routine the event is set all the same, and nothing else sets it.
        event = self.event if self.routine is not None else None
        super().finish(result, failure)
        if event is not None:
            event.set()


def begin(
    process: Process,
    file: FileObject,
    event: int,
    routine: int,
    context: int,
    block: int,
    store: Store | None = None,
) -> StatusBlock:
    """Begin a request of a native call.

    Args:
        process: the program's.
        file: what it is for.
        event: a handle, or 0.
        routine: the APC routine, or NULL; called with the context and the status block.
        context: see above.
        block: the IO_STATUS_BLOCK.
        store: as for `MemoryOverlapped`.

    Raises:
        WinsockError: STATUS_ACCESS_VIOLATION, no status block; STATUS_INVALID_HANDLE, no event;
            STATUS_INVALID_PARAMETER, a routine although the file has a completion port.
    """
    if block < memory.LOWEST:
        raise refused(STATUS_ACCESS_VIOLATION)
    thing = None
    if event:
        thing = process.objects.get(event & ~_PROGRAM_BITS)
        if type(thing) is not Event:
            raise refused(STATUS_INVALID_HANDLE)
    call = None
    if routine:
        if file.port is not None:
            raise refused(STATUS_INVALID_PARAMETER)
        made_by_c()  # the thread has to be known by the time of the call
        pointer = _APC(routine)

        def call(error: int, moved: int, overlapped: OVERLAPPED, flags: int) -> None:
            pointer(context, block, 0)

    if thing is not None:
        thing.signalled = False
    file.signalled = False
    request = StatusBlock(block, context, store)
    request.begin(file, thing, 0 if context else 1, call)
    return request
