"""Look-ups of names whose answer comes into the caller's buffer and is told by a window message.

Lives elsewhere: the behaviour (ws2_32.asyncnames), the layout of the records (names).
Memory:          the record and all that it points to lie in the buffer, from its first byte on; texts that are looked
                 for have been copied when the call returns.
Sources:         nf-winsock-wsaasyncgethostbyname and its neighbours.
"""

from __future__ import annotations

from typing import Any

from ... import ws2_32
from ...defs.codes import WSAEFAULT, WSAENOBUFS
from ...errors import WinsockError
from .. import memory
from .names import packed

__all__ = [
    "WSAAsyncGetHostByAddr",
    "WSAAsyncGetHostByName",
    "WSAAsyncGetProtoByName",
    "WSAAsyncGetProtoByNumber",
    "WSAAsyncGetServByName",
    "WSAAsyncGetServByPort",
    "WSACancelAsyncRequest",
]


class _CallersBuffer:
    """Memory of the program."""

    def __init__(self, address: int, length: int) -> None:
        self._address = address
        self._length = length

    def store(self, record: Any, /) -> int:
        """Lay the record out in it."""
        if self._address < memory.LOWEST:
            raise WinsockError(WSAEFAULT)
        block = packed(record)
        if block.size > self._length:
            raise WinsockError(WSAENOBUFS, needed=block.size)
        block.place_at(self._address)
        return block.size


def WSAAsyncGetHostByName(hWnd: int, wMsg: int, name: int, buf: int, buflen: int) -> int:
    return ws2_32.WSAAsyncGetHostByName(hWnd, wMsg, memory.ansi(name), _CallersBuffer(buf, buflen))


def WSAAsyncGetHostByAddr(hWnd: int, wMsg: int, addr: int, len: int, type: int, buf: int, buflen: int) -> int:
    address = memory.read(addr, len)
    return ws2_32.WSAAsyncGetHostByAddr(hWnd, wMsg, address, type, _CallersBuffer(buf, buflen))


def WSAAsyncGetServByName(hWnd: int, wMsg: int, name: int, proto: int, buf: int, buflen: int) -> int:
    texts = memory.ansi(name), memory.ansi(proto)
    return ws2_32.WSAAsyncGetServByName(hWnd, wMsg, *texts, _CallersBuffer(buf, buflen))


def WSAAsyncGetServByPort(hWnd: int, wMsg: int, port: int, proto: int, buf: int, buflen: int) -> int:
    protocol = memory.ansi(proto)
    return ws2_32.WSAAsyncGetServByPort(hWnd, wMsg, port & 0xFFFF, protocol, _CallersBuffer(buf, buflen))


def WSAAsyncGetProtoByName(hWnd: int, wMsg: int, name: int, buf: int, buflen: int) -> int:
    return ws2_32.WSAAsyncGetProtoByName(hWnd, wMsg, memory.ansi(name), _CallersBuffer(buf, buflen))


def WSAAsyncGetProtoByNumber(hWnd: int, wMsg: int, number: int, buf: int, buflen: int) -> int:
    return ws2_32.WSAAsyncGetProtoByNumber(hWnd, wMsg, number, _CallersBuffer(buf, buflen))


def WSACancelAsyncRequest(hAsyncTaskHandle: int) -> int:
    ws2_32.WSACancelAsyncRequest(hAsyncTaskHandle)
    return 0
