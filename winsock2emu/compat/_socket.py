"""``_socket``: the extension module under the socket module, as CPython has it on Windows.

Part played:     Modules/socketmodule.c of CPython, built for Windows.
Lives here:      the class `Socket`, the module's functions, and CPython's own rules on top of Winsock: time-outs by
                 select, a connect that waits for its outcome, addresses as tuples, audit events, exceptions.
Lives elsewhere: every call (ws2_32), which constants there are (_profiles), the module for programs (socket).
Class:           a real subclass of the host's class, on the same number: it passes every isinstance check, its
                 ``fileno()`` is the descriptor. The host's methods are not used on it, nor do they close it.
Time-outs:       a try comes before the wait, where CPython waits first: the outcome is the same. What another thread
                 closes under a call is WSAENOTSOCK, since CPython tries again with a socket that it has not any more.
Descriptors:     ``detach`` leaves a SOCKET behind, and ``fileno=`` takes one up again; a socket of the host that is no
                 SOCKET yet is adopted.
Differences:     the audit event ``socket.__new__`` comes after the call that makes the socket, and comes for
                 descriptors as well; the host's calls underneath raise theirs, with objects that are no `Socket`.
                 Interfaces have the host's names. gethostbyaddr tells no aliases.
Host's library:  asyncio, ssl and others that keep the host's socket module may be given a `Socket`. They ask for
                 options by the host's SOL_SOCKET, which is no level of Winsock's: it and the options that have int
                 values are understood.
Missing:         addresses of other families than AF_INET and AF_INET6 (Bluetooth, Hyper-V): "bad family"; sockets that
                 are no descriptors of the host.
Sources:         Modules/socketmodule.c of CPython 3.11 to 3.13; the "socket" part of its library reference.
"""

from __future__ import annotations

import _socket as host
import struct
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from math import ceil, isnan
from operator import index
from socket import socket as HostSocket
from time import monotonic
from types import ModuleType
from typing import Any, Final, NoReturn

from .. import kernel32, ws2_32
from ..defs import constants
from ..defs.addresstext import inet_pton as packed_text
from ..defs.codes import (
    WSAEAFNOSUPPORT,
    WSAECONNRESET,
    WSAEINTR,
    WSAEISCONN,
    WSAENOTSOCK,
    WSAEWOULDBLOCK,
)
from ..defs.constants import (
    AF_INET,
    AF_INET6,
    AI_NUMERICHOST,
    FIONBIO,
    FROM_PROTOCOL_INFO,
    HANDLE_FLAG_INHERIT,
    INADDR_NONE,
    NI_NAMEREQD,
    SD_BOTH,
    SIO_KEEPALIVE_VALS,
    SIO_LOOPBACK_FAST_PATH,
    SIO_RCVALL,
    SO_ERROR,
    SO_TYPE,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    WSA_FLAG_NO_HANDLE_INHERIT,
    WSA_FLAG_OVERLAPPED,
)
from ..defs.records import PROTOCOL_INFOW_SIZE, AddrInfo, ProtocolInfo
from ..defs.sockaddr import SockAddr, sockaddr_in, sockaddr_in6
from ..defs.winbase import ComputerNamePhysicalDnsHostname
from ..errors import WinsockError
from ..process import Process
from . import _adopt, _profiles
from ._finalizers import finish

_READ: Final = False
_WRITE: Final = True
_DEFAULT_BACKLOG: Final = 128
_MOST_OPTION_BYTES: Final = 1024
_MOST_SECONDS: Final = 2**31 - 1
# What the host's object is told, for OpenSSL, which asks it: the descriptor is non-blocking, so "blocking" would spin.
_FOR_EVER: Final = 2_000_000.0


class gaierror(OSError):
    """getaddrinfo or getnameinfo has failed; the number is Winsock's, 11001 and up above all."""

    winerror: int | None = None


class herror(OSError):
    """One of the older functions for names has failed."""

    winerror: int | None = None


for _kind in (gaierror, herror):
    _kind.__module__ = "socket"


class _Defaults:
    """What the module remembers.

    Attributes:
        timeout: of new sockets, in seconds; None for blocking ones.
    """

    timeout: float | None = None


_defaults = _Defaults()


# Arguments


def _timeout(value: Any) -> float | None:
    """A time-out in seconds, checked."""
    if value is None:
        return None
    if not isinstance(value, int | float):
        value = index(value)
    if isnan(value):
        raise ValueError("Invalid value NaN (not a number)")
    if value < 0:
        raise ValueError("Timeout value out of range")
    if value > _MOST_SECONDS:
        if value > 2**63 / 10**9:
            raise OverflowError("timestamp too large to convert to C PyTime_t")
        raise OverflowError("timeout doesn't fit into C timeval")
    return float(value)


def _int(value: Any) -> int:
    """An argument that C has as an int."""
    number = index(value)
    if not -(2**31) <= number < 2**31:
        raise OverflowError("Python int too large to convert to C int")
    return number


def _view(data: Any) -> Any:
    """A buffer of bytes to send."""
    if type(data) is bytes:
        return data
    try:
        view = memoryview(data)
    except TypeError:
        raise TypeError(f"a bytes-like object is required, not {type(data).__name__!r}") from None
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")


def _room(buffer: Any, nbytes: int, too_small: str, caller: str) -> memoryview:
    """The part of a caller's buffer to receive into."""
    try:
        view = memoryview(buffer)
    except TypeError:
        view = memoryview(b"")
    if view.readonly:
        what = type(buffer).__name__
        raise TypeError(f"{caller}() argument 1 must be read-write bytes-like object, not {what}")
    view = view.cast("B") if view.format != "B" or view.ndim != 1 else view
    if nbytes < 0:
        raise ValueError(f"negative buffersize in {caller}")
    if nbytes > len(view):
        raise ValueError(too_small)
    return view[:nbytes] if nbytes else view


def _host_text(name: Any) -> str:
    """A host name as text in ASCII."""
    if isinstance(name, str):
        if not name.isascii():
            try:
                name = name.encode("idna").decode("ascii")
            except UnicodeError:
                raise TypeError("encoding of hostname failed") from None
    elif isinstance(name, bytes | bytearray):
        name = name.decode("latin-1")
    else:
        raise TypeError(f"str, bytes or bytearray expected, not {type(name).__name__}")
    if "\0" in name:
        raise TypeError("host name must not contain null character")
    text: str = name
    return text


def _idna(name: Any) -> str:
    """A host name as the functions for names take it."""
    if isinstance(name, str):
        text = name.encode("idna").decode("ascii")
    elif isinstance(name, bytes | bytearray):
        text = name.decode("latin-1")
    else:
        raise TypeError(f"argument 1 must be str, not {type(name).__name__}")
    if "\0" in text:
        raise ValueError("embedded null byte")
    return text


# Addresses


def _lookup(node: str | None, service: str | None, hints: AddrInfo) -> list[AddrInfo]:
    try:
        return ws2_32.getaddrinfo(node, service, hints)
    except WinsockError as failure:
        raise gaierror(failure.winerror, "getaddrinfo failed") from None


def _resolve(name: str, family: int) -> SockAddr:
    """The address of a name, as setipaddr finds it: "" is any address, "<broadcast>" the limited broadcast."""
    if not name:
        if family == AF_INET6:
            return sockaddr_in6(bytes(16))
        if family == AF_INET:
            return sockaddr_in(bytes(4))
        raise OSError("wildcard resolved to multiple address")
    if name in ("255.255.255.255", "<broadcast>"):
        if family not in (AF_INET, 0):
            raise OSError("address family mismatched")
        return sockaddr_in(b"\xff\xff\xff\xff")
    if family in (AF_INET, 0):
        numeric, packed = packed_text(AF_INET, name)
        if numeric:
            return sockaddr_in(packed)
    if family in (AF_INET6, 0) and "%" not in name:
        numeric, packed = packed_text(AF_INET6, name)
        if numeric:
            return sockaddr_in6(packed)
    found = _lookup(name, None, AddrInfo(family=family))[0].addr
    assert found is not None
    return found


def _address(family: int, address: Any, caller: str) -> SockAddr:
    """A socket address from its tuple."""
    if family == AF_INET:
        form, most = "AF_INET address must be a pair (host, port)", 2
    elif family == AF_INET6:
        form, most = "AF_INET6 address must be a tuple (host, port[, flowinfo[, scopeid]])", 4
    else:
        raise OSError(f"{caller}(): bad family")
    if not isinstance(address, tuple):
        kind = "AF_INET6" if most == 4 else "AF_INET"
        raise TypeError(f"{caller}(): {kind} address must be tuple, not {type(address).__name__}")
    if not 2 <= len(address) <= most:
        raise TypeError(form)
    name = _host_text(address[0])
    port, *rest = map(index, address[1:])
    if not -(2**31) <= port < 2**31:
        raise OverflowError(f"{caller}(): port must be 0-65535.")
    found = _resolve(name, family)
    if not 0 <= port <= 0xFFFF:
        raise OverflowError(f"{caller}(): port must be 0-65535.")
    if family == AF_INET:
        return sockaddr_in(found.packed, port)
    flowinfo, scope_id = (*(part & 0xFFFFFFFF for part in rest), 0, 0)[:2]
    if flowinfo > 0xFFFFF:
        raise OverflowError(f"{caller}(): flowinfo must be 0-1048575.")
    return sockaddr_in6(found.packed, port, flowinfo, scope_id)


def _tuple(address: SockAddr | None) -> Any:
    """A socket address as a tuple. Where Windows leaves an address alone there is the family 0."""
    if address is None:
        return 0, bytes(14)
    family = address.family
    if family == AF_INET:
        return address.host, address.port
    if family == AF_INET6:
        return address.host, address.port, address.flowinfo, address.scope_id
    return family, bytes(address[2:])


class _Missing:
    """A method that the host's class has and Windows' has not."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__!r} object has no attribute {self._name!r}")


class Socket(_adopt.EmulatedSocket, HostSocket):
    """A socket object without what socket.py adds.

    Args:
        family, type, proto: -1 for AF_INET and SOCK_STREAM, or for what ``fileno`` is.
        fileno: a SOCKET, or the bytes of `share`; None makes a new socket.
    """

    __slots__ = ("_process", "_timeout")

    _process: Process
    _timeout: float | None

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: Any = None) -> None:
        process = self._process = _adopt.started()
        self._timeout = None
        if fileno is None:
            family = AF_INET if family == -1 else _int(family)
            type = SOCK_STREAM if type == -1 else _int(type)
            proto = 0 if proto == -1 else _int(proto)
            flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT
            handle = ws2_32.WSASocket(family, type, proto, None, 0, flags)
        elif isinstance(fileno, bytes):
            info = _shared(fileno)
            family, type, proto = info.address_family, info.socket_type, info.protocol
            handle = _open_shared(info)
        else:
            handle = index(fileno)
            if handle == -1 or handle == 2**64 - 1:
                raise ValueError("negative file descriptor")
            family, type, proto = _known(process, handle, int(family), int(type), int(proto))
            host.socket.__init__(self, family, type, proto, handle)
            self._begin()
            return
        try:
            host.socket.__init__(self, family, type, proto, handle)
            self._begin()
        except BaseException:
            host.socket.detach(self)
            ws2_32.closesocket(handle)
            raise

    def _begin(self) -> None:
        host.socket.settimeout(self, _FOR_EVER)
        if _defaults.timeout is not None:
            self.settimeout(_defaults.timeout)

    def __repr__(self) -> str:
        numbers = f"fd={self.fileno()}, family={self.family}, type={self.type}, proto={self.proto}"
        return f"<socket object, {numbers}>"

    def __del__(self) -> None:
        handle = host.socket.fileno(self)
        if handle != -1:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=1, source=self)
            finish(self._close_quietly)

    def _close_quietly(self) -> None:
        with suppress(WinsockError):
            Socket.close(self)

    # What the host's object knows

    @property
    def family(self) -> Any:
        """The address family, Windows' number."""
        return _host_family(self)

    @property
    def type(self) -> Any:
        """SOCK_STREAM, SOCK_DGRAM or another."""
        return _host_type(self)

    def fileno(self) -> int:
        """The SOCKET, -1 after `close`."""
        return host.socket.fileno(self)

    def detach(self) -> int:
        """Give the SOCKET up without closing it."""
        handle = host.socket.detach(self)
        if handle != -1:
            _adopt.leave(handle, self._process)
        return handle

    # Life

    def close(self) -> None:
        """Close the socket; a connection that the peer has reset closes like any other."""
        handle = host.socket.detach(self)
        if handle == -1:
            return
        try:
            with self._process.active():
                ws2_32.closesocket(handle)
        except WinsockError as failure:
            if failure.winerror != WSAECONNRESET:
                raise

    def bind(self, address: Any, /) -> None:
        """Give the socket its local address."""
        name = _address(_host_family(self), address, "bind")
        sys.audit("socket.bind", self, address)
        ws2_32.bind(host.socket.fileno(self), name)

    def listen(self, backlog: int = _DEFAULT_BACKLOG, /) -> None:
        """Let connection requests queue up."""
        ws2_32.listen(host.socket.fileno(self), max(0, _int(backlog)))

    def _accept(self) -> tuple[int, Any]:
        """Take a connection request: (SOCKET, address)."""
        handle, address = self._call(_READ, ws2_32.accept)
        return handle, _tuple(address)

    def connect(self, address: Any, /) -> None:
        """Connect, or fail with why not."""
        name = _address(_host_family(self), address, "connect")
        sys.audit("socket.connect", self, address)
        self._connect(name)

    def connect_ex(self, address: Any, /) -> int:
        """Connect: 0 or a Winsock code; WSAEWOULDBLOCK also when the time-out has passed."""
        name = _address(_host_family(self), address, "connect_ex")
        sys.audit("socket.connect", self, address)
        try:
            self._connect(name)
        except WinsockError as failure:
            return failure.winerror
        except TimeoutError:
            return WSAEWOULDBLOCK
        return 0

    def _connect(self, name: SockAddr) -> None:
        try:
            ws2_32.connect(host.socket.fileno(self), name)
            return
        except WinsockError as failure:
            timeout = self._timeout
            if timeout == 0 or not (failure.winerror == WSAEINTR or (timeout and failure.winerror == WSAEWOULDBLOCK)):
                raise
        # Winsock tells of a failure in the except set only.
        self._wait(_WRITE, None if timeout is None else monotonic() + timeout, connect=True)
        error = int.from_bytes(ws2_32.getsockopt(host.socket.fileno(self), SOL_SOCKET, SO_ERROR, 4), "little")
        if error and error != WSAEISCONN:
            raise WinsockError(error)

    def shutdown(self, how: int, /) -> None:
        """End one direction or both; both of a connection that is gone as well, see `_adopt.AdoptedSocket.shutdown`."""
        try:
            ws2_32.shutdown(host.socket.fileno(self), _int(how))
        except ConnectionError:
            if how != SD_BOTH:
                raise

    def getsockname(self) -> Any:
        """The local address."""
        return _tuple(ws2_32.getsockname(host.socket.fileno(self)))

    def getpeername(self) -> Any:
        """The address of the peer."""
        return _tuple(ws2_32.getpeername(host.socket.fileno(self)))

    # Time-outs

    def setblocking(self, flag: Any, /) -> None:
        """Wait for ever, or not at all."""
        self._set_timeout(None if flag else 0.0)

    def settimeout(self, value: float | None, /) -> None:
        """Wait for so many seconds; None for ever, 0 not at all."""
        self._set_timeout(_timeout(value))

    def _set_timeout(self, value: float | None) -> None:
        self._timeout = value
        if self.fileno() != -1:
            host.socket.settimeout(self, _FOR_EVER if value is None else min(value, _FOR_EVER))
        ws2_32.ioctlsocket(self.fileno(), FIONBIO, int(value is not None))

    def gettimeout(self) -> float | None:
        """The time-out in seconds; None for a blocking socket."""
        return self._timeout

    def getblocking(self) -> bool:
        """Calls wait, if only for a time."""
        return self._timeout != 0

    @property
    def timeout(self) -> float | None:
        """The socket timeout."""
        return self._timeout

    def _call(self, writing: bool, call: Callable[..., Any], *arguments: Any, deadline: float | None = None) -> Any:
        """Carry out a call that may have to wait, by CPython's rules.

        A failure keeps no buffer in its traceback: a program may resize its own, or read on into it, while it handles
        that.
        """
        try:
            while True:
                try:
                    return call(host.socket.fileno(self), *arguments)
                except WinsockError as failure:
                    code = failure.winerror
                    if code == WSAEINTR:
                        continue  # closed meanwhile: it has no SOCKET any more
                    timeout = self._timeout
                    if code != WSAEWOULDBLOCK or not timeout:
                        failure.__cause__ = failure.__context__ = None
                        raise failure.with_traceback(None)  # noqa: B904
                if deadline is None:
                    deadline = monotonic() + timeout
                self._wait(writing, deadline)
        finally:
            del arguments

    def _wait(self, writing: bool, deadline: float | None, *, connect: bool = False) -> None:
        """Wait until the socket is ready; TimeoutError when the time is over."""
        handle = host.socket.fileno(self)
        if handle == -1:
            return
        limit = None
        if deadline is not None:
            left_s = deadline - monotonic()
            if left_s < 0:
                raise TimeoutError("timed out")
            limit = divmod(ceil(left_s * 1_000_000), 1_000_000)
        one = [handle]
        if not any(ws2_32.select(None if writing else one, one if writing else None, one if connect else None, limit)):
            raise TimeoutError("timed out")

    # Data

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send: the number of bytes taken."""
        count: int = self._call(_WRITE, ws2_32.send, _view(data), int(flags))
        return count

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send everything, within the time-out altogether."""
        left = _view(data)
        deadline = monotonic() + self._timeout if self._timeout else None
        try:
            while True:
                count = self._call(_WRITE, ws2_32.send, left, int(flags), deadline=deadline)
                if count >= len(left):
                    return
                left = memoryview(left)[count:]
                if deadline is not None and monotonic() >= deadline:
                    raise TimeoutError("timed out")
        finally:
            del left

    def sendto(self, data: Any, *rest: Any) -> int:
        """Send a datagram: sendto(data[, flags], address)."""
        if not 1 <= len(rest) <= 2:
            raise TypeError(f"sendto() takes 2 or 3 arguments ({len(rest) + 1} given)")
        view = _view(data)
        flags = _int(rest[0]) if len(rest) == 2 else 0
        name = _address(_host_family(self), rest[-1], "sendto")
        sys.audit("socket.sendto", self, rest[-1])
        try:
            count: int = self._call(_WRITE, ws2_32.sendto, view, flags, name)
        finally:
            del view
        return count

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive at most so many bytes."""
        if bufsize < 0:
            raise ValueError("negative buffersize in recv")
        buffer = bytearray(bufsize)
        if not bufsize:
            return b""
        count = self._call(_READ, ws2_32.recv, buffer, int(flags))
        return _head(buffer, count)

    def recv_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> int:
        """Receive into a buffer: the number of bytes."""
        view = _room(buffer, nbytes, "buffer too small for requested bytes", "recv_into")
        if not view:
            return 0
        try:
            count: int = self._call(_READ, ws2_32.recv, view, int(flags))
        finally:
            del view
        return count

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Any]:
        """Receive a datagram and its sender."""
        if bufsize < 0:
            raise ValueError("negative buffersize in recvfrom")
        buffer = bytearray(bufsize)
        count, address = self._call(_READ, ws2_32.recvfrom, buffer, int(flags))
        return _head(buffer, count), _tuple(address)

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        """Receive a datagram into a buffer: the number of bytes, and the sender."""
        view = _room(buffer, nbytes, "nbytes is greater than the length of the buffer", "recvfrom_into")
        try:
            count, address = self._call(_READ, ws2_32.recvfrom, view, int(flags))
        finally:
            del view
        return count, _tuple(address)

    # Options

    def getsockopt(self, level: int, option: int, buflen: int = 0, /) -> Any:
        """An option as an int, or as at most ``buflen`` bytes."""
        level, option = _level_and_option(level, option)
        if not buflen:
            value = ws2_32.getsockopt(host.socket.fileno(self), level, option, 4)
            return int.from_bytes(value[:4].ljust(4, b"\0"), "little", signed=True)
        if not 0 < buflen <= _MOST_OPTION_BYTES:
            raise OSError("getsockopt buflen out of range")
        return bytes(ws2_32.getsockopt(host.socket.fileno(self), level, option, buflen))

    def setsockopt(self, level: int, option: int, value: Any, optlen: int | None = None, /) -> None:
        """Set an option from an int or from bytes; None with a length stands for no value."""
        level, option = _level_and_option(level, option)
        if isinstance(value, int):
            if not -(2**31) <= value < 2**31:
                raise TypeError(f"a bytes-like object is required, not {type(value).__name__!r}")
        elif value is not None:
            value = bytes(_view(value))
        elif optlen is None:
            raise TypeError("a bytes-like object is required, not 'NoneType'")
        ws2_32.setsockopt(host.socket.fileno(self), level, option, value)

    def ioctl(self, command: int, option: Any, /) -> int:
        """Carry out SIO_RCVALL, SIO_LOOPBACK_FAST_PATH (an int) or SIO_KEEPALIVE_VALS (on, ms, ms)."""
        if command in (SIO_RCVALL, SIO_LOOPBACK_FAST_PATH):
            data = struct.pack("<I", index(option) & 0xFFFFFFFF)
        elif command == SIO_KEEPALIVE_VALS:
            if not isinstance(option, tuple) or len(option) != 3:
                raise TypeError(f"ioctl() argument 2 must be 3-item tuple, not {type(option).__name__}")
            data = struct.pack("<3I", *(index(part) & 0xFFFFFFFF for part in option))
        else:
            raise ValueError(f"invalid ioctl command {command}")
        return len(ws2_32.WSAIoctl(host.socket.fileno(self), command, data, 0))

    def share(self, process_id: int, /) -> bytes:
        """What another process, or this one, makes a socket of with `fromshare`."""
        return ws2_32.WSADuplicateSocket(host.socket.fileno(self), index(process_id)).pack_w()

    recvmsg: Any = _Missing()
    recvmsg_into: Any = _Missing()
    sendmsg: Any = _Missing()
    sendmsg_afalg: Any = _Missing()


Socket.__name__ = Socket.__qualname__ = "socket"
Socket.__module__ = "_socket"

_host_family: Final = vars(host.socket)["family"].__get__
_host_type: Final = vars(host.socket)["type"].__get__


_HOST_LEVEL: Final = int(host.SOL_SOCKET)
_HOST_OPTIONS: Final = {
    int(getattr(host, name)): int(getattr(constants, name))
    for name in (
        "SO_ACCEPTCONN",
        "SO_BROADCAST",
        "SO_DEBUG",
        "SO_DONTROUTE",
        "SO_ERROR",
        "SO_KEEPALIVE",
        "SO_OOBINLINE",
        "SO_RCVBUF",
        "SO_REUSEADDR",
        "SO_SNDBUF",
        "SO_TYPE",
    )
}


def _level_and_option(level: int, option: int) -> tuple[int, int]:
    """Winsock's numbers, also for those of the host's SOL_SOCKET."""
    if level == _HOST_LEVEL != SOL_SOCKET:
        return SOL_SOCKET, _HOST_OPTIONS.get(option, option)
    return level, option


def _head(buffer: bytearray, count: int) -> bytes:
    if count == len(buffer):
        return bytes(buffer)
    with memoryview(buffer) as view:
        return bytes(view[:count])


def _shared(data: bytes) -> ProtocolInfo:
    if len(data) != PROTOCOL_INFOW_SIZE:
        raise ValueError(f"socket descriptor string has wrong size, should be {PROTOCOL_INFOW_SIZE} bytes.")
    return ProtocolInfo.unpack(data)


def _open_shared(info: ProtocolInfo) -> int:
    handle: int = ws2_32.WSASocket(
        FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, info, 0, WSA_FLAG_OVERLAPPED
    )
    kernel32.SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0)
    return handle


def _known(process: Process, handle: int, family: int, type: int, proto: int) -> tuple[int, int, int]:
    """Family, type and protocol of a SOCKET, or of a host's socket, which becomes one."""
    if not _adopt.take_back(handle, process):
        _adopt_descriptor(process, handle)
    try:
        found = ws2_32.getsockname(handle).family
    except WinsockError as failure:
        if family == -1 or failure.winerror == WSAENOTSOCK:
            raise
    else:
        family = found if family == -1 else family
    if type == -1:
        type = int.from_bytes(ws2_32.getsockopt(handle, SOL_SOCKET, SO_TYPE, 4), "little")
    return family, type, max(0, proto)


def _adopt_descriptor(process: Process, descriptor: int) -> None:
    try:
        theirs = host.socket(fileno=descriptor)
    except (OSError, OverflowError):
        raise WinsockError(WSAENOTSOCK) from None
    try:
        _adopt.adopt_host(process, theirs)
    except BaseException:
        theirs.detach()
        raise


# Functions


def close(handle: int, /) -> None:
    """Close a SOCKET."""
    try:
        ws2_32.closesocket(index(handle))
    except WinsockError as failure:
        if failure.winerror != WSAECONNRESET:
            raise


def dup(handle: int, /) -> int:
    """One more SOCKET of a socket; it is not inherited."""
    return _open_shared(ws2_32.WSADuplicateSocket(index(handle), kernel32.GetCurrentProcessId()))


def getdefaulttimeout() -> float | None:
    """The time-out of new sockets, in seconds."""
    return _defaults.timeout


def setdefaulttimeout(timeout: float | None, /) -> None:
    """Set the time-out of new sockets, in seconds."""
    _defaults.timeout = _timeout(timeout)


def getaddrinfo(
    host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
) -> list[tuple[int, int, int, str, Any]]:
    """Addresses of a host and a port: (family, type, proto, canonical name, address)."""
    if host is None:
        node = None
    elif isinstance(host, str):
        node = host.encode("idna").decode("ascii")
    elif isinstance(host, bytes):
        node = host.decode("latin-1")
    else:
        raise TypeError("getaddrinfo() argument 1 must be string or None")
    service: str | None
    if port is None or isinstance(port, str):
        service = port
        if service is not None:
            service.encode()  # a lone surrogate
    elif isinstance(port, bytes):
        service = port.decode("latin-1")
    elif hasattr(port, "__index__"):
        service = str(index(port))
    else:
        raise OSError("Int or String expected")
    sys.audit("socket.getaddrinfo", host, port, family, type, proto)
    _adopt.started()
    hints = AddrInfo(flags=int(flags), family=_int(family), socktype=_int(type), protocol=_int(proto))
    return [
        (one.family, one.socktype, one.protocol, one.canonname or "", _tuple(one.addr))
        for one in _lookup(node, service, hints)
    ]


def getnameinfo(sockaddr: Any, flags: int, /) -> tuple[str, str]:
    """Host and service of an address."""
    if not isinstance(sockaddr, tuple):
        raise TypeError("getnameinfo() argument 1 must be a tuple")
    if not 2 <= len(sockaddr) <= 4 or not isinstance(sockaddr[0], str):
        raise TypeError("getnameinfo(): illegal sockaddr argument")
    port, flowinfo, scope_id = (*map(index, sockaddr[1:]), 0, 0)[:3]
    if flowinfo & 0xFFFFFFFF > 0xFFFFF:
        raise OverflowError("getnameinfo(): flowinfo must be 0-1048575.")
    sys.audit("socket.getnameinfo", sockaddr)
    _adopt.started()
    found = _lookup(sockaddr[0], str(port), AddrInfo(flags=AI_NUMERICHOST, socktype=SOCK_DGRAM))
    if len(found) > 1:
        raise OSError("sockaddr resolved to multiple addresses")
    name = found[0].addr
    assert name is not None
    if name.family == AF_INET and len(sockaddr) != 2:
        raise OSError("IPv4 sockaddr must be 2 tuple")
    if name.family == AF_INET6:
        name = sockaddr_in6(name.packed, name.port, flowinfo, scope_id)
    try:
        return ws2_32.getnameinfo(name, int(flags))
    except WinsockError as failure:
        raise gaierror(failure.winerror, "getaddrinfo failed") from None


def gethostname() -> str:
    """The name of this machine."""
    sys.audit("socket.gethostname")
    return kernel32.GetComputerNameEx(ComputerNamePhysicalDnsHostname)


def gethostbyname(name: Any, /) -> str:
    """The IPv4 address of a name."""
    text = _idna(name)
    sys.audit("socket.gethostbyname", name)
    _adopt.started()
    return _resolve(text, AF_INET).host


def gethostbyname_ex(name: Any, /) -> tuple[str, list[str], list[str]]:
    """Name, aliases and IPv4 addresses of a host."""
    text = _idna(name)
    sys.audit("socket.gethostbyname", name)
    _adopt.started()
    _resolve(text, AF_INET)
    try:
        found = ws2_32.gethostbyname(text)
    except WinsockError as failure:
        raise herror(failure.winerror, "host not found") from None
    return found.name, list(found.aliases), [sockaddr_in(address).host for address in found.addresses]


def gethostbyaddr(address: Any, /) -> tuple[str, list[str], list[str]]:
    """Name, aliases and addresses of the host that has an address."""
    text = _idna(address)
    sys.audit("socket.gethostbyaddr", address)
    _adopt.started()
    found = _resolve(text, 0)
    try:
        name, _ = ws2_32.getnameinfo(found, NI_NAMEREQD)
    except WinsockError as failure:
        raise herror(failure.winerror, "host not found") from None
    return name, [], [found.host]


def getservbyname(name: str, protocol: str | None = None, /) -> int:
    """The port of a service."""
    sys.audit("socket.getservbyname", name, protocol)
    _adopt.started()
    try:
        return host.ntohs(ws2_32.getservbyname(name, protocol).port)
    except WinsockError:
        raise OSError("service/proto not found") from None


def getservbyport(port: int, protocol: str | None = None, /) -> str:
    """The service at a port."""
    if not 0 <= index(port) <= 0xFFFF:
        raise OverflowError("getservbyport: port must be 0-65535.")
    sys.audit("socket.getservbyport", port, protocol)
    _adopt.started()
    try:
        return ws2_32.getservbyport(host.htons(port), protocol).name
    except WinsockError:
        raise OSError("port/proto not found") from None


def getprotobyname(name: str, /) -> int:
    """The number of a protocol."""
    _adopt.started()
    try:
        return ws2_32.getprotobyname(name).proto
    except WinsockError:
        raise OSError("protocol not found") from None


def inet_aton(ip_addr: str, /) -> bytes:
    """The four bytes of an IPv4 address, by the rules of inet_addr."""
    if not isinstance(ip_addr, str):
        raise TypeError(f"inet_aton() argument must be str, not {type(ip_addr).__name__}")
    if ip_addr == "255.255.255.255":
        return b"\xff\xff\xff\xff"
    number = ws2_32.inet_addr(ip_addr)
    if number == INADDR_NONE:
        raise OSError("illegal IP address string passed to inet_aton")
    return number.to_bytes(4, "little")


def inet_pton(family: int, ip: str, /) -> bytes:
    """The bytes of an address."""
    if not isinstance(ip, str):
        raise TypeError(f"inet_pton() argument 2 must be str, not {type(ip).__name__}")
    if family not in (AF_INET, AF_INET6):
        raise WinsockError(WSAEAFNOSUPPORT)
    accepted, packed = packed_text(family, ip)
    if not accepted:
        raise OSError("illegal IP address string passed to inet_pton")
    return packed


def inet_ntop(family: int, packed_ip: Any, /) -> str:
    """The text of an address."""
    packed = bytes(_view(packed_ip))
    if family not in (AF_INET, AF_INET6):
        raise ValueError(f"unknown address family {family}")
    if len(packed) != (4 if family == AF_INET else 16):
        raise ValueError("invalid length of packed IP address string")
    return sockaddr_in(packed).host if family == AF_INET else sockaddr_in6(packed).host


def module(cpython: tuple[int, int], build: int = _profiles.WINDOWS_BUILD) -> ModuleType:
    """``_socket`` as a version of CPython has it on a build of Windows."""
    made = ModuleType("_socket", host.__doc__)
    made.__dict__.update(
        _profiles.names(cpython, build),
        CAPI=host.CAPI,
        SocketType=Socket,
        close=close,
        dup=dup,
        error=OSError,
        gaierror=gaierror,
        getaddrinfo=getaddrinfo,
        getdefaulttimeout=getdefaulttimeout,
        gethostbyaddr=gethostbyaddr,
        gethostbyname=gethostbyname,
        gethostbyname_ex=gethostbyname_ex,
        gethostname=gethostname,
        getnameinfo=getnameinfo,
        getprotobyname=getprotobyname,
        getservbyname=getservbyname,
        getservbyport=getservbyport,
        has_ipv6=True,
        herror=herror,
        htonl=host.htonl,
        htons=host.htons,
        if_indextoname=host.if_indextoname,
        if_nameindex=host.if_nameindex,
        if_nametoindex=host.if_nametoindex,
        inet_aton=inet_aton,
        inet_ntoa=host.inet_ntoa,
        inet_ntop=inet_ntop,
        inet_pton=inet_pton,
        ntohl=host.ntohl,
        ntohs=host.ntohs,
        setdefaulttimeout=setdefaulttimeout,
        socket=Socket,
        timeout=TimeoutError,
    )
    return made
