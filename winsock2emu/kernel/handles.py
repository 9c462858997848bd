"""The handle table: one number space for every object of an emulated process.

Part played:     the process handle table of NT.
Lives here:      numbering and look-up; nothing about what an object does.
Numbering:       an object backed by a host descriptor keeps that descriptor's number (it is a real file handle to host
                 functions); everything else is numbered from 0x100000 in steps of 4, far above any descriptor.
                 A number is free the moment its object is closed, so whoever waits holds the object, never its number.
Locking:         look-ups take no lock (a dict read is atomic); changes are made under one lock.
"""

from __future__ import annotations

import threading
from typing import Any

FIRST_NUMBER = 0x100000
STEP = 4


class HandleTable:
    """Handle to object.

    Attributes:
        objects: may be read by anyone; it changes only through the methods.
        changes: how often it has changed; while this stays the same, numbers mean what they meant.
        flags: HANDLE_FLAG bits of the numbers that have any; those of descriptors are kept by the host.
    """

    __slots__ = ("_free", "_lock", "_next", "changes", "flags", "objects")

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}
        self.changes = 0
        self.flags: dict[int, int] = {}
        self._lock = threading.Lock()
        self._free: list[int] = []
        self._next = FIRST_NUMBER

    def allocate(self, thing: Any) -> int:
        """Number an object that has no descriptor behind it."""
        with self._lock:
            if self._free:
                handle = self._free.pop()
            else:
                handle = self._next
                self._next += STEP
            self.objects[handle] = thing
            self.changes += 1
        return handle

    def insert(self, handle: int, thing: Any) -> bool:
        """Enter an object under the number its descriptor has; False when that number is taken."""
        with self._lock:
            self.changes += 1
            return self.objects.setdefault(handle, thing) is thing

    def replace(self, handle: int, thing: Any) -> None:
        """Give an entered number to another object (a layer that takes over a lower layer's handle)."""
        with self._lock:
            self.objects[handle] = thing
            self.changes += 1

    def remove(self, handle: int) -> Any | None:
        """Free a number; returns its object, None when the number was not in use."""
        with self._lock:
            thing = self.objects.pop(handle, None)
            self.flags.pop(handle, None)
            self.changes += 1
            if thing is not None and handle >= FIRST_NUMBER:
                self._free.append(handle)
        return thing

    def reset_locks(self) -> None:
        """After a fork: the lock may have been held by a thread that does not exist in the child."""
        self._lock = threading.Lock()
