"""Between the host's numbers and Windows': errno, families, flags, addresses.

Part played:     the helper DLL wshtcpip.
Lives here:      every table that knows both sides; host values are turned into plain ints once, at import.
Lives elsewhere: what a code means in a given state of a socket (stream, datagram).
Sources:         table T16.1 of the project's reference, ws2def.h on one side, POSIX on the other.
"""

from __future__ import annotations

import _socket
import errno as host
import os
from typing import Any

from ...defs.codes import (
    WSA_NOT_ENOUGH_MEMORY,
    WSAEACCES,
    WSAEADDRINUSE,
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEALREADY,
    WSAECONNABORTED,
    WSAECONNREFUSED,
    WSAECONNRESET,
    WSAEDESTADDRREQ,
    WSAEFAULT,
    WSAEHOSTDOWN,
    WSAEHOSTUNREACH,
    WSAEINVAL,
    WSAEISCONN,
    WSAELOOP,
    WSAEMFILE,
    WSAEMSGSIZE,
    WSAENAMETOOLONG,
    WSAENETDOWN,
    WSAENETRESET,
    WSAENETUNREACH,
    WSAENOBUFS,
    WSAENOPROTOOPT,
    WSAENOTCONN,
    WSAENOTSOCK,
    WSAEOPNOTSUPP,
    WSAEPFNOSUPPORT,
    WSAEPROTONOSUPPORT,
    WSAEPROTOTYPE,
    WSAESHUTDOWN,
    WSAESOCKTNOSUPPORT,
    WSAETIMEDOUT,
    WSAETOOMANYREFS,
    WSAEWOULDBLOCK,
    WSAHOST_NOT_FOUND,
    WSANO_DATA,
    WSANO_RECOVERY,
    WSATRY_AGAIN,
    WSATYPE_NOT_FOUND,
)
from ...defs.constants import AF_INET, AF_INET6, AF_UNIX, MSG_DONTROUTE, MSG_OOB, MSG_PEEK
from ...defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ...errors import WinsockError

HOST_INET = int(_socket.AF_INET)
HOST_INET6 = int(_socket.AF_INET6)
HOST_UNIX = int(_socket.AF_UNIX)
HOST_UNSPEC = int(_socket.AF_UNSPEC)

HOST_FAMILY = {AF_INET: HOST_INET, AF_INET6: HOST_INET6, AF_UNIX: HOST_UNIX}
_UNIX_FAMILY = AF_UNIX.to_bytes(2, "little")
WINDOWS_FAMILY = {number: family for family, number in HOST_FAMILY.items()}

# A host without the flag raises the option SO_NOSIGPIPE on each socket instead (stream.py).
NOSIGNAL = int(getattr(_socket, "MSG_NOSIGNAL", 0))
HOST_PEEK = int(_socket.MSG_PEEK)
HOST_OOB = int(_socket.MSG_OOB)
HOST_TRUNC = int(getattr(_socket, "MSG_TRUNC", 0))
HOST_ERRQUEUE = int(getattr(_socket, "MSG_ERRQUEUE", 0))

_FLAGS = ((MSG_OOB, HOST_OOB), (MSG_PEEK, HOST_PEEK), (MSG_DONTROUTE, int(_socket.MSG_DONTROUTE)))


def host_flags(flags: int) -> int:
    """The host's bits for MSG_OOB, MSG_PEEK and MSG_DONTROUTE; the other flags have no host side."""
    return sum(theirs for ours, theirs in _FLAGS if flags & ours)


# Contested rows: EINPROGRESS, because only connect sees it and Winsock says WSAEWOULDBLOCK there; EPIPE, which the
# stream's state overrules (shut down here, or reset by the peer); EBADF, since a closed descriptor is no socket any
# more.
WSA_OF_ERRNO = {
    host.EACCES: WSAEACCES,
    host.EPERM: WSAEACCES,
    host.EADDRINUSE: WSAEADDRINUSE,
    host.EADDRNOTAVAIL: WSAEADDRNOTAVAIL,
    host.EAFNOSUPPORT: WSAEAFNOSUPPORT,
    host.EAGAIN: WSAEWOULDBLOCK,
    host.EALREADY: WSAEALREADY,
    host.EBADF: WSAENOTSOCK,
    host.ECONNABORTED: WSAECONNABORTED,
    host.ECONNREFUSED: WSAECONNREFUSED,
    host.ECONNRESET: WSAECONNRESET,
    host.EDESTADDRREQ: WSAEDESTADDRREQ,
    host.EFAULT: WSAEFAULT,
    host.EHOSTDOWN: WSAEHOSTDOWN,
    host.EHOSTUNREACH: WSAEHOSTUNREACH,
    host.EINPROGRESS: WSAEWOULDBLOCK,
    host.EINVAL: WSAEINVAL,
    host.EISCONN: WSAEISCONN,
    host.ELOOP: WSAELOOP,
    host.EMFILE: WSAEMFILE,
    host.ENFILE: WSAEMFILE,
    host.EMSGSIZE: WSAEMSGSIZE,
    host.ENAMETOOLONG: WSAENAMETOOLONG,
    host.ENETDOWN: WSAENETDOWN,
    host.ENETRESET: WSAENETRESET,
    host.ENETUNREACH: WSAENETUNREACH,
    host.ENOBUFS: WSAENOBUFS,
    host.ENOMEM: WSAENOBUFS,
    host.ENOPROTOOPT: WSAENOPROTOOPT,
    host.ENOTCONN: WSAENOTCONN,
    host.ENOTSOCK: WSAENOTSOCK,
    host.ENOTSUP: WSAEOPNOTSUPP,
    host.EOPNOTSUPP: WSAEOPNOTSUPP,
    host.EPFNOSUPPORT: WSAEPFNOSUPPORT,
    host.EPIPE: WSAECONNRESET,
    host.EPROTONOSUPPORT: WSAEPROTONOSUPPORT,
    host.EPROTOTYPE: WSAEPROTOTYPE,
    host.ESHUTDOWN: WSAESHUTDOWN,
    host.ESOCKTNOSUPPORT: WSAESOCKTNOSUPPORT,
    host.ETIMEDOUT: WSAETIMEDOUT,
    host.ETOOMANYREFS: WSAETOOMANYREFS,
    # AF_UNIX paths: a file or folder that is not there is a dead network to Windows, by its table of NT status codes.
    host.ENOENT: WSAENETDOWN,
    host.ENOTDIR: WSAENETDOWN,
}

_WSA_OF_EAI = {
    _socket.EAI_AGAIN: WSATRY_AGAIN,
    _socket.EAI_BADFLAGS: WSAEINVAL,
    _socket.EAI_FAIL: WSANO_RECOVERY,
    _socket.EAI_FAMILY: WSAEAFNOSUPPORT,
    _socket.EAI_MEMORY: WSA_NOT_ENOUGH_MEMORY,
    _socket.EAI_NONAME: WSAHOST_NOT_FOUND,
    _socket.EAI_SERVICE: WSATYPE_NOT_FOUND,
    _socket.EAI_SOCKTYPE: WSAESOCKTNOSUPPORT,
}
for _name in ("EAI_NODATA", "EAI_ADDRFAMILY"):
    if hasattr(_socket, _name):
        # A literal of another family than was asked for: gai-ipv6-brackets-family, and trio's tests for Windows.
        _WSA_OF_EAI[getattr(_socket, _name)] = WSAHOST_NOT_FOUND

# h_errno of the older functions; netdb.h has these numbers everywhere.
_WSA_OF_H_ERRNO = {1: WSAHOST_NOT_FOUND, 2: WSATRY_AGAIN, 3: WSANO_RECOVERY, 4: WSANO_DATA}


def wsa_code(failure: OSError) -> int:
    """The Winsock code for a host failure where nothing more is known of the situation."""
    return WSA_OF_ERRNO.get(failure.errno or 0, WSAEINVAL)


def from_host(failure: OSError) -> WinsockError:
    """The Winsock error for a host failure where nothing more is known of the situation."""
    return WinsockError(wsa_code(failure))


def from_resolver(failure: OSError) -> WinsockError:
    """The Winsock error for a failed host look-up (socket.gaierror and socket.herror included)."""
    codes = _WSA_OF_H_ERRNO if isinstance(failure, _socket.herror) else _WSA_OF_EAI
    return WinsockError(codes.get(failure.errno or 0, WSAHOST_NOT_FOUND))


# Translated addresses, both ways. Programs use few; a program that uses many only pays the translation again.
_CACHE_LIMIT = 4096
_to_host: dict[bytes, Any] = {}
_from_host: dict[Any, SockAddr] = {}


def host_address(name: bytes) -> Any:
    """An IP address in the form that host socket calls take; the caller has checked family and length."""
    address = _to_host.get(name)
    if address is None:
        windows = SockAddr(name)
        if windows.family == AF_INET:
            address = (windows.host, windows.port)
        else:
            address = (
                _socket.inet_ntop(HOST_INET6, windows.packed),
                windows.port,
                windows.flowinfo,
                windows.scope_id,
            )
        if len(_to_host) >= _CACHE_LIMIT:
            _to_host.clear()
        _to_host[bytes(name)] = address
    return address


known_address = _from_host.get
"""The Windows form of a host address that `windows_address` has translated before, else None."""


def windows_address(address: Any, family: int) -> SockAddr:
    """A host address in Windows' memory layout; ``family`` is the host's."""
    known = _from_host.get(address)
    if known is not None:
        return known
    if family == HOST_INET:
        known = sockaddr_in(_socket.inet_aton(address[0]), address[1])
    elif family == HOST_INET6:
        host_text = address[0].partition("%")[0]
        known = sockaddr_in6(_socket.inet_pton(HOST_INET6, host_text), address[1], address[2], address[3])
    else:
        # No name, a path, or bytes: an abstract name of Linux, which Windows has no form for.
        path = os.fsencode(address) if isinstance(address, str) else b""
        return SockAddr(_UNIX_FAMILY + path + b"\0") if path else SockAddr(_UNIX_FAMILY)
    if len(_from_host) >= _CACHE_LIMIT:
        _from_host.clear()
    _from_host[address] = known
    return known
