"""What asyncio's windows_utils starts processes with.

Lives here:      the host's ``subprocess`` with the handle that Windows has for a process, and with the events of a
                 console; ``tempfile`` with a mktemp that joins paths as on Windows, where the name of a pipe leaves the
                 folder behind.
Lives elsewhere: waiting for a process (engine/children), pipes (kernel32).
"""

from __future__ import annotations

import contextlib
import ntpath
import os
import secrets
import signal
import subprocess
import tempfile
from typing import Any, Final

from ..defs.codes import ERROR_INVALID_PARAMETER
from ..engine.children import ChildProcess
from ..errors import WinsockError
from ..kernel32.process import CREATE_NEW_PROCESS_GROUP
from ..process import Process, current_process
from ._errors import from_windows_err
from ._finalizers import finish
from ._stdlib import View

CTRL_C_EVENT: Final = 0
CTRL_BREAK_EVENT: Final = 1

# What stands for the events of a console. Unhandled, both end a process.
_EVENTS: Final = {CTRL_C_EVENT: signal.SIGINT, CTRL_BREAK_EVENT: signal.SIGTERM}


class _Handle(int):
    """A handle that is closed when nobody has it any more."""

    process: Process

    def __del__(self) -> None:
        finish(_close, self.process, int(self))


def _close(process: Process, handle: int) -> None:
    with contextlib.suppress(WinsockError):
        process.close_handle(handle)


class Popen(subprocess.Popen[bytes]):
    """A process of the host.

    Attributes:
        _handle: a handle to wait for, under the name that CPython has for it on Windows.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        flags = named.pop("creationflags", 0)
        self._groups = bool(flags & CREATE_NEW_PROCESS_GROUP)
        if self._groups:
            named["process_group"] = 0
        super().__init__(*arguments, **named)
        process = current_process()
        self._handle = _Handle(process.open_handle(ChildProcess(process.engine, self.pid)))
        self._handle.process = process

    def send_signal(self, sig: int) -> None:
        """Send a signal; CTRL_C_EVENT and CTRL_BREAK_EVENT go to the whole group, which has to be one of its own."""
        found = _EVENTS.get(sig)
        if found is None:
            super().send_signal(sig)
        elif not self._groups:
            raise from_windows_err(ERROR_INVALID_PARAMETER)
        elif self.poll() is None:
            os.killpg(self.pid, found)


def _mktemp(suffix: str = "", prefix: str = "tmp", dir: str | None = None) -> str:
    return ntpath.join(dir or tempfile.gettempdir(), f"{prefix}{secrets.token_hex(4)}{suffix}")


SUBPROCESS: Final = View(subprocess, Popen=Popen, CREATE_NEW_PROCESS_GROUP=CREATE_NEW_PROCESS_GROUP)
TEMPFILE: Final = View(tempfile, mktemp=_mktemp)
