"""Waiting for conditions of several sockets: prepared once, repeated as often as the program asks the same.

Part played:     the poll request of afd.sys, under select and WSAPoll.
Lives here:      the wait, and what keeps it valid: it is told whenever one of its sockets changes.
Lives elsewhere: which conditions hold for a socket (`wanted` and `conditions` of stream and datagram), the poll call
                 (engine/pump), the forms of select and WSAPoll (selecting, polling).
Rules:           conditions are decided by the state of the socket as Windows defines it, never by the host's bits
                 alone: a failed connect is no room to write, an idle stream is ready for nothing. A socket that is
                 closed during the wait ends it.
Speed:           a program waits for the same sockets again and again. A `Watch` that is repeated costs the host's poll
                 call and little else: nothing is done for a socket that the host does not report, except for the few
                 that are ready by their state.
Sources:         nf-winsock2-select, nf-winsock2-wsapoll; R3.47 of the project's reference.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from ...engine.endpoint import Endpoint
from ...engine.pump import HANGUP, INVALID, WaitSet
from ...kernel.objects import IN_CALL, run_apcs
from ...kernel.waits import Waiter, this_waiter
from .conditions import WAS_CLOSED
from .hostsocket import HostSocket

Found = Mapping[HostSocket, int]
T = TypeVar("T", bound="Prepared")

_NOTHING: Found = {}
_MOST_KEPT = 4  # lists a thread waits for in turns


class Prepared(Protocol):
    """What is kept: a call's list with its `Watch`."""

    watch: Watch


class Watch:
    """A wait of one thread for conditions of several sockets; a `Watcher` of each.

    Attributes:
        lost: one of the sockets was closed, so that its number may mean another one.
        busy: a call of its thread is inside of it.
    """

    __slots__ = (
        "__weakref__",
        "_asked",
        "_asleep",
        "_by_fd",
        "_look",
        "_reference",
        "_set",
        "_stale",
        "_standing",
        "_waiter",
        "busy",
        "lost",
    )

    def __init__(self, asked: dict[HostSocket, int]) -> None:
        """``asked``: the conditions that matter, by socket."""
        self._waiter: Waiter = this_waiter()
        self._set = WaitSet(self._waiter)
        self._look = self._set.look
        self._by_fd = {endpoint.fd: endpoint for endpoint in asked}
        self._standing: Sequence[HostSocket] = ()
        self._asleep = False
        self._stale = True
        self.lost = False
        self.busy = False
        # Weak, so that it ends with its thread. One object for all sockets, which makes taking it back a look-up.
        self._reference = weakref.ref(self)
        self._asked = asked
        for endpoint in asked:
            endpoint.enter(self._reference)

    def __del__(self) -> None:
        # A constructor that has failed, for want of a descriptor, has entered it nowhere.
        for endpoint in getattr(self, "_asked", ()):
            # By another thread's fork handler, or a constructor that was interrupted, the entry may be gone.
            if self._reference in endpoint.watchers:
                endpoint.watchers.remove(self._reference)

    def wake(self, endpoint: Endpoint) -> None:
        """A socket has changed or was closed."""
        if endpoint.closing:
            self.lost = True
        self._stale = True  # the host has to be told anew what to report
        if self._asleep:
            self._waiter.wake()

    def _prepare(self) -> None:
        """Tell the host what to report, and find out which sockets are ready by their state."""
        self._stale = False  # first: a change from here on counts
        standing = []
        for endpoint, asked in self._asked.items():
            if endpoint.closing:
                self._set.watch(endpoint.fd, 0)
                standing.append(endpoint)
                continue
            self._set.watch(endpoint.fd, endpoint.wanted(asked))
            if endpoint.conditions(0) & asked:
                standing.append(endpoint)
        self._standing = standing

    def wait(self, timeout_s: float | None) -> Found:
        """Wait until a socket meets one of the conditions asked for.

        Args:
            timeout_s: seconds; 0 only looks, None waits for ever.

        Returns:
            The conditions of each socket that meets some, of those asked for; nothing when the time ran out. A closed
            socket has WAS_CLOSED, whatever was asked.
        """
        self.busy = True
        try:
            if timeout_s or timeout_s is None or self._stale or self._standing:
                return self._wait(timeout_s)
            ready = self._look(0)
            if not ready:
                return _NOTHING
            found: dict[HostSocket, int] = {}
            self._judge(self._set.ready(ready), found)
            return self._wait(timeout_s) if self._stale else found
        finally:
            self._asleep = self.busy = False

    def _wait(self, timeout_s: float | None) -> Found:
        waiter = self._waiter
        before = waiter.alertable
        try:
            return self._sleep(waiter, timeout_s)
        finally:
            waiter.alertable = before

    def _sleep(self, waiter: Waiter, timeout_s: float | None) -> Found:
        """`_wait`, which runs APCs like every blocking call once it really has to wait."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        left_ms = None if timeout_s is None else timeout_s * 1000
        while True:
            waiter.alertable = IN_CALL if left_ms != 0 else None
            self._asleep = True  # before the look at the mark, which whoever changes a socket sets first
            if self._stale:
                self._prepare()
            found = {}
            for endpoint in self._standing:
                conditions = WAS_CLOSED if endpoint.closing else endpoint.conditions(0) & self._asked[endpoint]
                if conditions:
                    found[endpoint] = conditions
            ready = self._set.wait(0 if found or waiter.apcs else left_ms)
            useless = self._judge(ready, found)
            if found:
                return found
            for fd in useless:
                self._set.watch(fd, 0)
            if waiter.apcs and waiter.alertable is not None:
                waiter.alertable = None
                run_apcs(waiter)
            if deadline is not None:
                left_ms = (deadline - time.monotonic()) * 1000
                if left_ms <= 0 and not self._stale:
                    return found
                left_ms = max(left_ms, 0)

    def _judge(self, ready: Sequence[tuple[int, int]], found: dict[HostSocket, int]) -> list[int]:
        """Add what the host's reports mean; returns the descriptors that are reported for ever and mean nothing.

        A hang-up is reported unasked, also to a select for something that a dead connection is not ready for.
        """
        useless = []
        for fd, bits in ready:
            endpoint = self._by_fd[fd]
            if bits & INVALID or endpoint.closing:
                found[endpoint] = WAS_CLOSED  # the descriptor was closed behind our back, or is about to be
                continue
            conditions = endpoint.conditions(bits) & self._asked[endpoint]
            if conditions:
                found[endpoint] = conditions
            elif bits & HANGUP:
                useless.append(fd)
        return useless


def copied(members: Any) -> Any:
    """What a program asks for, as it is now: it may go on to change its list."""
    return list(members) if type(members) is list else members if members is None else tuple(members)


def keep(prepared: T, kept: tuple[T, ...]) -> tuple[T, ...]:
    """The waits to keep from now on: the new one, and those before it up to a number that programs do with."""
    return prepared, *(one for one in kept[: _MOST_KEPT - 1] if not one.watch.lost)
