"""Sockets from creation to closing: socket, bind, listen, accept, connect, names, shutdown, disconnect, closesocket.

Lives elsewhere: choosing a provider (catalog), every rule of a transport (its provider), connecting to names
                 (connecting).
Addresses:       bytes in Windows' memory layout, as `SockAddr` and its constructors make them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..defs.codes import WSAEINVAL
from ..defs.constants import (
    WSA_FLAG_ACCESS_SYSTEM_SECURITY,
    WSA_FLAG_MULTIPOINT_C_LEAF,
    WSA_FLAG_MULTIPOINT_C_ROOT,
    WSA_FLAG_MULTIPOINT_D_LEAF,
    WSA_FLAG_MULTIPOINT_D_ROOT,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
    WSA_FLAG_REGISTERED_IO,
)
from ..defs.records import ProtocolInfo
from ..defs.sockaddr import SockAddr
from ..errors import WinsockError, exported
from ..process import current_process

_KNOWN_FLAGS = (
    WSA_FLAG_OVERLAPPED
    | WSA_FLAG_MULTIPOINT_C_ROOT
    | WSA_FLAG_MULTIPOINT_C_LEAF
    | WSA_FLAG_MULTIPOINT_D_ROOT
    | WSA_FLAG_MULTIPOINT_D_LEAF
    | WSA_FLAG_ACCESS_SYSTEM_SECURITY
    | WSA_FLAG_NO_HANDLE_INHERIT
    | WSA_FLAG_REGISTERED_IO
)


@exported
def socket(af: int, type: int, protocol: int) -> int:
    """Make a socket of the first catalog entry that matches.

    It has the overlapped attribute, unless the thread has set SO_OPENTYPE.

    Args:
        af: address family; 0 matches any.
        type: socket type; 0 matches any.
        protocol: protocol number; 0 matches the entries that say so.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAEINVAL, neither a family nor a protocol; WSAESOCKTNOSUPPORT,
            WSAEAFNOSUPPORT or WSAEPROTONOSUPPORT, no entry matches; WSAEPROVIDERFAILEDINIT, WSAEINVALIDPROVIDER or
            WSAEINVALIDPROCTABLE, the provider could not be loaded; WSAEACCES, a raw socket without the right to it;
            WSAEMFILE; WSAENOBUFS.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-socket
    """
    process = current_process()
    entry = process.catalog.select(af, type, protocol)
    table = process.provider(entry).table
    flags = 0 if process.thread.open_type else WSA_FLAG_OVERLAPPED
    handle: int = table.WSPSocket(af, type, protocol, entry.info, 0, flags)
    return handle


@exported
def WSASocket(
    af: int, type: int, protocol: int, info: ProtocolInfo | None = None, group: int = 0, flags: int = 0
) -> int:
    """Make a socket, of a given catalog entry if ``info`` names one.

    Args:
        af, type, protocol: as for `socket`; with ``info`` nothing is matched: they go to the provider as they are,
            and to it 0 and FROM_PROTOCOL_INFO (-1) stand for the record's own value.
        info: a record from WSAEnumProtocols, of which only the catalog id counts, or one from `WSADuplicateSocket`,
            which makes one more descriptor of that socket, whatever else is asked for.
        group: reserved, 0.
        flags: WSA_FLAG_*.

    Raises:
        WinsockError: as `socket`; WSAEINVAL also for undefined flags, and for a record whose catalog id is not
            installed, belongs to a layered protocol, or has been used for a shared socket before.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasocketw
    """
    process = current_process()
    catalog = process.catalog
    if flags & ~_KNOWN_FLAGS:
        raise WinsockError(WSAEINVAL)
    if info is None:
        entry = catalog.select(af, type, protocol)
        info = entry.info
    else:
        entry = catalog.named(info)
    table = process.provider(entry).table
    handle: int = table.WSPSocket(af, type, protocol, info, group, flags)
    return handle


@exported
def closesocket(s: int) -> None:
    """Close a socket. Calls that wait on it fail with WSAEINTR, overlapped requests with WSA_OPERATION_ABORTED.

    A shared socket ends with its last handle.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEWOULDBLOCK, non-blocking with a linger time and data to send.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-closesocket
    """
    current_process().close_socket(s)


@exported
def bind(s: int, name: bytes | None) -> None:
    """Give a socket its local address; port 0 lets the system choose one.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, no name or too short; WSAEAFNOSUPPORT, another family;
            WSAEINVAL, bound already; WSAEACCES; WSAEADDRNOTAVAIL, no address of this machine; WSAEADDRINUSE.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-bind
    """
    current_process().socket(s).wsp.WSPBind(s, name)


@exported
def listen(s: int, backlog: int) -> None:
    """Let connection requests queue up, at most ``backlog`` of them; SOMAXCONN for the provider's own limit.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEINVAL, not bound; WSAEOPNOTSUPP, connectionless; WSAEISCONN;
            WSAEADDRINUSE, found out only now.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-listen
    """
    current_process().socket(s).wsp.WSPListen(s, backlog)


@exported
def accept(s: int, namelen: int | None = None) -> tuple[int, SockAddr]:
    """Take the first connection request: (new socket, address of the caller).

    Args:
        s: a listening socket.
        namelen: the room there is for the address in bytes; None for as much as needed.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, too little room, and no request is taken then;
            WSAEOPNOTSUPP, connectionless; WSAEINVAL, not listening; WSAEWOULDBLOCK; WSAECONNRESET, the caller has gone;
            WSAEINTR, closed meanwhile; WSAEMFILE.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-accept
    """
    accepted: tuple[int, SockAddr] = current_process().socket(s).wsp.WSPAccept(s, namelen, None, 0)
    return accepted


@exported
def WSAAccept(
    s: int, namelen: int | None = None, condition: Callable[..., int] | None = None, callback_data: int = 0
) -> tuple[int, SockAddr]:
    """As `accept`, with a condition function that decides about the first request.

    Args:
        s: a listening socket.
        namelen: as for `accept`.
        condition: called in this thread with (caller id, caller data, SQOS, GQOS, callee id, callee data, group,
            callback data), where ids are addresses and what the transport does not have is None. It returns CF_ACCEPT,
            CF_REJECT or CF_DEFER. An exception that it raises comes out of here and leaves the request in its place.
        callback_data: passed through.

    Raises:
        WinsockError: as `accept`; WSAECONNREFUSED, rejected; WSATRY_AGAIN, deferred: the request stays the first;
            WSAEINVAL, another answer, with the same effect; WSAEOPNOTSUPP, the provider has no conditional acceptance.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaaccept
    """
    accepted: tuple[int, SockAddr] = current_process().socket(s).wsp.WSPAccept(s, namelen, condition, callback_data)
    return accepted


@exported
def connect(s: int, name: bytes | None) -> None:
    """Connect a stream socket, or give a datagram socket its default peer.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, no name or too short; WSAEINVAL, listening;
            WSAEALREADY, a connect is under way; WSAEISCONN; WSAEAFNOSUPPORT; WSAEADDRNOTAVAIL, address or port 0;
            WSAEACCES, broadcast; WSAECONNREFUSED, WSAENETUNREACH, WSAEHOSTUNREACH or WSAETIMEDOUT, after which connect
            may be tried again; WSAEWOULDBLOCK, non-blocking: the connect goes on, and select tells how it ended.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-connect
    """
    current_process().socket(s).wsp.WSPConnect(s, name, None, None, None, None)


@exported
def WSAConnect(
    s: int,
    name: bytes | None,
    caller_data: bytes | None = None,
    callee_room: int | None = None,
    sqos: Any = None,
    gqos: Any = None,
) -> bytes:
    """As `connect`, with connect data and quality of service where the provider has them.

    Returns:
        The callee's data, at most ``callee_room`` bytes; empty where there is none.

    Raises:
        WinsockError: as `connect`; WSAEPROTONOSUPPORT, connect data is not supported; WSAEINVAL, ``gqos`` given;
            WSAEOPNOTSUPP, the quality of service cannot be had.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaconnect
    """
    data: bytes = current_process().socket(s).wsp.WSPConnect(s, name, caller_data, callee_room, sqos, gqos)
    return data


@exported
def getsockname(s: int, namelen: int | None = None) -> SockAddr:
    """The local address of a bound socket; ``namelen`` as for `accept`.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, too little room; WSAEINVAL, not bound.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-getsockname
    """
    name: SockAddr = current_process().socket(s).wsp.WSPGetSockName(s, namelen)
    return name


@exported
def getpeername(s: int, namelen: int | None = None) -> SockAddr:
    """The address of the peer; ``namelen`` as for `accept`.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAENOTCONN, which wins over WSAEFAULT, too little room.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-getpeername
    """
    name: SockAddr = current_process().socket(s).wsp.WSPGetPeerName(s, namelen)
    return name


@exported
def shutdown(s: int, how: int) -> None:
    """End sending (SD_SEND), receiving (SD_RECEIVE) or both (SD_BOTH) without closing; it never blocks.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAENOTCONN, an unconnected stream; WSAEINVAL, another value;
            WSAECONNRESET or WSAECONNABORTED, the connection is gone.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-shutdown
    """
    current_process().socket(s).wsp.WSPShutdown(s, how)


@exported
def WSASendDisconnect(s: int, data: bytes | None = None) -> None:
    """As shutdown(SD_SEND), with disconnect data where the provider has it. It never blocks.

    Args:
        s: a connected stream socket.
        data: what the peer's `WSARecvDisconnect` gets; None for nothing.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEOPNOTSUPP, connectionless; WSAENOTCONN; WSAENOPROTOOPT, data
            is given and the provider (TCP/IP's and AF_UNIX's among them) has none.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsasenddisconnect
    """
    current_process().socket(s).wsp.WSPSendDisconnect(s, data)


@exported
def WSARecvDisconnect(s: int, room: int | None = None) -> bytes:
    """As shutdown(SD_RECEIVE), with the peer's disconnect data where the provider has it. It never blocks.

    Args:
        s: a connected socket.
        room: how many bytes there are for the data; None when it is not asked for.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAENOTCONN, an unconnected stream; WSAENOPROTOOPT, data is asked
            for and the provider has none; WSAEFAULT, too little room.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsarecvdisconnect
    """
    data: bytes = current_process().socket(s).wsp.WSPRecvDisconnect(s, room)
    return data
