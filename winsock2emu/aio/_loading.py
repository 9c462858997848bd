"""CPython's own Windows modules of asyncio, from the running interpreter, on the emulator.

Part played:     the import of asyncio.windows_utils and asyncio.windows_events on Windows.
Lives here:      what the two find: ``_overlapped``, ``_winapi`` and ``msvcrt`` are the emulator's, ``sys.platform`` is
                 "win32", ``errno`` has the WSA names.
Lives elsewhere: running them, unchanged (compat._stdlib); proactor_events and all the rest, which are the ones of the
                 interpreter.
Selector loop:   calls the sockets itself, so it gets selector_events and base_events once more, on the socket and
                 selectors modules of Windows. A proactor loop only hands its sockets on.
Names:           the modules are called asyncio.windows_events and asyncio.windows_utils, and are not in sys.modules.
"""

from __future__ import annotations

import asyncio.base_subprocess
import asyncio.proactor_events
import asyncio.selector_events  # noqa: F401  # their package has to be there
from functools import cache
from importlib import import_module
from types import ModuleType

from ..compat import msvcrt, overlapped, selectors, socket, winapi
from ..compat._stdlib import ERRNO, OS, SYS, load
from ..compat._subprocess import SUBPROCESS, TEMPFILE


@cache
def windows_modules() -> tuple[ModuleType, ModuleType]:
    """windows_utils and windows_events."""
    selecting: dict[str, ModuleType | None] = {
        "errno": ERRNO,
        "os": OS,
        "selectors": import_module(selectors.__name__),
        "socket": import_module(socket.__name__),
        "sys": SYS,
    }
    selecting["asyncio.base_events"] = load("asyncio.base_events", selecting)
    others: dict[str, ModuleType | None] = {
        "_overlapped": import_module(overlapped.__name__),
        "_winapi": import_module(winapi.__name__),
        "msvcrt": import_module(msvcrt.__name__),
        "errno": ERRNO,
        "subprocess": SUBPROCESS,
        "sys": SYS,
        "tempfile": TEMPFILE,
        "asyncio.selector_events": load("asyncio.selector_events", selecting),
    }
    utils = others["asyncio.windows_utils"] = load("asyncio.windows_utils", others)
    return utils, load("asyncio.windows_events", others)
