"""``_multiprocessing``: what connections over sockets are made of on Windows, where a SOCKET is no file.

Part played:     Modules/_multiprocessing/multiprocessing.c of CPython, its functions for Windows.
Lives elsewhere: what they do (ws2_32), pipes (winapi).
Sources:         multiprocessing.c; multiprocessing.connection in CPython's library, which calls it.
"""

from __future__ import annotations

from typing import Any

from .. import ws2_32
from ._adopt import adopt_descriptor


def closesocket(handle: int, /) -> None:
    """Close a socket."""
    adopt_descriptor(handle)
    ws2_32.closesocket(handle)


def recv(handle: int, size: int, /) -> bytes:
    """Receive at most ``size`` bytes."""
    adopt_descriptor(handle)
    buffer = bytearray(size)
    return bytes(memoryview(buffer)[: ws2_32.recv(handle, buffer)])


def send(handle: int, buffer: Any, /) -> int:
    """Send a buffer: how much of it has been taken."""
    adopt_descriptor(handle)
    return ws2_32.send(handle, buffer)
