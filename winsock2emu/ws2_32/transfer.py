"""Sending and receiving.

Lives elsewhere: what a transport does with the data (its provider), waiting (engine/lanes); WSARecvMsg and WSARecvEx,
                 which ws2_32.dll does not export (mswsock).
Typing:          only the form with a record may be `PENDING`, so the overloaded signatures tell them apart.
Buffers:         a sequence of buffer objects, in array order; None in it stands for a WSABUF without memory. The 1.1
                 functions are the one-buffer case of the same entries, as the DLL has it.
Results:         bytes moved, as an int; an `int` with ``flags`` when a receive has flags to hand back.
Overlapped:      with an OVERLAPPED record the WSA functions return `PENDING` when they cannot complete at once, where C
                 has SOCKET_ERROR and WSA_IO_PENDING; the outcome goes to the record, and to its event, a completion
                 port or the completion routine, which gets the Winsock code, the bytes, the record and the flags. A
                 request that completes at once is told in the same way. Buffers belong to the request until then. On a
                 socket without the overlapped attribute record and routine are ignored, and so is a routine without
                 a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from ..defs.guids import WSAID_WSASENDMSG
from ..defs.sockaddr import SockAddr
from ..errors import exported
from ..kernel.operations import OVERLAPPED, CompletionRoutine, Pending
from ..process import current_process
from .extensions import extension

# The four entries that move data are looked up without a call in between: a call costs as much as all the look-ups. An
# object without these entries is no socket, so AttributeError means the same as KeyError; but the entries themselves
# may raise either, so they are called outside the try.


@exported
def send(s: int, data: Any, flags: int = 0) -> int:
    """Send a buffer on a connected socket.

    Args:
        s: a connected socket.
        data: any buffer object.
        flags: MSG_OOB, MSG_DONTROUTE.

    Returns:
        Bytes accepted: all of them in blocking mode and for a datagram, else as many as fit.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, no buffer; WSAEOPNOTSUPP, a flag the socket does not
            have; WSAESHUTDOWN, after shutdown(SD_SEND); WSAENOTCONN; WSAECONNRESET or WSAECONNABORTED, the connection
            is gone; WSAEMSGSIZE, more than a datagram can hold; WSAEWOULDBLOCK; WSAETIMEDOUT, SO_SNDTIMEO passed;
            WSAEINTR, closed.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-send
    """
    process = current_process()
    try:
        mover = process.objects[s].mover
    except (KeyError, AttributeError):
        raise process.no_socket(s) from None
    return mover.WSPSend(s, (data,), flags, None)  # type: ignore[no-any-return]


@exported
def recv(s: int, buffer: Any, flags: int = 0) -> int:
    """Receive into a writable buffer.

    Args:
        s: a connected stream socket or a bound datagram socket.
        buffer: where the data goes; a datagram that does not fit is cut.
        flags: MSG_PEEK, MSG_OOB, MSG_WAITALL.

    Returns:
        Bytes received; 0 at the peer's end of a stream, or for an empty datagram.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, no buffer; WSAEOPNOTSUPP, a flag the socket does not
            have; WSAENOTCONN; WSAEINVAL, an unbound datagram socket; WSAESHUTDOWN, after shutdown(SD_RECEIVE);
            WSAECONNRESET, reset by the peer, or an earlier datagram met a closed port; WSAEMSGSIZE, with ``moved``: the
            datagram was cut; WSAEWOULDBLOCK; WSAETIMEDOUT, SO_RCVTIMEO passed; WSAEINTR, closed.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-recv
    """
    process = current_process()
    try:
        mover = process.objects[s].mover
    except (KeyError, AttributeError):
        raise process.no_socket(s) from None
    return mover.WSPRecv(s, (buffer,), flags, None)  # type: ignore[no-any-return]


@exported
def sendto(s: int, data: Any, flags: int, to: bytes | None) -> int:
    """Send one datagram to an address; ``to`` None means the default peer. A stream socket ignores the address.

    An unbound socket is bound to a port by this call.

    Raises:
        WinsockError: as `send`; WSAEFAULT, an address that is too short; WSAEAFNOSUPPORT; WSAEADDRNOTAVAIL, address or
            port 0; WSAEACCES, broadcast without SO_BROADCAST; WSAENETUNREACH; WSAEHOSTUNREACH.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-sendto
    """
    process = current_process()
    try:
        mover = process.objects[s].mover
    except (KeyError, AttributeError):
        raise process.no_socket(s) from None
    return mover.WSPSendTo(s, (data,), flags, to, None)  # type: ignore[no-any-return]


@exported
def recvfrom(s: int, buffer: Any, flags: int = 0, fromlen: int | None = None) -> tuple[int, SockAddr | None]:
    """Receive a datagram and its sender: (bytes, address). A stream has no sender to tell: the address is None.

    ``fromlen``: the room there is for the address in bytes; None for as much as needed.

    Raises:
        WinsockError: as `recv`; WSAEFAULT, too little room, and nothing is received then.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-recvfrom
    """
    process = current_process()
    try:
        mover = process.objects[s].mover
    except (KeyError, AttributeError):
        raise process.no_socket(s) from None
    return mover.WSPRecvFrom(s, (buffer,), flags, fromlen, None)  # type: ignore[no-any-return]


@overload
def WSASend(s: int, buffers: Sequence[Any] | None, flags: int = 0) -> int: ...
@overload
def WSASend(
    s: int,
    buffers: Sequence[Any] | None,
    flags: int,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None = None,
) -> int | Pending: ...
@exported
def WSASend(
    s: int,
    buffers: Sequence[Any] | None,
    flags: int = 0,
    overlapped: OVERLAPPED | None = None,
    routine: CompletionRoutine | None = None,
) -> int | Pending:
    """Send several buffers in array order as one sequence; on a datagram socket they are one datagram.

    Raises:
        WinsockError: as `send`; WSAEFAULT, no array or a buffer without memory; WSAEINVAL, an empty array;
            WSAEOPNOTSUPP, MSG_PARTIAL where the provider has no partial messages.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasend
    """
    process = current_process()
    try:
        record = process.objects[s]
        mover = record.mover
    except (KeyError, AttributeError):
        raise process.no_socket(s) from None
    if overlapped is None:
        return mover.WSPSend(s, buffers, flags, None)  # type: ignore[no-any-return]
    operation = process.begin(record.file or process.file_of(record), overlapped, routine)
    return mover.WSPSend(s, buffers, flags, operation)  # type: ignore[no-any-return]


@overload
def WSARecv(s: int, buffers: Sequence[Any] | None, flags: int = 0) -> int: ...
@overload
def WSARecv(
    s: int,
    buffers: Sequence[Any] | None,
    flags: int,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None = None,
) -> int | Pending: ...
@exported
def WSARecv(
    s: int,
    buffers: Sequence[Any] | None,
    flags: int = 0,
    overlapped: OVERLAPPED | None = None,
    routine: CompletionRoutine | None = None,
) -> int | Pending:
    """Receive into several buffers, each filled completely before the next.

    Returns:
        Bytes over all buffers; 0 at the peer's end of a stream.

    Raises:
        WinsockError: as `recv`; WSAEFAULT, no array or a buffer without memory; WSAEINVAL, an empty array.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecv
    """
    process = current_process()
    try:
        record = process.objects[s]
        mover = record.mover
    except (KeyError, AttributeError):
        raise process.no_socket(s) from None
    if overlapped is None:
        return mover.WSPRecv(s, buffers, flags, None)  # type: ignore[no-any-return]
    operation = process.begin(record.file or process.file_of(record), overlapped, routine)
    return mover.WSPRecv(s, buffers, flags, operation)  # type: ignore[no-any-return]


@overload
def WSASendTo(s: int, buffers: Sequence[Any] | None, flags: int, to: bytes | None) -> int: ...
@overload
def WSASendTo(
    s: int,
    buffers: Sequence[Any] | None,
    flags: int,
    to: bytes | None,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None = None,
) -> int | Pending: ...
@exported
def WSASendTo(
    s: int,
    buffers: Sequence[Any] | None,
    flags: int,
    to: bytes | None,
    overlapped: OVERLAPPED | None = None,
    routine: CompletionRoutine | None = None,
) -> int | Pending:
    """Send several buffers as one datagram to an address; errors as `sendto` and `WSASend`.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasendto
    """
    process = current_process()
    try:
        record = process.objects[s]
        mover = record.mover
    except (KeyError, AttributeError):
        raise process.no_socket(s) from None
    if overlapped is None:
        return mover.WSPSendTo(s, buffers, flags, to, None)  # type: ignore[no-any-return]
    operation = process.begin(record.file or process.file_of(record), overlapped, routine)
    return mover.WSPSendTo(s, buffers, flags, to, operation)  # type: ignore[no-any-return]


@overload
def WSARecvFrom(
    s: int, buffers: Sequence[Any] | None, flags: int = 0, fromlen: int | None = None
) -> tuple[int, SockAddr | None]: ...
@overload
def WSARecvFrom(
    s: int,
    buffers: Sequence[Any] | None,
    flags: int,
    fromlen: int | None,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None = None,
) -> tuple[int, SockAddr | None] | Pending: ...
@exported
def WSARecvFrom(
    s: int,
    buffers: Sequence[Any] | None,
    flags: int = 0,
    fromlen: int | None = None,
    overlapped: OVERLAPPED | None = None,
    routine: CompletionRoutine | None = None,
) -> tuple[int, SockAddr | None] | Pending:
    """Receive a datagram into several buffers, with its sender; results and errors as `recvfrom` and `WSARecv`.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecvfrom
    """
    process = current_process()
    try:
        record = process.objects[s]
        mover = record.mover
    except (KeyError, AttributeError):
        raise process.no_socket(s) from None
    if overlapped is None:
        return mover.WSPRecvFrom(s, buffers, flags, fromlen, None)  # type: ignore[no-any-return]
    operation = process.begin(record.file or process.file_of(record), overlapped, routine)
    return mover.WSPRecvFrom(s, buffers, flags, fromlen, operation)  # type: ignore[no-any-return]


@overload
def WSASendMsg(
    s: int, buffers: Sequence[Any] | None, flags: int = 0, to: bytes | None = None, control: bytes = b""
) -> int: ...
@overload
def WSASendMsg(
    s: int,
    buffers: Sequence[Any] | None,
    flags: int,
    to: bytes | None,
    control: bytes,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None = None,
) -> int | Pending: ...
@exported
def WSASendMsg(
    s: int,
    buffers: Sequence[Any] | None,
    flags: int = 0,
    to: bytes | None = None,
    control: bytes = b"",
    overlapped: OVERLAPPED | None = None,
    routine: CompletionRoutine | None = None,
) -> int | Pending:
    """Send several buffers as one datagram, with control data.

    Args:
        s: a datagram or raw socket; an unbound one is bound by this call.
        buffers: the data, in array order.
        flags: MSG_DONTROUTE.
        to: the destination; None for the default peer.
        control: the control data, in Windows' layout (`mswsock.control_data`): IP_PKTINFO or IPV6_PKTINFO for the
            source address and interface, IP_TTL or IPV6_HOPLIMIT, IP_TOS or IPV6_TCLASS, IP_ECN or IPV6_ECN.
        overlapped, routine: see above.

    Raises:
        WinsockError: as `WSASendTo`; WSAEINVAL, a stream socket, a flag that does not exist here, or control data that
            is malformed or of an unknown kind; WSAEADDRNOTAVAIL, a source address that is not this machine's.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasendmsg
    """
    process = current_process()
    record = process.socket(s)
    send_message = extension(record, s, WSAID_WSASENDMSG)
    operation = None
    if overlapped is not None:
        operation = process.begin(process.file_of(record), overlapped, routine)
    return send_message(s, buffers, flags, to, control, operation)  # type: ignore[no-any-return]
