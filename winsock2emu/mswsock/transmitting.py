"""Sending files.

Lives elsewhere: sending (the provider), file handles (kernel32).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from ..defs.guids import WSAID_TRANSMITFILE, WSAID_TRANSMITPACKETS
from ..defs.records import TransmitElement
from ..errors import exported
from ..kernel.hostfiles import HostFile
from ..kernel.operations import OVERLAPPED, Pending
from ..kernel32.files import host_file
from ..process import Process, current_process
from ..ws2_32.extensions import extension


def _file(process: Process, handle: int) -> Callable[[], HostFile]:
    """What gives the file behind a handle; ERROR_INVALID_HANDLE comes when it is asked."""
    return lambda: host_file(process, handle)


@exported
def TransmitFile(
    s: int,
    file: int | None,
    count: int = 0,
    per_send: int = 0,
    overlapped: OVERLAPPED | None = None,
    head: Any = None,
    tail: Any = None,
    flags: int = 0,
) -> int | Pending:
    """Send a file, or a part of it, with data before and behind it.

    Args:
        s: a connected stream socket.
        file: a handle of CreateFile; None or 0 to send ``head`` and ``tail`` only.
        count: bytes of the file; 0 for all from its place on. A file that is shorter is sent as far as it goes.
        per_send: the size of a piece; the system chooses its own.
        overlapped: the record, whose Offset and OffsetHigh are the place in the file. Without one it is the file's own
            position, and the call waits.
        head, tail: buffers, which belong to the request until it completes.
        flags: TF_DISCONNECT, to end sending behind it; with it TF_REUSE_SOCKET, as for `DisconnectEx`. TF_WRITE_BEHIND,
            TF_USE_SYSTEM_THREAD and TF_USE_KERNEL_APC change nothing that a program sees.

    Returns:
        Bytes sent in all, or `PENDING`.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEINVAL, unknown flags, or TF_REUSE_SOCKET alone; WSAENOTCONN;
            WSAESHUTDOWN; WSAECONNRESET or WSAECONNABORTED, the connection is gone; ERROR_INVALID_HANDLE, no file;
            ERROR_ACCESS_DENIED, a file that was not opened for reading.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-transmitfile
    """
    process = current_process()
    record = process.socket(s)
    transmit = extension(record, s, WSAID_TRANSMITFILE)
    operation = offset = None
    if overlapped is not None:
        offset = overlapped.Offset | overlapped.OffsetHigh << 32
        operation = process.begin(process.file_of(record), overlapped)
    source = _file(process, file) if file else None
    moved: int | Pending = transmit(s, source, count, offset, head, tail, flags, operation)
    return moved


@exported
def TransmitPackets(
    s: int,
    elements: Sequence[TransmitElement] | None,
    send_size: int = 0,
    overlapped: OVERLAPPED | None = None,
    flags: int = 0,
) -> int | Pending:
    """Send pieces of memory and of files in their order.

    Args:
        s: a connected stream or datagram socket. On the latter TP_ELEMENT_EOP ends a datagram.
        elements: the pieces; None for none, which leaves what ``flags`` say.
        send_size: the size of a piece; the system chooses its own.
        overlapped: the record; without one the call waits.
        flags: TP_DISCONNECT, TP_REUSE_SOCKET and the others as for `TransmitFile`.

    Returns:
        Bytes sent in all, or `PENDING`.

    Raises:
        WinsockError: as `TransmitFile`.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_transmitpackets
    """
    process = current_process()
    record = process.socket(s)
    transmit = extension(record, s, WSAID_TRANSMITPACKETS)
    operation = None if overlapped is None else process.begin(process.file_of(record), overlapped)
    pieces = [
        element if element.file is None else attrs.evolve(element, file=_file(process, element.file))
        for element in elements or ()
    ]
    moved: int | Pending = transmit(s, pieces, flags, operation)
    return moved
