"""Which modules see Windows and which the host.

Part played:     the border between a program and the interpreter's own library.
Lives here:      the decision, made once for each file. Sockets are everybody's, and are Windows', but for those who use
                 the host's descriptors.
Lives elsewhere: what the two sides get to see (the other modules of this package).
"""

from __future__ import annotations

import enum
import os
import sys
import sysconfig
from collections.abc import Iterable
from typing import Any, Final

from ...installing.modules import NETWORK_LIBRARY

# The emulator's own requirements, the tools that run a program's tests, and packages that drive the console or ask
# the host about itself: they do real work on the host, and their Windows branches need modules or functions that
# only a Windows build of the interpreter has.
_HOST_PACKAGES: Final = """
    winsock2emu winsock2emu_conformance attr attrs typing_extensions dns ldap3 pyasn1 rich
    pytest _pytest pluggy iniconfig xdist execnet pytest_timeout coverage hypothesis
    pip setuptools pkg_resources _distutils_hack wheel
    click typer colorama psutil tqdm
"""
HOST_PACKAGES: Final = frozenset(_HOST_PACKAGES.split())

# Modules of the library that have the host's socket modules: those modules themselves, and what works with pipes.
_HOST_SOCKETS: Final = frozenset(
    (
        *("socket", "selectors", "ssl", "types"),
        *("asyncio.unix_events", "concurrent", "multiprocessing", "pty", "subprocess", "_pyrepl"),
    )
)

# A module of the library that decides as on Windows: it has no classes that fork. And one of dnspython's, which does
# what asyncio's loop for Windows wants.
_LIKE_PROGRAMS: Final = frozenset(("socketserver", "dns._asyncio_backend"))


class Viewer(enum.Enum):
    """Who imports."""

    PROGRAM = "sees Windows"
    NETWORK = "a module of the library that makes sockets: they are Windows', and so are the numbers of its errors"
    LIBRARY = "any other module of the library: sees the host, and Windows' sockets once there are some"
    HOST = "the emulator, tools that do work on the host, and modules that need the host's sockets: sees the host"


_chosen: list[str] = []


def show_host_to(packages: Iterable[str]) -> None:
    """Let more installed packages see the host; to be said before they are imported."""
    _chosen.extend(packages)


def chosen() -> tuple[str, ...]:
    """The packages that `show_host_to` has been told."""
    return tuple(_chosen)


def _folders() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    library = {os.path.dirname(os.__file__), paths["stdlib"], paths["platstdlib"]}
    ours = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = library | {os.path.realpath(folder) for folder in library} | {ours, os.path.realpath(ours)}
    found.update(path for path in sys.path if os.path.basename(path).startswith("python3") and path.endswith(".zip"))
    return tuple(folder + os.sep for folder in found)


_FOLDERS: Final = _folders()
_OURS: Final = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep
_by_file: dict[Any, Viewer] = {}


def viewer(module: dict[str, Any]) -> Viewer:
    """What the module with these globals is."""
    file = module.get("__file__")
    if file is None:
        frozen = getattr(module.get("__spec__"), "origin", None) in ("frozen", "built-in")
        return Viewer.LIBRARY if frozen else Viewer.PROGRAM
    verdict = _by_file.get(file)
    if verdict is None:
        verdict = _by_file[file] = _judge(os.path.abspath(str(file)))
    return verdict


def sees_windows(module: dict[str, Any]) -> bool:
    """Whether the module with these globals is part of the program: not the standard library's, not ours."""
    return viewer(module) is Viewer.PROGRAM


def _judge(file: str) -> Viewer:
    folders = file.split(os.sep)[:-1]
    for installed in ("site-packages", "dist-packages"):
        if installed in folders:
            inside = file.rpartition(f"{os.sep}{installed}{os.sep}")[2]
            name = inside.removesuffix(".py").replace(os.sep, ".")
            package = name.partition(".")[0]
            shown_host = (package in HOST_PACKAGES or package in _chosen) and name not in _LIKE_PROGRAMS
            return Viewer.HOST if shown_host else Viewer.PROGRAM
    folder = next((folder for folder in _FOLDERS if file.startswith(folder)), None)
    if folder is None:
        return Viewer.PROGRAM
    if file.startswith((_OURS, os.path.realpath(_OURS) + os.sep)):
        return Viewer.HOST
    name = file[len(folder) :].removesuffix(".py").replace(os.sep, ".")
    package = name.partition(".")[0]
    if name in _LIKE_PROGRAMS:
        return Viewer.PROGRAM
    if name in _HOST_SOCKETS or package in _HOST_SOCKETS:
        return Viewer.HOST
    return Viewer.NETWORK if name in NETWORK_LIBRARY or package == "asyncio" else Viewer.LIBRARY
