"""Processes of the host that the program has started, as something to wait for.

Part played:     process objects, as far as waiting for their end goes.
Lives elsewhere: starting them (compat), waiting (kernel/objects).
How:             Linux has a descriptor for a process, which the pump watches. Elsewhere a thread waits for each.
"""

from __future__ import annotations

import os
import threading

from ..kernel.events import Event
from .endpoint import Endpoint
from .pump import READABLE, Pump


class _Watch(Endpoint):
    """The descriptor of a process, which is readable once that has ended."""

    __slots__ = ("_child",)

    def __init__(self, pump: Pump, descriptor: int, child: ChildProcess) -> None:
        super().__init__(pump, descriptor)
        self._child = child
        self.alarms = READABLE
        pump.watch(self)

    def alarm(self, ready: int) -> None:
        self.alarms = 0
        self._child.set()


class ChildProcess(Event):
    """A process that is signalled from its end on. The program still has to collect its status (``os.waitpid``)."""

    __slots__ = ("_watch", "identifier")

    def __init__(self, pump: Pump, identifier: int) -> None:
        super().__init__(manual_reset=True)
        self.identifier = identifier
        self._watch: _Watch | None = None
        if hasattr(os, "pidfd_open"):
            self._watch = _Watch(pump, os.pidfd_open(identifier), self)
        else:
            threading.Thread(target=self._wait, name="winsock2emu-child", daemon=True).start()

    def _wait(self) -> None:
        try:
            os.waitid(os.P_PID, self.identifier, os.WEXITED | os.WNOWAIT)
        finally:  # ChildProcessError: the status has been collected already
            self.set()

    def last_handle_closed(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.abort(0)
            os.close(watch.fd)
