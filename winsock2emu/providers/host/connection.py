"""A connection's life but for its data: connecting, listening, accepting, and the names of both ends.

Part played:     the connection endpoint of afd.sys over a TDI stream, as far as it is about being connected.
Lives here:      the states of a connection, one attempt of each call that makes one, and what a refused connect leaves.
Lives elsewhere: data, urgent data, shutdown and closing, on top of this (stream); connection requests (accepting); what
                 AcceptEx and ConnectEx do with it (acceptex, connectex).

    UNCONNECTED ──listen──▶ LISTENING
        │    ▲
     connect └── refused, unreachable, timed out: connect may be tried again
        ▼
    CONNECTING ──▶ CONNECTED ──▶ broken: a reset or time-out is remembered, every later call meets it

Time limits:     a connect is given up after 21 seconds, as on Windows. A listener of this machine whose backlog is full
                 makes Linux keep its callers waiting; they are told that they were refused, as by Windows, after the
                 time in which Windows tries again.
Differences:     a non-blocking connect that the host finishes at once still reports WSAEWOULDBLOCK, as on Windows.
                 Only Linux can tell that a backlog is full.
Sources:         nf-winsock2-connect, -listen, -accept; A13-A24, A36-A39 of the project's reference.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterable
from typing import Any, ClassVar

from ...defs.codes import (
    WSAEALREADY,
    WSAECONNREFUSED,
    WSAEINVAL,
    WSAEISCONN,
    WSAENOTCONN,
    WSAETIMEDOUT,
)
from ...defs.constants import (
    SO_OOBINLINE,
    SO_PAUSE_ACCEPT,
    SOMAXCONN,
)
from ...defs.sockaddr import SockAddr
from ...engine.pump import READABLE, Pump
from ...errors import WinsockError, would_block
from ...kernel.operations import Operation
from .accepting import Condition, ConnectionRequest, ConnectionRequests, decide
from .binding import FIRST_DYNAMIC_PORT, keep_reusable
from .exchange import another_like, put_under
from .hostsocket import HostSocket
from .icmperrors import WATCHED, collect
from .rawcalls import backlog_is_full, reset
from .translate import windows_address
from .urgent import UrgentChannel

UNCONNECTED = 0  # new, bound, or after a connect that failed
LISTENING = 1  # connection requests queue up
CONNECTING = 2  # a connect is under way on the host
CONNECTED = 3  # established; stays so after shutdown and after a reset

# Not bound to a socket: a bound method takes 72 bytes for each, and a call through it takes as long.
_RECEIVE = _socket.socket.recv_into
_SEND = _socket.socket.send

_SOL_SOCKET = int(_socket.SOL_SOCKET)
_SO_ERROR = int(_socket.SO_ERROR)

# SOMAXCONN_HINT(n) is -n; Windows clips the hint to this range.
_LEAST_HINT, _MOST_HINT = 200, 65535

TO_SENDS, TO_RECEIVES = 0, 1
"""Whose call a host's error was met by; it may have another code for each."""

# Errors that only an established connection can have: the connect has succeeded before they came.
_AFTER_CONNECT = frozenset((errno.ECONNRESET, errno.EPIPE))

CONNECT_MS = 21_000
"""How long Windows tries to connect: three times, after 3 and after 9 seconds again."""

FULL_BACKLOG_MS = 1500
"""Windows tries three times, half a second apart, before it believes that a caller is turned away."""

# The host's limit for a connect: level, option, unit in milliseconds.
_HOST_TIME_LIMIT: tuple[int, int, int] | None = None
if sys.platform == "linux":
    _HOST_TIME_LIMIT = (int(_socket.IPPROTO_TCP), int(_socket.TCP_USER_TIMEOUT), 1)
elif sys.platform == "darwin":
    _HOST_TIME_LIMIT = (int(_socket.IPPROTO_TCP), 0x20, 1000)  # TCP_CONNECTIONTIMEOUT


class ConnectionSocket(HostSocket):
    """A socket that can be connected, or listen.

    Attributes:
        expedited: the transport has urgent data.
        state: UNCONNECTED, LISTENING, CONNECTING or CONNECTED.
        peer: the address that the last connect was for, or that accept told.
        broken: the code every later call meets after a reset or a transport time-out, 0 before.
        receive_shut, send_shut: shutdown has ended the direction.
        receive_now, send_now: the host's methods while nothing but "connected and open" has to be checked, else None.
        accepting: the AcceptEx request that is to connect this socket, None for none.
        contextless: AcceptEx or ConnectEx has connected it, and SO_UPDATE_ACCEPT_CONTEXT or SO_UPDATE_CONNECT_CONTEXT
            has not followed yet: names and shutdown know of no connection.
        accepted: a listening socket is where the connection is from.
        connected_at: the monotonic time at which the connection was made, for SO_CONNECT_TIME.
        connect_failed: the last connect failed and none has succeeded since; select calls that exceptional.
        requests: what comes to a socket that listens, None for others.
        urgent: what is kept of urgent data, None until there is some.
    """

    expedited: ClassVar[bool] = True

    __slots__ = (
        "_connect_code",
        "_limit_ms",
        "accepted",
        "accepting",
        "broken",
        "connect_failed",
        "connected_at",
        "contextless",
        "peer",
        "receive_now",
        "receive_shut",
        "requests",
        "send_now",
        "send_shut",
        "state",
        "urgent",
    )

    def __init__(self, pump: Pump, host: _socket.socket, info: Any, protocol: int, flags: int) -> None:
        super().__init__(pump, host, info, protocol, flags)
        self.state = UNCONNECTED
        self.peer: SockAddr | None = None
        self.broken = 0
        self.connect_failed = False
        self.connected_at = 0.0
        self.accepting: Operation | None = None
        self.contextless = False
        self.accepted = False
        self._connect_code = 0
        self._limit_ms = 0  # what the host has been told about the connect under way
        self.receive_shut = False
        self.send_shut = False
        self.receive_now: Any = None
        self.send_now: Any = None
        self.requests: ConnectionRequests | None = None
        self.urgent: UrgentChannel | None = None

    # What is about data, and above (stream)

    def meet_urgent(self) -> UrgentChannel | None:
        """Have a place for urgent data from now on."""
        raise NotImplementedError

    def look_for_urgent(self) -> UrgentChannel | None:
        """Have one if there is urgent data."""
        raise NotImplementedError

    def end_hard(self) -> None:
        """Have the host reset the connection when it is closed."""
        raise NotImplementedError

    def broke(self, number: int, direction: int) -> WinsockError:
        """The host's error says that the connection is gone: what a call of that direction is told."""
        raise NotImplementedError

    # Connecting

    def _now_connected(self) -> None:
        self.state = CONNECTED
        self.bound = True
        self.connect_failed = False
        self.connected_at = time.monotonic()
        if WATCHED in self.settings:
            collect(self, connected=True)
        if self._limit_ms:
            self._set_limit(0)
        if self.settings.get(SO_OOBINLINE):
            self.meet_urgent()
        self.receive_now = _RECEIVE if self.urgent is None else None
        self.send_now = _SEND
        self.changed()

    def take_connection(self) -> None:
        """The host socket was connected before it came here (adopting)."""
        self._now_connected()

    def _connect_ended(self, code: int) -> None:
        if WATCHED in self.settings:
            collect(self, connected=False)
        self._start_over()
        self.state = UNCONNECTED
        self.connect_failed = True
        self._connect_code = code
        if not self.blocking:
            self.pending_error = code
        self.changed()

    def connect(self, name: bytes | None, refusal: int = 0) -> None:
        """WSPConnect: start, then wait for the outcome in blocking mode."""
        destination = self._destination_checked_in_order(name)
        if refusal:
            raise WinsockError(refusal)
        error = self.start_connect(destination)
        # Resolved at once or not, the outcome of a non-blocking connect comes through select and SO_ERROR; what the
        # host refuses to even try (no route, no permission) is told by the call.
        if error is not None and (self.blocking or error.winerror != WSAECONNREFUSED):
            self.pending_error = 0
            raise error
        if not self.blocking:
            raise would_block()
        if self.state != CONNECTED:
            # Another thread may have met the end of it already.
            self.outbound.run(self.connect_attempt, timeout_ms=0)

    def start_connect(self, destination: Any) -> WinsockError | None:
        """Have the host connect; why it would not, if it says so at once."""
        self.connect_failed = False
        self.pending_error = 0
        if self.observer is not None:
            self.observer.connects()
        self.peer = windows_address(destination, self.host_family)
        if self.bindings is not None:
            self.bind_implicitly()
            keep_reusable(self)
        number = self._host_connect(destination)
        if number == errno.EADDRNOTAVAIL and self._take_another_port():
            number = self._host_connect(destination)
        if number == errno.EINPROGRESS:
            self.state = CONNECTING
            self.bound = True
            if not self.settle():
                self._limit_connect(destination)
                self.changed()
        elif not number:
            self._now_connected()
        else:
            error = self.ended(OSError(number, os.strerror(number)))
            self._connect_ended(error.winerror)
            return error
        return None

    def _take_another_port(self) -> bool:
        """The last connection between these two ports is in TIME_WAIT, whose end Windows would have awaited.

        A port that was given to the program is as good as any other; one of its own choice is left alone.
        """
        try:
            address, port, *rest = self.host.getsockname()
            if self.bindings is None or port < FIRST_DYNAMIC_PORT:
                return False
            put_under(self, another_like(self))
            self.bindings.release(self)
            self.bindings.bind(self, windows_address((address, 0, *rest), self.host_family))
            keep_reusable(self)
        except OSError:
            return False
        return True

    def give_up_connect(self) -> None:
        """Nobody wants the connection any more that is under way."""
        self._start_over()
        with contextlib.suppress(OSError):
            self.host.getsockopt(_SOL_SOCKET, _SO_ERROR)  # which the host keeps for the next connect otherwise
        self.state = UNCONNECTED
        self.contextless = False
        self.changed()

    def _limit_connect(self, destination: Any) -> None:
        """Give up when Windows would, and for a listener of this machine with a full backlog as if it had refused."""
        own = self.host.getsockname()[0] == destination[0] or destination[0].startswith("127.")
        self._set_limit(FULL_BACKLOG_MS if own and backlog_is_full(destination[1]) else CONNECT_MS)

    def _set_limit(self, limit_ms: int) -> None:
        """Have the host end a connect after this time; 0 leaves it to the program again (TCP_MAXRT)."""
        if _HOST_TIME_LIMIT is None:
            return
        level, option, unit_ms = _HOST_TIME_LIMIT
        own = (self.host_options or {}).get((level, option), 0)
        self._limit_ms = limit_ms
        with contextlib.suppress(OSError):  # closed meanwhile
            if limit_ms == FULL_BACKLOG_MS or not own:
                self.host.setsockopt(level, option, limit_ms // unit_ms)
            elif not limit_ms:
                self.host.setsockopt(level, option, own)

    def _host_connect(self, destination: Any) -> int:
        """The host's errno for a connect, 0 on success."""
        try:
            return self.host.connect_ex(destination)
        except OSError as failure:  # an address that the host has no form for
            return failure.errno or errno.EINVAL

    def _start_over(self) -> None:
        """After a failed connect: make the host socket one that can listen and connect, with the name it had."""
        try:
            if not reset(self.fd):
                self._renew()
        except OSError:
            return  # closed meanwhile, or the port has a new owner; then the next connect gets another one

    def _renew(self) -> None:
        """Put a new host socket under the same descriptor number: the BSDs let a socket connect only once."""
        name = self.host.getsockname()
        put_under(self, another_like(self))
        self.host.bind(name)

    def start_again(self, handles: Iterable[int] = (), *, hard: bool = False) -> None:
        """The connection is over: the socket can be connected once more, in the way it was before.

        What a listening socket has connected is unbound again; others keep their names.

        Args:
            handles: further descriptors of a shared socket.
            hard: reset the connection.

        Raises:
            WinsockError: what the host says.
        """
        try:
            name = None if self.accepted else self.host.getsockname()
            if hard:
                self.end_hard()
            put_under(self, another_like(self), handles)
            if self.bindings is not None and name is not None:
                keep_reusable(self)  # or the connection that has ended keeps the port, by TIME_WAIT
                self.host.bind(name)
        except WinsockError:
            raise
        except OSError as failure:
            raise self.ended(failure) from failure
        finally:
            self._forget_connection()

    def _forget_connection(self) -> None:
        if self.accepted:
            if self.bindings is not None:
                self.bindings.release(self)
            self.bound = self.accepted = False
        self.receive_now = self.send_now = None
        self.state = UNCONNECTED
        self.peer = None
        self.broken = self.pending_error = 0
        self.connect_failed = self.contextless = False
        self.receive_shut = self.send_shut = False
        self.connected_at = 0.0
        self.alarms = 0
        self.urgent = None
        self.settings.pop(UrgentChannel, None)
        if self.observer is not None:
            self.observer.connects()
        self.changed()

    def _destination_checked_in_order(self, name: bytes | None) -> Any:
        self.check_name_size(name)
        if self.state == LISTENING or self.accepting is not None:
            raise WinsockError(WSAEINVAL)
        if not self.settle():
            raise WinsockError(WSAEALREADY)
        if self.state == CONNECTED:
            raise WinsockError(WSAEINVAL if self.contextless else WSAEISCONN)
        return self.destination(name)

    def before_bind(self, name: bytes) -> None:
        """A socket that AcceptEx is to connect takes no name."""
        if self.accepting is not None:
            raise WinsockError(WSAEINVAL)

    def connect_attempt(self) -> None:
        """One look whether a connect has ended.

        Raises:
            BlockingIOError: it has not.
            WinsockError: the code with which it has failed.
        """
        if not self.settle():
            raise BlockingIOError
        if self.state != CONNECTED:
            raise WinsockError(self._connect_code)

    def settle(self) -> bool:
        """Find out whether a connect that was started has ended; True when none is under way any more."""
        if self.state != CONNECTING:
            return True
        try:
            self.host.getpeername()
        except OSError as failure:
            try:
                number = self.host.getsockopt(_SOL_SOCKET, _SO_ERROR)
            except OSError:
                number = 0
            if not number:
                if failure.errno == errno.ENOTCONN:
                    return False
                raise self.ended(failure) from failure
        else:
            number = 0
        if not number:
            self._now_connected()
        elif number in _AFTER_CONNECT:
            self._now_connected()
            self.broke(number, TO_RECEIVES)
        else:
            code = self.ended(OSError(number, "")).winerror
            if code == WSAETIMEDOUT and self._limit_ms == FULL_BACKLOG_MS:
                code = WSAECONNREFUSED
            self._connect_ended(code)
        return True

    def listen(self, backlog: int) -> None:
        """WSPListen; a second call changes nothing, not even the backlog."""
        if self.state == LISTENING:
            return
        self.settle()
        if self.state == CONNECTED:
            raise WinsockError(WSAEISCONN)
        if not self.bound or self.state != UNCONNECTED:
            raise WinsockError(WSAEINVAL)
        if backlog < 0:
            backlog = min(max(-backlog, _LEAST_HINT), _MOST_HINT)
        if self.bindings is not None:
            keep_reusable(self)
        requests = ConnectionRequests(self.host, min(backlog, SOMAXCONN), dict(self.host_options or {}))
        try:
            requests.listen()
        except OSError as failure:
            raise self.ended(failure) from failure
        if self.bindings is not None:
            self.bindings.joined(self)
        self.requests = requests
        self.state = LISTENING
        self.changed()

    def accept(
        self, room: int | None, condition: Condition | None = None, callback_data: int = 0
    ) -> tuple[_socket.socket, SockAddr]:
        """WSPAccept up to the host's new socket; the provider makes a socket of it."""
        self.check_room(room)
        requests = self.requests
        if requests is None:
            raise WinsockError(WSAEINVAL)
        request: ConnectionRequest = self.inbound.run(self.take_request, timeout_ms=0)
        request.check_alive()
        if condition is not None:
            code = WSAEINVAL
            try:
                code = decide(request, condition, callback_data)
            finally:
                if code not in (0, WSAECONNREFUSED):
                    self._put_back(request)
            if code:
                raise WinsockError(code)
            request.check_alive()
        if self.closing:
            request.reset()
            raise WinsockError(self.closing)
        if self.host_options != requests.host_options and self.host_options:
            # It has called before the options were set, which the host hands down to later callers only.
            for (level, option), value in self.host_options.items():
                with contextlib.suppress(OSError):  # of listening sockets only
                    request.host.setsockopt(level, option, value)
        return request.host, request.peer

    def take_request(self) -> ConnectionRequest:
        """One attempt to get the first connection request.

        Raises:
            BlockingIOError: there is none.
            WinsockError: what the host says.
        """
        requests = self.requests
        assert requests is not None
        waited = bool(requests.waiting)
        try:
            request = requests.take()
        except (BlockingIOError, WinsockError):
            raise
        except OSError as failure:
            raise self.ended(failure) from failure
        if waited:
            self.changed()
        return request

    def _put_back(self, request: ConnectionRequest) -> None:
        """A request that is not decided is the first one again."""
        requests = self.requests
        assert requests is not None
        requests.put_back(request)
        if self.closing:
            requests.reset_all()  # once more: closing may not have seen it
            return
        self.inbound.ready()
        self.inbound.service()
        self.changed()

    def pause_accepting(self, on: bool) -> None:
        """SO_PAUSE_ACCEPT of a listening socket, which is the other way now."""
        requests = self.requests
        assert requests is not None
        try:
            if on:
                requests.pause()
                self.inbound.wait_for(0)  # the host has nothing to tell until it listens again
            else:
                requests.resume()
                self.inbound.wait_for(READABLE)
        except WinsockError:
            raise
        except OSError as failure:
            raise self.ended(failure) from failure
        self.changed()

    def accepted_from(self, listener: ConnectionSocket, peer: SockAddr) -> None:
        """Become the server's end of a connection: connected, with the listening socket's settings."""
        self.settings = dict(listener.settings)
        self.settings.pop(SO_PAUSE_ACCEPT, None)
        self.accepted = True
        self.blocking = listener.blocking
        self.inbound.timeout_ms = listener.inbound.timeout_ms
        self.outbound.timeout_ms = listener.outbound.timeout_ms
        self.peer = peer
        if self.bindings is not None:
            self.bindings.accepted(self, listener)
        self._now_connected()

    def accepted_into(self, listener: ConnectionSocket, peer: SockAddr) -> None:
        """AcceptEx has put the server's end of a connection under the descriptor."""
        self.accepted = self.contextless = True
        self.peer = peer
        if self.bindings is not None:
            self.bindings.accepted(self, listener)
        self._now_connected()

    def local_name(self, room: int | None) -> SockAddr:
        """WSPGetSockName: a connection of AcceptEx has no name before SO_UPDATE_ACCEPT_CONTEXT."""
        if self.contextless and self.accepted:
            self.check_room(room)
            raise WinsockError(WSAEINVAL)
        return super().local_name(room)

    def peer_name(self, room: int | None) -> SockAddr:
        """WSPGetPeerName: not connected wins over too little room. A connection that has ended keeps its names."""
        self.settle()
        if self.state != CONNECTED or self.peer is None or self.contextless:
            raise WinsockError(WSAENOTCONN)
        self.check_room(room)
        return self.peer

    def take_error(self) -> int:
        """SO_ERROR: told once, except why a connect failed, which is told until the next connect."""
        return self.pending_error if self.connect_failed else super().take_error()
