"""Which module stands under which of Windows' names, and which of the library's modules build on them.

Part played:     ``import socket``, ``import msvcrt``, ``import win32file`` on Windows.
Lives here:      the tables; loading a module when it is first asked for; having the library's network modules loaded
                 anew, so that ``http.client`` and ``socketserver`` use Windows' sockets.
Lives elsewhere: the modules (compat); asyncio, which is one package for the whole process (asynciopackage).
Library:         modules that make sockets are loaded once more, unchanged, as soon as somebody imports them, and the
                 host's are put back in the end. All others stay as they are; those that use pipes and processes go on
                 using the host's ``select``, and are to be imported before there is a ``msvcrt`` (`BY_PRESENCE`).
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Final

from .. import compat
from .changes import Changes

SOCKET_MODULES: Final = ("_socket", "select", "selectors", "socket", "ssl")
"""Names that the host has, too: one socket class for programs and for the library's network modules."""

PYWIN32: Final = tuple(
    name
    for name in sorted(module.name for module in iter_modules(compat.__path__))
    if name.startswith("win32") or name in ("pywintypes", "winerror")
)
"""What there is of pywin32."""

WINDOWS_ONLY: Final = ("_overlapped", "_winapi", "msvcrt", *PYWIN32, "twisted_iocpsupport")
"""Names that the host does not have. ``twisted_iocpsupport`` is a package, with ``iocpsupport`` in it."""

_ELSEWHERE: Final = {"_overlapped": "overlapped", "_winapi": "winapi"}


@cache
def windows_module(name: str) -> ModuleType:
    """The module that has a name of the tables on Windows; the same object at each call."""
    if name == "_socket":
        lower: ModuleType = vars(_compat("socket"))["_socket"]
        return lower
    if name == "twisted_iocpsupport":
        package = ModuleType(name, "Twisted's extension module for completion ports.")
        package.__path__ = []
        package.__package__ = name
        vars(package)["iocpsupport"] = _compat("iocpsupport")
        return package
    return _compat("iocpsupport" if name == "twisted_iocpsupport.iocpsupport" else _ELSEWHERE.get(name, name))


def imported(name: str) -> ModuleType:
    """The module that an import statement finds: importing ``socket`` is also a WSAStartup, on which programs rely."""
    module = windows_module(name)
    if name in _STARTING:
        from ..compat import _adopt

        _adopt.started()
    return module


_STARTING: Final = ("_socket", "socket", "ssl")


def _compat(name: str) -> ModuleType:
    return import_module(f"winsock2emu.compat.{name}")


NETWORK_LIBRARY: Final = frozenset(
    (
        *("asynchat", "asyncore", "smtpd", "nntplib", "telnetlib"),  # up to Python 3.11 or 3.12
        *("ftplib", "imaplib", "poplib", "smtplib", "socketserver"),
        *("http.client", "http.server", "urllib.request", "urllib.robotparser"),
        *("logging.config", "logging.handlers"),
        *("wsgiref.simple_server", "xmlrpc.client", "xmlrpc.server"),
    )
)
"""Modules of the library that make sockets."""

BY_PRESENCE: Final = (
    *("concurrent.futures", "getpass", "mimetypes", "pathlib", "shutil", "subprocess", "tempfile"),
    *("multiprocessing.connection", "multiprocessing.heap", "multiprocessing.reduction"),
    *("multiprocessing.resource_sharer", "multiprocessing.shared_memory", "multiprocessing.spawn"),
)
"""Modules of the library that look whether Windows' modules are there, and take them for a Windows if so; or that need
the host's ``select`` or ``errno``."""


def forget_network_library(changes: Changes) -> None:
    """Have the next import of a network module load it anew."""
    for name in NETWORK_LIBRARY & sys.modules.keys():
        _forget(name, changes)


def restore_network_library(changes: Changes) -> None:
    """Undo all changes; what has been loaded anew is forgotten."""
    for name in NETWORK_LIBRARY & sys.modules.keys():
        _forget(name, Changes())
    changes.undo()


def _forget(name: str, changes: Changes) -> None:
    changes.remove(sys.modules, name)
    package, _, inner = name.rpartition(".")
    if package in sys.modules:
        changes.remove(vars(sys.modules[package]), inner)
