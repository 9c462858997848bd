"""Sockets from their creation to their end.

Part played:     socket, bind, listen, accept, connect, shutdown, closesocket, getsockname, getpeername and
                 their WSA forms, WSASendDisconnect, WSARecvDisconnect.
Lives elsewhere: the calls (ws2_32.lifecycle).
Sources:         nf-winsock2-socket, -wsasocketw, -accept, -wsaaccept, -connect, -wsaconnect and their
                 neighbours.
"""

from __future__ import annotations

from typing import Final

from ... import ws2_32
from ...defs.codes import WSAEFAULT
from ...defs.records import PROTOCOL_INFOA_SIZE, PROTOCOL_INFOW_SIZE
from ...errors import WinsockError
from .. import memory
from ._condition import condition_function
from ._sockaddr import accept_room, incoming, outgoing, room
from .protocols import protocol_info

__all__ = [
    "WSAAccept",
    "WSAConnect",
    "WSARecvDisconnect",
    "WSASendDisconnect",
    "WSASocketA",
    "WSASocketW",
    "accept",
    "bind",
    "closesocket",
    "connect",
    "getpeername",
    "getsockname",
    "listen",
    "shutdown",
    "socket",
]

_QOS_SIZE: Final = 80


def socket(af: int, type: int, protocol: int) -> int:
    return ws2_32.socket(af, type, protocol)


def WSASocketA(af: int, type: int, protocol: int, lpProtocolInfo: int, g: int, dwFlags: int) -> int:
    return ws2_32.WSASocket(af, type, protocol, protocol_info(lpProtocolInfo, PROTOCOL_INFOA_SIZE), g, dwFlags)


def WSASocketW(af: int, type: int, protocol: int, lpProtocolInfo: int, g: int, dwFlags: int) -> int:
    return ws2_32.WSASocket(af, type, protocol, protocol_info(lpProtocolInfo, PROTOCOL_INFOW_SIZE), g, dwFlags)


def closesocket(s: int) -> int:
    ws2_32.closesocket(s)
    return 0


def bind(s: int, name: int, namelen: int) -> int:
    ws2_32.bind(s, incoming(name, namelen))
    return 0


def listen(s: int, backlog: int) -> int:
    ws2_32.listen(s, backlog)
    return 0


def accept(s: int, addr: int, addrlen: int) -> int:
    accepted, peer = ws2_32.accept(s, accept_room(addr, addrlen))
    if addr and addrlen:
        outgoing(addr, addrlen, peer)
    return accepted


def WSAAccept(s: int, addr: int, addrlen: int, lpfnCondition: int, dwCallbackData: int) -> int:
    condition = condition_function(lpfnCondition)
    accepted, peer = ws2_32.WSAAccept(s, accept_room(addr, addrlen), condition, dwCallbackData)
    if addr and addrlen:
        outgoing(addr, addrlen, peer)
    return accepted


def connect(s: int, name: int, namelen: int) -> int:
    ws2_32.connect(s, incoming(name, namelen))
    return 0


def WSAConnect(s: int, name: int, namelen: int, lpCallerData: int, lpCalleeData: int, lpSQOS: int, lpGQOS: int) -> int:
    caller_data = _buffer(lpCallerData)
    callee = _buffer(lpCalleeData)
    data = ws2_32.WSAConnect(
        s,
        incoming(name, namelen),
        None if caller_data is None else bytes(caller_data),
        None if callee is None else len(callee),
        memory.read(lpSQOS, _QOS_SIZE),
        memory.read(lpGQOS, _QOS_SIZE),
    )
    _store(lpCalleeData, callee, data)
    return 0


def shutdown(s: int, how: int) -> int:
    ws2_32.shutdown(s, how)
    return 0


def WSASendDisconnect(s: int, lpOutboundDisconnectData: int) -> int:
    data = _buffer(lpOutboundDisconnectData)
    ws2_32.WSASendDisconnect(s, None if data is None else bytes(data))
    return 0


def WSARecvDisconnect(s: int, lpInboundDisconnectData: int) -> int:
    place = _buffer(lpInboundDisconnectData)
    data = ws2_32.WSARecvDisconnect(s, None if place is None else len(place))
    _store(lpInboundDisconnectData, place, data)
    return 0


def getsockname(s: int, name: int, namelen: int) -> int:
    outgoing(name, namelen, ws2_32.getsockname(s, room(name, namelen)))
    return 0


def getpeername(s: int, name: int, namelen: int) -> int:
    outgoing(name, namelen, ws2_32.getpeername(s, room(name, namelen)))
    return 0


def _buffer(wsabuf: int) -> memoryview | None:
    """The memory behind one WSABUF; None for NULL. A buffer that is NULL counts as empty."""
    if wsabuf < memory.LOWEST:
        return None
    return memory.view(memory.load_u64(wsabuf + 8), memory.load_u32(wsabuf)) or memory.view(0, 0)


def _store(wsabuf: int, place: memoryview | None, data: bytes) -> None:
    """Fill the memory behind a WSABUF and set its length."""
    if place is not None:
        if len(data) > len(place):
            raise WinsockError(WSAEFAULT)
        place[: len(data)] = data
        memory.store_32(wsabuf, len(data))
