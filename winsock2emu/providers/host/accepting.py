"""Connection requests at a listening socket: their order, the condition function, turning callers away.

Part played:     the listening endpoint of afd.sys, and WSAAccept's part of msafd.
Lives here:      requests that were taken from the host and are not decided yet; what the condition function's answer
                 means; SO_PAUSE_ACCEPT.
Lives elsewhere: waiting for a request (engine/lanes), the new socket (provider, `accepted_from` of stream), the form of
                 the condition function in C (capi).
Deciding:        no host lets a program look at a request without accepting it, so it is accepted first. The caller sees
                 a connection, and a reset when it is rejected; that is Windows without SO_CONDITIONAL_ACCEPT. With the
                 option Windows keeps the caller waiting until the function has accepted, which no host can do.
Deferring:       a deferred request is put back at the head, where the next accept finds it. So is one whose function
                 raised an exception or answered what is no answer.
Pausing:         the host's socket stops listening, so that its stack resets whoever calls; requests that have come
                 before are kept. Only Linux lets a socket listen again.
Backlog:         the host's. One that is full turns callers away as on Windows where the host says so (stream).
Sources:         nf-winsock2-wsaaccept, so-conditional-accept, sol-socket-socket-options (SO_PAUSE_ACCEPT);
                 R11.29-R11.46 and A26-A29 of the project's reference.
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import struct
import sys
from collections import deque
from collections.abc import Callable
from operator import index
from typing import Any, Final

import attrs

from ...defs.codes import WSAECONNREFUSED, WSAECONNRESET, WSAEINVAL, WSAEOPNOTSUPP, WSATRY_AGAIN
from ...defs.constants import CF_ACCEPT, CF_DEFER, CF_REJECT
from ...defs.sockaddr import SockAddr
from ...engine.pump import READABLE, ready_now
from ...errors import WinsockError
from .translate import windows_address

Condition = Callable[..., int]
"""(caller id, caller data, SQOS, GQOS, callee id, callee data, group, callback data) -> CF_ACCEPT, CF_REJECT, CF_DEFER.

The ids are addresses in Windows' layout. What TCP/IP does not have is None, and the group is 0.
"""

_SOL_SOCKET: Final = int(_socket.SOL_SOCKET)
_SO_ERROR: Final = int(_socket.SO_ERROR)
_SO_LINGER: Final = int(_socket.SO_LINGER)
_ABORTIVE: Final = struct.pack("ii", 1, 0)
_SHUT_RD: Final = int(_socket.SHUT_RD)


@attrs.define(eq=False)  # not frozen, which would take three times as long to make
class ConnectionRequest:
    """A caller that waits to be accepted.

    Attributes:
        host: the host's end of the connection.
        peer: the caller's address.
    """

    host: _socket.socket
    peer: SockAddr

    def check_alive(self) -> None:
        """Raise WSAECONNRESET, and be done with it, if the caller has gone."""
        if self.host.getsockopt(_SOL_SOCKET, _SO_ERROR):
            # The host would leave that to the first receive.
            self.host.close()
            raise WinsockError(WSAECONNRESET)

    def reset(self) -> None:
        """Turn the caller away."""
        with contextlib.suppress(OSError):
            self.host.setsockopt(_SOL_SOCKET, _SO_LINGER, _ABORTIVE)
        self.host.close()


class ConnectionRequests:
    """The requests of one listening socket, in their order.

    Attributes:
        waiting: requests that were taken from the host and not decided; nobody else may change it.
        paused: callers are turned away.
        host_options: what the host had been told when the socket began to listen, which it hands down to connections.
    """

    __slots__ = ("_backlog", "_host", "host_options", "paused", "waiting")

    def __init__(self, host: _socket.socket, backlog: int, host_options: dict[Any, Any]) -> None:
        self._host = host
        self._backlog = backlog
        self.host_options = host_options
        self.paused = False
        self.waiting: deque[ConnectionRequest] = deque()

    def listen(self) -> None:
        """Have the host take requests.

        Raises:
            OSError: what the host says.
        """
        self._host.listen(self._backlog)

    def take(self) -> ConnectionRequest:
        """One attempt to get the first request.

        Raises:
            BlockingIOError: there is none.
            OSError: what the host says.
        """
        if self.waiting:
            with contextlib.suppress(IndexError):  # another thread was faster
                return self.waiting.popleft()
        if self.paused:
            raise BlockingIOError
        return self._from_host()

    def _from_host(self) -> ConnectionRequest:
        host = self._host
        try:
            descriptor, address = host._accept()  # type: ignore[attr-defined]  # the C part of socket.accept
        except BlockingIOError:
            raise
        except OSError as failure:
            if failure.errno == errno.ECONNABORTED:
                raise WinsockError(WSAECONNRESET) from failure
            if failure.errno in (errno.EMFILE, errno.ENFILE) and not ready_now(host.fileno(), READABLE):
                # Linux looks for a free descriptor first, and complains even when nobody calls.
                raise BlockingIOError from failure
            raise
        taken = _socket.socket(host.family, host.type, host.proto, descriptor)
        return ConnectionRequest(taken, windows_address(address, int(host.family)))

    def put_back(self, request: ConnectionRequest) -> None:
        """It is not decided, and the first one again."""
        self.waiting.appendleft(request)

    def pause(self) -> None:
        """Turn callers away from now on.

        Raises:
            WinsockError: WSAEOPNOTSUPP, the host cannot.
            OSError: what the host says.
        """
        if sys.platform != "linux" or self._host.family == _socket.AF_UNIX:
            raise WinsockError(WSAEOPNOTSUPP)
        with contextlib.suppress(OSError):  # none is left, or no descriptor for it
            while True:
                self.waiting.append(self._from_host())
        name = self._host.getsockname()
        self.paused = True
        self._host.shutdown(_SHUT_RD)
        with contextlib.suppress(OSError):
            self._host.bind(name)  # a port that the host had chosen has been given up with it; others it keeps

    def resume(self) -> None:
        """Take requests again.

        Raises:
            OSError: what the host says.
        """
        self.listen()
        self.paused = False

    def reset_all(self) -> None:
        """The listening socket closes; requests that are still with the host are reset by it."""
        while self.waiting:
            self.waiting.popleft().reset()


def decide(request: ConnectionRequest, condition: Condition, callback_data: int) -> int:
    """Ask the condition function: 0 for a request to be accepted, else the code that WSAAccept fails with.

    A rejected request is reset. After any other code the request has to be put back.
    """
    family = int(request.host.family)
    callee = windows_address(request.host.getsockname(), family)
    verdict = index(condition(request.peer, None, None, None, callee, None, 0, callback_data))
    if verdict == CF_REJECT:
        request.reset()
        return WSAECONNREFUSED
    return {CF_ACCEPT: 0, CF_DEFER: WSATRY_AGAIN}.get(verdict, WSAEINVAL)
