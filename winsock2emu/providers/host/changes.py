"""Waiting for a change of the host's addresses or routes, or of a connection: the requests that pend until then.

Part played:     the change notifications that afd.sys gets from the transports.
Lives here:      where the news comes from (`NetlinkNews`, `TickingNews`), and `ChangeWait`, one socket's wait for one
                 kind of news.
Lives elsewhere: blocking and cancelling (engine/lanes: a wait is an endpoint of its own), what has changed (ioctls and
                 interfaces), what a network event is (netevents).
News:            says only that it is worth while to look again. Whoever waits compares what there was with what there
                 is, so news that concerns something else completes nothing.
Linux:           a netlink socket with the groups for links, addresses and routes. Elsewhere, and where the host gives
                 none, a thread makes the waiter look every `PERIOD_S`; news of routes alone is then not to be had.
Sources:         winsock-ioctls (SIO_ADDRESS_LIST_CHANGE, SIO_ROUTING_INTERFACE_CHANGE), R9.24, R9.26 and A110 of the
                 project's reference; rtnetlink(7).
"""

from __future__ import annotations

import _socket
import contextlib
import errno
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Protocol

from ...defs.codes import WSAENOBUFS
from ...engine.endpoint import Endpoint
from ...engine.pump import HANGUP, READABLE, Pump
from ...errors import WinsockError
from ...kernel.operations import Operation
from ...kernel.waits import WakeDescriptor

ADDRESS_LIST: Final = "address list"
ROUTES: Final = "routes"
"""Kinds of waits that have a network event."""

PERIOD_S: Final = 1.0
"""How often a host that has no news is looked at, in seconds."""

# linux/rtnetlink.h: links, IPv4 addresses and routes, IPv6 addresses and routes.
_GROUPS: Final = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
_MESSAGE_ROOM: Final = 65536


class ChangeSource(Protocol):
    """What a wait is for.

    Attributes:
        fileno: a descriptor that is ready while there is news.
        mask: what it is ready for then (engine/pump).
        news: how much of it there has been. A source that cannot tell news from none leaves it alone.
    """

    fileno: int
    mask: int
    news: int

    def clear(self) -> None:
        """Take the news so far; the caller looks afterwards."""
        ...

    def close(self) -> None:
        """Give back what the host lent, once nobody waits any more; a second call does nothing."""
        ...


class NetlinkNews:
    """Linux: the kernel's own messages about links, addresses and routes."""

    mask = READABLE

    def __init__(self) -> None:
        self._socket = _socket.socket(
            int(_socket.AF_NETLINK), int(_socket.SOCK_RAW | _socket.SOCK_CLOEXEC), int(_socket.NETLINK_ROUTE)
        )
        try:
            self._socket.setblocking(False)
            self._socket.bind((0, _GROUPS))
        except BaseException:
            self._socket.close()
            raise
        self.fileno = self._socket.fileno()
        self.news = 0

    def clear(self) -> None:
        while True:
            try:
                self._socket.recv(_MESSAGE_ROOM)
            except BlockingIOError:
                return
            except OSError as failure:
                if failure.errno != errno.ENOBUFS:
                    raise
            # A message, or so many of them that some were lost.
            self.news += 1

    def close(self) -> None:
        self._socket.close()


class TickingNews:
    """Any host: time to look, every ``period_s`` seconds."""

    mask = READABLE

    def __init__(self, period_s: float = PERIOD_S) -> None:
        self._wake = WakeDescriptor()
        self.fileno = self._wake.fileno
        self.news = 0
        self._ended = threading.Event()
        # The thread holds the descriptor as well, so that its last tick cannot hit a number with a new owner.
        ticking = threading.Thread(
            target=_tick, args=(self._wake, self._ended, period_s), name="winsock2emu-changes", daemon=True
        )
        try:
            ticking.start()
        except RuntimeError as failure:
            raise WinsockError(WSAENOBUFS) from failure

    def clear(self) -> None:
        self._wake.clear()

    def close(self) -> None:
        self._ended.set()


def _tick(wake: WakeDescriptor, ended: threading.Event, period_s: float) -> None:
    while not ended.wait(period_s):
        wake.signal()


class ConnectionNews:
    """A connection: its reset, and the end of both directions, which every poll call reports unasked."""

    mask = HANGUP

    def __init__(self, descriptor: int) -> None:
        try:
            self.fileno = os.dup(descriptor)  # the pump knows an endpoint by its descriptor
        except OSError as failure:
            raise WinsockError(WSAENOBUFS) from failure
        self.news = 0
        self._closed = False

    def clear(self) -> None:
        """Nothing to take: what there is stays visible."""

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            os.close(self.fileno)


def open_source() -> ChangeSource:
    """The host's best source of news about addresses and routes.

    Raises:
        WinsockError: WSAENOBUFS, no descriptor is left.
    """
    if hasattr(_socket, "AF_NETLINK") and hasattr(_socket, "NETLINK_ROUTE"):
        try:
            return NetlinkNews()
        except OSError as failure:
            if failure.errno in (errno.EMFILE, errno.ENFILE):
                raise WinsockError(WSAENOBUFS) from failure
            # A host that only looks like Linux, or that forbids it: look by the clock.
    return TickingNews()


def _no_error() -> int:
    return 0


class ChangeWait(Endpoint):
    """One request that waits for news, an endpoint of its own; a `Watcher` of its socket where that counts as well.

    Attributes:
        handle: what the call came through; a socket may have several.
        kind: what it is about, for those who look for it.
        source: where the news comes from.
        happened: tells whether what the request waits for has come about.
        code: what the network event tells then: 0, or an error.
    """

    __slots__ = ("__weakref__", "code", "handle", "happened", "kind", "source")

    def __init__(self, pump: Pump, handle: int, kind: str, source: ChangeSource, happened: Callable[[], bool]) -> None:
        super().__init__(pump, source.fileno)
        self.handle = handle
        self.inbound.mask = source.mask
        self.kind = kind
        self.source = source
        self.happened = happened
        self.code: Callable[[], int] = _no_error

    def interest(self) -> int:
        """The pump has to look for what the source reports."""
        return self.inbound.mask if self.inbound.pends else 0

    def wait(self, operation: Operation | None = None) -> Any:
        """Wait until it has happened.

        Raises:
            WinsockError: the code the socket was closed with; what ``happened`` raised to end the wait.
        """

        def attempt() -> None:
            self.source.clear()
            if not self.happened():
                raise BlockingIOError

        return self.inbound.run(attempt, operation, timeout_ms=0)

    def wake(self, endpoint: Endpoint, /) -> None:
        """The socket has changed: whoever waits looks again."""
        self.inbound.ready()


class ChangeWaits:
    """The requests of all sockets of a provider that wait for news. Very few sockets ever have one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[Endpoint, list[ChangeWait]] = {}

    def of(self, endpoint: Endpoint, kind: str) -> list[ChangeWait]:
        """What a socket has of one kind."""
        with self._lock:
            return [wait for wait in self._of.get(endpoint, ()) if wait.kind == kind]

    def begin(
        self,
        endpoint: Endpoint,
        handle: int,
        kind: str,
        source: ChangeSource,
        happened: Callable[[], bool],
        *,
        only: bool = False,
    ) -> ChangeWait:
        """Enter a request; it counts from now on.

        Args:
            endpoint: the socket.
            handle: what the call came through.
            kind: what it is about.
            source: where the news comes from; it is closed with the request.
            happened: tells whether what it waits for has come about.
            only: it takes the place of all others of its kind.

        Raises:
            WinsockError: the code the socket has been closed with.
        """
        wait = ChangeWait(endpoint.pump, handle, kind, source, happened)
        replaced: list[ChangeWait] = []
        with self._lock:
            # Under the lock that `close` takes after the mark is set: one of the two sees the other.
            if not endpoint.closing:
                waits = self._of.setdefault(endpoint, [])
                if only:
                    replaced = [other for other in waits if other.kind == kind]
                waits.append(wait)
        if endpoint.closing:
            self.end(endpoint, wait)
            raise WinsockError(endpoint.closing)
        for other in replaced:
            self.end(endpoint, other)
        return wait

    def pend(self, endpoint: Endpoint, wait: ChangeWait, request: Operation) -> Any:
        """Have an overlapped request wait; what has been begun for it ends with it. `PENDING`, or None when it is over.

        Raises:
            WinsockError: as `ChangeWait.wait`; nothing is told then.
        """

        def ended(waiting: Operation) -> None:
            self.end(endpoint, wait)
            request.finish(b"", WinsockError(waiting.error) if waiting.error else None)

        waiting = Operation(ended)
        request.pend(waiting)
        try:
            return wait.wait(waiting)
        except WinsockError:
            request.abandon()
            self.end(endpoint, wait)
            raise

    def tell(self, endpoint: Endpoint, kind: str, tell: Callable[[int], None]) -> None:
        """Have a socket's requests of one kind that nobody waits for call ``tell`` with their code, if they happen."""
        for wait in self.of(endpoint, kind):
            if wait.inbound.head is None:
                with contextlib.suppress(WinsockError):  # closed meanwhile
                    wait.wait(Operation(partial(self._told, endpoint, wait, tell)))

    def _told(self, endpoint: Endpoint, wait: ChangeWait, tell: Callable[[int], None], operation: Operation) -> None:
        if not operation.error:
            tell(wait.code())
            self.end(endpoint, wait)

    def end(self, endpoint: Endpoint, wait: ChangeWait) -> None:
        """Forget a request that is over; a second call does nothing."""
        with self._lock:
            waits = self._of.get(endpoint, [])
            if wait in waits:
                waits.remove(wait)
            if not waits:
                self._of.pop(endpoint, None)
        if endpoint.watchers:
            endpoint.watchers[:] = [watcher for watcher in endpoint.watchers if watcher() is not wait]
        wait.pump.unwatch(wait)
        wait.source.close()

    def close(self, endpoint: Endpoint, error: int, handle: int | None = None) -> None:
        """End the requests of a socket with a code, after its own `abort`; or those that came through one handle."""
        if endpoint not in self._of:
            return  # without the lock: `begin` looks once more whether the socket is closing after it has entered one
        with self._lock:
            ended = [wait for wait in self._of.get(endpoint, ()) if handle in (None, wait.handle)]
            left = [wait for wait in self._of.pop(endpoint, ()) if wait not in ended]
            if left:
                self._of[endpoint] = left
        for wait in ended:
            wait.abort(error)
            wait.source.close()

    def after_fork(self) -> None:
        """In the child: the parent goes on waiting, with descriptors that both have."""
        self._lock = threading.Lock()
        before, self._of = self._of, {}
        for waits in before.values():
            for wait in waits:
                wait.source.close()
