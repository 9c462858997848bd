"""Connection-oriented sockets: TCP, and AF_UNIX streams.

Part played:     the connection endpoint of afd.sys over a TDI stream.
Lives here:      the states of a connection and of its two directions, and one attempt of each call.
Lives elsewhere: waiting, time-outs, order (engine/lanes); errno to code without context (translate).

    UNCONNECTED ──listen──▶ LISTENING
        │    ▲
     connect └── refused, unreachable, timed out: connect may be tried again
        ▼
    CONNECTING ──▶ CONNECTED ──▶ broken: a reset or time-out is remembered, every later call meets it

Each direction of a connection is open until shutdown closes it. ``receive_now`` and ``send_now`` are the host's bound
methods while nothing but "connected and open" has to be checked, else None: one test on the hot path stands for all
states.

Differences:     a non-blocking connect that the host finishes at once still reports WSAEWOULDBLOCK, as on Windows.
                 A non-blocking send takes what fits; Windows takes all or nothing.
Sources:         nf-winsock2-connect, -accept, -send, -recv, -shutdown; A13-A18, A21-A23, A36-A45, A91 of the project's
                 reference.
"""

from __future__ import annotations

import _socket
import errno
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ...defs.codes import (
    WSAEALREADY,
    WSAECONNABORTED,
    WSAECONNRESET,
    WSAEINVAL,
    WSAEISCONN,
    WSAENOTCONN,
    WSAEOPNOTSUPP,
    WSAESHUTDOWN,
    WSAETIMEDOUT,
    WSAEWOULDBLOCK,
)
from ...defs.constants import (
    AF_UNIX,
    MSG_DONTROUTE,
    MSG_OOB,
    MSG_PARTIAL,
    MSG_PEEK,
    MSG_PUSH_IMMEDIATE,
    MSG_WAITALL,
    SD_BOTH,
    SD_RECEIVE,
    SD_SEND,
    SO_OOBINLINE,
    SOMAXCONN,
)
from ...defs.sockaddr import SockAddr
from ...engine.pump import FAULT, HANGUP, READABLE, URGENT, WRITABLE, Pump, ready_now
from ...errors import WinsockError
from .hostsocket import MOST_BUFFERS, HostSocket, check_buffers
from .translate import NOSIGNAL, host_flags, windows_address, wsa_code

UNCONNECTED = 0  # new, bound, or after a connect that failed
LISTENING = 1  # connection requests queue up
CONNECTING = 2  # a connect is under way on the host
CONNECTED = 3  # established; stays so after shutdown and after a reset

_SEND_FLAGS = MSG_OOB | MSG_DONTROUTE
_RECEIVE_FLAGS = MSG_OOB | MSG_PEEK | MSG_WAITALL | MSG_PUSH_IMMEDIATE

_PLAIN = frozenset((bytes, bytearray))  # buffers whose length is their size
_NOTHING_THERE = -1

# A try that finds nothing costs a tenth of the round trip of a client that waits for each answer; waiting for data that
# is there already costs half a receive. So when this many blocking receives in a row had to wait, the next ones do
# without the try.
_SURE = 4
_WITHOUT_TRY = 32

_SO_ERROR = (int(_socket.SOL_SOCKET), int(_socket.SO_ERROR))
_SO_REUSEADDR = (int(_socket.SOL_SOCKET), int(_socket.SO_REUSEADDR))
_SO_NOSIGPIPE = 0x1022  # of hosts without MSG_NOSIGNAL
_SHUT_WR = int(_socket.SHUT_WR)

# SOMAXCONN_HINT(n) is -n; Windows clips the hint to this range.
_LEAST_HINT, _MOST_HINT = 200, 65535


class StreamSocket(HostSocket):
    """A TCP or AF_UNIX stream socket.

    Attributes:
        state: UNCONNECTED, LISTENING, CONNECTING or CONNECTED.
        broken: the code every later call meets after a reset or a transport time-out, 0 before.
        receive_shut, send_shut: shutdown has ended the direction.
        connect_failed: the last connect failed and none has succeeded since; select calls that exceptional.
    """

    __slots__ = (
        "_connect_code",
        "_waits",
        "broken",
        "connect_failed",
        "receive_now",
        "receive_shut",
        "send_now",
        "send_shut",
        "state",
    )

    def __init__(self, pump: Pump, host: _socket.socket, info: Any, protocol: int, flags: int) -> None:
        super().__init__(pump, host, info, protocol, flags)
        self.state = UNCONNECTED
        self.broken = 0
        self.connect_failed = False
        self._connect_code = 0
        self.receive_shut = False
        self.send_shut = False
        self._waits = 0  # receives in a row that had to wait; below 0, receives that go without a try
        self.receive_now: Any = None
        self.send_now: Any = None
        if not NOSIGNAL:
            host.setsockopt(int(_socket.SOL_SOCKET), _SO_NOSIGPIPE, 1)

    # Connecting

    def before_bind(self, name: bytes) -> None:
        """TIME_WAIT never hinders a bind on Windows; on the host it does without this option."""
        if self.family != AF_UNIX:
            self.host.setsockopt(*_SO_REUSEADDR, 1)

    def _now_connected(self) -> None:
        self.state = CONNECTED
        self.bound = True
        self.connect_failed = False
        self.receive_now = self.host.recv_into
        self.send_now = self.host.send

    def _connect_ended(self, code: int) -> None:
        self.state = UNCONNECTED
        self.connect_failed = True
        self._connect_code = code
        if not self.blocking:
            self.pending_error = code

    def connect(self, name: bytes | None) -> None:
        """WSPConnect: start, then wait for the outcome in blocking mode."""
        destination = self._destination_checked_in_order(name)
        again, self.connect_failed = self.connect_failed, False
        self.pending_error = 0
        try:
            self._host_connect(destination, again)
        except BlockingIOError:
            self.state = CONNECTING
            self.bound = True
            if not self.blocking:
                raise WinsockError(WSAEWOULDBLOCK) from None
        except OSError as failure:
            error = self.ended(failure)
            self._connect_ended(error.winerror)
            # Resolved at once or not, the outcome of a non-blocking connect comes through select and SO_ERROR; what the
            # host refuses to even try (no route, no permission) is told by the call.
            if self.blocking or failure.errno != errno.ECONNREFUSED:
                self.pending_error = 0
                raise error from failure
            raise WinsockError(WSAEWOULDBLOCK) from None
        else:
            self._now_connected()
            if self.blocking:
                return
            raise WinsockError(WSAEWOULDBLOCK)
        self.outbound.run(self._connect_attempt, timeout_ms=0)

    def _host_connect(self, destination: Any, again: bool) -> None:
        try:
            self.host.connect(destination)
        except ConnectionAbortedError:
            # Linux answers the first connect after a failed one like this, which only makes the socket new again.
            if not again:
                raise
            self.host.connect(destination)

    def _destination_checked_in_order(self, name: bytes | None) -> Any:
        self.check_name_size(name)
        if self.state == LISTENING:
            raise WinsockError(WSAEINVAL)
        if not self.settle():
            raise WinsockError(WSAEALREADY)
        if self.state == CONNECTED:
            raise WinsockError(WSAEISCONN)
        return self.destination(name)

    def notice_end(self) -> None:
        """Learn of a reset or a time-out that no call has met yet; it becomes SO_ERROR as well."""
        self.settle()
        if self.state == CONNECTED and not self.broken:
            number = self.host.getsockopt(*_SO_ERROR)
            if number:
                self.pending_error = self._receive_failed(OSError(number, "")).winerror

    def _connect_attempt(self) -> None:
        if not self.settle():
            raise BlockingIOError
        if self.state != CONNECTED:
            raise WinsockError(self._connect_code)

    def settle(self) -> bool:
        """Find out whether a connect that was started has ended; True when none is under way any more."""
        if self.state != CONNECTING:
            return True
        try:
            error = self.host.getsockopt(*_SO_ERROR)
            if not error:
                self.host.getpeername()
        except OSError as failure:
            if failure.errno == errno.ENOTCONN:
                return False
            raise self.ended(failure) from failure
        if error:
            self._connect_ended(wsa_code(OSError(error, "")))
        else:
            self._now_connected()
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
        try:
            self.host.listen(min(backlog, SOMAXCONN))
        except OSError as failure:
            raise self.ended(failure) from failure
        self.state = LISTENING

    def accept(self, room: int | None) -> tuple[_socket.socket, SockAddr]:
        """WSPAccept up to the host's new socket; the provider makes a socket of it."""
        self.check_room(room)
        if self.state != LISTENING:
            raise WinsockError(WSAEINVAL)
        descriptor, address = self.inbound.run(self._accept_attempt, timeout_ms=0)
        host = _socket.socket(self.host_family, self.host.type, self.host.proto, descriptor)
        host.setblocking(False)
        return host, windows_address(address, self.host_family)

    def _accept_attempt(self) -> Any:
        try:
            return self.host._accept()  # type: ignore[attr-defined]  # the C part of socket.accept
        except BlockingIOError:
            raise
        except OSError as failure:
            if failure.errno == errno.ECONNABORTED:
                raise WinsockError(WSAECONNRESET) from failure
            raise self.ended(failure) from failure

    def accepted_from(self, listener: StreamSocket) -> None:
        """Become the server's end of a connection: connected, with the listening socket's settings."""
        self.settings = dict(listener.settings)
        self.blocking = listener.blocking
        self.inbound.timeout_ms = listener.inbound.timeout_ms
        self.outbound.timeout_ms = listener.outbound.timeout_ms
        self._now_connected()

    def peer_name(self, room: int | None) -> SockAddr:
        """WSPGetPeerName: not connected wins over too little room."""
        self.settle()
        if self.state != CONNECTED:
            raise WinsockError(WSAENOTCONN)
        self.check_room(room)
        try:
            return windows_address(self.host.getpeername(), self.host_family)
        except OSError as failure:
            if failure.errno in (errno.ENOTCONN, errno.EINVAL) and not self.closing:
                raise WinsockError(self.broken or WSAENOTCONN) from failure
            raise self.ended(failure) from failure

    def shutdown(self, how: int) -> None:
        """WSPShutdown: connection state is checked before ``how``; repeating it succeeds."""
        self.settle()
        if self.state != CONNECTED:
            raise WinsockError(WSAENOTCONN)
        if how not in (SD_RECEIVE, SD_SEND, SD_BOTH):
            raise WinsockError(WSAEINVAL)
        if self.broken:
            raise WinsockError(self.broken)
        if how != SD_RECEIVE and not self.send_shut:
            self.send_shut = True
            self.send_now = None
            try:
                self.host.shutdown(_SHUT_WR)
            except OSError as failure:
                # The peer has reset the connection and the host has noticed first: there is nothing left to shut down.
                if failure.errno != errno.ENOTCONN:
                    raise self.ended(failure) from failure
        if how != SD_SEND and not self.receive_shut:
            # The host's own SHUT_RD would go on acknowledging data; Winsock only refuses later receives.
            self.receive_shut = True
            self.receive_now = None

    # Sending

    def send(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPSend: all of it in blocking mode, what fits otherwise."""
        send_now = self.send_now
        moved = 0
        if send_now is not None and operation is None and not flags and buffers and self.outbound.head is None:
            # Whatever is wrong with the buffers, the host finds it out before it sends anything: the checks in their
            # order are for the slow path.
            try:
                if len(buffers) == 1:
                    buffer = buffers[0]
                    moved = send_now(buffer, NOSIGNAL)
                    size = len(buffer) if type(buffer) in _PLAIN else memoryview(buffer).nbytes
                    if moved == size or not self.blocking:
                        return moved
                elif len(buffers) <= MOST_BUFFERS:
                    moved = self.host.sendmsg(buffers, (), NOSIGNAL)
                    if not self.blocking or moved == _size(buffers):
                        return moved
            except BlockingIOError:
                if not self.blocking:
                    raise WinsockError(WSAEWOULDBLOCK) from None
            except TypeError:
                moved = 0
            except OSError as failure:
                raise self._send_failed(failure) from failure
        return self._send_queued(buffers, flags, operation, moved)

    def _send_queued(self, buffers: Any, flags: int, operation: Any, moved: int) -> Any:
        """Send what is left after ``moved`` bytes through the lane."""
        views = check_buffers(buffers)
        self._check_send(flags)
        _drop(views, moved)
        theirs = host_flags(flags) | NOSIGNAL
        host = self.host

        def attempt() -> int:
            nonlocal moved
            try:
                while True:
                    if len(views) == 1:
                        sent = host.send(views[0], theirs)
                    else:
                        sent = host.sendmsg(views[:MOST_BUFFERS], (), theirs)
                    moved += sent
                    _drop(views, sent)
                    if not views:
                        return moved
            except BlockingIOError:
                raise
            except OSError as failure:
                raise self._send_failed(failure) from failure

        if not views:
            return moved
        try:
            return self.outbound.run(attempt, operation)
        except WinsockError:
            # What the transport has accepted is sent: a caller that is told of an error would send it again.
            if moved and operation is None:
                return moved
            raise

    def _check_send(self, flags: int) -> None:
        if flags & ~_SEND_FLAGS:
            raise WinsockError(WSAEOPNOTSUPP)
        if flags & MSG_OOB and self.family == AF_UNIX:
            raise WinsockError(WSAEOPNOTSUPP)
        if self.send_shut:
            raise WinsockError(WSAESHUTDOWN)
        self._check_connected()

    def _check_connected(self) -> None:
        self.settle()
        if self.state != CONNECTED:
            raise WinsockError(WSAENOTCONN)
        if self.broken:
            raise WinsockError(self.broken)

    def _send_failed(self, failure: OSError) -> WinsockError:
        """A host failure of a send, in the light of what happened to the connection."""
        number = failure.errno
        if number == errno.EPIPE:
            # The host says EPIPE for both: shut down here, or gone there.
            if self.send_shut:
                return WinsockError(WSAESHUTDOWN)
            return self._broke(WSAECONNRESET)
        if number in (errno.ECONNRESET, errno.ENOTCONN):
            return self._broke(WSAECONNRESET)
        if number == errno.ETIMEDOUT:
            return self._broke(WSAECONNABORTED)
        return self.ended(failure)

    def _broke(self, code: int) -> WinsockError:
        """The connection is gone: remember why, since the host tells only once."""
        if self.closing:
            return WinsockError(self.closing)
        self.receive_now = self.send_now = None
        if not self.broken:
            self.broken = code
        return WinsockError(self.broken)

    def send_to(self, s: int, buffers: Any, flags: int, to: bytes | None, operation: Any) -> Any:
        """WSPSendTo: a stream ignores the address."""
        return self.send(s, buffers, flags, operation)

    # Receiving

    def receive(self, s: int, buffers: Any, flags: int, operation: Any) -> Any:
        """WSPRecv: 0 is the peer's end of stream."""
        receive_now = self.receive_now
        if receive_now is not None and operation is None and not flags and buffers and self.inbound.head is None:
            waits = self._waits
            if waits < 0 and self.blocking and len(buffers) == 1 and _is_room(buffers[0]):
                return self._receive_without_try(receive_now, buffers[0])
            moved = 0  # needs a closer look: the end of the stream, or something wrong with the buffers
            try:
                if len(buffers) == 1:
                    moved = receive_now(buffers[0])
                elif len(buffers) <= MOST_BUFFERS:
                    moved = self.host.recvmsg_into(buffers)[0]
                if moved:
                    if waits:
                        self._waits = 0
                    return moved
            except BlockingIOError:
                moved = _NOTHING_THERE
            except TypeError:
                moved = 0
            except OSError as failure:
                raise self._receive_failed(failure) from failure
            if moved == _NOTHING_THERE:
                if not self.blocking:
                    raise WinsockError(WSAEWOULDBLOCK)
                # The try has found nothing, so the next thing is to wait.
                self._waits = waits + 1 if waits + 1 < _SURE else -_WITHOUT_TRY
                return self.inbound.wait(self._receive_attempt(list(buffers), 0))
        return self._receive_queued(buffers, flags, operation)

    def _receive_without_try(self, receive_now: Callable[[Any], int], buffer: Any) -> int:
        """Wait first, as a try would certainly find nothing; the host's call itself is the attempt that follows."""
        self._waits = self._waits + 1 or _SURE - 1  # after the last one comes a try again, and one miss is enough then
        try:
            moved: int = self.inbound.wait(partial(receive_now, buffer))
        except WinsockError:
            raise
        except OSError as failure:
            raise self._receive_failed(failure) from failure
        return moved

    def _receive_queued(self, buffers: Any, flags: int, operation: Any) -> Any:
        views = check_buffers(buffers)
        self._check_receive(flags)
        if flags & MSG_WAITALL:
            return self.inbound.run(self._receive_all_attempt(views), operation)
        if not any(len(view) for view in views):
            return self.inbound.run(self._nothing_attempt, operation)
        return self.inbound.run(self._receive_attempt(views, host_flags(flags)), operation)

    def _check_receive(self, flags: int) -> None:
        if flags & ~_RECEIVE_FLAGS or flags & MSG_PARTIAL:
            raise WinsockError(WSAEOPNOTSUPP)
        if flags & MSG_WAITALL and (flags & (MSG_OOB | MSG_PEEK) or not self.blocking):
            raise WinsockError(WSAEOPNOTSUPP)
        if flags & MSG_OOB:
            if self.family == AF_UNIX:
                raise WinsockError(WSAEOPNOTSUPP)
            if self.settings.get(SO_OOBINLINE):
                raise WinsockError(WSAEINVAL)
        self.settle()
        if self.state != CONNECTED:
            raise WinsockError(WSAENOTCONN)
        if self.receive_shut:
            raise WinsockError(WSAESHUTDOWN)
        if self.broken:
            raise WinsockError(self.broken)

    def _receive_attempt(self, views: list[Any], theirs: int) -> Any:
        """One try to fill the buffers with what is there."""
        host = self.host

        def attempt() -> int:
            try:
                if len(views) == 1:
                    return host.recv_into(views[0], 0, theirs)
                return host.recvmsg_into(views[:MOST_BUFFERS], 0, theirs)[0]
            except BlockingIOError:
                raise
            except OSError as failure:
                raise self._receive_failed(failure) from failure

        return attempt

    def _receive_all_attempt(self, views: list[memoryview]) -> Any:
        """MSG_WAITALL: tries go on where the last one stopped, until the buffers are full or the stream ends."""
        host = self.host
        moved = 0

        def attempt() -> int:
            nonlocal moved
            try:
                while views:
                    received = host.recvmsg_into(views[:MOST_BUFFERS])[0]
                    if not received:
                        return moved
                    moved += received
                    _drop(views, received)
                return moved
            except BlockingIOError:
                raise
            except OSError as failure:
                raise self._receive_failed(failure) from failure

        return attempt

    def _nothing_attempt(self) -> int:
        """A receive of no bytes completes when something could be received."""
        if not ready_now(self.fd, READABLE) & (READABLE | HANGUP | FAULT):
            raise BlockingIOError
        return 0

    def _receive_failed(self, failure: OSError) -> WinsockError:
        """A host failure of a receive, in the light of what happened to the connection."""
        number = failure.errno
        if number in (errno.ECONNRESET, errno.ENOTCONN, errno.EPIPE):
            return self._broke(WSAECONNRESET)
        if number == errno.ETIMEDOUT:
            return self._broke(WSAETIMEDOUT)
        return self.ended(failure)

    def receive_from(self, s: int, buffers: Any, flags: int, room: int | None, operation: Any) -> Any:
        """WSPRecvFrom: a stream has one peer and leaves the address alone."""
        return self.receive(s, buffers, flags, operation), None

    # Waiting

    def wanted(self) -> int:
        """An idle stream is ready for nothing; the host would report a hang-up."""
        return 0 if self.state == UNCONNECTED else READABLE | WRITABLE | URGENT

    def readiness(self, ready: int) -> tuple[bool, bool, bool]:
        """select: a failed connect is exceptional and nothing else."""
        if ready:
            self.settle()
        if self.state == LISTENING:
            return bool(ready & READABLE), False, False
        if self.state != CONNECTED:
            return False, False, self.connect_failed
        if self.broken:
            return True, True, False
        ended = ready & (HANGUP | FAULT)
        urgent = bool(ready & URGENT) and not self.settings.get(SO_OOBINLINE)
        return bool(ready & READABLE or ended), bool(ready & WRITABLE or ended), urgent

    def let_go(self) -> None:
        """Closed: no shortcut may reach a descriptor number that has a new owner."""
        self.receive_now = self.send_now = None


def _is_room(buffer: Any) -> bool:
    """A buffer that can certainly be written to."""
    return type(buffer) is bytearray or (type(buffer) is memoryview and not buffer.readonly)


def _size(buffers: Sequence[Any]) -> int:
    """Bytes in all the buffers; what ``len`` tells only of plain ones."""
    if _PLAIN.issuperset(map(type, buffers)):
        return sum(map(len, buffers))
    return sum(memoryview(buffer).nbytes for buffer in buffers)


def _drop(views: list[memoryview], count: int) -> None:
    """Take ``count`` bytes off the front of a list of views, and every empty view at the front with them."""
    while views and (count or not len(views[0])):
        size = len(views[0])
        if size > count:
            views[0] = views[0][count:]
            return
        count -= size
        del views[0]
