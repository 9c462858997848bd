"""Processes of the host that the program has started, as something to wait for.

Part played:     process objects, as far as waiting for their end, telling its code and bringing it about goes.
Lives elsewhere: starting them (kernel32.process, compat), waiting (kernel/objects).
How:             Linux has a descriptor for a process, which the pump watches. Elsewhere a thread waits for each.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from typing import Final

from ..kernel.events import Event
from .endpoint import Endpoint
from .pump import READABLE, Pump

# How a process ends on Windows that the host ends by a signal: an NTSTATUS, or what abort() gives.
_BY_SIGNAL: Final[dict[int, int]] = {
    signal.SIGABRT: 3,
    signal.SIGBUS: 0xC0000005,  # STATUS_ACCESS_VIOLATION
    signal.SIGSEGV: 0xC0000005,
    signal.SIGFPE: 0xC0000094,  # STATUS_INTEGER_DIVIDE_BY_ZERO
    signal.SIGILL: 0xC000001D,  # STATUS_ILLEGAL_INSTRUCTION
    signal.SIGINT: 0xC000013A,  # STATUS_CONTROL_C_EXIT
}
_BY_OTHER_SIGNALS: Final = 1


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


class StartedProcess(ChildProcess):
    """A process that has been started for a handle: its status is collected here.

    Attributes:
        ends_with: the code that whoever has ended it has chosen, None while nobody has.
    """

    __slots__ = ("_host", "ends_with")

    def __init__(self, pump: Pump, host: subprocess.Popen[bytes]) -> None:
        super().__init__(pump, host.pid)
        self._host = host
        self.ends_with: int | None = None

    def exit_code(self) -> int | None:
        """What it has ended with, None before."""
        code: int | None = self._host.poll()
        if code is None:
            return None
        self.set()
        if code >= 0:
            return code
        return _BY_SIGNAL.get(-code, _BY_OTHER_SIGNALS) if self.ends_with is None else self.ends_with

    def terminate(self, code: int) -> bool:
        """End it with a code; False when it has ended before."""
        if self.exit_code() is not None:
            return False
        self.ends_with = code
        self._host.kill()
        return True

    def last_handle_closed(self) -> None:
        super().last_handle_closed()
        if self._host.poll() is None:
            # It goes on without a handle, and somebody has to collect its status.
            threading.Thread(target=self._host.wait, name="winsock2emu-child", daemon=True).start()
