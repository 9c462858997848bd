"""Functions that a provider has beside its table, found through SIO_GET_EXTENSION_FUNCTION_POINTER.

Lives elsewhere: what the functions do (the provider), who calls them (waiting, transfer; mswsock).
Forms:           a provider answers the control code with a callable bound to itself, where Windows has a pointer. It
                 takes and returns what the API function of that name does, but for a request, the last argument, in
                 the place of an overlapped record, and for a function that gives the file in that of its handle.
Sources:         winsock-ioctls (SIO_GET_EXTENSION_FUNCTION_POINTER), provider-specific-extension-mechanism-2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from ..defs.codes import WSAEINVAL, WSAEOPNOTSUPP
from ..defs.constants import SIO_GET_EXTENSION_FUNCTION_POINTER
from ..errors import WinsockError
from ..process import SocketRecord

POINTER_SIZE = 8


def extension(
    record: SocketRecord,
    s: int,
    guid: UUID,
    code: int = SIO_GET_EXTENSION_FUNCTION_POINTER,
    size: int = POINTER_SIZE,
) -> Callable[..., Any]:
    """The function that the provider of a socket has under a GUID; ``code`` and ``size``: and how it is asked for.

    Raises:
        WinsockError: WSAEOPNOTSUPP, the provider has none.
    """
    try:
        function = record.wsp.WSPIoctl(s, code, guid.bytes_le, size, None)
    except WinsockError as failure:
        if failure.winerror == WSAEINVAL:  # the code for a GUID it does not know
            raise WinsockError(WSAEOPNOTSUPP) from failure
        raise
    if not callable(function):
        raise WinsockError(WSAEOPNOTSUPP)
    return function  # type: ignore[no-any-return]  # callable is all that can be checked
