"""Thread-local storage: numbered slots, each with a value of every thread.

Part played:     TlsAlloc's bit map and the slots in the thread block.
Lives elsewhere: the functions (kernel32.threads).
Source:          "Thread Local Storage" on Microsoft Learn.
"""

from __future__ import annotations

import threading
from typing import Any

from ..defs.winbase import TLS_MAXIMUM


class _Values(threading.local):
    def __init__(self) -> None:
        self.by_slot: dict[int, tuple[int, Any]] = {}


class ThreadSlots:
    """The slots of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses: dict[int, int] = {}  # slot to the use it is in; values of an earlier use are gone
        self._last_use = 0
        self._values = _Values()

    def allocate(self) -> int | None:
        """The lowest free slot, empty in every thread; None when there is none left."""
        with self._lock:
            slot = next((slot for slot in range(TLS_MAXIMUM) if slot not in self._uses), None)
            if slot is not None:
                self._last_use += 1
                self._uses[slot] = self._last_use
        return slot

    def free(self, slot: int) -> bool:
        """Give a slot back; False when it was free."""
        with self._lock:
            return self._uses.pop(slot, None) is not None

    def get(self, slot: int) -> Any:
        """The calling thread's value, None when it has set none."""
        use, value = self._values.by_slot.get(slot, (0, None))
        return value if use == self._uses.get(slot, 0) else None

    def set(self, slot: int, value: Any) -> None:
        """Set the calling thread's value."""
        self._values.by_slot[slot] = self._uses.get(slot, 0), value

    def after_fork(self) -> None:
        """In the child: the lock may have been held by a thread that does not exist there."""
        self._lock = threading.Lock()
