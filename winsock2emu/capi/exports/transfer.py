"""Sending and receiving.

Part played:     send, recv, sendto, recvfrom and the WSA forms with WSABUF arrays.
Lives elsewhere: the calls (ws2_32.transfer).
Buffers:         the caller's memory itself, as views; nothing is copied here.
Sources:         nf-winsock2-recv, -send, -recvfrom, -sendto, -wsarecv, -wsasend, -wsarecvfrom, -wsasendto.
WSAEMSGSIZE:     a datagram that was too long has filled the buffers: the count and the sender are stored
                 although the call fails.
"""

from __future__ import annotations

import struct
from typing import Any, Final

from ... import ws2_32
from ...errors import WinsockError
from ...kernel.operations import PENDING
from .. import memory
from ..overlapped import overlapped_at, pending, routine_at
from ._sockaddr import incoming, optional_room, outgoing

__all__ = ["WSARecv", "WSARecvFrom", "WSASend", "WSASendTo", "recv", "recvfrom", "send", "sendto"]

_WSABUF: Final = struct.Struct("<I4xQ")


def send(s: int, buf: int, len: int, flags: int) -> int:
    return ws2_32.send(s, memory.view(buf, len), flags)


def recv(s: int, buf: int, len: int, flags: int) -> int:
    return ws2_32.recv(s, memory.view(buf, len), flags)


def sendto(s: int, buf: int, len: int, flags: int, to: int, tolen: int) -> int:
    return ws2_32.sendto(s, memory.view(buf, len), flags, incoming(to, tolen))


def recvfrom(s: int, buf: int, len: int, flags: int, from_: int, fromlen: int) -> int:
    try:
        moved, sender = ws2_32.recvfrom(s, memory.view(buf, len), flags, optional_room(from_, fromlen))
    except WinsockError as failure:
        _store_sender(from_, fromlen, failure.address)
        raise
    _store_sender(from_, fromlen, sender)
    return moved


def WSASend(
    s: int,
    lpBuffers: int,
    dwBufferCount: int,
    lpNumberOfBytesSent: int,
    dwFlags: int,
    lpOverlapped: int,
    lpCompletionRoutine: int,
) -> int:
    op = overlapped_at(lpOverlapped)
    buffers = buffers_at(lpBuffers, dwBufferCount, lpNumberOfBytesSent, op)
    routine = None if op is None else routine_at(lpCompletionRoutine, lpOverlapped)
    moved = ws2_32.WSASend(s, buffers, dwFlags, op, routine)
    if moved is PENDING:
        return pending()
    store_count(lpNumberOfBytesSent, moved)
    return 0


def WSASendTo(
    s: int,
    lpBuffers: int,
    dwBufferCount: int,
    lpNumberOfBytesSent: int,
    dwFlags: int,
    lpTo: int,
    iTolen: int,
    lpOverlapped: int,
    lpCompletionRoutine: int,
) -> int:
    op = overlapped_at(lpOverlapped)
    buffers = buffers_at(lpBuffers, dwBufferCount, lpNumberOfBytesSent, op)
    routine = None if op is None else routine_at(lpCompletionRoutine, lpOverlapped)
    moved = ws2_32.WSASendTo(s, buffers, dwFlags, incoming(lpTo, iTolen), op, routine)
    if moved is PENDING:
        return pending()
    store_count(lpNumberOfBytesSent, moved)
    return 0


def WSARecv(
    s: int,
    lpBuffers: int,
    dwBufferCount: int,
    lpNumberOfBytesRecvd: int,
    lpFlags: int,
    lpOverlapped: int,
    lpCompletionRoutine: int,
) -> int:
    op = overlapped_at(lpOverlapped)
    routine = None if op is None else routine_at(lpCompletionRoutine, lpOverlapped)
    if lpFlags < memory.LOWEST:
        buffers, flags = None, 0
    else:
        buffers = buffers_at(lpBuffers, dwBufferCount, lpNumberOfBytesRecvd, op)
        flags = memory.load_u32(lpFlags)
    try:
        moved = ws2_32.WSARecv(s, buffers, flags, op, routine)
        if moved is PENDING:
            return pending()
    except WinsockError as failure:
        if failure.moved is not None:
            store_count(lpNumberOfBytesRecvd, failure.moved)
        raise
    store_count(lpNumberOfBytesRecvd, moved)
    memory.store_32(lpFlags, out_flags(moved))
    return 0


def WSARecvFrom(
    s: int,
    lpBuffers: int,
    dwBufferCount: int,
    lpNumberOfBytesRecvd: int,
    lpFlags: int,
    lpFrom: int,
    lpFromlen: int,
    lpOverlapped: int,
    lpCompletionRoutine: int,
) -> int:
    def store(result: Any) -> None:
        if isinstance(result, WinsockError):
            _store_sender(lpFrom, lpFromlen, result.address)
        elif isinstance(result, tuple):  # a stream has no sender
            _store_sender(lpFrom, lpFromlen, result[1])

    op = overlapped_at(lpOverlapped, store if lpFrom else None)
    routine = None if op is None else routine_at(lpCompletionRoutine, lpOverlapped)
    if lpFlags < memory.LOWEST:
        buffers, flags = None, 0
    else:
        buffers = buffers_at(lpBuffers, dwBufferCount, lpNumberOfBytesRecvd, op)
        flags = memory.load_u32(lpFlags)
    try:
        result = ws2_32.WSARecvFrom(s, buffers, flags, optional_room(lpFrom, lpFromlen), op, routine)
        if result is PENDING:
            return pending()
        moved, sender = result
    except WinsockError as failure:
        if failure.moved is not None:
            store_count(lpNumberOfBytesRecvd, failure.moved)
            _store_sender(lpFrom, lpFromlen, failure.address)
        raise
    store_count(lpNumberOfBytesRecvd, moved)
    memory.store_32(lpFlags, out_flags(moved))
    _store_sender(lpFrom, lpFromlen, sender)
    return 0


def buffers_at(array: int, count: int, moved_pointer: int, op: Any) -> list[memoryview | None] | None:
    """The WSABUF array; None, which the API refuses, for a bad pointer or a byte count without a place.

    Only overlapped calls may leave the byte count out. An empty array has its own error, which comes first.
    """
    if array < memory.LOWEST or (count and op is None and moved_pointer < memory.LOWEST):
        return None
    if count == 1:
        return [memory.view(memory.load_u64(array + 8), memory.load_u32(array))]
    table = memory.view(array, count * _WSABUF.size)
    assert table is not None
    return [memory.view(buf, size) for size, buf in _WSABUF.iter_unpack(table)]


def store_count(pointer: int, moved: int) -> None:
    """Store a byte count where there is a place for it."""
    if pointer >= memory.LOWEST:
        memory.store_32(pointer, moved)


def out_flags(moved: int) -> int:
    """The flags that a receive hands back with its bytes."""
    return 0 if type(moved) is int else getattr(moved, "flags", 0)


def _store_sender(name: int, namelen: int, address: bytes | None) -> None:
    if address is not None and name:
        outgoing(name, namelen, address)
