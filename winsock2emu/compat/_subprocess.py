"""``subprocess`` for asyncio's windows_utils: the host's, with the handle that Windows has for a process."""

from __future__ import annotations

import contextlib
import subprocess
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


SUBPROCESS: Final = View(subprocess, Popen=Popen)
