"""What all sockets on the host have in common: the host socket, names, options, closing.

Part played:     the part of msafd that does not care for the protocol.
Lives here:      bind state, local name, flags that programs see, and the way a socket ends.
Lives elsewhere: connections (stream), datagrams (datagram), the option table (options), who may have a port (binding).
Host sockets never block and are close-on-exec; blocking is the lanes' business (engine/lanes).
"""

from __future__ import annotations

import _socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ...defs.codes import (
    WSAEADDRNOTAVAIL,
    WSAEAFNOSUPPORT,
    WSAEFAULT,
    WSAEINTR,
    WSAEINVAL,
    WSAEOPNOTSUPP,
)
from ...defs.constants import AF_INET, AF_INET6, AF_UNIX
from ...defs.records import ProtocolInfo
from ...defs.sockaddr import SockAddr
from ...engine.endpoint import Endpoint
from ...engine.pump import READABLE, Pump, looker, ready_now
from ...errors import WinsockError
from .binding import Bindings, bind_on_host, checked_local_name, serves_ipv4
from .bindtable import Binding, is_mapped
from .rawcalls import readable
from .translate import HOST_FAMILY, from_host, host_address, windows_address

if TYPE_CHECKING:
    from ...engine.polls import Conditions
    from .netevents import NetworkEvents

# Hosts take at most this many buffers in one call (IOV_MAX).
MOST_BUFFERS = 1024

DEFAULT_BUFFER = 65536  # SO_RCVBUF and SO_SNDBUF of a new socket, as Windows shows them

NAME_SIZES = {AF_INET: 16, AF_INET6: 28, AF_UNIX: 110}
# AF_UNIX addresses are as long as their path; two bytes hold the family alone.
_LEAST_NAME_SIZES = {AF_INET: 16, AF_INET6: 28, AF_UNIX: 2}
_NO_PORT = bytes(2)


class HostSocket(Endpoint):
    """A socket with a host socket underneath.

    Attributes:
        host: the host socket, non-blocking.
        handle: the SOCKET, which is the host's descriptor number.
        bound: the socket has a local address, by bind or by a call that binds implicitly.
        binding: what it holds of the provider's ports (bindtable), None for nothing or when the host has chosen.
        bindings: the provider's ports, None for a socket without one.
        pending_error: what SO_ERROR reports next, 0 for nothing.
        settings: options kept here because the host has no such option or another idea of it: number to value.
        host_options: what the host has been told, for a host socket that has to be replaced.
        flags: WSA_FLAG_* it was made with; time-outs count only with WSA_FLAG_OVERLAPPED, which socket() sets.
    """

    __slots__ = (
        "_look",
        "binding",
        "bindings",
        "bound",
        "family",
        "flags",
        "handle",
        "host",
        "host_family",
        "host_options",
        "info",
        "pending_error",
        "protocol",
        "settings",
    )

    def __init__(self, pump: Pump, host: _socket.socket, info: ProtocolInfo, protocol: int, flags: int) -> None:
        super().__init__(pump, host.fileno())
        self.host = host
        self.handle = self.fd
        self.info = info
        self.family = info.address_family
        self.host_family = HOST_FAMILY[self.family]
        self.protocol = protocol
        self.flags = flags
        self.bound = False
        self.binding: Binding | int | None = None
        self.bindings: Bindings | None = None
        self.pending_error = 0
        self.settings: dict[Any, Any] = {}
        self._look: Callable[[], Any] | None = None
        self.host_options: dict[tuple[int, int], int | bytes] | None = None

    observer: NetworkEvents | None
    polls: Conditions | None
    receive_now: Any  # None while a receive has anything to check or to do first

    @property
    def socket_type(self) -> int:
        """SOCK_STREAM, SOCK_DGRAM or SOCK_RAW."""
        return self.info.socket_type

    # Names

    def check_name_size(self, name: bytes | None) -> bytes:
        """An address argument that is present and long enough for this family, without what lies beyond the structure.

        Callers pass whole SOCKADDR_STORAGEs.
        """
        if name is None:
            raise WinsockError(WSAEFAULT)
        name = bytes(memoryview(name)) if type(name) is not bytes else name  # a TypeError for what is no buffer
        if len(name) < _LEAST_NAME_SIZES[self.family]:
            raise WinsockError(WSAEFAULT)
        size = NAME_SIZES[self.family]
        return name[:size] if len(name) > size else name

    def checked_name(self, name: bytes | None) -> bytes:
        """An address argument after the checks that every call makes: present, long enough, of this family."""
        name = self.check_name_size(name)
        if name[0] | name[1] << 8 != self.family:
            raise WinsockError(WSAEAFNOSUPPORT)
        return name

    def check_room(self, room: int | None) -> None:
        """The caller's room for an address, None when it wants none."""
        if room is not None and room < NAME_SIZES[self.family]:
            raise WinsockError(WSAEFAULT)

    def destination(self, name: bytes | None) -> Any:
        """The host's form of a peer address; 0.0.0.0 and port 0 are nobody's address."""
        name = self.checked_name(name)
        if name[2:4] == _NO_PORT or not any(SockAddr(name).packed):
            raise WinsockError(WSAEADDRNOTAVAIL)
        if self.family == AF_INET6 and is_mapped(SockAddr(name)) and not serves_ipv4(self):
            raise WinsockError(WSAEADDRNOTAVAIL)
        return host_address(name)

    def bind(self, name: bytes | None) -> None:
        """WSPBind: being bound comes after the form and the family of the name, and before its value."""
        name = self.checked_name(name)
        if self.bound:
            raise WinsockError(WSAEINVAL)
        self.before_bind(name)
        local = checked_local_name(self, name)
        if self.bindings is not None:
            self.bindings.bind(self, local)
        else:
            try:
                bind_on_host(self, host_address(local))
            except OSError as failure:
                raise self.ended(failure) from failure
        self.now_bound()

    def bind_implicitly(self) -> None:
        """For a call that needs a local address: one with a dynamic port, unless the host has to choose."""
        if not self.bound and self.bindings is not None:
            self.bindings.bind_implicitly(self)

    def now_bound(self) -> None:
        """The socket has a local address."""
        self.bound = True

    def before_bind(self, name: bytes) -> None:
        """Refuse what the options do not allow."""

    def local_name(self, room: int | None) -> SockAddr:
        """WSPGetSockName."""
        self.check_room(room)
        if not self.bound:
            raise WinsockError(WSAEINVAL)
        try:
            return windows_address(self.host.getsockname(), self.host_family)
        except OSError as failure:
            raise self.ended(failure) from failure

    # Errors and the end

    def resized(self) -> None:
        """SO_RCVBUF or SO_SNDBUF is another one."""

    def ended(self, failure: OSError) -> WinsockError:
        """The error for a host call that failed, unless the socket was closed under it."""
        if self.closing:
            return WinsockError(self.closing)
        return from_host(failure)

    def take_error(self) -> int:
        """SO_ERROR: the pending error, which is cleared by reading it."""
        error, self.pending_error = self.pending_error, 0
        return error

    def before_close(self) -> None:
        """Raise WSAEWOULDBLOCK when the socket cannot be closed yet."""

    def close(self, *, linger: bool = True) -> None:
        """End what waits here and close the descriptor; the handle has been given back before.

        ``linger``: a linger time counts.
        """
        if not self.closing:
            self.abort(WSAEINTR)
        if self.bindings is not None:
            self.bindings.release(self)  # now, however long the host socket lives on
        try:
            self.let_go(linger=linger)
        finally:
            self.host.close()

    def let_go(self, *, linger: bool) -> None:
        """Forget shortcuts to the host socket, so that a late call finds it closed."""

    # The host socket

    def is_empty(self) -> bool:
        """True when a receive would certainly find nothing: no data, no end, no error."""
        look = self._look
        if look is None:
            look = self._look = looker(self.fd, READABLE)
        try:
            return not look()
        except RuntimeError:
            return False  # another thread is looking

    def left_readable(self, ready: int) -> int:
        """The host's report, without READABLE when what is there belongs to receives that pend."""
        self.inbound.clear()
        if self.inbound.pends:
            return ready & ~READABLE
        return ready & ~READABLE | ready_now(self.fd, READABLE)

    def readable_bytes(self) -> int:
        """FIONREAD: how many bytes wait to be received."""
        try:
            return readable(self.host)
        except OSError as failure:
            raise self.ended(failure) from failure

    def set_on_host(self, level: int, option: int, value: int | bytes) -> None:
        """Set an option of the host."""
        try:
            self.host.setsockopt(level, option, value)
        except OSError as failure:
            raise self.ended(failure) from failure
        if self.host_options is None:
            self.host_options = {}
        self.host_options[level, option] = value

    # Calls that a kind of socket does not have

    def at_mark(self) -> bool:
        """SIOCATMARK."""
        raise WinsockError(WSAEINVAL)

    def receive_all(self, code: int, mode: int) -> None:
        """SIO_RCVALL, SIO_RCVALL_MCAST, SIO_RCVALL_IGMPMCAST (``code``) with a RCVALL_* mode; OFF is how it starts."""
        if mode:
            raise WinsockError(WSAEOPNOTSUPP)

    def listen(self, backlog: int) -> None:
        """WSPListen, where nothing is listened to: being bound is checked first."""
        raise WinsockError(WSAEOPNOTSUPP if self.bound else WSAEINVAL)

    def accept(
        self, room: int | None, condition: Callable[..., int] | None = None, callback_data: int = 0
    ) -> tuple[_socket.socket, SockAddr]:
        """WSPAccept, up to the new host socket."""
        self.check_room(room)
        raise WinsockError(WSAEOPNOTSUPP)

    def connect(self, name: bytes | None, refusal: int = 0) -> None:
        """WSPConnect. ``refusal``: the code that its other arguments earn, which comes after the checks of the name."""
        raise NotImplementedError

    def peer_name(self, room: int | None) -> SockAddr:
        """WSPGetPeerName."""
        raise NotImplementedError

    def shutdown(self, how: int) -> None:
        """WSPShutdown."""
        raise NotImplementedError

    # The four that move data are entries of the procedure table themselves, so they are told the handle as well.

    def WSPSend(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPSend."""
        raise NotImplementedError

    def WSPSendTo(self, s: int, buffers: Any, flags: int, to: bytes | None, operation: Any) -> Any:
        """WSPSendTo."""
        raise NotImplementedError

    def WSPRecv(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPRecv."""
        raise NotImplementedError

    def WSPRecvFrom(self, s: int, buffers: Any, flags: int, room: int | None, operation: Any) -> Any:
        """WSPRecvFrom."""
        raise NotImplementedError

    # Every change of state that the results of these two depend on is followed by `changed`.

    def wanted(self, asked: int) -> int:
        """The readiness bits to poll for when these conditions are asked for; 0 when none the host has matters now."""
        raise NotImplementedError

    def conditions(self, ready: int) -> int:
        """The conditions that hold, by the host's readiness bits and the socket's state; by that alone for 0."""
        raise NotImplementedError

    # What network events (netevents.py) have to know of a socket beyond its conditions.

    @property
    def listens(self) -> bool:
        """Connections come to it."""
        return False

    @property
    def guarded(self) -> bool:
        """Looking for conditions takes a lock that `changed` may be called under."""
        return False

    @property
    def piecemeal(self) -> bool:
        """More may wait for receives than the host shows, or than one takes that has room for it."""
        return False

    def connect_outcome(self) -> int | None:
        """How the last connect has ended, with a code or with 0; None when there is nothing to tell."""
        raise NotImplementedError

    def end_code(self) -> int:
        """Why the connection is gone."""
        return 0

    def after_fork(self) -> None:
        """In the child: nobody waits and nothing pends."""
        super().after_fork()
        if self.observer is not None:
            self.observer.after_fork()
        if self.polls is not None:
            self.polls.after_fork()


def check_buffers(buffers: Sequence[Any] | None) -> list[memoryview]:
    """The buffers of a call as views of bytes, after the checks of R7.13.

    Raises:
        WinsockError: WSAEFAULT, no array or an entry without memory; WSAEINVAL, an empty array.
        TypeError: an entry that is no buffer.
    """
    if buffers is None:
        raise WinsockError(WSAEFAULT)
    if not buffers:
        raise WinsockError(WSAEINVAL)
    views = []
    for buffer in buffers:
        if buffer is None:
            raise WinsockError(WSAEFAULT)
        view = memoryview(buffer)
        views.append(view if view.format == "B" and view.ndim == 1 else view.cast("B"))
    return views


def scatter(data: memoryview, views: Sequence[memoryview]) -> None:
    """Fill the views in order, each completely before the next."""
    for view in views:
        if not data:
            return
        part, data = data[: len(view)], data[len(view) :]
        view[: len(part)] = part
