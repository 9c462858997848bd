"""Socket options and control codes.

Lives here:      SO_OPENTYPE, the one option that no provider sees: it belongs to the calling thread.
Lives elsewhere: which options and codes there are (the provider), their numbers (defs/constants).
"""

from __future__ import annotations

from typing import Any

from ..defs.codes import WSAEFAULT
from ..defs.constants import SO_OPENTYPE, SOL_SOCKET
from ..errors import WinsockError, exported
from ..kernel.operations import OVERLAPPED, CompletionRoutine
from ..process import current_process

_DWORD = 4  # bytes


@exported
def getsockopt(s: int, level: int, option: int, length: int | None = None) -> bytes:
    """Read an option, as its bytes lie in Windows' memory.

    Args:
        s: a socket; for SO_OPENTYPE anything, INVALID_SOCKET included.
        level: SOL_SOCKET, IPPROTO_TCP, ...
        option: SO_*, TCP_*, ...
        length: the room there is in bytes; None for as much as needed.

    Returns:
        The bytes; where there are pointers in it a `defs.relocatable.Relocatable`, whose pointers are offsets from the
        first byte (SO_BSP_STATE).

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, no room; WSAEINVAL, no such level; WSAENOPROTOOPT, no
            such option for this kind of socket, or one that can only be set; WSAEFAULT, too little room.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-getsockopt
    """
    process = current_process()
    if option == SO_OPENTYPE and level == SOL_SOCKET:
        process.check_started()
        if length is not None and length < _DWORD:
            raise WinsockError(WSAEFAULT)
        return process.thread.open_type.to_bytes(_DWORD, "little")
    value: bytes = process.socket(s).wsp.WSPGetSockOpt(s, level, option, length)
    return value


@exported
def setsockopt(s: int, level: int, option: int, value: bytes | int | None) -> None:
    """Set an option from its bytes; an int stands for the four bytes of a BOOL, int or DWORD.

    SO_OPENTYPE, for which ``s`` may be anything, is the calling thread's: with another value than 0, `socket` makes
    sockets without the overlapped attribute.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, no value or too short; WSAEINVAL, no such level, or a
            value or state that does not allow it; WSAENOPROTOOPT, no such option for this kind of socket, or one that
            can only be read.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-setsockopt
    """
    if isinstance(value, int):
        value = (value & 0xFFFFFFFF).to_bytes(4, "little")
    process = current_process()
    if option == SO_OPENTYPE and level == SOL_SOCKET:
        process.check_started()
        if value is None or len(value) < _DWORD:
            raise WinsockError(WSAEFAULT)
        process.thread.open_type = int.from_bytes(value[:_DWORD], "little")
        return
    process.socket(s).wsp.WSPSetSockOpt(s, level, option, value)


@exported
def ioctlsocket(s: int, command: int, argument: int | None) -> int:
    """Carry out a control code that takes or gives one u_long: FIONBIO, FIONREAD, SIOCATMARK, SIO_RCVALL, ...

    Args:
        s: a socket.
        command: the code; only its low 32 bits count, as programs pass it as a negative long.
        argument: the u_long to pass in; None stands for a NULL pointer.

    Returns:
        The u_long afterwards.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEFAULT, no argument; WSAEOPNOTSUPP, an unknown code;
            WSAEFAULT, a code whose answer is longer.

    Source: https://learn.microsoft.com/windows/win32/api/winsock/nf-winsock-ioctlsocket
    """
    record = current_process().socket(s)
    if argument is None:
        raise WinsockError(WSAEFAULT)
    data = (argument & 0xFFFFFFFF).to_bytes(4, "little")
    result: Any = record.wsp.WSPIoctl(s, command & 0xFFFFFFFF, data, len(data), None)
    if callable(result) or len(result) > len(data):  # a provider that does not look at the room
        raise WinsockError(WSAEFAULT)
    return int.from_bytes(result, "little") if result else argument


@exported
def WSAIoctl(
    s: int,
    code: int,
    data: bytes | None = None,
    out_length: int = 0,
    overlapped: OVERLAPPED | None = None,
    routine: CompletionRoutine | None = None,
) -> Any:
    """Carry out a control code.

    Records with pointers in them go in and out as `defs.relocatable.Relocatable`: their pointers are offsets from the
    first byte. `defs.addresslist` makes and reads SOCKET_ADDRESS_LIST.

    Args:
        s: a socket.
        code: SIO_*, FIO*.
        data: the input buffer; None for none.
        out_length: the room in the output buffer, in bytes.
        overlapped, routine: as for `ws2_32.WSARecv`; no bytes are told, and the output is the record's ``result``.

    Returns:
        What belongs into the output buffer, as bytes, or `PENDING`. For SIO_GET_EXTENSION_FUNCTION_POINTER the function
        itself, where C has its address: a callable of the socket's provider, which takes the socket first.

    Raises:
        WinsockError: WSANOTINITIALISED; WSAENOTSOCK; WSAEOPNOTSUPP, an unknown code; WSAENOPROTOOPT, not for this kind
            of socket; WSAEINVAL, nor for this state; WSAEFAULT, a buffer is missing or too small; WSAEINTR, closed
            while it waited; WSAEWOULDBLOCK, a request that would wait, which stays armed for its network event.
            ``needed`` is the byte count that the page promises with the failure: the size wanted, or 0.

    Source: https://learn.microsoft.com/windows/win32/api/winsock2/nf-winsock2-wsaioctl
    """
    process = current_process()
    record = process.socket(s)
    if overlapped is None:
        return record.wsp.WSPIoctl(s, code & 0xFFFFFFFF, data, out_length, None)
    before = overlapped.Internal
    operation = process.begin(process.file_of(record), overlapped, routine)
    try:
        return record.wsp.WSPIoctl(s, code & 0xFFFFFFFF, data, out_length, operation)
    except WinsockError:
        overlapped.Internal = before  # observed: unlike a receive, a control code that fails leaves the record alone
        raise
