"""Masks: the standard modules as a program on Windows sees them, while the library underneath keeps the host's.

Part played:     the Windows build of the interpreter, as far as a program can look at it.
Lives here:      the table of what is masked and what is missing, and switching the masks on and off.
Lives elsewhere: who sees a mask (masks.views), the import statement (masks.importing), what a mask is
                 (masks.mask) and what each one shows (masks.interpreter, masks.machine, masks.errnos,
                 masks.signals; ctypes comes from capi.ctypesmodule), child processes (masks.children).
Limits:          ``sys.modules["os"]`` is the host's module, as is whatever a module of the standard library hands
                 out. Paths stay POSIX paths (``os.sep``, ``os.path``), ``os.linesep`` and ``os.environ`` the host's.
                 An OSError of the host carries the host's errno, which beyond 34 is another number than the
                 masked errno module has, and no ``winerror``. ``builtins.WindowsError`` is there for everybody.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

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

_active: Importing | None = None


def install() -> None:
    """Put the masks on, for the whole interpreter. Doing it twice changes nothing."""
    global _active  # noqa: PLW0603  # there is one import statement per interpreter, and this replaces it
    if _active is not None:
        return
    _active = importing = Importing(MASKED, MISSING, {"multiprocessing": children.adjust_multiprocessing})
    builtins.__import__ = importing.statement
    importlib.import_module = importing.import_module
    importlib.util.find_spec = importing.find_spec
    _set_builtin("WindowsError", OSError)
    if "multiprocessing" in sys.modules:
        children.adjust_multiprocessing()


def uninstall() -> None:
    """Take the masks off. Modules that were imported meanwhile keep what they imported."""
    global _active  # noqa: PLW0603
    if _active is None:
        return
    builtins.__import__ = _active.host_statement
    importlib.import_module = _active.host_import_module
    importlib.util.find_spec = _active.host_find_spec
    vars(builtins).pop("WindowsError", None)
    children.restore_multiprocessing()
    _active = None


def _set_builtin(name: str, value: Any) -> None:
    vars(builtins)[name] = value
