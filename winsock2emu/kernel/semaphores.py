"""Semaphores: a count that every satisfied wait takes one from.

Part played:     KSEMAPHORE.
Lives elsewhere: waiting (kernel/objects).
"""

from __future__ import annotations

from ..defs.codes import ERROR_TOO_MANY_POSTS
from .objects import Waitable, dispatcher, grant
from .waits import Waiter


class Semaphore(Waitable):
    """Signalled while its count is above 0."""

    __slots__ = ("count", "most")

    def __init__(self, count: int, most: int) -> None:
        super().__init__(signalled=count > 0, keeps=False)
        self.count = count
        self.most = most

    def consume(self, waiter: Waiter) -> int:
        self.count -= 1
        self.signalled = self.count > 0
        return 0

    def give_back(self, waiter: Waiter) -> None:
        self.release(1)

    def signal(self, waiter: Waiter) -> int:
        return ERROR_TOO_MANY_POSTS if self.release(1) is None else 0

    def release(self, by: int) -> int | None:
        """Add to the count; returns what it was, None when it would become more than allowed and nothing changed."""
        woken: list[Waiter] = []
        try:
            with dispatcher:
                before = self.count
                if before + by > self.most:
                    return None
                self.count = before + by
                self.signalled = True
                grant(self, woken)
        finally:
            for one in woken:
                one.wake()
        return before
