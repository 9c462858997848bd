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

from ..defs.codes import (
    ERROR_MR_MID_NOT_FOUND,
    STATUS_ACCESS_VIOLATION,
    STATUS_INVALID_HANDLE,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    STATUS_TO_WIN32,
)
from ..errors import WinsockError
from ..kernel.events import Event
from ..kernel.files import FileObject
from ..kernel.operations import OVERLAPPED, SKIP_PORT, CompletionRoutine, moved_of, status_of
from ..kernel32.handles import file_of
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
    """A request whose outcome goes to the IO_STATUS_BLOCK at an address, which stays as it is until then.

    Attributes:
        context: what a packet carries; 0 for no packet.
        carrier: the handle it was made on.
    """

    __slots__ = ("carrier", "context")

    on_port = True  # observed: the end of a connection is told as to a port

    def __init__(self, address: int, context: int, carrier: int, store: Store | None = None) -> None:
        super().__init__(address, store)
        self.context = context
        self.carrier = carrier

    def start(self, file: FileObject, event: Event | None, routine: CompletionRoutine | None) -> None:
        """As `begin` of its kind, without a word in memory."""
        self.file = file
        self.event = event
        self.routine = routine
        self.silent = 1  # the packet is not the usual one

    def finish(self, result: Any, failure: WinsockError | None = None) -> None:
        file, event, routine, context = self.file, self.event, self.routine, self.context
        at_once = self.keeper is None
        super().finish(result, failure)
        port = file.port
        if routine is not None:
            if event is not None:
                event.set()
        elif context and port is not None and not (at_once and file.modes & SKIP_PORT):
            status = STATUS_SUCCESS if failure is None else status_of(failure)
            port.post((file.key, context, status, moved_of(result)))

    def finish_now(self, moved: int) -> None:
        self.finish(moved)


def begin(
    process: Process,
    carrier: int,
    event: int,
    routine: int,
    context: int,
    block: int,
    store: Store | None = None,
) -> StatusBlock:
    """Begin a request of a native call.

    Args:
        process: the program's.
        carrier: the handle that the request is made on.
        event: a handle, or 0.
        routine: the APC routine, or NULL; called with the context and the status block.
        context: see above.
        block: the IO_STATUS_BLOCK.
        store: as for `MemoryOverlapped`.

    Raises:
        WinsockError: STATUS_ACCESS_VIOLATION, no status block; STATUS_INVALID_HANDLE, no file or no event;
            STATUS_INVALID_PARAMETER, a routine although the file has a completion port.
    """
    file = file_of(process, carrier)
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
    request = StatusBlock(block, context, carrier, store)
    request.start(file, thing, call)
    return request
