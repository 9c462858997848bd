"""The package ``asyncio`` as it is on Windows.

Part played:     the last lines of asyncio's ``__init__``, which choose windows_events or unix_events.
Lives here:      the names of the package; the default loop, which is the proactor's; what the library's asyncio modules
                 find as ``socket``, ``ssl``, ``selectors`` and ``errno``.
Lives elsewhere: the loops (aio).
One package:     asyncio is not loaded twice, since its C part knows only one: tasks, futures and exceptions are the
                 same before, meanwhile and afterwards.
"""

from __future__ import annotations

import asyncio
import asyncio.base_events
import asyncio.proactor_events
import asyncio.selector_events
import asyncio.sslproto
import asyncio.trsock
import sys
from types import ModuleType
from typing import Any, Final

from .. import aio
from ..compat._stdlib import ERRNO, OS
from .changes import Changes
from .modules import windows_module

_UNIX_STREAMS: Final = ("open_unix_connection", "start_unix_server")


def show_windows(changes: Changes) -> None:
    """Make the package Windows'."""
    _names(changes)
    for module in _system_modules():
        names = vars(module)
        for name, value in (("errno", ERRNO), ("os", OS)):
            if name in names:
                changes.set(names, name, value)
        for name in ("selectors", "socket", "ssl"):
            if names.get(name) is not None:  # ssl is None where there is none
                changes.set(names, name, windows_module(name))
    if hasattr(asyncio.selector_events, "_HAS_SENDMSG"):
        changes.set(vars(asyncio.selector_events), "_HAS_SENDMSG", False)
    changes.set(vars(asyncio.events), "_event_loop_policy", None)  # the default one is made anew


def _system_modules() -> tuple[ModuleType, ...]:
    """Those that deal with the system; the others are the same everywhere."""
    return (
        asyncio.base_events,
        asyncio.events,
        asyncio.proactor_events,
        asyncio.selector_events,
        asyncio.sslproto,
        asyncio.streams,
        asyncio.trsock,
        aio.windows_events,
        aio.windows_utils,
    )


def _names(changes: Changes) -> None:
    package = vars(asyncio)
    unix: Any = sys.modules.get("asyncio.unix_events")
    gone = {*_UNIX_STREAMS, *(() if unix is None else unix.__all__)}
    here: list[str] = list(aio.windows_events.__all__)
    for name in (*gone, "unix_events"):
        changes.remove(package, name)
    for name in here:
        changes.set(package, name, getattr(aio.windows_events, name))
    kept = [name for name in package["__all__"] if name not in gone]
    changes.set(package, "__all__", (*kept, *here))
    changes.set(sys.modules, "asyncio.unix_events", None)  # what an import statement takes for "no such module"
    for module in (aio.windows_events, aio.windows_utils):
        changes.set(sys.modules, module.__name__, module)
        changes.set(package, module.__name__.rpartition(".")[2], module)
