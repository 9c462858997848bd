"""Completion ports under the names of kernel32.

Part played:     ioapiset.h.
Lives elsewhere: the queue (kernel/ports).
Overlapped:      what a program passes to PostQueuedCompletionStatus comes back as it is, whatever it is.
Sources:         "I/O Completion Ports" and the functions' pages on Microsoft Learn.
"""

from __future__ import annotations

import os
from threading import get_ident
from typing import Any, Final

from ..defs.codes import (
    ERROR_INVALID_PARAMETER,
    ERROR_MR_MID_NOT_FOUND,
    STATUS_TO_WIN32,
)
from ..defs.constants import INFINITE
from ..errors import WinsockError, exported
from ..kernel.operations import SKIP_PORT, SKIP_SIGNAL
from ..kernel.ports import FAIR, Packet, Port
from ..process import current_process
from .handles import file_of, typed

INVALID_HANDLE_VALUE: Final = 0xFFFFFFFFFFFFFFFF


@exported
def CreateIoCompletionPort(file: int, existing: int | None, key: int, concurrency: int) -> int:
    """Make a port, or tie a file or socket to one, or both.

    Args:
        file: whose completions the port gets from now on, for good; INVALID_HANDLE_VALUE for none.
        existing: the port; None or 0 makes one.
        key: what its packets carry.
        concurrency: threads that should run at a time, 0 for the number of processors; for a new port.

    Returns:
        The port's handle.

    Raises:
        WinsockError: ERROR_INVALID_PARAMETER, an existing port without a file, a file that has a port, or one that was
            not opened for overlapped I/O; ERROR_INVALID_HANDLE, no such file or port.

    Source: https://learn.microsoft.com/windows/win32/fileio/createiocompletionport
    """
    process = current_process()
    alone = file & INVALID_HANDLE_VALUE == INVALID_HANDLE_VALUE
    if existing and alone:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    port = typed(process, existing, Port) if existing else Port(concurrency or os.cpu_count() or 1)
    if not alone:
        file_of(process, file).associate(port, key)
    return existing or process.open_handle(port)


@exported
def SetFileCompletionNotificationModes(file: int, flags: int) -> None:
    """Choose what is not told of requests that complete at once; what has been chosen stays chosen.

    Args:
        file: a file or socket.
        flags: FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, no packet; FILE_SKIP_SET_EVENT_ON_HANDLE, the file itself is not
            signalled.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE; ERROR_INVALID_PARAMETER, unknown flags, or a file that was not opened for
            overlapped I/O.

    Source: https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes
    """
    thing = file_of(current_process(), file)
    if flags & ~(SKIP_PORT | SKIP_SIGNAL) or not thing.overlapped:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    thing.skip(flags)


@exported
def PostQueuedCompletionStatus(port: int, transferred: int, key: int, overlapped: Any) -> None:
    """Queue a packet that no request is behind; its values come back as they are.

    Raises:
        WinsockError: ERROR_INVALID_HANDLE, no port.

    Source: https://learn.microsoft.com/windows/win32/fileio/postqueuedcompletionstatus
    """
    try:
        # Only ports have packets; to look for them instead of the type takes a tenth off a post and its get.
        thing = current_process().objects[port]
        packets = thing.packets
    except (KeyError, AttributeError):
        thing = _port(port)
        packets = thing.packets
    packets.append((key, overlapped, 0, transferred))
    if thing.waiting:
        thing.deliver()


@exported
def GetQueuedCompletionStatus(port: int, milliseconds: int) -> tuple[int, int, Any]:
    """Take a packet off a port, waiting for one.

    Returns:
        Bytes, key and overlapped record.

    Raises:
        WinsockError: WAIT_TIMEOUT; ERROR_ABANDONED_WAIT_0, the port has been closed meanwhile; ERROR_INVALID_HANDLE,
            no port; the Win32 code of a request that has failed, whose bytes, key and record are in ``packet``.

    Source: https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus
    """
    process = current_process()
    try:
        thing = process.objects[port]
        packets = thing.packets
    except (KeyError, AttributeError):
        thing = _port(port)
        packets = thing.packets
    thing.taken = taken = thing.taken + 1
    if taken >= FAIR:
        thing.look(process)
    try:
        key, overlapped, status, transferred = packets.popleft()
    except IndexError:
        found = thing.get(None if milliseconds == INFINITE else milliseconds / 1000, False, process)
        if isinstance(found, int):
            raise WinsockError(found) from None
        key, overlapped, status, transferred = found
    if thing.waiting:
        thing.worker = get_ident()
    if status >= 0x80000000:
        raise _failed(transferred, key, overlapped, status)
    return transferred, key, overlapped


def _port(port: int) -> Port:
    """A port whose handle the table does not have as it stands."""
    return typed(current_process(), port, Port)


def _failed(transferred: int, key: int, overlapped: Any, status: int) -> WinsockError:
    failure = WinsockError(STATUS_TO_WIN32.get(status, ERROR_MR_MID_NOT_FOUND))
    failure.packet = transferred, key, overlapped
    return failure


@exported
def GetQueuedCompletionStatusEx(port: int, count: int, milliseconds: int, alertable: bool = False) -> list[Packet]:
    """Take several packets off a port, waiting for the first. A failed request shows by its status only.

    Returns:
        Up to ``count`` tuples of key, overlapped record, NTSTATUS and bytes.

    Raises:
        WinsockError: WAIT_TIMEOUT; WAIT_IO_COMPLETION, APCs have run and no packet was there;
            ERROR_ABANDONED_WAIT_0; ERROR_INVALID_HANDLE; ERROR_INVALID_PARAMETER, no room.

    Source: https://learn.microsoft.com/windows/win32/fileio/getqueuedcompletionstatusex-func
    """
    process = current_process()
    thing = typed(process, port, Port)
    if count < 1:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    timeout_s = None if milliseconds == INFINITE else milliseconds / 1000
    found = thing.get_several(count, timeout_s, bool(alertable), process)
    if isinstance(found, int):
        raise WinsockError(found)
    return found
