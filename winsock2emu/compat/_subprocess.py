"""What asyncio's windows_utils starts processes with.

Lives here:      the host's ``subprocess`` with the handle that Windows has for a process, and ``tempfile`` with a
                 mktemp that joins paths as on Windows, where the name of a pipe leaves the folder behind.
Lives elsewhere: waiting for a process (engine/children), pipes (kernel32).
"""

from __future__ import annotations

import contextlib
import ntpath
import secrets
import subprocess
import tempfile
from typing import Any, Final

from ..engine.children import ChildProcess
from ..errors import WinsockError
from ..process import Process, current_process
from ._stdlib import View


class _Handle(int):
    """A handle that is closed when nobody has it any more."""

    process: Process

    def __del__(self) -> None:
        with contextlib.suppress(WinsockError):
            self.process.close_handle(int(self))


class Popen(subprocess.Popen[bytes]):
    """A process of the host.

    Attributes:
        _handle: a handle to wait for, under the name that CPython has for it on Windows.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        process = current_process()
        self._handle = _Handle(process.open_handle(ChildProcess(process.engine, self.pid)))
        self._handle.process = process


def _mktemp(suffix: str = "", prefix: str = "tmp", dir: str | None = None) -> str:
    return ntpath.join(dir or tempfile.gettempdir(), f"{prefix}{secrets.token_hex(4)}{suffix}")


SUBPROCESS: Final = View(subprocess, Popen=Popen)
TEMPFILE: Final = View(tempfile, mktemp=_mktemp)
