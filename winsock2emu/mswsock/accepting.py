"""Accepting into a socket that was made before.

Lives elsewhere: what happens (the provider), the form of the addresses (defs/acceptbuffer).
"""

from __future__ import annotations

from typing import Any

from ..defs.acceptbuffer import accept_addresses
from ..defs.codes import ERROR_INVALID_PARAMETER, STATUS_PENDING, WSAEFAULT
from ..defs.guids import WSAID_ACCEPTEX
from ..defs.sockaddr import SockAddr
from ..errors import WinsockError, exported
from ..kernel.operations import OVERLAPPED, Pending
from ..process import current_process
from ..ws2_32.extensions import extension


@exported
def AcceptEx(
    listener: int,
    acceptor: int,
    buffer: Any,
    receive_length: int,
    local_length: int,
    remote_length: int,
    overlapped: OVERLAPPED | None,
) -> int | Pending:
    """Accept a connection into a socket, and receive its first data.

    The request is the listening socket's. Before SO_UPDATE_ACCEPT_CONTEXT has been set on it, the accepted socket is
    for sending, receiving and closing only.

    Args:
        listener: a listening socket.
        acceptor: a stream socket, neither bound nor connected.
        buffer: a writable buffer, of data, local and remote address in this order; see `GetAcceptExSockaddrs`.
        receive_length: bytes for first data; 0 completes as soon as there is a connection.
        local_length, remote_length: bytes for each address, at least 16 more than it has.
        overlapped: the record. From the call on it says STATUS_PENDING, also when the call fails.

    Returns:
        Bytes of data, 0 if the peer has closed without any; or `PENDING`.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; ERROR_INVALID_PARAMETER, no record; WSAEFAULT, no buffer, or a
            ``remote_length`` of 0; WSAEINVAL, a socket in another state than it should be; WSAECONNRESET, the caller
            has gone. Lengths that are too small fail with ERROR_INSUFFICIENT_BUFFER once there is a connection, which
            is left to the next one to accept.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-acceptex
    """
    process = current_process()
    if overlapped is not None:
        overlapped.Internal = STATUS_PENDING
    record = process.socket(listener)
    process.socket(acceptor)
    if overlapped is None:
        raise WinsockError(ERROR_INVALID_PARAMETER)
    accept = extension(record, listener, WSAID_ACCEPTEX)
    operation = process.begin(record.file or process.file_of(record), overlapped)
    moved: int | Pending = accept(listener, acceptor, buffer, receive_length, local_length, remote_length, operation)
    return moved


@exported
def GetAcceptExSockaddrs(
    buffer: Any, receive_length: int, local_length: int, remote_length: int
) -> tuple[SockAddr | None, SockAddr]:
    """The local and the remote address in a buffer that AcceptEx has filled. Without room there is no local address.

    Args:
        buffer, receive_length, local_length, remote_length: as they were given to `AcceptEx`.

    Raises:
        WinsockError: WSAEFAULT, no buffer.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nf-mswsock-getacceptexsockaddrs
    """
    if buffer is None:
        raise WinsockError(WSAEFAULT)
    return accept_addresses(buffer, receive_length, local_length, remote_length)
