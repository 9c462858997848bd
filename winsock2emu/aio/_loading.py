"""CPython's own Windows modules of asyncio, from the running interpreter, on the emulator.

Part played:     the import of asyncio.windows_utils and asyncio.windows_events on Windows.
Lives here:      finding the two files beside the installed asyncio and running them, unchanged, with an import of
                 their own: ``_overlapped``, ``_winapi`` and ``msvcrt`` are the emulator's, ``sys.platform`` is "win32",
                 ``errno`` has the WSA names. Nothing is changed in the interpreter, not even meanwhile.
Lives elsewhere: proactor_events, base_events and all the rest: they are the ones of the interpreter.
Names:           the modules are called asyncio.windows_events and asyncio.windows_utils, and are not in sys.modules.
"""

from __future__ import annotations

import asyncio
import asyncio.base_subprocess
import asyncio.proactor_events
import asyncio.selector_events
import builtins
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from ..compat import msvcrt, overlapped, winapi
from ..compat._stdlib import ERRNO, SYS, View
from ..compat._subprocess import SUBPROCESS, TEMPFILE


def _import(others: Mapping[str, ModuleType]) -> Callable[..., Any]:
    """An ``__import__`` that knows some modules by other names; ``from . import`` finds those as asyncio's, too."""

    def find(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: tuple[str, ...] = (),
        level: int = 0,
    ) -> Any:
        if not level and name in others:
            return others[name]
        if level and not name and fromlist and fromlist[0] in others:
            found: dict[str, Any] = {wanted: others[wanted] for wanted in fromlist}
            return View(asyncio, **found)
        return builtins.__import__(name, globals, locals, fromlist, level)

    return find


def _run(name: str, others: Mapping[str, ModuleType]) -> ModuleType:
    """Run a file of asyncio in a new module."""
    path = Path(asyncio.__file__).with_name(f"{name}.py")
    module = ModuleType(f"asyncio.{name}")
    module.__file__ = str(path)
    module.__package__ = "asyncio"
    names = vars(module)
    names["__builtins__"] = {**vars(builtins), "__import__": _import(others)}
    exec(compile(path.read_bytes(), str(path), "exec"), names)
    return module


@cache
def windows_modules() -> tuple[ModuleType, ModuleType]:
    """windows_utils and windows_events."""
    others: dict[str, ModuleType] = {
        "_overlapped": import_module(overlapped.__name__),
        "_winapi": import_module(winapi.__name__),
        "msvcrt": import_module(msvcrt.__name__),
        "errno": ERRNO,
        "subprocess": SUBPROCESS,
        "sys": SYS,
        "tempfile": TEMPFILE,
    }
    utils = others["windows_utils"] = _run("windows_utils", others)
    return utils, _run("windows_events", others)
