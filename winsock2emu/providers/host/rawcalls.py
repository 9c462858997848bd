"""Calls of the C library and the kernel that the socket module has no form for.

Part played:     the gap between Python's sockets and the host's.
"""

from __future__ import annotations

import _socket
import array
import ctypes
import errno
import fcntl
import functools
import sys
import termios
from typing import Any

from .translate import HOST_UNSPEC, from_host

_IS_LINUX = sys.platform == "linux"
_SO_NWRITE = 0x1024  # macOS: bytes in the send buffer


@functools.cache
def _library() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _connect_unspecified(descriptor: int) -> int:
    """Connect to an AF_UNSPEC address; the errno, 0 on success."""
    # Sixteen zero bytes are an AF_UNSPEC address in both layouts, with and without a length byte.
    name = HOST_UNSPEC.to_bytes(2, "little") + bytes(14)
    return ctypes.get_errno() if _library().connect(descriptor, name, len(name)) else 0


def disconnect(descriptor: int) -> None:
    """Take away the default peer of a datagram socket."""
    number = _connect_unspecified(descriptor)
    if number and number != errno.EAFNOSUPPORT:  # the BSDs do it and complain
        raise from_host(OSError(number, ""))


def reset(descriptor: int) -> bool:
    """Reset a TCP connection without closing its socket; False where the host cannot (all but Linux)."""
    return _IS_LINUX and not _connect_unspecified(descriptor)


def unsent(host: _socket.socket) -> int:
    """Bytes of a TCP connection that the peer has not acknowledged, its end included; 0 where the host cannot tell."""
    if _IS_LINUX:
        count = array.array("i", [0])
        fcntl.ioctl(host.fileno(), termios.TIOCOUTQ, count)
        return count[0]
    return host.getsockopt(int(_socket.SOL_SOCKET), _SO_NWRITE) if sys.platform == "darwin" else 0
