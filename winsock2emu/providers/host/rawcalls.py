"""Calls of the C library that the socket module has no form for.

Part played:     the gap between Python's sockets and the host's.
"""

from __future__ import annotations

import ctypes
import errno
import functools
from typing import Any

from .translate import HOST_UNSPEC, from_host


@functools.cache
def _library() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def disconnect(descriptor: int) -> None:
    """Take away the default peer of a datagram socket: connect to an AF_UNSPEC address."""
    # Sixteen zero bytes are an AF_UNSPEC address in both layouts, with and without a length byte.
    name = HOST_UNSPEC.to_bytes(2, "little") + bytes(14)
    if _library().connect(descriptor, name, len(name)):
        number = ctypes.get_errno()
        if number == errno.EAFNOSUPPORT:
            return  # the BSDs do it and complain
        raise from_host(OSError(number, ""))
