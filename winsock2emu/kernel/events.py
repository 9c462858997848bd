"""Event objects: a flag that threads can wait for.

Part played:     KEVENT.
Lives here:      setting, clearing and pulsing.
Lives elsewhere: waiting (kernel/objects), handles (kernel/handles), WSACreateEvent and CreateEvent (ws2_32, kernel32).
Locking:         see kernel/objects. Clearing needs no lock: it comes before or after whatever happens at the time.
"""

from __future__ import annotations

from .objects import Waitable, dispatcher, grant, release
from .waits import Waiter


class Event(Waitable):
    """A signalled or not signalled object; Winsock's own events are manual-reset and start not signalled.

    An auto-reset event satisfies one wait each time it is set.
    """

    __slots__ = ()

    def __init__(self, *, manual_reset: bool = True, signalled: bool = False) -> None:
        super().__init__(signalled=signalled, keeps=manual_reset)

    @property
    def manual_reset(self) -> bool:
        """True when it stays signalled until it is reset."""
        return self.keeps

    def set(self) -> None:
        """Signal it; an event that is signalled already stays as it is."""
        self.signalled = True
        if self.waiters is not None:
            release(self)

    def reset(self) -> None:
        """Clear it."""
        self.signalled = False

    def pulse(self) -> None:
        """Satisfy who waits now, or one of them, and clear it."""
        woken: list[Waiter] = []
        try:
            with dispatcher:
                self.signalled = True
                grant(self, woken)
                self.signalled = False
        finally:
            for waiter in woken:
                waiter.wake()

    def consume(self, waiter: Waiter) -> int:
        self.signalled = False
        return 0

    def give_back(self, waiter: Waiter) -> None:
        self.set()

    def signal(self, waiter: Waiter) -> int:
        self.set()
        return 0
