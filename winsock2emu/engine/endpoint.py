"""The endpoint: one socket as the engine sees it.

Part played:     the FILE_OBJECT context of afd.sys.
Lives here:      the two lanes, blocking mode, and the end of everything that waits when the socket closes.
Lives elsewhere: the state machine of the connection and every host call (the provider's subclass).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from ..defs.codes import WSA_OPERATION_ABORTED
from ..errors import WinsockError
from ..kernel.objects import dispatcher
from ..kernel.operations import Operation
from .lanes import Lane
from .pump import READABLE, URGENT, WRITABLE, Pump


class Watcher(Protocol):
    """A wait over several endpoints."""

    def wake(self, endpoint: Endpoint, /) -> None:
        """An endpoint has changed in a way that the host reports to nobody, or is being closed: look again."""
        ...


_NOBODY: Final[Any] = ()  # shared, so it must not be added to
"""Stays empty. Few sockets ever have a watcher, and a list takes 56 bytes."""


class Observer(Protocol):
    """Somebody beside the lanes who is told of readiness.

    Attributes:
        interest: the readiness that counts now; `Pump.watch` has to follow a change.
    """

    interest: int

    def alarm(self, ready: int, /) -> None:
        """The descriptor reports; as `Endpoint.alarm`."""
        ...


class Endpoint:
    """What lanes and pump know of a socket; a provider derives its own sockets from it.

    Attributes:
        alarms: readiness that `alarm` is told of although nothing pends; `Pump.watch` has to follow a change.
        fd: the descriptor whose readiness counts, -1 for a transport that reports readiness by `Lane.ready`.
        blocking: a call without an overlapped structure may wait (FIONBIO 0).
        observer: who is told of readiness as well, None for nobody.
        polls: another one, for requests that wait for conditions (engine/polls).
        closing: 0, or the code that calls get which were waiting when the socket was closed.
        watchers: the waits over several endpoints that this one takes part in, as weak references; see `enter`.
    """

    __slots__ = ("alarms", "blocking", "closing", "fd", "inbound", "observer", "outbound", "polls", "pump", "watchers")

    def __init__(self, pump: Pump, fd: int) -> None:
        self.pump = pump
        self.fd = fd
        self.blocking = True
        self.closing = 0
        self.alarms = 0
        self.observer: Observer | None = None
        self.polls: Observer | None = None
        self.inbound = Lane(self, READABLE)
        self.outbound = Lane(self, WRITABLE)
        self.watchers: list[Callable[[], Watcher | None]] = _NOBODY

    def interest(self) -> int:
        """The readiness the pump has to look for: alarms, and the directions with overlapped requests pending."""
        mask = 0 if self.closing else self.alarms
        if self.observer is not None and not self.closing:
            mask |= self.observer.interest
        if self.polls is not None and not self.closing:
            mask |= self.polls.interest
        inbound, outbound = self.inbound, self.outbound
        if (head := inbound.head) is not None and head.waiter is None:  # it pends
            mask |= inbound.mask
        if (head := outbound.head) is not None and head.waiter is None:
            mask |= outbound.mask
        return mask

    def service(self, ready: int) -> None:
        """The descriptor reports; errors and hang-ups concern both directions."""
        if self.alarms or ready & URGENT:
            self.alarm(ready)
        if self.observer is not None:
            self.observer.alarm(ready)
        if self.polls is not None:
            self.polls.alarm(ready)
        if ready & ~WRITABLE:
            self.inbound.service()
        if ready & ~READABLE:
            self.outbound.service()

    def alarm(self, ready: int) -> None:
        """The descriptor reports urgent data, or something while there are alarms; what stays reported must be ended.

        Called by the thread that found out, before it tries what waits.
        """

    def aborted(self, lane: Lane, operation: Operation) -> WinsockError:
        """How an overlapped request ends that pends when the endpoint is closed."""
        return WinsockError(WSA_OPERATION_ABORTED)

    def abort(self, error: int, *, silent: bool = False) -> None:
        """End everything that waits on this endpoint, before its descriptor is closed.

        ``silent``: nobody is told of the overlapped requests among it.
        """
        self.closing = error
        self.alarms = 0
        self.inbound.abort(error, silent=silent)
        self.outbound.abort(error, silent=silent)
        # Last, since a request that was queued just before may still be on its way to the pump; from here on nothing
        # pends, so nothing can be armed any more.
        self.pump.unwatch(self)
        self.changed()

    def changed(self) -> None:
        """Tell the waits that this endpoint takes part in that its state is another one."""
        if self.watchers:
            for reference in tuple(self.watchers):
                watcher = reference()
                if watcher is not None:
                    watcher.wake(self)

    def enter(self, watcher: Callable[[], Watcher | None]) -> None:
        """Have a wait told of every change, by a weak reference to it."""
        if self.watchers is _NOBODY:
            with dispatcher:
                if self.watchers is _NOBODY:
                    self.watchers = []
        self.watchers.append(watcher)

    def after_fork(self) -> None:
        """In the child: nobody waits and nothing pends."""
        self.alarms = 0
        self.watchers = _NOBODY
        self.inbound.after_fork()
        self.outbound.after_fork()
