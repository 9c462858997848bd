"""Registered I/O: the functions of RIO_EXTENSION_FUNCTION_TABLE.

Part played:     what a program finds through WSAID_MULTIPLE_RIO.
Lives elsewhere: the calls (mswsock.rio), the table (capi.extensions).
Memory:          registered memory is the program's own, as a view; RIO_BUF and RIO_NOTIFICATION_COMPLETION are read
                 when the function is called.
Contexts:        pointers, which results carry as numbers.
Sources:         ns-mswsock-rio_buf, ns-mswsock-rioresult, ns-mswsock-rio_notification_completion.
"""

from __future__ import annotations

import struct
from typing import Final

from ... import mswsock
from ...defs.codes import WSAEFAULT, WSAEINVAL
from ...defs.constants import RIO_EVENT_COMPLETION
from ...defs.registered import RIO_BUF, RIO_NOTIFICATION_COMPLETION
from ...errors import WinsockError
from .. import memory

__all__ = [
    "RIOCloseCompletionQueue",
    "RIOCreateCompletionQueue",
    "RIOCreateRequestQueue",
    "RIODequeueCompletion",
    "RIODeregisterBuffer",
    "RIONotify",
    "RIOReceive",
    "RIOReceiveEx",
    "RIORegisterBuffer",
    "RIOResizeCompletionQueue",
    "RIOResizeRequestQueue",
    "RIOSend",
    "RIOSendEx",
]

_BUF: Final = struct.Struct("<QII")
_RESULT: Final = struct.Struct("<iIQQ")
_EVENT: Final = struct.Struct("<i4xQi12x")
_PORT: Final = struct.Struct("<i4xQQQ")


def RIORegisterBuffer(DataBuffer: int, DataLength: int) -> int:
    return mswsock.RIORegisterBuffer(memory.view(DataBuffer, DataLength) if DataBuffer else None)


def RIODeregisterBuffer(BufferId: int) -> None:
    mswsock.RIODeregisterBuffer(BufferId)


def RIOCreateCompletionQueue(QueueSize: int, NotificationCompletion: int) -> int:
    notification = None
    if NotificationCompletion:
        record = memory.read(NotificationCompletion, _PORT.size)
        if record is None:
            raise WinsockError(WSAEFAULT)
        kind, handle, key, overlapped = _PORT.unpack(record)
        if kind == RIO_EVENT_COMPLETION:
            notification = RIO_NOTIFICATION_COMPLETION(kind, handle, reset=bool(_EVENT.unpack(record)[2]))
        else:
            notification = RIO_NOTIFICATION_COMPLETION(kind, handle, key=key, overlapped=overlapped)
    return mswsock.RIOCreateCompletionQueue(QueueSize, notification)


def RIOResizeCompletionQueue(CQ: int, QueueSize: int) -> int:
    mswsock.RIOResizeCompletionQueue(CQ, QueueSize)
    return 1


def RIOCloseCompletionQueue(CQ: int) -> None:
    mswsock.RIOCloseCompletionQueue(CQ)


def RIOCreateRequestQueue(
    Socket: int,
    MaxOutstandingReceive: int,
    MaxReceiveDataBuffers: int,
    MaxOutstandingSend: int,
    MaxSendDataBuffers: int,
    ReceiveCQ: int,
    SendCQ: int,
    SocketContext: int,
) -> int:
    limits = MaxOutstandingReceive, MaxReceiveDataBuffers, MaxOutstandingSend, MaxSendDataBuffers
    return mswsock.RIOCreateRequestQueue(Socket, *limits, ReceiveCQ, SendCQ, SocketContext)


def RIOResizeRequestQueue(RQ: int, MaxOutstandingReceive: int, MaxOutstandingSend: int) -> int:
    mswsock.RIOResizeRequestQueue(RQ, MaxOutstandingReceive, MaxOutstandingSend)
    return 1


def _piece(pointer: int) -> RIO_BUF | None:
    """The RIO_BUF at a pointer, None for NULL."""
    if not pointer:
        return None
    record = memory.read(pointer, _BUF.size)
    if record is None:
        raise WinsockError(WSAEFAULT)
    return RIO_BUF(*_BUF.unpack(record))


def _data(pointer: int, count: int) -> RIO_BUF | None:
    """The one piece of data; none has to have a count of 0."""
    if count != (1 if pointer else 0):
        raise WinsockError(WSAEINVAL)
    return _piece(pointer)


def RIOReceive(SocketQueue: int, pData: int, DataBufferCount: int, Flags: int, RequestContext: int) -> int:
    mswsock.RIOReceive(SocketQueue, _data(pData, DataBufferCount), Flags, RequestContext)
    return 1


def RIOReceiveEx(
    SocketQueue: int,
    pData: int,
    DataBufferCount: int,
    pLocalAddress: int,
    pRemoteAddress: int,
    pControlContext: int,
    pFlags: int,
    Flags: int,
    RequestContext: int,
) -> int:
    data = _data(pData, DataBufferCount)
    local, remote, control, told = map(_piece, (pLocalAddress, pRemoteAddress, pControlContext, pFlags))
    mswsock.RIOReceiveEx(SocketQueue, data, local, remote, control, told, Flags, RequestContext)
    return 1


def RIOSend(SocketQueue: int, pData: int, DataBufferCount: int, Flags: int, RequestContext: int) -> int:
    mswsock.RIOSend(SocketQueue, _data(pData, DataBufferCount), Flags, RequestContext)
    return 1


def RIOSendEx(
    SocketQueue: int,
    pData: int,
    DataBufferCount: int,
    pLocalAddress: int,
    pRemoteAddress: int,
    pControlContext: int,
    pFlags: int,
    Flags: int,
    RequestContext: int,
) -> int:
    data = _data(pData, DataBufferCount)
    local, remote, control, told = map(_piece, (pLocalAddress, pRemoteAddress, pControlContext, pFlags))
    mswsock.RIOSendEx(SocketQueue, data, local, remote, control, told, Flags, RequestContext)
    return 1


def RIODequeueCompletion(CQ: int, Array: int, ArraySize: int) -> int:
    if ArraySize and Array < memory.LOWEST:
        raise WinsockError(WSAEFAULT)
    found = mswsock.RIODequeueCompletion(CQ, ArraySize)
    at = Array
    for one in found:
        memory.write(at, _RESULT.pack(one.status, one.moved, one.socket_context, one.request_context))
        at += _RESULT.size
    return len(found)


def RIONotify(CQ: int) -> int:
    mswsock.RIONotify(CQ)
    return 0
