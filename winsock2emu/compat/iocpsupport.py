"""``twisted_iocpsupport.iocpsupport``: the extension module under Twisted's iocpreactor.

Part played:     iocpsupport.pyx of the package twisted-iocpsupport, with the .pxi files that it includes.
Lives here:      its eleven names under its conventions: what a call has come to is returned as a code, `Event` objects
                 stand for requests, addresses are (host, port).
Lives elsewhere: the requests (ws2_32, mswsock), the port (kernel32), the sockets, which are the program's
                 (compat.socket).
Events:          a request's `Event` comes back from `CompletionPort.getEvent` once, whatever becomes of the request or
                 its socket; of one that has not begun, as its code says, it does not.
Codes:           Winsock's from a call that fails, Win32's from `CompletionPort.getEvent`. 0 from `accept` and `connect`
                 is also a request that pends; from the others that is ERROR_IO_PENDING (997).
Exceptions:      OSError of a text and a code, the way the original raises WindowsError: the code is ``args[1]``.
Sources:         twisted-iocpsupport 25.10.1.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final

from .. import kernel32, mswsock, ws2_32
from ..defs.codes import ERROR_IO_PENDING
from ..defs.constants import AF_INET, AF_INET6, SO_PROTOCOL_INFOW, SOL_SOCKET
from ..defs.records import PROTOCOL_INFOW_SIZE, ProtocolInfo
from ..defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ..errors import WinsockError, get_last_error
from ..kernel.operations import OVERLAPPED, PENDING, moved_of
from ..kernel32.ports import INVALID_HANDLE_VALUE
from ..process import current_process
from ._finalizers import finish

__all__ = [
    "CompletionPort",
    "Event",
    "accept",
    "connect",
    "get_accept_addrs",
    "have_connectex",
    "makesockaddr",
    "maxAddrLen",
    "recv",
    "recvfrom",
    "send",
]

have_connectex: Final = True

_32_BITS: Final = 0xFFFFFFFF
_INT: Final = struct.Struct("<i")


class Event:
    """What a program gets back when a request is over; it has the attributes that the program gives it.

    Args:
        callback, owner: kept under these names, as are the others.
    """

    def __init__(self, callback: Any, owner: Any, **others: Any) -> None:
        self.callback = callback
        self.owner = owner
        self.__dict__.update(others)


class _Request(OVERLAPPED):
    """A request with the program's object for it."""

    __slots__ = ("program",)

    def __init__(self, program: Any) -> None:
        super().__init__()
        self.program = program


class _ReceiveFrom(_Request):
    """One that writes the sender's address, and its length, where the program wants them."""

    __slots__ = ("length", "name")

    def __init__(self, program: Any, name: memoryview, length: memoryview) -> None:
        super().__init__(program)
        self.name = name
        self.length = length

    def finish(self, result: Any, failure: WinsockError | None = None) -> None:
        sender = failure.address if failure is not None else result[1]
        if sender:
            self.name[: len(sender)] = sender
            _INT.pack_into(self.length, 0, len(sender))
        super().finish(result, failure)


class CompletionPort:
    """A completion port, closed with its object."""

    def __init__(self) -> None:
        self._process = current_process()
        self._port = kernel32.CreateIoCompletionPort(INVALID_HANDLE_VALUE, None, 0, 0)

    def addHandle(self, handle: int, key: int = 0) -> None:
        """Have the outcome of a socket's requests come here, with a key.

        Raises:
            OSError: no socket (ERROR_INVALID_HANDLE), or one that has a port (ERROR_INVALID_PARAMETER).
        """
        try:
            kernel32.CreateIoCompletionPort(handle, self._port, key, 0)
        except WinsockError as failure:
            raise OSError("CreateIoCompletionPort", failure.winerror) from None

    def getEvent(self, timeout: int) -> tuple[int, int, int, Any]:
        """The next thing that has happened: its code, bytes, key and object.

        Args:
            timeout: milliseconds to wait, -1 for ever.

        Returns:
            The code is 0 for success. WAIT_TIMEOUT (258) and other failures of the wait itself have no object.
        """
        try:
            moved, key, request = kernel32.GetQueuedCompletionStatus(self._port, timeout & _32_BITS)
        except WinsockError as failure:
            if failure.packet is None:
                return failure.winerror, 0, 0, None
            moved, key, request = failure.packet
            return failure.winerror, moved, key, request.program
        return 0, moved, key, None if request is None else request.program

    def postEvent(self, bytes: int, key: int, obj: Any) -> None:
        """Have `getEvent` return these values.

        Raises:
            OSError: the port is closed.
        """
        try:
            kernel32.PostQueuedCompletionStatus(self._port, bytes, key, None if obj is None else _Request(obj))
        except WinsockError as failure:
            raise OSError("PostQueuedCompletionStatus", failure.winerror) from None

    def __del__(self) -> None:
        port: int | None = getattr(self, "_port", None)
        if port is not None:
            finish(self._process.close_handle, port)


# Addresses


def makesockaddr(buff: Any) -> tuple[str, int] | None:
    """Host and port of an address in Windows' layout, the scope behind the host; None for an empty buffer.

    Raises:
        OSError: a family other than AF_INET and AF_INET6.
    """
    name = SockAddr(memoryview(buff))
    if not name:
        return None
    if name.family == AF_INET:
        return name.host, name.port
    if name.family == AF_INET6:
        scope = name.scope_id
        return f"{name.host}%{scope}" if scope else name.host, name.port
    raise OSError(f"unsupported address family {name.family}", get_last_error())


def _protocol(s: int) -> ProtocolInfo:
    try:
        return ProtocolInfo.unpack(ws2_32.getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, PROTOCOL_INFOW_SIZE))
    except WinsockError as failure:
        raise OSError("getsockopt", failure.winerror) from None


def maxAddrLen(s: int) -> int:
    """The bytes that an address of a socket takes.

    Raises:
        OSError: no socket.
    """
    return _protocol(s).max_sock_addr


def _unpack_address(family: int, addr: Sequence[Any]) -> SockAddr:
    """A tuple of numbers as an address; ValueError when the host is none."""
    if family == AF_INET:
        host, port = addr
        kind, flow, scope = "IP", 0, 0
    elif family == AF_INET6:
        host, port, flow, scope = addr
        kind, host = "IPv6", host.split("%")[0]
    else:
        raise ValueError("unsupported address family")
    if port < 0:
        raise OverflowError("can't convert negative value to unsigned short")
    if port > 0xFFFF:
        raise OverflowError("value too large to convert to unsigned short")
    try:
        packed = ws2_32.WSAStringToAddress(host, family).packed
    except WinsockError:
        raise ValueError(f"invalid {kind} address {host!r}") from None
    return sockaddr_in(packed, port) if family == AF_INET else sockaddr_in6(packed, port, flow, scope)


# Requests


def _begun(call: Callable[..., Any], *arguments: Any) -> tuple[int, int]:
    """Begin a request: its code, ERROR_IO_PENDING while it pends, and the bytes that it has moved by now."""
    try:
        result = call(*arguments)
    except WinsockError as failure:
        return failure.winerror, 0
    return (ERROR_IO_PENDING, 0) if result is PENDING else (0, moved_of(result))


def accept(listening: int, accepting: int, buff: Any, obj: Any) -> int:
    """Begin to accept a connection into a socket.

    Args:
        buff: gets the addresses; half of it for each, which is 16 bytes more than one takes.

    Returns:
        0, also while it pends, or the code that it has failed with.
    """
    room = _writable(buff)
    half = len(room) // 2
    code, _ = _begun(mswsock.AcceptEx, listening, accepting, room, 0, half, half, _Request(obj))
    return 0 if code == ERROR_IO_PENDING else code


def get_accept_addrs(s: int, buff: Any) -> tuple[int, tuple[str, int] | None, tuple[str, int] | None]:
    """What `accept` has left in its buffer: the family, the local and the remote address."""
    half = memoryview(buff).nbytes // 2
    local, remote = mswsock.GetAcceptExSockaddrs(buff, 0, half, half)
    return remote.family, makesockaddr(local or b""), makesockaddr(remote)


def connect(s: int, addr: Sequence[Any], obj: Any) -> int:
    """Begin to connect a bound socket.

    Args:
        addr: (host, port), or (host, port, flow, scope) for IPv6; the host is numeric.

    Returns:
        0, also while it pends, or the code that it has failed with.

    Raises:
        ValueError: the host is no address, or the tuple has another length.
        OSError: no socket.
    """
    name = _unpack_address(_protocol(s).address_family, addr)
    code, _ = _begun(mswsock.ConnectEx, s, name, None, _Request(obj))
    return 0 if code == ERROR_IO_PENDING else code


def recv(s: int, bufflist: Sequence[Any], obj: Any, flags: int = 0) -> tuple[int, int]:
    """Begin to receive into several buffers: the code and the bytes.

    Raises:
        TypeError: a buffer that cannot be written to.
    """
    return _begun(ws2_32.WSARecv, s, [_writable(buffer) for buffer in bufflist], flags, _Request(obj))


def recvfrom(s: int, buff: Any, addr_buff: Any, addr_len_buff: Any, obj: Any, flags: int = 0) -> tuple[int, int]:
    """Begin to receive a datagram: the code and the bytes.

    Args:
        addr_buff, addr_len_buff: get the sender, in Windows' layout, and its length, an int of C, with the datagram.

    Raises:
        ValueError: ``addr_len_buff`` has not the size of an int.
    """
    room, name, length = _writable(buff), _writable(addr_buff), _writable(addr_len_buff)
    if len(length) != _INT.size:
        raise ValueError("length of address length buffer needs to be sizeof(int)")
    _INT.pack_into(length, 0, len(name))
    return _begun(ws2_32.WSARecvFrom, s, (room,), flags, len(name), _ReceiveFrom(obj, name, length))


def send(s: int, buff: Any, obj: Any, flags: int = 0) -> tuple[int, int]:
    """Begin to send: the code and the bytes."""
    data = buff if type(buff) is bytes else memoryview(buff)
    return _begun(ws2_32.WSASend, s, (data,), flags, _Request(obj))


def _writable(buffer: Any) -> memoryview:
    view = memoryview(buffer)
    if view.readonly:
        raise TypeError("expected a writable bytes-like object")
    return view.cast("B") if view.format != "B" or view.ndim != 1 else view
