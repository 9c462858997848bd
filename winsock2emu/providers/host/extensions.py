"""Extension functions: what SIO_GET_EXTENSION_FUNCTION_POINTER hands out.

Part played:     the functions of mswsock.dll that msafd answers for.
Lives here:      which GUID means which function.
Lives elsewhere: the functions: methods of the provider under these names. Their C faces are capi/extensions.
A method that nobody has written yet is answered with a function that fails (WSAEOPNOTSUPP and a trace event), just as
the DLLs export functions that are unwritten: a program asks for all the pointers it might need, and most never call all
of them.
Sources:         winsock-ioctls (SIO_GET_EXTENSION_FUNCTION_POINTER); R9.14-R9.20 of the project's reference.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NoReturn
from uuid import UUID

from ... import trace
from ...defs.afd import CONDITIONS
from ...defs.codes import WSAEINVAL, WSAEOPNOTSUPP
from ...defs.constants import SIO_GET_EXTENSION_FUNCTION_POINTER, SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER
from ...defs.guids import (
    WSAID_ACCEPTEX,
    WSAID_CONNECTEX,
    WSAID_DISCONNECTEX,
    WSAID_GETACCEPTEXSOCKADDRS,
    WSAID_MULTIPLE_RIO,
    WSAID_TRANSMITFILE,
    WSAID_TRANSMITPACKETS,
    WSAID_WSAPOLL,
    WSAID_WSARECVMSG,
    WSAID_WSASENDMSG,
)
from ...errors import WinsockError, set_last_error

EXTENSIONS: Final[dict[UUID, str]] = {
    CONDITIONS: "conditions_of",
    WSAID_ACCEPTEX: "AcceptEx",
    WSAID_CONNECTEX: "ConnectEx",
    WSAID_DISCONNECTEX: "DisconnectEx",
    WSAID_GETACCEPTEXSOCKADDRS: "GetAcceptExSockaddrs",
    WSAID_TRANSMITFILE: "TransmitFile",
    WSAID_TRANSMITPACKETS: "TransmitPackets",
    WSAID_WSAPOLL: "WSAPoll",
    WSAID_WSARECVMSG: "WSARecvMsg",
    WSAID_WSASENDMSG: "WSASendMsg",
}
"""GUID to the name of the provider's method, which takes the socket first."""

TABLES: Final[dict[UUID, str]] = {WSAID_MULTIPLE_RIO: "RIOCreateRequestQueue"}
"""The same for SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER: the function of the table that is the provider's."""

_BY_BYTES: Final = {
    code: {guid.bytes_le: name for guid, name in functions.items()}
    for code, functions in (
        (SIO_GET_EXTENSION_FUNCTION_POINTER, EXTENSIONS),
        (SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER, TABLES),
    )
}


def extension_function(
    provider: object, guid: bytes, code: int = SIO_GET_EXTENSION_FUNCTION_POINTER
) -> Callable[..., Any]:
    """The function behind a GUID as it lies in memory; a socket of another provider is WSAENOTSOCK to it.

    Raises:
        WinsockError: WSAEINVAL, no GUID of this provider's.
    """
    name = _BY_BYTES[code].get(guid)
    if name is None:
        raise WinsockError(WSAEINVAL)
    function: Callable[..., Any] = getattr(provider, name, None) or partial(_unwritten, name)
    return function


def _unwritten(name: str, *arguments: Any, **named: Any) -> NoReturn:
    set_last_error(WSAEOPNOTSUPP)  # which the event tells
    trace.emit_unwritten("mswsock", name)
    raise WinsockError(WSAEOPNOTSUPP)
