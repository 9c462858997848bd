"""Windows for a whole process: `install` and `uninstall`.

    import winsock2emu

    winsock2emu.install()
    import asyncio, ctypes, socket, win32file  # Windows'

Part played:     the Windows build of the interpreter, as far as modules go: no platform name is changed.
Lives here:      what is put in place, in which order, and that it is put back.
Lives elsewhere: a program's view of ``sys``, ``os`` and ``platform`` (cli.masks: ``winsock2emu run``).
In place:        ``sys.modules`` has the modules of `SOCKET_MODULES` and `WINDOWS_ONLY`, and ``ctypes``, ``errno`` with
                 Windows' sizes and numbers, for whoever imports them from then on. Who has imported ``ctypes`` and
                 ``errno`` before finds the names that only Windows has in them, and the right sizes in
                 ``ctypes.wintypes``; their c_long, c_wchar and CDLL stay the host's. ``asyncio`` is everybody's.
Not changed:     ``sys.platform``, ``os``, and what modules have imported already. The library's own modules for
                 processes and files see the host. What this module imports stays imported.
Order:           everything that has to see the host is imported with this module, the emulator's own modules too.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import ctypes.wintypes
import errno
import sys
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from threading import RLock
from types import ModuleType, TracebackType
from typing import Any, Final

from ..capi import ctypesmodule, loader, wintypes
from ..compat._stdlib import ERRNO
from . import asynciopackage, modules, packages
from .changes import Changes

_ROOMS: Final = (
    "capi",
    "catalog",
    "compat",
    "engine",
    "kernel",
    "kernel32",
    "mswsock",
    "providers",
    "user32",
    "ws2_32",
)


def _load_what_sees_the_host() -> None:
    for name in modules.BY_PRESENCE:
        import_module(name)
    package = __name__.partition(".")[0]
    for room in _ROOMS:
        home = import_module(f"{package}.{room}")
        for module in walk_packages(home.__path__, f"{home.__name__}."):
            if module.name == f"{package}.compat.trio":
                continue  # it is trio itself, which a program may want the host's of
            with contextlib.suppress(ModuleNotFoundError):  # an extra that is not installed
                import_module(module.name)


_load_what_sees_the_host()

_switching: Final = RLock()
_active: list[Changes] = []


class Installation:
    """What `install` returns: ``with winsock2emu.install():`` takes it all back at the end of the block."""

    def __init__(self, ours: bool) -> None:
        self._ours = ours

    def __enter__(self) -> Installation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._ours:
            uninstall()


def install() -> Installation:
    """Put every Windows-only module and ctypes' Windows face in place. Doing it twice changes nothing.

    Returns:
        A context manager. Leaving it is `uninstall`, unless this call has found everything in place already.
    """
    with _switching:
        if _active:
            return Installation(ours=False)
        changes = Changes()
        try:
            _change(changes)
        except BaseException:
            modules.restore_network_library(changes)
            raise
        _active.append(changes)
    return Installation(ours=True)


def uninstall() -> None:
    """Put back what `install` has replaced. Modules that were imported meanwhile keep what they imported."""
    with _switching:
        if _active:
            modules.restore_network_library(_active.pop())


def _change(changes: Changes) -> None:
    modules.forget_network_library(changes)
    for name, module in _modules():
        changes.set(sys.modules, name, module)
    _ctypes(changes)
    _errno(changes)
    changes.set(vars(builtins), "WindowsError", OSError)
    asynciopackage.show_windows(changes)
    packages.find_as_on_windows(changes)


def _modules() -> Iterator[tuple[str, ModuleType]]:
    for name in (*modules.SOCKET_MODULES, *modules.WINDOWS_ONLY, "twisted_iocpsupport.iocpsupport"):
        yield name, modules.imported(name)
    yield "ctypes", ctypesmodule.ctypes_module()
    yield "ctypes.util", ctypesmodule.util_module()
    yield "ctypes.wintypes", ctypesmodule.wintypes_module()
    yield "errno", ERRNO


def _ctypes(changes: Changes) -> None:
    """The modules that earlier importers have."""
    loader.real_table()  # a library object asks for it, and then there may be no host's errno any more
    for name, value in vars(ctypesmodule.ctypes_module()).items():
        if name not in vars(ctypes):
            changes.set(vars(ctypes), name, value)
    there: dict[str, Any] = vars(ctypes.wintypes)
    for name, value in vars(wintypes).items():
        if name in there and not name.startswith("__"):
            changes.set(there, name, value)


def _errno(changes: Changes) -> None:
    names: Any = errno.errorcode
    for name, number in vars(ERRNO).items():
        if name.startswith("WSA"):
            changes.set(vars(errno), name, number)
            changes.set(names, number, name)
