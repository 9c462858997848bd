"""Real Windows: the C-ABI driver on the DLLs of the machine we run on.

Part played:     the referee's reference. Small on purpose: a lookup and ctypes' own calls.
Sources:         ctypes, "use_last_error": the thread's last error is swapped around each call, so nothing the
                 interpreter does in between can change it.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from typing import Any

from ..driver import CDriver
from ..machine import MASK, Called, InProcess
from ..target import Target
from . import Unavailable


class WindowsMachine(InProcess):
    """This Windows."""

    def __init__(self) -> None:
        super().__init__()
        self._dlls: dict[str, Any] = {}

    def lookup(self, dll: str, name: str) -> int:
        library: Any = ctypes
        if dll not in self._dlls:
            self._dlls[dll] = library.WinDLL(dll, use_last_error=True)
        try:
            function = self._dlls[dll][name]
        except AttributeError:
            return 0
        return ctypes.cast(function, ctypes.c_void_p).value or 0

    def prototype(self, count: int) -> Any:
        return ctypes.CFUNCTYPE(ctypes.c_uint64, *[ctypes.c_uint64] * count, use_last_error=True)

    def call(self, thread: str, address: int, arguments: Sequence[int]) -> Called:
        library: Any = ctypes
        result = self.function(address, len(arguments))(*(value & MASK for value in arguments))
        return Called(int(result), int(library.get_last_error()))


class WindowsTarget(CDriver):
    """Microsoft's DLLs."""

    name = "windows"
    description = "ws2_32.dll of this Windows"
    in_process = True


def make() -> Target:
    platform: str = sys.platform  # a plain str: mypy would fold the comparison
    if platform != "win32" or ctypes.sizeof(ctypes.c_void_p) != 8:
        raise Unavailable("needs 64-bit Windows")
    return WindowsTarget(WindowsMachine())
