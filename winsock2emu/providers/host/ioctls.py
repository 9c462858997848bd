"""Control codes: one row each.

Part played:     the WSPIoctl switch of msafd.
Lives here:      the codes this provider answers. Any other well-formed code is WSAEOPNOTSUPP, as from Windows' own
                 stack.
Sources:         winsock-ioctls, nf-winsock2-wsaioctl; R9.10-R9.12, R9.21, R9.33, R9.36 of the project's reference.
"""

from __future__ import annotations

import array
import fcntl
import struct
import termios
from collections.abc import Callable
from typing import Final

from ...defs.codes import WSAEFAULT, WSAENOPROTOOPT, WSAEOPNOTSUPP
from ...defs.constants import FIONBIO, FIONREAD, SIO_BASE_HANDLE, SIO_UDP_CONNRESET, SIO_UDP_NETRESET
from ...errors import WinsockError
from .datagram import DatagramSocket
from .hostsocket import HostSocket
from .translate import from_host


def _number(data: bytes | None) -> int:
    """The u_long that an IOC_IN code takes."""
    if data is None or len(data) < 4:
        raise WinsockError(WSAEFAULT)
    return int.from_bytes(data[:4], "little")


def _check_room(room: int, needed: int) -> None:
    if room < needed:
        raise WinsockError(WSAEFAULT)


def _set_nonblocking(endpoint: HostSocket, data: bytes | None, room: int) -> bytes:
    endpoint.blocking = not _number(data)
    return b""


def _readable_bytes(endpoint: HostSocket, data: bytes | None, room: int) -> bytes:
    _check_room(room, 4)
    count = array.array("i", [0])
    try:
        fcntl.ioctl(endpoint.fd, termios.FIONREAD, count)
    except OSError as failure:
        raise from_host(failure) from failure
    return struct.pack("<I", count[0])


def _base_handle(endpoint: HostSocket, data: bytes | None, room: int) -> bytes:
    _check_room(room, 8)
    return struct.pack("<Q", endpoint.handle)


def _report_switch(name: str) -> Callable[[HostSocket, bytes | None, int], bytes]:
    def switch(endpoint: HostSocket, data: bytes | None, room: int) -> bytes:
        if not isinstance(endpoint, DatagramSocket):
            raise WinsockError(WSAENOPROTOOPT)
        # A BOOL is four bytes; the Microsoft stack takes the single byte that .NET programs pass as well.
        if not data:
            raise WinsockError(WSAEFAULT)
        setattr(endpoint, name, any(data[:4]))
        return b""

    return switch


CODES: Final[dict[int, Callable[[HostSocket, bytes | None, int], bytes]]] = {
    FIONBIO: _set_nonblocking,
    FIONREAD: _readable_bytes,
    SIO_BASE_HANDLE: _base_handle,
    SIO_UDP_CONNRESET: _report_switch("connreset"),
    SIO_UDP_NETRESET: _report_switch("netreset"),
}


def control(endpoint: HostSocket, code: int, data: bytes | None, room: int) -> bytes:
    """WSPIoctl: carry out a code; returns the bytes for an output buffer of ``room`` bytes.

    Raises:
        WinsockError: WSAEOPNOTSUPP, an unknown code; WSAENOPROTOOPT, not for this kind of socket; WSAEFAULT, a buffer
            is missing or too small.
    """
    carry_out = CODES.get(code)
    if carry_out is None:
        raise WinsockError(WSAEOPNOTSUPP)
    return carry_out(endpoint, data, room)
