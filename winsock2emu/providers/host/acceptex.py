"""AcceptEx: a connection put into a socket that was made before, with its addresses and its first data.

Part played:     the super accept of afd.sys.
Lives here:      the stages of the request, what the accepting socket has to be, SO_UPDATE_ACCEPT_CONTEXT.
Lives elsewhere: taking requests from the host (accepting), the new host socket under the descriptor (exchange), the
                 stages' lanes (stages), the form of the addresses (defs/acceptbuffer).

    AcceptEx ──▶ the listening socket's inbound lane, in order with accept
                   │ a connection comes; the accepting socket has it from here on
                   ├─ no room for data ──▶ complete
                   ▼
                 the accepting socket's inbound lane ── data or the end comes ──▶ complete

Whose request:   the listening socket's, to the end: its port is told, CancelIo wants its handle. Closing either socket
                 ends it.
Late checks:     areas that are too small for the addresses fail when a connection is there, which is kept for the next
                 one to accept (observed); a local area of no bytes is none.
Callers that go: one that has reset the connection before the call fails it. A request that pends is there first, and
                 Windows connects the two when the caller comes: the program gets the connection, and is told of the
                 reset when it receives.
Silent callers:  only the accepting socket waits for data, so that others are accepted meanwhile. A request that is
                 cancelled then resets the connection, and the socket is as it was before.
Context:         an accepted socket is connected without knowing its listening socket. Until SO_UPDATE_ACCEPT_CONTEXT
                 names and shutdown are WSAENOTCONN; its options are its own until then, not the listening socket's.
Sources:         nf-mswsock-acceptex, sol-socket-socket-options; R9.38-R9.43, B12 and the behaviours acceptex-* of the
                 project's reference.
"""

from __future__ import annotations

import _socket
import contextlib
from collections.abc import Iterable
from typing import Any, Final

from ...defs.acceptbuffer import EXTRA_ROOM, store_address
from ...defs.codes import ERROR_INSUFFICIENT_BUFFER, WSA_OPERATION_ABORTED, WSAEFAULT, WSAEINVAL, WSAENOTCONN
from ...defs.constants import SO_OOBINLINE, SO_PAUSE_ACCEPT, SO_RCVTIMEO, SO_SNDTIMEO
from ...defs.sockaddr import SockAddr
from ...errors import WinsockError
from ...kernel.operations import PENDING, Operation
from .accepting import ConnectionRequest
from .connection import CONNECTED, UNCONNECTED
from .exchange import put_under
from .hostsocket import NAME_SIZES, HostSocket
from .stages import StagedOperation, Stages, carry_out
from .stream import StreamSocket
from .translate import windows_address

_SOL_SOCKET: Final = int(_socket.SOL_SOCKET)

# What a listening socket's host socket hands down and an accepting socket may keep: sharing a port is harmless, and
# the sizes of buffers cannot be set back.
_HANDED_DOWN: Final = frozenset(
    (_SOL_SOCKET, int(option))
    for option in (
        _socket.SO_REUSEADDR,
        getattr(_socket, "SO_REUSEPORT", _socket.SO_REUSEADDR),
        _socket.SO_RCVBUF,
        _socket.SO_SNDBUF,
    )
)


def accept_into(
    listener: HostSocket,
    acceptor: HostSocket,
    buffer: Any,
    lengths: tuple[int, int, int],
    handles: Iterable[int],
    request: Operation | None,
) -> Any:
    """AcceptEx: the bytes of first data, or `PENDING`.

    Args:
        listener: the listening socket.
        acceptor: the socket that is to have the connection.
        buffer: what gets data and addresses; None for a NULL pointer.
        lengths: the bytes of it for data, for the local and for the remote address.
        handles: further descriptors of the accepting socket.
        request: the overlapped request, None for a synchronous one.
    """
    receive_length, local_length, remote_length = lengths
    if buffer is None or not remote_length:
        raise WinsockError(WSAEFAULT)
    if len(buffer) < sum(lengths):
        raise WinsockError(WSAEFAULT)
    if not isinstance(listener, StreamSocket) or listener.requests is None:
        raise WinsockError(WSAEINVAL)
    if not isinstance(acceptor, StreamSocket) or acceptor.family != listener.family:
        raise WinsockError(WSAEINVAL)
    if acceptor.bound or acceptor.state != UNCONNECTED or acceptor.accepting is not None:
        raise WinsockError(WSAEINVAL)
    least = NAME_SIZES[listener.family] + EXTRA_ROOM
    fits = (local_length >= least or not local_length) and remote_length >= least

    def take() -> ConnectionRequest:
        """One attempt to get a connection."""
        connection = listener.take_request()
        if not fits:
            assert listener.requests is not None
            listener.requests.put_back(connection)
            raise WinsockError(ERROR_INSUFFICIENT_BUFFER, moved=0)
        operation = acceptor.accepting
        if operation is None or operation.keeper is None:
            connection.check_alive()
        return connection

    def stages() -> Stages:
        try:
            connection: ConnectionRequest = yield listener.inbound, take
        finally:
            acceptor.accepting = None
            listener.changed()
        try:
            local = acceptor.inbound.unless_closing(lambda: _connect(acceptor, listener, connection, handles))
        except WinsockError:
            connection.reset()
            raise
        if local_length:
            store_address(buffer, receive_length, local)
        store_address(buffer, receive_length + local_length, connection.peer)
        if not receive_length:
            return 0
        room = memoryview(buffer)[:receive_length]
        try:
            return (yield acceptor.inbound, lambda: acceptor.receive_into(room))
        except WinsockError as failure:
            if failure.winerror == WSA_OPERATION_ABORTED and not acceptor.closing:
                acceptor.start_again(handles, hard=True)
            raise

    if request is None:
        acceptor.accepting = Operation(_tell_nobody)
        return carry_out(stages(), None)
    operation = acceptor.accepting = StagedOperation(stages(), request)
    result = operation.start()
    if result is PENDING:
        listener.changed()  # a connection that a request waits for is nobody else's: select does not see it
    return result


def _tell_nobody(operation: Operation) -> None:
    """Stands for a request that a thread waits for."""


def _connect(
    acceptor: StreamSocket, listener: StreamSocket, connection: ConnectionRequest, handles: Iterable[int]
) -> SockAddr:
    """Make the accepting socket the server's end of a connection; its local address."""
    if acceptor.state != UNCONNECTED:  # another thread has connected it meanwhile
        raise WinsockError(WSAEINVAL)
    host = connection.host
    try:
        local = windows_address(host.getsockname(), listener.host_family)
        _keep_options(acceptor, listener, host)
        put_under(acceptor, host, handles)
    except OSError as failure:
        raise acceptor.ended(failure) from failure
    acceptor.accepted_into(listener, connection.peer)
    return local


def _keep_options(acceptor: StreamSocket, listener: StreamSocket, host: _socket.socket) -> None:
    """Have a connection keep the options of the accepting socket; hosts hand down the listening one's."""
    assert listener.requests is not None
    own, theirs = acceptor.host_options, listener.requests.host_options
    if listener.host_options and listener.host_options != theirs:
        theirs = {**theirs, **listener.host_options}
    for (level, option), value in theirs.items() if theirs else ():
        if (level, option) not in _HANDED_DOWN and (level, option) not in (own or ()):
            with contextlib.suppress(OSError):  # of listening sockets only
                size = () if isinstance(value, int) else (len(value),)
                host.setsockopt(level, option, acceptor.host.getsockopt(level, option, *size))
    for (level, option), value in own.items() if own else ():
        with contextlib.suppress(OSError):  # of unconnected sockets only
            host.setsockopt(level, option, value)


def adopt_context(acceptor: StreamSocket, listener: StreamSocket) -> None:
    """SO_UPDATE_ACCEPT_CONTEXT: a connection gets from its listening socket what its program has not set on itself.

    Raises:
        WinsockError: WSAEINVAL, no listening socket; WSAENOTCONN, no connection.
    """
    if listener.requests is None:
        raise WinsockError(WSAEINVAL)
    acceptor.settle()
    if acceptor.state != CONNECTED:
        raise WinsockError(WSAENOTCONN)
    own = acceptor.host_options or {}
    for (level, option), value in (listener.host_options or {}).items():
        if (level, option) not in own and (level, option) not in _HANDED_DOWN:
            with contextlib.suppress(WinsockError):  # of listening sockets only
                acceptor.set_on_host(level, option, value)
    inherited = {key: value for key, value in listener.settings.items() if key not in acceptor.settings}
    inherited.pop(SO_PAUSE_ACCEPT, None)
    acceptor.settings.update(inherited)
    if SO_RCVTIMEO in inherited:
        acceptor.inbound.timeout_ms = listener.inbound.timeout_ms
    if SO_SNDTIMEO in inherited:
        acceptor.outbound.timeout_ms = listener.outbound.timeout_ms
    if inherited.get(SO_OOBINLINE):
        acceptor.keep_urgent_inline(True)
    acceptor.contextless = False
