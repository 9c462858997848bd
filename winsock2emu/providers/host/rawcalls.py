"""Calls of the C library and the kernel that the socket module has no form for.

Part played:     the gap between Python's sockets and the host's.
"""

from __future__ import annotations

import _socket
import array
import ctypes
import errno
import fcntl
import functools
import struct
import sys
import termios
from typing import Any

from .translate import HOST_PEEK, HOST_TRUNC, HOST_UNSPEC, from_host

_IS_LINUX = sys.platform == "linux"
_SOL_SOCKET = int(_socket.SOL_SOCKET)
_SO_PEEK_OFF = 42  # linux/socket.h
_SIOCATMARK = 0x8905 if _IS_LINUX else 0x40047307
_SO_NWRITE = 0x1024  # macOS: bytes in the send buffer


@functools.cache
def _library() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _connect_unspecified(descriptor: int) -> int:
    """Connect to an AF_UNSPEC address; the errno, 0 on success."""
    # Sixteen zero bytes are an AF_UNSPEC address in both layouts, with and without a length byte.
    name = HOST_UNSPEC.to_bytes(2, "little") + bytes(14)
    return ctypes.get_errno() if _library().connect(descriptor, name, len(name)) else 0


def disconnect(descriptor: int) -> None:
    """Take away the default peer of a datagram socket."""
    number = _connect_unspecified(descriptor)
    if number and number != errno.EAFNOSUPPORT:  # the BSDs do it and complain
        raise from_host(OSError(number, ""))


def reset(descriptor: int) -> bool:
    """Reset a TCP connection without closing its socket; False where the host cannot (all but Linux)."""
    return _IS_LINUX and not _connect_unspecified(descriptor)


def readable(host: _socket.socket) -> int:
    """Bytes that the next receive can have; of datagrams the first one's, on Linux."""
    count = array.array("i", [0])
    fcntl.ioctl(host.fileno(), termios.FIONREAD, count)
    return count[0]


def queued_datagrams(host: _socket.socket) -> list[int] | None:
    """The sizes of the datagrams that wait on a UDP socket, oldest first; None where the host cannot tell.

    Only Linux can. Datagrams without data may be missing. Until it returns, other peeks at this socket see later
    datagrams than they should.

    Raises:
        OSError: what else a receive would tell.
    """
    if not _IS_LINUX:
        return None
    try:
        host.setsockopt(_SOL_SOCKET, _SO_PEEK_OFF, 0)
    except OSError:
        return None  # a kernel that is too old
    sizes = []
    room = bytearray(1)
    try:
        while True:
            # Each peek begins where the last one ended, and with MSG_TRUNC it ends with its datagram.
            sizes.append(host.recv_into(room, 1, HOST_PEEK | HOST_TRUNC))
    except BlockingIOError:
        return sizes
    finally:
        host.setsockopt(_SOL_SOCKET, _SO_PEEK_OFF, -1)


def at_mark(host: _socket.socket) -> bool:
    """True when urgent data, kept in the stream, is what the next receive begins with."""
    answer = array.array("i", [0])
    fcntl.ioctl(host.fileno(), _SIOCATMARK, answer)
    return bool(answer[0])


def unsent(host: _socket.socket) -> int:
    """Bytes of a TCP connection that the peer has not acknowledged, its end included; 0 where the host cannot tell."""
    if _IS_LINUX:
        count = array.array("i", [0])
        fcntl.ioctl(host.fileno(), termios.TIOCOUTQ, count)
        return count[0]
    return host.getsockopt(int(_socket.SOL_SOCKET), _SO_NWRITE) if sys.platform == "darwin" else 0


# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
_AF_NETLINK = 16
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301
_LAST_ONES = (2, 3)  # types of an answer: an error, the end
_LISTENING = 1 << 10  # TCP_LISTEN, as a bit
_ANY_COOKIE = b"\xff" * 8
_HEADER = struct.Struct("=IHHII")
_AT_QUEUES = _HEADER.size + 56  # in an inet_diag_msg: callers that wait, and their limit


def backlog_is_full(port: int) -> bool:
    """True when sockets of this machine listen at a TCP port and none has room for another caller (Linux)."""
    if not _IS_LINUX:
        return False
    try:
        queues = [*_listeners(int(_socket.AF_INET), port), *_listeners(int(_socket.AF_INET6), port)]
    except OSError:
        return False  # a sandbox without netlink
    return bool(queues) and all(waiting > limit for waiting, limit in queues)


def _listeners(family: int, port: int) -> list[tuple[int, int]]:
    """Of each socket that listens at a TCP port: the callers that wait, and their limit."""
    question = struct.pack("=BBBxI", family, int(_socket.IPPROTO_TCP), 0, _LISTENING)
    question += port.to_bytes(2, "big") + bytes(38) + _ANY_COOKIE
    found: list[tuple[int, int]] = []
    link = _socket.socket(_AF_NETLINK, int(_socket.SOCK_RAW), _NETLINK_SOCK_DIAG)
    try:
        link.settimeout(1.0)
        link.send(_HEADER.pack(_HEADER.size + len(question), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 0, 0) + question)
        while True:
            answer = memoryview(link.recv(65536))
            while answer:
                size, kind, *_ = _HEADER.unpack_from(answer)
                if kind in _LAST_ONES:
                    return found
                if answer[_HEADER.size + 4 : _HEADER.size + 6] == port.to_bytes(2, "big"):
                    waiting, limit = struct.unpack_from("=II", answer, _AT_QUEUES)
                    found.append((waiting, limit))
                answer = answer[(size + 3) & ~3 :]
    finally:
        link.close()
