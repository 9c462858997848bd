"""The extension functions that connect, disconnect and send files.

Part played:     AcceptEx, GetAcceptExSockaddrs and TransmitFile of mswsock.dll; ConnectEx, DisconnectEx and
                 TransmitPackets, which only pointers lead to.
Lives elsewhere: the calls (mswsock), which pointer (capi.extensions), datagrams with control data (messages).
Sources:         nf-mswsock-acceptex, -getacceptexsockaddrs, -transmitfile; nc-mswsock-lpfn_connectex,
                 -lpfn_disconnectex, -lpfn_transmitpackets; ns-mswsock-transmit_file_buffers, -transmit_packets_element.
GetAcceptExSockaddrs: hands out pointers into the buffer; for a local area of no bytes it stores nothing (observed).
"""

from __future__ import annotations

import struct
from typing import Final

from ... import mswsock
from ...defs.acceptbuffer import ADDRESS_AT, address_size
from ...defs.codes import WSAEFAULT, WSAEINVAL
from ...defs.constants import TP_ELEMENT_EOP, TP_ELEMENT_FILE, TP_ELEMENT_MEMORY
from ...defs.records import TransmitElement
from ...errors import WinsockError
from ...kernel.operations import PENDING
from ...process import current_process
from .. import memory
from ..overlapped import overlapped_at, pending
from ._sockaddr import incoming
from .transfer import store_count

__all__ = ["AcceptEx", "ConnectEx", "DisconnectEx", "GetAcceptExSockaddrs", "TransmitFile", "TransmitPackets"]

_TRANSMIT_FILE_BUFFERS: Final = struct.Struct("<QI4xQI4x")
_MEMORY_ELEMENT: Final = struct.Struct("<IIQ8x")
_FILE_ELEMENT: Final = struct.Struct("<IIqQ")
_SMALLEST_AREA: Final = ADDRESS_AT + 2


def AcceptEx(
    sListenSocket: int,
    sAcceptSocket: int,
    lpOutputBuffer: int,
    dwReceiveDataLength: int,
    dwLocalAddressLength: int,
    dwRemoteAddressLength: int,
    lpdwBytesReceived: int,
    lpOverlapped: int,
) -> int:
    op = overlapped_at(lpOverlapped)
    lengths = dwReceiveDataLength, dwLocalAddressLength, dwRemoteAddressLength
    buffer = memory.view(lpOutputBuffer, sum(lengths)) if lpOutputBuffer else None
    moved = mswsock.AcceptEx(sListenSocket, sAcceptSocket, buffer, *lengths, op)
    if moved is PENDING:
        return pending(0)
    store_count(lpdwBytesReceived, moved)
    return 1


def GetAcceptExSockaddrs(
    lpOutputBuffer: int,
    dwReceiveDataLength: int,
    dwLocalAddressLength: int,
    dwRemoteAddressLength: int,
    LocalSockaddr: int,
    LocalSockaddrLength: int,
    RemoteSockaddr: int,
    RemoteSockaddrLength: int,
) -> None:
    if lpOutputBuffer < memory.LOWEST:
        raise WinsockError(WSAEFAULT)
    local = lpOutputBuffer + dwReceiveDataLength
    remote = local + dwLocalAddressLength
    if dwLocalAddressLength:
        _hand_out(local, dwLocalAddressLength, LocalSockaddr, LocalSockaddrLength)
    if dwRemoteAddressLength:
        _hand_out(remote, dwRemoteAddressLength, RemoteSockaddr, RemoteSockaddrLength)


def _hand_out(area: int, length: int, pointer: int, size: int) -> None:
    """Store where the address of an area is, and how long it is."""
    buffer = memory.view(area, length)
    if buffer is None or len(buffer) < _SMALLEST_AREA or min(pointer, size) < memory.LOWEST:
        raise WinsockError(WSAEFAULT)
    memory.store_u64(pointer, area + ADDRESS_AT)
    memory.store_32(size, address_size(buffer, 0))


def ConnectEx(
    s: int,
    name: int,
    namelen: int,
    lpSendBuffer: int,
    dwSendDataLength: int,
    lpdwBytesSent: int,
    lpOverlapped: int,
) -> int:
    op = overlapped_at(lpOverlapped)
    data = memory.view(lpSendBuffer, dwSendDataLength) if lpSendBuffer else None
    moved = mswsock.ConnectEx(s, incoming(name, namelen), data, op)
    if moved is PENDING:
        return pending(0)
    store_count(lpdwBytesSent, moved)
    return 1


def DisconnectEx(s: int, lpOverlapped: int, dwFlags: int, dwReserved: int) -> int:
    if dwReserved:
        current_process().socket(s)
        raise WinsockError(WSAEINVAL)
    if mswsock.DisconnectEx(s, overlapped_at(lpOverlapped), dwFlags) is PENDING:
        return pending(0)
    return 1


def TransmitFile(
    hSocket: int,
    hFile: int,
    nNumberOfBytesToWrite: int,
    nNumberOfBytesPerSend: int,
    lpOverlapped: int,
    lpTransmitBuffers: int,
    dwReserved: int,
) -> int:
    head = tail = None
    if lpTransmitBuffers >= memory.LOWEST:
        block = memory.read(lpTransmitBuffers, _TRANSMIT_FILE_BUFFERS.size) or b""
        head_at, head_size, tail_at, tail_size = _TRANSMIT_FILE_BUFFERS.unpack(block)
        head, tail = _buffer(hSocket, head_at, head_size), _buffer(hSocket, tail_at, tail_size)
    # The last parameter is called reserved where the others come from; it holds the flags.
    moved = mswsock.TransmitFile(
        hSocket,
        hFile,
        nNumberOfBytesToWrite,
        nNumberOfBytesPerSend,
        overlapped_at(lpOverlapped),
        head,
        tail,
        dwReserved,
    )
    return pending(0) if moved is PENDING else 1


def _buffer(s: int, address: int, size: int) -> memoryview:
    view = memory.view(address, size)
    if view is None:
        current_process().socket(s)
        raise WinsockError(WSAEFAULT)
    return view


def TransmitPackets(
    hSocket: int,
    lpPacketArray: int,
    nElementCount: int,
    nSendSize: int,
    lpOverlapped: int,
    dwFlags: int,
) -> int:
    elements = []
    if lpPacketArray:
        array = memory.read(lpPacketArray, nElementCount * _FILE_ELEMENT.size)
        if array is None:
            current_process().socket(hSocket)
            raise WinsockError(WSAEFAULT)
        elements = [
            _element(hSocket, array[at : at + _FILE_ELEMENT.size]) for at in range(0, len(array), _FILE_ELEMENT.size)
        ]
    moved = mswsock.TransmitPackets(hSocket, elements, nSendSize, overlapped_at(lpOverlapped), dwFlags)
    return pending(0) if moved is PENDING else 1


def _element(s: int, record: bytes) -> TransmitElement:
    flags, length, offset, file = _FILE_ELEMENT.unpack(record)
    kind, end = flags & ~TP_ELEMENT_EOP, bool(flags & TP_ELEMENT_EOP)
    if kind == TP_ELEMENT_MEMORY:
        return TransmitElement(_buffer(s, _MEMORY_ELEMENT.unpack(record)[2], length), end_of_packet=end)
    if kind != TP_ELEMENT_FILE:
        current_process().socket(s)
        raise WinsockError(WSAEINVAL)
    return TransmitElement(file=file, offset=offset, length=length, end_of_packet=end)
