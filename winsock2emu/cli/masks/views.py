"""Which modules see Windows and which the host.

Part played:     the border between a program and the interpreter's own library.
Lives here:      the decision, made once for each file.
Lives elsewhere: what the two sides get to see (the other modules of this package).
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable
from typing import Any, Final

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
_by_file: dict[Any, bool] = {}


def sees_windows(module: dict[str, Any]) -> bool:
    """Whether the module with these globals is part of the program: not the standard library's, not ours."""
    file = module.get("__file__")
    if file is None:
        return getattr(module.get("__spec__"), "origin", None) not in ("frozen", "built-in")
    verdict = _by_file.get(file)
    if verdict is None:
        verdict = _by_file[file] = _judge(os.path.abspath(str(file)))
    return verdict


def _judge(file: str) -> bool:
    folders = file.split(os.sep)[:-1]
    for installed in ("site-packages", "dist-packages"):
        if installed in folders:
            inside = file.rpartition(f"{os.sep}{installed}{os.sep}")[2]
            package = inside.partition(os.sep)[0].removesuffix(".py")
            return package not in HOST_PACKAGES and package not in _chosen
    return not file.startswith(_FOLDERS)
