"""CPython's own Windows modules of asyncio, from the running interpreter, on the emulator.

Part played:     the import of asyncio on Windows.
Lives here:      what its modules find there: ``_overlapped``, ``_winapi``, ``msvcrt``, ``socket`` and ``selectors`` are
                 the emulator's, ``sys.platform`` is "win32", ``errno`` has the WSA names.
Lives elsewhere: running them, unchanged (compat._stdlib).
Once more:       base_events, proactor_events and selector_events call the socket module, so they are run anew as well.
                 All the rest is the interpreter's: futures, tasks, streams, subprocess, TLS.
Names:           the modules are called asyncio.windows_events and so on, and are not in sys.modules.
"""

from __future__ import annotations

import asyncio.base_subprocess
import asyncio.proactor_events
import asyncio.selector_events  # noqa: F401  # their package has to be there, and what they import from it
from functools import cache
from importlib import import_module
from types import ModuleType

from ..compat import msvcrt, overlapped, selectors, socket, winapi
from ..compat._adopt import HostSocket
from ..compat._stdlib import ERRNO, OS, SYS, View, load
from ..compat._subprocess import SUBPROCESS, TEMPFILE


@cache
def windows_modules() -> dict[str, ModuleType]:
    """The modules, by their names inside of asyncio."""
    others: dict[str, ModuleType | None] = {
        "_overlapped": import_module(overlapped.__name__),
        "_winapi": import_module(winapi.__name__),
        "msvcrt": import_module(msvcrt.__name__),
        "errno": ERRNO,
        "os": OS,
        "selectors": import_module(selectors.__name__),
        "socket": import_module(socket.__name__),
        "subprocess": SUBPROCESS,
        "sys": SYS,
        "tempfile": TEMPFILE,
    }
    made: dict[str, ModuleType] = {}
    for name in ("base_events", "proactor_events", "selector_events", "windows_utils"):
        others[f"asyncio.{name}"] = made[name] = load(f"asyncio.{name}", others)
    # It asks what is a socket. The host's objects, of which ours are a kind, are sockets to it as well.
    others["socket"] = View(import_module(socket.__name__), socket=HostSocket)
    made["windows_events"] = load("asyncio.windows_events", others)
    return made
