"""A send under way, and what is left of it when its program has gone on.

Part played:     the send IRPs that afd.sys has copied and still owes to the transport.
Lives here:      an attempt that goes on where the last one stopped; sends whose program does not wait for them, until
                 the host has taken them, the socket being open or closed.
Lives elsewhere: which sends are left like this (stream), what closing does with them (closing), order (engine/lanes).
All or nothing:  a non-blocking send is taken whole or not at all, as on Windows. What the host has not taken of it is
                 copied and sent by the pump; until then the socket has no room for another send.
Outlives:        the socket, WSACleanup and, within a bound, the program: on Windows the kernel looks after what has
                 been accepted. So this is the one thing here that belongs to no `Process`.
Sources:         nf-winsock2-closesocket, closing-sockets-2, cleanup-2; R12.26, A50, A92 and the behaviour
                 evwrite-send-full-buffers of the project's reference.
"""

from __future__ import annotations

import _socket
import atexit
import os
import threading
import time
from collections.abc import Callable
from typing import Final

from ...engine.endpoint import Endpoint
from ...engine.pump import Pump
from ...errors import WinsockError
from ...kernel.operations import Operation
from .hostsocket import MOST_BUFFERS
from .translate import from_host

# At the end of the program: this long without any progress, or altogether, and what is left is lost.
IDLE_AT_EXIT_S: Final = 2.0
LONGEST_AT_EXIT_S: Final = 20.0


class Sending:
    """A send under way.

    Args:
        host: what is sent on.
        views: what is sent; the list is used up.
        flags: the host's.
        failed: the error for a failure of the host.
        moved: bytes at the front that the host has taken before.

    Attributes:
        moved: bytes that the host has taken.
    """

    __slots__ = ("_failed", "_flags", "_host", "_views", "moved")

    def __init__(
        self,
        host: _socket.socket,
        views: list[memoryview],
        flags: int,
        failed: Callable[[OSError], WinsockError],
        moved: int = 0,
    ) -> None:
        self._host = host
        self._flags = flags
        self._views = views
        self._failed = failed
        self.moved = moved
        drop(views, moved)

    def __call__(self) -> int:
        """One attempt; the bytes moved altogether, once they are all the bytes there are."""
        host, views, flags = self._host, self._views, self._flags
        try:
            while views:
                sent = host.send(views[0], flags) if len(views) == 1 else host.sendmsg(views[:MOST_BUFFERS], (), flags)
                self.moved += sent
                drop(views, sent)
        except BlockingIOError:
            raise
        except OSError as failure:
            raise self._failed(failure) from failure
        return self.moved

    @property
    def left(self) -> int:
        """Bytes that the host has not taken yet."""
        return sum(map(len, self._views))

    def keep(self) -> None:
        """Copy what is left: the program's buffers are its own again."""
        self._views[:] = [memoryview(b"".join(self._views))] if self._views else []

    def move_to(self, host: _socket.socket) -> None:
        """Go on through another descriptor of the same host socket; nobody asks for the outcome any more."""
        self._host = host
        self._failed = from_host


def drop(views: list[memoryview], count: int) -> None:
    """Take ``count`` bytes off the front of a list of views, and every empty view at the front with them."""
    dropped = 0
    for view in views:
        size = len(view)
        if size > count:
            if count:
                views[dropped] = view[count:]
            break
        count -= size
        dropped += 1
    if dropped:
        del views[:dropped]


class _ClosedSocket(Endpoint):
    """A socket that its program has closed, until the host has taken what was left to be sent."""

    __slots__ = ("_ended", "_host", "_sending")

    def __init__(self, pump: Pump, host: _socket.socket, sending: Sending, ended: Callable[[], None]) -> None:
        super().__init__(pump, host.fileno())
        self._host = host
        self._sending = sending
        self._ended = ended

    def start(self) -> None:
        """Send what can be sent now; the pump does the rest."""
        operation = Operation(self._end)
        try:
            self.outbound.run(self._sending, operation)
        except WinsockError:
            self._end(operation)

    def _end(self, operation: Operation) -> None:
        self.pump.unwatch(self)
        self._host.close()
        self._ended()

    def forget(self) -> None:
        """In the child of a fork: the parent sends it."""
        self._host.close()


class Leftovers:
    """What programs have handed over and the host has not taken yet, in this interpreter."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._sends: set[Sending] = set()
        self._closed: dict[Sending, _ClosedSocket] = {}
        self._pump: Pump | None = None
        self._registered = False

    def add(self, sending: Sending) -> None:
        """The program has gone on."""
        with self._change:
            self._sends.add(sending)
            if not self._registered:
                self._registered = True
                atexit.register(self.finish)

    def remove(self, sending: Sending) -> None:
        """It is sent, or never will be."""
        pump = None
        with self._change:
            self._sends.discard(sending)
            if self._closed.pop(sending, None) is not None and not self._closed:
                pump, self._pump = self._pump, None
            self._change.notify_all()
        if pump is not None:
            pump.close()

    def give_up(self, sending: Sending) -> None:
        """Its socket is closed: it will not be sent, unless `close_after` looks after it."""
        with self._change:
            if sending not in self._closed:
                self._sends.discard(sending)
                self._change.notify_all()

    def close_after(self, host: _socket.socket, sending: Sending) -> None:
        """The socket of a send is being closed: keep a descriptor of it until the send is done.

        Raises:
            OSError: the host has no descriptor left; nothing is kept then.
        """
        kept = _socket.socket(fileno=os.dup(host.fileno()))
        kept.setblocking(False)
        sending.move_to(kept)
        with self._change:
            if self._pump is None:
                self._pump = Pump()
            closed = _ClosedSocket(self._pump, kept, sending, lambda: self.remove(sending))
            self._closed[sending] = closed
        closed.start()

    def waits(self) -> bool:
        """Something is left."""
        return bool(self._sends)

    def finish(self) -> None:
        """At the end of the program: wait while it goes on, but not for ever."""
        deadline = time.monotonic() + LONGEST_AT_EXIT_S
        with self._change:
            while self._sends:
                before = sum(sending.left for sending in self._sends)
                self._change.wait(min(IDLE_AT_EXIT_S, deadline - time.monotonic()))
                if time.monotonic() >= deadline or sum(sending.left for sending in self._sends) == before:
                    return

    def after_fork(self) -> None:
        """In the child: it is the parent's business."""
        closed, pump = self._closed, self._pump
        self._change = threading.Condition()
        self._sends = set()
        self._closed = {}
        self._pump = None
        for one in closed.values():
            one.forget()
        if pump is not None:
            pump.after_fork()


leftovers: Final = Leftovers()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=leftovers.after_fork)
