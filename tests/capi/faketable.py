"""An export table of a few functions that record what reaches them, and libraries on top of it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from winsock2emu.capi import loader


class Exported:
    """A real C function pointer in front of a Python function."""

    def __init__(self, call: Callable[..., Any], result: Any, *parameters: Any) -> None:
        self.callback = ctypes.CFUNCTYPE(result, *parameters)(call)
        address = ctypes.cast(self.callback, ctypes.c_void_p).value
        assert address is not None
        self.address = address
        self.parameters = tuple(f"p{number}" for number in range(len(parameters)))


class FakeTable:
    """ws2_32 with what the test puts into ``functions``; ordinals as in ``ordinals``."""

    def __init__(self) -> None:
        self.functions: dict[str, Exported] = {}
        self.ordinals: dict[int, str] = {}
        self.pending: BaseException | None = None

    def dlls(self) -> tuple[str, ...]:
        return ("ws2_32", "kernel32")

    def export(self, dll: str, name_or_ordinal: str | int, /) -> Exported | None:
        name = self.ordinals.get(name_or_ordinal) if isinstance(name_or_ordinal, int) else name_or_ordinal
        return self.functions.get(name) if dll == "ws2_32" and name is not None else None

    def take_pending_exception(self) -> BaseException | None:
        pending, self.pending = self.pending, None
        return pending

    def add(self, name: str, call: Callable[..., Any], result: Any, *parameters: Any) -> None:
        self.functions[name] = Exported(call, result, *parameters)

    def dll_class(self, base: type[loader.CDLL] = loader.WinDLL) -> type[loader.CDLL]:
        """A library class that takes its functions from here."""
        return type(base.__name__, (base,), {"_table_": self})
