"""The package ``asyncio`` as it is on Windows.

Part played:     the last lines of asyncio's ``__init__``, which choose windows_events or unix_events.
Lives here:      the names of the package; the default loop, which is the proactor's; what the library's asyncio modules
                 find as ``socket`` and ``ssl``.
Lives elsewhere: the loops, and those modules of asyncio that are there twice, for the host and for Windows (aio).
One package:     everything else is there once, since asyncio's C part knows only one: tasks, futures and exceptions are
                 the same before, meanwhile and afterwards.
"""

from __future__ import annotations

import asyncio
import asyncio.sslproto
import asyncio.trsock
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any, Final

from ..aio._loading import windows_modules
from .changes import Changes
from .modules import windows_module

_UNIX_STREAMS: Final = ("open_unix_connection", "start_unix_server")


def show_windows(changes: Changes) -> None:
    """Make the package Windows'."""
    own = windows_modules()
    _names(changes, own)
    once = (asyncio.events, asyncio.sslproto, asyncio.streams, asyncio.trsock)
    _sockets(changes, ("socket", "ssl"), once)
    _sockets(changes, ("ssl",), own.values())  # they have the sockets already
    changes.set(vars(asyncio.events), "_event_loop_policy", None)  # the default one is made anew


def _sockets(changes: Changes, names: Iterable[str], system_modules: Iterable[ModuleType]) -> None:
    for module in system_modules:
        for name in names:
            if vars(module).get(name) is not None:  # ssl is None where there is none
                changes.set(vars(module), name, windows_module(name))


def _names(changes: Changes, own: dict[str, ModuleType]) -> None:
    package = vars(asyncio)
    unix: Any = sys.modules.get("asyncio.unix_events")
    gone = {*_UNIX_STREAMS, *(() if unix is None else unix.__all__)}
    here = own["windows_events"].__all__
    for name in (*gone, "unix_events"):
        changes.remove(package, name)
    for inner, module in own.items():
        changes.set(sys.modules, f"asyncio.{inner}", module)
        changes.set(package, inner, module)
        for name in getattr(module, "__all__", ()):
            if name in package or name in here:
                changes.set(package, name, vars(module)[name])
    kept = [name for name in package["__all__"] if name not in gone]
    changes.set(package, "__all__", (*kept, *here))
    changes.set(sys.modules, "asyncio.unix_events", None)  # what an import statement takes for "no such module"
