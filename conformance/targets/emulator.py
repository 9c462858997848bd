"""The emulator through its C ABI, in process.

Part played:     memory and calls on the function pointers of winsock2emu's export tables.
Lives elsewhere: the driver, which is the same for real Windows.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from ..driver import CDriver
from ..machine import MASK, Called, InProcess
from ..providers import Provider, Recorder
from ..target import Target
from .installing import install


class EmulatorMachine(InProcess):
    """winsock2emu's C function pointers."""

    def __init__(self) -> None:
        super().__init__()
        self._table: Any = importlib.import_module("winsock2emu.capi.table")
        self._last_error = self.lookup("ws2_32", "WSAGetLastError")

    def lookup(self, dll: str, name: str) -> int:
        export = self._table.export(dll, name)
        return 0 if export is None else int(export.address)

    def call(self, thread: str, address: int, arguments: Sequence[int]) -> Called:
        result = self.function(address, len(arguments))(*(value & MASK for value in arguments))
        if (pending := self._table.take_pending_exception()) is not None:
            raise pending
        return Called(int(result), int(self.function(self._last_error, 0)()) & 0xFFFFFFFF)


class EmulatorTarget(CDriver):
    """The emulator's DLL face."""

    name = "emulator"
    description = "winsock2emu, C ABI"
    has_providers = True
    in_process = True

    def _installation(self, wanted: Sequence[Provider], built_in: bool) -> AbstractContextManager[tuple[Recorder, ...]]:
        return install(wanted, built_in=built_in, ends=self._ends)


def make() -> Target:
    return EmulatorTarget(EmulatorMachine())
