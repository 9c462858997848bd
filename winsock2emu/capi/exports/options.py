"""Socket options and control codes.

Part played:     getsockopt, setsockopt, ioctlsocket, WSAIoctl.
Lives elsewhere: every option and code (ws2_32.options and the providers).
Pointers in it:  what getsockopt and WSAIoctl hand out with pointers in it gets the addresses of the caller's buffer; of
                 what comes in with pointers, the lists of addresses are gathered. A function that WSAIoctl hands out is
                 its C face (capi.extensions).
Sources:         nf-winsock-getsockopt, nf-winsock-setsockopt, nf-winsock-ioctlsocket, nf-winsock2-wsaioctl.
Negative optlen: Windows reads it as a huge length. SOL_SOCKET options that afd.sys keeps take the value and
                 ignore the length; those of the IP stack, SO_KEEPALIVE and SO_DONTROUTE among them, fail
                 with WSAENOBUFS. SO_OPENTYPE takes it as a length to get with, too.
Short buffers:   observed, if not promised: afd.sys clears the whole of a buffer that holds a part of a BOOL, and of one
                 that is too small for a buffer size or a linger time.
"""

from __future__ import annotations

from typing import Any, Final

from ... import ws2_32
from ...defs.addresslist import ENTRY_SIZE, HEADER_SIZE, pack_address_list
from ...defs.codes import WSAEFAULT, WSAENOBUFS
from ...defs.constants import (
    SIO_ADDRESS_LIST_SORT,
    SO_DONTROUTE,
    SO_KEEPALIVE,
    SO_LINGER,
    SO_OPENTYPE,
    SO_PROTOCOL_INFOA,
    SO_PROTOCOL_INFOW,
    SO_RCVBUF,
    SO_SNDBUF,
    SOL_SOCKET,
)
from ...defs.relocatable import POINTER_SIZE, Relocatable
from ...errors import WinsockError
from ...kernel.operations import PENDING
from ...process import current_process
from .. import extensions, memory
from ..overlapped import overlapped_at, pending, routine_at

__all__ = ["WSAIoctl", "getsockopt", "ioctlsocket", "setsockopt"]

_LENGTH_STAYS = frozenset((SO_PROTOCOL_INFOA, SO_PROTOCOL_INFOW))  # observed: optlen keeps a larger room
_OF_THE_STACK = frozenset((SO_KEEPALIVE, SO_DONTROUTE))
_CLEARED_IN_VAIN = frozenset((SO_LINGER, SO_RCVBUF, SO_SNDBUF))
_LONGEST_ADDRESS: Final = 128  # a SOCKADDR_STORAGE
_LONGEST_OPTION: Final = 4096  # far more than any; a length that is a mistake must not lead out of the caller's memory
_OPTION_SIZE = 4  # of every option that a negative length can be given for: BOOL, DWORD, LINGER


def getsockopt(s: int, level: int, optname: int, optval: int, optlen: int) -> int:
    if optval < memory.LOWEST or optlen < memory.LOWEST:
        _check_socket(s, level, optname)
        raise WinsockError(WSAEFAULT)
    room = memory.load_i32(optlen)
    if room < 0 and optname == SO_OPENTYPE and level == SOL_SOCKET:
        room = _OPTION_SIZE
    try:
        value = ws2_32.getsockopt(s, level, optname, room)
    except WinsockError as failure:
        if failure.needed is not None:
            memory.store_32(optlen, failure.needed)
        if optname in _CLEARED_IN_VAIN and level == SOL_SOCKET and 0 < room < _OPTION_SIZE:
            memory.write(optval, bytes(room))
        raise
    if len(value) > room:  # a provider that does not look at the room
        raise WinsockError(WSAEFAULT)
    if isinstance(value, Relocatable):
        value = value.at(optval)
    if len(value) < room < _OPTION_SIZE and level == SOL_SOCKET and optname not in _OF_THE_STACK:
        memory.write(optval, bytes(room))
    memory.write(optval, value)
    if level != SOL_SOCKET or optname not in _LENGTH_STAYS:
        memory.store_32(optlen, len(value))
    return 0


def setsockopt(s: int, level: int, optname: int, optval: int, optlen: int) -> int:
    if optlen >= 0 or optval < memory.LOWEST:
        value = memory.read(optval, min(optlen, _LONGEST_OPTION)) if optval >= memory.LOWEST else None
    else:
        if level != SOL_SOCKET or optname in _OF_THE_STACK:
            _check_socket(s, level, optname)
            raise WinsockError(WSAENOBUFS)
        value = memory.read(optval, _OPTION_SIZE)
    ws2_32.setsockopt(s, level, optname, value)
    return 0


def ioctlsocket(s: int, cmd: int, argp: int) -> int:
    cmd &= 0xFFFFFFFF  # a long in C; the codes have bit 31 set
    if argp < memory.LOWEST:
        ws2_32.ioctlsocket(s, cmd, None)
        return 0
    memory.store_32(argp, ws2_32.ioctlsocket(s, cmd, memory.load_u32(argp)))
    return 0


def WSAIoctl(
    s: int,
    dwIoControlCode: int,
    lpvInBuffer: int,
    cbInBuffer: int,
    lpvOutBuffer: int,
    cbOutBuffer: int,
    lpcbBytesReturned: int,
    lpOverlapped: int,
    lpCompletionRoutine: int,
) -> int:
    if lpcbBytesReturned < memory.LOWEST:  # for overlapped calls too, and before the code is looked at
        current_process().socket(s)
        raise WinsockError(WSAEFAULT)
    data = memory.read(lpvInBuffer, cbInBuffer) if lpvInBuffer >= memory.LOWEST else None
    if dwIoControlCode == SIO_ADDRESS_LIST_SORT and data is not None:
        data = _gathered(data)
    room = cbOutBuffer if lpvOutBuffer >= memory.LOWEST else 0

    def store(output: Any) -> None:
        if not isinstance(output, WinsockError):
            _store_output(data, output, lpvOutBuffer, room)

    op = overlapped_at(lpOverlapped, store)
    routine = None if op is None else routine_at(lpCompletionRoutine, lpOverlapped)
    try:
        output = ws2_32.WSAIoctl(s, dwIoControlCode, data, room, op, routine)
    except WinsockError as failure:
        if failure.needed is not None:
            memory.store_32(lpcbBytesReturned, failure.needed)
        raise
    if output is PENDING:
        return pending()
    memory.store_32(lpcbBytesReturned, _store_output(data, output, lpvOutBuffer, room))
    return 0


def _store_output(data: bytes | None, output: Any, where: int, room: int) -> int:
    """Put what a control code has given into its buffer; the number of bytes."""
    if callable(output):
        output = extensions.pointer(data or b"", output)
    elif isinstance(output, Relocatable):
        output = output.at(where)
    if len(output) > room:
        raise WinsockError(WSAEFAULT)
    if output:
        memory.write(where, output)
    return len(output)


def _gathered(data: bytes) -> bytes | None:
    """A SOCKET_ADDRESS_LIST with its addresses in it, wherever the caller has them; None for a bad pointer."""
    count = int.from_bytes(data[:4], "little", signed=True)
    if not 0 <= count <= (len(data) - HEADER_SIZE) // ENTRY_SIZE:
        return data  # cut off, which the provider judges
    addresses = []
    for field in range(HEADER_SIZE, HEADER_SIZE + ENTRY_SIZE * count, ENTRY_SIZE):
        where = int.from_bytes(data[field : field + POINTER_SIZE], "little")
        size = int.from_bytes(data[field + POINTER_SIZE : field + POINTER_SIZE + 4], "little", signed=True)
        address = memory.read(where, min(size, _LONGEST_ADDRESS))
        if address is None:
            return None
        addresses.append(address)
    return pack_address_list(addresses)


def _check_socket(s: int, level: int, optname: int) -> None:
    """The checks that come before the pointers. SO_OPENTYPE belongs to the thread and takes any handle."""
    if level == SOL_SOCKET and optname == SO_OPENTYPE:
        current_process().check_started()
    else:
        current_process().socket(s)
