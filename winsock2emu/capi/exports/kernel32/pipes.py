"""Named and anonymous pipes.

Part played:     namedpipeapi.h, as far as it is here.
Lives elsewhere: the behaviour (kernel32.pipes), reading and writing (files).
"""

from __future__ import annotations

from .... import kernel32
from ....kernel.operations import PENDING
from ... import memory
from ...overlapped import overlapped_at, pending
from ._pointers import inherits, out

__all__ = [
    "ConnectNamedPipe",
    "CreateNamedPipeA",
    "CreateNamedPipeW",
    "CreatePipe",
    "DisconnectNamedPipe",
    "PeekNamedPipe",
    "SetNamedPipeHandleState",
    "WaitNamedPipeA",
    "WaitNamedPipeW",
]


def CreateNamedPipeA(
    lpName: int,
    dwOpenMode: int,
    dwPipeMode: int,
    nMaxInstances: int,
    nOutBufferSize: int,
    nInBufferSize: int,
    nDefaultTimeOut: int,
    lpSecurityAttributes: int,
) -> int:
    return kernel32.CreateNamedPipe(
        memory.ansi(lpName) or "",
        dwOpenMode,
        dwPipeMode,
        nMaxInstances,
        nOutBufferSize,
        nInBufferSize,
        nDefaultTimeOut,
        inherits(lpSecurityAttributes),
    )


def CreateNamedPipeW(
    lpName: int,
    dwOpenMode: int,
    dwPipeMode: int,
    nMaxInstances: int,
    nOutBufferSize: int,
    nInBufferSize: int,
    nDefaultTimeOut: int,
    lpSecurityAttributes: int,
) -> int:
    return kernel32.CreateNamedPipe(
        memory.wide(lpName) or "",
        dwOpenMode,
        dwPipeMode,
        nMaxInstances,
        nOutBufferSize,
        nInBufferSize,
        nDefaultTimeOut,
        inherits(lpSecurityAttributes),
    )


def ConnectNamedPipe(hNamedPipe: int, lpOverlapped: int) -> int:
    if kernel32.ConnectNamedPipe(hNamedPipe, overlapped_at(lpOverlapped)) is PENDING:
        return pending(0)
    return 1


def DisconnectNamedPipe(hNamedPipe: int) -> int:
    kernel32.DisconnectNamedPipe(hNamedPipe)
    return 1


def CreatePipe(hReadPipe: int, hWritePipe: int, lpPipeAttributes: int, nSize: int) -> int:
    for pointer in (hReadPipe, hWritePipe):
        out(pointer)
    source, sink = kernel32.CreatePipe(inherits(lpPipeAttributes), nSize)
    memory.store_u64(hReadPipe, source)
    memory.store_u64(hWritePipe, sink)
    return 1


def PeekNamedPipe(
    hNamedPipe: int,
    lpBuffer: int,
    nBufferSize: int,
    lpBytesRead: int,
    lpTotalBytesAvail: int,
    lpBytesLeftThisMessage: int,
) -> int:
    found = kernel32.PeekNamedPipe(hNamedPipe, memory.view(lpBuffer, nBufferSize))
    for pointer, value in zip((lpBytesRead, lpTotalBytesAvail, lpBytesLeftThisMessage), found, strict=True):
        if pointer >= memory.LOWEST:
            memory.store_32(pointer, value)
    return 1


def SetNamedPipeHandleState(hNamedPipe: int, lpMode: int, lpMaxCollectionCount: int, lpCollectDataTimeout: int) -> int:
    mode, count, timeout = (
        memory.load_i32(pointer) if pointer >= memory.LOWEST else None
        for pointer in (lpMode, lpMaxCollectionCount, lpCollectDataTimeout)
    )
    kernel32.SetNamedPipeHandleState(hNamedPipe, mode, count, timeout)
    return 1


def WaitNamedPipeA(lpNamedPipeName: int, nTimeOut: int) -> int:
    kernel32.WaitNamedPipe(memory.ansi(lpNamedPipeName) or "", nTimeOut)
    return 1


def WaitNamedPipeW(lpNamedPipeName: int, nTimeOut: int) -> int:
    kernel32.WaitNamedPipe(memory.wide(lpNamedPipeName) or "", nTimeOut)
    return 1
