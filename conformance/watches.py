"""Who is told of network events: an event object or a window, as one interface.

Part played:     ``with watching(ws, form) as watch: watch.select(s, mask)``, for claims about both.
Lives elsewhere: the claims (cases/network_events, cases/network_event_kinds), windows (windowing).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from .constants import (
    FD_ACCEPT,
    FD_CLOSE,
    FD_CONNECT,
    FD_OOB,
    FD_READ,
    FD_WRITE,
    WSA_WAIT_TIMEOUT,
    WSAEWOULDBLOCK,
)
from .target import Target
from .verify import Failed, expect
from .windowing import QS_ALLINPUT, WM_USER

PATIENCE_MS = 5000
QUIET_MS = 60
OF_STREAM = FD_ACCEPT | FD_CLOSE | FD_CONNECT | FD_OOB | FD_READ | FD_WRITE

Told = tuple[int, int]  # event, error


class Watch(Protocol):
    """Who is told of network events."""

    def select(self, s: int, mask: int) -> None:
        """Select events of a socket."""

    def take(self, s: int, ms: int) -> list[Told]:
        """Return what a socket has told since the last time, or tells within so many milliseconds."""


class EventWatch:
    """An event object."""

    def __init__(self, ws: Target) -> None:
        self.ws = ws
        self.event = ws.WSACreateEvent()

    def select(self, s: int, mask: int) -> None:
        self.ws.WSAEventSelect(s, self.event, mask)

    def take(self, s: int, ms: int) -> list[Told]:
        found = self._record(s)
        if not found:
            self.ws.WSAWaitForMultipleEvents([self.event], False, ms)
            found = self._record(s)
        return found

    def _record(self, s: int) -> list[Told]:
        mask, codes = self.ws.WSAEnumNetworkEvents(s, self.event)
        return [(1 << bit, code) for bit, code in enumerate(codes) if mask >> bit & 1]


class WindowWatch:
    """A window."""

    def __init__(self, ws: Target, hwnd: int) -> None:
        self.ws = ws
        self.hwnd = hwnd
        self._told: dict[int, list[Told]] = {}

    def select(self, s: int, mask: int) -> None:
        self.ws.WSAAsyncSelect(s, self.hwnd, WM_USER, mask)

    def take(self, s: int, ms: int) -> list[Told]:
        self._collect()
        if not self._told.get(s):
            self.ws.MsgWaitForMultipleObjects([], False, ms, QS_ALLINPUT)
            self._collect()
        return self._told.pop(s, [])

    def _collect(self) -> None:
        for message in self.ws.messages():
            expect("message", expected=(self.hwnd, WM_USER), actual=(message.hwnd, message.message))
            told = message.lparam & 0xFFFF, message.lparam >> 16 & 0xFFFF
            self._told.setdefault(message.wparam, []).append(told)


@contextlib.contextmanager
def watching(ws: Target, form: str) -> Iterator[Watch]:
    """An event object or a window that events can be told to."""
    if form == "message":
        with ws.window() as hwnd:
            yield WindowWatch(ws, hwnd)
        return
    watch = EventWatch(ws)
    yield watch
    ws.WSACloseEvent(watch.event)


def tells(watch: Watch, s: int, *events: int | Told) -> None:
    """Expect a socket to tell exactly these events, each once, and nothing else for a moment."""
    expected = [event if isinstance(event, tuple) else (event, 0) for event in events]
    found: list[Told] = []
    while len(found) < len(expected):
        more = watch.take(s, PATIENCE_MS)
        if not more:
            break
        found += more
    found += watch.take(s, QUIET_MS)
    if isinstance(watch, EventWatch):
        expected, found = sorted(expected), sorted(found)
    expect("told", expected=expected, actual=found)


def drain(ws: Target, s: int, size: int = 65536) -> int:
    """Receive until nothing is left, without waiting; return the bytes."""
    got = 0
    room = bytearray(size)
    try:
        while moved := ws.recv(s, room):
            got += moved
    except Failed as failure:
        if failure.code != WSAEWOULDBLOCK:
            raise
    return got


@contextlib.contextmanager
def selected_pair(ws: Target, form: str, mask: int = OF_STREAM) -> Iterator[tuple[Watch, int, int]]:
    """A watch, a connected client with a selection whose first events have been told, and its peer."""
    with watching(ws, form) as watch, ws.connected_pair() as (client, server):
        watch.select(client, mask)
        first = [FD_CONNECT] if form == "event" else []
        tells(watch, client, *(event for event in (*first, FD_WRITE) if event & mask))
        yield watch, client, server


def tells_nobody(ws: Target, watch: Watch, s: int) -> None:
    """Expect that a watch, which may be another socket's, is not told anything."""
    if isinstance(watch, EventWatch):
        waited = ws.WSAWaitForMultipleEvents([watch.event], False, QUIET_MS)
        expect("wait for the event", expected=WSA_WAIT_TIMEOUT, actual=waited)
    else:
        expect("messages", expected=[], actual=watch.take(s, QUIET_MS))


def signalled(ws: Target, watch: Watch) -> bool:
    """Return whether the event object of a watch is set."""
    assert isinstance(watch, EventWatch)
    return ws.WSAWaitForMultipleEvents([watch.event], False, 1) != WSA_WAIT_TIMEOUT
