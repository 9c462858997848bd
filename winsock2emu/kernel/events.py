"""Event objects: a flag that threads can wait for.

Part played:     KEVENT.
Lives here:      the object. Waiting for it comes with the wait functions.
Lives elsewhere: its handle (kernel/handles), WSACreateEvent and CreateEvent (ws2_32, kernel32).
"""

from __future__ import annotations


class Event:
    """A signalled or not signalled object; Winsock's own events are manual-reset and start not signalled."""

    __slots__ = ("manual_reset", "signalled")

    def __init__(self, *, manual_reset: bool = True, signalled: bool = False) -> None:
        self.manual_reset = manual_reset
        self.signalled = signalled

    def set(self) -> None:
        """Signal it."""
        self.signalled = True

    def reset(self) -> None:
        """Clear it."""
        self.signalled = False
