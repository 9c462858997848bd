"""Calls through the C function pointers, as a C program makes them."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any

from winsock2emu import errors
from winsock2emu.capi import table

SOCKET_ERROR = -1
INVALID_SOCKET = 0xFFFFFFFFFFFFFFFF

AF_INET = 2
AF_INET6 = 23
SOCK_STREAM = 1
SOCK_DGRAM = 2

WSA_INVALID_PARAMETER = 87
WSAEFAULT = 10014
WSAEINVAL = 10022
WSAEWOULDBLOCK = 10035
WSAENOTSOCK = 10038
WSAEMSGSIZE = 10040
WSAENOPROTOOPT = 10042
WSAEOPNOTSUPP = 10045
WSAEAFNOSUPPORT = 10047
WSAENOBUFS = 10055
WSAENOTCONN = 10057
WSAVERNOTSUPPORTED = 10092
WSANOTINITIALISED = 10093
WSAHOST_NOT_FOUND = 11001
WSANO_RECOVERY = 11003
STATUS_INVALID_PARAMETER = 0xC000000D

UNTOUCHED = 0x5A5A5A5A
"""Put into out-parameters that must stay as they are."""


def call(name: str, *args: Any, dll: str = "ws2_32") -> Any:
    """Call an export with the C prototype; what it parked is raised here, as by whoever calls from Python."""
    function = table.export(dll, name)
    assert function is not None, name
    result = function.prototype(function.address)(*args)
    pending = table.take_pending_exception()
    if pending is not None:
        raise pending
    return result


def error() -> int:
    return errors.get_last_error()


def fails(code: int, name: str, *args: Any, failure: Any = SOCKET_ERROR, dll: str = "ws2_32") -> None:
    """The call returns its failure value and stores the code."""
    errors.set_last_error(UNTOUCHED)
    assert (call(name, *args, dll=dll), error()) == (failure, code)


def dword(value: int = UNTOUCHED) -> ctypes.c_uint32:
    return ctypes.c_uint32(value)


def ref(thing: Any) -> Any:
    return ctypes.byref(thing)


def inet(port: int, host: bytes = b"\x7f\0\0\1") -> bytes:
    """A sockaddr_in."""
    return struct.pack("<H", AF_INET) + struct.pack(">H", port) + host + bytes(8)


def port_of(address: bytes) -> int:
    return int.from_bytes(address[2:4], "big")


class Wsabufs:
    """An array of WSABUF; keeps its buffers alive."""

    def __init__(self, *buffers: Any) -> None:
        """``buffers``: ctypes buffers, bytes, or (length, address) pairs."""
        self.buffers = [ctypes.create_string_buffer(b, len(b)) if isinstance(b, bytes) else b for b in buffers]
        rows = [b if isinstance(b, tuple) else (ctypes.sizeof(b), ctypes.addressof(b)) for b in self.buffers]
        self.array = ctypes.create_string_buffer(b"".join(struct.pack("<I4xQ", *row) for row in rows) or b"\0")
        self.count = len(rows)


def noted(seen: list[Any], what: Any, result: Any) -> Any:
    """For stand-ins: keep what they were called with, return what they return."""
    seen.append(what)
    return result


Replace = Callable[[str, Callable[..., Any]], None]
