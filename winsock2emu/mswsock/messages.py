"""Datagrams with control data.

Lives elsewhere: WSASendMsg, which ws2_32.dll exports as well (ws2_32.transfer); the form of control data
                 (defs/controldata); what a transport has to tell beside a datagram (its provider).
WSAMSG:          its members are the arguments and the result: buffers, room and control data in, the sender, control
                 data and flags out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from ..defs.guids import WSAID_WSARECVMSG
from ..defs.records import ReceivedMessage
from ..errors import exported
from ..kernel.operations import OVERLAPPED, CompletionRoutine, Pending
from ..process import current_process
from ..ws2_32.extensions import extension


@overload
def WSARecvMsg(
    s: int, buffers: Sequence[Any] | None, control_room: int = 0, namelen: int | None = None, flags: int = 0
) -> ReceivedMessage: ...
@overload
def WSARecvMsg(
    s: int,
    buffers: Sequence[Any] | None,
    control_room: int,
    namelen: int | None,
    flags: int,
    overlapped: OVERLAPPED | None,
    routine: CompletionRoutine | None = None,
) -> ReceivedMessage | Pending: ...
@exported
def WSARecvMsg(
    s: int,
    buffers: Sequence[Any] | None,
    control_room: int = 0,
    namelen: int | None = None,
    flags: int = 0,
    overlapped: OVERLAPPED | None = None,
    routine: CompletionRoutine | None = None,
) -> ReceivedMessage | Pending:
    """Receive a datagram with its sender and with what the socket's options ask for beside it.

    Args:
        s: a bound datagram or raw socket.
        buffers: where the data goes, each filled completely before the next.
        control_room: the room there is for control data, in bytes (Control.len).
        namelen: the room there is for the sender, in bytes; None for as much as needed.
        flags: MSG_PEEK (dwFlags).
        overlapped, routine: as for `ws2_32.WSARecv`.

    Returns:
        Bytes, sender, control data, and MSG_BCAST or MSG_MCAST for how the datagram was addressed. Control data holds
        IP_PKTINFO, IP_TTL, IP_TOS, IP_ECN, IP_ORIGINAL_ARRIVAL_IF, or IPv6's IPV6_PKTINFO, IPV6_HOPLIMIT, IPV6_TCLASS,
        IPV6_ECN, as far as the options IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, ... are on.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, no array, a buffer without memory, or too little room
            for the sender; WSAEINVAL, an empty array, an unbound socket, or a flag that does not exist here;
            WSAEOPNOTSUPP, a stream socket, MSG_PARTIAL or MSG_OOB; WSAESHUTDOWN, after shutdown(SD_RECEIVE);
            WSAECONNRESET, an earlier datagram met a closed port; WSAEMSGSIZE, with ``received``: the datagram was cut
            (MSG_TRUNC), or its control data (MSG_CTRUNC); WSAEWOULDBLOCK; WSAETIMEDOUT, SO_RCVTIMEO passed; WSAEINTR,
            closed.

    Source: https://learn.microsoft.com/windows/win32/api/mswsock/nc-mswsock-lpfn_wsarecvmsg
    """
    process = current_process()
    record = process.socket(s)
    receive = extension(record, s, WSAID_WSARECVMSG)
    operation = None
    if overlapped is not None:
        operation = process.begin(process.file_of(record), overlapped, routine)
    received: ReceivedMessage | Pending = receive(s, buffers, control_room, namelen, flags, operation)
    return received
