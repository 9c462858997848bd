"""Datagrams with control data, and the receive that tells whether a message is complete.

Part played:     WSASendMsg of ws2_32.dll, WSARecvEx of mswsock.dll, and WSARecvMsg, which only a pointer leads to.
Lives elsewhere: the calls (ws2_32.transfer, mswsock); which pointer (capi.extensions).
Sources:         nf-winsock2-wsasendmsg, nc-mswsock-lpfn_wsarecvmsg, nf-mswsock-wsarecvex, ns-ws2def-wsamsg.
WSAMSG:          name 8, namelen 4, fill 4, lpBuffers 8, dwBufferCount 4, fill 4, Control (a WSABUF) 16, dwFlags 4, and
                 fill 4. A NULL name or control buffer has to have a length of 0.
WSAEMSGSIZE:     what there is of a message that was cut is stored although WSARecvMsg fails, flags included.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from ... import mswsock, ws2_32
from ...defs.codes import WSAEFAULT
from ...defs.records import ReceivedMessage
from ...errors import WinsockError
from ...kernel.operations import PENDING
from ...process import current_process
from .. import memory
from ..overlapped import overlapped_at, pending, routine_at
from ._sockaddr import incoming, outgoing
from .transfer import buffers_at, out_flags, store_count

__all__ = ["WSARecvEx", "WSARecvMsg", "WSASendMsg"]

_WSAMSG: Final = struct.Struct("<Qi4xQI4xI4xQI4x")
_NAMELEN: Final = 8
_CONTROL_LENGTH: Final = 32
_FLAGS: Final = 48


def WSASendMsg(
    Handle: int,
    lpMsg: int,
    dwFlags: int,
    lpNumberOfBytesSent: int,
    lpOverlapped: int,
    lpCompletionRoutine: int,
) -> int:
    op = overlapped_at(lpOverlapped)
    routine = None if op is None else routine_at(lpCompletionRoutine, lpOverlapped)
    name, namelen, array, count, control_length, control, _ = _members(Handle, lpMsg)
    to = incoming(name, namelen) if name or namelen else None
    beside = memory.read(control, control_length)
    assert beside is not None
    buffers = buffers_at(array, count, lpNumberOfBytesSent, op)
    moved = ws2_32.WSASendMsg(Handle, buffers, dwFlags, to, beside, op, routine)
    if moved is PENDING:
        return pending()
    store_count(lpNumberOfBytesSent, moved)
    return 0


def WSARecvMsg(
    s: int,
    lpMsg: int,
    lpdwNumberOfBytesRecvd: int,
    lpOverlapped: int,
    lpCompletionRoutine: int,
) -> int:
    def store(result: Any) -> None:
        received = result.received if isinstance(result, WinsockError) else result
        if received is not None:
            _store(lpMsg, 0, received)

    op = overlapped_at(lpOverlapped, store)
    routine = None if op is None else routine_at(lpCompletionRoutine, lpOverlapped)
    name, namelen, array, count, control_length, _, flags = _members(s, lpMsg)
    buffers = buffers_at(array, count, lpdwNumberOfBytesRecvd, op)
    try:
        received = mswsock.WSARecvMsg(s, buffers, control_length, namelen if name else None, flags, op, routine)
        if received is PENDING:
            return pending()
    except WinsockError as failure:
        if failure.received is not None:
            _store(lpMsg, lpdwNumberOfBytesRecvd, failure.received)
        raise
    _store(lpMsg, lpdwNumberOfBytesRecvd, received)
    return 0


def _members(s: int, message: int) -> tuple[Any, ...]:
    """The members of a WSAMSG; WSAEFAULT for a bad pointer to it, or to a name or control buffer with a length."""
    if message >= memory.LOWEST:
        members = _WSAMSG.unpack(memory.read(message, _WSAMSG.size) or b"")
        name, namelen, _, _, control_length, control, _ = members
        if not (name < memory.LOWEST and (name or namelen)) and not (control < memory.LOWEST and control_length):
            return members
    current_process().socket(s)  # which comes first
    raise WinsockError(WSAEFAULT)


def _store(message: int, count: int, received: ReceivedMessage) -> None:
    """Put what was received where a WSAMSG says; WSAEFAULT when a provider gave more than there is room for."""
    name, _, _, _, control_length, control, _ = _WSAMSG.unpack(memory.read(message, _WSAMSG.size) or b"")
    if len(received.control) > control_length:
        raise WinsockError(WSAEFAULT)
    store_count(count, received.moved)
    if name and received.address is not None:
        outgoing(name, message + _NAMELEN, received.address)
    if received.control:
        memory.write(control, received.control)
    memory.store_32(message + _CONTROL_LENGTH, len(received.control))
    memory.store_32(message + _FLAGS, received.flags)


def WSARecvEx(s: int, buf: int, len: int, flags: int) -> int:
    if flags < memory.LOWEST:
        current_process().socket(s)
        raise WinsockError(WSAEFAULT)
    moved = mswsock.WSARecvEx(s, memory.view(buf, len))
    memory.store_32(flags, out_flags(moved))
    return moved
