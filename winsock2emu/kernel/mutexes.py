"""Mutexes: an object that one thread at a time owns.

Part played:     KMUTANT.
Lives here:      ownership, recursion, abandonment.
Lives elsewhere: waiting (kernel/objects), the end of a thread (kernel/waits).
"""

from __future__ import annotations

from ..defs.codes import ERROR_NOT_OWNER
from .objects import ABANDONED, Waitable, dispatcher, grant
from .waits import Waiter


class Mutex(Waitable):
    """Signalled while nobody owns it. Its owner may wait for it again and releases it as often."""

    __slots__ = ("_abandoned", "_depth", "owner")

    def __init__(self, owner: Waiter | None = None) -> None:
        super().__init__(signalled=owner is None, keeps=False)
        self.owner = owner
        self._depth = 0
        self._abandoned = False
        if owner is not None:
            self.consume(owner)

    def consume(self, waiter: Waiter) -> int:
        if self._depth == 0:
            self.owner = waiter
            self.signalled = False
            waiter.owned.append(self)
        self._depth += 1
        if self._abandoned:
            self._abandoned = False
            return ABANDONED
        return 0

    def give_back(self, waiter: Waiter) -> None:
        self.release(waiter)

    def signal(self, waiter: Waiter) -> int:
        return 0 if self.release(waiter) else ERROR_NOT_OWNER

    def release(self, waiter: Waiter) -> bool:
        """Undo one wait of its owner; False when the thread does not own it."""
        woken: list[Waiter] = []
        try:
            with dispatcher:
                if self.owner is not waiter:
                    return False
                self._depth -= 1
                if self._depth == 0:
                    waiter.owned.remove(self)
                    self._set_free(woken)
        finally:
            for one in woken:
                one.wake()
        return True

    def _set_free(self, woken: list[Waiter]) -> None:
        self._depth = 0
        self.owner = None
        self.signalled = True
        grant(self, woken)

    def thread_ended(self, waiter: Waiter) -> None:
        """Its owner has ended without releasing it: the next owner is told."""
        woken: list[Waiter] = []
        with dispatcher:
            if self.owner is waiter:
                self._abandoned = True
                self._set_free(woken)
        for one in woken:
            one.wake()

    def forget_waiters(self) -> None:
        """In the child of a fork nobody owns it: its threads are other ones than the parent's."""
        super().forget_waiters()
        self.owner = None
        self._depth = 0
        self.signalled = True
