"""Waiting for conditions of sockets without a thread: requests that complete when one holds.

Part played:     IOCTL_AFD_POLL of afd.sys, and what ProcessSocketNotifications is built on.
Lives here:      who wants to be told of an endpoint's conditions, and when they are looked at; the poll request.
Lives elsewhere: which conditions hold for a socket (the provider's subclass of `Conditions`), waits of a thread
                 (select, WSAPoll), the form of the request (kernel32.afd), time-outs (kernel/timers).
Level-triggered: a condition that holds when it is asked for is told at once. Data that a pending receive takes was
                 never there.
Dead ends:       of a connection that has hung up the host reports that for ever. What it means is looked at once; then
                 only changes that the endpoint itself tells of are.
Locking:         ``_lock`` guards the list of an endpoint; nobody is told under it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import attrs

from ..defs.afd import AFD_POLL_LOCAL_CLOSE, AFD_POLL_RECEIVE
from ..defs.codes import WSA_OPERATION_ABORTED
from ..errors import WinsockError
from ..kernel.operations import Operation
from .endpoint import Endpoint
from .pump import FAULT, HANGUP, ready_now


class Wish(Protocol):
    """Somebody who wants to be told.

    Attributes:
        asked: the conditions (AFD_POLL_*) that matter now; 0 for none.
    """

    asked: int

    def told(self, conditions: Conditions, met: int) -> None:
        """Some of them hold, or the socket is closed. Called by whoever found out; calls no user code."""
        ...


class Conditions:
    """The conditions of one endpoint; its ``polls``, told of readiness, and one of its watchers.

    Attributes:
        endpoint: the socket.
        interest: the readiness that the pump has to look for.
        main_poll: the poll request that came when this place was free; the only one that an exclusive one may end.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.interest = 0
        self.main_poll: PollRequest | None = None
        self._wishes: list[Wish] = []
        self._lock = threading.Lock()
        self._deferred: _Deferred | None = None
        endpoint.polls = self
        endpoint.enter(self._itself)

    def _itself(self) -> Conditions:
        return self

    # The provider's part

    @property
    def changes_inside(self) -> bool:
        """A change may be told from inside of what a look would ask: the look has to come later."""
        return False

    def wanted(self, asked: int) -> int:
        """The readiness to look for when these conditions are asked for."""
        raise NotImplementedError

    def met(self, ready: int) -> int:
        """The conditions that hold, by readiness and state."""
        raise NotImplementedError

    def status(self, met: int) -> int:
        """The NTSTATUS that goes with some conditions."""
        raise NotImplementedError

    # Who wants to be told

    def now(self, asked: int) -> int:
        """Which of some conditions hold now; that the socket is closed is told unasked."""
        if self.endpoint.closing:
            return AFD_POLL_LOCAL_CLOSE
        mask = self.wanted(asked)
        try:
            return self._judge(ready_now(self.endpoint.fd, mask) if mask else 0) & asked
        except (OSError, ValueError, WinsockError):
            return AFD_POLL_LOCAL_CLOSE

    def _judge(self, ready: int) -> int:
        met = self.met(ready)
        if self.endpoint.inbound.head is not None:
            met &= ~AFD_POLL_RECEIVE  # it belongs to whoever waits for it
        return met

    def add(self, wish: Wish) -> None:
        """From now on tell somebody, at once if there is something to tell."""
        with self._lock:
            self._wishes.append(wish)
        self.look()

    def drop(self, wish: Wish) -> None:
        """Tell somebody nothing any more; the pump notices by itself that nobody asks."""
        with self._lock:
            if wish in self._wishes:
                self._wishes.remove(wish)

    def wishes(self) -> tuple[Wish, ...]:
        """Everybody who wants to be told."""
        return tuple(self._wishes)

    def _asked(self) -> int:
        asked = 0
        for wish in tuple(self._wishes):
            asked |= wish.asked
        return asked

    def look(self) -> None:
        """Find out what holds, tell it, and watch for the rest."""
        if self.endpoint.closing:
            self._tell(AFD_POLL_LOCAL_CLOSE)
            return
        asked = self._asked()
        if asked:
            met = self.now(asked)
            if met:
                self._tell(met)
        self._arm()

    def _tell(self, met: int) -> None:
        for wish in tuple(self._wishes):
            meant = met & (wish.asked | AFD_POLL_LOCAL_CLOSE)
            if meant:
                wish.told(self, meant)

    def _arm(self) -> None:
        asked = self._asked()
        self.interest = 0 if self.endpoint.closing or not asked else self.wanted(asked)
        if self.interest:
            self.endpoint.pump.watch(self.endpoint)

    # The endpoint's news

    def alarm(self, ready: int) -> None:
        """The pump reports readiness, before what waits in the lanes is tried."""
        asked = self._asked()
        if not asked:
            self.interest = 0
            return
        try:
            met = self._judge(ready)
        except WinsockError:
            return  # closed meanwhile
        if met:
            self._tell(met)
        asked = self._asked()
        hung_up = ready & (HANGUP | FAULT) and self.endpoint.inbound.head is None
        self.interest = 0 if hung_up or not asked else self.wanted(asked)

    def wake(self, endpoint: Endpoint) -> None:
        """The endpoint has changed, or is being closed."""
        if not self._wishes:
            return
        if self.changes_inside and not endpoint.closing:
            if self._deferred is None:
                self._deferred = _Deferred(self)
            with contextlib.suppress(WinsockError):
                self._deferred.pump.watch(self._deferred)
        else:
            with contextlib.suppress(WinsockError):  # no room for it in the pump's set: the next change comes
                self.look()

    def after_fork(self) -> None:
        """In the child: what pended was the parent's."""
        self._lock = threading.Lock()
        self._wishes.clear()
        self._deferred = None
        self.interest = 0
        self.main_poll = None
        self.endpoint.enter(self._itself)


class _Deferred(Endpoint):
    """A look that the thread that leads is to take."""

    __slots__ = ("_conditions",)

    def __init__(self, conditions: Conditions) -> None:
        super().__init__(conditions.endpoint.pump, -1)
        self._conditions = conditions

    def service(self, ready: int) -> None:
        """The leader has come to it."""
        with contextlib.suppress(WinsockError):
            self._conditions.look()


@attrs.frozen
class Polled:
    """An entry of a poll.

    Attributes:
        handle: the socket, as the program named it.
        conditions: the socket's.
        asked: AFD_POLL_*.
    """

    handle: int
    conditions: Conditions
    asked: int


Told = tuple[int, int, int]
"""The socket, the conditions that hold, the NTSTATUS that goes with them."""

Outcome = Callable[[Sequence[Told]], Any]
"""Makes the result of a request of what a poll has found."""


class PollRequest:
    """A poll that waits: one `Wish` for each of its sockets, and the keeper of the request."""

    def __init__(self, entries: Sequence[Polled], operation: Operation, outcome: Outcome, *, exclusive: bool) -> None:
        self._entries = entries
        self._outcome = outcome
        self._operation = operation
        self._wishes: list[_PollWish] = []
        self._over = False
        self._lock = threading.Lock()
        self.exclusive = exclusive

    def start(self) -> None:
        """Wait from now on. An exclusive poll ends the main poll of each of its sockets, if that is exclusive too."""
        merged: dict[Conditions, int] = {}
        for entry in self._entries:
            merged[entry.conditions] = merged.get(entry.conditions, 0) | entry.asked
        if self.exclusive:
            for conditions in merged:
                main = conditions.main_poll
                if main is not None and main.exclusive:
                    main.end([])
        self._operation.pend(self)
        for conditions, asked in merged.items():
            if self._over:
                break
            if conditions.main_poll is None:
                conditions.main_poll = self
            wish = _PollWish(self, asked)
            self._wishes.append(wish)
            try:
                conditions.add(wish)
            except WinsockError as failure:
                self.end([], failure)
        if self._over:
            self._forget()  # it may have ended before the last was entered

    def end(self, told: list[Told], failure: WinsockError | None = None) -> bool:
        """Complete the request; False when it was complete."""
        with self._lock:
            if self._over:
                return False
            self._over = True
        self._forget()
        self._operation.finish(self._outcome(told), failure)
        return True

    def _forget(self) -> None:
        for entry in self._entries:
            if entry.conditions.main_poll is self:
                entry.conditions.main_poll = None
        for wish in tuple(self._wishes):
            wish.asked = 0
            for entry in self._entries:
                entry.conditions.drop(wish)

    def cancel(self, operation: Operation) -> bool:
        """As a keeper."""
        return self.end([], WinsockError(WSA_OPERATION_ABORTED))

    def found(self, conditions: Conditions, met: int) -> None:
        """A socket meets some of its conditions."""
        handle = next(entry.handle for entry in self._entries if entry.conditions is conditions)
        self.end([(handle, met, conditions.status(met))])


class _PollWish:
    """What a poll wants of one socket."""

    def __init__(self, request: PollRequest, asked: int) -> None:
        self.request = request
        self.asked = asked

    def told(self, conditions: Conditions, met: int) -> None:
        self.request.found(conditions, met)


def met_now(entries: Sequence[Polled]) -> list[Told]:
    """What holds at once: an entry of the result for each that meets some of its conditions."""
    found = []
    for entry in entries:
        met = entry.conditions.now(entry.asked)
        if met:
            found.append((entry.handle, met, entry.conditions.status(met)))
    return found
