"""The host's own socket objects as sockets of the emulator.

Part played:     what needs no doing on Windows, where a socket object has a SOCKET from the start.
Lives here:      taking over a socket object, or a bare descriptor; what such an object does differently from then on.
Lives elsewhere: the state of the socket (providers/host/adopting), the socket module for whole programs
                 (compat.socket).
Objects:         `adopt` leaves a program its object and changes its class, to one that closes through the emulator:
                 what pends there ends before the descriptor is gone, whose number the host gives out again at
                 once. Data goes to the host directly. A class holds no reference to its process.
Descriptors:     `adopt_descriptor` knows only a number. Whoever owns it closes it, and has to call `release` before.
Blocking:        the host's socket never blocks again. Python's own time-outs work as before; an object without one gets
                 BlockingIOError where it would have waited.
"""

from __future__ import annotations

import _socket
import contextlib
import os
import socket
import warnings
import weakref
from typing import Any, ClassVar, Final

from ..catalog.protocols import CatalogEntry
from ..defs.codes import WSAENOTSOCK, WSAEOPNOTSUPP
from ..defs.constants import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    SO_EXCLUSIVEADDRUSE,
    SO_UPDATE_ACCEPT_CONTEXT,
    SO_UPDATE_CONNECT_CONTEXT,
    SOL_SOCKET,
)
from ..errors import WinsockError
from ..kernel.handles import FIRST_NUMBER
from ..process import Process, SocketRecord, current_process
from ._finalizers import finish

VERSION: Final = 0x0202

WINDOWS_FAMILY: Final = {
    int(_socket.AF_INET): AF_INET,
    int(_socket.AF_INET6): AF_INET6,
    **({int(_socket.AF_UNIX): AF_UNIX} if hasattr(_socket, "AF_UNIX") else {}),
}
"""Address families of the host by Windows' numbers."""

_HOST_SOL_SOCKET: Final = int(_socket.SOL_SOCKET)
_WINDOWS_ONLY: Final = frozenset((SO_EXCLUSIVEADDRUSE, SO_UPDATE_ACCEPT_CONTEXT, SO_UPDATE_CONNECT_CONTEXT))


class _Borrowed(_socket.socket):
    """A socket object on a descriptor that somebody else closes, unless it has become ``owned``."""

    __slots__ = ("owned",)

    owned: bool

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.owned = False
        super().__init__(*arguments, **named)

    def close(self) -> None:
        if self.owned:
            super().close()
        else:
            self.detach()

    def __del__(self) -> None:
        self.close()


HostSocket: Final = socket.socket
"""The class of the host's socket objects."""


class EmulatedSocket:
    """Marks the socket objects that are the emulator's from the start (compat.socket)."""

    __slots__ = ()


class AdoptedSocket(socket.socket):
    """What becomes of a socket object: closing, shutting down and Windows' options are the emulator's."""

    __slots__ = ()

    _process: ClassVar[weakref.ref[Process]]

    def _record(self) -> SocketRecord | None:
        """The emulator's record; None for an object that has never been adopted (a duplicate), or is closed."""
        process = self._process()
        found = None if process is None else process.objects.get(self.fileno())
        return found if type(found) is SocketRecord else None

    def _real_close(self, _ss: Any = _socket.socket) -> None:
        process, descriptor = self._process(), self.fileno()
        if process is None or self._record() is None:
            _ss.close(self)
            return
        try:
            process.close_socket(descriptor)
        finally:
            if self._record() is None:
                _ss.detach(self)

    def __del__(self) -> None:
        if self.fileno() != -1:
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            finish(self._real_close)

    def detach(self) -> int:
        """Give the descriptor up; what pends on it ends."""
        release(self.fileno(), self._process())
        return super().detach()

    def shutdown(self, how: int) -> None:
        """End a direction by Windows' rules.

        Both of them end without a failure on a connection that is gone. The documentation says otherwise; but on
        Windows CPython's tests of TLS and of drain() lead here after a reset, and would never return if it failed.
        """
        record = self._record()
        if record is None:
            super().shutdown(how)
            return
        try:
            record.wsp.WSPShutdown(self.fileno(), int(how))
        except ConnectionError:
            if how != socket.SHUT_RDWR:
                raise

    def setsockopt(self, level: int, option: int, *value: Any) -> None:
        """Set an option: the host's, or one that only Windows has."""
        record = self._record()
        if record is None or level not in (_HOST_SOL_SOCKET, SOL_SOCKET) or option not in _WINDOWS_ONLY:
            super().setsockopt(level, option, *value)
            return
        data = value[0] if not isinstance(value[0], int) else (value[0] & 0xFFFFFFFF).to_bytes(4, "little")
        record.wsp.WSPSetSockOpt(self.fileno(), SOL_SOCKET, option, data)

    def settimeout(self, value: float | None) -> None:
        """Set Python's time-out; the host's socket stays non-blocking."""
        super().settimeout(value)
        os.set_blocking(self.fileno(), False)

    def setblocking(self, flag: bool) -> None:
        """As `settimeout`."""
        super().setblocking(flag)
        os.set_blocking(self.fileno(), False)

    # What the host does here changes the socket's state.

    def bind(self, address: Any) -> None:
        super().bind(address)
        self._look_again()

    def listen(self, *backlog: Any) -> None:
        super().listen(*backlog)
        self._look_again()

    def connect(self, address: Any) -> None:
        try:
            super().connect(address)
        finally:
            self._look_again()

    def connect_ex(self, address: Any) -> int:
        try:
            return super().connect_ex(address)
        finally:
            self._look_again()

    def _look_again(self) -> None:
        process, record = self._process(), self._record()
        if process is not None and record is not None:
            _provider(process, record.entry).look_again(self.fileno())


_classes: weakref.WeakKeyDictionary[Process, dict[type, type]] = weakref.WeakKeyDictionary()


def _adopted_class(process: Process, base: type) -> type:
    """The class that objects of a class get, under the same name."""
    known = _classes.setdefault(process, {})
    found = known.get(base)
    if found is None:
        names = {
            "__slots__": (),
            "__module__": base.__module__,
            "__qualname__": base.__qualname__,
            "__doc__": base.__doc__,
            "_process": weakref.ref(process),
        }
        found = known[base] = type(base.__name__, (AdoptedSocket, base), names)
    return found


def started() -> Process:
    """The current process, with WSAStartup done, as importing the socket module does it on Windows."""
    process = current_process()
    if process.startup_count == 0:
        process.startup(VERSION)
    return process


def _provider(process: Process, entry: CatalogEntry) -> Any:
    """The provider of a row, if it can adopt sockets; WSAEOPNOTSUPP otherwise."""
    provider = process.provider(entry).provider
    if not hasattr(provider, "adopt"):
        raise WinsockError(WSAEOPNOTSUPP)
    return provider


def adopt_host(process: Process, host: _socket.socket) -> int:
    """Take over a socket of the host's lower class: the emulator closes it from then on."""
    family = WINDOWS_FAMILY.get(int(host.family))
    if family is None:
        raise WinsockError(WSAEOPNOTSUPP)
    entry = process.catalog.select(family, int(host.type), host.proto)
    handle: int = _provider(process, entry).adopt(host, entry.info, host.proto)
    return handle


def adopt(sock: socket.socket) -> int:
    """Take over a socket object of the host: its SOCKET, which is ``fileno()``. One that is adopted stays as it is.

    Raises:
        WinsockError: WSAEOPNOTSUPP, a family or a kind of socket that the emulator does not have; WSAENOTSOCK, closed.
    """
    if isinstance(sock, AdoptedSocket) and sock._record() is not None:
        return sock.fileno()
    process = started()
    descriptor = sock.fileno()
    if descriptor < 0:
        raise WinsockError(WSAENOTSOCK)
    if isinstance(sock, EmulatedSocket):
        return descriptor
    # An interrupt may strike anywhere; the object closes the descriptor until its class says who else does.
    host = _lent(descriptor, process)
    if host is None:
        host = _Borrowed(int(sock.family), int(sock.type), sock.proto, fileno=descriptor)
        adopt_host(process, host)
    else:
        take_back(descriptor, process)
    if not isinstance(sock, AdoptedSocket):
        sock.__class__ = _adopted_class(process, type(sock))
    host.owned = True
    return descriptor


def adopt_descriptor(descriptor: int) -> bool:
    """Make a descriptor of the host that is a socket known as a SOCKET; False when it is known, or is none."""
    process = started()
    if not 0 <= descriptor < FIRST_NUMBER or descriptor in process.objects:
        return False
    try:
        host = _Borrowed(fileno=descriptor)
    except OSError:
        return False
    adopt_host(process, host)
    return True


def adopt_number(descriptor: int) -> None:
    """As `adopt_descriptor`, for a descriptor that the host's own close may end, and give to another socket.

    When a function meets the object later, it takes the same socket over.
    """
    process = current_process()
    if descriptor in process.objects:
        _lent(descriptor, process)
    if descriptor not in process.objects and adopt_descriptor(descriptor):
        leave(descriptor, process)


def _lent(descriptor: int, process: Process) -> _Borrowed | None:
    """The socket of the host behind a number that `adopt_number` has taken over, if it is still there."""
    record = process.objects.get(descriptor)
    if type(record) is not SocketRecord:
        return None
    try:
        host = _provider(process, record.entry).lent(descriptor)
    except WinsockError:
        return None  # the provider adopts none
    return host if isinstance(host, _Borrowed) else None


def leave(descriptor: int, process: Process) -> None:
    """A socket object gives its descriptor away; whoever gets it may close it with the host's own close."""
    record = process.objects.get(descriptor)
    if type(record) is SocketRecord:
        with contextlib.suppress(WinsockError):  # a layer's handles stay with the emulator
            _provider(process, record.entry).leave(descriptor)


def take_back(descriptor: int, process: Process) -> bool:
    """Whether a descriptor that may have been given away is still the SOCKET that it was."""
    record = process.objects.get(descriptor)
    if type(record) is not SocketRecord:
        return False
    try:
        provider = _provider(process, record.entry)
    except WinsockError:
        return True
    return bool(provider.take_back(descriptor))


def release(descriptor: int, process: Process | None = None) -> None:
    """The opposite: what pends on the socket ends, and the descriptor is the caller's."""
    process = process or current_process()
    record = process.objects.get(descriptor)
    if type(record) is SocketRecord:
        _provider(process, record.entry).release(descriptor)
