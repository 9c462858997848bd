"""Masks: the standard modules as a program on Windows sees them, while the library underneath keeps the host's.

Part played:     the Windows build of the interpreter, as far as a program can look at it.
Lives here:      the table of what is masked and what is missing, and switching the masks on and off.
Lives elsewhere: who sees a mask (masks.views), the import statement (masks.importing), what a mask is
                 (masks.mask) and what each one shows (masks.interpreter, masks.machine, masks.errnos,
                 masks.signals; ctypes comes from capi.ctypesmodule, the modules for sockets and all that Windows
                 alone has from compat), child processes (masks.children), asyncio's package (installing).
Sockets:         there is one ``socket`` module for the program and for the modules of the library that make sockets:
                 ``http.client``, ``socketserver``, ``asyncio``. ``multiprocessing`` and ``subprocess`` have the host's.
Limits:          ``sys.modules["os"]`` is the host's module, as is whatever a module of the standard library hands
                 out. Paths stay POSIX paths (``os.sep``, ``os.path``), ``os.linesep`` and ``os.environ`` the host's.
                 An OSError of the host carries the host's errno, which beyond 34 is another number than the
                 masked errno module has, and no ``winerror``. ``builtins.WindowsError`` is there for everybody.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Final

from ...installing.changes import Changes
from ...installing.modules import (
    SOCKET_MODULES,
    WINDOWS_ONLY,
    forget_network_library,
    imported,
    restore_network_library,
    windows_module,
)
from ...installing.packages import find_as_on_windows
from . import children, errnos, interpreter, machine, signals
from .importing import Importing
from .views import show_host_to as show_host_to


def _ctypes() -> ModuleType:
    from ...capi import ctypesmodule

    return ctypesmodule.ctypes_module()


def _wintypes() -> ModuleType:
    from ...capi import ctypesmodule

    return ctypesmodule.wintypes_module()


def _util() -> ModuleType:
    from ...capi import ctypesmodule

    return ctypesmodule.util_module()


MASKED: Final[dict[str, Callable[[], ModuleType]]] = {
    "ctypes": _ctypes,
    "ctypes.util": _util,
    "ctypes.wintypes": _wintypes,
    "errno": errnos.errno_module,
    "os": interpreter.os_module,
    "os.path": interpreter.path_module,
    "platform": machine.platform_module,
    "signal": signals.signal_module,
    "sys": interpreter.sys_module,
    **{name: partial(windows_module, name) for name in (*WINDOWS_ONLY, "twisted_iocpsupport.iocpsupport")},
}
"""Full module name to what makes the module that Windows programs get; made once, when first imported."""

MISSING: Final[dict[str, str]] = {
    **{
        name: name
        for name in (
            "_curses",
            "_posixshmem",
            "_posixsubprocess",
            "crypt",
            "fcntl",
            "grp",
            "nis",
            "ossaudiodev",
            "posix",
            "pwd",
            "readline",
            "resource",
            "spwd",
            "syslog",
            "termios",
        )
    },
    "curses": "_curses",
    "pty": "termios",
    "tty": "termios",
}
"""Modules that cannot be imported on Windows, and the name that the ModuleNotFoundError then has."""

SOCKETS: Final = {name: partial(imported, name) for name in SOCKET_MODULES}
"""What programs and most of the library have in common."""


def _library_errno() -> ModuleType:
    from ...compat import _stdlib

    return _stdlib.ERRNO


_active: list[Changes] = []


def install() -> None:
    """Put the masks on, for the whole interpreter. Doing it twice changes nothing."""
    if _active:
        return
    changes = Changes()
    _active.append(changes)
    forget_network_library(changes)
    after: dict[str, Callable[[], None]] = {
        "asyncio": partial(_adjust_asyncio, changes),
        "multiprocessing": children.adjust_multiprocessing,
    }
    find_as_on_windows(changes)
    importing = Importing(MASKED, MISSING, after, SOCKETS, {"errno": _library_errno}, changes)
    changes.set(vars(builtins), "WindowsError", OSError)
    changes.set(vars(builtins), "__import__", importing.statement)
    changes.set(vars(importlib), "import_module", importing.import_module)
    changes.set(vars(importlib.util), "find_spec", importing.find_spec)
    importing.finish()


def uninstall() -> None:
    """Take the masks off. Modules that were imported meanwhile keep what they imported."""
    if _active:
        children.restore_multiprocessing()
        restore_network_library(_active.pop())


def _adjust_asyncio(changes: Changes) -> None:
    from ...installing import asynciopackage

    asynciopackage.show_windows(changes)
