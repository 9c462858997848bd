"""Connecting and disconnecting by overlapped requests.

Lives elsewhere: what happens (the provider).
"""

from __future__ import annotations

from typing import Any

from ..defs.codes import ERROR_INVALID_PARAMETER
from ..defs.guids import WSAID_CONNECTEX, WSAID_DISCONNECTEX
from ..errors import WinsockError, exported
from ..kernel.operations import OVERLAPPED, PENDING, Pending
from ..process import current_process
from ..ws2_32.extensions import extension


@exported
def ConnectEx(s: int, name: bytes | None, data: Any = None, overlapped: OVERLAPPED | None = None) -> int | Pending:
    """Connect a socket, and send first data.

    Before SO_UPDATE_CONNECT_CONTEXT has been set on it, a socket that is connected in this way has no peer's name and
    cannot be shut down.

    Args:
        s: a bound stream socket.
        name: where to.
        data: what is sent first, which the call copies; None for nothing.
        overlapped: the record.

    Returns:
        `PENDING`: also what is over at once is told as a completion, with the bytes sent.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; ERROR_INVALID_PARAMETER, no record; WSAEFAULT, no address or a
            short one; WSAEINVAL, no stream socket, or one that is not bound, listens or is to be accepted into;
            WSAEALREADY, a connect is under way; WSAEISCONN; WSAEAFNOSUPPORT; WSAEADDRNOTAVAIL, address or port 0.
            The request may fail with WSAECONNREFUSED, WSAENETUNREACH, WSAEHOSTUNREACH, WSAETIMEDOUT; then the socket
            can be connected again.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex
    """
    process = current_process()
    record = process.socket(s)
    if overlapped is None:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    connect = extension(record, s, WSAID_CONNECTEX)
    moved: int | Pending = connect(s, name, data, process.begin(process.file_of(record), overlapped))
    return moved


@exported
def DisconnectEx(s: int, overlapped: OVERLAPPED | None = None, flags: int = 0) -> Pending | None:
    """End a connection: nothing can be sent any more, what the peer sends can be received.

    Args:
        s: a connected stream socket.
        overlapped: the record; without one the call waits.
        flags: 0, or TF_REUSE_SOCKET: when the peer has ended the connection as well, the socket is one that can be
            connected again, by AcceptEx or ConnectEx, whichever has connected it before.

    Returns:
        `PENDING` with a record, always.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEINVAL, unknown flags; WSAENOTCONN; WSAECONNRESET or
            WSAECONNABORTED, the connection is gone.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_disconnectex
    """
    process = current_process()
    record = process.socket(s)
    end = extension(record, s, WSAID_DISCONNECTEX)
    operation = None if overlapped is None else process.begin(process.file_of(record), overlapped)
    return PENDING if end(s, flags, operation) is PENDING else None
