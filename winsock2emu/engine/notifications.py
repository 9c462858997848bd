"""Socket state notifications: what holds for a socket becomes packets of a completion port.

Part played:     the notification registrations of afd.sys.
Lives here:      a registration: when it posts, and when it may post again.
Lives elsewhere: what holds (engine/polls), the call (ws2_32.notifications), the port (kernel/ports).
Level:           posted while a condition holds. One packet at a time: the next one comes when the packets of the port
                 have all been taken and a thread asks for more (`Port.refills`), if something holds then.
Edge:            posted when something new comes, as the host's edge-triggered mechanism tells it. A condition that
                 holds from the beginning is not told.
Differences:     with edges, data that comes while earlier data has not been received is told once more; Windows tells
                 only of the change from not holding to holding.
Closing:         the socket's end ends the registration, and nothing is told of that.
Sources:         winsock-socket-state-notifications, ns-winsock2-sock_notify_registration on Microsoft Learn.
"""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Final

from ..defs.afd import (
    AFD_POLL_ABORT,
    AFD_POLL_ACCEPT,
    AFD_POLL_CONNECT_FAIL,
    AFD_POLL_DISCONNECT,
    AFD_POLL_LOCAL_CLOSE,
    AFD_POLL_RECEIVE,
    AFD_POLL_SEND,
)
from ..defs.constants import (
    SOCK_NOTIFY_EVENT_ERR,
    SOCK_NOTIFY_EVENT_HANGUP,
    SOCK_NOTIFY_EVENT_IN,
    SOCK_NOTIFY_EVENT_OUT,
    SOCK_NOTIFY_TRIGGER_EDGE,
    SOCK_NOTIFY_TRIGGER_ONESHOT,
)
from ..errors import WinsockError
from ..kernel.ports import Port
from .endpoint import Endpoint
from .polls import Conditions
from .pump import READABLE, WRITABLE, Arrivals

_CONDITIONS: Final = {
    SOCK_NOTIFY_EVENT_IN: AFD_POLL_RECEIVE | AFD_POLL_ACCEPT | AFD_POLL_DISCONNECT,
    SOCK_NOTIFY_EVENT_OUT: AFD_POLL_SEND,
    SOCK_NOTIFY_EVENT_HANGUP: AFD_POLL_DISCONNECT | AFD_POLL_ABORT,
    SOCK_NOTIFY_EVENT_ERR: AFD_POLL_ABORT | AFD_POLL_CONNECT_FAIL,  # told unasked
}
_OUTWARD: Final = AFD_POLL_SEND | AFD_POLL_CONNECT_FAIL


class Registration:
    """A socket's registration with a port; a `Wish` of its conditions.

    Attributes:
        port: where packets go.
        key: what they carry.
        asked: the conditions that are looked for now.
    """

    def __init__(self, conditions: Conditions, port: Port, key: Any) -> None:
        self.port = port
        self.key = key
        self.asked = 0
        self._conditions = conditions
        self._filter = 0
        self._wanted = 0
        self._once = False
        self._queued = False
        self._edges: list[_Edge] = []
        self._lock = threading.Lock()
        conditions.add(self)

    def enable(self, events: int, triggers: int) -> None:
        """Tell of events (SOCK_NOTIFY_EVENT_*) from now on.

        Raises:
            WinsockError: WSAENOBUFS, no descriptor is left for edges.
        """
        self.disable()
        conditions = _CONDITIONS[SOCK_NOTIFY_EVENT_ERR]
        for event, some in _CONDITIONS.items():
            if events & event:
                conditions |= some
        self._wanted = conditions
        self._filter = events | SOCK_NOTIFY_EVENT_ERR
        self._once = bool(triggers & SOCK_NOTIFY_TRIGGER_ONESHOT)
        if not events:
            return
        if triggers & SOCK_NOTIFY_TRIGGER_EDGE:
            inward = conditions & ~_OUTWARD
            self._edges.append(_Edge(self, READABLE, inward))
            if conditions & _OUTWARD:
                self._edges.append(_Edge(self, WRITABLE, conditions & _OUTWARD))
            return
        self.asked = conditions
        self._conditions.look()

    def disable(self) -> None:
        """Tell of nothing until it is enabled again."""
        self.asked = 0
        edges, self._edges = self._edges, []
        for edge in edges:
            edge.close()
        with self._lock:
            self._queued = False

    def remove(self) -> None:
        """End it."""
        self.disable()
        self._conditions.drop(self)

    def told(self, conditions: Conditions, met: int) -> None:
        """Some conditions hold, or the socket is closed."""
        if met & AFD_POLL_LOCAL_CLOSE:
            self.remove()
            return
        with self._lock:
            if self._queued or not self.asked:
                return
            self._queued = True
            self.asked = 0  # until the packet has been taken
        self._post(met)

    def came(self, asked: int) -> None:
        """The host has news of these conditions."""
        met = self._conditions.now(asked) & ~AFD_POLL_LOCAL_CLOSE
        if met:
            self._post(met)

    def _post(self, met: int) -> None:
        events = 0
        for event, some in _CONDITIONS.items():
            if met & some:
                events |= event
        events &= self._filter
        if not events:
            return
        if self._once:
            self.disable()
        elif not self._edges:
            self.port.refills.append(self.refill)
        self.port.post((self.key, 0, 0, events))

    def refill(self) -> None:
        """The packet has been taken, and its taker is back: tell what still holds."""
        with self._lock:
            if not self._queued:
                return  # disabled meanwhile
            self._queued = False
        self.asked = self._wanted
        with contextlib.suppress(WinsockError):
            self._conditions.look()


class _Edge(Endpoint):
    """What tells of news in one direction of a socket."""

    __slots__ = ("_asked", "_registration", "_source")

    def __init__(self, registration: Registration, mask: int, asked: int) -> None:
        socket = registration._conditions.endpoint
        self._source = Arrivals(socket.fd, mask)
        super().__init__(socket.pump, self._source.fileno)
        self._registration = registration
        self._asked = asked
        self.alarms = READABLE
        self.pump.watch(self)

    def alarm(self, ready: int) -> None:
        """The host has news."""
        with contextlib.suppress(OSError, ValueError):
            if self._source.take():
                self._registration.came(self._asked)

    def close(self) -> None:
        """Give back what the host lent."""
        self.alarms = 0
        self.pump.unwatch(self)
        self._source.close()


def registration_of(conditions: Conditions) -> Registration | None:
    """The registration of a socket."""
    return next((wish for wish in conditions.wishes() if isinstance(wish, Registration)), None)
